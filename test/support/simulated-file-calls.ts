import type { FileCalls, FileFacts, OpenFile } from '../../src/host/local/file-calls.ts';
import { rootFileWriter } from '../../src/host/local/root-file-writer.ts';
import { bytesOf, fileNode, namesIn } from '../../src/simulation/file-tree.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import type { FileNode } from '../../src/simulation/state.ts';
import { systemError } from '../host/faulty-file-calls.ts';

const types = { file: 'file', folder: 'directory', link: 'link' } as const;

/** The system calls of a writer of files, made on a simulated host: each one changes it, or fails as a system would. */
export function simulatedFileCalls(host: SimulatedHost): FileCalls {
	const nodeAt = (path: string): FileNode => {
		const node = host.state().files[path] ?? (path === '/' ? rootDirectory : undefined);
		if (node === undefined) throw systemError('ENOENT');
		return node;
	};
	const isThere = (path: string): boolean => host.state().files[path] !== undefined;
	const set = (path: string, node: FileNode | undefined): void =>
		host.disturb(({ files }) => {
			if (node === undefined) delete files[path];
			else files[path] = node;
		});
	const factsOf = (node: FileNode): FileFacts =>
		node.kind === 'link'
			? { type: 'link', mode: 0o777, uid: 0, gid: 0 }
			: {
					type: node.kind === 'file' || node.kind === 'folder' ? types[node.kind] : 'other',
					mode: node.mode,
					uid: node.uid,
					gid: node.gid,
				};
	const inode = (path: string) => ({
		facts: async () => factsOf(nodeAt(path)),
		chown: async (uid: number, gid: number) => set(path, { ...nodeAt(path), uid, gid } as FileNode),
		chmod: async (mode: number) => set(path, { ...nodeAt(path), mode } as FileNode),
		sync: async () => undefined,
		close: async () => undefined,
	});
	const bytesAt = (path: string): Buffer => {
		const node = nodeAt(path);
		if (node.kind !== 'file') throw systemError('EISDIR');
		return Buffer.from(bytesOf(node));
	};
	const fill = (path: string, bytes: Uint8Array): void => {
		const { mode, uid, gid } = factsOf(nodeAt(path));
		set(path, fileNode(bytes, { mode, uid, gid }));
	};
	const opened = (path: string): OpenFile => {
		let at = 0;
		return {
			...inode(path),
			read: async buffer => {
				const count = bytesAt(path).copy(buffer, 0, at);
				at += count;
				return count;
			},
			// In two parts, as a system may: a kill in between leaves half a file.
			write: async (bytes, from) => {
				const part = from === 0 ? bytes.subarray(0, Math.max(1, bytes.length >> 1)) : bytes;
				const old = bytesAt(path);
				const grown = Buffer.alloc(Math.max(old.length, from + part.length));
				old.copy(grown);
				grown.set(part, from);
				fill(path, grown);
				return part.length;
			},
			truncate: async size => fill(path, bytesAt(path).subarray(0, size)),
		};
	};
	return {
		lstat: async path => factsOf(nodeAt(path)),
		readlink: async path => {
			const node = nodeAt(path);
			if (node.kind !== 'link') throw systemError('EINVAL');
			return node.to;
		},
		open: async (path, purpose) => {
			if (purpose !== 'create') {
				nodeAt(path);
				return opened(path);
			}
			if (isThere(path)) throw systemError('EEXIST');
			set(path, { kind: 'file', text: '', mode: 0o600, uid: 0, gid: 0 });
			return opened(path);
		},
		openDirectory: async path => {
			if (nodeAt(path).kind !== 'folder') throw systemError('ENOTDIR');
			return { ...inode(path), at: name => (path === '/' ? `/${name}` : `${path}/${name}`) };
		},
		list: async path => namesIn(Object.keys(host.state().files), path),
		rename: async (from, to) => {
			const node = nodeAt(from);
			host.disturb(({ files }) => {
				delete files[from];
				files[to] = node;
			});
		},
		link: async (from, to) => {
			if (isThere(to)) throw systemError('EEXIST');
			set(to, nodeAt(from));
		},
		unlink: async path => {
			nodeAt(path);
			set(path, undefined);
		},
		mkdir: async (path, mode) => {
			if (isThere(path)) throw systemError('EEXIST');
			set(path, { kind: 'folder', mode, uid: 0, gid: 0 });
		},
		rmdir: async path => {
			nodeAt(path);
			if (namesIn(Object.keys(host.state().files), path).length > 0) throw systemError('ENOTEMPTY');
			set(path, undefined);
		},
		copyAttributes: async () => undefined,
	};
}

const rootDirectory: FileNode = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };

/** The same host with its files written as on a real one: by the writer of root's files, call by call. */
export function writtenByCalls(host: SimulatedHost, calls: FileCalls = simulatedFileCalls(host)): SimulatedHost {
	const writer = rootFileWriter({ calls, uid: 0, run: argv => host.exec(argv, { timeoutMs: 10_000 }) });
	return {
		...host,
		get identity() {
			return host.identity;
		},
		replaceFile: (path, bytes, how) => writer.replaceFile(path, bytes, how),
		removeFile: (path, how) => {
			// A package or an archive of images is only declared here: there are no bytes that a writer could compare.
			const node = host.state().files[path];
			const declared = node?.kind === 'file' && node.declared !== undefined;
			return declared ? host.removeFile(path, how) : writer.removeFile(path, how);
		},
		makeDirectory: (path, how) => writer.makeDirectory(path, how),
		removeDirectory: path => writer.removeDirectory(path),
	};
}
