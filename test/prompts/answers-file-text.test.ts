import { describe, expect, it } from 'vitest';
import { initialState, type RunState } from '../../src/model/state.ts';
import { readAnswersFile } from '../../src/prompts/answers-file.ts';
import { answersFileText } from '../../src/prompts/answers-file-text.ts';

const step: RunState['steps'][number] = {
	id: 'docker',
	title: 'Docker',
	kind: 'change',
	n: 4,
	of: 8,
	startedAt: '2026-11-24T00:00:00Z',
	status: 'done',
	before: [],
	runningProbes: [],
	probes: [],
	open: [],
};

const state: RunState = {
	...initialState,
	answers: {
		'ci.systems': ['compose', 'gitlab'],
		'ci.memory': '4g',
		'ci.cpus': 0.5,
		'ci.folder': '/srv/a b: "c"',
		'daemon.default-runtime': false,
		'record.owner': 'yes',
		'record.id': '0123',
		'ci.token': '[secret]',
		'docker.restart': 'restart-docker',
	},
	steps: [
		{
			...step,
			decision: { type: 'decision', step: 'docker', decision: 'apply', risks: ['restart-docker'], seq: 1, at: '' },
			after: [
				{
					id: 'disk.data-root',
					severity: 'warn',
					summary: 'little room',
					waived: { reason: 'grows next week', expires: '2027-01-31' },
				},
			],
		},
		{
			...step,
			id: 'ci',
			status: 'skipped',
			decision: { type: 'decision', step: 'ci', decision: 'skip', risks: [], seq: 2, at: '' },
		},
	],
};

describe('the answers file of a run', () => {
	const text = answersFileText(state, 'sysbox-setup');

	it('is read back as the same answers and waivers', () => {
		const read = readAnswersFile('answers.yml', text);
		expect(read).toMatchObject({ kind: 'read' });
		if (read.kind !== 'read') return;
		const { 'ci.token': _, 'docker.restart': __, ...kept } = state.answers;
		expect(read.file.answers).toEqual(kept);
		expect(read.file.waivers).toEqual([
			{ finding: 'disk.data-root', reason: 'grows next week', expires: '2027-01-31' },
		]);
	});

	it('holds no secret and no risk, and says what has to be passed for them', () => {
		expect(text).not.toContain('[secret]');
		expect(text).toContain('ci.token is a secret');
		expect(text).toContain('--yes --answers THIS-FILE --accept-risk restart-docker --skip ci');
	});
});
