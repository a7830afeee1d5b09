import { randomBytes } from 'node:crypto';
import { machineId } from '../host/local/machine-identity.ts';
import type { Event } from '../model/event.ts';
import { exitCode } from '../model/exit.ts';
import type { Answers } from '../model/question.ts';
import { reduceAll } from '../model/state.ts';
import { CannotGoOn, WrongInput } from '../model/wrong-input.ts';
import type { Environment } from './environment.ts';
import { takeLock } from './lock.ts';
import { createRunLog, keptAt, type OpenLogResult, type OpenRunLog, openRunLog } from './run-log-files.ts';
import { moveSessionAside, readSession, type Session, type SessionRead, saveSession } from './session.ts';
import { openStateDirectory, type StateDirectory, type StateDirectoryProblem } from './state-directory.ts';

/** A run that this process may write to: lock held, log open. */
export interface OpenedRun {
	readonly run: string;
	readonly log: OpenRunLog;
	/** What an earlier process of the same run logged; empty for a new run. */
	readonly events: readonly Event[];
	readonly answers: Answers;
	readonly saveAnswer: (id: string, value: Answers[string]) => void;
	readonly saveCursor: (step: string) => void;
	/** Resolves when the session is on disk: before a change, as a run that no session names is not gone on with. */
	readonly saved: () => Promise<void>;
	readonly close: () => Promise<void>;
}

/** Outcomes after which a run is not over: the next start goes on with it. */
const goesOn: ReadonlySet<string> = new Set(['interrupted', 'open', 'failed']);

/**
 * Opens the state directory, takes the host's lock and decides which run this process belongs to: one that was interrupted
 * goes on, else a new one begins. A test is always a new run, as it compares the host with what runs there now; it leaves
 * the session as it is, so that an interrupted run can still go on after it. Every problem with what lies there is said
 * with its path, and nothing is written then.
 */
export async function openRun(
	environment: Environment,
	request: {
		readonly mode: 'run' | 'test' | 'revert';
		readonly fresh: boolean;
		/** The run to revert, where the operator named one: a revert of another run is not gone on with. */
		readonly reverts?: string | undefined;
	},
): Promise<OpenedRun> {
	const { host, version, now } = environment;
	const directory = await openDirectory(environment.stateDirectory, true, environment.simulated);
	const taken = await takeLock(directory, {
		user: host.identity.user,
		host: host.identity.hostname,
		tool: version,
		step: 'starting',
		now,
	});
	if (taken.kind === 'locked') {
		const { pid, user, since, ageSeconds, step } = taken.holder;
		const seconds = ageSeconds ?? (now().getTime() - Date.parse(since)) / 1000;
		const minutes = Math.max(0, Math.round(seconds / 60));
		throw new CannotGoOn(
			`another run is at work on this host: pid ${pid}, started by ${user} ${minutes} min ago, at step ${step}.`,
			exitCode.locked,
			[`look at it    ${environment.command} status`, `wait for it, or end it: kill -INT ${pid}`],
		);
	}
	if (taken.kind === 'failed')
		throw new CannotGoOn(`the lock ${taken.file} cannot be taken (${taken.errno}).`, exitCode.failed);
	const { lock } = taken;
	try {
		const machine = machineId() ?? '';
		const session = await readSession(directory, machine === '' ? undefined : machine);
		// A test is a new run anyhow; the session is of the run that it leaves as it is.
		if (request.fresh && request.mode !== 'test') await moveSessionAside(directory, now());
		else if (!request.fresh) refuseSession(session);
		const saved = session.kind === 'session' && !request.fresh ? session.session : undefined;
		const past = saved === undefined ? undefined : await goOn(directory, saved.run, request, environment);

		const run = past?.log.run ?? runName(now());
		const log = past?.log ?? logOnFirstUse(directory, run);
		let current: Session = {
			run,
			machineId: machine,
			answers: past === undefined ? {} : (saved?.answers ?? {}),
			tool: version,
			updatedAt: now().toISOString(),
			...(saved?.cursor !== undefined && past !== undefined && { cursor: saved.cursor }),
		};
		let saving: Promise<unknown> = Promise.resolve();
		let trouble: string | undefined;
		const save = (change: Partial<Session>): void => {
			if (request.mode === 'test') return;
			current = { ...current, ...change, updatedAt: now().toISOString() };
			const snapshot = current;
			saving = saving
				.then(async () => {
					const written = await saveSession(directory, snapshot);
					if (written.kind === 'failed') trouble ??= `${written.file} cannot be written (${written.errno})`;
				})
				.catch(error => {
					trouble ??= String(error);
				});
		};
		return {
			run,
			log,
			events: past?.events ?? [],
			answers: current.answers,
			saveAnswer: (id, value) => save({ answers: { ...current.answers, [id]: value } }),
			saveCursor: step => {
				save({ cursor: step });
				// Which step others are told is not worth a run: on a full disk it stays the earlier one.
				saving = saving.then(() => lock.update(step)).catch(() => undefined);
			},
			saved: async () => {
				await saving;
			},
			close: async () => {
				await saving;
				try {
					await log.close();
				} finally {
					await lock.release();
				}
				// The log is whole, so that nothing is lost; but the answers would be asked again.
				if (trouble !== undefined) throw new CannotGoOn(`the session was not saved: ${trouble}.`, exitCode.failed);
			},
		};
	} catch (error) {
		await lock.release();
		throw error;
	}
}

/** A run that is refused before its first event (a mistyped answer) leaves no log behind. */
function logOnFirstUse(directory: StateDirectory, run: string): OpenRunLog {
	let created: Promise<OpenRunLog> | undefined;
	let begun: OpenRunLog | undefined;
	const log = (): Promise<OpenRunLog> => {
		created ??= createRunLog(directory, run);
		return created;
	};
	return {
		run,
		// Once it is begun, lines that come by the thousand share the promise of the write that takes them all.
		append: (event, how) =>
			begun?.append(event, how) ??
			log().then(opened => {
				begun = opened;
				return opened.append(event, how);
			}),
		keep: async bytes => (await log()).keep(bytes),
		// A log that was not begun keeps nothing, and is not begun by a question.
		kept: async sha256 => (await created)?.kept(sha256),
		keptAt: sha256 => keptAt(directory, run, sha256),
		close: async () => {
			// One that could not be created was told about when the first event was refused.
			await (await created?.catch(() => undefined))?.close();
		},
	};
}

/** Opens the state directory or says what is wrong with it. Nobody gains by exchanging that of a simulated host. */
export async function openDirectory(path: string, create: boolean, simulated: boolean): Promise<StateDirectory> {
	const uid = process.getuid?.() ?? 0;
	const opened = await openStateDirectory(path, { create, uid, above: uid === 0 && !simulated });
	if (opened.kind !== 'open') throw directoryTrouble(opened);
	return opened.directory;
}

function directoryTrouble(problem: StateDirectoryProblem): Error {
	const elsewhere = ['name another one with --session-dir DIR'];
	switch (problem.kind) {
		case 'missing':
			return new CannotGoOn(`there is no saved run: ${problem.path} is not there.`, exitCode.blocked);
		case 'denied':
			return new WrongInput(`the state folder ${problem.path} cannot be opened: permission denied.`, [
				'start again as root',
				...elsewhere,
			]);
		case 'not-a-folder':
			return new WrongInput(
				`the state folder ${problem.path} is ${problem.what === 'link' ? 'a link' : 'no directory'}.`,
				elsewhere,
			);
		case 'foreign':
			return new WrongInput(
				`the state folder ${problem.path} belongs to user id ${problem.uid}; what another user wrote is not resumed or reverted.`,
				elsewhere,
			);
		case 'open-to-others':
			return new WrongInput(
				`others can write into the state folder ${problem.path} (mode ${problem.mode.toString(8)}), so nothing in it can be believed.`,
				[`chmod 700 ${problem.path}   # after you looked at what is in it`, ...elsewhere],
			);
		case 'open-above':
			return new WrongInput(
				`others can write into ${problem.above}, and put another directory in the place of the state folder ${problem.path}.`,
				elsewhere,
			);
		case 'failed':
			return new CannotGoOn(
				`the state folder ${problem.path} cannot be used (${problem.errno}).`,
				problem.errno === 'EROFS' ? exitCode.blocked : exitCode.failed,
				elsewhere,
			);
		default:
			return problem satisfies never;
	}
}

const beginNewRun = ['begin a new run, and keep the old files aside, with --fresh'];

function refuseSession(session: SessionRead): void {
	switch (session.kind) {
		case 'session':
		case 'missing':
			return;
		case 'corrupt':
			throw new WrongInput(`the saved session ${session.file} cannot be read: ${session.what}.`, beginNewRun);
		case 'newer':
			throw new WrongInput(`the saved session ${session.file} was made by a newer version (${session.version}).`, [
				'use that version',
				...beginNewRun,
			]);
		case 'other-machine':
			throw new WrongInput(`the saved session ${session.file} was made on another machine.`, beginNewRun);
		case 'denied':
			throw new WrongInput(`the saved session ${session.file} cannot be read: permission denied.`);
		case 'failed':
			throw new CannotGoOn(`the saved session ${session.file} cannot be read (${session.errno}).`, exitCode.failed);
		default:
			session satisfies never;
	}
}

/** The log of the saved run, when that run is not over and of this kind. */
async function goOn(
	directory: StateDirectory,
	run: string,
	{ mode, reverts }: { readonly mode: 'run' | 'test' | 'revert'; readonly reverts?: string | undefined },
	{ simulated, command }: Environment,
): Promise<Extract<OpenLogResult, { kind: 'open' }> | undefined> {
	const opened = await openRunLog(directory, run);
	if (opened.kind === 'missing') return undefined;
	if (opened.kind !== 'open') throw logTrouble(opened);
	const state = reduceAll(opened.events);
	if (state.start !== undefined && state.start.simulated !== simulated) {
		await opened.log.close();
		throw otherWorld(directory.path, state.start.simulated);
	}
	const over =
		mode === 'test' ||
		state.start === undefined ||
		state.start.mode !== mode ||
		(state.end !== undefined && !goesOn.has(state.end.outcome));
	const other = !over && reverts !== undefined && state.start?.reverts !== reverts ? state.start : undefined;
	if (!over && other === undefined) return opened;
	await opened.log.close();
	// What that revert has done so far is known to its own log only.
	if (other !== undefined && state.actions.length > 0)
		throw new CannotGoOn(
			`the revert of run ${other.reverts ?? ''} has begun and is not finished; run ${reverts ?? ''} is reverted after it.`,
			exitCode.blocked,
			[
				`finish it first                     ${command} revert`,
				`or leave it as it is, and go on     ${command} revert ${reverts ?? ''} --fresh`,
			],
		);
	return undefined;
}

/** What was done on a simulated host says nothing about a real one, nor the other way round. */
export function otherWorld(path: string, simulated: boolean): WrongInput {
	return new WrongInput(`${path} holds a run on a ${simulated ? 'simulated' : 'real'} host, and this is not one.`, [
		'name another folder with --session-dir DIR',
	]);
}

export function logTrouble(problem: Exclude<OpenLogResult, { kind: 'open' }>): Error {
	switch (problem.kind) {
		case 'corrupt':
			return new WrongInput(`the log ${problem.file}:${problem.line} cannot be read: ${problem.what}.`, beginNewRun);
		case 'newer':
			return new WrongInput(`the log ${problem.file} was made by a newer version (${problem.version}).`, [
				'use that version',
				...beginNewRun,
			]);
		case 'missing':
			return new CannotGoOn(`the log ${problem.file} is gone.`, exitCode.blocked);
		case 'denied':
			return new WrongInput(`the log ${problem.file} cannot be read: permission denied.`, ['start again as root']);
		case 'failed':
			return new CannotGoOn(`the log ${problem.file} cannot be read (${problem.errno}).`, exitCode.failed);
		default:
			return problem satisfies never;
	}
}

/** Sorts by time, and two runs of one second differ. */
const runName = (now: Date): string =>
	`${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()}-${randomBytes(2).toString('hex')}`;
