import { beforeAll, describe, expect, it } from 'vitest';
import { readyHost } from './support.ts';

/** What real Sysbox 0.7.0 and runc were seen to do; capability masks are those of a usual host. */
describe('a container of the simulated host', () => {
	let ways: Awaited<ReturnType<typeof readyHost>>;
	beforeAll(async () => {
		ways = await readyHost();
	});

	describe('shows the identity that was recorded', () => {
		it('maps root to an unprivileged range under Sysbox, and to itself under runc', async () => {
			expect((await ways.inside('sysbox', 'cat /proc/self/uid_map /proc/self/gid_map')).out).toBe(
				'         0     165536      65536\n'.repeat(2),
			);
			expect((await ways.inside('runc', 'cat /proc/self/uid_map')).out).toBe('         0          0 4294967295\n');
		});

		it.each([
			['sysbox', [], '000001ffffffffff', '2', '2'],
			['sysbox', ['--cap-drop=ALL'], '000001ffffffffff', '2', '2'],
			['sysbox', ['--privileged'], '000001ffffffffff', '2', '1'],
			['sysbox', ['--security-opt', 'seccomp=unconfined'], '000001ffffffffff', '2', '1'],
			['sysbox', ['--user', '1000:1000'], '0000000000000000', '2', '2'],
			['runc', [], '00000000a80425fb', '2', '1'],
			['runc', ['--cap-add=ALL'], '000001ffffffffff', '2', '1'],
			['runc', ['--privileged'], '000001ffffffffff', '0', '0'],
		] as const)(
			'%s %j has capabilities %s and seccomp %s with %s filters',
			async (runtime, options, capabilities, mode, filters) => {
				const { out } = await ways.inside(runtime, 'grep -E "CapEff|Seccomp" /proc/self/status', ...options);
				expect(out).toBe(`CapEff:\t${capabilities}\nSeccomp:\t${mode}\nSeccomp_filters:\t${filters}\n`);
			},
		);

		it('sets the ambient capabilities under Sysbox only', async () => {
			expect((await ways.inside('sysbox', 'grep CapAmb /proc/self/status')).out).toBe('CapAmb:\t000001ffffffffff\n');
			expect((await ways.inside('runc', 'grep CapAmb /proc/self/status')).out).toBe('CapAmb:\t0000000000000000\n');
		});

		it('shows sysboxfs, idmapped volumes and /dev/kmsg as null', async () => {
			const { out } = await ways.inside('sysbox', 'mount; ls -ln /dev/kmsg');
			expect(out).toContain('sysboxfs on /proc/sys type fuse (rw,');
			expect(out).toMatch(/on \/var\/lib\/docker type ext4 \(rw,relatime,idmapped/);
			expect(out).toMatch(/crw-rw-rw-\s+1 65534\s+65534\s+1, 3 /);
		});
	});

	describe('is refused what Sysbox refuses', () => {
		it.each([
			['--pid=host', 'pid'],
			['--network=host', 'network'],
			['--ipc=host', 'ipc'],
			['--uts=host', 'uts'],
		])('%s', async (option, name) => {
			const said = await ways.inside('sysbox', 'id', option);
			expect(said.code).toBe(125);
			expect(said.err).toContain(
				`OCI runtime create failed: error in the container spec: invalid or unsupported container spec: sysbox containers can't share namespaces [${name}] with the host (because they use the linux user-namespace for isolation): unknown`,
			);
		});

		it('lets --userns=host and --cgroupns=host pass, without effect', async () => {
			expect((await ways.inside('sysbox', 'cat /proc/self/uid_map', '--userns=host')).out).toContain('165536');
			expect((await ways.inside('sysbox', 'tail -1 /proc/self/cgroup', '--cgroupns=host')).out).toBe(
				'0::/init.scope\n',
			);
		});

		it('an unknown SYSBOX_ variable', async () => {
			expect((await ways.inside('sysbox', 'id', '-e', 'SYSBOX_COLOUR=red')).err).toContain(
				'invalid env var SYSBOX_COLOUR',
			);
		});

		it('a runtime that is not registered', async () => {
			const said = await ways.run(['docker', 'run', '--rm', '--runtime=nosuch', 'busybox', 'true']);
			expect(said).toMatchObject({ code: 125, out: '' });
			expect(said.err).toContain('Error response from daemon: unknown or invalid runtime name: nosuch');
		});
	});

	// attempt, code and words under Sysbox, code under runc with all capabilities and without AppArmor's profile
	it.each([
		['mknod /b b 252 0', 1, 'mknod: /b: Operation not permitted\n', 0],
		['mknod /c c 1 3', 1, 'mknod: /c: Operation not permitted\n', 0],
		['mkdir /m; mount -t tmpfs x /m', 0, '', 0],
		['mkdir /m; mount -t proc x /m', 0, '', 0],
		['mkdir /m; mount -t debugfs x /m', 1, 'mount: permission denied (are you root?)\n', 0],
		['mkdir /m; mount -t securityfs x /m', 1, 'mount: permission denied (are you root?)\n', 0],
		['mount -t ext4 /dev/vda /mnt', 255, 'mount: mounting /dev/vda on /mnt failed: No such file or directory\n', 255],
		[
			'echo core > /proc/sys/kernel/core_pattern',
			1,
			"sh: can't create /proc/sys/kernel/core_pattern: Permission denied\n",
			1,
		],
		['echo 60 > /proc/sys/vm/swappiness', 1, "sh: can't create /proc/sys/vm/swappiness: Permission denied\n", 1],
		['echo 77 > /proc/sys/kernel/panic', 0, '', 1],
		['umount /proc/sys', 1, "umount: can't unmount /proc/sys: Invalid argument\n", 0],
		['dmesg', 1, 'dmesg: klogctl: Operation not permitted\n', 0],
		['insmod /nosuch.ko', 254, "insmod: can't insert '/nosuch.ko': No such file or directory\n", 254],
		['reboot -f', 1, 'reboot: : Operation not permitted\n', 0],
		['hostname evil', 0, '', 0],
		['unshare -U true', 0, '', 0],
		['touch /f; chown 70000 /f', 1, 'chown: /f: Invalid argument\n', 0],
		['touch /f; chown 1000 /f', 0, '', 0],
		['nice -n -5 true', 1, 'nice: setpriority(-5): Permission denied\n', 0],
		['nsenter -t 1 -m -u -i -n -p -- id -u', 0, '', 0],
	] as const)('%s', async (script, code, words, plainCode) => {
		expect(await ways.inside('sysbox', script)).toMatchObject({ code, err: words });
		const plain = await ways.inside('runc', script, '--cap-add=ALL', '--security-opt=apparmor=unconfined');
		expect(plain.code).toBe(plainCode);
	});

	it('says of a date that it cannot set it, and ends with 0 all the same', async () => {
		const said = await ways.inside('sysbox', 'date -s 2020-01-01');
		expect(said).toMatchObject({
			code: 0,
			out: 'Wed Jan  1 00:00:00 UTC 2020\n',
			err: "date: can't set date: Operation not permitted\n",
		});
	});

	describe('keeps to itself what it changes', () => {
		it('under Sysbox: kernel.panic and the host name, and the host is unchanged', async () => {
			const said = await ways.inside(
				'sysbox',
				'echo 77 > /proc/sys/kernel/panic; cat /proc/sys/kernel/panic; hostname evil; hostname; echo 2 >/proc/sys/vm/overcommit_memory; cat /proc/sys/vm/overcommit_memory',
			);
			expect(said.out).toBe('77\nevil\n2\n');
			expect(await ways.text('/proc/sys/kernel/panic')).toBe('0\n');
			expect(await ways.text('/proc/sys/vm/overcommit_memory')).toBe('0\n');
			expect(await ways.text('/proc/sys/kernel/hostname')).toBe('ci-07\n');
		});

		it('not a privileged container of runc: that changes the kernel of the host', async () => {
			const other = await readyHost();
			await other.inside('runc', 'echo 77 > /proc/sys/kernel/panic', '--privileged');
			expect(await other.text('/proc/sys/kernel/panic')).toBe('77\n');
		});

		it('and writing the value that is there already changes nothing anywhere', async () => {
			const before = await ways.text('/proc/sys/kernel/core_pattern');
			const said = await ways.inside(
				'runc',
				'cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern',
				'--privileged',
			);
			expect(said.code).toBe(0);
			expect(await ways.text('/proc/sys/kernel/core_pattern')).toBe(before);
		});
	});

	describe('gets at the host through what is mounted into it', () => {
		it('owns a bind-mounted folder of ext4 as root of the host, Sysbox or not', async () => {
			ways.write('/srv/secret', 'secret\n');
			const said = await ways.inside(
				'sysbox',
				'cat /z/secret; echo new > /z/g; cp /bin/busybox /z/suid; chmod 4755 /z/suid; grep " /z " /proc/self/mountinfo',
				'-v',
				'/srv:/z',
			);
			expect(said.out).toContain('secret\n');
			expect(said.out).toContain('idmapped');
			expect(await ways.host.stat('/srv/suid')).toMatchObject({ meta: { mode: 0o4755, uid: 0 } });
			expect(await ways.text('/srv/g')).toBe('new\n');
		});

		it('talks to the daemon of the host through its socket, as root', async () => {
			await ways.run(['docker', 'pull', '-q', 'docker:29-cli']);
			const id = (await ways.read(['docker', 'info', '--format', '{{.ID}}'])).out;
			const ask = [
				'docker',
				'run',
				'--rm',
				'--runtime=sysbox-runc',
				'-v',
				'/var/run/docker.sock:/var/run/docker.sock',
			] as const;
			expect(await ways.run([...ask, 'docker:29-cli', 'docker', 'info', '--format', '{{.ID}}'])).toMatchObject({
				code: 0,
				out: id,
			});
			const other = await ways.run([...ask, '--user', '1000', 'docker:29-cli', 'docker', 'ps']);
			expect(other).toMatchObject({ code: 1, out: '' });
			expect(other.err).toContain('permission denied while trying to connect');
		});

		it('may not write into a bind-mounted /proc under Sysbox', async () => {
			expect(
				await ways.inside('sysbox', 'echo x > /hproc/sys/kernel/core_pattern', '-v', '/proc:/hproc'),
			).toMatchObject({ code: 1, err: "sh: can't create /hproc/sys/kernel/core_pattern: Permission denied\n" });
		});

		it('enters the host with its pid namespace and all rights, under runc', async () => {
			const said = await ways.inside(
				'runc',
				'nsenter -t 1 -m -u -i -n -p -- sh -c "id; hostname; cat /proc/1/comm"',
				'--pid=host',
				'--privileged',
			);
			expect(said.out).toBe('uid=0(root) gid=0(root) groups=0(root)\nci-07\nsystemd\n');
		});

		it('may kill nothing of the host without them', async () => {
			const pid = String(ways.host.identity.pid);
			expect(await ways.inside('sysbox', `kill -0 ${pid}`)).toMatchObject({
				code: 1,
				err: `kill: can't kill pid ${pid}: No such process\n`,
			});
			expect(await ways.inside('runc', `kill -0 ${pid}`, '--pid=host', '--privileged')).toMatchObject({ code: 0 });
		});

		it('is kept by AppArmor from mounting with SYS_ADMIN alone, under runc', async () => {
			expect(await ways.inside('runc', 'mount -t tmpfs x /mnt', '--cap-add=SYS_ADMIN')).toMatchObject({
				code: 255,
				err: 'mount: mounting x on /mnt failed: Permission denied\n',
			});
		});

		it('sees the block devices of the host when privileged, and cannot use them under Sysbox', async () => {
			expect(await ways.inside('sysbox', 'mount -t ext4 /dev/vda /mnt', '--privileged')).toMatchObject({
				code: 1,
				err: 'mount: permission denied (are you root?)\n',
			});
			expect(
				await ways.inside('runc', 'mount -t ext4 /dev/vda1 /mnt && cat /mnt/etc/hostname', '--privileged'),
			).toMatchObject({ code: 0, out: 'ci-07\n' });
		});
	});

	describe('is held to its limits', () => {
		it('of memory: killed with 137, as docker tells afterwards', async () => {
			const said = await ways.run([
				'docker',
				'run',
				'--name',
				'oom',
				'--runtime=sysbox-runc',
				'--memory=64m',
				'busybox',
				'sh',
				'-c',
				'dd if=/dev/zero of=/dev/null bs=200M count=1; echo rc=$?',
			]);
			expect(said).toMatchObject({ code: 0, out: 'rc=137\n', err: 'Killed\n' });
			expect(
				(await ways.read(['docker', 'inspect', 'oom', '--format', '{{.State.OOMKilled}} {{.State.ExitCode}}'])).out,
			).toBe('true 0\n');
			expect(
				(
					await ways.run([
						'docker',
						'run',
						'--rm',
						'--entrypoint',
						'dd',
						'--memory=64m',
						'busybox',
						'if=/dev/zero',
						'of=/dev/null',
						'bs=200M',
						'count=1',
					])
				).code,
			).toBe(137);
		});

		it('of processes: no fork beyond it', async () => {
			const script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 3 & done; wait';
			expect((await ways.inside('sysbox', script, '--pids-limit=20')).err).toBe(
				"sh: can't fork: Resource temporarily unavailable\n",
			);
			expect(await ways.inside('sysbox', script)).toMatchObject({ code: 0, err: '' });
		});

		it('and sees them wrongly under Sysbox: its cgroup is a child of the limited one', async () => {
			const script = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /sys/fs/cgroup/pids.max';
			const limits = ['--memory=64m', '--cpus=0.5', '--pids-limit=50'];
			expect((await ways.inside('sysbox', script, ...limits)).out).toBe('67108864\nmax 100000\nmax\n');
			expect((await ways.inside('runc', script, ...limits)).out).toBe('67108864\n50000 100000\n50\n');
		});

		it('where the host has controllers: else docker discards them and says so', async () => {
			const none = await readyHost({ faults: [{ name: 'no-cgroup-controllers' }] });
			const said = await none.inside('runc', 'true', '--memory=64m', '--pids-limit=20');
			expect(said.code).toBe(0);
			expect(said.err).toBe(
				'WARNING: Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.\nWARNING: Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.\n',
			);
			expect((await none.inside('runc', 'true', '--cpus=0.5')).err).toContain(
				'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
			);
		});
	});

	it('looks on the host as the recorded one did', async () => {
		await ways.run(['docker', 'run', '-d', '--name', 's1', '--runtime=sysbox-runc', 'busybox', 'sleep', '300']);
		const pid = (await ways.read(['docker', 'inspect', 's1', '--format', '{{.State.Pid}}'])).out.trim();
		expect(await ways.text(`/proc/${pid}/uid_map`)).toBe('         0     165536      65536\n');
		expect(await ways.text(`/proc/${pid}/status`)).toContain('Uid:\t165536\t165536');
		const link = async (path: string) => (await ways.read(['readlink', path])).out;
		for (const name of ['user', 'mnt', 'pid', 'net', 'uts', 'ipc', 'cgroup']) {
			expect(await link(`/proc/${pid}/ns/${name}`), name).not.toBe(await link(`/proc/1/ns/${name}`));
		}
		const second = (
			await ways.run(['docker', 'run', '-d', '--runtime=sysbox-runc', 'busybox', 'sleep', '300'])
		).out.trim();
		const other = (await ways.read(['docker', 'inspect', second, '-f', '{{.State.Pid}}'])).out.trim();
		expect(await ways.text(`/proc/${other}/uid_map`)).toBe(await ways.text(`/proc/${pid}/uid_map`));
		expect(await link(`/proc/${other}/ns/user`)).not.toBe(await link(`/proc/${pid}/ns/user`));
	});

	it('cannot be copied from or into with docker cp', async () => {
		expect(await ways.run(['docker', 'cp', '/etc/hostname', 's1:/x'])).toMatchObject({
			code: 1,
			err: 'Error response from daemon: Could not find the file / in container s1\n',
		});
	});

	it('says which program an image does not have', async () => {
		const said = await ways.run(['docker', 'run', '--rm', 'busybox', 'nosuch']);
		expect(said.code).toBe(127);
		expect(said.err).toContain('exec: "nosuch": executable file not found in $PATH');
		expect(await ways.run(['docker', 'exec', 's1', 'nosuch'])).toMatchObject({ code: 127 });
	});
});
