import { dirname } from 'node:path';
import { shellLine } from '../../text/shell-line.ts';
import type { ActionKind } from '../kind.ts';

/** Copies a file of the operator to where nobody else can exchange it. */
export const copy: ActionKind<'copy'> = {
	does: ({ from, to, sha256 }) => `${shellLine(['cp', from, to])}   # sha256 ${sha256}`,
	undo: ({ to }) => `remove ${to}`,
	essence: ({ from, to, sha256 }) => [from, to, sha256],
	prepare: ({ to, sha256 }) => ({ kind: 'prepared', undo: { kind: 'file', path: to, before: null, after: sha256 } }),
	async perform({ from, to, maxBytes, sha256 }, { host, signal, progress }) {
		const onProgress = (done: number, total: number | undefined): void => progress(done, total, 'bytes');
		const result = await host.copyFile(from, to, { maxBytes, signal, onProgress });
		if (signal.aborted) return { kind: 'interrupted' };
		if (result.kind === 'failed') {
			const look = `${shellLine(['ls', '-l', from])}; ${shellLine(['df', '-h', dirname(to)])}`;
			return {
				kind: 'failed',
				said: result.message,
				next: [`see that the file is there, and room for a copy (${look}), then start again`],
			};
		}
		if (sha256 === result.sha256) return { kind: 'done', evidence: `sha256 ${result.sha256}, ${result.size} bytes` };
		await host.removeFile(to, { expect: { kind: 'sha256', sha256: result.sha256 } });
		return {
			kind: 'failed',
			said: `${from} has sha256 ${result.sha256} now, and had ${sha256} when it was looked at; the copy was removed and not used`,
			why: 'somebody exchanged the file meanwhile',
			next: [`find out who writes ${from}, then start again: the file is looked at anew first`],
		};
	},
	now: ({ to }) => `nothing was put at ${to}`,
};
