import type { DockerFacts } from '../docker/daemon.ts';
import type { ContainerSpec } from '../model/probe.ts';
import { type Answers, type Question, textAnswer } from '../model/question.ts';
import { runtimeName } from '../sysbox/runtime.ts';

/** Docker's own image with an engine. The tag names a major version: what it stands for is shown, and can be pinned. */
export const defaultImage = 'docker:29-dind';

/** The same question as in the step that writes the CI files, for a run of the proofs alone. */
export const imageQuestion: Question = {
	id: 'ci.image',
	label: 'Image of inner Docker',
	kind: 'text',
	fetches: true,
	title: 'Which image do your CI jobs get Docker from?',
	help: 'The proofs start throw-away containers of this image, so that they speak of your CI and not of a clean room.',
	initial: defaultImage,
	validate: imageProblem,
};

export const ciImage = (answers: Answers): string => textAnswer(answers, 'ci.image') ?? String(imageQuestion.initial);

/** What is wrong with an image's name. A name that begins with a dash would be an option of docker. */
export function imageProblem(value: string): string | undefined {
	if (/^[a-zA-Z0-9][\w./:@-]*$/.test(value)) return undefined;
	return 'must be the name of an image, such as registry.example/team/ci:1.4';
}

/** A container as a CI job gets it. */
export interface Workload {
	readonly image: string;
	/** Options of `docker run`: the limits of the configured jobs, as far as this host can hold them. */
	readonly options: readonly string[];
	/** Limits that are configured and are not among the options, because this host's cgroups cannot enforce them. */
	readonly unenforceable: readonly string[];
}

/** The limits that a job gets, by their option of `docker run` and the controller that has to be there for it. */
const limits = [
	{ answer: 'ci.memory', option: '--memory', controller: 'memory' },
	{ answer: 'ci.cpus', option: '--cpus', controller: 'cpu' },
	{ answer: 'ci.pids', option: '--pids-limit', controller: 'pids' },
] as const;

export function workload(answers: Answers, docker: DockerFacts): Workload {
	const enforced = docker.info.kind === 'ok' ? docker.info.value.limits : undefined;
	const options: string[] = [];
	const unenforceable: string[] = [];
	for (const { answer, option, controller } of limits) {
		const value = answers[answer];
		if (value === undefined || String(value).trim() === '') continue;
		const argument = `${option}=${String(value).trim()}`;
		// Without the cpu controller docker refuses the container ("NanoCPUs can not be set"), without the others it
		// drops the limit with a warning (seen with Docker 26.1.5).
		if (enforced?.[controller] === false) unenforceable.push(argument);
		else options.push(argument);
	}
	return { image: ciImage(answers), options, unenforceable };
}

/** How long a container that is only there to be entered stays: it ends by itself should nobody be left to remove it. */
const idleSeconds = '3600';

/** A workload container that does nothing, for `docker exec`. */
export const idle = ({ image, options }: Workload): ContainerSpec => ({
	image,
	runtime: runtimeName,
	options,
	entrypoint: 'sleep',
	command: [idleSeconds],
});
