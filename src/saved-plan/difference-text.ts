import { type DiffLine, diffTexts } from '../text/diff.ts';
import { redactLines } from '../text/redact.ts';
import { oneLine } from '../text/safe.ts';
import type { Difference } from './compare-plans.ts';
import type { ExactAction } from './saved-plan.ts';

/**
 * Differences as lines for an operator: which step, which action, which file, and what is another than it was. Half of
 * the words come from a file that somebody handed over, and a terminal must not obey them.
 */
export const differenceLines = (differences: readonly Difference[]): readonly string[] =>
	told(differences).map(oneLine);

function told(differences: readonly Difference[]): readonly string[] {
	return differences.flatMap(difference => {
		const at = `${difference.step}: `;
		switch (difference.kind) {
			case 'more':
				return [
					`${at}${difference.again ? 'to be done a second time' : 'not in the plan'}: ${difference.action.title}`,
					...indented(does(difference.action)),
				];
			case 'less':
				return [`${at}in the plan, and not to be done now: ${difference.action.title}`];
			case 'other':
				return [`${at}is another one now: ${difference.now.title}`, ...indented(changes(difference))];
			case 'order':
				return [`${at}the order was ${difference.approved.join(', ')}, and is ${difference.now.join(', ')}`];
			case 'stops':
				return [`${at}would stop now, and was not in the plan: ${difference.what}`];
			case 'step':
				return [
					`${at}${difference.only === 'plan' ? 'is in the plan, and not part of this run' : 'is not in the plan'}; pass the same --only, --skip and --from`,
				];
			default:
				return difference satisfies never;
		}
	});
}

const indented = (lines: readonly string[]): readonly string[] => lines.map(line => `  ${line}`);

const does = (action: ExactAction): readonly string[] => [...action.does.split('\n'), ...riskWords(action)];

const riskWords = ({ risks }: ExactAction): readonly string[] =>
	risks === undefined || risks.length === 0 ? [] : [`risk ${risks.join(', ')}`];

function changes({ approved, now }: Extract<Difference, { kind: 'other' }>): readonly string[] {
	const lines: string[] = [];
	const [fileThen, fileNow] = [approved.exact.file, now.exact.file];
	if (fileThen !== undefined && fileNow !== undefined && fileThen.path === fileNow.path) {
		if (fileThen.before !== fileNow.before)
			lines.push(
				`${fileNow.path} is not as it was when the plan was made (sha256 ${short(fileThen.before)} then, ${short(fileNow.before)} now)`,
				...between(sides(approved).before, sides(now).before),
			);
		else if (fileThen.after !== fileNow.after)
			lines.push(
				`${fileNow.path} would become another one (sha256 ${short(fileThen.after)} in the plan, ${short(fileNow.after)} now)`,
				...between(sides(approved).after, sides(now).after),
			);
	}
	if (approved.does !== now.does) lines.push(`- ${approved.does}`, `+ ${now.does}`);
	if (approved.undo !== now.undo) lines.push(`- undo: ${approved.undo}`, `+ undo: ${now.undo}`);
	const [risksThen, risksNow] = [riskWords(approved).join(), riskWords(now).join()];
	if (risksThen !== risksNow) lines.push(`- ${risksThen || 'no risk'}`, `+ ${risksNow || 'no risk'}`);
	if (lines.length > 0) return lines;
	return now.exact.argv === undefined
		? ['its mode, its owner or how it is checked differs']
		: [`${now.does} differs in what is not shown, such as a password`];
}

const short = (sha256: string | null): string => (sha256 === null ? 'none' : sha256.slice(0, 12));

/** The part of a file around a change, as far as its diff shows it, before and after. */
function sides({ diff }: ExactAction): { readonly before: string; readonly after: string } {
	const side = (...kinds: readonly DiffLine['kind'][]): string =>
		(diff ?? [])
			.filter(({ kind }) => kinds.includes(kind))
			.map(({ text }) => `${text}\n`)
			.join('');
	return { before: side('context', 'remove'), after: side('context', 'add') };
}

const marks = { add: '+', remove: '-', context: ' ', hunk: '', note: '' } as const;

function between(then: string, now: string): readonly string[] {
	const lines = diffTexts(then, now, { redact: redactLines }).filter(({ kind }) => kind in marks && marks[kind] !== '');
	return lines.length > 0
		? lines.map(({ kind, text }) => `${marks[kind]} ${text}`)
		: ['  (the difference is outside of what the diff shows, or is a secret)'];
}
