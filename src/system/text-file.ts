import type { ReadHost, ReadProblem } from '../port/host.ts';
import { sha256 } from '../text/sha256.ts';

/** A text file of the host, with the digest that an action on it has to expect. */
export type TextFile =
	| { readonly kind: 'text'; readonly text: string; readonly sha256: string }
	| ReadProblem
	| { readonly kind: 'not-text' };

/** Reads a file as UTF-8. The digest is of the very bytes that became the text. */
export async function readTextFile(
	host: ReadHost,
	path: string,
	options: { readonly maxBytes?: number | undefined } = {},
): Promise<TextFile> {
	const result = await host.readFile(path, options);
	if (result.kind !== 'bytes') return result;
	const text = decode(result.bytes);
	return text === undefined ? { kind: 'not-text' } : { kind: 'text', text, sha256: sha256(result.bytes) };
}

/** The text of a file of the kernel's or the system's, or undefined whatever was in the way. */
export async function readTextOr(host: ReadHost, path: string): Promise<string | undefined> {
	const result = await host.readFile(path);
	return result.kind === 'bytes' ? decode(result.bytes) : undefined;
}

function decode(bytes: Uint8Array): string | undefined {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return undefined;
	}
}
