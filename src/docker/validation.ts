import type { Finding } from '../model/finding.ts';
import type { Argv, ReadHost } from '../port/host.ts';
import { excerpt } from '../system/reading.ts';
import { shellLine } from '../text/shell-line.ts';
import type { DaemonFile } from './daemon-file.ts';
import type { DockerdFlag } from './dockerd-flags.ts';
import type { DockerdUnit } from './dockerd-unit.ts';

/** What dockerd itself makes of a configuration file. */
export type Validation =
	| { readonly kind: 'accepted' }
	| { readonly kind: 'refused'; readonly said: string; readonly asked: Argv }
	/** It can be asked, and there is no file yet that it could be asked about. */
	| { readonly kind: 'no-file' }
	/** An older dockerd: it learned to look at a file before it uses it later. */
	| { readonly kind: 'unsupported' }
	| { readonly kind: 'unknown'; readonly why: string };

/**
 * Flags that would make dockerd print something else and end well, or read another file. Everything else goes along:
 * dockerd compares each flag with the file, and ends before it opens a socket or touches a network (moby
 * cmd/dockerd/daemon.go, newDaemonCLI and start: the configuration is loaded, then `--validate` returns).
 */
const leftOut: ReadonlySet<string> = new Set(['config-file', 'validate', 'help', 'version']);

/** A value that systemd puts in from a variable is not known here, and `$BIP` is no address. */
const isKnown = (flag: DockerdFlag): boolean => !flag.value.includes('$');

function command(path: string, flags: readonly DockerdFlag[]): Argv {
	const given = flags.filter(flag => !leftOut.has(flag.name) && flag.name.length > 1 && isKnown(flag));
	return ['dockerd', '--validate', '--config-file', path, ...given.map(flag => `--${flag.name}=${flag.value}`)];
}

/** The flags that a file meets when dockerd starts; none where this dockerd reads another file. */
const flagsFor = (path: string, dockerd: DockerdUnit): readonly DockerdFlag[] =>
	dockerd.configFile === path ? dockerd.flags : [];

/**
 * The argv for a write action's `validateWith`: dockerd's own verdict on the candidate, before it is put in place at
 * `path`. With the flags of the unit, as only then does dockerd see what is set in both places.
 */
export const validateCandidate = (path: string, dockerd: DockerdUnit): Argv => command('{}', flagsFor(path, dockerd));

export const noFile: Validation = { kind: 'no-file' };

/** What dockerd is asked about where there is no file, only to learn whether it can be asked. */
const emptyFile = '/dev/null';

/**
 * Asks dockerd about the file as it is. Also tells whether this dockerd can be asked at all, and so whether a new file
 * can be held to its verdict. dockerd gets only a regular file of bounded size, which this tool has just read itself:
 * it would wait for ever at a FIFO, and read a device until its memory is full.
 */
export async function validate(
	host: ReadHost,
	{ path, content }: Pick<DaemonFile, 'path' | 'content'>,
	signal: AbortSignal,
	dockerd: DockerdUnit,
): Promise<Validation> {
	if (content.kind !== 'read' && content.kind !== 'missing')
		return { kind: 'unknown', why: 'daemon-json.valid says what is wrong with the file' };
	const isThere = content.kind === 'read' && content.planned === undefined;
	const argv = command(isThere ? path : emptyFile, flagsFor(path, dockerd));
	const result = await host.exec(argv, { timeoutMs: 15_000, signal });
	if (result.problem !== undefined) {
		return { kind: 'unknown', why: result.problem === 'missing' ? 'there is no dockerd on the PATH' : result.problem };
	}
	const said = `${result.stderr}\n${result.stdout}`.trim();
	if (/unknown flag: --validate|flag provided but not defined: -validate/i.test(said)) return { kind: 'unsupported' };
	if (!isThere) return result.code === 0 ? noFile : { kind: 'unknown', why: excerpt(said, 600) };
	if (result.code === 0) return { kind: 'accepted' };
	return { kind: 'refused', said: excerpt(said, 600), asked: argv };
}

/** Whether this dockerd can be asked about a candidate. */
export const canValidate = (validation: Validation): boolean =>
	validation.kind === 'accepted' || validation.kind === 'refused' || validation.kind === 'no-file';

/** dockerd's own verdict, where it gives one and the file is there to be judged. */
export function verdictFindings({
	file,
	validation,
}: {
	readonly file: DaemonFile;
	readonly validation: Validation;
}): readonly Finding[] {
	if (file.content.kind === 'missing') return [];
	switch (validation.kind) {
		case 'accepted':
			return [{ id: 'daemon-json.accepted', severity: 'ok', summary: 'dockerd accepts the file' }];
		case 'refused':
			return [
				{
					id: 'daemon-json.accepted',
					severity: 'block',
					breaks: true,
					summary: `dockerd does not accept ${file.path}`,
					evidence: validation.said,
					why: 'It would refuse to reload it, and would not start with it',
					remedy: {
						kind: 'commands',
						text: 'Correct what it names, then ask it again',
						commands: [`sudoedit ${file.path}`, shellLine(validation.asked)],
					},
				},
			];
		case 'no-file':
			return [
				{
					id: 'daemon-json.accepted',
					severity: 'info',
					summary: `${file.path} is only planned yet, so dockerd was not asked about it`,
				},
			];
		case 'unsupported':
			return [
				{
					id: 'daemon-json.accepted',
					severity: 'info',
					summary: 'This dockerd cannot check a file before it is used; its known keys were checked here instead',
				},
			];
		case 'unknown':
			return [
				{
					id: 'daemon-json.accepted',
					severity: 'info',
					summary: 'dockerd was not asked about the file; its known keys were checked here instead',
					evidence: validation.why,
				},
			];
		default:
			return validation satisfies never;
	}
}
