/** Which run `revert` reverts, how `status` lists them, and that a test is always a run of its own. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EventPayload } from '../../src/core/event.ts';
import { openFolder, openRun } from '../../src/state/open-run.ts';
import { saveSession } from '../../src/state/session.ts';
import { scratchFolder } from '../host/scratch-folder.ts';
import { aroundRun, hostOf } from '../runbook/whole-runbook.ts';
import { commandsOn } from './runs-of-a-host.ts';

const stateFolder = () => join(scratchFolder(), 'state');
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
		const on = commandsOn(host, stateFolder());
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
			expect(await say('20')).toMatchObject({ exit: 2 });
			expect((await say('20')).screen).toContain('2 runs begin with 20 on this host');
		}
	});
});

test('a run is not reverted before a newer one that changed the same file', async () => {
	const on = commandsOn(hostOf('fresh-ubuntu'), stateFolder());
	await on.writeLog('old', '2026-01-01T00:00:00.000Z', [begin('old'), ...wrote('/etc/x'), end('done', 0)]);
	await on.writeLog('new', '2026-01-02T00:00:00.000Z', [begin('new'), ...wrote('/etc/x'), end('done', 0)]);
	const refused = await on.revert('old');
	expect(refused.exit).toBe(3);
	expect(refused.screen).toContain('run new is newer than old and changed the same things.');
	expect(refused.screen).toContain('sysbox-setup revert new');
});

test('a test is a new run, whatever the last test came to, and leaves the session to its run', async () => {
	const folder = stateFolder();
	const on = commandsOn(hostOf('fresh-ubuntu'), folder);
	await on.writeLog('t', '2026-01-02T00:00:00.000Z', failedTest('t'));
	const opened = await openFolder(folder, false, true);
	const session = { run: 't', machineId: '', answers: { 'ci.systems': [] }, tool: '0.1.0', updatedAt: '' };
	await saveSession(opened, session);
	const { surroundings } = aroundRun(hostOf('fresh-ubuntu'), {}, folder);
	const test = await openRun(surroundings, { mode: 'test', fresh: false });
	expect(test.events).toEqual([]);
	expect(test.run).not.toBe('t');
	test.saveAnswer('x', 'y');
	test.saveCursor('functional');
	await test.close();
	const again = await openRun(surroundings, { mode: 'run', fresh: false });
	expect(again.run).not.toBe(test.run);
	await again.close();
});

test('a test removes what a killed one left before it begins', async () => {
	const host = hostOf('fresh-ubuntu');
	const on = commandsOn(host, stateFolder());
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
