import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rebooted } from '../../src/simulation/reboot.ts';
import { simulatedHostFile } from '../../src/simulation/simulated-host-file.ts';
import { stepNames } from '../../steps/step-names.ts';
import { endState, hostOf, recordOf } from './end-state.ts';
import { type OneCommandProgram, oneCommandProgram } from './one-command/bundle.ts';
import { emptyDirectory, run, signalAt, stackTrace } from './program.ts';
import { expectCursorAndPaste, expectSoundDrawing, leftInOrder, programBelow, saysHowItLeft } from './shell-around.ts';
import {
	openTerminal,
	type Session,
	sessionDirectory,
	startInTerminal,
	terminalEnvironment,
} from './support-terminal.ts';
import { ctrlC, ctrlZ, enter, escapeKey, executeRun, placeOf, waits } from './walk.ts';

/** The first frame, which is drawn before the steps are loaded. */
const openingWords = 'Reading what earlier runs left here';

const firstQuestion = 'Install fuse3 and jq?';

/** Where a run can be stopped. Each leaves the session in that state. */
const moments: readonly (readonly [string, (session: Session) => Promise<void>])[] = [
	['at the start screen', session => session.until('❯ Begin')],
	['while a question waits', async session => void (await executeRun(session, { to: firstQuestion }))],
	[
		'while changes are made',
		async session => {
			await executeRun(session, { to: '❯ Do all 5' });
			session.type(enter);
			await session.until(screen => screen.includes(placeOf('sysbox')) && !waits(screen));
		},
	],
	[
		'while probes run',
		async session => {
			await executeRun(session, { to: new RegExp(`${placeOf('security')}[\\s\\S]*❯ Start`) });
			session.type(enter);
			await session.until(screen => screen.includes(placeOf('security')) && !waits(screen));
		},
	],
];

const ways: readonly (readonly [string, number, (session: Session) => void])[] = [
	['Ctrl+C', 130, session => session.type(ctrlC)],
	['SIGTERM', 143, session => process.kill(programBelow(session), 'SIGTERM')],
	['SIGHUP', 129, session => process.kill(programBelow(session), 'SIGHUP')],
];

/** The command that goes on, as it was printed. */
function printedCommand(session: Session): string {
	const text = session.everything();
	const [, command] = /^ *(?:Go on {5}|go on with: {2})(sysbox-setup .*(?:\n\S.*)*)/m.exec(text) ?? [];
	if (command === undefined) throw new Error(`no command to go on with:\n${text}`);
	// The terminal broke it; what is copied has no line break.
	return command.split('\n')[0]!.length === 80 ? command.replaceAll('\n', '') : command.split('\n')[0]!;
}

describe.each(moments)('stopped %s', (moment, reach) => {
	it.each(ways)('by %s', async (_way, code, stop) => {
		const session = startInTerminal({ shell: saysHowItLeft });
		await reach(session);
		stop(session);
		expect(await leftInOrder(session)).toBe(code);
		if (moment === 'at the start screen') {
			// Nothing was begun, so there is nothing to go on with.
			expect(session.everything()).not.toContain('Go on  ');
			return;
		}
		// What is true of the host now, and how to go on.
		expect(session.everything()).toContain('Interrupted; everything so far is saved');
		expect(session.everything()).toMatch(/^ Changed {3}\S/m);
		const again = openTerminal(['/bin/sh', '-c', printedCommand(session)], {
			env: terminalEnvironment(),
			directory: session.directory,
		});
		await again.until('❯ Go on with step');
		again.type(ctrlC);
		await again.ended;
	});
});

describe('stopped at the first frame, before anything is known', () => {
	it.each([
		['SIGINT', 130],
		['SIGTERM', 143],
		['SIGHUP', 129],
	] as const)('by %s', async (signal, code) => {
		const session = startInTerminal({ shell: saysHowItLeft, preload: signalAt('stdout', openingWords, signal) });
		expect(await leftInOrder(session)).toBe(code);
		expect(session.screen()).not.toContain(openingWords);
		expect(session.screen()).not.toContain('❯');
	});
});

describe('what is found wrong after the first frame', () => {
	const inOneLine = (session: Session): string => session.screen().replace(/\s+/g, ' ').trim();

	it('is all that is left on the screen', async () => {
		const session = startInTerminal({ shell: saysHowItLeft, args: ['--answers', '/nowhere/answers.yml'] });
		expect(await leftInOrder(session)).toBe(2);
		await session.written(openingWords);
		expect(inOneLine(session)).toMatch(
			/^sysbox-setup: the answers file \/nowhere\/answers\.yml cannot be read: there is no such file code 2 /,
		);
	});

	it('is so, too, where it is no mistake', async () => {
		const session = startInTerminal({ shell: saysHowItLeft, args: ['revert'] });
		expect(await leftInOrder(session)).toBe(0);
		await session.written(openingWords);
		expect(inOneLine(session)).toMatch(/^There is nothing to revert: .* still stan ?ds\. code 0 /);
	});
});

describe('a terminal that is gone', () => {
	const moments = [
		['while it asks', async (session: Session) => void (await executeRun(session, { to: '❯ Do all 5' }))],
		[
			'while it works',
			async (session: Session) => {
				await executeRun(session, { to: '❯ Do all 5' });
				session.type(enter);
				await session.until(screen => screen.includes(placeOf('sysbox')) && !waits(screen));
			},
		],
	] as const;

	it.each(moments)('ends the run 129 at the next safe point, saved, %s', async (_moment, reach) => {
		const session = startInTerminal();
		await reach(session);
		session.hangUp();
		expect(await session.ended).toBe(129);
		const again = startInTerminal({ directory: session.directory });
		await again.until('❯ Go on with step');
	});

	it.each(moments)('does so too where the shell keeps the signal to itself, %s', async (_moment, reach) => {
		const directory = sessionDirectory();
		// It outlives its terminal, to tell what became of the program.
		const session = startInTerminal({
			directory,
			shell: program => `trap : HUP; ${program}; echo $? >'${directory}/code'`,
		});
		await reach(session);
		session.hangUp();
		await session.ended;
		expect(readFileSync(join(directory, 'code'), 'utf8').trim()).toBe('129');
		const again = startInTerminal({ directory });
		await again.until('❯ Go on with step');
	});
});

describe('a run goes on', () => {
	const steps = ['host', 'sysbox', 'daemon', 'docker', 'ci', 'functional', 'security', 'record'];

	it('after it was killed in each step, and leaves what an undisturbed one leaves', async () => {
		const directory = sessionDirectory();
		for (const [index, step] of steps.entries()) {
			const session = startInTerminal({ directory });
			if (index > 0) await session.until(`❯ Go on with step ${index}`);
			await executeRun(session, {
				to: step === 'host' ? '❯ Do all 3' : new RegExp(`${index + 1} of ${stepNames.length}`),
			});
			session.kill('SIGKILL');
			expect(await session.ended).toBe(137);
		}
		const last = startInTerminal({ directory });
		await last.until('❯ Go on with step 8');
		await executeRun(last);
		expect(await last.ended).toBe(0);
		const undisturbed = emptyDirectory();
		await run(['--demo', '--yes', '--session-dir', join(undisturbed, 'state')], { cwd: undisturbed });
		const { containers: _, ...left } = endState(hostOf(directory)) as { containers: unknown };
		const { containers: __, ...wanted } = endState(hostOf(join(undisturbed, 'state'))) as { containers: unknown };
		expect(left).toEqual(wanted);
		expect(recordOf(hostOf(directory))).toContain('| Privileged container escape | – | ready, no job uses Sysbox yet');
	}, 240_000);

	it('after the power failed, at the step where it was', async () => {
		const first = startInTerminal();
		await executeRun(first, { to: placeOf('docker') });
		first.kill('SIGKILL');
		await first.ended;
		const file = simulatedHostFile(join(first.directory, 'host-fresh-ubuntu.json'));
		const host = file.load();
		if (host === undefined) throw new Error('the simulated host is gone');
		file.save(rebooted(host, 'cut'));
		const second = startInTerminal({ directory: first.directory });
		await second.until('❯ Go on with step 4');
		await executeRun(second, { to: placeOf('ci') });
		second.type(ctrlC);
		expect(await second.ended).toBe(130);
	});

	it('after it was quit, and asks nothing again that was answered', async () => {
		const first = startInTerminal();
		await executeRun(first, { to: '❯ Do all 5' });
		first.type('q');
		await executeRun(first);
		expect(await first.ended).toBe(4);
		const second = startInTerminal({ directory: first.directory });
		await second.until('❯ Go on with step 2');
		const screens = await executeRun(second, { to: '❯ Do all 5' });
		expect(screens.join()).not.toContain(firstQuestion);
		second.type(ctrlC);
		expect(await second.ended).toBe(130);
	});
});

describe('two operators', () => {
	it('the second is told who holds the host, since when and at which step, and disturbs nothing', async () => {
		const first = startInTerminal();
		await executeRun(first, { to: '❯ Do all 5' });
		const second = startInTerminal({ directory: first.directory, shell: saysHowItLeft });
		expect(await leftInOrder(second)).toBe(75);
		const said = second.raw().replace(/\s+/g, ' ');
		expect(said).toMatch(
			new RegExp(`another run is at work on this host: pid ${first.pid}, started by \\S+ 0 min ago, at step sysbox\\.`),
		);
		first.type(ctrlC);
		expect(await first.ended).toBe(130);
	});
});

describe('Ctrl+Z', () => {
	it('gives the shell a terminal in order, and fg the screen as it was', async () => {
		const session = startInTerminal({
			shell: program => `set -m; ${saysHowItLeft(program)}; fg; echo "at last $?"`,
		});
		await executeRun(session, { to: firstQuestion });
		session.type(ctrlZ);
		await session.until('its end');
		// 128 and the number of SIGTSTP.
		expect(await leftInOrder(session)).toBe(148);
		await session.until(screen => screen.lastIndexOf(firstQuestion) > screen.lastIndexOf('its end'));
		expect(waits(session.screen())).toBe(true);
		session.type('q');
		await executeRun(session);
		await session.written('at last 4');
	});
});

describe('a crash', () => {
	it('of a full disk says so, and gives the terminal back', async () => {
		const session = startInTerminal({
			shell: saysHowItLeft,
			// The nearest to a full disk that needs no disk: a limit on the size of files, and its signal not taken.
			preload: `
				import { spawnSync } from 'node:child_process';
				process.on('SIGXFSZ', () => undefined);
				spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=${200 * 512}']);
			`,
		});
		await executeRun(session, { to: 'its end', waits: screen => screen.includes('its end') || waits(screen) });
		expect(await leftInOrder(session)).toBe(1);
		const said = session.raw();
		expect(said).toMatch(/could not be written: the file would be too large/);
		expect(said).toContain('start the same command again');
		expect(session.everything()).not.toMatch(stackTrace);
	});

	it('of a defect of ours says so, and gives the terminal back', async () => {
		const session = startInTerminal({
			shell: saysHowItLeft,
			// A defect is thrown where nobody catches it, in the middle of the work.
			preload: `
				const { write } = process.stdout;
				process.stdout.write = function (text, ...rest) {
					if (String(text).includes('❯ Do all 5')) setImmediate(() => { throw new Error('a defect'); });
					return write.call(this, text, ...rest);
				};
			`,
		});
		await executeRun(session, { to: 'its end', waits: screen => screen.includes('its end') || waits(screen) });
		expect(await leftInOrder(session)).toBe(1);
		expect(session.everything()).toContain('this is a defect of sysbox-setup, not of your host');
		expect(session.everything()).toContain('Error: a defect');
	});
});

describe('a command of this machine', () => {
	let program: OneCommandProgram;
	beforeAll(async () => {
		program = await oneCommandProgram();
	});
	afterAll(() => program.remove());

	/** A command that says when it has begun, goes on when it is told, prints a lot, and says that it came to its end. */
	function steered(): { argv: readonly [string, ...string[]]; begun: string; go: string; finished: string } {
		const directory = emptyDirectory();
		const [begun = '', go = '', finished = ''] = ['begun', 'go', 'finished'].map(name => join(directory, name));
		execFileSync('mkfifo', [begun, go, finished]);
		const script = `echo yes >'${begun}'; read word <'${go}'; seq 100000 && seq 10 >&2 && word=yes; echo $word >'${finished}'`;
		return { argv: ['sh', '-c', script], begun, go, finished };
	}

	async function running(session: Session, begun: string): Promise<void> {
		await session.until('❯ Begin');
		session.type(enter);
		await session.until('❯ Do it');
		session.type(enter);
		expect(await readFile(begun, 'utf8')).toBe('yes\n');
	}

	it('that is a package manager outlives the second Ctrl+C, which ends us, and comes to its own end', async () => {
		const command = steered();
		const session = program.start({ argv: command.argv, uninterruptible: true });
		await running(session, command.begun);
		session.type(ctrlC);
		await session.until(/[Ss]topping at the next safe point/);
		session.type(ctrlC);
		expect(await session.ended).toBe(130);
		expectCursorAndPaste(session.raw());
		await writeFile(command.go, 'go\n');
		expect(await readFile(command.finished, 'utf8')).toBe('yes\n');
	});

	it('that is a package manager outlives our own kill -9', async () => {
		const command = steered();
		const session = program.start({ argv: command.argv, uninterruptible: true });
		await running(session, command.begun);
		await session.until(/0:0[1-9]/);
		session.kill('SIGKILL');
		expect(await session.ended).toBe(137);
		await writeFile(command.go, 'go\n');
		expect(await readFile(command.finished, 'utf8')).toBe('yes\n');
	});

	it.each([
		['SIGINT', 130],
		['SIGTERM', 143],
		['SIGHUP', 129],
	] as const)('that is a package manager is waited for after %s', async (signal, code) => {
		const command = steered();
		const session = program.start({ argv: command.argv, uninterruptible: true });
		await running(session, command.begun);
		session.kill(signal);
		await session.until(/[Ss]topping at the next safe point/);
		await writeFile(command.go, 'go\n');
		expect(await readFile(command.finished, 'utf8')).toBe('yes\n');
		expect(await session.ended).toBe(code);
		expect(session.everything()).toContain('Interrupted; everything so far is saved');
	});

	it('that may be interrupted is, with all that it started', async () => {
		const command = steered();
		const session = program.start({ argv: command.argv });
		await running(session, command.begun);
		session.type(ctrlC);
		expect(await session.ended).toBe(130);
		// Nobody reads there any more: the command is gone, and so is its end of the pipe.
		expect(() => execFileSync('sh', ['-c', `fuser '${command.go}' 2>/dev/null`])).toThrow();
	});

	it('that prints without end is drawn at a pace that a slow line bears, and what it said last is seen', async () => {
		const session = program.start({ argv: ['seq', '-f', 'line %.0f of many', '30000'] });
		await session.until('❯ Begin');
		session.type(enter);
		await session.until('❯ Do it');
		const frames = session.frames();
		const began = performance.now();
		session.type(enter);
		await executeRun(session, { to: '❯ Leave' });
		const seconds = (performance.now() - began) / 1000;
		// Twenty a second are drawn at most, whatever comes; the rest is for the screens before and after.
		expect(session.frames() - frames).toBeLessThanOrEqual(20 * seconds + 10);
		session.type(enter);
		expect(await session.ended).toBe(0);
		expect(session.raw()).not.toContain('\u001b[3J');
		expect(session.tallest()).toBeLessThanOrEqual(23);
	});

	it.each([
		['', undefined],
		[' on a line of 64 kbit/s', { slowMs: 500 }],
	])('that prints without end leaves each key its answer%s, and ends by Ctrl+C', async (_, line) => {
		const session = program.start({ argv: ['yes', 'one line of endlessly many'] }, line);
		await session.until('❯ Begin');
		session.type(enter);
		await session.until('❯ Do it');
		session.type(enter);
		const flooding = (screen: string): boolean =>
			screen.includes('one line of endlessly many') && screen.includes('0:');
		for (const [key, answer] of [
			['?', 'stop at the next safe point and save'],
			['v', /rows \d+ to \d+ of \d+/],
		] as const) {
			await session.until(flooding);
			session.type(key);
			await session.until(answer);
			session.type(escapeKey);
		}
		await session.until(flooding);
		session.becomesFast();
		session.type(ctrlC);
		expect(await session.ended).toBe(130);
		expect(session.everything()).toContain('Interrupted; everything so far is saved');
		expectSoundDrawing(session);
	});

	it('can be watched in plain lines too', async () => {
		const session = program.start({ argv: ['seq', '-f', 'line %.0f of many', '50'], plain: true });
		await executeRun(session, { waits: screen => / >$/.test(screen.trimEnd()) });
		expect(await session.ended).toBe(0);
	});
});

describe('signals to a run in plain lines', () => {
	it('are heard at a question, with the command that goes on', async () => {
		const session = startInTerminal({ args: ['--plain'], shell: saysHowItLeft });
		await session.until('[continue] (q quits)');
		session.type(ctrlC);
		expect(await leftInOrder(session)).toBe(130);
		expect(session.everything()).toContain('go on with:');
	});

	it('are heard in the middle of a change', async () => {
		const session = startInTerminal({
			args: ['--plain'],
			shell: saysHowItLeft,
			preload: signalAt('stderr', 'Setting up', 'SIGTERM'),
		});
		await executeRun(session, {
			to: 'its end',
			waits: screen => screen.includes('its end') || / >$/.test(screen.trimEnd()),
		});
		expect(await leftInOrder(session)).toBe(143);
		expect(existsSync(join(session.directory, 'lock'))).toBe(false);
	});
});
