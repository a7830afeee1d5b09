import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, that first: begun last, one of them would go on alone while the other worker has nothing to do. */
export function longestFirst(names: readonly string[]): typeof BaseSequencer {
	return class extends BaseSequencer {
		override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
			const place = ({ moduleId }: TestSpecification): number => {
				const index = names.indexOf(basename(moduleId).replace(/\.test\.tsx?$/, ''));
				return index === -1 ? names.length : index;
			};
			return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
		}
	};
}
