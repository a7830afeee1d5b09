import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDirectory, root, run, stackTrace } from './program.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

describe('asked about itself, the program', () => {
	it.each([[['--version']], [['-V']]])('tells its version for %j', async argv => {
		expect(await run(argv)).toMatchObject({ exit: 0, stdout: version, stderr: '' });
	});

	it('tells commands, options, steps and exit codes', async () => {
		const { exit, stdout, stderr } = await run(['--help']);
		expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
		for (const word of ['check', 'plan', 'revert', 'status', '--accept-risk', 'host, sysbox, daemon', 'Exit codes'])
			expect(stdout).toContain(word);
	});

	it('lists its checks', async () => {
		const { exit, stdout, stderr } = await run(['check', '--list']);
		expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
		expect(stdout.split('\n').length).toBeGreaterThanOrEqual(25);
	});
});

describe('wrong usage', () => {
	it.each<[readonly string[], string]>([
		[['chek'], 'Did you mean check?'],
		[['--demoo'], '--demo'],
		[['--yes', '--only', 'daemn'], 'Did you mean daemon?'],
		[['--yes', '--only', 'host', '--skip', 'host'], 'no step is left to run'],
		[['test', '--yes', 'secuirty'], 'Did you mean security?'],
		[['--yes', '--accept-risk', 'restart-dokcer'], 'Did you mean restart-docker?'],
		[['--yes', '--demo=old-kernl'], 'Did you mean old-kernel?'],
		[['--demo=nosuch'], '--demo=fresh-debian: Debian 13 with'],
		[['check', '--demo', '--ignore', 'memry'], '--ignore: there is no finding called memry. Did you mean memory?'],
		[['plan', '--format', 'xml'], 'Allowed choices are text, json'],
		[['revert', 'no-such-record.md', '--yes', '--demo'], 'there is no such file'],
	])('%j ends 2 with the near word, and no run begins', async (argv, words) => {
		const directory = emptyDirectory();
		const { exit, stdout, stderr } = await run([...argv, '--session-dir', join(directory, 'state')], {
			cwd: directory,
		});
		expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
		expect(stderr).toContain(words);
		expect(stderr).not.toMatch(stackTrace);
		const left = existsSync(join(directory, 'state')) ? readdirSync(join(directory, 'state')) : [];
		expect(left.filter(name => !name.startsWith('host-'))).toEqual([]);
	});

	it.each([
		['--answers', '/dev/zero', 'has more than 1048576 bytes'],
		['--answers', 'huge', 'has more than 1048576 bytes'],
		['--deb', '/dev/zero', 'is a device'],
		['--deb', 'huge', 'has 1099511627776 bytes, more than any package'],
		['--image-archive', '/dev/zero', 'is a device'],
	])('%s %s is refused before it is read to an end that never comes', async (option, file, words) => {
		const cwd = emptyDirectory();
		writeFileSync(join(cwd, 'huge'), '');
		truncateSync(join(cwd, 'huge'), 2 ** 40);
		const { exit, stdout, stderr } = await run(['plan', '--only', 'sysbox', option, file], { cwd });
		expect(exit).toBe(2);
		expect(stdout + stderr).toContain(words);
	});

	it.each([
		['/dev/zero', 'has more than 16777216 bytes; that is no plan'],
		['huge', 'has more than 16777216 bytes; that is no plan'],
	])('--plan %s is refused in the same way', async (file, words) => {
		const cwd = emptyDirectory();
		writeFileSync(join(cwd, 'huge'), '');
		truncateSync(join(cwd, 'huge'), 2 ** 40);
		const { exit, stderr } = await run(['--demo', '--yes', '--session-dir', 'state', '--plan', file], { cwd });
		expect(exit).toBe(2);
		expect(stderr).toContain(words);
	});

	it.each([
		[[], 'sysbox-setup'],
		[['revert'], 'sysbox-setup'],
		[['test'], 'sysbox-setup'],
		[['--demo'], 'sysbox-setup --demo'],
		[['--demo=old-kernel', 'test'], 'sysbox-setup --demo=old-kernel'],
	])('%j with nobody to ask ends 2 at once, and names the ways to go on', async (argv, program) => {
		const directory = emptyDirectory();
		const { exit, stdout, stderr } = await run(argv, { cwd: directory });
		expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
		for (const way of ['check', 'plan', '--yes --answers answers.yml'])
			expect(`${stderr}\n`).toContain(`${program} ${way}\n`);
		expect(`${stderr}\n`).toContain(`sysbox-setup ${[...argv, '--yes'].join(' ')}\n`);
		expect(stderr.includes('sysbox-setup --demo --yes')).toBe(!argv.includes('--demo=old-kernel'));
		expect(readdirSync(directory)).toEqual([]);
	});
});

describe('test --clean', () => {
	it('needs nobody to ask, and says so where nothing was left', async () => {
		const directory = emptyDirectory();
		const { exit, stdout, stderr } = await run(['test', '--clean', '--demo=already-set-up'], { cwd: directory });
		expect({ exit, stdout, stderr }).toEqual({ exit: 0, stdout: '', stderr: 'no proof left anything here' });
	});
});

describe('an answers file', () => {
	const cases: readonly (readonly [string, (path: string) => void, string])[] = [
		['that is not there', () => undefined, 'there is no such file'],
		['that is a directory', path => mkdirSync(path), 'it is a directory'],
		['that is binary', path => writeFileSync(path, Uint8Array.of(0x7f, 0x45, 0xfe, 0xff, 0)), 'is not UTF-8 text'],
		['of 2 MB', path => writeFileSync(path, '#'.repeat(2 * 1024 * 1024)), 'has more than 1048576 bytes'],
		['that is empty', path => writeFileSync(path, ''), 'holds no answers'],
		['that is no YAML', path => writeFileSync(path, 'version: 1\nci: {memory: 4g\n'), 'answers.yml:3:1: '],
		[
			'with an unknown answer',
			path => writeFileSync(path, 'version: 1\nci:\n  memoy: 4g\n'),
			'answers.yml:3:3: nothing is asked that is called ci.memoy. Did you mean ci.memory?',
		],
		[
			'with a value of the wrong type',
			path => writeFileSync(path, 'version: 1\nrecord: {review-days: soon}\n'),
			'answers.yml:2:10: record.review-days must be a number',
		],
		[
			'that accepts risks',
			path => writeFileSync(path, 'version: 1\nrisks: [restart-docker]\n'),
			'pass --accept-risk NAME',
		],
	];
	it.each(cases)('%s ends 2 with its place, and nothing is written', async (_what, make, words) => {
		const directory = emptyDirectory();
		make(join(directory, 'answers.yml'));
		const { exit, stdout, stderr } = await run(
			['--demo', '--yes', '--answers', 'answers.yml', '--session-dir', 'state', '--record', join(directory, 'r.md')],
			{ cwd: directory },
		);
		expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
		expect(stderr).toContain(words);
		expect(stderr).not.toMatch(stackTrace);
		expect(existsSync(join(directory, 'r.md'))).toBe(false);
		expect(existsSync(join(directory, 'state/runs'))).toBe(false);
	});
});

describe('where it cannot run', () => {
	it.each(['12.22.12', '18.20.8', '20.18.3'])('Node %s gets one sentence and exit 2', async node => {
		const preload = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`;
		for (const argv of [['--version'], ['check'], []]) {
			expect(await run(argv, { preload })).toMatchObject({
				exit: 2,
				stdout: '',
				stderr: `sysbox-setup needs Node.js 20.19 or newer; this is ${node}.`,
			});
		}
	});

	it.each(['20.19.0', '22.0.0', '100.0.0'])('Node %s is new enough', async node => {
		const preload = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`;
		expect(await run(['--version'], { preload })).toMatchObject({ exit: 0 });
	});

	it.each(['darwin', 'win32'])('%s is told what this is for, and can have the demo', async platform => {
		const preload = `Object.defineProperty(process, 'platform', { value: '${platform}' })`;
		for (const argv of [['check'], ['plan'], ['--yes']]) {
			const { exit, stdout, stderr } = await run(argv, { preload });
			expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
			expect(stderr).toContain(`this is ${platform}; Sysbox runs on Linux hosts with Docker Engine.`);
			expect(stderr).toContain('--demo --yes');
		}
		expect((await run(['check', '--demo=already-set-up'], { preload })).exit).toBe(0);
	});
});

describe('a record that cannot be written', () => {
	it.each([
		['no/such/folder/r.md', 'there is no folder'],
		['taken.md', 'is there already and is no record'],
		['.', 'is a directory'],
	])('%s is refused before anything is changed', async (record, words) => {
		const directory = emptyDirectory();
		writeFileSync(join(directory, 'taken.md'), '# mine\n');
		const { exit, stderr } = await run(['--demo', '--yes', '--session-dir', 'state', '--record', record], {
			cwd: directory,
		});
		expect(exit).toBe(2);
		expect(stderr).toContain(words);
		expect(stderr).toContain('--record FILE');
		expect(readFileSync(join(directory, 'taken.md'), 'utf8')).toBe('# mine\n');
		expect(existsSync(join(directory, 'state/runs'))).toBe(false);
	});
});
