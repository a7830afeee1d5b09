import { join, resolve } from 'node:path';
import type { CommonOptions } from '../args.ts';
import type { Decider } from '../core/decider.ts';
import type { EventReader } from '../core/event-stream.ts';
import { exitCode } from '../core/exit.ts';
import type { StepOrder } from '../core/order.ts';
import type { Answers } from '../core/question.ts';
import type { RunState } from '../core/state.ts';
import { answersFileText } from '../decide/answers-file-text.ts';
import type { WriteHost } from '../host/port.ts';
import { glyphsFor } from '../report/glyphs.ts';
import type { Passed } from './preflight.ts';
import type { Surroundings } from './surroundings.ts';
import type { Terminal } from './terminal.ts';

/** The wizard as a run sees it: somebody who decides, a reader of events, a beginning and an end. */
export interface WizardFace {
	readonly decider: Decider;
	readonly reader: EventReader;
	/** The exit code when the operator does not want to begin; undefined: go on. */
	readonly begin: () => Promise<number | undefined>;
	readonly end: () => Promise<void>;
}

/** Names that Tab looks at in one folder; a spool of a million files is not worth the wait. */
const mostNames = 500;

/** A terminal that can be drawn on, and nobody who asked for plain lines. */
export const canDraw = (terminal: Terminal, options: CommonOptions): boolean =>
	terminal.interactive &&
	!options.plain &&
	terminal.environment['TERM'] !== 'dumb' &&
	terminal.environment['INK_SCREEN_READER'] !== 'true';

/** Loads Ink, which nothing else does, and mounts the wizard on the terminal. */
export async function wizardFace(request: {
	/** The command that goes on with this run. */
	readonly goOn: string;
	readonly mode: 'run' | 'test' | 'revert';
	readonly order: StepOrder;
	/** The run that is taken back, and what of it stays. */
	readonly takesBack?: { readonly run: RunState; readonly stays: readonly string[] };
	readonly from: RunState;
	readonly saved: Answers;
	readonly passed: Passed;
	readonly surroundings: Surroundings;
	readonly terminal: Terminal;
	readonly signal: AbortSignal;
}): Promise<WizardFace> {
	const { mode, from, passed, surroundings, terminal, signal } = request;
	const { host, command } = surroundings;
	const startWizard = await loadWizard(terminal);
	const wizard = startWizard({
		intro: {
			tool: surroundings.version,
			host: host.identity.hostname,
			user: host.identity.user,
			simulated: surroundings.simulated,
			command,
			goOn: request.goOn,
			mode,
			steps: request.order.steps.map(({ step: { id, title, why, brief }, role }, index) => ({
				id,
				n: index + 1,
				title,
				why,
				brief: brief ?? why,
				...(role === 'inspected' && { inspected: true as const }),
			})),
			...(from.start !== undefined && { resume: from }),
			...(request.takesBack !== undefined && { takesBack: request.takesBack }),
		},
		glyphs: glyphsFor(terminal.environment),
		answers: passed.answers,
		saved: request.saved,
		risks: passed.risks,
		stdin: process.stdin,
		stdout: process.stdout,
		signal,
		interrupt: () => process.kill(process.pid, 'SIGINT'),
		stopProcess: () => process.kill(process.pid, 'SIGTSTP'),
		listFolder: path => listFolder(host, resolve(surroundings.workingFolder, path)),
		saveAnswers: state => saveAnswers(state, surroundings),
	});
	const detach = terminal.attach({ say: wizard.say, close: wizard.abandon });
	return {
		decider: wizard.decider,
		reader: wizard.reader,
		async begin() {
			const begun = await wizard.begin();
			if (begun === 'go-on') return undefined;
			detach();
			wizard.abandon();
			if (signal.aborted) return exitCode.interrupted;
			if (begun === 'undo') terminal.out(`take it back with:  ${command} revert\n`);
			return from.start === undefined ? exitCode.done : exitCode.open;
		},
		async end() {
			const { goesOn } = await wizard.end();
			detach();
			// As it is, so that a long one is broken by the terminal and copied in one piece.
			if (goesOn) terminal.err(` Go on     ${request.goOn}\n`);
		},
	};
}

/** NO_COLOR is not heard by Ink's colours, FORCE_COLOR is; it is for this process only and goes to no child. */
async function loadWizard(terminal: Terminal) {
	const forced = process.env['FORCE_COLOR'];
	const plain = (terminal.environment['NO_COLOR'] ?? '') !== '';
	if (plain) process.env['FORCE_COLOR'] = '0';
	const { startWizard } = await import('../ui/run-wizard.tsx');
	if (plain && forced === undefined) delete process.env['FORCE_COLOR'];
	else if (plain) process.env['FORCE_COLOR'] = forced;
	return startWizard;
}

async function listFolder(
	host: WriteHost,
	folder: string,
): Promise<readonly { readonly name: string; readonly folder: boolean }[]> {
	const listed = await host.list(folder);
	if (listed.kind !== 'names') return [];
	return Promise.all(
		listed.names.slice(0, mostNames).map(async name => {
			const found = await host.stat(join(folder, name));
			return { name, folder: found.kind === 'found' && found.type === 'directory' };
		}),
	);
}

/** Beside where the operator stands, belonging to the owner of that folder; nothing that lies there is replaced. */
async function saveAnswers(state: RunState, { host, workingFolder, command }: Surroundings) {
	const folder = await host.stat(workingFolder);
	const owner = folder.kind === 'found' ? { uid: folder.meta.uid, gid: folder.meta.gid } : undefined;
	const bytes = new TextEncoder().encode(answersFileText(state, command));
	for (let n = 1; n <= 9; n++) {
		const path = join(workingFolder, `sysbox-setup-answers${n === 1 ? '' : `-${n}`}.yml`);
		const written = await host.replaceFile(path, bytes, {
			expect: { kind: 'missing' },
			mode: 0o644,
			...(owner !== undefined && { owner }),
		});
		if (written.kind === 'written') return { kind: 'saved' as const, path };
		if (written.kind === 'failed') return { kind: 'failed' as const, why: `${path}: ${written.message}` };
		if (written.kind === 'rejected') return { kind: 'failed' as const, why: `${path}: ${written.said}` };
	}
	return { kind: 'failed' as const, why: `${workingFolder} holds nine of them already` };
}
