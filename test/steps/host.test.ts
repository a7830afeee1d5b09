import { describe, expect, it } from 'vitest';
import { parseArgs } from '../../src/cli/args.ts';
import { inspectCommand } from '../../src/docker/daemon.ts';
import { knowledge } from '../../src/knowledge/index.ts';
import type { Action } from '../../src/model/action.ts';
import type { Finding, Severity } from '../../src/model/finding.ts';
import type { Answers } from '../../src/model/question.ts';
import { initialState, type RunState } from '../../src/model/state.ts';
import type { ChangeStep, JudgeContext } from '../../src/model/step.ts';
import { findingIds } from '../../steps/finding-ids.ts';
import { hostChecks } from '../../steps/host/checks/catalogue.ts';
import type { HostFacts } from '../../steps/host/host-facts.ts';
import { hostStep } from '../../steps/host/step.ts';
import { changed, hostFixture, type Reply, type ScriptedHost, scriptedHost } from '../support/scripted-host.ts';

const step = hostStep as ChangeStep<HostFacts>;

const ubuntu = hostFixture('ubuntu-24.04');
const debian = hostFixture('debian-13');
const hardened = hostFixture('ubuntu-25.04-hardened');
const centos = hostFixture('centos-9');

function contextOf(answers: Answers = {}, change: Partial<JudgeContext> = {}): JudgeContext {
	return {
		knowledge,
		options: {
			imageArchives: [],
			workingDirectory: '/root',
			command: 'sysbox-setup',
			stateDirectory: '/var/lib/sysbox-setup',
		},
		answers,
		state: initialState,
		now: new Date('2026-11-24T10:00:00Z'),
		...change,
	};
}

async function factsOf(host: ScriptedHost): Promise<HostFacts> {
	return step.inspect({ ...contextOf(), host: scriptedHost(host), signal: new AbortController().signal });
}

async function findingsOf(host: ScriptedHost, context = contextOf()): Promise<readonly Finding[]> {
	return step.judge(await factsOf(host), context);
}

async function finding(host: ScriptedHost, id: string, context = contextOf()): Promise<Finding> {
	const found = (await findingsOf(host, context)).find(f => f.id === id);
	if (found === undefined) throw new Error(`no finding ${id}`);
	return found;
}

async function planOf(
	host: ScriptedHost,
	answers: Answers = {},
	state: RunState = initialState,
): Promise<readonly Action[]> {
	return step.plan(await factsOf(host), contextOf(answers, { state })).actions;
}

const argvOf = (action: Action | undefined): string => (action?.kind === 'exec' ? action.argv.join(' ') : '');

const textOf = (action: Action | undefined): string =>
	action?.kind === 'write' ? new TextDecoder().decode(action.bytes) : '';

/** Replaces fields of the JSON that a fixture's command prints. */
function docker(host: ScriptedHost, change: Record<string, unknown>): ScriptedHost {
	const line = 'docker info --format {{json .}}';
	const info = JSON.parse(host.commands[line]?.stdout ?? '{}') as Record<string, unknown>;
	return changed(host, { commands: { [line]: { stdout: JSON.stringify({ ...info, ...change }) } } });
}

const everyDockerCommand = (host: ScriptedHost): readonly string[] =>
	Object.keys(host.commands).filter(line => line.startsWith('docker '));

function dockerAnswers(host: ScriptedHost, reply: Reply): ScriptedHost {
	return changed(host, { commands: Object.fromEntries(everyDockerCommand(host).map(line => [line, reply])) });
}

function unitActive(host: ScriptedHost, id: string, state = 'active', load = 'loaded', file = 'enabled'): ScriptedHost {
	const line = Object.keys(host.commands).find(l => l.startsWith('systemctl show docker.service')) ?? '';
	const blocks = (host.commands[line]?.stdout ?? '').split('\n\n').map(block =>
		block.includes(`Id=${id}\n`)
			? block
					.replace(/ActiveState=.*/, `ActiveState=${state}`)
					.replace(/LoadState=.*/, `LoadState=${load}`)
					.replace(/UnitFileState=.*/, `UnitFileState=${file}`)
			: block,
	);
	return changed(host, { commands: { [line]: { stdout: blocks.join('\n\n') } } });
}

const manager = (host: ScriptedHost, stdout: string): ScriptedHost =>
	changed(host, { commands: { 'systemctl show -p Version -p SystemState -p Virtualization': { stdout } } });

const kernel = (host: ScriptedHost, release: string, machine = 'x86_64'): ScriptedHost =>
	docker(
		changed(host, {
			files: { '/proc/sys/kernel/osrelease': `${release}\n` },
			commands: { 'uname -srm': { stdout: `Linux ${release} ${machine}\n` } },
		}),
		{ KernelVersion: release },
	);

const osRelease = (text: string) => ({ files: { '/etc/os-release': text } });

function mountRoot(host: ScriptedHost, type: string, options = 'rw,relatime'): ScriptedHost {
	const path = '/proc/self/mountinfo';
	const text = String(host.files[path]).replace(
		'/ rw,relatime shared:1 - ext4 /dev/vda1',
		`/ ${options} shared:1 - ${type} /dev/vda1`,
	);
	return changed(host, { files: { [path]: text } });
}

function packages(host: ScriptedHost, edit: (text: string) => string): ScriptedHost {
	const line = Object.keys(host.commands).find(l => l.startsWith('dpkg-query')) ?? '';
	return changed(host, { commands: { [line]: { stdout: edit(host.commands[line]?.stdout ?? '') } } });
}

/** With the programs of a Sysbox of that version, which no package brought unless `packages` says so. */
function withSysbox(host: ScriptedHost, version: string): ScriptedHost {
	const stdout = `sysbox-runc\n\tedition: \tCommunity Edition (CE)\n\tversion: \t${version}\n`;
	return changed(host, {
		programs: [...host.programs, '/usr/bin/sysbox-runc'],
		commands: { '/usr/bin/sysbox-runc --version': { stdout } },
	});
}

const sysboxPackage = (host: ScriptedHost, version: string, status = 'ii '): ScriptedHost =>
	packages(withSysbox(host, version), text => `${text}sysbox-ce\t${version}.linux\tamd64\t${status}\n`);

describe('a fit host', () => {
	it.each([
		['Ubuntu 24.04', ubuntu],
		['Debian 13', debian],
	])('%s: nothing blocks or warns, nothing is left open, and nothing is planned or asked', async (_name, host) => {
		const facts = await factsOf(host);
		const findings = step.judge(facts, contextOf());
		expect(findings.filter(f => !['ok', 'info'].includes(f.severity))).toEqual([]);
		expect(step.plan(facts, contextOf()).actions).toEqual([]);
		expect(step.ask?.({}, facts, contextOf())).toEqual([]);
	});

	it('is looked at with twelve commands at most, each of them asked once', async () => {
		const host = scriptedHost(daemonJson('{}\n'));
		await step.inspect({ ...contextOf(), host, signal: new AbortController().signal });
		expect(host.ran.length).toBeLessThanOrEqual(12);
		expect(new Set(host.ran).size).toBe(host.ran.length);
	});

	it('has one finding for every check, and at least thirty of them', async () => {
		const ids = (await findingsOf(ubuntu)).map(f => f.id);
		expect(ids.filter(id => !id.startsWith('sysbox.known-issues'))).toEqual(hostChecks.map(c => c.id));
		expect(new Set(ids).size).toBe(ids.length);
		expect(hostChecks.length).toBeGreaterThan(30);
	});

	it('says with every finding what was seen and why it matters', async () => {
		for (const host of [ubuntu, debian, hardened, centos]) {
			for (const { id, evidence, why } of await findingsOf(host)) {
				expect(evidence, id).toBeTruthy();
				expect(why, id).toBeTruthy();
			}
		}
	});

	it('lists its checks with what each looks at', () => {
		expect(findingIds.map(c => c.id)).toContain('docker.live-restore-swarm');
		for (const { id, about } of findingIds) {
			expect(id).toMatch(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/);
			expect(about.length).toBeGreaterThan(3);
		}
	});

	it('is observed for the record, with the containers as they are before anything is done', async () => {
		const observed = step.observe?.(await factsOf(ubuntu)) ?? [];
		expect(observed.map(o => o.key)).toEqual(['host', 'containers']);
		expect(observed[0]?.value).toMatchObject({
			distro: 'Ubuntu 24.04.3 LTS',
			kernel: '6.8.0-88-generic',
			arch: 'amd64',
			docker: '29.7.2',
			cgroupVersion: '2',
		});
		expect(observed[1]?.value).toEqual([
			{
				id: 'a3'.repeat(32),
				name: 'gitlab-runner',
				image: 'gitlab/gitlab-runner:v18.5.0',
				pid: 4121,
				startedAt: '2026-11-22T18:02:11.5Z',
				running: true,
			},
			{
				id: 'b7'.repeat(32),
				name: 'db-migration',
				image: 'postgres:17',
				pid: 0,
				startedAt: '2026-11-22T18:02:11.5Z',
				running: false,
			},
		]);
	});

	it('has no list of containers where Docker gave none', async () => {
		const observed = step.observe?.(await factsOf(dockerAnswers(ubuntu, { problem: 'timeout' }))) ?? [];
		expect(observed.map(o => o.key)).toEqual(['host']);
	});
});

/** Each check where it does not say ok: what is changed on a fit host, and what it must say then. */
/** With that file, and what dockerd says of it. */
const daemonJson = (text: string | { readonly denied: true }, reply: Reply = { stdout: 'configuration OK\n' }) =>
	changed(ubuntu, {
		files: { '/etc/docker/daemon.json': text },
		commands: {
			'systemctl cat docker.service': {
				stdout:
					'# /usr/lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n',
			},
			'dockerd --validate --config-file /etc/docker/daemon.json --host=fd:// --containerd=/run/containerd/containerd.sock':
				reply,
		},
	});

const misfits: readonly (readonly [string, Severity, string, ScriptedHost, Partial<JudgeContext>?])[] = [
	[
		'platform.linux',
		'block',
		'on macOS',
		changed(ubuntu, { commands: { 'uname -srm': { stdout: 'Darwin 25.1.0 arm64\n' } } }),
	],
	[
		'platform.linux',
		'could-not-tell',
		'without uname',
		changed(ubuntu, { commands: { 'uname -srm': { problem: 'missing' } } }),
	],
	['distro.supported', 'info', 'on Debian 13', debian],
	['distro.supported', 'block', 'on CentOS', centos],
	['distro.supported', 'warn', 'on CentOS with a Sysbox of its own', withSysbox(centos, '0.7.1')],
	[
		'distro.supported',
		'warn',
		'on a relative of Ubuntu',
		changed(ubuntu, osRelease('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n')),
	],
	['distro.supported', 'block', 'on a distribution nobody knows', changed(ubuntu, osRelease('ID=slackware\n'))],
	['distro.supported', 'block', 'on Red Hat', changed(ubuntu, osRelease('ID=rhel\nVERSION_ID="9.4"\n'))],
	[
		'distro.supported',
		'could-not-tell',
		'without os-release',
		changed(ubuntu, { files: { '/etc/os-release': undefined } }),
	],
	['arch.supported', 'block', 'on 32-bit ARM', packages(ubuntu, t => t.replace(/(dpkg\t\S+\t)amd64/, '$1armhf'))],
	['arch.supported', 'block', 'on s390x without dpkg', kernel(centos, '5.14.0', 's390x')],
	['kernel.floor', 'block', 'with an Ubuntu kernel below its minimum', kernel(ubuntu, '5.15.0-161-generic')],
	['kernel.floor', 'block', 'with an old Debian kernel', kernel(debian, '5.4.0-1-amd64')],
	[
		'kernel.floor',
		'block',
		'with an old kernel of an unknown distribution',
		kernel(changed(ubuntu, osRelease('ID=linuxmint\nID_LIKE=ubuntu\n')), '4.19.0'),
	],
	[
		'kernel.floor',
		'could-not-tell',
		'without a readable release',
		changed(ubuntu, { files: { '/proc/sys/kernel/osrelease': 'what\n' } }),
	],
	['kernel.band', 'block', 'with a kernel that Sysbox refuses', kernel(debian, '5.4.0-1-amd64')],
	['kernel.band', 'warn', 'with a kernel that cannot map mounts', kernel(debian, '5.10.0-36-amd64')],
	['kernel.band', 'warn', 'with a kernel that cannot map images', kernel(debian, '5.15.0')],
	[
		'kernel.band',
		'warn',
		'with the old kernel that Ubuntu 20.04 is supported with',
		kernel(changed(ubuntu, osRelease('ID=ubuntu\nVERSION_ID="20.04"\n')), '5.4.0-216-generic'),
	],
	[
		'kernel.user-namespaces',
		'block',
		'without user namespaces',
		changed(ubuntu, { directories: ubuntu.directories.filter(f => !f.includes('/ns/')) }),
	],
	[
		'kernel.fuse',
		'warn',
		'without FUSE',
		changed(ubuntu, {
			directories: ubuntu.directories.filter(f => f !== '/dev/fuse'),
			files: { '/proc/filesystems': 'nodev\tproc\nnodev\toverlay\n' },
		}),
	],
	['kernel.overlay', 'warn', 'without overlayfs', changed(ubuntu, { files: { '/proc/filesystems': 'nodev\tproc\n' } })],
	[
		'kernel.overlay',
		'could-not-tell',
		'without /proc/filesystems',
		changed(ubuntu, { files: { '/proc/filesystems': undefined } }),
	],
	[
		'kernel.modules',
		'info',
		'without modules',
		changed(ubuntu, { directories: ubuntu.directories.filter(f => !f.startsWith('/lib/modules')) }),
	],
	['kernel.modules', 'warn', 'with a kernel without any', changed(ubuntu, { files: { '/proc/modules': undefined } })],
	[
		'kernel.headers',
		'info',
		'without headers',
		changed(ubuntu, { directories: ubuntu.directories.filter(f => !f.startsWith('/usr/src')) }),
	],
	[
		'kernel.br-netfilter',
		'info',
		'without br_netfilter',
		changed(ubuntu, { files: { '/proc/sys/net/bridge/bridge-nf-call-iptables': undefined } }),
	],
	[
		'kernel.reboot-pending',
		'warn',
		'after a kernel was installed',
		changed(ubuntu, { files: { '/run/reboot-required': '*** System restart required ***\n' } }),
	],
	['userns.max', 'block', 'with namespaces forbidden', hardened],
	[
		'userns.max',
		'could-not-tell',
		'where it cannot be read',
		changed(ubuntu, { files: { '/proc/sys/user/max_user_namespaces': { denied: true } } }),
	],
	['userns.unprivileged-clone', 'block', 'with the switch off', hardened],
	['userns.apparmor', 'info', 'on Ubuntu 24.04', ubuntu],
	['userns.boot', 'warn', 'with a file that forbids them at boot', hardened],
	['limits.kernel', 'info', 'with the limits of a fresh host', ubuntu],
	[
		'cgroup.version',
		'warn',
		'with version 1',
		changed(ubuntu, {
			files: {
				'/proc/self/mountinfo':
					'28 1 252:1 / / rw - ext4 /dev/vda1 rw\n30 28 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
			},
		}),
	],
	[
		'cgroup.version',
		'block',
		'with none',
		changed(ubuntu, { files: { '/proc/self/mountinfo': '28 1 252:1 / / rw - ext4 /dev/vda1 rw\n' } }),
	],
	[
		'cgroup.version',
		'could-not-tell',
		'without mountinfo',
		changed(ubuntu, { files: { '/proc/self/mountinfo': undefined } }),
	],
	[
		'cgroup.controllers',
		'warn',
		'without the cpu controller',
		changed(ubuntu, { files: { '/sys/fs/cgroup/cgroup.controllers': 'memory pids\n' } }),
	],
	['cgroup.controllers', 'warn', 'where Docker cannot limit memory', docker(ubuntu, { MemoryLimit: false })],
	[
		'init.systemd',
		'block',
		'without systemd',
		changed(ubuntu, { directories: ubuntu.directories.filter(f => f !== '/run/systemd/system') }),
	],
	['systemd.state', 'info', 'with failed units', centos],
	[
		'systemd.state',
		'warn',
		'while it starts',
		manager(ubuntu, 'Version=255\nVirtualization=kvm\nSystemState=starting\n'),
	],
	[
		'systemd.state',
		'could-not-tell',
		'without systemctl',
		changed(ubuntu, {
			commands: { 'systemctl show -p Version -p SystemState -p Virtualization': { problem: 'missing' } },
		}),
	],
	['docker.unit', 'warn', 'when Docker runs by hand', unitActive(ubuntu, 'docker.service', 'inactive', 'not-found')],
	['docker.unit', 'warn', 'when its unit is masked', unitActive(ubuntu, 'docker.service', 'inactive', 'masked')],
	['docker.unit', 'warn', 'when its unit has failed', unitActive(ubuntu, 'docker.service', 'failed')],
	[
		'docker.unit',
		'info',
		'when it does not start at boot',
		unitActive(ubuntu, 'docker.service', 'active', 'loaded', 'disabled'),
	],
	[
		'virt.container',
		'warn',
		'in a container',
		changed(manager(ubuntu, 'Version=257\nVirtualization=docker\nSystemState=running\n'), {
			files: { '/run/systemd/container': 'docker\n' },
		}),
	],
	[
		'virt.container',
		'warn',
		'in an LXC container',
		manager(ubuntu, 'Version=257\nVirtualization=lxc\nSystemState=running\n'),
	],
	['wsl', 'warn', 'on WSL', kernel(ubuntu, '6.6.87.2-microsoft-standard-WSL2')],
	['config.managed', 'warn', 'under Puppet', unitActive(ubuntu, 'puppet.service')],
	['updates.unattended', 'info', 'with unattended upgrades', ubuntu],
	['docker.cli', 'block', 'without docker', dockerAnswers(ubuntu, { problem: 'missing' })],
	[
		'docker.daemon',
		'block',
		'with the daemon down',
		dockerAnswers(ubuntu, {
			code: 1,
			stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
		}),
	],
	['docker.daemon', 'block', 'with a daemon that hangs', dockerAnswers(ubuntu, { problem: 'timeout' })],
	['docker.daemon', 'block', 'with a daemon that talks nonsense', dockerAnswers(ubuntu, { stdout: '<html>' })],
	[
		'docker.daemon',
		'block',
		'with a client that is too old',
		dockerAnswers(ubuntu, {
			code: 1,
			stderr: 'Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44',
		}),
	],
	[
		'docker.daemon',
		'could-not-tell',
		'for a user outside of its group',
		dockerAnswers(ubuntu, {
			code: 1,
			stderr:
				'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied',
		}),
	],
	['docker.native', 'block', 'with Docker Desktop', docker(ubuntu, { OperatingSystem: 'Docker Desktop' })],
	[
		'docker.snap',
		'block',
		'with a snap of Docker',
		changed(ubuntu, { programs: [...ubuntu.programs.filter(p => p !== '/usr/bin/docker'), '/snap/bin/docker'] }),
	],
	['docker.snap', 'block', "with a snap's daemon", unitActive(ubuntu, 'snap.docker.dockerd.service')],
	[
		'docker.rootless',
		'block',
		'with rootless Docker',
		docker(ubuntu, { SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless', 'name=cgroupns'] }),
	],
	[
		'docker.podman',
		'block',
		'with podman-docker',
		changed(ubuntu, {
			commands: {
				'docker version --format {{json .}}': {
					stdout: '{"Client":{"APIVersion":"4.9.3","Version":"4.9.3","OsArch":"linux/amd64","Os":"linux"}}',
				},
				'docker info --format {{json .}}': {
					stdout: '{"host":{"arch":"amd64"},"store":{},"version":{"Version":"4.9.3"}}',
					stderr: 'Emulate Docker CLI using podman.',
				},
			},
		}),
	],
	[
		'docker.remote-context',
		'block',
		'with DOCKER_HOST elsewhere',
		changed(ubuntu, {
			commands: {
				'docker context inspect': {
					stdout: '[{"Name":"default","Endpoints":{"docker":{"Host":"tcp://10.0.0.5:2376"}}}]',
				},
			},
		}),
	],
	[
		'docker.remote-context',
		'block',
		"with a user's socket",
		changed(ubuntu, {
			commands: {
				'docker context inspect': {
					stdout: '[{"Name":"rootless","Endpoints":{"docker":{"Host":"unix:///run/user/1000/docker.sock"}}}]',
				},
			},
		}),
	],
	[
		'docker.remote-context',
		'warn',
		'with a socket somewhere else',
		changed(ubuntu, {
			commands: {
				'docker context inspect': {
					stdout: '[{"Name":"x","Endpoints":{"docker":{"Host":"unix:///srv/docker.sock"}}}]',
				},
			},
		}),
	],
	[
		'docker.same-host',
		'block',
		'when the daemon has another kernel',
		docker(ubuntu, { KernelVersion: '6.6.12-linuxkit' }),
	],
	['docker.version', 'could-not-tell', 'with a version that is none', docker(ubuntu, { ServerVersion: 'dev' })],
	[
		'docker.live-restore-swarm',
		'warn',
		'with both',
		docker(ubuntu, { LiveRestoreEnabled: true, Swarm: { LocalNodeState: 'active' } }),
	],
	['docker.live-restore-swarm', 'info', 'with live-restore', docker(ubuntu, { LiveRestoreEnabled: true })],
	['docker.live-restore-swarm', 'info', 'with swarm', docker(ubuntu, { Swarm: { LocalNodeState: 'active' } })],
	['docker.userns-remap', 'warn', 'with userns-remap', docker(ubuntu, { SecurityOptions: ['name=userns'] })],
	['docker.cgroup-driver', 'warn', 'without a cgroup driver', docker(ubuntu, { CgroupDriver: 'none' })],
	[
		'docker.tcp-open',
		'warn',
		'with an open API',
		docker(ubuntu, {
			Warnings: [
				'WARNING: API is accessible on http://0.0.0.0:2375 without encryption.\n         Access to the remote API is equivalent to root access on the host.',
			],
		}),
	],
	['docker.storage-driver', 'warn', 'with vfs', docker(ubuntu, { Driver: 'vfs' })],
	['docker.backing-filesystem', 'warn', 'on btrfs', mountRoot(ubuntu, 'btrfs')],
	['docker.data-root', 'info', 'elsewhere', docker(ubuntu, { DockerRootDir: '/srv/docker' })],
	['fs.var-lib-sysbox', 'block', 'on overlay', mountRoot(ubuntu, 'overlay')],
	['fs.var-lib-sysbox', 'warn', 'on zfs', mountRoot(ubuntu, 'zfs')],
	['disk.data-root', 'warn', 'when it gets narrow', changed(ubuntu, { free: { '/var/lib/docker': 8.1e9 } })],
	['disk.data-root', 'block', 'when it is full', changed(ubuntu, { free: { '/var/lib/docker': 1e8 } })],
	[
		'disk.var-lib-sysbox',
		'warn',
		'when it gets narrow',
		changed(ubuntu, { free: { '/var/lib': 3e9 }, directories: [...ubuntu.directories, '/var/lib'] }),
	],
	['disk.programs', 'block', 'when it is full', changed(ubuntu, { free: { '/usr/bin': 1e7 } })],
	[
		'memory',
		'warn',
		'with one gigabyte',
		changed(ubuntu, { files: { '/proc/meminfo': 'MemTotal:        1000000 kB\n' } }),
	],
	['memory', 'could-not-tell', 'without meminfo', changed(ubuntu, { files: { '/proc/meminfo': undefined } })],
	['etc.writable', 'block', 'on a read-only root', mountRoot(ubuntu, 'ext4', 'ro,relatime')],
	['var.writable', 'block', 'on a read-only root', mountRoot(ubuntu, 'ext4', 'ro,relatime')],
	['package-manager.apt', 'block', 'on CentOS', centos],
	['package-manager.apt', 'warn', 'on CentOS with a Sysbox of its own', withSysbox(centos, '0.7.1')],
	['dpkg.state', 'block', 'with a half-configured package', packages(ubuntu, t => `${t}nginx\t1.24.0-2\tamd64\tiF \n`)],
	[
		'dpkg.state',
		'info',
		'with a half-configured Sysbox',
		packages(ubuntu, t => `${t}sysbox-ce\t0.7.1.linux\tamd64\tiF \n`),
	],
	['dpkg.state', 'could-not-tell', 'when dpkg talks nonsense', packages(ubuntu, () => 'dpkg-query: error\n')],
	['apt.lists', 'info', 'without lists', changed(ubuntu, { names: {} })],
	['apt.lists', 'warn', 'without lists when something has to be installed', changed(hardened, { names: {} })],
	['fuse3.missing', 'block', 'without fusermount3', changed(ubuntu, { withoutPrograms: ['fusermount3'] })],
	['tool.rsync', 'block', 'without rsync', changed(ubuntu, { withoutPrograms: ['rsync'] })],
	['tool.iptables', 'block', 'without iptables', changed(ubuntu, { withoutPrograms: ['iptables'] })],
	['tool.modprobe', 'block', 'without modprobe', changed(ubuntu, { withoutPrograms: ['modprobe'] })],
	['tool.jq', 'warn', 'without jq', changed(ubuntu, { withoutPrograms: ['jq'] })],
	['tool.lsb-release', 'warn', 'without lsb_release', changed(ubuntu, { withoutPrograms: ['lsb_release'] })],
	['lsm.selinux', 'block', 'where it is enforced', centos],
	['lsm.selinux', 'info', 'where it is permissive', changed(centos, { files: { '/sys/fs/selinux/enforce': '0' } })],
	['apparmor.fusermount3', 'warn', 'on Ubuntu 25.04', hardened],
	[
		'apparmor.fusermount3',
		'info',
		'in complain mode',
		changed(hardened, { files: { '/sys/kernel/security/apparmor/profiles': 'fusermount3 (complain)\n' } }),
	],
	[
		'apparmor.fusermount3',
		'could-not-tell',
		'when the profile cannot be read',
		changed(hardened, { files: { '/etc/apparmor.d/fusermount3': { denied: true } } }),
	],
	['daemon-json.valid', 'block', 'with a comma too many', daemonJson('{ "debug": true, }\n')],
	['daemon-json.valid', 'could-not-tell', 'where only root may read it', daemonJson({ denied: true })],
	['daemon-json.valid', 'ok', 'without a file', ubuntu],
	[
		'daemon-json.accepted',
		'block',
		'with a key that dockerd does not know',
		daemonJson('{}', { code: 1, stderr: 'no' }),
	],
	['daemon-json.flags', 'block', 'with "hosts" beside the unit\'s -H', daemonJson('{\n  "hosts": ["fd://"]\n}')],
	['daemon-json.accepted', 'info', 'with a comma too many', daemonJson('{ "debug": true, }\n')],
	['daemon-json.accepted', 'ok', 'with a good file', daemonJson('{}')],
	['daemon-json.accepted', 'ok', 'without a file', ubuntu],
	['clock.sane', 'warn', 'with a clock of 2019', ubuntu, { now: new Date('2019-01-01T00:00:00Z') }],
	['knowledge.age', 'info', 'half a year later', ubuntu, { now: new Date('2027-06-01T00:00:00Z') }],
];

describe('a host that is not fit', () => {
	const cases = misfits.map(([id, severity, when, host, context]) => ({ id, severity, when, host, context }));

	it.each(cases)('$id says $severity $when', async ({ id, severity, host, context }) => {
		expect(await finding(host, id, contextOf({}, context))).toMatchObject({ severity });
	});

	it('has each check covered by such a host', () => {
		const covered = new Set(misfits.map(([id]) => id));
		expect(hostChecks.map(c => c.id).filter(id => !covered.has(id))).toEqual([]);
	});

	it('says how to go on wherever something blocks', async () => {
		for (const [id, severity, , host, context] of misfits) {
			if (severity === 'block') expect((await finding(host, id, contextOf({}, context))).remedy, id).toBeDefined();
		}
	});

	it('is no container because a file of Docker was left in its image', async () => {
		const left = changed(ubuntu, { files: { '/.dockerenv': '' } });
		expect(await finding(left, 'virt.container')).toMatchObject({ severity: 'ok' });
		const line = 'systemctl show -p Version -p SystemState -p Virtualization';
		const unknown = changed(left, {
			commands: { [line]: { code: 1, stderr: 'System has not been booted with systemd' } },
		});
		expect(await finding(unknown, 'virt.container')).toMatchObject({ severity: 'warn' });
	});

	it('never calls good what Docker was not there to tell', async () => {
		const findings = await findingsOf(dockerAnswers(ubuntu, { problem: 'timeout' }));
		const aboutDocker = findings.filter(f =>
			/^docker\.(native|rootless|same-host|version|userns|storage|data-root|live|cgroup|tcp|podman|remote)/.test(f.id),
		);
		expect(aboutDocker.length).toBeGreaterThan(10);
		expect(new Set(aboutDocker.map(f => f.severity))).toEqual(new Set(['could-not-tell']));
	});

	it('leaves open what only root could tell, and says so', async () => {
		const denied = { code: 1, stderr: 'permission denied while trying to connect to the Docker daemon socket' };
		const open = (await findingsOf(dockerAnswers(ubuntu, denied))).filter(f => f.severity === 'could-not-tell');
		expect(open.length).toBeGreaterThan(10);
		expect(open.filter(f => f.needsRoot !== true && !/^docker\.(podman|remote)/.test(f.id)).map(f => f.id)).toEqual([]);
	});

	it('keeps the resource row of the threat table open while limits cannot be enforced', async () => {
		const host = changed(ubuntu, { files: { '/sys/fs/cgroup/cgroup.controllers': '' } });
		expect(await finding(host, 'cgroup.controllers')).toMatchObject({
			threat: 'resource-abuse',
			summary: 'Limits of memory, cpu and pids cannot be enforced on this host',
		});
	});

	it('keeps the docker row of the threat table open while the API is', async () => {
		const host = docker(ubuntu, {
			Warnings: ['[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption.'],
		});
		expect(await finding(host, 'docker.tcp-open')).toMatchObject({
			threat: 'docker-compromise',
			summary: "Docker's API is open to everybody on http://0.0.0.0:2375",
		});
	});

	it('names the line that takes user namespaces away at the next boot', async () => {
		expect((await finding(hardened, 'userns.boot')).evidence).toBe(
			'/etc/sysctl.d/99-hardening.conf:3 sets user.max_user_namespaces = 0',
		);
	});
});

describe('what is said is true where it is said', () => {
	it('a kernel without loadable modules is not one that Sysbox works on', async () => {
		expect(await finding(changed(ubuntu, { files: { '/proc/modules': undefined } }), 'kernel.modules')).toMatchObject({
			summary: 'This kernel has no loadable modules, and the released sysbox-mgr does not start there',
			evidence: '/proc/modules is not there',
		});
	});

	it('a package that is missing for the architecture is no obstacle to a build from source', async () => {
		const riscv = packages(withSysbox(ubuntu, '0.7.1'), t => t.replaceAll('amd64', 'riscv64'));
		expect(await finding(riscv, 'arch.supported')).toMatchObject({ severity: 'warn' });
	});

	it('a newer kernel comes from Windows on WSL, and from outside in a container', async () => {
		expect((await finding(kernel(ubuntu, '5.4.72-microsoft-standard-WSL2'), 'kernel.band')).remedy?.text).toContain(
			'wsl --update',
		);
		const inside = manager(
			kernel(ubuntu, '5.4.0-200-generic'),
			'Version=255\nSystemState=running\nVirtualization=lxc\n',
		);
		expect((await finding(inside, 'kernel.band')).remedy?.text).toContain('the machine that this container runs on');
	});

	it('Docker that answers from elsewhere is not started a second time', async () => {
		expect(await finding(unitActive(ubuntu, 'docker.service', 'inactive'), 'docker.unit')).toMatchObject({
			summary: 'Docker answers, but the unit docker.service is inactive',
			remedy: { kind: 'advice' },
		});
		const down = dockerAnswers(ubuntu, { code: 1, stderr: 'Cannot connect to the Docker daemon' });
		expect((await finding(unitActive(down, 'docker.service', 'inactive'), 'docker.unit')).remedy).toMatchObject({
			commands: ['systemctl start docker'],
		});
	});

	it('a disabled unit behind an enabled socket is started by its first use', async () => {
		const disabled = unitActive(ubuntu, 'docker.service', 'active', 'loaded', 'disabled');
		expect((await finding(disabled, 'docker.unit')).summary).toBe(
			'Docker is started by its first use after a boot, not by the boot',
		);
		const without = unitActive(disabled, 'docker.socket', 'inactive', 'loaded', 'disabled');
		expect((await finding(without, 'docker.unit')).summary).toBe(
			'Docker runs, and will not be started at the next boot',
		);
	});

	it('a daemon that is down is started where and how it is run', async () => {
		const words = { code: 1, stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock' };
		const remedyOf = async (host: ScriptedHost) => (await finding(host, 'docker.daemon')).remedy;
		const line = 'docker info --format {{json .}}';
		expect(await remedyOf(changed(ubuntu, { commands: { [line]: words } }))).toMatchObject({
			commands: ['systemctl start docker', 'journalctl -u docker -n 50'],
		});
		const elsewhere = {
			stdout: JSON.stringify([{ Name: 'far', Endpoints: { docker: { Host: 'tcp://10.0.0.9:2376' } } }]),
		};
		expect(
			await remedyOf(changed(ubuntu, { commands: { [line]: words, 'docker context inspect': elsewhere } })),
		).toMatchObject({ kind: 'advice', text: expect.stringContaining('tcp://10.0.0.9:2376') });
		expect(
			await remedyOf(
				unitActive(changed(ubuntu, { commands: { [line]: words } }), 'docker.service', 'inactive', 'not-found'),
			),
		).toMatchObject({ kind: 'advice' });
	});

	it('limits are raised by a package only where one is to be installed', async () => {
		const low = (host: ScriptedHost) => changed(host, { files: { '/proc/sys/kernel/keys/maxkeys': '200\n' } });
		expect(await finding(low(ubuntu), 'limits.kernel')).toMatchObject({
			summary: expect.stringContaining('its package raises them when it is installed'),
		});
		const installed = await finding(low(sysboxPackage(ubuntu, '0.7.1')), 'limits.kernel');
		expect(installed.summary).not.toContain('package');
		expect(installed.remedy).toMatchObject({ commands: [expect.stringContaining('kernel.keys.maxkeys=20000')] });
	});

	it('a file that this run reads after is not one that the next boot goes by', async () => {
		const forbids = (name: string) =>
			changed(ubuntu, {
				files: {
					[`/etc/sysctl.d/${name}`]: 'user.max_user_namespaces = 0\n',
					'/proc/sys/user/max_user_namespaces': '0\n',
				},
			});
		expect((await finding(forbids('50-hardening.conf'), 'userns.boot')).remedy?.kind).toBe('planned');
		expect((await finding(forbids('99-hardening.conf'), 'userns.boot')).remedy?.kind).toBe('advice');
		expect(
			(await finding(forbids('50-hardening.conf'), 'userns.boot', contextOf({ 'host.sysctl': false }))).remedy?.kind,
		).toBe('advice');
	});
});

it('names no option that this tool does not have', async () => {
	const old = contextOf({}, { now: new Date('2027-06-01T00:00:00Z') });
	let help = '';
	const out = (text: string): void => {
		help += text;
	};
	parseArgs(['--help'], { version: '1', steps: [], proofs: [], out, err: out });
	for (const host of [ubuntu, debian, hardened, centos])
		for (const { id, remedy } of await findingsOf(host, old))
			for (const option of remedy?.text.match(/--[a-z-]+/g) ?? []) expect(help, `${id}: ${option}`).toContain(option);
});

describe('known issues', () => {
	const docker28 = docker(ubuntu, { ServerVersion: '28.5.1' });
	const docker29 = docker(ubuntu, { ServerVersion: '29.7.2' });
	const idsOf = async (host: ScriptedHost, answers: Answers = {}) =>
		(await findingsOf(host, contextOf(answers))).map(f => f.id.replace('sysbox.known-issues.', ''));
	const evidenceOf = async (host: ScriptedHost, answers: Answers = {}) =>
		(await findingsOf(host, contextOf(answers))).find(f => f.id.startsWith('sysbox.known-issues'))?.evidence;

	it('are those of the installed version, and name it', async () => {
		expect(await evidenceOf(sysboxPackage(docker28, '0.7.0'))).toContain('Sysbox 0.7.0 (installed), Docker 28.5.1');
		expect(await evidenceOf(sysboxPackage(docker28, '0.6.7'))).toContain('Sysbox 0.6.7 (installed)');
		// The next step tells those of the installed Sysbox: said here too, each would count twice.
		expect(await idsOf(sysboxPackage(docker28, '0.6.7'))).not.toContain('inner-docker-openat2');
		expect(await finding(sysboxPackage(docker28, '0.6.7'), 'sysbox.known-issues')).toMatchObject({
			severity: 'ok',
			summary: 'Nothing is known against the versions of Docker and the kernel; the step sysbox looks at Sysbox',
		});
	});

	it('are those of the newest known release where nothing is installed, or it is to take its place', async () => {
		expect(await evidenceOf(ubuntu)).toContain('Sysbox 0.7.1 (the newest known release)');
		expect(await evidenceOf(sysboxPackage(docker28, '0.7.0'), { 'sysbox.upgrade': true })).toContain(
			'Sysbox 0.7.1 (the newest known release)',
		);
		// What keeps it from working makes the upgrade the default.
		expect(await idsOf(sysboxPackage(docker29, '0.7.0'))).not.toContain('time-namespace');
		expect(await evidenceOf(sysboxPackage(docker29, '0.7.0'), { 'sysbox.upgrade': false })).toContain('(installed)');
		// It is no longer the default where the other remedy was taken, and whether that is in force is seen later.
		const off = changed(sysboxPackage(docker29, '0.7.0'), {
			files: { '/etc/docker/daemon.json': '{"features": {"time-namespaces": false}}' },
			commands: {
				'dockerd --validate --config-file /etc/docker/daemon.json --host=fd:// --containerd=/run/containerd/containerd.sock':
					{},
			},
		});
		expect(await evidenceOf(off)).toContain('(installed)');
		expect(await idsOf(off)).not.toContain('time-namespace');
	});

	it('are those of what stays where it cannot be replaced: a hold, a build from source', async () => {
		const yes = { 'sysbox.upgrade': true };
		expect(await evidenceOf(sysboxPackage(docker29, '0.7.0', 'hi '), yes)).toContain('Sysbox 0.7.0 (installed)');
		expect(await evidenceOf(withSysbox(docker29, '0.7.0'), yes)).toContain('Sysbox 0.7.0 (installed)');
		const mute = changed(withSysbox(ubuntu, '0.7.0'), {
			commands: { '/usr/bin/sysbox-runc --version': { code: 1, stderr: 'Segmentation fault' } },
		});
		expect(await evidenceOf(mute)).toContain('Sysbox ? (its version is not known)');
	});

	it('and the mount helper are judged for one and the same version', async () => {
		const older = { withoutPrograms: ['fusermount3'], programs: [...ubuntu.programs, '/usr/bin/fusermount'] };
		expect(await finding(changed(sysboxPackage(changed(docker28, older), '0.6.7'), {}), 'fuse3.missing')).toMatchObject(
			{
				severity: 'ok',
				summary: 'fusermount is there',
			},
		);
		expect(await finding(sysboxPackage(changed(docker28, older), '0.7.0'), 'fuse3.missing')).toMatchObject({
			severity: 'block',
			summary: 'Sysbox needs fusermount3; it is not installed',
		});
	});

	it('block where the newest known release does not work with this Docker', async () => {
		const context = contextOf(
			{},
			{ knowledge: { ...knowledge, releases: knowledge.releases.filter(r => r.version !== '0.7.1') } },
		);
		expect(await finding(ubuntu, 'sysbox.known-issues.time-namespace', context)).toMatchObject({ severity: 'block' });
		expect((await findingsOf(debian, context)).map(f => f.id)).not.toContain('sysbox.known-issues.time-namespace');
	});

	it('cannot be looked up while the version of Docker is not known', async () => {
		const none = contextOf({}, { knowledge: { ...knowledge, knownIssues: [] } });
		expect(await finding(dockerAnswers(ubuntu, { problem: 'timeout' }), 'sysbox.known-issues', none)).toMatchObject({
			severity: 'could-not-tell',
		});
		expect(await finding(ubuntu, 'sysbox.known-issues', none)).toMatchObject({ severity: 'ok' });
	});
});

describe('the plan', () => {
	it('installs what is missing with one command, and takes back exactly that', async () => {
		const [install, ...rest] = await planOf(changed(ubuntu, { withoutPrograms: ['rsync', 'jq'] }));
		expect(rest).toEqual([]);
		expect(argvOf(install)).toBe(
			'apt-get install -y -o DPkg::Lock::Timeout=300 --no-install-recommends --no-remove rsync jq',
		);
		expect(install?.risks).toBeUndefined();
		expect(install?.kind === 'exec' && install.undo).toMatchObject({
			kind: 'packages',
			changes: { installed: ['rsync', 'jq'], removed: [], replaced: [] },
		});
	});

	it('asks for a name to be accepted when fuse3 takes the place of fuse, and brings fuse back', async () => {
		const withFuse = packages(
			changed(ubuntu, { withoutPrograms: ['fusermount3'] }),
			t => `${t.replace(/fuse3.*\n/, '')}fuse\t2.9.9-5\tamd64\tii \n`,
		);
		const simulation = 'Remv fuse [2.9.9-5]\nInst libfuse3-3 (3.14.0 x)\nInst fuse3 (3.14.0 x)\n';
		const host = changed(withFuse, {
			commands: {
				'apt-get install --simulate --no-install-recommends fuse3': { stdout: simulation },
				'apt-mark showauto fuse': { stdout: 'fuse\n' },
			},
		});
		const [install] = await planOf(host);
		expect(argvOf(install)).toBe('apt-get install -y -o DPkg::Lock::Timeout=300 --no-install-recommends fuse3');
		expect(install?.risks).toEqual(['other-packages']);
		expect(install?.kind === 'exec' && install.undo).toMatchObject({
			changes: {
				installed: ['libfuse3-3', 'fuse3'],
				removed: [{ name: 'fuse', version: '2.9.9-5', auto: true }],
			},
		});
	});

	it('fetches the lists of packages first when apt has none', async () => {
		const actions = await planOf(changed(ubuntu, { withoutPrograms: ['rsync'], names: {} }));
		expect(actions.map(a => a.id)).toEqual(['refresh-lists', 'install-tools']);
	});

	it('lifts what forbids user namespaces, now and at every boot, under its own risk', async () => {
		const actions = (await planOf(hardened)).filter(a => a.id.startsWith('sysctl'));
		expect(actions.map(a => a.risks)).toEqual([['weaken-sysctl'], ['weaken-sysctl']]);
		expect(textOf(actions[0])).toContain('user.max_user_namespaces = 127245\nkernel.unprivileged_userns_clone = 1\n');
		expect(argvOf(actions[1])).toBe('sysctl -w user.max_user_namespaces=127245 kernel.unprivileged_userns_clone=1');
		expect(
			actions[1]?.kind === 'exec' && actions[1].undo.kind === 'commands' ? actions[1].undo.commands : [],
		).toMatchObject([
			{
				argv: ['sysctl', '-w', 'user.max_user_namespaces=0'],
				sets: { file: '/proc/sys/user/max_user_namespaces', before: '0', after: '127245' },
			},
			{ argv: ['sysctl', '-w', 'kernel.unprivileged_userns_clone=0'] },
		]);
	});

	it('keeps what its sysctl file says already, and only sets the values when the file is right', async () => {
		const path = '/etc/sysctl.d/60-sysbox-setup.conf';
		const [write] = (await planOf(changed(hardened, { files: { [path]: 'vm.swappiness = 10' } }))).filter(
			a => a.id === 'sysctl-file',
		);
		expect(textOf(write)).toMatch(/^vm\.swappiness = 10\n/);
		expect(write?.kind === 'write' ? write.expect.kind : '').toBe('sha256');
		const written = changed(hardened, {
			files: { [path]: 'user.max_user_namespaces = 127245\nkernel.unprivileged_userns_clone = 1\n' },
		});
		expect((await planOf(written)).filter(a => a.id.startsWith('sysctl')).map(a => a.id)).toEqual(['sysctl-now']);
	});

	it('adds the AppArmor rule to the local additions, and loads the profile again', async () => {
		const actions = (await planOf(hardened)).filter(a => a.id.startsWith('apparmor'));
		expect(actions.map(a => a.id)).toEqual(['apparmor-rule', 'apparmor-reload']);
		expect(actions.every(a => a.risks?.includes('weaken-apparmor'))).toBe(true);
		expect(textOf(actions[0])).toContain('umount /var/lib/sysboxfs/**/,');
		expect(argvOf(actions[1])).toBe('apparmor_parser -r /etc/apparmor.d/fusermount3');
		expect(actions[1]?.rollback?.map(a => a.kind)).toEqual(['restore']);
	});

	it('leaves the rule alone when it is there already, also behind other additions', async () => {
		const local = 'mount fstype=fuse -> /mnt/**/,\n# sysboxfs\n';
		const [write] = (await planOf(changed(hardened, { files: { '/etc/apparmor.d/local/fusermount3': local } }))).filter(
			a => a.id === 'apparmor-rule',
		);
		expect(textOf(write).startsWith(local)).toBe(true);
		const done = changed(hardened, { files: { '/etc/apparmor.d/local/fusermount3': textOf(write) } });
		expect((await planOf(done)).filter(a => a.id.startsWith('apparmor'))).toEqual([]);
		expect(await finding(done, 'apparmor.fusermount3')).toMatchObject({ severity: 'ok' });
	});

	it('loads the profile again when a run ended between writing the rule and loading it', async () => {
		const [write] = (await planOf(hardened)).filter(a => a.id === 'apparmor-rule');
		const done = changed(hardened, { files: { '/etc/apparmor.d/local/fusermount3': textOf(write) } });
		const interrupted: RunState = {
			...initialState,
			actions: [
				{
					step: 'host',
					id: 'apparmor-reload',
					seq: 9,
					at: '',
					title: '',
					kind: 'exec',
					does: '',
					undo: { kind: 'none', why: '' },
					outcome: 'intended',
					tail: [],
				},
			],
		};
		expect((await planOf(done, {}, interrupted)).filter(a => a.id.startsWith('apparmor')).map(a => a.id)).toEqual([
			'apparmor-reload',
		]);
	});

	it('is empty on a host where all of it was done', async () => {
		const [sysctlFile] = (await planOf(hardened)).filter(a => a.id === 'sysctl-file');
		const [rule] = (await planOf(hardened)).filter(a => a.id === 'apparmor-rule');
		const after = changed(
			packages(hardened, t => `${t}fuse3\t3.14.0\tamd64\tii \nrsync\t3.4.1\tamd64\tii \njq\t1.7.1\tamd64\tii \n`),
			{
				programs: [...hardened.programs, '/usr/bin/fusermount3', '/usr/bin/rsync', '/usr/bin/jq'],
				files: {
					'/proc/sys/user/max_user_namespaces': '127245\n',
					'/proc/sys/kernel/unprivileged_userns_clone': '1\n',
					'/etc/sysctl.d/60-sysbox-setup.conf': textOf(sysctlFile),
					'/etc/apparmor.d/local/fusermount3': textOf(rule),
				},
			},
		);
		expect(await planOf(after)).toEqual([]);
		expect((await findingsOf(after)).filter(f => f.severity === 'block')).toEqual([]);
	});

	it('is empty where nothing can be installed', async () => {
		expect(await planOf(centos)).toEqual([]);
	});

	it('is empty when everything was declined, and then the findings name the commands', async () => {
		const no = { 'host.install-tools': false, 'host.sysctl': false, 'host.apparmor-rule': false };
		expect(await planOf(hardened, no)).toEqual([]);
		for (const id of [
			'fuse3.missing',
			'tool.rsync',
			'userns.max',
			'userns.unprivileged-clone',
			'apparmor.fusermount3',
		]) {
			expect((await finding(hardened, id, contextOf(no))).remedy?.kind, id).toBe('commands');
			expect((await finding(hardened, id)).remedy?.kind, id).toBe('planned');
		}
	});
});

describe('the questions', () => {
	it('are those of the changes that this host needs, each with a default', async () => {
		const asked = step.ask?.({}, await factsOf(hardened), contextOf()) ?? [];
		expect(asked.map(q => q.id)).toEqual(['host.install-tools', 'host.sysctl', 'host.apparmor-rule']);
		expect(asked[0]?.title).toBe('Install fuse3, rsync and jq?');
		expect(asked.every(q => q.kind === 'confirm' && q.initial === true)).toBe(true);
	});

	it('are all known before the host is looked at, and all listed', () => {
		const asked = step.ask?.({}, undefined, contextOf()) ?? [];
		expect(asked.map(q => q.id)).toEqual(step.answerIds);
	});
});

describe('the commands', () => {
	it('ask about all containers at once', () => {
		expect(inspectCommand(['aa', 'bb'])).toEqual(['docker', 'inspect', 'aa', 'bb']);
	});
});
