import { describe, expect, it } from 'vitest';
import { showExactly } from '../../src/actions/show-action.ts';
import type { Action } from '../../src/model/action.ts';
import { shownActionSchema } from '../../src/model/shown-action.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha256 = 'a'.repeat(64);

const reload: Action = {
	id: 'reload',
	kind: 'exec',
	title: 'Reload Docker',
	why: 'it reads its file',
	argv: ['systemctl', 'reload', 'docker'],
	timeoutMs: 60_000,
	undo: { kind: 'commands', commands: [{ argv: ['true'], timeoutMs: 1, why: 'x' }] },
};
const write: Action = {
	id: 'file',
	kind: 'write',
	title: 'Write /etc/a',
	why: 'test',
	path: '/etc/a',
	bytes: bytes('password = "one"\n'),
	mode: 0o644,
	expect: { kind: 'sha256', sha256 },
	before: '',
};
const hup: Action = {
	id: 'hup',
	kind: 'signal',
	title: 'x',
	why: 'x',
	pid: 1,
	program: 'dockerd',
	signal: 'SIGHUP',
	undo: { kind: 'none', why: 'x' },
};

const digest = (action: Action): string | undefined => showExactly(action).exact?.sha256;
const changed = <A extends Action>(action: A, change: Partial<A>): Action => ({ ...action, ...change });

describe('what exactly an action does', () => {
	it.each<[string, Action, Action]>([
		['another command', reload, changed(reload, { argv: ['systemctl', 'restart', 'docker'] })],
		['words split in another way', reload, changed(reload, { argv: ['systemctl', 'reload docker'] })],
		['a way back by another command', reload, changed(reload, { undo: { kind: 'none', why: 'x' } })],
		['a risk', reload, changed(reload, { risks: ['restart-docker'] })],
		['other bytes where only a secret differs', write, changed(write, { bytes: bytes('password = "two"\n') })],
		['another file before', write, changed(write, { expect: { kind: 'missing' } })],
		['another mode', write, changed(write, { mode: 0o600 })],
		['another owner', write, changed(write, { owner: { uid: 1, gid: 1 } })],
		['another check of the new bytes', write, changed(write, { validateWith: ['true', '{}'] })],
		['another signal', hup, changed(hup, { signal: 'SIGTERM' })],
	])('is told from one with %s', (_, action, other) => {
		expect(digest(other)).not.toBe(digest(action));
	});

	it.each<[string, Action, Action]>([
		['words', reload, changed(reload, { title: 'Have Docker reloaded', why: 'because' })],
		['a deadline', reload, changed(reload, { timeoutMs: 1 })],
		['what would be put back, which is more the more was done', reload, changed(reload, { rollback: [write] })],
		['the id of a process that was started again', hup, changed(hup, { pid: 2 })],
	])('is the same with other %s', (_, action, other) => {
		expect(digest(other)).toBe(digest(action));
	});

	it('is shown with digests of the true bytes, and without a secret', () => {
		const shown = showExactly(write);
		expect(shownActionSchema.parse(shown)).toEqual(shown);
		expect(shown.exact?.file).toEqual({
			path: '/etc/a',
			before: sha256,
			after: '205a2eab21a6a5e3388b3212ac379db1a268081b27fbb7f2d9330f293d26b52a',
		});
		const login = showExactly(changed(reload, { argv: ['docker', 'login', '--password=hunter22hunter22'] }));
		expect(JSON.stringify([shown, login])).not.toMatch(/"one|hunter22/);
	});
});

it.each([
	'AKIAIOSFODNN7EXAMPLE',
	'glpat-abcdefghij0123456789',
	'curl -u me:secretpassword https://x',
	'TOKEN=abcdefgh12345',
])('hides %s behind a line break in a word of a command', secret => {
	const { does } = showExactly(changed(reload, { argv: ['sh', '-c', `true\n${secret}`] }));
	expect(does).toContain('[redacted]');
	expect(does).not.toContain(secret);
});
