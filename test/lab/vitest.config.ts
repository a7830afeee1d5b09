import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, that first: begun last, one of them would go on alone while the other worker has nothing to do. */
const longest = ['runbook', 'wizard', 'switch', 'killed', 'verdicts', 'lab.smoke', 'templates'];

class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const place = ({ moduleId }: TestSpecification): number => {
			const index = longest.indexOf(basename(moduleId, '.test.ts'));
			return index === -1 ? longest.length : index;
		};
		return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
	}
}

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
		sequence: { sequencer: LongestFirst },
	},
});
