import { describe, expect, it } from 'vitest';
import type { Event, EventPayload } from '../../src/model/event.ts';
import type { Finding } from '../../src/model/finding.ts';
import { initialState, reduce, type StepState } from '../../src/model/state.ts';
import { asciiGlyphs, glyphsFor, unicodeGlyphs } from '../../src/view/glyphs.ts';
import { ndjsonReader } from '../../src/view/ndjson.ts';
import { findingLines, type TextOptions, textReader, threatLines } from '../../src/view/text.ts';
import { severityNames, statusNames } from '../../src/view/words.ts';

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
const end = (over: Partial<Extract<EventPayload, { type: 'run.end' }>> = {}): EventPayload => ({
	type: 'run.end',
	outcome: 'done',
	exit: 0,
	changed: true,
	reboot: false,
	open: [],
	...over,
});

/** What these events print. */
function printed(mode: TextOptions['mode'], ...payloads: readonly EventPayload[]) {
	return printedWith([], mode, ...payloads);
}

function printedWith(
	accepted: TextOptions['accepted'],
	mode: TextOptions['mode'],
	...payloads: readonly EventPayload[]
) {
	const said = { talk: '', data: '' };
	const read = textReader({
		glyphs: asciiGlyphs,
		mode,
		accepted,
		command: 'sysbox-setup',
		all: false,
		talk: text => {
			said.talk += text;
		},
		data: text => {
			said.data += text;
		},
	});
	let state = initialState;
	for (const [seq, payload] of payloads.entries()) {
		const event = { v: 1, seq, at: `t${seq}`, ...payload } as Event;
		state = reduce(state, event);
		read(event, state);
	}
	return said;
}

const finding = (over: Partial<Finding>): Finding => ({ id: 'x.y', severity: 'warn', summary: 'It is so.', ...over });

describe('what goes where', () => {
	it('a run talks on stderr; its end is data', () => {
		const said = printed('run', start, end());
		expect(said.talk).toBe('sysbox-setup 1.0.0 on ci-07\n');
		// Nothing that a revert would undo: the command would reach for an older run.
		expect(said.data).toBe('\nci-07: done\n');
	});

	it('what check and plan find is data: that is what was asked for', () => {
		for (const mode of ['check', 'plan'] as const) {
			const said = printed(mode, start, end({ changed: false, outcome: 'nothing-to-do' }));
			expect(said.talk).toBe('');
			expect(said.data).toContain('sysbox-setup 1.0.0 on ci-07');
			expect(said.data).not.toContain('undo');
		}
	});

	it('a simulated host is called that at the beginning and at the end', () => {
		const said = printed('run', { ...start, simulated: true }, end());
		expect(said.talk).toContain('SIMULATED: nothing on this machine is looked at or changed');
		expect(said.data).toContain('ci-07 (simulated): done');
	});
});

describe('findings', () => {
	const all: readonly Finding[] = [
		finding({ id: 'a.ok', severity: 'ok' }),
		finding({ id: 'b.info', severity: 'info' }),
		finding({ id: 'c.warn', severity: 'warn', why: 'it matters', evidence: 'one\ntwo' }),
		finding({ id: 'd.unknown', severity: 'could-not-tell' }),
		finding({
			id: 'e.block',
			severity: 'block',
			remedy: { kind: 'commands', text: 'load it', commands: ['modprobe overlay', 'echo overlay'] },
		}),
	];
	const ids = (lines: readonly string[]) => lines.flatMap(line => /^ \S (\w\.\w+)/.exec(line)?.[1] ?? []);

	it('are counted, and shown from the worst; what is fine is only counted', () => {
		const lines = findingLines(all, asciiGlyphs, false, 'before');
		expect(lines[0]).toBe(' + 1 ok   ! 1 warning   x 1 problem   ? 1 unknown   - 1 note');
		expect(ids(lines)).toEqual(['e.block', 'd.unknown', 'c.warn']);
		expect(ids(findingLines(all, asciiGlyphs, true, 'before'))).toEqual([
			'e.block',
			'd.unknown',
			'c.warn',
			'b.info',
			'a.ok',
		]);
	});

	it('after a change are shown only where something still stands', () => {
		const lines = findingLines(all, asciiGlyphs, false, 'after');
		expect(ids(lines)).toEqual(['e.block', 'd.unknown']);
		expect(lines.join('\n')).not.toContain(' ok ');
	});

	it('have their evidence, why, and the commands on lines of their own, to be typed', () => {
		const text = findingLines(all, asciiGlyphs, false, 'before').join('\n');
		expect(text).toContain('     found   one\n             two\n     why     it matters');
		expect(text).toContain('     fix     load it\n             modprobe overlay\n             echo overlay');
		expect(
			findingLines([finding({ remedy: { kind: 'planned', text: 'set' } })], asciiGlyphs, false, 'before').join(),
		).toContain('plan    set');
	});

	it('that are waived stay, with reason and last day', () => {
		const waived = { reason: 'grows next week', expires: '2027-01-31' };
		expect(findingLines([finding({ waived })], asciiGlyphs, false, 'before').join('\n')).toContain(
			'waived  grows next week (until 2027-01-31)',
		);
	});

	it('say one warning and two warnings, and count nothing that is not there', () => {
		expect(findingLines([], asciiGlyphs, false, 'before')).toEqual([]);
		expect(findingLines([finding({}), finding({})], asciiGlyphs, false, 'before')[0]).toContain('2 warnings');
	});
});

describe('a plan', () => {
	it('shows each action with why, what it does, diff, waits, undo and risk, and what stops', () => {
		const { data } = printed('plan', start, {
			type: 'plan',
			step: 'docker',
			actions: [
				{
					id: 'a',
					kind: 'write',
					title: 'Write the file',
					why: 'so that it is there',
					does: 'write /etc/x',
					diff: [
						{ kind: 'hunk', text: '@@ -1,1 +1,1 @@' },
						{ kind: 'remove', text: 'old' },
						{ kind: 'add', text: 'new' },
						{ kind: 'context', text: 'same' },
					],
					touches: ['docker0'],
					waitsFor: 'docker answers, at most 15 s',
					undo: 'put the bytes from before back',
					rollback: ['systemctl reload docker'],
					risks: ['restart-docker', 'stop-containers'],
				},
			],
			impact: { stops: ['dind'], notes: ['jobs wait'] },
		});
		expect(data.split('\n').slice(1)).toEqual([
			' > Write the file',
			'     why     so that it is there',
			'     file    write /etc/x',
			'         @@ -1,1 +1,1 @@',
			'       - old',
			'       + new',
			'         same',
			'     touches docker0',
			'     waits   until docker answers, at most 15 s',
			'     undo    put the bytes from before back',
			'     on fail systemctl reload docker',
			'     risk    restart-docker, stop-containers (--accept-risk restart-docker --accept-risk stop-containers)',
			' x stops   dind',
			' - jobs wait',
			'',
		]);
	});

	it('says which of its risks were accepted when the run was started', () => {
		const { data } = printedWith(['restart-docker'], 'plan', {
			type: 'plan',
			step: 's',
			actions: [
				{
					id: 'a',
					kind: 'exec',
					title: 'Restart Docker',
					why: 'so that it reads the file',
					does: 'systemctl restart docker',
					undo: 'none',
					risks: ['restart-docker', 'stop-containers'],
				},
			],
		});
		expect(data.split('\n').filter(line => line.includes('risk'))).toEqual([
			'     risk    stop-containers (--accept-risk stop-containers)',
			'     risk    restart-docker (accepted with --accept-risk)',
		]);
	});

	it('that was refused says what it would need', () => {
		const why = 'needs --accept-risk restart-docker';
		expect(printed('run', { type: 'decision', step: 's', decision: 'refused', risks: [], why }).talk).toBe(
			` x not done: ${why}\n`,
		);
		expect(printed('run', { type: 'decision', step: 's', decision: 'apply', risks: [] }).talk).toBe('');
	});
});

describe('an action', () => {
	const outcome = (over: Partial<Extract<EventPayload, { type: 'action.outcome' }>>) =>
		printed('run', { type: 'action.outcome', step: 's', action: 'a', outcome: 'done', ms: 1540, ...over }).talk;

	it('that is done says how long it took and on what evidence', () => {
		expect(outcome({ evidence: 'docker lists sysbox-runc' })).toBe('   + done in 1.5 s: docker lists sysbox-runc\n');
		expect(outcome({})).toBe('   + done in 1.5 s\n');
		expect(outcome({ outcome: 'manual' })).toBe('   ! left for you\n');
		expect(outcome({ outcome: 'interrupted' })).toBe('   ? interrupted\n');
	});

	it('that failed says what was said, why, what is true now, and what to type next', () => {
		const failure = {
			said: 'E: no\nE: really',
			why: 'the disk is full',
			now: 'taken back',
			next: ['make room', 'again'],
		};
		expect(outcome({ outcome: 'rolled-back', failure })).toBe(
			[
				'   x failed, rolled back after 1.5 s',
				'     said    E: no',
				'             E: really',
				'     why     the disk is full',
				'     now     taken back',
				'     next    make room',
				'     next    again',
				'',
			].join('\n'),
		);
	});

	it('shows what it prints, but no blank lines', () => {
		const line = (text: string): EventPayload => ({
			type: 'output',
			step: 's',
			action: 'a',
			stream: 'stdout',
			line: text,
		});
		expect(printed('run', line('Setting up…'), line('  ')).talk).toBe('     Setting up…\n');
	});
});

describe('a probe', () => {
	const probe = (verdict: Extract<EventPayload, { type: 'probe' }>['verdict']): EventPayload => ({
		type: 'probe',
		step: 'security',
		id: 'security.kernel-log',
		title: 'x',
		threats: ['container-escape'],
		verdict,
		because: 'as seen',
		evidence: [{ what: 'dmesg', said: 'denied' }],
		ms: 1,
	});

	it('that got through, or is unknown, shows what was seen', () => {
		expect(printed('run', probe('pass')).talk).toBe(` + ${'security.kernel-log'.padEnd(30)} blocked: as seen\n`);
		expect(printed('run', probe('fail')).talk).toContain('got through: as seen\n     saw     dmesg: denied');
		expect(printed('run', probe('could-not-tell')).talk).toContain('unknown: as seen\n     saw     dmesg: denied');
		expect(printed('run', probe('left-out')).talk).not.toContain('saw');
	});

	it('says after a proof that failed or told nothing what to do about it, and not what to use', () => {
		const next: EventPayload = { type: 'observed', step: 'ci', key: 'next.ci', value: 'Use the files in /srv/ci.' };
		const starting: EventPayload = { type: 'step.start', step: 'security', title: '', kind: 'proof', n: 1, of: 1 };
		const ending = (status: 'failed' | 'undecided'): EventPayload => ({
			type: 'step.end',
			step: 'security',
			status,
			changed: false,
			open: [],
		});
		const printedAfter = (status: 'failed' | 'undecided', ...probes: EventPayload[]) =>
			printed('run', start, next, starting, ...probes, ending(status), end()).data;
		const failed = printedAfter('failed', probe('fail'), {
			...probe('could-not-tell'),
			id: 'security.other',
		} as EventPayload);
		expect(failed).toContain('  next   security.kernel-log: find the cause in what it saw');
		expect(failed).toMatch(/ {2}next {3}Then repeat the proof: .*test security\n/);
		expect(failed).not.toContain('security.other');
		expect(failed).not.toContain('Use the files');
		const told = printedAfter('undecided', { ...probe('could-not-tell'), next: ['Start Sysbox'] } as EventPayload);
		expect(told).toContain('  next   security.kernel-log: Start Sysbox\n');
		expect(told).not.toContain('Use the files');
	});

	it('says at the end of a run what the operator does next', () => {
		const next: EventPayload = { type: 'observed', step: 'ci', key: 'next.ci', value: 'Use the files in /srv/ci.' };
		expect(printed('run', start, next, end()).data).toContain('  next   Use the files in /srv/ci.\n');
		expect(printed('revert', start, next, end()).data).not.toContain('Use the files');
		expect(printed('run', start, next, { ...next, value: null }, end()).data).not.toContain('next');
	});

	it('brings the threat table to the end of a run, and to no check', () => {
		const step: EventPayload = { type: 'step.start', step: 'security', title: 'x', kind: 'proof', n: 1, of: 1 };
		expect(printed('run', start, step, probe('pass'), end()).data).toContain(
			'Privileged container escape  unknown  -> not proved (1 of 1 attacks blocked)',
		);
		expect(printed('run', start, step, end()).data).not.toContain('not proved');
		expect(printed('check', start, step, probe('pass'), end()).data).not.toContain('not proved');
	});
});

describe('the threat table in lines', () => {
	const common = {
		way: 'a job mounts a disk',
		impact: 'it is root',
		before: { kind: 'found', level: 'Critical', basis: 'x' },
		restsOn: { held: 2, of: 3, leftOut: [] },
		known: ['Open CVEs: none in our table of 2026-11-23'],
	} as const;

	it('never shows a lower level that was not earned, and says what each rests on', () => {
		expect(
			threatLines([
				{
					...common,
					id: 'container-escape',
					title: 'Escape',
					after: { kind: 'lowered', level: 'Low', covers: ["gitlab-runner 'ci-07' (config.toml:12)"], caps: [] },
				},
				{
					...common,
					id: 'docker-compromise',
					title: 'Docker',
					after: { kind: 'still', level: 'Critical', where: ['ci.yml:3'] },
				},
				{ ...common, id: 'resource-abuse', title: 'Abuse', after: { kind: 'not-proved', why: 'nothing was tried' } },
			]),
		).toEqual([
			' Escape  Critical -> Low (2 of 3 attacks blocked)',
			'     threat: a job mounts a disk: it is root',
			"     for gitlab-runner 'ci-07' (config.toml:12)",
			' Docker  Critical -> still Critical (2 of 3 attacks blocked)',
			'     threat: a job mounts a disk: it is root',
			'     ci.yml:3',
			' Abuse   Critical -> not proved (2 of 3 attacks blocked)',
			'     threat: a job mounts a disk: it is root',
			'     nothing was tried',
			' Open CVEs: none in our table of 2026-11-23',
		]);
	});
});

describe('the end', () => {
	it('names what is left, the record, and says when nothing was changed', () => {
		const { data } = printed(
			'run',
			start,
			{ type: 'record.written', step: 'record', path: '/root/r.md', sha256: 'x', incomplete: true },
			end({ outcome: 'open', changed: false, open: ['docker: needs --accept-risk restart-docker'] }),
		);
		expect(data).toBe(
			'\nci-07: done, 1 action needed. Nothing was changed.\n  left   docker: needs --accept-risk restart-docker\n  record /root/r.md (incomplete)\n',
		);
	});

	it('says where somebody stopped, and counts no action for a step that was left', () => {
		const begun: EventPayload = { type: 'step.start', step: 'docker', title: 'Docker', kind: 'change', n: 1, of: 1 };
		const ended = (status: 'open' | 'skipped'): EventPayload => ({
			type: 'step.end',
			step: 'docker',
			status,
			changed: false,
			open: ['docker'],
		});
		const said = (status: 'open' | 'skipped') =>
			printed(
				'run',
				start,
				begun,
				ended(status),
				end({ outcome: 'open', open: ['docker'], work: [{ step: 'docker' }] }),
			).data;
		expect(said('open')).toContain('ci-07: stopped before the end; everything so far is saved\n');
		expect(said('skipped')).toContain('ci-07: 1 action needed\n');
	});

	it('says so when there was nothing to change', () => {
		expect(printed('run', start, end({ outcome: 'nothing-to-do', changed: false })).data).toBe(
			'\nci-07: nothing to change\n',
		);
	});

	it('says done of a run that was gone on with, where an earlier process of it had changed everything', () => {
		const undo = { kind: 'folder' as const, path: '/x' };
		const does = { title: 'x', kind: 'exec' as const, does: 'x', undo };
		const { data } = printed(
			'run',
			start,
			{ type: 'action.intent', step: 's', action: 'a', ...does },
			{ type: 'action.outcome', step: 's', action: 'a', outcome: 'done', ms: 1 },
			end({ outcome: 'nothing-to-do', changed: false }),
		);
		expect(data).toBe('\nci-07: done\n  undo   sysbox-setup revert\n');
	});

	it('gives the reason for what was passed wrongly', () => {
		expect(printed('run', start, end({ outcome: 'wrong-input', exit: 2, why: 'no answer for x.y' })).data).toContain(
			'ci-07: what was passed is wrong: no answer for x.y',
		);
	});
});

describe('glyphs', () => {
	it('are ASCII unless the locale is UTF-8, as setlocale reads it', () => {
		expect(glyphsFor({ LANG: 'en_US.UTF-8' })).toBe(unicodeGlyphs);
		expect(glyphsFor({ LANG: 'C.utf8' })).toBe(unicodeGlyphs);
		expect(glyphsFor({ LANG: 'en_US.UTF-8', LC_ALL: 'C' })).toBe(asciiGlyphs);
		expect(glyphsFor({ LANG: 'C', LC_ALL: '', LC_CTYPE: 'C.UTF-8' })).toBe(unicodeGlyphs);
		expect(glyphsFor({})).toBe(asciiGlyphs);
	});

	it('of the ASCII set are ASCII, and of no set is one empty', () => {
		for (const glyph of Object.values(asciiGlyphs)) expect(glyph).toMatch(/^[!-~]+$/);
		for (const glyph of Object.values(unicodeGlyphs)) expect(glyph).not.toBe('');
	});

	it('never show a problem as fine', () => {
		for (const severity of ['block', 'could-not-tell', 'warn', 'info'] as const)
			expect(severityNames[severity].mark).not.toBe('ok');
		expect(severityNames.ok.mark).toBe('ok');
		const fine: readonly StepState['status'][] = ['unchanged', 'done', 'proved', 'reported'];
		for (const [status, { mark }] of Object.entries(statusNames))
			expect(mark === 'ok', status).toBe(fine.includes(status as StepState['status']));
	});
});

describe('NDJSON', () => {
	it('is one event a line, as it is', () => {
		let text = '';
		const event = { v: 1, seq: 0, at: 't', ...start, host: 'a\nb' } as Event;
		ndjsonReader(line => {
			text += line;
		})(event, initialState);
		expect(text.endsWith('\n')).toBe(true);
		expect(text.trimEnd()).not.toContain('\n');
		expect(JSON.parse(text)).toEqual(event);
	});
});
