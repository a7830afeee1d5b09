import { beforeEach, describe, expect, it } from 'vitest';
import { hostOf, readyHost } from './support.ts';

/** Of sysbox, sysbox-mgr and sysbox-fs. */
const active = ({ host }: ReturnType<typeof readyHost>) =>
	['sysbox', 'sysbox-mgr', 'sysbox-fs'].map(name => host.state().units[`${name}.service`]?.active).join(' ');
const states = [
	'systemctl',
	'show',
	'sysbox',
	'sysbox-mgr',
	'sysbox-fs',
	'-p',
	'Id,ActiveState,SubState,Result',
] as const;

describe('the units of Sysbox', () => {
	it('are not there before the package is', async () => {
		const ways = hostOf('fresh-debian');
		expect(
			await ways.read([
				'systemctl',
				'show',
				'sysbox.service',
				'-p',
				'LoadState,ActiveState,SubState,UnitFileState,Result',
			]),
		).toEqual({
			code: 0,
			err: '',
			out: 'Result=success\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n',
		});
	});

	describe('on a host that is set up', () => {
		let ways: Awaited<ReturnType<typeof readyHost>>;
		beforeEach(async () => {
			ways = await readyHost();
		});

		it('tell their properties in the order of systemd', async () => {
			const { out } = await ways.read([
				'systemctl',
				'show',
				'sysbox',
				'-p',
				'FragmentPath,Id,BindsTo,ActiveState,Type,UnitFileState',
			]);
			expect(out).toBe(
				'Type=exec\nId=sysbox.service\nBindsTo=sysbox-mgr.service sysbox-fs.service\nActiveState=active\nFragmentPath=/usr/lib/systemd/system/sysbox.service\nUnitFileState=enabled\n',
			);
		});

		it.each(['sysbox', 'sysbox-mgr', 'sysbox-fs'])(
			'all stop when %s is stopped, and containers cannot be created',
			async unit => {
				await ways.run(['systemctl', 'stop', unit]);
				expect(active(ways)).toBe('inactive inactive inactive');
				const said = await ways.inside('sysbox', ['true']);
				expect(said.code).toBe(125);
				expect(said.err).toContain(
					'failed to register with sysbox-mgr: failed to invoke Register via grpc: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/sysbox/sysmgr.sock: connect: connection refused": unknown',
				);
			},
		);

		it('leave containers that look well and are not', async () => {
			await ways.run([
				'docker',
				'run',
				'-d',
				'--name',
				'keep',
				'--restart=always',
				'--runtime=sysbox-runc',
				'--entrypoint=sleep',
				'docker:29-dind',
				'1000',
			]);
			await ways.run(['systemctl', 'stop', 'sysbox-mgr']);
			expect((await ways.read(['docker', 'inspect', '-f', '{{.State.Running}}', 'keep'])).out).toBe('true\n');
			expect(await ways.run(['docker', 'exec', 'keep', 'true'])).toMatchObject({
				code: 126,
				out: expect.stringContaining(
					'dial unix /run/sysbox/sysfs-seccomp.sock: connect: connection refused: unknown\r\n',
				),
			});
			await ways.run(['systemctl', 'start', 'sysbox']);
			expect(await ways.run(['docker', 'exec', 'keep', 'true'])).toMatchObject({
				code: 126,
				out: expect.stringContaining('unsafe procfs detected'),
			});
			await ways.run(['docker', 'rm', '-f', 'keep']);
			expect((await ways.inside('sysbox', ['true'])).code).toBe(0);
		});

		it.each([
			[
				'sysbox-fs',
				'Result=success\nId=sysbox-mgr.service\nActiveState=inactive\nSubState=dead',
				'Result=signal\nId=sysbox-fs.service\nActiveState=failed\nSubState=failed',
			],
			[
				'sysbox-mgr',
				'Result=signal\nId=sysbox-mgr.service\nActiveState=failed\nSubState=failed',
				'Result=success\nId=sysbox-fs.service\nActiveState=inactive\nSubState=dead',
			],
		])('fall together when %s is killed', async (unit, manager, fileSystem) => {
			const pid = (await ways.read(['systemctl', 'show', unit, '-p', 'MainPID', '--value'])).out.trim();
			await ways.run(['kill', '-9', pid]);
			const { out } = await ways.read([...states]);
			expect(out).toBe(
				`Result=success\nId=sysbox.service\nActiveState=inactive\nSubState=dead\n\n${manager}\n\n${fileSystem}\n`,
			);
			expect((await ways.run(['systemctl', 'start', 'sysbox'])).code).toBe(0);
		});

		it('write what the real ones write into the journal', async () => {
			await ways.run(['systemctl', 'restart', 'sysbox']);
			const { out } = await ways.read(['journalctl', '-u', 'sysbox-mgr', '-n', '16', '--no-pager']);
			for (const text of [
				'Shiftfs module found in kernel: no',
				'ID-mapped mounts supported by kernel: yes',
				'Overlayfs on ID-mapped mounts supported by kernel: yes',
				'Operating in system container mode.',
				'Listening on /run/sysbox/sysmgr.sock',
				'Ready ...',
			]) {
				expect(out).toContain(`level=info msg="${text}"`);
			}
			expect(out).toMatch(/^Nov 24 09:1\d:\d\d ci-07 sysbox-mgr\[\d+\]: time="2026-11-24 09:1/m);
			expect((await ways.read(['journalctl', '-u', 'sysbox', '-o', 'cat', '--no-pager'])).out).toContain(
				'        version:         0.7.1\n',
			);
		});

		it('are what the programs say they are', async () => {
			expect((await ways.read(['sysbox-runc', '--version'])).out).toMatch(
				/^sysbox-runc\n\tedition: \tCommunity Edition \(CE\)\n\tversion: \t0\.7\.1\n\tcommit: \t[0-9a-f]{40}\n\tbuilt at: \t.*\n\tbuilt by: \t.*\n\toci-specs: \t1\.1\.0\+dev\n$/,
			);
			expect((await ways.read(['sysbox-mgr', '--version'])).out).not.toContain('oci-specs');
			const features = JSON.parse((await ways.read(['sysbox-runc', 'features'])).out) as {
				linux: { namespaces: string[] };
			};
			expect(features.linux.namespaces).toContain('time');
		});
	});

	it('do not start when sysbox-fs misses its ten seconds, and do at the second try', async () => {
		const ways = await readyHost({ faults: [{ name: 'sysbox-fs-start-timeout', times: 1 }] });
		const before = ways.host.clock.now();
		expect(await ways.run(['systemctl', 'restart', 'sysbox'])).toEqual({
			code: 1,
			out: '',
			err: "A dependency job for sysbox.service failed. See 'journalctl -xe' for details.\n",
		});
		expect(ways.host.clock.now() - before).toBeGreaterThan(10_000);
		expect(active(ways)).toBe('inactive active failed');
		expect((await ways.inside('sysbox', ['true'])).err).toContain(
			'failed to get config from sysbox-fs: failed to get sysbox-fs mountpoint',
		);
		expect((await ways.run(['systemctl', 'start', 'sysbox'])).code).toBe(0);
		expect(active(ways)).toBe('active active active');
	});

	it('need rsync', async () => {
		const ways = await readyHost();
		ways.host.disturb(({ files }) => {
			delete files['/usr/bin/rsync'];
		});
		expect((await ways.run(['systemctl', 'restart', 'sysbox'])).code).toBe(1);
		expect((await ways.read(['journalctl', '-u', 'sysbox-mgr', '-n', '6', '-o', 'cat', '--no-pager'])).out).toContain(
			'level=fatal msg="failed to create sysbox-mgr: preflight check failed: rsync is not installed on host."',
		);
	});

	describe('meet the known obstacles', () => {
		it('a Docker with time namespaces, before 0.7.1', async () => {
			const ways = hostOf('docker-29-time-namespace');
			expect(
				await ways.run(['docker', 'run', '--rm', '--runtime=sysbox-runc', 'docker:29-dind', 'true']),
			).toMatchObject({ code: 125, err: expect.stringContaining('namespace {"time" ""} does not exist: unknown') });
		});

		it('the AppArmor profile of fusermount3, until it allows the mount', async () => {
			const ways = hostOf('fusermount3-apparmor');
			const attempt = () => ways.run(['docker', 'run', '--rm', '--runtime=sysbox-runc', 'docker:29-dind', 'true']);
			expect((await attempt()).err).toContain('code = Internal desc = Initialization error for container-id');
			ways.write(
				'/etc/apparmor.d/local/fusermount3',
				'mount fstype=@{fuse_types} options=(nosuid,nodev) options in (ro,rw,noatime,dirsync,nodiratime,noexec,sync) -> /var/lib/sysboxfs/**/,\numount /var/lib/sysboxfs/**/,\n',
			);
			expect((await attempt()).code).toBe(125);
			expect((await ways.run(['apparmor_parser', '-r', '/etc/apparmor.d/fusermount3'])).code).toBe(0);
			expect((await attempt()).code).toBe(0);
		});

		it('a current engine inside of a Sysbox before 0.7.0', async () => {
			const ways = hostOf('outdated-sysbox');
			await ways.run(['docker', 'pull', 'docker:29-dind']);
			await ways.run(['docker', 'run', '-d', '--name', 'ind', '--runtime=sysbox-runc', 'docker:29-dind']);
			await ways.host.clock.sleep(5000);
			const build = ['--host=unix:///var/run/docker.sock', 'build', '--tag', 'localhost:5000/sysbox-setup/built', '-'];
			expect(await ways.run(['docker', 'exec', 'ind', 'docker', ...build])).toMatchObject({
				code: 1,
				err: expect.stringContaining('unsafe procfs detected: openat2 /proc/./sys/net/ipv4/ip_unprivileged_port_start'),
			});
		});

		it('a kernel that is too old', async () => {
			const ways = hostOf('old-kernel');
			ways.write('/usr/bin/sysbox-runc', 'x');
			ways.host.disturb(({ files, docker }) => {
				const node = files['/usr/bin/sysbox-runc'];
				if (node?.kind === 'file') node.mode = 0o755;
				docker.engine.config.runtimes['sysbox-runc'] = { path: '/usr/bin/sysbox-runc' };
			});
			const said = await ways.run(['docker', 'run', '--rm', '--runtime=sysbox-runc', 'postgres:17', 'true']);
			expect(said.err).toMatch(/kernel version check failed: \w+ kernel release \S+ is not supported; need >= 5\.\d/);
		});
	});
});
