// `npm start`: builds when the sources are newer than the build, then the whole runbook on the simulated host.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const path = name => new URL(name, root).pathname;

function newest(folder) {
	return Math.max(
		...readdirSync(folder, { withFileTypes: true }).map(entry => {
			const inner = `${folder}/${entry.name}`;
			return entry.isDirectory() ? newest(inner) : statSync(inner).mtimeMs;
		}),
	);
}

function buildNeeded() {
	try {
		const built = statSync(path('dist/main.js')).mtimeMs;
		return [newest(path('src')), newest(path('steps')), statSync(path('package.json')).mtimeMs].some(
			time => time > built,
		);
	} catch {
		return true;
	}
}

if (buildNeeded()) {
	const built = spawnSync(process.execPath, [path('scripts/build.mjs')], { stdio: 'inherit' });
	if (built.status !== 0) process.exit(built.status ?? 1);
}
mkdirSync(path('demo'), { recursive: true });
const run = spawnSync(
	process.execPath,
	[
		path('dist/cli.js'),
		'--demo',
		// In a terminal the wizard asks; without one nobody can.
		...(process.stdin.isTTY && process.stdout.isTTY ? [] : ['--yes']),
		'--fresh',
		'--session-dir',
		path('demo/session'),
		'--record',
		path('demo/record.md'),
		...process.argv.slice(2),
	],
	{ stdio: 'inherit' },
);
process.exit(run.status ?? 1);
