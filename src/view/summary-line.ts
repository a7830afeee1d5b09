import type { EventReader } from '../model/event-stream.ts';
import { latestFindings, type RunState } from '../model/state.ts';
import { count } from '../text/count.ts';
import { lineOf, type SafeText } from '../text/safe.ts';
import { endSentence, type Mode, proofsPassed } from './end.ts';

/** `--format summary`: one line a run, for a loop over many hosts. Fields are separated by a tab, and stay in this order. */
export const summaryReader =
	(write: (text: SafeText) => void, mode: Mode): EventReader =>
	(event, state) => {
		if (event.type !== 'run.end') return;
		const { said } = endSentence(event, state, mode);
		const fields = [state.start?.host ?? 'this host', said, troubles(state), ...proofsPassed(state), versions(state)];
		write(lineOf(fields.map(field => field.replaceAll(/\s+/g, ' ')).join('\t')));
	};

function troubles({ steps }: RunState): string {
	const found = steps.flatMap(latestFindings).filter(({ waived }) => waived === undefined);
	const of = (severity: string): number => found.filter(finding => finding.severity === severity).length;
	return `${count(of('block'), 'problem')}, ${count(of('warn'), 'warning')}, ${of('could-not-tell')} unknown`;
}

/** As far as the steps that looked have seen them. */
function versions({ observed }: RunState): string {
	const text = (key: string, name: string): string => {
		const value = observed[key]?.last.value;
		const found = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as object) : {};
		const version = (found as Readonly<Record<string, unknown>>)[name];
		return typeof version === 'string' ? version : version === null ? 'none' : 'unknown';
	};
	return `sysbox ${text('sysbox', 'version')}, docker ${text('host', 'docker')}, kernel ${text('host', 'kernel')}`;
}
