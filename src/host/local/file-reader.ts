import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath, stat, statfs } from 'node:fs/promises';
import type {
	DigestResult,
	FileMeta,
	ListResult,
	ReadProblem,
	ReadResult,
	SpaceResult,
	StatResult,
} from '../../port/host.ts';
import { errnoOf } from './errno-text.ts';

const defaultMaxBytes = 1024 * 1024;
const chunkBytes = 256 * 1024;

/** Files of /sys say that they have this size, whatever they hold; below it the size proves nothing. */
const pretendedSize = 4096;

type FileType = Extract<StatResult, { kind: 'found' }>['type'];
type OpenResult =
	| { readonly kind: 'open'; readonly handle: FileHandle; readonly stats: Stats; readonly realPath: string }
	| Exclude<ReadProblem, { kind: 'too-large' }>;

export interface FileReader {
	readFile(path: string, options?: { readonly maxBytes?: number | undefined }): Promise<ReadResult>;
	stat(path: string): Promise<StatResult>;
	list(path: string): Promise<ListResult>;
	digest(path: string, options?: { readonly maxBytes?: number | undefined }): Promise<DigestResult>;
	space(path: string): Promise<SpaceResult>;
}

/**
 * Reads of this machine's files. Links are followed: administrators use them. `root` stands in front of every path and
 * is taken off what is returned; absolute links inside it lead out of it, as this is no chroot.
 */
export function fileReader(root = ''): FileReader {
	const inside = (path: string): string => root + path;
	const outside = (path: string): string =>
		root !== '' && path.startsWith(root) ? path.slice(root.length) || '/' : path;

	const problemOf = async (error: unknown, path: string): Promise<Exclude<ReadProblem, { kind: 'too-large' }>> => {
		const errno = errnoOf(error);
		if (errno === 'EACCES' || errno === 'EPERM') return { kind: 'denied' };
		if (errno === 'ELOOP') return { kind: 'not-a-file', what: 'link-loop' };
		if (errno !== 'ENOENT' && errno !== 'ENOTDIR') return { kind: 'failed', errno };
		const danglingTo = await readlink(path).catch(() => undefined);
		return danglingTo === undefined ? { kind: 'missing' } : { kind: 'missing', danglingTo: outside(danglingTo) };
	};

	const openFile = async (path: string): Promise<OpenResult> => {
		try {
			// Looked at first, as merely opening some devices does something (watchdog, tape).
			const before = typeOf(await stat(path));
			if (before !== 'file') return { kind: 'not-a-file', what: before };
			// Without O_NONBLOCK, a FIFO that took the file's place in between would hang for ever.
			const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
			try {
				const stats = await handle.stat();
				const type = typeOf(stats);
				if (type !== 'file') {
					await handle.close();
					return { kind: 'not-a-file', what: type };
				}
				return { kind: 'open', handle, stats, realPath: outside(await realpath(path)) };
			} catch (error) {
				await handle.close();
				throw error;
			}
		} catch (error) {
			return problemOf(error, path);
		}
	};

	return {
		readFile: async (path, options = {}) => {
			const limit = options.maxBytes ?? defaultMaxBytes;
			const opened = await openFile(inside(path));
			if (opened.kind !== 'open') return opened;
			const { handle, stats, realPath } = opened;
			try {
				if (stats.size > Math.max(limit, pretendedSize)) return { kind: 'too-large', size: stats.size, limit };
				const bytes = await readUpTo(handle, limit + 1, stats.size);
				if (bytes.length > limit) return { kind: 'too-large', size: Math.max(stats.size, bytes.length), limit };
				return { kind: 'bytes', bytes, meta: { ...metaOf(stats, realPath), size: bytes.length } };
			} catch (error) {
				return await problemOf(error, inside(path));
			} finally {
				await handle.close();
			}
		},

		stat: async path => {
			try {
				const itself = await lstat(inside(path));
				const link = itself.isSymbolicLink();
				const stats = link ? await stat(inside(path)) : itself;
				return { kind: 'found', type: typeOf(stats), link, meta: metaOf(stats, outside(await realpath(inside(path)))) };
			} catch (error) {
				return problemOf(error, inside(path));
			}
		},

		list: async path => {
			try {
				return { kind: 'names', names: (await readdir(inside(path))).sort() };
			} catch (error) {
				const errno = errnoOf(error);
				if (errno === 'ENOENT') return { kind: 'missing' };
				if (errno === 'EACCES' || errno === 'EPERM') return { kind: 'denied' };
				if (errno === 'ENOTDIR') return (await isThere(inside(path))) ? { kind: 'not-a-folder' } : { kind: 'missing' };
				return { kind: 'failed', errno };
			}
		},

		digest: async (path, { maxBytes: limit = Number.POSITIVE_INFINITY } = {}) => {
			const opened = await openFile(inside(path));
			if (opened.kind !== 'open') return opened;
			const { handle, stats } = opened;
			try {
				if (stats.size > limit) return { kind: 'too-large', size: stats.size, limit };
				const hash = createHash('sha256');
				const buffer = Buffer.allocUnsafe(chunkBytes);
				let size = 0;
				for (;;) {
					const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
					if (bytesRead === 0) return { kind: 'digest', sha256: hash.digest('hex'), size };
					hash.update(buffer.subarray(0, bytesRead));
					size += bytesRead;
					if (size > limit) return { kind: 'too-large', size, limit };
				}
			} catch (error) {
				return await problemOf(error, inside(path));
			} finally {
				await handle.close();
			}
		},

		space: async path => {
			try {
				const found = await statfs(inside(path));
				// `bavail`, not `bfree`: what is kept back for root is not room to plan with.
				return { kind: 'space', freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
			} catch (error) {
				const errno = errnoOf(error);
				if (errno === 'ENOENT' || errno === 'ENOTDIR') return { kind: 'missing' };
				return errno === 'EACCES' || errno === 'EPERM' ? { kind: 'denied' } : { kind: 'failed', errno };
			}
		},
	};
}

const isThere = (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		() => false,
	);

function typeOf(stats: Stats): FileType {
	if (stats.isFile()) return 'file';
	if (stats.isDirectory()) return 'directory';
	if (stats.isSocket()) return 'socket';
	return stats.isFIFO() ? 'fifo' : 'device';
}

function metaOf(stats: Stats, realPath: string): FileMeta {
	return {
		mode: stats.mode & 0o7777,
		uid: stats.uid,
		gid: stats.gid,
		size: stats.size,
		realPath,
		changedAtMs: stats.ctimeMs,
	};
}

/** Reads to the end, as files of /proc say that they are empty; at most `most` bytes, as a file may grow meanwhile. */
export async function readUpTo(handle: FileHandle, most: number, likely: number): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	let total = 0;
	let room = Math.min(most, Math.max(likely + 1, 8192));
	while (total < most) {
		const buffer = Buffer.allocUnsafe(Math.min(room, most - total));
		const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
		if (bytesRead === 0) break;
		chunks.push(buffer.subarray(0, bytesRead));
		total += bytesRead;
		room = chunkBytes;
	}
	return Uint8Array.from(Buffer.concat(chunks));
}
