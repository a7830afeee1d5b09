import { type DockerFacts, inspectDocker } from '../../src/docker/daemon.ts';
import { type DaemonFile, packageFile, readDaemonFile } from '../../src/docker/daemon-file.ts';
import { type DockerdUnit, inspectDockerdUnit } from '../../src/docker/dockerd-unit.ts';
import { inspectNetworkInUse, type NetworkInUse } from '../../src/docker/network-in-use.ts';
import { type Validation, validate } from '../../src/docker/validation.ts';
import { raisedByPackage } from '../../src/knowledge/host-needs.ts';
import type { StepContext } from '../../src/model/step.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { type NotBack, notBackAgain, startWasTried, stoppedByRun } from '../../src/sysbox/containers.ts';
import { inspectLiveness, type Liveness } from '../../src/sysbox/liveness.ts';
import { type BadMount, inspectFuseMounts } from '../../src/sysbox/mounts.ts';
import { runningUnderSysbox, type StoppedContainer } from '../../src/sysbox/runtime.ts';
import { inspectServices, type Services, unitsOf } from '../../src/sysbox/services.ts';
import { inspectTimeNamespaces, type TimeNamespaces } from '../../src/sysbox/time-namespaces.ts';
import { type AptSimulation, autoInstalled } from '../../src/system/apt.ts';
import { type OsRelease, parseOsRelease } from '../../src/system/os-release.ts';
import { valueIn } from '../../src/system/reading.ts';
import {
	inspectSubordinateIds,
	type SubordinateIds,
	type UserRange,
	userRange,
} from '../../src/system/subordinate-ids.ts';
import { sysctlValue } from '../../src/system/sysctl-value.ts';
import { readTextOr } from '../../src/system/text-file.ts';
import { type Candidate, inspectCandidate } from './candidate.ts';
import { inspectPackage, type PackageState, simulateInstall } from './deb-package.ts';
import type { Reachable } from './reachable.ts';

/** A limit of the kernel that the package raises. */
export interface RaisedLimit {
	readonly name: string;
	/** In force now. */
	readonly value: string;
	readonly raisedTo: number;
}

export interface SysboxFacts {
	readonly root: boolean;
	readonly package: PackageState;
	readonly services: Services;
	/** The ids that containers are mapped to, as /etc/subuid and /etc/subgid give them to the user `sysbox`. */
	readonly ids: UserRange | { readonly kind: 'unreadable' };
	readonly subuid: SubordinateIds | undefined;
	readonly subgid: SubordinateIds | undefined;
	/** What the package's scripts read and write. */
	readonly file: DaemonFile;
	readonly dockerd: DockerdUnit;
	readonly validation: Validation;
	readonly docker: DockerFacts;
	readonly network: NetworkInUse;
	readonly timeNamespaces: TimeNamespaces;
	/** Whether what runs under Sysbox can be entered, and which ids it has. */
	readonly liveness: Liveness;
	/** Mounts of sysbox-fs that are dead or hang. */
	readonly badMounts: readonly BadMount[];
	/** What this run stopped before Sysbox went down, and has not brought back. */
	readonly notBack: readonly NotBack[];
	/** This run has tried to start them since. */
	readonly startTried: boolean;
	readonly candidate: Candidate;
	/** Asked only where a run would fetch the package. */
	readonly reachable?: Reachable | undefined;
	/** Undefined where nothing would be installed anyway. */
	readonly simulation: AptSimulation | undefined;
	/** Those of the packages that would go or change which came in for another one. */
	readonly autoInstalled: ReadonlySet<string>;
	readonly limits: readonly RaisedLimit[];
	readonly fusermount3: boolean;
	readonly kernel: string | undefined;
	readonly distro: OsRelease | undefined;
}

/** The id under which the run's log knows this step. */
export const sysboxStepId = 'sysbox';

export async function inspectSysbox(context: StepContext): Promise<SysboxFacts> {
	const { host, signal } = context;
	const [found, services, docker, dockerd, file] = await Promise.all([
		inspectPackage(host, signal),
		inspectServices(host, signal),
		inspectDocker(host, signal),
		inspectDockerdUnit(host, signal),
		readDaemonFile(host, packageFile),
	]);
	const { subuid, subgid } = await inspectSubordinateIds(host);
	const stopped: readonly StoppedContainer[] = stoppedByRun(context.state, sysboxStepId);
	const arch = 'arch' in found ? found.arch : undefined;
	const [candidate, network, timeNamespaces, release, kernel, validation, badMounts] = await Promise.all([
		inspectCandidate(context, arch),
		inspectNetworkInUse(host, docker, signal),
		settingsFile(host, file, dockerd).then(read => inspectTimeNamespaces(host, read, docker, signal)),
		readTextOr(host, '/etc/os-release'),
		readTextOr(host, '/proc/sys/kernel/osrelease'),
		validate(host, file, signal, dockerd),
		inspectFuseMounts(host, signal),
	]);
	const simulation = await simulate(context, found, candidate);
	return {
		root: host.identity.uid === 0,
		package: found,
		services,
		ids: subuid === undefined || subgid === undefined ? { kind: 'unreadable' } : userRange(subuid, subgid, 'sysbox'),
		subuid,
		subgid,
		file,
		dockerd,
		validation,
		docker,
		network,
		timeNamespaces,
		liveness: await inspectLiveness(host, runningUnderSysbox(docker), unitsOf(services).slice(1)),
		badMounts,
		notBack: stopped.length === 0 ? [] : await notBackAgain(host, stopped, signal),
		startTried: startWasTried(context.state, sysboxStepId),
		candidate,
		simulation,
		autoInstalled: await autoInstalled(host, namesToMark(simulation, found), signal),
		limits: await inspectLimits(context),
		fusermount3: await isThere(context, ['/usr/bin/fusermount3', '/bin/fusermount3']),
		kernel: kernel?.trim(),
		distro: valueIn(parseOsRelease(release)),
	};
}

/** The file that this dockerd reads; the package only knows its own. */
const settingsFile = async (host: ReadHost, file: DaemonFile, { configFile }: DockerdUnit): Promise<DaemonFile> =>
	configFile === file.path ? file : readDaemonFile(host, configFile);

/** Packages whose mark apt would lose. */
const namesToMark = (simulation: AptSimulation | undefined, found: PackageState): readonly string[] =>
	simulation?.kind !== 'would'
		? []
		: [
				...[...simulation.removes, ...simulation.upgrades].map(step => step.name),
				...(found.kind === 'installed' ? [found.record.name] : []),
			];

async function inspectLimits({ host }: StepContext): Promise<SysboxFacts['limits']> {
	const found = await Promise.all(
		Object.entries(raisedByPackage).map(async ([name, raisedTo]) => {
			const value = await sysctlValue(host, name);
			return value === undefined ? [] : [{ name, value, raisedTo }];
		}),
	);
	return found.flat();
}

/** Only where apt could be asked to install something: thinking aloud takes it a second. */
async function simulate(
	context: StepContext,
	found: PackageState,
	candidate: Candidate,
): Promise<AptSimulation | undefined> {
	if (found.kind !== 'absent' && found.kind !== 'installed') return undefined;
	switch (candidate.kind) {
		case 'file':
			return candidate.control.kind === 'control'
				? simulateInstall(context.host, candidate.path, context.signal)
				: undefined;
		case 'release':
			if (found.kind === 'installed' && !isOther(found.record.version, candidate.release.version)) return undefined;
			return simulateInstall(context.host, candidate.fetched ? candidate.target : undefined, context.signal);
		default:
			return undefined;
	}
}

/** dpkg adds its own ending to the version: `.linux`, `-0.linux`. */
const isOther = (installed: string, offered: string): boolean => !installed.startsWith(offered);

async function isThere({ host }: StepContext, paths: readonly string[]): Promise<boolean> {
	const found = await Promise.all(paths.map(path => host.stat(path)));
	return found.some(f => f.kind === 'found');
}
