import { excerpt } from '../../src/facts/reading.ts';
import type { Argv, ReadHost } from '../../src/host/port.ts';

/** What dockerd itself makes of a configuration file. */
export type Validation =
	| { readonly kind: 'accepted' }
	| { readonly kind: 'refused'; readonly said: string }
	/** An older dockerd: it learned to look at a file before it uses it later. */
	| { readonly kind: 'unsupported' }
	| { readonly kind: 'unknown'; readonly why: string };

const command = (path: string): Argv => ['dockerd', '--validate', '--config-file', path];

/** The argv for a write action's `validateWith`: dockerd's own verdict on the candidate, before it is put in place. */
export const validateCandidate: Argv = command('{}');

/**
 * Asks dockerd about the file as it is. Also tells whether this dockerd can be asked at all, and so whether a new file
 * can be held to its verdict.
 */
export async function validate(host: ReadHost, path: string, signal: AbortSignal): Promise<Validation> {
	const result = await host.exec(command(path), { timeoutMs: 15_000, signal });
	if (result.problem !== undefined) {
		return { kind: 'unknown', why: result.problem === 'missing' ? 'there is no dockerd on the PATH' : result.problem };
	}
	const said = `${result.stderr}\n${result.stdout}`.trim();
	if (/unknown flag|flag provided but not defined/i.test(said)) return { kind: 'unsupported' };
	if (result.code === 0) return { kind: 'accepted' };
	return { kind: 'refused', said: excerpt(said, 600) };
}

/** Whether this dockerd can be asked about a candidate. */
export const canValidate = (validation: Validation): boolean =>
	validation.kind === 'accepted' || validation.kind === 'refused';
