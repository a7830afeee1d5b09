/** Containers under Sysbox, on a real Docker, while Sysbox is upgraded, dies, and is taken away again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const steps = ['host', 'sysbox', 'daemon', 'docker'].flatMap(step => ['--only', step]);
const unvouched = ['--accept-risk', 'unverified-deb'];
const stops = ['restart-sysbox', 'stop-containers'].flatMap(risk => ['--accept-risk', risk]);

describe.skipIf(!lab.available)('a container that runs under Sysbox', () => {
	let host: LabHost;
	let old: string;
	let deb: string;

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'sysbox-containers' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		await host.loadImages('busybox');
		old = (await host.putPackage('good', { version: '0.7.0', directory: '/root/packages/old' })).path;
		deb = (await host.putPackage('good')).path;
		await host.writeFile('/root/answers.yml', 'version: 1\nsysbox:\n  upgrade: true\n');
		// By hand, as on a host that somebody else has set up.
		await host.exec(['apt-get', 'install', '-y', old], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
		await host.exec(['systemctl', 'reload', 'docker']);
		await startAgent();
	}, 16 * 60_000);
	afterAll(async () => host?.remove());

	const tool = async (...args: readonly string[]) => {
		const ended = await host.exec(['sysbox-setup', ...args], { reject: false, timeoutMs: 200_000 });
		return { ...ended, said: ended.stdout + ended.stderr };
	};
	const sh = async (line: string) => (await host.exec(['sh', '-c', line], { reject: false })).stdout.trim();
	/** What its inner Docker would have stored is a file here. */
	async function startAgent(): Promise<void> {
		await host.exec([
			...['docker', 'run', '-d', '--name', 'agent', '--runtime', 'sysbox-runc', '--stop-signal', 'SIGKILL'],
			...['lab/busybox:1', 'sleep', '3600'],
		]);
		await host.exec(['docker', 'exec', 'agent', 'sh', '-c', 'echo kept >/var/lib/docker/f']);
	}
	const stored = () => sh('docker exec agent cat /var/lib/docker/f');
	const upgrade = (...more: readonly string[]) =>
		tool('--yes', ...steps, '--answers', '/root/answers.yml', '--deb', deb, ...unvouched, ...more);

	it('is named and not touched by an upgrade that nobody has agreed to', async () => {
		const pid = await sh('docker inspect --format {{.State.Pid}} agent');
		const refused = await upgrade();
		expect(refused.code, refused.said).toBe(4);
		expect(refused.said).toContain('agent');
		expect(await sh('docker inspect --format {{.State.Pid}} agent')).toBe(pid);
		expect(await sh('sysbox-runc --version')).toContain('0.7.0');
	}, 120_000);

	it('is stopped before Sysbox is upgraded and started after, and keeps what it has stored', async () => {
		const done = await upgrade(...stops);
		expect(done.code, done.said).toBe(0);
		expect(await sh('sysbox-runc --version')).toContain('0.7.1');
		expect(await stored()).toBe('kept');
	}, 120_000);

	it('is named when Sysbox has died under it, and comes back by the commands that check prints', async () => {
		await host.exec([
			'sh',
			'-c',
			'kill -9 $(pidof sysbox-fs); while systemctl is-active --quiet sysbox-fs; do :; done; systemctl start sysbox',
		]);
		const checked = await tool('check', '--format', 'json');
		expect(checked.code, checked.said).toBe(3);
		const found = checked.stdout
			.split('\n')
			.filter(line => line !== '')
			.map(line => JSON.parse(line))
			.flatMap(event => (event.type === 'findings' ? event.findings : []))
			.find(({ id }: { id: string }) => id === 'sysbox.dead-containers');
		expect(`${found.summary} ${found.evidence}`).toContain('agent');
		expect(await stored()).not.toBe('kept');
		for (const command of found.remedy.commands) await host.exec(['sh', '-c', command]);
		expect(await stored()).toBe('kept');
		expect((await tool('check')).said).not.toContain('broken');
	}, 120_000);

	it('is stopped by consent before a revert takes Sysbox away, and leaves no dead mount', async () => {
		await host.exec(['docker', 'rm', '-f', 'agent']);
		await host.exec(['apt-get', 'purge', '-y', 'sysbox-ce'], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
		await host.removeFile('/etc/docker/daemon.json');
		await host.exec(['systemctl', 'restart', 'docker']);
		const installed = await tool('--yes', ...steps, '--deb', deb, ...unvouched);
		expect(installed.code, installed.said).toBe(0);
		await startAgent();

		const refused = await tool('revert', '--yes');
		expect(refused.code, refused.said).toBe(4);
		expect(refused.said).toContain('agent');
		expect(await stored()).toBe('kept');
		const done = await tool(
			'revert',
			'--yes',
			'--accept-risk',
			'stop-containers',
			'--accept-risk',
			'lose-inner-stores',
		);
		expect(done.code, done.said).toBe(0);
		expect(await sh('docker inspect --format {{.State.Running}} agent')).toBe('false');
		expect(await sh('grep -c sysboxfs /proc/self/mountinfo')).toBe('0');
		expect(await sh('dpkg-query -W sysbox-ce')).not.toMatch(/sysbox-ce\s+0/);
		expect(await sh('docker info --format "{{json .Runtimes}}"')).not.toContain('sysbox-runc');
	}, 200_000);
});
