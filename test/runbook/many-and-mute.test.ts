/** A Docker that does not answer, and one with thousands of containers: what a look costs and how much it says. */
import { describe, expect, test } from 'vitest';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { hostOf, runbook } from './whole-runbook.ts';

describe('a Docker that does not answer', () => {
	test.each([
		['check', 'already-set-up'],
		['plan', 'already-set-up'],
		['check', 'fresh-ubuntu'],
		['plan', 'fresh-ubuntu'],
		['run', 'fresh-ubuntu'],
	] as const)('costs a %s of %s 15 s in all, and two calls', async (mode, name) => {
		const host = hostOf(name, { faults: [{ name: 'docker-hangs' }] });
		const asked: string[] = [];
		let waited = 0;
		const counted: typeof host = {
			...host,
			exec: async (argv, options) => {
				if (argv[0] === 'docker') asked.push(argv.join(' '));
				const before = host.clock.now();
				const result = await host.exec(argv, options);
				if (argv[0] === 'docker') waited += host.clock.now() - before;
				return result;
			},
		};
		const ended = await runbook(counted, { mode });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('Docker does not answer: no answer within 15 s');
		// One finding, with what to type; a verdict or an outcome may repeat it.
		expect(ended.screen.match(/^ [x?!] .*no answer/gm)).toHaveLength(1);
		expect(ended.screen).toContain('journalctl -u docker -n 50');
		expect(waited).toBe(15_000);
		expect(asked).toHaveLength(2);
	});

	test('is unknown and not fine where its finding is waived: what follows from it speaks for itself', async () => {
		const host = hostOf('already-set-up', { faults: [{ name: 'docker-hangs' }] });
		const waivers = [{ finding: 'docker.daemon', reason: 'known', expires: '2999-01-01' }];
		const ended = await runbook(host, { mode: 'check', waivers });
		expect(ended.exit).toBe(5);
		expect(ended.screen).toContain(' ? docker.runtime-loaded');
		expect(ended.screen).not.toContain('because of docker.daemon');
	});
});

describe('a user who is neither root nor in the group docker', () => {
	const asAnna = (state: SimulatedState): void => {
		state.identity = { ...state.identity, uid: 1000, gid: 1000, groups: [1000], user: 'anna' };
		for (const process of state.processes) if (process.pid === state.identity.pid) process.uid = 1000;
	};

	test.each([
		['fresh-ubuntu', 'ready'],
		['fresh-debian', 'ready'],
		['already-set-up', 'set-up'],
	] as const)('gets one finding and one fix on %s; check and plan agree', async (name, verdict) => {
		const check = await runbook(hostOf(name, { change: asAnna }), { mode: 'check', format: 'json' });
		const text = await runbook(hostOf(name, { change: asAnna }), { mode: 'check' });
		const plan = await runbook(hostOf(name, { change: asAnna }), { mode: 'plan' });
		const end = JSON.parse(check.screen.trimEnd().split('\n').at(-1) ?? '');
		expect(end).toMatchObject({ verdict, exit: check.exit });
		expect([text.exit, plan.exit]).toEqual([check.exit, check.exit]);
		expect(plan.screen).toContain(verdict === 'ready' ? `plan: ${end.changes} change` : 'plan: no changes');
		for (const { screen } of [text, plan]) {
			const told = screen.split('\n').filter(line => /^ [x?!] .*(socket|Docker cannot)/.test(line));
			expect([...new Set(told)]).toHaveLength(1);
			expect(screen).toContain('Run it with sudo. Members of the group docker may ask Docker without it');
			expect(screen).not.toMatch(/systemctl (start|status) docker|Start Docker/);
		}
	});
});
