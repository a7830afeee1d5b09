import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Session } from './support-terminal.ts';

/** Runs the program in a shell, which then says how it ended and in which modes it left the terminal. */
export const saysHowItLeft = (program: string): string =>
	`${program}; echo "code $?"; stty -a | tr ';' '\\n' | grep -ow -- '-\\?icanon\\|-\\?echo\\|-\\?isig' | tr '\\n' ' '; echo its end`;

/** The exit code that such a shell has printed; the terminal is as a shell wants it. */
export async function leftInOrder(session: Session): Promise<number> {
	await session.until(/^code \d+[\s\S]*its end/m);
	const said = /^code (\d+)\n([\s\S]*?)its end/m.exec(session.screen());
	expect(said?.[2]?.trim().split(/\s+/).sort(), session.screen()).toEqual(['echo', 'icanon', 'isig']);
	expectCursorAndPaste(session.raw().slice(0, session.raw().lastIndexOf('its end')));
	return Number(said?.[1]);
}

/** The cursor is seen and a paste is not bracketed, whatever was switched before. */
export function expectCursorAndPaste(raw: string): void {
	expect(raw.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(raw.lastIndexOf('\u001b[?25l'));
	expect(raw.lastIndexOf('\u001b[?2004l')).toBeGreaterThanOrEqual(raw.lastIndexOf('\u001b[?2004h'));
}

/** What must hold of all that a session wrote. */
export function expectSoundDrawing(session: Session, rows = 24): void {
	const raw = session.raw();
	// That would wipe what stood in the scrollback before we came.
	expect(raw).not.toContain('\u001b[3J');
	expect(raw).not.toMatch(/unique "key"|Warning: |act\(/);
	expect(session.tallest()).toBeLessThanOrEqual(rows - 1);
}

/** The program below the shell. */
export function programBelow(session: Session): number {
	const children = readFileSync(`/proc/${session.pid}/task/${session.pid}/children`, 'utf8').trim().split(' ');
	return Number(children[0]);
}

export const has = (program: string): boolean => {
	try {
		execFileSync('sh', ['-c', `command -v ${program}`]);
		return true;
	} catch {
		return false;
	}
};
