/** What an earlier release left on a host: its logs and sessions are read, its saved plans are refused by version. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainError } from '../../src/cli/explain-error.ts';
import { readHeldTo } from '../../src/cli/plan-file.ts';
import { actionsToRevert, reduceAll } from '../../src/model/state.ts';
import { readLogLines } from '../../src/session/log-lines.ts';
import { readSession } from '../../src/session/session.ts';
import { freshStateDirectory } from './state-folders.ts';

const left = join(import.meta.dirname, '../fixtures/releases');

const logOf = (name: string) => {
	const read = readLogLines(readFileSync(join(left, '0.1.0', name, 'events.ndjson')));
	if (read.kind !== 'events') throw new Error(JSON.stringify(read));
	return read;
};

describe('a log of 0.1.0', () => {
	it.each([
		['run', 0, 'done'],
		['left', 3, 'blocked'],
	])('is read to its end: %s', (name, exit, outcome) => {
		const { events, torn } = logOf(name);
		const text = readFileSync(join(left, '0.1.0', name, 'events.ndjson'), 'utf8');
		expect(events).toHaveLength(text.trimEnd().split('\n').length);
		expect(torn).toBe(false);
		const state = reduceAll(events);
		expect(state.end).toMatchObject({ outcome, exit });
		expect(state.end?.verdict).toBeUndefined();
		// What can be taken back of it is known.
		expect(actionsToRevert(state).map(({ id }) => id)).toContain('install');
	});

	it('can be gone on with in events of today', () => {
		const bytes = readFileSync(join(left, '0.1.0/left/events.ndjson'));
		const seq = (logOf('left').events.at(-1)?.seq ?? 0) + 1;
		const more = { v: 2, seq, at: 't', type: 'run.resume', tool: '0.2.0', user: 'root', command: [] };
		const read = readLogLines(Buffer.concat([bytes, Buffer.from(`${JSON.stringify(more)}\n`)]));
		expect(read).toMatchObject({ kind: 'events', torn: false });
	});
});

it.each(['run', 'left'])('a session of 0.1.0 is read: %s', async name => {
	const directory = await freshStateDirectory();
	copyFileSync(join(left, '0.1.0', name, 'session.json'), directory.sessionFile);
	const read = await readSession(directory, '3d1219c7c4c5404aaa1f6d2a48adfda4');
	expect(read).toMatchObject({ kind: 'session', session: { tool: '0.1.0' } });
});

it('a plan saved by 0.1.0 is refused with what to type, exit 2', async () => {
	const file = join(left, '0.1.0/saved-plan.json');
	const said: string[] = [];
	const exit = await readHeldTo(file, 'sysbox-setup').then(
		() => 0,
		(error: unknown) => explainError(error, text => said.push(text)),
	);
	expect(exit).toBe(2);
	expect(said).toEqual([
		`sysbox-setup: ${file}:2:24: this plan has version 1, and this sysbox-setup runs plans of version 2\n`,
		'  a plan is saved with: sysbox-setup plan --out FILE\n',
	]);
});
