import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { Event, EventPayload } from '../../src/model/event.ts';
import { reduceAll } from '../../src/model/state.ts';
import { oneLine } from '../../src/text/safe.ts';
import { asciiGlyphs } from '../../src/view/glyphs.ts';
import { runTable, statusLines } from '../../src/view/status.ts';

const start: EventPayload = {
	type: 'run.start',
	run: 'r1',
	tool: '1.0.0',
	mode: 'run',
	simulated: false,
	host: 'ci-07',
	user: 'anna',
	command: [],
};
const step = (id: string): EventPayload => ({
	type: 'step.start',
	step: id,
	title: `Step ${id}`,
	kind: 'change',
	n: 1,
	of: 2,
});
const stepEnd = (id: string, status: 'done' | 'failed', why?: string): EventPayload => ({
	type: 'step.end',
	step: id,
	status,
	changed: true,
	open: [],
	...(why !== undefined && { why }),
});
const intent = (action: string): EventPayload => ({
	type: 'action.intent',
	step: 'a',
	action,
	title: `Do ${action}`,
	kind: 'write',
	does: 'x',
	undo: { kind: 'none', why: 'x' },
});
const outcome = (action: string, what: 'done' | 'failed' | 'interrupted'): EventPayload => ({
	type: 'action.outcome',
	step: 'a',
	action,
	outcome: what,
	ms: 1,
});
const end = (what: Extract<EventPayload, { type: 'run.end' }>['outcome'], open: string[] = []): EventPayload => ({
	type: 'run.end',
	outcome: what,
	exit: 0,
	changed: true,
	reboot: false,
	open,
});
const lines = (...payloads: readonly EventPayload[]) => linesOf(payloads, undefined);
const linesOf = (payloads: readonly EventPayload[], back: string | undefined) =>
	statusLines(
		reduceAll(payloads.map((payload, seq) => ({ v: 1, seq, at: `t${seq}`, ...payload }) as Event)),
		asciiGlyphs,
		'sysbox-setup',
		back,
	);

describe('the saved run in a few lines', () => {
	it('tells what was done, where the record is, and the way back', () => {
		expect(
			linesOf(
				[
					start,
					step('a'),
					intent('x'),
					outcome('x', 'done'),
					stepEnd('a', 'done'),
					{ type: 'record.written', step: 'record', path: '/root/r.md', sha256: 'x', incomplete: false },
					end('done'),
				],
				'sysbox-setup revert',
			),
		).toEqual([
			'run r1 on ci-07, started t0 by anna',
			`  + ${'Step a'.padEnd(30)} done`,
			'  changed  Do x',
			'  record   /root/r.md',
			'  undo     sysbox-setup revert',
		]);
	});

	it('of a run that was killed says where, what was begun, and how to go on or back', () => {
		expect(linesOf([start, step('a'), intent('x')], 'sysbox-setup revert')).toEqual([
			'run r1 on ci-07, started t0 by anna',
			`  ? ${'Step a'.padEnd(30)} not finished`,
			'  unknown  Do x: begun; how it ended was not seen',
			'  go on    sysbox-setup',
			'  undo     sysbox-setup revert',
		]);
	});

	it('names what is left', () => {
		const text = lines(start, step('a'), stepEnd('a', 'failed', 'no room'), end('open', ['docker: reboot'])).join('\n');
		expect(text).toContain('failed: no room');
		expect(text).toContain('  left     docker: reboot');
		expect(text).toContain('  go on    sysbox-setup');
		expect(text).not.toContain('undo');
	});

	it('has no way on from a run that is done', () => {
		expect(lines(start, end('done')).join('\n')).not.toContain('go on');
		const back = lines({ ...start, mode: 'revert', reverts: 'r0' }, intent('x'), outcome('x', 'done'), end('done'));
		expect(back[0]).toBe('run r1 on ci-07, reverts r0, started t0 by anna');
		expect(back.join('\n')).not.toContain('undo');
		expect(lines({ ...start, mode: 'revert', reverts: 'r0' })).toContain('  go on    sysbox-setup revert');
		expect(lines({ ...start, mode: 'test' }, end('failed')).join('\n')).not.toContain('go on');
	});

	it('says that a host is simulated, and that a run ended before it began', () => {
		expect(lines({ ...start, simulated: true })[0]).toBe('run r1 on ci-07 (simulated), started t0 by anna');
		expect(lines()).toEqual(['the last run ended before it began']);
	});
});

describe('the table of runs', () => {
	it('has its columns where a terminal shows them, whatever the width of a name', () => {
		const rows = ['anna', '漢字漢字漢字漢字', 'e\u0301ve', 'x\u001by'].map(user => ({
			state: reduceAll([{ v: 1, seq: 0, at: '2026-11-24T09:12:00.000Z', ...start, user } as Event]),
			reverted: false,
			atWork: false,
		}));
		const [head = '', ...table] = runTable(rows, undefined);
		const columns = [head, ...table.map(row => oneLine(row))].map(row =>
			stringWidth(row.slice(0, row.search(/OUTCOME|interrupted/))),
		);
		expect(new Set(columns).size, [head, ...table].join('\n')).toBe(1);
	});
});
