import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { localHost } from '../../src/host/local/local-host.ts';
import { scratchDirectory } from './scratch-folder.ts';

const host = localHost();
const body = Buffer.from('a package\n'.repeat(20_000));
const digest = createHash('sha256').update(body).digest('hex');
let from: string;
let to: string;
let directory: string;

beforeEach(() => {
	const scratch = scratchDirectory();
	directory = join(scratch, 'private');
	mkdirSync(directory, { mode: 0o700 });
	from = join(scratch, 'x.deb');
	to = join(directory, 'copy.deb');
	writeFileSync(from, body);
});

describe('a copy', () => {
	it('is private and whole, and tells the digest of what it wrote', async () => {
		expect(await host.copyFile(from, to, { maxBytes: 1_000_000 })).toEqual({
			kind: 'copied',
			sha256: digest,
			size: body.length,
		});
		expect(readFileSync(to)).toEqual(body);
		expect(statSync(to).mode & 0o777).toBe(0o600);
		expect(readdirSync(directory)).toEqual(['copy.deb']);
	});

	it('follows a link of the operator', async () => {
		symlinkSync(from, `${from}.link`);
		expect(await host.copyFile(`${from}.link`, to, { maxBytes: 1_000_000 })).toMatchObject({ sha256: digest });
	});

	it.each([
		['that is longer than allowed', () => from, 100, 'at most 100 are copied'],
		['of nothing', () => `${from}.not`, 1_000_000, 'no such file'],
		['of a folder', () => directory, 1_000_000, 'is not a file'],
	] as const)('%s leaves nothing, and names the path', async (_, path, maxBytes, said) => {
		const result = await host.copyFile(path(), to, { maxBytes });
		expect(result).toMatchObject({ kind: 'failed' });
		expect(result.kind === 'failed' && result.message).toContain(said);
		expect(result.kind === 'failed' && result.message).toContain(path());
		expect(readdirSync(directory)).toEqual([]);
	});

	it('is not made where others can exchange it', async () => {
		chmodSync(directory, 0o777);
		expect(await host.copyFile(from, to, { maxBytes: 1_000_000 })).toMatchObject({ kind: 'failed' });
		expect(readdirSync(directory)).toEqual([]);
	});
});
