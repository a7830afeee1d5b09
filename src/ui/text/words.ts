/** The beginning of a sentence, or of a title. */
export const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** A step's reason is written to stand behind its title; alone it is a sentence. */
export const sentence = (text: string): string => `${capital(text)}${/[.!?]$/.test(text) ? '' : '.'}`;

export { count } from '../../text/count.ts';

/** `0:14`, `1:02:03`. */
export function elapsed(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const two = (n: number): string => String(n).padStart(2, '0');
	const hours = Math.floor(seconds / 3600);
	const minutes = Math.floor(seconds / 60) % 60;
	return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** "yesterday at 18:02", as a person tells it. */
export function whenTold(at: string, now: number): string {
	const then = new Date(at);
	const today = new Date(now);
	const time = `${String(then.getHours()).padStart(2, '0')}:${String(then.getMinutes()).padStart(2, '0')}`;
	const day = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
	const days = Math.round((day(today) - day(then)) / 86_400_000);
	if (days === 0) return `today at ${time}`;
	if (days === 1) return `yesterday at ${time}`;
	return days > 1 && days < 7 ? `${days} days ago at ${time}` : `on ${at.slice(0, 10)} at ${time}`;
}
