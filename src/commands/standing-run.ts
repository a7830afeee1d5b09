import { exitCode } from '../core/exit.ts';
import { actionsToRevert, type RunState, reduceAll } from '../core/state.ts';
import { CannotGoOn } from '../core/wrong-input.ts';
import { logTrouble } from '../state/open-run.ts';
import { listRuns, readRunLog } from '../state/run-log-files.ts';
import type { StateFolder } from '../state/state-folder.ts';

/** A run as its log tells it; rejects where there is none, or none that can be read. */
export async function stateOf(folder: StateFolder, run: string): Promise<RunState> {
	const log = await readRunLog(folder, run);
	if (log.kind === 'missing')
		throw new CannotGoOn(
			`this host has no log of run ${run}: a run can be taken back only where it ran.`,
			exitCode.blocked,
		);
	if (log.kind !== 'events') throw logTrouble(log);
	return reduceAll(log.events);
}

/** The newest run that changed something and was not taken back since. */
export async function lastStandingRun(folder: StateFolder): Promise<string | undefined> {
	const runs = await listRuns(folder);
	const takenBack = await takenBackRuns(folder);
	for (const { run, mode } of runs.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))) {
		if (
			(mode === 'run' || mode === 'test') &&
			!takenBack.has(run) &&
			actionsToRevert(await stateOf(folder, run)).length > 0
		)
			return run;
	}
	return undefined;
}

/** Runs of which a revert has come to its end. */
export async function takenBackRuns(folder: StateFolder): Promise<ReadonlySet<string>> {
	const takenBack = new Set<string>();
	for (const { run, mode, reverts } of await listRuns(folder)) {
		if (mode !== 'revert' || reverts === undefined) continue;
		if ((await stateOf(folder, run)).end?.exit === exitCode.done) takenBack.add(reverts);
	}
	return takenBack;
}
