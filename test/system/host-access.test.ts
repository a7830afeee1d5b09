import { describe, expect, it } from 'vitest';
import { type Container, parseContainers } from '../../src/docker/container.ts';
import { hostAccess, hostAccessUnder, mountAccess, normalPath } from '../../src/docker/host-access.ts';

function container(
	host: Record<string, unknown>,
	mounts: readonly { readonly source: string; readonly type?: string; readonly rw?: boolean }[] = [],
): Container {
	const json = [
		{
			Id: 'aa',
			State: {},
			HostConfig: host,
			Mounts: mounts.map(m => ({ Type: m.type ?? 'bind', Source: m.source, Destination: '/x', RW: m.rw ?? true })),
		},
	];
	const reading = parseContainers(JSON.stringify(json));
	const [first] = reading.kind === 'ok' ? reading.value : [];
	if (first === undefined) throw new Error('the test made no container');
	return first;
}

const kinds = (c: Container): readonly string[] => hostAccess(c).map(a => a.what);

describe('what a container reaches of its host', () => {
	it('is nothing for a plain one', () => {
		expect(
			hostAccess(container({ NetworkMode: 'bridge', CapAdd: ['CHOWN'], SecurityOpt: ['no-new-privileges'] })),
		).toEqual([]);
	});

	it.each([
		[{ Privileged: true }, 'privileged'],
		[{ PidMode: 'host' }, 'host-pid'],
		[{ NetworkMode: 'host' }, 'host-network'],
		[{ IpcMode: 'host' }, 'host-ipc'],
		[{ UTSMode: 'host' }, 'host-uts'],
		[{ CapAdd: ['CAP_SYS_ADMIN'] }, 'capability'],
		[{ CapAdd: ['ALL'] }, 'capability'],
		[{ SecurityOpt: ['seccomp=unconfined'] }, 'unconfined'],
		[{ SecurityOpt: ['apparmor:unconfined'] }, 'unconfined'],
		[{ SecurityOpt: ['label=disable'] }, 'unconfined'],
		[{ CapAdd: ['SYS_RESOURCE'] }, 'capability'],
		[{ CapAdd: ['CAP_CHECKPOINT_RESTORE'] }, 'capability'],
		[{ Devices: [{ PathOnHost: '/dev/sda' }] }, 'device'],
		[{ DeviceCgroupRules: ['a *:* rwm'] }, 'device'],
	])('%o is %s', (host, what) => {
		expect(kinds(container(host))).toEqual([what]);
	});

	it.each([
		[{ Privileged: true }, ['privileged']],
		[{ PidMode: 'host' }, ['host-pid']],
		[{ IpcMode: 'host' }, ['host-ipc']],
	])('does not tell of the label=disable that Docker itself sets beside %o', (host, what) => {
		expect(kinds(container({ ...host, SecurityOpt: ['label=disable'] }))).toEqual(what);
	});

	it.each([
		['/var/run/docker.sock', 'docker-sock'],
		['/run/docker.sock', 'docker-sock'],
		['/run/user/1000/docker.sock', 'docker-sock'],
		['/run/podman/podman.sock', 'docker-sock'],
		['/var/run', 'docker-sock'],
		['/run', 'docker-sock'],
		['/run/', 'docker-sock'],
		['/run/user/1000', 'docker-sock'],
		['/run/containerd/containerd.sock', 'containerd-sock'],
		['/run/containerd', 'containerd-sock'],
		['/run/dbus/system_bus_socket', 'host-config-mount'],
		['/run/systemd/private', 'host-config-mount'],
		['/home/anna', 'host-mount'],
		['/opt', 'host-mount'],
		['/', 'host-root-mount'],
		['/srv/..', 'host-root-mount'],
		['/var/lib/docker', 'docker-data-mount'],
		['/var/lib/docker/overlay2/abc', 'docker-data-mount'],
		['/var', 'docker-data-mount'],
		['/var/lib', 'docker-data-mount'],
		['/etc', 'host-config-mount'],
		['/etc/shadow', 'host-config-mount'],
		['/root/.ssh', 'host-config-mount'],
		['/usr/bin/docker', 'host-config-mount'],
		['/proc', 'host-kernel-mount'],
		['/sys/fs/cgroup', 'host-kernel-mount'],
		['/dev', 'host-kernel-mount'],
		['/home', 'host-mount'],
	])('a bind of %s is %s', (source, what) => {
		expect(kinds(container({}, [{ source }]))).toEqual([what]);
	});

	it.each([
		'/srv/ci/cache',
		'/home/anna/project',
		'/etc/localtime',
		'/etc/ssl/certs/ca.pem',
		'/var/lib/docker/volumes/cache/_data',
		'/dev/null',
		'/opt/cache',
		'/home/anna/build',
		'/run/systemd/resolve/resolv.conf',
	])('a bind of %s is nothing', source => {
		expect(kinds(container({}, [{ source }]))).toEqual([]);
	});

	it('counts a read-only socket too, as connecting is no write', () => {
		expect(hostAccess(container({}, [{ source: '/var/run/docker.sock', rw: false }]))[0]?.detail).toBe(
			'/var/run/docker.sock is mounted at /x, read-only',
		);
	});

	it('does not count named volumes', () => {
		expect(kinds(container({}, [{ source: '/var/lib/docker/volumes/cache/_data', type: 'volume' }]))).toEqual([]);
	});

	it("follows Docker's data to another folder", () => {
		expect(mountAccess('/srv/docker/overlay2', '/x', false, '/srv/docker').map(a => a.what)).toEqual([
			'docker-data-mount',
		]);
		expect(mountAccess('/srv/docker/volumes/cache/_data', '/x', false, '/srv/docker')).toEqual([]);
	});
});

describe('under Sysbox', () => {
	const c = {
		...container({ Privileged: true, PidMode: 'host' }, [{ source: '/var/run/docker.sock' }]),
		runtime: 'sysbox-runc',
	};

	it('privileges are held back, and mounts are not', () => {
		expect(hostAccessUnder(c, ['sysbox-runc']).map(a => a.what)).toEqual(['docker-sock']);
		expect(hostAccessUnder(c, []).map(a => a.what)).toEqual(['privileged', 'host-pid', 'docker-sock']);
	});
});

describe('a path', () => {
	it.each([
		['/var/run/docker.sock', '/run/docker.sock'],
		['//var//run/', '/run'],
		['/a/./b/../c/', '/a/c'],
		['/..', '/'],
		['/var/runner', '/var/runner'],
	])('%s is %s', (path, normal) => {
		expect(normalPath(path)).toBe(normal);
	});
});
