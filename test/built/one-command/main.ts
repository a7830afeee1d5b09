/**
 * The program with a runbook of one step that runs one command on this machine: for what the simulated host has not,
 * a process of its own, thousands of lines, minutes of work. Everything but the step is the product.
 */

import { executeRun } from '../../../src/cli/run.ts';
import { stopSignals } from '../../../src/cli/stop-signals.ts';
import { processTerminal } from '../../../src/cli/terminal.ts';
import { localHost } from '../../../src/host/local/local-host.ts';
import { knowledge } from '../../../src/knowledge/index.ts';
import { changeStep } from '../../../src/model/step.ts';
import type { Environment } from '../../../src/session/environment.ts';
import { openRun } from '../../../src/session/open-run.ts';
import type { OneCommand } from './bundle.ts';

const { argv, uninterruptible, stateDirectory, plain }: OneCommand = JSON.parse(process.env['ONE_COMMAND'] ?? '{}');

/** Looks whether this process ran it already: then there is nothing to do any more. */
let done = false;
const step = changeStep<undefined>({
	id: 'command',
	title: 'One command',
	why: 'Runs one command on this machine.',
	needs: [],
	inspect: async () => undefined,
	judge: () => [],
	plan: () => {
		if (done) return { actions: [] };
		done = true;
		return {
			actions: [
				{
					kind: 'exec',
					id: 'run',
					title: 'Run the command',
					why: 'it is what this step is for',
					argv,
					timeoutMs: 300_000,
					undo: { kind: 'none', why: 'it changes nothing' },
					...(uninterruptible === true && { uninterruptible }),
				},
			],
		};
	},
});

const terminal = processTerminal();
const stop = stopSignals(terminal.err);
const environment: Environment = {
	host: localHost(),
	simulated: false,
	knowledge,
	stateDirectory,
	hostDirectory: stateDirectory,
	workingDirectory: process.cwd(),
	command: 'sysbox-setup',
	version: '0.0.0',
	machine: '',
	sweep: async () => [],
	pause: async () => undefined,
	elapsed: () => performance.now(),
	now: () => new Date(),
};
try {
	const opened = await openRun(environment, { mode: 'run', fresh: false });
	try {
		process.exitCode = await executeRun({
			mode: 'run',
			steps: [step],
			selection: {},
			options: {
				yes: false,
				plain: plain === true,
				acceptRisk: [],
				imageArchive: [],
				format: 'text',
				fresh: false,
				noColor: false,
			},
			passed: { answers: {}, risks: [], waivers: [] },
			strict: false,
			environment,
			terminal,
			stop,
			typed: [],
			opened,
		});
	} finally {
		await opened.close();
	}
} finally {
	stop.release();
	terminal.close();
}
