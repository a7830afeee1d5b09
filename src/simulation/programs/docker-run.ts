import { execRefusal } from '../container-runtime.ts';
import { daemonError } from '../docker-connection.ts';
import {
	type CreateRequest,
	createContainer,
	defaultOptions,
	execIn,
	findContainer,
	findImage,
	type Place,
	removeContainer,
	startContainer,
} from '../engine.ts';
import { resolve } from '../file-tree.ts';
import { envOf, readText } from '../scope.ts';
import type { Container, ContainerOptions, MountSpec } from '../state.ts';
import { atLeast, type Call, type Exit, type Io, type Scope, spend, touch, UnsimulatedCommand } from '../world.ts';
import { pullImage } from './docker-images.ts';
import { allOf, lastOf, type OptionTable, parseOptions } from './options.ts';

const runTable: OptionTable = {
	stopAtWord: true,
	withValue: [
		'--name',
		'--label',
		'-l',
		'--runtime',
		'--entrypoint',
		'--pid',
		'--network',
		'--net',
		'--ipc',
		'--uts',
		'--userns',
		'--cgroupns',
		'--memory',
		'-m',
		'--memory-swap',
		'--pids-limit',
		'--cpus',
		'--cpu-shares',
		'-c',
		'--cap-add',
		'--cap-drop',
		'--security-opt',
		'-v',
		'--volume',
		'--mount',
		'--tmpfs',
		'-e',
		'--env',
		'--env-file',
		'-u',
		'--user',
		'-w',
		'--workdir',
		'-h',
		'--hostname',
		'--restart',
		'--device',
		'-p',
		'--publish',
		'--ulimit',
		'--pull',
		'--platform',
		'--stop-signal',
		'--stop-timeout',
		'--add-host',
		'--shm-size',
		'--log-driver',
		'--log-opt',
		'--network-alias',
		'--dns',
		'--group-add',
		'--sysctl',
		'--cidfile',
		'--health-cmd',
		'--cpuset-cpus',
		'--oom-score-adj',
		'--expose',
		'--device-cgroup-rule',
		'--cgroup-parent',
		'--label-file',
		'--memory-reservation',
		'--blkio-weight',
	],
	flags: [
		'-d',
		'--detach',
		'--rm',
		'-i',
		'--interactive',
		'-t',
		'--tty',
		'--privileged',
		'--read-only',
		'--init',
		'-q',
		'--quiet',
		'--no-healthcheck',
		'-P',
		'--publish-all',
		'--sig-proxy',
		'--oom-kill-disable',
	],
};

export function bytesOfSize(text: string): number {
	const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?$/i.exec(text);
	const unit =
		{ '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }[(match?.[2] ?? '').toLowerCase()] ?? 1;
	return Math.round(Number(match?.[1] ?? Number.NaN) * unit);
}

function volumeOf(text: string): MountSpec {
	const [first = '', second, options = ''] = text.split(':');
	if (second === undefined) return { type: 'volume', source: '', target: first, readOnly: false };
	const readOnly = options.split(',').includes('ro');
	return { type: first.startsWith('/') ? 'bind' : 'volume', source: first, target: second, readOnly, bind: text };
}

function mountOf(text: string): MountSpec {
	const fields = Object.fromEntries(
		text
			.split(',')
			.map(pair => [pair.split('=', 1)[0] ?? '', pair.includes('=') ? pair.slice(pair.indexOf('=') + 1) : 'true']),
	);
	const type = fields['type'] === 'bind' || fields['type'] === 'tmpfs' ? fields['type'] : 'volume';
	return {
		type,
		source: fields['source'] ?? fields['src'] ?? '',
		target: fields['target'] ?? fields['destination'] ?? fields['dst'] ?? '',
		readOnly: ['true', '1'].includes(fields['readonly'] ?? fields['ro'] ?? ''),
		...(fields['tmpfs-size'] !== undefined && { sizeBytes: bytesOfSize(fields['tmpfs-size']) }),
	};
}

function tmpfsOf(text: string): MountSpec {
	const [target = '', options = ''] = text.split(':');
	const size = /size=(\w+)/.exec(options)?.[1];
	return {
		type: 'tmpfs',
		source: '',
		target,
		readOnly: options.split(',').includes('ro'),
		...(size !== undefined && { sizeBytes: bytesOfSize(size) }),
	};
}

interface RunRequest {
	readonly name?: string;
	readonly runtime?: string;
	readonly entrypoint?: readonly string[];
	readonly imageRef: string;
	readonly command: readonly string[];
	readonly detach: boolean;
	readonly pull: string;
	readonly options: ContainerOptions;
}

/** Reads the words after `docker run` or `docker create`. A text is what the client itself has against them. */
export function parseRun(scope: Scope, words: readonly string[]): RunRequest | string {
	const parsed = parseOptions(words, runTable);
	if (parsed.unknown.length > 0) return `unknown flag: ${parsed.unknown[0]}`;
	const [imageRef, ...command] = parsed.words;
	if (imageRef === undefined) return `'docker run' requires at least 1 argument`;
	const flag = (...names: string[]) => names.some(n => parsed.flags.has(n));
	const env = allOf(parsed, '-e', '--env').flatMap(pair =>
		pair.includes('=') ? [pair] : scope.env[pair] === undefined ? [] : [`${pair}=${scope.env[pair]}`],
	);
	const memory = bytesOfSize(lastOf(parsed, '-m', '--memory') ?? '0');
	if (Number.isNaN(memory))
		return `invalid argument "${lastOf(parsed, '-m', '--memory')}" for "-m, --memory" flag: invalid size: '${lastOf(parsed, '-m', '--memory')}'`;
	const restart = lastOf(parsed, '--restart') ?? 'no';
	if (flag('--rm') && restart !== 'no') return 'conflicting options: cannot specify both --restart and --rm';
	const entrypoint = lastOf(parsed, '--entrypoint');
	const name = lastOf(parsed, '--name');
	const runtime = lastOf(parsed, '--runtime');
	const idOf = (mode: string | undefined, fallback: string) => mode ?? fallback;
	return {
		...(name !== undefined && { name }),
		...(runtime !== undefined && { runtime }),
		...(entrypoint !== undefined && { entrypoint: entrypoint === '' ? [] : [entrypoint] }),
		imageRef,
		command,
		detach: flag('-d', '--detach'),
		pull: lastOf(parsed, '--pull') ?? 'missing',
		options: {
			...structuredClone(defaultOptions),
			labels: envOf(allOf(parsed, '-l', '--label')),
			env: [...allOf(parsed, '--env-file').flatMap(path => envFile(scope, path)), ...env],
			mounts: [
				...allOf(parsed, '-v', '--volume').map(volumeOf),
				...allOf(parsed, '--mount').map(mountOf),
				...allOf(parsed, '--tmpfs').map(tmpfsOf),
			],
			privileged: flag('--privileged'),
			capAdd: [...allOf(parsed, '--cap-add')].flatMap(c => c.split(',')),
			capDrop: [...allOf(parsed, '--cap-drop')].flatMap(c => c.split(',')),
			securityOpt: [...allOf(parsed, '--security-opt')],
			pidMode: idOf(lastOf(parsed, '--pid'), ''),
			networkMode: idOf(lastOf(parsed, '--network', '--net')?.replace(/^default$/, 'bridge'), 'bridge'),
			ipcMode: idOf(lastOf(parsed, '--ipc'), 'private'),
			utsMode: idOf(lastOf(parsed, '--uts'), ''),
			usernsMode: idOf(lastOf(parsed, '--userns'), ''),
			cgroupnsMode: idOf(lastOf(parsed, '--cgroupns'), flag('--privileged') ? 'host' : 'private'),
			memory,
			pidsLimit: Math.max(0, Number(lastOf(parsed, '--pids-limit') ?? 0)),
			nanoCpus: Math.round(Number(lastOf(parsed, '--cpus') ?? 0) * 1e9),
			cpuShares: Number(lastOf(parsed, '-c', '--cpu-shares') ?? 0),
			user: lastOf(parsed, '-u', '--user') ?? '',
			workdir: lastOf(parsed, '-w', '--workdir') ?? '',
			hostname: lastOf(parsed, '-h', '--hostname') ?? '',
			readOnly: flag('--read-only'),
			init: flag('--init'),
			autoRemove: flag('--rm'),
			restart,
			devices: [...allOf(parsed, '--device')],
			ports: [...allOf(parsed, '-p', '--publish')],
			ulimits: [...allOf(parsed, '--ulimit')],
			tty: flag('-t', '--tty'),
			interactive: flag('-i', '--interactive'),
			stopSignal: lastOf(parsed, '--stop-signal') ?? '',
			extraHosts: [...allOf(parsed, '--add-host')],
			networkAliases: [...allOf(parsed, '--network-alias')],
		},
	};
}

function envFile(scope: Scope, path: string): string[] {
	const file = readText(scope, path);
	return file.kind === 'text' ? file.text.split('\n').filter(line => line.includes('=') && !line.startsWith('#')) : [];
}

/** A refusal of the daemon in the words of `docker run`; the help hint moved with version 28. */
function runError(place: Place, io: Io, text: string, when: 'create' | 'start', verb: 'run' | 'create' = 'run'): void {
	const late = atLeast(place.machine.world.state.docker.engine.version, '28.0.0');
	const prefix = verb === 'run' ? 'docker: ' : '';
	if (late)
		io.err(`${prefix}Error response from daemon: ${text}\n\nRun 'docker ${verb} --help' for more information\n`);
	else
		io.err(
			`${prefix}Error response from daemon: ${text}.\n${when === 'create' ? `See 'docker ${verb} --help'.\n` : ''}`,
		);
}

function usageError(io: Io, text: string, verb: string): number {
	io.err(`${verb === 'run' ? 'docker: ' : ''}${text}\n\nRun 'docker ${verb} --help' for more information\n`);
	return 125;
}

function make(scope: Scope, place: Place, call: Call, request: RunRequest, verb: 'run' | 'create'): Container | number {
	let image = findImage(place.engine.images, request.imageRef);
	if (image === undefined || request.pull === 'always') {
		if (request.pull === 'never') {
			runError(
				place,
				call.io,
				`No such image: ${request.imageRef.includes(':') ? request.imageRef : `${request.imageRef}:latest`}`,
				'create',
				verb,
			);
			return 125;
		}
		if (image === undefined)
			call.io.err(
				`Unable to find image '${request.imageRef.includes(':') ? request.imageRef : `${request.imageRef}:latest`}' locally\n`,
			);
		const pulled = pullImage(place, request.imageRef);
		if (pulled.kind === 'failed') {
			runError(place, call.io, pulled.why, 'create', verb);
			return 125;
		}
		for (const line of pulled.lines) call.io.err(`${line}\n`);
		image = pulled.image;
	}
	for (const mount of request.options.mounts) {
		if (mount.type !== 'bind' || mount.bind !== undefined) continue;
		if (resolve(scope.view, mount.source).kind === 'found') continue;
		runError(
			place,
			call.io,
			`invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
			'create',
			verb,
		);
		return 125;
	}
	const wanted: CreateRequest = {
		image,
		imageRef: request.imageRef,
		command: request.command,
		options: request.options,
		...(request.name !== undefined && { name: request.name }),
		...(request.runtime !== undefined && { runtime: request.runtime }),
		...(request.entrypoint !== undefined && { entrypoint: request.entrypoint }),
	};
	const created = createContainer(place, wanted);
	if (created.kind === 'refused') {
		runError(place, call.io, created.text, 'create', verb);
		return 125;
	}
	for (const warning of created.warnings) call.io.err(`WARNING: ${warning}\n`);
	return created.container;
}

export function dockerRun(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	touch(scope.world);
	const request = parseRun(scope, words);
	if (typeof request === 'string') return usageError(call.io, request, 'run');
	const container = make(scope, place, call, request, 'run');
	if (typeof container === 'number') return container;
	const stdin = request.options.interactive ? call.stdin : { text: '' };
	const started = startContainer(
		place,
		container,
		request.detach ? undefined : { io: call.io, stdin, timeoutMs: call.timeoutMs },
	);
	if (started.kind === 'refused') {
		if (request.detach) call.io.out(`${container.id}\n`);
		runError(place, call.io, started.text, 'start');
		if (request.options.autoRemove) removeContainer(place.engine, container);
		return started.code;
	}
	if (request.detach) {
		call.io.out(`${container.id}\n`);
		return 0;
	}
	return started.exit;
}

export function dockerCreate(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	touch(scope.world);
	const request = parseRun(scope, words);
	if (typeof request === 'string') return usageError(call.io, request, 'create');
	const container = make(scope, place, call, request, 'create');
	if (typeof container === 'number') return container === 125 ? 1 : container;
	call.io.out(`${container.id}\n`);
	return 0;
}

export function dockerExec(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, {
		stopAtWord: true,
		withValue: ['-e', '--env', '-u', '--user', '-w', '--workdir', '--env-file', '--detach-keys'],
		flags: ['-i', '--interactive', '-t', '--tty', '-d', '--detach', '--privileged'],
	});
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, `docker exec ${parsed.unknown[0]}`);
	const [ref = '', ...argv] = parsed.words;
	const container = findContainer(place.engine, ref);
	if (container === undefined) return daemonError(call.io, `No such container: ${ref}`);
	if (container.status !== 'running')
		return daemonError(
			call.io,
			container.status === 'paused'
				? `container ${container.id} is paused, unpause the container before exec`
				: `container ${container.id} is not running`,
		);
	if (container.isolation === 'sysbox' && scope.world.state.sysbox.hangs === 'fs') return 'endless';
	const refusal = execRefusal(scope.world, container);
	if (refusal !== undefined) {
		spend(scope.world, 90);
		// The daemon writes it into the attached stream: on standard output (seen with Docker 26.1.5).
		call.io.out(`${refusal.text}\r\n`);
		return refusal.code;
	}
	const detached = parsed.flags.has('-d') || parsed.flags.has('--detach');
	const interactive = parsed.flags.has('-i') || parsed.flags.has('--interactive');
	const user = lastOf(parsed, '-u', '--user');
	const workdir = lastOf(parsed, '-w', '--workdir');
	const exit = execIn(
		place,
		container,
		argv,
		{
			...(user !== undefined && { user }),
			...(workdir !== undefined && { workdir }),
			env: envOf(allOf(parsed, '-e', '--env')),
			privileged: parsed.flags.has('--privileged'),
			detached,
		},
		{
			io: detached ? { out: () => undefined, err: () => undefined } : call.io,
			stdin: interactive ? call.stdin : { text: '' },
			timeoutMs: call.timeoutMs,
		},
	);
	if (typeof exit === 'object') {
		call.io.out(`${exit.text}\r\n`);
		return exit.code;
	}
	return detached ? 0 : exit;
}
