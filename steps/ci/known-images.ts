import type { Container } from '../../src/docker/container.ts';

/**
 * Images by what they are for, matched against the name without registry, tag and digest. `jobs`: a job's code runs in
 * the container. `control`: it starts or schedules jobs. `service`: it serves or watches the host and runs no jobs.
 * Whatever is in no list is taken for CI until the operator says otherwise: the other mistake would call a host safe.
 */
const lists = {
	jobs: [
		/(^|\/)inbound-agent$/,
		/(^|\/)jnlp-slave$/,
		/(^|\/)(ssh|docker)-agent$/,
		/(^|\/)gitlab-runner-helper$/,
		/(^|\/)(actions|github)-runner$/,
		/^actions\/actions-runner$/,
		/^myoung34\/github-runner/,
		/^buildkite\/agent$/,
		/^jetbrains\/teamcity-(minimal-)?agent$/,
		/^circleci\/runner(-agent)?$/,
		/^(gocd|atlassian)\/.*agent/,
		/^moby\/buildkit$/,
		/^earthly\/buildkitd$/,
	],
	control: [
		/(^|\/)gitlab-runner$/,
		/^jenkins\/jenkins$/,
		/^jenkinsci?\//,
		/^drone\/(drone-runner-\w+|agent)$/,
		/^woodpeckerci\/woodpecker-agent$/,
		/^(gitea\/)?act_runner$/,
		/^forgejo\/runner$/,
		/^concourse\/concourse$/,
		/^atlassian\/bitbucket-pipelines-runner$/,
	],
	service: [
		/^traefik$/,
		/^portainer\//,
		/(^|\/)watchtower$/,
		/(^|\/)cadvisor$/,
		/(^|\/)node-exporter$/,
		/^netdata\/netdata$/,
		/^datadog\/agent/,
		/^newrelic\//,
		/^grafana\/(alloy|agent|promtail)$/,
		/^telegraf$/,
		/(^|\/)(file|metric|heart)beat$/,
		/^fluent\/fluent(d|-bit)$/,
		/^falcosecurity\/falco/,
		/^sysdig\//,
		/(^|\/)docker-socket-proxy$/,
		/(^|\/)nginx-proxy$/,
		/(^|\/)(docker-gen|acme-companion|autoheal|dozzle|diun|glances)$/,
	],
} as const satisfies Record<string, readonly RegExp[]>;

export type Purpose = 'jobs' | 'control' | 'service' | 'unknown';

const ciNames = 'jenkins|buildkite|gitlab|github|gitea|forgejo|drone|woodpecker|circleci|teamcity|azure|gha|ci';

/** `jenkins-agent-2`, `ci_runner`: how people name containers and services of compose files for jobs. */
const jobName = new RegExp(`(^|[-_])(${ciNames})[-_](.*[-_])?(agent|runner|worker|slave)s?([-_]?\\d+)*$`, 'i');

/** Programs of agents, for images that an operator has made. */
const jobPrograms =
	/(^|\/)(buildkite-agent|jenkins-agent|jenkins-slave|agent\.jar|Runner\.Listener|act_runner|forgejo-runner|woodpecker-agent|drone-runner-docker|circleci-runner|run-agent\.sh|gitlab-runner)$/;

const looksLikeJobs = ({ name, owner, command }: Container): boolean =>
	jobName.test(owner?.kind === 'compose' ? owner.service : name) || command.some(word => jobPrograms.test(word));

/** What a container is for, by its labels, its image, its command and its name. */
export function purposeOf(container: Container): Purpose {
	const purpose = purposes.get(container) ?? findPurpose(container);
	purposes.set(container, purpose);
	return purpose;
}

const purposes = new WeakMap<Container, Purpose>();

function findPurpose(container: Container): Purpose {
	if (container.owner?.kind === 'gitlab-runner' || container.owner?.kind === 'jenkins') return 'jobs';
	const name = repositoryOf(container.image);
	// Docker's own image with an engine in it, under any registry's copy of the name.
	if (/(^|\/)docker$/.test(name) && /[:-]dind\b/.test(container.image)) return 'jobs';
	if (lists.jobs.some(pattern => pattern.test(name))) return 'jobs';
	if (lists.control.some(pattern => pattern.test(name))) return 'control';
	if (lists.service.some(pattern => pattern.test(name))) return 'service';
	return looksLikeJobs(container) ? 'jobs' : 'unknown';
}

/** `ghcr.io/actions/actions-runner:2.330` → `actions/actions-runner`. */
function repositoryOf(image: string): string {
	const bare = image.replace(/@sha256:[0-9a-f]+$/, '').replace(/:[^/:]+$/, '');
	const [first = '', ...rest] = bare.split('/');
	const isRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
	return (isRegistry ? rest.join('/') : bare).replace(/^library\//, '');
}
