import { dirname } from 'node:path';
import { type Expected, largestOwnFile, type WriteHost, type WriteResult } from '../port/host.ts';
import { sha256 } from '../text/sha256.ts';
import { shellLine } from '../text/shell-line.ts';
import { type ApplyDeps, maxBackupBytes, noUndo, type Performed, type Prepared, type Wrong } from './kind.ts';

/** Keeps the bytes that a file has before it is changed, if they are those of the plan. `after`: their digest afterwards. */
export async function keepFile(
	path: string,
	expect: Expected,
	after: string | null,
	deps: ApplyDeps,
): Promise<Prepared> {
	const current = await deps.host.readFile(path, { maxBytes: maxBackupBytes });
	const failed = (said: string, next: readonly string[] = []): Wrong => ({ kind: 'failed', said, next });
	switch (current.kind) {
		case 'missing':
			if (expect.kind !== 'missing')
				return { kind: 'stale', said: `${path} is gone since the plan was shown`, next: [] };
			return { kind: 'prepared', undo: { kind: 'file', path, before: null, after } };
		case 'bytes': {
			const found = sha256(current.bytes);
			if (expect.kind === 'missing' || expect.sha256 !== found) return changedSince(path);
			await deps.keep(current.bytes);
			const { mode, uid, gid } = current.meta;
			return { kind: 'prepared', undo: { kind: 'file', path, before: { sha256: found, mode, uid, gid }, after } };
		}
		case 'denied':
			return failed(`${path}: permission denied`, ['start again as root']);
		case 'too-large':
			return failed(`${path} is ${current.size} bytes; nothing over ${current.limit} is changed`);
		case 'not-a-file':
			return failed(`${path} is a ${current.what}, not a file`);
		case 'failed':
			return failed(`${path} could not be read (${current.errno})`);
		default:
			return current satisfies never;
	}
}

const changedSince = (path: string): Wrong => ({
	kind: 'stale',
	said: `${path} changed since the plan was shown`,
	next: [],
});

/** Compares by digest, as a stream: what is removed without a backup can be a package or an archive of images. */
export async function noteRemoval(
	path: string,
	expect: Expected,
	{ host }: Pick<ApplyDeps, 'host'>,
): Promise<Prepared> {
	const found = await host.digest(path, { maxBytes: largestOwnFile });
	const same = found.kind === 'digest' && expect.kind === 'sha256' && found.sha256 === expect.sha256;
	return same ? noUndo('the run that is taken back had made it') : changedSince(path);
}

/** Whom a directory belongs to; `unknown` where it cannot be looked at. */
export async function directoryOwner(host: WriteHost, path: string): Promise<{ uid: number; gid: number } | 'unknown'> {
	const found = await host.stat(path);
	return found.kind === 'found' && found.type === 'directory'
		? { uid: found.meta.uid, gid: found.meta.gid }
		: 'unknown';
}

export const cannotLook = (path: string): Wrong => ({
	kind: 'failed',
	said: `the folder of ${path} cannot be looked at`,
	next: [],
});

/** What the host said to a write, as the result of an action. */
export function sayWrite(path: string, result: WriteResult): Performed {
	switch (result.kind) {
		case 'written':
			// A directory, or a file that is gone, has no digest to tell.
			if (result.sha256 === '') return { kind: 'done' };
			if (result.atomic) return { kind: 'done', evidence: `sha256 ${result.sha256}` };
			return {
				kind: 'done',
				inPlace: true,
				evidence: `sha256 ${result.sha256}; written in place and not in one moment, as the file is a mount of its own: a power cut meanwhile could have left half of it`,
			};
		case 'changed':
			return { kind: 'stale', said: `${path} changed since the plan was shown; it was left as it is`, next: [] };
		case 'rejected':
			return {
				kind: 'failed',
				said: result.said,
				why: `${path} was not touched: the new bytes were checked first`,
				next: [],
			};
		case 'failed': {
			const { errno, message, touched } = result;
			const known = errors[errno];
			return {
				kind: 'failed',
				said: message,
				why: known === undefined ? undefined : touched === true ? known.why : `${known.why}; nothing was changed`,
				now: touched === true ? `${path} is not as it was; its bytes from before are in the backup` : undefined,
				next: known === undefined ? [] : [known.next(path)],
			};
		}
		default:
			return result satisfies never;
	}
}

const errors: Readonly<Record<string, { readonly why: string; readonly next: (path: string) => string }>> = {
	ENOSPC: {
		why: 'the file system is full',
		next: path => `make room there (${shellLine(['df', '-h', dirname(path)])}), then start again`,
	},
	EROFS: {
		why: 'the file system is mounted read-only',
		next: path => `see how it is mounted (${shellLine(['findmnt', '-T', path])}), then start again`,
	},
	EACCES: { why: 'this process may not write there', next: () => 'start again as root' },
	EIO: {
		why: 'the disk reported an error',
		next: () => 'see what the disk says (dmesg | tail), then start again',
	},
	EBUSY: {
		why: 'something holds it: a mount, or another program',
		next: path =>
			`see what it is (${shellLine(['findmnt', '-T', path])}; ${shellLine(['fuser', '-v', path])}), then start again`,
	},
};
