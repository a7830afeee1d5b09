/** The grammar of distribution/reference, as far as a name that an operator types goes. */
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const registry = '[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?';
const reference = new RegExp(
	`^(?:${registry}/)?${component}(?:/${component})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** What is wrong with an image's name, or undefined. */
export function imageNameProblem(name: string): string | undefined {
	if (name.trim() !== name || name === '') return 'must be an image name such as docker:29-dind, without spaces';
	if (name.length > 255 || !reference.test(name))
		return 'is not an image name; one looks like docker:29-dind or registry.example.com/ci/docker:29-dind';
	return noEngineProblem(name);
}

const digestAt = (name: string): number => name.indexOf('@');

export const isPinned = (name: string): boolean => digestAt(name) !== -1;

/** Why an image cannot be the inner engine, or undefined: Docker's own images whose tags say that they have none. */
function noEngineProblem(name: string): string | undefined {
	const what = /(?:^|-)(cli|git|rootless|windowsservercore)(?:-|$)/.exec(isDockersOwn(name) ? (tagOf(name) ?? '') : '');
	if (what === null) return undefined;
	return what[1] === 'rootless'
		? 'is rootless Docker, which needs privileges that Sysbox does not give; use docker:29-dind'
		: 'has no Docker engine in it; use one such as docker:29-dind';
}

/**
 * Whether the image starts by the rules of docker:dind's entrypoint: it takes options for dockerd, makes certificates
 * below DOCKER_TLS_CERTDIR, and listens on 2376. Docker's own images do (docker:29 is docker:29-dind), under any
 * registry's copy of the name; of others, those with `dind` in the tag.
 */
export const startsAsDind = (name: string): boolean =>
	(isDockersOwn(name) && noEngineProblem(name) === undefined) || /(?:^|-)dind(?:-|$)/.test(tagOf(name) ?? '');

const isDockersOwn = (name: string): boolean => /(?:^|\/)docker(?:[:@]|$)/.test(name);

/**
 * An image with the docker command for the jobs: `docker:29-cli` beside `docker:29-dind`. For any other name, and for
 * one with a digest (the digest of its sibling is not known), the engine's own image, which has the command too.
 */
export function clientImageOf(name: string): string {
	const tag = tagOf(name);
	if (isPinned(name) || tag === undefined || !/(?:^|-)dind$/.test(tag)) return name;
	return `${name.slice(0, -tag.length)}${tag.replace(/dind$/, 'cli')}`;
}

function tagOf(name: string): string | undefined {
	const bare = isPinned(name) ? name.slice(0, digestAt(name)) : name;
	return /:([^/:]+)$/.exec(bare)?.[1];
}

/** What this host knows of an image: the digests under which it was pulled. */
export type LocalDigests = Readonly<Record<string, string>>;

/**
 * Names an image by the digest that its tag has on this host, so that the files say what was tested. A file that is
 * there keeps what it says: a tag is resolved once, and a second run changes nothing.
 */
export function pinImage(name: string, written: readonly string[], digests: LocalDigests): string {
	if (isPinned(name)) return name;
	const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	for (const text of written) {
		const pinned = new RegExp(`(?<![\\w./:-])${escaped}@sha256:[0-9a-f]{64}`).exec(text);
		if (pinned !== null) return pinned[0];
	}
	if (written.some(text => new RegExp(`(?<![\\w./:-])${escaped}(?![\\w.:/@-])`).test(text))) return name;
	const digest = digests[name];
	return digest === undefined ? name : `${name}@${digest}`;
}

/** The digests in the answer of `docker image inspect NAME…`, by the names that were asked for. */
export function parseDigests(json: string, names: readonly string[]): LocalDigests {
	let images: unknown;
	try {
		images = JSON.parse(json);
	} catch {
		return {};
	}
	const digests: Record<string, string> = {};
	for (const image of Array.isArray(images) ? images : []) {
		const tags = textsOf(image, 'RepoTags');
		const repoDigests = textsOf(image, 'RepoDigests');
		for (const name of names) {
			if (!tags.includes(name)) continue;
			const repository = name.replace(/:[^/:]+$/, '');
			const digest = repoDigests.find(d => d.startsWith(`${repository}@sha256:`));
			if (digest !== undefined) digests[name] = digest.slice(repository.length + 1);
		}
	}
	return digests;
}

function textsOf(image: unknown, key: string): readonly string[] {
	if (image === null || typeof image !== 'object') return [];
	const value: unknown = Reflect.get(image, key);
	return Array.isArray(value) ? value.filter(text => typeof text === 'string') : [];
}
