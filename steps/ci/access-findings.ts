import { type HostAccessKind, threatOfAccess } from '../../src/docker/host-access.ts';
import type { Finding, Remedy } from '../../src/model/finding.ts';
import { someLines } from '../../src/text/name-some.ts';
import type { AccessSite } from './access-sites.ts';

/** `decisive`: with it, root on the host is one command away. The others are pieces of a way, or need luck. */
export const accessKinds: Readonly<
	Record<HostAccessKind, { readonly has: string; readonly why: string; readonly decisive: boolean }>
> = {
	privileged: {
		has: 'privileged, and not under Sysbox',
		why: 'A privileged container mounts the disks of the host and changes its kernel settings: root in it is root here.',
		decisive: true,
	},
	'docker-sock': {
		has: "given this host's Docker socket",
		why: 'Whoever can use the socket starts a privileged container and is root on this host. Sysbox does not change that.',
		decisive: true,
	},
	'containerd-sock': {
		has: "given this host's containerd",
		why: 'Whoever can use it starts a privileged container and is root on this host. Sysbox does not change that.',
		decisive: true,
	},
	'host-pid': {
		has: "run among the host's processes",
		why: 'Root in the container reads and changes the processes of the host, and enters their namespaces.',
		decisive: true,
	},
	'host-root-mount': {
		has: 'given the root folder of this host',
		why: 'Root in a container is root on what is bind-mounted into it, under Sysbox too.',
		decisive: true,
	},
	'docker-data-mount': {
		has: "given the data of this host's engine",
		why: 'In it are the files of all other containers, and what starts as root with the next one.',
		decisive: true,
	},
	'host-config-mount': {
		has: "given this host's configuration or programs",
		why: 'Root in a container is root on what is bind-mounted into it: it changes what the host starts, or reads its keys.',
		decisive: true,
	},
	'host-kernel-mount': {
		has: "given this host's /proc, /sys or /dev",
		why: 'Through them the settings and devices of the host can be changed.',
		decisive: true,
	},
	'host-mount': {
		has: 'given a folder of this host',
		why: 'Root in a container is root on what is bind-mounted into it, under Sysbox too: it can leave programs there that run as root.',
		decisive: false,
	},
	'host-root': {
		has: 'root on this host, in no container',
		why: 'Its jobs are processes of this host and have all of its rights. Sysbox has no part in them.',
		decisive: true,
	},
	'host-network': {
		has: "on the host's network",
		why: 'It reaches services that listen for this host alone. Sysbox refuses to start such a container.',
		decisive: false,
	},
	'host-ipc': {
		has: "in the host's shared memory",
		why: 'It reads and changes what other processes share. Sysbox refuses to start such a container.',
		decisive: false,
	},
	'host-uts': {
		has: "sharing the host's name",
		why: 'With the right capability it renames the host. Sysbox refuses to start such a container.',
		decisive: false,
	},
	device: {
		has: 'given a device of this host',
		why: 'What the device allows is allowed to the container: a disk can be read past all permissions.',
		decisive: false,
	},
	capability: {
		has: 'given strong capabilities, and not under Sysbox',
		why: 'Each of these alone is a known way to the kernel of the host. Under Sysbox it counts inside of the container only.',
		decisive: false,
	},
	unconfined: {
		has: 'without the usual confinement, and not under Sysbox',
		why: 'Filters that hold back known ways to the kernel are switched off.',
		decisive: false,
	},
};

/**
 * One finding for each way to the host and each kind of place, with all the places in it: ids stay the same whatever
 * runs. Genuine access of CI keeps the threat's row from being called lowered, and blocks nothing: no run takes it away.
 */
export function accessFindings(sites: readonly AccessSite[], filesAreThere: boolean): readonly Finding[] {
	const findings: Finding[] = [];
	for (const of of ['container', 'runner', 'service'] as const) {
		for (const what of Object.keys(accessKinds) as HostAccessKind[]) {
			const here = sites.filter(
				site => site.of === of && site.access.what === what && site.ci !== 'no' && !site.atRest,
			);
			if (here.length > 0) findings.push(accessFinding(of, what, here, filesAreThere));
		}
	}
	const other = sites.filter(site => site.ci === 'no' && !site.atRest);
	if (other.length > 0) {
		findings.push({
			id: 'ci.container.other',
			severity: 'info',
			summary:
				places(other) === 1
					? 'One container that is not of your CI reaches this host'
					: `${places(other)} containers that are not of your CI reach this host`,
			evidence: evidenceOf(other),
			why: 'It counts for no row of the threat table. A job that can log in to one of them has what it has.',
		});
	}
	const resting = sites.filter(site => site.atRest);
	if (resting.length > 0) {
		findings.push({
			id: 'ci.container.stopped',
			severity: 'info',
			summary:
				places(resting) === 1
					? 'One stopped container would reach this host if it were started again'
					: `${places(resting)} stopped containers would reach this host if they were started again`,
			evidence: evidenceOf(resting),
			remedy: { kind: 'advice', text: 'Remove those that nobody needs.' },
		});
	}
	return findings;
}

function accessFinding(
	of: AccessSite['of'],
	what: HostAccessKind,
	here: readonly AccessSite[],
	filesAreThere: boolean,
): Finding {
	const { has, why, decisive } = accessKinds[what];
	const isCi = here.some(site => site.ci === 'yes');
	const common = { id: `ci.${of}.${what}`, evidence: evidenceOf(here), why, threat: threatOfAccess[what] };
	if (decisive && !isCi) {
		// Neither its image nor its labels tell what it is for, and it may be its very purpose: so nobody is blamed yet.
		return {
			...common,
			severity: 'could-not-tell',
			keeps: 'threat',
			summary: `${subject(here)} ${has}, and may be of your CI`,
			remedy: { kind: 'advice', text: 'Answer ci.containers with those that run CI jobs or start them.' },
		};
	}
	return {
		...common,
		severity: decisive ? 'block' : 'warn',
		keeps: 'threat',
		summary: of === 'runner' ? `A GitLab runner here has its jobs ${has}` : `${subject(here)} ${has}`,
		remedy: remedyFor(of, what, here, filesAreThere),
	};
}

/** What is known to be of CI first. All of them are in the event `observed` of this step. */
const evidenceOf = (sites: readonly AccessSite[]): string =>
	someLines(
		sites
			.toSorted((a, b) => Number(b.ci === 'yes') - Number(a.ci === 'yes'))
			.map(site => `${site.where}: ${site.access.detail}`),
	);

/** The number of places, not of ways: a container with two mounts is one container. */
const places = (sites: readonly AccessSite[]): number =>
	new Set(sites.map(site => site.where.replace(/ at \S+$/, ''))).size;

function subject(sites: readonly AccessSite[]): string {
	const n = places(sites);
	const what = sites[0]?.of === 'service' ? 'CI agent' : 'container';
	return n === 1 ? `One ${what} is` : `${n} ${what}s are`;
}

/**
 * The files are this step's half of the way out, so as long as they are not there the plan goes on; the other half is
 * the operator's, as no container of theirs is touched.
 */
function remedyFor(
	of: AccessSite['of'],
	what: HostAccessKind,
	sites: readonly AccessSite[],
	filesAreThere: boolean,
): Remedy {
	const text =
		of === 'service'
			? 'Run the agent in a container under Sysbox, or give it a user who is neither root nor in the group docker.'
			: of === 'container'
				? 'Take it out where the container is defined, give its jobs an engine of their own (the files of this step), and create the container again.'
				: 'Take it out of the runner, or give the jobs that need Docker the runner of gitlab-runner.config.toml.';
	if (!filesAreThere)
		return { kind: 'planned', text: `The files of this step give jobs an engine of their own. Then: ${text}` };
	if (of !== 'container') return { kind: 'advice', text };
	const names = [...new Set(sites.map(site => site.where.split(' ')[0] ?? ''))];
	if (names.length <= 5) return { kind: 'commands', text, commands: [`docker inspect ${names.join(' ')}`] };
	return {
		kind: 'commands',
		text: `${text} To see this setting of every container`,
		commands: [
			`docker ps --all --quiet | xargs docker inspect --format '{{.Name}} {{.HostConfig.Runtime}} ${settingOf[what] ?? mounts}'`,
		],
	};
}

/** What `docker inspect --format` shows of a container's access; all other kinds are mounts. */
const settingOf: Readonly<Partial<Record<HostAccessKind, string>>> = {
	privileged: '{{.HostConfig.Privileged}}',
	'host-pid': '{{.HostConfig.PidMode}}',
	'host-network': '{{.HostConfig.NetworkMode}}',
	'host-ipc': '{{.HostConfig.IpcMode}}',
	'host-uts': '{{.HostConfig.UTSMode}}',
	device: '{{json .HostConfig.Devices}} {{json .HostConfig.DeviceCgroupRules}}',
	capability: '{{json .HostConfig.CapAdd}}',
	unconfined: '{{json .HostConfig.SecurityOpt}}',
};
const mounts = '{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}';
