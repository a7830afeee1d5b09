import { dirname } from 'node:path';
import { sha256 } from '../../text/sha256.ts';
import { cannotLook, directoryOwner, keepFile, sayWrite } from '../file-change.ts';
import type { ActionKind } from '../kind.ts';

/** Puts whole bytes into a file, or makes it. */
export const write: ActionKind<'write'> = {
	does: ({ path, shownAs }) => `write ${path}${shownAs === undefined ? '' : `   # ${shownAs}`}`,
	sides: ({ shownAs, before, bytes }) => (shownAs === undefined ? { before, after: bytes } : undefined),
	undo: ({ path, expect }) =>
		expect.kind === 'missing' ? `remove ${path}` : `put the bytes from before back into ${path}`,
	essence: action => [
		write.file?.(action),
		action.mode,
		action.owner === undefined ? null : [action.owner.uid, action.owner.gid],
		action.asDirectoryOwner ?? false,
		action.validateWith ?? [],
	],
	file: ({ path, expect, bytes }) => ({
		path,
		before: expect.kind === 'sha256' ? expect.sha256 : null,
		after: sha256(bytes),
	}),
	preview: ({ path, bytes, mode }, overlay) => overlay.write(path, bytes, mode),
	delegate: ({ path, bytes, before }, by) => ({
		title: `Have ${path} written by ${by}`,
		text: `Put this content of ${path} where ${by} takes it from, and let it be written here; this run does not write it`,
		file: { path, bytes, before },
	}),
	async prepare({ path, expect, bytes }, deps) {
		const prepared = await keepFile(path, expect, sha256(bytes), deps);
		// So that revert can show what somebody has made of them since.
		if (prepared.kind === 'prepared') await deps.keep(bytes);
		return prepared;
	},
	async perform({ path, bytes, expect, mode, validateWith, ...action }, { host }) {
		const owner = action.asDirectoryOwner === true ? await directoryOwner(host, dirname(path)) : action.owner;
		if (owner === 'unknown') return cannotLook(path);
		const how = { expect, mode, owner, validateWith: validateWith || undefined };
		return sayWrite(path, await host.replaceFile(path, bytes, how));
	},
	now: ({ path }) => `${path} is as it was before this action`,
};
