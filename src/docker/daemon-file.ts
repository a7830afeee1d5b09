import type { Finding } from '../model/finding.ts';
import type { Expected, ReadHost, ReadProblem } from '../port/host.ts';
import { sha256 } from '../text/sha256.ts';
import { type Fired, readFired } from '../watchdog/facts.ts';
import { firedFinding } from '../watchdog/findings.ts';
import { type DaemonJsonProblem, type DaemonJsonView, placeOfKey, readDaemonJson } from './daemon-json.ts';
import { defaultConfigFile } from './dockerd-flags.ts';

/** Where the scripts of the sysbox package look, whatever dockerd was told to read (its .config and .postinst). */
export const packageFile = defaultConfigFile;

/** A file of settings larger than this is none. */
const longestFile = 1024 * 1024;

/** dockerd's configuration file as it is, with all that an action on it has to expect. */
export interface DaemonFile {
	readonly path: string;
	/** The dead man's switch put an earlier one back: Docker did not come up with what this tool had written. */
	readonly fired?: Fired | undefined;
	readonly content:
		| { readonly kind: 'missing'; readonly directory: 'present' | 'missing' }
		| {
				readonly kind: 'read';
				readonly bytes: Uint8Array;
				readonly text: string;
				readonly sha256: string;
				readonly view: DaemonJsonView;
				/** An earlier step's plan would write these bytes; dockerd cannot read them yet. */
				readonly planned?: true | undefined;
		  }
		| { readonly kind: 'refused'; readonly problem: DaemonJsonProblem }
		| { readonly kind: 'unreadable'; readonly problem: ReadProblem };
}

export type ReadableContent = Extract<DaemonFile['content'], { kind: 'missing' | 'read' }>;

export async function readDaemonFile(host: ReadHost, path: string): Promise<DaemonFile> {
	const [content, fired] = await Promise.all([readContent(host, path), readFired(host)]);
	return { path, content, fired };
}

async function readContent(host: ReadHost, path: string): Promise<DaemonFile['content']> {
	const result = await host.readFile(path, { maxBytes: longestFile });
	if (result.kind === 'missing' && result.danglingTo === undefined) {
		const directory = await host.stat(path.slice(0, path.lastIndexOf('/')) || '/');
		return { kind: 'missing', directory: directory.kind === 'found' ? 'present' : 'missing' };
	}
	if (result.kind !== 'bytes') return { kind: 'unreadable', problem: result };
	const read = readDaemonJson(result.bytes);
	if (read.kind === 'refused') return { kind: 'refused', problem: read.problem };
	const { bytes } = result;
	const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
	return {
		kind: 'read',
		bytes,
		text,
		sha256: sha256(bytes),
		view: read.view,
		planned: result.meta.planned ? true : undefined,
	};
}

/** The content where an edit can be made from it: a missing file is one without keys. */
export function editable(file: DaemonFile): ReadableContent | undefined {
	return file.content.kind === 'missing' || file.content.kind === 'read' ? file.content : undefined;
}

/** The keys of a file that can be read; undefined where it cannot. */
export function viewOf(file: DaemonFile): DaemonJsonView | undefined {
	switch (file.content.kind) {
		case 'read':
			return file.content.view;
		case 'missing':
			return { source: 'missing', bom: false, keys: [], directives: [], runtimes: new Map() };
		default:
			return undefined;
	}
}

export const currentBytes = (content: ReadableContent): Uint8Array | 'missing' =>
	content.kind === 'missing' ? 'missing' : content.bytes;

export const expectedOf = (content: ReadableContent): Expected =>
	content.kind === 'missing' ? { kind: 'missing' } : { kind: 'sha256', sha256: content.sha256 };

/** FILE:LINE:COLUMN of a key, with its line of the file; undefined where the file does not have it. */
export function keyPlace(file: DaemonFile, key: string): { readonly at: string; readonly caret: string } | undefined {
	const place = file.content.kind === 'read' ? placeOfKey(file.content.bytes, key) : undefined;
	return place === undefined ? undefined : { at: `${file.path}:${place.line}:${place.column}`, caret: place.caret };
}

/**
 * What is wrong with the file as a file or as JSON, or with what this tool last wrote there; or nothing. One id wherever
 * it is found.
 */
export function fileProblem(file: DaemonFile): Finding | undefined {
	if (file.fired?.by === 'deadline') return { ...firedFinding(file.fired), id };
	switch (file.content.kind) {
		case 'missing':
		case 'read':
			return undefined;
		case 'refused':
			return {
				...positionProblem(file.path, file.content.problem),
				// dockerd takes the last of two equal keys, so that one is only this tool's reason not to edit the file.
				...(file.content.problem.reason !== 'duplicate-key' && { breaks: true as const }),
			};
		case 'unreadable':
			return readProblem(file.path, file.content.problem);
		default:
			return file.content satisfies never;
	}
}

const id = 'daemon-json.valid';
/** Why a file that cannot be read matters. */
export const whyItMatters =
	'Docker keeps what it has loaded and says nothing when it is told to reload such a file, and does not start with it';

/** A place in the file that dockerd, or a safe edit, stumbles over. */
export function positionProblem(path: string, problem: DaemonJsonProblem): Finding {
	const place = `${path}:${problem.line}:${problem.column}`;
	return {
		id,
		severity: 'block',
		summary: `${place}: ${problem.message}`,
		evidence: problem.caret !== '' ? problem.caret : undefined,
		why: whyItMatters,
		remedy: {
			kind: 'commands',
			text: `Correct line ${problem.line} of the file, then look again. This tool does not guess what was meant`,
			// sudoedit would take `+LINE` for one more file.
			commands: [`sudoedit ${path}`],
		},
	};
}

function readProblem(path: string, problem: ReadProblem): Finding {
	const block = (summary: string, why: string, commands: readonly string[], text: string): Finding => ({
		id,
		severity: 'block',
		summary: `${path} ${summary}`,
		why,
		remedy: commands.length > 0 ? { kind: 'commands', text, commands } : { kind: 'advice', text },
	});
	switch (problem.kind) {
		case 'denied':
			return {
				id,
				severity: 'could-not-tell',
				summary: `${path} may be read by root only`,
				needsRoot: true,
				remedy: { kind: 'advice', text: 'Look again as root' },
			};
		case 'missing':
			return block(
				`is a link to ${problem.danglingTo ?? 'a file'}, which does not exist`,
				'Whoever manages that link expects a file there; writing through it could land in the wrong place',
				[`ls -l ${path}`],
				'Create the file that it points to, or remove the link',
			);
		case 'too-large':
			return block(
				`has ${problem.size} bytes; no configuration of Docker is longer than ${problem.limit}`,
				'It is most likely not the file that it is taken for, and is left alone',
				[`ls -l ${path}`],
				'Look at what it holds, and put a configuration there',
			);
		case 'not-a-file':
			return block(
				`is a ${problem.what}, not a file`,
				problem.what === 'directory'
					? 'Docker makes such a folder when a container mounts the path before the file exists'
					: 'Docker cannot read its settings from it',
				[`ls -ld ${path}`],
				'Move it away; a missing file is fine',
			);
		case 'failed':
			return block(
				`cannot be read (${problem.errno})`,
				'Without its present bytes nothing can be put back later',
				[`stat ${path}`],
				'Find out what keeps it from being read',
			);
		default:
			return problem satisfies never;
	}
}
