import { goJsonError } from './go-json.ts';
import type { Engine, EngineConfig, RuntimeEntry } from './state.ts';
import { atLeast } from './world.ts';

/** Keys that dockerd knows in daemon.json (moby v29, daemon/config), those for other systems left out. */
const knownKeys = new Set(
	`allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugins bip bip6 bridge bridge-accept-fwmark
	builder cgroup-parent containerd containerd-namespace containerd-plugin-namespace cpu-rt-period cpu-rt-runtime data-root debug
	default-address-pools default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode default-network-opts default-runtime
	default-shm-size default-stop-timeout default-ulimits dns dns-opts dns-search exec-opts exec-root experimental features
	firewall-backend fixed-cidr fixed-cidr-v6 group host-gateway-ip host-gateway-ips hosts http-proxy https-proxy icc init init-path
	insecure-registries ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 labels live-restore log-driver log-format
	log-level log-opts max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr mtu
	network-control-plane-mtu network-diagnostic-port no-new-privileges no-proxy node-generic-resources nri-opts oom-score-adjust pidfile
	proxies raw-logs registry-mirrors rootless runtimes seccomp-profile selinux-enabled shutdown-timeout storage-driver storage-opts
	swarm-default-advertise-addr swarm-raft-election-tick swarm-raft-heartbeat-tick tls tlscacert tlscert tlskey tlsverify
	userland-proxy userland-proxy-path userns-remap validate cdi-spec-dirs`.split(/\s+/),
);

const booleans = new Set([
	'live-restore',
	'debug',
	'experimental',
	'icc',
	'iptables',
	'ip6tables',
	'ipv6',
	'ip-forward',
	'ip-masq',
	'userland-proxy',
	'no-new-privileges',
	'init',
	'selinux-enabled',
	'tls',
	'tlsverify',
]);
const texts = new Set([
	'bip',
	'data-root',
	'default-runtime',
	'log-driver',
	'storage-driver',
	'userns-remap',
	'group',
	'log-level',
	'cgroup-parent',
]);
const lists = new Set([
	'hosts',
	'dns',
	'dns-opts',
	'dns-search',
	'exec-opts',
	'insecure-registries',
	'registry-mirrors',
	'labels',
	'default-address-pools',
	'storage-opts',
]);

const keyOfFlag: Readonly<Record<string, string>> = {
	'-H': 'hosts',
	'--host': 'hosts',
	'--bip': 'bip',
	'--default-address-pool': 'default-address-pools',
	'--data-root': 'data-root',
	'-g': 'data-root',
	'--exec-opt': 'exec-opts',
	'--storage-driver': 'storage-driver',
	'-s': 'storage-driver',
	'--insecure-registry': 'insecure-registries',
	'--registry-mirror': 'registry-mirrors',
	'--log-driver': 'log-driver',
	'--log-level': 'log-level',
	'-l': 'log-level',
	'--dns': 'dns',
	'--default-runtime': 'default-runtime',
	'--add-runtime': 'runtimes',
	'--containerd': 'containerd',
	'--live-restore': 'live-restore',
	'--userns-remap': 'userns-remap',
	'--debug': 'debug',
	'-D': 'debug',
	'--iptables': 'iptables',
	'--label': 'labels',
	'--config-file': 'config-file',
	'--pidfile': 'pidfile',
	'-p': 'pidfile',
	'--mtu': 'mtu',
	'--group': 'group',
	'-G': 'group',
	'--tls': 'tls',
	'--tlsverify': 'tlsverify',
	'--exec-root': 'exec-root',
	'--iptables=false': 'iptables',
};

const bareFlags = new Set([
	'--live-restore',
	'--debug',
	'-D',
	'--validate',
	'--version',
	'-v',
	'--tls',
	'--tlsverify',
	'--iptables',
	'--experimental',
	'--rootless',
]);

export interface DaemonFlags {
	readonly configFile: string | undefined;
	readonly values: Readonly<Record<string, readonly string[]>>;
	readonly bare: ReadonlySet<string>;
	readonly unknown: readonly string[];
}

/** Flags of dockerd, by the key that each of them sets. */
export function daemonFlags(argv: readonly string[]): DaemonFlags {
	const values: Record<string, string[]> = {};
	const bare = new Set<string>();
	const unknown: string[] = [];
	let configFile: string | undefined;
	for (let at = 0; at < argv.length; at += 1) {
		const word = argv[at] ?? '';
		const [flag = '', ...rest] = word.split('=');
		let value = rest.join('=');
		if (!word.includes('=') && bareFlags.has(flag)) {
			bare.add(flag);
			value = 'true';
		} else if (!word.includes('=')) {
			at += 1;
			value = argv[at] ?? '';
		}
		const key = keyOfFlag[flag];
		if (key === 'config-file') configFile = value;
		else if (key !== undefined) values[key] = [...(values[key] ?? []), value];
		else if (!bare.has(flag)) unknown.push(flag);
	}
	return { configFile, values, bare, unknown };
}

export type ReadConfig =
	| { readonly kind: 'config'; readonly raw: Record<string, unknown> }
	| { readonly kind: 'refused'; readonly why: string };

/** What dockerd makes of its file (undefined: there is none) and its flags. The words are those after `with file F: `. */
export function readDaemonConfig(text: string | undefined, flags: DaemonFlags, version: string): ReadConfig {
	if (text === undefined || text.trim() === '') return { kind: 'config', raw: {} };
	const problem = goJsonError(text.replace(/^\uFEFF/, ''));
	// Seen with Docker 26.1.5: the bare words of Go; later versions put "invalid JSON" in front (reference of moby v29).
	if (problem !== undefined)
		return { kind: 'refused', why: atLeast(version, '28.0.0') ? `invalid JSON: ${problem}` : problem };
	const raw = JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
	if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
		return {
			kind: 'refused',
			why: `json: cannot unmarshal ${Array.isArray(raw) ? 'array' : typeof raw} into Go value of type map[string]interface {}`,
		};
	const config = raw as Record<string, unknown>;
	const why = strangersIn(config) ?? bothWays(config, flags) ?? wrongType(config);
	return why === undefined ? { kind: 'config', raw: config } : { kind: 'refused', why };
}

function strangersIn(config: Record<string, unknown>): string | undefined {
	const strangers = Object.keys(config).filter(key => !knownKeys.has(key));
	return strangers.length === 0
		? undefined
		: `the following directives don't match any configuration option: ${strangers.join(', ')}`;
}

function bothWays(config: Record<string, unknown>, flags: DaemonFlags): string | undefined {
	const both = Object.keys(config).filter(key => flags.values[key] !== undefined && key !== 'runtimes');
	if (both.length === 0) return undefined;
	const said = both.map(key => {
		const flag = goText(lists.has(key) ? flags.values[key] : flags.values[key]?.[0]);
		return `${key}: (from flag: ${flag}, from file: ${goText(config[key])})`;
	});
	return `the following directives are specified both as a flag and in the configuration file: ${said.join(', ')}`;
}

function wrongType(config: Record<string, unknown>): string | undefined {
	for (const [key, value] of Object.entries(config)) {
		if (value === null) continue;
		const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
		const wanted = booleans.has(key) ? 'bool' : texts.has(key) ? 'string' : lists.has(key) ? 'array' : type;
		if (type !== wanted)
			return `json: cannot unmarshal ${type} into Go struct field Config.${key} of type ${wanted.replace('array', '[]string')}`;
	}
	return undefined;
}

const goText = (value: unknown): string =>
	Array.isArray(value)
		? `[${value.map(goText).join(' ')}]`
		: typeof value === 'object' && value !== null
			? `map[${Object.entries(value)
					.map(([k, v]) => `${k}:${goText(v)}`)
					.join(' ')}]`
			: String(value);

function runtimesIn(value: unknown): Record<string, RuntimeEntry> {
	if (typeof value !== 'object' || value === null) return {};
	return Object.fromEntries(
		Object.entries(value as Record<string, Record<string, unknown>>).map(([name, entry]) => {
			const binary = (entry?.['options'] as Record<string, unknown> | undefined)?.['BinaryName'];
			return [
				name,
				{
					path: String(entry?.['path'] ?? binary ?? entry?.['runtimeType'] ?? ''),
					runtimeArgs: Array.isArray(entry?.['runtimeArgs']) ? entry['runtimeArgs'].map(String) : undefined,
					runtimeType: typeof entry?.['runtimeType'] === 'string' ? entry['runtimeType'] : undefined,
					options: typeof entry?.['options'] === 'object' ? (entry['options'] as Record<string, unknown>) : undefined,
				},
			];
		}),
	);
}

const asList = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const poolsIn = (value: unknown): { base: string; size: number }[] =>
	Array.isArray(value)
		? value.map(v => ({
				base: String((v as Record<string, unknown>)['base'] ?? ''),
				size: Number((v as Record<string, unknown>)['size'] ?? 0),
			}))
		: [];

/** Pools that dockerd uses when it is told nothing (libnetwork's defaults). */
export const defaultPools = [
	{ base: '172.17.0.0/16', size: 16 },
	{ base: '172.18.0.0/16', size: 16 },
	{ base: '172.19.0.0/16', size: 16 },
	{ base: '172.20.0.0/14', size: 16 },
	{ base: '172.24.0.0/14', size: 16 },
	{ base: '172.28.0.0/14', size: 16 },
	{ base: '192.168.0.0/16', size: 20 },
];

const runtimeProblem = (runtimes: Record<string, RuntimeEntry>, wanted: string): string | undefined => {
	if (runtimes['runc'] !== undefined) return "runtime name 'runc' is reserved";
	if (wanted !== 'runc' && wanted !== 'io.containerd.runc.v2' && runtimes[wanted] === undefined)
		return `specified default runtime '${wanted}' does not exist`;
	return undefined;
};

/** What is in force after a start with that file and those flags, or why dockerd does not start. */
export function configAtStart(
	raw: Record<string, unknown>,
	flags: DaemonFlags,
	version: string,
): EngineConfig | string {
	const flag = (key: string) => flags.values[key]?.at(-1);
	const runtimes = runtimesIn(raw['runtimes']);
	for (const text of flags.values['runtimes'] ?? []) {
		const [name = '', path = ''] = text.split('=');
		runtimes[name] = { path };
	}
	const defaultRuntime = String(raw['default-runtime'] ?? flag('default-runtime') ?? 'runc');
	const problem = runtimeProblem(runtimes, defaultRuntime);
	if (problem !== undefined) return problem;
	const bip = String(raw['bip'] ?? flag('bip') ?? '');
	if (bip !== '' && !/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(bip))
		return `Error initializing network controller: error creating default "bridge" network: invalid CIDR address: ${bip}`;
	const features = (raw['features'] ?? {}) as Record<string, unknown>;
	const pools = poolsIn(raw['default-address-pools']);
	return {
		runtimes,
		defaultRuntime,
		liveRestore: Boolean(raw['live-restore'] ?? flags.bare.has('--live-restore')),
		bridgeCidr: bip === '' ? (pools[0] === undefined ? '172.17.0.1/16' : firstBridge(pools[0])) : bip,
		pools: pools.length > 0 ? pools : structuredClone(defaultPools),
		timeNamespaces: atLeast(version, '29.5.0') && features['time-namespaces'] !== false,
		insecureRegistries: [...asList(raw['insecure-registries']), ...(flags.values['insecure-registries'] ?? [])],
		registryMirrors: asList(raw['registry-mirrors']),
		labels: asList(raw['labels']),
		usernsRemap: String(raw['userns-remap'] ?? flag('userns-remap') ?? ''),
		logDriver: String(raw['log-driver'] ?? 'json-file'),
		debug: Boolean(raw['debug'] ?? flags.bare.has('--debug')),
		raw: structuredClone(raw),
	};
}

const firstBridge = ({ base, size }: { base: string; size: number }): string =>
	`${base.split('/')[0]?.replace(/\.0$/, '.1')}/${size}`;

/**
 * What is in force after SIGHUP. A key that is gone keeps its old value; network settings wait for a restart (moby's
 * daemon/reload.go; the first was seen with Docker 26.1.5).
 */
export function configAfterReload(now: EngineConfig, raw: Record<string, unknown>): EngineConfig | string {
	const runtimes = 'runtimes' in raw ? runtimesIn(raw['runtimes']) : now.runtimes;
	const defaultRuntime =
		typeof raw['default-runtime'] === 'string' && raw['default-runtime'] !== ''
			? raw['default-runtime']
			: now.defaultRuntime;
	const problem = runtimeProblem(runtimes, defaultRuntime);
	if (problem !== undefined) return problem;
	return {
		...now,
		runtimes,
		defaultRuntime,
		liveRestore: 'live-restore' in raw ? Boolean(raw['live-restore']) : now.liveRestore,
		insecureRegistries: 'insecure-registries' in raw ? asList(raw['insecure-registries']) : now.insecureRegistries,
		registryMirrors: 'registry-mirrors' in raw ? asList(raw['registry-mirrors']) : now.registryMirrors,
		labels: 'labels' in raw ? asList(raw['labels']) : now.labels,
		debug: 'debug' in raw ? Boolean(raw['debug']) : now.debug,
	};
}

export function newEngine(
	id: string,
	name: string,
	version: string,
	config: EngineConfig,
	storageDriver: string,
): Engine {
	const [gateway = '172.17.0.1', bits = '16'] = config.bridgeCidr.split('/');
	const network = (network: string, driver: string, subnet = '', via = '') => ({
		id: `${id.replaceAll('-', '')}${network}`.padEnd(64, '0').slice(0, 64),
		name: network,
		driver,
		subnet,
		gateway: via,
		labels: {},
	});
	return {
		id,
		name,
		version,
		storageDriver,
		up: true,
		readyAt: 0,
		config,
		containers: [],
		images: [],
		volumes: [],
		networks: [
			network('bridge', 'bridge', subnetOf(gateway, Number(bits)), gateway),
			network('host', 'host'),
			network('none', 'null'),
		],
		nextAddress: 2,
	};
}

/** `172.20.0.1`, 16 → `172.20.0.0/16`. */
export function subnetOf(address: string, bits: number): string {
	const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
	const base = number - (number % 2 ** (32 - bits));
	return `${[24, 16, 8, 0].map(shift => Math.floor(base / 2 ** shift) % 256).join('.')}/${bits}`;
}
