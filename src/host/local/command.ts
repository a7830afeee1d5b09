import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Argv, ExecOptions, ExecResult } from '../../port/host.ts';
import { childEnvironment } from './child-environment.ts';
import { headAndTailOutput, limitedOutput, lineSplitter, textDecoder } from './command-output.ts';
import { errnoOf, errnoText } from './errno-text.ts';
import { readOnWhenGone } from './outliving.ts';

/** How long a command that was told to end (SIGTERM) may take before it is killed (SIGKILL). */
const defaultPoliteMs = 5000;

/**
 * How long a killed command is waited for. One that hangs in the kernel (a dead FUSE or NFS mount) cannot be killed,
 * and the operator must still get an answer.
 */
const killedMs = 2000;

/** How long output is awaited after the command itself has ended: a daemon that it started may hold the pipe for ever. */
const afterExitMs = 300;
const drainRounds = 10;

/** The longest delay that a timer of Node can hold; a longer one would fire at once. */
const longestTimer = 2_147_483_647;

const defaultMaxBytes = 16 * 1024 * 1024;
const keptOfUnlimited = 1024 * 1024;

export interface CommandWay {
	/** True for a command that may change the host: it outlives this process, and is not ended for what it prints. */
	readonly changesHost: boolean;
	/** Where a path of the host lies here. */
	readonly hostPath: (path: string) => string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Root's home directory, where this process is root: see {@link childEnvironment}. */
	readonly rootHome?: string | undefined;
	/** Default 5 s. */
	readonly politeMs?: number;
}

/** Read-only commands that are running: they end with this process. */
const readOnlyGroups = new Set<number>();

function endReadOnlyGroups(): void {
	for (const group of readOnlyGroups) signalGroup(group, 'SIGKILL');
}

function trackReadOnly(pid: number): () => void {
	if (readOnlyGroups.size === 0) process.once('exit', endReadOnlyGroups);
	readOnlyGroups.add(pid);
	return () => {
		readOnlyGroups.delete(pid);
		if (readOnlyGroups.size === 0) process.removeListener('exit', endReadOnlyGroups);
	};
}

/** The negative pid addresses the whole group, so that a shell's children end with it. */
function signalGroup(pid: number, name: NodeJS.Signals): void {
	try {
		process.kill(-pid, name);
	} catch {
		// Gone already, or not ours to signal: the waiting below has an end of its own.
	}
}

/**
 * Runs one command in a session and process group of its own, so that neither Ctrl+C nor a lost terminal reaches it
 * (apt in the middle of unpacking), in the directory `/`. Never rejects.
 */
export async function runCommand(argv: Argv, options: ExecOptions, way: CommandWay): Promise<ExecResult> {
	const began = performance.now();
	const elapsedMs = (): number => Math.round(performance.now() - began);
	const notRun = (problem: NonNullable<ExecResult['problem']>, stderr: string): ExecResult => ({
		code: null,
		stdout: '',
		stderr,
		problem,
		elapsedMs: elapsedMs(),
	});
	if (options.signal?.aborted === true) return notRun('cancelled', '');
	// The kernel ends an argument there, so the command would be another one than was shown.
	if (argv.some(arg => arg.includes('\0'))) return notRun('denied', `${argv[0]}: an argument holds a null byte\n`);

	if (options.stdin === undefined || options.stdin instanceof Uint8Array)
		return start(argv, options, way, options.stdin, elapsedMs);
	// The kernel reads the file for the command, so that an image of gigabytes does not pass through this process.
	const { file } = options.stdin;
	try {
		const handle = await open(way.hostPath(file), constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
		try {
			// A device may never end, and a FIFO that nobody writes to looks empty.
			if (!(await handle.stat()).isFile()) return notRun('denied', `${file}: not a regular file\n`);
			return await start(argv, options, way, handle.fd, elapsedMs);
		} finally {
			await handle.close();
		}
	} catch (error) {
		const errno = errnoOf(error);
		return notRun(errno === 'ENOENT' ? 'missing' : 'denied', `${file}: ${errnoText(errno)}\n`);
	}
}

// One process from its start to its last byte: what it has still open, and the one end of it, are one state.
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: cut apart, its parts would share ten variables.
function start(
	argv: Argv,
	options: ExecOptions,
	way: CommandWay,
	input: Uint8Array | number | undefined,
	elapsedMs: () => number,
): Promise<ExecResult> {
	const [program, ...args] = argv;
	const environment = childEnvironment(way.environment, way.rootHome);
	const subprocess = execa(program, args, {
		cwd: '/',
		env: environment,
		extendEnv: false,
		detached: true,
		cleanup: false,
		reject: false,
		buffer: false,
		// execa's types name descriptors up to 9 only; its code hands over any.
		stdin: typeof input === 'number' ? (input as 3) : input === undefined ? 'ignore' : 'pipe',
		...(input instanceof Uint8Array && { input }),
	});

	const keeper = (): ReturnType<typeof limitedOutput> => {
		if (way.changesHost && options.maxBytes === undefined) return headAndTailOutput(keptOfUnlimited);
		return limitedOutput(budget);
	};
	const budget = { left: options.maxBytes ?? defaultMaxBytes };
	const kept = { stdout: keeper(), stderr: keeper() };

	// biome-ignore lint/complexity/noExcessiveLinesPerFunction: as above; no function in it is longer than 25 lines.
	return new Promise<ExecResult>(resolve => {
		let problem: ExecResult['problem'];
		let exited: { code: number | null; signal: string | null } | undefined;
		let settled = false;
		const timers = new Set<NodeJS.Timeout>();
		const after = (ms: number, then: () => void): NodeJS.Timeout => {
			const timer = setTimeout(then, Math.min(Math.max(0, ms), longestTimer));
			timers.add(timer);
			return timer;
		};
		const { pid } = subprocess;
		const untrack = pid === undefined || way.changesHost ? undefined : trackReadOnly(pid);
		// What may be interrupted may end with this process too.
		const outlivesUs = pid !== undefined && way.changesHost && options.signal === undefined;
		const sendReaderAway = outlivesUs ? readOnWhenGone(subprocess) : undefined;

		const waitUntil = (
			code: number | null,
			signal: string | null,
			failed?: { problem: 'missing' | 'denied'; said: string },
		): void => {
			if (settled) return;
			settled = true;
			for (const timer of timers) clearTimeout(timer);
			options.signal?.removeEventListener('abort', cancel);
			untrack?.();
			sendReaderAway?.();
			for (const end of ends) end();
			subprocess.stdout?.destroy();
			subprocess.stderr?.destroy();
			subprocess.stdin?.destroy();
			const why = failed?.problem ?? problem ?? (signal === null ? undefined : 'signalled');
			resolve({
				code: why === undefined ? code : null,
				stdout: kept.stdout.text(),
				stderr: failed === undefined ? kept.stderr.text() : failed.said,
				...(why !== undefined && { problem: why }),
				...(why === 'signalled' && signal !== null && { signal }),
				elapsedMs: elapsedMs(),
			});
		};
		const stop = (why: NonNullable<ExecResult['problem']>): void => {
			if (problem !== undefined || settled || pid === undefined) return;
			if (exited !== undefined) {
				// It has ended by itself, and only what it left behind still holds its output. Cut output is told all the same.
				if (why === 'too-much-output') problem = why;
				waitUntil(exited.code, exited.signal);
				return;
			}
			problem = why;
			signalGroup(pid, 'SIGTERM');
			after(way.politeMs ?? defaultPoliteMs, () => {
				signalGroup(pid, 'SIGKILL');
				after(killedMs, () => waitUntil(null, null));
			});
		};
		const cancel = (): void => stop('cancelled');

		const ends: (() => void)[] = [];
		let openStreams = 0;
		const endWhenOver = (): void => {
			if (exited !== undefined && openStreams === 0) waitUntil(exited.code, exited.signal);
		};
		let received = 0;
		/** Waits for the rest of the output as long as some arrives, as a busy machine may be late in handing it over. */
		const drain = (round: number, before: number): void => {
			if (settled || exited === undefined) return;
			const { code, signal } = exited;
			if (received === before || round >= drainRounds) waitUntil(code, signal);
			else after(afterExitMs, () => setImmediate(drain, round + 1, received));
		};
		for (const stream of ['stdout', 'stderr'] as const) {
			const source = subprocess[stream];
			if (source === null || source === undefined) continue;
			openStreams += 1;
			const { onLine, redraws } = options;
			const decoder = textDecoder();
			// An answer of megabytes (`docker inspect` of a thousand containers) is cut into lines only for who reads them.
			const lines = onLine === undefined ? undefined : lineSplitter(text => onLine({ stream, text }), redraws);
			source.on('data', (chunk: Buffer) => {
				if (settled) return;
				received += chunk.length;
				const room = kept[stream].take(chunk);
				lines?.take(decoder.write(chunk));
				if (!room) stop('too-much-output');
			});
			// Handing it on to another process has paused it.
			source.resume();
			// A broken pipe ends the output; what the command came to is told by its exit.
			source.on('error', () => {});
			source.once('close', () => {
				openStreams -= 1;
				endWhenOver();
			});
			ends.push(() => {
				lines?.take(decoder.end());
				lines?.end();
			});
		}
		subprocess.once('exit', (code, signal) => {
			exited = { code, signal };
			endWhenOver();
			// A command that was told to end may leave children that need as long as it was given itself.
			if (problem === undefined) drain(0, -1);
		});
		// With `reject: false` this also tells what never started: then there is no exit.
		void subprocess.then(async result => {
			if (pid !== undefined) return;
			waitUntil(null, null, await notStarted(program, errnoOf(result.cause ?? result), environment.PATH));
		});
		after(options.timeoutMs, () => stop('timeout'));
		options.signal?.addEventListener('abort', cancel, { once: true });
	});
}

async function notStarted(
	program: string,
	errno: string,
	path: string | undefined,
): Promise<{ problem: 'missing' | 'denied'; said: string }> {
	const missing = { problem: 'missing', said: `${program}: command not found\n` } as const;
	if (errno === 'ENOENT' || errno === 'ENOTDIR') return missing;
	// One closed directory in PATH (root's, after su) is enough for EACCES, wherever the program is or is not.
	if (errno === 'EACCES' && !program.includes('/') && !(await isInPath(program, path ?? ''))) return missing;
	if (errno === 'ENOEXEC') return { problem: 'denied', said: `${program}: not a program of this machine's kind\n` };
	return { problem: 'denied', said: `${program}: ${errnoText(errno)}\n` };
}

async function isInPath(program: string, path: string): Promise<boolean> {
	for (const directory of path.split(':')) {
		const found = await stat(join(directory, program)).catch(() => undefined);
		if (found?.isFile() === true) return true;
	}
	return false;
}
