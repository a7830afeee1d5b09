import type { Finding, ThreatId } from './finding.ts';
import type { RunState, StepState } from './state.ts';

export type ThreatLevel = 'Critical' | 'High' | 'Medium' | 'Low';

export interface ThreatRow {
	readonly id: ThreatId;
	readonly title: string;
	readonly before: {
		readonly level: ThreatLevel;
		/** What the level rests on. */
		readonly basis: string;
		/** False: it was found nowhere here, and is the level of the usual recipes. */
		readonly seen: boolean;
	};
	readonly after:
		| { readonly kind: 'lowered'; readonly level: ThreatLevel }
		| {
				readonly kind: 'still';
				readonly level: ThreatLevel /** Failed probes, and where the host access is. */;
				readonly where: readonly string[];
		  }
		| { readonly kind: 'not-proved'; readonly why: string };
	readonly restsOn: {
		readonly held: number;
		readonly of: number /** Probes without a meaning on this host. */;
		readonly leftOut: readonly string[];
	};
}

interface Threat {
	readonly id: ThreatId;
	readonly title: string;
	readonly from: ThreatLevel;
	readonly to: ThreatLevel;
}

/**
 * A limit bounds what a job takes but does not end the contest for what is left, so that abuse of resources ends at
 * Medium; the other two end at Low, as bugs of kernel and runtime remain.
 */
const threats: readonly Threat[] = [
	{ id: 'container-escape', title: 'Privileged container escape', from: 'Critical', to: 'Low' },
	{ id: 'resource-abuse', title: 'Host resource abuse', from: 'High', to: 'Medium' },
	{ id: 'docker-compromise', title: 'Docker daemon compromise', from: 'Critical', to: 'Low' },
];

/** The same for whoever reads that everything held and asks why nothing is at none. */
export const whatRemains =
	'What remains when all is held: bugs of kernel and runtime, and jobs that compete for what their limits leave them.';

export const threatTitles = Object.fromEntries(threats.map(({ id, title }) => [id, title])) as Readonly<
	Record<ThreatId, string>
>;

/** The step that looks at the operator's CI. Without it, the table would speak of our own clean containers alone. */
const ciStep = 'ci';

/**
 * The threat table. A lower level is earned only if every probe of the row held and no configured or running container
 * still has that row's access to the host. It speaks of the operator's CI, not of a clean container of ours: a finding
 * that is waived keeps its row where it is.
 */
export function threatTable(state: RunState): readonly ThreatRow[] {
	return threats.map(threat => rowOf(threat, state));
}

function rowOf(threat: Threat, state: RunState): ThreatRow {
	const { id, title } = threat;
	const first = state.steps.flatMap(step => concerning(step.before, id));
	const now = state.steps.flatMap(step => latest(step)).filter(finding => finding.threat === id);
	// A warning is a piece of a way, not the way: it is told in the record, and does not hold the row.
	const standing = now.filter(finding => finding.severity === 'block');
	// What could not be looked at may hold that very access.
	const unseen = now.filter(finding => finding.severity === 'could-not-tell');
	const probes = state.steps.flatMap(step => step.probes).filter(probe => probe.threats.includes(id));
	const counted = probes.filter(probe => probe.verdict !== 'left-out');
	const held = counted.filter(probe => probe.verdict === 'pass');
	const failed = counted.filter(probe => probe.verdict === 'fail');
	const undecided = counted.filter(probe => probe.verdict === 'could-not-tell');
	const basis =
		first.length > 0
			? first.map(sayFinding).join('; ')
			: 'no running container shows it; this is the level of the usual recipes (--privileged, docker.sock)';
	const where = [...failed.map(probe => `${probe.id}: ${probe.because}`), ...standing.map(sayFinding)];
	const restsOn = {
		held: held.length,
		of: counted.length,
		leftOut: probes.filter(probe => probe.verdict === 'left-out').map(probe => probe.id),
	};
	return { id, title, before: { level: threat.from, basis, seen: first.length > 0 }, after: afterOf(), restsOn };

	function afterOf(): ThreatRow['after'] {
		if (where.length > 0) return { kind: 'still', level: threat.from, where };
		const open = [...undecided.map(probe => `${probe.id}: ${probe.because}`), ...unseen.map(sayFinding)];
		if (open.length > 0) return { kind: 'not-proved', why: open.join('; ') };
		if (counted.length === 0) return { kind: 'not-proved', why: 'no probe of this row was run' };
		if (state.steps.some(step => step.probes.length > 0 && (step.status === 'running' || step.status === 'open')))
			return { kind: 'not-proved', why: 'the proof was not finished, so not every probe of this row was run' };
		if (!state.steps.some(step => step.id === ciStep && latest(step).length > 0))
			return { kind: 'not-proved', why: 'your own CI was not looked at in this run: the step ci does that' };
		return { kind: 'lowered', level: threat.to };
	}
}

const latest = (step: StepState): readonly Finding[] => step.after ?? step.before;

/** What was found of this threat; what could not be told was not found. */
const concerning = (findings: readonly Finding[], id: ThreatId): readonly Finding[] =>
	findings.filter(finding => finding.threat === id && (finding.severity === 'block' || finding.severity === 'warn'));

/** With the first place of several: the findings have them all. */
function sayFinding({ summary, evidence }: Finding): string {
	const [first, ...more] = evidence?.split('\n') ?? [];
	if (first === undefined) return summary;
	return `${summary} (${first}${more.length === 0 ? '' : `; and ${more.length} more`})`;
}
