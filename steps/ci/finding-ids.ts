import { findingIds } from '../../src/model/finding-id.ts';
import { accessKinds } from './access-findings.ts';

/** What a look at a host can find here, each with what it is about. Ids are public and stay. */
export const ciFindingIds = [
	...findingIds({
		'ci.folder': 'the directory of the CI files',
		'ci.file-refused': 'CI files that cannot be written',
		'ci.file-denied': 'CI files that cannot be read',
		'ci.file-exists': 'files of yours at the place of a CI file',
		'ci.files': 'whether the CI files are as the answers say',
		'ci.rendered': 'whether the CI files are valid',
		'ci.limits': 'whether jobs have limits of memory, cpu and processes',
		'ci.limits.gitlab-pids': 'whether GitLab Runner can limit processes',
		'ci.image': 'the image of the CI containers',
		'ci.runner.concurrent': 'how many jobs a GitLab runner starts at once',
		'ci.runner.elsewhere': 'GitLab runners whose jobs do not run on this host',
		'ci.runtime': 'whether CI containers use Sysbox',
		'ci.service': 'CI agents that are services of this host',
		'ci.runner.shell': 'GitLab runners without containers',
		'ci.container': 'whether anything of your CI reaches this host',
		'ci.container.other': 'host access of containers that are not of your CI',
		'ci.container.stopped': 'host access of stopped containers',
	}),
	...Object.entries({ container: 'a CI container', runner: 'a job of a runner', service: 'a CI agent' }).flatMap(
		([of, name]) => [
			{ id: `ci.${of}.no-limits`, about: `whether ${name} has limits` },
			...Object.entries(accessKinds).map(([what, { has }]) => ({
				id: `ci.${of}.${what}`,
				about: `whether ${name} is ${has}`,
			})),
		],
	),
	...['container-escape', 'docker-compromise', 'resource-abuse'].map(threat => ({
		id: `ci.unseen.${threat}`,
		about: 'parts of your CI that could not be looked at',
	})),
];
