import { userInfo } from 'node:os';
import type { Argv, ExecOptions, ExecResult, WriteHost } from '../../port/host.ts';
import type { CommandWay } from './command.ts';
import { copyFile } from './copy-file.ts';
import { errnoOf } from './errno-text.ts';
import { fileReader } from './file-reader.ts';
import { localIdentity } from './machine-identity.ts';
import { rootFileWriter } from './root-file-writer.ts';

/** How long a program may take to judge a file before it is put in place. */
const validateTimeoutMs = 30_000;

export interface LocalHostOptions {
	/**
	 * Stands in front of every path of a file operation, for a test tree. Commands are not confined by it, and absolute
	 * links inside it lead out of it.
	 */
	readonly root?: string | undefined;
	/** Where the children's environment comes from. Default: this process's. */
	readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** This machine. */
export function localHost(options: LocalHostOptions = {}): WriteHost {
	const root = options.root ?? '';
	const hostPath = (path: string): string => root + path;
	const environment = options.environment ?? process.env;
	const identity = localIdentity(environment);
	// Not HOME, which sudo may have left as the user's.
	const rootHome = identity.uid === 0 ? userInfo().homedir : undefined;
	const run: WriteHost['run'] = (argv, execOptions) =>
		command(argv, execOptions, { changesHost: true, hostPath, environment, rootHome });
	const exec: WriteHost['exec'] = (argv, execOptions) =>
		command(argv, execOptions, { changesHost: false, hostPath, environment, rootHome });
	const writer = rootFileWriter({ uid: identity.uid, run: argv => exec(argv, { timeoutMs: validateTimeoutMs }) });
	return {
		kind: 'local',
		identity,
		exec,
		run,
		...fileReader(root),
		replaceFile: (path, bytes, how) => writer.replaceFile(hostPath(path), bytes, how),
		removeFile: (path, how) => writer.removeFile(hostPath(path), how),
		makeDirectory: (path, how) => writer.makeDirectory(hostPath(path), how),
		removeDirectory: path => writer.removeDirectory(hostPath(path)),
		signal: async (pid, name) => signalProcess(pid, name),
		copyFile: (from, to, how) => copyFile(hostPath(from), hostPath(to), how, identity.uid),
	};
}

/** What starts commands is loaded with the first one: the wizard's first screen is drawn before any is run. */
async function command(argv: Argv, options: ExecOptions, way: CommandWay): Promise<ExecResult> {
	const { runCommand } = await import('./command.ts');
	return runCommand(argv, options, way);
}

function signalProcess(
	pid: number,
	name: 'SIGHUP' | 'SIGTERM' | 'SIGQUIT',
): { readonly kind: 'sent' | 'no-such-process' | 'denied' } {
	// 0 and negative numbers address whole groups, and 1 is the machine's init.
	if (!Number.isSafeInteger(pid) || pid <= 1) return { kind: 'denied' };
	try {
		process.kill(pid, name);
		return { kind: 'sent' };
	} catch (error) {
		return { kind: errnoOf(error) === 'ESRCH' ? 'no-such-process' : 'denied' };
	}
}
