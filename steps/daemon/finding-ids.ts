import { findingIds } from '../../src/model/finding-id.ts';

/** What a look at a host can find here, each with what it is about. Ids are public and stay. */
export const daemonFindingIds = findingIds({
	'daemon-json.flags': "settings that stand both in daemon.json and in a flag of dockerd's unit",
	'daemon-json.elsewhere': 'whether dockerd reads another configuration file',
	'daemon-json.bridge-and-bip': 'whether daemon.json has both bridge and bip',
	'daemon-json.live-restore-swarm': 'whether daemon.json has live-restore on a swarm node',
	'daemon-json.userns-remap': 'whether daemon.json remaps users',
	'daemon.runtime-registered': 'whether daemon.json names the Sysbox runtime',
	'daemon.runtime-elsewhere': 'whether the runtime is registered somewhere else',
	'daemon.runtime-path': 'the path of the registered runtime',
	'daemon.other-runtime-path': 'the paths of other registered runtimes',
	'daemon.default-runtime': 'the default runtime in daemon.json',
});
