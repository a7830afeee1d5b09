import { put, putFolder, putLink } from './file-tree.ts';
import type { FileTree, ImageFlavour } from './state.ts';

/** The applets of busybox that are simulated; an image without one of them says so in the kernel's words. */
export const busyboxApplets = [
	'[',
	'awk',
	'basename',
	'cat',
	'chmod',
	'chown',
	'chroot',
	'cp',
	'cut',
	'date',
	'dd',
	'df',
	'dirname',
	'dmesg',
	'echo',
	'env',
	'expr',
	'false',
	'find',
	'free',
	'grep',
	'head',
	'hostname',
	'id',
	'insmod',
	'kill',
	'ln',
	'ls',
	'lsmod',
	'mkdir',
	'mknod',
	'modprobe',
	'mount',
	'mv',
	'nice',
	'nproc',
	'nsenter',
	'ping',
	'printenv',
	'printf',
	'ps',
	'pwd',
	'readlink',
	'reboot',
	'renice',
	'rm',
	'rmdir',
	'sed',
	'seq',
	'sh',
	'sleep',
	'sort',
	'stat',
	'swapon',
	'sync',
	'sysctl',
	'tail',
	'tee',
	'test',
	'timeout',
	'touch',
	'tr',
	'true',
	'umount',
	'uname',
	'uniq',
	'unshare',
	'uptime',
	'wc',
	'wget',
	'which',
	'whoami',
	'xargs',
	'yes',
	'sha256sum',
	'nc',
	'mkfifo',
	'losetup',
	'mke2fs',
	'ip',
] as const;

const dockerPrograms = [
	'docker',
	'dockerd',
	'containerd',
	'runc',
	'iptables',
	'docker-init',
	'dockerd-entrypoint.sh',
	'docker-entrypoint.sh',
] as const;

/** Programs of an image, by name. `service` images are what runs on the demo host: shells, and their own server. */
export function programsOf(flavour: ImageFlavour): readonly string[] {
	switch (flavour) {
		case 'busybox':
		case 'alpine':
			return busyboxApplets;
		case 'debian':
			return [...busyboxApplets, 'bash', 'apt-get', 'capsh', 'findmnt'];
		case 'dind':
			return [...busyboxApplets, ...dockerPrograms];
		case 'registry':
			return [...busyboxApplets, 'registry', '/entrypoint.sh'];
		case 'systemd':
			return [...busyboxApplets, ...dockerPrograms, 'bash', 'systemctl', 'systemd-detect-virt', 'init'];
		case 'service':
			return [...busyboxApplets, 'bash', 'service'];
		default:
			return flavour satisfies never;
	}
}

const bases = new Map<ImageFlavour, FileTree>();

/** Files of an image that anyone might look at. Shared: never written to. */
export function baseFiles(flavour: ImageFlavour): FileTree {
	const known = bases.get(flavour);
	if (known !== undefined) return known;
	const tree: FileTree = {};
	for (const folder of [
		'/bin',
		'/etc',
		'/home',
		'/mnt',
		'/opt',
		'/root',
		'/run',
		'/sbin',
		'/usr/bin',
		'/usr/sbin',
		'/usr/local/bin',
		'/var/lib',
		'/var/log',
		'/srv',
		'/lib',
	]) {
		putFolder(tree, folder);
	}
	putFolder(tree, '/tmp', 0o1777);
	putLink(tree, '/var/run', '/run');
	put(tree, '/.dockerenv', '');
	const name = flavour === 'debian' || flavour === 'systemd' ? 'debian' : flavour === 'busybox' ? 'busybox' : 'alpine';
	if (name === 'debian')
		put(
			tree,
			'/etc/os-release',
			'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n',
		);
	if (name === 'alpine')
		put(
			tree,
			'/etc/os-release',
			'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.2\nPRETTY_NAME="Alpine Linux v3.22"\n',
		);
	put(tree, '/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n');
	put(tree, '/etc/group', 'root:x:0:\nnogroup:x:65534:\n');
	put(tree, '/etc/shadow', 'root:*::0:::::\n', 0o640);
	put(tree, '/bin/busybox', '\x7fELF busybox', 0o755);
	for (const program of programsOf(flavour)) {
		const path = program.startsWith('/')
			? program
			: (busyboxApplets as readonly string[]).includes(program)
				? `/bin/${program}`
				: `/usr/local/bin/${program}`;
		if ((busyboxApplets as readonly string[]).includes(program)) putLink(tree, path, '/bin/busybox');
		else put(tree, path, `\x7fELF ${program}`, 0o755);
	}
	if (flavour === 'systemd') put(tree, '/sbin/init', '\x7fELF systemd', 0o755);
	bases.set(flavour, tree);
	return tree;
}
