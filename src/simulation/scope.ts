import { confinementOf } from './confinement.ts';
import type { Errno } from './errno.ts';
import {
	absolute,
	allowed,
	fileNode,
	namesIn,
	nobody,
	type Resolved,
	resolve,
	resolveParent,
	rootUser,
	textOf,
	type View,
} from './file-tree.ts';
import { baseFiles } from './flavours.ts';
import { isEmulated, kernelTree, sysctlKey, sysctlValue } from './kernel-files.ts';
import { mountsIdMapped } from './mount-table.ts';
import type { Container, Engine, FileNode, FileTree, Image } from './state.ts';
import { type Scope, touch, type World } from './world.ts';

/** Where a path really is: in a tree of files, or made up by the kernel. */
type Located = { readOnly: boolean; unmapped: boolean } & (
	| { kind: 'tree'; tree: FileTree; key: string; base?: FileTree; removed?: string[] }
	| { kind: 'kernel'; scope: Scope; path: string }
);

const isKernelPath = (path: string): boolean =>
	/^\/(?:proc|sys|dev)(?:\/|$)/.test(path) && !/^\/dev\/(?:shm|mqueue)\//.test(path);

export function hostScope(world: World, as: 'tool' | 'root' = 'tool'): Scope {
	const { identity } = world.state;
	return withView({
		world,
		who: as === 'root' ? rootUser : { uid: identity.uid, gid: identity.gid, groups: identity.groups },
		userName: as === 'root' ? 'root' : identity.user,
		cwd: '/root',
		env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin', LC_ALL: 'C' },
		// A child of the tool's own process.
		pid: identity.pid + 1,
	});
}

export interface InsideOptions {
	readonly user?: string;
	readonly workdir?: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly privileged?: boolean;
	readonly pid?: number;
}

export function containerScope(
	parent: Scope,
	engine: Engine,
	container: Container,
	options: InsideOptions = {},
): Scope {
	const image = imageOf(engine, container);
	const user = options.user ?? (container.options.user || image?.user || '0');
	const uid = userNumber(user);
	const limited = container.isolation === 'sysbox' || !confinementOf(parent).initialUserNamespace;
	return withView({
		world: parent.world,
		who: { uid, gid: uid, groups: [uid], ...(limited && { limited: true as const }) },
		userName: uid === 0 ? 'root' : user,
		cwd: options.workdir ?? (container.options.workdir || image?.workdir || '/'),
		env: {
			...envOf(image?.env ?? []),
			HOSTNAME: container.hostname,
			HOME: uid === 0 ? '/root' : '/',
			...envOf(container.options.env),
			...options.env,
		},
		inside: { container, engine, parent },
		pid: options.pid ?? 1,
		...(options.privileged && { privileged: true }),
	});
}

/** The same place seen by another user, in another folder, with other variables. */
export function changedScope(
	scope: Scope,
	change: Partial<Pick<Scope, 'who' | 'userName' | 'cwd' | 'env' | 'pid' | 'privileged'>>,
): Scope {
	return withView({ ...scope, ...change });
}

function withView(parts: Omit<Scope, 'view'>): Scope {
	const scope: Scope = { ...parts, view: viewOf(() => scope) };
	return scope;
}

export const imageOf = (engine: Engine, container: Container): Image | undefined =>
	engine.images.find(i => i.id === container.imageId);

const userNumber = (user: string): number =>
	/^\d+/.test(user) ? Number.parseInt(user, 10) : user.startsWith('nobody') ? nobody : 0;

export const envOf = (pairs: readonly string[]): Record<string, string> =>
	Object.fromEntries(
		pairs.map(pair => [pair.split('=', 1)[0] ?? '', pair.includes('=') ? pair.slice(pair.indexOf('=') + 1) : '']),
	);

function viewOf(scope: () => Scope): View {
	let cached: { key: string; tree: FileTree } | undefined;
	const kernel = (of: Scope): FileTree => {
		if (of !== scope()) return kernelTree(of);
		const key = `${of.world.revision}:${of.world.state.now}`;
		if (cached?.key !== key) cached = { key, tree: kernelTree(of) };
		return cached.tree;
	};
	const get = (path: string): FileNode | undefined => {
		const at = locate(scope(), path);
		if (at.kind === 'kernel') return shown(kernel(at.scope)[at.path], at.unmapped) ?? kernelPlaceholder(scope(), path);
		if (at.removed?.some(gone => at.key === gone || at.key.startsWith(`${gone}/`)) && at.tree[at.key] === undefined)
			return mountPoint(scope(), path);
		const node =
			at.tree[at.key] ??
			at.base?.[at.key] ??
			(at.key === '/' ? { kind: 'folder', mode: 0o755, uid: 0, gid: 0 } : undefined);
		return shown(node, at.unmapped) ?? mountPoint(scope(), path);
	};
	return {
		get,
		names: path => {
			const at = locate(scope(), path);
			const names = new Set(pointsBelow(scope(), path));
			if (at.kind === 'kernel') for (const name of namesIn(Object.keys(kernel(at.scope)), at.path)) names.add(name);
			else {
				for (const name of namesIn(Object.keys(at.tree), at.key)) names.add(name);
				for (const name of namesIn(Object.keys(at.base ?? {}), at.key)) names.add(name);
				if (path === '/') for (const name of ['proc', 'sys', 'dev']) names.add(name);
			}
			return [...names].filter(name => get(path === '/' ? `/${name}` : `${path}/${name}`) !== undefined).sort();
		},
	};
}

/** Folders of the host that only the kernel's tree lacks, such as /dev/hugepages. */
const kernelPlaceholder = (scope: Scope, path: string): FileNode | undefined =>
	scope.inside === undefined ? scope.world.state.files[path] : mountPoint(scope, path);

function shown(node: FileNode | undefined, unmapped: boolean): FileNode | undefined {
	return node === undefined || node.kind === 'link' || !unmapped ? node : { ...node, uid: nobody, gid: nobody };
}

function pointsOf(scope: Scope): string[] {
	if (scope.inside === undefined) return [];
	const { options, innerMounts } = scope.inside.container;
	return [...options.mounts.map(m => m.target), ...innerMounts.map(m => m.target)];
}

function mountPoint(scope: Scope, path: string): FileNode | undefined {
	return pointsOf(scope).some(p => p === path || p.startsWith(`${path}/`))
		? { kind: 'folder', mode: 0o755, uid: 0, gid: 0 }
		: undefined;
}

const pointsBelow = (scope: Scope, path: string): string[] => namesIn(pointsOf(scope), path);

function locate(scope: Scope, path: string): Located {
	if (scope.inside === undefined) {
		if (isKernelPath(path)) return { kind: 'kernel', scope, path, readOnly: false, unmapped: false };
		return { kind: 'tree', tree: scope.world.state.files, key: path, readOnly: false, unmapped: false };
	}
	const { container, engine, parent } = scope.inside;
	const below = (point: string) => path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
	const inner = container.innerMounts.findLast(m => below(m.target));
	if (inner !== undefined) {
		const rest = path.slice(inner.target.length);
		if (inner.from !== undefined)
			return { ...locate(scope, absolute(`${inner.from}${rest}`)), readOnly: inner.readOnly };
		if (inner.type === 'proc')
			return { kind: 'kernel', scope, path: `/proc${rest}`, readOnly: inner.readOnly, unmapped: false };
		if (inner.type === 'sysfs')
			return { kind: 'kernel', scope, path: `/sys${rest}`, readOnly: inner.readOnly, unmapped: false };
		if (inner.source.startsWith('/dev/vda'))
			return { ...locate(hostScope(scope.world, 'root'), rest === '' ? '/' : rest), readOnly: inner.readOnly };
		return { kind: 'tree', tree: container.files, key: path, readOnly: inner.readOnly, unmapped: false };
	}
	const mount = container.options.mounts
		.filter(m => below(m.target))
		.toSorted((a, b) => b.target.length - a.target.length)[0];
	if (mount !== undefined) {
		const rest = path.slice(mount.target.length);
		if (mount.type === 'tmpfs')
			return { kind: 'tree', tree: container.files, key: path, readOnly: mount.readOnly, unmapped: false };
		if (mount.type === 'volume') {
			const files = engine.volumes.find(v => v.name === mount.source)?.files ?? {};
			return { kind: 'tree', tree: files, key: rest === '' ? '/' : rest, readOnly: mount.readOnly, unmapped: false };
		}
		const source = resolve(parent.view, mount.source, rootUser);
		const base = source.kind === 'found' ? source.path : mount.source;
		const at = locate(parent, absolute(`${base}${rest}`));
		const unmapped = container.isolation === 'sysbox' && !mountsIdMapped(parent, base);
		return { ...at, readOnly: at.readOnly || mount.readOnly, unmapped: at.unmapped || unmapped };
	}
	if (isKernelPath(path)) return { kind: 'kernel', scope, path, readOnly: false, unmapped: false };
	return {
		kind: 'tree',
		tree: container.files,
		key: path,
		base: baseOf(container, imageOf(engine, container)),
		removed: container.removed,
		readOnly: container.options.readOnly,
		unmapped: false,
	};
}

/** Everything that is in the image of a container. It is asked for with each part of each path, so it is made once. */
const bases = new WeakMap<Container, { readonly madeFrom: readonly unknown[]; readonly tree: FileTree }>();

function baseOf(container: Container, image: Image | undefined): FileTree {
	const madeFrom = [image, container.hostname, container.ip];
	const known = bases.get(container);
	if (known?.madeFrom.every((part, index) => part === madeFrom[index])) return known.tree;
	const tree = { ...baseFiles(image?.flavour ?? 'busybox'), ...image?.files, ...identityFiles(container) };
	bases.set(container, { madeFrom, tree });
	return tree;
}

function identityFiles(container: Container): FileTree {
	const file = (text: string): FileNode => ({ kind: 'file', text, mode: 0o644, uid: 0, gid: 0 });
	return {
		'/etc/hostname': file(`${container.hostname}\n`),
		'/etc/hosts': file(`127.0.0.1\tlocalhost\n${container.ip}\t${container.hostname}\n`),
		'/etc/resolv.conf': file('nameserver 10.20.0.1\n'),
	};
}

export type ReadText =
	| { readonly kind: 'text'; readonly text: string; readonly node: FileNode }
	| { readonly kind: 'endless' }
	| { readonly kind: 'error'; readonly errno: Errno };

const failed = (errno: Errno): { readonly kind: 'error'; readonly errno: Errno } => ({ kind: 'error', errno });

/** What `open` and `read` give there: devices too. */
export function readText(scope: Scope, path: string): ReadText {
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	if (found.kind === 'problem') return failed(found.errno);
	const { node } = found;
	if (node.kind === 'folder') return failed('EISDIR');
	if (!allowed(node, scope.who, 4)) return failed('EACCES');
	if (node.kind === 'socket') return failed('ENXIO');
	if (node.kind === 'fifo') return { kind: 'endless' };
	if (node.kind !== 'file') return readDevice(scope, node);
	if (found.path === '/proc/kmsg' && scope.inside !== undefined && confinementOf(scope).kind !== 'host') {
		if (!confinementOf(scope).privileged) return failed('EPERM');
	}
	return { kind: 'text', text: textOf(node), node };
}

/** Devices that Docker lets every container open. The others are closed by the devices cgroup. */
const openToAll = new Set(['c 1 3', 'c 1 5', 'c 1 7', 'c 1 8', 'c 1 9', 'c 5 0', 'c 5 1', 'c 5 2', 'c 10 200']);

export function deviceErrno(scope: Scope, device: string): Errno | undefined {
	if (scope.inside === undefined || openToAll.has(device)) return undefined;
	const { container, parent } = scope.inside;
	const tree = kernelTree(parent);
	const given = container.options.devices.some(d => {
		const node = tree[d.split(':')[0] ?? ''];
		return node?.kind === 'device' && node.device === device;
	});
	if (!container.options.privileged && !given) return 'EPERM';
	return confinementOf(scope).initialUserNamespace ? undefined : 'EPERM';
}

function readDevice(scope: Scope, node: Extract<FileNode, { device?: string }>): ReadText {
	const device = 'device' in node ? (node.device ?? '') : '';
	const errno = deviceErrno(scope, device);
	if (errno !== undefined) return failed(errno);
	if (device === 'c 1 3') return { kind: 'text', text: '', node };
	if (/^b (?:252|8|7) /.test(device)) return { kind: 'text', text: '\0'.repeat(4096), node };
	if (device === 'c 1 11')
		return { kind: 'text', text: scope.world.state.kernelLog.map(e => `6,1,${e.at},-;${e.text}\n`).join(''), node };
	return { kind: 'endless' };
}

/** Writes to a path there, with everything that the kernel may have against it. */
export function writeText(
	scope: Scope,
	path: string,
	text: string,
	how: 'replace' | 'append' = 'replace',
): Errno | undefined {
	const full = absolute(path, scope.cwd);
	const found = resolve(scope.view, full, scope.who);
	if (found.kind === 'problem') {
		if (found.errno !== 'ENOENT') return found.errno;
		return createNode(scope, full, fileNode(text, { mode: 0o644, uid: scope.who.uid, gid: scope.who.gid }));
	}
	const { node } = found;
	if (node.kind === 'folder') return 'EISDIR';
	const at = locate(scope, found.path);
	if (at.kind === 'kernel') return writeKernel(scope, at, node, text);
	if (node.kind === 'device') return deviceErrno(scope, node.device ?? '');
	if (at.readOnly) return 'EROFS';
	if (!allowed(node, scope.who, 2)) return 'EACCES';
	if (node.kind !== 'file') return 'ENXIO';
	const fault = scope.inside === undefined ? scope.world.faults.fires('write-fails', found.path) : undefined;
	if (fault !== undefined) return fault.errno ?? 'ENOSPC';
	touch(scope.world);
	const stored = at.tree[at.key];
	const owner = stored !== undefined && stored.kind !== 'link' ? stored : node;
	at.tree[at.key] = fileNode(how === 'append' ? textOf(node) + text : text, {
		mode: owner.mode,
		uid: owner.uid,
		gid: owner.gid,
	});
	stamp(scope, at.key);
	return undefined;
}

function stamp(scope: Scope, path: string): void {
	const { state } = scope.world;
	if (scope.inside === undefined) state.fileTimes = { ...state.fileTimes, [path]: state.now };
}

/** Puts a new node at a path there: a file, a folder, a link, a device. */
export function createNode(scope: Scope, path: string, node: FileNode): Errno | undefined {
	const full = absolute(path, scope.cwd);
	const parent: Resolved & { child: string } = resolveParent(scope.view, full, scope.who);
	if (parent.kind === 'problem') return parent.errno;
	if (parent.node.kind !== 'folder') return 'ENOTDIR';
	const at = locate(scope, parent.child);
	if (at.kind === 'kernel') {
		if (/^\/sys\/fs\/cgroup\//.test(at.path)) return confinementOf(scope).readOnlyKernel ? 'EROFS' : undefined;
		if (!at.path.startsWith('/dev/')) return at.path.startsWith('/proc/') ? 'ENOENT' : 'EACCES';
		if (scope.inside === undefined) return 'EACCES';
		touch(scope.world);
		scope.inside.container.files[at.path] = node;
		return undefined;
	}
	if (at.readOnly) return 'EROFS';
	if (!allowed(parent.node, scope.who, 2)) return 'EACCES';
	const fault = scope.inside === undefined ? scope.world.faults.fires('write-fails', parent.child) : undefined;
	if (fault !== undefined) return fault.errno ?? 'ENOSPC';
	touch(scope.world);
	at.tree[at.key] = node;
	stamp(scope, at.key);
	return undefined;
}

export function removeNode(scope: Scope, path: string): Errno | undefined {
	const parent = resolveParent(scope.view, absolute(path, scope.cwd), scope.who);
	if (parent.kind === 'problem') return parent.errno;
	if (scope.view.get(parent.child) === undefined) return 'ENOENT';
	if (pointsOf(scope).includes(parent.child)) return 'EBUSY';
	const at = locate(scope, parent.child);
	if (at.kind === 'kernel') return 'EPERM';
	if (at.readOnly) return 'EROFS';
	if (parent.node.kind === 'folder' && !allowed(parent.node, scope.who, 2)) return 'EACCES';
	touch(scope.world);
	for (const key of Object.keys(at.tree)) if (key === at.key || key.startsWith(`${at.key}/`)) delete at.tree[key];
	if (at.base?.[at.key] !== undefined) at.removed?.push(at.key);
	return undefined;
}

export function changeOwnership(
	scope: Scope,
	path: string,
	change: { mode?: number; uid?: number; gid?: number },
): Errno | undefined {
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	if (found.kind === 'problem') return found.errno;
	if (scope.who.uid !== 0 && scope.who.uid !== found.node.uid) return 'EPERM';
	if (scope.who.limited && found.node.uid === nobody) return 'EPERM';
	// An id outside the map of the user namespace (seen with Sysbox 0.7.0).
	if (scope.who.limited && ((change.uid ?? 0) > 65535 || (change.gid ?? 0) > 65535)) return 'EINVAL';
	const at = locate(scope, found.path);
	if (at.kind === 'kernel') return 'EPERM';
	if (at.readOnly) return 'EROFS';
	touch(scope.world);
	at.tree[at.key] = { ...found.node, ...change };
	return undefined;
}

function writeKernel(
	scope: Scope,
	at: Extract<Located, { kind: 'kernel' }>,
	node: FileNode,
	text: string,
): Errno | undefined {
	const { path } = at;
	const confinement = confinementOf(scope);
	if (node.kind === 'device') return allowed(node, scope.who, 2) ? deviceErrno(scope, node.device ?? '') : 'EACCES';
	if (at.readOnly) return 'EROFS';
	if (at.unmapped) return 'EACCES';
	if (path.startsWith('/proc/sys/')) return writeSysctl(scope, at.scope, sysctlKey(path), text.replace(/\n$/, ''));
	if (path === '/proc/sysrq-trigger') return pressSysrq(scope, text);
	if (/^\/proc\/\d+\/oom_score_adj$/.test(path))
		return Number(text) < 0 && scope.inside !== undefined ? 'EACCES' : undefined;
	if (/^\/proc\/\d+\/(?:u|g)id_map$/.test(path)) return 'EPERM';
	if (path.startsWith('/sys/fs/cgroup/')) {
		if (path.endsWith('/release_agent')) return 'EACCES';
		return confinement.kind !== 'host' && confinement.readOnlyKernel
			? 'EROFS'
			: scope.who.uid === 0
				? undefined
				: 'EACCES';
	}
	if (confinement.kind === 'runc' && confinement.readOnlyKernel) return path.startsWith('/sys/') ? 'EROFS' : 'EACCES';
	return allowed('mode' in node ? node : { mode: 0o755, uid: 0, gid: 0 }, scope.who, 2) ? undefined : 'EACCES';
}

/** Read-only in a container (Docker's list of read-only paths), open to a privileged one. Only `h`, the help, is safe. */
function pressSysrq(scope: Scope, text: string): Errno | undefined {
	const confinement = confinementOf(scope);
	if (!confinement.initialUserNamespace) return scope.inside?.container.options.privileged ? 'EACCES' : 'EROFS';
	if (confinement.kind !== 'host' && !confinement.privileged) return 'EROFS';
	if (scope.who.uid !== 0) return 'EACCES';
	touch(scope.world);
	scope.world.state.kernelLog.push({
		at: scope.world.state.now,
		text: text.startsWith('h') ? 'sysrq: HELP : loglevel(0-9) reboot(b) crash(c)' : `sysrq: ${text}`,
	});
	return undefined;
}

function writeSysctl(actor: Scope, target: Scope, key: string, value: string): Errno | undefined {
	const { world } = actor;
	const confinement = confinementOf(actor);
	const known = sysctlValue(target, key);
	if (known === undefined) return 'ENOENT';
	if (actor.who.uid !== 0) return 'EACCES';
	const container = actor.inside?.container;
	if (container === undefined) return setHostSysctl(world, key, value);
	if (container.isolation === 'sysbox') {
		if (target !== actor) return 'EACCES';
		if (!isEmulated(key)) return 'EACCES';
		// The host's value is the highest that a container may ask for, so the write is refused (seen with Sysbox 0.7.0).
		if (key === 'net.netfilter.nf_conntrack_max' && value !== known) return 'EIO';
		touch(world);
		if (key === 'kernel.hostname') container.hostname = value;
		else container.sysctls[key] = value;
		return undefined;
	}
	const opened =
		container.unmounted.includes('/proc/sys') ||
		container.remounted['/proc/sys'] === 'rw' ||
		container.innerMounts.some(m => m.type === 'proc');
	if (confinement.readOnlyKernel && !opened && target === actor) return 'EROFS';
	if (confinement.apparmor && target === actor) return 'EACCES';
	if (key.startsWith('net.') && container.options.networkMode !== 'host') {
		touch(world);
		container.sysctls[key] = value;
		return undefined;
	}
	if (!confinement.initialUserNamespace) return isEmulated(key) ? undefined : 'EACCES';
	// A container that shares the kernel without a user namespace of its own changes the machine.
	return setHostSysctl(world, key, value);
}

export function setHostSysctl(world: World, key: string, value: string): Errno | undefined {
	if (world.state.sysctls[key] === undefined) return 'ENOENT';
	touch(world);
	world.state.sysctls[key] = value;
	return undefined;
}
