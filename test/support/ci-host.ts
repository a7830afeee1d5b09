import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Expected, ReadHost, StatResult, WriteHost } from '../../src/port/host.ts';

/** A container as `docker inspect` tells of it; only what differs from a plain one is given. */
export interface CiContainer {
	readonly name: string;
	readonly image: string;
	readonly state?: 'running' | 'exited' | 'paused';
	readonly command?: readonly string[];
	readonly labels?: Readonly<Record<string, string>>;
	readonly host?: Readonly<Record<string, unknown>>;
	/** `SOURCE:DESTINATION[:ro]`. */
	readonly binds?: readonly string[];
}

export interface CiHostOptions {
	/** Paths to texts; directories of their own end with a slash and have an empty text. */
	readonly files?: Readonly<Record<string, string>>;
	/** Links by path. */
	readonly links?: Readonly<Record<string, string>>;
	/** Paths that only root may read. */
	readonly denied?: readonly string[];
	readonly containers?: readonly CiContainer[];
	/** Over the answer of `docker info`. */
	readonly info?: Readonly<Record<string, unknown>>;
	/** What `docker image inspect` knows: tag → digest. */
	readonly images?: Readonly<Record<string, string>>;
	/** Services that systemd has loaded, with what `systemctl show` says of them besides the usual. */
	readonly units?: Readonly<Record<string, Readonly<Record<string, string>>>>;
	/** systemctl gives no answer but this. */
	readonly systemctlSays?: { readonly code: number; readonly stderr: string };
	/** Docker gives no answer but this. */
	readonly dockerSays?: { readonly code: number; readonly stderr: string };
}

const GiB = 2 ** 30;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const plainInfo = {
	ID: 'x',
	Name: 'ci-07',
	ServerVersion: '29.7.2',
	DockerRootDir: '/var/lib/docker',
	Runtimes: { runc: { path: 'runc' }, 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
	DefaultRuntime: 'runc',
	MemoryLimit: true,
	PidsLimit: true,
	CpuCfsQuota: true,
	CgroupVersion: '2',
	NCPU: 8,
	MemTotal: 16 * GiB,
};

/** A host with files and a Docker, for the tests of the CI step. */
export function ciHost(options: CiHostOptions = {}): WriteHost & { readonly files: Map<string, string> } {
	const files = new Map(Object.entries({ '/home/anna/': '', ...options.files }));
	const containers = (options.containers ?? []).map(inspected);
	const links = options.links ?? {};

	const meta = (path: string, text: string) => ({
		mode: 0o644,
		uid: 1000,
		gid: 1000,
		size: encode(text).length,
		realPath: links[path] ?? path,
	});
	const isDirectory = (path: string): boolean =>
		[...files.keys()].some(file => file === `${path}/` || (file.startsWith(`${path}/`) && path !== ''));
	const stat = async (path: string): Promise<StatResult> => {
		const target = links[path];
		if (target !== undefined) {
			const there = await stat(target);
			return there.kind === 'found'
				? { ...there, link: true, meta: { ...there.meta, realPath: target } }
				: { kind: 'missing', danglingTo: target };
		}
		const text = files.get(path);
		if (text !== undefined) return { kind: 'found', type: 'file', link: false, meta: meta(path, text) };
		return isDirectory(path)
			? { kind: 'found', type: 'directory', link: false, meta: meta(path, '') }
			: { kind: 'missing' };
	};
	const found = (path: string): Expected => {
		const text = files.get(path);
		return text === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: sha256(encode(text)) };
	};
	const exec: ReadHost['exec'] = async argv => {
		const line = argv.join(' ');
		const answer = (value: unknown, code = 0) => ({ code, stdout: JSON.stringify(value), stderr: '', elapsedMs: 1 });
		if (argv[0] === 'systemctl')
			return {
				code: 0,
				stdout: systemctl(argv, options.units ?? {}),
				stderr: '',
				elapsedMs: 1,
				...options.systemctlSays,
			};
		if (options.dockerSays !== undefined) return { stdout: '', elapsedMs: 1, ...options.dockerSays };
		if (line.startsWith('docker info')) return answer({ ...plainInfo, ...options.info });
		if (line.startsWith('docker version')) return answer({ Client: { Version: '29.7.2' } });
		if (line === 'docker context inspect') return answer([{ Name: 'default', Endpoints: {} }]);
		if (line === 'docker network inspect bridge') return answer([]);
		if (line === 'docker ps -aq --no-trunc')
			return { code: 0, stdout: containers.map(c => c.Id).join('\n'), stderr: '', elapsedMs: 1 };
		if (line.startsWith('docker inspect ')) return answer(containers.filter(c => argv.includes(c.Id)));
		if (line.startsWith('docker image inspect ')) {
			const names = argv.slice(3);
			const known = names.filter(name => options.images?.[name] !== undefined);
			return answer(
				known.map(name => ({
					RepoTags: [name],
					RepoDigests: [`${name.replace(/:[^/:]+$/, '')}@${options.images?.[name]}`],
				})),
				known.length === names.length ? 0 : 1,
			);
		}
		throw new Error(`the test does not know the command: ${line}`);
	};
	return {
		files,
		kind: 'simulated',
		identity: { hostname: 'ci-07', pid: 4242, uid: 0, user: 'anna' },
		exec,
		run: exec,
		stat,
		async readFile(path) {
			if (options.denied?.includes(path)) return { kind: 'denied' };
			const text = files.get(links[path] ?? path);
			if (text !== undefined) return { kind: 'bytes', bytes: encode(text), meta: meta(path, text) };
			return isDirectory(path) ? { kind: 'not-a-file', what: 'directory' } : { kind: 'missing' };
		},
		list: async () => ({ kind: 'missing' }),
		async digest(path) {
			const now = found(path);
			return now.kind === 'missing' ? now : { kind: 'digest', sha256: now.sha256, size: files.get(path)?.length ?? 0 };
		},
		space: async () => ({ kind: 'space', freeBytes: 1e12, totalBytes: 1e12 }),
		async replaceFile(path, bytes, { expect }) {
			if (!isDirectory(dirname(path))) return { kind: 'failed', errno: 'ENOENT', message: 'no such folder' };
			const now = found(path);
			const same =
				now.kind === 'missing' ? expect.kind === 'missing' : expect.kind === 'sha256' && expect.sha256 === now.sha256;
			if (!same) return { kind: 'changed', found: now };
			files.set(path, new TextDecoder().decode(bytes));
			return { kind: 'written', sha256: sha256(bytes), atomic: true };
		},
		async removeFile(path) {
			files.delete(path);
			return { kind: 'written', sha256: '', atomic: true };
		},
		async makeDirectory(path) {
			files.set(`${path}/`, '');
			return { kind: 'written', sha256: '', atomic: true };
		},
		removeDirectory: async () => ({ kind: 'written', sha256: '', atomic: true }),
		signal: async () => ({ kind: 'sent' }),
		copyFile: async from => ({ kind: 'failed', message: `${from}: not found` }),
	};
}

/** As systemd 257 answers: no limits of memory and processors, 15 % of the host's processes. */
const plainUnit = {
	LoadState: 'loaded',
	ActiveState: 'active',
	SubState: 'running',
	UnitFileState: 'enabled',
	CPUQuotaPerSecUSec: 'infinity',
	MemoryMax: 'infinity',
	TasksMax: '4915',
	DynamicUser: 'no',
};

function systemctl(argv: readonly string[], units: NonNullable<CiHostOptions['units']>): string {
	if (argv[1] === 'list-units')
		return ['ssh.service', ...Object.keys(units)].map(name => `${name} loaded active running Something\n`).join('');
	const wanted = argv.filter((_, at) => argv[at - 1] === '-p');
	return argv
		.filter(word => word.endsWith('.service'))
		.map(name => {
			const all: Readonly<Record<string, string>> = { Id: name, ...plainUnit, ...units[name] };
			return wanted.map(key => `${key}=${all[key] ?? ''}\n`).join('');
		})
		.join('\n');
}

function inspected(container: CiContainer, index: number) {
	const state = container.state ?? 'running';
	const binds = container.binds ?? [];
	return {
		Id: String(index + 1).padStart(64, '0'),
		Name: `/${container.name}`,
		Path: container.command?.[0] ?? '/entrypoint.sh',
		Args: container.command?.slice(1) ?? [],
		Image: `sha256:${'a'.repeat(64)}`,
		State: { Status: state, Running: state === 'running', Pid: 4000 + index, StartedAt: '2026-11-23T10:00:00Z' },
		Config: { Image: container.image, Labels: container.labels ?? {} },
		HostConfig: { Runtime: 'runc', RestartPolicy: { Name: 'no' }, Binds: binds, ...container.host },
		Mounts: binds.map(bind => {
			const [Source = '', Destination = '', options = ''] = bind.split(':');
			return { Type: 'bind', Source, Destination, RW: options !== 'ro' };
		}),
		NetworkSettings: { Networks: { bridge: {} } },
	};
}
