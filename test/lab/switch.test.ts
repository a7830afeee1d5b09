/**
 * Docker's reload and restart on the real systemd and dockerd: nobody notices a registration, and when the tool is killed
 * in the middle of a restart, the dead man's switch brings Docker back; a slow one it leaves alone.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, type Running, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const note = '/var/lib/sysbox-setup/switch/fired';
const dropIn = '/etc/systemd/system/docker.service.d/lab.conf';
/** Docker does not start with a file that names the runtime, and says so only when it starts. */
const bad = `[Service]\nExecStartPre=/bin/sh -c 'if grep -q sysbox-runc ${daemonJson}; then sleep 4; exit 1; fi'\n`;
/** Longer than the switch waits before it looks. */
const slow = '[Service]\nExecStartPre=/bin/sleep 75\n';
/** Stands for gitlab-runner: on SIGQUIT it ends once it has no job, and it has none. */
const runner = `#!/bin/sh\ntrap 'exit 0' QUIT\nwhile :; do sleep 3600 & wait $!; done\n`;
/** Somebody starts it by hand: no boot does. */
const runnerUnit = `[Unit]
After=docker.service
[Service]
ExecStart=/usr/bin/gitlab-runner "run"
Restart=always
RestartSec=120
`;

interface Event {
	readonly type: string;
	readonly action?: string;
	readonly step?: string;
	readonly outcome?: string;
	readonly ms?: number;
	readonly impact?: { readonly containers?: readonly { name: string; fate: string }[] };
	readonly findings?: readonly { id: string; severity: string; summary: string }[];
}

const steps = ['host', 'sysbox', 'daemon', 'docker'].flatMap(step => ['--only', step]);
const asked = (deb: string, restart: boolean): string[] => [
	...['--yes', '--format', 'json', ...steps, '--deb', deb, '--accept-risk', 'unverified-deb'],
	...(restart ? ['--accept-risk', 'restart-docker,stop-containers', '--answers', '/root/answers.yml'] : []),
];

async function freshHost(name: string, file: string): Promise<{ host: LabHost; deb: string }> {
	const host = await startLabHost({ cgroup: 'v2', name });
	await host.installTool(new URL('../../dist', import.meta.url).pathname);
	await host.loadImages('busybox');
	const { path } = await host.putPackage('good');
	await host.exec(['mkdir', '-p', '/etc/docker']);
	await host.writeFile(daemonJson, file);
	await host.writeFile('/root/answers.yml', 'version: 1\ndocker:\n  restart: true\n  jobs: now\n');
	return { host, deb: path };
}

const events = (stdout: string): Event[] =>
	stdout
		.split('\n')
		.filter(line => line.startsWith('{'))
		.map(line => JSON.parse(line) as Event);

/**
 * Starts the tool and kills it once systemctl restarts Docker. Returns what the impact sheet had said of each container.
 */
async function killedInRestart(host: LabHost, deb: string): Promise<readonly string[]> {
	const lines: string[] = [];
	let tool: Running | undefined;
	let killed: Promise<void> | undefined;
	await new Promise<void>((begun, reject) => {
		tool = host.spawn(['sysbox-setup', ...asked(deb, true)], {
			timeoutMs: 200_000,
			onStdoutLine: line => {
				lines.push(line);
				const { type, action } = JSON.parse(line) as Event;
				if (type !== 'action.intent' || action !== 'restart' || killed !== undefined) return;
				killed = tool?.kill('SIGKILL');
				begun();
			},
		});
		void tool.done.then(({ code }) => reject(new Error(`ended with ${code}\n${lines.slice(-20).join('\n')}`)));
	});
	await killed;
	expect((await tool?.done)?.code).toBe(137);
	const sheets = events(lines.join('\n')).flatMap(({ impact }) => impact?.containers ?? []);
	return [...new Set(sheets.map(({ name, fate }) => `${name} ${fate}`))].toSorted();
}

const shell = (host: LabHost, script: string) => host.exec(['sh', '-c', script], { reject: false });
const pids = async (host: LabHost): Promise<string> =>
	(
		await shell(
			host,
			"docker ps -q --no-trunc | xargs -r docker inspect --format '{{.Name}} {{.State.Pid}} {{.State.StartedAt}}' | sort",
		)
	).stdout;
const start = (host: LabHost, name: string, ...more: string[]) =>
	host.exec([
		'docker',
		'run',
		'-d',
		'--name',
		name,
		'--stop-signal',
		'SIGKILL',
		...more,
		'lab/busybox:1',
		'sleep',
		'3600',
	]);

/** Waits in the host, which has no load of a client's start a second. */
const waitIn = (host: LabHost, seconds: number, condition: string) =>
	host.exec(['timeout', String(seconds), 'sh', '-c', `until ${condition}; do sleep 1; done`], {
		timeoutMs: (seconds + 10) * 1000,
	});

/**
 * What a switch leaves anywhere, but its note. systemd keeps the unit that a boot has wanted in memory, inactive, until
 * it reads its units again; its file is gone.
 */
const leftOfSwitch = async (host: LabHost): Promise<string> =>
	(
		await shell(
			host,
			"ls -d /etc/systemd/system/sysbox-setup-* /etc/systemd/system/multi-user.target.d /run/systemd/transient/sysbox-setup-* /var/lib/sysbox-setup/switch/p* /var/lib/sysbox-setup/switch/d* 2>/dev/null; systemctl list-units --state=active,activating,failed --no-legend 'sysbox-setup-*'",
		)
	).stdout;

const file = async (host: LabHost): Promise<string> => (await host.readFile(daemonJson)).toString('utf8');

/** A thousand questions a second at the API; prints how many were answered and how many were not. */
const pinger = `
const http = require('http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
let answered = 0, failed = 0, said = '';
const ask = () => http.get({ socketPath: '/var/run/docker.sock', path: '/_ping', agent }, r => {
	r.resume(); r.on('end', () => { if (r.statusCode === 200) answered += 1; else failed += 1; });
}).on('error', e => { failed += 1; said = e.message; });
const began = Date.now(); let due = 0;
setInterval(() => { for (; due < Date.now() - began; due += 1) ask(); }, 1);
process.on('SIGTERM', () => { console.log(JSON.stringify({ answered, failed, said, ms: Date.now() - began })); process.exit(0); });
`;

describe.skipIf(!lab.available)('on a real Docker', () => {
	let restarted: { host: LabHost; deb: string };
	let kept: { host: LabHost; deb: string };
	/** An address that Docker has not read yet, so that a run that registers the runtime restarts Docker too. */
	const withBridge = (address: string) => `{\n\t"log-driver": "json-file",\n\t"bip": "${address}/16"\n}\n`;
	const plain = withBridge('172.30.0.1');
	const liveRestore = '{\n\t"log-driver": "json-file",\n\t"live-restore": true\n}\n';

	beforeAll(async () => {
		[restarted, kept] = await Promise.all([freshHost('switch', plain), freshHost('live', liveRestore)]);
		await kept.host.exec(['systemctl', 'restart', 'docker']);
		await Promise.all([
			start(restarted.host, 'web', '--restart', 'unless-stopped'),
			start(restarted.host, 'database'),
			...Array.from({ length: 10 }, (_, n) => start(kept.host, `job-${n}`)),
		]);
	}, 16 * 60_000);
	afterAll(async () => {
		await Promise.all([restarted?.host.remove(), kept?.host.remove()]);
	});

	it('a registration is noticed by nobody: ten containers keep their pids, a pinger gets every answer', async () => {
		const { host, deb } = kept;
		const before = await pids(host);
		expect(before.trim().split('\n')).toHaveLength(10);
		// With the socket held by systemd a restart of Docker is a pause for whoever asks, and no failure.
		const daemon = () => shell(host, 'systemctl show docker --property=MainPID,ActiveEnterTimestampMonotonic');
		const running = (await daemon()).stdout;
		const pings = host.spawn(['node', '-e', pinger], { timeoutMs: 200_000 });
		const run = await host.exec(['sysbox-setup', ...asked(deb, false)], { reject: false, timeoutMs: 150_000 });
		await pings.kill('SIGTERM');
		const counted = JSON.parse((await pings.done).stdout) as { answered: number; failed: number; ms: number };
		expect(run.code, run.stdout.split('\n').slice(-12).join('\n')).toBe(0);
		expect(counted).toMatchObject({ failed: 0, said: '' });
		expect(counted.answered).toBeGreaterThan(1000);
		expect((await daemon()).stdout).toBe(running);
		expect(await pids(host)).toBe(before);
		expect((await host.exec(['docker', 'info', '--format', '{{json .Runtimes}}'])).stdout).toContain('sysbox-runc');
		console.info(`${counted.answered} of ${counted.answered + counted.failed} pings in ${counted.ms} ms were answered`);
	});

	it('a killed restart is taken back by the switch, and a slow one is left alone', async () => {
		await restarted.host.writeFile(dropIn, bad);
		await kept.host.writeFile(dropIn, slow);
		await Promise.all([restarted, kept].map(({ host }) => host.exec(['systemctl', 'daemon-reload'])));
		const keptPids = await pids(kept.host);
		await kept.host.exec(['sed', '-i', 's|"bip": "[0-9./]*"|"bip": "172.30.0.1/16"|', daemonJson]);
		const keptFile = await file(kept.host);
		await Promise.all([
			killedInRestart(restarted.host, restarted.deb).then(async sheet => {
				const { host } = restarted;
				expect(sheet).toEqual(['database does-not-come-back', 'web comes-back']);
				expect(await file(host)).toContain('sysbox-runc');
				await waitIn(host, 120, `test -e ${note} && docker version >/dev/null 2>&1`);
				expect(await file(host)).toBe(plain);
				expect((await host.readFile(note)).toString('utf8')).toMatch(/by=deadline\ndid=put-back\ndocker=started\n/);
				expect(await leftOfSwitch(host)).toBe('');
				// Without live-restore containers stop with Docker, and a policy brings them back.
				expect(await pids(host)).toMatch(/^\/web \d+/);
				const next = await host.exec(['sysbox-setup', ...asked(restarted.deb, true)], {
					reject: false,
					timeoutMs: 60_000,
				});
				expect(next.code).toBe(3);
				expect(JSON.stringify(events(next.stdout))).toContain("The dead man's switch put the earlier");
				expect((await host.exec(['sysbox-setup', 'status'])).stdout).toContain("The dead man's switch put the earlier");
				expect(await file(host)).toBe(plain);
			}),
			killedInRestart(kept.host, kept.deb).then(async sheet => {
				const { host } = kept;
				expect(sheet).toEqual(Array.from({ length: 10 }, (_, n) => `job-${n} keeps-running`));
				await waitIn(
					host,
					150,
					'! ls /run/systemd/transient | grep -q sysbox-setup-switch && docker version >/dev/null 2>&1',
				);
				expect(await file(host)).toBe(keptFile);
				expect((await shell(host, `test -e ${note}`)).code).toBe(1);
				expect(await leftOfSwitch(host)).toBe('');
				// With live-restore no container notices it.
				expect(await pids(host)).toBe(keptPids);
				expect((await shell(host, 'journalctl -t sysbox-setup --no-pager -o cat')).stdout).toContain('stand-down');
			}),
		]);
	});

	it('a Docker that has answered and is mute at the deadline keeps its file', async () => {
		const { host, deb } = kept;
		await host.removeFile(dropIn);
		await host.exec(['systemctl', 'daemon-reload']);
		await host.exec(['sed', '-i', 's|"bip": "[0-9./]*"|"bip": "172.29.0.1/16"|', daemonJson]);
		const written = await file(host);
		await killedInRestart(host, deb);
		const script = '/var/lib/sysbox-setup/switch/put-back';
		// By its first answer since the restart.
		await waitIn(host, 60, `test -e ${script} -a ! -x ${script}`);
		await host.exec(['sh', '-c', 'kill -STOP $(pidof dockerd)']);
		// Docker's last start was the slow one, and the deadline is twice that.
		await waitIn(host, 240, '! ls /run/systemd/transient | grep -q sysbox-setup-switch');
		expect((await shell(host, 'timeout 5 docker version')).code).toBe(124);
		await host.exec(['sh', '-c', 'kill -CONT $(pidof dockerd)']);
		expect(await file(host)).toBe(written);
		expect((await shell(host, `test -e ${note}`)).code).toBe(1);
		expect(await leftOfSwitch(host)).toBe('');
		await host.exec(['docker', 'version']);
	});

	it('a power cut in the middle of a restart ends with the earlier file, a Docker that runs, and a runner that takes jobs', async () => {
		const { host, deb } = restarted;
		const other = withBridge('172.31.0.1');
		await host.removeFile(note);
		await host.writeFile(daemonJson, other);
		await host.writeFile('/root/answers.yml', 'version: 1\ndocker:\n  restart: true\n  jobs: drain\n');
		await host.writeFile('/usr/bin/gitlab-runner', runner, 0o755);
		await host.writeFile('/etc/systemd/system/gitlab-runner.service', runnerUnit);
		await host.exec(['systemctl', 'daemon-reload']);
		await host.exec(['systemctl', 'start', 'gitlab-runner']);
		await killedInRestart(host, deb);
		expect(await file(host)).toContain('sysbox-runc');
		expect((await shell(host, 'systemctl is-active gitlab-runner')).stdout).toBe('inactive\n');
		await host.powerCut();
		expect(await file(host)).toBe(other);
		expect((await host.readFile(note)).toString('utf8')).toContain('by=boot\ndid=put-back\n');
		await waitIn(
			host,
			60,
			'systemctl is-active --quiet gitlab-runner && ! ls /run /run/systemd/transient | grep -q sysbox-setup-switch',
		);
		expect(await leftOfSwitch(host)).toBe('');
		const bridge = await host.exec(['docker', 'network', 'inspect', 'bridge', '--format', '{{json .IPAM.Config}}']);
		expect(bridge.stdout).toContain('172.31.0.1');
		// Each has waited for the one before it, and nobody for longer than was good for it.
		const shown = async (unit: string, property: string): Promise<string> =>
			(await host.exec(['systemctl', 'show', unit, '--property', property, '--value'])).stdout.trim();
		expect(await shown('sysbox-setup-switch.service', 'Result')).toBe('success');
		const order = [
			await shown('sysbox-setup-switch.service', 'ExecMainExitTimestampMonotonic'),
			await shown('docker.service', 'InactiveExitTimestampMonotonic'),
			await shown('docker.service', 'ActiveEnterTimestampMonotonic'),
			await shown('gitlab-runner.service', 'InactiveExitTimestampMonotonic'),
		].map(Number);
		expect(order[0]).toBeGreaterThan(0);
		expect(order).toEqual(order.toSorted((a, b) => a - b));
	});
});
