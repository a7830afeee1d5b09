import { hardBlocks } from '../model/finding.ts';
import { type Answers, initialAnswer, type Question } from '../model/question.ts';
import { changing, earlyQuestions, type PreviewedStep, previewedSteps, type Setting } from '../model/review.ts';
import { changedAnything } from '../model/state.ts';
import type { EngineDeps, EngineRequest, RunPreview } from './contract.ts';
import type { Navigation, Prepared } from './navigation.ts';
import { judgeContext } from './step-run.ts';

/**
 * Before the first step: what the run would ask is settled on one page, and all that it would do is shown. Where the
 * host hinders the run, or nobody wants it so, each step asks by itself. `quit`: the run is left.
 */
export async function prepareRun(
	deps: EngineDeps,
	request: EngineRequest,
	navigation: Navigation,
): Promise<'go-on' | 'quit'> {
	const { decider, lookAhead } = deps;
	const steps = request.order.steps.filter(({ role }) => role === 'chosen');
	if (request.mode !== 'run' || decider.settings === undefined || lookAhead === undefined || steps.length < 2)
		return 'go-on';
	let chosen = chosenBefore(navigation);
	navigation.prepared = undefined;
	/** Where nothing is or was to be changed the page is shown to whoever goes back to it. */
	let wanted = changedAnything(deps.state());
	for (;;) {
		const ahead = await lookAhead(chosen);
		if (deps.signal.aborted || isHindered(ahead)) return 'go-on';
		const settings = settingsOf(deps, request, ahead, chosen);
		const plans = previewed(deps, request, ahead, settings);
		wanted ||= changing(plans).length > 0 || settings.some(({ value }) => value === undefined);
		const decision = wanted && settings.length > 0 ? await decider.settings(settings) : ({ kind: 'go-on' } as const);
		if (decision.kind === 'one-by-one') return 'go-on';
		if (decision.kind === 'quit') return 'quit';
		if (decision.kind === 'changed') {
			chosen = { ...chosen, ...decision.answers };
			continue;
		}
		const agreed = await review(deps, navigation, settings, plans);
		if (agreed !== 'back') return agreed;
		wanted = true;
	}
}

/** What the operator chose when the page was shown before. */
const chosenBefore = ({ prepared }: Navigation): Answers =>
	Object.fromEntries(
		[...(prepared?.answers ?? [])].flatMap(([id, { value, source }]) => (source === 'operator' ? [[id, value]] : [])),
	);

async function review(
	deps: EngineDeps,
	navigation: Navigation,
	settings: readonly Setting[],
	plans: readonly PreviewedStep[],
): Promise<'go-on' | 'quit' | 'back'> {
	const decision = (await deps.decider.review?.(plans, { back: settings.length > 0 })) ?? ({ kind: 'go-on' } as const);
	if (decision.kind === 'quit' || decision.kind === 'back') return decision.kind;
	navigation.reviewed = true;
	navigation.prepared = {
		answers: answersOf(settings),
		approved: decision.kind === 'apply' ? { steps: plans, risks: decision.risks } : undefined,
	};
	return 'go-on';
}

/** Something that this run does not end is in the way: the step that it hinders shows it, and asks by itself. */
const isHindered = ({ state }: RunPreview): boolean =>
	state.steps.some(({ status, before }) => status === 'blocked' && hardBlocks(before ?? []).length > 0);

/** What was asked in the look ahead, and what a step that cannot be planned yet asks on every host. */
function settingsOf(deps: EngineDeps, request: EngineRequest, ahead: RunPreview, chosen: Answers): readonly Setting[] {
	const early = request.order.steps
		.filter(({ role }) => role === 'chosen')
		.flatMap(({ step }) =>
			earlyQuestions(ahead, step, judgeContext(deps)).map((question): Setting => {
				const given = deps.given?.(question);
				const { value, source } = given ?? { value: initialAnswer(question), source: 'default' as const };
				return { step: step.id, question, value, source: value === undefined ? undefined : source };
			}),
		);
	const settings = new Map([...early, ...ahead.asked].map(setting => [setting.question.id, setting]));
	const inOrder = (step: string): number => request.order.steps.findIndex(entry => entry.step.id === step);
	return [...settings.values()]
		.filter(({ question }) => isSetting(question))
		.toSorted((a, b) => inOrder(a.step) - inOrder(b.step))
		.map(setting => {
			const value = chosen[setting.question.id];
			return value === undefined ? setting : { ...setting, value, source: 'operator' };
		});
}

/** What stops something is no setting, and neither is what has to be typed by its name or kept from everybody. */
const isSetting = (question: Question): boolean =>
	question.alone !== true && question.kind !== 'risk' && !(question.kind === 'text' && question.secret === true);

const answersOf = (settings: readonly Setting[]): Prepared['answers'] =>
	new Map(
		settings.flatMap(({ question, value, source }) =>
			value === undefined || source === undefined ? [] : [[question.id, { value, source }] as const],
		),
	);

const previewed = (
	deps: EngineDeps,
	request: EngineRequest,
	ahead: RunPreview,
	settings: readonly Setting[],
): readonly PreviewedStep[] =>
	previewedSteps(ahead, request.order, {
		seq: deps.state().lastSeq,
		context: judgeContext(deps),
		settled: new Set(settings.map(({ question }) => question.id)),
	});
