/** Whatever text an event, an error and a question hold, through every output: nothing that a terminal obeys, and no forged line. */
import { describe, expect, test } from 'vitest';
import { explainError } from '../../src/cli/explain-error.ts';
import { type Event, eventSchema } from '../../src/model/event.ts';
import { WrongInput } from '../../src/model/wrong-input.ts';
import { askInLines } from '../../src/prompts/ask-in-lines.ts';
import { questionDecision } from '../../src/prompts/question-decision.ts';
import { lineOf } from '../../src/text/safe.ts';
import { type Ended, hostOf, revert, runbook } from '../runbook/whole-runbook.ts';
import { shownAs } from './shown-as.tsx';
import { expectSafe, hostile } from './unsafe.ts';

/** What ties events together, or is checked before it is an event. */
const kept = new Set([
	'type',
	'step',
	'action',
	'id',
	'key',
	'kind',
	'at',
	'run',
	'needs',
	'reverts',
	'sha256',
	'digest',
]);

/** Whether the text at a place of an event may be any text: asked of the schema once for each place. */
const free = new Map<string, boolean>();

/** The event with every text in it replaced, as far as it stays an event. */
function poisoned(event: Event): Event {
	const whole = structuredClone(event) as unknown;
	const visit = (node: unknown, path: string): void => {
		if (typeof node !== 'object' || node === null) return;
		const holder = node as Record<string, unknown>;
		for (const [key, value] of Object.entries(holder)) {
			if (kept.has(key)) continue;
			const place = Array.isArray(node) ? path : `${path} ${holder['kind'] ?? ''} ${key}`;
			visit(value, place);
			if (typeof value !== 'string' || free.get(place) === false) continue;
			holder[key] = hostile(event.type);
			if (!free.has(place)) free.set(place, eventSchema.safeParse(whole).success);
			if (free.get(place) === false) holder[key] = value;
		}
	};
	visit(whole, event.type);
	return eventSchema.parse(whole);
}

/** A run that changed, proved and failed something, and its revert. */
async function everyKindOfEvent(): Promise<readonly (readonly Event[])[]> {
	const failed = await runbook(hostOf('fresh-ubuntu', { faults: [{ name: 'apt-fails' }] }), {});
	const host = hostOf('fresh-ubuntu');
	const done = await runbook(host, {});
	const back = await revert(host, done.kept);
	return [failed, done, back].map(({ kept: { events } }: Ended) => {
		const some = new Map<string, number>();
		// A few of each kind and step are as good as all: the checks of the schema take their time.
		return events.filter(event => {
			const name = `${event.type} ${'step' in event ? event.step : ''}`;
			some.set(name, (some.get(name) ?? 0) + 1);
			return !['probe', 'output', 'progress'].includes(event.type) || (some.get(name) ?? 0) <= 3;
		});
	});
}

test('whatever text an event holds, each output of it is safe', async () => {
	for (const events of await everyKindOfEvent()) {
		const outputs = await shownAs(events.map(poisoned));
		for (const [name, text] of outputs) {
			expectSafe(name, text);
			expect(text, name).toContain('MARK-');
		}
	}
}, 120_000);

describe('what is typed and asked', () => {
	const text = hostile('typed');

	test('in an error of what was passed', () => {
		let said = '';
		explainError(new WrongInput(`there is no file ${text}`, [`look at ${text}`]), line => {
			said += line;
		});
		expectSafe('error', said);
		expect(said).toContain('MARK-typed');
	});

	test('in a question in plain lines', async () => {
		let said = '';
		const ask = askInLines({
			ask: async () => null,
			say: line => {
				said += lineOf(line);
			},
			risks: [],
			planLines: () => [],
		});
		const options = [{ value: text, label: text, hint: text }];
		const question = { kind: 'choice', id: 'ci.x', label: 'X', title: text, help: text, options } as const;
		const place = { n: 1, of: 1, mayGrow: false, next: 'plan' } as const;
		await ask(questionDecision('ci', question, undefined, { back: false }, place));
		expectSafe('question', said);
		expect(said).toContain('MARK-typed');
	});
});
