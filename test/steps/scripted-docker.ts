import { createHash } from 'node:crypto';
import { inspectCommand } from '../../src/docker/daemon.ts';
import { parseDockerdFlags } from '../../src/docker/dockerd-flags.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import { latestRelease } from '../../src/knowledge/lookup.ts';
import { initialState, type RunState } from '../../src/model/state.ts';
import type { JudgeContext, RunOptions, StepContext } from '../../src/model/step.ts';
import type { ReadHost, StatResult } from '../../src/port/host.ts';
import { packagesCommand } from '../../src/system/dpkg.ts';
import { headCommand } from '../../src/system/fetch.ts';
import { showUnitsCommand } from '../../src/system/systemd-units.ts';
import { showWatchdogCommand } from '../../src/watchdog/facts.ts';
import { showBootCommand } from '../../steps/daemon/under-default.ts';
import { showRunnerCommand } from '../../steps/docker/runners.ts';
import { type Reply, type ScriptedHost, scriptedHost } from '../support/scripted-host.ts';

/** A Docker host in a few words, turned into the texts that its programs print. */
export interface DockerHost {
	readonly daemonJson?: string;
	/** Words of dockerd in its unit, behind the program. */
	readonly dockerdFlags?: string;
	/** The unit's drop-in that gives them, for FILE:LINE. */
	readonly unitFiles?: string;
	readonly info?: Record<string, unknown>;
	readonly bridge?: { readonly subnet: string; readonly gateway?: string };
	readonly containers?: readonly ContainerWords[];
	/** `dpkg-query`'s four columns for sysbox-ce; undefined: not known to dpkg. */
	readonly package?: { readonly version: string; readonly status: string };
	/** Which Sysbox is there: version of its programs. */
	readonly programs?: string | { readonly runc: string; readonly mgr: string; readonly fs: string };
	readonly units?: Partial<Record<'sysbox' | 'sysbox-mgr' | 'sysbox-fs', UnitWords>> | 'active';
	/** `UnitFileState` of sysbox.service. */
	readonly sysboxAtBoot?: string;
	/** `docker plugin ls`. */
	readonly plugins?: readonly { readonly Name: string; readonly Enabled: boolean }[] | 'unknown';
	/** Docker is ordered behind sysbox.service; it is, unless this says otherwise. */
	readonly sysboxGoesFirst?: false;
	readonly sockets?: boolean;
	readonly subuid?: string;
	readonly subgid?: string;
	readonly simulation?: Reply;
	readonly validate?: Reply;
	readonly files?: Readonly<Record<string, string>>;
	readonly directories?: readonly string[];
	readonly commands?: Readonly<Record<string, Reply>>;
	readonly uid?: number;
	/** When this dockerd was started and its file was last changed; nobody knows unless this says so. */
	readonly times?: { readonly docker: string; readonly file: string };
	/** Declared sha256 of files. */
	readonly digests?: Readonly<Record<string, string>>;
}

export interface ContainerWords {
	readonly name: string;
	readonly runtime?: string;
	readonly running?: boolean;
	readonly restart?: string;
	readonly privileged?: boolean;
	readonly network?: string;
	readonly pid?: number;
	readonly labels?: Record<string, string>;
	readonly startedAt?: string;
}

export interface UnitWords {
	readonly load?: string;
	readonly active: string;
	readonly result?: string;
	readonly enabled?: string;
}

const dockerInfo = {
	ID: 'b5b41a0f',
	Name: 'ci-07',
	ServerVersion: '28.5.1',
	KernelVersion: '6.8.0-88-generic',
	OperatingSystem: 'Ubuntu 24.04.3 LTS',
	Architecture: 'x86_64',
	DockerRootDir: '/var/lib/docker',
	Driver: 'overlay2',
	DriverStatus: [],
	Runtimes: { runc: { path: 'runc' }, 'io.containerd.runc.v2': { path: 'runc' } },
	DefaultRuntime: 'runc',
	SecurityOptions: ['name=seccomp,profile=builtin'],
	CgroupDriver: 'systemd',
	CgroupVersion: '2',
	LiveRestoreEnabled: false,
	Swarm: { LocalNodeState: 'inactive' },
};

export const runtimesWithSysbox = { ...dockerInfo.Runtimes, 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } };

export const socketPaths = ['/run/sysbox/sysmgr.sock', '/run/sysbox/sysfs.sock', '/run/sysbox/sysfs-seccomp.sock'];

/** The daemon.json that a set up host has: every key that the package wants, as a first run writes them. */
export const readyDaemonJson = `{
    "runtimes": {
        "sysbox-runc": {
            "path": "/usr/bin/sysbox-runc"
        }
    },
    "bip": "172.17.0.1/16",
    "default-address-pools": [
        {
            "base": "172.25.0.0/16",
            "size": 24
        }
    ]
}
`;

/** A host on which the run is done: installed, running, registered and loaded. */
export const setUpHost: DockerHost = {
	daemonJson: readyDaemonJson,
	info: { Runtimes: runtimesWithSysbox, DefaultAddressPools: [{ Base: '172.25.0.0/16', Size: 24 }] },
	package: { version: '0.7.1.linux', status: 'ii ' },
	programs: '0.7.1',
	units: 'active',
	sockets: true,
	subuid: 'anna:100000:65536\nsysbox:165536:65536\n',
};

export function dockerHost(words: DockerHost): ReadHost & { readonly ran: readonly string[] } {
	const sha = (text: string) => createHash('sha256').update(text).digest('hex');
	const programs = typeof words.programs === 'string' ? same(words.programs) : words.programs;
	const files: Record<string, string> = {
		'/etc/os-release': 'ID=ubuntu\nVERSION_ID="24.04"\n',
		'/proc/sys/kernel/osrelease': '6.8.0-88-generic\n',
		'/etc/subuid': words.subuid ?? 'anna:100000:65536\n',
		'/etc/subgid': words.subgid ?? words.subuid ?? 'anna:100000:65536\n',
		'/usr/bin/fusermount3': '',
		...(words.daemonJson !== undefined && { '/etc/docker/daemon.json': words.daemonJson }),
		...words.files,
	};
	const script: ScriptedHost = {
		files,
		directories: ['/etc', '/etc/docker', '/var/lib/sysbox-setup', ...(words.directories ?? [])],
		programs: programs === undefined ? [] : Object.keys(programs).map(name => `/usr/bin/sysbox-${name}`),
		names: {},
		links: {},
		freeBytes: 1e12,
		totalBytes: 2e12,
		free: {},
		uid: words.uid ?? 0,
		commands: { ...commandsOf(words), ...(programs && versions(programs)), ...words.commands },
	};
	const host = scriptedHost(script);
	const sockets = words.sockets ? socketPaths : [];
	return {
		...host,
		async stat(path): Promise<StatResult> {
			const { times } = words;
			if (times !== undefined && ['/run/docker.pid', '/etc/docker/daemon.json'].includes(path)) {
				const changedAtMs = Date.parse(path === '/run/docker.pid' ? times.docker : times.file);
				const meta = { mode: 0o644, uid: 0, gid: 0, size: 4, realPath: path, changedAtMs };
				return { kind: 'found', type: 'file', link: false, meta };
			}
			if (!sockets.includes(path)) {
				const found = await host.stat(path);
				if (found.kind !== 'found' || !script.programs.includes(path)) return found;
				return { ...found, meta: { ...found.meta, mode: 0o755 } };
			}
			const meta = { mode: 0o660, uid: 0, gid: 0, size: 0, realPath: path };
			return { kind: 'found', type: 'socket', link: false, meta };
		},
		async digest(path) {
			const declared = words.digests?.[path];
			if (declared !== undefined) return { kind: 'digest', sha256: declared, size: 11_800_000 };
			const text = files[path];
			return text === undefined ? { kind: 'missing' } : { kind: 'digest', sha256: sha(text), size: text.length };
		},
	};
}

const same = (version: string) => ({ runc: version, mgr: version, fs: version });

const versions = (programs: Readonly<Record<'runc' | 'mgr' | 'fs', string>>): Record<string, Reply> =>
	Object.fromEntries(
		Object.entries(programs).map(([name, version]) => [
			`/usr/bin/sysbox-${name} --version`,
			{ stdout: `sysbox-${name}\n\tedition: \tCommunity Edition (CE)\n\tversion: \t${version}\n\tcommit: \tabc\n` },
		]),
	);

function commandsOf(words: DockerHost): Record<string, Reply> {
	const containers = words.containers ?? [];
	const ids = containers.map((_, at) => String(at + 1).padStart(64, 'a'));
	const [dpkg, ...rest] = packagesCommand;
	const listed = words.package;
	const bridge = words.bridge ?? { subnet: '172.17.0.0/16', gateway: '172.17.0.1' };
	return {
		...Object.fromEntries(
			(latestRelease(knowledge)?.packages ?? []).map(({ url }) => [headCommand(url).join(' '), { stdout: '' }]),
		),
		[[dpkg, ...rest, 'dpkg', 'sysbox-ce'].join(' ')]: {
			code: listed === undefined ? 1 : 0,
			stdout: `dpkg\t1.22.6ubuntu6\tamd64\tii \n${
				listed === undefined ? '' : `sysbox-ce\t${listed.version}\tamd64\t${listed.status}\n`
			}`,
			stderr: listed === undefined ? 'dpkg-query: no packages found matching sysbox-ce' : '',
		},
		[showUnitsCommand(['docker.service']).join(' ')]: {
			stdout: unitText('docker.service', { active: 'active' }, `/usr/bin/dockerd ${words.dockerdFlags ?? '-H fd://'}`),
		},
		[showRunnerCommand.join(' ')]: { stdout: 'Id=gitlab-runner.service\nLoadState=not-found\nMainPID=0\n' },
		[showUnitsCommand(['sysbox.service', 'sysbox-mgr.service', 'sysbox-fs.service']).join(' ')]: {
			stdout: (['sysbox', 'sysbox-mgr', 'sysbox-fs'] as const)
				.map(name => {
					const unit = words.units === 'active' ? { active: 'active', enabled: 'enabled' } : words.units?.[name];
					return unitText(`${name}.service`, unit ?? { load: 'not-found', active: 'inactive' }, `/usr/bin/${name}`);
				})
				.join('\n'),
		},
		[showWatchdogCommand.join(' ')]: {
			stdout:
				'NRestarts=0\nExecMainStartTimestampMonotonic=5000000\nId=docker.service\nActiveState=active\nInactiveExitTimestampMonotonic=5000000\nActiveEnterTimestampMonotonic=7000000\n',
		},
		'systemctl cat docker.service': {
			stdout: words.unitFiles ?? '# /usr/lib/systemd/system/docker.service\n[Service]\n',
		},
		'docker context inspect': {
			stdout: JSON.stringify([{ Name: 'default', Endpoints: { docker: { Host: 'unix:///var/run/docker.sock' } } }]),
		},
		'docker version --format {{json .}}': {
			stdout: JSON.stringify({ Client: { Version: '28.5.1' }, Server: { Version: '28.5.1' } }),
		},
		'docker info --format {{json .}}': { stdout: JSON.stringify({ ...dockerInfo, ...words.info }) },
		'docker ps -aq --no-trunc': { stdout: ids.map(id => `${id}\n`).join('') },
		[inspectCommand(ids).join(' ')]: { stdout: JSON.stringify(containers.map((c, at) => inspected(c, ids[at] ?? ''))) },
		'docker network inspect bridge': {
			stdout: JSON.stringify([
				{
					Id: 'f00',
					IPAM: {
						Config: [{ Subnet: bridge.subnet, ...(bridge.gateway !== undefined && { Gateway: bridge.gateway }) }],
					},
					Options: { 'com.docker.network.bridge.name': 'docker0' },
					Containers: {},
				},
			]),
		},
		'docker plugin ls --format {{json .}}': {
			...(words.plugins === 'unknown'
				? { code: 1, stderr: 'Cannot connect to the Docker daemon' }
				: { stdout: (words.plugins ?? []).map(p => `${JSON.stringify(p)}\n`).join('') }),
		},
		[showBootCommand.join(' ')]: {
			...(words.sysboxAtBoot === 'unknown'
				? { code: 1, stderr: 'Failed to connect to bus' }
				: {
						stdout: `Before=shutdown.target${words.sysboxGoesFirst === false ? '' : ' docker.service'}\nLoadState=loaded\nUnitFileState=${words.sysboxAtBoot ?? 'enabled'}\n`,
					}),
		},
		'ip -4 -o address show dev docker0': {
			stdout: '3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\       valid_lft forever\n',
		},
		[validateCommand(words)]: words.validate ?? { stderr: 'configuration OK\n' },
		[validateCommand(words, '/dev/null')]: words.validate ?? { stderr: 'configuration OK\n' },
		'apt-get satisfy --simulate --no-install-recommends debconf, fuse, iptables, jq, lsb-release, rsync':
			words.simulation ?? {
				stdout:
					'NOTE: This is only a simulation!\nInst rsync (3.2.7-1ubuntu1 Ubuntu:24.04/noble [amd64])\nConf rsync\n',
			},
	};
}

/** dockerd is asked with the flags of its unit, where it reads this file at all. */
function validateCommand({ dockerdFlags = '-H fd://' }: DockerHost, file = '/etc/docker/daemon.json'): string {
	const flags = parseDockerdFlags(dockerdFlags.split(' '));
	const given = flags.some(f => f.name === 'config-file') ? [] : flags.map(f => `--${f.name}=${f.value}`);
	return [`dockerd --validate --config-file ${file}`, ...given].join(' ');
}

const unitText = (id: string, unit: UnitWords, command: string): string =>
	`MainPID=${unit.active === 'active' ? 900 : 0}
Result=${unit.result ?? 'success'}
ExecStart={ path=${command.split(' ')[0]} ; argv[]=${command} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }
Id=${id}
LoadState=${unit.load ?? 'loaded'}
ActiveState=${unit.active}
SubState=${unit.active === 'active' ? 'running' : 'dead'}
FragmentPath=/usr/lib/systemd/system/${id}
UnitFileState=${unit.enabled ?? (unit.load === 'not-found' ? '' : 'enabled')}
`;

const inspected = (c: ContainerWords, id: string) => ({
	Id: id,
	Name: `/${c.name}`,
	Image: 'sha256:1',
	State: {
		Status: (c.running ?? true) ? 'running' : 'exited',
		Running: c.running ?? true,
		Pid: (c.running ?? true) ? (c.pid ?? 5000) : 0,
		StartedAt: c.startedAt ?? '2026-11-23T11:48:00Z',
	},
	Config: { Image: 'busybox', Labels: c.labels ?? {} },
	HostConfig: {
		Runtime: c.runtime ?? 'runc',
		Privileged: c.privileged ?? false,
		NetworkMode: c.network ?? 'bridge',
		PidMode: '',
		RestartPolicy: { Name: c.restart ?? 'no' },
	},
	Mounts: [],
	NetworkSettings: { Networks: {} },
});

export const options: RunOptions = {
	imageArchives: [],
	workingDirectory: '/home/anna',
	command: 'sysbox-setup',
	stateDirectory: '/var/lib/sysbox-setup',
};

export function judging(change: Partial<JudgeContext> = {}): JudgeContext {
	return {
		knowledge,
		options,
		answers: {},
		state: initialState,
		now: new Date('2026-11-23T12:00:00Z'),
		...change,
	};
}

export const looking = (host: ReadHost, change: Partial<JudgeContext> = {}): StepContext => ({
	...judging(change),
	host,
	signal: new AbortController().signal,
});

/** A run in which these actions were carried out, in this order. */
export const ranBefore = (
	...actions: readonly (Pick<RunState['actions'][number], 'step' | 'id' | 'role'> & {
		readonly path?: string;
		readonly after?: string;
	})[]
): RunState => ({
	...initialState,
	actions: actions.map(({ step, id, role, path, after }, seq) => ({
		step,
		id,
		role,
		seq,
		at: '2026-11-23T11:59:00Z',
		title: id,
		kind: path === undefined ? 'exec' : 'write',
		does: id,
		undo:
			path === undefined
				? { kind: 'none' as const, why: '' }
				: {
						kind: 'file' as const,
						path,
						before: { sha256: 'a'.repeat(64), mode: 0o644, uid: 0, gid: 0 },
						after: after ?? null,
					},
		outcome: 'done' as const,
		tail: [],
	})),
});

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
