import { changeStep, type Step, type StepContext } from '../../src/model/step.ts';
import { allActive } from '../../src/sysbox/services.ts';
import { answerIds, askSysbox } from './ask.ts';
import { decide, installedVersion } from './decision.ts';
import { inspectSysbox, type SysboxFacts, sysboxStepId } from './facts.ts';
import { sysboxFindingIds } from './finding-ids.ts';
import { judgeSysbox } from './judge.ts';
import { owedContainers, planSysbox } from './plan.ts';
import { inspectReachable } from './reachable.ts';

export const sysboxStep: Step = changeStep<SysboxFacts>({
	id: sysboxStepId,
	title: 'Sysbox',
	why: 'Installs Sysbox without stopping a container. Starts its services.',
	brief: 'daemon.json, then the package; no container stops',
	needs: ['host'],
	findingIds: sysboxFindingIds,
	answerIds,
	inspect: inspectWithFetch,
	judge: judgeSysbox,
	observe: facts => [
		{
			key: 'sysbox',
			value: {
				version: installedVersion(facts) ?? null,
				package: facts.package.kind === 'installed' ? facts.package.record.version : null,
				running: allActive(facts.services),
				ids: facts.ids.kind === 'one' ? { start: facts.ids.start, count: facts.ids.count } : null,
			},
		},
	],
	ask: (_answers, facts, context) => askSysbox(facts, context),
	plan: planSysbox,
	cleanup: owedContainers,
});

/** Nothing is asked of the network with --deb, or where the package is installed or was fetched already. */
async function inspectWithFetch(context: StepContext): Promise<SysboxFacts> {
	const facts = await inspectSysbox(context);
	const { candidate } = facts;
	const { kind } = decide(facts, context);
	if (candidate.kind !== 'release' || candidate.fetched || (kind !== 'install' && kind !== 'replace')) return facts;
	return { ...facts, reachable: await inspectReachable(context.host, candidate.package.url, context.signal) };
}
