import { type Reading, read, unreadable } from './reading.ts';

export interface Memory {
	readonly totalBytes: number;
	/** What new work can get without swapping; kernels before 3.14 do not say. */
	readonly availableBytes?: number | undefined;
	readonly swapBytes: number;
}

/** /proc/meminfo. */
export function parseMemInfo(text: unknown): Reading<Memory> {
	if (typeof text !== 'string') return unreadable('meminfo is no text');
	const field = (name: string): number | undefined => {
		const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
		return found === undefined ? undefined : Number(found) * 1024;
	};
	const totalBytes = field('MemTotal');
	const availableBytes = field('MemAvailable');
	if (totalBytes === undefined) return unreadable('meminfo names no MemTotal');
	return read({
		totalBytes,
		availableBytes,
		swapBytes: field('SwapTotal') ?? 0,
	});
}
