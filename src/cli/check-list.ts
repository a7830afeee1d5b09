import { findingIds } from '../../steps/finding-ids.ts';
import { exitCode } from '../model/exit.ts';
import { lineOf } from '../text/safe.ts';
import type { Terminal } from './terminal.ts';

/** `check --list`: the ids of all findings, one a line, with what each is about. */
export function checkList(terminal: Terminal): number {
	for (const { id, about } of findingIds) terminal.out(lineOf(`${id.padEnd(34)} ${about}`));
	return exitCode.done;
}
