import * as z from 'zod';
import type { DataOf } from '../model/data.ts';
import { impactSchema } from '../model/impact.ts';
import { answersSchema, secretAnswer } from '../model/question.ts';
import { isRiskName, type RiskName } from '../model/risk.ts';
import { type ShownAction, shownActionSchema } from '../model/shown-action.ts';
import type { RunState } from '../model/state.ts';
import { sha256Schema } from '../model/undo.ts';
import { safeJson } from '../text/safe.ts';
import { sha256 } from '../text/sha256.ts';

/** Of the file's format; changes only when a field goes or changes its meaning. */
export const savedPlanVersion = 2;

const exactActionSchema = shownActionSchema.required({ exact: true });
/** An action with what tells it from every other one. */
export type ExactAction = DataOf<typeof exactActionSchema>;

/** Shown on a terminal, which must not obey it. */
const word = z.string().refine(text => !/\p{Cc}/u.test(text), 'must not hold control characters');

/** Everything that a run would change on one host, as it was approved. Data to compare with: nothing in it is executed. */
export const savedPlanSchema = z.strictObject({
	'sysbox-setup-plan': z.literal(savedPlanVersion),
	/** sha256 over all the rest: what a change record can quote. */
	digest: sha256Schema,
	made: z.strictObject({
		at: z.iso.datetime(),
		by: word,
		tool: word,
		command: z.array(word),
		changeId: word.optional(),
	}),
	host: z.strictObject({
		name: word,
		/** Tells hosts of one name apart; empty where the host has nothing to be told by. */
		machine: z.union([z.literal(''), sha256Schema]),
		simulated: z.boolean(),
		/** Without root a look sees less. */
		root: z.boolean(),
	}),
	/** Those of the run, also where they are defaults. Accepted risks are none of them. */
	answers: answersSchema,
	steps: z.array(
		z.strictObject({
			id: word,
			title: word,
			actions: z.array(exactActionSchema),
			impact: impactSchema.optional(),
		}),
	),
});
export type SavedPlan = DataOf<typeof savedPlanSchema>;
export type PlannedStep = SavedPlan['steps'][number];

/** The digest of a plan, whatever order its keys are written in. */
export function planDigest(plan: Omit<SavedPlan, 'digest'>): string {
	const { digest: _, ...content } = plan as Partial<SavedPlan>;
	return sha256(JSON.stringify(ordered(content)));
}

function ordered(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(ordered);
	if (value === null || typeof value !== 'object') return value;
	return Object.fromEntries(
		Object.entries(value)
			.filter(([, inner]) => inner !== undefined)
			.toSorted(([a], [b]) => (a < b ? -1 : 1))
			.map(([key, inner]) => [key, ordered(inner)]),
	);
}

/** The plan that a state holds after a run was foreseen. */
export function savedPlanOf(state: RunState, about: Pick<SavedPlan, 'made' | 'host'>): SavedPlan {
	const answers = Object.entries(state.answers).filter(
		([, value]) => value !== secretAnswer && !(typeof value === 'string' && isRiskName(value)),
	);
	const content = {
		'sysbox-setup-plan': savedPlanVersion,
		...about,
		answers: Object.fromEntries(answers),
		steps: plannedSteps(state),
	} as const;
	return { ...content, digest: planDigest(content) };
}

/** What each step would do, in the order of the run. Steps that would do nothing are there too. */
export function plannedSteps(state: RunState): readonly PlannedStep[] {
	return state.steps
		.filter(step => step.kind !== 'report')
		.map(({ id, title, plan }) => ({
			id,
			title,
			actions: (plan?.actions ?? []).map(exactly),
			impact: plan?.impact,
		}));
}

export function exactly(action: ShownAction): ExactAction {
	const { exact } = action;
	if (exact === undefined) throw new Error(`the action ${action.id} was shown without its digest`);
	return { ...action, exact };
}

export const risksIn = (plan: SavedPlan): readonly RiskName[] => [
	...new Set(plan.steps.flatMap(step => step.actions.flatMap(action => action.risks ?? []))),
];

/** For people and machines: indented JSON, the digest first. */
export function savedPlanText({ digest, ...plan }: SavedPlan): string {
	const { 'sysbox-setup-plan': version, ...rest } = plan;
	return `${safeJson({ 'sysbox-setup-plan': version, digest, ...rest }, 2)}\n`;
}
