import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startInTerminal } from './support-terminal.ts';
import { ctrlC, enter, executeRun } from './walk.ts';

const right = '\u001b[C';

/** The answer that is not the default. */
const memory = { shows: 'How much memory', keys: `3g${enter}` };

/** Plans of the only run in a state directory, as its log tells them. */
function plansIn(directory: string): readonly unknown[] {
	const runs = join(directory, 'runs');
	const [run = ''] = readdirSync(runs);
	return readFileSync(join(runs, run, 'events.ndjson'), 'utf8')
		.split('\n')
		.filter(line => line.includes('"type":"plan"'))
		.map(line => JSON.parse(line))
		.map(({ step, actions }) => ({ step, actions }));
}

/** A file of the simulated host, which keeps its state in the demo's directory. */
const textOnHost = (directory: string, path: string): string =>
	JSON.parse(readFileSync(join(directory, 'host-fresh-ubuntu.json'), 'utf8')).files[path].text;

describe('the answers that a wizard run saves', () => {
	it('give the same plans unattended, and are the defaults of another wizard run', async () => {
		const first = startInTerminal();
		await executeRun(first, { to: '❯ Leave     Write', stops: [memory] });
		first.type(`${right}${enter}`);
		await first.until('saved: /root/sysbox-setup-answers.yml');
		first.type(enter);
		expect(await first.ended).toBe(0);
		const answers = join(mkdtempSync(join(tmpdir(), 'answers-')), 'answers.yml');
		writeFileSync(answers, textOnHost(first.directory, '/root/sysbox-setup-answers.yml'));

		const again = startInTerminal({ args: ['--yes', '--answers', answers] });
		expect(await again.ended).toBe(0);
		expect(plansIn(again.directory)).toEqual(plansIn(first.directory));
		expect(JSON.stringify(plansIn(again.directory))).toContain('3g');

		const asked = startInTerminal({ args: ['--answers', answers] });
		await executeRun(asked, { to: 'How much memory' });
		await asked.until('3g   (enter takes it)');
		asked.type(ctrlC);
		expect(await asked.ended).toBe(130);
	});
});
