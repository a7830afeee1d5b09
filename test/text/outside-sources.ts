/** What outside text a host, a command line and an earlier run can hold, each with a mark of its own to find it by. */
import { dirname } from 'node:path';
import type { Selection } from '../../src/model/order.ts';
import type { Answers } from '../../src/model/question.ts';
import type { Waiver } from '../../src/model/waiver.ts';
import type { ExecResult } from '../../src/port/host.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { type ScenarioName, scenarioState } from '../../src/simulation/scenarios.ts';
import type { Container, SimulatedState } from '../../src/simulation/state.ts';
import { daemonJson, fileOf } from '../runbook/whole-runbook.ts';
import { hostile } from './unsafe.ts';

/** What a source puts its text into, before the first command. */
export interface Bed {
	readonly state: SimulatedState;
	readonly faults: Fault[];
	readonly waivers: Waiver[];
	answers: Answers;
	changeId: string | undefined;
	/** What commands of the host say instead. */
	readonly says: ((argv: readonly string[], result: ExecResult) => ExecResult)[];
}

export interface Source {
	/** What some output has to hold, after `MARK-`. */
	readonly mark: string;
	readonly plant: (bed: Bed, text: string) => void;
	/** Why no output ever shows it. */
	readonly hidden?: string;
}

/** Sources that do not hide each other, on one host. */
export interface Scene {
	readonly name: string;
	readonly scenario?: ScenarioName;
	readonly faults?: readonly Fault[];
	/** Without it, all steps but the proofs: they take the longest, and print what the others print. */
	readonly selection?: Selection;
	/** To the outputs too that show what others show: `--plain`, NDJSON of a run, and the revert. */
	readonly everywhere?: true;
	readonly sources: readonly Source[];
}

export function bedOf(scene: Scene): Bed {
	const bed: Bed = {
		state: scenarioState(scene.scenario ?? 'fresh-ubuntu'),
		faults: [...(scene.faults ?? [])],
		waivers: [],
		answers: {},
		changeId: undefined,
		says: [],
	};
	for (const { mark, plant } of scene.sources) plant(bed, hostile(mark));
	return bed;
}

const containerOf = ({ state }: Bed, name: string): Container => {
	const found = state.docker.engine.containers.find(c => c.name === name);
	if (found === undefined) throw new Error(`no container ${name}`);
	return found;
};

const textIn = ({ state }: Bed, path: string): string => {
	const node = state.files[path];
	if (node?.kind !== 'file' || node.text === undefined) throw new Error(`no text at ${path}`);
	return node.text;
};

const put = ({ state }: Bed, path: string, text: string): void => {
	// Its directory too, where the host has none.
	state.files[dirname(path)] ??= { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
	state.files[path] = fileOf(text);
};

/** Bytes that are no UTF-8, around the text. */
const putBytes = ({ state }: Bed, path: string, text: string): void => {
	const { text: _, ...node } = fileOf('') as Extract<ReturnType<typeof fileOf>, { kind: 'file' }>;
	const bytes = Buffer.concat([Buffer.from([0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80]), Buffer.from(text)]);
	state.files[path] = { ...node, base64: bytes.toString('base64') };
};

const exchange = (bed: Bed, path: string, found: string | RegExp, text: string): void => {
	const before = textIn(bed, path);
	const after = before.replace(found, () => text);
	if (after === before) throw new Error(`nothing to exchange in ${path}`);
	put(bed, path, after);
};

/** A word of a path or of a file name. */
const inPath = (text: string): string => text.replaceAll(/[\0/]/g, '');

/** On one line, also where the simulation looks for lines. */
const words = (text: string): string => text.replaceAll(/[\0\n\r\u2028]/g, ' ');

/** A command that begins so says it instead of what it says. */
const says =
	(begin: string, change: (result: ExecResult, text: string) => Partial<ExecResult>) =>
	({ says }: Bed, text: string): void => {
		says.push((argv, result) => (argv.join(' ').startsWith(begin) ? { ...result, ...change(result, text) } : result));
	};

/** The command fails, and says it on both streams. */
const fails = (begin: string) =>
	says(begin, (_, text) => ({ code: 1, stdout: `${text}\n`, stderr: `Error response from daemon: ${text}\n` }));

const inJson = (begin: string, key: string) =>
	says(begin, ({ stdout }, text) => ({
		stdout: stdout.replace(new RegExp(`"${key}":\\s*"[^"]*"`), () => `"${key}":${JSON.stringify(text)}`),
	}));

/** A node of a Jenkins is asked for, and curl says this of it. */
const asJenkins =
	(change: (result: ExecResult, text: string) => Partial<ExecResult>) =>
	(bed: Bed, text: string): void => {
		bed.answers = {
			...bed.answers,
			'docker.restart': true,
			'docker.jobs': 'drain',
			'docker.jenkins-url': 'https://jenkins.example.org',
			'docker.jenkins-node': 'ci-07',
			'docker.jenkins-netrc': '/root/netrc',
		};
		says('curl --silent --show-error --fail --max-time 20 --netrc-file', change)(bed, text);
	};

const dropIn = '/etc/systemd/system/docker.service.d/';

const compose = '/srv/ci/docker-compose.yml';
const runnerToml = '/srv/gitlab-runner/config/config.toml';

const ofContainers: readonly Source[] = [
	{
		mark: 'label-service',
		plant: (bed, text) => {
			containerOf(bed, 'node-exporter').options.labels = {
				'com.docker.compose.project': text,
				'com.docker.compose.service': text,
			};
		},
	},
	{
		mark: 'container-name',
		plant: (bed, text) => {
			containerOf(bed, 'node-exporter').name = text;
		},
	},
	{
		mark: 'container-image',
		plant: (bed, text) => {
			containerOf(bed, 'jenkins-agent-1').imageRef = text;
		},
	},
	{
		mark: 'label-config-files',
		plant: (bed, text) => {
			containerOf(bed, 'jenkins-agent-1').options.labels['com.docker.compose.project.config_files'] = `/${text}`;
		},
	},
	{
		mark: 'mount-source',
		plant: (bed, text) => {
			containerOf(bed, 'ci-postgres').options.mounts.push({
				type: 'bind',
				source: `/etc/${text}`,
				target: `/${text}`,
				readOnly: false,
			});
		},
	},
	{
		mark: 'device',
		plant: (bed, text) => {
			containerOf(bed, 'ci-postgres').options.devices.push(`/dev/${text}`);
		},
	},
	{
		mark: 'capability',
		plant: (bed, text) => {
			containerOf(bed, 'npm-mirror').options.capAdd.push(`SYS_ADMIN_${text}`);
		},
		hidden: 'capabilities that are none of the kernel give nothing away',
	},
	{
		mark: 'runner-name',
		plant: (bed, text) =>
			exchange(
				bed,
				runnerToml,
				/name = "[^"]*"/,
				`name = ${JSON.stringify(text.replaceAll(/\p{Cs}/gu, '')).replaceAll(/[\u007f-\u009f]/g, '')}`,
			),
	},
	{
		mark: 'host-name',
		plant: ({ state }, text) => {
			state.machine.hostname = inPath(text);
		},
	},
	{
		mark: 'sudo-user',
		plant: ({ state }, text) => {
			state.identity.user = text;
		},
	},
	{
		mark: 'kernel',
		plant: ({ state }, text) => {
			state.machine.kernel = `6.8.0-${text}`;
		},
	},
	{
		mark: 'os-release-name',
		plant: (bed, text) =>
			put(
				bed,
				'/etc/os-release',
				`ID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nPRETTY_NAME="${words(text)}"\n`,
			),
	},
	{
		mark: 'change-id',
		plant: (bed, text) => {
			bed.changeId = text;
		},
	},
	{
		mark: 'waiver-reason',
		plant: ({ waivers }, text) => {
			waivers.push({ finding: 'ci.container.docker-sock', reason: text, expires: '2099-01-01' });
		},
	},
	{
		mark: 'answer-owner',
		plant: (bed, text) => {
			bed.answers = { ...bed.answers, 'record.owner': text, 'docker.restart': true };
		},
	},
	{ mark: 'docker-info-runtime', plant: inJson('docker info', 'DefaultRuntime') },
	{ mark: 'docker-info-version', plant: inJson('docker info', 'ServerVersion') },
	{ mark: 'docker-info-driver', plant: inJson('docker info', 'Driver') },
	{ mark: 'docker-info-root', plant: inJson('docker info', 'DockerRootDir') },
	{
		mark: 'docker-info-proxy',
		plant: inJson('docker info', 'HttpProxy'),
		hidden: 'nothing here is decided by the proxy of Docker',
	},
];

const ofFiles: readonly Source[] = [
	{
		mark: 'name-in-sysctl-d',
		plant: (bed, text) => put(bed, `/etc/sysctl.d/${inPath(text)}.conf`, 'kernel.unprivileged_userns_clone = 0\n'),
	},
	{
		mark: 'name-in-cron-d',
		plant: (bed, text) => put(bed, `/etc/cron.d/${inPath(text)}`, '* * * * * root ansible-pull\n'),
	},
	{
		mark: 'name-in-home',
		plant: ({ state }, text) => {
			for (const path of ['', '/.ansible', '/.ansible/tmp'])
				state.files[`/home/${inPath(text)}${path}`] = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
		},
	},
	{
		mark: 'unit-environment',
		plant: (bed, text) =>
			put(bed, `${dropIn}environment.conf`, `[Service]\nEnvironment="HTTP_PROXY=http://${words(text)}"\n`),
		hidden: 'only flags of dockerd are read of its unit',
	},
];

const alone: readonly Scene[] = [
	{
		name: "the Docker client's stderr",
		selection: { only: ['docker'] },
		sources: [{ mark: 'docker-info-stderr', plant: fails('docker info') }],
	},
	{
		name: "the Docker client's stderr of a list",

		sources: [{ mark: 'docker-ps-stderr', plant: fails('docker ps') }],
	},
	{
		name: 'an answer of Docker that is no JSON',
		selection: { only: ['docker'] },
		sources: [{ mark: 'docker-info-no-json', plant: says('docker info', (_, text) => ({ stdout: text })) }],
	},
	{
		name: 'DOCKER_HOST, as the client tells it',
		selection: { only: ['host'] },
		sources: [
			{
				mark: 'docker-host',
				plant: says('docker context inspect', (_, text) => ({
					stdout: JSON.stringify([{ Name: text, Endpoints: { docker: { Host: `tcp://${text}` } } }]),
				})),
			},
		],
	},
	{
		name: 'an os-release of an unknown distribution',
		selection: { only: ['host'] },
		sources: [
			{
				mark: 'os-release',
				plant: (bed, text) =>
					put(
						bed,
						'/etc/os-release',
						`ID="${words(text)}"\nVERSION_ID="${words(text)}"\nPRETTY_NAME="${words(text)}"\n`,
					),
			},
		],
	},
	{
		name: 'an os-release that is no UTF-8',
		selection: { only: ['host'] },
		sources: [
			{
				mark: 'os-release-bytes',
				plant: (bed, text) => putBytes(bed, '/etc/os-release', `\nID=x\nVERSION_ID=1\nPRETTY_NAME="${words(text)}"\n`),
			},
		],
	},
	{
		name: 'daemon.json with other keys',
		selection: { only: ['daemon'] },
		sources: [
			{
				mark: 'daemon-json-key',
				plant: (bed, text) => put(bed, daemonJson, JSON.stringify({ [text]: text, 'default-runtime': text })),
			},
		],
	},
	{
		name: 'daemon.json that is no JSON',
		selection: { only: ['daemon'] },
		sources: [{ mark: 'daemon-json-line', plant: (bed, text) => put(bed, daemonJson, `{ "a": ${text}`) }],
	},
	{
		name: 'daemon.json that is no UTF-8',
		selection: { only: ['daemon'] },
		sources: [
			{
				mark: 'daemon-json-bytes',
				plant: (bed, text) => putBytes(bed, daemonJson, text),
			},
		],
	},
	{
		name: 'dockerd that refuses its file',
		selection: { only: ['daemon'] },
		sources: [{ mark: 'dockerd-stderr', plant: fails('dockerd --validate') }],
	},
	{
		name: 'flags of dockerd, from the process that runs',
		selection: { only: ['daemon'] },
		sources: [
			{
				mark: 'process-words',
				plant: (bed, text) => {
					const unit = bed.state.units['docker.service'];
					const running = bed.state.processes.find(p => p.pid === unit?.mainPid);
					if (unit === undefined || running === undefined) throw new Error('no dockerd');
					running.argv.push(`--config-file=/etc/${text.replaceAll('\0', '')}`);
					unit.loadedText = unit.loadedText.replace(/^ExecStart=.*$/m, '$& $DOCKER_OPTS');
					const file = textIn(bed, unit.fragment);
					put(bed, unit.fragment, file.replace(/^ExecStart=.*$/m, '$& $DOCKER_OPTS'));
				},
			},
		],
	},
	{
		name: 'a unit with a flag',
		selection: { only: ['daemon'] },
		sources: [
			{
				mark: 'unit-exec-start',
				plant: (bed, text) => {
					const unit = bed.state.units['docker.service'];
					if (unit === undefined) throw new Error('no dockerd');
					const flagged = (lines: string): string =>
						lines.replace(/^ExecStart=.*$/m, line => `${line} "--config-file=/etc/${words(text)}"`);
					unit.loadedText = flagged(unit.loadedText);
					put(bed, unit.fragment, flagged(textIn(bed, unit.fragment)));
				},
			},
		],
	},
	{
		name: 'apt that fails',
		everywhere: true,
		selection: { only: ['host'] },
		sources: [{ mark: 'apt-get', plant: fails('apt-get install') }],
	},
	{
		name: 'apt that cannot plan',
		selection: { only: ['host'] },
		sources: [
			{
				mark: 'apt-simulate',
				plant: says('apt-get install --simulate', (_, text) => ({ code: 100, stderr: `E: ${text}\n` })),
			},
		],
	},
	{
		name: 'dpkg that cannot tell its packages',
		selection: { only: ['host', 'sysbox'] },
		sources: [{ mark: 'dpkg-query', plant: fails('dpkg-query') }],
	},
	{
		name: 'dpkg that is not through with a package',
		scenario: 'already-set-up',
		selection: { only: ['sysbox'] },
		sources: [
			{
				mark: 'dpkg',
				plant: (bed, text) => {
					const installed = bed.state.packages['sysbox-ce'];
					if (installed === undefined) throw new Error('no Sysbox');
					installed.status = 'half-configured';
					fails('dpkg --configure')(bed, text);
				},
			},
		],
	},
	{
		name: 'the version of a package',
		scenario: 'already-set-up',
		selection: { only: ['sysbox'] },
		sources: [
			{
				mark: 'package-version',
				plant: ({ state }, text) => {
					const installed = state.packages['sysbox-ce'];
					if (installed === undefined) throw new Error('no Sysbox');
					installed.version = words(text).replaceAll(/\s/g, '');
				},
			},
		],
	},
	{
		name: 'a download that fails',
		selection: { only: ['sysbox'] },
		sources: [{ mark: 'curl', plant: fails('curl') }],
	},
	{
		name: 'the journal of a Docker that does not come back',
		everywhere: true,
		scenario: 'docker-stays-down',
		faults: [{ name: 'docker-does-not-come-back', times: 1 }],
		selection: { only: ['docker'] },
		sources: [
			{
				mark: 'journal-docker',
				plant: (bed, text) => {
					bed.answers = { ...bed.answers, 'docker.restart': true };
					says('journalctl -u docker', ({ stdout }) => ({
						stdout: `${stdout}level=fatal msg=${JSON.stringify(text)}\n${text}\n`,
					}))(bed, text);
				},
			},
		],
	},
	{
		name: 'a drop-in of a hostile name',
		selection: { only: ['daemon'] },
		sources: [
			{
				mark: 'drop-in-name',
				plant: (bed, text) => {
					const unit = bed.state.units['docker.service'];
					if (unit === undefined) throw new Error('no dockerd');
					const lines = '[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --config-file=/etc/other.json\n';
					unit.loadedText += `\n${lines}`;
					put(bed, `${dropIn}${inPath(text).replaceAll(/\s/g, '')}.conf`, lines);
				},
			},
		],
	},
	{
		name: 'the journal of a Sysbox that does not start',
		everywhere: true,
		scenario: 'already-set-up',
		faults: [{ name: 'sysbox-fs-start-timeout' }],
		selection: { only: ['host', 'sysbox'] },
		sources: [
			{
				mark: 'journal-sysbox',
				plant: (bed, text) => {
					const { state } = bed;
					for (const name of ['sysbox', 'sysbox-mgr', 'sysbox-fs']) {
						const unit = state.units[`${name}.service`];
						if (unit !== undefined) Object.assign(unit, { active: 'inactive', sub: 'dead', mainPid: 0 });
					}
					state.processes = state.processes.filter(({ unit }) => unit?.startsWith('sysbox') !== true);
					says('journalctl -u sysbox-fs', () => ({
						code: 0,
						stdout: `level=fatal msg=${JSON.stringify(text)}\n${text}\n`,
					}))(bed, text);
				},
			},
		],
	},
	{
		name: 'a Jenkins that does not answer',
		scenario: 'containers-running',
		everywhere: true,
		selection: { only: ['docker'] },
		sources: [
			{ mark: 'jenkins-stderr', plant: asJenkins((_, text) => ({ code: 22, stdout: '', stderr: `curl: ${text}\n` })) },
		],
	},
	{
		name: 'a container with the labels of Jenkins',
		scenario: 'containers-running',
		sources: [
			{
				mark: 'jenkins-node-of-label',
				plant: (bed, text) => {
					bed.answers = { ...bed.answers, 'docker.restart': true };
					containerOf(bed, 'npm-mirror').options.labels = { JenkinsId: text, JenkinsNodeName: text };
				},
			},
			{
				mark: 'jenkins-server-of-label',
				plant: (bed, text) => {
					Object.assign(containerOf(bed, 'npm-mirror').options.labels, { JenkinsServerUrl: text });
				},
				hidden: 'of the owner of a container, its node alone is told (src/docker/container.ts, describeOwner)',
			},
		],
	},
	{
		name: 'a Jenkins that answers with something else',
		scenario: 'containers-running',
		selection: { only: ['docker'] },
		sources: [
			{
				mark: 'jenkins-no-json',
				plant: asJenkins((_, text) => ({ code: 0, stdout: text, stderr: '' })),
				hidden: 'an answer that is none of Jenkins is not repeated (steps/docker/jenkins.ts, askNode)',
			},
		],
	},
	{
		name: 'the name of a Jenkins node',
		scenario: 'containers-running',
		selection: { only: ['docker'] },
		sources: [
			{
				mark: 'jenkins-node',
				plant: (bed, text) => {
					asJenkins(() => ({ code: 0, stdout: '{"idle":true,"temporarilyOffline":false}', stderr: '' }))(bed, text);
					// All that the question lets through: separators, fillers and selectors.
					bed.answers = { ...bed.answers, 'docker.jenkins-node': text.replaceAll(/[\p{C}/\\]/gu, '') };
				},
			},
		],
	},
	{
		name: 'a compose file with a service of a hostile name',
		scenario: 'containers-running',
		selection: { only: ['ci'] },
		sources: [
			{
				mark: 'compose-service-name',
				plant: (bed, text) =>
					exchange(bed, compose, /$/, `  ${JSON.stringify(text)}:\n    container_name: ${JSON.stringify(text)}\n`),
				hidden: 'of a compose file only the number of a line is told (steps/ci/access-sites.ts, lineOfAccess)',
			},
		],
	},
	{
		name: 'a service of a compose file, found by its hostile name',
		scenario: 'containers-running',
		sources: [
			{
				mark: 'compose-container-name',
				plant: (bed, text) => {
					bed.answers = { ...bed.answers, 'docker.restart': true };
					containerOf(bed, 'jenkins-agent-1').name = text;
				},
			},
			{
				mark: 'compose-service',
				plant: (bed, text) => {
					const service = words(text);
					const agent = bed.state.docker.engine.containers.find(c => c.imageRef.startsWith('jenkins/'));
					if (agent === undefined) throw new Error('no agent');
					agent.options.labels['com.docker.compose.service'] = service;
					exchange(bed, compose, '  jenkins-agent:', `  "${service}":`);
				},
			},
		],
	},
	{
		name: 'systemd that cannot be asked',
		selection: { only: ['host'] },
		sources: [{ mark: 'systemctl', plant: fails('systemctl show') }],
	},
	{
		name: 'a compose file that is none',
		scenario: 'containers-running',
		selection: { only: ['ci'] },
		sources: [
			{
				mark: 'compose-file',
				plant: (bed, text) => put(bed, compose, `services:\n  ${JSON.stringify(text)}: {\n`),
				hidden: 'of a compose file that cannot be read only the place is told',
			},
		],
	},
	{
		name: 'a runner whose file is no TOML',
		scenario: 'containers-running',
		selection: { only: ['ci'] },
		sources: [
			{
				mark: 'config-toml',
				plant: (bed, text) => put(bed, runnerToml, `[[runners]\n${text} = `),
				hidden: 'of a config.toml that cannot be read only the place is told',
			},
		],
	},
	{
		name: 'the output of a container under proof',
		scenario: 'already-set-up',
		selection: { only: ['functional'] },
		sources: [{ mark: 'container-output', plant: fails('docker run') }],
	},
];

export const scenes: readonly Scene[] = [
	{ name: 'what runs on the host', scenario: 'containers-running', everywhere: true, sources: ofContainers },
	{ name: 'names and files', sources: ofFiles },
	...alone,
];
