import { overlayHost } from '../../src/actions/overlay-host.ts';
import { performAction } from '../../src/actions/perform-action.ts';
import { showAction } from '../../src/actions/show-action.ts';
import type { EngineDeps, EngineEnd, EngineRequest } from '../../src/engine/contract.ts';
import { runSteps } from '../../src/engine/engine.ts';
import { type PreviewDeps, previewRun } from '../../src/engine/preview-run.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import type { Action } from '../../src/model/action.ts';
import type { Decider } from '../../src/model/decider.ts';
import { type Event, eventSchema } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import { orderSteps, type Selection } from '../../src/model/order.ts';
import type { ProbeHost } from '../../src/model/probe.ts';
import type { Answers } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { type RunState, reduceAll } from '../../src/model/state.ts';
import type { RunOptions, Step } from '../../src/model/step.ts';
import type { Waiver } from '../../src/model/waiver.ts';
import { outOfWindow } from '../../src/model/window.ts';
import type { WriteHost } from '../../src/port/host.ts';
import { decideFromAnswers } from '../../src/prompts/from-answers.ts';
import { memoryLog } from './memory-log.ts';

/** The log of a run and its backups: what is left when its process is gone. */
export interface KeptRun {
	readonly events: Event[];
	readonly backups: Map<string, Uint8Array>;
}

export const newKeptRun = (): KeptRun => ({ events: [], backups: new Map() });

export interface EngineAsk {
	readonly mode?: EngineRequest['mode'];
	readonly selection?: Selection;
	readonly answers?: Answers;
	readonly risks?: readonly RiskName[];
	readonly waivers?: readonly Waiver[];
	readonly strict?: boolean;
	readonly simulated?: boolean;
	/** What is on the command line besides. */
	readonly options?: Partial<RunOptions>;
	/** A person; without one it runs unattended. */
	readonly decider?: Decider;
	readonly signal?: AbortSignal;
	/** A run that goes on with what an earlier process left. */
	readonly kept?: KeptRun;
	readonly dieAt?: Parameters<typeof memoryLog>[1];
	/** The host's clock, where it has one. Without it time stands still. */
	readonly clock?: { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> };
	/** The whole run can be foreseen, as in front of a person. */
	readonly ahead?: true;
	/** Other doors than the ones below. */
	readonly deps?: Partial<EngineDeps>;
}

/** Runs steps with the real engine and applier on a made-up host, and gives what the log then says. */
export async function engineRun(
	steps: readonly Step[],
	host: WriteHost,
	ask: EngineAsk = {},
): Promise<{ readonly end: EngineEnd; readonly state: RunState; readonly events: readonly Event[] }> {
	const order = orderSteps(steps, ask.selection ?? {});
	if (order.kind !== 'order') throw new Error('steps need each other');
	const kept = ask.kept ?? newKeptRun();
	const log = memoryLog(kept, ask.dieAt);
	const now = () => new Date(ask.clock?.now() ?? '2026-11-24T00:00:00Z');
	const elapsed = () => ask.clock?.now() ?? 0;
	const stream = eventStream({
		now,
		append: (event, how) => log.append(event, how),
		readers: [event => eventSchema.parse(JSON.parse(JSON.stringify(event)))],
		from: reduceAll(kept.events),
	});
	const signal = ask.signal ?? new AbortController().signal;
	const { emit, state } = stream;
	const { identity } = host;
	const command = ['--yes'];
	if (state().start === undefined)
		await emit({
			type: 'run.start',
			run: 'run-1',
			tool: '1.0.0',
			mode: ask.mode ?? 'run',
			simulated: ask.simulated ?? false,
			host: identity.hostname,
			user: identity.user,
			command,
		});
	else await emit({ type: 'run.resume', tool: '1.0.0', user: identity.user, command });
	const applyDeps = {
		host,
		emit,
		keep: log.keep,
		kept: log.kept,
		keptAt: log.keptAt,
		state,
		elapsed,
		pause: ask.clock?.sleep ?? (async () => undefined),
		signal,
		outOfWindow: (action: Action) => outOfWindow(action, ask.options?.until, now()),
	};
	const decider = ask.decider ?? decideFromAnswers({ answers: ask.answers ?? {}, saved: {}, risks: ask.risks ?? [] });
	const seen: PreviewDeps = {
		host,
		knowledge,
		options: {
			imageArchives: [],
			workingDirectory: '/home/anna',
			command: 'sysbox-setup',
			stateDirectory: '/var/lib/sysbox-setup',
			...ask.options,
		},
		decider,
		now,
		elapsed,
		signal,
		show: action => showAction(action),
		preview: actions => overlayHost(host, actions),
		kept: log.kept,
		probeHost: {} as ProbeHost,
		cleanUpProbes: async () => [],
	};
	const request: EngineRequest = {
		mode: ask.mode ?? 'run',
		order: order.order,
		waivers: ask.waivers ?? [],
		strict: ask.strict ?? false,
		recordAsked: ask.options?.record !== undefined,
	};
	const end = await runSteps(
		{
			...seen,
			emit,
			state,
			apply: (step, action, how) =>
				performAction(
					step,
					action,
					how === undefined ? applyDeps : { ...applyDeps, signal: new AbortController().signal },
				),
			...(ask.ahead === true && { lookAhead: () => previewRun(seen, { ...state(), steps: [] }, request) }),
			saveAnswer: () => undefined,
			saveCursor: () => undefined,
			...ask.deps,
		},
		request,
	);
	return { end, state: state(), events: kept.events };
}
