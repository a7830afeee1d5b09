import type { Container } from '../../src/docker/container.ts';
import type { HostAccess } from '../../src/docker/host-access.ts';
import type { DockerInfo } from '../../src/docker/info.ts';
import type { EntryPoint } from '../../src/model/entry-point.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { type AccessSite, accessOf, isAtRest, isCi, isOurs } from './access-sites.ts';
import type { AgentService } from './agent-services.ts';
import type { CiFacts } from './facts.ts';
import { isGitlabRunner, type RunnerEntry } from './runner-config.ts';

/**
 * Where jobs of the operator's CI get onto this host: entries of runners, containers of agents and jobs, agents that run
 * as services. What could not be read is no entry: the findings `ci.unseen.*` tell of it.
 */
export function entryPointsOf(facts: CiFacts): readonly EntryPoint[] {
	const { containers } = facts.docker;
	const info = facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	const runners = facts.runnerConfigs.flatMap(({ path, runners }) =>
		runners.map(
			(runner): EntryPoint => ({
				kind: 'runner',
				name: `gitlab-runner '${runner.name}'`,
				where: `${path}:${runner.line}`,
				sysbox: runner.runtime === undefined ? 'no' : usesSysbox(runner.runtime),
				access: runner.access.map(sayAccess),
				lacks: [...limitsLacking(runner, facts.processLimits)],
			}),
		),
	);
	return [
		...runners,
		...(containers.kind === 'ok' ? containers.value : [])
			.filter(container => isEntry(container, facts.named) && !(runners.length > 0 && isCoveredJob(container)))
			.map(
				(container): EntryPoint => ({
					kind: 'container',
					name: `container '${container.name}'`,
					where: container.image,
					sysbox: usesSysbox(container.runtime || (info?.defaultRuntime ?? '')),
					access: accessOf(container, info).map(sayAccess),
					lacks: [...containerLacks(container, info)],
				}),
			),
		...facts.services.agents.map(
			(agent): EntryPoint => ({
				kind: 'service',
				name: agent.system,
				where: agent.unit,
				sysbox: 'no',
				access: serviceAccess(agent).map(sayAccess),
				lacks: [...agent.lacks],
			}),
		),
	];
}

const sayAccess = ({ what, detail }: HostAccess): string => `${what}: ${detail}`;

const usesSysbox = (runtime: string): EntryPoint['sysbox'] =>
	runtime === '' ? 'unknown' : runtime === runtimeName ? 'yes' : 'no';

const isEntry = (container: Container, named: readonly string[] | undefined): boolean =>
	!isOurs(container) && !isAtRest(container) && isCi(container, named) === 'yes' && !startsJobsElsewhere(container);

/** GitLab Runner in a plain container runs no job itself: its configuration tells what its jobs get. */
const startsJobsElsewhere = ({ image, runtime }: Container): boolean =>
	isGitlabRunner(image) && runtime !== runtimeName;

/** A job that a runner started under Sysbox: the runner's entry speaks for it, and it is gone in a moment. */
const isCoveredJob = ({ owner, runtime }: Container): boolean =>
	owner?.kind === 'gitlab-runner' && runtime === runtimeName;

/** What the user of an agent that runs as a service has of this host. */
function serviceAccess({ user, groups, docker }: AgentService): readonly HostAccess[] {
	const has = (what: HostAccess['what'], detail: string): HostAccess => ({ what, detail, heldBySysbox: false });
	const who = groups.length === 0 ? `its user ${user}` : `its user ${user} (groups: ${groups.join(', ')})`;
	return [
		...(user === 'root' ? [has('host-root', 'it runs as root')] : []),
		...(docker === 'yes' ? [has('docker-sock', `${who} may use docker.sock`)] : []),
	];
}

/** The same as places of access, for the findings. */
export const serviceSites = (agents: readonly AgentService[]): readonly AccessSite[] =>
	agents.flatMap(agent =>
		serviceAccess(agent).map(
			(access): AccessSite => ({
				of: 'service',
				where: `${agent.unit} (${agent.system})`,
				access,
				ci: 'yes',
				atRest: false,
			}),
		),
	);

/** Limits that the jobs of a runner do not have. */
export function limitsLacking(
	{ lacks, runtime, cgroupParents }: RunnerEntry,
	processLimits: CiFacts['processLimits'],
): readonly string[] {
	if (runtime === undefined) return lacks;
	// GitLab Runner has no key for processes: only a control group that job and services are put into can hold them.
	const limited = (parent: string): boolean => /^\d+$/.test(processLimits[parent] ?? '');
	return cgroupParents.length > 0 && cgroupParents.every(limited) ? lacks : [...lacks, 'processes'];
}

/** Limits that a container does not have, of those that this host can hold. */
export function containerLacks(container: Container, info: DockerInfo | undefined): readonly string[] {
	return [
		...(container.memoryBytes === 0 && info?.limits.memory !== false ? ['memory'] : []),
		...(container.nanoCpus === 0 && info?.limits.cpu !== false ? ['processors'] : []),
		// GitLab Runner cannot set it: the runner's own entry tells so.
		...(container.pidsLimit === 0 && info?.limits.pids !== false && container.owner?.kind !== 'gitlab-runner'
			? ['processes']
			: []),
	];
}
