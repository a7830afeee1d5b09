import type { RunState } from '../core/state.ts';
import { statusWords } from '../core/status-words.ts';
import type { Glyphs } from './glyphs.ts';
import { statusGlyph } from './text.ts';

/** The saved run in a few lines: what was done, what is left, how to go on or back. */
export function statusLines(state: RunState, glyphs: Glyphs, command: string): readonly string[] {
	const { start, end } = state;
	if (start === undefined) return ['the last run ended before it began'];
	const simulated = start.simulated ? ' (simulated)' : '';
	const head = `run ${start.run} on ${start.host}${simulated}, ${start.mode === 'revert' ? `takes back ${start.reverts ?? 'a run'}, ` : ''}started ${start.at} by ${start.user}`;
	const steps = state.steps.map(step => {
		const status = step.status === 'running' ? 'interrupted here' : statusWords[step.status];
		const glyph = step.status === 'running' ? glyphs.unknown : statusGlyph(step.status, glyphs);
		return `  ${glyph} ${step.title.padEnd(30)} ${status}${step.why === undefined ? '' : `: ${step.why}`}`;
	});
	const changes = state.actions.filter(a => a.outcome === 'done').map(a => `  changed  ${a.title}`);
	const unknown = state.actions
		.filter(a => a.outcome === 'intended' || a.outcome === 'interrupted')
		.map(a => `  unknown  ${a.title}: it was begun, and how it ended was not seen`);
	const left = (end?.open ?? []).map(open => `  left     ${open}`);
	const goOn =
		end === undefined || end.outcome === 'interrupted' || end.outcome === 'open' || end.outcome === 'failed'
			? [`  go on    ${command}`]
			: [];
	const back = changes.length + unknown.length > 0 && start.mode !== 'revert' ? [`  undo     ${command} revert`] : [];
	return [
		head,
		...steps,
		...changes,
		...unknown,
		...left,
		...(state.record === undefined ? [] : [`  record   ${state.record.path}`]),
		...goOn,
		...back,
	];
}
