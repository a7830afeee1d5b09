import { StringDecoder } from 'node:string_decoder';

/** Lines longer than this many characters are cut: a progress bar or a minified file must not fill a log. */
export const longestLine = 8192;

export interface LineSplitter {
	take(text: string): void;
	/** Hands over what is left without a line end. */
	end(): void;
}

/**
 * Splits text into lines as a terminal would show them in the end: of a line that was drawn over with carriage returns
 * (apt, dpkg), only the last drawing is left. With `redraws` each drawing is a line.
 */
export function lineSplitter(onLine: (line: string) => void, redraws = false): LineSplitter {
	let line = '';
	let cut = false;
	let open = false;
	const add = (part: string): void => {
		if (part === '') return;
		open = true;
		let rest = part;
		// A return at the very end may belong to the line end, so it is kept until something follows it.
		const drawnOver = rest.lastIndexOf('\r', rest.length - 2);
		if ((rest.length > 1 && drawnOver >= 0) || line.endsWith('\r')) {
			line = '';
			cut = false;
			rest = rest.length > 1 ? rest.slice(drawnOver + 1) : rest;
		}
		const room = longestLine - line.length;
		if (rest.length > room) cut = true;
		line += rest.slice(0, Math.max(0, room));
	};
	const flush = (): void => {
		const text = line.endsWith('\r') ? line.slice(0, -1) : line;
		onLine(cut ? `${text}…` : text);
		line = '';
		cut = false;
		open = false;
	};
	return {
		take: given => {
			const text = redraws ? given.replaceAll('\r', '\n') : given;
			let from = 0;
			for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
				add(text.slice(from, end));
				flush();
				from = end + 1;
			}
			add(text.slice(from));
		},
		end: () => {
			if (open) flush();
		},
	};
}

export interface OutputKeeper {
	/** Returns false when the limit is reached; what is over it is not kept. */
	take(chunk: Uint8Array): boolean;
	text(): string;
}

/** Keeps output up to a limit that both streams of a command share. */
export function limitedOutput(budget: { left: number }): OutputKeeper {
	const chunks: Uint8Array[] = [];
	return {
		take: chunk => {
			const kept = chunk.subarray(0, Math.max(0, budget.left));
			budget.left -= chunk.length;
			if (kept.length > 0) chunks.push(kept);
			return budget.left >= 0;
		},
		text: () => Buffer.concat(chunks).toString('utf8'),
	};
}

/** Keeps the first and the last `each` bytes and says how much is missing between them. Never asks for an end. */
export function headAndTailOutput(each: number): OutputKeeper {
	const head: Uint8Array[] = [];
	let headBytes = 0;
	let tail: Uint8Array[] = [];
	let tailBytes = 0;
	let dropped = 0;
	const shorten = (): void => {
		if (tailBytes <= 2 * each) return;
		const all = Buffer.concat(tail);
		// A copy, as a slice would keep the whole buffer alive.
		tail = [Buffer.from(all.subarray(all.length - each))];
		dropped += all.length - each;
		tailBytes = each;
	};
	return {
		take: chunk => {
			const first = chunk.subarray(0, Math.max(0, each - headBytes));
			if (first.length > 0) head.push(first);
			headBytes += first.length;
			const rest = chunk.subarray(first.length);
			if (rest.length > 0) {
				tail.push(rest);
				tailBytes += rest.length;
				shorten();
			}
			return true;
		},
		text: () => {
			const start = Buffer.concat(head).toString('utf8');
			const end = Buffer.concat(tail).toString('utf8');
			return dropped === 0 ? start + end : `${start}\n[… ${dropped} bytes left out …]\n${end}`;
		},
	};
}

/** Text out of chunks that may end in the middle of a character. */
export const textDecoder = (): StringDecoder => new StringDecoder('utf8');
