import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
	chmodSync,
	chownSync,
	existsSync,
	linkSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type FileCalls, systemFileCalls } from '../../src/host/local/file-calls.ts';
import { rootFileWriter, sweepTemporaryFiles } from '../../src/host/local/root-file-writer.ts';
import type { Expected, WriteResult } from '../../src/port/host.ts';
import { dyingAfter, hookedCalls, ProcessGone, systemError } from './faulty-file-calls.ts';
import { powerCutDisk } from './power-cut-disk.ts';
import { isRoot, scratchDirectory } from './scratch-folder.ts';

// Disks and machines of CI are slow now and then; nothing here waits for time to pass.
vi.setConfig({ testTimeout: 60_000 });

const oldText = '{\n\t"debug": true\n}\n';
const newText = '{\n\t"debug": true,\n\t"runtimes": {}\n}\n';
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const holding = (text: string): Expected => ({
	kind: 'sha256',
	sha256: createHash('sha256').update(text).digest('hex'),
});
const nothing: Expected = { kind: 'missing' };

const contentOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
const temporariesIn = (directory: string): string[] =>
	readdirSync(directory).filter(name => name.startsWith('.sysbox-setup-'));

/** The two starts that a write has: over an old file, and where there was none. */
const starts = [
	{ from: 'over an old file', before: oldText, expect: holding(oldText) },
	{ from: 'where there was no file', before: undefined, expect: nothing },
] as const;

const write = (calls: FileCalls, path: string, expect: Expected): Promise<WriteResult> =>
	rootFileWriter({ calls }).replaceFile(path, bytesOf(newText), { expect, mode: 0o644 });

/** A directory of files like at the start, and the calls that a write without faults makes there. */
async function callsOfAWrite(
	start: (typeof starts)[number],
	inner: FileCalls = systemFileCalls,
): Promise<readonly string[]> {
	const path = join(scratchDirectory(), 'daemon.json');
	if (start.before !== undefined) writeFileSync(path, start.before);
	const calls = hookedCalls(inner, {});
	expect(await write(calls, path, start.expect)).toMatchObject({ kind: 'written' });
	return calls.made;
}

describe.each(starts)('writing a file $from', start => {
	it('leaves all of the old or all of the new bytes when the process is killed after any call', async () => {
		const made = await callsOfAWrite(start);
		const seen = new Set<string | undefined>();
		for (let nth = 1; nth <= made.length; nth++) {
			const directory = scratchDirectory();
			const path = join(directory, 'daemon.json');
			if (start.before !== undefined) writeFileSync(path, start.before);
			await expect(
				write(dyingAfter(systemFileCalls, nth), path, start.expect),
				`call ${nth}: ${made[nth - 1]}`,
			).rejects.toThrow(ProcessGone);
			const now = contentOf(path);
			seen.add(now);
			expect([start.before, newText], `after call ${nth}: ${made[nth - 1]}`).toContain(now);

			const left = temporariesIn(directory);
			expect(await sweepTemporaryFiles(directory)).toEqual(left);
			expect(readdirSync(directory)).toEqual(now === undefined ? [] : ['daemon.json']);
			expect(contentOf(path)).toBe(now);
		}
		// The sweep went over the moment of change.
		expect(seen).toEqual(new Set([start.before, newText]));
	});

	it('leaves all of the old or all of the new bytes when the power is cut after any call', async () => {
		const files = start.before === undefined ? {} : { 'daemon.json': start.before };
		const path = '/etc/daemon.json';
		const whole = powerCutDisk(files);
		const counted = hookedCalls(whole.calls, {});
		const writer = (calls: FileCalls) =>
			rootFileWriter({ calls, uid: 0 }).replaceFile(path, bytesOf(newText), { expect: start.expect, mode: 0o644 });
		expect(await writer(counted)).toMatchObject({ kind: 'written', atomic: true });
		expect(whole.afterPowerCut('daemon.json'), 'what is said to be written is on disk').toEqual(new Set([newText]));

		for (let nth = 1; nth <= counted.made.length; nth++) {
			const disk = powerCutDisk(files);
			await expect(writer(dyingAfter(disk.calls, nth))).rejects.toThrow(ProcessGone);
			for (const found of disk.afterPowerCut('daemon.json'))
				expect([start.before, newText], `after call ${nth}: ${counted.made[nth - 1]}`).toContain(found);
		}
	});

	it.each(['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EDQUOT'])('survives %s at any call', async errno => {
		const made = await callsOfAWrite(start);
		for (let nth = 1; nth <= made.length; nth++) {
			const directory = scratchDirectory();
			const path = join(directory, 'daemon.json');
			if (start.before !== undefined) writeFileSync(path, start.before);
			const failing = hookedCalls(systemFileCalls, {
				before: (_, n) => {
					if (n === nth) throw systemError(errno);
				},
			});
			const result = await write(failing, path, start.expect);
			const where = `call ${nth}: ${made[nth - 1]}`;
			expect(result, where).toMatchObject({ kind: 'failed', errno });
			expect(result.kind === 'failed' && result.message, where).toContain(path);
			expect([start.before, newText], where).toContain(contentOf(path));
			const changed = ['rename', 'link'].some(call => failing.made.slice(0, nth - 1).includes(call));
			expect(contentOf(path), where).toBe(changed ? newText : start.before);
			if (made[nth - 1] !== 'unlink') expect(temporariesIn(directory), where).toEqual([]);
		}
	});

	it('leaves what another program writes at the last moment', async () => {
		const directory = scratchDirectory();
		const path = join(directory, 'daemon.json');
		if (start.before !== undefined) writeFileSync(path, start.before);
		const calls = hookedCalls(systemFileCalls, {
			after: call => {
				if (call === 'sync') writeFileSync(path, 'theirs');
			},
		});
		expect(await write(calls, path, start.expect)).toEqual({ kind: 'changed', found: holding('theirs') });
		expect(contentOf(path)).toBe('theirs');
		expect(temporariesIn(directory)).toEqual([]);
	});
});

describe('writing a new file', () => {
	it('never replaces one that appears between the last look and the change', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		const calls = hookedCalls(systemFileCalls, {
			before: call => {
				if (call === 'link') writeFileSync(path, 'theirs');
			},
		});
		expect(await write(calls, path, nothing)).toEqual({ kind: 'changed', found: holding('theirs') });
		expect(contentOf(path)).toBe('theirs');
	});

	it.each(['EPERM', 'EOPNOTSUPP'])('does without hard links where the file system has none (%s)', async errno => {
		const directory = scratchDirectory();
		const path = join(directory, 'daemon.json');
		const calls: FileCalls = {
			...systemFileCalls,
			link: async () => {
				throw systemError(errno);
			},
		};
		expect(await write(calls, path, nothing)).toMatchObject({ kind: 'written', atomic: true });
		expect(contentOf(path)).toBe(newText);
		expect(temporariesIn(directory)).toEqual([]);
	});

	it('has the mode that was asked for whatever the umask says', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		const before = process.umask(0o077);
		try {
			await write(systemFileCalls, path, nothing);
		} finally {
			process.umask(before);
		}
		expect(statSync(path).mode & 0o777).toBe(0o644);
	});

	it.runIf(isRoot)('belongs to root, or to whom it is for', async () => {
		const directory = scratchDirectory();
		// A set-group-id directory would give the file its own group.
		chownSync(directory, 0, 1234);
		chmodSync(directory, 0o2755);
		await write(systemFileCalls, join(directory, 'a'), nothing);
		expect(statSync(join(directory, 'a'))).toMatchObject({ uid: 0, gid: 0 });
		await rootFileWriter().replaceFile(join(directory, 'b'), bytesOf(''), {
			expect: nothing,
			mode: 0o600,
			owner: { uid: 12, gid: 34 },
		});
		expect(statSync(join(directory, 'b'))).toMatchObject({ uid: 12, gid: 34 });
	});
});

describe('writing over an old file', () => {
	it('is not readable by others before it has the mode of the old one', async () => {
		const directory = scratchDirectory();
		const path = join(directory, 'secret');
		writeFileSync(path, oldText, { mode: 0o600 });
		const modes = new Set<number>();
		const calls = hookedCalls(systemFileCalls, {
			after: () => {
				for (const name of temporariesIn(directory)) modes.add(lstatSync(join(directory, name)).mode & 0o777);
			},
		});
		await write(calls, path, holding(oldText));
		expect(modes).toEqual(new Set([0o600]));
	});

	it.runIf(isRoot)('keeps owner and set-id bits', async () => {
		const path = join(scratchDirectory(), 'program');
		writeFileSync(path, oldText);
		chownSync(path, 12, 34);
		chmodSync(path, 0o4750);
		await write(systemFileCalls, path, holding(oldText));
		expect(statSync(path)).toMatchObject({ uid: 12, gid: 34 });
		expect(statSync(path).mode & 0o7777).toBe(0o4750);
	});

	it.runIf(isRoot)('keeps owner and mode also where nothing else can be copied', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		writeFileSync(path, oldText);
		chownSync(path, 12, 34);
		chmodSync(path, 0o640);
		await write({ ...systemFileCalls, copyAttributes: async () => {} }, path, holding(oldText));
		expect(statSync(path)).toMatchObject({ uid: 12, gid: 34 });
		expect(statSync(path).mode & 0o7777).toBe(0o640);
	});

	const python = (script: string, path: string): string =>
		execFileSync('python3', ['-c', script, path], { encoding: 'utf8' });
	const hasAttributes = (() => {
		try {
			return (
				python(
					'import os,sys; os.setxattr(sys.argv[1], "user.sysbox_setup_test", b"kept"); os.removexattr(sys.argv[1], "user.sysbox_setup_test"); print("yes")',
					import.meta.filename,
				) === 'yes\n'
			);
		} catch {
			return false;
		}
	})();

	it.runIf(hasAttributes)('keeps extended attributes, which hold ACLs and SELinux labels', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		writeFileSync(path, oldText);
		python('import os,sys; os.setxattr(sys.argv[1], "user.test", b"kept")', path);
		await write(systemFileCalls, path, holding(oldText));
		expect(python('import os,sys; print(os.getxattr(sys.argv[1], "user.test").decode())', path)).toBe('kept\n');
	});

	it('looks new to programs that compare times', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		writeFileSync(path, oldText);
		utimesSync(path, new Date('2001-01-01'), new Date('2001-01-01'));
		await write(systemFileCalls, path, holding(oldText));
		expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
	});

	it('does not change what another name of the file holds', async () => {
		const directory = scratchDirectory();
		writeFileSync(join(directory, 'daemon.json'), oldText);
		linkSync(join(directory, 'daemon.json'), join(directory, 'backup'));
		await write(systemFileCalls, join(directory, 'daemon.json'), holding(oldText));
		expect(contentOf(join(directory, 'backup'))).toBe(oldText);
	});

	it('writes all, however little the system takes at a time', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		writeFileSync(path, oldText);
		const open: FileCalls['open'] = async (to, purpose) => {
			const file = await systemFileCalls.open(to, purpose);
			return { ...file, write: (bytes, at) => file.write(bytes.subarray(0, 3), at) };
		};
		await write({ ...systemFileCalls, open }, path, holding(oldText));
		expect(contentOf(path)).toBe(newText);
	});
});

describe('a file that is a mount of its own', () => {
	const busy: FileCalls = {
		...systemFileCalls,
		rename: async () => {
			throw systemError('EBUSY');
		},
	};

	it('is rewritten in place, and that is said', async () => {
		const directory = scratchDirectory();
		const path = join(directory, 'hosts');
		writeFileSync(path, `${oldText}${oldText}${oldText}`);
		const inode = statSync(path).ino;
		expect(await write(busy, path, holding(oldText + oldText + oldText))).toMatchObject({
			kind: 'written',
			atomic: false,
		});
		expect(contentOf(path)).toBe(newText);
		expect(statSync(path).ino).toBe(inode);
		expect(temporariesIn(directory)).toEqual([]);
	});

	it('gets its old bytes back when the new ones do not fit', async () => {
		const directory = scratchDirectory();
		const path = join(directory, 'hosts');
		writeFileSync(path, oldText);
		let full = false;
		const open: FileCalls['open'] = async (to, purpose) => {
			const file = await systemFileCalls.open(to, purpose);
			if (purpose !== 'overwrite') return file;
			return {
				...file,
				write: async (bytes, at) => {
					if (full || at > 0) {
						full = at + bytes.length > oldText.length;
						if (full) throw systemError('ENOSPC');
					}
					return file.write(bytes.subarray(0, 10), at);
				},
			};
		};
		const result = await write({ ...busy, open }, path, holding(oldText));
		expect(result).toMatchObject({ kind: 'failed', errno: 'ENOSPC' });
		expect(result.kind === 'failed' && result.message).toContain('the old bytes were put back');
		expect(contentOf(path)).toBe(oldText);
		expect(temporariesIn(directory)).toEqual([]);
	});

	it('says when they cannot be put back', async () => {
		const path = join(scratchDirectory(), 'hosts');
		writeFileSync(path, oldText);
		const open: FileCalls['open'] = async (to, purpose) => {
			const file = await systemFileCalls.open(to, purpose);
			const broken = async () => {
				throw systemError('EIO');
			};
			return purpose === 'overwrite' ? { ...file, write: broken } : file;
		};
		const result = await write({ ...busy, open }, path, holding(oldText));
		expect(result.kind === 'failed' && result.message).toContain('could not be put back: restore it from the backup');
	});
});

describe('asking a program before a file is put in place', () => {
	const validated = (path: string, answer: { code: number; stderr?: string }, seen: string[] = []) =>
		rootFileWriter({
			run: async argv => {
				seen.push(...argv);
				const candidate = argv[2] ?? '';
				seen.push(readFileSync(candidate, 'utf8'));
				return { code: answer.code, stdout: '', stderr: (answer.stderr ?? '').replace('{}', candidate), elapsedMs: 1 };
			},
		}).replaceFile(path, bytesOf(newText), {
			expect: nothing,
			mode: 0o644,
			validateWith: ['dockerd', '--config-file', '{}'],
		});

	it('shows it the new bytes', async () => {
		const path = join(scratchDirectory(), 'daemon.json');
		const seen: string[] = [];
		expect(await validated(path, { code: 0 }, seen)).toMatchObject({ kind: 'written' });
		expect(seen).toEqual([
			'dockerd',
			'--config-file',
			expect.stringMatching(/\/\.sysbox-setup-[0-9a-f]{16}$/),
			newText,
		]);
	});

	it('changes nothing when it refuses, and gives its words', async () => {
		const directory = scratchDirectory();
		expect(
			await validated(join(directory, 'daemon.json'), {
				code: 1,
				stderr: 'unable to configure the daemon with file {}\n',
			}),
		).toEqual({
			kind: 'rejected',
			said: `unable to configure the daemon with file ${join(directory, 'daemon.json')}`,
		});
		expect(readdirSync(directory)).toEqual([]);
	});
});

describe.runIf(isRoot)('root near folders of others', () => {
	const anna = { uid: 1234, gid: 1234 };
	/** A directory of root with a home of Anna in it. */
	const home = (): { readonly outer: string; readonly directory: string } => {
		const outer = scratchDirectory();
		chmodSync(outer, 0o755);
		const directory = join(outer, 'anna');
		mkdirSync(directory);
		chownSync(directory, anna.uid, anna.gid);
		return { outer, directory };
	};
	const put = (path: string, options: { expect?: Expected; owner?: { uid: number; gid: number } } = {}) =>
		rootFileWriter().replaceFile(path, bytesOf(newText), { expect: nothing, mode: 0o644, ...options });

	it('writes there only in the name of the owner', async () => {
		const { directory } = home();
		expect(await put(join(directory, 'a'))).toMatchObject({
			kind: 'failed',
			errno: 'EPERM',
			message: expect.stringContaining('uid 1234'),
		});
		expect(await put(join(directory, 'a'), { owner: { uid: 77, gid: 77 } })).toMatchObject({
			kind: 'failed',
			errno: 'EPERM',
		});
		expect(readdirSync(directory)).toEqual([]);
		expect(await put(join(directory, 'a'), { owner: anna })).toMatchObject({ kind: 'written' });
		expect(statSync(join(directory, 'a'))).toMatchObject(anna);
	});

	it('is not led away by a link in the last place', async () => {
		const { outer, directory } = home();
		writeFileSync(join(outer, 'shadow'), oldText);
		symlinkSync(join(outer, 'shadow'), join(directory, 'a'));
		expect(await put(join(directory, 'a'), { expect: holding(oldText), owner: anna })).toMatchObject({
			kind: 'failed',
			errno: 'ELOOP',
		});
		expect(await rootFileWriter().removeFile(join(directory, 'a'), { expect: holding(oldText) })).toMatchObject({
			kind: 'failed',
			errno: 'ELOOP',
		});
		expect(contentOf(join(outer, 'shadow'))).toBe(oldText);
	});

	it('is not led away by a link on the way', async () => {
		const { outer, directory } = home();
		mkdirSync(join(outer, 'cron.d'));
		symlinkSync(join(outer, 'cron.d'), join(directory, 'ci'));
		expect(await put(join(directory, 'ci/a'), { owner: anna })).toMatchObject({ kind: 'failed', errno: 'EPERM' });
		expect(readdirSync(join(outer, 'cron.d'))).toEqual([]);
		expect(await rootFileWriter().makeDirectory(join(directory, 'ci/f'), { mode: 0o755, owner: anna })).toMatchObject({
			kind: 'failed',
			errno: 'EPERM',
		});
	});

	it('is not led away by a link that another put into a folder like /tmp', async () => {
		const { outer } = home();
		const shared = join(outer, 'tmp');
		mkdirSync(shared);
		chmodSync(shared, 0o1777);
		writeFileSync(join(outer, 'shadow'), oldText);
		symlinkSync(join(outer, 'shadow'), join(shared, 'a'));
		execFileSync('chown', ['-h', '1234', join(shared, 'a')]);
		expect(await put(join(shared, 'a'), { expect: holding(oldText) })).toMatchObject({
			kind: 'failed',
			errno: 'ELOOP',
		});
		expect(await put(join(shared, 'b'))).toMatchObject({ kind: 'written' });
	});

	it('does not write where everybody can exchange files', async () => {
		const { outer } = home();
		const open = join(outer, 'open');
		mkdirSync(open);
		chmodSync(open, 0o777);
		expect(await put(join(open, 'a'))).toMatchObject({
			kind: 'failed',
			errno: 'EPERM',
			message: expect.stringContaining('everybody'),
		});
		expect(await put(join(open, 'a'), { owner: { uid: 0, gid: 0 } })).toMatchObject({ kind: 'failed', errno: 'EPERM' });
	});

	it('follows no link in a directory that a group can write to, unless the group is root', async () => {
		const { outer } = home();
		const shared = join(outer, 'shared');
		mkdirSync(shared);
		chownSync(shared, 0, anna.gid);
		chmodSync(shared, 0o775);
		writeFileSync(join(outer, 'shadow'), oldText);
		symlinkSync(join(outer, 'shadow'), join(shared, 'a'));
		expect(await put(join(shared, 'a'), { expect: holding(oldText) })).toMatchObject({
			kind: 'failed',
			errno: 'ELOOP',
		});
		expect(contentOf(join(outer, 'shadow'))).toBe(oldText);
		chownSync(shared, 0, 0);
		expect(await put(join(shared, 'a'), { expect: holding(oldText) })).toMatchObject({ kind: 'written' });
	});

	it('follows links that root made, also through several folders', async () => {
		const { outer } = home();
		mkdirSync(join(outer, 'data/docker'), { recursive: true });
		symlinkSync('data/../data/docker', join(outer, 'etc-docker'));
		symlinkSync('../docker/real.json', join(outer, 'data/docker/daemon.json'));
		expect(await put(join(outer, 'etc-docker/./daemon.json'))).toMatchObject({ kind: 'written' });
		expect(contentOf(join(outer, 'data/docker/real.json'))).toBe(newText);
	});

	it('makes folders in the name of their owner', async () => {
		const { directory } = home();
		expect(await rootFileWriter().makeDirectory(join(directory, 'f'), { mode: 0o700, owner: anna })).toMatchObject({
			kind: 'written',
		});
		expect(statSync(join(directory, 'f'))).toMatchObject(anna);
		expect(statSync(join(directory, 'f')).mode & 0o7777).toBe(0o700);
	});
});

describe('a path', () => {
	it('must be absolute', async () => {
		expect(await write(systemFileCalls, 'etc/daemon.json', nothing)).toMatchObject({ kind: 'failed', errno: 'EINVAL' });
		expect(await write(systemFileCalls, '/etc/a\0b', nothing)).toMatchObject({ kind: 'failed', errno: 'EINVAL' });
	});

	it('may not go round in circles', async () => {
		const directory = scratchDirectory();
		symlinkSync(join(directory, 'b'), join(directory, 'a'));
		symlinkSync(join(directory, 'a'), join(directory, 'b'));
		expect(await write(systemFileCalls, join(directory, 'a'), nothing)).toMatchObject({
			kind: 'failed',
			errno: 'ELOOP',
		});
	});

	it('must not lead to a FIFO, which would hang', async () => {
		const path = join(scratchDirectory(), 'fifo');
		execFileSync('/usr/bin/mkfifo', [path]);
		expect(await write(systemFileCalls, path, nothing)).toMatchObject({
			kind: 'failed',
			message: expect.stringContaining('not a file'),
		});
	});
});

describe('making a folder', () => {
	it('takes it away again when it cannot get its owner', async () => {
		const directory = scratchDirectory();
		const calls = hookedCalls(systemFileCalls, {
			before: call => {
				if (call === 'folder chmod') throw systemError('EPERM');
			},
		});
		expect(await rootFileWriter({ calls }).makeDirectory(join(directory, 'f'), { mode: 0o755 })).toMatchObject({
			kind: 'failed',
			errno: 'EPERM',
		});
		expect(readdirSync(directory)).toEqual([]);
	});
});

describe('sweeping up after a killed run', () => {
	it('takes only files of ours', async () => {
		const directory = scratchDirectory();
		mkdirSync(join(directory, '.sysbox-setup-0123456789abcdef'));
		for (const name of ['.sysbox-setup-00000000000000aa', '.sysbox-setup-notes', 'daemon.json'])
			writeFileSync(join(directory, name), '');
		symlinkSync('daemon.json', join(directory, '.sysbox-setup-00000000000000bb'));
		expect(await sweepTemporaryFiles(directory)).toEqual(['.sysbox-setup-00000000000000aa']);
		expect(readdirSync(directory).sort()).toEqual([
			'.sysbox-setup-00000000000000bb',
			'.sysbox-setup-0123456789abcdef',
			'.sysbox-setup-notes',
			'daemon.json',
		]);
	});

	it('finds nothing in a folder that is not there', async () => {
		expect(await sweepTemporaryFiles('/no/such/folder')).toEqual([]);
	});
});

it('lets an error that is not the system’s pass, as it is a bug', async () => {
	const calls: FileCalls = {
		...systemFileCalls,
		openDirectory: async () => {
			throw new TypeError('a bug');
		},
	};
	await expect(write(calls, join(scratchDirectory(), 'a'), nothing)).rejects.toThrow('a bug');
});
