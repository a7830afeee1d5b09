/**
 * The script in this machine's own /bin/sh, below a directory of its own. What it asks of systemd and Docker is answered
 * by small programs that read their answers from files.
 */
import { spawnSync } from 'node:child_process';
import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchdogScript } from '../../src/watchdog/script.ts';
import { sha256 } from '../steps/scripted-docker.ts';

const earlier = '{ "debug": false }\n';
const written = '{ "debug": true }\n';

let root: string;
const at = (path: string): string => join(root, path);
const put = (path: string, text: string, mode = 0o644): void => {
	mkdirSync(join(at(path), '..'), { recursive: true });
	writeFileSync(at(path), text);
	chmodSync(at(path), mode);
};
const file = '/etc/docker/daemon.json';
const script = '/var/lib/sysbox-setup/switch/put-back';

/** What systemd says of docker.service, and whether Docker answers. */
const docker = (state: string, started: string, answers: boolean): void => {
	put('/ActiveState', `${state}\n`);
	put('/ActiveEnterTimestampMonotonic', `${started}\n`);
	put('/answers', `exit ${answers ? 0 : 1}\n`);
};

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), 'switch-'));
	put(file, written);
	put('/var/lib/sysbox-setup/switch/daemon.json', earlier, 0o600);
	put('/run/systemd/transient/sysbox-setup-switch-deadline.timer', '');
	put('/log', '');
	const stub = (name: string, text: string): void => put(`/stubs/${name}`, `#!/bin/sh\n${text}\n`, 0o755);
	stub(
		'systemctl',
		`echo "$*" >>${at('/log')}
if [ "$1" != show ]; then exit 0; fi
property=$\{3#--property=}
cat "${root}/$property" 2>/dev/null || echo 0`,
	);
	stub('docker', `. ${at('/answers')}`);
	stub('logger', `echo "logger $*" >>${at('/log')}`);
	stub('sleep', 'exit 0');
	const text = watchdogScript({
		file,
		written: sha256(written),
		earlier: sha256(earlier),
		running: '100',
		dockerHost: 'unix:///var/run/docker.sock',
		looks: 20,
		afterwards: [],
	});
	const placed = text
		.replace(/^PATH=/m, `PATH=${at('/stubs')}:`)
		.replaceAll(/(?<![\w./])\/(?=etc\/|var\/lib|run\/)/g, `${root}/`);
	put(script, placed, 0o700);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function run(mode: 'watch' | 'deadline' | 'boot'): void {
	const { status, stderr } = spawnSync('/bin/sh', [at(script), mode], { encoding: 'utf8', timeout: 60_000 });
	expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}
const read = (path: string): string => readFileSync(at(path), 'utf8');
const isArmed = (): boolean => (statSync(at(script)).mode & 0o111) !== 0;

describe('the look from arming on', () => {
	test.each([
		['Docker from before answers', 'active', '100', true],
		['Docker was restarted and does not answer', 'active', '200', false],
		['Docker is starting', 'activating', '100', true],
		['systemd says nothing of its start', 'active', '', true],
	] as const)('%s: it stays armed', (_, state, started, answers) => {
		docker(state, started, answers);
		run('watch');
		expect(isArmed()).toBe(true);
	});

	test.each(['deadline', 'boot'] as const)(
		'Docker answers after its restart: nothing is put back any more (%s)',
		by => {
			docker('active', '200', true);
			run('watch');
			expect(isArmed()).toBe(false);
			docker('failed', '200', false);
			run(by);
			expect(read(file)).toBe(written);
			expect(existsSync(at(script))).toBe(false);
			expect(existsSync(at('/var/lib/sysbox-setup/switch'))).toBe(false);
			expect(read('/log')).not.toContain('restart');
		},
	);

	test('nothing waits for the deadline: it stops', () => {
		docker('active', '200', true);
		rmSync(at('/run/systemd/transient/sysbox-setup-switch-deadline.timer'));
		run('watch');
		expect(read('/log')).toBe('stop sysbox-setup-switch-watch.timer\n');
	});
});

describe('putting back', () => {
	beforeEach(() => docker('failed', '100', false));

	test('keeps the mode, leaves nothing beside the file, and starts Docker', () => {
		chmodSync(at(file), 0o640);
		run('deadline');
		expect(read(file)).toBe(earlier);
		expect(statSync(at(file)).mode & 0o777).toBe(0o640);
		expect(readdirSync(at('/etc/docker'))).toEqual(['daemon.json']);
		expect(read('/log')).toContain('restart docker.service');
	});

	test('follows no link that somebody has laid beside the file', () => {
		put('/etc/shadow', 'theirs\n');
		symlinkSync(at('/etc/shadow'), at(`${file}.sysbox-setup-switch`));
		symlinkSync(at('/etc/shadow'), at(`${file}.sysbox-setup-switch.old`));
		run('deadline');
		expect(read('/etc/shadow')).toBe('theirs\n');
		expect(read(file)).toBe(earlier);
		expect(lstatSync(at(file)).isFile()).toBe(true);
	});

	test('leaves a link alone that somebody has put in the place of the file', () => {
		rmSync(at(file));
		put('/etc/theirs', written);
		symlinkSync(at('/etc/theirs'), at(file));
		run('deadline');
		expect(read('/etc/theirs')).toBe(written);
		expect(lstatSync(at(file)).isSymbolicLink()).toBe(true);
		expect(read('/var/lib/sysbox-setup/switch/fired')).toContain('did=left-file\n');
	});
});
