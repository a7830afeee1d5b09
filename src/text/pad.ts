import stringWidth from 'string-width';
import type { SafeText } from './safe.ts';

/** The text and spaces, up to a column counted as a terminal shows it: wide characters take two, combining ones none. */
export const padTo = (text: SafeText, width: number): SafeText =>
	`${text}${' '.repeat(Math.max(0, width - stringWidth(text)))}` as SafeText;
