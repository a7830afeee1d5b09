import type { FileCalls, FileFacts, OpenFile } from '../../src/host/local/file-calls.ts';
import { systemError } from './faulty-file-calls.ts';

interface Inode {
	bytes: Buffer;
	/** What is on the platters: nothing until the first sync. */
	synced: Buffer;
	mode: number;
	uid: number;
	gid: number;
}

/**
 * A disk with one directory, `/etc`, that forgets at a power cut what was not synced: the content of files and, apart from
 * that, the names in the directory. The system may have written either of them by itself, in any order, in whole or in
 * part, so all of that is possible afterwards.
 */
export function powerCutDisk(files: Readonly<Record<string, string>>) {
	const inodeOf = (text: string): Inode => ({
		bytes: Buffer.from(text),
		synced: Buffer.from(text),
		mode: 0o644,
		uid: 0,
		gid: 0,
	});
	let names = new Map(Object.entries(files).map(([name, text]) => [name, inodeOf(text)]));
	/** Every state of the directory since its last sync: any of them may be found. */
	let directories = [new Map(names)];
	const change = (work: (now: Map<string, Inode>) => void): void => {
		const now = new Map(names);
		work(now);
		names = now;
		directories.push(now);
	};
	const nameIn = (path: string): string => path.replace('/etc/', '');
	const inode = (path: string): Inode => {
		const found = names.get(nameIn(path));
		if (found === undefined) throw systemError('ENOENT');
		return found;
	};
	const facts = ({ mode, uid, gid }: Inode): FileFacts => ({ type: 'file', mode, uid, gid });
	const directoryFacts: FileFacts = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };
	const fileOf = (node: Inode): OpenFile => {
		let at = 0;
		return {
			facts: async () => facts(node),
			read: async buffer => {
				const count = node.bytes.copy(buffer, 0, at);
				at += count;
				return count;
			},
			// A little at a time, as a system may.
			write: async (bytes, from) => {
				const part = bytes.subarray(0, 5);
				const grown = Buffer.alloc(Math.max(node.bytes.length, from + part.length));
				node.bytes.copy(grown);
				grown.set(part, from);
				node.bytes = grown;
				return part.length;
			},
			truncate: async size => {
				node.bytes = Buffer.from(node.bytes.subarray(0, size));
			},
			chown: async (uid, gid) => {
				node.uid = uid;
				node.gid = gid;
			},
			chmod: async mode => {
				node.mode = mode;
			},
			sync: async () => {
				node.synced = Buffer.from(node.bytes);
			},
			close: async () => {},
		};
	};
	const calls: FileCalls = {
		lstat: async path => (path === '/' || path === '/etc' ? directoryFacts : facts(inode(path))),
		readlink: async () => {
			throw systemError('EINVAL');
		},
		open: async (path, purpose) => {
			if (purpose !== 'create') return fileOf(inode(path));
			if (names.has(nameIn(path))) throw systemError('EEXIST');
			const node: Inode = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), mode: 0o600, uid: 0, gid: 0 };
			change(now => now.set(nameIn(path), node));
			return fileOf(node);
		},
		openDirectory: async () => ({
			facts: async () => directoryFacts,
			chown: async () => {},
			chmod: async () => {},
			sync: async () => {
				directories = [names];
			},
			close: async () => {},
			at: name => `/etc/${name}`,
		}),
		list: async () => [...names.keys()],
		rename: async (from, to) => {
			const node = inode(from);
			change(now => {
				now.delete(nameIn(from));
				now.set(nameIn(to), node);
			});
		},
		link: async (from, to) => {
			if (names.has(nameIn(to))) throw systemError('EEXIST');
			const node = inode(from);
			change(now => now.set(nameIn(to), node));
		},
		unlink: async path => {
			inode(path);
			change(now => now.delete(nameIn(path)));
		},
		mkdir: async () => {},
		rmdir: async () => {},
		copyAttributes: async () => {},
	};
	return {
		calls,
		/** Everything that a file may hold after a power cut right now; undefined: it is not there. */
		afterPowerCut(name: string): ReadonlySet<string | undefined> {
			const found = new Set<string | undefined>();
			for (const directory of directories) {
				const node = directory.get(name);
				if (node === undefined) {
					found.add(undefined);
					continue;
				}
				const { bytes, synced } = node;
				if (bytes.equals(synced)) {
					found.add(bytes.toString());
					continue;
				}
				for (const some of [synced, bytes, bytes.subarray(0, bytes.length >> 1)]) found.add(some.toString());
			}
			return found;
		},
	};
}
