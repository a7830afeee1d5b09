import { type Reading, read, unreadable } from './reading.ts';

/** A line of /proc/PID/uid_map: `         0     100000      65536`. */
export interface IdMapping {
	readonly inside: number;
	readonly outside: number;
	readonly count: number;
}

/**
 * /proc/PID/uid_map or gid_map: three numbers a line (user_namespaces(7)). One line that is something else makes the
 * whole map unreadable: what it would have mapped may be root.
 */
export function parseIdMap(text: unknown): Reading<readonly IdMapping[]> {
	if (typeof text !== 'string' || text.trim() === '') return unreadable('the id map is empty');
	const mappings: IdMapping[] = [];
	for (const line of text.trim().split('\n')) {
		const numbers = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line);
		if (numbers === null) return unreadable(`an id map has three numbers a line, not: ${line.trim().slice(0, 60)}`);
		mappings.push({ inside: Number(numbers[1]), outside: Number(numbers[2]), count: Number(numbers[3]) });
	}
	return read(mappings);
}

/** True when some id in there is root outside. A whole system's map is one such range. */
export const mapsHostRoot = (mappings: readonly IdMapping[]): boolean => mappings.some(m => m.outside === 0);

/** `0→100000 (65536)`. */
export const showIdMap = (mappings: readonly IdMapping[]): string =>
	mappings.map(m => `${m.inside}→${m.outside} (${m.count})`).join(', ');
