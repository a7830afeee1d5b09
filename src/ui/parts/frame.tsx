import type { ReactElement } from 'react';
import { type FrameParts, frameRows, type Look } from '../layout.ts';
import { Rows } from './rows.tsx';

/** A screen: rule, what it is about, what was found, what is asked, which keys work. */
export function Frame({ look, ...parts }: FrameParts & { readonly look: Look }): ReactElement {
	return <Rows rows={frameRows(parts, look)} />;
}
