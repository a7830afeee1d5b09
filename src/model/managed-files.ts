import * as z from 'zod';
import type { RunState } from './state.ts';

/** Files of the host that something else writes, such as Ansible from a team's repository. */
export interface Managed {
	/** A file, or a directory with everything below it. */
	readonly path: string;
	/** Who writes it, as the operator knows it: "Ansible", "the repository in /srv/infra". */
	readonly by: string;
}

/** The observation of a file as it was before it was handed over. */
export const delegatedKey = (path: string): string => `handed-over ${path}`;

const delegated = z.object({ sha256: z.string().nullable() });

/** The file as this run first handed it over, by its sha256; null: there was none. Undefined: it was not handed over. */
export function beforeDelegation(path: string, { observed }: RunState): string | null | undefined {
	const noted = delegated.safeParse(observed[delegatedKey(path)]?.first.value);
	return noted.success ? noted.data.sha256 : undefined;
}

/** Who writes this path, or undefined where nobody else does. */
export const managerOf = (path: string, managed: readonly Managed[]): string | undefined =>
	managed.find(m => path === m.path || path.startsWith(m.path.endsWith('/') ? m.path : `${m.path}/`))?.by;
