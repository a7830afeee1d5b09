import type { Question } from '../../src/core/question.ts';
import type { DaemonFacts } from './facts.ts';
import { nameSome, runtimeName } from './sysbox-runtime.ts';
import { unfitContainers } from './unfit-containers.ts';
import { configuredDefault, defaultIsFlag, defaultRuntimeId, registrationOf } from './wish.ts';

export const answerIds = [defaultRuntimeId] as const;

export function askDaemon(facts: DaemonFacts | undefined): readonly Question[] {
	if (facts === undefined) return [question(false, [])];
	const registration = registrationOf(facts).kind;
	if (defaultIsFlag(facts) || registration === 'unreadable' || registration === 'no-program') return [];
	return [question(configuredDefault(facts) === runtimeName, breaks(facts))];
}

function question(initial: boolean, consequences: readonly string[]): Question {
	return {
		id: defaultRuntimeId,
		kind: 'confirm',
		title: `Make ${runtimeName} the default runtime of all containers?`,
		help: [
			`Without it each container asks for Sysbox itself (runtime: ${runtimeName}), and the others stay as they are.`,
			...consequences,
			'docker build with BuildKit ignores the default runtime, and if Sysbox does not start, no container does.',
		].join(' '),
		initial,
	};
}

/** What would not start, and what would start with less, on this very host. */
export function breaks(facts: DaemonFacts): readonly string[] {
	const unfit = unfitContainers(facts.docker);
	const named = (refused: boolean) => unfit.filter(c => c.refused === refused).map(c => `${c.name} (${c.because})`);
	const [refused, poorer] = [named(true), named(false)];
	return [
		...(refused.length > 0 ? [`Created anew, these would not start: ${nameSome(refused)}.`] : []),
		...(poorer.length > 0 ? [`Created anew, these would start without the host's devices: ${nameSome(poorer)}.`] : []),
	];
}
