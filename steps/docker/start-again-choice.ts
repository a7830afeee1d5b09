import { listAnswer } from '../../src/core/question.ts';
import type { JudgeContext } from '../../src/core/step.ts';

export const startAgainId = 'docker.start-again';

/** Which of the containers that stay down are started again: all, unless somebody said otherwise. */
export function chosenToStart({ answers }: Pick<JudgeContext, 'answers'>): (name: string) => boolean {
	const chosen = listAnswer(answers, startAgainId);
	return name => chosen === undefined || chosen.includes(name);
}
