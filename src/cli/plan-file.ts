import { dirname, resolve } from 'node:path';
import type { EngineRequest, RunPreview } from '../engine/contract.ts';
import { type PreviewDeps, previewRun } from '../engine/preview-run.ts';
import { localHost } from '../host/local/local-host.ts';
import { exitCode } from '../model/exit.ts';
import { standingBlocks } from '../model/finding.ts';
import type { RunState } from '../model/state.ts';
import { CannotGoOn, WrongInput } from '../model/wrong-input.ts';
import { accountedFor, comparePlans } from '../saved-plan/compare-plans.ts';
import { differenceLines } from '../saved-plan/difference-text.ts';
import { readSavedPlan } from '../saved-plan/read-saved-plan.ts';
import { plannedSteps, risksIn, type SavedPlan, savedPlanOf, savedPlanText } from '../saved-plan/saved-plan.ts';
import type { Environment } from '../session/environment.ts';
import { shellLine } from '../text/shell-line.ts';
import { outcomeWords } from '../view/words.ts';
import { readPassedFile } from './passed-file.ts';
import { reasonOf } from './preflight.ts';

/** The saved plan that a run is held to. */
export interface HeldTo {
	/** As it was typed. */
	readonly file: string;
	readonly plan: SavedPlan;
}

/** A plan of 10,000 containers is a few of them. */
const maxPlanBytes = 16 * 1024 * 1024;

/** Reads the plan that was passed with --plan. */
export async function readHeldTo(file: string, command: string): Promise<HeldTo> {
	let bytes: Buffer | undefined;
	try {
		bytes = await readPassedFile(file, maxPlanBytes);
	} catch (error) {
		throw new WrongInput(`the saved plan ${file} cannot be read: ${reasonOf(error)}`);
	}
	if (bytes === undefined)
		throw new WrongInput(`the saved plan ${file} has more than ${maxPlanBytes} bytes; that is no plan`);
	const read = readSavedPlan(file, bytes);
	if (read.kind === 'wrong')
		throw new WrongInput(read.problems.join('\n'), [`a plan is saved with: ${command} plan --out FILE`]);
	return { file, plan: read.plan };
}

/** A plan is for one host and one version of this tool: only the same code plans the same, and waits for the same. */
export function checkHeldTo({ file, plan }: HeldTo, { host, machine, simulated, version }: Environment): void {
	const { made } = plan;
	if (plan.host.simulated !== simulated)
		throw new WrongInput(
			`${file} is a plan for a ${plan.host.simulated ? 'simulated' : 'real'} host, and this is not one.`,
		);
	if (plan.host.name !== host.identity.hostname || plan.host.machine !== machine) {
		const namesake = plan.host.name === host.identity.hostname ? ', another machine of the same name' : '';
		throw new WrongInput(`${file} is a plan for ${plan.host.name}${namesake}, and this is ${host.identity.hostname}.`, [
			'make one here with: plan --out FILE',
		]);
	}
	if (made.tool !== version)
		throw new WrongInput(`${file} was made by sysbox-setup ${made.tool}, and this is ${version}.`, [
			`run it with sysbox-setup ${made.tool}`,
			'or have a plan of this version approved: plan --out FILE',
		]);
}

/** A run that was begun under a plan goes on under it, and under no other. */
export function checkSamePlan(from: RunState, held: HeldTo | undefined, again: string): void {
	const before = [from.start, ...from.resumes].findLast(event => event?.plan !== undefined)?.plan;
	if (before === undefined || before.digest === held?.plan.digest) return;
	const ways = ['begin a new run instead: --fresh'];
	throw held === undefined
		? new WrongInput(`the run that was left is held to the saved plan ${before.file}.`, [
				`go on with it: ${again} --plan ${shellLine([before.file])}`,
				...ways,
			])
		: new WrongInput(
				`the run that was left is held to another plan, ${before.file} (${before.digest.slice(0, 12)}), than ${held.file} (${held.plan.digest.slice(0, 12)}).`,
				ways,
			);
}

/**
 * Plans the whole run anew and holds it to the saved plan, before anything is changed. What a run that goes on has done
 * already is left out of the account.
 */
export async function refuseUnlessPlanned(
	{ file, plan }: HeldTo,
	deps: PreviewDeps,
	from: RunState,
	request: EngineRequest,
	command: string,
): Promise<void> {
	const previewed = await previewRun(deps, from, request);
	if (previewed.end.outcome === 'interrupted') return;
	const lines = [
		...differenceLines(
			comparePlans(
				plan.steps,
				plannedSteps(previewed.state),
				step => accountedFor(from, step, plan.digest),
				from.actions.length === 0,
			),
		),
		...hindered(previewed),
	];
	if (lines.length === 0) return;
	throw new CannotGoOn(
		`${file}, made ${plan.made.at} by ${plan.made.by}, is not what a run would do now. Nothing was changed.\n${lines.map(line => `  ${line}`).join('\n')}`,
		exitCode.blocked,
		[
			...(plan.host.root ? [] : ['it was made without root, which sees less: make it with sudo']),
			`have a new plan approved: ${command} plan --out FILE`,
		],
	);
}

/** What ended the look itself. */
function hindered({ end, state }: RunPreview): readonly string[] {
	if (end.outcome === 'wrong-input') return [end.why ?? outcomeWords['wrong-input']];
	return state.steps
		.filter(step => step.status === 'blocked')
		.map(step => {
			const why = standingBlocks(step.before).map(finding => finding.summary);
			return `${step.id}: is blocked now: ${why.join(' ') || (step.why ?? '')}`;
		});
}

/** A path that cannot be written is found before the host is looked at. */
export async function preflightOut(file: string): Promise<void> {
	const disk = localHost();
	const path = resolve(file);
	const there = await disk.stat(path);
	if (there.kind === 'found' || (there.kind === 'missing' && there.danglingTo !== undefined))
		throw new WrongInput(`${file} is there already, and is not replaced.`, ['name another file with --out']);
	if (there.kind !== 'missing') throw new WrongInput(`${file} cannot be written: ${there.kind}.`);
	const directory = await disk.stat(dirname(path));
	if (directory.kind !== 'found' || directory.type !== 'directory')
		throw new WrongInput(`${file} cannot be written: there is no folder ${dirname(path)}.`);
}

/** Writes what `plan` foresaw, as the owner of the directory. Says what became of it. */
export async function savePlan(
	file: string,
	state: RunState,
	request: {
		readonly environment: Environment;
		readonly typed: readonly string[];
		readonly changeId?: string | undefined;
	},
): Promise<readonly string[]> {
	const { environment, typed, changeId } = request;
	const { identity } = environment.host;
	const plan = savedPlanOf(state, {
		made: {
			at: environment.now().toISOString(),
			by: identity.user,
			tool: environment.version,
			command: typed,
			changeId,
		},
		host: {
			name: identity.hostname,
			machine: environment.machine,
			simulated: environment.simulated,
			root: identity.uid === 0,
		},
	});
	const disk = localHost();
	const path = resolve(file);
	const directory = await disk.stat(dirname(path));
	const own = directory.kind === 'found' && disk.identity.uid === 0 ? directory.meta : undefined;
	const written = await disk.replaceFile(path, new TextEncoder().encode(savedPlanText(plan)), {
		expect: { kind: 'missing' },
		// It shows what a host lacks; root reads it whoever owns it.
		mode: 0o600,
		owner: own === undefined ? undefined : { uid: own.uid, gid: own.gid },
	});
	switch (written.kind) {
		case 'written':
			return [`saved  ${path}`, `digest ${plan.digest}`, `run it ${runCommand(file, plan, environment, typed)}`];
		case 'changed':
			throw new WrongInput(`${file} is there already, and is not replaced.`, ['name another file with --out']);
		case 'rejected':
			throw new CannotGoOn(`${file} was not written: ${written.said}.`, exitCode.failed);
		case 'failed':
			throw new CannotGoOn(`${file} was not written: ${written.message}.`, exitCode.failed);
		default:
			return written satisfies never;
	}
}

/** The command that runs this plan: what was typed, with what has to be accepted by name. */
function runCommand(file: string, plan: SavedPlan, environment: Environment, typed: readonly string[]): string {
	const [program = ''] = environment.command.split(' --');
	const sudo = plan.host.simulated || program.startsWith('sudo ') ? '' : 'sudo ';
	const words = withoutOut(typed.filter(word => word !== 'plan' && word !== '--yes'));
	const accepted = risksIn(plan).filter(risk => !typed.includes(risk) && !typed.includes(`--accept-risk=${risk}`));
	return `${sudo}${program} ${shellLine([...words, '--yes', '--plan', file, ...accepted.flatMap(risk => ['--accept-risk', risk])])}`;
}

const withoutOut = (typed: readonly string[]): readonly string[] =>
	typed.filter((word, index) => word !== '--out' && typed[index - 1] !== '--out' && !word.startsWith('--out='));
