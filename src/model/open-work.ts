import * as z from 'zod';
import type { DataOf } from './data.ts';

/** Something that a run leaves to be done. */
export const openWorkSchema = z.object({
	/** The step that leaves it; without `what`, the step itself is left. */
	step: z.string(),
	/** The finding that stands until it is done. */
	finding: z.string().optional(),
	what: z.string().optional(),
});
export type OpenWork = DataOf<typeof openWorkSchema>;

/** As one line, which begins with the id of the finding or the step: "host: reboot". */
export const sayWork = ({ step, finding, what }: OpenWork): string =>
	what === undefined ? step : `${finding ?? step}: ${what}`;
