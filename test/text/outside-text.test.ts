/**
 * Sources of outside text to every output, through the commands themselves. A source is a row of `outside-sources.ts`, an
 * output one in `outputsOf`; a source that reaches no output fails, as nothing would be tested by it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parseArgs } from '../../src/cli/args.ts';
import { explainError } from '../../src/cli/explain-error.ts';
import { type HeldTo, readHeldTo } from '../../src/cli/plan-file.ts';
import { readPassed } from '../../src/cli/preflight.ts';
import { revert } from '../../src/cli/revert.ts';
import { executeRun } from '../../src/cli/run.ts';
import { status } from '../../src/cli/status.ts';
import { type Event, eventVersion } from '../../src/model/event.ts';
import { riskNames } from '../../src/model/risk.ts';
import type { ExecResult, OutputLine } from '../../src/port/host.ts';
import { planDigest } from '../../src/saved-plan/saved-plan.ts';
import { openRun } from '../../src/session/open-run.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { lineOf, safeLines } from '../../src/text/safe.ts';
import { sha256 } from '../../src/text/sha256.ts';
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
	readonly held?: HeldTo;
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
			held: how.held,
			opened,
		});
	} catch (error) {
		explainError(error, around.terminal.err);
	} finally {
		await opened?.close();
	}
	return said;
}

async function afterwards(setting: Setting, what: 'status' | 'revert', how: How = {}, named?: string) {
	const { said, say: _, screen: __, ...around } = processAround(setting, how);
	await (what === 'status' ? status(around.environment, around.terminal, named) : revert({ ...around, named })).catch(
		error => explainError(error, around.terminal.err),
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

const bare: Scene = { name: 'nothing planted', sources: [] };

/** A setting with a log of an earlier run, byte by byte as given: nothing has made it safe. */
function settingWithLog(log: string): Setting {
	const setting = settingOf(bare);
	const run = join(setting.directory, 'runs', '0r1');
	mkdirSync(join(run, 'backup'), { recursive: true, mode: 0o700 });
	writeFileSync(join(run, 'events.ndjson'), log);
	return setting;
}

/** What any string of a run's log can be. */
function hostileLog(): string {
	const inStep = { step: 'host' };
	const undo = [
		{ kind: 'file', path: `/etc/${hostile('path')}`, before: null, after: sha256('x') },
		{ kind: 'folder', path: `/etc/${hostile('folder')}` },
		{
			kind: 'commands',
			commands: [{ argv: ['false', hostile('undo-argv')], timeoutMs: 1000, why: hostile('undo-why') }],
			leaves: [hostile('leaves')],
		},
	];
	const payloads: readonly object[] = [
		{
			...{ type: 'run.start', run: '0r1', tool: hostile('tool'), mode: 'run', simulated: true },
			...{ host: hostile('host'), user: hostile('user'), command: [hostile('command')] },
		},
		{ type: 'step.start', ...inStep, title: hostile('step-title'), kind: 'change', n: 1, of: 1 },
		{
			...{ type: 'findings', ...inStep, when: 'before' },
			findings: [
				{ id: 'host.x', severity: 'warn', summary: hostile('finding'), evidence: hostile('finding-evidence') },
			],
		},
		...undo.flatMap((of, n) => [
			{
				...{ type: 'action.intent', ...inStep, action: `a${n}`, kind: 'write', undo: of },
				...{ title: hostile(`title-${n}`), does: hostile(`does-${n}`) },
			},
			{ type: 'output', ...inStep, action: `a${n}`, stream: 'stdout', line: hostile('output') },
			{ type: 'action.outcome', ...inStep, action: `a${n}`, outcome: 'done', ms: 1, evidence: hostile('evidence') },
		]),
		{ type: 'step.end', ...inStep, status: 'failed', why: hostile('why'), changed: true, open: [hostile('step-open')] },
		{
			type: 'record.written',
			...inStep,
			path: `/root/${hostile('record')}`,
			sha256: 'b'.repeat(64),
			incomplete: false,
		},
		{ type: 'run.end', outcome: 'failed', exit: 1, changed: true, reboot: false, open: [hostile('open')] },
	];
	return payloads
		.map((of, seq) => `${JSON.stringify({ v: eventVersion, seq, at: '2026-11-24T01:00:00.000Z', ...of })}\n`)
		.join('');
}

describe('the log of an earlier run, read from disk', () => {
	const marksIn = (text: string): readonly string[] => [
		...new Set([...text.matchAll(/MARK-([a-z\d-]+)\./g)].map(([, mark]) => mark ?? '')),
	];
	const expectAllSafe = (outputs: Readonly<Record<string, string>>): void => {
		for (const [name, text] of Object.entries(outputs)) expectSafe(name, text);
	};
	const both = ({ out, err }: { readonly out: string; readonly err: string }): string => `${out}\n${err}`;

	test('status and revert show what it holds, and obey nothing of it', async () => {
		const listed = both(await afterwards(settingWithLog(hostileLog()), 'status'));
		const named = both(await afterwards(settingWithLog(hostileLog()), 'status', {}, '0r1'));
		const text = both(await afterwards(settingWithLog(hostileLog()), 'revert'));
		const json = settingWithLog(hostileLog());
		const data = await afterwards(json, 'revert', { format: 'json' }, '0r1');
		expectAllSafe({ listed, named, text, json: both(data), log: logIn(json.directory) });
		expect(() => eventsIn(data.out)).not.toThrow();
		// Not of what was found, done to the word, printed and seen: status.ts, statusLines. Nor the tool: log-lines.ts.
		const told = ['command', 'host', 'open', 'record', 'step-title', 'title-0', 'title-1', 'title-2', 'user', 'why'];
		expect(marksIn(listed).toSorted()).toEqual(told);
		expect(marksIn(named).toSorted()).toEqual(told.filter(mark => mark !== 'command'));
		// A folder that is gone leaves nothing to revert.
		const takenBack = ['leaves', 'path', 'title-2', 'undo-argv', 'undo-why'];
		expect(marksIn(`${text}${both(data)}`).toSorted()).toEqual(takenBack);
	});

	const wrongEvent = { v: eventVersion, seq: 99, at: '', type: 'run.end', outcome: hostile('wrong') };
	const newer = { v: 99, seq: 0, at: '', type: 'x', tool: hostile('newer') };
	const broken: readonly (readonly [string, string, readonly string[]])[] = [
		// Of a wrong value only its place is told; of the lines before it, whose the backups are.
		['a line that is no event', `${hostileLog()}${JSON.stringify(wrongEvent)}\n{}\n`, ['path']],
		['a newer tool', `${JSON.stringify(newer)}\n`, ['newer']],
		// It is named by its number only: log-lines.ts, readLogLines.
		['a line that is no JSON', `${hostile('no-json')}\n{}\n`, []],
	];
	test.each(broken)('that cannot be read: %s', async (_, log, marks) => {
		const setting = settingWithLog(log);
		writeFileSync(join(setting.directory, 'runs', '0r1', 'backup', sha256('x')), 'x');
		const told = both(await afterwards(setting, 'status'));
		const refused = both(await afterwards(setting, 'revert'));
		expectAllSafe({ told, refused });
		expect(told).toContain('0r1');
		expect(marksIn(told + refused)).toEqual(marks);
	});
});

describe('a valid plan that somebody handed over', () => {
	test('what differs from it is shown, and not obeyed', async () => {
		const scene: Scene = { ...bare, selection: { only: ['host'] } };
		const out = join(scratchDirectory(), 'plan.json');
		await processOn(settingOf(scene), 'plan', { out });
		const { digest: _, ...plan } = JSON.parse(readFileSync(out, 'utf8'));
		const [step] = plan.steps;
		const [first] = step.actions;
		// What its format holds to be one word has no control characters.
		const word = (mark: string): string => hostile(mark).replaceAll(/\p{Cc}/gu, '');
		const exact = { ...first.exact, sha256: 'a'.repeat(64) };
		step.actions[0] = { ...first, exact, does: hostile('does'), undo: hostile('undo'), title: hostile('title') };
		step.actions.push({ ...first, id: hostile('id'), title: hostile('less'), does: hostile('less-does') });
		plan.steps.push({ id: word('step'), title: word('step-title'), actions: [] });
		plan.made.by = word('made-by');
		const path = join(scratchDirectory(), hostile('file').replaceAll(/[\0/]/g, ''));
		writeFileSync(path, JSON.stringify({ ...plan, digest: planDigest(plan) }));
		const { out: stdout, err } = await processOn(settingOf(scene), 'run', { held: await readHeldTo(path, 'x') });
		expectSafe('stdout', stdout);
		expectSafe('stderr', err);
		for (const mark of ['file', 'made-by', 'less', 'does', 'undo', 'step']) expect(err).toContain(`MARK-${mark}.`);
	});
});

describe('variables of the environment', () => {
	test.each(['SBXSETUP_FORMAT', 'SBXSETUP_ONLY'])('%s: a refusal repeats it, and does not obey it', name => {
		vi.stubEnv(name, hostile('variable').replaceAll('\0', ''));
		let said = '';
		const say = (text: string): void => {
			// As the program does it.
			said += safeLines(text);
		};
		parseArgs([], { version: '1.0.0', steps: ['host'], proofs: [], out: say, err: say });
		vi.unstubAllEnvs();
		expectSafe('refusal', said);
		expect(said).toContain('MARK-variable.');
	});
});
