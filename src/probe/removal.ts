import type { Argv, ReadProblem, WriteHost } from '../port/host.ts';

/** What a removal came to. `left` names each object that is still there, with what was said about it. */
export interface Removal {
	readonly removed: readonly string[];
	readonly left: readonly string[];
}

/** Removing is never cancelled by the run's signal: it is what a cancelled run does last. */
const listMs = 20_000;
const removeMs = 120_000;

interface Kind {
	readonly what: string;
	readonly list: Argv;
	readonly remove: Argv;
}

/** Containers first: they hold the others. */
const kinds = (filter: string): readonly Kind[] => [
	{
		what: 'container',
		list: ['docker', 'ps', '--all', '--no-trunc', '--filter', filter, '--format', '{{.Names}}'],
		remove: ['docker', 'rm', '--force', '--volumes'],
	},
	{
		what: 'volume',
		list: ['docker', 'volume', 'ls', '--filter', filter, '--format', '{{.Name}}'],
		remove: ['docker', 'volume', 'rm', '--force'],
	},
	{
		what: 'network',
		list: ['docker', 'network', 'ls', '--filter', filter, '--format', '{{.Name}}'],
		remove: ['docker', 'network', 'rm'],
	},
];

/** Removes all containers, volumes and networks with this label (`KEY` or `KEY=VALUE`), and nothing else. */
export async function removeLabelled(
	host: WriteHost,
	label: string,
	emitCommand?: (command: Argv) => void,
): Promise<Removal> {
	const removed: string[] = [];
	const left: string[] = [];
	for (const { what, list, remove } of kinds(`label=${label}`)) {
		const listed = await host.exec(list, { timeoutMs: listMs });
		if (listed.code !== 0) {
			left.push(`any ${what} with the label ${label} (${saidBy(listed)})`);
			// The other lists would say the same.
			break;
		}
		const names = listed.stdout
			.split('\n')
			.map(line => line.trim())
			.filter(line => line !== '');
		if (names.length === 0) continue;
		const argv: Argv = [...remove, ...names];
		emitCommand?.(argv);
		const result = await host.run(argv, { timeoutMs: removeMs });
		const again = result.code === 0 ? [] : await stillListed(host, list, names);
		removed.push(...names.filter(name => !again.includes(name)).map(name => `${what} ${name}`));
		left.push(...again.map(name => `${what} ${name} (${saidBy(result)})`));
	}
	return { removed, left };
}

/** Docker's exit code is 1 as well when an object went away on its own in between: what counts is what is there. */
async function stillListed(host: WriteHost, list: Argv, names: readonly string[]): Promise<readonly string[]> {
	const listed = await host.exec(list, { timeoutMs: listMs });
	if (listed.code !== 0) return names;
	const now = new Set(listed.stdout.split('\n').map(line => line.trim()));
	return names.filter(name => now.has(name));
}

const saidBy = (result: { readonly stderr: string; readonly problem?: string | undefined }): string =>
	result.stderr.trim().split('\n').at(-1) || (result.problem ?? 'docker said nothing');

function whyNotRead(problem: ReadProblem): string {
	return problem.kind === 'too-large'
		? `it has ${problem.size} bytes, and nothing over ${problem.limit} is removed`
		: `it is ${problem.kind}`;
}

/** Archives of images are read before they are removed; of a larger one that is not done. Bytes. */
const largestArchive = 16 * 1024 ** 3;

/** Removes a directory of ours with the files in it. A directory that is not there is nothing left. */
export async function removeDirectoryOf(host: WriteHost, directory: string): Promise<Removal> {
	const listed = await host.list(directory);
	if (listed.kind === 'missing') return { removed: [], left: [] };
	if (listed.kind !== 'names') return { removed: [], left: [`${directory} (${listed.kind})`] };
	const left: string[] = [];
	for (const name of listed.names) {
		const path = `${directory}/${name}`;
		const digest = await host.digest(path, { maxBytes: largestArchive });
		if (digest.kind === 'missing') continue;
		const result =
			digest.kind === 'digest'
				? await host.removeFile(path, { expect: { kind: 'sha256', sha256: digest.sha256 } })
				: { kind: 'failed' as const, errno: digest.kind, message: whyNotRead(digest) };
		if (result.kind !== 'written') left.push(`${path} (${result.kind === 'failed' ? result.message : result.kind})`);
	}
	if (left.length > 0) return { removed: [], left };
	const result = await host.removeDirectory(directory);
	return result.kind === 'failed'
		? { removed: [], left: [`${directory} (${result.message})`] }
		: { removed: [directory], left: [] };
}
