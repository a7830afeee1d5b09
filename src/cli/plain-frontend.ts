import type { Difference } from '../model/drift.ts';
import { exitCode } from '../model/exit.ts';
import { actionsToRevert, initialState, type RunState } from '../model/state.ts';
import type { StepId } from '../model/step-id.ts';
import { askInLines, noSuchChoice } from '../prompts/ask-in-lines.ts';
import { decideByAsking } from '../prompts/decide-by-asking.ts';
import type { Asker } from '../prompts/decision.ts';
import { count } from '../text/count.ts';
import { lineOf } from '../text/safe.ts';
import { leftAt } from '../view/end.ts';
import { glyphsFor } from '../view/glyphs.ts';
import { planLines } from '../view/text.ts';
import { statusNames } from '../view/words.ts';
import { type Frontend, type FrontendRequest, finishedBefore, numbered, reportInText } from './frontend.ts';
import { saveAnswers } from './save-answers.ts';

/** The same conversation as the wizard's, in plain lines: for terminals that draw nothing, and for screen readers. */
export function plainFrontend(request: FrontendRequest): Frontend {
	const { from, passed, saved, lastRun, terminal, environment, mode, signal } = request;
	const say: Say = text => terminal.err(lineOf(`${text}`));
	let run: RunState = from.start === undefined ? initialState : from;
	let settled: ReadonlySet<StepId> = new Set();
	let undoWanted = false;

	const report = reportInText(request);
	const asker = askInLines({
		ask: terminal.ask,
		say,
		risks: passed.risks,
		command: mode === 'revert' ? undefined : environment.command,
		planLines: step => planLines(step.actions, step.impact, passed.risks, glyphsFor(terminal.environment)),
	});
	const askWithFindings: Asker = decision => {
		report.tellFound(decision.subject.kind === 'blocked');
		return asker(decision);
	};
	const decider = decideByAsking(askWithFindings, {
		answers: passed.answers,
		saved,
		lastRun,
		risks: passed.risks,
		settled: () => settled,
		around: () => ({
			run,
			steps: numbered(request.order),
			mode,
			command: environment.command,
			takesBack: request.takesBack,
		}),
		onUndo:
			mode === 'run'
				? () => {
						undoWanted = true;
					}
				: undefined,
	});

	return {
		decider,
		reader: (event, state) => {
			run = state;
			report(event, state);
		},
		async begin() {
			if (from.start !== undefined) {
				const chosen = await askHowToGoOn(request, say);
				if (chosen === 'undo') return { kind: 'undo' };
				if (chosen === 'leave') return { kind: 'left', exit: signal.aborted ? exitCode.interrupted : exitCode.open };
				if (chosen === 'go-on') settled = finishedBefore(from);
			} else if (request.standing !== undefined)
				say(` an earlier run has changed this host; take it back with: ${environment.command} revert`);
			return { kind: 'go-on' };
		},
		wantsUndo: () => undoWanted,
		async end() {
			const outcome = run.end?.outcome;
			const goesOn = outcome === 'interrupted' || outcome === 'failed' || outcome === 'open';
			// A test is done from its beginning again.
			if (goesOn && !undoWanted)
				terminal.err(lineOf(`${mode === 'test' ? 'start again with' : 'go on with'}:  ${request.goOn}`));
			const ended = outcome !== undefined && outcome !== 'interrupted' && !signal.aborted;
			if (ended && !undoWanted && mode !== 'revert' && Object.keys(run.answers).length > 0)
				await offerToSave(run, request, say);
		},
	};
}

type Say = (text: string) => void;

/** Shows where the run was left and what has changed since. A terminal that is gone leaves. */
async function askHowToGoOn(
	{ from, mode, terminal, signal, driftSince }: FrontendRequest,
	say: Say,
): Promise<'go-on' | 'ask-all' | 'undo' | 'leave'> {
	for (const line of leftWhere(from)) say(line);
	for (const line of sayDifferences(await driftSince(signal))) say(line);
	const changes = mode === 'run' ? actionsToRevert(from).length : 0;
	const undo = changes > 0 ? `, [r]evert what was done (${count(changes, 'change')})` : '';
	for (;;) {
		const typed = await terminal.ask(` [g]o on (Enter), [a]sk everything again from step 1${undo}, [l]eave > `);
		switch (typed?.trim().toLowerCase()) {
			case '':
			case 'g':
				return 'go-on';
			case 'a':
				return 'ask-all';
			case 'r':
				if (changes > 0) return 'undo';
				break;
			case undefined:
			case 'l':
			case 'q':
				return 'leave';
			default:
				break;
		}
		say(noSuchChoice);
	}
}

async function offerToSave(run: RunState, { terminal, environment }: FrontendRequest, say: Say): Promise<void> {
	say('');
	const typed = await terminal.ask(' save the answers, to repeat this run? [y]es, [n]o (Enter) > ');
	if (!/^y(es)?$/i.test(typed?.trim() ?? '')) return;
	const result = await saveAnswers(run, environment);
	say(result.kind === 'saved' ? ` saved: ${result.path}` : ` not saved: ${result.why}`);
}

function leftWhere(run: RunState): readonly string[] {
	const user = run.resumes.at(-1)?.user ?? run.start?.user ?? 'somebody';
	return [
		`This run was left at ${run.lastAt ?? run.start?.at ?? 'some time'}${leftAt(run)} (as ${user}).`,
		...run.steps.map(
			({ n, title, status, why }) =>
				`  ${n} ${title}: ${statusNames[status].word}${why === undefined ? '' : `, ${why}`}`,
		),
	];
}

function sayDifferences(differences: readonly Difference[]): readonly string[] {
	return differences.length === 0
		? ['The host was looked at again just now: nothing above has changed since.']
		: [
				'The host was looked at again just now. Not as it was left:',
				...differences.map(({ about, text }) => `  ${about}: ${text}`),
			];
}
