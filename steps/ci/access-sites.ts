import type { Container } from '../../src/docker/container.ts';
import { type HostAccess, hostAccessUnder } from '../../src/docker/host-access.ts';
import type { DockerInfo } from '../../src/docker/info.ts';
import { type Answers, listAnswer } from '../../src/model/question.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { type Purpose, purposeOf } from './known-images.ts';

/** Containers that the proofs start carry this label: they are ours, and gone in a moment. */
const ownLabel = 'io.sysbox-setup.run';

/** A way to the host, and where it is configured. */
export interface AccessSite {
	readonly of: 'container' | 'runner' | 'service';
	/** For a list: `runner (gitlab/gitlab-runner:v17)`, `/etc/gitlab-runner/config.toml:12`. */
	readonly where: string;
	readonly access: HostAccess;
	/** `perhaps`: nothing tells that it is CI, and nothing tells that it is not. */
	readonly ci: 'yes' | 'perhaps' | 'no';
	/** It does not run, and nothing starts it again. */
	readonly atRest: boolean;
}

/** A container that the operator may know more about than its image tells. */
export interface Candidate {
	readonly name: string;
	readonly image: string;
	readonly access: readonly HostAccess[];
	readonly purpose: Purpose;
}

export const isOurs = (container: Container): boolean => container.labels[ownLabel] !== undefined;

/** A stopped container with a restart policy is configured to be there, and comes back with Docker. */
export const isAtRest = (container: Container): boolean =>
	!container.running && !['paused', 'restarting'].includes(container.state) && container.restartPolicy === 'no';

/** Asked of each container by every look at it, in several places. */
const known = new WeakMap<Container, { readonly info: string; readonly access: readonly HostAccess[] }>();

export function accessOf(container: Container, info: DockerInfo | undefined): readonly HostAccess[] {
	const before = known.get(container);
	const by = `${info?.defaultRuntime} ${info?.rootDir}`;
	if (before?.info === by) return before.access;
	const access = findAccess(container, info);
	known.set(container, { info: by, access });
	return access;
}

function findAccess(container: Container, info: DockerInfo | undefined): readonly HostAccess[] {
	const runtime = container.runtime || (info?.defaultRuntime ?? '');
	return hostAccessUnder({ ...container, runtime }, [runtimeName], info?.rootDir || undefined);
}

export function candidates(containers: readonly Container[], info: DockerInfo | undefined): readonly Candidate[] {
	return containers
		.filter(container => !isOurs(container) && !isAtRest(container))
		.map(container => ({
			name: container.name,
			image: container.image,
			access: accessOf(container, info),
			purpose: purposeOf(container),
		}))
		.filter(({ purpose, access }) => access.length > 0 && (purpose === 'unknown' || purpose === 'service'));
}

export function containerSites(
	containers: readonly Container[],
	info: DockerInfo | undefined,
	composeFiles: Readonly<Record<string, string>>,
	answers: Answers,
): readonly AccessSite[] {
	const named = listAnswer(answers, 'ci.containers');
	return containers
		.filter(container => !isOurs(container))
		.flatMap(container =>
			accessOf(container, info).map(
				(access): AccessSite => ({
					of: 'container',
					where: `${container.name} (${container.image})${fileAndLine(container, access, composeFiles)}`,
					access,
					ci: isCi(container, named),
					atRest: isAtRest(container),
				}),
			),
		);
}

/** `perhaps`: nothing tells that it is CI, and nothing tells that it is not. */
export function isCi(container: Container, named: readonly string[] | undefined): AccessSite['ci'] {
	const purpose = purposeOf(container);
	if (purpose === 'jobs' || purpose === 'control') return 'yes';
	if (named !== undefined) return named.includes(container.name) ? 'yes' : 'no';
	return purpose === 'service' ? 'no' : 'perhaps';
}

/** The compose files worth reading for the lines of what was found. */
export function composeFilesOf(containers: readonly Container[], info: DockerInfo | undefined): readonly string[] {
	const files = containers
		.filter(container => !isOurs(container) && accessOf(container, info).length > 0)
		.flatMap(({ owner }) => (owner?.kind === 'compose' ? owner.files : []));
	return [...new Set(files)].filter(file => file.startsWith('/')).slice(0, 20);
}

/** ` at /srv/ci/docker-compose.yml:41`: where the operator has to go. Without a line when none can be told for sure. */
function fileAndLine(container: Container, access: HostAccess, files: Readonly<Record<string, string>>): string {
	const { owner } = container;
	if (owner?.kind !== 'compose' || owner.files[0] === undefined) return '';
	for (const file of owner.files) {
		const line = lineOfAccess(files[file] ?? '', owner.service, access);
		if (line !== undefined) return ` at ${file}:${line}`;
	}
	return ` at ${owner.files[0].slice(0, 200)}`;
}

const keyOfAccess: Partial<Record<HostAccess['what'], RegExp>> = {
	privileged: /^\s*privileged:\s*["']?true/,
	'host-pid': /^\s*pid:\s*["']?host/,
	'host-network': /^\s*network_mode:\s*["']?host/,
	'host-ipc': /^\s*ipc:\s*["']?host/,
	'host-uts': /^\s*uts:\s*["']?host/,
	capability: /^\s*cap_add:/,
	device: /^\s*devices:/,
	unconfined: /^\s*security_opt:/,
};

/** Searches the lines of one service: an approximation that is right for files as people write them. */
function lineOfAccess(text: string, service: string, access: HostAccess): number | undefined {
	const lines = text.split('\n');
	const first = lines.findIndex(line => new RegExp(`^\\s+["']?${literal(service)}["']?:\\s*(#.*)?$`).test(line));
	if (first === -1) return undefined;
	const indent = /^\s*/.exec(lines[first] ?? '')?.[0].length ?? 0;
	const after = lines.slice(first + 1).findIndex(line => /^\s*[^\s#]/.test(line) && line.search(/\S/) <= indent);
	const last = after === -1 ? lines.length : first + 1 + after;
	const destination = / is mounted at ([^,]+)/.exec(access.detail)?.[1];
	const pattern =
		destination === undefined ? keyOfAccess[access.what] : new RegExp(`${literal(destination)}(?![\\w./-])`);
	if (pattern === undefined) return undefined;
	const index = lines.slice(first + 1, last).findIndex(line => !/^\s*#/.test(line) && pattern.test(line));
	return index === -1 ? undefined : first + 1 + index + 1;
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
