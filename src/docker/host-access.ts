import type { ThreatId } from '../model/finding.ts';
import type { Container } from './container.ts';

export type HostAccessKind =
	| 'privileged'
	| 'docker-sock'
	| 'containerd-sock'
	| 'host-pid'
	| 'host-network'
	| 'host-ipc'
	| 'host-uts'
	| 'host-root-mount'
	| 'docker-data-mount'
	| 'host-config-mount'
	| 'host-kernel-mount'
	| 'host-mount'
	| 'host-root'
	| 'device'
	| 'capability'
	| 'unconfined';

/** One way in which a container, or a process beside it, reaches the host that it runs on. */
export interface HostAccess {
	readonly what: HostAccessKind;
	/** As it is configured: `/var/run/docker.sock is mounted at /var/run/docker.sock`. */
	readonly detail: string;
	/**
	 * True when the same request under Sysbox gives nothing of the host: Sysbox refuses it or keeps it in the container's
	 * user namespace. What is mounted into a container stays reachable under any runtime.
	 */
	readonly heldBySysbox: boolean;
}

/** The row of the threat table that cannot be called lowered while a CI container has this access. */
export const threatOfAccess: Readonly<Record<HostAccessKind, ThreatId>> = {
	privileged: 'container-escape',
	'docker-sock': 'docker-compromise',
	'containerd-sock': 'docker-compromise',
	'host-pid': 'container-escape',
	'host-network': 'container-escape',
	'host-ipc': 'container-escape',
	'host-uts': 'container-escape',
	'host-root-mount': 'container-escape',
	'docker-data-mount': 'docker-compromise',
	'host-config-mount': 'container-escape',
	'host-kernel-mount': 'container-escape',
	'host-mount': 'container-escape',
	'host-root': 'container-escape',
	device: 'container-escape',
	capability: 'container-escape',
	unconfined: 'container-escape',
};

/**
 * What a container may reach of its host, by how it was configured. Empty: nothing that this tool knows of. `dataRoot`
 * is Docker's, as its `info` names it.
 */
export function hostAccess(container: Container, dataRoot = '/var/lib/docker'): readonly HostAccess[] {
	const held = (what: HostAccessKind, detail: string): HostAccess => ({ what, detail, heldBySysbox: true });
	return [
		...(container.privileged ? [held('privileged', 'it is privileged')] : []),
		...namespaceAccess(container),
		...container.mounts
			.filter(m => m.type === 'bind')
			.flatMap(m => mountAccess(m.source, m.destination, m.readOnly, dataRoot)),
		...container.devices
			.filter(d => !harmlessDevices.has(d.onHost))
			// Sysbox shows the node as nobody's: only one that anybody may open stays of use.
			.map((d): HostAccess => ({ what: 'device', detail: `it has the device ${d.onHost}`, heldBySysbox: false })),
		...container.deviceCgroupRules.map(rule => held('device', `it may use devices by the rule "${rule}"`)),
		...container.capAdd
			.filter(cap => strongCapabilities.has(bareCapability(cap)))
			.map(cap => held('capability', `it has the capability ${cap}`)),
		...container.securityOpt
			.filter(option => isUnconfined(option) && !(isLabelDisabled(option) && labelIsDockers(container)))
			.map(option => held('unconfined', `it runs with ${option}`)),
	];
}

/** The same for a runtime that is known: what Sysbox holds back does not count for a container that it runs. */
export function hostAccessUnder(
	container: Container,
	sysboxRuntimes: readonly string[],
	dataRoot?: string,
): readonly HostAccess[] {
	const access = hostAccess(container, dataRoot);
	return sysboxRuntimes.includes(container.runtime) ? access.filter(a => !a.heldBySysbox) : access;
}

function namespaceAccess(container: Container): readonly HostAccess[] {
	const shared: readonly (readonly [HostAccessKind, string, string])[] = [
		['host-pid', container.pidMode, "it shares the host's processes (pid: host)"],
		['host-network', container.networkMode, "it shares the host's network (network: host)"],
		['host-ipc', container.ipcMode, "it shares the host's memory segments (ipc: host)"],
		['host-uts', container.utsMode, "it shares the host's name (uts: host)"],
	];
	return shared.filter(([, mode]) => mode === 'host').map(([what, , detail]) => ({ what, detail, heldBySysbox: true }));
}

const engineSockets: readonly (readonly [HostAccessKind, RegExp])[] = [
	['docker-sock', /(^|\/)(docker|podman)\.sock$/],
	['containerd-sock', /(^|\/)(containerd|crio|buildkitd|dockershim|cri-dockerd)\.sock$/],
];

/** Directories of the host that carry its engine's data, its keys and configuration, or its kernel. */
const directories = (dataRoot: string): readonly (readonly [HostAccessKind, readonly string[]])[] => [
	['docker-data-mount', [dataRoot, '/var/lib/docker', '/var/lib/containerd', '/var/lib/sysbox', '/var/lib/sysboxfs']],
	[
		'host-config-mount',
		[
			'/etc',
			'/root',
			'/boot',
			'/usr',
			'/bin',
			'/sbin',
			'/lib',
			'/lib64',
			'/var/spool/cron',
			'/run/systemd',
			'/run/dbus',
		],
	],
	['host-kernel-mount', ['/proc', '/sys', '/dev']],
];

/** Files below those directories that tell the container the time or the names of hosts, and nothing else. */
const harmlessFiles =
	/^\/etc\/(localtime|timezone|hosts|resolv\.conf|hostname|ssl\/certs(\/.*)?|ca-certificates(\/.*)?|pki\/ca-trust(\/.*)?)$|^\/usr\/share\/(zoneinfo|ca-certificates)(\/.*)?$|^\/run\/systemd\/resolve\/.+\.conf$|^\/dev\/(null|zero|full|u?random|shm\/.+)$/;

/**
 * What a bind mount of a host path hands out. Pure text: links are followed by whoever has the host; `/var/run` is
 * `/run` on every host with systemd.
 */
export function mountAccess(
	source: string,
	destination: string,
	readOnly: boolean,
	dataRoot = '/var/lib/docker',
): readonly HostAccess[] {
	const path = normalPath(source);
	const where = `${source} is mounted at ${destination}${readOnly ? ', read-only' : ''}`;
	const found = (what: HostAccessKind, detail = where): readonly HostAccess[] => [
		{ what, detail, heldBySysbox: false },
	];
	for (const [what, name] of engineSockets) {
		if (name.test(path)) return found(what);
	}
	if (path === '/') return found('host-root-mount');
	// A directory above the socket gives the socket, read-only or not: connecting to it is no write.
	if (isWithin('/run/docker.sock', path) || /^\/run\/user(\/\d+)?$/.test(path)) {
		return found('docker-sock', `${where}, and docker.sock with it`);
	}
	if (/^\/run\/(containerd|docker|crio|buildkit)$/.test(path)) {
		return found('containerd-sock', `${where}, and the engine's socket with it`);
	}
	if (harmlessFiles.test(path)) return [];
	// A volume that is mounted by its path is its own data and no more.
	if (isWithin(path, `${dataRoot}/volumes`) && /\/volumes\/[^/]+\/_data(\/|$)/.test(path)) return [];
	for (const [what, roots] of directories(normalPath(dataRoot))) {
		if (roots.some(root => isWithin(path, root) || isWithin(root, path))) return found(what);
	}
	// A person's whole home: programs that start with their next login, and the keys in .ssh.
	return /^\/home(\/[^/]+)?$/.test(path) || path === '/srv' || path === '/opt' ? found('host-mount') : [];
}

/** Whether `path` is `directory` or lies below it. */
function isWithin(path: string, directory: string): boolean {
	return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** An absolute path without doubled slashes, dots and a slash at its end, and with /var/run as /run. */
export function normalPath(path: string): string {
	const parts: string[] = [];
	for (const part of path.split('/')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	const absolute = `/${parts.join('/')}`;
	return /^\/var\/run(\/|$)/.test(absolute) ? absolute.slice('/var'.length) : absolute;
}

/** Devices that Docker hands to any container, or that give no way to the host's data. */
const harmlessDevices = new Set([
	'/dev/null',
	'/dev/zero',
	'/dev/full',
	'/dev/random',
	'/dev/urandom',
	'/dev/tty',
	'/dev/fuse',
	'/dev/net/tun',
]);

/**
 * Each of these alone reaches the host or its kernel: all that Docker does not give by itself, but for IPC_LOCK, LEASE,
 * NET_BROADCAST, BLOCK_SUSPEND and WAKE_ALARM.
 */
const strongCapabilities = new Set([
	'ALL',
	'SYS_ADMIN',
	'SYS_MODULE',
	'SYS_PTRACE',
	'SYS_RAWIO',
	'SYS_BOOT',
	'SYS_TIME',
	'SYS_RESOURCE',
	'SYS_NICE',
	'SYS_PACCT',
	'SYS_TTY_CONFIG',
	'DAC_READ_SEARCH',
	'LINUX_IMMUTABLE',
	'IPC_OWNER',
	'NET_ADMIN',
	'AUDIT_CONTROL',
	'AUDIT_READ',
	'BPF',
	'CHECKPOINT_RESTORE',
	'PERFMON',
	'SYSLOG',
	'MAC_ADMIN',
	'MAC_OVERRIDE',
]);

const bareCapability = (name: string) => name.toUpperCase().replace(/^CAP_/, '');

const isLabelDisabled = (option: string): boolean => /^label[=:]disable$/.test(option);

const isUnconfined = (option: string): boolean =>
	/^(seccomp|apparmor|systempaths)[=:]unconfined$/.test(option) || isLabelDisabled(option);

/** Docker adds label=disable by itself where one of these is asked for (seen with Docker 29.7): nobody chose it. */
const labelIsDockers = ({ privileged, pidMode, ipcMode }: Container): boolean =>
	privileged || pidMode === 'host' || ipcMode === 'host';
