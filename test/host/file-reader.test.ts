import { chmodSync, existsSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileReader } from '../../src/host/local/file-reader.ts';
import { asNobody, scratchDirectory } from './scratch-folder.ts';

const reader = fileReader();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('reading files of this machine', () => {
	it.runIf(process.platform === 'linux')('reads files of the kernel, which say that they are empty', async () => {
		const found = await reader.readFile('/proc/version');
		expect(found).toMatchObject({ kind: 'bytes', meta: { size: expect.any(Number) } });
		expect(found.kind === 'bytes' && textOf(found.bytes)).toContain('Linux version');
		expect(found.kind === 'bytes' && found.meta.size).toBe(found.kind === 'bytes' && found.bytes.length);
	});

	// sysfs says 4096 for all of them.
	it.runIf(existsSync('/sys/kernel/profiling'))(
		'does not believe the size that files of the kernel pretend to have',
		async () => {
			expect(await reader.stat('/sys/kernel/profiling')).toMatchObject({ meta: { size: 4096 } });
			expect(await reader.readFile('/sys/kernel/profiling', { maxBytes: 1000 })).toMatchObject({ kind: 'bytes' });
		},
	);

	it.runIf(process.platform === 'linux')('stops at its limit when a file goes on', async () => {
		expect(await reader.readFile('/proc/kallsyms', { maxBytes: 1000 })).toEqual({
			kind: 'too-large',
			size: 1001,
			limit: 1000,
		});
	});

	it('computes no digest of more than it is asked to, whatever the file tells of its size', async () => {
		const file = join(scratchDirectory(), 'huge');
		writeFileSync(file, '');
		truncateSync(file, 2 ** 40);
		expect(await reader.digest(file, { maxBytes: 1000 })).toEqual({ kind: 'too-large', size: 2 ** 40, limit: 1000 });
		// Files of /proc say that they are empty.
		expect(await reader.digest('/proc/self/status', { maxBytes: 10 })).toMatchObject({ kind: 'too-large', limit: 10 });
		truncateSync(file, 1000);
		expect(await reader.digest(file, { maxBytes: 1000 })).toMatchObject({ kind: 'digest', size: 1000 });
	});

	it('tells what it may not read from what is not there', async () => {
		const directory = scratchDirectory();
		chmodSync(directory, 0o755);
		writeFileSync(join(directory, 'secret'), 'x', { mode: 0o000 });
		mkdirSync(join(directory, 'closed'), { mode: 0o000 });
		await asNobody(async () => {
			expect(await reader.readFile(join(directory, 'secret'))).toEqual({ kind: 'denied' });
			expect(await reader.digest(join(directory, 'secret'))).toEqual({ kind: 'denied' });
			expect(await reader.stat(join(directory, 'secret'))).toMatchObject({ kind: 'found' });
			expect(await reader.readFile(join(directory, 'closed/a'))).toEqual({ kind: 'denied' });
			expect(await reader.stat(join(directory, 'closed/a'))).toEqual({ kind: 'denied' });
			expect(await reader.list(join(directory, 'closed'))).toEqual({ kind: 'denied' });
			expect(await reader.space(join(directory, 'closed/a'))).toEqual({ kind: 'denied' });
		});
	});

	it('puts a folder in front of every path, and takes it off again', async () => {
		const root = scratchDirectory();
		mkdirSync(join(root, 'etc'));
		writeFileSync(join(root, 'etc/a'), 'x');
		symlinkSync('a', join(root, 'etc/b'));
		symlinkSync(join(root, 'etc/gone'), join(root, 'etc/c'));
		const inside = fileReader(root);
		expect(await inside.readFile('/etc/b')).toMatchObject({ kind: 'bytes', meta: { realPath: '/etc/a' } });
		expect(await inside.stat('/etc/b')).toMatchObject({ link: true, meta: { realPath: '/etc/a' } });
		expect(await inside.readFile('/etc/c')).toEqual({ kind: 'missing', danglingTo: '/etc/gone' });
		expect(await inside.list('/etc')).toEqual({ kind: 'names', names: ['a', 'b', 'c'] });
	});
});
