import { dirname, resolve } from 'node:path';
import { overlayHost } from '../actions/overlay-host.ts';
import { performAction } from '../actions/perform-action.ts';
import { showExactly } from '../actions/show-action.ts';
import type { EngineDeps, EngineEnd, EngineRequest } from '../engine/contract.ts';
import { runSteps } from '../engine/engine.ts';
import { type PreviewDeps, previewRun } from '../engine/preview-run.ts';
import type { Action } from '../model/action.ts';
import type { Decider } from '../model/decider.ts';
import { driftSince } from '../model/drift.ts';
import type { EventOf } from '../model/event.ts';
import { type EventReader, eventStream } from '../model/event-stream.ts';
import { exitCode } from '../model/exit.ts';
import { orderSteps, type Selection } from '../model/order.ts';
import type { Answers } from '../model/question.ts';
import { initialState, type RunState, reduceAll } from '../model/state.ts';
import type { JudgeContext, RunOptions, Step, StepContext } from '../model/step.ts';
import {
	changesOf,
	exitOfVerdict,
	leftIn,
	manualIn,
	outcomeOfVerdict,
	rebootPending,
	verdictOf,
} from '../model/verdict.ts';
import { outOfWindow } from '../model/window.ts';
import { WrongInput } from '../model/wrong-input.ts';
import { dockerDeadline } from '../port/docker-deadline.ts';
import type { ReadHost } from '../port/host.ts';
import { rememberedHost } from '../port/remembered.ts';
import { removeLeftovers } from '../probe/leftovers.ts';
import { probeHost } from '../probe/probe-host.ts';
import { decideFromAnswers, decideNothing, givenAnswer, type Known } from '../prompts/from-answers.ts';
import { heldToPlan } from '../saved-plan/held-to-plan.ts';
import type { Environment } from '../session/environment.ts';
import type { OpenedRun } from '../session/open-run.ts';
import { lineOf } from '../text/safe.ts';
import { shellLine } from '../text/shell-line.ts';
import { glyphsFor } from '../view/glyphs.ts';
import { ndjsonReader } from '../view/ndjson.ts';
import { textReader } from '../view/text.ts';
import type { CommonOptions } from './args.ts';
import { canDraw } from './draw.ts';
import { plainFrontend } from './plain-frontend.ts';
import { checkHeldTo, checkSamePlan, type HeldTo, preflightOut, refuseUnlessPlanned, savePlan } from './plan-file.ts';
import { expiredWaivers, type Inputs, preflightAnswers, preflightFiles, preflightReports } from './preflight.ts';
import type { StopSignals } from './stop-signals.ts';
import { systemLog } from './system-log.ts';
import type { Terminal } from './terminal.ts';
import { readUntil } from './window-options.ts';
import { wizardFrontend } from './wizard-frontend.ts';

export interface RunSetup {
	readonly mode: 'run' | 'check' | 'plan' | 'test' | 'revert';
	readonly steps: readonly Step[];
	readonly selection: Selection;
	readonly options: CommonOptions;
	readonly passed: Inputs;
	readonly strict: boolean;
	/** Of `check`: which hosts it ends 0 for. */
	readonly want?: 'compatible' | 'set-up' | undefined;
	readonly environment: Environment;
	readonly terminal: Terminal;
	readonly stop: StopSignals;
	/** Argv as it was typed, for log and record. */
	readonly typed: readonly string[];
	/** Without one (check, plan) nothing is kept on disk. */
	readonly opened?: OpenedRun | undefined;
	readonly reverts?: string | undefined;
	/** What the log of that run says. */
	readonly reverted?: RunState | undefined;
	/** What that run did, as its log tells, and what of it stays. */
	readonly takesBack?: { readonly run: RunState; readonly stays: readonly string[] } | undefined;
	/** What an earlier run has set up here, where this one is new. */
	readonly standing?: RunState | undefined;
	/** The operator chose to take back what the run did: for whoever called, once this has returned. */
	readonly onUndo?: (() => void) | undefined;
	/** The saved plan that this run is held to. */
	readonly held?: HeldTo | undefined;
	/** What the last run was answered: the defaults of this one. */
	readonly lastAnswers?: Answers | undefined;
	/** Where a plan is saved. */
	readonly out?: string | undefined;
}

/** Runs steps with everything that surrounds them: answers, log, readers, signals. Returns the exit code. */
export async function executeRun(request: RunSetup): Promise<number> {
	const { environment, options, passed, terminal, stop, mode, opened } = request;
	const { host } = environment;
	const ordered = orderSteps(request.steps, request.selection);
	if (ordered.kind === 'cycle') throw new Error(`steps need each other: ${ordered.through.join(' needs ')}`);
	const { order } = ordered;
	// Nothing to do would read as "nothing to change".
	if (order.steps.every(({ role }) => role !== 'chosen'))
		throw new WrongInput('no step is left to run: --only, --skip and --from leave none.', [
			`the steps are: ${request.steps.map(step => step.id).join(', ')}`,
		]);

	const past = opened?.events ?? [];
	const from: RunState = past.length > 0 ? reduceAll(past) : initialState;
	const { held } = request;
	if (held !== undefined) checkHeldTo(held, environment);
	if (mode === 'run') checkSamePlan(from, held, resumeCommand(request));
	if (request.out !== undefined) await preflightOut(request.out);
	// What a plan was made with is its run's too, unless the operator passes something else; then the plan differs.
	const own = { ...held?.plan.answers, ...opened?.answers };
	// A saved plan holds all of its answers: those of a later run are no part of it.
	const last = held === undefined ? (request.lastAnswers ?? {}) : {};
	const saved = { ...last, ...own };
	const lastRun: ReadonlySet<string> = new Set(Object.keys(last).filter(id => !(id in own)));
	const known = { answers: passed.answers, saved, lastRun };
	// Commands are run from / so that a relative path would mean another file there.
	const absolute = (path: string): string => resolve(environment.workingDirectory, path);
	const deb = options.deb === undefined ? undefined : absolute(options.deb);
	const imageArchives = options.imageArchive.map(absolute);
	const interactive =
		terminal.interactive && !options.yes && options.format === 'text' && mode !== 'check' && mode !== 'plan';
	const until = endOfWindow(options.until, environment.now());
	const runOptions: RunOptions = {
		imageArchives,
		workingDirectory: environment.workingDirectory,
		command: environment.command,
		again: resumeCommand(request),
		stateDirectory: environment.hostDirectory,
		...(deb !== undefined && { deb }),
		...(options.managed !== undefined && { managed: options.managed.map(absolute) }),
		...(environment.record !== undefined && { record: environment.record }),
		...(options.changeId !== undefined && { changeId: options.changeId }),
		...(until !== undefined && { until }),
		...(options.drainTimeoutMs !== undefined && { drainTimeoutMs: options.drainTimeoutMs }),
		...(interactive && { attended: true as const }),
	};
	const start: JudgeContext = {
		knowledge: environment.knowledge,
		options: runOptions,
		answers: { ...saved },
		state: from,
		now: environment.now(),
	};
	preflightAnswers(order, request.steps, passed, start, !interactive);
	for (const line of expiredWaivers(passed, start.now)) terminal.err(lineOf(`${line}`));
	const look: StepContext = { ...start, host, signal: stop.signal };
	if (mode === 'run') await preflightReports(order, look);
	await preflightFiles(host, [
		...(deb === undefined ? [] : [{ option: '--deb', path: deb }]),
		...imageArchives.map(path => ({ option: '--image-archive', path })),
	]);

	const probes = probeHost({
		host,
		run: opened?.run ?? 'unsaved',
		signal: stop.signal,
		stateDirectory: environment.hostDirectory,
		pause: environment.pause,
	});
	const kept = (sha256: string) => opened?.log.kept(sha256) ?? Promise.resolve(undefined);
	const { elapsed } = environment;
	const lookingAt = (at: ReadHost): Pick<PreviewDeps, 'host' | 'preview'> => ({
		host: at,
		preview: actions => overlayHost(at, actions),
	});
	// What looks at all steps, some of them twice, and changes nothing in between asks each thing once.
	const oneLook = (): ReturnType<typeof lookingAt> => lookingAt(rememberedHost(dockerDeadline(host, elapsed)));
	const seen: Omit<PreviewDeps, 'decider'> = {
		...(mode === 'check' || mode === 'plan' ? oneLook() : lookingAt(host)),
		knowledge: environment.knowledge,
		options: runOptions,
		now: environment.now,
		elapsed,
		signal: stop.signal,
		show: showExactly,
		kept,
		given: question => givenAnswer(question, known),
		probeHost: probes,
		cleanUpProbes: () => probes.cleanUp(),
	};
	const engine: EngineRequest = {
		mode: mode === 'revert' ? 'run' : mode,
		order,
		waivers: passed.waivers,
		strict: request.strict,
		recordAsked: options.record !== undefined,
	};
	if (held !== undefined)
		await refuseUnlessPlanned(
			held,
			{ ...seen, ...oneLook(), decider: decideNothing(known) },
			from,
			engine,
			environment.command,
		);

	const face = interactive
		? await (canDraw(terminal, options) ? wizardFrontend : plainFrontend)({
				goOn: resumeCommand(request),
				mode: mode === 'test' || mode === 'revert' ? mode : 'run',
				order,
				...(request.takesBack !== undefined && { takesBack: request.takesBack }),
				...(request.standing !== undefined && { standing: request.standing }),
				from,
				saved,
				lastRun,
				passed,
				environment,
				terminal,
				noColor: options.noColor,
				signal: stop.signal,
				driftSince: signal =>
					driftSince(
						order.steps.map(({ step }) => step),
						from,
						{ ...look, host: oneLook().host, signal },
					),
			})
		: undefined;
	const plainly = interactive && !canDraw(terminal, options);
	// Nobody is to sit before a question whose answer is not waited for any more.
	if (plainly) stop.signal.addEventListener('abort', terminal.close, { once: true });
	const begun = await face?.begin();
	if (begun?.kind === 'left') return stop.exit() ?? begun.exit;
	if (begun?.kind === 'undo') {
		request.onUndo?.();
		return exitCode.open;
	}

	const readers: EventReader[] = [
		face !== undefined
			? face.reader
			: options.format === 'json'
				? ndjsonReader(terminal.out)
				: textReader({
						glyphs: glyphsFor(terminal.environment),
						talk: terminal.err,
						data: terminal.out,
						mode,
						accepted: passed.risks,
						command: environment.command,
						all: false,
					}),
	];
	// Only what may change the host is told to it.
	const system = opened === undefined ? undefined : systemLog(host);
	if (system !== undefined) readers.push(system.reader);
	const log = opened?.log;
	const stream = eventStream({
		now: environment.now,
		readers,
		from,
		...(log !== undefined && { append: (event, how) => log.append(event, how) }),
	});

	const { emit } = stream;
	const command = [...request.typed];
	const plan = held === undefined ? {} : { plan: { file: held.file, digest: held.plan.digest } };
	if (from.start === undefined) {
		await emit({
			type: 'run.start',
			run: opened?.run ?? 'unsaved',
			tool: environment.version,
			mode,
			simulated: environment.simulated,
			host: host.identity.hostname,
			user: host.identity.user,
			command,
			...(options.changeId !== undefined && { changeId: options.changeId }),
			...(request.reverts !== undefined && { reverts: request.reverts }),
			...plan,
		});
	} else {
		await emit({ type: 'run.resume', tool: environment.version, user: host.identity.user, command, ...plan });
		// A kill or a power cut left these without an outcome. What they came to is for the steps to find out.
		const cutOff = from.actions.filter(a => a.outcome === 'intended');
		for (const action of cutOff) {
			await emit({
				type: 'action.outcome',
				step: action.step,
				action: action.id,
				outcome: 'interrupted',
				ms: 0,
				evidence: 'the process ended before the outcome was known',
			});
		}
	}

	// A writer that was killed, now or in the run that is taken back, may have left its temporary file.
	const halfDone = [...from.actions, ...(request.reverted?.actions ?? [])].filter(
		a => a.outcome === 'intended' || a.outcome === 'interrupted',
	);
	if (opened !== undefined)
		await environment.sweep([
			...new Set(halfDone.flatMap(({ undo }) => (undo.kind === 'file' ? [dirname(undo.path)] : []))),
		]);

	// What a killed proof left is in the way of the next one, and of a revert. Whoever has the lock knows that no other
	// proof is at work. A killed test is never gone on with: the next one clears up after it.
	const cutOffProof = from.steps.some(step => step.kind === 'proof' && step.status === 'running');
	if (opened !== undefined && (cutOffProof || mode === 'test' || request.reverts !== undefined))
		await removeLeftovers(host, { stateDirectory: environment.hostDirectory });

	const applyDeps = {
		host,
		emit,
		keep: (bytes: Uint8Array) =>
			opened?.log.keep(bytes) ?? Promise.reject(new Error('this command keeps no log and must change nothing')),
		kept,
		keptAt: (sha256: string) => opened?.log.keptAt(sha256) ?? sha256,
		state: stream.state,
		elapsed: environment.elapsed,
		pause: environment.pause,
		signal: stop.signal,
		outOfWindow: (action: Action) => outOfWindow(action, until, environment.now()),
	};
	const decider = face?.decider ?? unattended(request, known);
	const deps: EngineDeps = {
		...seen,
		...((mode === 'run' || mode === 'test' || mode === 'revert') && {
			eachLook: (at: ReadHost) => dockerDeadline(at, elapsed),
		}),
		decider: held === undefined ? decider : heldToPlan(decider, held.plan, stream.state),
		emit,
		state: stream.state,
		apply: async (step, action, how) => {
			await opened?.saved();
			return performAction(
				step,
				action,
				how === undefined ? applyDeps : { ...applyDeps, signal: new AbortController().signal },
			);
		},
		// Only a person wants to see everything first, and pays with one more look.
		...(face !== undefined &&
			mode === 'run' && {
				lookAhead: () => {
					const answers = { ...passed.answers, ...stream.state().answers };
					const silent = decideFromAnswers({ ...known, answers, risks: passed.risks });
					return previewRun({ ...seen, ...oneLook(), decider: silent }, { ...stream.state(), steps: [] }, engine);
				},
			}),
		saveAnswer: (id, value) => opened?.saveAnswer(id, value),
		saveCursor: step => opened?.saveCursor(step),
	};
	const ended = await runSteps(deps, engine);
	const end = mode === 'plan' ? planned(ended, stream.state()) : ended;
	const judged =
		mode === 'check' && end.outcome !== 'interrupted' && end.outcome !== 'wrong-input'
			? await judgedBy(request, stream.state(), { ...seen, decider: decideNothing(known) }, engine)
			: undefined;
	const exit = stop.exit() ?? judged?.exit ?? end.exit;
	await emit({
		type: 'run.end',
		outcome: end.outcome,
		changed: end.changed,
		reboot: rebootPending(stream.state()),
		open: end.open,
		...(end.why !== undefined && { why: end.why }),
		...(mode === 'plan' && { changes: changesOf(stream.state()).length, forYou: forOperator(stream.state()) }),
		...judged,
		exit,
	});
	await stream.drained();
	const untold = await system?.close();
	if (untold !== undefined && face === undefined)
		terminal.err(lineOf(`not everything is in the system log (${untold}); this tool's own log is complete`));
	if (request.out !== undefined) await saveForeseen(request.out, end, stream.state(), request);
	const unfinished = end.outcome === 'interrupted' || end.outcome === 'failed';
	if (face === undefined && options.format === 'text' && unfinished && opened !== undefined)
		terminal.err(lineOf(`${mode === 'test' ? 'start again with' : 'go on with'}:  ${resumeCommand(request)}`));
	await face?.end();
	if (face?.wantsUndo() === true) request.onUndo?.();
	return exit;
}

/** How a check ends: by what the host is, and not by what the look at each step came to. */
async function judgedBy(
	{ strict, environment, want, steps }: RunSetup,
	looked: RunState,
	deps: PreviewDeps,
	engine: EngineRequest,
): Promise<Partial<EventOf<'run.end'>> & { readonly exit: number }> {
	// The verdict is the host's, whichever steps were chosen to be shown.
	const whole = steps.filter(({ kind }) => kind === 'change');
	const order = { ...engine.order, steps: whole.map(step => ({ step, role: 'chosen' as const })) };
	const begin = { ...looked, steps: [] };
	const isWhole = whole.every(({ id }) => engine.order.steps.some(({ step }) => step.id === id));
	const all = isWhole ? looked : (await previewRun(deps, begin, { ...engine, order }, 'check')).state;
	const previewed = await previewRun(deps, begin, { ...engine, order });
	const { command } = environment;
	const { verdict, changes, forYou, why } = verdictOf(all, previewed.state, { strict, command });
	return {
		outcome: outcomeOfVerdict[verdict],
		verdict,
		changes: changes.length,
		forYou: forYou.length,
		open: [...changes, ...forYou],
		why,
		exit: exitOfVerdict(verdict, want ?? 'set-up'),
	};
}

/** What a plan leaves to the operator. */
const forOperator = (state: RunState): number => manualIn(state).length + leftIn(state).length;

/** Files for CI systems and what the proofs bring are shown in a plan, and are no change of the host. */
function planned(end: EngineEnd, state: RunState): EngineEnd {
	if (end.outcome !== 'open' && end.outcome !== 'nothing-to-do') return end;
	return changesOf(state).length + forOperator(state) === 0
		? { ...end, outcome: 'nothing-to-do', exit: exitCode.done }
		: { ...end, outcome: 'open', exit: exitCode.open };
}

/** A window that is over is a mistake of whoever typed it, not a run that does nothing. */
function endOfWindow(text: string | undefined, now: Date): Date | undefined {
	if (text === undefined) return undefined;
	const until = readUntil(text, now);
	if (until === undefined || until.getTime() <= now.getTime())
		throw new WrongInput(`--until ${text} is in the past; it is ${now.toISOString()} on this host.`, [
			'pass a later time, or a time of day (06:00), which is the next one',
		]);
	return until;
}

/** A plan is saved when the look came to its end and nothing is in the way of a run. */
async function saveForeseen(out: string, end: EngineEnd, state: RunState, request: RunSetup): Promise<void> {
	const { environment, typed, options, terminal } = request;
	if (end.outcome !== 'open' && end.outcome !== 'nothing-to-do' && end.outcome !== 'undecided') {
		terminal.err(lineOf(`the plan was not saved, as the run would not come to its end`));
		return;
	}
	const { changeId } = options;
	const lines = await savePlan(out, state, { environment, typed, ...(changeId !== undefined && { changeId }) });
	for (const line of lines) terminal.err(lineOf(`  ${line}`));
}

/** The command that goes on with an interrupted run: what was typed, as it was typed. */
function resumeCommand(request: RunSetup): string {
	// Its options are among what was typed, or still in the environment.
	const [program = ''] = request.environment.command.split(' --');
	return [program, shellLine(request.typed.filter(word => word !== '--fresh'))].join(' ').trimEnd();
}

function unattended({ passed, mode }: RunSetup, known: Known): Decider {
	if (mode === 'check' || mode === 'plan') return decideNothing(known);
	return decideFromAnswers({ ...known, risks: passed.risks });
}

/** Nobody can answer: neither a terminal nor --yes. Refused at once, with the ways to go on. */
export function refuseWithoutTerminal(command: string, typed: readonly string[], simulated: boolean): WrongInput {
	const [program = ''] = command.split(' --');
	return new WrongInput('this is not a terminal, and nobody can answer questions.', [
		`look only               ${command} check`,
		`see what would change   ${command} plan`,
		`the same, unattended    ${program} ${shellLine([...typed, '--yes'])}`,
		`run with answers        ${command} --yes --answers answers.yml`,
		...(simulated ? [] : [`a simulated host        ${program} --demo --yes`]),
	]);
}
