import type { DockerdKeyRow } from '../model/knowledge.ts';

const reload = 'moby daemon/reload.go';
const platform = 'moby daemon/reload_unix.go';
const command = 'moby daemon/command/daemon.go (cmd/dockerd/daemon.go before 29), reloadConfig';
const start = 'moby daemon/config: read when dockerd starts';

type Removal = DockerdKeyRow['removal'];

const explicit = (value: string): Removal => ({ kind: 'explicit', value });
/** The reload sets its default before it looks whether the key is there. */
const byReload: Removal = { kind: 'reload' };
const restart: Removal = { kind: 'restart' };

const reloadable = (key: string, removal: Removal, source: string, docker?: string): DockerdKeyRow => ({
	key,
	change: 'reload',
	removal,
	source,
	docker,
});

const restartOnly = (key: string, docker?: string, source = start): DockerdKeyRow => ({
	key,
	change: 'restart',
	removal: restart,
	source,
	docker,
});

/**
 * What a change of a daemon.json key needs. A key, or a key in a version, that is not listed needs a restart. What is
 * absent from the file is left as it was by a reload, but for those keys that it always sets anew.
 */
export const dockerdKeys: readonly DockerdKeyRow[] = [
	reloadable('runtimes', explicit('{}'), platform),
	// An empty string is taken for an absent key, so that the built-in name has to be written.
	reloadable('default-runtime', explicit('"runc"'), platform),
	reloadable('default-shm-size', explicit('"64M"'), platform),
	reloadable('default-ipc-mode', explicit('"private"'), platform),
	// The default depends on the cgroup version: none can be written down for every host.
	reloadable('default-cgroupns-mode', restart, platform, '>=20.10.0'),
	reloadable('debug', explicit('false'), reload),
	reloadable('labels', explicit('[]'), reload),
	reloadable('insecure-registries', explicit('[]'), reload),
	reloadable('registry-mirrors', explicit('[]'), reload),
	reloadable('live-restore', explicit('false'), reload),
	reloadable('shutdown-timeout', explicit('15'), reload),
	reloadable('max-concurrent-downloads', byReload, `${reload}: "we always reset"`),
	reloadable('max-concurrent-uploads', byReload, `${reload}: "we always reset"`),
	reloadable('max-download-attempts', byReload, `${reload}: "we always reset"`, '>=20.10.0'),
	reloadable('network-diagnostic-port', byReload, `${reload}: it is stopped where the key is absent`),
	reloadable('authorization-plugins', explicit('[]'), command),
	reloadable('allow-nondistributable-artifacts', explicit('[]'), reload, '<28.0.0'),
	reloadable('nri-opts', restart, `${reload} of 29.2, reloadNRI`, '>=29.2.0'),
	reloadable('default-stop-timeout', restart, `${reload} of 29.7`, '>=29.7.0'),
	// Part of it is read again on reload; containerd-snapshotter and, since 29.5, time-namespaces are not.
	restartOnly('features'),
	...[
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
		'log-level',
		'iptables',
		'bridge',
		'dns',
		'default-ulimits',
		'exec-root',
	].map(key => restartOnly(key)),
	restartOnly('proxies', '>=23.0.0', 'moby daemon/config/config.go of 23.0: read when dockerd starts'),
];
