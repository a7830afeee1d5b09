import type { Finding, ThreatId } from './finding.ts';
import type { RunState, StepState } from './state.ts';

export type ThreatLevel = 'Critical' | 'High' | 'Medium' | 'Low';

export interface ThreatRow {
	readonly id: ThreatId;
	readonly title: string;
	readonly before: { readonly level: ThreatLevel /** What the level rests on. */; readonly basis: string };
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

export const threatTitles = Object.fromEntries(threats.map(({ id, title }) => [id, title])) as Readonly<
	Record<ThreatId, string>
>;

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
	// A warning is a piece of a way, not the way: it is told in the record, and does not hold the row.
	const standing = state.steps
		.flatMap(step => concerning(latest(step), id))
		.filter(finding => finding.severity === 'block');
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
	return { id, title, before: { level: threat.from, basis }, after: afterOf(), restsOn };

	function afterOf(): ThreatRow['after'] {
		if (where.length > 0) return { kind: 'still', level: threat.from, where };
		if (undecided.length > 0)
			return { kind: 'not-proved', why: undecided.map(probe => `${probe.id}: ${probe.because}`).join('; ') };
		if (counted.length === 0) return { kind: 'not-proved', why: 'no probe of this row was run' };
		return { kind: 'lowered', level: threat.to };
	}
}

const latest = (step: StepState): readonly Finding[] => step.after ?? step.before;

/** What could not be told about host access does not lower a row either, but is told by its own finding. */
const concerning = (findings: readonly Finding[], id: ThreatId): readonly Finding[] =>
	findings.filter(finding => finding.threat === id && (finding.severity === 'block' || finding.severity === 'warn'));

const sayFinding = (finding: Finding): string =>
	`${finding.summary}${finding.evidence === undefined ? '' : ` (${finding.evidence.split('\n')[0] ?? ''})`}`;
