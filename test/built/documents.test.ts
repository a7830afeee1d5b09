import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArgs } from '../../src/cli/args.ts';
import { proofNames, stepNames } from '../../steps/step-names.ts';
import { emptyDirectory, root, run } from './program.ts';

/** Every document of the repository. */
const documents: readonly string[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
	.filter(path => path.endsWith('.md') && !/(?:^|\/)(?:node_modules|\.git|dist)\//.test(path))
	.toSorted();

/** Lines that are not started here, each with the reason. */
const notStarted: Readonly<Record<string, string>> = {
	'npm ci && npm start': 'installs packages; test/built/pack.test.ts starts the packed program',
	'npm ci && npm test': 'starts all tests, this one among them',
	'npm ci && npm pack': 'installs packages; test/built/pack.test.ts packs',
	'npm install --global ./sysbox-setup-*.tgz': 'changes the global packages of this machine',
	'npm ci': 'installs packages',
	'npm run check': 'a gate of its own',
	'npm test': 'starts all tests, this one among them',
	'npm run new-step log-limits': 'changes the source; test/built/new-step.test.ts starts it on a copy',
	'npm run lab': 'starts a shell on a host of the lab',
	'npm run bench': 'measures for minutes',
	'npm run pictures': 'rewrites the pictures of the documents',
};

const fences = (document: string, language: string): readonly string[] =>
	[...readFileSync(join(root, document), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(
		([, tag, text = '']) => (tag === language ? [text] : []),
	);

const linesOf = (document: string): readonly string[] =>
	fences(document, 'sh').flatMap(text => text.split('\n').flatMap(line => line.replace(/\s+#.*$/, '').trim() || []));

const sample = (): string => fences('README.md', 'yaml').join('');

/** What a documented line ends with on a fresh simulated host, after those before it. */
const exits: Readonly<Record<string, number>> = { check: 4, plan: 4 };

describe('the documents', () => {
	it('are all of them, and have no command in a fence of another name', () => {
		const places = ['README.md', 'docs/decisions/001-node-20.md', 'templates/README.md', 'steps/ci/README.md'];
		expect(documents).toEqual(expect.arrayContaining(places));
		const tags = documents.flatMap(document =>
			[...readFileSync(join(root, document), 'utf8').matchAll(/^[ \t>]*(?:```|~~~)+(.*)$/gm)].flatMap(
				([fence, tag], at) =>
					at % 2 === 0 && !['sh', 'yaml', 'ts', 'text'].includes(tag ?? '') ? [`${document}: ${fence}`] : [],
			),
		);
		expect(tags).toEqual([]);
	});

	it('have each of their shell lines started here, or listed with the reason', () => {
		const lines = documents.flatMap(linesOf);
		const strange = lines.filter(line => !line.startsWith('sysbox-setup') && notStarted[line] === undefined);
		expect(strange).toEqual([]);
		expect(Object.keys(notStarted).filter(line => !lines.includes(line))).toEqual([]);
	});

	it('of README: every line of this program ends as documented, on one simulated host in their order', async () => {
		const directory = emptyDirectory();
		writeFileSync(join(directory, 'answers.yml'), sample());
		const lines = linesOf('README.md').filter(line => line.startsWith('sysbox-setup'));
		expect(lines.length).toBeGreaterThan(5);
		for (const line of lines) {
			const words = line.split(/\s+/).slice(1);
			const asks = words.length === 0 || words[0] === 'revert' ? ['--yes'] : [];
			const fresh = words.includes('--plan') || words[0] === 'plan' ? ['--fresh'] : [];
			const { exit, stderr } = await run([...words, ...asks, ...fresh, '--demo', '--session-dir', 'state'], {
				cwd: directory,
			});
			expect([line, exit, stderr.match(/^sysbox-setup: .*/m)?.[0]]).toEqual([
				line,
				exits[words[0] ?? ''] ?? 0,
				undefined,
			]);
		}
	});

	it('of README: name every option that there is, and none that is not', () => {
		let help = '';
		const texts = { version: '', steps: stepNames, proofs: proofNames, err: () => undefined };
		for (const argv of [['--help'], ...['check', 'plan', 'test'].map(command => [command, '--help'])])
			parseArgs(argv, { ...texts, out: text => (help += text) });
		const optionsIn = (text: string): ReadonlySet<string> => new Set(text.match(/--[a-z][a-z-]+/g));
		const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll(
			/^.*(?:npm |--privileged|--config-file).*$/gm,
			line => line.replaceAll(/--(?:global|privileged|config-file)\b/g, ''),
		);
		const missing = [...optionsIn(help)].filter(option => !optionsIn(readme).has(option));
		expect(missing.filter(option => !['--help', '--version'].includes(option))).toEqual([]);
		expect([...optionsIn(readme)].filter(option => !optionsIn(help).has(option))).toEqual([]);
		// Every one of the table has its variable, and those that README excepts are the others.
		const [, except = ''] = /^command alone \((.*)\) cannot\.$/m.exec(readme) ?? [];
		const variable = (option: string): string => `SBXSETUP_${option.slice(2).toUpperCase().replaceAll('-', '_')}`;
		const without = [...optionsIn(help)].filter(option => !new RegExp(`${variable(option)}\\b`).test(help));
		expect(without.filter(option => !['--help', '--version'].includes(option)).toSorted()).toEqual(
			[...optionsIn(except)].toSorted(),
		);
	});
});
