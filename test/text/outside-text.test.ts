/**
 * Sources of outside text, with what a terminal obeys in them, to the outputs in lines and files. A source is one line in `sources`, an
 * output one in `outputsOf`; a source that reaches no output fails, as nothing would be tested by it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { explainError } from '../../src/cli/explain-error.ts';
import { readHeldTo } from '../../src/cli/plan-file.ts';
import { revert } from '../../src/cli/revert.ts';
import type { RunRequest } from '../../src/cli/run/request.ts';
import { executeRun } from '../../src/cli/run.ts';
import { status } from '../../src/cli/status.ts';
import type { Answers } from '../../src/model/question.ts';
import type { ExecResult } from '../../src/port/host.ts';
import { openRun } from '../../src/session/open-run.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { type ScenarioName, scenarioState } from '../../src/simulation/scenarios.ts';
import type { Container, SimulatedState } from '../../src/simulation/state.ts';
import { steps } from '../../steps/index.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';
import { aroundRun, fileOf, hostDirectory, hostIn } from '../runbook/whole-runbook.ts';
import { hostile, mayObey } from './unsafe.ts';

// Several whole runs in each, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

/** What a source puts its text into, before the first command. */
interface Bed {
	state: SimulatedState;
	faults: Fault[];
	answers: Answers;
	changeId: string;
	/** What commands of the host say instead. */
	says: (argv: readonly string[], result: ExecResult) => ExecResult;
}

interface Source {
	readonly name: string;
	readonly scenario?: ScenarioName;
	readonly apply: (bed: Bed) => void;
}

const containerOf = ({ state }: Bed, name: string): Container => {
	const found = state.docker.engine.containers.find(c => c.name === name);
	if (found === undefined) throw new Error(`no container ${name}`);
	return found;
};
const put = ({ state }: Bed, path: string, text: string): void => {
	state.files[path] = fileOf(text);
};
/** The command that begins so fails, and says it on its stderr. */
const fails = (begin: string) => (bed: Bed) => {
	bed.says = (argv, result) =>
		argv.join(' ').startsWith(begin)
			? { ...result, code: 1, stdout: '', stderr: `Error response from daemon: ${hostile}\n` }
			: result;
};
const inFile = (path: string, found: string | RegExp, quoted: (text: string) => string) => (bed: Bed) => {
	const node = bed.state.files[path];
	if (node?.kind !== 'file' || node.text === undefined) throw new Error(`no text at ${path}`);
	const changed = node.text.replace(found, () => quoted(hostile));
	if (changed === node.text) throw new Error(`nothing to exchange in ${path}`);
	bed.state.files[path] = { ...node, text: changed };
};
const inOutput =
	(begin: string, found: string | RegExp, quoted = (text: string) => text) =>
	(bed: Bed) => {
		bed.says = (argv, result) =>
			argv.join(' ').startsWith(begin)
				? { ...result, stdout: result.stdout.replace(found, () => quoted(hostile)) }
				: result;
	};
const json = (text: string): string => JSON.stringify(text);

const sources: readonly Source[] = [
	{
		name: 'a label of a container: its compose file',
		scenario: 'containers-running',
		apply: bed => {
			containerOf(bed, 'jenkins-agent-1').options.labels['com.docker.compose.project.config_files'] = `/${hostile}`;
		},
	},
	{
		name: 'the name of a container',
		scenario: 'containers-running',
		apply: bed => {
			containerOf(bed, 'ci-postgres').name = hostile;
		},
	},
	{
		name: 'the image of a container',
		scenario: 'containers-running',
		apply: bed => {
			containerOf(bed, 'jenkins-agent-1').imageRef = hostile;
		},
	},
	{
		name: 'where a container mounts from',
		scenario: 'containers-running',
		apply: bed => {
			containerOf(bed, 'jenkins-agent-1').options.mounts.push({
				type: 'bind',
				source: `/etc/${hostile}`,
				target: '/x',
				readOnly: false,
			});
		},
	},
	{ name: "dockerd's stderr", apply: fails('docker info') },
	{ name: "the docker client's stderr, of a list", apply: fails('docker ps') },
	{ name: 'an answer of Docker that is no JSON', apply: inOutput('docker info', /^[\s\S]*$/) },
	{
		name: 'a field of docker info',
		scenario: 'already-set-up',
		apply: inOutput('docker info', /"DefaultRuntime":\s*"[^"]*"/, text => `"DefaultRuntime":${json(text)}`),
	},
	{
		name: 'os-release',
		apply: bed =>
			put(bed, '/etc/os-release', `ID=ubuntu\nVERSION_ID="99"\nPRETTY_NAME="${hostile.replace(/[\r\n]/g, '')}"\n`),
	},
	{
		name: 'the name of the host',
		apply: bed => {
			bed.state.machine.hostname = hostile;
		},
	},
	{
		name: 'the name of the user (SUDO_USER)',
		apply: bed => {
			bed.state.identity.user = hostile;
		},
	},
	{
		name: 'the release of the kernel',
		apply: bed => {
			bed.state.machine.kernel = `4.1.0-${hostile}`;
		},
	},
	{
		name: 'daemon.json: a key and its value',
		apply: bed =>
			put(bed, '/etc/docker/daemon.json', JSON.stringify({ [hostile]: hostile, 'default-runtime': hostile })),
	},
	{ name: 'daemon.json: no JSON', apply: bed => put(bed, '/etc/docker/daemon.json', `{ "x": ${hostile}`) },
	{
		name: "a runner's config.toml: its name",
		scenario: 'containers-running',
		apply: inFile(
			'/srv/gitlab-runner/config/config.toml',
			/name = "[^"]*"/,
			text => `name = ${json(text).replace(/[\u007f-\u009f]/g, '')}`,
		),
	},
	{
		name: 'the change number',
		apply: bed => {
			bed.changeId = hostile;
		},
	},
];

function hostFor(source: Source) {
	const bed: Bed = {
		state: scenarioState(source.scenario ?? 'fresh-ubuntu'),
		faults: [],
		answers: {},
		changeId: 'CHG 17',
		says: (_, result) => result,
	};
	source.apply(bed);
	const real = hostIn(bed.state, { faults: bed.faults, onUnknownCommand: 'not-found' });
	const said = (
		result: ExecResult,
		argv: readonly string[],
		onLine?: (line: { stream: 'stdout' | 'stderr'; text: string }) => void,
	) => {
		const changed = bed.says(argv, result);
		if (changed !== result) for (const text of changed.stderr.split('\n')) onLine?.({ stream: 'stderr', text });
		return changed;
	};
	const host: SimulatedHost = Object.assign(Object.create(real), {
		exec: async (argv, options) => said(await real.exec(argv, options), argv, options.onLine),
		run: async (argv, options) => said(await real.run(argv, options), argv, options.onLine),
	} satisfies Pick<SimulatedHost, 'exec' | 'run'>);
	return { bed, host, directory: join(scratchDirectory(), 'state') };
}

type Setting = ReturnType<typeof hostFor>;

/** One process of the tool; what it put on the terminal. */
async function processOn(
	{ bed, host, directory }: Setting,
	mode: 'run' | 'check' | 'plan',
	how: { readonly format?: 'json' } = {},
): Promise<string> {
	await host.makeDirectory(hostDirectory, { mode: 0o700 });
	const { screen, say, ...around } = aroundRun(
		host,
		{ changeId: bed.changeId, ...(how.format && { format: how.format }) },
		directory,
	);
	const opened = mode === 'run' ? await openRun(around.environment, { mode, fresh: true }) : undefined;
	const setup: RunRequest = {
		...around,
		mode,
		steps,
		// The proofs take the longest, and print what the others print.
		selection: { skip: ['functional', 'security'] },
		passed: { answers: bed.answers, waivers: [], risks: ['default-runtime'] },
		strict: false,
		...(opened !== undefined && { opened }),
	};
	try {
		await executeRun(setup);
	} catch (error) {
		explainError(error, say);
	} finally {
		await opened?.close();
	}
	return screen();
}

/** What each output was, by its name. */
async function outputsOf(source: Source): Promise<ReadonlyMap<string, string>> {
	const look = hostFor(source);
	const run = hostFor(source);
	const outputs = new Map<string, string>();
	outputs.set('check', await processOn(look, 'check'));
	outputs.set('check as NDJSON', await processOn(look, 'check', { format: 'json' }));
	outputs.set('plan', await processOn(look, 'plan'));
	outputs.set('--yes', await processOn(run, 'run'));
	const { files, journal } = run.host.state();
	for (const [path, node] of Object.entries(files))
		if (/^\/root\/.*\.md$/.test(path) && node.kind === 'file') outputs.set('record', node.text ?? '');
	outputs.set(
		'system log',
		journal
			.filter(({ who }) => who === 'sysbox-setup')
			.map(({ text }) => text)
			.join('\n'),
	);
	for (const name of ['status', 'revert'] as const) {
		const { screen, say, ...around } = aroundRun(run.host, {}, run.directory);
		await (name === 'status' ? status(around.environment, around.terminal) : revert(around)).catch(error =>
			explainError(error, say),
		);
		outputs.set(name, screen());
	}
	return outputs;
}

const reaches = (text: string): boolean => /52;c;eA==|FORGED/.test(text);
/** Further lines of a text are indented, so that none begins where ours do. */
const forged = (text: string): readonly string[] => text.split('\n').filter(line => line.startsWith('✔ all fine'));

const expectSafe = (name: string, text: string): void => {
	expect([...mayObey(text)], name).toEqual([]);
	expect(forged(text), name).toEqual([]);
};

describe('what others chose is shown, and not obeyed', () => {
	test.each(sources)('$name', async source => {
		const outputs = await outputsOf(source);
		for (const [name, text] of outputs) expectSafe(name, text);
		const reached = [...outputs].filter(([, text]) => reaches(text)).map(([name]) => name);
		expect(reached).not.toEqual([]);
	});
});

describe('files that were passed', () => {
	const files: readonly (readonly [string, string, (path: string) => Promise<unknown>])[] = [
		['a saved plan', JSON.stringify({ format: hostile, [hostile]: 1 }), path => readHeldTo(path, 'sysbox-setup')],
	];
	test.each(files)('%s', async (_, text, read) => {
		// The name of the file is hostile too.
		const path = join(scratchDirectory(), hostile.replaceAll('/', ''));
		writeFileSync(path, text);
		let said = '';
		await read(path).catch(error =>
			explainError(error, line => {
				said += line;
			}),
		);
		expectSafe('refusal', said);
		expect(reaches(said)).toBe(true);
	});
});
