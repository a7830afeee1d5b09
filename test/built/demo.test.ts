import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDirectory, eventsOf, lastOf, run, stackTrace } from './program.ts';

describe('the demo', () => {
	it('goes from fresh to a record; the second run changes nothing; revert takes it back', async () => {
		const directory = emptyDirectory();
		const argv = ['--demo', '--yes', '--session-dir', join(directory, 'state'), '--record', join(directory, 'r.md')];
		const first = await run([...argv, '--format', 'json'], { cwd: directory });
		const events = eventsOf(first.stdout);
		expect(lastOf(events)).toMatchObject({ outcome: 'done', exit: 0, changed: true, open: [] });
		expect(first).toMatchObject({ exit: 0, stderr: '' });
		expect(events.flatMap(event => (event.type === 'step.end' ? [event.step] : []))).toEqual([
			'host',
			'sysbox',
			'daemon',
			'docker',
			'ci',
			'functional',
			'security',
			'record',
		]);
		const record = readFileSync(join(directory, 'r.md'), 'utf8');
		expect(record).toContain('**SIMULATED.**');
		expect(record).toContain('simulated: true');
		for (const row of [
			'Privileged container escape | – | ready, no job uses Sysbox yet',
			'Host resource abuse | High | **still High**',
			'Docker daemon compromise | – | ready, no job uses Sysbox yet',
			'Job to job | High | High, not lowered by Sysbox CE',
		])
			expect(record).toContain(`| ${row}`);

		const second = await run(argv, { cwd: directory });
		expect(second.exit).toBe(0);
		expect(second.stdout).toContain('(simulated): nothing to change');

		const back = await run(['revert', 'r.md', '--demo', '--yes', '--session-dir', join(directory, 'state')], {
			cwd: directory,
		});
		expect(back.stderr).not.toMatch(stackTrace);
		expect(back.exit).toBe(0);
		expect(readdirSync(directory).sort()).toEqual(['r.md', 'state']);
	});

	it('says on every screen that it is simulated', async () => {
		const directory = emptyDirectory();
		for (const argv of [['check'], ['plan']]) {
			const { stdout } = await run([...argv, '--demo', '--session-dir', join(directory, 'state')], { cwd: directory });
			expect(stdout).toContain('SIMULATED');
			expect(stdout).toContain('(simulated)');
		}
	});

	/** Each scenario, and the exit code of an unattended run without an accepted risk. */
	const scenarios: readonly (readonly [string, number, string])[] = [
		['fresh-ubuntu', 0, 'ready, no job uses Sysbox yet'],
		['fresh-debian', 0, 'ready, no job uses Sysbox yet'],
		['already-set-up', 0, 'ready, no job uses Sysbox yet'],
		['old-kernel', 3, "can't continue. Fix first: "],
		['snap-docker', 3, "can't continue. Fix first: "],
		['broken-daemon-json', 3, "can't continue. Fix first: "],
		// Everything is set up and proved; what still binds the socket keeps its row where it was.
		['containers-running', 4, 'still Critical'],
		['docker-29-time-namespace', 3, '--accept-risk restart-sysbox'],
		['fusermount3-apparmor', 3, '--accept-risk weaken-apparmor'],
		['no-internet', 3, 'Fix first: sysbox.reachable'],
		// Unattended, Docker is not restarted without a say; so it does not stay down either.
		['docker-stays-down', 0, 'ready, no job uses Sysbox yet'],
		// An inner Docker of today cannot build under a Sysbox of yesterday.
		['outdated-sysbox', 1, 'failed'],
	];
	it.each(scenarios)('of %s ends %i', async (name, code, words) => {
		const directory = emptyDirectory();
		const argv = [`--demo=${name}`, '--yes', '--session-dir', 'state', '--record', join(directory, 'r.md')];
		const { exit, stdout, stderr } = await run(argv, { cwd: directory });
		expect(exit).toBe(code);
		expect(stdout).toContain(words);
		expect(`${stdout}\n${stderr}`).not.toMatch(stackTrace);

		// A record is for people: one page says it all, and what is long is folded.
		const record = readFileSync(join(directory, 'r.md'), 'utf8');
		expect(record.split('\n## Implemented and missing')[0]?.split('\n').length).toBeLessThanOrEqual(60);
		const open = record.replaceAll(/<details>[\s\S]*?\n<\/details>/g, '');
		expect(open.split('\n').length).toBeLessThanOrEqual(250);
	});

	it('has a test for each scenario that the program knows', async () => {
		const { stderr } = await run(['--yes', '--demo=x'], { cwd: emptyDirectory() });
		const known = [...stderr.matchAll(/^ {2}--demo=(\S+): .{10}/gm)].map(([, name]) => name ?? '');
		expect(known.toSorted()).toEqual(scenarios.map(([name]) => name).toSorted());
	});
});
