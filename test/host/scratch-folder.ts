import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty directory of its own for one test. */
export function scratchDirectory(): string {
	const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sysbox-setup-test-')));
	onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}

export const isRoot = process.geteuid?.() === 0;

/** Does the work as a user who may read little, also in the threads that read files. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
	if (!isRoot) return work();
	process.seteuid?.(65_534);
	try {
		return await work();
	} finally {
		process.seteuid?.(0);
	}
}
