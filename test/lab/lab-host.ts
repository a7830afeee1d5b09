/**
 * A lab host: a container in which systemd and Docker run as on a real CI host,
 * for tests that drive the real tool (see README.md beside this file).
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, posix } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const LAB_DIRECTORY = dirname(fileURLToPath(import.meta.url));
const LABEL = 'sysbox-setup-lab';
/** Where a host finds the image archives of the lab. */
const IMAGES_IN_HOST = '/opt/sysbox-setup-lab/images';
const TOOL_IN_HOST = '/opt/sysbox-setup';

const COMMAND_LIMIT_MS = 60_000;
const BOOT_LIMIT_MS = 60_000;
const BUILD_LIMIT_MS = 15 * 60_000;

export type CgroupVersion = 'v1' | 'v2';
export type PackageVariant = 'good' | 'lying' | 'broken';
export type ImageArchive = 'ci-images' | 'busybox';

export interface Output {
	/** Exit status; 128 + n for a process that signal n ended. */
	code: number;
	stdout: string;
	stderr: string;
}

export interface CommandOptions {
	env?: Readonly<Record<string, string>>;
	/** A user of the host; root when absent. */
	user?: string;
	cwd?: string;
	/** Standard input; empty when absent. */
	input?: string | Uint8Array;
}

export interface ExecOptions extends CommandOptions {
	timeoutMs?: number;
	/** `false`: a status other than 0 is a result, not an error. */
	reject?: boolean;
}

export interface SpawnOptions extends CommandOptions {
	timeoutMs?: number;
	onStdoutLine?: (line: string) => void;
	onStderrLine?: (line: string) => void;
}

/** A command that still runs in the host. */
export interface Running {
	/** Sends a signal to the process in the host, not to a client of it. */
	kill(signal: NodeJS.Signals): Promise<void>;
	/** Never rejects for a status other than 0, only when the time is up. */
	done: Promise<Output>;
}

export interface BootOptions {
	/** `false`: do not wait for Docker to answer, for hosts where it must not. */
	docker?: boolean;
}

export interface StartOptions {
	cgroup: CgroupVersion;
	/** Part of the container's name, to find it again in `docker ps`. */
	name?: string;
	boot?: BootOptions;
}

export interface PackageOptions {
	/** A directory of the host. */
	directory?: string;
	version?: string;
	/** Bytes that do not compress, beside what the package has; the real one has about 11 MB. */
	padding?: number;
	/** Whether its script tells Docker of a runtime that was in daemon.json before (as the real one does), or leaves it. */
	postinst?: 'reloads' | 'leaves';
}

export interface PackageFile {
	/** In the host. */
	path: string;
	sha256: string;
}

export type Availability = { available: true } | { available: false; why: string };

export class LabError extends Error {
	override readonly name = 'LabError';
}

// --- this machine ------------------------------------------------------------

interface LocalOptions {
	timeoutMs?: number;
	input?: string | Uint8Array;
	reject?: boolean;
}

/** Runs a program of this machine, with a limit of time on every one. */
async function local(argv: readonly [string, ...string[]], options: LocalOptions = {}): Promise<Output> {
	const { stdout, stderr, code } = await localBytes(argv, options);
	return { code, stdout: stdout.toString('utf8'), stderr };
}

async function localBytes(
	argv: readonly [string, ...string[]],
	{ timeoutMs = COMMAND_LIMIT_MS, input = '', reject = true }: LocalOptions = {},
): Promise<{ code: number; stdout: Buffer; stderr: string }> {
	const [program, ...rest] = argv;
	const result = await execa(program, rest, {
		input,
		timeout: timeoutMs,
		reject: false,
		encoding: 'buffer',
		stripFinalNewline: false,
		maxBuffer: 512 * 1024 * 1024,
	});
	const stderr = Buffer.from(result.stderr).toString('utf8');
	if (result.timedOut) throw new LabError(`no end after ${timeoutMs} ms: ${argv.join(' ')}\n${tail(stderr)}`);
	if (result.exitCode === undefined) throw new LabError(`cannot run ${argv.join(' ')}: ${result.shortMessage}`);
	const code = result.exitCode;
	const stdout = Buffer.from(result.stdout);
	if (reject && code !== 0) {
		throw new LabError(`status ${code} from ${argv.join(' ')}\n${tail(stdout.toString('utf8'))}\n${tail(stderr)}`);
	}
	return { code, stdout, stderr };
}

function tail(text: string): string {
	return text.trimEnd().split('\n').slice(-20).join('\n');
}

/** Whether this machine can run the lab, without building anything. */
export async function labAvailable(): Promise<Availability> {
	const docker = await local(['docker', 'version', '--format', '{{.Server.Version}}'], {
		timeoutMs: 10_000,
		reject: false,
	}).catch(() => undefined);
	if (docker?.code !== 0) return { available: false, why: 'no Docker daemon answers: run .ci/prepare' };

	const tag = (await local([join(LAB_DIRECTORY, 'image', 'build'), '--tag'])).stdout.trim();
	const image = await local(['docker', 'image', 'inspect', '--format', '{{.Id}}', tag], { reject: false });
	if (image.code === 0) return { available: true };

	const builder = await local(['mmdebstrap', '--version'], { reject: false }).catch(() => undefined);
	if (builder?.code !== 0) return { available: false, why: 'mmdebstrap is not installed: run .ci/prepare' };
	if (process.getuid?.() !== 0) return { available: false, why: 'the host image is not built yet, which needs root' };
	return { available: true };
}

interface Prepared {
	image: string;
	imagesDirectory: string;
}

let prepared: Promise<Prepared> | undefined;

/** Builds what is missing: the host's image and the archives. Later calls do nothing. */
export function prepareLab(): Promise<Prepared> {
	prepared ??= (async () => {
		await removeAbandonedHosts();
		const image = await local([join(LAB_DIRECTORY, 'image', 'build')], { timeoutMs: BUILD_LIMIT_MS });
		const images = await local([join(LAB_DIRECTORY, 'images', 'build')], { timeoutMs: BUILD_LIMIT_MS });
		return { image: image.stdout.trim(), imagesDirectory: images.stdout.trim() };
	})();
	return prepared;
}

// --- who owns a host ---------------------------------------------------------

/** Names a process beyond its life: pids come back, pid and start time do not. */
function processIdentity(pid: number): string | undefined {
	try {
		const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// The command, in brackets, may contain anything; the start time is the
		// twentieth field behind it.
		const startTime = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
		return startTime === undefined ? undefined : `${pid}:${startTime}`;
	} catch {
		return undefined;
	}
}

/** Removes the hosts of test runs that died before they could. */
export async function removeAbandonedHosts(): Promise<void> {
	const list = await local([
		'docker',
		'ps',
		'--all',
		'--filter',
		`label=${LABEL}.owner`,
		'--format',
		`{{.ID}} {{.Label "${LABEL}.owner"}}`,
	]);
	for (const line of list.stdout.split('\n').filter(line => line !== '')) {
		const [id = '', owner = ''] = line.split(' ');
		if (processIdentity(Number.parseInt(owner, 10)) !== owner) await removeContainer(id);
	}
}

async function removeContainer(name: string): Promise<void> {
	const result = await local(['docker', 'rm', '--force', '--volumes', name], { reject: false });
	// Another process may be removing the same abandoned host.
	if (result.code !== 0 && !/No such container|already in progress/.test(result.stderr)) {
		throw new LabError(`cannot remove ${name}: ${result.stderr}`);
	}
}

const living = new Set<string>();
let watchesExit = false;

function removeAtExit(name: string): void {
	living.add(name);
	if (watchesExit) return;
	watchesExit = true;
	// Nothing asynchronous runs in this handler.
	process.on('exit', () => {
		if (living.size > 0) spawnSync('docker', ['rm', '--force', '--volumes', ...living], { timeout: 30_000 });
	});
}

// --- the host ----------------------------------------------------------------

export class LabHost {
	readonly name: string;
	readonly cgroup: CgroupVersion;

	constructor(name: string, cgroup: CgroupVersion) {
		this.name = name;
		this.cgroup = cgroup;
	}

	/** Runs a command in the host and waits for its end. */
	async exec(argv: readonly string[], options: ExecOptions = {}): Promise<Output> {
		return local(this.#client(argv, options), localOptions(options));
	}

	/** Runs a command in the host and hands back a handle on it at once. */
	spawn(argv: readonly string[], options: SpawnOptions = {}): Running {
		const { timeoutMs = COMMAND_LIMIT_MS, input = '' } = options;
		// The client of `docker exec` passes no signals on. The shell notes its own
		// pid and becomes the command.
		const pidFile = `/run/sysbox-setup-lab/${randomUUID()}.pid`;
		const script = 'mkdir -p "$(dirname "$0")" && echo $$ >"$0.new" && mv "$0.new" "$0" && exec "$@"';
		const [program, ...rest] = this.#client(['sh', '-c', script, pidFile, ...argv], options);
		const child = execa(program, rest, { input, timeout: timeoutMs, reject: false, stripFinalNewline: false });
		if (options.onStdoutLine) createInterface({ input: child.stdout }).on('line', options.onStdoutLine);
		if (options.onStderrLine) createInterface({ input: child.stderr }).on('line', options.onStderrLine);

		const done = child.then((result): Output => {
			if (result.timedOut)
				throw new LabError(`no end after ${timeoutMs} ms: ${argv.join(' ')}\n${tail(result.stderr)}`);
			if (result.exitCode === undefined) throw new LabError(`cannot run ${argv.join(' ')}: ${result.shortMessage}`);
			return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr };
		});
		// A test may look at `done` long after it failed, or never.
		done.catch(() => undefined);

		const kill = async (signal: NodeJS.Signals): Promise<void> => {
			const pid = await until(10_000, `the pid of ${argv.join(' ')}`, async () => {
				const file = await this.exec(['cat', pidFile], { reject: false });
				return file.code === 0 ? file.stdout.trim() : undefined;
			});
			await this.exec(['kill', '-s', signal.replace(/^SIG/, ''), pid]);
		};
		return { kill, done };
	}

	/** Copies a file or a directory of this machine to `path`. */
	async copyIn(source: string, path: string): Promise<void> {
		if ((await stat(source)).isDirectory()) {
			await this.#unpack(path, ['-C', source, '.']);
		} else {
			await this.writeFile(path, await readFile(source), (await stat(source)).mode & 0o777);
		}
	}

	async readFile(path: string): Promise<Buffer> {
		return (await localBytes(this.#client(['cat', '--', path], {}))).stdout;
	}

	/** Writes the file through another one, so that it appears complete. */
	async writeFile(path: string, bytes: string | Uint8Array, mode = 0o644): Promise<void> {
		const script =
			'umask 077 && mkdir -p "$(dirname "$1")" && cat >"$1.lab" && chmod "$2" "$1.lab" && mv "$1.lab" "$1"';
		await this.exec(['sh', '-c', script, 'sh', posix.resolve('/', path), mode.toString(8)], { input: bytes });
	}

	/** Removes files and directories. */
	async removeFile(...paths: readonly string[]): Promise<void> {
		await this.exec(['rm', '-rf', '--', ...paths]);
	}

	/** An orderly restart: systemd stops everything and starts again. */
	async reboot(boot: BootOptions = {}): Promise<void> {
		await local(['docker', 'restart', '--time', '60', this.name], { timeoutMs: 90_000 });
		await this.booted(boot);
	}

	/** Everything stops at once, and the host starts again. */
	async powerCut(boot: BootOptions = {}): Promise<void> {
		await local(['docker', 'kill', this.name]);
		await local(['docker', 'start', this.name]);
		await this.booted(boot);
	}

	/** Removes the host with everything in it. */
	async remove(): Promise<void> {
		await removeContainer(this.name);
		living.delete(this.name);
	}

	/** Loads images into the host's Docker. */
	async loadImages(...archives: readonly ImageArchive[]): Promise<void> {
		for (const archive of archives) {
			await this.exec(['docker', 'load', '--quiet', '--input', `${IMAGES_IN_HOST}/${archive}.tar`], {
				timeoutMs: 120_000,
			});
		}
	}

	/** Puts a stand-in package into the host, under the name of the real file. */
	async putPackage(
		variant: PackageVariant = 'good',
		{
			directory = `/root/packages/${variant}`,
			version = '0.7.1',
			padding = 0,
			postinst = 'reloads',
		}: PackageOptions = {},
	): Promise<PackageFile> {
		const scratch = await mkdtemp(join(tmpdir(), 'sysbox-setup-lab.'));
		try {
			const builder = join(LAB_DIRECTORY, 'stand-in', 'build-deb');
			const options = ['--padding', String(padding), '--postinst', postinst];
			const file = (await local([builder, ...options, variant, scratch, version])).stdout.trim();
			const bytes = await readFile(file);
			const path = posix.join(directory, basename(file));
			await this.writeFile(path, bytes);
			return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
		} finally {
			await rm(scratch, { recursive: true, force: true });
		}
	}

	/**
	 * Installs the tool as built: `dist`, and `package.json` and `templates`
	 * beside it. It is `sysbox-setup` on the path of the host afterwards.
	 */
	async installTool(dist: string): Promise<void> {
		const root = dirname(dist);
		const rename = `--transform=s,^${basename(dist)},dist,`;
		await this.exec(['rm', '-rf', TOOL_IN_HOST]);
		await this.#unpack(TOOL_IN_HOST, [rename, '-C', root, basename(dist), 'package.json', 'templates']);
		const script = `#!/bin/sh\nexec node ${TOOL_IN_HOST}/dist/cli.js "$@"\n`;
		await this.writeFile('/usr/local/bin/sysbox-setup', script, 0o755);
	}

	/** Packs files of this machine and unpacks them below `path`. */
	async #unpack(path: string, tarArguments: readonly string[]): Promise<void> {
		const archive = await localBytes(['tar', '--owner=0', '--group=0', '-c', ...tarArguments]);
		await this.exec(['mkdir', '-p', '--', path]);
		await this.exec(['tar', '-x', '-C', path], { input: archive.stdout });
	}

	#client(argv: readonly string[], { env = {}, user, cwd }: CommandOptions): [string, ...string[]] {
		return [
			'docker',
			'exec',
			'--interactive',
			...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
			...(user === undefined ? [] : ['--user', user]),
			...(cwd === undefined ? [] : ['--workdir', cwd]),
			this.name,
			...argv,
		];
	}

	/** Waits until systemd has started everything and Docker answers. */
	async booted({ docker = true }: BootOptions = {}): Promise<void> {
		await until(BOOT_LIMIT_MS, `the boot of ${this.name}`, async () => {
			// `degraded`: up, with a unit that failed, which may be what a test is about.
			const state = await this.exec(['systemctl', 'is-system-running'], { reject: false });
			return /^(running|degraded)$/.test(state.stdout.trim()) ? true : undefined;
		}).catch(error => this.#explain(error));
		if (!docker) return;
		await until(BOOT_LIMIT_MS, `Docker in ${this.name}`, async () => {
			const version = await this.exec(['docker', 'version'], { reject: false });
			return version.code === 0 ? true : undefined;
		}).catch(error => this.#explain(error));
	}

	async #explain(error: unknown): Promise<never> {
		const state = await local(['docker', 'logs', '--tail', '20', this.name], { reject: false });
		const failed = await this.exec(['systemctl', 'list-jobs', '--no-pager'], { reject: false });
		throw new LabError(`${String(error)}\n${state.stdout}${state.stderr}${failed.stdout}`, { cause: error });
	}
}

function localOptions({ timeoutMs, input, reject }: ExecOptions): LocalOptions {
	return {
		...(timeoutMs === undefined ? {} : { timeoutMs }),
		...(input === undefined ? {} : { input }),
		...(reject === undefined ? {} : { reject }),
	};
}

/** Asks until there is an answer, or fails when the time is up. */
async function until<T>(limitMs: number, what: string, ask: () => Promise<T | undefined>): Promise<T> {
	const end = Date.now() + limitMs;
	for (;;) {
		const answer = await ask();
		if (answer !== undefined) return answer;
		if (Date.now() > end) throw new LabError(`${what}: not within ${limitMs} ms`);
		await sleep(100);
	}
}

/** Starts a host of its own for a test file; `remove()` it at the end. */
export async function startLabHost({ cgroup, name = 'host', boot = {} }: StartOptions): Promise<LabHost> {
	const { image, imagesDirectory } = await prepareLab();
	const owner = processIdentity(process.pid);
	if (owner === undefined) throw new LabError('no /proc here to name this process by');
	const container = `${LABEL}-${name}-${randomUUID().slice(0, 8)}`;

	removeAtExit(container);
	const host = new LabHost(container, cgroup);
	try {
		await local([
			...['docker', 'run', '--detach', '--name', container, '--hostname', 'ci-host'],
			...['--label', `${LABEL}=1`, '--label', `${LABEL}.owner=${owner}`],
			// What systemd, Docker and a user namespace need; less than --privileged,
			// which machines without CAP_SYS_RESOURCE refuse.
			...['--cap-add=ALL', '--cap-drop=SYS_RESOURCE'],
			...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
			...['--security-opt', 'systempaths=unconfined', '--cgroupns=private'],
			...['--device', '/dev/fuse', '--device-cgroup-rule', 'a *:* rwm'],
			...['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
			// Overlay and ID-mapped mounts need a real file system below.
			...['--volume', '/var/lib/docker', '--volume', '/var/lib/containerd', '--volume', '/var/lib/sysbox'],
			...['--volume', `${imagesDirectory}:${IMAGES_IN_HOST}:ro`],
			...['--stop-signal', 'SIGRTMIN+3', '--entrypoint', '/usr/local/lib/sysbox-setup-lab/boot'],
			...[image, cgroup],
		] as [string, ...string[]]);
		await host.booted(boot);
		return host;
	} catch (error) {
		await host.remove();
		throw error;
	}
}
