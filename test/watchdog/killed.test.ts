/**
 * A restart of Docker by the real step, killed at every event of it. What is asked each time: does Docker run in the end
 * when nobody comes back, when the power fails right then, and when the run is gone on with?
 */
import { describe, expect, test } from 'vitest';
import { changeStep, type Step } from '../../src/model/step.ts';
import { type SimulatedHost, simulatedHost } from '../../src/simulation/host.ts';
import { rebooted } from '../../src/simulation/reboot.ts';
import { type SimulatedState, startToolProcess } from '../../src/simulation/state.ts';
import { readFired } from '../../src/watchdog/facts.ts';
import { dockerStep } from '../../steps/docker/step.ts';
import { sha256 } from '../steps/scripted-docker.ts';
import { engineRun, type KeptRun, newKeptRun } from '../support/engine-run.ts';
import { Killed } from '../support/memory-log.ts';
import { bad, earlier, good, original, path, readsFile, textOf } from './restart-needed.ts';

/** Stands for the steps that write the file. */
const writing = (text: string): Step =>
	changeStep<string>({
		id: 'daemon',
		title: 'Docker configuration',
		why: 'writes it',
		needs: [],
		inspect: readsFile,
		judge: () => [],
		plan: now =>
			now === text
				? { actions: [] }
				: {
						actions: [
							{
								id: 'daemon-json',
								kind: 'write',
								title: 'Write it',
								why: 'asked for',
								path,
								bytes: new TextEncoder().encode(text),
								mode: 0o644,
								expect: { kind: 'sha256', sha256: sha256(now) },
							},
						],
					},
	});

async function run(host: SimulatedHost, text: string, kept: KeptRun, dieAt?: { n: number; side: 'before' | 'after' }) {
	await host.makeDirectory('/var/lib/sysbox-setup', { mode: 0o700 });
	return engineRun([writing(text), dockerStep], host, {
		kept,
		clock: host.clock,
		answers: { 'docker.restart': true },
		risks: ['restart-docker'],
		...(dieAt !== undefined && { dieAt }),
	});
}

interface OpenAction {
	readonly state: SimulatedState;
	readonly kept: KeptRun;
}

async function killedAt(text: string, n: number, side: 'before' | 'after'): Promise<OpenAction> {
	const host = simulatedHost({ state: original });
	const kept = newKeptRun();
	await expect(run(host, text, kept, { n, side })).rejects.toThrow(Killed);
	return { state: host.state(), kept };
}

/** Every event of the docker step until the switch is gone again, with what it is. */
async function momentsOf(text: string) {
	const kept = newKeptRun();
	const host = simulatedHost({ state: original });
	const ended = await run(host, text, kept);
	const named = kept.events.map((event, at) => ({ n: at + 1, event }));
	const first = named.findIndex(({ event }) => event.type === 'action.intent' && event.action === 'switch-folder');
	const moments = named
		.slice(first)
		.filter(({ event }) => event.type === 'action.intent' || event.type === 'action.outcome')
		.map(({ n, event }) => [`${n}: ${event.type} ${'action' in event ? event.action : ''}`, n] as const);
	return { moments, ended, state: host.state() };
}

const switchFiles = (state: SimulatedState) =>
	Object.keys(state.files).filter(p => /switch|multi-user\.target\.d/.test(p));
const later = (state: SimulatedState): SimulatedHost => {
	const host = simulatedHost({ state });
	host.clock.advance(120_000);
	host.disturb(() => undefined);
	return host;
};

const whole = { good: await momentsOf(good), bad: await momentsOf(bad) };

test('a restart that nobody kills leaves nothing of the switch, well or not', () => {
	expect(whole.good.ended.end.exit).toBe(0);
	expect(switchFiles(whole.good.state)).toEqual([]);
	expect(whole.bad.ended.end.exit).toBe(1);
	expect(textOf(whole.bad.state)).toBe(earlier);
	expect(whole.bad.state.docker.engine.up).toBe(true);
	expect(switchFiles(whole.bad.state)).toEqual([]);
});

describe.each(['before', 'after'] as const)('killed %s', side => {
	test.each(whole.bad.moments)(
		'event %s, with nobody coming back: Docker runs',
		async (_, n) => {
			const { state } = await killedAt(bad, n, side);
			const host = later(state);
			expect(host.state().docker.engine.up).toBe(true);
			// The deadline and its ten minutes are over: nothing waits for the next boot any more.
			expect(
				switchFiles(host.state()).filter(p => !/switch(?:\/fired)?$/.test(p)).length === 0 || !armedIn(state),
			).toBe(true);
		},
		60_000,
	);

	test.each(whole.bad.moments.filter(([name]) => /restart/.test(name)))(
		'event %s, with the power failing: Docker runs with the earlier file, and the next run says why',
		async (_, n) => {
			const { state } = await killedAt(bad, n, side);
			const host = simulatedHost({ state: rebooted(state, 'cut') });
			expect(host.state().docker.engine.up).toBe(true);
			expect(textOf(host.state())).toBe(earlier);
			// Taken back before the power failed: there was nothing to put back.
			if (textOf(state) !== earlier)
				expect(await readFired(host)).toMatchObject({ by: 'boot', did: 'put-back', file: path });
		},
	);

	test.each(whole.good.moments)('event %s, and gone on with: it ends as if nobody had killed it', async (_, n) => {
		const { state, kept } = await killedAt(good, n, side);
		const host = simulatedHost({ state: startToolProcess(state) });
		const ended = await run(host, good, kept);
		expect(ended.end.exit).toBe(0);
		expect(host.state().docker.engine.config.bridgeCidr).toBe('172.20.0.1/16');
		expect(switchFiles(host.state())).toEqual([]);
		expect(Object.keys(host.state().units)).toEqual(Object.keys(original.units));
	});
});

const armedIn = (state: SimulatedState): boolean => state.units['sysbox-setup-switch-deadline.timer'] !== undefined;

test('after the switch has fired, the next run says what it did and writes nothing', async () => {
	const restart = whole.bad.moments.find(([name]) => name.endsWith('intent restart'))?.[1] ?? 0;
	// Killed while systemctl runs: Docker goes down, and nobody is there.
	const { state, kept } = await killedAt(bad, restart, 'after');
	const host = simulatedHost({ state });
	await host.run(['systemctl', 'restart', 'docker'], { timeoutMs: 60_000 });
	const after = later(host.state());
	expect(textOf(after.state())).toBe(earlier);
	const ended = await engineRun([dockerStep], simulatedHost({ state: startToolProcess(after.state()) }), { kept });
	expect(ended.end.exit).toBe(3);
	expect(ended.state.steps.at(-1)?.before).toMatchObject([
		{
			severity: 'block',
			summary: expect.stringContaining("The dead man's switch put the earlier /etc/docker/daemon.json back at"),
		},
	]);
});
