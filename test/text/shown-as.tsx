/** Events, as everything that reads them shows them. */
import { cleanup } from 'ink-testing-library';
import { systemLog } from '../../src/cli/system-log.ts';
import type { Event, EventPayload } from '../../src/model/event.ts';
import { initialState, reduce } from '../../src/model/state.ts';
import { lineOf } from '../../src/text/safe.ts';
import { unicodeGlyphs } from '../../src/view/glyphs.ts';
import { ndjsonReader } from '../../src/view/ndjson.ts';
import { runTable, statusLines } from '../../src/view/status.ts';
import { type TextOptions, textReader } from '../../src/view/text.ts';
import { composeRecord } from '../../steps/record/compose.ts';
import { tinyHost } from '../support/tiny-host.ts';
import { bench } from '../ui/support.tsx';

const payload = ({ v: _v, seq: _seq, at: _at, ...rest }: Event): EventPayload => rest;

/** The frames of the wizard for these events. */
async function framesOf(events: readonly Event[]): Promise<string> {
	const { emit, frame } = bench({ size: { columns: 100, rows: 50 } });
	let frames = '';
	for (const event of events) {
		const marked = JSON.stringify(event).includes('MARK-');
		if (!marked && (event.type === 'output' || event.type === 'progress' || event.type === 'observed')) continue;
		await emit(payload(event));
		if (!marked) continue;
		await new Promise(resolve => setImmediate(resolve));
		// The colours are the wizard's own: only whole sequences of that one kind are taken away.
		frames += `${frame().replaceAll(/\u001b\[[\d;]*m/g, '')}\n`;
	}
	// An app that stays mounted goes on drawing, beside everything that comes after it.
	cleanup();
	return frames;
}

/** Everything that these events are shown as. */
export async function shownAs(events: readonly Event[]): Promise<ReadonlyMap<string, string>> {
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
