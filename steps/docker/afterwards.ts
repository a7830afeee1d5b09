import { type Container, jobLabels } from '../../src/docker/container.ts';
import { isJob } from '../../src/docker/container-impact.ts';
import type { Action, Guarded, ReadinessState } from '../../src/model/action.ts';
import type { Question } from '../../src/model/question.ts';
import type { RunState } from '../../src/model/state.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import { nameSome } from '../../src/text/name-some.ts';
import type { DockerStepFacts } from './facts.ts';
import { restartSheet } from './impact.ts';
import { chosenToStart, startAgainId, startedByDefault } from './start-again-choice.ts';

/** Key of the observation that says what ran right before Docker was restarted. */
const ranKey = 'docker.ran-before-restart';

/** Containers that neither Docker nor a CI system starts again. */
const staysDown = (facts: DockerStepFacts, context: JudgeContext) =>
	restartSheet(facts, context).filter(
		c => (c.fate === 'does-not-come-back' || c.fate === 'comes-back-after-error') && c.job !== true,
	);

/** Which of the containers that stay down are started again: none without a restart policy, unless somebody names it. */
export function askStartAgain(facts: DockerStepFacts, context: JudgeContext): readonly Question[] {
	const containers = staysDown(facts, context);
	if (containers.length === 0) return [];
	return [
		{
			id: startAgainId,
			label: 'Start again',
			alone: true,
			kind: 'many',
			title: 'Start these again once Docker is back?',
			help: 'They run now, and nothing else starts them again. What you select starts from its beginning: do not select what must not run twice, such as a migration.',
			options: containers.map(({ name, image, restartPolicy }) => ({
				value: name,
				label: name,
				hint: `${image}, restart policy ${restartPolicy}`,
			})),
			initial: containers.filter(startedByDefault).map(({ name }) => name),
		},
	];
}

interface Ran {
	readonly id: string;
	readonly name: string;
	readonly job: boolean;
}

/** What runs, in one command, as cheap as it is for a thousand containers. */
async function listRunning(host: ReadHost, signal: AbortSignal): Promise<readonly Ran[] | string> {
	const argv: Argv = ['docker', 'ps', '--no-trunc', '--format', '{{.ID}}\t{{.Names}}\t{{.Labels}}'];
	const listed = await host.exec(argv, { timeoutMs: 10_000, signal });
	if (listed.code !== 0) return listed.stderr.trim() || `docker ps: ${listed.problem ?? `exit code ${listed.code}`}`;
	return listed.stdout
		.split('\n')
		.filter(line => line !== '')
		.map(line => {
			const [id = '', name = '', labels = ''] = line.split('\t');
			return { id, name, job: jobLabels.some(label => labels.split(',').some(pair => pair.startsWith(`${label}=`))) };
		});
}

/**
 * Right before the restart: what stops must be what was accepted, and what runs is written down, so that it can be
 * started again whatever happens to this process. New jobs are expected where jobs were not waited for.
 */
export function guardRestart(
	facts: DockerStepFacts,
	context: JudgeContext,
	jobsAreExpected: boolean,
): (host: ReadHost, signal: AbortSignal) => Promise<Guarded> {
	const sheet = restartSheet(facts, context);
	const known = new Set(sheet.map(c => c.id));
	const stops = sheet.length === 0 || sheet.some(c => c.fate !== 'keeps-running');
	return async (host, signal) => {
		const running = await listRunning(host, signal);
		if (typeof running === 'string') return { kind: 'stale', said: `what runs cannot be seen: ${running}` };
		const strangers = running.filter(c => !known.has(c.id) && !(c.job && jobsAreExpected));
		if (stops && strangers.length > 0)
			return {
				kind: 'stale',
				said: `${nameSome(strangers.map(c => c.name))} began to run since the plan was shown`,
			};
		return { kind: 'go', seen: { key: ranKey, value: running.map(({ id, name, job }) => ({ id, name, job })) } };
	};
}

/** How often it looks for containers that a restart policy starts: for about twenty seconds. */
const looks = 100;

/** Docker starts containers by their policy in the background, after it has begun to answer. */
export function waitForReturning(facts: DockerStepFacts, context: JudgeContext): readonly Action[] {
	const returning = restartSheet(facts, context).filter(c => c.fate === 'comes-back');
	if (returning.length === 0) return [];
	let looked = 0;
	return [
		{
			id: 'wait-for-containers',
			kind: 'exec',
			title: `Wait for ${returning.length === 1 ? returning[0]?.name : `${returning.length} containers`} to come back`,
			why: 'their restart policy starts them; what does not come back is named',
			argv: ['docker', 'ps', '--quiet'],
			timeoutMs: 30_000,
			undo: { kind: 'none', why: 'it only looks' },
			waitUntil: {
				what: 'the containers that come back by themselves',
				deadlineMs: 60_000,
				check: async (host, signal): Promise<ReadinessState> => {
					const running = await listRunning(host, signal);
					const there = new Set(typeof running === 'string' ? [] : running.map(c => c.id));
					const missing = returning.filter(c => !there.has(c.id)).map(c => c.name);
					looked += 1;
					if (missing.length === 0) return { kind: 'settled', evidence: `all ${returning.length} run` };
					const seen = `${nameSome(missing, 3)} ${missing.length === 1 ? 'does' : 'do'} not run`;
					// Not a failure of the restart: they are offered to be started.
					return looked >= looks ? { kind: 'settled', evidence: seen } : { kind: 'waiting', seen };
				},
			},
		},
	];
}

/** The last time that this run began to restart Docker, and what ran then. */
function lastRestart(state: RunState): { readonly seq: number; readonly ran: readonly Ran[] } | undefined {
	const restart = state.actions.findLast(a => a.role === 'restart-docker' && a.outcome !== 'refused');
	const seen = state.observed[ranKey]?.last.value;
	if (restart === undefined || !Array.isArray(seen)) return undefined;
	const ran = seen.flatMap((entry): readonly Ran[] => {
		if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [];
		const { id, name, job } = entry;
		return typeof id === 'string' && typeof name === 'string' ? [{ id, name, job: job === true }] : [];
	});
	return { seq: restart.seq, ran };
}

/** Containers that ran before our restart, should run, and do not. */
export function downSinceRestart(facts: DockerStepFacts, context: JudgeContext): readonly Container[] {
	const restart = lastRestart(context.state);
	const { containers } = facts.docker;
	if (restart === undefined || containers.kind !== 'ok') return [];
	const ran = new Set(restart.ran.map(c => c.id));
	const wanted = chosenToStart(context);
	const byPolicy = (c: Container) => c.restartPolicy === 'always' || c.restartPolicy === 'unless-stopped';
	const runners = new Set(facts.runners.flatMap(r => (r.kind === 'container' ? [r.id] : [])));
	return containers.value.filter(
		c => ran.has(c.id) && !c.running && !c.autoRemove && !isJob(c) && !runners.has(c.id) && (byPolicy(c) || wanted(c)),
	);
}

/** Starts them, once: what does not stay up is told, and left to its owner. */
export function startAgain(facts: DockerStepFacts, context: JudgeContext): readonly Action[] {
	const restart = lastRestart(context.state);
	const down = downSinceRestart(facts, context);
	const tried = context.state.actions.some(
		a => a.step === 'docker' && a.id === 'start-again' && a.seq > (restart?.seq ?? 0) && a.outcome !== 'refused',
	);
	if (down.length === 0 || tried) return [];
	return [
		{
			id: 'start-again',
			kind: 'exec',
			title: `Start ${nameSome(down.map(c => c.name))} again`,
			why: `${down.length === 1 ? 'it' : 'they'} ran before Docker was restarted`,
			argv: ['docker', 'start', ...down.map(c => c.name)],
			timeoutMs: 120_000,
			undo: { kind: 'none', why: 'it ran before' },
			whenItFails: [`see what it says (docker logs ${down[0]?.name}), then start it (docker start ${down[0]?.name})`],
		},
	];
}
