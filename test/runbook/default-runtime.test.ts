/** The default runtime, asked for and accepted by name: proved on what this host runs, or taken back. */
import { expect, test, vi } from 'vitest';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { actions, hostOf, runbook, statuses, textOn } from './whole-runbook.ts';

vi.setConfig({ testTimeout: 60_000 });

const asked = { answers: { 'daemon.default-runtime': true }, risks: ['default-runtime'] } as const;
const probe = 'regression.default-runtime';

const withoutHostNetwork = (state: SimulatedState): void => {
	const { engine } = state.docker;
	engine.containers = engine.containers.filter(c => !JSON.stringify(c.options).includes('"host"'));
};

test('where every kind of container of this host runs as before, it stays', async () => {
	const host = hostOf('fresh-ubuntu', { change: withoutHostNetwork });
	const ended = await runbook(host, asked);
	expect(ended.state.steps.flatMap(s => s.probes).find(p => p.id === probe)?.verdict).toBe('pass');
	expect(ended.exit).toBe(0);
	expect(host.state().docker.engine.config.defaultRuntime).toBe('sysbox-runc');
});

test('where one does not, runc is named again and loaded, and the proof has failed', async () => {
	const host = hostOf('fresh-ubuntu', {
		change: state => {
			withoutHostNetwork(state);
			const [first] = state.docker.engine.containers;
			if (first !== undefined) first.options.networkMode = 'host';
		},
	});
	const ended = await runbook(host, asked);
	const failed = ended.state.steps.flatMap(s => s.probes).find(p => p.id === probe);
	expect(failed).toMatchObject({ verdict: 'fail', because: expect.stringContaining('--network=host does not start') });
	expect(ended.exit).toBe(1);
	expect(statuses(ended)).toContain('functional failed');
	expect(ended.screen).toContain('it was taken back');
	expect(actions(ended).filter(a => a.startsWith('functional.'))).toEqual(
		expect.arrayContaining(['functional.default-back done', 'functional.reload done']),
	);
	expect(JSON.parse(textOn(host) ?? '')).toMatchObject({ 'default-runtime': 'runc' });
	expect(host.state().docker.engine.config.defaultRuntime).toBe('runc');
});

test('where it was not asked for, nothing of it is proved', async () => {
	const ended = await runbook(hostOf('fresh-ubuntu'));
	expect(ended.state.steps.flatMap(s => s.probes).map(p => p.id)).not.toContain(probe);
});
