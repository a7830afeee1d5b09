import type { ReadHost } from '../../src/port/host.ts';
import type { UnitState } from '../../src/system/systemd-show.ts';
import { describeSystemdTrouble, inspectUnits, listServices } from '../../src/system/systemd-units.ts';
import { readTextOr } from '../../src/system/text-file.ts';

/** An agent that a unit of systemd starts: its jobs are processes of this host. */
export interface AgentService {
	/** `actions.runner.acme-app.ci-07.service`. */
	readonly unit: string;
	/** `GitHub Actions runner`. */
	readonly system: string;
	/** Whose rights its jobs have. */
	readonly user: string;
	readonly groups: readonly string[];
	/** Whether that user may use this host's Docker socket. */
	readonly docker: 'yes' | 'no' | 'unknown';
	/** Limits that neither the unit nor systemd's defaults set. */
	readonly lacks: readonly string[];
}

/** GitLab Runner as a service: its jobs are told by its configuration. */
export interface RunnerService {
	readonly unit: string;
	readonly config: string;
	/** Whose rights jobs of the shell executor have. */
	readonly shellUser: string;
	readonly docker: AgentService['docker'];
}

export interface AgentServices {
	readonly agents: readonly AgentService[];
	readonly runners: readonly RunnerService[];
	/** Why the services could not be told, or whose groups. */
	readonly unread: readonly { readonly path: string; readonly why: string }[];
}

/** Units by the names that the systems' own installers and packages give them. */
const systems: readonly (readonly [RegExp, string])[] = [
	[/^actions\.runner\./, 'GitHub Actions runner'],
	[/^(github|gh|gha|actions)[-_]?(actions[-_])?runner/, 'GitHub Actions runner'],
	[/^jenkins([-_@.]|$)/, 'Jenkins'],
	[/^swarm-client/, 'Jenkins agent'],
	[/^buildkite-agent/, 'Buildkite agent'],
	[/^circleci([-_]|\.service$)/, 'CircleCI runner'],
	[/^(gitea[-_]?)?act[-_]runner/, 'Gitea runner'],
	[/^gitea[-_]runner/, 'Gitea runner'],
	[/^forgejo[-_](act[-_])?runner/, 'Forgejo runner'],
	[/^woodpecker[-_]?(ci[-_])?agent/, 'Woodpecker agent'],
	[/^drone[-_](runner|agent)/, 'Drone runner'],
	[/^(vsts\.agent\.|vsts[-_]?agent|azure[-_]?(pipelines[-_]?|devops[-_]?)agent)/, 'Azure Pipelines agent'],
	[/^teamcity[-_]?(build[-_]?)?agent/i, 'TeamCity agent'],
	[/^(go|gocd)[-_]agent/, 'GoCD agent'],
	[/^bamboo[-_]?agent/, 'Bamboo agent'],
	[/^concourse([-_]worker)?\.service$/, 'Concourse worker'],
];

const isGitlabRunner = (name: string): boolean => /^gitlab[-_]runner/.test(name);

const systemOf = (name: string): string | undefined => systems.find(([pattern]) => pattern.test(name))?.[1];

/** More services of agents than these are not looked at one by one. */
const mostUnits = 64;

const properties = [
	'User',
	'Group',
	'SupplementaryGroups',
	'DynamicUser',
	'MemoryMax',
	'CPUQuotaPerSecUSec',
	'TasksMax',
];

/** CI agents among this host's services, and what their users may do. Asks systemd and reads /etc/passwd and /etc/group. */
export async function inspectAgentServices(host: ReadHost, signal: AbortSignal): Promise<AgentServices> {
	const list = await listServices(host, signal);
	const none = { agents: [], runners: [] };
	if (list.kind !== 'ok') return { ...none, unread: [{ path: 'services', why: describeSystemdTrouble(list) }] };
	const names = list.names.filter(name => isGitlabRunner(name) || systemOf(name) !== undefined);
	if (names.length === 0) return { ...none, unread: [] };
	const [answer, passwd, group, socket] = await Promise.all([
		inspectUnits(host, names.slice(0, mostUnits), signal, properties),
		readTextOr(host, '/etc/passwd'),
		readTextOr(host, '/etc/group'),
		host.stat('/run/docker.sock'),
	]);
	if (answer.kind !== 'ok') return { ...none, unread: [{ path: 'services', why: describeSystemdTrouble(answer) }] };
	const rights: Rights = {
		users: rowsOf(passwd),
		groups: rowsOf(group),
		socket: socket.kind === 'found' ? socket.meta : undefined,
	};
	const units = answer.units.filter(unit => isInUse(unit) && !startsContainer(unit));
	const agents = units.flatMap(unit => agentOf(unit, rights));
	return {
		agents,
		runners: units.filter(unit => isGitlabRunner(unit.id)).map(unit => runnerOf(unit, rights)),
		unread: [
			...agents
				.filter(agent => agent.docker === 'unknown')
				.map(({ unit, user }) => ({
					path: unit,
					why: `its user ${user} is not in /etc/passwd, so its groups are not known`,
				})),
			...(names.length > mostUnits ? [{ path: 'services', why: `there are ${names.length} of CI agents` }] : []),
		],
	};
}

/** It runs, or the host starts it. */
const isInUse = ({ activeState, unitFileState }: UnitState): boolean =>
	['active', 'activating', 'reloading'].includes(activeState) || /^enabled/.test(unitFileState);

/** A unit that runs a container: what that one reaches is told by the container. */
const startsContainer = ({ execStart }: UnitState): boolean => /(^|\/)(docker|podman)$/.test(execStart[0] ?? '');

interface Rights {
	/** Fields of each line, by its name. */
	readonly users: ReadonlyMap<string, readonly string[]>;
	readonly groups: ReadonlyMap<string, readonly string[]>;
	readonly socket?: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
}

const rowsOf = (text: string | undefined): ReadonlyMap<string, readonly string[]> =>
	new Map((text ?? '').split('\n').flatMap(line => (line === '' ? [] : [[line.split(':')[0] ?? '', line.split(':')]])));

function agentOf(unit: UnitState, rights: Rights): readonly AgentService[] {
	const system = systemOf(unit.id);
	if (system === undefined) return [];
	const user = unit.properties['User'] || 'root';
	const { groups, docker } = rightsOf(user, unit, rights);
	const { MemoryMax: memory, CPUQuotaPerSecUSec: cpu, TasksMax: tasks } = unit.properties;
	const unlimited = (value: string | undefined): boolean => value === 'infinity';
	const lacks = [
		...(unlimited(memory) ? ['memory'] : []),
		...(unlimited(cpu) ? ['processors'] : []),
		...(unlimited(tasks) ? ['processes'] : []),
	];
	return [{ unit: unit.id, system, user, groups, docker, lacks }];
}

function runnerOf(unit: UnitState, rights: Rights): RunnerService {
	const option = (...names: readonly string[]): string | undefined => {
		const at = unit.execStart.findIndex(word => names.includes(word));
		if (at !== -1) return unit.execStart[at + 1];
		return unit.execStart.flatMap(word =>
			names.flatMap(name => (word.startsWith(`${name}=`) ? word.slice(name.length + 1) : [])),
		)[0];
	};
	const shellUser = option('--user', '-u') ?? (unit.properties['User'] || 'root');
	return {
		unit: unit.id,
		config: option('--config', '-c') ?? '/etc/gitlab-runner/config.toml',
		shellUser,
		// The jobs' shell is a login of that user: the groups of the unit are not its own.
		docker: rightsOf(shellUser, undefined, rights).docker,
	};
}

function rightsOf(
	user: string,
	unit: UnitState | undefined,
	{ users, groups, socket }: Rights,
): Pick<AgentService, 'groups' | 'docker'> {
	const row = [...users.values()].find(fields => fields[0] === user || fields[2] === user);
	const uid = /^\d+$/.test(user) ? Number(user) : row === undefined ? undefined : Number(row[2]);
	const given = [unit?.properties['Group'] ?? '', ...(unit?.properties['SupplementaryGroups'] ?? '').split(/\s+/)];
	const ids = new Set([
		...(row?.[3] === undefined || (given[0] ?? '') !== '' ? [] : [row[3]]),
		...[...groups.values()]
			.filter(
				([name = '', , gid = '', members = '']) =>
					given.includes(name) || given.includes(gid) || members.split(',').includes(row?.[0] ?? user),
			)
			.map(([, , gid = '']) => gid),
	]);
	const names = [...groups.values()].filter(([, , gid = '']) => ids.has(gid)).map(([name = '']) => name);
	const isRoot = user === 'root' || uid === 0;
	const may = (): boolean => {
		if (isRoot) return true;
		if (socket === undefined) return names.includes('docker');
		if ((socket.mode & 0o006) === 0o006) return true;
		return (ids.has(String(socket.gid)) && (socket.mode & 0o060) === 0o060) || uid === socket.uid;
	};
	if (may()) return { groups: names, docker: 'yes' };
	const known = row !== undefined || unit?.properties['DynamicUser'] === 'yes';
	return { groups: names, docker: known ? 'no' : 'unknown' };
}
