import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { longestFirst } from './test/longest-first.ts';

export default defineConfig({
	test: {
		// What a CI machine exports must not change what the product prints: a test that wants these sets them itself.
		env: { CI: 'false', CONTINUOUS_INTEGRATION: 'false', FORCE_COLOR: '0' },
		include: ['test/**/*.test.{ts,tsx}'],
		exclude: ['test/lab/**', 'test/built/**', 'node_modules/**'],
		restoreMocks: true,
		// Ends what hangs, and nothing else: on a machine that is busy with other work a whole run takes its time.
		testTimeout: 60_000,
		// Vitest leaves one core to itself: of two, that would be half of the time.
		maxWorkers: availableParallelism(),
		sequence: { sequencer: longestFirst(['killed', 'daemon-json', 'outside-text', 'screens', 'faults', 'bad-host']) },
	},
});
