import { posix } from 'node:path';
import { daemonError } from '../docker-connection.ts';
import { humanSize, imageJson } from '../docker-json.ts';
import {
	createContainer,
	defaultOptions,
	findImage,
	outputOf,
	type Place,
	removeContainer,
	startContainer,
	withTag,
} from '../engine.ts';
import { absolute, fileNode, resolve, sha256, textOf } from '../file-tree.ts';
import { goJson, renderTemplate } from '../go-template.ts';
import { createNode, readText } from '../scope.ts';
import type { Container, Image } from '../state.ts';
import { atLeast, type Call, type Exit, nextHex, type Scope, spend, touch } from '../world.ts';
import { allOf, lastOf, parseOptions } from './options.ts';

export type Pulled =
	| { readonly kind: 'pulled'; readonly image: Image; readonly lines: readonly string[] }
	| { readonly kind: 'failed'; readonly why: string };

const registryOf = (ref: string): string | undefined => {
	const first = ref.split('/')[0] ?? '';
	return ref.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : undefined;
};

/** The registry container that a name such as `localhost:5000/x` reaches from there: in the same engine, by its port. */
function registryContainer(place: Place, host: string): Container | undefined {
	const [name = '', port = '443'] = host.split(':');
	if (!['localhost', '127.0.0.1'].includes(name)) {
		return place.engine.containers.find(
			c =>
				c.status === 'running' &&
				c.registry !== undefined &&
				(c.name === name || c.ip === name || c.options.networkAliases.includes(name)),
		);
	}
	return place.engine.containers.find(
		c =>
			c.status === 'running' &&
			c.registry !== undefined &&
			(c.options.networkMode === 'host' || c.options.ports.some(p => p.split('/')[0]?.split(':').at(-2) === port)),
	);
}

export function pullImage(place: Place, ref: string): Pulled {
	const { world } = place.machine;
	touch(world);
	const modern = atLeast(place.engine.version, '29.0.0');
	const registry = registryOf(ref);
	const full = withTag(ref).replace(/@.*$/, '');
	if (registry !== undefined && registry !== 'docker.io') {
		const container = registryContainer(place, registry);
		const stored = container?.registry?.[full.slice(registry.length + 1)];
		if (container === undefined)
			return {
				kind: 'failed',
				why: `failed to resolve reference "${full}": failed to do request: Head "http://${registry}/v2/": dial tcp ${registry}: connect: connection refused`,
			};
		if (stored === undefined)
			return {
				kind: 'failed',
				why: modern
					? `failed to resolve reference "${full}": ${full}: not found`
					: `manifest for ${full} not found: manifest unknown: manifest unknown`,
			};
		return store(place, { ...structuredClone(stored), tags: [full] }, ref, 400);
	}
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
	return store(place, structuredClone(found), ref, 900 + found.size / 40_000);
}

function store(place: Place, image: Image, ref: string, ms: number): Pulled {
	const { engine, machine } = place;
	spend(machine.world, ms);
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
	const registry = registryOf(bare);
	const canonical = registry === undefined ? `docker.io/${bare.includes('/') ? '' : 'library/'}${name}` : name;
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

export function dockerPull(_: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['--platform'], flags: ['-q', '--quiet', '-a'] });
	const ref = parsed.words[0] ?? '';
	const pulled = pullImage(place, ref);
	if (pulled.kind === 'failed') return daemonError(call.io, pulled.why);
	const quiet = parsed.flags.has('-q') || parsed.flags.has('--quiet');
	call.io.out(quiet ? `${pulled.lines.at(-1)}\n` : pulled.lines.map(line => `${line}\n`).join(''));
	return 0;
}

export function dockerPush(_: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const ref = withTag(parseOptions(words, { withValue: [], flags: ['-q', '--quiet', '-a'] }).words[0] ?? '');
	touch(place.machine.world);
	const image = findImage(place.engine.images, ref);
	const registry = registryOf(ref);
	call.io.out(`The push refers to repository [${ref.replace(/:[^:/]+$/, '')}]\n`);
	if (image === undefined) {
		call.io.err(`An image does not exist locally with the tag: ${ref.replace(/:[^:/]+$/, '')}\n`);
		return 1;
	}
	const container = registry === undefined ? undefined : registryContainer(place, registry);
	if (registry === undefined || container === undefined) {
		call.io.err(
			registry === undefined
				? 'push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials\n'
				: `failed to do request: Head "http://${registry}/v2/": dial tcp ${registry}: connect: connection refused\n`,
		);
		return 1;
	}
	spend(place.machine.world, 500);
	container.registry ??= {};
	container.registry[ref.slice(registry.length + 1)] = structuredClone(image);
	const digest = `sha256:${sha256(`${image.id} manifest`)}`;
	call.io.out(`${image.id.slice(7, 19)}: Pushed\n${ref.split(':').at(-1)}: digest: ${digest} size: 527\n`);
	return 0;
}

export function dockerTag(_: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const [from = '', to = ''] = words;
	const image = findImage(place.engine.images, from);
	if (image === undefined) return daemonError(call.io, `No such image: ${withTag(from)}`);
	touch(place.machine.world);
	untag(place.engine.images, withTag(to));
	image.tags.push(withTag(to));
	return 0;
}

export function dockerLoad(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['-i', '--input', '--platform'], flags: ['-q', '--quiet'] });
	const path = lastOf(parsed, '-i', '--input');
	const { world } = scope;
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
		for (const tag of image.tags) untag(place.engine.images, tag);
		const known = place.engine.images.find(i => i.id === image.id);
		if (known === undefined) place.engine.images.push(structuredClone(image));
		else known.tags = [...new Set([...known.tags, ...image.tags])];
		for (const tag of image.tags) call.io.out(`Loaded image: ${tag}\n`);
		if (image.tags.length === 0) call.io.out(`Loaded image ID: ${image.id}\n`);
	}
	return 0;
}

export function dockerSave(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: ['-o', '--output', '--platform'], flags: [] });
	const path = lastOf(parsed, '-o', '--output');
	const images: Image[] = [];
	for (const ref of parsed.words) {
		const image = findImage(place.engine.images, ref);
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

export function dockerRmi(_: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, { withValue: [], flags: ['-f', '--force', '--no-prune'] });
	const force = parsed.flags.has('-f') || parsed.flags.has('--force');
	let code = 0;
	for (const ref of parsed.words) {
		const image = findImage(place.engine.images, ref);
		if (image === undefined) {
			if (force) continue;
			code = daemonError(call.io, `No such image: ${withTag(ref)}`);
			continue;
		}
		const user = place.engine.containers.find(c => c.imageId === image.id);
		const byName = image.tags.includes(withTag(ref));
		if (user !== undefined && !force && image.tags.length <= 1) {
			code = daemonError(
				call.io,
				`conflict: unable to ${byName ? 'remove repository reference' : 'delete'} ${byName ? `"${ref}"` : ref} (must ${byName ? 'force' : 'be forced'}) - container ${user.id.slice(0, 12)} is using its referenced image ${image.id.slice(7, 19)}`,
			);
			continue;
		}
		touch(place.machine.world);
		if (byName) {
			image.tags = image.tags.filter(t => t !== withTag(ref));
			call.io.out(`Untagged: ${withTag(ref)}\n`);
		}
		if (!byName || image.tags.length === 0) {
			place.engine.images = place.engine.images.filter(i => i !== image || user !== undefined);
			call.io.out(`Deleted: ${image.id}\n`);
		}
	}
	return code;
}

export function dockerImages(_: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, {
		withValue: ['--format', '-f', '--filter'],
		flags: ['-q', '--quiet', '--no-trunc', '-a', '--all', '--digests'],
	});
	const filters = allOf(parsed, '-f', '--filter');
	const wanted = parsed.words[0] ?? filters.find(f => f.startsWith('reference='))?.slice(10);
	const label = filters.find(f => f.startsWith('label='))?.slice(6);
	const quiet = parsed.flags.has('-q') || parsed.flags.has('--quiet');
	const full = parsed.flags.has('--no-trunc');
	const format = lastOf(parsed, '--format');
	const rows = place.engine.images
		.filter(i => wanted === undefined || i.tags.some(t => t === wanted || t.replace(/:[^:]*$/, '') === wanted))
		.filter(i => label === undefined || Object.entries(i.labels).some(([k, v]) => `${k}=${v}` === label || k === label))
		.flatMap(i => (i.tags.length === 0 ? ['<none>:<none>'] : i.tags).map(tag => ({ tag, image: i })));
	const id = (image: Image) => (full ? image.id : image.id.slice(7, 19));
	const fields = ({ tag, image }: (typeof rows)[number]) => ({
		Containers: 'N/A',
		CreatedAt: image.created.slice(0, 19).replace('T', ' '),
		CreatedSince: '3 weeks ago',
		Digest: image.digests[0]?.split('@')[1] ?? '<none>',
		ID: id(image),
		Repository: tag.slice(0, tag.lastIndexOf(':')),
		SharedSize: 'N/A',
		Size: humanSize(image.size),
		Tag: tag.slice(tag.lastIndexOf(':') + 1),
		UniqueSize: 'N/A',
	});
	if (quiet) for (const image of new Set(rows.map(r => r.image))) call.io.out(`${id(image)}\n`);
	else if (format === 'json') for (const row of rows) call.io.out(`${goJson(fields(row))}\n`);
	else if (format !== undefined)
		for (const row of rows) call.io.out(`${renderTemplate(format.replace(/^table /, ''), fields(row))}\n`);
	else {
		call.io.out('REPOSITORY   TAG       IMAGE ID       CREATED       SIZE\n');
		for (const row of rows) {
			const f = fields(row);
			call.io.out(
				`${f.Repository.padEnd(12)} ${f.Tag.padEnd(9)} ${f.ID.padEnd(14)} ${f.CreatedSince.padEnd(13)} ${f.Size}\n`,
			);
		}
	}
	return 0;
}

export const imageDocument = (place: Place, image: Image): Record<string, unknown> =>
	imageJson(image, place.engine, place.machine);

interface Stage {
	image: Image;
	name: string;
}

/** The classic and the BuildKit builder, for Dockerfiles of one or more stages. */
export function dockerBuild(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const parsed = parseOptions(words, {
		withValue: [
			'-t',
			'--tag',
			'-f',
			'--file',
			'--build-arg',
			'--label',
			'--network',
			'--target',
			'--progress',
			'--platform',
			'-o',
			'--output',
			'--builder',
		],
		flags: ['-q', '--quiet', '--no-cache', '--pull', '--rm', '--load', '--force-rm', '--push'],
	});
	const { world } = scope;
	touch(world);
	const context = parsed.words[0] ?? '.';
	const fromStdin = context === '-' || lastOf(parsed, '-f', '--file') === '-';
	let dockerfile = call.stdin.text;
	if (!fromStdin) {
		const path = absolute(lastOf(parsed, '-f', '--file') ?? posix.join(context, 'Dockerfile'), scope.cwd);
		const file = readText(scope, path);
		if (file.kind !== 'text') {
			call.io.err(
				'ERROR: failed to build: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory\n',
			);
			return 1;
		}
		dockerfile = file.text;
	}
	const classic = scope.env['DOCKER_BUILDKIT'] === '0';
	const tags = allOf(parsed, '-t', '--tag').map(withTag);
	const steps = dockerfile
		.replaceAll('\\\n', ' ')
		.split('\n')
		.map(line => line.trim())
		.filter(line => line !== '' && !line.startsWith('#'));
	if (steps.length === 0) {
		call.io.err(`ERROR: failed to build: failed to solve: the Dockerfile cannot be empty\n`);
		return 1;
	}
	const quiet = parsed.flags.has('-q') || parsed.flags.has('--quiet');
	const say = (text: string) => {
		if (quiet) return;
		if (classic) call.io.out(text);
		else call.io.err(text);
	};
	if (classic)
		call.io.err(
			'DEPRECATED: The legacy builder is deprecated and will be removed in a future release.\n            BuildKit is currently disabled; enable it by removing the DOCKER_BUILDKIT=0\n            environment-variable.\n\n',
		);
	if (classic) say('Sending build context to Docker daemon  2.048kB\n');
	else
		say(
			'#0 building with "default" instance using docker driver\n\n#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n\n',
		);
	const stages: Stage[] = [];
	let current: Image | undefined;
	for (const [index, step] of steps.entries()) {
		const [word = '', ...rest] = step.split(/\s+/);
		const instruction = word.toUpperCase();
		const argument = step.slice(word.length).trim();
		say(
			classic
				? `Step ${index + 1}/${steps.length} : ${step}\n`
				: `#${index + 4} [${index + 1}/${steps.length}] ${step}\n`,
		);
		spend(world, 60);
		if (instruction === 'ARG') continue;
		if (instruction === 'FROM') {
			const [ref = '', as, name = ''] = rest.filter(r => !r.startsWith('--'));
			let base =
				stages.find(s => s.name === ref)?.image ??
				(ref === 'scratch' ? emptyImage(world.state.now) : findImage(place.engine.images, ref));
			if (base === undefined) {
				const pulled = pullImage(place, ref);
				if (pulled.kind === 'failed') {
					call.io.err(classic ? `${pulled.why}\n` : `ERROR: failed to build: failed to solve: ${ref}: ${pulled.why}\n`);
					return 1;
				}
				base = pulled.image;
			}
			current = { ...structuredClone(base), tags: [], digests: [] };
			stages.push({ image: current, name: as?.toUpperCase() === 'AS' ? name : '' });
			say(classic ? ` ---> ${base.id.slice(7, 19)}\n` : `#${index + 4} DONE 0.0s\n\n`);
			continue;
		}
		if (current === undefined) {
			call.io.err('ERROR: failed to build: failed to solve: no build stage in current context\n');
			return 1;
		}
		const failed = applyStep(
			scope,
			place,
			call,
			current,
			stages,
			instruction,
			argument,
			absolute(context === '-' ? '.' : context, scope.cwd),
			say,
			classic,
			index,
		);
		if (failed !== undefined) return failed;
		current.id = `sha256:${sha256(`${current.id} ${step}`)}`;
		say(classic ? ` ---> ${current.id.slice(7, 19)}\n` : `#${index + 4} DONE 0.1s\n\n`);
	}
	if (current === undefined) return 1;
	current.created = new Date(world.state.now).toISOString();
	for (const tag of tags) untag(place.engine.images, tag);
	const same = place.engine.images.find(i => i.id === current?.id);
	if (same === undefined) place.engine.images.push({ ...current, tags: [...tags] });
	else same.tags.push(...tags);
	if (quiet) call.io.out(`${current.id}\n`);
	else if (classic) {
		say(`Successfully built ${current.id.slice(7, 19)}\n`);
		for (const tag of tags) say(`Successfully tagged ${tag}\n`);
	} else
		say(
			`#${steps.length + 4} exporting to image\n#${steps.length + 4} writing image ${current.id} done\n${tags.map(tag => `#${steps.length + 4} naming to docker.io/library/${tag} done\n`).join('')}#${steps.length + 4} DONE 0.1s\n`,
		);
	return 0;
}

const emptyImage = (now: number): Image => ({
	id: `sha256:${sha256('scratch')}`,
	tags: [],
	digests: [],
	size: 0,
	created: new Date(now).toISOString(),
	flavour: 'busybox',
	entrypoint: [],
	command: [],
	env: [],
	labels: {},
	user: '',
	workdir: '',
	exposed: [],
	volumes: [],
	files: {},
});

const listOf = (text: string): string[] => {
	if (!text.startsWith('[')) return ['/bin/sh', '-c', text];
	try {
		return (JSON.parse(text) as unknown[]).map(String);
	} catch {
		return ['/bin/sh', '-c', text];
	}
};

function applyStep(
	scope: Scope,
	place: Place,
	call: Call,
	image: Image,
	stages: readonly Stage[],
	instruction: string,
	argument: string,
	context: string,
	say: (text: string) => void,
	classic: boolean,
	index: number,
): number | undefined {
	switch (instruction) {
		case 'CMD':
			image.command = listOf(argument);
			return undefined;
		case 'ENTRYPOINT':
			image.entrypoint = listOf(argument);
			image.command = [];
			return undefined;
		case 'ENV': {
			const [, name = '', value = ''] = /^(\w+)[= ]"?(.*?)"?$/.exec(argument) ?? [];
			image.env.push(`${name}=${value}`);
			return undefined;
		}
		case 'LABEL': {
			const [, name = '', value = ''] = /^"?([^"=]+)"?="?(.*?)"?$/.exec(argument) ?? [];
			image.labels[name] = value;
			return undefined;
		}
		case 'WORKDIR':
			image.workdir = argument;
			image.files[argument] = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
			return undefined;
		case 'USER':
			image.user = argument;
			return undefined;
		case 'EXPOSE':
			image.exposed.push(`${argument}/tcp`);
			return undefined;
		case 'VOLUME':
			image.volumes.push(...(argument.startsWith('[') ? listOf(argument) : argument.split(' ')));
			return undefined;
		case 'COPY':
		case 'ADD': {
			const paths = argument.split(/\s+/).filter(p => !p.startsWith('--'));
			const to = paths.at(-1) ?? '/';
			const from = /--from=(\S+)/.exec(argument)?.[1];
			for (const path of paths.slice(0, -1)) {
				const source = from === undefined ? readText(scope, posix.join(context, path)) : undefined;
				const stageFile = from === undefined ? undefined : stages.find(s => s.name === from)?.image.files[path];
				const text = source?.kind === 'text' ? source.text : stageFile?.kind === 'file' ? textOf(stageFile) : undefined;
				if (text === undefined) {
					call.io.err(
						`ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref: "/${path}": not found\n`,
					);
					return 1;
				}
				const target =
					to.endsWith('/') || to === '.'
						? posix.join(to === '.' ? image.workdir || '/' : to, posix.basename(path))
						: absolute(to, image.workdir || '/');
				image.files[target] = fileNode(text, {
					mode: source?.kind === 'text' && source.node.kind === 'file' ? source.node.mode : 0o755,
					uid: 0,
					gid: 0,
				});
			}
			return undefined;
		}
		case 'RUN': {
			const argv = listOf(argument.replace(/^--\S+\s+/, ''));
			const temporary: Image = { ...structuredClone(image), id: `sha256:${nextHex(scope.world, 64)}` };
			place.engine.images.push(temporary);
			// BuildKit runs its steps with runc, whatever the default runtime is (moby/buildkit issue 2485).
			const created = createContainer(place, {
				image: temporary,
				imageRef: temporary.id,
				entrypoint: [],
				command: ['sleep', 'infinity'],
				options: { ...structuredClone(defaultOptions), user: image.user, workdir: image.workdir },
				...(!classic && { runtime: 'runc' }),
			});
			place.engine.images = place.engine.images.filter(i => i !== temporary);
			if (created.kind === 'refused') {
				call.io.err(`${created.text}\n`);
				return 1;
			}
			place.engine.images.push(temporary);
			const started = startContainer(place, created.container);
			if (classic) say(` ---> Running in ${created.container.id.slice(0, 12)}\n`);
			const result =
				started.kind === 'refused'
					? { exit: 1 as Exit, stdout: '', stderr: started.text }
					: outputOf(place, created.container, argv);
			const lines = `${result.stdout}${result.stderr}`.split('\n').filter(Boolean);
			for (const line of lines) say(classic ? `${line}\n` : `#${index + 4} 0.1 ${line}\n`);
			Object.assign(image.files, created.container.files);
			removeContainer(place.engine, created.container);
			place.engine.images = place.engine.images.filter(i => i !== temporary);
			if (classic) say(' ---> Removed intermediate container\n');
			if (result.exit === 0) return undefined;
			const code = result.exit === 'endless' ? 137 : result.exit;
			call.io.err(
				classic
					? `The command '/bin/sh -c ${argument}' returned a non-zero code: ${code}\n`
					: `ERROR: failed to build: failed to solve: process "/bin/sh -c ${argument}" did not complete successfully: exit code: ${code}\n`,
			);
			return classic ? code : 1;
		}
		default:
			return undefined;
	}
}

/** `docker import -` or a file: one image from a tree of files. */
export function dockerImport(scope: Scope, place: Place, call: Call, words: readonly string[]): Exit {
	const [, name] = words.filter(w => !w.startsWith('-') || w === '-');
	touch(scope.world);
	const image: Image = {
		...emptyImage(scope.world.state.now),
		id: `sha256:${nextHex(scope.world, 64)}`,
		size: 2_830_000,
		command: ['sh'],
	};
	if (name !== undefined) {
		untag(place.engine.images, withTag(name));
		image.tags.push(withTag(name));
	}
	place.engine.images.push(image);
	call.io.out(`${image.id}\n`);
	return 0;
}
