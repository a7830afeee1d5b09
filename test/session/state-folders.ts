import { join } from 'node:path';
import { openStateFolder, type StateFolder } from '../../src/session/state-folder.ts';
import { scratchFolder } from '../host/scratch-folder.ts';

export const uid = process.geteuid?.() ?? -1;

/** An empty state folder of its own for one test. */
export async function freshStateFolder(): Promise<StateFolder> {
	const opened = await openStateFolder(join(scratchFolder(), 'state'), { create: true, uid });
	if (opened.kind !== 'open') throw new Error(`no state folder: ${opened.kind}`);
	return opened.folder;
}
