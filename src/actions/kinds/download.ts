import { redact } from '../../text/redact.ts';
import { shellLine } from '../../text/shell-line.ts';
import type { ActionKind } from '../kind.ts';

/** Fetches a file, and uses it only with the digest that the plan named. */
export const download: ActionKind<'download'> = {
	does: ({ to, url, sha256 }) =>
		redact(`${shellLine(['curl', '-fLo', to, url])}${sha256 === undefined ? '' : `   # sha256 ${sha256}`}`),
	undo: ({ to }) => `remove ${to}`,
	essence: ({ url, to, sha256 }) => [url, to, sha256 ?? null],
	prepare: ({ to, sha256 }) => ({
		kind: 'prepared',
		undo: { kind: 'file', path: to, before: null, after: sha256 ?? null },
	}),
	async perform({ url, to, maxBytes, sha256 }, { host, signal, progress }) {
		const onProgress = (done: number, total: number | undefined): void => progress(done, total, 'bytes');
		const result = await host.download(url, to, { maxBytes, timeoutMs: 15 * 60_000, signal, onProgress });
		if (signal.aborted) return { kind: 'interrupted' };
		if (result.kind === 'failed')
			return {
				kind: 'failed',
				said: result.message,
				why: unreachable(result.message)
					? 'this host does not reach that one: no way to the internet, no name service, or a proxy that was not named (HTTPS_PROXY)'
					: undefined,
				next: ['fetch the file elsewhere and pass it with --deb FILE'],
			};
		if (sha256 === undefined || sha256 === result.sha256)
			return { kind: 'done', evidence: `sha256 ${result.sha256}, ${result.size} bytes` };
		await host.removeFile(to, { expect: { kind: 'sha256', sha256: result.sha256 } });
		return {
			kind: 'failed',
			said: `the file from ${url} has sha256 ${result.sha256}, not ${sha256}; it was removed and not used`,
			why: 'it was damaged on the way, or it is not the file that was looked at when the table was made',
			next: ['try again, or fetch it elsewhere and pass it with --deb FILE'],
		};
	},
	now: ({ to }) => `nothing was put at ${to}`,
};

/** What Node says when nothing answers at all; the rest is told by the server itself. */
const unreachable = (message: string): boolean =>
	/\b(EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|ETIMEDOUT)\b/.test(message);
