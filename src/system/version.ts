import semver from 'semver';

/**
 * The three numbers of a version as distributions write it: `26.1.5+dfsg1`, `24.0.7-0ubuntu4.1`, `5:29.7.2-1~debian`,
 * `0.7.1.linux`, `6.8`. What follows is packaging, and semver would take it for a pre-release.
 */
export function plainVersion(text: string): string | undefined {
	return semver.coerce(text.replace(/^\d+:/, ''))?.version;
}

/** Negative, 0 or positive as `a` is older than, the same as or newer than `b`; what is no version is the oldest. */
export function compareVersions(a: string, b: string): number {
	return semver.compare(plainVersion(a) ?? '0.0.0', plainVersion(b) ?? '0.0.0');
}
