/** What a host should have, as numbers with their source. */

/** Free room that is advised for images of inner engines: nestybox/sysbox docs/user-guide/configuration.md. */
export const advisedFreeBytes = 10e9;

/** Below this neither packages nor a first image fit. This tool's own figure: the package takes about 40 MB. */
export const neededFreeBytes = 0.5e9;

/** The programs of the package, and what apt unpacks beside them. This tool's own figure. */
export const neededProgramBytes = 0.2e9;

/** An inner engine with a build running. This tool's own figure. */
export const advisedMemoryBytes = 2e9;

/** Sysctls that the package raises by itself: nestybox/sysbox-pkgr, postinst and 99-sysbox-sysctl.conf (47ab416). */
export const raisedByPackage = {
	'fs.inotify.max_user_instances': 1048576,
	'fs.inotify.max_user_watches': 1048576,
	'fs.inotify.max_queued_events': 1048576,
	'kernel.keys.maxkeys': 20000,
	'kernel.keys.maxbytes': 1400000,
	'kernel.pid_max': 4194304,
} as const;

/** sysbox-mgr does not start with its store on one of these: nestybox/sysbox-mgr utils.go. */
export const fileSystemsRefusedForStore: readonly string[] = ['tmpfs', 'ramfs', 'overlay', 'overlayfs', 'shiftfs'];

/** What the maintainers test, by the kernel's names and by Docker's: nestybox/sysbox#675. */
export const testedFileSystems: readonly string[] = ['ext4', 'ext3', 'ext2', 'xfs', 'extfs'];

/** What is known of others. */
export const fileSystemNotes: Readonly<Record<string, string>> = {
	btrfs: 'The maintainers found it troublesome (nestybox/sysbox#675)',
	zfs: 'It needs acltype=posixacl and xattr=sa (nestybox/sysbox#849), and a version that can map ids',
	nfs: 'Network file systems do not work (nestybox/sysbox#811)',
	nfs4: 'Network file systems do not work (nestybox/sysbox#811)',
	fuse: 'Ids of FUSE file systems are never mapped (nestybox/sysbox-libs idMap)',
	fuseblk: 'Ids of FUSE file systems are never mapped (nestybox/sysbox-libs idMap)',
};
