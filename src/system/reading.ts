import * as z from 'zod';

/**
 * What a parser makes of a text that a host gave. No parser of this directory throws: text that nobody expected is a
 * fact about the host too, and `why` says it so that an operator understands it.
 */
export type Reading<T> = { readonly kind: 'ok'; readonly value: T } | Unreadable;

export interface Unreadable {
	readonly kind: 'unreadable';
	readonly why: string;
}

export const read = <T>(value: T): Reading<T> => ({ kind: 'ok', value });

export const unreadable = (why: string): Unreadable => ({ kind: 'unreadable', why });

/** The value, or undefined where the text could not be read. */
export function valueIn<T>(reading: Reading<T>): T | undefined {
	return reading.kind === 'ok' ? reading.value : undefined;
}

/** Reads JSON of a known shape. `what` names the source for the operator: "docker info". */
export function readJson<T>(text: unknown, schema: z.ZodType<T>, what: string): Reading<T> {
	if (typeof text !== 'string') return unreadable(`${what} gave no text`);
	if (text.trim() === '') return unreadable(`${what} printed nothing`);
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return unreadable(`${what} did not print JSON, but: ${excerpt(text)}`);
	}
	const parsed = schema.safeParse(json);
	if (parsed.success) return read(parsed.data);
	const issue = parsed.error.issues[0];
	const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.map(String).join('.')}`;
	return unreadable(`${what} printed JSON of another shape${where}: ${issue?.message ?? 'unknown'}`);
}

/** The beginning of a text, on one line, for a message. */
export function excerpt(text: string, length = 120): string {
	const line = text.trim().replace(/\s+/g, ' ');
	return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** Docker writes `null` where a list or a map is empty. */
export const orEmptyList = <T extends z.ZodType>(item: T) =>
	z
		.array(item)
		.nullish()
		.transform(list => list ?? []);

export const orEmptyMap = <T extends z.ZodType>(value: T) =>
	z
		.record(z.string(), value)
		.nullish()
		.transform(map => map ?? {});

export const orEmptyText = z
	.string()
	.nullish()
	.transform(text => text ?? '');

export const orFalse = z
	.boolean()
	.nullish()
	.transform(flag => flag ?? false);
