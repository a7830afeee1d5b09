import type { Question } from '../../src/model/question.ts';
import { defaultRuntimeId } from '../../src/sysbox/question-ids.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { canHaveDefault, configuredDefault } from './desired.ts';
import type { DaemonFacts } from './facts.ts';
import { breaks } from './under-default.ts';

export const answerIds = [defaultRuntimeId] as const;

export function askDaemon(facts: DaemonFacts | undefined): readonly Question[] {
	if (facts === undefined) return [question(false, [])];
	if (!canHaveDefault(facts)) return [];
	return [question(configuredDefault(facts) === runtimeName, breaks(facts))];
}

function question(initial: boolean, consequences: readonly string[]): Question {
	return {
		id: defaultRuntimeId,
		label: 'Sysbox as default runtime',
		kind: 'confirm',
		title: `Make ${runtimeName} the default runtime of all containers?`,
		help: [
			`No is right for most hosts: a container gets Sysbox by asking for it (runtime: ${runtimeName}), and the CI files ask.`,
			'With yes, each one that names no runtime and is created from then on gets it too.',
			'None of them starts while Sysbox does not run.',
			...consequences,
			'docker build with BuildKit ignores the default runtime.',
		].join(' '),
		initial,
	};
}
