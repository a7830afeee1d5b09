import { dirname } from 'node:path';
import type { ExecResult, OutputLine, WriteHost } from '../../port/host.ts';
import { aptTrouble, curlMeter, curlTrouble, type FetchTrouble, fetchCommand } from '../../system/fetch.ts';
import { redact } from '../../text/redact.ts';
import { shellLine } from '../../text/shell-line.ts';
import { sayExec } from '../command-result.ts';
import type { ActionKind, ActionOf, Performed, Performing, Wrong } from '../kind.ts';

type Download = ActionOf<'download'>;

const timeoutMs = 15 * 60_000;

/** Fetches a file into a directory of root, and leaves it there only with the digest that the plan named. */
export const download: ActionKind<'download'> = {
	does: action =>
		redact(`${shellLine(fetchCommand(action))}${action.with === 'curl' ? `   # sha256 ${action.sha256}` : ''}`),
	undo: ({ to }) => `remove ${to}`,
	essence: ({ url, to, sha256 }) => [url, to, sha256],
	prepare: ({ to, sha256 }) => ({ kind: 'prepared', undo: { kind: 'file', path: to, before: null, after: sha256 } }),
	async perform(action, performing) {
		const { host } = performing;
		const directory = dirname(action.to);
		if (!(await isPrivate(host, directory)))
			return {
				kind: 'failed',
				said: `others can change what lies in ${directory}, so nothing is fetched into it`,
				next: [`see whose it is (${shellLine(['ls', '-ld', directory])}), and make it root's alone`],
			};
		// What an earlier try left may be no beginning of the file, or the server cannot go on in the middle of one.
		for (let there = (await digestOf(host, action.to))?.size ?? 0; ; there = 0) {
			const ended = await fetchOnce(action, performing, there);
			if (ended !== 'afresh') return ended;
		}
	},
	now: ({ to }) => `nothing was put at ${to}`,
};

/** Whoever could write there could exchange the file between its digest and its use. */
async function isPrivate(host: WriteHost, directory: string): Promise<boolean> {
	const found = await host.stat(directory);
	if (found.kind !== 'found' || found.type !== 'directory' || found.link) return false;
	return found.meta.uid === host.identity.uid && (found.meta.mode & 0o022) === 0;
}

async function digestOf(host: WriteHost, path: string) {
	const found = await host.digest(path);
	return found.kind === 'digest' ? found : undefined;
}

/** `there`: the bytes of an earlier try. `afresh`: they were of no use and are gone. */
async function fetchOnce(action: Download, performing: Performing, there: number): Promise<Performed | 'afresh'> {
	const { host, signal, report, progress } = performing;
	const onLine = (line: OutputLine): void => {
		const at = curlMeter(line.text);
		if (at) progress(there + at.received, there + at.total, 'bytes');
		else if (at === undefined && line.text.trim() !== '') report(line);
	};
	const result = await host.run(fetchCommand(action), { timeoutMs, signal, redraws: true, onLine });
	if (result.problem === 'cancelled') return { kind: 'interrupted' };
	const arrived = await digestOf(host, action.to);
	if (result.code === 0 && arrived?.sha256 === action.sha256) {
		progress(arrived.size, arrived.size, 'bytes');
		return { kind: 'done', evidence: `sha256 ${arrived.sha256}, ${arrived.size} bytes` };
	}
	const trouble = result.code === 0 ? 'unfit' : action.with === 'curl' ? curlTrouble(result) : aptTrouble(result);
	if (trouble === 'unfit') {
		// apt gives a file with another digest this name.
		const other = (await discard(host, action.to)) ?? (await discard(host, `${action.to}.FAILED`));
		if (there > 0 && other?.removed === true) return 'afresh';
		if (other !== undefined) return anotherFile(action, other);
	}
	return {
		kind: 'failed',
		said: lastWords(action, result),
		...advice(trouble, action),
		now:
			arrived === undefined
				? undefined
				: `${arrived.size} bytes of it are at ${action.to}, and the next try goes on from there`,
	};
}

async function discard(host: WriteHost, path: string) {
	const found = await digestOf(host, path);
	if (found === undefined) return undefined;
	const { kind } = await host.removeFile(path, { expect: { kind: 'sha256', sha256: found.sha256 } });
	return { path, sha256: found.sha256, removed: kind === 'written' };
}

const elsewhere = 'fetch the file elsewhere and pass it with --deb FILE';

const anotherFile = (
	{ url, sha256 }: Download,
	other: { readonly path: string; readonly sha256: string; readonly removed: boolean },
): Wrong => ({
	kind: 'failed',
	said: `the file from ${url} has sha256 ${other.sha256}, not ${sha256}; it was ${other.removed ? 'removed and not used' : 'not used'}`,
	why: 'it was damaged on the way, or it is not the file that was looked at when the table was made',
	now: other.removed ? undefined : `it is at ${other.path}, and could not be removed`,
	next: [`try again, or ${elsewhere}`],
});

/** What curl or apt said about the failure, without curl's meter and its pages of advice. */
function lastWords(action: Download, result: ExecResult): string {
	const lines = result.stderr.split(/[\r\n]+/).filter(line => curlMeter(line) === undefined);
	const error = lines.findLast(line => /^curl: \(\d+\)/.test(line));
	return sayExec(action.with, { ...result, stderr: error ?? lines.join('\n') });
}

function advice(trouble: FetchTrouble, { to, maxBytes }: Download): Pick<Wrong, 'why' | 'next'> {
	switch (trouble) {
		case 'unreached':
			return {
				why: 'this host gets no answer: no way to the internet, no name service, or a proxy that was not named',
				next: [`name the proxy (HTTPS_PROXY=…) and start again, or ${elsewhere}`],
			};
		case 'untrusted':
			return {
				why: "this host does not trust the server's certificate: a proxy that inspects TLS, a wrong clock, or no ca-certificates",
				next: [
					'put the certificate of the proxy into /usr/local/share/ca-certificates, run update-ca-certificates and start again',
					elsewhere,
				],
			};
		case 'cut':
			return { why: 'the connection ended before the whole file was here', next: [`start again, or ${elsewhere}`] };
		case 'answer':
			return { why: 'the server has no such file, or does not give it out', next: [elsewhere] };
		case 'too-large':
			return { why: `it is larger than ${maxBytes} bytes, which no package is`, next: [elsewhere] };
		case 'disk':
			return {
				why: `${to} could not be written`,
				next: [`make room (${shellLine(['df', '-h', dirname(to)])}), then start again`],
			};
		case 'unfit':
		case 'other':
			return { next: [elsewhere] };
		default:
			return trouble satisfies never;
	}
}
