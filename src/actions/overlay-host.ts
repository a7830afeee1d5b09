import { dirname } from 'node:path';
import type { Action } from '../model/action.ts';
import type { ReadHost } from '../port/host.ts';
import { sha256 } from '../text/sha256.ts';
import type { Overlay } from './kind.ts';
import { kindOf } from './kinds/index.ts';

/**
 * The host as it would be after these actions, as far as files go: what they write can be read, what they remove is
 * missing. Commands' effects cannot be foreseen, and a plan made on this says so. Without it, a plan of several steps
 * would propose the same change twice.
 */
export function overlayHost(host: ReadHost, actions: readonly Action[]): ReadHost {
	const files = new Map<string, { readonly bytes: Uint8Array; readonly mode: number } | undefined>();
	const directories = new Set<string>();
	const overlay: Overlay = {
		write: (path, bytes, mode) => files.set(path, { bytes, mode }),
		remove: path => files.set(path, undefined),
		makeDirectory: path => directories.add(path),
	};
	for (const action of actions) kindOf(action).preview?.(action, overlay);
	const metaOf = (path: string, file: { readonly bytes: Uint8Array; readonly mode: number }) => ({
		mode: file.mode,
		uid: 0,
		gid: 0,
		size: file.bytes.length,
		realPath: path,
		planned: true as const,
	});
	return {
		kind: host.kind,
		identity: host.identity,
		exec: (argv, options) => host.exec(argv, options),
		space: path => host.space(path),
		async readFile(path, options) {
			if (!files.has(path)) return host.readFile(path, options);
			const file = files.get(path);
			return file === undefined ? { kind: 'missing' } : { kind: 'bytes', bytes: file.bytes, meta: metaOf(path, file) };
		},
		async stat(path) {
			if (directories.has(path)) {
				const there = await host.stat(path);
				return there.kind === 'found'
					? there
					: {
							kind: 'found',
							type: 'directory',
							link: false,
							meta: { mode: 0o755, uid: 0, gid: 0, size: 0, realPath: path },
						};
			}
			if (!files.has(path)) return host.stat(path);
			const file = files.get(path);
			return file === undefined
				? { kind: 'missing' }
				: { kind: 'found', type: 'file', link: false, meta: metaOf(path, file) };
		},
		async list(path) {
			const there = await host.list(path);
			const names = new Set(there.kind === 'names' ? there.names : []);
			for (const [file, content] of files) {
				if (dirname(file) !== path) continue;
				const name = file.slice(path.length).replace(/^\//, '');
				if (content === undefined) names.delete(name);
				else names.add(name);
			}
			return names.size > 0 || there.kind === 'names' || directories.has(path)
				? { kind: 'names', names: [...names] }
				: there;
		},
		async digest(path, options) {
			const file = files.get(path);
			if (!files.has(path)) return host.digest(path, options);
			return file === undefined
				? { kind: 'missing' }
				: { kind: 'digest', sha256: sha256(file.bytes), size: file.bytes.length };
		},
	};
}
