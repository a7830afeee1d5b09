import * as z from 'zod';
import { type Event, eventPayloadSchema, eventSchema, eventVersion } from '../model/event.ts';
import { fieldsOfToday } from './fields-of-today.ts';
import type { LogProblem } from './run-log.ts';

export type LinesRead =
	| {
			readonly kind: 'events';
			readonly events: readonly Event[];
			/** How far whole lines reach. */
			readonly goodBytes: number;
			/** True when a line without an end, or one that is no JSON, follows them: what a power cut leaves. */
			readonly torn: boolean;
	  }
	| Omit<Extract<LogProblem, { kind: 'corrupt' }>, 'file'>
	| Omit<Extract<LogProblem, { kind: 'newer' }>, 'file'>;

/** What every line of every version has, so that a newer tool's log is told from a broken one. */
const anyVersion = z.looseObject({ v: z.number(), type: z.string(), tool: z.string().optional() });

const knownTypes: ReadonlySet<string> = new Set(
	eventPayloadSchema.options.flatMap(option => [...option.shape.type.values]),
);

/**
 * Reads a log. Only its last line may be torn: what was acknowledged ends with a line end and is on disk. Any other bad
 * line makes the log corrupt, as a hole in it would hide a change from revert.
 */
export function readLogLines(bytes: Uint8Array): LinesRead {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const events: Event[] = [];
	const complete = fieldsOfToday();
	let start = 0;
	let line = 0;
	let tool: string | undefined;
	while (start < buffer.length) {
		line += 1;
		const end = buffer.indexOf(0x0a, start);
		if (end < 0) return { kind: 'events', events, goodBytes: start, torn: true };
		const json = parse(buffer.toString('utf8', start, end));
		if (json === undefined) {
			if (end === buffer.length - 1) return { kind: 'events', events, goodBytes: start, torn: true };
			return { kind: 'corrupt', line, what: 'this line is not JSON' };
		}
		const shape = anyVersion.safeParse(json.value);
		if (!shape.success) return { kind: 'corrupt', line, what: 'this line is not an event' };
		tool = shape.data.tool ?? tool;
		// Within a version, events may be added: a type that we do not know is a newer tool's, too.
		if (shape.data.v > eventVersion || (shape.data.v === eventVersion && !knownTypes.has(shape.data.type))) {
			return { kind: 'newer', version: tool ?? `event format ${shape.data.v}` };
		}
		const event = eventSchema.safeParse(json.value);
		if (!event.success) {
			const issue = event.error.issues[0];
			return {
				kind: 'corrupt',
				line,
				what: `this ${shape.data.type} event is not one${issue === undefined ? '' : `: ${[...issue.path, issue.message].map(String).join(' ')}`}`,
			};
		}
		const before = events.at(-1);
		if (before !== undefined && event.data.seq <= before.seq)
			return { kind: 'corrupt', line, what: `event ${event.data.seq} stands after event ${before.seq}` };
		events.push(complete(event.data));
		start = end + 1;
	}
	return { kind: 'events', events, goodBytes: start, torn: false };
}

function parse(text: string): { readonly value: unknown } | undefined {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return undefined;
	}
}
