import { isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from 'yaml';
import * as z from 'zod';
import {
	type Answers,
	type AnswerValue,
	answerProblem,
	answerValueSchema,
	initialAnswer,
	type Question,
} from '../model/question.ts';
import { isRiskName, riskNames } from '../model/risk.ts';
import { type Waiver, waiverSchema } from '../model/waiver.ts';
import { didYouMean } from '../text/did-you-mean.ts';

export const answersVersion = 1;

/** An answers file as editors check it while it is written. The reader below names the place of each problem. */
export const answersFileSchema = z
	.object({ version: z.literal(answersVersion), waivers: z.array(waiverSchema).optional() })
	.catchall(z.union([answerValueSchema, z.record(z.string(), answerValueSchema)]));

export interface AnswersFile {
	readonly answers: Answers;
	readonly waivers: readonly Waiver[];
	/** Where each answer stands, as LINE:COLUMN, and each waiver as `waivers.0`, for later complaints about its value. */
	readonly places: Readonly<Record<string, string>>;
}

export type AnswersRead =
	| { readonly kind: 'read'; readonly file: AnswersFile }
	| { readonly kind: 'wrong'; readonly problems: readonly string[] };

/**
 * Reads an answers file. Every problem is named with file:line:column, all at once, since each new attempt on a
 * production host costs a maintenance window.
 *
 * ```yaml
 * version: 1
 * ci:
 *   memory: 4g
 * waivers:
 *   - {finding: disk.data-root, reason: grows next week, expires: 2027-01-31}
 * ```
 */
export function readAnswersFile(path: string, text: string): AnswersRead {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
	const at = (offset: number | undefined): string => {
		const { line, col } = lines.linePos(offset ?? 0);
		return `${path}:${line}:${col}`;
	};
	if (document.errors.length > 0) {
		return {
			kind: 'wrong',
			problems: document.errors.map(error => `${at(error.pos[0])}: ${error.message.split('\n')[0] ?? error.message}`),
		};
	}
	const root = document.contents;
	if (!isMap(root))
		return { kind: 'wrong', problems: [`${path}:1:1: holds no answers; it begins with "version: ${answersVersion}"`] };

	const reading: Reading = { lines, answers: {}, places: {}, waivers: [], problems: [] };
	let version: unknown;
	for (const pair of root.items) {
		const key = isScalar(pair.key) ? String(pair.key.value) : '';
		if (key === 'version') version = isScalar(pair.value) ? pair.value.value : undefined;
		else takePair(key, pair, reading);
	}
	const { answers, places, waivers } = reading;
	const problems = reading.problems.map(({ offset, text }) => `${at(offset)}: ${text}`);
	if (version === undefined) problems.push(`${path}:1:1: has no version; it begins with "version: ${answersVersion}"`);
	else if (version !== answersVersion)
		problems.push(`${path}:1:1: has version ${String(version)}; this program reads version ${answersVersion}`);
	return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'read', file: { answers, waivers, places } };
}

/** What a file has given so far. */
interface Reading {
	readonly lines: LineCounter;
	readonly answers: Record<string, AnswerValue>;
	readonly places: Record<string, string>;
	readonly waivers: Waiver[];
	readonly problems: { readonly offset: number | undefined; readonly text: string }[];
}

/** One entry at the top of the file, other than its version. */
function takePair(key: string, { key: node, value }: Pair, reading: Reading): void {
	const problem = (text: string): void => void reading.problems.push({ offset: rangeOf(node), text });
	if (key === 'waivers') takeWaivers(node, value, reading);
	else if (['risks', 'accept-risk', 'accepted-risks'].includes(key))
		problem(`risks cannot be accepted in a file; pass --accept-risk NAME (${riskNames.join(', ')})`);
	else if (isMap(value)) {
		for (const inner of value.items) {
			const name = isScalar(inner.key) ? String(inner.key.value) : '';
			takeAnswer(`${key}.${name}`, inner, reading);
		}
	} else if (key.includes('.')) takeAnswer(key, { key: node, value }, reading);
	else problem(`${key} stands alone; answers are written as STEP: {NAME: VALUE}`);
}

function takeAnswer(id: string, { key, value }: Pick<Pair, 'key' | 'value'>, reading: Reading): void {
	const taken = answerValueSchema.safeParse(hasToJson(value) ? value.toJSON() : value);
	if (taken.success) {
		reading.answers[id] = taken.data;
		reading.places[id] = placeOf(key, reading);
	} else
		reading.problems.push({
			offset: rangeOf(key),
			text: `${id} must be text, a number, true, false or a list of words`,
		});
}

function takeWaivers(key: unknown, list: unknown, reading: Reading): void {
	const read = readWaivers(list);
	for (const { node, waiver } of read.waivers) {
		reading.places[`waivers.${reading.waivers.length}`] = placeOf(node, reading);
		reading.waivers.push(waiver);
	}
	for (const { node, text } of read.problems) reading.problems.push({ offset: rangeOf(node) ?? rangeOf(key), text });
}

/** `LINE:COLUMN` of a node. */
function placeOf(node: unknown, { lines }: Reading): string {
	const { line, col } = lines.linePos(rangeOf(node) ?? 0);
	return `${line}:${col}`;
}

const hasToJson = (node: unknown): node is { toJSON(): unknown } =>
	typeof node === 'object' && node !== null && 'toJSON' in node;

function rangeOf(node: unknown): number | undefined {
	if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
	const { range } = node;
	return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}

function readWaivers(list: unknown): {
	readonly waivers: readonly { readonly node: unknown; readonly waiver: Waiver }[];
	readonly problems: readonly { readonly node: unknown; readonly text: string }[];
} {
	if (!isSeq(list))
		return { waivers: [], problems: [{ node: list, text: 'waivers must be a list of {finding, reason, expires}' }] };
	const waivers: { node: unknown; waiver: Waiver }[] = [];
	const problems: { node: unknown; text: string }[] = [];
	for (const node of list.items) {
		const read = waiverSchema.safeParse(hasToJson(node) ? node.toJSON() : node);
		if (read.success) waivers.push({ node, waiver: read.data });
		else problems.push({ node, text: 'a waiver needs finding, reason and expires (YYYY-MM-DD)' });
	}
	return { waivers, problems };
}

/**
 * Holds answers against the questions of the steps: unknown names (with the near one), wrong values, and questions that
 * nobody answered and that have no default. All of them, so that one look is enough.
 */
export function checkAnswers(
	given: { readonly path: string; readonly file: AnswersFile } | undefined,
	questions: readonly Question[],
	knownIds: readonly string[],
	saved: Answers = {},
): readonly string[] {
	const problems: string[] = [];
	for (const [id, value] of Object.entries(given?.file.answers ?? {})) {
		const where = `${given?.path ?? ''}:${given?.file.places[id] ?? '1:1'}`;
		const question = questions.find(q => q.id === id);
		if (question?.kind === 'risk') {
			problems.push(
				`${where}: ${id} is a risk, which cannot be accepted in a file; pass --accept-risk ${question.risk}`,
			);
		} else if (question !== undefined) {
			const problem = answerProblem(question, value);
			if (problem !== undefined) problems.push(`${where}: ${id} ${problem}`);
		} else if (!knownIds.includes(id))
			problems.push(`${where}: nothing is asked that is called ${id}.${didYouMean(id, knownIds)}`);
	}
	for (const question of questions) {
		if (question.kind === 'risk') continue;
		const answered = given?.file.answers[question.id] ?? saved[question.id];
		if (answered === undefined && initialAnswer(question) === undefined)
			problems.push(`no answer for ${question.id}: ${question.title}`);
	}
	return problems;
}

/** Splits a list of risk names into known ones and complaints. */
export function readRisks(words: readonly string[]): {
	readonly risks: readonly import('../model/risk.ts').RiskName[];
	readonly problems: readonly string[];
} {
	return {
		risks: words.filter(isRiskName),
		problems: words
			.filter(word => !isRiskName(word))
			.map(
				word => `there is no risk called ${word}.${didYouMean(word, riskNames)} The names are: ${riskNames.join(', ')}`,
			),
	};
}
