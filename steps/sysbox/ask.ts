import type { Question } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { upgradeId } from '../../src/sysbox/question-ids.ts';
import { runningUnderSysbox } from '../../src/sysbox/runtime.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { decide, replacement, replacementByDefault } from './decision.ts';
import type { SysboxFacts } from './facts.ts';
import { reformatId, unseenKeys } from './package-keys.ts';

export const answerIds = [upgradeId, reformatId] as const;

/** Both questions depend on the host: before it was looked at there is nothing to ask. */
export function askSysbox(facts: SysboxFacts | undefined, context: JudgeContext): readonly Question[] {
	if (facts === undefined) return [];
	const questions: Question[] = [];
	const offer = replacement(facts);
	if (offer !== undefined) {
		const users = runningUnderSysbox(facts.docker).map(c => c.name);
		const breaks =
			users.length > 0
				? `Containers that run under Sysbox are stopped first and started again afterwards: ${nameSome(users)}.`
				: 'No container runs under Sysbox now.';
		questions.push({
			id: upgradeId,
			label: 'Replace Sysbox',
			alone: true,
			kind: 'confirm',
			title: `Replace Sysbox ${offer.from} by ${offer.older ? 'the older ' : ''}${offer.to}?`,
			help: `The Sysbox services restart. ${breaks} Containers of other runtimes keep running.`,
			initial: replacementByDefault(facts, context),
		});
	}
	const unseen = unseenKeys(facts);
	if (unseen.length > 0 && decide(facts, context).kind !== 'leave') {
		questions.push({
			id: reformatId,
			label: 'Reformat daemon.json',
			kind: 'confirm',
			title: `Lay out ${nameSome(unseen)} in ${facts.file.path} anew?`,
			help: `The package's installer looks for them behind spaces, one key a line, and refuses to install beside containers when it does not see them. Their values stay, and so does every other line.`,
			initial: true,
		});
	}
	return questions;
}
