import { findingIds, inputFindingIds } from '../../steps/finding-ids.ts';
import type { StepOrder } from '../model/order.ts';
import type { Answers, Question } from '../model/question.ts';
import type { RiskName } from '../model/risk.ts';
import type { JudgeContext, Step, StepContext } from '../model/step.ts';
import { isExpired, type Waiver } from '../model/waiver.ts';
import { WrongInput } from '../model/wrong-input.ts';
import type { ReadHost } from '../port/host.ts';
import { type AnswersFile, checkAnswers, readAnswersFile, readRisks } from '../prompts/answers-file.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { readPassedFile } from './passed-file.ts';

/** A megabyte of answers is no answers file. */
const maxAnswersBytes = 1024 * 1024;

export interface Inputs {
	readonly path?: string | undefined;
	readonly file?: AnswersFile | undefined;
	readonly answers: Answers;
	readonly waivers: readonly Waiver[];
	readonly risks: readonly RiskName[];
}

/** Reads the answers file and the accepted risks; whatever is wrong with them is said at once and all together. */
export async function readPassed(options: {
	readonly answers?: string | undefined;
	readonly acceptRisk: readonly string[];
	readonly ignore?: readonly string[] | undefined;
}): Promise<Inputs> {
	const { risks, problems } = readRisks(options.acceptRisk);
	if (problems.length > 0) throw new WrongInput(problems.join('\n'));
	// What `check --ignore` names is accepted for this one look only.
	const ignored = (options.ignore ?? []).map(finding => ({
		finding,
		reason: 'given with --ignore',
		expires: '9999-12-31',
	}));
	if (options.answers === undefined) return { answers: {}, waivers: ignored, risks };
	const path = options.answers;
	let bytes: Buffer | undefined;
	try {
		bytes = await readPassedFile(path, maxAnswersBytes);
	} catch (error) {
		throw new WrongInput(`the answers file ${path} cannot be read: ${reasonOf(error)}`);
	}
	if (bytes === undefined)
		throw new WrongInput(`the answers file ${path} has more than ${maxAnswersBytes} bytes; that is no answers file`);
	let text: string;
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		throw new WrongInput(`the answers file ${path} is not UTF-8 text`);
	}
	const read = readAnswersFile(path, text);
	if (read.kind === 'wrong') throw new WrongInput(read.problems.join('\n'));
	return { path, file: read.file, answers: read.file.answers, waivers: [...read.file.waivers, ...ignored], risks };
}

export function reasonOf(error: unknown): string {
	const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
	const words: Readonly<Record<string, string>> = {
		ENOENT: 'there is no such file',
		EACCES: 'permission denied',
		EISDIR: 'it is a directory',
		ENOTDIR: 'a part of the path is no directory',
	};
	return words[code] ?? (error instanceof Error ? error.message : String(error));
}

/**
 * Holds the answers against everything that the chosen steps would ask, before the first of them starts. What an
 * earlier process of the run was answered is not asked again; nor does it bring up questions here, as only the step
 * itself, which has looked at the host, knows what to propose for them.
 */
export function preflightAnswers(
	order: StepOrder,
	catalogue: readonly Step[],
	passed: Inputs,
	context: JudgeContext,
	unattended: boolean,
): void {
	const questions: readonly Question[] = order.steps.flatMap(({ step, role }) =>
		role === 'chosen' ? (step.ask?.(passed.answers, undefined, { ...context, answers: passed.answers }) ?? []) : [],
	);
	const known = [...new Set([...catalogue.flatMap(step => step.answerIds ?? []), ...questions.map(q => q.id)])];
	const problems = [
		...checkAnswers(
			passed.file === undefined ? undefined : { path: passed.path ?? 'answers', file: passed.file },
			questions,
			known,
			context.answers,
		),
		...unknownWaivers(passed, context.options.command),
	];
	// A person can still be asked what is missing; an answers file's mistakes are told in both cases.
	const isMissing = (problem: string): boolean => problem.startsWith('no answer for ');
	const telling = unattended ? problems : problems.filter(problem => !isMissing(problem));
	if (telling.length > 0)
		throw new WrongInput(
			telling.join('\n'),
			telling.some(isMissing) ? ['put the answers into a file and pass it with --answers FILE'] : [],
		);
}

/** What is misspelt would waive nothing, in silence. */
function unknownWaivers(passed: Inputs, command: string): readonly string[] {
	const known = findingIds.map(({ id }) => id);
	return passed.waivers
		.filter(({ finding }) => !known.includes(finding))
		.map(waiver => {
			const place = placeOf(passed, waiver);
			const is = inputFindingIds.includes(waiver.finding)
				? `${waiver.finding} is about what was passed, and cannot be waived.`
				: `there is no finding called ${waiver.finding}.${didYouMean(waiver.finding, known)}`;
			return `${place ?? '--ignore'}: ${is} \`${command} check --list\` names them.`;
		});
}

/** FILE:LINE:COLUMN; undefined for what came with --ignore. */
function placeOf({ path, file }: Inputs, waiver: Waiver): string | undefined {
	const index = file?.waivers.indexOf(waiver) ?? -1;
	return index === -1 ? undefined : `${path ?? 'answers'}:${file?.places[`waivers.${index}`] ?? '1:1'}`;
}

/** Findings count again from the day after, which nobody may be left to guess from the verdict. */
export const expiredWaivers = (passed: Inputs, now: Date): readonly string[] =>
	passed.waivers
		.filter(waiver => isExpired(waiver, now))
		.map(
			waiver =>
				`${placeOf(passed, waiver) ?? '--ignore'}: the waiver of ${waiver.finding} ended on ${waiver.expires}; the finding counts again.`,
		);

/** A record that cannot be written is found before anything is changed, as it is the evidence of the change. */
export async function preflightReports(order: StepOrder, context: StepContext): Promise<void> {
	for (const { step, role } of order.steps) {
		if (step.kind !== 'report' || role !== 'chosen') continue;
		const target = await step.inspect(context);
		if (target.kind === 'refused')
			throw new WrongInput(target.why, ['pass a path that can be written with --record FILE']);
	}
}

/** Files that were passed are looked for before the first change: a misspelt path is no reason to stop half way. */
export async function preflightFiles(
	host: ReadHost,
	files: readonly { readonly option: string; readonly path: string }[],
): Promise<void> {
	const problems: string[] = [];
	for (const { option, path } of files) {
		const found = await host.stat(path);
		if (found.kind === 'found' && found.type === 'file') continue;
		const is =
			found.kind === 'found'
				? `is a ${found.type}`
				: found.kind === 'missing'
					? 'is not there'
					: found.kind === 'denied'
						? 'may not be read'
						: 'cannot be used';
		problems.push(`${path}, given with ${option}, ${is}.`);
	}
	if (problems.length > 0) throw new WrongInput(problems.join('\n'));
}
