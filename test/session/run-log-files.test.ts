import { createHash } from 'node:crypto';
import {
	appendFileSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	statSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Event, type EventPayload, eventVersion } from '../../src/model/event.ts';
import { readLogLines } from '../../src/session/log-lines.ts';
import { LogWriteError } from '../../src/session/log-write-error.ts';
import {
	createRunLog,
	keptBytes,
	type LogFile,
	listRuns,
	openRunLog,
	readRunLog,
	runLog,
} from '../../src/session/run-log-files.ts';
import { runPaths, type StateDirectory } from '../../src/session/state-directory.ts';
import { systemError } from '../host/faulty-file-calls.ts';
import { freshStateDirectory } from './state-folders.ts';

// Disks and machines of CI are slow now and then; nothing here waits for time to pass.
vi.setConfig({ testTimeout: 60_000 });

const at = (seq: number): string => new Date(Date.UTC(2026, 10, 24, 1, 0, seq)).toISOString();
const event = (seq: number, payload: EventPayload): Event => ({ v: eventVersion, seq, at: at(seq), ...payload });
const start = (seq = 0, rest: Partial<Extract<EventPayload, { type: 'run.start' }>> = {}): Event =>
	event(seq, {
		type: 'run.start',
		run: 'r1',
		tool: '1.0.0',
		mode: 'run',
		simulated: false,
		host: 'ci',
		user: 'anna',
		command: ['run'],
		...rest,
	});
const said = (seq: number, line = 'Setting up sysbox-ce…'): Event =>
	event(seq, { type: 'output', step: 'sysbox', action: 'install', stream: 'stdout', line });
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const lineOf = (e: object): string => `${JSON.stringify(e)}\n`;

/** A run with these events, as a process that died left it. */
async function leftRun(events: readonly Event[], run = 'r1'): Promise<{ directory: StateDirectory; file: string }> {
	const directory = await freshStateDirectory();
	const log = await createRunLog(directory, run);
	for (const each of events) await log.append(each, { durable: false });
	await log.close();
	return { directory, file: runPaths(directory, run).events };
}

describe('the log of a run', () => {
	it('is one private line of JSON for each event', async () => {
		const { directory, file } = await leftRun([start(), said(1)]);
		expect(readFileSync(file, 'utf8')).toBe(lineOf(start()) + lineOf(said(1)));
		expect(statSync(file).mode & 0o777).toBe(0o600);
		expect(statSync(runPaths(directory, 'r1').directory).mode & 0o777).toBe(0o700);
	});

	it('reads back as it was written', async () => {
		const events = [start(), said(1, 'ü€ "quoted" \\ \u2028\n'), said(5)];
		const { directory } = await leftRun(events);
		expect(await readRunLog(directory, 'r1')).toEqual({ kind: 'events', events });
	});

	it('keeps the order of events that are handed over at once', async () => {
		const directory = await freshStateDirectory();
		const log = await createRunLog(directory, 'r1');
		await Promise.all(
			[start(), ...Array.from({ length: 100 }, (_, i) => said(i + 1))].map(e =>
				log.append(e, { durable: e.seq % 10 === 0 }),
			),
		);
		await log.close();
		const read = await readRunLog(directory, 'r1');
		expect(read.kind === 'events' && read.events.map(e => e.seq)).toEqual(Array.from({ length: 101 }, (_, i) => i));
	});

	it('refuses an event that is out of order, as that is a bug', async () => {
		const directory = await freshStateDirectory();
		const log = await createRunLog(directory, 'r1');
		await log.append(start(3), { durable: false });
		await expect(log.append(said(3), { durable: false })).rejects.toThrow('in order');
		await log.append(said(4), { durable: false });
		await log.close();
		await expect(log.append(said(5), { durable: false })).rejects.toThrow(LogWriteError);
	});

	it('is never started twice', async () => {
		const { directory } = await leftRun([start()]);
		await expect(createRunLog(directory, 'r1')).rejects.toThrow(LogWriteError);
	});

	it('goes on where it ended', async () => {
		const { directory } = await leftRun([start(), said(1)]);
		const opened = await openRunLog(directory, 'r1');
		expect(opened).toMatchObject({ kind: 'open', events: [{ seq: 0 }, { seq: 1 }] });
		if (opened.kind !== 'open') return;
		await expect(opened.log.append(said(1), { durable: false })).rejects.toThrow('in order');
		await opened.log.append(said(2), { durable: true });
		await opened.log.close();
		expect(await readRunLog(directory, 'r1')).toMatchObject({ events: [{ seq: 0 }, { seq: 1 }, { seq: 2 }] });
	});

	it('tells a run that is not there', async () => {
		const directory = await freshStateDirectory();
		expect(await readRunLog(directory, 'r1')).toMatchObject({ kind: 'missing' });
		expect(await openRunLog(directory, 'r1')).toMatchObject({ kind: 'missing' });
	});

	it('is not read through a link', async () => {
		const { directory, file } = await leftRun([start()]);
		mkdirSync(join(directory.runsDirectory, 'r2'));
		symlinkSync(file, runPaths(directory, 'r2').events);
		expect(await readRunLog(directory, 'r2')).toMatchObject({ kind: 'failed', errno: 'ELOOP' });
	});
});

describe('a power cut in the middle of a line', () => {
	it('costs that line only, wherever it was cut', async () => {
		const whole = lineOf(start()) + lineOf(said(1));
		for (let cut = lineOf(start()).length; cut < whole.length; cut++) {
			const read = readLogLines(bytesOf(whole.slice(0, cut)));
			expect(read).toMatchObject({
				kind: 'events',
				goodBytes: lineOf(start()).length,
				torn: cut > lineOf(start()).length,
			});
			expect(read.kind === 'events' && read.events).toEqual([start()]);
		}
	});

	it.each([
		['half a line', '{"v":1,"seq":2,"at'],
		['a whole line without its end', JSON.stringify(said(2))],
		['nothing but zeros', '\0'.repeat(512)],
		['zeros and the end of a line', `${'\0'.repeat(512)}"}\n`],
	])('is cut off before the run goes on: %s', async (_, tail) => {
		const { directory, file } = await leftRun([start(), said(1)]);
		appendFileSync(file, tail);
		expect(await readRunLog(directory, 'r1')).toEqual({ kind: 'events', events: [start(), said(1)] });
		const opened = await openRunLog(directory, 'r1');
		if (opened.kind !== 'open') throw new Error(opened.kind);
		await opened.log.append(said(2), { durable: true });
		await opened.log.close();
		expect(readFileSync(file, 'utf8')).toBe(lineOf(start()) + lineOf(said(1)) + lineOf(said(2)));
	});

	it('is not repaired by reading alone', async () => {
		const { directory, file } = await leftRun([start()]);
		appendFileSync(file, '{"v":1');
		const before = readFileSync(file);
		await readRunLog(directory, 'r1');
		expect(readFileSync(file)).toEqual(before);
	});

	it('leaves an empty log readable', async () => {
		const { directory, file } = await leftRun([start()]);
		truncateSync(file, 10);
		const opened = await openRunLog(directory, 'r1');
		expect(opened).toMatchObject({ kind: 'open', events: [] });
		if (opened.kind === 'open') await opened.log.close();
	});
});

describe('a log that cannot be trusted', () => {
	it.each([
		['a bad line before the last', [lineOf(start()), 'garbage\n', lineOf(said(2))], 2, 'not JSON'],
		['a line that is no event', [lineOf(start()), '42\n', lineOf(said(2))], 2, 'not an event'],
		[
			'an event that lacks something',
			[lineOf(start()), '{"v":1,"seq":1,"at":"x","type":"output"}\n'],
			2,
			'this output event',
		],
		['an event out of order', [lineOf(start()), lineOf(said(2)), lineOf(said(1))], 3, 'event 1 stands after event 2'],
		['an event twice', [lineOf(start()), lineOf(start())], 2, 'event 0 stands after event 0'],
		['an empty line in the middle', [lineOf(start()), '\n', lineOf(said(1))], 2, 'not JSON'],
	])('is refused with its line: %s', async (_, lines, line, what) => {
		const { directory, file } = await leftRun([]);
		writeFileSync(file, lines.join(''));
		expect(await readRunLog(directory, 'r1')).toEqual({
			kind: 'corrupt',
			file,
			line,
			what: expect.stringContaining(what),
		});
		const before = readFileSync(file);
		expect(await openRunLog(directory, 'r1')).toMatchObject({ kind: 'corrupt' });
		expect(readFileSync(file)).toEqual(before);
	});

	it.each([
		['another format', { v: eventVersion + 1, seq: 1, at: at(1), type: 'output' }],
		['an event that we do not know', { v: eventVersion, seq: 1, at: at(1), type: 'fleet.joined' }],
	])('is a newer tool’s when it has %s, and names that tool', async (_, line) => {
		const { directory, file } = await leftRun([start(0, { tool: '9.9.9' })]);
		appendFileSync(file, lineOf(line));
		expect(await readRunLog(directory, 'r1')).toEqual({ kind: 'newer', file, version: '9.9.9' });
	});

	it('is a newer tool’s from its first line', async () => {
		const { directory, file } = await leftRun([]);
		writeFileSync(file, lineOf({ v: 3, type: 'run.start', tool: '9.9.9' }) + lineOf({ v: 3 }));
		expect(await readRunLog(directory, 'r1')).toEqual({ kind: 'newer', file, version: '9.9.9' });
		writeFileSync(file, lineOf({ v: 3, type: 'begin' }));
		expect(await readRunLog(directory, 'r1')).toEqual({ kind: 'newer', file, version: 'event format 3' });
	});

	it('is read with fields that a newer tool added', async () => {
		const { directory, file } = await leftRun([]);
		writeFileSync(file, lineOf({ ...start(), color: 'blue' }));
		expect(await readRunLog(directory, 'r1')).toEqual({ kind: 'events', events: [start()] });
	});
});

describe('a full or failing disk', () => {
	/** A log over a file in memory that does as it is told. */
	function memoryLog(options: {
		takes?: (written: number) => number;
		write?: () => void;
		sync?: () => void;
		truncate?: () => void;
	}) {
		let content = '';
		const calls: string[] = [];
		const file: LogFile = {
			write: async bytes => {
				options.write?.();
				const part = bytes.subarray(0, options.takes?.(content.length) ?? bytes.length);
				if (part.length === 0) throw systemError('ENOSPC');
				content += new TextDecoder().decode(part);
				return part.length;
			},
			datasync: async () => {
				options.sync?.();
				calls.push(`sync ${content.length}`);
			},
			truncate: async size => {
				options.truncate?.();
				calls.push(`truncate ${size}`);
				content = content.slice(0, size);
			},
			close: async () => {},
		};
		return {
			log: runLog('r1', { directory: '/x', events: '/x/events.ndjson', backup: '/x/backup' }, file, 0, -1),
			calls,
			content: () => content,
		};
	}

	it('never leaves half a line between others', async () => {
		let room = lineOf(start()).length + 20;
		const { log, calls, content } = memoryLog({ takes: written => Math.min(7, room - written) });
		await log.append(start(), { durable: false });
		await expect(log.append(said(1), { durable: true })).rejects.toMatchObject({
			name: 'LogWriteError',
			errno: 'ENOSPC',
			file: '/x/events.ndjson',
		});
		expect(content()).toBe(lineOf(start()));
		expect(calls).toEqual([`truncate ${lineOf(start()).length}`]);
		room = 10_000;
		await log.append(said(1), { durable: true });
		expect(content()).toBe(lineOf(start()) + lineOf(said(1)));
	});

	it('ends the log when the half line cannot be taken back', async () => {
		let fails = true;
		const { log } = memoryLog({
			write: () => {
				if (fails) throw systemError('EIO');
			},
			truncate: () => {
				throw systemError('EIO');
			},
		});
		await expect(log.append(start(), { durable: false })).rejects.toMatchObject({ errno: 'EIO' });
		fails = false;
		await expect(log.append(start(), { durable: false })).rejects.toMatchObject({ errno: 'EIO' });
	});

	it('ends the log after a failed fsync, as a second one would lie', async () => {
		let fails = true;
		const { log } = memoryLog({
			sync: () => {
				if (fails) throw systemError('EIO');
			},
		});
		await expect(log.append(start(), { durable: true })).rejects.toMatchObject({ errno: 'EIO' });
		fails = false;
		await expect(log.append(said(1), { durable: true })).rejects.toMatchObject({ errno: 'EIO' });
	});

	it('takes nothing behind events that it could not write, as that would be a gap', async () => {
		const gate: { fail?: () => void } = {};
		let text = '';
		const file: LogFile = {
			write: async bytes => {
				if (gate.fail === undefined)
					await new Promise((_, reject) => {
						gate.fail = () => reject(systemError('ENOSPC'));
					});
				text += new TextDecoder().decode(bytes);
				return bytes.length;
			},
			datasync: async () => undefined,
			truncate: async () => undefined,
			close: async () => undefined,
		};
		const log = runLog('r1', runPaths(await freshStateDirectory(), 'r1'), file, 0, -1);
		const first = log.append(start(), { durable: false });
		await vi.waitUntil(() => gate.fail !== undefined);
		// The write of the first is under way: these go into the next one.
		const behind = [said(1), said(2)].map(each => log.append(each, { durable: true }));
		gate.fail?.();
		await expect(first).rejects.toThrow(LogWriteError);
		for (const each of behind) await expect(each).rejects.toThrow(LogWriteError);
		expect(text).toBe('');
	});

	it('writes what came in one go in one go, and has all of it on disk when one event has to be', async () => {
		const done: string[] = [];
		const file: LogFile = {
			write: async bytes => {
				done.push(`write ${new TextDecoder().decode(bytes).split('\n').length - 1}`);
				return bytes.length;
			},
			datasync: async () => void done.push('sync'),
			truncate: async () => undefined,
			close: async () => undefined,
		};
		const log = runLog('r1', runPaths(await freshStateDirectory(), 'r1'), file, 0, -1);
		const all = [0, 1, 2].map(seq => log.append(said(seq), { durable: seq === 1 }));
		await Promise.all(all);
		expect(done).toEqual(['write 3', 'sync']);
		await log.append(said(3), { durable: false });
		expect(done).toEqual(['write 3', 'sync', 'write 1']);
	});

	it('is waited for only where the event has to be on disk', async () => {
		const { log, calls } = memoryLog({});
		await log.append(start(), { durable: false });
		expect(calls).toEqual([]);
		await log.append(said(1), { durable: true });
		expect(calls).toEqual([`sync ${(lineOf(start()) + lineOf(said(1))).length}`]);
	});

	it('speaks in words', async () => {
		expect(new LogWriteError('ENOSPC', '/x/events.ndjson').message).toBe(
			'/x/events.ndjson could not be written: no space left on the file system',
		);
	});
});

describe('backups', () => {
	it('are private, and found by their digest', async () => {
		const { directory } = await leftRun([start()]);
		const opened = await openRunLog(directory, 'r1');
		if (opened.kind !== 'open') throw new Error(opened.kind);
		const sha256 = await opened.log.keep(bytesOf('{}\n'));
		await opened.log.close();
		expect(sha256).toBe(createHash('sha256').update('{}\n').digest('hex'));
		const { backup } = runPaths(directory, 'r1');
		expect(readdirSync(backup)).toEqual([sha256]);
		expect(statSync(join(backup, sha256)).mode & 0o777).toBe(0o600);
		expect(await opened.log.kept(sha256)).toEqual(bytesOf('{}\n'));
		expect(await keptBytes(directory, 'r1', sha256)).toEqual(bytesOf('{}\n'));
	});

	it('are left as they are when the same bytes come again', async () => {
		const directory = await freshStateDirectory();
		const log = await createRunLog(directory, 'r1');
		const sha256 = await log.keep(bytesOf('x'));
		const before = statSync(join(runPaths(directory, 'r1').backup, sha256));
		expect(await log.keep(bytesOf('x'))).toBe(sha256);
		expect(statSync(join(runPaths(directory, 'r1').backup, sha256))).toMatchObject({
			ino: before.ino,
			mtimeMs: before.mtimeMs,
		});
		await log.close();
	});

	it('are not given when they are not what they were, and are made good when the bytes come again', async () => {
		const directory = await freshStateDirectory();
		const log = await createRunLog(directory, 'r1');
		const sha256 = await log.keep(bytesOf('good'));
		writeFileSync(join(runPaths(directory, 'r1').backup, sha256), 'evil');
		expect(await log.kept(sha256)).toBeUndefined();
		await log.keep(bytesOf('good'));
		expect(await log.kept(sha256)).toEqual(bytesOf('good'));
		await log.close();
	});

	it('are never looked for outside their folder, nor through a link', async () => {
		const directory = await freshStateDirectory();
		const log = await createRunLog(directory, 'r1');
		await log.append(start(), { durable: false });
		expect(await log.kept('../events.ndjson')).toBeUndefined();
		const sha256 = createHash('sha256').update('x').digest('hex');
		writeFileSync(join(directory.path, 'x'), 'x');
		symlinkSync(join(directory.path, 'x'), join(runPaths(directory, 'r1').backup, sha256));
		expect(await log.kept(sha256)).toBeUndefined();
		await log.close();
	});

	it('that cannot be written stop the run in words', async () => {
		const directory = await freshStateDirectory();
		const log = await createRunLog(directory, 'r1');
		const { backup } = runPaths(directory, 'r1');
		rmdirSync(backup);
		await expect(log.keep(bytesOf('x'))).rejects.toMatchObject({ name: 'LogWriteError', errno: 'ENOENT' });
		await log.close();
	});
});

describe('the runs of a host', () => {
	it('are listed with the latest first, and those that cannot be read left out', async () => {
		const directory = await freshStateDirectory();
		const add = async (run: string, seq: number, mode: 'run' | 'check' | 'revert', rest = {}): Promise<void> => {
			const log = await createRunLog(directory, run);
			await log.append(start(seq, { run, mode, ...rest }), { durable: false });
			await log.close();
		};
		await add('b', 1, 'run');
		await add('a', 3, 'revert', { reverts: 'b' });
		await add('c', 2, 'check');
		await (await createRunLog(directory, 'empty')).close();
		mkdirSync(join(directory.runsDirectory, 'no-log'));
		mkdirSync(join(directory.runsDirectory, '.hidden'));

		expect((await listRuns(directory)).map(({ run }) => run)).toEqual(['a', 'c', 'b']);
		expect((await listRuns(directory))[0]).toEqual({
			run: 'a',
			mode: 'revert',
			startedAt: at(3),
			host: 'ci',
			user: 'anna',
			tool: '1.0.0',
			simulated: false,
			reverts: 'b',
		});
	});

	it('are none before the first', async () => {
		expect(await listRuns(await freshStateDirectory())).toEqual([]);
	});
});
