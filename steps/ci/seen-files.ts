import type { ReadHost } from '../../src/port/host.ts';
import { readTextFile } from '../../src/system/text-file.ts';
import type { TemplateName } from '../../src/templates.ts';
import { fileKinds, isOurs } from './rendered-files.ts';

/** A file that may stand where one of ours goes. */
export type SeenFile =
	| { readonly kind: 'missing' }
	| { readonly kind: 'text'; readonly text: string; readonly sha256: string; readonly ours: boolean }
	/** Only root could read it. */
	| { readonly kind: 'denied' }
	| { readonly kind: 'refused'; readonly why: string };

export type SeenFiles = Readonly<Partial<Record<TemplateName, SeenFile>>>;

export async function lookAtFiles(host: ReadHost, directory: string): Promise<SeenFiles> {
	const seen = await Promise.all(
		fileKinds.map(async ({ name }) => [name, await lookAtFile(host, `${directory}/${name}`)] as const),
	);
	return Object.fromEntries(seen);
}

async function lookAtFile(host: ReadHost, path: string): Promise<SeenFile> {
	const found = await host.stat(path);
	// The writer follows a link and keeps it, which is right for root's files and wrong in a directory of somebody else.
	if (found.kind === 'found' && found.link)
		return { kind: 'refused', why: `it is a symbolic link to ${found.meta.realPath}` };
	if (found.kind === 'missing' && found.danglingTo !== undefined)
		return { kind: 'refused', why: `it is a symbolic link to ${found.danglingTo}, which is not there` };
	const file = await readTextFile(host, path);
	switch (file.kind) {
		case 'missing':
			return { kind: 'missing' };
		case 'text':
			return { kind: 'text', text: file.text, sha256: file.sha256, ours: isOurs(file.text) };
		case 'denied':
			return { kind: 'denied' };
		case 'not-text':
			return { kind: 'refused', why: 'it is not a text' };
		case 'too-large':
			return { kind: 'refused', why: `it has ${file.size} bytes` };
		case 'not-a-file':
			return { kind: 'refused', why: `it is a ${file.what}` };
		case 'failed':
			return { kind: 'refused', why: `it cannot be read (${file.errno})` };
		default:
			return file satisfies never;
	}
}
