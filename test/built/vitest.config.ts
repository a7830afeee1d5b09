import { defineConfig } from 'vitest/config';

/** Tests of the built and of the packed program. */
export default defineConfig({
	test: {
		env: { CI: 'false', CONTINUOUS_INTEGRATION: 'false', FORCE_COLOR: '0' },
		include: ['test/built/**/*.test.ts'],
		testTimeout: 120_000,
		hookTimeout: 120_000,
	},
});
