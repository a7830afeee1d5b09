import { describe, expect, it } from 'vitest';
import {
	configFileOf,
	locateFlags,
	parseDockerdFlags,
	parseUnitFiles,
	valuesOf,
} from '../../src/docker/dockerd-flags.ts';
import { valueIn } from '../../src/system/reading.ts';
import { parseCmdline, parseUnits } from '../../src/system/systemd-show.ts';
import {
	describeSystemdTrouble,
	inspectManager,
	inspectUnits,
	showUnitsCommand,
	unitNamed,
} from '../../src/system/systemd-units.ts';
import { changed, hostFixture, type Reply, scriptedHost } from '../support/scripted-host.ts';

const never = new AbortController().signal;

const sysboxUnits = `MainPID=1523
Result=success
ExecStart={ path=/bin/sh ; argv[]=/bin/sh -c /usr/bin/sysbox-runc --version ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
Id=sysbox.service
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/usr/lib/systemd/system/sysbox.service
DropInPaths=/etc/systemd/system/sysbox.service.d/a.conf /etc/systemd/system/sysbox.service.d/b.conf
UnitFileState=enabled

MainPID=0
Result=timeout
Id=sysbox-fs.service
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=enabled

Result=success
Id=nothing.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
`;

const answering = (units: readonly string[], reply: Reply) =>
	scriptedHost(changed(hostFixture('ubuntu-24.04'), { commands: { [showUnitsCommand(units).join(' ')]: reply } }));

describe('systemctl show', () => {
	const units = valueIn(parseUnits(sysboxUnits)) ?? [];

	it('has a block for each unit', () => {
		expect(units.map(u => [u.id, u.activeState, u.result])).toEqual([
			['sysbox.service', 'active', 'success'],
			['sysbox-fs.service', 'failed', 'timeout'],
			['nothing.service', 'inactive', 'success'],
		]);
	});

	it('tells pid, command line, files and drop-ins', () => {
		expect(units[0]).toMatchObject({
			mainPid: 1523,
			execStart: ['/bin/sh', '-c', '/usr/bin/sysbox-runc', '--version'],
			fragmentPath: '/usr/lib/systemd/system/sysbox.service',
			dropInPaths: ['/etc/systemd/system/sysbox.service.d/a.conf', '/etc/systemd/system/sysbox.service.d/b.conf'],
		});
		expect(units[2]).toMatchObject({ loadState: 'not-found', unitFileState: '', execStart: [], dropInPaths: [] });
	});
});

describe('asking for units', () => {
	const names = ['sysbox.service', 'sysbox-fs.service', 'nothing.service'];

	it('takes one call, and finds each by its name', async () => {
		const answer = await inspectUnits(answering(names, { stdout: sysboxUnits }), names, never);
		expect(unitNamed(answer, 'sysbox-fs')?.result).toBe('timeout');
		expect(unitNamed(answer, 'nothing.service')?.loadState).toBe('not-found');
		expect(unitNamed(answer, 'docker')).toBeUndefined();
	});

	it.each<readonly [Reply, string]>([
		[{ problem: 'missing' }, 'no-systemctl'],
		[{ problem: 'timeout' }, 'hang'],
		[
			{
				code: 1,
				stderr:
					"System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down",
			},
			'not-systemd',
		],
		[{ code: 1, stderr: 'Failed to connect to system scope bus via local transport' }, 'not-systemd'],
		[{ stdout: 'what?\n' }, 'failed'],
		[{ stdout: 'Id=sysbox.service\n' }, 'failed'],
		[{ code: 4, stderr: 'no' }, 'failed'],
	])('%o is %s', async (reply, kind) => {
		const answer = await inspectUnits(answering(names, reply), names, never);
		expect(answer.kind).toBe(kind);
		expect(answer.kind === 'ok' ? '' : describeSystemdTrouble(answer)).not.toBe('');
	});

	it('tells what systemd thinks it runs in', async () => {
		expect(await inspectManager(scriptedHost(hostFixture('ubuntu-24.04')), never)).toEqual({
			kind: 'ok',
			manager: { version: '255.4-1ubuntu8.11', state: 'running', virtualization: 'kvm' },
		});
	});
});

describe('the command line of dockerd', () => {
	it('is read with joined and separate values, short and long', () => {
		const argv = [
			'/usr/bin/dockerd',
			'-H',
			'fd://',
			'--containerd=/run/c.sock',
			'--bip',
			'172.20.0.1/16',
			'--debug',
			'--live-restore=true',
			'-s=overlay2',
			'$DOCKER_OPTS',
		];
		expect(parseDockerdFlags(argv).map(f => [f.key, f.flag, f.value])).toEqual([
			['hosts', '-H', 'fd://'],
			['containerd', '--containerd', '/run/c.sock'],
			['bip', '--bip', '172.20.0.1/16'],
			['debug', '--debug', 'true'],
			['live-restore', '--live-restore', 'true'],
			['storage-driver', '-s', 'overlay2'],
		]);
	});

	const flagsOf = (...argv: string[]): Record<string, readonly string[]> => {
		const flags = parseDockerdFlags(argv);
		return Object.fromEntries(flags.map(({ name }) => [name, valuesOf(flags, name)]));
	};

	it.each([
		[['-Hfd://'], { host: ['fd://'] }],
		[['-H=fd://'], { host: ['fd://'] }],
		[['--host', 'fd://', '-H', 'tcp://x'], { host: ['fd://', 'tcp://x'] }],
		[['-DH', 'fd://'], { debug: ['true'], host: ['fd://'] }],
		[['-DHfd://'], { debug: ['true'], host: ['fd://'] }],
		[['-D=false'], { debug: ['false'] }],
		[['--live-restore', '--bip', '10.0.0.1/8'], { 'live-restore': ['true'], bip: ['10.0.0.1/8'] }],
		[['--iptables=false'], { iptables: ['false'] }],
		[['--log-opt', 'a=b', '--log-opt=c=d'], { 'log-opt': ['a=b', 'c=d'] }],
		[
			['-s', 'overlay2', '-g', '/d', '-G', 'docker', '-b', 'none', '-p', '/p', '-l', 'info'],
			{
				'storage-driver': ['overlay2'],
				graph: ['/d'],
				group: ['docker'],
				bridge: ['none'],
				pidfile: ['/p'],
				'log-level': ['info'],
			},
		],
		[['-z', '1'], { z: ['1'] }],
		[['--bip'], { bip: [''] }],
		[['--bip', '-H', 'x'], { bip: ['-H'] }],
	])('reads %j', (argv, flags) => {
		expect(flagsOf(...argv)).toEqual(flags);
	});

	it.each([
		'allow-direct-routing',
		'cri-containerd',
		'debug',
		'experimental',
		'help',
		'icc',
		'init',
		'ip-forward',
		'ip-forward-no-drop',
		'ip-masq',
		'ip6tables',
		'iptables',
		'ipv6',
		'live-restore',
		'no-new-privileges',
		'raw-logs',
		'restart',
		'rootless',
		'selinux-enabled',
		'tls',
		'tlsverify',
		'userland-proxy',
		'validate',
		'version',
	])('does not take what follows --%s for its value', name => {
		expect(flagsOf(`--${name}`, '--bip', 'x')).toEqual({ [name]: ['true'], bip: ['x'] });
	});

	it('knows the short switches', () => {
		expect(flagsOf('-hrv')).toEqual({ help: ['true'], restart: ['true'], version: ['true'] });
	});

	it('stops at two dashes and keeps a single dash', () => {
		expect(parseDockerdFlags(['-', '--', '--bip', 'x'])).toEqual([]);
	});

	it('names its configuration file', () => {
		expect(configFileOf([])).toBe('/etc/docker/daemon.json');
		expect(configFileOf(parseDockerdFlags(['--config-file', '/srv/docker.json']))).toBe('/srv/docker.json');
	});

	it('uses the names that daemon.json has for lists', () => {
		expect(
			parseDockerdFlags([
				'--default-address-pool',
				'base=10.0.0.0/8,size=24',
				'--add-runtime',
				'x=/y',
				'--exec-opt',
				'a=b',
			]).map(f => f.key),
		).toEqual(['default-address-pools', 'runtimes', 'exec-opts']);
	});

	it('is what really runs, in /proc/PID/cmdline', () => {
		expect(valueIn(parseCmdline('/usr/bin/dockerd\0-H\0fd://\0'))).toEqual(['/usr/bin/dockerd', '-H', 'fd://']);
		expect(parseCmdline('').kind).toBe('unreadable');
	});
});

describe('where a flag was written', () => {
	const cat = `# /usr/lib/systemd/system/docker.service
[Service]
# a comment, not a file
ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock

# /etc/systemd/system/docker.service.d/net.conf
[Service]
ExecStart=
ExecStart=/usr/bin/dockerd -H fd:// \\
  --bip=172.24.0.1/16 \\
  --debug
`;
	const lines = valueIn(parseUnitFiles(cat)) ?? [];

	it('is a file and a line of it', () => {
		expect(lines.find(l => l.text.includes('--bip'))).toMatchObject({
			file: '/etc/systemd/system/docker.service.d/net.conf',
			line: 4,
		});
	});

	it('forgets what an empty ExecStart takes back, and follows lines that go on', () => {
		expect(locateFlags(lines).map(f => [f.key, f.file.split('/').at(-1), f.line])).toEqual([
			['hosts', 'net.conf', 3],
			['bip', 'net.conf', 4],
			['debug', 'net.conf', 5],
		]);
	});

	it.each([
		['"/etc/docker/my daemon.json"', '/etc/docker/my daemon.json'],
		["'/etc/docker/my daemon.json'", '/etc/docker/my daemon.json'],
		['/etc/docker/my\\x20daemon.json', '/etc/docker/my daemon.json'],
		['/etc/docker/my\\sdaemon.json', '/etc/docker/my daemon.json'],
		['"/etc/docker/a\\"b.json"', '/etc/docker/a"b.json'],
		['/etc/docker/"a b"c.json', '/etc/docker/a bc.json'],
		['/etc/docker/50%%.json', '/etc/docker/50%.json'],
	])('has its words as systemd reads them: %s', (written, path) => {
		const unit = `# /etc/systemd/system/docker.service\n[Service]\nExecStart=/usr/bin/dockerd --config-file ${written} -D\n`;
		const flags = locateFlags(valueIn(parseUnitFiles(unit)) ?? []);
		expect(configFileOf(flags)).toBe(path);
		expect(flags.map(flag => flag.key)).toEqual(['config-file', 'debug']);
		const shown = `Id=docker.service\nExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd --config-file=${written} ; ignore_errors=no ; pid=0 }\n`;
		const [state] = valueIn(parseUnits(shown)) ?? [];
		expect(configFileOf(parseDockerdFlags(state?.execStart ?? []))).toBe(path);
	});

	it('is that of the flag, where its value stands in the line below, behind a comment or in quotes', () => {
		const unit = `# /etc/systemd/system/docker.service
[Service]
ExecStart=/usr/bin/dockerd --bip \\
# moved in 2024
  172.24.0.1/16 \\
  "--label=rack 4" $DOCKER_OPTS
ExecReload=/bin/kill -s HUP $MAINPID
`;
		expect(locateFlags(valueIn(parseUnitFiles(unit)) ?? []).map(f => [f.key, f.value, f.line])).toEqual([
			['bip', '172.24.0.1/16', 2],
			['labels', 'rack 4', 5],
		]);
	});
});
