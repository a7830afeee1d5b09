import { expect, it } from 'vitest';
import type { FrontendRequest } from '../../src/cli/frontend.ts';
import { plainFrontend } from '../../src/cli/plain-frontend.ts';
import type { EventPayload } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import { initialState } from '../../src/model/state.ts';

const finding = { id: 'x.y', severity: 'block', summary: 'the file is broken' } as const;
const found: EventPayload = { type: 'findings', step: 'host', when: 'before', findings: [finding] };

/** Plain lines in which somebody types these. */
async function plainly(...lines: readonly string[]) {
	const typed = [...lines];
	const said: string[] = [];
	const order = { steps: [{ step: { id: 'host', needs: [] }, role: 'chosen' }] };
	const { reader, decider } = plainFrontend({
		mode: 'run',
		order,
		from: initialState,
		saved: {},
		lastRun: new Set(),
		passed: { answers: {}, risks: [] },
		environment: { command: 'sysbox-setup' },
		terminal: {
			environment: {},
			out: (text: string) => said.push(text),
			err: (text: string) => said.push(text),
			ask: async (prompt: string) => {
				said.push(`${prompt}\n`);
				return typed.shift() ?? null;
			},
		},
	} as unknown as FrontendRequest);
	const { emit } = eventStream({ now: () => new Date(0), readers: [reader] });
	await emit({ type: 'step.start', step: 'host', title: 'Host', kind: 'change', n: 1, of: 1 });
	return {
		emit,
		decider,
		told: () =>
			said
				.join('')
				.split('\n')
				.filter(line => line.includes(finding.summary) || line.includes(' > ')),
	};
}

it('what blocks a step is told before anybody is asked about it, after each look', async () => {
	const { emit, decider, told } = await plainly('l', 'g');
	for (const decision of ['look-again', 'go-on']) {
		await emit(found);
		expect(await decider.onBlocked?.('host', [finding], { back: false })).toBe(decision);
	}
	expect(told().map(line => line.includes(' > '))).toEqual([false, true, false, true]);
});

it('what was told before a question is not told again for the answer to it', async () => {
	const { emit, decider, told } = await plainly('y', 'y');
	const question = { id: 'host.x', title: 'T', help: 'H', kind: 'confirm' } as const;
	const place = { n: 1, of: 1, mayGrow: false, next: 'plan' } as const;
	await emit(found);
	await decider.answer('host', question, { back: false }, place);
	await emit(found);
	await emit({ type: 'plan', step: 'host', actions: [] });
	await decider.approve('host', { actions: [] }, [], { back: false });
	expect(told().filter(line => line.includes(finding.summary))).toHaveLength(1);
});
