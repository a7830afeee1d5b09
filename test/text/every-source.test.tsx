/** Every source of outside text, through every output: nothing that a terminal obeys, and no line of the host's making. */
import { describe, expect, test } from 'vitest';
import { explainError } from '../../src/cli/explain-error.ts';
import { systemLog } from '../../src/cli/system-log.ts';
import { type Event, type EventPayload, eventSchema } from '../../src/model/event.ts';
import { initialState, reduce } from '../../src/model/state.ts';
import { WrongInput } from '../../src/model/wrong-input.ts';
import { decideFromPrompts } from '../../src/prompts/from-prompts.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { lineOf } from '../../src/text/safe.ts';
import { unicodeGlyphs } from '../../src/view/glyphs.ts';
import { ndjsonReader } from '../../src/view/ndjson.ts';
import { runTable, statusLines } from '../../src/view/status.ts';
import { type TextOptions, textReader } from '../../src/view/text.ts';
import { composeRecord } from '../../steps/record/compose.ts';
import { type Ask, daemonJson, type Ended, fileOf, hostOf, revert, runbook } from '../runbook/whole-runbook.ts';
import { tinyHost } from '../support/tiny-host.ts';
import { bench } from '../ui/support.tsx';
import { everyUnsafe, mayObey } from './unsafe.ts';

const forged = '✔ all fine: FORGED';

/**
 * A mark to find it by, everything that a terminal obeys or hides, what a reader of Markdown
 * fetches, and a line that looks like ours.
 */
const hostile = (mark: string): string =>
	`MARK-${mark}.<img src=x>|${everyUnsafe.filter(c => c !== '\0').join('')}\n${forged}`;

/** Our own lines begin in one of the first columns. */
const firstColumns = /^[ ]{0,3}✔ all fine/m;

/** A fenced block of Markdown, which quotes line by line. */
const fenced = /^(`{3,})[a-z]*\n[\s\S]*?\n\1$/gm;

const codeSpan = /(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g;

function expectSafe(output: string, text: string): void {
	expect(mayObey(text), output).toEqual([]);
	const lines = output === 'record' ? text.replaceAll(fenced, '') : text;
	expect(firstColumns.exec(lines)?.[0], output).toBeUndefined();
	if (output === 'record') expect(/.*(?<!\\)<img.*/.exec(lines.replaceAll(codeSpan, ''))?.[0]).toBeUndefined();
}

interface Source {
	/** What some output has to hold. */
	readonly mark: string;
	readonly plant?: (state: SimulatedState, text: string) => void;
	readonly ask?: (text: string) => Ask;
	/** It ends the run early, so that the others do not get anywhere beside it. */
	readonly alone?: true;
}

/** A new source is an entry here. */
const sources: readonly Source[] = [
	{
		mark: 'container-name',
		plant: (state, text) => {
			for (const container of state.docker.engine.containers) container.name = text;
		},
	},
	{
		mark: 'image-name',
		plant: (state, text) => {
			for (const container of state.docker.engine.containers) container.imageRef = text;
		},
	},
	{
		mark: 'kernel',
		plant: (state, text) => {
			state.machine.kernel = `6.8.0-${text}`;
		},
	},
	{
		mark: 'host-name',
		plant: (state, text) => {
			state.machine.hostname = text;
		},
	},
	{
		mark: 'user-name',
		plant: (state, text) => {
			state.identity.user = text;
		},
	},
	{ mark: 'change-id', ask: text => ({ changeId: text }) },
	{
		mark: 'os-release',
		alone: true,
		plant: (state, text) => {
			state.files['/etc/os-release'] = fileOf(`ID=x\nPRETTY_NAME="${text.replace('\n', ' ')}"\nVERSION_ID="1"\n`);
		},
	},
	{
		mark: 'daemon-json-key',
		alone: true,
		plant: (state, text) => {
			state.files[daemonJson] = fileOf(JSON.stringify({ [text]: 1 }));
		},
	},
	{
		mark: 'daemon-json-line',
		alone: true,
		plant: (state, text) => {
			state.files[daemonJson] = fileOf(`{ "a": ${text}`);
		},
	},
];

const payload = ({ v: _v, seq: _seq, at: _at, ...rest }: Event): EventPayload => rest;

/** As much of a hostile text as a row has room for: one character of each class, and the line. */
const shortened = (text: string): string =>
	text.replaceAll(/[^ -~\n]{40,}/gu, '\u001b[2J\u0007\r\u007f\u009b1m\u061c\u202e\u2066\u2028\u200b');

/** The frames of the wizard for these events. */
async function framesOf(events: readonly Event[]): Promise<string> {
	const { emit, frame } = bench({ size: { columns: 100, rows: 50 } });
	let frames = '';
	for (const event of events) {
		await emit(
			JSON.parse(
				JSON.stringify(payload(event), (_key, value) => (typeof value === 'string' ? shortened(value) : value)),
			),
		);
		if (event.type === 'output' || event.type === 'progress' || event.type === 'observed') continue;
		await new Promise(resolve => setImmediate(resolve));
		// The colours are the wizard's own: only whole sequences of that one kind are taken away.
		frames += `${frame().replaceAll(/\u001b\[[\d;]*m/g, '')}\n`;
	}
	return frames;
}

/** Everything that these events are shown as. */
async function shownAs(events: readonly Event[]): Promise<ReadonlyMap<string, string>> {
	const outputs = new Map<string, string>();
	const add = (name: string, text: string): void => void outputs.set(name, (outputs.get(name) ?? '') + text);
	const logged: string[] = [];
	const log = systemLog({
		...tinyHost(new Map()),
		run: async argv => {
			logged.push(argv.at(-1) ?? '');
			return { code: 0, stdout: '', stderr: '' } as never;
		},
	});
	const texts = (['run', 'check', 'plan'] as const).map((mode: TextOptions['mode']) =>
		textReader({
			glyphs: unicodeGlyphs,
			mode,
			accepted: [],
			command: 'sysbox-setup',
			all: true,
			talk: text => add(`${mode}, text`, text),
			data: text => add(`${mode}, text`, text),
		}),
	);
	const readers = [...texts, ndjsonReader(text => add('json', text)), log.reader];
	let state = initialState;
	for (const event of events) {
		state = reduce(state, event);
		for (const read of readers) read(event, state);
	}
	await log.close();
	outputs.set('wizard', await framesOf(events));
	add('system log', logged.join('\n'));
	for (const line of statusLines(state, unicodeGlyphs, 'sysbox-setup', 'sysbox-setup revert'))
		add('status', lineOf(line));
	for (const line of runTable([{ state, reverted: false, atWork: false }], undefined)) add('status', lineOf(line));
	add(
		'record',
		composeRecord(state, {
			owner: state.start?.user ?? '',
			reviewDays: 90,
			now: new Date(0),
			command: 'sysbox-setup',
			path: '/var/lib/sysbox-setup/record.md',
			knowledgeDate: '2026-11-01',
		}),
	);
	return outputs;
}

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

const scenes = [
	sources.filter(({ alone }) => alone !== true),
	...sources.filter(({ alone }) => alone).map(one => [one]),
];

describe.each(scenes.map(scene => [scene.map(({ mark }) => mark).join(', '), scene] as const))('%s', (_name, scene) => {
	test('is safe wherever it is shown, and it is shown', async () => {
		const host = () =>
			hostOf('fresh-ubuntu', {
				change: state => {
					for (const { mark, plant } of scene) plant?.(state, hostile(mark));
				},
			});
		const ask: Ask = Object.assign(
			{ selection: { skip: ['functional', 'security'] } },
			...scene.map(({ mark, ask }) => ask?.(hostile(mark))),
		);
		const outputs = new Map<string, string>();
		for (const mode of ['check', 'plan'] as const) {
			outputs.set(mode, (await runbook(host(), { ...ask, mode })).screen);
			outputs.set(`${mode}, json`, (await runbook(host(), { ...ask, mode, format: 'json' })).screen);
		}
		const ran = await runbook(host(), ask);
		outputs.set('--yes', ran.screen);
		for (const [name, text] of await shownAs(ran.kept.events)) outputs.set(name, text);
		for (const [name, text] of outputs) expectSafe(name, text);
		const all = [...outputs.values()].join('\n');
		for (const { mark } of scene) expect(all.includes(`MARK-${mark}`), mark).toBe(true);
	}, 120_000);
});

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
		const decider = decideFromPrompts({
			ask: async () => null,
			say: line => {
				said += lineOf(line);
			},
			answers: {},
			saved: {},
			risks: [],
		});
		await decider.answer(
			'ci',
			{ kind: 'choice', id: 'ci.x', title: text, help: text, options: [{ value: text, label: text, hint: text }] },
			{ back: false },
			{ n: 1, of: 1, mayGrow: false, next: 'plan' },
		);
		expectSafe('question', said);
		expect(said).toContain('MARK-typed');
	});
});
