import { createHash } from 'node:crypto';
import type { Expected, WriteHost, WriteResult } from '../../src/port/host.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A host of files only, for tests of engine and applier that need no dockerd. Commands are given as functions. */
export function tinyHost(
	files: Map<string, string>,
	commands: Record<string, (files: Map<string, string>) => { code: number; stderr?: string }> = {},
): WriteHost {
	const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
	const meta = (path: string, text: string) => ({ mode: 0o644, uid: 0, gid: 0, size: text.length, realPath: path });
	const found = (path: string): Expected => {
		const text = files.get(path);
		return text === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: sha256(encode(text)) };
	};
	const same = (a: Expected, b: Expected): boolean =>
		a.kind === b.kind && (a.kind === 'missing' || (b.kind === 'sha256' && a.sha256 === b.sha256));
	const exec: WriteHost['exec'] = async argv => {
		const command = commands[argv.join(' ')];
		if (command === undefined) throw new Error(`the test does not know the command: ${argv.join(' ')}`);
		const { code, stderr = '' } = command(files);
		return { code, stdout: '', stderr, elapsedMs: 1 };
	};
	return {
		kind: 'simulated',
		identity: { hostname: 'tiny', pid: 4242, uid: 0, user: 'anna' },
		exec,
		run: exec,
		async readFile(path) {
			const text = files.get(path);
			return text === undefined ? { kind: 'missing' } : { kind: 'bytes', bytes: encode(text), meta: meta(path, text) };
		},
		async stat(path) {
			const text = files.get(path);
			return text === undefined
				? { kind: 'missing' }
				: { kind: 'found', type: 'file', link: false, meta: meta(path, text) };
		},
		list: async () => ({ kind: 'missing' }),
		async digest(path) {
			const text = files.get(path);
			return text === undefined
				? { kind: 'missing' }
				: { kind: 'digest', sha256: sha256(encode(text)), size: text.length };
		},
		space: async () => ({ kind: 'space', freeBytes: 1e12, totalBytes: 1e12 }),
		async replaceFile(path, bytes, { expect }): Promise<WriteResult> {
			if (!same(found(path), expect)) return { kind: 'changed', found: found(path) };
			files.set(path, new TextDecoder().decode(bytes));
			return { kind: 'written', sha256: sha256(bytes), atomic: true };
		},
		async removeFile(path, { expect }): Promise<WriteResult> {
			if (!same(found(path), expect)) return { kind: 'changed', found: found(path) };
			files.delete(path);
			return { kind: 'written', sha256: '', atomic: true };
		},
		makeDirectory: async () => ({ kind: 'written', sha256: '', atomic: true }),
		removeDirectory: async () => ({ kind: 'written', sha256: '', atomic: true }),
		signal: async () => ({ kind: 'sent' }),
		copyFile: async from => ({ kind: 'failed', message: `${from}: not found` }),
	};
}
