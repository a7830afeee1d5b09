import type { Step } from './step.ts';
import type { StepId } from './step-id.ts';

export interface Selection {
	readonly only?: readonly StepId[] | undefined;
	readonly skip?: readonly StepId[] | undefined;
	readonly from?: StepId | undefined;
}

/** `chosen` may be applied; `inspected` are needs of chosen steps, looked at and judged but never applied. */
export interface StepOrder {
	readonly steps: readonly { readonly step: Step; readonly role: 'chosen' | 'inspected' }[];
}

export type OrderResult =
	| { readonly kind: 'order'; readonly order: StepOrder }
	| { readonly kind: 'cycle'; readonly through: readonly StepId[] };

/** Puts every step behind the steps that it needs, else in the catalogue's order. */
export function orderSteps(catalogue: readonly Step[], selection: Selection): OrderResult {
	const sorted: Step[] = [];
	const placed = new Set<StepId>();
	const visiting: StepId[] = [];
	const byId = new Map(catalogue.map(step => [step.id, step]));

	const place = (step: Step): readonly StepId[] | undefined => {
		if (placed.has(step.id)) return undefined;
		if (visiting.includes(step.id)) return [...visiting.slice(visiting.indexOf(step.id)), step.id];
		visiting.push(step.id);
		for (const need of step.needs) {
			const needed = byId.get(need);
			const cycle = needed === undefined ? undefined : place(needed);
			if (cycle !== undefined) return cycle;
		}
		visiting.pop();
		placed.add(step.id);
		sorted.push(step);
		return undefined;
	};
	for (const step of catalogue) {
		const cycle = place(step);
		if (cycle !== undefined) return { kind: 'cycle', through: cycle };
	}

	const first = selection.from === undefined ? 0 : sorted.findIndex(step => step.id === selection.from);
	const chosen = new Set(
		sorted
			.filter((_, index) => index >= first)
			.map(step => step.id)
			.filter(id => selection.only === undefined || selection.only.includes(id))
			.filter(id => !(selection.skip ?? []).includes(id)),
	);
	const needed = new Set<StepId>();
	const need = (id: StepId): void => {
		for (const other of byId.get(id)?.needs ?? []) {
			if (needed.has(other)) continue;
			needed.add(other);
			need(other);
		}
	};
	for (const id of chosen) need(id);

	return {
		kind: 'order',
		order: {
			steps: sorted
				.filter(step => chosen.has(step.id) || needed.has(step.id))
				.map(step => ({ step, role: chosen.has(step.id) ? ('chosen' as const) : ('inspected' as const) })),
		},
	};
}
