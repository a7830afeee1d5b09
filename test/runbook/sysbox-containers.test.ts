/** Containers that run under Sysbox, around everything that takes Sysbox down. */

import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/simulation/faults.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { type Ask, hostOf, newKept, runbook } from './whole-runbook.ts';

const user = 'docker-build-agent';

const upgrade: Ask = {
	selection: { only: ['host', 'sysbox'] },
	answers: { 'sysbox.upgrade': true },
	risks: ['restart-sysbox', 'stop-containers'],
};

const outdated = (faults: readonly Fault[] = [], change: (state: SimulatedState) => void = () => undefined) =>
	hostOf('outdated-sysbox', { faults, change });

const containerOf = (state: SimulatedState, name = user) => {
	const found = state.docker.engine.containers.find(c => c.name === name);
	if (found === undefined) throw new Error(`no container ${name}`);
	return found;
};

async function enter(host: SimulatedHost, name = user): Promise<number | null> {
	const { signal } = new AbortController();
	return (await host.exec(['docker', 'exec', name, 'true'], { timeoutMs: 10_000, signal })).code;
}

const actionsOf = (ended: Awaited<ReturnType<typeof runbook>>) =>
	ended.state.actions.filter(a => a.step === 'sysbox').map(a => `${a.id} ${a.outcome}`);

/** What `journal` and events show of the order: the container's end lies before the package's installation. */
describe('an upgrade of Sysbox', () => {
	test('stops what runs under Sysbox first and starts it after, as agreed', async () => {
		const host = outdated();
		const before = containerOf(host.state());
		const ended = await runbook(host, upgrade);
		expect(ended.exit, ended.screen).toBe(0);
		expect(host.state().sysbox.runc).toBe('0.7.1');
		expect(actionsOf(ended).slice(-4)).toEqual([
			'stop-sysbox-containers done',
			'install done',
			'start done',
			'start-sysbox-containers done',
		]);
		const after = containerOf(host.state());
		expect(after).toMatchObject({ status: 'running', orphaned: false });
		expect(after.pid).not.toBe(before.pid);
		expect(await enter(host)).toBe(0);
		expect(ended.screen).toContain(`${user}`);
		expect(ended.screen).toContain('started again afterwards');
	});

	test('touches nothing until both risks are accepted by name', async () => {
		const host = outdated();
		const before = containerOf(host.state());
		const ended = await runbook(host, { ...upgrade, risks: ['restart-sysbox'] });
		expect(ended.exit).toBe(4);
		expect(ended.state.actions.filter(a => a.id === 'stop-sysbox-containers')).toEqual([]);
		expect(containerOf(host.state()).pid).toBe(before.pid);
	});

	test('that fails starts Sysbox and them again', async () => {
		const host = outdated([{ name: 'apt-fails' }]);
		const ended = await runbook(host, upgrade);
		expect(ended.exit).toBe(1);
		// Within the failure itself: what the operator then reads of the host is true.
		expect(actionsOf(ended).slice(-3)).toEqual([
			'install rolled-back',
			'install.start done',
			'install.start-sysbox-containers done',
		]);
		expect(containerOf(host.state())).toMatchObject({ status: 'running', orphaned: false });
		expect(await enter(host)).toBe(0);
	});

	test('that is killed in between is gone on with, and starts them then', async () => {
		const host = outdated();
		const kept = newKept('killed');
		class Killed extends Error {}
		await expect(
			runbook(host, {
				...upgrade,
				kept,
				onEvent: event => {
					if (event.type === 'action.outcome' && event.action === 'install') throw new Killed('killed');
				},
			}),
		).rejects.toThrow(Killed);
		expect(containerOf(host.state()).status).toBe('exited');
		const ended = await runbook(host, { ...upgrade, kept });
		expect(ended.exit, ended.screen).toBe(0);
		expect(containerOf(host.state()).status).toBe('running');
		expect(await enter(host)).toBe(0);
	});

	test('leaves to the operator what does not come back, with its commands', async () => {
		const host = outdated();
		const id = containerOf(host.state()).id;
		const ended = await runbook(host, {
			...upgrade,
			onEvent: event => {
				// Its mount is dead by the time it is to be started.
				if (event.type !== 'action.outcome' || event.action !== 'install') return;
				host.disturb(state => {
					state.sysbox.deadMounts = [id];
				});
			},
		});
		expect(ended.exit, ended.screen).toBe(4);
		expect(ended.screen).toContain(`Bring ${user} back`);
		expect(ended.screen).toContain(`docker stop ${user}`);
		expect(ended.screen).toContain(`umount -l /var/lib/sysboxfs/${id}`);
		expect(ended.screen).toContain(`docker start ${user}`);
		expect(ended.screen).not.toContain('docker restart');
		expect(actionsOf(ended)).not.toContain('start-sysbox-containers failed');
	});

	test('waits as long as a container is given to stop, and says so beforehand', async () => {
		const host = outdated([], state => {
			containerOf(state).options.stopTimeout = 300;
		});
		const ended = await runbook(host, upgrade);
		expect(ended.screen).toContain(`${user} can take up to 300 s to stop`);
		expect(ended.exit).toBe(0);
	});

	test('does not start again what was made for one job', async () => {
		const host = outdated([], state => {
			containerOf(state).options.labels = { 'com.gitlab.gitlab-runner.job.id': '8812' };
		});
		const ended = await runbook(host, upgrade);
		expect(ended.exit).toBe(0);
		expect(ended.screen).toContain('stopped, and not started again');
		expect(containerOf(host.state()).status).toBe('exited');
	});

	test('is looked at again when another Sysbox container began to run since the plan was shown', async () => {
		const host = outdated();
		const ended = await runbook(host, {
			...upgrade,
			onEvent: event => {
				if (event.type !== 'decision' || event.step !== 'sysbox') return;
				host.disturb(state => {
					const late = structuredClone(containerOf(state));
					if (state.docker.engine.containers.some(c => c.name === 'late')) return;
					state.docker.engine.containers.push({ ...late, id: 'f'.repeat(64), name: 'late' });
				});
			},
		});
		expect(ended.exit, ended.screen).toBe(0);
		for (const name of [user, 'late']) expect(await enter(host, name)).toBe(0);
	});
});
