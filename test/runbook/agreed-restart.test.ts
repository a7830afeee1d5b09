/** A restart of Docker that the operator agreed to, and what the proof says of the containers that it stopped. */
import { describe, expect, test } from 'vitest';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { type Ask, type Ended, hostOf, runbook, statuses } from './whole-runbook.ts';

const restarting: Ask = {
	selection: { only: ['host', 'sysbox', 'daemon', 'docker', 'functional'] },
	answers: { 'docker.restart': true, 'docker.jobs': 'now', 'docker.start-again': ['db-migration'] },
	risks: ['restart-docker', 'stop-containers'],
};

const regression = ({ state }: Ended) =>
	state.steps.find(s => s.id === 'functional')?.probes.find(p => p.id === 'regression.running-containers');

/** Jobs in flight, a migration without a restart policy, and a setting that only a restart puts in force. */
const busy = (): SimulatedHost => hostOf('containers-running');

const jobs = 'runner-x7k-project-31-concurrent-0-build and runner-x7k-project-31-concurrent-0-docker-0';

describe('a restart that was agreed to', () => {
	test('is no failure, though a second plan without its risks came after it', async () => {
		const ended = await runbook(busy(), restarting);
		expect(ended.state.agreed.filter(a => a.step === 'docker')).toHaveLength(2);
		expect(regression(ended)).toMatchObject({
			verdict: 'pass',
			because: `0 of 8 run untouched; restarted, as you agreed: db-migration, node-exporter, npm-mirror, ci-postgres, jenkins-agent-1 and 1 more; stopped, as you agreed: ${jobs}`,
		});
		expect(statuses(ended)).toContain('functional proved');
	});

	test('leaves stopped what was not to be started again', async () => {
		const answers = { ...restarting.answers, 'docker.start-again': [] };
		const ended = await runbook(busy(), { ...restarting, answers });
		expect(regression(ended)).toMatchObject({
			verdict: 'pass',
			because: expect.stringContaining(`stopped, as you agreed: db-migration, ${jobs}`),
		});
		expect(statuses(ended)).toContain('functional proved');
	});

	test('does not count a job that was waited for, and has ended', async () => {
		const answers = { ...restarting.answers, 'docker.jobs': 'drain' };
		const ended = await runbook(busy(), { ...restarting, answers });
		expect(regression(ended)).toMatchObject({
			verdict: 'pass',
			because: expect.stringContaining(`ended since: ${jobs}`),
		});
	});

	test('does not count a job that has ended meanwhile and was removed', async () => {
		const host = busy();
		const ended = await runbook(host, {
			...restarting,
			onEvent: async event => {
				if (event.type !== 'step.start' || event.step !== 'functional') return;
				const names = host
					.state()
					.docker.engine.containers.map(c => c.name)
					.filter(name => name.startsWith('runner-'));
				await host.run(['docker', 'rm', '--force', ...names], { timeoutMs: 60_000 });
			},
		});
		expect(regression(ended)).toMatchObject({ verdict: 'pass', because: expect.stringContaining(jobs) });
	});

	test('names what should have come back and did not', async () => {
		const host = busy();
		const ended = await runbook(host, {
			...restarting,
			onEvent: async event => {
				if (event.type !== 'step.start' || event.step !== 'functional') return;
				await host.run(['docker', 'stop', 'ci-postgres'], { timeoutMs: 60_000 });
			},
		});
		expect(regression(ended)).toMatchObject({
			verdict: 'fail',
			because: 'ci-postgres does not run, and did not come back after the restart that you agreed to',
		});
		expect(ended.exit).toBe(1);
	});

	test('is agreed to across processes: the run that goes on reads it in the log', async () => {
		const host = busy();
		const { kept } = await runbook(host, {
			...restarting,
			selection: { only: ['host', 'sysbox', 'daemon', 'docker'] },
		});
		const ended = await runbook(host, { ...restarting, kept });
		expect(regression(ended)).toMatchObject({ verdict: 'pass', because: expect.stringContaining('as you agreed') });
	});
});
