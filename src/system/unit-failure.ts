import type { ReadHost } from '../port/host.ts';
import { excerpt } from './reading.ts';
import type { UnitState } from './systemd-show.ts';
import { inspectUnits } from './systemd-units.ts';

/** In the order of cause and effect: the daemons before the unit that depends on them. */
export const sysboxUnits = ['sysbox-mgr.service', 'sysbox-fs.service', 'sysbox.service'] as const;
export const dockerUnit = 'docker.service';
export const dockerUnits = [dockerUnit, 'containerd.service'] as const;

/** `time="…" level=error msg="…" error="…"` → the message and its error, without escapes. Other lines as they are. */
export function messageOf(line: string): string {
	const logged = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line);
	const message = logged?.[1]?.replace(/\\(["\\])/g, '$1') ?? /\bmsg=(\S+)/.exec(line)?.[1] ?? line;
	const error = /\berror="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replace(/\\(["\\])/g, '$1');
	return error === undefined ? message : `${message}: ${error}`;
}

/** What a unit wrote to the journal since then and in this boot, newest last. Empty where it may not be read. */
export async function unitJournal(
	host: ReadHost,
	unit: string,
	since: Date | undefined,
	signal: AbortSignal,
): Promise<readonly string[]> {
	const from = since === undefined ? [] : [`--since=@${Math.floor(since.getTime() / 1000)}`];
	const result = await host.exec(
		['journalctl', '-u', unit, '-b', ...from, '-n', '200', '--no-pager', '-q', '-o', 'cat'],
		{ timeoutMs: 10_000, signal },
	);
	return result.code === 0 ? result.stdout.split('\n').filter(line => line.trim() !== '') : [];
}

/** Kinds of lines that name a cause, the most certain first. */
const causes: readonly RegExp[] = [
	/\blevel=fatal\b/,
	/failed to start daemon|unable to configure the Docker daemon|unknown flag/i,
	/Failed at step \w+ spawning/,
	/\blevel=(error|panic)\b|^panic:|^fatal error:/,
];

/** The line that tells why a unit failed: its fatal one, else the last error. Undefined: none does. */
export function fatalLine(lines: readonly string[]): string | undefined {
	for (const cause of causes) {
		const found = lines.findLast(line => cause.test(line));
		if (found !== undefined) return excerpt(messageOf(found).replace(/^\S+\.service: /, ''), 400);
	}
	return undefined;
}

const hasFailed = (unit: UnitState): boolean =>
	unit.activeState === 'failed' || (unit.loadState === 'loaded' && unit.result !== '' && unit.result !== 'success');

/** `sysbox-fs did not become ready in time`, where its journal names no cause. */
function resultWords({ result, properties }: UnitState): string {
	switch (result) {
		case 'timeout':
			return 'was not ready in time (start operation timed out)';
		case 'signal':
		case 'core-dump':
			return `was killed (signal ${properties['ExecMainStatus'] ?? 'unknown'})`;
		case 'start-limit-hit':
			return 'was started too often in a short time (start-limit-hit)';
		default:
			return `failed (${result})`;
	}
}

/**
 * Why a start, restart or reload did not work, in the words of the unit that failed: which of these units failed, as
 * systemd knows it, and then the fatal line of its journal since `since`. For {@link sysboxUnits} and
 * {@link dockerUnits}; made to be an action's `explain`. Undefined where no unit failed or nothing can be read.
 *
 * systemctl itself says no more than "A dependency job for sysbox.service failed" (seen with Sysbox 0.7.0).
 */
export async function whyUnitsFailed(
	host: ReadHost,
	units: readonly string[],
	since: Date,
	signal: AbortSignal,
): Promise<string | undefined> {
	const answer = await inspectUnits(host, units, signal);
	if (answer.kind !== 'ok') return undefined;
	const failed = answer.units.filter(hasFailed);
	const told: string[] = [];
	for (const unit of failed) {
		const line = fatalLine(await unitJournal(host, unit.id, since, signal));
		// The cause of a start limit lies before the last attempt.
		const earlier = unit.result === 'start-limit-hit' && line === undefined;
		const cause = earlier ? fatalLine(await unitJournal(host, unit.id, undefined, signal)) : line;
		const name = unit.id.replace(/\.service$/, '');
		if (cause !== undefined) told.push(`${name}: ${cause}`);
		else told.push(`${name} ${resultWords(unit)}`);
	}
	return told.length === 0 ? undefined : told.join('; ');
}
