/** Error numbers as the kernel gives them, with the words of the C library and the number itself. */
export const errnos = {
	EPERM: [1, 'Operation not permitted'],
	ENOENT: [2, 'No such file or directory'],
	ESRCH: [3, 'No such process'],
	EIO: [5, 'Input/output error'],
	ENXIO: [6, 'No such device or address'],
	ENOEXEC: [8, 'Exec format error'],
	EAGAIN: [11, 'Resource temporarily unavailable'],
	ENOMEM: [12, 'Cannot allocate memory'],
	EACCES: [13, 'Permission denied'],
	EBUSY: [16, 'Device or resource busy'],
	EEXIST: [17, 'File exists'],
	ENODEV: [19, 'No such device'],
	ENOTDIR: [20, 'Not a directory'],
	EISDIR: [21, 'Is a directory'],
	EINVAL: [22, 'Invalid argument'],
	ENOSPC: [28, 'No space left on device'],
	EROFS: [30, 'Read-only file system'],
	ENOSYS: [38, 'Function not implemented'],
	ENOTEMPTY: [39, 'Directory not empty'],
	ELOOP: [40, 'Too many levels of symbolic links'],
} as const;

export type Errno = keyof typeof errnos;

export const errnoWords = (errno: Errno): string => errnos[errno][1];
export const errnoNumber = (errno: Errno): number => errnos[errno][0];
