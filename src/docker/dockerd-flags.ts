import { type Reading, read, unreadable } from '../system/reading.ts';
import { systemdWords } from '../system/systemd-words.ts';

/** A daemon option that was given on a command line. */
export interface DockerdFlag {
	/** The name as daemon.json has it: `-H` and `--host` are `hosts`, `--bip` is `bip`. */
	readonly key: string;
	/** The long name without dashes, such as `host`. */
	readonly name: string;
	/** As it was typed, such as `-H` or `--bip`. */
	readonly flag: string;
	/** `true` for a switch without a value, empty for an option whose value is not there. */
	readonly value: string;
}

/**
 * daemon.json keys whose flag has another name: moby's named lists are plural in the file and singular on the command
 * line (opts.NamedOption in cmd/dockerd/config*.go and options.go; since v29 daemon/command).
 */
const keyOfFlag: ReadonlyMap<string, string> = new Map([
	['add-runtime', 'runtimes'],
	['authorization-plugin', 'authorization-plugins'],
	['cdi-spec-dir', 'cdi-spec-dirs'],
	['cluster-store-opt', 'cluster-store-opts'],
	['default-address-pool', 'default-address-pools'],
	['default-network-opt', 'default-network-opts'],
	['default-ulimit', 'default-ulimits'],
	['dns-opt', 'dns-opts'],
	['exec-opt', 'exec-opts'],
	['feature', 'features'],
	['graph', 'data-root'],
	['host', 'hosts'],
	// Renamed in 28.0, the old key is still read.
	['host-gateway-ip', 'host-gateway-ips'],
	['insecure-registry', 'insecure-registries'],
	['label', 'labels'],
	['log-opt', 'log-opts'],
	['node-generic-resource', 'node-generic-resources'],
	['nri-opt', 'nri-opts'],
	['registry-mirror', 'registry-mirrors'],
	['storage-opt', 'storage-opts'],
]);

const longNames: ReadonlyMap<string, string> = new Map([
	['b', 'bridge'],
	['D', 'debug'],
	['g', 'graph'],
	['G', 'group'],
	['h', 'help'],
	['H', 'host'],
	['l', 'log-level'],
	['p', 'pidfile'],
	['r', 'restart'],
	['s', 'storage-driver'],
	['v', 'version'],
]);

/** Flags which take a value only after `=` (pflag BoolVar). */
const switches: ReadonlySet<string> = new Set([
	'allow-direct-routing',
	'containerd-snapshotter',
	'cri-containerd',
	'debug',
	'disable-legacy-registry',
	'experimental',
	'help',
	'icc',
	'init',
	'ip-forward',
	'ip-forward-no-drop',
	'ip-masq',
	'ip6tables',
	'iptables',
	'ipv6',
	'live-restore',
	'no-new-privileges',
	'raw-logs',
	'restart',
	'rootless',
	'selinux-enabled',
	'tls',
	'tlsverify',
	'userland-proxy',
	'validate',
	'version',
]);

/**
 * The options of a dockerd command line, in order, read as spf13/pflag does: `--flag=x`, `--flag x`, `-H x`, `-Hx`,
 * `-H=x`, grouped short switches (`-DH x`); `--` ends them. What is no option (the program, `$VARIABLES`) is passed over.
 */
export function parseDockerdFlags(argv: readonly string[]): readonly DockerdFlag[] {
	return flagsOf(argv).map(({ at: _, ...flag }) => flag);
}

function flagsOf(argv: readonly string[]): readonly (DockerdFlag & { readonly at: number })[] {
	const flags: (DockerdFlag & { at: number })[] = [];
	let at = 0;
	const nextWord = (): string => {
		at += 1;
		return argv[at] ?? '';
	};
	for (; at < argv.length; at += 1) {
		const word = argv[at] ?? '';
		const where = at;
		if (word === '--') break;
		const found = word.startsWith('--')
			? [longOption(word, nextWord)]
			: word.startsWith('-')
				? shortOptions(word, nextWord)
				: [];
		for (const { name, flag, value } of found)
			flags.push({ key: keyOfFlag.get(name) ?? name, name, flag, value, at: where });
	}
	return flags;
}

type Option = Pick<DockerdFlag, 'name' | 'flag' | 'value'>;

function longOption(word: string, nextWord: () => string): Option {
	const equals = word.indexOf('=');
	const name = word.slice(2, equals === -1 ? undefined : equals);
	const value = equals !== -1 ? word.slice(equals + 1) : switches.has(name) ? 'true' : nextWord();
	return { name, flag: `--${name}`, value };
}

/** `-DH x`: switches, and at most one option that takes a value, which ends the word. */
function shortOptions(word: string, nextWord: () => string): readonly Option[] {
	const options: Option[] = [];
	const letters = [...word.slice(1)];
	for (const [index, letter] of letters.entries()) {
		const name = longNames.get(letter) ?? letter;
		const rest = letters.slice(index + 1).join('');
		const add = (value: string): number => options.push({ name, flag: `-${letter}`, value });
		if (rest.startsWith('=')) {
			add(rest.slice(1));
			break;
		}
		if (!switches.has(name)) {
			add(rest === '' ? nextWord() : rest);
			break;
		}
		add('true');
	}
	return options;
}

/** The values of an option by its long name, in order. */
export const valuesOf = (flags: readonly DockerdFlag[], name: string): readonly string[] =>
	flags.filter(flag => flag.name === name).map(flag => flag.value);

/** What dockerd reads unless `--config-file` says otherwise. */
export const defaultConfigFile = '/etc/docker/daemon.json';

/** The configuration file that the words of dockerd name. */
export function configFileOf(flags: readonly DockerdFlag[]): string {
	return flags.findLast(f => f.key === 'config-file')?.value ?? defaultConfigFile;
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
	let words: { readonly text: string; readonly file: string; readonly line: number }[] = [];
	let inExecStart = false;
	for (const { file, line, text } of lines) {
		const start = /^\s*ExecStart\s*=\s*(.*)$/.exec(text);
		if (start?.[1] === '') words = [];
		if (start === null && !inExecStart) continue;
		// systemd passes over a comment between the lines of one command.
		if (start === null && /^\s*[#;]/.test(text)) continue;
		const content = (start?.[1] ?? text).replace(/\\\s*$/, '');
		for (const word of systemdWords(content)) words.push({ text: word, file, line });
		inExecStart = /\\\s*$/.test(text);
	}
	return flagsOf(words.map(word => word.text)).flatMap(({ at, ...flag }) => {
		const word = words[at];
		return word === undefined ? [] : [{ ...flag, file: word.file, line: word.line }];
	});
}
