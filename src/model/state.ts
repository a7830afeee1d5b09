import type { Event, EventOf, StepStatus } from './event.ts';
import type { Finding } from './finding.ts';
import type { ImpactContainer } from './impact.ts';
import type { Answers } from './question.ts';
import type { ShownAction } from './shown-action.ts';
import type { StepId } from './step-id.ts';
import type { UndoRecord } from './undo.ts';

/** What one action came to. `intended` without an outcome is what a kill or a power cut leaves. */
export interface ActionState {
	readonly step: StepId;
	readonly id: string;
	readonly seq: number;
	readonly at: string;
	readonly title: string;
	readonly kind: string;
	readonly does: string;
	readonly role?: EventOf<'action.intent'>['role'];
	/** The action of its step whose way back it is a part of. */
	readonly rollbackOf?: string | undefined;
	readonly diff?: EventOf<'action.intent'>['diff'] | undefined;
	readonly undo: UndoRecord;
	readonly takesBack?: readonly string[] | undefined;
	readonly outcome: 'intended' | EventOf<'action.outcome'>['outcome'];
	readonly evidence?: string | undefined;
	readonly inPlace?: true | undefined;
	readonly failure?: EventOf<'action.outcome'>['failure'] | undefined;
	/** The last lines that it printed. */
	readonly tail: readonly string[];
	readonly progress?: { readonly done: number; readonly total?: number | undefined; readonly unit: string } | undefined;
}

export interface StepState {
	readonly id: StepId;
	readonly title: string;
	readonly kind: 'change' | 'proof' | 'report';
	readonly n: number;
	readonly of: number;
	readonly startedAt: string;
	readonly status: 'running' | StepStatus;
	readonly why?: string | undefined;
	readonly before: readonly Finding[];
	readonly after?: readonly Finding[] | undefined;
	readonly plan?:
		| { readonly actions: readonly ShownAction[]; readonly impact?: EventOf<'plan'>['impact'] | undefined }
		| undefined;
	readonly decision?: EventOf<'decision'> | undefined;
	readonly runningProbes: readonly EventOf<'probe.start'>[];
	readonly probes: readonly EventOf<'probe'>[];
	readonly open: readonly string[];
}

/** A plan that was consented to, with what it was said to do to the containers that run. */
export interface Agreed {
	readonly step: StepId;
	/** Of the decision: actions that came after it were carried out under it. */
	readonly seq: number;
	readonly containers: readonly ImpactContainer[];
}

/** A run so far. The wizard, status, resume, revert and the record all read this and nothing else. */
export interface RunState {
	readonly lastSeq: number;
	readonly lastAt?: string | undefined;
	readonly start?: EventOf<'run.start'> | undefined;
	readonly resumes: readonly EventOf<'run.resume'>[];
	/** In the order in which they started. */
	readonly steps: readonly StepState[];
	/** Every action of the run, in the order of the log, whatever became of it. */
	readonly actions: readonly ActionState[];
	/** Every consent of the run, in the order of the log: a later plan of the step takes none of them back. */
	readonly agreed: readonly Agreed[];
	readonly answers: Answers;
	readonly answerEvents: readonly EventOf<'answer'>[];
	readonly observed: Readonly<Record<string, ObservedOverTime>>;
	readonly record?: EventOf<'record.written'> | undefined;
	readonly end?: EventOf<'run.end'> | undefined;
}

/** What was seen of one key. A run that goes on looks again at a host that it has begun to change. */
export interface ObservedOverTime {
	readonly first: Observed;
	/** The latest before the run's first action, or the first where there was none before it. */
	readonly beforeChanges: Observed;
	readonly last: Observed;
}

export interface Observed {
	readonly at: string;
	readonly value: EventOf<'observed'>['value'];
}

export const initialState: RunState = {
	lastSeq: -1,
	resumes: [],
	steps: [],
	actions: [],
	agreed: [],
	answers: {},
	answerEvents: [],
	observed: {},
};

/** Lines of output kept for an action: what a screen of 24 rows can show of it, with room to spare. */
const tailLength = 12;

/** The one reducer. Pure, so that a log read from disk and a run in progress give the same state. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one case an event, each its own few lines.
export function reduce(state: RunState, event: Event): RunState {
	const next: RunState = { ...state, lastSeq: event.seq, lastAt: event.at };
	switch (event.type) {
		case 'run.start':
			return { ...next, start: event };
		case 'run.resume': {
			// A run that goes on has not ended, whatever the log said when it was left.
			const { end: _, ...open } = next;
			return { ...open, resumes: [...state.resumes, event] };
		}
		case 'step.start':
			return putStep(next, {
				id: event.step,
				title: event.title,
				kind: event.kind,
				n: event.n,
				of: event.of,
				startedAt: event.at,
				status: 'running',
				before: [],
				runningProbes: [],
				probes: [],
				open: [],
			});
		case 'observed': {
			const seen: Observed = { at: event.at, value: event.value };
			const { first = seen, beforeChanges = seen } = state.observed[event.key] ?? {};
			const kept = { first, beforeChanges: state.actions.length === 0 ? seen : beforeChanges, last: seen };
			return { ...next, observed: { ...state.observed, [event.key]: kept } };
		}
		case 'findings':
			return changeStep(next, event.step, step =>
				event.when === 'before' ? { ...step, before: event.findings } : { ...step, after: event.findings },
			);
		case 'answer':
			return {
				...next,
				answers: { ...state.answers, [event.id]: event.value },
				answerEvents: [...state.answerEvents, event],
			};
		case 'plan':
			return changeStep(next, event.step, step => ({
				...step,
				plan:
					event.impact === undefined ? { actions: event.actions } : { actions: event.actions, impact: event.impact },
			}));
		case 'decision':
			return changeStep(agreeing(next, event), event.step, step => ({ ...step, decision: event }));
		case 'action.intent': {
			const { step, action, title, kind, does, role, rollbackOf, diff, undo, takesBack, seq, at } = event;
			const intended: ActionState = {
				step,
				id: action,
				seq,
				at,
				title,
				kind,
				does,
				role,
				rollbackOf,
				diff: diff || undefined,
				undo,
				takesBack: takesBack || undefined,
				outcome: 'intended',
				tail: [],
			};
			return { ...next, actions: [...state.actions, intended] };
		}
		case 'output':
			return changeAction(next, event.step, event.action, action => ({
				...action,
				tail: [...action.tail.slice(1 - tailLength), event.line],
			}));
		case 'progress':
			return changeAction(next, event.step, event.action, action => ({
				...action,
				progress: { done: event.done, unit: event.unit, total: event.total },
			}));
		case 'action.outcome':
			return changeAction(next, event.step, event.action, action => ({
				...action,
				outcome: event.outcome,
				...(event.evidence !== undefined && { evidence: event.evidence }),
				...(event.inPlace === true && { inPlace: true as const }),
				...(event.failure !== undefined && { failure: event.failure }),
			}));
		case 'probe.start':
			return changeStep(next, event.step, step => ({ ...step, runningProbes: [...step.runningProbes, event] }));
		case 'probe':
			return changeStep(next, event.step, step => ({
				...step,
				runningProbes: step.runningProbes.filter(p => p.id !== event.id),
				probes: [...step.probes.filter(p => p.id !== event.id), event],
			}));
		case 'step.end':
			return changeStep(next, event.step, step => ({
				...step,
				status: event.status,
				open: event.open,
				...(event.why !== undefined && { why: event.why }),
			}));
		case 'record.written':
			return { ...next, record: event };
		case 'run.end':
			return { ...next, end: event };
		default:
			return event satisfies never;
	}
}

function agreeing(state: RunState, { step, decision, seq }: EventOf<'decision'>): RunState {
	if (decision !== 'apply') return state;
	const containers = stepOf(state, step)?.plan?.impact?.containers ?? [];
	return { ...state, agreed: [...state.agreed, { step, seq, containers }] };
}

function putStep(state: RunState, step: StepState): RunState {
	const others = state.steps.filter(s => s.id !== step.id);
	return { ...state, steps: [...others, step] };
}

function changeStep(state: RunState, id: StepId, change: (step: StepState) => StepState): RunState {
	return { ...state, steps: state.steps.map(step => (step.id === id ? change(step) : step)) };
}

/** The last action of that name: an action that is tried again in a later process is a new one. */
function changeAction(
	state: RunState,
	step: StepId,
	id: string,
	change: (action: ActionState) => ActionState,
): RunState {
	const index = state.actions.findLastIndex(a => a.step === step && a.id === id);
	const action = state.actions[index];
	return action === undefined ? state : { ...state, actions: state.actions.with(index, change(action)) };
}

/**
 * The same for events of output that came at once, without making a state for each: of the lines of an action only those
 * count that its tail holds in the end.
 */
export function reduceBurst(state: RunState, events: readonly Event[]): RunState {
	const later = new Map<StepId, Map<string, number>>();
	const counted: Event[] = [];
	for (const event of events.toReversed()) {
		if (event.type === 'output') {
			const ofStep = later.get(event.step) ?? new Map<string, number>();
			later.set(event.step, ofStep);
			const lines = (ofStep.get(event.action) ?? 0) + 1;
			ofStep.set(event.action, lines);
			if (lines > tailLength) continue;
		}
		counted.push(event);
	}
	let next = state;
	for (const event of counted.toReversed()) next = reduce(next, event);
	return next;
}

export const reduceAll = (events: Iterable<Event>): RunState => {
	let state = initialState;
	for (const event of events) state = reduce(state, event);
	return state;
};

/** What a step found when it looked last. */
export const latestFindings = ({ before, after }: Pick<StepState, 'before' | 'after'>): readonly Finding[] =>
	after ?? before;

export const stepOf = (state: RunState, id: StepId): StepState | undefined => state.steps.find(s => s.id === id);

/** Actions that a later one of their step has taken back; one that was done anew after that stands. */
export function takenBackIn(state: RunState): ReadonlySet<ActionState> {
	const nameOf = (step: StepId, id: string) => JSON.stringify([step, id]);
	const named = new Set<string>();
	return new Set(
		state.actions.toReversed().filter(action => {
			const { step, id, outcome, takesBack = [] } = action;
			const takenBack = named.has(nameOf(step, id));
			if (outcome === 'done') for (const earlier of takesBack) named.add(nameOf(step, earlier));
			return takenBack;
		}),
	);
}

/** Steps that are not where a finished run has them. A report step is still running while this is asked. */
export const incompleteSteps = (state: RunState): readonly StepState[] =>
	state.steps.filter(
		step =>
			step.kind !== 'report' && ['running', 'failed', 'blocked', 'open', 'not-run', 'undecided'].includes(step.status),
	);

/** Steps that only write down what the others did. */
const reportsOf = (state: RunState): ReadonlySet<StepId> =>
	new Set(state.steps.filter(step => step.kind === 'report').map(step => step.id));

/**
 * Actions that changed the host, or may have: what revert has to look at. Newest first. What a report step wrote is
 * evidence of the run, and stays; what a later action of the run took back itself is done with.
 */
export function actionsToRevert(state: RunState): readonly ActionState[] {
	const reports = reportsOf(state);
	const takenBack = takenBackIn(state);
	return state.actions.toReversed().filter(action => {
		const { step, undo, outcome } = action;
		const left = undo.kind !== 'none' && outcome !== 'refused' && outcome !== 'manual';
		return left && !reports.has(step) && !takenBack.has(action);
	});
}

/**
 * Those of a run's actions that outlast it. A proof's own objects (containers, images fetched for it) are thrown away with
 * it, and are no change of the host; a file or a package that it touched is one.
 */
function lasting(state: RunState, actions: readonly ActionState[]): readonly ActionState[] {
	const proofs = new Set(state.steps.filter(step => step.kind === 'proof').map(step => step.id));
	return actions.filter(({ step, undo }) => !proofs.has(step) || (undo.kind !== 'commands' && undo.kind !== 'none'));
}

/** Whether the run left the host other than it was: what `revert` without a name looks for. */
export const changedHost = (state: RunState): boolean => lasting(state, actionsToRevert(state)).length > 0;

/** {@link changesMade} without what only served a proof. */
export const hostChanges = (state: RunState): readonly ActionState[] => lasting(state, changesMade(state));

/**
 * What is different on the host by this run, as a person counts it: each change that was done and stands. What a later
 * action took back, who took it back, and the way back of a change that failed are no changes; a record is none either.
 */
export function changesMade(state: RunState): readonly ActionState[] {
	const reports = reportsOf(state);
	const takenBack = takenBackIn(state);
	const putBack = state.actions.filter(({ outcome }) => outcome === 'rolled-back');
	return state.actions.filter(action => {
		const { step, outcome, kind, takesBack, rollbackOf } = action;
		if (outcome !== 'done' || kind === 'manual' || takesBack !== undefined) return false;
		const wayBack = putBack.some(of => of.step === step && of.id === rollbackOf);
		return !reports.has(step) && !takenBack.has(action) && !wayBack;
	});
}

/** What a revert of this run does not take back, for the record and the screen. */
export function leftByRevert(state: RunState): readonly string[] {
	return [
		...new Set(
			actionsToRevert(state).flatMap(({ undo }) =>
				undo.kind === 'commands' || undo.kind === 'packages' ? (undo.leaves ?? []) : [],
			),
		),
	];
}

/**
 * Whether a change that failed is in force all the same: its step found nothing left to do, and its way back has put no
 * file back. A Docker that came up at the second start has what it was restarted for.
 */
export function survivesFailure(state: RunState, { step, id, outcome }: ActionState): boolean {
	const settled = state.steps.some(of => of.id === step && (of.status === 'done' || of.status === 'unchanged'));
	const restored = state.actions.some(
		of => of.step === step && of.rollbackOf === id && of.kind === 'restore' && of.outcome === 'done',
	);
	return outcome === 'rolled-back' && settled && !restored;
}

/** What the run came to over all its processes: the last one may have found nothing left to change. */
export const outcomeOfRun = (state: RunState, { outcome }: EventOf<'run.end'>): EventOf<'run.end'>['outcome'] =>
	outcome === 'nothing-to-do' && actionsToRevert(state).length > 0 ? 'done' : outcome;

/** True when anything on the host was changed, or may have been. */
export function changedAnything(state: RunState): boolean {
	return state.actions.some(
		a =>
			a.outcome === 'done' ||
			a.outcome === 'failed' ||
			a.outcome === 'interrupted' ||
			a.outcome === 'intended' ||
			a.outcome === 'rolled-back',
	);
}
