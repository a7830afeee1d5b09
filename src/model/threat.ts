import { entryPoints, sayEntryPoint } from './entry-point.ts';
import type { Finding, ThreatId } from './finding.ts';
import { latestFindings, type RunState, type StepState } from './state.ts';

export type ThreatLevel = 'Critical' | 'High' | 'Medium' | 'Low';

export interface ThreatRow {
	readonly id: ThreatId | 'job-to-job';
	readonly title: string;
	/** How a job goes about it, in a clause. */
	readonly way: string;
	/** What that means for the host, in a clause. */
	readonly impact: string;
	readonly before: Before;
	readonly after: After;
	readonly restsOn: {
		/** Attacks that were blocked. */
		readonly held: number;
		readonly of: number;
		/** Probes without a meaning on this host. */
		readonly leftOut: readonly string[];
	};
	/** Known vulnerabilities, end of life, a reboot that is waited for: the same for each row that Sysbox can lower. */
	readonly known: readonly string[];
}

export type Before =
	/** Access to the host that was found here. `always`: it is there on every host that runs containers. */
	| { readonly kind: 'found' | 'always'; readonly level: ThreatLevel; readonly basis: string }
	/** Nothing bad was found, something could not be told, or nobody looked. */
	| { readonly kind: 'nothing' | 'unknown' | 'not-looked'; readonly basis: string };

export type After =
	| {
			readonly kind: 'lowered';
			readonly level: ThreatLevel;
			/** The entry points that it speaks of. */
			readonly covers: readonly string[];
			/** Why it is no lower. */
			readonly caps: readonly string[];
	  }
	/** `where`: attacks that got through, access to the host, limits that are missing. */
	| { readonly kind: 'still'; readonly level: ThreatLevel; readonly where: readonly string[] }
	/** An entry point could not be read. */
	| { readonly kind: 'unknown'; readonly why: string }
	/** Proved, and not in use: `without` names the entry points that do not use Sysbox, `using` those that do. */
	| { readonly kind: 'ready'; readonly without: readonly string[]; readonly using: readonly string[] }
	| { readonly kind: 'not-proved'; readonly why: string }
	| { readonly kind: 'not-lowered'; readonly level: ThreatLevel; readonly helps: string };

interface Threat extends Pick<ThreatRow, 'title' | 'way' | 'impact'> {
	readonly id: ThreatId;
	readonly from: ThreatLevel;
	readonly to: ThreatLevel;
}

/**
 * A limit bounds what a job takes but does not end the contest for what is left, so that abuse of resources ends at
 * Medium; the other two end at Low, as bugs of kernel and runtime remain.
 */
const threats: readonly Threat[] = [
	{
		id: 'container-escape',
		title: 'Privileged container escape',
		way: 'a job with privileges mounts a disk of the host or loads a kernel module',
		impact: 'it is root on the host',
		from: 'Critical',
		to: 'Low',
	},
	{
		id: 'resource-abuse',
		title: 'Host resource abuse',
		way: 'a job takes all memory, processors or processes',
		impact: 'other jobs and the host stop',
		from: 'High',
		to: 'Medium',
	},
	{
		id: 'docker-compromise',
		title: 'Docker daemon compromise',
		way: "a job uses the host's Docker socket",
		impact: 'it starts a privileged container and is root on the host',
		from: 'Critical',
		to: 'Low',
	},
];

/** Sysbox CE does not lower this one, whatever is proved. */
const jobToJob: ThreatRow = {
	id: 'job-to-job',
	title: 'Job to job',
	way: 'jobs share user ids, key quota, sysbox-fs, ARP on the bridge, and caches that persist',
	impact: 'one job reads, changes or stops another',
	before: { kind: 'always', level: 'High', basis: 'jobs on one host share its kernel, its bridge and their caches' },
	after: {
		kind: 'not-lowered',
		level: 'High',
		helps: 'one trust zone per host: jobs that do not trust each other run on separate hosts',
	},
	restsOn: { held: 0, of: 0, leftOut: [] },
	known: [],
};

export const threatTitles = Object.fromEntries(threats.map(({ id, title }) => [id, title])) as Readonly<
	Record<ThreatId, string>
>;

/** The step that looks at the operator's CI. Without it, the table would speak of our own clean containers alone. */
const ciStep = 'ci';

/**
 * The threat table. A lower level is earned by the entry points of the operator's CI: at least one was found, every one
 * uses Sysbox, none has the row's access to the host, the workload has the limits that the row rests on, and each of the
 * row's attacks was blocked in this run. One set of findings decides what was before and what is now, so that what made
 * it bad and still runs keeps it bad; a waived finding counts as any other.
 */
export function threatTable(state: RunState): readonly ThreatRow[] {
	return [...threats.map(threat => rowOf(threat, state)), jobToJob];
}

function rowOf(threat: Threat, state: RunState): ThreatRow {
	const { id, title, way, impact } = threat;
	const now = state.steps.flatMap(step => latestFindings(step));
	const known = now.filter(finding => finding.caps === 'threat');
	const probes = state.steps.flatMap(step => step.probes).filter(probe => probe.threats.includes(id));
	const counted = probes.filter(probe => probe.verdict !== 'left-out');
	return {
		id,
		title,
		way,
		impact,
		before: beforeOf(threat, state),
		after: afterOf(threat, state, counted, now),
		restsOn: {
			held: counted.filter(probe => probe.verdict === 'pass').length,
			of: counted.length,
			leftOut: probes.filter(probe => probe.verdict === 'left-out').map(probe => probe.id),
		},
		known: known.map(finding => finding.summary),
	};
}

const ciWasLookedAt = (state: RunState): boolean =>
	state.steps.some(step => step.id === ciStep && latestFindings(step).length > 0);

function beforeOf({ id, from }: Threat, state: RunState): Before {
	const first = state.steps.flatMap(step => step.before);
	const standing = accessIn(first, id);
	if (standing.length > 0) return { kind: 'found', level: from, basis: standing.map(sayFinding).join('; ') };
	const unseen = unseenIn(first, id);
	if (unseen.length > 0) return { kind: 'unknown', basis: unseen.map(sayFinding).join('; ') };
	return ciWasLookedAt(state)
		? { kind: 'nothing', basis: 'nothing of your CI was found to reach the host in this way' }
		: { kind: 'not-looked', basis: 'the step ci did not run, so your CI was not looked at' };
}

function afterOf(
	{ id, from, to }: Threat,
	state: RunState,
	probes: StepState['probes'],
	now: readonly Finding[],
): After {
	const because = (verdict: 'fail' | 'could-not-tell'): readonly string[] =>
		probes.filter(probe => probe.verdict === verdict).map(probe => `${probe.id}: ${probe.because}`);
	const where = [...because('fail'), ...accessIn(now, id).map(sayFinding)];
	if (where.length > 0) return { kind: 'still', level: from, where };

	const entries = entryPoints(state);
	const unseen = unseenIn(now, id).map(sayFinding);
	const unclear = (entries ?? []).filter(entry => entry.sysbox === 'unknown');
	const unread = [...unseen, ...unclear.map(entry => `${sayEntryPoint(entry)}: its runtime could not be told`)];
	if (unread.length > 0) return { kind: 'unknown', why: unread.join('; ') };

	const open = because('could-not-tell');
	if (open.length > 0) return { kind: 'not-proved', why: open.join('; ') };
	if (!ciWasLookedAt(state))
		return { kind: 'not-proved', why: 'the step ci did not run, so your CI was not looked at' };
	if (entries === undefined)
		return { kind: 'not-proved', why: 'this run did not look for the entry points of your CI' };
	if (probes.length === 0) return { kind: 'not-proved', why: 'no attack of this row was tried' };
	if (state.steps.some(step => step.probes.length > 0 && (step.status === 'running' || step.status === 'open')))
		return { kind: 'not-proved', why: 'the proof was not finished, so not every attack of this row was tried' };

	const failed = state.steps.filter(step => step.kind === 'proof' && step.status === 'failed');
	if (failed.length > 0) return { kind: 'not-proved', why: `${failed.map(step => step.title).join(', ')}: failed` };
	const using = entries.filter(entry => entry.sysbox === 'yes');
	if (using.length === 0 || using.length < entries.length) {
		// A note about a threat speaks of what is prepared, and counts while nothing is in use.
		const prepared = using.length > 0 ? [] : now.filter(of => of.threat === id && of.severity === 'info');
		if (prepared.length > 0) return { kind: 'still', level: from, where: prepared.map(sayFinding) };
		const without = entries.filter(entry => entry.sysbox === 'no');
		return { kind: 'ready', without: without.map(sayEntryPoint), using: using.map(sayEntryPoint) };
	}
	const caps = now.filter(of => of.caps === 'threat' && of.severity !== 'ok' && of.severity !== 'info');
	return {
		kind: 'lowered',
		level: caps.length > 0 ? 'Medium' : to,
		covers: using.map(sayEntryPoint),
		caps: to === 'Medium' ? [] : caps.map(finding => finding.summary),
	};
}

/** What reaches the host, whole ways and pieces of one alike, and limits that are missing. */
const accessIn = (findings: readonly Finding[], id: ThreatId): readonly Finding[] =>
	findings.filter(finding => finding.threat === id && (finding.severity === 'block' || finding.severity === 'warn'));

/** What could not be looked at may hold that very access. */
const unseenIn = (findings: readonly Finding[], id: ThreatId): readonly Finding[] =>
	findings.filter(finding => finding.threat === id && finding.severity === 'could-not-tell');

/** With the first place of several: the findings have them all. */
function sayFinding({ summary, evidence }: Finding): string {
	const [first, ...more] = evidence?.split('\n') ?? [];
	if (first === undefined) return summary;
	return `${summary} (${first}${more.length === 0 ? '' : `; and ${more.length} more`})`;
}
