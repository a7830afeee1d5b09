import { restartRefusal } from '../container-runtime.ts';
import { connect, daemonError } from '../docker-connection.ts';
import { containerJson, containerRow, humanSize, infoJson, networkJson, versionJson } from '../docker-json.ts';
import {
	findContainer,
	findImage,
	finish,
	innerPlace,
	type Place,
	removeContainer,
	settle,
	startContainer,
} from '../engine.ts';
import { isRunnerImage, runnersTurn } from '../gitlab-runner.ts';
import { goJson, renderTemplate, TemplateError } from '../go-template.ts';
import { processesSeen } from '../process-table.ts';
import { imageOf, readText, writeText } from '../scope.ts';
import type { Container } from '../state.ts';
import {
	atLeast,
	type Call,
	type Exit,
	nextHex,
	type Program,
	rfc3339,
	type Scope,
	spend,
	touch,
	UnsimulatedCommand,
} from '../world.ts';
import {
	dockerBuild,
	dockerImages,
	dockerImport,
	dockerLoad,
	dockerPull,
	dockerPush,
	dockerRmi,
	dockerSave,
	dockerTag,
	imageDocument,
} from './docker-images.ts';
import { dockerCreate, dockerExec, dockerRun } from './docker-run.ts';
import { allOf, lastOf, parseOptions } from './options.ts';

type Command = (scope: Scope, place: Place, call: Call, words: readonly string[]) => Exit;

/** The docker client, on the host and in containers. Errors and codes as seen with 26.1.5, or those of 29 where they differ. */
export const docker: Program = (scope, call) => {
	const { words, problem } = globalOptions(call.argv.slice(1));
	if (problem !== undefined) {
		call.io.err(`${problem}\n`);
		return 1;
	}
	let [verb = '', ...rest] = words;
	const { world } = scope;
	const version = world.state.docker.engine.version;
	if (verb === '--version' || verb === '-v') {
		call.io.out(`Docker version ${version}, build 411e817\n`);
		return 0;
	}
	if (scope.inside === undefined) {
		if (world.faults.fires('docker-hangs', words.join(' ')) !== undefined) return 'endless';
		if (world.faults.fires('docker-garbage', words.join(' ')) !== undefined) {
			call.io.out('<html><body>502 Bad Gateway</body></html>\n');
			return 0;
		}
	}
	if (verb === 'context') return context(call, rest);
	if (verb === 'compose' || verb === 'buildx') {
		const plugin = plugins(scope, call, verb, rest);
		if (plugin !== undefined) return plugin;
		if (verb === 'buildx' && rest[0] === 'build') {
			verb = 'build';
			rest = rest.slice(1);
		} else throw new UnsimulatedCommand(call.argv, `docker ${verb}`);
	}
	// During a boot docker.socket listens already, and Docker's own start waits: the client is not answered.
	if (scope.inside === undefined && world.state.units['docker.service']?.queued === true) return 'endless';
	const connection = connect(scope);
	if (verb === 'info') return info(scope, call, rest, connection);
	if (verb === 'system' && rest[0] === 'info') return info(scope, call, rest.slice(1), connection);
	if (verb === 'version') return version_(scope, call, rest, connection);
	const group = groups[verb];
	const name = group === undefined ? verb : `${verb} ${rest.shift() ?? ''}`;
	const command = commands[group === undefined ? verb : (group[name.split(' ')[1] ?? ''] ?? name)];
	if (command === undefined) {
		if (verb === 'swarm' || verb === 'node') {
			call.io.out('');
			return 0;
		}
		throw new UnsimulatedCommand(call.argv, `docker ${name}`);
	}
	if (connection.kind === 'failed') {
		call.io.err(
			verb === 'run'
				? `docker: ${connection.words}\n\nRun 'docker run --help' for more information\n`
				: `${connection.words}\n`,
		);
		return verb === 'run' ? 125 : 1;
	}
	try {
		return command(scope, connection.place, call, rest);
	} catch (error) {
		if (!(error instanceof TemplateError)) throw error;
		call.io.err(`${error.message}\n`);
		return error.message.startsWith('template parsing') ? 64 : 1;
	}
};

function globalOptions(argv: readonly string[]): { readonly words: string[]; readonly problem?: string } {
	const words = [...argv];
	while (words[0]?.startsWith('-') && !['--version', '-v'].includes(words[0])) {
		const [flag = ''] = words;
		const [name = '', inline] = flag.split('=');
		if (['-D', '--debug', '--tls', '--tlsverify'].includes(name)) words.shift();
		else if (['-H', '--host', '--context', '-c', '--config', '-l', '--log-level'].includes(name)) {
			const value = inline ?? words[1] ?? '';
			words.splice(0, inline === undefined ? 2 : 1);
			if (['--context', '-c'].includes(name) && value !== 'default')
				return {
					words,
					problem: `Failed to initialize: unable to resolve docker endpoint: context "${value}": context not found: open /root/.docker/contexts/meta/${nextContext(value)}/meta.json: no such file or directory`,
				};
		} else return { words, problem: `unknown flag: ${name}\nSee 'docker --help'.` };
	}
	return { words };
}

const nextContext = (name: string): string =>
	[...name]
		.map(c => c.charCodeAt(0).toString(16))
		.join('')
		.padEnd(64, '0')
		.slice(0, 64);

function context(call: Call, words: readonly string[]): Exit {
	const document = {
		Name: 'default',
		Metadata: {},
		Endpoints: { docker: { Host: 'unix:///var/run/docker.sock', SkipTLSVerify: false } },
		TLSMaterial: {},
		Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
	};
	const parsed = parseOptions(words.slice(1), { withValue: ['--format', '-f'], flags: ['-q', '--quiet'] });
	const format = lastOf(parsed, '--format', '-f');
	if (words[0] === 'show') call.io.out('default\n');
	else if (words[0] === 'inspect')
		call.io.out(
			format === undefined ? `${JSON.stringify([document], null, 4)}\n` : `${renderTemplate(format, document)}\n`,
		);
	else if (words[0] === 'ls') {
		const row = {
			Current: true,
			Description: 'Current DOCKER_HOST based configuration',
			DockerEndpoint: 'unix:///var/run/docker.sock',
			Error: '',
			Name: 'default',
		};
		call.io.out(
			format === 'json' || format === '{{json .}}'
				? `${goJson(row)}\n`
				: `NAME        DESCRIPTION                               DOCKER ENDPOINT               ERROR\ndefault *   ${row.Description}   ${row.DockerEndpoint}   \n`,
		);
	} else throw new UnsimulatedCommand(call.argv, 'docker context');
	return 0;
}

function plugins(scope: Scope, call: Call, verb: 'compose' | 'buildx', words: readonly string[]): Exit | undefined {
	const version = scope.world.state.docker[verb];
	if (version === undefined) {
		call.io.err(`docker: unknown command: docker ${verb}\n\nRun 'docker --help' for more information\n`);
		return 1;
	}
	if (words[0] === 'version' || words.includes('--version')) {
		const short = words.includes('--short');
		call.io.out(
			verb === 'compose'
				? short
					? `${version}\n`
					: `Docker Compose version v${version}\n`
				: `github.com/docker/buildx v${version} 9e66234aa13328a5e75b75aa5574e1ca6d6d9c01\n`,
		);
		return 0;
	}
	if (verb === 'buildx' && words[0] === 'ls') {
		call.io.out(
			'NAME/NODE     DRIVER/ENDPOINT   STATUS    BUILDKIT   PLATFORMS\ndefault*      docker                                 \n \\_ default    \\_ default       running   v0.26.3    linux/amd64\n',
		);
		return 0;
	}
	if (verb === 'compose' && words.includes('config')) {
		const file = words[words.findIndex(w => w === '-f' || w === '--file') + 1];
		const read = file === undefined ? undefined : readText(scope, file);
		if (read?.kind === 'text') {
			if (!words.includes('-q') && !words.includes('--quiet')) call.io.out(read.text);
			return 0;
		}
		call.io.err(`open ${file ?? 'compose.yaml'}: no such file or directory\n`);
		return 14;
	}
	if (verb === 'compose' && words.includes('ls')) {
		call.io.out(words.includes('json') ? '[]\n' : 'NAME                STATUS              CONFIG FILES\n');
		return 0;
	}
	return undefined;
}

function info(scope: Scope, call: Call, words: readonly string[], connection: ReturnType<typeof connect>): Exit {
	const parsed = parseOptions(words, { withValue: ['--format', '-f'], flags: [] });
	const format = lastOf(parsed, '--format', '-f');
	if (connection.kind === 'failed') {
		const document = emptied(
			infoJson(scope, scope.inside?.container.engine ?? scope.world.state.docker.engine),
			connection.words,
		);
		if (format !== undefined) {
			// With a format the client shows the error and still ends with 0 (docker/cli, runInfo).
			call.io.err(`${connection.words}\n`);
			call.io.out(`${renderTemplate(format === 'json' ? '{{json .}}' : format, document)}\n`);
			return 0;
		}
		call.io.out(
			`Client: Docker Engine - Community\n Version:    ${scope.world.state.docker.engine.version}\n Context:    default\n Debug Mode: false\n\nServer:\n`,
		);
		call.io.err(`${connection.words}\nerrors pretty printing info\n`);
		return 1;
	}
	const { machine, engine } = connection.place;
	const document = infoJson(machine, engine);
	if (format !== undefined) {
		try {
			call.io.out(`${renderTemplate(format === 'json' ? '{{json .}}' : format, document)}\n`);
			return 0;
		} catch (error) {
			if (!(error instanceof TemplateError)) throw error;
			call.io.err(`${error.message}\n`);
			return error.message.startsWith('template parsing') ? 64 : 1;
		}
	}
	const running = engine.containers.filter(c => c.status === 'running').length;
	call.io.out(
		[
			'Client: Docker Engine - Community',
			` Version:    ${engine.version}`,
			' Context:    default',
			' Debug Mode: false',
			'',
			'Server:',
			` Containers: ${engine.containers.length}`,
			`  Running: ${running}`,
			'  Paused: 0',
			`  Stopped: ${engine.containers.length - running}`,
			` Images: ${engine.images.length}`,
			` Server Version: ${engine.version}`,
			` Storage Driver: ${engine.storageDriver}`,
			...(document['DriverStatus'] as string[][]).map(([k, v]) => `  ${k}: ${v}`),
			` Logging Driver: ${engine.config.logDriver}`,
			` Cgroup Driver: ${String(document['CgroupDriver'])}`,
			` Cgroup Version: ${String(document['CgroupVersion'])}`,
			` Runtimes: ${Object.keys(document['Runtimes'] as object).join(' ')}`,
			` Default Runtime: ${engine.config.defaultRuntime}`,
			` Kernel Version: ${String(document['KernelVersion'])}`,
			` Operating System: ${String(document['OperatingSystem'])}`,
			' OSType: linux',
			` Architecture: ${String(document['Architecture'])}`,
			` Name: ${String(document['Name'])}`,
			` ID: ${engine.id}`,
			` Docker Root Dir: ${String(document['DockerRootDir'])}`,
			` Live Restore Enabled: ${engine.config.liveRestore}`,
			'',
		].join('\n'),
	);
	for (const warning of (document['Warnings'] as string[] | null) ?? []) call.io.err(`${warning}\n`);
	return 0;
}

/** What the client prints of a server that did not answer: the fields, with nothing in them. */
function emptied(document: Record<string, unknown>, error: string): Record<string, unknown> {
	const empty = Object.fromEntries(
		Object.entries(document).map(([key, value]) => [
			key,
			key === 'ClientInfo'
				? value
				: typeof value === 'string'
					? ''
					: typeof value === 'number'
						? 0
						: typeof value === 'boolean'
							? false
							: Array.isArray(value)
								? null
								: null,
		]),
	);
	return { ...empty, ServerErrors: [error] };
}

function version_(scope: Scope, call: Call, words: readonly string[], connection: ReturnType<typeof connect>): Exit {
	const format = lastOf(parseOptions(words, { withValue: ['--format', '-f'], flags: [] }), '--format', '-f');
	const engine = connection.kind === 'connected' ? connection.place.engine : undefined;
	const document = versionJson(scope, engine);
	try {
		if (format !== undefined) {
			if (engine === undefined && /\.Server/.test(format)) {
				call.io.err(`${connection.kind === 'failed' ? connection.words : ''}\n`);
				call.io.out('\n');
				return 1;
			}
			call.io.out(`${renderTemplate(format === 'json' ? '{{json .}}' : format, document)}\n`);
		} else {
			const client = document['Client'] as Record<string, unknown>;
			call.io.out(
				`Client: Docker Engine - Community\n Version:           ${String(client['Version'])}\n API version:       ${String(client['ApiVersion'])}\n`,
			);
			if (engine !== undefined)
				call.io.out(
					`\nServer: Docker Engine - Community\n Engine:\n  Version:          ${engine.version}\n  API version:      ${String(client['ApiVersion'])} (minimum version 1.44)\n`,
				);
		}
	} catch (error) {
		if (!(error instanceof TemplateError)) throw error;
		call.io.err(`${error.message}\n`);
		return 1;
	}
	if (connection.kind === 'failed') call.io.err(`${connection.words}\n`);
	return connection.kind === 'failed' ? 1 : 0;
}

/** `docker container ls` is `docker ps`, and so on. */
const groups: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	container: {
		ls: 'ps',
		list: 'ps',
		ps: 'ps',
		run: 'run',
		create: 'create',
		exec: 'exec',
		rm: 'rm',
		stop: 'stop',
		start: 'start',
		kill: 'kill',
		restart: 'restart',
		inspect: 'container inspect',
		logs: 'logs',
		wait: 'wait',
		top: 'top',
		cp: 'cp',
		stats: 'stats',
		prune: 'container prune',
		update: 'update',
		diff: 'diff',
		pause: 'pause',
		unpause: 'unpause',
	},
	image: {
		ls: 'images',
		list: 'images',
		rm: 'rmi',
		inspect: 'image inspect',
		pull: 'pull',
		push: 'push',
		load: 'load',
		save: 'save',
		tag: 'tag',
		build: 'build',
		import: 'import',
		prune: 'image prune',
	},
	volume: {
		create: 'volume create',
		rm: 'volume rm',
		ls: 'volume ls',
		inspect: 'volume inspect',
		prune: 'volume prune',
	},
	network: {
		create: 'network create',
		rm: 'network rm',
		ls: 'network ls',
		inspect: 'network inspect',
		connect: 'network connect',
		disconnect: 'network connect',
		prune: 'network prune',
	},
	plugin: { ls: 'plugin ls', list: 'plugin ls' },
	system: { df: 'system df', events: 'events' },
};

/** Docker's own plugins; the fields in the order and with the types of 26.1.5. */
const pluginLs: Command = (_scope, place, call, words) => {
	const parsed = parseOptions(words, {
		withValue: ['--format', '--filter', '-f'],
		flags: ['-q', '--quiet', '--no-trunc'],
	});
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, String(parsed.unknown[0]));
	const format = lastOf(parsed, '--format');
	const plugins = place.engine.plugins ?? [];
	const rows = plugins.map(({ id, name, description, enabled }) => ({
		Description: description,
		Enabled: enabled,
		ID: id.slice(0, 12),
		Name: name,
		PluginReference: `docker.io/${name}`,
	}));
	if (format === undefined) {
		call.io.out('ID             NAME         DESCRIPTION   ENABLED\n');
		for (const row of rows) call.io.out(`${row.ID}   ${row.Name}   ${row.Description}   ${row.Enabled}\n`);
		return 0;
	}
	for (const row of rows)
		call.io.out(format === 'json' || format === '{{json .}}' ? `${goJson(row)}\n` : `${renderTemplate(format, row)}\n`);
	return 0;
};

const matchesFilters = (place: Place, container: Container, filters: readonly string[]): boolean =>
	filters.every(filter => {
		const [key = '', ...rest] = filter.split('=');
		const value = rest.join('=');
		const labels = { ...imageOf(place.engine, container)?.labels, ...container.options.labels };
		switch (key) {
			case 'label':
				return value.includes('=')
					? labels[value.split('=')[0] ?? ''] === value.slice(value.indexOf('=') + 1)
					: value in labels;
			case 'name':
				return new RegExp(value.replace(/^\^?\/?/, value.startsWith('^') ? '^' : '')).test(container.name);
			case 'id':
				return container.id.startsWith(value);
			case 'status':
				return container.status === value;
			case 'ancestor':
				return container.imageRef === value || container.imageId === value;
			case 'volume':
				return container.options.mounts.some(m => m.source === value || m.target === value);
			case 'network':
				return container.options.networkMode === value;
			default:
				return true;
		}
	});

const ps: Command = (scope, place, call, words) => {
	const parsed = parseOptions(words, {
		withValue: ['--filter', '-f', '--format', '-n', '--last'],
		flags: ['-a', '--all', '-q', '--quiet', '--no-trunc', '-l', '-s', '--size', '--latest'],
	});
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, String(parsed.unknown[0]));
	const filters = allOf(parsed, '--filter', '-f');
	const all = parsed.flags.has('-a') || parsed.flags.has('--all') || filters.some(f => f.startsWith('status='));
	const full = parsed.flags.has('--no-trunc');
	const shown = place.engine.containers
		.filter(c => (all || c.status === 'running' || c.status === 'paused') && matchesFilters(place, c, filters))
		.toReversed();
	const format = lastOf(parsed, '--format');
	if (parsed.flags.has('-q') || parsed.flags.has('--quiet')) {
		for (const c of shown) call.io.out(`${full ? c.id : c.id.slice(0, 12)}\n`);
		return 0;
	}
	const rows = shown.map(c => containerRow(place.engine, c, scope.world.state.now, full));
	if (format === 'json') for (const row of rows) call.io.out(`${goJson(row)}\n`);
	else if (format !== undefined && !format.startsWith('table'))
		for (const row of rows) call.io.out(`${renderTemplate(format, row)}\n`);
	else
		table(
			call,
			['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
			['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES'],
			rows,
		);
	return 0;
};

function table(
	call: Call,
	keys: readonly string[],
	titles: readonly string[],
	rows: readonly Readonly<Record<string, string>>[],
): void {
	const widths = keys.map((key, n) => Math.max(titles[n]?.length ?? 0, ...rows.map(row => row[key]?.length ?? 0)) + 3);
	const line = (cells: readonly string[]) =>
		`${cells
			.map((cell, n) => cell.padEnd(widths[n] ?? 0))
			.join('')
			.trimEnd()}\n`;
	call.io.out(line(titles));
	for (const row of rows) call.io.out(line(keys.map(key => row[key] ?? '')));
}

type Lookup = (place: Place, ref: string) => Record<string, unknown> | undefined;

const containerDocument: Lookup = (place, ref) => {
	const found = findContainer(place.engine, ref);
	return found === undefined ? undefined : containerJson(place.engine, found);
};

const imageDocument_: Lookup = (place, ref) => {
	const image = findImage(place.engine.images, ref);
	return image === undefined ? undefined : imageDocument(place, image);
};

const networkDocument: Lookup = (place, ref) => {
	const network = place.engine.networks.find(n => n.name === ref || n.id.startsWith(ref));
	return network === undefined ? undefined : networkJson(place.engine, network);
};

const volumeDocument: Lookup = (place, ref) => {
	const volume = place.engine.volumes.find(v => v.name === ref);
	return volume === undefined
		? undefined
		: {
				CreatedAt: rfc3339(volume.createdAt),
				Driver: 'local',
				Labels: volume.labels,
				Mountpoint: `/var/lib/docker/volumes/${volume.name}/_data`,
				Name: volume.name,
				Options: null,
				Scope: 'local',
			};
};

const inspectWith =
	(lookups: readonly Lookup[], missing: (ref: string, modern: boolean) => string): Command =>
	(_, place, call, words) => {
		const parsed = parseOptions(words, {
			withValue: ['--format', '-f', '--type'],
			flags: ['-s', '--size', '-v', '--verbose'],
		});
		const format = lastOf(parsed, '--format', '-f');
		const type = lastOf(parsed, '--type');
		const byType: Readonly<Record<string, Lookup>> = {
			container: containerDocument,
			image: imageDocument_,
			network: networkDocument,
			volume: volumeDocument,
		};
		const chosen = type === undefined ? lookups : [byType[type] ?? containerDocument];
		const found: Record<string, unknown>[] = [];
		const lost: string[] = [];
		for (const ref of parsed.words) {
			const document = chosen.map(lookup => lookup(place, ref)).find(d => d !== undefined);
			if (document === undefined) lost.push(ref);
			else found.push(document);
		}
		if (format === undefined || format === 'json')
			call.io.out(format === 'json' ? `${goJson(found)}\n` : `${JSON.stringify(found, null, 4)}\n`);
		else for (const document of found) call.io.out(`${renderTemplate(format, document)}\n`);
		const modern = atLeast(place.machine.world.state.docker.engine.version, '28.0.0');
		for (const ref of lost) call.io.err(`${missing(ref, modern)}\n`);
		if (format !== undefined && found.length === 0 && format !== 'json') call.io.out('\n');
		return lost.length > 0 ? 1 : 0;
	};

/** Does something with each named container, and says the name of each that worked. */
const forEach =
	(
		act: (
			place: Place,
			container: Container,
			call: Call,
			options: ReturnType<typeof parseOptions>,
		) => string | undefined,
		missingIsFine = false,
	): Command =>
	(scope, place, call, words) => {
		const parsed = parseOptions(words, {
			withValue: [
				'-t',
				'--time',
				'--timeout',
				'-s',
				'--signal',
				'-m',
				'--memory',
				'--restart',
				'--memory-swap',
				'--cpus',
				'--pids-limit',
			],
			flags: ['-f', '--force', '-v', '--volumes', '-l', '-a', '-i'],
		});
		let code = 0;
		for (const ref of parsed.words) {
			const container = findContainer(place.engine, ref);
			if (container === undefined) {
				call.io.err(`Error response from daemon: No such container: ${ref}\n`);
				if (!(missingIsFine && (parsed.flags.has('-f') || parsed.flags.has('--force')))) code = 1;
				continue;
			}
			touch(scope.world);
			const problem = act(place, container, call, parsed);
			if (problem === undefined) call.io.out(`${ref}\n`);
			else code = daemonError(call.io, problem);
		}
		return code;
	};

/** A shell or a sleep as pid 1 is deaf to SIGTERM: Docker waits for its whole patience, then kills. */
function stopCode(place: Place, container: Container, patienceMs: number): number {
	const deaf = /^(?:sleep|sh|bash|tail|cat|\/bin\/sh|\/bin\/sleep)$/.test(
		container.entrypoint[0] ?? container.command[0] ?? '',
	);
	spend(place.machine.world, deaf ? patienceMs : 350);
	return deaf ? 137 : 0;
}

const patience = (parsed: ReturnType<typeof parseOptions>, container: Container): number =>
	Number(lastOf(parsed, '-t', '--time', '--timeout') ?? container.options.stopTimeout ?? 10) * 1000;

const stop = forEach((place, container, _call, parsed) => {
	if (container.status === 'running' || container.status === 'paused')
		finish(place, container, stopCode(place, container, patience(parsed, container)), 'hand');
	return undefined;
});

const kill = forEach((place, container, _call, parsed) => {
	if (container.status !== 'running')
		return `cannot kill container: ${container.name}: container ${container.id} is not running`;
	spend(place.machine.world, 150);
	const signal = (lastOf(parsed, '-s', '--signal') ?? 'KILL').replace(/^SIG/, '');
	if (signal === 'QUIT' && isRunnerImage(container.imageRef)) {
		container.finishing = true;
		runnersTurn(place);
		return undefined;
	}
	if (['HUP', '1', '0', 'USR1', 'USR2'].includes(signal)) return undefined;
	finish(place, container, signal === 'TERM' || signal === '15' ? 143 : 137, 'hand');
	return undefined;
});

const startCommand: Command = (scope, place, call, words) => {
	let code = 0;
	for (const ref of words.filter(w => !w.startsWith('-'))) {
		const container = findContainer(place.engine, ref);
		touch(scope.world);
		const started = container === undefined ? undefined : startContainer(place, container);
		if (container === undefined) {
			call.io.err(`Error response from daemon: No such container: ${ref}\nfailed to start containers: ${ref}\n`);
			code = 1;
		} else if (started?.kind === 'refused') {
			call.io.err(`Error response from daemon: ${started.text}\nfailed to start containers: ${ref}\n`);
			code = 1;
		} else call.io.out(`${ref}\n`);
	}
	return code;
};

const restart = forEach((place, container, _call, parsed) => {
	const stale = restartRefusal(container);
	if (container.status === 'running')
		finish(place, container, stopCode(place, container, patience(parsed, container)), 'daemon');
	if (stale !== undefined) {
		container.error = stale;
		container.exitCode = 127;
		container.orphaned = false;
		// A start after it, where it works, comes up without its inner store (seen with Sysbox 0.7.0, 2 of 2).
		delete container.engine;
		return `Cannot restart container ${container.name}: ${stale}`;
	}
	const started = startContainer(place, container);
	return started.kind === 'refused' ? `Cannot restart container ${container.name}: ${started.text}` : undefined;
});

const rm = forEach((place, container, _call, parsed) => {
	const force = parsed.flags.has('-f') || parsed.flags.has('--force');
	if ((container.status === 'running' || container.status === 'paused') && !force) {
		return atLeast(place.machine.world.state.docker.engine.version, '26.0.0')
			? `cannot remove container "${container.name}": container is running: stop the container before removing or force remove`
			: `You cannot remove a running container ${container.id}. Stop the container before attempting removal or force remove`;
	}
	if (container.status === 'running' || container.status === 'paused') {
		spend(place.machine.world, 180);
		finish(place, container, 137, 'hand');
	}
	removeContainer(place.engine, container, parsed.flags.has('-v') || parsed.flags.has('--volumes'));
	return undefined;
}, true);

const wait: Command = (scope, place, call, words) => {
	for (const ref of words) {
		const container = findContainer(place.engine, ref);
		if (container === undefined) return daemonError(call.io, `No such container: ${ref}`);
		if (container.status === 'running') {
			if (container.endsAt === undefined) return 'endless';
			spend(scope.world, container.endsAt - scope.world.state.now);
			settle(place);
		}
		call.io.out(`${container.exitCode}\n`);
	}
	return 0;
};

const logs: Command = (_, place, call, words) => {
	const parsed = parseOptions(words, {
		withValue: ['--tail', '-n', '--since', '--until'],
		flags: ['-f', '--follow', '-t', '--timestamps', '--details'],
	});
	const ref = parsed.words[0] ?? '';
	const container = findContainer(place.engine, ref);
	if (container === undefined) return daemonError(call.io, `No such container: ${ref}`);
	const count = lastOf(parsed, '--tail', '-n');
	const lines = container.log.flatMap(entry => entry.text.split(/(?<=\n)/).map(text => ({ ...entry, text })));
	for (const { at, stream, text } of count === undefined || count === 'all' ? lines : lines.slice(-Number(count))) {
		const stamped = parsed.flags.has('-t') || parsed.flags.has('--timestamps') ? `${rfc3339(at)} ${text}` : text;
		if (stream === 'stdout') call.io.out(stamped);
		else call.io.err(stamped);
	}
	return (parsed.flags.has('-f') || parsed.flags.has('--follow')) && container.status === 'running' ? 'endless' : 0;
};

const top: Command = (_, place, call, words) => {
	const container = findContainer(place.engine, words[0] ?? '');
	if (container === undefined) return daemonError(call.io, `No such container: ${words[0]}`);
	call.io.out(
		'UID                 PID                 PPID                C                   STIME               TTY                 TIME                CMD\n',
	);
	for (const p of processesSeen(place.machine).filter(seen => seen.container?.id === container.id)) {
		call.io.out(
			`${[p.userSeen, String(p.pid), String(p.ppid), '0', '23:13', '?', '00:00:00'].map(c => c.padEnd(20)).join('')}${p.argv.join(' ')}\n`,
		);
	}
	return 0;
};

/** `docker cp` does not work with containers of Sysbox (seen with 0.7.0; issue 1017 of its tracker). */
const cp: Command = (scope, place, call, words) => {
	const [from = '', to = ''] = words.filter(w => !w.startsWith('-') || w === '-');
	const split = (text: string) => /^([^/:]+):(.*)$/.exec(text);
	const side = split(from) ?? split(to);
	const container = findContainer(place.engine, side?.[1] ?? '');
	if (side === null || container === undefined) return daemonError(call.io, `No such container: ${side?.[1] ?? from}`);
	if (container.isolation === 'sysbox')
		return daemonError(
			call.io,
			`Could not find the file ${split(from) === null ? '/' : side[2]} in container ${side[1]}`,
		);
	const inside = innerPlace(place, container, container.engine ?? place.engine).machine;
	const source = split(from) === null ? readText(scope, from) : readText(inside, side[2] ?? '');
	if (source.kind !== 'text') {
		if (split(from) !== null) return daemonError(call.io, `Could not find the file ${side[2]} in container ${side[1]}`);
		call.io.err(`lstat ${from}: no such file or directory\n`);
		return 1;
	}
	if (to === '-') {
		call.io.out(source.text);
		return 0;
	}
	touch(scope.world);
	const errno =
		split(from) === null ? writeText(inside, side[2] ?? '', source.text) : writeText(scope, to, source.text);
	if (errno !== undefined) return daemonError(call.io, `cannot write to ${to}`);
	call.io.err(`Successfully copied ${humanSize(source.text.length)} to ${to}\n`);
	return 0;
};

const volumeCreate: Command = (scope, place, call, words) => {
	const parsed = parseOptions(words, { withValue: ['--label', '-d', '--driver', '-o', '--opt', '--name'], flags: [] });
	const name = parsed.words[0] ?? nextHex(scope.world, 64);
	touch(scope.world);
	if (!place.engine.volumes.some(v => v.name === name)) {
		place.engine.volumes.push({
			name,
			createdAt: scope.world.state.now,
			anonymous: parsed.words[0] === undefined,
			files: {},
			labels: Object.fromEntries(
				allOf(parsed, '--label').map(l => [l.split('=')[0] ?? '', l.slice(l.indexOf('=') + 1)]),
			),
		});
	}
	call.io.out(`${name}\n`);
	return 0;
};

const volumeRm: Command = (scope, place, call, words) => {
	const force = words.includes('-f') || words.includes('--force');
	let code = 0;
	for (const name of words.filter(w => !w.startsWith('-'))) {
		const user = place.engine.containers.find(c =>
			c.options.mounts.some(m => m.type === 'volume' && m.source === name),
		);
		if (user !== undefined) code = daemonError(call.io, `remove ${name}: volume is in use - [${user.id}]`);
		else if (!place.engine.volumes.some(v => v.name === name) && !force)
			code = daemonError(call.io, `get ${name}: no such volume`);
		else {
			touch(scope.world);
			place.engine.volumes = place.engine.volumes.filter(v => v.name !== name);
			call.io.out(`${name}\n`);
		}
	}
	return code;
};

const volumeLs: Command = (_, place, call, words) => {
	const parsed = parseOptions(words, { withValue: ['--filter', '-f', '--format'], flags: ['-q', '--quiet'] });
	const label = allOf(parsed, '--filter', '-f')
		.find(f => f.startsWith('label='))
		?.slice(6);
	const shown = place.engine.volumes.filter(
		v => label === undefined || Object.entries(v.labels).some(([k, value]) => k === label || `${k}=${value}` === label),
	);
	const format = lastOf(parsed, '--format');
	if (parsed.flags.has('-q') || parsed.flags.has('--quiet')) for (const v of shown) call.io.out(`${v.name}\n`);
	else if (format !== undefined)
		for (const v of shown)
			call.io.out(
				`${renderTemplate(format === 'json' ? '{{json .}}' : format, {
					Name: v.name,
					Driver: 'local',
					Scope: 'local',
					Mountpoint: `/var/lib/docker/volumes/${v.name}/_data`,
					Labels: Object.entries(v.labels)
						.map(([k, value]) => `${k}=${value}`)
						.join(','),
				})}\n`,
			);
	else
		table(
			call,
			['Driver', 'Name'],
			['DRIVER', 'VOLUME NAME'],
			shown.map(v => ({ Driver: 'local', Name: v.name })),
		);
	return 0;
};

const networkCreate: Command = (scope, place, call, words) => {
	const parsed = parseOptions(words, {
		withValue: ['--label', '-d', '--driver', '--subnet', '--gateway', '-o', '--opt'],
		flags: ['--internal', '--attachable', '--ipv6'],
	});
	const name = parsed.words[0] ?? '';
	const { engine } = place;
	if (engine.networks.some(n => n.name === name))
		return daemonError(call.io, `network with name ${name} already exists`);
	touch(scope.world);
	const taken = engine.networks.length;
	const subnet = lastOf(parsed, '--subnet') ?? `172.${17 + taken}.0.0/16`;
	const id = nextHex(scope.world, 64);
	engine.networks.push({
		id,
		name,
		driver: lastOf(parsed, '-d', '--driver') ?? 'bridge',
		subnet,
		gateway: subnet.replace(/\.0\/\d+$/, '.1'),
		labels: Object.fromEntries(allOf(parsed, '--label').map(l => [l.split('=')[0] ?? '', l.slice(l.indexOf('=') + 1)])),
	});
	call.io.out(`${id}\n`);
	return 0;
};

const networkRm: Command = (scope, place, call, words) => {
	let code = 0;
	for (const ref of words.filter(w => !w.startsWith('-'))) {
		const network = place.engine.networks.find(n => n.name === ref || n.id.startsWith(ref));
		if (network === undefined) code = daemonError(call.io, `network ${ref} not found`);
		else if (place.engine.containers.some(c => c.options.networkMode === network.name && c.status === 'running'))
			code = daemonError(call.io, `error while removing network: network ${network.name} has active endpoints`);
		else {
			touch(scope.world);
			place.engine.networks = place.engine.networks.filter(n => n !== network);
			call.io.out(`${ref}\n`);
		}
	}
	return code;
};

const networkLs: Command = (_, place, call, words) => {
	const parsed = parseOptions(words, {
		withValue: ['--filter', '-f', '--format'],
		flags: ['-q', '--quiet', '--no-trunc'],
	});
	const label = allOf(parsed, '--filter', '-f')
		.find(f => f.startsWith('label='))
		?.slice(6);
	const shown = place.engine.networks.filter(
		n => label === undefined || Object.entries(n.labels).some(([k, value]) => k === label || `${k}=${value}` === label),
	);
	const format = lastOf(parsed, '--format');
	const id = (full: string) => (parsed.flags.has('--no-trunc') ? full : full.slice(0, 12));
	if (parsed.flags.has('-q') || parsed.flags.has('--quiet')) for (const n of shown) call.io.out(`${id(n.id)}\n`);
	else if (format !== undefined)
		for (const n of shown)
			call.io.out(
				`${renderTemplate(format === 'json' ? '{{json .}}' : format, { ID: id(n.id), Name: n.name, Driver: n.driver, Scope: 'local' })}\n`,
			);
	else
		table(
			call,
			['ID', 'Name', 'Driver', 'Scope'],
			['NETWORK ID', 'NAME', 'DRIVER', 'SCOPE'],
			shown.map(n => ({ ID: id(n.id), Name: n.name, Driver: n.driver, Scope: 'local' })),
		);
	return 0;
};

const systemDf: Command = (_, place, call, words) => {
	const format = lastOf(parseOptions(words, { withValue: ['--format'], flags: ['-v'] }), '--format');
	const { engine } = place;
	const images = engine.images.reduce((sum, i) => sum + i.size, 0);
	const rows = [
		{
			Type: 'Images',
			TotalCount: String(engine.images.length),
			Active: String(new Set(engine.containers.map(c => c.imageId)).size),
			Size: humanSize(images),
			Reclaimable: '0B (0%)',
		},
		{
			Type: 'Containers',
			TotalCount: String(engine.containers.length),
			Active: String(engine.containers.filter(c => c.status === 'running').length),
			Size: '0B',
			Reclaimable: '0B',
		},
		{ Type: 'Local Volumes', TotalCount: String(engine.volumes.length), Active: '0', Size: '0B', Reclaimable: '0B' },
		{ Type: 'Build Cache', TotalCount: '0', Active: '0', Size: '0B', Reclaimable: '0B' },
	];
	if (format === undefined)
		table(
			call,
			['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
			['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'],
			rows,
		);
	else for (const row of rows) call.io.out(`${renderTemplate(format === 'json' ? '{{json .}}' : format, row)}\n`);
	return 0;
};

/** Only what the containers that are still there tell (starts and ends), and the daemon's own reloads. */
const events: Command = (_, place, call, words) => {
	const parsed = parseOptions(words, { withValue: ['--since', '--until', '--filter', '-f', '--format'], flags: [] });
	const format = lastOf(parsed, '--format');
	const since = Number(lastOf(parsed, '--since') ?? Number.NaN) * 1000;
	const filters = allOf(parsed, '--filter', '-f').map(filter => filter.split('='));
	const ofContainer = (action: string, at: number, c: Container) => ({
		at,
		type: 'container',
		action,
		id: c.id,
		from: c.imageRef,
		attributes: { image: c.imageRef, name: c.name, ...c.options.labels },
	});
	const rows = [
		...place.engine.containers.flatMap(c => [
			ofContainer('create', c.createdAt, c),
			...(c.startedAt > 0 ? [ofContainer('start', c.startedAt, c)] : []),
			...(c.finishedAt > 0 && c.status === 'exited' ? [ofContainer('die', c.finishedAt, c)] : []),
		]),
		...(place.engine.events ?? []).map(event => ({ ...event, type: 'daemon', id: place.engine.id, from: '' })),
	]
		.toSorted((a, b) => a.at - b.at)
		.filter(row => !(row.at < since))
		.filter(row =>
			filters.every(([key, value]) => (key === 'type' ? row.type : key === 'event' ? row.action : value) === value),
		);
	for (const { at, type, action, id, from, attributes } of rows) {
		const document = {
			...(type === 'container' && { status: action, id, from }),
			Type: type,
			Action: action,
			Actor: { ID: id, Attributes: attributes },
			scope: 'local',
			time: Math.floor(at / 1000),
			timeNano: at * 1_000_000,
		};
		const named = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
		call.io.out(
			format === undefined
				? `${rfc3339(at)} ${type} ${action} ${id} (${named.join(', ')})\n`
				: `${renderTemplate(format === 'json' ? '{{json .}}' : format, document)}\n`,
		);
	}
	return parsed.values['--until'] === undefined ? 'endless' : 0;
};

const pause = (to: 'paused' | 'running') =>
	forEach((_, container) => {
		if (container.status !== (to === 'paused' ? 'running' : 'paused'))
			return `Container ${container.id} is not ${to === 'paused' ? 'running' : 'paused'}`;
		container.status = to;
		return undefined;
	});

const stats: Command = (_, place, call, words) => {
	const parsed = parseOptions(words, { withValue: ['--format'], flags: ['--no-stream', '-a', '--no-trunc'] });
	const shown = place.engine.containers.filter(
		c =>
			c.status === 'running' &&
			(parsed.words.length === 0 || parsed.words.some(w => findContainer(place.engine, w) === c)),
	);
	const rows = shown.map(c => ({
		ID: c.id.slice(0, 12),
		Name: c.name,
		CPUPerc: '0.00%',
		MemUsage: `1.2MiB / ${humanSize(c.options.memory || 8e9)}`,
		MemPerc: '0.01%',
		PIDs: String(c.processes.length),
		Container: c.name,
	}));
	const format = lastOf(parsed, '--format');
	if (format !== undefined)
		for (const row of rows) call.io.out(`${renderTemplate(format === 'json' ? '{{json .}}' : format, row)}\n`);
	else
		table(
			call,
			['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'PIDs'],
			['CONTAINER ID', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'PIDS'],
			rows,
		);
	return parsed.flags.has('--no-stream') ? 0 : 'endless';
};

const noObject = (ref: string, modern: boolean): string =>
	modern ? `error: no such object: ${ref}` : `Error: No such object: ${ref}`;

const commands: Readonly<Record<string, Command>> = {
	run: dockerRun,
	create: dockerCreate,
	exec: dockerExec,
	ps,
	inspect: inspectWith([containerDocument, imageDocument_, volumeDocument, networkDocument], noObject),
	'container inspect': inspectWith([containerDocument], ref => `Error response from daemon: No such container: ${ref}`),
	'image inspect': inspectWith(
		[imageDocument_],
		ref => `Error response from daemon: No such image: ${ref.includes(':') ? ref : `${ref}:latest`}`,
	),
	'network inspect': inspectWith([networkDocument], ref => `Error response from daemon: network ${ref} not found`),
	'volume inspect': inspectWith([volumeDocument], ref => `Error response from daemon: get ${ref}: no such volume`),
	stop,
	kill,
	start: startCommand,
	restart,
	rm,
	wait,
	logs,
	top,
	cp,
	stats,
	pause: pause('paused'),
	unpause: pause('running'),
	update: forEach((_, container, _call, parsed) => {
		const restartPolicy = lastOf(parsed, '--restart');
		if (restartPolicy !== undefined) container.options.restart = restartPolicy;
		return undefined;
	}),
	images: dockerImages,
	pull: dockerPull,
	push: dockerPush,
	tag: dockerTag,
	load: dockerLoad,
	save: dockerSave,
	rmi: dockerRmi,
	build: dockerBuild,
	import: dockerImport,
	'volume create': volumeCreate,
	'volume rm': volumeRm,
	'volume ls': volumeLs,
	'network create': networkCreate,
	'network rm': networkRm,
	'network ls': networkLs,
	'system df': systemDf,
	'plugin ls': pluginLs,
	events,
};
