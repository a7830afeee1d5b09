import { errnoWords } from '../errno.ts';
import { absolute, resolve, resolveParent } from '../file-tree.ts';
import { fileSystemOf, sysboxfsMounts, sysctlPath } from '../kernel.ts';
import { readText, removeNode, setSysctl } from '../scope.ts';
import { signalHostProcess } from '../services.ts';
import { type Program, spend, touch, UnsimulatedCommand } from '../world.ts';

/** Small programs of the base system, as far as this tool and its tests use them. */

const cat: Program = (scope, call) => {
	if (call.argv.length === 1) call.io.out(call.stdin.text);
	for (const path of call.argv.slice(1)) {
		const read = readText(scope, path);
		if (read.kind === 'endless') return 'endless';
		if (read.kind === 'error') {
			call.io.err(`cat: ${path}: ${errnoWords(read.errno)}\n`);
			return 1;
		}
		call.io.out(read.text);
	}
	return 0;
};

/** `printf '%s\n' WORD…` and nothing else. */
const printf: Program = (_, call) => {
	const [, format, ...words] = call.argv;
	if (format !== '%s\\n') throw new UnsimulatedCommand(call.argv, 'another format');
	for (const word of words) call.io.out(`${word}\n`);
	return 0;
};

const sleep: Program = (scope, call) => {
	const [, seconds = ''] = call.argv;
	if (seconds === 'infinity') return 'endless';
	spend(scope.world, Number(seconds) * 1000);
	return 0;
};

const rm: Program = (scope, call) => {
	for (const path of call.argv.slice(1)) {
		const errno = removeNode(scope, path);
		if (errno === undefined) continue;
		call.io.err(`rm: cannot remove '${path}': ${errnoWords(errno)}\n`);
		return 1;
	}
	return 0;
};

const kill: Program = (scope, call) => {
	const [, signal = '', pid = ''] = call.argv;
	if (!/^-\w+$/.test(signal) || call.argv.length !== 3) throw new UnsimulatedCommand(call.argv, 'kill -SIGNAL PID');
	if (signalHostProcess(scope.world, Number(pid), signal.slice(1)) === 'sent') return 0;
	call.io.err(`kill: (${pid}) - No such process\n`);
	return 1;
};

const readlink: Program = (scope, call) => {
	let code = 0;
	for (const path of call.argv.slice(1)) {
		const parent = resolveParent(scope.view, absolute(path, scope.cwd), scope.who);
		const node = parent.kind === 'found' ? scope.view.get(parent.child) : undefined;
		// Links below /proc/PID/ns need the right to trace that process.
		const pid = /^\/proc\/(\d+)\/ns\//.exec(path)?.[1];
		const owner = pid === undefined ? undefined : scope.view.get(`/proc/${pid}`);
		const mayTrace = scope.who.uid === 0 || owner?.kind !== 'folder' || owner.uid === scope.who.uid;
		if (node?.kind === 'link' && mayTrace) call.io.out(`${node.to}\n`);
		else code = 1;
	}
	return code;
};

/** `stat --file-system --format=%T PATH…`: what tells a dead FUSE mount from one that is served. */
const stat: Program = (scope, call) => {
	const [, ...words] = call.argv;
	const paths = words.filter(word => !word.startsWith('-'));
	if (!words.includes('--file-system') || !words.includes('--format=%T'))
		throw new UnsimulatedCommand(call.argv, 'stat of something else than the type of a file system');
	const { state } = scope.world;
	let code = 0;
	const fails = (path: string, why: string) => {
		call.io.err(`stat: cannot ${why}\n`.replace('PATH', `'${path}'`));
		code = 1;
	};
	for (const path of paths) {
		const id = /^\/var\/lib\/sysboxfs\/([0-9a-f]{64})$/.exec(path)?.[1];
		const mounted = id !== undefined && sysboxfsMounts(state).includes(id);
		const found = resolve(scope.view, absolute(path, scope.cwd), scope.who);
		if (id !== undefined && state.sysbox.deadMounts?.includes(id) === true)
			fails(path, 'read file system information for PATH: Transport endpoint is not connected');
		else if (mounted && state.sysbox.hangs === 'fs') return 'endless';
		else if (mounted) call.io.out('fuseblk\n');
		else if (found.kind === 'problem') fails(path, `read file system information for PATH: ${errnoWords(found.errno)}`);
		else
			call.io.out(`${fileSystemOf(state.fileSystems, found.path)?.type.replace('ext4', 'ext2/ext3') ?? 'UNKNOWN'}\n`);
	}
	return code;
};

const umount: Program = (scope, call) => {
	const { sysbox } = scope.world.state;
	for (const target of call.argv.slice(1).filter(word => !word.startsWith('-'))) {
		const dead = sysbox.deadMounts?.find(id => target === `/var/lib/sysboxfs/${id}`);
		if (scope.who.uid !== 0 || dead === undefined) {
			call.io.err(`umount: ${target}: ${scope.who.uid === 0 ? 'target is busy.' : 'must be superuser to unmount.'}\n`);
			return 32;
		}
		touch(scope.world);
		sysbox.deadMounts = sysbox.deadMounts?.filter(id => id !== dead) ?? [];
	}
	return 0;
};

const uname: Program = (scope, call) => {
	const { machine } = scope.world.state;
	if (call.argv[1] !== '-srm') throw new UnsimulatedCommand(call.argv, 'uname -srm');
	call.io.out(`Linux ${machine.kernel} ${machine.arch === 'amd64' ? 'x86_64' : 'aarch64'}\n`);
	return 0;
};

/** `sysctl -w KEY=VALUE…` */
const sysctl: Program = (scope, call) => {
	const [, flag, ...words] = call.argv;
	if (flag !== '-w') throw new UnsimulatedCommand(call.argv, 'sysctl -w');
	let code = 0;
	for (const word of words) {
		const [key = '', ...value] = word.split('=');
		const errno = scope.who.uid === 0 ? setSysctl(scope.world, key, value.join('=')) : 'EACCES';
		if (errno === undefined) call.io.out(`${key} = ${value.join('=')}\n`);
		else {
			const why = errno === 'ENOENT' ? `cannot stat ${sysctlPath(key)}: No such file or directory` : '';
			call.io.err(`sysctl: ${why || `permission denied on key "${key}"`}\n`);
			code = 255;
		}
	}
	return code;
};

const succeeds: Program = () => 0;

export const hostPrograms: Readonly<Record<string, Program>> = {
	cat,
	printf,
	sleep,
	rm,
	kill,
	readlink,
	stat,
	umount,
	uname,
	sysctl,
	true: succeeds,
	jq: succeeds,
	rsync: succeeds,
	iptables: succeeds,
	fusermount: succeeds,
	fusermount3: succeeds,
};
