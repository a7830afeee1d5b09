import { type Plan, risksOf } from '../model/action.ts';
import type { ActionFailure, WaysOut } from '../model/decider.ts';
import type { Finding } from '../model/finding.ts';
import type { Proof } from '../model/probe.ts';
import { type AnswerSource, sayAnswer } from '../model/question.ts';
import { changing, hostChanges, ownChanges, type PreviewedStep, type Setting } from '../model/review.ts';
import { type RiskName, riskWords } from '../model/risk.ts';
import { actionsToRevert, changedAnything, changesMade, type RunState, stepOf } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import { count } from '../text/count.ts';
import { probesPassed } from '../view/end.ts';
import type { Choice, Decision } from './decision.ts';
import { type NumberedStep, neededBy, numbersText } from './needed-by.ts';

/** The run that the decisions are part of. */
export interface RunAround {
	readonly run: RunState;
	readonly steps: readonly NumberedStep[];
	readonly mode: 'run' | 'test' | 'revert';
	/** How the operator would start this tool again. */
	readonly command: string;
	/** Risks that were accepted by name when the run was started. */
	readonly accepted: readonly RiskName[];
	/** The run that is reverted. */
	readonly takesBack?: { readonly run: RunState } | undefined;
}

const quit: Choice = { value: 'quit', label: 'Save and quit', key: 'quit' };
const lookAgain: Choice = { value: 'look-again', label: 'Look again', key: 'look' };

/** Everything that the run would do, before its first plan. */
export function reviewDecision({ run }: RunAround, steps: readonly PreviewedStep[], { back }: WaysOut): Decision {
	const begun = changedAnything(run);
	const changes = changing(steps).length;
	const host = hostChanges(steps).length;
	const others =
		changing(steps).flatMap(ownChanges).length > host ? ', plus files for CI and images for the tests' : '';
	const done = begun ? 'Nothing of it is done yet' : 'Nothing is done yet';
	const apply = changes === 0 ? 'Start' : host === 0 ? 'Apply' : `Apply ${count(host, 'change')}`;
	return {
		subject: { kind: 'review', run: steps },
		title: begun ? 'Review: the rest of the run' : 'Review: the whole run',
		body: [
			changes === 0
				? 'Nothing to change. The tests start throw-away containers and remove them.'
				: `${host === 0 ? 'No changes' : count(host, 'change')} to this host${others}. ${done}.`,
		],
		prompt: 'go on?',
		input: {
			kind: 'one',
			choices: [
				{ value: 'apply', label: apply, key: changes === 0 ? 'start' : 'apply' },
				{ value: 'go-on', label: 'Step by step', key: 'step' },
				quit,
			],
			initial: 'apply',
		},
		ways: { back, skip: false, quit: true },
	};
}

const sourceWords: Readonly<Record<AnswerSource, string>> = {
	default: 'default',
	answers: 'from the answers file',
	operator: 'changed',
	saved: 'from before',
	'last-run': 'from the last run',
};

/** What the run would ask, each with the answer that would be taken for it. */
export function settingsDecision(settings: readonly Setting[]): Decision {
	const rows = settings.map(({ question, value, source }): Choice => {
		const said = value === undefined ? 'needs an answer' : sayAnswer(value).replaceAll(',', ', ');
		return {
			value: question.id,
			label: question.label,
			hint: source === undefined ? said : `${said} (${sourceWords[source]})`,
		};
	});
	const open = settings.find(({ value }) => value === undefined);
	const names = settings.map(({ question }) => question.id);
	return {
		subject: { kind: 'settings', settings },
		title: 'Settings',
		body: ['Nothing has been changed yet. Choose a setting to change it.'],
		prompt: 'setting to change, or continue',
		input: {
			kind: 'one',
			choices: [...rows, { value: 'continue', label: 'Continue' }, { value: 'one-by-one', label: 'Ask one by one' }],
			initial: open?.question.id ?? 'continue',
		},
		ways: { back: false, skip: false, quit: true },
		check: reply => {
			if (reply === 'continue' && open !== undefined) return { problem: `${open.question.id} needs an answer` };
			return typeof reply === 'string' && [...names, 'continue', 'one-by-one'].includes(reply)
				? { value: reply }
				: { problem: 'Type the name of a setting, or continue.' };
		},
	};
}

/** A step's plan. Where a risk has to be named, Enter does not lead there. */
export function planDecision(
	around: RunAround,
	step: StepId,
	plan: Plan,
	findings: readonly Finding[],
	ways: WaysOut,
): Decision {
	// What is for others to do is not done by saying yes.
	const waits = plan.actions.every(action => action.kind === 'manual');
	return {
		subject: { kind: 'plan', step, findings },
		title: planTitle(around, step, plan),
		body: planNotes(around, step),
		prompt: waits ? 'wait for it?' : 'do it?',
		input: { kind: 'one', ...planChoices(around, step, plan, { waits, back: ways.back }) },
		ways: { back: ways.back, skip: true, quit: true },
	};
}

function planChoices(
	{ steps, mode, accepted }: RunAround,
	step: StepId,
	{ actions }: Plan,
	{ waits, back }: { readonly waits: boolean; readonly back: boolean },
): { readonly choices: readonly Choice[]; readonly initial: string } {
	const risks = risksOf({ actions }).filter(risk => !accepted.includes(risk));
	const missing = neededBy(steps, step);
	const without = missing.length === 0 ? '' : ` with ${numbersText(missing)}`;
	const leave = mode === 'revert' || (risks.length > 0 && missing.length === 0 && !back);
	const skip = { value: 'skip', label: leave ? 'Leave it as it is' : `Skip this step${without}`, key: 'skip' };
	const all = actions.length === 1 ? 'Do it' : `Do all ${actions.length}`;
	const apply = { value: 'apply', label: waits ? 'Wait for it' : all, key: 'yes' };
	if (risks.length === 0) return { choices: [apply, skip], initial: 'apply' };
	const named = { ...apply, label: `Do it: type ${risks.join(', ')}` };
	if (!back) return { choices: [skip, named], initial: 'skip' };
	// Skipping leaves out the whole step: who only changed their mind about an answer goes back to it.
	return { choices: [{ value: 'back', label: 'Go back', key: 'back' }, named, skip], initial: 'back' };
}

function planTitle({ run, takesBack }: RunAround, step: StepId, { actions }: Plan): string {
	const begun = run.actions.some(of => of.step === step && of.outcome === 'done');
	// Some changes need more than one action to be reverted.
	if (takesBack !== undefined && !begun)
		return `${count(actions.length, 'action')} for that run's ${count(changesMade(takesBack.run).length, 'change')}, in this order (nothing is done yet)`;
	return `To be done, in this order (${count(actions.length, 'change')}; ${begun ? 'none of them' : 'nothing'} is done yet)`;
}

function planNotes({ run, mode, command }: RunAround, id: StepId): readonly string[] {
	const step = stepOf(run, id);
	return [
		...(step?.kind === 'proof' && step.probes.length === 0
			? ['What is tried with them is shown behind this, and begins with a yes of its own.']
			: []),
		...(mode === 'revert' ? [] : [howReverted(command)]),
	];
}

/** One risk, asked alone. Only its name accepts it, and going back does nothing. */
export const riskDecision = (step: StepId, risk: RiskName): Decision => ({
	subject: { kind: 'risk', step, risk },
	title: riskWords[risk],
	body: [],
	prompt: 'to accept it,',
	input: { kind: 'line', word: risk },
	ways: { back: true, skip: false, quit: true },
	check: typed =>
		String(typed).trim() === risk ? { value: risk } : { problem: `that is not the name; it is ${risk}` },
});

/** An action failed. `canUndo`: reverting what was done can be offered. */
export function failureDecision(around: RunAround, step: StepId, failure: ActionFailure, canUndo: boolean): Decision {
	const changes = canUndo ? actionsToRevert(around.run).length : 0;
	const revert = { value: 'undo', label: `Revert what was done (${count(changes, 'change')})`, key: 'revert' };
	return {
		subject: { kind: 'failure', step, failure },
		title: `Failed: ${failure.action.title}`,
		body: standingBehind(around.run, step, failure),
		prompt: 'what now?',
		input: {
			kind: 'one',
			choices: [
				{ value: 'retry', label: 'Try again', key: 'try' },
				...(changes > 0 ? [revert] : []),
				goOnWithout(around, step),
				quit,
			],
			initial: 'retry',
		},
		ways: { back: false, skip: false, quit: true },
	};
}

/** What of the plan is done, and what was not begun. */
function standingBehind(run: RunState, id: StepId, { action }: ActionFailure): readonly string[] {
	const planned = stepOf(run, id)?.plan?.actions ?? [];
	const at = planned.findIndex(({ id }) => id === action.id);
	const ended = changesMade(run).filter(({ step }) => step === id);
	/** The way back has done it already: a switch that was armed for the change is gone. */
	const wasDone = (other: string): boolean =>
		run.actions.some(of => of.id === `${action.id}.${other}` && of.step === id && of.outcome === 'done');
	const before = planned.slice(0, Math.max(0, at)).filter(({ id }) => ended.some(of => of.id === id));
	const notBegun = at < 0 ? [] : planned.slice(at + 1).filter(({ id }) => !wasDone(id));
	const titles = (actions: readonly { readonly title: string }[]): string => actions.map(a => a.title).join('; ');
	return [
		...(before.length === 0 ? [] : [`Done: ${titles(before)}; that stays, and can be reverted.`]),
		...(notBegun.length === 0 ? [] : [`Not begun: ${titles(notBegun)}.`]),
	];
}

/** Something hinders the step that its plan cannot end. */
export function blockedDecision(
	around: RunAround,
	step: StepId,
	findings: readonly Finding[],
	{ back }: WaysOut,
): Decision {
	const changed = changedAnything(around.run) && stepOf(around.run, step)?.after !== undefined;
	return {
		subject: { kind: 'blocked', step, findings },
		title: changed
			? 'The approved changes are made, but the step is still blocked.'
			: "This step can't continue, and nothing was changed in it.",
		body: ['Fix what blocks it in another terminal, then look again.'],
		prompt: 'what now?',
		input: { kind: 'one', choices: [lookAgain, goOnWithout(around, step), quit], initial: lookAgain.value },
		ways: { back, skip: false, quit: true },
	};
}

/** What only the operator can do is left. */
export const manualDecision = (around: RunAround, step: StepId, left: readonly Finding[]): Decision => ({
	subject: { kind: 'blocked', step, findings: left, manual: true },
	title: 'The rest of this step is for you to do.',
	body: ['Do it in another terminal, then look again.'],
	prompt: 'is it done?',
	input: { kind: 'one', choices: [lookAgain, goOnWithout(around, step), quit], initial: lookAgain.value },
	ways: { back: false, skip: false, quit: true },
});

/** Throw-away containers are about to be started. */
export function proofDecision(
	{ steps }: RunAround,
	step: StepId,
	{ probes, leftOut, announced }: Proof,
	{ back }: WaysOut,
): Decision {
	const attacks = probes.some(({ threats }) => threats.length > 0);
	const missing = neededBy(steps, step);
	const without = missing.length === 0 ? '' : ` with ${numbersText(missing)}`;
	return {
		subject: {
			kind: 'proof',
			step,
			probes: probes.map(({ run: _, ...told }) => told),
			leftOut: leftOut.map(({ title, why }) => ({ title, why })),
		},
		title: attacks
			? `${count(probes.length, 'attempt')} to get from a CI container to this host. Under Sysbox each must fail. The same in a plain container that is allowed to (its control) must succeed, or the failure proves nothing.`
			: `${count(probes.length, 'thing')} that a CI job needs, tried in containers under Sysbox.`,
		body: announced,
		prompt: 'start?',
		input: {
			kind: 'one',
			choices: [
				{ value: 'run', label: 'Start', key: 'yes' },
				{ value: 'skip', label: `Skip this proof${without}`, key: 'skip' },
			],
			initial: 'run',
		},
		ways: { back, skip: true, quit: true },
	};
}

/** What a proof has shown that did not go as it should, before anything else is asked. */
export function resultDecision({ run }: RunAround, id: StepId): Decision {
	const step = stepOf(run, id);
	const probes = step?.probes ?? [];
	const leftover = step?.after?.find(finding => finding.id === 'probe.leftover');
	return {
		subject: { kind: 'result', step: id },
		title: `${probesPassed(probes)}.`,
		body: [leftover === undefined ? 'The throw-away containers are gone.' : `${leftover.summary}.`],
		prompt: 'go on?',
		input: { kind: 'one', choices: [{ value: 'go-on', label: 'Go on', key: 'go' }, quit], initial: 'go-on' },
		ways: { back: false, skip: false, quit: true },
	};
}

function goOnWithout({ steps }: RunAround, step: StepId): Choice {
	const missing = neededBy(steps, step);
	const needing = `${numbersText(missing)}, which ${missing.length === 1 ? 'needs' : 'need'} it`;
	const label = `Go on without this step${missing.length === 0 ? '' : ` and ${needing}`}`;
	return { value: 'go-on', label, key: 'go' };
}

/** How what is about to be done is taken back. */
export const howReverted = (command: string): string => `Revert with:  ${command} revert`;
