const texts: Readonly<Record<string, string>> = {
	EACCES: 'permission denied',
	EPERM: 'not permitted; the file system or an attribute of the file (chattr +i) protects it',
	ENOENT: 'no such file or folder',
	ENOTDIR: 'a part of the path is not a folder',
	EISDIR: 'it is a folder',
	EEXIST: 'it is there already',
	ENOTEMPTY: 'the folder is not empty',
	ELOOP: 'too many links',
	ENAMETOOLONG: 'the name is too long',
	ENOSPC: 'no space left on the file system',
	EDQUOT: 'the disk quota is used up',
	EROFS: 'the file system is mounted read-only',
	EIO: 'the disk reported an error',
	EBUSY: 'it is in use, or a mount of its own',
	ETXTBSY: 'it is a program that is running',
	EMFILE: 'too many open files',
	ENFILE: 'too many open files on this machine',
	EFBIG: 'the file would be too large',
	E2BIG: 'the command line is too long',
	EXDEV: 'it is on another file system',
	ESTALE: 'the network file system lost it',
};

/** The error name of the system, such as `ENOSPC`; `EUNKNOWN` for what did not come from the system. */
export function errnoOf(error: unknown): string {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	return typeof code === 'string' && code !== '' ? code : 'EUNKNOWN';
}

/** An error name as an operator reads it, without a path. */
export function errnoText(errno: string): string {
	return texts[errno] ?? `the system reported ${errno}`;
}
