import type { LiveValue, UndoCommand } from '../model/undo.ts';
import type { ReadHost } from '../port/host.ts';
import { readTextOr } from './text-file.ts';

/** Where the kernel shows a sysctl. */
export const sysctlFile = (name: string): string => `/proc/sys/${name.replaceAll('.', '/')}`;

/** The value that is in force; undefined where this kernel has no such sysctl. */
export async function sysctlValue(host: ReadHost, name: string): Promise<string | undefined> {
	return (await readTextOr(host, sysctlFile(name)))?.trim();
}

/** Sets a sysctl back to what it was, unless somebody has set it to something else since. */
export function sysctlUndo(name: string, before: string | number, after: string | number): UndoCommand {
	const sets: LiveValue = { file: sysctlFile(name), before: String(before), after: String(after) };
	return {
		argv: ['sysctl', '-w', `${name}=${before}`],
		timeoutMs: 10_000,
		why: 'sets the value from before',
		sets,
	};
}
