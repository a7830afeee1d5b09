import { Text } from 'ink';
import type { ReactElement } from 'react';

const smallest = { columns: 40, rows: 10 };

export const tooSmall = ({ columns, rows }: { readonly columns: number; readonly rows: number }): boolean =>
	columns < smallest.columns || rows < smallest.rows;

/** Said instead of a screen that would be cut. */
export function TooSmallScreen({ columns, rows }: { readonly columns: number; readonly rows: number }): ReactElement {
	const whole = `This window is ${columns} x ${rows}; make it at least ${smallest.columns} x ${smallest.rows}.`;
	// Four rows of twenty columns hold the sentence; a window that is smaller still gets its end cut.
	return <Text wrap={rows > 4 ? 'wrap' : 'truncate-end'}>{whole}</Text>;
}
