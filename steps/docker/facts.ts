import { type DockerFacts, inspectDocker } from '../../src/docker/daemon.ts';
import { type DaemonFile, readDaemonFile, viewOf } from '../../src/docker/daemon-file.ts';
import { type DockerdUnit, inspectDockerdUnit } from '../../src/docker/dockerd-unit.ts';
import { inspectNetworkInUse, type NetworkInUse } from '../../src/docker/network-in-use.ts';
import { issuesFor } from '../../src/knowledge/lookup.ts';
import type { Knowledge } from '../../src/model/knowledge.ts';
import type { FileBefore, StepContext } from '../../src/model/step.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { inspectTimeNamespaces, type TimeNamespaces } from '../../src/sysbox/time-namespaces.ts';
import { inspectWatchdog, type WatchdogFacts } from '../../src/watchdog/facts.ts';
import { inspectJenkins, type JenkinsNode } from './jenkins.ts';
import { inspectRunners, type Runner } from './runners.ts';

export interface DockerStepFacts {
	readonly dockerd: DockerdUnit;
	readonly file: DaemonFile;
	/** Its path without links: what is replaced when it is put back. */
	readonly realFile: string;
	/** The file as it was before this run wrote it. */
	readonly before: FileBefore;
	/** The dead man's switch, or what is left of one. */
	readonly watchdog: WatchdogFacts;
	readonly docker: DockerFacts;
	readonly network: NetworkInUse;
	/** Whether the program that the file names for Sysbox's runtime is on this host. */
	readonly programThere: boolean;
	/** Undefined: this Sysbox knows time namespaces, or this Docker gives none. */
	readonly timeNamespaces: TimeNamespaces | undefined;
	readonly runners: readonly Runner[];
	/** The node that this host is to a Jenkins; undefined where nobody has said which. */
	readonly jenkins: JenkinsNode | undefined;
}

export async function inspectLoaded({
	host,
	signal,
	before,
	answers,
	knowledge,
}: StepContext): Promise<DockerStepFacts> {
	const [dockerd, docker] = await Promise.all([inspectDockerdUnit(host, signal), inspectDocker(host, signal)]);
	const file = await readDaemonFile(host, dockerd.configFile);
	const entry = viewOf(file)?.runtimes.get(runtimeName);
	const program = entry?.path ?? entry?.binaryName;
	const [timeNamespaces, programFile, there, earlier, armed, network, runners, jenkins] = await Promise.all([
		hasTimeTrouble(docker, knowledge) ? inspectTimeNamespaces(host, file, docker, signal) : undefined,
		program === undefined ? undefined : host.stat(program),
		host.stat(dockerd.configFile),
		before?.(dockerd.configFile) ?? { kind: 'unchanged' as const },
		inspectWatchdog(host, signal),
		inspectNetworkInUse(host, docker, signal),
		inspectRunners(host, docker, signal),
		inspectJenkins(host, answers, signal),
	]);
	const realFile = there.kind === 'found' ? there.meta.realPath : dockerd.configFile;
	return {
		dockerd,
		file,
		realFile,
		before: earlier,
		watchdog: armed,
		docker,
		network,
		programThere: programFile?.kind === 'found',
		timeNamespaces,
		runners,
		jenkins,
	};
}

/** Docker gives time namespaces, and its Sysbox does not say that it knows them (`sysbox-runc features`). */
function hasTimeTrouble({ info }: DockerFacts, knowledge: Knowledge): boolean {
	if (info.kind !== 'ok') return false;
	const sysbox = info.value.runtimes[runtimeName];
	const given = issuesFor(knowledge, { sysbox: '0.0.0', docker: info.value.serverVersion });
	return (
		sysbox !== undefined &&
		sysbox.features?.includes('"time"') !== true &&
		given.some(issue => issue.id === 'time-namespace')
	);
}

/** What Docker ran with before this run wrote the file, or had it written. */
export function earlierFile({ before, file }: DockerStepFacts): Uint8Array | 'missing' | 'unchanged' {
	switch (before.kind) {
		case 'bytes': {
			const same = file.content.kind === 'read' && Buffer.compare(file.content.bytes, before.bytes) === 0;
			return same ? 'unchanged' : before.bytes;
		}
		case 'missing':
			return file.content.kind === 'missing' ? 'unchanged' : 'missing';
		// Without its bytes nothing can be put back; Docker can still be started again.
		case 'unchanged':
		case 'gone':
			return 'unchanged';
		default:
			return before satisfies never;
	}
}
