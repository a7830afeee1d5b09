import { describe, expect, it } from 'vitest';
import { showAction } from '../../src/actions/show-action.ts';
import type { EngineDeps, EngineEnd } from '../../src/engine/contract.ts';
import { runSteps } from '../../src/engine/engine.ts';
import type { Action } from '../../src/model/action.ts';
import type { AnswerDecision, Decider } from '../../src/model/decider.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import type { Finding } from '../../src/model/finding.ts';
import { orderSteps } from '../../src/model/order.ts';
import { changeStep, proofStep, type Step } from '../../src/model/step.ts';
import { tinyHost } from '../support/tiny-host.ts';

const yes = (value: boolean): AnswerDecision => ({ kind: 'answer', value, source: 'operator' });
const back: AnswerDecision = { kind: 'back' };

/** A step that asks, and may have something to do. */
function asking(
	id: string,
	questions: readonly string[],
	options: { blocks?: () => boolean; plans?: boolean } = {},
): Step {
	return changeStep<undefined>({
		id,
		title: id,
		why: 'test',
		needs: [],
		inspect: async () => undefined,
		judge: (): readonly Finding[] =>
			options.blocks?.() === true ? [{ id: `${id}.block`, severity: 'block', summary: 'in the way' }] : [],
		ask: () =>
			questions.map(name => ({
				id: `${id}.${name}`,
				kind: 'confirm',
				title: name,
				label: 'Setting',
				help: '',
				initial: true,
			})),
		plan: () => {
			if (options.plans !== true) return { actions: [] };
			return {
				actions: [
					{
						id: 'x',
						kind: 'exec',
						title: 'x',
						why: 'x',
						argv: ['true'],
						timeoutMs: 1,
						undo: { kind: 'none', why: 'x' },
					},
				],
			};
		},
	});
}

async function run(steps: readonly Step[], decider: Partial<Decider>): Promise<{ end: EngineEnd; calls: string[] }> {
	const order = orderSteps(steps, {});
	if (order.kind !== 'order') throw new Error('cycle');
	const calls: string[] = [];
	const stream = eventStream({ now: () => new Date(0), readers: [] });
	const host = tinyHost(new Map());
	const deps = {
		host,
		decider: {
			...decider,
			answer: (step, question, ways, place) => {
				calls.push(`${question.id}${ways.back ? ' <' : ''}`);
				return decider.answer?.(step, question, ways, place) ?? Promise.resolve(yes(true));
			},
		} as Decider,
		emit: stream.emit,
		state: stream.state,
		now: () => new Date(0),
		signal: new AbortController().signal,
		saveCursor: () => undefined,
		cleanUpProbes: async () => [],
		elapsed: () => 0,
		saveAnswer: () => undefined,
		show: (action: Action) => showAction(action),
		apply: async () => ({ kind: 'manual' }),
		options: {},
		knowledge: {},
	} as unknown as EngineDeps;
	const end = await runSteps(deps, { mode: 'run', order: order.order, waivers: [], strict: false, recordAsked: false });
	return { end, calls };
}

/** Answers one after the other; yes when there are no more. */
const script = (...answers: readonly AnswerDecision[]): Pick<Decider, 'answer'> => {
	const left = [...answers];
	return { answer: async () => left.shift() ?? yes(true) };
};

describe('a question', () => {
	/** Answers yes; `back` once at the second question. */
	const placed = (shown: string[], extra: Partial<Decider> = {}): Partial<Decider> => ({
		...extra,
		answer: async (_step, { id }, _ways, { n, of, next }) => {
			shown.push(`${id} ${n}/${of} ${next}`);
			return id === 'a.two' && shown.length === 2 ? back : yes(true);
		},
	});

	it('tells its place among those of its step, and what is shown behind them', async () => {
		const shown: string[] = [];
		await run([asking('a', ['one', 'two']), asking('b', ['three'])], placed(shown));
		expect(shown).toEqual(['a.one 1/2 plan', 'a.two 2/2 plan', 'a.one 1/2 plan', 'a.two 2/2 plan', 'b.three 1/1 plan']);
	});
});

describe('going back', () => {
	it('leads to the question before, and is not offered at the first', async () => {
		const { calls, end } = await run([asking('a', ['one', 'two'])], script(yes(true), back));
		expect(calls).toEqual(['a.one', 'a.two <', 'a.one', 'a.two <']);
		expect(end.exit).toBe(0);
	});

	it('leads to the step before, past steps where nothing was decided', async () => {
		const { calls, end } = await run(
			[asking('a', ['one']), asking('b', []), asking('c', ['two'])],
			script(yes(true), back),
		);
		expect(calls).toEqual(['a.one', 'c.two <', 'a.one', 'c.two <']);
		expect(end.exit).toBe(0);
	});

	it('is told to whoever decides, from then on: nothing is answered for them any more', async () => {
		const told: string[] = [];
		let asked = 0;
		await run([asking('a', ['one', 'two']), asking('b', ['three'])], {
			answer: async (_step, { id }, { turned }) => {
				told.push(`${id}${turned === true ? ' turned' : ''}`);
				return asked++ === 1 ? back : yes(true);
			},
		});
		expect(told).toEqual(['a.one', 'a.two', 'a.one turned', 'a.two turned', 'b.three turned']);
	});

	it('leads from a plan to the last question', async () => {
		let asked = 0;
		const { calls } = await run([asking('a', ['one'], { plans: true })], {
			...script(),
			approve: async () => ({ kind: asked++ === 0 ? 'back' : 'skip' }),
		});
		expect(calls).toEqual(['a.one', 'a.one']);
	});
});

describe('a proof that was announced', () => {
	it('is led back from to the question that its step asked last', async () => {
		const question = {
			id: 'proof.image',
			kind: 'confirm',
			title: 'image',
			label: 'Setting',
			help: '',
			initial: true,
		} as const;
		let announced = 0;
		const { calls } = await run([asking('a', ['one']), { ...proof, ask: () => [question] }], {
			...script(),
			beforeProbes: async () => (announced++ === 0 ? 'back' : 'run'),
		});
		expect(calls).toEqual(['a.one', 'proof.image <', 'proof.image <']);
	});
});

const proof = proofStep<undefined>({
	id: 'proof',
	title: 'proof',
	why: 'test',
	needs: [],
	answerIds: [],
	inspect: async () => undefined,
	judge: () => [],
	plan: () => ({ actions: [] }),
	probes: () => ({ probes: [], leftOut: [], announced: [] }),
});

describe('a proof that was made', () => {
	const steps = [asking('a', ['one']), proof, asking('b', ['two'])];

	it('is not led back before: asked once more, it would look as if it had not been made', async () => {
		const { calls } = await run(steps, { ...script(), beforeProbes: async () => 'run' });
		expect(calls).toEqual(['a.one', 'b.two']);
	});

	it('is led back to where it was left out', async () => {
		const { calls } = await run(steps, { ...script(), beforeProbes: async () => 'skip' });
		expect(calls).toEqual(['a.one', 'b.two <']);
	});
});

describe('a block', () => {
	it('is looked at again as often as the operator says', async () => {
		let left = 2;
		const { end } = await run([asking('a', [], { blocks: () => left > 0 })], {
			...script(),
			onBlocked: async () => {
				left -= 1;
				return 'look-again';
			},
		});
		expect(end.exit).toBe(0);
	});

	it('that an answer made leads back to the question', async () => {
		let blocked = false;
		const { calls, end } = await run([asking('a', ['one'], { blocks: () => blocked })], {
			answer: async () => {
				blocked = !blocked;
				return yes(blocked);
			},
			onBlocked: async () => 'back',
		});
		expect(calls).toEqual(['a.one', 'a.one']);
		expect(end.exit).toBe(0);
	});

	it('ends the step where nobody can be asked', async () => {
		expect((await run([asking('a', [], { blocks: () => true })], script())).end.exit).toBe(3);
	});
});
