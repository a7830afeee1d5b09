import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { knowledge } from '../../src/knowledge/index.ts';
import type { Action } from '../../src/model/action.ts';
import { type EntryPoint, entryPointsKey } from '../../src/model/entry-point.ts';
import type { Finding } from '../../src/model/finding.ts';
import { type Answers, answerProblem, initialAnswer, type Question } from '../../src/model/question.ts';
import { initialState } from '../../src/model/state.ts';
import type { ChangeStep, JudgeContext } from '../../src/model/step.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { ciStep } from '../../steps/ci/step.ts';
import { type CiHostOptions, ciHost } from '../support/ci-host.ts';

const step = ciStep as ChangeStep<unknown>;

function contextWith(answers: Answers): JudgeContext {
	return {
		knowledge,
		options: {
			imageArchives: [],
			workingDirectory: '/home/anna',
			command: 'sysbox-setup',
			stateDirectory: '/var/lib/sysbox-setup',
		},
		answers,
		state: initialState,
		now: new Date('2026-11-23T10:00:00Z'),
	};
}

async function look(host: ReadHost, answers: Answers = {}) {
	const context = contextWith(answers);
	const facts = await step.inspect({ ...context, host, signal: new AbortController().signal });
	return {
		facts,
		findings: step.judge(facts, context),
		plan: step.plan(facts, context),
		questions: step.ask?.(answers, facts, context) ?? [],
	};
}

const lookAt = (options: CiHostOptions, answers: Answers = {}) => look(ciHost(options), answers);
const named = (findings: readonly Finding[], id: string): Finding | undefined => findings.find(f => f.id === id);
const ids = (findings: readonly Finding[]): readonly string[] => findings.map(f => f.id);
const textOf = (action: Action | undefined): string =>
	action?.kind === 'write' ? new TextDecoder().decode(action.bytes) : '';
const question = (questions: readonly Question[], id: string): Question => questions.find(q => q.id === id)!;

const allSystems: Answers = {
	'ci.systems': ['compose', 'gitlab', 'jenkins'],
	'ci.gitlab-url': 'https://gitlab.example.com/',
	'ci.jenkins-url': 'http://jenkins.internal:8080/ci',
};

/** Carries a plan out on the host, as the applier would. */
async function apply(host: ReturnType<typeof ciHost>, actions: readonly Action[]): Promise<void> {
	for (const action of actions) {
		if (action.kind === 'make-folder') await host.makeDirectory(action.path, { mode: action.mode });
		if (action.kind === 'write') {
			const result = await host.replaceFile(action.path, action.bytes, { expect: action.expect, mode: action.mode });
			expect(result.kind).toBe('written');
		}
	}
}

describe('the plan of the CI step', () => {
	it('makes the folder and writes the compose file as its owner when nothing is there', async () => {
		const { plan, findings } = await lookAt({});
		expect(plan.actions.map(a => [a.id, a.kind])).toEqual([
			['folder', 'make-folder'],
			['docker-compose.sysbox.yml', 'write'],
		]);
		const write = plan.actions[1];
		expect(write).toMatchObject({
			path: '/home/anna/sysbox-ci/docker-compose.sysbox.yml',
			mode: 0o644,
			asDirectoryOwner: true,
			expect: { kind: 'missing' },
		});
		expect(plan.actions[0]).toMatchObject({ asDirectoryOwner: true });
		expect(findings.filter(f => f.severity === 'block')).toEqual([]);
		expect(named(findings, 'ci.files')?.severity).toBe('info');
		expect(named(findings, 'ci.rendered')?.severity).toBe('ok');
	});

	it('writes the files of every chosen system, the one for the runner for its owner only', async () => {
		const { plan } = await lookAt({}, allSystems);
		expect(plan.actions.map(a => a.id)).toEqual([
			'folder',
			'docker-compose.sysbox.yml',
			'gitlab-runner.config.toml',
			'gitlab-ci.example.yml',
			'docker-compose.jenkins-agent.yml',
			'Jenkinsfile.sysbox',
		]);
		expect(plan.actions.find(a => a.id === 'gitlab-runner.config.toml')).toMatchObject({ mode: 0o600 });
	});

	it('is empty the second time', async () => {
		const host = ciHost();
		const first = await look(host, allSystems);
		await apply(host, first.plan.actions);
		const second = await look(host, allSystems);
		expect(second.plan.actions).toEqual([]);
		expect(named(second.findings, 'ci.files')).toMatchObject({ severity: 'ok' });
	});

	it('leaves it to the operator to use what was written, and to nobody where nothing was', async () => {
		const host = ciHost();
		const first = await look(host, allSystems);
		const nextOf = (facts: unknown) => step.observe?.(facts).find(({ key }) => key === 'next.ci')?.value;
		expect(nextOf(first.facts)).toBeNull();
		await apply(host, first.plan.actions);
		expect(nextOf((await look(host, allSystems)).facts)).toBe(
			[
				'No job uses Sysbox yet; the files in /home/anna/sysbox-ci say how:',
				'Compose: start docker-compose.sysbox.yml; set up jobs like its job',
				'GitLab: make a runner with the tag sysbox, register it, tag the jobs',
				'Jenkins: make a node with the label sysbox, start its agent, use it',
			].join('\n'),
		);
	});

	it('is empty the second time when the image was pulled in between, and pins where it was there at first', async () => {
		const digest = `sha256:${'b'.repeat(64)}`;
		const pulled = { 'docker:29-dind': digest, 'docker:29-cli': digest };
		const pinned = await lookAt({ images: pulled });
		expect(textOf(pinned.plan.actions[1])).toContain(`image: docker:29-dind@${digest}`);
		expect(textOf(pinned.plan.actions[1])).not.toContain('To pin');

		const host = ciHost();
		await apply(host, (await look(host)).plan.actions);
		const later = ciHost({ files: Object.fromEntries(host.files), images: pulled });
		expect((await look(later)).plan.actions).toEqual([]);

		// And a file that was pinned stays as it is when the tag moves on.
		const pinnedHost = ciHost({ images: pulled });
		await apply(pinnedHost, (await look(pinnedHost)).plan.actions);
		const moved = ciHost({
			files: Object.fromEntries(pinnedHost.files),
			images: { 'docker:29-dind': `sha256:${'c'.repeat(64)}` },
		});
		expect((await look(moved)).plan.actions).toEqual([]);
	});

	it('shows the difference to a file that somebody else wrote, and says whose it is', async () => {
		const path = '/home/anna/sysbox-ci/docker-compose.sysbox.yml';
		const { plan, findings } = await lookAt({ files: { [path]: 'services: {}\n' } });
		expect(plan.actions).toHaveLength(1);
		expect(plan.actions[0]).toMatchObject({
			kind: 'write',
			path,
			before: 'services: {}\n',
			expect: { kind: 'sha256' },
		});
		expect(named(findings, 'ci.file-exists')).toMatchObject({
			severity: 'warn',
			evidence: path,
			remedy: { kind: 'planned' },
		});
	});

	it('does not call its own file foreign when the answers change', async () => {
		const host = ciHost();
		await apply(host, (await look(host)).plan.actions);
		const { plan, findings } = await look(host, { 'ci.memory': '3g' });
		expect(plan.actions).toHaveLength(1);
		expect(plan.actions[0]).toHaveProperty('before');
		expect(named(findings, 'ci.file-exists')).toBeUndefined();
	});

	it('only makes the folder when the answer named another one after the look, as nobody knows what is in it', async () => {
		const host = ciHost({ files: { '/srv/ci/docker-compose.sysbox.yml': 'mine\n' } });
		const { facts } = await look(host);
		const answered = contextWith({ 'ci.folder': '/srv/ci' });
		expect(step.plan(facts, answered).actions.map(a => a.kind)).toEqual(['make-folder']);
		const again = await look(host, { 'ci.folder': '/srv/ci' });
		expect(again.plan.actions[0]).toMatchObject({ kind: 'write', before: 'mine\n' });
	});

	it('is empty without a system', async () => {
		const { plan, findings } = await lookAt({}, { 'ci.systems': [] });
		expect(plan.actions).toEqual([]);
		expect(ids(findings)).toEqual(['ci.container']);
	});
});

describe('the folder', () => {
	it('is refused when it is a symbolic link, and what it leads to is named', async () => {
		const answers = { 'ci.folder': '/srv/ci' };
		const { plan, findings } = await lookAt(
			{ files: { '/srv/real/': '' }, links: { '/srv/ci': '/srv/real' } },
			answers,
		);
		expect(plan.actions).toEqual([]);
		expect(named(findings, 'ci.folder')).toMatchObject({ severity: 'block', remedy: { kind: 'advice' } });
		expect(named(findings, 'ci.folder')?.evidence).toContain('/srv/real');
	});

	it('does not stop the questions when only the default one is refused', async () => {
		const { findings } = await lookAt({ files: { '/srv/real/': '' }, links: { '/home/anna/sysbox-ci': '/srv/real' } });
		expect(named(findings, 'ci.folder')).toMatchObject({ severity: 'block', remedy: { kind: 'planned' } });
	});

	it('is refused when more than its last part is missing', async () => {
		const { plan, findings } = await lookAt({}, { 'ci.folder': '/srv/a/b' });
		expect(plan.actions).toEqual([]);
		expect(named(findings, 'ci.folder')?.evidence).toBe('/srv/a is not there');
	});

	it('is refused when it is a file', async () => {
		const { findings } = await lookAt({ files: { '/srv/ci': 'x' } }, { 'ci.folder': '/srv/ci' });
		expect(named(findings, 'ci.folder')?.evidence).toBe('/srv/ci is not a folder');
	});

	it('holds no link where a file goes', async () => {
		const path = '/home/anna/sysbox-ci/docker-compose.sysbox.yml';
		const { plan, findings } = await lookAt({
			files: { '/home/anna/sysbox-ci/': '', '/etc/shadow': 'root:x' },
			links: { [path]: '/etc/shadow' },
		});
		expect(plan.actions).toEqual([]);
		expect(named(findings, 'ci.file-refused')).toMatchObject({ severity: 'block' });
		expect(named(findings, 'ci.file-refused')?.evidence).toContain('/etc/shadow');
	});

	it('may be relative to where the tool was started', async () => {
		const { plan } = await lookAt({}, { 'ci.folder': './out' });
		expect(plan.actions[0]).toMatchObject({ path: '/home/anna/out' });
	});

	it.each([
		['', 'must be the path of a folder'],
		['/', 'must be a folder of its own'],
		['/etc/ci', 'must not lie in /etc: that belongs to the system'],
		['/srv/../etc', 'must not hold ..'],
		['/srv/a\nb', 'must not hold control characters'],
		['/srv/ci', undefined],
	])('is held to what a folder of the operator may be called: %j', async (path, problem) => {
		const { questions } = await lookAt({});
		expect(answerProblem(question(questions, 'ci.folder'), path)).toBe(problem);
	});
});

describe('what is asked', () => {
	it('asks for the addresses of the chosen systems only', async () => {
		const plain = await lookAt({});
		expect(plain.questions.map(q => q.id)).toEqual([
			'ci.systems',
			'ci.folder',
			'ci.image',
			'ci.memory',
			'ci.cpus',
			'ci.pids',
		]);
		const all = await lookAt({}, { 'ci.systems': ['gitlab', 'jenkins'] });
		expect(all.questions.map(q => q.id)).toContain('ci.gitlab-url');
		expect(initialAnswer(question(all.questions, 'ci.gitlab-url'))).toBeUndefined();
		expect(initialAnswer(question(all.questions, 'ci.jenkins-url'))).toBeUndefined();
	});

	it('names every question it can ask, and gives each default a value that it accepts itself', async () => {
		const container = { name: 'agent', image: 'corp/agent:7', host: { Privileged: true } };
		const { questions } = await lookAt({ containers: [container] }, allSystems);
		expect(questions.map(q => q.id).toSorted()).toEqual([...(step.answerIds ?? [])].toSorted());
		for (const q of questions) {
			const initial = initialAnswer(q);
			if (initial !== undefined) expect([q.id, answerProblem(q, initial)]).toEqual([q.id, undefined]);
		}
	});

	it('can be asked before anything was looked at', () => {
		const questions = step.ask?.({ 'ci.systems': ['gitlab'] }, undefined, contextWith({})) ?? [];
		expect(questions.map(q => q.id)).toContain('ci.gitlab-url');
		expect(questions.map(q => q.id)).not.toContain('ci.containers');
	});

	it('offers two fifths of the memory and half of the processors of the host', async () => {
		const { questions } = await lookAt({});
		expect(initialAnswer(question(questions, 'ci.memory'))).toBe('6g');
		expect(initialAnswer(question(questions, 'ci.cpus'))).toBe(4);
		expect(answerProblem(question(questions, 'ci.memory'), '17g')).toBe(
			'must not be more than this host has (16.0 GiB)',
		);
		expect(answerProblem(question(questions, 'ci.memory'), '12')).toBe(
			'must be a number with a unit, such as 4g or 512m',
		);
		expect(answerProblem(question(questions, 'ci.memory'), '64m')).toContain('at least 256m');
		expect(answerProblem(question(questions, 'ci.cpus'), 9)).toBe('must be at most 8');
	});

	it('does not ask for limits that this host cannot enforce', async () => {
		const { questions } = await lookAt({ info: { CpuCfsQuota: false, MemoryLimit: false, PidsLimit: false } });
		expect(questions.map(q => q.id)).toEqual(['ci.systems', 'ci.folder', 'ci.image']);
	});

	it("takes the address of this host's runner, so that an unattended run has what it needs", async () => {
		const toml = '[[runners]]\n  name = "a"\n  url = "https://git.corp/"\n  executor = "docker"\n';
		const { questions, plan } = await lookAt({ files: { '/etc/gitlab-runner/config.toml': toml } });
		expect(initialAnswer(question(questions, 'ci.systems'))).toEqual(['compose', 'gitlab']);
		expect(initialAnswer(question(questions, 'ci.gitlab-url'))).toBe('https://git.corp/');
		expect(textOf(plan.actions.find(a => a.id === 'gitlab-runner.config.toml'))).toContain('url = "https://git.corp/"');
	});

	it.each([
		['docker:29-dind', undefined],
		['registry.example.com:5000/ci/docker:29-dind', undefined],
		[`docker@sha256:${'a'.repeat(64)}`, undefined],
		['docker:29', undefined],
		['registry.corp/ci/engine:4', undefined],
		['docker:29-cli', 'has no Docker engine in it; use one such as docker:29-dind'],
		['mirror.corp/docker:29-git', 'has no Docker engine in it; use one such as docker:29-dind'],
		[
			'docker:29-dind-rootless',
			'is rootless Docker, which needs privileges that Sysbox does not give; use docker:29-dind',
		],
		['Docker:dind', 'is not an image name; one looks like docker:29-dind or registry.example.com/ci/docker:29-dind'],
		['--privileged', 'is not an image name; one looks like docker:29-dind or registry.example.com/ci/docker:29-dind'],
		['docker:29 dind', 'is not an image name; one looks like docker:29-dind or registry.example.com/ci/docker:29-dind'],
	])('holds an image to the grammar of image names: %s', async (image, problem) => {
		const { questions } = await lookAt({});
		expect(answerProblem(question(questions, 'ci.image'), image)).toBe(problem);
	});

	it.each([
		['https://gitlab.example.com/', undefined],
		['http://gitlab.example.com/', 'must begin with https://, as the runner sends its token there'],
		['https://anna:secret@gitlab.example.com/', 'must not hold a user or a password'],
		['https://gitlab/$HOME', 'must be an address such as https://ci.example.com/'],
		['gitlab.example.com', 'must be an address such as https://ci.example.com/'],
	])('holds an address to what a file can carry: %s', async (url, problem) => {
		const { questions } = await lookAt({}, { 'ci.systems': ['gitlab'] });
		expect(answerProblem(question(questions, 'ci.gitlab-url'), url)).toBe(problem);
	});
});

describe('the written files', () => {
	const textsFor = async (options: CiHostOptions, answers: Answers) => {
		const { plan } = await lookAt(options, { ...allSystems, ...answers });
		return Object.fromEntries(plan.actions.map(action => [action.id, textOf(action)]));
	};

	it('say which limits the answers name', async () => {
		const texts = await textsFor({}, { 'ci.memory': '3g', 'ci.cpus': 1.5, 'ci.pids': 5000 });
		for (const name of ['docker-compose.sysbox.yml', 'docker-compose.jenkins-agent.yml']) {
			const file = parseYaml(texts[name] ?? '', { merge: true });
			for (const service of Object.values(file.services))
				expect(service).toMatchObject({
					cpus: 1.5,
					mem_limit: '3g',
					memswap_limit: '3g',
					pids_limit: 5000,
					runtime: 'sysbox-runc',
				});
		}
		expect(texts['gitlab-runner.config.toml']).toMatch(/# These volumes outlive the job:.*project and concurrent slot/);
		const toml = parseToml(texts['gitlab-runner.config.toml'] ?? '');
		expect(toml['runners']).toMatchObject([
			{
				limit: 2,
				docker: { memory: '3g', service_memory: '3g', cpus: '1.5', service_cpus: '1.5', runtime: 'sysbox-runc' },
			},
		]);
	});

	it('leave out what this host cannot enforce, and say so', async () => {
		const texts = await textsFor({ info: { CpuCfsQuota: false, MemoryLimit: false, PidsLimit: false } }, {});
		const file = parseYaml(texts['docker-compose.sysbox.yml'] ?? '', { merge: true });
		for (const service of Object.values<object>(file.services)) {
			expect(Object.keys(service).filter(key => /cpus|limit/.test(key))).toEqual([]);
		}
		expect(texts['docker-compose.sysbox.yml']).toMatch(/# cpus is left out/);
		expect(texts['docker-compose.sysbox.yml']).toMatch(/# mem_limit is left out/);
		expect(texts['docker-compose.sysbox.yml']).toMatch(/# pids_limit is left out/);
		expect(texts['gitlab-runner.config.toml']).toMatch(/# cpus is left out/);
		expect(texts['gitlab-runner.config.toml']).not.toMatch(/^\s*(service_)?(cpus|memory)/m);
	});

	it('leave out the processors alone where only they are missing', async () => {
		const texts = await textsFor({ info: { CpuCfsQuota: false } }, { 'ci.memory': '2g' });
		const { services } = parseYaml(texts['docker-compose.sysbox.yml'] ?? '', { merge: true });
		expect(services.docker).not.toHaveProperty('cpus');
		expect(services.docker).toMatchObject({ mem_limit: '2g', pids_limit: 4096 });
	});

	it('let job and engine find each other by TLS, and the engine keep its store to itself', async () => {
		const texts = await textsFor({}, {});
		const { services, volumes } = parseYaml(texts['docker-compose.sysbox.yml'] ?? '', { merge: true });
		expect(services.docker.environment).toEqual({ DOCKER_TLS_CERTDIR: '/certs' });
		expect(services.docker.healthcheck.test.join(' ')).toContain('docker run --rm');
		expect(services.job.environment).toEqual({
			DOCKER_HOST: 'tcp://docker:2376',
			DOCKER_TLS_VERIFY: '1',
			DOCKER_CERT_PATH: '/certs/client',
		});
		expect(services.job.volumes).not.toContain('engine-data:/var/lib/docker');
		expect(services.docker.volumes.map((v: string) => v.split(':')[0])).toEqual(Object.keys(volumes));
		expect(services.docker.image).toBe('docker:29-dind');
		expect(services.job.image).toBe('docker:29-cli');
	});

	it('use an image of the operator for both, without options that its entrypoint may not know', async () => {
		const texts = await textsFor({}, { 'ci.image': 'registry.corp/ci/engine:4' });
		const { services } = parseYaml(texts['docker-compose.sysbox.yml'] ?? '', { merge: true });
		expect(services.docker.image).toBe('registry.corp/ci/engine:4');
		expect(services.job.image).toBe('registry.corp/ci/engine:4');
		expect(services.docker).not.toHaveProperty('command');
		const toml = texts['gitlab-runner.config.toml'] ?? '';
		expect(toml).toContain('allowed_services = ["registry.corp/ci/engine:4"]');
	});

	it.each([
		['docker:29-dind', true],
		['docker:29', true],
		['docker:29-dind-alpine3.23', true],
		[`docker:29-dind@sha256:${'a'.repeat(64)}`, true],
		[`docker@sha256:${'a'.repeat(64)}`, true],
		['registry.example/mirror/docker:29-dind', true],
		['localhost:5000/docker:29', true],
		['registry.corp/ci/our:5-dind', true],
		['registry.corp/ci/engine:4', false],
		['alpine:3', false],
		['registry.corp/docker/engine:4', false],
	])('know by its name whether %s starts as docker:dind does, and say if not', async (image, starts) => {
		const { plan, findings } = await lookAt({}, { ...allSystems, 'ci.image': image });
		const compose = textOf(plan.actions.find(({ id }) => id === 'docker-compose.sysbox.yml'));
		const { services } = parseYaml(compose, { merge: true });
		expect(services.docker.command !== undefined).toBe(starts);
		expect(named(findings, 'ci.image')?.severity).toBe(starts ? undefined : 'warn');
		// A shell, whatever the image starts by itself.
		expect([services.job.entrypoint, services.job.command]).toEqual([['env'], ['sh']]);
	});

	it('are not made from an answer that names an image without an engine', async () => {
		const { plan, findings } = await lookAt({}, { 'ci.image': 'docker:29-cli' });
		expect(plan.actions).toEqual([]);
		expect(named(findings, 'input.ci')).toMatchObject({ severity: 'block' });
	});

	it('hold no token, and say where it goes', async () => {
		const texts = await textsFor({}, {});
		const toml = texts['gitlab-runner.config.toml'] ?? '';
		expect(parseToml(toml)['runners']).toMatchObject([{ token: 'GIVEN-TO-REGISTER' }]);
		expect(toml).toContain('CI_SERVER_TOKEN');
		expect(texts['docker-compose.jenkins-agent.yml']).toContain(`${'$'}{JENKINS_AGENT_SECRET:?`);
		expect(texts['docker-compose.jenkins-agent.yml']).toContain('JENKINS_URL: http://jenkins.internal:8080/ci');
	});

	it('begin with the line by which a later run knows them', async () => {
		for (const [name, text] of Object.entries(await textsFor({}, {}))) {
			if (name !== 'folder')
				expect([name, text.split('\n')[0]]).toEqual([
					name,
					expect.stringMatching(/^(#|\/\/) Written by sysbox-setup\./),
				]);
		}
	});
});

describe('what already runs', () => {
	const socket = {
		name: 'runner',
		image: 'gitlab/gitlab-runner:v18',
		binds: ['/var/run/docker.sock:/var/run/docker.sock'],
	};

	it("blocks on a CI container that has this host's Docker socket, and keeps the threat's row from being lowered", async () => {
		const { findings, plan } = await lookAt({ containers: [socket] });
		const found = named(findings, 'ci.container.docker-sock');
		expect(found).toMatchObject({ severity: 'block', threat: 'docker-compromise' });
		expect(found?.evidence).toBe(
			'runner (gitlab/gitlab-runner:v18): /var/run/docker.sock is mounted at /var/run/docker.sock',
		);
		// The files are half of the way out, so the block does not stop them from being written.
		expect(found?.remedy?.kind).toBe('planned');
		expect(plan.actions).not.toEqual([]);
	});

	it('says what to do about it once the files are there', async () => {
		const host = ciHost();
		await apply(host, (await look(host)).plan.actions);
		const { findings } = await lookAt({ files: Object.fromEntries(host.files), containers: [socket] });
		expect(named(findings, 'ci.container.docker-sock')?.remedy).toMatchObject({
			kind: 'commands',
			commands: ['docker inspect runner'],
		});
	});

	it('gives a command that shows every container, however many there are', async () => {
		const host = ciHost();
		await apply(host, (await look(host)).plan.actions);
		const commandFor = async (count: number, privileged = false): Promise<string> => {
			const one = privileged ? { ...socket, binds: [], host: { Privileged: true } } : socket;
			const containers = Array.from({ length: count }, (_, n) => ({ ...one, name: `runner-${n}` }));
			const { findings } = await lookAt({ files: Object.fromEntries(host.files), containers });
			const { remedy } = named(findings, `ci.container.${privileged ? 'privileged' : 'docker-sock'}`) ?? {};
			return remedy?.kind === 'commands' ? remedy.commands.join('\n') : '';
		};
		expect(await commandFor(5)).toBe('docker inspect runner-0 runner-1 runner-2 runner-3 runner-4');
		// Asked of a Docker 26.1: it prints a line for each container.
		const all = "docker ps --all --quiet | xargs docker inspect --format '{{.Name}} {{.HostConfig.Runtime}} ";
		expect(await commandFor(6)).toBe(`${all}{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}'`);
		expect(await commandFor(6, true)).toBe(`${all}{{.HostConfig.Privileged}}'`);
	});

	it('puts all containers of one kind into one finding', async () => {
		const { findings } = await lookAt({ containers: [socket, { ...socket, name: 'runner-2' }] });
		const found = findings.filter(f => f.id === 'ci.container.docker-sock');
		expect(found).toHaveLength(1);
		expect(found[0]?.summary).toMatch(/^2 containers are/);
		expect(found[0]?.evidence?.split('\n')).toHaveLength(2);
	});

	it('names the line of the compose file', async () => {
		const file = '/srv/ci/docker-compose.yml';
		const yaml = `services:\n  web:\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n  runner:\n    image: gitlab/gitlab-runner:v18\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n`;
		const labels = {
			'com.docker.compose.project': 'ci',
			'com.docker.compose.service': 'runner',
			'com.docker.compose.project.config_files': file,
		};
		const { findings } = await lookAt({ files: { [file]: yaml }, containers: [{ ...socket, labels }] });
		expect(named(findings, 'ci.container.docker-sock')?.evidence).toContain(`at ${file}:8`);
	});

	it('blocks on a privileged CI container, and not when Sysbox runs it', async () => {
		const dind = { name: 'dind', image: 'docker:28-dind', host: { Privileged: true } };
		const { findings } = await lookAt({ containers: [dind] });
		expect(named(findings, 'ci.container.privileged')).toMatchObject({ severity: 'block', threat: 'container-escape' });
		const held = await lookAt({ containers: [{ ...dind, host: { Privileged: true, Runtime: 'sysbox-runc' } }] });
		expect(named(held.findings, 'ci.container.privileged')).toBeUndefined();
	});

	it('still counts the socket of a container that Sysbox runs', async () => {
		const { findings } = await lookAt({ containers: [{ ...socket, host: { Runtime: 'sysbox-runc' } }] });
		expect(named(findings, 'ci.container.docker-sock')?.severity).toBe('block');
	});

	it.each([
		['host-pid', { host: { PidMode: 'host' } }, 'block'],
		['host-root-mount', { binds: ['/:/host'] }, 'block'],
		['host-mount', { binds: ['/home:/home'] }, 'warn'],
		['host-network', { host: { NetworkMode: 'host' } }, 'warn'],
	])('finds %s of a CI container', async (kind, what, severity) => {
		const { findings } = await lookAt({
			containers: [{ name: 'job', image: 'jenkins/inbound-agent:latest', ...what }],
		});
		expect(named(findings, `ci.container.${kind}`)).toMatchObject({ severity, threat: expect.any(String) });
	});

	it('cannot tell what an unknown privileged container is for, asks, and believes the answer', async () => {
		const containers = [{ name: 'vpn', image: 'corp/vpn:3', host: { Privileged: true } }];
		const before = await lookAt({ containers });
		expect(named(before.findings, 'ci.container.privileged')).toMatchObject({
			severity: 'could-not-tell',
			threat: 'container-escape',
		});
		// Enter and an unattended run take it for CI: the other mistake would call a host safe.
		expect(initialAnswer(question(before.questions, 'ci.containers'))).toEqual(['vpn']);
		const no = await lookAt({ containers }, { 'ci.containers': [] });
		expect(named(no.findings, 'ci.container.privileged')).toBeUndefined();
		expect(named(no.findings, 'ci.container.other')).toMatchObject({ severity: 'info' });
		expect(named(no.findings, 'ci.container.other')).not.toHaveProperty('threat');
		const yes = await lookAt({ containers }, { 'ci.containers': ['vpn'] });
		expect(named(yes.findings, 'ci.container.privileged')?.severity).toBe('block');
	});

	it('keeps an answer that names a container which is gone by now', async () => {
		const containers = [{ name: 'vpn', image: 'corp/vpn:3', host: { Privileged: true } }];
		const { questions } = await lookAt({ containers }, { 'ci.containers': ['old'] });
		expect(answerProblem(question(questions, 'ci.containers'), ['old'])).toBeUndefined();
	});

	it('does not take a reverse proxy for CI', async () => {
		const containers = [{ ...socket, name: 'proxy', image: 'traefik:v3' }];
		const { findings, questions } = await lookAt({ containers });
		expect(named(findings, 'ci.container.docker-sock')).toBeUndefined();
		expect(named(findings, 'ci.container.other')?.evidence).toContain('proxy (traefik:v3)');
		expect(initialAnswer(question(questions, 'ci.containers'))).toEqual([]);
	});

	it('tells a stopped container from one that comes back by itself', async () => {
		const stopped = { ...socket, state: 'exited' as const };
		const { findings } = await lookAt({ containers: [stopped] });
		expect(named(findings, 'ci.container.docker-sock')).toBeUndefined();
		expect(named(findings, 'ci.container.stopped')?.severity).toBe('info');
		const comesBack = await lookAt({ containers: [{ ...stopped, host: { RestartPolicy: { Name: 'always' } } }] });
		expect(named(comesBack.findings, 'ci.container.docker-sock')?.severity).toBe('block');
	});

	it('overlooks the throw-away containers of its own proofs', async () => {
		const { findings } = await lookAt({ containers: [{ ...socket, labels: { 'io.sysbox-setup.run': 'r1' } }] });
		expect(ids(findings).filter(id => id.startsWith('ci.container.'))).toEqual([]);
	});

	it('warns of CI containers without limits', async () => {
		const job = { name: 'job', image: 'alpine:3', labels: { 'com.gitlab.gitlab-runner.job.id': '8812' } };
		const { findings } = await lookAt({ containers: [job] });
		expect(named(findings, 'ci.container.no-limits')).toMatchObject({ severity: 'warn', threat: 'resource-abuse' });
		// GitLab Runner has no key for processes, so that one is not held against its containers.
		expect(named(findings, 'ci.container.no-limits')).toMatchObject({
			summary: 'No limit of memory, processors for CI containers',
			evidence: 'job (alpine:3)',
		});
		const limited = await lookAt({ containers: [{ ...job, host: { Memory: 1e9, NanoCpus: 1e9 } }] });
		expect(named(limited.findings, 'ci.container.no-limits')).toBeUndefined();
	});

	it('says so when nothing reaches the host', async () => {
		const { findings } = await lookAt({ containers: [{ name: 'web', image: 'nginx:1' }] });
		expect(named(findings, 'ci.container')).toMatchObject({ severity: 'ok' });
	});

	it('cannot tell without Docker, for any row', async () => {
		const { findings } = await lookAt({
			dockerSays: { code: 1, stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' },
		});
		expect(findings.filter(f => f.severity === 'could-not-tell').map(f => f.threat)).toEqual([
			'container-escape',
			'docker-compromise',
			'resource-abuse',
		]);
		expect(named(findings, 'ci.container')).toBeUndefined();
	});

	it('says that sysbox-runc is not known yet', async () => {
		const { findings } = await lookAt({ info: { Runtimes: { runc: { path: 'runc' } } } });
		expect(named(findings, 'ci.runtime')?.severity).toBe('info');
	});

	it('says which limits the host lacks', async () => {
		const { findings } = await lookAt({ info: { CpuCfsQuota: false } });
		expect(named(findings, 'ci.limits')).toMatchObject({
			severity: 'warn',
			summary: 'This host cannot limit processors of a container',
		});
		expect(named(findings, 'ci.limits')).not.toHaveProperty('threat');
	});
});

describe('what is configured', () => {
	const toml = `concurrent = 4

[[runners]]
  name = "clean"
  url = "https://git.corp/"
  token = "glrt-abcdefghijklmnop"
  executor = "docker"
  [runners.docker]
    image = "alpine"
    privileged = false

[[runners]]
  name = "dind"
  executor = "docker"
  [runners.docker]
    image = "docker:28"
    privileged = true
    volumes = ["/var/run/docker.sock:/var/run/docker.sock", "/cache"]
`;
	const path = '/etc/gitlab-runner/config.toml';

	it('finds a runner that hands the host to its jobs, by file and line', async () => {
		const { findings } = await lookAt({ files: { [path]: toml } });
		expect(named(findings, 'ci.runner.privileged')).toMatchObject({ severity: 'block', threat: 'container-escape' });
		expect(named(findings, 'ci.runner.privileged')?.evidence).toBe(`${path}:17 (runner "dind"): it is privileged`);
		expect(named(findings, 'ci.runner.docker-sock')?.evidence).toContain(`${path}:18`);
		expect(JSON.stringify(findings)).not.toContain('glrt-');
	});

	it.each([
		['concurrent = 1\n', 'concurrent = 1'],
		['', 'concurrent = 1'],
		['concurrent = 2\n', undefined],
	])('tells where a runner here takes fewer jobs at once than that of the files: %j', async (line, evidence) => {
		const config = `${line}[[runners]]\n  name = "a"\n  executor = "docker"\n`;
		const { findings } = await lookAt({ files: { [path]: config } }, { ...allSystems, 'ci.memory': '3g' });
		const found = named(findings, 'ci.runner.concurrent');
		expect(found?.evidence).toBe(evidence && `${path}: ${evidence}`);
		if (evidence) expect(found?.remedy?.text).toContain('set concurrent = 2 at the top');
		// Where the runner of the files is not asked for, or takes one job, there is nothing to raise.
		for (const answers of [{ 'ci.systems': ['compose'] }, { ...allSystems, 'ci.memory': '6g' }]) {
			const other = await lookAt({ files: { [path]: config } }, answers);
			expect(named(other.findings, 'ci.runner.concurrent')).toBeUndefined();
		}
	});

	it('accepts a privileged runner under Sysbox, which holds it', async () => {
		const held = toml
			.replace('privileged = true', 'privileged = true\n    runtime = "sysbox-runc"')
			.replace('"/var/run/docker.sock:/var/run/docker.sock", ', '');
		const { findings } = await lookAt({ files: { [path]: held } });
		expect(ids(findings).filter(id => id.startsWith('ci.runner'))).toEqual(['ci.runner.no-limits']);
	});

	it('names the limits that the jobs of a runner lack, and takes a control group for one of processes', async () => {
		const limits = 'memory = "1g"\n    service_memory = "1g"\n    cpus = "1"\n    service_cpus = "1"\n';
		const groups = 'cgroup_parent = "ci-jobs.slice"\n    service_cgroup_parent = "ci-jobs.slice"\n';
		const one = (more: string): string =>
			`[[runners]]\n  name = "ci-07"\n  executor = "docker"\n  [runners.docker]\n    runtime = "sysbox-runc"\n    ${more}`;
		const lacking = async (files: Readonly<Record<string, string>>) =>
			named((await lookAt({ files })).findings, 'ci.runner.no-limits');
		expect(await lacking({ [path]: one(limits) })).toMatchObject({
			severity: 'warn',
			threat: 'resource-abuse',
			summary: 'No limit of processes for GitLab jobs',
			evidence: `${path}:1, runner "ci-07"`,
		});
		expect((await lacking({ [path]: one('memory = "1g"\n') }))?.summary).toBe(
			'No limit of memory for services, processors, processes for GitLab jobs',
		);
		const slice = '/sys/fs/cgroup/ci.slice/ci-jobs.slice/pids.max';
		expect(await lacking({ [path]: one(limits + groups), [slice]: '4096\n' })).toBeUndefined();
		expect((await lacking({ [path]: one(limits + groups), [slice]: 'max\n' }))?.summary).toContain('processes');
		expect((await lacking({ [path]: one(limits + groups) }))?.summary).toContain('processes');
	});

	it('does not take a runner whose Docker is another machine, or its own container, for one of this host', async () => {
		const remote = toml.replace('image = "docker:28"', 'image = "docker:28"\n    host = "tcp://build.corp:2376"');
		const { findings } = await lookAt({ files: { [path]: remote } });
		expect(named(findings, 'ci.runner.privileged')).toBeUndefined();
		const inside = {
			name: 'runner',
			image: 'gitlab/gitlab-runner:v18',
			binds: ['/srv/runner:/etc/gitlab-runner'],
			host: { Runtime: 'sysbox-runc' },
		};
		const { facts } = await look(ciHost({ files: { '/srv/runner/config.toml': toml }, containers: [inside] }));
		expect(entriesOf(facts).map(entry => entry.kind)).toEqual(['container']);
	});

	it('reads the configuration of a runner that runs in a container', async () => {
		const { findings } = await lookAt({
			files: { '/srv/runner/config.toml': toml },
			containers: [{ name: 'runner', image: 'gitlab/gitlab-runner:v18', binds: ['/srv/runner:/etc/gitlab-runner'] }],
		});
		expect(named(findings, 'ci.runner.privileged')?.evidence).toContain('/srv/runner/config.toml:17');
	});

	it('cannot tell when only root may read it', async () => {
		const { findings } = await lookAt({ files: { [path]: toml }, denied: [path] });
		const unseen = findings.filter(f => f.id.startsWith('ci.unseen.'));
		expect(unseen.map(f => [f.threat, f.needsRoot])).toEqual([
			['container-escape', true],
			['docker-compromise', true],
		]);
	});

	it('cannot tell when it is not TOML', async () => {
		const { findings } = await lookAt({ files: { [path]: '[[runners]\n' } });
		expect(named(findings, 'ci.unseen.container-escape')?.evidence).toContain('is not TOML');
	});

	it('cannot tell where the jobs of a runner with an executor of its own run', async () => {
		const custom = '[[runners]]\n  name = "vms"\n  executor = "custom"\n';
		const { findings, facts } = await look(ciHost({ files: { [path]: custom } }));
		expect(named(findings, 'ci.runner.shell')).toBeUndefined();
		expect(named(findings, 'ci.runner.no-limits')).toBeUndefined();
		expect(entriesOf(facts)).toEqual([]);
		expect(findings.filter(f => f.id.startsWith('ci.unseen.')).map(f => f.evidence)).toEqual([
			`${path}:3 (runner "vms"): programs of its own decide where its jobs run`,
			`${path}:3 (runner "vms"): programs of its own decide where its jobs run`,
		]);
	});

	it.each([
		['docker', 'docker', 'tcp://127.0.0.1:2375', "it uses the Docker at tcp://127.0.0.1:2375, which is this host's"],
		['docker', 'docker', 'tcp://localhost:2376', 'it uses the Docker at tcp://localhost:2376'],
		['docker', 'docker', 'ssh://ci@[::1]', 'it uses the Docker at ssh://ci@[::1]'],
		['ssh', 'ssh', 'localhost', 'it logs in at localhost for its jobs'],
	])('cannot tell whether %s at an address of this host itself is elsewhere (%s.host %s)', async (...given) => {
		const [executor, section, host, why] = given;
		const text = `[[runners]]\n  name = "a"\n  executor = "${executor}"\n  [runners.${section}]\n    host = "${host}"\n`;
		const { findings } = await look(ciHost({ files: { [path]: text } }));
		const unseen = findings.filter(f => f.id.startsWith('ci.unseen.'));
		expect(unseen.length).toBe(2);
		for (const { evidence } of unseen) expect(evidence).toContain(`${path}:3 (runner "a"): ${why}`);
	});

	it.each([
		['docker', 'docker', 'tcp://build-2:2376', 'its jobs run in the Docker at tcp://build-2:2376'],
		['ssh', 'ssh', 'build-2', 'its jobs run on build-2, by SSH'],
	])('names a runner whose jobs run on another machine by its address (%s)', async (executor, section, host, why) => {
		const text = `[[runners]]\n  name = "a"\n  executor = "${executor}"\n  [runners.${section}]\n    host = "${host}"\n    privileged = true\n`;
		const { findings, facts } = await look(ciHost({ files: { [path]: text } }));
		expect(ids(findings).filter(id => id.startsWith('ci.runner') || id.startsWith('ci.unseen'))).toEqual([
			'ci.runner.elsewhere',
		]);
		expect(named(findings, 'ci.runner.elsewhere')).toMatchObject({
			severity: 'info',
			evidence: `${path}:3 (runner "a"): ${why}`,
		});
		expect(entriesOf(facts)).toEqual([]);
	});

	it.each([
		...['docker+machine', 'docker-autoscaler', 'instance', 'kubernetes'],
		// Virtual machines of this host: their kernel is their own, and no Docker of the host is given to them.
		...['virtualbox', 'parallels'],
	])('names the runners of %s, and does not take their jobs for jobs of this host', async executor => {
		const elsewhere = toml.replaceAll('executor = "docker"', `executor = "${executor}"`);
		const { findings, facts } = await look(ciHost({ files: { [path]: elsewhere } }));
		expect(ids(findings).filter(id => id.startsWith('ci.runner') || id.startsWith('ci.unseen'))).toEqual([
			'ci.runner.elsewhere',
		]);
		const { evidence, summary } = named(findings, 'ci.runner.elsewhere') ?? {};
		expect(summary).toContain('The jobs of 2 GitLab runners');
		expect(evidence?.split('\n').map(line => line.split(': its jobs run ')[0])).toEqual([
			`${path}:7 (runner "clean")`,
			`${path}:14 (runner "dind")`,
		]);
		expect(entriesOf(facts)).toEqual([]);
	});

	it.each([
		['', 1, 'it names no executor, so nothing tells where its jobs run'],
		['  executor = "constructor"\n', 3, 'this tool does not know the executor "constructor"'],
		['  executor = "podman-farm"\n', 3, 'this tool does not know the executor "podman-farm"'],
		// The runner logs in at localhost then.
		['  executor = "ssh"\n', 3, 'it logs in at localhost for its jobs'],
	])('cannot tell where the jobs of a runner run whose executor is %j', async (executor, line, why) => {
		const text = `[[runners]]\n  name = "a"\n${executor}`;
		const { findings } = await look(ciHost({ files: { [path]: text } }));
		expect(named(findings, 'ci.runner.elsewhere')).toBeUndefined();
		const unseen = findings.filter(f => f.id.startsWith('ci.unseen.'));
		expect(unseen.length).toBe(2);
		for (const { evidence } of unseen) expect(evidence).toContain(`${path}:${line} (runner "a"): ${why}`);
	});

	it("names jobs that run on the host, and blocks when they may use this host's Docker", async () => {
		const shell = '[[runners]]\n  name = "sh"\n  executor = "shell"\n';
		const plain = await lookAt({ files: { [path]: shell, '/etc/group': 'docker:x:999:anna\n' } });
		expect(named(plain.findings, 'ci.runner.shell')).toMatchObject({
			severity: 'warn',
			evidence: `${path}:3 (runner "sh")`,
		});
		const member = await lookAt({
			files: { [path]: shell, '/etc/group': 'root:x:0:\ndocker:x:999:anna,gitlab-runner\n' },
		});
		expect(named(member.findings, 'ci.runner.shell')).toMatchObject({ severity: 'block', threat: 'docker-compromise' });
	});
});

const entriesOf = (facts: unknown): readonly EntryPoint[] =>
	step.observe?.(facts).find(({ key }) => key === entryPointsKey)?.value as EntryPoint[];

describe('the entry points of CI', () => {
	const github = 'actions.runner.acme-app.ci-07.service';
	const passwd = 'root:x:0:0::/root:/bin/sh\nrunner:x:1001:1001::/home/runner:/bin/sh\n';
	const files = { '/etc/passwd': passwd, '/etc/group': 'root:x:0:\ndocker:x:999:runner\nrunner:x:1001:\n' };

	it('finds an agent that runs as a service in group docker, and keeps the row of the daemon from being lowered', async () => {
		const units = { [github]: { User: 'runner' } };
		const { facts, findings } = await look(ciHost({ files, units }));
		expect(entriesOf(facts)).toEqual([
			{
				kind: 'service',
				name: 'GitHub Actions runner',
				where: github,
				sysbox: 'no',
				access: ['docker-sock: its user runner (groups: docker, runner) may use docker.sock'],
				lacks: ['memory', 'processors'],
			},
		]);
		expect(named(findings, 'ci.service.docker-sock')).toMatchObject({
			severity: 'block',
			threat: 'docker-compromise',
			evidence: `${github} (GitHub Actions runner): its user runner (groups: docker, runner) may use docker.sock`,
		});
		expect(named(findings, 'ci.service.host-root')).toBeUndefined();
		expect(named(findings, 'ci.container')).toBeUndefined();
	});

	it.each([
		[github, 'GitHub Actions runner'],
		['jenkins-agent.service', 'Jenkins'],
		['buildkite-agent.service', 'Buildkite agent'],
		['circleci-runner.service', 'CircleCI runner'],
		['act_runner.service', 'Gitea runner'],
		['forgejo-runner.service', 'Forgejo runner'],
		['woodpecker-agent.service', 'Woodpecker agent'],
		['drone-runner-exec.service', 'Drone runner'],
		['vsts.agent.acme.Default.ci\\x2d07.service', 'Azure Pipelines agent'],
		['teamcity-agent.service', 'TeamCity agent'],
	])('knows %s', async (unit, system) => {
		const { facts, findings } = await look(ciHost({ files, units: { [unit]: {} } }));
		expect(entriesOf(facts)).toMatchObject([{ kind: 'service', name: system, where: unit }]);
		// Without User= it is root.
		expect(named(findings, 'ci.service.host-root')).toMatchObject({ severity: 'block', threat: 'container-escape' });
		expect(named(findings, 'ci.service.docker-sock')).toMatchObject({ threat: 'docker-compromise' });
	});

	it.each([
		['by its own group', { User: 'ci' }, 'ci:x:1002:999::/:/bin/sh\n', 'docker:x:999:\n', true],
		[
			'by the group of its unit',
			{ User: 'ci', SupplementaryGroups: 'docker' },
			'ci:x:1002:1002::/:/bin/sh\n',
			'docker:x:999:\n',
			true,
		],
		['by no group', { User: 'ci' }, 'ci:x:1002:1002::/:/bin/sh\n', 'docker:x:999:anna\n', false],
	])('tells whether the user of a service may use Docker: %s', async (_, unit, user, group, may) => {
		const host = ciHost({
			files: { '/etc/passwd': user, '/etc/group': group },
			units: { 'buildkite-agent.service': unit },
		});
		const { findings } = await look(host);
		expect(named(findings, 'ci.service.docker-sock') !== undefined).toBe(may);
		expect(named(findings, 'ci.service')?.severity).toBe('warn');
	});

	it('cannot tell of a user that /etc/passwd does not have, and of services without systemd', async () => {
		const ldap = await lookAt({ files, units: { 'buildkite-agent.service': { User: 'svc-ci' } } });
		expect(named(ldap.findings, 'ci.unseen.docker-compromise')?.evidence).toBe(
			'buildkite-agent.service: its user svc-ci is not in /etc/passwd, so its groups are not known',
		);
		const none = await lookAt({
			systemctlSays: { code: 1, stderr: 'System has not been booted with systemd as init system (PID 1).' },
		});
		expect(named(none.findings, 'ci.unseen.container-escape')?.evidence).toContain('services:');
	});

	it('leaves out services that are neither running nor enabled, and those that only start a container', async () => {
		const off = { ActiveState: 'inactive', UnitFileState: 'disabled' };
		const starts = { ExecStart: '{ path=/usr/bin/docker ; argv[]=/usr/bin/docker run agent ; ignore_errors=no ; }' };
		const { facts } = await look(
			ciHost({ units: { [github]: off, 'buildkite-agent.service': starts, 'nginx.service': {} } }),
		);
		expect(entriesOf(facts)).toEqual([]);
	});

	it('reads the configuration that the unit of GitLab Runner names, and takes its user for shell jobs', async () => {
		const exec =
			'{ path=/usr/bin/gitlab-runner ; argv[]=/usr/bin/gitlab-runner run --config /srv/gl/config.toml --user builder ; ignore_errors=no ; }';
		const toml = '[[runners]]\n  name = "sh"\n  executor = "shell"\n';
		const host = (group: string) =>
			ciHost({
				files: {
					'/srv/gl/config.toml': toml,
					'/etc/passwd': 'builder:x:1003:1003::/:/bin/sh\n',
					'/etc/group': group,
				},
				units: { 'gitlab-runner.service': { ExecStart: exec } },
			});
		const { facts, findings } = await look(host('docker:x:999:builder\n'));
		expect(entriesOf(facts)).toMatchObject([
			{ kind: 'runner', name: "gitlab-runner 'sh'", where: '/srv/gl/config.toml:1', sysbox: 'no' },
		]);
		expect(named(findings, 'ci.runner.shell')?.severity).toBe('block');
		const plain = await look(host('docker:x:999:gitlab-runner\n'));
		expect(named(plain.findings, 'ci.runner.shell')?.severity).toBe('warn');
	});

	it('tells by the runtime whether a runner and a container use Sysbox, and by the default where they name none', async () => {
		const toml = (runtime: string): string =>
			`[[runners]]\n  name = "ci-07"\n  executor = "docker"\n  [runners.docker]\n    ${runtime}\n`;
		const containers = [{ name: 'agent', image: 'jenkins/inbound-agent:latest', host: { Runtime: 'sysbox-runc' } }];
		const seen = async (runtime: string, info = {}) => {
			const host = ciHost({ files: { '/etc/gitlab-runner/config.toml': toml(runtime) }, containers, info });
			return entriesOf((await look(host)).facts).map(({ name, where, sysbox }) => [name, where, sysbox]);
		};
		const agent = ["container 'agent'", 'jenkins/inbound-agent:latest', 'yes'];
		const runner = (sysbox: string) => ["gitlab-runner 'ci-07'", '/etc/gitlab-runner/config.toml:1', sysbox];
		expect(await seen('runtime = "sysbox-runc"')).toEqual([runner('yes'), agent]);
		expect(await seen('')).toEqual([runner('no'), agent]);
		expect(await seen('', { DefaultRuntime: 'sysbox-runc' })).toEqual([runner('yes'), agent]);
	});

	it.each([
		[{ name: 'ci-runner-2' }],
		[{ name: 'x', labels: { 'com.docker.compose.project': 'p', 'com.docker.compose.service': 'jenkins-agent' } }],
		[{ name: 'x', command: ['/usr/local/bin/buildkite-agent', 'start'] }],
	])('knows the container of an image of your own by its name, service or command: %o', async container => {
		const { facts } = await look(ciHost({ containers: [{ image: 'corp/tools:4', ...container }] }));
		expect(entriesOf(facts)).toMatchObject([{ kind: 'container', sysbox: 'no' }]);
	});

	it('takes no other container for CI, unless you say so', async () => {
		const containers = [
			{ name: 'web', image: 'nginx:1' },
			{ name: 'vpn', image: 'corp/vpn:3', host: { Privileged: true } },
		];
		expect(entriesOf((await look(ciHost({ containers }))).facts)).toEqual([]);
		const { facts } = await look(ciHost({ containers }), { 'ci.containers': ['vpn'] });
		expect(entriesOf(facts)).toMatchObject([{ name: "container 'vpn'", access: ['privileged: it is privileged'] }]);
	});
});
