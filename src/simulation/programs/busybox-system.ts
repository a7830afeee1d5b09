import {
	attempt,
	attemptMount,
	attemptOnHostProcess,
	confinementOf,
	effectiveCapabilities,
	maskText,
} from '../confinement.ts';
import { type Errno, errnoWords } from '../errno.ts';
import { absolute, resolve, rootUser } from '../file-tree.ts';
import { sysctlKey, sysctlPath } from '../kernel-files.ts';
import { fileSystemOf, mountTable } from '../mount-table.ts';
import { processesSeen } from '../process-table.ts';
import { runProgram } from '../run-program.ts';
import { changedScope, deviceErrno, hostScope, readText, writeText } from '../scope.ts';
import { signalHostProcess } from '../services.ts';
import type { InnerMount } from '../state.ts';
import { type Program, type Scope, spend, touch } from '../world.ts';
import { fileText } from './busybox-files.ts';
import { negativeExit } from './busybox-text.ts';
import { lastOf, parseOptions } from './options.ts';

/** Programs about the machine: mounts, modules, processes, names. What each attempt gives is decided in confinement.ts. */

const onHost = (scope: Scope): boolean => scope.inside === undefined;

/** File systems that live on a disk. */
const diskTypes = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'vfat', 'iso9660', 'auto']);

const mount: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-t', '-o'],
		flags: ['-n', '-r', '-w', '-v', '--bind', '-B', '-R', '--rbind', '--make-rprivate', '--make-private'],
	});
	const [first, second] = options.words;
	if (first === undefined) {
		for (const m of mountTable(scope))
			call.io.out(
				`${m.source} on ${m.point} type ${m.type} (${m.options},${m.superOptions.replace(/^r[wo],?/, '')})\n`.replace(
					',)',
					')',
				),
			);
		return 0;
	}
	const flags = (options.values['-o'] ?? []).flatMap(o => o.split(','));
	const readOnly = flags.includes('ro') || options.flags.has('-r');
	const remount = flags.includes('remount');
	const bind =
		flags.includes('bind') || flags.includes('rbind') || options.flags.has('--bind') || options.flags.has('--rbind');
	const type = remount ? 'remount' : bind ? 'bind' : (lastOf(options, '-t') ?? 'auto');
	const target = absolute(second ?? first, scope.cwd);
	const complain = (errno: Errno): number => {
		if (errno === 'EPERM') {
			call.io.err(onHost(scope) ? 'mount: only root can do that\n' : 'mount: permission denied (are you root?)\n');
			return 1;
		}
		call.io.err(`mount: mounting ${first} on ${second ?? first} failed: ${errnoWords(errno)}\n`);
		return 255;
	};
	const disk = diskTypes.has(type);
	if (disk) {
		const device = resolve(scope.view, absolute(first, scope.cwd), scope.who);
		// Seen: a missing device is said before anything about rights, and what Docker keeps out gets EPERM.
		if (device.kind === 'problem') return complain(device.errno);
	}
	const errno = attemptMount(scope, disk ? 'ext4' : type);
	if (errno !== undefined) return complain(errno);
	if (scope.inside === undefined) return complain('EBUSY');
	const { container } = scope.inside;
	if (resolve(scope.view, target, scope.who).kind === 'problem') return complain('ENOENT');
	touch(scope.world);
	if (remount) {
		// A mount that Docker made read-only from outside stays so for a user namespace.
		const immutable = container.options.mounts.find(m => m.target === target && m.readOnly);
		if (immutable !== undefined && !readOnly && container.isolation === 'sysbox') return complain('EPERM');
		container.remounted[target] = readOnly ? 'ro' : 'rw';
		for (const m of container.innerMounts) if (m.target === target) m.readOnly = readOnly;
		return 0;
	}
	const mounted: InnerMount = { source: first, target, type: disk ? 'ext4' : type, readOnly };
	if (bind) mounted.from = absolute(first, scope.cwd);
	if (type.startsWith('cgroup')) mounted.type = type;
	container.innerMounts.push(mounted);
	return 0;
};

const umount: Program = (scope, call) => {
	const targets = call.argv.slice(1).filter(a => !a.startsWith('-'));
	for (const given of targets) {
		const target = absolute(given, scope.cwd);
		const fail = (errno: Errno): number => {
			call.io.err(
				errno === 'EPERM' && !onHost(scope)
					? `umount: can't unmount ${given}: ${errnoWords(errno)}\n`
					: `umount: can't unmount ${given}: ${errnoWords(errno)}\n`,
			);
			return 1;
		};
		if (scope.inside === undefined) {
			const { sysbox } = scope.world.state;
			const dead = sysbox.deadMounts?.find(id => target === `/var/lib/sysboxfs/${id}`);
			if (scope.who.uid !== 0 || dead === undefined) return fail(scope.who.uid === 0 ? 'EBUSY' : 'EPERM');
			touch(scope.world);
			sysbox.deadMounts = sysbox.deadMounts?.filter(id => id !== dead) ?? [];
			continue;
		}
		const { container } = scope.inside;
		const own = container.innerMounts.findLastIndex(m => m.target === target);
		if (attempt(scope, 'unshare') !== undefined) return fail('EPERM');
		if (own !== -1) {
			touch(scope.world);
			container.innerMounts.splice(own, 1);
			continue;
		}
		if (!mountTable(scope).some(m => m.point === target)) return fail('EINVAL');
		// Seen with Sysbox 0.7.0: what it mounted itself cannot be taken away.
		if (!confinementOf(scope).initialUserNamespace || target === '/proc') return fail('EINVAL');
		touch(scope.world);
		container.unmounted.push(target);
	}
	return 0;
};

const dmesg: Program = (scope, call) => {
	const { world } = scope;
	const restricted = world.state.sysctls['kernel.dmesg_restrict'] === '1';
	const errno = restricted || scope.inside !== undefined ? attempt(scope, 'syslog') : undefined;
	if (errno !== undefined) {
		call.io.err(
			onHost(scope)
				? `dmesg: read kernel buffer failed: ${errnoWords(errno)}\n`
				: `dmesg: klogctl: ${errnoWords(errno)}\n`,
		);
		return 1;
	}
	for (const entry of world.state.kernelLog)
		call.io.out(`[${((entry.at - world.state.machine.bootedAt) / 1000).toFixed(6).padStart(12)}] ${entry.text}\n`);
	return 0;
};

const insmod: Program = (scope, call) => {
	const file = call.argv[1] ?? '';
	const found = readText(scope, file);
	if (found.kind === 'error') {
		call.io.err(`insmod: can't insert '${file}': ${errnoWords(found.errno)}\n`);
		return negativeExit(found.errno);
	}
	const errno = attempt(scope, 'init_module') ?? 'ENOEXEC';
	call.io.err(`insmod: can't insert '${file}': ${errno === 'ENOEXEC' ? 'invalid module format' : errnoWords(errno)}\n`);
	return negativeExit(errno);
};

const modprobe: Program = (scope, call) => {
	const { words, flags } = parseOptions(call.argv.slice(1), {
		withValue: [],
		flags: ['-n', '--dry-run', '-q', '-v', '-a', '--show-depends'],
	});
	const { state } = scope.world;
	for (const name of words) {
		if (state.machine.modules.includes(name)) continue;
		const there =
			fileText(hostScope(scope.world, 'root'), `/lib/modules/${state.machine.kernel}/${name}.ko`) !== undefined;
		const visible = scope.inside === undefined && there;
		if (!visible) {
			if (!flags.has('-q'))
				call.io.err(
					onHost(scope)
						? `modprobe: FATAL: Module ${name} not found in directory /lib/modules/${state.machine.kernel}\n`
						: `modprobe: module ${name} not found in modules.dep\n`,
				);
			return 1;
		}
		if (flags.has('-n') || flags.has('--dry-run') || flags.has('--show-depends')) continue;
		const errno = attempt(scope, 'init_module');
		if (errno !== undefined) {
			call.io.err(`modprobe: ERROR: could not insert '${name}': ${errnoWords(errno)}\n`);
			return 1;
		}
		touch(scope.world);
		state.machine.modules.push(name);
	}
	return 0;
};

const lsmod: Program = (scope, call) => {
	call.io.out('Module                  Size  Used by\n');
	for (const name of scope.world.state.machine.modules) call.io.out(`${name.padEnd(22)} 16384  0\n`);
	return 0;
};

/** With the host's pid namespace and the rights of root there, nsenter leaves the container. */
const nsenter: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-t', '--target'],
		flags: [
			'-m',
			'-u',
			'-i',
			'-n',
			'-p',
			'-U',
			'-C',
			'-T',
			'-a',
			'--mount',
			'--uts',
			'--ipc',
			'--net',
			'--pid',
			'--user',
			'--cgroup',
			'--all',
			'--time',
		],
		stopAtWord: true,
	});
	const argv = options.words.length === 0 ? ['sh'] : options.words;
	const first = ['-U', '-i', '-u', '-n', '-p', '-m'].find(f => options.flags.has(f)) ?? '-m';
	const name = { '-U': 'user', '-i': 'ipc', '-u': 'uts', '-n': 'net', '-p': 'pid', '-m': 'mnt' }[first] ?? 'mnt';
	const target = Number(lastOf(options, '-t', '--target') ?? 0);
	const fail = (errno: Errno): number => {
		call.io.err(
			onHost(scope)
				? `nsenter: reassociate to namespaces failed: ${errnoWords(errno)}\n`
				: `nsenter: setns(): can't reassociate to namespace '${name}': ${errnoWords(errno)}\n`,
		);
		return 1;
	};
	const seen = processesSeen(scope).find(p => p.pid === target);
	if (seen === undefined) {
		call.io.err(
			onHost(scope)
				? `nsenter: cannot open /proc/${target}/ns/${name}: No such file or directory\n`
				: `nsenter: can't open '/proc/${target}/ns/${name}': No such file or directory\n`,
		);
		return 1;
	}
	const foreign = scope.inside !== undefined && scope.inside.container.options.pidMode === 'host';
	if (foreign) {
		const inspect = attemptOnHostProcess(scope, 'inspect');
		if (inspect !== undefined) {
			call.io.err(`nsenter: can't open '/proc/${target}/ns/${name}': ${errnoWords(inspect)}\n`);
			return 1;
		}
	}
	const errno = attempt(scope, 'setns');
	if (errno !== undefined) return fail(errno);
	// A process may not enter the user namespace that it is in.
	if (options.flags.has('-U') && !onHost(scope) && !foreign) return fail('EINVAL');
	const place = foreign
		? changedScope(hostScope(scope.world, 'root'), { pid: seen.scope.world.state.nextPid + 1 })
		: onHost(scope) && seen.scope.inside !== undefined
			? changedScope(seen.scope, { who: seen.scope.who })
			: scope;
	return runProgram(place, { ...call, argv }) ?? 127;
};

const unshare: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['--propagation', '--setgroups'],
		flags: [
			'-m',
			'-u',
			'-i',
			'-n',
			'-p',
			'-U',
			'-f',
			'-r',
			'-C',
			'-T',
			'--mount',
			'--uts',
			'--ipc',
			'--net',
			'--pid',
			'--user',
			'--fork',
			'--map-root-user',
			'--mount-proc',
			'--cgroup',
			'--time',
		],
		stopAtWord: true,
	});
	const argv = options.words.length === 0 ? ['sh'] : options.words;
	const wantsUser =
		options.flags.has('-U') ||
		options.flags.has('-r') ||
		options.flags.has('--user') ||
		options.flags.has('--map-root-user');
	const sysbox = !confinementOf(scope).initialUserNamespace;
	const { sysctls } = scope.world.state;
	const closed = sysctls['kernel.unprivileged_userns_clone'] === '0' || sysctls['user.max_user_namespaces'] === '0';
	const errno: Errno | undefined =
		wantsUser && onHost(scope)
			? closed && scope.who.uid !== 0
				? 'EPERM'
				: sysctls['user.max_user_namespaces'] === '0'
					? 'ENOSPC'
					: undefined
			: attempt(scope, 'unshare');
	if (errno !== undefined) {
		call.io.err(
			onHost(scope)
				? `unshare: unshare failed: ${errnoWords(errno)}\n`
				: `unshare: unshare(0x${wantsUser ? '10000000' : '20000'}): ${errnoWords(errno)}\n`,
		);
		return 1;
	}
	// A limit that Sysbox documents: a new /proc is not to be had in a nested user namespace.
	if (options.flags.has('--mount-proc') && sysbox) {
		call.io.err('unshare: mount /proc failed: Invalid argument\n');
		return 1;
	}
	return (
		runProgram(wantsUser ? changedScope(scope, { who: { ...rootUser, limited: true }, userName: 'root' }) : scope, {
			...call,
			argv,
		}) ?? 127
	);
};

const chroot: Program = (scope, call) => {
	const [root = '', ...rest] = call.argv.slice(1);
	const argv = rest.length === 0 ? ['/bin/sh'] : rest;
	const errno = attempt(scope, 'chroot');
	const found = resolve(scope.view, absolute(root, scope.cwd), scope.who);
	if (errno !== undefined || found.kind === 'problem') {
		call.io.err(
			`chroot: ${onHost(scope) ? `cannot change root directory to '${root}'` : `can't change root directory to '${root}'`}: ${errnoWords(errno ?? (found.kind === 'problem' ? found.errno : 'EPERM'))}\n`,
		);
		return onHost(scope) ? 125 : 1;
	}
	// Into a mount of the host's root: its files, with the rights that the container has.
	const bound = scope.inside?.container.options.mounts.find(
		m => m.target === found.path && m.type === 'bind' && m.source === '/',
	);
	if (bound === undefined) return runProgram(scope, { ...call, argv }) ?? 127;
	const inner = confinementOf(scope);
	const host = hostScope(scope.world, 'root');
	const place = changedScope(host, {
		who: inner.initialUserNamespace ? rootUser : { uid: 0, gid: 0, groups: [0] },
		pid: scope.pid,
	});
	if (inner.initialUserNamespace || ['id', 'cat', 'ls', 'sh', 'true', 'head'].includes(argv[0] ?? ''))
		return runProgram(place, { ...call, argv }) ?? 127;
	return runProgram(scope, { ...call, argv }) ?? 127;
};

const kill: Program = (scope, call) => {
	const args = call.argv.slice(1);
	const signal = args[0]?.startsWith('-') ? (args[0] === '-s' ? args[1] : args[0].slice(1)) : 'TERM';
	const pids = args.filter((a, n) => !a.startsWith('-') && !(args[0] === '-s' && n === 1));
	let code = 0;
	for (const text of pids) {
		const pid = Number(text);
		const seen = processesSeen(scope).find(p => p.pid === pid);
		const foreign = scope.inside?.container.options.pidMode === 'host' && seen?.scope.inside === undefined;
		const errno: Errno | undefined =
			seen === undefined
				? 'ESRCH'
				: foreign
					? attemptOnHostProcess(scope, 'signal')
					: scope.who.uid !== 0 && seen.uidSeen !== scope.who.uid
						? 'EPERM'
						: undefined;
		if (errno !== undefined) {
			call.io.err(
				`${onHost(scope) ? 'kill: ' : "kill: can't kill pid "}${onHost(scope) ? `(${text}) - ` : `${text}: `}${errnoWords(errno)}\n`,
			);
			code = 1;
			continue;
		}
		if (signal === '0' || seen === undefined) continue;
		touch(scope.world);
		endProcess(scope, pid, signal ?? 'TERM', seen.container !== undefined);
	}
	return code;
};

function endProcess(scope: Scope, pid: number, signal: string, inContainer: boolean): void {
	if (scope.inside === undefined || scope.inside.container.options.pidMode === 'host' || inContainer) {
		signalHostProcess(scope.world, pid, signal);
		return;
	}
	const { container } = scope.inside;
	// Pid 1 of a pid namespace is deaf to signals from inside that it does not handle.
	if (pid === 1) return;
	container.processes = container.processes.filter(p => p.pid !== pid);
	if (container.engine !== undefined && !container.processes.some(p => p.argv.some(word => word.endsWith('dockerd'))))
		container.engine.up = false;
}

const ps: Program = (scope, call) => {
	const seen = processesSeen(scope);
	if (scope.inside !== undefined) {
		call.io.out('PID   USER     COMMAND\n');
		for (const p of seen) call.io.out(`${String(p.pid).padStart(5)} ${p.userSeen.padEnd(8)} ${p.argv.join(' ')}\n`);
		return 0;
	}
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-o', '-p', '-C', '--format', '--pid', '-u'],
		flags: ['-e', '-f', '-A', '--no-headers', '-ef', 'aux'],
	});
	const wanted = lastOf(options, '-p', '--pid')?.split(',').map(Number);
	const columns = (lastOf(options, '-o', '--format') ?? 'pid,user,args').split(',').map(c => c.replace(/=.*$/, ''));
	const silent = (lastOf(options, '-o', '--format') ?? '').includes('=') || options.flags.has('--no-headers');
	const rows = seen.filter(
		p =>
			(wanted === undefined || wanted.includes(p.pid)) &&
			(options.values['-C'] === undefined || options.values['-C'].includes(p.comm)),
	);
	if (!silent) call.io.out(`${columns.map(c => c.toUpperCase().padStart(7)).join(' ')}\n`);
	for (const p of rows) {
		const value: Readonly<Record<string, string>> = {
			pid: String(p.pid),
			ppid: String(p.ppid),
			user: p.userSeen,
			uid: String(p.uidSeen),
			comm: p.comm,
			args: p.argv.join(' '),
			cmd: p.argv.join(' '),
			lstart: new Date(p.startedAt).toUTCString(),
		};
		call.io.out(`${columns.map(c => (value[c] ?? '-').padStart(silent ? 0 : 7)).join(' ')}\n`);
	}
	return rows.length > 0 ? 0 : 1;
};

const id: Program = (scope, call) => {
	const { flags, words } = parseOptions(call.argv.slice(1), {
		withValue: [],
		flags: ['-u', '-g', '-n', '-G', '-un', '-gn'],
	});
	const { who } = scope;
	const named = words[0];
	if (named !== undefined) {
		const row = fileText(scope, '/etc/passwd')
			?.split('\n')
			.find(line => line.startsWith(`${named}:`))
			?.split(':');
		if (row === undefined) {
			call.io.err(`id: '${named}': no such user\n`);
			return 1;
		}
		const groups = (fileText(scope, '/etc/group') ?? '')
			.split('\n')
			.filter(line => line.split(':')[3]?.split(',').includes(named))
			.map(line => line.split(':'));
		if (flags.has('-u')) call.io.out(`${row[2]}\n`);
		else if (flags.has('-G') || flags.has('-n'))
			call.io.out(`${[row[3], ...groups.map(g => (flags.has('-n') ? g[0] : g[2]))].join(' ')}\n`);
		else
			call.io.out(
				`uid=${row[2]}(${named}) gid=${row[3]}(${named}) groups=${[`${row[3]}(${named})`, ...groups.map(g => `${g[2]}(${g[0]})`)].join(',')}\n`,
			);
		return 0;
	}
	if (flags.has('-u')) call.io.out(`${flags.has('-n') ? scope.userName : who.uid}\n`);
	else if (flags.has('-g')) call.io.out(`${who.gid}\n`);
	else if (flags.has('-G')) call.io.out(`${who.groups.join(' ')}\n`);
	else if (onHost(scope))
		call.io.out(
			`uid=${who.uid}(${scope.userName}) gid=${who.gid}(${scope.userName}) groups=${who.groups.map(g => (g === 0 ? '0(root)' : g === 27 ? '27(sudo)' : g === 988 ? '988(docker)' : `${g}(${scope.userName})`)).join(',')}\n`,
		);
	else call.io.out(`uid=${who.uid}${who.uid === 0 ? '(root)' : ''} gid=${who.gid} groups=${who.groups.join(',')}\n`);
	return 0;
};

const whoami: Program = (scope, call) => {
	call.io.out(`${scope.userName}\n`);
	return 0;
};

const hostname: Program = (scope, call) => {
	const args = call.argv.slice(1);
	const set = args.find(a => !a.startsWith('-'));
	const { machine } = scope.world.state;
	const container = scope.inside?.container;
	const ownUts = container !== undefined && container.options.utsMode !== 'host';
	if (set === undefined) {
		call.io.out(
			args.includes('-I')
				? `${container?.ip ?? scope.world.state.network.address} \n`
				: `${ownUts ? container.hostname : machine.hostname}\n`,
		);
		return 0;
	}
	const errno = attempt(scope, 'sethostname');
	if (errno !== undefined) {
		call.io.err(
			onHost(scope)
				? 'hostname: you must be root to change the host name\n'
				: `hostname: sethostname: ${errnoWords(errno)}\n`,
		);
		return 1;
	}
	touch(scope.world);
	if (ownUts) container.hostname = set;
	else machine.hostname = set;
	return 0;
};

const uname: Program = (scope, call) => {
	const { machine } = scope.world.state;
	const flags = call.argv.slice(1).join('').replaceAll('-', '') || 's';
	const arch = machine.arch === 'amd64' ? 'x86_64' : 'aarch64';
	const name = scope.inside?.container.hostname ?? machine.hostname;
	if (flags.includes('a'))
		call.io.out(
			`Linux ${name} ${machine.kernel} ${machine.kernelBuild} ${arch} ${onHost(scope) ? `${arch} ${arch} ` : ''}GNU/Linux\n`,
		);
	else {
		const fields: Readonly<Record<string, string>> = {
			s: 'Linux',
			n: name,
			r: machine.kernel,
			v: machine.kernelBuild,
			m: arch,
			p: arch,
			i: arch,
			o: 'GNU/Linux',
		};
		call.io.out(
			`${[...'snrvmpio']
				.filter(f => flags.includes(f))
				.map(f => fields[f])
				.join(' ')}\n`,
		);
	}
	return 0;
};

const date: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-s', '-d', '--set', '--date'],
		flags: ['-u', '-R', '-Iseconds'],
	});
	const set = lastOf(options, '-s', '--set');
	let at = new Date(scope.world.state.now);
	let code = 0;
	if (set !== undefined) {
		const errno = attempt(scope, 'clock_settime');
		at = new Date(
			/^@/.test(set)
				? Number(set.slice(1)) * 1000
				: Date.parse(/\dZ?$/.test(set) ? `${set.replace(' ', 'T')}${set.length <= 10 ? 'T00:00:00Z' : 'Z'}` : set),
		);
		if (Number.isNaN(at.getTime())) at = new Date(scope.world.state.now);
		if (errno !== undefined) {
			call.io.err(`date: ${onHost(scope) ? 'cannot set date' : "can't set date"}: ${errnoWords(errno)}\n`);
			// Seen with busybox: it prints the date that it could not set, and ends with 0.
			code = onHost(scope) ? 1 : 0;
		} else {
			touch(scope.world);
			scope.world.state.now = at.getTime();
		}
	}
	const format = options.words.find(w => w.startsWith('+'));
	call.io.out(`${format === undefined ? unixDate(at) : formatDate(at, format.slice(1))}\n`);
	return code;
};

const pad = (n: number): string => String(n).padStart(2, '0');

function formatDate(at: Date, format: string): string {
	const fields: Readonly<Record<string, string>> = {
		s: String(Math.floor(at.getTime() / 1000)),
		N: `${String(at.getTime() % 1000).padStart(3, '0')}000000`,
		Y: String(at.getUTCFullYear()),
		m: pad(at.getUTCMonth() + 1),
		d: pad(at.getUTCDate()),
		H: pad(at.getUTCHours()),
		M: pad(at.getUTCMinutes()),
		S: pad(at.getUTCSeconds()),
		F: at.toISOString().slice(0, 10),
		T: at.toISOString().slice(11, 19),
		Z: 'UTC',
		z: '+0000',
	};
	return format.replace(/%(\w)/g, (all, letter: string) => fields[letter] ?? all);
}

const unixDate = (at: Date): string => {
	const [day = '', date = '', month = '', year = ''] = at.toUTCString().replace(',', '').split(' ');
	return `${day} ${month} ${String(Number(date)).padStart(2)} ${at.toISOString().slice(11, 19)} UTC ${year}`;
};

const refused =
	(call: Parameters<typeof attempt>[1], message: (words: string, args: readonly string[]) => string): Program =>
	(scope, { argv, io }) => {
		const errno = attempt(scope, call);
		if (errno === undefined) {
			// What would stop or change the machine is not simulated further than that it would work.
			touch(scope.world);
			return 0;
		}
		io.err(message(errnoWords(errno), argv));
		return 1;
	};

const sysctl: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-p', '--load'],
		flags: ['-w', '-n', '-e', '-q', '-a', '--system', '-N'],
	});
	const { sysctls } = scope.world.state;
	const assign = (key: string, value: string, quiet: boolean): number => {
		if (sysctls[key] === undefined) {
			if (!options.flags.has('-e')) call.io.err(`sysctl: cannot stat ${sysctlPath(key)}: No such file or directory\n`);
			return options.flags.has('-e') ? 0 : 255;
		}
		const errno = scope.who.uid === 0 ? writeText(scope, sysctlPath(key), `${value}\n`) : 'EACCES';
		if (errno !== undefined) {
			call.io.err(
				onHost(scope)
					? `sysctl: permission denied on key "${key}"\n`
					: `sysctl: error setting key '${key}': ${errnoWords(errno)}\n`,
			);
			return onHost(scope) ? 255 : 1;
		}
		if (!quiet) call.io.out(`${key} = ${value}\n`);
		return 0;
	};
	const load = (path: string): number => {
		const text = fileText(scope, path);
		if (text === undefined) {
			call.io.err(`sysctl: cannot open "${path}": No such file or directory\n`);
			return 255;
		}
		for (const line of text.split('\n')) {
			const match = /^\s*-?([\w./-]+)\s*=\s*(.*?)\s*$/.exec(line);
			if (match !== null) assign((match[1] ?? '').replaceAll('/', '.'), match[2] ?? '', options.flags.has('-q'));
		}
		return 0;
	};
	if (options.flags.has('--system')) {
		for (const folder of ['/usr/lib/sysctl.d', '/etc/sysctl.d']) {
			for (const name of scope.view.names(folder)) {
				if (!name.endsWith('.conf')) continue;
				call.io.out(`* Applying ${folder}/${name} ...\n`);
				load(`${folder}/${name}`);
			}
		}
		return 0;
	}
	const file = lastOf(options, '-p', '--load');
	if (file !== undefined) return load(file);
	if (options.flags.has('-a')) {
		for (const [key, value] of Object.entries(sysctls)) call.io.out(`${key} = ${value}\n`);
		return 0;
	}
	let code = 0;
	for (const word of options.words) {
		const [key = '', ...value] = word.split('=');
		if (word.includes('=')) {
			code = assign(key.replaceAll('/', '.'), value.join('='), options.flags.has('-q')) || code;
			continue;
		}
		const read = readText(scope, sysctlPath(key.replaceAll('/', '.')));
		if (read.kind !== 'text') {
			call.io.err(`sysctl: cannot stat ${sysctlPath(key)}: No such file or directory\n`);
			code = 255;
			continue;
		}
		call.io.out(options.flags.has('-n') ? read.text : `${sysctlKey(sysctlPath(key))} = ${read.text}`);
	}
	return code;
};

const df: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['--output', '-B'],
		flags: ['-P', '-k', '-h', '-T', '-B1', '-a', '-i'],
	});
	const { fileSystems } = scope.world.state;
	const shown =
		options.words.length === 0 ? fileSystems : options.words.flatMap(path => fileSystemOf(fileSystems, path) ?? []);
	call.io.out('Filesystem     1K-blocks     Used Available Use% Mounted on\n');
	for (const fs of shown) {
		const [total, used] = [fs.totalBytes / 1024, fs.usedBytes / 1024].map(Math.floor) as [number, number];
		call.io.out(
			`${fs.source.padEnd(14)} ${String(total).padStart(9)} ${String(used).padStart(8)} ${String(total - used).padStart(9)} ${String(Math.ceil((used / total) * 100)).padStart(3)}% ${fs.point}\n`,
		);
	}
	return 0;
};

const free: Program = (scope, call) => {
	const unit = call.argv.includes('-m') ? 1024 : 1;
	const total = Math.floor(scope.world.state.machine.memoryKb / unit);
	call.io.out('              total        used        free      shared  buff/cache   available\n');
	call.io.out(
		`Mem:    ${String(total).padStart(11)} ${String(Math.floor(total * 0.28)).padStart(11)} ${String(Math.floor(total * 0.31)).padStart(11)}           9 ${String(Math.floor(total * 0.41)).padStart(11)} ${String(Math.floor(total * 0.72)).padStart(11)}\n`,
	);
	call.io.out('Swap:             0           0           0\n');
	return 0;
};

const nice: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), { withValue: ['-n'], flags: [], stopAtWord: true });
	if (Number(lastOf(options, '-n') ?? 10) < 0 && attempt(scope, 'nice') !== undefined) {
		call.io.err(`nice: setpriority(${lastOf(options, '-n')}): Permission denied\n`);
		return 1;
	}
	return runProgram(scope, { ...call, argv: options.words }) ?? 127;
};

const capsh: Program = (scope, call) => {
	call.io.out(`Current: =ep\nBounding set =\nCapEff: ${maskText(effectiveCapabilities(scope))}\n`);
	return 0;
};

const findmnt: Program = (scope, call) => {
	const options = parseOptions(call.argv.slice(1), {
		withValue: ['-o', '--output', '-T', '--target', '-t', '--types', '-S'],
		flags: ['-J', '--json', '-n', '-r', '-b', '--noheadings', '-l'],
	});
	const target = lastOf(options, '-T', '--target') ?? options.words[0];
	const table = mountTable(scope);
	const best =
		target === undefined
			? undefined
			: table
					.filter(m => m.point === '/' || target === m.point || target.startsWith(`${m.point}/`))
					.toSorted((a, b) => b.point.length - a.point.length)[0];
	const type = lastOf(options, '-t', '--types');
	const rows = (target === undefined ? table : best === undefined ? [] : [best]).filter(
		m => type === undefined || m.type === type,
	);
	if (rows.length === 0) return 1;
	const columns = (lastOf(options, '-o', '--output') ?? 'target,source,fstype,options').toLowerCase().split(',');
	const cells = rows.map(m => {
		const fs = scope.world.state.fileSystems.find(f => f.point === m.point);
		const all: Readonly<Record<string, string>> = {
			target: m.point,
			source: m.source,
			fstype: m.type,
			options: `${m.options},${m.superOptions}`,
			avail: String((fs?.totalBytes ?? 0) - (fs?.usedBytes ?? 0)),
			size: String(fs?.totalBytes ?? 0),
		};
		return Object.fromEntries(columns.map(c => [c, all[c] ?? '']));
	});
	if (options.flags.has('-J') || options.flags.has('--json'))
		call.io.out(`${JSON.stringify({ filesystems: cells }, null, 3)}\n`);
	else {
		if (!options.flags.has('-n') && !options.flags.has('--noheadings'))
			call.io.out(`${columns.map(c => c.toUpperCase()).join(' ')}\n`);
		for (const row of cells) call.io.out(`${Object.values(row).join(' ')}\n`);
	}
	return 0;
};

const losetup: Program = (scope, call) => {
	if (scope.inside === undefined || (confinementOf(scope).privileged && confinementOf(scope).initialUserNamespace)) {
		if (call.argv.includes('-f') || call.argv.includes('-d')) {
			touch(scope.world);
			call.io.out(call.argv.includes('--show') || call.argv.length === 2 ? '/dev/loop0\n' : '');
			return 0;
		}
		return 0;
	}
	const errno = deviceErrno(scope, 'c 10 237') ?? 'EPERM';
	call.io.err(
		`losetup: ${scope.view.get('/dev/loop-control') === undefined ? '/dev/loop0: No such file or directory' : errnoWords(errno)}\n`,
	);
	return 1;
};

const ping: Program = (scope, call) => {
	const target = call.argv.at(-1) ?? '';
	const reachable = /^\d+\./.test(target) || target === 'localhost' || scope.world.state.internet;
	spend(scope.world, reachable ? 5 : 2000);
	if (!reachable) {
		call.io.err(`ping: bad address '${target}'\n`);
		return 1;
	}
	const address = /^\d+\./.test(target) ? target : '10.20.0.1';
	call.io.out(
		`PING ${target} (${address}): 56 data bytes\n64 bytes from ${address}: seq=0 ttl=63 time=0.895 ms\n\n--- ${target} ping statistics ---\n1 packets transmitted, 1 packets received, 0% packet loss\nround-trip min/avg/max = 0.895/0.895/0.895 ms\n`,
	);
	return 0;
};

export const systemPrograms: Readonly<Record<string, Program>> = {
	mount,
	umount,
	dmesg,
	insmod,
	modprobe,
	lsmod,
	nsenter,
	unshare,
	chroot,
	kill,
	ps,
	id,
	whoami,
	hostname,
	uname,
	date,
	sysctl,
	df,
	free,
	nice,
	capsh,
	findmnt,
	losetup,
	ping,
	renice: nice,
	reboot: refused('reboot', words => `reboot: : ${words}\n`),
	swapon: refused('swapon', (words, argv) => `swapon: ${argv[1] ?? ''}: ${words}\n`),
	mke2fs: () => 0,
	pwd: (scope, call) => {
		call.io.out(`${scope.cwd}\n`);
		return 0;
	},
	nproc: (scope, call) => {
		call.io.out(`${scope.world.state.machine.cpus}\n`);
		return 0;
	},
	uptime: (scope, call) => {
		const minutes = Math.floor((scope.world.state.now - scope.world.state.machine.bootedAt) / 60_000);
		call.io.out(` 10:00:00 up ${minutes} min,  0 users,  load average: 0.42, 0.37, 0.30\n`);
		return 0;
	},
	'systemd-detect-virt': (scope, call) => {
		const { machine } = scope.world.state;
		const container = call.argv.includes('--container') || call.argv.includes('-c');
		const said = scope.inside !== undefined ? 'container-other' : container ? 'none' : machine.virt;
		call.io.out(`${said}\n`);
		return said === 'none' ? 1 : 0;
	},
	getconf: (scope, call) => {
		call.io.out(`${call.argv[1] === 'CLK_TCK' ? 100 : scope.world.state.machine.cpus}\n`);
		return 0;
	},
};
