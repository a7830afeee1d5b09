import { type Key, means } from './keys.ts';

/** A long text of which a part is seen. Positions are rows of the wrapped text. */
export interface Pager {
	readonly top: number;
	/** What is searched for; while `typing`, what was typed of it so far. */
	readonly wanted: string;
	readonly typing: boolean;
	/** Said when a search found nothing. */
	readonly note?: string | undefined;
}

export const newPager: Pager = { top: 0, wanted: '', typing: false };

/** The rows as plain text, for the search, and how many are seen at once. */
export interface Pages {
	readonly rows: readonly string[];
	readonly height: number;
}

const within = (top: number, { rows, height }: Pages): number => Math.max(0, Math.min(top, rows.length - height));

function find(pager: Pager, pages: Pages, direction: 1 | -1): Pager {
	const { note: _, ...rest } = pager;
	if (pager.wanted === '') return rest;
	const wanted = pager.wanted.toLowerCase();
	const count = pages.rows.length;
	for (let step = 1; step <= count; step++) {
		const at = (((pager.top + direction * step) % count) + count) % count;
		if (pages.rows[at]?.toLowerCase().includes(wanted) === true) return { ...rest, top: within(at, pages) };
	}
	return { ...rest, note: `nothing here says "${pager.wanted}"` };
}

/** Pure; undefined means that the pager is to be closed. */
export function pressPager(pager: Pager, key: Key, pages: Pages): Pager | undefined {
	if (pager.typing) {
		switch (key.kind) {
			case 'escape':
				return { ...pager, typing: false, wanted: '' };
			case 'enter':
				return find({ ...pager, typing: false, top: pager.top - 1 }, pages, 1);
			case 'backspace':
				return { ...pager, wanted: [...pager.wanted].slice(0, -1).join('') };
			case 'char':
				return { ...pager, wanted: pager.wanted + key.char };
			case 'paste':
				return { ...pager, wanted: pager.wanted + key.text.trim() };
			default:
				return pager;
		}
	}
	const { note: _, ...quiet } = pager;
	const to = (top: number): Pager => ({ ...quiet, top: within(top, pages) });
	if (means(key, 'search')) return { ...quiet, typing: true, wanted: '' };
	if (means(key, 'search-next')) return find(pager, pages, 1);
	if (means(key, 'search-previous')) return find(pager, pages, -1);
	if (means(key, 'top')) return to(0);
	if (means(key, 'bottom')) return to(pages.rows.length);
	if (means(key, 'close')) return undefined;
	if (key.kind === 'up' || (key.kind === 'char' && key.char === 'k')) return to(pager.top - 1);
	if (key.kind === 'down' || key.kind === 'enter' || (key.kind === 'char' && key.char === 'j'))
		return to(pager.top + 1);
	if (key.kind === 'page-up') return to(pager.top - pages.height);
	if (key.kind === 'page-down' || (key.kind === 'char' && key.char === ' ')) return to(pager.top + pages.height);
	return pager;
}
