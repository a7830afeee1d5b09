/**
 * The product without its process: the catalogue of steps, walked by the real command on a simulated host, with the log
 * in memory instead of on disk.
 */

import type { CommonOptions } from '../../src/cli/args.ts';
import type { HeldTo } from '../../src/cli/plan-file.ts';
import type { RunRequest } from '../../src/cli/run/request.ts';
import { executeRun } from '../../src/cli/run.ts';
import { sweepTemporaryFiles } from '../../src/host/local/root-file-writer.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import type { Event } from '../../src/model/event.ts';
import { exitCode } from '../../src/model/exit.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Selection } from '../../src/model/order.ts';
import type { Answers } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { type RunState, reduceAll } from '../../src/model/state.ts';
import type { Step } from '../../src/model/step.ts';
import type { Waiver } from '../../src/model/waiver.ts';
import { CannotGoOn, WrongInput } from '../../src/model/wrong-input.ts';
import { revertStep } from '../../src/revert/revert-step.ts';
import type { Environment } from '../../src/session/environment.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { type SimulatedHost, type SimulatedHostOptions, simulatedHost } from '../../src/simulation/host.ts';
import { releasesFrom } from '../../src/simulation/releases.ts';
import { type ScenarioName, scenarioState } from '../../src/simulation/scenarios.ts';
import type { FileNode, SimulatedState } from '../../src/simulation/state.ts';
import { steps } from '../../steps/index.ts';
import { memoryLog } from '../support/memory-log.ts';
import { simulatedFileCalls } from '../support/simulated-file-calls.ts';

export const daemonJson = '/etc/docker/daemon.json';
export const hostDirectory = '/var/lib/sysbox-setup';

const releases = releasesFrom(knowledge.releases);

export function hostIn(state: SimulatedState, options: Omit<SimulatedHostOptions, 'state'> = {}): SimulatedHost {
	return simulatedHost({ releases, pace: 'instant', onUnknownCommand: 'throw', ...options, state });
}

/** A host of that scenario, with something changed on it before its first command. */
export function hostOf(
	name: ScenarioName,
	options: { readonly faults?: readonly Fault[]; readonly change?: (state: SimulatedState) => void } = {},
): SimulatedHost {
	const state = scenarioState(name);
	options.change?.(state);
	return hostIn(state, { faults: options.faults ?? [] });
}

/** What a run leaves on disk: its log, its backups, the answers of its session. */
export interface Kept {
	readonly run: string;
	readonly events: Event[];
	readonly backups: Map<string, Uint8Array>;
	readonly answers: Record<string, Answers[string]>;
}

export const newKept = (run: string): Kept => ({ run, events: [], backups: new Map(), answers: {} });

export interface Ended {
	readonly exit: number;
	readonly kept: Kept;
	readonly state: RunState;
	/** All that the operator saw. */
	readonly screen: string;
}

export interface Ask {
	readonly kept?: Kept;
	readonly mode?: 'run' | 'test' | 'check' | 'plan';
	readonly want?: 'compatible' | 'set-up';
	readonly format?: 'json' | undefined;
	readonly selection?: Selection;
	readonly answers?: Answers;
	readonly waivers?: readonly Waiver[];
	readonly risks?: readonly RiskName[];
	readonly deb?: string;
	readonly imageArchives?: readonly string[];
	readonly record?: string;
	readonly managed?: readonly string[];
	/** By how many milliseconds the time of day is off: somebody sets the clock. */
	readonly wallClockIsOff?: () => number;
	readonly changeId?: string | undefined;
	/** The saved plan that the run is held to. */
	readonly held?: HeldTo;
	/** Where `plan` saves what it foresaw, on this machine. */
	readonly out?: string;
	/** Before the event is kept: the moment between what happened before it and what happens after. */
	readonly onEvent?: (event: Event) => unknown;
}

/** One process of the tool, from its start to its exit code. */
export function runbook(host: SimulatedHost, ask: Ask = {}): Promise<Ended> {
	return start(host, ask, { mode: ask.mode ?? 'run', steps });
}

/** Takes a run back. */
export function revert(host: SimulatedHost, original: Kept, ask: Ask = {}): Promise<Ended> {
	const kept = ask.kept ?? newKept(`${original.run}-revert`);
	const reverted = reduceAll(original.events);
	const step = revertStep(reverted, async sha256 => original.backups.get(sha256) ?? kept.backups.get(sha256));
	return start(host, { ...ask, kept }, { mode: 'revert', steps: [step], reverts: original.run, reverted });
}

/** What surrounds a run: the host, the command line, the terminal. `stateDirectory` is only used where there is a disk. */
export function aroundRun(host: SimulatedHost, ask: Ask = {}, stateDirectory = hostDirectory) {
	let screen = '';
	const say = (text: string): void => {
		screen += text;
	};
	const options: CommonOptions = {
		yes: true,
		plain: false,
		noColor: false,
		acceptRisk: [],
		imageArchive: ask.imageArchives ?? [],
		format: ask.format ?? 'text',
		fresh: false,
		...(ask.changeId !== undefined && { changeId: ask.changeId }),
		...(ask.deb !== undefined && { deb: ask.deb }),
		...(ask.record !== undefined && { record: ask.record }),
		...(ask.managed !== undefined && { managed: ask.managed }),
	};
	const environment: Environment = {
		host,
		simulated: true,
		machine: '',
		knowledge,
		stateDirectory,
		hostDirectory,
		workingDirectory: '/root',
		...(ask.record !== undefined && { record: ask.record }),
		command: 'sysbox-setup',
		version: '1.0.0',
		sweep: async directories =>
			(await Promise.all(directories.map(f => sweepTemporaryFiles(f, simulatedFileCalls(host), 0)))).flat(),
		pause: host.clock.sleep,
		now: () => new Date(host.clock.now() + (ask.wallClockIsOff?.() ?? 0)),
		elapsed: () => host.clock.now(),
	};
	return {
		options,
		environment,
		terminal: {
			out: say,
			err: say,
			interactive: false,
			environment: {},
			ask: async () => null,
			attach: () => () => undefined,
			handOver: () => undefined,
			close: () => undefined,
		},
		stop: { signal: new AbortController().signal, exit: () => undefined, release: () => undefined },
		typed: ['--yes'],
		say,
		screen: () => screen,
	};
}

async function start(
	host: SimulatedHost,
	ask: Ask,
	what: {
		readonly mode: RunRequest['mode'];
		readonly steps: readonly Step[];
		readonly reverts?: string;
		readonly reverted?: RunState;
	},
): Promise<Ended> {
	const kept = ask.kept ?? newKept('run-1');
	await host.makeDirectory(hostDirectory, { mode: 0o700 });
	const { say, screen, ...around } = aroundRun(host, ask);
	const log = memoryLog(kept);
	const writes = what.mode !== 'check' && what.mode !== 'plan';
	const request: RunRequest = {
		...what,
		...around,
		selection: ask.selection ?? {},
		passed: { answers: ask.answers ?? {}, waivers: ask.waivers ?? [], risks: ask.risks ?? [] },
		strict: false,
		...(ask.want !== undefined && { want: ask.want }),
		...(ask.held !== undefined && { held: ask.held }),
		...(ask.out !== undefined && { out: ask.out }),
		...(writes && {
			opened: {
				run: kept.run,
				log: {
					...log,
					append: async (event, how) => {
						await ask.onEvent?.(event);
						await log.append(event, how);
					},
					close: async () => undefined,
				},
				events: [...kept.events],
				answers: { ...kept.answers },
				saveAnswer: (id, value) => {
					kept.answers[id] = value;
				},
				saveCursor: () => undefined,
				saved: async () => undefined,
				close: async () => undefined,
			},
		}),
	};
	const exit = await executeRun(request).catch(error => {
		if (!(error instanceof WrongInput) && !(error instanceof CannotGoOn)) throw error;
		say([`sysbox-setup: ${error.message}`, ...error.next.map(line => `  ${line}`), ''].join('\n'));
		return error instanceof WrongInput ? exitCode.wrongInput : error.exit;
	});
	return { exit, kept, state: reduceAll(kept.events), screen: screen() };
}

/** Everything that a run can change on a host. This tool's own directory, the time and the journal are no part of it. */
export function changeable({
	files,
	packages,
	units,
	sysctls,
	apparmorProfiles,
	docker,
	sysbox,
}: SimulatedState): string {
	const others = Object.entries(files).filter(
		([path]) => path !== hostDirectory && !path.startsWith(`${hostDirectory}/`),
	);
	return JSON.stringify({ files: others, packages, units, sysctls, apparmorProfiles, docker, sysbox });
}

/** The file as it lies on the host; undefined when there is none. */
export function textOn(host: SimulatedHost, path = daemonJson): string | undefined {
	const node = host.state().files[path];
	return node?.kind === 'file' ? node.text : undefined;
}

export const fileOf = (text: string): FileNode => ({ kind: 'file', text, mode: 0o644, uid: 0, gid: 0 });

/** Containers of the operator that run, with the process that each of them is. */
export const runningOn = (state: SimulatedState): readonly string[] =>
	state.docker.engine.containers
		.filter(c => c.status === 'running' && c.options.labels['io.sysbox-setup.run'] === undefined)
		.map(c => `${c.name} ${c.pid}`);

/** Throw-away containers of ours that are still there. */
export const labelledOn = (state: SimulatedState): readonly string[] =>
	state.docker.engine.containers.filter(c => c.options.labels['io.sysbox-setup.run'] !== undefined).map(c => c.name);

/** What each step came to: `sysbox done`. */
export const statuses = ({ state }: Ended): readonly string[] => state.steps.map(s => `${s.id} ${s.status}`);

/** What the steps come to where a fresh host is set up and proved; one that is not named here has nothing to do. */
export const setUpAndProved: readonly string[] = steps.map(({ id }) => {
	const cameTo: Readonly<Record<string, string>> = {
		host: 'done',
		sysbox: 'done',
		docker: 'done',
		ci: 'done',
		functional: 'proved',
		security: 'proved',
		record: 'reported',
	};
	return `${id} ${cameTo[id] ?? 'unchanged'}`;
});

export const actions = ({ state }: Ended): readonly string[] =>
	state.actions.map(a => `${a.step}.${a.id} ${a.outcome}`);

/** The latest findings of all steps. */
export const findings = ({ state }: Ended): readonly Finding[] => state.steps.flatMap(s => s.after ?? s.before);

/** Of several steps that look at the same thing, the word of the last one. */
export const finding = (ended: Ended, id: string): Finding | undefined => findings(ended).findLast(f => f.id === id);
