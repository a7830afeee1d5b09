import { defineConfig } from 'vitest/config';

/** End-to-end tests on a real systemd and Docker host. Two cores: one host at a time is as fast as two. */
export default defineConfig({
	test: {
		env: { CI: 'false', CONTINUOUS_INTEGRATION: 'false', FORCE_COLOR: '0' },
		include: ['test/lab/**/*.test.ts'],
		testTimeout: 240_000,
		hookTimeout: 300_000,
		fileParallelism: false,
	},
});
