import { inspectDocker } from '../../src/docker/daemon.ts';
import { readDaemonFile, viewOf } from '../../src/docker/daemon-file.ts';
import { inspectDockerdUnit } from '../../src/docker/dockerd-unit.ts';
import { validate } from '../../src/docker/validation.ts';
import type { StepContext } from '../../src/model/step.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { inspectSubordinateIds } from '../../src/system/subordinate-ids.ts';
import { canHaveDefault } from './desired.ts';
import { type DaemonFacts, type ProgramState, type Registered, usualPlaces } from './facts.ts';
import { inspectUnderDefault } from './under-default.ts';

export async function inspectDaemon({ host, signal }: StepContext): Promise<DaemonFacts> {
	const [dockerd, docker, ids] = await Promise.all([
		inspectDockerdUnit(host, signal),
		inspectDocker(host, signal),
		inspectSubordinateIds(host),
	]);
	const file = await readDaemonFile(host, dockerd.configFile);
	const validation = await validate(host, file, signal, dockerd);
	const binaries = [...(viewOf(file)?.runtimes.values() ?? [])].flatMap(entry => entry.path ?? entry.binaryName ?? []);
	const paths = [...new Set([...usualPlaces, ...binaries.filter(path => path.startsWith('/'))])];
	const states = await Promise.all(paths.map(async path => [path, await programState(host, path)] as const));
	const registered: Registered = {
		root: host.identity.uid === 0,
		dockerd,
		file,
		validation,
		docker,
		programs: new Map(states),
		...ids,
	};
	const underDefault = canHaveDefault(registered) ? await inspectUnderDefault(host, signal) : undefined;
	return { ...registered, underDefault };
}

async function programState(host: ReadHost, path: string): Promise<ProgramState> {
	const found = await host.stat(path);
	if (found.kind === 'denied') return 'denied';
	if (found.kind !== 'found') return 'missing';
	return found.type === 'file' && (found.meta.mode & 0o111) !== 0 ? 'runs' : 'not-executable';
}
