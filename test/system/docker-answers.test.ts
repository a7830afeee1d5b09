import { describe, expect, it } from 'vitest';
import { describeOwner, parseContainers } from '../../src/docker/container.ts';
import { describeDockerTrouble, inspectDocker } from '../../src/docker/daemon.ts';
import { parseDockerContext, whereIs } from '../../src/docker/endpoint.ts';
import { parseDockerInfo } from '../../src/docker/info.ts';
import { parseBridgeNetwork } from '../../src/docker/network.ts';
import { parsePlugins } from '../../src/docker/plugin.ts';
import { parseDockerVersion } from '../../src/docker/version.ts';
import { valueIn } from '../../src/system/reading.ts';
import { changed, hostFixture, type Reply, scriptedHost } from '../support/scripted-host.ts';

const ubuntu = hostFixture('ubuntu-24.04');
const printed = (line: string): string => ubuntu.commands[line]?.stdout ?? '';
const infoText = printed('docker info --format {{json .}}');
const inspectLine = Object.keys(ubuntu.commands).find(line => line.startsWith('docker inspect')) ?? '';
const never = new AbortController().signal;

const infoWith = (change: Record<string, unknown>) =>
	valueIn(parseDockerInfo(JSON.stringify({ ...JSON.parse(infoText), ...change })));

const answersTo = (replies: Record<string, Reply>) =>
	inspectDocker(scriptedHost(changed(ubuntu, { commands: replies })), never);

const everywhere = (reply: Reply) =>
	answersTo(Object.fromEntries(Object.keys(ubuntu.commands).map(line => [line, reply])));

describe('docker info', () => {
	it('tells what steps ask for', () => {
		expect(valueIn(parseDockerInfo(infoText))).toMatchObject({
			name: 'ci-07',
			serverVersion: '29.7.2',
			driver: 'overlay2',
			backingFilesystem: 'extfs',
			containerdImageStore: false,
			defaultRuntime: 'runc',
			securityOptions: ['apparmor', 'seccomp', 'cgroupns'],
			rootless: false,
			usernsRemap: false,
			cgroupVersion: '2',
			limits: { memory: true, pids: true, cpu: true },
			swarm: 'inactive',
			containers: { total: 2, running: 1, paused: 0, stopped: 1 },
			warnings: [],
			desktop: false,
			podman: false,
		});
	});

	it('names each runtime with its path, and with what it can do where Docker asked it', () => {
		const runtimes = infoWith({
			Runtimes: {
				runc: { path: 'runc', status: { 'org.opencontainers.runtime-spec.features': '{}' } },
				'sysbox-runc': { path: '/usr/bin/sysbox-runc' },
				kata: { runtimeType: 'io.containerd.kata.v2' },
			},
		})?.runtimes;
		expect(runtimes).toEqual({
			runc: { path: 'runc', args: [], features: '{}' },
			'sysbox-runc': { path: '/usr/bin/sysbox-runc', args: [] },
			kata: { runtimeType: 'io.containerd.kata.v2', args: [] },
		});
	});

	it('knows the containerd image store by its snapshotter', () => {
		expect(
			infoWith({ Driver: 'overlayfs', DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']] }),
		).toMatchObject({ containerdImageStore: true });
	});

	it('takes a daemon from before cgroup v2 for one of version 1', () => {
		expect(infoWith({ CgroupVersion: undefined })?.cgroupVersion).toBe('1');
	});

	it('lists address pools that are configured', () => {
		expect(infoWith({ DefaultAddressPools: [{ Base: '172.25.0.0/16', Size: 24 }] })?.addressPools).toEqual([
			{ base: '172.25.0.0/16', size: 24 },
		]);
	});

	it('is unreadable when the daemon is down and the CLI fills in empty values', () => {
		expect(parseDockerInfo('{"ID":"","ServerVersion":"","Runtimes":null,"Swarm":{"LocalNodeState":""}}').kind).toBe(
			'unreadable',
		);
	});

	it("recognises podman's own info", () => {
		expect(
			valueIn(parseDockerInfo('{"host":{"arch":"amd64"},"store":{"graphDriverName":"overlay"},"version":{}}'))?.podman,
		).toBe(true);
	});
});

describe('docker version', () => {
	it('tells client and server apart', () => {
		expect(valueIn(parseDockerVersion(printed('docker version --format {{json .}}')))).toMatchObject({
			client: { version: '29.7.2' },
			server: { version: '29.7.2', minApiVersion: '1.44' },
			podman: false,
		});
	});

	it('has no server when no daemon answers', () => {
		const version = valueIn(
			parseDockerVersion(
				'{"Client":{"Version":"28.2.2","ApiVersion":"1.50","Os":"linux","Arch":"amd64","Context":"default"},"Server":null}',
			),
		);
		expect(version?.client.version).toBe('28.2.2');
		expect(version?.server).toBeUndefined();
	});

	it('recognises podman by its command and by its service', () => {
		expect(
			valueIn(parseDockerVersion('{"Client":{"APIVersion":"4.9.3","Version":"4.9.3","OsArch":"linux/amd64"}}'))?.podman,
		).toBe(true);
		expect(
			valueIn(
				parseDockerVersion(
					'{"Client":{"Version":"28.2.2"},"Server":{"Version":"4.9.3","Components":[{"Name":"Podman Engine","Version":"4.9.3"}]}}',
				),
			)?.podman,
		).toBe(true);
	});
});

describe('docker inspect', () => {
	const [runner, database] = valueIn(parseContainers(printed(inspectLine))) ?? [];

	it('tells what runs, since when, and what happens at a restart', () => {
		expect(runner).toMatchObject({
			name: 'gitlab-runner',
			image: 'gitlab/gitlab-runner:v18.5.0',
			pid: 4121,
			running: true,
			restartPolicy: 'always',
			runtime: 'runc',
			networks: ['bridge'],
		});
		expect(database).toMatchObject({ name: 'db-migration', running: false, pid: 0, restartPolicy: 'no' });
	});

	it('knows a compose service by its labels', () => {
		expect(runner?.owner).toEqual({
			kind: 'compose',
			project: 'ci',
			service: 'runner',
			files: ['/srv/ci/docker-compose.yml'],
			directory: '/srv/ci',
		});
		expect(runner && describeOwner(runner)).toBe('compose service runner of ci');
		expect(database && describeOwner(database)).toBeUndefined();
	});

	const labelled = (labels: Record<string, string>) =>
		valueIn(
			parseContainers(JSON.stringify([{ Id: 'aa', State: {}, HostConfig: {}, Config: { Labels: labels } }])),
		)?.[0];

	it('knows a GitLab job by its labels', () => {
		const job = labelled({
			'com.gitlab.gitlab-runner.type': 'build',
			'com.gitlab.gitlab-runner.job.id': '8812',
			'com.gitlab.gitlab-runner.job.url': 'https://git.example/j/8812',
		});
		expect(job?.owner).toEqual({
			kind: 'gitlab-runner',
			type: 'build',
			jobId: '8812',
			jobUrl: 'https://git.example/j/8812',
		});
		expect(job && describeOwner(job)).toBe('GitLab job 8812 (build)');
	});

	it("knows a Jenkins agent by the plugin's labels, with and without their prefix", () => {
		expect(labelled({ JenkinsId: 'x', JenkinsNodeName: 'docker-1' })?.owner).toEqual({
			kind: 'jenkins',
			node: 'docker-1',
		});
		expect(labelled({ 'com.nirima.jenkins.plugins.docker.JenkinsId': 'x' })?.owner).toEqual({ kind: 'jenkins' });
	});

	it('takes mounts that were asked for and never made from the binds', () => {
		const [c] =
			valueIn(
				parseContainers('[{"Id":"aa","State":{},"HostConfig":{"Binds":["/etc:/host-etc:ro,z","cache:/cache"]}}]'),
			) ?? [];
		expect(c?.mounts).toEqual([
			{ type: 'bind', source: '/etc', destination: '/host-etc', readOnly: true },
			{ type: 'volume', source: '', destination: '/cache', readOnly: false, name: 'cache' },
		]);
	});
});

describe('the bridge network', () => {
	it('has a subnet, and a gateway where Docker names one', () => {
		expect(valueIn(parseBridgeNetwork(printed('docker network inspect bridge')))).toMatchObject({
			interface: 'docker0',
			ipv4: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }],
			containers: 1,
		});
		expect(
			valueIn(parseBridgeNetwork('[{"Id":"x","IPAM":{"Config":[{"Subnet":"172.17.0.0/16"},{"Subnet":"fd00::/80"}]}}]'))
				?.ipv4,
		).toEqual([{ subnet: '172.17.0.0/16' }]);
	});
});

describe("docker's own plugins", () => {
	it('are a line each, and no line where there is none', () => {
		// As Docker 26.1.5 printed it.
		const line =
			'{"Description":"a plugin","Enabled":false,"ID":"a15a3abd0bc2","Name":"lab/idle:1","PluginReference":"lab/idle:1"}\n';
		expect(valueIn(parsePlugins(line + line.replace('false', 'true')))).toEqual([
			{ name: 'lab/idle:1', enabled: false },
			{ name: 'lab/idle:1', enabled: true },
		]);
		expect(valueIn(parsePlugins(''))).toEqual([]);
		expect(parsePlugins('ID NAME\n').kind).not.toBe('ok');
	});
});

describe('where docker speaks to', () => {
	it.each([
		['unix:///var/run/docker.sock', 'system'],
		['unix:///run/docker.sock', 'system'],
		['unix:///run/user/1000/docker.sock', 'user'],
		['unix:///home/anna/.docker/desktop/docker.sock', 'user'],
		['unix:///srv/docker.sock', 'other-socket'],
		['tcp://10.0.0.5:2376', 'remote'],
		['ssh://anna@ci-07', 'remote'],
		['npipe:////./pipe/docker_engine', 'remote'],
	])('%s is %s', (address, where) => {
		expect(whereIs(address)).toBe(where);
	});

	it('is what the context in use says', () => {
		expect(valueIn(parseDockerContext(printed('docker context inspect')))).toEqual({
			context: 'default',
			address: 'unix:///var/run/docker.sock',
			where: 'system',
		});
	});
});

describe('asking Docker', () => {
	it('takes six commands, however many containers there are', async () => {
		const host = scriptedHost(ubuntu);
		const facts = await inspectDocker(host, never);
		expect(facts.containers.kind === 'ok' ? facts.containers.value.length : 0).toBe(2);
		expect(host.ran.length).toBe(6);
	});

	it('does not inspect where there is nothing', async () => {
		const host = scriptedHost(changed(ubuntu, { commands: { 'docker ps -aq --no-trunc': {} } }));
		expect((await inspectDocker(host, never)).containers).toEqual({ kind: 'ok', value: [] });
		expect(host.ran.some(line => line.startsWith('docker inspect'))).toBe(false);
	});

	it('leaves out a container that went away in between', async () => {
		const [, second] = JSON.parse(printed(inspectLine)) as unknown[];
		const facts = await answersTo({
			[inspectLine]: { code: 1, stdout: JSON.stringify([second]), stderr: 'Error: No such object: a3a3' },
		});
		expect(facts.containers.kind === 'ok' ? facts.containers.value.map(c => c.name) : []).toEqual(['db-migration']);
	});

	it.each<readonly [string, Reply, string]>([
		['there is no docker', { problem: 'missing' }, 'no-cli'],
		[
			'the daemon is down',
			{
				code: 1,
				stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
			},
			'daemon-down',
		],
		[
			'the daemon is down, says Docker 29',
			{
				code: 1,
				stderr:
					'failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory',
			},
			'daemon-down',
		],
		[
			'an old CLI hides that in its JSON',
			{
				code: 0,
				stdout:
					'{"ID":"","ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"]}',
			},
			'daemon-down',
		],
		[
			'the user may not',
			{ code: 1, stderr: 'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock' },
			'denied',
		],
		['the daemon hangs', { problem: 'timeout' }, 'hang'],
		['the answer is no JSON', { stdout: 'Emulate something\n' }, 'garbage'],
		['the answer is too long', { problem: 'too-much-output' }, 'garbage'],
		[
			'the client is too old',
			{ code: 1, stderr: 'Error response from daemon: client version 1.41 is too old' },
			'failed',
		],
		['the run was cancelled', { problem: 'cancelled' }, 'cancelled'],
	])('says which trouble it is when %s', async (_when, reply, kind) => {
		const { info } = await everywhere(reply);
		expect(info.kind).toBe(kind);
		expect(info.kind === 'ok' ? '' : describeDockerTrouble(info)).not.toBe('');
	});

	it("keeps the client's version when no daemon answers", async () => {
		const { version } = await everywhere({
			code: 1,
			stdout: '{"Client":{"Version":"28.2.2"},"Server":null}',
			stderr: 'Cannot connect to the Docker daemon',
		});
		expect(version.kind === 'ok' ? version.value.client.version : '').toBe('28.2.2');
	});

	it('does not hand a stranger to docker inspect as if it were an id', async () => {
		const { containers } = await answersTo({ 'docker ps -aq --no-trunc': { stdout: '--help\n' } });
		expect(containers.kind).toBe('garbage');
	});
});
