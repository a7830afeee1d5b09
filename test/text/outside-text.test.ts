/**
 * Sources of outside text to every output, through the commands themselves. A source is a row of `outside-sources.ts`, an
 * output one in `outputsOf`; a source that reaches no output fails, as nothing would be tested by it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { explainError } from '../../src/cli/explain-error.ts';
import { readHeldTo } from '../../src/cli/plan-file.ts';
import { readPassed } from '../../src/cli/preflight.ts';
import { revert } from '../../src/cli/revert.ts';
import { executeRun } from '../../src/cli/run.ts';
import { status } from '../../src/cli/status.ts';
import type { Event } from '../../src/model/event.ts';
import { riskNames } from '../../src/model/risk.ts';
import type { ExecResult, OutputLine } from '../../src/port/host.ts';
import { openRun } from '../../src/session/open-run.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { lineOf } from '../../src/text/safe.ts';
import { steps } from '../../steps/index.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';
import { aroundRun, hostDirectory, hostIn } from '../runbook/whole-runbook.ts';
import { type Bed, bedOf, type Scene, scenes } from './outside-sources.ts';
import { shownAs } from './shown-as.tsx';
import { expectSafe, hostile } from './unsafe.ts';

// Several whole runs in each, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 });

interface Setting {
	readonly scene: Scene;
	readonly bed: Bed;
	readonly host: SimulatedHost;
	/** On this machine. */
	readonly directory: string;
}

function settingOf(scene: Scene): Setting {
	const bed = bedOf(scene);
	const real = hostIn(bed.state, { faults: bed.faults, onUnknownCommand: 'not-found' });
	const said = (result: ExecResult, argv: readonly string[], onLine?: (line: OutputLine) => void): ExecResult => {
		const changed = bed.says.reduce((so, change) => change(argv, so), result);
		if (changed !== result)
			for (const stream of ['stdout', 'stderr'] as const)
				for (const text of changed[stream].split('\n')) onLine?.({ stream, text });
		return changed;
	};
	const host: SimulatedHost = Object.assign(Object.create(real), {
		exec: async (argv, options) => said(await real.exec(argv, options), argv, options.onLine),
		run: async (argv, options) => said(await real.run(argv, options), argv, options.onLine),
	} satisfies Pick<SimulatedHost, 'exec' | 'run'>);
	return { scene, bed, host, directory: join(scratchDirectory(), 'state') };
}

interface How {
	readonly format?: 'json';
	/** Plain questions, each answered with its default. */
	readonly plain?: true;
	readonly out?: string;
}

/** What surrounds a process: its two streams are kept apart. */
function processAround({ bed, host, directory }: Setting, how: How) {
	const { options, terminal, ...around } = aroundRun(host, { changeId: bed.changeId, format: how.format }, directory);
	const said = { out: '', err: '' };
	const to = (stream: 'out' | 'err') => (text: string) => {
		said[stream] += text;
	};
	let asked = 0;
	return {
		...around,
		said,
		options: how.plain === true ? { ...options, yes: false, plain: true } : options,
		terminal: {
			...terminal,
			interactive: how.plain === true,
			out: to('out'),
			err: to('err'),
			// As the terminal of the process does it: a prompt is one line.
			ask: async (prompt: string) => {
				said.err += lineOf(prompt);
				asked += 1;
				return asked > 200 ? null : /\[g\]o on without/.test(prompt) ? 'g' : '';
			},
		},
	};
}

/** One process of the tool; what it put on stdout and stderr. */
async function processOn(
	setting: Setting,
	mode: 'run' | 'check' | 'plan',
	how: How = {},
): Promise<{ readonly out: string; readonly err: string }> {
	const { bed, host, scene } = setting;
	await host.makeDirectory(hostDirectory, { mode: 0o700 });
	const { said, say: _, screen: __, ...around } = processAround(setting, how);
	const opened = mode === 'run' ? await openRun(around.environment, { mode, fresh: true }) : undefined;
	try {
		await executeRun({
			...around,
			mode,
			steps,
			selection: scene.selection ?? { skip: ['functional', 'security'] },
			passed: { answers: bed.answers, waivers: bed.waivers, risks: riskNames },
			strict: false,
			out: how.out,
			opened,
		});
	} catch (error) {
		explainError(error, around.terminal.err);
	} finally {
		await opened?.close();
	}
	return said;
}

async function afterwards(setting: Setting, what: 'status' | 'revert', how: How = {}) {
	const { said, say: _, screen: __, ...around } = processAround(setting, how);
	await (what === 'status' ? status(around.environment, around.terminal) : revert(around)).catch(error =>
		explainError(error, around.terminal.err),
	);
	return said;
}

/** The log of the newest run, as it lies on disk. */
function logIn(directory: string): string {
	const runs = join(directory, 'runs');
	const newest = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
	return newest === undefined ? '' : readFileSync(join(runs, newest, 'events.ndjson'), 'utf8');
}

const eventsIn = (ndjson: string): readonly Event[] =>
	ndjson
		.split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line));

/** What each output was, by its name. */
async function outputsOf(scene: Scene): Promise<ReadonlyMap<string, string>> {
	const outputs = new Map<string, string>();
	const add = (name: string, { out, err }: { readonly out: string; readonly err: string }): void => {
		outputs.set(`${name}, stdout`, out);
		outputs.set(`${name}, stderr`, err);
	};
	const look = settingOf(scene);
	add('check', await processOn(look, 'check'));
	add('check, NDJSON', await processOn(look, 'check', { format: 'json' }));
	const out = join(scratchDirectory(), 'plan.json');
	add('plan', await processOn(look, 'plan', { out }));
	outputs.set('saved plan', existsSync(out) ? readFileSync(out, 'utf8') : '');

	const run = settingOf(scene);
	add('--yes', await processOn(run, 'run'));
	const log = logIn(run.directory);
	outputs.set('log', log);
	// The wizard, and the readers that are not started here, from what the run has logged.
	if (log.includes('MARK-'))
		for (const [name, text] of await shownAs(eventsIn(log))) outputs.set(`${name}, from the log`, text);
	add('status', await afterwards(run, 'status'));
	if (scene.everywhere === true) add('revert', await afterwards(run, 'revert'));
	const { files, journal } = run.host.state();
	for (const [path, node] of Object.entries(files))
		if (/^\/root\/.*\.md$/s.test(path) && node.kind === 'file') outputs.set('record', node.text ?? '');
	outputs.set(
		'system log',
		journal
			.filter(({ who }) => who === 'sysbox-setup')
			.map(({ text }) => text)
			.join('\n'),
	);

	if (scene.everywhere !== true) return outputs;
	const machine = settingOf(scene);
	add('run, NDJSON', await processOn(machine, 'run', { format: 'json' }));
	add('revert, NDJSON', await afterwards(machine, 'revert', { format: 'json' }));
	add('revert of nothing, NDJSON', await afterwards(machine, 'revert', { format: 'json' }));

	add('--plain', await processOn(settingOf(scene), 'run', { plain: true }));
	return outputs;
}

describe('what others chose is shown, and not obeyed', () => {
	test.each(scenes.map(scene => [scene.name, scene] as const))('%s', async (_name, scene) => {
		const outputs = await outputsOf(scene);
		for (const [name, text] of outputs) {
			expectSafe(name.startsWith('record') ? 'record' : name, text);
			// stdout is data: every line of it is an event.
			if (name.endsWith('NDJSON, stdout')) expect(() => eventsIn(text), name).not.toThrow();
		}
		const all = [...outputs.values()].join('\n');
		const arrived = scene.sources.filter(({ mark }) => all.includes(`MARK-${mark}.`));
		const shown = scene.sources.filter(({ hidden }) => hidden === undefined);
		expect(arrived.map(({ mark }) => mark)).toEqual(shown.map(({ mark }) => mark));
	});
});

describe('files that were passed', () => {
	const files: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
		['saved plan', path => readHeldTo(path, 'sysbox-setup')],
		['answers file', path => readPassed({ answers: path, acceptRisk: [] })],
	];
	test.each(files)('%s: hostile keys, in a file of a hostile name', async (_, read) => {
		const text = hostile('passed');
		const path = join(scratchDirectory(), hostile('name').replaceAll(/[\0/]/g, ''));
		writeFileSync(path, JSON.stringify({ format: text, [text]: 1 }));
		let said = '';
		await read(path).catch(error =>
			explainError(error, line => {
				said += line;
			}),
		);
		expectSafe('refusal', said);
		expect(said).toContain('MARK-name');
	});
});
