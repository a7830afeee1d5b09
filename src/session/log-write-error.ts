import { errnoText } from '../host/local/errno-text.ts';

/** The log could not be written. Nothing that it was to record may be done then. */
export class LogWriteError extends Error {
	readonly errno: string;
	readonly file: string;
	constructor(errno: string, file: string) {
		super(`${file} could not be written: ${errnoText(errno)}`);
		this.name = 'LogWriteError';
		this.errno = errno;
		this.file = file;
	}
}
