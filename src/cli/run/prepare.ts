import { resolve } from 'node:path';
import type { EngineRequest } from '../../engine/contract.ts';
import { orderSteps, type StepOrder } from '../../model/order.ts';
import { initialState, type RunState, reduceAll } from '../../model/state.ts';
import type { JudgeContext, RunOptions, StepContext } from '../../model/step.ts';
import { WrongInput } from '../../model/wrong-input.ts';
import type { ReadHost } from '../../port/host.ts';
import { probeHost } from '../../probe/probe-host.ts';
import { decideNothing } from '../../prompts/from-answers.ts';
import type { Known } from '../../prompts/known-answers.ts';
import { lineOf } from '../../text/safe.ts';
import { checkHeldTo, checkSamePlan, preflightOut, refuseUnlessPlanned } from '../plan-file.ts';
import { expiredWaivers, preflightAnswers, preflightFiles, preflightReports } from '../preflight.ts';
import { readUntil } from '../window-options.ts';
import { type LookParts, lookDeps, oneLook } from './look.ts';
import { type RunRequest, resumeCommand } from './request.ts';

/** A run that nothing speaks against so far. Nothing of it is on the screen or in the log yet. */
export interface PreparedRun extends LookParts {
	readonly order: StepOrder;
	/** What earlier processes of this run have logged. */
	readonly from: RunState;
	readonly known: Known & { readonly lastRun: ReadonlySet<string> };
	/** A person is asked. */
	readonly interactive: boolean;
	/** What a step would be given now. */
	readonly context: StepContext;
	readonly engine: EngineRequest;
	/** The host as the steps see it. */
	readonly readHost: ReadHost;
	readonly environment: RunRequest['environment'];
	readonly opened: RunRequest['opened'];
}

/**
 * Checks everything that was passed, before anything is asked, logged or changed.
 *
 * @throws WrongInput for what only the operator can put right; CannotGoOn where the saved plan is not what would be done
 */
export async function prepareRun(request: RunRequest): Promise<PreparedRun> {
	const { environment, options, terminal, mode, opened, held } = request;
	const { host, knowledge } = environment;
	const { signal } = request.stop;
	const order = orderOf(request);
	const past = opened?.events ?? [];
	const from: RunState = past.length > 0 ? reduceAll(past) : initialState;
	if (held !== undefined) checkHeldTo(held, environment);
	if (mode === 'run') checkSamePlan(from, held, resumeCommand(request));
	if (request.out !== undefined) await preflightOut(request.out);
	const looksOnly = mode === 'check' || mode === 'plan';
	const interactive = terminal.interactive && !options.yes && options.format === 'text' && !looksOnly;
	const known = knownBefore(request);
	const runOptions = runOptionsOf(request, interactive);
	const start: JudgeContext = {
		knowledge,
		options: runOptions,
		answers: { ...known.saved },
		state: from,
		now: environment.now(),
	};
	const context: StepContext = { ...start, host, signal };
	preflightAnswers(order, request.steps, request.passed, start, !interactive);
	for (const line of expiredWaivers(request.passed, start.now)) terminal.err(lineOf(`${line}`));
	if (mode === 'run') await preflightReports(order, context);
	await preflightFiles(host, [
		...(runOptions.deb === undefined ? [] : [{ option: '--deb', path: runOptions.deb }]),
		...runOptions.imageArchives.map(path => ({ option: '--image-archive', path })),
	]);
	const prepared: PreparedRun = {
		order,
		from,
		known,
		interactive,
		context,
		options: runOptions,
		engine: {
			mode: mode === 'revert' ? 'run' : mode,
			order,
			waivers: request.passed.waivers,
			strict: request.strict,
			recordAsked: options.record !== undefined,
		},
		environment,
		readHost: looksOnly ? oneLook(environment) : host,
		probes: probeHost({
			host,
			run: opened?.run ?? 'unsaved',
			signal,
			stateDirectory: environment.hostDirectory,
			pause: environment.pause,
		}),
		signal,
		opened,
	};
	if (held !== undefined) {
		const deps = { ...lookDeps(prepared, oneLook(environment)), decider: decideNothing(known) };
		await refuseUnlessPlanned(held, deps, from, prepared.engine, environment.command);
	}
	return prepared;
}

/** The chosen steps and what they need, in the order in which they run. */
function orderOf({ steps, selection }: RunRequest): StepOrder {
	const ordered = orderSteps(steps, selection);
	if (ordered.kind === 'cycle') throw new Error(`steps need each other: ${ordered.through.join(' needs ')}`);
	// Nothing to do would read as "nothing to change".
	if (ordered.order.steps.every(({ role }) => role !== 'chosen'))
		throw new WrongInput('no step is left to run: --only, --skip and --from leave none.', [
			`the steps are: ${steps.map(step => step.id).join(', ')}`,
		]);
	return ordered.order;
}

function knownBefore({ passed, held, opened, lastAnswers }: RunRequest): PreparedRun['known'] {
	// What a plan was made with is its run's too, unless the operator passes something else; then the plan differs.
	const own = { ...held?.plan.answers, ...opened?.answers };
	// A saved plan holds all of its answers: those of a later run are no part of it.
	const last = held === undefined ? (lastAnswers ?? {}) : {};
	return {
		answers: passed.answers,
		saved: { ...last, ...own },
		lastRun: new Set(Object.keys(last).filter(id => !(id in own))),
	};
}

function runOptionsOf(request: RunRequest, interactive: boolean): RunOptions {
	const { options, environment } = request;
	// Commands are run from / so that a relative path would mean another file there.
	const absolute = (path: string): string => resolve(environment.workingDirectory, path);
	return {
		deb: options.deb === undefined ? undefined : absolute(options.deb),
		imageArchives: options.imageArchive.map(absolute),
		managed: options.managed?.map(absolute),
		workingDirectory: environment.workingDirectory,
		command: environment.command,
		again: resumeCommand(request),
		stateDirectory: environment.hostDirectory,
		record: environment.record,
		changeId: options.changeId,
		until: endOfWindow(options.until, environment.now()),
		drainTimeoutMs: options.drainTimeoutMs,
		attended: interactive ? true : undefined,
	};
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
