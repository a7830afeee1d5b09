import { distance } from 'fastest-levenshtein';

/** The known word that was probably meant, or undefined when nothing is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
	let best: { readonly word: string; readonly away: number } | undefined;
	for (const candidate of known) {
		const away = distance(word.toLowerCase(), candidate.toLowerCase());
		if (best === undefined || away < best.away) best = { word: candidate, away };
	}
	// Two slips in a short word make another word; a third of the length is what commander allows too.
	return best !== undefined && best.away <= Math.max(1, Math.floor(word.length / 3)) ? best.word : undefined;
}

export function didYouMean(word: string, known: readonly string[]): string {
	const near = nearest(word, known);
	return near === undefined ? '' : ` Did you mean ${near}?`;
}
