import * as z from 'zod';
import { diffLineSchema } from '../text/diff.ts';
import type { DataOf } from './data.ts';
import { riskNames } from './risk.ts';
import { sha256Schema } from './undo.ts';

/** An action as it is shown: no bytes, only redacted diffs and exact commands. */
export const shownActionSchema = z.object({
	id: z.string(),
	kind: z.enum([
		'exec',
		'write',
		'remove',
		'make-folder',
		'remove-folder',
		'signal',
		'download',
		'copy',
		'load-image',
		'restore',
		'manual',
	]),
	title: z.string(),
	why: z.string(),
	risks: z.array(z.enum(riskNames)).optional(),
	/** The line an operator could type, or the file that is written. */
	does: z.string(),
	diff: z.array(diffLineSchema).optional(),
	/** The whole content of a file that others have to write, redacted as the diff is. */
	content: z.string().optional(),
	touches: z.array(z.string()).optional(),
	/** The action of the same plan that it only prepares or follows: not counted as a change of its own. */
	serves: z.string().optional(),
	waitsFor: z.string().optional(),
	undo: z.string(),
	rollback: z.array(z.string()).optional(),
	/** What is done to the byte, as digests of the true words and bytes: a saved plan is held to it. */
	exact: z
		.object({
			/** Of everything that the action does. */
			sha256: sha256Schema,
			/** The command, without secrets. */
			argv: z.array(z.string()).min(1).optional(),
			/** It gives back what the run itself took away. */
			givesBack: z.literal(true).optional(),
			/** The file that is written or removed: its bytes before and after; null: there is none. */
			file: z.object({ path: z.string(), before: sha256Schema.nullable(), after: sha256Schema.nullable() }).optional(),
		})
		.optional(),
});
export type ShownAction = DataOf<typeof shownActionSchema>;

/** A change that counts: not what only prepares or follows another one, and not what others have to do. */
export const isOwnChange = ({ serves, kind }: ShownAction): boolean => serves === undefined && kind !== 'manual';

/** The step whose plan only writes files for the operator to take over: nothing of the host is changed by it. */
export const filesOnly = 'ci';
