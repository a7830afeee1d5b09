import type { ReactElement } from 'react';
import type { Setting } from '../../model/review.ts';
import type { Look } from '../layout.ts';
import { line, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';

/** What the run would ask, a row a setting; the marked one is explained. */
export function SettingsScreen({
	look,
	title,
	body,
	settings,
	prompt,
}: {
	readonly look: Look;
	readonly title: string;
	readonly body: readonly string[];
	readonly settings: readonly Setting[];
	readonly prompt: Prompt;
}): ReactElement {
	const marked = prompt.kind === 'menu' ? prompt.options[prompt.at]?.value : undefined;
	const question = settings.find(({ question }) => question.id === marked)?.question;
	const about = question === undefined ? body : [question.help];
	return (
		<Frame
			look={look}
			title={title}
			about={[]}
			bodies={[about.flatMap(text => wrap(line(span(text, question === undefined ? undefined : 'dim')), look.width))]}
			prompt={prompt}
		/>
	);
}
