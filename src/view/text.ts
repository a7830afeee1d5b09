import type { Event, StepStatus } from '../model/event.ts';
import type { EventReader } from '../model/event-stream.ts';
import { causes, consequences, type Finding, hardBlocks, standingBlocks } from '../model/finding.ts';
import { type Impact, impactRows } from '../model/impact.ts';
import { nextSteps } from '../model/next-steps.ts';
import { sayAnswer } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';
import type { ShownAction } from '../model/shown-action.ts';
import { actionsToRevert, changedHost, incompleteSteps, outcomeOfRun, type RunState } from '../model/state.ts';
import { statusWords } from '../model/status-words.ts';
import {
	afterReasons,
	knownOf,
	sayAfter,
	sayBefore,
	sayRestsOn,
	type ThreatRow,
	threatTable,
} from '../model/threat.ts';
import { changesOf, leftIn, manualIn, sayVerdict } from '../model/verdict.ts';
import { verdictWord } from '../model/verdict-words.ts';
import { count } from '../text/count.ts';
import { nameSome } from '../text/name-some.ts';
import { hanging, lineOf, type SafeText } from '../text/safe.ts';
import { type Glyphs, severityGlyph } from './glyphs.ts';

export interface TextOptions {
	readonly glyphs: Glyphs;
	/** Talk: what is going on. */
	readonly talk: (text: SafeText) => void;
	/** Data: what the command was asked for. */
	readonly data: (text: SafeText) => void;
	readonly mode: 'run' | 'check' | 'plan' | 'test' | 'revert';
	/** Risks that were accepted by name when the run was started. */
	readonly accepted: readonly RiskName[];
	/** The command that an operator would type again. */
	readonly command: string;
	/** Lists findings that are fine too. */
	readonly all: boolean;
}

/** Plain lines in reading order: for unattended runs, `check`, `plan`, and whoever pipes us. */
export function textReader(options: TextOptions): EventReader {
	const { glyphs } = options;
	const wholeReport = options.mode === 'check' || options.mode === 'plan';
	// What check and plan find is what was asked for; a run's progress is talk.
	// The verdict of a check is its first line too, and known only at its end.
	const held: string[] = [];
	const data = (line: string): void => {
		if (options.mode === 'check') held.push(line);
		else options.data(lineOf(line));
	};
	const say = (text: string): void => (wholeReport ? data(text) : options.talk(lineOf(text)));
	const sayHeld = (plan: Extract<Event, { type: 'run.start' }>['plan']): void => {
		if (plan !== undefined) say(`held to the saved plan ${plan.file}, digest ${plan.digest}`);
	};
	// Answers make a step look again: what it found last is what counts.
	let found: Extract<Event, { type: 'findings' }> | undefined;
	const tellFound = (): void => {
		if (found === undefined) return;
		for (const line of findingLines(found.findings, glyphs, options.all, found.when)) say(line);
		found = undefined;
	};
	return (event, state) => {
		if (event.type !== 'findings' && event.type !== 'answer' && event.type !== 'observed') tellFound();
		switch (event.type) {
			case 'run.start': {
				const simulated = event.simulated ? ' (SIMULATED: nothing on this machine is looked at or changed)' : '';
				say(`sysbox-setup ${event.tool} on ${event.host}${simulated}`);
				if (event.simulated)
					say('Commands without --demo are for a real host: a simulated one has no shell to type them in.');
				sayHeld(event.plan);
				return;
			}
			case 'run.resume':
				say(`going on with the run that began ${state.start?.at ?? ''}`);
				sayHeld(event.plan);
				return;
			case 'step.start':
				say('');
				say(`${glyphs.rule}${glyphs.rule} ${event.n} of ${event.of} ${glyphs.neutral} ${event.title}`);
				return;
			case 'findings':
				found = event;
				return;
			case 'plan':
				for (const line of planLines(event.actions, event.impact, options.accepted, glyphs)) say(line);
				return;
			case 'decision':
				if (event.decision !== 'refused') return;
				for (const line of hanging(` ${glyphs.block} not done: `, event.why ?? 'declined', 5)) say(line);
				return;
			case 'action.intent':
				say(` ${glyphs.neutral} ${event.title}: ${event.does}`);
				return;
			case 'output':
				if (event.line.trim() !== '') say(`     ${event.line}`);
				return;
			case 'action.outcome':
				for (const line of outcomeLines(event, glyphs)) say(line);
				return;
			case 'probe':
				for (const line of probeLines(event, glyphs)) say(line);
				return;
			case 'step.end':
				// What a check found is listed at its end.
				if (options.mode === 'check' && event.status !== 'blocked' && event.status !== 'undecided') return;
				for (const line of hanging(
					` ${statusGlyph(event.status, glyphs)} ${statusWords[event.status]}`,
					event.why === undefined ? '' : `: ${event.why}`,
					5,
				))
					say(line);
				return;
			case 'record.written':
				return;
			case 'run.end':
				if (options.mode === 'check') {
					const verdict = lastLine(event, state, options.mode);
					const lines = [verdict, ...held, '', ...checkLines(event), verdict];
					for (const line of lines) options.data(lineOf(line));
				} else for (const line of endLines(event, state, options)) options.data(lineOf(line));
				return;
			case 'answer':
				// What nobody typed for this run is named, as it decides what is planned.
				if (event.source === 'last-run')
					say(` ${glyphs.neutral} ${event.id}: ${sayAnswer(event.value)} (answer from the last run)`);
				return;
			case 'observed':
			case 'probe.start':
			case 'progress':
				return;
			default:
				event satisfies never;
		}
	};
}

export function statusGlyph(status: StepStatus, glyphs: Glyphs): string {
	switch (status) {
		case 'unchanged':
		case 'done':
		case 'proved':
		case 'reported':
			return glyphs.ok;
		case 'failed':
		case 'blocked':
			return glyphs.block;
		case 'undecided':
			return glyphs.unknown;
		case 'open':
			return glyphs.warn;
		case 'skipped':
		case 'not-run':
			return glyphs.neutral;
		default:
			return status satisfies never;
	}
}

/** Everything that is not fine, with evidence and the way out; what is fine is counted. */
export function findingLines(
	findings: readonly Finding[],
	glyphs: Glyphs,
	all: boolean,
	when: 'before' | 'after',
): readonly string[] {
	const told = causes(findings);
	const count = (severity: Finding['severity']): number => told.filter(f => f.severity === severity).length;
	const lines: string[] = [];
	if (when === 'before') {
		lines.push(
			` ${glyphs.ok} ${count('ok') + count('info')} ok   ${glyphs.warn} ${count('warn')} warning${count('warn') === 1 ? '' : 's'}   ${glyphs.block} ${count('block')} to settle   ${glyphs.unknown} ${count('could-not-tell')} could not tell`,
		);
	}
	const order: readonly Finding['severity'][] = ['block', 'could-not-tell', 'warn', 'info', 'ok'];
	const shown = told.filter(f => all || (f.severity !== 'ok' && f.severity !== 'info'));
	for (const finding of shown.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))) {
		if (when === 'after' && finding.severity !== 'block' && finding.severity !== 'could-not-tell') continue;
		lines.push(` ${severityGlyph(finding.severity, glyphs)} ${finding.id.padEnd(26)} ${finding.summary}`);
		if (finding.severity === 'ok' || finding.severity === 'info') continue;
		if (finding.evidence !== undefined) lines.push(...labelled('found', finding.evidence));
		if (finding.why !== undefined) lines.push(...labelled('why', finding.why));
		if (finding.waived !== undefined)
			lines.push(
				...labelled(
					'waived',
					`${finding.waived.reason}${finding.waived.expires === '' ? '' : ` (until ${finding.waived.expires})`}`,
				),
			);
		if (finding.remedy !== undefined) {
			lines.push(...labelled(finding.remedy.kind === 'planned' ? 'plan' : 'fix', finding.remedy.text));
			if (finding.remedy.kind === 'commands')
				lines.push(...finding.remedy.commands.map(command => `             ${command}`));
		}
	}
	if (when === 'before')
		for (const [cause, ids] of consequences(findings))
			lines.push(` ${glyphs.neutral} also unknown, because of ${cause}: ${nameSome(ids)}`);
	return lines;
}

function labelled(label: string, text: string): readonly string[] {
	return hanging(`     ${label.padEnd(7)} `, text, 13);
}

/** A plan in full: each action with its reason, diff, risks and way back, and what stops. */
export function planLines(
	actions: readonly ShownAction[],
	impact: Impact | undefined,
	accepted: readonly RiskName[],
	glyphs: Glyphs,
): readonly string[] {
	const lines: string[] = [];
	for (const action of actions) {
		lines.push(` ${glyphs.cursor} ${action.title}`, ...labelled('why', action.why), ...labelled('does', action.does));
		for (const line of action.diff ?? []) lines.push(`       ${diffMark[line.kind]} ${line.text}`);
		if (action.content !== undefined)
			// Indented, as its lines are others' and must not look like ours. A run keeps the bytes in a file.
			lines.push('     the whole file:', '', ...hanging('       ', action.content.replace(/\n$/, ''), 7), '');
		if (action.touches !== undefined && action.touches.length > 0)
			lines.push(...labelled('touches', action.touches.join(', ')));
		if (action.waitsFor !== undefined) lines.push(...labelled('waits', action.waitsFor));
		lines.push(...labelled('undo', action.undo));
		const missing = action.risks?.filter(risk => !accepted.includes(risk)) ?? [];
		if (missing.length > 0)
			lines.push(...labelled('risk', `${missing.join(', ')} (--accept-risk ${missing.join(' --accept-risk ')})`));
		const given = action.risks?.filter(risk => accepted.includes(risk)) ?? [];
		if (given.length > 0) lines.push(...labelled('risk', `${given.join(', ')} (accepted with --accept-risk)`));
	}
	if (impact?.containers === undefined)
		for (const stop of impact?.stops ?? []) lines.push(` ${glyphs.block} stops   ${stop}`);
	else
		for (const [index, { mark, text }] of impactRows(impact.containers).entries())
			lines.push(`${index === 0 ? ' ' : '   '}${glyphs[mark]} ${text}`);
	for (const note of impact?.notes ?? []) lines.push(` ${glyphs.neutral} ${note}`);
	return lines;
}

const diffMark = { add: '+', remove: '-', context: ' ', hunk: ' ', note: ' ' } as const;

function outcomeLines(event: Extract<Event, { type: 'action.outcome' }>, glyphs: Glyphs): readonly string[] {
	const seconds = `${(event.ms / 1000).toFixed(1)} s`;
	switch (event.outcome) {
		case 'done':
			return hanging(
				`   ${glyphs.ok} done in ${seconds}`,
				event.evidence === undefined ? '' : `: ${event.evidence}`,
				13,
			);
		case 'manual':
			return hanging(`   ${glyphs.warn} left for you`, event.evidence === undefined ? '' : `: ${event.evidence}`, 13);
		case 'interrupted':
			return [`   ${glyphs.unknown} interrupted`];
		case 'refused':
		case 'failed':
		case 'rolled-back': {
			const { said = '', why, now, next = [] } = event.failure ?? {};
			const head = `   ${glyphs.block} ${event.outcome === 'rolled-back' ? 'failed, and was taken back' : event.outcome} after ${seconds}`;
			return [
				head,
				...labelled('said', said),
				...(why === undefined ? [] : labelled('why', why)),
				...(now === undefined ? [] : labelled('now', now)),
				...next.flatMap(line => labelled('next', line)),
			];
		}
		default:
			return event.outcome satisfies never;
	}
}

function probeLines(event: Extract<Event, { type: 'probe' }>, glyphs: Glyphs): readonly string[] {
	const glyph = { pass: glyphs.ok, fail: glyphs.block, 'could-not-tell': glyphs.unknown, 'left-out': glyphs.neutral }[
		event.verdict
	];
	const head = ` ${glyph} ${event.id.padEnd(30)} ${verdictWord(event, event.verdict)}: ${event.because}`;
	return event.verdict === 'fail' || event.verdict === 'could-not-tell'
		? [head, ...event.evidence.flatMap(e => labelled('saw', `${e.what}: ${e.said}`))]
		: [head];
}

/** The table: of each row its levels, how an attack goes about it, and what the level now rests on. */
export function threatLines(rows: readonly ThreatRow[]): readonly string[] {
	const width = Math.max(...rows.map(row => row.title.length));
	const known = knownOf(rows);
	return [
		...rows.flatMap(row => {
			const rests = sayRestsOn(row);
			return [
				` ${row.title.padEnd(width)}  ${sayBefore(row).padEnd(8)} -> ${sayAfter(row)}${rests === undefined ? '' : ` (${rests})`}`,
				`     threat: ${row.way}: ${row.impact}`,
				...afterReasons(row).map(reason => `     ${reason}`),
			];
		}),
		...known.map(text => ` ${text}`),
	];
}

/** What a run would change, and what it would not. */
function checkLines({ open, changes = 0 }: EndEvent): readonly string[] {
	return open.map((line, index) => (index < changes ? `  change  ${line}` : `  for you ${line}`));
}

type EndEvent = Extract<Event, { type: 'run.end' }>;

/** The sentence that a command ends with: it says what the exit code says. */
function lastLine(event: EndEvent, state: RunState, mode: TextOptions['mode']): string {
	const simulated = state.start?.simulated === true ? ' (simulated)' : '';
	return `${state.start?.host ?? 'this host'}${simulated}: ${endWords(event, state, mode)}`;
}

function endWords(event: EndEvent, state: RunState, mode: TextOptions['mode']): string {
	const { verdict, changes = 0, forYou = 0, why } = event;
	if (verdict !== undefined) return `${sayVerdict(verdict, changes, forYou)}${why === undefined ? '' : `. ${why}`}`;
	const outcome = outcomeOfRun(state, event);
	const because = why === undefined ? '' : `: ${why}`;
	switch (outcome) {
		case 'done':
			return 'done';
		case 'nothing-to-do':
			if (mode === 'test') return proofWords(state);
			if (mode !== 'plan') return 'nothing to change';
			return `plan: no changes${plansAnything(state) ? ' to the host; only CI files and what the tests need' : ''}`;
		case 'failed':
			return `failed${because === '' ? whatFailed(state) : because}`;
		case 'blocked':
			return `can't continue. ${whatBlocks(state)}`;
		case 'undecided':
			return mode === 'plan'
				? `plan: ${count(changes, 'change')}, and some checks are unknown`
				: 'some results are unknown';
		case 'open':
			if (mode === 'plan') return planWords(changes, forYou);
			if (event.open.length === 0) return 'stopped before the end';
			return `${isThrough(state) ? 'done, ' : ''}${count(event.open.length, 'action')} needed`;
		case 'refused':
			return `refused${because}`;
		case 'interrupted':
			return mode === 'check' || mode === 'plan' ? 'interrupted' : 'interrupted; everything so far is saved';
		case 'locked':
			return 'another run is at work';
		case 'wrong-input':
			return `what was passed is wrong${because}`;
		default:
			return outcome satisfies never;
	}
}

/** "23 of 23 proofs passed" */
function proofWords({ steps }: RunState): string {
	const probes = steps.flatMap(step => step.probes).filter(({ verdict }) => verdict !== 'left-out');
	return `${probes.filter(({ verdict }) => verdict === 'pass').length} of ${probes.length} proofs passed`;
}

/** An action of a plan that is no change is one for the operator. */
const planWords = (changes: number, forYou: number): string =>
	[
		`plan: ${changes === 0 ? 'no changes' : count(changes, 'change')}`,
		...(forYou === 0 ? [] : [`${count(forYou, 'action')} for you`]),
	].join(', ');

/** The first step that failed, and the first line of why. */
function whatFailed({ steps }: RunState): string {
	const failed = steps.find(({ status }) => status === 'failed');
	if (failed === undefined) return '';
	return `: ${failed.title}${failed.why === undefined ? '' : `: ${failed.why.split('\n')[0]}`}`;
}

/** Every step came to its end: what is left is for the operator alone. */
const isThrough = (state: RunState): boolean =>
	incompleteSteps(state).length === 0 && !state.steps.some(({ status }) => status === 'skipped');

const plansAnything = ({ steps }: RunState): boolean => steps.some(({ plan }) => (plan?.actions ?? []).length > 0);

/** The findings that keep a run from going on, or else the steps that would have to be done first. */
function whatBlocks({ steps }: RunState): string {
	const blocked = steps.filter(({ status }) => status === 'blocked');
	// Proofs that need the same are not told once more.
	const first = blocked.some(({ kind }) => kind === 'change')
		? blocked.filter(({ kind }) => kind === 'change')
		: blocked;
	const ids = first.flatMap(step => {
		const findings = step.after ?? step.before;
		const hard = hardBlocks(findings);
		return causes(hard.length > 0 ? hard : standingBlocks(findings)).map(({ id }) => id);
	});
	if (ids.length > 0) return `Fix first: ${[...new Set(ids)].join(', ')}`;
	return `Next for ${steps.flatMap(({ open }) => open).join('; ')}`;
}

function endLines(event: EndEvent, state: RunState, options: TextOptions): readonly string[] {
	// A process that went on with a run may have found nothing left to change in it.
	const changed = event.changed || actionsToRevert(state).length > 0;
	const nothing = !changed && event.outcome !== 'nothing-to-do' && (options.mode === 'run' || options.mode === 'test');
	const lines = ['', `${lastLine(event, state, options.mode)}${nothing ? '. Nothing was changed.' : ''}`];
	if (
		// A test does not look at the CI of the host, which the table speaks of.
		options.mode === 'run' &&
		state.steps.some(step => step.probes.some(probe => probe.threats.length > 0))
	)
		lines.push(...threatLines(threatTable(state)));
	if (options.mode === 'plan') {
		for (const change of changesOf(state)) lines.push(`  change  ${change}`);
		for (const manual of manualIn(state)) lines.push(`  for you ${manual}`);
		for (const { id, summary, remedy } of leftIn(state)) {
			lines.push(`  for you ${id}: ${summary}`);
			if (remedy?.kind === 'commands') lines.push(...remedy.commands.map(command => `            ${command}`));
		}
	} else for (const open of event.open) lines.push(`  left   ${open}`);
	if (options.mode === 'run') for (const next of nextSteps(state, options.command)) lines.push(`  next   ${next}`);
	if (state.record !== undefined)
		lines.push(`  record ${state.record.path}${state.record.incomplete ? ' (incomplete)' : ''}`);
	if (changedHost(state) && options.mode === 'run') lines.push(`  undo   ${options.command} revert`);
	return lines;
}
