import type {
	Argv,
	CopyResult,
	DigestResult,
	ExecOptions,
	ExecResult,
	Expected,
	ListResult,
	OutputLine,
	ReadProblem,
	ReadResult,
	SpaceResult,
	StatResult,
	WriteHost,
	WriteResult,
} from '../port/host.ts';
import { pause, realDelay, type SimulatedClock, simulatedClock } from './clock.ts';
import { type Errno, errnoWords } from './errno.ts';
import { applyStanding, type Fault, faultSwitch } from './faults.ts';
import {
	absolute,
	allowed,
	bytesOf,
	digestOf,
	fileNode,
	type Resolved,
	resolve,
	resolveParent,
	sha256,
	sizeOf,
} from './file-tree.ts';
import { fileSystemOf } from './kernel.ts';
import { knownToBeAbsent, programs } from './programs/index.ts';
import { findProgram, runProgram } from './run-program.ts';
import { asProcess, createNode, hostScope, removeNode, writeText } from './scope.ts';
import { passTime, signalHostProcess, somethingIsDue } from './services.ts';
import { type FileNode, type SimulatedState, workingCopy } from './state.ts';
import {
	collector,
	type Exit,
	noInput,
	type OutputChunk,
	type Program,
	type Release,
	type Scope,
	type Stdin,
	touch,
	UnsimulatedCommand,
	type World,
} from './world.ts';

export interface SimulatedHostOptions {
	readonly state: SimulatedState;
	/** Shared with whoever waits on this host (an engine's deadlines). Default: one that starts at the state's time. */
	readonly clock?: SimulatedClock | undefined;
	/** `demo`: short real delays, lines one after the other. Default `instant`. */
	readonly pace?: 'instant' | 'demo' | undefined;
	readonly faults?: readonly Fault[] | undefined;
	/** What a program outside of the simulation is: not there (a demo), or a mistake of the test. Default `throw`. */
	readonly onUnknownCommand?: 'not-found' | 'throw' | undefined;
	/** What can be downloaded. */
	readonly releases?: readonly Release[] | undefined;
	/** Programs besides those that are simulated: a test's own. They run where the host has a file of that name. */
	readonly programs?: Readonly<Record<string, Program>> | undefined;
	/** After each change. The state is the host's own: it is replaced, never changed in place. */
	readonly onChange?: ((state: SimulatedState) => void) | undefined;
}

export interface SimulatedHost extends WriteHost {
	readonly kind: 'simulated';
	readonly clock: SimulatedClock;
	/** The state now; it does not change under the reader. */
	state(): SimulatedState;
	/** Somebody else changes the host: a scene of a test. */
	disturb(change: (state: SimulatedState) => void): void;
}

/** A command that was to read only has changed the host: a plan was not read-only. A mistake of ours, not of the host. */
export class ReadingCommandChangedHost extends Error {
	override readonly name = 'ReadingCommandChangedHost';

	constructor(argv: Argv) {
		super(`a command that changes the host was run through ReadHost.exec: ${argv.join(' ')}`);
	}
}

const defaultReadLimit = 1024 * 1024;
const defaultOutputLimit = 16 * 1024 * 1024;
/** What the simulated network carries. */
const bytesPerMs = 6_000;

/** A command that did not run. */
const nothing = (problem: NonNullable<ExecResult['problem']>, stderr = ''): ExecResult => ({
	code: null,
	stdout: '',
	stderr,
	problem,
	elapsedMs: 0,
});

interface Performed {
	readonly exit: Exit;
	readonly late: boolean;
	readonly elapsedMs: number;
	readonly told: readonly OutputChunk[];
	readonly tooMuch: boolean;
}

function exitOf(
	scope: Scope,
	call: Parameters<typeof runProgram>[1],
	unknown: SimulatedHostOptions['onUnknownCommand'],
): Exit | 'missing' | 'denied' {
	try {
		if (findProgram(scope, call.argv[0] ?? '')?.denied) return 'denied';
		return runProgram(scope, call) ?? 'missing';
	} catch (error) {
		if (!(error instanceof UnsimulatedCommand) || unknown === 'throw') throw error;
		return 'missing';
	}
}

/** One machine, simulated: every door of the port leads to the same state. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: the doors of one machine over one state, each below 45 lines.
export function simulatedHost(options: SimulatedHostOptions): SimulatedHost {
	const pace = options.pace ?? 'instant';
	const faults = options.faults ?? [];
	const unknown = options.onUnknownCommand ?? 'throw';
	let state = structuredClone(options.state);
	applyStanding(state, faults);
	const clock = options.clock ?? simulatedClock(state.now, pace);
	let last: Promise<unknown> = Promise.resolve();

	const worldOn = (draft: SimulatedState): World => ({
		state: draft,
		faults: faultSwitch(faults, draft),
		releases: options.releases ?? [],
		programs: { ...programs, ...options.programs },
		absent: knownToBeAbsent,
		changed: false,
		revision: 0,
	});
	/** A private copy at the present time, with everything done that time alone has brought about. */
	const draft = (copy: (state: SimulatedState) => SimulatedState = workingCopy): World => {
		const world = worldOn(copy(state));
		world.state.now = Math.max(world.state.now, clock.now());
		if (somethingIsDue(world.state)) {
			passTime(world);
			state = copy(world.state);
		}
		return world;
	};
	/** Of commands that have done their work and are still telling of it. */
	const underWay = new Set<World>();
	const commit = (world: World): void => {
		state = world.state;
		options.onChange?.(state);
	};
	/** How the tool's own process sees the host: /proc/self is that process, and not a command's. */
	const look = (): Scope => {
		// What the kernel makes up is made once for a state, however many files are read from it.
		if (looked?.at !== state) looked = { at: state, scope: asProcess(hostScope(worldOn(state)), state.identity.pid) };
		return looked.scope;
	};
	let looked: { readonly at: SimulatedState; readonly scope: Scope } | undefined;
	/** Changes happen one after the other, as if the machine did them in the order of the calls. */
	const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
		const mine = last.then(work, work);
		last = mine.catch(() => undefined);
		return mine;
	};

	/** Does the work of a command on its own copy of the machine; what it prints is not told yet. */
	function perform(world: World, argv: Argv, exec: ExecOptions, mayChange: boolean): Performed | ExecResult {
		const scope = hostScope(world);
		const stdin = stdinOf(scope, exec.stdin);
		if ('problem' in stdin) return nothing(stdin.problem, stdin.said);
		const started = world.state.now;
		const { io, chunks } = collector();
		const exit = exitOf(scope, { argv, stdin, io, timeoutMs: exec.timeoutMs }, unknown);
		if (exit === 'missing' || exit === 'denied') return nothing(exit);
		const late = exit === 'endless' || world.state.now - started > exec.timeoutMs;
		if (late) world.state.now = started + Math.min(exec.timeoutMs, Number.MAX_SAFE_INTEGER);
		if (world.changed && !mayChange && unknown === 'throw') throw new ReadingCommandChangedHost(argv);
		const { chunks: told, tooMuch } = limited(chunks, exec.maxBytes ?? defaultOutputLimit);
		return { exit, late, elapsedMs: world.state.now - started, told, tooMuch };
	}

	async function command(argv: Argv, exec: ExecOptions, mayChange: boolean): Promise<ExecResult> {
		await Promise.resolve();
		if (exec.signal?.aborted) return nothing('cancelled');
		const world = draft();
		const performed = perform(world, argv, exec, mayChange);
		if ('stdout' in performed) return performed;
		const { exit, late, elapsedMs, told, tooMuch } = performed;
		underWay.add(world);
		const whole = await replay(told, exit === 'endless' ? 0 : elapsedMs, exec);
		// Not in a `finally`: between that and the lines below there would be a moment for another change.
		underWay.delete(world);
		// Whoever has heard enough does not wait for the end.
		if (exit === 'endless' && exec.signal?.aborted) return nothing('cancelled');
		clock.advance(elapsedMs);
		const streams = { stdout: textOf(told, 'stdout'), stderr: textOf(told, 'stderr'), elapsedMs };
		// A command that was killed on the way has not done what it would have done at its end.
		const kept = exit === 'endless' || !late;
		if (whole && kept && mayChange && world.changed) commit(world);
		else state = { ...state, now: Math.max(state.now, world.state.now), faultCounts: world.state.faultCounts };
		const problem = !whole ? 'cancelled' : tooMuch ? 'too-much-output' : late ? 'timeout' : undefined;
		return problem === undefined ? { code: exit as number, ...streams } : { code: null, ...streams, problem };
	}

	/** Gives the lines out; in a demo with time between them. False: it was cancelled on the way. */
	async function replay(chunks: readonly OutputChunk[], simulatedMs: number, exec: ExecOptions): Promise<boolean> {
		const lines = linesOf(chunks, exec.redraws);
		if (pace === 'instant') {
			for (const line of lines) exec.onLine?.(line);
			return true;
		}
		const total = realDelay(simulatedMs);
		for (const line of lines) {
			await pause(total / (lines.length + 1), exec.signal);
			if (exec.signal?.aborted) return false;
			exec.onLine?.(line);
		}
		await pause(total / (lines.length + 1), exec.signal);
		return exec.signal?.aborted !== true;
	}

	function stdinOf(
		scope: Scope,
		stdin: ExecOptions['stdin'],
	): Stdin | { readonly problem: 'missing' | 'denied'; readonly said: string } {
		if (stdin === undefined) return noInput;
		if (stdin instanceof Uint8Array) return { text: Buffer.from(stdin).toString('utf8') };
		const found = resolve(scope.view, absolute(stdin.file), scope.who);
		const said = (why: string) => `${stdin.file}: ${why}\n`;
		if (found.kind === 'problem') {
			return found.errno === 'ENOENT'
				? { problem: 'missing', said: said('no such file or folder') }
				: { problem: 'denied', said: said('permission denied') };
		}
		if (!allowed(found.node, scope.who, 4)) return { problem: 'denied', said: said('permission denied') };
		if (found.node.kind !== 'file') return { problem: 'denied', said: said('not a regular file') };
		return { text: Buffer.from(bytesOf(found.node)).toString('utf8'), file: found.node };
	}

	/** Another program was faster, where the faults say so. What it wrote stays, whatever becomes of our own write. */
	const overtake = (path: string): void => {
		const world = draft();
		const fault = world.faults.fires('file-changed-underneath', path);
		if (fault !== undefined) writeText(hostScope(world, 'root'), path, fault.content ?? '{}\n');
		state = { ...state, faultCounts: world.state.faultCounts };
		if (world.changed) commit(world);
	};
	const change = (work: (scope: Scope) => Promise<WriteResult> | WriteResult, path?: string): Promise<WriteResult> =>
		inTurn(async () => {
			if (path !== undefined) overtake(path);
			const world = draft();
			const result = await work(hostScope(world));
			if (result.kind === 'written' && world.changed) commit(world);
			else state = { ...state, faultCounts: world.state.faultCounts };
			return result;
		});

	const self: SimulatedHost = {
		kind: 'simulated',
		clock,
		get identity() {
			const { identity, machine } = state;
			return { hostname: machine.hostname, pid: identity.pid, uid: identity.uid, user: identity.user };
		},
		state: () => state,
		disturb: act => {
			const world = draft(structuredClone);
			act(world.state);
			commit(world);
			// What happens while a command tells its lines is not undone when it ends.
			for (const other of underWay) {
				other.state = structuredClone(other.state);
				act(other.state);
			}
		},
		exec: (argv, exec) => command(argv, exec, false),
		run: (argv, exec) => inTurn(() => command(argv, exec, true)),
		async readFile(path, read): Promise<ReadResult> {
			const scope = look();
			const found = fileAt(scope, path);
			if (found.kind !== 'file') return found.problem;
			const { node, realPath } = found;
			const limit = read?.maxBytes ?? defaultReadLimit;
			const size = sizeOf(node);
			// A package or an archive of images is only declared: it has a digest, and no bytes to give. Whoever meets such a
			// file asks for the digest, as of anything that does not fit into memory.
			if (size > limit || node.declared !== undefined) return { kind: 'too-large', size, limit: Math.min(limit, size) };
			return { kind: 'bytes', bytes: new Uint8Array(bytesOf(node)), meta: { ...metaOf(node), size, realPath } };
		},
		async stat(path): Promise<StatResult> {
			const scope = look();
			const full = absolute(path);
			const { units, fileTimes } = scope.world.state;
			const docker = units['docker.service'];
			// dockerd writes it when it starts, behind the reading of its configuration.
			if (full === '/run/docker.pid' && docker?.active === 'active') {
				const meta = { mode: 0o644, uid: 0, gid: 0, size: 4, realPath: full, changedAtMs: docker.startedAt ?? 0 };
				return { kind: 'found', type: 'file', link: false, meta };
			}
			const found = resolve(scope.view, full, scope.who);
			if (found.kind === 'problem') {
				const problem = problemOf(found);
				return problem.kind === 'too-large' ? { kind: 'missing' } : problem;
			}
			const link = linkAt(scope, full);
			return {
				kind: 'found',
				type: typeOf(found.node),
				link,
				meta: {
					...metaOf(found.node),
					size: found.node.kind === 'file' ? sizeOf(found.node) : 0,
					realPath: found.path,
					changedAtMs: fileTimes?.[found.path] ?? 0,
				},
			};
		},
		async list(path): Promise<ListResult> {
			const scope = look();
			const found = resolve(scope.view, absolute(path), scope.who);
			if (found.kind === 'problem') {
				if (found.errno === 'ENOENT') return { kind: 'missing' };
				if (found.errno === 'EACCES') return { kind: 'denied' };
				return found.errno === 'ENOTDIR' ? { kind: 'missing' } : { kind: 'failed', errno: found.errno };
			}
			if (found.node.kind !== 'folder') return { kind: 'not-a-folder' };
			if (!allowed(found.node, scope.who, 4)) return { kind: 'denied' };
			return { kind: 'names', names: scope.view.names(found.path) };
		},
		async digest(path, read): Promise<DigestResult> {
			const found = fileAt(look(), path);
			if (found.kind !== 'file') return found.problem;
			const size = sizeOf(found.node);
			if (read?.maxBytes !== undefined && size > read.maxBytes)
				return { kind: 'too-large', size, limit: read.maxBytes };
			return { kind: 'digest', sha256: digestOf(found.node), size };
		},
		async space(path): Promise<SpaceResult> {
			const scope = look();
			const found = resolve(scope.view, absolute(path), scope.who);
			if (found.kind === 'problem')
				return found.errno === 'EACCES'
					? { kind: 'denied' }
					: found.errno === 'ENOENT' || found.errno === 'ENOTDIR'
						? { kind: 'missing' }
						: { kind: 'failed', errno: found.errno };
			const fs = fileSystemOf(state.fileSystems, found.path);
			if (fs === undefined) return { kind: 'failed', errno: 'ENOSYS' };
			return { kind: 'space', totalBytes: fs.totalBytes, freeBytes: fs.totalBytes - fs.usedBytes };
		},
		replaceFile: (path, bytes, write) =>
			change(async scope => {
				const target = writeTarget(scope, path);
				if (target.kind === 'failed') return target.result;
				const now = expectedAt(target.node);
				if (!same(now, write.expect)) return { kind: 'changed', found: now };
				if (write.validateWith !== undefined) {
					const said = rejection(scope, write.validateWith, bytes, path);
					if (said !== undefined) return { kind: 'rejected', said };
				}
				const old = target.node;
				const owner = write.owner ?? { uid: scope.who.uid, gid: scope.who.gid };
				const node = fileNode(
					bytes,
					old === undefined ? { mode: write.mode, ...owner } : { mode: old.mode, uid: old.uid, gid: old.gid },
				);
				const errno = createNode(scope, target.path, node);
				if (errno !== undefined) return failedWrite(errno, path);
				return { kind: 'written', sha256: sha256(bytes), atomic: true };
			}, path),
		removeFile: (path, write) =>
			change(scope => {
				const target = writeTarget(scope, path);
				if (target.kind === 'failed') return target.result;
				const now = expectedAt(target.node);
				if (!same(now, write.expect)) return { kind: 'changed', found: now };
				if (target.node === undefined) return { kind: 'written', sha256: '', atomic: true };
				const fault = scope.world.faults.fires('write-fails', target.path);
				const errno = fault?.errno ?? removeNode(scope, target.path);
				return errno === undefined ? { kind: 'written', sha256: '', atomic: true } : failedWrite(errno, path);
			}, path),
		makeDirectory: (path, make) =>
			change(scope => {
				const found = resolve(scope.view, absolute(path), scope.who);
				if (found.kind === 'found')
					return found.node.kind === 'folder'
						? { kind: 'written', sha256: '', atomic: true }
						: failedWrite('EEXIST', path);
				const owner = make.owner ?? { uid: scope.who.uid, gid: scope.who.gid };
				const errno = createNode(scope, absolute(path), { kind: 'folder', mode: make.mode, ...owner });
				return errno === undefined ? { kind: 'written', sha256: '', atomic: true } : failedWrite(errno, path);
			}),
		removeDirectory: path =>
			change(scope => {
				const found = resolve(scope.view, absolute(path), scope.who);
				if (found.kind === 'problem')
					return found.errno === 'ENOENT'
						? { kind: 'written', sha256: '', atomic: true }
						: failedWrite(found.errno, path);
				if (found.node.kind !== 'folder') return failedWrite('ENOTDIR', path);
				if (scope.view.names(found.path).length > 0) return failedWrite('ENOTEMPTY', path);
				const errno = removeNode(scope, found.path);
				return errno === undefined ? { kind: 'written', sha256: '', atomic: true } : failedWrite(errno, path);
			}),
		signal: (pid, name) =>
			inTurn(async () => {
				const world = draft();
				const process = world.state.processes.find(p => p.pid === pid);
				const { uid } = world.state.identity;
				if (process !== undefined && uid !== 0 && process.uid !== uid) return { kind: 'denied' };
				const sent = signalHostProcess(world, pid, name);
				if (sent === 'sent') commit(world);
				clock.advance(world.state.now - clock.now());
				return { kind: sent };
			}),
		copyFile: (from, to, how) => inTurn(() => copyFile(from, to, how)),
	};
	return self;

	async function copyFile(from: string, path: string, get: Parameters<WriteHost['copyFile']>[2]): Promise<CopyResult> {
		if (get.signal?.aborted) return { kind: 'failed', message: `${from}: cancelled` };
		const scope = hostScope(draft());
		const overtaken = scope.world.faults.fires('file-changed-underneath', from);
		if (overtaken !== undefined) writeText(scope, from, overtaken.content ?? 'something else\n');
		const found = fileAt(scope, from);
		if (found.kind !== 'file') return { kind: 'failed', message: `${from}: ${found.problem.kind}` };
		const size = sizeOf(found.node);
		if (size > get.maxBytes)
			return { kind: 'failed', message: `${from} is ${size} bytes; at most ${get.maxBytes} are copied` };
		const errno = createNode(scope, path, { ...found.node, mode: 0o600, uid: scope.who.uid, gid: scope.who.gid });
		if (errno !== undefined) return { kind: 'failed', message: `${path}: ${errnoWords(errno)}` };
		get.onProgress?.(size, size);
		clock.advance(size / bytesPerMs);
		commit(scope.world);
		return { kind: 'copied', sha256: digestOf(found.node), size };
	}
}

type FileFound =
	| { readonly kind: 'file'; readonly node: Extract<FileNode, { kind: 'file' }>; readonly realPath: string }
	| { readonly kind: 'problem'; readonly problem: ReadProblem };

function fileAt(scope: Scope, path: string): FileFound {
	const found = resolve(scope.view, absolute(path), scope.who);
	if (found.kind === 'problem') return { kind: 'problem', problem: problemOf(found) };
	const { node } = found;
	if (node.kind === 'folder') return { kind: 'problem', problem: { kind: 'not-a-file', what: 'directory' } };
	if (node.kind !== 'file') return { kind: 'problem', problem: { kind: 'not-a-file', what: node.kind } };
	if (!allowed(node, scope.who, 4)) return { kind: 'problem', problem: { kind: 'denied' } };
	return { kind: 'file', node, realPath: found.path };
}

function problemOf(found: Extract<Resolved, { kind: 'problem' }>): ReadProblem {
	switch (found.errno) {
		case 'ENOENT':
			return { kind: 'missing', danglingTo: found.danglingTo };
		case 'ENOTDIR':
			return { kind: 'missing' };
		case 'EACCES':
			return { kind: 'denied' };
		case 'ELOOP':
			return { kind: 'not-a-file', what: 'link-loop' };
		default:
			return { kind: 'failed', errno: found.errno };
	}
}

function linkAt(scope: Scope, path: string): boolean {
	const parent = resolveParent(scope.view, path, scope.who);
	return parent.kind === 'found' && scope.view.get(parent.child)?.kind === 'link';
}

type Real = Exclude<FileNode, { kind: 'link' }>;

const metaOf = (node: Real) => ({ mode: node.mode, uid: node.uid, gid: node.gid });

const typeOf = (node: Real): Extract<StatResult, { kind: 'found' }>['type'] =>
	node.kind === 'folder' ? 'directory' : node.kind;

type WriteTarget =
	| { readonly kind: 'target'; readonly path: string; readonly node: Extract<FileNode, { kind: 'file' }> | undefined }
	| { readonly kind: 'failed'; readonly result: WriteResult };

/** Where a write goes: through links, to a file that is there or could be. */
function writeTarget(scope: Scope, path: string): WriteTarget {
	const full = absolute(path);
	const found = resolve(scope.view, full, scope.who);
	if (found.kind === 'found') {
		if (found.node.kind === 'folder') return { kind: 'failed', result: failedWrite('EISDIR', path) };
		if (found.node.kind !== 'file') return { kind: 'failed', result: failedWrite('EINVAL', path) };
		return { kind: 'target', path: found.path, node: found.node };
	}
	if (found.errno !== 'ENOENT') return { kind: 'failed', result: failedWrite(found.errno, path) };
	const target = found.danglingTo ?? full;
	const parent = resolveParent(scope.view, target, scope.who);
	if (parent.kind === 'problem') return { kind: 'failed', result: failedWrite(parent.errno, path) };
	return { kind: 'target', path: parent.child, node: undefined };
}

const failedWrite = (errno: Errno | NonNullable<Fault['errno']>, path: string): WriteResult => ({
	kind: 'failed',
	errno,
	message: `${errno}: ${errnoWords(errno).toLowerCase()}, open '${path}'`,
});

const expectedAt = (node: Extract<FileNode, { kind: 'file' }> | undefined): Expected =>
	node === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: digestOf(node) };

const same = (a: Expected, b: Expected): boolean =>
	a.kind === 'missing' || b.kind === 'missing' ? a.kind === b.kind : a.sha256 === b.sha256;

/** What the asked program has against the new bytes. It looks at them in a file of its own, which nobody else sees. */
function rejection(scope: Scope, argv: Argv, bytes: Uint8Array, asked: string): string | undefined {
	const path = '/run/sysbox-setup-new-file';
	const world: World = { ...scope.world, state: workingCopy(scope.world.state) };
	world.state.files[path] = fileNode(bytes, { mode: 0o600, uid: scope.who.uid, gid: scope.who.gid });
	touch(world);
	const { io, chunks } = collector();
	const [program, ...args] = argv;
	const exit = runProgram(hostScope(world), {
		argv: [program, ...args.map(a => (a === '{}' ? path : a))],
		stdin: noInput,
		io,
		timeoutMs: 30_000,
	});
	if (exit === 0) return undefined;
	if (exit === undefined) return `${program} is not there`;
	return (textOf(chunks, 'stderr') || textOf(chunks, 'stdout')).replaceAll(path, asked).trim();
}

const textOf = (chunks: readonly OutputChunk[], stream: OutputChunk['stream']): string =>
	chunks
		.filter(c => c.stream === stream)
		.map(c => c.text)
		.join('');

function linesOf(chunks: readonly OutputChunk[], redraws = false): OutputLine[] {
	const lines: OutputLine[] = [];
	const open = { stdout: '', stderr: '' };
	const add = (stream: OutputLine['stream'], line: string): void => {
		const drawings = line.replace(/\r$/, '').split('\r');
		for (const text of redraws ? drawings : drawings.slice(-1)) lines.push({ stream, text });
	};
	for (const { stream, text } of chunks) {
		const parts = (open[stream] + text).split('\n');
		open[stream] = parts.pop() ?? '';
		for (const part of parts) add(stream, part);
	}
	for (const stream of ['stdout', 'stderr'] as const) if (open[stream] !== '') add(stream, open[stream]);
	return lines;
}

function limited(
	chunks: readonly OutputChunk[],
	maxBytes: number,
): { readonly chunks: readonly OutputChunk[]; readonly tooMuch: boolean } {
	let left = maxBytes;
	const kept: OutputChunk[] = [];
	for (const chunk of chunks) {
		if (chunk.text.length > left) {
			kept.push({ ...chunk, text: chunk.text.slice(0, left) });
			return { chunks: kept, tooMuch: true };
		}
		left -= chunk.text.length;
		kept.push(chunk);
	}
	return { chunks: kept, tooMuch: false };
}
