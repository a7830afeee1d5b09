/** systemd's time spans as `systemctl show` prints them: `2min`, `1min 30s`, `100ms`, `infinity`. */
const units: Readonly<Record<string, number>> = {
	us: 0.001,
	ms: 1,
	s: 1000,
	min: 60_000,
	h: 3_600_000,
	d: 86_400_000,
	w: 604_800_000,
};

/** Milliseconds; undefined for what is no span. */
export function readTimeSpan(text: string): number | undefined {
	if (text.trim() === 'infinity') return Number.POSITIVE_INFINITY;
	let ms = 0;
	const words = text.trim().split(/\s+/);
	for (const word of words) {
		const found = /^(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w)$/.exec(word);
		const unit = units[found?.[2] ?? ''];
		if (found === null || unit === undefined) return undefined;
		ms += Number(found[1]) * unit;
	}
	return ms;
}
