import { findingIds } from '../../src/model/finding-id.ts';

/** What a look at a host can find here, each with what it is about. Ids are public and stay. */
export const dockerFindingIds = findingIds({
	'docker.runtime-loaded': 'whether Docker serves the Sysbox runtime',
	'docker.default-runtime-loaded': 'whether Docker has loaded the default runtime',
	'docker.bip-loaded': "whether Docker's bridge has the address of daemon.json",
	'docker.pools-loaded': 'whether Docker has loaded the address pools',
	'docker.features-loaded': 'whether Docker has loaded the features that Sysbox needs',
	'docker.other-keys-loaded': 'other settings that Docker has not loaded',
	'docker.put-back': 'whether daemon.json was put back',
	'docker.switch': "what is left of the dead man's switch",
});
