import { exitCode } from '../model/exit.ts';
import { closeRun } from './run/close.ts';
import { execute } from './run/execute.ts';
import { openFrontend, openStream } from './run/open.ts';
import { prepareRun } from './run/prepare.ts';
import type { RunRequest } from './run/request.ts';

/** Runs steps with everything that surrounds them: answers, log, readers, signals. Returns the exit code. */
export async function executeRun(request: RunRequest): Promise<number> {
	const run = await prepareRun(request);
	const frontend = await openFrontend(request, run);
	const begun = await frontend.begin();
	if (begun.kind === 'left') return request.stop.exit() ?? begun.exit;
	if (begun.kind === 'undo') {
		request.onUndo?.();
		return exitCode.open;
	}
	const stream = await openStream(request, run, frontend);
	const ended = await execute({
		...run,
		stream,
		decider: frontend.decider,
		plan: request.held?.plan,
		risks: request.passed.risks,
		// Only a person wants to see everything first, and pays with one more look.
		ahead: run.interactive && request.mode === 'run',
	});
	return closeRun(request, run, { frontend, stream, ended });
}
