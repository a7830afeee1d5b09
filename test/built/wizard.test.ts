import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { endState, hostOf, recordOf } from './end-state.ts';
import { emptyDirectory, run } from './program.ts';
import { expectSoundDrawing, has } from './shell-around.ts';
import {
	openTerminal,
	type Session,
	sessionDirectory,
	startInTerminal,
	terminalEnvironment,
} from './support-terminal.ts';
import { allAtOnce, ctrlC, enter, escapeKey, executeRun, placeOf } from './walk.ts';

/** The first question of the usual demo. */
const firstQuestion = 'Install fuse3 and jq?';

const leave = async (session: Session): Promise<void> => {
	session.type(ctrlC);
	await session.ended;
};

/** The threat table is what a record comes to. */
const threats = (record: string): readonly string[] =>
	record
		.split('\n')
		.filter(line =>
			/^\| (Privileged container escape|Host resource abuse|Docker daemon compromise|Job to job) \|/.test(line),
		);

describe('a restart from which Docker does not come up', () => {
	it('is put back, says so on the screen, and is not begun a second time for what is in force by then', async () => {
		const session = startInTerminal({ args: ['--demo=docker-stays-down'] });
		const restart = { shows: 'Restart Docker now for bip?', keys: 'y' };
		const now = { shows: '❯ Pause the runner', keys: '\u001b[B\u001b[B\r' };
		const name = { shows: 'type  restart-docker  and press enter', keys: `restart-docker${enter}` };
		const stops = [restart, now, { shows: /❯ Go back\s+Do it/, keys: '\u001b[C\r' }, name];
		await executeRun(session, { stops, to: '❯ Try again' });
		expect(session.screen()).toContain('Failed: Restart Docker');
		expect(session.screen()).toMatch(/now +taken back: systemctl reset-failed docker; systemctl restart docker\n/);
		expect(session.screen()).not.toContain('that stays');
		expect(session.screen()).not.toContain('not begun');
		await executeRun(session, { stops, to: placeOf('ci') });
		expect(session.everything()).toMatch(
			/✔ 4 Docker reload or restart +done +Restart Docker: failed, yet in force now/,
		);
		await leave(session);
	});
});

describe('a run that is held to a saved plan, and answered otherwise', () => {
	it('shows the difference, looks again, and leads back to the answer', async () => {
		const directory = emptyDirectory('keep');
		onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
		const file = join(directory, 'plan.json');
		const planned = await run(['--demo', '--session-dir', join(directory, 'state'), 'plan', '--out', file], {
			cwd: directory,
		});
		expect(planned.exit, planned.stderr).toBe(4);
		const session = startInTerminal({ args: ['--plan', file] });
		await executeRun(session, {
			stops: [{ shows: 'Into which folder?', keys: '/root/other-ci\r' }],
			to: '❯ Look again',
		});
		expect(session.screen()).toContain('- mkdir -m 755 /root/sysbox-ci');
		expect(session.screen()).toContain('+ mkdir -m 755 /root/other-ci');
		const shown = () => session.raw().split('❯ Look again').length;
		const before = shown();
		session.type(enter);
		await session.until(() => shown() > before);
		session.type('b');
		await session.until('How many processes may');
		await leave(session);
	});
});

describe('a whole run', () => {
	let unattended: string;
	beforeAll(async () => {
		unattended = emptyDirectory('keep');
		const { exit, stderr } = await run(['--demo', '--yes', '--session-dir', join(unattended, 'state')], {
			cwd: unattended,
		});
		expect(exit, stderr).toBe(0);
		return () => rmSync(unattended, { recursive: true, force: true });
	});

	it('is announced before it is known, and what was said then makes room for the start screen', async () => {
		const session = startInTerminal();
		await session.until('❯ Begin');
		await session.written('Reading what earlier runs left here');
		expect(session.everything()).not.toContain('Reading what earlier runs left here');
		expect(session.screen().split('\n')[0]).toMatch(/^ sysbox-setup \S+ on ci-07$/);
		await leave(session);
	});

	it('goes from the first frame to the record with Enter alone, and leaves what --yes leaves', async () => {
		const session = startInTerminal();
		const screens = await executeRun(session, { stops: allAtOnce });
		expect(await session.ended).toBe(0);
		expect(screens.length).toBeLessThanOrEqual(9);
		expect(session.everything()).toContain('10/10');
		expectSoundDrawing(session);
		const host = hostOf(session.directory);
		const without = hostOf(join(unattended, 'state'));
		expect(endState(host)).toEqual(endState(without));
		expect(threats(recordOf(host))).toEqual(threats(recordOf(without)));
		expect(threats(recordOf(host))).toHaveLength(4);
	});

	it('asks the same in plain lines, and leaves the same', async () => {
		const session = startInTerminal({ args: ['--plain'] });
		// By what was written last: the echo of Enter scrolls a full screen, and leaves its last words on it.
		// Behind a prompt as wide as the screen readline writes one more space.
		await executeRun(session, { waits: () => / > {1,2}(\u001b\[\d*[A-Z])*$/.test(session.raw()) });
		expect(await session.ended).toBe(0);
		expect(session.raw()).not.toContain('\u001b[?25l');
		const host = hostOf(session.directory);
		const without = hostOf(join(unattended, 'state'));
		expect(endState(host)).toEqual(endState(without));
		expect(threats(recordOf(host))).toEqual(threats(recordOf(without)));
	});
});

describe('the keys of a run', () => {
	const yes = { shows: 'Restart Docker now for bip?', keys: 'y' };
	const names = ['restart-docker', 'stop-containers'].map(name => ({
		shows: new RegExp(`type\\s+${name}\\s+and press enter`),
		keys: `${name}${enter}`,
	}));
	const toRisk = { shows: /❯ Go back\s+Do it/, keys: '\u001b[B\r' };

	it.each([
		['fresh-ubuntu', [], 4],
		['already-set-up', [], 4],
		['containers-running', [yes, toRisk, ...names], 20],
	])('are few on %s', async (scenario, stops, most) => {
		const session = startInTerminal({ args: [`--demo=${scenario}`] });
		const screens = await executeRun(session, { stops: [...stops, ...allAtOnce] });
		await session.ended;
		expect(screens.length, screens.join('\n')).toBeLessThanOrEqual(most);
	});

	it('are two where nothing is left to do', async () => {
		const first = startInTerminal();
		await executeRun(first, { stops: allAtOnce });
		await first.ended;
		const second = startInTerminal({ directory: first.directory });
		const screens = await executeRun(second, { stops: allAtOnce });
		expect(await second.ended).toBe(0);
		expect(screens.length, screens.join('\n')).toBeLessThanOrEqual(2);
	});
});

describe('the keyboard', () => {
	it('takes what is typed in one piece: the line, and its Enter', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: 'Into which folder?' });
		session.type('/srv/ci-fast\r');
		await session.until("What is your GitLab's address?");
		await executeRun(session, { to: 'Make the folder /srv/ci-fast' });
		await leave(session);
	});

	it('takes arrows that come in one piece with Enter', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: firstQuestion });
		session.type('\u001b[C\u001b[D\u001b[C\r');
		// "No" was marked, so the host lacks what it needs.
		await session.until('❯ Look again');
		await leave(session);
	});

	it('does not answer a screen that was not seen yet with the second Enter of two', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: firstQuestion });
		session.type('\r\r');
		await session.until('Which image do jobs');
		expect(hostOf(session.directory).packages['fuse3']).toBeUndefined();
		await leave(session);
	});

	it('never submits a paste, also one of many lines', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: 'Into which folder?' });
		session.type('\u001b[200~/srv/pasted\nrm -rf /\ny\n\u001b[201~');
		await session.until('/srv/pasted');
		expect(session.screen()).toContain('Into which folder?');
		session.type('\u0015/srv/ci\r');
		await session.until("What is your GitLab's address?");
		await leave(session);
	});

	it('takes no answer out of a paste where there is no line to type', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: '❯ Do all 3' });
		session.type('\u001b[200~y\n\n\n\u001b[201~');
		// The help comes, as it is asked for behind the paste: the plan still waits below it.
		session.type('?');
		await session.until(screen => !screen.includes('❯ Do all 3'));
		session.type(escapeKey);
		await session.until('❯ Do all 3');
		expect(hostOf(session.directory).packages['fuse3']).toBeUndefined();
		await leave(session);
	});

	it('goes back until something was applied', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: firstQuestion });
		session.type('n');
		await session.until('❯ Look again');
		session.type('b');
		await session.until(new RegExp(`${placeOf('host')}[\\s\\S]*❯ No`));
		await leave(session);
	});

	it('pages through everything and finds words in it, then asks what it asked', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: firstQuestion });
		session.type('v');
		await session.until(/rows 1 to \d+ of \d+/);
		session.type('G');
		await session.until(screen => /rows (\d+) to (\d+) of \2/.test(screen));
		session.type('g/');
		await session.until(screen => /^\s*\/_?\s*$/m.test(screen));
		session.type('fusermount3\r');
		await session.until(screen => /fusermount3/.test(screen) && !/rows 1 to /.test(screen));
		session.type('/no-such-word\r');
		await session.until('no-such-word');
		session.type('q');
		await session.until(`❯ Yes`);
		expect(session.screen()).toContain(firstQuestion);
		expectSoundDrawing(session);
		await leave(session);
	});
});

describe('the window', () => {
	it('is followed, down to one sentence and back', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: firstQuestion });
		for (const [columns, rows, shown] of [
			[60, 24, firstQuestion],
			[30, 8, 'This window is 30 x 8'],
			[80, 24, firstQuestion],
			[200, 60, firstQuestion],
		] as const) {
			session.resize(columns, rows);
			await session.until(shown);
		}
		expect(session.raw()).not.toContain('\u001b[3J');
		await leave(session);
	});

	it('may change while something runs, again and again, and the run comes to its end', async () => {
		const session = startInTerminal();
		await executeRun(session, { to: '❯ Do all 5' });
		session.type(enter);
		for (const [columns, rows] of [
			[60, 20],
			[132, 43],
			[44, 12],
			[80, 24],
		] as const) {
			const before = session.frames();
			session.resize(columns, rows);
			await session.until(() => session.frames() > before);
		}
		await executeRun(session);
		expect(await session.ended).toBe(0);
		expect(session.raw()).not.toContain('\u001b[3J');
	});

	it('of 20 by 5 holds one clear sentence, and Ctrl+C still works', async () => {
		const session = startInTerminal({ columns: 20, rows: 5 });
		await session.until(screen => screen.replace(/\s+/g, ' ').includes('This window is 20 x 5; make it at least'));
		expect(session.tallest()).toBeLessThanOrEqual(4);
		session.type(ctrlC);
		expect(await session.ended).toBe(130);
	});

	it('of 60 columns is enough for the whole walk', async () => {
		const session = startInTerminal({ columns: 60 });
		const screens = await executeRun(session);
		expect(await session.ended).toBe(0);
		expectSoundDrawing(session);
		// The way out is on every screen that waits.
		for (const screen of screens) expect(screen).toMatch(/quit/);
	});

	it('of 200 by 60 is not filled from edge to edge', async () => {
		const session = startInTerminal({ columns: 200, rows: 60 });
		await executeRun(session, { to: '❯ Do all 5' });
		expectSoundDrawing(session, 60);
		expect(
			Math.max(
				...session
					.screen()
					.split('\n')
					.map(row => row.length),
			),
		).toBeLessThan(140);
		await leave(session);
	});
});

describe('the terminal', () => {
	it('is drawn on where CI is set', async () => {
		const session = startInTerminal({ env: { CI: 'true', CONTINUOUS_INTEGRATION: '1' } });
		await executeRun(session, { to: firstQuestion });
		session.type(ctrlC);
		expect(await session.ended).toBe(130);
	});

	it('gets no colour with NO_COLOR, and words and marks still tell', async () => {
		const session = startInTerminal({ env: { NO_COLOR: '1' } });
		await executeRun(session, { to: firstQuestion });
		expect(session.screen()).toContain('✖ problem');
		expect(session.raw()).not.toMatch(/\u001b\[[0-9;]*m/);
		await leave(session);
	});

	it.each([{ LANG: 'C', LC_ALL: 'C' }, { LANG: 'C' }, { LANG: 'de_DE.UTF-8', LC_ALL: 'POSIX' }])(
		'gets ASCII alone where the locale is not UTF-8: %j',
		async env => {
			const session = startInTerminal({ env });
			await session.until('> Begin');
			await executeRun(session, { to: firstQuestion });
			expect(session.screen()).toContain('x problem');
			expect(session.everything()).not.toMatch(/[^\u0000-\u007f]/);
			await leave(session);
		},
	);

	it('gets plain questions where it draws nothing, for screen readers, and with --plain', async () => {
		for (const options of [
			{ shell: (program: string) => `TERM=dumb ${program}` },
			{ env: { INK_SCREEN_READER: 'true' } },
			{ args: ['--plain'] },
		]) {
			const session = startInTerminal(options);
			await session.until('[continue] (q quits)');
			expect(session.raw()).not.toContain('\u001b[?25l');
			session.type('q\r');
			expect(await session.ended).toBe(4);
		}
	});
});

const tmux = has('tmux');

describe.skipIf(!tmux)('inside tmux', () => {
	function inTmux(directory: string, words: readonly string[]): Session {
		return openTerminal(['tmux', '-u', '-S', join(directory, 'socket'), '-f', '/dev/null', ...words], {
			env: terminalEnvironment(),
			directory,
		});
	}

	it('goes to the record, and the line that was left and taken up again finds it where it was', async () => {
		const directory = sessionDirectory();
		const state = sessionDirectory();
		const entry = new URL('../../dist/cli.js', import.meta.url).pathname;
		const first = inTmux(directory, [
			...['new-session', '-s', 'wizard', process.execPath, entry, '--demo', '--session-dir', state],
			// The bar would be the last line of every screen.
			...[';', 'set-option', 'status', 'off'],
		]);
		await executeRun(first, { to: firstQuestion });
		// The ssh connection breaks: the terminal is gone, and the run is not.
		first.kill('SIGHUP');
		await first.ended;
		const second = inTmux(directory, ['attach-session', '-t', 'wizard']);
		await second.until(firstQuestion);
		await executeRun(second);
		await second.ended;
		expect(recordOf(hostOf(state))).toContain('Privileged container escape');
	});
});

describe('what is loaded', () => {
	it('is Ink only where it draws', () => {
		const main = readFileSync(join(import.meta.dirname, '../../dist/main.js'), 'utf8');
		expect(main).not.toContain('ink-root');
	});
});
