import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { OutputLine } from '../../src/port/host.ts';
import { ReadingCommandChangedHost, simulatedHost } from '../../src/simulation/host.ts';
import { rebooted } from '../../src/simulation/reboot.ts';
import { isScenarioName, scenarioNames, scenarioState } from '../../src/simulation/scenarios.ts';
import { simulatedHostFile } from '../../src/simulation/simulated-host-file.ts';
import { deserialise, type SimulatedState, serialise } from '../../src/simulation/state.ts';
import { hostOf, shortWays } from './support.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the simulated host', () => {
	it.each([
		[['docker', 'run', '--rm', 'gitlab/gitlab-runner:latest', 'true']],
		[['docker', 'pull', 'registry:2']],
		[['docker', 'rm', '-f', 'ci-postgres']],
		[['systemctl', 'stop', 'docker']],
		[['systemctl', 'daemon-reload']],
		[['apt-get', 'install', '-y', 'jq']],
		[['sysctl', '-w', 'kernel.panic=5']],
		[['rm', '/etc/hostname']],
	] as const)('refuses to run %j where a command may only read', async argv => {
		const { host } = hostOf('fresh-ubuntu');
		await expect(host.exec([...argv], { timeoutMs: 60_000 })).rejects.toThrow(ReadingCommandChangedHost);
	});

	it.each([
		[['docker', 'ps', '-aq']],
		[['docker', 'exec', 'gitlab-runner', 'cat', '/etc/passwd']],
		[['docker', 'logs', 'ci-postgres']],
		[['apt-get', '-s', 'install', 'jq']],
		[['systemctl', 'show', 'docker']],
		[['dockerd', '--validate', '--config-file', '/etc/docker/daemon.json']],
	] as const)('runs %j, which only reads', async argv => {
		const { host } = hostOf('fresh-ubuntu');
		const before = serialise({ ...host.state(), now: 0 });
		expect((await host.exec([...argv], { timeoutMs: 60_000 })).code).toBe(0);
		expect(serialise({ ...host.state(), now: 0 })).toBe(before);
	});

	it('fails a test that asks for a program nobody simulated, and has none of it in a demo', async () => {
		await expect(hostOf('fresh-ubuntu').read(['frobnicate'])).rejects.toThrow('not simulated: frobnicate');
		await expect(hostOf('fresh-ubuntu').read(['docker', 'swarmify'])).rejects.toThrow('not simulated');
		const demo = hostOf('fresh-ubuntu', { onUnknownCommand: 'not-found' });
		expect(await demo.read(['frobnicate'])).toMatchObject({ code: null, problem: 'missing' });
	});

	it('lets the simulated time pass, and no other', async () => {
		const { host, run } = hostOf('fresh-ubuntu');
		const [real, simulated] = [Date.now(), host.clock.now()];
		await run(['docker', 'pull', '-q', 'docker:29-dind']);
		await host.clock.sleep(3_600_000);
		expect(host.clock.now() - simulated).toBeGreaterThan(3_605_000);
		expect(Date.now() - real).toBeLessThan(3000);
	});

	it('gives the same ids to the same commands', async () => {
		const first = await hostOf('fresh-ubuntu').run(['docker', 'run', '-d', 'postgres:17']);
		expect(await hostOf('fresh-ubuntu').run(['docker', 'run', '-d', 'postgres:17'])).toEqual(first);
	});

	it('never changes the state that it was given or has shown', async () => {
		const state = scenarioState('fresh-ubuntu');
		const before = serialise(state);
		const host = simulatedHost({ state });
		const shown = host.state();
		const text = serialise(shown);
		await host.run(['docker', 'rm', '-f', 'ci-postgres'], { timeoutMs: 60_000 });
		expect(serialise(state)).toBe(before);
		expect(serialise(shown)).toBe(text);
		expect(host.state()).not.toBe(shown);
	});

	it('does changes in the order of the calls, and loses none', async () => {
		const { host, run } = hostOf('fresh-ubuntu');
		await Promise.all(
			['a', 'b', 'c'].map(name => run(['docker', 'run', '-d', '--name', name.repeat(4), 'postgres:17'])),
		);
		expect(host.state().docker.engine.containers).toHaveLength(8);
	});

	it('keeps a container that outlives the one who waits for it', async () => {
		const { run, read, host } = hostOf('containers-running');
		expect(
			await run(['docker', 'run', '--name', 'slow', 'debian:13-slim', 'sleep', '60'], { timeoutMs: 5000 }),
		).toMatchObject({ problem: 'timeout' });
		expect((await read(['docker', 'inspect', '-f', '{{.State.Running}}', 'slow'])).out).toBe('true\n');
		await host.clock.sleep(60_000);
		expect((await read(['docker', 'inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'slow'])).out).toBe(
			'exited 0\n',
		);
	});

	it('shows lines in time in a demo, and none after it was cancelled', async () => {
		const { host } = hostOf('fresh-ubuntu', { pace: 'demo' });
		const lines: OutputLine[] = [];
		const stop = new AbortController();
		const result = await host.run(['apt-get', 'install', '-y', 'jq'], {
			timeoutMs: 60_000,
			signal: stop.signal,
			onLine: line => {
				lines.push(line);
				if (lines.length === 3) stop.abort();
			},
		});
		expect(result).toMatchObject({ code: null, problem: 'cancelled' });
		expect(lines).toHaveLength(3);
		expect((await host.stat('/usr/bin/jq')).kind).toBe('missing');
	});

	it('answers as a user who is not root', async () => {
		const { host, read } = hostOf('fresh-ubuntu', { faults: [{ name: 'not-root' }] });
		expect(host.identity).toMatchObject({ uid: 1000, user: 'anna' });
		expect(await host.readFile('/etc/shadow')).toEqual({ kind: 'denied' });
		expect(await host.list('/var/lib/docker')).toEqual({ kind: 'denied' });
		expect(await host.signal(1, 'SIGHUP')).toEqual({ kind: 'denied' });
		expect((await read(['docker', 'ps', '-q'])).code).toBe(0);
		expect((await read(['journalctl', '-u', 'docker'])).code).toBe(1);
		expect(await host.replaceFile('/etc/x', bytes('x'), { expect: { kind: 'missing' }, mode: 0o644 })).toMatchObject({
			kind: 'failed',
			errno: 'EACCES',
		});
	});

	describe('fails to write where it is told to', () => {
		const write = (host: ReturnType<typeof hostOf>['host'], path = '/etc/docker/new.json') =>
			host.replaceFile(path, bytes('x'), { expect: { kind: 'missing' }, mode: 0o644 });

		it.each(['ENOSPC', 'EROFS', 'EACCES'] as const)('%s', async errno => {
			const { host } = hostOf('fresh-ubuntu', { faults: [{ name: 'write-fails', path: '/etc/docker/*', errno }] });
			expect(await write(host)).toMatchObject({ kind: 'failed', errno });
			expect((await host.stat('/etc/docker/new.json')).kind).toBe('missing');
			expect(await write(host, '/tmp/other')).toMatchObject({ kind: 'written' });
		});

		it('at the second time only', async () => {
			const { host } = hostOf('fresh-ubuntu', { faults: [{ name: 'write-fails', path: '/tmp/*', nth: 2, times: 1 }] });
			expect((await write(host, '/tmp/a')).kind).toBe('written');
			expect((await write(host, '/tmp/b')).kind).toBe('failed');
			expect((await write(host, '/tmp/c')).kind).toBe('written');
		});

		it('as somebody else was faster', async () => {
			const { host } = hostOf('fresh-ubuntu', {
				faults: [{ name: 'file-changed-underneath', path: '/etc/docker/daemon.json', content: '{"debug": true}\n' }],
			});
			const found = await host.digest('/etc/docker/daemon.json');
			const expected =
				found.kind === 'digest' ? { kind: 'sha256' as const, sha256: found.sha256 } : { kind: 'missing' as const };
			expect(
				await host.replaceFile('/etc/docker/daemon.json', bytes('{}'), { expect: expected, mode: 0o644 }),
			).toMatchObject({ kind: 'changed' });
		});
	});

	it('validates new bytes with a program that changes nothing for anybody', async () => {
		const { host } = hostOf('broken-daemon-json');
		const validateWith = ['dockerd', '--validate', '--config-file', '{}'] as const;
		const found = await host.digest('/etc/docker/daemon.json');
		const expected =
			found.kind === 'digest' ? { kind: 'sha256' as const, sha256: found.sha256 } : { kind: 'missing' as const };
		expect(
			await host.replaceFile('/etc/docker/daemon.json', bytes('{ "x": 1 }'), {
				expect: expected,
				mode: 0o644,
				validateWith,
			}),
		).toMatchObject({ kind: 'rejected', said: expect.stringContaining("don't match any configuration option: x") });
		expect(
			await host.replaceFile('/etc/docker/daemon.json', bytes('{}'), { expect: expected, mode: 0o644, validateWith }),
		).toMatchObject({ kind: 'written' });
	});
});

describe('the state of a simulated host', () => {
	const directories: string[] = [];
	afterEach(() => {
		for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
	});

	it.each(scenarioNames)('of %s goes to JSON and back without loss', name => {
		const state = scenarioState(name);
		expect(deserialise(serialise(state))).toEqual(state);
		expect(isScenarioName(name)).toBe(true);
	});

	it('goes on where it was left', async () => {
		const first = hostOf('fresh-ubuntu');
		await first.run(['docker', 'run', '-d', '--name', 'left', 'postgres:17']);
		await first.run(['apt-get', 'install', '-y', 'fuse3']);
		const restored = deserialise(serialise(first.host.state())) as SimulatedState;
		const second = shortWays(simulatedHost({ state: restored }));
		const commands = [
			['docker', 'ps', '-aq', '--no-trunc'],
			['dpkg-query', '-W'],
			['docker', 'inspect', 'left'],
		] as const;
		for (const command of commands) expect(await second.read([...command])).toEqual(await first.read([...command]));
		expect(await second.run(['docker', 'run', '-d', 'postgres:17'])).toEqual(
			await first.run(['docker', 'run', '-d', 'postgres:17']),
		);
	});

	it('counts faults on over a restart', async () => {
		const faults = [{ name: 'apt-fails' as const, times: 1 }];
		const first = hostOf('fresh-ubuntu', { faults });
		expect((await first.run(['apt-get', 'install', '-y', 'jq'])).code).toBe(100);
		const second = shortWays(simulatedHost({ state: first.host.state(), faults }));
		expect((await second.run(['apt-get', 'install', '-y', 'jq'])).code).toBe(0);
	});

	it('is kept in a file, and seen by another process of the tool afterwards', async () => {
		const directory = mkdtempSync(join(tmpdir(), 'simulated-'));
		directories.push(directory);
		const file = simulatedHostFile(join(directory, 'session', 'host.json'));
		expect(file.load()).toBeUndefined();
		const { host, run } = hostOf('fresh-ubuntu', { onChange: state => file.save(state) });
		await run(['docker', 'rm', '-f', 'ci-postgres']);
		const loaded = file.load();
		expect(loaded?.docker).toEqual(host.state().docker);
		expect(loaded?.identity.pid).not.toBe(host.identity.pid);
		expect(loaded?.machine.bootId).toBe(host.state().machine.bootId);
		expect(readdirSync(join(directory, 'session'))).toEqual(['host.json']);
		if (loaded === undefined) return;
		const next = simulatedHost({ state: loaded });
		expect((await next.stat(`/proc/${loaded.identity.pid}/stat`)).kind).toBe('found');
		expect((await next.stat(`/proc/${host.identity.pid}/stat`)).kind).toBe('missing');
	});

	it('of another version, or no state at all, is not taken', () => {
		expect(deserialise('{"version":99}')).toBeUndefined();
		expect(deserialise('not json')).toBeUndefined();
	});
});

describe('a simulated machine that is switched off and on', () => {
	it('comes back with what is enabled, under another boot id', async () => {
		const before = await hostOf('already-set-up');
		await before.run(['sysctl', '-w', 'kernel.panic=5']);
		await before.run(['docker', 'run', '-d', '--name', 'by-hand', 'docker:29-dind']);
		for (const how of ['orderly', 'cut'] as const) {
			const { read, host, text } = shortWays(simulatedHost({ state: rebooted(before.host.state(), how) }));
			const { units } = host.state();
			for (const name of ['sysbox', 'sysbox-mgr', 'sysbox-fs', 'docker'])
				expect(units[`${name}.service`]?.active, name).toBe('active');
			expect((await read(['docker', 'ps', '-q'])).out.trim().split('\n')).toHaveLength(5);
			expect((await read(['docker', 'inspect', '-f', '{{.State.Status}}', 'by-hand'])).out).toBe('exited\n');
			expect(await text('/proc/sys/kernel/random/boot_id')).not.toBe(
				await before.text('/proc/sys/kernel/random/boot_id'),
			);
			expect(await text('/proc/sys/kernel/panic')).toBe('0\n');
			expect(await text('/proc/sys/kernel/keys/maxkeys')).toBe('20000\n');
			expect(host.identity.pid).not.toBe(before.host.identity.pid);
		}
	});
});

describe('the scenarios', () => {
	it('fresh-ubuntu has CI containers, and none with host access', async () => {
		const { read } = hostOf('fresh-ubuntu');
		const all = JSON.parse(
			(await read(['docker', 'inspect', ...(await read(['docker', 'ps', '-q'])).out.trim().split('\n')])).out,
		) as { HostConfig: { Privileged: boolean; Binds: string[] | null } }[];
		expect(all).toHaveLength(5);
		expect(all.some(c => c.HostConfig.Privileged || c.HostConfig.Binds?.some(b => b.includes('docker.sock')))).toBe(
			false,
		);
	});

	it('containers-running has them with host access', async () => {
		const { read } = hostOf('containers-running');
		expect(
			(
				await read([
					'docker',
					'inspect',
					'-f',
					'{{.HostConfig.Privileged}}',
					'runner-x7k-project-31-concurrent-0-docker-0',
				])
			).out,
		).toBe('true\n');
		expect((await read(['docker', 'inspect', '-f', '{{json .HostConfig.Binds}}', 'jenkins-agent-1'])).out).toContain(
			'/var/run/docker.sock:/var/run/docker.sock',
		);
		expect(
			(await read(['docker', 'inspect', '-f', '{{.HostConfig.PidMode}} {{.HostConfig.NetworkMode}}', 'node-exporter']))
				.out,
		).toBe('host host\n');
	});

	it('snap-docker has its docker under /snap and no unit of that name', async () => {
		const { host, read } = hostOf('snap-docker');
		expect(await host.stat('/snap/bin/docker')).toMatchObject({ link: true, meta: { realPath: '/usr/bin/snap' } });
		expect((await read(['docker', 'info', '--format', '{{.DockerRootDir}}'])).out).toBe(
			'/var/snap/docker/common/var-lib-docker\n',
		);
		expect((await read(['systemctl', 'show', 'docker', '-p', 'LoadState', '--value'])).out).toBe('not-found\n');
	});

	it('broken-daemon-json runs with what it had before', async () => {
		const { read } = hostOf('broken-daemon-json');
		expect((await read(['docker', 'info', '--format', '{{.LiveRestoreEnabled}}'])).out).toBe('true\n');
		expect((await read(['dockerd', '--validate', '--config-file', '/etc/docker/daemon.json'])).code).toBe(1);
	});

	it('no-internet has package and images as files', async () => {
		const { run, host } = hostOf('no-internet');
		expect((await run(['docker', 'pull', 'busybox'])).code).toBe(1);
		expect(await run(['docker', 'load', '-i', '/root/images/docker-29-dind.tar'])).toMatchObject({
			code: 0,
			out: 'Loaded image: docker:29-dind\n',
		});
		expect(await host.digest('/root/sysbox-ce_0.7.1-0.linux_amd64.deb')).toMatchObject({
			kind: 'digest',
			sha256: expect.stringMatching(/^9d6d5484/),
		});
		expect(await host.readFile('/root/sysbox-ce_0.7.1-0.linux_amd64.deb')).toMatchObject({ kind: 'too-large' });
	});

	it('old-kernel says so', async () => {
		expect(await hostOf('old-kernel').text('/proc/sys/kernel/osrelease')).toBe('4.19.0-27-amd64\n');
	});
});
