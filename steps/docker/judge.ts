import { type DockerTrouble, describeDockerTrouble, followsTrouble } from '../../src/docker/daemon.ts';
import { fileProblem, viewOf } from '../../src/docker/daemon-file.ts';
import { endedBefore } from '../../src/model/earlier-step.ts';
import type { Finding } from '../../src/model/finding.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { defaultRuntimeId } from '../../src/sysbox/question-ids.ts';
import type { Difference } from '../../src/sysbox/reload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { watchdogFindings } from '../../src/watchdog/findings.ts';
import { describeDifference, isNeededBySysbox, otherDifferences, ownDifferences } from './differences.ts';
import type { DockerStepFacts } from './facts.ts';
import { restartedAlready, restartId, wantsRestart } from './restart-choice.ts';

export function judgeLoaded(facts: DockerStepFacts, context: JudgeContext): readonly Finding[] {
	const { info } = facts.docker;
	if (info.kind !== 'ok') return [...watchdogFindings(facts.watchdog), unanswered(info)];
	const broken = fileProblem(facts.file);
	if (broken !== undefined) return [broken];
	const differences = ownDifferences(facts, context);
	const of = (key: string) => differences.find(d => d.key === key);
	return [
		runtimeFinding(facts, context, of('runtimes')),
		...putBackFindings(facts, context),
		defaultFinding(facts, context, of('default-runtime')),
		...networkFindings(facts, context, of('bip'), of('default-address-pools')),
		...differences.filter(isNeededBySysbox).map(d => waiting('docker.features-loaded', facts, d, context)),
		...otherFindings(facts, context),
		...unitFindings(facts),
		...watchdogFindings(facts.watchdog),
	];
}

function unanswered(trouble: DockerTrouble): Finding {
	return {
		id: 'docker.runtime-loaded',
		severity: trouble.kind === 'daemon-down' || trouble.kind === 'no-cli' ? 'block' : 'could-not-tell',
		summary: `What Docker has loaded cannot be seen: ${describeDockerTrouble(trouble)}`,
		breaks: trouble.kind === 'daemon-down' ? true : undefined,
		needsRoot: trouble.kind === 'denied' ? true : undefined,
		...followsTrouble(trouble),
		remedy: remedyOf(trouble),
	};
}

function remedyOf(trouble: DockerTrouble): NonNullable<Finding['remedy']> {
	switch (trouble.kind) {
		case 'denied':
			return { kind: 'advice', text: 'Look again as root' };
		case 'no-cli':
			return { kind: 'advice', text: 'Install Docker Engine on this host' };
		default:
			return {
				kind: 'commands',
				text: 'See how Docker is',
				commands: ['systemctl status docker', 'journalctl -u docker -n 50 --no-pager'],
			};
	}
}

/** Only systemd's unit can be told to reload; else the plan leaves it to the operator. */
const reloaded = ({ dockerd }: DockerStepFacts): NonNullable<Finding['remedy']> => ({
	kind: 'planned',
	text:
		dockerd.unit === undefined
			? 'The plan says how to reload Docker by hand'
			: 'Docker is reloaded, which touches no container',
});

function runtimeFinding(facts: DockerStepFacts, context: JudgeContext, difference: Difference | undefined): Finding {
	const id = 'docker.runtime-loaded';
	const info = facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	const listed = Object.keys(info?.runtimes ?? {});
	const evidence = `docker info lists ${listed.toSorted().join(', ')}`;
	if (difference !== undefined) {
		const missing = info?.runtimes[runtimeName] === undefined;
		return {
			id,
			severity: 'block',
			summary: missing
				? `Docker does not serve ${runtimeName} yet`
				: `Docker serves ${runtimeName} from ${difference.loaded}; the file says ${difference.said}`,
			evidence,
			why: 'Docker reads its file only when it is told to',
			breaks: missing && facts.programThere ? true : undefined,
			remedy: reloaded(facts),
		};
	}
	if (info?.runtimes[runtimeName] !== undefined) {
		return {
			id,
			severity: 'ok',
			summary: `Docker already serves ${runtimeName}`,
			evidence,
			why: 'That it is listed does not prove that a container runs: the next steps do',
		};
	}
	return {
		id,
		severity: 'block',
		summary: `Docker does not serve ${runtimeName}, and ${facts.file.path} does not name it`,
		evidence,
		remedy: endedBefore(context, 'daemon', `it registers ${runtimeName} once Sysbox is installed`),
	};
}

/** What an earlier step wrote is gone again with the way back of a restart: without it this step is not done. */
function putBackFindings(facts: DockerStepFacts, { state, answers }: JudgeContext): readonly Finding[] {
	const { path } = facts.file;
	const last = state.actions.findLast(a => a.undo.kind === 'file' && a.undo.path === path && a.outcome === 'done');
	if (last?.kind !== 'restore' || last.step !== 'docker') return [];
	const view = viewOf(facts.file);
	const missing = [
		...(view?.runtimes.has(runtimeName) === true ? [] : [runtimeName]),
		...(yesNoAnswer(answers, defaultRuntimeId) === true && view?.defaultRuntime !== runtimeName
			? ['the default runtime']
			: []),
	];
	if (missing.length === 0) return [];
	return [
		{
			id: 'docker.put-back',
			severity: 'block',
			summary: `${path} is as it was before this run, without ${missing.join(' and ')}`,
			why: 'Docker did not come up with what this run had written, so the file was put back',
			remedy: { kind: 'advice', text: 'Save and quit; the run then goes on with the step that writes the file' },
		},
	];
}

function defaultFinding(facts: DockerStepFacts, context: JudgeContext, difference: Difference | undefined): Finding {
	const id = 'docker.default-runtime-loaded';
	const info = facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	if (difference === undefined) {
		return { id, severity: 'ok', summary: `Containers get ${info?.defaultRuntime ?? ''} unless they ask for another` };
	}
	if (difference.needs === 'restart') return waiting(id, facts, difference, context);
	return {
		id,
		severity: 'block',
		summary: `The default runtime is still ${difference.loaded}; the file says ${difference.said}`,
		why: 'Docker reads its file only when it is told to',
		remedy: reloaded(facts),
	};
}

/** A setting that counts only from the next start on. */
function waiting(id: string, facts: DockerStepFacts, difference: Difference, context: JudgeContext): Finding {
	const summary = `${describeDifference(difference)}`;
	if (restartedAlready(facts, context)) {
		return {
			id,
			severity: 'block',
			summary: `Docker was restarted and still does not go by the file: ${summary}`,
			remedy: {
				kind: 'commands',
				text: 'See what it said when it started',
				commands: ['journalctl -u docker -n 50 --no-pager'],
			},
		};
	}
	const planned = wantsRestart(facts, context) && facts.dockerd.unit !== undefined;
	return {
		id,
		severity: 'warn',
		summary,
		why: isNeededBySysbox(difference)
			? 'Docker reads it only when it starts, and no Sysbox container starts before that'
			: 'Docker reads it only when it starts; Sysbox does not need it',
		breaks: isNeededBySysbox(difference) ? true : undefined,
		remedy: planned
			? { kind: 'planned', text: 'Docker is restarted' }
			: {
					kind: 'advice',
					// Without the unit there is no such question.
					text: `Restart Docker at a quiet time${facts.dockerd.unit === undefined ? '' : `, or answer ${restartId} with yes`}`,
				},
	};
}

function networkFindings(
	facts: DockerStepFacts,
	context: JudgeContext,
	bip: Difference | undefined,
	pools: Difference | undefined,
): readonly Finding[] {
	const view = viewOf(facts.file);
	const findings: Finding[] = [];
	if (bip !== undefined) findings.push(waiting('docker.bip-loaded', facts, bip, context));
	else if (view?.bip !== undefined && view.bip !== '') {
		findings.push(
			facts.network.kind === 'known'
				? { id: 'docker.bip-loaded', severity: 'ok', summary: `Docker's bridge has the address ${view.bip}` }
				: {
						id: 'docker.bip-loaded',
						severity: 'could-not-tell',
						summary: `Whether Docker's bridge has the address ${view.bip} cannot be seen`,
						evidence: facts.network.why,
					},
		);
	}
	if (pools !== undefined) findings.push(waiting('docker.pools-loaded', facts, pools, context));
	else if (view?.pools !== undefined) {
		findings.push({ id: 'docker.pools-loaded', severity: 'ok', summary: 'Docker uses the address pools of the file' });
	}
	return findings;
}

function otherFindings(facts: DockerStepFacts, context: JudgeContext): readonly Finding[] {
	return otherDifferences(facts, context).map(difference => ({
		id: 'docker.other-keys-loaded',
		// A data root of another place would leave every container and image behind.
		severity: difference.key === 'data-root' ? ('warn' as const) : ('info' as const),
		summary: describeDifference(difference),
		why: `It takes effect with the next ${difference.needs} of Docker, whoever does that`,
	}));
}

function unitFindings({ dockerd }: DockerStepFacts): readonly Finding[] {
	if (dockerd.trouble === undefined) return [];
	return [
		{
			id: 'docker.unit',
			severity: 'warn',
			summary: `Docker is not run as docker.service: ${dockerd.trouble}`,
			why: 'It can then be reloaded or restarted only by whoever runs it',
		},
	];
}
