import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CopyResult, WriteHost } from '../../port/host.ts';
import { errnoOf, errnoText } from './errno-text.ts';
import { temporaryName } from './root-file-writer.ts';

type CopyOptions = Parameters<WriteHost['copyFile']>[2];

/** Progress is told at most this often, and once at the end. */
const progressEveryMs = 100;

/** Why there is no copy, in words for the operator. */
class NotCopied extends Error {}

/**
 * Copies a file into a directory that only this user can write to. The digest is of the copy, whatever becomes of the file
 * meanwhile.
 */
export async function copyFile(
	from: string,
	to: string,
	options: CopyOptions,
	uid: number = process.geteuid?.() ?? -1,
): Promise<CopyResult> {
	let source: FileHandle | undefined;
	try {
		// Without O_NONBLOCK, opening a FIFO would hang.
		const file = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
		source = file;
		const facts = await file.stat();
		if (!facts.isFile()) throw new NotCopied(`${from} is not a file`);
		if (facts.size > options.maxBytes)
			throw new NotCopied(`${from} is ${facts.size} bytes; at most ${options.maxBytes} are copied`);
		const came = await arrive(to, uid, target =>
			store(chunksOf(file, options.signal), target, facts.size, from, options),
		);
		return { kind: 'copied', ...came };
	} catch (error) {
		if (options.signal?.aborted === true) return { kind: 'failed', message: `${from}: cancelled` };
		if (error instanceof NotCopied) return { kind: 'failed', message: error.message };
		const errno = errnoOf(error);
		// What did not come from the system is a bug here, and must not pass for a state of the host.
		if (errno === 'EUNKNOWN') throw error;
		return { kind: 'failed', message: `${source === undefined ? from : to}: ${errnoText(errno)}` };
	} finally {
		await source?.close();
	}
}

async function* chunksOf(file: FileHandle, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
	for (;;) {
		signal?.throwIfAborted();
		const { bytesRead, buffer } = await file.read(Buffer.alloc(256 * 1024));
		if (bytesRead === 0) return;
		yield buffer.subarray(0, bytesRead);
	}
}

/** Lets a file come in under a temporary name; it gets its own when it is complete and on disk. */
async function arrive<T>(path: string, uid: number, fill: (target: FileHandle) => Promise<T>): Promise<T> {
	const directory = dirname(path);
	const temporary = join(directory, temporaryName());
	let target: FileHandle | undefined;
	try {
		const parent = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
		try {
			const facts = await parent.stat();
			if (facts.uid !== uid || (facts.mode & 0o022) !== 0)
				throw new NotCopied(`others can change what lies in ${directory}, so nothing is copied into it`);
			target = await open(
				temporary,
				constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
				0o600,
			);
			const came = await fill(target);
			await target.sync();
			await target.close();
			target = undefined;
			await rename(temporary, path);
			await parent.sync();
			return came;
		} finally {
			await parent.close();
		}
	} catch (error) {
		await target?.close().catch(() => {});
		await unlink(temporary).catch(() => {});
		throw error;
	}
}

/** Hashes what it writes, so that the digest is of what lies there. */
async function store(
	body: AsyncIterable<Buffer>,
	target: FileHandle,
	total: number | undefined,
	from: string,
	options: Pick<CopyOptions, 'maxBytes' | 'onProgress'>,
): Promise<{ sha256: string; size: number }> {
	const hash = createHash('sha256');
	let size = 0;
	let told = -Infinity;
	for await (const chunk of body) {
		if (size + chunk.length > options.maxBytes)
			throw new NotCopied(`${from} is longer than the ${options.maxBytes} bytes that are copied at most`);
		hash.update(chunk);
		let done = 0;
		while (done < chunk.length)
			done += (await target.write(chunk, done, chunk.length - done, size + done)).bytesWritten;
		size += chunk.length;
		if (performance.now() - told >= progressEveryMs) {
			told = performance.now();
			options.onProgress?.(size, total);
		}
	}
	if (total !== undefined && size !== total) throw new NotCopied(`${from} ended after ${size} of ${total} bytes`);
	options.onProgress?.(size, total);
	return { sha256: hash.digest('hex'), size };
}
