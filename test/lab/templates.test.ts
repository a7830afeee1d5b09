/**
 * Every command in the comments of the written CI files, every line that they tell to copy, and every script that they
 * hold, run as it stands there on a lab host: taken out of the rendered files, not copied here.
 *
 * Stand-ins, as no image registry is reachable: docker:29-dind, docker:29-cli and jenkins/inbound-agent are images under
 * those names, built by the rules of their entry points (ci-images/); gitlab-runner is a script that takes what
 * `gitlab-runner register --help` lists and writes config.toml as the real one does; a GitLab job's containers are
 * started as GitLab Runner starts them. Sysbox is the lab's stand-in. Compose, dockerd, BuildKit and TLS are real.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { jenkinsAgentImage } from '../../src/knowledge/images.ts';
import { type TemplateName, templateTexts } from '../../src/templates.ts';
import { renderFiles } from '../../steps/ci/rendered-files.ts';
import { type Settings, systems } from '../../steps/ci/settings.ts';
import { type ExecOptions, type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const templates = await templateTexts();
const settings: Settings = {
	engineImage: 'docker:29-dind',
	clientImage: 'docker:29-cli',
	jenkinsAgentImage,
	pinned: false,
	startsAsDind: true,
	memory: '1g',
	cpus: 1,
	pids: 4096,
	startInterval: true,
	// A lab host with cgroup v2 has none of them.
	limits: { memory: false, cpu: false, pids: false },
	gitlabJobs: 3,
	gitlabUrl: 'https://gitlab.example.com/',
	jenkinsUrl: 'https://jenkins.example.com/',
};
const rendered = (over: Partial<Settings> = {}): Readonly<Record<string, string>> =>
	Object.fromEntries(
		renderFiles(templates, { ...settings, ...over }, systems).map(({ kind, text }) => [kind.name, text]),
	);
const files = rendered();
const text = (name: TemplateName): string => files[name] ?? '';

/** What comments set off: each run of lines behind `#` and three blanks, without them. */
const blocksOf = (file: string): readonly string[] =>
	[...file.matchAll(/(?:^[ \t]*(?:#|\/\/) {3}.*\n)+/gm)].map(([block]) => block.replace(/^[ \t]*(?:#|\/\/) {3}/gm, ''));
const blocks = Object.values(files).flatMap(blocksOf);
const taken = new Set<string>();
/** The one block that begins so. */
function block(begins: string): string {
	const [found, ...more] = blocks.filter(each => each.startsWith(begins));
	if (found === undefined || more.length > 0) throw new Error(`${more.length + 1} blocks begin with ${begins}`);
	taken.add(found);
	return found;
}
const linesOf = (commands: string): readonly string[] =>
	commands
		.replaceAll('\\\n', ' ')
		.split('\n')
		.filter(line => line !== '');

/** A project as a job has it: what it builds needs BuildKit, and starts a container. */
const dockerfile = [
	'FROM base:1',
	'SHELL ["/busybox", "sh", "-c"]',
	'RUN --mount=type=cache,target=/cache echo built >/cache/made && /busybox cp /cache/made /made',
	'',
].join('\n');
const checkout = `cat >Dockerfile <<'END'\n${dockerfile}END\necho from-the-job >file\n`;
/** Nothing can be pulled, so the base image is made of the job's own busybox. */
const base = 'tar -ch -C /usr/bin busybox | docker import - base:1\n';
const used = (image: string): string =>
	`docker run --rm ${image} /busybox cat /made; docker run --rm -v "$PWD":/src base:1 /busybox cat /src/file; docker compose version\n`;

describe.skipIf(!lab.available)('the written CI files', () => {
	let host: LabHost;
	const sh = (script: string, options: ExecOptions = {}) =>
		host.exec(['bash', '-euo', 'pipefail', '-c', script], { cwd: '/srv/ours', timeoutMs: 90_000, ...options });

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'templates' });
		await host.loadImages('busybox', 'ci-images');
		await host.writeFile(
			'/etc/docker/daemon.json',
			JSON.stringify({ bip: '172.30.0.1/16', 'default-address-pools': [{ base: '172.31.0.0/16', size: 24 }] }),
		);
		await host.exec(['systemctl', 'restart', 'docker']);
		const { path } = await host.putPackage();
		await host.exec(['apt-get', 'install', '-y', path], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
		await host.copyIn(new URL('ci-images', import.meta.url).pathname, '/root/ci-images');
		await host.exec(['/root/ci-images/build', settings.engineImage, settings.clientImage, jenkinsAgentImage]);
		// Not the name of the default directory: what the files say must hold in any.
		for (const [name, content] of Object.entries(files)) await host.writeFile(`/srv/ours/${name}`, content);
		await host.writeFile('/srv/ours/.env', 'JENKINS_AGENT_SECRET=of-this-agent\n');
	}, 16 * 60_000);
	afterAll(async () => host?.remove());

	/** No container can start in it any more, and its `docker info` still answers. */
	const breakEngine = (engine: string) =>
		host.exec(['docker', 'exec', engine, 'mv', '/usr/sbin/runc', '/usr/sbin/away']);
	const mendEngine = (engine: string) =>
		host.exec(['docker', 'exec', engine, 'mv', '/usr/sbin/away', '/usr/sbin/runc']);

	it('Compose: an engine starts, and a shell drives it', async () => {
		const [up = '', job = ''] = linesOf(block('docker compose -f docker-compose.sysbox.yml up'));
		await sh(up);
		const { stdout } = await sh(job, {
			input: `set -e\n${checkout}${base}docker build -q -t app:1 .\n${used('app:1')}`,
		});
		expect(stdout).toMatch(/^built\nfrom-the-job\nDocker Compose version/m);
	});

	it('Compose: the engine is healthy only while a container starts in it, and the check leaves nothing', async () => {
		const engine = (await sh('docker compose -f docker-compose.sysbox.yml ps -q docker')).stdout.trim();
		const test: readonly string[] = JSON.parse(
			(await sh(`docker inspect -f '{{json .Config.Healthcheck.Test}}' ${engine}`)).stdout,
		);
		const inside = (...argv: readonly string[]) => host.exec(['docker', 'exec', engine, ...argv], { reject: false });
		const check = () => inside(...test.slice(1));
		expect((await check()).code).toBe(0);
		expect((await inside('docker', 'ps', '-aq')).stdout).toBe('');
		// Even if a job prunes its images.
		await inside('docker', 'image', 'prune', '-af');
		expect((await check()).code).toBe(0);

		await breakEngine(engine);
		expect((await inside('docker', 'info')).code).toBe(0);
		expect((await check()).code).not.toBe(0);
		await mendEngine(engine);
		expect((await check()).code).toBe(0);
		expect((await inside('docker', 'ps', '-aq')).stdout).toBe('');
	});

	it('Compose: a service of another file reaches the engine by the lines to copy', async () => {
		const lines = parse(block('services:').replace('SERVICE:', 'builder:'));
		Object.assign(lines.services.builder, { image: 'docker:29-cli', command: ['sleep', '1000'] });
		await host.writeFile('/srv/theirs/docker-compose.yml', stringify(lines));
		const compose = (args: string, options: ExecOptions = {}) =>
			sh(`docker compose ${args}`, { ...options, cwd: '/srv/theirs' });
		await compose('up -d');
		const { stdout } = await compose('exec -T -w /workspace builder sh -e', {
			input: `${base}docker build -q -t theirs:1 .\n${used('theirs:1')}`,
		});
		expect(stdout).toMatch(/^built\nfrom-the-job$/m);
		await compose('down -t 0');
	});

	it('Compose: `job` is a shell with an image named by digest, and with any other tag', async () => {
		await sh('docker run -d --name registry -p 5000:5000 lab/registry:1');
		await sh('docker tag docker:29-dind localhost:5000/docker:29-dind && docker push -q localhost:5000/docker:29-dind');
		const pinned = (await sh(block('docker image inspect'))).stdout.trim();
		expect(pinned).toMatch(/^localhost:5000\/docker@sha256:[0-9a-f]{64}$/);
		await sh('docker tag docker:29-dind docker:29-dind-alpine3.23');
		await sh('docker build -q -t corp/engine:4 - <<<$\'FROM docker:29-dind\\nENTRYPOINT ["dockerd"]\'');
		for (const image of [pinned, 'docker:29-dind-alpine3.23', 'corp/engine:4']) {
			const other = rendered({ engineImage: image, clientImage: image })['docker-compose.sysbox.yml'] ?? '';
			await host.writeFile('/srv/other/docker-compose.sysbox.yml', other);
			const [, job = ''] = linesOf(blocksOf(other)[0] ?? '');
			const { stdout } = await sh(job.replace(' job', ' --no-deps job'), {
				cwd: '/srv/other',
				input: 'echo a shell; pidof dockerd || echo no second engine\n',
			});
			expect(stdout).toBe('a shell\nno second engine\n');
		}
		await sh('docker compose -f docker-compose.sysbox.yml --profile job down -t 1');
	});

	it('Jenkins: the agent starts with command, plugins and certificates, and runs the pipeline', async () => {
		await sh(linesOf(block('docker compose -f docker-compose.jenkins-agent.yml')).join('\n'));
		const agent = (await sh('docker compose -f docker-compose.jenkins-agent.yml ps -q agent')).stdout.trim();
		expect((await sh(`docker logs ${agent}`)).stdout).toContain('agent sysbox of https://jenkins.example.com/');
		const workspace = '/home/jenkins/agent/workspace/app';
		const step = (script: string) =>
			host.exec(['docker', 'exec', '-i', '-w', workspace, '-e', 'BUILD_NUMBER=7', agent, 'sh', '-e'], {
				input: script,
				timeoutMs: 60_000,
			});
		await host.exec(['docker', 'exec', agent, 'mkdir', '-p', workspace]);
		expect((await step('id -u')).stdout).toBe('1000\n');
		const scripts = [...text('Jenkinsfile.sysbox').matchAll(/\bsh (?:'''([\s\S]*?)'''|'([^']*)')/g)].map(
			([, long, short]) => long ?? short ?? '',
		);
		expect(scripts).toHaveLength(2);
		const [engine = '', build = ''] = scripts;
		await step(engine);
		await step(engine);
		const inside = (await sh('docker compose -f docker-compose.jenkins-agent.yml ps -q jenkins-engine')).stdout.trim();
		await breakEngine(inside);
		const broken = host.exec(['docker', 'exec', '-i', agent, 'sh', '-e'], { input: engine, reject: false });
		expect(await broken).toMatchObject({
			code: 1,
			stdout: expect.stringContaining("no container starts in this agent's Docker"),
		});
		await mendEngine(inside);
		await step(checkout + base);
		await step(build);
		expect((await step(used('app:7'))).stdout).toMatch(/^built\nfrom-the-job\nDocker Compose version/m);
		await sh('docker compose -f docker-compose.jenkins-agent.yml down -t 1');
	});

	it('GitLab: the runner is registered, on the host and in a container, and may take its jobs', async () => {
		await host.writeFile('/usr/local/bin/gitlab-runner', gitlabRunner, 0o755);
		const config = '/etc/gitlab-runner/config.toml';
		const raise = linesOf(block('sudo sed'));
		await sh(block('read -rs'), { input: 'glrt-typed\n' });
		expect((await host.readFile(config)).toString()).toMatch(/^concurrent = 1\n[\s\S]*token = "glrt-typed"/);
		for (const line of raise) await sh(line);
		expect((await host.readFile(config)).toString()).toMatch(/^concurrent = 3\n/);

		await sh('docker run -d --name in-a-container lab/busybox:1 sleep 1000');
		await sh('docker cp /usr/local/bin/gitlab-runner in-a-container:/usr/bin/');
		const named = (commands: string): string => commands.replaceAll('NAME', 'in-a-container');
		await sh(named(block('docker cp')), { env: { CI_SERVER_TOKEN: 'glrt-exported' } });
		for (const line of linesOf(block('docker exec NAME sed'))) await sh(named(line));
		const inside = (await sh(`docker exec in-a-container cat ${config}`)).stdout;
		expect(inside).toMatch(/^concurrent = 3\n[\s\S]*token = "glrt-exported"/);
		await sh('docker rm -f in-a-container');
	});

	it('GitLab: the example job waits for its engine and builds', async () => {
		const { build } = parse(text('gitlab-ci.example.yml'));
		const [service] = build.services;
		const variables: readonly string[] = Object.entries({ ...build.variables, ...service.variables }).flatMap(
			([name, value]) => ['-e', `${name}=${value}`],
		);
		// As GitLab Runner: both containers have the runner's volumes and the builds; the job before has left its certificates.
		const common = ['--network', 'build', '--runtime', 'sysbox-runc', '-v', 'slot-0-certs:/certs/client'];
		common.push('-v', 'builds:/builds', ...variables);
		await sh('docker network create build');
		await sh(
			'docker run --rm -v slot-0-certs:/c lab/busybox:1 sh -c "for f in ca cert key; do echo old >/c/\\$f.pem; done"',
		);
		const script = [
			'set -eo pipefail; echo begun',
			...build.before_script,
			checkout + base,
			...build.script,
			used('app'),
		];
		// GitLab Runner waits a while for the port of the service, and goes on without it: here it comes after the job.
		const serve = ['docker', 'run', '-d', '--network-alias', service.alias, ...common, service.name];
		let served: Promise<unknown> | undefined;
		const job = host.spawn(['docker', 'run', '-i', '--rm', '-w', '/builds/app', ...common, build.image, 'sh'], {
			input: script.join('\n'),
			timeoutMs: 90_000,
			onStdoutLine(line) {
				if (line === 'begun') served = host.exec(serve);
			},
		});
		const { code, stdout, stderr } = await job.done;
		await served;
		expect(code, stdout + stderr).toBe(0);
		expect(stdout).toMatch(/^built\nfrom-the-job\nDocker Compose version/m);

		await breakEngine((await sh('docker ps -q --filter network=build')).stdout.trim());
		const next = await host.exec(['docker', 'run', '-i', '--rm', ...common, build.image, 'sh'], {
			input: ['set -eo pipefail', ...build.before_script, 'echo gone on'].join('\n'),
			timeoutMs: 90_000,
			reject: false,
		});
		expect(next.code, next.stderr).toBe(1);
		expect(next.stdout).toContain("no container starts in this job's Docker");
		expect(next.stdout).not.toContain('gone on');
	});

	it('hold no other command or line to copy than those that were run here', () => {
		expect(blocks.filter(each => !taken.has(each))).toEqual([]);
	});
});

/** Takes those of the flags of `gitlab-runner register --help` (19.3) that a line of ours may use, and no other. */
const gitlabRunner = `#!/bin/sh
# STAND-IN for gitlab-runner, for tests.
set -eu
[ "$1" = register ] || exit 64
shift
template=
while [ $# -gt 0 ]; do
	case $1 in
	--template-config) template=$2; shift 2 ;;
	--url | --executor | --docker-image | --name | --description) shift 2 ;;
	--non-interactive) shift ;;
	*) echo "flag provided but not defined: $1" >&2; exit 1 ;;
	esac
done
[ -n "$CI_SERVER_TOKEN" ] && [ -r "$template" ]
mkdir -p /etc/gitlab-runner
{ echo 'concurrent = 1'; sed "s/GIVEN-TO-REGISTER/$CI_SERVER_TOKEN/" "$template"; } >/etc/gitlab-runner/config.toml
`;
