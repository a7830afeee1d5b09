import type { Finding } from '../model/finding.ts';

export const removedAtTheEnd = 'they have a label of their own and are removed at the end, also when you stop it';

/** Each attempt and each control is a container of its own; the numbers are those of the whole proof. */
const made = '30 throw-away containers, for about a minute';

/** What the proof makes, takes and may set off, for whoever is about to start it. */
export const announced: readonly string[] = [
	`Some ${made}; ${removedAtTheEnd}.`,
	'Nothing of yours is stopped or changed: a control has one more right, and leaves nothing behind; 200 MB of memory and 60 processes are the most that any takes.',
	'Falco or an EDR on this host will see the attempts and may raise an alarm.',
	'Not covered: what you mount into a job yourself. Root in the container is root on those files.',
];

/** The same where nobody is asked: it is in the log before the proof, and in every plan. */
export const announcement: Finding = {
	id: 'security.announcement',
	severity: 'info',
	summary: `This makes some ${made}; each is labelled io.sysbox-setup.run, and removed.`,
	why: 'They try what an intruder would try, plain ones with single permissions among them. Falco, auditd or an EDR will see it: tell whoever watches them.',
};
