import * as z from 'zod';
import { eventSchema } from '../model/event.ts';
import { answersFileSchema } from '../prompts/answers-file.ts';
import { savedPlanSchema } from '../saved-plan/saved-plan.ts';
import { sessionFileSchema } from '../session/session.ts';

/** Files that other programs read or write, each with the schema that this one reads it by. */
const schemas = {
	event: [eventSchema, 'A line of sysbox-setup --format json, or of the log of a run'],
	plan: [savedPlanSchema, 'A plan that sysbox-setup plan --out saved'],
	answers: [answersFileSchema, 'An answers file of sysbox-setup'],
	session: [sessionFileSchema, 'session.json in the state directory of sysbox-setup'],
} as const;

/**
 * The JSON Schemas of the package, by file name: `event.json`. A build writes them to `dist/schemas`. As input, since a
 * reader has to let later versions add fields.
 */
export const jsonSchemas = (): Readonly<Record<string, object>> =>
	Object.fromEntries(
		Object.entries(schemas).map(([name, [schema, title]]) => {
			const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
			return [`${name}.json`, { $schema, title, ...rest }];
		}),
	);
