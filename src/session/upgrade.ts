/** The version of the session file that this tool writes. */
export const sessionVersion = 1;

/**
 * Brings the content of an older session file to this version, one version at a time: the function at key n makes
 * version n+1 out of version n. There is only one version so far.
 */
const steps: Readonly<Record<number, (session: Readonly<Record<string, unknown>>) => Record<string, unknown>>> = {};

/** The same session in the current version; undefined when no way leads there. Pure. */
export function upgradeSession(
	session: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
	let current = session;
	while (current.version !== sessionVersion) {
		const from = current.version;
		const step = typeof from === 'number' ? steps[from] : undefined;
		if (typeof from !== 'number' || step === undefined) return undefined;
		current = { ...step(current), version: from + 1 };
	}
	return current;
}
