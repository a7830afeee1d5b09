import { redactDeep } from '../text/redact.ts';
import type { Finding } from './finding.ts';
import { isNextKey } from './next-steps.ts';
import { latestFindings, type RunState, type StepState, stepOf } from './state.ts';
import type { Observation, Step, StepContext } from './step.ts';

type Json = Observation['value'];

/** Something about the host that is not as the run that goes on had last seen it. */
export interface Difference {
	/** The step that looks at it, as the operator reads it. */
	readonly about: string;
	readonly text: string;
}

/**
 * Looks at the host again with every change step that the run had come to, and holds it against what the log says of it.
 * For the operator to read before going on: what is planned rests on the look of each step itself. What differs may be
 * the work of somebody else, or of a command that was cut off.
 */
export async function driftSince(
	steps: readonly Step[],
	past: RunState,
	context: StepContext,
): Promise<readonly Difference[]> {
	const differences: Difference[] = [];
	for (const step of steps) {
		const before = stepOf(past, step.id);
		if (step.kind !== 'change' || before === undefined || before.before.length === 0) continue;
		if (context.signal.aborted) break;
		const facts = await step.inspect(context);
		const { host: _, signal: __, ...judging } = context;
		const findings = redactDeep(step.judge(facts, judging));
		const texts = [
			...(step.observe?.(facts) ?? []).flatMap(({ key, value }) => {
				const seen = past.observed[key]?.last;
				return seen === undefined || isNextKey(key) ? [] : differencesOf(seen.value, value);
			}),
			...findingDifferences(before, findings),
		];
		for (const text of new Set(texts)) differences.push({ about: step.title, text });
	}
	return differences;
}

/** What hinders or warns now and did not, and what no longer does. What a step was about to do is no news. */
function findingDifferences(before: StepState, now: readonly Finding[]): readonly string[] {
	const then = latestFindings(before);
	const troubles = (findings: readonly Finding[]): readonly Finding[] =>
		findings.filter(finding => ['block', 'warn', 'could-not-tell'].includes(finding.severity));
	const known = new Set(then.map(nameOf));
	const standing = new Set(troubles(now).map(nameOf));
	return [
		...troubles(now)
			.filter(finding => !known.has(nameOf(finding)) || !troubles(then).some(of => nameOf(of) === nameOf(finding)))
			.map(finding => `new: ${finding.summary}`),
		...troubles(then)
			.filter(finding => !standing.has(nameOf(finding)))
			.map(finding => `no longer so: ${finding.summary}`),
	];
}

/** Several findings can have one id, each about another thing. */
const nameOf = ({ id, summary }: Finding): string => `${id} ${summary}`;

/** More names than these are counted. */
const mostNames = 3;

/** Two observations of one key, as sentences about what is not the same. */
export function differencesOf(before: Json, now: Json, label = ''): readonly string[] {
	if (sameJson(before, now)) return [];
	if (Array.isArray(before) && Array.isArray(now)) return listDifferences(before, now, label);
	if (isObject(before) && isObject(now)) {
		const { path } = now;
		const file =
			typeof path === 'string' && path === before['path'] && !sameJson(before['sha256'] ?? null, now['sha256'] ?? null);
		const changed = file ? [fileDifference(path, before['sha256'] ?? null, now['sha256'] ?? null)] : [];
		const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(key => !file || key !== 'sha256');
		return [
			...changed,
			...keys.flatMap(key => differencesOf(before[key] ?? null, now[key] ?? null, `${label} ${wordsOf(key)}`.trim())),
		];
	}
	return [`${label === '' ? 'it' : label} was ${sayJson(before)}, is ${sayJson(now)}`];
}

const fileDifference = (path: string, before: Json, now: Json): string =>
	before === null ? `${path} is there now` : now === null ? `${path} is gone` : `${path} was changed`;

function listDifferences(before: readonly Json[], now: readonly Json[], label: string): readonly string[] {
	const named = (list: readonly Json[]) => new Map(list.map(item => [nameOfItem(item), item] as const));
	const [then, current] = [named(before), named(now)];
	const came = [...current.keys()].filter(name => !then.has(name));
	const went = [...then.keys()].filter(name => !current.has(name));
	const changed = [...current].flatMap(([name, item]) => {
		const was = then.get(name);
		return was === undefined || sameJson(was, item) ? [] : [name];
	});
	const told = (names: readonly string[], one: string, many: string): readonly string[] =>
		names.length === 0
			? []
			: [
					names.length > mostNames
						? `${names.length} ${many}`
						: `${names.join(', ')} ${names.length === 1 ? one : many}`,
				];
	const parts = [
		...told(came, 'is new', 'are new'),
		...told(went, 'is gone', 'are gone'),
		...told(changed, 'is not as it was', 'are not as they were'),
	];
	return parts.length === 0 ? [] : [`${label === '' ? '' : `${label}: `}${parts.join('; ')}`];
}

function nameOfItem(item: Json): string {
	if (!isObject(item)) return sayJson(item);
	const { name } = item;
	return typeof name === 'string' ? name : Object.values(item).map(sayJson).join(': ');
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const sayJson = (value: Json): string =>
	value === null ? 'not there' : typeof value === 'string' ? value : JSON.stringify(value);

/** `serverVersion` as a person says it. */
const wordsOf = (key: string): string => key.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);

/** Keys may come in any order: a log was written and read in between. */
function sameJson(a: Json, b: Json): boolean {
	if (Array.isArray(a) && Array.isArray(b))
		return a.length === b.length && a.every((item, index) => sameJson(item, b[index] ?? null));
	if (isObject(a) && isObject(b)) {
		const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
		return [...keys].every(key => sameJson(a[key] ?? null, b[key] ?? null));
	}
	return a === b;
}
