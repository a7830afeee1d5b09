import { describe, expect, it } from 'vitest';
import { type EntryPoint, entryPointsKey } from '../../src/model/entry-point.ts';
import type { EventOf } from '../../src/model/event.ts';
import type { Finding, ThreatId } from '../../src/model/finding.ts';
import { initialState, type RunState, type StepState } from '../../src/model/state.ts';
import { threatTable } from '../../src/model/threat.ts';
import { afterReasons, sayAfter, sayBefore } from '../../src/view/threat.ts';

const step = (id: string, over: Partial<StepState> = {}): StepState => ({
	id,
	title: id,
	kind: 'change',
	n: 1,
	of: 1,
	startedAt: '2026-11-24T00:00:00Z',
	status: 'done',
	before: [],
	runningProbes: [],
	probes: [],
	open: [],
	...over,
});

const probe = (
	id: string,
	threats: readonly ThreatId[],
	verdict: EventOf<'probe'>['verdict'],
	because = 'seen',
): EventOf<'probe'> => ({
	type: 'probe',
	step: 'security',
	id,
	title: id,
	threats: [...threats],
	verdict,
	because,
	evidence: [],
	ms: 1,
	seq: 1,
	at: '2026-11-24T00:00:00Z',
});

const access = (threat: ThreatId, over: Partial<Finding> = {}): Finding => ({
	id: 'ci.container.x',
	severity: 'block',
	summary: 'One container is privileged',
	evidence: 'dind (docker:28-dind): it is privileged',
	threat,
	...over,
});

const clean: Finding = {
	id: 'ci.container',
	severity: 'ok',
	summary: 'None of the 3 running containers reaches this host',
};
const everyThreat: readonly ThreatId[] = ['container-escape', 'resource-abuse', 'docker-compromise'];
const allHeld = everyThreat.map(threat => probe(`security.${threat}`, [threat], 'pass'));

const runner: EntryPoint = {
	kind: 'runner',
	name: "gitlab-runner 'ci-07'",
	where: '/etc/gitlab-runner/config.toml:12',
	sysbox: 'yes',
	access: [],
	lacks: [],
};

const observedEntries = (entries: readonly EntryPoint[]): RunState['observed'] => {
	const seen = { at: '2026-11-24T00:00:00Z', value: [...entries] };
	return { [entryPointsKey]: { first: seen, beforeChanges: seen, last: seen } };
};

const stateOf = (
	ci: Partial<StepState>,
	probes: readonly EventOf<'probe'>[],
	entries: readonly EntryPoint[] = [runner],
	security: readonly Finding[] = [],
): RunState => ({
	...initialState,
	observed: observedEntries(entries),
	steps: [step('ci', { before: [clean], ...ci }), step('security', { kind: 'proof', probes, before: security })],
});

const rowOf = (state: RunState, id: ThreatId) => threatTable(state).find(row => row.id === id)!;
const lowerable = (state: RunState) => threatTable(state).filter(row => row.id !== 'job-to-job');

describe('the threat table', () => {
	it('lowers each row when its attacks were blocked and every entry point uses Sysbox, and names what it covers', () => {
		const rows = lowerable(stateOf({}, allHeld));
		expect(rows.map(row => [row.title, sayBefore(row), sayAfter(row)])).toEqual([
			['Privileged container escape', '–', 'Low'],
			['Host resource abuse', '–', 'Medium'],
			['Docker daemon compromise', '–', 'Low'],
		]);
		expect(rows.map(row => row.restsOn)).toEqual(everyThreat.map(() => ({ held: 1, of: 1, leftOut: [] })));
		for (const row of rows)
			expect(afterReasons(row)).toEqual(["for gitlab-runner 'ci-07' (/etc/gitlab-runner/config.toml:12)"]);
	});

	it('proves nothing without a probe', () => {
		for (const row of lowerable(stateOf({}, []))) expect(row.after.kind).toBe('not-proved');
		for (const row of lowerable(initialState)) expect(row.after.kind).toBe('not-proved');
	});

	it('is still where it was when one attack got through, whatever else could not be told', () => {
		const probes = [
			...allHeld,
			probe('security.bad', ['container-escape'], 'fail', 'it wrote'),
			probe('security.dim', ['container-escape'], 'could-not-tell'),
		];
		const row = rowOf(stateOf({}, probes), 'container-escape');
		expect(row.after).toEqual({ kind: 'still', level: 'Critical', where: ['security.bad: it wrote'] });
		expect(row.restsOn).toMatchObject({ held: 1, of: 3 });
		expect(rowOf(stateOf({}, probes), 'resource-abuse').after.kind).toBe('lowered');
	});

	it('is not proved when one attack could not be told', () => {
		const probes = [...allHeld, probe('limits.cpu', ['resource-abuse'], 'could-not-tell', 'no cpu controller')];
		expect(rowOf(stateOf({}, probes), 'resource-abuse').after).toEqual({
			kind: 'not-proved',
			why: 'limits.cpu: no cpu controller',
		});
	});

	it('names probes that were left out, and counts them neither way', () => {
		const probes = [...allHeld, probe('security.module', ['container-escape'], 'left-out')];
		expect(rowOf(stateOf({}, probes), 'container-escape')).toMatchObject({
			after: { kind: 'lowered' },
			restsOn: { held: 1, of: 1, leftOut: ['security.module'] },
		});
	});

	it('does not rest on probes that were left out alone', () => {
		const row = rowOf(stateOf({}, [probe('security.module', ['container-escape'], 'left-out')]), 'container-escape');
		expect(row.after.kind).toBe('not-proved');
	});

	it('counts a probe of several threats in each of their rows', () => {
		const probes = [probe('security.both', ['container-escape', 'docker-compromise'], 'pass')];
		expect(rowOf(stateOf({}, probes), 'container-escape').after.kind).toBe('lowered');
		expect(rowOf(stateOf({}, probes), 'docker-compromise').after.kind).toBe('lowered');
		expect(rowOf(stateOf({}, probes), 'resource-abuse').after.kind).toBe('not-proved');
	});

	it('stays where it was as long as a CI container has that access, and says where', () => {
		const socket = access('docker-compromise', {
			summary: 'One container has the socket',
			evidence: 'runner at /srv/ci/docker-compose.yml:41',
		});
		const row = rowOf(stateOf({ before: [socket] }, allHeld), 'docker-compromise');
		expect(row.after).toEqual({
			kind: 'still',
			level: 'Critical',
			where: ['One container has the socket (runner at /srv/ci/docker-compose.yml:41)'],
		});
		expect([sayBefore(row), sayAfter(row)]).toEqual(['Critical', 'still Critical']);
		expect(row.before.basis).toContain('/srv/ci/docker-compose.yml:41');
		expect(rowOf(stateOf({ before: [socket] }, allHeld), 'container-escape').after.kind).toBe('lowered');
	});

	it.each(['block', 'warn'] as const)('counts for now what it counts for before: %s', severity => {
		const piece = access('container-escape', { severity, keeps: 'threat' });
		const row = rowOf(stateOf({ before: [piece] }, allHeld), 'container-escape');
		expect(row.before).toMatchObject({ kind: 'found', level: 'Critical' });
		expect(row.after).toMatchObject({ kind: 'still', level: 'Critical' });
	});

	it('says how many more places there are', () => {
		const many = access('container-escape', { evidence: 'a\nb\nc' });
		const row = rowOf(stateOf({ before: [many] }, allHeld), 'container-escape');
		expect(row.after).toMatchObject({ where: ['One container is privileged (a; and 2 more)'] });
	});

	it('is not moved by a waiver', () => {
		const waived = access('container-escape', { waived: { reason: 'known', expires: '2027-01-01' } });
		expect(rowOf(stateOf({ before: [waived] }, allHeld), 'container-escape').after.kind).toBe('still');
	});

	it('looks at what was found last: access that is gone counts for before, not for after', () => {
		const row = rowOf(stateOf({ before: [access('container-escape')], after: [clean] }, allHeld), 'container-escape');
		expect(row.after.kind).toBe('lowered');
		expect(row.before.basis).toContain('One container is privileged');
	});

	it('is ready, and no more, where no entry point was found', () => {
		for (const row of lowerable(stateOf({}, allHeld, []))) {
			expect([sayBefore(row), sayAfter(row)]).toEqual(['–', 'ready, no job uses Sysbox yet']);
			expect(afterReasons(row)).toEqual([]);
		}
	});

	it('is ready, and names them, where entry points without access do not use Sysbox', () => {
		const plain: EntryPoint = { ...runner, name: "container 'agent'", where: 'corp/agent:1', sysbox: 'no' };
		const none = rowOf(stateOf({}, allHeld, [plain]), 'container-escape');
		expect([sayAfter(none), ...afterReasons(none)]).toEqual([
			'ready, no job uses Sysbox yet',
			"not under Sysbox: container 'agent' (corp/agent:1)",
		]);
		const some = rowOf(stateOf({}, allHeld, [runner, plain]), 'container-escape');
		expect(sayAfter(some)).toBe('ready, not every job uses it');
	});

	it('is unknown when part of the CI could not be looked at', () => {
		const unseen = access('container-escape', {
			severity: 'could-not-tell',
			summary: 'Part of it could not be looked at',
			evidence: 'config.toml',
		});
		const row = rowOf(stateOf({ before: [unseen] }, allHeld), 'container-escape');
		expect(row.after).toEqual({ kind: 'unknown', why: 'Part of it could not be looked at (config.toml)' });
		// It was not found, so it is no ground for a level before.
		expect(sayBefore(row)).toBe('unknown');
	});

	it('is unknown when the runtime of an entry point could not be told', () => {
		const row = rowOf(stateOf({}, allHeld, [{ ...runner, sysbox: 'unknown' }]), 'container-escape');
		expect(row.after).toMatchObject({ kind: 'unknown', why: expect.stringContaining("gitlab-runner 'ci-07'") });
	});

	it('speaks of the configured workload: a limit that it lacks keeps the row High, in use or prepared', () => {
		const lacks = access('resource-abuse', {
			severity: 'warn',
			summary: 'No limit of processes for GitLab jobs',
			evidence: '/etc/gitlab-runner/config.toml:12',
		});
		const inUse = rowOf(stateOf({ before: [lacks] }, allHeld), 'resource-abuse');
		expect([sayBefore(inUse), sayAfter(inUse), ...afterReasons(inUse)]).toEqual([
			'High',
			'still High',
			'No limit of processes for GitLab jobs (/etc/gitlab-runner/config.toml:12)',
		]);
		const prepared: Finding = { ...lacks, severity: 'info', evidence: '/root/sysbox-ci/gitlab-runner.config.toml:16' };
		const ready = rowOf(stateOf({ before: [prepared] }, allHeld, []), 'resource-abuse');
		expect([sayBefore(ready), sayAfter(ready), ...afterReasons(ready)]).toEqual([
			'–',
			'High',
			'No limit of processes for GitLab jobs (/root/sysbox-ci/gitlab-runner.config.toml:16)',
		]);
		// Another entry point is in use, and has its limits: the file is not.
		expect(rowOf(stateOf({ before: [prepared] }, allHeld), 'resource-abuse').after.kind).toBe('lowered');
	});

	it('goes no lower than Medium with an open vulnerability, and names it; and names the table where there is none', () => {
		const open: Finding = {
			id: 'security.cves',
			severity: 'warn',
			caps: 'threat',
			summary: 'Open CVEs of Sysbox 0.6.6: CVE-2025-31133',
		};
		const capped = rowOf(stateOf({}, allHeld, [runner], [open]), 'container-escape');
		expect([sayAfter(capped), ...afterReasons(capped)]).toEqual([
			'Medium',
			"for gitlab-runner 'ci-07' (/etc/gitlab-runner/config.toml:12)",
			'no lower than Medium: Open CVEs of Sysbox 0.6.6: CVE-2025-31133',
		]);
		expect(rowOf(stateOf({}, allHeld, [], [open]), 'container-escape')).toMatchObject({
			after: { kind: 'ready' },
			known: [open.summary],
		});
		const none: Finding = { ...open, severity: 'ok', summary: 'Open CVEs: none in our table of 2026-11-23' };
		const lowered = rowOf(stateOf({}, allHeld, [runner], [none]), 'container-escape');
		expect(lowered).toMatchObject({ after: { kind: 'lowered', level: 'Low', caps: [] }, known: [none.summary] });
	});

	it('has a row that Sysbox CE does not lower, whatever was proved', () => {
		for (const state of [initialState, stateOf({}, allHeld)]) {
			const row = threatTable(state).at(-1)!;
			expect([row.title, sayBefore(row), sayAfter(row)]).toEqual([
				'Job to job',
				'High',
				'High, not lowered by Sysbox CE',
			]);
			expect(afterReasons(row)[0]).toContain('one trust zone per host');
		}
	});

	it('says of each row how a job goes about it and what that means', () => {
		for (const row of threatTable(initialState)) expect(`${row.way}: ${row.impact}`.length).toBeGreaterThan(40);
	});

	it('is not proved when nobody looked at the CI at all, and says that of before too', () => {
		const state: RunState = { ...initialState, steps: [step('security', { kind: 'proof', probes: allHeld })] };
		for (const row of lowerable(state)) {
			expect(row.after).toEqual({ kind: 'not-proved', why: 'the step ci did not run, so your CI was not looked at' });
			expect(row.before).toEqual({
				kind: 'not-looked',
				basis: 'the step ci did not run, so your CI was not looked at',
			});
		}
	});

	it('is not proved by a log of a version that did not look for entry points', () => {
		const state: RunState = { ...stateOf({}, allHeld), observed: {} };
		for (const row of lowerable(state)) expect(row.after.kind).toBe('not-proved');
	});

	it.each(['running', 'open'] as const)('is not proved by the first probes of a proof that is %s', status => {
		const state: RunState = {
			...initialState,
			observed: observedEntries([runner]),
			steps: [step('ci', { before: [clean] }), step('security', { kind: 'proof', probes: allHeld, status })],
		};
		for (const row of lowerable(state)) expect(row.after.kind).toBe('not-proved');
	});
});
