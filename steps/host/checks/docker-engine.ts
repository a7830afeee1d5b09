import { describeDockerTrouble } from '../../../src/docker/daemon.ts';
import { unitNamed } from '../../../src/system/systemd-units.ts';
import { plainVersion } from '../../../src/system/version.ts';
import type { HostFacts } from '../host-facts.ts';
import {
	advice,
	block,
	type Check,
	commands,
	couldNotTell,
	dockerCheck,
	info,
	ok,
	type Verdict,
	warn,
	withoutDocker,
} from './check.ts';

/** The ways in which a snap's Docker shows. */
function snapSigns({ docker, dockerProgram, programs, units }: HostFacts): readonly string[] {
	const program = programs.get('docker');
	return [
		...(program?.startsWith('/snap/') || dockerProgram?.startsWith('/snap/')
			? [`the docker command is ${program}`]
			: []),
		...(unitNamed(units, 'snap.docker.dockerd')?.activeState === 'active'
			? ['snap.docker.dockerd.service is active']
			: []),
		...(docker.info.kind === 'ok' && docker.info.value.rootDir.startsWith('/var/snap/')
			? [`Docker Root Dir: ${docker.info.value.rootDir}`]
			: []),
	];
}

/** Starting docker.service helps only where the docker command speaks to that one. */
function howToStart(facts: HostFacts): Pick<Verdict, 'remedy'> {
	const { endpoint } = facts.docker;
	if (endpoint.kind === 'ok' && endpoint.value.where !== 'system')
		return advice(`docker speaks to ${endpoint.value.address}: see docker.remote-context`);
	if (snapSigns(facts).length > 0)
		return commands('Start it, or see why it does not', 'snap start docker', 'snap logs docker');
	return unitNamed(facts.units, 'docker')?.loadState === 'loaded'
		? commands('Start it, or see why it does not', 'systemctl start docker', 'journalctl -u docker -n 50')
		: advice('Start it the way it is run on this host: there is no docker.service');
}

export const dockerEngineChecks: readonly Check[] = [
	{
		id: 'docker.cli',
		about: 'the docker command',
		why: 'This tool asks Docker through its command, so that you can repeat every step',
		judge: ({ docker, programs }) => {
			if (docker.version.kind === 'no-cli') {
				return block('There is no docker command on this host', {
					evidence: 'docker: command not found',
					...advice('Install Docker Engine on this host, from docs.docker.com/engine/install or your distribution'),
				});
			}
			return ok('The docker command is there', programs.get('docker') ?? 'docker version');
		},
	},
	{
		id: 'docker.daemon',
		about: 'whether the Docker daemon answers',
		why: 'Sysbox is a runtime of a Docker daemon, which has to answer',
		judge: facts => {
			const answer = facts.docker.info;
			const summary = answer.kind === 'ok' ? '' : `Docker cannot be asked: ${describeDockerTrouble(answer)}`;
			switch (answer.kind) {
				case 'ok':
					return ok(
						'The Docker daemon answers',
						`docker info: ${answer.value.operatingSystem}, ${answer.value.containers.total} containers`,
					);
				case 'no-cli':
					return withoutDocker('Whether the Docker daemon answers', answer);
				case 'cancelled':
					return couldNotTell(summary, 'docker info');
				case 'denied':
					return {
						...couldNotTell(summary, answer.said || 'docker info', true),
						...advice(
							`Run it with sudo.${facts.socketGroup === undefined ? '' : ` Members of the group ${facts.socketGroup} may ask Docker without it, and are root on this host.`}`,
						),
					};
				case 'daemon-down':
					return block(summary, {
						evidence: answer.said,
						breaks: true,
						...howToStart(facts),
					});
				case 'hang':
					return block(`Docker does not answer: no answer within ${Math.round(answer.afterMs / 1000)} s`, {
						evidence: 'docker info',
						breaks: true,
						...commands('See what it is doing', 'journalctl -u docker -n 50', 'systemctl status docker'),
					});
				case 'garbage':
					return block(summary, {
						evidence: answer.why,
						...commands('See for yourself', "docker info --format '{{json .}}'"),
					});
				case 'failed':
					return block(summary, { evidence: answer.said, ...commands('See for yourself', 'docker info') });
				default:
					return answer satisfies never;
			}
		},
	},
	dockerCheck(
		'docker.native',
		'Whether Docker runs on this host',
		'Docker Desktop runs its engine in a machine of its own, where no runtime can be added',
		docker =>
			docker.desktop
				? block('This is Docker Desktop, not an engine of this host', {
						evidence: `Operating System: ${docker.operatingSystem}`,
						...advice('Install Docker Engine on a Linux host; Docker Desktop has Enhanced Container Isolation instead'),
					})
				: ok('Docker is an engine of this host', `Operating System: ${docker.operatingSystem}`),
	),
	{
		id: 'docker.snap',
		about: 'whether Docker comes from a snap',
		why: "A snap's Docker is confined: it cannot start runtimes of the host, and keeps its configuration elsewhere",
		judge: facts => {
			const signs = snapSigns(facts);
			return signs.length === 0
				? ok('Docker does not come from a snap', facts.programs.get('docker') ?? 'no snap of docker')
				: block('Docker comes from a snap, which cannot use Sysbox', {
						evidence: signs.join('; '),
						...advice('Move the images and volumes to a Docker Engine from docs.docker.com, then remove the snap'),
					});
		},
	},
	dockerCheck(
		'docker.rootless',
		'Whether Docker is rootless',
		'The Sysbox daemons are root and serve the daemon of root alone',
		docker =>
			docker.rootless
				? block('This Docker is rootless, which cannot use Sysbox', {
						evidence: `Security Options: ${docker.securityOptions.join(', ')}`,
						...commands('Ask the daemon of root instead', 'docker context use default', 'unset DOCKER_HOST'),
					})
				: ok('Docker runs as root', `Security Options: ${docker.securityOptions.join(', ') || 'none'}`),
	),
	{
		id: 'docker.podman',
		about: 'whether Podman answers to the name of docker',
		why: 'Podman answers to the name of docker and cannot use Sysbox (nestybox/sysbox#128)',
		judge: ({ docker, dockerProgram }) => {
			const signs = [
				...(docker.version.kind === 'ok' && docker.version.value.podman ? ['docker version names Podman'] : []),
				...(docker.info.kind === 'ok' && docker.info.value.podman ? ["docker info has podman's fields"] : []),
				...(dockerProgram?.endsWith('/podman') ? [`the docker command is ${dockerProgram}`] : []),
			];
			if (signs.length > 0) {
				return block('What answers here is Podman, not Docker', {
					evidence: signs.join('; '),
					...advice('Remove podman-docker and install Docker Engine'),
				});
			}
			return docker.version.kind === 'ok'
				? ok('What answers is Docker', 'docker version')
				: withoutDocker('Whether this is Podman', docker.version);
		},
	},
	{
		id: 'docker.remote-context',
		about: 'which daemon the docker command speaks to',
		why: 'The docker command may speak to another daemon than the one that this tool configures',
		judge: ({ docker }) => {
			if (docker.endpoint.kind !== 'ok') return withoutDocker('Which daemon docker speaks to', docker.endpoint);
			const { address, context, where } = docker.endpoint.value;
			const evidence = `context ${context}: ${address}`;
			switch (where) {
				case 'system':
					return ok("docker speaks to this host's daemon", evidence);
				case 'remote':
					return block('docker speaks to a daemon of another host', {
						evidence,
						...commands('Speak to the one of this host', 'docker context use default', 'unset DOCKER_HOST'),
					});
				case 'user':
					return block("docker speaks to a daemon of a user, not to the host's", {
						evidence,
						...commands("Speak to the host's", 'docker context use default', 'unset DOCKER_HOST'),
					});
				case 'other-socket':
					return warn('docker speaks to a socket at an unusual place', {
						evidence,
						...advice('Make sure that the daemon behind it is the one that docker.service runs'),
					});
				default:
					return where satisfies never;
			}
		},
	},
	dockerCheck(
		'docker.same-host',
		'Where Docker runs',
		'Sysbox has to be installed where the containers run',
		(docker, { kernel }) => {
			if (kernel.kind !== 'ok') return couldNotTell('Whether Docker runs on this kernel is not known', kernel.why);
			return docker.kernel === kernel.value.release
				? ok('Docker runs on this kernel', `Kernel Version: ${docker.kernel}`)
				: block('Docker runs on another kernel than this host', {
						evidence: `docker info: ${docker.kernel}; uname -r: ${kernel.value.release}`,
						...advice('Run this on the host, or in the virtual machine, where the daemon runs'),
					});
		},
	),
	dockerCheck(
		'docker.version',
		'The version of Docker',
		'What a Docker expects of its runtimes changes with its version',
		docker =>
			plainVersion(docker.serverVersion) === undefined
				? couldNotTell(`"${docker.serverVersion}" is no version of Docker`, 'docker info')
				: ok(`Docker is ${docker.serverVersion}`, `Server Version: ${docker.serverVersion}`),
	),
	dockerCheck(
		'docker.live-restore-swarm',
		'How Docker treats containers in its restarts',
		'It decides what stops when Docker is restarted',
		docker => {
			const evidence = `Live Restore Enabled: ${docker.liveRestore}; Swarm: ${docker.swarm}`;
			if (docker.liveRestore && docker.swarm === 'active') {
				return warn('live-restore and swarm are both on: Docker would refuse to start again', {
					evidence,
					...advice('Turn one of them off before Docker is restarted'),
				});
			}
			if (docker.liveRestore) {
				return info('live-restore is on: after a restart of Docker, names no longer resolve in running inner engines', {
					evidence: `${evidence}; nestybox/sysbox#270`,
					...advice('Restart the Sysbox containers after each restart of Docker'),
				});
			}
			return docker.swarm === 'active'
				? info('This host is part of a swarm: its services stop here when Docker is restarted', { evidence })
				: ok('Neither live-restore nor swarm is on', evidence);
		},
	),
	dockerCheck(
		'docker.userns-remap',
		'Whether Docker remaps users',
		'Sysbox maps users by itself; a second mapping in Docker takes --privileged and host namespaces from all other containers',
		docker =>
			docker.usernsRemap
				? warn('Docker runs with userns-remap, which Sysbox does not need', {
						evidence: 'Security Options: userns',
						...advice('Leave it while it works; taking it out hides the images that were pulled under it'),
					})
				: ok('Docker does not remap users', 'no userns in Security Options'),
	),
	dockerCheck(
		'docker.cgroup-driver',
		'The cgroup driver of Docker',
		'Sysbox follows the driver that Docker uses',
		docker =>
			docker.cgroupDriver === 'none'
				? warn('Docker uses no control groups', {
						evidence: 'Cgroup Driver: none',
						threat: 'resource-abuse',
						...advice('Run Docker as root of a host with control groups'),
					})
				: ok(
						`Docker uses the cgroup driver ${docker.cgroupDriver}`,
						`Cgroup Driver: ${docker.cgroupDriver}, version ${docker.cgroupVersion}`,
					),
	),
	dockerCheck(
		'docker.tcp-open',
		"Whether Docker's API is open",
		'Whoever reaches an open API is root on this host, and containers reach it over their network',
		docker => {
			const open = docker.warnings.flatMap(
				warning => /API is accessible on (\S+)/i.exec(warning)?.[1]?.replace(/[.,]$/, '') ?? [],
			);
			return open.length === 0
				? ok("Docker's API is not open without a key", 'docker info has no such warning')
				: warn(`Docker's API is open to everybody on ${open.join(', ')}`, {
						evidence: docker.warnings
							.filter(w => /API is accessible/i.test(w))
							.join('; ')
							.slice(0, 300),
						threat: 'docker-compromise',
						keeps: 'threat',
						...advice('Take the tcp:// address out of hosts, or protect it with TLS client certificates'),
					});
		},
	),
];
