import * as z from 'zod';
import type { Argv, ExecResult } from '../port/host.ts';
import type { DataOf } from './data.ts';
import type { ThreatId } from './finding.ts';

export const verdicts = ['pass', 'fail', 'could-not-tell'] as const;

export const probeResultSchema = z.object({
	verdict: z.enum(verdicts),
	/** One sentence: what the verdict rests on. */
	because: z.string(),
	evidence: z.array(z.object({ what: z.string(), said: z.string() })),
	/** Where the reason is known: what to do about it, an imperative each. */
	next: z.array(z.string()).optional(),
});
export type ProbeResult = DataOf<typeof probeResultSchema>;
export type Evidence = ProbeResult['evidence'][number];

/** A throw-away container. The probe host adds the label and the name; nothing here can name a foreign object. */
export interface ContainerSpec {
	readonly image: string;
	/** Undefined: the daemon's `runc`, by name. */
	readonly runtime?: string | undefined;
	/** Options of `docker run` besides those: `--pid=host`, `--memory=64m`. */
	readonly options?: readonly string[] | undefined;
	/** Replaces the image's entrypoint when set. */
	readonly entrypoint?: string | undefined;
	readonly command: readonly string[];
}

export interface ProbeContainer {
	readonly id: string;
	/** As `docker exec` and `docker logs` take it, and as the operator sees it in `docker ps`. */
	readonly name: string;
	/** The container's first process as the host numbers it. */
	readonly pid: number;
	exec(
		argv: Argv,
		options: {
			readonly timeoutMs: number;
			readonly stdin?: Uint8Array | { readonly file: string } | undefined;
			readonly env?: Readonly<Record<string, string>> | undefined;
		},
	): Promise<ExecResult>;
}

export type StartResult =
	| { readonly kind: 'started'; readonly container: ProbeContainer }
	| { readonly kind: 'refused'; readonly result: ExecResult };

export interface RunResult {
	readonly result: ExecResult;
	/** As the daemon tells afterwards; undefined when it could not be asked. */
	readonly oomKilled?: boolean | undefined;
	/** The command line, for the operator to repeat. */
	readonly command: string;
}

/** What a probe may do to the host: look, and make labelled throw-away containers. */
export interface ProbeHost {
	exec(argv: Argv, timeoutMs: number): Promise<ExecResult>;
	readText(path: string): Promise<string | undefined>;
	/** Waits, for probes that ask again until something is up. Ends early when the run is stopped; rejects never. */
	pause(ms: number): Promise<void>;
	/** This tool's own pid as the host numbers it: the process that a container must not reach. */
	readonly ownPid: number;
	/** Runs a container to its end and removes it. */
	runToEnd(spec: ContainerSpec, timeoutMs: number): Promise<RunResult>;
	/** Starts one that stays until the proof ends. The same `key` gives the same container again. */
	start(key: string, spec: ContainerSpec, timeoutMs: number): Promise<StartResult>;
	/** A file of the host with an image's archive, for feeding an inner engine; removed when the proof ends. */
	saveImage(
		image: string,
		timeoutMs: number,
	): Promise<
		{ readonly kind: 'saved'; readonly file: string } | { readonly kind: 'failed'; readonly result: ExecResult }
	>;
}

export interface Probe {
	/** Public: `security.kernel-log`. */
	readonly id: string;
	readonly title: string;
	/** The threats whose row rests on this probe. */
	readonly threats: readonly ThreatId[];
	/** What is attempted, in one sentence, before it is. */
	readonly attempt: string;
	/** What must happen. */
	readonly expectation: string;
	/** The same attempt where it succeeds; a pass rests on it. Functional probes have none. */
	readonly control?: string | undefined;
	run(host: ProbeHost): Promise<ProbeResult>;
}

/** A probe that has no meaning on this host, and why: it is shown, and counts neither way. */
export interface LeftOut {
	readonly id: string;
	readonly title: string;
	/** The rows that would have rested on it. */
	readonly threats: readonly ThreatId[];
	readonly why: string;
}

export const joinEvidence = (...evidence: readonly (Evidence | undefined)[]): readonly Evidence[] =>
	evidence.filter(e => e !== undefined);

/** What a proof step tries on this host. */
export interface Proof {
	readonly probes: readonly Probe[];
	/** What means nothing on this host. */
	readonly leftOut: readonly LeftOut[];
	/** What they make, take and may set off together: told, a fact a line, before the first of them is started. */
	readonly announced: readonly string[];
}
