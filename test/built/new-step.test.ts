import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'new-step-'));
const run = (program: string, ...args: readonly string[]): string =>
	execFileSync(program, args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

afterAll(() => rmSync(copy, { recursive: true }));

describe('npm run new-step', () => {
	it('makes a step that passes the checks, and whose test passes', () => {
		const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
			cwd: root,
			encoding: 'utf8',
		});
		for (const file of files.trim().split('\n')) cpSync(join(root, file), join(copy, file));
		symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
		const [guided = ''] = /npm run new-step .*/.exec(readFileSync(join(copy, 'docs/add-a-step.md'), 'utf8')) ?? [];
		const [, ...argv] = guided.split(' ');
		expect(run('npm', ...argv)).toContain('Made steps/log-limits/facts.ts');
		run('npx', 'biome', 'check', '--vcs-enabled=false', 'steps', 'test/steps');
		run('npm', 'run', 'types');
		run('npm', 'run', 'imports');
		run('npx', 'vitest', 'run', 'test/steps/log-limits.test.ts', 'test/steps/step-names.test.ts');
		expect(() => run('npm', ...argv)).toThrow('there is a step log-limits already');
	});
});
