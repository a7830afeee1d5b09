import type { Action } from '../model/action.ts';
import type { Emit } from '../model/event.ts';
import type { ShownAction } from '../model/shown-action.ts';
import type { RunState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import type { Undo, UndoRecord } from '../model/undo.ts';
import type { OutputLine, WriteHost } from '../port/host.ts';
import type { FileSide } from '../text/diff.ts';

export interface ApplyDeps {
	readonly host: WriteHost;
	readonly emit: Emit;
	/** Keeps the bytes from before under their sha256, on disk before it answers. */
	readonly keep: (bytes: Uint8Array) => Promise<string>;
	readonly kept: (sha256: string) => Promise<Uint8Array | undefined>;
	/** The file that holds them. */
	readonly keptAt: (sha256: string) => string;
	readonly state: () => RunState;
	/** Milliseconds by a clock that nobody can set. */
	readonly elapsed: () => number;
	/** Waits; rejects never, ends early when the signal aborts. */
	readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
	readonly signal: AbortSignal;
	/** Why an action is not to be begun any more (--until). */
	readonly outOfWindow?: ((action: Action) => string | undefined) | undefined;
}

/** What went wrong, in words for the operator. */
export interface Wrong {
	readonly kind: 'failed' | 'stale';
	readonly said: string;
	readonly why?: string | undefined;
	/** What is true on the host, where that is another thing than for every action of its kind. */
	readonly now?: string | undefined;
	readonly next: readonly string[];
}

export type Performed =
	| { readonly kind: 'done'; readonly evidence?: string | undefined; readonly inPlace?: true | undefined }
	| { readonly kind: 'manual'; readonly evidence?: string | undefined }
	| { readonly kind: 'interrupted' }
	| Wrong;

/** What an undo needs, taken down before the change; `bytes`: what a restore puts back. */
export type Prepared =
	| { readonly kind: 'prepared'; readonly undo: UndoRecord; readonly bytes?: Uint8Array | undefined }
	| Wrong;

/** What an action has at hand while it is performed. */
export interface Performing extends ApplyDeps {
	readonly step: StepId;
	/** What its preparation found to put back. */
	readonly bytes: Uint8Array | undefined;
	/** When its intent was logged: by the clock of the host, as what the host says of itself is dated. */
	readonly since: Date;
	/** Output is for the eye: it is logged, redacted, but nothing waits for the disk. */
	readonly report: (line: OutputLine) => void;
	readonly progress: (done: number, total: number | undefined, unit: string) => void;
}

export type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** The effects of earlier actions on files, over which a later step plans: see `overlayHost`. */
export interface Overlay {
	readonly write: (path: string, bytes: Uint8Array, mode: number) => void;
	readonly remove: (path: string) => void;
	readonly makeDirectory: (path: string) => void;
}

/** What a delegated action asks of whoever manages the path. */
export type Delegated = Pick<ActionOf<'manual'>, 'title' | 'text' | 'file'>;

/** One kind of action: how it is shown, compared, foreseen, prepared, performed and undone. */
export interface ActionKind<K extends Action['kind']> {
	/** One line: what is done, as it could be typed where that is possible. */
	readonly does: (action: ActionOf<K>) => string;
	/** The bytes that it exchanges, for the diff. */
	readonly sides?:
		| ((action: ActionOf<K>) => { readonly before: FileSide; readonly after: FileSide } | undefined)
		| undefined;
	/** How it is undone, for the operator. */
	readonly undo: (action: ActionOf<K>) => string;
	/**
	 * What tells it from every other action of its kind: what it does to the host, and nothing that may differ between two
	 * looks at the same host, such as words, deadlines and process ids. A saved plan is held to it.
	 */
	readonly essence: (action: ActionOf<K>) => readonly unknown[];
	/** The file of the host whose bytes it changes, by their digests; null: there is none. */
	readonly file?: ((action: ActionOf<K>) => NonNullable<NonNullable<ShownAction['exact']>['file']>) | undefined;
	/** What it leaves to read, for a plan that builds on it. */
	readonly preview?: ((action: ActionOf<K>, overlay: Overlay) => void) | undefined;
	/** What whoever manages its `path` is asked to do instead, where that is anything. */
	readonly delegate?: ((action: ActionOf<K>, by: string) => Delegated | undefined) | undefined;
	/** Takes down what its undo needs, before anything is changed. */
	readonly prepare: (action: ActionOf<K>, deps: ApplyDeps) => Prepared | Promise<Prepared>;
	readonly perform: (action: ActionOf<K>, performing: Performing) => Promise<Performed>;
	/** What is true on the host after it failed, where no rollback says it. */
	readonly now: (action: ActionOf<K>, undo: UndoRecord) => string;
}

/** Files larger than this are not ours to change; a backup of one would fill the disk. */
export const maxBackupBytes = 16 * 1024 * 1024;

/** An undo that only says why there is none. */
export const noUndo = (why: string): Prepared => ({ kind: 'prepared', undo: { kind: 'none', why } });

/** What a command did until it failed stays: it has an undo of its own, or says why not. */
export const halfDone = (undo: UndoRecord): string =>
	undo.kind === 'none'
		? `it has no way back of its own: ${undo.why}`
		: 'what it did until then is taken back by revert; a second start goes on from there';

/** The part of an undo that a saved plan is held to. */
export function essenceOfUndo(undo: Undo): unknown {
	switch (undo.kind) {
		case 'commands':
			return undo.commands.map(command => command.argv);
		// What apt brings with a package is less once an earlier step has brought it: see compareStep.
		case 'packages':
		case 'restore-file':
		case 'none':
			return undo.kind;
		default:
			return undo satisfies never;
	}
}
