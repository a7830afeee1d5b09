import type { Argv, Expected, ReadHost } from '../port/host.ts';
import type { FileSide } from '../text/diff.ts';
import type { Json } from './data.ts';
import type { Impact } from './impact.ts';
import type { RiskName } from './risk.ts';
import type { Undo } from './undo.ts';

/**
 * Waits after an action until the host shows its effect. `waiting` is asked again until the deadline; `refused` ends
 * the wait with the host's own words.
 */
export interface Readiness {
	/** What is waited for, such as "docker lists sysbox-runc". */
	readonly what: string;
	readonly deadlineMs: number;
	/** How often it is asked; what is waited for is then told while it lasts. For waits that can take minutes. */
	readonly everyMs?: number | undefined;
	/** `since`: when the action was begun, so that only what the host said after that counts. */
	check(host: ReadHost, signal: AbortSignal, since: Date): Promise<ReadinessState>;
}

export type ReadinessState =
	| { readonly kind: 'settled'; readonly evidence: string }
	| { readonly kind: 'waiting'; readonly seen: string }
	| { readonly kind: 'refused'; readonly said: string };

/**
 * What is looked at right before an action begins. `go` may name what was seen, which is logged before the action is.
 * `stale`: what was approved is no longer what would happen, and the step has to look again.
 */
export type Guarded =
	| { readonly kind: 'go'; readonly seen?: { readonly key: string; readonly value: Json } | undefined }
	| { readonly kind: 'stale'; readonly said: string };

/** What others than its own step have to know an action by. */
export const actionRoles = ['restart-docker', 'change-packages', 'configure-docker'] as const;

interface ActionBase {
	/** Unique within its step and the same in every run: `daemon-json`, `install`. */
	readonly id: string;
	readonly role?: (typeof actionRoles)[number] | undefined;
	/** In the imperative, about the host: "Write /etc/docker/daemon.json". */
	readonly title: string;
	readonly why: string;
	/** Has to be accepted by name; `--yes` alone does not. */
	readonly risks?: readonly RiskName[] | undefined;
	/**
	 * The id of the action of the same plan that this one only prepares, follows or waits for: the directory of a file, the
	 * download of a package, the watchdog around a reload. It is shown and done as any other, and is no change of its own
	 * where changes are counted.
	 */
	readonly serves?: string | undefined;
	/** What else it changes, beyond what its kind already says. */
	readonly touches?: readonly string[] | undefined;
	readonly waitUntil?: Readiness | undefined;
	/** Minutes can lie between consent and this action, while others before it wait. */
	readonly guard?: ((host: ReadHost, signal: AbortSignal) => Promise<Guarded>) | undefined;
	/** It disrupts work for so long at most, its way back included: not begun when less is left of the window (--until). */
	readonly needsMs?: number | undefined;
	/** It gives back what this run itself took away, as far as that shows only afterwards: no plan can foresee it. */
	readonly givesBack?: true | undefined;
	/**
	 * Run in this order when the action fails or its wait does, so that the host is never left half changed. They are
	 * also what the operator is told would happen.
	 */
	readonly rollback?: readonly Action[] | undefined;
	/**
	 * Actions of the same step, by id, that this one takes back when it is done: what was armed for a moment and is
	 * disarmed again. Nothing of them is left to revert.
	 */
	readonly takesBack?: readonly string[] | undefined;
	/**
	 * Why it failed, from the host's own log: asked when the command or the wait for its effect fails, before anything is
	 * rolled back. Told before the command's own words. Undefined: the log says nothing about it.
	 */
	readonly explain?: ((host: ReadHost, signal: AbortSignal, since: Date) => Promise<string | undefined>) | undefined;
	/** What the operator can do when it fails: told with the failure. */
	readonly whenItFails?: readonly string[] | undefined;
}

/** Every change is data first, so it can be shown, refused, logged and undone. */
export type Action = ActionBase &
	(
		| {
				readonly kind: 'exec';
				readonly argv: Argv;
				readonly timeoutMs: number;
				readonly undo: Undo;
				/** Tried again this many times when it fails: only for what is known to succeed at a second try. */
				readonly retries?: number | undefined;
				/** Only while this says so, asked after each failure. */
				readonly retryWhen?: ((host: ReadHost, signal: AbortSignal) => Promise<boolean>) | undefined;
				/** Its exit code alone is no failure: what counts is what {@link ActionBase.settle} finds afterwards. */
				readonly judgedByReadiness?: true | undefined;
				/** Tried again as long as its failure says this: while another program holds a lock that passes. */
				readonly retryWhile?:
					| { readonly says: RegExp; readonly everyMs: number; readonly deadlineMs: number }
					| undefined;
				/** Words with which it fails where there is nothing to do: it is done then. */
				readonly nothingToDo?: string | undefined;
				/**
				 * Asked when it failed. `done`: nothing is left to do, as its object is gone. `stale`: a part of what it names
				 * is gone, so that the step has to look again. Undefined: the failure stands.
				 */
				readonly judgeFailure?:
					| ((
							host: ReadHost,
							signal: AbortSignal,
					  ) => Promise<
							| { readonly kind: 'done'; readonly evidence: string }
							| { readonly kind: 'stale'; readonly said: string }
							| undefined
					  >)
					| undefined;
				/** What its output tells of how far it has come. */
				readonly tells?: 'image-layers' | undefined;
				/** A package manager or the like: Ctrl+C waits for its end instead of cancelling it. */
				readonly uninterruptible?: true | undefined;
		  }
		| {
				readonly kind: 'write';
				readonly path: string;
				readonly bytes: Uint8Array;
				/** For a new file; an existing one keeps its own. */
				readonly mode: number;
				readonly expect: Expected;
				/** What is there now, for the diff; absent for a new file. */
				readonly before?: FileSide | undefined;
				/** What the bytes are, said instead of a diff: "the earlier /etc/docker/daemon.json". */
				readonly shownAs?: string | undefined;
				/** Owner of a new file; without it the directory's owner or root. */
				readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
				/** Write as the owner of the directory, which must exist. For files outside /etc and /var/lib. */
				readonly asDirectoryOwner?: true | undefined;
				/**
				 * A command that accepts or refuses the new bytes before they are put in place. The element `{}` stands for
				 * the candidate's path.
				 */
				readonly validateWith?: Argv | undefined;
		  }
		/**
		 * Puts back what this run's last write to the path replaced; with `first`, what the run found there before it wrote
		 * anything. For rollbacks.
		 */
		| { readonly kind: 'restore'; readonly path: string; readonly first?: true | undefined }
		| {
				readonly kind: 'remove';
				readonly path: string;
				readonly expect: Expected;
				readonly before?: FileSide | undefined;
				/** The bytes are not kept: for what a run itself had made or fetched, which may be large. */
				readonly withoutBackup?: true | undefined;
		  }
		| {
				readonly kind: 'make-folder';
				readonly path: string;
				readonly mode: number;
				readonly asDirectoryOwner?: true | undefined;
		  }
		/** Removes a folder of ours; one that is not empty stays, and is named. */
		| { readonly kind: 'remove-folder'; readonly path: string }
		| {
				readonly kind: 'signal';
				readonly pid: number;
				readonly program: string;
				readonly signal: 'SIGHUP' | 'SIGTERM' | 'SIGQUIT';
				readonly undo: Undo;
		  }
		| {
				readonly kind: 'download';
				readonly with: 'curl' | 'apt-helper';
				readonly url: string;
				readonly to: string;
				readonly sha256: string;
				readonly maxBytes: number;
		  }
		/** Copies a file of the operator to where nobody else can exchange it; it has to be the file that was looked at. */
		| {
				readonly kind: 'copy';
				readonly from: string;
				readonly to: string;
				readonly sha256: string;
				readonly maxBytes: number;
		  }
		| { readonly kind: 'load-image'; readonly archive: string; readonly image: string }
		| {
				readonly kind: 'manual';
				readonly text: string;
				/** A file that is for others to write: what it has to hold, byte for byte. */
				readonly file?:
					| { readonly path: string; readonly bytes: Uint8Array; readonly before?: FileSide | undefined }
					| undefined;
		  }
	);

export interface Plan {
	readonly actions: readonly Action[];
	readonly impact?: Impact | undefined;
}

export const emptyPlan: Plan = { actions: [] };

/** The risks of a plan, each once, in order of appearance. */
export function risksOf(plan: Plan): readonly RiskName[] {
	return [...new Set(plan.actions.flatMap(action => action.risks ?? []))];
}
