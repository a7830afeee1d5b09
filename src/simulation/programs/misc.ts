import { fileOf } from '../services.ts';
import { runtimeFeatures, versionText } from '../sysbox-programs.ts';
import { atLeast, type Program, spend, touch, type World } from '../world.ts';
import { lastOf, parseOptions } from './options.ts';

const fileSystemLines = /^\s*mount\s+fstype=@\{fuse_types\}.*->\s*\/var\/lib\/sysboxfs\//m;

/** Reads a profile of fusermount3 as apparmor_parser would: its own text and what the operator added. */
export function fuseProfileAllows(world: World): boolean {
	const own = fileOf(world, '/etc/apparmor.d/fusermount3') ?? '';
	const local = fileOf(world, '/etc/apparmor.d/local/fusermount3') ?? '';
	return fileSystemLines.test(own) || fileSystemLines.test(local);
}

const apparmorParser: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: [],
		flags: ['-r', '-R', '-a', '-Q', '-K', '-T', '-W', '--replace', '--remove', '--skip-kernel-load', '-q', '-d', '-N'],
	});
	const { world } = scope;
	const check = parsed.flags.has('-Q') || parsed.flags.has('--skip-kernel-load') || parsed.flags.has('-N');
	for (const path of parsed.words) {
		const text = fileOf(world, path);
		if (text === undefined) {
			call.io.err(`File ${path} not found, skipping...\n`);
			return 1;
		}
		const local = /local\/(\w+)/.exec(text)?.[1];
		const added = local === undefined ? '' : (fileOf(world, `/etc/apparmor.d/local/${local}`) ?? '');
		// A rule ends with a comma; the parser names the line that lacks it.
		const bad = added
			.split('\n')
			.findIndex(line => /^\s*(?:mount|umount|capability|\/)/.test(line) && !/,\s*(?:#.*)?$/.test(line));
		if (bad !== -1) {
			call.io.err(
				`AppArmor parser error for ${path} in profile /etc/apparmor.d/local/${local} at line ${bad + 1}: syntax error, unexpected TOK_END_OF_RULE, expecting TOK_END\n`,
			);
			return 1;
		}
		if (check) continue;
		if (scope.who.uid !== 0) {
			call.io.err('apparmor_parser: Sorry. You need root privileges to run this program.\n');
			return 1;
		}
		touch(world);
		spend(world, 300);
		const name = path.split('/').at(-1) ?? '';
		if (parsed.flags.has('-R') || parsed.flags.has('--remove')) delete world.state.apparmorProfiles[name];
		else
			world.state.apparmorProfiles[name] = {
				mode: world.state.apparmorProfiles[name]?.mode ?? 'enforce',
				allowsSysboxfs: name === 'fusermount3' ? fuseProfileAllows(world) : true,
			};
	}
	return 0;
};

const sysboxProgram =
	(name: 'sysbox-runc' | 'sysbox-mgr' | 'sysbox-fs'): Program =>
	(scope, call) => {
		const { sysbox } = scope.world.state;
		const version = (name === 'sysbox-runc' ? sysbox.runc : name === 'sysbox-mgr' ? sysbox.mgr : sysbox.fs) ?? '0.7.1';
		const [verb] = call.argv.slice(1);
		if (verb === '--version' || verb === '-v') {
			call.io.out(versionText(name, version));
			return 0;
		}
		if (name === 'sysbox-runc' && verb === 'features') {
			if (!atLeast(version, '0.7.0')) {
				call.io.err("No help topic for 'features'\n");
				return 3;
			}
			call.io.out(`${JSON.stringify(runtimeFeatures('sysbox-runc', version, atLeast(version, '0.7.1')), null, 4)}\n`);
			return 0;
		}
		if (name === 'sysbox-runc' && verb === 'list') {
			call.io.out('ID          PID         STATUS      BUNDLE      CREATED     OWNER\n');
			return 0;
		}
		call.io.err(`${name}: another instance is running\n`);
		return 1;
	};

/** `tar --extract --to-stdout --file=ARCHIVE manifest.json`: what an image archive says of itself. */
const tar: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['--file', '-f', '-C', '--occurrence'],
		flags: ['--extract', '--to-stdout', '--no-anchored', '-x', '-O', '--list', '-t', '--warning=no-unknown-keyword'],
	});
	const path = lastOf(parsed, '--file', '-f') ?? '';
	const node = scope.view.get(path);
	const holds = node?.kind === 'file' ? node.declared?.holds : undefined;
	if (node === undefined) {
		call.io.err(`tar: ${path}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n`);
		return 2;
	}
	if (holds?.kind !== 'images') {
		call.io.err(
			'tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n',
		);
		return 2;
	}
	if (parsed.words[0] === 'manifest.json')
		call.io.out(
			JSON.stringify(
				holds.images.map(i => ({ Config: `blobs/sha256/${i.id.slice(7)}`, RepoTags: i.tags, Layers: [] })),
			),
		);
	else if (parsed.flags.has('-t') || parsed.flags.has('--list')) call.io.out('manifest.json\noci-layout\nindex.json\n');
	return 0;
};

const logger: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['-t', '--tag', '-p', '--priority'],
		flags: ['-i', '-s'],
	});
	touch(scope.world);
	scope.world.state.journal.push({
		at: scope.world.state.now,
		unit: '',
		who: lastOf(parsed, '-t', '--tag') ?? 'root',
		pid: scope.pid,
		text: parsed.words.join(' '),
	});
	return 0;
};

export const miscPrograms: Readonly<Record<string, Program>> = {
	apparmor_parser: apparmorParser,
	tar,
	logger,
	'sysbox-runc': sysboxProgram('sysbox-runc'),
	'sysbox-mgr': sysboxProgram('sysbox-mgr'),
	'sysbox-fs': sysboxProgram('sysbox-fs'),
};
