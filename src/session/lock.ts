import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { errnoOf } from '../host/local/errno-text.ts';
import { readUpTo } from '../host/local/file-reader.ts';
import { bootId, processStartTime } from '../host/local/machine-identity.ts';
import { safeJson } from '../text/safe.ts';
import { sha256 } from '../text/sha256.ts';
import type { StateDirectory } from './state-directory.ts';

/** Who holds the host, as the one who has to wait is told. */
export interface LockHolder {
	readonly pid: number;
	readonly user: string;
	readonly host: string;
	/** The step it is at, or a word such as `starting`. */
	readonly step: string;
	/** ISO 8601. */
	readonly since: string;
	/** For how long, by the clock of the kernel, which nobody can set; undefined for a lock of another boot. */
	readonly ageSeconds?: number | undefined;
	readonly tool: string;
}

const fileSchema = z.object({
	/** Unlike the pid, never used again. */
	id: z.string().regex(/^[0-9a-f]{16,64}$/),
	pid: z.number().int(),
	startTime: z.string().optional(),
	bootId: z.string().optional(),
	user: z.string(),
	host: z.string(),
	step: z.string(),
	since: z.string(),
	/** Seconds from the boot to the taking. */
	uptime: z.number().optional(),
	tool: z.string(),
});
type LockContent = z.infer<typeof fileSchema>;

export interface HostLock {
	/** Tells others which step this run is at. False when the lock is no longer ours. */
	update(step: string): Promise<boolean>;
	/** Lets the lock go, if it is still ours. */
	release(): Promise<void>;
}

export type LockResult =
	| {
			readonly kind: 'held';
			readonly lock: HostLock /** The dead run whose lock was taken over. */;
			readonly after?: LockHolder | undefined;
	  }
	| { readonly kind: 'locked'; readonly holder: LockHolder }
	| { readonly kind: 'failed'; readonly errno: string; readonly file: string };

/** The file operations of a lock; tests put others in their place to choose the order in which contenders move. */
export interface LockFiles {
	read(path: string): Promise<string>;
	/** Creates a private file; fails when it is there. */
	create(path: string, text: string): Promise<void>;
	link(from: string, to: string): Promise<void>;
	rename(from: string, to: string): Promise<void>;
	unlink(path: string): Promise<void>;
	/** The names in a directory. */
	list(directory: string): Promise<readonly string[]>;
}

/** A lock has a few hundred bytes; what is longer is none. */
const mostLockBytes = 64 * 1024;

const systemLockFiles: LockFiles = {
	read: async path => {
		const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		try {
			return Buffer.from(await readUpTo(handle, mostLockBytes, 0)).toString('utf8');
		} finally {
			await handle.close();
		}
	},
	create: (path, text) => writeFile(path, text, { mode: 0o600, flag: 'wx', flush: true }),
	link,
	rename,
	unlink,
	list: readdir,
};

/** What tells a living holder from a dead one. Without them, this machine is asked. */
export interface LockReaders {
	readonly readBootId?: (() => string | undefined) | undefined;
	/** Start time of a process, undefined when there is no such process (or no /proc). */
	readonly readStartTime?: ((pid: number) => string | undefined) | undefined;
	/** Asked only where there is no /proc. */
	readonly isRunning?: ((pid: number) => boolean) | undefined;
	/** Seconds since this machine was booted. */
	readonly readUptime?: (() => number) | undefined;
}

type Readers = { readonly [Of in keyof LockReaders]-?: NonNullable<LockReaders[Of]> };

const readersOf = (request: LockReaders): Readers => ({
	readBootId: request.readBootId ?? bootId,
	readStartTime: request.readStartTime ?? processStartTime,
	isRunning: request.isRunning ?? isRunning,
	readUptime: request.readUptime ?? uptime,
});

export interface LockRequest extends LockReaders {
	readonly user: string;
	readonly host: string;
	readonly tool: string;
	readonly step: string;
	readonly now: () => Date;
	readonly pid?: number | undefined;
	readonly files?: LockFiles | undefined;
}

/** Contenders that die in turn each cost a round; more than this many at once do not happen. */
const mostRounds = 1000;

/**
 * Takes the one lock of this host. It appears with its whole content in one step (a hard link to a finished file), so
 * nobody ever reads half of it.
 *
 * The lock of a dead run (another boot, no such process, or another process under its pid) is taken over. A second file,
 * named after the dead lock's id and also created by link(2), decides among several who try: one gets it, looks again
 * whether the lock is still the dead one, and only then renames its own over it. Should that one die in between, its file
 * is treated like the lock itself.
 */
export async function takeLock(directory: StateDirectory, request: LockRequest): Promise<LockResult> {
	const files = request.files ?? systemLockFiles;
	const readers = readersOf(request);
	const pid = request.pid ?? process.pid;
	const startTime = readers.readStartTime(pid);
	const boot = readers.readBootId();
	const own: LockContent = {
		id: randomBytes(16).toString('hex'),
		pid,
		startTime,
		bootId: boot,
		user: request.user,
		host: request.host,
		step: request.step,
		since: request.now().toISOString(),
		uptime: readers.readUptime(),
		tool: request.tool,
	};
	const finished = join(directory.path, `lock.new-${own.id}`);
	try {
		await files.create(finished, textOf(own));
		try {
			await sweep(directory, files, own, readers);
			return await contend(directory, files, finished, own, readers);
		} finally {
			await remove(files, finished);
		}
	} catch (error) {
		const errno = errnoOf(error);
		if (errno === 'EUNKNOWN') throw error;
		return { kind: 'failed', errno, file: directory.lockFile };
	}
}

/** Removes what contenders left that were killed before they could: a finished lock that nobody took. */
async function sweep(directory: StateDirectory, files: LockFiles, own: LockContent, readers: Readers): Promise<void> {
	for (const name of await files.list(directory.path)) {
		if (!name.startsWith('lock.new-') || name.endsWith(own.id)) continue;
		const path = join(directory.path, name);
		const content = (await readEntry(files, path))?.content;
		// One that cannot be read may be being written.
		if (content !== undefined && !isAlive(content, own, readers)) await remove(files, path);
	}
}

async function contend(
	directory: StateDirectory,
	files: LockFiles,
	finished: string,
	own: LockContent,
	readers: Readers,
): Promise<LockResult> {
	for (let round = 0; round < mostRounds; round++) {
		const chain = await readChain(directory, files);
		const last = chain.at(-1);
		if (last === undefined) {
			if (await linked(files, finished, directory.lockFile))
				return { kind: 'held', lock: hostLock(directory, files, own) };
			continue;
		}
		if (last.content !== undefined && isAlive(last.content, own, readers)) {
			// A claim that came too late is still there for a moment: then another one has the lock, and is to be named. While
			// the dead one's lock is in its place, whoever claims it is alone.
			const stands = chain.length === 1 || (await readEntry(files, directory.lockFile))?.id === chain[0]?.id;
			if (stands) return { kind: 'locked', holder: holderOf(last.content, own, readers) };
			continue;
		}

		const claim = claimFile(directory, last.id);
		if (!(await linked(files, finished, claim))) continue;
		// Whoever took the dead lock over has cleaned up the claims, so that ours could succeed too late.
		const now = await readChain(directory, files, last.id);
		if (now.length !== chain.length || now.some((entry, index) => entry.id !== chain[index]?.id)) {
			await remove(files, claim);
			continue;
		}
		const dead = chain[0]?.content;
		await files.rename(finished, directory.lockFile);
		for (const entry of chain.toReversed()) await remove(files, claimFile(directory, entry.id));
		return {
			kind: 'held',
			lock: hostLock(directory, files, own),
			after: dead === undefined ? undefined : holderOf(dead, own, readers),
		};
	}
	return { kind: 'failed', errno: 'EAGAIN', file: directory.lockFile };
}

interface Entry {
	readonly id: string;
	/** Undefined when it cannot be read: no run writes it so, thus nobody holds it. */
	readonly content: LockContent | undefined;
}

/** The lock, then who claims to take it over, then who claims that claim. Stops after the entry with the id `until`. */
async function readChain(directory: StateDirectory, files: LockFiles, until?: string): Promise<readonly Entry[]> {
	const chain: Entry[] = [];
	let file = directory.lockFile;
	for (;;) {
		const entry = await readEntry(files, file);
		if (entry === undefined || chain.some(earlier => earlier.id === entry.id)) return chain;
		chain.push(entry);
		if (entry.id === until) return chain;
		file = claimFile(directory, entry.id);
	}
}

async function readEntry(files: LockFiles, file: string): Promise<Entry | undefined> {
	let text: string;
	try {
		text = await files.read(file);
	} catch (error) {
		if (errnoOf(error) === 'ENOENT') return undefined;
		throw error;
	}
	try {
		const content = fileSchema.parse(JSON.parse(text));
		return { id: content.id, content };
	} catch {
		return { id: sha256(text), content: undefined };
	}
}

function isAlive(holder: LockContent, us: Pick<LockContent, 'bootId' | 'startTime'>, readers: Readers): boolean {
	if (holder.bootId !== undefined && us.bootId !== undefined && holder.bootId !== us.bootId) return false;
	// Without /proc there are no start times, not even our own.
	if (us.startTime === undefined || holder.startTime === undefined) return readers.isRunning(holder.pid);
	return readers.readStartTime(holder.pid) === holder.startTime;
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return errnoOf(error) === 'EPERM';
	}
}

function hostLock(directory: StateDirectory, files: LockFiles, taken: LockContent): HostLock {
	const isOurs = async (): Promise<boolean> => (await readEntry(files, directory.lockFile))?.id === taken.id;
	return {
		update: async step => {
			if (!(await isOurs())) return false;
			const next = join(directory.path, `lock.new-${randomBytes(16).toString('hex')}`);
			await files.create(next, textOf({ ...taken, step }));
			await files.rename(next, directory.lockFile);
			return true;
		},
		release: async () => {
			if (await isOurs()) await remove(files, directory.lockFile);
		},
	};
}

/** Who holds the lock right now, for `status`; undefined when nobody does or its holder is dead. Changes nothing. */
export async function lockHolder(
	directory: StateDirectory,
	request: LockReaders = {},
): Promise<LockHolder | undefined> {
	const readers = readersOf(request);
	const content = (await readEntry(systemLockFiles, directory.lockFile).catch(() => undefined))?.content;
	if (content === undefined) return undefined;
	const startTime = readers.readStartTime(process.pid);
	const boot = readers.readBootId();
	const us = { startTime, bootId: boot };
	return isAlive(content, us, readers) ? holderOf(content, us, readers) : undefined;
}

const claimFile = (directory: StateDirectory, id: string): string => join(directory.path, `lock.after-${id}`);

const textOf = (content: LockContent): string => `${safeJson(content)}\n`;

function holderOf(holder: LockContent, us: Pick<LockContent, 'bootId'>, readers: Readers): LockHolder {
	const { pid, user, host, step, since, tool } = holder;
	const sameBoot = holder.bootId !== undefined && holder.bootId === us.bootId;
	const age = sameBoot && holder.uptime !== undefined ? readers.readUptime() - holder.uptime : undefined;
	return { pid, user, host, step, since, ageSeconds: age === undefined ? undefined : Math.max(0, age), tool };
}

async function linked(files: LockFiles, from: string, to: string): Promise<boolean> {
	try {
		await files.link(from, to);
		return true;
	} catch (error) {
		if (errnoOf(error) === 'EEXIST') return false;
		throw error;
	}
}

async function remove(files: LockFiles, path: string): Promise<void> {
	try {
		await files.unlink(path);
	} catch (error) {
		if (errnoOf(error) !== 'ENOENT') throw error;
	}
}
