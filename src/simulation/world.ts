import type { FaultSwitch } from './faults.ts';
import type { View, Who } from './file-tree.ts';
import type { FileNode, SimulatedState } from './state.ts';

/** A file that can be downloaded. The digest comes from the table of releases, so that nothing is invented here. */
export interface Release {
	readonly url: string;
	readonly sha256: string;
	readonly size: number;
}

/** The draft that one command works on. Thrown away when the command may not have run, kept when it did. */
export interface World {
	state: SimulatedState;
	readonly faults: FaultSwitch;
	readonly releases: readonly Release[];
	/** Set by whoever changes anything but the passing of time: a reading command must leave it false. */
	changed: boolean;
	/** Every simulated program, by name. Handed in, so that programs can run each other without knowing each other. */
	readonly programs: Readonly<Record<string, Program>>;
	/** Names that are known not to be simulated on purpose: they are answered with "not found" even in tests. */
	readonly absent: ReadonlySet<string>;
	/** Goes up with each change, so that what was derived from the state is made again. */
	revision: number;
}

/** Says that the host is about to be changed. Every program calls it before it changes anything. */
export function touch(world: World): void {
	world.changed = true;
	world.revision += 1;
}

export interface Stdin {
	/** Bytes as Latin-1, so that none is lost. */
	readonly text: string;
	/** The host's file that it comes from: a declared archive has no bytes to read. */
	readonly file?: Extract<FileNode, { kind: 'file' }> | undefined;
}

export const noInput: Stdin = { text: '' };

export interface Io {
	out(text: string): void;
	err(text: string): void;
}

/** How a program ended: its code, or `endless` when it would go on for ever (a server, a loop without end). */
export type Exit = number | 'endless';

export interface Call {
	/** With the program's own name in front. */
	readonly argv: readonly string[];
	readonly stdin: Stdin;
	readonly io: Io;
	/** Who waits gives up after this time. */
	readonly timeoutMs: number;
}

/** A program works on the draft of its scope, writes to its streams and returns its exit code. Nothing else goes out. */
export type Program = (scope: Scope, call: Call) => Exit;

/** A process of the host: as whom it runs, and what it sees. */
export interface Scope {
	readonly world: World;
	readonly view: View;
	readonly who: Who;
	readonly cwd: string;
	/** Where it looks for programs. */
	readonly path: string;
	readonly pid: number;
}

export interface Captured {
	readonly exit: Exit;
	readonly stdout: string;
	readonly stderr: string;
}

/** A program, option or word that is not simulated. Not an answer of the host: a hole in the simulation. */
export class UnsimulatedCommand extends Error {
	override readonly name = 'UnsimulatedCommand';
	readonly argv: readonly string[];

	constructor(argv: readonly string[], why: string) {
		super(`not simulated: ${argv.join(' ')} (${why})`);
		this.argv = argv;
	}
}

/** Time passes for whoever waits for the running command. */
export function spend(world: World, ms: number): void {
	world.state.now += Math.max(0, ms);
}

export function capture(run: (io: Io) => Exit): Captured {
	let stdout = '';
	let stderr = '';
	const exit = run({
		out: text => {
			stdout += text;
		},
		err: text => {
			stderr += text;
		},
	});
	return { exit, stdout, stderr };
}

export interface OutputChunk {
	readonly stream: 'stdout' | 'stderr';
	readonly text: string;
}

/** Keeps the order of the two streams. */
export function collector(): { readonly io: Io; readonly chunks: OutputChunk[] } {
	const chunks: OutputChunk[] = [];
	return {
		chunks,
		io: {
			out: text => {
				if (text !== '') chunks.push({ stream: 'stdout', text });
			},
			err: text => {
				if (text !== '') chunks.push({ stream: 'stderr', text });
			},
		},
	};
}

/** Identifiers come from the seed in the state: a run on the same state gives the same ones. */
export function nextHex(world: World, length: number): string {
	let text = '';
	while (text.length < length) {
		// mulberry32: small, and good enough that ids do not look alike.
		world.state.seed = (world.state.seed + 0x6d2b79f5) >>> 0;
		let t = world.state.seed;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		text += ((t ^ (t >>> 14)) >>> 0).toString(16).padStart(8, '0');
	}
	return text.slice(0, length);
}

export function nextPid(world: World): number {
	world.state.nextPid += 1 + (world.state.nextPid % 3);
	return world.state.nextPid;
}

export function nextNamespace(world: World): number {
	world.state.nextNamespace += 1;
	return world.state.nextNamespace;
}

export function journal(world: World, unit: string, who: string, pid: number, text: string): void {
	world.state.journal.push({ at: world.state.now, unit, who, pid, text });
}

/** RFC 3339 with nanoseconds, as dockerd writes it. */
export function rfc3339(ms: number): string {
	if (ms <= 0) return '0001-01-01T00:00:00Z';
	return new Date(ms).toISOString().replace('Z', `${String(Math.floor(ms * 7919) % 1_000_000).padStart(6, '0')}Z`);
}

/** `major.minor.patch` as one number, for comparing; what follows is left out. */
export function versionNumber(version: string): number {
	const [major = 0, minor = 0, patch = 0] = (/\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
	return major * 1_000_000 + minor * 1_000 + patch;
}

export const atLeast = (version: string, least: string): boolean => versionNumber(version) >= versionNumber(least);
