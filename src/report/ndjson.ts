import type { EventReader } from '../core/event-stream.ts';

/** `--format json`: one event a line on stdout, and nothing else there. */
export function ndjsonReader(write: (text: string) => void): EventReader {
	return event => write(`${JSON.stringify(event)}\n`);
}
