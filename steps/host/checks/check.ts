import { type DockerTrouble, describeDockerTrouble, followsTrouble } from '../../../src/docker/daemon.ts';
import type { DockerInfo } from '../../../src/docker/info.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { JudgeContext } from '../../../src/model/step.ts';
import type { HostFacts } from '../host-facts.ts';

/** What a check makes of the facts. */
export type Verdict = Omit<Finding, 'id' | 'why' | 'waived'>;

/** One question about a host. The id is public and never changes its meaning. */
export interface Check {
	readonly id: string;
	/** What is looked at, for the list of all checks. */
	readonly about: string;
	/** Why the answer matters. */
	readonly why: string;
	readonly judge: (facts: HostFacts, context: JudgeContext) => Verdict;
}

export const ok = (summary: string, evidence?: string): Verdict => ({ severity: 'ok', summary, ...seen(evidence) });

type Details = Pick<Verdict, 'evidence' | 'remedy' | 'threat' | 'caps' | 'keeps' | 'breaks' | 'needs'>;

export const info = (summary: string, details: Details = {}): Verdict => ({ severity: 'info', summary, ...details });

export const warn = (summary: string, details: Details = {}): Verdict => ({ severity: 'warn', summary, ...details });

export const block = (summary: string, details: Details = {}): Verdict => ({ severity: 'block', summary, ...details });

/** What could not be read is never called good. `asRoot`: root could have read it, and this process is not root. */
export const couldNotTell = (summary: string, evidence: string, asRoot = false): Verdict => ({
	severity: 'could-not-tell',
	summary,
	...seen(evidence),
	...(asRoot && { needsRoot: true as const }),
});

export const commands = (text: string, ...lines: readonly string[]): Pick<Verdict, 'remedy'> => ({
	remedy: { kind: 'commands', text, commands: lines },
});

export const advice = (text: string): Pick<Verdict, 'remedy'> => ({ remedy: { kind: 'advice', text } });

const seen = (evidence: string | undefined) => (evidence === undefined ? {} : { evidence });

/** A check of what the daemon says about itself. Without its answer nothing can be told. */
export function dockerCheck(
	id: string,
	subject: string,
	why: string,
	judge: (docker: DockerInfo, facts: HostFacts, context: JudgeContext) => Verdict,
): Check {
	return {
		id,
		about: subject.charAt(0).toLowerCase() + subject.slice(1),
		why,
		judge: (facts, context) => {
			const { info: answer } = facts.docker;
			if (answer.kind !== 'ok') return withoutDocker(subject, answer);
			return answer.value.podman
				? {
						...couldNotTell(`${subject} is not known: podman answers in Docker's place`, 'docker info'),
						follows: 'docker.podman',
					}
				: judge(answer.value, facts, context);
		},
	};
}

export const withoutDocker = (subject: string, trouble: DockerTrouble): Verdict => ({
	...couldNotTell(
		`${subject} is not known: ${describeDockerTrouble(trouble)}`,
		'docker info',
		trouble.kind === 'denied',
	),
	...followsTrouble(trouble),
});

/** `8.1 GB`, as disks and memory are sold. */
export function gigabytes(bytes: number): string {
	return `${(bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0)} GB`;
}

/** `cpu, memory and pids`. */
export function listed(words: readonly string[]): string {
	return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
