import { closeSync, constants, openSync, readSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { HostIdentity } from '../../port/host.ts';

/** Reads a small file of the machine; undefined when it cannot be read. Tests hand in their own. */
export type ReadText = (path: string) => string | undefined;

const readText: ReadText = path => {
	try {
		// No more than that, as a file of /etc may be a link to a device that never ends.
		const buffer = Buffer.alloc(4096);
		const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
		try {
			return buffer.toString('utf8', 0, readSync(file, buffer));
		} finally {
			closeSync(file);
		}
	} catch {
		return undefined;
	}
};

/** An id that is new with every boot of the kernel (random(4)); undefined where there is no /proc. */
export function bootId(read: ReadText = readText): string | undefined {
	return filled(read('/proc/sys/kernel/random/boot_id'));
}

/**
 * When a process started, in clock ticks since boot (proc(5), field 22 of `stat`); undefined when it is gone or there is
 * no /proc. With the pid it names a process, as pids are used again.
 */
export function processStartTime(pid: number, read: ReadText = readText): string | undefined {
	const stat = read(`/proc/${pid}/stat`);
	// The program's name stands in brackets and may hold spaces and brackets itself.
	return stat
		?.slice(stat.lastIndexOf(')') + 2)
		.split(' ')
		.at(19);
}

/** The installation's own id (machine-id(5)); undefined in an image that has none yet. */
export function machineId(read: ReadText = readText): string | undefined {
	return ['/etc/machine-id', '/var/lib/dbus/machine-id']
		.map(path => filled(read(path)))
		.find(id => id !== undefined && id !== 'uninitialized');
}

function filled(text: string | undefined): string | undefined {
	const id = text?.trim();
	return id === '' ? undefined : id;
}

/** Who this process is on this machine. */
export function localIdentity(environment: Readonly<Record<string, string | undefined>> = process.env): HostIdentity {
	const uid = process.geteuid?.() ?? -1;
	// Only sudo's own word: without root, the variable is whatever the shell says.
	const behindSudo = uid === 0 ? environment.SUDO_USER : undefined;
	return { hostname: hostname(), pid: process.pid, uid, user: behindSudo || loginName(uid) };
}

function loginName(uid: number): string {
	try {
		return userInfo().username;
	} catch {
		// A uid without an entry in passwd, as in many containers.
		return `uid ${uid}`;
	}
}
