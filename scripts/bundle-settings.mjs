import { readFile } from 'node:fs/promises';

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

/**
 * Two places at which packages pay at the start for what this program does not use there. Each is one condition, and
 * what comes out of it stays the same: test/ui/bundled-packages.test.ts holds the widths against the package's own.
 */
const shortcuts = {
	// The layout engine lies in its own file, as a data: address. To fetch() that one, node first loads all of its HTTP.
	'yoga-layout/dist/binaries/yoga-wasm-base64-esm.js': ['w||"function"!=typeof fetch?Promise', '!0?Promise'],
	// To compile this expression takes tens of milliseconds. A single code unit that is an emoji is wide by itself, so
	// that nothing needs it for the marks and rules of a screen.
	'string-width/index.js': [
		'if (rgiEmojiRegex.test(segment) || isDoubleWidthNonRgiEmojiSequence(segment))',
		'if (segment.length > 1 && (rgiEmojiRegex.test(segment) || isDoubleWidthNonRgiEmojiSequence(segment)))',
	],
};

const takeShortcuts = {
	name: 'take-shortcuts',
	setup(build) {
		build.onLoad({ filter: /\/(?:yoga-wasm-base64-esm|string-width\/index)\.js$/ }, async ({ path: file }) => {
			const own = Object.entries(shortcuts).find(([name]) => file.endsWith(`/node_modules/${name}`));
			if (own === undefined) return undefined;
			const [, [long, short]] = own;
			const parts = (await readFile(file, 'utf8')).split(long);
			if (parts.length !== 2) throw new Error(`${file} has changed: look at its shortcut in bundle-settings.mjs again`);
			return { contents: parts.join(short), loader: 'js' };
		});
	},
};

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
	plugins: [takeShortcuts],
	sourcemap: false,
	legalComments: 'none',
	chunkNames: 'chunk-[hash]',
	logLevel: 'warning',
});
