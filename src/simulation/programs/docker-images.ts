import { posix } from 'node:path';
import { daemonError } from '../docker-connection.ts';
import { findImage, withTag } from '../engine.ts';
import { absolute, resolve, sha256, textOf } from '../file-tree.ts';
import { createNode } from '../scope.ts';
import type { Image } from '../state.ts';
import { atLeast, type Call, type Exit, type Scope, spend, touch, type World } from '../world.ts';
import { formatted } from './docker-format.ts';
import { lastOf, parseOptions } from './options.ts';

type Pulled =
	| { readonly kind: 'pulled'; readonly image: Image; readonly lines: readonly string[] }
	| { readonly kind: 'failed'; readonly why: string };

/** From the simulated Docker Hub, which is the only registry there is. */
function pullImage(world: World, ref: string): Pulled {
	touch(world);
	const modern = atLeast(world.state.docker.engine.version, '29.0.0');
	const bare = ref.replace(/^docker\.io\/(?:library\/)?/, '');
	const found = findImage(world.state.hub, bare);
	const path = bare.includes('/') ? bare : `library/${bare}`;
	const reference = `docker.io/${withTag(path)}`;
	if (!world.state.internet) {
		spend(world, 10_000);
		const lookup = 'dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: server misbehaving';
		return {
			kind: 'failed',
			why: modern
				? `failed to resolve reference "${reference}": failed to do request: Head "https://registry-1.docker.io/v2/${path.split(':')[0]}/manifests/${withTag(bare).split(':').at(-1)}": ${lookup}`
				: `Get "https://registry-1.docker.io/v2/": ${lookup}`,
		};
	}
	if (found === undefined) {
		spend(world, 900);
		return {
			kind: 'failed',
			why: modern
				? `failed to resolve reference "${reference}": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`
				: `pull access denied for ${bare.split(':')[0]}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
		};
	}
	return store(world, structuredClone(found), ref, 900 + found.size / 40_000);
}

function store(world: World, image: Image, ref: string, ms: number): Pulled {
	const { engine } = world.state.docker;
	spend(world, ms);
	const bare = ref.replace(/@.*$/, '');
	const digest = image.digests[0]?.split('@')[1] ?? image.id;
	const tag = withTag(bare).split(':').at(-1);
	const known = engine.images.find(i => i.id === image.id);
	const name = withTag(bare);
	if (known === undefined) {
		untag(engine.images, name);
		engine.images.push({ ...image, tags: ref.includes('@') ? [] : [name] });
	} else if (!ref.includes('@') && !known.tags.includes(name)) {
		untag(engine.images, name);
		known.tags.push(name);
	}
	const canonical = `docker.io/${bare.includes('/') ? '' : 'library/'}${name}`;
	return {
		kind: 'pulled',
		image: known ?? engine.images.at(-1) ?? image,
		lines: [
			`${tag}: Pulling from ${canonical.replace(/^[^/]+\//, '').replace(/:[^:]*$/, '')}`,
			...layerLines(image),
			`Digest: ${digest}`,
			`Status: ${known === undefined ? 'Downloaded newer image' : 'Image is up to date'} for ${name}`,
			canonical,
		],
	};
}

/** What is printed for layers where there is no terminal: each is named before the first of them is there. */
function layerLines(image: Image): readonly string[] {
	const layers = [0, 1, 2].map(at => image.id.slice(7 + 12 * at, 19 + 12 * at));
	return [
		...layers.map(layer => `${layer}: Pulling fs layer`),
		...layers.flatMap(layer => [`${layer}: Verifying Checksum`, `${layer}: Download complete`]),
		...layers.map(layer => `${layer}: Pull complete`),
	];
}

function untag(images: readonly Image[], name: string): void {
	for (const image of images) image.tags = image.tags.filter(t => t !== name);
}

export function dockerPull({ world }: Scope, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['--platform'], flags: ['-q', '--quiet', '-a'] });
	const ref = parsed.words[0] ?? '';
	const pulled = pullImage(world, ref);
	if (pulled.kind === 'failed') return daemonError(call.io, pulled.why);
	const quiet = parsed.flags.has('-q') || parsed.flags.has('--quiet');
	call.io.out(quiet ? `${pulled.lines.at(-1)}\n` : pulled.lines.map(line => `${line}\n`).join(''));
	return 0;
}

export function dockerLoad(scope: Scope, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['-i', '--input', '--platform'], flags: ['-q', '--quiet'] });
	const path = lastOf(parsed, '-i', '--input');
	const { world } = scope;
	const { engine } = world.state.docker;
	touch(world);
	let file = call.stdin.file;
	if (path !== undefined) {
		const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
		if (found.kind === 'problem') {
			call.io.err(`open ${path}: ${found.errno === 'EACCES' ? 'permission denied' : 'no such file or directory'}\n`);
			return 1;
		}
		file = found.node.kind === 'file' ? found.node : undefined;
	}
	const holds = file?.declared?.holds;
	if (file === undefined || holds?.kind !== 'images') {
		if (path === undefined && call.stdin.text === '' && file === undefined) {
			call.io.err('requested load from stdin, but stdin is empty\n');
			return 1;
		}
		return daemonError(
			call.io,
			file !== undefined && textOf(file) === '' && file.declared === undefined
				? 'unexpected EOF'
				: 'unrecognized image format',
		);
	}
	spend(world, 400 + (file.declared?.size ?? 0) / 400_000);
	for (const image of holds.images) {
		for (const tag of image.tags) untag(engine.images, tag);
		const known = engine.images.find(i => i.id === image.id);
		if (known === undefined) engine.images.push(structuredClone(image));
		else known.tags = [...new Set([...known.tags, ...image.tags])];
		for (const tag of image.tags) call.io.out(`Loaded image: ${tag}\n`);
		if (image.tags.length === 0) call.io.out(`Loaded image ID: ${image.id}\n`);
	}
	return 0;
}

export function dockerSave(scope: Scope, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['-o', '--output', '--platform'], flags: [] });
	const path = lastOf(parsed, '-o', '--output');
	const { engine } = scope.world.state.docker;
	const images: Image[] = [];
	for (const ref of parsed.words) {
		const image = findImage(engine.images, ref);
		if (image === undefined) return daemonError(call.io, `reference does not exist: ${ref}`);
		images.push({
			...structuredClone(image),
			tags: /^(?:sha256:)?[0-9a-f]{12,64}$/.test(ref) ? image.tags : [withTag(ref)],
		});
	}
	if (path === undefined) {
		call.io.err('cowardly refusing to save to a terminal. Use the -o flag or redirect\n');
		return 1;
	}
	touch(scope.world);
	const size = images.reduce((sum, image) => sum + image.size, 0);
	spend(scope.world, 300 + size / 500_000);
	const errno = createNode(scope, absolute(path, scope.cwd), {
		kind: 'file',
		mode: 0o600,
		uid: scope.who.uid,
		gid: scope.who.gid,
		declared: { size, sha256: sha256(images.map(i => i.id).join()), holds: { kind: 'images', images } },
	});
	if (errno === undefined) return 0;
	call.io.err(
		`failed to save image: invalid output path: ${errno === 'ENOENT' ? `directory "${posix.dirname(path)}" does not exist` : errno === 'ENOSPC' ? 'no space left on device' : 'permission denied'}\n`,
	);
	return 1;
}

export function dockerRmi({ world }: Scope, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: [], flags: ['-f', '--force', '--no-prune'] });
	const { engine } = world.state.docker;
	const force = parsed.flags.has('-f') || parsed.flags.has('--force');
	let code = 0;
	for (const ref of parsed.words) {
		const image = findImage(engine.images, ref);
		if (image === undefined) {
			if (force) continue;
			code = daemonError(call.io, `No such image: ${withTag(ref)}`);
			continue;
		}
		const user = engine.containers.find(c => c.imageId === image.id);
		const byName = image.tags.includes(withTag(ref));
		if (user !== undefined && !force && image.tags.length <= 1) {
			code = daemonError(
				call.io,
				`conflict: unable to ${byName ? 'remove repository reference' : 'delete'} ${byName ? `"${ref}"` : ref} (must ${byName ? 'force' : 'be forced'}) - container ${user.id.slice(0, 12)} is using its referenced image ${image.id.slice(7, 19)}`,
			);
			continue;
		}
		touch(world);
		if (byName) {
			image.tags = image.tags.filter(t => t !== withTag(ref));
			call.io.out(`Untagged: ${withTag(ref)}\n`);
		}
		if (!byName || image.tags.length === 0) {
			engine.images = engine.images.filter(i => i !== image || user !== undefined);
			call.io.out(`Deleted: ${image.id}\n`);
		}
	}
	return code;
}

export function dockerImages({ world }: Scope, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['--format'], flags: ['--no-trunc', '--digests'] });
	for (const image of world.state.docker.engine.images) {
		for (const tag of image.tags.length === 0 ? ['<none>:<none>'] : image.tags) {
			const row = {
				Digest: image.digests[0]?.split('@')[1] ?? '<none>',
				ID: parsed.flags.has('--no-trunc') ? image.id : image.id.slice(7, 19),
				Repository: tag.slice(0, tag.lastIndexOf(':')),
				Tag: tag.slice(tag.lastIndexOf(':') + 1),
			};
			call.io.out(formatted(call, lastOf(parsed, '--format'), row));
		}
	}
	return 0;
}
