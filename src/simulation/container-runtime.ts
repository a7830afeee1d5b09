import { resolve } from './file-tree.ts';
import { hostScope } from './scope.ts';
import type { Container, Engine } from './state.ts';
import { atLeast, journal, spend, type World } from './world.ts';

/** A refusal of the runtime, in the words that docker shows after `Error response from daemon: `. */
export interface Refusal {
	readonly text: string;
	readonly code: number;
}

export type Prepared =
	| { readonly kind: 'ready'; readonly isolation: 'sysbox' | 'runc' }
	| ({ readonly kind: 'refused' } & Refusal);

const task = 'failed to create task for container: failed to create shim task: ';
const ociCreate = (why: string): Prepared => ({
	kind: 'refused',
	code: 125,
	text: `${task}OCI runtime create failed: ${why}: unknown`,
});

/** Whether a runtime of the engine can be named; the words differ with the version (seen with Docker 26.1.5). */
export function knownRuntime(engine: Engine, name: string): boolean {
	return name === 'runc' || name === 'io.containerd.runc.v2' || engine.config.runtimes[name] !== undefined;
}

export function unknownRuntime(engine: Engine, name: string): string {
	return atLeast(engine.version, '23.0.0')
		? `unknown or invalid runtime name: ${name}`
		: `Unknown runtime specified ${name}`;
}

/** Asks the runtime to create this container: everything that Sysbox may have against it, in its own order and words. */
export function prepareWithRuntime(world: World, container: Container): Prepared {
	const { engine } = world.state.docker;
	const entry = engine.config.runtimes[container.runtime];
	if (entry === undefined) return { kind: 'ready', isolation: 'runc' };
	const binary = resolve(hostScope(world, 'root').view, entry.path);
	if (entry.path.startsWith('/') && binary.kind === 'problem') {
		return {
			kind: 'refused',
			code: 127,
			text: `${task}OCI runtime create failed: unable to retrieve OCI runtime error (open /run/containerd/io.containerd.runtime.v2.task/moby/${container.id}/log.json: no such file or directory): fork/exec ${entry.path}: no such file or directory: unknown`,
		};
	}
	if (!entry.path.endsWith('/sysbox-runc')) return { kind: 'ready', isolation: 'runc' };
	if (world.faults.fires('broken-runtime') !== undefined) {
		return ociCreate(
			'container_linux.go:439: starting container process caused: process_linux.go:608: container init caused: process_linux.go:579: handleReqOp caused: rootfs_init_linux.go:366: failed to mount /proc: operation not permitted caused: operation not permitted',
		);
	}
	if (world.faults.fires('lying-runtime') !== undefined) return { kind: 'ready', isolation: 'runc' };
	const refused = sysboxRefusal(world, engine, container);
	if (refused !== undefined) return refused;
	spend(world, 500);
	return { kind: 'ready', isolation: 'sysbox' };
}

const connection = (socket: string, why: string) =>
	`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/sysbox/${socket}: connect: ${why}"`;

/** Its own order: the host, the container's specification, its two daemons, and what sysbox-fs meets. */
function sysboxRefusal(world: World, engine: Engine, container: Container): Prepared | undefined {
	const { state } = world;
	// Docker from 29.5 on gives containers a time namespace; Sysbox before 0.7.1 does not know it (issues 1011, 1028).
	const strange = engine.config.timeNamespaces && !atLeast(state.sysbox.runc ?? '0.7.0', '0.7.1');
	const refused =
		hostRefusal(world) ??
		specRefusal(container) ??
		(strange ? ociCreate('namespace {"time" ""} does not exist') : undefined) ??
		daemonRefusal(world) ??
		mountRefusal(world, container);
	if (refused !== undefined) return refused;
	const pid = state.units['sysbox-mgr.service']?.mainPid ?? 0;
	const text = `time="${clock(world)}" level=info msg="registered new container ${container.id.slice(0, 12)}"`;
	journal(world, 'sysbox-mgr.service', 'sysbox-mgr', pid, text);
	return undefined;
}

function hostRefusal(world: World): Prepared | undefined {
	const { state } = world;
	const kernel = state.machine.kernel;
	const distro = /^ID=(\S+)/m.exec(textAt(world, '/etc/os-release'))?.[1] ?? 'linux';
	if (!atLeast(kernel, distro === 'ubuntu' ? '5.0.0' : '5.5.0'))
		return ociCreate(
			`kernel version check failed: ${distro} kernel release ${kernel} is not supported; need >= ${distro === 'ubuntu' ? '5.0' : '5.5'}`,
		);
	if (state.sysctls['kernel.unprivileged_userns_clone'] === '0') {
		return ociCreate(
			'host is not configured properly: kernel is not configured to allow unprivileged users to create namespaces: /proc/sys/kernel/unprivileged_userns_clone: want 1, have 0',
		);
	}
	if (state.sysctls['user.max_user_namespaces'] === '0') {
		return ociCreate(
			'host is not configured properly: kernel is not configured to allow unprivileged users to create namespaces: /proc/sys/user/max_user_namespaces: want >= 1, have 0',
		);
	}
	return undefined;
}

function specRefusal({ options }: Container): Prepared | undefined {
	const shared = [
		['pid', options.pidMode],
		['network', options.networkMode],
		['ipc', options.ipcMode],
		['uts', options.utsMode],
	].filter(([, mode]) => mode === 'host');
	if (shared.length > 0) {
		return ociCreate(
			`error in the container spec: invalid or unsupported container spec: sysbox containers can't share namespaces [${shared.map(([name]) => name).join(' ')}] with the host (because they use the linux user-namespace for isolation)`,
		);
	}
	const stray = options.env.find(
		e =>
			/^SYSBOX_/.test(e) &&
			!/^SYSBOX_(?:IGNORE_SYSFS_CHOWN|ALLOW_TRUSTED_XATTR|HONOR_CAPS|SYSCONT_MODE|SKIP_UID_SHIFT)=/.test(e),
	);
	if (stray !== undefined) {
		return ociCreate(
			`error in the container spec: invalid or unsupported container spec: invalid env var ${stray.split('=')[0]}; must be one of [SYSBOX_IGNORE_SYSFS_CHOWN SYSBOX_ALLOW_TRUSTED_XATTR SYSBOX_HONOR_CAPS SYSBOX_SYSCONT_MODE SYSBOX_SKIP_UID_SHIFT]`,
		);
	}
	return undefined;
}

function daemonRefusal(world: World): Prepared | undefined {
	const { state } = world;
	const running = (unit: string) => state.units[unit]?.active === 'active';
	const socketThere = (name: string) => state.files[`/run/sysbox/${name}`] !== undefined;
	if (!running('sysbox-mgr.service')) {
		return ociCreate(
			`failed to register with sysbox-mgr: failed to invoke Register via grpc: ${connection('sysmgr.sock', socketThere('sysmgr.sock') ? 'connection refused' : 'no such file or directory')}`,
		);
	}
	if (!running('sysbox-fs.service')) {
		return ociCreate(
			`failed to get config from sysbox-fs: failed to get sysbox-fs mountpoint: ${connection('sysfs.sock', socketThere('sysfs.sock') ? 'connection refused' : 'no such file or directory')}`,
		);
	}
	if (state.sysbox.hangs === 'mgr') {
		spend(world, 20_000);
		return ociCreate(
			'failed to register with sysbox-mgr: failed to invoke Register via grpc: rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: read unix @->/run/sysbox/sysmgr.sock: use of closed network connection"',
		);
	}
	if (state.sysbox.hangs === 'fs') {
		spend(world, 20_000);
		return ociCreate(
			'failed to get config from sysbox-fs: failed to get sysbox-fs mountpoint: rpc error: code = DeadlineExceeded desc = context deadline exceeded while waiting for connections to become ready',
		);
	}
	return undefined;
}

function mountRefusal(world: World, container: Container): Prepared | undefined {
	const { state } = world;
	const fsPid = state.units['sysbox-fs.service']?.mainPid ?? 0;
	const tell = (text: string) => journal(world, 'sysbox-fs.service', 'sysbox-fs', fsPid, text);
	const helper = atLeast(state.sysbox.runc ?? '0.7.0', '0.7.0') ? 'fusermount3' : 'fusermount';
	const host = hostScope(world, 'root');
	const preRegister =
		'failed to pre-register with sysbox-fs: failed to pre-register container with sysbox-fs: rpc error: code =';
	if (resolve(host.view, `/usr/bin/${helper}`).kind === 'problem') {
		tell(
			`time="${clock(world)}" level=error msg="fusermount: exec: \\"${helper}\\": executable file not found in $PATH"`,
		);
		spend(world, 20_000);
		return ociCreate(`${preRegister} DeadlineExceeded desc = context deadline exceeded`);
	}
	const profile = state.apparmorProfiles['fusermount3'];
	if (helper === 'fusermount3' && profile?.mode === 'enforce' && !profile.allowsSysboxfs) {
		// Words of issues 947 and 1005 (Ubuntu 25.04 and 26.04).
		tell(`${clock(world).replaceAll('-', '/')} mount helper error: fusermount3: mount failed: Permission denied`);
		tell(`time="${clock(world)}" level=error msg="fusermount: exit status 1"`);
		state.kernelLog.push({
			at: state.now,
			text: `audit: type=1400 audit(${(state.now / 1000).toFixed(3)}:211): apparmor="DENIED" operation="mount" class="mount" info="failed mntpnt match" error=-13 profile="fusermount3" name="/var/lib/sysboxfs/${container.id}/" pid=${fsPid} comm="fusermount3" fstype="fuse" srcname="sysboxfs" flags="rw, nosuid, nodev"`,
		});
		return ociCreate(`${preRegister} Internal desc = Initialization error for container-id`);
	}
	if (state.sysbox.deadMounts?.includes(container.id) === true)
		return ociCreate(`${preRegister} Internal desc = Initialization error for container-id ${container.id}`);
	return undefined;
}

const clock = (world: World): string => new Date(world.state.now).toISOString().slice(0, 19).replace('T', ' ');

function textAt(world: World, path: string): string {
	const found = resolve(hostScope(world, 'root').view, path);
	return found.kind === 'found' && found.node.kind === 'file' ? (found.node.text ?? '') : '';
}

/** Exec and restart in a container that outlived its Sysbox (seen with Sysbox 0.7.0); undefined when they work. */
export function execRefusal(world: World, container: Container): Refusal | undefined {
	if (container.isolation !== 'sysbox') return undefined;
	const up = world.state.units['sysbox-fs.service']?.active === 'active';
	if (!up) {
		return {
			code: 126,
			text: 'OCI runtime exec failed: exec failed: container_linux.go:439: starting container process caused: process_linux.go:185: processing seccomp fd caused: container_linux.go:2573: sending seccomp fd to sysbox-fs caused: Unable to establish connection with seccomp-tracer: dial unix /run/sysbox/sysfs-seccomp.sock: connect: connection refused: unknown',
		};
	}
	if (!container.orphaned) return undefined;
	return {
		code: 126,
		text: 'OCI runtime exec failed: exec failed: container_linux.go:439: starting container process caused: get handle to /proc/thread-self/fd: unsafe procfs detected: openat2 fsmount:fscontext:proc/thread-self/fd/: operation not permitted: unknown',
	};
}
