import type { Event, EventOf } from '../model/event.ts';
import type { EventReader } from '../model/event-stream.ts';
import { causes, consequences, type Finding } from '../model/finding.ts';
import type { Impact } from '../model/impact.ts';
import { nextSteps } from '../model/next-steps.ts';
import { sayAnswer } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';
import type { ShownAction } from '../model/shown-action.ts';
import { changedHost, type RunState } from '../model/state.ts';
import { type ThreatRow, threatTable } from '../model/threat.ts';
import { changesOf, leftIn, manualIn } from '../model/verdict.ts';
import { nameSome } from '../text/name-some.ts';
import { hanging, lineOf, type SafeText } from '../text/safe.ts';
import { changedInAll, endSentence, endView, wasAttacked } from './end.ts';
import { bySeverity, findingCounts, findingView, notFine } from './finding.ts';
import type { Glyphs } from './glyphs.ts';
import { actionView, diffMarks, type ImpactLine, impactView } from './plan.ts';
import { afterReasons, knownOf, sayAfter, sayBefore, sayRestsOn } from './threat.ts';
import { actionNames, statusNames, verdictName } from './words.ts';

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

/** Tells events as they come, but for findings, which wait for what follows: an answer makes a step look again. */
export interface TextReader extends EventReader {
	/** Tells what was found, before somebody is asked about it; what was told then is told once more only if `again`. */
	readonly tellFound: (again: boolean) => void;
}

/** Plain lines in reading order: for unattended runs, `check`, `plan`, and whoever pipes us. */
export function textReader(options: TextOptions): TextReader {
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
	// Answers make a step look again: what it found last is what counts.
	let found: EventOf<'findings'> | undefined;
	/** What was told before a question. */
	let told = '';
	const tellFound = (again: boolean): void => {
		if (found === undefined) return;
		const lines = findingLines(found.findings, glyphs, options.all, found.when);
		found = undefined;
		if (again || lines.join('\n') !== told) lines.forEach(say);
		told = lines.join('\n');
	};
	const read: EventReader = (event, state) => {
		if (event.type === 'findings') found = event;
		else if (event.type !== 'answer' && event.type !== 'observed') {
			tellFound(false);
			told = '';
		}
		if (event.type !== 'run.end') {
			linesOf(event, state, options).forEach(say);
			return;
		}
		const verdict = lastLine(event, state, options.mode);
		const lines =
			options.mode === 'check'
				? [verdict, ...held, '', ...checkLines(event), verdict]
				: endLines(event, state, options);
		for (const line of lines) options.data(lineOf(line));
	};
	return Object.assign(read, { tellFound });
}

/** What is said when it happens. */
function linesOf(event: Exclude<Event, { type: 'run.end' }>, state: RunState, options: TextOptions): readonly string[] {
	const { glyphs } = options;
	switch (event.type) {
		case 'run.start':
			return [
				`sysbox-setup ${event.tool} on ${event.host}${event.simulated ? ' (SIMULATED: nothing on this machine is looked at or changed)' : ''}`,
				...(event.simulated
					? ['Commands without --demo are for a real host: a simulated one has no shell to type them in.']
					: []),
				...heldLines(event),
			];
		case 'run.resume':
			return [`going on with the run that began ${state.start?.at ?? ''}`, ...heldLines(event)];
		case 'step.start':
			return ['', `${glyphs.rule}${glyphs.rule} ${event.n} of ${event.of} ${glyphs.neutral} ${event.title}`];
		case 'plan':
			return planLines(event.actions, event.impact, options.accepted, glyphs);
		case 'decision':
			if (event.decision !== 'refused') return [];
			return hanging(` ${glyphs.block} not done: `, event.why ?? 'declined', 5);
		case 'action.intent':
			return [` ${glyphs.neutral} ${event.title}: ${event.does}`];
		case 'output':
			return event.line.trim() === '' ? [] : [`     ${event.line}`];
		case 'action.outcome':
			return outcomeLines(event, glyphs);
		case 'probe':
			return probeLines(event, glyphs);
		case 'step.end': {
			// What a check found is listed at its end.
			if (options.mode === 'check' && event.status !== 'blocked' && event.status !== 'undecided') return [];
			const { mark, word } = statusNames[event.status];
			return hanging(` ${glyphs[mark]} ${word}`, event.why === undefined ? '' : `: ${event.why}`, 5);
		}
		case 'answer':
			// What nobody typed for this run is named, as it decides what is planned.
			return event.source === 'last-run'
				? [` ${glyphs.neutral} ${event.id}: ${sayAnswer(event.value)} (answer from the last run)`]
				: [];
		case 'findings':
		case 'observed':
		case 'probe.start':
		case 'progress':
		case 'record.written':
			return [];
		default:
			return event satisfies never;
	}
}

const heldLines = ({ plan }: EventOf<'run.start'> | EventOf<'run.resume'>): readonly string[] =>
	plan === undefined ? [] : [`held to the saved plan ${plan.file}, digest ${plan.digest}`];

/** Everything that is not fine, with evidence and the way out; what is fine is counted. */
export function findingLines(
	findings: readonly Finding[],
	glyphs: Glyphs,
	all: boolean,
	when: 'before' | 'after',
): readonly string[] {
	if (when === 'after')
		return notFine(findings)
			.filter(({ severity }) => severity !== 'warn')
			.flatMap(finding => linesOfFinding(finding, glyphs));
	const counts = findingCounts(findings).map(({ mark, text }) => `${glyphs[mark]} ${text}`);
	return [
		...(counts.length === 0 ? [] : [` ${counts.join('   ')}`]),
		...(all ? bySeverity(causes(findings)) : notFine(findings)).flatMap(finding => linesOfFinding(finding, glyphs)),
		...[...consequences(findings)].map(
			([cause, ids]) => ` ${glyphs.neutral} also unknown, because of ${cause}: ${nameSome(ids)}`,
		),
	];
}

function linesOfFinding(finding: Finding, glyphs: Glyphs): readonly string[] {
	const { mark, id, summary, rows, commands } = findingView(finding);
	const head = ` ${glyphs[mark]} ${id.padEnd(26)} ${summary}`;
	if (mark === 'ok' || mark === 'neutral') return [head];
	return [
		head,
		...rows.flatMap(({ label, text }) => labelled(label, text)),
		...commands.map(command => `             ${command}`),
	];
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
	return [...actions.flatMap(action => actionLines(action, accepted, glyphs)), ...impactView(impact).map(impactLine)];

	function impactLine({ kind, mark, text }: ImpactLine): string {
		return `${kind === 'container' ? '   ' : ' '}${glyphs[mark]} ${kind === 'stop' ? 'stops   ' : ''}${text}`;
	}
}

function actionLines(action: ShownAction, among: readonly RiskName[], glyphs: Glyphs): readonly string[] {
	const { title, facts, missing, accepted, content } = actionView(action, among);
	const rows = (of: typeof facts): readonly string[] => of.flatMap(({ label, text }) => labelled(label, text));
	const first = facts.findIndex(({ fact }) => fact === 'does') + 1;
	return [
		` ${glyphs.cursor} ${title}`,
		...rows(facts.slice(0, first)),
		...(action.diff ?? []).map(({ kind, text }) => `       ${diffMarks[kind].padEnd(1)} ${text}`),
		// Indented, as its lines are others' and must not look like ours. A run keeps the bytes in a file.
		...(content === undefined ? [] : ['     the whole file:', '', ...hanging('       ', content, 7), '']),
		...rows(facts.slice(first)),
		...(missing.length === 0
			? []
			: labelled('risk', `${missing.join(', ')} (--accept-risk ${missing.join(' --accept-risk ')})`)),
		...(accepted.length === 0 ? [] : labelled('risk', `${accepted.join(', ')} (accepted with --accept-risk)`)),
	];
}

function outcomeLines(event: Extract<Event, { type: 'action.outcome' }>, glyphs: Glyphs): readonly string[] {
	const { mark, word } = actionNames[event.outcome];
	const head = `   ${glyphs[mark]} ${word}`;
	const seconds = `${(event.ms / 1000).toFixed(1)} s`;
	const { outcome, evidence, failure } = event;
	if (outcome === 'interrupted') return [head];
	if (outcome === 'done' || outcome === 'manual')
		return hanging(
			`${head}${outcome === 'done' ? ` in ${seconds}` : ''}`,
			evidence === undefined ? '' : `: ${evidence}`,
			13,
		);
	const { said = '', why, now, next = [] } = failure ?? {};
	return [
		`${head} after ${seconds}`,
		...labelled('said', said),
		...(why === undefined ? [] : labelled('why', why)),
		...(now === undefined ? [] : labelled('now', now)),
		...next.flatMap(line => labelled('next', line)),
	];
}

function probeLines(event: Extract<Event, { type: 'probe' }>, glyphs: Glyphs): readonly string[] {
	const { mark, word } = verdictName(event, event.verdict);
	const head = ` ${glyphs[mark]} ${event.id.padEnd(30)} ${word}: ${event.because}`;
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

function lastLine(event: EndEvent, state: RunState, mode: TextOptions['mode']): string {
	const simulated = state.start?.simulated === true ? ' (simulated)' : '';
	const { said, because } = endSentence(event, state, mode);
	return `${state.start?.host ?? 'this host'}${simulated}: ${said}${because}`;
}

function endLines(event: EndEvent, state: RunState, options: TextOptions): readonly string[] {
	const { mode, command } = options;
	const nothing =
		!changedInAll(event, state) && event.outcome !== 'nothing-to-do' && (mode === 'run' || mode === 'test');
	const { record } = endView(state);
	// A test does not look at the CI of the host, which the table speaks of.
	const attacked = mode === 'run' && wasAttacked(state);
	return [
		'',
		`${lastLine(event, state, mode)}${nothing ? '. Nothing was changed.' : ''}`,
		...(attacked ? threatLines(threatTable(state)) : []),
		...(mode === 'plan' ? plannedLines(state) : event.open.map(open => `  left   ${open}`)),
		...(mode === 'run' ? nextSteps(state, command).map(next => `  next   ${next}`) : []),
		...(record === undefined ? [] : [`  record ${record}`]),
		...(changedHost(state) && mode === 'run' ? [`  undo   ${command} revert`] : []),
	];
}

const plannedLines = (state: RunState): readonly string[] => [
	...changesOf(state).map(change => `  change  ${change}`),
	...manualIn(state).map(manual => `  for you ${manual}`),
	...leftIn(state).flatMap(({ id, summary, remedy }) => [
		`  for you ${id}: ${summary}`,
		...(remedy?.kind === 'commands' ? remedy.commands.map(command => `            ${command}`) : []),
	]),
];
