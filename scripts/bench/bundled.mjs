import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** A module of the sources on its own, for what the program does not show from outside. */
export async function bundled({ root, folder }, file) {
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
