/** What a look says of a Sysbox that is down, half down, hangs or was restarted under its containers. */

import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/model/finding.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { sysboxStep } from '../../steps/sysbox/step.ts';
import { engineRun } from '../support/engine-run.ts';
import { hostOf, runbook } from './whole-runbook.ts';

const user = 'docker-build-agent';
const { signal } = new AbortController();
const short = { timeoutMs: 60_000, signal };

const using = (change: (state: SimulatedState) => void = () => undefined) => hostOf('outdated-sysbox', { change });

/** What a look finds: `check` keeps no log, so the engine is asked. */
async function look(host: SimulatedHost, id: string): Promise<Finding | undefined> {
	const { state } = await engineRun([sysboxStep], host, { mode: 'check', clock: host.clock });
	return state.steps.flatMap(s => s.after ?? s.before).find(f => f.id === id && f.severity !== 'ok');
}

const idOf = (state: SimulatedState): string => state.docker.engine.containers.find(c => c.name === user)?.id ?? '';

describe('containers that are "Up" and cannot be entered', () => {
	test.each([
		['while Sysbox is down', [['systemctl', 'stop', 'sysbox']], 'Sysbox is down'],
		['after Sysbox was restarted under them', [['systemctl', 'restart', 'sysbox']], 'Sysbox was restarted under it'],
	] as const)('are named %s, with what brings them back', async (_, commands, why) => {
		const host = using();
		for (const argv of commands) await host.run(argv, short);
		const finding = await look(host, 'sysbox.dead-containers');
		expect(finding?.summary).toBe(`${user} is "Up" and cannot be entered: ${why}`);
		expect(finding?.remedy).toMatchObject({ commands: [`docker stop ${user} && docker start ${user}`] });
	});

	test('are revived by the commands that are told', async () => {
		const host = using();
		await host.run(['systemctl', 'restart', 'sysbox'], short);
		expect((await host.exec(['docker', 'exec', user, 'true'], short)).code).toBe(126);
		await host.run(['docker', 'stop', user], short);
		expect((await host.run(['docker', 'start', user], short)).code).toBe(0);
		expect((await host.exec(['docker', 'exec', user, 'true'], short)).code).toBe(0);
		expect(await look(host, 'sysbox.dead-containers')).toBeUndefined();
	});

	test('are none on a host whose Sysbox was not touched', async () => {
		expect(await look(using(), 'sysbox.dead-containers')).toBeUndefined();
	});
});

describe('a mount of sysbox-fs', () => {
	test('that is dead under a running container is unmounted between its stop and its start', async () => {
		const host = using();
		const pid = host.state().units['sysbox-fs.service']?.mainPid ?? 0;
		await host.run(['kill', '-9', String(pid)], short);
		await host.run(['systemctl', 'start', 'sysbox'], short);
		const id = idOf(host.state());
		expect((await look(host, 'sysbox.dead-containers'))?.remedy).toMatchObject({
			commands: [`docker stop ${user} && umount -l /var/lib/sysboxfs/${id} && docker start ${user}`],
		});
		expect(await look(host, 'sysbox.dead-mounts')).toMatchObject({ breaks: true });
	});

	test('that is dead and belongs to no running container is unmounted by a run', async () => {
		const host = using();
		const dead = 'd'.repeat(64);
		host.disturb(state => {
			state.sysbox.deadMounts = [dead];
		});
		const ended = await runbook(host, { selection: { only: ['host', 'sysbox'] } });
		expect(ended.state.actions.map(a => `${a.id} ${a.outcome}`)).toContain('unmount-dead done');
		expect(host.state().sysbox.deadMounts).toEqual([]);
	});
});

describe('a Sysbox', () => {
	test.each(['fs', 'mgr'] as const)('whose sysbox-%s hangs is broken although all units are active', async which => {
		const host = using(state => {
			state.sysbox.hangs = which;
		});
		const finding = await look(host, 'sysbox.units-active');
		expect(finding).toMatchObject({ severity: 'block', breaks: true });
		expect(finding?.summary).toContain(`sysbox-${which} hangs`);
		if (which === 'fs') expect(finding?.evidence).toContain('gave no answer within 2 s');
	});

	test('whose two daemons run without sysbox.service is not said to start no container', async () => {
		const host = using(state => {
			const unit = state.units['sysbox.service'];
			if (unit !== undefined) Object.assign(unit, { active: 'failed', sub: 'failed', result: 'start-limit-hit' });
		});
		const finding = await look(host, 'sysbox.units-active');
		expect(finding).toMatchObject({
			severity: 'warn',
			summary: 'sysbox.service is failed; sysbox-mgr and sysbox-fs run',
		});
		expect(finding?.breaks).toBeUndefined();
	});

	test('whose ids were edited while it runs is judged by the map that its containers have', async () => {
		const host = using(state => {
			for (const path of ['/etc/subuid', '/etc/subgid'])
				state.files[path] = { kind: 'file', mode: 0o644, uid: 0, gid: 0, text: 'sysbox:300000:65536\n' };
		});
		const start = host.state().sysbox.subidStart;
		const finding = await look(host, 'sysbox.subid');
		expect(finding).toMatchObject({ severity: 'info' });
		expect(finding?.summary).toContain(`from ${start} on`);
		expect(finding?.summary).toContain('300000, which takes effect at the next start of Sysbox');
	});
});
