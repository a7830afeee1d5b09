import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Action, Settle, Undo } from '../model/action.ts';
import type { ActionFailure, ApplyResult } from '../model/decider.ts';
import { type Emit, type UndoRecord, undoRecordSchema } from '../model/event.ts';
import { handedOverKey } from '../model/hands-off.ts';
import { doesWhat, showAction } from '../model/shown-action.ts';
import type { RunState } from '../model/state.ts';
import type { StepId } from '../model/step.ts';
import type { ExecResult, Expected, OutputLine, WriteHost, WriteResult } from '../port/host.ts';
import { lineRedactor, redact, redactDeep, redactLines } from '../text/redact.ts';
import { shellLine } from '../text/shell-line.ts';
import { imageLayers } from './image-layers.ts';

export interface ApplyDeps {
	readonly host: WriteHost;
	readonly emit: Emit;
	/** Keeps the bytes from before under their sha256, on disk before it answers. */
	readonly keep: (bytes: Uint8Array) => Promise<string>;
	readonly kept: (sha256: string) => Promise<Uint8Array | undefined>;
	/** The file that holds them. */
	readonly keptAt: (sha256: string) => string;
	readonly state: () => RunState;
	/** Milliseconds by a clock that nobody can set. */
	readonly elapsed: () => number;
	/** Waits; rejects never, ends early when the signal aborts. */
	readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
	readonly signal: AbortSignal;
	/** Why an action is not to be begun any more (--until). */
	readonly outOfWindow?: (action: Action) => string | undefined;
}

/** Files larger than this are not ours to change; a backup of one would fill the disk. */
const maxBackupBytes = 16 * 1024 * 1024;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

type Done =
	| { readonly kind: 'done'; readonly evidence?: string; readonly inPlace?: true }
	| { readonly kind: 'manual'; readonly evidence?: string }
	| { readonly kind: 'interrupted' }
	| {
			readonly kind: 'failed' | 'stale';
			readonly said: string;
			readonly why?: string;
			/** What is true on the host, where that is another thing than for every action of its kind. */
			readonly now?: string;
			readonly next: readonly string[];
	  };

type Prepared =
	| { readonly kind: 'prepared'; readonly undo: UndoRecord; readonly bytes?: Uint8Array }
	| Extract<Done, { said: string }>;

/**
 * Carries out one action: intent on disk first, with everything that an undo needs; then the change; then the wait for
 * its effect; then the outcome on disk. When the change or the wait fails, the action's rollback runs before the
 * failure is told, so that what the operator reads about the host is true.
 */
export async function applyAction(step: StepId, action: Action, deps: ApplyDeps): Promise<ApplyResult> {
	const late = deps.outOfWindow?.(action);
	if (late !== undefined) return { kind: 'postponed', why: late };
	const guarded = await action.guard?.(deps.host, deps.signal);
	if (guarded?.kind === 'stale')
		return { kind: 'stale', failure: failureOf(action, { kind: 'stale', said: guarded.said, next: [] }) };
	if (guarded?.seen !== undefined) await deps.emit({ type: 'observed', step, ...guarded.seen });
	const began = deps.elapsed();
	const prepared = await prepare(action, deps);
	if (prepared.kind === 'failed') return { kind: 'failed', failure: failureOf(action, prepared), undidMore: false };
	if (prepared.kind !== 'prepared') return { kind: 'stale', failure: failureOf(action, prepared) };

	const shown = showAction(action, sha256);
	await deps.emit({
		type: 'action.intent',
		step,
		action: action.id,
		title: action.title,
		kind: action.kind,
		does: shown.does,
		...(shown.diff && { diff: shown.diff }),
		undo: redactUndo(prepared.undo),
		...(action.takesBack !== undefined && { takesBack: [...action.takesBack] }),
	});
	let done = await carryOut(step, action, prepared.bytes, deps);
	if (done.kind === 'done') done = withBackup(done, action, prepared.undo, deps);
	if (done.kind === 'done' && action.settle !== undefined) done = await settle(step, action, action.settle, deps, done);
	if (done.kind === 'failed' && action.explain !== undefined) done = await explained(done, step, action, deps);

	const ms = Math.round(deps.elapsed() - began);
	switch (done.kind) {
		case 'done':
			await deps.emit({
				type: 'action.outcome',
				step,
				action: action.id,
				outcome: 'done',
				ms,
				...(done.evidence !== undefined && { evidence: redact(done.evidence) }),
				...(done.inPlace === true && { inPlace: true as const }),
			});
			return { kind: 'done' };
		case 'manual':
			await deps.emit({
				type: 'action.outcome',
				step,
				action: action.id,
				outcome: 'manual',
				ms,
				...(done.evidence !== undefined && { evidence: done.evidence }),
			});
			return { kind: 'manual', ...(done.evidence !== undefined && { evidence: done.evidence }) };
		case 'interrupted':
			await deps.emit({ type: 'action.outcome', step, action: action.id, outcome: 'interrupted', ms });
			return { kind: 'interrupted' };
		case 'stale':
			await deps.emit({
				type: 'action.outcome',
				step,
				action: action.id,
				outcome: 'refused',
				ms,
				failure: redactDeep({ said: done.said, next: [...done.next] }),
			});
			return { kind: 'stale', failure: failureOf(action, done) };
		case 'failed': {
			const rolledBack = await rollBack(step, action, deps);
			const now = rolledBack?.now ?? done.now ?? whatIsNow(action, prepared.undo);
			const failure = { ...failureOf(action, done), now: redact(now) };
			await deps.emit({
				type: 'action.outcome',
				step,
				action: action.id,
				outcome: rolledBack?.complete === true ? 'rolled-back' : 'failed',
				ms: Math.round(deps.elapsed() - began),
				failure: redactDeep({
					said: failure.said,
					...(failure.why !== undefined && { why: failure.why }),
					now: failure.now,
					next: [...failure.next],
				}),
			});
			return { kind: 'failed', failure, undidMore: rolledBack?.undidMore === true };
		}
		default:
			return done satisfies never;
	}
}

/** The cause from the host's own log, before what the command or the wait said. */
async function explained(
	failed: Extract<Done, { said: string }>,
	step: StepId,
	action: Action,
	deps: ApplyDeps,
): Promise<Done> {
	// Also for whoever stops the run: it is a read with a deadline of its own.
	const cause = await action.explain?.(deps.host, new AbortController().signal, begunAt(step, action, deps));
	if (cause === undefined || failed.said.includes(cause)) return failed;
	return { ...failed, said: `${redact(cause)}\n${failed.said}` };
}

/** Where the old bytes of a file are, for whoever looks for them without this tool. No later run overwrites them. */
function withBackup(done: Extract<Done, { kind: 'done' }>, action: Action, undo: UndoRecord, deps: ApplyDeps): Done {
	if ((action.kind !== 'write' && action.kind !== 'remove') || undo.kind !== 'file' || undo.before === null)
		return done;
	const kept = `the bytes from before are in ${deps.keptAt(undo.before.sha256)}`;
	return { ...done, evidence: done.evidence === undefined ? kept : `${done.evidence}; ${kept}` };
}

function failureOf(action: Action, done: Extract<Done, { said: string }>): ActionFailure {
	return {
		action,
		said: redact(done.said),
		...(done.why !== undefined && { why: done.why }),
		// What was only looked at again and not tried has not failed.
		next: done.kind === 'failed' ? waysOn(action, done.next) : done.next,
	};
}

function waysOn(action: Action, said: readonly string[]): readonly string[] {
	const ways = [...said, ...(action.whenItFails ?? [])];
	return ways.length > 0 ? ways : [`see what hinders it (${doesWhat(action)}), then start again`];
}

/** What is true on the host after an action that failed and has no way back of its own. */
function whatIsNow(action: Action, undo: UndoRecord): string {
	switch (action.kind) {
		case 'write':
		case 'restore':
		case 'remove':
		case 'remove-folder':
			return `${action.path} is as it was before this action`;
		case 'make-folder':
			return `${action.path} was not made`;
		case 'download':
		case 'copy':
			return `nothing was put at ${action.to}`;
		case 'manual':
			return 'this tool has changed nothing here';
		case 'exec':
		case 'signal':
		case 'load-image':
			return undo.kind === 'none'
				? `it has no way back of its own: ${undo.why}`
				: 'what it did until then is taken back by revert; a second start goes on from there';
		default:
			return action satisfies never;
	}
}

/** An undo names argv and paths of this host; only free text in it can hold a secret. */
const redactUndo = (undo: UndoRecord): UndoRecord => (undo.kind === 'none' ? { ...undo, why: redact(undo.why) } : undo);

async function prepare(action: Action, deps: ApplyDeps): Promise<Prepared> {
	switch (action.kind) {
		case 'write': {
			const prepared = await prepareFile(action.path, action.expect, sha256(action.bytes), deps);
			// So that revert can show what somebody has made of them since.
			if (prepared.kind === 'prepared') await deps.keep(action.bytes);
			return prepared;
		}
		case 'remove':
			return action.withoutBackup === true
				? prepareRemoval(action.path, action.expect, deps)
				: prepareFile(action.path, action.expect, null, deps);
		case 'restore':
			return prepareRestore(action, deps);
		case 'make-folder': {
			const there = await deps.host.stat(action.path);
			// A folder that was there before is not ours to remove.
			return {
				kind: 'prepared',
				undo:
					there.kind === 'found'
						? { kind: 'none', why: `${action.path} was there already` }
						: { kind: 'folder', path: action.path },
			};
		}
		case 'remove-folder':
			return { kind: 'prepared', undo: { kind: 'none', why: 'it was empty' } };
		case 'download':
			return { kind: 'prepared', undo: { kind: 'file', path: action.to, before: null, after: action.sha256 ?? null } };
		case 'copy':
			return { kind: 'prepared', undo: { kind: 'file', path: action.to, before: null, after: action.sha256 } };
		case 'load-image':
			return {
				kind: 'prepared',
				undo: {
					kind: 'commands',
					commands: [
						{
							argv: ['docker', 'image', 'rm', action.image],
							timeoutMs: 60_000,
							why: 'the image was loaded for the proofs',
							nothingLeft: 'No such image',
						},
					],
				},
			};
		case 'exec':
		case 'signal': {
			return { kind: 'prepared', undo: recordOf(action.undo) };
		}
		case 'manual':
			return { kind: 'prepared', undo: { kind: 'none', why: 'done by hand' } };
		default:
			return action satisfies never;
	}
}

/** The same undo as it is logged: plain data of its own. */
function recordOf(undo: Undo): UndoRecord {
	switch (undo.kind) {
		case 'none':
			return { kind: 'none', why: undo.why };
		case 'restore-file':
			return { kind: 'none', why: 'the files that it reads are put back on their own' };
		case 'commands':
		case 'packages':
			return undoRecordSchema.parse(undo);
		default:
			return undo satisfies never;
	}
}

async function prepareFile(path: string, expect: Expected, after: string | null, deps: ApplyDeps): Promise<Prepared> {
	const current = await deps.host.readFile(path, { maxBytes: maxBackupBytes });
	switch (current.kind) {
		case 'missing':
			if (expect.kind !== 'missing')
				return { kind: 'stale', said: `${path} is gone since the plan was shown`, next: [] };
			return { kind: 'prepared', undo: { kind: 'file', path, before: null, after } };
		case 'bytes': {
			const found = sha256(current.bytes);
			if (expect.kind === 'missing' || expect.sha256 !== found)
				return { kind: 'stale', said: `${path} changed since the plan was shown`, next: [] };
			await deps.keep(current.bytes);
			const { mode, uid, gid } = current.meta;
			return { kind: 'prepared', undo: { kind: 'file', path, before: { sha256: found, mode, uid, gid }, after } };
		}
		case 'denied':
			return { kind: 'failed', said: `${path}: permission denied`, next: ['start again as root'] };
		case 'too-large':
			return {
				kind: 'failed',
				said: `${path} is ${current.size} bytes; nothing over ${current.limit} is changed`,
				next: [],
			};
		case 'not-a-file':
			return { kind: 'failed', said: `${path} is a ${current.what}, not a file`, next: [] };
		case 'failed':
			return { kind: 'failed', said: `${path} could not be read (${current.errno})`, next: [] };
		default:
			return current satisfies never;
	}
}

/** Compares by digest, as a stream: what is removed without a backup can be a package or an archive of images. */
async function prepareRemoval(path: string, expect: Expected, deps: ApplyDeps): Promise<Prepared> {
	const found = await deps.host.digest(path);
	const same = found.kind === 'digest' && expect.kind === 'sha256' && found.sha256 === expect.sha256;
	if (!same) return { kind: 'stale', said: `${path} changed since the plan was shown`, next: [] };
	return { kind: 'prepared', undo: { kind: 'none', why: 'the run that is taken back had made it' } };
}

/** Keeps a file as it is before others write it: Docker may not come up with what they write. */
async function noteHandedOver(step: StepId, path: string, deps: ApplyDeps): Promise<void> {
	const now = await deps.host.readFile(path, { maxBytes: maxBackupBytes });
	if (now.kind !== 'bytes' && now.kind !== 'missing') return;
	const value = { path, sha256: now.kind === 'bytes' ? await deps.keep(now.bytes) : null };
	await deps.emit({ type: 'observed', step, key: handedOverKey(path), value });
}

type Restore = Extract<Action, { kind: 'restore' }>;

/** What this run replaced at the path, as its undo describes it: the last of it, or the first. */
const replaced = ({ path, first }: Restore, deps: ApplyDeps): Extract<UndoRecord, { kind: 'file' }> | undefined => {
	const writes = deps
		.state()
		.actions.filter(
			a => a.undo.kind === 'file' && a.undo.path === path && a.kind !== 'restore' && a.outcome !== 'refused',
		);
	const undo = (first === true ? writes[0] : writes.at(-1))?.undo;
	return undo?.kind === 'file' ? undo : undefined;
};

function ownedBefore(action: Restore, deps: ApplyDeps): { mode: number; owner?: { uid: number; gid: number } } {
	const before = replaced(action, deps)?.before;
	return before == null ? { mode: 0o644 } : { mode: before.mode, owner: { uid: before.uid, gid: before.gid } };
}

async function prepareRestore(action: Restore, deps: ApplyDeps): Promise<Prepared> {
	const { path } = action;
	const last = replaced(action, deps);
	if (last === undefined) return { kind: 'failed', said: `this run has not changed ${path}`, next: [] };
	const { before } = last;
	const bytes = before === null ? undefined : await deps.kept(before.sha256);
	if (before !== null && bytes === undefined)
		return { kind: 'failed', said: `the backup of ${path} is gone`, next: [] };
	const current = await deps.host.readFile(path, { maxBytes: maxBackupBytes });
	if (current.kind !== 'bytes' && current.kind !== 'missing')
		return { kind: 'failed', said: `${path} cannot be read (${current.kind})`, next: [] };
	const now =
		current.kind === 'bytes'
			? {
					sha256: await deps.keep(current.bytes),
					mode: current.meta.mode,
					uid: current.meta.uid,
					gid: current.meta.gid,
				}
			: null;
	return {
		kind: 'prepared',
		undo: { kind: 'file', path, before: now, after: before?.sha256 ?? null },
		...(bytes !== undefined && { bytes }),
	};
}

async function carryOut(step: StepId, action: Action, bytes: Uint8Array | undefined, deps: ApplyDeps): Promise<Done> {
	const { host, signal } = deps;
	/** Output and progress are for the eye: they are logged, but nothing waits for the disk. */
	const redactors = { stdout: lineRedactor(), stderr: lineRedactor() };
	const report = (line: OutputLine): void => {
		const text = redactors[line.stream](line.text);
		void deps.emit({ type: 'output', step, action: action.id, stream: line.stream, line: text });
	};
	switch (action.kind) {
		case 'exec': {
			const { retryWhile } = action;
			const layersAt = action.tells === undefined ? undefined : imageLayers();
			const reportAll = (line: OutputLine): void => {
				report(line);
				const at = layersAt?.(line.text);
				if (at !== undefined) void deps.emit({ type: 'progress', step, action: action.id, ...at });
			};
			const deadline = deps.elapsed() + (retryWhile?.deadlineMs ?? 0);
			for (let attempt = 0; ; ) {
				const result = await host.run(action.argv, {
					timeoutMs: action.timeoutMs,
					onLine: reportAll,
					...(action.uninterruptible !== true && { signal }),
				});
				if (result.code === 0) return { kind: 'done' };
				if (result.problem === 'cancelled') return { kind: 'interrupted' };
				if (action.settledByLook === true && result.problem === undefined) return { kind: 'done' };
				if (action.nothingToDo !== undefined && `${result.stdout}\n${result.stderr}`.includes(action.nothingToDo))
					return { kind: 'done', evidence: 'there was nothing to do' };
				if (retryWhile?.says.test(`${result.stdout}\n${result.stderr}`) === true && deps.elapsed() < deadline) {
					await deps.pause(retryWhile.everyMs, signal);
					if (signal.aborted) return { kind: 'interrupted' };
					continue;
				}
				// Asked even of a run that is being stopped: what is told about the host has to be true.
				const judged = await action.judgeFailure?.(host, new AbortController().signal);
				if (judged?.kind === 'done') return judged;
				if (judged?.kind === 'stale') return { ...judged, next: [] };
				attempt += 1;
				const again = attempt <= (action.retries ?? 0) && !(await isHopeless(action, deps));
				const said = sayExec(action.argv[0], result);
				if (!again) return { kind: 'failed', said, next: [] };
				const cause = await action.explain?.(host, signal, begunAt(step, action, deps));
				report({
					stream: 'stderr',
					text: `attempt ${attempt} of ${(action.retries ?? 0) + 1} failed, trying again: ${(cause ?? said).replace(/\s*\n\s*/g, '; ')}`,
				});
			}
		}
		case 'write': {
			const owner = action.asFolderOwner === true ? await folderOwner(host, dirname(action.path)) : action.owner;
			if (owner === 'unknown')
				return { kind: 'failed', said: `the folder of ${action.path} cannot be looked at`, next: [] };
			const validate = action.validateWith;
			return sayWrite(
				action.path,
				await host.replaceFile(action.path, action.bytes, {
					expect: action.expect,
					mode: action.mode,
					...(owner !== undefined && { owner }),
					...(validate !== undefined && { validateWith: validate }),
				}),
			);
		}
		case 'restore': {
			const current = await host.readFile(action.path, { maxBytes: maxBackupBytes });
			const expect: Expected =
				current.kind === 'bytes' ? { kind: 'sha256', sha256: sha256(current.bytes) } : { kind: 'missing' };
			if (bytes === undefined)
				return expect.kind === 'missing'
					? { kind: 'done' }
					: sayWrite(action.path, await host.removeFile(action.path, { expect }));
			const { mode, owner } = ownedBefore(action, deps);
			return sayWrite(
				action.path,
				await host.replaceFile(action.path, bytes, { expect, mode, ...(owner !== undefined && { owner }) }),
			);
		}
		case 'remove':
			return sayWrite(action.path, await host.removeFile(action.path, { expect: action.expect }));
		case 'make-folder': {
			const owner = action.asFolderOwner === true ? await folderOwner(host, dirname(action.path)) : undefined;
			if (owner === 'unknown')
				return { kind: 'failed', said: `the folder of ${action.path} cannot be looked at`, next: [] };
			return sayWrite(
				action.path,
				await host.makeFolder(action.path, { mode: action.mode, ...(owner !== undefined && { owner }) }),
			);
		}
		case 'remove-folder': {
			const result = await host.removeFolder(action.path);
			// What others put there keeps the folder: that is a leftover to name, not a failure of the way back.
			if (result.kind === 'failed' && (result.errno === 'ENOTEMPTY' || result.errno === 'ENOENT'))
				return { kind: 'done', evidence: result.errno === 'ENOENT' ? 'was gone already' : 'stays, as it is not empty' };
			return sayWrite(action.path, result);
		}
		case 'signal': {
			const sent = await host.signal(action.pid, action.signal);
			if (sent.kind === 'sent') return { kind: 'done' };
			return {
				kind: 'failed',
				said: `${action.program} (pid ${action.pid}): ${sent.kind === 'denied' ? 'not permitted' : 'is not running'}`,
				next: [],
			};
		}
		case 'download': {
			const result = await host.download(action.url, action.to, {
				maxBytes: action.maxBytes,
				timeoutMs: 15 * 60_000,
				signal,
				onProgress: tellProgress(step, action, deps),
			});
			if (signal.aborted) return { kind: 'interrupted' };
			if (result.kind === 'failed')
				return {
					kind: 'failed',
					said: result.message,
					...(unreachable(result.message) && {
						why: 'this host does not reach that one: no way to the internet, no name service, or a proxy that was not named (HTTPS_PROXY)',
					}),
					next: ['fetch the file elsewhere and pass it with --deb FILE'],
				};
			if (action.sha256 === undefined || action.sha256 === result.sha256)
				return { kind: 'done', evidence: `sha256 ${result.sha256}, ${result.size} bytes` };
			await host.removeFile(action.to, { expect: { kind: 'sha256', sha256: result.sha256 } });
			return {
				kind: 'failed',
				said: `the file from ${action.url} has sha256 ${result.sha256}, not ${action.sha256}; it was removed and not used`,
				why: 'it was damaged on the way, or it is not the file that was looked at when the table was made',
				next: ['try again, or fetch it elsewhere and pass it with --deb FILE'],
			};
		}
		case 'copy': {
			const result = await host.copyFile(action.from, action.to, {
				maxBytes: action.maxBytes,
				signal,
				onProgress: tellProgress(step, action, deps),
			});
			if (signal.aborted) return { kind: 'interrupted' };
			if (result.kind === 'failed') {
				const look = `${shellLine(['ls', '-l', action.from])}; ${shellLine(['df', '-h', dirname(action.to)])}`;
				return {
					kind: 'failed',
					said: result.message,
					next: [`see that the file is there, and room for a copy (${look}), then start again`],
				};
			}
			if (action.sha256 === result.sha256)
				return { kind: 'done', evidence: `sha256 ${result.sha256}, ${result.size} bytes` };
			await host.removeFile(action.to, { expect: { kind: 'sha256', sha256: result.sha256 } });
			return {
				kind: 'failed',
				said: `${action.from} has sha256 ${result.sha256} now, and had ${action.sha256} when it was looked at; the copy was removed and not used`,
				why: 'somebody exchanged the file meanwhile',
				next: [`find out who writes ${action.from}, then start again: the file is looked at anew first`],
			};
		}
		case 'load-image': {
			const result = await host.run(['docker', 'load', '-i', action.archive], {
				timeoutMs: 10 * 60_000,
				signal,
				onLine: report,
			});
			if (result.problem === 'cancelled') return { kind: 'interrupted' };
			return result.code === 0 ? { kind: 'done' } : { kind: 'failed', said: sayExec('docker load', result), next: [] };
		}
		case 'manual': {
			if (action.file === undefined) return { kind: 'manual' };
			await noteHandedOver(step, action.file.path, deps);
			// What is shown is redacted, and a terminal does not give back line ends: the bytes themselves lie in a file.
			const kept = deps.keptAt(await deps.keep(action.file.bytes));
			return { kind: 'manual', evidence: `the exact content is in ${kept}` };
		}
		default:
			return action satisfies never;
	}
}

const isHopeless = async (action: Extract<Action, { kind: 'exec' }>, { host, signal }: ApplyDeps): Promise<boolean> =>
	action.retryWhen !== undefined && !(await action.retryWhen(host, signal));

/** Every 256 KiB is as often as a person can read. */
function tellProgress(
	step: StepId,
	action: Action,
	deps: ApplyDeps,
): (done: number, total: number | undefined) => void {
	let last = 0;
	return (done, total) => {
		if (done - last < 262_144 && done !== total) return;
		last = done;
		void deps.emit({
			type: 'progress',
			step,
			action: action.id,
			done,
			unit: 'bytes',
			...(total !== undefined && { total }),
		});
	};
}

/** What Node says when nothing answers at all; the rest is told by the server itself. */
const unreachable = (message: string): boolean =>
	/\b(EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|ETIMEDOUT)\b/.test(message);

async function folderOwner(host: WriteHost, folder: string): Promise<{ uid: number; gid: number } | 'unknown'> {
	const found = await host.stat(folder);
	return found.kind === 'found' && found.type === 'directory'
		? { uid: found.meta.uid, gid: found.meta.gid }
		: 'unknown';
}

function sayExec(program: string, result: ExecResult): string {
	const words = [result.stderr, result.stdout].map(text => text.trim()).find(text => text !== '') ?? '';
	// Before it is cut: the first line of a key tells what the others are.
	const tail = redactLines(words).slice(-6).join('\n');
	switch (result.problem) {
		case 'missing':
			return `${program}: command not found`;
		case 'denied':
			return `${program}: permission denied`;
		case 'timeout':
			return `${program} had not ended after ${Math.round(result.elapsedMs / 1000)} s and was stopped${tail === '' ? '' : `; it last said: ${tail}`}`;
		case 'too-much-output':
			return `${program} printed without end and was stopped`;
		case 'cancelled':
		case 'signalled':
		case undefined:
			return tail === '' ? `${program} ended with code ${result.code ?? 'none (killed)'}` : tail;
		default:
			return result.problem satisfies never;
	}
}

function sayWrite(path: string, result: WriteResult): Done {
	switch (result.kind) {
		case 'written':
			// A folder, or a file that is gone, has no digest to tell.
			if (result.sha256 === '') return { kind: 'done' };
			return {
				kind: 'done',
				...(!result.atomic && { inPlace: true as const }),
				evidence: result.atomic
					? `sha256 ${result.sha256}`
					: `sha256 ${result.sha256}; written in place and not in one moment, as the file is a mount of its own: a power cut meanwhile could have left half of it`,
			};
		case 'changed':
			return { kind: 'stale', said: `${path} changed since the plan was shown; it was left as it is`, next: [] };
		case 'rejected':
			return {
				kind: 'failed',
				said: result.said,
				why: `${path} was not touched: the new bytes were checked first`,
				next: [],
			};
		case 'failed':
			return {
				kind: 'failed',
				said: result.message,
				...whyOf(result),
				...(result.touched === true && { now: `${path} is not as it was; its bytes from before are in the backup` }),
				next: errnoNext[result.errno]?.(path) ?? [],
			};
		default:
			return result satisfies never;
	}
}

function whyOf({ errno, touched }: Extract<WriteResult, { kind: 'failed' }>): { why?: string } {
	const why = errnoWhy[errno];
	if (why === undefined) return {};
	return { why: touched === true ? why : `${why}; nothing was changed` };
}

const errnoWhy: Readonly<Record<string, string>> = {
	ENOSPC: 'the file system is full',
	EROFS: 'the file system is mounted read-only',
	EACCES: 'this process may not write there',
	EIO: 'the disk reported an error',
	EBUSY: 'something holds it: a mount, or another program',
};

const errnoNext: Readonly<Record<string, (path: string) => readonly string[]>> = {
	ENOSPC: path => [`make room there (${shellLine(['df', '-h', dirname(path)])}), then start again`],
	EROFS: path => [`see how it is mounted (${shellLine(['findmnt', '-T', path])}), then start again`],
	EACCES: () => ['start again as root'],
	EIO: () => ['see what the disk says (dmesg | tail), then start again'],
	EBUSY: path => [
		`see what it is (${shellLine(['findmnt', '-T', path])}; ${shellLine(['fuser', '-v', path])}), then start again`,
	],
};

/** How often a wait asks again. Short, as a reload takes Docker about 10 ms; each question is one cheap command. */
const settlePauseMs = 200;

/** When its intent was logged: by the clock of the host, as what the host says of itself is dated. */
const begunAt = (step: StepId, action: Action, deps: ApplyDeps): Date =>
	new Date(deps.state().actions.findLast(a => a.step === step && a.id === action.id)?.at ?? 0);

async function settle(step: StepId, action: Action, wait: Settle, deps: ApplyDeps, done: Done): Promise<Done> {
	const since = begunAt(step, action, deps);
	const end = deps.elapsed() + wait.deadlineMs;
	let seen = 'nothing yet';
	for (;;) {
		// Whoever stops the run is told of a package that is installed that it is: one last look, and no more waiting.
		const stopping = deps.signal.aborted;
		const state = await wait.check(deps.host, stopping ? new AbortController().signal : deps.signal, since);
		if (state.kind === 'settled')
			return {
				kind: 'done',
				evidence: [done.kind === 'done' ? done.evidence : undefined, state.evidence]
					.filter(t => t !== undefined)
					.join('; '),
			};
		if (state.kind === 'refused') return { kind: 'failed', said: state.said, next: [] };
		if (stopping) return { kind: 'interrupted' };
		if (wait.everyMs !== undefined && state.seen !== seen)
			void deps.emit({ type: 'output', step, action: action.id, stream: 'stdout', line: redact(state.seen) });
		seen = state.seen;
		if (deps.elapsed() >= end)
			return {
				kind: 'failed',
				said: `waited ${Math.round(wait.deadlineMs / 1000)} s for: ${wait.what}; last seen: ${seen}`,
				next: [],
			};
		// A rare look must not make the wait longer than it was said to be.
		await deps.pause(Math.min(wait.everyMs ?? settlePauseMs, Math.max(1, end - deps.elapsed())), deps.signal);
	}
}

async function rollBack(
	step: StepId,
	action: Action,
	deps: ApplyDeps,
): Promise<{ complete: boolean; now: string; undidMore: boolean } | undefined> {
	const back = action.rollback ?? [];
	if (back.length === 0) return undefined;
	const said: string[] = [];
	// What was there for the change alone goes without a word, unless it is all there was.
	const worthTelling = back.some(of => of.takesBack === undefined);
	// A rollback is finished even when the operator asked to stop: half a way back is the worst place.
	const calm: ApplyDeps = { ...deps, signal: new AbortController().signal };
	let undidMore = false;
	for (const each of back) {
		const result = await applyAction(step, { ...each, id: `${action.id}.${each.id}` }, calm);
		if (result.kind === 'failed' || result.kind === 'stale') {
			said.push(`${doesWhat(each)} failed: ${result.failure.said}`, ...(each.whenItFails ?? []));
			return { complete: false, now: said.join('; '), undidMore };
		}
		undidMore ||= each.takesBack !== undefined;
		if (!worthTelling || each.takesBack === undefined) said.push(doesWhat(each));
	}
	return { complete: true, now: `taken back: ${said.join('; ')}`, undidMore };
}
