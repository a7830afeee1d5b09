import { exitCode } from '../model/exit.ts';
import { actionsToRevert, leftByRevert } from '../model/state.ts';
import { CannotGoOn, WrongInput } from '../model/wrong-input.ts';
import { revertStep } from '../revert/revert-step.ts';
import type { Environment } from '../session/environment.ts';
import { openDirectory, openRun, otherWorld } from '../session/open-run.ts';
import { keptBytes } from '../session/run-log-files.ts';
import type { StateDirectory } from '../session/state-directory.ts';
import { lineOf } from '../text/safe.ts';
import type { CommonOptions } from './args.ts';
import { readPassedFile } from './passed-file.ts';
import { readPassed, reasonOf } from './preflight.ts';
import { executeRun } from './run.ts';
import {
	lastStandingRun,
	laterOnTheSame,
	namesRecord,
	refuseUnread,
	revertedRuns,
	runNamed,
	stateOf,
} from './standing-run.ts';
import type { StopSignals } from './stop-signals.ts';
import type { Terminal } from './terminal.ts';

export interface RevertRequest {
	readonly options: CommonOptions;
	/**
	 * The run to revert, by its name or the beginning of it, or by its record. A record names a run, and nothing else in it
	 * is used: what is restored comes from this host's own log.
	 */
	readonly named?: string | undefined;
	readonly environment: Environment;
	readonly terminal: Terminal;
	readonly stop: StopSignals;
	readonly typed: readonly string[];
}

/** Reverts a run: the one that is named, else the last one that changed the host and still stands. */
export async function revert(request: RevertRequest): Promise<number> {
	const { environment, terminal, options } = request;
	const nothing = (why: string): number => {
		// Without a run there are no events, and stdout is theirs alone.
		terminal[options.format === 'json' ? 'err' : 'out'](lineOf(`There is nothing to revert: ${why}`));
		return exitCode.done;
	};
	const passed = await readPassed({
		acceptRisk: options.acceptRisk,
		answers: options.answers,
	});
	const directory = await openDirectory(environment.stateDirectory, true, environment.simulated);
	const named = request.named === undefined ? undefined : await runMeant(directory, request.named, environment.command);
	const standing = named ?? (await lastStandingRun(directory))?.start?.run;
	await refuseUnread(directory, standing);
	const opened = await openRun(environment, {
		mode: 'revert',
		fresh: options.fresh,
		reverts: named,
	});
	try {
		// A revert that was killed goes on with the run that it had begun to revert.
		const begun = opened.events.find(event => event.type === 'run.start');
		const resumed = begun?.type === 'run.start' ? begun.reverts : undefined;
		const run = named ?? resumed ?? standing;
		if (run === undefined) return nothing('no run on this host changed anything that still stands.');
		if (named !== undefined && (await revertedRuns(directory)).has(named))
			return nothing(`run ${named} was reverted before.`);
		const original = await stateOf(directory, run);
		if (original.start?.simulated !== environment.simulated)
			throw otherWorld(environment.stateDirectory, original.start?.simulated === true);
		if (original.start?.mode === 'revert')
			throw new WrongInput(`run ${run} is itself a revert; start a run to set the host up again.`);
		const later = named === undefined ? undefined : (await laterOnTheSame(directory, original))?.start?.run;
		if (later !== undefined)
			throw new CannotGoOn(`run ${later} is newer than ${run} and changed the same things.`, exitCode.blocked, [
				`revert the newer one first    ${environment.command} revert ${later}`,
			]);
		if (named !== undefined && resumed === undefined && actionsToRevert(original).length === 0)
			return nothing(`run ${named} changed nothing on this host.`);
		// A revert that was stopped half way finds what the run had left among its own backups.
		const step = revertStep(
			original,
			async sha256 => (await keptBytes(directory, run, sha256)) ?? (await opened.log.kept(sha256)),
		);
		const { record } = original;
		const stays = [
			...leftByRevert(original),
			...(record === undefined ? [] : [`${record.path} (the record of the run)`]),
		];
		const exit = await executeRun({
			mode: 'revert',
			steps: [step],
			selection: {},
			options,
			passed,
			strict: false,
			environment,
			terminal,
			stop: request.stop,
			typed: request.typed,
			opened,
			reverts: run,
			reverted: original,
			takesBack: { run: original, stays },
		});
		if (exit === exitCode.done && options.format === 'text') {
			for (const left of stays) terminal.out(lineOf(`  stays  ${left}`));
		}
		return exit;
	} finally {
		await opened.close();
	}
}

async function runMeant(directory: StateDirectory, word: string, command: string): Promise<string> {
	return (await namesRecord(word)) ? runOfRecord(word, command) : (await runNamed(directory, word)).run;
}

/** Records are for people; a megabyte is far more than one ever has. */
const maxRecordBytes = 16 * 1024 * 1024;

async function runOfRecord(path: string, command: string): Promise<string> {
	let text: string;
	try {
		const bytes = await readPassedFile(path, maxRecordBytes);
		if (bytes === undefined) throw new WrongInput(`${path} has more than ${maxRecordBytes} bytes; that is no record.`);
		text = bytes.toString('utf8');
	} catch (error) {
		if (error instanceof WrongInput) throw error;
		throw new WrongInput(`the record ${path} cannot be read: ${reasonOf(error)}`);
	}
	// The data stands last, so that nothing the host said before it is taken for it; records of 0.2 and before begin with it.
	const at = text.startsWith('---\n') ? 0 : text.lastIndexOf('\nsysbox-setup-record: ');
	const data = at < 0 ? '' : text.slice(at);
	const run = /^\s*"?run"?:\s*"?([A-Za-z0-9][A-Za-z0-9._-]*)"?,?$/m.exec(data)?.[1];
	if (run === undefined)
		throw new WrongInput(`${path} is not a record of sysbox-setup: it names no run.`, [
			`without a name, the last run that changed the host is reverted: ${command} revert`,
			`runs are listed by: ${command} status`,
		]);
	return run;
}
