import { type Reading, read, unreadable } from './reading.ts';

/** A daemon option that was given on a command line. */
export interface DockerdFlag {
	/** The name as daemon.json has it: `-H` and `--host` are `hosts`, `--bip` is `bip`. */
	readonly key: string;
	/** As it was typed, such as `--bip`. */
	readonly flag: string;
	readonly value: string;
}

/**
 * daemon.json keys whose flag has another name: moby's named lists are plural in the file and singular on the command
 * line (daemon/config and cmd/dockerd, `NewNamedListOptsRef`).
 */
const keyOfFlag: Readonly<Record<string, string>> = {
	H: 'hosts',
	host: 'hosts',
	D: 'debug',
	l: 'log-level',
	g: 'data-root',
	graph: 'data-root',
	s: 'storage-driver',
	b: 'bridge',
	p: 'pidfile',
	G: 'group',
	label: 'labels',
	'insecure-registry': 'insecure-registries',
	'registry-mirror': 'registry-mirrors',
	'storage-opt': 'storage-opts',
	'exec-opt': 'exec-opts',
	'log-opt': 'log-opts',
	'default-address-pool': 'default-address-pools',
	'default-network-opt': 'default-network-opts',
	'cluster-store-opt': 'cluster-store-opts',
	'authorization-plugin': 'authorization-plugins',
	'add-runtime': 'runtimes',
	'default-ulimit': 'default-ulimits',
	'dns-opt': 'dns-opts',
	feature: 'features',
	'nri-opt': 'nri-opts',
};

/** dockerd flags that take no value unless it is joined by `=`. */
const switches = new Set([
	'debug',
	'D',
	'live-restore',
	'experimental',
	'icc',
	'ip-forward',
	'ip-masq',
	'iptables',
	'ip6tables',
	'ipv6',
	'selinux-enabled',
	'tls',
	'tlsverify',
	'userland-proxy',
	'init',
	'no-new-privileges',
	'raw-logs',
	'rootless',
	'validate',
	'help',
	'version',
	'h',
	'v',
	'allow-direct-routing',
	'bridge-accept-fwmark',
	'disable-legacy-registry',
	'ip-forward-no-drop',
	'containerd-snapshotter',
]);

/** The options of a dockerd command line, in order. What is no option (the program, `$VARIABLES`) is passed over. */
export function parseDockerdFlags(argv: readonly string[]): readonly DockerdFlag[] {
	const flags: DockerdFlag[] = [];
	for (let at = 0; at < argv.length; at++) {
		const word = argv[at] ?? '';
		const long = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(word);
		const short = /^-([A-Za-z])(?:=?(.+))?$/s.exec(word);
		const name = long?.[1] ?? short?.[1];
		if (name === undefined) continue;
		const joined = long?.[2] ?? short?.[2];
		const next = argv[at + 1];
		const takesNext =
			joined === undefined &&
			!switches.has(name) &&
			next !== undefined &&
			!next.startsWith('-') &&
			!next.startsWith('$');
		if (takesNext) at++;
		flags.push({
			key: keyOfFlag[name] ?? name,
			flag: long ? `--${name}` : `-${name}`,
			value: unquote(joined ?? (takesNext ? next : 'true')),
		});
	}
	return flags;
}

/** The words of dockerd that name its configuration file, /etc/docker/daemon.json unless `--config-file` says so. */
export function configFileOf(flags: readonly DockerdFlag[]): string {
	return flags.findLast(f => f.key === 'config-file')?.value ?? '/etc/docker/daemon.json';
}

export interface UnitLine {
	readonly file: string;
	/** From 1. */
	readonly line: number;
	readonly text: string;
}

/**
 * `systemctl cat UNIT`: the unit and its drop-ins, each below a line `# /path`. The line numbers are those of the
 * files, as systemctl copies them whole.
 */
export function parseUnitFiles(text: unknown): Reading<readonly UnitLine[]> {
	if (typeof text !== 'string') return unreadable('systemctl cat gave no text');
	const lines: UnitLine[] = [];
	let file: string | undefined;
	let number = 0;
	const all = text.split('\n');
	for (const [index, content] of all.entries()) {
		// The header stands at the top or after the empty line that systemctl puts between files.
		const header =
			index === 0 || all[index - 1]?.trim() === ''
				? /^# (\/\S+\.(?:service|socket|conf|timer|mount))$/.exec(content)?.[1]
				: undefined;
		if (header !== undefined) {
			file = header;
			number = 0;
		} else if (file !== undefined) {
			number++;
			lines.push({ file, line: number, text: content });
		}
	}
	return file === undefined ? unreadable('systemctl cat showed no unit file') : read(lines);
}

export interface FlagPlace extends DockerdFlag {
	readonly file: string;
	readonly line: number;
}

/**
 * Where each option of dockerd in force was written: FILE:LINE. An empty `ExecStart=` forgets what was above it, and
 * a line that ends with a backslash goes on in the next.
 */
export function locateFlags(lines: readonly UnitLine[]): readonly FlagPlace[] {
	let found: FlagPlace[] = [];
	let inExecStart = false;
	for (const { file, line, text } of lines) {
		const start = /^\s*ExecStart\s*=\s*(.*)$/.exec(text);
		if (start?.[1] === '') found = [];
		if (start === null && !inExecStart) continue;
		const words = (start?.[1] ?? text).replace(/\\\s*$/, '').trim();
		found.push(...parseDockerdFlags(words.split(/\s+/)).map(flag => ({ ...flag, file, line })));
		inExecStart = /\\\s*$/.test(text);
	}
	return found;
}

const unquote = (value: string) => /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
