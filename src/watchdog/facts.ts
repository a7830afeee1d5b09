import type { ReadHost } from '../port/host.ts';
import { parseProperties, parseUnits } from '../system/systemd-show.ts';
import { readTextOr } from '../system/text-file.ts';
import { dockerUnit } from '../system/unit-failure.ts';
import { sha256 } from '../text/sha256.ts';
import {
	bootUnitPath,
	copyPath,
	deadlineUnit,
	markerPath,
	scriptPath,
	stateDirectory,
	wantsDirectory,
	wantsPath,
	watchdogDirectory,
	watchUnit,
} from './names.ts';

/** What a switch did when it was its turn. */
export interface Fired {
	/** ISO time, by the host's clock. */
	readonly at: string;
	/** At its deadline, or at the start of the host after a power cut. */
	readonly by: 'deadline' | 'boot';
	/**
	 * `put-back`; `was-back`: the earlier file was there already; `left-file`: somebody else had changed it, so it stayed;
	 * `no-copy`, `failed`: it could not be put back; `give-up`: Docker was still starting after a long wait.
	 */
	readonly did: string;
	/** `started`, `does-not-start`, `starts-with-the-host`, or the state in which it was left. */
	readonly docker: string;
	/** sha256 of the file that Docker did not come up with. */
	readonly written: string;
	readonly file: string;
}

/** How long docker.service took to start the last time, as systemd has kept it; undefined: it did not start in this boot. */
export interface LastStart {
	readonly ms: number | undefined;
	/** ActiveEnterTimestampMonotonic, as printed. */
	readonly entered: string;
}

/** A switch, or what is left of one, as it is found on a host. */
export interface WatchdogFacts {
	/** Files of it that are there, by path, with their sha256. */
	readonly files: ReadonlyMap<string, string>;
	readonly directory: 'missing' | 'present';
	readonly stateDirectory: 'missing' | 'present';
	/** `ours`: it holds nothing, or nothing but the switch's own file. */
	readonly wantsDirectory: 'missing' | 'ours' | 'shared';
	/** The timer waits, or its script is at work. */
	readonly waiting: boolean;
	readonly fired: Fired | undefined;
	readonly lastStart: LastStart;
}

const ownUnits = [deadlineUnit, watchUnit].flatMap(unit => [`${unit}.timer`, `${unit}.service`]);
const units = [dockerUnit, ...ownUnits] as const;
const properties = [
	'Id',
	'ActiveState',
	'NRestarts',
	'ActiveEnterTimestampMonotonic',
	'InactiveExitTimestampMonotonic',
	'ExecMainStartTimestampMonotonic',
] as const;

/** The command line that {@link inspectWatchdog} runs. */
export const showWatchdogCommand = ['systemctl', 'show', ...units, ...properties.flatMap(p => ['-p', p])] as const;

const ownFiles = [wantsPath, bootUnitPath, scriptPath, copyPath, markerPath] as const;

export async function inspectWatchdog(host: ReadHost, signal: AbortSignal): Promise<WatchdogFacts> {
	const [shown, state, directory, wants, fired, files] = await Promise.all([
		host.exec(showWatchdogCommand, { timeoutMs: 10_000, signal }),
		host.stat(stateDirectory),
		host.stat(watchdogDirectory),
		host.list(wantsDirectory),
		readFired(host),
		Promise.all(
			ownFiles.map(async path => {
				const read = await host.readFile(path);
				return read.kind === 'bytes' ? ([path, sha256(read.bytes)] as const) : undefined;
			}),
		),
	]);
	const parsed = parseUnits(shown.code === 0 ? shown.stdout : undefined);
	const unit = (name: string) =>
		parsed.kind === 'ok' ? parsed.value.find(({ id }) => id === name)?.properties : undefined;
	const works = (name: string) => ['active', 'activating', 'deactivating'].includes(unit(name)?.['ActiveState'] ?? '');
	const own = wantsPath.slice(wantsDirectory.length + 1);
	return {
		files: new Map(files.filter(file => file !== undefined)),
		directory: directory.kind === 'found' ? 'present' : 'missing',
		stateDirectory: state.kind === 'found' ? 'present' : 'missing',
		wantsDirectory: wants.kind !== 'names' ? 'missing' : wants.names.every(name => name === own) ? 'ours' : 'shared',
		waiting: ownUnits.some(works),
		fired,
		lastStart: lastStartOf(unit(dockerUnit) ?? {}),
	};
}

/** What a switch did on this host, as long as nobody has removed its note. */
export async function readFired(host: ReadHost): Promise<Fired | undefined> {
	const text = await readTextOr(host, markerPath);
	return text === undefined ? undefined : parseFired(text);
}

/** The marker; undefined for a text that is none, such as one that a full disk cut off. */
export function parseFired(text: string): Fired | undefined {
	const { at, by, did, docker, written, file } = parseProperties(text);
	if (at === undefined || did === undefined || (by !== 'deadline' && by !== 'boot')) return undefined;
	return { at, by, did, docker: docker ?? '', written: written ?? '', file: file ?? '' };
}

/**
 * From leaving `inactive` to `active`, so that what is run before dockerd counts too. A service that systemd started
 * again by itself was not inactive in between: of such a start only the main process' own time is known.
 */
export function lastStartOf(shown: Readonly<Record<string, string>>): LastStart {
	const entered = shown['ActiveEnterTimestampMonotonic'] ?? '0';
	const from =
		Number(shown['NRestarts'] ?? '0') > 0 ? 'ExecMainStartTimestampMonotonic' : 'InactiveExitTimestampMonotonic';
	const microseconds = Number(entered) - Number(shown[from] ?? '0');
	const known = Number(entered) > 0 && Number(shown[from] ?? '0') > 0 && microseconds >= 0;
	return { ms: known ? Math.ceil(microseconds / 1000) : undefined, entered };
}

/** Whether anything of a switch is on the host. */
export const isThere = (facts: WatchdogFacts): boolean =>
	facts.files.size > 0 || facts.directory === 'present' || facts.waiting;
