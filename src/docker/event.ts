import * as z from 'zod';
import { type Reading, read, readJson } from '../system/reading.ts';

/** What the daemon says of itself when it has reloaded its file. */
export interface Reloaded {
	/** Names with what they stand for, in the words of that version: `sysbox-runc:{…}`. */
	readonly runtimes: string;
	readonly defaultRuntime: string;
}

const schema = z.object({
	Action: z.literal('reload'),
	Actor: z.object({ Attributes: z.record(z.string(), z.string()) }),
});

/** One line of `docker events --format '{{json .}}'` about a reload. */
export function parseReloadEvent(text: unknown): Reading<Reloaded> {
	const json = readJson(text, schema, 'docker events');
	if (json.kind !== 'ok') return json;
	const { Attributes } = json.value.Actor;
	return read({ runtimes: Attributes['runtimes'] ?? '', defaultRuntime: Attributes['default-runtime'] ?? '' });
}
