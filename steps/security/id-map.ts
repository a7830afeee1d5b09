/** A line of /proc/PID/uid_map. */
export interface IdRange {
	readonly inside: number;
	readonly outside: number;
	readonly count: number;
}

/** `         0     100000      65536`, one range a line. */
export function maps(text: string): readonly IdRange[] {
	return text.split('\n').flatMap(line => {
		const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
		return inside === undefined ||
			outside === undefined ||
			count === undefined ||
			[inside, outside, count].some(Number.isNaN)
			? []
			: [{ inside, outside, count }];
	});
}

/** True when some id in there is root outside, and also when there is no map: then nothing is mapped away. */
export const mapsHostRoot = (ranges: readonly IdRange[]): boolean =>
	ranges.length === 0 || ranges.some(r => r.outside === 0);

export const showRanges = (ranges: readonly IdRange[]): string =>
	ranges.map(r => `${r.inside}→${r.outside} (${r.count})`).join(', ') || 'no map';
