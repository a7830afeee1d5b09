import type { DockerdKeyRow } from '../core/knowledge.ts';

const reload = 'moby daemon/reload.go and reload_unix.go, 20.10 to 29.7: only keys that stand in the file are applied';
const start = 'moby daemon/config: read when dockerd starts';

const reloadable = [
	'runtimes',
	'default-runtime',
	'debug',
	'labels',
	'insecure-registries',
	'registry-mirrors',
	'max-concurrent-downloads',
	'max-concurrent-uploads',
	'max-download-attempts',
	'shutdown-timeout',
	'live-restore',
	'default-shm-size',
	'default-cgroupns-mode',
	'default-ipc-mode',
	'authorization-plugins',
	'network-diagnostic-port',
	'nri-opts',
	'default-stop-timeout',
] as const;

const restartOnly = [
	'bip',
	'default-address-pools',
	'data-root',
	'hosts',
	'storage-driver',
	'storage-opts',
	'userns-remap',
	'exec-opts',
	'log-driver',
	'log-opts',
	'iptables',
	// Part of it is read again on reload; containerd-snapshotter and time-namespaces are not.
	'features',
] as const;

/** What a change of a daemon.json key needs. A key that is not listed needs a restart. */
export const dockerdKeys: readonly DockerdKeyRow[] = [
	...reloadable.map(
		(key): DockerdKeyRow => ({ key, change: 'reload', removal: 'explicit-then-reload', source: reload }),
	),
	...restartOnly.map((key): DockerdKeyRow => ({ key, change: 'restart', removal: 'restart', source: start })),
];
