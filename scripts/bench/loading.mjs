import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Which files of the build are loaded, and whether what draws the wizard is among them. */
export function loading({ root, entry, folder, row }) {
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
		const list = join(folder, `loaded-${argv[0]}`);
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
