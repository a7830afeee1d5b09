import type { Action, Plan } from '../../src/model/action.ts';
import type { ActionFailure, Decider } from '../../src/model/decider.ts';
import type { Place, Question } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';

export const plain: Question = {
	id: 'ci.memory',
	title: 'Memory',
	label: 'Memory',
	help: 'Of a job.',
	kind: 'text',
	initial: '2g',
};
export const noDefault: Question = {
	id: 'record.owner',
	title: 'Owner',
	label: 'Memory',
	help: 'Of the host.',
	kind: 'text',
};
export const riskQuestion: Question = {
	id: 'docker.restart',
	title: 'Restart',
	label: 'Memory',
	help: 'Docker.',
	kind: 'risk',
	risk: 'restart-docker',
};

export const action = (risks?: readonly RiskName[]): Action => ({
	id: 'reload',
	kind: 'exec',
	title: 'Reload',
	why: 'x',
	argv: ['systemctl', 'reload', 'docker'],
	timeoutMs: 1000,
	undo: { kind: 'none', why: 'x' },
	...(risks && { risks }),
});

export const planWith = (...risks: readonly RiskName[]): Plan => ({ actions: [action(), action(risks)] });
export const failure: ActionFailure = { action: action(), said: 'no', next: [] };

export const onlyQuestion: Place = { n: 1, of: 1, mayGrow: false, next: 'plan' };

/** The same decider, where there is no way back. */
export function onward(decider: Decider) {
	return {
		answer: (question: Question) => decider.answer('step', question, { back: false }, onlyQuestion),
		approve: (plan: Plan) => decider.approve('step', plan, [], { back: false }),
		onFailure: () => decider.onFailure('step', failure),
	};
}
