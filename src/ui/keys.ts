/** One key as the wizard understands it, whatever the terminal sent. */
export type Key =
	| {
			readonly kind:
				| 'enter'
				| 'escape'
				| 'up'
				| 'down'
				| 'left'
				| 'right'
				| 'tab'
				| 'backspace'
				| 'delete'
				| 'page-up'
				| 'page-down'
				| 'home'
				| 'end'
				| 'interrupt'
				| 'suspend'
				| 'redraw'
				| 'clear-line';
	  }
	| { readonly kind: 'char'; readonly char: string }
	/** Text that came in one piece by bracketed paste; it never submits. */
	| { readonly kind: 'paste'; readonly text: string };

/** What Ink tells about a key press; only the part that is read here. */
export interface InkKey {
	readonly upArrow: boolean;
	readonly downArrow: boolean;
	readonly leftArrow: boolean;
	readonly rightArrow: boolean;
	readonly pageDown: boolean;
	readonly pageUp: boolean;
	readonly home: boolean;
	readonly end: boolean;
	readonly return: boolean;
	readonly escape: boolean;
	readonly ctrl: boolean;
	readonly tab: boolean;
	readonly backspace: boolean;
	readonly delete: boolean;
	readonly meta: boolean;
}

const controls: Readonly<Record<string, Key>> = {
	c: { kind: 'interrupt' },
	z: { kind: 'suspend' },
	l: { kind: 'redraw' },
	u: { kind: 'clear-line' },
	a: { kind: 'home' },
	e: { kind: 'end' },
	h: { kind: 'backspace' },
	d: { kind: 'delete' },
};

/**
 * Ink hands over what one read of the terminal brought: fast typing and a slow line make that `abc\r`, which is four
 * keys and not one.
 */
export function keysOf(input: string, key: InkKey): readonly Key[] {
	if (key.escape && input === '') return [{ kind: 'escape' }];
	if (key.return) return [{ kind: 'enter' }];
	if (key.tab) return [{ kind: 'tab' }];
	if (key.upArrow) return [{ kind: 'up' }];
	if (key.downArrow) return [{ kind: 'down' }];
	if (key.leftArrow) return [{ kind: 'left' }];
	if (key.rightArrow) return [{ kind: 'right' }];
	if (key.pageUp) return [{ kind: 'page-up' }];
	if (key.pageDown) return [{ kind: 'page-down' }];
	if (key.home) return [{ kind: 'home' }];
	if (key.end) return [{ kind: 'end' }];
	// A terminal's Backspace arrives as either of the two, and what stands before the cursor is meant.
	if (key.backspace || key.delete) return [{ kind: 'backspace' }];
	if (key.ctrl) {
		const control = controls[input];
		return control === undefined ? [] : [control];
	}
	if (key.meta) return [];
	return [...input].flatMap(keyOfChar);
}

function keyOfChar(char: string): readonly Key[] {
	switch (char) {
		case '\r':
		case '\n':
			return [{ kind: 'enter' }];
		case '\t':
			return [{ kind: 'tab' }];
		case '\u007f':
		case '\b':
			return [{ kind: 'backspace' }];
		case '\u001b':
			return [{ kind: 'escape' }];
		case '\u0003':
			return [{ kind: 'interrupt' }];
		default:
			return char < ' ' ? [] : [{ kind: 'char', char }];
	}
}

/** What a key may mean on a screen. */
export type Command =
	| 'back'
	| 'skip'
	| 'full-view'
	| 'explain'
	| 'print-commands'
	| 'help'
	| 'quit'
	| 'next'
	| 'previous'
	| 'next-page'
	| 'previous-page'
	| 'close'
	| 'search'
	| 'search-next'
	| 'search-previous'
	| 'top'
	| 'bottom';

interface Binding {
	readonly chars: readonly string[];
	readonly keys?: readonly Key['kind'][] | undefined;
	/** As the key line names it. */
	readonly shown: string;
	readonly does: string;
}

/** The only key table. Key line and help are made from it. */
export const bindings: Readonly<Record<Command, Binding>> = {
	back: { chars: ['b'], keys: ['escape'], shown: 'b', does: 'back' },
	skip: { chars: ['s'], shown: 's', does: 'skip' },
	'full-view': { chars: ['v'], shown: 'v', does: 'all' },
	explain: { chars: ['e'], shown: 'e', does: 'explain' },
	'print-commands': { chars: ['c'], shown: 'c', does: 'copy' },
	help: { chars: ['?'], shown: '?', does: 'help' },
	quit: { chars: ['q'], shown: 'q', does: 'quit' },
	next: { chars: ['n', 'l', 'j'], keys: ['right', 'down'], shown: 'n', does: 'next' },
	previous: { chars: ['p', 'h', 'k'], keys: ['left', 'up'], shown: 'p', does: 'previous' },
	'next-page': { chars: ['n', ' '], keys: ['page-down'], shown: 'n', does: 'next' },
	'previous-page': { chars: ['p'], keys: ['page-up'], shown: 'p', does: 'previous' },
	close: { chars: ['b', 'q', 'v', 'e', '?'], keys: ['escape'], shown: 'esc', does: 'close' },
	search: { chars: ['/'], shown: '/', does: 'search' },
	'search-next': { chars: ['n'], shown: 'n', does: 'next' },
	'search-previous': { chars: ['N'], shown: 'N', does: 'hit before' },
	top: { chars: ['g'], keys: ['home'], shown: 'g', does: 'top' },
	bottom: { chars: ['G'], keys: ['end'], shown: 'G', does: 'end' },
};

export const means = (key: Key, command: Command): boolean => {
	const binding = bindings[command];
	return key.kind === 'char' ? binding.chars.includes(key.char) : (binding.keys ?? []).includes(key.kind);
};

/** Up, down, left and right, also as vi has them: how far a key moves. */
export function moves(key: Key): -1 | 1 | undefined {
	if (key.kind === 'up' || key.kind === 'left') return -1;
	if (key.kind === 'down' || key.kind === 'right') return 1;
	if (key.kind !== 'char') return undefined;
	if (key.char === 'k' || key.char === 'h') return -1;
	return key.char === 'j' || key.char === 'l' ? 1 : undefined;
}

/** A hint of the key line: a key of the prompt, or a command of the table. */
export type Hint = Command | { readonly key: string; readonly does: string };

export const hintText = (hint: Hint): string => {
	const { key, does } = typeof hint === 'string' ? { key: bindings[hint].shown, does: bindings[hint].does } : hint;
	return `${key} ${does}`.trim();
};
