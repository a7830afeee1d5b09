import { knownRuntime, prepareWithRuntime, unknownRuntime } from './container-runtime.ts';
import { runRecorded } from './recordings/index.ts';
import { hostScope } from './scope.ts';
import type { Container, ContainerOptions, Engine, Image } from './state.ts';
import {
	type Call,
	type Exit,
	journal,
	nextHex,
	nextNamespace,
	nextPid,
	noInput,
	spend,
	touch,
	type World,
} from './world.ts';

export const defaultOptions: ContainerOptions = {
	labels: {},
	env: [],
	mounts: [],
	privileged: false,
	capAdd: [],
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
	user: '',
	autoRemove: false,
	restart: 'no',
	devices: [],
	ports: [],
	stopSignal: '',
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

function randomName(world: World): string {
	const hex = nextHex(world, 8);
	const pick = (list: readonly string[], from: number) =>
		list[Number.parseInt(hex.slice(from, from + 4), 16) % list.length] ?? 'x';
	const name = `${pick(adjectives, 0)}_${pick(people, 4)}`;
	// A name that is taken gets a figure, as dockerd does it.
	const taken = world.state.docker.engine.containers.filter(c => c.name === name || c.name.startsWith(name)).length;
	return taken === 0 ? name : `${name}${taken}`;
}

export type Created =
	| { readonly kind: 'created'; readonly container: Container; readonly warnings: readonly string[] }
	| { readonly kind: 'refused'; readonly text: string };

export interface CreateRequest {
	readonly name?: string | undefined;
	readonly image: Image;
	readonly imageRef: string;
	readonly runtime?: string | undefined;
	readonly entrypoint?: readonly string[] | undefined;
	readonly command: readonly string[];
	readonly options: ContainerOptions;
}

/** `POST /containers/create`. */
export function createContainer(world: World, request: CreateRequest): Created {
	const { engine } = world.state.docker;
	const runtime = request.runtime ?? engine.config.defaultRuntime;
	const name = request.name ?? randomName(world);
	const options = structuredClone(request.options);
	const limited = limitsHere(world, options);
	const refused = refusalOf(engine, runtime, name, options) ?? limited.refused;
	if (refused !== undefined) return { kind: 'refused', text: refused };
	touch(world);
	const id = nextHex(world, 64);
	makeVolumes(world, request.image, options);
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
		processes: [],
		log: [],
	};
	engine.containers.push(container);
	spend(world, 40);
	return { kind: 'created', container, warnings: limited.warnings };
}

function refusalOf(engine: Engine, runtime: string, name: string, options: ContainerOptions): string | undefined {
	if (!knownRuntime(engine, runtime)) return unknownRuntime(engine, runtime);
	if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
		return `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;
	const taken = engine.containers.find(c => c.name === name);
	if (taken !== undefined)
		return `Conflict. The container name "/${name}" is already in use by container "${taken.id}". You have to remove (or rename) that container to be able to reuse that name.`;
	const { networkMode } = options;
	const known =
		/^(?:host|none|container:.*)$/.test(networkMode) ||
		engine.networks.some(n => n.name === networkMode || n.id.startsWith(networkMode));
	return known ? undefined : `network ${networkMode} not found`;
}

/** Docker drops a limit whose controller the kernel lacks, and refuses that of processors. */
function limitsHere({ state }: World, options: ContainerOptions): { refused?: string | undefined; warnings: string[] } {
	const lacks = (controller: string) => !state.machine.cgroupControllers.includes(controller);
	const warnings: string[] = [];
	if (options.nanoCpus > 0 && lacks('cpu'))
		return {
			refused:
				'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
			warnings,
		};
	if (options.memory > 0 && lacks('memory')) {
		warnings.push(
			'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
		);
		options.memory = 0;
	}
	if (options.pidsLimit > 0 && lacks('pids')) {
		warnings.push(
			'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
		);
		options.pidsLimit = 0;
	}
	return { warnings };
}

/** Volumes that its mounts name, those that its image asks for, and folders that -v makes. */
function makeVolumes(world: World, image: Image, options: ContainerOptions): void {
	const { engine } = world.state.docker;
	for (const target of image.volumes) {
		if (options.mounts.some(m => m.target === target)) continue;
		options.mounts.push({ type: 'volume', source: '', target, readOnly: false });
	}
	for (const mount of options.mounts) {
		if (mount.type === 'volume') {
			const anonymous = mount.source === '';
			if (anonymous) mount.source = nextHex(world, 64);
			if (!engine.volumes.some(v => v.name === mount.source))
				engine.volumes.push({ name: mount.source, labels: {}, createdAt: world.state.now, anonymous });
		} else if (mount.bind !== undefined && hostScope(world, 'root').view.get(mount.source) === undefined) {
			// Docker makes a missing folder of -v; --mount refuses.
			world.state.files[mount.source] = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
		}
	}
}

export type Started =
	| { readonly kind: 'running' | 'ended'; readonly exit: Exit }
	| { readonly kind: 'refused'; readonly text: string; readonly code: number };

/** Who waits for a command, and hears what it says. */
export type Attach = Omit<Call, 'argv'>;

/** The first process as the kernel sees it: the official images begin with a script that starts what it is given. */
function mainCommand(container: Container): readonly string[] {
	const argv = [...container.entrypoint, ...container.command];
	const [first, second] = argv;
	if (first === 'docker-entrypoint.sh') return argv.slice(1);
	if (first !== 'dockerd-entrypoint.sh') return argv;
	return second === undefined ? ['dockerd', '--host=unix:///var/run/docker.sock'] : argv.slice(1);
}

function runMain(world: World, container: Container, attach: Attach): Exit {
	const { engine } = world.state.docker;
	const argv = mainCommand(container);
	const image = imageOf(engine, container);
	if (image?.serves && container.entrypoint.join() === image.entrypoint.join()) return 'endless';
	if (argv[0] !== 'sleep') return runRecorded(world, engine, container, { ...attach, argv });
	if (argv[1] === 'infinity') return 'endless';
	spend(world, Number(argv[1]) * 1000);
	return 0;
}

/** Starts the first process. Attached (`docker run`), time passes until it ends; detached, it ends later by the clock. */
export function startContainer(world: World, container: Container, attach?: Attach): Started {
	const { engine } = world.state.docker;
	if (container.status === 'running') return { kind: 'running', exit: 0 };
	const prepared = prepareWithRuntime(world, container);
	if (prepared.kind === 'refused') return fails(container, prepared.text, prepared.code);
	touch(world);
	const { options } = container;
	container.isolation = prepared.isolation;
	container.orphaned = false;
	container.namespaces = namespacesFor(world, container);
	container.status = 'running';
	container.startedAt = world.state.now;
	container.oomKilled = false;
	container.error = '';
	container.stoppedByHand = false;
	for (const passing of ['endsAt', 'endsWith', 'finishing', 'engineUpAt'] as const) delete container[passing];
	container.pid = nextPid(world);
	container.ip =
		options.networkMode === 'host' || options.networkMode === 'none' ? '' : addressIn(engine, options.networkMode);
	const argv = [...container.entrypoint, ...container.command];
	container.processes = [{ hostPid: container.pid, argv, startedAt: world.state.now }];
	spend(world, 480);
	const log = (stream: 'stdout' | 'stderr') => (text: string) => {
		if (text !== '') container.log.push({ at: world.state.now, stream, text });
		if (stream === 'stdout') attach?.io.out(text);
		else attach?.io.err(text);
	};
	const started = world.state.now;
	const exit = runMain(world, container, {
		stdin: attach?.stdin ?? noInput,
		io: { out: log('stdout'), err: log('stderr') },
		timeoutMs: attach?.timeoutMs ?? Number.POSITIVE_INFINITY,
	});
	if (exit === 'endless') return { kind: 'running', exit };
	const took = world.state.now - started;
	if (attach !== undefined && took <= attach.timeoutMs) {
		finish(world, container, exit);
		return { kind: 'ended', exit };
	}
	// Nobody waits for a detached container, and who waited too long has gone: it ends when the clock says so.
	container.endsAt = world.state.now;
	container.endsWith = exit;
	world.state.now = started + (attach?.timeoutMs ?? 0);
	if (attach === undefined && took < 5) finish(world, container, exit);
	return { kind: 'running', exit: attach === undefined ? exit : 'endless' };
}

export const imageOf = (engine: Engine, container: Container): Image | undefined =>
	engine.images.find(i => i.id === container.imageId);

function fails(container: Container, text: string, code: number): Started {
	container.error = text;
	container.exitCode = code;
	return { kind: 'refused', text, code };
}

function namespacesFor(world: World, container: Container): Container['namespaces'] {
	const { engine } = world.state.docker;
	const outer = world.state.machine.namespaces;
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
}

/** The first process has ended: removal, or the restart policy. */
export function finish(
	world: World,
	container: Container,
	code: number,
	by: 'itself' | 'hand' | 'daemon' = 'itself',
): void {
	stopped(container, code, world.state.now);
	if (container.isolation === 'sysbox') {
		const pid = world.state.units['sysbox-mgr.service']?.mainPid ?? 0;
		const at = new Date(world.state.now).toISOString().slice(0, 19).replace('T', ' ');
		const text = `time="${at}" level=info msg="unregistered container ${container.id.slice(0, 12)}"`;
		journal(world, 'sysbox-mgr.service', 'sysbox-mgr', pid, text);
	}
	if (by === 'hand') container.stoppedByHand = true;
	if (container.options.autoRemove) {
		removeContainer(world.state.docker.engine, container);
		return;
	}
	const policy = container.options.restart.split(':')[0];
	const again = policy === 'always' || policy === 'unless-stopped' || (policy === 'on-failure' && code !== 0);
	if (by !== 'itself' || !again || container.restartCount > 20) return;
	container.restartCount += 1;
	startContainer(world, container);
}

/** Removes it and its anonymous volumes, as `rm -v` and `--rm` do. */
export function removeContainer(engine: Engine, container: Container, withVolumes = true): void {
	engine.containers = engine.containers.filter(c => c !== container);
	if (!withVolumes) return;
	const used = new Set(engine.containers.flatMap(c => c.options.mounts.map(m => m.source)));
	const own = new Set(container.options.mounts.map(m => m.source));
	engine.volumes = engine.volumes.filter(v => !(v.anonymous && own.has(v.name) && !used.has(v.name)));
}

/** Lets everything end whose time has come. */
export function settle(world: World): void {
	for (const container of [...world.state.docker.engine.containers])
		if (container.status === 'running' && container.endsAt !== undefined && container.endsAt <= world.state.now)
			finish(world, container, container.endsWith ?? 0);
}

/** Runs a program in a running container, as `docker exec` does. */
export function execIn(world: World, container: Container, argv: readonly string[], attach: Attach): Exit {
	const process = { hostPid: nextPid(world), argv: [...argv], startedAt: world.state.now };
	container.processes.push(process);
	spend(world, 70);
	const exit = runRecorded(world, world.state.docker.engine, container, { ...attach, argv });
	if (exit !== 'endless') container.processes = container.processes.filter(p => p !== process);
	return exit;
}
