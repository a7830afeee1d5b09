import { findingIds } from '../../src/model/finding-id.ts';

/** What a look at a host can find here, each with what it is about. Ids are public and stay. */
export const securityFindingIds = findingIds({
	'security.images': 'the images of the security proof',
	'security.runtime': 'whether Docker serves the Sysbox runtime',
	'security.cves': 'known vulnerabilities of this Sysbox and kernel',
	'security.end-of-life': 'the end of support of this Docker and distribution',
	'security.announcement': 'the load that the security proof puts on this host',
	'security.unenforceable-limits': 'whether this host can enforce limits',
});
