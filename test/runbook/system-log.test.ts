/** What the host's own log tells of a run, for whoever follows changes there. */
import { describe, expect, test } from 'vitest';
import { systemLog } from '../../src/cli/system-log.ts';
import type { Event } from '../../src/model/event.ts';
import { reduceAll } from '../../src/model/state.ts';
import type { WriteHost } from '../../src/port/host.ts';
import { tinyHost } from '../support/tiny-host.ts';
import { hostOf, runbook } from './whole-runbook.ts';

const told = (host: ReturnType<typeof hostOf>): readonly string[] =>
	host
		.state()
		.journal.filter(entry => entry.who === 'sysbox-setup')
		.map(entry => entry.text);

describe('the system log', () => {
	test('has a line at the start, for each change and at the end, with run, user and change number', async () => {
		const host = hostOf('fresh-ubuntu');
		const ended = await runbook(host, { selection: { only: ['host'] }, changeId: 'CHG 17' });
		expect(ended.exit).toBe(0);
		const about = 'run=run-1 user=anna change="CHG 17"';
		expect(told(host)).toEqual([
			`event=start ${about} mode=run tool=1.0.0`,
			`event=change ${about} step=host action=install-tools outcome=done what="Install fuse3, jq"`,
			`event=end ${about} outcome=done exit=0 changed=yes`,
		]);
	});

	test('has nothing of a look or a plan', async () => {
		const host = hostOf('fresh-ubuntu');
		await runbook(host, { mode: 'check' });
		await runbook(host, { mode: 'plan' });
		expect(told(host)).toEqual([]);
	});

	/** The lines that a run with this change number sends. */
	async function sent(changeId: string, answer: Awaited<ReturnType<WriteHost['run']>>) {
		const lines: string[] = [];
		const host: WriteHost = {
			...tinyHost(new Map()),
			run: async argv => {
				lines.push(argv.at(-1) ?? '');
				return answer;
			},
		};
		const start = {
			v: 2,
			seq: 0,
			at: '',
			type: 'run.start',
			run: 'r',
			tool: '1.0.0',
			mode: 'run',
			simulated: false,
			host: 'h',
			user: 'anna',
			command: [],
			changeId,
		} as const satisfies Event;
		const log = systemLog(host);
		for (let n = 0; n < 3; n++) log.reader(start, reduceAll([start]));
		return { lines, trouble: await log.close() };
	}
	const well = { code: 0, stdout: '', stderr: '', elapsedMs: 1 };

	test('takes no second field or line out of what somebody typed, and no secret', async () => {
		const [line] = (await sent('X user=root\nevent=end --token abcdef0123456789', well)).lines;
		expect(line).toBe(
			'event=start run=r user=anna change="X user=root\\nevent=end --token [redacted]" mode=run tool=1.0.0',
		);
		expect((await sent('x'.repeat(5000), well)).lines[0]?.length).toBe(900);
	});

	test('that cannot be written to fails no run, is tried once, and is said', async () => {
		const missing = { ...well, code: null, problem: 'missing' as const };
		expect(await sent('CHG', missing)).toEqual({ lines: [expect.any(String)], trouble: 'logger: missing' });
		const host = hostOf('fresh-ubuntu', {
			change: state => {
				delete state.files['/usr/bin/logger'];
			},
		});
		const ended = await runbook(host, { selection: { only: ['host'] } });
		expect(ended.exit).toBe(0);
		expect(ended.screen).toContain(
			"not everything is in the system log (logger: missing); this tool's own log is complete",
		);
	});
});
