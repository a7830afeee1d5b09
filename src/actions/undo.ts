import { type Undo, type UndoRecord, undoParts } from '../model/undo.ts';

/** How an action with an undo of its own is taken back, for the operator. */
export function describeUndo(undo: Undo): string {
	switch (undo.kind) {
		case 'restore-file':
			return 'put the bytes from before back';
		case 'commands':
		case 'packages':
			return undoParts(undo)
				.map(({ text }) => text)
				.join('; ');
		case 'none':
			return `none: ${undo.why}`;
		default:
			return undo satisfies never;
	}
}

/** The same undo as it is logged. */
export const recordOf = (undo: Undo): UndoRecord =>
	undo.kind === 'restore-file' ? { kind: 'none', why: 'the files that it reads are put back on their own' } : undo;
