import type { ReactElement } from 'react';
import type { Look } from '../layout.ts';
import { keyLines, rule } from '../layout.ts';
import { clip, type Line, line, plainText, span } from '../line.ts';
import type { Pager } from '../pager.ts';
import { Rows } from '../parts/rows.tsx';
import { pagerRows } from '../press.ts';

/** Everything about the step, to be paged through and searched. */
export function FullViewScreen({
	look,
	title,
	text,
	pager,
}: {
	readonly look: Look;
	readonly title: string;
	readonly text: readonly Line[];
	readonly pager: Pager;
}): ReactElement {
	const { width, theme } = look;
	const height = pagerRows(look.rows);
	const wanted = pager.wanted.toLowerCase();
	const shown = text.slice(pager.top, pager.top + height).map(row => {
		const hit = !pager.typing && wanted !== '' && plainText(row).toLowerCase().includes(wanted);
		return clip(hit ? line(span(plainText(row), 'cursor')) : row, width, theme.more);
	});
	const place = `rows ${Math.min(pager.top + 1, text.length)} to ${Math.min(pager.top + height, text.length)} of ${text.length}`;
	const foot = pager.typing
		? line(span('/', 'cursor'), pager.wanted, span('_', 'caret'))
		: line(span(pager.note === undefined ? place : pager.note, pager.note === undefined ? 'dim' : 'warn'));
	return <Rows rows={[rule(title, look), ...shown, foot, ...keyLines(look).slice(0, 2)]} />;
}
