import type { Argv, ExecOptions } from '../../src/port/host.ts';
import { type SimulatedHost, type SimulatedHostOptions, simulatedHost } from '../../src/simulation/host.ts';
import { type ScenarioName, scenarioState } from '../../src/simulation/scenarios.ts';

export interface Said {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
	readonly problem?: string;
}

/** A host of a scenario with short ways to ask it. */
export function hostOf(name: ScenarioName, options: Partial<SimulatedHostOptions> = {}) {
	return shortWays(simulatedHost({ state: scenarioState(name), ...options }));
}

export function shortWays(host: SimulatedHost) {
	const run = async (argv: Argv, options: Partial<ExecOptions> = {}): Promise<Said> => {
		const { code, stdout, stderr, problem } = await host.run(argv, { timeoutMs: 120_000, ...options });
		return { code, out: stdout, err: stderr, ...(problem !== undefined && { problem }) };
	};
	const read = async (argv: Argv): Promise<Said> => {
		const { code, stdout, stderr, problem } = await host.exec(argv, { timeoutMs: 60_000 });
		return { code, out: stdout, err: stderr, ...(problem !== undefined && { problem }) };
	};
	/** A throw-away container, as the proofs make them. */
	const inside = (runtime: 'sysbox' | 'runc', argv: Argv, ...options: string[]): Promise<Said> =>
		run([
			...(['docker', 'run', '--rm'] as const),
			...(runtime === 'sysbox' ? ['--runtime=sysbox-runc'] : []),
			...options,
			`--entrypoint=${argv[0]}`,
			'docker:29-dind',
			...argv.slice(1),
		]);
	const write = (path: string, text: string) =>
		host.disturb(({ files }) => {
			files[path] = { kind: 'file', text, mode: 0o644, uid: 0, gid: 0 };
		});
	const text = async (path: string): Promise<string | undefined> => {
		const found = await host.readFile(path);
		return found.kind === 'bytes' ? new TextDecoder().decode(found.bytes) : undefined;
	};
	return { host, run, read, inside, write, text };
}

/** The demo's host with Sysbox set up. */
export const readyHost = (options: Partial<SimulatedHostOptions> = {}) => hostOf('already-set-up', options);
