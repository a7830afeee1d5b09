import { absolute, resolve } from '../file-tree.ts';
import { installPackage } from '../packages.ts';
import type { InstalledPackage, PackageControl } from '../state.ts';
import { type Program, type Scope, touch, UnsimulatedCommand } from '../world.ts';
import { compareVersions } from './apt.ts';
import { lastOf, parseOptions } from './options.ts';

function fieldsOf(p: PackageControl & Partial<InstalledPackage>): Readonly<Record<string, string>> {
	const status = p.status ?? 'installed';
	const want = p.hold ? 'hold' : status === 'config-files' ? 'deinstall' : 'install';
	const abbreviated = { installed: 'i', 'config-files': 'c', 'half-configured': 'F' }[status];
	return {
		Package: p.name,
		Version: p.version,
		Architecture: p.architecture,
		'db:Status-Abbrev': `${want.charAt(0) === 'd' ? 'r' : want.charAt(0)}${abbreviated} `,
	};
}

/** dpkg-query -W */
export const dpkgQuery: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), { withValue: ['-f', '--showformat'], flags: ['-W', '--show'] });
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, String(parsed.unknown[0]));
	// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format language
	const format = lastOf(parsed, '--showformat', '-f') ?? '${Package}\\t${Version}\\n';
	const shown = (p: PackageControl) =>
		format
			.replaceAll('\\n', '\n')
			.replaceAll('\\t', '\t')
			.replace(/\$\{([^}]+)\}/g, (_, name: string) => fieldsOf(p)[name] ?? '');
	const { packages } = scope.world.state;
	const all = Object.keys(packages).toSorted();
	let code = 0;
	for (const name of parsed.words.length === 0 ? all : parsed.words) {
		const found = packages[name];
		if (found !== undefined) call.io.out(shown(found));
		else {
			call.io.err(`dpkg-query: no packages found matching ${name}\n`);
			code = 1;
		}
	}
	return code;
};

/** dpkg --configure -a, --install FILE, --audit and --compare-versions. */
export const dpkg: Program = (scope, call) => {
	const [, verb = '', ...rest] = call.argv;
	const { world } = scope;
	const broken = Object.values(world.state.packages).filter(p => p.status === 'half-configured');
	if (verb === '--audit') {
		if (broken.length > 0)
			call.io.out(
				`The following packages are only half configured, probably due to problems\nconfiguring them the first time. The configuration should be retried using\ndpkg --configure <package> or the configure menu option in dselect:\n${broken.map(p => ` ${p.name}\n`).join('')}\n`,
			);
		return broken.length > 0 ? 1 : 0;
	}
	if (verb === '--compare-versions') {
		const [a = '', operator = '', b = ''] = rest;
		const order = Math.sign(compareVersions(a, b));
		return { lt: [-1], le: [-1, 0], eq: [0], ge: [0, 1], gt: [1] }[operator]?.includes(order) === true ? 0 : 1;
	}
	const installs = verb === '--install' && rest[0] === '--force-confold';
	if (verb !== '--configure' && !installs) throw new UnsimulatedCommand(call.argv, `dpkg ${verb}`);
	if (scope.who.uid !== 0) {
		call.io.err('dpkg: error: requested operation requires superuser privilege\n');
		return 2;
	}
	const [, path = ''] = rest;
	const passed = installs ? debAt(scope, path) : undefined;
	if (installs && passed === undefined) {
		call.io.err(`dpkg: error: cannot access archive '${path}': No such file or directory\n`);
		return 2;
	}
	touch(world);
	const say = (line: string) => call.io.out(line.startsWith('Setting up') ? `${line}\n` : '');
	let code = 0;
	for (const p of passed === undefined ? broken : [passed]) {
		const problem = installPackage(world, p, say, world.state.packages[p.name]?.auto ?? false);
		if (problem === undefined) continue;
		call.io.err(
			`dpkg: error processing package ${p.name} (--configure):\n${problem}\nErrors were encountered while processing:\n ${p.name}\n`,
		);
		code = 1;
	}
	return code;
};

function debAt(scope: Scope, path: string): PackageControl | undefined {
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	if (found.kind === 'problem' || found.node.kind !== 'file') return undefined;
	const holds = found.node.declared?.holds;
	return holds?.kind === 'deb' ? holds.package : undefined;
}

/** dpkg-deb --field FILE FIELD…: one field bare, several with their names. */
export const dpkgDeb: Program = (scope, call) => {
	const [, verb = '', path = '', ...wanted] = call.argv;
	if (!['-f', '--field'].includes(verb)) throw new UnsimulatedCommand(call.argv, `dpkg-deb ${verb}`);
	const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
	if (found.kind === 'problem') {
		call.io.err(`dpkg-deb: error: failed to read archive '${path}': No such file or directory\n`);
		return 2;
	}
	const holds = found.node.kind === 'file' ? found.node.declared?.holds : undefined;
	if (holds?.kind !== 'deb') {
		call.io.err(`dpkg-deb: error: '${path}' is not a Debian format archive\n`);
		return 2;
	}
	const fields = fieldsOf(holds.package);
	for (const name of wanted) call.io.out(wanted.length === 1 ? `${fields[name]}\n` : `${name}: ${fields[name]}\n`);
	return 0;
};
