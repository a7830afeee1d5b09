import { knowledge } from '../../src/knowledge/index.ts';
import { findingIds } from '../../src/model/finding-id.ts';

/** What a look at a host can find here, each with what it is about. Ids are public and stay. */
export const sysboxFindingIds = [
	...findingIds({
		'sysbox.known-issues': 'what is known of the versions of this host',
		'sysbox.installed': 'whether Sysbox is installed',
		'sysbox.source-build': 'whether Sysbox was built from source',
		'sysbox.half-configured': 'whether dpkg left the package half configured',
		'sysbox.deb-file': 'the package file given with --deb',
		'sysbox.deb-digest': 'the checksum of the package, against the table',
		'sysbox.reachable': 'whether the package can be fetched',
		'sysbox.dependencies': 'whether apt can install the package',
		'sysbox.other-packages': 'whether apt would remove or upgrade other packages',
		'sysbox.package-guard': 'whether the package can be installed without stopping containers',
		'sysbox.docker-answers': 'whether Docker answers',
		'sysbox.versions-agree': 'whether the three Sysbox programs have one version',
		'sysbox.units-active': 'whether the Sysbox services run',
		'sysbox.units-enabled': 'whether Sysbox starts at boot',
		'sysbox.sockets': 'the sockets of the Sysbox services',
		'sysbox.subid': 'the user and group ids of Sysbox containers',
		'sysbox.outdated': 'whether a newer Sysbox is known',
		'sysbox.dead-containers': 'Sysbox containers that lost their Sysbox service',
		'sysbox.dead-mounts': 'mounts that an ended Sysbox left',
		'sysbox.daemon-json-untouched': 'whether the package left daemon.json as it was',
	}),
	...knowledge.knownIssues.map(({ id, title }) => ({ id: `sysbox.known-issues.${id}`, about: title })),
];
