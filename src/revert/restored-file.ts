import type { Action } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import type { UndoRecord } from '../model/undo.ts';
import { largestOwnFile, type ReadHost, type ReadResult } from '../port/host.ts';
import { diffFiles, type FileSide, formatDiff } from '../text/diff.ts';
import { redactLines } from '../text/redact.ts';
import { sha256 } from '../text/sha256.ts';
import { shellLine } from '../text/shell-line.ts';

type FileUndo = Extract<UndoRecord, { kind: 'file' }>;
type Kept = (sha256: string) => Promise<Uint8Array | undefined>;

/** One path as the run found it, as it left it, and as it is. */
export interface PathToRestore {
	readonly path: string;
	/** null: there was nothing. */
	readonly before: FileUndo['before'];
	/** The bytes from before; undefined although `before` names some: the backup is gone or damaged. */
	readonly bytes: Uint8Array | undefined;
	/** What the run left last: bytes, nothing, or undefined where they were not kept. */
	readonly left: { readonly sha256: string; readonly bytes: Uint8Array } | 'missing' | undefined;
	/** Read whole only where it is small enough to be a file that people edit; a package is told by its digest. */
	readonly current: ReadResult;
	readonly currentSize: number | undefined;
	/** Undefined too where it is larger than any file of a run, so that nothing but its size was read. */
	readonly currentSha256: string | undefined;
	/** What the run itself may have left there: anything else is somebody else's change. */
	readonly ours: ReadonlySet<string>;
}

/** Undos of one path, the oldest first. */
export async function inspectPath(
	host: ReadHost,
	path: string,
	undos: readonly FileUndo[],
	kept: Kept,
): Promise<PathToRestore | undefined> {
	const first = undos[0];
	const last = undos.at(-1);
	if (first === undefined || last === undefined) return undefined;
	const current = await host.readFile(path);
	const digest = current.kind === 'too-large' ? await host.digest(path, { maxBytes: largestOwnFile }) : undefined;
	const leftBytes = last.after === null ? undefined : await kept(last.after);
	return {
		path,
		before: first.before,
		bytes: first.before === null ? undefined : await kept(first.before.sha256),
		left:
			last.after === null ? 'missing' : leftBytes === undefined ? undefined : { sha256: last.after, bytes: leftBytes },
		current,
		currentSize:
			current.kind === 'bytes'
				? current.bytes.length
				: digest?.kind === 'digest' || digest?.kind === 'too-large'
					? digest.size
					: undefined,
		currentSha256:
			current.kind === 'bytes' ? sha256(current.bytes) : digest?.kind === 'digest' ? digest.sha256 : undefined,
		ours: new Set(undos.flatMap(undo => [undo.after ?? 'missing', undo.before?.sha256 ?? 'missing'])),
	};
}

export const isRestored = (path: PathToRestore): boolean =>
	path.before === null ? path.current.kind === 'missing' : path.currentSha256 === path.before.sha256;

/** What is there now, as a diff shows it; undefined where there is nothing. */
export const sideOf = ({ current, currentSize, currentSha256 }: PathToRestore): FileSide =>
	current.kind === 'bytes'
		? current.bytes
		: currentSize === undefined || currentSha256 === undefined
			? undefined
			: { size: currentSize, sha256: currentSha256 };

/**
 * Refused, with both differences: what somebody changed since the run, and what putting the old bytes back would make of
 * the file as it is.
 */
export function changedSince(path: PathToRestore, backupDirectory: string): Finding {
	const { current, left, bytes, before } = path;
	// Wrapped, as "nothing is there" is a side too; undefined: not known.
	const now = current.kind === 'missing' || path.currentSha256 !== undefined ? { side: sideOf(path) } : undefined;
	const then = left === 'missing' ? { side: undefined } : left === undefined ? undefined : { side: left.bytes };
	const old = before === null ? { side: undefined } : bytes === undefined ? undefined : { side: bytes };
	type Known = { readonly side: FileSide } | undefined;
	const diff = (from: Known, to: Known): string =>
		from === undefined || to === undefined
			? '(its bytes cannot be shown)'
			: formatDiff(path.path, diffFiles(from.side, to.side, { redact: redactLines, sha256 })).trimEnd() ||
				'(the same lines)';
	const state = current.kind === 'bytes' ? 'changed' : current.kind === 'missing' ? 'removed' : `a ${current.kind}`;
	return {
		id: 'revert.changed-since',
		severity: 'block',
		summary: `${path.path} was changed by somebody else since the run`,
		evidence: [
			`what somebody ${state === 'removed' ? 'did (it is gone)' : 'changed'} since the run:`,
			current.kind === 'too-large' && now === undefined
				? `(it has ${path.currentSize ?? current.size} bytes now, more than any file of a run, and was not read)`
				: diff(then, now),
			'what putting back the bytes from before the run would change now:',
			diff(now, old),
		].join('\n'),
		why: 'putting the old bytes back would undo that change too',
		remedy:
			left === undefined || left === 'missing'
				? {
						kind: 'advice',
						text: 'keep what was changed elsewhere, put the file back to what the run left, then start this again',
					}
				: {
						kind: 'commands',
						text: 'Keep what was changed, put the file back to what the run left, then start this again',
						commands: [
							...(current.kind === 'bytes' ? [shellLine(['cp', '-p', path.path, `${path.path}.kept`])] : []),
							shellLine(['cp', `${backupDirectory}/${left.sha256}`, path.path]),
						],
					},
	};
}

/** `station`: what an earlier action of the same plan will have written there. */
export function restoreAction(path: PathToRestore, station: Uint8Array | undefined): Action | undefined {
	const found = station === undefined ? path.currentSha256 : sha256(station);
	const expect = found === undefined ? ({ kind: 'missing' } as const) : ({ kind: 'sha256', sha256: found } as const);
	const before = station ?? sideOf(path);
	const shared = { id: `file.${path.path}`, path: path.path, expect, before };
	if (path.before === null) {
		if (found === undefined) return undefined;
		return {
			...shared,
			kind: 'remove',
			title: `Remove ${path.path}`,
			why: 'it was not there before the run',
			withoutBackup: true,
		};
	}
	if (path.bytes === undefined) return undefined;
	const { mode, uid, gid } = path.before;
	return {
		...shared,
		kind: 'write',
		title: `Put ${path.path} back`,
		why: 'byte for byte as it was before the run',
		bytes: path.bytes,
		mode,
		owner: { uid, gid },
	};
}
