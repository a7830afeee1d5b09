/** What a parser of YAML or TOML gives, before anything is known of it. */
export type PlainMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is PlainMap {
	return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Keys that are not among the known ones. */
export const strangers = (map: PlainMap, known: readonly string[]): readonly string[] =>
	Object.keys(map).filter(key => !known.includes(key));
