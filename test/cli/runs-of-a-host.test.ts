/** Which run `revert` reverts, how `status` lists them, and that a test is always a run of its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lastAnswers } from '../../src/cli/standing-run.ts';
import type { EventPayload } from '../../src/model/event.ts';
import type { RunState } from '../../src/model/state.ts';
import { openDirectory, openRun } from '../../src/session/open-run.ts';
import { saveSession } from '../../src/session/session.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';
import { aroundRun, hostOf } from '../runbook/whole-runbook.ts';
import { commandsOn } from './runs-of-a-host.ts';

const stateDirectory = () => join(scratchDirectory(), 'state');
const sysboxOn = (host: ReturnType<typeof hostOf>) => host.state().packages['sysbox-ce']?.status;

const begin = (run: string, more: Partial<Extract<EventPayload, { type: 'run.start' }>> = {}): EventPayload => ({
	type: 'run.start',
	run,
	tool: '0.2.0',
	mode: 'run',
	simulated: true,
	host: 'ci-07',
	user: 'anna',
	command: ['--yes'],
	...more,
});
const end = (outcome: 'done' | 'failed', exit: number): EventPayload => ({
	type: 'run.end',
	outcome,
	exit,
	changed: true,
	reboot: false,
	open: [],
});
const wrote = (path: string): readonly EventPayload[] => [
	{ type: 'step.start', step: 'host', title: 'Host', kind: 'change', n: 1, of: 1 },
	{
		type: 'action.intent',
		step: 'host',
		action: 'write',
		title: `Write ${path}`,
		kind: 'write',
		does: `write ${path}`,
		undo: { kind: 'file', path, before: null, after: 'ab'.repeat(32) },
	},
	{ type: 'action.outcome', step: 'host', action: 'write', outcome: 'done', ms: 1 },
];
/** A test that fetched an image and failed. */
const failedTest = (run: string): readonly EventPayload[] => [
	begin(run, { mode: 'test', command: ['test', '--yes'] }),
	{ type: 'step.start', step: 'functional', title: 'Functional proof', kind: 'proof', n: 1, of: 1 },
	{
		type: 'action.intent',
		step: 'functional',
		action: 'image-x',
		title: 'Pull registry:2',
		kind: 'exec',
		does: 'docker pull registry:2',
		undo: { kind: 'commands', commands: [{ argv: ['docker', 'image', 'rm', 'x'], timeoutMs: 1, why: 'x' }] },
	},
	{ type: 'action.outcome', step: 'functional', action: 'image-x', outcome: 'done', ms: 1 },
	end('failed', 1),
];

describe('after a run, and a test that fetched an image and failed', () => {
	const later = async () => {
		const host = hostOf('fresh-ubuntu');
		const on = commandsOn(host, stateDirectory());
		const first = await on.run({ only: ['host', 'sysbox', 'docker'] });
		expect(first.exit, first.screen).toBe(0);
		await on.writeLog('20991201t000000-aaaa', '2099-12-01T00:00:00.000Z', failedTest('20991201t000000-aaaa'));
		return { host, on, run: first.state?.start?.run ?? '' };
	};

	test('revert without a name reverts the run, and Sysbox is gone', async () => {
		const { host, on, run } = await later();
		const back = await on.revert();
		expect(back.exit, back.screen).toBe(0);
		expect(sysboxOn(host)).toBeUndefined();
		const again = await on.revert();
		expect(again.screen).toContain(
			'There is nothing to revert: no run on this host changed anything that still stands.',
		);
		expect((await on.revert(run)).screen).toContain(`There is nothing to revert: run ${run} was reverted before.`);
	});

	test('status tells of the test, lists both, and marks the run that revert would revert', async () => {
		const { on, run } = await later();
		const { exit, screen } = await on.status();
		expect(exit).toBe(0);
		expect(screen).toMatch(/^run 20991201t000000-aaaa on ci-07/);
		expect(screen).toMatch(new RegExp(`^\\* +${run} .* UTC +anna +done +\\d+ +sysbox-setup --yes$`, 'm'));
		expect(screen).toMatch(/^ +20991201t000000-aaaa .* anna +failed +0 +sysbox-setup test --yes$/m);
		expect(screen).not.toContain('go on');
	});

	test('status and revert take a name, or its unique beginning', async () => {
		const { host, on, run } = await later();
		expect((await on.status(run)).screen).toMatch(new RegExp(`^run ${run} on ci-07`));
		expect((await on.status('2099')).screen).toMatch(/^run 20991201t000000-aaaa on ci-07/);
		const back = await on.revert(run.slice(0, -1));
		expect(back.exit, back.screen).toBe(0);
		expect(sysboxOn(host)).toBeUndefined();
		expect((await on.status()).screen).toMatch(new RegExp(`^ +${run} .* done, reverted +\\d`, 'm'));
	});

	test('a name that no run has, or more than one, ends 2 and names the known ones', async () => {
		const { on, run } = await later();
		for (const say of [on.revert, on.status]) {
			const unknown = await say('nothing');
			expect(unknown).toMatchObject({ exit: 2 });
			expect(unknown.screen).toContain('there is no run called nothing on this host');
			expect(unknown.screen).toContain(run);
			expect(unknown.screen).toContain('20991201t000000-aaaa  test, started 2099-12-01T00:00:00.000Z');
			// A variable of a script that is not set, of which every name is a beginning.
			expect(await say('')).toMatchObject({ exit: 2 });
			expect(await say('20')).toMatchObject({ exit: 2 });
			expect((await say('20')).screen).toContain('2 runs begin with 20 on this host');
		}
	});
});

test('a run is not reverted before a newer one that changed the same file', async () => {
	const on = commandsOn(hostOf('fresh-ubuntu'), stateDirectory());
	await on.writeLog('old', '2026-01-01T00:00:00.000Z', [begin('old'), ...wrote('/etc/x'), end('done', 0)]);
	await on.writeLog('new', '2026-01-02T00:00:00.000Z', [begin('new'), ...wrote('/etc/x'), end('done', 0)]);
	const refused = await on.revert('old');
	expect(refused.exit).toBe(3);
	expect(refused.screen).toContain('run new is newer than old and changed the same things.');
	expect(refused.screen).toContain('sysbox-setup revert new');
});

test('a test is a new run, whatever the last test came to, and leaves the session to its run', async () => {
	const directory = stateDirectory();
	const on = commandsOn(hostOf('fresh-ubuntu'), directory);
	await on.writeLog('t', '2026-01-02T00:00:00.000Z', failedTest('t'));
	const opened = await openDirectory(directory, false, true);
	const session = { run: 't', machineId: '', answers: { 'ci.systems': [] }, tool: '0.1.0', updatedAt: '' };
	await saveSession(opened, session);
	const { environment } = aroundRun(hostOf('fresh-ubuntu'), {}, directory);
	const test = await openRun(environment, { mode: 'test', fresh: false });
	expect(test.events).toEqual([]);
	expect(test.run).not.toBe('t');
	test.saveAnswer('x', 'y');
	test.saveCursor('functional');
	await test.close();
	const again = await openRun(environment, { mode: 'run', fresh: false });
	expect(again.run).not.toBe(test.run);
	await again.close();
});

test('a test removes what a killed one left before it begins', async () => {
	const host = hostOf('fresh-ubuntu');
	const on = commandsOn(host, stateDirectory());
	expect((await on.run({ only: ['host', 'sysbox', 'docker'] })).exit).toBe(0);
	host.disturb(state => {
		const [some] = state.docker.engine.containers;
		if (some === undefined) throw new Error('the scenario has no container');
		const labels = { ...some.options.labels, 'io.sysbox-setup.run': 'killed' };
		state.docker.engine.containers.push({
			...some,
			id: 'f'.repeat(64),
			name: 'left-by-a-killed-test',
			options: { ...some.options, labels },
		});
	});
	const tested = await on.test();
	expect(tested.exit, tested.screen).toBe(0);
	expect(host.state().docker.engine.containers.map(c => c.name)).not.toContain('left-by-a-killed-test');
});

describe('answers of the last run', () => {
	const given = {
		'ci.systems': ['gitlab'],
		'ci.gitlab-url': 'https://gitlab.example',
		'ci.memory': '3g',
		'ci.image': 'docker:28-dind',
	};
	const answered = async () => {
		const host = hostOf('fresh-ubuntu');
		const directory = stateDirectory();
		const on = commandsOn(host, directory);
		const first = await on.run({ answers: given });
		expect(first.state?.end?.outcome, first.screen).toMatch(/^(done|open)$/);
		return { host, on, first };
	};
	const source = (said: { readonly state?: RunState }, id: string) =>
		said.state?.answerEvents.findLast(event => event.id === id);

	test('are the defaults of plan, test and the next run, and are shown as such', async () => {
		const { on } = await answered();
		const plan = await on.plan();
		expect(plan.screen).toContain('ci.memory: 3g (answer from the last run)');
		expect(plan.screen).not.toMatch(/write .*gitlab/i);
		const tested = await on.test();
		expect(source(tested, 'ci.image')).toMatchObject({ value: 'docker:28-dind', source: 'last-run' });
		const again = await on.run();
		expect(again.state?.actions).toEqual([]);
		expect(source(again, 'ci.memory')).toMatchObject({ value: '3g', source: 'last-run' });
		// They stay so from run to run, and a new run without going on has them too.
		const fresh = await on.run({ fresh: true });
		expect(source(fresh, 'ci.memory')).toMatchObject({ value: '3g', source: 'last-run' });
	}, 30_000);

	test('give way to an answers file, and a default that nobody chose is made from the host again', async () => {
		const { on, first } = await answered();
		expect(source(first, 'ci.pids')?.source).toBe('default');
		const again = await on.run({ answers: { ...given, 'ci.memory': '4g' } });
		expect(source(again, 'ci.memory')).toMatchObject({ value: '4g', source: 'answers' });
		expect(source(again, 'ci.pids')?.source).toBe('default');
	}, 30_000);

	const answer = (id: string, value: string, from: 'answers' | 'operator'): EventPayload => ({
		type: 'answer',
		step: 'host',
		id,
		value,
		source: from,
	});

	test('never hold a secret or a risk, and are not those of a run that neither ended nor changed anything', async () => {
		const host = hostOf('fresh-ubuntu');
		const directory = stateDirectory();
		const on = commandsOn(host, directory);
		await on.writeLog('a', '2026-01-01T00:00:00.000Z', [
			begin('a'),
			answer('x.token', '[secret]', 'operator'),
			answer('x.risk', 'stop-containers', 'operator'),
			answer('x.memory', '3g', 'operator'),
			end('done', 0),
		]);
		await on.writeLog('b', '2026-01-02T00:00:00.000Z', [begin('b'), answer('x.memory', '9g', 'operator')]);
		await on.writeLog('c', '2026-01-03T00:00:00.000Z', [begin('c', { simulated: false }), end('done', 0)]);
		const { environment } = aroundRun(host, {}, directory);
		expect(await lastAnswers(environment)).toEqual({ 'x.memory': '3g' });
		await on.writeLog('d', '2026-01-04T00:00:00.000Z', [
			begin('d'),
			...wrote('/etc/x'),
			answer('x.memory', '5g', 'operator'),
		]);
		expect(await lastAnswers(environment)).toEqual({ 'x.memory': '5g' });
		expect(await lastAnswers({ ...environment, stateDirectory: join(directory, 'none') })).toEqual({});
	});
});

test('what release 0.1.0 left is listed, reverted and remembered', async () => {
	const host = hostOf('fresh-ubuntu');
	const directory = stateDirectory();
	await openDirectory(directory, true, true);
	const fixture = new URL('../fixtures/releases/0.1.0/run/events.ndjson', import.meta.url);
	const log = readFileSync(fixture, 'utf8');
	const run = String(JSON.parse(log.split('\n')[0] ?? '').run);
	mkdirSync(join(directory, 'runs', run, 'backup'), { recursive: true, mode: 0o700 });
	writeFileSync(join(directory, 'runs', run, 'events.ndjson'), log);
	const on = commandsOn(host, directory);
	const { exit, screen } = await on.status();
	expect(exit).toBe(0);
	expect(screen).toMatch(new RegExp(`^\\* +${run} .* anna +done +\\d+ `, 'm'));
	expect((await on.status(run)).exit).toBe(0);
	expect(await lastAnswers(aroundRun(host, {}, directory).environment)).toEqual({});
	// On a host of which nothing is left: all of it is gone, so that nothing is to do.
	const back = await on.revert(run.slice(0, 10));
	expect(back.exit, back.screen).toBe(0);
	expect((await on.status()).screen).toContain('done, reverted');
});

test('the revert of another run waits until the one that has begun is finished', async () => {
	const directory = stateDirectory();
	const on = commandsOn(hostOf('fresh-ubuntu'), directory);
	await on.writeLog('a', '2026-01-01T00:00:00.000Z', [begin('a'), ...wrote('/etc/a'), end('done', 0)]);
	await on.writeLog('b', '2026-01-02T00:00:00.000Z', [begin('b'), ...wrote('/etc/b'), end('done', 0)]);
	await on.writeLog('c', '2026-01-03T00:00:00.000Z', [
		begin('c', { mode: 'revert', reverts: 'a' }),
		...wrote('/etc/a').filter(({ type }) => type !== 'action.outcome'),
	]);
	const session = { run: 'c', machineId: '', answers: {}, tool: '0.1.0', updatedAt: '' };
	await saveSession(await openDirectory(directory, false, true), session);
	const refused = await on.revert('b');
	expect(refused.exit).toBe(3);
	expect(refused.screen).toContain('the revert of run a has begun and is not finished; run b is reverted after it.');
	expect((await on.revert()).exit).toBe(0);
	expect((await on.revert('b')).exit).toBe(0);
});

test('a fresh test leaves the session to its run', async () => {
	const directory = stateDirectory();
	const on = commandsOn(hostOf('fresh-ubuntu'), directory);
	await on.writeLog('t', '2026-01-02T00:00:00.000Z', [begin('t'), ...wrote('/etc/t')]);
	const session = { run: 't', machineId: '', answers: { 'ci.systems': [] }, tool: '0.1.0', updatedAt: '' };
	await saveSession(await openDirectory(directory, false, true), session);
	const { environment } = aroundRun(hostOf('fresh-ubuntu'), {}, directory);
	await (await openRun(environment, { mode: 'test', fresh: true })).close();
	const opened = await openRun(environment, { mode: 'run', fresh: false });
	expect(opened.run).toBe('t');
	await opened.close();
});

test('status lists what stands, and a failure of several lines below its step', async () => {
	const on = commandsOn(hostOf('fresh-ubuntu'), stateDirectory());
	const action = (id: string, takesBack?: readonly string[]): readonly EventPayload[] => [
		{
			type: 'action.intent',
			step: 'docker',
			action: id,
			title: `The ${id}`,
			kind: 'exec',
			does: id,
			undo: { kind: 'none', why: 'x' },
			...(takesBack !== undefined && { takesBack: [...takesBack] }),
		},
		{ type: 'action.outcome', step: 'docker', action: id, outcome: 'done', ms: 1 },
	];
	await on.writeLog('r', '2026-01-02T00:00:00.000Z', [
		begin('r'),
		{ type: 'step.start', step: 'docker', title: 'Docker', kind: 'change', n: 1, of: 1 },
		...action('switch-timer'),
		...action('restart'),
		...action('switch-stop', ['switch-timer']),
		{ type: 'step.end', step: 'docker', status: 'failed', why: 'first line\nsecond line', changed: true, open: [] },
		end('failed', 1),
	]);
	const { screen } = await on.status();
	expect(screen.match(/^ {2}changed .*$/gm)).toEqual(['  changed  The restart']);
	expect(screen).toMatch(/: first line\n {6}second line$/m);
});

test.each([
	[4, true],
	[0, false],
])('a run that a revert ended with %i of: whether status counts it as standing is %s', async (exit, stands) => {
	const on = commandsOn(hostOf('fresh-ubuntu'), stateDirectory());
	await on.writeLog('a', '2026-01-02T00:00:00.000Z', [begin('a'), ...wrote('/etc/a'), end('done', 0)]);
	const back = begin('b', { mode: 'revert', reverts: 'a', command: ['revert'] });
	await on.writeLog('b', '2026-01-03T00:00:00.000Z', [back, end(exit === 0 ? 'done' : 'failed', exit)]);
	const { screen } = await on.status();
	expect(screen.includes('No run changed anything that still stands')).toBe(!stands);
	expect(screen.includes('undoes this run')).toBe(stands);
});
