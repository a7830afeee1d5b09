import { describe, expect, it } from 'vitest';
import type { FrontendRequest } from '../../src/cli/frontend.ts';
import { plainFrontend } from '../../src/cli/plain-frontend.ts';
import type { EventPayload } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import { initialState, type RunState } from '../../src/model/state.ts';

const finding = { id: 'x.y', severity: 'block', summary: 'the file is broken' } as const;
const found: EventPayload = { type: 'findings', step: 'host', when: 'before', findings: [finding] };

/** A frontend of plain lines at which somebody types these, and then closes the terminal. */
function frontendOf(lines: readonly string[], request: Partial<FrontendRequest> = {}) {
	const typed = [...lines];
	const said: string[] = [];
	const order = { steps: [{ step: { id: 'host', needs: [] }, role: 'chosen' }] };
	const frontend = plainFrontend({
		mode: 'run',
		goOn: 'sysbox-setup --plain',
		order,
		from: initialState,
		saved: {},
		lastRun: new Set(),
		passed: { answers: {}, risks: [] },
		environment: { command: 'sysbox-setup' },
		signal: new AbortController().signal,
		driftSince: async () => [],
		terminal: {
			environment: {},
			out: (text: string) => said.push(text),
			err: (text: string) => said.push(text),
			ask: async (prompt: string) => {
				said.push(`${prompt}\n`);
				return typed.shift() ?? null;
			},
		},
		...request,
	} as unknown as FrontendRequest);
	return { ...frontend, said: () => said.join('') };
}

/** Plain lines in which somebody types these. */
async function plainly(...lines: readonly string[]) {
	const { reader, decider, said } = frontendOf(lines);
	const { emit } = eventStream({ now: () => new Date(0), readers: [reader] });
	await emit({ type: 'step.start', step: 'host', title: 'Host', kind: 'change', n: 1, of: 1 });
	return {
		emit,
		decider,
		told: () =>
			said()
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
	const question = { id: 'host.x', title: 'T', label: 'Setting', help: 'H', kind: 'confirm' } as const;
	const place = { n: 1, of: 1, mayGrow: false, next: 'plan' } as const;
	await emit(found);
	await decider.answer('host', question, { back: false }, place);
	await emit(found);
	await emit({ type: 'plan', step: 'host', actions: [] });
	await decider.approve('host', { actions: [] }, [], { back: false });
	expect(told().filter(line => line.includes(finding.summary))).toHaveLength(1);
});

describe('a run that was left, in plain lines', () => {
	const step = { id: 'host', title: 'Host', kind: 'change', n: 1, of: 8 } as const;
	const installed = {
		...{ step: 'host', id: 'install', seq: 3, at: '', title: 'Install jq', kind: 'exec', does: '', tail: [] },
		undo: { kind: 'packages', changes: { installed: ['jq'], removed: [], replaced: [] } },
		outcome: 'done',
	} as const;
	const left = {
		...initialState,
		start: { at: '2026-11-24T09:12:00.000Z', user: 'anna', run: 'r', host: 'h', mode: 'run', simulated: true },
		lastAt: '2026-11-24T09:14:00.000Z',
		steps: [{ ...step, status: 'open', why: 'left before it was finished' }],
		actions: [installed],
	} as unknown as RunState;
	const untouched: RunState = { ...left, actions: [] };

	it.each([
		['', { kind: 'go-on' }],
		['g', { kind: 'go-on' }],
		[' A ', { kind: 'go-on' }],
		['r', { kind: 'undo' }],
		['l', { kind: 'left', exit: 4 }],
		['q', { kind: 'left', exit: 4 }],
	])('%j is taken as %j', async (typed, begun) => {
		const { begin, said } = frontendOf([typed], { from: left });
		expect(await begin()).toEqual(begun);
		expect(said()).toContain('[g]o on (Enter), [a]sk everything again from step 1, [r]evert what was done (1 change)');
	});

	it('a closed terminal leaves the run, and Ctrl+C is told by the exit code', async () => {
		expect(await frontendOf([], { from: left }).begin()).toEqual({ kind: 'left', exit: 4 });
		expect(await frontendOf([], { from: left, signal: AbortSignal.abort() }).begin()).toEqual({
			kind: 'left',
			exit: 130,
		});
	});

	it('says where it was left, and what has changed since', async () => {
		const differences = [{ about: 'docker', text: '29.1.0 was there, now 29.2.0' }];
		const { begin, said } = frontendOf(['l'], { from: left, driftSince: async () => differences });
		await begin();
		expect(said()).toContain(
			[
				'This run was left at 2026-11-24T09:14:00.000Z, at step 1 of 8, Host (as anna).',
				'  1 Host: action needed, left before it was finished',
				'The host was looked at again just now. Not as it was left:',
				'  docker: 29.1.0 was there, now 29.2.0',
			].join('\n'),
		);
	});

	it('asks again after nonsense, and offers no revert where nothing was changed', async () => {
		const { begin, said } = frontendOf(['yes', 'r', 'g'], { from: untouched });
		expect(await begin()).toEqual({ kind: 'go-on' });
		expect(said().match(/Type one of the letters in brackets/g)).toHaveLength(2);
		expect(said()).not.toContain('[r]evert');
	});

	const cpus = { id: 'host.x', title: 'T', label: 'Setting', help: 'H', kind: 'text' } as const;
	it.each([
		['g', { kind: 'answer', value: '4', source: 'saved' }],
		['a', { kind: 'answer', value: '8', source: 'operator' }],
	])('after %j a step that was finished is asked about as it should be', async (typed, answer) => {
		const later = { ...step, id: 'sysbox', n: 2, status: 'open' };
		const from = { ...left, steps: [{ ...step, status: 'done' }, later] } as unknown as RunState;
		const { begin, decider, said } = frontendOf([typed, '8'], { from, saved: { 'host.x': '4' } });
		await begin();
		const place = { n: 1, of: 1, mayGrow: false, next: 'plan' } as const;
		expect(await decider.answer('host', cpus, { back: false }, place)).toMatchObject(answer);
		expect(said().includes('host.x')).toBe(typed === 'a');
	});
});

it.each([
	['run', 'interrupted', 'go on with:  sysbox-setup --plain'],
	['run', 'failed', 'go on with:  sysbox-setup --plain'],
	['run', 'open', 'go on with:  sysbox-setup --plain'],
	['test', 'interrupted', 'start again with:  sysbox-setup --plain'],
] as const)('a %s that ended %s names the command for it', async (mode, outcome, line) => {
	const { reader, end, said } = frontendOf([], { mode });
	const payload = { type: 'run.end', outcome, exit: 4, open: [] } as unknown as EventPayload;
	const { emit } = eventStream({ now: () => new Date(0), readers: [reader] });
	await emit(payload);
	await end();
	expect(said()).toContain(`${line}\n`);
});

it('a run that is done names no command to go on with', async () => {
	const { reader, end, said } = frontendOf([]);
	const { emit } = eventStream({ now: () => new Date(0), readers: [reader] });
	await emit({ type: 'run.end', outcome: 'done', exit: 0, open: [] } as unknown as EventPayload);
	await end();
	expect(said()).not.toContain('with:');
});
