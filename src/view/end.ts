import type { EventOf } from '../model/event.ts';
import { causes, hardBlocks, standingBlocks } from '../model/finding.ts';
import {
	type ActionState,
	actionsToRevert,
	changesMade,
	incompleteSteps,
	latestFindings,
	outcomeOfRun,
	type RunState,
	stepOf,
	survivesFailure,
} from '../model/state.ts';
import { sayVerdict } from '../model/verdict.ts';
import { count } from '../text/count.ts';
import { actionNames, outcomeWords, verdictName } from './words.ts';

export type Mode = EventOf<'run.start'>['mode'];

/** The sentence that a command ends with: it says what the exit code says. */
export interface EndSentence {
	/** `done, 1 action needed`. */
	readonly said: string;
	/** What stands behind it, with its punctuation: `. Fix first: kernel.floor`. */
	readonly because: string;
}

export function endSentence(event: EventOf<'run.end'>, state: RunState, mode: Mode): EndSentence {
	const { verdict, changes = 0, forYou = 0, why } = event;
	if (verdict !== undefined)
		return { said: sayVerdict(verdict, changes, forYou), because: why === undefined ? '' : `. ${why}` };
	const outcome = outcomeOfRun(state, event);
	const because = why === undefined ? '' : `: ${why}`;
	const so = (said: string) => ({ said, because: '' });
	const looks = mode === 'check' || mode === 'plan';
	switch (outcome) {
		case 'nothing-to-do':
			return so(unchangedWords(state, mode));
		case 'failed':
			return { said: outcomeWords.failed, because: because || whatFailed(state) };
		case 'blocked':
			return { said: outcomeWords.blocked, because: `. ${whatBlocks(state)}` };
		case 'undecided':
			return so(
				mode === 'plan' ? `plan: ${count(changes, 'change')}, and some checks are unknown` : outcomeWords.undecided,
			);
		case 'open':
			return so(mode === 'plan' ? planWords(changes, forYou) : openWords(event, state));
		case 'interrupted':
			return so(`${outcomeWords.interrupted}${looks ? '' : savedWords}`);
		case 'done':
		case 'refused':
		case 'locked':
		case 'wrong-input':
			return { said: outcomeWords[outcome], because };
		default:
			return outcome satisfies never;
	}
}

const savedWords = '; everything so far is saved';

function unchangedWords(state: RunState, mode: Mode): string {
	if (mode === 'test') return proofsPassed(state).join(', ') || outcomeWords['nothing-to-do'];
	if (mode === 'plan')
		return `plan: no changes${plansAnything(state) ? ' to the host; only CI files and what the tests need' : ''}`;
	// A host from which everything was held off is not one where nothing had to be done.
	const heldOff = state.steps.some(step => step.status === 'not-run' || step.decision?.decision === 'skip');
	return heldOff ? 'nothing was changed' : outcomeWords['nothing-to-do'];
}

/** `14 of 14 attacks blocked`, `7 of 7 tests passed`; what was left out does not count. */
export function probesPassed(probes: RunState['steps'][number]['probes']): string {
	const counted = probes.filter(({ verdict }) => verdict !== 'left-out');
	const kind = { threats: probes.flatMap(({ threats }) => threats) };
	const passed = counted.filter(({ verdict }) => verdict === 'pass').length;
	const what = kind.threats.length > 0 ? 'attacks' : 'tests';
	return `${passed} of ${counted.length} ${what} ${verdictName(kind, 'pass').word}`;
}

/** The same of each proof that was made. */
export const proofsPassed = ({ steps }: RunState): readonly string[] =>
	steps.filter(({ probes }) => probes.length > 0).map(({ probes }) => probesPassed(probes));

/** Attacks were made, so that the threat table rests on something. */
export const wasAttacked = ({ steps }: RunState): boolean =>
	steps.some(({ probes }) => probes.some(({ threats }) => threats.length > 0));

/** An action of a plan that is no change is one for the operator. */
const planWords = (changes: number, forYou: number): string =>
	[
		`plan: ${changes === 0 ? 'no changes' : count(changes, 'change')}`,
		...(forYou === 0 ? [] : [`${count(forYou, 'action')} for you`]),
	].join(', ');

function openWords({ open, work }: EventOf<'run.end'>, state: RunState): string {
	// A step that is open without a word of what is missing is where somebody stopped.
	const stopped = work?.every(({ step, what }) => what === undefined && stepOf(state, step)?.status === 'open');
	if (stopped ?? open.length === 0) return `stopped before the end${savedWords}`;
	// Every step came to its end: what is left is for the operator alone.
	const through = incompleteSteps(state).length === 0 && !state.steps.some(({ status }) => status === 'skipped');
	return `${through ? 'done, ' : ''}${count(open.length, 'action')} needed`;
}

/** The first step that failed, and the first line of why. */
function whatFailed({ steps }: RunState): string {
	const failed = steps.find(({ status }) => status === 'failed');
	if (failed === undefined) return '';
	return `: ${failed.title}${failed.why === undefined ? '' : `: ${failed.why.split('\n')[0]}`}`;
}

const plansAnything = ({ steps }: RunState): boolean => steps.some(({ plan }) => (plan?.actions ?? []).length > 0);

/** The findings that keep a run from going on, or else the steps that would have to be done first. */
function whatBlocks({ steps }: RunState): string {
	const blocked = steps.filter(({ status }) => status === 'blocked');
	// Proofs that need the same are not told once more.
	const first = blocked.some(({ kind }) => kind === 'change')
		? blocked.filter(({ kind }) => kind === 'change')
		: blocked;
	const ids = first.flatMap(step => {
		const findings = latestFindings(step);
		const hard = hardBlocks(findings);
		return causes(hard.length > 0 ? hard : standingBlocks(findings)).map(({ id }) => id);
	});
	if (ids.length > 0) return `Fix first: ${[...new Set(ids)].join(', ')}`;
	// A step that keeps others from going on says why; one whose changes a plan lists does not.
	const held = steps.filter(({ why }) => why !== undefined).flatMap(({ open }) => open);
	return `Next for ${(held.length > 0 ? held : steps.flatMap(({ open }) => open)).join('; ')}`;
}

/** What a run leaves behind, a sentence each: of its changes, of what came to no end, of what was left out. */
export interface EndView {
	readonly changed: readonly string[];
	/** Begun, and nobody saw how it ended. */
	readonly unknown: readonly string[];
	/** Failed and rolled back, or in force all the same. */
	readonly failed: readonly string[];
	readonly skipped: readonly string[];
	/** `/root/record.md (incomplete)` */
	readonly record: string | undefined;
}

export function endView(state: RunState): EndView {
	const { actions, record } = state;
	// It was tried again, and went well.
	const doneLater = ({ step, id }: ActionState, at: number): boolean =>
		actions.slice(at + 1).some(later => later.step === step && later.id === id && later.outcome === 'done');
	return {
		changed: changesMade(state).map(({ title, inPlace }) => `${title}${inPlace === true ? inPlaceWords : ''}`),
		unknown: actions
			.filter(({ outcome }) => outcome === 'intended' || outcome === 'interrupted')
			.map(({ title }) => `${title}: ${actionNames.intended.word}`),
		failed: actions
			.filter((action, at) => action.outcome === 'rolled-back' && !doneLater(action, at))
			.map(action => `${action.title}: ${failedWords(state, action)}`),
		skipped: skippedIn(state),
		record: record && `${record.path}${record.incomplete ? ' (incomplete)' : ''}`,
	};
}

/** A power cut meanwhile could have torn the file. */
export const inPlaceWords = ' (written in place, not in one moment)';

export const survivedWords = 'failed, yet in force now';

const failedWords = (state: RunState, action: ActionState): string =>
	survivesFailure(state, action) ? survivedWords : (action.failure?.now ?? actionNames['rolled-back'].word);

/** What the operator left as it was, and what could not be done without it. */
function skippedIn({ steps }: RunState): readonly string[] {
	const without = steps.filter(step => step.status === 'not-run' && step.why !== 'gone back');
	return [
		...steps.filter(step => step.status === 'skipped' && step.kind !== 'report').map(({ title }) => title),
		...(without.length === 0 ? [] : [`not run without it: ${without.map(({ title }) => title).join(', ')}`]),
	];
}

/** A process that went on with a run may have found nothing left to change in it. */
export const changedInAll = (event: EventOf<'run.end'>, state: RunState): boolean =>
	event.changed || actionsToRevert(state).length > 0;

/** Where a run was left: `, at step 2 of 8, Sysbox`; empty before its first step. */
export function leftAt({ steps }: RunState): string {
	const at = steps.at(-1);
	return at === undefined ? '' : `, at step ${at.n} of ${at.of}, ${at.title}`;
}
