import type { Action, Plan } from '../model/action.ts';
import { type Managed, managerOf } from '../model/managed-files.ts';
import { kindOf } from './kinds/index.ts';

/**
 * The plan of a run that leaves files to what manages them. Each write becomes the exact content for whoever writes the
 * file; what follows the first of them waits until the content is there and the step has looked again, as it may rest
 * on it: a package that missed a key would write the file by itself.
 */
export function delegate(plan: Plan, managed: readonly Managed[]): Plan {
	const first = plan.actions.findIndex(action => managing(action, managed) !== undefined);
	if (first === -1) return plan;
	const rest = plan.actions.slice(first);
	const delegated = rest.flatMap(action => {
		const by = managing(action, managed);
		return by === undefined ? [] : asked(action, by);
	});
	const waiting = rest.filter(action => managing(action, managed) === undefined);
	return {
		actions: [...plan.actions.slice(0, first), ...delegated],
		impact: {
			stops: [],
			notes: waiting.length === 0 ? [] : [`Waits for it: ${waiting.map(action => action.title).join('; ')}`],
		},
	};
}

const managing = (action: Action, managed: readonly Managed[]): string | undefined =>
	'path' in action ? managerOf(action.path, managed) : undefined;

/** What the manager of the file is asked for. A directory alone is made by whoever writes the file in it. */
function asked(action: Action, by: string): readonly Action[] {
	const { id, why, risks } = action;
	const words = kindOf(action).delegate?.(action, by);
	return words === undefined ? [] : [{ id, why, kind: 'manual', risks, ...words }];
}
