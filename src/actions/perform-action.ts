import type { Action, Readiness } from '../model/action.ts';
import type { ActionFailure, ApplyResult } from '../model/decider.ts';
import type { EventOf } from '../model/event.ts';
import type { StepId } from '../model/step-id.ts';
import type { UndoRecord } from '../model/undo.ts';
import { lineRedactor, redact, redactDeep } from '../text/redact.ts';
import type { ApplyDeps, Performed, Performing, Wrong } from './kind.ts';
import { kindOf } from './kinds/index.ts';
import { doesWhat, showAction } from './show-action.ts';

export type { ApplyDeps } from './kind.ts';

/**
 * Carries out one action: intent on disk first, with everything that an undo needs; then the change; then the wait for
 * its effect; then the outcome on disk. When the change or the wait fails, the action's rollback runs before the
 * failure is told, so that what the operator reads about the host is true.
 */
export async function performAction(
	step: StepId,
	action: Action,
	deps: ApplyDeps,
	rollbackOf?: string,
): Promise<ApplyResult> {
	const late = deps.outOfWindow?.(action);
	if (late !== undefined) return { kind: 'postponed', why: late };
	const guarded = await action.guard?.(deps.host, deps.signal);
	if (guarded?.kind === 'stale')
		return { kind: 'stale', failure: failureOf(action, { kind: 'stale', said: guarded.said, next: [] }) };
	if (guarded?.seen !== undefined) await deps.emit({ type: 'observed', step, ...guarded.seen });
	const began = deps.elapsed();
	const prepared = await kindOf(action).prepare(action, deps);
	if (prepared.kind === 'failed') return { kind: 'failed', failure: failureOf(action, prepared), undidMore: false };
	if (prepared.kind !== 'prepared') return { kind: 'stale', failure: failureOf(action, prepared) };

	const { undo, bytes } = prepared;
	await logIntent(step, action, { undo, rollbackOf }, deps);
	const performing = performingOf(step, action, bytes, deps);
	let done = await kindOf(action).perform(action, performing);
	if (done.kind === 'done') done = withBackup(done, action, undo, deps);
	if (done.kind === 'done' && action.waitUntil !== undefined)
		done = await waitUntil(action.waitUntil, performing, done.evidence);
	if (done.kind === 'failed') done = await explained(done, action, performing);
	return conclude(step, action, { done, undo, began }, deps);
}

async function logIntent(
	step: StepId,
	action: Action,
	{ undo, rollbackOf }: { readonly undo: UndoRecord; readonly rollbackOf: string | undefined },
	{ emit }: ApplyDeps,
): Promise<void> {
	const { does, diff } = showAction(action);
	await emit({
		type: 'action.intent',
		step,
		action: action.id,
		title: action.title,
		kind: action.kind,
		does,
		role: action.role,
		rollbackOf,
		diff,
		// An undo names argv and paths of this host; only free text in it can hold a secret.
		undo: undo.kind === 'none' ? { ...undo, why: redact(undo.why) } : undo,
		takesBack: action.takesBack,
	});
}

function performingOf(step: StepId, action: Action, bytes: Uint8Array | undefined, deps: ApplyDeps): Performing {
	const redactors = { stdout: lineRedactor(), stderr: lineRedactor() };
	const where = { step, action: action.id };
	let told = 0;
	return {
		...deps,
		step,
		bytes,
		since: new Date(deps.state().actions.findLast(a => a.step === step && a.id === action.id)?.at ?? 0),
		report: ({ stream, text }) => void deps.emit({ type: 'output', ...where, stream, line: redactors[stream](text) }),
		progress: (done, total, unit) => {
			// Every 256 KiB is as often as a person can read.
			if (unit === 'bytes' && done - told < 262_144 && done !== total) return;
			told = done;
			void deps.emit({ type: 'progress', ...where, done, unit, ...(total !== undefined && { total }) });
		},
	};
}

/** Logs what became of an action; one that failed is rolled back first. */
async function conclude(
	step: StepId,
	action: Action,
	{ done, undo, began }: { readonly done: Performed; readonly undo: UndoRecord; readonly began: number },
	deps: ApplyDeps,
): Promise<ApplyResult> {
	const log = (outcome: Pick<EventOf<'action.outcome'>, 'outcome' | 'evidence' | 'inPlace' | 'failure'>) =>
		deps.emit({ type: 'action.outcome', step, action: action.id, ms: Math.round(deps.elapsed() - began), ...outcome });
	switch (done.kind) {
		case 'done': {
			const { evidence, inPlace } = done;
			await log({
				outcome: 'done',
				evidence: evidence === undefined ? undefined : redact(evidence),
				inPlace: inPlace || undefined,
			});
			return { kind: 'done' };
		}
		case 'manual': {
			const evidence = done.evidence !== undefined && { evidence: done.evidence };
			await log({ outcome: 'manual', ...evidence });
			return { kind: 'manual', ...evidence };
		}
		case 'interrupted':
			await log({ outcome: 'interrupted' });
			return { kind: 'interrupted' };
		case 'stale':
			await log({ outcome: 'refused', failure: redactDeep({ said: done.said, next: done.next }) });
			return { kind: 'stale', failure: failureOf(action, done) };
		case 'failed': {
			const rolledBack = await rollBack(step, action, deps);
			const now = redact(rolledBack?.now ?? done.now ?? kindOf(action).now(action, undo));
			const failure = { ...failureOf(action, done), now };
			const { said, why, next } = failure;
			await log({
				outcome: rolledBack?.complete === true ? 'rolled-back' : 'failed',
				failure: redactDeep({ said, why, now, next }),
			});
			return { kind: 'failed', failure, undidMore: rolledBack?.undidMore === true };
		}
		default:
			return done satisfies never;
	}
}

/** The cause from the host's own log, before what the command or the wait said. */
async function explained(failed: Wrong, action: Action, { host, since }: Performing): Promise<Performed> {
	// Also for whoever stops the run: it is a read with a deadline of its own.
	const cause = await action.explain?.(host, new AbortController().signal, since);
	if (cause === undefined || failed.said.includes(cause)) return failed;
	return { ...failed, said: `${redact(cause)}\n${failed.said}` };
}

type Done = Extract<Performed, { kind: 'done' }>;

/** Where the old bytes of a file are, for whoever looks for them without this tool. No later run overwrites them. */
function withBackup(done: Done, action: Action, undo: UndoRecord, deps: ApplyDeps): Done {
	if ((action.kind !== 'write' && action.kind !== 'remove') || undo.kind !== 'file' || undo.before === null)
		return done;
	const kept = `the bytes from before are in ${deps.keptAt(undo.before.sha256)}`;
	return { ...done, evidence: done.evidence === undefined ? kept : `${done.evidence}; ${kept}` };
}

function failureOf(action: Action, { kind, said, why, next }: Wrong): ActionFailure {
	return {
		action,
		said: redact(said),
		why,
		// What was only looked at again and not tried has not failed.
		next: kind === 'failed' ? waysOn(action, next) : next,
	};
}

function waysOn(action: Action, said: readonly string[]): readonly string[] {
	const ways = [...said, ...(action.whenItFails ?? [])];
	return ways.length > 0 ? ways : [`see what hinders it (${doesWhat(action)}), then start again`];
}

/** How often a wait asks again. Short, as a reload takes Docker about 10 ms; each question is one cheap command. */
const waitPauseMs = 200;

async function waitUntil(wait: Readiness, performing: Performing, evidence: string | undefined): Promise<Performed> {
	const { host, signal, since, elapsed, pause, report } = performing;
	const end = elapsed() + wait.deadlineMs;
	let seen = 'nothing yet';
	for (;;) {
		// Whoever stops the run is told of a package that is installed that it is: one last look, and no more waiting.
		const stopping = signal.aborted;
		const state = await wait.check(host, stopping ? new AbortController().signal : signal, since);
		if (state.kind === 'settled')
			return { kind: 'done', evidence: [evidence, state.evidence].filter(text => text !== undefined).join('; ') };
		if (state.kind === 'refused') return { kind: 'failed', said: state.said, next: [] };
		if (stopping) return { kind: 'interrupted' };
		if (wait.everyMs !== undefined && state.seen !== seen) report({ stream: 'stdout', text: state.seen });
		seen = state.seen;
		if (elapsed() >= end)
			return {
				kind: 'failed',
				said: `waited ${Math.round(wait.deadlineMs / 1000)} s for: ${wait.what}; last seen: ${seen}`,
				next: [],
			};
		// A rare look must not make the wait longer than it was said to be.
		await pause(Math.min(wait.everyMs ?? waitPauseMs, Math.max(1, end - elapsed())), signal);
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
		const result = await performAction(step, { ...each, id: `${action.id}.${each.id}` }, calm, action.id);
		if (result.kind === 'failed' || result.kind === 'stale') {
			said.push(`${doesWhat(each)} failed: ${result.failure.said}`, ...(each.whenItFails ?? []));
			return { complete: false, now: said.join('; '), undidMore };
		}
		undidMore ||= each.takesBack !== undefined;
		if (!worthTelling || each.takesBack === undefined) said.push(doesWhat(each));
	}
	return { complete: true, now: `taken back: ${said.join('; ')}`, undidMore };
}
