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
	// What an earlier switch has left is cleared away by now, its directory too where nothing else was in it.
	const wants = facts.wantsDirectory === 'missing' || (facts.wantsDirectory === 'ours' && isThere(facts));
	return withRollback([
		...(facts.stateDirectory === 'missing'
			? [makeDirectory('switch-state', stateDirectory, 0o700, 'the switch lies in it')]
			: []),
		makeDirectory('switch-folder', watchdogDirectory, 0o700, 'the switch lies in it'),
		...(earlier instanceof Uint8Array
			? [
					{
						...writeNew('switch-copy', copyPath, earlier, 0o600),
						title: `Keep a copy of the earlier ${order.file}`,
						why: 'the switch puts it back without this tool',
						shownAs: `the earlier ${order.file}`,
					},
				]
			: []),
		{
			...writeNew('switch-script', scriptPath, script, 0o700),
			title: "Write the dead man's switch",
			why: `if Docker does not come back and this tool is gone, it ${describeWatchdog(order)}`,
		},
		{
			...writeNew('switch-unit', bootUnitPath, bootUnitText, 0o644),
			title: 'Write the unit that runs it after a power cut',
			why: 'at the next boot it acts before Docker starts',
		},
		...(wants ? [makeDirectory('switch-wants-folder', wantsDirectory, 0o755, 'systemd looks for drop-ins there')] : []),
		{
			...writeNew('switch-wants', wantsPath, wantsText, 0o644),
			title: 'Have the next boot run that unit',
			why: 'a file is enough; systemd need not read all units again',
		},
		{
			...runByTimer('switch-timer', deadlineUnit, 'deadline', [`--on-active=${seconds}`]),
			title: "Arm the dead man's switch",
			why: `in ${seconds} s it looks whether Docker answers, and leaves one that is still starting alone`,
		},
		{
			...runByTimer('switch-watch', watchUnit, 'watch', [
				`--on-active=${watchEverySeconds}`,
				`--on-unit-inactive=${watchEverySeconds}`,
				// systemd's two lines about each look would fill the journal.
				'--property=LogLevelMax=notice',
			]),
			title: 'Watch for an answer of the restarted Docker',
			why: "once Docker has answered, the dead man's switch does nothing any more",
		},
	]);
}

/** What was armed so far is taken away when the next action fails: half a switch is none. */
function withRollback(actions: readonly Action[]): readonly Action[] {
	let parts: Parts = none;
	return actions.map(action => {
		const rollback = takeAway(parts, 'it could not be armed');
		parts = { ...parts, ...partsOf(action, parts) };
		return rollback.length === 0 ? action : { ...action, rollback };
	});
}

function partsOf(action: Action, { files }: Parts): Partial<Parts> {
	switch (action.kind) {
		case 'write':
			return { files: new Map([...files, [action.path, sha256(action.bytes)]]) };
		case 'make-folder':
			return action.path === watchdogDirectory
				? { directory: 'present' }
				: action.path === wantsDirectory
					? { wantsDirectory: 'ours' }
					: {};
		default:
			return { waiting: true };
	}
}

const makeDirectory = (id: string, path: string, mode: number, why: string) =>
	({ id, kind: 'make-folder', title: `Make ${path}`, why, path, mode }) as const;

const writeNew = (id: string, path: string, bytes: string | Uint8Array, mode: number) =>
	({
		id,
		kind: 'write',
		path,
		bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
		mode,
		expect: { kind: 'missing' },
	}) as const;

/** A timer, and the script as the service that it starts. */
const runByTimer = (id: string, unit: string, mode: string, when: readonly string[]) =>
	({
		id,
		kind: 'exec',
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
	}) as const;

/** Whether an action of a step, by its id, armed or disarmed a switch. */
export const isOfWatchdog = (id: string): boolean => /(?:^|[.-])switch-/.test(id);

/** Takes away what {@link armWatchdog} armed. */
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
