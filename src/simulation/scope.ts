import type { Errno } from './errno.ts';
import {
	absolute,
	allowed,
	fileNode,
	namesIn,
	type Resolved,
	resolve,
	resolveParent,
	rootUser,
	textOf,
	type View,
} from './file-tree.ts';
import { kernelTree } from './kernel.ts';
import type { FileNode, FileTree } from './state.ts';
import { type Scope, touch, type World } from './world.ts';

/** Made up by the kernel, and in no file system. */
const isKernelPath = (path: string): boolean => /^\/(?:proc|sys|dev)(?:\/|$)/.test(path);

export function hostScope(world: World, as: 'tool' | 'root' = 'tool'): Scope {
	const { identity } = world.state;
	return withView({
		world,
		who: as === 'root' ? rootUser : { uid: identity.uid, gid: identity.gid, groups: identity.groups },
		cwd: '/root',
		path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin',
		// A child of the tool's own process.
		pid: identity.pid + 1,
	});
}

/** As another process sees it. */
export const asProcess = (scope: Scope, pid: number): Scope => withView({ ...scope, pid });

function withView(parts: Omit<Scope, 'view'>): Scope {
	const scope: Scope = { ...parts, view: viewOf(() => scope) };
	return scope;
}

function viewOf(scope: () => Scope): View {
	let cached: { key: string; tree: FileTree } | undefined;
	const treeOf = (path: string): FileTree => {
		const { state, revision } = scope().world;
		if (!isKernelPath(path)) return state.files;
		const key = `${revision}:${state.now}`;
		if (cached?.key !== key) cached = { key, tree: kernelTree(scope()) };
		return cached.tree;
	};
	const root: FileNode = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
	return {
		get: path => treeOf(path)[path] ?? scope().world.state.files[path] ?? (path === '/' ? root : undefined),
		names: path => namesIn(Object.keys(treeOf(path)), path),
	};
}

export type ReadText =
	| { readonly kind: 'text'; readonly text: string; readonly node: FileNode }
	| { readonly kind: 'endless' }
	| { readonly kind: 'error'; readonly errno: Errno };

const failed = (errno: Errno): ReadText => ({ kind: 'error', errno });

/** What `open` and `read` give there. */
export function readText(scope: Scope, path: string): ReadText {
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	if (found.kind === 'problem') return failed(found.errno);
	const { node } = found;
	if (node.kind === 'folder') return failed('EISDIR');
	if (!allowed(node, scope.who, 4)) return failed('EACCES');
	if (node.kind === 'socket') return failed('ENXIO');
	if (node.kind !== 'file') return found.path === '/dev/null' ? { kind: 'text', text: '', node } : { kind: 'endless' };
	return { kind: 'text', text: textOf(node), node };
}

/** Writes to a path there, with everything that the kernel may have against it. */
export function writeText(scope: Scope, path: string, text: string): Errno | undefined {
	const full = absolute(path, scope.cwd);
	const found = resolve(scope.view, full, scope.who);
	const own = { mode: 0o644, uid: scope.who.uid, gid: scope.who.gid };
	if (found.kind === 'problem')
		return found.errno === 'ENOENT' ? createNode(scope, full, fileNode(text, own)) : found.errno;
	const { node } = found;
	if (node.kind === 'folder') return 'EISDIR';
	if (!allowed(node, scope.who, 2) || isKernelPath(found.path)) return 'EACCES';
	if (node.kind !== 'file') return 'ENXIO';
	const { mode, uid, gid } = node;
	return place(scope, found.path, fileNode(text, { mode, uid, gid }));
}

/** Puts a new node at a path there: a file, a folder, a link. */
export function createNode(scope: Scope, path: string, node: FileNode): Errno | undefined {
	const parent: Resolved & { child: string } = resolveParent(scope.view, absolute(path, scope.cwd), scope.who);
	if (parent.kind === 'problem') return parent.errno;
	if (parent.node.kind !== 'folder') return 'ENOTDIR';
	if (isKernelPath(parent.child) || !allowed(parent.node, scope.who, 2)) return 'EACCES';
	return place(scope, parent.child, node);
}

function place({ world }: Scope, path: string, node: FileNode): Errno | undefined {
	const fault = world.faults.fires('write-fails', path);
	if (fault !== undefined) return fault.errno ?? 'ENOSPC';
	touch(world);
	const { state } = world;
	state.files[path] = node;
	state.fileTimes = { ...state.fileTimes, [path]: state.now };
	return undefined;
}

export function removeNode(scope: Scope, path: string): Errno | undefined {
	const parent = resolveParent(scope.view, absolute(path, scope.cwd), scope.who);
	if (parent.kind === 'problem') return parent.errno;
	if (scope.view.get(parent.child) === undefined) return 'ENOENT';
	if (isKernelPath(parent.child)) return 'EPERM';
	if (parent.node.kind === 'folder' && !allowed(parent.node, scope.who, 2)) return 'EACCES';
	touch(scope.world);
	const { files } = scope.world.state;
	for (const key of Object.keys(files))
		if (key === parent.child || key.startsWith(`${parent.child}/`)) delete files[key];
	return undefined;
}

export function setSysctl(world: World, key: string, value: string): Errno | undefined {
	if (world.state.sysctls[key] === undefined) return 'ENOENT';
	touch(world);
	world.state.sysctls[key] = value;
	return undefined;
}
