import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/**
 * Reads descriptor 3 until this process is gone, and only then takes over what it read from the command. The pipes do
 * not wait (O_NONBLOCK is of the open file, libuv sets it): a cat that finds nothing yet fails, and is started again.
 */
const script = `
	read -r _ <&3
	until cat <&5 >/dev/null 2>&1; do sleep 0.2; done &
	until cat <&4 >/dev/null 2>&1; do sleep 0.2; done
	wait
`;

/**
 * Lets a command live to its own end when this process is ended in the middle: somebody goes on reading its output.
 * Into a pipe that nobody reads it would get SIGPIPE at its next line, and dpkg would stop half way through a package.
 * Returns how the reader is sent away when the command has ended. Where it cannot be started the command runs without.
 */
export function readOnWhenGone(command: {
	readonly stdout?: Readable | null | undefined;
	readonly stderr?: Readable | null | undefined;
}): () => void {
	const { stdout, stderr } = command;
	if (stdout == null || stderr == null) return () => undefined;
	let reader: ChildProcess;
	try {
		// Not as one of the first three, which libuv would make blocking for us too.
		reader = spawn('/bin/sh', ['-c', script], {
			cwd: '/',
			detached: true,
			stdio: ['ignore', 'ignore', 'ignore', 'pipe', stdout, stderr],
			env: { PATH: '/usr/bin:/bin' },
		});
	} catch {
		return () => undefined;
	}
	reader.on('error', () => undefined);
	reader.unref();
	const { pid } = reader;
	return () => {
		if (pid === undefined || reader.exitCode !== null) return;
		try {
			process.kill(-pid, 'SIGKILL');
		} catch {
			// It has ended.
		}
	};
}
