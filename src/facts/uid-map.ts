import { type Reading, read, unreadable } from './reading.ts';

export interface IdMapping {
	readonly inside: number;
	readonly outside: number;
	readonly count: number;
}

/** /proc/PID/uid_map or gid_map: three numbers a line (user_namespaces(7)). */
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

/** The host's id behind root of that namespace; undefined when root is not mapped. 0 means: no user namespace apart. */
export function hostIdOfRoot(mappings: readonly IdMapping[]): number | undefined {
	return mappings.find(m => m.inside === 0)?.outside;
}
