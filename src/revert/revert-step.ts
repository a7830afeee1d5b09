import * as z from 'zod';
import type { Container } from '../docker/container.ts';
import { type DockerFacts, describeDockerTrouble, inspectDocker } from '../docker/daemon.ts';
import { type DesiredDaemonJson, planDaemonJson, readDaemonJson } from '../docker/daemon-json.ts';
import { defaultConfigFile } from '../docker/dockerd-flags.ts';
import type { Action, Plan, Readiness } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import type { Impact } from '../model/impact.ts';
import type { RiskName } from '../model/risk.ts';
import { type ActionState, actionsToRevert, type RunState } from '../model/state.ts';
import { changeStep, type JudgeContext, type Step, type StepContext } from '../model/step.ts';
import type { LiveValue, UndoRecord } from '../model/undo.ts';
import type { Argv } from '../port/host.ts';
import {
	impactOfSysboxStop,
	type NotBack,
	noSysboxContainerRuns,
	notBackAgain,
	reviveByHand,
	startId,
	startSysboxContainers,
	startWasTried,
	stopId,
	stoppedByRun,
	stopSysboxContainers,
} from '../sysbox/containers.ts';
import { runningUnderSysbox, runtimeName, type StoppedContainer } from '../sysbox/runtime.ts';
import { inspectUnits, unitNamed } from '../system/systemd-units.ts';
import { readTextOr } from '../system/text-file.ts';
import { dockerUnit } from '../system/unit-failure.ts';
import { sha256 } from '../text/sha256.ts';
import { shellLine } from '../text/shell-line.ts';
import { clearAway, isOfWatchdog } from '../watchdog/actions.ts';
import { inspectWatchdog, isThere, type WatchdogFacts } from '../watchdog/facts.ts';
import { watchdogFindings } from '../watchdog/findings.ts';
import { sysboxMounts, unmountDead } from './dead-mounts.ts';
import { type InnerStore, innerStoresOf } from './inner-stores.ts';
import { inspectPackages, judgePackages, type PackageFacts, planPackages } from './package-selection.ts';
import { changedSince, inspectPath, isRestored, type PathToRestore, restoreAction, sideOf } from './restored-file.ts';

const stepId = 'revert';

/** Owner and mode of a new file where the log names none. */
const plainMode = 0o644;

type FileUndo = Extract<UndoRecord, { kind: 'file' }>;
type CommandsUndo = Extract<UndoRecord, { kind: 'commands' }>;
type PackagesUndo = Extract<UndoRecord, { kind: 'packages' }>;
type UndoCommand = CommandsUndo['commands'][number];
type Kept = (sha256: string) => Promise<Uint8Array | undefined>;

/** What Docker has in force of the run, and how it is made to forget it. */
interface Loaded {
	/** Names of runtimes that the run brought into the file, whether Docker still serves them or not. */
	readonly brought: readonly string[];
	/** Those of them that Docker serves now. */
	readonly strangers: readonly string[];
	/** Set where the run made another runtime the default and Docker still has it: the one from before, by name. */
	readonly defaultBefore: string | undefined;
	/**
	 * The way station that makes Docker forget: the old file with the absence named. Undefined: none is needed, or the file
	 * from before cannot be edited so.
	 */
	readonly forgetful: Uint8Array | undefined;
	/** Keys that Docker read at a restart within the run, and keeps until the next one. */
	readonly untilRestart: readonly string[];
}

interface RevertFacts {
	readonly paths: readonly PathToRestore[];
	/** The file that Docker read in the run, as its log says. */
	readonly configFile: string;
	/** The dead man's switch, or what is left of one. */
	readonly watchdog: WatchdogFacts;
	readonly directories: readonly string[];
	readonly commands: readonly {
		readonly id: string;
		readonly of: ActionState;
		readonly commands: readonly UndoCommand[];
		readonly leaves: readonly string[];
	}[];
	/** Values of the running system that commands would set back, as they are now. */
	readonly live: ReadonlyMap<string, string | undefined>;
	readonly packages: PackageFacts;
	/** The last action that changed packages: what came after it is taken back before it. */
	readonly packagesSeq: number;
	readonly docker: DockerFacts;
	/** How systemd sees Docker where it does not answer. */
	readonly dockerState: string | undefined;
	readonly loaded: Loaded;
	readonly innerStores: readonly InnerStore[];
	/** Containers that this revert stopped to put an earlier Sysbox back, and that are not back. */
	readonly notBack: readonly NotBack[];
	readonly startTried: boolean;
	/** Mounts of sysbox-fs whose program is gone with its package. */
	readonly deadMounts: readonly string[];
	/** Where the run's backups lie, for the commands that are shown. */
	readonly backupDirectory: string;
}

/**
 * Takes a run back, as a change step like any other: so that it is shown, approved, logged, resumed after a kill, and
 * done only when nothing is left to do. daemon.json first, then packages, then the comparison, which is the engine's
 * second look.
 */
export function revertStep(original: RunState, kept: Kept): Step {
	return changeStep<RevertFacts>({
		id: stepId,
		title: 'Take the run back',
		why: 'puts back every file byte for byte, and the packages as they were before the run',
		brief: 'puts files and packages back',
		needs: [],
		inspect: context => inspectRevert(original, kept, context),
		judge: (facts, context) => judgeRevert(facts, context.state),
		plan: (facts, context) => planRevert(facts, context),
	});
}

async function inspectRevert(original: RunState, kept: Kept, context: StepContext): Promise<RevertFacts> {
	const { host, options, signal } = context;
	// The dead man's switch is taken away as one, by what is found of it on the host.
	const actions = actionsToRevert(original).filter(({ id }) => !isOfWatchdog(id));
	const byPath = new Map<string, FileUndo[]>();
	for (const { undo } of actions)
		if (undo.kind === 'file') byPath.set(undo.path, [undo, ...(byPath.get(undo.path) ?? [])]);

	const [docker, armed] = await Promise.all([inspectDocker(host, signal), inspectWatchdog(host, signal)]);
	const partial = new Set(actions.flatMap(partlyFetched));
	const paths: PathToRestore[] = [];
	for (const [path, undos] of byPath) {
		const found = await inspectPath(host, path, undos, kept);
		if (found === undefined) continue;
		const own = partial.has(path) && found.currentSha256 !== undefined ? [found.currentSha256] : [];
		paths.push({ ...found, ours: new Set([...found.ours, ...own]) });
	}
	const configFile = configFileOf(original);
	const loaded = await inspectLoaded(original, kept, { configFile, paths }, docker);
	const commands = actions.flatMap(action => commandsOf(action));
	const live = new Map<string, string | undefined>();
	for (const { sets } of commands.flatMap(c => c.commands))
		if (sets !== undefined) live.set(sets.file, (await readTextOr(host, sets.file))?.trim());
	const made = actions.flatMap(({ undo }) => (undo.kind === 'folder' ? [undo.path] : []));
	const directories: string[] = [];
	for (const path of made) if ((await host.list(path)).kind !== 'missing') directories.push(path);
	const packaging = actions.filter(action => action.undo.kind === 'packages').toReversed();
	const packages = await inspectPackages(
		host,
		packaging.map(action => action.undo as PackagesUndo),
		`${options.stateDirectory}/downloads`,
		signal,
	);
	return {
		paths,
		configFile,
		watchdog: armed,
		directories,
		commands,
		live,
		packages,
		notBack: packages.changes.replaced.some(({ name }) => name === sysboxPackage)
			? await notBackAgain(host, stoppedByRun(context.state, stepId), signal)
			: [],
		startTried: startWasTried(context.state, stepId),
		deadMounts: isGone(packages, sysboxPackage) ? await sysboxMounts(host) : [],
		packagesSeq: packaging.at(-1)?.seq ?? -1,
		docker,
		dockerState: docker.info.kind === 'ok' ? undefined : await dockerStateOf(context),
		loaded,
		innerStores: await innerStoresOf(host, containersThatLose({ docker, loaded, packages })),
		backupDirectory: `${options.stateDirectory}/runs/${original.start?.run ?? 'RUN'}/backup`,
	};
}

/** A download that did not end leaves as much as had arrived. */
const partlyFetched = ({ kind, outcome, undo }: ActionState): readonly string[] =>
	kind === 'download' && outcome !== 'done' && undo.kind === 'file' ? [undo.path] : [];

function commandsOf(action: ActionState): RevertFacts['commands'] {
	const { undo } = action;
	const id = `${action.step}.${action.id}`;
	switch (undo.kind) {
		case 'commands':
			return [{ id, of: action, commands: undo.commands, leaves: undo.leaves ?? [] }];
		case 'packages':
			return (undo.commands ?? []).length === 0
				? []
				: [{ id, of: action, commands: undo.commands ?? [], leaves: undo.leaves ?? [] }];
		case 'file':
		case 'folder':
		case 'none':
			return [];
		default:
			return undo satisfies never;
	}
}

async function dockerStateOf({ host, signal }: StepContext): Promise<string | undefined> {
	const units = await inspectUnits(host, [dockerUnit], signal);
	return unitNamed(units, dockerUnit)?.activeState;
}

async function inspectLoaded(
	original: RunState,
	kept: Kept,
	{ configFile, paths }: Pick<RevertFacts, 'configFile' | 'paths'>,
	docker: DockerFacts,
): Promise<Loaded> {
	const file = paths.find(p => p.path === configFile);
	const wanted = file === undefined ? undefined : (file.bytes ?? 'missing');
	const before = wanted === undefined ? undefined : readDaemonJson(wanted);
	if (file === undefined || wanted === undefined || before?.kind !== 'read' || docker.info.kind !== 'ok')
		return { brought: [], strangers: [], defaultBefore: undefined, forgetful: undefined, untilRestart: [] };

	const written = await filesWritten(original, kept, configFile);
	const now = file.current.kind === 'bytes' ? readDaemonJson(file.current.bytes) : undefined;
	const views = [...written, ...(now?.kind === 'read' ? [now.view] : [])];
	const registered = new Set(views.flatMap(view => [...view.runtimes.keys()]));
	const { runtimes, defaultRuntime } = docker.info.value;
	const brought = [...registered].filter(name => !before.view.runtimes.has(name));
	const strangers = Object.keys(runtimes).filter(name => brought.includes(name));
	const earlier = before.view.defaultRuntime ?? 'runc';
	const madeDefault = defaultRuntime !== earlier && views.some(view => view.defaultRuntime === defaultRuntime);
	const defaultBefore = madeDefault || strangers.includes(defaultRuntime) ? earlier : undefined;
	const restarted = original.actions.some(
		a => a.role === 'restart-docker' && (a.outcome === 'done' || a.outcome === 'interrupted'),
	);
	const changedKeys = ['bip', 'default-address-pools'].filter(key =>
		views.some(view => view.keys.includes(key) !== before.view.keys.includes(key)),
	);
	return {
		brought,
		strangers,
		defaultBefore,
		forgetful:
			strangers.length === 0 && defaultBefore === undefined ? undefined : forget(wanted, strangers, defaultBefore),
		untilRestart: restarted ? changedKeys : [],
	};
}

/**
 * The file that Docker read in the run: what the step that looked at it noted, else what the run wrote as such. A dockerd
 * with `--config-file` reads another one than /etc/docker/daemon.json, which the run may have written too, for the
 * package's script.
 */
function configFileOf({ observed, actions }: RunState): string {
	const noted = z.object({ path: z.string() }).safeParse(observed['daemon-json']?.last.value);
	if (noted.success) return noted.data.path;
	const written = actions.flatMap(({ role, undo }) =>
		role === 'configure-docker' && undo.kind === 'file' ? [undo.path] : [],
	);
	return written.at(-1) ?? defaultConfigFile;
}

/** Every version of that file that the run wrote: one that was since removed can still be loaded in the daemon. */
async function filesWritten(original: RunState, kept: Kept, configFile: string) {
	const views = [];
	for (const { undo } of original.actions) {
		if (undo.kind !== 'file' || undo.path !== configFile || undo.after === null) continue;
		const bytes = await kept(undo.after);
		const read = bytes === undefined ? undefined : readDaemonJson(bytes);
		if (read?.kind === 'read') views.push(read.view);
	}
	return views;
}

/**
 * dockerd keeps a runtime, and a default, whose key is missing after a reload (moby daemon/reload_unix.go), so that the
 * file from before alone would leave it in force until the next restart. This one names the absence.
 */
function forget(
	wanted: Uint8Array | 'missing',
	strangers: readonly string[],
	defaultBefore: string | undefined,
): Uint8Array | undefined {
	let bytes = wanted;
	const candidates: DesiredDaemonJson[] = [
		// Put in and taken out again: what stays is an explicit `runtimes` without it, also where there was none.
		...strangers.flatMap((name): DesiredDaemonJson[] => [
			{ runtime: { name, path: `/usr/bin/${name}` } },
			{ withoutRuntime: name },
		]),
		...(defaultBefore === undefined ? [] : [{ defaultRuntime: defaultBefore }]),
	];
	for (const desired of candidates) {
		const plan = planDaemonJson(bytes, desired);
		if (plan.kind === 'refused') return undefined;
		if (plan.kind === 'edited') bytes = plan.bytes;
	}
	return bytes === 'missing' ? undefined : bytes;
}

function isForeign(path: PathToRestore, facts: RevertFacts, state: RunState): boolean {
	if (isRestored(path)) return false;
	// Put back once already by this revert: what differs now is what the package's removal wrote, and is put right again.
	if (carriedOut(state, `file.${path.path}`)) return false;
	// What this revert itself left there, before it was stopped half way.
	const found = path.current.kind === 'missing' ? 'missing' : path.currentSha256;
	const own = state.actions.flatMap(({ undo }) => (undo.kind === 'file' && undo.path === path.path ? [undo] : []));
	if (own.some(undo => (undo.after ?? 'missing') === found)) return false;
	if (path.current.kind === 'missing') return !path.ours.has('missing');
	if (path.currentSha256 === undefined) return true;
	const { forgetful } = facts.loaded;
	if (path.path === facts.configFile && forgetful !== undefined && sha256(forgetful) === path.currentSha256)
		return false;
	return !path.ours.has(path.currentSha256);
}

/** Docker cannot be asked to forget: it has to be started anew, or answers nothing at all. */
type DockerWay = 'answers' | 'start' | 'stopped' | 'cannot-tell';

function dockerWay({ docker, dockerState }: RevertFacts): DockerWay {
	if (docker.info.kind === 'ok') return 'answers';
	if (docker.info.kind !== 'daemon-down') return 'cannot-tell';
	switch (dockerState) {
		case 'failed':
		case 'activating':
			return 'start';
		case 'inactive':
			return 'stopped';
		default:
			return 'cannot-tell';
	}
}

function judgeRevert(facts: RevertFacts, state: RunState): readonly Finding[] {
	// What it says of a run that goes on is no hindrance for one that is taken back.
	const findings: Finding[] = watchdogFindings(facts.watchdog).map(({ id, summary }) => ({
		id,
		severity: 'info',
		summary,
		remedy: { kind: 'planned', text: 'what is left of it is taken away' },
	}));
	return [
		...findings,
		...facts.paths.map(path => judgePath(path, facts, state)),
		...judgePackages(facts.packages),
		...judgeSettings(facts),
		...judgeLoaded(facts.loaded),
		...judgeContainers(facts),
		...judgeDocker(facts),
	];
}

function judgePath(path: PathToRestore, facts: RevertFacts, state: RunState): Finding {
	if (isRestored(path))
		return { id: 'revert.file', severity: 'ok', summary: `${path.path} is as it was before the run` };
	if (path.before !== null && path.bytes === undefined)
		return {
			id: 'revert.backup-gone',
			severity: 'block',
			summary: `the bytes of ${path.path} from before the run are gone`,
			evidence: `no file with sha256 ${path.before.sha256} in ${facts.backupDirectory}`,
			remedy: { kind: 'advice', text: 'put the file back from your own backup, then start this again' },
		};
	if (isForeign(path, facts, state)) return changedSince(path, facts.backupDirectory);
	return {
		id: 'revert.file',
		severity: 'info',
		summary: `${path.path} is as the run left it`,
		remedy: { kind: 'planned', text: path.before === null ? 'it is removed' : 'its bytes from before are put back' },
	};
}

/** Settings that somebody has changed since the run. */
function judgeSettings({ commands, live }: RevertFacts): readonly Finding[] {
	return commands
		.flatMap(c => c.commands)
		.flatMap(({ sets, argv }): readonly Finding[] => {
			const now = sets === undefined ? undefined : live.get(sets.file);
			if (sets === undefined || now === undefined || now === sets.before || now === sets.after) return [];
			return [
				{
					id: 'revert.stays',
					severity: 'warn',
					summary: `${sets.file} stays ${now}: the run made it ${sets.after}, and somebody has changed it since`,
					evidence: `before the run it was ${sets.before}`,
					remedy: { kind: 'commands', text: 'Where that is not wanted any more', commands: [argv.join(' ')] },
				},
			];
		});
}

/** What Docker keeps until it is restarted. */
function judgeLoaded({ strangers, defaultBefore, forgetful, untilRestart }: RevertFacts['loaded']): readonly Finding[] {
	const findings: Finding[] = [];
	if ((strangers.length > 0 || defaultBefore !== undefined) && forgetful === undefined) {
		const what = strangers.length > 0 ? strangers.join(', ') : 'the default runtime of the run';
		findings.push({
			id: 'revert.still-loaded',
			severity: 'warn',
			summary: `Docker serves ${what} until its next restart`,
			why: 'a reload forgets a runtime only when the file names the absence, and this file cannot be edited so',
			remedy: {
				kind: 'commands',
				text: 'restart Docker when no job runs',
				commands: ['systemctl restart docker'],
			},
		});
	}
	if (untilRestart.length > 0) {
		findings.push({
			id: 'revert.until-restart',
			severity: 'warn',
			summary: `Docker keeps what it read at its restart in the run (${untilRestart.join(', ')}) until its next restart`,
			why: 'addresses are read only when Docker starts; a restart stops containers, so it is left to you',
			remedy: {
				kind: 'commands',
				text: 'restart Docker when no job runs',
				commands: ['systemctl restart docker'],
			},
		});
	}
	return findings;
}

/** Containers, and what they hold, that cannot be reached without Sysbox. */
function judgeContainers(facts: RevertFacts): readonly Finding[] {
	const findings: Finding[] = [];
	if (isGone(facts.packages, sysboxPackage)) {
		for (const { name } of containersUnder(facts.docker, facts.loaded.brought).filter(c => c.running))
			findings.push({
				id: 'revert.stays',
				severity: 'warn',
				summary: `${name} is still up and cannot be entered: its runtime is gone`,
				remedy: { kind: 'commands', text: 'Remove it', commands: [shellLine(['docker', 'rm', '-f', name])] },
			});
	}
	for (const store of facts.innerStores) {
		findings.push({
			id: 'revert.inner-store',
			severity: 'warn',
			summary: `what ${store.container} has stored inside cannot be reached without Sysbox: ${store.path}`,
			why: 'the container cannot run without Sysbox, and no volume of Docker holds this',
			remedy: { kind: 'advice', text: 'copy out of the container what is still needed, while it runs' },
		});
	}
	return findings;
}

/** A Docker that is down, or cannot be asked. */
function judgeDocker(facts: RevertFacts): readonly Finding[] {
	const way = dockerWay(facts);
	const { info } = facts.docker;
	if (way === 'start' || way === 'stopped')
		return [
			{
				id: 'revert.docker-down',
				severity: 'warn',
				summary:
					way === 'start'
						? `Docker does not come up: it is started again once ${facts.configFile} is as it was before the run`
						: 'Docker is stopped, and stays so: it reads the file from before when it is started',
			},
		];
	if (way !== 'cannot-tell' || !facts.paths.some(p => p.path === facts.configFile && !isRestored(p))) return [];
	return [
		{
			id: 'revert.docker',
			severity: 'block',
			summary: `Docker has to forget the runtime, and cannot be asked: ${info.kind === 'ok' ? '' : describeDockerTrouble(info)}`,
			remedy: {
				kind: 'commands',
				text: 'See what hinders it, then start this again',
				commands: ['systemctl status docker', 'journalctl -u docker -n 50'],
			},
		},
	];
}

/** The undo that a finished action of this revert has already carried out. */
const carriedOut = (state: RunState, id: string): boolean =>
	state.actions.some(action => action.id === id && action.outcome === 'done');

function planRevert(facts: RevertFacts, context: JudgeContext): Plan {
	const { state, now } = context;
	const actions: Action[] = [];
	const { configFile } = facts;
	const file = facts.paths.find(p => p.path === configFile);
	const users = containersThatLose(facts);
	const running = users.filter(c => c.running);
	const { forgetful } = facts.loaded;

	// An earlier version is put in the place of this one: what runs under it goes on afterwards.
	const goOn = returnsEarlier(facts.packages, sysboxPackage) ? runningUnderSysbox(facts.docker) : [];
	actions.push(...stopSysboxContainers(goOn));
	// First, while Sysbox can still end them in order.
	if (running.length > 0 && !isGone(facts.packages, sysboxPackage)) actions.push(...stopSysboxContainers(running));
	actions.push(...forgetRuntime(facts, file));
	for (const path of [...facts.paths].sort((a, b) => Number(b.path === configFile) - Number(a.path === configFile))) {
		const station = path.path === configFile ? forgetful : undefined;
		if (isRestored(path) && station === undefined) continue;
		const restored = restoreAction(path, station);
		if (restored !== undefined) actions.push(restored);
	}
	if (dockerWay(facts) === 'start') actions.push(...startDocker);

	const risks: readonly RiskName[] = [
		...(running.length > 0 ? (['stop-containers'] as const) : []),
		...(running.length > 0 || facts.innerStores.length > 0 ? (['lose-inner-stores'] as const) : []),
	];
	const taken = commandActions(facts, state, risks);
	actions.push(...taken.filter(({ seq }) => seq > facts.packagesSeq).map(({ action }) => action));
	const guardOf = (names: readonly string[]) => (names.includes(sysboxPackage) ? { guard: noSysboxContainerRuns } : {});
	// Of an earlier start of this revert that did not come to its end.
	const stillDown = facts.startTried ? [] : facts.notBack.filter(c => !c.running).map(c => c.container);
	const again = [...goOn, ...stillDown.filter(({ id }) => goOn.every(c => c.id !== id))];
	actions.push(...planPackages(facts.packages, risks, guardOf), ...startSysboxContainers(again));
	if (facts.startTried) actions.push(...facts.notBack.map(c => reviveByHand(c, [])));
	actions.push(...taken.filter(({ seq }) => seq <= facts.packagesSeq).map(({ action }) => action));
	for (const path of facts.directories) {
		const id = `folder.${path}`;
		if (carriedOut(state, id)) continue;
		actions.push({ id, kind: 'remove-folder', title: `Remove ${path}`, why: 'the run made it', path });
	}
	actions.push(...unmountDead(facts.deadMounts));
	// Last, so that it stands by until Docker is well.
	if (isThere(facts.watchdog)) actions.push(...clearAway(facts.watchdog));
	const impact = impactOf(facts, goOn, now);
	return {
		actions: tellsOfStopped(actions, [...running, ...again]),
		impact: impact.stops.length + impact.notes.length > 0 ? impact : undefined,
	};
}

function impactOf(facts: RevertFacts, goOn: ReturnType<typeof runningUnderSysbox>, now: Date): Impact {
	const users = containersThatLose(facts);
	const running = users.filter(c => c.running);
	return {
		stops: [
			...running.map(({ name }) => `${name} (runs under a runtime that goes away)`),
			...goOn.map(({ name }) => `${name} (started again afterwards)`),
		],
		notes: [
			...users.filter(c => !c.running).map(c => `${c.name} is stopped, and cannot be started again without Sysbox`),
			...facts.innerStores.map(
				store => `${store.path} cannot be reached without Sysbox: what ${store.container} has stored inside`,
			),
		],
		containers: [
			...impactOfSysboxStop(running, now, 'stays-stopped'),
			...impactOfSysboxStop(goOn, now, 'started-again'),
		],
	};
}

/** Docker forgets a runtime at a reload only while the file names its absence. */
function forgetRuntime({ loaded, configFile }: RevertFacts, file: PathToRestore | undefined): readonly Action[] {
	const { strangers, defaultBefore, forgetful } = loaded;
	const actions: Action[] = [];
	if (forgetful !== undefined && file !== undefined) {
		if (file.currentSha256 !== sha256(forgetful)) {
			actions.push({
				id: 'forget-runtime',
				kind: 'write',
				title: `Take ${strangers.length > 0 ? strangers.join(', ') : 'the default runtime'} out of ${configFile}`,
				why: 'Docker forgets it at a reload only while the file still names its runtimes; the file from before comes after that',
				path: configFile,
				bytes: forgetful,
				mode: file.before?.mode ?? plainMode,
				expect: file.currentSha256 === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: file.currentSha256 },
				before: sideOf(file),
			});
		}
		actions.push({
			id: 'reload-docker',
			kind: 'exec',
			title: 'Reload Docker',
			why: 'so that it forgets the runtime; running containers are not touched by a reload',
			argv: ['systemctl', 'reload', 'docker'],
			timeoutMs: 60_000,
			undo: { kind: 'none', why: 'a reload only reads the file' },
			whenItFails: ['see what dockerd says (journalctl -u docker -n 50), then start again'],
			waitUntil: forgotten(strangers, defaultBefore),
		});
	}
	return actions;
}

/** What fails after containers were stopped says which, and how they are started. */
function tellsOfStopped(actions: readonly Action[], stopped: readonly StoppedContainer[]): readonly Action[] {
	const from = actions.findIndex(({ id }) => id === stopId);
	if (stopped.length === 0) return actions;
	const names = stopped.map(({ name }) => name);
	const told = `stopped by this revert: ${names.join(', ')}; as long as Sysbox is installed they are started by: ${shellLine(['docker', 'start', ...names])}`;
	return actions.map((action, at) =>
		at <= from || action.id === startId
			? action
			: { ...action, whenItFails: [...(action.whenItFails ?? ['see what hinders it, then start again']), told] },
	);
}

const sysboxPackage = 'sysbox-ce';

/** Whether the version that the run replaced is installed again, from a file that still lies on the host. */
const returnsEarlier = ({ changes, now, earlierFiles }: PackageFacts, name: string): boolean =>
	changes.replaced.some(
		p =>
			p.name === name && earlierFiles.has(name) && now?.some(n => n.name === name && n.version !== p.version) === true,
	);

/** Whether the run brought this package, and it is not on the host any more. */
const isGone = ({ changes, now }: PackageFacts, name: string): boolean =>
	changes.installed.includes(name) &&
	now !== undefined &&
	!now.some(p => p.name === name && p.state !== 'config-files');

function forgotten(strangers: readonly string[], defaultBefore: string | undefined): Readiness {
	const what = [
		...(strangers.length > 0 ? [`docker no longer lists ${strangers.join(', ')}`] : []),
		...(defaultBefore === undefined ? [] : [`the default runtime is ${defaultBefore}`]),
	].join(', and ');
	return {
		what,
		deadlineMs: 15_000,
		check: async (host, signal) => {
			const { info } = await inspectDocker(host, signal);
			if (info.kind !== 'ok') return { kind: 'waiting', seen: describeDockerTrouble(info) };
			const listed = Object.keys(info.value.runtimes);
			const seen = `docker lists ${listed.join(', ')}; the default is ${info.value.defaultRuntime}`;
			const still = listed.some(name => strangers.includes(name));
			const isDefault = defaultBefore === undefined || info.value.defaultRuntime === defaultBefore;
			return !still && isDefault ? { kind: 'settled', evidence: seen } : { kind: 'waiting', seen };
		},
	};
}

/** From a Docker that does not start to one that runs. Bad starts within a minute end in systemd's start limit. */
const startDocker: readonly Action[] = [
	{
		id: 'reset-failed',
		kind: 'exec',
		title: 'Forget the failed starts',
		why: 'systemd starts nothing any more that has failed too often',
		argv: ['systemctl', 'reset-failed', 'docker'],
		timeoutMs: 60_000,
		undo: { kind: 'none', why: 'it only clears a counter' },
	},
	{
		id: 'start-docker',
		kind: 'exec',
		title: 'Start Docker',
		why: 'it did not come up with the file of the run',
		argv: ['systemctl', 'start', 'docker'],
		timeoutMs: 120_000,
		uninterruptible: true,
		undo: { kind: 'none', why: 'it is meant to run' },
		whenItFails: ['see what dockerd says (journalctl -u docker -n 50), then start again'],
		waitUntil: {
			what: 'Docker answers',
			deadlineMs: 60_000,
			check: async (host, signal) => {
				const { info } = await inspectDocker(host, signal);
				return info.kind === 'ok'
					? { kind: 'settled', evidence: `Docker ${info.value.serverVersion} answers` }
					: { kind: 'waiting', seen: describeDockerTrouble(info) };
			},
		},
	},
];

/** Whether there is something to set back, and it is still the run's own value. */
const isOurs = (sets: LiveValue | undefined, live: RevertFacts['live']): boolean =>
	sets === undefined || live.get(sets.file) === sets.after;

function commandActions(
	facts: RevertFacts,
	state: RunState,
	risksOfLeaving: readonly RiskName[],
): readonly { readonly seq: number; readonly action: Action }[] {
	const actions: { seq: number; action: Action }[] = [];
	const undone = new Set<string>();
	for (const { id, of, commands, leaves } of facts.commands) {
		for (const [index, command] of commands.entries()) {
			// An action that a killed run began twice is taken back once, unless its second attempt was another one.
			const line = JSON.stringify(command.argv);
			if (undone.has(line)) continue;
			undone.add(line);
			const plainId = `${id}.${index}`;
			const commandId = undone.has(plainId) ? `${plainId}.${of.seq}` : plainId;
			undone.add(plainId);
			if (carriedOut(state, commandId) || !isOurs(command.sets, facts.live)) continue;
			const risks = leaves.length > 0 && command.sets === undefined ? risksOfLeaving : [];
			actions.push({
				seq: of.seq,
				action: {
					id: commandId,
					kind: 'exec',
					title: command.sets === undefined ? `Take back: ${of.title}` : `Set ${command.argv.at(-1)} again`,
					why: command.why,
					argv: toArgv(command.argv),
					timeoutMs: command.timeoutMs,
					uninterruptible: true,
					...nothingLeftIn(command),
					undo: { kind: 'none', why: 'start a run again to set it up again' },
					...(risks.length > 0 && { risks }),
					...(leaves.length > 0 && command.sets === undefined && { touches: leaves.map(left => `stays: ${left}`) }),
				},
			});
		}
	}
	return actions;
}

/**
 * Words of a command whose object is gone, so that nothing is left to undo. Logs name them where the step knew them; of
 * the others, a unit can have gone with its package (systemctl 257: "Unit file sysbox.service does not exist.").
 */
function nothingLeftIn({ nothingLeft, argv }: UndoCommand): { readonly nothingToDo?: string | undefined } {
	if (nothingLeft !== undefined) return { nothingToDo: nothingLeft };
	return argv[0] === 'systemctl' ? { nothingToDo: 'does not exist' } : {};
}

/** The log's schema says that there is a program; the type of a parsed list cannot. */
const toArgv = ([program = '', ...args]: readonly string[]): Argv => [program, ...args];

/**
 * Containers under a runtime that is taken away: running ones would break, stopped ones cannot be started any more. The
 * runtime goes with the package too, where the run has not written the file that names it.
 */
const containersThatLose = ({
	docker,
	loaded,
	packages,
}: Pick<RevertFacts, 'docker' | 'loaded' | 'packages'>): readonly Container[] => {
	const goes = packages.changes.installed.includes(sysboxPackage) && !isGone(packages, sysboxPackage);
	return containersUnder(docker, [...loaded.brought, ...(goes ? [runtimeName] : [])]);
};

function containersUnder(docker: DockerFacts, strangers: readonly string[]): readonly Container[] {
	if (docker.containers.kind !== 'ok') return [];
	return docker.containers.value.filter(c => strangers.includes(c.runtime));
}
