import type { ReactElement } from 'react';
import { changedAnything } from '../../core/state.ts';
import type { Look } from '../layout.ts';
import { blank, clip, type Line, line, pad, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import type { Intro } from '../screen.ts';
import { stepLine } from '../text/transcript-text.ts';
import { whenTold } from '../text/words.ts';
import { sentence } from './plan-screen.tsx';

/** The first screen: what is going to happen, or where the run was left. */
export function StartScreen({
	look,
	intro,
	prompt,
	now,
}: {
	readonly look: Look;
	readonly intro: Intro;
	readonly prompt: Prompt;
	readonly now: number;
}): ReactElement {
	const title = `${intro.host} ${look.theme.glyphs.neutral} ${intro.mode === 'revert' ? 'take a run back' : intro.mode === 'test' ? 'proofs' : 'set up Sysbox'}`;
	const { resume } = intro;
	if (resume === undefined) {
		return (
			<Frame
				look={look}
				title={title}
				about={[line(aboutFresh[intro.mode])]}
				bodies={freshBodies(intro, look)}
				prompt={prompt}
			/>
		);
	}
	const at = resume.steps.at(-1);
	const place = at === undefined ? '' : `, at step ${at.n} of ${at.of}, ${at.title}`;
	const when = resume.lastAt === undefined ? '' : ` ${whenTold(resume.lastAt, now)}`;
	const about = line(`This run was left${when}${place} (as ${resume.start?.user ?? intro.user}).`);
	return <Frame look={look} title={title} about={[about]} bodies={[resumedBody(intro, look)]} prompt={prompt} />;
}

const aboutFresh: Readonly<Record<Intro['mode'], string>> = {
	run: 'Your CI jobs get a Docker of their own inside containers in which root is nobody on this host: no --privileged, no docker.sock. The container runtime Sysbox does that; this sets it up.',
	test: 'Runs the proofs in throw-away containers. Nothing of yours is stopped or changed.',
	revert: 'Takes back what a run changed: files byte for byte, packages to what was selected before.',
};

function freshBodies(intro: Intro, look: Look): readonly (readonly Line[])[] {
	const { width, theme } = look;
	const promise = [
		line(span(theme.glyphs.ok, 'ok'), ' You see every change, and how it is taken back, before you say yes to it.'),
		line(span(theme.glyphs.ok, 'ok'), ' No container is stopped unless you type the name of that risk.'),
		line(span(theme.glyphs.ok, 'ok'), ' Quit whenever you want: the run is saved, and goes on where it was.'),
	].flatMap(row => wrap(row, width, 2));
	const titles = Math.max(...intro.steps.map(step => step.title.length));
	const steps = intro.steps.map((step, index) =>
		clip(
			line(span(`${index + 1} `, 'dim'), pad(step.title, titles), span(`  ${sentence(step.why)}`, 'dim')),
			width,
			theme.more,
		),
	);
	return [[...steps, blank, ...promise], [...steps, ...promise], promise];
}

function resumedBody(intro: Intro, look: Look): readonly Line[] {
	const { resume } = intro;
	if (resume === undefined) return [];
	const changed = changedAnything(resume);
	return [
		...resume.steps.map(step => stepLine(resume, step, look.width, look.theme)),
		blank,
		line(
			changed
				? 'Each step is looked at again before anything is done: the host may have changed since.'
				: 'Nothing was changed yet. Each step is looked at again before anything is done.',
		),
	].flatMap(row => wrap(row, look.width));
}
