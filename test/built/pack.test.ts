import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonSchemas } from '../../src/cli/json-schemas.ts';
import { emptyDirectory, eventsOf, plainEnvironment, root, run } from './program.ts';

/** The package as npm packs it, installed into an empty directory where there is no registry. */
let directory: string;
let packed: readonly string[];
/** In bytes. */
let sizes: { readonly packed: number; readonly dist: number };
const installed = () => join(directory, 'empty/node_modules/sysbox-setup');

beforeAll(async () => {
	directory = emptyDirectory('keep');
	// dist is built already: building it again under the other tests would pull it from below them.
	const pack = await execa('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], {
		cwd: root,
	});
	const [{ filename, size, files }] = JSON.parse(pack.stdout) as [
		{ filename: string; size: number; files: { path: string; size: number }[] },
	];
	packed = files.map(file => file.path);
	const dist = files.filter(({ path }) => path.startsWith('dist/')).reduce((sum, file) => sum + file.size, 0);
	sizes = { packed: size, dist };
	const empty = join(directory, 'empty');
	mkdirSync(empty);
	writeFileSync(join(empty, 'package.json'), '{"private": true}\n');
	await execa('npm', ['install', '--offline', '--no-audit', '--no-fund', join(directory, filename)], {
		cwd: empty,
		env: { ...plainEnvironment(empty), npm_config_cache: join(directory, 'cache') },
		extendEnv: false,
	});
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the package', () => {
	it('holds what it needs and nothing of how it is made', () => {
		const tops = new Set(packed.map(path => path.split('/')[0]));
		expect([...tops].sort()).toEqual(
			['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.md', 'dist', 'package.json', 'templates'].sort(),
		);
		expect(packed).toContain('dist/cli.js');
		expect(packed.filter(path => /\.ts$|\.map$|(^|\/)(test|src)\//.test(path))).toEqual([]);
	});

	it('stays small: npx fetches it each time', () => {
		expect(sizes.packed).toBeLessThan(750_000);
		expect(sizes.dist).toBeLessThan(2_200_000);
	});

	it('holds the JSON Schemas as the types of this version give them', () => {
		for (const [name, schema] of Object.entries(jsonSchemas()))
			expect(JSON.parse(readFileSync(join(installed(), 'dist/schemas', name), 'utf8')), name).toEqual(schema);
		const readme = readFileSync(join(installed(), 'README.md'), 'utf8');
		const held = packed.filter(path => path.startsWith('dist/schemas/'));
		expect(held.map(path => path.slice('dist/schemas/'.length)).sort()).toEqual(Object.keys(jsonSchemas()).sort());
		expect(held.filter(path => !readme.includes(`\`${path}\``))).toEqual([]);
	});

	it('brings nothing else along', () => {
		expect(readdirSync(join(directory, 'empty/node_modules')).filter(name => !name.startsWith('.'))).toEqual([
			'sysbox-setup',
		]);
		const manifest = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as Record<string, unknown>;
		expect(manifest['dependencies']).toBeUndefined();
	});

	it('names no path and no registry of the machine that made it', () => {
		const files = readdirSync(installed(), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
		const strangers = [root.replace(/\/$/, ''), homedir() === '/root' ? '/root/.npm' : homedir(), hostname()];
		const found = files.flatMap(entry => {
			const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
			const names = strangers.filter(name => name.length > 3 && text.includes(name));
			return names.map(name => `${entry.name}: ${name}`);
		});
		expect(found).toEqual([]);
		for (const entry of files) {
			const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
			expect(/"resolved":|npm_config_registry|_authToken/.exec(text)?.[0], entry.name).toBeUndefined();
		}
	});

	it('is put together as package managers expect', async () => {
		const { messages } = await publint({ pkgDir: installed(), pack: false, strict: true });
		expect(messages).toEqual([]);
	});

	it('runs from where it was installed: version, check, and the demo', async () => {
		const bin = join(directory, 'empty/node_modules/.bin/sysbox-setup');
		expect(existsSync(bin)).toBe(true);
		const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
		// Through the link that npm makes, as an operator starts it.
		const env = plainEnvironment(directory);
		const asked = await execa(bin, ['--version'], { env, extendEnv: false, cwd: directory });
		expect(asked.stdout).toBe(version);

		const entry = join(installed(), 'dist/cli.js');
		const check = await run(['check', '--format', 'json'], { entry });
		expect(eventsOf(check.stdout).at(-1)).toMatchObject({ type: 'run.end', exit: check.exit });

		const cwd = emptyDirectory();
		const demo = await run(['--demo', '--yes', '--session-dir', join(cwd, 'state'), '--record', join(cwd, 'r.md')], {
			entry,
			cwd,
		});
		expect(demo.exit, demo.stderr).toBe(0);
		expect(readFileSync(join(cwd, 'r.md'), 'utf8')).toContain('SIMULATED');
	});
});
