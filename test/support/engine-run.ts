import { applyAction } from '../../src/apply/apply-action.ts';
import { type EngineEnd, type EngineRequest, runSteps } from '../../src/core/engine.ts';
import { type Event, eventSchema } from '../../src/core/event.ts';
import { eventStream } from '../../src/core/event-stream.ts';
import { orderSteps } from '../../src/core/order.ts';
import type { ProbeHost } from '../../src/core/probe.ts';
import type { Answers } from '../../src/core/question.ts';
import { showAction } from '../../src/core/shown-action.ts';
import { type RunState, reduceAll } from '../../src/core/state.ts';
import type { Step } from '../../src/core/step.ts';
import type { Waiver } from '../../src/core/waiver.ts';
import { decideFromAnswers } from '../../src/decide/from-answers.ts';
import { foreseenHost } from '../../src/host/foreseen.ts';
import type { WriteHost } from '../../src/host/port.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import { memoryLog } from './memory-log.ts';

const now = () => new Date('2026-11-24T00:00:00Z');

/** Runs real steps with the real engine and applier on a made-up host, unattended, and gives what the log then says. */
export async function engineRun(
	steps: readonly Step[],
	host: WriteHost,
	options: {
		readonly mode?: EngineRequest['mode'];
		readonly answers?: Answers;
		readonly waivers?: readonly Waiver[];
		readonly record?: string;
		readonly simulated?: boolean;
	} = {},
): Promise<{ readonly end: EngineEnd; readonly state: RunState; readonly events: readonly Event[] }> {
	const order = orderSteps(steps, {});
	if (order.kind !== 'order') throw new Error('steps need each other');
	const kept = { events: [] as Event[], backups: new Map<string, Uint8Array>() };
	const log = memoryLog(kept);
	const stream = eventStream({
		now,
		append: (event, how) => log.append(event, how),
		readers: [event => eventSchema.parse(JSON.parse(JSON.stringify(event)))],
		from: reduceAll([]),
	});
	const { signal } = new AbortController();
	const { emit, state } = stream;
	await emit({
		type: 'run.start',
		run: 'run-1',
		tool: '1.0.0',
		mode: options.mode === 'plan' ? 'plan' : 'run',
		simulated: options.simulated ?? false,
		host: host.identity.hostname,
		user: host.identity.user,
		command: ['--yes'],
	});
	const applyDeps = {
		host,
		emit,
		keep: log.keep,
		kept: log.kept,
		state,
		now: () => 0,
		pause: async () => undefined,
		signal,
	};
	const end = await runSteps(
		{
			host,
			knowledge,
			options: {
				imageArchives: [],
				workingFolder: '/home/anna',
				command: 'sysbox-setup',
				stateFolder: '/var/lib/sysbox-setup',
				...(options.record !== undefined && { record: options.record }),
			},
			decider: decideFromAnswers({ answers: options.answers ?? {}, saved: {}, risks: [] }),
			emit,
			state,
			now,
			signal,
			apply: (step, action) => applyAction(step, action, applyDeps),
			show: showAction,
			foresee: actions => foreseenHost(host, actions),
			probeHost: {} as ProbeHost,
			cleanUpProbes: async () => [],
			saveAnswer: () => undefined,
			saveCursor: () => undefined,
		},
		{
			mode: options.mode ?? 'run',
			order: order.order,
			waivers: options.waivers ?? [],
			strict: false,
			recordAsked: options.record !== undefined,
		},
	);
	return { end, state: state(), events: kept.events };
}
