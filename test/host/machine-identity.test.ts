import { describe, expect, it } from 'vitest';
import { bootId, localIdentity, machineId, processStartTime } from '../../src/host/local/machine-identity.ts';

const files =
	(content: Readonly<Record<string, string>>) =>
	(path: string): string | undefined =>
		content[path];

describe('when a process started', () => {
	const stat = (name: string): string =>
		`42 (${name}) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200 18446744073709551615`;

	it.each(['node', 'a b', 'x) S 1 (y', ''])('is read from its line for a program called “%s”', name => {
		expect(processStartTime(42, files({ '/proc/42/stat': stat(name) }))).toBe('98765');
	});

	it('is unknown for a process that is gone', () => {
		expect(processStartTime(42, files({}))).toBeUndefined();
	});

	it.runIf(process.platform === 'linux')('is there for this process, and stays the same', () => {
		expect(processStartTime(process.pid)).toMatch(/^\d+$/);
		expect(processStartTime(process.pid)).toBe(processStartTime(process.pid));
	});
});

describe('the ids of a machine', () => {
	it('are read without their line end', () => {
		expect(bootId(files({ '/proc/sys/kernel/random/boot_id': 'abc\n' }))).toBe('abc');
		expect(machineId(files({ '/etc/machine-id': 'abc\n' }))).toBe('abc');
		expect(machineId(files({ '/etc/machine-id': '\n', '/var/lib/dbus/machine-id': 'def\n' }))).toBe('def');
	});

	it('are unknown in an image that was never booted', () => {
		expect(machineId(files({ '/etc/machine-id': 'uninitialized\n' }))).toBeUndefined();
		expect(bootId(files({}))).toBeUndefined();
	});
});

describe('the person behind this process', () => {
	it.runIf(process.geteuid?.() === 0)('is who used sudo', () => {
		expect(localIdentity({ SUDO_USER: 'anna' }).user).toBe('anna');
		expect(localIdentity({ SUDO_USER: '' }).user).toBe('root');
	});

	it.skipIf(process.geteuid?.() === 0)('is not who a variable names, without root', () => {
		expect(localIdentity({ SUDO_USER: 'anna' }).user).not.toBe('anna');
	});
});
