import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import { childEnvironment } from '../../src/host/local/child-environment.ts';
import { type CommandWay, runCommand } from '../../src/host/local/command.ts';
import { localHost } from '../../src/host/local/local-host.ts';
import type { Argv, ExecOptions } from '../../src/port/host.ts';
import { asNobody, scratchDirectory } from './scratch-folder.ts';

// Disks and machines of CI are slow now and then; nothing here waits for time to pass.
vi.setConfig({ testTimeout: 60_000 });

const host = localHost();
const shell = (script: string): Argv => ['sh', '-c', script];
const way = (rest: Partial<CommandWay> = {}): CommandWay => ({
	changesHost: false,
	hostPath: path => path,
	environment: process.env,
	...rest,
});
const runs = (pid: number): boolean =>
	existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** Starts a command and hands over the numbers that it printed: pids. */
function started(argv: Argv, options: Partial<ExecOptions>, how: CommandWay, lines = 1) {
	const texts: string[] = [];
	let ready: (() => void) | undefined;
	const printed = new Promise<void>(done => {
		ready = done;
	});
	const result = runCommand(
		argv,
		{
			timeoutMs: 60_000,
			...options,
			onLine: line => {
				texts.push(line.text);
				if (texts.length === lines) ready?.();
			},
		},
		how,
	);
	return { result, pids: printed.then(() => texts.map(Number)) };
}

describe('a command', () => {
	it.each(['exec', 'run'] as const)(
		'has a session and a process group of its own with %s, so that Ctrl+C does not reach it',
		async door => {
			// proc(5): pid, name, state, parent, group, session, terminal.
			const { stdout } = await host[door](['cat', '/proc/self/stat'], { timeoutMs: 10_000 });
			const [pid, , , , group, session, terminal] = stdout.split(' ');
			expect([group, session, terminal]).toEqual([pid, pid, '0']);
		},
	);

	it('starts in the folder /', async () => {
		expect((await host.exec(['pwd'], { timeoutMs: 10_000 })).stdout).toBe('/\n');
	});

	it('takes its arguments as they are', async () => {
		expect((await host.exec(['printf', '%s|', '$HOME', '`id`', 'a b', '', '*'], { timeoutMs: 10_000 })).stdout).toBe(
			'$HOME|`id`|a b||*|',
		);
	});

	it.each([
		['is not a program', ['/etc/passwd'] as Argv, 'denied', 'permission denied'],
		['is a folder', ['/etc'] as Argv, 'denied', 'permission denied'],
		['is not there', ['/no/such/program'] as Argv, 'missing', 'command not found'],
		['has a file where a folder should be', ['/etc/passwd/x'] as Argv, 'missing', 'command not found'],
		['holds a null byte', ['true', 'a\0b'] as Argv, 'denied', 'null byte'],
		['is longer than the system takes', ['true', 'a'.repeat(3_000_000)] as Argv, 'denied', 'too long'],
	])('tells when it %s', async (_, argv, problem, words) => {
		const result = await host.exec(argv, { timeoutMs: 10_000 });
		expect(result).toMatchObject({ code: null, problem });
		expect(result.stderr).toContain(words);
	});

	it('tells a missing program from one that it may not run, whatever else is in PATH', async () => {
		const directory = scratchDirectory();
		await writeFile(join(directory, 'not-executable'), '#!/bin/sh\n');
		await mkdir(join(directory, 'closed'), { mode: 0o000 });
		await chmod(directory, 0o755);
		const odd = (program: string) =>
			runCommand([program], { timeoutMs: 10_000 }, way({ environment: { PATH: `${directory}/closed:${directory}` } }));
		await asNobody(async () => {
			expect(await odd('not-executable')).toMatchObject({ problem: 'denied' });
			expect(await odd('not-there')).toMatchObject({ problem: 'missing' });
		});
	});

	it('tells which signal ended it', async () => {
		expect(await host.exec(shell('kill -9 $$'), { timeoutMs: 10_000 })).toMatchObject({
			code: null,
			problem: 'signalled',
			signal: 'SIGKILL',
		});
	});

	it('may leave its stdin unread', async () => {
		expect(await host.exec(['true'], { timeoutMs: 10_000, stdin: new Uint8Array(4_000_000) })).toMatchObject({
			code: 0,
		});
	});

	it('reads a file as stdin without it passing through this process', async () => {
		const file = join(scratchDirectory(), 'image.tar');
		await writeFile(file, Buffer.alloc(8_000_000));
		const { stdout } = await host.exec(shell('readlink /proc/self/fd/0; wc -c'), {
			timeoutMs: 10_000,
			stdin: { file },
		});
		expect(stdout).toBe(`${file}\n8000000\n`);
	});

	it('gives lines as they are printed, not at the end', async () => {
		const stop = new AbortController();
		const { result, pids } = started(shell('echo $$; exec sleep 600'), { signal: stop.signal }, way());
		expect(await pids).toHaveLength(1);
		stop.abort();
		await result;
	});

	it('gives characters whole that came in pieces', async () => {
		const lines: string[] = [];
		await host.exec(shell("printf '\\303'; sleep 0.05; printf '\\274\\n'"), {
			timeoutMs: 10_000,
			onLine: line => lines.push(line.text),
		});
		expect(lines).toEqual(['ü']);
	});

	it('is over when it ends, even when a daemon that it started keeps its output open', async () => {
		const result = await host.run(shell('sleep 600 & echo $!'), { timeoutMs: 60_000 });
		expect(result).toMatchObject({ code: 0 });
		const pid = Number(result.stdout);
		expect(runs(pid), 'the daemon lives on').toBe(true);
		process.kill(pid);
	});

	it('loses no output however much there is at the end', async () => {
		const result = await host.exec(shell('seq 1 200000'), { timeoutMs: 60_000 });
		expect(result.stdout.endsWith('199999\n200000\n')).toBe(true);
		expect(result.stdout.length).toBe(1_288_895);
	});

	it('keeps beginning and end of what a change prints, and never ends it for that', async () => {
		const result = await host.run(shell('seq 1 1000000'), { timeoutMs: 60_000 });
		expect(result).toMatchObject({ code: 0 });
		expect(result.stdout).toMatch(/^1\n2\n/);
		expect(result.stdout).toMatch(/\[… \d+ bytes left out …\]/);
		expect(result.stdout.endsWith('999999\n1000000\n')).toBe(true);
		expect(result.stdout.length).toBeLessThan(4 * 1024 * 1024);
	});

	it('ends a read-only one that prints without end', async () => {
		const result = await host.exec(['yes'], { timeoutMs: 60_000, maxBytes: 1000 });
		expect(result).toMatchObject({ code: null, problem: 'too-much-output' });
		expect(result.stdout.length).toBe(1000);
	});

	it('takes a deadline of months for what it is', async () => {
		expect(await host.exec(['true'], { timeoutMs: 10 * 1000 * 60 * 60 * 24 * 30 })).toMatchObject({ code: 0 });
	});
});

describe('ending a command', () => {
	it('ends its children with it', async () => {
		const stop = new AbortController();
		const { result, pids } = started(
			shell('sleep 600 & echo $!; sleep 600 & echo $!; wait'),
			{ signal: stop.signal },
			way(),
			2,
		);
		const children = await pids;
		stop.abort();
		expect(await result).toMatchObject({ problem: 'cancelled' });
		await vi.waitFor(() => expect(children.filter(runs)).toEqual([]), { timeout: 20_000 });
	});

	it('kills what does not listen', async () => {
		const stop = new AbortController();
		const { result, pids } = started(
			shell('trap "" TERM; echo $$; while :; do sleep 0.01; done'),
			{ signal: stop.signal },
			way({ politeMs: 50 }),
		);
		const [pid = 0] = await pids;
		stop.abort();
		expect(await result).toMatchObject({ code: null, problem: 'cancelled' });
		await vi.waitFor(() => expect(runs(pid)).toBe(false), { timeout: 20_000 });
	});

	it('lets a child finish that needs a moment after the others', async () => {
		const stop = new AbortController();
		const file = join(scratchDirectory(), 'finished');
		const child = `trap "sleep 0.8; echo yes > ${file}; exit" TERM; echo 1; while :; do sleep 0.01; done`;
		const { result, pids } = started(shell(`(${child}) & echo $$; wait`), { signal: stop.signal }, way(), 2);
		await pids;
		stop.abort();
		await result;
		expect(readFileSync(file, 'utf8')).toBe('yes\n');
	});

	it('counts as ended at the deadline even when it ends well then', async () => {
		expect(
			await host.exec(shell('trap "exit 0" TERM; while :; do sleep 0.01; done'), { timeoutMs: 100 }),
		).toMatchObject({ code: null, problem: 'timeout' });
	});
});

describe('when this tool dies', () => {
	/** A program that runs a command through `door`, prints the command's pid, and waits to be ended. */
	async function toolWith(changesHost: boolean): Promise<{ pid: number; end: () => Promise<void> }> {
		const directory = scratchDirectory();
		const script = join(directory, 'tool.mjs');
		await build({
			stdin: {
				contents: `
					import { runCommand } from './src/host/local/command.ts';

					process.on('SIGTERM', () => process.exit(143));
					void runCommand(['sh', '-c', 'echo $$; exec sleep 600'], { timeoutMs: 600_000, onLine: l => console.log(l.text) }, { changesHost: ${changesHost}, hostPath: p => p, environment: process.env });
				`,
				resolveDir: join(import.meta.dirname, '../..'),
				loader: 'ts',
			},
			bundle: true,
			platform: 'node',
			format: 'esm',
			banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
			outfile: script,
		});
		const tool = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
		const [line] = await once(createInterface(tool.stdout), 'line');
		const end = async (): Promise<void> => {
			tool.kill('SIGTERM');
			await once(tool, 'exit');
		};
		return { pid: Number(line), end };
	}

	it('a command that only reads ends too', async () => {
		const { pid, end } = await toolWith(false);
		await end();
		await vi.waitFor(() => expect(runs(pid)).toBe(false), { timeout: 20_000 });
	});

	it('a command that changes the host goes on', async () => {
		const { pid, end } = await toolWith(true);
		await end();
		expect(runs(pid)).toBe(true);
		process.kill(pid, 'SIGKILL');
	});
});

describe('the environment of a command', () => {
	const environment = (own: Record<string, string>): Record<string, string> => childEnvironment(own);

	it('is English, and asks no questions', () => {
		expect(environment({ LANG: 'de_DE.UTF-8', LC_MESSAGES: 'de_DE', LANGUAGE: 'de', LC_ALL: 'de_DE' })).toEqual({
			LC_ALL: 'C',
			LANG: 'C',
			DEBIAN_FRONTEND: 'noninteractive',
			NEEDRESTART_SUSPEND: '1',
			PATH: expect.any(String),
		});
	});

	it('keeps what the operator set for Docker and for the network', () => {
		const own = {
			DOCKER_HOST: 'unix:///run/x.sock',
			DOCKER_CONTEXT: 'a',
			https_proxy: 'http://proxy',
			NO_PROXY: 'x',
			HOME: '/root',
			SUDO_USER: 'anna',
		};
		expect(environment(own)).toMatchObject(own);
	});

	it('loses what changes output, and what belongs to this tool, to npm and to sysbox containers', () => {
		const own = {
			CI: 'true',
			FORCE_COLOR: '1',
			NO_COLOR: '1',
			CLICOLOR_FORCE: '1',
			SYSTEMD_COLORS: '1',
			SBXSETUP_YES: '1',
			SYSBOX_DISABLE: '1',
			npm_config_registry: 'x',
			NODE_OPTIONS: '--inspect',
		};
		const left = environment(own);
		expect(Object.keys(own).filter(name => name in left)).toEqual([]);
	});

	it('finds administrators’ programs, and none in folders that npx or a relative path bring in', () => {
		const { PATH } = environment({
			PATH: '/home/ci/project/node_modules/.bin:/usr/bin:.::bin:/opt/x/node_modules/.bin/:/opt/tools',
		});
		expect(PATH).toBe('/usr/bin:/opt/tools:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/bin:/snap/bin');
	});

	it('of root holds nothing that a user can write: no directory of programs, no home, no plugins, no library', () => {
		const own = {
			PATH: '/home/mallory/bin:/usr/bin',
			HOME: '/home/mallory',
			DOCKER_CONFIG: '/home/mallory/.docker',
			XDG_CONFIG_HOME: '/home/mallory/.config',
			LD_PRELOAD: '/home/mallory/x.so',
			BASH_ENV: '/home/mallory/x',
			TMPDIR: '/home/mallory/tmp',
			PYTHONPATH: '/home/mallory',
			DOCKER_HOST: 'unix:///run/docker.sock',
			HTTPS_PROXY: 'http://proxy:3128',
			no_proxy: 'localhost',
			SUDO_USER: 'mallory',
		};
		const root = childEnvironment(own, '/root');
		expect(JSON.stringify(root)).not.toContain('/home/mallory');
		expect(root).toMatchObject({ HOME: '/root', DOCKER_HOST: own.DOCKER_HOST, HTTPS_PROXY: own.HTTPS_PROXY });
		expect(root).toMatchObject({ no_proxy: 'localhost', SUDO_USER: 'mallory' });
		expect(root.PATH).toMatch(/^\/usr\/local\/sbin:\/usr\/sbin:/);
	});

	it.runIf(process.getuid?.() === 0)(
		'makes root run the system’s program, not one of the same name in a user’s PATH',
		async () => {
			const directory = scratchDirectory();
			await writeFile(join(directory, 'env'), '#!/bin/sh\necho mallory\n', { mode: 0o755 });
			const host = localHost({ environment: { PATH: directory, HOME: directory } });
			const { stdout } = await host.exec(['env'], { timeoutMs: 10_000 });
			expect(stdout).toContain('LC_ALL=C');
			expect(stdout).not.toContain('mallory');
			expect(stdout).not.toContain(directory);
		},
	);

	it('is what the command sees', async () => {
		const { stdout } = await localHost({
			environment: { PATH: '/usr/bin:/bin', DOCKER_HOST: 'x', SYSBOX_A: 'b' },
		}).exec(['env'], { timeoutMs: 10_000 });
		expect(stdout).toContain('DOCKER_HOST=x\n');
		expect(stdout).toContain('LC_ALL=C\n');
		expect(stdout).not.toContain('SYSBOX_');
	});
});

describe('a signal', () => {
	it('reaches the process that it is for', async () => {
		const child = spawn('sleep', ['600'], { stdio: 'ignore' });
		await once(child, 'spawn');
		expect(await host.signal(child.pid ?? 0, 'SIGHUP')).toEqual({ kind: 'sent' });
		expect(await once(child, 'exit')).toEqual([null, 'SIGHUP']);
	});

	it.each([1, 0, -1, -42, 1.5, Number.NaN])('is never sent to %s, which is init, a group, or no process', async pid => {
		expect(await host.signal(pid, 'SIGTERM')).toEqual({ kind: 'denied' });
	});
});
