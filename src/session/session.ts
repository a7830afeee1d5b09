import { lstat, rename } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { errnoOf } from '../host/local/errno-text.ts';
import type { DataOf } from '../model/data.ts';
import { answersSchema } from '../model/question.ts';
import { isRunName, type StateDirectory, syncDirectory } from './state-directory.ts';
import { sessionVersion, upgradeSession } from './upgrade.ts';

export const sessionFileSchema = z.object({
	version: z.literal(sessionVersion),
	/** The run to go on with: a directory under `runs`. */
	run: z.string().refine(isRunName, 'is not the name of a run'),
	/** Of the machine that it was made on (machine-id(5)); empty where there is none. */
	machineId: z.string(),
	answers: answersSchema,
	/** The step that comes next. */
	cursor: z.string().optional(),
	/** Version of the tool that wrote it. */
	tool: z.string(),
	/** ISO 8601. */
	updatedAt: z.string(),
});

/** What is remembered between runs: which run is open and what was answered. Facts about the host never are. */
export type Session = Omit<DataOf<typeof sessionFileSchema>, 'version'>;

export type SessionRead =
	| { readonly kind: 'session'; readonly session: Session }
	| { readonly kind: 'missing' }
	| { readonly kind: 'corrupt'; readonly file: string; readonly what: string }
	| { readonly kind: 'newer'; readonly file: string /** Version of the tool that made it. */; readonly version: string }
	| { readonly kind: 'other-machine'; readonly file: string; readonly session: Session }
	| { readonly kind: 'denied'; readonly file: string }
	| { readonly kind: 'failed'; readonly file: string; readonly errno: string };

export type SessionWrite =
	| { readonly kind: 'saved' }
	| { readonly kind: 'failed'; readonly file: string; readonly errno: string };

/** Answers are a few kilobytes. */
const mostSessionBytes = 4 * 1024 * 1024;

const anyVersion = z.looseObject({ version: z.number(), tool: z.string().optional() });

/** Reads the session once and checks it. `machineId` is this machine's; a session of another one is told apart. */
export async function readSession(directory: StateDirectory, machineId: string | undefined): Promise<SessionRead> {
	const file = directory.sessionFile;
	let stored: Readonly<Record<string, unknown>>;
	try {
		// conf makes no difference between a missing file and an empty one, and would follow a link.
		const facts = await lstat(file);
		if (!facts.isFile()) return { kind: 'corrupt', file, what: 'it is not a file' };
		if (facts.size > mostSessionBytes)
			return { kind: 'corrupt', file, what: `it has more than ${mostSessionBytes} bytes` };
		stored = (await openConf(directory)).store;
	} catch (error) {
		if (error instanceof SyntaxError) return { kind: 'corrupt', file, what: 'it is not JSON' };
		const errno = errnoOf(error);
		if (errno === 'ENOENT') return { kind: 'missing' };
		return errno === 'EACCES' || errno === 'EPERM' ? { kind: 'denied', file } : { kind: 'failed', file, errno };
	}
	const shape = anyVersion.safeParse(stored);
	if (!shape.success) return { kind: 'corrupt', file, what: 'it names no version' };
	if (shape.data.version > sessionVersion)
		return { kind: 'newer', file, version: shape.data.tool ?? `session format ${shape.data.version}` };
	const parsed = sessionFileSchema.safeParse(upgradeSession(stored));
	if (!parsed.success) {
		const issue = parsed.error.issues[0];
		return {
			kind: 'corrupt',
			file,
			what:
				issue === undefined
					? 'it has another shape'
					: [issue.path.join('.'), issue.message].filter(part => part !== '').join(': '),
		};
	}
	const { version: _, ...session } = parsed.data;
	const elsewhere = machineId !== undefined && session.machineId !== '' && session.machineId !== machineId;
	return elsewhere ? { kind: 'other-machine', file, session } : { kind: 'session', session };
}

/** Writes the whole session in one go (0600, temporary file, fsync, rename). At step boundaries, never per line. */
export async function saveSession(directory: StateDirectory, session: Session): Promise<SessionWrite> {
	const file = directory.sessionFile;
	// Through JSON, as that is what comes back: `undefined` is left out.
	const content: Record<string, unknown> = JSON.parse(JSON.stringify({ version: sessionVersion, ...session }));
	try {
		const conf = await openConf(directory, { anyContent: true });
		withoutSnap(() => {
			conf.store = content;
		});
		// Read back at once: conf does not notice when a full disk takes only half of what it writes.
		if (!isDeepStrictEqual({ ...conf.store }, content)) return { kind: 'failed', file, errno: 'ENOSPC' };
		await syncDirectory(directory.path);
		return { kind: 'saved' };
	} catch (error) {
		const errno = error instanceof SyntaxError ? 'ENOSPC' : errnoOf(error);
		if (errno === 'EUNKNOWN') throw error;
		return { kind: 'failed', file, errno };
	}
}

/**
 * Moves the session file aside, for `--fresh`: nothing is deleted. Returns its new path, or undefined when there was
 * none.
 */
export async function moveSessionAside(directory: StateDirectory, now: Date): Promise<string | undefined> {
	const aside = `${directory.sessionFile}.${now.toISOString().replaceAll(':', '')}`;
	try {
		await rename(directory.sessionFile, aside);
	} catch (error) {
		if (errnoOf(error) === 'ENOENT') return undefined;
		throw error;
	}
	await syncDirectory(directory.path);
	return aside;
}

/** conf gives path, atomic write and mode. Its own migrations and defaults are not used, as they hide what went wrong. */
async function openConf(directory: StateDirectory, options: { readonly anyContent?: boolean } = {}) {
	// Loaded here, as it costs 90 ms and most commands have no session.
	const { default: Conf } = await import('conf');
	return new Conf<Record<string, unknown>>({
		// Without it, conf would put the file into ~/.config, under sudo as root's file in the operator's home.
		cwd: dirname(directory.sessionFile),
		configName: basename(directory.sessionFile, extname(directory.sessionFile)),
		configFileMode: 0o600,
		accessPropertiesByDotNotation: false,
		projectName: 'sysbox-setup',
		projectVersion: '0.0.0',
		// What is about to be replaced may be broken.
		...(options.anyContent === true && { clearInvalidConfig: true }),
	});
}

/** conf gives up atomic writes where `SNAP` is set, which it is for everything under a Node that came as a snap. */
function withoutSnap(work: () => void): void {
	const { SNAP } = process.env;
	delete process.env.SNAP;
	try {
		work();
	} finally {
		if (SNAP !== undefined) process.env.SNAP = SNAP;
	}
}
