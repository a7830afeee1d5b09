import type { ThreatRow } from '../model/threat.ts';

/** For whoever reads that all was blocked and asks why nothing is at none. */
export const whatRemains = 'bugs in the kernel and the runtime; jobs compete for what their limits leave them';

/** What the best level of the table does not promise. */
export const whatLowMeans =
	'Low is not a VM: all containers share one kernel, one host is one trust zone, and bind mounts are the host’s own files.';

/** `Critical`, or a dash where nothing bad was found. */
export function sayBefore({ before }: ThreatRow): string {
	switch (before.kind) {
		case 'found':
		case 'always':
			return before.level;
		case 'nothing':
			return '–';
		case 'unknown':
		case 'not-looked':
			return 'unknown';
		default:
			return before satisfies never;
	}
}

/** `Low`, `still Critical`, `ready, no job uses Sysbox yet`. */
export function sayAfter({ before, after }: ThreatRow): string {
	switch (after.kind) {
		case 'lowered':
			return after.level;
		case 'still':
			return before.kind === 'found' ? `still ${after.level}` : after.level;
		case 'unknown':
			return 'unknown';
		case 'ready':
			return after.using.length === 0 ? 'ready, no job uses Sysbox yet' : 'ready, not every job uses it';
		case 'not-proved':
			return 'not proved';
		case 'not-lowered':
			return `${after.level}, not lowered by Sysbox CE`;
		default:
			return after satisfies never;
	}
}

/** What the level after rests on, a sentence a line: places, reasons, what it covers. */
export function afterReasons({ after }: ThreatRow): readonly string[] {
	switch (after.kind) {
		case 'lowered':
			return [`for ${listed(after.covers)}`, ...after.caps.map(cap => `no lower than ${after.level}: ${cap}`)];
		case 'still':
			return after.where;
		case 'unknown':
		case 'not-proved':
			return [after.why];
		case 'ready':
			return [
				...(after.without.length === 0 ? [] : [`not under Sysbox: ${listed(after.without)}`]),
				...(after.using.length === 0 ? [] : [`under Sysbox: ${listed(after.using)}`]),
			];
		case 'not-lowered':
			return [`what helps: ${after.helps}`];
		default:
			return after satisfies never;
	}
}

/** `9 of 9 attacks blocked`; undefined where no attack belongs to the row. */
export const sayRestsOn = ({ after, restsOn }: ThreatRow): string | undefined =>
	after.kind === 'not-lowered' ? undefined : `${restsOn.held} of ${restsOn.of} attacks blocked`;

/** What is known of the host's Sysbox and kernel, said once for all rows. */
export const knownOf = (rows: readonly ThreatRow[]): readonly string[] => [...new Set(rows.flatMap(row => row.known))];

/** More names than these are counted. */
const mostNames = 4;

const listed = (names: readonly string[]): string =>
	names.length > mostNames
		? `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more`
		: names.join(', ');
