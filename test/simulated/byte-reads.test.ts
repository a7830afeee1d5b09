import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readyHost } from './support.ts';

interface Recording {
	readonly id: string;
	readonly host: string;
	readonly runtime: 'runc' | 'sysbox-runc';
	readonly argv: readonly [string, string, string];
	readonly stdout: string;
	readonly stderr: string;
	readonly rc: number;
}

const recordings: readonly Recording[] = JSON.parse(
	readFileSync(new URL('../fixtures/recordings/byte-reads.json', import.meta.url), 'utf8'),
);

/** Values differ between hosts. What counts is how much of one was read: `[]`, one byte, or more. */
const shape = (text: string): string =>
	text.replaceAll(/\[([^\]]*)\]/g, (_, value: string) =>
		value.length === 0 ? '[]' : value.length === 1 ? '[one byte]' : '[whole]',
	);

/** Whole numbers of a single digit look alike when they are cut and when they are not. */
const whole = (text: string): string =>
	text
		.split('\n')
		.filter(line => !line.includes('/proc/sys/kernel/panic '))
		.join('\n');

describe('files of the kernel that are read byte by byte', () => {
	let ways: Awaited<ReturnType<typeof readyHost>>;
	beforeAll(async () => {
		ways = await readyHost();
	});

	it.each(recordings)(
		'$id under $runtime comes to what was recorded',
		async ({ runtime, argv, stdout, stderr, rc }) => {
			const said = await ways.inside(runtime === 'runc' ? 'runc' : 'sysbox', argv[2]);
			expect(shape(whole(said.out))).toBe(shape(whole(stdout)));
			expect(said.err).toBe(stderr);
			expect(said.code).toBe(rc);
		},
	);
});
