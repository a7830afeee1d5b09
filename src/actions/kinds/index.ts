import type { Action } from '../../model/action.ts';
import type { ActionKind } from '../kind.ts';
import { copy } from './copy.ts';
import { download } from './download.ts';
import { exec } from './exec.ts';
import { loadImage } from './load-image.ts';
import { makeDirectory } from './make-directory.ts';
import { manual } from './manual.ts';
import { remove } from './remove.ts';
import { removeDirectory } from './remove-directory.ts';
import { restore } from './restore.ts';
import { signal } from './signal.ts';
import { write } from './write.ts';

const kinds: { readonly [K in Action['kind']]: ActionKind<K> } = {
	copy,
	download,
	exec,
	'load-image': loadImage,
	'make-folder': makeDirectory,
	manual,
	remove,
	'remove-folder': removeDirectory,
	restore,
	signal,
	write,
};

/** What is known of an action by its kind. */
export function kindOf<K extends Action['kind']>(action: Extract<Action, { kind: K }>): ActionKind<K> {
	return kinds[action.kind as K] as ActionKind<K>;
}
