/** The built program on a real systemd and Docker host: from fresh to a record, killed and resumed, and back. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type CgroupVersion, type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const state = '/var/lib/sysbox-setup';
/** Tab-indented and with a number that JSON.parse would round: what a rewrite of the file would not survive. */
const operatorsFile =
	'{\n\t"log-driver": "json-file",\n\t"log-opts": {"max-size": "10m"},\n\t"max-concurrent-downloads": 12345678\n}';

const answers = [
	'version: 1',
	'ci:',
	'  systems: [compose, gitlab, jenkins]',
	'  folder: /srv/ci',
	'  image: lab/ci:1',
	'  memory: 512m',
	'  cpus: 1',
	'  pids: 1024',
	'  gitlab-url: https://gitlab.example.com/',
	'  jenkins-url: https://jenkins.example.com/',
	'functional:',
	'  registry-image: lab/registry:1',
	'record:',
	'  owner: platform team',
	'',
].join('\n');

interface Event {
	readonly type: string;
	readonly step?: string;
	readonly id?: string;
	readonly verdict?: string;
	readonly status?: string;
	readonly exit?: number;
	readonly changed?: boolean;
	readonly path?: string;
	readonly action?: string;
	readonly why?: string;
	readonly findings?: readonly { id: string; severity: string; summary: string }[];
}

const runArgs = (deb: string): string[] => [
	'--yes',
	'--answers',
	'/root/answers.yml',
	'--deb',
	deb,
	'--accept-risk',
	'unverified-deb',
	'--image-archive',
	'/opt/sysbox-setup-lab/images/ci-images.tar',
	'--record',
	'/root/record.md',
	'--format',
	'json',
];

const events = (stdout: string): Event[] =>
	stdout
		.split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line) as Event);

const last = (list: readonly Event[]): Event => list.at(-1) ?? { type: 'nothing' };

/** What a failing assertion should show: the findings that block, the probes that did not hold, how the steps ended. */
const summary = (list: readonly Event[]): string =>
	list
		.flatMap(event => {
			if (event.type === 'step.end') return [`${event.step}: ${event.status} ${event.why ?? ''}`];
			if (event.type === 'probe' && event.verdict !== 'pass') return [JSON.stringify(event)];
			if (event.type === 'findings')
				return (event.findings ?? [])
					.filter(f => f.severity === 'block' || f.severity === 'could-not-tell')
					.map(f => `${f.severity} ${f.id}: ${f.summary}`);
			if (event.type === 'action.outcome' && JSON.stringify(event).includes('failure')) return [JSON.stringify(event)];
			return [];
		})
		.join('\n');

async function freshHost(cgroup: CgroupVersion, name: string): Promise<{ host: LabHost; deb: string }> {
	const host = await startLabHost({ cgroup, name });
	await host.installTool(new URL('../../dist', import.meta.url).pathname);
	await host.loadImages('busybox');
	const { path } = await host.putPackage('good');
	await host.exec(['mkdir', '-p', '/etc/docker', '/srv/ci']);
	await host.writeFile(daemonJson, operatorsFile);
	await host.writeFile('/root/answers.yml', answers);
	return { host, deb: path };
}

async function tool(host: LabHost, args: readonly string[]) {
	return host.exec(['sysbox-setup', ...args], { reject: false, timeoutMs: 200_000 });
}

/** A container that must not notice anything. `sleep` as PID 1 ignores SIGTERM, so stops are told to kill. */
async function bystander(host: LabHost, name: string, more: readonly string[] = []): Promise<void> {
	await host.exec([
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
}

const pids = async (host: LabHost): Promise<string> =>
	(
		await host.exec([
			'sh',
			'-c',
			"docker ps -q --no-trunc | xargs docker inspect --format '{{.Name}} {{.State.Pid}} {{.State.StartedAt}}' | sort",
		])
	).stdout;

describe.skipIf(!lab.available)('on a host with limits (cgroup v1)', () => {
	let host: LabHost;
	let deb: string;
	let before: string;

	beforeAll(async () => {
		({ host, deb } = await freshHost('v1', 'runbook-v1'));
		await bystander(host, 'web', ['--restart', 'unless-stopped']);
		await bystander(host, 'database');
		before = await pids(host);
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});

	it('check tells that the host is ready, as an ordinary user and without leaving anything behind', async () => {
		// A package of its own: whether the internet can be reached from the lab is not for this test to say.
		const { path } = await host.putPackage('good', { directory: '/srv/packages' });
		await host.exec(['chmod', '-R', 'a+rX', '/srv/packages']);
		const check = ['sysbox-setup', 'check', '--deb', path, '--format', 'json'];
		const result = await host.exec(check, { reject: false, user: 'nobody' });
		expect(result.code, result.stdout + result.stderr).toBe(4);
		expect(last(events(result.stdout))).toMatchObject({ type: 'run.end', verdict: 'ready' });
		expect((await host.exec(['ls', state], { reject: false })).code).not.toBe(0);
	});

	it('plan shows the changes and makes none', async () => {
		const result = await tool(host, ['plan', '--answers', '/root/answers.yml', '--deb', deb]);
		expect(result.code, result.stdout + result.stderr).toBe(4);
		expect(result.stdout).toContain('sysbox-runc');
		expect((await host.readFile(daemonJson)).toString()).toBe(operatorsFile);
	});

	it('runs unattended from fresh to a record and ends 0', async () => {
		const result = await tool(host, runArgs(deb));
		const seen = events(result.stdout);
		expect(result.code, `${summary(seen)}\n${result.stderr}`).toBe(0);
		expect(last(seen)).toMatchObject({ type: 'run.end', exit: 0, changed: true });
	});

	it('leaves the containers that ran before untouched', async () => {
		expect(await pids(host)).toBe(before);
	});

	it('says in the record what Docker and a container say too', async () => {
		const record = (await host.readFile('/root/record.md')).toString();
		const runtimes = await host.exec(['docker', 'info', '--format', '{{json .Runtimes}}']);
		expect(Object.keys(JSON.parse(runtimes.stdout) as object)).toContain('sysbox-runc');
		const map = await host.exec([
			'docker',
			'run',
			'--rm',
			'--runtime=sysbox-runc',
			'lab/busybox:1',
			'cat',
			'/proc/self/uid_map',
		]);
		const start = /^\s*0\s+(\d+)\s+65536/.exec(map.stdout)?.[1];
		expect(start).toBeDefined();
		expect(record).toContain(start);
		// The lab has no CI of its own: nothing is called lowered.
		for (const threat of ['Privileged container escape', 'Host resource abuse', 'Docker daemon compromise'])
			expect(record).toMatch(
				new RegExp(`\\| ${threat} \\| – \\| (ready, no job uses Sysbox yet|\\*\\*High\\*\\*: No limit of processes)`),
			);
		expect(record).not.toContain('INCOMPLETE');
	});

	it('keeps every byte of the operator in daemon.json', async () => {
		const now = (await host.readFile(daemonJson)).toString();
		for (const line of operatorsFile.split('\n').filter(l => l.startsWith('\t')))
			expect(now).toContain(line.replace(/,$/, ''));
	});

	it('writes compose files that Docker Compose accepts', async () => {
		const files = await host.exec(['sh', '-c', 'ls /srv/ci']);
		const compose = files.stdout.split('\n').filter(name => /compose.*\.ya?ml$/.test(name));
		expect(compose.length).toBeGreaterThan(0);
		for (const file of compose) {
			const checked = await host.exec(['docker-compose', '-f', `/srv/ci/${file}`, 'config', '-q'], {
				reject: false,
				env: { JENKINS_AGENT_SECRET: 'given-by-the-operator' },
			});
			expect(checked.code, `${file}: ${checked.stderr}`).toBe(0);
		}
	});

	it('changes nothing the second time, and says so', async () => {
		const file = await host.readFile(daemonJson);
		const result = await tool(
			host,
			runArgs(deb).filter(word => word !== '--record' && word !== '/root/record.md'),
		);
		const seen = events(result.stdout);
		expect(result.code, `${summary(seen)}\n${result.stderr}`).toBe(0);
		expect(last(seen)).toMatchObject({ outcome: 'nothing-to-do', changed: false });
		expect(await host.readFile(daemonJson)).toEqual(file);
		expect(await pids(host)).toBe(before);
	});

	it('leaves no container, volume or image archive of a proof behind', async () => {
		expect((await host.exec(['docker', 'ps', '-aq', '--filter', 'label=io.sysbox-setup.run'])).stdout.trim()).toBe('');
		expect((await host.exec(['sh', '-c', `ls ${state}`])).stdout).not.toContain('proof-');
	});

	it('leaves a container with the host’s docker.sock to the operator: ends 4, whatever the probes say', async () => {
		onTestFinished(async () => void (await host.exec(['docker', 'rm', '-f', 'sneaky'])));
		await bystander(host, 'sneaky', ['-v', '/var/run/docker.sock:/var/run/docker.sock']);
		const result = await tool(host, [...runArgs(deb), '--record', '/root/record-sock.md']);
		const seen = events(result.stdout);
		expect(result.code, summary(seen)).toBe(4);
		expect(seen.filter(e => e.type === 'probe' && e.verdict === 'fail')).toEqual([]);
		const record = (await host.readFile('/root/record-sock.md')).toString();
		expect(record).toMatch(/\| Docker daemon compromise \| Critical \| \*\*still Critical\*\*: .*sneaky/);
	});

	it('is taken back: daemon.json byte for byte, the package gone, and Docker no longer knows the runtime', async () => {
		const result = await tool(host, ['revert', '--yes']);
		expect(result.code, result.stdout + result.stderr).toBe(0);
		expect((await host.readFile(daemonJson)).toString()).toBe(operatorsFile);
		const runtimes = await host.exec(['docker', 'info', '--format', '{{json .Runtimes}}']);
		expect(Object.keys(JSON.parse(runtimes.stdout) as object)).not.toContain('sysbox-runc');
		expect((await host.exec(['dpkg-query', '-W', 'sysbox-ce'], { reject: false })).stdout).not.toMatch(/sysbox-ce\s+0/);
		expect(await pids(host)).toBe(before);
		expect((await host.exec(['ls', '-A', '/srv/ci'])).stdout.trim()).toBe('');
	});
});

describe.skipIf(!lab.available)('on a host whose cgroups have no controllers (v2)', () => {
	let host: LabHost;
	let deb: string;
	beforeAll(async () => {
		({ host, deb } = await freshHost('v2', 'runbook-v2'));
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});

	it('ends 5, with exactly the limit probes undecided', async () => {
		const result = await tool(host, runArgs(deb));
		const seen = events(result.stdout);
		expect(result.code, `${summary(seen)}\n${result.stderr}`).toBe(5);
		const undecided = seen.filter(e => e.type === 'probe' && e.verdict === 'could-not-tell').map(e => e.id);
		expect(undecided.length).toBeGreaterThan(0);
		expect(
			undecided.every(id => id?.startsWith('security.limit-')),
			summary(seen),
		).toBe(true);
		expect(
			seen
				.filter(e => e.type === 'probe' && e.id?.startsWith('security.limit-'))
				.every(e => e.verdict === 'could-not-tell'),
		).toBe(true);
		expect(seen.filter(e => e.type === 'probe' && e.verdict === 'fail')).toEqual([]);
		const record = (await host.readFile('/root/record.md')).toString();
		expect(record).toMatch(/\| Host resource abuse \| (High|–) \| (not proved|\*\*still High)/);
		expect(record).toContain('| Privileged container escape | – | ready, no job uses Sysbox yet');
	});
});

describe.skipIf(!lab.available)('killed during each step', () => {
	let host: LabHost;
	let deb: string;
	beforeAll(async () => {
		({ host, deb } = await freshHost('v1', 'runbook-kill'));
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});

	// Once a step, on one host: each start finds what the last one left, goes on, and is killed one step later.
	it.each(['host', 'sysbox', 'daemon', 'docker', 'ci', 'functional', 'security', 'record'])(
		'with kill -9 in step %s, the next run goes on',
		async step => {
			let killed = false;
			const child = host.spawn(['sysbox-setup', ...runArgs(deb)], {
				timeoutMs: 120_000,
				onStdoutLine(line) {
					if (killed || line === '') return;
					const event = JSON.parse(line) as Event;
					// Within the step's work where it has some: an intent is on disk and the change is under way.
					const inside =
						event.step === step &&
						[
							'action.intent',
							'probe.start',
							...(['host', 'daemon', 'docker'].includes(step) ? ['findings'] : []),
							...(step === 'record' ? ['step.start'] : []),
						].includes(event.type);
					if (!inside) return;
					killed = true;
					// The last step is over in milliseconds: the run may have ended before the signal arrives.
					child.kill('SIGKILL').catch(() => undefined);
				},
			});
			const ended = await child.done;
			if (step !== 'host') expect(events(ended.stdout.replace(/[^\n]*$/, ''))[0]?.type).toBe('run.resume');
			expect(
				killed,
				`step ${step} had nothing to be killed in: ${summary(events(ended.stdout.replace(/[^\n]*$/, '')))} ${ended.stderr}`,
			).toBe(true);
		},
	);

	it('and reaches the end that it would have reached', async () => {
		const result = await tool(host, runArgs(deb));
		const seen = events(result.stdout);
		expect(result.code, `${summary(seen)}\n${result.stderr}`).toBe(0);
		const record = (await host.readFile('/root/record.md')).toString();
		expect(record).toContain('| Privileged container escape | – | ready, no job uses Sysbox yet');
		expect((await host.exec(['docker', 'ps', '-aq', '--filter', 'label=io.sysbox-setup.run'])).stdout.trim()).toBe('');
	});

	it('can be taken back as a whole', async () => {
		const result = await tool(host, ['revert', '--yes']);
		expect(result.code, result.stdout + result.stderr).toBe(0);
		expect((await host.readFile(daemonJson)).toString()).toBe(operatorsFile);
	});
});

describe.skipIf(!lab.available)('a runtime that lies', () => {
	let host: LabHost;
	beforeAll(async () => {
		({ host } = await freshHost('v1', 'runbook-lying'));
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});

	it('answers --version but runs plain runc: ends 1, and no threat is called Low', async () => {
		const { path } = await host.putPackage('lying');
		const result = await tool(host, runArgs(path));
		const seen = events(result.stdout);
		expect(result.code, `${summary(seen)}\n${result.stderr}`).toBe(1);
		const record = (await host.readFile('/root/record.md')).toString();
		expect(record).toContain('INCOMPLETE');
		expect(record).not.toMatch(/\| (Critical|High|–) \| (Low|Medium)\b/);
	});
});
