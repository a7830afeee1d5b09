/** Error numbers of the kernel, with the words of the C library. */
export const errnos = {
	EPERM: 'Operation not permitted',
	ENOENT: 'No such file or directory',
	EIO: 'Input/output error',
	ENXIO: 'No such device or address',
	EACCES: 'Permission denied',
	EEXIST: 'File exists',
	ENOTDIR: 'Not a directory',
	EISDIR: 'Is a directory',
	EINVAL: 'Invalid argument',
	ENOSPC: 'No space left on device',
	EROFS: 'Read-only file system',
	ENOTEMPTY: 'Directory not empty',
	ELOOP: 'Too many levels of symbolic links',
} as const;

export type Errno = keyof typeof errnos;

export const errnoWords = (errno: Errno): string => errnos[errno];
