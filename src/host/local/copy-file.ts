import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { DownloadResult, WriteHost } from '../../port/host.ts';
import { arrive, NotFetched, store } from './download.ts';
import { errnoOf, errnoText } from './errno-text.ts';

/**
 * Copies a file into a directory that only this user can write to. The digest is of the copy, whatever becomes of the file
 * meanwhile.
 */
export async function copyFile(
	from: string,
	to: string,
	options: Parameters<WriteHost['copyFile']>[2],
	uid: number = process.geteuid?.() ?? -1,
): Promise<DownloadResult> {
	let source: FileHandle | undefined;
	try {
		// Without O_NONBLOCK, opening a FIFO would hang.
		const file = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
		source = file;
		const facts = await file.stat();
		if (!facts.isFile()) throw new NotFetched(`${from} is not a file`);
		if (facts.size > options.maxBytes)
			throw new NotFetched(`${from} is ${facts.size} bytes; at most ${options.maxBytes} are copied`);
		const came = await arrive(to, uid, target =>
			store(chunksOf(file, options.signal), target, facts.size, from, options),
		);
		return { kind: 'fetched', ...came };
	} catch (error) {
		if (options.signal?.aborted === true) return { kind: 'failed', message: `${from}: cancelled` };
		if (error instanceof NotFetched) return { kind: 'failed', message: error.message };
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
