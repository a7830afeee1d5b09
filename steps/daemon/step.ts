import { viewOf } from '../../src/docker/daemon-file.ts';
import { changeStep, type Step } from '../../src/model/step.ts';
import { answerIds, askDaemon } from './ask.ts';
import { configuredDefault } from './desired.ts';
import type { DaemonFacts } from './facts.ts';
import { daemonFindingIds } from './finding-ids.ts';
import { inspectDaemon } from './inspect.ts';
import { judgeDaemon } from './judge.ts';
import { planDaemon } from './plan.ts';

export const daemonStep: Step = changeStep<DaemonFacts>({
	id: 'daemon',
	title: 'Docker configuration',
	why: "Adds Sysbox to Docker's configuration. Changes nothing else that was not asked for.",
	brief: 'adds Sysbox to daemon.json',
	needs: ['sysbox'],
	findingIds: daemonFindingIds,
	answerIds,
	inspect: inspectDaemon,
	judge: judgeDaemon,
	observe: facts => [
		{
			key: 'daemon-json',
			value: {
				path: facts.file.path,
				sha256: facts.file.content.kind === 'read' ? facts.file.content.sha256 : null,
				runtimes: [...(viewOf(facts.file)?.runtimes.keys() ?? [])],
				defaultRuntime: configuredDefault(facts) ?? null,
			},
		},
	],
	ask: (_answers, facts) => askDaemon(facts),
	plan: planDaemon,
});
