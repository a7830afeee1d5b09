import { innerPlace, type Place, settle } from './engine.ts';
import { absolute, resolve } from './file-tree.ts';
import { passTime } from './services.ts';
import type { Container } from './state.ts';
import { atLeast, type Io, type Scope, spend } from './world.ts';

export type Connection =
	| { readonly kind: 'connected'; readonly place: Place }
	| { readonly kind: 'failed'; readonly words: string };

/** The daemon that a docker client there talks to: the host's, the one in the same container, or whatever socket is mounted in. */
export function connect(scope: Scope): Connection {
	const { world } = scope;
	const version = scope.world.state.docker.engine.version;
	const cannot = (why: string): Connection => ({
		kind: 'failed',
		words: atLeast(version, '29.0.0')
			? `failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: ${why}`
			: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
	});
	const denied: Connection = {
		kind: 'failed',
		words: atLeast(version, '29.0.0')
			? 'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock'
			: 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.45/info": dial unix /var/run/docker.sock: connect: permission denied',
	};
	spend(world, 25);
	if (scope.inside === undefined) {
		passTime(world);
		const { engine } = world.state.docker;
		const socket = resolve(scope.view, '/run/docker.sock', { uid: 0, gid: 0, groups: [] });
		if (scope.who.uid !== 0 && socket.kind === 'found' && !scope.who.groups.includes(socket.node.gid)) return denied;
		if (!engine.up) return cannot(socket.kind === 'found' ? 'connection refused' : 'no such file or directory');
		return { kind: 'connected', place: { machine: { ...scope, who: { uid: 0, gid: 0, groups: [0] } }, engine } };
	}
	const { container, engine: outerEngine, parent } = scope.inside;
	if (socketMountedIn(container)) {
		const node = resolve(scope.view, '/var/run/docker.sock', { uid: 0, gid: 0, groups: [] });
		if (scope.who.uid !== 0 || (node.kind === 'found' && node.node.uid === 65534)) return denied;
		return connect({ ...parent, who: { uid: 0, gid: 0, groups: [0] } });
	}
	const { engine } = container;
	if (engine === undefined) return cannot('no such file or directory');
	if (!engine.up || engine.readyAt > world.state.now)
		return cannot(engine.up ? 'no such file or directory' : 'connection refused');
	if (scope.who.uid !== 0) return denied;
	const place = innerPlace({ machine: parent, engine: outerEngine }, container, engine);
	settle(place);
	return { kind: 'connected', place };
}

/** The machine's own docker.sock (or the folder that it is in) is mounted into this container. */
export function socketMountedIn(container: Container): boolean {
	return container.options.mounts.some(
		m => m.type === 'bind' && /(?:^|\/)docker\.sock$/.test(absolute(m.source)) && /docker\.sock$/.test(m.target),
	);
}

/** An error of the daemon, as the client shows it. */
export function daemonError(io: Io, text: string): number {
	io.err(`Error response from daemon: ${text}\n`);
	return 1;
}
