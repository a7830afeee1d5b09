/** Runs a proof step's probes on a host, without the engine: inspect, judge, then each probe through a real probe host. */

import { knowledge } from '../../src/knowledge/index.ts';
import type { ProbeHost, ProbeResult } from '../../src/model/probe.ts';
import type { Answers } from '../../src/model/question.ts';
import { initialState, type RunState } from '../../src/model/state.ts';
import type { JudgeContext, RunOptions, Step } from '../../src/model/step.ts';
import type { Argv, WriteHost } from '../../src/port/host.ts';
import { type CleaningProbeHost, probeHost } from '../../src/probe/probe-host.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { type SimulatedHost, simulatedHost } from '../../src/simulation/host.ts';
import { type ScenarioName, scenarioState } from '../../src/simulation/scenarios.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';

export const stateDirectory = '/var/lib/sysbox-setup';

export interface ProofOptions {
	readonly answers?: Answers;
	readonly state?: RunState;
	readonly imageArchives?: readonly string[];
	readonly signal?: AbortSignal;
	/** Stands between the probes and the host: for scripted answers. */
	readonly wrap?: (host: CleaningProbeHost) => ProbeHost;
	readonly emitCommand?: (argv: Argv) => void;
}

export async function simulated(
	name: ScenarioName = 'already-set-up',
	faults: readonly Fault[] = [],
	change: (state: SimulatedState) => void = () => undefined,
): Promise<SimulatedHost> {
	const state = scenarioState(name);
	change(state);
	const host = simulatedHost({ state, faults });
	await host.makeDirectory(stateDirectory, { mode: 0o700 });
	return host;
}

export function judgeContext(options: ProofOptions = {}): JudgeContext {
	const run: RunOptions = {
		imageArchives: options.imageArchives ?? [],
		workingDirectory: '/root',
		command: 'sysbox-setup',
		stateDirectory,
	};
	return {
		knowledge,
		options: run,
		answers: options.answers ?? {},
		state: options.state ?? initialState,
		now: new Date('2026-11-24T00:00:00Z'),
	};
}

export const probesOf = (host: WriteHost, options: ProofOptions = {}): CleaningProbeHost =>
	probeHost({
		host,
		run: 'run-1',
		stateDirectory,
		signal: options.signal ?? new AbortController().signal,
		pause: async ms => {
			if ('clock' in host) (host as SimulatedHost).clock.advance(ms);
		},
		...(options.emitCommand && { emitCommand: options.emitCommand }),
	});

export interface Proved {
	readonly results: Readonly<Record<string, ProbeResult>>;
	/** `security.kernel-log pass`. */
	readonly verdicts: readonly string[];
	readonly leftOut: readonly string[];
	readonly left: readonly string[];
}

export async function prove(step: Step, host: WriteHost, options: ProofOptions = {}): Promise<Proved> {
	if (step.kind !== 'proof') throw new Error(`${step.id} proves nothing`);
	const context = judgeContext(options);
	const signal = options.signal ?? new AbortController().signal;
	const facts = await step.inspect({ ...context, host, signal });
	const { probes, leftOut } = step.probes(facts, context);
	const real = probesOf(host, options);
	const through = options.wrap?.(real) ?? real;
	const results: Record<string, ProbeResult> = {};
	for (const probe of probes) results[probe.id] = await probe.run(through);
	const left = await real.cleanUp();
	return {
		results,
		verdicts: Object.entries(results).map(([id, { verdict }]) => `${id} ${verdict}`),
		leftOut: leftOut.map(l => l.id),
		left,
	};
}
