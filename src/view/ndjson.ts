import type { EventReader } from '../model/event-stream.ts';
import { lineOf, type SafeText, safeJson } from '../text/safe.ts';

/** `--format json`: one event a line on stdout, and nothing else there. Safe to look at too. */
export function ndjsonReader(write: (text: SafeText) => void): EventReader {
	return event => write(lineOf(safeJson(event)));
}
