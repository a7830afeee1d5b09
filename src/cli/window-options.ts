/** Times and durations as they are typed on the command line. */

/** `45s`, `30m`, `2h` → milliseconds; undefined for anything else, a bare number too: nobody knows its unit. */
export function readDuration(text: string): number | undefined {
	const found = /^(\d{1,5})(s|m|h)$/.exec(text.trim());
	if (found === null) return undefined;
	const ms = Number(found[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[found[2] as 's' | 'm' | 'h'];
	return ms > 0 ? ms : undefined;
}

/**
 * `06:00` is the next six o'clock of this machine's clock; `2026-11-24T06:00Z` is that moment (without an offset, by this
 * machine's clock). Undefined for what is no time.
 */
export function readUntil(text: string, now: Date): Date | undefined {
	const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim());
	if (clock !== null) {
		const at = new Date(now);
		at.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
		if (at.getTime() <= now.getTime()) at.setDate(at.getDate() + 1);
		return at;
	}
	if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text.trim())) return undefined;
	const time = Date.parse(text.trim());
	return Number.isNaN(time) ? undefined : new Date(time);
}
