import { runShell } from '../shell.ts';
import type { Program } from '../world.ts';
import { aptCache, aptGet, aptMark } from './apt.ts';
import { filePrograms } from './busybox-files.ts';
import { systemPrograms } from './busybox-system.ts';
import { textPrograms } from './busybox-text.ts';
import { docker } from './docker.ts';
import { dockerd, dockerdEntrypoint, dockerEntrypoint } from './dockerd.ts';
import { dpkg, dpkgDeb, dpkgQuery } from './dpkg.ts';
import { journalctl } from './journalctl.ts';
import { miscPrograms } from './misc.ts';
import { ip, wget } from './network.ts';
import { init, registry, service } from './servers.ts';
import { systemctl } from './systemctl.ts';
import { systemdRun } from './systemd-run.ts';

/**
 * Every simulated program by its name. To add one: write a function `(scope, call) => exit code` in a file of its own,
 * and name it here; on the host it runs where a file of that name is in a folder of PATH (scenarios.ts).
 */
export const programs: Readonly<Record<string, Program>> = {
	...textPrograms,
	...filePrograms,
	...systemPrograms,
	...miscPrograms,
	sh: runShell,
	bash: runShell,
	dash: runShell,
	docker,
	dockerd,
	'dockerd-entrypoint.sh': dockerdEntrypoint,
	'docker-entrypoint.sh': dockerEntrypoint,
	systemctl,
	'systemd-run': systemdRun,
	journalctl,
	ip,
	wget,
	'apt-get': aptGet,
	apt: aptGet,
	'apt-cache': aptCache,
	'apt-mark': aptMark,
	dpkg,
	'dpkg-query': dpkgQuery,
	'dpkg-deb': dpkgDeb,
	registry,
	'entrypoint.sh': registry,
	service,
	init,
	iptables: () => 0,
	jq: () => 0,
	rsync: () => 0,
	fusermount3: () => 0,
	fusermount: () => 0,
};

/** Programs that a host is asked for and that none of the scenarios has: the answer "not found" is meant. */
export const knownToBeAbsent: ReadonlySet<string> = new Set([
	'podman',
	'getenforce',
	'sestatus',
	'rpm',
	'dnf',
	'yum',
	'nerdctl',
	'surely-no-such-program',
	'snap',
	'sysbox-runc',
	'sysbox-mgr',
	'sysbox-fs',
	'fusermount',
	'fusermount3',
	'rsync',
	'jq',
	'needrestart',
	'pidof',
	'curl',
	'nvidia-smi',
	'docker',
	'dockerd',
]);
