import type { EventReader } from '../model/event-stream.ts';
import type { Finding } from '../model/finding.ts';
import { latestFindings, type RunState, type StepState } from '../model/state.ts';
import { lineOf, oneLine, type SafeText } from '../text/safe.ts';
import { severityNames, verdictName } from './words.ts';

/** A test case, and what keeps it from being passed. */
interface Case {
	readonly id: string;
	readonly name: string;
	readonly seconds: number;
	readonly trouble?: { readonly kind: 'failure' | 'error' | 'skipped'; readonly said: string } | undefined;
	readonly out: string;
}

/**
 * `--format junit`: a suite for each step, a case for each finding and each probe. A problem and an attack that got
 * through are failures, what is unknown is an error, what was left out or waived is skipped.
 */
export const junitReader =
	(write: (text: SafeText) => void): EventReader =>
	(event, state) => {
		if (event.type === 'run.end') for (const row of junitLines(state)) write(lineOf(row));
	};

function junitLines(state: RunState): readonly string[] {
	const suites = state.steps.filter(({ kind }) => kind !== 'report');
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		`<testsuites name="sysbox-setup" ${counts(suites.flatMap(casesOf))}>`,
		...suites.flatMap(step => {
			const cases = casesOf(step);
			return [
				`  <testsuite name="${escaped(step.id)}" hostname="${escaped(state.start?.host ?? '')}" ${counts(cases)}>`,
				...cases.flatMap(of => caseLines(step, of)),
				'  </testsuite>',
			];
		}),
		'</testsuites>',
	];
}

const counts = (cases: readonly Case[]): string => {
	const of = (kind: string): number => cases.filter(({ trouble }) => trouble?.kind === kind).length;
	return `tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}"`;
};

const casesOf = (step: StepState): readonly Case[] => [
	...latestFindings(step).map(caseOfFinding),
	...step.probes.map((probe): Case => {
		const said = `${verdictName(probe, probe.verdict).word}: ${probe.because}`;
		const kinds = { pass: undefined, fail: 'failure', 'could-not-tell': 'error', 'left-out': 'skipped' } as const;
		const kind = kinds[probe.verdict];
		const out = probe.evidence.map(({ what, said }) => `${what}: ${said}`).join('\n');
		const trouble = kind === undefined ? undefined : { kind, said };
		return { id: probe.id, name: probe.title, seconds: probe.ms / 1000, trouble, out };
	}),
];

function caseOfFinding({ id, summary, severity, waived, evidence, remedy }: Finding): Case {
	const said = [`${severityNames[severity].word}: ${summary}`, remedy?.text]
		.filter(text => text !== undefined)
		.join('. ');
	const trouble = (): Case['trouble'] => {
		if (waived !== undefined) return { kind: 'skipped', said: `waived: ${waived.reason}` };
		return severity === 'block' || severity === 'could-not-tell'
			? { kind: severity === 'block' ? 'failure' : 'error', said }
			: undefined;
	};
	const noted = severity === 'warn' || severity === 'info' ? [said] : [];
	return { id, name: summary, seconds: 0, trouble: trouble(), out: [...noted, evidence ?? ''].join('\n').trim() };
}

function caseLines(step: StepState, { id, name, seconds, trouble, out }: Case): readonly string[] {
	const head = `    <testcase classname="${escaped(`${step.id}.${id}`)}" name="${escaped(name)}" time="${seconds}"`;
	const told = [
		...(trouble === undefined ? [] : [`      <${trouble.kind} message="${escaped(trouble.said)}"/>`]),
		...(out === '' ? [] : [`      <system-out>${escaped(out)}</system-out>`]),
	];
	return told.length === 0 ? [`${head}/>`] : [`${head}>`, ...told, '    </testcase>'];
}

/** Text of the host in XML: no markup, and no character that XML 1.0 does not know, not even as a reference. */
const escaped = (text: string): string =>
	oneLine(text.replaceAll(/\s+/g, ' '))
		.replaceAll(/[^\t -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?')
		.replaceAll('&', '&amp;')
		.replaceAll('<', '&lt;')
		.replaceAll('>', '&gt;')
		.replaceAll('"', '&quot;');
