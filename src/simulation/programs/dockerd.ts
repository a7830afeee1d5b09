import { daemonFlags, readDaemonConfig } from '../daemon-config.ts';
import { readText } from '../scope.ts';
import { type Program, spend } from '../world.ts';

/** dockerd of the host: `--version` and `--validate`. That systemd starts it is in services.ts. */
export const dockerd: Program = (scope, call) => {
	const { version } = scope.world.state.docker.engine;
	const flags = daemonFlags(call.argv.slice(1));
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
	call.io.err(
		scope.who.uid === 0
			? 'failed to start daemon, ensure docker is not running or delete /var/run/docker.pid: process with PID is still running\n'
			: 'dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see https://docs.docker.com/go/rootless/\n',
	);
	return 1;
};
