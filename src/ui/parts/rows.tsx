import { Box, Text } from 'ink';
import { createElement, type ReactElement } from 'react';
import type { Line } from '../line.ts';
import { toneStyles } from '../theme.ts';

/** Rows as they are: each takes exactly one line of the terminal. */
export function Rows({ rows }: { readonly rows: readonly Line[] }): ReactElement {
	// Rows and their parts have no identity but their place, so they are passed as arguments and need no keys.
	return createElement(Box, { flexDirection: 'column', marginLeft: 1 }, ...rows.map(row));
}

function row(of: Line): ReactElement {
	const parts = of.map(({ text, tone }) => (tone === undefined ? text : createElement(Text, toneStyles[tone], text)));
	return createElement(Text, { wrap: 'truncate-end' }, ...(parts.length === 0 ? [' '] : parts));
}
