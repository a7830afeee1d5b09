import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultStatePath, isRunName, openStateDirectory, runPaths } from '../../src/session/state-directory.ts';
import { isRoot, scratchDirectory } from '../host/scratch-folder.ts';
import { freshStateDirectory, uid } from './state-folders.ts';

describe('where state lies', () => {
	it.each([
		['for root', 0, { HOME: '/root', XDG_STATE_HOME: '/x' }, '/var/lib/sysbox-setup'],
		['for a user', 1000, { HOME: '/home/anna' }, '/home/anna/.local/state/sysbox-setup'],
		[
			'where the user says',
			1000,
			{ HOME: '/home/anna', XDG_STATE_HOME: '/home/anna/state' },
			'/home/anna/state/sysbox-setup',
		],
		[
			'not at a relative path',
			1000,
			{ HOME: '/home/anna', XDG_STATE_HOME: 'state' },
			'/home/anna/.local/state/sysbox-setup',
		],
		['without HOME', 1000, {}, '/home/passwd/.local/state/sysbox-setup'],
	])('%s', (_, user, environment, path) => {
		expect(defaultStatePath(user, environment, () => '/home/passwd')).toBe(path);
	});
});

describe('opening the state folder', () => {
	it('creates it for its owner alone, with what is missing above it', async () => {
		const path = join(scratchDirectory(), 'a/b/state');
		expect(await openStateDirectory(path, { create: true, uid })).toMatchObject({ kind: 'open', directory: { path } });
		for (const made of [path, join(path, '..'), join(path, '../..')]) expect(statSync(made).mode & 0o777).toBe(0o700);
		expect(await openStateDirectory(path, { create: true, uid })).toMatchObject({ kind: 'open' });
	});

	it('creates nothing for a command that only reads', async () => {
		const path = join(scratchDirectory(), 'state');
		expect(await openStateDirectory(path, { create: false, uid })).toEqual({ kind: 'missing', path });
		expect(() => statSync(path)).toThrow();
	});

	it('refuses a link, also to a good folder', async () => {
		const directory = scratchDirectory();
		mkdirSync(join(directory, 'real'), { mode: 0o700 });
		symlinkSync(join(directory, 'real'), join(directory, 'state'));
		expect(await openStateDirectory(join(directory, 'state'), { create: true, uid })).toMatchObject({
			kind: 'not-a-folder',
			what: 'link',
		});
		symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'));
		expect(await openStateDirectory(join(directory, 'dangling'), { create: true, uid })).toMatchObject({
			kind: 'not-a-folder',
			what: 'link',
		});
	});

	it('refuses a file', async () => {
		const path = join(scratchDirectory(), 'state');
		writeFileSync(path, '');
		expect(await openStateDirectory(path, { create: true, uid })).toMatchObject({
			kind: 'not-a-folder',
			what: 'other',
		});
		expect(await openStateDirectory(join(path, 'x'), { create: true, uid })).toMatchObject({ kind: 'not-a-folder' });
	});

	it.each([0o770, 0o707, 0o1777])('refuses one that others can write to (%o)', async mode => {
		const path = join(scratchDirectory(), 'state');
		mkdirSync(path);
		chmodSync(path, mode);
		expect(await openStateDirectory(path, { create: true, uid })).toEqual({ kind: 'open-to-others', path, mode });
	});

	it.runIf(isRoot)('refuses one below a directory in which others could exchange it, for a real run', async () => {
		const outer = join(scratchDirectory(), 'shared');
		const path = join(outer, 'state');
		mkdirSync(path, { recursive: true, mode: 0o700 });
		const open = () => openStateDirectory(path, { create: true, uid, above: true });
		expect(await open()).toMatchObject({ kind: 'open' });
		chmodSync(outer, 0o777);
		expect(await open()).toEqual({ kind: 'open-above', path, above: outer });
		expect(await openStateDirectory(path, { create: true, uid })).toMatchObject({ kind: 'open' });
		chmodSync(outer, 0o775);
		chownSync(outer, 0, 1234);
		expect(await open()).toEqual({ kind: 'open-above', path, above: outer });
		chmodSync(outer, 0o755);
		chownSync(outer, 1234, 0);
		expect(await open()).toEqual({ kind: 'open-above', path, above: outer });
	});

	it.runIf(isRoot)('refuses one of another user', async () => {
		const path = join(scratchDirectory(), 'state');
		mkdirSync(path, { mode: 0o700 });
		chownSync(path, 1234, 1234);
		expect(await openStateDirectory(path, { create: true, uid })).toEqual({ kind: 'foreign', path, uid: 1234 });
	});
});

describe('the name of a run', () => {
	it.each(['2026-11-24T01-02-03Z-4f2a', 'r1', 'A.b_c-9'])('may be %s', name => expect(isRunName(name)).toBe(true));

	it.each(['', '.', '..', '../x', 'a/b', '-rf', '.hidden', 'a b', 'a\n', 'a\0b', 'x'.repeat(129)])(
		'may not be “%s”, which a forged record could name',
		async name => {
			expect(isRunName(name)).toBe(false);
			const directory = await freshStateDirectory();
			expect(() => runPaths(directory, name)).toThrow();
		},
	);
});
