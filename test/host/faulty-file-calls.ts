import type { FileCalls, OpenDirectory, OpenFile } from '../../src/host/local/file-calls.ts';

/** The process is gone: not an error of the system, so nothing may be made of it. */
export class ProcessGone extends Error {}

export const systemError = (code: string): Error => Object.assign(new Error(code), { code });

export interface CallHooks {
	/** Called before each call; may throw in its place. `n` counts from 1. */
	readonly before?: (call: string, n: number) => void | Promise<void>;
	/** Called after each call that succeeded. */
	readonly after?: (call: string, n: number) => void | Promise<void>;
}

/** Calls that can be made to fail, and counted. Names: `open create`, `write`, `sync`, `directory sync`, `rename` … */
export function hookedCalls(inner: FileCalls, hooks: CallHooks): FileCalls & { readonly made: readonly string[] } {
	const made: string[] = [];
	const wrap =
		<A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
		async (...args: A): Promise<R> => {
			made.push(name);
			const n = made.length;
			await hooks.before?.(name, n);
			const result = await call(...args);
			await hooks.after?.(name, n);
			return result;
		};
	/** Closes in any case, as the system does at the end of a process; otherwise the test would run out of files. */
	const closing = (name: string, file: Pick<OpenFile, 'close'>) => async (): Promise<void> => {
		try {
			await wrap(name, async () => {})();
		} finally {
			await file.close();
		}
	};
	const opening = async <T extends Pick<OpenFile, 'close'>>(name: string, open: () => Promise<T>): Promise<T> => {
		let opened: T | undefined;
		try {
			return await wrap(name, async () => {
				opened = await open();
				return opened;
			})();
		} catch (error) {
			await opened?.close();
			throw error;
		}
	};
	const originals = new WeakMap<OpenFile, OpenFile>();
	const wrapFile = (file: OpenFile): OpenFile => {
		const wrapped: OpenFile = {
			facts: wrap('facts', () => file.facts()),
			read: wrap('read', buffer => file.read(buffer)),
			write: wrap('write', (bytes, at) => file.write(bytes, at)),
			truncate: wrap('truncate', size => file.truncate(size)),
			chown: wrap('chown', (uid, gid) => file.chown(uid, gid)),
			chmod: wrap('chmod', mode => file.chmod(mode)),
			sync: wrap('sync', () => file.sync()),
			close: closing('close', file),
		};
		originals.set(wrapped, file);
		return wrapped;
	};
	const wrapDirectory = (directory: OpenDirectory): OpenDirectory => ({
		facts: wrap('folder facts', () => directory.facts()),
		chown: wrap('folder chown', (uid, gid) => directory.chown(uid, gid)),
		chmod: wrap('folder chmod', mode => directory.chmod(mode)),
		sync: wrap('folder sync', () => directory.sync()),
		close: closing('folder close', directory),
		at: name => directory.at(name),
	});
	return {
		made,
		lstat: wrap('lstat', path => inner.lstat(path)),
		readlink: wrap('readlink', path => inner.readlink(path)),
		open: async (path, purpose) => wrapFile(await opening(`open ${purpose}`, () => inner.open(path, purpose))),
		openDirectory: async path => wrapDirectory(await opening('open folder', () => inner.openDirectory(path))),
		list: wrap('list', path => inner.list(path)),
		rename: wrap('rename', (from, to) => inner.rename(from, to)),
		link: wrap('link', (from, to) => inner.link(from, to)),
		unlink: wrap('unlink', path => inner.unlink(path)),
		mkdir: wrap('mkdir', (path, mode) => inner.mkdir(path, mode)),
		rmdir: wrap('rmdir', path => inner.rmdir(path)),
		copyAttributes: wrap('copyAttributes', (from, to) =>
			inner.copyAttributes(originals.get(from) ?? from, originals.get(to) ?? to),
		),
	};
}

/** Calls of a process that is killed right after its nth call. */
export function dyingAfter(inner: FileCalls, nth: number): FileCalls & { readonly made: readonly string[] } {
	let dead = false;
	return hookedCalls(inner, {
		before: () => {
			if (dead) throw new ProcessGone();
		},
		after: (_, n) => {
			if (n < nth) return;
			dead = true;
			throw new ProcessGone();
		},
	});
}
