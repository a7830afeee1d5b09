import { describePackageUndo } from '../model/package-changes.ts';
import type { Undo, UndoRecord } from '../model/undo.ts';
import { shellLine } from '../text/shell-line.ts';

/** How an action with an undo of its own is taken back, for the operator. */
export function describeUndo(undo: Undo): string {
	const stays = (leaves: readonly string[] = []) => leaves.map(left => `stays: ${left}`);
	switch (undo.kind) {
		case 'restore-file':
			return 'put the bytes from before back';
		case 'commands':
			return [...undo.commands.map(c => shellLine(c.argv)), ...stays(undo.leaves)].join('; ');
		case 'packages':
			return [
				...describePackageUndo(undo.changes),
				...(undo.commands ?? []).map(c => shellLine(c.argv)),
				...stays(undo.leaves),
			].join('; ');
		case 'none':
			return `none: ${undo.why}`;
		default:
			return undo satisfies never;
	}
}

/** The same undo as it is logged. */
export const recordOf = (undo: Undo): UndoRecord =>
	undo.kind === 'restore-file' ? { kind: 'none', why: 'the files that it reads are put back on their own' } : undo;
