import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Session, startInTerminal } from './support-terminal.ts';

const enter = '\r';

/** From the start screen to the first question. */
async function begin(session: Session): Promise<void> {
	await session.until('❯ Begin');
	session.type(enter);
	await session.until('Install fuse3 and jq?');
}

/** Takes what is shown until the end, as somebody does who presses Enter all the way. */
async function pressOn(session: Session): Promise<void> {
	const stops: readonly (string | RegExp)[] = [
		'❯ Begin',
		'Install fuse3 and jq?',
		'❯ Do it',
		'❯ Do all 5',
		'default runtime of all containers?',
		'❯ Do it',
		'For which CI systems',
		'Into which folder?',
		'Which image do jobs',
		'How much memory',
		'How many processors',
		'How many processes',
		"GitLab's address?",
		'❯ Do all 4',
		'has a registry',
		'❯ Do all 2',
		/6 of 8[\s\S]*❯ Start/,
		/7 of 8[\s\S]*❯ Start/,
		'Who looks after this host?',
		'looked at again?',
		'❯ Leave',
	];
	for (const stop of stops) {
		await session.until(stop);
		session.type(enter);
	}
}

describe('the wizard', () => {
	it('goes from the first frame to the record with Enter alone', async () => {
		const session = startInTerminal();
		await pressOn(session);
		expect(await session.ended).toBe(0);
		const raw = session.raw();
		expect(session.screen()).toContain('Undo');
		expect(session.screen()).toContain('10 of 10 held');
		expect(raw).not.toContain('\u001b[3J');
		expect(raw).not.toContain('unique "key"');
		expect(session.tallest()).toBeLessThanOrEqual(23);
	});

	it('ends 130 after Ctrl+C, saves, and goes on where it was', async () => {
		const first = startInTerminal();
		await begin(first);
		first.type(enter);
		await first.until('❯ Do it');
		first.type('\u0003');
		expect(await first.ended).toBe(130);
		expect(first.screen()).toContain('Stopped and saved');
		await first.until(/Go on {5}sysbox-setup --demo --session-dir/);

		const second = startInTerminal({ folder: first.folder });
		await second.until('This run was left');
		await second.until('❯ Go on with step 1');
		second.type(enter);
		await second.until('Install fuse3 and jq?');
		second.type('q');
		await second.until('❯ Leave');
		second.type(enter);
		expect(await second.ended).toBe(4);
	});

	it('ends 143 after SIGTERM and 129 when it is hung up', async () => {
		for (const [signal, code] of [
			['SIGTERM', 143],
			['SIGHUP', 129],
		] as const) {
			const session = startInTerminal();
			await begin(session);
			session.kill(signal);
			expect(await session.ended).toBe(code);
		}
	});

	it('gives the terminal back in its normal mode, also after it was killed by a second Ctrl+C', async () => {
		const session = startInTerminal({
			shell: program =>
				`${program}; echo "code $?"; stty -a | tr ';' '\\n' | grep -o -- '-\\?icanon\\|-\\?echo ' | tr '\\n' ' '; echo end`,
		});
		await begin(session);
		session.type('\u0003\u0003');
		await session.until(/code 130[\s\S]*end/);
		expect(session.screen()).toMatch(/(^|\s)icanon/);
		expect(session.screen()).not.toContain('-icanon');
		expect(session.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThan(session.raw().lastIndexOf('\u001b[?25l'));
		expect(session.raw().lastIndexOf('\u001b[?2004l')).toBeGreaterThan(session.raw().lastIndexOf('\u001b[?2004h'));
	});

	it('is stopped by Ctrl+Z and drawn anew in the foreground', async () => {
		const session = startInTerminal({ shell: program => `set -m; ${program}; echo halted; fg; echo "code $?"` });
		await begin(session);
		session.type('\u001a');
		await session.until(/halted[\s\S]*Install fuse3 and jq\?/);
		session.type('q');
		await session.until('❯ Leave');
		session.type(enter);
		await session.until('code 4');
	});

	it('follows the window, down to one sentence and back', async () => {
		const session = startInTerminal();
		await begin(session);
		session.resize(60, 24);
		await session.until('Install fuse3 and jq?');
		session.resize(30, 8);
		await session.until('This window is 30 x 8');
		session.resize(80, 24);
		await session.until('Install fuse3 and jq?');
		session.resize(200, 60);
		await session.until('Install fuse3 and jq?');
		expect(session.raw()).not.toContain('\u001b[3J');
		session.type('\u0003');
		await session.ended;
	});

	it('reads at 60 columns', async () => {
		const session = startInTerminal({ columns: 60 });
		await begin(session);
		session.type(enter);
		await session.until('❯ Do it');
		expect(session.screen()).toContain('q quit');
		expect(session.tallest()).toBeLessThanOrEqual(23);
		session.type('\u0003');
		await session.ended;
	});

	it('draws where CI is set', async () => {
		const session = startInTerminal({ env: { CI: 'true' } });
		await begin(session);
		session.type('\u0003');
		expect(await session.ended).toBe(130);
	});

	it('uses no colour with NO_COLOR, and words and marks still tell', async () => {
		const session = startInTerminal({ env: { NO_COLOR: '1' } });
		await begin(session);
		expect(session.screen()).toContain('✖ to do');
		expect(session.raw()).not.toMatch(/\u001b\[[0-9;]*m/);
		session.type('\u0003');
		await session.ended;
	});

	it('keeps to ASCII where the locale is not UTF-8', async () => {
		const session = startInTerminal({ env: { LANG: 'C', LC_ALL: 'C' } });
		await session.until('> Begin');
		session.type(enter);
		await session.until('Install fuse3 and jq?');
		expect(session.screen()).toContain('x to do');
		expect(session.screen()).not.toMatch(/[✔▲✖❯─↑]/);
		session.type('\u0003');
		await session.ended;
	});

	it('asks plain questions where the terminal draws nothing, for screen readers, and with --plain', async () => {
		for (const options of [
			{ shell: (program: string) => `TERM=dumb ${program}` },
			{ env: { INK_SCREEN_READER: 'true' } },
			{ args: ['--plain'] },
		]) {
			const session = startInTerminal(options);
			await session.until('host.install-tools [yes]');
			expect(session.raw()).not.toContain('\u001b[?25l');
			session.type('q\r');
			expect(await session.ended).toBe(4);
		}
	});

	it('goes back until something was applied', async () => {
		const session = startInTerminal();
		await begin(session);
		session.type('n');
		await session.until('❯ Look again');
		session.type('b');
		await session.until(/1 of 8[\s\S]*❯ No/);
		session.type('\u0003');
		await session.ended;
	});
});

describe('what is loaded', () => {
	it('is Ink only where it draws', () => {
		const main = readFileSync(join(import.meta.dirname, '../../dist/main.js'), 'utf8');
		expect(main).not.toContain('ink-root');
	});
});
