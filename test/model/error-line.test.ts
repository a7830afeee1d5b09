import { describe, expect, test } from 'vitest';
import { errorLine } from '../../src/model/error-line.ts';

const said = (stderr: string, stdout = ''): string => errorLine({ stderr, stdout });

describe('the line that says why a command failed', () => {
	test.each([
		[
			'not the first line of a build, but its error',
			'#4 [1/2] FROM localhost:5000/base\n#5 [2/2] RUN echo\n#5 0.1 runc create failed: unsafe procfs detected: openat2 /proc/x: invalid cross-device link\nERROR: failed to solve: process "/bin/sh -c echo" did not complete successfully: exit code: 1\n',
			'runc create failed: unsafe procfs detected: openat2 /proc/x: invalid cross-device link',
		],
		[
			'the line without a reason where there is no other',
			'#5 [2/2] RUN echo\nERROR: failed to solve: process "/bin/sh -c echo" did not complete successfully: exit code: 1\n',
			'ERROR: failed to solve: process "/bin/sh -c echo" did not complete successfully: exit code: 1',
		],
		[
			"not docker's hint",
			"docker: Error response from daemon: error creating overlay mount: function not implemented.\nSee 'docker run --help'.\n",
			'docker: Error response from daemon: error creating overlay mount: function not implemented.',
		],
		[
			"not mount's pointer to a log",
			'mount: /dev/shm: permission denied.\n       dmesg(1) may have more information after failed mount system call.\n',
			'mount: /dev/shm: permission denied.',
		],
		['the last line where none speaks of an error', 'one\ntwo\n', 'two'],
		['nothing where nothing was said', '\n', ''],
	])('is %s', (_, stderr, line) => {
		expect(said(stderr)).toBe(line);
	});

	test('is one of standard output where standard error has none', () => {
		expect(said('Sending build context\n', 'OCI runtime exec failed: connection refused\r\nrc\n')).toBe(
			'OCI runtime exec failed: connection refused',
		);
	});

	test('is cut in front where the cause is at the end', () => {
		const cause = `${'c'.repeat(150)}: no such device`;
		expect(said(`failed: ${'x'.repeat(100)}: ${'y'.repeat(100)}: ${cause}`)).toBe(`… ${'y'.repeat(100)}: ${cause}`);
	});

	test('is cut', () => {
		expect(said(`error: ${'x'.repeat(1000)}`)).toHaveLength(300);
	});
});
