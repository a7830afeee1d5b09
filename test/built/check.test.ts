import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { emptyDirectory, entry, eventsOf, lastOf, plainEnvironment, run, stackTrace } from './program.ts';

/** What `check` may say about a machine that nobody knows. */
const documented = [0, 3, 4, 5];

describe('check on this machine', () => {
	it('gives events on stdout and nothing else there, ends with the end, and exits as that says', async () => {
		const { exit, stdout, stderr } = await run(['check', '--format', 'json']);
		const events = eventsOf(stdout);
		expect(events.map(event => event.seq)).toEqual(events.map((_event, index) => index));
		expect(events[0]).toMatchObject({ type: 'run.start', mode: 'check', simulated: false });
		expect(lastOf(events)).toMatchObject({ exit, changed: false });
		expect(documented).toContain(exit);
		expect(stderr).toBe('');
	});

	it('as text gives the report on stdout', async () => {
		const { exit, stdout, stderr } = await run(['check']);
		expect(documented).toContain(exit);
		expect(stdout).toContain('Host compatibility');
		expect(stdout).not.toMatch(stackTrace);
		expect(stderr).toBe('');
	});

	it('is no crash for whoever reads only the first line', async () => {
		const home = emptyDirectory();
		const { stdout, stderr } = await execa(
			'sh',
			['-c', '{ "$0" "$@"; echo "ended $?" >&2; } | head -n 1', process.execPath, entry, 'check', '--format', 'json'],
			{ env: plainEnvironment(home), extendEnv: false, stdin: 'ignore', cwd: home },
		);
		expect(eventsOf(stdout)).toMatchObject([{ type: 'run.start' }]);
		expect(stderr).toMatch(/^ended [0345]$/);
	});
});

describe('a host without Docker, systemd or sudo', () => {
	it('is reported, not stumbled over', async () => {
		const { exit, stdout, stderr } = await run(['check', '--format', 'json'], { env: { PATH: '/nowhere' } });
		expect(exit).toBe(3);
		const findings = eventsOf(stdout).flatMap(event => (event.type === 'findings' ? event.findings : []));
		expect(findings).toContainEqual(
			expect.objectContaining({ severity: 'block', id: expect.stringMatching(/^docker\./) }),
		);
		expect(stderr).toBe('');
	});
});
