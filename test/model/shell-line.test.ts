import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { scriptLine, shellLine } from '../../src/text/shell-line.ts';

describe('an argv as a line to type', () => {
	it('leaves plain words, options and paths as they are', () => {
		expect(shellLine(['docker', 'run', '--memory=64m', 'a/b:1.0@x', '/etc/x,y', '100%', '+x'])).toBe(
			'docker run --memory=64m a/b:1.0@x /etc/x,y 100% +x',
		);
	});

	it('quotes what a shell would take apart or read otherwise', () => {
		expect(shellLine(['echo', 'two words', '', "it's", '$HOME', '~', '*', 'a;b'])).toBe(
			"echo 'two words' '' 'it'\\''s' '$HOME' '~' '*' 'a;b'",
		);
	});

	const words = ['', ' ', "'", "''a'", '"', '\\', '$(id)', '`id`', '!', '#x', 'a\nb', '{a,b}', '~root', '<>|&', 'é'];
	const unsafe = ["it's \u001b]52;c;eA==\u0007", 'a\r\n\\b', '\u00851', '\u202e0', '\u{e0041}é', '\u007f7\t'];

	it.each([
		['bash', shellLine],
		['sh', scriptLine],
	] as const)('is read back by %s as the same words, whatever they hold', (shell, lineFor) => {
		const all = [...words, ...unsafe];
		const read = execFileSync(shell, ['-c', `printf '%s\\0' ${lineFor(all)}`], { encoding: 'utf8' });
		expect(read.split('\0').slice(0, -1)).toEqual(all);
	});

	it('is one line that a terminal shows as it is', () => {
		for (const word of unsafe) expect(shellLine([word])).toMatch(/^\$'[^\p{Cc}\p{Cf}]*'$|\t/u);
		expect(shellLine(['a\nb\u001b'])).toBe("$'a\\nb\\033'");
	});
});
