import { join } from 'node:path';
import { openStateDirectory, type StateDirectory } from '../../src/session/state-directory.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';

export const uid = process.geteuid?.() ?? -1;

/** An empty state directory of its own for one test. */
export async function freshStateDirectory(): Promise<StateDirectory> {
	const opened = await openStateDirectory(join(scratchDirectory(), 'state'), { create: true, uid });
	if (opened.kind !== 'open') throw new Error(`no state folder: ${opened.kind}`);
	return opened.directory;
}
