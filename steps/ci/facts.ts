import { type DockerFacts, inspectDocker } from '../../src/docker/daemon.ts';
import { type Answers, listAnswer, textAnswer } from '../../src/model/question.ts';
import type { StepContext } from '../../src/model/step.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { broughtByRun } from '../../src/probe/images.ts';
import { defaultImage } from '../../src/probe/workload.ts';
import { readTextFile, readTextOr } from '../../src/system/text-file.ts';
import { type TemplateTexts, templateTexts } from '../../src/templates.ts';
import { composeFilesOf } from './access-sites.ts';
import { type AgentServices, inspectAgentServices } from './agent-services.ts';
import { clientImageOf, isPinned, type LocalDigests, parseDigests } from './image-name.ts';
import { mountedRunnerConfigs, parseRunnerConfig, type RunnerConfig, runnerConfigPath } from './runner-config.ts';
import { lookAtFiles, type SeenFiles } from './seen-files.ts';
import { absolute, lookAtDirectory, type TargetDirectory } from './target-directory.ts';

export interface CiFacts {
	readonly docker: DockerFacts;
	readonly directory: TargetDirectory;
	readonly files: SeenFiles;
	readonly templates: TemplateTexts;
	readonly digests: LocalDigests;
	readonly runnerConfigs: readonly RunnerConfig[];
	/** Configurations of runners that are there and could not be read, and why. */
	readonly unread: readonly { readonly path: string; readonly why: string; readonly needsRoot: boolean }[];
	/** GitLab Runner's user may use Docker, which is as good as being root. */
	readonly runnerUserHasDocker: boolean;
	readonly services: AgentServices;
	/** Containers that the operator has named as CI; undefined: not asked yet. */
	readonly named: readonly string[] | undefined;
	/** What the control groups that runners name limit their processes to: `4096`, `max`; undefined: it could not be read. */
	readonly processLimits: Readonly<Record<string, string | undefined>>;
	readonly composeFiles: Readonly<Record<string, string>>;
}

/** Where the files go, by answer or default. */
export const directoryPath = (answers: Answers, workingDirectory: string): string =>
	absolute(textAnswer(answers, 'ci.folder') ?? `${workingDirectory}/sysbox-ci`, workingDirectory);

export async function lookAtCi({ host, answers, options, state, signal }: StepContext): Promise<CiFacts> {
	const path = directoryPath(answers, options.workingDirectory);
	const [docker, templates, directory, digests, groups, services] = await Promise.all([
		inspectDocker(host, signal),
		templateTexts(),
		lookAtDirectory(host, path),
		localDigests(host, textAnswer(answers, 'ci.image') ?? defaultImage, { state, signal }),
		readTextOr(host, '/etc/group'),
		inspectAgentServices(host, signal),
	]);
	const containers = docker.containers.kind === 'ok' ? docker.containers.value : [];
	const info = docker.info.kind === 'ok' ? docker.info.value : undefined;
	const paths = [
		runnerConfigPath,
		...services.runners.map(({ config }) => config),
		...mountedRunnerConfigs(containers),
	];
	const [files, configs, composeFiles] = await Promise.all([
		directory.kind === 'ready' ? lookAtFiles(host, path) : {},
		Promise.all([...new Set(paths)].map(config => readRunnerConfig(host, config, info?.defaultRuntime))),
		readComposeFiles(host, composeFilesOf(containers, info)),
	]);
	const runnerConfigs = configs.flatMap(config => (config?.kind === 'config' ? [config.config] : []));
	return {
		docker,
		directory,
		files,
		templates,
		digests,
		runnerConfigs,
		unread: [
			...configs.flatMap(config => (config?.kind === 'unread' ? [config] : [])),
			...runnerConfigs.flatMap(({ unplaced }) => unplaced.map(of => ({ ...of, needsRoot: false }))),
			...services.unread.map(of => ({ ...of, needsRoot: false })),
		],
		runnerUserHasDocker:
			services.runners.length > 0
				? services.runners.some(runner => runner.docker === 'yes')
				: /^docker:[^:]*:\d*:(?:[^,\n]*,)*gitlab-runner(?:,|$)/m.test(groups ?? ''),
		services,
		named: listAnswer(answers, 'ci.containers'),
		processLimits: await readProcessLimits(host, runnerConfigs),
		composeFiles,
	};
}

/** The limit of processes of each control group that a runner puts its jobs into. */
async function readProcessLimits(host: ReadHost, configs: readonly RunnerConfig[]): Promise<CiFacts['processLimits']> {
	const parents = configs.flatMap(({ runners }) => runners.flatMap(({ cgroupParents }) => cgroupParents));
	const named = [...new Set(parents)]
		.filter(parent => /^[\w./@-]+$/.test(parent) && !parent.includes('..'))
		.slice(0, 20);
	const limits = await Promise.all(
		named.map(async parent => [parent, (await readTextOr(host, `${cgroupPath(parent)}/pids.max`))?.trim()] as const),
	);
	return Object.fromEntries(limits);
}

/** `ci-jobs.slice` lies in `ci.slice`, as systemd nests slices by the dashes of their names. */
function cgroupPath(parent: string): string {
	const slice = /^\/?([^/]+)\.slice$/.exec(parent)?.[1]?.split('-');
	if (slice === undefined) return `/sys/fs/cgroup/${parent.replace(/^\/+/, '')}`;
	const parts = slice.map((_, at) => `${slice.slice(0, at + 1).join('-')}.slice`);
	return `/sys/fs/cgroup/${parts.join('/')}`;
}

type ReadConfig =
	| { readonly kind: 'config'; readonly config: RunnerConfig }
	| { readonly kind: 'unread'; readonly path: string; readonly why: string; readonly needsRoot: boolean };

async function readRunnerConfig(
	host: ReadHost,
	path: string,
	defaultRuntime: string | undefined,
): Promise<ReadConfig | undefined> {
	const file = await readTextFile(host, path);
	const unread = (why: string, needsRoot = false): ReadConfig => ({ kind: 'unread', path, why, needsRoot });
	switch (file.kind) {
		case 'missing':
			return undefined;
		case 'denied':
			return unread('only root may read it', true);
		case 'text': {
			const config = parseRunnerConfig(path, file.text, defaultRuntime);
			return config.kind === 'ok' ? { kind: 'config', config: config.value } : unread(config.why);
		}
		case 'not-text':
		case 'too-large':
		case 'not-a-file':
		case 'failed':
			return unread('it cannot be read as text');
		default:
			return file satisfies never;
	}
}

async function readComposeFiles(host: ReadHost, paths: readonly string[]): Promise<Readonly<Record<string, string>>> {
	const texts = await Promise.all(paths.map(async path => [path, (await readTextOr(host, path)) ?? ''] as const));
	return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

/**
 * The digests of engine and client image where they were on this host before the run: a plan cannot foresee that of an
 * image that the run pulls, and the files are to be what the plan showed. Nothing is asked of a registry.
 */
async function localDigests(
	host: ReadHost,
	image: string,
	{ state, signal }: Pick<StepContext, 'state' | 'signal'>,
): Promise<LocalDigests> {
	if (isPinned(image) || image.startsWith('-')) return {};
	const names = [...new Set([image, clientImageOf(image)])].filter(name => !broughtByRun(name, state));
	if (names.length === 0) return {};
	// Ends with 1 when one of them is not here, and prints the others all the same.
	const answer = await host.exec(['docker', 'image', 'inspect', ...names], { timeoutMs: 10_000, signal });
	return parseDigests(answer.stdout, names);
}
