import type { ContainerSpec, ProbeContainer, ProbeHost, RunResult, StartResult } from '../model/probe.ts';
import type { Argv, ExecResult, WriteHost } from '../port/host.ts';
import { shellLine } from '../text/shell-line.ts';
import { removeDirectoryOf, removeLabelled } from './removal.ts';

/** The label on everything that a proof makes. Its value is the run. */
export const runLabel = 'io.sysbox-setup.run';

export interface ProbeHostOptions {
	readonly host: WriteHost;
	readonly run: string;
	/** Where image archives for inner engines lie while a proof runs, in a directory of the run's own. Must exist. */
	readonly stateDirectory: string;
	readonly signal: AbortSignal;
	/** Waits; rejects never, ends early when the signal aborts. */
	readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
	/** Told of each command that makes, uses or removes a throw-away object, before it runs. */
	readonly emitCommand?: ((command: Argv) => void) | undefined;
}

export interface CleaningProbeHost extends ProbeHost {
	/** Removes every object of this run and says what is left. May be called again, and at any time. */
	cleanUp(): Promise<readonly string[]>;
}

/** A removal is never part of what a Ctrl+C stops, so it has a deadline of its own. */
const removalMs = 60_000;
const inspectMs = 15_000;

/** Docker takes letters, digits, `_`, `.` and `-` in a name. */
const nameable = (text: string): string => text.replaceAll(/[^a-zA-Z0-9_.-]/g, '-');

/** The directory of a run's image archives. */
export const archiveDirectory = (stateDirectory: string, run: string): string =>
	`${stateDirectory}/${archivePrefix}${nameable(run)}`;
export const archivePrefix = 'proof-';

/**
 * What probes get of a host: a look at it, and throw-away containers. Everything is made through the docker CLI, so
 * that the operator can repeat it; carries the run's label, so that it can be found after a crash; and is removed,
 * whatever became of the probe.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: what one host can be asked, each below 35 lines, over what was made on it.
export function probeHost(options: ProbeHostOptions): CleaningProbeHost {
	const { host, run, signal, stateDirectory } = options;
	const directory = archiveDirectory(stateDirectory, run);
	const started = new Map<string, Promise<StartResult>>();
	const saved = new Map<string, ReturnType<ProbeHost['saveImage']>>();
	let made = 0;
	let clean = true;

	const command = (
		argv: Argv,
		timeoutMs: number,
		more: { stdin?: Uint8Array | { readonly file: string } | undefined } = {},
	): Promise<ExecResult> => {
		options.emitCommand?.(argv);
		return host.run(argv, { timeoutMs, signal, ...more });
	};

	const remove = async (name: string): Promise<void> => {
		const argv: Argv = ['docker', 'rm', '--force', '--volumes', name];
		options.emitCommand?.(argv);
		// Without the run's signal: a container must not stay because the operator stopped the probe. What cannot be
		// removed here is found again by its label when the proof ends, and told then.
		await host.run(argv, { timeoutMs: removalMs });
	};

	const runArgv = (name: string, spec: ContainerSpec, detached: boolean): Argv => [
		'docker',
		'run',
		...(detached ? ['--detach'] : []),
		`--name=${name}`,
		`--label=${runLabel}=${run}`,
		// What is fetched is planned and approved; a probe must not fetch in passing.
		'--pull=never',
		`--runtime=${spec.runtime ?? 'runc'}`,
		...(spec.options ?? []),
		...(spec.entrypoint === undefined ? [] : [`--entrypoint=${spec.entrypoint}`]),
		spec.image,
		...spec.command,
	];

	const nextName = (key: string): string => {
		made += 1;
		clean = false;
		return nameable(`sysbox-setup-${run}-${made}-${key}`);
	};

	const startOne = async (key: string, spec: ContainerSpec, timeoutMs: number): Promise<StartResult> => {
		const name = nextName(key);
		const result = await command(runArgv(name, spec, true), timeoutMs);
		if (result.code !== 0) {
			// A container whose start was refused was made all the same.
			await remove(name);
			return { kind: 'refused', result };
		}
		const shown = await host.exec(['docker', 'inspect', '--format', '{{.Id}} {{.State.Pid}}', name], {
			timeoutMs: inspectMs,
			signal,
		});
		const [id = '', pid = ''] = shown.stdout.trim().split(' ');
		if (shown.code !== 0 || !/^[1-9]\d*$/.test(pid)) {
			const logs = await host.exec(['docker', 'logs', '--tail', '20', name], { timeoutMs: inspectMs, signal });
			await remove(name);
			const said = [logs.stderr, logs.stdout, shown.stderr].map(text => text.trim()).find(text => text !== '');
			return {
				kind: 'refused',
				result: {
					...shown,
					code: shown.code === 0 ? 1 : shown.code,
					stderr: said ?? 'the container ended at once and said nothing',
				},
			};
		}
		return { kind: 'started', container: containerOf(id, name, Number(pid)) };
	};

	const containerOf = (id: string, name: string, pid: number): ProbeContainer => ({
		id,
		name,
		pid,
		exec: (argv, { timeoutMs, stdin, env }) =>
			command(
				[
					'docker',
					'exec',
					...(stdin === undefined ? [] : ['--interactive']),
					...Object.entries(env ?? {}).map(([key, value]) => `--env=${key}=${value}`),
					name,
					...argv,
				],
				timeoutMs,
				stdin === undefined ? {} : { stdin },
			),
	});

	return {
		exec: (argv, timeoutMs) => host.exec(argv, { timeoutMs, signal }),
		readText: async path => {
			const read = await host.readFile(path);
			return read.kind === 'bytes' ? new TextDecoder().decode(read.bytes) : undefined;
		},
		pause: ms => options.pause(ms, signal),
		ownPid: host.identity.pid,

		runToEnd: async (spec, timeoutMs): Promise<RunResult> => {
			const name = nextName('run');
			const argv = runArgv(name, spec, false);
			try {
				const result = await command(argv, timeoutMs);
				const oomKilled = await killedForMemory(host, name, signal);
				return { result, command: shellLine(argv), oomKilled };
			} finally {
				await remove(name);
			}
		},

		start: (key, spec, timeoutMs) => {
			const found = started.get(key);
			if (found !== undefined) return found;
			const starting = startOne(key, spec, timeoutMs);
			started.set(key, starting);
			return starting;
		},

		saveImage: (image, timeoutMs) => {
			const found = saved.get(image);
			if (found !== undefined) return found;
			clean = false;
			const saving = (async (): ReturnType<ProbeHost['saveImage']> => {
				const written = await host.makeDirectory(directory, { mode: 0o700 });
				if (written.kind === 'failed') {
					const stderr = `${directory} could not be made: ${written.message}`;
					return { kind: 'failed', result: { code: null, stdout: '', stderr, elapsedMs: 0 } };
				}
				const file = `${directory}/image-${saved.size}.tar`;
				const result = await command(['docker', 'save', '--output', file, image], timeoutMs);
				return result.code === 0 ? { kind: 'saved', file } : { kind: 'failed', result };
			})();
			saved.set(image, saving);
			return saving;
		},

		cleanUp: async () => {
			if (clean) return [];
			started.clear();
			saved.clear();
			const containers = await removeLabelled(host, `${runLabel}=${run}`, options.emitCommand);
			const files = await removeDirectoryOf(host, directory);
			const left = [...containers.left, ...files.left];
			clean = left.length === 0;
			return left;
		},
	};
}

async function killedForMemory(host: WriteHost, name: string, signal: AbortSignal): Promise<boolean | undefined> {
	const shown = await host.exec(['docker', 'inspect', '--format', '{{.State.OOMKilled}}', name], {
		timeoutMs: inspectMs,
		signal,
	});
	const said = shown.stdout.trim();
	return shown.code === 0 && (said === 'true' || said === 'false') ? said === 'true' : undefined;
}
