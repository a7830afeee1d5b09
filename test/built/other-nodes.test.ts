import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { endState, hostOf } from './end-state.ts';
import { emptyDirectory, entry, run } from './program.ts';
import { startInTerminal } from './support-terminal.ts';
import { executeRun } from './walk.ts';

/** Node programs of other versions than the one that runs the tests; `.ci/run` fetches them. */
const nodes = (process.env['SMOKE_NODES'] ?? '').split(':').filter(path => path !== '');

const versionOf = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

describe.each(nodes.map(node => [versionOf(node), node] as const))('on Node %s', (_version, node) => {
	it('tells its version', async () => {
		expect(execFileSync(node, [entry, '--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/);
	});

	it('looks at this host, without a warning of Node', async () => {
		const { exit, stdout, stderr } = await run(['check', '--format', 'json'], { node });
		// What it finds here is this machine's matter; that it comes to an end is not.
		expect([0, 3, 5], stderr).toContain(exit);
		expect(stdout).toContain('"type":"run.end"');
		expect(stderr).not.toMatch(/Warning/);
	});

	it('runs unattended to the record, and by the wizard to the same end', async () => {
		const directory = emptyDirectory();
		const { exit, stderr } = await run(['--demo', '--yes', '--session-dir', directory], { node });
		expect(exit, stderr).toBe(0);
		const session = startInTerminal({ node });
		await executeRun(session);
		expect(await session.ended).toBe(0);
		expect(session.raw()).not.toMatch(/Warning/);
		expect(endState(hostOf(session.directory))).toEqual(endState(hostOf(directory)));
	});
});

it.skipIf(nodes.length > 0)('is also tried on other versions of Node where SMOKE_NODES names some', () => {
	expect(nodes).toEqual([]);
});
