import { stat } from 'node:fs/promises';
import { exitCode } from '../model/exit.ts';
import { type Answers, type AnswerValue, secretAnswer } from '../model/question.ts';
import { isRiskName } from '../model/risk.ts';
import { actionsToRevert, changedHost, type RunState, reduceAll } from '../model/state.ts';
import { CannotGoOn, WrongInput } from '../model/wrong-input.ts';
import type { Environment } from '../session/environment.ts';
import { logTrouble, openDirectory } from '../session/open-run.ts';
import { listRuns, type RunSummary, readRunLog } from '../session/run-log-files.ts';
import type { StateDirectory } from '../session/state-directory.ts';
import { unreadAdvice, unreadRuns, unreadSentence } from '../session/unread-runs.ts';

/** A run as its log tells it; rejects where there is none, or none that can be read. */
export async function stateOf(directory: StateDirectory, run: string): Promise<RunState> {
	const log = await readRunLog(directory, run);
	if (log.kind === 'missing')
		throw new CannotGoOn(
			`this host has no log of run ${run}: a run can be reverted only where it ran.`,
			exitCode.blocked,
		);
	if (log.kind !== 'events') throw logTrouble(log);
	return reduceAll(log.events);
}

/** The same, without one whose log cannot be read: {@link refuseUnread} and `status` tell of those. */
async function readState(directory: StateDirectory, run: string): Promise<RunState | undefined> {
	const log = await readRunLog(directory, run);
	return log.kind === 'events' ? reduceAll(log.events) : undefined;
}

/**
 * Rejects where a run that cannot be read is the one that is meant, or, unless `alone`, a later one: then it stands in
 * the way of a revert. `run`: undefined where no run is left to revert.
 */
export async function refuseUnread(directory: StateDirectory, run: string | undefined, alone?: 'alone'): Promise<void> {
	// Names of runs begin with the time of their start.
	const unread = (await unreadRuns(directory)).find(
		of => run === undefined || of.run === run || (alone === undefined && of.run > run),
	);
	if (unread !== undefined)
		throw new CannotGoOn(unreadSentence(unread), exitCode.blocked, unreadAdvice(unread, directory.path));
}

/** The runs that left the host other than they found it and were not reverted since, the newest first. */
export async function* standingRuns(directory: StateDirectory): AsyncGenerator<RunState> {
	const runs = await listRuns(directory);
	const reverted = await revertedRuns(directory);
	for (const { run, mode } of runs) {
		if ((mode !== 'run' && mode !== 'test') || reverted.has(run)) continue;
		const state = await readState(directory, run);
		if (state !== undefined && changedHost(state)) yield state;
	}
}

/** The run that `revert` takes without a name. */
export async function lastStandingRun(directory: StateDirectory): Promise<RunState | undefined> {
	for await (const state of standingRuns(directory)) return state;
	return undefined;
}

/**
 * What the last run that changed the host, or came to its end, was answered: the defaults of what is started next. Not
 * what was only a default then, which is made from the host as it is; nor a secret or a risk, which are given each time.
 * Empty where there is none, or its log cannot be read.
 */
export async function lastAnswers({ stateDirectory, simulated }: Environment): Promise<Answers> {
	try {
		const directory = await openDirectory(stateDirectory, false, simulated);
		for (const { run, mode, simulated: ran } of await listRuns(directory)) {
			if (mode !== 'run' || ran !== simulated) continue;
			const state = await stateOf(directory, run);
			const ended = state.end !== undefined && endings.has(state.end.outcome);
			if (!ended && !changedHost(state)) continue;
			const given = new Map<string, AnswerValue>();
			for (const { id, value, source } of state.answerEvents)
				if (source === 'default') given.delete(id);
				else given.set(id, value);
			return Object.fromEntries([...given].filter(([, value]) => value !== secretAnswer && !isRisk(value)));
		}
	} catch {
		// `revert` and `status` say what is wrong with a log; a default is not worth a run.
	}
	return {};
}

const endings: ReadonlySet<string> = new Set(['done', 'nothing-to-do', 'open', 'undecided']);
const isRisk = (value: AnswerValue): boolean => typeof value === 'string' && isRiskName(value);

/** Runs of which a revert has come to its end. */
export async function revertedRuns(directory: StateDirectory): Promise<ReadonlySet<string>> {
	const reverted = new Set<string>();
	for (const { run, mode, reverts } of await listRuns(directory)) {
		if (mode !== 'revert' || reverts === undefined) continue;
		if ((await readState(directory, run))?.end?.exit === exitCode.done) reverted.add(reverts);
	}
	return reverted;
}

/**
 * The run of this name, or the only one whose name begins so. Rejects with the known ones where there is none, or more
 * than one.
 */
export async function runNamed(directory: StateDirectory, name: string): Promise<RunSummary> {
	const runs = await listRuns(directory);
	// An empty name, as of a script's variable that is not set, names no run.
	const begin = name === '' ? [] : runs.filter(({ run }) => run.startsWith(name));
	const found = runs.find(({ run }) => run === name) ?? (begin.length === 1 ? begin[0] : undefined);
	if (found !== undefined) return found;
	const unread = await unreadRuns(directory);
	const meant = name === '' ? undefined : unread.find(({ run }) => run.startsWith(name));
	if (meant !== undefined && begin.length === 0) await refuseUnread(directory, meant.run, 'alone');
	const [what, known] =
		begin.length > 1 ? [`${begin.length} runs begin with ${name}`, begin] : [`there is no run called ${name}`, runs];
	const most = 20;
	throw new WrongInput(
		`${what} on this host.${known.length + unread.length === 0 ? ' No run was started here yet.' : ''}`,
		known.length === 0
			? unread.map(unreadSentence)
			: [
					...known.slice(0, most).map(({ run, mode, startedAt }) => `${run}  ${mode}, started ${startedAt}`),
					...(known.length > most ? [`and ${known.length - most} older runs`] : []),
					...unread.map(unreadSentence),
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
export async function laterOnTheSame(directory: StateDirectory, original: RunState): Promise<RunState | undefined> {
	const own = touchedBy(original);
	for await (const state of standingRuns(directory)) {
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
