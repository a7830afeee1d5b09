import { expect, test } from 'vitest';
import type { ShownAction } from '../../src/core/event.ts';
import type { StepOrder } from '../../src/core/order.ts';
import { foreseenSteps } from '../../src/core/review.ts';
import { initialState, type StepState } from '../../src/core/state.ts';
import { proofStep } from '../../src/core/step.ts';

const pull: ShownAction = {
	id: 'image-busybox',
	kind: 'exec',
	title: 'Pull busybox',
	why: 'the proof starts it',
	does: 'docker pull busybox',
	undo: 'docker image rm busybox',
};

const write: ShownAction = { ...pull, id: 'daemon-json', kind: 'write', title: 'Write it', does: 'write /etc/x' };

const proof = (id: string) =>
	proofStep({
		id,
		title: id,
		why: '',
		needs: [],
		inspect: async () => undefined,
		judge: () => [],
		plan: () => ({ actions: [] }),
		probes: () => ({ probes: [], leftOut: [] }),
	});

const seen = (id: string, n: number): StepState => ({
	id,
	title: id,
	kind: 'proof',
	n,
	of: 2,
	startedAt: '2026-11-26T00:00:00Z',
	status: 'open',
	before: [],
	plan: { actions: [pull, write] },
	runningProbes: [],
	probes: [],
	open: [],
});

test('an image that two steps need is counted once, a file that two steps write is not', () => {
	const order: StepOrder = {
		steps: ['functional', 'security'].map(id => ({ step: proof(id), role: 'chosen' as const })),
	};
	const state = { ...initialState, steps: [seen('functional', 1), seen('security', 2)] };
	const steps = foreseenSteps({ state }, order, -1);
	expect(steps.map(step => step.actions.map(action => action.id))).toEqual([
		['image-busybox', 'daemon-json'],
		['daemon-json'],
	]);
});
