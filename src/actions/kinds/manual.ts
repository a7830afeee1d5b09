import { delegatedKey } from '../../model/managed-files.ts';
import { type ActionKind, maxBackupBytes, noUndo, type Performing } from '../kind.ts';

/** Something that a person, or what manages a file, does: this tool waits for it and proves it. */
export const manual: ActionKind<'manual'> = {
	does: ({ text }) => text,
	sides: ({ file }) => (file === undefined ? undefined : { before: file.before, after: file.bytes }),
	undo: () => 'yours: this tool changes nothing here',
	essence: ({ text }) => [text],
	preview: ({ file }, overlay) => {
		if (file !== undefined) overlay.write(file.path, file.bytes, 0o644);
	},
	prepare: () => noUndo('done by hand'),
	async perform({ file }, performing) {
		if (file === undefined) return { kind: 'manual' };
		await noteDelegated(file.path, performing);
		// What is shown is redacted, and a terminal does not give back line ends: the bytes themselves lie in a file.
		const kept = performing.keptAt(await performing.keep(file.bytes));
		return { kind: 'manual', evidence: `the exact content is in ${kept}` };
	},
	now: () => 'this tool has changed nothing here',
};

/** Keeps a file as it is before others write it: Docker may not come up with what they write. */
async function noteDelegated(path: string, { host, keep, emit, step }: Performing): Promise<void> {
	const now = await host.readFile(path, { maxBytes: maxBackupBytes });
	if (now.kind !== 'bytes' && now.kind !== 'missing') return;
	const value = { path, sha256: now.kind === 'bytes' ? await keep(now.bytes) : null };
	await emit({ type: 'observed', step, key: delegatedKey(path), value });
}
