import { findContainer } from '../engine.ts';
import { type Exit, type Program, touch, UnsimulatedCommand } from '../world.ts';

/** systemd-run of `docker wait` with a `docker start` behind it, as a unit that outlives whoever asked for it. */
export const waitAndStart: Program = (scope, call): Exit => {
	const { argv, io } = call;
	const [id = ''] = argv.slice(argv.indexOf('wait') + 1);
	const unit = argv.find(word => word.startsWith('--unit='))?.slice('--unit='.length);
	if (!argv.includes(`--property=ExecStartPost=docker start ${id}`) || unit === undefined)
		throw new UnsimulatedCommand(argv, 'systemd-run of something else than docker wait and docker start');
	const container = findContainer(scope.world.state.docker.engine, id);
	if (container?.status === 'running') {
		touch(scope.world);
		container.startedWhenEnded = true;
	}
	io.err(`Running as unit: ${unit}.service\n`);
	return 0;
};
