import type { Argv } from '../port/host.ts';
import { scriptLine } from '../text/shell-line.ts';
import {
	bootUnit,
	bootUnitPath,
	copyPath,
	deadlineUnit,
	giveBackPath,
	giveBackUnit,
	markerPath,
	scriptPath,
	wantsDirectory,
	wantsPath,
	watchdogDirectory,
	watchUnit,
} from './names.ts';

/** What is given back when all is over: a command, or one that is run only where another one says so. */
export type Afterwards = Argv | { readonly where: Argv; readonly says: string; readonly run: Argv };

export interface ScriptWords {
	/** dockerd's configuration file, without links. */
	readonly file: string;
	/** sha256 of what Docker is about to be started with; `missing`: no file. */
	readonly written: string;
	/** sha256 of what is put back; `missing`: there was no file. The same as `written`: there is nothing to put back. */
	readonly earlier: string;
	/** ActiveEnterTimestampMonotonic of the Docker that is to be restarted: another one means that it was. */
	readonly running: string;
	/** Where Docker listens. */
	readonly dockerHost: string;
	/** How often it looks, every five seconds, before it gives up on a Docker that is still starting. */
	readonly looks: number;
	/** Run when all is over, however it ended: runners that were told to take no new job. */
	readonly afterwards: readonly Afterwards[];
}

/** One look every so many seconds, once the deadline is over. */
export const lookEverySeconds = 5;
/** From arming on: so many seconds between two looks whether the restarted Docker has answered. */
export const watchEverySeconds = 2;

const word = (text: string): string => scriptLine([text]);

const stepSeconds = 60;
/** What does not end when it is told to is killed so much later. */
const killSeconds = 5;

const limited = (argv: Argv): string => `timeout -k ${killSeconds} ${stepSeconds} ${scriptLine(argv)}`;

const givesBack = (step: Afterwards): string =>
	'run' in step
		? `if ${limited(step.where)} 2>/dev/null | grep -qF ${word(step.says)}; then ${limited(step.run)}; fi`
		: limited(step);

/**
 * A mode of the script: one look, from arming on. A Docker that has answered with what it was restarted for may hang or
 * stop later, for whatever reason: that is no longer for this script to judge. The script's own mode bit says so, as one
 * write that a kill cannot halve and a boot finds.
 */
const watching = `if [ "$1" = watch ]; then
	if [ ! -e /run/systemd/transient/${deadlineUnit}.timer ] && [ ! -e /run/systemd/transient/${deadlineUnit}.service ]; then
		# Nothing waits for the deadline any more.
		systemctl stop ${watchUnit}.timer
		exit 0
	fi
	if [ ! -x ${scriptPath} ]; then exit 0; fi
	if [ "$(systemctl show docker.service --property=ActiveState --value)" != active ]; then exit 0; fi
	started=$(systemctl show docker.service --property=ActiveEnterTimestampMonotonic --value)
	# The same Docker as before: the restart has not come yet.
	if [ -z "$started" ] || [ "$started" = "$running" ]; then exit 0; fi
	if timeout 10 docker version >/dev/null 2>&1; then
		# It has answered since its restart: disarmed for good.
		chmod 600 ${scriptPath}
		sync
	fi
	exit 0
fi
`;

/** The last mode of the script, which comes to its end before anything else is looked at. */
const givingBack = (steps: readonly Afterwards[]): string => `if [ "$1" = give-back ]; then
	rm -f ${giveBackPath}
${steps.map(step => `\t${givesBack(step)}\n`).join('')}	exit 0
fi
`;

/**
 * Has systemd run that mode behind Docker's start. The unit of a boot must not wait for it itself: it is ordered before
 * Docker, and `docker start` would wait for Docker, as would the start of a runner that comes after Docker.
 */
const handOver = (steps: readonly Afterwards[]): string => {
	const argv: Argv = [
		'systemd-run',
		'--no-block',
		'--collect',
		`--unit=${giveBackUnit}`,
		'--description=sysbox-setup: let runners take jobs again',
		'--property=After=docker.service',
		// After= alone waits for nothing that nobody starts (systemd.special(7)); docker.service asks for it too.
		'--property=Wants=network-online.target',
		'--property=After=network-online.target',
		'--property=Type=oneshot',
		`--property=TimeoutStartSec=${steps.length * 2 * (stepSeconds + killSeconds)}`,
		'/bin/sh',
		giveBackPath,
		'give-back',
	];
	return `if ! ${scriptLine(argv)}; then
	logger -t sysbox-setup -p daemon.warning "dead man's switch ($1): what was paused for the restart could not be given back"
fi
`;
};

/**
 * The script of the switch, for any POSIX shell. What varies is a quoted word at its top, or a command; there are no
 * functions and no `case` in it, so that it can be read from top to bottom by whoever finds it at night.
 */
export const watchdogScript = (words: ScriptWords): string => {
	const { afterwards } = words;
	const gives = afterwards.length > 0;
	return `#!/bin/sh
# The dead man's switch of sysbox-setup: armed before Docker is restarted, taken away once Docker answers again.
# If Docker does not come back it puts the earlier configuration back and starts Docker. Needs nothing of sysbox-setup.
#   watch:    run by ${watchUnit}.timer again and again; takes this file's x bits away once Docker has answered
#   deadline: run by ${deadlineUnit}.timer
#   boot:     run by ${bootUnit} before Docker starts, after a power cut
${gives ? `#   give-back: run by ${giveBackUnit}.service behind both, once Docker has started\n` : ''}PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
file=${word(words.file)}
written=${word(words.written)}
earlier=${word(words.earlier)}
running=${word(words.running)}
DOCKER_HOST=${word(words.dockerHost)}
export PATH LC_ALL DOCKER_HOST
umask 022

${gives ? `${givingBack(afterwards)}\n` : ''}${watching}
decision=
if [ "$1" = boot ] && [ -x ${scriptPath} ]; then decision=put-back; fi
looks=0
silent=0
down=0
while [ -z "$decision" ]; do
	looks=$((looks + 1))
	state=$(systemctl show docker.service --property=ActiveState --value)
	if [ ! -x ${scriptPath} ]; then
		decision=stand-down
	elif [ "$state" = active ]; then
		started=$(systemctl show docker.service --property=ActiveEnterTimestampMonotonic --value)
		if timeout 10 docker version >/dev/null 2>&1; then
			silent=0
			# The same Docker as before: the restart has not come yet.
			if [ -n "$started" ] && [ "$started" != "$running" ]; then decision=stand-down; fi
		else
			silent=$((silent + 1))
			if [ "$silent" -ge 3 ]; then decision=put-back; fi
		fi
	elif [ "$state" = failed ] || [ "$state" = inactive ]; then
		down=$((down + 1))
	elif [ "$state" = activating ]; then
		sub=$(systemctl show docker.service --property=SubState --value)
		failed=$(systemctl show docker.service --property=NRestarts --value)
		# systemd starts it once more: it has ended at least once.
		if [ "$sub" = auto-restart ] || [ "$failed" -gt 0 ]; then down=$((down + 1)); fi
	fi
	# Twice, so that a run that is alive takes it back by itself first. What is still starting is left alone.
	if [ "$down" -ge 2 ]; then decision=put-back; fi
	if [ -z "$decision" ] && [ "$looks" -ge ${words.looks} ]; then decision=give-up; fi
	if [ -z "$decision" ]; then sleep ${lookEverySeconds}; fi
done

at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
did=$decision
docker=$state
if [ "$decision" = put-back ]; then
	now=missing
	if [ -L "$file" ]; then
		# It was none when this was armed.
		now=link
	elif [ -e "$file" ]; then
		now=$(sha256sum <"$file" | cut -d ' ' -f 1)
	fi
	copy=missing
	if [ -e ${copyPath} ]; then copy=$(sha256sum <${copyPath} | cut -d ' ' -f 1); fi
	if [ "$now" = "$earlier" ]; then
		did=was-back
	elif [ "$now" != "$written" ]; then
		# Somebody else's bytes are not for this script to replace.
		did=left-file
	elif [ "$earlier" = missing ]; then
		rm -f "$file" && did=put-back
	elif [ "$copy" != "$earlier" ]; then
		did=no-copy
	else
		did=failed
		# What an earlier one that was killed has left.
		rm -f "$file".sysbox-setup-switch.*
		# A name that nobody could have laid a link at.
		new=$(mktemp "$file.sysbox-setup-switch.XXXXXX")
		if [ -n "$new" ]; then
			# With owner, mode and labels of the file that is there.
			if [ -e "$file" ]; then cp -a "$file" "$new"; else chmod 644 "$new"; fi
			if cat ${copyPath} >"$new" && sync && mv -f "$new" "$file"; then did=put-back; fi
			rm -f "$new"
		fi
		# A file that is a mount of its own cannot be replaced by a rename.
		if [ "$did" = failed ] && cat ${copyPath} >"$file"; then did=put-back; fi
	fi
	sync
	docker=starts-with-the-host
	if [ "$1" = deadline ]; then
		# Three bad starts within a minute are all that systemd allows (StartLimitBurst of docker.service).
		systemctl reset-failed docker.service >/dev/null 2>&1
		systemctl reset-failed docker.socket >/dev/null 2>&1
		docker=does-not-start
		if timeout 300 systemctl restart docker.service; then docker=started; fi
	fi
fi
# Nothing is told of a Docker that answers, or has answered.
if [ "$decision" != stand-down ] && [ "$docker" != active ]; then
	printf 'at=%s\\nby=%s\\ndid=%s\\ndocker=%s\\nwritten=%s\\nfile=%s\\n' "$at" "$1" "$did" "$docker" "$written" "$file" >${markerPath}
	sync
fi
logger -t sysbox-setup -p daemon.warning "dead man's switch ($1): $file: $did; docker: $docker"
if [ "$1" = deadline ]; then systemctl stop ${watchUnit}.timer ${watchUnit}.service >/dev/null 2>&1; fi
# All of it goes before anything is given back, which may take its time or fail.
rm -f ${wantsPath} ${bootUnitPath}
rmdir ${wantsDirectory} 2>/dev/null
${gives ? `cp ${scriptPath} ${giveBackPath}\n` : ''}rm -f ${copyPath} ${scriptPath}
rmdir ${watchdogDirectory} 2>/dev/null
sync
${gives ? handOver(afterwards) : ''}exit 0
`;
};

/** The unit for the next boot. In this boot, where the deadline is being waited for, it does nothing. */
export const bootUnitText = `# Made by sysbox-setup before it restarted Docker, and removed when Docker answers again.
[Unit]
Description=sysbox-setup: put Docker's earlier configuration back
Before=docker.service
RequiresMountsFor=${watchdogDirectory}
ConditionPathExists=${scriptPath}
ConditionPathExists=!/run/systemd/transient/${deadlineUnit}.timer
ConditionPathExists=!/run/systemd/transient/${deadlineUnit}.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${scriptPath} boot
TimeoutStartSec=60
`;

export const wantsText = `# Made by sysbox-setup before it restarted Docker, and removed when Docker answers again.
[Unit]
Wants=${bootUnit}
`;
