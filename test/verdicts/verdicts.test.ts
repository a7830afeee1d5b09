/**
 * What each scenario comes to, in one table to be read line by line: exit, verdict or outcome, last line. A change of it
 * is a change of what users read. Written anew, and to be read before it is committed, by
 * `UPDATE_VERDICTS=1 npx vitest run test/verdicts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type EventOf, eventSchema } from '../../src/model/event.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { scenarioFaults, scenarioNames, scenarioState } from '../../src/simulation/scenarios.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { fileOf, hostIn, hostOf, runbook } from '../runbook/whole-runbook.ts';

// A whole run in each, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const file = join(import.meta.dirname, 'verdicts.txt');
const update = process.env['UPDATE_VERDICTS'] === '1';
const known = new Map(
	(update ? '' : readFileSync(file, 'utf8'))
		.split('\n\n')
		.filter(block => block !== '')
		.map(block => [block.split('\n')[0]?.trim() ?? '', block.trimEnd()] as const),
);
const blocks: string[] = [];

/** The line with the verdict or outcome: details of a run follow it, each with its label. */
const lastLine = (screen: string): string =>
	screen
		.split('\n')
		.findLast(line => /^[\w-]+ \(simulated\): /.test(line))
		?.trim() ?? '';

/** Nothing is kept on disk of a look, so that its events are read where others read them. */
async function endOf(name: (typeof scenarioNames)[number], mode: 'check' | 'plan'): Promise<EventOf<'run.end'>> {
	const { screen } = await runbook(hostIn(scenarioState(name)), { mode, format: 'json' });
	const events = screen
		.trimEnd()
		.split('\n')
		.map(line => eventSchema.parse(JSON.parse(line)));
	return events.at(-1) as EventOf<'run.end'>;
}

async function rowOf(name: (typeof scenarioNames)[number], mode: 'check' | 'plan' | 'run'): Promise<readonly string[]> {
	const host = hostIn(scenarioState(name), { faults: scenarioFaults(name) });
	const ended = await runbook(host, { mode });
	const line = lastLine(ended.screen);
	const first = ended.screen.split('\n')[0];
	if (mode === 'check' && (first !== line || ended.screen.trimEnd().split('\n').at(-1) !== line))
		throw new Error(`the verdict is not the first and the last line: ${first}`);
	const end = mode === 'run' ? ended.state.end : await endOf(name, mode);
	if (mode === 'check' && end?.exit !== ended.exit) throw new Error('text and JSON do not agree');
	return [
		`  ${(mode === 'run' ? '--yes' : mode).padEnd(6)} ${ended.exit}  ${end?.verdict ?? end?.outcome}`,
		`         ${line}`,
		...ended.screen
			.split('\n')
			.filter(text => mode !== 'plan' && /^ {2}(change|for you|left) /.test(text))
			.map(text => `         ${text}`),
	];
}

describe('each scenario comes to what is written in verdicts.txt', () => {
	test.each(scenarioNames)('%s', async name => {
		const rows = [await rowOf(name, 'check'), await rowOf(name, 'plan'), await rowOf(name, 'run')];
		const block = [name, ...rows.flat()].join('\n');
		blocks.push(block);
		if (!update) expect(block).toBe(known.get(name));
	});
});

const put = (state: SimulatedState, path: string, text: string): void => {
	state.files[path] = fileOf(text);
};

describe('a host that was set up is judged by what it is now', () => {
	const states: readonly [
		string,
		() => Promise<SimulatedHost> | SimulatedHost,
		number,
		string,
		Partial<EventOf<'run.end'>>,
	][] = [
		[
			'with Sysbox down',
			async () => {
				const host = hostOf('already-set-up');
				await host.run(['systemctl', 'stop', 'sysbox'], { timeoutMs: 60_000 });
				return host;
			},
			3,
			'to repair it: 1 change.',
			{ verdict: 'broken', changes: 1 },
		],
		[
			'with Docker down',
			() => hostOf('already-set-up', { faults: [{ name: 'docker-down' }] }),
			3,
			'Fix first: docker.daemon',
			{ verdict: 'broken', changes: 0 },
		],
		[
			'waiting for a reboot',
			() => hostOf('already-set-up', { change: state => put(state, '/run/reboot-required', 'x') }),
			4,
			'set up, 1 action needed. Reboot this host.',
			{ verdict: 'action-needed', forYou: 1, reboot: true },
		],
		[
			'without root, where only root can tell',
			() => hostOf('already-set-up', { faults: [{ name: 'not-root' }] }),
			0,
			'root: run it with sudo for the rest.',
			{ verdict: 'set-up', reboot: false },
		],
	];
	test.each(states)('%s', async (_what, hostNow, exit, words, end) => {
		const text = await runbook(await hostNow(), { mode: 'check' });
		expect(text.exit).toBe(exit);
		expect(lastLine(text.screen)).toContain(words);
		const { screen } = await runbook(await hostNow(), { mode: 'check', format: 'json' });
		expect(JSON.parse(screen.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ type: 'run.end', exit, ...end });
	});

	test('waiting for a reboot that is waived: still told as a fact, and the waiver is named in the verdict', async () => {
		const host = () => hostOf('already-set-up', { change: state => put(state, '/run/reboot-required', 'x') });
		const waivers = [{ finding: 'kernel.reboot-pending', reason: 'on Sunday', expires: '2027-01-31' }];
		const { screen, exit } = await runbook(host(), { mode: 'check', waivers });
		expect(exit).toBe(0);
		expect(lastLine(screen)).toContain('Not counted, as waived: kernel.reboot-pending.');
		const json = await runbook(host(), { mode: 'check', waivers, format: 'json' });
		expect(JSON.parse(json.screen.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ reboot: true, forYou: 0 });
	});

	test('a plan there ends 4', async () => {
		const host = hostOf('already-set-up');
		await host.run(['systemctl', 'stop', 'sysbox'], { timeoutMs: 60_000 });
		const ended = await runbook(host, { mode: 'plan' });
		expect([ended.exit, lastLine(ended.screen)]).toEqual([4, 'ci-07 (simulated): plan: 1 change']);
	});
});

test('a host that can be set up ends 0 where that is all that is asked', async () => {
	const host = () => hostIn(scenarioState('fresh-ubuntu'));
	expect((await runbook(host(), { mode: 'check', want: 'compatible' })).exit).toBe(0);
	expect((await runbook(hostIn(scenarioState('old-kernel')), { mode: 'check', want: 'compatible' })).exit).toBe(3);
});

afterAll(() => {
	if (update) writeFileSync(file, `${blocks.join('\n\n')}\n`);
});

test.each([
	['old-kernel', ['host'], 'incompatible'],
	['no-internet', ['host'], 'incompatible'],
	['fresh-ubuntu', ['daemon'], 'ready'],
	['already-set-up', ['host'], 'set-up'],
] as const)('a check of some steps judges the whole host: %s, %j', async (name, only, verdict) => {
	const host = hostIn(scenarioState(name));
	const { screen } = await runbook(host, { mode: 'check', format: 'json', selection: { only } });
	const whole = await endOf(name, 'check');
	const end = eventSchema.parse(JSON.parse(screen.trimEnd().split('\n').at(-1) ?? ''));
	expect(end).toMatchObject({ verdict, changes: whole.changes, forYou: whole.forYou, exit: whole.exit });
});

test('a test ends with what its proofs came to, and leaves out the table that it cannot earn', async () => {
	const { screen } = await runbook(hostIn(scenarioState('already-set-up')), {
		mode: 'test',
		selection: { only: ['security'] },
	});
	expect(screen).toMatch(/: 14 of 14 attacks blocked/);
	expect(screen).not.toContain('not proved');
});
