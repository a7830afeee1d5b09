import type { DockerInfo } from '../../src/docker/info.ts';
import type { Answers, Choice, Question } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { defaultImage } from '../../src/probe/workload.ts';
import { candidates } from './access-sites.ts';
import type { CiFacts } from './facts.ts';
import { imageNameProblem } from './image-name.ts';
import { defaultMemory, gibibytes, memoryProblem } from './memory-size.ts';
import { serverUrlProblem } from './server-url.ts';
import { defaultCpus, defaultPids, type System, systemsOf } from './settings.ts';
import { directoryNameProblem } from './target-directory.ts';

export const answerIds = [
	'ci.systems',
	'ci.folder',
	'ci.image',
	'ci.memory',
	'ci.cpus',
	'ci.pids',
	'ci.gitlab-url',
	'ci.jenkins-url',
	'ci.containers',
] as const;

/** A host with a runner gets the runner's file too, as its server is known; Jenkins' address cannot be known. */
export function initialSystems(facts: CiFacts | undefined): readonly System[] {
	return runnerUrl(facts) === undefined ? ['compose'] : ['compose', 'gitlab'];
}

export function runnerUrl(facts: CiFacts | undefined): string | undefined {
	return facts?.runnerConfigs
		.map(config => config.url)
		.find(url => url !== undefined && serverUrlProblem(url, { https: true }) === undefined);
}

/** The questions whose turn it is. A limit that this host cannot enforce is not asked for. */
export function ciQuestions(answers: Answers, facts: CiFacts | undefined, context: JudgeContext): readonly Question[] {
	const info = facts?.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	const initial = initialSystems(facts);
	const chosen = systemsOf(answers, initial);
	const questions: Question[] = [
		{
			id: 'ci.systems',
			label: 'CI systems',
			kind: 'many',
			leadsOn: true,
			title: 'For which CI systems do you want files?',
			help: [
				'Each gives jobs a Docker engine of their own, under Sysbox. Nothing is started, and no file outside of the folder is touched.',
				...(runnerUrl(facts) === undefined
					? []
					: ['A runner of GitLab is on this host. Jenkins is to be ticked by hand, as its address cannot be seen.']),
				'There are no files for GitHub Actions and CircleCI: a runner that is a container gets the engine of Docker Compose.',
			].join(' '),
			options: [
				{ value: 'compose', label: 'Docker Compose', hint: 'for any other CI that runs in containers' },
				{ value: 'gitlab', label: 'GitLab', hint: 'a runner of its own, chosen by tag, and an example job' },
				{ value: 'jenkins', label: 'Jenkins', hint: 'an agent of its own, chosen by label, and a pipeline' },
			],
			initial,
		},
	];
	if (chosen.length > 0) {
		questions.push({
			id: 'ci.folder',
			label: 'Directory',
			kind: 'path',
			wants: 'folder',
			title: 'Into which folder?',
			help: 'The files belong to the owner of the folder. It is made when only its last part is missing.',
			initial: `${context.options.workingDirectory.replace(/\/$/, '')}/sysbox-ci`,
			validate: directoryNameProblem,
		});
	}
	if (chosen.includes('gitlab')) {
		const url = runnerUrl(facts);
		questions.push({
			id: 'ci.gitlab-url',
			label: 'GitLab URL',
			kind: 'text',
			title: "What is your GitLab's address?",
			help: `${url === undefined ? '' : 'It is that of the runner on this host. '}It goes into the runner configuration. You are not asked for the token, which belongs to \`gitlab-runner register\`.`,
			initial: url,
			validate: text => serverUrlProblem(text, { https: true }),
		});
	}
	if (chosen.includes('jenkins')) {
		questions.push({
			id: 'ci.jenkins-url',
			label: 'Jenkins URL',
			kind: 'text',
			title: "What is your Jenkins controller's address?",
			help: "The agent connects to it. The agent's secret is not asked: the file says where it goes.",
			validate: text => serverUrlProblem(text, { https: false }),
		});
	}
	questions.push({
		id: 'ci.image',
		label: 'Image of inner Docker',
		kind: 'text',
		fetches: true,
		title: 'Which image do jobs get Docker from?',
		help: 'The image of the inner Docker: docker:…-dind, a copy of it, or an image built on it. The tests use it too. With a digest (NAME@sha256:…) it is what you tested.',
		initial: defaultImage,
		validate: imageNameProblem,
	});
	questions.push(...limitQuestions(chosen, info));
	const containers = containerChoices(answers, facts);
	if (containers.length > 0) {
		questions.push({
			id: 'ci.containers',
			label: 'CI containers',
			kind: 'many',
			title: 'Which of these containers run CI jobs, or start them?',
			help: 'They reach this host, and their names do not tell what they are for. As long as one of your CI does, the threat table cannot call that threat lowered.',
			options: containers,
			initial: initialContainers(facts),
		});
	}
	return questions;
}

/** What one CI container may use. */
function limitQuestions(chosen: readonly System[], info: DockerInfo | undefined): readonly Question[] {
	const questions: Question[] = [];
	const memory = info?.memoryBytes;
	if (info?.limits.memory !== false) {
		questions.push({
			id: 'ci.memory',
			label: 'Memory per container',
			kind: 'text',
			title: 'How much memory may each CI container use?',
			help: `A job is two containers, itself and its engine with all that runs inside: it may take twice this.${memory ? ` This host has ${gibibytes(memory)}.` : ''}${chosen.includes('gitlab') ? ' With the default, the GitLab runner of the files takes one job at a time (limit = 1).' : ''}`,
			initial: defaultMemory(memory),
			validate: text => memoryProblem(text, memory),
		});
	}
	if (info?.limits.cpu !== false) {
		questions.push({
			id: 'ci.cpus',
			label: 'CPUs per container',
			kind: 'number',
			title: 'How many processors may each CI container use?',
			help: `Parts are possible, such as 0.5.${info ? ` This host has ${info.cpus}; Docker refuses more.` : ''}`,
			initial: defaultCpus(info?.cpus),
			min: 0.1,
			max: info && info.cpus > 0 ? info.cpus : undefined,
			unit: 'processors',
		});
	}
	if (info?.limits.pids !== false) {
		questions.push({
			id: 'ci.pids',
			label: 'Processes per container',
			kind: 'number',
			title: 'How many processes may each CI container have at once?',
			help: `Threads count too. It ends a fork bomb inside of the container instead of on the host.${chosen.includes('gitlab') ? ` GitLab Runner has no such limit for its jobs${chosen.length === 1 ? ': only the proofs use it' : ''}.` : ''}`,
			initial: defaultPids,
			min: 256,
			max: 4_194_304,
			unit: 'processes',
		});
	}
	return questions;
}

function containerChoices(answers: Answers, facts: CiFacts | undefined): readonly Choice[] {
	const found = unclear(facts).map(({ name, image, access }) => ({
		value: name,
		label: name,
		hint: `${image}: ${access.map(a => a.detail).join('; ')}`,
	}));
	// Names from an answers file stay valid when their container is gone by now.
	const answered = answers['ci.containers'];
	const gone = (Array.isArray(answered) ? answered : []).filter(name => !found.some(choice => choice.value === name));
	return found.length === 0
		? []
		: [...found, ...gone.map(name => ({ value: name, label: name, hint: 'not here now' }))];
}

const unclear = (facts: CiFacts | undefined) =>
	facts?.docker.containers.kind === 'ok'
		? candidates(facts.docker.containers.value, facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined)
		: [];

const initialContainers = (facts: CiFacts | undefined): readonly string[] =>
	unclear(facts)
		.filter(({ purpose }) => purpose === 'unknown')
		.map(({ name }) => name);
