import {
	appendFileSync,
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { begin, emptyDirectory, eventsOf, lastOf, run, signalAt, stackTrace, until } from './program.ts';

/** A demo of one step, as short as a run that changes something can be. */
const shortRun = (state: string) => ['--demo', '--yes', '--only', 'host', '--session-dir', state];
const asEvents = ['--format', 'json'];
const intent = '"type":"action.intent"';

/** A run that was stopped by Ctrl+C while it changed something. */
let interrupted: string;
let ending: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
	interrupted = emptyDirectory('keep');
	ending = await run([...shortRun(join(interrupted, 'state')), ...asEvents], {
		cwd: interrupted,
		preload: signalAt('stdout', intent, 'SIGINT'),
	});
});
afterAll(() => rmSync(interrupted, { recursive: true, force: true }));

/** The interrupted session again, for a test to spoil. */
function spoiled(spoil: (files: { readonly session: string; readonly log: string }) => void): string {
	const directory = emptyDirectory();
	const state = join(directory, 'state');
	cpSync(join(interrupted, 'state'), state, { recursive: true });
	chmodSync(state, 0o700);
	const [runName = ''] = readdirSync(join(state, 'runs'));
	spoil({ session: join(state, 'session.json'), log: join(state, 'runs', runName, 'events.ndjson') });
	return state;
}
const rewrite = (file: string, change: (text: string) => string) =>
	writeFileSync(file, change(readFileSync(file, 'utf8')));

describe('a run that is stopped', () => {
	it('by Ctrl+C ends 130 with its end in the log', () => {
		expect(ending.exit).toBe(130);
		expect(lastOf(eventsOf(ending.stdout))).toMatchObject({ outcome: 'interrupted', exit: 130 });
	});

	it('goes on the next time, and comes to its end', async () => {
		const { exit, stdout } = await run([...shortRun(spoiled(() => undefined)), ...asEvents]);
		const events = eventsOf(stdout);
		expect(events[0]?.type).toBe('run.resume');
		expect(events[0]?.seq).toBeGreaterThan(5);
		expect(lastOf(events)).toMatchObject({ exit: 0 });
		expect(exit).toBe(0);
	});

	it('by SIGTERM ends 143, and prints the command that goes on, as it can be typed', async () => {
		const directory = emptyDirectory();
		const argv = [
			'--demo',
			'--yes',
			'--only',
			'host',
			'--change-id',
			'CHG 17',
			'--session-dir',
			join(directory, 'state'),
		];
		const { exit, stderr } = await run(argv, { cwd: directory, preload: signalAt('stderr', '1 of 1', 'SIGTERM') });
		expect(exit).toBe(143);
		expect(stderr).toContain(
			`go on with:  sysbox-setup --demo --yes --only host --change-id 'CHG 17' --session-dir ${directory}/state`,
		);
	});

	it('by kill -9 goes on too, and takes its lock over', async () => {
		const directory = emptyDirectory();
		const state = join(directory, 'state');
		const killed = await run([...shortRun(state), ...asEvents], {
			cwd: directory,
			preload: signalAt('stdout', intent, 'SIGKILL'),
		});
		expect(killed.signal).toBe('SIGKILL');
		expect(existsSync(join(state, 'lock'))).toBe(true);
		const { exit, stdout } = await run([...shortRun(state), ...asEvents]);
		expect(exit).toBe(0);
		expect(eventsOf(stdout).slice(0, 2)).toMatchObject([
			{ type: 'run.resume' },
			{ type: 'action.outcome', outcome: 'interrupted' },
		]);
		expect(existsSync(join(state, 'lock'))).toBe(false);
	});

	it('is told by status, with the command that goes on', async () => {
		const { exit, stdout } = await run(['status', '--demo', '--session-dir', spoiled(() => undefined)]);
		expect(exit).toBe(0);
		expect(stdout).toMatch(/^run \S+ on ci-07 \(simulated\), started /);
		expect(stdout).toContain('  go on    sysbox-setup --demo --session-dir /');
	});
});

describe('another run that is at work', () => {
	it('is not disturbed: 75, with its pid, user, age and step', async () => {
		const directory = emptyDirectory();
		const state = join(directory, 'state');
		// It holds the lock, and stands still until the test is over.
		const first = begin([...shortRun(state), ...asEvents], {
			cwd: directory,
			preload: signalAt('stdout', intent, 'SIGSTOP'),
		});
		await until(first.stdout, intent);
		const log = () =>
			readFileSync(join(state, 'runs', readdirSync(join(state, 'runs'))[0] ?? '', 'events.ndjson'), 'utf8');
		const before = log();
		const second = await run(shortRun(state));
		expect(second).toMatchObject({ exit: 75, stdout: '' });
		expect(second.stderr).toMatch(
			new RegExp(
				`another run is at work on this host: pid ${first.pid}, started by \\S+ 0 min ago, at step (host|starting)\\.`,
			),
		);
		expect(second.stderr).toContain(`kill -INT ${first.pid}`);
		const status = await run(['status', '--demo', '--session-dir', state]);
		expect(status.stdout).toContain(`at work now: pid ${first.pid}, started by `);
		expect(log()).toBe(before);
	});
});

describe('a saved session', () => {
	const cases: readonly (readonly [string, Parameters<typeof spoiled>[0], string])[] = [
		[
			'that is garbage',
			({ session }) => writeFileSync(session, 'garbage'),
			'session.json cannot be read: it is not JSON',
		],
		['that is empty', ({ session }) => writeFileSync(session, ''), 'session.json cannot be read'],
		['of another shape', ({ session }) => writeFileSync(session, '{"version":1}'), 'session.json cannot be read: run'],
		[
			'of a newer version',
			({ session }) => writeFileSync(session, '{"version":99,"tool":"9.0.0"}'),
			'was made by a newer version (9.0.0)',
		],
		[
			'whose log is broken in the middle',
			({ log }) => rewrite(log, text => text.replace('\n{', '\n!')),
			'events.ndjson:2 cannot be read: this line is not JSON',
		],
		[
			'whose log lacks a line that it had',
			({ log }) => rewrite(log, text => text.split('\n').toReversed().join('\n').trimStart() + '\n'),
			'events.ndjson:2 cannot be read: event ',
		],
		[
			'whose log is of a newer version',
			({ log }) => rewrite(log, text => text.replace('"v":2', '"v":7')),
			'events.ndjson was made by a newer version',
		],
	];
	it.each(cases)(
		'%s ends 2 with file and way out; --fresh begins anew and deletes nothing',
		async (_what, spoil, words) => {
			const state = spoiled(spoil);
			const list = () => readdirSync(state, { recursive: true }).map(String).sort();
			const before = list();
			const refused = await run(shortRun(state));
			expect(refused).toMatchObject({ exit: 2, stdout: '' });
			expect(refused.stderr).toContain(words);
			expect(refused.stderr).toContain('--fresh');
			expect(refused.stderr).not.toMatch(stackTrace);
			expect(list()).toEqual(before);
			const fresh = await run([...shortRun(state), '--fresh']);
			expect(fresh.exit).toBe(0);
			expect(list().filter(name => /^session\.json\./.test(name))).toHaveLength(1);
			expect(readdirSync(join(state, 'runs'))).toHaveLength(2);
		},
	);

	it('whose log ends in a torn line goes on: that is what a power cut leaves', async () => {
		const state = spoiled(({ log }) => appendFileSync(log, '{"v":1,"seq":999,"ty'));
		const { exit, stdout } = await run([...shortRun(state), ...asEvents]);
		expect(exit).toBe(0);
		expect(eventsOf(stdout)[0]?.type).toBe('run.resume');
	});

	it.skipIf(!existsSync('/etc/machine-id') || readFileSync('/etc/machine-id', 'utf8').trim() === '')(
		'of another machine is not resumed',
		async () => {
			const state = spoiled(({ session }) =>
				rewrite(session, text => text.replace(/("machineId":\s*)"[^"]*"/, '$1"0123456789abcdef0123456789abcdef"')),
			);
			const { exit, stderr } = await run(shortRun(state));
			expect(exit).toBe(2);
			expect(stderr).toContain('was made on another machine');
		},
	);

	it.skipIf(process.geteuid?.() !== 0)(
		'of a simulated host is never gone on with, or taken back, on a real one',
		async () => {
			const state = spoiled(() => undefined);
			for (const argv of [
				['--yes', '--only', 'record'],
				['revert', '--yes'],
			]) {
				// Should this ever not be refused, there is no program here that it could run.
				const { exit, stderr } = await run([...argv, '--session-dir', state], { env: { PATH: '/nowhere' } });
				expect(exit).toBe(2);
				expect(stderr).toContain('holds a run on a simulated host, and this is not one');
			}
		},
	);
});

describe('a state folder', () => {
	it('that is a link is refused, and nothing is put behind it', async () => {
		const directory = emptyDirectory();
		mkdirSync(join(directory, 'elsewhere'), { mode: 0o700 });
		symlinkSync('elsewhere', join(directory, 'state'));
		const { exit, stderr } = await run(shortRun(join(directory, 'state')));
		expect(exit).toBe(2);
		expect(stderr).toContain(`the state folder ${directory}/state is a link.`);
		expect(stderr).toContain('--session-dir DIR');
		expect(readdirSync(join(directory, 'elsewhere'))).toEqual([]);
	});

	it('that others can write to is refused, with the command that puts it right', async () => {
		const state = join(emptyDirectory(), 'state');
		mkdirSync(state);
		chmodSync(state, 0o777);
		const { exit, stderr } = await run(shortRun(state));
		expect(exit).toBe(2);
		expect(stderr).toContain('(mode 777), so nothing in it can be believed');
		expect(stderr).toContain(`chmod 700 ${state}`);
		expect(readdirSync(state)).toEqual([]);
	});

	it('that is a file is refused', async () => {
		const file = join(emptyDirectory(), 'state');
		writeFileSync(file, '');
		const { exit, stderr } = await run(shortRun(file));
		expect(exit).toBe(2);
		expect(stderr).toContain('is no directory');
	});

	it('that does not exist is no run yet, for status', async () => {
		const { exit, stderr } = await run(['status', '--session-dir', join(emptyDirectory(), 'none')]);
		expect(exit).toBe(3);
		expect(stderr).toContain('there is no saved run');
	});
});

describe('a disk that takes no more', () => {
	it.each([
		[
			'the log',
			200,
			'events.ndjson could not be written: the file would be too large. Without its log nothing could be',
		],
		['anything', 16, 'EFBIG'],
	])('ends 1 with a sentence when %s cannot be written', async (_what, blocks, words) => {
		const directory = emptyDirectory();
		// The nearest to a full disk that needs no disk: a limit on the size of files, and its signal not taken.
		const preload = `
			import { spawnSync } from 'node:child_process';
			process.on('SIGXFSZ', () => undefined);
			spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=${blocks * 512}']);
		`;
		const { exit, stderr } = await run(['--demo', '--yes', '--session-dir', join(directory, 'state')], {
			preload,
			cwd: directory,
		});
		expect(exit).toBe(1);
		expect(stderr).toContain(words);
		expect(stderr).not.toMatch(stackTrace);
	});
});
