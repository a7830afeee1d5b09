import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArgs } from '../../src/cli/args.ts';
import { scenarioNames } from '../../src/simulation/scenarios.ts';
import { proofNames, stepNames } from '../../steps/step-names.ts';
import { emptyDirectory, run, stackTrace } from './program.ts';

/** The commands of this program in what it printed: in backticks, or at the end of a line. */
function commandsIn(text: string): readonly string[] {
	const quoted = [...text.matchAll(/`(sysbox-setup(?: [^`]*)?)`/g)].map(match => match[1] ?? '');
	const whole = text
		.split('\n')
		.filter(line => !line.includes('`') && !/^[*\d ]*\d{8}t\d{6}/.test(line.trim()))
		.flatMap(line => /(?:^|[\s;])(sysbox-setup (?:--|check|plan|test|revert|status)[^;]*)$/.exec(line)?.[1] ?? []);
	return [...new Set([...quoted, ...whole])].map(command => command.trim());
}

/** Unattended, as nobody sits here; what only looks is taken as it is. */
const unattended = (words: readonly string[]): readonly string[] =>
	words.some(word => ['check', 'plan', 'status', '--yes'].includes(word)) ? words : [...words, '--yes'];

/** Where what is printed is started too; of the others it is read as the program reads it. */
const started: ReadonlySet<string> = new Set(['outdated-sysbox', 'no-internet', 'broken-daemon-json']);

const quiet = { version: '', steps: stepNames, proofs: proofNames, out: () => undefined };

describe('a demo prints commands that work in it', () => {
	it.concurrent.each(scenarioNames)('%s', async scenario => {
		const directory = emptyDirectory('keep');
		const demo = [`--demo=${scenario}`, '--session-dir', join(directory, 'state')];
		const printed = new Set<string>();
		const collect = async (argv: readonly string[]): Promise<number | undefined> => {
			const { exit, stdout, stderr } = await run(argv, { cwd: directory });
			expect(`${stdout}${stderr}`).not.toMatch(stackTrace);
			for (const command of commandsIn(`${stdout}\n${stderr}`)) printed.add(command);
			return exit;
		};
		const runs = started.has(scenario) ? [['--yes'], ['status']] : [];
		for (const argv of [[], ['check'], ['plan', '--out', 'p.json'], ['revert', 'none.md', '--yes'], ...runs])
			await collect([...argv, ...demo]);
		expect(printed.size).toBeGreaterThan(2);
		for (const command of printed) {
			expect(command).toMatch(
				scenario === 'fresh-ubuntu' ? /--demo(?![=-])|--demo=fresh-ubuntu/ : `--demo=${scenario}`,
			);
			const words = command.split(' ').slice(1);
			expect(parseArgs(words, { ...quiet, err: text => expect(text).toBe('') }).kind).toBe('invocation');
			// One that names a file of the operator's is for them to fill in.
			if (started.has(scenario) && !/answers\.yml|upgrade\.yml|FILE|RUN\b/.test(command))
				expect([command, await collect(unattended(words))]).not.toEqual([command, 2]);
		}
	});
});
