import { connect, daemonError } from '../docker-connection.ts';
import { containerJson, imageJson, infoJson, networkJson, versionJson } from '../docker-json.ts';
import { findContainer, findImage, finish, imageOf, removeContainer, startContainer } from '../engine.ts';
import { isRunnerImage, runnersTurn } from '../gitlab-runner.ts';
import type { Container, Engine } from '../state.ts';
import {
	atLeast,
	type Call,
	type Exit,
	type Program,
	type Scope,
	spend,
	touch,
	UnsimulatedCommand,
	type World,
} from '../world.ts';
import { formatted } from './docker-format.ts';
import { dockerImages, dockerLoad, dockerPull, dockerRmi, dockerSave } from './docker-images.ts';
import { dockerExec, dockerRun } from './docker-run.ts';
import { allOf, lastOf, type ParsedOptions, parseOptions } from './options.ts';

type Command = (scope: Scope, call: Call, words: readonly string[]) => Exit;

/** Verbs that stand before another one, as in `docker image ls`. */
const groups = new Set(['image', 'volume', 'network', 'plugin', 'context', 'container']);

/** The docker client of the host. Errors and codes as seen with 26.1.5, or those of 29 where they differ. */
export const docker: Program = (scope, call) => {
	const [verb = '', ...rest] = call.argv.slice(1);
	const { world } = scope;
	const { engine } = world.state.docker;
	if (verb === '--version') {
		call.io.out(`Docker version ${engine.version}, build 411e817\n`);
		return 0;
	}
	const words = [verb, ...rest].join(' ');
	if (world.faults.fires('docker-hangs', words) !== undefined) return 'endless';
	if (world.faults.fires('docker-garbage', words) !== undefined) {
		call.io.out('<html><body>502 Bad Gateway</body></html>\n');
		return 0;
	}
	const name = groups.has(verb) ? `${verb} ${rest.shift() ?? ''}` : verb;
	if (name === 'context inspect') {
		const Endpoints = { docker: { Host: 'unix:///var/run/docker.sock', SkipTLSVerify: false } };
		call.io.out(`${JSON.stringify([{ Name: 'default', Metadata: {}, Endpoints }], null, 4)}\n`);
		return 0;
	}
	// During a boot docker.socket listens already, and Docker's own start waits: the client is not answered.
	if (world.state.units['docker.service']?.queued === true) return 'endless';
	const connection = connect(scope);
	const refused = connection.kind === 'failed' ? connection.words : undefined;
	if (name === 'info') return info(scope, call, rest, refused);
	if (name === 'version') return version(scope, call, rest, refused);
	const command = commands[name];
	if (command === undefined) throw new UnsimulatedCommand(call.argv, `docker ${name}`);
	if (refused === undefined) return command(scope, call, rest);
	call.io.err(verb === 'run' ? `docker: ${refused}\n\nRun 'docker run --help' for more information\n` : `${refused}\n`);
	return verb === 'run' ? 125 : 1;
};

const formatOf = (words: readonly string[]): string | undefined =>
	lastOf(parseOptions(words, { withValue: ['--format', '-f'], flags: [] }), '--format', '-f');

/** With a format the client shows the error of a server that does not answer, and still ends with 0 (docker/cli, runInfo). */
function info({ world }: Scope, call: Call, words: readonly string[], refused: string | undefined): Exit {
	const document = infoJson(world);
	if (refused !== undefined) call.io.err(`${refused}\n`);
	call.io.out(formatted(call, formatOf(words), refused === undefined ? document : emptied(document, refused)));
	return 0;
}

/** What the client prints of a server that did not answer: the fields, with nothing in them. */
function emptied(document: Record<string, unknown>, error: string): Record<string, unknown> {
	const nothing: Readonly<Record<string, unknown>> = { string: '', number: 0, boolean: false };
	const empty = Object.entries(document).map(([key, value]) => [
		key,
		key === 'ClientInfo' ? value : (nothing[typeof value] ?? null),
	]);
	return { ...Object.fromEntries(empty), ServerErrors: [error] };
}

function version({ world }: Scope, call: Call, words: readonly string[], refused: string | undefined): Exit {
	const format = formatOf(words);
	if (refused !== undefined) call.io.err(`${refused}\n`);
	if (refused !== undefined && format?.includes('.Server')) call.io.out('\n');
	else call.io.out(formatted(call, format, versionJson(world, refused === undefined)));
	return refused === undefined ? 0 : 1;
}

const matches = (engine: Engine, container: Container, filters: readonly string[]): boolean =>
	filters.every(filter => {
		const label = /^label=([^=]+)(?:=(.*))?$/.exec(filter);
		if (label === null) throw new UnsimulatedCommand(['docker', 'ps', filter], 'another filter than that of a label');
		const [, key = '', value] = label;
		const labels = { ...imageOf(engine, container)?.labels, ...container.options.labels };
		return value === undefined ? key in labels : labels[key] === value;
	});

const ps: Command = ({ world }, call, words) => {
	const parsed = parseOptions(words, {
		withValue: ['--filter', '--format'],
		flags: ['-a', '--all', '-q', '--quiet', '--no-trunc'],
	});
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, String(parsed.unknown[0]));
	const { engine } = world.state.docker;
	const has = (...names: readonly string[]) => names.some(name => parsed.flags.has(name));
	const id = (c: Container) => (has('--no-trunc') ? c.id : c.id.slice(0, 12));
	const shown = engine.containers
		.filter(c => has('-a', '--all') || c.status === 'running' || c.status === 'paused')
		.filter(c => matches(engine, c, allOf(parsed, '--filter')))
		.toReversed();
	for (const c of shown) {
		const pairs = Object.entries({ ...imageOf(engine, c)?.labels, ...c.options.labels });
		const row = { ID: id(c), Names: c.name, Labels: pairs.map(([key, value]) => `${key}=${value}`).join(',') };
		call.io.out(has('-q', '--quiet') ? `${row.ID}\n` : formatted(call, lastOf(parsed, '--format'), row));
	}
	return 0;
};

type Lookup = (world: World, ref: string) => Record<string, unknown> | undefined;

const containerDocument: Lookup = ({ state }, ref) => {
	const found = findContainer(state.docker.engine, ref);
	return found === undefined ? undefined : containerJson(state.docker.engine, found);
};

const imageDocument: Lookup = (world, ref) => {
	const image = findImage(world.state.docker.engine.images, ref);
	return image === undefined ? undefined : imageJson(world, image);
};

const networkDocument: Lookup = ({ state }, ref) => {
	const { engine } = state.docker;
	const network = engine.networks.find(n => n.name === ref || n.id.startsWith(ref));
	return network === undefined ? undefined : networkJson(network);
};

const inspectWith =
	(lookups: readonly Lookup[], missing: (ref: string, modern: boolean) => string): Command =>
	({ world }, call, words) => {
		const parsed = parseOptions(words, { withValue: ['--format', '-f', '--type'], flags: [] });
		const format = lastOf(parsed, '--format', '-f');
		const found = parsed.words.map(ref => ({
			ref,
			document: lookups.map(lookup => lookup(world, ref)).find(d => d !== undefined),
		}));
		const documents = found.flatMap(({ document }) => (document === undefined ? [] : [document]));
		if (format === undefined) call.io.out(`${JSON.stringify(documents, null, 4)}\n`);
		else for (const document of documents) call.io.out(formatted(call, format, document));
		const modern = atLeast(world.state.docker.engine.version, '28.0.0');
		for (const { ref, document } of found) if (document === undefined) call.io.err(`${missing(ref, modern)}\n`);
		if (format !== undefined && documents.length === 0) call.io.out('\n');
		return documents.length < found.length ? 1 : 0;
	};

/** Does something with each named container, and says the name of each that worked. */
const forEach =
	(act: (world: World, container: Container, options: ParsedOptions) => string | undefined): Command =>
	({ world }, call, words) => {
		const parsed = parseOptions(words, {
			withValue: ['-t', '--time', '--timeout', '-s', '--signal'],
			flags: ['-f', '--force', '-v', '--volumes'],
		});
		let code = 0;
		for (const ref of parsed.words) {
			const container = findContainer(world.state.docker.engine, ref);
			if (container === undefined) {
				call.io.err(`Error response from daemon: No such container: ${ref}\n`);
				if (!(parsed.flags.has('-f') || parsed.flags.has('--force'))) code = 1;
				continue;
			}
			touch(world);
			const problem = act(world, container, parsed);
			if (problem === undefined) call.io.out(`${ref}\n`);
			else code = daemonError(call.io, problem);
		}
		return code;
	};

/** A shell or a sleep as pid 1 is deaf to SIGTERM: Docker waits for its whole patience, then kills. */
const stop = forEach((world, container, parsed) => {
	if (container.status !== 'running' && container.status !== 'paused') return undefined;
	const deaf = /^(?:sleep|sh|bash|tail|cat)$/.test(container.entrypoint[0] ?? container.command[0] ?? '');
	const seconds = Number(lastOf(parsed, '-t', '--time', '--timeout') ?? container.options.stopTimeout ?? 10);
	spend(world, deaf ? seconds * 1000 : 350);
	finish(world, container, deaf ? 137 : 0, 'hand');
	return undefined;
});

const kill = forEach((world, container, parsed) => {
	if (container.status !== 'running')
		return `cannot kill container: ${container.name}: container ${container.id} is not running`;
	spend(world, 150);
	const signal = (lastOf(parsed, '-s', '--signal') ?? 'KILL').replace(/^SIG/, '');
	if (signal === 'QUIT' && isRunnerImage(container.imageRef)) {
		container.finishing = true;
		runnersTurn(world);
		return undefined;
	}
	finish(world, container, 137, 'hand');
	return undefined;
});

const start: Command = ({ world }, call, words) => {
	const error = atLeast(world.state.docker.engine.version, '28.0.0') ? '' : 'Error: ';
	let code = 0;
	for (const ref of words) {
		const container = findContainer(world.state.docker.engine, ref);
		touch(world);
		const started = container === undefined ? undefined : startContainer(world, container);
		const refused =
			container === undefined ? `No such container: ${ref}` : started?.kind === 'refused' ? started.text : undefined;
		if (refused === undefined) call.io.out(`${ref}\n`);
		else {
			call.io.err(`Error response from daemon: ${refused}\n${error}failed to start containers: ${ref}\n`);
			code = 1;
		}
	}
	return code;
};

const rm = forEach((world, container, parsed) => {
	const force = parsed.flags.has('-f') || parsed.flags.has('--force');
	const { engine } = world.state.docker;
	if (container.status === 'running' || container.status === 'paused') {
		if (!force)
			return atLeast(engine.version, '26.0.0')
				? `cannot remove container "/${container.name}": container is running: stop the container before removing or force remove`
				: `You cannot remove a running container ${container.id}. Stop the container before attempting removal or force remove`;
		spend(world, 180);
		finish(world, container, 137, 'hand');
	}
	removeContainer(engine, container, parsed.flags.has('-v') || parsed.flags.has('--volumes'));
	return undefined;
});

const logs: Command = ({ world }, call, words) => {
	const parsed = parseOptions(words, { withValue: ['--tail'], flags: [] });
	const container = findContainer(world.state.docker.engine, parsed.words[0] ?? '');
	if (container === undefined) return daemonError(call.io, `No such container: ${parsed.words[0]}`);
	const count = Number(lastOf(parsed, '--tail') ?? Number.POSITIVE_INFINITY);
	const lines = container.log.flatMap(entry => entry.text.split(/(?<=\n)/).map(text => ({ ...entry, text })));
	for (const { stream, text } of lines.slice(-count)) call.io[stream === 'stdout' ? 'out' : 'err'](text);
	return 0;
};

interface Labelled {
	readonly id: string;
	readonly name: string;
	readonly labels: Readonly<Record<string, string>>;
}

const listLabelled =
	(all: (engine: Engine) => readonly Labelled[]): Command =>
	({ world }, call, words) => {
		const parsed = parseOptions(words, { withValue: ['--filter', '--format'], flags: [] });
		const label = allOf(parsed, '--filter')
			.find(f => f.startsWith('label='))
			?.slice(6);
		for (const { id, name, labels } of all(world.state.docker.engine)) {
			const pairs = Object.entries(labels).flatMap(([key, value]) => [key, `${key}=${value}`]);
			if (label !== undefined && !pairs.includes(label)) continue;
			call.io.out(formatted(call, lastOf(parsed, '--format'), { ID: id.slice(0, 12), Name: name }));
		}
		return 0;
	};

const volumeRm: Command = ({ world }, call, words) => {
	const { engine } = world.state.docker;
	let code = 0;
	for (const name of words.filter(w => !w.startsWith('-'))) {
		const user = engine.containers.find(c => c.options.mounts.some(m => m.type === 'volume' && m.source === name));
		if (user !== undefined) {
			code = daemonError(call.io, `remove ${name}: volume is in use - [${user.id}]`);
			continue;
		}
		touch(world);
		engine.volumes = engine.volumes.filter(v => v.name !== name);
		call.io.out(`${name}\n`);
	}
	return code;
};

const networkRm: Command = ({ world }, call, words) => {
	const { engine } = world.state.docker;
	touch(world);
	for (const name of words) {
		engine.networks = engine.networks.filter(n => n.name !== name);
		call.io.out(`${name}\n`);
	}
	return 0;
};

/** Docker's own plugins; the fields in the order and with the types of 26.1.5. */
const pluginLs: Command = ({ world }, call, words) => {
	for (const { id, name, description, enabled } of world.state.docker.engine.plugins ?? [])
		call.io.out(
			formatted(call, formatOf(words), {
				Description: description,
				Enabled: enabled,
				ID: id.slice(0, 12),
				Name: name,
				PluginReference: `docker.io/${name}`,
			}),
		);
	return 0;
};

/** The daemon's own reloads; it goes on, as without `--until`. */
const events: Command = ({ world }, call, words) => {
	const parsed = parseOptions(words, { withValue: ['--since', '--filter', '--format'], flags: [] });
	if (allOf(parsed, '--filter').join() !== 'type=daemon,event=reload')
		throw new UnsimulatedCommand(call.argv, 'other events than reloads of the daemon');
	const { engine } = world.state.docker;
	for (const { at, action, attributes } of engine.events ?? []) {
		if (at < Number(lastOf(parsed, '--since')) * 1000) continue;
		call.io.out(
			formatted(call, lastOf(parsed, '--format'), {
				Type: 'daemon',
				Action: action,
				Actor: { ID: engine.id, Attributes: attributes },
				scope: 'local',
				time: Math.floor(at / 1000),
				timeNano: at * 1_000_000,
			}),
		);
	}
	return 'endless';
};

const noObject = (ref: string, modern: boolean): string =>
	modern ? `error: no such object: ${ref}` : `Error: No such object: ${ref}`;

const commands: Readonly<Record<string, Command>> = {
	run: dockerRun,
	exec: dockerExec,
	ps,
	inspect: inspectWith([containerDocument, imageDocument, networkDocument], noObject),
	'image inspect': inspectWith(
		[imageDocument],
		ref => `Error response from daemon: No such image: ${ref.includes(':') ? ref : `${ref}:latest`}`,
	),
	'network inspect': inspectWith([networkDocument], ref => `Error response from daemon: network ${ref} not found`),
	stop,
	kill,
	start,
	rm,
	logs,
	'image ls': dockerImages,
	'image rm': dockerRmi,
	pull: dockerPull,
	load: dockerLoad,
	save: dockerSave,
	'volume ls': listLabelled(({ volumes }) => volumes.map(v => ({ ...v, id: v.name }))),
	'volume rm': volumeRm,
	'network ls': listLabelled(({ networks }) => networks),
	'network rm': networkRm,
	'plugin ls': pluginLs,
	events,
};
