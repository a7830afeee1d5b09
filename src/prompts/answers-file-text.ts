import { stringify } from 'yaml';
import { secretAnswer } from '../model/question.ts';
import { isRiskName, type RiskName } from '../model/risk.ts';
import { latestFindings, type RunState } from '../model/state.ts';
import { answersVersion } from './answers-file.ts';

/**
 * The answers file that repeats a run: every answer, also those that were defaults, so that it stays the same when a
 * default changes. What a file may not hold is named in its head: risks are accepted on the command line, and secrets
 * are written nowhere.
 */
export function answersFileText(state: RunState, command: string): string {
	const asked = Object.entries(state.answers);
	const kept = asked.filter(([, value]) => value !== secretAnswer && !(typeof value === 'string' && isRiskName(value)));
	const secrets = asked.filter(([, value]) => value === secretAnswer).map(([id]) => id);
	const steps: Record<string, Record<string, unknown>> = {};
	for (const [id, value] of kept) {
		const [step = '', ...name] = id.split('.');
		steps[step] = { ...steps[step], [name.join('.')]: value };
	}
	const findings = state.steps.flatMap(latestFindings);
	const waivers = findings.flatMap(({ id, waived }) =>
		waived === undefined || waived.expires.startsWith('9999')
			? []
			: [{ finding: id, reason: waived.reason, expires: waived.expires }],
	);
	const content = { version: answersVersion, ...steps, ...(waivers.length > 0 && { waivers }) };
	return `${head(state, command, secrets)}${stringify(content, { lineWidth: 0 })}`;
}

function head(state: RunState, command: string, secrets: readonly string[]): string {
	const risks = new Set<RiskName>(state.steps.flatMap(step => step.decision?.risks ?? []));
	for (const value of Object.values(state.answers))
		if (typeof value === 'string' && isRiskName(value)) risks.add(value);
	const skipped = state.steps.filter(step => step.status === 'skipped' && step.decision?.decision === 'skip');
	const options = [
		...[...risks].map(risk => `--accept-risk ${risk}`),
		...skipped.map(step => `--skip ${step.id}`),
	].join(' ');
	const lines = [
		`Answers of the run ${state.start?.run ?? ''} on ${state.start?.host ?? 'this host'}.`,
		`Repeat it:  ${command} --yes --answers THIS-FILE${options === '' ? '' : ` ${options}`}`,
		...(risks.size > 0 ? ['Risks are accepted on the command line only.'] : []),
		...secrets.map(id => `${id} is a secret and is not written down; it is asked again.`),
	];
	return `${lines.map(text => `# ${text}`).join('\n')}\n`;
}
