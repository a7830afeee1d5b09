import { beforeEach, describe, expect, it } from 'vitest';
import { readyHost } from './support.ts';

describe('an engine inside a container', () => {
	let ways: Awaited<ReturnType<typeof readyHost>>;
	const inner = (...argv: string[]) => ways.run(['docker', 'exec', 'ind', ...argv]);
	const start = async (...options: string[]) => {
		await ways.run(['docker', 'run', '-d', '--name', 'ind', ...options, 'docker:29-dind']);
		for (let n = 0; n < 40; n += 1) {
			if ((await inner('docker', 'info')).code === 0) return true;
			await ways.host.clock.sleep(500);
		}
		return false;
	};
	beforeEach(async () => {
		ways = await readyHost();
	});

	it('does not answer at once, and then does', async () => {
		await ways.run(['docker', 'run', '-d', '--name', 'ind', '--runtime=sysbox-runc', 'docker:29-dind']);
		const early = await inner('docker', 'info', '--format', '{{.ID}}');
		expect(early.err).toContain('failed to connect to the docker API at unix:///var/run/docker.sock');
		await ways.host.clock.sleep(3000);
		expect(await inner('docker', 'info', '--format', '{{.ID}}')).toMatchObject({ code: 0, err: '' });
	});

	it('comes up under Sysbox and in a privileged container, not in a plain one', async () => {
		expect(await start('--runtime=sysbox-runc')).toBe(true);
		await ways.run(['docker', 'rm', '-f', '-v', 'ind']);
		expect(await start('--privileged')).toBe(true);
		await ways.run(['docker', 'rm', '-f', '-v', 'ind']);
		expect(await start()).toBe(false);
		expect((await ways.run(['docker', 'logs', 'ind'])).err).toContain('Permission denied (you must be root)');
		expect((await ways.read(['docker', 'inspect', '-f', '{{.State.ExitCode}}', 'ind'])).out).toBe('1\n');
	});

	describe('under Sysbox', () => {
		beforeEach(async () => {
			expect(await start('--runtime=sysbox-runc')).toBe(true);
			await inner('docker', 'pull', '-q', 'busybox');
		});

		it('is another one than the host’s', async () => {
			const own = await inner('docker', 'info', '--format', '{{.ID}}');
			expect(own.out).not.toBe((await ways.read(['docker', 'info', '--format', '{{.ID}}'])).out);
			expect((await inner('docker', 'ps', '-aq')).out).toBe('');
		});

		it('runs containers that are mapped like the one around them', async () => {
			const said = await inner(
				'docker',
				'run',
				'--rm',
				'busybox',
				'sh',
				'-c',
				'cat /proc/self/uid_map; grep CapEff /proc/self/status',
			);
			expect(said.out).toBe('         0     165536      65536\nCapEff:\t00000000a80425fb\n');
			expect(
				(await inner('docker', 'run', '--rm', '--privileged', 'busybox', 'grep', 'CapEff', '/proc/self/status')).out,
			).toBe('CapEff:\t000001ffffffffff\n');
		});

		it('is privileged there and nowhere else', async () => {
			const said = await inner(
				'docker',
				'run',
				'--rm',
				'--privileged',
				'busybox',
				'sh',
				'-c',
				'echo x > /proc/sys/kernel/core_pattern; mknod /b b 252 0; ls /dev/vda',
			);
			expect(said.code).not.toBe(0);
			expect(said.err).toContain('Permission denied');
			expect(said.err).toContain('mknod: /b: Operation not permitted');
			expect(said.err).toContain('ls: /dev/vda: No such file or directory');
		});

		it('builds, with BuildKit and with the classic builder', async () => {
			const dockerfile = new TextEncoder().encode('FROM busybox\nRUN echo built > /x && cat /x\n');
			const build = (...before: string[]) =>
				ways.run(['docker', 'exec', '-i', ...before, 'ind', 'docker', 'build', '-t', 't', '-'], { stdin: dockerfile });
			expect((await build()).code).toBe(0);
			expect((await inner('docker', 'run', '--rm', 't', 'cat', '/x')).out).toBe('built\n');
			const classic = await build('-e', 'DOCKER_BUILDKIT=0');
			expect(classic.out).toContain('Step 2/2 : RUN echo built > /x && cat /x\n ---> Running in ');
			expect(classic.out).toContain('\nbuilt\n');
			expect(classic.out).toMatch(/Successfully tagged t:latest\n$/);
		});

		it('fails a build where the real one fails', async () => {
			const failing = new TextEncoder().encode('FROM busybox\nRUN exit 3\n');
			const said = await ways.run(['docker', 'exec', '-i', 'ind', 'docker', 'build', '-t', 't', '-'], {
				stdin: failing,
			});
			expect(said).toMatchObject({ code: 1 });
			expect(said.err).toContain('did not complete successfully: exit code: 3');
		});

		it('pushes to a registry of its own and pulls from it', async () => {
			await inner('docker', 'run', '-d', '-p', '5000:5000', '--name', 'registry', 'registry:2');
			expect((await inner('docker', 'push', 'localhost:5000/x')).code).toBe(1);
			await inner('docker', 'tag', 'busybox', 'localhost:5000/x');
			expect((await inner('docker', 'push', 'localhost:5000/x')).out).toContain('latest: digest: sha256:');
			await inner('docker', 'rmi', 'localhost:5000/x');
			expect(await inner('docker', 'pull', '-q', 'localhost:5000/x')).toMatchObject({
				code: 0,
				out: 'localhost:5000/x:latest\n',
			});
			expect((await inner('docker', 'pull', 'localhost:5000/nosuch')).code).toBe(1);
			expect((await inner('wget', '-qO-', 'http://localhost:5000/v2/_catalog')).out).toBe('{"repositories":["x"]}\n');
		});

		it('is fed with an image of the host through an archive', async () => {
			await ways.run(['docker', 'save', '-o', '/root/registry.tar', 'registry:2']);
			const said = await ways.run(['docker', 'exec', '-i', 'ind', 'docker', 'load'], {
				stdin: { file: '/root/registry.tar' },
			});
			expect(said).toMatchObject({ code: 0, out: 'Loaded image: registry:2\n' });
			expect((await inner('docker', 'images', '--format', '{{.Repository}}:{{.Tag}}')).out).toContain('registry:2\n');
		});

		it('counts its containers towards the limit of the one around it', async () => {
			await ways.run(['docker', 'rm', '-f', '-v', 'ind']);
			await start('--runtime=sysbox-runc', '--memory=256m');
			await inner('docker', 'pull', '-q', 'busybox');
			expect(
				(await inner('docker', 'run', '--rm', 'busybox', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=400M', 'count=1'))
					.code,
			).toBe(137);
		});

		it('is gone with its container, and the host keeps nothing', async () => {
			await ways.run(['docker', 'rm', '-f', '-v', 'ind']);
			expect(await inner('docker', 'ps')).toMatchObject({
				code: 1,
				err: 'Error response from daemon: No such container: ind\n',
			});
			expect((await ways.read(['docker', 'ps', '-aq', '--filter', 'name=ind'])).out).toBe('');
		});
	});

	it('starts with dockerd as a program of any image that has it', async () => {
		await ways.run([
			'docker',
			'run',
			'-d',
			'--name',
			'ind',
			'--runtime=sysbox-runc',
			'--entrypoint',
			'sleep',
			'docker:29-dind',
			'600',
		]);
		await ways.run(['docker', 'exec', '-d', 'ind', 'sh', '-c', 'dockerd >/var/log/dockerd.log 2>&1']);
		await ways.host.clock.sleep(3000);
		expect((await inner('docker', 'info', '--format', '{{.ServerVersion}}')).out).toBe('29.7.2\n');
		expect((await inner('tail', '-1', '/var/log/dockerd.log')).out).toContain('API listen on /var/run/docker.sock');
	});
});
