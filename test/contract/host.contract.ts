import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Argv, Expected, OutputLine, WriteHost } from '../../src/port/host.ts';

/** A host to try, and how to put things on it from outside. All paths are the host's own. */
export interface ContractHost {
	readonly host: WriteHost;
	/** An empty directory of the host's user that the suite may fill. */
	readonly root: string;
	put(
		path: string,
		content: string,
		mode?: number,
		owner?: { readonly uid: number; readonly gid: number },
	): Promise<void>;
	link(path: string, target: string): Promise<void>;
	directory(path: string, mode?: number): Promise<void>;
	readonly commands: {
		/** Prints `first` and `second` on stdout, each with a line end, and ends with 0. */
		readonly printsTwoLines: Argv;
		/** Ends with 3 and prints `no` and a line end on stderr. */
		readonly exits3: Argv;
		/** Prints nothing and does not end by itself. */
		readonly hangs: Argv;
		/** Prints its stdin. */
		readonly echoesStdin: Argv;
	};
	/** Paths of special files, where the host has them. */
	readonly specials?: { readonly fifo?: string; readonly socket?: string; readonly device?: string };
	/** A path that this host may not read. */
	readonly denied?: string;
	cleanup(): Promise<void>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const holding = (text: string): Expected => ({ kind: 'sha256', sha256: sha256(text) });
const nothing: Expected = { kind: 'missing' };

/** What every host has to do alike, so that what is proved on a simulated one holds on a real one. */
export function describeHostContract(name: string, makeHost: () => Promise<ContractHost>): void {
	describe(`${name} keeps the contract of a host`, () => {
		let at: ContractHost;
		let host: WriteHost;
		const path = (rest: string): string => `${at.root}/${rest}`;
		const read = async (file: string): Promise<string | undefined> => {
			const found = await host.readFile(file);
			return found.kind === 'bytes' ? textOf(found.bytes) : undefined;
		};

		beforeEach(async () => {
			at = await makeHost();
			host = at.host;
		});
		afterEach(() => at.cleanup());

		describe('reading a file', () => {
			it('gives its bytes, and says whose it is', async () => {
				await at.put(path('a'), 'content\n', 0o640);
				const found = await host.readFile(path('a'));
				expect(found).toMatchObject({ kind: 'bytes', meta: { mode: 0o640, size: 8, realPath: path('a') } });
				expect(found.kind === 'bytes' && textOf(found.bytes)).toBe('content\n');
			});

			it('says when it last changed', async () => {
				await at.put(path('a'), 'x');
				const changedAt = async () => {
					const found = await host.stat(path('a'));
					return found.kind === 'found' ? found.meta.changedAtMs : undefined;
				};
				const before = await changedAt();
				expect(before).toBeTypeOf('number');
				await host.replaceFile(path('a'), bytesOf('y'), { expect: holding('x'), mode: 0o644 });
				expect(await changedAt()).toBeGreaterThanOrEqual(before ?? Number.NaN);
			});

			it('follows a link and tells where it led', async () => {
				await at.put(path('a'), 'x');
				await at.link(path('b'), path('a'));
				expect(await host.readFile(path('b'))).toMatchObject({ kind: 'bytes', meta: { realPath: path('a') } });
			});

			it('tells a file that is not there', async () => {
				expect(await host.readFile(path('a'))).toEqual({ kind: 'missing' });
				expect(await host.readFile(path('no/folder/a'))).toEqual({ kind: 'missing' });
			});

			it('tells where a link without a target points', async () => {
				await at.link(path('a'), path('gone'));
				expect(await host.readFile(path('a'))).toEqual({ kind: 'missing', danglingTo: path('gone') });
			});

			it('tells a folder', async () => {
				expect(await host.readFile(at.root)).toEqual({ kind: 'not-a-file', what: 'directory' });
			});

			it('tells a circle of links', async () => {
				await at.link(path('a'), path('b'));
				await at.link(path('b'), path('a'));
				expect(await host.readFile(path('a'))).toEqual({ kind: 'not-a-file', what: 'link-loop' });
			});

			it('tells what is larger than it was asked to read', async () => {
				await at.put(path('a'), 'x'.repeat(101));
				expect(await host.readFile(path('a'), { maxBytes: 100 })).toEqual({ kind: 'too-large', size: 101, limit: 100 });
				expect(await host.readFile(path('a'), { maxBytes: 101 })).toMatchObject({ kind: 'bytes' });
			});

			it('reads no more than 1 MiB unless asked', async () => {
				await at.put(path('a'), 'x'.repeat(1024 * 1024 + 1));
				expect(await host.readFile(path('a'))).toEqual({
					kind: 'too-large',
					size: 1024 * 1024 + 1,
					limit: 1024 * 1024,
				});
			});

			it('tells FIFOs, sockets and devices, and never waits for them', async () => {
				const { fifo, socket, device } = at.specials ?? {};
				if (fifo !== undefined) expect(await host.readFile(fifo)).toEqual({ kind: 'not-a-file', what: 'fifo' });
				if (socket !== undefined) expect(await host.readFile(socket)).toEqual({ kind: 'not-a-file', what: 'socket' });
				if (device !== undefined) expect(await host.readFile(device)).toEqual({ kind: 'not-a-file', what: 'device' });
			});

			it('tells a file that it may not read from one that is not there', async () => {
				if (at.denied === undefined) return;
				expect(await host.readFile(at.denied)).toEqual({ kind: 'denied' });
				expect(await host.digest(at.denied)).toEqual({ kind: 'denied' });
			});
		});

		describe('looking at paths', () => {
			it('tells files, folders and links', async () => {
				await at.put(path('a'), 'four', 0o600);
				await at.link(path('b'), path('a'));
				expect(await host.stat(path('a'))).toMatchObject({
					kind: 'found',
					type: 'file',
					link: false,
					meta: { mode: 0o600, size: 4 },
				});
				expect(await host.stat(path('b'))).toMatchObject({
					kind: 'found',
					type: 'file',
					link: true,
					meta: { realPath: path('a') },
				});
				expect(await host.stat(at.root)).toMatchObject({ kind: 'found', type: 'directory', link: false });
				expect(await host.stat(path('c'))).toEqual({ kind: 'missing' });
			});

			it('tells where a link without a target points', async () => {
				await at.link(path('a'), path('gone'));
				expect(await host.stat(path('a'))).toEqual({ kind: 'missing', danglingTo: path('gone') });
			});

			it('lists names in order', async () => {
				await at.put(path('b'), '');
				await at.put(path('a'), '');
				await at.directory(path('c'));
				expect(await host.list(at.root)).toEqual({ kind: 'names', names: ['a', 'b', 'c'] });
			});

			it('tells what cannot be listed', async () => {
				await at.put(path('a'), '');
				expect(await host.list(path('a'))).toEqual({ kind: 'not-a-folder' });
				expect(await host.list(path('b'))).toEqual({ kind: 'missing' });
			});

			it('gives the digest of a file', async () => {
				await at.put(path('a'), 'abc');
				expect(await host.digest(path('a'))).toEqual({ kind: 'digest', sha256: sha256('abc'), size: 3 });
				expect(await host.digest(path('b'))).toEqual({ kind: 'missing' });
				expect(await host.digest(at.root)).toEqual({ kind: 'not-a-file', what: 'directory' });
			});

			it('gives the room on a file system', async () => {
				const room = await host.space(at.root);
				expect(room.kind === 'space' && room.freeBytes > 0 && room.totalBytes >= room.freeBytes).toBe(true);
				expect(await host.space(path('no/folder'))).toEqual({ kind: 'missing' });
			});
		});

		describe('replacing a file', () => {
			it('makes a new one with the mode that was asked for', async () => {
				const done = await host.replaceFile(path('a'), bytesOf('new'), { expect: nothing, mode: 0o640 });
				expect(done).toEqual({ kind: 'written', sha256: sha256('new'), atomic: true });
				expect(await host.readFile(path('a'))).toMatchObject({ kind: 'bytes', meta: { mode: 0o640 } });
				expect(await read(path('a'))).toBe('new');
			});

			it('keeps mode and owner of the old one', async () => {
				const owner = host.identity.uid === 0 ? { uid: 12, gid: 34 } : undefined;
				await at.put(path('a'), 'old', 0o600, owner);
				await host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644 });
				expect(await read(path('a'))).toBe('new');
				expect(await host.stat(path('a'))).toMatchObject({ meta: { mode: 0o600, ...owner } });
			});

			it('writes empty files, and over them', async () => {
				await host.replaceFile(path('a'), bytesOf(''), { expect: nothing, mode: 0o644 });
				expect(await read(path('a'))).toBe('');
				await host.replaceFile(path('a'), bytesOf('x'), { expect: holding(''), mode: 0o644 });
				expect(await read(path('a'))).toBe('x');
			});

			it('follows a link and keeps it', async () => {
				await at.put(path('real'), 'old');
				await at.link(path('a'), path('real'));
				expect(
					await host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644 }),
				).toMatchObject({ kind: 'written' });
				expect(await host.stat(path('a'))).toMatchObject({ link: true, meta: { realPath: path('real') } });
				expect(await read(path('real'))).toBe('new');
			});

			it('makes the target of a link that points to nothing', async () => {
				await at.link(path('a'), path('real'));
				expect(await host.replaceFile(path('a'), bytesOf('new'), { expect: nothing, mode: 0o644 })).toMatchObject({
					kind: 'written',
				});
				expect(await host.stat(path('a'))).toMatchObject({ link: true });
				expect(await read(path('real'))).toBe('new');
			});

			it('refuses a file that is not what the plan was made from', async () => {
				await at.put(path('a'), 'theirs');
				expect(await host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644 })).toEqual({
					kind: 'changed',
					found: holding('theirs'),
				});
				expect(await host.replaceFile(path('a'), bytesOf('new'), { expect: nothing, mode: 0o644 })).toEqual({
					kind: 'changed',
					found: holding('theirs'),
				});
				expect(await read(path('a'))).toBe('theirs');
			});

			it('refuses when the file is gone', async () => {
				expect(await host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644 })).toEqual({
					kind: 'changed',
					found: nothing,
				});
				expect(await host.stat(path('a'))).toEqual({ kind: 'missing' });
			});

			it('says why it failed', async () => {
				await at.directory(path('folder'));
				await at.put(path('file'), '');
				const write = (to: string) => host.replaceFile(path(to), bytesOf('x'), { expect: nothing, mode: 0o644 });
				expect(await write('no/a')).toMatchObject({ kind: 'failed', errno: 'ENOENT' });
				expect(await write('file/a')).toMatchObject({ kind: 'failed', errno: 'ENOTDIR' });
				expect(await write('folder')).toMatchObject({ kind: 'failed', errno: 'EISDIR' });
			});

			it('leaves nothing else in the folder', async () => {
				await at.put(path('a'), 'old');
				await host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644 });
				await host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644 });
				await host.replaceFile(path('b'), bytesOf('new'), { expect: nothing, mode: 0o644 });
				expect(await host.list(at.root)).toEqual({ kind: 'names', names: ['a', 'b'] });
			});

			it('asks a program first when told to', async () => {
				await at.put(path('a'), 'old');
				const write = (validateWith: Argv) =>
					host.replaceFile(path('a'), bytesOf('new'), { expect: holding('old'), mode: 0o644, validateWith });
				expect(await write(at.commands.exits3)).toEqual({ kind: 'rejected', said: 'no' });
				expect(await write(['surely-no-such-program', '{}'])).toMatchObject({ kind: 'rejected' });
				expect(await read(path('a'))).toBe('old');
				expect(await write(at.commands.printsTwoLines)).toMatchObject({ kind: 'written' });
				expect(await read(path('a'))).toBe('new');
				expect(await host.list(at.root)).toEqual({ kind: 'names', names: ['a'] });
			});
		});

		describe('removing a file', () => {
			it('removes what the plan was made from', async () => {
				await at.put(path('a'), 'old');
				expect(await host.removeFile(path('a'), { expect: holding('old') })).toEqual({
					kind: 'written',
					sha256: '',
					atomic: true,
				});
				expect(await host.stat(path('a'))).toEqual({ kind: 'missing' });
			});

			it('refuses anything else', async () => {
				await at.put(path('a'), 'theirs');
				expect(await host.removeFile(path('a'), { expect: holding('old') })).toEqual({
					kind: 'changed',
					found: holding('theirs'),
				});
				expect(await host.removeFile(path('b'), { expect: holding('old') })).toEqual({
					kind: 'changed',
					found: nothing,
				});
				expect(await read(path('a'))).toBe('theirs');
			});

			it('is content when nothing was expected and nothing is there', async () => {
				expect(await host.removeFile(path('a'), { expect: nothing })).toMatchObject({ kind: 'written' });
			});

			it('follows a link and keeps it, so that it takes back what replacing made', async () => {
				await at.put(path('real'), 'old');
				await at.link(path('a'), path('real'));
				expect(await host.removeFile(path('a'), { expect: holding('old') })).toMatchObject({ kind: 'written' });
				expect(await host.stat(path('a'))).toEqual({ kind: 'missing', danglingTo: path('real') });
			});
		});

		describe('folders', () => {
			it('makes one with the mode that was asked for', async () => {
				expect(await host.makeDirectory(path('f'), { mode: 0o750 })).toEqual({
					kind: 'written',
					sha256: '',
					atomic: true,
				});
				expect(await host.stat(path('f'))).toMatchObject({ kind: 'found', type: 'directory', meta: { mode: 0o750 } });
			});

			it('leaves one that is there as it is', async () => {
				await at.directory(path('f'), 0o700);
				expect(await host.makeDirectory(path('f'), { mode: 0o755 })).toMatchObject({ kind: 'written' });
				expect(await host.stat(path('f'))).toMatchObject({ meta: { mode: 0o700 } });
			});

			it('makes no parents, and nothing over a file', async () => {
				await at.put(path('a'), '');
				expect(await host.makeDirectory(path('no/f'), { mode: 0o755 })).toMatchObject({
					kind: 'failed',
					errno: 'ENOENT',
				});
				expect(await host.makeDirectory(path('a'), { mode: 0o755 })).toMatchObject({ kind: 'failed', errno: 'EEXIST' });
			});

			it('removes an empty one only', async () => {
				await at.directory(path('f'));
				await at.put(path('f/a'), '');
				expect(await host.removeDirectory(path('f'))).toMatchObject({ kind: 'failed', errno: 'ENOTEMPTY' });
				await host.removeFile(path('f/a'), { expect: holding('') });
				expect(await host.removeDirectory(path('f'))).toMatchObject({ kind: 'written' });
				expect(await host.stat(path('f'))).toEqual({ kind: 'missing' });
				expect(await host.removeDirectory(path('f'))).toMatchObject({ kind: 'written' });
			});
		});

		// Both doors run commands alike; only what happens to the host differs.
		describe.each(['exec', 'run'] as const)('%s', door => {
			it('gives all that was printed, and each line in its order', async () => {
				const lines: OutputLine[] = [];
				const result = await host[door](at.commands.printsTwoLines, {
					timeoutMs: 10_000,
					onLine: line => lines.push(line),
				});
				expect(result).toMatchObject({ code: 0, stdout: 'first\nsecond\n', stderr: '' });
				expect(result.problem).toBeUndefined();
				expect(lines).toEqual([
					{ stream: 'stdout', text: 'first' },
					{ stream: 'stdout', text: 'second' },
				]);
			});

			it('gives the last drawing of a line, and each one where that is asked for', async () => {
				for (const [redraws, texts] of [
					[undefined, ['100']],
					[true, ['0', '50', '100']],
				] as const) {
					const lines: string[] = [];
					const options = { timeoutMs: 10_000, redraws, onLine: ({ text }: OutputLine) => lines.push(text) };
					await host[door](['printf', '%s\\n', '0\r50\r100'], options);
					expect(lines).toEqual(texts);
				}
			});

			it('gives the exit code and what was said about it', async () => {
				const result = await host[door](at.commands.exits3, { timeoutMs: 10_000 });
				expect(result).toMatchObject({ code: 3, stdout: '', stderr: 'no\n' });
				expect(result.problem).toBeUndefined();
			});

			it('tells a program that is not there', async () => {
				expect(await host[door](['surely-no-such-program', 'x'], { timeoutMs: 10_000 })).toMatchObject({
					code: null,
					problem: 'missing',
				});
			});

			it('hands over stdin from bytes and from a file', async () => {
				await at.put(path('in'), 'from a file');
				expect(
					await host[door](at.commands.echoesStdin, { timeoutMs: 10_000, stdin: bytesOf('from bytes') }),
				).toMatchObject({ code: 0, stdout: 'from bytes' });
				expect(
					await host[door](at.commands.echoesStdin, { timeoutMs: 10_000, stdin: { file: path('in') } }),
				).toMatchObject({ code: 0, stdout: 'from a file' });
				expect(await host[door](at.commands.echoesStdin, { timeoutMs: 10_000 })).toMatchObject({ code: 0, stdout: '' });
			});

			it('does not run a command whose stdin is not there', async () => {
				expect(
					await host[door](at.commands.echoesStdin, { timeoutMs: 10_000, stdin: { file: path('in') } }),
				).toMatchObject({ code: null, problem: 'missing' });
			});

			it('does not run a command whose stdin is no regular file', async () => {
				for (const special of [at.specials?.fifo, at.specials?.device]) {
					if (special === undefined) continue;
					expect(
						await host[door](at.commands.echoesStdin, { timeoutMs: 10_000, stdin: { file: special } }),
					).toMatchObject({ code: null, problem: 'denied', stderr: `${special}: not a regular file\n` });
				}
			});

			it('ends what takes too long', async () => {
				expect(await host[door](at.commands.hangs, { timeoutMs: 50 })).toMatchObject({
					code: null,
					problem: 'timeout',
				});
			});

			it('ends what is cancelled', async () => {
				const stop = new AbortController();
				const result = host[door](at.commands.hangs, { timeoutMs: 60_000, signal: stop.signal });
				stop.abort();
				expect(await result).toMatchObject({ code: null, problem: 'cancelled' });
			});

			it('does not start what is cancelled already', async () => {
				expect(
					await host[door](at.commands.printsTwoLines, { timeoutMs: 10_000, signal: AbortSignal.abort() }),
				).toMatchObject({ code: null, stdout: '', problem: 'cancelled' });
			});

			it('ends what prints more than it may', async () => {
				const result = await host[door](at.commands.printsTwoLines, { timeoutMs: 10_000, maxBytes: 8 });
				expect(result).toMatchObject({ code: null, stdout: 'first\nse', problem: 'too-much-output' });
			});
		});

		it('says that no process has a pid that cannot be', async () => {
			expect(await host.signal(2 ** 30, 'SIGHUP')).toEqual({ kind: 'no-such-process' });
		});

		it('knows who it is', () => {
			expect(host.identity.hostname).not.toBe('');
			expect(host.identity.user).not.toBe('');
			expect(Number.isInteger(host.identity.pid) && Number.isInteger(host.identity.uid)).toBe(true);
		});
	});
}
