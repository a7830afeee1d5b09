#!/usr/bin/env node
// `npm run new-step NAME [--before STEP]`: a change step that passes every check, to be made into your own; the guide is
// docs/add-a-step.md. It looks at /etc/NAME.conf and, where that file is there with other words, writes the wanted ones.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const { positionals, values } = parseArgs({ allowPositionals: true, options: { before: { type: 'string' } } });
const [name] = positionals;
const namesFile = 'steps/step-names.ts';
const names = [...(/stepNames = \[([^\]]*)\]/.exec(await read(namesFile))?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(
	([, found]) => found,
);
// Behind the changes and before the proofs, which prove what was changed.
const before = values.before ?? 'functional';

if (name === undefined || positionals.length > 1) fail('usage: npm run new-step NAME [-- --before STEP]');
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) fail(`${name}: a name is lower case, with dashes: log-limits`);
if (names.includes(name) || existsSync(join(root, 'steps', name))) fail(`there is a step ${name} already`);
if (!names.includes(before)) fail(`--before ${before}: the steps are ${names.join(', ')}`);

const words = name.replaceAll('-', ' ');
const title = `${words[0].toUpperCase()}${words.slice(1)}`;
const camel = name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
const type = `${camel[0].toUpperCase()}${camel.slice(1)}`;

const files = {
	[`steps/${name}/facts.ts`]: `import type { StepContext } from '../../src/model/step.ts';
import type { ReadResult } from '../../src/port/host.ts';

/** The file that this step is about. */
export const path = '/etc/${name}.conf';

export interface ${type}Facts {
	readonly file: ReadResult;
}

/** Reads the host. It changes nothing. */
export const inspect${type} = async ({ host }: StepContext): Promise<${type}Facts> => ({ file: await host.readFile(path) });
`,
	[`steps/${name}/judge.ts`]: `import type { Finding } from '../../src/model/finding.ts';
import { path, type ${type}Facts } from './facts.ts';
import { isWanted } from './plan.ts';

/** What was seen, and what ends it. What could not be read is 'could-not-tell', never 'ok'. */
export function judge${type}({ file }: ${type}Facts): readonly Finding[] {
	const id = '${name}.file';
	switch (file.kind) {
		case 'missing':
			return [{ id, severity: 'ok', summary: \`There is no \${path}\` }];
		case 'bytes':
			return isWanted(file.bytes)
				? [{ id, severity: 'ok', summary: \`\${path} has the wanted content\` }]
				: [
						{
							id,
							severity: 'warn',
							summary: \`\${path} has other content\`,
							remedy: { kind: 'planned', text: 'it is written' },
						},
					];
		default:
			return [
				{
					id,
					severity: 'could-not-tell',
					summary: \`\${path} cannot be read\`,
					needsRoot: file.kind === 'denied' ? true : undefined,
				},
			];
	}
}
`,
	[`steps/${name}/plan.ts`]: `import type { Plan } from '../../src/model/action.ts';
import { sha256 } from '../../src/text/sha256.ts';
import { path, type ${type}Facts } from './facts.ts';

const wanted = new TextEncoder().encode('# ${words}\\n');

export const isWanted = (bytes: Uint8Array): boolean => Buffer.compare(bytes, wanted) === 0;

/** Empty when nothing is left to do: its own effects have to make it so. */
export function plan${type}({ file }: ${type}Facts): Plan {
	if (file.kind !== 'bytes' || isWanted(file.bytes)) return { actions: [] };
	return {
		actions: [
			{
				id: 'file',
				kind: 'write',
				title: \`Write \${path}\`,
				why: 'say here what it is good for',
				path,
				bytes: wanted,
				before: new TextDecoder().decode(file.bytes),
				mode: 0o644,
				expect: { kind: 'sha256', sha256: sha256(file.bytes) },
			},
		],
	};
}
`,
	[`steps/${name}/step.ts`]: `import { changeStep, type Step } from '../../src/model/step.ts';
import { findingIds } from '../../src/model/finding-id.ts';
import { inspect${type}, type ${type}Facts } from './facts.ts';
import { judge${type} } from './judge.ts';
import { plan${type} } from './plan.ts';

export const ${camel}Step: Step = changeStep<${type}Facts>({
	id: '${name}',
	title: '${title}',
	why: 'Say in one sentence what it does and why.',
	brief: '${words}',
	needs: [],
	findingIds: findingIds({ '${name}.file': 'the content of /etc/${name}.conf' }),
	inspect: inspect${type},
	judge: judge${type},
	plan: plan${type},
});
`,
	[`steps/${name}/README.md`]: `# ${name}: ${words}

Looks at \`/etc/${name}.conf\`.

## What it changes on the host

That file, where it is there with other content.

## How it is undone

\`revert\` puts the old bytes back.

## When it is skipped

The file stays as it is.
`,
	[`test/steps/${name}.test.ts`]: `import { describe, expect, test } from 'vitest';
import { put } from '../../src/simulation/file-tree.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { ${camel}Step } from '../../steps/${name}/step.ts';
import { hostOf, runbook } from '../runbook/whole-runbook.ts';

const path = '/etc/${name}.conf';
// With the folders above it: a file without them is not there.
const withFile = (text: string) => (state: SimulatedState) => put(state.files, path, text);
const run = async (host: ReturnType<typeof hostOf>) => {
	const { kept, ...rest } = await runbook(host, { selection: { only: ['${name}'] } });
	const events = kept.events.filter(event => 'step' in event && event.step === ${camel}Step.id);
	const findings = events.flatMap(event => (event.type === 'findings' ? event.findings : []));
	return { ...rest, findings, plans: events.filter(event => event.type === 'plan') };
};

describe('${words}', () => {
	test('without the file nothing is planned', async () => {
		const { plans, findings, screen } = await run(hostOf('already-set-up'));
		expect(plans, screen).toEqual([]);
		expect(findings, screen).toMatchObject([{ id: '${name}.file', severity: 'ok' }]);
	});

	test('other content is replaced, and the second run has nothing to do', async () => {
		const host = hostOf('already-set-up', { change: withFile('old\\n') });
		const { plans, screen } = await run(host);
		expect(plans, screen).toHaveLength(1);
		expect(await host.readFile(path)).toMatchObject({ kind: 'bytes', bytes: new TextEncoder().encode('# ${words}\\n') });
		expect((await run(host)).plans).toEqual([]);
	});
});
`,
};

for (const [path, text] of Object.entries(files)) {
	await mkdir(dirname(join(root, path)), { recursive: true });
	await writeFile(join(root, path), text, { flag: 'wx' });
}
await edit(namesFile, `'${before}'`, `'${name}', '${before}'`);
await edit(
	'steps/index.ts',
	"import { type StepName, stepNames } from './step-names.ts';",
	`import { ${camel}Step } from './${name}/step.ts';\nimport { type StepName, stepNames } from './step-names.ts';`,
);
await edit('steps/index.ts', `\t${before}:`, `\t${name === camel ? name : `'${name}'`}: ${camel}Step,\n\t${before}:`);

const made = [...Object.keys(files), namesFile, 'steps/index.ts'];
execFileSync(
	join(root, 'node_modules/.bin/biome'),
	['check', '--write', ...made.filter(path => !path.endsWith('.md'))],
	{
		cwd: root,
		stdio: ['ignore', 'ignore', 'inherit'],
	},
);

process.stdout.write(
	[
		`Made ${Object.keys(files).join(', ')}; entered in ${namesFile} and steps/index.ts, before ${before}.`,
		'Next: npm run check && npx vitest run test/steps test/verdicts',
		'Then make it your own: docs/add-a-step.md',
		'',
	].join('\n'),
);

function read(path) {
	return readFile(join(root, path), 'utf8');
}

async function edit(path, from, to) {
	const text = await read(path);
	if (!text.includes(from)) fail(`${path} does not hold ${from}: enter the step there by hand`);
	await writeFile(join(root, path), text.replace(from, to));
}

function fail(why) {
	process.stderr.write(`new-step: ${why}\n`);
	process.exit(1);
}
