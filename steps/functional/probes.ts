import type { Probe, ProbeHost, ProbeResult } from '../../src/model/probe.ts';
import { lastWords } from '../../src/probe/attempt.ts';
import { idle, type Workload } from '../../src/probe/workload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { mapsHostRoot, parseIdMap, showIdMap } from '../../src/system/uid-map.ts';
import { shellLine } from '../../src/text/shell-line.ts';
import { evidenceOf, type InnerEngine, innerDocker, innerEngine, inTurn, withoutEngine } from './inner-engine.ts';

const runMs = 60_000;
const loadMs = 300_000;
const buildMs = 300_000;
const pushMs = 120_000;
const saveMs = 300_000;

/**
 * Names of the inner engine only. They are in the registry that the last probe starts, never in one of the internet:
 * with the containerd image store a build asks the registry of its FROM before it looks at the local images.
 */
const registry = 'localhost:5000';
const baseImage = `${registry}/sysbox-setup/base`;
const builtImage = `${registry}/sysbox-setup/built`;
/** What the build writes and a run reads back. */
const word = 'built-in-the-container';

export interface FunctionalSubject {
	readonly workload: Workload;
	readonly registryImage: string;
	/** The range of the user `sysbox` in /etc/subuid; undefined when there is no single one. */
	readonly subuid: { readonly start: number; readonly count: number } | undefined;
}

/** The probes, in their order: each later one rests on the engine of the earlier. */
export function functionalProbes(subject: FunctionalSubject): readonly Probe[] {
	const engine = innerEngine(subject.workload);
	const progress: Progress = { built: false };
	return [
		uidMap(subject),
		innerStarts(engine),
		innerBuild(engine, subject, progress),
		innerRun(engine, progress),
		innerRegistry(engine, progress),
		plainRuntime(subject),
	];
}

/** What later probes rest on besides the engine. */
interface Progress {
	built: boolean;
}

const withoutBuild: ProbeResult = {
	verdict: 'could-not-tell',
	because: 'no image was built inside, so this could not be tried',
	evidence: [],
};

/** None of these lowers a threat: they show that it works, not that it isolates. */
const common = { threats: [] } as const;

function uidMap({ workload, subuid }: FunctionalSubject): Probe {
	return {
		...common,
		id: 'functional.uid-map',
		title: 'A container has user ids of its own',
		attempt: `starts a container of ${workload.image} under ${runtimeName} and reads its user id map, inside and from the host`,
		expectation: 'root in it is an unprivileged id of the range that /etc/subuid gives to sysbox',
		async run(host): Promise<ProbeResult> {
			const started = await host.start('uid-map', idle(workload), runMs);
			if (started.kind === 'refused') {
				return {
					verdict: 'fail',
					because: `a container under ${runtimeName} does not start: ${lastWords(started.result)}`,
					evidence: [evidenceOf('docker run', started.result)],
				};
			}
			const { container } = started;
			const inside = await container.exec(['cat', '/proc/self/uid_map'], { timeoutMs: runMs });
			const onHost = await host.readText(`/proc/${container.pid}/uid_map`);
			const evidence = [
				evidenceOf('cat /proc/self/uid_map in the container', inside),
				{ what: `/proc/${container.pid}/uid_map on the host`, said: (onHost ?? 'could not be read').trimEnd() },
				{
					what: 'sysbox in /etc/subuid',
					said: subuid === undefined ? 'no single range' : `${subuid.start}, ${subuid.count} ids`,
				},
			];
			const map = parseIdMap(onHost ?? inside.stdout);
			if (map.kind !== 'ok')
				return { verdict: 'could-not-tell', because: `the map cannot be read: ${map.why}`, evidence };
			const ranges = map.value;
			if (mapsHostRoot(ranges)) {
				return {
					verdict: 'fail',
					because: `root in the container is root on the host (${showIdMap(ranges)})`,
					evidence,
				};
			}
			const first = ranges.find(range => range.inside === 0);
			if (first === undefined || subuid === undefined) {
				return {
					verdict: 'could-not-tell',
					because: `the map is ${showIdMap(ranges)}, and there is no range of sysbox to compare it with`,
					evidence,
				};
			}
			const within = first.outside >= subuid.start && first.outside + first.count <= subuid.start + subuid.count;
			return within
				? { verdict: 'pass', because: `root in the container is user ${first.outside} of the host`, evidence }
				: {
						verdict: 'fail',
						because: `root in the container is user ${first.outside} of the host, outside of the range of sysbox (${subuid.start}, ${subuid.count} ids)`,
						evidence,
					};
		},
	};
}

type Engine = (host: ProbeHost) => Promise<InnerEngine>;

function innerStarts(engine: Engine): Probe {
	return {
		...common,
		id: 'functional.inner-dockerd',
		title: 'A Docker engine starts inside',
		attempt:
			'starts a CI container with the limits of a job and asks its own Docker engine, without --privileged and without the socket of the host',
		expectation: 'the engine inside answers',
		async run(host): Promise<ProbeResult> {
			const inner = await engine(host);
			if (inner.kind === 'down') return { verdict: 'fail', because: inner.because, evidence: inner.evidence };
			return {
				verdict: 'pass',
				because: `Docker ${inner.version} answers inside; ${inner.how}`,
				evidence: [{ what: 'version of the inner engine', said: inner.version }],
			};
		},
	};
}

function innerBuild(engine: Engine, { registryImage }: FunctionalSubject, progress: Progress): Probe {
	return {
		...common,
		id: 'functional.inner-build',
		title: 'The inner engine builds an image',
		attempt: `hands ${registryImage} to the inner engine and builds an image on it`,
		expectation: 'the build ends well',
		async run(host): Promise<ProbeResult> {
			const inner = await engine(host);
			if (inner.kind === 'down') return withoutEngine(inner);
			const { container } = inner;
			const saved = await host.saveImage(registryImage, saveMs);
			if (saved.kind === 'failed') {
				return {
					verdict: 'could-not-tell',
					because: `${registryImage} could not be read from this host: ${lastWords(saved.result)}`,
					evidence: [evidenceOf('docker save', saved.result)],
				};
			}
			// docker cp does not work with Sysbox 0.7.0 (nestybox/sysbox#1017); standard input does.
			const loaded = await container.exec(innerDocker('load'), { timeoutMs: loadMs, stdin: { file: saved.file } });
			if (loaded.code !== 0)
				return {
					verdict: 'fail',
					because: `the inner Docker does not load an image: ${lastWords(loaded)}`,
					evidence: [evidenceOf('docker load', loaded)],
				};
			const dockerfile = new TextEncoder().encode(`FROM ${baseImage}\nRUN echo ${word} > /sysbox-setup\n`);
			const { failed, what, evidence } = await inTurn(container, [
				{ argv: innerDocker('tag', loadedName(loaded.stdout) ?? registryImage, baseImage), timeoutMs: runMs },
				{ argv: innerDocker('build', '--tag', builtImage, '-'), timeoutMs: buildMs, stdin: dockerfile },
			]);
			progress.built = failed === undefined;
			return failed === undefined
				? { verdict: 'pass', because: 'an image was built inside', evidence }
				: { verdict: 'fail', because: `${what} failed: ${lastWords(failed)}`, evidence };
		},
	};
}

function innerRun(engine: Engine, progress: Progress): Probe {
	return {
		...common,
		id: 'functional.inner-run',
		title: 'The inner engine runs what it built',
		attempt: 'runs a container of the image that was built, inside of the CI container',
		expectation: 'it prints what the build wrote',
		async run(host): Promise<ProbeResult> {
			const inner = await engine(host);
			if (inner.kind === 'down') return withoutEngine(inner);
			if (!progress.built) return withoutBuild;
			return printsTheWord(inner, builtImage, 'a container of the built image ran inside');
		},
	};
}

/** `Loaded image: registry:2`, or `Loaded image ID: sha256:…` for one that was saved by its digest. */
const loadedName = (said: string): string | undefined => /^Loaded image(?: ID)?: (\S+)$/m.exec(said)?.[1];

async function printsTheWord(
	inner: Extract<InnerEngine, { kind: 'up' }>,
	image: string,
	good: string,
): Promise<ProbeResult> {
	const argv = innerDocker('run', '--rm', '--pull=never', '--entrypoint=cat', image, '/sysbox-setup');
	const result = await inner.container.exec(argv, { timeoutMs: runMs });
	const evidence = [evidenceOf(shellLine(argv), result)];
	if (result.code === 0 && result.stdout.trim() === word) return { verdict: 'pass', because: good, evidence };
	return {
		verdict: 'fail',
		because:
			result.code === 0
				? `the inner container printed ${JSON.stringify(result.stdout.trim())} and not what the build wrote`
				: `the inner container did not run: ${lastWords(result)}`,
		evidence,
	};
}

/** A registry needs about a second to listen; twenty tries half a second apart are ten times that. */
const pushTries = 20;
const pushPauseMs = 500;

function innerRegistry(engine: Engine, progress: Progress): Probe {
	return {
		...common,
		id: 'functional.inner-registry',
		title: 'The inner engine pushes to and pulls from a registry',
		attempt: 'starts a registry inside, pushes the built image, removes it, pulls it and runs it',
		expectation: 'the pulled image runs',
		async run(host): Promise<ProbeResult> {
			const inner = await engine(host);
			if (inner.kind === 'down') return withoutEngine(inner);
			if (!progress.built) return withoutBuild;
			const { container } = inner;
			const prepared = await inTurn(container, [
				// The inner engine trusts 127.0.0.0/8 without TLS by itself, so that no configuration is needed.
				{
					argv: innerDocker(
						'run',
						'--detach',
						'--pull=never',
						'--publish=127.0.0.1:5000:5000',
						'--name=sysbox-setup-registry',
						baseImage,
					),
					timeoutMs: runMs,
				},
			]);
			if (prepared.failed !== undefined)
				return {
					verdict: 'fail',
					because: `${prepared.what} failed: ${lastWords(prepared.failed)}`,
					evidence: prepared.evidence,
				};
			const push = innerDocker('push', builtImage);
			let pushed = await container.exec(push, { timeoutMs: pushMs });
			for (let tries = 1; pushed.code !== 0 && pushed.problem === undefined && tries < pushTries; tries++) {
				await host.pause(pushPauseMs);
				pushed = await container.exec(push, { timeoutMs: pushMs });
			}
			const evidence = [...prepared.evidence, evidenceOf(shellLine(push), pushed)];
			if (pushed.code !== 0)
				return { verdict: 'fail', because: `the image could not be pushed: ${lastWords(pushed)}`, evidence };
			const pulled = await inTurn(container, [
				{ argv: innerDocker('image', 'rm', builtImage), timeoutMs: runMs },
				{ argv: innerDocker('pull', builtImage), timeoutMs: pushMs },
			]);
			if (pulled.failed !== undefined)
				return {
					verdict: 'fail',
					because: `${pulled.what} failed: ${lastWords(pulled.failed)}`,
					evidence: [...evidence, ...pulled.evidence],
				};
			const ran = await printsTheWord(inner, builtImage, 'the image was pushed, removed, pulled and run');
			return { ...ran, evidence: [...evidence, ...pulled.evidence, ...ran.evidence] };
		},
	};
}

function plainRuntime({ workload }: FunctionalSubject): Probe {
	return {
		...common,
		id: 'functional.plain-runtime',
		title: 'Containers of the old runtime still run',
		attempt: `runs a container of ${workload.image} under runc, as every container ran before`,
		expectation: 'it runs, with the user ids of the host as ever',
		async run(host): Promise<ProbeResult> {
			const { result, command } = await host.runToEnd(
				{ image: workload.image, entrypoint: 'cat', command: ['/proc/self/uid_map'] },
				runMs,
			);
			const evidence = [evidenceOf(command, result)];
			if (result.code !== 0)
				return { verdict: 'fail', because: `a plain container no longer runs: ${lastWords(result)}`, evidence };
			const map = parseIdMap(result.stdout);
			if (map.kind !== 'ok')
				return { verdict: 'could-not-tell', because: `a plain container runs, but ${map.why}`, evidence };
			// With userns-remap in Docker itself a plain container has a map of its own, and had it before.
			return mapsHostRoot(map.value)
				? { verdict: 'pass', because: 'a plain container runs as before', evidence }
				: {
						verdict: 'pass',
						because: `a plain container runs, with the ids that Docker remaps (${showIdMap(map.value)})`,
						evidence,
					};
		},
	};
}
