import type { KernelBand } from '../model/knowledge.ts';

/** In ascending order; a kernel belongs to the last band that begins at or below it. */
export const kernelBands: readonly KernelBand[] = [
	{
		from: '0.0',
		severity: 'block',
		meaning: 'sysbox-runc refuses to create containers on it',
		source: 'nestybox/sysbox-runc libsysbox/sysbox/utils.go: 5.5, and 5.0 on Ubuntu',
	},
	{
		from: '5.5',
		severity: 'warn',
		meaning:
			'it cannot map the ids of mounts: bind mounts and volumes show as owned by nobody, and every start copies and changes the owner of the whole image',
		source: 'nestybox/sysbox docs/user-guide/design.md: ID-mapped mounts came with 5.12',
	},
	{
		from: '5.12',
		severity: 'warn',
		meaning:
			'it cannot map the ids of an image: every start changes the owner of all its files, and what a container wrote may be lost at a reboot',
		source: 'nestybox/sysbox CHANGELOG 0.6.1 (overlayfs on ID-mapped mounts needs 5.19); issues #711, #757, #769',
	},
	{
		from: '5.19',
		severity: 'ok',
		meaning: 'it maps the ids of mounts and of images',
		source: 'nestybox/sysbox CHANGELOG 0.6.1',
	},
	{
		from: '6.7',
		severity: 'ok',
		meaning: 'it maps the ids of mounts and of images, and gives each container its own binfmt_misc',
		source: 'nestybox/sysbox#592; sysbox-mgr mgr.go',
	},
];
