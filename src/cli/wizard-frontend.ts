import { join, resolve } from 'node:path';
import { exitCode } from '../model/exit.ts';
import type { WriteHost } from '../port/host.ts';
import { lineOf } from '../text/safe.ts';
import { glyphsFor } from '../view/glyphs.ts';
import { inColourOrNot } from './draw.ts';
import { type Frontend, type FrontendRequest, finishedBefore } from './frontend.ts';
import { saveAnswers } from './save-answers.ts';

/** Names that Tab looks at in one directory; a spool of a million files is not worth the wait. */
const mostNames = 500;

/** Puts the wizard on the terminal. */
export async function wizardFrontend(request: FrontendRequest): Promise<Frontend> {
	const { mode, from, passed, environment, terminal, signal } = request;
	const { host, command } = environment;
	const { startWizard } = await inColourOrNot(terminal, request.noColor, () => import('../ui/run-wizard.tsx'));
	const wizard = startWizard({
		intro: {
			tool: environment.version,
			host: host.identity.hostname,
			user: host.identity.user,
			simulated: environment.simulated,
			command,
			goOn: request.goOn,
			mode,
			accepted: passed.risks,
			now: environment.now().getTime(),
			steps: request.order.steps.map(({ step: { id, title, why, brief, needs }, role }, index) => ({
				id,
				needs,
				n: index + 1,
				title,
				why,
				brief: brief ?? why,
				inspected: role === 'inspected' ? true : undefined,
			})),
			resume: from.start === undefined ? undefined : from,
			takesBack: request.takesBack,
			standing: request.standing,
		},
		glyphs: glyphsFor(terminal.environment),
		answers: passed.answers,
		saved: request.saved,
		lastRun: request.lastRun,
		risks: passed.risks,
		stdin: process.stdin,
		stdout: process.stdout,
		mounted: terminal.handOver(),
		signal,
		interrupt: () => process.kill(process.pid, 'SIGINT'),
		stopProcess: () => process.kill(process.pid, 'SIGTSTP'),
		listDirectory: path => listDirectory(host, resolve(environment.workingDirectory, path)),
		settled: finishedBefore(from),
		driftSince: from.start === undefined ? undefined : request.driftSince,
		saveAnswers: mode !== 'revert' ? state => saveAnswers(state, environment) : undefined,
		canUndo: mode === 'run',
	});
	const detach = terminal.attach({ say: wizard.say, close: wizard.abandon });
	return {
		decider: wizard.decider,
		reader: wizard.reader,
		async begin() {
			const begun = await wizard.begin();
			if (begun === 'go-on') return { kind: 'go-on' };
			await wizard.leave();
			detach();
			if (signal.aborted) return { kind: 'left', exit: exitCode.interrupted };
			if (begun === 'undo') return { kind: 'undo' };
			return { kind: 'left', exit: from.start === undefined ? exitCode.done : exitCode.open };
		},
		wantsUndo: wizard.wantsUndo,
		async end() {
			const { goesOn } = await wizard.end();
			detach();
			// As it is, so that a long one is broken by the terminal and copied in one piece.
			if (goesOn) terminal.err(lineOf(` Go on     ${request.goOn}`));
		},
	};
}

async function listDirectory(
	host: WriteHost,
	directory: string,
): Promise<readonly { readonly name: string; readonly directory: boolean }[]> {
	const listed = await host.list(directory);
	if (listed.kind !== 'names') return [];
	return Promise.all(
		listed.names.slice(0, mostNames).map(async name => {
			const found = await host.stat(join(directory, name));
			return { name, directory: found.kind === 'found' && found.type === 'directory' };
		}),
	);
}
