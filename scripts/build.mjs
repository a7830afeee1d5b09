// One esbuild build with code splitting: `--version` loads a few kilobytes, Ink only when the wizard runs.
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url);
const path = name => new URL(name, root).pathname;
const { version } = JSON.parse(await readFile(path('package.json'), 'utf8'));

await rm(path('dist'), { recursive: true, force: true });
await mkdir(path('dist'), { recursive: true });

// Bundled CommonJS packages ask for these three; in an ES module nobody else defines them.
const banner = [
	"import { createRequire as __createRequire } from 'node:module';",
	"import { fileURLToPath as __fileURLToPath } from 'node:url';",
	"import { dirname as __pathDirname } from 'node:path';",
	'const require = __createRequire(import.meta.url);',
	'const __filename = __fileURLToPath(import.meta.url);',
	'const __dirname = __pathDirname(__filename);',
].join('\n');

const result = await build({
	absWorkingDir: path('.'),
	entryPoints: { main: 'src/main.ts' },
	outdir: 'dist',
	bundle: true,
	splitting: true,
	format: 'esm',
	platform: 'node',
	target: 'node20.19',
	// jsonc-parser's UMD main breaks at run time; its ES module does not.
	mainFields: ['module', 'main'],
	banner: { js: banner },
	define: {
		'process.env.NODE_ENV': '"production"',
		'process.env.DEV': '"false"',
		__VERSION__: JSON.stringify(version),
	},
	alias: {
		// Ink asks for its debugger when DEV is set; it is not part of this program.
		'react-devtools-core': path('scripts/empty-module.mjs'),
		'when-exit': path('scripts/no-exit-hooks.mjs'),
	},
	sourcemap: false,
	legalComments: 'none',
	chunkNames: 'chunk-[hash]',
	metafile: true,
	logLevel: 'warning',
});

// The entry is parsed by whatever node there is, so it keeps to old syntax and loads the rest when the version fits.
await build({
	absWorkingDir: path('.'),
	entryPoints: ['src/cli.ts'],
	outfile: 'dist/cli.js',
	bundle: false,
	format: 'esm',
	platform: 'node',
	target: 'es2020',
	define: { __VERSION__: JSON.stringify(version) },
	logLevel: 'warning',
});
await chmod(path('dist/cli.js'), 0o755);

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
