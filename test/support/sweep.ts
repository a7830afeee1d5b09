/** How much of what can be swept is swept: KILL_SWEEP=all for all of it, =N for one of N; unset for a short run. */
const asked = process.env['KILL_SWEEP'];
const oneOf = asked === 'all' ? 1 : Number(asked ?? Number.NaN);
if (asked !== undefined && !(Number.isInteger(oneOf) && oneOf > 0))
	throw new Error(`KILL_SWEEP is "all" or a number from 1 on, not "${asked}"`);

/** Whether more is asked for than a short run takes. */
export const sweepsMore = asked !== undefined;

/** Every how many of them one is taken; `short` in a short run. */
export const sweptOneOf = (short: number): number => (sweepsMore ? oneOf : short);
