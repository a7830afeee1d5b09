import { changeStep, type Step } from '../../src/model/step.ts';
import { owed } from './around-restart.ts';
import { type DockerStepFacts, inspectLoaded } from './facts.ts';
import { dockerFindingIds } from './finding-ids.ts';
import { judgeLoaded } from './judge.ts';
import { planLoading } from './plan.ts';
import { answerIds, askRestart } from './restart-choice.ts';

export const dockerStep: Step = changeStep<DockerStepFacts>({
	id: 'docker',
	title: 'Docker reload or restart',
	why: 'Reloads Docker, or restarts it if a reload is not enough.',
	brief: 'reload, or restart if needed',
	needs: ['daemon'],
	findingIds: dockerFindingIds,
	answerIds,
	inspect: inspectLoaded,
	judge: judgeLoaded,
	observe: ({ docker }) =>
		docker.info.kind === 'ok'
			? [
					{
						key: 'docker',
						value: {
							runtimes: Object.keys(docker.info.value.runtimes).toSorted(),
							defaultRuntime: docker.info.value.defaultRuntime,
							serverVersion: docker.info.value.serverVersion,
						},
					},
				]
			: [],
	ask: (_answers, facts, context) => askRestart(facts, context),
	plan: planLoading,
	cleanup: owed,
});
