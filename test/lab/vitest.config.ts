import { defineConfig } from 'vitest/config';
import { longestFirst } from '../longest-first.ts';

/**
 * End-to-end tests on real systemd and Docker hosts. Two files at a time, whatever the machine has: much of a test is
 * waiting, and more hosts than two would run into the limits of time that the product sets on two cores.
 */
export default defineConfig({
	test: {
		env: { CI: 'false', CONTINUOUS_INTEGRATION: 'false', FORCE_COLOR: '0' },
		include: ['test/lab/**/*.test.ts'],
		testTimeout: 240_000,
		hookTimeout: 300_000,
		maxWorkers: 2,
		sequence: {
			sequencer: longestFirst(['switch', 'runbook', 'wizard', 'killed', 'verdicts', 'lab.smoke', 'templates']),
		},
	},
});
