import { type Reading, read, unreadable } from './reading.ts';

export interface OsRelease {
	/** Lower case, such as `ubuntu`. */
	readonly id: string;
	readonly idLike: readonly string[];
	/** Absent on rolling distributions. */
	readonly versionId?: string | undefined;
	readonly codename?: string | undefined;
	/** "Ubuntu 24.04.3 LTS". */
	readonly prettyName: string;
	readonly variantId?: string | undefined;
}

/** /etc/os-release: shell assignments, quoted or not (freedesktop.org, os-release(5)). */
export function parseOsRelease(text: unknown): Reading<OsRelease> {
	if (typeof text !== 'string') return unreadable('os-release is no text');
	const values = new Map<string, string>();
	for (const line of text.split('\n')) {
		const found = /^\s*([A-Z_0-9]+)=(.*?)\s*$/.exec(line);
		if (found?.[1] !== undefined && found[2] !== undefined) values.set(found[1], unquote(found[2]));
	}
	// A file without ID means "linux", says os-release(5); a file without any assignment is no os-release.
	if (values.size === 0) return unreadable('os-release has no NAME=value lines');
	const id = (values.get('ID') ?? 'linux').toLowerCase();
	const versionId = values.get('VERSION_ID');
	const codename = values.get('VERSION_CODENAME');
	const variantId = values.get('VARIANT_ID');
	return read({
		id,
		idLike: (values.get('ID_LIKE') ?? '').toLowerCase().split(/\s+/).filter(Boolean),
		versionId: versionId || undefined,
		codename: codename || undefined,
		variantId: variantId || undefined,
		prettyName: values.get('PRETTY_NAME') || [values.get('NAME') ?? id, versionId].filter(Boolean).join(' '),
	});
}

function unquote(value: string): string {
	const quoted = /^(["'])(.*)\1$/.exec(value);
	return (quoted?.[2] ?? value).replace(/\\(["'$`\\])/g, '$1');
}
