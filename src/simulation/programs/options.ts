/** How the options of a program are written. */
export interface OptionTable {
	/** Options that take a value, as `--name VALUE`, `--name=VALUE` or `-n VALUE`. */
	readonly withValue: readonly string[];
	/** Options without a value. Unknown ones are reported to the caller. */
	readonly flags: readonly string[];
	/** Where the first word that is no option ends the options, as in `docker run IMAGE COMMAND…`. */
	readonly stopAtWord?: boolean | undefined;
}

export interface ParsedOptions {
	readonly values: Readonly<Record<string, readonly string[]>>;
	readonly flags: ReadonlySet<string>;
	readonly words: readonly string[];
	readonly unknown: readonly string[];
}

/** Options in any order. Names keep their dashes, so that `-v` and `--v` stay apart. */
export function parseOptions(argv: readonly string[], table: OptionTable): ParsedOptions {
	const values: Record<string, string[]> = {};
	const flags = new Set<string>();
	const words: string[] = [];
	const unknown: string[] = [];
	const rest = [...argv];
	const set = (name: string, value: string | undefined): void => {
		values[name] = [...(values[name] ?? []), value ?? ''];
	};
	for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
		if (word === '--') break;
		if (!word.startsWith('-') || word === '-') {
			words.push(word);
			if (table.stopAtWord) break;
			continue;
		}
		const [, name = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
		const short = word.slice(0, 2);
		const long = word.startsWith('--');
		const letters = [...word.slice(1)].map(letter => `-${letter}`);
		if (table.withValue.includes(name)) set(name, value ?? rest.shift());
		else if (table.flags.includes(word)) flags.add(word);
		else if (!long && table.withValue.includes(short)) set(short, word.slice(2).replace(/^=/, ''));
		else if (!long && letters.every(letter => table.flags.includes(letter)))
			for (const letter of letters) flags.add(letter);
		else unknown.push(word);
	}
	return { values, flags, words: [...words, ...rest], unknown };
}

export const lastOf = (options: ParsedOptions, ...names: readonly string[]): string | undefined =>
	names.flatMap(name => options.values[name] ?? []).at(-1);
export const allOf = (options: ParsedOptions, ...names: readonly string[]): readonly string[] =>
	names.flatMap(name => options.values[name] ?? []);
