import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDirectory, eventsOf, lastOf, run, signalAt, stackTrace } from './program.ts';

const demo = (directory: string) => ['--demo', '--only', 'host,sysbox', '--session-dir', join(directory, 'state')];

/** A plan of two steps on a simulated host, saved into a directory of its own. */
async function saved(...more: readonly string[]) {
	const directory = emptyDirectory();
	const ended = await run(['plan', ...demo(directory), '--out', 'p.json', ...more], { cwd: directory });
	return { directory, file: join(directory, 'p.json'), ended };
}
const held = (directory: string, ...more: readonly string[]) =>
	run([...demo(directory), '--yes', '--plan', 'p.json', ...more], { cwd: directory });

/** Somebody edits daemon.json on the simulated host. */
function touchDaemonJson(directory: string): void {
	const file = join(directory, 'state', 'host-fresh-ubuntu.json');
	const host = JSON.parse(readFileSync(file, 'utf8'));
	host.files['/etc/docker/daemon.json'].text = '{\n  "live-restore": false\n}\n';
	writeFileSync(file, JSON.stringify(host));
}

describe('a plan', () => {
	it('is saved for people and machines, and ends 4 with the command that runs it', async () => {
		const { directory, file, ended } = await saved('--change-id', 'CHG 17');
		expect(ended.exit).toBe(4);
		const plan = JSON.parse(readFileSync(file, 'utf8'));
		expect(plan).toMatchObject({ 'sysbox-setup-plan': 2, made: { changeId: 'CHG 17' }, host: { simulated: true } });
		expect(plan.steps.map((step: { id: string }) => step.id)).toEqual(['host', 'sysbox']);
		expect(statSync(file).mode & 0o777).toBe(0o600);
		expect(ended.stderr).toContain(`saved  ${file}`);
		expect(ended.stderr).toContain(`digest ${plan.digest}`);
		const line = /run it (sysbox-setup .*)/.exec(ended.stderr)?.[1];
		expect(line).toBe(
			`sysbox-setup --demo --only host,sysbox --session-dir ${directory}/state --change-id 'CHG 17' --yes --plan p.json`,
		);
	});

	it('is a file beside the events of --format json', async () => {
		const { ended, file } = await saved('--format', 'json');
		expect(lastOf(eventsOf(ended.stdout))).toMatchObject({ exit: 4 });
		expect(existsSync(file)).toBe(true);
	});

	it('replaces nothing, and follows no link', async () => {
		const { directory, file } = await saved();
		const before = readFileSync(file, 'utf8');
		symlinkSync(join(directory, 'elsewhere'), join(directory, 'link.json'));
		for (const out of ['p.json', 'link.json', 'missing/p.json']) {
			const { exit, stdout, stderr } = await run(['plan', ...demo(directory), '--out', out], { cwd: directory });
			expect({ exit, stdout }, out).toEqual({ exit: 2, stdout: '' });
			expect(stderr).toContain(out);
			expect(stderr).not.toMatch(stackTrace);
		}
		expect(readFileSync(file, 'utf8')).toBe(before);
		expect(existsSync(join(directory, 'elsewhere'))).toBe(false);
	});

	it('is not saved when the run would not come to its end', async () => {
		const directory = emptyDirectory();
		const argv = ['plan', '--demo=old-kernel', '--session-dir', join(directory, 'state'), '--out', 'p.json'];
		const { exit, stderr } = await run(argv, { cwd: directory });
		expect(exit).toBe(3);
		expect(stderr).toContain('the plan was not saved');
		expect(existsSync(join(directory, 'p.json'))).toBe(false);
	});
});

describe('a run that is held to a plan', () => {
	it('does exactly that', async () => {
		const { directory, file } = await saved();
		const { exit, stdout } = await held(directory, '--format', 'json');
		expect(exit).toBe(0);
		const { digest } = JSON.parse(readFileSync(file, 'utf8'));
		expect(eventsOf(stdout)[0]).toMatchObject({ type: 'run.start', plan: { file: 'p.json', digest } });
	});

	it('ends 3 when the host is another one, with the file and its difference, and begins no run', async () => {
		const { directory } = await saved();
		touchDaemonJson(directory);
		const { exit, stdout, stderr } = await held(directory);
		expect({ exit, stdout }).toEqual({ exit: 3, stdout: '' });
		expect(stderr).toContain('is not what a run would do now. Nothing was changed.');
		expect(stderr).toContain('/etc/docker/daemon.json is not as it was when the plan was made');
		expect(stderr).toMatch(/^ +- +"live-restore": true$/m);
		expect(stderr).toMatch(/^ +\+ +"live-restore": false$/m);
		expect(stderr).not.toMatch(stackTrace);
		expect(existsSync(join(directory, 'state', 'runs'))).toBe(false);
	});

	it('ends 2 with the place of what is wrong in the file', async () => {
		const { directory, file } = await saved();
		const text = readFileSync(file, 'utf8');
		const cases: readonly (readonly [string, string])[] = [
			[text.slice(0, -3), 'p.json:'],
			[text.replace('"sysbox-setup-plan": 2', '"sysbox-setup-plan": 7'), 'p.json:2:24: this plan has version 7'],
			[text.replace('apt-get install', 'apt-get remove'), 'was changed after it was written'],
			['version: 1\n', 'p.json:1:1: '],
		];
		for (const [changed, words] of cases) {
			writeFileSync(file, changed);
			const { exit, stdout, stderr } = await held(directory);
			expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
			expect(stderr).toContain(words);
			expect(stderr).not.toMatch(stackTrace);
		}
		const missing = await run([...demo(directory), '--yes', '--plan', 'q.json'], { cwd: directory });
		expect(missing).toMatchObject({ exit: 2, stdout: '' });
		expect(missing.stderr).toContain('q.json cannot be read: there is no such file');
	});

	it('ends 2 on another host, and for a command that is no run', async () => {
		const { directory } = await saved();
		const argv = ['--demo=fresh-debian', '--session-dir', join(directory, 'state'), '--yes', '--plan', 'p.json'];
		const other = await run(argv, { cwd: directory });
		expect(other.exit).toBe(2);
		expect(other.stderr).toContain('p.json is a plan for ci-07');
		const check = await run(['check', '--demo', '--plan', 'p.json'], { cwd: directory });
		expect(check).toMatchObject({ exit: 2, stdout: '' });
		expect(check.stderr).toContain('--plan belongs to a run, not to check');
	});

	it('goes on under its plan after a kill, and is not gone on with without it', async () => {
		const { directory } = await saved();
		const killed = await run([...demo(directory), '--yes', '--plan', 'p.json', '--format', 'json'], {
			cwd: directory,
			preload: signalAt('stdout', '"type":"action.intent","step":"sysbox"', 'SIGKILL'),
		});
		expect(killed.signal).toBe('SIGKILL');
		const without = await run([...demo(directory), '--yes'], { cwd: directory });
		expect(without.exit).toBe(2);
		expect(without.stderr).toContain('the run that was left is held to the saved plan p.json.');
		expect((await held(directory)).exit).toBe(0);
	});
});
