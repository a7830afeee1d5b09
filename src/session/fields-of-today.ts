import type { Event, EventOf } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';

/**
 * Gives the events of a log the fields that its version did not write yet. What they say could be read from ids, titles
 * and command lines then; this is the only place that still does. Asked for each event of a log, in its order.
 */
export function fieldsOfToday(): (event: Event) => Event {
	/** Ids of actions that were begun, by step. */
	const begun = new Map<string, string[]>();
	return event => {
		if (event.type === 'findings') return { ...event, findings: event.findings.map(finding) };
		if (event.type !== 'action.intent') return event;
		const earlier = begun.get(event.step) ?? [];
		begun.set(event.step, [...earlier, event.action]);
		return {
			...event,
			role: event.role ?? roleOf(event),
			rollbackOf: event.rollbackOf ?? earlier.findLast(id => event.action.startsWith(`${id}.`)),
		};
	};
}

function finding(of: Finding): Finding {
	if (of.id.startsWith('input.')) return { about: 'input', ...of };
	return of.id.startsWith('sysbox.known-issues.') ? { knownIssue: of.summary.split(': ')[0], ...of } : of;
}

function roleOf({ step, action, does }: EventOf<'action.intent'>): EventOf<'action.intent'>['role'] {
	if (step === 'docker' && action === 'restart') return 'restart-docker';
	if (action === 'daemon-json') return 'configure-docker';
	return does.startsWith('apt-get purge ') ? 'change-packages' : undefined;
}
