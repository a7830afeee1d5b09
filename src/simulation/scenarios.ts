import { baseHost, type Machine, startOfDemo, worldFor } from './base-host.ts';
import { createContainer, defaultOptions, findImage, startContainer } from './engine.ts';
import type { Fault } from './faults.ts';
import { put, putFolder } from './file-tree.ts';
import { placeSysbox, sysboxControl } from './packages.ts';
import { startUnit } from './services.ts';
import type { ContainerOptions, MountSpec, SimulatedState } from './state.ts';
import { touch, type World } from './world.ts';

export const scenarioNames = [
	'fresh-ubuntu',
	'fresh-debian',
	'already-set-up',
	'old-kernel',
	'snap-docker',
	'broken-daemon-json',
	'containers-running',
	'outdated-sysbox',
	'docker-29-time-namespace',
	'fusermount3-apparmor',
	'no-internet',
	'docker-stays-down',
] as const;

export type ScenarioName = (typeof scenarioNames)[number];

export const isScenarioName = (text: string): text is ScenarioName =>
	(scenarioNames as readonly string[]).includes(text);

/** One sentence about each, for `--demo` and its help. */
export const scenarioTitles: Readonly<Record<ScenarioName, string>> = {
	'fresh-ubuntu': 'Ubuntu 24.04 with Docker 29 and five CI containers, Sysbox not installed',
	'fresh-debian': 'Debian 13 with its own Docker 26, Sysbox not installed',
	'already-set-up': 'Ubuntu 24.04 with Sysbox installed, registered and running',
	'old-kernel': 'Debian 10 with Linux 4.19, too old for Sysbox',
	'snap-docker': 'Docker installed as a snap, which Sysbox cannot be added to',
	'broken-daemon-json': 'daemon.json has a mistake that the next start of Docker would fail on',
	'containers-running': 'jobs in flight, privileged ones and some with the host’s docker.sock among them',
	'outdated-sysbox': 'Sysbox 0.6.6, with a container that runs under it',
	'docker-29-time-namespace': 'Sysbox 0.7.0 under a Docker that gives containers a time namespace',
	'fusermount3-apparmor': 'Ubuntu 26.04, whose AppArmor profile keeps sysbox-fs from mounting',
	'no-internet': 'no way out: the package and the images lie on the host as files',
	'docker-stays-down': 'another address for the bridge waits for a restart, from which Docker does not come up',
};

/** What goes wrong on such a host while it is changed; all else is how it is found. */
export const scenarioFaults = (name: ScenarioName): readonly Fault[] =>
	name === 'docker-stays-down' ? [{ name: 'docker-does-not-come-back', times: 1 }] : [];

const liveRestore =
	'{\n  "log-driver": "json-file",\n  "log-opts": { "max-size": "50m", "max-file": "3" },\n  "live-restore": true\n}\n';
const plain = '{\n  "log-driver": "json-file",\n  "log-opts": { "max-size": "50m", "max-file": "3" }\n}\n';

/** What the package and this tool leave in daemon.json. */
const setUp = (more = ''): string =>
	`{\n    "live-restore": true,${more}\n    "bip": "172.17.0.1/16",\n    "default-address-pools": [\n        { "base": "172.18.0.0/16", "size": 20 }\n    ],\n    "runtimes": {\n        "sysbox-runc": {\n            "path": "/usr/bin/sysbox-runc"\n        }\n    }\n}\n`;

const ubuntu: Machine = {
	scenario: 'fresh-ubuntu',
	hostname: 'ci-07',
	os: 'ubuntu-24.04',
	kernel: '6.8.0-88-generic',
	systemd: '255.4-1ubuntu8.11',
	docker: '29.7.2',
	storageDriver: 'overlayfs',
	dockerPackage: 'docker-ce',
	daemonJson: liveRestore,
	extra: [],
};

const debian: Machine = {
	...ubuntu,
	scenario: 'fresh-debian',
	hostname: 'ci-trixie',
	os: 'debian-13',
	kernel: '6.12.57+deb13-amd64',
	systemd: '257.9-1~deb13u1',
	docker: '26.1.5+dfsg1',
	storageDriver: 'overlay2',
	dockerPackage: 'docker.io',
	daemonJson: undefined,
};

const withTools = ['fuse3', 'jq', 'rsync'];

/** Set up, with what the proofs need. */
function inUse(world: World): void {
	installed(world, '0.7.1');
	ciContainers(world);
	images(world, 'docker:29-dind', 'registry:2');
}

/** A host of that scenario, as its first command finds it. */
export function scenarioState(name: ScenarioName): SimulatedState {
	switch (name) {
		case 'fresh-ubuntu':
			return scene(ubuntu, ciContainers);
		case 'fresh-debian':
			return scene(debian, ciContainers);
		case 'already-set-up':
			return scene({ ...ubuntu, scenario: name, daemonJson: setUp(), extra: withTools }, inUse);
		case 'old-kernel':
			return scene(
				{
					...ubuntu,
					scenario: name,
					hostname: 'build-02',
					os: 'debian-10',
					kernel: '4.19.0-27-amd64',
					systemd: '241-7~deb10u10',
					docker: '26.1.4',
					storageDriver: 'overlay2',
					daemonJson: undefined,
				},
				ciContainers,
			);
		case 'snap-docker':
			return scene(
				{
					...ubuntu,
					scenario: name,
					hostname: 'ci-11',
					docker: '28.4.0',
					storageDriver: 'overlay2',
					dockerPackage: 'snap',
					daemonJson: '{\n    "log-level": "error"\n}\n',
				},
				ciContainers,
			);
		case 'broken-daemon-json':
			return scene(ubuntuAs(name), world => {
				ciContainers(world);
				// A comma too many: somebody edited the file and did not reload.
				put(
					world.state.files,
					'/etc/docker/daemon.json',
					'{\n  "log-driver": "json-file",\n  "log-opts": { "max-size": "50m", "max-file": "3" },\n  "live-restore": true,\n}\n',
				);
			});
		case 'docker-stays-down':
			return scene({ ...ubuntuAs(name), daemonJson: setUp(), extra: withTools }, world => {
				inUse(world);
				put(world.state.files, '/etc/docker/daemon.json', setUp().replace('172.17.0.1/16', '172.20.0.1/16'));
			});
		case 'containers-running':
			return scene({ ...ubuntuAs(name), daemonJson: plain }, jobsInFlight);
		case 'outdated-sysbox':
			return scene(
				{ ...ubuntuAs(name), docker: '28.2.2', storageDriver: 'overlay2', daemonJson: setUp(), extra: withTools },
				world => {
					installed(world, '0.6.6');
					ciContainers(world);
					images(world, 'docker:28-dind');
					add(world, 'docker-build-agent', 'docker:28-dind', { restart: 'unless-stopped' }, 'sysbox-runc');
				},
			);
		case 'docker-29-time-namespace':
			return scene({ ...ubuntuAs(name), daemonJson: setUp(), extra: withTools }, world => {
				installed(world, '0.7.0');
				ciContainers(world);
				images(world, 'docker:29-dind');
			});
		case 'fusermount3-apparmor':
			return scene(
				{
					...ubuntuAs(name),
					os: 'ubuntu-26.04',
					kernel: '7.0.0-14-generic',
					systemd: '259.1-1ubuntu2',
					daemonJson: setUp(),
					extra: withTools,
				},
				world => {
					fuseProfile(world);
					installed(world, '0.7.1');
					ciContainers(world);
					images(world, 'docker:29-dind');
				},
			);
		case 'no-internet':
			return scene({ ...ubuntuAs(name), extra: withTools }, world => {
				ciContainers(world);
				archives(world);
				world.state.internet = false;
			});
		default:
			return name satisfies never;
	}
}

const ubuntuAs = (name: ScenarioName): Machine => ({ ...ubuntu, scenario: name });

/** Sets a scene two days before the demo starts, so that nothing is said to be a second old. */
function scene(machine: Machine, set: (world: World) => void): SimulatedState {
	const state = baseHost(machine);
	state.now = startOfDemo - 2 * 86_400_000;
	const world = worldFor(state);
	set(world);
	state.now = startOfDemo;
	for (const entry of state.journal) entry.at = Math.min(entry.at, startOfDemo);
	return state;
}

function images(world: World, ...refs: readonly string[]): void {
	const { engine } = world.state.docker;
	for (const ref of refs) {
		const image = findImage(world.state.hub, ref);
		if (image !== undefined && findImage(engine.images, ref) === undefined) engine.images.push(structuredClone(image));
	}
}

/** Starts a container of the scene. */
function add(
	world: World,
	name: string,
	ref: string,
	options: Partial<ContainerOptions>,
	runtime?: string,
	command: readonly string[] = [],
): void {
	images(world, ref);
	const image = findImage(world.state.docker.engine.images, ref);
	if (image === undefined) return;
	const created = createContainer(world, {
		name,
		image,
		imageRef: ref,
		command,
		options: { ...structuredClone(defaultOptions), ...options },
		runtime,
	});
	if (created.kind === 'created') startContainer(world, created.container);
}

const bind = (source: string, target: string, readOnly = false): MountSpec => ({
	type: 'bind',
	source,
	target,
	readOnly,
	bind: `${source}:${target}${readOnly ? ':ro' : ''}`,
});
const volume = (source: string, target: string): MountSpec => ({
	type: 'volume',
	source,
	target,
	readOnly: false,
	bind: `${source}:${target}`,
});

const runnerConfig = (privileged: boolean, volumes: readonly string[]): string =>
	`concurrent = 4\ncheck_interval = 3\n\n[[runners]]\n  name = "ci-07"\n  url = "https://gitlab.example.org"\n  id = 17\n  token = "glrt-simulated"\n  executor = "docker"\n  [runners.docker]\n    image = "docker:29"\n    privileged = ${privileged}\n    volumes = [${volumes.map(v => `"${v}"`).join(', ')}]\n`;

/** What runs on a CI host that asks for nothing special: no privileged container, no docker.sock. */
function ciContainers(world: World): void {
	put(world.state.files, '/srv/gitlab-runner/config/config.toml', runnerConfig(false, ['/cache']), 0o600);
	add(world, 'gitlab-runner', 'gitlab/gitlab-runner:latest', {
		restart: 'always',
		mounts: [bind('/srv/gitlab-runner/config', '/etc/gitlab-runner')],
	});
	add(world, 'jenkins-agent-1', 'jenkins/inbound-agent:latest', {
		memory: 4 * 1024 ** 3,
		nanoCpus: 2_000_000_000,
		pidsLimit: 1024,
		restart: 'unless-stopped',
		env: ['JENKINS_URL=https://jenkins.example.org', 'JENKINS_AGENT_NAME=ci-07'],
		mounts: [volume('jenkins-agent-work', '/home/jenkins/agent')],
	});
	add(world, 'npm-mirror', 'verdaccio/verdaccio:6', {
		restart: 'unless-stopped',
		ports: ['4873:4873'],
		mounts: [volume('verdaccio-storage', '/verdaccio/storage')],
	});
	add(world, 'ci-postgres', 'postgres:17', {
		restart: 'unless-stopped',
		env: ['POSTGRES_PASSWORD=simulated'],
		mounts: [volume('ci-postgres', '/var/lib/postgresql/data')],
	});
	add(world, 'build-cache', 'minio/minio:latest', {
		restart: 'unless-stopped',
		ports: ['127.0.0.1:9000:9000'],
		mounts: [volume('build-cache', '/data')],
	});
}

/** Jobs in flight, and the host access that this tool is about. */
function jobsInFlight(world: World): void {
	world.state.docker.engine.plugins = [
		{ id: '5c1e0f6a7d2b'.padEnd(64, '9'), name: 'loki:latest', description: 'Loki Logging Driver', enabled: true },
	];
	putFolder(world.state.files, '/srv/gitlab-runner/config');
	put(
		world.state.files,
		'/srv/gitlab-runner/config/config.toml',
		runnerConfig(true, ['/cache', '/var/run/docker.sock:/var/run/docker.sock']),
		0o600,
	);
	put(
		world.state.files,
		'/srv/ci/docker-compose.yml',
		'services:\n  jenkins-agent:\n    image: jenkins/inbound-agent:latest\n    restart: unless-stopped\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n      - jenkins-agent-work:/home/jenkins/agent\n\nvolumes:\n  jenkins-agent-work:\n',
		0o644,
		1000,
		1000,
	);
	// Somebody gave the bridge another address and left the restart for a quiet time.
	put(world.state.files, '/etc/docker/daemon.json', plain.replace('{\n', '{\n  "bip": "172.26.0.1/24",\n'));
	const socket = bind('/var/run/docker.sock', '/var/run/docker.sock');
	add(world, 'gitlab-runner', 'gitlab/gitlab-runner:latest', {
		restart: 'always',
		mounts: [bind('/srv/gitlab-runner/config', '/etc/gitlab-runner'), socket],
	});
	const compose = (service: string) => ({
		labels: {
			'com.docker.compose.project': 'ci',
			'com.docker.compose.service': service,
			'com.docker.compose.project.config_files': '/srv/ci/docker-compose.yml',
			'com.docker.compose.project.working_dir': '/srv/ci',
		},
	});
	add(world, 'jenkins-agent-1', 'jenkins/inbound-agent:latest', {
		...compose('jenkins-agent'),
		restart: 'unless-stopped',
		mounts: [socket, volume('jenkins-agent-work', '/home/jenkins/agent')],
	});
	add(world, 'ci-postgres', 'postgres:17', {
		restart: 'unless-stopped',
		mounts: [volume('ci-postgres', '/var/lib/postgresql/data')],
	});
	add(world, 'npm-mirror', 'verdaccio/verdaccio:6', { restart: 'unless-stopped', ports: ['4873:4873'] });
	add(world, 'node-exporter', 'prom/node-exporter:latest', {
		restart: 'unless-stopped',
		networkMode: 'host',
		pidMode: 'host',
		mounts: [{ ...bind('/', '/host', true), bind: '/:/host:ro,rslave' }],
	});
	const { state } = world;
	const job = (minutes: number) => {
		state.now = startOfDemo - minutes * 60_000;
	};
	job(12);
	add(world, 'runner-x7k-project-31-concurrent-0-docker-0', 'docker:29-dind', {
		privileged: true,
		cgroupnsMode: 'host',
		labels: {
			'com.gitlab.gitlab-runner.job.id': '8812',
			'com.gitlab.gitlab-runner.managed': 'true',
			'com.gitlab.gitlab-runner.type': 'service',
		},
	});
	add(
		world,
		'runner-x7k-project-31-concurrent-0-build',
		'docker:29',
		{
			labels: {
				'com.gitlab.gitlab-runner.job.id': '8812',
				'com.gitlab.gitlab-runner.managed': 'true',
				'com.gitlab.gitlab-runner.type': 'build',
			},
			env: ['DOCKER_HOST=tcp://docker:2376', 'CI_JOB_ID=8812'],
		},
		undefined,
		// It began twelve minutes ago and has as long to go, so that it ends within the usual half hour of a wait.
		['sleep', '1440'],
	);
	job(180);
	add(world, 'db-migration', 'debian:13-slim', {}, undefined, ['sleep', '86400']);
}

/** Sysbox as its package leaves it, with the daemon's file already as it should be. */
function installed(world: World, version: string): void {
	const control = sysboxControl(`sysbox-ce_${version}-0.linux_amd64.deb`);
	if (control === undefined) return;
	const { state } = world;
	touch(world);
	state.packages[control.name] = { ...control, status: 'installed' };
	for (const path of control.files) put(state.files, path, `\x7fELF ${path.split('/').at(-1)}`, 0o755);
	state.sysbox = { ...state.sysbox, runc: version, mgr: version, fs: version };
	placeSysbox(world);
	startUnit(world, 'sysbox.service');
}

/** The profile that Ubuntu has for fusermount3 since 25.04, in short. */
function fuseProfile(world: World): void {
	const { state } = world;
	put(
		state.files,
		'/etc/apparmor.d/fusermount3',
		'abi <abi/4.0>,\n\ninclude <tunables/global>\n\nprofile fusermount3 /usr/bin/fusermount3 {\n  include <abstractions/base>\n\n  capability sys_admin,\n\n  /dev/fuse rw,\n\n  mount fstype=@{fuse_types} options=(nosuid,nodev) options in (ro,rw,noatime,dirsync,nodiratime,noexec,sync) -> @{HOME}/**/,\n  mount fstype=@{fuse_types} options=(nosuid,nodev) options in (ro,rw,noatime,dirsync,nodiratime,noexec,sync) -> /mnt/{,**/},\n  umount @{HOME}/**/,\n\n  include if exists <local/fusermount3>\n}\n',
	);
	state.apparmorProfiles['fusermount3'] = { mode: 'enforce', allowsSysboxfs: false };
}

/** sha256 of the 0.7.1 package, as the table of releases has it; its size is that of the mirrors. */
const packageDigest = '9d6d5484f980d0a17f86c492c1262015c2afb66280bdb97215b79fde6a0261c5';

/** What somebody has carried to a host without a way out. */
function archives(world: World): void {
	const { files, hub } = world.state;
	const name = 'sysbox-ce_0.7.1-0.linux_amd64.deb';
	const control = sysboxControl(name);
	const owned = { mode: 0o644, uid: 0, gid: 0 };
	if (control !== undefined)
		files[`/root/${name}`] = {
			kind: 'file',
			...owned,
			declared: { size: 11_812_044, sha256: packageDigest, holds: { kind: 'deb', package: control } },
		};
	for (const [ref, file] of [
		['docker:29-dind', 'docker-29-dind.tar'],
		['registry:2', 'registry-2.tar'],
	] as const) {
		const image = findImage(hub, ref);
		if (image === undefined) continue;
		putFolder(files, '/root/images');
		files[`/root/images/${file}`] = {
			kind: 'file',
			...owned,
			declared: {
				size: image.size,
				sha256: image.id.slice(7),
				holds: { kind: 'images', images: [structuredClone(image)] },
			},
		};
	}
}
