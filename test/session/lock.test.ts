import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { link, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type LockFiles, type LockRequest, type LockResult, lockHolder, takeLock } from '../../src/session/lock.ts';
import type { StateDirectory } from '../../src/session/state-directory.ts';
import { systemError } from '../host/faulty-file-calls.ts';
import { freshStateDirectory } from './state-folders.ts';

// Disks and machines of CI are slow now and then; nothing here waits for time to pass.
vi.setConfig({ testTimeout: 60_000 });

interface Machine {
	boot: string;
	/** Seconds since its boot. */
	uptime: number;
	/** pid → start time. */
	readonly processes: Map<number, string>;
	request(pid: number, rest?: Partial<LockRequest>): LockRequest;
}

/** A machine whose processes and boot the test chooses. */
function testMachine(): Machine {
	const machine: Machine = {
		boot: 'boot-1',
		uptime: 1000,
		processes: new Map(),
		request: (pid, rest = {}) => {
			if (!machine.processes.has(pid)) machine.processes.set(pid, `start-${pid}`);
			return {
				pid,
				user: `user-${pid}`,
				host: 'ci',
				tool: '1.0.0',
				step: 'starting',
				now: () => new Date('2026-11-24T01:00:00Z'),
				readBootId: () => machine.boot,
				readUptime: () => machine.uptime,
				readStartTime: of => machine.processes.get(of),
				isRunning: () => {
					throw new Error('asked only without /proc');
				},
				...rest,
			};
		},
	};
	return machine;
}

function held(result: LockResult): Extract<LockResult, { kind: 'held' }> {
	if (result.kind !== 'held') throw new Error(`not held: ${JSON.stringify(result)}`);
	return result;
}

describe('the lock of a host', () => {
	it('lets one run in, and tells the other who it is waiting for', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		held(await takeLock(directory, machine.request(1, { step: 'docker' })));
		expect(await takeLock(directory, machine.request(2))).toEqual({
			kind: 'locked',
			holder: {
				pid: 1,
				user: 'user-1',
				host: 'ci',
				step: 'docker',
				since: '2026-11-24T01:00:00.000Z',
				ageSeconds: 0,
				tool: '1.0.0',
			},
		});
	});

	it('tells for how long by the clock of the kernel, as the time of day can be set', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		held(await takeLock(directory, machine.request(1)));
		machine.uptime += 600;
		const dayBefore = { now: () => new Date('2026-11-23T01:00:00Z') };
		expect(await takeLock(directory, machine.request(2, dayBefore))).toMatchObject({
			kind: 'locked',
			holder: { pid: 1, ageSeconds: 600 },
		});
	});

	it('lets nobody in twice, not even the same process', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		held(await takeLock(directory, machine.request(1)));
		expect(await takeLock(directory, machine.request(1))).toMatchObject({ kind: 'locked', holder: { pid: 1 } });
	});

	it('is free again when it was released, and leaves no file', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		await held(await takeLock(directory, machine.request(1))).lock.release();
		expect(readdirSync(directory.path)).toEqual([]);
		held(await takeLock(directory, machine.request(2)));
		expect(readdirSync(directory.path)).toEqual(['lock']);
		expect(statSync(directory.lockFile).mode & 0o777).toBe(0o600);
	});

	it('tells others which step the run is at', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		const { lock } = held(await takeLock(directory, machine.request(1)));
		expect(await lock.update('sysbox')).toBe(true);
		expect(await takeLock(directory, machine.request(2))).toMatchObject({
			kind: 'locked',
			holder: { pid: 1, step: 'sysbox' },
		});
		expect(readdirSync(directory.path)).toEqual(['lock']);
		await lock.release();
		expect(readdirSync(directory.path)).toEqual([]);
	});

	it('leaves nothing of a contender that was killed, and all of one that is at work', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		const died: LockFiles = {
			read: path => readFile(path, 'utf8'),
			create: (path, text) => writeFile(path, text, { mode: 0o600, flag: 'wx' }),
			link: () => Promise.reject(new Error('killed')),
			rename,
			unlink: () => Promise.reject(new Error('killed')),
			list: readdir,
		};
		for (const pid of [1, 2]) await takeLock(directory, machine.request(pid, { files: died })).catch(() => undefined);
		expect(readdirSync(directory.path)).toHaveLength(2);
		machine.processes.delete(1);
		held(await takeLock(directory, machine.request(3)));
		const left = readdirSync(directory.path).filter(name => name !== 'lock');
		expect(left.map(name => JSON.parse(readFileSync(join(directory.path, name), 'utf8')).pid)).toEqual([2]);
	});

	it('is not taken from a run that has just taken it over from the dead one', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		held(await takeLock(directory, machine.request(1)));
		machine.processes.delete(1);
		let first = true;
		// Another one takes it over between this one's look and its claim, and has cleaned up after itself by then.
		const files: LockFiles = {
			read: path => readFile(path, 'utf8'),
			create: (path, text) => writeFile(path, text, { mode: 0o600, flag: 'wx' }),
			link: async (from, to) => {
				if (first && to !== directory.lockFile) {
					first = false;
					held(await takeLock(directory, machine.request(2)));
				}
				await link(from, to);
			},
			rename,
			unlink,
			list: readdir,
		};
		expect(await takeLock(directory, machine.request(3, { files }))).toMatchObject({
			kind: 'locked',
			holder: { pid: 2 },
		});
		expect(readdirSync(directory.path)).toEqual(['lock']);
	});

	it('is told to be of the run that has it, and not of one whose claim came too late', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		held(await takeLock(directory, machine.request(1)));
		machine.processes.delete(1);
		const elsewhere = await freshStateDirectory();
		held(await takeLock(elsewhere, machine.request(4)));
		let first = true;
		const files: LockFiles = {
			read: async path => {
				if (first && path !== directory.lockFile) {
					first = false;
					held(await takeLock(directory, machine.request(2)));
					// It saw the dead one before, and has not looked again yet.
					await writeFile(path, await readFile(elsewhere.lockFile));
				}
				return readFile(path, 'utf8');
			},
			create: (path, text) => writeFile(path, text, { mode: 0o600, flag: 'wx' }),
			link,
			rename,
			unlink,
			list: readdir,
		};
		expect(await takeLock(directory, machine.request(3, { files }))).toMatchObject({
			kind: 'locked',
			holder: { pid: 2 },
		});
	});

	it('is left alone by a run that lost it', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		const first = held(await takeLock(directory, machine.request(1)));
		machine.processes.delete(1);
		held(await takeLock(directory, machine.request(2)));
		expect(await first.lock.update('sysbox')).toBe(false);
		await first.lock.release();
		expect(await takeLock(directory, machine.request(3))).toMatchObject({
			kind: 'locked',
			holder: { pid: 2, step: 'starting' },
		});
	});

	it.each<[string, (machine: Machine) => void]>([
		['whose process is gone', machine => machine.processes.delete(1)],
		['whose pid is another process’s by now', machine => machine.processes.set(1, 'later')],
		['of an earlier boot, even when pid and start time fit', machine => Object.assign(machine, { boot: 'boot-2' })],
	])('is taken over from a run %s', async (_, die) => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		held(await takeLock(directory, machine.request(1, { step: 'docker' })));
		die(machine);
		const next = held(await takeLock(directory, machine.request(2)));
		expect(next.after).toMatchObject({ pid: 1, step: 'docker' });
		expect(readdirSync(directory.path)).toEqual(['lock']);
		expect(await takeLock(directory, machine.request(3))).toMatchObject({ kind: 'locked', holder: { pid: 2 } });
	});

	it.each(['', '{"pid": 1', 'garbage', '{"pid": "one"}'])(
		'is taken over when its file holds “%s”, as no run writes that',
		async content => {
			const machine = testMachine();
			const directory = await freshStateDirectory();
			writeFileSync(directory.lockFile, content);
			const next = held(await takeLock(directory, machine.request(1)));
			expect(next.after).toBeUndefined();
			expect(readdirSync(directory.path)).toEqual(['lock']);
		},
	);

	it('asks the system for the process where there is no /proc', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		const running = new Set([1]);
		const without: Partial<LockRequest> = {
			readBootId: () => undefined,
			readStartTime: () => undefined,
			isRunning: pid => running.has(pid),
		};
		held(await takeLock(directory, machine.request(1, without)));
		expect(await takeLock(directory, machine.request(2, without))).toMatchObject({ kind: 'locked' });
		running.delete(1);
		held(await takeLock(directory, machine.request(2, without)));
	});

	it('says what is wrong with the folder', async () => {
		const directory = await freshStateDirectory();
		const machine = testMachine();
		expect(await takeLock({ ...directory, path: '/no/such/folder' }, machine.request(1))).toEqual({
			kind: 'failed',
			errno: 'ENOENT',
			file: directory.lockFile,
		});
	});

	it('can be looked at without taking it', async () => {
		const machine = testMachine();
		const directory = await freshStateDirectory();
		const readers = machine.request(process.pid);
		expect(await lockHolder(directory, readers)).toBeUndefined();
		held(await takeLock(directory, machine.request(1)));
		expect(await lockHolder(directory, readers)).toMatchObject({ pid: 1 });
		machine.processes.delete(1);
		expect(await lockHolder(directory, readers)).toBeUndefined();
		expect(readdirSync(directory.path)).toEqual(['lock']);
	});

	it.runIf(process.platform === 'linux')('knows the living from the dead on this machine', async () => {
		const directory = await freshStateDirectory();
		const request = { user: 'anna', host: 'ci', tool: '1.0.0', step: 'starting', now: () => new Date() };
		const dead = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
		held(await takeLock(directory, { ...request, pid: dead, readStartTime: () => '1' }));
		held(await takeLock(directory, request));
		expect(JSON.parse(readFileSync(directory.lockFile, 'utf8'))).toMatchObject({
			pid: process.pid,
			startTime: expect.stringMatching(/^\d+$/),
			bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
		});
		expect(await takeLock(directory, request)).toMatchObject({ kind: 'locked', holder: { pid: process.pid } });
	});
});

describe('many runs that want the lock at once', () => {
	const before = ['nobody', 'a dead run', 'a broken file'] as const;

	async function prepare(directory: StateDirectory, machine: Machine, holder: (typeof before)[number]): Promise<void> {
		if (holder === 'a broken file') writeFileSync(directory.lockFile, '{');
		if (holder !== 'a dead run') return;
		held(await takeLock(directory, machine.request(1)));
		machine.processes.delete(1);
	}

	it.each(before)('one of twenty gets it from %s', async holder => {
		for (let round = 0; round < 10; round++) {
			const machine = testMachine();
			const directory = await freshStateDirectory();
			await prepare(directory, machine, holder);
			const results = await Promise.all(
				Array.from({ length: 20 }, (_, i) => takeLock(directory, machine.request(100 + i))),
			);
			expect(results.map(r => r.kind).sort()).toEqual(['held', ...Array.from({ length: 19 }, () => 'locked')]);
			const winner = 100 + results.findIndex(r => r.kind === 'held');
			expect(await takeLock(directory, machine.request(99))).toMatchObject({ kind: 'locked', holder: { pid: winner } });
			expect(readdirSync(directory.path)).toEqual(['lock']);
		}
	});

	/** Files in memory. Each call waits for its turn, which `order` gives out. */
	function memoryFiles(order: <T>(work: () => Promise<T>) => Promise<T>, initial: ReadonlyMap<string, string>) {
		const names = new Map(initial);
		const need = (path: string): string => {
			const text = names.get(path);
			if (text === undefined) throw systemError('ENOENT');
			return text;
		};
		const makeNew = (path: string, text: string): void => {
			if (names.has(path)) throw systemError('EEXIST');
			names.set(path, text);
		};
		const files: LockFiles = {
			read: path => order(async () => need(path)),
			create: (path, text) => order(async () => makeNew(path, text)),
			link: (from, to) => order(async () => makeNew(to, need(from))),
			rename: (from, to) =>
				order(async () => {
					names.set(to, need(from));
					names.delete(from);
				}),
			list: () => order(async () => [...names.keys()].map(path => basename(path))),
			unlink: path =>
				order(async () => {
					need(path);
					names.delete(path);
				}),
		};
		return { files, names };
	}

	const memoryDirectory: StateDirectory = {
		path: '/s',
		lockFile: '/s/lock',
		sessionFile: '/s/session.json',
		runsDirectory: '/s/runs',
	};
	const deadLock = `${JSON.stringify({ id: 'd'.repeat(32), pid: 1, startTime: 'start-1', bootId: 'boot-1', user: 'u', host: 'h', step: 's', since: 'x', tool: 't' })}\n`;

	it.each(before)(
		'one gets it from %s in whatever order they move',
		async holder => {
			await fc.assert(
				fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, count) => {
					const machine = testMachine();
					const initial = new Map(holder === 'nobody' ? [] : [['/s/lock', holder === 'a dead run' ? deadLock : '{']]);
					const { files, names } = memoryFiles(async work => {
						await scheduler.schedule(Promise.resolve());
						return work();
					}, initial);
					const all = Promise.all(
						Array.from({ length: count }, (_, i) => takeLock(memoryDirectory, machine.request(100 + i, { files }))),
					);
					const results = await scheduler.waitFor(all);
					expect(results.filter(r => r.kind === 'held')).toHaveLength(1);
					expect(results.filter(r => r.kind === 'locked')).toHaveLength(count - 1);
					expect([...names.keys()]).toEqual(['/s/lock']);
				}),
				{ seed: 20_261_124, numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 300) },
			);
		},
		600_000,
	);

	it('nobody gets it twice when some of them die on the way, and the next run still gets in', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.scheduler(),
				fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
				async (scheduler, deaths) => {
					const machine = testMachine();
					const { files: shared } = memoryFiles(
						async work => {
							await scheduler.schedule(Promise.resolve());
							return work();
						},
						new Map([['/s/lock', deadLock]]),
					);
					/** The files as one contender sees them, until it dies: none of its calls has an effect from then on. */
					const filesOf = (pid: number, callsLeft: number): LockFiles => {
						let left = callsLeft;
						const mortal =
							<A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
							async (...args: A): Promise<R> => {
								left -= 1;
								if (left < 0) {
									machine.processes.delete(pid);
									throw new Error('dead');
								}
								return call(...args);
							};
						return {
							read: mortal(shared.read),
							create: mortal(shared.create),
							link: mortal(shared.link),
							rename: mortal(shared.rename),
							unlink: mortal(shared.unlink),
							list: mortal(shared.list),
						};
					};
					const contenders = [...deaths, Infinity, Infinity].map((callsLeft, i) => {
						const pid = 100 + i;
						return takeLock(memoryDirectory, machine.request(pid, { files: filesOf(pid, callsLeft) })).then(
							result => ({ pid, result }),
							() => undefined,
						);
					});
					const results = (await scheduler.waitFor(Promise.all(contenders))).filter(r => r !== undefined);
					const winners = results.filter(r => r.result.kind === 'held' && machine.processes.has(r.pid));
					expect(winners.length).toBeLessThanOrEqual(1);

					for (const { pid } of winners) machine.processes.delete(pid);
					// Losers have gone home, and who died in the middle is dead.
					for (const { pid } of results) machine.processes.delete(pid);
					const next = takeLock(memoryDirectory, machine.request(99, { files: shared }));
					expect(await scheduler.waitFor(next)).toMatchObject({ kind: 'held' });
				},
			),
			{ seed: 20_261_124, numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 500) },
		);
	}, 600_000);
});
