import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { errnoOf } from '../host/local/errno-text.ts';
import { isSafeDirectory } from '../host/local/path-walk.ts';

/** Where the lock, the session and the runs of one host lie. Nobody but its owner can look inside. */
export interface StateDirectory {
	readonly path: string;
	readonly lockFile: string;
	readonly sessionFile: string;
	readonly runsDirectory: string;
}

export type StateDirectoryProblem =
	/** Only when it was not to be created. */
	| { readonly kind: 'missing'; readonly path: string }
	| { readonly kind: 'denied'; readonly path: string }
	| { readonly kind: 'not-a-folder'; readonly path: string; readonly what: 'link' | 'other' }
	| { readonly kind: 'foreign'; readonly path: string; readonly uid: number }
	/** Others can write into it, so nothing in it can be believed. */
	| { readonly kind: 'open-to-others'; readonly path: string; readonly mode: number }
	/** Others can exchange the state folder, as they can write to this directory above it. */
	| { readonly kind: 'open-above'; readonly path: string; readonly above: string }
	| { readonly kind: 'failed'; readonly path: string; readonly errno: string };

export type StateDirectoryResult =
	| { readonly kind: 'open'; readonly directory: StateDirectory }
	| StateDirectoryProblem;

/** `/var/lib/sysbox-setup` for root, else the user's own state directory (XDG base directory specification). */
export function defaultStatePath(
	uid: number,
	environment: Readonly<Record<string, string | undefined>>,
	home: () => string = homedir,
): string {
	if (uid === 0) return '/var/lib/sysbox-setup';
	const named = environment.XDG_STATE_HOME;
	// The specification says that a relative path is to be ignored.
	const base =
		named?.startsWith('/') === true
			? named
			: join(environment.HOME?.startsWith('/') === true ? environment.HOME : home(), '.local/state');
	return join(base, 'sysbox-setup');
}

/**
 * Opens the directory for this tool's state, and creates it (0700) with what is missing above it when `create` says so.
 * Refuses one that is a link, is another user's, or that others can write to: a run is resumed and reverted from it.
 */
export async function openStateDirectory(
	path: string,
	options: {
		readonly create: boolean;
		readonly uid: number;
		/** The directories above are looked at too: a real run of root is undone by what lies in the directory. */
		readonly above?: boolean | undefined;
	},
): Promise<StateDirectoryResult> {
	try {
		if (options.create) await createDirectories(path);
		const facts = await lstat(path);
		if (!facts.isDirectory()) return { kind: 'not-a-folder', path, what: facts.isSymbolicLink() ? 'link' : 'other' };
		if (facts.uid !== options.uid) return { kind: 'foreign', path, uid: facts.uid };
		if ((facts.mode & 0o022) !== 0) return { kind: 'open-to-others', path, mode: facts.mode & 0o7777 };
		const above = options.above === true ? await unsafeAbove(path, options.uid) : undefined;
		if (above !== undefined) return { kind: 'open-above', path, above };
		return {
			kind: 'open',
			directory: {
				path,
				lockFile: join(path, 'lock'),
				sessionFile: join(path, 'session.json'),
				runsDirectory: join(path, 'runs'),
			},
		};
	} catch (error) {
		const errno = errnoOf(error);
		if (errno === 'ENOENT') return { kind: 'missing', path };
		if (errno === 'EACCES' || errno === 'EPERM') return { kind: 'denied', path };
		if (errno === 'ENOTDIR' || errno === 'EEXIST') return { kind: 'not-a-folder', path, what: 'other' };
		return { kind: 'failed', path, errno };
	}
}

/**
 * A directory above in which others can exchange the state directory for one of theirs; links on the way are followed, as
 * whoever could have laid one could write to the directory that it lies in.
 */
async function unsafeAbove(path: string, uid: number): Promise<string | undefined> {
	for (let above = dirname(await realpath(path)); ; above = dirname(above)) {
		const { uid: owner, gid, mode } = await lstat(above);
		if (!isSafeDirectory({ type: 'directory', uid: owner, gid, mode }, uid)) return above;
		if (above === dirname(above)) return undefined;
	}
}

/** Creates what is missing, from the top down, and puts each new name on disk. */
async function createDirectories(path: string): Promise<void> {
	try {
		await mkdir(path, 0o700);
	} catch (error) {
		const errno = errnoOf(error);
		if (errno === 'EEXIST') return;
		if (errno !== 'ENOENT' || dirname(path) === path) throw error;
		await createDirectories(dirname(path));
		return createDirectories(path);
	}
	await syncDirectory(dirname(path));
}

/** What file systems answer that cannot put a directory on disk by itself (some FUSE and network ones). */
const noDirectorySync = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EPERM']);

/** Puts the names in a directory on disk, so that a power cut does not take a new or renamed file away. */
export async function syncDirectory(path: string): Promise<void> {
	let handle: FileHandle | undefined;
	try {
		handle = await open(path, constants.O_RDONLY);
		await handle.sync();
	} catch (error) {
		if (!noDirectorySync.has(errnoOf(error))) throw error;
	} finally {
		await handle?.close();
	}
}

/**
 * True for what can be the name of a run. A record that somebody hands over names a run, and must not lead anywhere
 * else.
 */
export function isRunName(name: string): boolean {
	return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name);
}

export interface RunPaths {
	readonly directory: string;
	readonly events: string;
	readonly backup: string;
}

/** Where a run's files lie. The name has to be one by {@link isRunName}. */
export function runPaths(directory: StateDirectory, run: string): RunPaths {
	if (!isRunName(run)) throw new Error(`not the name of a run: ${JSON.stringify(run)}`);
	const own = join(directory.runsDirectory, run);
	return { directory: own, events: join(own, 'events.ndjson'), backup: join(own, 'backup') };
}
