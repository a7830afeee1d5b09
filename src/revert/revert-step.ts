import { createHash } from 'node:crypto';
import type { Action, Impact, Plan } from '../core/action.ts';
import type { UndoRecord } from '../core/event.ts';
import type { Finding } from '../core/finding.ts';
import type { RiskName } from '../core/risk.ts';
import { type ActionState, actionsToRevert, type RunState } from '../core/state.ts';
import { changeStep, type JudgeContext, type Step, type StepContext } from '../core/step.ts';
import { type DaemonJsonWish, planDaemonJson, readDaemonJson } from '../edit/daemon-json.ts';
import { impactOfStop } from '../facts/container-impact.ts';
import type { Container } from '../facts/docker-container.ts';
import { type DockerFacts, describeDockerTrouble, inspectDocker } from '../facts/docker-daemon.ts';
import type { Argv, ReadResult } from '../host/port.ts';

const daemonJson = '/etc/docker/daemon.json';

/** Owner and mode of a new file where the log names none. */
const plainMode = 0o644;

type FileUndo = Extract<UndoRecord, { kind: 'file' }>;

/** One path as the run found it, as it left it, and as it is. */
interface PathToRestore {
	readonly path: string;
	/** null: there was nothing. */
	readonly before: FileUndo['before'];
	/** The bytes from before; undefined although `before` names some: the backup is gone or damaged. */
	readonly bytes: Uint8Array | undefined;
	readonly current: ReadResult;
	readonly currentSha256: string | undefined;
	/** What the run itself may have left there: anything else is somebody else's change. */
	readonly ours: ReadonlySet<string>;
}

interface RevertFacts {
	readonly paths: readonly PathToRestore[];
	readonly folders: readonly string[];
	readonly commands: readonly {
		readonly id: string;
		readonly of: ActionState;
		readonly undo: Extract<UndoRecord, { kind: 'commands' }>;
	}[];
	readonly docker: DockerFacts;
	/** Names of runtimes that Docker serves now and that the file from before does not define. */
	readonly strangers: readonly string[];
	/** The way station that makes Docker forget: the old file, with the runtime taken out by name. */
	readonly forgetful: Uint8Array | undefined;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Takes a run back, as a change step like any other: so that it is shown, approved, logged, resumed after a kill, and
 * done only when nothing is left to do. daemon.json first, then packages, then the comparison, which is the engine's
 * second look.
 */
export function revertStep(original: RunState, kept: (sha256: string) => Promise<Uint8Array | undefined>): Step {
	return changeStep<RevertFacts>({
		id: 'revert',
		title: 'Take the run back',
		why: 'puts back every file byte for byte and every package selection that the run changed',
		brief: 'puts files and packages back',
		needs: [],
		inspect: context => inspectRevert(original, kept, context),
		judge: (facts, context) => judgeRevert(facts, context.state),
		plan: (facts, context) => planRevert(facts, context),
	});
}

async function inspectRevert(
	original: RunState,
	kept: (sha256: string) => Promise<Uint8Array | undefined>,
	context: StepContext,
): Promise<RevertFacts> {
	const actions = actionsToRevert(original);
	const byPath = new Map<string, FileUndo[]>();
	for (const { undo } of actions)
		if (undo.kind === 'file') byPath.set(undo.path, [undo, ...(byPath.get(undo.path) ?? [])]);

	const docker = await inspectDocker(context.host, context.signal);
	const paths: PathToRestore[] = [];
	for (const [path, undos] of byPath) {
		const first = undos[0];
		if (first === undefined) continue;
		const bytes = first.before === null ? undefined : await kept(first.before.sha256);
		const current = await context.host.readFile(path, { maxBytes: 64 * 1024 * 1024 });
		const digest = current.kind === 'too-large' ? await context.host.digest(path) : undefined;
		paths.push({
			path,
			before: first.before,
			bytes,
			current,
			currentSha256:
				current.kind === 'bytes' ? sha256(current.bytes) : digest?.kind === 'digest' ? digest.sha256 : undefined,
			ours: new Set(undos.flatMap(undo => [undo.after ?? 'missing', undo.before?.sha256 ?? 'missing'])),
		});
	}

	const file = paths.find(p => p.path === daemonJson);
	const wanted = file === undefined ? undefined : (file.bytes ?? 'missing');
	const view = wanted === undefined ? undefined : readDaemonJson(wanted);
	const loaded = docker.info.kind === 'ok' ? Object.keys(docker.info.value.runtimes) : [];
	const now = file?.current.kind === 'bytes' ? readDaemonJson(file.current.bytes) : undefined;
	const added = now?.kind === 'read' ? [...now.view.runtimes.keys()] : [];
	const ownBefore = view?.kind === 'read' ? view.view.runtimes : new Map<string, unknown>();
	const registeredByRun = new Set([...added, ...(await runtimesWritten(original, kept))]);
	const strangers =
		wanted === undefined ? [] : loaded.filter(name => registeredByRun.has(name) && !ownBefore.has(name));

	return {
		paths,
		folders: actions.flatMap(({ undo }) => (undo.kind === 'folder' ? [undo.path] : [])),
		commands: actions.flatMap(action =>
			action.undo.kind === 'commands' ? [{ id: `${action.step}.${action.id}`, of: action, undo: action.undo }] : [],
		),
		docker,
		strangers,
		forgetful: wanted === undefined || strangers.length === 0 ? undefined : forget(wanted, strangers, docker),
	};
}

/** Runtimes that any file written by the run defined: a file that was since removed can still be loaded in the daemon. */
async function runtimesWritten(
	original: RunState,
	kept: (sha256: string) => Promise<Uint8Array | undefined>,
): Promise<readonly string[]> {
	const names: string[] = [];
	for (const { undo } of original.actions) {
		if (undo.kind !== 'file' || undo.path !== daemonJson || undo.after === null) continue;
		const bytes = await kept(undo.after);
		const read = bytes === undefined ? undefined : readDaemonJson(bytes);
		if (read?.kind === 'read') names.push(...read.view.runtimes.keys());
	}
	return names;
}

/**
 * dockerd keeps a runtime whose key is missing after a reload (moby daemon/reload_unix.go), so that the file from
 * before alone would leave it registered until the next restart. This one names the absence.
 */
function forget(
	wanted: Uint8Array | 'missing',
	strangers: readonly string[],
	docker: DockerFacts,
): Uint8Array | undefined {
	let bytes = wanted;
	for (const name of strangers) {
		const serves = docker.info.kind === 'ok' && docker.info.value.defaultRuntime === name;
		// Put in and taken out again: what stays is an explicit `runtimes` without it, also where there was none.
		const wishes: readonly DaemonJsonWish[] = [
			{ runtime: { name, path: `/usr/bin/${name}` } },
			{ withoutRuntime: name, ...(serves && { defaultRuntime: 'runc' }) },
		];
		for (const wish of wishes) {
			const plan = planDaemonJson(bytes, wish);
			if (plan.kind === 'refused') return undefined;
			if (plan.kind === 'edited') bytes = plan.bytes;
		}
	}
	return bytes === 'missing' ? undefined : bytes;
}

const isRestored = (path: PathToRestore): boolean =>
	path.before === null ? path.current.kind === 'missing' : path.currentSha256 === path.before.sha256;

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
	if (path.path === daemonJson && facts.forgetful !== undefined && sha256(facts.forgetful) === path.currentSha256)
		return false;
	return !path.ours.has(path.currentSha256);
}

function judgeRevert(facts: RevertFacts, state: RunState): readonly Finding[] {
	const findings: Finding[] = [];
	for (const path of facts.paths) {
		if (isRestored(path)) {
			findings.push({ id: 'revert.file', severity: 'ok', summary: `${path.path} is as it was before the run` });
		} else if (path.before !== null && path.bytes === undefined) {
			findings.push({
				id: 'revert.backup-gone',
				severity: 'block',
				summary: `the bytes of ${path.path} from before the run are gone`,
				evidence: `no file with sha256 ${path.before.sha256} in the run's backup folder`,
				remedy: { kind: 'advice', text: 'put the file back from your own backup, then start this again' },
			});
		} else if (isForeign(path, facts, state)) {
			findings.push({
				id: 'revert.changed-since',
				severity: 'block',
				summary: `${path.path} was changed by somebody else since the run`,
				evidence:
					path.currentSha256 === undefined
						? `it is ${path.current.kind} now`
						: `sha256 now ${path.currentSha256}, after the run ${[...path.ours].join(' or ')}`,
				why: 'putting the old bytes back would undo that change too',
				remedy: {
					kind: 'advice',
					text: 'keep what was changed elsewhere, put the file back to what the run left, then start this again',
				},
			});
		} else {
			findings.push({
				id: 'revert.file',
				severity: 'info',
				summary: `${path.path} is as the run left it`,
				remedy: {
					kind: 'planned',
					text: path.before === null ? 'it is removed' : 'its bytes from before are put back',
				},
			});
		}
	}
	if (facts.strangers.length > 0 && facts.forgetful === undefined) {
		findings.push({
			id: 'revert.still-loaded',
			severity: 'warn',
			summary: `Docker serves ${facts.strangers.join(', ')} until its next restart`,
			why: 'a reload forgets a runtime only when the file names the absence, and this file cannot be edited so',
			remedy: {
				kind: 'commands',
				text: 'restart Docker when no job runs',
				commands: ['systemctl restart docker'],
			},
		});
	}
	if (facts.docker.info.kind !== 'ok' && facts.paths.some(p => p.path === daemonJson && !isRestored(p))) {
		findings.push({
			id: 'revert.docker',
			severity: 'block',
			summary: `Docker has to forget the runtime, and cannot be asked: ${describeDockerTrouble(facts.docker.info)}`,
		});
	}
	return findings;
}

/** The undo that a finished action of this revert has already carried out. */
const carriedOut = (state: RunState, id: string): boolean =>
	state.actions.some(action => action.id === id && action.outcome === 'done');

function planRevert(facts: RevertFacts, { state, now }: JudgeContext): Plan {
	const actions: Action[] = [];
	const file = facts.paths.find(p => p.path === daemonJson);
	const users = runningUnder(facts);

	if (facts.strangers.length > 0 && facts.forgetful !== undefined && file !== undefined) {
		const forgetful = facts.forgetful;
		if (file.currentSha256 !== sha256(forgetful)) {
			actions.push({
				id: 'forget-runtime',
				kind: 'write',
				title: `Write ${daemonJson} without the runtime, by name`,
				why: 'Docker keeps a runtime whose key is merely missing until its next restart',
				path: daemonJson,
				bytes: forgetful,
				mode: file.before?.mode ?? plainMode,
				expect: file.currentSha256 === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: file.currentSha256 },
				...(file.current.kind === 'bytes' && { before: new TextDecoder().decode(file.current.bytes) }),
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
			settle: {
				what: `docker no longer lists ${facts.strangers.join(', ')}`,
				deadlineMs: 15_000,
				check: async (host, signal) => {
					const { info } = await inspectDocker(host, signal);
					if (info.kind !== 'ok') return { kind: 'waiting', seen: describeDockerTrouble(info) };
					const listed = Object.keys(info.value.runtimes);
					const still = listed.filter(name => facts.strangers.includes(name));
					return still.length === 0
						? { kind: 'settled', evidence: `docker lists ${listed.join(', ')}` }
						: { kind: 'waiting', seen: `docker lists ${still.join(', ')}` };
				},
			},
		});
	}
	for (const path of [...facts.paths].sort((a, b) => Number(b.path === daemonJson) - Number(a.path === daemonJson))) {
		const station = path.path === daemonJson ? facts.forgetful : undefined;
		if (isRestored(path) && station === undefined) continue;
		const restored = restoreAction(path, station === undefined ? path.currentSha256 : sha256(station));
		if (restored !== undefined) actions.push(restored);
	}
	const undone = new Set<string>();
	for (const { id, of, undo } of facts.commands) {
		for (const [index, command] of undo.commands.entries()) {
			// An action that a killed run began twice is taken back once, unless its second attempt was another one.
			const line = JSON.stringify(command.argv);
			if (undone.has(line)) continue;
			undone.add(line);
			const plainId = `${id}.${index}`;
			const commandId = undone.has(plainId) ? `${plainId}.${of.seq}` : plainId;
			undone.add(plainId);
			if (carriedOut(state, commandId)) continue;
			const risks: readonly RiskName[] =
				users.length > 0 && undo.leaves !== undefined ? ['stop-containers', 'lose-inner-stores'] : [];
			actions.push({
				id: commandId,
				kind: 'exec',
				title: `Take back: ${of.title}`,
				why: command.why,
				argv: toArgv(command.argv),
				timeoutMs: command.timeoutMs,
				uninterruptible: true,
				...(command.nothingLeft !== undefined && { nothingToDo: command.nothingLeft }),
				undo: { kind: 'none', why: 'start a run again to set it up again' },
				...(risks.length > 0 && { risks }),
				...(undo.leaves !== undefined && { touches: undo.leaves.map(left => `stays: ${left}`) }),
			});
		}
	}
	for (const path of facts.folders) {
		const id = `folder.${path}`;
		if (carriedOut(state, id)) continue;
		actions.push({ id, kind: 'remove-folder', title: `Remove ${path}`, why: 'the run made it', path });
	}
	const impact: Impact = {
		stops: users.map(({ name }) => `${name} (runs under a runtime that goes away)`),
		notes: [],
		containers: users.map(user => ({ ...impactOfStop(user, false, now), fate: 'breaks' as const })),
	};
	return { actions, ...(impact.stops.length > 0 && { impact }) };
}

/** The log's schema says that there is a program; the type of a parsed list cannot. */
const toArgv = ([program = '', ...args]: readonly string[]): Argv => [program, ...args];

function restoreAction(path: PathToRestore, found: string | undefined): Action | undefined {
	const expect = found === undefined ? ({ kind: 'missing' } as const) : ({ kind: 'sha256', sha256: found } as const);
	const text = path.current.kind === 'bytes' ? new TextDecoder().decode(path.current.bytes) : undefined;
	const shared = { id: `file.${path.path}`, path: path.path, expect, ...(text !== undefined && { before: text }) };
	if (path.before === null) {
		if (found === undefined) return undefined;
		return {
			...shared,
			kind: 'remove',
			title: `Remove ${path.path}`,
			why: 'it was not there before the run',
			withoutBackup: true,
		};
	}
	if (path.bytes === undefined) return undefined;
	const { mode, uid, gid } = path.before;
	return {
		...shared,
		kind: 'write',
		title: `Put ${path.path} back`,
		why: 'byte for byte as it was before the run',
		bytes: path.bytes,
		mode,
		owner: { uid, gid },
	};
}

/** Running containers under a runtime that is taken away: they would break, so they are named first. */
function runningUnder(facts: RevertFacts): readonly Container[] {
	if (facts.docker.containers.kind !== 'ok') return [];
	return facts.docker.containers.value.filter(c => c.running && facts.strangers.includes(c.runtime));
}

/** What a revert of this run does not take back, for the record and the screen. */
export function leftByRevert(original: RunState): readonly string[] {
	return actionsToRevert(original).flatMap(({ undo }) => (undo.kind === 'commands' ? (undo.leaves ?? []) : []));
}
