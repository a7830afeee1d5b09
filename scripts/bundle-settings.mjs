const root = new URL('..', import.meta.url);
const path = name => new URL(name, root).pathname;

// Bundled CommonJS packages ask for these three; in an ES module nobody else defines them.
const banner = [
	"import { createRequire as __createRequire } from 'node:module';",
	"import { fileURLToPath as __fileURLToPath } from 'node:url';",
	"import { dirname as __pathDirname } from 'node:path';",
	'const require = __createRequire(import.meta.url);',
	'const __filename = __fileURLToPath(import.meta.url);',
	'const __dirname = __pathDirname(__filename);',
].join('\n');

/** How esbuild makes the program; what is measured against it, and what tests build of its parts, is made likewise. */
export const bundleSettings = version => ({
	absWorkingDir: path('.'),
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
	minify: true,
	sourcemap: false,
	legalComments: 'none',
	chunkNames: 'chunk-[hash]',
	logLevel: 'warning',
});
