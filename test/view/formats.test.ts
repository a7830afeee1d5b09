import { describe, expect, it } from 'vitest';
import { type Event, type EventPayload, eventVersion } from '../../src/model/event.ts';
import { initialState, reduce } from '../../src/model/state.ts';
import { junitReader } from '../../src/view/junit.ts';
import { summaryReader } from '../../src/view/summary-line.ts';

const evil = '</system-out>]]><x a="1">&\u001b[31m\u0000\ud800\nline';

const payloads: readonly EventPayload[] = [
	{ type: 'run.start', run: 'r', tool: '1', mode: 'check', simulated: false, host: 'ci-07', user: 'anna', command: [] },
	{ type: 'step.start', step: 'host', title: 'Host', kind: 'change', n: 1, of: 2 },
	{ type: 'observed', step: 'host', key: 'host', value: { docker: '29.7.2', kernel: '6.8.0' } },
	{
		type: 'findings',
		step: 'host',
		when: 'before',
		findings: [
			{ id: 'host.a', severity: 'ok', summary: 'fine' },
			{ id: 'host.b', severity: 'block', summary: evil, remedy: { kind: 'advice', text: 'mend it' } },
			{ id: 'host.c', severity: 'could-not-tell', summary: 'not seen' },
			{ id: 'host.d', severity: 'block', summary: 'x', waived: { reason: 'until May', expires: '2027-05-01' } },
			{ id: 'host.e', severity: 'warn', summary: 'old', evidence: evil },
		],
	},
	{ type: 'step.end', step: 'host', status: 'blocked', changed: false, open: [] },
	{ type: 'step.start', step: 'security', title: 'Security', kind: 'proof', n: 2, of: 2 },
	...(['pass', 'fail', 'could-not-tell', 'left-out'] as const).map(
		(verdict): EventPayload => ({
			type: 'probe',
			step: 'security',
			id: `security.${verdict}`,
			title: evil,
			threats: ['container-escape'],
			verdict,
			because: evil,
			evidence: [{ what: evil, said: evil }],
			ms: 1500,
		}),
	),
	{ type: 'step.end', step: 'security', status: 'failed', changed: false, open: [] },
	{ type: 'run.end', outcome: 'failed', exit: 1, changed: false, open: [], reboot: false },
];

function told(reader: (write: (text: string) => void) => ReturnType<typeof junitReader>): string {
	let out = '';
	const read = reader(text => {
		out += text;
	});
	let state = initialState;
	for (const [seq, payload] of payloads.entries()) {
		const event = { ...payload, v: eventVersion, seq, at: '2026-12-01T10:00:00Z' } as Event;
		state = reduce(state, event);
		read(event, state);
	}
	return out;
}

describe('junit', () => {
	const xml = told(write => junitReader(write));

	it('has a case for each finding and each probe, with what keeps it from passing', () => {
		expect(xml).toContain('<testsuites name="sysbox-setup" tests="9" failures="2" errors="2" skipped="2">');
		expect(xml).toContain('<testsuite name="host" hostname="ci-07" tests="5" failures="1" errors="1" skipped="1">');
		expect(xml).toContain('<testcase classname="host.host.a" name="fine" time="0"/>');
		expect(xml).toContain('<skipped message="waived: until May"/>');
		expect(xml).toMatch(/<failure message="got through: .*"\/>/);
		expect(xml).toContain('time="1.5"');
	});

	it('is well-formed, whatever the host calls its things', () => {
		// Tags whose attributes hold no markup, closed in order, and between them text without any.
		const open: string[] = [];
		const rest = xml
			.replace(/^<\?xml [^?]*\?>\n/, '')
			.replaceAll(/<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, end, name, __, empty) => {
				if (end === '/') expect(open.pop()).toBe(name);
				else if (empty === '') open.push(name);
				return '';
			});
		expect(open).toEqual([]);
		expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
		expect(rest + xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ud800-\udfff]/);
	});
});

describe('the summary', () => {
	it('is one line: host, verdict, problems, proofs, versions', () => {
		expect(told(write => summaryReader(write, 'check'))).toBe(
			'ci-07\tfailed\t1 problem, 1 warning, 1 unknown\t1 of 3 attacks blocked\tsysbox unknown, docker 29.7.2, kernel 6.8.0\n',
		);
	});
});
