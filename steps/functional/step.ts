import { type DockerFacts, inspectDocker } from '../../src/docker/daemon.ts';
import { type DaemonFile, readDaemonFile } from '../../src/docker/daemon-file.ts';
import { inspectDockerdUnit } from '../../src/docker/dockerd-unit.ts';
import type { LeftOut } from '../../src/model/probe.ts';
import { type Answers, type Question, textAnswer } from '../../src/model/question.ts';
import { proofStep } from '../../src/model/step.ts';
import { removedAtTheEnd } from '../../src/probe/announcement.ts';
import { type ImageFacts, inspectImages, judgeImages, planImages } from '../../src/probe/images.ts';
import { explained, type IssueVersions, inspectVersions, issuesWithWords } from '../../src/probe/known-symptoms.ts';
import { judgeRuntime } from '../../src/probe/runtime.ts';
import { ciImage, imageProblem, imageQuestion, workload } from '../../src/probe/workload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { parseSubordinateIds, type UserRange, userRange } from '../../src/system/subordinate-ids.ts';
import { readTextFile } from '../../src/system/text-file.ts';
import { putDefaultBack, setByThisRun } from './default-back.ts';
import { functionalFindingIds } from './finding-ids.ts';
import { functionalProbes } from './probes.ts';
import { defaultRuntimeProbe, ranBefore, runningContainers, underNewDefault } from './regression.ts';

interface FunctionalFacts {
	readonly docker: DockerFacts;
	readonly images: ImageFacts;
	readonly subuid: UserRange | undefined;
	/** What this dockerd reads: where the default runtime would be put back. */
	readonly file: DaemonFile;
	readonly versions: IssueVersions;
}

const registryQuestion: Question = {
	id: 'functional.registry-image',
	label: 'Registry image',
	kind: 'text',
	fetches: true,
	title: 'For the test: which image has a registry for the inner engine?',
	help: 'Enter is right unless this host cannot pull registry:2, the official image. Only the proof uses it, in throw-away containers: the inner engine builds on it, starts it, and pushes to it. Another one must have a shell and listen on port 5000 by itself.',
	initial: 'registry:2',
	validate: imageProblem,
};

const registryImage = (answers: Answers): string =>
	textAnswer(answers, registryQuestion.id) ?? String(registryQuestion.initial);

/** An image is judged once it was asked for: the default of a question that is still to come must not block a run. */
const answered = (answers: Answers): readonly string[] => [
	...(answers[imageQuestion.id] === undefined ? [] : [ciImage(answers)]),
	...(answers[registryQuestion.id] === undefined ? [] : [registryImage(answers)]),
];

const isDefault = ({ info }: DockerFacts): boolean => info.kind === 'ok' && info.value.defaultRuntime === runtimeName;

/** The operator's own: what a proof starts names its runtime. */
const containersIn = ({ containers }: DockerFacts) => (containers.kind === 'ok' ? containers.value : []);

/** Shows that CI works under the new runtime, and that what ran before still runs. Makes throw-away containers only. */
export const functionalStep = proofStep<FunctionalFacts>({
	id: 'functional',
	title: 'Functional proof',
	why: 'Starts a CI container whose inner Docker builds, runs, pushes and pulls. Checks that what ran before still runs.',
	brief: 'tests what a CI job needs under Sysbox',
	needs: ['docker'],
	findingIds: functionalFindingIds,
	answerIds: [imageQuestion.id, registryQuestion.id],

	async inspect(context) {
		const { host, signal } = context;
		const { configFile } = await inspectDockerdUnit(host, signal);
		const [docker, images, file, uids, gids, versions] = await Promise.all([
			inspectDocker(host, signal),
			inspectImages(context),
			readDaemonFile(host, configFile),
			readTextFile(host, '/etc/subuid'),
			readTextFile(host, '/etc/subgid'),
			inspectVersions(host, signal),
		]);
		const parsed = [uids, gids].map(file => parseSubordinateIds(file.kind === 'text' ? file.text : undefined));
		const [first, second] = parsed;
		const subuid =
			first?.kind === 'ok' && second?.kind === 'ok' ? userRange(first.value, second.value, 'sysbox') : undefined;
		return { docker, images, subuid, file, versions };
	},

	judge: ({ docker, images }, { answers }) => [
		...judgeRuntime('functional', docker),
		...judgeImages('functional', answered(answers), images),
	],

	ask: answers => [...(answers[imageQuestion.id] === undefined ? [imageQuestion] : []), registryQuestion],

	plan: ({ images }, { answers }) => ({ actions: planImages([ciImage(answers), registryImage(answers)], images) }),

	probes({ docker, subuid, versions }, context) {
		const { answers, state } = context;
		const issues = issuesWithWords(context, versions, docker);
		const subject = {
			workload: workload(answers, docker),
			registryImage: registryImage(answers),
			subuid: subuid?.kind === 'one' ? { start: subuid.start, count: subuid.count } : undefined,
		};
		const noted = ranBefore(state);
		const leftOut: readonly LeftOut[] =
			noted === undefined
				? [
						{
							id: 'regression.running-containers',
							title: 'What ran before still runs',
							threats: [],
							why: state.steps.some(step => step.id === 'host')
								? 'what ran before is not known: Docker did not list its containers when this run began'
								: 'what ran before was not noted in this run: the step host was not part of it',
						},
					]
				: [];
		return {
			probes: [
				...functionalProbes(subject),
				...(isDefault(docker) ? [underNewDefault(ciImage(answers), runtimeName, containersIn(docker))] : []),
				...(noted === undefined ? [] : [runningContainers(state)]),
			].map(probe => explained(probe, issues)),
			leftOut,
			announced: [`Throw-away containers; ${removedAtTheEnd}.`, 'Nothing of yours is stopped or changed.'],
		};
	},

	remedy: ({ file }, failed, { state }) =>
		failed.includes(defaultRuntimeProbe) && setByThisRun(state) ? putDefaultBack(file) : { actions: [] },
});
