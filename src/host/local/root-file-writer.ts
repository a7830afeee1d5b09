import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Argv, ExecResult, Expected, WriteHost, WriteResult } from '../../port/host.ts';
import { sha256 } from '../../text/sha256.ts';
import { errnoOf } from './errno-text.ts';
import { type FileCalls, type FileFacts, type OpenDirectory, type OpenFile, systemFileCalls } from './file-calls.ts';
import { failedWith, findPlace, isSafeDirectory, type Place } from './path-walk.ts';

/** Files of ours that a kill or a power cut left behind are known by this name, and hold nothing that is needed. */
const temporaryFile = /^\.sysbox-setup-[0-9a-f]{16}$/;

export const temporaryName = (): string => `.sysbox-setup-${randomBytes(8).toString('hex')}`;

/** Larger old files are not held in memory, so they cannot be put back after a failed rewrite in place. */
const heldBytes = 16 * 1024 * 1024;

/** What a file system without hard links answers to link(2). */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/** What a file system that cannot sync directories answers (some FUSE and network ones). */
const noDirectorySync = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

export interface WriterOptions {
	readonly calls?: FileCalls | undefined;
	/** The effective user of this process. */
	readonly uid?: number | undefined;
	/** Runs `validateWith`. */
	readonly run?: ((argv: Argv) => Promise<ExecResult>) | undefined;
	readonly newName?: (() => string) | undefined;
}

interface Owner {
	readonly uid: number;
	readonly gid: number;
}

type Found =
	| { readonly kind: 'missing' }
	| {
			readonly kind: 'file';
			readonly file: OpenFile;
			readonly facts: FileFacts;
			readonly sha256: string;
			readonly bytes: Uint8Array | undefined;
	  };

export type RootFileWriter = Pick<WriteHost, 'replaceFile' | 'removeFile' | 'makeDirectory' | 'removeDirectory'>;

/**
 * Writes files so that a kill, a full disk or a power cut at any moment leaves either all of the old bytes or all of
 * the new ones, and so that nobody who can write near the path can make root write elsewhere.
 *
 * A path that only root (or this process's user) could have laid may hold links and end in one. Any other path must
 * lead to a directory of the very owner that the caller names (this user, when none is named), and must not end in a link.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: four writers over the same calls, each below 40 lines.
export function rootFileWriter(options: WriterOptions = {}): RootFileWriter {
	const calls = options.calls ?? systemFileCalls;
	const uid = options.uid ?? process.geteuid?.() ?? -1;
	const newName = options.newName ?? temporaryName;

	return {
		replaceFile: (path, bytes, { expect, mode, owner, validateWith }) =>
			inDirectory(path, owner ?? { uid, gid: -1 }, async (directory, place) => {
				const found = await look(calls, directory.at(place.name));
				const name = newName();
				const temporary = directory.at(name);
				let left = false;
				try {
					if (!isExpected(found, expect)) return { kind: 'changed', found: asExpected(found) };
					const file = await calls.open(temporary, 'create');
					left = true;
					try {
						await writeAll(file, bytes);
						if (found.kind === 'file') await takeOver(found, file);
						else await makeNew(file, mode, owner);
						await file.sync();
					} finally {
						await file.close();
					}
					const said = await refusal(validateWith, join(place.directory, name), path);
					if (said !== undefined) return { kind: 'rejected', said };
					const placed =
						found.kind === 'file'
							? await exchange(directory, place, temporary, expect, bytes)
							: await putNew(directory, place, temporary, expect);
					if (placed.kind !== 'written') return placed;
					left = !placed.temporaryGone;
					if (left) {
						await calls.unlink(temporary);
						left = false;
					}
					await syncDirectory(directory);
					return { kind: 'written', sha256: sha256(bytes), atomic: placed.atomic };
				} finally {
					if (found.kind === 'file') await found.file.close();
					if (left) await calls.unlink(temporary).catch(() => {});
				}
			}),

		removeFile: (path, { expect }) =>
			inDirectory(path, undefined, async (directory, place) => {
				const target = directory.at(place.name);
				const found = await look(calls, target);
				if (found.kind === 'file') await found.file.close();
				if (!isExpected(found, expect)) return { kind: 'changed', found: asExpected(found) };
				if (found.kind === 'missing') return gone;
				await calls.unlink(target);
				await syncDirectory(directory);
				return gone;
			}),

		makeDirectory: (path, { mode, owner }) =>
			inDirectory(path, owner ?? { uid, gid: -1 }, async (parent, place) => {
				const target = parent.at(place.name);
				try {
					await calls.mkdir(target, mode);
				} catch (error) {
					if (errnoOf(error) !== 'EEXIST') throw error;
					const there = await calls.lstat(target);
					return there.type === 'directory' ? gone : failedWith('EEXIST', path, 'and it is not a folder');
				}
				const directory = await calls.openDirectory(target);
				try {
					const wanted = owner ?? (uid === 0 ? { uid: 0, gid: 0 } : undefined);
					await own(directory, await directory.facts(), wanted);
					// The umask may have taken bits away, and a set-group-id parent may have added one.
					await directory.chmod(mode);
					await syncDirectory(directory);
				} catch (error) {
					await calls.rmdir(target).catch(() => {});
					throw error;
				} finally {
					await directory.close();
				}
				await syncDirectory(parent);
				return gone;
			}),

		removeDirectory: path =>
			inDirectory(path, undefined, async (parent, place) => {
				try {
					await calls.rmdir(parent.at(place.name));
				} catch (error) {
					if (errnoOf(error) === 'ENOENT') return gone;
					throw error;
				}
				await syncDirectory(parent);
				return gone;
			}),
	};

	/** `owner` is who a directory that others can change has to belong to; undefined: it does not matter. */
	async function inDirectory(
		path: string,
		owner: Owner | undefined,
		work: (directory: OpenDirectory, place: Place) => Promise<WriteResult>,
	): Promise<WriteResult> {
		const place = await findPlace(calls, path, uid);
		if ('kind' in place) return place;
		try {
			const directory = await calls.openDirectory(place.directory);
			try {
				const facts = await directory.facts();
				const safe = place.trusted && isSafeDirectory(facts, uid);
				const open = (facts.mode & 0o002) !== 0 && (facts.mode & 0o1000) === 0;
				if (owner !== undefined && !safe && (open || facts.uid !== owner.uid)) {
					const who = open ? 'everybody' : `uid ${facts.uid}`;
					return {
						kind: 'failed',
						errno: 'EPERM',
						message: `${path}: nothing was written, as ${who} can exchange files in ${place.directory}`,
					};
				}
				return await work(directory, place);
			} finally {
				await directory.close();
			}
		} catch (error) {
			if (error instanceof PlainFailure)
				return {
					kind: 'failed',
					errno: error.errno,
					message: `${path}: ${error.message}`,
					touched: error.touched ? true : undefined,
				};
			const errno = errnoOf(error);
			// What did not come from the system is a bug here, and must not pass for a state of the host.
			if (errno === 'EUNKNOWN') throw error;
			return failedWith(errno, path);
		}
	}

	async function takeOver(found: Extract<Found, { kind: 'file' }>, file: OpenFile): Promise<void> {
		await calls.copyAttributes(found.file, file);
		await own(file, await file.facts(), found.facts);
		// After the owner, as a change of owner clears the set-id bits.
		await file.chmod(found.facts.mode);
	}

	async function makeNew(file: OpenFile, mode: number, owner: Owner | undefined): Promise<void> {
		await own(file, await file.facts(), owner ?? (uid === 0 ? { uid: 0, gid: 0 } : undefined));
		await file.chmod(mode);
	}

	async function refusal(validateWith: Argv | undefined, candidate: string, path: string): Promise<string | undefined> {
		if (validateWith === undefined) return undefined;
		if (options.run === undefined) return `${validateWith[0]} cannot be run here`;
		const [program, ...args] = validateWith;
		const result = await options.run([program, ...args.map(arg => (arg === '{}' ? candidate : arg))]);
		if (result.code === 0) return undefined;
		// The operator knows the file by its own name, and the candidate is gone when this is read.
		const words = `${result.stderr}\n${result.stdout}`.trim().replaceAll(candidate, path);
		return words === '' ? `${program} ended with ${result.problem ?? `code ${result.code}`}` : words;
	}

	type Placed =
		| { readonly kind: 'written'; readonly atomic: boolean; readonly temporaryGone: boolean }
		| Extract<WriteResult, { kind: 'changed' }>;

	/** Looks once more directly before, as another program may have written the file meanwhile. */
	async function exchange(
		directory: OpenDirectory,
		place: Place,
		temporary: string,
		expect: Expected,
		bytes: Uint8Array,
	): Promise<Placed> {
		const target = directory.at(place.name);
		const now = await look(calls, target);
		if (now.kind === 'file') await now.file.close();
		if (!isExpected(now, expect)) return { kind: 'changed', found: asExpected(now) };
		try {
			await calls.rename(temporary, target);
			return { kind: 'written', atomic: true, temporaryGone: true };
		} catch (error) {
			// A file that is a mount of its own (in containers: /etc/hosts) cannot be exchanged, only rewritten.
			if (errnoOf(error) !== 'EBUSY' || now.kind === 'missing') throw error;
			await rewrite(target, bytes, now.bytes);
			return { kind: 'written', atomic: false, temporaryGone: false };
		}
	}

	/** link(2) fails when the name was taken meanwhile, where rename(2) would silently replace what is there. */
	async function putNew(directory: OpenDirectory, place: Place, temporary: string, expect: Expected): Promise<Placed> {
		const target = directory.at(place.name);
		const lookAgain = async (): Promise<Found> => {
			const now = await look(calls, target);
			if (now.kind === 'file') await now.file.close();
			return now;
		};
		try {
			await calls.link(temporary, target);
			return { kind: 'written', atomic: true, temporaryGone: false };
		} catch (error) {
			const errno = errnoOf(error);
			if (errno !== 'EEXIST' && !noLinks.has(errno)) throw error;
			const now = await lookAgain();
			if (!isExpected(now, expect)) return { kind: 'changed', found: asExpected(now) };
			await calls.rename(temporary, target);
			return { kind: 'written', atomic: true, temporaryGone: true };
		}
	}

	/** Overwrites first and shortens then, so that a full disk finds the old blocks still ours. */
	async function rewrite(target: string, bytes: Uint8Array, before: Uint8Array | undefined): Promise<void> {
		const file = await calls.open(target, 'overwrite');
		try {
			await fill(file, bytes);
		} catch (error) {
			const errno = errnoOf(error);
			if (errno === 'EUNKNOWN') throw error;
			const back =
				before !== undefined &&
				(await fill(file, before).then(
					() => true,
					() => false,
				));
			throw new PlainFailure(
				errno,
				`${failedWith(errno, 'it had to be rewritten in place').message}; ${back ? 'the old bytes were put back' : 'the old bytes could not be put back: restore it from the backup'}`,
				!back,
			);
		} finally {
			await file.close();
		}
	}

	async function syncDirectory(directory: OpenDirectory): Promise<void> {
		try {
			await directory.sync();
		} catch (error) {
			const errno = errnoOf(error);
			if (errno === 'EUNKNOWN') throw error;
			if (!noDirectorySync.has(errno))
				throw new PlainFailure(
					errno,
					`${failedWith(errno, 'it was changed, but the change may not be on disk').message}`,
					true,
				);
		}
	}
}

/** There are no bytes to tell a digest of. */
const gone: WriteResult = { kind: 'written', sha256: '', atomic: true };

/** A failure whose words say more than its error name does. */
class PlainFailure extends Error {
	readonly errno: string;
	readonly touched: boolean;
	constructor(errno: string, message: string, touched = false) {
		super(message);
		this.errno = errno;
		this.touched = touched;
	}
}

const asExpected = (found: Found): Expected =>
	found.kind === 'missing' ? { kind: 'missing' } : { kind: 'sha256', sha256: found.sha256 };

function isExpected(found: Found, expect: Expected): boolean {
	return found.kind === 'missing'
		? expect.kind === 'missing'
		: expect.kind === 'sha256' && expect.sha256 === found.sha256;
}

async function look(calls: FileCalls, target: string): Promise<Found> {
	let file: OpenFile;
	try {
		file = await calls.open(target, 'read');
	} catch (error) {
		if (errnoOf(error) === 'ENOENT') return { kind: 'missing' };
		throw error;
	}
	try {
		const facts = await file.facts();
		if (facts.type !== 'file')
			throw new PlainFailure(
				facts.type === 'directory' ? 'EISDIR' : 'EINVAL',
				facts.type === 'directory' ? 'it is a folder' : 'it is not a file',
			);
		const hash = createHash('sha256');
		const chunks: Uint8Array[] = [];
		let size = 0;
		const buffer = Buffer.alloc(64 * 1024);
		for (;;) {
			const count = await file.read(buffer);
			if (count === 0) break;
			size += count;
			hash.update(buffer.subarray(0, count));
			if (size <= heldBytes) chunks.push(Uint8Array.from(buffer.subarray(0, count)));
		}
		return {
			kind: 'file',
			file,
			facts,
			sha256: hash.digest('hex'),
			bytes: size <= heldBytes ? Buffer.concat(chunks) : undefined,
		};
	} catch (error) {
		await file.close();
		throw error;
	}
}

async function own(file: Pick<OpenFile, 'chown'>, facts: FileFacts, wanted: Owner | undefined): Promise<void> {
	if (wanted !== undefined && (facts.uid !== wanted.uid || facts.gid !== wanted.gid))
		await file.chown(wanted.uid, wanted.gid);
}

async function fill(file: OpenFile, bytes: Uint8Array): Promise<void> {
	await writeAll(file, bytes);
	await file.truncate(bytes.length);
	await file.sync();
}

async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
	let done = 0;
	while (done < bytes.length) done += await file.write(bytes.subarray(done), done);
}

/**
 * Removes the temporary files that a killed run left in a directory, and returns their names. Only while holding the host's
 * lock: a file of a running writer would be taken from it.
 */
export async function sweepTemporaryFiles(
	path: string,
	calls: FileCalls = systemFileCalls,
	uid: number = process.geteuid?.() ?? -1,
): Promise<readonly string[]> {
	let names: readonly string[];
	try {
		names = await calls.list(path);
	} catch {
		// No such directory, so no files in it.
		return [];
	}
	const removed: string[] = [];
	for (const name of names) {
		if (!temporaryFile.test(name)) continue;
		try {
			const facts = await calls.lstat(join(path, name));
			if (facts.type !== 'file' || (facts.uid !== uid && uid !== 0)) continue;
			await calls.unlink(join(path, name));
			removed.push(name);
		} catch {
			// A leftover that cannot be removed harms nobody.
		}
	}
	return removed;
}
