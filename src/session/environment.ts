import type { Knowledge } from '../model/knowledge.ts';
import type { WriteHost } from '../port/host.ts';

/** The machine that a command works on, real or simulated, and where this tool keeps its own files. */
export interface Environment {
	readonly host: WriteHost;
	readonly simulated: boolean;
	/** Tells hosts of one name apart, and gives nothing of the machine's own id away; empty where there is none. */
	readonly machine: string;
	readonly knowledge: Knowledge;
	/** On the machine that this process runs on: log, session, lock, backups. */
	readonly stateDirectory: string;
	/** On the host: downloads, and archives for the proofs. The same directory unless the host is simulated. */
	readonly hostDirectory: string;
	/** Where the operator stands: records go here. */
	readonly workingDirectory: string;
	/** Where the operator wants the record, as an absolute path. */
	readonly record?: string | undefined;
	/** How the operator would start this tool again. */
	readonly command: string;
	readonly version: string;
	/** Removes what a writer that was killed left in these directories. Only for the holder of the lock. */
	readonly sweep: (directories: readonly string[]) => Promise<readonly string[]>;
	/** Waits; on a simulated host its clock goes on instead. */
	readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
	/** The time of day, for people. It can be set: nothing may wait by it. */
	readonly now: () => Date;
	/** Milliseconds by a clock that nobody can set, for deadlines and durations. */
	readonly elapsed: () => number;
}
