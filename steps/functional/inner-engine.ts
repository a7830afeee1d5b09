import { errorLine } from '../../src/model/error-line.ts';
import type {
	ContainerSpec,
	Evidence,
	ProbeContainer,
	ProbeHost,
	ProbeResult,
	StartResult,
} from '../../src/model/probe.ts';
import type { Argv, ExecResult } from '../../src/port/host.ts';
import { lastWords } from '../../src/probe/attempt.ts';
import { idle, type Workload } from '../../src/probe/workload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { shellLine } from '../../src/text/shell-line.ts';

/** Always the engine of the container itself: a DOCKER_HOST in the image's environment would lead elsewhere. */
export const innerDocker = (...words: readonly string[]): Argv => [
	'docker',
	'--host=unix:///var/run/docker.sock',
	...words,
];

/**
 * A CI container with its image's own entrypoint and the engine as its first word. `docker:dind` and images made like
 * it prepare the engine then, and start it with this socket alone; without the word `dockerd` they would also make
 * certificates, which takes seconds, and listen on the network. An image without an entrypoint starts dockerd itself,
 * and systemd as the entrypoint ignores what it is given.
 */
const withEngine = ({ image, options }: Workload): ContainerSpec => ({
	image,
	runtime: runtimeName,
	options,
	command: ['dockerd', '--host=unix:///var/run/docker.sock'],
});

/** Constant, so that nothing of the host's can get into it. `exec -d` would hide what dockerd says. */
const startEngine: Argv = ['sh', '-c', 'dockerd >/tmp/sysbox-setup-dockerd.log 2>&1 </dev/null &'];
const engineLog: Argv = ['sh', '-c', 'tail -n 5 /tmp/sysbox-setup-dockerd.log 2>/dev/null'];

const startMs = 60_000;
const askMs = 15_000;
/**
 * An engine is up in about two seconds (seen with Docker 26 and 29). A busy host with a cold disk needs far longer, and
 * a second engine must not be started beside one that is only slow.
 */
const upMs = 60_000;
const pauseMs = 500;

export type InnerEngine =
	| { readonly kind: 'up'; readonly container: ProbeContainer; readonly version: string; readonly how: string }
	| { readonly kind: 'down'; readonly because: string; readonly evidence: readonly Evidence[] };

/** Starts the engine once a proof; every probe that needs it gets the same one. */
export function innerEngine(workload: Workload): (host: ProbeHost) => Promise<InnerEngine> {
	let engine: Promise<InnerEngine> | undefined;
	return host => {
		engine ??= startInnerEngine(host, workload);
		return engine;
	};
}

async function startInnerEngine(host: ProbeHost, workload: Workload): Promise<InnerEngine> {
	const first = await host.start('engine', withEngine(workload), startMs);
	if (first.kind === 'started') {
		const version = await answers(host, first.container, upMs);
		if (version !== undefined)
			return { kind: 'up', container: first.container, version, how: 'the image starts it when asked to' };
	}
	const died = await lastWordsOfEngine(host, first);
	if (died !== undefined) {
		const because = `the inner Docker ended by itself: ${errorLine({ stderr: died.said, stdout: '' })}`;
		return { kind: 'down', because, evidence: [died] };
	}
	const second =
		first.kind === 'started' && (await isAlive(first.container))
			? first
			: await host.start('idle', idle(workload), startMs);
	if (second.kind === 'refused') {
		return {
			kind: 'down',
			because: `the container did not start: ${lastWords(second.result)}`,
			evidence: [evidenceOf(`docker run ${workload.image}`, second.result)],
		};
	}
	const { container } = second;
	const asked = await container.exec(startEngine, { timeoutMs: askMs });
	if (asked.code === 126 || asked.code === 127 || asked.problem !== undefined) {
		return {
			kind: 'down',
			because: `${workload.image} has no shell to start an engine with`,
			evidence: [evidenceOf(shellLine(startEngine), asked)],
		};
	}
	const version = await answers(host, container, upMs);
	if (version !== undefined) return { kind: 'up', container, version, how: 'dockerd was started in the container' };
	const log = await container.exec(engineLog, { timeoutMs: askMs });
	return {
		kind: 'down',
		because: `no engine answered in the container within ${upMs / 1000} s`,
		evidence: [evidenceOf('the last lines of dockerd', log)],
	};
}

/** dockerd prefixes each line so; an image without it says something else, or nothing. */
const engineLine = /\blevel=(?:info|warning|error|fatal)\b|failed to start (?:daemon|containerd)/;

/** What dockerd said before its container ended; undefined when it runs still, or never ran. */
async function lastWordsOfEngine(host: ProbeHost, start: StartResult): Promise<Evidence | undefined> {
	const what = 'the last lines of dockerd';
	if (start.kind === 'refused') {
		return engineLine.test(start.result.stderr) ? evidenceOf(what, start.result) : undefined;
	}
	if (await isAlive(start.container)) return undefined;
	const logs = await host.exec(['docker', 'logs', '--tail', '10', start.container.name], askMs);
	return engineLine.test(`${logs.stdout}\n${logs.stderr}`) ? evidenceOf(what, logs) : undefined;
}

const isAlive = async (container: ProbeContainer): Promise<boolean> =>
	(await container.exec(['true'], { timeoutMs: askMs })).code === 0;

/** The engine's version as soon as it answers. A counted loop: the clock is the host's. */
async function answers(host: ProbeHost, container: ProbeContainer, withinMs: number): Promise<string | undefined> {
	for (let waited = 0; waited <= withinMs; waited += pauseMs) {
		const asked = await container.exec(innerDocker('version', '--format', '{{.Server.Version}}'), { timeoutMs: askMs });
		if (asked.code === 0 && asked.stdout.trim() !== '') return asked.stdout.trim();
		// No client, no shell, or a container that is gone: waiting changes nothing.
		if (asked.code === 126 || asked.code === 127 || asked.problem === 'cancelled' || isGone(asked)) return undefined;
		await host.pause(pauseMs);
	}
	return undefined;
}

const isGone = (result: ExecResult): boolean => /is not running|No such container/i.test(result.stderr);

export const evidenceOf = (what: string, result: ExecResult): Evidence => ({
	what,
	said: [
		`exit code ${result.code ?? `none (${result.problem ?? 'ended'})`}`,
		result.stdout.trim(),
		result.stderr.trim(),
	]
		.filter(text => text !== '')
		.join('\n')
		.slice(0, 4000),
});

/** Commands in the inner engine, one after the other; the first that fails decides. */
export async function inTurn(
	container: ProbeContainer,
	commands: readonly { readonly argv: Argv; readonly timeoutMs: number; readonly stdin?: Uint8Array | undefined }[],
): Promise<{
	readonly failed?: ExecResult | undefined;
	readonly what: string;
	readonly evidence: readonly Evidence[];
}> {
	const evidence: Evidence[] = [];
	for (const { argv, timeoutMs, stdin } of commands) {
		const result = await container.exec(argv, { timeoutMs, stdin });
		evidence.push(evidenceOf(shellLine(argv), result));
		if (result.code !== 0) return { failed: result, what: shellLine(argv), evidence };
	}
	return { what: '', evidence };
}

/** What a probe says that rests on an engine which did not start. */
export const withoutEngine = (engine: Extract<InnerEngine, { kind: 'down' }>): ProbeResult => ({
	verdict: 'could-not-tell',
	because: `the inner engine did not start, so this could not be tried (${engine.because})`,
	evidence: [],
});
