// One esbuild build with code splitting: `--version` loads a few kilobytes, Ink only when the wizard runs.
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { bundleSettings } from './bundle-settings.mjs';

const root = new URL('..', import.meta.url);
const path = name => new URL(name, root).pathname;
const { version } = JSON.parse(await readFile(path('package.json'), 'utf8'));

await rm(path('dist'), { recursive: true, force: true });
await mkdir(path('dist'), { recursive: true });

const result = await build({
	...bundleSettings(version),
	entryPoints: { main: 'src/cli/main.ts' },
	outdir: 'dist',
	metafile: true,
});

// The entry is parsed by whatever node there is, so it keeps to old syntax and loads the rest when the version fits.
await build({
	absWorkingDir: path('.'),
	entryPoints: ['src/cli/cli.ts'],
	outfile: 'dist/cli.js',
	bundle: false,
	format: 'esm',
	platform: 'node',
	target: 'es2020',
	define: { __VERSION__: JSON.stringify(version) },
	logLevel: 'warning',
});
await chmod(path('dist/cli.js'), 0o755);

// The JSON Schemas of what other programs read and write, from the schemas that this one reads by.
const maker = path('.tmp/json-schemas.mjs');
await build({
	...bundleSettings(version),
	splitting: false,
	packages: 'external',
	entryPoints: ['src/cli/json-schemas.ts'],
	outfile: maker,
});
await mkdir(path('dist/schemas'));
for (const [name, schema] of Object.entries((await import(maker)).jsonSchemas()))
	await writeFile(path(`dist/schemas/${name}`), `${JSON.stringify(schema)}\n`);
await rm(maker);

// Licences of what is inside the bundle.
const packages = new Map();
for (const input of Object.keys(result.metafile.inputs)) {
	const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
	if (match?.[1] !== undefined) packages.set(match[1], undefined);
}
const notices = ['# Third-party notices', '', 'The files in `dist/` contain these packages.', ''];
for (const name of [...packages.keys()].sort()) {
	const manifest = JSON.parse(await readFile(path(`node_modules/${name}/package.json`), 'utf8'));
	const licence = await firstOf(
		['LICENSE', 'LICENSE.md', 'license', 'license.md', 'LICENCE', 'LICENSE.txt', 'LICENSE-MIT', 'License.txt'].map(
			file => path(`node_modules/${name}/${file}`),
		),
	);
	notices.push(`## ${name} ${manifest.version}`, '', `Licence: ${manifest.license ?? 'see below'}`, '');
	if (licence !== undefined) notices.push('```text', licence.trim(), '```', '');
}
await writeFile(path('THIRD-PARTY-NOTICES.md'), `${notices.join('\n').trimEnd()}\n`);

async function firstOf(files) {
	for (const file of files) {
		try {
			return await readFile(file, 'utf8');
		} catch {
			// The next spelling.
		}
	}
	return undefined;
}
