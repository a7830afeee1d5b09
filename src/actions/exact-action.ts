import { createHash } from 'node:crypto';
import type { Action, Undo } from '../model/action.ts';
import type { ShownAction } from '../model/event.ts';
import { showAction } from '../model/shown-action.ts';
import { redactArgv } from '../text/redact.ts';

/** An action as an operator approves it, and what tells it from every other one. */
export function showExactly(action: Action): ShownAction {
	const file = fileOf(action);
	return {
		...showAction(action, sha256),
		exact: {
			sha256: sha256(JSON.stringify(essence(action))),
			...(action.kind === 'exec' && { argv: [...redactArgv(action.argv)] }),
			...(file !== undefined && { file }),
			...(action.givesBack === true && { givesBack: true as const }),
		},
	};
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

function fileOf(action: Action): NonNullable<ShownAction['exact']>['file'] {
	if (action.kind !== 'write' && action.kind !== 'remove') return undefined;
	return {
		path: action.path,
		before: action.expect.kind === 'sha256' ? action.expect.sha256 : null,
		after: action.kind === 'write' ? sha256(action.bytes) : null,
	};
}

/**
 * What an action does to the host, and nothing else. Left out is what may differ between two looks at the same host:
 * words, deadlines and process ids; and the rollback, which holds more the more a run has done before.
 */
function essence(action: Action): unknown {
	const base = [action.kind, action.id, action.risks ?? []];
	switch (action.kind) {
		case 'exec':
			return [...base, action.argv, undone(action.undo)];
		case 'signal':
			return [...base, action.program, action.signal, undone(action.undo)];
		case 'write':
			return [
				...base,
				fileOf(action),
				action.mode,
				action.owner === undefined ? null : [action.owner.uid, action.owner.gid],
				action.asFolderOwner ?? false,
				action.validateWith ?? [],
			];
		case 'remove':
			return [...base, fileOf(action), action.withoutBackup ?? false];
		case 'restore':
		case 'remove-folder':
			return [...base, action.path];
		case 'make-folder':
			return [...base, action.path, action.mode, action.asFolderOwner ?? false];
		case 'download':
			return [...base, action.url, action.to, action.sha256 ?? null];
		case 'copy':
			return [...base, action.from, action.to, action.sha256];
		case 'load-image':
			return [...base, action.archive, action.image];
		case 'manual':
			return [...base, action.text];
		default:
			return action satisfies never;
	}
}

function undone(undo: Undo): unknown {
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
