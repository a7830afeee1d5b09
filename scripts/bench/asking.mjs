import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleaved, ratio, started } from './measure.mjs';

/** How often Docker is asked, with few containers and with many. */
export function asking(bench) {
	const few = dockerWith(bench, 10);
	const many = dockerWith(bench, 1000);
	const [fewMs, manyMs] = interleaved(9, [() => few.check(), () => many.check()]);
	const [atFew, atMany] = [few.calls(), many.calls()];
	bench.row(
		'calls of docker in `check`, 10 / 1,000 containers',
		`${atFew.length} / ${atMany.length}`,
		'at most 8',
		[atFew, atMany].every(calls => calls.length > 0 && calls.length <= 8),
	);
	const inspects = [atFew, atMany].map(calls => calls.filter(call => call === 'inspect').length);
	bench.row(
		'of these, `docker inspect` (500 containers a call)',
		inspects.join(' / '),
		'1 / 2',
		inspects.join() === '1,2',
	);
	bench.row('time of `check`, 1,000 / 10 containers', ratio(manyMs / fewMs), '≤ 2', manyMs / fewMs <= 2);
}

function dockerWith({ entry, folder }, count) {
	const bin = join(folder, `docker-${count}`);
	mkdirSync(bin);
	const ids = Array.from({ length: count }, (_, n) => (n + 1).toString(16).padStart(64, '0'));
	const containers = ids.map((Id, n) => ({
		Id,
		Name: `/job-${n}`,
		Image: `sha256:${'a'.repeat(64)}`,
		State: { Status: 'running', Running: true, Pid: 100_000 + n, StartedAt: '2026-11-23T10:00:00Z' },
		Config: { Image: 'alpine:3', Labels: { 'com.docker.compose.project': `p${n}` } },
		HostConfig: { Runtime: 'runc', NetworkMode: 'bridge', RestartPolicy: { Name: 'always' }, Binds: [] },
		Mounts: [],
		NetworkSettings: { Networks: { bridge: {} } },
	}));
	const answers = {
		context: [{ Name: 'default', Endpoints: { docker: { Host: 'unix:///var/run/docker.sock' } } }],
		version: { Client: { Version: '28.5.1' }, Server: { Version: '28.5.1', Components: [] } },
		info: {
			ID: 'bench',
			ServerVersion: '28.5.1',
			OperatingSystem: 'Debian GNU/Linux 13 (trixie)',
			Architecture: 'x86_64',
			DockerRootDir: '/var/lib/docker',
			Driver: 'overlay2',
			Runtimes: { runc: { path: 'runc' } },
			DefaultRuntime: 'runc',
			CgroupDriver: 'systemd',
			CgroupVersion: '2',
			Containers: count,
			ContainersRunning: count,
		},
		network: [{ Id: 'b', IPAM: { Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] }, Options: {} }],
		inspect: containers,
	};
	for (const [name, answer] of Object.entries(answers))
		writeFileSync(join(bin, `${name}.json`), JSON.stringify(answer));
	writeFileSync(join(bin, 'ps.json'), ids.join('\n'));
	const calls = join(bin, 'calls');
	writeFileSync(
		join(bin, 'docker'),
		`#!/bin/sh\necho "$1" >>'${calls}'\nif [ -f '${bin}'/"$1.json" ]; then cat '${bin}'/"$1.json"; else echo "unknown" >&2; exit 1; fi\n`,
	);
	chmodSync(join(bin, 'docker'), 0o755);
	const env = { ...process.env, HOME: bin, PATH: `${bin}:${process.env.PATH}` };
	// Root's commands come from the system's directories alone, and this docker is in none of them.
	const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
	for (const path of [folder, bin]) chmodSync(path, 0o755);
	return {
		check: () => {
			writeFileSync(calls, '');
			chmodSync(calls, 0o666);
			return started([entry, 'check', '--format', 'json'], env, user);
		},
		/** The first word of each call. */
		calls: () => readFileSync(calls, 'utf8').trimEnd().split('\n'),
	};
}
