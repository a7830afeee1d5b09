/** The three steps one after the other, by the real engine and applier, on simulated hosts. */
import { describe, expect, test } from 'vitest';
import type { EngineEnd } from '../../src/engine/contract.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import { risksOf } from '../../src/model/action.ts';
import type { Decider } from '../../src/model/decider.ts';
import type { Event } from '../../src/model/event.ts';
import { sayWork } from '../../src/model/open-work.ts';
import type { Answers } from '../../src/model/question.ts';
import type { RunState } from '../../src/model/state.ts';
import { decideFromAnswers } from '../../src/prompts/from-answers.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { type SimulatedHost, simulatedHost } from '../../src/simulation/host.ts';
import { releasesFrom } from '../../src/simulation/releases.ts';
import { type ScenarioName, scenarioState } from '../../src/simulation/scenarios.ts';
import { daemonStep } from '../../steps/daemon/step.ts';
import { dockerStep } from '../../steps/docker/step.ts';
import { sysboxStep } from '../../steps/sysbox/step.ts';
import { type EngineAsk, engineRun } from '../support/engine-run.ts';

const file = '/etc/docker/daemon.json';

function hostOf(name: ScenarioName, faults: readonly Fault[] = []): SimulatedHost {
	const state = scenarioState(name);
	// What the step before these brings.
	const [fuse3, rsync] = [state.archive['fuse3'], state.archive['rsync']];
	for (const control of [fuse3, rsync]) {
		if (control === undefined) continue;
		state.packages[control.name] = { ...control, status: 'installed' };
		for (const path of control.files) state.files[path] = { kind: 'file', text: '', mode: 0o755, uid: 0, gid: 0 };
	}
	return simulatedHost({ state, faults, releases: releasesFrom(knowledge.releases) });
}

interface Ended {
	readonly end: EngineEnd;
	readonly state: RunState;
	readonly events: readonly Event[];
	/** `sysbox.install done`. */
	readonly actions: readonly string[];
	readonly statuses: readonly string[];
}

type Ask = Pick<EngineAsk, 'mode' | 'answers' | 'risks' | 'decider'> & { readonly deb?: string };

async function run(host: SimulatedHost, { deb, ...ask }: Ask = {}): Promise<Ended> {
	await host.makeDirectory('/var/lib/sysbox-setup', { mode: 0o700 });
	const ended = await engineRun([sysboxStep, daemonStep, dockerStep], host, {
		...ask,
		clock: host.clock,
		options: { workingDirectory: '/root', ...(deb !== undefined && { deb }) },
	});
	return {
		...ended,
		actions: ended.state.actions.map(a => `${a.step}.${a.id} ${a.outcome}`),
		statuses: ended.state.steps.map(s => `${s.id} ${s.status}`),
	};
}

async function text(host: SimulatedHost, path = file): Promise<string | undefined> {
	const result = await host.readFile(path);
	return result.kind === 'bytes' ? new TextDecoder().decode(result.bytes) : undefined;
}

const running = (host: SimulatedHost) =>
	host
		.state()
		.docker.engine.containers.filter(c => c.status === 'running')
		.map(c => `${c.name} ${c.pid}`);
const failures = (ended: Ended) => ended.state.actions.flatMap(a => (a.failure === undefined ? [] : [a.failure]));

describe('a fresh host', () => {
	test.each(['fresh-ubuntu', 'fresh-debian', 'containers-running', 'no-internet'] as const)(
		'%s is set up without a container being touched, and then there is nothing left to do',
		async name => {
			const host = hostOf(name);
			const before = running(host);
			const deb = name === 'no-internet' ? { deb: 'sysbox-ce_0.7.1-0.linux_amd64.deb' } : {};
			const first = await run(host, deb);
			expect(failures(first)).toEqual([]);
			expect(first.statuses.slice(0, 2)).toEqual(['sysbox done', 'daemon unchanged']);
			expect(first.end.exit).toBe(0);
			expect(running(host)).toEqual(before);
			const after = await text(host);
			const findings = first.state.steps[0]?.after ?? [];
			expect(findings.find(f => f.id === 'sysbox.daemon-json-untouched')?.severity).toBe('ok');

			const second = await run(host, deb);
			expect(second.actions).toEqual([]);
			expect(second.end).toMatchObject({ exit: 0, outcome: 'nothing-to-do', changed: false });
			expect(await text(host)).toBe(after);
		},
	);

	test('is planned in full without being changed', async () => {
		const host = hostOf('fresh-ubuntu');
		const before = await text(host);
		const { end, events } = await run(host, { mode: 'plan' });
		const planned = events.flatMap(e => (e.type === 'plan' ? e.actions.map(a => `${e.step}.${a.id}`) : []));
		expect(planned).toEqual([
			'sysbox.downloads-folder',
			'sysbox.download',
			'sysbox.daemon-json',
			'sysbox.install',
			'sysbox.start',
			'docker.reload',
		]);
		expect(end.exit).toBe(4);
		expect(await text(host)).toBe(before);
	});

	test('is not called unfit by a look, with root or without', async () => {
		expect((await run(hostOf('fresh-ubuntu'), { mode: 'check' })).end.exit).toBe(0);
		const plain = hostOf('fresh-ubuntu', [{ name: 'not-root' }]);
		expect([0, 5]).toContain((await run(plain, { mode: 'check' })).end.exit);
	});

	test('whose sysbox-fs misses its start is served by the second one', async () => {
		const ended = await run(hostOf('fresh-ubuntu', [{ name: 'sysbox-fs-start-timeout', times: 1 }]));
		expect(failures(ended)).toEqual([]);
		expect(ended.end.exit).toBe(0);
	});

	test('whose sysbox-fs never starts fails with what was seen', async () => {
		const ended = await run(hostOf('fresh-ubuntu', [{ name: 'sysbox-fs-start-timeout' }]));
		expect(ended.end.exit).toBe(1);
		expect(ended.statuses[0]).toBe('sysbox failed');
	});

	test('on which apt fails keeps Docker as it was, and goes on the next time', async () => {
		const host = hostOf('fresh-ubuntu', [{ name: 'apt-fails', times: 1 }]);
		const before = running(host);
		const first = await run(host);
		expect(first.end.exit).toBe(1);
		expect(running(host)).toEqual(before);
		const second = await run(host);
		expect(failures(second)).toEqual([]);
		expect(second.end.exit).toBe(0);
	});

	test('without a way out changes nothing, and says how to bring the package', async () => {
		const ended = await run(hostOf('no-internet'));
		expect(ended.end.exit).toBe(3);
		expect(ended.actions).toEqual([]);
		const found = ended.state.steps.flatMap(step => step.before).find(({ id }) => id === 'sysbox.reachable');
		expect(found).toMatchObject({ severity: 'block', evidence: expect.stringContaining('Could not resolve host') });
		expect(found?.remedy?.text).toContain('--deb');
	});

	const deb = '/root/sysbox-ce_0.7.1-0.linux_amd64.deb';
	test.each<[string, () => SimulatedHost | Promise<SimulatedHost>, Ask, number]>([
		['asks once where the package would be fetched', () => hostOf('fresh-ubuntu'), {}, 1],
		['asks nothing with --deb', () => hostOf('no-internet'), { deb, risks: ['unverified-deb'] }, 0],
		['asks nothing where Sysbox is installed', () => hostOf('already-set-up'), {}, 0],
		['asks nothing where the package was fetched already', fetchedAlready, {}, 0],
	])('%s', async (_, makeHost, ask, times) => {
		const host = await makeHost();
		const asked: string[] = [];
		const exec: SimulatedHost['exec'] = (argv, options) => {
			if (argv[0] === 'curl') asked.push(argv.join(' '));
			return host.exec(argv, options);
		};
		await run({ ...host, exec }, { mode: 'plan', ...ask });
		expect(asked).toHaveLength(times);
	});

	test('asks where the installed Sysbox cannot work and is replaced unasked', async () => {
		const { state } = await run(hostOf('docker-29-time-namespace'), { mode: 'plan' });
		expect(state.steps.flatMap(step => step.plan?.actions ?? []).map(({ id }) => id)).toContain('download');
		expect(state.steps.flatMap(step => step.before).map(({ id }) => id)).toContain('sysbox.reachable');
	});

	async function fetchedAlready(): Promise<SimulatedHost> {
		const host = hostOf('fresh-ubuntu', [{ name: 'apt-fails' }]);
		await run(host);
		expect(Object.keys(host.state().files).filter(path => path.endsWith('.deb'))).toHaveLength(1);
		return host;
	}
});

describe('a download', () => {
	const packages = (host: SimulatedHost) => Object.keys(host.state().files).filter(path => path.includes('.deb'));

	test('that is cut is told, and the next run goes on from there', async () => {
		const host = hostOf('fresh-ubuntu', [{ name: 'download-cut', times: 1 }]);
		const cut = await run(host);
		expect(failures(cut)[0]).toMatchObject({
			said: expect.stringContaining('curl: (18) transfer closed with'),
			now: expect.stringMatching(/^5906022 bytes of it are at /),
		});
		expect(await text(host)).not.toContain('sysbox-runc');
		const next = await run(host);
		expect(next.actions).toContain('sysbox.download done');
		expect(next.end.exit).toBe(0);
	});

	test('goes on with no file of another beginning', async () => {
		const host = hostOf('fresh-ubuntu', [{ name: 'download-cut', times: 1 }]);
		await run(host);
		host.disturb(({ files }) => {
			for (const path of packages(host))
				files[path] = { kind: 'file', text: 'something else', mode: 0o644, uid: 0, gid: 0 };
		});
		const next = await run(host);
		expect(next.actions).toContain('sysbox.download done');
	});

	test('by apt, where there is no curl, ends alike, and a wrong digest leaves nothing', async () => {
		const host = hostOf('fresh-ubuntu');
		host.disturb(({ files }) => void delete files['/usr/bin/curl']);
		const done = await run(host);
		expect(done.end.exit).toBe(0);
		expect(done.state.actions.find(({ id }) => id === 'download')?.does).toContain('apt-helper download-file');

		const wrong = knowledge.releases.map(release => ({
			...release,
			packages: release.packages.map(each => ({ ...each, sha256: 'ee'.repeat(32) })),
		}));
		const state = hostOf('fresh-ubuntu').state();
		delete state.files['/usr/bin/curl'];
		const other = simulatedHost({ state, releases: releasesFrom(wrong) });
		expect(failures(await run(other))[0]?.said).toContain('ee'.repeat(32));
		expect(packages(other)).toEqual([]);
	});
});

describe('other hosts', () => {
	test('already set up: nothing', async () => {
		const { end, actions } = await run(hostOf('already-set-up'));
		expect(actions).toEqual([]);
		expect(end).toMatchObject({ exit: 0, outcome: 'nothing-to-do' });
	});

	test('a broken daemon.json is named with its line, and not touched', async () => {
		const host = hostOf('broken-daemon-json');
		const before = await text(host);
		const { end, state } = await run(host);
		expect(end.exit).toBe(3);
		expect(state.steps[0]?.before.find(f => f.id === 'daemon-json.valid')?.summary).toContain(`${file}:4:23`);
		expect(await text(host)).toBe(before);
	});

	test('an outdated Sysbox stays until its upgrade is asked for and accepted by name', async () => {
		const host = hostOf('outdated-sysbox');
		expect((await run(host)).actions).toEqual([]);
		const answers = { 'sysbox.upgrade': true };
		const refused = await run(host, { answers });
		expect(refused.end.exit).toBe(4);
		expect(refused.end.work.map(sayWork).join(' ')).toContain('--accept-risk stop-containers');
		const upgraded = await run(host, { answers, risks: ['restart-sysbox', 'stop-containers'] });
		expect(failures(upgraded)).toEqual([]);
		expect(host.state().sysbox.runc).toBe('0.7.1');
		const findings = upgraded.state.steps.find(s => s.id === 'docker')?.before ?? [];
		expect(findings.find(f => f.id === 'docker.stale-containers')).toBeUndefined();
	});

	test('a Sysbox that cannot work with its Docker is upgraded once that is accepted', async () => {
		const host = hostOf('docker-29-time-namespace');
		const refused = await run(host);
		expect(refused.end.exit).toBe(3);
		const upgraded = await run(host, { risks: ['restart-sysbox'] });
		expect(failures(upgraded)).toEqual([]);
		expect(upgraded.end.exit).toBe(0);
		expect(host.state().sysbox.runc).toBe('0.7.1');
	});
});

describe('time namespaces that are switched off in the file only', () => {
	const off = (before: string) => before.replace('{\n', '{\n    "features": { "time-namespaces": false },\n');
	const switchedOff = async () => {
		const host = hostOf('docker-29-time-namespace');
		const before = (await text(host)) ?? '';
		host.disturb(state => {
			state.files[file] = { kind: 'file', text: off(before), mode: 0o644, uid: 0, gid: 0 };
			state.fileTimes = { [file]: state.now };
		});
		// As the operator would: a reload is answered with success, and changes nothing of it.
		expect((await host.run(['systemctl', 'reload', 'docker'], { timeoutMs: 60_000 })).code).toBe(0);
		return host;
	};

	test('are told by a container, and Docker is restarted by consent', async () => {
		const host = await switchedOff();
		const refused = await run(host);
		expect(refused.end.exit).toBe(3);
		expect(refused.actions).toEqual([]);
		const found = (step: string, id: string) =>
			refused.state.steps.find(s => s.id === step)?.before.find(f => f.id === id);
		expect(found('sysbox', 'sysbox.known-issues.time-namespace')).toMatchObject({ severity: 'warn', breaks: true });
		expect(found('docker', 'docker.features-loaded')).toMatchObject({
			breaks: true,
			why: 'Docker reads it only when it starts, and no Sysbox container starts before that',
			remedy: { kind: 'planned', text: 'Docker is restarted' },
		});
		expect(host.state().docker.engine.config.timeNamespaces).toBe(true);
		const restarted = await run(host, { risks: ['restart-docker'] });
		expect(failures(restarted)).toEqual([]);
		expect(restarted.actions).toContain('docker.restart done');
		expect(host.state().docker.engine.config.timeNamespaces).toBe(false);
		expect(host.state().sysbox.runc).toBe('0.7.0');
		const again = await run(host);
		expect(again.end.exit).toBe(0);
		expect(again.actions).toEqual([]);
	});
});

describe('Docker', () => {
	const edit = async (host: SimulatedHost, change: (text: string) => string) => {
		const before = (await text(host)) ?? '';
		host.disturb(state => {
			state.files[file] = { kind: 'file', text: change(before), mode: 0o644, uid: 0, gid: 0 };
		});
	};
	const forgotten = async (...faults: readonly Fault[]) => {
		const host = hostOf('already-set-up', faults);
		host.disturb(state => {
			delete state.docker.engine.config.runtimes['sysbox-runc'];
		});
		return host;
	};

	test('that has not read its file is reloaded', async () => {
		const host = await forgotten();
		const { end, actions } = await run(host);
		expect(actions).toEqual(['docker.reload done']);
		expect(end.exit).toBe(0);
	});

	test('that refuses to reload is quoted', async () => {
		const ended = await run(await forgotten({ name: 'docker-reload-refused' }));
		expect(ended.end.exit).toBe(1);
		expect(failures(ended)[0]?.said).toContain('unable to set up runtimes: no space left on device');
	});

	test('gets a removed entry back', async () => {
		const host = hostOf('already-set-up');
		await edit(host, before => before.replace(/,\n {4}"runtimes": \{[\s\S]*\n {4}\}\n/, '\n'));
		expect(await text(host)).not.toContain('sysbox-runc');
		const { end, actions } = await run(host);
		expect(actions).toEqual(['daemon.daemon-json done']);
		expect(end.exit).toBe(0);
	});

	test('gets another default runtime only by name, and back again', async () => {
		const host = hostOf('already-set-up');
		const answers = { 'daemon.default-runtime': true };
		expect((await run(host, { answers })).end.exit).toBe(4);
		const there = await run(host, { answers, risks: ['default-runtime'] });
		expect(there.actions).toEqual(['daemon.daemon-json done', 'docker.reload done']);
		expect(host.state().docker.engine.config.defaultRuntime).toBe('sysbox-runc');
		const back = await run(host, { answers: { 'daemon.default-runtime': false }, risks: ['default-runtime'] });
		expect(back.end.exit).toBe(0);
		expect(host.state().docker.engine.config.defaultRuntime).toBe('runc');
	});

	const otherBridge = (before: string) => before.replace('172.17.0.1/16', '172.20.0.1/16');
	const yes = { 'docker.restart': true };

	test('is restarted for an address only when asked for and accepted', async () => {
		const host = hostOf('already-set-up');
		await edit(host, otherBridge);
		expect((await run(host)).actions).toEqual([]);
		expect((await run(host, { answers: yes })).end.exit).toBe(4);
		const restarted = await run(host, { answers: yes, risks: ['restart-docker'] });
		expect(failures(restarted)).toEqual([]);
		expect(restarted.actions.filter(line => !line.includes('switch'))).toEqual(['docker.restart done']);
		expect(host.state().docker.engine.config.bridgeCidr).toBe('172.20.0.1/16');
	});

	test('that does not come back is started again', async () => {
		const host = hostOf('already-set-up', [{ name: 'docker-does-not-come-back', times: 1 }]);
		await edit(host, otherBridge);
		const ended = await run(host, { answers: yes, risks: ['restart-docker'] });
		expect(ended.end.exit).toBe(1);
		expect(ended.actions.filter(line => !line.includes('switch'))).toEqual([
			'docker.restart rolled-back',
			'docker.restart.reset-failed done',
			'docker.restart.start done',
		]);
		expect(host.state().docker.engine.up).toBe(true);
	});

	/** Accepts what is planned, and has tried again what fails. */
	const persistent = (shown: string[], answers: Answers = yes): Decider => ({
		...decideFromAnswers({ answers, saved: {}, risks: ['restart-docker'] }),
		approve: async (step, plan) => {
			shown.push(`${step}: ${plan.actions.map(({ id }) => id).join(' ')}`);
			return { kind: 'apply', risks: risksOf(plan) };
		},
		onFailure: async () => 'retry',
	});

	test('that has come back with the file is not restarted once more, when that is tried again', async () => {
		const host = hostOf('already-set-up', [{ name: 'docker-does-not-come-back', times: 1 }]);
		await edit(host, otherBridge);
		const shown: string[] = [];
		const ended = await run(host, { decider: persistent(shown) });
		expect(ended.end.exit).toBe(0);
		expect(ended.statuses).toContain('docker done');
		expect(ended.actions.filter(line => line.startsWith('docker.restart '))).toEqual(['docker.restart rolled-back']);
		expect(shown).toHaveLength(1);
		expect(host.state().docker.engine.config.bridgeCidr).toBe('172.20.0.1/16');
	});

	test('that came back without what was asked for is not called done: the default runtime is missing', async () => {
		const host = hostOf('already-set-up', [{ name: 'docker-does-not-come-back', times: 1 }]);
		await edit(host, otherBridge);
		const asked = { ...yes, 'daemon.default-runtime': true };
		const ended = await run(host, { decider: persistent([], asked) });
		expect(host.state().docker.engine.config.defaultRuntime).toBe('runc');
		expect(ended.end.exit).toBe(3);
		expect(ended.state.steps.at(-1)?.after?.find(({ id }) => id === 'docker.put-back')?.summary).toBe(
			`${file} is as it was before this run, without the default runtime`,
		);
	});

	test('that did not come back with the file of this run is not restarted for nothing: what is missing is said', async () => {
		const host = hostOf('already-set-up', [{ name: 'docker-does-not-come-back', times: 1 }]);
		await edit(host, before => JSON.stringify({ ...JSON.parse(otherBridge(before)), runtimes: {} }));
		const shown: string[] = [];
		const ended = await run(host, { decider: persistent(shown) });
		expect(ended.statuses).toContain('docker blocked');
		expect(ended.actions.filter(line => line.startsWith('docker.restart '))).toEqual(['docker.restart rolled-back']);
		expect(ended.state.steps.at(-1)?.after?.find(({ id }) => id === 'docker.put-back')).toMatchObject({
			severity: 'block',
			summary: `${file} is as it was before this run, without sysbox-runc`,
		});
		expect(host.state().docker.engine.up).toBe(true);
	});
});
