import { exitCode } from '../model/exit.ts';
import { actionsToRevert } from '../model/state.ts';
import type { Environment } from '../session/environment.ts';
import { lockHolder } from '../session/lock.ts';
import { openDirectory } from '../session/open-run.ts';
import { listRuns } from '../session/run-log-files.ts';
import { unreadAdvice, unreadRuns, unreadSentence } from '../session/unread-runs.ts';
import { lineOf } from '../text/safe.ts';
import { glyphsFor } from '../view/glyphs.ts';
import { type ListedRun, runTable, statusLines } from '../view/status.ts';
import { readFired } from '../watchdog/facts.ts';
import { describeFired } from '../watchdog/findings.ts';
import { lastStandingRun, refuseUnread, revertedRuns, runNamed, stateOf } from './standing-run.ts';
import type { Terminal } from './terminal.ts';

/** As many runs as a screen has room for beside the last one. */
const mostListed = 20;

/**
 * Tells who is at work now, what the last run did (or the named one), and lists the runs. Ends 0 when it could tell,
 * whatever it had to tell, and 5 where a log cannot be read; rejects for a name that is no run's, or that of such a log.
 */
export async function status(environment: Environment, terminal: Terminal, named?: string): Promise<number> {
	const directory = await openDirectory(environment.stateDirectory, false, environment.simulated);
	const say = (line: string): void => terminal.out(lineOf(line));
	const asked = named === undefined ? undefined : await runNamed(directory, named);
	if (asked !== undefined) await refuseUnread(directory, asked.run, 'alone');
	const holder = await lockHolder(directory);
	const fired = await readFired(environment.host);
	if (asked === undefined) {
		if (holder !== undefined)
			say(`at work now: pid ${holder.pid}, started by ${holder.user} at ${holder.since}, at step ${holder.step}`);
		if (fired !== undefined) say(describeFired(fired));
	}
	const unread = await unreadRuns(directory);
	const runs = (await listRuns(directory)).filter(({ run }) => unread.every(of => of.run !== run));
	const sayUnread = (): number => {
		for (const of of unread)
			for (const line of ['', unreadSentence(of), ...unreadAdvice(of, directory.path)]) say(line);
		return unread.length === 0 ? exitCode.done : exitCode.undecided;
	};
	const shown = asked ?? runs[0];
	if (shown === undefined) {
		say(unread.length === 0 ? 'no run was started here yet' : 'no run on this host has a log that can be read');
		return sayUnread();
	}
	const reverted = await revertedRuns(directory);
	const next = (await lastStandingRun(directory))?.start?.run;
	const state = await stateOf(directory, shown.run);
	const { command } = environment;
	const canRevert = shown.mode !== 'revert' && !reverted.has(shown.run) && actionsToRevert(state).length > 0;
	const back = shown.run === next ? `${command} revert` : `${command} revert ${shown.run}`;
	for (const line of statusLines(state, glyphsFor(terminal.environment), command, canRevert ? back : undefined))
		say(line);
	if (asked !== undefined) return exitCode.done;

	const listed: ListedRun[] = [];
	for (const { run } of runs.slice(0, mostListed)) {
		const of = await stateOf(directory, run);
		// There is one lock, so that of the runs without an end only the newest can be the one at work.
		const atWork = holder !== undefined && of.end === undefined && listed.every(({ state }) => state.end !== undefined);
		listed.push({ state: of, reverted: reverted.has(run), atWork });
	}
	say('');
	say('Runs on this host, newest first:');
	for (const line of runTable(listed, next)) say(line);
	if (runs.length > mostListed) say(`and ${runs.length - mostListed} older runs in ${directory.runsDirectory}`);
	if (next !== undefined) say(`* \`${command} revert\` undoes this run; \`${command} revert RUN\` undoes another one.`);
	else if (unread.length === 0) say('No run changed anything that still stands.');
	return sayUnread();
}
