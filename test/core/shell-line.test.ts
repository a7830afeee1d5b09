import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { shellLine } from '../../src/core/shell-line.ts';

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

	it('is read back by a shell as the same words, whatever they hold', () => {
		const words = ['', ' ', "'", "''a'", '"', '\\', '$(id)', '`id`', '!', '#x', 'a\nb', '{a,b}', '~root', '<>|&', 'é'];
		const read = execFileSync('sh', ['-c', `printf '%s\\0' ${shellLine(words)}`], { encoding: 'utf8' });
		expect(read.split('\0').slice(0, -1)).toEqual(words);
	});
});
