import type { Glyphs, Mark } from '../view/glyphs.ts';
import { type Span, span, type Tone } from './line.ts';

/**
 * How things look: the only place for colours and marks. Words carry the meaning and glyphs repeat it; colour comes
 * last, is one of the terminal's own sixteen, and is put on marks rather than on text, so that light and dark grounds
 * are read equally well.
 */
export interface Theme {
	readonly glyphs: Glyphs;
	readonly spinner: readonly string[];
	readonly more: string;
	/** How the key line names the keys that choose, and those that go row by row. */
	readonly arrows: string;
	readonly upDown: string;
}

export const toneStyles: Readonly<
	Record<Tone, { readonly color?: string; readonly bold?: true; readonly dimColor?: true; readonly inverse?: true }>
> = {
	dim: { dimColor: true },
	strong: { bold: true },
	ok: { color: 'green' },
	warn: { color: 'yellow' },
	block: { color: 'red' },
	unknown: { color: 'magenta' },
	cursor: { color: 'cyan', bold: true },
	add: { color: 'green' },
	remove: { color: 'red' },
	caret: { inverse: true },
};

export function themeFor(glyphs: Glyphs): Theme {
	const unicode = glyphs.rule !== '-';
	return {
		glyphs,
		spinner: unicode ? ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] : ['|', '/', '-', '\\'],
		more: unicode ? '…' : '...',
		arrows: unicode ? '↑↓' : 'arrows',
		upDown: unicode ? '↑↓' : 'up/down',
	};
}

export const markSpan = (mark: Mark, { glyphs }: Theme): Span => span(glyphs[mark], mark === 'neutral' ? 'dim' : mark);
