import { describe, expect, test } from 'vitest';
import type { ImpactContainer } from '../../src/model/impact.ts';
import type { ProbeContainer, ProbeHost } from '../../src/model/probe.ts';
import { initialState, type RunState } from '../../src/model/state.ts';
import type { ExecResult } from '../../src/port/host.ts';
import { put } from '../../src/simulation/file-tree.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { functionalStep } from '../../steps/functional/step.ts';
import { judgeContext, prove, simulated } from '../probe/run-proof.ts';

const answers = {
	'ci.image': 'docker:29-dind',
	'ci.memory': '4g',
	'ci.cpus': 2,
	'ci.pids': 4096,
	'functional.registry-image': 'registry:2',
};

const ids = [
	'functional.uid-map',
	'functional.inner-dockerd',
	'functional.inner-build',
	'functional.inner-run',
	'functional.inner-registry',
	'functional.plain-runtime',
];

const result = (over: Partial<ExecResult> = {}): ExecResult => ({
	code: 0,
	stdout: '',
	stderr: '',
	elapsedMs: 1,
	...over,
});

/** The probes' own containers, with other answers to some commands. */
const inside =
	(instead: (argv: readonly string[]) => ExecResult | undefined) =>
	(host: ProbeHost): ProbeHost => ({
		...host,
		start: async (key, spec, timeoutMs) => {
			const started = await host.start(key, spec, timeoutMs);
			if (started.kind === 'refused') return started;
			const exec: ProbeContainer['exec'] = async (argv, options) =>
				instead(argv) ?? started.container.exec(argv, options);
			return { ...started, container: { ...started.container, exec } };
		},
	});

/** A run's state in which these containers were noted at its beginning. */
function noted(host: SimulatedHost, change: { readonly pid?: number } = {}): RunState {
	const value = host.state().docker.engine.containers.map(c => ({
		id: c.id,
		name: c.name,
		pid: change.pid ?? c.pid,
		running: c.status === 'running',
	}));
	const seen = { at: '', value };
	return { ...initialState, observed: { containers: { first: seen, beforeChanges: seen, last: seen } } };
}

/** The same after a restart of Docker that this was agreed to for all of them. */
const agreedTo = (
	state: RunState,
	host: SimulatedHost,
	impact: Pick<ImpactContainer, 'fate' | 'startedAgain'>,
): RunState => ({
	...state,
	agreed: [
		{
			step: 'docker',
			seq: 1,
			containers: host.state().docker.engine.containers.map(({ id, name }) => ({
				id,
				name,
				image: '',
				restartPolicy: 'no',
				startedAt: '',
				...impact,
			})),
		},
	],
	actions: [
		{
			step: 'docker',
			id: 'restart',
			seq: 2,
			at: '',
			title: '',
			kind: 'exec',
			does: '',
			undo: { kind: 'none', why: '' },
			outcome: 'done',
			tail: [],
		},
	],
});

describe('on a host that is set up', () => {
	test('every probe passes, and nothing is left behind', async () => {
		const host = await simulated();
		const before = host.state().docker.engine.containers.map(c => c.id);
		const proved = await prove(functionalStep, host, { answers, state: noted(host) });
		expect(proved.verdicts).toEqual([...ids, 'regression.running-containers'].map(id => `${id} pass`));
		expect(proved.left).toEqual([]);
		expect(host.state().docker.engine.containers.map(c => c.id)).toEqual(before);
	});

	test('nothing inside is asked of a registry of the internet', async () => {
		const host = await simulated();
		const commands: string[] = [];
		await prove(functionalStep, host, { answers, emitCommand: argv => commands.push(argv.join(' ')) });
		const inner = commands.filter(c => c.includes(' docker --host=unix:///var/run/docker.sock '));
		expect(inner.length).toBeGreaterThan(8);
		for (const line of inner.filter(c => / (?:push|pull|tag|run) /.test(c))) expect(line).toContain('localhost:5000/');
		for (const line of inner.filter(c => / run /.test(c))) expect(line).toContain('--pull=never');
	});

	test('the engine inside listens on its own socket alone, and nothing is privileged', async () => {
		const commands: string[] = [];
		await prove(functionalStep, await simulated(), { answers, emitCommand: argv => commands.push(argv.join(' ')) });
		const engine = commands.find(
			c => c.startsWith('docker run') && c.endsWith('docker:29-dind dockerd --host=unix:///var/run/docker.sock'),
		);
		expect(engine).toContain('--runtime=sysbox-runc --memory=4g --cpus=2 --pids-limit=4096');
		expect(commands.filter(c => /--privileged|docker\.sock:|--volume/.test(c) && !c.startsWith('docker rm'))).toEqual(
			[],
		);
	});
});

describe('on hosts with something wrong', () => {
	test('under a runtime that only calls itself sysbox-runc, root is root', async () => {
		const host = await simulated('already-set-up', [{ name: 'lying-runtime' }]);
		const { results } = await prove(functionalStep, host, { answers });
		expect(results['functional.uid-map']).toMatchObject({
			verdict: 'fail',
			because: expect.stringContaining('root on the host'),
		});
		expect(results['functional.inner-dockerd']?.verdict).toBe('fail');
		expect(results['functional.plain-runtime']?.verdict).toBe('pass');
	});

	test('under a runtime that starts nothing, what rests on the engine could not be told', async () => {
		const host = await simulated('already-set-up', [{ name: 'broken-runtime' }]);
		const { results } = await prove(functionalStep, host, { answers });
		expect(results['functional.inner-dockerd']).toMatchObject({
			verdict: 'fail',
			because: expect.stringContaining('OCI runtime create failed'),
		});
		for (const id of ['functional.inner-build', 'functional.inner-run', 'functional.inner-registry']) {
			expect(results[id], id).toMatchObject({
				verdict: 'could-not-tell',
				because: expect.stringContaining('the inner engine did not start'),
			});
		}
	});

	test('without an image from the build, what rests on it could not be told', async () => {
		const wrap = inside(argv =>
			argv.includes('build') ? result({ code: 1, stderr: 'ERROR: failed to solve' }) : undefined,
		);
		const { results } = await prove(functionalStep, await simulated(), { answers, wrap });
		expect(results['functional.inner-build']).toMatchObject({
			verdict: 'fail',
			because: expect.stringContaining('failed to solve'),
		});
		expect(results['functional.inner-run']?.verdict).toBe('could-not-tell');
		expect(results['functional.inner-registry']?.verdict).toBe('could-not-tell');
	});

	test('an engine that answers late is waited for, and no second one is started', async () => {
		let asked = 0;
		const commands: string[] = [];
		const wrap = inside(argv =>
			argv.includes('version') && ++asked < 40
				? result({ code: 1, stderr: 'Cannot connect to the Docker daemon' })
				: undefined,
		);
		const { results } = await prove(functionalStep, await simulated(), {
			answers,
			wrap,
			emitCommand: argv => commands.push(argv.join(' ')),
		});
		expect(results['functional.inner-dockerd']?.verdict).toBe('pass');
		expect(commands.filter(c => c.includes('sh -c'))).toEqual([]);
	});

	test('an engine that dies is told at once, in its own words, and is not started again', async () => {
		const died = 'time="2026-11-24T02:24:12Z" level=error msg="x"\nfailed to start daemon: iptables failed';
		const keys: string[] = [];
		const wrap = (host: ProbeHost): ProbeHost => ({
			...host,
			start: async (key, spec, timeoutMs) => {
				keys.push(key);
				if (spec.command[0] === 'dockerd') return { kind: 'refused', result: result({ code: 1, stderr: died }) };
				return host.start(key, spec, timeoutMs);
			},
		});
		const { results } = await prove(functionalStep, await simulated(), { answers, wrap });
		expect(results['functional.inner-dockerd']).toMatchObject({
			verdict: 'fail',
			evidence: [{ said: expect.stringContaining('iptables failed') }],
		});
		expect(keys).toEqual(['uid-map', 'engine']);
	});

	test('an image that starts no engine for these words is entered', async () => {
		const refuse = (host: ProbeHost): ProbeHost => ({
			...host,
			start: async (key, spec, timeoutMs) =>
				spec.command[0] === 'dockerd'
					? { kind: 'refused', result: result({ code: 127, stderr: 'unknown command' }) }
					: host.start(key, spec, timeoutMs),
		});
		const { results } = await prove(functionalStep, await simulated(), { answers, wrap: refuse });
		expect(results['functional.inner-dockerd']).toMatchObject({
			verdict: 'pass',
			because: expect.stringContaining('was started in the container'),
		});
	});

	test('a map outside of the range of sysbox fails', async () => {
		const host = await simulated('already-set-up', [], state => {
			for (const file of ['/etc/subuid', '/etc/subgid']) put(state.files, file, 'sysbox:500000:65536\n');
		});
		const wrap = (probes: ProbeHost): ProbeHost => ({
			...probes,
			readText: async path =>
				path.endsWith('/uid_map') ? '         0     100000      65536\n' : probes.readText(path),
		});
		const { results } = await prove(functionalStep, host, { answers, wrap });
		expect(results['functional.uid-map']?.verdict).toBe('fail');
	});

	test('a map that cannot be read whole could not be told', async () => {
		const wrap = (probes: ProbeHost): ProbeHost => ({
			...probes,
			readText: async path => (path.endsWith('/uid_map') ? '0 100000 65536\n65536 0\n' : probes.readText(path)),
		});
		const { results } = await prove(functionalStep, await simulated(), { answers, wrap });
		expect(results['functional.uid-map']?.verdict).toBe('could-not-tell');
	});
});

describe('a known issue', () => {
	const inBuild = (stderr: string) =>
		inside(argv => (argv.includes('build') ? result({ code: 1, stderr }) : undefined));
	const words = 'runc create failed: unsafe procfs detected: openat2 /proc/x: invalid cross-device link';

	test('is named by its words, where the version that is installed has it', async () => {
		const { results } = await prove(functionalStep, await simulated('docker-29-time-namespace'), { answers });
		expect(results['functional.uid-map']).toMatchObject({
			verdict: 'fail',
			because: expect.stringContaining('Known issue time-namespace: '),
			next: [expect.stringContaining('Upgrade Sysbox')],
		});
	});

	test.each([
		['of another version of Sysbox', 'already-set-up', words],
		['with other words', 'outdated-sysbox', 'unsafe procfs detected: openat2 fsmount:x: operation not permitted'],
	] as const)('%s is none', async (_, scenario, said) => {
		const { results } = await prove(functionalStep, await simulated(scenario), { answers, wrap: inBuild(said) });
		const probe = results['functional.inner-build'];
		if (probe?.verdict === 'fail') expect(probe.because).toContain(said);
		expect(probe?.because).not.toContain('Known issue');
		expect(probe?.next).toBeUndefined();
	});
});

describe('what ran before', () => {
	const verdict = async (host: SimulatedHost, state: RunState) =>
		(await prove(functionalStep, host, { answers, state })).results['regression.running-containers'];

	test('is left out where the run did not note it', async () => {
		const { leftOut } = await prove(functionalStep, await simulated(), { answers });
		expect(leftOut).toEqual(['regression.running-containers']);
	});

	test('a container with another process id fails', async () => {
		const host = await simulated();
		const found = await verdict(host, noted(host, { pid: 1 }));
		expect(found).toMatchObject({ verdict: 'fail', because: expect.stringContaining('was restarted') });
	});

	test('with the restart agreed to, another process id is what was agreed to', async () => {
		const host = await simulated();
		const found = await verdict(host, agreedTo(noted(host, { pid: 1 }), host, { fate: 'comes-back' }));
		expect(found).toMatchObject({ verdict: 'pass', because: expect.stringContaining('restarted, as you agreed: ') });
	});

	test('of a container that was to keep running, another process id was not agreed to', async () => {
		const host = await simulated();
		const found = await verdict(host, agreedTo(noted(host, { pid: 1 }), host, { fate: 'keeps-running' }));
		expect(found).toMatchObject({ verdict: 'fail', because: expect.stringContaining('was restarted (pid 1 then') });
	});

	test('a consent under which nothing was done excuses nothing', async () => {
		const host = await simulated();
		const agreed = agreedTo(noted(host, { pid: 1 }), host, { fate: 'comes-back' });
		for (const actions of [[], agreed.actions.map(action => ({ ...action, outcome: 'refused' as const }))])
			expect(await verdict(host, { ...agreed, actions })).toMatchObject({ verdict: 'fail' });
	});

	test.each([
		['comes back by its policy', { fate: 'comes-back' }, 'fail', 'did not come back'],
		['was to be started again', { fate: 'does-not-come-back', startedAgain: true }, 'fail', 'did not come back'],
		['was left out on purpose', { fate: 'does-not-come-back' }, 'pass', 'stopped, as you agreed: '],
		['was to be removed', { fate: 'is-removed' }, 'pass', 'stopped, as you agreed: '],
	] as const)('after the agreed restart one is down that %s', async (_, impact, expected, because) => {
		const host = await simulated();
		const state = noted(host);
		const running = host.state().docker.engine.containers.find(c => c.status === 'running');
		if (running === undefined) throw new Error('nothing runs there');
		const agreed = agreedTo(state, host, impact);
		await host.run(['docker', 'stop', running.id], { timeoutMs: 60_000 });
		const found = await verdict(host, agreed);
		expect(found).toMatchObject({ verdict: expected, because: expect.stringContaining(because) });
		expect(found?.because).toContain(running.name);
	});

	test('a job that ended by itself is named and does not count', async () => {
		const host = await simulated();
		const state = noted(host);
		const running = host.state().docker.engine.containers.find(c => c.status === 'running');
		await host.run(['docker', 'rm', '--force', running?.id ?? ''], { timeoutMs: 60_000 });
		expect(await verdict(host, state)).toMatchObject({
			verdict: 'pass',
			because: expect.stringContaining('ended since'),
		});
	});
});

describe('the plan', () => {
	const planOn = async (host: SimulatedHost, archives: readonly string[], more: Record<string, string> = {}) => {
		if (functionalStep.kind !== 'proof') throw new Error('functional proves nothing');
		const context = judgeContext({ answers: { ...answers, ...more }, imageArchives: archives });
		const facts = await functionalStep.inspect({ ...context, host, signal: new AbortController().signal });
		return { plan: functionalStep.plan(facts, context), findings: functionalStep.judge(facts, context) };
	};

	test('is empty where both images are', async () => {
		expect((await planOn(await simulated(), [])).plan.actions).toEqual([]);
	});

	test('pulls what is missing', async () => {
		const { plan } = await planOn(await simulated('containers-running'), []);
		expect(plan.actions.map(a => (a.kind === 'exec' ? a.argv.join(' ') : a.kind))).toEqual(
			expect.arrayContaining(['docker pull registry:2']),
		);
	});

	const archives = ['/root/images/docker-29-dind.tar', '/root/images/registry-2.tar'];

	test('loads each image from the archive that holds it, and pulls nothing then', async () => {
		const { plan } = await planOn(await simulated('no-internet'), archives);
		expect(plan.actions.map(a => (a.kind === 'load-image' ? `${a.image} from ${a.archive}` : a.kind))).toEqual([
			'docker:29-dind from /root/images/docker-29-dind.tar',
			'registry:2 from /root/images/registry-2.tar',
		]);
	});

	test('the default of a question that is not asked yet blocks nothing', async () => {
		if (functionalStep.kind !== 'proof') throw new Error('functional proves nothing');
		const context = judgeContext({ imageArchives: archives.slice(0, 1) });
		const host = await simulated('no-internet');
		const facts = await functionalStep.inspect({ ...context, host, signal: new AbortController().signal });
		expect(functionalStep.judge(facts, context).filter(f => f.id === 'input.image-archive')).toEqual([]);
	});

	test('an image that no archive holds is what was passed wrongly, and is not pulled', async () => {
		const { plan, findings } = await planOn(await simulated('no-internet'), archives.slice(0, 1));
		expect(plan.actions).toHaveLength(1);
		expect(findings.filter(f => f.id === 'input.image-archive')).toMatchObject([
			{ severity: 'block', summary: expect.stringContaining('registry:2') },
		]);
	});
});
