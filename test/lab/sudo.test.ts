/** The built wizard, started by somebody who is not root, with the real sudo on a real terminal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftInOrder, saysHowItLeft } from '../built/shell-around.ts';
import { openTerminal, type Session, terminalEnvironment } from '../built/support-terminal.ts';
import { ctrlC, executeRun } from '../built/walk.ts';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
const password = 'a password';
const prompt = '[sudo] password for anna:';
/** Ink writes it before each frame. */
const frameBegins = '\u001b[?2026h';

describe.skipIf(!lab.available)('somebody who is not root', () => {
	let host: LabHost;

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v1', name: 'sudo' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		await host.exec(['useradd', '--create-home', 'anna']);
		await host.exec(['chpasswd'], { input: `anna:${password}\n` });
		// It remembers nothing, so that a second question could not go unseen.
		await host.writeFile('/etc/sudoers.d/anna', 'anna ALL=(ALL:ALL) ALL\nDefaults timestamp_timeout=0\n', 0o440);
	}, 16 * 60_000);
	afterAll(async () => host?.remove());

	const start = (): Session => {
		const environment = ['--env', 'TERM=xterm-256color', '--env', 'LANG=C.UTF-8', '--env', 'SBXSETUP_CHANGE_ID=CHG 17'];
		// Ctrl+C reaches the shell too.
		const shell = ['sh', '-c', `trap : INT; ${saysHowItLeft('sysbox-setup --only host')}`];
		return openTerminal(
			['docker', 'exec', '--interactive', '--tty', '--user', 'anna', ...environment, host.name, ...shell],
			{ env: terminalEnvironment(), directory: '/' },
		);
	};

	it('is asked for the password once, before anything is drawn, and is root for all that follows', async () => {
		const session = start();
		await session.until(prompt);
		expect(session.screen()).toContain('sudo sysbox-setup --only host');
		expect(session.raw()).not.toContain(frameBegins);
		session.type(`${password}\r`);
		await executeRun(session);
		expect(await leftInOrder(session)).toBe(0);
		expect(session.raw().split(prompt)).toHaveLength(2);
		expect(session.raw()).not.toContain(password);
		// The log names who it was, and what was said in the environment has arrived.
		const { stdout } = await host.exec(['sh', '-c', 'cat /var/lib/sysbox-setup/runs/*/events.ndjson']);
		expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ user: 'anna', changeId: 'CHG 17' });
	});

	it('ends 130 by Ctrl+C at the password, with the terminal in order', async () => {
		const session = start();
		await session.until(prompt);
		session.type(ctrlC);
		expect(await leftInOrder(session)).toBe(130);
		expect(session.raw()).not.toContain(frameBegins);
	});
});
