import type { Action, Plan } from '../../src/model/action.ts';
import { emptyPlan } from '../../src/model/action.ts';
import { type EntryPoint, entryPointsKey } from '../../src/model/entry-point.ts';
import { nextKey } from '../../src/model/next-steps.ts';
import { changeStep, type JudgeContext, type Step } from '../../src/model/step.ts';
import { containerSites } from './access-sites.ts';
import { type CiFiles, ciFindings, nothingReaches } from './ci-findings.ts';
import { entryPointsOf, serviceSites } from './entry-points.ts';
import { type CiFacts, directoryPath, lookAtCi } from './facts.ts';
import { ciFindingIds } from './finding-ids.ts';
import { answerIds, ciQuestions, initialSystems, runnerUrl } from './questions.ts';
import { fileKinds, type RenderedFile, renderFiles } from './rendered-files.ts';
import { settingsOf } from './settings.ts';

/**
 * Writes files for the CI systems of this host, into one directory of the operator's. It starts nothing and stops nothing,
 * and touches no configuration that is in use; what is in use is looked at, and what there reaches the host is named.
 * Skipped, nothing changes: the proofs then use the default image and no limits.
 */
export const ciStep: Step = changeStep<CiFacts>({
	id: 'ci',
	title: 'CI configuration',
	why: 'Writes files that give CI jobs an inner Docker under Sysbox. Finds containers that still reach this host.',
	brief: 'writes files that give CI jobs an inner Docker',
	needs: ['docker'],
	findingIds: ciFindingIds,
	answerIds,
	inspect: lookAtCi,
	judge: (facts, context) => ciFindings(facts, ciFiles(facts, context), context),
	observe(facts) {
		const next = { key: nextKey('ci'), value: nextOf(facts) };
		const { containers, info } = facts.docker;
		const entries = { key: entryPointsKey, value: entryPointsOf(facts) as EntryPoint[] };
		if (containers.kind !== 'ok') return [entries, next];
		const sites = [
			...containerSites(containers.value, info.kind === 'ok' ? info.value : undefined, facts.composeFiles, {}),
			...facts.runnerConfigs.flatMap(config => config.sites),
			...serviceSites(facts.services.agents),
		];
		return [
			{ key: 'ci.access', value: sites.map(site => ({ where: site.where, what: site.access.what })) },
			entries,
			next,
		];
	},
	ask: ciQuestions,
	plan: planCi,
});

/** The files alone change nothing for any job. */
function nextOf(facts: CiFacts): string | null {
	const { directory, files } = facts;
	const ours = fileKinds.filter(({ name }) => {
		const file = files[name];
		return file?.kind === 'text' && file.ours;
	});
	if (ours.length === 0) return null;
	const each = ours.flatMap(({ next }) => next ?? []);
	const used = entryPointsOf(facts).some(({ sysbox }) => sysbox === 'yes');
	const head = used
		? `The files in ${directory.path} say how more jobs use Sysbox:`
		: `No job uses Sysbox yet; the files in ${directory.path} say how:`;
	return [head, ...each].join('\n');
}

function ciFiles(facts: CiFacts, { answers }: JudgeContext): CiFiles {
	const info = facts.docker.info.kind === 'ok' ? facts.docker.info.value : undefined;
	const written = Object.values(facts.files).flatMap(file => (file.kind === 'text' && file.ours ? [file.text] : []));
	const gitlabUrl = runnerUrl(facts);
	const reading = settingsOf(
		answers,
		{ info, digests: facts.digests, written },
		{ systems: initialSystems(facts), gitlabUrl },
	);
	if (reading.kind === 'wrong') return { reading, rendered: [], toWrite: [] };
	const rendered = renderFiles(facts.templates, reading.settings, reading.systems);
	const toWrite = rendered.filter(({ kind, text }) => {
		const seen = facts.files[kind.name];
		return seen?.kind !== 'text' || seen.text !== text;
	});
	return { reading, rendered, toWrite };
}

function planCi(facts: CiFacts, context: JudgeContext): Plan {
	const files = ciFiles(facts, context);
	const { rendered, toWrite } = files;
	if (toWrite.length === 0 || rendered.some(({ problems }) => problems.length > 0)) return emptyPlan;
	const path = directoryPath(context.answers, context.options.workingDirectory);
	const makeDirectory: Action = {
		id: 'folder',
		kind: 'make-folder',
		path,
		mode: 0o755,
		asDirectoryOwner: true,
		title: `Make the folder ${path}`,
		why: 'The CI files go there. It belongs to the owner of the folder above.',
	};
	// The answer came after the look: what is in that directory is not known, so nothing is written before it is.
	if (facts.directory.path !== path) return { actions: [makeDirectory] };
	if (facts.directory.kind === 'refused') return emptyPlan;
	const writes = toWrite.flatMap(file => writeOf(file, facts));
	if (writes.length === 0) return emptyPlan;
	// What reaches the host is told by the findings; that nothing does would stay unsaid where the plan is shown.
	const { summary } = ciFindings(facts, files, context).find(({ id }) => id === nothingReaches) ?? {};
	return {
		actions: [...(facts.directory.kind === 'missing' ? [makeDirectory] : []), ...writes],
		impact: {
			stops: [],
			notes: [
				...(summary === undefined ? [] : [summary]),
				'Nothing is started or stopped; no file in use by your CI is touched.',
			],
		},
	};
}

function writeOf({ kind, text }: RenderedFile, facts: CiFacts): readonly Action[] {
	const seen = facts.files[kind.name] ?? { kind: 'missing' };
	// What cannot be read is not written over; the findings name it.
	if (seen.kind === 'refused' || seen.kind === 'denied') return [];
	return [
		{
			id: kind.name,
			kind: 'write',
			path: `${facts.directory.path}/${kind.name}`,
			bytes: new TextEncoder().encode(text),
			mode: kind.mode,
			asDirectoryOwner: true,
			title: `Write ${kind.name}: ${kind.what}`,
			why:
				seen.kind === 'text' && !seen.ours
					? 'It is written over the file that is there; that one is kept, and a revert puts it back.'
					: 'For you to start or to take over into your CI; this tool does not start it.',
			...(seen.kind === 'text'
				? { expect: { kind: 'sha256', sha256: seen.sha256 }, before: seen.text }
				: { expect: { kind: 'missing' } }),
		},
	];
}
