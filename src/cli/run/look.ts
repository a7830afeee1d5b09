import { overlayHost } from '../../actions/overlay-host.ts';
import { showExactly } from '../../actions/show-action.ts';
import type { PreviewDeps } from '../../engine/preview-run.ts';
import type { RunOptions } from '../../model/step.ts';
import { dockerDeadline } from '../../port/docker-deadline.ts';
import type { ReadHost } from '../../port/host.ts';
import { rememberedHost } from '../../port/remembered.ts';
import type { CleaningProbeHost } from '../../probe/probe-host.ts';
import { givenAnswer, type Known } from '../../prompts/known-answers.ts';
import type { Environment } from '../../session/environment.ts';
import type { OpenedRun } from '../../session/open-run.ts';

/** What a look at the steps is made of. */
export interface LookParts {
	readonly environment: Pick<Environment, 'host' | 'knowledge' | 'now' | 'elapsed'>;
	readonly options: RunOptions;
	readonly known: Known;
	readonly probes: CleaningProbeHost;
	readonly signal: AbortSignal;
	/** Without one, nothing was kept that could be asked for. */
	readonly opened: { readonly log: Pick<OpenedRun['log'], 'kept'> } | undefined;
}

/**
 * The host for whatever looks at all steps, some of them twice, and changes nothing in between: each thing is asked
 * once, and Docker has one deadline for all of it.
 */
export const oneLook = ({ host, elapsed }: Pick<Environment, 'host' | 'elapsed'>): ReadHost =>
	rememberedHost(dockerDeadline(host, elapsed));

/** What the engine needs to look at the steps on that host; who decides is left to the caller. */
export function lookDeps(parts: LookParts, host: ReadHost): Omit<PreviewDeps, 'decider'> {
	const { environment, options, known, probes, signal, opened } = parts;
	return {
		host,
		preview: actions => overlayHost(host, actions),
		knowledge: environment.knowledge,
		options,
		now: environment.now,
		elapsed: environment.elapsed,
		signal,
		show: showExactly,
		kept: async sha256 => opened?.log.kept(sha256),
		given: question => givenAnswer(question, known),
		probeHost: probes,
		cleanUpProbes: () => probes.cleanUp(),
	};
}
