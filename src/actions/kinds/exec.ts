import type { ExecResult, OutputLine } from '../../port/host.ts';
import { redact } from '../../text/redact.ts';
import { shellLine } from '../../text/shell-line.ts';
import { sayExec } from '../command-result.ts';
import { imageLayers } from '../image-layers.ts';
import { type ActionKind, type ActionOf, essenceOfUndo, halfDone, type Performed, type Performing } from '../kind.ts';
import { describeUndo, recordOf } from '../undo.ts';

type Exec = ActionOf<'exec'>;

/** Runs a command. */
export const exec: ActionKind<'exec'> = {
	// A line break is written as \n in the line, and what stands behind it would no longer begin a word.
	does: ({ argv }) => redact(shellLine(argv.map(word => (/[\n\r]/.test(word) ? redact(word) : word)))),
	undo: action => describeUndo(action.undo),
	essence: action => [action.argv, essenceOfUndo(action.undo)],
	prepare: action => ({ kind: 'prepared', undo: recordOf(action.undo) }),
	async perform(action, performing) {
		const { host, signal, report } = performing;
		const onLine = readerOf(action, performing);
		const deadline = performing.elapsed() + (action.retryWhile?.deadlineMs ?? 0);
		for (let attempt = 0; ; ) {
			const result = await host.run(action.argv, {
				timeoutMs: action.timeoutMs,
				onLine,
				signal: action.uninterruptible !== true ? signal : undefined,
			});
			const ended = endOf(action, result);
			if (ended !== undefined) return ended;
			if (says(result, action.retryWhile?.says) && performing.elapsed() < deadline) {
				await performing.pause(action.retryWhile?.everyMs ?? 0, signal);
				if (signal.aborted) return { kind: 'interrupted' };
				continue;
			}
			// Asked even of a run that is being stopped: what is told about the host has to be true.
			const judged = await action.judgeFailure?.(host, new AbortController().signal);
			if (judged?.kind === 'done') return judged;
			if (judged?.kind === 'stale') return { ...judged, next: [] };
			attempt += 1;
			const said = sayExec(action.argv[0], result);
			if (attempt > (action.retries ?? 0) || (await isHopeless(action, performing)))
				return { kind: 'failed', said, next: [] };
			const cause = (await action.explain?.(host, signal, performing.since)) ?? said;
			report({
				stream: 'stderr',
				text: `attempt ${attempt} of ${(action.retries ?? 0) + 1} failed, trying again: ${cause.replace(/\s*\n\s*/g, '; ')}`,
			});
		}
	},
	now: (_action, undo) => halfDone(undo),
};

/** What needs no second look; undefined: it failed. */
function endOf(action: Exec, result: ExecResult): Performed | undefined {
	if (result.code === 0) return { kind: 'done' };
	if (result.problem === 'cancelled') return { kind: 'interrupted' };
	if (action.judgedByReadiness === true && result.problem === undefined) return { kind: 'done' };
	if (action.nothingToDo !== undefined && `${result.stdout}\n${result.stderr}`.includes(action.nothingToDo))
		return { kind: 'done', evidence: 'there was nothing to do' };
	return undefined;
}

const says = ({ stdout, stderr }: ExecResult, words: RegExp | undefined): boolean =>
	words?.test(`${stdout}\n${stderr}`) === true;

const isHopeless = async ({ retryWhen }: Exec, { host, signal }: Performing): Promise<boolean> =>
	retryWhen !== undefined && !(await retryWhen(host, signal));

function readerOf(action: Exec, { report, progress }: Performing): (line: OutputLine) => void {
	if (action.tells === undefined) return report;
	const layersAt = imageLayers();
	return line => {
		report(line);
		const at = layersAt(line.text);
		if (at !== undefined) progress(at.done, at.total, at.unit);
	};
}
