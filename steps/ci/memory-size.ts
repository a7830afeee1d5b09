const units = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/** An inner dockerd alone needs about 100 MiB; with less than this, not even a small build ends. */
const least = 256 * units.m;

/** `4g` → bytes; undefined when it is no size as Docker reads them. */
export function bytesOf(text: string): number | undefined {
	const match = /^([1-9][0-9]{0,12})([kmgt])b?$/i.exec(text);
	const [, digits, unit] = match ?? [];
	return digits === undefined || unit === undefined
		? undefined
		: Number(digits) * units[unit.toLowerCase() as keyof typeof units];
}

export function memoryProblem(text: string, hostBytes: number | undefined): string | undefined {
	const bytes = bytesOf(text);
	if (bytes === undefined) return 'must be a number with a unit, such as 4g or 512m';
	if (bytes < least) return 'must be at least 256m: the engine alone needs most of that';
	if (hostBytes !== undefined && bytes > hostBytes)
		return `must not be more than this host has (${gibibytes(hostBytes)})`;
	return undefined;
}

export const gibibytes = (bytes: number): string => `${(bytes / units.g).toFixed(1)} GiB`;

/**
 * Two fifths of the host for each container: a job has two (itself and its engine), and a fifth stays for the host
 * when both take all that they may.
 */
export function defaultMemory(hostBytes: number | undefined): string {
	const whole = Math.floor(((hostBytes ?? 0) * 0.4) / units.g);
	if (whole >= 1) return `${whole}g`;
	return hostBytes === undefined || hostBytes === 0 ? '2g' : '512m';
}

/** How many jobs of two containers each fit into four fifths of the host's memory. At least one. */
export function jobsThatFit(hostBytes: number | undefined, memory: string): number {
	const each = bytesOf(memory);
	if (hostBytes === undefined || hostBytes === 0 || each === undefined) return 1;
	return Math.max(1, Math.floor((hostBytes * 0.8) / (2 * each)));
}
