import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../host/local/errno-text.ts';
import { readUpTo } from '../host/local/file-reader.ts';
import { type Event, eventSchema } from '../model/event.ts';
import { safeJson } from '../text/safe.ts';
import { sha256 as digestOf } from '../text/sha256.ts';
import { readLogLines } from './log-lines.ts';
import { LogWriteError } from './log-write-error.ts';
import type { LogProblem, LogRead, RunLog } from './run-log.ts';
import { isRunName, type RunPaths, runPaths, type StateDirectory, syncDirectory } from './state-directory.ts';

/** Why there is nothing to read. */
export type LogAbsence =
	| { readonly kind: 'missing' | 'denied'; readonly file: string }
	| { readonly kind: 'failed'; readonly file: string; readonly errno: string };

/** The few calls of a log file, so that a test can fill the disk or cut the power between them. */
export interface LogFile {
	/** Appends; may write less than it is given. */
	write(bytes: Uint8Array): Promise<number>;
	datasync(): Promise<void>;
	truncate(size: number): Promise<void>;
	close(): Promise<void>;
}

export interface OpenRunLog extends RunLog {
	/** Waits for what is on its way, then closes the file. Appending fails from then on. */
	close(): Promise<void>;
}

export type OpenLogResult =
	| { readonly kind: 'open'; readonly log: OpenRunLog; readonly events: readonly Event[] }
	| LogProblem
	| LogAbsence;

const newFile = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;

/** Starts the log of a new run. Rejects with {@link LogWriteError}, also when the run exists already. */
export async function createRunLog(directory: StateDirectory, run: string): Promise<OpenRunLog> {
	const paths = runPaths(directory, run);
	let handle: FileHandle | undefined;
	try {
		await makeDirectory(directory.runsDirectory);
		await mkdir(paths.directory, 0o700);
		await mkdir(paths.backup, 0o700);
		handle = await open(paths.events, newFile | constants.O_APPEND, 0o600);
		// From the inside out: a name on disk must not point to nothing.
		await syncDirectory(paths.directory);
		await syncDirectory(directory.runsDirectory);
		await syncDirectory(directory.path);
		return runLog(run, paths, logFile(handle), 0, -1);
	} catch (error) {
		await handle?.close();
		throw writeError(error, paths.events);
	}
}

/** Opens the log of an earlier run to go on with it. A line that a power cut tore is cut off first. */
export async function openRunLog(directory: StateDirectory, run: string): Promise<OpenLogResult> {
	const paths = runPaths(directory, run);
	const read = await readLogFile(paths.events);
	if (read.kind !== 'events') return read;
	try {
		const handle = await open(paths.events, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
		try {
			if (read.torn) {
				await handle.truncate(read.goodBytes);
				await handle.datasync();
			}
			await makeDirectory(paths.backup);
		} catch (error) {
			await handle.close();
			throw error;
		}
		return {
			kind: 'open',
			log: runLog(run, paths, logFile(handle), read.goodBytes, read.events.at(-1)?.seq ?? -1),
			events: read.events,
		};
	} catch (error) {
		return absence(error, paths.events);
	}
}

/** The events of a run, checked one by one. Changes nothing on disk. */
export async function readRunLog(directory: StateDirectory, run: string): Promise<LogRead | LogAbsence> {
	const read = await readLogFile(runPaths(directory, run).events);
	return read.kind === 'events' ? { kind: 'events', events: read.events } : read;
}

/** The file in which a run keeps bytes under their sha256. */
export const keptAt = (directory: StateDirectory, run: string, sha256: string): string =>
	join(runPaths(directory, run).backup, sha256);

/** A backup of an earlier run, without opening its log for writing. */
export function keptBytes(directory: StateDirectory, run: string, sha256: string): Promise<Uint8Array | undefined> {
	return readKept(runPaths(directory, run).backup, sha256);
}

export interface RunSummary {
	readonly run: string;
	readonly mode: 'run' | 'check' | 'plan' | 'test' | 'revert';
	/** ISO 8601, as the run wrote it. */
	readonly startedAt: string;
	readonly host: string;
	readonly user: string;
	readonly tool: string;
	readonly simulated: boolean;
	readonly reverts?: string | undefined;
}

/** The runs of this directory, the latest first, by their first event only. Runs that cannot be read are left out. */
export async function listRuns(directory: StateDirectory): Promise<readonly RunSummary[]> {
	let names: string[];
	try {
		names = await readdir(directory.runsDirectory);
	} catch {
		return [];
	}
	const found: RunSummary[] = [];
	for (const run of names.filter(isRunName)) {
		const start = await firstEvent(runPaths(directory, run).events);
		if (start?.type !== 'run.start') continue;
		const { mode, at, host, user, tool, simulated, reverts } = start;
		found.push({ run, mode, startedAt: at, host, user, tool, simulated, reverts });
	}
	return found.sort((a, b) =>
		a.startedAt === b.startedAt ? (a.run < b.run ? 1 : -1) : a.startedAt < b.startedAt ? 1 : -1,
	);
}

/** Events that are written in one go. All of them are on disk when one of them has to be. */
interface Batch {
	readonly lines: string[];
	durable: boolean;
	lastSeq: number;
	readonly failuresBefore: number;
	readonly written: Promise<void>;
}

/** A log of events over an open file. Exported for tests that bring their own file. */
export function runLog(run: string, paths: RunPaths, file: LogFile, size: number, lastSeq: number): OpenRunLog {
	let goodSize = size;
	let accepted = lastSeq;
	let last = lastSeq;
	/** Set when the file could not be brought back to whole lines, or is closed: then nothing can be appended safely. */
	let unusable: string | undefined;
	let queue: Promise<void> = Promise.resolve();
	/** Events that came since the last write began: a command that prints by the thousand lines costs few writes. */
	let batch: Batch | undefined;
	let failures = 0;

	const writeBatch = async ({ lines, durable, lastSeq: end, failuresBefore }: Batch): Promise<void> => {
		// What was accepted behind events that could not be written would leave a gap in the log.
		if (failures !== failuresBefore || unusable !== undefined) throw new LogWriteError(unusable ?? 'EIO', paths.events);
		const bytes = Buffer.from(lines.join(''));
		try {
			let done = 0;
			while (done < bytes.length) done += await file.write(bytes.subarray(done));
		} catch (error) {
			failures += 1;
			accepted = last;
			// Half a line in the middle would make the whole log unreadable later.
			await file.truncate(goodSize).catch(() => {
				unusable = errnoOf(error);
			});
			throw writeError(error, paths.events);
		}
		goodSize += bytes.length;
		last = end;
		if (!durable) return;
		try {
			await file.datasync();
		} catch (error) {
			// After a failed fsync, the kernel may have dropped the pages; a second one would answer "fine" (fsync(2)).
			unusable = errnoOf(error);
			throw writeError(error, paths.events);
		}
	};

	const newBatch = (): Batch => {
		const begun: Batch = {
			lines: [],
			durable: false,
			lastSeq: accepted,
			failuresBefore: failures,
			written: queue.then(() => {
				batch = undefined;
				return writeBatch(begun);
			}),
		};
		queue = begun.written.catch(() => {});
		return begun;
	};

	return {
		run,
		append: (event, { durable }) => {
			if (unusable !== undefined) return Promise.reject(new LogWriteError(unusable, paths.events));
			if (event.seq <= accepted)
				return Promise.reject(new Error(`event ${event.seq} after ${accepted}: the log is in order`));
			batch ??= newBatch();
			accepted = event.seq;
			batch.lines.push(`${safeJson(event)}\n`);
			batch.lastSeq = event.seq;
			batch.durable ||= durable;
			return batch.written;
		},
		keep: bytes => keepBytes(paths.backup, bytes),
		kept: sha256 => readKept(paths.backup, sha256),
		keptAt: sha256 => join(paths.backup, sha256),
		close: async () => {
			await queue;
			unusable ??= 'EBADF';
			await file.close();
		},
	};
}

function logFile(handle: FileHandle): LogFile {
	return {
		write: async bytes => (await handle.write(bytes)).bytesWritten,
		datasync: () => handle.datasync(),
		truncate: size => handle.truncate(size),
		close: () => handle.close(),
	};
}

async function keepBytes(directory: string, bytes: Uint8Array): Promise<string> {
	const sha256 = digestOf(bytes);
	// One with other bytes under that name is no backup of anything, and is replaced.
	if ((await readKept(directory, sha256)) !== undefined) return sha256;
	const temporary = join(directory, `.sysbox-setup-${randomBytes(8).toString('hex')}`);
	try {
		const handle = await open(temporary, newFile, 0o600);
		try {
			await handle.writeFile(bytes);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(temporary, join(directory, sha256));
		await syncDirectory(directory);
		return sha256;
	} catch (error) {
		await unlink(temporary).catch(() => {});
		throw writeError(error, join(directory, sha256));
	}
}

async function readKept(directory: string, sha256: string): Promise<Uint8Array | undefined> {
	if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
	try {
		const handle = await open(
			join(directory, sha256),
			constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
		);
		try {
			const bytes = await readUpTo(handle, mostKeptBytes + 1, (await handle.stat()).size);
			return digestOf(bytes) === sha256 ? bytes : undefined;
		} finally {
			await handle.close();
		}
	} catch {
		return undefined;
	}
}

type LogFileRead =
	| { readonly kind: 'events'; readonly events: readonly Event[]; readonly goodBytes: number; readonly torn: boolean }
	| LogProblem
	| LogAbsence;

/** A run logs a few megabytes. A file that is larger was not written by this tool. */
const mostLogBytes = 256 * 1024 * 1024;
/** No file above 16 MiB is changed; what replaces one may be a little larger. */
const mostKeptBytes = 64 * 1024 * 1024;

async function readLogFile(file: string): Promise<LogFileRead> {
	const bytes = await readLogBytes(file);
	if (!(bytes instanceof Uint8Array)) return bytes;
	const read = readLogLines(bytes);
	return read.kind === 'events' ? read : { ...read, file };
}

/** The bytes of a log, whether they are events or not. */
export async function readLogBytes(file: string): Promise<Uint8Array | LogAbsence> {
	try {
		const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		try {
			const stats = await handle.stat();
			if (!stats.isFile()) return { kind: 'failed', file, errno: 'not a regular file' };
			if (stats.size > mostLogBytes) return { kind: 'failed', file, errno: 'EFBIG' };
			return await readUpTo(handle, mostLogBytes, stats.size);
		} finally {
			await handle.close();
		}
	} catch (error) {
		return absence(error, file);
	}
}

/** A first line is a few hundred bytes; one that is not whole within this much is none. */
const firstLineBytes = 64 * 1024;

async function firstEvent(file: string): Promise<Event | undefined> {
	try {
		const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		try {
			const buffer = Buffer.alloc(firstLineBytes);
			const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
			const end = buffer.subarray(0, bytesRead).indexOf(0x0a);
			if (end < 0) return undefined;
			return eventSchema.safeParse(JSON.parse(buffer.toString('utf8', 0, end))).data;
		} finally {
			await handle.close();
		}
	} catch {
		return undefined;
	}
}

async function makeDirectory(path: string): Promise<void> {
	try {
		await mkdir(path, 0o700);
	} catch (error) {
		if (errnoOf(error) !== 'EEXIST') throw error;
	}
}

function absence(error: unknown, file: string): LogAbsence {
	const errno = errnoOf(error);
	if (errno === 'ENOENT' || errno === 'ENOTDIR') return { kind: 'missing', file };
	return errno === 'EACCES' || errno === 'EPERM' ? { kind: 'denied', file } : { kind: 'failed', file, errno };
}

/** Errors of the system become ours; anything else is a bug and stays what it is. */
function writeError(error: unknown, file: string): unknown {
	const errno = errnoOf(error);
	return errno === 'EUNKNOWN' || error instanceof LogWriteError ? error : new LogWriteError(errno, file);
}
