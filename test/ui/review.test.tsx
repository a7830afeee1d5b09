import { describe, expect, it } from 'vitest';
import type { PreviewedStep } from '../../src/model/review.ts';
import { bench, enter, esc, shown, stepStart } from './support.tsx';

const run: readonly PreviewedStep[] = [
	{
		id: 'host',
		n: 1,
		title: 'Host compatibility',
		kind: 'change',
		actions: [shown({ title: 'Install fuse3, jq' })],
		asks: 0,
		assumed: [],
	},
	{
		id: 'daemon',
		n: 3,
		title: 'Docker configuration',
		kind: 'change',
		actions: [],
		asks: 1,
		assumed: [{ id: 'daemon.default-runtime', value: false }],
	},
	{
		id: 'docker',
		n: 4,
		title: 'Docker reload or restart',
		kind: 'change',
		actions: [
			shown({
				id: 'restart',
				title: 'Restart Docker',
				risks: ['restart-docker'],
				diff: [{ kind: 'add', text: '"bip"' }],
			}),
		],
		impact: { stops: ['db stops'], notes: [] },
		asks: 0,
		assumed: [],
	},
	{
		id: 'functional',
		n: 6,
		title: 'Functional proof',
		kind: 'proof',
		actions: [],
		asks: 0,
		assumed: [],
		unknown: 'no answer for functional.image',
	},
	{ id: 'record', n: 8, title: 'Record', kind: 'report', actions: [], asks: 0, assumed: [] },
];

describe('the review of a run', () => {
	it('of a run that has changed something is about the rest of it', async () => {
		const { emit, decider, sees } = bench();
		await emit(stepStart('host'));
		await emit({
			type: 'action.intent',
			step: 'host',
			action: 'install',
			title: 'Install fuse3',
			kind: 'exec',
			does: 'x',
			undo: { kind: 'none', why: 'x' },
		});
		await emit({ type: 'action.outcome', step: 'host', action: 'install', outcome: 'done', ms: 1 });
		void decider.review?.(run, { back: true });
		await sees('Review: the rest of the run');
		await sees('Nothing of it is done yet');
	});

	it('tells of a risk that was accepted when the run was started', async () => {
		const { emit, decider, sees, frame } = bench({ intro: { accepted: ['restart-docker'] } });
		await emit(stepStart('host'));
		void decider.review?.(run, { back: true });
		await sees('Review: the whole run');
		expect(frame()).toContain('✔ accepted with --accept-risk: restart-docker');
		expect(frame()).not.toContain('has to be accepted');
	});

	it('shows every change, what stops, what is only assumed and the way back', async () => {
		const { emit, decider, sees, frame, keys } = bench();
		await emit(stepStart('host'));
		const decision = decider.review?.(run, { back: true });
		await sees('Review: the whole run');
		for (const words of [
			'2 changes to this host. Nothing is done yet.',
			'Install fuse3, jq',
			'Docker configuration      1 question; nothing to change',
			'Restart Docker ▲',
			'Functional proof          cannot be foreseen: no answer for functional.ima…',
			'Record                    written at the end',
			'✖ stops at step 4: db stops',
			'▲ has to be accepted by name: restart-docker',
			'1 question still to come may change this; v shows what is assumed',
			'Revert with:  sysbox-setup revert',
		])
			expect(frame()).toContain(words);
		await keys(enter);
		expect(await decision).toEqual({ kind: 'apply', risks: [] });
	});

	it('shows each of them in full, and comes back', async () => {
		const { emit, decider, sees, keys, printed } = bench();
		await emit(stepStart('host'));
		const decision = decider.review?.(run, { back: true });
		await sees('Step by step');
		await keys('v');
		await sees('Everything that this run would do');
		await sees('apt-get purge fuse3');
		await keys('G');
		await sees('"bip"');
		await keys(esc);
		await sees('Step by step');
		await keys('c');
		expect(printed).toEqual(['apt-get install -y fuse3', 'apt-get install -y fuse3']);
		await keys('b');
		expect(await decision).toEqual({ kind: 'back' });
	});

	it('can be left, and has no way back where there is none', async () => {
		const { emit, decider, sees, frame, keys } = bench();
		await emit(stepStart('host'));
		const decision = decider.review?.(run, { back: false });
		await sees('Step by step');
		expect(frame()).not.toContain('b back');
		await keys('q');
		expect(await decision).toEqual({ kind: 'quit' });
	});

	it.each([
		[80, 24],
		[60, 20],
	])('fits %i columns and %i rows with many steps', async (columns, rows) => {
		const { emit, decider, sees, frame, keys } = bench({ size: { columns, rows } });
		await emit(stepStart('host'));
		const actions = Array.from({ length: 9 }, (_, n) =>
			shown({ id: `a${n}`, title: `Write /etc/some/quite/long/path-${n}` }),
		);
		const many = Array.from({ length: 8 }, (_, n) => ({
			...(run[0] as PreviewedStep),
			id: `s${n}`,
			n: n + 1,
			actions,
		}));
		const decision = decider.review?.(many, { back: true });
		await sees('72 changes to this host');
		expect(frame().split('\n').length).toBeLessThan(rows);
		for (const row of frame().split('\n')) expect(row.length).toBeLessThan(columns);
		expect(frame()).toContain('9 changes: Write /etc');
		await keys(enter);
		await decision;
	});
});
