/** The lab shows what the tests on it rely on. About the tool it says nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CgroupVersion, type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const NETWORK = {
	bip: '172.30.0.1/16',
	'default-address-pools': [{ base: '172.31.0.0/16', size: 24 }],
};
const MAPPED = /^\s*0\s+100000\s+65536$/m;
const IDENTITY = /^\s*0\s+0\s+4294967295$/m;
const BUSYBOX = 'lab/busybox:1';
// `sleep` as PID 1 ignores SIGTERM: without the other signal each stop takes 10 s.
const SLEEPER = ['--detach', '--stop-signal', 'SIGKILL'];

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

function run(host: LabHost, options: readonly string[], command: readonly string[]) {
	return host.exec(['docker', 'run', '--rm', '--runtime=sysbox-runc', ...options, BUSYBOX, ...command], {
		reject: false,
	});
}

async function install(host: LabHost, path: string) {
	return host.exec(['apt-get', 'install', '-y', path], {
		env: { DEBIAN_FRONTEND: 'noninteractive' },
		reject: false,
		timeoutMs: 30_000,
	});
}

async function writeDaemonJson(host: LabHost, content: object) {
	await host.writeFile('/etc/docker/daemon.json', `${JSON.stringify(content, null, 2)}\n`);
}

async function active(host: LabHost) {
	const states = await host.exec(['systemctl', 'is-active', 'sysbox', 'sysbox-mgr', 'sysbox-fs'], { reject: false });
	return states.stdout.trim().split('\n');
}

async function answersWithin(host: LabHost, seconds: number, argv: readonly string[]) {
	const waits =
		'end=$(($(date +%s) + $0)); until "$@" >/dev/null 2>&1; do [ $(date +%s) -lt $end ] || exit 1; sleep 0.1; done';
	await host.exec(['sh', '-c', waits, String(seconds), ...argv]);
}

describe.skipIf(!lab.available).each<CgroupVersion>(['v2', 'v1'])('a host with cgroup %s', cgroup => {
	let host: LabHost;

	beforeAll(async () => {
		host = await startLabHost({ cgroup, name: `smoke-${cgroup}` });
		await host.loadImages('busybox', 'ci-images');
	}, 16 * 60_000);

	afterAll(async () => {
		await host?.remove();
	});

	it('has the cgroup tree that was asked for', async () => {
		const info = await host.exec(['docker', 'info', '--format', '{{.CgroupVersion}}']);
		expect(info.stdout.trim()).toBe(cgroup === 'v1' ? '1' : '2');
	});

	it('has lists of packages, which stay when no mirror answers, and a server for SSH that is off', async () => {
		const known = () => host.exec(['apt-cache', 'show', 'docker-ce-cli', 'skopeo'], { reject: false });
		expect((await known()).stdout).toMatch(/^Package: skopeo$/m);
		const update = await host.exec(['unshare', '--net', 'apt-get', '-o', 'Acquire::Retries=0', 'update'], {
			reject: false,
		});
		expect(update.code).toBe(0);
		expect(update.stderr).toMatch(/^W: Failed to fetch /m);
		expect((await known()).stdout).toMatch(/^Package: skopeo$/m);
		const ssh = await host.exec(['systemctl', 'is-active', 'ssh.service', 'ssh.socket'], { reject: false });
		expect(ssh.stdout).toBe('inactive\ninactive\n');
	}, 60_000);

	it('refuses the package while containers exist and the network is not written down', async () => {
		await host.exec(['docker', 'run', ...SLEEPER, '--name', 'keep', BUSYBOX, 'sleep', '600']);
		const { path } = await host.putPackage();
		const result = await install(host, path);
		expect(result.code).toBe(100);
		expect(result.stdout + result.stderr).toMatch(/cannot proceed due to existing Docker containers/);
		const status = await host.exec(['dpkg-query', '--status', 'sysbox-ce']);
		expect(status.stdout).toMatch(/^Status: install ok half-configured$/m);
		await host.exec(['apt-get', 'purge', '-y', 'sysbox-ce']);
	}, 60_000);

	it('installs within 15 s, leaving containers alone, when the network is written down', async () => {
		await writeDaemonJson(host, NETWORK);
		const before = await host.exec(['docker', 'inspect', '-f', '{{.State.Pid}}', 'keep']);
		const { path } = await host.putPackage();
		const started = Date.now();
		const result = await install(host, path);
		expect(result.code, result.stderr).toBe(0);
		expect(Date.now() - started).toBeLessThan(15_000);
		expect(await active(host)).toEqual(['active', 'active', 'active']);

		const after = await host.exec(['docker', 'inspect', '-f', '{{.State.Pid}}', 'keep']);
		expect(after.stdout).toBe(before.stdout);
		const written: unknown = JSON.parse((await host.readFile('/etc/docker/daemon.json')).toString('utf8'));
		expect(written).toEqual({ ...NETWORK, runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } } });
		const version = await host.exec(['sysbox-runc', '--version']);
		expect(version.stdout).toMatch(/^\s*version:\s+0\.7\.1$/m);
		expect(version.stdout).toMatch(/built by:\s+stand-in/);
	}, 60_000);

	it('runs containers in a shifted range of ids', async () => {
		expect((await run(host, [], ['cat', '/proc/self/uid_map'])).stdout).toMatch(MAPPED);
		expect((await run(host, ['--privileged'], ['cat', '/proc/self/uid_map'])).stdout).toMatch(MAPPED);
		const plain = await host.exec(['docker', 'run', '--rm', BUSYBOX, 'cat', '/proc/self/uid_map']);
		expect(plain.stdout).toMatch(IDENTITY);
	}, 60_000);

	it.each(['pid', 'network', 'ipc', 'uts'])('refuses --%s=host', async namespace => {
		const result = await run(host, [`--${namespace}=host`], ['true']);
		expect(result.code).toBe(125);
		expect(result.stderr).toContain(`sysbox containers can't share namespaces [${namespace}] with the host`);
	});

	it.each([
		['a device node', 'mknod /x b 254 0', /Operation not permitted/],
		['core_pattern', 'echo x >/proc/sys/kernel/core_pattern', /Permission denied/],
		['the kernel log', 'dmesg', /Operation not permitted/],
		['the clock', 'date -s 2020-01-01', /Operation not permitted/],
		['a reboot', 'reboot -f', /Operation not permitted/],
		['debugfs', 'mkdir /m; mount -t debugfs x /m', /permission denied/],
	])('denies %s', async (_what, script, words) => {
		expect((await run(host, [], ['sh', '-c', script])).stderr).toMatch(words);
	});

	it('has an engine inside that builds, runs, pushes and pulls', async () => {
		await host.exec(['docker', 'network', 'create', 'ci']);
		await host.exec(['docker', 'run', '-d', '--network', 'ci', '--name', 'registry', 'lab/registry:1']);
		await host.exec(['docker', 'run', '-d', '--network', 'ci', '--name', 'job', '--runtime=sysbox-runc', 'lab/ci:1']);
		const inside = (...argv: string[]) => ['docker', 'exec', '-i', 'job', ...argv];
		await answersWithin(host, 20, inside('docker', 'version'));

		await host.exec(inside('docker', 'load', '-q'), {
			input: await host.readFile('/opt/sysbox-setup-lab/images/busybox.tar'),
		});
		const nested = await host.exec(inside('docker', 'run', '--rm', BUSYBOX, 'cat', '/proc/self/uid_map'));
		expect(nested.stdout).toMatch(MAPPED);

		const app = 'registry:5000/app:1';
		await host.exec(inside('docker', 'build', '-q', '-t', app, '-'), {
			input: `FROM ${BUSYBOX}\nRUN echo made-inside >/made\nCMD ["cat", "/made"]\n`,
		});
		await host.exec(inside('docker', 'push', '-q', app));
		await host.exec(inside('docker', 'rmi', '-f', app));
		expect((await host.exec(inside('docker', 'run', '--rm', app))).stdout).toBe('made-inside\n');
		await host.exec(['docker', 'rm', '-f', '-v', 'job', 'registry']);
	}, 120_000);

	it('enforces limits on v1 and discards them on v2', async () => {
		const memory = await run(host, ['-m', '64m'], ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1']);
		const tasks = await run(host, ['--pids-limit', '20'], ['sh', '-c', 'for i in $(seq 40); do sleep 1 & done; wait']);
		if (cgroup === 'v1') {
			expect(memory.code).toBe(137);
			expect(tasks.stderr).toMatch(/can't fork/);
		} else {
			expect(memory.stderr).toMatch(/Limitation discarded/);
			expect(memory.code).toBe(0);
			expect(tasks.stderr).toMatch(/PIDs limit discarded/);
			expect(tasks.code).toBe(0);
		}
	}, 60_000);

	it('stops as a whole, refuses containers then, and does not revive old ones', async () => {
		await host.exec(['docker', 'run', ...SLEEPER, '--name', 'old', '--runtime=sysbox-runc', BUSYBOX, 'sleep', '600']);
		await host.exec(['systemctl', 'stop', 'sysbox-mgr']);
		expect(await active(host)).toEqual(['inactive', 'inactive', 'inactive']);
		const refused = await run(host, [], ['true']);
		expect(refused.code).toBe(125);
		expect(refused.stderr).toMatch(/failed to register with sysbox-mgr: .*connect: connection refused/);

		await host.exec(['systemctl', 'start', 'sysbox']);
		expect(await active(host)).toEqual(['active', 'active', 'active']);
		expect((await run(host, [], ['true'])).code).toBe(0);
		expect((await host.exec(['docker', 'exec', 'old', 'true'], { reject: false })).code).toBe(126);
		await host.exec(['docker', 'rm', '-f', 'old']);
	}, 60_000);

	it('comes back after a reboot and after a power cut', async () => {
		await host.exec([
			'docker',
			'run',
			...SLEEPER,
			'--name',
			'always',
			'--restart=always',
			'--runtime=sysbox-runc',
			BUSYBOX,
			'sleep',
			'600',
		]);
		for (const restart of [() => host.reboot(), () => host.powerCut()]) {
			await restart();
			expect(await active(host)).toEqual(['active', 'active', 'active']);
			await answersWithin(host, 10, ['docker', 'exec', 'always', 'true']);
		}
		await host.exec(['docker', 'rm', '-f', 'always']);
	}, 120_000);

	it('can tell a lying and a broken package from a good one', async () => {
		const reinstall = async (variant: 'lying' | 'broken') => {
			const { path } = await host.putPackage(variant);
			await host.exec(['apt-get', 'install', '--reinstall', '-y', path]);
			return run(host, [], ['cat', '/proc/self/uid_map']);
		};
		expect((await reinstall('lying')).stdout).toMatch(IDENTITY);
		const broken = await reinstall('broken');
		expect(broken.code).toBe(125);
		expect(broken.stderr).toMatch(/failed to get config from sysbox-fs/);
	}, 60_000);

	it('loses the runtime by a purge, and keeps the network', async () => {
		await host.exec(['apt-get', 'purge', '-y', 'sysbox-ce']);
		const written: unknown = JSON.parse((await host.readFile('/etc/docker/daemon.json')).toString('utf8'));
		expect(written).toEqual({ ...NETWORK, runtimes: {} });
		expect(await active(host)).toEqual(['inactive', 'inactive', 'inactive']);
	}, 60_000);

	it('has a package that leaves it to others to tell Docker of a runtime, and one that does it', async () => {
		await writeDaemonJson(host, { ...NETWORK, runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } } });
		const runtimes = async () => (await host.exec(['docker', 'info', '--format', '{{json .Runtimes}}'])).stdout;
		const leaves = await host.putPackage('good', { directory: '/root/packages/leaves', postinst: 'leaves' });
		expect((await install(host, leaves.path)).code).toBe(0);
		expect(await runtimes()).not.toContain('sysbox-runc');
		const reloads = await host.putPackage();
		await host.exec(['apt-get', 'install', '--reinstall', '-y', reloads.path]);
		await expect.poll(runtimes).toContain('sysbox-runc');
	}, 60_000);

	it('has a package of 30 MB, the same each time', async () => {
		const options = { directory: '/root/packages/large', padding: 30_000_000 };
		const large = await host.putPackage('good', options);
		const size = await host.exec(['stat', '-c', '%s', large.path]);
		expect(Number(size.stdout)).toBeGreaterThan(30_000_000);
		expect(await host.putPackage('good', options)).toEqual(large);
		expect((await install(host, large.path)).code).toBe(0);
	}, 60_000);

	it('lets a test kill a command at a moment of its choice', async () => {
		const lines: string[] = [];
		const running = host.spawn(['sh', '-c', 'echo first; exec sleep 60'], {
			onStdoutLine: line => lines.push(line),
		});
		await expect.poll(() => lines).toEqual(['first']);
		await running.kill('SIGKILL');
		expect(await running.done).toMatchObject({ code: 137, stdout: 'first\n' });
		expect(lines).toEqual(['first']);
	}, 30_000);

	it('keeps bytes, modes and environments on their way in', async () => {
		const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
		await host.writeFile('/root/some/bytes', bytes, 0o640);
		expect(new Uint8Array(await host.readFile('/root/some/bytes'))).toEqual(bytes);
		expect((await host.exec(['stat', '-c', '%a', '/root/some/bytes'])).stdout).toBe('640\n');
		const echoed = await host.exec(['sh', '-c', 'printf "%s|" "$WORD" "$(cat)"'], { env: { WORD: 'a b' }, input: 'c' });
		expect(echoed.stdout).toBe('a b|c|');
		await expect(host.exec(['sleep', '5'], { timeoutMs: 300 })).rejects.toThrow(/no end after 300 ms/);
	});
});
