import { exitCode } from '../core/exit.ts';
import { reduceAll } from '../core/state.ts';
import { glyphsFor } from '../report/glyphs.ts';
import { statusLines } from '../report/status.ts';
import { lockHolder } from '../state/lock.ts';
import { logTrouble, openFolder } from '../state/open-run.ts';
import { listRuns, readRunLog } from '../state/run-log-files.ts';
import { readFired } from '../switch/facts.ts';
import { describeFired } from '../switch/telling.ts';
import type { Surroundings } from './surroundings.ts';
import type { Terminal } from './terminal.ts';

/** Tells about the last run and who is at work now. Ends 0 when it could tell, whatever it had to tell. */
export async function status(surroundings: Surroundings, terminal: Terminal): Promise<number> {
	const folder = await openFolder(surroundings.stateFolder, false);
	const holder = await lockHolder(folder);
	if (holder !== undefined)
		terminal.out(
			`at work now: pid ${holder.pid}, started by ${holder.user} at ${holder.since}, at step ${holder.step}\n`,
		);
	const fired = await readFired(surroundings.host);
	if (fired !== undefined) terminal.out(`${describeFired(fired)}\n`);
	const newest = (await listRuns(folder)).toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))[0];
	if (newest === undefined) {
		terminal.out('no run was started here yet\n');
		return exitCode.done;
	}
	const log = await readRunLog(folder, newest.run);
	if (log.kind !== 'events') throw logTrouble(log);
	for (const line of statusLines(reduceAll(log.events), glyphsFor(terminal.environment), surroundings.command))
		terminal.out(`${line}\n`);
	return exitCode.done;
}
