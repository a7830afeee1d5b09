import * as z from 'zod';
import type { Container } from '../../src/docker/container.ts';
import type { ImpactContainer } from '../../src/model/impact.ts';
import type { Probe, ProbeResult } from '../../src/model/probe.ts';
import type { Agreed, RunState } from '../../src/model/state.ts';
import { nameSome, someLines } from '../../src/text/name-some.ts';

/** What the run's first look at the host noted of each container. */
const baseline = z.array(z.object({ id: z.string(), name: z.string(), pid: z.number(), running: z.boolean() }));
type Noted = z.infer<typeof baseline>[number];

const inspectMs = 30_000;

/** Containers that ran when the run began; undefined when that was not noted. */
export function ranBefore(state: RunState): readonly Noted[] | undefined {
	const parsed = baseline.safeParse(state.observed['containers']?.first.value);
	return parsed.success ? parsed.data.filter(container => container.running) : undefined;
}

/**
 * What the operator agreed to for each container, from every plan of the run that was carried out: by id, the latest.
 * What keeps running was not agreed to be touched.
 */
function agreedFor(state: RunState): ReadonlyMap<string, ImpactContainer> {
	const carriedOut = ({ step, seq }: Agreed) =>
		state.actions.some(a => a.step === step && a.seq > seq && a.outcome !== 'refused' && a.outcome !== 'manual');
	const touched = state.agreed
		.filter(carriedOut)
		.flatMap(({ containers }) => containers)
		.filter(({ fate }) => fate !== 'keeps-running');
	return new Map(touched.map(container => [container.id, container]));
}

/** Whether to start again what was stopped was put to the operator once more, who then left it. */
const leftStopped = (state: RunState): boolean =>
	state.steps.some(
		({ plan, decision }) =>
			decision !== undefined && decision.decision !== 'apply' && plan?.actions.some(a => a.id === 'start-again'),
	);

export const defaultRuntimeProbe = 'regression.default-runtime';

/** Which options of `docker run` the operator's containers share a namespace of the host with, each once. */
const sharedWithHost = (containers: readonly Container[]): readonly string[] => [
	...new Set(
		containers.flatMap(c => {
			const modes = { network: c.networkMode, pid: c.pidMode, ipc: c.ipcMode, uts: c.utsMode };
			return Object.entries(modes).flatMap(([name, mode]) => (mode === 'host' ? [`--${name}=host`] : []));
		}),
	),
];

/**
 * Under another default every container that names no runtime is another one from its next start on. Each kind of them
 * that this host has is started under both, and has to do the same.
 */
export function underNewDefault(image: string, runtime: string, containers: readonly Container[]): Probe {
	const kinds: readonly (readonly string[])[] = [[], ...sharedWithHost(containers).map(option => [option])];
	return {
		id: defaultRuntimeProbe,
		title: 'Containers that name no runtime run as before',
		threats: [],
		attempt: `runs containers of ${image} as this host has them (${kinds.map(([option]) => option ?? 'plain').join(', ')}) under runc and under ${runtime}, which is now the default`,
		expectation: 'each ends in the same way and prints the same under both',
		async run(host): Promise<ProbeResult> {
			const evidence: ProbeResult['evidence'][number][] = [];
			const differences: string[] = [];
			const unclear: string[] = [];
			for (const options of kinds) {
				const spec = { image, entrypoint: 'cat', command: ['/etc/passwd'], options };
				const before = await host.runToEnd(spec, inspectMs);
				const after = await host.runToEnd({ ...spec, runtime }, inspectMs);
				const kind = options[0] ?? 'a plain container';
				for (const { command, result } of [before, after])
					evidence.push({
						what: command,
						said: result.code === 0 ? 'ended well' : result.stderr.trim() || `exit code ${result.code ?? 'none'}`,
					});
				if (before.result.code !== 0) unclear.push(kind);
				else if (after.result.code !== 0) differences.push(`${kind} does not start any more`);
				else if (after.result.stdout !== before.result.stdout) differences.push(`${kind} prints something else`);
			}
			if (differences.length > 0)
				return { verdict: 'fail', because: `under ${runtime} ${differences.join('; ')}`, evidence };
			if (unclear.length > 0)
				return {
					verdict: 'could-not-tell',
					because: `under runc it does not run either: ${unclear.join(', ')}`,
					evidence,
				};
			return { verdict: 'pass', because: `${kinds.length} of ${kinds.length} run as before`, evidence };
		},
	};
}

/** Containers that the evidence of the proof names. */
const mostShown = 50;

/** What became of a container that ran before, in the light of what was agreed to. */
type Outcome = 'untouched' | 'restarted' | 'left stopped' | 'broken' | 'ended by itself' | 'wrong';

interface Became {
	readonly name: string;
	readonly outcome: Outcome;
	readonly said: string;
}

function becameOf(
	container: Noted,
	now: { readonly running: boolean; readonly pid: number } | undefined,
	agreed: ImpactContainer | undefined,
	wasLeft: boolean,
): Became {
	const { name } = container;
	if (now?.running === true) {
		if (now.pid === container.pid) {
			return agreed?.fate === 'breaks'
				? { name, outcome: 'broken', said: 'is up, and has to be created again, as you agreed' }
				: { name, outcome: 'untouched', said: `pid ${container.pid}, as before` };
		}
		const pids = `pid ${container.pid} then, ${now.pid} now`;
		return agreed === undefined
			? { name, outcome: 'wrong', said: `was restarted (${pids})` }
			: { name, outcome: 'restarted', said: `was restarted, as you agreed (${pids})` };
	}
	const is = now === undefined ? 'is gone' : 'does not run';
	// Jobs come and go by themselves; that a container ended is no proof that this run ended it.
	const awaited = agreed?.fate === 'finishes-first';
	if (agreed === undefined || (awaited && agreed.job === true))
		return { name, outcome: 'ended by itself', said: `${is}: it ended since` };
	// What is waited for and is no job is a runner, which takes jobs again.
	if (awaited || agreed.fate === 'comes-back' || (agreed.startedAgain === true && !wasLeft))
		return { name, outcome: 'wrong', said: `${is}, and did not come back after the restart that you agreed to` };
	return { name, outcome: 'left stopped', said: `${is}, as you agreed` };
}

/** Nothing that ran before may have noticed, but for what was agreed to. */
export function runningContainers(state: RunState): Probe {
	const before = ranBefore(state) ?? [];
	const agreed = agreedFor(state);
	const wasLeft = leftStopped(state);
	return {
		id: 'regression.running-containers',
		title: 'What ran before still runs',
		threats: [],
		attempt: `looks at the ${before.length} containers that ran when this run began`,
		expectation:
			agreed.size === 0
				? 'they run with the same process ids as then'
				: 'they run with the same process ids as then, but for those that you agreed to stop',
		async run(host): Promise<ProbeResult> {
			if (before.length === 0)
				return { verdict: 'pass', because: 'no container ran when this run began', evidence: [] };
			const format = '{{.Id}} {{.State.Running}} {{.State.Pid}}';
			// One call, however many: a container that is gone makes it fail, and the others are printed all the same.
			const asked = await host.exec(
				['docker', 'inspect', '--type', 'container', '--format', format, ...before.map(c => c.id)],
				inspectMs,
			);
			const now = new Map(
				asked.stdout.split('\n').flatMap(line => {
					const [id = '', running = '', pid = ''] = line.trim().split(' ');
					return id === '' ? [] : [[id, { running: running === 'true', pid: Number(pid) }] as const];
				}),
			);
			if (now.size === 0 && asked.code !== 0 && !/No such/i.test(asked.stderr)) {
				return {
					verdict: 'could-not-tell',
					because: 'Docker did not tell about the containers',
					evidence: [{ what: 'docker inspect', said: asked.stderr.trim() }],
				};
			}
			const became = before.map(c => becameOf(c, now.get(c.id), agreed.get(c.id), wasLeft));
			const wrong = became.filter(({ outcome }) => outcome === 'wrong');
			// Of thousands the ones that count are shown, and how many there are more.
			const shown = [...wrong, ...became.filter(({ outcome }) => outcome !== 'wrong')].slice(0, mostShown);
			const rest = became.length - shown.length;
			const evidence = [
				...shown.map(({ name, said }) => ({ what: name, said })),
				...(rest > 0 ? [{ what: 'docker inspect', said: `${rest} more containers, counted above` }] : []),
			];
			if (wrong.length > 0)
				return {
					verdict: 'fail',
					because: someLines(wrong.map(({ name, said }) => `${name} ${said}`)).replaceAll('\n', '; '),
					evidence,
				};
			const names = (outcome: Outcome) => became.filter(b => b.outcome === outcome).map(b => b.name);
			const listed = (words: string, outcome: Outcome) => {
				const of = names(outcome);
				return of.length === 0 ? [] : [`${words}: ${nameSome(of)}`];
			};
			return {
				verdict: 'pass',
				because: [
					`${names('untouched').length} of ${before.length} run untouched`,
					...listed('restarted, as you agreed', 'restarted'),
					...listed('stopped, as you agreed', 'left stopped'),
					...listed('to be created again, as you agreed', 'broken'),
					...listed('ended since', 'ended by itself'),
				].join('; '),
				evidence,
			};
		},
	};
}
