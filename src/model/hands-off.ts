import * as z from 'zod';
import type { Action, Plan } from './action.ts';
import type { RunState } from './state.ts';

/** Files of the host that something else writes, such as Ansible from a team's repository. */
export interface Managed {
	/** A file, or a folder with everything below it. */
	readonly path: string;
	/** Who writes it, as the operator knows it: "Ansible", "the repository in /srv/infra". */
	readonly by: string;
}

/** The observation of a file as it was before it was handed over. */
export const handedOverKey = (path: string): string => `handed-over ${path}`;

const handedOver = z.object({ sha256: z.string().nullable() });

/** The file as this run first handed it over, by its sha256; null: there was none. Undefined: it was not handed over. */
export function beforeHandOver(path: string, { observed }: RunState): string | null | undefined {
	const noted = handedOver.safeParse(observed[handedOverKey(path)]?.first.value);
	return noted.success ? noted.data.sha256 : undefined;
}

/** Who writes this path, or undefined where nobody else does. */
export const managerOf = (path: string, managed: readonly Managed[]): string | undefined =>
	managed.find(m => path === m.path || path.startsWith(m.path.endsWith('/') ? m.path : `${m.path}/`))?.by;

/**
 * The plan of a run that keeps its hands off what others write. Each write becomes the exact content for whoever writes
 * the file; what follows the first of them waits until the content is there and the step has looked again, as it may rest
 * on it: a package that missed a key would write the file by itself.
 */
export function handOver(plan: Plan, managed: readonly Managed[]): Plan {
	const first = plan.actions.findIndex(action => ownerOf(action, managed) !== undefined);
	if (first === -1) return plan;
	const rest = plan.actions.slice(first);
	const handed = rest.flatMap(action => {
		const by = ownerOf(action, managed);
		return by === undefined ? [] : asContent(action, by);
	});
	const waiting = rest.filter(action => ownerOf(action, managed) === undefined);
	return {
		// A folder alone is made by whoever writes the file in it.
		actions: [...plan.actions.slice(0, first), ...handed],
		impact: {
			stops: [],
			notes: waiting.length === 0 ? [] : [`Waits for it: ${waiting.map(action => action.title).join('; ')}`],
		},
	};
}

function ownerOf(action: Action, managed: readonly Managed[]): string | undefined {
	switch (action.kind) {
		case 'write':
		case 'remove':
		case 'restore':
		case 'make-folder':
		case 'remove-folder':
			return managerOf(action.path, managed);
		default:
			return undefined;
	}
}

function asContent(action: Action, by: string): readonly Action[] {
	const { id, why, risks } = action;
	const base = { id, why, kind: 'manual' as const, ...(risks !== undefined && { risks }) };
	switch (action.kind) {
		case 'write':
			return [
				{
					...base,
					title: `Have ${action.path} written by ${by}`,
					text: `Put this content of ${action.path} where ${by} takes it from, and let it be written here; this run does not write it`,
					file: {
						path: action.path,
						bytes: action.bytes,
						...(action.before !== undefined && { before: action.before }),
					},
				},
			];
		case 'remove':
			return [
				{
					...base,
					title: `Have ${action.path} removed by ${by}`,
					text: `Take ${action.path} out where ${by} takes it from, and let it be removed here; this run does not remove it`,
				},
			];
		default:
			return [];
	}
}
