import { absolute } from './file-tree.ts';
import type { Scope } from './world.ts';

const numbers = /^[\d\s-]+$/;

/**
 * What a program gets that reads a file one byte a call, as `read` of a shell does. The kernel answers a second read of
 * a number with end of file; sysbox-fs does so for every file that it emulates, and for some at the first (recorded
 * with Sysbox 0.7.0 and kernel 6.18: `read.probe`, `read.busybox-read`, `read.dd-bs1`).
 */
export function readByteByByte(scope: Scope, path: string, text: string): string {
	const file = absolute(path, scope.cwd);
	const emulated = isInSysbox(scope);
	if (emulated && (file === '/proc/uptime' || file === '/proc/swaps')) return '';
	if (!file.startsWith('/proc/sys/')) return text;
	return emulated || numbers.test(text) ? text.slice(0, 1) : text;
}

/** Sysbox emulates for the containers inside of its containers too. */
const isInSysbox = ({ inside }: Scope): boolean =>
	inside !== undefined && (inside.container.isolation === 'sysbox' || isInSysbox(inside.parent));
