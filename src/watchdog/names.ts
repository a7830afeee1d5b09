/**
 * What the dead man's switch consists of on a host. Stable: an operator finds these names in the log, in `systemctl
 * list-timers` and in docs/decisions/007.
 */

/** The state directory of the host. Not that of --session-dir: what has to be there at the next boot lies in one place. */
export const stateDirectory = '/var/lib/sysbox-setup';
export const watchdogDirectory = `${stateDirectory}/switch`;
/** The script, which needs neither Node nor this tool. */
export const scriptPath = `${watchdogDirectory}/put-back`;
/** The bytes that it puts back: a copy of its own. */
export const copyPath = `${watchdogDirectory}/daemon.json`;
/** What it did, for the next run, `status` and the record. */
export const markerPath = `${watchdogDirectory}/fired`;

/** Waits for the deadline: a transient timer, and the service of that name that it starts. */
export const deadlineUnit = 'sysbox-setup-switch-deadline';
/** Transient too, and again and again until then: looks whether the restarted Docker has answered. */
export const watchUnit = 'sysbox-setup-switch-watch';
/** Transient too: gives back what was paused for the restart, once Docker has started. */
export const giveBackUnit = 'sysbox-setup-switch-give-back';
/** The script while that unit waits and works. In /run, so that no later boot finds it. */
export const giveBackPath = `/run/${giveBackUnit}`;
/** Runs at the next boot, before Docker. */
export const bootUnit = 'sysbox-setup-switch.service';
export const bootUnitPath = `/etc/systemd/system/${bootUnit}`;
/**
 * What makes the boot pull that unit in: a drop-in, as it is a file and nothing else. `systemctl enable` would make
 * systemd read all units again, and a change of somebody else's in docker.service would come into force with our
 * restart.
 */
export const wantsDirectory = '/etc/systemd/system/multi-user.target.d';
export const wantsPath = `${wantsDirectory}/sysbox-setup-switch.conf`;
