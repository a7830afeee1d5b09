import { describe, expect, it } from 'vitest';
import { orderSteps, type Selection } from '../../src/model/order.ts';
import { changeStep, type Step } from '../../src/model/step.ts';

describe('the order of steps', () => {
	const step = (id: string, ...needs: string[]): Step =>
		changeStep<null>({
			id,
			title: id,
			why: id,
			needs,
			inspect: async () => null,
			judge: () => [],
			plan: () => ({ actions: [] }),
		});
	const catalogue = [
		step('host'),
		step('sysbox', 'host'),
		step('docker', 'sysbox'),
		step('ci'),
		step('proof', 'docker'),
	];
	const ids = (selection: Selection, steps: readonly Step[] = catalogue) => {
		const result = orderSteps(steps, selection);
		return result.kind === 'order'
			? result.order.steps.map(s => `${s.step.id}${s.role === 'chosen' ? '' : '?'}`)
			: result;
	};

	it('is the catalogue, but for what a step needs', () => {
		expect(ids({})).toEqual(['host', 'sysbox', 'docker', 'ci', 'proof']);
		expect(ids({}, [step('c', 'b'), step('a'), step('b', 'a')])).toEqual(['a', 'b', 'c']);
	});

	it('looks at all that a chosen step needs, however far away, and applies none of it', () => {
		expect(ids({ only: ['proof'] })).toEqual(['host?', 'sysbox?', 'docker?', 'proof']);
		expect(ids({ only: ['ci'] })).toEqual(['ci']);
	});

	it('begins where --from says, and leaves out what --skip says unless it is needed', () => {
		expect(ids({ from: 'docker' })).toEqual(['host?', 'sysbox?', 'docker', 'ci', 'proof']);
		expect(ids({ skip: ['ci', 'sysbox'] })).toEqual(['host', 'sysbox?', 'docker', 'proof']);
		expect(ids({ only: ['ci', 'host'], skip: ['ci'], from: 'host' })).toEqual(['host']);
		expect(ids({ only: ['ci'], skip: ['ci'] })).toEqual([]);
	});

	it('does not mind a need that is not in the catalogue', () => {
		expect(ids({}, [step('a', 'elsewhere')])).toEqual(['a']);
	});

	it('names a cycle, not what leads to it', () => {
		expect(ids({}, [step('x', 'a'), step('a', 'b'), step('b', 'a')])).toEqual({
			kind: 'cycle',
			through: ['a', 'b', 'a'],
		});
		expect(ids({}, [step('a', 'a')])).toEqual({ kind: 'cycle', through: ['a', 'a'] });
	});
});
