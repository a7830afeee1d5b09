import { absolute, resolve } from '../file-tree.ts';
import { installPackage, removePackage, sysboxPackage } from '../packages.ts';
import type { InstalledPackage, PackageControl } from '../state.ts';
import { type Program, type Scope, touch, UnsimulatedCommand } from '../world.ts';
import { compareVersions } from './apt.ts';
import { lastOf, parseOptions } from './options.ts';

function fieldsOf(p: PackageControl & Partial<InstalledPackage>): Readonly<Record<string, string>> {
	const status = p.status ?? 'installed';
	const want = p.hold ? 'hold' : status === 'config-files' ? 'deinstall' : 'install';
	return {
		Package: p.name,
		'binary:Package': p.name,
		Version: p.version,
		Architecture: p.architecture,
		Status: `${want} ok ${status}`,
		'db:Status-Status': status,
		'db:Status-Want': want,
		'db:Status-Eflag': 'ok',
		'db:Status-Abbrev': `${want.charAt(0) === 'd' ? 'r' : want.charAt(0)}${status === 'config-files' ? 'c' : status === 'half-configured' ? 'F' : 'i'} `,
		'binary:Summary': p.description ?? p.name,
		Depends: p.depends.join(', '),
		'Installed-Size': String(p.sizeKb ?? 120),
		Maintainer:
			p.name === sysboxPackage
				? 'Nestybox Support <support@nestybox.com>'
				: 'Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>',
		Section: 'admin',
		Priority: 'optional',
	};
}

const globMatch = (pattern: string, name: string): boolean =>
	new RegExp(
		`^${pattern
			.replace(/[.+^${}()|\\]/g, '\\$&')
			.replaceAll('*', '.*')
			.replaceAll('?', '.')}$`,
	).test(name);

const showFormat = (format: string, p: PackageControl): string =>
	format
		.replaceAll('\\n', '\n')
		.replaceAll('\\t', '\t')
		.replace(/\$\{([^}]+)\}/g, (_, name: string) => fieldsOf(p)[name.split(';')[0] ?? ''] ?? '');

/** dpkg-query -W, -s, -S, -L. */
export const dpkgQuery: Program = (scope, call) => {
	const parsed = parseOptions(
		call.argv.slice(1).map(a => a.replace(/^-f=/, '--showformat=')),
		{
			withValue: ['-f', '--showformat', '--admindir'],
			flags: ['-W', '--show', '-s', '--status', '-S', '--search', '-L', '--listfiles', '-l', '--list', '--no-pager'],
		},
	);
	const { packages } = scope.world.state;
	const has = (...names: string[]) => names.some(n => parsed.flags.has(n));
	if (has('-S', '--search')) return search(scope, call.io, parsed.words);
	if (has('-L', '--listfiles')) {
		for (const name of parsed.words) for (const path of packages[name]?.files ?? []) call.io.out(`${path}\n`);
		return 0;
	}
	if (has('-s', '--status')) return status(scope, call.io, parsed.words);
	// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format language
	const format = lastOf(parsed, '--showformat', '-f') ?? '${Package}\\t${Version}\\n';
	if (has('-l', '--list')) {
		call.io.out(
			'Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n||/ Name           Version      Architecture Description\n+++-==============-============-============-=================================\n',
		);
	}
	let code = 0;
	const patterns = parsed.words.length === 0 ? ['*'] : parsed.words;
	for (const pattern of patterns) {
		const found = Object.values(packages).filter(p => globMatch(pattern.replace(/:\w+$/, ''), p.name));
		for (const p of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
			call.io.out(
				has('-l', '--list')
					? `${fieldsOf(p)['db:Status-Abbrev']} ${p.name.padEnd(14)} ${p.version.padEnd(12)} ${p.architecture.padEnd(12)} ${p.description ?? p.name}\n`
					: showFormat(format, p),
			);
		}
		if (found.length > 0) continue;
		call.io.err(`dpkg-query: no packages found matching ${pattern}\n`);
		code = 1;
	}
	return code;
};

function status(scope: Scope, io: Parameters<Program>[1]['io'], names: readonly string[]): number {
	let code = 0;
	for (const name of names) {
		const p = scope.world.state.packages[name];
		if (p === undefined) {
			io.err(
				`dpkg-query: package '${name}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n`,
			);
			code = 1;
			continue;
		}
		const fields = fieldsOf(p);
		io.out(
			`${['Package', 'Status', 'Priority', 'Section', 'Installed-Size', 'Maintainer', 'Architecture', 'Version', 'Depends'].map(f => `${f}: ${fields[f]}\n`).join('')}\n`,
		);
	}
	return code;
}

function search(scope: Scope, io: Parameters<Program>[1]['io'], paths: readonly string[]): number {
	let code = 0;
	for (const path of paths) {
		const owner = Object.values(scope.world.state.packages).find(p => p.files.includes(path));
		if (owner !== undefined) io.out(`${owner.name}: ${path}\n`);
		else {
			io.err(`dpkg-query: no path found matching pattern ${path}\n`);
			code = 1;
		}
	}
	return code;
}

export const dpkg: Program = (scope, call) => {
	const args = call.argv.slice(1);
	const [first = '', ...rest] = args;
	const { world } = scope;
	const { state } = world;
	switch (first) {
		case '--print-architecture':
			call.io.out(`${state.machine.arch}\n`);
			return 0;
		case '--print-foreign-architectures':
			return 0;
		case '--version':
			call.io.out("Debian 'dpkg' package management program version 1.22.6 (amd64).\n");
			return 0;
		case '--audit':
		case '-C': {
			const broken = Object.values(state.packages).filter(p => p.status === 'half-configured');
			if (broken.length > 0)
				call.io.out(
					`The following packages are only half configured, probably due to problems\nconfiguring them the first time. The configuration should be retried using\ndpkg --configure <package> or the configure menu option in dselect:\n${broken.map(p => ` ${p.name}\n`).join('')}\n`,
				);
			return broken.length > 0 ? 1 : 0;
		}
		case '--compare-versions': {
			const [a = '', operator = '', b = ''] = rest;
			const order = compareVersions(a, b);
			const holds: Readonly<Record<string, boolean>> = {
				lt: order < 0,
				le: order <= 0,
				eq: order === 0,
				ne: order !== 0,
				ge: order >= 0,
				gt: order > 0,
			};
			return holds[operator] ? 0 : 1;
		}
		case '--configure': {
			if (scope.who.uid !== 0) {
				call.io.err('dpkg: error: requested operation requires superuser privilege\n');
				return 2;
			}
			touch(world);
			const broken = Object.values(state.packages).filter(p => p.status === 'half-configured');
			let code = 0;
			for (const p of broken) {
				const problem = installPackage(
					world,
					p,
					line => call.io.out(line.startsWith('Setting up') ? `${line}\n` : ''),
					p.auto ?? false,
				);
				if (problem === undefined) continue;
				call.io.err(
					`dpkg: error processing package ${p.name} (--configure):\n${problem}\nErrors were encountered while processing:\n ${p.name}\n`,
				);
				code = 1;
			}
			return code;
		}
		case '-r':
		case '--remove':
		case '-P':
		case '--purge':
			for (const name of rest.filter(a => !a.startsWith('-')))
				removePackage(world, name, first === '-P' || first === '--purge', line => call.io.out(`${line}\n`));
			return 0;
		case '-i':
		case '--install': {
			const control = debAt(scope, rest[0] ?? '');
			if (control === undefined) {
				call.io.err(`dpkg-deb: error: '${rest[0]}' is not a Debian format archive\n`);
				return 1;
			}
			const problem = installPackage(world, control, line => call.io.out(`${line}\n`), false);
			if (problem !== undefined)
				call.io.err(`dpkg: error processing package ${control.name} (--install):\n${problem}\n`);
			return problem === undefined ? 0 : 1;
		}
		case '-s':
		case '--status':
		case '-l':
		case '--list':
		case '-S':
		case '--search':
		case '-L':
		case '--listfiles':
			return dpkgQuery(scope, call);
		default:
			throw new UnsimulatedCommand(call.argv, `dpkg ${first}`);
	}
};

function debAt(scope: Scope, path: string): PackageControl | undefined {
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	const holds = found.kind === 'found' && found.node.kind === 'file' ? found.node.declared?.holds : undefined;
	return holds?.kind === 'deb' ? holds.package : undefined;
}

/** dpkg-deb -f FILE [FIELD…]: one field bare, several with their names. */
export const dpkgDeb: Program = (scope, call) => {
	const [verb = '', ...rest] = call.argv.slice(1);
	if (!['-f', '--field', '-I', '--info', '-c', '--contents', '-W', '--show'].includes(verb))
		throw new UnsimulatedCommand(call.argv, `dpkg-deb ${verb}`);
	const [path = '', ...wanted] = rest.filter(a => !a.startsWith('--showformat'));
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	if (found.kind === 'problem') {
		call.io.err(`dpkg-deb: error: failed to read archive '${path}': No such file or directory\n`);
		return 2;
	}
	const control = debAt(scope, path);
	if (control === undefined) {
		call.io.err(`dpkg-deb: error: '${path}' is not a Debian format archive\n`);
		return 2;
	}
	if (verb === '-c' || verb === '--contents') {
		for (const file of control.files) call.io.out(`-rwxr-xr-x root/root  1234567 2026-07-31 20:12 .${file}\n`);
		return 0;
	}
	const fields = fieldsOf(control);
	const names =
		wanted.length === 0
			? ['Package', 'Version', 'Architecture', 'Maintainer', 'Installed-Size', 'Depends', 'Section', 'Priority']
			: wanted;
	const [only] = wanted;
	if (wanted.length === 1 && only !== undefined) call.io.out(`${fields[only] ?? ''}\n`);
	else for (const name of names) if (fields[name] !== undefined) call.io.out(`${name}: ${fields[name]}\n`);
	return 0;
};
