import { steps } from '../steps/index.ts';
import { type CommonOptions, type Invocation, parseArgs } from './args.ts';
import { checkList } from './commands/check-list.ts';
import { realSurroundings, simulatedSurroundings } from './commands/machine.ts';
import { readHeldTo } from './commands/plan-file.ts';
import { readPassed } from './commands/preflight.ts';
import { revert } from './commands/revert.ts';
import { startAgainAsRoot } from './commands/root.ts';
import { status } from './commands/status.ts';
import { type StopSignals, stopSignals } from './commands/stop-signals.ts';
import type { Surroundings } from './commands/surroundings.ts';
import { processTerminal, type Terminal } from './commands/terminal.ts';
import { refuseWithoutTerminal, walk } from './commands/walk.ts';
import { exitCode } from './core/exit.ts';
import { CannotGoOn, WrongInput } from './core/wrong-input.ts';
import { errnoOf } from './host/local/errno-text.ts';
import { openRun } from './state/open-run.ts';
import { LogWriteError } from './state/run-log-files.ts';

declare const __VERSION__: string;

const proofs = steps.filter(step => step.kind === 'proof').map(step => step.id);

/** The program: reads the command line, does one command, sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
	const terminal = processTerminal();
	const parsed = parseArgs(argv, {
		version: __VERSION__,
		steps: steps.map(step => step.id),
		proofs,
		out: terminal.out,
		err: terminal.err,
	});
	if (parsed.kind === 'answered') {
		process.exitCode = parsed.exit;
		return;
	}
	const stop = stopSignals(terminal.err);
	try {
		process.exitCode = await carryOut(parsed.invocation, argv, terminal, stop);
	} catch (error) {
		// Whatever draws gives the terminal back before anything is explained on it.
		terminal.close();
		process.exitCode = explain(error, terminal);
	} finally {
		stop.release();
		terminal.close();
	}
}

/** Says what went wrong, without a stack trace for anything that an operator can put right. */
function explain(error: unknown, terminal: Terminal): number {
	if (error instanceof WrongInput || error instanceof CannotGoOn) {
		terminal.err(`sysbox-setup: ${error.message}\n`);
		for (const line of error.next) terminal.err(`  ${line}\n`);
		return error instanceof WrongInput ? exitCode.wrongInput : error.exit;
	}
	if (error instanceof LogWriteError) {
		terminal.err(
			`sysbox-setup: ${error.message}. Without its log nothing could be taken back, so nothing more was done.\n  make room there, then start the same command again: it goes on where it was\n`,
		);
		return exitCode.failed;
	}
	// What the system refused (a full disk, a read-only one) has a cause outside, and its message names the path.
	if (error instanceof Error && /^E[A-Z0-9]+$/.test(errnoOf(error))) {
		terminal.err(`sysbox-setup: ${error.message}. Everything that was done is in the log; nothing more was done.\n`);
		return exitCode.failed;
	}
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	terminal.err(
		`sysbox-setup: this is a defect of sysbox-setup, not of your host. Everything that was done is in the log; nothing more was done.\n${text}\n`,
	);
	return exitCode.failed;
}

async function carryOut(
	invocation: Invocation,
	typed: readonly string[],
	terminal: Terminal,
	stop: StopSignals,
): Promise<number> {
	const { options } = invocation;
	const changes = invocation.command === 'run' || invocation.command === 'test' || invocation.command === 'revert';
	if (changes && !options.yes && !terminal.interactive) throw refuseWithoutTerminal('sysbox-setup');
	if (invocation.command === 'check' && invocation.list) return checkList(terminal);
	const surroundings =
		options.demo === undefined
			? await realSurroundings(options, __VERSION__)
			: await simulatedSurroundings(options, __VERSION__);
	if (changes && !surroundings.simulated && surroundings.host.identity.uid !== 0) {
		return startAgainAsRoot({ node: process.execPath, entry: process.argv[1] ?? 'sysbox-setup' }, typed, terminal);
	}
	switch (invocation.command) {
		case 'run':
			return runbook(invocation.options, typed, surroundings, terminal, stop, { plan: invocation.plan });
		case 'test': {
			const chosen = invocation.proofs.length === 0 ? proofs : invocation.proofs;
			return runbook({ ...options, only: chosen }, typed, surroundings, terminal, stop, {
				mode: 'test',
				clean: invocation.clean,
			});
		}
		case 'check':
		case 'plan':
			return walk({
				mode: invocation.command,
				steps,
				selection: selectionOf(options),
				options,
				passed: await readPassed({
					acceptRisk: options.acceptRisk,
					...(options.answers !== undefined && { answers: options.answers }),
					...(invocation.command === 'check' && { ignore: invocation.ignore }),
				}),
				strict: invocation.command === 'check' && invocation.strict,
				surroundings,
				terminal,
				stop,
				typed,
				...(invocation.command === 'plan' && invocation.out !== undefined && { out: invocation.out }),
			});
		case 'revert':
			return revert({
				options,
				...(invocation.record !== undefined && { record: invocation.record }),
				surroundings,
				terminal,
				stop,
				typed,
			});
		case 'status':
			return status(surroundings, terminal);
		default:
			return invocation satisfies never;
	}
}

const selectionOf = (options: CommonOptions) => ({
	...(options.only !== undefined && { only: options.only }),
	...(options.skip !== undefined && { skip: options.skip }),
	...(options.from !== undefined && { from: options.from }),
});

interface RunbookHow {
	readonly mode?: 'run' | 'test';
	/** Only removes what an interrupted proof left. */
	readonly clean?: boolean;
	/** The saved plan that the run is held to. */
	readonly plan?: string | undefined;
}

async function runbook(
	options: CommonOptions,
	typed: readonly string[],
	surroundings: Surroundings,
	terminal: Terminal,
	stop: StopSignals,
	{ mode = 'run', clean = false, plan }: RunbookHow,
): Promise<number> {
	const held = plan === undefined ? undefined : await readHeldTo(plan);
	const passed = await readPassed({
		acceptRisk: options.acceptRisk,
		...(options.answers !== undefined && { answers: options.answers }),
	});
	const opened = await openRun(surroundings, { mode, fresh: options.fresh });
	let undo = false;
	let exit: number;
	try {
		if (clean) {
			const { removeLeftovers } = await import('./probe/leftovers.ts');
			const { removed, left } = await removeLeftovers(surroundings.host, { stateFolder: surroundings.hostFolder });
			for (const name of removed) terminal.out(`removed ${name}\n`);
			for (const name of left) terminal.err(`could not be removed: ${name}\n`);
			return left.length === 0 ? exitCode.done : exitCode.failed;
		}
		exit = await walk({
			mode,
			steps,
			selection: selectionOf(options),
			options,
			passed,
			strict: false,
			surroundings,
			terminal,
			stop,
			typed,
			opened,
			onUndo: () => {
				undo = true;
			},
			...(held !== undefined && { held }),
		});
	} finally {
		await opened.close();
	}
	return undo ? undoNow(options, surroundings, terminal, stop) : exit;
}

/** As if `revert` had been typed now: nothing that was accepted or answered for the run counts for its way back. */
function undoNow(
	options: CommonOptions,
	surroundings: Surroundings,
	terminal: Terminal,
	stop: StopSignals,
): Promise<number> {
	const { answers: _, ...kept } = options;
	const typed = [
		...(options.demo === undefined ? [] : [`--demo=${options.demo}`]),
		...(options.sessionDir === undefined ? [] : ['--session-dir', options.sessionDir]),
		'revert',
	];
	return revert({ options: { ...kept, acceptRisk: [], fresh: false }, surroundings, terminal, stop, typed });
}
