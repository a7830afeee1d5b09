import { stat } from 'node:fs/promises';
import { exitCode } from '../core/exit.ts';
import { actionsToRevert, changedHost, type RunState, reduceAll } from '../core/state.ts';
import { CannotGoOn, WrongInput } from '../core/wrong-input.ts';
import { logTrouble } from '../state/open-run.ts';
import { listRuns, type RunSummary, readRunLog } from '../state/run-log-files.ts';
import type { StateFolder } from '../state/state-folder.ts';

/** A run as its log tells it; rejects where there is none, or none that can be read. */
export async function stateOf(folder: StateFolder, run: string): Promise<RunState> {
	const log = await readRunLog(folder, run);
	if (log.kind === 'missing')
		throw new CannotGoOn(
			`this host has no log of run ${run}: a run can be reverted only where it ran.`,
			exitCode.blocked,
		);
	if (log.kind !== 'events') throw logTrouble(log);
	return reduceAll(log.events);
}

/** The runs that left the host other than they found it and were not reverted since, the newest first. */
export async function* standingRuns(folder: StateFolder): AsyncGenerator<RunState> {
	const runs = await listRuns(folder);
	const reverted = await revertedRuns(folder);
	for (const { run, mode } of runs) {
		if ((mode !== 'run' && mode !== 'test') || reverted.has(run)) continue;
		const state = await stateOf(folder, run);
		if (changedHost(state)) yield state;
	}
}

/** The run that `revert` takes without a name. */
export async function lastStandingRun(folder: StateFolder): Promise<RunState | undefined> {
	for await (const state of standingRuns(folder)) return state;
	return undefined;
}

/** Runs of which a revert has come to its end. */
export async function revertedRuns(folder: StateFolder): Promise<ReadonlySet<string>> {
	const reverted = new Set<string>();
	for (const { run, mode, reverts } of await listRuns(folder)) {
		if (mode !== 'revert' || reverts === undefined) continue;
		if ((await stateOf(folder, run)).end?.exit === exitCode.done) reverted.add(reverts);
	}
	return reverted;
}

/**
 * The run of this name, or the only one whose name begins so. Rejects with the known ones where there is none, or more
 * than one.
 */
export async function runNamed(folder: StateFolder, name: string): Promise<RunSummary> {
	const runs = await listRuns(folder);
	const begin = runs.filter(({ run }) => run.startsWith(name));
	const found = runs.find(({ run }) => run === name) ?? (begin.length === 1 ? begin[0] : undefined);
	if (found !== undefined) return found;
	const [what, known] =
		begin.length > 1 ? [`${begin.length} runs begin with ${name}`, begin] : [`there is no run called ${name}`, runs];
	const most = 20;
	throw new WrongInput(
		`${what} on this host.${known.length === 0 ? ' No run was started here yet.' : ''}`,
		known.length === 0
			? []
			: [
					...known.slice(0, most).map(({ run, mode, startedAt }) => `${run}  ${mode}, started ${startedAt}`),
					...(known.length > most ? [`and ${known.length - most} older runs`] : []),
				],
	);
}

/** What an operator can mean by the word behind `revert`: names of runs have neither a slash nor a dot. */
export async function namesRecord(word: string): Promise<boolean> {
	if (/[./]/.test(word)) return true;
	return stat(word).then(
		found => found.isFile(),
		() => false,
	);
}

/** A later run that still stands and changed what this one changed: its way back begins with that one. */
export async function laterOnTheSame(folder: StateFolder, original: RunState): Promise<RunState | undefined> {
	const own = touchedBy(original);
	for await (const state of standingRuns(folder)) {
		if ((state.start?.at ?? '') <= (original.start?.at ?? '')) break;
		if ([...touchedBy(state)].some(what => own.has(what))) return state;
	}
	return undefined;
}

function touchedBy(state: RunState): ReadonlySet<string> {
	return new Set(
		actionsToRevert(state).flatMap(({ undo }) => {
			switch (undo.kind) {
				case 'file':
					return [`file ${undo.path}`];
				case 'packages': {
					const { installed, removed, replaced } = undo.changes;
					return [...installed, ...removed.map(p => p.name), ...replaced.map(p => p.name)].map(n => `package ${n}`);
				}
				default:
					return [];
			}
		}),
	);
}
