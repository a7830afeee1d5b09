/** A Docker that does not answer, and one with thousands of containers: what a look costs and how much it says. */
import { describe, expect, test } from 'vitest';
import { inspectDocker } from '../../src/docker/daemon.ts';
import { eventSchema } from '../../src/model/event.ts';
import { rememberedHost } from '../../src/port/remembered.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { crowded } from '../support/many-containers.ts';
import { hostOf, runbook, textOn } from './whole-runbook.ts';

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

describe('a host with thousands of containers, and labels of 1 MB', () => {
	const lines = (text: string): number => text.split('\n').length;

	test('is told in less than 200 lines by a check, each fault once and with its count', async () => {
		const { screen, exit } = await runbook(crowded(hostOf('fresh-ubuntu'), 5_000), { mode: 'check' });
		expect(exit).toBe(4);
		expect(lines(screen)).toBeLessThan(200);
		expect(screen.length).toBeLessThan(40_000);
		expect(screen).toMatch(/^ \? ci\.container\.privileged|^ x ci\.container\.privileged/m);
		expect(screen).toMatch(/ \d{3} containers are privileged, and not under Sysbox[\s\S]*?and \d{3} more/);
	});

	test('is named in full by the events of a check, one severity for each finding', async () => {
		const { screen } = await runbook(crowded(hostOf('fresh-ubuntu'), 5_000), { mode: 'check', format: 'json' });
		const events = screen
			.trimEnd()
			.split('\n')
			.map(line => eventSchema.parse(JSON.parse(line)));
		const seen = events.find(event => event.type === 'observed' && event.key === 'ci.access');
		expect(seen?.type === 'observed' && Array.isArray(seen.value) && seen.value.length).toBeGreaterThan(4_000);
		for (const event of events)
			if (event.type === 'findings') {
				const ids = event.findings.map(({ id }) => id);
				expect(ids).toEqual([...new Set(ids)]);
			}
		expect(screen.length).toBeLessThan(3_000_000);
	});

	test('is inspected 500 at a time, and what is remembered is read once', async () => {
		const crowd = crowded(hostOf('fresh-ubuntu'), 1_200);
		const asked: number[] = [];
		const host = rememberedHost({
			...crowd,
			exec: (argv, options) => {
				if (argv[1] === 'inspect') asked.push(argv.length - 2);
				return crowd.exec(argv, options);
			},
		});
		const { signal } = new AbortController();
		const [first, second] = [await inspectDocker(host, signal), await inspectDocker(host, signal)];
		expect(asked).toEqual([500, 500, 200]);
		if (first.containers.kind !== 'ok' || second.containers.kind !== 'ok') throw new Error('Docker did not answer');
		const names = first.containers.value.map(({ name }) => name);
		expect(names).toEqual(Array.from({ length: 1_200 }, (_, n) => `box-${n}`));
		const again = second.containers.value;
		expect(first.containers.value.every((container, n) => container === again[n])).toBe(true);
	});

	test.each(['plan', 'run'] as const)('makes a %s no longer than a hundred of them do', async mode => {
		const told = async (count: number) => {
			const host = crowded(hostOf('fresh-ubuntu'), count);
			const { screen } = await runbook(host, { mode, ...(mode === 'run' && { record: '/root/record.md' }) });
			return { screen, record: textOn(host, '/root/record.md') ?? '' };
		};
		const few = await told(170);
		const many = await told(1_500);
		expect(lines(many.screen)).toBeLessThanOrEqual(lines(few.screen));
		expect(lines(many.record)).toBeLessThanOrEqual(lines(few.record) + 10);
		expect(Math.max(...many.screen.split('\n').map(line => line.length))).toBeLessThan(2_000);
		expect(many.record.length).toBeLessThanOrEqual(few.record.length * 1.5);
	});

	test('has one severity for each finding in what a plan tells', async () => {
		const { screen } = await runbook(crowded(hostOf('containers-running'), 100), { mode: 'plan' });
		const ids = [...screen.matchAll(/^ ([x?!]) (ci\.[\w.-]+)/gm)].map(([, , id]) => id);
		expect(ids.length).toBeGreaterThan(5);
		expect(ids).toEqual([...new Set(ids)]);
	});
});
