import { errorLine } from '../model/error-line.ts';
import type { ThreatId } from '../model/finding.ts';
import {
	type Evidence,
	joinEvidence,
	type Probe,
	type ProbeContainer,
	type ProbeHost,
	type ProbeResult,
} from '../model/probe.ts';
import type { ExecResult } from '../port/host.ts';
import { mapsHostRoot, parseIdMap } from '../system/uid-map.ts';
import { shellLine } from '../text/shell-line.ts';
import { idle, type Workload } from './workload.ts';

/** What became of an attempt. `unclear` is everything that is neither: a missing tool, a deadline, words nobody knows. */
export type Outcome = 'denied' | 'succeeded' | 'unclear';

export interface Tried {
	readonly outcome: Outcome;
	/** One clause that goes on "the attempt …" or "the control …": "was refused: Operation not permitted". */
	readonly what: string;
	readonly evidence: readonly Evidence[];
	/** It was ended before its end, by its deadline or by the operator: it is not made again. */
	readonly late?: boolean | undefined;
}

/** Where an attempt is made: a container with the options of the configured CI job, under the runtime. */
export interface Subject {
	readonly host: ProbeHost;
	readonly workload: Workload;
	/** Stays as long as the proof; attempts enter it. */
	readonly container: ProbeContainer;
}

/** Something of the host that no attempt may change. */
export interface Watched {
	readonly what: string;
	read(host: ProbeHost): Promise<string | undefined>;
}

export interface Attempt {
	readonly id: string;
	readonly title: string;
	readonly threats: readonly ThreatId[];
	readonly attempt: string;
	readonly expectation: string;
	readonly control: string;
	/** Why nothing can be told here; asked before anything is started. */
	readonly undecidable?: ((host: ProbeHost) => Promise<string | undefined>) | undefined;
	/** Beyond what is watched in every probe. */
	readonly watched?: readonly Watched[] | undefined;
	try(subject: Subject): Promise<Tried>;
	/** The same where it is allowed, and does no harm. */
	tryControl(subject: Subject): Promise<Tried>;
}

export const watchedFile = (path: string): Watched => ({ what: path, read: host => host.readText(path) });

/** Settings that escapes of containers are made with, and that nobody changes while a proof runs. */
const alwaysWatched: readonly Watched[] = ['core_pattern', 'modprobe', 'hostname'].map(name =>
	watchedFile(`/proc/sys/kernel/${name}`),
);

const startMs = 120_000;

/** Turns an attempt into a probe: host before, attempt, host after, control, host again, verdict. */
export function probeOf(attempt: Attempt, workload: Workload): Probe {
	const { id, title, threats, expectation, control } = attempt;
	return {
		id,
		title,
		threats,
		attempt: attempt.attempt,
		expectation,
		control,
		run: host => runAttempt(attempt, workload, host),
	};
}

/** All probes of a proof share the container that they attempt from. */
export const startWorkload = (host: ProbeHost, workload: Workload) => host.start('workload', idle(workload), startMs);

async function runAttempt(attempt: Attempt, workload: Workload, host: ProbeHost): Promise<ProbeResult> {
	const undecidable = await attempt.undecidable?.(host);
	if (undecidable !== undefined) return couldNotTell(undecidable);
	const start = await startWorkload(host, workload);
	if (start.kind === 'refused') {
		const because = `no container of ${workload.image} could be started under the runtime: ${lastWords(start.result)}`;
		return couldNotTell(because, [{ what: 'docker said', said: describe(start.result) }]);
	}
	const { container } = start;
	const subject: Subject = { host, workload, container };
	const watched = [...alwaysWatched, ...(attempt.watched ?? [])];

	const idMap = await host.readText(`/proc/${container.pid}/uid_map`);
	const before = await look(host, watched);
	const tried = await twiceIfUnclear(() => attempt.try(subject));
	const changed = changes(watched, before, await look(host, watched));
	const confined = confinement(idMap);
	// After an attempt that proved nothing, a control would only be one more container.
	const worthwhile = tried.outcome === 'denied' && changed.length === 0 && confined === 'yes';
	const control = worthwhile ? await twiceIfUnclear(() => attempt.tryControl(subject)) : undefined;
	const controlChanged = control === undefined ? [] : changes(watched, before, await look(host, watched));
	return judge({ tried, changed, confined, control, controlChanged, expectation: attempt.expectation, idMap });
}

/**
 * Docker can lose the output of a command that ends at once (moby#27289, moby#43121, docker-py#2042), and on a busy host
 * a start can fail once. One repetition keeps that from leaving a proof undecided; the evidence holds both.
 */
async function twiceIfUnclear(make: () => Promise<Tried>): Promise<Tried> {
	const first = await make();
	if (first.outcome !== 'unclear' || first.late === true) return first;
	const second = await make();
	return { ...second, evidence: [...first.evidence, ...second.evidence] };
}

/** What cannot be read whole says nothing: the line that is not understood may be the one that maps root. */
function confinement(idMap: string | undefined): Judged['confined'] {
	const map = parseIdMap(idMap);
	return map.kind !== 'ok' ? 'unknown' : mapsHostRoot(map.value) ? 'no' : 'yes';
}

export interface Judged {
	readonly tried: Tried;
	/** What of the host was not the same after the attempt. */
	readonly changed: readonly string[];
	/** Whether the container was in a user namespace that does not hold the host's root, as the host sees it. */
	readonly confined: 'yes' | 'no' | 'unknown';
	readonly control: Tried | undefined;
	readonly controlChanged: readonly string[];
	readonly expectation: string;
	readonly idMap: string | undefined;
}

/** The rules of a verdict, in their order. A pass needs everything; each lack has its own sentence. */
export function judge({ tried, changed, confined, control, controlChanged, expectation, idMap }: Judged): ProbeResult {
	const evidence = joinEvidence(...tried.evidence, ...(control?.evidence ?? []));
	if (changed.length > 0) {
		return {
			verdict: 'fail',
			because: `the host is not as it was before the attempt: ${changed.join('; ')}`,
			evidence,
		};
	}
	if (tried.outcome === 'succeeded') return { verdict: 'fail', because: `the attempt ${tried.what}`, evidence };
	if (tried.outcome === 'unclear') return { verdict: 'could-not-tell', because: `the attempt ${tried.what}`, evidence };
	if (confined !== 'yes') {
		// Plain runc denies most of this too. Such a denial says nothing about the runtime that is to be proved.
		const because =
			confined === 'no'
				? 'the attempt was denied, but the container has no user namespace of its own: this is not the isolation that is to be proved'
				: 'the attempt was denied, but the host does not show whether the container has a user namespace of its own';
		return {
			verdict: 'could-not-tell',
			because,
			evidence: joinEvidence(...evidence, {
				what: "the container's uid_map on the host",
				said: idMap?.trim() ?? 'not readable',
			}),
		};
	}
	if (control === undefined)
		return { verdict: 'could-not-tell', because: 'the attempt was denied, but its control was left out', evidence };
	if (controlChanged.length > 0) {
		return {
			verdict: 'could-not-tell',
			because: `while the control ran, the host changed: ${controlChanged.join('; ')}`,
			evidence,
		};
	}
	if (control.outcome !== 'succeeded') {
		return {
			verdict: 'could-not-tell',
			because: `the attempt ${tried.what}; but its control, which should succeed, ${control.what}, so the denial proves nothing`,
			evidence,
		};
	}
	return {
		verdict: 'pass',
		because: `${expectation} The attempt ${tried.what}; the control ${control.what}.`,
		evidence,
	};
}

const couldNotTell = (because: string, evidence: readonly Evidence[] = []): ProbeResult => ({
	verdict: 'could-not-tell',
	because,
	evidence,
});

const look = (host: ProbeHost, watched: readonly Watched[]): Promise<readonly (string | undefined)[]> =>
	Promise.all(watched.map(w => w.read(host)));

function changes(
	watched: readonly Watched[],
	before: readonly (string | undefined)[],
	after: readonly (string | undefined)[],
): readonly string[] {
	return watched.flatMap((w, index) => {
		const [was, is] = [before[index], after[index]];
		return was === is ? [] : [`${w.what} was ${shown(was)} and is ${shown(is)}`];
	});
}

const shown = (text: string | undefined): string =>
	text === undefined ? 'not readable' : `"${cut(text.trim(), 200)}"`;

/** What a command did, as evidence. */
export const evidenceOf = (what: string | readonly string[], result: ExecResult): Evidence => ({
	what: typeof what === 'string' ? what : shellLine(what),
	said: describe(result),
});

export function describe(result: ExecResult): string {
	const end = result.problem ?? `exit code ${result.code}`;
	const said = [result.stdout, result.stderr].map(text => text.trim()).filter(text => text !== '');
	return cut([end, ...said].join('\n'), 1200);
}

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** Why a command failed, in its own words, for a sentence. */
export function lastWords(result: ExecResult): string {
	const line = errorLine(result);
	return line === '' ? `ended with ${result.problem ?? `exit code ${result.code}`}` : line;
}

/**
 * The line in which a program says itself that the kernel refused it. The same words of docker, or of another command
 * in front of it, are none: then nothing was tried.
 */
export const refusal = (program: string, words: string): RegExp => new RegExp(`^(?:${program}): .*(?:${words})`, 'im');

/**
 * Judges a command whose exit code can be believed: nothing but the kernel stands between it and its effect. That it
 * was tried is told by exit code 0 or by `refused`; all else is unclear.
 */
export function byExitCode(
	command: string | readonly string[],
	result: ExecResult,
	options: { readonly refused?: RegExp | undefined; readonly succeeded: string },
): Tried {
	const evidence = [evidenceOf(command, result)];
	const unable = cannotRun(result);
	if (unable !== undefined) return { ...unable, evidence };
	if (result.code === 0) return { outcome: 'succeeded', what: options.succeeded, evidence };
	const said = `${result.stderr}\n${result.stdout}`;
	if (options.refused?.test(said) === true)
		return { outcome: 'denied', what: `was denied: ${lastWords(result)}`, evidence };
	return { ...saidNothing(result), evidence };
}

/** A failure in words that nobody knows. */
export const saidNothing = (result: ExecResult): Omit<Tried, 'evidence'> => ({
	outcome: 'unclear',
	what: `failed in a way that says nothing: ${lastWords(result)}`,
});

/** What the daemon or the runtime says when it starts nothing at all. */
const notStarted = /^(?:docker: )?Error response from daemon: |^OCI runtime \w+ failed: /m;

/** A command that did not even run, or was stopped; undefined where it ran to its end. */
export function cannotRun(result: ExecResult): Omit<Tried, 'evidence'> | undefined {
	const unclear = (what: string) => ({ outcome: 'unclear', what }) as const;
	if (result.problem !== undefined) return { ...unclear(`did not come to its end (${result.problem})`), late: true };
	const missing = missingTool(result);
	if (missing !== undefined) return unclear(`could not be made: the image has no ${missing}`);
	if (result.code === 126 || (result.code !== 0 && notStarted.test(`${result.stderr}\n${result.stdout}`)))
		return unclear(`could not be made: ${lastWords(result)}`);
	return undefined;
}

/** docker: `exec: "dmesg": executable file not found in $PATH`; busybox: `sh: dmesg: not found`. */
export function missingTool(result: ExecResult): string | undefined {
	if (result.code !== 126 && result.code !== 127) return undefined;
	const said = `${result.stderr}\n${result.stdout}`;
	return (
		/exec: "([^"]+)": (?:executable file not found|stat [^:]+: no such file)/.exec(said)?.[1] ??
		/(?:^|\n)\S+: (?:line \d+: |\d+: )?([\w./-]+): (?:command )?not found/.exec(said)?.[1]
	);
}
