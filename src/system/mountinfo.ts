import { excerpt, type Reading, read, unreadable } from './reading.ts';

export interface MountEntry {
	/** Where it is mounted. */
	readonly point: string;
	/** The part of the file system that is mounted there. */
	readonly root: string;
	readonly fsType: string;
	readonly source: string;
	/** Of this mount: `ro`, `nosuid`, `idmapped`. */
	readonly options: readonly string[];
	/** Of the file system: `ro`, and for cgroup v1 its controllers. */
	readonly superOptions: readonly string[];
}

/** /proc/PID/mountinfo, in the order of the kernel: a later mount on the same point hides an earlier one. */
export function parseMountInfo(text: unknown): Reading<readonly MountEntry[]> {
	if (typeof text !== 'string') return unreadable('mountinfo is no text');
	const mounts: MountEntry[] = [];
	for (const line of text.split('\n')) {
		if (line.trim() === '') continue;
		// Optional fields stand before the lone dash (proc(5)).
		const [left = '', right] = line.split(' - ', 2);
		const [, , , root, point, options] = left.split(' ');
		const [fsType, source, superOptions] = right?.split(' ') ?? [];
		if (root === undefined || point === undefined || options === undefined || fsType === undefined) {
			return unreadable(`mountinfo has a line of another shape: ${excerpt(line)}`);
		}
		mounts.push({
			point: decodeOctal(point),
			root: decodeOctal(root),
			fsType,
			source: decodeOctal(source ?? ''),
			options: options.split(','),
			superOptions: (superOptions ?? '').split(','),
		});
	}
	return mounts.length === 0 ? unreadable('mountinfo is empty') : read(mounts);
}

/** The kernel writes blanks, tabs, newlines and backslashes of a path as octal numbers. */
function decodeOctal(path: string): string {
	return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mount that a path lies on: the longest mount point above it, and of several there the last one. */
export function mountOf(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
	let best: MountEntry | undefined;
	for (const mount of mounts) {
		const above = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
		if (above && (best === undefined || mount.point.length >= best.point.length)) best = mount;
	}
	return best;
}

/** Nothing can be written there, whoever asks. */
export const isReadOnly = (mount: MountEntry): boolean =>
	mount.options.includes('ro') || mount.superOptions.includes('ro');
