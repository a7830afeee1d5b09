import type { Event } from '../model/event.ts';

/**
 * One run's log and its backups. The files are an adapter behind this (`run-log-files.ts`); tests of crashes use one in
 * memory that dies at a chosen event.
 */
export interface RunLog {
	readonly run: string;
	/** Answers after the event is on disk (fsync) when `durable`; otherwise as soon as it is handed to the system. */
	append(event: Event, options: { readonly durable: boolean }): Promise<void>;
	/** Keeps bytes under their sha256, on disk before it answers. A backup that exists is left as it is. */
	keep(bytes: Uint8Array): Promise<string>;
	/** The bytes kept under this sha256, checked against it; undefined when they are gone or are not what they were. */
	kept(sha256: string): Promise<Uint8Array | undefined>;
	/** The file that holds them, to be named to the operator. */
	keptAt(sha256: string): string;
}

export type LogProblem =
	| { readonly kind: 'corrupt'; readonly file: string; readonly line: number; readonly what: string }
	| { readonly kind: 'newer'; readonly file: string; readonly version: string };

export type LogRead = { readonly kind: 'events'; readonly events: readonly Event[] } | LogProblem;
