import { absolute, put, resolve } from '../file-tree.ts';
import { installPackage, lockHolder, removePackage, resolvePackages, type Say, sysboxControl } from '../packages.ts';
import { fileOf } from '../services.ts';
import type { PackageControl } from '../state.ts';
import {
	type Call,
	type Exit,
	type Program,
	type Scope,
	spend,
	touch,
	UnsimulatedCommand,
	type World,
} from '../world.ts';
import { allOf, parseOptions } from './options.ts';

/** apt-get and apt-mark. Words as apt 2.7 prints them. */

const table = {
	withValue: ['-o'],
	flags: [...['-y', '-s', '--simulate', '--no-install-recommends', '--allow-downgrades', '--no-remove']],
};

/** Where packages come from, as apt shows it. */
function source(world: World): { readonly url: string; readonly suite: string; readonly release: string } {
	const text = fileOf(world, '/etc/os-release') ?? '';
	const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(text)?.[1] ?? '';
	return field('ID') === 'debian'
		? {
				url: 'http://mirror.example/debian',
				suite: field('VERSION_CODENAME'),
				release: `Debian:${field('VERSION_ID')}/stable`,
			}
		: {
				url: 'http://archive.ubuntu.com/ubuntu',
				suite: field('VERSION_CODENAME'),
				release: `Ubuntu:${field('VERSION_ID')}/${field('VERSION_CODENAME')}`,
			};
}

const reading = 'Reading package lists...\nBuilding dependency tree...\nReading state information...\n';

export const aptGet: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), table);
	if (parsed.unknown.length > 0) {
		call.io.err(
			`E: Command line option '${parsed.unknown[0]}' is not understood in combination with the other options\n`,
		);
		return 100;
	}
	const [verb = '', ...names] = parsed.words;
	const simulate = parsed.flags.has('-s') || parsed.flags.has('--simulate');
	const { world } = scope;
	spend(world, 350);
	if (!simulate) {
		const locked = lock(scope, call, allOf(parsed, '-o'));
		if (locked !== undefined) return locked;
	}
	switch (verb) {
		case 'update':
			return update(scope, call);
		case 'install':
			return install(scope, call, names, simulate, parsed.flags);
		case 'satisfy': {
			const wanted: PackageControl = {
				name: 'satisfy:command-line',
				version: '1',
				architecture: 'all',
				depends: names.flatMap(n => n.split(',')).map(n => n.trim()),
				files: [],
			};
			const resolved = resolvePackages(world, [wanted]);
			call.io.out(reading);
			if (resolved.kind === 'unmet') return unmet(call, resolved.lines);
			return carryOut(
				scope,
				call,
				{ install: resolved.install.filter(p => p !== wanted), remove: resolved.remove, named: [] },
				simulate,
			);
		}
		case 'purge':
		case 'remove':
			return remove(scope, call, names, verb === 'purge', simulate);
		default:
			throw new UnsimulatedCommand(call.argv, `apt-get ${verb}`);
	}
};

function lock(scope: Scope, call: Call, settings: readonly string[]): number | undefined {
	if (scope.who.uid !== 0) {
		call.io.err(
			'E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n',
		);
		return 100;
	}
	const patience = Number(settings.map(s => /^DPkg::Lock::Timeout=(-?\d+)$/i.exec(s)?.[1]).find(Boolean) ?? 0);
	let holder = lockHolder(scope.world);
	for (let waited = 0; holder !== undefined && waited < patience; waited += 10) {
		if (waited === 0)
			call.io.out(
				`Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ${holder.pid} (${holder.name})...\n`,
			);
		spend(scope.world, 10_000);
		holder = lockHolder(scope.world);
	}
	if (holder === undefined) return undefined;
	call.io.err(
		`E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ${holder.pid} (${holder.name})\nN: Be aware that removing the lock file is not a solution and may break your system.\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n`,
	);
	return 100;
}

function update(scope: Scope, call: Call): Exit {
	const { world } = scope;
	touch(world);
	if (!world.state.internet) {
		spend(world, 4000);
		call.io.out(
			`Err:1 ${source(world).url} ${source(world).suite} InRelease\n  Temporary failure resolving '${new URL(source(world).url).host}'\nReading package lists...\n`,
		);
		call.io.err(
			`W: Failed to fetch ${source(world).url}/dists/${source(world).suite}/InRelease  Temporary failure resolving '${new URL(source(world).url).host}'\nW: Some index files failed to download. They have been ignored, or old ones used instead.\n`,
		);
		return 0;
	}
	spend(world, 2600);
	put(world.state.files, `/var/lib/apt/lists/${new URL(source(world).url).host}_dists_main_binary-amd64_Packages`, '');
	call.io.out(
		`Hit:1 ${source(world).url} ${source(world).suite} InRelease\nGet:2 ${source(world).url} ${source(world).suite}-updates InRelease [126 kB]\nFetched 126 kB in 1s (118 kB/s)\nReading package lists...\n`,
	);
	return 0;
}

/** Names, `name=version` and files, as apt-get takes them. A text is what apt has against one of them. */
function wantedOf(scope: Scope, name: string): PackageControl | string {
	const { state } = scope.world;
	if (name.includes('/')) {
		const found = resolve(scope.view, absolute(name, scope.cwd), scope.who);
		if (found.kind === 'problem' || found.node.kind !== 'file')
			return `E: Unsupported file ${name} given on commandline`;
		const holds = found.node.declared?.holds;
		if (holds?.kind === 'deb') return holds.package;
		return `E: Invalid archive signature\nE: Internal error, could not locate member control.tar{.zst,.lz4,.gz,.xz,.bz2,.lzma,}\nE: Could not read meta data from ${absolute(name, scope.cwd)}\nE: The package lists or status file could not be parsed or opened.`;
	}
	const [bare = '', version] = name.split('=');
	const control = state.archive[bare.replace(/:.*$/, '')];
	if (control === undefined) {
		const installed = state.packages[bare];
		if (installed?.status === 'installed') return installed;
		return `E: Unable to locate package ${bare}`;
	}
	if (version !== undefined && version !== control.version)
		return `E: Version '${version}' for '${bare}' was not found`;
	return control;
}

function unmet(call: Call, lines: readonly string[]): Exit {
	call.io.out(
		`Some packages could not be installed. This may mean that you have\nrequested an impossible situation or if you are using the unstable\ndistribution that some required packages have not yet been created\nor been moved out of Incoming.\nThe following information may help to resolve the situation:\n\nThe following packages have unmet dependencies:\n${lines.map(l => `${l}\n`).join('')}`,
	);
	call.io.err('E: Unable to correct problems, you have held broken packages.\n');
	return 100;
}

interface Work {
	readonly install: readonly PackageControl[];
	readonly remove: readonly string[];
	readonly named: readonly string[];
}

function install(
	scope: Scope,
	call: Call,
	names: readonly string[],
	simulate: boolean,
	flags: ReadonlySet<string>,
): Exit {
	const { world } = scope;
	const { packages } = world.state;
	const wanted: PackageControl[] = [];
	for (const name of names) {
		const control = wantedOf(scope, name);
		if (typeof control === 'string') {
			call.io.out(reading);
			call.io.err(`${control}\n`);
			return 100;
		}
		if (control.architecture !== 'all' && control.architecture !== world.state.machine.arch && name.includes('/')) {
			call.io.out(reading);
			return unmet(call, [
				` ${control.name}:${control.architecture} : Depends: ${control.depends[0] ?? 'libc6'}:${control.architecture} but it is not installable`,
			]);
		}
		const now = packages[control.name];
		if (name.includes('/')) call.io.out(`Note, selecting '${control.name}' instead of '${name}'\n`);
		if (now?.status === 'installed' && now.version === control.version) {
			call.io.out(`${control.name} is already the newest version (${control.version}).\n`);
			continue;
		}
		if (now?.hold) {
			call.io.out(reading);
			call.io.err('E: Held packages were changed and -y was used without --allow-change-held-packages.\n');
			return 100;
		}
		if (now?.status === 'installed' && older(control.version, now.version) && !flags.has('--allow-downgrades')) {
			call.io.out(reading);
			call.io.err('E: Packages were downgraded and -y was used without --allow-downgrades.\n');
			return 100;
		}
		wanted.push(control);
	}
	call.io.out(reading);
	const resolved = resolvePackages(world, wanted);
	if (resolved.kind === 'unmet') return unmet(call, resolved.lines);
	if (resolved.remove.length > 0 && flags.has('--no-remove')) {
		call.io.err('E: Packages need to be removed but remove is disabled.\n');
		return 100;
	}
	return carryOut(
		scope,
		call,
		{ install: resolved.install, remove: resolved.remove, named: wanted.map(w => w.name) },
		simulate,
	);
}

const older = (a: string, b: string): boolean => compareVersions(a, b) < 0;

/** Close enough to dpkg's order for the versions that occur here: numbers by value, the rest by letter. */
export function compareVersions(a: string, b: string): number {
	const parts = (text: string) => text.match(/\d+|[^\d]+/g) ?? [];
	const [left, right] = [parts(a), parts(b)];
	for (let n = 0; n < Math.max(left.length, right.length); n += 1) {
		const [x = '', y = ''] = [left[n], right[n]];
		if (x === y) continue;
		if (x === '' || y === '') return x.startsWith('~') || (x === '' && !y.startsWith('~')) ? -1 : 1;
		const [i, j] = [Number(x), Number(y)];
		if (!Number.isNaN(i) && !Number.isNaN(j)) return i - j;
		return x < y ? -1 : 1;
	}
	return 0;
}

function carryOut(scope: Scope, call: Call, work: Work, simulate: boolean): Exit {
	const { world } = scope;
	const { packages } = world.state;
	const fresh = work.install.filter(p => packages[p.name]?.status !== 'installed');
	const upgraded = work.install.filter(p => packages[p.name]?.status === 'installed');
	const extra = fresh.filter(p => !work.named.includes(p.name));
	const block = (title: string, names: readonly string[]) =>
		names.length === 0 ? '' : `${title}\n  ${names.join(' ')}\n`;
	call.io.out(
		block(
			'The following additional packages will be installed:',
			extra.map(p => p.name),
		) +
			block('The following packages will be REMOVED:', work.remove) +
			block(
				'The following NEW packages will be installed:',
				fresh.map(p => p.name),
			) +
			block(
				'The following packages will be upgraded:',
				upgraded.map(p => p.name),
			),
	);
	call.io.out(
		`${upgraded.length} upgraded, ${fresh.length} newly installed, ${work.remove.length} to remove and 12 not upgraded.\n`,
	);
	if (simulate) {
		for (const name of work.remove) call.io.out(`Remv ${name} [${packages[name]?.version}]\n`);
		for (const p of work.install) {
			const old = packages[p.name]?.status === 'installed' ? ` [${packages[p.name]?.version}]` : '';
			call.io.out(`Inst ${p.name}${old} (${p.version} ${source(world).release} [${p.architecture}])\n`);
		}
		for (const p of work.install)
			call.io.out(`Conf ${p.name} (${p.version} ${source(world).release} [${p.architecture}])\n`);
		return 0;
	}
	if (work.install.length === 0 && work.remove.length === 0) return 0;
	touch(world);
	if (!fetchAll(world, call, work)) return 100;
	return configureAll(world, call, work);
}

/** False: there is no way to the archive. */
function fetchAll(world: World, call: Call, work: Work): boolean {
	const { arch } = world.state.machine;
	const { url, suite } = source(world);
	const fetched = work.install.filter(p => !isLocal(call, p));
	if (fetched.length > 0 && !world.state.internet) {
		spend(world, 6000);
		for (const p of fetched)
			call.io.err(
				`E: Failed to fetch ${url}/pool/main/${p.name}_${p.version}_${arch}.deb  Temporary failure resolving '${new URL(url).host}'\n`,
			);
		call.io.err('E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n');
		return false;
	}
	for (const [n, p] of fetched.entries()) {
		call.io.out(`Get:${n + 1} ${url} ${suite}/main ${arch} ${p.name} ${arch} ${p.version} [${p.sizeKb ?? 60} kB]\n`);
		spend(world, 300);
	}
	return true;
}

function configureAll(world: World, call: Call, work: Work): Exit {
	const failure = world.faults.fires('apt-fails', `apt-get ${work.named.join(' ')}`);
	const say: Say = line => call.io.out(`${line}\n`);
	for (const name of work.remove) removePackage(world, name, false, say);
	const broken: string[] = [];
	for (const p of work.install) {
		if (failure?.errno === 'ENOSPC' && p === work.install.at(-1)) {
			const archive = isLocal(call, p)
				? `${p.name}.deb`
				: `/var/cache/apt/archives/${p.name}_${p.version}_${p.architecture}.deb`;
			call.io.err(
				`dpkg: error processing archive ${archive} (--unpack):\n cannot copy extracted data for '.${p.files[0] ?? '/usr'}' to '${p.files[0] ?? '/usr'}.dpkg-new': failed to write (No space left on device)\n`,
			);
			broken.push(p.name);
			continue;
		}
		const problem =
			failure !== undefined && p === work.install.at(-1)
				? ` installed ${p.name} package post-installation script subprocess returned error exit status 1`
				: installPackage(world, p, say, !work.named.includes(p.name));
		if (problem === undefined) continue;
		call.io.err(`dpkg: error processing package ${p.name} (--configure):\n${problem}\n`);
		broken.push(p.name);
	}
	if (broken.length === 0) return 0;
	call.io.err(
		`Errors were encountered while processing:\n${broken.map(b => ` ${b}\n`).join('')}E: Sub-process /usr/bin/dpkg returned an error code (1)\n`,
	);
	return 100;
}

const isLocal = (call: Call, control: PackageControl): boolean =>
	call.argv.some(
		word =>
			word.includes('/') &&
			(sysboxControl(word)?.name === control.name || word.endsWith('.deb')) &&
			control.name === 'sysbox-ce',
	);

function remove(scope: Scope, call: Call, names: readonly string[], purge: boolean, simulate: boolean): Exit {
	const { packages } = scope.world.state;
	call.io.out(reading);
	const there: string[] = [];
	for (const name of names) {
		const state = packages[name];
		if (state === undefined && scope.world.state.archive[name] === undefined) {
			call.io.err(`E: Unable to locate package ${name}\n`);
			return 100;
		}
		if (state === undefined || (state.status === 'config-files' && !purge))
			call.io.out(`Package '${name}' is not installed, so not removed\n`);
		else there.push(name);
	}
	const dependents = Object.values(packages).filter(
		p =>
			p.status === 'installed' &&
			!there.includes(p.name) &&
			p.depends.some(d => there.includes(d.replace(/\s.*$/, ''))),
	);
	const all = [...there, ...dependents.map(p => p.name)];
	if (all.length > 0)
		call.io.out(`The following packages will be REMOVED:\n  ${all.map(n => (purge ? `${n}*` : n)).join(' ')}\n`);
	call.io.out(`0 upgraded, 0 newly installed, ${all.length} to remove and 12 not upgraded.\n`);
	if (simulate) {
		for (const name of all) call.io.out(`${purge ? 'Purg' : 'Remv'} ${name} [${packages[name]?.version}]\n`);
		return 0;
	}
	if (scope.world.faults.fires('apt-fails', `apt-get ${names.join(' ')}`) !== undefined) {
		call.io.err('E: Sub-process /usr/bin/dpkg returned an error code (1)\n');
		return 100;
	}
	for (const name of all) removePackage(scope.world, name, purge, line => call.io.out(`${line}\n`));
	return 0;
}

export const aptMark: Program = (scope, call) => {
	const [, verb = '', ...names] = call.argv;
	const { packages } = scope.world.state;
	if (verb === 'showauto') {
		for (const p of Object.values(packages))
			if (p.auto && (names.length === 0 || names.includes(p.name))) call.io.out(`${p.name}\n`);
		return 0;
	}
	if (verb !== 'auto' && verb !== 'hold') throw new UnsimulatedCommand(call.argv, `apt-mark ${verb}`);
	if (scope.who.uid !== 0) {
		call.io.err(
			'E: Could not create temporary file for /var/lib/apt/extended_states - mkstemp (13: Permission denied)\n',
		);
		return 100;
	}
	for (const name of names) {
		const p = packages[name];
		if (p === undefined) {
			call.io.err(`E: Unable to locate package ${name}\n`);
			return 100;
		}
		touch(scope.world);
		p[verb] = true;
		call.io.out(verb === 'hold' ? `${name} set on hold.\n` : `${name} set to automatically installed.\n`);
	}
	return 0;
};
