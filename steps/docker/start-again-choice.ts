import { listAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';

export const startAgainId = 'docker.start-again';

/**
 * Which of the containers that stay down are started again: those that somebody named. Where nobody was asked, those
 * whose restart policy says that they may run twice: a migration or another one-shot container has none.
 */
export function chosenToStart({
	answers,
}: Pick<JudgeContext, 'answers'>): (container: { readonly name: string; readonly restartPolicy: string }) => boolean {
	const chosen = listAnswer(answers, startAgainId);
	return container => (chosen === undefined ? startedByDefault(container) : chosen.includes(container.name));
}

export const startedByDefault = ({ restartPolicy }: { readonly restartPolicy: string }): boolean =>
	restartPolicy !== 'no' && restartPolicy !== '';
