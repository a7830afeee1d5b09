import type { ReadHost } from '../port/host.ts';
import { type Reading, read, unreadable, valueIn } from './reading.ts';
import { readTextOr } from './text-file.ts';

export interface IdRange {
	readonly user: string;
	readonly start: number;
	readonly count: number;
	/** In the file, from 1. */
	readonly line: number;
}

export interface SubordinateIds {
	readonly ranges: readonly IdRange[];
	/** Lines that are neither a range, nor empty, nor a comment. */
	readonly strangers: readonly { readonly line: number; readonly text: string }[];
}

/** /etc/subuid or /etc/subgid: `user:start:count` lines. */
export function parseSubordinateIds(text: unknown): Reading<SubordinateIds> {
	if (typeof text !== 'string') return unreadable('the file of subordinate ids is no text');
	const ranges: IdRange[] = [];
	const strangers: { line: number; text: string }[] = [];
	for (const [index, line] of text.split('\n').entries()) {
		if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
		const found = /^([^:\s]+):(\d+):(\d+)\s*$/.exec(line);
		if (found?.[1] === undefined) strangers.push({ line: index + 1, text: line });
		else ranges.push({ user: found[1], start: Number(found[2]), count: Number(found[3]), line: index + 1 });
	}
	return read({ ranges, strangers });
}

/** Both files of subordinate ids; undefined where one cannot be read. */
export async function inspectSubordinateIds(
	host: ReadHost,
): Promise<{ readonly subuid: SubordinateIds | undefined; readonly subgid: SubordinateIds | undefined }> {
	const [uids, gids] = await Promise.all([readTextOr(host, '/etc/subuid'), readTextOr(host, '/etc/subgid')]);
	return { subuid: valueIn(parseSubordinateIds(uids)), subgid: valueIn(parseSubordinateIds(gids)) };
}

/** The range that Sysbox would use, or what is wrong with the two files for it. */
export type UserRange =
	| { readonly kind: 'one'; readonly start: number; readonly count: number }
	| { readonly kind: 'none' }
	/** sysbox-runc takes one element only (nestybox/sysbox, troubleshooting guide). */
	| { readonly kind: 'duplicate'; readonly file: 'subuid' | 'subgid'; readonly lines: readonly number[] }
	/** sysbox-mgr finds no matching pair (nestybox/sysbox#566). */
	| { readonly kind: 'mismatch'; readonly uid: readonly IdRange[]; readonly gid: readonly IdRange[] }
	| { readonly kind: 'too-small'; readonly start: number; readonly count: number };

/** Ids that one container needs, by sysbox-runc's own check. */
export const neededIds = 65536;

/** Looks at what both files give a user. A uid range with an equal gid range is what Sysbox asks for. */
export function userRange(uids: SubordinateIds, gids: SubordinateIds, user: string): UserRange {
	const uid = uids.ranges.filter(r => r.user === user);
	const gid = gids.ranges.filter(r => r.user === user);
	if (uid.length === 0 && gid.length === 0) return { kind: 'none' };
	if (uid.length > 1) return { kind: 'duplicate', file: 'subuid', lines: uid.map(r => r.line) };
	if (gid.length > 1) return { kind: 'duplicate', file: 'subgid', lines: gid.map(r => r.line) };
	const [u] = uid;
	const [g] = gid;
	if (u === undefined || g === undefined || u.start !== g.start || u.count !== g.count)
		return { kind: 'mismatch', uid, gid };
	return u.count < neededIds
		? { kind: 'too-small', start: u.start, count: u.count }
		: { kind: 'one', start: u.start, count: u.count };
}
