import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jenkinsAgentImage } from '../../src/knowledge/images.ts';
import { renderTemplate, type TemplateName, templateNames, templateText, templateTexts } from '../../src/templates.ts';
import { composeProblems } from '../../steps/ci/check-compose.ts';
import { gitlabCiProblems } from '../../steps/ci/check-gitlab-ci.ts';
import { jenkinsfileProblems } from '../../steps/ci/check-jenkinsfile.ts';
import { runnerConfigProblems } from '../../steps/ci/check-runner-config.ts';
import { fileKinds, isOurs, renderFiles } from '../../steps/ci/rendered-files.ts';
import { type Settings, systems } from '../../steps/ci/settings.ts';

const texts = await templateTexts();

const settings: Settings = {
	engineImage: 'docker:29-dind',
	clientImage: 'docker:29-cli',
	jenkinsAgentImage: 'jenkins/inbound-agent:1-jdk21',
	pinned: false,
	startsAsDind: true,
	memory: '4g',
	cpus: 2,
	pids: 4096,
	startInterval: true,
	limits: { memory: true, cpu: true, pids: true },
	gitlabJobs: 1,
	gitlabUrl: 'https://gitlab.example.com/',
	jenkinsUrl: 'https://jenkins.example.com/',
};

const rendered = (name: TemplateName, over: Partial<Settings> = {}): string =>
	renderFiles(texts, { ...settings, ...over }, systems).find(file => file.kind.name === name)?.text ?? '';

/** Replaces exactly one place, so that a test cannot pass because its change did nothing. */
function change(text: string, from: string, to: string): string {
	expect(text.split(from).length - 1, `"${from}" occurs`).toBeGreaterThan(0);
	return text.replace(from, to);
}

describe('templates', () => {
	it('are all there, and each is written as some file', async () => {
		for (const name of templateNames) expect(await templateText(name)).toContain('Written by sysbox-setup');
		expect(fileKinds.map(kind => kind.name).toSorted()).toEqual([...templateNames].toSorted());
	});

	it('refuse to render a value that nobody gave, instead of printing undefined', () => {
		expect(() => renderTemplate('a <%= it.missing %>', {})).toThrow('the template needs it.missing');
		expect(() => renderTemplate('a <%= it.a.b %>', { a: {} })).toThrow('the template needs it.a.b');
		expect(() => renderTemplate('a <%= it.constructor %>', {})).toThrow('it.constructor');
	});

	it('escape nothing and trim nothing', () => {
		expect(renderTemplate('  <%= it.a %>\n<% if (it.b) { -%>\n  x\n<% } -%>\ny', { a: '<&>', b: true })).toBe(
			'  <&>\n  x\ny',
		);
	});

	it('in another folder keep the names that others reach the engine by', () => {
		const text = rendered('docker-compose.sysbox.yml');
		const { name, volumes } = parse(text);
		const told = [...text.matchAll(/^#.*external: true, name: (\S+)\}$/gm)].map(([, real]) => real);
		expect(told).toEqual([`${name}_default`, `${name}_client-certs`, `${name}_workspace`]);
		expect(Object.keys(volumes)).toEqual(expect.arrayContaining(['client-certs', 'workspace']));
		expect(parse(rendered('docker-compose.jenkins-agent.yml')).name).not.toBe(name);
	});

	it('ask for a start interval only where Docker knows it', () => {
		for (const startInterval of [true, false]) {
			const { services } = parse(rendered('docker-compose.sysbox.yml', { startInterval }), { merge: true });
			expect(services.docker.healthcheck.start_interval).toBe(startInterval ? '2s' : undefined);
		}
	});

	it('give the Jenkins agent the command, its plugins, and a version', () => {
		const { services } = parse(rendered('docker-compose.jenkins-agent.yml'), { merge: true });
		const [from, ...copies] = services.agent.build.dockerfile_inline.trim().split('\n');
		expect(from).toBe(`FROM ${settings.jenkinsAgentImage}`);
		expect(jenkinsAgentImage).toMatch(/^jenkins\/inbound-agent:\d+\.\S+-\d+-jdk\d+$/);
		expect(copies.map((line: string) => line.split(' ').at(-1))).toEqual([
			'/usr/local/bin/docker',
			'/usr/local/libexec/docker/cli-plugins',
		]);
	});

	it('speak of concurrent where the limit is more than its default', () => {
		expect(rendered('gitlab-runner.config.toml', { gitlabJobs: 1 })).not.toContain('concurrent =');
		expect(rendered('gitlab-runner.config.toml', { gitlabJobs: 3 })).toContain('/^concurrent = 1$/concurrent = 3/');
	});

	const flags = [true, false];
	const combinations = flags.flatMap(memory =>
		flags.flatMap(cpu => flags.flatMap(pids => flags.map(startsAsDind => ({ memory, cpu, pids, startsAsDind })))),
	);
	it('in one folder are one project to Compose, and share neither a service nor a store', () => {
		const named = renderFiles(texts, settings, systems)
			.filter(({ kind }) => kind.name.startsWith('docker-compose'))
			.flatMap(({ text }) => {
				const { services, volumes } = parse(text);
				return [...Object.keys(services), ...Object.keys(volumes)];
			});
		expect(named.length).toBeGreaterThan(6);
		expect(new Set(named).size).toBe(named.length);
	});

	it.each(combinations)('pass their own checks with any limits: %o', ({ startsAsDind, ...limits }) => {
		const files = renderFiles(texts, { ...settings, limits, startsAsDind }, systems);
		expect(files).toHaveLength(5);
		for (const { kind, text, problems } of files) {
			expect([kind.name, problems]).toEqual([kind.name, []]);
			expect(isOurs(text)).toBe(true);
			expect(text).not.toMatch(/undefined|NaN|\[object/);
			expect(text).not.toMatch(/[ \t]+$/m);
			expect(text.endsWith('\n')).toBe(true);
			expect(text.endsWith('\n\n')).toBe(false);
			expect(text).not.toMatch(/\n\n\n/);
			expect(text.split('\n').every(line => line.length <= 120)).toBe(true);
		}
	});
});

describe('the check of a compose file', () => {
	// Without its comments, which have lines for other files.
	const compose = rendered('docker-compose.sysbox.yml').replace(/^#.*\n/gm, '');
	const cases: readonly (readonly [string, string, string, string])[] = [
		[
			'a mounted socket',
			'- engine-data:/var/lib/docker',
			'- /var/run/docker.sock:/var/run/docker.sock',
			'docker: mounts /var/run/docker.sock of the host',
		],
		[
			'a bind mount of a relative folder',
			'- engine-data:/var/lib/docker',
			'- ./data:/var/lib/docker',
			'docker: mounts ./data of the host',
		],
		[
			'a source from the environment',
			'- workspace:/workspace',
			`- ${'$'}{HOME}:/workspace`,
			`docker: mounts ${'$'}{HOME} of the host`,
		],
		[
			'a long bind mount',
			'- workspace:/workspace',
			'- {type: bind, source: /srv, target: /srv}',
			'docker: mounts {"type":"bind","source":"/srv","target":"/srv"}',
		],
		[
			'a volume nobody declared',
			'- workspace:/workspace',
			'- other:/workspace',
			'docker: mounts the volume other, which is not declared',
		],
		[
			'a volume whose driver binds',
			'engine-data: {}',
			'engine-data: {driver_opts: {type: none, o: bind, device: /}}',
			'gives options to the volume engine-data',
		],
		[
			'privileges',
			'    restart: unless-stopped',
			'    restart: unless-stopped\n    privileged: true',
			'docker: has the unknown key privileged',
		],
		[
			'a host namespace',
			'    restart: unless-stopped',
			'    restart: unless-stopped\n    network_mode: host',
			'docker: has the unknown key network_mode',
		],
		[
			'the API socket',
			'    restart: unless-stopped',
			'    restart: unless-stopped\n    use_api_socket: true',
			'docker: has the unknown key use_api_socket',
		],
		[
			'published ports',
			'    restart: unless-stopped',
			'    restart: unless-stopped\n    ports: ["2376:2376"]',
			'docker: has the unknown key ports',
		],
		[
			'limits in two styles',
			'    restart: unless-stopped',
			'    restart: unless-stopped\n    deploy: {resources: {limits: {cpus: "1"}}}',
			'docker: has the unknown key deploy',
		],
		['another runtime', 'runtime: sysbox-runc', 'runtime: runc', 'docker: does not run under sysbox-runc'],
		[
			'a variable that sysbox-runc refuses',
			'DOCKER_TLS_CERTDIR: /certs',
			'DOCKER_TLS_CERTDIR: /certs\n      SYSBOX_SETUP_RUN: x',
			'docker: sets SYSBOX_SETUP_RUN',
		],
		['no TLS', 'DOCKER_TLS_CERTDIR: /certs', 'DOCKER_TLS_CERTDIR: ""', 'docker: switches TLS off'],
		[
			'the port without TLS',
			'tcp://docker:2376',
			'tcp://docker:2375',
			'job: talks to tcp://docker:2375, not to an engine by TLS',
		],
		[
			'no check of the certificate',
			'DOCKER_TLS_VERIFY: "1"',
			'DOCKER_TLS_VERIFY: ""',
			"job: does not check the engine's certificate",
		],
		[
			'an engine that is not there',
			'tcp://docker:2376',
			'tcp://engine:2376',
			'job: talks to engine, which is not there',
		],
		[
			'a health check that asks dockerd only',
			'docker run --rm',
			'docker info',
			'docker: has a health check that starts no container',
		],
		[
			'no wait for the engine',
			'      docker:\n        condition: service_healthy\n',
			'      job:\n        condition: service_started\n',
			'job: does not wait for docker',
		],
		[
			'two engines on one store',
			'- client-certs:/certs/client:ro',
			'- engine-data:/var/lib/docker',
			'job: has the engine store of docker',
		],
		['a key twice', '    restart: unless-stopped', '    restart: unless-stopped\n    restart: "no"', 'is not YAML'],
		[
			'an unknown top key',
			'volumes:\n  engine-data',
			'include: [other.yml]\nvolumes:\n  engine-data',
			'has the unknown key include',
		],
	];
	it.each(cases)('finds %s', (_what, from, to, problem) => {
		expect(composeProblems(change(compose, from, to)).join('\n')).toContain(problem);
	});

	it('refuses what is no compose file at all', () => {
		expect(composeProblems('')).toEqual(['has no services']);
		expect(composeProblems('services: {}')).toEqual(['has no services']);
	});
});

describe('the check of a runner configuration', () => {
	const toml = rendered('gitlab-runner.config.toml');
	const cases: readonly (readonly [string, string, string, string])[] = [
		['privileges', 'privileged = false', 'privileged = true', 'does not say that jobs are not privileged'],
		['no word about privileges', 'privileged = false\n', '', 'does not say that jobs are not privileged'],
		[
			'privileged services',
			'privileged = false',
			'privileged = false\n    services_privileged = true',
			'has the unknown key runners.docker.services_privileged',
		],
		[
			'a mounted socket',
			'"/cache"',
			'"/var/run/docker.sock:/var/run/docker.sock"',
			'mounts /var/run/docker.sock:/var/run/docker.sock of the host',
		],
		['a shared store', '"/cache"', '"/var/lib/docker"', "lets job and engine share the engine's store"],
		['another runtime', '"sysbox-runc"', '"runc"', 'does not run jobs under sysbox-runc'],
		['an unlimited engine', 'service_memory = "4g"\n', '', "limits the job's memory, but not the engine's"],
		['a real token', 'GIVEN-TO-REGISTER', 'glrt-abcdef', 'holds a token'],
		['a misspelt key', 'pull_policy', 'pul_policy', 'has the unknown key runners.docker.pul_policy'],
		[
			'host networking',
			'privileged = false',
			'privileged = false\n    network_mode = "host"',
			'has the unknown key runners.docker.network_mode',
		],
		['something global', '[[runners]]', 'concurrent = 4\n[[runners]]', 'has the unknown key concurrent'],
		['a shell executor', 'executor = "docker"', 'executor = "shell"', 'does not use the docker executor'],
		['broken TOML', '[[runners]]', '[[runners]', 'is not TOML'],
	];
	it.each(cases)('finds %s', (_what, from, to, problem) => {
		expect(runnerConfigProblems(change(toml, from, to)).join('\n')).toContain(problem);
	});
});

describe('the check of a GitLab job', () => {
	const job = rendered('gitlab-ci.example.yml');
	const cases: readonly (readonly [string, string, string, string])[] = [
		[
			'a runtime for a service, which GitLab does not know',
			'      alias: docker',
			'      runtime: sysbox-runc\n      alias: docker',
			'has a service with the unknown key runtime',
		],
		['no tag', 'tags: [sysbox]', 'tags: [docker]', 'does not choose the runner by its tag'],
		['no TLS', 'DOCKER_TLS_CERTDIR: /certs', 'DOCKER_TLS_CERTDIR: ""', 'switches TLS off'],
		[
			'an engine that is no service',
			'alias: docker',
			'alias: engine',
			'talks to an engine that is none of its services',
		],
		['an unknown key', 'tags: [sysbox]', 'tag: sysbox', 'has the unknown key tag'],
	];
	it.each(cases)('finds %s', (_what, from, to, problem) => {
		expect(gitlabCiProblems(change(job, from, to)).join('\n')).toContain(problem);
	});
});

describe('the check of a Jenkinsfile', () => {
	const pipeline = rendered('Jenkinsfile.sysbox');
	const cases: readonly (readonly [string, string, string, string])[] = [
		['a brace too few', "label 'sysbox' }", "label 'sysbox'", 'lacks a }'],
		['a brace too many', "label 'sysbox' }", "label 'sysbox' } }", 'has a } too many'],
		['an open quote', "label 'sysbox'", "label 'sysbox", 'has a quote that does not close'],
		['privileges', 'docker info', 'docker run --privileged alpine', 'asks for privileges'],
		['a socket', 'docker info', 'docker -H unix:///var/run/docker.sock info', "names an engine's socket"],
		['a host namespace', 'docker info', 'docker run --pid=host alpine', 'shares something of the host'],
		['a path of the host', 'docker info', 'docker run -v /srv:/srv alpine', 'mounts a path of the host'],
		['another agent', "agent { label 'sysbox' }", 'agent any', "does not choose the agent's label"],
	];
	it.each(cases)('finds %s', (_what, from, to, problem) => {
		expect(jenkinsfileProblems(change(pipeline, from, to)).join('\n')).toContain(problem);
	});

	it('lets a comment explain what the code must not do', () => {
		expect(jenkinsfileProblems(`// never privileged, no docker.sock\n/* nor --pid=host } */\n${pipeline}`)).toEqual([]);
	});
});
