import type { ReactElement } from 'react';
import { changedAnything, type RunState } from '../../model/state.ts';
import { leftAt, probesPassed } from '../../view/end.ts';
import type { Look } from '../layout.ts';
import { blank, type Line, labelled, line, pad, span, wrap } from '../line.ts';
import { Frame } from '../parts/frame.tsx';
import type { Prompt } from '../prompt.ts';
import type { Intro, SeenSince } from '../screen.ts';
import { stepLines } from '../text/transcript-text.ts';
import { whenTold } from '../text/words.ts';

/** The first screen: what is going to happen, or where the run was left. */
export function StartScreen({
	look,
	intro,
	seen,
	prompt,
}: {
	readonly look: Look;
	readonly intro: Intro;
	/** Of a run that goes on. */
	readonly seen: SeenSince | undefined;
	readonly prompt: Prompt;
}): ReactElement {
	const title = `${intro.host} ${look.theme.glyphs.neutral} ${titles[intro.mode]}`;
	const { resume } = intro;
	if (resume === undefined) {
		const about = intro.takesBack === undefined ? aboutFresh[intro.mode] : aboutTakenBack(intro);
		const set = intro.standing === undefined ? [] : [line(standingText(intro.standing, intro))];
		return (
			<Frame
				look={look}
				title={title}
				about={[line(about), ...set]}
				bodies={freshBodies(intro, look)}
				prompt={prompt}
			/>
		);
	}
	const when = resume.lastAt === undefined ? '' : ` ${whenTold(resume.lastAt, intro.now)}`;
	const user = resume.resumes.at(-1)?.user ?? resume.start?.user ?? intro.user;
	const about = line(`This run was left${when}${leftAt(resume)} (as ${user}).`);
	return <Frame look={look} title={title} about={[about]} bodies={resumedBodies(resume, seen, look)} prompt={prompt} />;
}

const titles: Readonly<Record<Intro['mode'], string>> = {
	run: 'set up Sysbox',
	test: 'proofs',
	revert: 'take a run back',
};

const aboutFresh: Readonly<Record<Intro['mode'], string>> = {
	run: 'Your CI jobs get a Docker of their own inside containers in which root is nobody on this host: no --privileged, no docker.sock. The container runtime Sysbox does that; this sets it up.',
	test: 'Tries whether CI works under Sysbox, and whether this host is out of its reach, in throw-away containers. Nothing of yours is stopped or changed.',
	revert:
		'Takes back what a run changed: files byte for byte; packages that it installed are removed, and those that it replaced come back.',
};

function aboutTakenBack(intro: Intro): string {
	const run = intro.takesBack?.run;
	if (run?.start === undefined) return aboutFresh.revert;
	const { at, user } = run.start;
	return `Takes back the run that ${user} began ${whenTold(at, intro.now)}: files byte for byte, and the packages, images and kernel settings that it brought.`;
}

/** A host that was set up before is looked at again, and what is as it should be is left so. */
function standingText(run: RunState, { now }: Intro): string {
	const who = run.start === undefined ? '' : ` ${whenTold(run.start.at, now)}, by ${run.start.user}`;
	const proofs = run.steps.filter(step => step.kind === 'proof' && step.status === 'proved');
	const proved =
		proofs.length === 0 ? '' : ` (${proofs.map(step => `${step.title} ${probesPassed(step.probes)}`).join(', ')})`;
	const did =
		run.end?.outcome === 'done' ? `This host was set up${who}${proved}.` : `An earlier run changed this host${who}.`;
	return `${did} Begin looks at it again, and leaves what is as it should be.`;
}

function freshBodies(intro: Intro, look: Look): readonly (readonly Line[])[] {
	const { width, theme } = look;
	const ok = span(theme.glyphs.ok, 'ok');
	const seen = intro.mode === 'revert' ? 'You see every action' : 'You see every change, and how to revert it,';
	const promise = [
		line(ok, ` ${seen} before you say yes to it.`),
		line(ok, ' No container is stopped unless you type the name of that risk.'),
		line(
			ok,
			intro.mode === 'test'
				? ' Quit whenever you want: a test starts from its beginning the next time.'
				: ' Quit whenever you want: the run is saved, and goes on where it was.',
		),
	].flatMap(row => wrap(row, width, 2));
	const past = intro.takesBack?.run;
	if (past !== undefined) {
		const done = past.steps
			.filter(step => step.status === 'proved' || past.actions.some(of => of.step === step.id && of.outcome === 'done'))
			.flatMap(step => stepLines(past, step, width, theme));
		const left = intro.takesBack?.stays ?? [];
		const stays = left.length === 0 ? [] : labelled('Stays', left.join(', '), width, { indent: 1, column: 7 });
		return [
			[line(span('What it did', 'strong')), ...done, blank, ...stays, blank, ...promise],
			[...done, ...stays, ...promise],
			[...done, ...promise],
			promise,
		];
	}
	const chosen = intro.steps.filter(step => step.inspected !== true);
	const longest = Math.max(...chosen.map(step => step.title.length));
	const steps = chosen.flatMap(({ n, title, brief }) =>
		wrap(line(span(`${n} `, 'dim'), pad(title, longest), span(`  ${brief}`, 'dim')), width, longest + 4),
	);
	const names = intro.steps.filter(step => step.inspected === true).map(step => step.title);
	const first =
		names.length === 0
			? []
			: wrap(line(span(`First looks, and changes nothing: ${names.join(', ')}`, 'dim')), width, 2);
	const short = chosen.map(({ n, title }) => line(span(`${n} `, 'dim'), title));
	return [[...first, ...steps, blank, ...promise], [...first, ...steps, ...promise], [...short, ...promise], promise];
}

function resumedBodies(resume: RunState, seen: SeenSince | undefined, look: Look): readonly (readonly Line[])[] {
	const { width, theme } = look;
	const steps = resume.steps.flatMap(step => stepLines(resume, step, width, theme));
	const unchanged = changedAnything(resume) ? [] : [line('Nothing was changed yet.')];
	const last = line('Each step is looked at again before anything is done in it, and proofs are made again.');
	const all = (most: number): readonly Line[] =>
		[...unchanged, ...seenLines(seen, most, look), last].flatMap(row => wrap(row, width));
	return [[...steps, blank, ...all(Infinity)], [...steps, blank, ...all(4)], [...steps, ...all(2)], all(4), all(1)];
}

function seenLines(seen: SeenSince | undefined, most: number, { width, theme }: Look): readonly Line[] {
	const { glyphs } = theme;
	switch (seen?.kind) {
		case undefined:
			return [];
		case 'looking':
			return [line(span(`${glyphs.neutral} `, 'dim'), 'The host is being looked at again ', theme.more)];
		case 'failed':
			return wrap(
				line(span(glyphs.unknown, 'unknown'), ` The host could not be looked at again: ${seen.why}`),
				width,
				2,
			);
		case 'seen': {
			const { differences } = seen;
			if (differences.length === 0)
				return wrap(
					line(span(glyphs.ok, 'ok'), ' The host was looked at again just now: nothing above has changed since.'),
					width,
					2,
				);
			const rest = differences.length - most;
			return [
				line(span(glyphs.warn, 'warn'), ' The host was looked at again just now. Not as it was left:'),
				...differences
					.slice(0, most)
					.flatMap(({ about, text }) => wrap(line(span(`  ${about}: `, 'dim'), text), width, 4)),
				...(rest > 0 ? [line(span(`  ${theme.more} and ${rest} more`, 'dim'))] : []),
			];
		}
		default:
			return seen satisfies never;
	}
}
