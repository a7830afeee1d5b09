import { type StepName, stepNames } from '../../steps/step-names.ts';
import type { Session } from './support-terminal.ts';

/** A screen that waits for an answer, known by a few of its words, and the keys that answer it. */
export interface Stop {
	readonly shows: string | RegExp;
	readonly keys: string;
}

export const enter = '\r';
export const ctrlC = '\u0003';
export const ctrlZ = '\u001a';
export const escapeKey = '\u001b';

/**
 * The stops of a whole run that Enter does not lead past as a test wants it: most tests are about the screens of single
 * steps. Every other screen that waits is answered with Enter, as somebody does who takes what is offered; a new screen
 * needs no line here.
 */
const stepByStep: readonly Stop[] = [
	{ shows: /[❯>] Continue/, keys: '\u001b[B\r' },
	{ shows: /[❯>] (?:Apply|Start).* Step by step/, keys: '\u001b[C\r' },
];

/** What is offered is taken for the whole run at once. */
export const allAtOnce: readonly Stop[] = stepByStep.map(({ shows }) => ({ shows, keys: enter }));

/** More screens than a run has. */
const mostScreens = 80;

/** A screen waits when its keys, the last line or two, name Enter. */
export const waits = (screen: string): boolean => /\benter\b/.test(screen.trimEnd().split('\n').slice(-2).join(' '));

const shows = (screen: string, words: string | RegExp): boolean =>
	typeof words === 'string' ? screen.includes(words) : words.test(screen);

/**
 * Answers whatever screen comes, until the one that is wanted waits, or until the program has ended. Returns the screens
 * that it answered, in order.
 */
export async function executeRun(
	session: Session,
	options: {
		/** Stops there, and leaves it unanswered. Without it: to the end of the program. */
		readonly to?: string | RegExp;
		/** Asked before the table. */
		readonly stops?: readonly Stop[];
		/** How a screen that waits is known, where it is not by its key line. */
		readonly waits?: (screen: string) => boolean;
	} = {},
): Promise<readonly string[]> {
	const { to, stops = [], waits: waiting = waits } = options;
	const seen: string[] = [];
	for (;;) {
		const before = seen.at(-1);
		await session.until(screen => (screen !== before && waiting(screen)) || session.over());
		if (session.over()) {
			if (to === undefined || shows(session.screen(), to)) return seen;
			throw new Error(`it ended before it showed ${to}:\n${session.screen()}`);
		}
		const screen = session.screen();
		if (to !== undefined && shows(screen, to)) return seen;
		if (seen.length === mostScreens) throw new Error(`no end after ${mostScreens} screens; the last:\n${screen}`);
		seen.push(screen);
		session.type([...stops, ...stepByStep].find(stop => shows(screen, stop.shows))?.keys ?? enter);
	}
}

/** How the wizard counts a step: "2 of 8". */
export const placeOf = (step: StepName): string => `${stepNames.indexOf(step) + 1} of ${stepNames.length}`;
