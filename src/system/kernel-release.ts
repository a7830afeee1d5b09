import { excerpt, type Reading, read, unreadable } from './reading.ts';
import { plainVersion } from './version.ts';

export interface KernelRelease {
	/** As `uname -r` has it: `6.8.0-88-generic`. */
	readonly release: string;
	/** Three numbers: `6.8.0`. */
	readonly version: string;
	/** What follows the numbers: `generic`, `amd64`, `microsoft-standard-WSL2`; empty when nothing does. */
	readonly flavour: string;
	readonly wsl: boolean;
}

/** A kernel release, from `uname -r` or /proc/sys/kernel/osrelease. */
export function parseKernelRelease(text: unknown): Reading<KernelRelease> {
	const release = typeof text === 'string' ? text.trim() : '';
	// Only a text that begins with numbers: coerce would find some in "vmlinuz of 2019.1" too.
	const version = /^\d+\.\d+/.test(release) ? plainVersion(release) : undefined;
	if (version === undefined || /\s/.test(release)) return unreadable(`"${excerpt(release)}" is no kernel release`);
	return read({
		release,
		version,
		flavour: /^[\d.]+(?:-\d+)*-?(.*)$/.exec(release)?.[1] ?? '',
		wsl: /microsoft|wsl/i.test(release),
	});
}

export interface Uname {
	/** `Linux`, `Darwin`. */
	readonly system: string;
	readonly release: string;
	/** `x86_64`, `aarch64`. */
	readonly machine: string;
}

/** `uname -srm`: three words. */
export function parseUname(text: unknown): Reading<Uname> {
	const [system, release, machine, ...rest] = typeof text === 'string' ? text.trim().split(/\s+/) : [];
	if (system === undefined || release === undefined || machine === undefined || rest.length > 0)
		return unreadable('uname -srm did not print three words');
	return read({ system, release, machine });
}
