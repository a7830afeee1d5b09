import type { Finding } from '../model/finding.ts';
import type { Fired, WatchdogFacts } from './facts.ts';
import { isThere } from './facts.ts';
import { markerPath } from './names.ts';

const id = 'docker.switch';

/** One sentence: what the switch did, for findings, `status` and the record. */
export function describeFired(fired: Fired): string {
	const time = fired.by === 'boot' ? `when the host started at ${fired.at}` : `at ${fired.at}`;
	const then =
		fired.docker === 'started'
			? ', and Docker started with it'
			: fired.docker === 'does-not-start'
				? ', and Docker did not start with it either'
				: '';
	switch (fired.did) {
		case 'put-back':
			return `The dead man's switch put the earlier ${fired.file} back ${time}${then}`;
		case 'was-back':
			return `The dead man's switch acted ${time}${then}; the earlier ${fired.file} was there already`;
		case 'left-file':
			return `The dead man's switch acted ${time} and left ${fired.file} alone: somebody had changed it since`;
		case 'give-up':
			return `The dead man's switch stopped waiting ${time}: Docker was still ${fired.docker}`;
		default:
			return `The dead man's switch acted ${time} and could not put ${fired.file} back (${fired.did})`;
	}
}

/**
 * A switch that fired at its deadline blocks, as the same bytes would bring Docker down once more: somebody has to look
 * first. After a power cut nothing is known of the bytes, and the run goes on.
 */
export function firedFinding(fired: Fired): Finding {
	const shared = {
		id,
		summary: describeFired(fired),
		evidence: `sha256 of what Docker was started with: ${fired.written}`,
	};
	if (fired.by === 'boot')
		return {
			...shared,
			severity: 'warn',
			why: 'the power failed while Docker was being restarted; what the run had written is gone',
			remedy: { kind: 'planned', text: 'what is left of the switch is cleared away' },
		};
	const until = fired.at.replace('T', ' ').replace('Z', ' UTC');
	return {
		...shared,
		severity: 'block',
		why: 'Docker did not answer after its restart; the same settings would bring it down once more',
		remedy: {
			kind: 'commands',
			text: "See what Docker said, correct what it names, then remove the switch's note and go on",
			commands: [`journalctl -u docker --no-pager -n 100 --until '${until}'`, `rm ${markerPath}`],
		},
	};
}

/** What to say of a switch that is found on the host. */
export function watchdogFindings(facts: WatchdogFacts): readonly Finding[] {
	if (facts.fired !== undefined) return [firedFinding(facts.fired)];
	if (!isThere(facts)) return [];
	return [
		{
			id,
			severity: 'info',
			summary: facts.waiting
				? "A dead man's switch is armed"
				: "Something of a dead man's switch is left; nothing of it acts",
			remedy: { kind: 'planned', text: 'it is taken away once Docker answers' },
		},
	];
}
