/**
 * The stand-in has the habits of the real Sysbox 0.7.0, as they were recorded:
 * what it emulates, what it leaves on the host, how containers die when it goes
 * down and what revives them. README.md says how a test makes each state.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const BUSYBOX = 'lab/busybox:1';
const ACTIVE = ['active', 'active', 'active'];
const FOLDERS = ['buildkit', 'containerd', 'docker', 'k0s', 'kubelet', 'rancher-k3s', 'rancher-rke2'];
const WHILE_DOWN =
	'processing seccomp fd caused: container_linux.go:2573: sending seccomp fd to sysbox-fs caused: Unable to establish connection with seccomp-tracer: dial unix /run/sysbox/sysfs-seccomp.sock: connect: connection refused';
const FROM_BEFORE =
	'get handle to /proc/thread-self/fd: unsafe procfs detected: openat2 fsmount:fscontext:proc/thread-self/fd/: operation not permitted';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

describe.skipIf(!lab.available)('the stand-in', () => {
	let host: LabHost;
	/** Of the container `sx`, made for each test. */
	let id: string;

	const sh = (script: string, timeoutMs = 60_000) => host.exec(['sh', '-c', script], { reject: false, timeoutMs });
	const inside = (script: string) => host.exec(['docker', 'exec', 'sx', 'sh', '-c', script], { reject: false });
	const run = () => sh(`docker run --rm --runtime=sysbox-runc ${BUSYBOX} echo it ran`);
	const states = async () => (await sh('systemctl is-active sysbox sysbox-mgr sysbox-fs')).stdout.trim().split('\n');
	const settled = (...expected: string[]) => expect.poll(states, { timeout: 10_000 }).toEqual(expected);
	const start = async () => {
		// The tests start it more often than systemd's limit allows.
		await host.exec(['systemctl', 'reset-failed', 'sysbox']);
		await host.exec(['systemctl', 'start', 'sysbox']);
		expect(await states()).toEqual(ACTIVE);
	};
	/** Writes to the inner store and to the root file system of `sx`. */
	const fill = () => inside('echo kept >/var/lib/docker/f; echo root >/etc/f');
	const deadMount = async () => /not connected/.test((await sh(`stat /var/lib/sysboxfs/${id}`)).stderr);

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'stand-in' });
		await host.loadImages('busybox', 'ci-images');
		const network = { bip: '172.30.0.1/16', 'default-address-pools': [{ base: '172.31.0.0/16', size: 24 }] };
		await host.writeFile('/etc/docker/daemon.json', `${JSON.stringify(network, null, 2)}\n`);
		const { path } = await host.putPackage();
		await host.exec(['apt-get', 'install', '-y', path], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
	}, 16 * 60_000);

	afterAll(async () => {
		await host?.remove();
	});

	beforeEach(async () => {
		if ((await states()).join() !== ACTIVE.join()) await start();
		await sh(
			'docker rm -f sx; for mount in $(grep -o "/var/lib/sysboxfs/[^ ]*" /proc/self/mountinfo); do umount -l $mount; done',
		);
		const made = await sh(`docker run -d --name sx --stop-signal SIGKILL --runtime=sysbox-runc ${BUSYBOX} sleep 6000`);
		expect(made.stderr).toBe('');
		id = made.stdout.trim();
	});

	it('emulates the places that sysbox-fs emulates', async () => {
		const { stdout } = await inside('grep -o "[^ ]* rw,nosuid,nodev,relatime - fuse sysboxfs" /proc/self/mountinfo');
		expect(stdout.split('\n').map(line => line.split(' ')[0])).toEqual([
			'/proc/sys',
			'/proc/swaps',
			'/proc/uptime',
			'/sys/kernel',
			'/sys/devices/virtual',
			...((await sh('test -d /sys/module/nf_conntrack/parameters')).code === 0
				? ['/sys/module/nf_conntrack/parameters']
				: []),
			'',
		]);
		expect((await inside('cat /sys/class/net/eth0/address; hostname')).stdout).toMatch(
			new RegExp(`^02:42:.*\\n${id.slice(0, 12)}\\n$`),
		);
		expect(Number.parseFloat((await inside('cat /proc/uptime')).stdout)).toBeLessThan(60);
	});

	it('cuts what is read byte by byte after one byte on a handle, and answers a fresh one at any offset', async () => {
		for (const file of ['/proc/sys/kernel/osrelease', '/proc/sys/kernel/core_pattern', '/sys/class/net/eth0/mtu']) {
			const whole = (await inside(`cat ${file}`)).stdout;
			expect(whole.length).toBeGreaterThan(2);
			expect((await inside(`dd if=${file} bs=1`)).stdout).toBe(whole[0]);
			expect((await inside(`IFS= read -r value <${file}; echo "$value"`)).stdout).toBe(`${whole[0]}\n`);
			expect((await inside(`dd if=${file} bs=1 skip=1 count=1`)).stdout).toBe(whole[1]);
			expect((await inside(`stat -c %s ${file}`)).stdout).toBe('4096\n');
		}
		// As recorded: nothing at all of this one, and all of what is passed on.
		expect((await inside('dd if=/proc/uptime bs=1')).stdout).toBe('');
		const passed = '/sys/kernel/uevent_seqnum';
		expect((await inside(`dd if=${passed} bs=1`)).stdout.length).toBeGreaterThan(1);
	});

	it('lets no write through but to the settings of the container’s network', async () => {
		// Opened for appending and closed: nothing is written, whatever opens.
		const opens = (tree: string) =>
			inside(`find ${tree} -type f | while read -r file; do (: >>"$file") 2>/dev/null && echo "$file"; done`);
		const settings = await opens('/proc/sys -path /proc/sys/net -prune -o');
		const own = settings.stdout.trim().split('\n');
		expect(own).toContain('/proc/sys/kernel/panic');
		expect(own.filter(file => /core_pattern|swappiness|modprobe|sysrq|randomize_va|binfmt/.test(file))).toEqual([]);
		expect(own.length).toBeLessThanOrEqual(20);
		expect((await opens('/sys/kernel /sys/devices/virtual /sys/module/nf_conntrack')).stdout).toBe('');

		// The value that is there already, everywhere.
		const same = (file: string) => inside(`value=$(cat ${file}); echo "$value" >${file}`);
		const refused = await same('/proc/sys/kernel/core_pattern');
		expect(refused.code).toBe(1);
		expect(refused.stderr).toMatch(/can't create \/proc\/sys\/kernel\/core_pattern: Permission denied/);
		expect((await same('/proc/sys/kernel/panic')).code).toBe(0);
		expect((await same('/proc/sys/net/ipv4/ip_forward')).code).toBe(0);

		// From the host's own network namespace not even that.
		const forwarding = `/var/lib/sysboxfs/${id}/proc/sys/net/ipv4/ip_forward`;
		const outside = await sh(`value=$(cat ${forwarding}); echo "$value" >${forwarding}`);
		expect(outside.stderr).toMatch(/Permission denied/);
	});

	it('makes a mount and seven folders for a container and takes them away', async () => {
		const directories = () => sh(`ls -d /var/lib/sysbox/*/${id} | cut -d/ -f5`);
		expect((await directories()).stdout.trim().split('\n')).toEqual(FOLDERS);
		expect((await sh('ls /var/lib/sysboxfs; ls -A /var/lib/sysbox/*/*/')).stdout.startsWith(`${id}\n`)).toBe(true);
		expect((await sh(`find /var/lib/sysbox -path '*${id}/*'`)).stdout).toBe('');
		expect((await sh(`grep " /var/lib/sysboxfs/${id} " /proc/self/mountinfo`)).stdout).toMatch(
			/ - fuse sysboxfs rw,user_id=0,group_id=0,default_permissions,allow_other$/m,
		);
		await fill();
		expect((await sh(`ls /var/lib/sysbox/docker/${id}`)).stdout).toBe('f\n');

		await host.exec(['docker', 'stop', 'sx']);
		expect((await directories()).stdout.trim().split('\n')).toEqual(FOLDERS);
		expect((await sh('ls /var/lib/sysboxfs')).stdout).toBe('');
		await host.exec(['docker', 'rm', 'sx']);
		await expect.poll(async () => (await directories()).stdout, { timeout: 10_000 }).toBe('');
	});

	it('gives a container with a volume there no folder for the inner store', async () => {
		const made = await sh(
			`docker run -d --rm --stop-signal SIGKILL -v store:/var/lib/docker --runtime=sysbox-runc ${BUSYBOX} sleep 6000`,
		);
		expect((await sh(`ls -d /var/lib/sysbox/*/${made.stdout.trim()} | cut -d/ -f5`)).stdout.trim().split('\n')).toEqual(
			FOLDERS.filter(name => name !== 'docker'),
		);
		await host.exec(['docker', 'rm', '-f', made.stdout.trim()]);
	});

	it('after an orderly stop: dead until stopped and started, store kept', async () => {
		await fill();
		await host.exec(['systemctl', 'stop', 'sysbox']);
		const down = await inside('true');
		expect(down.code).toBe(126);
		expect(down.stdout + down.stderr).toContain(WHILE_DOWN);
		await settled('inactive', 'inactive', 'inactive');
		const refused = await run();
		expect(refused.code).toBe(125);
		expect(refused.stderr).toContain(
			'failed to register with sysbox-mgr: failed to invoke Register via grpc: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/sysbox/sysmgr.sock: connect: connection refused"',
		);
		expect((await sh('ls /var/lib/sysboxfs')).stdout).toBe('');

		await start();
		const dead = await inside('true');
		expect(dead.code).toBe(126);
		expect(dead.stdout + dead.stderr).toContain(FROM_BEFORE);
		expect((await sh('docker ps --format "{{.Names}} {{.Status}}"')).stdout).toMatch(/^sx Up /m);
		expect((await run()).stdout).toBe('it ran\n');

		await host.exec(['docker', 'stop', 'sx']);
		await host.exec(['docker', 'start', 'sx']);
		expect((await inside('cat /var/lib/docker/f /etc/f')).stdout).toBe('kept\nroot\n');
	});

	it('a container that was stopped before starts again with its store', async () => {
		await fill();
		await host.exec(['docker', 'stop', 'sx']);
		await sh('kill -9 $(pidof sysbox-mgr) $(pidof sysbox-fs)');
		await settled('inactive', 'failed', 'failed');
		await start();
		await host.exec(['docker', 'start', 'sx']);
		expect((await inside('cat /var/lib/docker/f')).stdout).toBe('kept\n');
	});

	it('docker restart fails first, and the second start has no store', async () => {
		await fill();
		await host.exec(['systemctl', 'restart', 'sysbox']);
		const restarted = await sh('docker restart sx');
		expect(restarted.code).toBe(1);
		expect(restarted.stderr).toMatch(
			/Cannot restart container sx: .* failed to mkdirall \/var\/lib\/docker\/overlay2\/\w+\/merged\/var\/lib\/kubelet: mkdir .*: no such file or directory/,
		);
		expect((await sh('docker ps -a --format "{{.Names}} {{.Status}}"')).stdout).toMatch(/^sx Exited \(127\)/m);
		await host.exec(['docker', 'start', 'sx']);
		expect((await inside('cat /etc/f; ls /var/lib/docker')).stdout).toBe('root\n');
	});

	it('after a kill of sysbox-fs: a dead mount, until it is unmounted nothing starts, store kept', async () => {
		await fill();
		await sh('kill -9 $(pidof sysbox-fs)');
		await settled('inactive', 'inactive', 'failed');
		expect(await deadMount()).toBe(true);
		expect((await sh('df')).stderr).toContain(`df: /var/lib/sysboxfs/${id}: Transport endpoint is not connected`);

		await start();
		expect(await deadMount()).toBe(true);
		await host.exec(['docker', 'stop', 'sx']);
		await host.exec(['umount', '-l', `/var/lib/sysboxfs/${id}`]);
		await host.exec(['docker', 'start', 'sx']);
		expect((await inside('cat /var/lib/docker/f')).stdout).toBe('kept\n');

		await sh('kill -9 $(pidof sysbox-fs)');
		await settled('inactive', 'inactive', 'failed');
		await start();
		await host.exec(['docker', 'stop', 'sx']);
		const refused = await sh('docker start sx');
		expect(refused.code).toBe(1);
		expect(refused.stderr).toContain(
			`failed to pre-register with sysbox-fs: failed to pre-register container with sysbox-fs: rpc error: code = Internal desc = Initialization error for container-id ${id}`,
		);
		expect((await sh('docker start sx')).stderr).toContain(
			`code = AlreadyExists desc = Container ${id} already pre-registered`,
		);
		await host.exec(['docker', 'rm', 'sx']);
		expect(await deadMount()).toBe(true);
	});

	it('after a kill of sysbox-mgr the inner store is lost', async () => {
		await fill();
		await sh('kill -9 $(pidof sysbox-mgr)');
		await settled('inactive', 'failed', 'inactive');
		await start();
		await host.exec(['docker', 'stop', 'sx']);
		await host.exec(['docker', 'start', 'sx']);
		expect((await inside('cat /etc/f; ls /var/lib/docker')).stdout).toBe('root\n');
	});

	it('misses the start of sysbox-fs as often as asked', async () => {
		await host.exec(['systemctl', 'stop', 'sysbox']);
		await settled('inactive', 'inactive', 'inactive');
		await host.writeFile('/etc/sysbox-stand-in/fs-misses', '2\n');
		for (let miss = 0; miss < 2; miss++) {
			const missed = await sh('systemctl start sysbox');
			expect(missed.code).toBe(1);
			expect(missed.stderr).toBe("A dependency job for sysbox.service failed. See 'journalctl -xe' for details.\n");
			expect(await states()).toEqual(['inactive', 'active', 'failed']);
			expect((await sh('systemctl show -P Result sysbox-fs')).stdout).toBe('timeout\n');
		}
		const refused = await run();
		expect(refused.code).toBe(125);
		expect(refused.stderr).toContain('failed to get config from sysbox-fs: failed to get sysbox-fs mountpoint');
		await start();
		expect((await run()).stdout).toBe('it ran\n');
	});

	it('can hang with all units active', async () => {
		await host.writeFile('/etc/sysbox-stand-in/patience', '2\n');
		await sh('kill -STOP $(pidof sysbox-fs)');
		expect(await states()).toEqual(ACTIVE);
		expect((await sh(`timeout -s KILL 2 stat -f /var/lib/sysboxfs/${id}`)).code).toBe(137);
		expect((await sh('timeout 2 docker exec sx true')).code).toBe(124);
		const refused = await run();
		expect(refused.code).toBe(125);
		expect(refused.stderr).toContain(
			'failed to get config from sysbox-fs: failed to get sysbox-fs mountpoint: rpc error: code = DeadlineExceeded desc = context deadline exceeded while waiting for connections to become ready',
		);
		expect((await sh(`docker run --rm ${BUSYBOX} echo plain ran`)).stdout).toBe('plain ran\n');
		await sh('kill -CONT $(pidof sysbox-fs)');
		expect((await inside('cat /proc/uptime')).code).toBe(0);

		await sh('kill -STOP $(pidof sysbox-mgr)');
		expect(await states()).toEqual(ACTIVE);
		expect((await inside('true')).code).toBe(0);
		expect((await run()).stderr).toContain(
			'error reading server preface: read unix @->/run/sysbox/sysmgr.sock: use of closed network connection',
		);
		await sh('kill -CONT $(pidof sysbox-mgr)');
		expect((await run()).stdout).toBe('it ran\n');
	});
});
