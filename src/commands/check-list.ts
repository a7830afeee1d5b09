import { checkIds } from '../../steps/host/check-ids.ts';
import { exitCode } from '../core/exit.ts';
import type { Terminal } from './terminal.ts';

/** `check --list`: the public ids, one a line, with what each looks at. */
export function checkList(terminal: Terminal): number {
	for (const { id, about } of checkIds) terminal.out(`${id.padEnd(28)} ${about}\n`);
	return exitCode.done;
}
