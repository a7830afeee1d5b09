import * as z from 'zod';
import type { Action } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import type { RunState } from '../model/state.ts';
import type { StepContext } from '../model/step.ts';

/** An archive that was passed with `--image-archive`. */
export interface Archive {
	readonly path: string;
	/** The names inside; undefined where they could not be read, so that it may hold anything. */
	readonly images?: readonly string[] | undefined;
	/** Set when the file cannot be used. */
	readonly problem?: string | undefined;
}

export interface ImageFacts {
	/** Names of all images that Docker has, in their long form; undefined when it could not be asked. */
	readonly present?: readonly string[] | undefined;
	readonly archives: readonly Archive[];
}

const listMs = 20_000;
const tarMs = 120_000;
const pullMs = 30 * 60_000;

/**
 * All images at once and not one `docker image inspect` each: which ones are needed is answered after the step has
 * looked at the host.
 */
const listImages = [
	'docker',
	'image',
	'ls',
	'--digests',
	'--no-trunc',
	'--format',
	'{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}}',
] as const;

export async function inspectImages({ host, options, signal }: StepContext): Promise<ImageFacts> {
	const listed = await host.exec(listImages, { timeoutMs: listMs, signal });
	const archives = await Promise.all(options.imageArchives.map(path => inspectArchive({ host, signal }, path)));
	if (listed.code !== 0) return { archives };
	const present = listed.stdout.split('\n').flatMap(line => {
		const [repository = '', tag = '', digest = '', id = ''] = line.trim().split(/\s+/);
		if (repository === '') return [];
		const names = [id];
		if (repository !== '<none>' && tag !== '<none>') names.push(longName(`${repository}:${tag}`));
		if (repository !== '<none>' && digest !== '<none>' && digest !== '')
			names.push(longName(`${repository}@${digest}`));
		return names;
	});
	return { present, archives };
}

async function inspectArchive({ host, signal }: Pick<StepContext, 'host' | 'signal'>, path: string): Promise<Archive> {
	const found = await host.stat(path);
	if (found.kind !== 'found')
		return { path, problem: found.kind === 'missing' ? 'is not there' : `cannot be read (${found.kind})` };
	if (found.type !== 'file') return { path, problem: `is a ${found.type}, not a file` };
	// `docker save` writes this member, with both image stores; other programs put `./` before it. The first match is
	// enough: the rest may be gigabytes.
	const argv = [
		'tar',
		'--extract',
		'--to-stdout',
		'--occurrence=1',
		'--no-anchored',
		`--file=${path}`,
		'manifest.json',
	] as const;
	const read = await host.exec(argv, { timeoutMs: tarMs, signal });
	const images = read.code === 0 ? namesIn(read.stdout) : undefined;
	return images === undefined ? { path } : { path, images };
}

const manifest = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }));

function namesIn(text: string): readonly string[] | undefined {
	try {
		const parsed = manifest.safeParse(JSON.parse(text));
		return parsed.success ? parsed.data.flatMap(image => image.RepoTags ?? []).map(longName) : undefined;
	} catch {
		return undefined;
	}
}

/** `busybox` and `docker.io/library/busybox:latest` are one image. */
export function longName(reference: string): string {
	const [name = '', digest] = reference.split('@');
	const slash = name.indexOf('/');
	const first = slash === -1 ? '' : name.slice(0, slash);
	// Docker's rule: a first part with a dot or a colon, or `localhost`, is a registry.
	const hasRegistry = first === 'localhost' || /[.:]/.test(first);
	const path = hasRegistry ? name : slash === -1 ? `docker.io/library/${name}` : `docker.io/${name}`;
	const tagged = /:[^/]*$/.test(path);
	if (digest !== undefined) return `${tagged ? path.replace(/:[^/]*$/, '') : path}@${digest}`;
	return tagged ? path : `${path}:latest`;
}

const isPresent = (image: string, facts: ImageFacts): boolean => {
	if (facts.present === undefined) return false;
	if (facts.present.includes(longName(image))) return true;
	// An id, whole or cut: `sha256:12ab…`.
	const id = image.replace(/^sha256:/, '');
	return /^[0-9a-f]{12,64}$/.test(id) && facts.present.some(name => name.startsWith(`sha256:${id}`));
};

/** Where a missing image can come from. An archive whose names could not be read is tried. */
const sourceOf = (image: string, facts: ImageFacts): Archive | undefined =>
	facts.archives.find(a => a.images?.includes(longName(image))) ??
	facts.archives.find(a => a.images === undefined && a.problem === undefined);

/** With the whole name: `a/b:1` and `a-b:1` are two images. */
const actionId = (image: string): string => `image-${image}`;

/** Whether this run pulled or loaded the image: it was not on the host when the run was planned. */
export const broughtByRun = (image: string, { actions }: RunState): boolean =>
	actions.some(({ id }) => id === actionId(image));

/**
 * Brings the images that are not there. With archives, only from these: who passes one says that this host is not to
 * fetch. One action an image, so that each is undone by itself; loading an archive twice does no harm.
 */
export function planImages(needed: readonly string[], facts: ImageFacts): readonly Action[] {
	return missing(needed, facts).flatMap((image): readonly Action[] => {
		const archive = sourceOf(image, facts);
		const id = actionId(image);
		const why = `The proofs start containers of ${image}, and it is not on this host.`;
		if (archive !== undefined) {
			return [
				{ kind: 'load-image', id, title: `Load ${image} from ${archive.path}`, why, archive: archive.path, image },
			];
		}
		if (facts.archives.length > 0) return [];
		return [
			{
				kind: 'exec',
				id,
				title: `Pull ${image}`,
				why,
				argv: ['docker', 'pull', image],
				timeoutMs: pullMs,
				tells: 'image-layers',
				whenItFails: [
					`without a way to the registry, carry the image here: docker save ${image} -o FILE where it is, then --image-archive FILE`,
				],
				touches: [`the network: ${longName(image).split('/')[0]} is asked for the image`],
				undo: {
					kind: 'commands',
					commands: [
						{
							argv: ['docker', 'image', 'rm', image],
							timeoutMs: 60_000,
							why: 'the image was pulled for the proofs',
							nothingLeft: 'No such image',
						},
					],
				},
			},
		];
	});
}

const missing = (needed: readonly string[], facts: ImageFacts): readonly string[] =>
	facts.present === undefined ? [] : [...new Set(needed)].filter(image => !isPresent(image, facts));

export function judgeImages(step: string, needed: readonly string[], facts: ImageFacts): readonly Finding[] {
	const findings: Finding[] = [];
	for (const { path, problem } of facts.archives) {
		if (problem === undefined) continue;
		findings.push({
			id: 'input.image-archive',
			about: 'input',
			severity: 'block',
			summary: `${path}, given with --image-archive, ${problem}.`,
		});
	}
	if (facts.present === undefined) {
		return [
			...findings,
			{
				id: `${step}.images`,
				severity: 'could-not-tell',
				summary: 'Docker did not list its images.',
				follows: 'docker.daemon',
			},
		];
	}
	if (needed.length === 0) return findings;
	const absent = missing(needed, facts);
	if (absent.length === 0) {
		return [
			...findings,
			{
				id: `${step}.images`,
				severity: 'ok',
				summary: `The images of the proofs are here: ${[...new Set(needed)].join(', ')}.`,
			},
		];
	}
	for (const image of absent) {
		const source = sourceOf(image, facts);
		if (source === undefined && facts.archives.length > 0) {
			findings.push({
				id: 'input.image-archive',
				about: 'input',
				severity: 'block',
				summary: `No given archive holds ${image}, which is not on this host.`,
				evidence: facts.archives.map(a => `${a.path}: ${(a.images ?? []).join(', ') || 'no names'}`).join('\n'),
				remedy: {
					kind: 'commands',
					text: 'Bring it here yourself, or pass an archive that holds it.',
					commands: [`docker pull ${image}`],
				},
			});
			continue;
		}
		findings.push({
			id: `${step}.images`,
			severity: 'info',
			summary: `${image} is not on this host.`,
			remedy: {
				kind: 'planned',
				text: source === undefined ? 'It will be pulled, after you agreed.' : `It will be loaded from ${source.path}.`,
			},
		});
	}
	return findings;
}
