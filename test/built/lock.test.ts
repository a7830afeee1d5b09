/** The lock of a host between real processes: who is dead is told by the kernel of this machine. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bootId, processStartTime } from '../../src/host/local/machine-identity.ts';
import { begin, emptyDirectory, eventsOf, lastOf, run, signalAt, until } from './program.ts';

const shortRun = (state: string) => ['--demo', '--yes', '--only', 'host', '--session-dir', state, '--format', 'json'];
const started = '"type":"run.start"';

/** A directory with the lock of a run whose process is the one that is given. */
function lockedBy(holder: { readonly pid: number; readonly startTime?: string; readonly bootId?: string }): string {
	const state = join(emptyDirectory(), 'state');
	mkdirSync(state, { mode: 0o700 });
	const rest = { user: 'anna', host: 'ci', step: 'docker', since: '2026-11-24T01:00:00.000Z', tool: '1.0.0' };
	const content = { id: 'd'.repeat(32), startTime: '1', bootId: bootId(), ...holder, ...rest };
	writeFileSync(join(state, 'lock'), `${JSON.stringify(content)}\n`, { mode: 0o600 });
	return state;
}

/** A process that lives until the test is over. */
function bystander(): { readonly pid: number; readonly startTime: string } {
	const child = spawn('sleep', ['600'], { stdio: 'ignore' });
	onTestFinished(() => void child.kill('SIGKILL'));
	const pid = child.pid ?? 0;
	return { pid, startTime: processStartTime(pid) ?? '' };
}

async function ended(): Promise<number> {
	const child = spawn('true', { stdio: 'ignore' });
	const pid = child.pid ?? 0;
	await new Promise(resolve => child.once('close', resolve));
	return pid;
}

describe.runIf(process.platform === 'linux')('the lock of a run', () => {
	it('whose process lives keeps every other run out, with 75 and its pid, user and step', async () => {
		const { pid, startTime } = bystander();
		const { exit, stdout, stderr } = await run(shortRun(lockedBy({ pid, startTime })));
		expect({ exit, stdout }).toEqual({ exit: 75, stdout: '' });
		expect(stderr).toContain(`pid ${pid}, started by anna`);
		expect(stderr).toContain('at step docker');
	});

	it('whose process has ended is taken over', async () => {
		const state = lockedBy({ pid: await ended() });
		expect((await run(shortRun(state))).exit).toBe(0);
		expect(existsSync(join(state, 'lock'))).toBe(false);
	});

	it('whose pid is another process’s by now is taken over, and that process is left alone', async () => {
		const { pid, startTime } = bystander();
		expect((await run(shortRun(lockedBy({ pid, startTime: `${Number(startTime) - 1}` })))).exit).toBe(0);
		expect(processStartTime(pid)).toBe(startTime);
	});

	it('of another boot is taken over although pid and start time fit', async () => {
		const other = '00000000-0000-4000-8000-000000000000';
		expect((await run(shortRun(lockedBy({ ...bystander(), bootId: other })))).exit).toBe(0);
	});

	it('that is dead goes to one of several that want it at once, and the others are told who has it', async () => {
		const state = lockedBy({ pid: await ended() });
		const contenders = Array.from({ length: 5 }, () =>
			begin(shortRun(state), { preload: signalAt('stdout', started, 'SIGSTOP') }),
		);
		// Whoever gets it stands still with it, so that none of the others can come after it.
		const index = await Promise.any(contenders.map((c, n) => until(c.stdout, started).then(() => n)));
		const winner = contenders[index];
		const losers = await Promise.all(contenders.filter(c => c !== winner));
		expect(losers.map(l => l.exitCode)).toEqual([75, 75, 75, 75]);
		for (const { stderr } of losers) expect(stderr).toContain(`pid ${winner?.pid}, started by`);
		expect(readdirSync(join(state, 'runs'))).toHaveLength(1);

		winner?.kill('SIGCONT');
		expect((await winner)?.exitCode).toBe(0);
		expect(readdirSync(state).filter(name => name.startsWith('lock'))).toEqual([]);
		const [name = ''] = readdirSync(join(state, 'runs'));
		expect(lastOf(eventsOf(readFileSync(join(state, 'runs', name, 'events.ndjson'), 'utf8'))).exit).toBe(0);
	});
});
