import type { Program } from '../world.ts';
import { aptGet, aptMark } from './apt.ts';
import { docker } from './docker.ts';
import { dockerd } from './dockerd.ts';
import { dpkg, dpkgDeb, dpkgQuery } from './dpkg.ts';
import { aptHelper, curl } from './fetch.ts';
import { hostPrograms } from './host-programs.ts';
import { journalctl } from './journalctl.ts';
import { miscPrograms } from './misc.ts';
import { systemctl } from './systemctl.ts';
import { systemdRun } from './systemd-run.ts';
import { watchdog } from './watchdog.ts';

/**
 * Every simulated program by its name. To add one: write a function `(scope, call) => exit code` in a file of its own,
 * and name it here; on the host it runs where a file of that name is in a folder of PATH (base-host.ts).
 */
export const programs: Readonly<Record<string, Program>> = {
	...hostPrograms,
	...miscPrograms,
	sh: watchdog,
	docker,
	dockerd,
	systemctl,
	'systemd-run': systemdRun,
	journalctl,
	'apt-get': aptGet,
	'apt-mark': aptMark,
	'apt-helper': aptHelper,
	curl,
	dpkg,
	'dpkg-query': dpkgQuery,
	'dpkg-deb': dpkgDeb,
};

/** Programs that a host is asked for and that it may not have: the answer "not found" is meant. */
export const knownToBeAbsent: ReadonlySet<string> = new Set([
	...['surely-no-such-program', 'sysbox-runc', 'sysbox-mgr', 'sysbox-fs', 'docker', 'dockerd', 'podman', 'snap'],
]);
