/**
 * How the built program writes daemon.json on a real host, and how it does not: managed, linked, mounted, in two places; and
 * how it takes a default runtime back.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const real = '/srv/conf/daemon.json';
const operatorsFile = '{\n\t"log-driver": "json-file",\n\t"max-concurrent-downloads": 12345678\n}';

interface Event {
	readonly type: string;
	readonly step?: string;
	readonly id?: string;
	readonly action?: string;
	readonly verdict?: string;
	readonly because?: string;
	readonly why?: string;
	readonly outcome?: string;
	readonly evidence?: string;
	readonly inPlace?: true;
	readonly exit?: number;
	readonly findings?: readonly { readonly id: string; readonly summary: string; readonly severity: string }[];
}

/** x86-64 and arm64 number the calls differently. */
const xattr = {
	set: 'my ($p, $k, $v) = ($ARGV[0], "user.team", "ci"); syscall(`uname -m` =~ /aarch64/ ? 5 : 188, $p, $k, $v, 2, 0) == 0 or die $!',
	/** Access control list, version 2: the owner, the user `daemon`, the group, the mask, others (acl(5)). */
	setAcl:
		'my ($p, $k) = ($ARGV[0], "system.posix_acl_access"); my $v = pack("V", 2) . join "", map { pack "vvV", @$_ } [1, 6, ~0], [2, 4, 1], [4, 4, ~0], [16, 4, ~0], [32, 0, ~0]; syscall(`uname -m` =~ /aarch64/ ? 5 : 188, $p, $k, $v, length $v, 0) == 0 or die $!',
	getAcl:
		'my ($p, $k, $v) = ($ARGV[0], "system.posix_acl_access", "\\0" x 99); my $l = syscall(`uname -m` =~ /aarch64/ ? 8 : 191, $p, $k, $v, 99); print $l > 0 ? unpack("H*", substr($v, 0, $l)) : "none"',
	get: 'my ($p, $k, $v) = ($ARGV[0], "user.team", "\\0" x 9); my $l = syscall(`uname -m` =~ /aarch64/ ? 8 : 191, $p, $k, $v, 9); print $l > 0 ? substr($v, 0, $l) : "none"',
} as const;

describe.skipIf(!lab.available)('daemon.json on a real host', () => {
	let host: LabHost;
	let deb = '';
	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'editing' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		deb = (await host.putPackage('good')).path;
		await host.exec(['mkdir', '-p', '/etc/docker', '/srv/conf', '/etc/ansible/facts.d']);
		await host.writeFile(real, operatorsFile);
		await host.exec(['chmod', '640', real]);
		await host.exec(['perl', '-e', xattr.set, real]);
		await host.exec(['perl', '-e', xattr.setAcl, real]);
		await host.exec(['ln', '-s', real, daemonJson]);
	});
	afterAll(async () => host?.remove());

	const read = async (path: string): Promise<string> => (await host.exec(['cat', path])).stdout;
	const tool = async (...args: readonly string[]) => {
		const { stdout, code } = await host.exec(['sysbox-setup', ...args, '--format', 'json'], {
			reject: false,
			timeoutMs: 200_000,
		});
		const events = stdout
			.split('\n')
			.filter(line => line !== '')
			.map(line => JSON.parse(line) as Event);
		return {
			code,
			events,
			of: (action: string) => events.findLast(e => e.type === 'action.outcome' && e.action === action),
		};
	};
	const install = (...more: readonly string[]) =>
		tool('--yes', '--only', 'host,sysbox', '--deb', deb, '--accept-risk', 'unverified-deb', ...more);

	it('is not written under Ansible: the exact bytes are kept for the team, and apt waits', async () => {
		const { code, of } = await install();
		expect(code).toBe(4);
		expect(of('daemon-json')).toMatchObject({ outcome: 'manual' });
		expect(of('install')).toBeUndefined();
		expect(await read(daemonJson)).toBe(operatorsFile);
		const kept = /the exact content is in (\S+)/.exec(of('daemon-json')?.evidence ?? '')?.[1] ?? '';
		const content = await read(kept);
		expect(content.startsWith('{\n\t"log-driver": "json-file",\n\t"max-concurrent-downloads": 12345678,\n')).toBe(true);
		expect((await host.exec(['dockerd', '--validate', '--config-file', kept])).stderr).toContain('configuration OK');
	});

	it('that clashes with a flag of a drop-in blocks, with both places', async () => {
		const dropIn = '/etc/systemd/system/docker.service.d/log.conf';
		await host.exec(['mkdir', '-p', '/etc/systemd/system/docker.service.d']);
		await host.writeFile(
			dropIn,
			'[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock \\\n  --log-driver=json-file\n',
		);
		await host.exec(['systemctl', 'daemon-reload']);
		const { code, events } = await install();
		const findings = events.flatMap(e => e.findings ?? []);
		expect(code).toBe(3);
		expect(findings.find(f => f.id === 'daemon-json.flags')).toMatchObject({
			severity: 'block',
			summary: `log-driver is set both in ${daemonJson}:2:2 and by --log-driver in ${dropIn}:4`,
		});
		expect(await read(daemonJson)).toBe(operatorsFile);
		await host.exec(['rm', dropIn]);
		await host.exec(['systemctl', 'daemon-reload']);
	});

	it('that is a link stays one when it is written after all; mode, attributes and the access list stay', async () => {
		await host.writeFile('/root/answers.yml', 'version: 1\nhost:\n  managed: false\n');
		const list = (await host.exec(['perl', '-e', xattr.getAcl, real])).stdout;
		expect(list).toHaveLength(2 * (4 + 5 * 8));
		const { code, of } = await install('--answers', '/root/answers.yml');
		expect(code).toBe(0);
		expect(of('daemon-json')).toMatchObject({ outcome: 'done' });
		expect(of('daemon-json')?.evidence).toContain('the bytes from before are in /var/lib/sysbox-setup/runs/');
		expect((await host.exec(['readlink', daemonJson])).stdout.trim()).toBe(real);
		expect((await host.exec(['stat', '-c', '%a %U', real])).stdout.trim()).toBe('640 root');
		expect((await host.exec(['perl', '-e', xattr.get, real])).stdout).toBe('ci');
		expect((await host.exec(['perl', '-e', xattr.getAcl, real])).stdout).toBe(list);
		expect(await read(daemonJson)).toContain('"sysbox-runc"');
	});

	it('that is a mount of its own is written in place, and says so', async () => {
		await host.exec(['mount', '--bind', real, real]);
		await host.exec(['sh', '-c', `sed 's/sysbox-runc": {/other": {/' ${real} >/root/x && cat /root/x >${real}`]);
		const { of } = await tool('--yes', '--only', 'daemon', '--managed', '/nowhere');
		expect(of('daemon-json')).toMatchObject({ outcome: 'done', inPlace: true });
		expect(of('daemon-json')?.evidence).toContain('written in place and not in one moment');
		expect(await read(daemonJson)).toContain('"sysbox-runc": {');
	});

	it('makes Sysbox the default, and names runc again where a container of this host then no longer starts', async () => {
		const says = async (...argv: string[]): Promise<string> => (await host.exec(argv)).stdout.trim();
		await host.loadImages('busybox');
		const run = ['docker', 'run', '-d', '--name', 'monitor', '--network=host', '--stop-signal', 'SIGKILL'];
		await host.exec([...run, 'lab/busybox:1', 'sleep', '3600']);
		const running = ['docker', 'inspect', '--format', '{{.State.Running}} {{.State.Pid}}', 'monitor'];
		const [file, monitor] = [await read(daemonJson), await says(...running)];
		const answers = [
			...['version: 1', 'host:', '  managed: false', 'daemon:', '  default-runtime: true'],
			...['ci:', '  image: lab/ci:1', 'functional:', '  registry-image: lab/registry:1', ''],
		];
		await host.writeFile('/root/default.yml', answers.join('\n'));
		const { code, events, of } = await tool(
			...['--yes', '--only', 'daemon,docker,functional', '--answers', '/root/default.yml'],
			...['--accept-risk', 'default-runtime', '--image-archive', '/opt/sysbox-setup-lab/images/ci-images.tar'],
		);

		const probes = events.filter(e => e.type === 'probe' && e.verdict !== 'pass');
		expect(probes).toMatchObject([
			{
				id: 'regression.default-runtime',
				verdict: 'fail',
				because: expect.stringContaining('--network=host does not start'),
			},
		]);
		expect(events.find(e => e.type === 'step.end' && e.step === 'functional')?.why).toContain('it was taken back');
		expect(code).toBe(1);
		expect(of('default-back')).toMatchObject({ outcome: 'done' });
		expect(await says('docker', 'info', '--format', '{{.DefaultRuntime}}')).toBe('runc');
		const back = await read(daemonJson);
		expect(back.replace(/,\s*"default-runtime": "runc"/, '')).toBe(file);
		expect(back).not.toBe(file);
		expect(await says(...running)).toBe(monitor);
	});
});
