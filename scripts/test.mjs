// `npm test`: every layer that this machine can run, cheapest first. It installs and starts nothing here: the lab is
// used where a Docker daemon answers and mmdebstrap is there, else what was left out is said. With LAB=required (as in
// .ci/run) a missing lab is a failure. The last line counts what the runners themselves report.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';

const root = new URL('..', import.meta.url);
const path = name => new URL(name, root).pathname;
const reports = path('.tmp/reports');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

let passed = 0;
let failed = 0;
const leftOut = [];
const timings = [];
const slowest = [];

const inMinutes = ms => (ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${(ms / 60_000).toFixed(1)} min`);

function layer(name, config) {
	const report = `${reports}/${name}.json`;
	const began = Date.now();
	const run = spawnSync(
		process.execPath,
		[
			path('node_modules/vitest/vitest.mjs'),
			'run',
			'--config',
			path(config),
			'--reporter=default',
			'--reporter=json',
			`--outputFile.json=${report}`,
		],
		{ stdio: 'inherit', cwd: path('.') },
	);
	timings.push(`${name} ${inMinutes(Date.now() - began)}`);
	let counted;
	try {
		counted = JSON.parse(readFileSync(report, 'utf8'));
	} catch {
		// Without a report nothing is known to have passed.
		failed += 1;
		return;
	}
	const files = counted.testResults
		.map(({ name: file, startTime, endTime }) => ({ file: relative(path('.'), file), ms: endTime - startTime }))
		.sort((a, b) => b.ms - a.ms);
	slowest.push(
		`longest files, ${name}: ${files
			.slice(0, 5)
			.map(f => `${f.file} ${inMinutes(f.ms)}`)
			.join(', ')}`,
	);
	passed += counted.numPassedTests;
	// A file that does not load has no failed test of its own, but is a failure all the same.
	failed += counted.numFailedTests + (counted.numFailedTests === 0 && run.status !== 0 ? 1 : 0);
}

const has = program => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const dockerAnswers = () =>
	spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 }).status === 0;

layer('unit', 'vitest.config.ts');
const built = spawnSync(process.execPath, [path('scripts/build.mjs')], { stdio: 'inherit' });
if (built.status !== 0) failed += 1;
else {
	layer('built', 'test/built/vitest.config.ts');
	if ((process.env['SMOKE_NODES'] ?? '') === '')
		leftOut.push('the smoke test on other versions of Node: SMOKE_NODES names none (as PATH does, of node programs)');
	if (!has('tmux')) leftOut.push('the wizard inside tmux: tmux is not installed');
	const missing = [
		...(has('mmdebstrap') ? [] : ['mmdebstrap is not installed']),
		...(has('gcc') && existsSync('/usr/include/fuse3/fuse.h') ? [] : ['gcc and libfuse3-dev are not installed']),
		...(has('docker') && dockerAnswers() ? [] : ['no Docker daemon answers']),
	];
	if (process.env['LAB'] === 'off') leftOut.push('the lab: switched off by LAB=off');
	else if (missing.length === 0) layer('lab', 'test/lab/vitest.config.ts');
	else if (process.env['LAB'] === 'required') {
		process.stderr.write(`the lab is required, and cannot run: ${missing.join(', ')}\n`);
		failed += 1;
	} else leftOut.push(`the lab (real systemd and Docker in a container): ${missing.join(', ')}`);
}

for (const text of slowest) process.stdout.write(`\n${text}`);
process.stdout.write(`\n${timings.join(', ')}\n`);
for (const text of leftOut) process.stdout.write(`left out: ${text}\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
