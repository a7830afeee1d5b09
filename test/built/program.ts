import { on } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { type Event, eventSchema } from '../../src/model/event.ts';
import { pathWithProgram } from './support-terminal.ts';

export const root = new URL('../../', import.meta.url).pathname;
export const entry = join(root, 'dist/cli.js');

/** An empty directory; with `keep` its caller removes it. */
export function emptyDirectory(keep: 'keep' | 'for this test' = 'for this test'): string {
	const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sysbox-setup-built-')));
	if (keep === 'for this test') onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}

/** What a shell of somebody who never used this program has, and a home of its own. */
export function plainEnvironment(home: string): Record<string, string> {
	return { PATH: pathWithProgram, HOME: home, LANG: 'C.UTF-8' };
}

export interface How {
	readonly entry?: string;
	/** Another Node than the one that runs the tests. */
	readonly node?: string;
	readonly cwd?: string;
	readonly env?: Readonly<Record<string, string>>;
	/** A module that is run before the program, as text. */
	readonly preload?: string;
}

function command(argv: readonly string[], how: How): readonly string[] {
	const preload =
		how.preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(how.preload)}`];
	return [...preload, how.entry ?? entry, ...argv];
}

const optionsOf = (how: How) => {
	const home = how.cwd ?? emptyDirectory();
	return {
		cwd: home,
		env: { ...plainEnvironment(home), ...how.env },
		extendEnv: false,
		stdin: 'ignore',
		reject: false,
	} as const;
};

/** Runs the built program to its end. Nobody is at its standard input. */
export async function run(argv: readonly string[], how: How = {}) {
	const { exitCode, stdout, stderr, signal } = await execa(
		how.node ?? process.execPath,
		command(argv, how),
		optionsOf(how),
	);
	return { exit: exitCode, stdout, stderr, signal };
}

/** Starts it, and gives the running process. It does not outlive its test. */
export function begin(argv: readonly string[], how: How = {}) {
	const child = execa(process.execPath, command(argv, how), {
		...optionsOf(how),
		buffer: { stdout: false, stderr: true },
	});
	onTestFinished(() => void child.kill('SIGKILL'));
	return child;
}

/** A preload: the program sends itself a signal as soon as it has said these words, so that no test depends on speed. */
export const signalAt = (stream: 'stdout' | 'stderr', words: string, signal: NodeJS.Signals): string => `
	const { write } = process.${stream};
	let sent = false;
	process.${stream}.write = function (text, ...rest) {
		const done = write.call(this, text, ...rest);
		if (!sent && String(text).includes(${JSON.stringify(words)})) {
			sent = true;
			process.kill(process.pid, '${signal}');
		}
		return done;
	};
`;

/** Waits until the stream has said these words, and leaves it open. */
export async function until(stream: Readable, words: string): Promise<void> {
	let text = '';
	for await (const [chunk] of on(stream, 'data', { close: ['end'] })) {
		text += String(chunk);
		if (text.includes(words)) return;
	}
	throw new Error(`it ended without saying ${words}`);
}

/** NDJSON, each line checked against the schema. */
export const eventsOf = (stdout: string): readonly Event[] =>
	stdout
		.split('\n')
		.filter(line => line !== '')
		.map(line => eventSchema.parse(JSON.parse(line)));

export const lastOf = (events: readonly Event[]) => {
	const last = events.at(-1);
	if (last?.type !== 'run.end') throw new Error(`the last event is ${last?.type ?? 'missing'}`);
	return last;
};

/** What nobody but its makers can do something with. */
export const stackTrace = /^\s+at .+:\d+:\d+\)?$/m;
