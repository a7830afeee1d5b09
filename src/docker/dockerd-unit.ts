import type { ReadHost } from '../port/host.ts';
import { parseCmdline, type UnitState } from '../system/systemd-show.ts';
import { describeSystemdTrouble, inspectUnits, type UnitsAnswer, unitNamed } from '../system/systemd-units.ts';
import { readTextOr } from '../system/text-file.ts';
import { dockerUnit } from '../system/unit-failure.ts';
import { flagConflicts } from './daemon-json.ts';
import {
	configFileOf,
	type DockerdFlag,
	type FlagPlace,
	locateFlags,
	parseDockerdFlags,
	parseUnitFiles,
} from './dockerd-flags.ts';

/** How systemd starts dockerd, and with which settings besides its file. */
export interface DockerdUnit {
	/** Undefined where systemd does not know the unit, or cannot be asked. */
	readonly unit: UnitState | undefined;
	/** Why there is no unit to work with. */
	readonly trouble: string | undefined;
	/** As it was started with them, or would be. */
	readonly flags: readonly DockerdFlag[];
	/** Where each flag was written. One that comes from a variable is not among them. */
	readonly places: readonly FlagPlace[];
	/** The file that this dockerd reads. */
	readonly configFile: string;
}

export async function inspectDockerdUnit(host: ReadHost, signal: AbortSignal): Promise<DockerdUnit> {
	return dockerdUnitIn(await inspectUnits(host, [dockerUnit], signal), host, signal);
}

/** The same from what systemd has told already. One command. */
export async function dockerdUnitIn(answer: UnitsAnswer, host: ReadHost, signal: AbortSignal): Promise<DockerdUnit> {
	const found = unitNamed(answer, dockerUnit);
	const unit = found?.loadState === 'loaded' ? found : undefined;
	if (unit === undefined) {
		const trouble =
			answer.kind === 'ok'
				? `systemd has no unit ${dockerUnit}${found?.loadState === 'masked' ? ' but a mask' : ''}`
				: describeSystemdTrouble(answer);
		return { unit, trouble, flags: [], places: [], configFile: configFileOf([]) };
	}
	const words = await commandLine(host, unit);
	const flags = parseDockerdFlags(words.slice(1));
	// Even the packaged unit's own `-H` has to be named with its line: it is the one that "hosts" in the file clashes with.
	const files = await host.exec(['systemctl', 'cat', dockerUnit], { timeoutMs: 10_000, signal });
	const lines = files.code === 0 ? parseUnitFiles(files.stdout) : undefined;
	return {
		unit,
		trouble: undefined,
		flags,
		places: lines?.kind === 'ok' ? locateFlags(lines.value) : [],
		configFile: configFileOf(flags),
	};
}

/** systemd shows `$DOCKER_OPTS` unresolved; the process that runs has the words themselves. */
async function commandLine(host: ReadHost, unit: UnitState): Promise<readonly string[]> {
	if (!unit.execStart.some(word => word.includes('$')) || unit.mainPid === 0) return unit.execStart;
	const running = parseCmdline(await readTextOr(host, `/proc/${unit.mainPid}/cmdline`));
	return running.kind === 'ok' ? running.value : unit.execStart;
}

/** Which of these keys dockerd gets as a flag too: it does not start when one stands in both places. */
export const conflictsWith = (
	keys: Iterable<string>,
	dockerd: DockerdUnit,
): readonly { readonly key: string; readonly flag: DockerdFlag }[] => flagConflicts(keys, dockerd.flags);

export const flagIsGiven = (name: string, dockerd: DockerdUnit): boolean =>
	dockerd.flags.some(flag => flag.name === name);

/** FILE:LINE of a flag by its long name, or the unit's file where the line was not found. */
export function placeOf(name: string, dockerd: DockerdUnit): string {
	const place = dockerd.places.findLast(p => p.name === name);
	return place === undefined ? (dockerd.unit?.fragmentPath ?? dockerUnit) : `${place.file}:${place.line}`;
}

/** What a file that is not there means for this dockerd: only one that its command line names has to be there. */
export const missingFile = (path: string, dockerd: DockerdUnit): string =>
	dockerd.configFile === path
		? `There is no ${path}; Docker uses its defaults`
		: `There is no ${path}; this Docker reads ${dockerd.configFile}`;
