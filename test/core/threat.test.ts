import { describe, expect, it } from 'vitest';
import type { EventOf } from '../../src/core/event.ts';
import type { Finding, ThreatId } from '../../src/core/finding.ts';
import { initialState, type RunState, type StepState } from '../../src/core/state.ts';
import { threatTable } from '../../src/core/threat.ts';

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

const stateOf = (ci: Partial<StepState>, probes: readonly EventOf<'probe'>[]): RunState => ({
	...initialState,
	steps: [step('ci', { before: [clean], ...ci }), step('security', { kind: 'proof', probes })],
});

const rowOf = (state: RunState, id: ThreatId) => threatTable(state).find(row => row.id === id)!;

describe('the threat table', () => {
	it('lowers each row when its probes held and nothing of the CI reaches the host', () => {
		const rows = threatTable(stateOf({}, allHeld));
		expect(rows.map(row => [row.title, row.before.level, row.after])).toEqual([
			['Privileged container escape', 'Critical', { kind: 'lowered', level: 'Low' }],
			['Host resource abuse', 'High', { kind: 'lowered', level: 'Medium' }],
			['Docker daemon compromise', 'Critical', { kind: 'lowered', level: 'Low' }],
		]);
		expect(rows.map(row => row.restsOn)).toEqual(everyThreat.map(() => ({ held: 1, of: 1, leftOut: [] })));
	});

	it('proves nothing without a probe', () => {
		for (const row of threatTable(stateOf({}, []))) expect(row.after.kind).toBe('not-proved');
		for (const row of threatTable(initialState)) expect(row.after.kind).toBe('not-proved');
	});

	it('is still where it was when one probe did not hold, whatever else could not be told', () => {
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

	it('is not proved when one probe could not tell', () => {
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
		expect(row.before.basis).toContain('/srv/ci/docker-compose.yml:41');
		expect(rowOf(stateOf({ before: [socket] }, allHeld), 'container-escape').after.kind).toBe('lowered');
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

	it('is not proved when part of the CI could not be looked at', () => {
		const unseen = access('container-escape', {
			severity: 'could-not-tell',
			summary: 'Part of it could not be looked at',
			evidence: 'config.toml',
		});
		const row = rowOf(stateOf({ before: [unseen] }, allHeld), 'container-escape');
		expect(row.after).toEqual({ kind: 'not-proved', why: 'Part of it could not be looked at (config.toml)' });
		// It was not found, so it is no ground for the level before.
		expect(row.before.basis).not.toContain('Part of it');
	});

	it('is not proved when nobody looked at the CI at all', () => {
		const state: RunState = { ...initialState, steps: [step('security', { kind: 'proof', probes: allHeld })] };
		for (const row of threatTable(state))
			expect(row.after).toMatchObject({ kind: 'not-proved', why: expect.stringContaining('ci') });
	});

	it.each(['running', 'open'] as const)('is not proved by the first probes of a proof that is %s', status => {
		const state: RunState = {
			...initialState,
			steps: [step('ci', { before: [clean] }), step('security', { kind: 'proof', probes: allHeld, status })],
		};
		for (const row of threatTable(state)) expect(row.after.kind).toBe('not-proved');
	});

	it('says what the level before rests on when nothing shows it', () => {
		expect(rowOf(stateOf({}, allHeld), 'container-escape').before.basis).toContain('usual recipes');
	});
});
