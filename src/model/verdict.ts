import { count } from '../text/count.ts';
import type { EventOf } from './event.ts';
import { exitCode, type Outcome } from './exit.ts';
import { causes, type Finding, hardBlocks, leftForOperator, standingBlocks } from './finding.ts';
import { filesOnly, isOwnChange } from './shown-action.ts';
import { latestFindings, type RunState, type StepState } from './state.ts';

export type Verdict = NonNullable<EventOf<'run.end'>['verdict']>;

/** What a look at a host comes to. */
export interface HostVerdict {
	readonly verdict: Verdict;
	/** What a run would change, with default answers, as an operator counts it: "sysbox: Install sysbox-ce 0.7.1". */
	readonly changes: readonly string[];
	/** What no run can do: "ID: what". */
	readonly forYou: readonly string[];
	/** What it rests on and what to do next, in plain sentences. */
	readonly why: string;
}

const changeSteps = ({ steps }: RunState): readonly StepState[] =>
	steps.filter(step => step.kind === 'change' && step.id !== filesOnly);

/**
 * The changes of a foreseen run. What only serves another action is none of its own; neither are the files for CI
 * systems, nor what the proofs bring and remove again.
 */
export const changesIn = (previewed: RunState): readonly string[] =>
	changeSteps(previewed).flatMap(step =>
		(step.plan?.actions ?? []).filter(isOwnChange).map(({ title }) => `${step.id}: ${title}`),
	);

/** What a foreseen run would leave to the operator, or to a program of theirs. */
export const manualIn = (previewed: RunState): readonly string[] =>
	changeSteps(previewed).flatMap(step =>
		(step.plan?.actions ?? []).filter(({ kind }) => kind === 'manual').map(({ title }) => `${step.id}: ${title}`),
	);

/**
 * The changes as `plan` counts them: as a check of the same host does, also where none could be planned. A run that is
 * blocked changes nothing beyond what was planned.
 */
export function changesOf(planned: RunState): readonly string[] {
	const changes = changesIn(planned);
	const blocked = changeSteps(planned).some(({ status }) => status === 'blocked');
	return blocked || changes.length > 0 || manualIn(planned).length > 0 ? changes : missingIn(planned);
}

/** What no run ends, of a foreseen run: each finding once, with its commands where it has some. */
export const leftIn = (previewed: RunState): readonly Finding[] =>
	onceEach(leftForOperator(previewed.steps.flatMap(latestFindings)));

/**
 * What a run would settle in the first step that has such a thing. It stands for the changes where none could be planned:
 * without root a step may see that Sysbox is missing and not what its installation has to look like.
 */
function missingIn(looked: RunState): readonly string[] {
	const standing = changeSteps(looked).map(step => ({
		step,
		findings: standingBlocks(latestFindings(step)).filter(({ remedy }) => remedy?.kind === 'planned'),
	}));
	const first = standing.find(({ findings }) => findings.length > 0);
	return (first?.findings ?? []).map(({ summary }) => `${first?.step.id}: ${summary}`);
}

/** Each once: several steps look at the same thing. */
const onceEach = (findings: readonly Finding[]): readonly Finding[] => [
	...new Map(findings.map(finding => [`${finding.id} ${finding.summary}`, finding])).values(),
];

const idsOf = (findings: readonly Finding[]): string => [...new Set(findings.map(({ id }) => id))].join(', ');

/** Whether the host waits for a reboot, by the latest look. Who waives the finding waives the work, not the fact. */
export const rebootPending = (state: RunState): boolean =>
	state.steps.some(step => latestFindings(step).some(({ needs, severity }) => needs === 'reboot' && severity !== 'ok'));

/**
 * Judges a host by a look at it, and by what a run would do there.
 *
 * - broken: Sysbox or Docker is installed and cannot start a container, also where a run would mend that.
 * - incompatible: a finding stands that no run can end, and Sysbox is not set up.
 * - unknown: something could not be told that does not only need root (`strict`: that counts too).
 * - ready: a run would change something.
 * - action-needed: everything is set up, and something is left that only the operator can do.
 *
 * @param looked the run of `check`, each step with its findings and how it ended
 * @param foreseen the same host with the steps as a run would plan them
 */
export function verdictOf(
	looked: RunState,
	previewed: RunState,
	how: { readonly strict: boolean; readonly command: string },
): HostVerdict {
	const judged = judge(looked, previewed, how);
	const waived = onceEach(
		looked.steps
			.flatMap(latestFindings)
			.filter(f => f.waived !== undefined && f.severity !== 'ok' && f.severity !== 'info'),
	);
	return waived.length === 0 ? judged : { ...judged, why: `${judged.why} Not counted, as waived: ${idsOf(waived)}.` };
}

function judge(
	looked: RunState,
	previewed: RunState,
	{ strict, command }: { readonly strict: boolean; readonly command: string },
): HostVerdict {
	const steps = looked.steps;
	const all = causes(steps.flatMap(latestFindings));
	const counts = (finding: Finding): boolean => finding.waived === undefined && finding.severity !== 'ok';
	const breaks = onceEach(all.filter(finding => finding.breaks === true && counts(finding)));
	const blocked = steps.filter(({ status }) => status === 'blocked');
	const hard = onceEach(causes(blocked.flatMap(step => hardBlocks(latestFindings(step)))));
	const undecided = onceEach(
		all.filter(
			finding =>
				finding.severity === 'could-not-tell' &&
				finding.keeps === undefined &&
				counts(finding) &&
				(strict || finding.needsRoot === undefined),
		),
	);
	const forRoot = strict ? 0 : onceEach(all.filter(f => f.needsRoot === true && counts(f))).length;
	const asRoot =
		forRoot === 0 ? '' : ` ${count(forRoot, 'check needs', 'checks need')} root: run it with sudo for the rest.`;
	const manual = manualIn(reached(previewed, blocked));
	const planned = changesIn(reached(previewed, blocked));
	const changes = planned.length > 0 || manual.length > 0 ? planned : missingIn(reached(looked, blocked));
	// With nothing else standing, Sysbox is set up, and what is left is for the operator to end by what is printed with it.
	const setUpBeside =
		breaks.length === 0 &&
		changes.length === 0 &&
		hard.every(({ remedy }) => remedy?.kind === 'commands') &&
		steps.every(step => blocked.includes(step) || standingBlocks(latestFindings(step)).length === 0);
	const theirs = [...onceEach(leftForOperator(all)), ...(setUpBeside ? hard : [])];
	const forYou = [...theirs.map(({ id, summary }) => `${id}: ${summary}`), ...manual];
	const so = { changes, forYou };
	const [brokenBy] = breaks;
	if (brokenBy !== undefined) return { verdict: 'broken', ...so, why: `${sentence(brokenBy)} ${mend()}` };
	const [hardest] = hard;
	if (hardest !== undefined && !setUpBeside)
		return { verdict: 'incompatible', ...so, why: `${sentence(hardest)} Fix first: ${idsOf(hard)}.` };
	if (undecided.length > 0) return { verdict: 'unknown', ...so, why: `Could not be decided: ${idsOf(undecided)}.` };
	if (changes.length > 0)
		return {
			verdict: 'ready',
			...so,
			why: `Run \`${command}\` to review ${changes.length === 1 ? 'it' : 'them'}.${forYou.length === 0 ? '' : ` ${count(forYou.length, 'action', 'actions')} left for you: ${namesOfWork()}.`}${asRoot}`,
		};
	if (forYou.length > 0)
		return {
			verdict: 'action-needed',
			...so,
			why:
				forYou.length === 1 && theirs[0]?.needs === 'reboot'
					? `Reboot this host.${asRoot}`
					: `Left for you: ${namesOfWork()}.${asRoot}`,
		};
	return { verdict: 'set-up', ...so, why: `Nothing to change. Run \`${command} test\` for the proofs.${asRoot}` };

	function mend(): string {
		// What the steps plan beside it does not repair it.
		const planned = breaks.every(finding => finding.remedy?.kind === 'planned') && blocked.length === 0;
		return changes.length > 0 && planned
			? `Run \`${command}\` to repair it: ${count(changes.length, 'change')}.`
			: `Fix first: ${idsOf(hard.length > 0 ? hard : breaks)}.`;
	}
	function namesOfWork(): string {
		return [...new Set([...theirs.map(({ id }) => id), ...manual])].join(', ');
	}
}

/** A run ends at the first step that is blocked: what stands behind it would not be done. */
function reached(previewed: RunState, blocked: readonly StepState[]): RunState {
	const first = previewed.steps.findIndex(({ id }) => blocked.some(step => step.id === id));
	return first === -1 ? previewed : { ...previewed, steps: previewed.steps.slice(0, first) };
}

const sentence = ({ summary }: Finding): string => (/[.!?]$/.test(summary) ? summary : `${summary}.`);

/** "ready, 3 changes" */
export function sayVerdict(verdict: Verdict, changes: number, forYou: number): string {
	switch (verdict) {
		case 'set-up':
			return 'set up';
		case 'ready':
			return `ready, ${count(changes, 'change')}`;
		case 'action-needed':
			return `set up, ${count(forYou, 'action')} needed`;
		case 'incompatible':
		case 'broken':
		case 'unknown':
			return verdict;
		default:
			return verdict satisfies never;
	}
}

/** With `want: compatible` every host ends 0 that is set up or could be. */
export function exitOfVerdict(verdict: Verdict, want: 'compatible' | 'set-up'): number {
	switch (verdict) {
		case 'set-up':
			return exitCode.done;
		case 'ready':
		case 'action-needed':
			return want === 'compatible' ? exitCode.done : exitCode.open;
		case 'incompatible':
		case 'broken':
			return exitCode.blocked;
		case 'unknown':
			return exitCode.undecided;
		default:
			return verdict satisfies never;
	}
}

/** The verdict in the words of a run, for readers of events that know only those. */
export const outcomeOfVerdict: Readonly<Record<Verdict, Outcome>> = {
	'set-up': 'nothing-to-do',
	ready: 'open',
	'action-needed': 'open',
	incompatible: 'blocked',
	broken: 'blocked',
	unknown: 'undecided',
};
