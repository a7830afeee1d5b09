import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultStatePath, isRunName, openStateFolder, runPaths } from '../../src/session/state-folder.ts';
import { isRoot, scratchFolder } from '../host/scratch-folder.ts';
import { freshStateFolder, uid } from './state-folders.ts';

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
		const path = join(scratchFolder(), 'a/b/state');
		expect(await openStateFolder(path, { create: true, uid })).toMatchObject({ kind: 'open', folder: { path } });
		for (const made of [path, join(path, '..'), join(path, '../..')]) expect(statSync(made).mode & 0o777).toBe(0o700);
		expect(await openStateFolder(path, { create: true, uid })).toMatchObject({ kind: 'open' });
	});

	it('creates nothing for a command that only reads', async () => {
		const path = join(scratchFolder(), 'state');
		expect(await openStateFolder(path, { create: false, uid })).toEqual({ kind: 'missing', path });
		expect(() => statSync(path)).toThrow();
	});

	it('refuses a link, also to a good folder', async () => {
		const folder = scratchFolder();
		mkdirSync(join(folder, 'real'), { mode: 0o700 });
		symlinkSync(join(folder, 'real'), join(folder, 'state'));
		expect(await openStateFolder(join(folder, 'state'), { create: true, uid })).toMatchObject({
			kind: 'not-a-folder',
			what: 'link',
		});
		symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
		expect(await openStateFolder(join(folder, 'dangling'), { create: true, uid })).toMatchObject({
			kind: 'not-a-folder',
			what: 'link',
		});
	});

	it('refuses a file', async () => {
		const path = join(scratchFolder(), 'state');
		writeFileSync(path, '');
		expect(await openStateFolder(path, { create: true, uid })).toMatchObject({ kind: 'not-a-folder', what: 'other' });
		expect(await openStateFolder(join(path, 'x'), { create: true, uid })).toMatchObject({ kind: 'not-a-folder' });
	});

	it.each([0o770, 0o707, 0o1777])('refuses one that others can write to (%o)', async mode => {
		const path = join(scratchFolder(), 'state');
		mkdirSync(path);
		chmodSync(path, mode);
		expect(await openStateFolder(path, { create: true, uid })).toEqual({ kind: 'open-to-others', path, mode });
	});

	it.runIf(isRoot)('refuses one below a directory in which others could exchange it, for a real run', async () => {
		const outer = join(scratchFolder(), 'shared');
		const path = join(outer, 'state');
		mkdirSync(path, { recursive: true, mode: 0o700 });
		const open = () => openStateFolder(path, { create: true, uid, above: true });
		expect(await open()).toMatchObject({ kind: 'open' });
		chmodSync(outer, 0o777);
		expect(await open()).toEqual({ kind: 'open-above', path, above: outer });
		expect(await openStateFolder(path, { create: true, uid })).toMatchObject({ kind: 'open' });
		chmodSync(outer, 0o775);
		chownSync(outer, 0, 1234);
		expect(await open()).toEqual({ kind: 'open-above', path, above: outer });
		chmodSync(outer, 0o755);
		chownSync(outer, 1234, 0);
		expect(await open()).toEqual({ kind: 'open-above', path, above: outer });
	});

	it.runIf(isRoot)('refuses one of another user', async () => {
		const path = join(scratchFolder(), 'state');
		mkdirSync(path, { mode: 0o700 });
		chownSync(path, 1234, 1234);
		expect(await openStateFolder(path, { create: true, uid })).toEqual({ kind: 'foreign', path, uid: 1234 });
	});
});

describe('the name of a run', () => {
	it.each(['2026-11-24T01-02-03Z-4f2a', 'r1', 'A.b_c-9'])('may be %s', name => expect(isRunName(name)).toBe(true));

	it.each(['', '.', '..', '../x', 'a/b', '-rf', '.hidden', 'a b', 'a\n', 'a\0b', 'x'.repeat(129)])(
		'may not be “%s”, which a forged record could name',
		async name => {
			expect(isRunName(name)).toBe(false);
			const folder = await freshStateFolder();
			expect(() => runPaths(folder, name)).toThrow();
		},
	);
});
