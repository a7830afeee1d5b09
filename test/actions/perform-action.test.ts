import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ApplyDeps, performAction } from '../../src/actions/perform-action.ts';
import type { Action, ReadinessState } from '../../src/model/action.ts';
import type { Event } from '../../src/model/event.ts';
import { eventStream } from '../../src/model/event-stream.ts';
import type { ExecOptions, ExecResult, WriteHost } from '../../src/port/host.ts';
import { tinyHost } from '../support/tiny-host.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Bench {
	readonly files: Map<string, string>;
	readonly events: Event[];
	readonly backups: Map<string, Uint8Array>;
	/** What happened to host and log, in order. */
	readonly order: string[];
	readonly stop: AbortController;
	/** Milliseconds; each pause lets it go on. */
	readonly clock: { now: number };
	readonly apply: (action: Action) => ReturnType<typeof performAction>;
}

function bench(
	files: Record<string, string> = {},
	host: (tiny: WriteHost) => Partial<WriteHost> = () => ({}),
	deps: Partial<ApplyDeps> & { readonly append?: (event: Event) => void } = {},
): Bench {
	const map = new Map(Object.entries(files));
	const events: Event[] = [];
	const backups = new Map<string, Uint8Array>();
	const order: string[] = [];
	const stop = new AbortController();
	const clock = { now: 0 };
	const tiny = tinyHost(map);
	const seen: WriteHost = {
		...tiny,
		replaceFile: (path, content, how) => {
			order.push(`write ${path}`);
			return tiny.replaceFile(path, content, how);
		},
		removeFile: (path, how) => {
			order.push(`remove ${path}`);
			return tiny.removeFile(path, how);
		},
	};
	const stream = eventStream({
		now: () => new Date(clock.now),
		append: async event => {
			deps.append?.(event);
			order.push(event.type);
			events.push(event);
		},
		readers: [],
	});
	const { append: _, ...rest } = deps;
	const all: ApplyDeps = {
		host: { ...seen, ...host(seen) },
		emit: stream.emit,
		keep: async bytes => {
			const sha256 = createHash('sha256').update(bytes).digest('hex');
			order.push('keep');
			backups.set(sha256, bytes);
			return sha256;
		},
		kept: async sha256 => backups.get(sha256),
		keptAt: sha256 => `/kept/${sha256}`,
		state: stream.state,
		elapsed: () => clock.now,
		pause: async ms => {
			clock.now += ms;
		},
		signal: stop.signal,
		...rest,
	};
	return { files: map, events, backups, order, stop, clock, apply: action => performAction('step', action, all) };
}

const base = { id: 'a', title: 'Do it', why: 'test' };
const write = (path: string, text: string, before?: string, extra: object = {}): Action => ({
	...base,
	kind: 'write',
	path,
	bytes: bytesOf(text),
	mode: 0o644,
	expect: before === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: sha(before) },
	...(before !== undefined && { before }),
	...extra,
});
const exec = (extra: Partial<Extract<Action, { kind: 'exec' }>> = {}): Action => ({
	...base,
	kind: 'exec',
	argv: ['apt-get', 'install'],
	timeoutMs: 5000,
	undo: { kind: 'none', why: 'none' },
	...extra,
});
const ran = (over: Partial<ExecResult> = {}): ExecResult => ({
	code: 0,
	stdout: '',
	stderr: '',
	elapsedMs: 1,
	...over,
});
const outcomeOf = ({ events }: Bench) => {
	const found = events.findLast(event => event.type === 'action.outcome');
	return found?.type === 'action.outcome' ? found : undefined;
};
const intentOf = ({ events }: Bench) => {
	const found = events.find(event => event.type === 'action.intent');
	return found?.type === 'action.intent' ? found : undefined;
};

describe('writing a file', () => {
	it('keeps the old bytes and logs the intent before the first byte changes, and the outcome after', async () => {
		const at = bench({ '/etc/x': 'old' });
		expect(await at.apply(write('/etc/x', 'new', 'old'))).toEqual({ kind: 'done' });
		expect(at.order).toEqual(['keep', 'keep', 'action.intent', 'write /etc/x', 'action.outcome']);
		expect(at.backups.get(sha('new'))).toEqual(bytesOf('new'));
		expect(at.files.get('/etc/x')).toBe('new');
		expect(at.backups.get(sha('old'))).toEqual(bytesOf('old'));
		expect(intentOf(at)?.undo).toEqual({
			kind: 'file',
			path: '/etc/x',
			before: { sha256: sha('old'), mode: 0o644, uid: 0, gid: 0 },
			after: sha('new'),
		});
		expect(outcomeOf(at)).toMatchObject({
			outcome: 'done',
			evidence: `sha256 ${sha('new')}; the bytes from before are in /kept/${sha('old')}`,
		});
		expect(outcomeOf(at)).toMatchObject({ inPlace: undefined });
	});

	it('that is not there yet is undone by its absence', async () => {
		const at = bench();
		await at.apply(write('/etc/x', 'new'));
		expect(intentOf(at)?.undo).toEqual({ kind: 'file', path: '/etc/x', before: null, after: sha('new') });
		expect([...at.backups.keys()]).toEqual([sha('new')]);
	});

	it('shows a diff without secrets, and keeps the backup with them', async () => {
		const before = '{"http-proxy": "http://ci:hunter2@proxy:3128"}\n';
		const at = bench({ '/etc/x': before });
		await at.apply(write('/etc/x', '{}\n', before));
		expect(JSON.stringify(at.events)).not.toContain('hunter2');
		expect(new TextDecoder().decode(at.backups.get(sha(before)))).toBe(before);
	});

	it('shows no line of a private key, also where only its middle is near the change', async () => {
		const body = ['MIIEowIBAAKCAQEA', 'qUzT4v9f0mYh', 'k8xWcLr2nB3s', 'Zt7PqgJd5oHe', 'uN1yXiVa6RbK'];
		const key = ['-----BEGIN RSA PRIVATE KEY-----', ...body, '-----END RSA PRIVATE KEY-----'].join('\n');
		const before = `${key}\nlast\n`;
		const at = bench({ '/etc/x': before });
		await at.apply(write('/etc/x', before.replace('last', 'changed'), before));
		const said = JSON.stringify(at.events);
		expect(said).toContain('changed');
		for (const line of body) expect(said).not.toContain(line);
	});

	it.each([
		[
			'changed',
			{ '/etc/x': 'somebody else' },
			write('/etc/x', 'new', 'old'),
			'/etc/x changed since the plan was shown',
		],
		['gone', {}, write('/etc/x', 'new', 'old'), '/etc/x is gone since the plan was shown'],
		[
			'there although nothing was',
			{ '/etc/x': 'now' },
			write('/etc/x', 'new'),
			'/etc/x changed since the plan was shown',
		],
	])('is refused when the file is %s since the plan, before anything is logged', async (_what, files, action, said) => {
		const at = bench(files as Record<string, string>);
		expect(await at.apply(action)).toMatchObject({ kind: 'stale', failure: { said } });
		expect(at.order).toEqual([]);
		expect(Object.fromEntries(at.files)).toEqual(files);
	});

	it('is refused when the file changes between the intent and the write, and the log says so', async () => {
		const at = bench({ '/etc/x': 'old' }, () => ({
			replaceFile: async () => ({ kind: 'changed', found: { kind: 'missing' } }),
		}));
		expect((await at.apply(write('/etc/x', 'new', 'old'))).kind).toBe('stale');
		expect(outcomeOf(at)).toMatchObject({ outcome: 'refused' });
	});

	it.each([
		[{ kind: 'denied' }, '/etc/x: permission denied'],
		[{ kind: 'too-large', size: 99, limit: 9 }, '/etc/x is 99 bytes; nothing over 9 is changed'],
		[{ kind: 'not-a-file', what: 'directory' }, '/etc/x is a directory, not a file'],
		[{ kind: 'failed', errno: 'EIO' }, '/etc/x could not be read (EIO)'],
	] as const)('does not begin when the old bytes cannot be kept: %o', async (read, said) => {
		const at = bench({ '/etc/x': 'old' }, () => ({ readFile: async () => read }));
		expect(await at.apply(write('/etc/x', 'new', 'old'))).toMatchObject({ kind: 'failed', failure: { said } });
		expect(at.order).toEqual([]);
	});

	it.each([
		['ENOSPC', 'the file system is full', 'make room there (df -h /etc), then start again'],
		['EROFS', 'the file system is mounted read-only', 'see how it is mounted (findmnt -T /etc/x), then start again'],
		['EACCES', 'this process may not write there', 'start again as root'],
		['EIO', 'the disk reported an error', 'see what the disk says (dmesg | tail), then start again'],
		[
			'EBUSY',
			'something holds it: a mount, or another program',
			'see what it is (findmnt -T /etc/x; fuser -v /etc/x), then start again',
		],
	])('that fails with %s says why, and what to type next', async (errno, why, next) => {
		const at = bench({}, () => ({ replaceFile: async () => ({ kind: 'failed', errno, message: `/etc/x: ${errno}` }) }));
		const failure = { said: `/etc/x: ${errno}`, why: `${why}; nothing was changed`, next: [next] };
		expect(await at.apply(write('/etc/x', 'new'))).toMatchObject({ kind: 'failed', failure });
		expect(outcomeOf(at)).toMatchObject({ outcome: 'failed', failure });
	});

	it('that its own program refuses is not touched', async () => {
		const at = bench({ '/etc/x': 'old' }, () => ({
			replaceFile: async () => ({ kind: 'rejected', said: 'unable to configure the Docker daemon' }),
		}));
		expect(
			await at.apply(write('/etc/x', 'new', 'old', { validateWith: ['dockerd', '--validate', '{}'] })),
		).toMatchObject({
			kind: 'failed',
			failure: { said: 'unable to configure the Docker daemon', why: expect.stringContaining('not touched') },
		});
	});

	it('as the owner of its folder asks who that is, and fails where nobody can say', async () => {
		const owners: unknown[] = [];
		const at = bench({}, () => ({
			stat: async path =>
				path === '/home/anna'
					? {
							kind: 'found',
							type: 'directory',
							link: false,
							meta: { mode: 0o755, uid: 7, gid: 8, size: 0, realPath: path },
						}
					: { kind: 'missing' },
			replaceFile: async (_path, _bytes, { owner }) => {
				owners.push(owner);
				return { kind: 'written', sha256: 'x', atomic: true };
			},
		}));
		await at.apply(write('/home/anna/r.md', 'r', undefined, { asDirectoryOwner: true }));
		expect(owners).toEqual([{ uid: 7, gid: 8 }]);
		expect(await at.apply(write('/nowhere/r.md', 'r', undefined, { asDirectoryOwner: true }))).toMatchObject({
			kind: 'failed',
			failure: { said: 'the folder of /nowhere/r.md cannot be looked at' },
		});
	});

	it('in place says so, as a power cut could have torn it', async () => {
		const at = bench({}, () => ({ replaceFile: async () => ({ kind: 'written', sha256: 'x', atomic: false }) }));
		await at.apply(write('/etc/x', 'new'));
		expect(outcomeOf(at)).toMatchObject({ inPlace: true });
		expect(outcomeOf(at)?.evidence).toContain(
			'written in place and not in one moment, as the file is a mount of its own',
		);
	});
});

describe('a log that cannot be written', () => {
	const full = new Error('ENOSPC');
	it('stops before the change when it takes no intent', async () => {
		const at = bench({ '/etc/x': 'old' }, undefined, {
			append: event => {
				if (event.type === 'action.intent') throw full;
			},
		});
		await expect(at.apply(write('/etc/x', 'new', 'old'))).rejects.toBe(full);
		expect(at.files.get('/etc/x')).toBe('old');
		expect(at.order).toEqual(['keep', 'keep']);
	});

	it('stops before the intent when the backup does not fit', async () => {
		const at = bench({ '/etc/x': 'old' }, undefined, { keep: () => Promise.reject(full) });
		await expect(at.apply(write('/etc/x', 'new', 'old'))).rejects.toBe(full);
		expect(at.order).toEqual([]);
		expect(at.files.get('/etc/x')).toBe('old');
	});

	it('stops the next action when it took no outcome', async () => {
		const at = bench({}, undefined, {
			append: event => {
				if (event.type === 'action.outcome') throw full;
			},
		});
		await expect(at.apply(write('/etc/x', 'new'))).rejects.toBe(full);
		await expect(at.apply(write('/etc/y', 'new'))).rejects.toBe(full);
		expect([...at.files.keys()]).toEqual(['/etc/x']);
	});
});

describe('a command', () => {
	/** A host that answers each call with the next of these. */
	const answering = (results: readonly ExecResult[], seen: ExecOptions[] = []) => {
		const left = [...results];
		return bench({}, () => ({
			run: async (_argv, options) => {
				seen.push(options);
				const next = left.shift();
				if (next === undefined) throw new Error('called once too often');
				return next;
			},
		}));
	};

	it('is done when it ends with 0', async () => {
		const at = answering([ran()]);
		expect(await at.apply(exec())).toEqual({ kind: 'done' });
		expect(at.order).toEqual(['action.intent', 'action.outcome']);
	});

	it('that fails tells its own last words', async () => {
		const stderr = Array.from({ length: 9 }, (_, n) => `E: line ${n}`).join('\n');
		const at = answering([ran({ code: 100, stderr, stdout: 'not these' })]);
		expect(await at.apply(exec())).toMatchObject({
			kind: 'failed',
			failure: { said: 'E: line 3\nE: line 4\nE: line 5\nE: line 6\nE: line 7\nE: line 8' },
		});
	});

	it.each([
		[{ problem: 'missing' }, 'apt-get: command not found'],
		[{ problem: 'denied' }, 'apt-get: permission denied'],
		[{ problem: 'timeout', elapsedMs: 5000 }, 'apt-get had not ended after 5 s and was stopped'],
		[
			{ problem: 'timeout', elapsedMs: 5000, stdout: 'Waiting for the lock' },
			'apt-get had not ended after 5 s and was stopped; it last said: Waiting for the lock',
		],
		[{ problem: 'too-much-output' }, 'apt-get printed without end and was stopped'],
		[{ problem: 'signalled', signal: 'SIGKILL' }, 'apt-get ended with code none (killed)'],
		[{ code: 3, stdout: 'only here' }, 'only here'],
		[{ code: 3 }, 'apt-get ended with code 3'],
	] as const)('that ends otherwise says how: %o', async (result, said) => {
		expect(await answering([ran({ code: null, ...result })]).apply(exec())).toMatchObject({
			kind: 'failed',
			failure: { said },
		});
	});

	it('is tried again as often as it says, and no more', async () => {
		expect(await answering([ran({ code: 1 }), ran({ code: 1 }), ran()]).apply(exec({ retries: 2 }))).toEqual({
			kind: 'done',
		});
		expect((await answering([ran({ code: 1 }), ran({ code: 1 })]).apply(exec({ retries: 1 }))).kind).toBe('failed');
		expect((await answering([ran({ code: 1 })]).apply(exec())).kind).toBe('failed');
	});

	it('hears the abort unless it is a package manager', async () => {
		const seen: ExecOptions[] = [];
		const at = answering([ran(), ran()], seen);
		await at.apply(exec());
		await at.apply(exec({ uninterruptible: true }));
		expect(seen.map(options => options.signal)).toEqual([at.stop.signal, undefined]);
	});

	it('that was cancelled is interrupted, neither done nor failed, and is not tried again', async () => {
		const at = answering([ran({ code: null, problem: 'cancelled' })]);
		expect(await at.apply(exec({ retries: 3 }))).toEqual({ kind: 'interrupted' });
		expect(outcomeOf(at)?.outcome).toBe('interrupted');
	});

	it('that prints a private key has none of its lines logged', async () => {
		const lines = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBg', '-----END PRIVATE KEY-----', 'done'];
		const at = bench({}, () => ({
			run: async (_argv, { onLine }) => {
				for (const text of lines) onLine?.({ stream: 'stdout', text });
				return ran();
			},
		}));
		await at.apply(exec());
		expect(at.events.flatMap(e => (e.type === 'output' ? [e.line] : []))).toEqual([
			'[redacted]',
			'[redacted]',
			'[redacted]',
			'done',
		]);
	});

	it('that fails behind a private key tells no line of it', async () => {
		const key = ['-----BEGIN PRIVATE KEY-----', ...Array.from({ length: 9 }, (_, n) => `MIIEvQ${n}`)].join('\n');
		const at = answering([ran({ code: 1, stderr: key })]);
		expect(JSON.stringify(await at.apply(exec()))).not.toContain('MIIEvQ');
	});

	it('has its lines logged without secrets, in order, before its outcome', async () => {
		const at = bench({}, () => ({
			run: async (_argv, { onLine }) => {
				onLine?.({ stream: 'stdout', text: 'one' });
				onLine?.({ stream: 'stderr', text: 'REGISTRY_TOKEN=abc' });
				return ran();
			},
		}));
		await at.apply(exec());
		expect(at.events.flatMap(e => (e.type === 'output' ? [`${e.stream}: ${e.line}`] : []))).toEqual([
			'stdout: one',
			'stderr: REGISTRY_TOKEN=[redacted]',
		]);
		expect(at.order).toEqual(['action.intent', 'output', 'output', 'action.outcome']);
	});

	it('logs its undo as plain data', async () => {
		const at = answering([ran()]);
		const commands = [{ argv: ['apt-get', 'remove', 'x'], timeoutMs: 9, why: 'it was not there' }] as const;
		await at.apply(exec({ undo: { kind: 'commands', commands, leaves: ['/etc/x'] } }));
		expect(intentOf(at)?.undo).toEqual({ kind: 'commands', commands, leaves: ['/etc/x'] });
	});
});

describe('the wait for the effect', () => {
	const waiting = (answers: readonly ReadinessState[], deadlineMs = 1000) => {
		const left = [...answers];
		return {
			what: 'docker lists sysbox-runc',
			deadlineMs,
			check: async (): Promise<ReadinessState> => left.shift() ?? { kind: 'waiting', seen: 'docker lists runc' },
		};
	};

	it('asks again until the host shows it, and keeps what it saw', async () => {
		const at = bench();
		const waitUntil = waiting([
			{ kind: 'waiting', seen: 'x' },
			{ kind: 'waiting', seen: 'y' },
			{ kind: 'settled', evidence: 'docker lists sysbox-runc' },
		]);
		expect(await at.apply(write('/etc/x', 'new', undefined, { waitUntil }))).toEqual({ kind: 'done' });
		expect(at.clock.now).toBe(400);
		expect(outcomeOf(at)?.evidence).toBe(`sha256 ${sha('new')}; docker lists sysbox-runc`);
	});

	it('fails at its deadline with what it saw last', async () => {
		const at = bench();
		expect(await at.apply(write('/etc/x', 'new', undefined, { waitUntil: waiting([]) }))).toMatchObject({
			kind: 'failed',
			failure: { said: 'waited 1 s for: docker lists sysbox-runc; last seen: docker lists runc' },
		});
		expect(at.clock.now).toBe(1000);
	});

	it('asks at least once, and once more at the deadline', async () => {
		const at = bench();
		const waitUntil = waiting([{ kind: 'settled', evidence: 'at once' }], 0);
		expect(await at.apply(write('/etc/x', 'new', undefined, { waitUntil }))).toEqual({ kind: 'done' });
	});

	it('ends at once when the host refuses, in its words', async () => {
		const at = bench();
		const waitUntil = waiting([{ kind: 'refused', said: 'dockerd: invalid runtime' }]);
		expect(await at.apply(write('/etc/x', 'new', undefined, { waitUntil }))).toMatchObject({
			kind: 'failed',
			failure: { said: 'dockerd: invalid runtime' },
		});
		expect(at.clock.now).toBe(0);
	});

	it('is left when the operator stops, and the log does not claim an end', async () => {
		const at = bench();
		const waitUntil = {
			...waiting([]),
			check: async (): Promise<ReadinessState> => {
				at.stop.abort();
				return { kind: 'waiting', seen: 'x' };
			},
		};
		expect(await at.apply(write('/etc/x', 'new', undefined, { waitUntil }))).toEqual({ kind: 'interrupted' });
		expect(outcomeOf(at)?.outcome).toBe('interrupted');
		expect(at.files.get('/etc/x')).toBe('new');
	});

	it('that is there is told of, although the run is being stopped', async () => {
		const at = bench({}, () => ({
			run: async () => {
				at.stop.abort();
				return ran();
			},
		}));
		let asked = 0;
		const waitUntil = {
			what: 'it runs',
			deadlineMs: 1000,
			check: async (_host: unknown, signal: AbortSignal): Promise<ReadinessState> => {
				asked += 1;
				return signal.aborted ? { kind: 'waiting', seen: 'nothing' } : { kind: 'settled', evidence: 'it runs' };
			},
		};
		expect(await at.apply(exec({ uninterruptible: true, waitUntil }))).toEqual({ kind: 'done' });
		expect(asked).toBe(1);
	});

	it('does not begin when the change itself failed', async () => {
		let asked = 0;
		const waitUntil = {
			...waiting([]),
			check: async (): Promise<ReadinessState> => {
				asked += 1;
				return { kind: 'settled', evidence: 'x' };
			},
		};
		const at = bench({}, () => ({ run: async () => ran({ code: 1 }) }));
		expect((await at.apply(exec({ waitUntil }))).kind).toBe('failed');
		expect(asked).toBe(0);
	});
});

describe('a rollback', () => {
	const restore: Action = { id: 'restore', kind: 'restore', title: 'Put it back', why: 'x', path: '/etc/x' };
	const reload: Action = { ...exec(), id: 'reload', argv: ['systemctl', 'reload', 'docker'] } as Action;
	const refused = {
		what: 'x',
		deadlineMs: 0,
		check: async (): Promise<ReadinessState> => ({ kind: 'refused', said: 'dockerd refused it' }),
	};

	it('runs in its order, each action logged like any other, before the failure is told', async () => {
		const at = bench({ '/etc/x': 'old' }, () => ({
			run: async argv => {
				at.order.push(argv.join(' '));
				return ran();
			},
		}));
		const result = await at.apply(write('/etc/x', 'new', 'old', { waitUntil: refused, rollback: [restore, reload] }));
		expect(result).toMatchObject({
			kind: 'failed',
			failure: {
				said: 'dockerd refused it',
				now: 'taken back: put /etc/x back; systemctl reload docker',
			},
		});
		// What it had there for itself goes without a word.
		const aside = { ...exec(), id: 'disarm', argv: ['disarm'], takesBack: ['arm'] } as Action;
		const quiet = await bench({ '/etc/y': 'old' }, () => ({ run: async () => ran() })).apply(
			write('/etc/y', 'new', 'old', { waitUntil: refused, rollback: [{ ...restore, path: '/etc/y' }, aside] }),
		);
		expect(quiet).toMatchObject({ failure: { now: 'taken back: put /etc/y back' } });
		expect(at.files.get('/etc/x')).toBe('old');
		expect(at.events.map(e => ('action' in e ? `${e.type} ${e.action}` : e.type))).toEqual([
			'action.intent a',
			'action.intent a.restore',
			'action.outcome a.restore',
			'action.intent a.reload',
			'action.outcome a.reload',
			'action.outcome a',
		]);
		expect(outcomeOf(at)).toMatchObject({ action: 'a', outcome: 'rolled-back' });
	});

	it('puts back what the run found first, where it says so, and not what it wrote in between', async () => {
		const first: Action = { ...restore, first: true } as Action;
		const at = bench({ '/etc/x': 'old' });
		await at.apply(write('/etc/x', 'once', 'old'));
		await at.apply(write('/etc/x', 'twice', 'once', { waitUntil: refused, rollback: [restore] }));
		expect(at.files.get('/etc/x')).toBe('once');
		await at.apply(write('/etc/x', 'thrice', 'once', { waitUntil: refused, rollback: [first] }));
		expect(at.files.get('/etc/x')).toBe('old');
	});

	it('removes what was not there before', async () => {
		const at = bench();
		await at.apply(write('/etc/x', 'new', undefined, { waitUntil: refused, rollback: [restore] }));
		expect(at.files.has('/etc/x')).toBe(false);
	});

	it('that fails stops there, and the truth is told', async () => {
		const at = bench({ '/etc/x': 'old' }, () => ({ run: async () => ran({ code: 1, stderr: 'no such unit' }) }));
		const rollback = [reload, restore];
		expect(await at.apply(write('/etc/x', 'new', 'old', { waitUntil: refused, rollback }))).toMatchObject({
			failure: { now: 'systemctl reload docker failed: no such unit' },
		});
		expect(outcomeOf(at)).toMatchObject({ action: 'a', outcome: 'failed' });
		expect(at.files.get('/etc/x')).toBe('new');
	});

	it('is finished although the operator asked to stop', async () => {
		const stopped: (boolean | undefined)[] = [];
		const at = bench({ '/etc/x': 'old' }, () => ({
			run: async (_argv, { signal }) => {
				stopped.push(signal?.aborted);
				return ran();
			},
		}));
		const waitUntil = {
			...refused,
			check: async (): Promise<ReadinessState> => {
				at.stop.abort();
				return { kind: 'refused', said: 'no' };
			},
		};
		await at.apply(write('/etc/x', 'new', 'old', { waitUntil, rollback: [restore, reload] }));
		expect(stopped).toEqual([false]);
		expect(outcomeOf(at)?.outcome).toBe('rolled-back');
		expect(at.files.get('/etc/x')).toBe('old');
	});

	it('cannot put back what this run did not write, nor what is no longer kept', async () => {
		const at = bench({ '/etc/x': 'old' }, undefined, { kept: async () => undefined });
		expect(await at.apply(restore)).toMatchObject({ failure: { said: 'this run has not changed /etc/x' } });
		await at.apply(write('/etc/x', 'new', 'old'));
		expect(await at.apply(restore)).toMatchObject({ failure: { said: 'the backup of /etc/x is gone' } });
		expect(at.files.get('/etc/x')).toBe('new');
	});
});

describe('a download', () => {
	const to = '/var/lib/dir/x.deb';
	const url = 'https://ci:hunter2@example.org/x.deb';
	const fetched = (by: 'curl' | 'apt-helper' = 'curl'): Action => ({
		...base,
		kind: 'download',
		with: by,
		url,
		to,
		maxBytes: 1000,
		sha256: sha('the package'),
	});
	const failed = (code: number, stderr: string): Attempt => ({ code, stderr });
	interface Attempt {
		readonly code: number | null;
		readonly stderr?: string;
		/** What lies there afterwards. */
		readonly leaves?: string;
		readonly at?: string;
		readonly draws?: readonly string[];
		readonly problem?: NonNullable<ExecResult['problem']>;
	}
	/** A host on which the fetches come to this, one after the other. */
	function fetching(attempts: readonly Attempt[], files: Record<string, string> = {}, mode = 0o700) {
		const ran: string[][] = [];
		const meta = { mode, uid: 0, gid: 0, size: 0, realPath: '/var/lib/dir' };
		const at: Bench = bench(files, () => ({
			stat: async () => ({ kind: 'found', type: 'directory', link: false, meta }),
			run: async (argv, { onLine, redraws }) => {
				const attempt = attempts[ran.push([...argv]) - 1];
				if (attempt === undefined) throw new Error('one fetch more than the test knows');
				const { code, stderr = '', leaves, problem, draws = [] } = attempt;
				if (leaves !== undefined) at.files.set(attempt.at ?? to, leaves);
				expect(redraws).toBe(true);
				for (const text of draws) onLine?.({ stream: 'stderr', text });
				return { code, stdout: '', stderr, elapsedMs: 1, ...(problem !== undefined && { problem }) };
			},
		}));
		return { ...at, ran };
	}
	const words = async (at: Bench, action: Action) => {
		const result = await at.apply(action);
		if (result.kind !== 'failed') throw new Error(`it was ${result.kind}`);
		return { ...result.failure, now: outcomeOf(at)?.failure?.now ?? '' };
	};

	it('is done when it is the file that the table knows, says what arrived, and shows how far it is', async () => {
		const draws = ['  % Total    % Received % Xferd', ' 45 11.2M   45 5190k    0     0  1024k      0', ''];
		const at = fetching([{ code: 0, leaves: 'the package', draws }]);
		expect(await at.apply(fetched())).toEqual({ kind: 'done' });
		expect(outcomeOf(at)?.evidence).toBe(`sha256 ${sha('the package')}, 11 bytes`);
		expect(at.events.filter(e => e.type === 'progress')).toMatchObject([
			{ done: 5190 * 1024, total: Math.round(11.2 * 1024 * 1024), unit: 'bytes' },
			{ done: 11, total: 11, unit: 'bytes' },
		]);
		expect(at.events.filter(e => e.type === 'output')).toEqual([]);
		expect(intentOf(at)?.undo).toEqual({ kind: 'file', path: to, before: null, after: sha('the package') });
	});

	it.each(['curl', 'apt-helper'] as const)('with %s runs what it shows', async by => {
		const at = fetching([{ code: 0, leaves: 'the package' }]);
		await at.apply(fetched(by));
		const shown = at.ran[0]?.join(' ').replace('ci:hunter2', '[redacted]');
		expect(at.ran[0]?.[0]).toBe(by === 'curl' ? 'curl' : '/usr/lib/apt/apt-helper');
		expect(intentOf(at)?.does.replace(/ {3}#.*/, '')).toBe(shown);
		expect(intentOf(at)?.does).toContain(sha('the package'));
		expect(JSON.stringify(at.events)).not.toContain('hunter2');
	});

	it('that is another file is removed, not used, and both digests are told', async () => {
		const at = fetching([{ code: 0, leaves: 'evil' }]);
		const { said } = await words(at, fetched());
		expect(said).toContain(`has sha256 ${sha('evil')}, not ${sha('the package')}; it was removed and not used`);
		expect(at.files.has(to)).toBe(false);
		expect(JSON.stringify(at.events)).not.toContain('hunter2');
	});

	it('that apt finds to be another file leaves none', async () => {
		const stderr = 'E: Failed to fetch https://example.org/x.deb  Hash Sum mismatch\nE: Download Failed\n';
		const at = fetching([{ code: 100, stderr, leaves: 'evil', at: `${to}.FAILED` }]);
		expect((await words(at, fetched('apt-helper'))).said).toContain(sha('evil'));
		expect([...at.files.keys()]).toEqual([]);
	});

	it.each<[string, Attempt]>([
		['of another file', { code: 0, leaves: 'old and new' }],
		['behind which the server has nothing', failed(22, 'curl: (22) The requested URL returned error: 416\n')],
		['in which the server cannot go on', failed(33, "curl: (33) HTTP server doesn't seem to support byte ranges.\n")],
	])('goes on with a beginning, and begins afresh with one %s', async (_, first) => {
		const at = fetching([first, { code: 0, leaves: 'the package' }], { [to]: 'old' });
		expect(await at.apply(fetched())).toEqual({ kind: 'done' });
		expect(at.order.filter(each => each.startsWith('remove'))).toEqual([`remove ${to}`]);
		expect(at.ran).toHaveLength(2);
	});

	it.each<[string, Attempt, string, string]>([
		['no name', failed(6, 'curl: (6) Could not resolve host: example.org\n'), 'name service', 'HTTPS_PROXY'],
		['no connection', failed(7, 'curl: (7) Failed to connect\n'), 'gets no answer', 'HTTPS_PROXY'],
		['silence', failed(28, 'curl: (28) Connection timed out\n'), 'gets no answer', '--deb FILE'],
		['no trust', failed(60, 'curl: (60) SSL certificate problem\nMore: x\n\n'), 'trust', 'update-ca-certificates'],
		['an error', failed(22, 'curl: (22) The requested URL returned error: 404\n'), 'no such file', '--deb FILE'],
		['too much', failed(63, 'curl: (63) Maximum file size exceeded\n'), 'larger than 1000 bytes', '--deb FILE'],
		['a full disk', failed(23, 'curl: (23) Failure writing output to destination\n'), 'written', 'df -h /var/lib/dir'],
	])('that fails of %s says why, and what to do', async (_, attempt, why, next) => {
		const failure = await words(fetching([attempt]), fetched());
		expect(failure.said).toMatch(/^curl: \(\d+\) [^\n]+$/);
		expect(failure.why).toContain(why);
		expect(failure.next.join(' ')).toContain(next);
		expect(failure.now).toBe(`nothing was put at ${to}`);
	});

	it.each([
		["Could not resolve 'example.org'", 'name service'],
		['Certificate verification failed: The certificate is NOT trusted.  Could not handshake', 'trust'],
		['404  Not Found [IP: 127.0.0.1 443]', 'no such file'],
	])('of apt that fails with "%s" says why', async (said, why) => {
		const stderr = `W: Download is performed unsandboxed\nE: Failed to fetch ${url}  ${said}\nE: Download Failed\n`;
		expect((await words(fetching([failed(100, stderr)]), fetched('apt-helper'))).why).toContain(why);
	});

	it('that was cut tells what is there, for the next try', async () => {
		const meter = '\r 33 2929k   33  976k    0     0  8853k      0\n';
		const at = fetching([{ ...failed(18, `${meter}curl: (18) transfer closed\n`), leaves: 'the pa' }]);
		const { said, now } = await words(at, fetched());
		expect(said).toBe('curl: (18) transfer closed');
		expect(now).toBe(`6 bytes of it are at ${to}, and the next try goes on from there`);
	});

	it('goes into a directory only that others cannot change', async () => {
		expect((await words(fetching([], {}, 0o777), fetched())).said).toContain(
			'others can change what lies in /var/lib/dir',
		);
	});

	it('that was stopped is interrupted', async () => {
		const at = fetching([{ code: null, problem: 'cancelled' }]);
		expect(await at.apply(fetched())).toEqual({ kind: 'interrupted' });
	});
});

describe('the other actions', () => {
	it('removing keeps the bytes first', async () => {
		const at = bench({ '/etc/x': 'old' });
		const expectOld = { kind: 'sha256', sha256: sha('old') } as const;
		await at.apply({ ...base, kind: 'remove', path: '/etc/x', expect: expectOld, before: 'old' });
		expect(at.order).toEqual(['keep', 'action.intent', 'remove /etc/x', 'action.outcome']);
		expect(intentOf(at)?.undo).toMatchObject({ before: { sha256: sha('old') }, after: null });
	});

	it('a folder that was there before is not ours to remove', async () => {
		const there = bench({ '/etc/x': '' });
		await there.apply({ ...base, kind: 'make-folder', path: '/etc/x', mode: 0o755 });
		expect(intentOf(there)?.undo).toEqual({ kind: 'none', why: '/etc/x was there already' });
		const fresh = bench();
		await fresh.apply({ ...base, kind: 'make-folder', path: '/etc/x', mode: 0o755 });
		expect(intentOf(fresh)?.undo).toEqual({ kind: 'folder', path: '/etc/x' });
	});

	it.each([
		['ENOTEMPTY', 'stays, as it is not empty'],
		['ENOENT', 'was gone already'],
	])('a folder that cannot be removed for %s is no failure, and is named', async (errno, evidence) => {
		const at = bench({}, () => ({ removeDirectory: async () => ({ kind: 'failed', errno, message: 'x' }) }));
		expect(await at.apply({ ...base, kind: 'remove-folder', path: '/etc/x' })).toEqual({ kind: 'done' });
		expect(outcomeOf(at)?.evidence).toBe(evidence);
	});

	it('a folder that is protected is a failure', async () => {
		const at = bench({}, () => ({
			removeDirectory: async () => ({ kind: 'failed', errno: 'EACCES', message: 'denied' }),
		}));
		expect((await at.apply({ ...base, kind: 'remove-folder', path: '/etc/x' })).kind).toBe('failed');
	});

	it.each([
		['sent', undefined],
		['no-such-process', 'dockerd (pid 42): is not running'],
		['denied', 'dockerd (pid 42): not permitted'],
	] as const)('a signal that was %s', async (kind, said) => {
		const at = bench({}, () => ({ signal: async () => ({ kind }) }));
		const undo = { kind: 'none', why: 'x' } as const;
		const result = await at.apply({ ...base, kind: 'signal', pid: 42, program: 'dockerd', signal: 'SIGHUP', undo });
		expect(result).toMatchObject(said === undefined ? { kind: 'done' } : { kind: 'failed', failure: { said } });
	});

	it('an image is loaded from its archive and undone by its name', async () => {
		const at = bench({}, () => ({
			run: async argv => {
				at.order.push(argv.join(' '));
				return ran();
			},
		}));
		await at.apply({ ...base, kind: 'load-image', archive: '/x.tar', image: 'busybox:1' });
		expect(at.order).toContain('docker load -i /x.tar');
		expect(intentOf(at)?.undo).toMatchObject({ commands: [{ argv: ['docker', 'image', 'rm', 'busybox:1'] }] });
	});

	it('what is left to a person is logged as that', async () => {
		const at = bench();
		expect(await at.apply({ ...base, kind: 'manual', text: 'plug it in' })).toEqual({ kind: 'manual' });
		expect(outcomeOf(at)?.outcome).toBe('manual');
	});
});
