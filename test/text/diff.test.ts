import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { diffTexts, formatDiff } from '../../src/text/diff.ts';

const shown = (before: string, after: string): string =>
	formatDiff('/etc/docker/daemon.json', diffTexts(before, after));

describe('the diff of two texts', () => {
	it('numbers the lines on both sides', () => {
		expect(diffTexts('{\n  "a": 1,\n  "b": 2\n}\n', '{\n  "a": 1,\n  "b": 3,\n  "c": 4\n}\n')).toEqual([
			{ kind: 'hunk', text: '@@ -1,4 +1,5 @@' },
			{ kind: 'context', text: '{', oldLine: 1, newLine: 1 },
			{ kind: 'context', text: '  "a": 1,', oldLine: 2, newLine: 2 },
			{ kind: 'remove', text: '  "b": 2', oldLine: 3 },
			{ kind: 'add', text: '  "b": 3,', newLine: 3 },
			{ kind: 'add', text: '  "c": 4', newLine: 4 },
			{ kind: 'context', text: '}', oldLine: 4, newLine: 5 },
		]);
	});

	it('starts a new hunk after a long stretch without changes', () => {
		const lines = Array.from({ length: 20 }, (_, index) => `line ${index}\n`);
		const after = lines.with(0, 'first\n').with(19, 'last\n');
		const hunks = diffTexts(lines.join(''), after.join(''), { context: 1 }).filter(({ kind }) => kind === 'hunk');
		expect(hunks.map(({ text }) => text)).toEqual(['@@ -1,2 +1,2 @@', '@@ -19,2 +19,2 @@']);
	});

	it('is empty for equal texts', () => {
		expect(diffTexts('a\n', 'a\n')).toEqual([]);
		expect(shown('a\n', 'a\n')).toBe('');
	});

	it('shows a new file as additions', () => {
		expect(shown('', '{\n}\n')).toBe(
			'--- /etc/docker/daemon.json\n+++ /etc/docker/daemon.json\n@@ -0,0 +1,2 @@\n+{\n+}\n',
		);
	});

	it('says where the last line has no end', () => {
		expect(shown('{\n}', '{\n}\n')).toContain('-}\n\\ No newline at end of file\n+}\n');
		expect(diffTexts('{}', '[]').at(-1)).toEqual({ kind: 'note', text: '\\ No newline at end of file' });
	});

	it('marks carriage returns when line ends differ', () => {
		expect(shown('{\r\n}\r\n', '{\n}\r\n')).toContain('-{␍\n+{\n }␍\n');
		expect(shown('{\r\n}\r\n', '{\n}\n')).toContain('-{␍\n-}␍\n+{\n+}\n');
	});

	it('does not mark them when all line ends are the same', () => {
		expect(shown('{\r\n}\r\n', '{\r\n "a": 1\r\n}\r\n')).not.toMatch(/[␍\r]/);
	});

	it('redacts each line before it is shown', () => {
		const redact = (text: string): readonly string[] => text.replaceAll(/:\/\/.*@/g, '://***@').split('\n');
		const lines = diffTexts('a\n"http://u:p@x",\r\n', 'b\n"http://u:p@y",\r\n', { redact });
		expect(JSON.stringify(lines)).not.toContain('u:p');
		expect(lines.filter(({ text }) => text.endsWith('␍'))).toHaveLength(2);
	});

	it('shows what a terminal would obey or hide', () => {
		expect(shown('\ufeff{}\n', '{}\n\t\u001b[2J\u202e\n')).toContain('-<U+FEFF>{}\n+{}\n+\t<U+001B>[2J<U+202E>\n');
	});
});

describe('a diff that would cost or show too much', () => {
	const numbered = (word: string, count: number): string =>
		Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('');

	it('shows a whole replacement where more than 500 lines differ, in bounded time', () => {
		const began = performance.now();
		const lines = diffTexts(numbered('old', 700), numbered('new', 701));
		expect(lines[0]).toEqual({ kind: 'hunk', text: '@@ -1,700 +1,701 @@' });
		expect(lines.slice(1, 701).every(({ kind }) => kind === 'remove')).toBe(true);
		expect(lines.slice(701).every(({ kind }) => kind === 'add')).toBe(true);
		expect(lines.at(-1)).toEqual({ kind: 'add', text: 'new 700', newLine: 701 });
		diffTexts(numbered('x', 30_000), numbered('y', 30_000));
		// Without its bound, the search alone takes minutes.
		expect(performance.now() - began).toBeLessThan(5_000);
	});

	it('says which text does not end with a line end', () => {
		const lines = diffTexts(numbered('old', 600).trimEnd(), numbered('new', 600));
		expect(lines.filter(({ kind }) => kind === 'note')).toHaveLength(1);
		expect(lines[601]?.kind).toBe('note');
		expect(lines[0]?.text).toBe('@@ -1,600 +1,600 @@');
	});

	it('ends after 2000 lines with how many are left, and both digests', () => {
		const lines = diffTexts('', numbered('new', 5000), {
			sha256: bytes => createHash('sha256').update(bytes).digest('hex'),
		});
		expect(lines).toHaveLength(2001);
		expect(lines[0]?.text).toBe('@@ -0,0 +1,5000 @@');
		expect(lines.at(-1)?.text).toMatch(
			/^3001 more lines are not shown; sha256 before [0-9a-f]{64}, after [0-9a-f]{64}$/,
		);
	});
});
