// `npm run bench`: speed as ratios within one run, so that a slow or busy machine gives the same answer. Rounds of what
// is compared alternate, and medians are taken. Ends 1 when a bar is crossed. With `-- --write` the table goes into
// docs/performance.md. Build first: npm run build.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const entry = join(root, 'dist/cli.js');
if (!existsSync(entry)) {
	process.stderr.write('dist/ is not there: npm run build\n');
	process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'sysbox-setup-bench-'));
const rows = [];
let crossed = false;

try {
	starting();
	loading();
	asking();
	await logging();
	await editing();
} finally {
	rmSync(folder, { recursive: true, force: true });
}

const table = [
	['what', 'measured', 'bar', ''],
	['---', '---', '---', '---'],
	...rows.map(({ what, measured, bar, held }) => [what, measured, bar, held ? 'held' : '**crossed**']),
]
	.map(cells => `| ${cells.join(' | ')} |`)
	.join('\n');
process.stdout.write(`${table}\n`);
if (process.argv.includes('--write')) keep(table);
process.exit(crossed ? 1 : 0);

function row(what, measured, bar, held) {
	rows.push({ what, measured, bar, held });
	if (!held) crossed = true;
}

/** How long starting takes, against a Node that does nothing. */
function starting() {
	const empty = join(folder, 'empty.mjs');
	writeFileSync(empty, '');
	const [bare, version, help] = interleaved(25, [
		() => started([empty]),
		() => started([entry, '--version']),
		() => started([entry, '--help']),
	]);
	row('`--version` / an empty program', ratio(version / bare), '≤ 1.25', version / bare <= 1.25);
	row('`--help` / an empty program', ratio(help / bare), '≤ 4', help / bare <= 4);
}

/** Which files of the build are loaded, and whether what draws the wizard is among them. */
function loading() {
	const hook = join(folder, 'hook.mjs');
	writeFileSync(
		hook,
		`import { appendFileSync } from 'node:fs';
		export async function load(url, context, next) {
			appendFileSync(process.env.BENCH_LOADED, url + '\\n');
			return next(url, context);
		}`,
	);
	const register = `data:text/javascript,import { register } from 'node:module'; register(${JSON.stringify(pathToFileURL(hook).href)});`;
	for (const argv of [
		['--version'],
		['check'],
		['--yes', '--demo=old-kernel', '--session-dir', join(folder, 'demo')],
	]) {
		const list = join(folder, `loaded-${rows.length}`);
		writeFileSync(list, '');
		spawnSync(process.execPath, ['--import', register, entry, ...argv], {
			env: { ...process.env, BENCH_LOADED: list },
			stdio: 'ignore',
		});
		const files = readFileSync(list, 'utf8')
			.split('\n')
			.filter(url => url.startsWith(pathToFileURL(join(root, 'dist')).href));
		const texts = files.map(url => readFileSync(new URL(url), 'utf8'));
		const drawing = texts.some(text => /^\/\/ node_modules\/(?:ink|react|react-reconciler|yoga-layout)\//m.test(text));
		const kilobytes = Math.round(texts.reduce((sum, text) => sum + text.length, 0) / 1024);
		row(
			`what \`${argv[0] === '--yes' ? '--yes --demo' : argv[0]}\` loads`,
			`${files.length} ${files.length === 1 ? 'file' : 'files'}, ${kilobytes} KiB, ${drawing ? 'with' : 'no'} Ink`,
			argv[0] === '--version' ? '1 file, no Ink' : 'no Ink',
			files.length > 0 && !drawing && (argv[0] !== '--version' || files.length === 1),
		);
	}
}

/** How often Docker is asked, with few containers and with many. */
function asking() {
	const few = dockerWith(10);
	const many = dockerWith(1000);
	const [fewMs, manyMs] = interleaved(9, [() => few.check(), () => many.check()]);
	row(
		'calls of docker in `check`, 10 / 1,000 containers',
		`${few.calls()} / ${many.calls()}`,
		'equal',
		few.calls() === many.calls() && few.calls() > 0,
	);
	row('time of `check`, 1,000 / 10 containers', ratio(manyMs / fewMs), '≤ 2', manyMs / fewMs <= 2);
}

function dockerWith(count) {
	const bin = join(folder, `docker-${count}`);
	mkdirSync(bin);
	const ids = Array.from({ length: count }, (_, n) => (n + 1).toString(16).padStart(64, '0'));
	const containers = ids.map((Id, n) => ({
		Id,
		Name: `/job-${n}`,
		Image: `sha256:${'a'.repeat(64)}`,
		State: { Status: 'running', Running: true, Pid: 100_000 + n, StartedAt: '2026-11-23T10:00:00Z' },
		Config: { Image: 'alpine:3', Labels: { 'com.docker.compose.project': `p${n}` } },
		HostConfig: { Runtime: 'runc', NetworkMode: 'bridge', RestartPolicy: { Name: 'always' }, Binds: [] },
		Mounts: [],
		NetworkSettings: { Networks: { bridge: {} } },
	}));
	const answers = {
		context: [{ Name: 'default', Endpoints: { docker: { Host: 'unix:///var/run/docker.sock' } } }],
		version: { Client: { Version: '28.5.1' }, Server: { Version: '28.5.1', Components: [] } },
		info: {
			ID: 'bench',
			ServerVersion: '28.5.1',
			OperatingSystem: 'Debian GNU/Linux 13 (trixie)',
			Architecture: 'x86_64',
			DockerRootDir: '/var/lib/docker',
			Driver: 'overlay2',
			Runtimes: { runc: { path: 'runc' } },
			DefaultRuntime: 'runc',
			CgroupDriver: 'systemd',
			CgroupVersion: '2',
			Containers: count,
			ContainersRunning: count,
		},
		network: [{ Id: 'b', IPAM: { Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] }, Options: {} }],
		inspect: containers,
	};
	for (const [name, answer] of Object.entries(answers))
		writeFileSync(join(bin, `${name}.json`), JSON.stringify(answer));
	writeFileSync(join(bin, 'ps.json'), ids.join('\n'));
	const calls = join(bin, 'calls');
	writeFileSync(
		join(bin, 'docker'),
		`#!/bin/sh\necho "$1" >>'${calls}'\nif [ -f '${bin}'/"$1.json" ]; then cat '${bin}'/"$1.json"; else echo "unknown" >&2; exit 1; fi\n`,
	);
	chmodSync(join(bin, 'docker'), 0o755);
	const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
	return {
		check: () => {
			writeFileSync(calls, '');
			return started([entry, 'check', '--format', 'json'], env);
		},
		calls: () => readFileSync(calls, 'utf8').split('\n').length - 1,
	};
}

/** What an event costs that has to survive a power cut, against the bare write and sync of the same bytes. */
async function logging() {
	const { createRunLog } = await bundled('src/state/run-log-files.ts');
	const path = join(folder, 'state');
	mkdirSync(path, { mode: 0o700 });
	const log = await createRunLog(
		{ path, lockFile: join(path, 'lock'), sessionFile: join(path, 's'), runsFolder: join(path, 'runs') },
		'bench',
	);
	const bare = await open(join(folder, 'bare'), 'a');
	let seq = 0;
	const event = () => ({
		v: 1,
		seq: seq++,
		at: '2026-11-24T00:00:00.000Z',
		type: 'output',
		step: 'sysbox',
		action: 'install',
		stream: 'stdout',
		line: 'Setting up sysbox-ce (0.7.0-0.linux) ...',
	});
	const [durable, relaxed, plain] = await interleavedLater(200, [
		() => log.append(event(), { durable: true }),
		() => log.append(event(), { durable: false }),
		async () => {
			await bare.write(`${JSON.stringify(event())}\n`);
			await bare.datasync();
		},
	]);
	await log.close();
	await bare.close();
	row('log: a durable event / bare write and fdatasync', ratio(durable / plain), '≤ 1.5', durable / plain <= 1.5);
	row('log: a durable event, a relaxed one', `${ms(durable)}, ${ms(relaxed)}`, 'relaxed is cheaper', relaxed < durable);
}

/** An edit that keeps every other byte, against reading and writing everything anew. */
async function editing() {
	const { planDaemonJson } = await bundled('src/edit/daemon-json.ts');
	const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key-${n}`, { n, list: ['a', 'b'] }]));
	const text = JSON.stringify(keys, undefined, 4);
	const bytes = new TextEncoder().encode(text);
	const wish = { runtime: { name: 'sysbox-runc', path: '/usr/bin/sysbox-runc' }, bip: '172.20.0.1/16' };
	const [edit, anew] = await interleavedLater(15, [
		async () => {
			if (planDaemonJson(bytes, wish).kind !== 'edited') throw new Error('the edit was refused');
		},
		async () => {
			const value = JSON.parse(new TextDecoder().decode(bytes));
			new TextEncoder().encode(JSON.stringify({ ...value, ...wish }, undefined, 4));
		},
	]);
	row(
		`edit of a daemon.json of 10,000 keys (${Math.round(bytes.length / 1024)} KiB) / JSON.parse and stringify`,
		`${ratio(edit / anew)} (${ms(edit)})`,
		'≤ 30',
		edit / anew <= 30,
	);
}

/** A module of the sources on its own, for what the program does not show from outside. */
async function bundled(file) {
	const outfile = join(folder, `${file.replaceAll('/', '-')}.mjs`);
	await build({
		absWorkingDir: root,
		entryPoints: [file],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node20.19',
		mainFields: ['module', 'main'],
		banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
		logLevel: 'warning',
	});
	return import(pathToFileURL(outfile).href);
}

function started(argv, env = process.env) {
	const began = process.hrtime.bigint();
	spawnSync(process.execPath, argv, { stdio: 'ignore', env });
	return Number(process.hrtime.bigint() - began) / 1e6;
}

function interleaved(rounds, contenders) {
	const times = contenders.map(() => []);
	// The first round warms the file cache and does not count.
	for (let round = -1; round < rounds; round++)
		for (const [index, contender] of contenders.entries()) {
			const time = contender();
			if (round >= 0) times[index].push(time);
		}
	return times.map(median);
}

async function interleavedLater(rounds, contenders) {
	const times = contenders.map(() => []);
	for (let round = -1; round < rounds; round++)
		for (const [index, contender] of contenders.entries()) {
			const began = process.hrtime.bigint();
			await contender();
			if (round >= 0) times[index].push(Number(process.hrtime.bigint() - began) / 1e6);
		}
	return times.map(median);
}

function median(numbers) {
	const sorted = numbers.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}

function ratio(number) {
	return `${number.toFixed(2)} ×`;
}

function ms(number) {
	return `${number.toFixed(number < 1 ? 3 : 1)} ms`;
}

/** Puts the table between the two marks of docs/performance.md. */
function keep(text) {
	const page = join(root, 'docs/performance.md');
	const made = `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${new Date().toISOString().slice(0, 10)}.`;
	const marked = /<!-- bench -->[\s\S]*<!-- \/bench -->/;
	writeFileSync(
		page,
		readFileSync(page, 'utf8').replace(marked, () => `<!-- bench -->\n${made}\n\n${text}\n<!-- /bench -->`),
	);
}
