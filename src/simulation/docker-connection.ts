import { resolve, rootUser } from './file-tree.ts';
import { passTime } from './services.ts';
import { atLeast, type Io, type Scope, spend } from './world.ts';

export type Connection = { readonly kind: 'connected' } | { readonly kind: 'failed'; readonly words: string };

/** Whether a docker client of the host reaches the daemon, and what it says where it does not. */
export function connect({ world, view, who }: Scope): Connection {
	spend(world, 25);
	passTime(world);
	const { engine } = world.state.docker;
	const modern = atLeast(engine.version, '29.0.0');
	const failed = (now: string, earlier: string): Connection => ({ kind: 'failed', words: modern ? now : earlier });
	const socket = resolve(view, '/run/docker.sock', rootUser);
	if (who.uid !== 0 && socket.kind === 'found' && !who.groups.includes(socket.node.gid))
		return failed(
			'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock',
			'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.45/info": dial unix /var/run/docker.sock: connect: permission denied',
		);
	if (engine.up) return { kind: 'connected' };
	const why = socket.kind === 'found' ? 'connection refused' : 'no such file or directory';
	return failed(
		`failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: ${why}`,
		'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
	);
}

/** An error of the daemon, as the client shows it. */
export function daemonError(io: Io, text: string): number {
	io.err(`Error response from daemon: ${text}\n`);
	return 1;
}
