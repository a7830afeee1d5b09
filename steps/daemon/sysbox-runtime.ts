import { type Finding, standingBlocks } from '../../src/core/finding.ts';
import type { JudgeContext } from '../../src/core/step.ts';
import type { Container } from '../../src/facts/docker-container.ts';
import type { DockerFacts } from '../../src/facts/docker-daemon.ts';

/** The name under which the package registers the runtime and every page of Sysbox's manual speaks of it. */
export const runtimeName = 'sysbox-runc';

/** Where the package puts it. */
export const runtimePath = '/usr/bin/sysbox-runc';

/** Containers that run under Sysbox at this moment: a stop of Sysbox breaks them for good. */
export function runningUnderSysbox(docker: DockerFacts): readonly Container[] {
	if (docker.containers.kind !== 'ok') return [];
	const defaultRuntime = docker.info.kind === 'ok' ? docker.info.value.defaultRuntime : '';
	return docker.containers.value.filter(c => c.running && (c.runtime || defaultRuntime) === runtimeName);
}

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

/** `a`, `a and b`, `a, b and 3 more`. */
export function nameSome(names: readonly string[], most = 5): string {
	const shown = names.slice(0, most);
	const rest = names.length - shown.length;
	if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
	const last = shown.at(-1) ?? '';
	return shown.length <= 1 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}
