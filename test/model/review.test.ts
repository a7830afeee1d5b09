import { expect, test } from 'vitest';
import type { EventOf } from '../../src/model/event.ts';
import type { StepOrder } from '../../src/model/order.ts';
import { previewedSteps } from '../../src/model/review.ts';
import { initialState } from '../../src/model/state.ts';
import { type JudgeContext, proofStep, type ReportStep } from '../../src/model/step.ts';

const proof = (id: string) =>
	proofStep({
		id,
		title: id,
		why: '',
		needs: [],
		inspect: async () => undefined,
		judge: () => [],
		plan: () => ({ actions: [] }),
		probes: () => ({ probes: [], leftOut: [], announced: [] }),
	});

const fromFirst = { step: 'functional', seq: -1, context: {} as JudgeContext };

test('questions of later steps are counted, those of a report too', () => {
	const record: ReportStep = {
		kind: 'report',
		id: 'record',
		title: 'Record',
		why: '',
		needs: [],
		ask: () => [
			{ id: 'record.owner', kind: 'text', title: 'Who?', label: 'Setting', help: '' },
			{ id: 'record.days', kind: 'number', title: 'When?', label: 'Setting', help: '' },
		],
		inspect: async () => ({ kind: 'refused', why: 'x' }),
		compose: () => {
			throw new Error('nothing is composed in a review');
		},
	};
	const order: StepOrder = {
		steps: [proof('functional'), proof('security'), record].map(step => ({ step, role: 'chosen' as const })),
	};
	const answer = (step: string, id: string, seq: number): EventOf<'answer'> => ({
		seq,
		at: '',
		type: 'answer',
		step,
		id,
		value: 'x',
		source: 'default',
	});
	const answerEvents = [
		answer('security', 'security.before', 3),
		answer('functional', 'functional.image', 6),
		answer('security', 'security.image', 7),
	];
	const steps = previewedSteps({ state: { ...initialState, answerEvents } }, order, { ...fromFirst, seq: 5 });
	expect(steps.map(({ id, asks }) => `${id} ${asks}`)).toEqual(['functional 0', 'security 1', 'record 2']);
});
