import * as z from 'zod';
import { shellLine } from '../text/shell-line.ts';
import type { DataOf } from './data.ts';
import { packageChangesSchema, packageUndo } from './package-changes.ts';

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256, 64 hexadecimal digits');

const undoCommandSchema = z.object({
	argv: z.tuple([z.string()], z.string()),
	timeoutMs: z.number(),
	why: z.string(),
	/** Words with which it fails where nothing is left to take back: of an action that never came that far. */
	nothingLeft: z.string().optional(),
	/** A value of the running system, such as a sysctl: run only while it is what the action made it. */
	sets: z
		.object({
			/** Where it is read: `/proc/sys/…`. */
			file: z.string(),
			before: z.string(),
			after: z.string(),
		})
		.optional(),
});
export type UndoCommand = DataOf<typeof undoCommandSchema>;
export type LiveValue = NonNullable<UndoCommand['sets']>;

/** What revert needs, by reference: bytes lie in the run's backup directory under their sha256. */
export const undoRecordSchema = z.discriminatedUnion('kind', [
	z.object({
		kind: z.literal('file'),
		path: z.string(),
		/** What was there before; null: nothing. */
		before: z.object({ sha256: z.string(), mode: z.number(), uid: z.number(), gid: z.number() }).nullable(),
		/** What the action leaves; null: nothing (a removal). Revert refuses when the host shows something else. */
		after: z.string().nullable(),
	}),
	z.object({ kind: z.literal('folder'), path: z.string() }),
	z.object({
		kind: z.literal('commands'),
		commands: z.array(undoCommandSchema),
		leaves: z.array(z.string()).optional(),
	}),
	/** The earlier selection of packages, and their marks, as far as it can still be had. */
	z.object({
		kind: z.literal('packages'),
		changes: packageChangesSchema,
		/** For what the scripts of the packages change besides; run behind them. */
		commands: z.array(undoCommandSchema).optional(),
		leaves: z.array(z.string()).optional(),
	}),
	z.object({ kind: z.literal('none'), why: z.string() }),
]);
export type UndoRecord = DataOf<typeof undoRecordSchema>;

/** How an action is taken back. Plain data: it is logged before the action starts, and revert reads it from there. */
export type Undo =
	| { readonly kind: 'restore-file' /** The bytes from before, or its absence. */ }
	| Extract<UndoRecord, { kind: 'commands' | 'packages' | 'none' }>;

/** How commands or packages are taken back, one thing after the other; `typed`: a line that could be typed. */
export const undoParts = (
	undo: Extract<Undo, { kind: 'commands' | 'packages' }>,
): readonly { readonly typed: boolean; readonly text: string }[] => [
	...(undo.kind === 'packages' ? packageUndo(undo.changes) : []),
	...(undo.commands ?? []).map(({ argv }) => ({ typed: true, text: shellLine(argv) })),
	...(undo.leaves ?? []).map(left => ({ typed: false, text: `stays: ${left}` })),
];
