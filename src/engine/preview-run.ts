import type { Decider } from '../model/decider.ts';
import { eventStream } from '../model/event-stream.ts';
import type { Setting } from '../model/review.ts';
import type { RunState } from '../model/state.ts';
import type { EngineDeps, EngineRequest, RunPreview } from './contract.ts';
import { runSteps } from './engine.ts';

/** What a look at the whole run needs: nothing that writes, logs or remembers. */
export type PreviewDeps = Omit<EngineDeps, 'emit' | 'state' | 'apply' | 'saveAnswer' | 'saveCursor'>;

/**
 * Plans the whole run by the code of `plan`, at the price of one more look at the host, and without a word: nothing of
 * it reaches the log, the screen or the session, as nothing was decided by it. The decider answers its questions.
 */
export async function previewRun(
	deps: PreviewDeps,
	from: RunState,
	request: EngineRequest,
	mode: 'plan' | 'check' = 'plan',
): Promise<RunPreview> {
	const stream = eventStream({ now: deps.now, readers: [], from });
	const asked = new Map<string, Setting>();
	const decider: Decider = {
		...deps.decider,
		async answer(step, question, ways, place) {
			const decision = await deps.decider.answer(step, question, ways, place);
			const { value, source } = decision.kind === 'answer' ? decision : {};
			if (!asked.has(question.id)) asked.set(question.id, { step, question, value, source });
			return decision;
		},
	};
	const end = await runSteps(
		{
			...deps,
			decider,
			emit: stream.emit,
			state: stream.state,
			apply: () => Promise.reject(new Error('what is only foreseen is not carried out')),
			saveAnswer: () => undefined,
			saveCursor: () => undefined,
		},
		{ ...request, mode },
	);
	return { end, state: stream.state(), asked: [...asked.values()] };
}
