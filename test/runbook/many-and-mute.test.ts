/** A Docker that does not answer, and one with thousands of containers: what a look costs and how much it says. */
import { describe, expect, test } from 'vitest';
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
		expect(ended.screen).toContain('Docker gave no answer within 15 s');
		expect(waited).toBe(15_000);
		expect(asked).toHaveLength(2);
	});
});
