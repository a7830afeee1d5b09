/**
 * The built program on a real systemd and Docker host, killed with kill -9 within every action of a run, one after the
 * other, and taken back at the end. Each start finds what the one before it left.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const operatorsFile = '{\n\t"log-driver": "json-file",\n\t"max-concurrent-downloads": 12345678\n}';
const answers = [
	'version: 1',
	'ci:',
	'  systems: [compose]',
	'  folder: /srv/ci',
	'  image: lab/ci:1',
	'  memory: 512m',
	'  cpus: 1',
	'  pids: 1024',
	'functional:',
	'  registry-image: lab/registry:1',
	'record:',
	'  owner: platform team',
	'',
].join('\n');

/**
 * Put in front of the program: it sends itself SIGKILL within the first action that it was not yet killed in. A command
 * has begun when it says its first words; anything else is killed directly at its intent. Which it was is noted first.
 */
const killItself = `
	import { appendFileSync, readFileSync } from 'node:fs';
	const noted = '/root/killed-in';
	const before = new Set((() => { try { return readFileSync(noted, 'utf8').split('\\n'); } catch { return []; } })());
	const { write } = process.stdout;
	let within;
	process.stdout.write = function (text, ...rest) {
		const done = write.call(this, text, ...rest);
		for (const line of String(text).split('\\n')) {
			if (!line.startsWith('{"')) continue;
			const event = JSON.parse(line);
			if (event.type === 'action.intent' && !before.has(event.step + '.' + event.action)) within = event;
			const begun = within?.kind !== 'exec' || event.type === 'output' || event.type === 'action.outcome';
			if (within === undefined || !begun) continue;
			appendFileSync(noted, within.step + '.' + within.action + '\\n');
			process.kill(process.pid, 'SIGKILL');
		}
		return done;
	};
`;

/** Far more than a run has, so that a run that never comes to its end does not go on for ever. */
const mostStarts = 40;

describe.skipIf(!lab.available)('killed within each action', () => {
	let host: LabHost;
	let args: readonly string[];
	let before: string;

	const pids = async (): Promise<string> =>
		(
			await host.exec([
				'sh',
				'-c',
				"docker ps -q --no-trunc | xargs docker inspect --format '{{.Name}} {{.State.Pid}} {{.State.StartedAt}}' | sort",
			])
		).stdout;

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v1', name: 'killed-actions' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		await host.loadImages('busybox');
		const { path } = await host.putPackage('good');
		await host.exec(['mkdir', '-p', '/etc/docker', '/srv/ci']);
		await host.writeFile(daemonJson, operatorsFile);
		await host.writeFile('/root/answers.yml', answers);
		await host.writeFile('/root/kill-itself.mjs', killItself);
		args = [
			...['--yes', '--answers', '/root/answers.yml', '--deb', path, '--accept-risk', 'unverified-deb'],
			...['--image-archive', '/opt/sysbox-setup-lab/images/ci-images.tar', '--record', '/root/record.md'],
			...['--format', 'json'],
		];
		const run = ['docker', 'run', '-d', '--name', 'web', '--stop-signal', 'SIGKILL', 'lab/busybox:1', 'sleep', '3600'];
		await host.exec(run);
		before = await pids();
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});

	it(
		'goes on at each start, and is killed within the next action, until none is left',
		async () => {
			const killedIn = async (): Promise<readonly string[]> =>
				(await host.exec(['cat', '/root/killed-in'])).stdout.split('\n').filter(line => line !== '');
			let starts = 0;
			for (let code: number | null = null; code !== 0 && starts < mostStarts; starts++) {
				const ended = await host.exec(['sysbox-setup', ...args], {
					reject: false,
					timeoutMs: 120_000,
					env: { NODE_OPTIONS: '--import=/root/kill-itself.mjs' },
				});
				code = ended.code;
				// 137: the shell's word for SIGKILL.
				expect([0, 137], `${await killedIn()}\n${ended.stdout.slice(-2000)}\n${ended.stderr}`).toContain(code);
				expect((await host.exec(['docker', 'info', '--format', '{{.ServerVersion}}'])).code).toBe(0);
				expect(await pids()).toBe(before);
			}
			const killed = await killedIn();
			expect(killed.length).toBe(starts - 1);
			expect(killed).toEqual(expect.arrayContaining(['sysbox.daemon-json', 'sysbox.copy', 'sysbox.install']));
			expect(killed.at(-1)).toBe('record.record');
		},
		5 * 60_000,
	);

	it('reaches the end that it would have reached, and leaves no temporary file', async () => {
		const record = (await host.readFile('/root/record.md')).toString();
		expect(record).toContain('| Privileged container escape | – | ready, no job uses Sysbox yet');
		expect((await host.exec(['docker', 'ps', '-aq', '--filter', 'label=io.sysbox-setup.run'])).stdout.trim()).toBe('');
		const temporary = ['find', '/etc', '/srv', '/root', '/var/lib/sysbox-setup', '-name', '.sysbox-setup-*'];
		expect((await host.exec(temporary)).stdout.trim()).toBe('');
		const audit = await host.exec(['dpkg', '--audit'], { reject: false });
		expect(audit.stdout.trim()).toBe('');
	});

	it('can be taken back as a whole, the limits of the kernel too', async () => {
		const result = await host.exec(['sysbox-setup', 'revert', '--yes'], { reject: false, timeoutMs: 120_000 });
		expect(result.code, result.stdout + result.stderr).toBe(0);
		expect((await host.readFile(daemonJson)).toString()).toBe(operatorsFile);
		expect((await host.exec(['dpkg-query', '-W', 'sysbox-ce'], { reject: false })).stdout).not.toMatch(/sysbox-ce\s+0/);
		expect((await host.exec(['ls', '-A', '/srv/ci'])).stdout.trim()).toBe('');
		expect(await pids()).toBe(before);
	});
});
