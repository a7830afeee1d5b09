import { confinementOf, has } from '../confinement.ts';
import { configAtStart, daemonFlags, newEngine, readDaemonConfig } from '../daemon-config.ts';
import { finish, innerPlace } from '../engine.ts';
import { runProgram } from '../run-program.ts';
import { imageOf, readText } from '../scope.ts';
import { type Call, type Exit, nextHex, nextPid, type Program, type Scope, spend, touch } from '../world.ts';

/** On the host: `--version` and `--validate`. In a container: an engine of its own, where the container allows one. */
export const dockerd: Program = (scope, call) => {
	const flags = daemonFlags(call.argv.slice(1));
	const version = scope.inside?.container.engine?.version ?? versionHere(scope);
	if (flags.bare.has('--version') || flags.bare.has('-v')) {
		call.io.out(`Docker version ${version}, build 411e817\n`);
		return 0;
	}
	if (flags.unknown.length > 0) {
		call.io.err(`unknown flag: ${flags.unknown[0]}\nSee 'dockerd --help'.\n`);
		return 125;
	}
	const path = flags.configFile ?? '/etc/docker/daemon.json';
	const file = readText(scope, path);
	const complain = (why: string): number => {
		call.io.err(`unable to configure the Docker daemon with file ${path}: ${why}\n`);
		return 1;
	};
	if (file.kind === 'error' && file.errno === 'EACCES') return complain(`open ${path}: permission denied`);
	if (file.kind === 'error' && flags.configFile !== undefined)
		return complain(`open ${path}: no such file or directory`);
	// A FIFO that nobody writes to, /dev/zero: dockerd reads until it is ended.
	if (file.kind === 'endless') return 'endless';
	const read = readDaemonConfig(file.kind === 'text' ? file.text : undefined, flags, version);
	if (read.kind === 'refused') return complain(read.why);
	if (flags.bare.has('--validate')) {
		spend(scope.world, 60);
		// Seen with Docker 26.1.5: the good news too is on standard error.
		call.io.err('configuration OK\n');
		return 0;
	}
	if (scope.inside === undefined) {
		call.io.err(
			scope.who.uid === 0
				? 'failed to start daemon, ensure docker is not running or delete /var/run/docker.pid: process with PID is still running\n'
				: 'dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see https://docs.docker.com/go/rootless/\n',
		);
		return 1;
	}
	return startInside(scope, call, scope.inside, read.raw, flags, version);
};

/** The engine of an image says its version in its environment, as the official ones do. */
function versionHere(scope: Scope): string {
	const image = scope.inside === undefined ? undefined : imageOf(scope.inside.engine, scope.inside.container);
	return image?.env.find(e => e.startsWith('DOCKER_VERSION='))?.slice(15) ?? scope.world.state.docker.engine.version;
}

function startInside(
	scope: Scope,
	call: Call,
	inside: NonNullable<Scope['inside']>,
	raw: Record<string, unknown>,
	flags: ReturnType<typeof daemonFlags>,
	version: string,
): Exit {
	const { world } = scope;
	const { container } = inside;
	const line = (level: string, text: string) =>
		call.io.err(
			`time="${new Date(world.state.now).toISOString().replace('Z', '000000Z')}" level=${level} msg=${JSON.stringify(text)}\n`,
		);
	line('info', 'Starting up');
	if (scope.who.uid !== 0) {
		call.io.err('dockerd needs to be started with root privileges.\n');
		return 1;
	}
	if (container.engine?.up) {
		call.io.err(
			'failed to start daemon, ensure docker is not running or delete /var/run/docker.pid: process with PID 1 is still running\n',
		);
		return 1;
	}
	if (
		!has(scope, 'SYS_ADMIN') ||
		!has(scope, 'NET_ADMIN') ||
		confinementOf(scope).apparmor ||
		confinementOf(scope).readOnlyKernel
	) {
		spend(world, 1200);
		call.io.err(
			'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables --wait -t nat -N DOCKER: iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n (exit status 4)\n',
		);
		return 1;
	}
	const config = configAtStart(raw, flags, version);
	if (typeof config === 'string') {
		call.io.err(`failed to start daemon: ${config}\n`);
		return 1;
	}
	touch(world);
	const id = [8, 4, 4, 4, 12].map(n => nextHex(world, n)).join('-');
	// Containers in a container have the time namespace of the outer one: the inner engine asks for none of its own.
	const engine =
		container.engine ?? newEngine(id, container.hostname, version, { ...config, timeNamespaces: false }, 'overlay2');
	engine.config = { ...config, timeNamespaces: false };
	engine.up = true;
	engine.readyAt = world.state.now + 1700;
	container.engine = engine;
	container.files['/run/docker.sock'] = { kind: 'socket', mode: 0o660, uid: 0, gid: 2375 };
	for (const inner of engine.containers)
		if (inner.status === 'running')
			finish(innerPlace({ machine: inside.parent, engine: inside.engine }, container, engine), inner, 137, 'daemon');
	if (container.processes.every(p => !p.argv.some(word => word.endsWith('dockerd')))) {
		container.processes.push({
			pid: Math.max(1, ...container.processes.map(p => p.pid)) + 9,
			hostPid: nextPid(world),
			argv: ['dockerd', ...call.argv.slice(1)],
			startedAt: world.state.now,
		});
	}
	line('info', `Docker daemon commit=411e817 storage-driver=${engine.storageDriver} version=${version}`);
	line('info', 'Daemon has completed initialization');
	line('info', 'API listen on /var/run/docker.sock');
	return 'endless';
}

/** The entrypoint of `docker:dind`: starts dockerd unless it is told another command. */
export const dockerdEntrypoint: Program = (scope, call) => {
	const [first, ...rest] = call.argv.slice(1);
	const daemon = first === undefined || first.startsWith('-') || first === 'dockerd';
	if (!daemon) return runProgram(scope, { ...call, argv: [first, ...rest] }) ?? 127;
	const plain = scope.env['DOCKER_TLS_CERTDIR'] === '';
	if (plain)
		call.io.err(
			'time="" level=warning msg="[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption."\n',
		);
	const options = first === undefined || first === 'dockerd' ? rest : [first, ...rest];
	return dockerd(scope, {
		...call,
		argv: [
			'dockerd',
			'--host=unix:///var/run/docker.sock',
			plain ? '--host=tcp://0.0.0.0:2375' : '--host=tcp://0.0.0.0:2376',
			...options,
		],
	});
};

export const dockerEntrypoint: Program = (scope, call) =>
	runProgram(scope, { ...call, argv: call.argv.slice(1) }) ?? 127;
