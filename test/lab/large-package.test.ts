/** A package as large as real ones are, installed and taken back: its bytes are shown nowhere and hold nobody up. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const megabyte = 1_000_000;

/**
 * Put in front of the program: at its end it notes the longest time, in ms, that it computed without looking for anything
 * else. Counted is its own time on a processor, so that a busy machine makes no difference.
 */
const watchLoop = `
	import { writeFileSync } from 'node:fs';
	let longest = 0;
	let before = process.cpuUsage();
	setInterval(() => {
		longest = Math.max(longest, process.cpuUsage(before).user / 1000);
		before = process.cpuUsage();
	}, 5).unref();
	process.on('exit', () => writeFileSync('/root/longest', String(Math.round(longest))));
`;

describe.skipIf(!lab.available)('a package of 30 MB', () => {
	let host: LabHost;
	let deb: { path: string; sha256: string };

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'large-package' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		deb = await host.putPackage('good', { padding: 30 * megabyte });
		await host.writeFile('/root/watch-loop.mjs', watchLoop);
	}, 16 * 60_000);
	afterAll(async () => host?.remove());

	const tool = async (...args: readonly string[]) => {
		const env = { NODE_OPTIONS: '--import=/root/watch-loop.mjs' };
		const ended = await host.exec(['sysbox-setup', ...args], { reject: false, timeoutMs: 120_000, env });
		return { ...ended, said: ended.stdout + ended.stderr, longest: Number(await host.readFile('/root/longest')) };
	};
	const bytesBelow = async (path: string): Promise<number> =>
		Number((await host.exec(['du', '--bytes', '--summarize', path])).stdout.split('\t')[0]);

	function expectQuiet({ said, longest }: { said: string; longest: number }): void {
		expect(said.length).toBeLessThan(0.2 * megabyte);
		expect(said).not.toContain('\ufffd');
		expect(longest, 'ms of computing at a stretch').toBeLessThan(200);
	}

	it('is installed, and the log of the run stays small', async () => {
		const steps = ['host', 'sysbox', 'daemon', 'docker'].flatMap(step => ['--only', step]);
		const done = await tool('--yes', ...steps, '--deb', deb.path, '--accept-risk', 'unverified-deb');
		expect(done.code, done.said.slice(-4000)).toBe(0);
		expectQuiet(done);
		expect(await bytesBelow('/var/lib/sysbox-setup/runs')).toBeLessThan(5 * megabyte);
	}, 120_000);

	it('is taken back: what is removed is named by its size and sha256', async () => {
		const plan = await tool('revert', '--format', 'json');
		expectQuiet(plan);
		const done = await tool('revert', '--yes');
		expect(done.code, done.said.slice(-4000)).toBe(0);
		expectQuiet(done);
		expect(done.said).toContain(deb.sha256);
		expect(await bytesBelow('/var/lib/sysbox-setup')).toBeLessThan(5 * megabyte);
	}, 120_000);

	it('takes the place of the same version whose script fails each time', async () => {
		await host.exec(['dpkg', '--unpack', deb.path]);
		await host.writeFile('/var/lib/dpkg/info/sysbox-ce.postinst', '#!/bin/sh\nexit 1\n');
		await host.exec(['dpkg', '--configure', 'sysbox-ce'], { reject: false });
		const state = async () => (await host.exec(['dpkg', '--list', 'sysbox-ce'])).stdout;
		expect(await state()).toMatch(/^iF /m);
		const steps = ['host', 'sysbox', 'daemon', 'docker'].flatMap(step => ['--only', step]);
		const done = await tool('--yes', ...steps, '--deb', deb.path, '--accept-risk', 'unverified-deb');
		expect(done.code, done.said.slice(-4000)).toBe(0);
		expect(await state()).toMatch(/^ii /m);
		expect((await host.exec(['dpkg', '--audit'])).stdout).toBe('');
	}, 120_000);

	it('takes the place of another version whose script fails, by apt, and not while that is held', async () => {
		// As after an upgrade whose script failed.
		await host.writeFile('/var/lib/dpkg/info/sysbox-ce.postinst', '#!/bin/sh\nexit 1\n');
		await host.exec(['sed', '-i', '/^Package: sysbox-ce$/,/^$/s/^Version: .*/Version: 0.0.1/', '/var/lib/dpkg/status']);
		await host.exec([
			'sed',
			'-i',
			'/^Package: sysbox-ce$/,/^$/s/^Status: .*/Status: install ok half-configured/',
			'/var/lib/dpkg/status',
		]);
		await host.exec(['apt-mark', 'hold', 'sysbox-ce']);
		const args = ['--yes', ...['host', 'sysbox', 'daemon', 'docker'].flatMap(step => ['--only', step])];
		args.push('--deb', deb.path, '--accept-risk', 'unverified-deb');
		const state = async () => (await host.exec(['dpkg', '--list', 'sysbox-ce'])).stdout;
		const held = await tool(...args);
		expect(held.code, held.said.slice(-4000)).toBe(3);
		expect(held.said).toContain('apt-mark unhold sysbox-ce');
		expect(await state()).toMatch(/^hF /m);

		await host.exec(['apt-mark', 'unhold', 'sysbox-ce']);
		const done = await tool(...args);
		expect(done.code, done.said.slice(-4000)).toBe(0);
		expect(await state()).toMatch(/^ii /m);
	}, 240_000);
});
