import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/simulation/faults.ts';
import { hostOf, shortWays } from './support.ts';

const deb = '/root/sysbox-ce_0.7.1-0.linux_amd64.deb';
const file = '/etc/docker/daemon.json';
const install = ['apt-get', 'install', '-y', '-o', 'DPkg::Lock::Timeout=60', deb] as const;

/** The host of `no-internet`, where the package lies on the disk and all tools are there. */
const withPackage = (faults: Fault[] = []) => hostOf('no-internet', { faults });

const spaceIndented =
	'{\n    "bip": "172.17.0.1/16",\n    "default-address-pools": [\n        { "base": "172.18.0.0/16", "size": 20 }\n    ],\n    "live-restore": true\n}\n';

describe('apt and dpkg of the simulated host', () => {
	it('tell what they would do, without doing it', async () => {
		const ways = hostOf('fresh-ubuntu');
		const said = await ways.read(['apt-get', '-s', 'install', '--no-install-recommends', 'fuse3', 'jq']);
		expect(said.code).toBe(0);
		expect(said.out).toMatch(/^Inst libfuse3-3 \(3\.14\.0-5build1 Ubuntu:24\.04\/noble \[amd64\]\)$/m);
		expect(said.out).toMatch(/^Inst jq \(/m);
		expect((await ways.host.stat('/usr/bin/jq')).kind).toBe('missing');
	});

	it('install and purge', async () => {
		const ways = hostOf('fresh-ubuntu');
		expect((await ways.run(['apt-get', 'install', '-y', 'fuse3'])).code).toBe(0);
		expect((await ways.host.stat('/usr/bin/fusermount3')).kind).toBe('found');
		const query = [
			'dpkg-query',
			'-W',
			'-f',
			// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format language
			'${Package} ${Version} ${db:Status-Abbrev}\\n',
			'fuse3',
			'nosuch',
		] as const;
		expect(await ways.read([...query])).toEqual({
			code: 1,
			out: 'fuse3 3.14.0-5build1 ii \n',
			err: 'dpkg-query: no packages found matching nosuch\n',
		});
		expect((await ways.run(['apt-get', 'purge', '-y', 'fuse3'])).code).toBe(0);
		expect((await ways.host.stat('/usr/bin/fusermount3')).kind).toBe('missing');
	});

	it('would pull the wrong fuse along with Sysbox where there is none', async () => {
		const ways = hostOf('fresh-ubuntu');
		const said = await ways.read([
			'apt-get',
			'satisfy',
			'--simulate',
			'--no-install-recommends',
			'debconf, fuse, iptables, jq, lsb-release, rsync',
		]);
		expect(said.out).toMatch(/^Inst fuse \(2\.9/m);
		await ways.run(['apt-get', 'install', '-y', 'fuse3']);
		expect((await ways.read(['apt-get', 'satisfy', '--simulate', 'fuse'])).out).not.toContain('Inst');
	});

	it('say why they cannot', async () => {
		const ways = hostOf('fresh-ubuntu');
		expect(await ways.run(['apt-get', 'install', '-y', 'nosuch'])).toMatchObject({
			code: 100,
			err: 'E: Unable to locate package nosuch\n',
		});
		const offline = hostOf('no-internet');
		expect((await offline.run(['apt-get', 'install', '-y', 'linux-headers-generic'])).err).toContain(
			'Temporary failure resolving',
		);
		const locked = withPackage([{ name: 'apt-locked', times: 1 }]);
		expect(await locked.run(['apt-get', 'install', '-y', deb])).toMatchObject({
			code: 100,
			err: expect.stringContaining('E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711'),
		});
		const other = hostOf('fresh-ubuntu', { faults: [{ name: 'not-root' }] });
		expect((await other.run(['apt-get', 'install', '-y', 'jq'])).err).toContain('are you root?');
	});

	it('wait for the lock when they are told to', async () => {
		const ways = withPackage([{ name: 'apt-locked', times: 2 }]);
		ways.write(file, spaceIndented);
		const said = await ways.run([...install]);
		expect(said.code).toBe(0);
		expect(said.out).toContain('Waiting for cache lock');
	});

	it('read the fields of a package file', async () => {
		const ways = withPackage();
		expect((await ways.read(['dpkg-deb', '--field', deb, 'Package', 'Version', 'Architecture'])).out).toBe(
			'Package: sysbox-ce\nVersion: 0.7.1.linux\nArchitecture: amd64\n',
		);
		expect(await ways.read(['dpkg-deb', '-f', '/etc/hostname', 'Package'])).toMatchObject({
			code: 2,
			err: "dpkg-deb: error: '/etc/hostname' is not a Debian format archive\n",
		});
	});

	it('order versions as dpkg does', async () => {
		const ways = hostOf('fresh-ubuntu');
		const holds = async (a: string, operator: string, b: string) =>
			(await ways.read(['dpkg', '--compare-versions', a, operator, b])).code === 0;
		expect(await holds('0.7.1.linux', 'gt', '0.7.0.linux')).toBe(true);
		expect(await holds('0.10.0', 'gt', '0.9.9')).toBe(true);
		expect(await holds('1.0~rc1', 'lt', '1.0')).toBe(true);
	});
});

describe('the package of Sysbox', () => {
	it('refuses while there are containers and keys are missing, and goes on after they are there', async () => {
		const ways = withPackage();
		const said = await ways.run([...install]);
		expect(said.code).toBe(100);
		expect(said.out).toContain(
			'The Sysbox installer requires a docker service restart to configure network parameters',
		);
		expect((await ways.read(['dpkg', '--audit'])).out).toContain('sysbox-ce');
		ways.write(file, spaceIndented);
		expect((await ways.run(['dpkg', '--configure', '-a'])).code).toBe(0);
		for (const name of ['sysbox', 'sysbox-mgr', 'sysbox-fs'])
			expect(ways.host.state().units[`${name}.service`]?.active).toBe('active');
	});

	it('takes the place of an unfinished one', async () => {
		const ways = withPackage();
		expect((await ways.run([...install])).code).toBe(100);
		ways.write(file, spaceIndented);
		expect(await ways.run(['dpkg', '--install', '--force-confold', deb])).toMatchObject({ code: 0, err: '' });
		expect((await ways.read(['dpkg', '--audit'])).out).toBe('');
		expect(await ways.run(['dpkg', '--install', '--force-confold', '/root/no.deb'])).toMatchObject({ code: 2 });
	});

	it('does not see keys that are indented with tabs', async () => {
		const ways = withPackage();
		ways.write(file, spaceIndented.replaceAll('    ', '\t'));
		expect((await ways.run([...install])).code).toBe(100);
	});

	it('believes that ten containers are none', async () => {
		const ways = withPackage();
		for (let n = 0; n < 5; n += 1) await ways.run(['docker', 'run', '-d', 'postgres:17']);
		expect((await ways.read(['docker', 'ps', '-aq'])).out.trim().split('\n')).toHaveLength(10);
		expect((await ways.run([...install])).code).toBe(0);
	});

	it('adds what is missing, with its own indent, and tells Docker when only the runtime is new', async () => {
		const ways = withPackage();
		ways.write(file, spaceIndented);
		await ways.run([...install]);
		expect(JSON.parse((await ways.text(file)) ?? '')).toEqual({
			...(JSON.parse(spaceIndented) as object),
			runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
		});
		expect(await ways.text(file)).toContain('\n    "runtimes": {\n        "sysbox-runc": {');
		expect((await ways.read(['docker', 'info', '--format', '{{json .Runtimes}}'])).out).toContain('sysbox-runc');
		expect((await ways.read(['docker', 'ps', '-q'])).out.trim().split('\n')).toHaveLength(5);
	});

	it('restarts Docker for its network keys when there are no containers', async () => {
		const ways = withPackage();
		const ids = (await ways.read(['docker', 'ps', '-aq'])).out.trim().split('\n');
		await ways.run(['docker', 'rm', '-f', ...ids]);
		expect((await ways.run([...install])).code).toBe(0);
		expect(JSON.parse((await ways.text(file)) ?? '')).toMatchObject({
			bip: '172.20.0.1/16',
			'default-address-pools': [{ base: '172.25.0.0/16', size: 24 }],
		});
		expect(ways.host.state().docker.engine.networks.find(n => n.name === 'bridge')?.subnet).toBe('172.20.0.0/16');
	});

	it('changes not one byte when all is there already', async () => {
		const ways = withPackage();
		const complete = spaceIndented.replace(
			'{\n',
			'{\n    "runtimes": { "sysbox-runc": { "path": "/usr/bin/sysbox-runc" } },\n',
		);
		ways.write(file, complete);
		expect((await ways.run([...install])).code).toBe(0);
		expect(await ways.text(file)).toBe(complete);
	});

	it('adds its user, ids, units and limits', async () => {
		const ways = withPackage();
		ways.write(file, spaceIndented);
		await ways.run([...install]);
		expect(await ways.text('/etc/passwd')).toMatch(/^sysbox:/m);
		expect(await ways.text('/etc/subuid')).toBe('anna:100000:65536\nsysbox:165536:65536\n');
		expect(await ways.text('/proc/sys/fs/inotify/max_user_instances')).toBe('1048576\n');
		expect(await ways.text('/usr/lib/sysctl.d/99-sysbox-sysctl.conf')).toContain('kernel.keys.maxbytes = 1400000');
		expect(ways.host.state().units['sysbox.service']?.enabled).toBe('enabled');
	});

	it('takes its entry out of daemon.json when purged, and leaves it when removed', async () => {
		const set = hostOf('already-set-up');
		await set.run(['apt-get', 'remove', '-y', 'sysbox-ce']);
		expect(await set.text(file)).toContain('sysbox-runc');
		expect((await set.run(['docker', 'run', '--rm', '--runtime=sysbox-runc', 'docker:29-dind', 'true'])).code).toBe(
			127,
		);
		const purged = hostOf('already-set-up');
		await purged.run(['apt-get', 'purge', '-y', 'sysbox-ce']);
		expect(JSON.parse((await purged.text(file)) ?? '')).toEqual({
			'live-restore': true,
			bip: '172.17.0.1/16',
			'default-address-pools': [{ base: '172.18.0.0/16', size: 20 }],
		});
		// Docker was told, but a key that is gone keeps its old value until a restart.
		expect((await purged.read(['docker', 'info', '--format', '{{json .Runtimes}}'])).out).toContain('sysbox-runc');
	});

	it('stays half configured when its services do not start, and dpkg finishes it at the next try', async () => {
		const ways = withPackage([{ name: 'sysbox-fs-start-timeout', times: 1 }]);
		ways.write(file, spaceIndented);
		expect(await ways.run([...install])).toMatchObject({
			code: 100,
			err: expect.stringContaining('post-installation script subprocess returned error exit status 1'),
		});
		expect((await ways.run([...install])).code).toBe(0);
		expect(ways.host.state().units['sysbox.service']?.active).toBe('active');
	});

	it('breaks the containers that run under it when it is replaced', async () => {
		const url = 'https://downloads.nestybox.com/sysbox/releases/v0.7.1/sysbox-ce_0.7.1-0.linux_amd64.deb';
		const ways = hostOf('outdated-sysbox', { releases: [{ url, sha256: 'ab'.repeat(32), size: 11_800_000 }] });
		expect((await ways.run(['docker', 'exec', 'docker-build-agent', 'true'])).code).toBe(0);
		expect(
			(await ways.run(['curl', '-fL', '-C', '-', '--max-filesize', '20000000', '-o', '/root/new.deb', url])).code,
		).toBe(0);
		expect((await ways.run(['apt-get', 'install', '-y', '/root/new.deb'])).code).toBe(0);
		expect((await ways.read(['sysbox-runc', '--version'])).out).toContain('0.7.1');
		expect((await ways.run(['docker', 'exec', 'docker-build-agent', 'true'])).code).toBe(126);
	});
});

describe('marks of packages', () => {
	it('hold one', async () => {
		const ways = shortWays(hostOf('already-set-up').host);
		expect((await ways.run(['apt-mark', 'hold', 'sysbox-ce'])).out).toBe('sysbox-ce set on hold.\n');
		expect(ways.host.state().packages['sysbox-ce']?.hold).toBe(true);
	});
});
