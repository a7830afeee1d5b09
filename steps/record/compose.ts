import type { Finding } from '../../src/model/finding.ts';
import { isNextKey, nextSteps } from '../../src/model/next-steps.ts';
import { filesOnly } from '../../src/model/shown-action.ts';
import {
	type ActionState,
	incompleteSteps,
	latestFindings,
	type Observed,
	type RunState,
	type StepState,
} from '../../src/model/state.ts';
import { type ThreatRow, threatTable } from '../../src/model/threat.ts';
import { undoParts } from '../../src/model/undo.ts';
import { count } from '../../src/text/count.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { oneLine, safeJson } from '../../src/text/safe.ts';
import { shellLine } from '../../src/text/shell-line.ts';
import { proofsPassed } from '../../src/view/end.ts';
import { notFine } from '../../src/view/finding.ts';
import { diffMarks } from '../../src/view/plan.ts';
import { afterReasons, knownOf, sayAfter, sayBefore, sayRestsOn, whatLowMeans } from '../../src/view/threat.ts';
import { actionNames, severityNames, statusNames, verdictName } from '../../src/view/words.ts';
import { block, code, inline, table } from './markdown.ts';

export interface RecordOptions {
	readonly owner: string;
	readonly reviewDays: number;
	readonly now: Date;
	/** How the operator starts this tool. */
	readonly command: string;
	readonly path: string;
	readonly knowledgeDate: string;
}

/**
 * Of the data block; changes only when a field goes or changes its meaning. Since 2 a threat's `before` is what was found
 * on this host, null where nothing was.
 */
export const recordVersion = 2;

/** The record, from the run's state alone: the same events give the same text. */
export function composeRecord(state: RunState, options: RecordOptions): string {
	const rows = threatTable(state);
	const incomplete = incompleteSteps(state);
	const sections = [
		// Page one: for whoever has a minute.
		heading(state, options, incomplete),
		whatIsTrue(rows),
		whatIsLeft(state, options),
		jobSection(state),
		afterwards(state, options),
		notProtected(),
		checklist(state, options, rows),
		waived(state),
		whoWhenWhere(state, options),
		stepsTable(state),
		changes(state),
		proofs(state),
		findings(state),
		answers(state),
		dataBlock(state, options, rows, incomplete),
	].filter(lines => lines.length > 0);
	return `${sections
		.map(lines => lines.map(oneLine).join('\n'))
		.join('\n\n')
		.trimEnd()}\n`;
}

/** Lists of thousands of containers are in the run's log; a record is read by people. */
function shortened(value: unknown, most = 100): unknown {
	if (Array.isArray(value)) {
		const shown = value.slice(0, most).map(item => shortened(item, most));
		return value.length > most ? [...shown, `and ${value.length - most} more, in the run's log`] : shown;
	}
	if (value === null || typeof value !== 'object') return value;
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortened(item, most)]));
}

const reviewDay = (options: RecordOptions): string =>
	new Date(options.now.getTime() + options.reviewDays * 86_400_000).toISOString().slice(0, 10);

function dataBlock(
	state: RunState,
	options: RecordOptions,
	rows: readonly ThreatRow[],
	incomplete: readonly StepState[],
): readonly string[] {
	const { start } = state;
	const plan = heldTo(state);
	const data = {
		'sysbox-setup-record': recordVersion,
		run: start?.run ?? 'unknown',
		host: start?.host ?? 'unknown',
		simulated: start?.simulated ?? false,
		complete: incomplete.length === 0,
		tool: start?.tool ?? 'unknown',
		knowledge: options.knowledgeDate,
		started: start?.at ?? '',
		written: options.now.toISOString(),
		owner: options.owner,
		review: reviewDay(options),
		changeId: start?.changeId,
		plan: plan?.digest,
		observed: Object.fromEntries(
			Object.keys(state.observed)
				.filter(key => !isNextKey(key))
				.map(key => [key, shortened(seenOf(state, key))]),
		),
		files: filesLeft(state),
		threats: rows.map(row => ({
			id: row.id,
			before: 'level' in row.before ? row.before.level : null,
			after: 'level' in row.after ? row.after.level : row.after.kind.replace('-', ' '),
			lowered: row.after.kind === 'lowered',
		})),
		probes: state.steps.flatMap(step => step.probes).map(probe => ({ id: probe.id, verdict: probe.verdict })),
	};
	// Each value as JSON: no host's text can end the block or become a key. It stands last, so that whoever reads it back
	// takes none that the host has put into what was seen.
	const json = (value: unknown): string => safeJson(value).replaceAll('<', '\\u003c');
	return [
		'## Data',
		'',
		'For programs; one JSON value a line, which is YAML too. It names the run for `revert` of this file.',
		'',
		...folded(
			'data',
			block(
				Object.entries(data)
					.filter(([, value]) => value !== undefined)
					.map(([key, value]) => `${key}: ${json(value)}`),
				'yaml',
			),
		),
	];
}

type Seen = Observed['value'];

const isObject = (value: Seen | undefined): value is { readonly [key: string]: Seen } =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What was seen last, as kernel and Docker are what the proofs ran on. The default runtime is the one thing of the host
 * itself that a run changes: there the record names what the host came with, and under `docker` what it has now.
 */
function seenOf(state: RunState, key: string): Seen | undefined {
	const seen = state.observed[key];
	if (key !== 'host' || !isObject(seen?.last.value) || !isObject(seen.beforeChanges.value)) return seen?.last.value;
	const { defaultRuntime } = seen.beforeChanges.value;
	return defaultRuntime === undefined ? seen.last.value : { ...seen.last.value, defaultRuntime };
}

/** What the run left in each file that it wrote, by sha256. */
function filesLeft(state: RunState): readonly { readonly path: string; readonly sha256: string }[] {
	const files = new Map<string, string>();
	for (const { undo, outcome } of state.actions) {
		if (undo.kind !== 'file' || outcome !== 'done') continue;
		if (undo.after === null) files.delete(undo.path);
		else files.set(undo.path, undo.after);
	}
	return [...files].map(([path, sha256]) => ({ path, sha256 }));
}

function heading(state: RunState, options: RecordOptions, incomplete: readonly StepState[]): readonly string[] {
	// By this line the step knows a record of its own, which it may replace.
	const lines = [
		`<!-- sysbox-setup-record: ${recordVersion} -->`,
		`# Sysbox on ${inline(state.start?.host ?? 'an unknown host')}`,
	];
	if (state.start?.simulated === true)
		lines.push('', '**SIMULATED.** This record was made on a simulated host. No machine was looked at or changed.');
	if (incomplete.length > 0)
		lines.push(
			'',
			`**INCOMPLETE.** ${incomplete.map(step => `${inline(step.title)}: ${statusText(step)}`).join('. ')}.`,
		);
	const made = ownChangesOf(state).filter(({ outcome }) => outcome === 'done').length;
	lines.push(
		'',
		`**${[count(made, 'change'), ...proofsPassed(state)].join(' · ')}**`,
		`Owner: ${inline(options.owner)} · Looked at again by: ${reviewDay(options)} · Run: ${code(state.start?.run ?? 'unknown')}`,
	);
	return lines;
}

const statusText = (step: StepState): string =>
	`${statusNames[step.status].word}${step.why === undefined ? '' : ` (${inline(step.why)})`}`;

function whatIsTrue(rows: readonly ThreatRow[]): readonly string[] {
	const after = (row: ThreatRow): string => {
		const reasons = afterReasons(row).map(inline).join('; ');
		const said = inline(sayAfter(row));
		const level = row.after.kind === 'still' ? `**${said}**` : said;
		return reasons === '' ? level : `${level}: ${reasons}`;
	};
	return [
		'## What is true now',
		'',
		...table(
			['threat', 'before', 'after', 'rests on'],
			rows.map(row => [
				row.title,
				sayBefore(row),
				after(row),
				`${inline(sayRestsOn(row) ?? 'no attack')}${row.restsOn.leftOut.length === 0 ? '' : `; left out: ${inline(row.restsOn.leftOut.join(', '))}`}`,
			]),
		),
		'',
		...rows.map(row => `- ${row.title}: ${inline(`${row.way}: ${row.impact}`)}. Before: ${inline(row.before.basis)}.`),
		'',
		...knownOf(rows).map(text => `${inline(text)}.`),
		whatLowMeans,
	];
}

function waived(state: RunState): readonly string[] {
	const accepted = state.steps.flatMap(step => latestFindings(step).filter(finding => finding.waived !== undefined));
	if (accepted.length === 0) return [];
	return [
		'## Waived',
		'',
		'With reason and last day:',
		'',
		...accepted.map(
			f => `- ${code(f.id)}: ${inline(f.waived?.reason ?? '')}, until ${inline(f.waived?.expires ?? '')}`,
		),
	];
}

/** The saved plan that the run was held to. */
const heldTo = ({ start, resumes }: RunState) => [start, ...resumes].findLast(event => event?.plan !== undefined)?.plan;

function whoWhenWhere(state: RunState, options: RecordOptions): readonly string[] {
	const { start } = state;
	const plan = heldTo(state);
	const seen = seenOf(state, 'host');
	const facts = isObject(seen) ? Object.entries(seen) : [];
	const rows: (readonly string[])[] = [
		['host', inline(start?.host ?? '')],
		['started', `${start?.at ?? ''} by ${inline(start?.user ?? '')}`],
		...state.resumes.map(resume => ['gone on with', `${resume.at} by ${inline(resume.user)}`]),
		['this record', options.now.toISOString()],
		['typed', code(shellLine(['sysbox-setup', ...(start?.command ?? [])]))],
		...(start?.changeId === undefined ? [] : [['change', inline(start.changeId)]]),
		...(plan === undefined ? [] : [['saved plan', `${inline(plan.file)}, digest ${code(plan.digest)}`]]),
		['sysbox-setup', `${inline(start?.tool ?? '')}, knowledge of ${options.knowledgeDate}`],
		...facts.map(([key, value]) => [inline(key), inline(typeof value === 'string' ? value : JSON.stringify(value))]),
	];
	return ['## Who, when, where', '', ...table(['', ''], rows)];
}

function stepsTable(state: RunState): readonly string[] {
	return [
		'## Steps',
		'',
		...table(
			['step', 'came to'],
			state.steps.filter(step => step.kind !== 'report').map(step => [inline(step.title), statusText(step)]),
		),
	];
}

/** What the run did, but for this record. */
function ownChangesOf(state: RunState): readonly ActionState[] {
	const reports = new Set(state.steps.filter(step => step.kind === 'report').map(step => step.id));
	return state.actions.filter(action => !reports.has(action.step));
}

function changes(state: RunState): readonly string[] {
	const made = ownChangesOf(state);
	if (made.length === 0) return ['## What was changed', '', 'Nothing.'];
	return [
		'## What was changed',
		'',
		...table(
			['change', 'came to', 'undo'],
			made.map(action => [inline(action.title), actionNames[action.outcome].word, undoText(action)]),
		),
		...made
			.filter(({ failure }) => failure !== undefined)
			.flatMap(({ title, failure }) => [
				'',
				`${inline(title)} failed:`,
				'',
				...block((failure?.said ?? '').split('\n'), 'text'),
			]),
		'',
		...folded('commands, diffs and what was seen of each change', made.flatMap(changeLines)),
	];
}

function changeLines(action: ActionState): readonly string[] {
	const diff = action.diff ?? [];
	return [
		`### ${inline(action.title)}`,
		'',
		`${action.at} · ${code(action.does)}`,
		...(action.evidence === undefined ? [] : ['', inline(action.evidence)]),
		...(diff.length === 0
			? []
			: [
					'',
					...block(
						diff.map(line => `${diffMarks[line.kind]}${line.text}`),
						'diff',
					),
				]),
		'',
	];
}

function undoText({ undo }: ActionState): string {
	switch (undo.kind) {
		case 'file':
			return undo.before === null
				? `${code(undo.path)} is removed`
				: `${code(undo.path)} is restored byte for byte (sha256 ${undo.before.sha256})`;
		case 'folder':
			return `${code(undo.path)} is removed when it is empty`;
		case 'commands':
		case 'packages':
			return undoParts(undo)
				.map(({ typed, text }) => (typed ? code(text) : inline(text)))
				.join('; ');
		case 'none':
			return `none (${inline(undo.why)})`;
		default:
			return undo satisfies never;
	}
}

/** One that stands against a green record stands out. */
const verdictText = (probe: StepState['probes'][number]): string => {
	const { word } = verdictName(probe, probe.verdict);
	return probe.verdict === 'fail' ? `**${word}**` : word;
};

function proofs(state: RunState): readonly string[] {
	const proved = state.steps.filter(step => step.probes.length > 0);
	if (proved.length === 0) return ['## What was proved', '', 'Nothing: no probe was run.'];
	return [
		'## What was proved',
		...proved.flatMap(step => [
			'',
			`### ${inline(step.title)}`,
			'',
			...table(
				['probe', 'verdict', 'because'],
				step.probes.map(probe => [code(probe.id), verdictText(probe), inline(probe.because)]),
			),
			'',
			...folded('evidence', step.probes.filter(probe => probe.evidence.length > 0).flatMap(evidenceLines)),
		]),
	];
}

const evidenceLines = (probe: StepState['probes'][number]): readonly string[] => [
	`${code(probe.id)} ${inline(probe.title)}${probe.expectation === undefined ? '' : `. Expected: ${inline(probe.expectation)}`}`,
	'',
	...block(
		probe.evidence.flatMap(e => [`# ${e.what}`, ...e.said.split('\n')]),
		'text',
	),
	'',
];

function findings(state: RunState): readonly string[] {
	const rows = (list: readonly Finding[]): readonly string[] =>
		table(
			['finding', 'is', 'what'],
			list.map(f => [
				code(f.id),
				`${severityNames[f.severity].word}${f.waived === undefined ? '' : ', waived'}`,
				`${inline(f.summary)}${f.evidence === undefined ? '' : ` — ${inline(f.evidence)}`}`,
			]),
		);
	const looked = state.steps.filter(step => step.before.length > 0);
	const now = looked.flatMap(latestFindings);
	const troubles = notFine(now);
	const rest = now.filter(finding => !troubles.includes(finding));
	return [
		'## What was found',
		'',
		...(troubles.length === 0 ? ['Nothing that is not ok.'] : rows(troubles)),
		'',
		...folded(`${rest.length} ok`, rest.length === 0 ? [] : rows(rest)),
		'',
		...folded(
			'before the changes',
			looked.flatMap(step =>
				step.after === undefined ? [] : [`### ${inline(step.title)}, before`, '', ...rows(step.before), ''],
			),
		),
	];
}

/** Behind one line, which a reader opens; nothing where there is nothing. */
const folded = (summary: string, lines: readonly string[]): readonly string[] =>
	lines.length === 0 ? [] : ['<details>', `<summary>${summary}</summary>`, '', ...lines, '</details>'];

function answers(state: RunState): readonly string[] {
	const latest = new Map(state.answerEvents.map(event => [event.id, event]));
	if (latest.size === 0) return ['## What was answered', '', 'Nothing was asked.'];
	return [
		'## What was answered',
		'',
		...table(
			['question', 'answer', 'from'],
			[...latest.values()].map(a => [
				code(a.id),
				inline(
					Array.isArray(a.value) ? (a.value.length > 20 ? nameSome(a.value, 20) : a.value.join(', ')) : String(a.value),
				),
				a.source,
			]),
		),
	];
}

/** More would not fit on page one. */
const mostLeft = 10;

function whatIsLeft(state: RunState, { command }: RecordOptions): readonly string[] {
	const open = [...state.steps.flatMap(step => step.open), ...nextSteps(state, command)];
	const rest = open.length - mostLeft;
	return [
		'## What is left',
		'',
		...(open.length === 0 ? ['Nothing.'] : open.slice(0, mostLeft).map(text => `- ${inline(text)}`)),
		...(rest > 0 ? [`- and ${rest} more: see What was found`] : []),
	];
}

function notProtected(): readonly string[] {
	return [
		'## What this does not protect',
		'',
		'- The host against bugs in its kernel: all containers share it.',
		'- What is bind-mounted into a container: root in it is root on those files, and a mounted docker.sock is the host.',
		'- Containers from each other as well as the host from them: Sysbox CE gives all of them the same range of user ids.',
		"- The job's own secrets, and the networks that it can reach.",
		'- Containers that are started with another runtime than sysbox-runc.',
		'- Anything that changed after this record was written: proofs hold for the versions above.',
	];
}

/** How a job gets what was set up. */
function jobSection(state: RunState): readonly string[] {
	const files = filesLeft(state).filter(({ path }) =>
		state.actions.some(({ step, undo }) => step === filesOnly && undo.kind === 'file' && undo.path === path),
	);
	return [
		'## How a job uses it',
		'',
		`A container runs under Sysbox when it asks for it: ${code('docker run --runtime=sysbox-runc …')}, or ${code('runtime: sysbox-runc')} in a compose file.`,
		...(files.length === 0
			? []
			: [
					`These files do that for your CI; their first lines say how: ${files.map(({ path }) => code(path)).join(', ')}.`,
				]),
	];
}

/** What a team asks of such a change, and what this run has seen of it; what it did not look at is unknown. */
function checklist(state: RunState, { owner, path }: RecordOptions, rows: readonly ThreatRow[]): readonly string[] {
	const row = (id: ThreatRow['id']) => rows.find(of => of.id === id);
	const probes = state.steps.flatMap(step => step.probes);
	const finding = (id: string) => state.steps.flatMap(latestFindings).find(of => of.id === id);
	const ofRow = (id: ThreatRow['id']): readonly [string, string] => {
		const found = row(id);
		if (found === undefined) return ['unknown', 'not looked at'];
		const said = [sayAfter(found), ...afterReasons(found)].join('; ');
		return [found.after.kind === 'lowered' ? 'yes' : found.after.kind === 'still' ? 'no' : 'unknown', said];
	};
	const toHost = row('container-escape');
	const version = finding('sysbox.outdated') ?? finding('sysbox.installed');
	const items: readonly (readonly [string, string, string])[] = [
		[
			'Rollout: jobs use Sysbox',
			...(toHost?.after.kind === 'ready'
				? ([toHost.after.using.length === 0 ? 'no' : 'partly', sayAfter(toHost)] as const)
				: ofRow('container-escape')),
		],
		['Least privilege: no docker.sock, no --privileged', ...ofRow('docker-compromise')],
		['Inner hardening: limits for each job', ...ofRow('resource-abuse')],
		[
			'Tests: functional and security',
			probes.length === 0
				? 'no'
				: probes.every(({ verdict }) => verdict === 'pass' || verdict === 'left-out')
					? 'yes'
					: 'partly',
			probes.length === 0 ? 'none was run' : 'see What was proved',
		],
		[
			'Version: supported Sysbox',
			version === undefined ? 'unknown' : version.severity === 'ok' ? 'yes' : 'no',
			version?.summary ?? 'not looked at',
		],
		['Documentation', 'yes', `this record, ${path}; owner ${owner}`],
		['Monitoring', 'unknown', 'not looked at; a timer that runs `check` each day is one'],
		['Image scans', 'unknown', 'not looked at'],
	];
	return [
		'## Implemented and missing on this host',
		'',
		...table(
			['what', 'there', 'seen'],
			items.map(([what, there, seen]) => [inline(what), there, inline(seen)]),
		),
	];
}

function afterwards(state: RunState, options: RecordOptions): readonly string[] {
	const { command } = options;
	const stays = new Set(
		state.actions.flatMap(({ undo, outcome }) =>
			(undo.kind === 'commands' || undo.kind === 'packages') && outcome === 'done' ? (undo.leaves ?? []) : [],
		),
	);
	return [
		'## Afterwards',
		'',
		...table(
			['to', 'type'],
			[
				['look at the host again', code(`${command} check`)],
				['prove it again', code(`${command} test`)],
				['revert this run', code(`${command} ${shellLine(['revert', options.path])}`)],
				...(state.steps.some(step => step.open.length > 0) ? [['go on with what is left', code(command)]] : []),
			],
		),
		...(stays.size === 0 ? [] : ['', `A revert leaves: ${inline([...stays].join('; '))}.`]),
	];
}
