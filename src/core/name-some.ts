/** `a`, `a and b`, `a, b and 3 more`. */
export function nameSome(names: readonly string[], most = 5): string {
	const shown = names.slice(0, most);
	const rest = names.length - shown.length;
	if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
	const last = shown.at(-1) ?? '';
	return shown.length <= 1 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}
