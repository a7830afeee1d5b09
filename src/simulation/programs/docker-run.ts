import { execRefusal } from '../container-runtime.ts';
import { daemonError } from '../docker-connection.ts';
import {
	createContainer,
	defaultOptions,
	execIn,
	findContainer,
	findImage,
	removeContainer,
	startContainer,
	withTag,
} from '../engine.ts';
import { resolve } from '../file-tree.ts';
import type { Container, ContainerOptions, MountSpec } from '../state.ts';
import {
	atLeast,
	type Call,
	type Exit,
	type Io,
	noInput,
	type Scope,
	spend,
	touch,
	UnsimulatedCommand,
	type World,
} from '../world.ts';
import { allOf, lastOf, type OptionTable, parseOptions } from './options.ts';

const runTable: OptionTable = {
	stopAtWord: true,
	withValue: [
		...['--name', '--label', '--runtime', '--entrypoint', '--pull', '--restart', '-e', '--env', '-v', '--mount'],
		...['--pid', '--network', '--ipc', '--uts', '--userns', '--cap-add', '--security-opt', '--user'],
		...['--memory', '--memory-swap', '--pids-limit', '--cpus'],
	],
	flags: ['-d', '--detach', '--rm', '--privileged'],
};

function bytesOfSize(text: string): number {
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
	const type = fields['type'] === 'bind' ? 'bind' : 'volume';
	return {
		type,
		source: fields['source'] ?? fields['src'] ?? '',
		target: fields['target'] ?? fields['destination'] ?? fields['dst'] ?? '',
		readOnly: ['true', '1'].includes(fields['readonly'] ?? fields['ro'] ?? ''),
	};
}

interface RunRequest {
	readonly imageRef: string;
	readonly command: readonly string[];
	readonly detach: boolean;
	readonly entrypoint: string | undefined;
	readonly name: string | undefined;
	readonly runtime: string | undefined;
	readonly options: ContainerOptions;
}

const pairsOf = (pairs: readonly string[]): Record<string, string> =>
	Object.fromEntries(pairs.map(pair => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]));

/** Reads the words after `docker run`. A text is what the client itself has against them. */
function parseRun(words: readonly string[]): RunRequest | string {
	const parsed = parseOptions(words, runTable);
	if (parsed.unknown.length > 0) return `unknown flag: ${parsed.unknown[0]}`;
	const [imageRef, ...command] = parsed.words;
	if (imageRef === undefined) return `'docker run' requires at least 1 argument`;
	const memory = lastOf(parsed, '--memory') ?? '0';
	if (Number.isNaN(bytesOfSize(memory)))
		return `invalid argument "${memory}" for "-m, --memory" flag: invalid size: '${memory}'`;
	return {
		name: lastOf(parsed, '--name'),
		runtime: lastOf(parsed, '--runtime'),
		entrypoint: lastOf(parsed, '--entrypoint'),
		imageRef,
		command,
		detach: parsed.flags.has('-d') || parsed.flags.has('--detach'),
		options: {
			...structuredClone(defaultOptions),
			labels: pairsOf(allOf(parsed, '--label')),
			env: [...allOf(parsed, '-e', '--env')],
			mounts: [...allOf(parsed, '-v').map(volumeOf), ...allOf(parsed, '--mount').map(mountOf)],
			privileged: parsed.flags.has('--privileged'),
			capAdd: [...allOf(parsed, '--cap-add')],
			securityOpt: [...allOf(parsed, '--security-opt')],
			pidMode: lastOf(parsed, '--pid') ?? '',
			networkMode: lastOf(parsed, '--network') ?? 'bridge',
			ipcMode: lastOf(parsed, '--ipc') ?? 'private',
			utsMode: lastOf(parsed, '--uts') ?? '',
			usernsMode: lastOf(parsed, '--userns') ?? '',
			memory: bytesOfSize(memory),
			pidsLimit: Math.max(0, Number(lastOf(parsed, '--pids-limit') ?? 0)),
			nanoCpus: Math.round(Number(lastOf(parsed, '--cpus') ?? 0) * 1e9),
			user: lastOf(parsed, '--user') ?? '',
			autoRemove: parsed.flags.has('--rm'),
			restart: lastOf(parsed, '--restart') ?? 'no',
		},
	};
}

const help = "Run 'docker run --help' for more information";

/** A refusal of the daemon in the words of `docker run`; the help hint moved with version 28. */
function runError({ state }: World, io: Io, text: string, when: 'create' | 'start'): void {
	const said = `docker: Error response from daemon: ${text}`;
	if (atLeast(state.docker.engine.version, '28.0.0')) io.err(`${said}\n\n${help}\n`);
	else io.err(`${said}.\n${when === 'create' ? "See 'docker run --help'.\n" : ''}`);
}

function make(scope: Scope, io: Io, request: RunRequest): Container | undefined {
	const { world } = scope;
	const refuse = (text: string): undefined => runError(world, io, text, 'create') as undefined;
	const image = findImage(world.state.docker.engine.images, request.imageRef);
	// As with --pull=never, which is what this tool says: what is fetched is planned.
	if (image === undefined) return refuse(`No such image: ${withTag(request.imageRef)}`);
	const lost = request.options.mounts.find(
		m => m.type === 'bind' && m.bind === undefined && resolve(scope.view, m.source).kind !== 'found',
	);
	if (lost !== undefined)
		return refuse(`invalid mount config for type "bind": bind source path does not exist: ${lost.source}`);
	const { name, runtime, entrypoint } = request;
	const created = createContainer(world, {
		image,
		imageRef: request.imageRef,
		command: request.command,
		options: request.options,
		name,
		runtime,
		entrypoint: entrypoint === undefined ? undefined : [entrypoint],
	});
	if (created.kind === 'refused') return refuse(created.text);
	for (const warning of created.warnings) io.err(`WARNING: ${warning}\n`);
	return created.container;
}

export function dockerRun(scope: Scope, call: Call, words: readonly string[]): Exit {
	const { world } = scope;
	touch(world);
	const request = parseRun(words);
	if (typeof request === 'string') {
		call.io.err(`docker: ${request}\n\n${help}\n`);
		return 125;
	}
	const container = make(scope, call.io, request);
	if (container === undefined) return 125;
	const started = startContainer(world, container, request.detach ? undefined : { ...call, stdin: noInput });
	if (request.detach) call.io.out(`${container.id}\n`);
	if (started.kind === 'refused') {
		runError(world, call.io, started.text, 'start');
		if (request.options.autoRemove) removeContainer(world.state.docker.engine, container);
		return started.code;
	}
	return request.detach ? 0 : started.exit;
}

export function dockerExec({ world }: Scope, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { stopAtWord: true, withValue: ['--env'], flags: ['--interactive'] });
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, `docker exec ${parsed.unknown[0]}`);
	const [ref = '', ...argv] = parsed.words;
	const container = findContainer(world.state.docker.engine, ref);
	if (container === undefined) return daemonError(call.io, `No such container: ${ref}`);
	if (container.status !== 'running')
		return daemonError(
			call.io,
			container.status === 'paused'
				? `container ${container.id} is paused, unpause the container before exec`
				: `container ${container.id} is not running`,
		);
	if (container.isolation === 'sysbox' && world.state.sysbox.hangs === 'fs') return 'endless';
	const refusal = execRefusal(world, container);
	if (refusal === undefined) return execIn(world, container, argv, call);
	spend(world, 90);
	// The daemon writes it into the attached stream: on standard output (seen with Docker 26.1.5).
	call.io.out(`${refusal.text}\r\n`);
	return refusal.code;
}
