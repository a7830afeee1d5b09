import { describe, expect, it } from 'vitest';
import { differencesOf, driftSince } from '../../src/model/drift.ts';
import type { Event } from '../../src/model/event.ts';
import type { Finding } from '../../src/model/finding.ts';
import { reduceAll } from '../../src/model/state.ts';
import { changeStep, type Observation, type StepContext } from '../../src/model/step.ts';

const finding = (id: string, severity: Finding['severity'], summary = `${id} is ${severity}`): Finding => ({
	id,
	severity,
	summary,
});

/** A run that looked once with one step, and was left. */
function left(findings: readonly Finding[], observed: readonly Observation[]) {
	const events = [
		{ type: 'step.start', step: 'docker', title: 'Docker', kind: 'change', n: 1, of: 1 },
		...observed.map(({ key, value }) => ({ type: 'observed', step: 'docker', key, value })),
		{ type: 'findings', step: 'docker', when: 'before', findings },
	];
	return reduceAll(events.map((event, seq) => ({ v: 1, seq, at: '2026-11-24T09:00:00Z', ...event })) as Event[]);
}

/** What the step finds now; `asked` counts how often it looked. */
function now(findings: readonly Finding[], observed: readonly Observation[]) {
	const asked: string[] = [];
	const step = changeStep<undefined>({
		id: 'docker',
		title: 'Docker',
		why: 'x',
		needs: [],
		inspect: async () => {
			asked.push('docker');
			return undefined;
		},
		judge: () => findings,
		observe: () => observed,
		plan: () => ({ actions: [] }),
	});
	return { step, asked };
}

const context = { signal: new AbortController().signal } as StepContext;
const fine = finding('docker.up', 'ok');

describe('a host that is looked at again before a run goes on', () => {
	it('is as it was left when nothing differs', async () => {
		const seen: Observation[] = [{ key: 'docker', value: { serverVersion: '29.7.2', runtimes: ['runc'] } }];
		const same: Observation[] = [{ key: 'docker', value: { runtimes: ['runc'], serverVersion: '29.7.2' } }];
		expect(await driftSince([now([fine], same).step], left([fine], seen), context)).toEqual([]);
	});

	it('tells what was observed otherwise, under the title of the step', async () => {
		const seen: Observation[] = [{ key: 'docker', value: { serverVersion: '29.7.2', runtimes: ['runc'] } }];
		const other: Observation[] = [{ key: 'docker', value: { serverVersion: '29.8.0', runtimes: ['crun', 'runc'] } }];
		expect(await driftSince([now([fine], other).step], left([fine], seen), context)).toEqual([
			{ about: 'Docker', text: 'server version was 29.7.2, is 29.8.0' },
			{ about: 'Docker', text: 'runtimes: crun is new' },
		]);
	});

	it('tells what hinders or warns now, and what no longer does', async () => {
		const before = [finding('a', 'warn'), finding('b', 'ok')];
		const after = [finding('a', 'ok', 'a is fine'), finding('b', 'block', 'b hinders')];
		expect(await driftSince([now(after, []).step], left(before, []), context)).toEqual([
			{ about: 'Docker', text: 'new: b hinders' },
			{ about: 'Docker', text: 'no longer so: a is warn' },
		]);
	});

	it('is not looked at by a step that the run had not come to, nor once nobody waits for it', async () => {
		const { step, asked } = now([finding('x', 'block')], []);
		expect(await driftSince([{ ...step, id: 'other' }], left([fine], []), context)).toEqual([]);
		expect(await driftSince([step], left([fine], []), { ...context, signal: AbortSignal.abort() })).toEqual([]);
		expect(asked).toEqual([]);
	});
});

describe('two observations', () => {
	it('name a file whose bytes differ by its path', () => {
		const file = (sha256: string | null) => ({ path: '/etc/docker/daemon.json', sha256 });
		expect(differencesOf(file('aa'), file('bb'))).toEqual(['/etc/docker/daemon.json was changed']);
		expect(differencesOf(file('aa'), file(null))).toEqual(['/etc/docker/daemon.json is gone']);
		expect(differencesOf(file(null), file('bb'))).toEqual(['/etc/docker/daemon.json is there now']);
	});

	it('name containers that came, went or were started anew, and count many', () => {
		const web = { name: 'web', pid: 1 };
		expect(
			differencesOf(
				[web, { name: 'db', pid: 2 }],
				[
					{ name: 'web', pid: 7 },
					{ name: 'ci', pid: 3 },
				],
			),
		).toEqual(['ci is new; db is gone; web is not as it was']);
		const many = ['a', 'b', 'c', 'd'].map(name => ({ name }));
		expect(differencesOf([], many)).toEqual(['4 are new']);
	});

	it('say of a value that was not known that it was not there', () => {
		expect(differencesOf({ kernel: null }, { kernel: '6.8' })).toEqual(['kernel was not there, is 6.8']);
	});
});
