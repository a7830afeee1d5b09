import type { Action } from '../model/action.ts';
import type { Argv, Expected } from '../port/host.ts';
import { sha256 } from '../text/sha256.ts';
import { isThere, type WatchdogFacts } from './facts.ts';
import {
	bootUnitPath,
	copyPath,
	deadlineUnit,
	markerPath,
	scriptPath,
	stateDirectory,
	wantsDirectory,
	wantsPath,
	watchdogDirectory,
	watchUnit,
} from './names.ts';
import { type Afterwards, bootUnitText, wantsText, watchdogScript, watchEverySeconds } from './script.ts';
import { deadlineMs, looksOf } from './timing.ts';

export interface WatchdogOrder {
	/** dockerd's configuration file; links followed, so that the script replaces the file and not the link. */
	readonly file: string;
	/** sha256 of what Docker is about to be started with; undefined: no file. */
	readonly sha256: string | undefined;
	/** What is put back: the bytes from before, or their absence. `unchanged`: Docker can only be started again. */
	readonly earlier: Uint8Array | 'missing' | 'unchanged';
	/** `unix:///var/run/docker.sock`. */
	readonly dockerHost: string;
	/** Commands that are run when all is over, also where this tool is gone: a drained runner takes jobs again. */
	readonly afterwards?: readonly Afterwards[] | undefined;
	/** How long other actions between arming and the restart may take. */
	readonly othersMs?: number | undefined;
}

/** What is on the host of a switch: what has to be taken away again. */
type Parts = Pick<WatchdogFacts, 'files' | 'directory' | 'wantsDirectory' | 'waiting'>;

const none: Parts = { files: new Map(), directory: 'missing', wantsDirectory: 'shared', waiting: false };

/** "puts the earlier /etc/docker/daemon.json back and starts Docker" */
export function describeWatchdog({ file, earlier }: Pick<WatchdogOrder, 'file' | 'earlier'>): string {
	switch (earlier) {
		case 'unchanged':
			return 'starts Docker';
		case 'missing':
			return `removes ${file} and starts Docker`;
		default:
			return `puts the earlier ${file} back and starts Docker`;
	}
}

/**
 * The actions that arm the switch, in the order in which a kill after each leaves a host that heals: the bytes first,
 * then who uses them. Nothing of an earlier one may be there: see {@link clearAway}.
 */
export function armWatchdog(order: WatchdogOrder, facts: WatchdogFacts): readonly Action[] {
	const { earlier } = order;
	const written = order.sha256 ?? 'missing';
	const script = watchdogScript({
		file: order.file,
		written,
		earlier: earlier === 'missing' ? 'missing' : earlier === 'unchanged' ? written : sha256(earlier),
		running: facts.lastStart.entered,
		dockerHost: order.dockerHost,
		looks: looksOf(facts.lastStart),
		afterwards: order.afterwards ?? [],
	});
	const seconds = deadlineMs(facts.lastStart, order.othersMs) / 1000;
	const what = describeWatchdog(order);
	const actions: Action[] = [];
	let parts: Parts = none;
	/** What was armed so far is taken away when the next one fails: half a switch is none. */
	const add = (action: Action, made: Partial<Parts>): void => {
		const rollback = takeAway(parts, 'it could not be armed');
		actions.push(rollback.length === 0 ? action : { ...action, rollback });
		parts = { ...parts, ...made };
	};
	const write = (
		id: string,
		path: string,
		bytes: string | Uint8Array,
		mode: number,
		title: string,
		why: string,
		shownAs?: string,
	): void => {
		const data = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
		add(
			{
				id,
				kind: 'write',
				title,
				why,
				path,
				bytes: data,
				mode,
				expect: { kind: 'missing' },
				shownAs: shownAs || undefined,
			},
			{ files: new Map([...parts.files, [path, sha256(data)]]) },
		);
	};
	const directory = (id: string, path: string, mode: number, why: string, made: Partial<Parts>): void =>
		add({ id, kind: 'make-folder', title: `Make ${path}`, why, path, mode }, made);

	if (facts.stateDirectory === 'missing') directory('switch-state', stateDirectory, 0o700, 'the switch lies in it', {});
	directory('switch-folder', watchdogDirectory, 0o700, 'the switch lies in it', { directory: 'present' });
	if (earlier instanceof Uint8Array)
		write(
			'switch-copy',
			copyPath,
			earlier,
			0o600,
			`Keep a copy of the earlier ${order.file}`,
			'the switch puts it back without this tool',
			`the earlier ${order.file}`,
		);
	write(
		'switch-script',
		scriptPath,
		script,
		0o700,
		"Write the dead man's switch",
		`if Docker does not come back and this tool is gone, it ${what}`,
	);
	write(
		'switch-unit',
		bootUnitPath,
		bootUnitText,
		0o644,
		'Write the unit that runs it after a power cut',
		'at the next boot it acts before Docker starts',
	);
	// What an earlier switch has left is cleared away by now, its directory too where nothing else was in it.
	if (facts.wantsDirectory === 'missing' || (facts.wantsDirectory === 'ours' && isThere(facts)))
		directory('switch-wants-folder', wantsDirectory, 0o755, 'systemd looks for drop-ins there', {
			wantsDirectory: 'ours',
		});
	write(
		'switch-wants',
		wantsPath,
		wantsText,
		0o644,
		'Have the next boot run that unit',
		'a file is enough; systemd need not read all units again',
	);
	/** A timer, and the script as the service that it starts. */
	const timer = (id: string, title: string, why: string, unit: string, mode: string, when: readonly string[]): void =>
		add(
			{
				id,
				kind: 'exec',
				title,
				why,
				argv: [
					'systemd-run',
					`--unit=${unit}`,
					...when,
					// By default a timer may be a minute late (AccuracySec=1min, systemd.timer(5)).
					'--timer-property=AccuracySec=100ms',
					'--collect',
					'--description=sysbox-setup: look whether Docker came back',
					'/bin/sh',
					scriptPath,
					mode,
				],
				timeoutMs: 30_000,
				undo: {
					kind: 'commands',
					commands: [{ argv: stopArgv, timeoutMs: 30_000, why: 'it waits', nothingLeft: notLoaded }],
				},
			},
			{ waiting: true },
		);
	timer(
		'switch-timer',
		"Arm the dead man's switch",
		`in ${seconds} s it looks whether Docker answers, and leaves one that is still starting alone`,
		deadlineUnit,
		'deadline',
		[`--on-active=${seconds}`],
	);
	timer(
		'switch-watch',
		'Watch for an answer of the restarted Docker',
		"once Docker has answered, the dead man's switch does nothing any more",
		watchUnit,
		'watch',
		[
			`--on-active=${watchEverySeconds}`,
			`--on-unit-inactive=${watchEverySeconds}`,
			// systemd's two lines about each look would fill the journal.
			'--property=LogLevelMax=notice',
		],
	);
	return actions;
}

/** Whether an action of a step, by its id, armed or disarmed a switch. */
export const isOfWatchdog = (id: string): boolean => /(?:^|[.-])switch-/.test(id);

/** Takes the switch away that {@link armSwitch} armed. */
export function disarmWatchdog(armed: readonly Action[]): readonly Action[] {
	const files = new Map(armed.flatMap(a => (a.kind === 'write' ? [[a.path, sha256(a.bytes)] as const] : [])));
	const madeWants = armed.some(a => a.id === 'switch-wants-folder');
	return takeAway(
		{ files, directory: 'present', waiting: true, wantsDirectory: madeWants ? 'ours' : 'shared' },
		'Docker answers again',
	);
}

/** Takes away what a switch of an earlier process has left: armed, fired or half of either. */
export const clearAway = (facts: WatchdogFacts): readonly Action[] =>
	takeAway(
		facts,
		facts.fired === undefined ? 'Docker answers' : 'it has fired, and what it did is told and logged',
	).map(action => ({ ...action, id: `old-${action.id}` }));

const stopArgv: Argv = [
	'systemctl',
	'stop',
	...[deadlineUnit, watchUnit].flatMap(unit => [`${unit}.timer`, `${unit}.service`]),
];
/** systemctl's words for a transient unit that is gone, as one that has ended is. */
const notLoaded = 'not loaded';

/** In the order in which a kill after each leaves nothing that acts: who uses the bytes first, then the bytes. */
function takeAway(parts: Parts, why: string): readonly Action[] {
	const actions: Action[] = [];
	if (parts.waiting)
		actions.push({
			id: 'switch-stop',
			kind: 'exec',
			title: "Disarm the dead man's switch",
			why,
			argv: stopArgv,
			timeoutMs: 30_000,
			nothingToDo: notLoaded,
			undo: { kind: 'none', why: 'it is armed anew with the next restart' },
			takesBack: ['switch-timer', 'switch-watch'],
		});
	const remove = (id: string, path: string, title: string, takesBack?: string): void => {
		const sha = parts.files.get(path);
		if (sha === undefined) return;
		const expect: Expected = { kind: 'sha256', sha256: sha };
		actions.push({
			id,
			kind: 'remove',
			title,
			why,
			path,
			expect,
			withoutBackup: true,
			takesBack: takesBack === undefined ? undefined : [takesBack],
		});
	};
	remove('switch-no-wants', wantsPath, 'Have the next boot run nothing of it', 'switch-wants');
	if (parts.wantsDirectory === 'ours')
		actions.push({
			id: 'switch-no-wants-folder',
			kind: 'remove-folder',
			title: `Remove ${wantsDirectory}`,
			why: 'nothing else is in it',
			path: wantsDirectory,
			takesBack: ['switch-wants-folder'],
		});
	remove('switch-no-unit', bootUnitPath, 'Remove its unit', 'switch-unit');
	remove('switch-no-script', scriptPath, 'Remove its script', 'switch-script');
	remove('switch-no-copy', copyPath, 'Remove its copy of the configuration', 'switch-copy');
	remove('switch-no-marker', markerPath, 'Remove its note of what it did');
	if (parts.directory === 'present')
		actions.push({
			id: 'switch-no-folder',
			kind: 'remove-folder',
			title: `Remove ${watchdogDirectory}`,
			why: 'it is empty',
			path: watchdogDirectory,
			takesBack: ['switch-folder'],
		});
	return actions;
}
