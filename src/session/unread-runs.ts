import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256Schema } from '../model/undo.ts';
import { shellLine } from '../text/shell-line.ts';
import type { LogProblem } from './run-log.ts';
import { keptBytes, type LogAbsence, readLogBytes, readRunLog } from './run-log-files.ts';
import { isRunName, runPaths, type StateDirectory } from './state-directory.ts';

/** A run that may have changed the host, and whose log does not tell what. */
export interface UnreadRun {
	readonly run: string;
	readonly directory: string;
	readonly problem: LogProblem | LogAbsence;
	readonly backups: readonly Backup[];
}

interface Backup {
	readonly file: string;
	readonly size: number;
	/** ISO 8601. */
	readonly at: string;
	/** Its bytes have the sha256 that is its name. */
	readonly intact: boolean;
	/** What it was, by a line of the log that can still be read. */
	readonly was?: string | undefined;
}

/**
 * Runs whose log cannot be read to its end, the newest first. Not one that ended before its first event, with no backup:
 * the log is on disk before anything is changed.
 */
export async function unreadRuns(directory: StateDirectory): Promise<readonly UnreadRun[]> {
	const names = await readdir(directory.runsDirectory).catch((): string[] => []);
	const found: UnreadRun[] = [];
	for (const run of names.filter(isRunName).toSorted().toReversed()) {
		const unread = await unreadRun(directory, run);
		if (unread !== undefined) found.push(unread);
	}
	return found;
}

async function unreadRun(directory: StateDirectory, run: string): Promise<UnreadRun | undefined> {
	const paths = runPaths(directory, run);
	const read = await readRunLog(directory, run);
	if (read.kind === 'events' && read.events[0]?.type === 'run.start') return undefined;
	const backups = await backupsOf(directory, run);
	const nothingBegun = read.kind === 'missing' || (read.kind === 'events' && read.events.length === 0);
	if (nothingBegun && backups.length === 0) return undefined;
	const problem =
		read.kind === 'events'
			? ({ kind: 'corrupt', file: paths.events, line: 1, what: 'it does not say how the run began' } as const)
			: read;
	return { run, directory: paths.directory, problem, backups };
}

async function backupsOf(directory: StateDirectory, run: string): Promise<readonly Backup[]> {
	const { backup, events } = runPaths(directory, run);
	const names = await readdir(backup).catch((): string[] => []);
	const was = filesNamedIn(await readLogBytes(events));
	const found: Backup[] = [];
	for (const name of names.filter(n => sha256Schema.safeParse(n).success).toSorted()) {
		const file = join(backup, name);
		const facts = await stat(file).catch(() => undefined);
		if (facts === undefined) continue;
		const path = was.get(name);
		found.push({
			file,
			size: facts.size,
			at: facts.mtime.toISOString(),
			intact: (await keptBytes(directory, run, name)) !== undefined,
			was: path,
		});
	}
	return found;
}

const fileUndo = z.looseObject({
	undo: z.looseObject({
		kind: z.literal('file'),
		path: z.string(),
		before: z.looseObject({ sha256: z.string() }).nullable(),
		after: z.string().nullable(),
	}),
});

/** What each backup was, by every line that is still whole. */
function filesNamedIn(log: Uint8Array | LogAbsence): ReadonlyMap<string, string> {
	const named = new Map<string, string>();
	if (!(log instanceof Uint8Array)) return named;
	for (const line of Buffer.from(log).toString('utf8').split('\n')) {
		if (!line.includes('"undo"')) continue;
		try {
			const { undo } = fileUndo.parse(JSON.parse(line));
			if (undo.before !== null && !named.has(undo.before.sha256))
				named.set(undo.before.sha256, `${undo.path} before the run`);
			if (undo.after !== null && !named.has(undo.after)) named.set(undo.after, `${undo.path} as the run wrote it`);
		} catch {
			// Not a whole line, or none of an action on a file.
		}
	}
	return named;
}

/** What cannot be read, and where. */
export function unreadSentence({ run, problem }: UnreadRun): string {
	switch (problem.kind) {
		case 'corrupt':
			return `the log of run ${run} cannot be read: ${problem.file}:${problem.line}: ${problem.what}.`;
		case 'newer':
			return `the log of run ${run} was written by a newer version (${problem.version}): ${problem.file}`;
		case 'missing':
			return `the log of run ${run} is gone: ${problem.file}`;
		case 'denied':
			return `the log of run ${run} cannot be read: ${problem.file}: permission denied.`;
		case 'failed':
			return `the log of run ${run} cannot be read: ${problem.file}: ${problem.errno === 'ELOOP' ? 'it is a link' : problem.errno}.`;
		default:
			return problem satisfies never;
	}
}

/** What its backups hold, and what to do: the run can only be reverted by hand. */
export function unreadAdvice({ run, directory, problem, backups }: UnreadRun, state: string): readonly string[] {
	if (problem.kind === 'newer') return ['use that version'];
	if (problem.kind === 'denied') return ['start again as root'];
	return [
		backups.length === 0
			? `it may have changed this host; no backup is in ${directory}/backup`
			: 'it may have changed this host. Its backups:',
		...backups.map(
			({ file, size, at, intact, was }) =>
				`  ${file}  ${size} bytes, ${at}, ${intact ? (was ?? 'of a file that no line names') : 'damaged: not the bytes of its name'}`,
		),
		'compare them with the files of this host, and put back what you need',
		`then move the run out of the way: ${shellLine(['mv', directory, `${state}/unread-${run}`])}`,
	];
}
