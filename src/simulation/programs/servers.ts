import { configAtStart, daemonFlags, newEngine } from '../daemon-config.ts';
import { nextHex, nextPid, type Program, touch } from '../world.ts';

/** Programs that serve until they are stopped. */

/** The registry of `registry:2` and `:3`: keeps what is pushed to it in its container. */
export const registry: Program = (scope, call) => {
	if (scope.inside === undefined) return 1;
	touch(scope.world);
	scope.inside.container.registry ??= {};
	call.io.err('time="" level=info msg="listening on [::]:5000" service=registry\n');
	return 'endless';
};

/** Whatever else runs on a CI host: an agent, a database. */
export const service: Program = (_, call) => {
	call.io.out(`${call.argv.slice(1).join(' ') || 'service'} started\n`);
	return 'endless';
};

/** systemd as the first process of a container: brings up an engine of its own where the container allows it. */
export const init: Program = (scope, call) => {
	if (scope.inside === undefined) return 1;
	const { container } = scope.inside;
	touch(scope.world);
	const config = configAtStart({}, daemonFlags([]), '29.7.2');
	if (container.isolation === 'sysbox' && typeof config !== 'string') {
		const id = [8, 4, 4, 4, 12].map(n => nextHex(scope.world, n)).join('-');
		container.engine ??= newEngine(id, container.hostname, '29.7.2', { ...config, timeNamespaces: false }, 'overlay2');
		container.engine.up = true;
		container.engine.readyAt = scope.world.state.now + 8000;
		container.files['/run/docker.sock'] = { kind: 'socket', mode: 0o660, uid: 0, gid: 999 };
		container.processes.push({
			pid: 90,
			hostPid: nextPid(scope.world),
			argv: ['/usr/bin/dockerd', '-H', 'fd://'],
			startedAt: scope.world.state.now,
		});
	}
	call.io.out('systemd 257 running in system mode\n');
	return 'endless';
};
