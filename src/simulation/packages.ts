import { put, putFolder, removeTree } from './file-tree.ts';
import {
	daemonJsonPath,
	fileOf,
	reloadDocker,
	restartUnit,
	startUnit,
	stopUnit,
	sysboxUnits,
	unitText,
} from './services.ts';
import type { InstalledPackage, PackageControl } from './state.ts';
import { spend, touch, type World } from './world.ts';

/** dpkg's database and what the scripts of packages do. */

export const sysboxPackage = 'sysbox-ce';

/** `sysbox-ce_0.7.1-0.linux_amd64.deb` → what its control file says. Dependencies: sysbox-pkgr, deb/sysbox-ce/control. */
export function sysboxControl(url: string): PackageControl | undefined {
	const match = /sysbox-ce_(\d+\.\d+\.\d+)(?:-\d+)?\.linux_(amd64|arm64)\.deb$/.exec(url);
	if (match === null) return undefined;
	return {
		name: sysboxPackage,
		version: `${match[1]}.linux`,
		architecture: match[2] ?? 'amd64',
		depends: ['debconf', 'jq', 'fuse', 'lsb-release', 'rsync', 'iptables'],
		sizeKb: 40_200,
		files: ['/usr/bin/sysbox-runc', '/usr/bin/sysbox-mgr', '/usr/bin/sysbox-fs'],
		description: 'Sysbox Community Edition',
	};
}

export type Resolution =
	| { readonly kind: 'resolved'; readonly install: readonly PackageControl[]; readonly remove: readonly string[] }
	| { readonly kind: 'unmet'; readonly lines: readonly string[] };

const satisfied = (world: World, name: string, coming: readonly PackageControl[]): boolean => {
	const there = [...Object.values(world.state.packages).filter(p => p.status === 'installed'), ...coming];
	return there.some(p => p.name === name || (p.provides ?? []).includes(name));
};

/** What has to come along. The first alternative that the archive has is taken, as apt does. */
export function resolvePackages(world: World, wanted: readonly PackageControl[]): Resolution {
	const install: PackageControl[] = [];
	const lines: string[] = [];
	const add = (control: PackageControl): void => {
		if (install.some(p => p.name === control.name)) return;
		const { depends } = control;
		const mark = install.length;
		install.push(control);
		for (const dependency of depends) {
			const alternatives = dependency.split('|').map(part => part.trim().replace(/\s*\(.*\)$/, ''));
			if (alternatives.some(name => satisfied(world, name, [...install, ...wanted]))) continue;
			const found = alternatives.map(name => world.state.archive[name]).find(p => p !== undefined);
			if (found === undefined) lines.push(` ${control.name} : Depends: ${dependency} but it is not installable`);
			else add(found);
		}
		// Dependencies are unpacked first.
		const [own] = install.splice(mark, 1);
		if (own !== undefined) install.push(own);
	};
	for (const control of wanted) add(control);
	if (lines.length > 0) return { kind: 'unmet', lines };
	const breaks = new Set(install.flatMap(p => p.breaks ?? []));
	const brokenBy = Object.values(world.state.packages).filter(
		p => p.status === 'installed' && (p.breaks ?? []).some(name => install.some(i => i.name === name)),
	);
	const remove = Object.values(world.state.packages)
		.filter(
			p =>
				p.status === 'installed' &&
				(breaks.has(p.name) || brokenBy.includes(p)) &&
				!install.some(i => i.name === p.name),
		)
		.map(p => p.name);
	return { kind: 'resolved', install, remove };
}

export type Say = (line: string) => void;

/** Unpacks and configures. Undefined: done; else what dpkg says when a script fails. */
export function installPackage(world: World, control: PackageControl, say: Say, auto: boolean): string | undefined {
	const { state } = world;
	touch(world);
	const old = state.packages[control.name];
	say(
		`${old?.status === 'installed' ? `Preparing to unpack .../${control.name}_${control.version}_${control.architecture}.deb ...\nUnpacking ${control.name} (${control.version}) over (${old.version}) ...` : `Selecting previously unselected package ${control.name}.\nPreparing to unpack .../${control.name}_${control.version}_${control.architecture}.deb ...\nUnpacking ${control.name} (${control.version}) ...`}`,
	);
	spend(world, 400);
	if (control.name === sysboxPackage) {
		const guard = sysboxGuard(world);
		if (guard !== undefined) {
			state.packages[control.name] = { ...control, status: 'half-configured' };
			say(guard);
			return ` installed ${control.name} package post-installation script subprocess returned error exit status 1`;
		}
	}
	for (const path of control.files) put(state.files, path, `\x7fELF ${path.split('/').at(-1)}`, 0o755);
	say(`Setting up ${control.name} (${control.version}) ...`);
	// Who is asked for by name is wanted for itself from then on; an upgrade that comes along keeps its mark.
	const isAuto = auto && (old?.status === 'installed' ? old.auto === true : true);
	const installed: InstalledPackage = { ...control, status: 'installed', ...(isAuto && { auto: true }) };
	state.packages[control.name] = installed;
	const problem = control.name === sysboxPackage ? configureSysbox(world, control.version, say) : undefined;
	spend(world, 600);
	if (problem === undefined) return undefined;
	installed.status = 'half-configured';
	return problem;
}

export function removePackage(world: World, name: string, purge: boolean, say: Say): void {
	const { state } = world;
	const old = state.packages[name];
	if (old === undefined) return;
	touch(world);
	if (old.status !== 'config-files') {
		say(`Removing ${name} (${old.version}) ...`);
		if (name === sysboxPackage) takeSysboxAway(world, purge);
		for (const path of old.files) removeTree(state.files, path);
		spend(world, 900);
	}
	if (purge) {
		say(`Purging configuration files for ${name} (${old.version}) ...`);
		delete state.packages[name];
	} else state.packages[name] = { ...old, status: 'config-files' };
}

/** What the debconf script asks: keys by these patterns, and any container, running or stopped (sysbox-ce.config). */
function sysboxGuard(world: World): string | undefined {
	const { engine } = world.state.docker;
	if (!engine.up) return undefined;
	const text = fileOf(world, '/etc/docker/daemon.json') ?? '';
	const hasKeys = /^[ ]+"bip": "[0-9.]+.*"/m.test(text) && /^[ ]+"default-address-pools"/m.test(text);
	// Its count is `docker ps -a | wc -l | egrep "1$"`, so 10, 20, 30… containers look like none.
	const looksEmpty = (engine.containers.length + 1) % 10 === 1;
	if (hasKeys || looksEmpty) return undefined;
	return '\nThe Sysbox installer requires a docker service restart to configure network parameters, but it cannot proceed due to existing Docker containers. Please remove them as indicated below and re-launch the installation process. Refer to Sysbox installation documentation for details.\n\n"docker rm $(docker ps -a -q) -f"\n';
}

const unitFiles: Readonly<
	Record<(typeof sysboxUnits)[number], { readonly description: string; readonly type: string; readonly text: string }>
> = {
	'sysbox.service': {
		description: 'Sysbox container runtime',
		type: 'exec',
		text: '[Unit]\nDescription=Sysbox container runtime\nDocumentation=https://github.com/nestybox/sysbox\nBindsTo=sysbox-mgr.service sysbox-fs.service\nAfter=sysbox-mgr.service sysbox-fs.service\nBefore=docker.service containerd.service\n\n[Service]\nType=exec\nExecStart=/bin/sh -c "/usr/bin/sysbox-runc --version && /usr/bin/sysbox-mgr --version && /usr/bin/sysbox-fs --version && /bin/sleep infinity"\n\n[Install]\nWantedBy=multi-user.target\n',
	},
	'sysbox-mgr.service': {
		description: 'sysbox-mgr (part of the Sysbox container runtime)',
		type: 'notify',
		text: '[Unit]\nDescription=sysbox-mgr (part of the Sysbox container runtime)\nPartOf=sysbox.service\n\n[Service]\nType=notify\nExecStart=/usr/bin/sysbox-mgr\nTimeoutStartSec=45\nTimeoutStopSec=90\nStartLimitInterval=0\nNotifyAccess=main\nOOMScoreAdjust=-500\nLimitNOFILE=infinity\nLimitNPROC=infinity\n\n[Install]\nWantedBy=sysbox.service\n',
	},
	'sysbox-fs.service': {
		description: 'sysbox-fs (part of the Sysbox container runtime)',
		type: 'notify',
		text: '[Unit]\nDescription=sysbox-fs (part of the Sysbox container runtime)\nPartOf=sysbox.service\nAfter=sysbox-mgr.service\n\n[Service]\nType=notify\nExecStart=/usr/bin/sysbox-fs\nTimeoutStartSec=10\nTimeoutStopSec=10\nStartLimitInterval=0\nNotifyAccess=main\nOOMScoreAdjust=-500\nLimitNOFILE=infinity\nLimitNPROC=infinity\n\n[Install]\nWantedBy=sysbox.service\n',
	},
};

const sysctlFile = [
	['kernel.unprivileged_userns_clone', '1'],
	['fs.inotify.max_queued_events', '1048576'],
	['fs.inotify.max_user_watches', '1048576'],
	['fs.inotify.max_user_instances', '1048576'],
	['kernel.keys.maxkeys', '20000'],
	['kernel.keys.maxbytes', '1400000'],
	['kernel.pid_max', '4194304'],
] as const;

/** The units, the user and the files: what the package is, apart from what its scripts do to others. */
export function placeSysbox(world: World): void {
	const { state } = world;
	for (const name of sysboxUnits) {
		const { description, type, text } = unitFiles[name];
		const fragment = `/usr/lib/systemd/system/${name}`;
		put(state.files, fragment, text);
		state.units[name] ??= {
			name,
			description,
			active: 'inactive',
			sub: 'dead',
			result: 'success',
			enabled: 'enabled',
			type,
			fragment,
			mainPid: 0,
			mainStatus: 0,
			starts: [],
			loadedText: text,
		};
		state.units[name].loadedText = unitText(world, state.units[name]);
	}
	putFolder(state.files, '/var/lib/sysboxfs');
	putFolder(state.files, '/var/lib/sysbox', 0o710);
	put(
		state.files,
		'/usr/lib/sysctl.d/99-sysbox-sysctl.conf',
		sysctlFile.map(([key, value]) => `${key} = ${value}\n`).join(''),
	);
	const passwd = fileOf(world, '/etc/passwd') ?? '';
	if (!/^sysbox:/m.test(passwd))
		put(state.files, '/etc/passwd', `${passwd}sysbox:x:996:1001::/home/sysbox:/bin/false\n`);
	// Raised only where the host's value is lower.
	for (const [key, value] of sysctlFile) {
		const now = state.sysctls[key];
		if (now !== undefined && Number(now) < Number(value)) state.sysctls[key] = value;
	}
}

function configureSysbox(world: World, version: string, say: Say): string | undefined {
	const { state } = world;
	const bare = version.replace(/\.linux$/, '');
	const upgrade = state.units['sysbox.service']?.active === 'active';
	if (upgrade) stopUnit(world, 'sysbox.service');
	state.sysbox = { ...state.sysbox, runc: bare, mgr: bare, fs: bare };
	placeSysbox(world);
	for (const name of sysboxUnits) {
		const by = name === 'sysbox.service' ? 'multi-user.target' : 'sysbox.service';
		say(`Created symlink /etc/systemd/system/${by}.wants/${name} → /usr/lib/systemd/system/${name}.`);
	}
	if (state.docker.kind === 'native' && state.docker.engine.up) adjustDocker(world, say);
	const started = startUnit(world, 'sysbox.service');
	if (started.kind === 'done') return undefined;
	say(
		`A dependency job for sysbox.service failed. See 'journalctl -xe' for details.\nCould not execute systemctl:  at /usr/bin/deb-systemd-invoke line 148.`,
	);
	return ` installed ${sysboxPackage} package post-installation script subprocess returned error exit status 1`;
}

/** The postinst's `adjust_docker_config`: only keys that are missing, the whole file written anew with four spaces. */
function adjustDocker(world: World, say: Say): void {
	const path = '/etc/docker/daemon.json';
	const text = fileOf(world, path) ?? '';
	let config: Record<string, unknown>;
	try {
		config = text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
	} catch {
		// jq fails inside of tests, so nothing is registered and nothing is said.
		return;
	}
	const before = JSON.stringify(config);
	const runtimes = (config['runtimes'] ?? {}) as Record<string, unknown>;
	if (runtimes['sysbox-runc'] === undefined)
		config['runtimes'] = { ...runtimes, 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } };
	const registered = JSON.stringify(config) !== before;
	let network = false;
	if (!config['bip']) {
		config['bip'] = '172.20.0.1/16';
		network = true;
	}
	if (!Array.isArray(config['default-address-pools']) || config['default-address-pools'].length === 0) {
		config['default-address-pools'] = [{ base: '172.25.0.0/16', size: 24 }];
		network = true;
	}
	if (!registered && !network) return;
	put(world.state.files, path, `${JSON.stringify(config, null, 4)}\n`);
	if (network) {
		if (world.state.docker.engine.containers.length === 0) {
			restartUnit(world, 'docker.service');
			return;
		}
		say('Docker service was not restarted to avoid affecting existing containers.');
		return;
	}
	reloadDocker(world);
}

function takeSysboxAway(world: World, purge: boolean): void {
	const { state } = world;
	stopUnit(world, 'sysbox.service');
	for (const name of sysboxUnits) {
		delete state.units[name];
		removeTree(state.files, `/usr/lib/systemd/system/${name}`);
	}
	removeTree(state.files, '/run/sysbox');
	removeTree(state.files, '/usr/lib/sysctl.d/99-sysbox-sysctl.conf');
	const { subidStart, deadMounts } = state.sysbox;
	state.sysbox = { subidStart, deadMounts };
	if (!purge || state.docker.kind !== 'native') return;
	const path = daemonJsonPath(world);
	try {
		const config = JSON.parse(fileOf(world, path) ?? '{}') as Record<string, unknown>;
		const runtimes = (config['runtimes'] ?? {}) as Record<string, unknown>;
		if (runtimes['sysbox-runc'] === undefined) return;
		delete runtimes['sysbox-runc'];
		if (Object.keys(runtimes).length === 0) delete config['runtimes'];
		put(state.files, path, `${JSON.stringify(config, null, 4)}\n`);
		reloadDocker(world);
	} catch {
		// As the script: jq's failure is swallowed.
	}
}

/** Whether somebody holds dpkg's lock; the holder is unattended-upgrades, as on most hosts. */
export function lockHolder(world: World): { readonly pid: number; readonly name: string } | undefined {
	return world.faults.fires('apt-locked') === undefined ? undefined : { pid: 4711, name: 'unattended-upgr' };
}
