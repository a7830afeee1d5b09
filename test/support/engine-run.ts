import { execute } from '../../src/cli/run/execute.ts';
import type { EngineEnd, EngineRequest } from '../../src/engine/contract.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import type { Decider } from '../../src/model/decider.ts';
import { type Event, eventSchema } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import { orderSteps, type Selection } from '../../src/model/order.ts';
import type { Answers } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { type RunState, reduceAll } from '../../src/model/state.ts';
import type { RunOptions, Step } from '../../src/model/step.ts';
import type { Waiver } from '../../src/model/waiver.ts';
import type { WriteHost } from '../../src/port/host.ts';
import type { CleaningProbeHost } from '../../src/probe/probe-host.ts';
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
	readonly cleanUpProbes?: CleaningProbeHost['cleanUp'];
}

/** Runs steps with the product's wiring on a made-up host, and gives what the log then says. */
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
	const known = { answers: ask.answers ?? {}, saved: {} };
	const risks = ask.risks ?? [];
	const options: RunOptions = {
		imageArchives: [],
		workingDirectory: '/home/anna',
		command: 'sysbox-setup',
		stateDirectory: '/var/lib/sysbox-setup',
		...ask.options,
	};
	const end = await execute({
		environment: { host, knowledge, now, elapsed, pause: ask.clock?.sleep ?? (async () => undefined) },
		readHost: host,
		engine: {
			mode: ask.mode ?? 'run',
			order: order.order,
			waivers: ask.waivers ?? [],
			strict: ask.strict ?? false,
			recordAsked: options.record !== undefined,
		},
		options,
		known,
		risks,
		stream,
		decider: ask.decider ?? decideFromAnswers({ ...known, risks }),
		plan: undefined,
		ahead: ask.ahead ?? false,
		opened: { log, saved: async () => undefined, saveAnswer: () => undefined, saveCursor: () => undefined },
		probes: { cleanUp: ask.cleanUpProbes ?? (async () => []) } as CleaningProbeHost,
		signal: ask.signal ?? new AbortController().signal,
	});
	return { end, state: state(), events: kept.events };
}
