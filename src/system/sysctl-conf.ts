/** One assignment of a sysctl.d file. */
export interface SysctlSetting {
	/** With dots: `user.max_user_namespaces`. */
	readonly key: string;
	readonly value: string;
	/** From 1. */
	readonly line: number;
}

export interface SysctlFile {
	readonly path: string;
	readonly text: string;
}

/** The assignments of a sysctl.d file (sysctl.d(5)): comments begin with # or ;, a dash before a key forgives errors. */
export function parseSysctlConf(text: string): readonly SysctlSetting[] {
	return text.split('\n').flatMap((content, index): readonly SysctlSetting[] => {
		if (/^\s*[#;]/.test(content)) return [];
		const found = /^\s*-?\s*([A-Za-z0-9_./*-]+)\s*=\s*(.*?)\s*$/.exec(content);
		if (found?.[1] === undefined) return [];
		return [{ key: dotted(found[1]), value: found[2] ?? '', line: index + 1 }];
	});
}

/** A key may be written with slashes; where the first separator is one, dots are part of a name. */
function dotted(key: string): string {
	const slash = key.indexOf('/');
	const dot = key.indexOf('.');
	return slash === -1 || (dot !== -1 && dot < slash) ? key : key.replaceAll('/', '.');
}

/**
 * What a key becomes at the next boot, and which line says so; undefined when no file names it. Files are read in the
 * order of their names whatever directory they are in; of two with one name the first directory's counts; /etc/sysctl.conf
 * comes last (`sysctl --system`, and Debian's link 99-sysctl.conf).
 */
export function settingAtBoot(
	files: readonly SysctlFile[],
	key: string,
): (SysctlSetting & { readonly path: string }) | undefined {
	const inOrder = orderedSysctlFiles(files);
	return inOrder
		.flatMap(file => parseSysctlConf(file.text).map(setting => ({ ...setting, path: file.path })))
		.findLast(setting => setting.key === key);
}

/** Whether a file comes before another one at boot, so that the other one's values count. */
export const isReadBefore = (path: string, other: string): boolean =>
	orderedSysctlFiles([
		{ path, text: '' },
		{ path: other, text: '' },
	])[0]?.path === path && path !== other;

/** Directories of sysctl.d files, the strongest first (sysctl.d(5)). */
export const sysctlDirectories = [
	'/etc/sysctl.d',
	'/run/sysctl.d',
	'/usr/local/lib/sysctl.d',
	'/usr/lib/sysctl.d',
	'/lib/sysctl.d',
] as const;

function orderedSysctlFiles(files: readonly SysctlFile[]): readonly SysctlFile[] {
	const rank = (path: string) => sysctlDirectories.findIndex(directory => path.startsWith(`${directory}/`));
	const name = (path: string) => path.slice(path.lastIndexOf('/') + 1);
	const last = files.filter(file => rank(file.path) === -1);
	const byName = new Map<string, SysctlFile>();
	for (const file of files.filter(f => rank(f.path) !== -1).toSorted((a, b) => rank(b.path) - rank(a.path))) {
		byName.set(name(file.path), file);
	}
	return [...[...byName.values()].toSorted((a, b) => (name(a.path) < name(b.path) ? -1 : 1)), ...last];
}
