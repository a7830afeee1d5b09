import { type FlagConflict, flagConflicts, parseDockerdFlags } from '../../src/edit/daemon-json.ts';
import {
	configFileOf,
	type FlagPlace,
	parseDockerdFlags as listFlags,
	locateFlags,
	parseUnitFiles,
} from '../../src/facts/dockerd-flags.ts';
import { parseCmdline, type UnitState } from '../../src/facts/systemd-show.ts';
import { describeSystemdTrouble, inspectUnits, unitNamed } from '../../src/facts/systemd-units.ts';
import { readTextOr } from '../../src/facts/text-file.ts';
import type { ReadHost } from '../../src/host/port.ts';

export const dockerUnit = 'docker.service';

/** How systemd starts dockerd, and with which settings besides its file. */
export interface DockerdUnit {
	/** Undefined where systemd does not know the unit, or cannot be asked. */
	readonly unit: UnitState | undefined;
	/** Why there is no unit to work with. */
	readonly trouble: string | undefined;
	/** By long flag name, as dockerd compares it with the file. */
	readonly flags: ReadonlyMap<string, readonly string[]>;
	/** Where each flag was written, by the key that it stands for. */
	readonly places: readonly FlagPlace[];
	/** The file that this dockerd reads. */
	readonly configFile: string;
}

export async function inspectDockerdUnit(host: ReadHost, signal: AbortSignal): Promise<DockerdUnit> {
	const answer = await inspectUnits(host, [dockerUnit], signal);
	const found = unitNamed(answer, dockerUnit);
	const unit = found?.loadState === 'loaded' ? found : undefined;
	if (unit === undefined) {
		const trouble =
			answer.kind === 'ok'
				? `systemd has no unit ${dockerUnit}${found?.loadState === 'masked' ? ' but a mask' : ''}`
				: describeSystemdTrouble(answer);
		return { unit, trouble, flags: new Map(), places: [], configFile: configFileOf([]) };
	}
	const words = await commandLine(host, unit);
	const { flags } = parseDockerdFlags(words.slice(1));
	// Every packaged unit names its socket and containerd; only what goes beyond is worth another question.
	const usual = new Set(['host', 'containerd']);
	const files = [...flags.keys()].every(name => usual.has(name))
		? undefined
		: await host.exec(['systemctl', 'cat', dockerUnit], { timeoutMs: 10_000, signal });
	const lines = files?.code === 0 ? parseUnitFiles(files.stdout) : undefined;
	return {
		unit,
		trouble: undefined,
		flags,
		places: lines?.kind === 'ok' ? locateFlags(lines.value) : [],
		configFile: configFileOf(listFlags(words.slice(1))),
	};
}

/** systemd shows `$DOCKER_OPTS` unresolved; the process that runs has the words themselves. */
async function commandLine(host: ReadHost, unit: UnitState): Promise<readonly string[]> {
	if (!unit.execStart.some(word => word.includes('$')) || unit.mainPid === 0) return unit.execStart;
	const running = parseCmdline(await readTextOr(host, `/proc/${unit.mainPid}/cmdline`));
	return running.kind === 'ok' ? running.value : unit.execStart;
}

/** Which of these keys dockerd gets as a flag too: it does not start when one stands in both places. */
export const conflictsWith = (keys: Iterable<string>, dockerd: DockerdUnit): readonly FlagConflict[] =>
	flagConflicts(keys, dockerd.flags);

/** FILE:LINE of the flag that sets this key, or the unit's name where the line was not found. */
export function placeOf(key: string, dockerd: DockerdUnit): string {
	const place = dockerd.places.findLast(p => p.key === key);
	return place === undefined ? (dockerd.unit?.fragmentPath ?? dockerUnit) : `${place.file}:${place.line}`;
}
