/**
 * The programs that the simulated host plays, beside the real ones of a lab host: the same commands end alike, and print
 * the same shape. What is shown is each host's own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Argv } from '../../src/port/host.ts';
import { packagesCommand } from '../../src/system/dpkg.ts';
import { hostOf } from '../simulated/support.ts';
import { type LabHost, labAvailable, type Output, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

/** Every field that the simulated document has, as a path and a type. Keys that are names of things are left out. */
function shapeOf(value: unknown, path = ''): string[] {
	if (Array.isArray(value)) return value.slice(0, 1).flatMap(item => shapeOf(item, `${path}[]`));
	// What is not there on one host may be there on another.
	if (value === null) return [];
	if (typeof value !== 'object') return [`${path}: ${typeof value}`];
	if (/Runtimes$|Labels$|Options$/.test(path)) return [`${path}: object`];
	return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, `${path}.${key}`));
}

const lines = (text: string): readonly string[] => text.trim().split('\n');

/** Names and the values of things go; words stay. */
const words = (text: string): string =>
	text
		.trim()
		.replaceAll(/[0-9a-f]{12,64}/g, 'ID')
		.replaceAll(/\d+(?:\.\d+)*/g, 'N');

type Same = (simulated: string, real: string) => void;

const json: Same = (simulated, real) => {
	const known = new Set(shapeOf(JSON.parse(real)));
	expect(shapeOf(JSON.parse(simulated)).filter(field => !known.has(field))).toEqual([]);
};
const keys: Same = (simulated, real) => {
	const of = (text: string) => lines(text).map(line => line.split('=')[0]);
	expect(of(simulated)).toEqual(of(real));
};
const said: Same = (simulated, real) => expect(words(simulated)).toBe(words(real));
const columns: Same = (simulated, real) => {
	const of = (text: string) => (lines(text)[0] ?? '').split('\t').length;
	expect(of(simulated)).toBe(of(real));
};
const kind: Same = (simulated, real) => {
	const of = (text: string) => new Set(lines(text).flatMap(line => /^(?:Inst|Conf|Remv|Purg) /.exec(line)?.[0] ?? []));
	expect(of(simulated)).toEqual(of(real));
};

const properties = (...names: readonly string[]) => names.flatMap(name => ['-p', name]);

describe.skipIf(!lab.available)('a program that the simulated host plays', () => {
	const simulated = hostOf('fresh-debian');
	let real: LabHost;

	beforeAll(async () => {
		real = await startLabHost({ cgroup: 'v2', name: 'programs' });
		await real.loadImages('busybox');
		const options = ['--name=ci-postgres', '--restart=unless-stopped', '--volume=ci-postgres:/v', '--entrypoint=sleep'];
		await real.exec(['docker', 'run', '-d', ...options, 'lab/busybox:1', '900']);
	});
	afterAll(() => real?.remove());

	it.each<[string, Argv, Same, Same?]>([
		['docker info', ['docker', 'info', '--format', '{{json .}}'], json],
		['docker version', ['docker', 'version', '--format', '{{json .}}'], json],
		['docker context inspect', ['docker', 'context', 'inspect'], json],
		['docker inspect', ['docker', 'inspect', 'ci-postgres'], json],
		['docker inspect of nothing', ['docker', 'inspect', 'nosuch'], said, said],
		['docker network inspect', ['docker', 'network', 'inspect', 'bridge'], json],
		['docker network inspect of nothing', ['docker', 'network', 'inspect', 'nosuch'], said, said],
		['docker image inspect of nothing', ['docker', 'image', 'inspect', 'nosuch'], said, said],
		['docker start of nothing', ['docker', 'start', 'nosuch'], said, said],
		['docker stop of nothing', ['docker', 'stop', 'nosuch'], said, said],
		['docker rm of nothing', ['docker', 'rm', 'nosuch'], said, said],
		['docker rm of what runs', ['docker', 'rm', 'ci-postgres'], said, said],
		['docker exec of nothing', ['docker', 'exec', 'nosuch', 'true'], said, said],
		[
			'docker run of an unknown runtime',
			['docker', 'run', '--pull=never', '--runtime=nosuch', 'ci-postgres', 'true'],
			said,
		],
		['docker plugin ls', ['docker', 'plugin', 'ls', '--format', '{{json .}}'], said],
		['docker volume ls', ['docker', 'volume', 'ls', '--filter', 'label=nosuch', '--format', '{{.Name}}'], said],
		[
			'systemctl show',
			[
				'systemctl',
				'show',
				'docker.service',
				...properties(
					'Id',
					'Result',
					'LoadState',
					'ActiveState',
					'SubState',
					'UnitFileState',
					'MainPID',
					'FragmentPath',
					'NRestarts',
					'Restart',
					'RestartUSec',
					'Type',
					'User',
				),
			],
			keys,
		],
		[
			'systemctl show of nothing',
			['systemctl', 'show', 'nosuch.service', ...properties('Id', 'LoadState', 'ActiveState', 'MainPID')],
			said,
		],
		['systemctl start of nothing', ['systemctl', 'start', 'nosuch'], said, said],
		['systemctl stop of nothing', ['systemctl', 'stop', 'nosuch'], said, said],
		['systemctl reload of nothing', ['systemctl', 'reload', 'nosuch'], said, said],
		['systemctl cat of nothing', ['systemctl', 'cat', 'nosuch'], said, said],
		['dpkg-query', [...packagesCommand, 'dpkg'] as unknown as Argv, columns],
		['dpkg-query of nothing', ['dpkg-query', '-W', 'nosuch'], said, said],
		['dpkg --compare-versions', ['dpkg', '--compare-versions', '5:26.1.5~1', 'lt', '5:26.1.5'], said, said],
		['dpkg-deb of no package', ['dpkg-deb', '--field', '/nosuch.deb', 'Package'], said, said],
		['apt-mark showauto', ['apt-mark', 'showauto', 'nosuch'], said],
		['apt-get of nothing', ['apt-get', 'install', '--simulate', 'nosuch'], kind],
		['uname', ['uname', '-srm'], (a, b) => expect(a.split(' ')).toHaveLength(b.split(' ').length)],
		['readlink', ['readlink', '/proc/1/ns/time'], said],
		['readlink of nothing', ['readlink', '/nosuch'], said, said],
		['kill of nothing', ['kill', '-9', '4194300'], said],
		['rm of nothing', ['rm', '/nosuch'], said, said],
		['cat of nothing', ['cat', '/nosuch'], said, said],
		['dockerd --validate', ['dockerd', '--validate', '--config-file=/nosuch'], said, said],
	])('%s', async (_, argv, out, err) => {
		const played: Output = await simulated.host
			.run(argv, { timeoutMs: 60_000 })
			.then(({ code, stdout, stderr }) => ({ code: code ?? -1, stdout, stderr }));
		const seen = await real.exec(argv, { reject: false });
		expect(played.code, `${played.stderr}\nreal: ${seen.stderr}`).toBe(seen.code);
		out(played.stdout, seen.stdout);
		err?.(played.stderr, seen.stderr);
	});
});
