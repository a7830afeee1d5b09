/** How the options of a program are written. */
export interface OptionTable {
	/** Options that take a value, as `--name VALUE`, `--name=VALUE` or `-n VALUE`. */
	readonly withValue: readonly string[];
	/** Options without a value. Unknown ones are reported to the caller. */
	readonly flags: readonly string[];
	/** Where the first word that is no option ends the options, as in `docker run IMAGE COMMAND…`. */
	readonly stopAtWord?: boolean;
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
	const takesValue = (name: string) => table.withValue.includes(name);
	for (let at = 0; at < argv.length; at += 1) {
		const word = argv[at] ?? '';
		if (word === '--') {
			words.push(...argv.slice(at + 1));
			break;
		}
		if (!word.startsWith('-') || word === '-') {
			if (table.stopAtWord) {
				words.push(...argv.slice(at));
				break;
			}
			words.push(word);
			continue;
		}
		const equals = word.indexOf('=');
		const name = word.startsWith('--') && equals !== -1 ? word.slice(0, equals) : word;
		if (takesValue(name)) {
			let value = word.slice(equals + 1);
			if (name === word) {
				at += 1;
				value = argv[at] ?? '';
			}
			values[name] = [...(values[name] ?? []), value];
		} else if (table.flags.includes(name)) {
			if (name === word || word.endsWith('=true')) flags.add(name);
		} else if (!word.startsWith('--') && takesValue(word.slice(0, 2))) {
			const short = word.slice(0, 2);
			values[short] = [...(values[short] ?? []), word.slice(word.charAt(2) === '=' ? 3 : 2)];
		} else if (
			!word.startsWith('--') &&
			word.length > 2 &&
			[...word.slice(1, -1)].every(c => table.flags.includes(`-${c}`))
		) {
			for (const letter of word.slice(1, -1)) flags.add(`-${letter}`);
			const last = `-${word.at(-1)}`;
			if (table.flags.includes(last)) flags.add(last);
			else if (takesValue(last)) {
				at += 1;
				values[last] = [...(values[last] ?? []), argv[at] ?? ''];
			} else unknown.push(word);
		} else unknown.push(word);
	}
	return { values, flags, words, unknown };
}

export const lastOf = (options: ParsedOptions, ...names: readonly string[]): string | undefined =>
	names.flatMap(name => options.values[name] ?? []).at(-1);
export const allOf = (options: ParsedOptions, ...names: readonly string[]): readonly string[] =>
	names.flatMap(name => options.values[name] ?? []);
