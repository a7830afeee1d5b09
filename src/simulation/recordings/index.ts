import type { Container, Engine } from '../state.ts';
import { atLeast, type Call, type Exit, spend, touch, UnsimulatedCommand, type World } from '../world.ts';
import rows from './containers.json' with { type: 'json' };

/** What was seen of one command in a container. */
export interface Recording {
	/** `{name}` stands for any word, which the output may repeat. */
	readonly argv: readonly string[];
	/** The runtime that really ran the container. */
	readonly under: 'sysbox' | 'runc' | 'any';
	/** Options of `docker run` without which this was not seen, as {@link optionsOf} writes them. */
	readonly options?: readonly string[] | undefined;
	/** Which Docker the image has: `>=29` or `<29`. */
	readonly docker?: string | undefined;
	/** Which Sysbox: `<0.7.0`. */
	readonly sysbox?: string | undefined;
	/** Seen only with an engine that answers inside. */
	readonly engine?: true | undefined;
	/** `endless`: it goes on until it is stopped. */
	readonly exit: number | 'endless';
	readonly stdout?: string | undefined;
	readonly stderr?: string | undefined;
	/** How long it takes. */
	readonly ms?: number | undefined;
	readonly oomKilled?: true | undefined;
	readonly startsEngine?: true | undefined;
	/** The recording, or `constructed: ` and what it was made from. */
	readonly seen: string;
}

export const recordings = rows as readonly Recording[];

/** The options that can make a difference, as they are in force. */
function optionsOf({ options }: Container): readonly string[] {
	return [
		...options.capAdd.map(name => `--cap-add=${name}`),
		...options.securityOpt.map(text => `--security-opt=${text}`),
		...options.mounts.map(mount => `--mount=${mount.target}`),
		...(options.privileged ? ['--privileged'] : []),
		`--pid=${options.pidMode}`,
		`--memory=${options.memory}`,
		`--pids-limit=${options.pidsLimit}`,
	];
}

/** What the words of a recording stand for in a command, or undefined when it is of another command. */
function wordsIn(pattern: readonly string[], argv: readonly string[]): Record<string, string> | undefined {
	if (pattern.length !== argv.length) return undefined;
	const words: Record<string, string> = {};
	for (const [index, word] of pattern.entries()) {
		const name = /^\{([a-z]+)\}$/.exec(word)?.[1];
		if (name !== undefined) words[name] = argv[index] ?? '';
		else if (word !== argv[index]) return undefined;
	}
	return words;
}

const isVersion = (rule: string | undefined, version: string): boolean =>
	rule === undefined || atLeast(version, rule.replace(/^\D+/, '')) === rule.startsWith('>=');

const dockerIn = (engine: Engine, container: Container): string =>
	engine.images
		.find(i => i.id === container.imageId)
		?.env.find(e => e.startsWith('DOCKER_VERSION='))
		?.slice(15) ?? engine.version;

/** Runs a command in a container, as it was seen to run. */
export function runRecorded(world: World, engine: Engine, container: Container, call: Call): Exit {
	const { state } = world;
	const docker = dockerIn(engine, container);
	const options = optionsOf(container);
	const answers = container.engineUpAt !== undefined && container.engineUpAt <= state.now;
	for (const recording of recordings) {
		const words = wordsIn(recording.argv, call.argv);
		const fits =
			words !== undefined &&
			(recording.under === 'any' || recording.under === container.isolation) &&
			(recording.options ?? []).every(option => options.includes(option)) &&
			isVersion(recording.docker, docker) &&
			isVersion(recording.sysbox, state.sysbox.runc ?? '0.7.0') &&
			(recording.engine === undefined || answers);
		if (!fits) continue;
		const values: Record<string, () => string> = {
			'subid:10': () => String(state.sysbox.subidStart).padStart(10),
			'kernel-log': () =>
				state.kernelLog
					.map(({ at, text }) => `[${((at - state.machine.bootedAt) / 1000).toFixed(6).padStart(12)}] ${text}\n`)
					.join(''),
			'daemon-id': () => engine.id,
			'docker-version': () => docker,
			now: () => new Date(state.now).toISOString().replace('Z', '000000Z'),
			loaded: () => {
				const holds = call.stdin.file?.declared?.holds;
				return holds?.kind === 'images' ? (holds.images[0]?.tags[0] ?? '') : '';
			},
		};
		const filled = (text = '') =>
			text.replaceAll(/\{([a-z:0-9-]+)\}/g, (all, name: string) => values[name]?.() ?? words[name] ?? all);
		call.io.out(filled(recording.stdout));
		call.io.err(filled(recording.stderr));
		spend(world, recording.ms ?? 0);
		if (recording.startsEngine) {
			touch(world);
			container.engineUpAt = state.now + 1700;
		}
		if (recording.oomKilled) {
			container.oomKilled = true;
			const text = `Memory cgroup out of memory: Killed process in docker-${container.id}.scope`;
			state.kernelLog.push({ at: state.now, text });
		}
		return recording.exit;
	}
	throw new UnsimulatedCommand(
		call.argv,
		`nobody has recorded it in a container of ${container.imageRef} under ${container.isolation} with ${options.join(' ')}: run it there for real, and add a row to src/simulation/recordings/containers.json with what it printed and where that was seen; or "constructed: " and what it was made from`,
	);
}
