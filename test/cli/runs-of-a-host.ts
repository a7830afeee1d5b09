/** Commands of the tool, one process after the other, on one simulated host with its state on disk. */
import { revert } from '../../src/cli/revert.ts';
import { executeRun } from '../../src/cli/run.ts';
import { lastAnswers } from '../../src/cli/standing-run.ts';
import { status } from '../../src/cli/status.ts';
import { type EventPayload, eventVersion } from '../../src/model/event.ts';
import type { Answers } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { type RunState, reduceAll } from '../../src/model/state.ts';
import { CannotGoOn, WrongInput } from '../../src/model/wrong-input.ts';
import { openDirectory, openRun } from '../../src/session/open-run.ts';
import { createRunLog, readRunLog } from '../../src/session/run-log-files.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { steps } from '../../steps/index.ts';
import { aroundRun, hostDirectory } from '../runbook/whole-runbook.ts';

export interface Said {
	readonly exit: number;
	readonly screen: string;
	/** Of the process's own run, where it had one. */
	readonly state?: RunState;
}

interface How {
	readonly only?: readonly string[];
	readonly answers?: Answers;
	readonly risks?: readonly RiskName[];
	readonly fresh?: boolean;
}

/** `directory`: the state directory on this machine. */
export function commandsOn(host: SimulatedHost, directory: string) {
	const walked = async (mode: 'run' | 'test' | 'check' | 'plan', how: How = {}): Promise<Said> => {
		await host.makeDirectory(hostDirectory, { mode: 0o700 });
		const { screen, say: _, ...around } = aroundRun(host, {}, directory);
		const opened =
			mode === 'run' || mode === 'test'
				? await openRun(around.environment, { mode, fresh: how.fresh ?? false })
				: undefined;
		try {
			const exit = await executeRun({
				...around,
				mode,
				steps,
				selection: how.only === undefined ? {} : { only: how.only },
				passed: {
					answers: how.answers ?? {},
					file: { answers: how.answers ?? {}, waivers: [], places: {} },
					waivers: [],
					risks: how.risks ?? [],
				},
				strict: false,
				lastAnswers: await lastAnswers(around.environment),
				...(opened !== undefined && { opened }),
			});
			await opened?.close();
			return { exit, screen: screen(), ...(opened !== undefined && { state: await stateOf(opened.run) }) };
		} catch (error) {
			await opened?.close();
			throw error;
		}
	};
	const stateOf = async (run: string): Promise<RunState> => {
		const read = await readRunLog(await openDirectory(directory, false, true), run);
		if (read.kind !== 'events') throw new Error(`no log of ${run}: ${read.kind}`);
		return reduceAll(read.events);
	};
	return {
		run: (how?: How) => walked('run', how),
		test: (how: How = {}) => walked('test', { only: ['functional', 'security'], ...how }),
		plan: (how?: How) => walked('plan', how),
		revert: async (named?: string, risks: readonly RiskName[] = []): Promise<Said> => {
			const { screen, ...around } = aroundRun(host, {}, directory);
			try {
				const options = { ...around.options, acceptRisk: risks };
				const exit = await revert({ ...around, options, ...(named !== undefined && { named }) });
				return { exit, screen: screen() };
			} catch (error) {
				return refusal(error, screen());
			}
		},
		status: async (named?: string): Promise<Said> => {
			const { screen, environment, terminal } = aroundRun(host, {}, directory);
			try {
				return { exit: await status(environment, terminal, named), screen: screen() };
			} catch (error) {
				return refusal(error, screen());
			}
		},
		/** A run as it would lie there after a process that this test does not start. */
		writeLog: async (run: string, at: string, payloads: readonly EventPayload[]): Promise<void> => {
			const log = await createRunLog(await openDirectory(directory, true, true), run);
			for (const [seq, payload] of payloads.entries())
				await log.append({ v: eventVersion, seq, at, ...payload } as never, { durable: false });
			await log.close();
		},
	};
}

function refusal(error: unknown, screen: string): Said {
	if (!(error instanceof WrongInput) && !(error instanceof CannotGoOn)) throw error;
	return {
		exit: error instanceof WrongInput ? 2 : error.exit,
		screen: [screen, error.message, ...error.next].join('\n'),
	};
}
