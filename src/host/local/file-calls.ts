import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, readlink, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface FileFacts {
	readonly type: 'file' | 'directory' | 'link' | 'other';
	/** Permission bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
}

export interface OpenFile {
	facts(): Promise<FileFacts>;
	/** Reads on from where the last read ended; 0 at the end. */
	read(buffer: Uint8Array): Promise<number>;
	/** May write less than it is given. */
	write(bytes: Uint8Array, at: number): Promise<number>;
	truncate(size: number): Promise<void>;
	chown(uid: number, gid: number): Promise<void>;
	chmod(mode: number): Promise<void>;
	sync(): Promise<void>;
	close(): Promise<void>;
}

/** A directory that was looked at and stays the same directory, whatever becomes of its path. */
export interface OpenDirectory extends Pick<OpenFile, 'facts' | 'chown' | 'chmod' | 'sync' | 'close'> {
	/** The path of a name in this very directory. */
	at(name: string): string;
}

export type OpenPurpose = 'read' | 'create' | 'overwrite';

/**
 * The system calls of a writer, one by one. Tests hand in some that fail, or that end the process after any of them.
 * Every one rejects with the system's error.
 */
export interface FileCalls {
	lstat(path: string): Promise<FileFacts>;
	readlink(path: string): Promise<string>;
	/** Never follows a link in the last place; `create` demands that nothing is there. */
	open(path: string, purpose: OpenPurpose): Promise<OpenFile>;
	openDirectory(path: string): Promise<OpenDirectory>;
	list(path: string): Promise<readonly string[]>;
	rename(from: string, to: string): Promise<void>;
	/** A second name for a file; fails when the name is taken. */
	link(from: string, to: string): Promise<void>;
	unlink(path: string): Promise<void>;
	mkdir(path: string, mode: number): Promise<void>;
	rmdir(path: string): Promise<void>;
	/** Owner, mode, ACL, extended attributes and security label, as far as the file system has them. */
	copyAttributes(from: OpenFile, to: OpenFile): Promise<void>;
}

const flags: Readonly<Record<OpenPurpose, number>> = {
	read: constants.O_RDONLY,
	create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
	overwrite: constants.O_WRONLY,
};

/** Without O_NONBLOCK, opening a FIFO would hang. */
const always = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

const handles = new WeakMap<OpenFile, FileHandle>();

/** The calls of this machine. */
export const systemFileCalls: FileCalls = {
	lstat: async path => factsOf(await lstat(path)),
	readlink,
	open: async (path, purpose) => {
		const handle = await open(path, flags[purpose] | always, 0o600);
		const file: OpenFile = {
			...inode(handle),
			read: async buffer => (await handle.read(buffer, 0, buffer.length, null)).bytesRead,
			write: async (bytes, at) => (await handle.write(bytes, 0, bytes.length, at)).bytesWritten,
			truncate: size => handle.truncate(size),
		};
		handles.set(file, handle);
		return file;
	},
	openDirectory: async path => {
		const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | always);
		return {
			...inode(handle),
			// Node has no openat(2); the link in /proc leads to the open directory even when its path is another's by now.
			at: name => (process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/${name}` : join(path, name)),
		};
	},
	list: readdir,
	rename,
	link,
	unlink,
	mkdir: async (path, mode) => {
		await mkdir(path, { mode });
	},
	rmdir,
	copyAttributes: async (from, to) => {
		const source = handles.get(from);
		const target = handles.get(to);
		if (source === undefined || target === undefined || process.platform !== 'linux') return;
		// coreutils knows ACLs, extended attributes and SELinux labels, and skips what the file system lacks. It gets the
		// open files, not paths that could be exchanged meanwhile. What has to hold (owner, mode) is set by the caller.
		const { execa } = await import('execa');
		await execa('cp', ['--attributes-only', '--preserve=all', '--', '/proc/self/fd/3', '/proc/self/fd/4'], {
			// execa's types name descriptors up to 9 only; its code hands over any.
			stdio: ['ignore', 'ignore', 'ignore', source.fd as 3, target.fd as 4],
			detached: true,
			reject: false,
			timeout: 10_000,
		});
		// cp takes over the times too; a file that was just written must not look older than the service that reads it.
		const now = new Date();
		await target.utimes(now, now);
	},
};

function inode(handle: FileHandle): Pick<OpenFile, 'facts' | 'chown' | 'chmod' | 'sync' | 'close'> {
	return {
		facts: async () => factsOf(await handle.stat()),
		chown: (uid, gid) => handle.chown(uid, gid),
		chmod: mode => handle.chmod(mode),
		sync: () => handle.sync(),
		close: () => handle.close(),
	};
}

interface StatsLike {
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	isFile(): boolean;
	isDirectory(): boolean;
	isSymbolicLink(): boolean;
}

function factsOf(stats: StatsLike): FileFacts {
	const type = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'other';
	return { type, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
}
