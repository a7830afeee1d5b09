import { posix } from 'node:path';
import { attempt } from '../confinement.ts';
import { errnoWords } from '../errno.ts';
import { absolute, allowed, fileNode, resolve, resolveParent, sizeOf, textOf } from '../file-tree.ts';
import { sysboxfsMounts } from '../mount-table.ts';
import { changeOwnership, createNode, readText, removeNode, writeText } from '../scope.ts';
import type { FileNode } from '../state.ts';
import { nextHex, type Program, type Scope } from '../world.ts';
import { lastOf, parseOptions } from './options.ts';

/** Programs about files themselves: names, kinds, owners. */

const onHost = (scope: Scope): boolean => scope.inside === undefined;

function modeText(node: FileNode): string {
	const kind = { folder: 'd', link: 'l', socket: 's', fifo: 'p', file: '-', device: 'c' }[node.kind];
	if (node.kind === 'link') return 'lrwxrwxrwx';
	const first = node.kind === 'device' && node.device?.startsWith('b') ? 'b' : kind;
	const bits = [...(node.mode & 0o777).toString(2).padStart(9, '0')].map((bit, n) =>
		bit === '1' ? 'rwx'.charAt(n % 3) : '-',
	);
	if (node.mode & 0o4000) bits[2] = bits[2] === 'x' ? 's' : 'S';
	if (node.mode & 0o2000) bits[5] = bits[5] === 'x' ? 's' : 'S';
	if (node.mode & 0o1000) bits[8] = bits[8] === 'x' ? 't' : 'T';
	return first + bits.join('');
}

function longLine(node: FileNode, name: string, numeric: boolean): string {
	const owned = node.kind === 'link' ? { uid: 0, gid: 0 } : node;
	const owner = (id: number) => (numeric || id !== 0 ? String(id) : 'root').padEnd(8);
	const size =
		node.kind === 'device'
			? (node.device ?? '').split(' ').slice(1).join(', ').padStart(9)
			: String(node.kind === 'file' ? sizeOf(node) : node.kind === 'folder' ? 4096 : 0).padStart(9);
	return `${modeText(node)}    1 ${owner(owned.uid)} ${owner(owned.gid)} ${size} Nov 23 23:13 ${name}${node.kind === 'link' ? ` -> ${node.to}` : ''}`;
}

const ls: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), {
		withValue: [],
		flags: ['-l', '-n', '-a', '-A', '-d', '-1', '-i', '-Z', '-h', '-t', '-r', '-R'],
	});
	const long = flags.has('-l') || flags.has('-n');
	let code = 0;
	const fail = (path: string, words: string, open: boolean) => {
		call.io.err(
			onHost(scope)
				? `ls: cannot ${open ? 'open directory' : 'access'} '${path}': ${words}\n`
				: open
					? `ls: can't open '${path}': ${words}\n`
					: `ls: ${path}: ${words}\n`,
		);
		code = onHost(scope) ? 2 : 1;
	};
	const show = (node: FileNode, name: string) =>
		call.io.out(`${long ? longLine(node, name, flags.has('-n')) : name}\n`);
	const targets = words.length === 0 ? ['.'] : words;
	for (const target of targets) {
		const full = absolute(target, scope.cwd);
		const found = resolve(scope.view, full, scope.who, { keepLast: long && !target.endsWith('/') });
		if (found.kind === 'problem') {
			const parent = resolveParent(scope.view, full, scope.who);
			const link = parent.kind === 'found' ? scope.view.get(parent.child) : undefined;
			if (link?.kind === 'link') show(link, target);
			else fail(target, errnoWords(found.errno), false);
			continue;
		}
		if (found.node.kind !== 'folder' || flags.has('-d')) {
			show(found.node, target);
			continue;
		}
		if (!allowed(found.node, scope.who, 4)) {
			fail(target, errnoWords('EACCES'), true);
			continue;
		}
		if (targets.length > 1) call.io.out(`${target}:\n`);
		const names = scope.view
			.names(found.path)
			.filter(name => flags.has('-a') || flags.has('-A') || !name.startsWith('.'));
		if (long) call.io.out(`total ${names.length * 4}\n`);
		for (const name of names) {
			const node = scope.view.get(posix.join(found.path, name));
			if (node !== undefined) show(node, name);
		}
	}
	return code;
};

const readlink: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), { withValue: [], flags: ['-f', '-n', '-v', '-e', '-m'] });
	let code = 0;
	for (const path of words) {
		const full = absolute(path, scope.cwd);
		if (flags.has('-f') || flags.has('-e') || flags.has('-m')) {
			const found = resolve(scope.view, full, scope.who);
			const parent = resolve(scope.view, posix.dirname(full), scope.who);
			if (found.kind === 'found') call.io.out(`${found.path}\n`);
			else if (!flags.has('-e') && parent.kind === 'found')
				call.io.out(`${posix.join(parent.path, posix.basename(full))}\n`);
			else code = 1;
			continue;
		}
		const parent = resolveParent(scope.view, full, scope.who);
		const node = parent.kind === 'found' ? scope.view.get(parent.child) : undefined;
		if (node?.kind !== 'link' || !mayReadLink(scope, parent.child)) {
			if (flags.has('-v'))
				call.io.err(`readlink: ${path}: ${errnoWords(node?.kind === 'link' ? 'EACCES' : 'EINVAL')}\n`);
			code = 1;
			continue;
		}
		call.io.out(`${node.to}\n`);
	}
	return code;
};

/** Links under /proc/PID/ns and its kin need the right to trace that process. */
export function mayReadLink(scope: Scope, path: string): boolean {
	const pid = /^\/proc\/(\d+)\/(?:ns\/|exe$|root$|cwd$)/.exec(path)?.[1];
	if (pid === undefined || Number(pid) === scope.pid) return true;
	const owner = scope.view.get(`/proc/${pid}`);
	if (owner?.kind !== 'folder') return false;
	if (scope.who.uid !== 0) return owner.uid === scope.who.uid;
	if (scope.inside === undefined || scope.inside.container.options.pidMode !== 'host') return true;
	return attempt(scope, 'ptrace') === undefined;
}

const stat: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-c', '--format'],
		flags: ['-L', '-f', '--file-system', '-t'],
	});
	const ofFileSystem = options.flags.has('-f') || options.flags.has('--file-system');
	let code = 0;
	for (const path of options.words) {
		const { sysbox } = scope.world.state;
		const id = onHost(scope) ? /^\/var\/lib\/sysboxfs\/([0-9a-f]{64})(?:\/|$)/.exec(path)?.[1] : undefined;
		if (id !== undefined && sysbox.deadMounts?.includes(id) === true) {
			const what = ofFileSystem ? 'read file system information for' : 'statx';
			call.io.err(`stat: cannot ${what} '${path}': Transport endpoint is not connected\n`);
			code = 1;
			continue;
		}
		if (id !== undefined && sysbox.hangs === 'fs' && sysboxfsMounts(scope.world.state).includes(id)) return 'endless';
		const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
		if (ofFileSystem && id !== undefined && sysboxfsMounts(scope.world.state).includes(id)) {
			call.io.out('fuseblk\n');
			continue;
		}
		if (found.kind === 'problem') {
			call.io.err(
				onHost(scope)
					? `stat: cannot statx '${path}': ${errnoWords(found.errno)}\n`
					: `stat: can't stat '${path}': ${errnoWords(found.errno)}\n`,
			);
			code = 1;
			continue;
		}
		const { node } = found;
		const format =
			lastOf(options, '-c', '--format') ?? '  File: %n\n  Size: %s\nAccess: (%a/%A)  Uid: (%u/%U)   Gid: (%g/%G)';
		const size = node.kind === 'file' ? sizeOf(node) : 4096;
		const values: Readonly<Record<string, string>> = {
			n: path,
			N: `'${path}'`,
			s: String(size),
			a: node.mode.toString(8),
			A: modeText(node),
			u: String(node.uid),
			g: String(node.gid),
			U: node.uid === 0 ? 'root' : node.uid === 65534 ? 'nobody' : 'UNKNOWN',
			G: node.gid === 0 ? 'root' : node.gid === 65534 ? 'nogroup' : 'UNKNOWN',
			F:
				node.kind === 'folder'
					? 'directory'
					: node.kind === 'socket'
						? 'socket'
						: node.kind === 'device'
							? node.device?.startsWith('b')
								? 'block special file'
								: 'character special file'
							: node.kind === 'fifo'
								? 'fifo'
								: size === 0
									? 'regular empty file'
									: 'regular file',
			T: 'ext2/ext3',
			t: node.kind === 'device' ? Number(node.device?.split(' ')[1]).toString(16) : '0',
		};
		call.io.out(`${format.replace(/%(\w)/g, (all, letter: string) => values[letter] ?? all)}\n`);
	}
	return code;
};

const test: Program = (scope, call) => {
	const args = call.argv.slice(1);
	if (call.argv[0]?.endsWith('[')) {
		if (args.at(-1) !== ']') {
			call.io.err('sh: missing ]\n');
			return 2;
		}
		args.pop();
	}
	const evaluate = (words: readonly string[]): boolean => {
		const or = words.indexOf('-o');
		if (or > 0) return evaluate(words.slice(0, or)) || evaluate(words.slice(or + 1));
		const and = words.indexOf('-a');
		if (and > 0) return evaluate(words.slice(0, and)) && evaluate(words.slice(and + 1));
		if (words[0] === '!') return !evaluate(words.slice(1));
		const [first = '', second = '', third = ''] = words;
		if (words.length === 0) return false;
		if (words.length === 1) return first !== '';
		if (words.length === 2) {
			if (first === '-n') return second !== '';
			if (first === '-z') return second === '';
			const full = absolute(second, scope.cwd);
			if (first === '-L' || first === '-h') return scope.view.get(full)?.kind === 'link';
			const found = resolve(scope.view, full, scope.who);
			if (found.kind === 'problem') return false;
			const { node } = found;
			switch (first) {
				case '-e':
					return true;
				case '-f':
					return node.kind === 'file';
				case '-d':
					return node.kind === 'folder';
				case '-S':
					return node.kind === 'socket';
				case '-b':
					return node.kind === 'device' && node.device?.startsWith('b') === true;
				case '-c':
					return node.kind === 'device' && node.device?.startsWith('c') === true;
				case '-p':
					return node.kind === 'fifo';
				case '-s':
					return node.kind === 'file' && sizeOf(node) > 0;
				case '-u':
					return (node.mode & 0o4000) !== 0;
				case '-r':
					return allowed(node, scope.who, 4);
				case '-w':
					return allowed(node, scope.who, 2);
				case '-x':
					return allowed(node, scope.who, 1) && (node.mode & 0o111) !== 0;
				default:
					return false;
			}
		}
		const compare: Readonly<Record<string, boolean>> = {
			'=': first === third,
			'==': first === third,
			'!=': first !== third,
			'-eq': Number(first) === Number(third),
			'-ne': Number(first) !== Number(third),
			'-lt': Number(first) < Number(third),
			'-le': Number(first) <= Number(third),
			'-gt': Number(first) > Number(third),
			'-ge': Number(first) >= Number(third),
		};
		return compare[second] ?? false;
	};
	return evaluate(args) ? 0 : 1;
};

const touch: Program = (scope, call) => {
	let code = 0;
	for (const path of call.argv.slice(1).filter(a => !a.startsWith('-'))) {
		const errno = writeText(scope, path, '', 'append');
		if (errno === undefined) continue;
		call.io.err(
			onHost(scope)
				? `touch: cannot touch '${path}': ${errnoWords(errno)}\n`
				: `touch: ${path}: ${errnoWords(errno)}\n`,
		);
		code = 1;
	}
	return code;
};

const mkdir: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), { withValue: ['-m'], flags: ['-p', '-v'] });
	const mode = Number.parseInt(lastOf(options, '-m') ?? '755', 8);
	let code = 0;
	const make = (path: string): string | undefined => {
		const full = absolute(path, scope.cwd);
		if (resolve(scope.view, full, scope.who).kind === 'found')
			return options.flags.has('-p') ? undefined : errnoWords('EEXIST');
		if (options.flags.has('-p') && full !== '/') {
			const above = make(posix.dirname(full));
			if (above !== undefined) return above;
		}
		const errno = createNode(scope, full, { kind: 'folder', mode, uid: scope.who.uid, gid: scope.who.gid });
		return errno === undefined ? undefined : errnoWords(errno);
	};
	for (const path of options.words) {
		const words = make(path);
		if (words === undefined) continue;
		call.io.err(
			onHost(scope)
				? `mkdir: cannot create directory '${path}': ${words}\n`
				: `mkdir: can't create directory '${path}': ${words}\n`,
		);
		code = 1;
	}
	return code;
};

const rm: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), {
		withValue: [],
		flags: ['-r', '-R', '-f', '-v', '-d', '--one-file-system'],
	});
	let code = 0;
	for (const path of words) {
		const node = scope.view.get(absolute(path, scope.cwd));
		const errno =
			node === undefined
				? 'ENOENT'
				: node.kind === 'folder' && !flags.has('-r') && !flags.has('-R')
					? 'EISDIR'
					: removeNode(scope, path);
		if (errno === undefined || (errno === 'ENOENT' && flags.has('-f'))) continue;
		call.io.err(
			onHost(scope)
				? `rm: cannot remove '${path}': ${errnoWords(errno)}\n`
				: `rm: can't remove '${path}': ${errnoWords(errno)}\n`,
		);
		code = 1;
	}
	return code;
};

const rmdir: Program = (scope, call) => {
	for (const path of call.argv.slice(1)) {
		const full = absolute(path, scope.cwd);
		const errno = scope.view.names(full).length > 0 ? 'ENOTEMPTY' : removeNode(scope, full);
		if (errno === undefined) continue;
		call.io.err(`rmdir: '${path}': ${errnoWords(errno)}\n`);
		return 1;
	}
	return 0;
};

const copy =
	(removeSource: boolean): Program =>
	(scope, call) => {
		const name = removeSource ? 'mv' : 'cp';
		const { words } = parseOptions(call.argv.slice(1), {
			withValue: [],
			flags: ['-a', '-r', '-R', '-p', '-f', '-L', '-d', '-n'],
		});
		const to = words.at(-1) ?? '';
		for (const from of words.slice(0, -1)) {
			const source = readText(scope, from);
			const fail = (path: string, words: string) => {
				call.io.err(
					onHost(scope)
						? `${name}: cannot stat '${path}': ${words}\n`
						: `${name}: can't ${path === from ? 'stat' : 'create'} '${path}': ${words}\n`,
				);
				return 1;
			};
			if (source.kind !== 'text') return fail(from, errnoWords(source.kind === 'error' ? source.errno : 'EINVAL'));
			const target = resolve(scope.view, absolute(to, scope.cwd), scope.who);
			const path =
				target.kind === 'found' && target.node.kind === 'folder' ? posix.join(target.path, posix.basename(from)) : to;
			const mode = source.node.kind === 'file' ? source.node.mode & 0o777 : 0o644;
			const node: FileNode =
				source.node.kind === 'file'
					? { ...source.node, mode, uid: scope.who.uid, gid: scope.who.gid }
					: fileNode(source.text, { mode, uid: scope.who.uid, gid: scope.who.gid });
			const errno = createNode(scope, path, node);
			if (errno !== undefined) return fail(path, errnoWords(errno));
			if (removeSource) removeNode(scope, from);
		}
		return 0;
	};

const ln: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), { withValue: [], flags: ['-s', '-f', '-n'] });
	const [to = '', path = ''] = words;
	if (flags.has('-f')) removeNode(scope, path);
	const source = flags.has('-s') ? undefined : resolve(scope.view, absolute(to, scope.cwd), scope.who);
	const errno = createNode(scope, path, source?.kind === 'found' ? source.node : { kind: 'link', to });
	if (errno === undefined) return 0;
	call.io.err(`ln: ${path}: ${errnoWords(errno)}\n`);
	return 1;
};

const chmod: Program = (scope, call) => {
	const [mode = '', ...paths] = call.argv.slice(1).filter(a => !a.startsWith('-'));
	for (const path of paths) {
		const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
		const old = found.kind === 'found' ? found.node.mode : 0;
		const next = /^\d+$/.test(mode) ? Number.parseInt(mode, 8) : mode === 'u+s' ? old | 0o4000 : old | 0o111;
		const errno = changeOwnership(scope, path, { mode: next });
		if (errno === undefined) continue;
		call.io.err(`chmod: ${path}: ${errnoWords(errno)}\n`);
		return 1;
	}
	return 0;
};

/** `mktemp TEMPLATE`: a file of its own that nobody else can open. */
const mktemp: Program = (scope, call) => {
	const path = (call.argv.at(-1) ?? '').replace(/X{3,}$/, xs => nextHex(scope.world, xs.length));
	const errno = createNode(scope, path, {
		kind: 'file',
		text: '',
		mode: 0o600,
		uid: scope.who.uid,
		gid: scope.who.gid,
	});
	if (errno === undefined) call.io.out(`${path}\n`);
	else call.io.err(`mktemp: failed to create file via template '${call.argv.at(-1) ?? ''}': ${errnoWords(errno)}\n`);
	return errno === undefined ? 0 : 1;
};

const chown: Program = (scope, call) => {
	const [owner = '', ...paths] = call.argv.slice(1).filter(a => !a.startsWith('-'));
	const [user = '', group] = owner.split(':');
	const uid = user === 'root' ? 0 : Number(user || 0);
	const gid = group === undefined ? undefined : group === 'root' ? 0 : Number(group || 0);
	for (const path of paths) {
		const denied = attempt(scope, 'chroot') !== undefined && scope.who.uid !== 0 ? 'EPERM' : undefined;
		const errno = denied ?? changeOwnership(scope, path, { uid, ...(gid !== undefined && { gid }) });
		if (errno === undefined) continue;
		call.io.err(`chown: ${path}: ${errnoWords(errno)}\n`);
		return 1;
	}
	return 0;
};

const mknod: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), { withValue: ['-m'], flags: [] });
	const [path = '', type = '', major = '', minor = ''] = options.words;
	const errno =
		(type === 'p' ? undefined : attempt(scope, 'mknod')) ??
		createNode(
			scope,
			path,
			type === 'p'
				? { kind: 'fifo', mode: 0o644, uid: 0, gid: 0 }
				: { kind: 'device', device: `${type} ${major} ${minor}`, mode: 0o644, uid: scope.who.uid, gid: scope.who.gid },
		);
	if (errno === undefined) return 0;
	call.io.err(`mknod: ${path}: ${errnoWords(errno)}\n`);
	return 1;
};

const mkfifo: Program = (scope, call) => {
	const path = call.argv.at(-1) ?? '';
	const errno = createNode(scope, path, { kind: 'fifo', mode: 0o644, uid: scope.who.uid, gid: scope.who.gid });
	if (errno !== undefined) call.io.err(`mkfifo: ${path}: ${errnoWords(errno)}\n`);
	return errno === undefined ? 0 : 1;
};

const find: Program = (scope, call) => {
	const roots = call.argv.slice(
		1,
		call.argv.findIndex((a, n) => n > 0 && a.startsWith('-')) === -1
			? undefined
			: call.argv.findIndex((a, n) => n > 0 && a.startsWith('-')),
	);
	const options = parseOptions(
		call.argv.slice(1 + roots.length).map(a => (a.startsWith('-') ? `-${a}` : a)),
		{
			withValue: ['--name', '--type', '--maxdepth', '--path', '--perm'],
			flags: ['--print', '--xdev'],
		},
	);
	const matcher = new RegExp(
		`^${(lastOf(options, '--name') ?? '*')
			.replace(/[.+^${}()|\\]/g, '\\$&')
			.replaceAll('*', '.*')
			.replaceAll('?', '.')}$`,
	);
	const type = lastOf(options, '--type');
	const deepest = Number(lastOf(options, '--maxdepth') ?? 20);
	const kinds: Readonly<Record<string, FileNode['kind']>> = {
		f: 'file',
		d: 'folder',
		l: 'link',
		s: 'socket',
		p: 'fifo',
		c: 'device',
		b: 'device',
	};
	const walk = (path: string, depth: number): void => {
		const node = scope.view.get(absolute(path, scope.cwd));
		if (node === undefined) return;
		if (matcher.test(posix.basename(path)) && (type === undefined || node.kind === kinds[type]))
			call.io.out(`${path}\n`);
		if (node.kind !== 'folder' || depth >= deepest) return;
		for (const name of scope.view.names(absolute(path, scope.cwd))) walk(posix.join(path, name), depth + 1);
	};
	for (const root of roots.length === 0 ? ['.'] : roots) walk(root, 0);
	return 0;
};

const which: Program = (scope, call) => {
	let code = 0;
	for (const name of call.argv.slice(1).filter(a => !a.startsWith('-'))) {
		const path = (scope.env['PATH'] ?? '')
			.split(':')
			.map(folder => `${folder}/${name}`)
			.find(p => resolve(scope.view, p, scope.who).kind === 'found');
		if (path === undefined) code = 1;
		else call.io.out(`${path}\n`);
	}
	return code;
};

/** Text of a file there, for programs that read their configuration. */
export const fileText = (scope: Scope, path: string): string | undefined => {
	const found = resolve(scope.view, path, scope.who);
	return found.kind === 'found' && found.node.kind === 'file' ? textOf(found.node) : undefined;
};

export const filePrograms: Readonly<Record<string, Program>> = {
	ls,
	readlink,
	realpath: (scope, call) => readlink(scope, { ...call, argv: ['readlink', '-f', ...call.argv.slice(1)] }),
	stat,
	test,
	'[': test,
	touch,
	mkdir,
	rm,
	rmdir,
	cp: copy(false),
	mv: copy(true),
	ln,
	chmod,
	chown,
	mknod,
	mkfifo,
	mktemp,
	find,
	which,
};
