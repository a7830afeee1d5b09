import { knownRuntime, prepareWithRuntime, unknownRuntime } from './container-runtime.ts';
import { findProgram, runProgram } from './run-program.ts';
import { containerScope, imageOf } from './scope.ts';
import type { Container, ContainerOptions, Engine, Image } from './state.ts';
import {
	capture,
	type Exit,
	type Io,
	nextHex,
	nextNamespace,
	nextPid,
	noInput,
	type Scope,
	type Stdin,
	spend,
	touch,
} from './world.ts';

/** An engine and the machine that it runs on: the host, or a container. */
export interface Place {
	readonly machine: Scope;
	readonly engine: Engine;
}

export const defaultOptions: ContainerOptions = {
	labels: {},
	env: [],
	mounts: [],
	privileged: false,
	capAdd: [],
	capDrop: [],
	securityOpt: [],
	pidMode: '',
	networkMode: 'bridge',
	ipcMode: 'private',
	utsMode: '',
	usernsMode: '',
	cgroupnsMode: 'private',
	memory: 0,
	pidsLimit: 0,
	nanoCpus: 0,
	cpuShares: 0,
	user: '',
	workdir: '',
	hostname: '',
	readOnly: false,
	init: false,
	autoRemove: false,
	restart: 'no',
	devices: [],
	ports: [],
	ulimits: [],
	tty: false,
	interactive: false,
	stopSignal: '',
	extraHosts: [],
	networkAliases: [],
};

/** `alpine` → `alpine:latest`. */
export const withTag = (ref: string): string => (ref.includes('@') || /:[^/]+$/.test(ref) ? ref : `${ref}:latest`);

/** Names as the daemon compares them. */
const shortName = (ref: string): string => withTag(ref).replace(/^docker\.io\/(?:library\/)?/, '');

export function findImage(images: readonly Image[], ref: string): Image | undefined {
	const bare = ref.replace(/^sha256:/, '');
	if (/^[0-9a-f]{12,64}$/.test(bare)) {
		const byId = images.find(i => i.id.slice(7).startsWith(bare));
		if (byId !== undefined) return byId;
	}
	if (ref.includes('@')) {
		const [name = '', digest = ''] = ref.split('@');
		return images.find(i =>
			i.digests.some(
				d =>
					d.endsWith(`@${digest}`) &&
					shortName(d.split('@')[0] ?? '').replace(/:latest$/, '') ===
						shortName(name.replace(/:[^/:]+$/, '')).replace(/:latest$/, ''),
			),
		);
	}
	return images.find(i => i.tags.some(tag => shortName(tag) === shortName(ref)));
}

export function findContainer(engine: Engine, ref: string): Container | undefined {
	return (
		engine.containers.find(c => c.id === ref || c.name === ref.replace(/^\//, '')) ??
		(/^[0-9a-f]{4,}$/.test(ref) ? engine.containers.find(c => c.id.startsWith(ref)) : undefined)
	);
}

const adjectives = ['brave', 'calm', 'eager', 'focused', 'gallant', 'keen', 'lucid', 'quirky', 'sharp', 'vibrant'];
const people = ['banach', 'curie', 'euler', 'franklin', 'hopper', 'lamarr', 'noether', 'ritchie', 'shannon', 'turing'];

function randomName(place: Place): string {
	const hex = nextHex(place.machine.world, 8);
	const pick = (list: readonly string[], from: number) =>
		list[Number.parseInt(hex.slice(from, from + 4), 16) % list.length] ?? 'x';
	const name = `${pick(adjectives, 0)}_${pick(people, 4)}`;
	// A name that is taken gets a figure, as dockerd does it.
	const taken = place.engine.containers.filter(c => c.name === name || c.name.startsWith(name)).length;
	return taken === 0 ? name : `${name}${taken}`;
}

export type Created =
	| { readonly kind: 'created'; readonly container: Container; readonly warnings: readonly string[] }
	| { readonly kind: 'refused'; readonly text: string };

export interface CreateRequest {
	readonly name?: string;
	readonly image: Image;
	readonly imageRef: string;
	readonly runtime?: string;
	readonly entrypoint?: readonly string[];
	readonly command: readonly string[];
	readonly options: ContainerOptions;
}

/** `POST /containers/create`. */
export function createContainer(place: Place, request: CreateRequest): Created {
	const { engine, machine } = place;
	const { world } = machine;
	const { machine: hardware } = world.state;
	const runtime = request.runtime ?? engine.config.defaultRuntime;
	if (!knownRuntime(engine, runtime)) return { kind: 'refused', text: unknownRuntime(engine, runtime) };
	const name = request.name ?? randomName(place);
	if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
		return { kind: 'refused', text: `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed` };
	const taken = engine.containers.find(c => c.name === name);
	if (taken !== undefined)
		return {
			kind: 'refused',
			text: `Conflict. The container name "/${name}" is already in use by container "${taken.id}". You have to remove (or rename) that container to be able to reuse that name.`,
		};
	const options = structuredClone(request.options);
	const warnings: string[] = [];
	const lacks = (controller: string) => !hardware.cgroupControllers.includes(controller);
	if (options.nanoCpus > 0 && lacks('cpu'))
		return {
			kind: 'refused',
			text: 'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
		};
	if (options.memory > 0 && lacks('memory')) {
		warnings.push(
			'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
		);
		options.memory = 0;
	}
	if (options.memory > 0 && options.memory < 6 * 1024 * 1024)
		return { kind: 'refused', text: 'Minimum memory limit allowed is 6MB' };
	if (options.pidsLimit > 0 && lacks('pids')) {
		warnings.push(
			'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
		);
		options.pidsLimit = 0;
	}
	if (
		options.networkMode !== 'host' &&
		options.networkMode !== 'none' &&
		!/^container:/.test(options.networkMode) &&
		!engine.networks.some(n => n.name === options.networkMode || n.id.startsWith(options.networkMode))
	) {
		return { kind: 'refused', text: `network ${options.networkMode} not found` };
	}
	touch(world);
	const id = nextHex(world, 64);
	for (const mount of options.mounts) {
		if (mount.type === 'volume') {
			if (mount.source === '') mount.source = nextHex(world, 64);
			if (!engine.volumes.some(v => v.name === mount.source))
				engine.volumes.push({
					name: mount.source,
					labels: {},
					createdAt: world.state.now,
					anonymous: /^[0-9a-f]{64}$/.test(mount.source),
					files: {},
				});
		} else if (
			mount.type === 'bind' &&
			mount.bind !== undefined &&
			machine.view.get(mount.source) === undefined &&
			machine.inside === undefined
		) {
			// Docker makes a missing folder of -v; --mount refuses.
			world.state.files[mount.source] = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
		}
	}
	for (const target of request.image.volumes) {
		if (options.mounts.some(m => m.target === target)) continue;
		const volume = nextHex(world, 64);
		engine.volumes.push({ name: volume, labels: {}, createdAt: world.state.now, anonymous: true, files: {} });
		options.mounts.push({ type: 'volume', source: volume, target, readOnly: false });
	}
	const container: Container = {
		id,
		name,
		imageRef: request.imageRef,
		imageId: request.image.id,
		entrypoint: [...(request.entrypoint ?? request.image.entrypoint)],
		command: [
			...(request.command.length > 0 || request.entrypoint !== undefined ? request.command : request.image.command),
		],
		createdAt: world.state.now,
		status: 'created',
		startedAt: 0,
		finishedAt: 0,
		exitCode: 0,
		oomKilled: false,
		error: '',
		restartCount: 0,
		stoppedByHand: false,
		pid: 0,
		runtime,
		isolation: 'runc',
		orphaned: false,
		namespaces: { ...world.state.machine.namespaces },
		options,
		ip: '',
		hostname: options.hostname || (options.utsMode === 'host' ? hardware.hostname : id.slice(0, 12)),
		files: {},
		removed: [],
		sysctls: {},
		innerMounts: [],
		unmounted: [],
		remounted: {},
		processes: [],
		log: [],
		throttledPeriods: 0,
	};
	engine.containers.push(container);
	spend(world, 40);
	return { kind: 'created', container, warnings };
}

export type Started =
	| { readonly kind: 'running' | 'ended'; readonly exit: Exit }
	| { readonly kind: 'refused'; readonly text: string; readonly code: number };

export interface Attach {
	readonly io: Io;
	readonly stdin: Stdin;
	readonly timeoutMs: number;
}

/**
 * Starts the first process. Attached (`docker run`), time passes until it ends; detached, it ends later by the clock.
 */
export function startContainer(place: Place, container: Container, attach?: Attach): Started {
	const { machine, engine } = place;
	const { world } = machine;
	if (container.status === 'running') return { kind: 'running', exit: 0 };
	const prepared = prepareWithRuntime(machine, engine, container);
	if (prepared.kind === 'refused') return fails(container, prepared.text, prepared.code);
	touch(world);
	const { options } = container;
	container.isolation = prepared.isolation;
	container.orphaned = false;
	container.namespaces = namespacesFor(place, container);
	container.status = 'running';
	container.startedAt = world.state.now;
	container.oomKilled = false;
	container.error = '';
	container.stoppedByHand = false;
	container.innerMounts = [];
	container.unmounted = [];
	container.remounted = {};
	delete container.endsAt;
	delete container.endsWith;
	delete container.finishing;
	container.pid = nextPid(world);
	container.ip =
		options.networkMode === 'host' || options.networkMode === 'none' ? '' : addressIn(engine, options.networkMode);
	const argv = [...container.entrypoint, ...container.command];
	container.processes = [
		{
			pid: 1,
			hostPid: container.pid,
			argv: options.init ? ['/sbin/docker-init', '--', ...argv] : argv,
			startedAt: world.state.now,
		},
	];
	spend(world, 480);
	const scope = containerScope(machine, engine, container, { pid: 1 });
	if (
		options.user !== '' &&
		!/^\d/.test(options.user) &&
		options.user.split(':')[0] !== 'root' &&
		!knowsUser(scope, options.user)
	) {
		stopped(container, 0, world.state.now);
		return fails(
			container,
			`unable to find user ${options.user.split(':')[0]}: no matching entries in passwd file`,
			125,
		);
	}
	const program = findProgram(scope, argv[0] ?? '');
	if (program === undefined || program.denied) {
		stopped(container, program === undefined ? 127 : 126, world.state.now);
		const why =
			program !== undefined
				? 'permission denied'
				: (argv[0] ?? '').includes('/')
					? 'no such file or directory'
					: 'executable file not found in $PATH';
		const where = (argv[0] ?? '').includes('/')
			? `exec: "${argv[0]}": stat ${argv[0]}: ${why}`
			: `exec: "${argv[0]}": ${why}`;
		const text =
			container.isolation === 'sysbox'
				? `failed to create task for container: failed to create shim task: OCI runtime create failed: container_linux.go:439: starting container process caused: ${where}: unknown`
				: `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${where}: unknown`;
		return fails(container, text, program === undefined ? 127 : 126);
	}
	const log = (stream: 'stdout' | 'stderr') => (text: string) => {
		container.log.push({ at: world.state.now, stream, text });
		if (stream === 'stdout') attach?.io.out(text);
		else attach?.io.err(text);
	};
	const started = world.state.now;
	const exit =
		runProgram(scope, {
			argv,
			stdin: attach?.stdin ?? noInput,
			io: { out: log('stdout'), err: log('stderr') },
			timeoutMs: attach?.timeoutMs ?? Number.POSITIVE_INFINITY,
		}) ?? 127;
	if (attach !== undefined) {
		if (exit === 'endless') return { kind: 'running', exit };
		if (world.state.now - started > attach.timeoutMs) {
			// Whoever waited has gone; the container goes on without it.
			container.endsAt = world.state.now;
			container.endsWith = exit;
			world.state.now = started + attach.timeoutMs;
			return { kind: 'running', exit: 'endless' };
		}
		finish(place, container, exit);
		return { kind: 'ended', exit };
	}
	if (exit !== 'endless') {
		const endsAt = world.state.now;
		// Nobody waits for a detached container: it ends when the clock says so.
		world.state.now = started;
		if (endsAt - started < 5) finish(place, container, exit);
		else {
			container.endsAt = endsAt;
			container.endsWith = exit;
		}
	}
	return { kind: 'running', exit };
}

function knowsUser(scope: Scope, user: string): boolean {
	const passwd = scope.view.get('/etc/passwd');
	const flavour =
		scope.inside === undefined ? undefined : imageOf(scope.inside.engine, scope.inside.container)?.flavour;
	return (
		flavour !== 'busybox' &&
		passwd?.kind === 'file' &&
		(passwd.text ?? '').split('\n').some(line => line.startsWith(`${user.split(':')[0]}:`))
	);
}

function fails(container: Container, text: string, code: number): Started {
	container.error = text;
	container.exitCode = code;
	return { kind: 'refused', text, code };
}

function namespacesFor(place: Place, container: Container): Container['namespaces'] {
	const { machine, engine } = place;
	const { world } = machine;
	const outer = machine.inside?.container.namespaces ?? world.state.machine.namespaces;
	const { options } = container;
	const fresh = () => nextNamespace(world);
	const own = (mode: string, of: number) => (mode === 'host' ? of : fresh());
	return {
		user: container.isolation === 'sysbox' ? fresh() : outer.user,
		mnt: fresh(),
		pid: own(options.pidMode, outer.pid),
		net: own(options.networkMode, outer.net),
		uts: own(options.utsMode, outer.uts),
		ipc: own(options.ipcMode, outer.ipc),
		// --cgroupns=host is taken and has no effect under Sysbox (seen with 0.7.0).
		cgroup: container.isolation === 'runc' ? own(options.cgroupnsMode, outer.cgroup) : fresh(),
		time: engine.config.timeNamespaces ? fresh() : outer.time,
	};
}

function addressIn(engine: Engine, name: string): string {
	const network = engine.networks.find(n => n.name === name || n.id.startsWith(name)) ?? engine.networks[0];
	engine.nextAddress += 1;
	return (network?.gateway ?? '172.17.0.1').replace(/\d+$/, String((engine.nextAddress % 250) + 2));
}

function stopped(container: Container, code: number, now: number): void {
	container.status = 'exited';
	container.exitCode = code;
	container.finishedAt = now;
	container.pid = 0;
	container.processes = [];
	container.ip = '';
	delete container.endsAt;
	delete container.endsWith;
	if (container.engine === undefined) return;
	container.engine.up = false;
	for (const inner of container.engine.containers) if (inner.status === 'running') stopped(inner, 137, now);
}

/** The first process has ended: removal, or the restart policy. */
export function finish(
	place: Place,
	container: Container,
	code: number,
	by: 'itself' | 'hand' | 'daemon' = 'itself',
): void {
	const { world } = place.machine;
	stopped(container, code, world.state.now);
	if (container.isolation === 'sysbox') {
		world.state.journal.push({
			at: world.state.now,
			unit: 'sysbox-mgr.service',
			who: 'sysbox-mgr',
			pid: world.state.units['sysbox-mgr.service']?.mainPid ?? 0,
			text: `time="${new Date(world.state.now).toISOString().slice(0, 19).replace('T', ' ')}" level=info msg="unregistered container ${container.id.slice(0, 12)}"`,
		});
	}
	if (by === 'hand') container.stoppedByHand = true;
	if (container.options.autoRemove) {
		removeContainer(place.engine, container);
		return;
	}
	const policy = container.options.restart.split(':')[0];
	if (
		by !== 'itself' ||
		!(policy === 'always' || policy === 'unless-stopped' || (policy === 'on-failure' && code !== 0))
	)
		return;
	if (container.restartCount > 20) return;
	container.restartCount += 1;
	startContainer(place, container);
}

/** Removes it and its anonymous volumes, as `rm -v` and `--rm` do. */
export function removeContainer(engine: Engine, container: Container, withVolumes = true): void {
	engine.containers = engine.containers.filter(c => c !== container);
	if (!withVolumes) return;
	const used = new Set(engine.containers.flatMap(c => c.options.mounts.map(m => m.source)));
	const own = new Set(container.options.mounts.map(m => m.source));
	engine.volumes = engine.volumes.filter(v => !(v.anonymous && own.has(v.name) && !used.has(v.name)));
}

/** Lets everything end whose time has come, in this engine and in those inside it. */
export function settle(place: Place): void {
	const { world } = place.machine;
	for (const container of [...place.engine.containers]) {
		if (container.status !== 'running') continue;
		container.processes = container.processes.filter(p => p.endsAt === undefined || p.endsAt > world.state.now);
		if (container.endsAt !== undefined && container.endsAt <= world.state.now) {
			finish(place, container, container.endsWith ?? 0);
			continue;
		}
		if (container.engine !== undefined) settle(innerPlace(place, container, container.engine));
	}
}

export function innerPlace(place: Place, container: Container, engine: Engine): Place {
	return { machine: containerScope(place.machine, place.engine, container), engine };
}

/** Runs a program in a running container, as `docker exec` does. */
export function execIn(
	place: Place,
	container: Container,
	argv: readonly string[],
	options: { user?: string; workdir?: string; env?: Record<string, string>; privileged?: boolean; detached?: boolean },
	attach: Attach,
): Exit | { readonly text: string; readonly code: number } {
	const { world } = place.machine;
	const pid = Math.max(1, ...container.processes.map(p => p.pid)) + 6;
	const scope = containerScope(place.machine, place.engine, container, {
		pid,
		...(options.user !== undefined && { user: options.user }),
		...(options.workdir !== undefined && { workdir: options.workdir }),
		...(options.env !== undefined && { env: options.env }),
		...(options.privileged && { privileged: true }),
	});
	spend(world, 70);
	const limit = container.options.pidsLimit;
	if (limit > 0 && container.processes.length >= limit) {
		return {
			code: 126,
			text: 'OCI runtime exec failed: exec failed: unable to start container process: error starting setns process: fork/exec /proc/self/exe: resource temporarily unavailable: unknown',
		};
	}
	if (findProgram(scope, argv[0] ?? '') === undefined) {
		const why = (argv[0] ?? '').includes('/')
			? `exec: "${argv[0]}": stat ${argv[0]}: no such file or directory`
			: `exec: "${argv[0]}": executable file not found in $PATH`;
		return {
			code: 127,
			text: `OCI runtime exec failed: exec failed: ${container.isolation === 'sysbox' ? 'container_linux.go:439: starting container process caused' : 'unable to start container process'}: ${why}: unknown`,
		};
	}
	const process = { pid, hostPid: nextPid(world), argv: [...argv], startedAt: world.state.now };
	container.processes.push(process);
	const started = world.state.now;
	const exit = runProgram(scope, { argv, stdin: attach.stdin, io: attach.io, timeoutMs: attach.timeoutMs }) ?? 127;
	if (options.detached && exit !== 0 ? exit === 'endless' : exit === 'endless') return exit;
	if (options.detached) {
		Object.assign(process, { endsAt: world.state.now });
		world.state.now = started;
		return exit;
	}
	container.processes = container.processes.filter(p => p !== process);
	return exit;
}

/** The output and exit of a program in a container, for a build step. */
export function outputOf(place: Place, container: Container, argv: readonly string[]): ReturnType<typeof capture> {
	return capture(io => {
		const exit = execIn(place, container, argv, {}, { io, stdin: noInput, timeoutMs: 600_000 });
		if (typeof exit === 'object') {
			io.err(`${exit.text}\n`);
			return exit.code;
		}
		return exit;
	});
}
