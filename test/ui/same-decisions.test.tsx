import { describe, expect, it } from 'vitest';
import type { Decider } from '../../src/model/decider.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Probe } from '../../src/model/probe.ts';
import type { Question } from '../../src/model/question.ts';
import { askInLines } from '../../src/prompts/ask-in-lines.ts';
import { decideByAsking } from '../../src/prompts/decide-by-asking.ts';
import { action, onlyQuestion, planWith } from '../prompts/deciders.ts';
import { bench, enter, intro, shown, stepStart } from './support.tsx';

/** What somebody can do: the labels, the one that Enter takes, and the ways that are no choice. */
interface Offer {
	readonly choices: readonly string[];
	readonly enter: string | undefined;
	readonly ways: readonly string[];
}

type Ask = (decider: Decider) => Promise<unknown> | undefined;

const steps = (['host', 'ci', 'functional'] as const).map((id, index) => ({
	...intro.steps[0]!,
	id,
	n: index + 1,
	needs: index === 0 ? [] : [(['host', 'ci'] as const)[index - 1]!],
}));

/** A step with a plan, the first action of which is done: enough for all that is said of a run. */
async function begun(replies: readonly string[]) {
	const wizard = bench({ intro: { steps }, decider: { onUndo: () => undefined } });
	const undo = { kind: 'folder' as const, path: '/x' };
	await wizard.emit(stepStart('host'));
	await wizard.emit({ type: 'plan', step: 'host', actions: [shown({ id: 'a' }), shown({ id: 'reload' })] });
	await wizard.emit({ type: 'action.intent', step: 'host', action: 'a', title: 'A', kind: 'exec', does: 'x', undo });
	await wizard.emit({ type: 'action.outcome', step: 'host', action: 'a', outcome: 'done', ms: 1 });
	const held = { id: 'p', title: 'P', threats: [], verdict: 'fail' as const, because: 'x', evidence: [], ms: 1 };
	await wizard.emit({ type: 'probe', step: 'host', ...held });
	const typed = [...replies];
	const prompts: string[] = [];
	const said: string[] = [];
	const asker = askInLines({
		ask: async prompt => {
			prompts.push(prompt);
			return typed.shift() ?? null;
		},
		say: line => said.push(line),
		risks: [],
		planLines: () => [],
	});
	const lines = decideByAsking(asker, {
		answers: {},
		saved: {},
		risks: [],
		settled: () => new Set(),
		onUndo: () => undefined,
		around: () => ({ ...wizard.store.state().intro, run: wizard.store.state().run }),
	});
	return { wizard, lines, prompts, said };
}

const small = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
const ways = ['back', 'skip', 'quit'];

/** ` do it? [y]es, do it (Enter), [s]kip this step, [q]uit > ` */
function offeredInLines(prompt: string): Offer {
	const items = [...prompt.matchAll(/(?:^ (?:[^[]*?\? |\S+ )|, )((?:[a-z]+ )*\[.*?)(?=, (?:[a-z]+ )*\[| > $)/g)].map(
		m => m[1] ?? '',
	);
	const plain = (item: string): string =>
		item
			.replace(' (Enter)', '')
			.replace(/^\[\w\]\w+, /, '')
			.replaceAll(/[[\]]/g, '');
	const known = items.filter(item => !item.startsWith('[v]iew'));
	const marked = known.find(item => item.includes(' (Enter)'));
	return {
		choices: known.map(plain).filter(item => !ways.includes(item)),
		enter: marked === undefined ? undefined : plain(marked),
		ways: known.map(plain).filter(item => ways.includes(item)),
	};
}

/** `❯ Do it   Skip this step` and `b back · q quit`, which must be on the screen too. */
function offeredOnScreen({ store, frame }: Awaited<ReturnType<typeof begun>>['wizard']): Offer {
	const { asking } = store.state();
	const prompt = asking?.prompt;
	if (asking === undefined || prompt?.kind !== 'menu') throw new Error(`no menu:\n${frame()}`);
	const at = prompt.options[prompt.at]?.label;
	for (const { label } of prompt.options) expect(frame()).toContain(label);
	expect(frame()).toContain(`❯ ${at}`);
	expect(frame().includes('b back')).toBe(asking.ways.back);
	const chosen = prompt.options.map(({ value }) => value);
	return {
		choices: prompt.options.map(({ label }) => small(label)),
		enter: at === undefined ? undefined : small(at),
		ways: ways.filter(way => asking.ways[way as keyof typeof asking.ways] && !chosen.includes(way)),
	};
}

/** What is offered, each thing once: a way that is a choice too is one. */
function named({ choices, ways }: Offer): readonly string[] {
	const quits = choices.includes('save and quit');
	return [...choices, ...ways.filter(way => way !== 'quit' || !quits)].toSorted();
}

const finding: Finding = { id: 'x', severity: 'block', summary: 'in the way' };
const probe = {
	id: 'p',
	title: 'Load a module',
	attempt: 'asks',
	threats: ['escape'],
	expectation: 'x',
} as unknown as Probe;
const run = [
	{ id: 'host', n: 1, title: 'Host', kind: 'change', actions: [shown()], asks: 0, assumed: [] },
	{ id: 'ci', n: 2, title: 'CI', kind: 'change', actions: [shown()], asks: 0, assumed: [] },
] as const;
const failure = { action: action(), said: 'no', next: [] };
const left = { back: false };
const back = { back: true };

describe.each<readonly [string, Ask]>([
	['the review of a run', d => d.review?.(run, back)],
	['a plan', d => d.approve('host', { actions: [action()] }, [], left)],
	['a plan with a way back', d => d.approve('host', { actions: [action(), action()] }, [], back)],
	['a plan with a risk', d => d.approve('host', planWith('restart-docker'), [], left)],
	['a plan with a risk and a way back', d => d.approve('host', planWith('restart-docker'), [], back)],
	[
		'a plan with a risk without which nothing falls away',
		d => d.approve('functional', planWith('downgrade'), [], left),
	],
	['a failure', d => d.onFailure('host', failure)],
	['a block', d => d.onBlocked?.('ci', [finding], back)],
	['what only the operator can do', d => d.onLeft?.('ci', [finding])],
	['a proof', d => d.beforeProbes?.('functional', { probes: [probe], leftOut: [], announced: [] }, back)],
	['what a proof has shown', d => d.afterProbes?.('host')],
	[
		'a question of yes or no',
		d =>
			d.answer(
				'host',
				{ id: 'x', title: 'T', label: 'Setting', help: 'H', kind: 'confirm', initial: false },
				back,
				onlyQuestion,
			),
	],
])('%s', (_name, ask) => {
	it('has the same sentences, choices, default and ways out at the screen and in plain lines', async () => {
		const { wizard, lines, prompts, said } = await begun(['']);
		const decided = await ask(lines);
		const chosen = ask(wizard.decider);
		await wizard.sees('enter');
		const screen = offeredOnScreen(wizard);
		const inLines = offeredInLines(prompts[0] ?? '');
		expect(screen.choices.length).toBeGreaterThan(1);
		expect(named(inLines)).toEqual(named(screen));
		expect(inLines.enter).toBe(screen.enter);

		const { title = '', body = [], screen: about } = wizard.store.state().asking ?? {};
		// The plan itself is told before it is decided.
		for (const text of about?.kind === 'plan' ? body : [title, ...body]) expect(said).toContain(` ${text}`);

		await wizard.keys(enter);
		expect(await chosen).toEqual(decided);
	});
});

describe('a value to be typed', () => {
	it.each<Question>([
		{ id: 'x', title: 'T', label: 'Setting', help: 'H', kind: 'number', min: 1, max: 9, initial: 4 },
		{ id: 'x', title: 'T', label: 'Setting', help: 'H', kind: 'path', wants: 'folder', initial: '/srv' },
		{
			id: 'x',
			title: 'T',
			label: 'Setting',
			help: 'H',
			kind: 'many',
			options: [{ value: 'a', label: 'A' }],
			initial: ['a'],
		},
	])('is the same by Enter, and read alike: $kind', async question => {
		const { wizard, lines } = await begun(['']);
		const decided = await lines.answer('host', question, left, onlyQuestion);
		const chosen = wizard.decider.answer('host', question, left, onlyQuestion);
		await wizard.sees('enter');
		await wizard.keys(enter);
		expect(await chosen).toEqual(decided);
		expect(decided).toMatchObject({ source: 'default' });
	});
});
