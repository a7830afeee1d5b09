import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { longestFirst } from '../longest-first.ts';

/** Tests of the built and of the packed program. */
export default defineConfig({
	test: {
		env: { CI: 'false', CONTINUOUS_INTEGRATION: 'false', FORCE_COLOR: '0' },
		include: ['test/built/**/*.test.ts'],
		testTimeout: 120_000,
		hookTimeout: 120_000,
		maxWorkers: availableParallelism(),
		sequence: { sequencer: longestFirst(['wizard-stop', 'wizard', 'other-nodes', 'demo', 'new-step']) },
	},
});
