import type { Container } from '../../src/docker/container.ts';
import { type DockerTrouble, describeDockerTrouble, followsTrouble } from '../../src/docker/daemon.ts';
import type { DockerInfo } from '../../src/docker/info.ts';
import type { Finding, Remedy, ThreatId } from '../../src/model/finding.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { defaultImage } from '../../src/probe/workload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { someLines } from '../../src/text/name-some.ts';
import { accessFindings } from './access-findings.ts';
import { type AccessSite, containerSites, isOurs } from './access-sites.ts';
import { containerLacks, limitsLacking, serviceSites } from './entry-points.ts';
import type { CiFacts } from './facts.ts';
import { purposeOf } from './known-images.ts';
import type { RenderedFile } from './rendered-files.ts';
import type { SettingsReading } from './settings.ts';

/** What has to be known of the files to judge: rendered, and whether the plan has any left to write. */
export interface CiFiles {
	readonly reading: SettingsReading;
	readonly rendered: readonly RenderedFile[];
	readonly toWrite: readonly RenderedFile[];
}

/** Nothing that was looked at reaches the host. */
export const nothingReaches = 'ci.container';

export function ciFindings(facts: CiFacts, files: CiFiles, context: JudgeContext): readonly Finding[] {
	const info = facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	return [
		...settingsFindings(files.reading),
		...directoryFindings(facts, files, context.answers['ci.folder'] !== undefined),
		...renderedFindings(files.rendered),
		...imageFindings(files),
		...concurrentFindings(facts, files),
		...limitFindings(info, files, facts.directory.path),
		...hostFindings(facts, info, files, context),
	];
}

function settingsFindings(reading: SettingsReading): readonly Finding[] {
	if (reading.kind === 'settings') return [];
	return [
		{
			id: 'input.ci',
			about: 'input',
			severity: 'block',
			summary: `The CI files cannot be made from the answers to ${reading.answers.join(', ')}`,
			remedy: { kind: 'advice', text: 'Give other answers.' },
		},
	];
}

function directoryFindings(facts: CiFacts, { rendered, toWrite }: CiFiles, answered: boolean): readonly Finding[] {
	if (rendered.length === 0) return [];
	const { directory } = facts;
	// The default directory stands in nobody's way: another one can be named when the question comes.
	const remedy = (text: string): Remedy => ({ kind: answered ? 'advice' : 'planned', text });
	if (directory.kind === 'refused') {
		return [
			{
				id: 'ci.folder',
				severity: 'block',
				summary: `The CI files cannot go into ${directory.path}`,
				evidence: directory.why,
				needsRoot: directory.needsRoot ? true : undefined,
				remedy: remedy(directory.remedy),
			},
		];
	}
	const findings: Finding[] = [];
	const seen = rendered.map(({ kind }) => ({ name: kind.name, file: facts.files[kind.name] ?? { kind: 'missing' } }));
	const refused = seen.flatMap(({ name, file }) => (file.kind === 'refused' ? [`${name}: ${file.why}`] : []));
	if (refused.length > 0) {
		findings.push({
			id: 'ci.file-refused',
			severity: 'block',
			summary: `In ${directory.path} something stands where a CI file goes`,
			evidence: refused.join('\n'),
			why: 'Only a plain text file is written over, and never through a link.',
			remedy: remedy('Move it away, or name another folder.'),
		});
	}
	const denied = seen.flatMap(({ name, file }) => (file.kind === 'denied' ? [name] : []));
	if (denied.length > 0) {
		findings.push({
			id: 'ci.file-denied',
			severity: 'could-not-tell',
			summary: `In ${directory.path} a CI file can be read by its owner only`,
			evidence: denied.join('\n'),
			needsRoot: true,
		});
	}
	const foreign = seen.flatMap(({ name, file }) =>
		file.kind === 'text' && !file.ours ? [`${directory.path}/${name}`] : [],
	);
	if (foreign.length > 0) {
		findings.push({
			id: 'ci.file-exists',
			severity: 'warn',
			summary: `${foreign.length === 1 ? 'A file that this tool did not write has' : 'Files that this tool did not write have'} the name of a CI file`,
			evidence: foreign.join('\n'),
			why: 'The plan shows the difference. What is there now is kept, and put back by a revert.',
			remedy: { kind: 'planned', text: 'Written over after your approval; name another folder to keep it.' },
		});
	}
	if (findings.length === 0) {
		findings.push(
			toWrite.length === 0
				? { id: 'ci.files', severity: 'ok', summary: `The CI files in ${directory.path} are as your answers say` }
				: {
						id: 'ci.files',
						severity: 'info',
						summary: `${toWrite.length === 1 ? 'One CI file is' : `${toWrite.length} CI files are`} to be written into ${directory.path}`,
						evidence: toWrite.map(({ kind }) => kind.name).join('\n'),
						remedy: { kind: 'planned', text: 'The plan writes them.' },
					},
		);
	}
	return findings;
}

function renderedFindings(rendered: readonly RenderedFile[]): readonly Finding[] {
	if (rendered.length === 0) return [];
	const problems = rendered.flatMap(({ kind, problems }) => problems.map(what => `${kind.name}: ${what}`));
	if (problems.length === 0) {
		return [
			{
				id: 'ci.rendered',
				severity: 'ok',
				summary: 'The CI files hold no privileges, no socket, no host namespaces and no bind mounts, and use TLS',
			},
		];
	}
	return [
		{
			id: 'ci.rendered',
			severity: 'block',
			summary: 'The CI files that this tool made do not pass its own check, so none is written',
			evidence: problems.join('\n'),
			why: 'This is a mistake of the tool, not of your host.',
			remedy: { kind: 'advice', text: 'Skip the step with --skip ci, and report it.' },
		},
	];
}

/** Other images than Docker's own are not refused: somebody may have made one that does all this. */
function imageFindings({ reading, rendered }: CiFiles): readonly Finding[] {
	if (rendered.length === 0 || reading.kind !== 'settings' || reading.settings.startsAsDind) return [];
	return [
		{
			id: 'ci.image',
			severity: 'warn',
			summary: `${reading.settings.engineImage} is not one of Docker's own dind images by its name`,
			why: 'The files need what their entrypoint does: it starts dockerd with TLS on port 2376, and writes the certificates of the clients into /certs/client. Otherwise no job reaches the engine.',
			remedy: {
				kind: 'advice',
				text: `Answer ci.image with ${defaultImage} or a copy of it, such as registry.example.com/mirror/${defaultImage}. Keep an image of yours if it is built on one.`,
			},
		},
	];
}

/** The global `concurrent` of the runners that are here; the runner of the files joins one of them. */
function concurrentFindings({ runnerConfigs }: CiFacts, { reading, rendered }: CiFiles): readonly Finding[] {
	if (reading.kind !== 'settings' || !rendered.some(({ kind }) => kind.system === 'gitlab')) return [];
	const { gitlabJobs } = reading.settings;
	const low = runnerConfigs.filter(({ concurrent }) => concurrent < gitlabJobs);
	if (low.length === 0) return [];
	return [
		{
			id: 'ci.runner.concurrent',
			severity: 'info',
			summary: `GitLab Runner takes fewer jobs at once than the runner of the files may (limit = ${gitlabJobs})`,
			evidence: low.map(({ path, concurrent }) => `${path}: concurrent = ${concurrent}`).join('\n'),
			why: 'concurrent bounds the jobs of all runners of a configuration together. Its default is 1.',
			remedy: {
				kind: 'advice',
				text: `For more jobs at once, set concurrent = ${gitlabJobs} at the top of that file. GitLab Runner reads it again by itself.`,
			},
		},
	];
}

const processesRemedy: Remedy = {
	kind: 'advice',
	text: 'Make a control group with pids.max, and name it as cgroup_parent and service_cgroup_parent in the runner.',
};

const limitNames = { memory: 'memory', cpu: 'processors', pids: 'processes' } as const;

function limitFindings(
	info: DockerInfo | undefined,
	{ reading, rendered }: CiFiles,
	directory: string,
): readonly Finding[] {
	if (info === undefined || rendered.length === 0 || reading.kind !== 'settings') return [];
	const missing = (['memory', 'cpu', 'pids'] as const).filter(limit => !info.limits[limit]);
	const findings: Finding[] = [];
	if (missing.length > 0) {
		findings.push({
			id: 'ci.limits',
			severity: 'warn',
			summary: `This host cannot limit ${missing.map(limit => limitNames[limit]).join(', ')} of a container`,
			evidence: `docker info: cgroup version ${info.cgroupVersion}; no limit of ${missing.map(limit => limitNames[limit]).join(', ')}`,
			why: 'The files leave those limits out, so a job can take all that the host has. Docker drops such a limit with a warning, and refuses to start a container that asks for processors.',
			remedy: {
				kind: 'advice',
				text: 'Give the host the controllers: they are missing inside of some virtual machines and containers, or switched off at boot (cgroup_disable).',
			},
		});
	} else {
		findings.push({
			id: 'ci.limits',
			severity: 'ok',
			summary: 'This host enforces limits of memory, processors and processes',
		});
	}
	const runner = rendered.find(({ kind }) => kind.name === 'gitlab-runner.config.toml');
	if (runner !== undefined && info.limits.pids) {
		const line = runner.text.split('\n').findIndex(text => text.startsWith('[[runners]]')) + 1;
		findings.push({
			id: 'ci.limits.gitlab-pids',
			severity: 'info',
			summary: 'No limit of processes for GitLab jobs',
			evidence: `${directory}/${runner.kind.name}:${line}`,
			why: 'GitLab Runner has no key for it, so a fork bomb in a job is stopped by the kernel only.',
			threat: 'resource-abuse',
			remedy: processesRemedy,
		});
	}
	return findings;
}

function hostFindings(
	facts: CiFacts,
	info: DockerInfo | undefined,
	{ reading, toWrite }: CiFiles,
	context: JudgeContext,
): readonly Finding[] {
	const findings: Finding[] = [];
	const { containers } = facts.docker;
	if (info !== undefined && info.runtimes[runtimeName] === undefined) {
		findings.push({
			id: 'ci.runtime',
			severity: 'info',
			summary: 'Docker does not know sysbox-runc yet, so nothing of the CI files starts before it does',
			evidence: `docker info: ${Object.keys(info.runtimes).toSorted().join(', ')}`,
		});
	}
	const filesAreThere = reading.kind === 'settings' && toWrite.length === 0;
	const sites = [
		...(containers.kind === 'ok' ? containerSites(containers.value, info, facts.composeFiles, context.answers) : []),
		...facts.runnerConfigs.flatMap(config => config.sites),
		...serviceSites(facts.services.agents),
	];
	findings.push(...accessFindings(sites, filesAreThere));
	findings.push(...shellFindings(facts));
	findings.push(...elsewhereFindings(facts));
	findings.push(...serviceFindings(facts));
	const blind = unknownFindings(facts.unread, containers.kind === 'ok' ? undefined : containers);
	findings.push(...blind);
	const limits = unlimitedFindings(facts, info);
	const quiet = !findings.some(({ id, threat }) => threat !== undefined || id === 'ci.container.other');
	if (quiet && containers.kind === 'ok') {
		const running = containers.value.filter(container => container.running).length;
		findings.push({
			id: nothingReaches,
			severity: 'ok',
			summary:
				running === 0
					? 'No container runs, and no configured runner or agent hands this host to its jobs'
					: `None of the ${running} running containers reaches this host, and no configured runner or agent hands it to its jobs`,
		});
	}
	return [...findings, ...limits];
}

/** Agents whose jobs run on this host itself; what their users may do to it is told beside. */
function serviceFindings({ services }: CiFacts): readonly Finding[] {
	const { agents } = services;
	if (agents.length === 0) return [];
	return [
		{
			id: 'ci.service',
			severity: 'warn',
			summary: `${agents.length === 1 ? 'A CI agent runs its jobs' : `${agents.length} CI agents run their jobs`} on this host itself, in no container`,
			evidence: someLines(agents.map(({ unit, system, user }) => `${unit} (${system}): user ${user}`)),
			why: 'Only the rights of their user keep the jobs from the host. Sysbox has no part in them.',
			remedy: { kind: 'advice', text: 'Run the agent in a container under Sysbox, as the files of this step show.' },
		},
	];
}

function shellFindings(facts: CiFacts): readonly Finding[] {
	const runners = facts.runnerConfigs.flatMap(config => config.shellRunners);
	if (runners.length === 0) return [];
	const { runnerUserHasDocker: hasDocker } = facts;
	return [
		{
			id: 'ci.runner.shell',
			severity: hasDocker ? 'block' : 'warn',
			summary: hasDocker
				? "GitLab jobs run on this host itself, as a user who may use this host's Docker"
				: 'GitLab jobs run on this host itself, in no container',
			evidence: someLines(runners),
			why: hasDocker
				? 'Members of the group docker are root on the host. Sysbox has no part in such jobs.'
				: 'What keeps them from the host is the rights of the user gitlab-runner alone. Sysbox has no part in such jobs.',
			...(hasDocker && { threat: 'docker-compromise' as const, keeps: 'threat' as const }),
			remedy: {
				kind: 'advice',
				text: 'Give these jobs a runner with the docker executor, as gitlab-runner.config.toml has it.',
			},
		},
	];
}

/** Jobs that Sysbox on this host has no part in, because they run somewhere else. */
function elsewhereFindings({ runnerConfigs }: CiFacts): readonly Finding[] {
	const elsewhere = runnerConfigs.flatMap(config => config.elsewhere);
	if (elsewhere.length === 0) return [];
	const whose = elsewhere.length === 1 ? 'a GitLab runner' : `${elsewhere.length} GitLab runners`;
	return [
		{
			id: 'ci.runner.elsewhere',
			severity: 'info',
			summary: `The jobs of ${whose} do not run under this host's Docker`,
			evidence: someLines(elsewhere.map(({ path, why }) => `${path}: ${why}`)),
			why: 'Sysbox on this host does not isolate these jobs, and the threat table does not count them.',
			remedy: { kind: 'advice', text: 'Set up Sysbox on the machines where these jobs run.' },
		},
	];
}

/** Jobs that may take all that the host has: of containers, of runners, of agents that run as services. */
function unlimitedFindings(facts: CiFacts, info: DockerInfo | undefined): readonly Finding[] {
	const containers = facts.docker.containers.kind === 'ok' ? facts.docker.containers.value : [];
	const ofContainers = containers
		.filter(container => container.running && !isOurs(container) && hasJobs(container, facts.named))
		.map(container => ({
			where: `${container.name} (${container.image})`,
			lacks: containerLacks(container, info),
		}));
	const ofRunners = facts.runnerConfigs.flatMap(({ path, runners }) =>
		runners.map(runner => ({
			where: `${path}:${runner.line}, runner "${runner.name}"`,
			lacks: limitsLacking(runner, facts.processLimits),
		})),
	);
	const ofServices = facts.services.agents.map(({ unit, lacks }) => ({ where: unit, lacks }));
	return [
		...unlimited('container', 'CI containers', ofContainers, {
			kind: 'advice',
			text: 'Set the limits where the container is defined; the files of this step have them.',
		}),
		...unlimited('runner', 'GitLab jobs', ofRunners, {
			kind: 'advice',
			text: `Set memory, cpus, service_memory and service_cpus in the runner. ${processesRemedy.text}`,
		}),
		...unlimited('service', 'jobs of CI agents', ofServices, {
			kind: 'advice',
			text: 'Set MemoryMax=, CPUQuota= and TasksMax= in the unit (systemctl edit).',
		}),
	];
}

/** What starts jobs and runs none is no job; a container that the operator named is taken for one. */
const hasJobs = (container: Container, named: readonly string[] | undefined): boolean =>
	purposeOf(container) === 'jobs' || (named?.includes(container.name) ?? false);

interface Lacking {
	readonly where: string;
	readonly lacks: readonly string[];
}

function unlimited(of: AccessSite['of'], whose: string, all: readonly Lacking[], remedy: Remedy): readonly Finding[] {
	const lacking = all.filter(({ lacks }) => lacks.length > 0);
	const limits = [...new Set(lacking.flatMap(({ lacks }) => lacks))];
	if (lacking.length === 0) return [];
	return [
		{
			id: `ci.${of}.no-limits`,
			severity: 'warn',
			summary: `No limit of ${limits.join(', ')} for ${whose}`,
			evidence: someLines(
				lacking.map(({ where, lacks }) => (lacks.length === limits.length ? where : `${where}: ${lacks.join(', ')}`)),
			),
			why: 'A job can take all memory, processors or processes of the host.',
			threat: 'resource-abuse',
			remedy,
		},
	];
}

/** What was not seen may hold anything, so the rows that it could touch are not proved. */
function unknownFindings(unread: CiFacts['unread'], trouble: DockerTrouble | undefined): readonly Finding[] {
	const reasons = [
		...(trouble === undefined ? [] : [`containers: ${describeDockerTrouble(trouble)}`]),
		...unread.map(({ path, why }) => `${path}: ${why}`),
	];
	if (reasons.length === 0) return [];
	const needsRoot = unread.every(config => config.needsRoot) && (trouble === undefined || trouble.kind === 'denied');
	const threats: readonly ThreatId[] = [
		'container-escape',
		'docker-compromise',
		...(trouble === undefined ? [] : ['resource-abuse' as const]),
	];
	const alone = trouble !== undefined && unread.length === 0;
	return threats.map((threat, index) => ({
		id: `ci.unseen.${threat}`,
		severity: 'could-not-tell',
		summary: 'Part of what your CI gets from this host could not be looked at',
		evidence: someLines(reasons),
		threat,
		needsRoot: needsRoot ? true : undefined,
		...(alone ? followsTrouble(trouble) : index > 0 && { follows: `ci.unseen.${threats[0]}` }),
	}));
}
