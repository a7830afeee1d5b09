/**
 * Outside text made safe. Labels, names, logs, what programs print and what files hold is chosen by others; a terminal
 * obeys some of it (cursor, clipboard, title), hides some, and takes a line break for a line of ours.
 */

declare const safe: unique symbol;

/**
 * Text with nothing in it that a terminal obeys or hides. Only the functions here make it, so whatever asks for it
 * cannot be handed outside text by mistake.
 */
export type SafeText = string & { readonly [safe]: true };

/**
 * Control characters (C0, DEL, C1), format characters (direction overrides, joiners, tags), what has no shape by default
 * (fillers, variation selectors), the line and paragraph separators, and halves of surrogate pairs. Not the tab.
 */
const unsafe = /[^\P{Cc}\t]|[\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\p{Cs}]/gu;
const unsafeButLineEnds = /[^\P{Cc}\t\n]|[\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\p{Cs}]/gu;

const codePoint = (character: string): number => character.codePointAt(0) ?? 0;

const hex = (of: number, digits: number): string => of.toString(16).padStart(digits, '0');

const named = (character: string): string => `<U+${hex(codePoint(character), 4).toUpperCase()}>`;

/** A text for one line: what is unsafe is named (`<U+001B>`), line breaks too, so that it cannot begin a line. */
export const oneLine = (text: string): SafeText => text.replace(unsafe, named) as SafeText;

/** Text that has lines: line ends stay, in the one form that a terminal needs; the rest as in {@link oneLine}. */
export const safeLines = (text: string): SafeText =>
	text.replaceAll('\r\n', '\n').replace(unsafeButLineEnds, named) as SafeText;

/** One line of output, with its end. */
export const lineOf = (text: string): SafeText => `${oneLine(text)}\n` as SafeText;

/**
 * Text that may have several lines, behind a head: the further ones are indented, so that none looks like a line of
 * ours. Without line ends; each is still to be made safe.
 */
export function hanging(head: string, text: string, indent: number): readonly string[] {
	const [first = '', ...rest] = text.split(/\r?\n/);
	return [`${head}${first}`, ...rest.map(line => `${' '.repeat(indent)}${line}`)];
}

/** As {@link oneLine}, with one replacement character for each: where columns are counted. */
export const masked = (text: string): SafeText => text.replace(unsafe, '\ufffd') as SafeText;

/** A value as JSON in which nothing is unsafe: `\u` escapes keep the value exact, whoever shows the file in a terminal. */
export function safeJson(value: unknown, indent?: number): SafeText {
	const escaped = JSON.stringify(value, undefined, indent).replace(unsafeButLineEnds, character =>
		Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
	);
	return escaped as SafeText;
}

/** A word for a shell that a person types into: exact when it is pasted, and safe to look at. */
export function shellWord(word: string): string {
	if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
	// `search` ignores where the last match of the shared expression ended.
	if (word.search(unsafe) < 0) return posixWord(word);
	const escaped = word.replaceAll(/[\\']/g, '\\$&').replace(unsafe, character => {
		const known = { '\n': '\\n', '\r': '\\r' }[character];
		if (known !== undefined) return known;
		// Bytes, as bash knows `\u` in a UTF-8 locale only. Three octal digits end by themselves.
		return [...new TextEncoder().encode(character)].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('');
	});
	return `$'${escaped}'`;
}

/** A word for a script of ours, that any POSIX shell reads; not to be shown. */
export function posixWord(word: string): string {
	if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
	return `'${word.replaceAll("'", `'\\''`)}'`;
}
