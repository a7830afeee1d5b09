import type { Argv, ExecResult } from '../port/host.ts';

/** What fetches a file: curl, and where the host has none, the helper that every apt brings. */
export type Fetcher = 'curl' | 'apt-helper';

/**
 * The question whether an address can be fetched, and the fetch itself, begin alike, so that they agree: proxies from the
 * environment, certificates from the host's own store. `-q`: a .curlrc may name another proxy, or say insecure.
 */
const overTls = ['curl', '-q', '--proto', '=https', '--proto-redir', '=https', '--tlsv1.2'] as const;

/** Asks for the head of an address, within 8 s. */
export const headCommand = (url: string): Argv => [
	...overTls,
	'-fsSIL',
	...['--connect-timeout', '5', '--max-time', '8', '-o', '/dev/null', url],
];

/** Fetches a file to `to`, and goes on with what is there of it. */
export function fetchCommand(file: {
	readonly with: Fetcher;
	readonly url: string;
	readonly to: string;
	readonly sha256: string;
	readonly maxBytes: number;
}): Argv {
	if (file.with === 'apt-helper')
		return ['/usr/lib/apt/apt-helper', 'download-file', file.url, file.to, `SHA256:${file.sha256}`];
	// A server that sends nothing for a minute is given up (--speed-time).
	const patience = ['--connect-timeout', '10', '--speed-time', '60', '--retry', '2'];
	return [...overTls, '-fL', ...patience, '-C', '-', '--max-filesize', `${file.maxBytes}`, '-o', file.to, file.url];
}

/** What kept a file from being fetched. `unfit`: what lies there of it is no beginning of the file. */
export type FetchTrouble = 'unreached' | 'untrusted' | 'answer' | 'cut' | 'unfit' | 'too-large' | 'disk' | 'other';

/**
 * By the exit codes of curl(1). 416 is what a server answers that has nothing behind the bytes that are there; 77 is a
 * host without a store of certificates.
 */
export function curlTrouble({ code, problem, stderr }: ExecResult): FetchTrouble {
	if (problem === 'timeout') return 'unreached';
	switch (code) {
		case 5:
		case 6:
		case 7:
		case 28:
		case 35:
		case 52:
		case 56:
		case 97:
			return 'unreached';
		case 51:
		case 60:
		case 77:
			return 'untrusted';
		case 22:
			return stderr.includes('error: 416') ? 'unfit' : 'answer';
		case 33:
		case 36:
			return 'unfit';
		case 18:
			return 'cut';
		case 23:
			return 'disk';
		case 63:
			return 'too-large';
		default:
			return 'other';
	}
}

/** By the words of apt 2.6, which ends with 100 whatever it was. */
export function aptTrouble({ stderr }: ExecResult): FetchTrouble {
	if (/Hash Sum mismatch/.test(stderr)) return 'unfit';
	if (/certificate/i.test(stderr)) return 'untrusted';
	if (/No space left|Read-only file system/.test(stderr)) return 'disk';
	if (/Error reading from server/.test(stderr)) return 'cut';
	if (/resolv|connect|timed out|unreachable/i.test(stderr)) return 'unreached';
	return /^E: Failed to fetch \S+ +\d{3} /m.test(stderr) ? 'answer' : 'other';
}

/** How far curl is, in bytes, by one drawing of its meter. It rounds: `2929k`, `11.2M`. Null: the head of the meter. */
export function curlMeter(line: string): { readonly received: number; readonly total: number } | null | undefined {
	const [, total, received] = /^\s*\d+\s+([\d.]+[kMG]?)\s+\d+\s+([\d.]+[kMG]?)\s/.exec(line) ?? [];
	if (total !== undefined && received !== undefined) return { total: bytesOf(total), received: bytesOf(received) };
	return /^\s*% +Total|^\s*Dload\b/.test(line) ? null : undefined;
}

const units: Readonly<Record<string, number>> = { k: 1024, M: 1024 ** 2, G: 1024 ** 3 };

const bytesOf = (text: string): number => Math.round(Number.parseFloat(text) * (units[text.at(-1) ?? ''] ?? 1));
