import { dirname } from 'node:path';
import { driftSince } from '../../model/drift.ts';
import type { Emit } from '../../model/event.ts';
import { type EventStream, eventStream } from '../../model/event-stream.ts';
import { removeLeftovers } from '../../probe/leftovers.ts';
import { canDraw } from '../draw.ts';
import type { Frontend } from '../frontend.ts';
import { plainFrontend } from '../plain-frontend.ts';
import { type SystemLog, systemLog } from '../system-log.ts';
import { unattendedFrontend } from '../unattended-frontend.ts';
import { wizardFrontend } from '../wizard-frontend.ts';
import { oneLook } from './look.ts';
import type { PreparedRun } from './prepare.ts';
import { type RunRequest, resumeCommand } from './request.ts';

/** Chooses who is talked to: the wizard, a person in plain lines, or nobody. Its `begin()` comes before the first event. */
export async function openFrontend(request: RunRequest, run: PreparedRun): Promise<Frontend> {
	const { environment, options, terminal, mode } = request;
	if (!run.interactive) return unattendedFrontend(request, run.known);
	const drawn = canDraw(terminal, options);
	// Nobody is to sit before a question whose answer is not waited for any more.
	if (!drawn) run.signal.addEventListener('abort', terminal.close, { once: true });
	return (drawn ? wizardFrontend : plainFrontend)({
		goOn: resumeCommand(request),
		mode: mode === 'test' || mode === 'revert' ? mode : 'run',
		order: run.order,
		takesBack: request.takesBack,
		standing: request.standing,
		from: run.from,
		saved: run.known.saved,
		lastRun: run.known.lastRun,
		passed: request.passed,
		environment,
		terminal,
		noColor: options.noColor,
		signal: run.signal,
		driftSince: signal =>
			driftSince(
				run.order.steps.map(({ step }) => step),
				run.from,
				{ ...run.context, host: oneLook(environment), signal },
			),
	});
}

export interface OpenStream extends EventStream {
	/** Only what may change the host is told to the host's own log. */
	readonly systemLog: SystemLog | undefined;
}

/** Opens the stream of events with its first one, and removes what a killed process left in the way. */
export async function openStream(request: RunRequest, run: PreparedRun, frontend: Frontend): Promise<OpenStream> {
	const { environment, opened } = request;
	const system = opened === undefined ? undefined : systemLog(environment.host);
	const stream = eventStream({
		now: environment.now,
		readers: system === undefined ? [frontend.reader] : [frontend.reader, system.reader],
		from: run.from,
		append: opened === undefined ? undefined : (event, how) => opened.log.append(event, how),
	});
	await emitBeginning(request, run, stream.emit);
	if (opened !== undefined) await removeRemains(request, run);
	return { ...stream, systemLog: system };
}

async function emitBeginning(request: RunRequest, { from }: PreparedRun, emit: Emit): Promise<void> {
	const { environment, held } = request;
	const { hostname: host, user } = environment.host.identity;
	const command = request.typed;
	const tool = environment.version;
	const plan = held === undefined ? undefined : { file: held.file, digest: held.plan.digest };
	if (from.start === undefined) {
		await emit({
			type: 'run.start',
			run: request.opened?.run ?? 'unsaved',
			tool,
			mode: request.mode,
			simulated: environment.simulated,
			host,
			user,
			command,
			changeId: request.options.changeId,
			reverts: request.reverts,
			plan,
		});
		return;
	}
	await emit({ type: 'run.resume', tool, user, command, plan });
	// A kill or a power cut left these without an outcome. What they came to is for the steps to find out.
	for (const { step, id } of from.actions.filter(a => a.outcome === 'intended')) {
		await emit({
			type: 'action.outcome',
			step,
			action: id,
			outcome: 'interrupted',
			ms: 0,
			evidence: 'the process ended before the outcome was known',
		});
	}
}

/** Whoever has the lock knows that no other process of this tool is at work. */
async function removeRemains(request: RunRequest, { from }: PreparedRun): Promise<void> {
	const { environment, reverted, reverts, mode } = request;
	// A writer that was killed, now or in the run that is taken back, may have left its temporary file.
	const halfDone = [...from.actions, ...(reverted?.actions ?? [])].filter(
		a => a.outcome === 'intended' || a.outcome === 'interrupted',
	);
	await environment.sweep([
		...new Set(halfDone.flatMap(({ undo }) => (undo.kind === 'file' ? [dirname(undo.path)] : []))),
	]);
	// What a killed proof left is in the way of the next one, and of a revert. A killed test is never gone on with: the
	// next one clears up after it.
	const cutOffProof = from.steps.some(step => step.kind === 'proof' && step.status === 'running');
	if (cutOffProof || mode === 'test' || reverts !== undefined)
		await removeLeftovers(environment.host, { stateDirectory: environment.hostDirectory });
}
