import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/simulation/faults.ts';
import { hostOf, readyHost } from './support.ts';

const file = '/etc/docker/daemon.json';
const withRuntime =
	'{\n    "runtimes": {\n        "sysbox-runc": {\n            "path": "/usr/bin/sysbox-runc"\n        }\n    }\n}\n';

type WaysOut = ReturnType<typeof hostOf>;
const format = async (ways: WaysOut, template: string) =>
	(await ways.read(['docker', 'info', '--format', template])).out.trim();
const runtimes = async (ways: WaysOut) =>
	Object.keys(JSON.parse(await format(ways, '{{json .Runtimes}}')) as object).sort();
const lastOfJournal = async (ways: WaysOut, count = 4) =>
	(await ways.read(['journalctl', '-u', 'docker', '-n', String(count), '-o', 'cat', '--no-pager'])).out;

describe('the daemon of the simulated host', () => {
	it('lists its plugins as Docker does, and only while it is up', async () => {
		const argv = ['docker', 'plugin', 'ls', '--format', '{{json .}}'] as const;
		const ways = hostOf('containers-running');
		const line = JSON.parse((await ways.read(argv)).out) as object;
		expect(Object.keys(line)).toEqual(['Description', 'Enabled', 'ID', 'Name', 'PluginReference']);
		expect(line).toMatchObject({ Enabled: true, Name: 'loki:latest' });
		expect(await hostOf('fresh-debian').read(argv)).toEqual({ code: 0, out: '', err: '' });
		await ways.run(['systemctl', 'stop', 'docker.socket', 'docker.service']);
		expect(await ways.read(argv)).toMatchObject({ code: 1, out: '' });
	});

	describe('reads its file on reload', () => {
		it('registers a runtime, even one whose program is missing; containers of that one end with 127', async () => {
			const ways = hostOf('fresh-debian');
			await ways.run(['docker', 'pull', 'docker:29-dind']);
			ways.write(file, withRuntime);
			expect(await ways.run(['systemctl', 'reload', 'docker'])).toEqual({ code: 0, out: '', err: '' });
			expect(await runtimes(ways)).toEqual(['io.containerd.runc.v2', 'runc', 'sysbox-runc']);
			expect(await lastOfJournal(ways, 6)).toContain('Failed to run [/usr/bin/sysbox-runc features]');
			const said = await ways.run(['docker', 'run', '--rm', '--runtime=sysbox-runc', 'docker:29-dind', 'true']);
			expect(said.code).toBe(127);
			expect(said.err).toMatch(
				/unable to retrieve OCI runtime error \(open .*log\.json: no such file or directory\): fork\/exec \/usr\/bin\/sysbox-runc: no such file or directory: unknown/,
			);
		});

		it('keeps what it has when the file is broken, and says so in the journal only', async () => {
			const ways = await readyHost();
			ways.write(file, '{ "runtimes": ');
			expect(await ways.run(['systemctl', 'reload', 'docker'])).toEqual({ code: 0, out: '', err: '' });
			expect(await runtimes(ways)).toContain('sysbox-runc');
			expect(await lastOfJournal(ways)).toContain(
				`unable to configure the Docker daemon with file ${file}: invalid JSON: unexpected end of JSON input`,
			);
		});

		it('keeps the old value of a key that is gone, and takes an explicit one', async () => {
			const ways = await readyHost();
			ways.write(
				file,
				JSON.stringify({
					runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
					'default-runtime': 'sysbox-runc',
				}),
			);
			await ways.run(['systemctl', 'reload', 'docker']);
			expect(await format(ways, '{{.DefaultRuntime}}')).toBe('sysbox-runc');
			ways.write(file, '{}');
			await ways.run(['systemctl', 'reload', 'docker']);
			expect(await format(ways, '{{.DefaultRuntime}}')).toBe('sysbox-runc');
			expect(await runtimes(ways)).toContain('sysbox-runc');
			ways.write(file, '{"default-runtime": "runc", "runtimes": {}}');
			await ways.run(['systemctl', 'reload', 'docker']);
			expect(await format(ways, '{{.DefaultRuntime}}')).toBe('runc');
			expect(await runtimes(ways)).toEqual(['io.containerd.runc.v2', 'runc']);
		});

		it('takes bip and pools at a restart only', async () => {
			const ways = hostOf('fresh-ubuntu');
			ways.write(file, '{"bip": "172.26.0.1/16", "live-restore": true}');
			const gateway = async () =>
				JSON.parse((await ways.read(['docker', 'network', 'inspect', 'bridge'])).out)[0].IPAM.Config[0]
					.Gateway as string;
			await ways.run(['systemctl', 'reload', 'docker']);
			expect(await gateway()).toBe('172.17.0.1');
			await ways.run(['systemctl', 'restart', 'docker']);
			expect(await gateway()).toBe('172.26.0.1');
		});

		it('refuses a default runtime that does not exist', async () => {
			const ways = await readyHost();
			ways.write(file, '{"default-runtime": "nosuch"}');
			await ways.run(['systemctl', 'reload', 'docker']);
			expect(await format(ways, '{{.DefaultRuntime}}')).toBe('runc');
			expect(await lastOfJournal(ways)).toContain("specified default runtime 'nosuch' does not exist");
		});

		it('when it gets SIGHUP, too', async () => {
			const ways = hostOf('fresh-ubuntu');
			ways.write(file, withRuntime);
			const pid = Number((await ways.read(['systemctl', 'show', 'docker', '-p', 'MainPID', '--value'])).out);
			expect(await ways.host.signal(pid, 'SIGHUP')).toEqual({ kind: 'sent' });
			expect(await runtimes(ways)).toContain('sysbox-runc');
		});
	});

	it.each([
		['{ "runtimes": ', 'unexpected end of JSON input'],
		['{ "a": 1, }', "invalid character '}' looking for beginning of object key string"],
		["{ 'a': 1 }", "invalid character '\\'' looking for beginning of object key string"],
		['{ "a" 1 }', "invalid character '1' after object key"],
		['{ "bip": "x" "mtu": 1 }', "invalid character '\"' after object key:value pair"],
		['{} x', "invalid character 'x' after top-level value"],
		['{ "no-such-key": 1 }', "the following directives don't match any configuration option: no-such-key"],
		[
			'{ "hosts": ["tcp://0.0.0.0:2375"] }',
			'the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [fd://], from file: [tcp://0.0.0.0:2375])',
		],
		[
			'{ "live-restore": "yes" }',
			'json: cannot unmarshal string into Go struct field Config.live-restore of type bool',
		],
	])('dockerd --validate refuses %s', async (text, words) => {
		const ways = hostOf('fresh-debian');
		ways.write(file, text);
		expect(await ways.read(['dockerd', '--validate', '--config-file', file, '-H', 'fd://'])).toEqual({
			code: 1,
			out: '',
			err: `unable to configure the Docker daemon with file ${file}: ${words}\n`,
		});
	});

	it('dockerd --validate says on standard error that all is well, and sees flags only when told them', async () => {
		const ways = hostOf('fresh-debian');
		ways.write(file, '{ "hosts": ["tcp://0.0.0.0:2375"] }');
		expect(await ways.read(['dockerd', '--validate', '--config-file', file])).toEqual({
			code: 0,
			out: '',
			err: 'configuration OK\n',
		});
		ways.write(file, '');
		expect(await ways.read(['dockerd', '--validate', '--config-file', file])).toMatchObject({ code: 0 });
	});

	describe('restarts', () => {
		const states = (ways: WaysOut) =>
			ways.host
				.state()
				.docker.engine.containers.map(({ name, status }) => `${name} ${status}`)
				.sort();

		it('stops everything without live-restore, and policies bring back what they bring back', async () => {
			const ways = hostOf('containers-running');
			await ways.run(['docker', 'stop', 'npm-mirror']);
			await ways.run(['systemctl', 'restart', 'docker']);
			expect(states(ways)).toEqual([
				'ci-postgres running',
				'db-migration exited',
				'gitlab-runner running',
				'jenkins-agent-1 running',
				'node-exporter running',
				'npm-mirror exited',
				'runner-x7k-project-31-concurrent-0-build exited',
				'runner-x7k-project-31-concurrent-0-docker-0 exited',
			]);
		});

		it('stops nothing with live-restore', async () => {
			const ways = hostOf('fresh-ubuntu');
			const pids = async () =>
				(await ways.read(['docker', 'inspect', '-f', '{{.State.Pid}}', 'gitlab-runner', 'ci-postgres'])).out;
			const before = await pids();
			await ways.run(['systemctl', 'restart', 'docker']);
			expect(await pids()).toBe(before);
		});

		it('does not come up with a broken file, tries again by itself, and gives up', async () => {
			const ways = hostOf('broken-daemon-json');
			const said = await ways.run(['systemctl', 'restart', 'docker']);
			expect(said).toMatchObject({
				code: 1,
				err: expect.stringContaining(
					'Job for docker.service failed because the control process exited with error code.',
				),
			});
			expect(ways.host.state().units['docker.service']?.active).toBe('activating');
			expect(await ways.read(['docker', 'ps', '-q'])).toMatchObject({
				code: 1,
				err: expect.stringContaining('failed to connect to the docker API'),
			});
			await ways.host.clock.sleep(10_000);
			expect((await ways.read(['systemctl', 'show', 'docker', '-p', 'ActiveState', '-p', 'Result'])).out).toBe(
				'Result=start-limit-hit\nActiveState=failed\n',
			);
			// A good file alone does not help within the minute of the start limit.
			ways.write(file, '{}');
			expect((await ways.run(['systemctl', 'start', 'docker'])).code).toBe(1);
			await ways.run(['systemctl', 'reset-failed', 'docker']);
			expect((await ways.run(['systemctl', 'start', 'docker'])).code).toBe(0);
			expect((await ways.read(['docker', 'ps', '-q'])).code).toBe(0);
		});

		it('comes back by itself when the file is put right in time', async () => {
			const ways = hostOf('broken-daemon-json');
			await ways.run(['systemctl', 'restart', 'docker']);
			ways.write(file, '{}');
			await ways.host.clock.sleep(3000);
			ways.host.disturb(() => undefined);
			expect(ways.host.state().units['docker.service']?.active).toBe('active');
		});
	});

	it('ends with 0 and an empty answer when docker info is asked with a format and nobody answers', async () => {
		const ways = hostOf('fresh-ubuntu', { faults: [{ name: 'docker-down' }] });
		const said = await ways.read(['docker', 'info', '--format', '{{json .}}']);
		expect(said.code).toBe(0);
		expect(said.err).toContain('failed to connect to the docker API');
		expect(JSON.parse(said.out)).toMatchObject({
			ID: '',
			ServerErrors: [expect.stringContaining('failed to connect')],
		});
		expect((await ways.run(['systemctl', 'start', 'docker'])).code).toBe(0);
		expect(await format(ways, '{{.ServerVersion}}')).toBe('29.7.2');
	});

	describe('goes wrong where it is told to', () => {
		const faulty = (...faults: Fault[]) => hostOf('already-set-up', { faults });

		it('hangs', async () => {
			const ways = faulty({ name: 'docker-hangs', command: 'info', times: 1 });
			expect(await ways.host.exec(['docker', 'info', '--format', '{{json .}}'], { timeoutMs: 5000 })).toMatchObject({
				code: null,
				problem: 'timeout',
				elapsedMs: 5000,
			});
			expect((await ways.read(['docker', 'info', '--format', '{{json .}}'])).code).toBe(0);
		});

		it('prints garbage', async () => {
			expect((await faulty({ name: 'docker-garbage' }).read(['docker', 'ps', '-aq'])).out).toContain('502 Bad Gateway');
		});

		it('refuses to reload a good file', async () => {
			const ways = faulty({ name: 'docker-reload-refused' });
			ways.write(file, '{"debug": true}');
			await ways.run(['systemctl', 'reload', 'docker']);
			expect(await format(ways, '{{.Debug}}')).toBe('false');
			expect(await lastOfJournal(ways)).toContain('Error reconfiguring the daemon');
		});

		it('does not come back after a restart, once', async () => {
			const ways = faulty({ name: 'docker-does-not-come-back', times: 1 });
			expect((await ways.run(['systemctl', 'restart', 'docker'])).code).toBe(1);
			expect((await ways.read(['docker', 'ps', '-q'])).code).toBe(1);
			expect((await ways.run(['systemctl', 'start', 'docker'])).code).toBe(0);
			expect((await ways.read(['docker', 'ps', '-q'])).code).toBe(0);
		});

		it('has a runtime that lies: everything runs as plain runc', async () => {
			const ways = await readyHost({ faults: [{ name: 'lying-runtime' }] });
			expect((await ways.inside('sysbox', ['cat', '/proc/self/uid_map'])).out).toBe(
				'         0          0 4294967295\n',
			);
		});

		it('has a runtime that is broken', async () => {
			const ways = await readyHost({ faults: [{ name: 'broken-runtime' }] });
			expect(await ways.inside('sysbox', ['true'])).toMatchObject({
				code: 125,
				err: expect.stringContaining('OCI runtime create failed: container_linux.go:439'),
			});
			expect((await ways.inside('runc', ['true'])).code).toBe(0);
		});
	});
});
