import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { moveSessionAside, readSession, type Session, saveSession } from '../../src/session/session.ts';
import { upgradeSession } from '../../src/session/upgrade.ts';
import { freshStateDirectory } from './state-folders.ts';

const session: Session = {
	run: 'r1',
	machineId: 'abc',
	answers: { 'ci.memory': '2g', 'daemon.pools': true, 'ci.count': 3, 'ci.images': ['a', 'b'] },
	cursor: 'docker',
	tool: '1.0.0',
	updatedAt: '2026-11-24T01:00:00.000Z',
};

afterEach(() => vi.unstubAllEnvs());

describe('the session', () => {
	it('reads back as it was saved', async () => {
		const directory = await freshStateDirectory();
		expect(await saveSession(directory, session)).toEqual({ kind: 'saved' });
		expect(await readSession(directory, 'abc')).toEqual({ kind: 'session', session });
		const { cursor: _, ...withoutCursor } = session;
		expect(await saveSession(directory, withoutCursor)).toEqual({ kind: 'saved' });
		expect(await readSession(directory, 'abc')).toEqual({ kind: 'session', session: withoutCursor });
	});

	it('is a private file, and leaves no other', async () => {
		const directory = await freshStateDirectory();
		const before = process.umask(0);
		try {
			await saveSession(directory, session);
			await saveSession(directory, { ...session, cursor: 'ci' });
		} finally {
			process.umask(before);
		}
		expect(statSync(directory.sessionFile).mode & 0o777).toBe(0o600);
		expect(readdirSync(directory.path)).toEqual(['session.json']);
		expect(JSON.parse(readFileSync(directory.sessionFile, 'utf8'))).toMatchObject({
			version: 1,
			answers: { 'ci.memory': '2g' },
		});
	});

	it('is exchanged in one step also under a Node that came as a snap', async () => {
		const directory = await freshStateDirectory();
		vi.stubEnv('SNAP', '/snap/node/1');
		await saveSession(directory, session);
		const before = statSync(directory.sessionFile).ino;
		await saveSession(directory, { ...session, cursor: 'ci' });
		expect(statSync(directory.sessionFile).ino).not.toBe(before);
		expect(process.env.SNAP).toBe('/snap/node/1');
	});

	it('is missing at first, and looking for it makes none', async () => {
		const directory = await freshStateDirectory();
		expect(await readSession(directory, 'abc')).toEqual({ kind: 'missing' });
		expect(readdirSync(directory.path)).toEqual([]);
	});

	it('of another machine is told apart', async () => {
		const directory = await freshStateDirectory();
		await saveSession(directory, session);
		expect(await readSession(directory, 'def')).toMatchObject({ kind: 'other-machine', session: { machineId: 'abc' } });
		expect(await readSession(directory, undefined)).toMatchObject({ kind: 'session' });
		await saveSession(directory, { ...session, machineId: '' });
		expect(await readSession(directory, 'def')).toMatchObject({ kind: 'session' });
	});

	it.each([
		['not JSON', '{"version": 1,', 'it is not JSON'],
		['empty', '', 'it is not JSON'],
		['another kind of value', '[]', 'it names no version'],
		['null', 'null', 'it names no version'],
		['without a version', '{}', 'it names no version'],
		['of no version that was', '{"version": 0}', expect.any(String)],
		['incomplete', '{"version": 1, "run": "r1"}', expect.stringContaining('machineId')],
		['leading elsewhere', JSON.stringify({ version: 1, ...session, run: '../../etc' }), expect.stringContaining('run')],
		[
			'with an answer of no known kind',
			JSON.stringify({ version: 1, ...session, answers: { a: { b: 1 } } }),
			expect.stringContaining('answers.a'),
		],
	])('that is %s is corrupt, and stays as it is', async (_, content, what) => {
		const directory = await freshStateDirectory();
		writeFileSync(directory.sessionFile, content);
		expect(await readSession(directory, 'abc')).toEqual({ kind: 'corrupt', file: directory.sessionFile, what });
		expect(readFileSync(directory.sessionFile, 'utf8')).toBe(content);
	});

	it('is not read through a link', async () => {
		const directory = await freshStateDirectory();
		writeFileSync(join(directory.path, 'other.json'), JSON.stringify({ version: 1, ...session }));
		symlinkSync('other.json', directory.sessionFile);
		expect(await readSession(directory, 'abc')).toMatchObject({ kind: 'corrupt', what: 'it is not a file' });
	});

	it('of a newer tool names that tool', async () => {
		const directory = await freshStateDirectory();
		writeFileSync(directory.sessionFile, '{"version": 7, "tool": "9.9.9"}');
		expect(await readSession(directory, 'abc')).toEqual({
			kind: 'newer',
			file: directory.sessionFile,
			version: '9.9.9',
		});
		writeFileSync(directory.sessionFile, '{"version": 7}');
		expect(await readSession(directory, 'abc')).toMatchObject({ kind: 'newer', version: 'session format 7' });
	});

	it('is moved aside, never deleted, to start afresh', async () => {
		const directory = await freshStateDirectory();
		const now = new Date('2026-11-24T01:00:00Z');
		expect(await moveSessionAside(directory, now)).toBeUndefined();
		writeFileSync(directory.sessionFile, 'broken');
		expect(await moveSessionAside(directory, now)).toBe(`${directory.sessionFile}.2026-11-24T010000.000Z`);
		expect(readFileSync(`${directory.sessionFile}.2026-11-24T010000.000Z`, 'utf8')).toBe('broken');
		expect(await readSession(directory, 'abc')).toEqual({ kind: 'missing' });
	});

	it('is whole when two saves come at once', async () => {
		const directory = await freshStateDirectory();
		const results = await Promise.all(
			['host', 'sysbox', 'daemon'].map(cursor => saveSession(directory, { ...session, cursor })),
		);
		expect(results).toEqual([{ kind: 'saved' }, { kind: 'saved' }, { kind: 'saved' }]);
		expect(await readSession(directory, 'abc')).toMatchObject({ session: { cursor: 'daemon' } });
	});

	it('says why it could not be saved', async () => {
		const directory = await freshStateDirectory();
		const blocked = { ...directory, sessionFile: '/proc/session.json' };
		expect(await saveSession(blocked, session)).toMatchObject({ kind: 'failed', file: '/proc/session.json' });
	});
});

describe('upgrading a session', () => {
	it('leaves one of this version as it is', () => {
		const current = { version: 1, run: 'r1' };
		expect(upgradeSession(current)).toBe(current);
	});

	it.each([0, -1, 2, '1', undefined])('finds no way from version %s', version => {
		expect(upgradeSession({ version })).toBeUndefined();
	});
});
