import { describe, expect, test } from 'vitest';
import { threatIds } from '../../src/model/finding.ts';
import type { ProbeHost } from '../../src/model/probe.ts';
import type { ExecResult } from '../../src/port/host.ts';
import { judge, missingTool, type Tried } from '../../src/probe/attempt.ts';
import { longName } from '../../src/probe/images.ts';
import { imageProblem, workload } from '../../src/probe/workload.ts';
import { cpuQuota } from '../../steps/security/cpu-quota.ts';
import { security } from '../../steps/security/step.ts';
import { judgeContext, probesOf, prove, simulated } from '../probe/run-proof.ts';

const answers = { 'ci.image': 'docker:29-dind', 'ci.memory': '4g', 'ci.cpus': 2, 'ci.pids': 4096 };

const ids = [
	'security.user-namespace',
	'security.host-pid',
	'security.host-network',
	'security.host-ipc',
	'security.block-device',
	'security.kernel-setting',
	'security.kernel-module',
	'security.kernel-log',
	'security.host-process',
	'security.mount-kernel-fs',
	'security.docker-socket',
	'security.limit-memory',
	'security.limit-processes',
	'security.limit-cpu',
];

const result = (over: Partial<ExecResult> = {}): ExecResult => ({
	code: 0,
	stdout: '',
	stderr: '',
	elapsedMs: 1,
	...over,
});
const tried = (outcome: Tried['outcome']): Tried => ({ outcome, what: `came out ${outcome}`, evidence: [] });

describe('the rules of a verdict', () => {
	const held = {
		tried: tried('denied'),
		changed: [],
		confined: 'yes' as const,
		control: tried('succeeded'),
		controlChanged: [],
		expectation: 'It is denied.',
		idMap: '0 165536 65536',
	};

	test('a denied attempt with a control that succeeded passes', () => {
		expect(judge(held).verdict).toBe('pass');
	});
	test.each([
		['the host changed', { changed: ['core_pattern was "core" and is "x"'] }, 'fail', 'core_pattern'],
		['the attempt succeeded', { tried: tried('succeeded') }, 'fail', 'came out succeeded'],
		['the attempt is unclear', { tried: tried('unclear') }, 'could-not-tell', 'came out unclear'],
		['there is no user namespace', { confined: 'no' }, 'could-not-tell', 'no user namespace of its own'],
		['the host does not show the user namespace', { confined: 'unknown' }, 'could-not-tell', 'does not show'],
		['the control was denied', { control: tried('denied') }, 'could-not-tell', 'the denial proves nothing'],
		['the control is unclear', { control: tried('unclear') }, 'could-not-tell', 'the denial proves nothing'],
		['there is no control', { control: undefined }, 'could-not-tell', 'control was left out'],
		['the host changed with the control', { controlChanged: ['hostname'] }, 'could-not-tell', 'while the control ran'],
	] as const)('%s: %j', (_, over, verdict, because) => {
		const judged = judge({ ...held, ...over });
		expect(judged.verdict).toBe(verdict);
		expect(judged.because).toContain(because);
	});
	test('a change of the host outweighs everything', () => {
		expect(judge({ ...held, tried: tried('unclear'), changed: ['hostname'], confined: 'no' }).verdict).toBe('fail');
	});
});

describe('on a host that is set up', () => {
	test('every probe passes, and nothing is left behind', async () => {
		const host = await simulated();
		const before = host.state().docker.engine.containers.length;
		const proved = await prove(security, host, { answers });
		expect(proved.verdicts).toEqual(ids.map(id => `${id} pass`));
		expect(proved.leftOut).toEqual([]);
		expect(proved.left).toEqual([]);
		expect(host.state().docker.engine.containers).toHaveLength(before);
	});

	test('every probe has a control and evidence of both, and names a known threat', async () => {
		const host = await simulated();
		const context = judgeContext({ answers });
		if (security.kind !== 'proof') throw new Error('security proves nothing');
		const facts = await security.inspect({ ...context, host, signal: new AbortController().signal });
		const { probes } = security.probes(facts, context);
		const through = probesOf(host);
		for (const probe of probes) {
			expect(probe.control, probe.id).toBeTruthy();
			expect(probe.threats.length, probe.id).toBeGreaterThan(0);
			const { evidence } = await probe.run(through);
			expect(evidence.length, probe.id).toBeGreaterThanOrEqual(2);
		}
		expect(new Set(probes.flatMap(p => p.threats))).toEqual(new Set(threatIds));
	});

	test('the attempts are made with the options of the configured job, the controls in plain containers', async () => {
		const host = await simulated();
		const commands: string[] = [];
		await prove(security, host, { answers, emitCommand: argv => commands.push(argv.join(' ')) });
		const runs = commands.filter(c => c.startsWith('docker run'));
		const workloads = runs.filter(c => c.includes('--runtime=sysbox-runc'));
		expect(workloads.length).toBeGreaterThanOrEqual(9);
		for (const line of workloads) {
			if (!line.includes('--memory=64m'))
				expect(line.includes('--memory=4g') || line.includes(' dd ') || line.includes('--entrypoint=dd')).toBe(true);
			expect(line).not.toMatch(/--cap-add|--privileged|--security-opt/);
		}
		for (const line of runs) {
			expect(line).toContain('--label=io.sysbox-setup.run=run-1');
			expect(line).toContain('--pull=never');
			expect(line).not.toContain('--privileged');
			expect(line).not.toContain('--cap-add=ALL');
		}
		const plain = runs.filter(c => c.includes('--runtime=runc'));
		expect(plain.filter(c => !c.includes('--network=none')).map(c => /--network=\S+/.exec(c)?.[0])).toEqual([
			'--network=host',
		]);
	});

	test('an id map with a line that is not understood proves nothing: that line may be the one that maps root', async () => {
		const wrap = (probes: ProbeHost): ProbeHost => ({
			...probes,
			readText: async path =>
				path.endsWith('/uid_map') ? '         0     165536      65536\n65536 0 ?\n' : probes.readText(path),
		});
		const { results } = await prove(security, await simulated(), { answers, wrap });
		expect(Object.values(results).map(r => r.verdict)).not.toContain('pass');
		expect(results['security.user-namespace']?.verdict).toBe('could-not-tell');
		expect(results['security.user-namespace']?.because).toContain('three numbers a line');
	});

	test('the kernel log is not quoted', async () => {
		const { results } = await prove(security, await simulated(), { answers });
		expect(JSON.stringify(results['security.kernel-log'])).not.toMatch(/\[ *\d+\.\d+\]/);
	});
});

describe('on hosts with something wrong', () => {
	test('under a runtime that only calls itself sysbox-runc no probe passes', async () => {
		const { results } = await prove(security, await simulated('already-set-up', [{ name: 'lying-runtime' }]), {
			answers,
		});
		expect(Object.values(results).map(r => r.verdict)).not.toContain('pass');
		expect(results['security.user-namespace']?.verdict).toBe('fail');
		expect(results['security.block-device']?.verdict).toBe('fail');
		// Plain runc enforces limits as well, so that the denial alone would look like a proof.
		expect(results['security.limit-memory']?.verdict).toBe('could-not-tell');
	});

	test('under a runtime that starts nothing every probe could not tell, in the words of docker', async () => {
		const { results } = await prove(security, await simulated('already-set-up', [{ name: 'broken-runtime' }]), {
			answers,
		});
		expect(new Set(Object.values(results).map(r => r.verdict))).toEqual(new Set(['could-not-tell']));
		expect(results['security.kernel-log']?.because).toContain('OCI runtime create failed');
	});

	test('without cgroup controllers exactly the limits could not be told', async () => {
		const host = await simulated('already-set-up', [{ name: 'no-cgroup-controllers' }]);
		const { verdicts } = await prove(security, host, { answers });
		expect(verdicts).toEqual(ids.map(id => `${id} ${id.startsWith('security.limit-') ? 'could-not-tell' : 'pass'}`));
	});

	test('without disks and modules these probes are left out', async () => {
		const host = await simulated();
		const without = new Set(['/proc/modules', '/proc/partitions', '/proc/filesystems']);
		const blind: typeof host = {
			...host,
			stat: path => (without.has(path) ? Promise.resolve({ kind: 'missing' }) : host.stat(path)),
			readFile: (path, options) =>
				without.has(path) ? Promise.resolve({ kind: 'missing' }) : host.readFile(path, options),
		};
		const { leftOut, verdicts } = await prove(security, blind, { answers });
		expect(leftOut).toEqual(['security.block-device', 'security.kernel-module', 'security.mount-kernel-fs']);
		expect(verdicts).toHaveLength(ids.length - 3);
	});

	test('a control that fails makes the proof worthless', async () => {
		const wrap = (host: ProbeHost): ProbeHost => ({
			...host,
			runToEnd: async (spec, timeoutMs) =>
				spec.runtime === undefined
					? { result: result({ code: 125, stderr: 'docker: permission denied' }), command: 'docker run' }
					: host.runToEnd(spec, timeoutMs),
		});
		const { results } = await prove(security, await simulated(), { answers, wrap });
		const plain = ids.filter(id => !id.startsWith('security.limit-'));
		for (const id of plain) {
			expect(results[id]?.verdict, id).toBe('could-not-tell');
			expect(results[id]?.because, id).toContain('its control');
		}
	});

	test('a host that is not as it was before fails the probe, whatever the attempt said', async () => {
		let asked = 0;
		const wrap = (host: ProbeHost): ProbeHost => ({
			...host,
			readText: async path => {
				if (path !== '/proc/sys/kernel/core_pattern') return host.readText(path);
				asked += 1;
				return asked > 1 ? '|/tmp/evil' : 'core';
			},
		});
		const { results } = await prove(security, await simulated(), { answers, wrap });
		expect(Object.values(results).find(r => r.verdict === 'fail')?.because).toMatch(
			/core_pattern was "core" and is "\|\/tmp\/evil"/,
		);
	});

	test('a tool that the image does not have is named', async () => {
		const wrap = (host: ProbeHost): ProbeHost => ({
			...host,
			start: async (key, spec, timeoutMs) => {
				const started = await host.start(key, spec, timeoutMs);
				if (started.kind === 'refused') return started;
				const missing = result({
					code: 127,
					stderr:
						'OCI runtime exec failed: exec failed: unable to start container process: exec: "dmesg": executable file not found in $PATH: unknown',
				});
				return {
					...started,
					container: {
						...started.container,
						exec: (argv, o) => (argv[0] === 'dmesg' ? Promise.resolve(missing) : started.container.exec(argv, o)),
					},
				};
			},
		});
		const { results } = await prove(security, await simulated(), { answers, wrap });
		expect(results['security.kernel-log']).toMatchObject({
			verdict: 'could-not-tell',
			because: expect.stringContaining('has no dmesg'),
		});
	});

	test.each([
		[
			'cannot be read',
			result({ code: 3, stderr: "cat: can't open '/proc/sys/kernel/core_pattern': Permission denied" }),
		],
		['reads as nothing', result({ code: 3 })],
	])('a setting of the kernel that %s is not written, and proves nothing', async (_, said) => {
		const wrap = (host: ProbeHost): ProbeHost => ({
			...host,
			start: async (key, spec, timeoutMs) => {
				const started = await host.start(key, spec, timeoutMs);
				if (started.kind === 'refused') return started;
				const exec: typeof started.container.exec = (argv, o) =>
					argv[2]?.includes('core_pattern') === true ? Promise.resolve(said) : started.container.exec(argv, o);
				return { ...started, container: { ...started.container, exec } };
			},
		});
		const { results } = await prove(security, await simulated(), { answers, wrap });
		expect(results['security.kernel-setting']).toMatchObject({
			verdict: 'could-not-tell',
			because: expect.stringContaining('was not made: /proc/sys/kernel/core_pattern could not be read'),
		});
	});

	test.each([
		['lost once by Docker', [result()], 'pass', 2],
		['lost twice', [result(), result()], 'could-not-tell', 2],
		['not there by the deadline', [result({ code: null, problem: 'timeout' })], 'could-not-tell', 1],
	] as const)('an answer that is %s', async (_, answered, verdict, asked) => {
		const said: ExecResult[] = [...answered];
		let times = 0;
		const wrap = (host: ProbeHost): ProbeHost => ({
			...host,
			start: async (key, spec, timeoutMs) => {
				const started = await host.start(key, spec, timeoutMs);
				if (started.kind === 'refused') return started;
				const exec: typeof started.container.exec = (argv, o) => {
					if (argv[1] !== '/proc/self/uid_map') return started.container.exec(argv, o);
					times += 1;
					return Promise.resolve(said.shift()).then(answer => answer ?? started.container.exec(argv, o));
				};
				return { ...started, container: { ...started.container, exec } };
			},
		});
		const { results } = await prove(security, await simulated(), { answers, wrap });
		expect(results['security.user-namespace']?.verdict).toBe(verdict);
		expect(times).toBe(asked);
		const shown = results['security.user-namespace']?.evidence.filter(({ what }) => what.includes('docker exec'));
		expect(shown).toHaveLength(asked);
	});

	test('a process of the container that happens to have our number is not ours', async () => {
		const wrap = (host: ProbeHost): ProbeHost => ({ ...host, ownPid: 1 });
		const { results } = await prove(security, await simulated(), { answers, wrap });
		expect(results['security.host-process']?.because).toContain('only a process of its own under that number');
	});

	test("a job with the host's socket mounted fails the probe of the daemon", async () => {
		const host = await simulated();
		const hostId = host.state().docker.engine.id;
		const wrap = (probes: ProbeHost): ProbeHost => ({
			...probes,
			start: async (key, spec, timeoutMs) => {
				const started = await probes.start(key, spec, timeoutMs);
				if (started.kind === 'refused') return started;
				const exec: typeof started.container.exec = (argv, o) =>
					argv[0] === 'docker' ? Promise.resolve(result({ stdout: `${hostId}\n` })) : started.container.exec(argv, o);
				return { ...started, container: { ...started.container, exec } };
			},
		});
		const { results } = await prove(security, host, { answers, wrap });
		expect(results['security.docker-socket']).toMatchObject({ verdict: 'fail' });
	});
});

describe('the plan and the findings', () => {
	const look = async (options: Parameters<typeof prove>[2], host: Awaited<ReturnType<typeof simulated>>) => {
		if (security.kind !== 'proof') throw new Error('security proves nothing');
		const context = judgeContext(options);
		const facts = await security.inspect({ ...context, host, signal: new AbortController().signal });
		return { findings: security.judge(facts, context), plan: security.plan(facts, context) };
	};

	test('nothing is planned when the image is there, by any of its names', async () => {
		for (const image of ['docker:29-dind', 'docker.io/library/docker:29-dind']) {
			const { plan, findings } = await look({ answers: { ...answers, 'ci.image': image } }, await simulated());
			expect(plan.actions).toEqual([]);
			expect(findings.filter(f => f.severity === 'block')).toEqual([]);
		}
	});

	test('a missing image is pulled, with an undo', async () => {
		const { plan } = await look({ answers: { ...answers, 'ci.image': 'alpine:3' } }, await simulated());
		expect(plan.actions).toMatchObject([
			{
				kind: 'exec',
				argv: ['docker', 'pull', 'alpine:3'],
				undo: { kind: 'commands', commands: [{ argv: ['docker', 'image', 'rm', 'alpine:3'] }] },
			},
		]);
	});

	test('with an archive that is not there nothing is pulled and the run is told so', async () => {
		const { plan, findings } = await look(
			{ answers: { ...answers, 'ci.image': 'alpine:3' }, imageArchives: ['/root/none.tar'] },
			await simulated(),
		);
		expect(plan.actions).toEqual([]);
		expect(findings.filter(f => f.severity === 'block').map(f => f.id)).toContain('input.image-archive');
	});

	test('without the runtime the step is blocked', async () => {
		const { findings } = await look({ answers }, await simulated('fresh-ubuntu'));
		expect(findings.find(f => f.id === 'security.runtime')?.severity).toBe('block');
	});

	test('limits that the host cannot enforce are said, and keep their row of the threat table', async () => {
		const { findings } = await look(
			{ answers },
			await simulated('already-set-up', [{ name: 'no-cgroup-controllers' }]),
		);
		expect(findings.find(f => f.id === 'security.unenforceable-limits')).toMatchObject({
			severity: 'warn',
			threat: 'resource-abuse',
		});
	});
});

describe('small parts', () => {
	test.each([
		['busybox', 'docker.io/library/busybox:latest'],
		['docker:29-dind', 'docker.io/library/docker:29-dind'],
		['lab/ci:1', 'docker.io/lab/ci:1'],
		['docker.io/library/busybox', 'docker.io/library/busybox:latest'],
		['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
		['registry.example/ci', 'registry.example/ci:latest'],
		['registry:2@sha256:ab', 'docker.io/library/registry@sha256:ab'],
	])('%s is %s', (short, long) => {
		expect(longName(short)).toBe(long);
	});

	test.each(['--privileged', '-v/:/host', '', 'a b', 'a;b'])('%j is no image', name => {
		expect(imageProblem(name)).toBeDefined();
	});

	test.each([
		['OCI runtime exec failed: exec: "insmod": executable file not found in $PATH', 'insmod'],
		[
			'docker: Error response from daemon: … exec: "/bin/dmesg": stat /bin/dmesg: no such file or directory',
			'/bin/dmesg',
		],
		['sh: sleep: not found', 'sleep'],
		['sh: 1: sleep: not found', 'sleep'],
		['bash: line 1: sleep: command not found', 'sleep'],
	])('%s', (stderr, tool) => {
		expect(missingTool(result({ code: 127, stderr }))).toBe(tool);
		expect(missingTool(result({ code: 1, stderr }))).toBeUndefined();
	});

	test('a limit without its controller is no option: docker would refuse the container', async () => {
		if (security.kind !== 'proof') throw new Error('security proves nothing');
		const { inspectDocker } = await import('../../src/docker/daemon.ts');
		const host = await simulated('already-set-up', [{ name: 'no-cgroup-controllers' }]);
		const docker = await inspectDocker(host, new AbortController().signal);
		expect(workload(answers, docker)).toEqual({
			image: 'docker:29-dind',
			options: [],
			unenforceable: ['--memory=4g', '--cpus=2', '--pids-limit=4096'],
		});
	});

	const files = (entries: Record<string, string>) => (path: string) => Promise.resolve(entries[path]);

	test('the quota is that of the group above the container, with cgroup v2', async () => {
		const scope = '/sys/fs/cgroup/system.slice/docker-ab.scope';
		const quota = await cpuQuota(
			7,
			files({
				'/proc/7/cgroup': '0::/system.slice/docker-ab.scope/syscont-cgroup-root/init.scope\n',
				[`${scope}/syscont-cgroup-root/cpu.max`]: 'max 100000\n',
				[`${scope}/cpu.max`]: '50000 100000\n',
				'/sys/fs/cgroup/system.slice/cpu.max': 'max 100000\n',
			}),
		);
		expect(quota).toMatchObject({ kind: 'limited', cpus: 0.5, file: `${scope}/cpu.max` });
	});

	test('the quota is that of the group above the container, with cgroup v1', async () => {
		const group = '/sys/fs/cgroup/cpu/docker/ab';
		const quota = await cpuQuota(
			7,
			files({
				'/proc/7/cgroup': '4:memory:/docker/ab\n1:cpu:/docker/ab/syscont-cgroup-root\n0::/init.scope\n',
				[`${group}/syscont-cgroup-root/cpu.cfs_quota_us`]: '-1\n',
				[`${group}/syscont-cgroup-root/cpu.cfs_period_us`]: '100000\n',
				[`${group}/cpu.cfs_quota_us`]: '50000\n',
				[`${group}/cpu.cfs_period_us`]: '100000\n',
			}),
		);
		expect(quota).toMatchObject({ kind: 'limited', cpus: 0.5, file: `${group}/cpu.cfs_quota_us` });
	});

	test.each([
		['no membership', {}],
		['another cgroup namespace', { '/proc/7/cgroup': '0::/../../x\n' }],
		['no file', { '/proc/7/cgroup': '0::/x\n' }],
	])('%s is not taken for "unlimited"', async (_, entries) => {
		expect((await cpuQuota(7, files(entries as Record<string, string>))).kind).toBe('unreadable');
	});
});
