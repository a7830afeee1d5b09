import { readdirSync, readFileSync } from 'node:fs';
import type { ExecResult, FileMeta, HostIdentity, ReadHost, StatResult } from '../../src/port/host.ts';

/** What a command answers. Without a code it is 0, and nothing is printed. */
export interface Reply {
	readonly code?: number | null;
	readonly stdout?: string;
	readonly stderr?: string;
	readonly problem?: NonNullable<ExecResult['problem']>;
}

/** A host made of texts: what is not written down is not there, and a command that is not is a failed test. */
export interface ScriptedHost {
	readonly files: Readonly<Record<string, string | { readonly denied: true }>>;
	readonly directories: readonly string[];
	readonly programs: readonly string[];
	/** Names in a directory, besides those of files, directories and programs. */
	readonly names: Readonly<Record<string, readonly string[]>>;
	/** A path that is a link, and where it leads. */
	readonly links: Readonly<Record<string, string>>;
	readonly freeBytes: number;
	readonly totalBytes: number;
	/** Free room of single places. */
	readonly free: Readonly<Record<string, number>>;
	readonly uid: number;
	/** Words of the command line, joined by blanks. */
	readonly commands: Readonly<Record<string, Reply>>;
}

const hosts = new URL('../fixtures/hosts/', import.meta.url);

/** Reads test/fixtures/hosts/NAME: host.json, the files below files/, and outputs of commands beside them. */
export function hostFixture(name: string): ScriptedHost {
	const directory = new URL(`${name}/`, hosts);
	const text = (file: string) => readFileSync(new URL(file, directory), 'utf8');
	const { commands, ...rest } = JSON.parse(text('host.json')) as Partial<ScriptedHost> & Pick<ScriptedHost, 'commands'>;
	const files = readdirSync(new URL('files/', directory), { recursive: true, withFileTypes: true })
		.filter(entry => entry.isFile())
		.map(entry => `${entry.parentPath}/${entry.name}`.slice(new URL('files', directory).pathname.length));
	return {
		directories: [],
		programs: [],
		names: {},
		links: {},
		freeBytes: 0,
		totalBytes: 0,
		free: {},
		uid: 0,
		...rest,
		files: Object.fromEntries(files.map(path => [path, text(`files${path}`)])),
		commands: Object.fromEntries(
			Object.entries(commands).map(([line, reply]) => [
				line,
				reply.stdout?.startsWith('@') ? { ...reply, stdout: text(reply.stdout.slice(1)) } : reply,
			]),
		),
	};
}

/** The same host with some of it replaced; `undefined` takes a file or a command away. */
export function changed(
	host: ScriptedHost,
	change: Partial<Omit<ScriptedHost, 'files' | 'commands'>> & {
		readonly files?: Readonly<Record<string, string | { readonly denied: true } | undefined>>;
		readonly commands?: Readonly<Record<string, Reply>>;
		readonly withoutPrograms?: readonly string[];
	},
): ScriptedHost {
	const { files, commands, withoutPrograms, ...rest } = change;
	const kept = Object.entries({ ...host.files, ...files }).flatMap(([path, text]) =>
		text === undefined ? [] : [[path, text] as const],
	);
	const next = { ...host, ...rest, files: Object.fromEntries(kept), commands: { ...host.commands, ...commands } };
	const without = (path: string) => withoutPrograms?.some(name => path.endsWith(`/${name}`)) === true;
	return { ...next, programs: next.programs.filter(path => !without(path)) };
}

/** A port onto a scripted host. `ran` collects the command lines. */
export function scriptedHost(host: ScriptedHost): ReadHost & { readonly ran: readonly string[] } {
	const ran: string[] = [];
	const identity: HostIdentity = { hostname: 'ci-07', pid: 4000, uid: host.uid, user: 'anna' };
	const realOf = (path: string) => host.links[path] ?? path;
	const meta = (path: string, size = 0): FileMeta => ({ mode: 0o644, uid: 0, gid: 0, size, realPath: realOf(path) });
	const paths = [...Object.keys(host.files), ...host.programs, ...host.directories];
	const isDirectory = (path: string) =>
		path === '/' || host.directories.includes(path) || path in host.names || paths.some(p => p.startsWith(`${path}/`));
	return {
		kind: 'simulated',
		identity,
		ran,
		async exec(argv) {
			const line = argv.join(' ');
			ran.push(line);
			const reply = host.commands[line] ?? unitWithoutFiles(line) ?? aptThinksAloud(line);
			if (reply === undefined) throw new Error(`the test does not know the command: ${line}`);
			return {
				code: reply.problem === undefined ? (reply.code ?? 0) : null,
				stdout: reply.stdout ?? '',
				stderr: reply.stderr ?? '',
				elapsedMs: reply.problem === 'timeout' ? 10_000 : 3,
				...(reply.problem !== undefined && { problem: reply.problem }),
			};
		},
		async readFile(path) {
			const file = host.files[realOf(path)];
			if (typeof file === 'object') return { kind: 'denied' };
			if (file !== undefined) {
				const bytes = new TextEncoder().encode(file);
				return { kind: 'bytes', bytes, meta: meta(path, bytes.length) };
			}
			return isDirectory(path) ? { kind: 'not-a-file', what: 'directory' } : { kind: 'missing' };
		},
		async stat(path): Promise<StatResult> {
			const link = path in host.links;
			if (host.files[path] !== undefined || host.programs.includes(path))
				return { kind: 'found', type: 'file', link, meta: meta(path) };
			return isDirectory(path) ? { kind: 'found', type: 'directory', link, meta: meta(path) } : { kind: 'missing' };
		},
		async list(path) {
			if (!isDirectory(path)) return { kind: 'missing' };
			const below = paths
				.filter(p => p.startsWith(path === '/' ? '/' : `${path}/`))
				.map(p => p.slice(path === '/' ? 1 : path.length + 1).split('/')[0] ?? '');
			return { kind: 'names', names: [...new Set([...below, ...(host.names[path] ?? [])])] };
		},
		digest: async () => ({ kind: 'missing' }),
		space: async path => ({ kind: 'space', freeBytes: host.free[path] ?? host.freeBytes, totalBytes: host.totalBytes }),
	};
}

/** systemd, where a test says nothing of how Docker's unit was written. */
const unitWithoutFiles = (line: string): Reply | undefined =>
	line === 'systemctl cat docker.service' ? { code: 1 } : undefined;

/** apt, where a test says nothing of it: it would install what it is asked for, and nothing came in for another package. */
function aptThinksAloud(line: string): Reply | undefined {
	if (line.startsWith('apt-mark showauto ')) return {};
	const names = /^apt-get install --simulate --no-install-recommends (.*)$/.exec(line)?.[1];
	return names === undefined
		? undefined
		: {
				stdout: names
					.split(' ')
					.map(name => `Inst ${name} (1.0 x)\n`)
					.join(''),
			};
}
