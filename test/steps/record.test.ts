import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type Event, type EventPayload, eventVersion } from '../../src/model/event.ts';
import { reduceAll } from '../../src/model/state.ts';
import { ciStep } from '../../steps/ci/step.ts';
import { composeRecord, type RecordOptions } from '../../steps/record/compose.ts';
import { block, code, inline, table } from '../../steps/record/markdown.ts';
import { recordStep } from '../../steps/record/step.ts';
import { ciHost } from '../support/ci-host.ts';
import { engineRun } from '../support/engine-run.ts';

const options: RecordOptions = {
	owner: 'anna',
	reviewDays: 90,
	now: new Date('2026-11-24T00:00:00Z'),
	command: 'npx sysbox-setup@1.0.0',
	path: '/home/anna/record.md',
	knowledgeDate: '2026-11-23',
};

const start: EventPayload = {
	type: 'run.start',
	run: 'run-1',
	tool: '1.0.0',
	mode: 'run',
	simulated: false,
	host: 'ci-07',
	user: 'anna',
	command: ['--only', 'ci'],
	changeId: 'CHG-1',
};

const stepStart = (step: string, kind: 'change' | 'proof' = 'change'): EventPayload => ({
	type: 'step.start',
	step,
	title: `Step ${step}`,
	kind,
	n: 1,
	of: 2,
});

const stepEnd = (step: string, status: 'done' | 'failed' | 'proved' | 'open', over: object = {}): EventPayload => ({
	type: 'step.end',
	step,
	status,
	changed: true,
	open: [],
	...over,
});

const recordOf = (payloads: readonly EventPayload[], over: Partial<RecordOptions> = {}): string => {
	const events = payloads.map(
		(payload, seq): Event => ({ ...payload, v: eventVersion, seq, at: `2026-11-23T10:00:0${seq % 10}Z` }),
	);
	return composeRecord(reduceAll(events), { ...options, ...over });
};

/** The data block at the end, as the tool and any YAML reader get it. */
function dataOf(record: string): Record<string, unknown> {
	const [, , data] =
		/\n(`{3,})yaml\n([\s\S]*?)\n\1\n<\/details>\n$/.exec(record.slice(record.lastIndexOf('\n## Data'))) ?? [];
	return parseYaml(data ?? '');
}

const section = (record: string, title: string): string =>
	record.split(/^## /m).find(part => part.startsWith(title)) ?? '';

const held: EventPayload = {
	type: 'probe',
	step: 'security',
	id: 'security.kernel-log',
	title: 'Read the kernel log',
	threats: ['container-escape'],
	verdict: 'pass',
	because: 'the container was refused, the control was not',
	expectation: 'it is refused',
	evidence: [{ what: 'dmesg in the container', said: 'klogctl: Operation not permitted' }],
	ms: 3,
};

const written: readonly EventPayload[] = [
	{
		type: 'action.intent',
		step: 'ci',
		action: 'compose',
		title: 'Write a file',
		kind: 'write',
		does: 'write /srv/x.yml',
		diff: [
			{ kind: 'hunk', text: '@@ -0,0 +1,1 @@' },
			{ kind: 'add', text: 'runtime: sysbox-runc', newLine: 1 },
		],
		undo: { kind: 'file', path: '/srv/x.yml', before: null, after: 'f'.repeat(64) },
	},
	{ type: 'action.outcome', step: 'ci', action: 'compose', outcome: 'done', ms: 1, evidence: 'sha256 ffff' },
];

const whole: readonly EventPayload[] = [
	start,
	stepStart('ci'),
	{ type: 'observed', step: 'ci', key: 'host', value: { kernel: '6.8.0', docker: '29.7.2' } },
	{
		type: 'observed',
		step: 'ci',
		key: 'ci.entry-points',
		value: [
			{
				kind: 'runner',
				name: "gitlab-runner 'ci-07'",
				where: '/etc/gitlab-runner/config.toml:12',
				sysbox: 'yes',
				access: [],
				lacks: [],
			},
		],
	},
	{
		type: 'findings',
		step: 'ci',
		when: 'before',
		findings: [{ id: 'ci.files', severity: 'info', summary: 'One file is to be written' }],
	},
	{ type: 'answer', step: 'ci', id: 'ci.memory', value: '4g', source: 'operator' },
	{ type: 'answer', step: 'ci', id: 'ci.systems', value: ['compose', 'gitlab'], source: 'default' },
	...written,
	{
		type: 'findings',
		step: 'ci',
		when: 'after',
		findings: [{ id: 'ci.files', severity: 'ok', summary: 'It is there' }],
	},
	stepEnd('ci', 'done'),
	stepStart('security', 'proof'),
	held,
	stepEnd('security', 'proved'),
];

describe('the record', () => {
	it('ends with data that a YAML reader understands', () => {
		const data = dataOf(recordOf(whole));
		expect(data).toMatchObject({
			'sysbox-setup-record': 2,
			run: 'run-1',
			host: 'ci-07',
			simulated: false,
			complete: true,
			tool: '1.0.0',
			knowledge: '2026-11-23',
			owner: 'anna',
			review: '2027-02-22',
			changeId: 'CHG-1',
			observed: { host: { kernel: '6.8.0', docker: '29.7.2' } },
			files: [{ path: '/srv/x.yml', sha256: 'f'.repeat(64) }],
			probes: [{ id: 'security.kernel-log', verdict: 'pass' }],
		});
		expect(data['threats']).toMatchObject([
			{ id: 'container-escape', before: null, after: 'Low', lowered: true },
			{ id: 'resource-abuse', before: null, after: 'not proved', lowered: false },
			{ id: 'docker-compromise', before: null, after: 'not proved', lowered: false },
			{ id: 'job-to-job', before: 'High', after: 'High', lowered: false },
		]);
	});

	it('names the default runtime from before the first change, and all else as it was seen last', () => {
		const seen = (docker: string, defaultRuntime: string): EventPayload => ({
			type: 'observed',
			step: 'ci',
			key: 'host',
			value: { docker, defaultRuntime },
		});
		const resumed = [
			start,
			stepStart('ci'),
			seen('none yet', 'none yet'),
			seen('29.7.1', 'runc'),
			...written,
			seen('29.7.2', 'sysbox-runc'),
			stepEnd('ci', 'done'),
		];
		const record = recordOf(resumed);
		expect(dataOf(record)['observed']).toEqual({ host: { docker: '29.7.2', defaultRuntime: 'runc' } });
		expect(section(record, 'Who, when, where')).toContain('| defaultRuntime | runc |');
	});

	it('has every part: table, who and when, changes, proofs, findings, answers, what is left, what is not protected', () => {
		const record = recordOf(whole);
		expect(section(record, 'What is true now')).toContain(
			"| Privileged container escape | – | Low: for gitlab-runner 'ci-07' (/etc/gitlab-runner/config.toml:12) | 1 of 1 attacks blocked |",
		);
		expect(section(record, 'What is true now')).toContain('| Job to job | High | High, not lowered by Sysbox CE: ');
		expect(section(record, 'What is true now')).toContain('Low is not a VM');
		expect(section(record, 'Who, when, where')).toMatch(/started \| .* by anna/);
		expect(section(record, 'Who, when, where')).toContain('| kernel | 6.8.0 |');
		expect(section(record, 'Who, when, where')).toContain('CHG-1');
		const changed = section(record, 'What was changed');
		expect(changed).toContain('+runtime: sysbox-runc');
		expect(changed).toContain('| Write a file | done | `/srv/x.yml` is removed |');
		const proved = section(record, 'What was proved');
		expect(proved).toContain('| `security.kernel-log` | blocked | the container was refused, the control was not |');
		expect(proved).toContain('Expected: it is refused');
		expect(proved).toContain('klogctl: Operation not permitted');
		expect(section(record, 'What was found')).toContain('One file is to be written');
		expect(section(record, 'How a job uses it')).toContain('say how: `/srv/x.yml`.');
		expect(section(record, 'Implemented and missing')).toContain('| Rollout: jobs use Sysbox | yes |');
		expect(section(record, 'What was found')).toContain('It is there');
		expect(section(record, 'What was answered')).toContain('| `ci.memory` | 4g | operator |');
		expect(section(record, 'What was answered')).toContain('compose, gitlab');
		expect(section(record, 'What is left')).toContain('Nothing.');
		expect(section(record, 'What this does not protect')).toContain('docker.sock');
	});

	it('has its page one before all else, in 60 lines, and folds evidence, diffs and what is ok', () => {
		const record = recordOf(whole);
		const [pageOne = ''] = record.split('\n## Implemented and missing');
		expect(pageOne.split('\n').length).toBeLessThanOrEqual(60);
		for (const title of ['What is true now', 'What is left', 'How a job uses it', 'Afterwards', 'What this does not'])
			expect(pageOne).toContain(`## ${title}`);
		const open = record.replaceAll(/<details>[\s\S]*?<\/details>/g, '');
		expect(open).not.toContain('+runtime: sysbox-runc');
		expect(open).not.toContain('klogctl');
		expect(open).not.toContain('It is there');
	});

	it('is the same text for the same events', () => {
		expect(recordOf(whole)).toBe(recordOf(whole));
	});

	it('names only commands that work as typed', () => {
		const afterwards = section(recordOf(whole, { path: "/home/anna/a b's.md" }), 'Afterwards');
		expect(afterwards).toContain('`npx sysbox-setup@1.0.0 check`');
		expect(afterwards).toContain(`revert '/home/anna/a b'\\''s.md'`);
	});

	it('says at its top that it is incomplete, and why', () => {
		const record = recordOf([
			...whole.slice(0, -2),
			stepEnd('security', 'failed', { why: 'got through: security.kernel-log' }),
		]);
		expect(record).toContain('**INCOMPLETE.** Step security: failed (got through: security.kernel-log)');
		expect(dataOf(record)['complete']).toBe(false);
	});

	it.each(['running', 'open', 'not-run', 'blocked', 'undecided'] as const)(
		'is incomplete with a step that is %s',
		status => {
			const end: readonly EventPayload[] =
				status === 'running' ? [] : [{ ...stepEnd('security', 'open'), status } as EventPayload];
			expect(dataOf(recordOf([start, stepStart('security', 'proof'), ...end]))['complete']).toBe(false);
		},
	);

	it('says at its top and in its data that it is simulated', () => {
		const record = recordOf([{ ...start, simulated: true } as EventPayload, ...whole.slice(1)]);
		expect(record).toContain('**SIMULATED.**');
		expect(dataOf(record)['simulated']).toBe(true);
	});

	it('lists what is left to do, and how to go on', () => {
		const record = recordOf([start, stepStart('ci'), stepEnd('ci', 'open', { open: ['ci: reboot the host'] })]);
		expect(section(record, 'What is left')).toContain('- ci: reboot the host');
		expect(section(record, 'Afterwards')).toContain('go on with what is left');
	});

	it('lists what the operator does next, which is no fact about the host', () => {
		const next: EventPayload = { type: 'observed', step: 'ci', key: 'next.ci', value: 'Use the files in /srv/ci.' };
		const record = recordOf([start, stepStart('ci'), next, stepEnd('ci', 'done')]);
		expect(section(record, 'What is left')).toContain('- Use the files in /srv/ci.');
		expect(section(record, 'What is left')).not.toContain('Nothing.');
		expect(section(record, 'Data')).not.toContain('Use the files');
	});

	it('keeps an accepted finding visible, with its reason and last day', () => {
		const findings = [
			{
				id: 'ci.container.privileged',
				severity: 'block' as const,
				summary: 'x',
				threat: 'container-escape' as const,
				waived: { reason: 'until *December*', expires: '2026-12-31' },
			},
		];
		const record = recordOf([
			start,
			stepStart('ci'),
			{ type: 'findings', step: 'ci', when: 'before', findings },
			stepEnd('ci', 'done'),
		]);
		expect(section(record, 'Waived')).toContain('`ci.container.privileged`: until \\*December\\*, until 2026-12-31');
		expect(section(record, 'What is true now')).toContain('**still Critical**');
	});

	it('forgets a file that the run removed again', () => {
		const removed: EventPayload = {
			...(written[0] as EventPayload & { type: 'action.intent' }),
			action: 'back',
			undo: {
				kind: 'file',
				path: '/srv/x.yml',
				before: { sha256: 'f'.repeat(64), mode: 420, uid: 0, gid: 0 },
				after: null,
			},
		};
		const data = dataOf(
			recordOf([
				start,
				stepStart('ci'),
				...written,
				removed,
				{ type: 'action.outcome', step: 'ci', action: 'back', outcome: 'done', ms: 1 },
			]),
		);
		expect(data['files']).toEqual([]);
	});

	it('lets no text of the host become formatting, a table cell, an end of the data, or a terminal command', () => {
		const evil = '---\nevil: true\n```\n| a | b | **bold** <script> [x](y) \u001b[31mred';
		const record = recordOf([
			{ ...start, host: evil, user: evil } as EventPayload,
			stepStart('ci'),
			{ type: 'observed', step: 'ci', key: evil, value: evil },
			{
				type: 'findings',
				step: 'ci',
				when: 'before',
				findings: [{ id: 'ci.x', severity: 'warn', summary: evil, evidence: evil }],
			},
			{
				...(written[0] as EventPayload & { type: 'action.intent' }),
				title: evil,
				does: evil,
				diff: [{ kind: 'add', text: evil }],
			},
			{ ...held, step: 'ci', evidence: [{ what: evil, said: evil }] } as EventPayload,
			stepEnd('ci', 'done'),
		]);
		const data = dataOf(record);
		expect(data['host']).toBe(evil);
		expect(data).not.toHaveProperty('evil');
		expect(record).not.toContain('\u001b');
		for (const line of record.split('\n').filter(text => text.startsWith('| `ci.x`')))
			expect(line.replaceAll('\\|', '').split('|')).toHaveLength(5);
		// Inside of a fence that nothing in it closes, a text is only text.
		const outside = record.replaceAll(/^(`{3,})\w+\n[\s\S]*?\n\1$/gm, '');
		expect(outside).not.toMatch(/^(\| a \| b \||evil: true|`{3,})/m);
		expect(outside.replaceAll(/(`+)[^\n]*?\1/g, '')).not.toMatch(/(?<!\\)<script/);
	});
});

describe('markdown', () => {
	it('escapes what formats', () => {
		expect(inline('*a* _b_ <i> [l](u) `c` a|b #h\n\tx')).toBe(
			'\\*a\\* \\_b\\_ \\<i\\> \\[l\\](u) \\`c\\` a\\|b \\#h x',
		);
	});

	it('fences code with more backticks than it holds', () => {
		expect(code('a `b` c')).toBe('`` a `b` c ``');
		expect(block(['```', 'x'], 'text')).toEqual(['````text', '```', 'x', '````']);
	});

	it('keeps a bar inside of code inside of its cell', () => {
		expect(table(['a'], [[code('x | y')]])[2]).toBe('| `x \\| y` |');
		expect(table(['a'], [[inline('x | y')]])[2]).toBe('| x \\| y |');
	});
});

describe('the record step', () => {
	const run = (host = ciHost(), over: Parameters<typeof engineRun>[2] = {}) =>
		engineRun([ciStep, recordStep], host, over);
	const path = '/home/anna/sysbox-setup-record-ci-07-2026-11-24.md';

	it('writes what a run did, named by host and day, with an owner and a day to look again', async () => {
		const host = ciHost();
		const { end, state } = await run(host);
		expect(end.exit).toBe(0);
		const record = host.files.get(path) ?? '';
		expect(dataOf(record)).toMatchObject({ host: 'ci-07', owner: 'anna', review: '2027-02-22', complete: true });
		expect(section(record, 'What was changed')).toContain('docker-compose.sysbox.yml');
		expect(state.record).toMatchObject({ path, incomplete: false });
	});

	it('is not written again by a run that changed nothing, unless it is asked for', async () => {
		const host = ciHost();
		await run(host);
		host.files.delete(path);
		expect((await run(host)).state.steps[1]?.status).toBe('skipped');
		expect(host.files.has(path)).toBe(false);
		await run(host, { options: { record: '/home/anna/asked.md' } });
		expect(dataOf(host.files.get('/home/anna/asked.md') ?? '')).toMatchObject({ complete: true, files: [] });
	});

	it('is written by a run that leaves work to the operator, and says so', async () => {
		const binds = ['/var/run/docker.sock:/var/run/docker.sock'];
		const host = ciHost({ containers: [{ name: 'runner', image: 'gitlab/gitlab-runner:v18', binds }] });
		const { end, state } = await run(host);
		expect(end.exit).toBe(4);
		const record = host.files.get(path) ?? '';
		expect(record).not.toContain('**INCOMPLETE.**');
		expect(section(record, 'What is true now')).toContain('**still Critical**: One container is given this host');
		expect(section(record, 'What is left')).toContain('ci.container.docker-sock');
		expect(state.record?.incomplete).toBe(false);
	});

	it('replaces an earlier record of its own, and nothing else', async () => {
		const host = ciHost({ files: { '/home/anna/r.md': '---\nsysbox-setup-record: 1\n---\nold' } });
		expect((await run(host, { options: { record: '/home/anna/r.md' } })).end.exit).toBe(0);
		expect(host.files.get('/home/anna/r.md')).not.toMatch(/^old$/m);
		const foreign = ciHost({ files: { '/home/anna/r.md': 'my notes' } });
		const { state } = await run(foreign, { options: { record: '/home/anna/r.md' } });
		expect(state.steps.find(s => s.id === 'record')?.status).toBe('failed');
		expect(foreign.files.get('/home/anna/r.md')).toBe('my notes');
	});

	it('refuses a folder that is not there', async () => {
		const { state } = await run(ciHost(), { options: { record: '/nowhere/r.md' } });
		expect(state.steps.find(s => s.id === 'record')?.why).toContain('there is no folder /nowhere');
	});
});
