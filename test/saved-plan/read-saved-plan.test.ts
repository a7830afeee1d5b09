import { describe, expect, it } from 'vitest';
import { readSavedPlan } from '../../src/saved-plan/read-saved-plan.ts';
import { planDigest, type SavedPlan, savedPlanText } from '../../src/saved-plan/saved-plan.ts';

const content: Omit<SavedPlan, 'digest'> = {
	'sysbox-setup-plan': 2,
	made: { at: '2026-11-24T09:12:01.965Z', by: 'anna', tool: '1.0.0', command: ['plan'] },
	host: { name: 'ci-07', machine: '', simulated: false, root: true },
	answers: { 'ci.memory': '4g' },
	steps: [
		{
			id: 'docker',
			title: 'Docker',
			actions: [
				{
					id: 'reload',
					kind: 'exec',
					title: 'Reload Docker',
					why: 'x',
					does: 'systemctl reload docker',
					undo: 'none: x',
					exact: { sha256: 'a'.repeat(64), argv: ['systemctl', 'reload', 'docker'] },
				},
			],
		},
	],
};
const plan: SavedPlan = { ...content, digest: planDigest(content) };
const text = savedPlanText(plan);
const read = (changed: string) => readSavedPlan('p.json', new TextEncoder().encode(changed));
const problems = (changed: string): readonly string[] => {
	const result = read(changed);
	return result.kind === 'wrong' ? result.problems : [];
};

describe('a saved plan', () => {
	it('is read as it was written', () => {
		expect(read(text)).toEqual({ kind: 'plan', plan });
	});

	it('is the same plan with its keys in another order and other white space', () => {
		const { digest, ...rest } = plan;
		const turned = JSON.stringify({ ...Object.fromEntries(Object.entries(rest).toReversed()), digest });
		expect(read(turned).kind).toBe('plan');
	});

	it.each([
		['nothing at all', '', ['p.json:1:1: the file is empty']],
		['something else', '{"version": 1}\n', ['p.json:1:1: is no saved plan']],
		[
			'a later format',
			'{\n  "sysbox-setup-plan": 3\n}\n',
			['p.json:2:24: this plan has version 3, and this sysbox-setup runs plans of version 2'],
		],
	])('is refused when it is %s', (_, changed, words) => {
		expect(problems(changed)).toEqual(words);
	});

	it('is refused with the place of what is wrong in it', () => {
		expect(problems(text.replace('"docker",', '"docker"'))[0]).toMatch(/^p\.json:\d+:\d+: /);
		const line = text.split('\n').findIndex(row => row.includes('"simulated": false')) + 1;
		expect(problems(text.replace('"simulated": false', '"simulated": "no"'))).toEqual([
			`p.json:${line}:18: host.simulated: Invalid input: expected boolean, received string`,
		]);
		expect(problems(text.replace(/"sha256": "a+"/, '"sha256": "short"'))[0]).toContain(
			'steps.0.actions.0.exact.sha256: must be a sha256',
		);
	});

	it('is refused with a field that nobody looks at', () => {
		expect(problems(text.replace('"answers": {', '"risks": ["restart-docker"], "answers": {'))[0]).toContain('"risks"');
	});

	it('is refused when it was changed after it was written', () => {
		expect(problems(text.replace('systemctl reload docker', 'systemctl restart docker'))).toEqual([
			'p.json: was changed after it was written: its content does not have the digest that it names',
		]);
	});

	it('is refused with characters that a terminal would obey, which are not printed either', () => {
		const told = problems(text.replace('"by": "anna"', '"by": "\\u001b[2Janna"'));
		expect(told[0]).toContain('made.by: must not hold control characters');
		expect(told.join()).not.toContain('\u001b');
	});
});
