// `npm run bench`: speed as ratios within one run, so that a slow or busy machine gives the same answer. Ends 1 when a bar
// is crossed. With `-- --write` the table goes into docs/performance.md; `-- NAME…` measures these parts only. Build
// first: npm run build.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { asking } from './bench/asking.mjs';
import { editing } from './bench/editing.mjs';
import { impact } from './bench/impact.mjs';
import { loading } from './bench/loading.mjs';
import { logging } from './bench/logging.mjs';
import { reloading } from './bench/reloading.mjs';
import { starting } from './bench/starting.mjs';
import { wizard } from './bench/wizard.mjs';

/** Every part of the benchmark, in the order of its rows. A part gets this bench and calls `row` for what it measured. */
const parts = { starting, loading, asking, impact, logging, editing, reloading, wizard };

const root = new URL('..', import.meta.url).pathname;
const entry = join(root, 'dist/cli.js');
const named = process.argv.slice(2).filter(word => word !== '--write');
const write = process.argv.includes('--write');
const unknown = named.find(name => !(name in parts));
if (unknown !== undefined) refuse(`there is no part ${unknown}; there are: ${Object.keys(parts).join(', ')}`);
if (write && named.length > 0) refuse('--write takes the whole table: name no part with it');
if (!existsSync(entry)) refuse('dist/ is not there: npm run build');

const folder = mkdtempSync(join(tmpdir(), 'sysbox-setup-bench-'));
const rows = [];
const row = (what, measured, bar, held) => void rows.push({ what, measured, bar, held });
try {
	for (const [name, part] of Object.entries(parts))
		if (named.length === 0 || named.includes(name)) await part({ root, entry, folder, row });
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
if (write) keep(table);
process.exit(rows.every(({ held }) => held) ? 0 : 1);

function refuse(text) {
	process.stderr.write(`bench: ${text}\n`);
	process.exit(2);
}

function keep(text) {
	const page = join(root, 'docs/performance.md');
	const made = `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${new Date().toISOString().slice(0, 10)}.`;
	const marked = /<!-- bench -->[\s\S]*<!-- \/bench -->/;
	writeFileSync(
		page,
		readFileSync(page, 'utf8').replace(marked, () => `<!-- bench -->\n${made}\n\n${text}\n<!-- /bench -->`),
	);
}
