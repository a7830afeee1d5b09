import type { Action } from '../model/action.ts';
import type { ShownAction } from '../model/shown-action.ts';
import { diffFiles, shownText } from '../text/diff.ts';
import { redactArgv, redactLines } from '../text/redact.ts';
import { sha256 } from '../text/sha256.ts';
import { kindOf } from './kinds/index.ts';

/** One line: what is done, as it could be typed where that is possible. */
export const doesWhat = (action: Action): string => kindOf(action).does(action);

/** An action as an operator approves it: exact command or redacted diff, why, what it touches, how it is undone. */
export function showAction(action: Action): ShownAction {
	const sides = kindOf(action).sides?.(action);
	const diff = sides && diffFiles(sides.before, sides.after, { redact: redactLines, sha256 });
	return {
		id: action.id,
		kind: action.kind,
		title: action.title,
		why: action.why,
		serves: action.serves,
		risks: action.risks !== undefined && action.risks.length > 0 ? action.risks : undefined,
		does: doesWhat(action),
		diff,
		content: action.kind === 'manual' && action.file !== undefined ? contentOf(action.file.bytes) : undefined,
		touches: action.touches,
		waitsFor:
			action.waitUntil === undefined
				? undefined
				: `${action.waitUntil.what}, at most ${Math.round(action.waitUntil.deadlineMs / 1000)} s`,
		undo: kindOf(action).undo(action),
		rollback: action.rollback?.map(doesWhat),
	};
}

/** The same, with what tells it from every other one: a saved plan is held to it. */
export function showExactly(action: Action): ShownAction {
	const { essence, file } = kindOf(action);
	const changed = file?.(action);
	return {
		...showAction(action),
		exact: {
			// The rollback is left out: it holds more the more a run has done before.
			sha256: sha256(JSON.stringify([action.kind, action.id, action.risks ?? [], ...essence(action)])),
			argv: action.kind === 'exec' ? redactArgv(action.argv) : undefined,
			file: changed,
			givesBack: action.givesBack === true ? true : undefined,
		},
	};
}

/** The whole content of a file, as far as it is text. */
function contentOf(bytes: Uint8Array): string {
	const text = shownText(bytes);
	return text === undefined ? `${bytes.length} bytes, sha256 ${sha256(bytes)}` : redactLines(text).join('\n');
}
