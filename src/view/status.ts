import stringWidth from 'string-width';
import { hostChanges, outcomeOfRun, type RunState } from '../model/state.ts';
import { padTo } from '../text/pad.ts';
import { hanging, oneLine } from '../text/safe.ts';
import { shellLine } from '../text/shell-line.ts';
import { endView } from './end.ts';
import type { Glyphs } from './glyphs.ts';
import { outcomeWords, statusNames } from './words.ts';

/** A run as one row of the list of runs. */
export interface ListedRun {
	readonly state: RunState;
	/** A revert of it has come to its end. */
	readonly reverted: boolean;
	/** Its process is at work now. */
	readonly atWork: boolean;
}

/** The runs as a table, in the order given. `next` is the run that `revert` without a name reverts. */
export function runTable(runs: readonly ListedRun[], next: string | undefined): readonly string[] {
	const rows = runs.flatMap(({ state, reverted, atWork }) => {
		const { start, end } = state;
		if (start === undefined) return [];
		const outcome = end === undefined ? (atWork ? 'running' : 'interrupted') : outcomeWords[outcomeOfRun(state, end)];
		const changes = start.mode === 'revert' ? `reverts ${start.reverts ?? 'a run'}` : `${hostChanges(state).length}`;
		const command = shellLine(['sysbox-setup', ...start.command]);
		return [
			[
				start.run === next ? '*' : ' ',
				start.run,
				`${start.at.slice(0, 16).replace('T', ' ')} UTC`,
				start.user,
				reverted ? `${outcome}, reverted` : outcome,
				changes,
				command,
			],
		];
	});
	const table = [['', 'RUN', 'STARTED', 'BY', 'OUTCOME', 'CHANGES', 'COMMAND'], ...rows].map(row => row.map(oneLine));
	const width = (column: number): number => Math.max(...table.map(row => stringWidth(row[column] ?? '')));
	return table.map(row =>
		row
			.map((cell, column) => padTo(cell, width(column)))
			.join('  ')
			.trimEnd(),
	);
}

/** A run in a few lines: what was done, what is left, how to go on or back. `back` is the command that reverts it. */
export function statusLines(
	state: RunState,
	glyphs: Glyphs,
	command: string,
	back: string | undefined,
): readonly string[] {
	const { start, end } = state;
	if (start === undefined) return ['the last run ended before it began'];
	const simulated = start.simulated ? ' (simulated)' : '';
	const head = `run ${start.run} on ${start.host}${simulated}, ${start.mode === 'revert' ? `reverts ${start.reverts ?? 'a run'}, ` : ''}started ${start.at} by ${start.user}`;
	const steps = state.steps.flatMap(step => {
		const { mark, word } = statusNames[step.status];
		const line = `  ${glyphs[mark]} ${step.title.padEnd(30)} ${word}`;
		return step.why === undefined ? [line] : hanging(`${line}: `, step.why, 6);
	});
	const { changed, unknown, record } = endView(state);
	const left = (end?.open ?? []).flatMap(open => hanging('  left     ', open, 11));
	// A test is done from its beginning again.
	const goesOn = start.mode !== 'test';
	const goOn =
		goesOn && (end === undefined || end.outcome === 'interrupted' || end.outcome === 'open' || end.outcome === 'failed')
			? [`  go on    ${start.mode === 'revert' ? `${command} revert` : command}`]
			: [];
	return [
		head,
		...steps,
		...changed.map(text => `  changed  ${text}`),
		...unknown.map(text => `  unknown  ${text}`),
		...left,
		...(record === undefined ? [] : [`  record   ${record}`]),
		...goOn,
		...(back === undefined ? [] : [`  undo     ${back}`]),
	];
}
