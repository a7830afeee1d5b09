import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Errno } from './errno.ts';
import type { FileNode, FileTree, Owned } from './state.ts';

/** What paths mean on the host: its own files, with what the kernel makes up. */
export interface View {
	/** The node at exactly this path; links are not followed. */
	get(path: string): FileNode | undefined;
	/** Names in a folder, sorted. */
	names(path: string): string[];
}

/** Who looks. Root passes every permission. */
export interface Who {
	readonly uid: number;
	readonly gid: number;
	readonly groups: readonly number[];
}

export const rootUser: Who = { uid: 0, gid: 0, groups: [0] };

export type Resolved =
	| { kind: 'found'; path: string; node: Exclude<FileNode, { kind: 'link' }>; viaLink: boolean }
	| { kind: 'problem'; errno: Errno /** The target of a link that leads nowhere. */; danglingTo?: string | undefined };

/** Links followed for one path before the kernel gives up. */
const longestLinkChain = 40;

export function namesIn(paths: Iterable<string>, folder: string): string[] {
	const prefix = folder === '/' ? '/' : `${folder}/`;
	const names = new Set<string>();
	for (const path of paths) {
		if (!path.startsWith(prefix) || path === '/') continue;
		const rest = path.slice(prefix.length);
		const slash = rest.indexOf('/');
		names.add(slash === -1 ? rest : rest.slice(0, slash));
	}
	return [...names].sort();
}

export function absolute(path: string, cwd = '/'): string {
	const full = posix.normalize(path.startsWith('/') ? path : posix.join(cwd, path));
	return full.length > 1 && full.endsWith('/') ? full.slice(0, -1) : full;
}

/** Follows every link on the way and, unless `keepLast`, the last one too. */
export function resolve(
	view: View,
	path: string,
	who: Who = rootUser,
	options: { keepLast?: boolean | undefined } = {},
): Resolved {
	const seen = { links: 0, viaLink: false };
	return follow(view, path, who, options.keepLast === true, seen);
}

function follow(
	view: View,
	target: string,
	who: Who,
	keepLast: boolean,
	seen: { links: number; viaLink: boolean },
): Resolved {
	let at = '/';
	let node = view.get('/');
	if (node === undefined) return { kind: 'problem', errno: 'ENOENT' };
	const parts = absolute(target).split('/').filter(Boolean);
	for (const [index, part] of parts.entries()) {
		if (node.kind !== 'folder') return { kind: 'problem', errno: 'ENOTDIR' };
		if (!allowed(node, who, 1)) return { kind: 'problem', errno: 'EACCES' };
		at = at === '/' ? `/${part}` : `${at}/${part}`;
		const child = view.get(at);
		if (child === undefined) return { kind: 'problem', errno: 'ENOENT' };
		node = child;
		const last = index === parts.length - 1;
		if (node.kind !== 'link' || (last && keepLast)) continue;
		if (last) seen.viaLink = true;
		seen.links += 1;
		if (seen.links > longestLinkChain) return { kind: 'problem', errno: 'ELOOP' };
		const rest = parts.slice(index + 1).join('/');
		const to = absolute(node.to, posix.dirname(at));
		const found = follow(view, rest === '' ? to : posix.join(to, rest), who, keepLast, seen);
		if (found.kind === 'problem' && found.errno === 'ENOENT' && last && found.danglingTo === undefined) {
			return { ...found, danglingTo: to };
		}
		return found;
	}
	if (node.kind === 'link') return { kind: 'problem', errno: 'ELOOP' };
	return { kind: 'found', path: at, node, viaLink: seen.viaLink };
}

/** The path with its folder's links followed and its own last part kept: what a link, a rename or a removal is about. */
export function resolveParent(view: View, path: string, who: Who = rootUser): Resolved & { child: string } {
	const full = absolute(path);
	const folder = resolve(view, posix.dirname(full), who);
	return { ...folder, child: folder.kind === 'found' ? posix.join(folder.path, posix.basename(full)) : full };
}

/** `bit` is 4 to read, 2 to write, 1 to search or execute. */
export function allowed(node: Owned, who: Who, bit: 1 | 2 | 4): boolean {
	if (who.uid === 0) return true;
	if (who.uid === node.uid) return (node.mode & (bit << 6)) !== 0;
	if (who.gid === node.gid || who.groups.includes(node.gid)) return (node.mode & (bit << 3)) !== 0;
	return (node.mode & bit) !== 0;
}

export function bytesOf(node: Extract<FileNode, { kind: 'file' }>): Uint8Array {
	if (node.base64 !== undefined) return Buffer.from(node.base64, 'base64');
	return Buffer.from(node.text ?? '', 'utf8');
}

export function textOf(node: Extract<FileNode, { kind: 'file' }>): string {
	return node.text ?? (node.base64 === undefined ? '' : Buffer.from(node.base64, 'base64').toString('latin1'));
}

export function sizeOf(node: Extract<FileNode, { kind: 'file' }>): number {
	return node.declared?.size ?? bytesOf(node).byteLength;
}

export function digestOf(node: Extract<FileNode, { kind: 'file' }>): string {
	return node.declared?.sha256 ?? sha256(bytesOf(node));
}

export function sha256(bytes: Uint8Array | string): string {
	return createHash('sha256').update(bytes).digest('hex');
}

/** Content as the tree keeps it: text where it is text, so that a saved state can be read by a person. */
export function fileNode(content: Uint8Array | string, owned: Owned): FileNode {
	if (typeof content === 'string') return { kind: 'file', text: content, ...owned };
	const text = Buffer.from(content).toString('utf8');
	return Buffer.from(text, 'utf8').equals(content)
		? { kind: 'file', text, ...owned }
		: { kind: 'file', base64: Buffer.from(content).toString('base64'), ...owned };
}

/** Adds a file and the folders above it. For setting a scene, not for what a program does. */
export function put(tree: FileTree, path: string, content: string, mode = 0o644, uid = 0, gid = 0): void {
	putFolder(tree, posix.dirname(path));
	tree[path] = { kind: 'file', text: content, mode, uid, gid };
}

export function putFolder(tree: FileTree, path: string, mode = 0o755, uid = 0, gid = 0): void {
	if (path === '/' || tree[path]?.kind === 'folder' || tree[path]?.kind === 'link') return;
	putFolder(tree, posix.dirname(path));
	tree[path] = { kind: 'folder', mode, uid, gid };
}

export function putLink(tree: FileTree, path: string, to: string): void {
	putFolder(tree, posix.dirname(path));
	tree[path] = { kind: 'link', to };
}

/** A path and everything under it. */
export function removeTree(tree: FileTree, path: string): boolean {
	let removed = false;
	for (const key of Object.keys(tree)) {
		if (key !== path && !key.startsWith(`${path}/`)) continue;
		delete tree[key];
		removed = true;
	}
	return removed;
}
