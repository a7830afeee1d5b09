import { fileProblem } from '../../src/docker/daemon-file.ts';
import { type Action, emptyPlan, type Plan } from '../../src/model/action.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { type Difference, reloadDocker } from '../../src/sysbox/reload.ts';
import { dockerUnit } from '../../src/system/unit-failure.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { clearAway } from '../../src/watchdog/actions.ts';
import { isThere } from '../../src/watchdog/facts.ts';
import { estimateRestart } from '../../src/watchdog/timing.ts';
import { aroundRestart, cannotWait, owed } from './around-restart.ts';
import { ownDifferences } from './differences.ts';
import type { DockerStepFacts } from './facts.ts';
import { impactOfReload, impactOfRestart } from './impact.ts';
import { restartDocker } from './restart.ts';
import { restartDifferences, restartedAlready, wantsRestart } from './restart-choice.ts';

export function planLoading(facts: DockerStepFacts, context: JudgeContext): Plan {
	if (facts.docker.info.kind !== 'ok' || fileProblem(facts.file) !== undefined) return emptyPlan;
	const reload = ownDifferences(facts, context).filter(d => d.needs === 'reload');
	const restart =
		wantsRestart(facts, context) && !restartedAlready(facts, context) ? restartDifferences(facts, context) : [];
	// A switch of an earlier process: Docker answers, so there is nothing that it has to wait for.
	const left = isThere(facts.watchdog) ? clearAway(facts.watchdog) : [];
	// What an earlier part of the run owes the host; a restart that is to come does it itself.
	if (reload.length + restart.length === 0) return { actions: [...left, ...owed(facts, context)] };

	if (facts.dockerd.unit === undefined) return { actions: [...left, byHand(facts, reload)] };
	// A restart reads everything, what a reload would have read too.
	if (restart.length > 0) {
		const hindered = cannotWait(facts, context);
		if (hindered !== undefined) return { actions: [...left, ...owed(facts, context), hindered] };
		const { arm, restart: action, disarm } = restartDocker(facts, context, [...reload, ...restart]);
		const needsMs = estimateRestart(facts.watchdog.lastStart).withWayBackMs;
		return {
			actions: around(action, [...left, ...aroundRestart(facts, context, [...arm, action], needsMs), ...disarm]),
			impact: impactOfRestart(facts, context),
		};
	}
	const action = reloadDocker(reload);
	return {
		actions: around(action, [...left, action, ...owed(facts, context)]),
		impact: impactOfReload(facts, context),
	};
}

/** What prepares a reload or restart, waits for it or cleans up behind it is no change of its own. */
const around = (main: Action, actions: readonly Action[]): readonly Action[] =>
	actions.map(action => (action.id === main.id ? action : { ...action, serves: main.id }));

function byHand(facts: DockerStepFacts, differences: readonly Difference[]): Action {
	return {
		id: 'reload-by-hand',
		kind: 'manual',
		title: 'Reload Docker the way it is run here',
		why: `it is not run as ${dockerUnit}, and reads ${nameSome(differences.map(d => d.key))} only when it is told to`,
		text: `Send the dockerd that reads ${facts.file.path} a SIGHUP (or restart it, without a dead man's switch: that needs systemd), then start this step again`,
	};
}
