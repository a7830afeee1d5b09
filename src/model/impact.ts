import * as z from 'zod';
import type { DataOf } from './data.ts';

/** What becomes of a container that runs, as data: for the wizard, the text output, NDJSON and the record. */
export const fates = [
	/** A restart policy starts it again. */
	'comes-back',
	/** Policy on-failure: only when its stop looks like a failure, which is its own affair. */
	'comes-back-after-error',
	'does-not-come-back',
	/** Started with --rm: gone once it stops. */
	'is-removed',
	/** What runs it is taken away from under it. Only in logs of 0.1.0: Sysbox containers are stopped first since. */
	'breaks',
	/** The plan stops it, and starts it again once that is possible. */
	'started-again',
	/** The plan stops it, and does not start it again. */
	'stays-stopped',
	/** It is waited for: a job that ends by itself before anything is stopped. */
	'finishes-first',
	/** live-restore: it does not stop at all. */
	'keeps-running',
] as const;
export type Fate = (typeof fates)[number];

const impactContainerSchema = z.object({
	id: z.string(),
	name: z.string(),
	image: z.string(),
	/** What started it, in words: `GitLab job 8812 (build)`, `compose service db of shop`. */
	owner: z.string().optional(),
	/** A CI job or a throw-away agent: its CI system makes a new one, nobody starts this one again. */
	job: z.literal(true).optional(),
	restartPolicy: z.string(),
	startedAt: z.string(),
	/** How long it had been running when the plan was made. */
	runningMs: z.number().optional(),
	fate: z.enum(fates),
	/** This tool starts it again afterwards, unless told otherwise. */
	startedAgain: z.literal(true).optional(),
});
export type ImpactContainer = DataOf<typeof impactContainerSchema>;

/** What stops or changes for what is running, in the operator's terms. Shown with the plan, before consent. */
export const impactSchema = z.object({
	stops: z.array(z.string()),
	notes: z.array(z.string()),
	/** The containers behind `stops`, and those that go on: with it, readers show groups instead of lines. */
	containers: z.array(impactContainerSchema).optional(),
});
export type Impact = DataOf<typeof impactSchema>;

/** The groups in the order in which they matter: what is lost before what is only interrupted. */
export interface ImpactGroups {
	readonly lost: readonly ImpactContainer[];
	readonly awaited: readonly ImpactContainer[];
	readonly returning: readonly ImpactContainer[];
	readonly untouched: readonly ImpactContainer[];
}

export function groupImpact(containers: readonly ImpactContainer[]): ImpactGroups {
	const milder: readonly Fate[] = ['comes-back', 'started-again', 'keeps-running', 'finishes-first'];
	const lost = containers.filter(c => !milder.includes(c.fate));
	return {
		// Jobs first: somebody waits for them. Among equals the oldest, as it has the most to lose.
		lost: lost.toSorted((a, b) => Number(b.job ?? false) - Number(a.job ?? false) || before(a, b)),
		awaited: containers.filter(c => c.fate === 'finishes-first'),
		returning: containers.filter(c => c.fate === 'comes-back' || c.fate === 'started-again'),
		untouched: containers.filter(c => c.fate === 'keeps-running'),
	};
}

const before = (a: ImpactContainer, b: ImpactContainer): number => a.startedAt.localeCompare(b.startedAt);

/** `14 containers stop: 2 do not come back by themselves, 12 do`. */
export function impactHeadline(containers: readonly ImpactContainer[]): string | undefined {
	const { lost, awaited, returning, untouched } = groupImpact(containers);
	const stopping = lost.length + returning.length;
	if (stopping === 0) {
		if (containers.length === 0) return undefined;
		if (awaited.length === 0) return `${many(untouched.length, 'container')} of this host: none stops`;
		const others = untouched.length > 0 ? `, ${untouched.length} go on` : '';
		return `nothing is stopped: ${many(awaited.length, 'container')} ${are(awaited.length)} waited for${others}`;
	}
	if (stopping === lost.length && lost.every(c => c.fate === 'breaks'))
		return `${many(stopping, 'container')} ${are(stopping)} dead afterwards`;
	const what = `${many(stopping, 'container')} ${stopping === 1 ? 'stops' : 'stop'}`;
	if (returning.some(c => c.fate === 'started-again'))
		return lost.length > 0
			? `${what}: ${lost.length} ${does(lost.length)} not come back, ${returning.length} ${are(returning.length)} started again`
			: `${what} and ${are(stopping)} started again afterwards`;
	if (returning.length === 0) return `${what} and ${does(stopping)} not come back by ${self(stopping)}`;
	if (lost.length === 0) return `${what} and ${stopping === 1 ? 'comes' : 'come'} back by ${self(stopping)}`;
	return `${what}: ${lost.length} ${does(lost.length)} not come back by ${self(lost.length)}, ${returning.length} ${does(returning.length)}`;
}

const are = (n: number): string => (n === 1 ? 'is' : 'are');
const does = (n: number): string => (n === 1 ? 'does' : 'do');

const many = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
const self = (n: number): string => (n === 1 ? 'itself' : 'themselves');

/** `runner-x7k (GitLab job 8812 (build), running 12 min)`. */
export function describeRunning(container: ImpactContainer): string {
	const { name, owner, runningMs } = container;
	const about = [owner, runningMs === undefined ? undefined : `running ${duration(runningMs)}`].filter(
		text => text !== undefined,
	);
	return about.length === 0 ? name : `${name} (${about.join(', ')})`;
}

/** `does not come back, restart policy no; started again afterwards`. */
export function describeFate({ fate, restartPolicy, startedAgain }: ImpactContainer): string {
	const again = startedAgain === true && fate !== 'started-again';
	return `${fateWords(fate, restartPolicy)}${again ? '; started again afterwards' : ''}`;
}

function fateWords(fate: Fate, restartPolicy: string): string {
	switch (fate) {
		case 'comes-back':
			return `comes back, restart policy ${restartPolicy}`;
		case 'comes-back-after-error':
			return `comes back only if it ends with an error, restart policy ${restartPolicy}`;
		case 'does-not-come-back':
			return `does not come back, restart policy ${restartPolicy}`;
		case 'is-removed':
			return 'is removed when it stops';
		case 'breaks':
			return 'keeps running and is dead afterwards';
		case 'started-again':
			return 'stopped first, started again afterwards';
		case 'stays-stopped':
			return 'stopped, and not started again';
		case 'finishes-first':
			return 'finishes first, as it is waited for';
		case 'keeps-running':
			return 'keeps running, live-restore is on';
		default:
			return fate satisfies never;
	}
}

/** One container, in full. */
export const describeImpact = (container: ImpactContainer): string =>
	`${describeRunning(container)}: ${describeFate(container)}`;

export function duration(ms: number): string {
	const minutes = Math.floor(ms / 60_000);
	if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))} s`;
	if (minutes < 120) return `${minutes} min`;
	const hours = Math.floor(minutes / 60);
	return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

/** One row of the sheet, for a screen of any kind. */
export interface ImpactRow {
	readonly mark: 'block' | 'warn' | 'ok' | 'neutral';
	readonly text: string;
}

/**
 * The sheet in so many rows: the headline, what is lost one by one, the rest by name as far as names fit. With room for
 * everything each container has a row of its own, with its image.
 */
export function impactRows(
	containers: readonly ImpactContainer[],
	most = Number.POSITIVE_INFINITY,
): readonly ImpactRow[] {
	const headline = impactHeadline(containers);
	if (headline === undefined) return [];
	const { lost, awaited, returning, untouched } = groupImpact(containers);
	const head: ImpactRow = { mark: lost.length > 0 ? 'block' : returning.length > 0 ? 'warn' : 'ok', text: headline };
	const whole = containers.length + 1 <= most && !Number.isFinite(most);
	if (whole) {
		const row =
			(mark: ImpactRow['mark']) =>
			(c: ImpactContainer): ImpactRow => ({
				mark,
				text: `${describeImpact(c)}  [${c.image}]`,
			});
		return [
			head,
			...lost.map(row('block')),
			...awaited.map(row('ok')),
			...returning.map(row('ok')),
			...untouched.map(row('neutral')),
		];
	}
	const rest = [
		...(awaited.length > 0 ? [{ mark: 'ok' as const, text: `waited for: ${someNames(awaited)}` }] : []),
		...(returning.length > 0 ? [{ mark: 'ok' as const, text: `come back: ${someNames(returning)}` }] : []),
		...(untouched.length > 0 ? [{ mark: 'neutral' as const, text: `keep running: ${someNames(untouched)}` }] : []),
	];
	const room = Math.max(1, most - 1 - rest.length);
	const shown = lost.length <= room ? lost : lost.slice(0, Math.max(1, room - 1));
	const hidden = lost.slice(shown.length);
	return [
		head,
		...shown.map((c): ImpactRow => ({ mark: 'block', text: describeImpact(c) })),
		...(hidden.length > 0
			? [{ mark: 'block' as const, text: `and ${hidden.length} more that do not come back: ${someNames(hidden)}` }]
			: []),
		...rest,
	];
}

/** `a, b, c and 9 more`: three names tell a person which kind of thing it is. */
function someNames(containers: readonly ImpactContainer[]): string {
	const names = containers.slice(0, 3).map(c => c.name);
	const more = containers.length - names.length;
	return more === 0 ? names.join(', ') : `${names.join(', ')} and ${more} more`;
}
