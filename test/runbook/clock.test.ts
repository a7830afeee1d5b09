/** Somebody, or NTP, sets the time of day during a run: deadlines go by the clock that nobody can set. */
import { expect, test } from 'vitest';
import { actions, hostOf, runbook, statuses } from './whole-runbook.ts';

const day = 24 * 60 * 60_000;

test.each([
	['back', -day],
	['forth', day],
])('the time of day is set %s while the run waits: the wait is as long as it was announced', async (_, jump) => {
	const host = hostOf('fresh-ubuntu', { faults: [{ name: 'docker-reload-ignored' }] });
	let began = Number.POSITIVE_INFINITY;
	let ended = 0;
	const run = await runbook(host, {
		wallClockIsOff: () => (host.clock.now() > began + 2000 ? jump : 0),
		onEvent: event => {
			if (!('action' in event) || event.step !== 'docker' || event.action !== 'reload') return;
			if (event.type === 'action.intent') began = host.clock.now();
			if (event.type === 'action.outcome') ended = host.clock.now();
		},
	});
	expect(run.exit).toBe(1);
	expect(run.state.actions.find(a => a.id === 'reload')?.failure?.said).toMatch(/^waited 15 s for: docker lists/);
	expect(Math.round((ended - began) / 1000)).toBeGreaterThanOrEqual(15);
	expect(Math.round((ended - began) / 1000)).toBeLessThan(20);
});

test.each([
	['back', -day],
	['forth', day],
])('the time of day is set %s in the middle of a run: it comes to the same end', async (_, jump) => {
	const host = hostOf('fresh-ubuntu');
	const run = await runbook(host, {
		// Again and again, so that it happens in the middle of whatever takes a moment.
		wallClockIsOff: () => (Math.floor(host.clock.now() / 50) % 2 === 0 ? 0 : jump),
	});
	expect(run.exit, `${statuses(run).join(', ')}; ${actions(run).join(', ')}`).toBe(0);
	const durations = run.kept.events.flatMap(e => (e.type === 'action.outcome' || e.type === 'probe' ? [e.ms] : []));
	for (const ms of durations) expect(ms).toBeLessThan(15 * 60_000);
	for (const ms of durations) expect(ms).toBeGreaterThanOrEqual(0);
});
