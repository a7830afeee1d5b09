import { diffFiles, type FileSide, type Sha256, shownText } from '../text/diff.ts';
import { redact, redactLines } from '../text/redact.ts';
import { shellLine } from '../text/shell-line.ts';
import type { Action, Undo } from './action.ts';
import type { ShownAction } from './event.ts';
import { describePackageUndo } from './package-changes.ts';

/** An action as an operator approves it: exact command or redacted diff, why, what it touches, how it is undone. */
export function showAction(action: Action, sha256: Sha256): ShownAction {
	const diff = diffOf(action, sha256);
	return {
		id: action.id,
		kind: action.kind,
		title: action.title,
		why: action.why,
		...(action.serves !== undefined && { serves: action.serves }),
		...(action.risks !== undefined && action.risks.length > 0 && { risks: [...action.risks] }),
		does: doesWhat(action),
		...(diff !== undefined && { diff }),
		...(action.kind === 'manual' &&
			action.file !== undefined && {
				content: contentOf(action.file.bytes, sha256),
			}),
		...(action.touches !== undefined && { touches: [...action.touches] }),
		...(action.settle !== undefined && {
			waitsFor: `${action.settle.what}, at most ${Math.round(action.settle.deadlineMs / 1000)} s`,
		}),
		undo: undoText(action),
		...(action.rollback !== undefined && { rollback: action.rollback.map(doesWhat) }),
	};
}

function diffOf(action: Action, sha256: Sha256): ShownAction['diff'] {
	const between = (before: FileSide, after: FileSide): ShownAction['diff'] =>
		diffFiles(before, after, { redact: redactLines, sha256 }).map(line => ({ ...line }));
	if (action.kind === 'write') return action.shownAs === undefined ? between(action.before, action.bytes) : undefined;
	if (action.kind === 'manual' && action.file !== undefined) return between(action.file.before, action.file.bytes);
	if (action.kind === 'remove' && action.before !== undefined) return between(action.before, undefined);
	return undefined;
}

/** The whole content of a file, as far as it is text. */
function contentOf(bytes: Uint8Array, sha256: Sha256): string {
	const text = shownText(bytes);
	return text === undefined ? `${bytes.length} bytes, sha256 ${sha256(bytes)}` : redactLines(text).join('\n');
}

/** One line: what is done, as it could be typed where that is possible. */
export function doesWhat(action: Action): string {
	switch (action.kind) {
		case 'exec':
			return redact(shellLine(action.argv));
		case 'write':
			return `write ${action.path}${action.shownAs === undefined ? '' : `   # ${action.shownAs}`}`;
		case 'restore':
			return `put ${action.path} back`;
		case 'remove':
			return `rm ${action.path}`;
		case 'make-folder':
			return shellLine(['mkdir', '-m', action.mode.toString(8), action.path]);
		case 'remove-folder':
			return shellLine(['rmdir', action.path]);
		case 'signal':
			return `kill -${action.signal.slice(3)} ${action.pid}   # ${action.program}`;
		case 'download':
			return redact(
				`${shellLine(['curl', '-fLo', action.to, action.url])}${action.sha256 === undefined ? '' : `   # sha256 ${action.sha256}`}`,
			);
		case 'copy':
			return `${shellLine(['cp', action.from, action.to])}   # sha256 ${action.sha256}`;
		case 'load-image':
			return shellLine(['docker', 'load', '-i', action.archive]);
		case 'manual':
			return action.text;
		default:
			return action satisfies never;
	}
}

function undoText(action: Action): string {
	switch (action.kind) {
		case 'write':
			return action.expect.kind === 'missing'
				? `remove ${action.path}`
				: `put the bytes from before back into ${action.path}`;
		case 'restore':
			return 'none: this is itself a step back';
		case 'remove':
			return `put ${action.path} back`;
		case 'make-folder':
			return `remove ${action.path} when it is empty`;
		case 'remove-folder':
			return `make ${action.path} again`;
		case 'download':
		case 'copy':
			return `remove ${action.to}`;
		case 'load-image':
			return shellLine(['docker', 'image', 'rm', action.image]);
		case 'manual':
			return 'yours: this tool changes nothing here';
		case 'exec':
		case 'signal':
			return describeUndo(action.undo);
		default:
			return action satisfies never;
	}
}

function describeUndo(undo: Undo): string {
	switch (undo.kind) {
		case 'restore-file':
			return 'put the bytes from before back';
		case 'commands':
			return [...undo.commands.map(c => shellLine(c.argv)), ...(undo.leaves ?? []).map(left => `stays: ${left}`)].join(
				'; ',
			);
		case 'packages':
			return [
				...describePackageUndo(undo.changes),
				...(undo.commands ?? []).map(c => shellLine(c.argv)),
				...(undo.leaves ?? []).map(left => `stays: ${left}`),
			].join('; ');
		case 'none':
			return `none: ${undo.why}`;
		default:
			return undo satisfies never;
	}
}
