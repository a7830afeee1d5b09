import type { UndoRecord } from '../../model/undo.ts';
import type { Expected } from '../../port/host.ts';
import { sha256 } from '../../text/sha256.ts';
import { sayWrite } from '../file-change.ts';
import { type ActionKind, type ActionOf, type ApplyDeps, maxBackupBytes } from '../kind.ts';

/** Puts back what this run replaced in a file; for rollbacks. */
export const restore: ActionKind<'restore'> = {
	does: ({ path }) => `put ${path} back`,
	undo: () => 'none: this is itself a step back',
	essence: ({ path }) => [path],
	async prepare(action, deps) {
		const { path } = action;
		const last = replaced(action, deps);
		if (last === undefined) return { kind: 'failed', said: `this run has not changed ${path}`, next: [] };
		const { before } = last;
		const bytes = before === null ? undefined : await deps.kept(before.sha256);
		if (before !== null && bytes === undefined)
			return { kind: 'failed', said: `the backup of ${path} is gone`, next: [] };
		const current = await deps.host.readFile(path, { maxBytes: maxBackupBytes });
		if (current.kind !== 'bytes' && current.kind !== 'missing')
			return { kind: 'failed', said: `${path} cannot be read (${current.kind})`, next: [] };
		const now = current.kind === 'bytes' ? await asKept(current, deps) : null;
		return {
			kind: 'prepared',
			undo: { kind: 'file', path, before: now, after: before?.sha256 ?? null },
			bytes,
		};
	},
	async perform(action, { bytes, host, ...deps }) {
		const { path } = action;
		const current = await host.readFile(path, { maxBytes: maxBackupBytes });
		const expect: Expected =
			current.kind === 'bytes' ? { kind: 'sha256', sha256: sha256(current.bytes) } : { kind: 'missing' };
		if (bytes !== undefined)
			return sayWrite(path, await host.replaceFile(path, bytes, { expect, ...ownedBefore(action, deps) }));
		return expect.kind === 'missing' ? { kind: 'done' } : sayWrite(path, await host.removeFile(path, { expect }));
	},
	now: ({ path }) => `${path} is as it was before this action`,
};

type Restore = ActionOf<'restore'>;

async function asKept(
	{ bytes, meta }: { readonly bytes: Uint8Array; readonly meta: { mode: number; uid: number; gid: number } },
	deps: ApplyDeps,
) {
	return { sha256: await deps.keep(bytes), mode: meta.mode, uid: meta.uid, gid: meta.gid };
}

/** What this run replaced at the path, as its undo describes it: the last of it, or the first. */
function replaced({ path, first }: Restore, deps: Pick<ApplyDeps, 'state'>) {
	const undos = deps
		.state()
		.actions.filter(done => done.kind !== 'restore' && done.outcome !== 'refused')
		.map(done => done.undo)
		.filter((undo): undo is Extract<UndoRecord, { kind: 'file' }> => undo.kind === 'file' && undo.path === path);
	return first === true ? undos[0] : undos.at(-1);
}

function ownedBefore(action: Restore, deps: Pick<ApplyDeps, 'state'>) {
	const before = replaced(action, deps)?.before;
	return before == null ? { mode: 0o644 } : { mode: before.mode, owner: { uid: before.uid, gid: before.gid } };
}
