import { standingBlocks } from '../../model/finding.ts';
import { nextSteps } from '../../model/next-steps.ts';
import { type OpenWork, sayWork } from '../../model/open-work.ts';
import { actionsToRevert, changesMade, latestFindings, leftByRevert, type RunState } from '../../model/state.ts';
import { type ThreatRow, threatTable } from '../../model/threat.ts';
import { endSentence, endView, wasAttacked } from '../../view/end.ts';
import { notFine } from '../../view/finding.ts';
import { afterReasons, knownOf, sayAfter, sayBefore, whatRemains } from '../../view/threat.ts';
import { statusNames } from '../../view/words.ts';
import { blank, clip, type Line, labelled, line, pad, plainText, span, wrap } from '../line.ts';
import type { Intro } from '../screen.ts';
import type { Theme } from '../theme.ts';
import { probeTroubles } from './probe-text.ts';
import { capital, count } from './words.ts';

/** "Done, 1 action needed · ci-07": what the run came to, in words, on its host. */
export const summaryTitle = (run: RunState, { host, mode }: Intro, theme: Theme): string => {
	const said = run.end === undefined ? statusNames.running.word : endSentence(run.end, run, mode).said;
	return `${capital(said)} ${theme.glyphs.neutral} ${host}`;
};

/**
 * How much is told: each change; each step; each step, and of what failed no more than that; changes counted; the same
 * without what jobs have to mind; the least.
 */
export type SummaryDetail = 'each' | 'steps' | 'brief' | 'counted' | 'undo' | 'one';

/** The end: what the threats are now and on what that rests, what was changed, what is left, how it is taken back. */
export function summaryLines(
	run: RunState,
	intro: Intro,
	detail: SummaryDetail,
	width: number,
	theme: Theme,
): readonly Line[] {
	const brief = detail !== 'each' && detail !== 'steps';
	const failed = failureLines(run, brief, width, theme);
	return [
		...threatSection(run, detail, width, theme),
		...(failed.length > 0 ? [...failed, blank] : []),
		...summaryRows(run, intro, detail, width, theme).flatMap(([label, ...texts]) =>
			texts.length === 0 ? [] : labelled(label, texts.join('\n'), width, { indent: 0, column: 10 }),
		),
	];
}

function threatSection(run: RunState, detail: SummaryDetail, width: number, theme: Theme): readonly Line[] {
	if (!wasAttacked(run)) return [];
	const brief = detail !== 'each' && detail !== 'steps';
	// At 24 rows this blank one would cost what jobs have to mind, or what a revert leaves.
	const end = detail === 'counted' || detail === 'undo' ? [] : [blank];
	return [...threatLines(threatTable(run), brief, width, theme), ...end];
}

/** Each label with its sentences; one without any is not shown. */
function summaryRows(
	run: RunState,
	{ mode, command }: Intro,
	detail: SummaryDetail,
	width: number,
	theme: Theme,
): readonly (readonly [label: string, ...texts: string[]])[] {
	const { unknown, failed, skipped, record } = endView(run);
	const forRun = (...texts: readonly string[]): readonly string[] => (mode === 'run' ? texts : []);
	const whole = detail === 'each' || detail === 'steps';
	const left = [...new Set((run.end?.work ?? []).map(of => openText(run, of)))];
	const issues = detail === 'undo' || detail === 'one' ? [] : limitsForJobs(run);
	const checked = mode === 'revert' && run.end?.outcome === 'done';
	return [
		[mode === 'revert' ? 'Done' : 'Changed', changedText(run, detail)],
		['Unknown', ...unknown],
		['Failed', ...failed],
		['Skipped', ...skipped],
		// Where there is no room, places and remedies are behind `v`: record and undo have to stay on the screen.
		['Left', ...left.map(text => (whole ? text : cutAt(text, width - 10, theme)))],
		['Issues', ...forRun(...(whole || issues.length === 0 ? issues : [issues.join('; ')]))],
		['Remains', ...(whole && wasAttacked(run) ? forRun(whatRemains) : [])],
		['Next', ...forRun(...nextSteps(run, command))],
		['Record', ...(record === undefined ? [] : [record])],
		['Checked', ...(checked ? ['looked at again: nothing of that run is left, but for what stays'] : [])],
		['Undo', ...(actionsToRevert(run).length > 0 ? forRun(undoText(run, command, detail)) : [])],
	];
}

/** The sentence before its evidence, in one row. */
function cutAt(text: string, width: number, theme: Theme): string {
	const [head = text] = text.split(/ \(|\. /);
	return plainText(clip(line(head), width, theme.more));
}

function undoText(run: RunState, command: string, detail: SummaryDetail): string {
	const stays = [...leftByRevert(run), ...(run.record === undefined ? [] : ['the record'])];
	const told = stays.length === 0 || detail === 'one' ? '' : `\nleaves ${stays.join(', ')}`;
	return `${command} revert${told}`;
}

/** A person reads the title of the step, and of a step that is left whole, why. */
function openText(run: RunState, work: OpenWork): string {
	const step = run.steps.find(of => of.id === work.step);
	if (step === undefined || work.finding !== undefined) return sayWork(work);
	return work.what === undefined
		? `${step.title}${step.why === undefined ? '' : `, ${step.why}`}`
		: `${step.title}: ${work.what}`;
}

/** What failed or stands in the way, with the way out: of a proof its attempts, of another step its findings. */
function failureLines(run: RunState, brief: boolean, width: number, theme: Theme): readonly Line[] {
	const failed = run.steps.filter(step => step.status === 'failed' || step.status === 'blocked');
	const lines = failed.flatMap(step => {
		const troubles = probeTroubles(step.probes, width - 2, theme).map(row => line('  ', ...row));
		const hinders = step.status === 'blocked' ? standingBlocks(latestFindings(step)) : [];
		const told = troubles.length > 0 || step.why === undefined ? '' : `: ${step.why}`;
		const why = hinders.length === 0 ? told : `, ${count(hinders.length, 'problem')}`;
		const head = line(span(theme.glyphs.block, 'block'), ` ${step.title}: ${statusNames[step.status].word}${why}`);
		return brief ? [clip(head, width, theme.more)] : [...wrap(head, width, 2), ...troubles];
	});
	if (brief) return failed.length === 0 ? [] : [...lines, line(span('  v tells what it is, and what helps', 'dim'))];
	const advice = failed.flatMap(step => notFine(latestFindings(step)).filter(f => f.severity === 'block'));
	for (const finding of advice.slice(0, 4)) {
		lines.push(...wrap(line('    ', finding.summary), width, 4));
		if (finding.remedy !== undefined)
			lines.push(...labelled('fix', finding.remedy.text, width, { indent: 4, column: 6 }));
		if (finding.remedy?.kind === 'commands')
			lines.push(...finding.remedy.commands.map(command => line(' '.repeat(10), span(command, 'strong'))));
	}
	return lines;
}

function changedText(run: RunState, detail: SummaryDetail): string {
	const changes = changesMade(run);
	if (changes.length === 0) return 'nothing';
	if (changes.length <= 3 || detail === 'each') return endView(run).changed.join('\n');
	const steps = run.steps.filter(step => changes.some(a => a.step === step.id));
	const where = `(v names each${run.record === undefined ? '' : ', as does the record'})`;
	const among = (of: typeof changes): string => {
		const system = of.flatMap(({ undo, title, role }) =>
			undo.kind === 'packages' || role === 'change-packages'
				? [title]
				: undo.kind === 'file' && undo.path.startsWith('/etc/')
					? [undo.path]
					: [],
		);
		return system.length === 0 ? '' : `, among them: ${[...new Set(system)].join('; ')}`;
	};
	const byStep = detail === 'steps' || detail === 'brief';
	if (!byStep || steps.length === 1)
		return `${changes.length} changes${steps.length === 1 ? '' : ` in ${count(steps.length, 'step')}`}${among(changes)} ${where}`;
	const rows = steps.map(step => {
		const of = changes.filter(a => a.step === step.id);
		return `${step.title}: ${of.length === 1 ? of[0]?.title : `${of.length} changes${among(of)}`}`;
	});
	return [...rows, where].join('\n');
}

/** What is known not to work with this Sysbox, however well all was proved: each once, by its title; `v` has the rest. */
function limitsForJobs(run: RunState): readonly string[] {
	const known = run.steps
		.flatMap(latestFindings)
		.flatMap(({ knownIssue, severity }) => (knownIssue !== undefined && severity === 'info' ? [knownIssue] : []));
	return [...new Set(known)];
}

/** True when starting again goes on with this run. */
export const goesOn = (run: RunState): boolean =>
	(run.end?.open.length ?? 0) > 0 || run.end?.outcome === 'interrupted' || run.end?.outcome === 'open';

/** Below this width the words for a row are short, and how many attacks were blocked is left to `v`. */
const wideTable = 72;

function afterInShort(row: ThreatRow): string {
	const { after } = row;
	if (after.kind === 'ready') return after.using.length === 0 ? 'ready, not used yet' : 'ready, partly used';
	return after.kind === 'not-lowered' ? `still ${after.level}` : sayAfter(row);
}

export function threatLines(rows: readonly ThreatRow[], brief: boolean, width: number, theme: Theme): readonly Line[] {
	const titles = Math.max(...rows.map(row => row.title.length));
	const wide = width >= wideTable;
	const now = rows.map(row => (wide ? sayAfter(row) : afterInShort(row)));
	const column = Math.max(...now.map(text => text.length));
	const gap = wide ? '  ' : ' ';
	const title = `${pad('what a CI job could do', titles)}${gap}${pad('before', 8)}   ${pad('now', column)}`;
	const reason = (text: string): readonly Line[] => wrap(line('    ', span(text)), width, 4);
	return [
		clip(line(span(wide ? `${title} blocked` : title, 'dim')), width, theme.more),
		...rows.flatMap((row, index) => {
			const { after, restsOn } = row;
			const colour = after.kind === 'lowered' ? 'ok' : after.kind === 'still' ? 'block' : 'unknown';
			const first = line(
				pad(row.title, titles),
				`${gap}${pad(sayBefore(row), 8)} ${theme.glyphs.arrow} `,
				span(pad(now[index] ?? '', column), colour),
				after.kind === 'not-lowered' || !wide ? '' : ` ${restsOn.held}/${restsOn.of}`,
			);
			if (brief) return [clip(first, width, theme.more)];
			return [
				clip(first, width, theme.more),
				...reason(`${row.way}: ${row.impact}`),
				...afterReasons(row).flatMap(reason),
			];
		}),
		...(brief ? [] : knownOf(rows).flatMap(text => wrap(line(span(text, 'dim')), width, 2))),
	];
}
