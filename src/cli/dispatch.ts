import { steps } from '../../steps/index.ts';
import { proofNames } from '../../steps/step-names.ts';
import { exitCode } from '../model/exit.ts';
import type { RunState } from '../model/state.ts';
import { WrongInput } from '../model/wrong-input.ts';
import type { Environment } from '../session/environment.ts';
import { openDirectory, openRun } from '../session/open-run.ts';
import { lineOf } from '../text/safe.ts';
import { shellLine } from '../text/shell-line.ts';
import type { CommonOptions, Invocation } from './args.ts';
import { checkList } from './check-list.ts';
import { commandFor, realSurroundings, scenarioNamed, simulatedSurroundings } from './machine.ts';
import { readHeldTo } from './plan-file.ts';
import { readPassed } from './preflight.ts';
import { revert } from './revert.ts';
import { startAgainAsRoot } from './root.ts';
import { executeRun } from './run.ts';
import { lastAnswers, lastStandingRun } from './standing-run.ts';
import { status } from './status.ts';
import type { StopSignals } from './stop-signals.ts';
import type { Terminal } from './terminal.ts';

declare const __VERSION__: string;

/** Does one command, and returns its exit code. Rejects with what only the operator can put right, and with defects. */
export async function dispatch(
	invocation: Invocation,
	typed: readonly string[],
	terminal: Terminal,
	stop: StopSignals,
): Promise<number> {
	const { options } = invocation;
	const changes = invocation.command === 'run' || invocation.command === 'test' || invocation.command === 'revert';
	if (options.demo !== undefined) await scenarioNamed(options.demo);
	// What an interrupted proof left is ours, and is removed without a question.
	const asks = changes && !(invocation.command === 'test' && invocation.clean);
	if (asks && !options.yes && !terminal.interactive)
		throw refuseWithoutTerminal(commandFor(options, __VERSION__), typed, options.demo !== undefined);
	if (invocation.command === 'check' && invocation.list) return checkList(terminal);
	const environment =
		options.demo === undefined
			? await realSurroundings(options, __VERSION__)
			: await simulatedSurroundings(options, __VERSION__);
	if (changes && !environment.simulated && environment.host.identity.uid !== 0) {
		const own = { node: process.execPath, entry: process.argv[1] ?? 'sysbox-setup' };
		const exit = await startAgainAsRoot(own, typed, terminal);
		// Ctrl+C at the password: sudo itself ends 1 then.
		return stop.exit() ?? exit;
	}
	switch (invocation.command) {
		case 'run':
			return runbook(invocation.options, typed, environment, terminal, stop, { plan: invocation.plan });
		case 'test': {
			const chosen = invocation.proofs.length === 0 ? proofNames : invocation.proofs;
			return runbook({ ...options, only: chosen }, typed, environment, terminal, stop, {
				mode: 'test',
				clean: invocation.clean,
			});
		}
		case 'check':
		case 'plan':
			return executeRun({
				mode: invocation.command,
				steps,
				selection: selectionOf(options),
				options,
				passed: await readPassed({
					acceptRisk: options.acceptRisk,
					answers: options.answers,
					ignore: invocation.command === 'check' ? invocation.ignore : undefined,
				}),
				strict: invocation.command === 'check' && invocation.strict,
				lastAnswers: await lastAnswers(environment),
				want: invocation.command === 'check' ? invocation.want : undefined,
				environment,
				terminal,
				stop,
				typed,
				out: invocation.command === 'plan' && invocation.out !== undefined ? invocation.out : undefined,
			});
		case 'revert':
			return revert({
				options,
				named: invocation.named,
				environment,
				terminal,
				stop,
				typed,
			});
		case 'status':
			return status(environment, terminal, invocation.run);
		default:
			return invocation satisfies never;
	}
}

const selectionOf = (options: CommonOptions) => ({
	only: options.only,
	skip: options.skip,
	from: options.from,
});

interface RunbookHow {
	readonly mode?: 'run' | 'test' | undefined;
	/** Only removes what an interrupted proof left. */
	readonly clean?: boolean | undefined;
	/** The saved plan that the run is held to. */
	readonly plan?: string | undefined;
}

async function runbook(
	options: CommonOptions,
	typed: readonly string[],
	environment: Environment,
	terminal: Terminal,
	stop: StopSignals,
	{ mode = 'run', clean = false, plan }: RunbookHow,
): Promise<number> {
	const held = plan === undefined ? undefined : await readHeldTo(plan, environment.command);
	const passed = await readPassed({
		acceptRisk: options.acceptRisk,
		answers: options.answers,
	});
	const opened = await openRun(environment, { mode, fresh: options.fresh });
	const standing = mode === 'run' && opened.events.length === 0 ? await standingRun(environment) : undefined;
	let undo = false;
	let exit: number;
	try {
		if (clean) {
			const { removeLeftovers } = await import('../probe/leftovers.ts');
			const { removed, left } = await removeLeftovers(environment.host, { stateDirectory: environment.hostDirectory });
			for (const name of removed) terminal.out(lineOf(`removed ${name}`));
			for (const name of left) terminal.err(lineOf(`could not be removed: ${name}`));
			if (removed.length + left.length === 0) terminal.err(lineOf('no proof left anything here'));
			return left.length === 0 ? exitCode.done : exitCode.failed;
		}
		exit = await executeRun({
			mode,
			steps,
			selection: selectionOf(options),
			options,
			passed,
			strict: false,
			lastAnswers: await lastAnswers(environment),
			environment,
			terminal,
			stop,
			typed,
			opened,
			onUndo: () => {
				undo = true;
			},
			held,
			standing,
		});
	} finally {
		await opened.close();
	}
	return undo ? undoNow(options, environment, terminal, stop) : exit;
}

/** What an earlier run has set up here. Only told: `revert` itself says what is wrong with a log that cannot be read. */
async function standingRun({ stateDirectory, simulated }: Environment): Promise<RunState | undefined> {
	try {
		const directory = await openDirectory(stateDirectory, true, simulated);
		const state = await lastStandingRun(directory);
		return state?.start?.simulated === simulated ? state : undefined;
	} catch {
		return undefined;
	}
}

/** As if `revert` had been typed now: nothing that was accepted or answered for the run counts for its way back. */
function undoNow(
	options: CommonOptions,
	environment: Environment,
	terminal: Terminal,
	stop: StopSignals,
): Promise<number> {
	const { answers: _, ...kept } = options;
	const typed = [
		...(options.demo === undefined ? [] : [`--demo=${options.demo}`]),
		...(options.sessionDir === undefined ? [] : ['--session-dir', options.sessionDir]),
		'revert',
	];
	return revert({ options: { ...kept, acceptRisk: [], fresh: false }, environment, terminal, stop, typed });
}

/** Nobody can answer: neither a terminal nor --yes. Refused at once, with the ways to go on. */
function refuseWithoutTerminal(command: string, typed: readonly string[], simulated: boolean): WrongInput {
	const [program = ''] = command.split(' --');
	return new WrongInput('this is not a terminal, and nobody can answer questions.', [
		`look only               ${command} check`,
		`see what would change   ${command} plan`,
		`the same, unattended    ${program} ${shellLine([...typed, '--yes'])}`,
		`run with answers        ${command} --yes --answers answers.yml`,
		...(simulated ? [] : [`a simulated host        ${program} --demo --yes`]),
	]);
}
