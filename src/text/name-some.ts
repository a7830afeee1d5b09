/** `a`, `a and b`, `a, b and 3 more`. */
export function nameSome(names: readonly string[], most = 5): string {
	const shown = names.slice(0, most);
	const rest = names.length - shown.length;
	if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
	const last = shown.at(-1) ?? '';
	return shown.length <= 1 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}

/** A few lines, each cut at 200 characters, and how many there are more: evidence of thousands of containers stays short. */
export function someLines(lines: readonly string[], most = 4): string {
	const shown = lines.slice(0, most).map(line => (line.length > 200 ? `${line.slice(0, 200)}…` : line));
	const rest = lines.length - shown.length;
	return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
}
