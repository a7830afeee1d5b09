import { execFile, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from './bundled.mjs';
import { interleavedLater, ms, ratio } from './measure.mjs';

const count = 1000;

/**
 * The impact sheet of many containers, against the bare `docker inspect` of them: the real docker client, which asks for
 * each container by a request of its own, talks to an engine that is a file of answers.
 */
export async function impact(bench) {
	const { folder, row } = bench;
	const what = `impact sheet of ${count.toLocaleString('en')} containers / bare \`docker inspect\` of them`;
	if (spawnSync('docker', ['--version'], { stdio: 'ignore' }).status !== 0) {
		row(what, 'not measured: no docker client here', '≤ 1.2', true);
		return;
	}
	const socket = join(folder, 'engine.sock');
	const engine = await fakeEngine(folder, socket);
	process.env.DOCKER_HOST = `unix://${socket}`;
	try {
		const { localHost } = await bundled(bench, 'src/host/local/local-host.ts');
		const { inspectCommand } = await bundled(bench, 'src/docker/daemon.ts');
		const { parseContainers } = await bundled(bench, 'src/docker/container.ts');
		const { impactOfStop } = await bundled(bench, 'src/docker/container-impact.ts');
		const { impactRows } = await bundled(bench, 'src/model/impact.ts');
		const local = localHost();
		let calls = 0;
		const host = {
			exec: (argv, options) => {
				calls += 1;
				return local.exec(argv, options);
			},
		};
		const { signal } = new AbortController();
		const now = new Date();
		const [sheet, bare] = await interleavedLater(9, [
			async () => {
				calls = 0;
				const options = { timeoutMs: 60_000, signal, maxBytes: 64 * 1024 * 1024 };
				const { stdout } = await host.exec(inspectCommand(ids()), options);
				const rows = impactRows(parseContainers(stdout).value.map(c => impactOfStop(c, false, now)));
				if (rows.length !== count + 1) throw new Error(`the sheet has ${rows.length} rows`);
			},
			() =>
				new Promise((resolve, reject) => {
					const options = { maxBuffer: 256 * 1024 * 1024 };
					execFile('docker', ['inspect', ...ids()], options, error => (error ? reject(error) : resolve()));
				}),
		]);
		row(what, `${ratio(sheet / bare)} (${ms(sheet)})`, '≤ 1.2', sheet / bare <= 1.2);
		row('calls of docker for it', String(calls), '1', calls === 1);
	} finally {
		delete process.env.DOCKER_HOST;
		engine.kill();
	}
}

const ids = () => Array.from({ length: count }, (_, n) => (n + 1).toString(16).padStart(64, '0'));

/** An engine of its own process, so that it answers while this one waits. */
async function fakeEngine(folder, socket) {
	const script = join(folder, 'engine.mjs');
	const padding = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`Setting${n}`, `value ${n}`.repeat(5)]));
	writeFileSync(
		script,
		`import { createServer } from 'node:http';
const padding = ${JSON.stringify(padding)};
const inspected = id => ({
	Id: id, Name: '/job-' + id.slice(-4), Image: 'sha256:' + 'a'.repeat(64), Path: 'sleep', Args: ['1'],
	State: { Status: 'running', Running: true, Pid: 4242, StartedAt: '2026-11-23T10:00:00Z' },
	Config: { Image: 'alpine:3', Labels: { 'com.docker.compose.project': 'p', 'com.docker.compose.service': 's' }, Env: Object.values(padding) },
	HostConfig: { Runtime: 'runc', NetworkMode: 'bridge', RestartPolicy: { Name: 'always' }, Binds: [], ...padding },
	Mounts: [], NetworkSettings: { Networks: { bridge: {} } },
});
const all = Array.from({ length: ${count} }, (_, n) => ({ Id: (n + 1).toString(16).padStart(64, '0'), Names: ['/job'], State: 'running' }));
createServer((request, response) => {
	response.setHeader('Api-Version', '1.41');
	response.setHeader('Content-Type', 'application/json');
	const path = request.url.replace(/^\\/v[0-9.]+/, '');
	const id = /^\\/containers\\/([0-9a-f]{64})\\/json/.exec(path)?.[1];
	const answer = id !== undefined ? inspected(id)
		: path.startsWith('/containers/json') ? all
		: path.startsWith('/info') ? { ID: 'bench', ServerVersion: '26.1.5', Runtimes: { runc: {} }, DefaultRuntime: 'runc' }
		: path.startsWith('/version') ? { Version: '26.1.5', ApiVersion: '1.41', Components: [] }
		: path.startsWith('/networks') ? { Name: 'bridge', Id: 'b', IPAM: { Config: [] }, Options: {} }
		: {};
	response.end(path === '/_ping' ? 'OK' : JSON.stringify(answer));
}).listen(${JSON.stringify(socket)}, () => process.stdout.write('ready\\n'));
`,
	);
	const engine = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
	await new Promise((resolve, reject) => {
		engine.stdout.once('data', resolve);
		engine.once('exit', code => reject(new Error(`the engine of the benchmark ended with ${code}`)));
	});
	return engine;
}
