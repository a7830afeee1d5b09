import type { ExecResult } from '../port/host.ts';
import { redactLines } from '../text/redact.ts';

/** What a command that failed said last, or how it ended. */
export function sayExec(program: string, result: ExecResult): string {
	const words = [result.stderr, result.stdout].map(text => text.trim()).find(text => text !== '') ?? '';
	// Before it is cut: the first line of a key tells what the others are.
	const tail = redactLines(words).slice(-6).join('\n');
	switch (result.problem) {
		case 'missing':
			return `${program}: command not found`;
		case 'denied':
			return `${program}: permission denied`;
		case 'timeout':
			return `${program} had not ended after ${Math.round(result.elapsedMs / 1000)} s and was stopped${tail === '' ? '' : `; it last said: ${tail}`}`;
		case 'too-much-output':
			return `${program} printed without end and was stopped`;
		case 'cancelled':
		case 'signalled':
		case undefined:
			return tail === '' ? `${program} ended with code ${result.code ?? 'none (killed)'}` : tail;
		default:
			return result.problem satisfies never;
	}
}
