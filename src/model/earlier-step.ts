import { type Finding, standingBlocks } from './finding.ts';
import type { JudgeContext } from './step.ts';

/**
 * What ends a finding that an earlier step ends: planned where that step was looked at and nothing keeps it from its
 * work; else what has to be done first.
 */
export function endedBefore(
	{ state, options }: JudgeContext,
	step: 'sysbox' | 'daemon',
	does: string,
): NonNullable<Finding['remedy']> {
	const found = state.steps.find(({ id }) => id === step);
	const kept = standingBlocks(found?.after ?? found?.before ?? []).filter(f => f.remedy?.kind !== 'planned');
	if (found === undefined || found.status === 'skipped')
		return {
			kind: 'commands',
			text: `Run the step ${step} first: ${does}`,
			commands: [`${options.command} --only ${step}`],
		};
	return kept.length > 0
		? { kind: 'advice', text: `The step ${step} is blocked by ${kept.map(f => f.id).join(', ')}: fix that first` }
		: { kind: 'planned', text: `The step ${step} comes first: ${does}` };
}
