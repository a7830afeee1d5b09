import { excerpt, type Reading, read, unreadable } from '../system/reading.ts';
import { plainVersion } from '../system/version.ts';

import type { ProgramName } from './program-names.ts';

export interface SysboxVersion {
	readonly program: ProgramName;
	/** As printed, such as `0.7.0`. */
	readonly version: string;
	readonly edition?: string | undefined;
	readonly commit?: string | undefined;
	readonly builtAt?: string | undefined;
	/** Empty in some source builds (nestybox/sysbox#772). */
	readonly builtBy?: string | undefined;
}

/** `sysbox-runc --version` and the same of mgr and fs: a name, then indented `key: value` lines. */
export function parseSysboxVersion(text: unknown): Reading<SysboxVersion> {
	if (typeof text !== 'string') return unreadable('--version gave no text');
	const program = /^(sysbox-(?:runc|mgr|fs))\s*$/m.exec(text)?.[1];
	if (program === undefined) return unreadable(`this is not the --version of a sysbox program: ${excerpt(text)}`);
	const field = (name: string) => new RegExp(`^[ \\t]*${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(text)?.[1];
	const version = field('version');
	if (version === undefined || plainVersion(version) === undefined)
		return unreadable(`${program} named no version: ${excerpt(text)}`);
	const optional = Object.entries({
		edition: field('edition'),
		commit: field('commit'),
		builtAt: field('built at'),
		builtBy: field('built by'),
	});
	return read({
		program: program as SysboxVersion['program'],
		version,
		...Object.fromEntries(optional.filter(([, value]) => value !== undefined && value !== '')),
	});
}
