import type { StepContext } from '../../src/core/step.ts';
import { type DockerFacts, inspectDocker } from '../../src/facts/docker-daemon.ts';
import { inspectSubordinateIds, type SubordinateIds } from '../../src/facts/subordinate-ids.ts';
import type { ReadHost } from '../../src/host/port.ts';
import { type DaemonFile, readDaemonFile, viewOf } from './daemon-file.ts';
import { type DockerdUnit, inspectDockerdUnit } from './dockerd-unit.ts';
import { runtimePath } from './sysbox-runtime.ts';
import { type Validation, validate } from './validation.ts';

export type ProgramState = 'runs' | 'missing' | 'not-executable' | 'denied';

export interface DaemonFacts {
	readonly root: boolean;
	readonly dockerd: DockerdUnit;
	/** What this dockerd reads, wherever that is. */
	readonly file: DaemonFile;
	readonly validation: Validation;
	readonly docker: DockerFacts;
	/** Every binary that the file registers as a runtime, by its path, and where sysbox-runc usually is. */
	readonly programs: ReadonlyMap<string, ProgramState>;
	readonly subuid: SubordinateIds | undefined;
	readonly subgid: SubordinateIds | undefined;
}

/** The package's place, then those of source builds. */
export const usualPlaces = [runtimePath, '/usr/local/sbin/sysbox-runc', '/usr/local/bin/sysbox-runc'] as const;

export async function inspectDaemon({ host, signal }: StepContext): Promise<DaemonFacts> {
	const [dockerd, docker, ids] = await Promise.all([
		inspectDockerdUnit(host, signal),
		inspectDocker(host, signal),
		inspectSubordinateIds(host),
	]);
	const [file, validation] = await Promise.all([
		readDaemonFile(host, dockerd.configFile),
		validate(host, dockerd.configFile, signal, dockerd),
	]);
	const registered = [...(viewOf(file)?.runtimes.values() ?? [])].flatMap(
		entry => entry.path ?? entry.binaryName ?? [],
	);
	const paths = [...new Set([...usualPlaces, ...registered.filter(path => path.startsWith('/'))])];
	const states = await Promise.all(paths.map(async path => [path, await programState(host, path)] as const));
	return {
		root: host.identity.uid === 0,
		dockerd,
		file,
		validation,
		docker,
		programs: new Map(states),
		...ids,
	};
}

async function programState(host: ReadHost, path: string): Promise<ProgramState> {
	const found = await host.stat(path);
	if (found.kind === 'denied') return 'denied';
	if (found.kind !== 'found') return 'missing';
	return found.type === 'file' && (found.meta.mode & 0o111) !== 0 ? 'runs' : 'not-executable';
}
