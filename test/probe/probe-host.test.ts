import { describe, expect, test } from 'vitest';
import type { Argv, ExecOptions, ExecResult, WriteHost } from '../../src/port/host.ts';
import { removeLeftovers } from '../../src/probe/leftovers.ts';
import { type CleaningProbeHost, probeHost } from '../../src/probe/probe-host.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { probesOf, simulated, stateDirectory } from './run-proof.ts';

const image = 'docker:29-dind';
const sleeper = { image, entrypoint: 'sleep', command: ['3600'] };

const ours = (host: SimulatedHost): readonly string[] =>
	host
		.state()
		.docker.engine.containers.map(c => c.name.replace(/^\//, ''))
		.filter(name => name.startsWith('sysbox-setup-'));

interface Seen {
	readonly argv: Argv;
	readonly options: ExecOptions;
}

/** The simulated host, with everything that was run on it, and a place to answer in its stead. */
function watched(
	host: SimulatedHost,
	instead: (argv: Argv, options: ExecOptions) => Promise<ExecResult> | undefined = () => undefined,
): { readonly host: WriteHost; readonly ran: Seen[] } {
	const ran: Seen[] = [];
	return {
		ran,
		host: {
			...host,
			run: (argv, options) => {
				ran.push({ argv, options });
				return instead(argv, options) ?? host.run(argv, options);
			},
		},
	};
}

const hostOf = (host: WriteHost, signal = new AbortController().signal): CleaningProbeHost =>
	probeHost({ host, run: 'run/1', stateDirectory, signal, pause: async () => undefined });

describe('a container that runs to its end', () => {
	test('carries name and label, is never pulled for, and is gone afterwards', async () => {
		const simulatedOne = await simulated();
		const { host, ran } = watched(simulatedOne);
		const run = await hostOf(host).runToEnd({ image, entrypoint: 'true', command: [] }, 60_000);
		expect(run.result.code).toBe(0);
		expect(ran.map(r => r.argv)).toEqual([
			[
				'docker',
				'run',
				'--name=sysbox-setup-run-1-1-run',
				'--label=io.sysbox-setup.run=run/1',
				'--pull=never',
				'--runtime=runc',
				'--entrypoint=true',
				image,
			],
			['docker', 'rm', '--force', '--volumes', 'sysbox-setup-run-1-1-run'],
		]);
		expect(run.command).toContain('docker run --name=sysbox-setup-run-1-1-run');
		expect(ours(simulatedOne)).toEqual([]);
	});

	test('tells what the daemon says about memory', async () => {
		const host = await simulated();
		const dd = { image, entrypoint: 'dd', command: ['if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'] };
		const probes = probesOf(host);
		expect((await probes.runToEnd({ ...dd, options: ['--memory=64m'] }, 60_000)).oomKilled).toBe(true);
		expect((await probes.runToEnd(dd, 60_000)).oomKilled).toBe(false);
	});

	test('is gone after a refusal, and its words are kept', async () => {
		const host = await simulated('already-set-up', [{ name: 'broken-runtime' }]);
		const run = await probesOf(host).runToEnd({ ...sleeper, runtime: 'sysbox-runc' }, 60_000);
		expect(run.result.code).toBe(125);
		expect(run.result.stderr).toContain('OCI runtime create failed');
		expect(ours(host)).toEqual([]);
	});

	test('an image that is not here is not fetched', async () => {
		const run = await probesOf(await simulated()).runToEnd({ image: 'alpine:3', command: ['true'] }, 60_000);
		expect(run.result.code).toBe(125);
	});

	test('is removed when the run is stopped, by a command that the stop does not reach', async () => {
		const simulatedOne = await simulated();
		const stop = new AbortController();
		const { host, ran } = watched(simulatedOne, (argv, options) => {
			if (argv[1] !== 'run') return undefined;
			// The client is ended while the daemon has the container already.
			return simulatedOne
				.run([...argv.slice(0, 2), '--detach', ...argv.slice(2)] as unknown as Argv, { timeoutMs: options.timeoutMs })
				.then(() => {
					stop.abort();
					return { code: null, stdout: '', stderr: '', problem: 'cancelled', elapsedMs: 1 };
				});
		});
		const run = await hostOf(host, stop.signal).runToEnd(sleeper, 60_000);
		expect(run.result.problem).toBe('cancelled');
		expect(ours(simulatedOne)).toEqual([]);
		const removal = ran.find(r => r.argv[1] === 'rm');
		expect(removal?.options.signal).toBeUndefined();
	});

	test('is removed when the host itself gives up', async () => {
		const simulatedOne = await simulated();
		const { host, ran } = watched(simulatedOne, argv =>
			argv[1] === 'run' ? Promise.reject(new Error('the connection is gone')) : undefined,
		);
		await expect(hostOf(host).runToEnd(sleeper, 60_000)).rejects.toThrow('the connection is gone');
		expect(ran.at(-1)?.argv.slice(0, 2)).toEqual(['docker', 'rm']);
	});
});

describe('a container that stays', () => {
	test('is one for each key, with its process id of the host', async () => {
		const host = await simulated();
		const probes = probesOf(host);
		const [first, again, other] = [
			await probes.start('a', sleeper, 60_000),
			await probes.start('a', sleeper, 60_000),
			await probes.start('b', sleeper, 60_000),
		];
		expect(again).toBe(first);
		if (first.kind !== 'started' || other.kind !== 'started') throw new Error('not started');
		expect(other.container.name).not.toBe(first.container.name);
		expect(host.state().docker.engine.containers.find(c => c.id === first.container.id)?.pid).toBe(first.container.pid);
		expect(ours(host)).toHaveLength(2);
		expect(await probes.cleanUp()).toEqual([]);
		expect(ours(host)).toEqual([]);
	});

	test('can be entered, with standard input and environment', async () => {
		const simulatedOne = await simulated();
		const said: ExecResult = { code: 0, stdout: 'said', stderr: '', elapsedMs: 1 };
		const { host, ran } = watched(simulatedOne, argv => (argv[1] === 'exec' ? Promise.resolve(said) : undefined));
		const probes = hostOf(host);
		const started = await probes.start('a', sleeper, 60_000);
		if (started.kind !== 'started') throw new Error('not started');
		const stdin = new TextEncoder().encode('hello');
		expect(await started.container.exec(['cat'], { timeoutMs: 1000, stdin })).toBe(said);
		expect(await started.container.exec(['sh', '-c', 'echo $A'], { timeoutMs: 1000, env: { A: 'b' } })).toBe(said);
		const entered = ran.filter(({ argv }) => argv[1] === 'exec');
		expect(entered.map(({ argv }) => argv)).toEqual([
			['docker', 'exec', '--interactive', started.container.name, 'cat'],
			['docker', 'exec', '--env=A=b', started.container.name, 'sh', '-c', 'echo $A'],
		]);
		expect(entered.map(({ options }) => options.stdin)).toEqual([stdin, undefined]);
		await probes.cleanUp();
	});

	test('one that ends at once is refused, with what it said, and is gone', async () => {
		const host = await simulated();
		const started = await probesOf(host).start('a', { image, entrypoint: 'dmesg', command: [] }, 60_000);
		if (started.kind !== 'refused') throw new Error('started');
		expect(started.result.code).not.toBe(0);
		expect(started.result.stderr).toContain('Operation not permitted');
		expect(ours(host)).toEqual([]);
	});

	test('a refused start leaves nothing', async () => {
		const host = await simulated('already-set-up', [{ name: 'broken-runtime' }]);
		const probes = probesOf(host);
		expect((await probes.start('a', { ...sleeper, runtime: 'sysbox-runc' }, 60_000)).kind).toBe('refused');
		expect(ours(host)).toEqual([]);
	});
});

describe('an archive of an image', () => {
	test('lies in a folder of the run, for root only, and goes with the proof', async () => {
		const host = await simulated();
		const probes = probesOf(host);
		const saved = await probes.saveImage('registry:2', 60_000);
		if (saved.kind !== 'saved') throw new Error('not saved');
		expect(saved.file).toMatch(/^\/var\/lib\/sysbox-setup\/proof-run-1\//);
		expect(await host.stat(`${stateDirectory}/proof-run-1`)).toMatchObject({ kind: 'found', meta: { mode: 0o700 } });
		expect(await probes.saveImage('registry:2', 60_000)).toBe(saved);
		expect(await probes.cleanUp()).toEqual([]);
		expect(await host.stat(`${stateDirectory}/proof-run-1`)).toMatchObject({ kind: 'missing' });
	});

	test('one that is not there fails in the words of docker', async () => {
		const probes = probesOf(await simulated());
		const saved = await probes.saveImage('nowhere:1', 60_000);
		expect(saved).toMatchObject({ kind: 'failed', result: { code: 1 } });
		expect(await probes.cleanUp()).toEqual([]);
	});
});

describe('cleaning up', () => {
	test('asks docker nothing when nothing was made, and again only when something was left', async () => {
		const simulatedOne = await simulated();
		const { host, ran } = watched(simulatedOne);
		const probes = hostOf(host);
		expect(await probes.cleanUp()).toEqual([]);
		await probes.start('a', sleeper, 60_000);
		expect(await probes.cleanUp()).toEqual([]);
		const count = ran.length;
		expect(await probes.cleanUp()).toEqual([]);
		expect(ran).toHaveLength(count);
	});

	test('names what could not be removed, and tries again when asked again', async () => {
		const simulatedOne = await simulated();
		let stuck = true;
		const { host } = watched(simulatedOne, argv =>
			stuck && argv[1] === 'rm'
				? Promise.resolve({
						code: 1,
						stdout: '',
						stderr: 'Error response from daemon: device or resource busy',
						elapsedMs: 1,
					})
				: undefined,
		);
		const probes = hostOf(host);
		await probes.start('a', sleeper, 60_000);
		expect(await probes.cleanUp()).toEqual([
			'container sysbox-setup-run-1-1-a (Error response from daemon: device or resource busy)',
		]);
		stuck = false;
		expect(await probes.cleanUp()).toEqual([]);
		expect(ours(simulatedOne)).toEqual([]);
	});

	test('touches nothing that is not ours', async () => {
		const host = await simulated();
		const before = host.state().docker.engine.containers.map(c => c.id);
		const probes = probesOf(host);
		await probes.start('a', sleeper, 60_000);
		await probes.cleanUp();
		expect(host.state().docker.engine.containers.map(c => c.id)).toEqual(before);
	});

	test('a docker that does not answer is said, not taken for "nothing is left"', async () => {
		const simulatedOne = await simulated();
		const probes = probesOf(simulatedOne);
		await probes.start('a', sleeper, 60_000);
		simulatedOne.disturb(state => {
			state.docker.engine.up = false;
		});
		const left = await probes.cleanUp();
		expect(left.join()).toMatch(/any container with the label io\.sysbox-setup\.run=run-1/);
	});
});

describe('what earlier runs left', () => {
	test('is found by its label, whatever run it was, and removed with the archives', async () => {
		const host = await simulated();
		const dead = probesOf(host);
		await dead.start('a', sleeper, 60_000);
		await dead.saveImage('registry:2', 60_000);
		const others = host.state().docker.engine.containers.length - 1;
		const { removed, left } = await removeLeftovers(host, { stateDirectory });
		expect(left).toEqual([]);
		expect(removed).toEqual(['container sysbox-setup-run-1-1-a', `${stateDirectory}/proof-run-1`]);
		expect(host.state().docker.engine.containers).toHaveLength(others);
		expect(await removeLeftovers(host, { stateDirectory })).toEqual({ removed: [], left: [] });
	});

	test('stays, and is named with its size, where it is larger than any archive', async () => {
		const host = await simulated();
		await probesOf(host).saveImage('registry:2', 60_000);
		const limits: (number | undefined)[] = [];
		const digest: WriteHost['digest'] = async (_, { maxBytes } = {}) => {
			limits.push(maxBytes);
			return { kind: 'too-large', size: 2 ** 40, limit: maxBytes ?? 0 };
		};
		const { removed, left } = await removeLeftovers({ ...host, digest }, { stateDirectory });
		expect(limits).toEqual([16 * 1024 ** 3]);
		expect(removed).toEqual([]);
		expect(left).toEqual([
			expect.stringMatching(
				/\/proof-run-1\/\S+ \(it has 1099511627776 bytes, and nothing over 17179869184 is removed\)$/,
			),
		]);
	});
});
