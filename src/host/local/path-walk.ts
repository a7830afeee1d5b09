import { join } from 'node:path';
import { errnoOf, errnoText } from './errno-text.ts';
import type { FileCalls, FileFacts } from './file-calls.ts';

/** Links followed for one path, as in the kernel (path_resolution(7)). */
const longestLinkChain = 40;

export interface Place {
	/** The directory that really holds the file: no link is left in it. */
	readonly directory: string;
	readonly name: string;
	/** True when nobody but root and this process's user could have changed the way to it. */
	readonly trusted: boolean;
}

export interface PlaceProblem {
	readonly kind: 'failed';
	readonly errno: string;
	readonly message: string;
}

export const failedWith = (errno: string, subject: string, more?: string): PlaceProblem => ({
	kind: 'failed',
	errno,
	message: `${subject}: ${errnoText(errno)}${more === undefined ? '' : `; ${more}`}`,
});

/** Nobody else can exchange what lies in a directory like this. In a sticky one, only what they own themselves. */
export function isSafeDirectory(facts: FileFacts, uid: number): boolean {
	const ours = facts.uid === 0 || facts.uid === uid;
	// Members of a group may exchange files too; root's own group has none but root.
	const others = facts.gid === 0 ? 0o002 : 0o022;
	return ours && ((facts.mode & others) === 0 || (facts.mode & 0o1000) !== 0);
}

/**
 * Follows a path link by link, and watches who could have laid the links. A link in the last place is followed only
 * where nobody else could have put it: otherwise the owner of a directory could lead root to /etc/shadow.
 */
export async function findPlace(calls: FileCalls, path: string, uid: number): Promise<Place | PlaceProblem> {
	if (!path.startsWith('/') || path.includes('\0')) return failedWith('EINVAL', path, 'the path must be absolute');
	try {
		return await placeOf(calls, path, uid);
	} catch (error) {
		const errno = errnoOf(error);
		if (errno === 'EUNKNOWN') throw error;
		return failedWith(errno, path);
	}
}

async function placeOf(calls: FileCalls, path: string, uid: number): Promise<Place | PlaceProblem> {
	let rest = partsOf(path);
	let directory = '/';
	let links = 0;
	let trusted = isSafeDirectory(await calls.lstat('/'), uid);
	for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
		if (name === '..') {
			directory = join(directory, '..');
			continue;
		}
		const last = rest.length === 0;
		const here = join(directory, name);
		const facts = await lstatOrMissing(calls, here);
		if (facts?.type === 'link') {
			links += 1;
			if (links > longestLinkChain) return failedWith('ELOOP', path);
			trusted &&= facts.uid === 0 || facts.uid === uid;
			if (last && !trusted)
				return failedWith('ELOOP', here, 'it is a link in a folder that others can change, so it is not followed');
			const target = await calls.readlink(here);
			if (target.startsWith('/')) directory = '/';
			rest = [...partsOf(target), ...rest];
			continue;
		}
		if (last) return { directory, name, trusted };
		if (facts?.type !== 'directory') return failedWith(facts === undefined ? 'ENOENT' : 'ENOTDIR', here);
		trusted &&= isSafeDirectory(facts, uid);
		directory = here;
	}
	return failedWith('EISDIR', path);
}

const partsOf = (path: string): string[] => path.split('/').filter(part => part !== '' && part !== '.');

async function lstatOrMissing(calls: FileCalls, path: string): Promise<FileFacts | undefined> {
	try {
		return await calls.lstat(path);
	} catch (error) {
		if (errnoOf(error) === 'ENOENT') return undefined;
		throw error;
	}
}
