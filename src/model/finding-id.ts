/** A finding that a step can come to, and what it is about: for `check --list`, `--ignore` and waivers. */
export interface FindingId {
	readonly id: string;
	readonly about: string;
}

/** A table of ids and what they are about, as a list. */
export const findingIds = (table: Readonly<Record<string, string>>): readonly FindingId[] =>
	Object.entries(table).map(([id, about]) => ({ id, about }));
