import type { SimulatedHost } from '../../src/simulation/host.ts';

const images = ['acme/build:1', 'docker:29-dind', 'nginx:1', 'gitlab/gitlab-runner:v17', 'traefik:3'];

const kinds: readonly { readonly host?: object; readonly mount?: string }[] = [
	{ host: { Privileged: true } },
	{ mount: '/var/run/docker.sock' },
	{ host: { PidMode: 'host' } },
	{ host: { CapAdd: ['SYS_ADMIN'] } },
	{ host: { NetworkMode: 'host' } },
	{ host: { SecurityOpt: ['seccomp=unconfined'] } },
	{ mount: '/' },
	{ mount: '/run/containerd/containerd.sock' },
	{ mount: '/var/lib/docker' },
	{ mount: '/etc' },
	{ mount: '/proc' },
	{ mount: '/srv/data' },
	{ host: { IpcMode: 'host' } },
	{ host: { UTSMode: 'host' } },
	{ host: { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }] } },
	{},
];

function composed(file: string): Record<string, string> {
	return {
		'com.docker.compose.project': 'ci',
		'com.docker.compose.service': 'agent',
		'com.docker.compose.project.config_files': `/srv/${file}`,
	};
}

const inspected = (n: number, labels: Record<string, string>) => {
	const { host, mount } = kinds[n % kinds.length] ?? {};
	const running = n % 7 !== 3;
	return {
		Id: n.toString(16).padStart(64, '0'),
		Name: `/box-${n}`,
		Image: 'sha256:1',
		State: { Status: running ? 'running' : 'exited', Running: running, Pid: running ? 5000 + n : 0, StartedAt: '' },
		Config: { Image: images[n % images.length], Labels: labels },
		HostConfig: { Runtime: 'runc', NetworkMode: 'bridge', RestartPolicy: { Name: 'no' }, ...host },
		Mounts: mount === undefined ? [] : [{ Type: 'bind', Source: mount, Destination: `/m${mount}`, RW: true }],
	};
};

/**
 * The host with this many containers of every kind that a look tells apart, and labels of 1 MB on two of them. Docker
 * answers so here, as a simulated engine with thousands of containers would take minutes.
 */
export function crowded(host: SimulatedHost, count: number): SimulatedHost {
	const all = Array.from({ length: count }, (_, n) =>
		inspected(n, n === 15 || n === 16 ? composed('x'.repeat(1_000_000)) : n % 3 === 0 ? composed(`${n % 40}.yml`) : {}),
	);
	const listed = all.map(({ Id }) => Id).join('\n');
	const texts = new Map(all.map(container => [container.Id, JSON.stringify(container)]));
	return {
		...host,
		exec: async (argv, options) => {
			const line = argv.slice(0, 3).join(' ');
			if (line === 'docker ps -aq') return { code: 0, stdout: listed, stderr: '', elapsedMs: 900 };
			const parts = argv[1] === 'inspect' ? argv.slice(2).map(id => texts.get(id)) : [undefined];
			if (!parts.includes(undefined)) return { code: 0, stdout: `[${parts.join(',')}]`, stderr: '', elapsedMs: 500 };
			return host.exec(argv, options);
		},
	};
}
