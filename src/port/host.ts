/**
 * The one door between this tool and a machine. Steps see {@link ReadHost} only; the applier alone holds
 * {@link WriteHost}. Everything that crosses is plain data, so that a host behind ssh can stand behind the same door.
 */

/** A program and its arguments. Never a shell string with data in it. */
export type Argv = readonly [program: string, ...args: string[]];

export interface OutputLine {
	readonly stream: 'stdout' | 'stderr';
	readonly text: string;
}

export interface ExecOptions {
	/** After this many milliseconds the command is ended and `problem` says `timeout`. */
	readonly timeoutMs: number;
	readonly signal?: AbortSignal | undefined;
	/** Standard input: bytes, or a file of the host (for what does not fit into memory). Without it, stdin is empty. */
	readonly stdin?: Uint8Array | { readonly file: string } | undefined;
	readonly onLine?: ((line: OutputLine) => void) | undefined;
	/** `onLine` is also given what a carriage return draws over: a progress bar. Without it, lines as they end. */
	readonly redraws?: boolean | undefined;
	/**
	 * More output than this many bytes ends the command with `too-much-output`: for `exec` 16 MiB when nothing is said.
	 * `run` is not ended for what it prints unless told so; it keeps the first and the last of it.
	 */
	readonly maxBytes?: number | undefined;
}

/**
 * What a command did. A failing command never rejects: a missing program, a deadline and an exit code are facts about
 * the host, and the caller judges them.
 */
export interface ExecResult {
	/** The exit code, or null when the command did not end by itself. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	readonly problem?: 'missing' | 'denied' | 'timeout' | 'cancelled' | 'too-much-output' | 'signalled' | undefined;
	/** With `signalled`: which signal, such as `SIGKILL` (often: out of memory). */
	readonly signal?: string | undefined;
	readonly elapsedMs: number;
}

export interface FileMeta {
	/** Permission bits, such as 0o644. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	/** The path after all links were followed. */
	readonly realPath: string;
	/** When its bytes, owner, mode or name last changed, in milliseconds since 1970; absent where nobody knows. */
	readonly changedAtMs?: number | undefined;
	/** Set where the bytes are only planned: no command of the host can read them yet. */
	readonly planned?: true | undefined;
}

/** Why a path could not be read. Told apart, as each needs another sentence to the operator. */
export type ReadProblem =
	| {
			readonly kind: 'missing' /** Set when the path is a link whose target is missing. */;
			readonly danglingTo?: string | undefined;
	  }
	| { readonly kind: 'denied' }
	| { readonly kind: 'too-large'; readonly size: number; readonly limit: number }
	| { readonly kind: 'not-a-file'; readonly what: 'directory' | 'socket' | 'device' | 'fifo' | 'link-loop' }
	| { readonly kind: 'failed'; readonly errno: string };

export type ReadResult = { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly meta: FileMeta } | ReadProblem;

export type StatResult =
	| {
			readonly kind: 'found';
			readonly type: 'file' | 'directory' | 'socket' | 'device' | 'fifo';
			/** True when the path itself is a symbolic link. */
			readonly link: boolean;
			readonly meta: FileMeta;
	  }
	| Exclude<ReadProblem, { kind: 'too-large' }>;

export type ListResult =
	| { readonly kind: 'names'; readonly names: readonly string[] }
	| { readonly kind: 'missing' | 'denied' | 'not-a-folder' }
	| { readonly kind: 'failed'; readonly errno: string };

export type DigestResult = { readonly kind: 'digest'; readonly sha256: string; readonly size: number } | ReadProblem;

export type SpaceResult =
	| { readonly kind: 'space'; readonly freeBytes: number; readonly totalBytes: number }
	| { readonly kind: 'missing' | 'denied' }
	| { readonly kind: 'failed'; readonly errno: string };

/** Who this process is on that host. */
export interface HostIdentity {
	readonly hostname: string;
	readonly pid: number;
	readonly uid: number;
	/** The person behind the process: SUDO_USER where sudo was used, else the login name. */
	readonly user: string;
}

/**
 * The largest file that a run makes and takes away again, in bytes: packages of Sysbox have about 12 MB, and ten times
 * that is none. A larger one at its path is somebody else's.
 */
export const largestOwnFile = 128 * 1024 * 1024;

export interface ReadHost {
	/** `simulated` is said on every screen, line and record. */
	readonly kind: 'local' | 'simulated';
	readonly identity: HostIdentity;
	/** Runs a command that changes nothing on the host. A command that may change something goes through `WriteHost.run`. */
	exec(argv: Argv, options: ExecOptions): Promise<ExecResult>;
	/** Follows links. Without `maxBytes`, files over 1 MiB are `too-large`. */
	readFile(path: string, options?: { readonly maxBytes?: number | undefined }): Promise<ReadResult>;
	stat(path: string): Promise<StatResult>;
	list(path: string): Promise<ListResult>;
	/** sha256 of a file, read as a stream: for packages and images. Only with `maxBytes` is a file `too-large`. */
	digest(path: string, options?: { readonly maxBytes?: number | undefined }): Promise<DigestResult>;
	/** Room on the file system that holds `path`. */
	space(path: string): Promise<SpaceResult>;
}

/** What a writer expects to find: the sha256 of the bytes that the plan was made from, or nothing at all. */
export type Expected = { readonly kind: 'missing' } | { readonly kind: 'sha256'; readonly sha256: string };

export type WriteResult =
	| {
			readonly kind: 'written';
			readonly sha256: string;
			/** False when the file could only be rewritten in place (a bind-mounted file: rename gives EBUSY). */
			readonly atomic: boolean;
	  }
	| { readonly kind: 'changed'; readonly found: Expected }
	/** `validateWith` did not accept the new bytes; nothing was changed. */
	| { readonly kind: 'rejected'; readonly said: string }
	| {
			readonly kind: 'failed';
			readonly errno: string;
			readonly message: string;
			/** Set where it is not as it was: the message says how. */
			readonly touched?: true | undefined;
	  };

export interface WriteHost extends ReadHost {
	/** Runs a command that may change the host. It gets its own process group, so that Ctrl+C does not reach it. */
	run(argv: Argv, options: ExecOptions): Promise<ExecResult>;
	/**
	 * Replaces a whole file: temporary file in the same directory, fsync, owner, mode and labels of the old one, rename,
	 * fsync of the directory. A link is followed and kept. Refuses when the file is no longer as `expect` says.
	 * `mode` is used for a new file only; `owner` (default: the old file's, or root) too.
	 */
	replaceFile(
		path: string,
		bytes: Uint8Array,
		options: {
			readonly expect: Expected;
			readonly mode: number;
			readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
			/** Run on the new bytes before they are put in place; the element `{}` stands for their path. */
			readonly validateWith?: Argv | undefined;
		},
	): Promise<WriteResult>;
	removeFile(path: string, options: { readonly expect: Expected }): Promise<WriteResult>;
	/** Creates one directory (not its parents) when it is not there. */
	makeDirectory(
		path: string,
		options: { readonly mode: number; readonly owner?: { readonly uid: number; readonly gid: number } | undefined },
	): Promise<WriteResult>;
	removeDirectory(path: string): Promise<WriteResult>;
	signal(
		pid: number,
		name: 'SIGHUP' | 'SIGTERM' | 'SIGQUIT',
	): Promise<{ readonly kind: 'sent' | 'no-such-process' | 'denied' }>;
	/** Copies a file of the host to where nobody else can exchange it, and returns what arrived. */
	copyFile(
		from: string,
		to: string,
		options: {
			readonly maxBytes: number;
			readonly signal?: AbortSignal | undefined;
			readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
		},
	): Promise<CopyResult>;
}

export type CopyResult =
	| { readonly kind: 'copied'; readonly sha256: string; readonly size: number }
	| { readonly kind: 'failed'; readonly message: string };
