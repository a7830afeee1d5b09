/** Of what is binary or large only size and sha256 are told, and nothing of it is computed for long. */
import { createHash, randomBytes } from 'node:crypto';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noteRemoval } from '../../src/actions/file-change.ts';
import { showAction } from '../../src/actions/show-action.ts';
import { localHost } from '../../src/host/local/local-host.ts';
import type { Event, EventPayload } from '../../src/model/event.ts';
import { type RunState, reduceAll } from '../../src/model/state.ts';
import type { WriteHost } from '../../src/port/host.ts';
import { revertStep } from '../../src/revert/revert-step.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';
import { engineRun, newKeptRun } from '../support/engine-run.ts';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const megabyte = 1024 * 1024;

/** This machine's files, and no command of it. */
const filesOnly: WriteHost = {
	...localHost(),
	exec: async () => ({ code: null, stdout: '', stderr: '', problem: 'missing', elapsedMs: 1 }),
	run: async argv => {
		throw new Error(`no command is run here: ${argv.join(' ')}`);
	},
};

function runThatMade(path: string, after: string): RunState {
	const payloads: EventPayload[] = [
		{
			type: 'action.intent',
			step: 'sysbox',
			action: 'download',
			title: 'Fetch',
			kind: 'download',
			does: 'curl',
			undo: { kind: 'file', path, before: null, after },
		},
		{ type: 'action.outcome', step: 'sysbox', action: 'download', outcome: 'done', ms: 1 },
	];
	return reduceAll(payloads.map((payload, seq) => ({ v: 2, seq, at: 't', ...payload }) as Event));
}

/** The longest time in which nothing else had its turn, in milliseconds. */
async function longestStretch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
	let last = performance.now();
	let longest = 0;
	const note = (): void => {
		const now = performance.now();
		longest = Math.max(longest, now - last);
		last = now;
	};
	const timer = setInterval(note, 5);
	try {
		const result = await work();
		note();
		return { result, ms: longest };
	} finally {
		clearInterval(timer);
	}
}

describe('a package of 30 MB that the run had fetched', () => {
	const fetched = () => {
		const directory = scratchDirectory();
		const path = join(directory, 'sysbox-ce.deb');
		const bytes = randomBytes(30 * megabyte);
		writeFileSync(path, bytes);
		return { path, digest: sha(bytes) };
	};

	it('is removed by size and sha256: none of its bytes is in an event, and nothing else waits for it', async () => {
		const { path, digest } = fetched();
		const kept = newKeptRun();
		const { result, ms } = await longestStretch(() =>
			engineRun([revertStep(runThatMade(path, digest), async () => undefined)], filesOnly, { kept }),
		);
		expect(result.end).toMatchObject({ exit: 0, outcome: 'done' });
		expect(() => statSync(path)).toThrow();
		expect(JSON.stringify(result.events).length).toBeLessThan(20_000);
		expect([...kept.backups.values()]).toEqual([]);
		const plan = result.events.find(event => event.type === 'plan');
		expect(plan?.type === 'plan' ? plan.actions[0]?.diff : []).toEqual([
			{ kind: 'note', text: `before: ${30 * megabyte} bytes, sha256 ${digest}` },
			{ kind: 'note', text: 'after: no file' },
		]);
		// A twentieth of what the diff of these bytes takes, on a machine that is busy with other things.
		expect(ms).toBeLessThan(1_000);
	});

	it('that somebody exchanged since is refused with both digests, and none of its bytes', async () => {
		const { path } = fetched();
		const { end, events } = await engineRun(
			[revertStep(runThatMade(path, 'ab'.repeat(32)), async () => undefined)],
			filesOnly,
		);
		expect(end.exit).toBe(3);
		expect(JSON.stringify(events).length).toBeLessThan(20_000);
	});
});

describe('a file of 1 TiB where the run had left a package', () => {
	const sparse = () => {
		const path = join(scratchDirectory(), 'sysbox-ce.deb');
		writeFileSync(path, '');
		truncateSync(path, 1024 ** 4);
		return path;
	};

	it('is not read through: it is refused with its size, and stays', async () => {
		const path = sparse();
		const { end, events } = await engineRun(
			[revertStep(runThatMade(path, 'ab'.repeat(32)), async () => undefined)],
			filesOnly,
		);
		expect(end.exit).toBe(3);
		const findings = events.flatMap(event => (event.type === 'findings' ? event.findings : []));
		expect(findings.find(({ id }) => id === 'revert.changed-since')?.evidence).toContain(
			`(it has ${1024 ** 4} bytes now, more than any file of a run, and was not read)`,
		);
		expect(statSync(path).size).toBe(1024 ** 4);
	});

	it('is not read through either where it appears after the plan', async () => {
		const path = sparse();
		const ofPackage = { kind: 'sha256', sha256: 'ab'.repeat(32) } as const;
		expect(await noteRemoval(path, ofPackage, { host: filesOnly })).toMatchObject({ kind: 'stale' });
	});
});

describe('an action on a file that is no text, or too much of it', () => {
	const write = (bytes: Uint8Array, before?: string | Uint8Array) =>
		showAction({
			id: 'w',
			kind: 'write',
			title: 'Write /x',
			why: 'x',
			path: '/x',
			bytes,
			mode: 0o644,
			expect: { kind: 'missing' },
			...(before !== undefined && { before }),
		});
	const notes = (bytes: Uint8Array, before?: string | Uint8Array) => write(bytes, before).diff?.map(line => line.text);

	it.each([
		['a NUL', Buffer.from('a\0b')],
		['what is no UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x0a])],
		['more than 256 KiB', Buffer.alloc(256 * 1024 + 1, 'a')],
	])('is shown by size and sha256 with %s', (_, bytes) => {
		expect(notes(bytes)).toEqual(['before: no file', `after: ${bytes.length} bytes, sha256 ${sha(bytes)}`]);
		expect(notes(bytes, 'text\n')?.[0]).toBe(`before: 5 bytes, sha256 ${sha(Buffer.from('text\n'))}`);
		expect(notes(bytes, bytes)).toEqual([]);
	});

	it('is handed over without its bytes too', () => {
		const bytes = Buffer.alloc(300_000, 'a');
		const shown = showAction({ id: 'm', kind: 'manual', title: 'x', why: 'x', text: 'x', file: { path: '/x', bytes } });
		expect(shown.content).toBe(`300000 bytes, sha256 ${sha(bytes)}`);
		expect(JSON.stringify(shown).length).toBeLessThan(1_000);
	});

	it('is shown as text up to 256 KiB', () => {
		expect(notes(Buffer.from(`${'a'.repeat(256 * 1024 - 1)}\n`))?.[1]).toMatch(/^a+$/);
	});
});
