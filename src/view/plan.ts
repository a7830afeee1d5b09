import { type Impact, impactRows } from '../model/impact.ts';
import type { RiskName } from '../model/risk.ts';
import type { ShownAction } from '../model/shown-action.ts';
import type { Mark } from './glyphs.ts';

type Fact = 'why' | 'does' | 'touches' | 'waits' | 'undo' | 'rollback';

/** An action as it is told before it is done. */
export interface ActionView {
	readonly title: string;
	/** In reading order; a screen with little room leaves some out. A diff belongs behind what it does. */
	readonly facts: readonly { readonly fact: Fact; readonly label: string; readonly text: string }[];
	/** The title does not say already what it does. */
	readonly saysMore: boolean;
	/** Risks that have to be accepted by name. */
	readonly missing: readonly RiskName[];
	/** Risks that were accepted when the run was started. */
	readonly accepted: readonly RiskName[];
	/** The whole file, where others write it. */
	readonly content: string | undefined;
}

export function actionView(action: ShownAction, accepted: readonly RiskName[] = []): ActionView {
	const { title, kind, why, does, touches, waitsFor, undo, rollback, risks = [], content } = action;
	const facts: readonly (readonly [Fact, string, string | undefined])[] = [
		['why', 'why', why],
		['does', doesLabels[kind], does],
		['touches', 'touches', touches?.join(', ')],
		['waits', 'waits', waitsFor && `until ${waitsFor}`],
		['undo', 'undo', undo],
		['rollback', 'on fail', rollback?.join('; ')],
	];
	return {
		title,
		facts: facts.flatMap(([fact, label, text]) => (text === undefined || text === '' ? [] : [{ fact, label, text }])),
		saysMore: saysMore(action),
		missing: risks.filter(risk => !accepted.includes(risk)),
		accepted: risks.filter(risk => accepted.includes(risk)),
		content: content?.replace(/\n$/, ''),
	};
}

export const saysMore = ({ title, does }: Pick<ShownAction, 'title' | 'does'>): boolean =>
	!title.includes(does.replace(/^write |^rm /, ''));

/** Whether a person could type it, or what else it is. */
const doesLabels: Readonly<Record<ShownAction['kind'], 'runs' | 'fetches' | 'file' | 'you'>> = {
	exec: 'runs',
	'load-image': 'runs',
	signal: 'runs',
	'make-folder': 'runs',
	'remove-folder': 'runs',
	copy: 'runs',
	download: 'fetches',
	write: 'file',
	restore: 'file',
	remove: 'file',
	manual: 'you',
};

/** Before a line of a diff, in its first column. */
export const diffMarks = { add: '+', remove: '-', context: ' ', hunk: '', note: '' } as const;

/** A line of what a plan does to the containers that run. */
export interface ImpactLine {
	/** `head` speaks of all containers, `container` of some, `stop` of what stops where there is no list of them. */
	readonly kind: 'head' | 'container' | 'stop' | 'note';
	readonly mark: Mark;
	readonly text: string;
}

/** What stops, with its containers in so many rows, and what else is worth knowing. */
export function impactView(impact: Impact | undefined, most = Number.POSITIVE_INFINITY): readonly ImpactLine[] {
	if (impact === undefined) return [];
	const { containers, stops, notes } = impact;
	const what =
		containers === undefined
			? stops.map((text): ImpactLine => ({ kind: 'stop', mark: 'block', text }))
			: impactRows(containers, most).map(
					(row, index): ImpactLine => ({ kind: index === 0 ? 'head' : 'container', ...row }),
				);
	return [...what, ...notes.map((text): ImpactLine => ({ kind: 'note', mark: 'neutral', text }))];
}
