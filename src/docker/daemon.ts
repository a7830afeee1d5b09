import type { Argv, ExecResult, ReadHost } from '../port/host.ts';
import { excerpt, type Reading } from '../system/reading.ts';
import { type Container, parseContainers } from './container.ts';
import { type DockerEndpoint, parseDockerContext } from './endpoint.ts';
import { type DockerInfo, parseDockerInfo } from './info.ts';
import { type BridgeNetwork, parseBridgeNetwork } from './network.ts';
import { type DockerPlugin, parsePlugins } from './plugin.ts';
import { type DockerVersion, parseDockerVersion } from './version.ts';

/** Why Docker gave no answer. Told apart, as the operator does something else about each. */
export type DockerTrouble =
	| { readonly kind: 'no-cli' }
	| { readonly kind: 'daemon-down' | 'denied'; readonly said: string }
	| { readonly kind: 'hang'; readonly afterMs: number }
	| { readonly kind: 'garbage'; readonly why: string }
	| { readonly kind: 'failed'; readonly code: number | null; readonly said: string }
	| { readonly kind: 'cancelled' };

export type DockerAnswer<T> = { readonly kind: 'ok'; readonly value: T } | DockerTrouble;

export interface DockerFacts {
	readonly endpoint: DockerAnswer<DockerEndpoint>;
	readonly version: DockerAnswer<DockerVersion>;
	readonly info: DockerAnswer<DockerInfo>;
	/** Running and stopped. One that went away while it was looked at is left out. */
	readonly containers: DockerAnswer<readonly Container[]>;
	/** Docker's own bridge network; daemons started with `bridge: none` have none. */
	readonly bridge: DockerAnswer<BridgeNetwork>;
}

/** A daemon that is well answers each of these in far less than a second. */
const timeoutMs = 10_000;

const commands = {
	endpoint: ['docker', 'context', 'inspect'],
	version: ['docker', 'version', '--format', '{{json .}}'],
	info: ['docker', 'info', '--format', '{{json .}}'],
	list: ['docker', 'ps', '-aq', '--no-trunc'],
	bridge: ['docker', 'network', 'inspect', 'bridge'],
	plugins: ['docker', 'plugin', 'ls', '--format', '{{json .}}'],
} as const satisfies Record<string, Argv>;

/** Containers in one call: thousands would be one long answer, and one long stretch of reading it. */
const mostInspected = 500;

/** What was read of an answer: where each thing is asked once, it is read once too, and gives the same containers. */
const readAlready = new WeakMap<ExecResult, DockerAnswer<readonly Container[]>>();

/** The command line that inspects these containers, in one call. */
export const inspectCommand = (ids: readonly string[]): Argv => ['docker', 'inspect', ...ids];

/**
 * Asks Docker everything that the steps want to know. The one place that does: six commands at most, and one more for
 * every 500 containers beyond the first.
 */
export async function inspectDocker(host: ReadHost, signal: AbortSignal): Promise<DockerFacts> {
	const ask = (argv: Argv) => host.exec(argv, { timeoutMs, signal });
	const containers = async (): Promise<DockerAnswer<readonly Container[]>> => {
		const list = await ask(commands.list);
		const trouble = troubleOf(list) ?? failureOf(list);
		if (trouble !== undefined) return trouble;
		const ids = list.stdout.split(/\s+/).filter(word => word !== '');
		const stranger = ids.find(id => !/^[0-9a-f]{12,64}$/.test(id));
		if (stranger !== undefined)
			return { kind: 'garbage', why: `docker ps listed something that is no container: ${excerpt(stranger)}` };
		const all: Container[] = [];
		for (let at = 0; at < ids.length; at += mostInspected) {
			const argv = inspectCommand(ids.slice(at, at + mostInspected));
			const answer = await host.exec(argv, { timeoutMs, signal, maxBytes: 64 * 1024 * 1024 });
			const some = readAlready.get(answer) ?? answered(answer, parseContainers, { failureIsFine: true });
			readAlready.set(answer, some);
			if (some.kind !== 'ok') return some;
			all.push(...some.value);
		}
		return { kind: 'ok', value: all };
	};
	const [endpoint, version, info, found, bridge] = await Promise.all([
		ask(commands.endpoint).then(result => answered(result, parseDockerContext)),
		// The client's half is printed, and worth having, when no daemon answers.
		ask(commands.version).then(result =>
			answered(result, parseDockerVersion, { failureIsFine: true, outputFirst: true }),
		),
		ask(commands.info).then(result => answered(result, parseDockerInfo)),
		containers(),
		ask(commands.bridge).then(result => answered(result, parseBridgeNetwork)),
	]);
	return { endpoint, version, info, containers: found, bridge };
}

/** Docker's own plugins. Apart from the rest, as only a change of the default runtime touches them. */
export async function inspectPlugins(
	host: ReadHost,
	signal: AbortSignal,
): Promise<DockerAnswer<readonly DockerPlugin[]>> {
	return answered(await host.exec(commands.plugins, { timeoutMs, signal }), parsePlugins);
}

function answered<T>(
	result: ExecResult,
	parse: (text: unknown) => Reading<T>,
	options: { readonly failureIsFine?: true | undefined; readonly outputFirst?: true | undefined } = {},
): DockerAnswer<T> {
	if (options.outputFirst) {
		const reading = parse(result.stdout);
		if (reading.kind === 'ok') return reading;
	}
	const trouble = troubleOf(result) ?? (options.failureIsFine ? undefined : failureOf(result));
	if (trouble !== undefined) return trouble;
	const reading = parse(result.stdout);
	if (reading.kind === 'ok') return reading;
	return failureOf(result) ?? { kind: 'garbage', why: reading.why };
}

/** What the CLI says about the way to the daemon, rather than about what was asked. */
function troubleOf(result: ExecResult): DockerTrouble | undefined {
	switch (result.problem) {
		case 'missing':
			return { kind: 'no-cli' };
		case 'timeout':
			return { kind: 'hang', afterMs: result.elapsedMs };
		case 'cancelled':
			return { kind: 'cancelled' };
		case 'denied':
			return { kind: 'denied', said: result.stderr.trim() };
		case 'too-much-output':
			return { kind: 'garbage', why: 'docker printed more than any answer of it is long' };
		case 'signalled':
			return { kind: 'failed', code: null, said: result.stderr.trim() };
		case undefined:
			break;
		default:
			return result.problem satisfies never;
	}
	// docker info of older CLIs ends with 0 and lists its errors inside of the JSON, so both are looked at.
	const said = `${result.stderr}\n${result.stdout.includes('ServerErrors') ? result.stdout : ''}`;
	if (/permission denied/i.test(said) && /connect|socket/i.test(said))
		return { kind: 'denied', said: excerpt(result.stderr || said, 300) };
	if (
		/cannot connect to the docker daemon|failed to connect to the docker api|error during connect|is the docker daemon running/i.test(
			said,
		)
	) {
		return { kind: 'daemon-down', said: excerpt(result.stderr || said, 300) };
	}
	return undefined;
}

function failureOf(result: ExecResult): DockerTrouble | undefined {
	return result.code === 0
		? undefined
		: { kind: 'failed', code: result.code, said: excerpt(result.stderr || result.stdout, 300) };
}

/** The check that tells of this trouble: what is unknown for it follows from there. */
export const followsTrouble = ({ kind }: DockerTrouble): { readonly follows: string } => ({
	follows: kind === 'no-cli' ? 'docker.cli' : 'docker.daemon',
});

/** One sentence about the trouble, for a finding. */
export function describeDockerTrouble(trouble: DockerTrouble): string {
	switch (trouble.kind) {
		case 'no-cli':
			return 'there is no docker command on this host';
		case 'daemon-down':
			return 'the Docker daemon does not answer';
		case 'denied':
			return "this user may not talk to Docker's socket";
		case 'hang':
			return `Docker gave no answer within ${Math.round(trouble.afterMs / 1000)} s`;
		case 'garbage':
			return `Docker's answer makes no sense: ${trouble.why}`;
		case 'failed':
			return `docker failed${trouble.code === null ? '' : ` with exit code ${trouble.code}`}: ${trouble.said || 'it said nothing'}`;
		case 'cancelled':
			return 'asking Docker was cancelled';
		default:
			return trouble satisfies never;
	}
}
