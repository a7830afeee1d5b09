import type { ReactElement } from 'react';
import { type Hint, hintText } from '../keys.ts';
import type { Look } from '../layout.ts';
import { commandsNow, hintsNow } from '../press.ts';
import { type Asking, currentStep, findingsOf, textWidth, type WizardState } from '../screen.ts';
import { fullText } from '../text/full-text.ts';
import type { Work } from '../text/work-text.ts';
import type { Theme } from '../theme.ts';
import { BlockedScreen } from './blocked-screen.tsx';
import { ExplainScreen } from './explain-screen.tsx';
import { FailureScreen } from './failure-screen.tsx';
import { FullViewScreen } from './full-view-screen.tsx';
import { HelpScreen } from './help-screen.tsx';
import { PlanScreen } from './plan-screen.tsx';
import { ProofConsentScreen } from './proof-consent-screen.tsx';
import { ProofResultScreen } from './proof-result-screen.tsx';
import { ProofScreen } from './proof-screen.tsx';
import { QuestionScreen } from './question-screen.tsx';
import { ReviewScreen } from './review-screen.tsx';
import { RiskScreen } from './risk-screen.tsx';
import { SettingsScreen } from './settings-screen.tsx';
import { StartScreen } from './start-screen.tsx';
import { stepTitle } from './step-title.ts';
import { SummaryScreen } from './summary-screen.tsx';
import { TooSmallScreen, tooSmall } from './too-small-screen.tsx';
import { WorkingScreen } from './working-screen.tsx';

const pagerHints = (theme: Theme): readonly Hint[] => [
	{ key: 'space', does: 'on' },
	{ key: theme.upDown, does: 'row' },
	'search',
	'search-next',
	'top',
	'bottom',
	'close',
];

const explainHints: readonly Hint[] = ['next', 'previous', 'print-commands', 'close'];

/** Chooses the screen for a state and hands it the data that it needs. */
export function CurrentScreen({ state, theme }: { readonly state: WizardState; readonly theme: Theme }): ReactElement {
	const { columns, rows } = state.size;
	if (tooSmall(state.size)) return <TooSmallScreen columns={columns} rows={rows} />;
	const { asking, overlay } = state;
	const look = (hints: readonly Hint[]): Look => ({
		theme,
		width: textWidth(columns),
		rows,
		simulated: state.intro.simulated,
		spinner: theme.spinner[Math.floor(state.now / 125) % theme.spinner.length] ?? '',
		keys: hints.map(hintText),
	});
	switch (overlay?.kind) {
		case 'help':
			return <HelpScreen look={look(['close'])} commands={commandsNow(state, theme)} intro={state.intro} />;
		case 'explain':
			return <ExplainScreen look={look(explainHints)} findings={overlay.findings} at={overlay.at} />;
		case 'full-view': {
			const step = currentStep(state);
			const text = fullText(state.run, step, asking?.screen, textWidth(columns), theme);
			const title =
				asking?.screen.kind === 'review'
					? 'Everything that this run would do'
					: step === undefined
						? 'All'
						: `${stepTitle(step, { theme })} ${theme.glyphs.neutral} all of it`;
			return <FullViewScreen look={look(pagerHints(theme))} title={title} text={text} pager={overlay.pager} />;
		}
		case undefined:
			break;
		default:
			overlay satisfies never;
	}
	return asking === undefined ? (
		<Running state={state} look={look(hintsNow(state, theme))} />
	) : (
		<Asked state={state} asking={asking} look={look(hintsNow(state, theme))} />
	);
}

function Running({ state, look }: { readonly state: WizardState; readonly look: Look }): ReactElement {
	const step = currentStep(state);
	const { run, clocks, now, stopping } = state;
	const work: Work | undefined = step === undefined ? undefined : { run, step, clocks, now };
	if (step !== undefined && work !== undefined && step.probes.length + step.runningProbes.length > 0)
		return <ProofScreen look={look} step={step} work={work} total={state.totals[step.id] ?? 0} stopping={stopping} />;
	const working = step?.decision?.decision === 'apply';
	return <WorkingScreen look={look} step={step} why={whyOf(state)} work={work} working={working} stopping={stopping} />;
}

const whyOf = (state: WizardState): string | undefined => {
	const step = currentStep(state);
	return state.intro.steps.find(({ id }) => id === step?.id)?.why;
};

function Asked({
	state,
	asking,
	look,
}: {
	readonly state: WizardState;
	readonly asking: Asking;
	readonly look: Look;
}): ReactElement {
	const { screen, prompt, title = '', body = [] } = asking;
	const step = currentStep(state);
	const shown = { look, step, title, body, prompt };
	switch (screen.kind) {
		case 'start':
			return <StartScreen look={look} intro={state.intro} seen={screen.seen} prompt={prompt} />;
		case 'question':
			return <QuestionScreen {...shown} findings={findingsOf(step)} why={whyOf(state)} />;
		case 'settings':
			return <SettingsScreen {...shown} settings={screen.settings} />;
		case 'review':
			return <ReviewScreen {...shown} run={screen.run} accepted={state.intro.accepted} command={state.intro.command} />;
		case 'plan':
			return (
				<PlanScreen
					{...shown}
					why={whyOf(state)}
					findings={screen.findings}
					page={screen.page}
					accepted={state.intro.accepted}
				/>
			);
		case 'risk':
			return <RiskScreen {...shown} risk={screen.risk} />;
		case 'blocked':
			return <BlockedScreen {...shown} findings={screen.findings} />;
		case 'proof':
			return <ProofConsentScreen {...shown} probes={screen.probes} leftOut={screen.leftOut} />;
		case 'result':
			return <ProofResultScreen {...shown} />;
		case 'failure':
			return <FailureScreen {...shown} failure={screen.failure} />;
		case 'end':
			return (
				<SummaryScreen
					look={look}
					run={state.run}
					intro={state.intro}
					saved={screen.saved}
					problem={screen.problem}
					prompt={prompt}
				/>
			);
		default:
			return screen satisfies never;
	}
}
