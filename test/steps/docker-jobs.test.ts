/** A restart of Docker on a host where CI jobs run, by the real engine and applier on the simulated host. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { localHost } from '../../src/host/local/local-host.ts';
import { sayWork } from '../../src/model/open-work.ts';
import type { Answers } from '../../src/model/question.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { type SimulatedHost, simulatedHost } from '../../src/simulation/host.ts';
import { scenarioState } from '../../src/simulation/scenarios.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { holdRunners } from '../../steps/docker/drain.ts';
import { chosenToStart } from '../../steps/docker/start-again-choice.ts';
import { dockerStep } from '../../steps/docker/step.ts';
import { type EngineAsk, engineRun, newKeptRun } from '../support/engine-run.ts';

const minutes = 60_000;
const job = 'runner-x7k-project-31-concurrent-0-build';

/** Jobs in flight, Sysbox registered, and an address in the file that only a restart puts in force. */
function busyHost(change: (state: SimulatedState) => void = () => undefined, faults: readonly Fault[] = []) {
	const state = scenarioState('containers-running');
	const runtimes = { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } };
	Object.assign(state.docker.engine.config.runtimes, runtimes);
	state.files['/etc/docker/daemon.json'] = {
		kind: 'file',
		text: JSON.stringify({ bip: '172.26.0.1/24', runtimes }),
		mode: 0o644,
		uid: 0,
		gid: 0,
	};
	change(state);
	return simulatedHost({ state, faults });
}

/** GitLab's runner as its package installs it: a service on the host. */
function asService(state: SimulatedState): void {
	const { engine } = state.docker;
	engine.containers = engine.containers.filter(c => c.name !== 'gitlab-runner');
	const text =
		'[Unit]\nDescription=GitLab Runner\n[Service]\nExecStart=/usr/bin/gitlab-runner "run"\nRestart=always\nRestartSec=120\n[Install]\nWantedBy=multi-user.target\n';
	state.files['/etc/systemd/system/gitlab-runner.service'] = { kind: 'file', text, mode: 0o644, uid: 0, gid: 0 };
	state.files['/usr/bin/gitlab-runner'] = { kind: 'file', text: '', mode: 0o755, uid: 0, gid: 0 };
	state.units['gitlab-runner.service'] = {
		name: 'gitlab-runner.service',
		description: 'GitLab Runner',
		active: 'active',
		sub: 'running',
		result: 'success',
		enabled: 'enabled',
		type: 'simple',
		fragment: '/etc/systemd/system/gitlab-runner.service',
		mainPid: 2211,
		mainStatus: 0,
		starts: [],
		loadedText: text,
	};
	state.processes.push({
		pid: 2211,
		ppid: 1,
		uid: 0,
		comm: 'gitlab-runner',
		argv: ['/usr/bin/gitlab-runner', 'run'],
		startedAt: state.now,
		unit: 'gitlab-runner.service',
	});
}

const restart: Answers = { 'docker.restart': true };
const risks = ['restart-docker', 'stop-containers'] as const;

const run = (host: SimulatedHost, ask: EngineAsk = {}) =>
	engineRun([dockerStep], host, { answers: restart, risks, clock: host.clock, ...ask });

/** A process that is killed before the outcome of that action is on disk; the host is as the action has left it. */
async function killedAt(action: string, make: () => SimulatedHost, ask: EngineAsk) {
	const whole = await run(make(), ask);
	const n = whole.events.findIndex(e => e.type === 'action.outcome' && e.action === action) + 1;
	const host = make();
	const kept = newKeptRun();
	await expect(run(host, { ...ask, kept, dieAt: { n, side: 'before' } })).rejects.toThrow();
	return { host, kept };
}

const container = (host: SimulatedHost, name: string) =>
	host.state().docker.engine.containers.find(c => c.name === name);
const unit = (host: SimulatedHost) => host.state().units['gitlab-runner.service'];
/** Without the dead man's switch, which has tests of its own. */
const actionsOf = ({ state }: Awaited<ReturnType<typeof run>>) =>
	state.actions.filter(a => !a.id.startsWith('switch-')).map(a => `${a.id} ${a.outcome}`);
const jobEnded = (host: SimulatedHost) => container(host, job)?.exitCode !== 137;

describe('CI jobs before a restart', () => {
	test('are asked about; unattended nobody waits who did not say so, and jobs are lost by name only', async () => {
		const host = busyHost();
		const refused = await run(host, { risks: ['restart-docker'] });
		expect(refused.state.answers['docker.jobs']).toBe('now');
		expect(refused.end).toMatchObject({ exit: 4 });
		expect(refused.end.work.map(sayWork).join(' ')).toContain('--accept-risk stop-containers');
		expect(container(host, job)?.status).toBe('running');
	});

	test('are named in the sheet with what becomes of each container', async () => {
		const { events } = await run(busyHost(), { mode: 'plan' });
		const plan = events.find(e => e.type === 'plan');
		const fates = Object.fromEntries(plan?.impact?.containers?.map(c => [c.name, c.fate]) ?? []);
		expect(fates).toMatchObject({
			[job]: 'does-not-come-back',
			'ci-postgres': 'comes-back',
			'db-migration': 'does-not-come-back',
		});
		expect(plan?.impact?.containers?.find(c => c.name === 'jenkins-agent-1')?.owner).toBe(
			'compose service jenkins-agent of ci',
		);
		expect(plan?.impact?.containers?.find(c => c.name === 'db-migration')?.startedAgain).toBeUndefined();
		expect(plan?.impact?.containers?.find(c => c.name === job)).toMatchObject({ job: true });
	});

	test('are left alone by the answer "later"', async () => {
		const host = busyHost();
		const { end, state } = await run(host, { answers: { ...restart, 'docker.jobs': 'later' } });
		expect(end.exit).toBe(0);
		expect(state.actions).toEqual([]);
	});
});

describe('a runner in a container', () => {
	test('finishes its job, Docker restarts, and it takes jobs again', async () => {
		const host = busyHost();
		const before = container(host, 'gitlab-runner')?.startedAt ?? 0;
		const done = await run(host, { options: { drainTimeoutMs: 30 * minutes } });
		expect(actionsOf(done)).toEqual([
			'drain-gitlab-runner done',
			'restart done',
			'wait-for-containers done',
			'release-gitlab-runner done',
		]);
		expect(done.end.exit).toBe(0);
		expect(jobEnded(host)).toBe(true);
		expect(container(host, 'gitlab-runner')).toMatchObject({ status: 'running' });
		expect(container(host, 'gitlab-runner')?.startedAt).toBeGreaterThan(before);
		expect(host.state().docker.engine.config.bridgeCidr).toBe('172.26.0.1/24');
	});

	test('that ends before its jobs do is no reason to stop them: they are waited for, too', async () => {
		const host = busyHost();
		let left: string | undefined;
		const clock = {
			now: host.clock.now,
			sleep: async (ms: number, signal: AbortSignal) => {
				// Somebody ends it at the first look.
				if (container(host, 'gitlab-runner')?.status === 'running')
					await host.run(['docker', 'kill', 'gitlab-runner'], { timeoutMs: 10_000 });
				left ??= container(host, job)?.status;
				await host.clock.sleep(ms, signal);
			},
		};
		const done = await run(host, { options: { drainTimeoutMs: 30 * minutes }, clock });
		expect(left).toBe('running');
		expect(actionsOf(done)).toEqual(['drain-gitlab-runner failed', 'release-gitlab-runner done']);
		expect(jobEnded(host)).toBe(true);
	});

	test('whose jobs take too long stops nothing: Docker is not restarted, and it takes jobs again once it has ended', async () => {
		const host = busyHost();
		const failed = await run(host, { options: { drainTimeoutMs: 5 * minutes + 1_000 } });
		expect(actionsOf(failed)).toEqual(['drain-gitlab-runner failed', 'release-gitlab-runner done']);
		expect(failed.end.exit).toBe(1);
		const waited = failed.events.find(e => e.type === 'action.outcome')?.ms ?? 0;
		expect(waited).toBeLessThan(5 * minutes + 5_000);
		expect(container(host, job)?.status).toBe('running');
		const { failure } = failed.state.actions[0] ?? {};
		expect(failure?.said).toContain('GitLab job 8812 still runs');
		expect(failure?.next.join(' ')).toContain('--drain-timeout');
		host.clock.advance(40 * minutes);
		await host.exec(['docker', 'ps', '--quiet'], { timeoutMs: 1000 });
		expect(container(host, 'gitlab-runner')?.status).toBe('running');
	});
});

describe('a runner as a service', () => {
	test('is told by SIGQUIT, kept down while Docker restarts, and started again', async () => {
		const host = busyHost(asService);
		const done = await run(host, { options: { drainTimeoutMs: 30 * minutes } });
		expect(actionsOf(done)).toEqual([
			'drain-gitlab-runner done',
			'hold-gitlab-runner done',
			'restart done',
			'wait-for-containers done',
			'release-gitlab-runner done',
		]);
		expect(done.state.actions[0]?.does).toContain('--signal=SIGQUIT gitlab-runner.service');
		expect(done.end.exit).toBe(0);
		expect(unit(host)).toMatchObject({ active: 'active' });
		expect(unit(host)?.mainPid).not.toBe(2211);
	});

	test('goes on with its job when the wait is over, and is started again by systemd afterwards', async () => {
		const host = busyHost(asService);
		const failed = await run(host, { options: { drainTimeoutMs: 5 * minutes } });
		expect(failed.end.exit).toBe(1);
		expect(unit(host)).toMatchObject({ mainPid: 2211 });
		expect(container(host, job)?.status).toBe('running');
		host.clock.advance(40 * minutes);
		await host.exec(['docker', 'ps', '--quiet'], { timeoutMs: 1000 });
		host.clock.advance(3 * minutes);
		await host.exec(['docker', 'ps', '--quiet'], { timeoutMs: 1000 });
		expect(unit(host)).toMatchObject({ active: 'active' });
	});

	test('that systemd starts again at once is not drained, and it is said why', async () => {
		const host = busyHost(state => {
			asService(state);
			const own = state.units['gitlab-runner.service'];
			if (own !== undefined) own.loadedText = own.loadedText.replace('120', '1');
		});
		const { state } = await run(host, { options: { drainTimeoutMs: 5 * minutes } });
		expect(state.answers['docker.jobs']).toBe('later');
		expect(state.actions).toEqual([]);
	});
});

test('a runner that is at work again is never stopped', async () => {
	const host = busyHost(asService);
	const [hold] = holdRunners([{ kind: 'unit', unit: 'gitlab-runner.service', pid: 2211 }]);
	const { signal } = new AbortController();
	expect(await hold?.guard?.(host, signal)).toMatchObject({ kind: 'stale' });
	host.disturb(state => Object.assign(state.units['gitlab-runner.service'] ?? {}, { mainPid: 0 }));
	expect(await hold?.guard?.(host, signal)).toEqual({ kind: 'go' });
});

describe('a runner that takes no jobs', () => {
	const draining = { drainTimeoutMs: 30 * minutes };

	test('takes jobs again when Docker does not come back', async () => {
		const host = busyHost(asService, [{ name: 'docker-does-not-come-back', times: 1 }]);
		const failed = await run(host, { options: draining });
		expect(failed.end.exit).toBe(1);
		expect(unit(host)).toMatchObject({ active: 'active' });
		expect(actionsOf(failed)).toContain('release-gitlab-runner done');
		// What the restart stopped runs again too.
		expect(container(host, 'db-migration')?.status).toBe('exited');
	});

	test('takes jobs again when the run is interrupted while it waits', async () => {
		const host = busyHost();
		const abort = new AbortController();
		const clock = {
			now: host.clock.now,
			sleep: async (ms: number, signal: AbortSignal) => {
				await host.clock.sleep(ms, signal);
				abort.abort();
			},
		};
		const stopped = await run(host, { options: draining, signal: abort.signal, clock });
		expect(stopped.end).toMatchObject({ exit: 130 });
		expect(actionsOf(stopped)).toEqual(['drain-gitlab-runner interrupted', 'release-gitlab-runner done']);
	});

	test.each(['restart', 'hold-gitlab-runner'])(
		'takes jobs again when the process dies at %s and the run goes on',
		async at => {
			const { host, kept } = await killedAt(at, () => busyHost(asService), { options: draining });
			expect(unit(host)?.active).toBe('inactive');
			const next = await run(host, { options: draining, kept });
			expect(next.end.exit).toBe(0);
			expect(unit(host)).toMatchObject({ active: 'active' });
			expect(container(host, 'db-migration')?.status).toBe('exited');
			expect(container(host, job)).toBeUndefined();
		},
		30_000,
	);
});

describe('afterwards', () => {
	const now: Answers = { ...restart, 'docker.jobs': 'now' };
	const named: Answers = { ...now, 'docker.start-again': ['db-migration'] };

	test('a choice that nobody made leaves out what has no restart policy', () => {
		const byDefault = chosenToStart({ answers: {} });
		expect(byDefault({ name: 'db-migration', restartPolicy: 'no' })).toBe(false);
		expect(byDefault({ name: 'worker', restartPolicy: 'on-failure' })).toBe(true);
	});

	test('nothing without a restart policy is started unless it is named', async () => {
		const host = busyHost();
		const done = await run(host, { answers: now });
		expect(done.state.actions.map(a => a.id)).not.toContain('start-again');
		expect(container(host, 'db-migration')?.status).toBe('exited');
		expect(done.end.exit).toBe(0);
	});

	test('what may run twice by its restart policy is started where nobody was asked', async () => {
		const host = busyHost(state => {
			const worker = state.docker.engine.containers.find(c => c.name === 'db-migration');
			if (worker !== undefined) worker.options.restart = 'on-failure';
		});
		const done = await run(host, { answers: now });
		expect(done.state.actions.find(a => a.id === 'start-again')?.title).toBe('Start db-migration again');
		expect(container(host, 'db-migration')?.status).toBe('running');
	});

	test('what was named is started again, jobs are not', async () => {
		const host = busyHost();
		const done = await run(host, { answers: { ...now, 'docker.start-again': ['db-migration'] } });
		expect(done.state.actions.find(a => a.id === 'start-again')?.title).toBe('Start db-migration again');
		expect(container(host, 'db-migration')?.status).toBe('running');
		expect(container(host, job)?.status).toBe('exited');
		expect(done.end.exit).toBe(0);
	});

	test('jobs are not started where nothing else was stopped for good', async () => {
		const host = busyHost(state => {
			const { engine } = state.docker;
			engine.containers = engine.containers.filter(c => c.name !== 'db-migration');
		});
		const done = await run(host, { answers: now });
		expect(done.state.actions.map(a => a.id)).not.toContain('start-again');
		expect(container(host, job)?.status).toBe('exited');
	});

	test('nothing is started that was left out by its name', async () => {
		const host = busyHost();
		const done = await run(host, { answers: { ...now, 'docker.start-again': [] } });
		expect(done.state.actions.map(a => a.id)).not.toContain('start-again');
		expect(container(host, 'db-migration')?.status).toBe('exited');
	});

	test('what had ended by itself before the restart is not started', async () => {
		const host = busyHost(state => {
			const migration = state.docker.engine.containers.find(c => c.name === 'db-migration');
			// It ends while the runner is waited for.
			if (migration !== undefined) Object.assign(migration, { endsAt: state.now + 3 * minutes, endsWith: 0 });
		});
		const done = await run(host, { options: { drainTimeoutMs: 30 * minutes } });
		expect(done.end.exit).toBe(0);
		expect(done.state.actions.map(a => a.id)).not.toContain('start-again');
		expect(container(host, 'db-migration')).toMatchObject({ status: 'exited', exitCode: 0 });
	});

	test('what a killed process has stopped is started by the next one', async () => {
		const { host, kept } = await killedAt('restart', busyHost, { answers: named });
		expect(container(host, 'db-migration')?.status).toBe('exited');
		const next = await run(host, { answers: named, kept });
		expect(next.end.exit).toBe(0);
		expect(container(host, 'db-migration')?.status).toBe('running');
	});
});

describe('what began to run since consent', () => {
	test('is not stopped by it: the new sheet is shown first', async () => {
		const host = busyHost();
		let asked = 0;
		const { decideFromAnswers } = await import('../../src/prompts/from-answers.ts');
		const answers = { ...restart, 'docker.jobs': 'now' };
		const decider = decideFromAnswers({ answers, saved: {}, risks });
		const done = await run(host, {
			answers,
			decider: {
				...decider,
				approve: async (step, plan, findings, ways) => {
					asked += 1;
					if (asked === 1)
						await host.run(['docker', 'run', '-d', '--name', 'newcomer', 'debian:13-slim', 'sleep', '9999'], {
							timeoutMs: 60_000,
						});
					return decider.approve(step, plan, findings, ways);
				},
			},
		});
		const sheets = done.events.flatMap(e => (e.type === 'plan' ? [e.impact?.stops.join(' ') ?? ''] : []));
		expect(sheets[0]).not.toContain('newcomer');
		expect(sheets[1]).toContain('newcomer');
		expect(done.end.exit).toBe(0);
	});
});

describe('the window', () => {
	const at = (host: SimulatedHost, ms: number) => new Date(host.clock.now() + ms);
	const now: Answers = { ...restart, 'docker.jobs': 'now' };

	test('that is too short for a restart with its way back begins none: work is left', async () => {
		const host = busyHost();
		const { end, state } = await run(host, { answers: now, options: { until: at(host, 30_000) } });
		expect(end.exit).toBe(4);
		expect(end.work.map(sayWork).join(' ')).toMatch(
			/Restart Docker: takes up to \d+ min with its way back, and 29 s are left until/,
		);
		expect(state.actions).toEqual([]);
		expect(container(host, job)?.status).toBe('running');
	});

	test('that is too short does not even keep a runner from its jobs', async () => {
		const host = busyHost(asService);
		const { end, state } = await run(host, { options: { drainTimeoutMs: 30 * minutes, until: at(host, 30_000) } });
		expect(end.exit).toBe(4);
		expect(state.actions).toEqual([]);
	});

	test('that is wide enough is no hindrance', async () => {
		const host = busyHost();
		const { end } = await run(host, { answers: now, options: { until: at(host, 60 * minutes) } });
		expect(end.exit).toBe(0);
	});

	test('cuts the wait for jobs to what it allows, and the runner takes jobs again', async () => {
		const host = busyHost(asService);
		const until = at(host, 10 * minutes);
		const failed = await run(host, { options: { drainTimeoutMs: 60 * minutes, until } });
		expect(actionsOf(failed)).toEqual(['drain-gitlab-runner failed', 'release-gitlab-runner done']);
		expect(host.clock.now()).toBeLessThan(until.getTime());
		expect(container(host, job)?.status).toBe('running');
	});
});

describe('a Jenkins agent', () => {
	const withoutGitlab = (state: SimulatedState): void => {
		const { engine } = state.docker;
		engine.containers = engine.containers.filter(c => !/runner/.test(c.name));
	};

	/** A controller with one node, which builds for so many looks. */
	async function controller(builds: number) {
		const seen: { line: string; auth: string | undefined }[] = [];
		const node = { paused: false, looks: builds };
		const server = createServer((request, response) => {
			seen.push({ line: `${request.method} ${request.url}`, auth: request.headers.authorization });
			request.resume();
			if (request.headers.authorization !== `Basic ${Buffer.from('bot:s3cret-token').toString('base64')}`) {
				response.writeHead(401).end();
				return;
			}
			if (request.url?.endsWith('/toggleOffline') === true) {
				node.paused = !node.paused;
				response.writeHead(302, { Location: '/' }).end();
				return;
			}
			if (node.paused) node.looks = Math.max(0, node.looks - 1);
			response.end(JSON.stringify({ idle: node.looks <= 0, temporarilyOffline: node.paused }));
		});
		await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		const directory = await mkdtemp(join(tmpdir(), 'sysbox-setup-jenkins-'));
		const netrc = join(directory, 'netrc');
		await writeFile(netrc, 'machine 127.0.0.1 login bot password s3cret-token\n', { mode: 0o600 });
		onTestFinished(async () => {
			server.close();
			await rm(directory, { recursive: true });
		});
		const answers: Answers = {
			...restart,
			'docker.jobs': 'drain',
			'docker.jenkins-url': `http://127.0.0.1:${port}`,
			'docker.jenkins-node': 'build node 7',
			'docker.jenkins-netrc': netrc,
		};
		return { seen, node, answers };
	}

	/** The simulated host, with the real curl. */
	function withCurl(host: SimulatedHost): SimulatedHost {
		const local = localHost();
		return {
			...host,
			state: host.state,
			exec: (argv, options) => (argv[0] === 'curl' ? local.exec(argv, options) : host.exec(argv, options)),
			run: (argv, options) => (argv[0] === 'curl' ? local.run(argv, options) : host.run(argv, options)),
		};
	}

	test('is set offline, its builds are waited for, and it is online again; its token is in no line', async () => {
		const { seen, node, answers } = await controller(3);
		const done = await run(withCurl(busyHost(withoutGitlab)), { answers });
		expect(done.end.exit).toBe(0);
		expect(actionsOf(done).filter(line => line.includes('jenkins'))).toEqual([
			'drain-jenkins-build node 7 done',
			'release-jenkins-build node 7 done',
		]);
		expect(node).toEqual({ paused: false, looks: 0 });
		expect(seen.filter(({ line }) => line.startsWith('POST')).map(({ line }) => line)).toEqual([
			'POST /computer/build%20node%207/toggleOffline',
			'POST /computer/build%20node%207/toggleOffline',
		]);
		expect(JSON.stringify(done.events)).not.toContain('s3cret-token');
	});

	test('whose builds take too long is online again, and Docker was not restarted', async () => {
		const { node, answers } = await controller(1000);
		const host = busyHost(withoutGitlab);
		const failed = await run(withCurl(host), { answers, options: { drainTimeoutMs: minutes } });
		expect(failed.end.exit).toBe(1);
		expect(node.paused).toBe(false);
		expect(failed.state.actions.map(a => a.id)).not.toContain('restart');
	});

	test('that somebody else has set offline stays offline', async () => {
		const { seen, node, answers } = await controller(9);
		node.paused = true;
		const done = await run(withCurl(busyHost(withoutGitlab)), { answers });
		expect(done.end.exit).toBe(0);
		expect(node).toEqual({ paused: true, looks: 0 });
		expect(seen.some(({ line }) => line.startsWith('POST'))).toBe(false);
	});

	test('whose controller does not answer is left to the operator, with nothing restarted', async () => {
		const { answers } = await controller(0);
		const lost = { ...answers, 'docker.jenkins-url': 'http://127.0.0.1:1' };
		const host = busyHost(withoutGitlab);
		const { end, state } = await run(withCurl(host), { answers: lost });
		expect(end.exit).toBe(4);
		expect(state.actions.map(a => `${a.id} ${a.outcome}`)).toEqual(['pause-jenkins manual']);
	});

	test('of which nobody says where its controller is, is told of in the plan', async () => {
		const { events } = await run(busyHost(withoutGitlab), {
			answers: { ...restart, 'docker.jobs': 'drain' },
			mode: 'plan',
		});
		const plan = events.find(e => e.type === 'plan');
		expect(plan?.impact?.notes).toContain('Whether Jenkins builds in jenkins-agent-1 cannot be seen from here');
	});
});
