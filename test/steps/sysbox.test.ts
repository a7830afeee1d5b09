import { describe, expect, test } from 'vitest';
import { knowledge } from '../../src/knowledge/index.ts';
import { latestRelease, packageFor } from '../../src/knowledge/lookup.ts';
import { type Action, risksOf } from '../../src/model/action.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { parseSimulation } from '../../src/system/apt.ts';
import { passesPackageGuard } from '../../src/text/json-edit.ts';
import { askSysbox } from '../../steps/sysbox/ask.ts';
import { inspectSysbox } from '../../steps/sysbox/facts.ts';
import { judgeSysbox } from '../../steps/sysbox/judge.ts';
import { planSysbox } from '../../steps/sysbox/plan.ts';
import {
	type DockerHost,
	dockerHost,
	judging,
	looking,
	options,
	ranBefore,
	readyDaemonJson,
	setUpHost,
	sha256,
	socketPaths,
} from './scripted-docker.ts';

const newest = latestRelease(knowledge);
const amd64 = packageFor(knowledge, newest?.version ?? '', 'amd64');
const debPath = '/home/anna/sysbox-ce.deb';
const debFields = `dpkg-deb --field ${debPath} Package Version Architecture`;
const debSimulation = `apt-get install --simulate --no-install-recommends ${debPath}`;

async function seen(words: DockerHost, change: Partial<JudgeContext> = {}) {
	const context = judging(change);
	const facts = await inspectSysbox(looking(dockerHost(words), change));
	return {
		facts,
		findings: judgeSysbox(facts, context),
		plan: planSysbox(facts, context),
		questions: askSysbox(facts, context),
	};
}

const ids = (actions: readonly Action[]) => actions.map(a => a.id);
const written = (actions: readonly Action[]) => {
	const action = actions.find(a => a.kind === 'write');
	return action?.kind === 'write' ? new TextDecoder().decode(action.bytes) : undefined;
};
const argvOf = (actions: readonly Action[], id: string) => {
	const action = actions.find(a => a.id === id);
	return action?.kind === 'exec' ? action.argv.join(' ') : undefined;
};

describe('a fresh host', () => {
	test('gets the package from the table fetched, then the file, then running services', async () => {
		const { plan, findings } = await seen({});
		expect(ids(plan.actions)).toEqual(['downloads-folder', 'download', 'daemon-json', 'install', 'start']);
		expect(risksOf(plan)).toEqual([]);
		expect(JSON.parse(written(plan.actions) ?? '')).toEqual({
			runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
			bip: '172.17.0.1/16',
			'default-address-pools': [
				{ base: '172.17.0.0/16', size: 16 },
				{ base: '172.18.0.0/16', size: 16 },
				{ base: '172.19.0.0/16', size: 16 },
				{ base: '172.20.0.0/14', size: 16 },
				{ base: '172.24.0.0/14', size: 16 },
				{ base: '172.28.0.0/14', size: 16 },
				{ base: '192.168.0.0/16', size: 20 },
			],
		});
		expect(passesPackageGuard(written(plan.actions) ?? '')).toEqual({ bip: true, pools: true });
		expect(plan.actions.find(a => a.kind === 'write')).toMatchObject({
			path: '/etc/docker/daemon.json',
			mode: 0o644,
			expect: { kind: 'missing' },
			validateWith: ['dockerd', '--validate', '--config-file', '{}', '--host=fd://'],
		});
		const target = `/var/lib/sysbox-setup/downloads/${amd64?.url.split('/').at(-1)}`;
		expect(plan.actions.find(a => a.kind === 'download')).toMatchObject({
			url: amd64?.url,
			sha256: amd64?.sha256,
			to: target,
		});
		expect(argvOf(plan.actions, 'install')).toBe(
			`apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold ${target}`,
		);
		expect(argvOf(plan.actions, 'start')).toBe('systemctl start sysbox');
		expect(findings.find(f => f.id === 'sysbox.installed')).toMatchObject({
			severity: 'block',
			remedy: { kind: 'planned' },
		});
	});

	test('without the folder of the file gets it made', async () => {
		const host = dockerHost({});
		const without: typeof host = {
			...host,
			stat: async path => (path === '/etc/docker' ? { kind: 'missing' } : host.stat(path)),
		};
		const facts = await inspectSysbox(looking(without));
		const { actions } = planSysbox(facts, judging());
		const made = actions.findIndex(a => a.id === 'daemon-json') - 1;
		expect(actions[made]).toMatchObject({ kind: 'make-folder', path: '/etc/docker' });
	});

	test('keeps a download of an earlier attempt whose digest is right', async () => {
		const target = `/var/lib/sysbox-setup/downloads/${amd64?.url.split('/').at(-1)}`;
		const { plan } = await seen({
			digests: { [target]: amd64?.sha256 ?? '' },
			directories: ['/var/lib/sysbox-setup/downloads'],
			commands: {
				[`apt-get install --simulate --no-install-recommends ${target}`]: { stdout: 'Inst sysbox-ce (x)\n' },
			},
		});
		expect(ids(plan.actions)).toEqual(['daemon-json', 'install', 'start']);
	});

	test('with an older Docker that hides the gateway is asked for the address of its bridge', async () => {
		const { plan } = await seen({
			bridge: { subnet: '172.17.0.0/16' },
			validate: { code: 125, stderr: 'unknown flag: --validate' },
		});
		expect(JSON.parse(written(plan.actions) ?? '')).toMatchObject({ bip: '172.17.0.1/16' });
		expect(plan.actions.find(a => a.kind === 'write')).toMatchObject({ validateWith: undefined });
	});

	test('of another architecture has no package, and says so', async () => {
		const arch = 'dpkg\t1.22\triscv64\tii \n';
		const host = dockerHost({});
		const other: typeof host = {
			...host,
			exec: async (argv, o) => {
				const answer = await host.exec(argv, o);
				return argv[0] === 'dpkg-query' ? { ...answer, stdout: arch } : answer;
			},
		};
		const facts = await inspectSysbox(looking(other));
		expect(planSysbox(facts, judging()).actions).toEqual([]);
		const finding = judgeSysbox(facts, judging()).find(f => f.id === 'sysbox.installed');
		expect(finding?.evidence).toContain('riscv64');
		expect(finding?.remedy?.kind).toBe('advice');
	});
});

test('seen by a user who may not ask Docker is not called unfit', async () => {
	const denied = {
		code: 1,
		stderr: 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock',
	};
	const { plan, findings } = await seen({ uid: 1000, commands: { 'docker info --format {{json .}}': denied } });
	expect(plan.actions).toEqual([]);
	expect(findings.filter(f => f.severity === 'block' && f.remedy?.kind !== 'planned')).toEqual([]);
	expect(findings.find(f => f.id === 'sysbox.docker-answers')).toMatchObject({
		severity: 'could-not-tell',
		needsRoot: true,
	});
});

describe('a host that is set up', () => {
	test('has nothing to change and nothing wrong', async () => {
		const { plan, findings, questions } = await seen(setUpHost);
		expect(plan.actions).toEqual([]);
		expect(questions).toEqual([]);
		expect(findings.filter(f => f.severity !== 'ok' && f.severity !== 'info')).toEqual([]);
	});

	test('without systemd, sockets that only root may see and a table that is old is told apart from a bad one', async () => {
		const { findings } = await seen(setUpHost, { now: new Date('2027-06-01T00:00:00Z') });
		expect(findings.find(f => f.id === 'sysbox.outdated')?.severity).toBe('could-not-tell');
	});
});

describe('services', () => {
	const down = {
		...setUpHost,
		sockets: false,
		units: {
			sysbox: { active: 'inactive' },
			'sysbox-mgr': { active: 'active' },
			'sysbox-fs': { active: 'failed', result: 'timeout' },
		},
	};

	test('that missed their start are started again, up to three times', async () => {
		const { plan, findings } = await seen(down);
		expect(plan.actions).toMatchObject([{ id: 'start', argv: ['systemctl', 'start', 'sysbox'], retries: 2 }]);
		const finding = findings.find(f => f.id === 'sysbox.units-active');
		expect(finding?.evidence).toBe('sysbox inactive, sysbox-mgr active, sysbox-fs failed (timeout)');
		expect(finding?.why).toContain('misses its start');
	});

	test('are waited for: services, sockets and versions', async () => {
		const { plan } = await seen(down);
		const waitUntil = plan.actions[0]?.waitUntil;
		const { signal } = new AbortController();
		expect(await waitUntil?.check(dockerHost(down), signal, new Date(0))).toMatchObject({ kind: 'waiting' });
		expect(await waitUntil?.check(dockerHost({ ...setUpHost, sockets: false }), signal, new Date(0))).toEqual({
			kind: 'waiting',
			seen: `no socket at ${socketPaths.join(', ')}`,
		});
		expect(await waitUntil?.check(dockerHost(setUpHost), signal, new Date(0))).toMatchObject({ kind: 'settled' });
	});

	test('that are disabled are enabled, and can be disabled again', async () => {
		const disabled = { active: 'active', enabled: 'disabled' };
		const { plan } = await seen({
			...setUpHost,
			units: { sysbox: disabled, 'sysbox-mgr': disabled, 'sysbox-fs': disabled },
		});
		expect(argvOf(plan.actions, 'enable')).toBe('systemctl enable sysbox sysbox-mgr sysbox-fs');
		const undo = plan.actions[0]?.kind === 'exec' ? plan.actions[0].undo : undefined;
		expect(undo).toMatchObject({
			commands: [{ argv: ['systemctl', 'disable', 'sysbox', 'sysbox-mgr', 'sysbox-fs'] }],
		});
	});

	test('that somebody masked are left alone', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			units: { ...down.units, sysbox: { load: 'masked', active: 'inactive' } },
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.units-active')?.summary).toContain('masked');
	});

	test('whose sockets are gone are restarted only by name, with what that breaks', async () => {
		const { plan } = await seen({
			...setUpHost,
			sockets: false,
			containers: [{ name: 'job', runtime: 'sysbox-runc' }, { name: 'web' }],
		});
		expect(risksOf(plan)).toEqual(['stop-containers', 'restart-sysbox']);
		expect(plan.actions.map(a => a.id)).toEqual(['stop-sysbox-containers', 'restart', 'start-sysbox-containers']);
		expect(plan.impact?.stops.join()).toContain('job (running');
		expect(plan.impact?.stops.join()).toContain('stopped first, started again afterwards');
	});
});

describe('containers on the host', () => {
	const containers = [{ name: 'web' }, { name: 'db', running: false }];

	test('are not touched by an installation', async () => {
		const { plan } = await seen({ daemonJson: '{\n    "live-restore": true\n}\n', containers });
		expect(risksOf(plan)).toEqual([]);
		expect(plan.impact).toEqual({
			stops: [],
			notes: [
				'1 running container is not touched, and Docker is not restarted',
				'bip, default-address-pools: what Docker uses already; no network changes',
				expect.stringMatching(/^Known of this Sysbox: .*docker cp does not work/),
			],
		});
		expect(passesPackageGuard(written(plan.actions) ?? '')).toEqual({ bip: true, pools: true });
		expect(written(plan.actions)).toContain('"live-restore": true,');
	});

	const tabs =
		'{\n\t"bip": "10.9.0.1/24",\n\t"default-address-pools": [\n\t\t{"base": "10.8.0.0/16", "size": 24}\n\t],\n\t"debug": false\n}\n';

	test('bring the package guard up: keys behind tabs are laid out anew, and nothing else', async () => {
		const { plan, findings, questions } = await seen({ daemonJson: tabs, containers });
		expect(questions.map(q => q.id)).toEqual(['sysbox.reformat-keys']);
		expect(findings.find(f => f.id === 'sysbox.package-guard')).toMatchObject({
			severity: 'warn',
			remedy: { kind: 'planned' },
		});
		const text = written(plan.actions) ?? '';
		expect(passesPackageGuard(text)).toEqual({ bip: true, pools: true });
		expect(text).toContain('\t"debug": false');
		expect(JSON.parse(text)).toMatchObject({
			bip: '10.9.0.1/24',
			'default-address-pools': [{ base: '10.8.0.0/16', size: 24 }],
		});
	});

	test('with the new layout declined block the installation', async () => {
		const answers = { 'sysbox.reformat-keys': false };
		const { plan, findings } = await seen({ daemonJson: tabs, containers }, { answers });
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.package-guard')).toMatchObject({
			severity: 'block',
			remedy: { kind: 'advice' },
		});
	});

	test('that are none leave keys behind tabs as they are', async () => {
		const { plan, questions } = await seen({ daemonJson: tabs });
		expect(questions).toEqual([]);
		expect(written(plan.actions)).toContain('\t"bip": "10.9.0.1/24",');
	});
});

describe('what would break Docker', () => {
	test('bip as a flag: the package would add the key, and Docker would not start', async () => {
		const { plan, findings } = await seen({
			dockerdFlags: '-H fd:// --bip=10.9.0.1/24',
			unitFiles:
				'# /usr/lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/bin/dockerd -H fd://\n\n# /etc/systemd/system/docker.service.d/net.conf\n[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// --bip=10.9.0.1/24\n',
		});
		expect(plan.actions).toEqual([]);
		const finding = findings.find(f => f.id === 'sysbox.package-guard');
		expect(finding?.severity).toBe('block');
		expect(finding?.summary).toContain('--bip in /etc/systemd/system/docker.service.d/net.conf:3');
	});

	test('a bridge of the operator: dockerd refuses bip beside it', async () => {
		const { plan, findings } = await seen({ daemonJson: '{\n    "bridge": "br-ci"\n}\n' });
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.package-guard')?.why).toContain('exclude each other');
	});

	test.each([
		['a trailing comma', '{\n  "debug": true,\n}\n', '/etc/docker/daemon.json:2:16'],
		['a comment', '{\n  // no\n  "debug": true\n}\n', '/etc/docker/daemon.json:2:3'],
		['a key twice', '{"debug": true,\n "debug": false}', '/etc/docker/daemon.json:2:2'],
		['runtimes that are no object', '{"runtimes": []}', '/etc/docker/daemon.json:1:14'],
		['no JSON at all', '{ "runtimes": ', '/etc/docker/daemon.json:1:'],
	])('%s in daemon.json', async (_, daemonJson, place) => {
		const { plan, findings } = await seen({ daemonJson });
		expect(plan.actions).toEqual([]);
		const finding = findings.find(f => f.id === 'daemon-json.valid');
		expect(finding?.severity).toBe('block');
		expect(finding?.summary).toContain(place);
		expect(finding?.evidence).toContain('^');
	});

	test('a default runtime that nothing defines', async () => {
		const { plan, findings } = await seen({ daemonJson: '{\n    "default-runtime": "kata"\n}\n' });
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon-json.valid')?.summary).toContain('kata');
	});

	test('a Docker that does not answer: its addresses are not guessed', async () => {
		const { plan, findings } = await seen({
			commands: { 'docker info --format {{json .}}': { stdout: 'Segmentation fault' } },
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.docker-answers')?.severity).toBe('block');
	});
});

describe('a package of the operator', () => {
	const deb = { ...options, deb: 'sysbox-ce.deb' };
	const fields = (arch = 'amd64', name = 'sysbox-ce', version = `${newest?.version}.linux`) => ({
		[debFields]: { stdout: `Package: ${name}\nVersion: ${version}\nArchitecture: ${arch}\n` },
		[debSimulation]: { stdout: 'Inst sysbox-ce (0.7.1.linux local-deb [amd64])\n' },
	});

	test('that is published needs no risk', async () => {
		const { plan, findings } = await seen(
			{ digests: { [debPath]: amd64?.sha256 ?? '' }, commands: fields() },
			{ options: deb },
		);
		expect(ids(plan.actions)).toEqual(['downloads-folder', 'copy', 'daemon-json', 'install', 'start']);
		expect(risksOf(plan)).toEqual([]);
		const copy = plan.actions.find(a => a.kind === 'copy');
		expect(copy).toMatchObject({ from: debPath, sha256: amd64?.sha256 });
		expect(argvOf(plan.actions, 'install')?.split(' ').at(-1)).toBe(copy?.kind === 'copy' ? copy.to : '');
		expect(findings.find(f => f.id === 'sysbox.deb-file')?.severity).toBe('ok');
	});

	test('that nobody vouches for is used only by name', async () => {
		const { plan, findings } = await seen(
			{ digests: { [debPath]: 'f'.repeat(64) }, commands: fields() },
			{ options: deb },
		);
		expect(risksOf(plan)).toEqual(['unverified-deb']);
		expect(findings.find(f => f.id === 'sysbox.deb-digest')?.severity).toBe('warn');
	});

	test.each([
		['is not there', {}, 'is not there'],
		['is for another machine', { digests: { [debPath]: 'f'.repeat(64) }, commands: fields('arm64') }, 'is for arm64'],
		['is another package', { digests: { [debPath]: 'f'.repeat(64) }, commands: fields('amd64', 'jq') }, 'holds jq'],
		[
			'is no package',
			{
				digests: { [debPath]: 'f'.repeat(64) },
				commands: { [debFields]: { code: 2, stderr: "dpkg-deb: error: 'x' is not a Debian format archive" } },
			},
			'is not a Debian package',
		],
	])('that %s is wrong input', async (_, words, text) => {
		const { plan, findings } = await seen(words, { options: deb });
		expect(plan.actions).toEqual([]);
		const finding = findings.find(f => f.id === 'input.deb-file');
		expect(finding?.severity).toBe('block');
		expect(finding?.summary).toContain(text);
	});

	test('that is older than the installed one is a downgrade, by name', async () => {
		const { plan } = await seen(
			{ ...setUpHost, digests: { [debPath]: 'f'.repeat(64) }, commands: fields('amd64', 'sysbox-ce', '0.6.7.linux') },
			{ options: deb },
		);
		expect(risksOf(plan)).toEqual(['unverified-deb', 'downgrade', 'restart-sysbox']);
		expect(argvOf(plan.actions, 'install')).toContain('--allow-downgrades');
	});
});

describe('other packages', () => {
	test("apt's simulation is read line by line", () => {
		const text =
			'Remv fuse3 [3.14.0]\nInst fuse (2.9.9)\nInst rsync [3.2.6] (3.2.7 Ubuntu:24.04 [amd64])\nInst sysbox-ce (0.7.1)\n';
		expect(parseSimulation(text)).toEqual({
			kind: 'would',
			installs: [
				{ name: 'fuse', to: '2.9.9' },
				{ name: 'sysbox-ce', to: '0.7.1' },
			],
			upgrades: [{ name: 'rsync', from: '3.2.6', to: '3.2.7' }],
			removes: [{ name: 'fuse3', from: '3.14.0' }],
		});
	});

	test('that would be removed are named, and go only by name', async () => {
		const { plan, findings } = await seen({ simulation: { stdout: 'Remv fuse3 [3.14.0]\nInst fuse (2.9.9 x)\n' } });
		expect(risksOf(plan)).toEqual(['other-packages']);
		expect(argvOf(plan.actions, 'install')).not.toContain('--no-remove');
		expect(findings.find(f => f.id === 'sysbox.other-packages')?.summary).toContain('removes fuse3');
	});

	test('that cannot be had block', async () => {
		const { plan, findings } = await seen({
			simulation: { code: 100, stdout: '', stderr: 'E: Unable to locate package rsync' },
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.dependencies')).toMatchObject({
			severity: 'block',
			evidence: 'E: Unable to locate package rsync',
		});
	});
});

describe('a package that dpkg did not finish with', () => {
	test('is finished, after the file was made ready for its script', async () => {
		const { plan, findings } = await seen({
			package: { version: '0.7.1.linux', status: 'iF ' },
			programs: '0.7.1',
			units: {
				sysbox: { active: 'inactive' },
				'sysbox-mgr': { active: 'inactive' },
				'sysbox-fs': { active: 'inactive' },
			},
			containers: [{ name: 'web' }],
		});
		expect(ids(plan.actions)).toEqual(['daemon-json', 'configure', 'start']);
		expect(argvOf(plan.actions, 'configure')).toBe('dpkg --configure -a');
		expect(findings.find(f => f.id === 'sysbox.half-configured')?.remedy?.kind).toBe('planned');
	});

	test.each(['iF ', 'iU ', 'iHR'])('is replaced by the package that the operator passes, in state %j', async status => {
		const { plan, findings } = await seen(
			{
				package: { version: '0.7.1.linux', status },
				programs: '0.7.1',
				digests: { [debPath]: amd64?.sha256 ?? '' },
				commands: {
					[debFields]: { stdout: 'Package: sysbox-ce\nVersion: 0.7.1.linux\nArchitecture: amd64\n' },
				},
			},
			{ options: { ...options, deb: 'sysbox-ce.deb' } },
		);
		expect(argvOf(plan.actions, 'install')).toMatch(/^dpkg --install --force-confold \S+\.deb$/);
		expect(ids(plan.actions)).not.toContain('configure');
		expect(findings.find(f => f.id === 'sysbox.half-configured')?.remedy).toMatchObject({
			kind: 'planned',
			text: expect.stringContaining('the package is installed in its place'),
		});
	});

	const passed = (version: string, status: string) =>
		seen(
			{
				package: { version, status },
				digests: { [debPath]: amd64?.sha256 ?? '' },
				commands: { [debFields]: { stdout: 'Package: sysbox-ce\nVersion: 0.7.1.linux\nArchitecture: amd64\n' } },
			},
			{ options: { ...options, deb: 'sysbox-ce.deb' } },
		);

	test.each([
		['0.7.0.linux', ''],
		['0.7.2.linux', '--allow-downgrades '],
	])('of version %s is replaced by apt, which installs what the passed one depends on', async (version, downgrades) => {
		const { plan } = await passed(version, 'iF ');
		expect(argvOf(plan.actions, 'install')).toMatch(
			new RegExp(`^apt-get install -y --no-install-recommends --no-remove ${downgrades}-o .*\\.deb$`),
		);
	});

	test.each(['hF ', 'hHR'])(
		'and that is held (%j) is left as it is, with the command that releases it',
		async status => {
			const { plan, findings } = await passed('0.7.1.linux', status);
			expect(plan.actions).toEqual([]);
			expect(findings.find(f => f.id === 'sysbox.half-configured')).toMatchObject({
				severity: 'block',
				remedy: { kind: 'commands', commands: ['apt-mark unhold sysbox-ce'] },
			});
		},
	);
});

describe('an older Sysbox', () => {
	const older = {
		...setUpHost,
		package: { version: '0.7.0.linux', status: 'ii ' },
		programs: '0.7.0',
		containers: [{ name: 'job-1', runtime: 'sysbox-runc' }, { name: 'web' }],
	};

	test('is upgraded only when that is asked for', async () => {
		const { plan, questions, findings } = await seen(older);
		expect(plan.actions).toEqual([]);
		expect(questions).toMatchObject([{ id: 'sysbox.upgrade', initial: false }]);
		expect(findings.find(f => f.id === 'sysbox.outdated')).toMatchObject({
			severity: 'warn',
			remedy: { kind: 'commands' },
		});
	});

	test('is upgraded with its containers named, stopped first and started again', async () => {
		const { plan } = await seen(older, { answers: { 'sysbox.upgrade': true } });
		expect(risksOf(plan)).toEqual(['stop-containers', 'restart-sysbox']);
		expect(plan.impact?.containers).toMatchObject([{ name: 'job-1', fate: 'started-again' }]);
		const ids = plan.actions.map(a => a.id);
		expect(ids.slice(-4)).toEqual(['stop-sysbox-containers', 'install', 'start', 'start-sysbox-containers']);
	});

	test('that cannot work with this Docker is offered the upgrade first', async () => {
		const { findings, questions } = await seen({
			...older,
			info: { ...setUpHost.info, ServerVersion: '29.7.2' },
		});
		expect(questions).toMatchObject([{ id: 'sysbox.upgrade', initial: true }]);
		expect(findings.find(f => f.id === 'sysbox.known-issues.time-namespace')).toMatchObject({
			severity: 'block',
			remedy: { kind: 'planned' },
		});
	});

	describe('under a Docker that gives time namespaces, with them switched off in the file', () => {
		const started = '2026-11-23T10:00:00Z';
		const before = '2026-11-23T09:00:00Z';
		const after = '2026-11-23T11:00:00Z';
		const off: DockerHost = {
			...older,
			containers: [],
			info: { ...setUpHost.info, ServerVersion: '29.7.2' },
			daemonJson: readyDaemonJson.replace('{\n', '{\n    "features": {"time-namespaces": false},\n'),
		};
		const web = { name: 'web', startedAt: after };
		const links = (other: string) => ({
			'readlink /proc/1/ns/time /proc/5000/ns/time': { stdout: `time:[4026531834]\ntime:[${other}]\n` },
		});
		const issueIn = async (words: DockerHost) => {
			const { findings, questions } = await seen(words);
			// A restart of Docker is enough: the upgrade is not what Enter takes.
			expect(questions).toMatchObject([{ id: 'sysbox.upgrade', initial: false }]);
			return findings.find(f => f.id === 'sysbox.known-issues.time-namespace');
		};

		test('is no longer concerned once Docker was started with that file', async () => {
			expect(await issueIn({ ...off, times: { docker: started, file: before } })).toBeUndefined();
		});

		test('is concerned while Docker was only reloaded, as a container of it shows', async () => {
			const words = {
				...off,
				times: { docker: started, file: after },
				containers: [web],
				commands: links('4026532999'),
			};
			expect(await issueIn(words)).toMatchObject({
				severity: 'warn',
				breaks: true,
				summary: 'Time namespaces are switched off in the file, and Docker still gives them to containers',
				evidence: expect.stringContaining('web has a time namespace of its own'),
				remedy: { kind: 'commands', commands: ['systemctl restart docker'] },
			});
		});

		test('is not concerned where a container shares the time namespace, whatever was written to the file since', async () => {
			const words = {
				...off,
				times: { docker: started, file: after },
				containers: [web],
				commands: links('4026531834'),
			};
			expect(await issueIn(words)).toBeUndefined();
		});

		test('is not known to be concerned where nothing shows it', async () => {
			const changed = { docker: started, file: after };
			for (const words of [
				{ ...off, times: changed },
				// What an earlier dockerd had started says nothing of this one, nor does one without a time namespace of its own.
				{ ...off, times: changed, containers: [{ ...web, startedAt: before }] },
				{ ...off, times: changed, containers: [{ ...web, privileged: true }] },
				{
					...off,
					times: changed,
					containers: [web],
					commands: { ...links(''), 'readlink /proc/1/ns/time /proc/5000/ns/time': { code: 1 } },
				},
				off,
			]) {
				const found = await issueIn(words);
				expect(found).toMatchObject({ severity: 'could-not-tell' });
				expect(found).not.toHaveProperty('breaks');
			}
		});

		test('and in force only until its next start, where the file no longer says it', async () => {
			const { findings } = await seen({
				...off,
				daemonJson: readyDaemonJson,
				times: { docker: started, file: after },
				containers: [web],
				commands: links('4026531834'),
			});
			const found = findings.find(f => f.id === 'sysbox.known-issues.time-namespace');
			expect(found).toMatchObject({ severity: 'warn', summary: expect.stringMatching(/^The next start of Docker/) });
			expect(found).not.toHaveProperty('breaks');
		});
	});

	test('under a Docker that gives time namespaces cannot start a container', async () => {
		const { findings } = await seen({ ...older, info: { ...setUpHost.info, ServerVersion: '29.7.2' } });
		expect(findings.find(f => f.id === 'sysbox.known-issues.time-namespace')).toMatchObject({
			severity: 'block',
			breaks: true,
		});
	});

	test('on hold stays', async () => {
		const { plan, questions } = await seen(
			{ ...older, package: { version: '0.7.0.linux', status: 'hi ' } },
			{ answers: { 'sysbox.upgrade': true } },
		);
		expect(questions).toEqual([]);
		expect(plan.actions).toEqual([]);
	});
});

describe('what is there otherwise', () => {
	test('a source build is used as it is', async () => {
		const { plan, findings } = await seen({ programs: '0.7.1', units: 'active', sockets: true });
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.source-build')?.severity).toBe('info');
	});

	test('a build from source is not told to give an answer that does nothing', async () => {
		const { package: _, ...bare } = setUpHost;
		const source = { ...bare, programs: '0.6.7' };
		const { findings, questions, plan } = await seen(source, { answers: { 'sysbox.upgrade': true } });
		expect(questions).toEqual([]);
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'sysbox.outdated')?.remedy).toEqual({
			kind: 'advice',
			text: 'Build 0.7.1 from source where this one was built, and install it in its place',
		});
		expect(JSON.stringify(findings)).not.toContain('sysbox.upgrade');
		const mixed = await seen({ ...source, programs: { runc: '0.7.1', mgr: '0.7.0', fs: '0.7.1' } });
		expect(mixed.findings.find(f => f.id === 'sysbox.versions-agree')?.remedy?.kind).toBe('advice');
	});

	test.each([
		['on hold', { package: { version: '0.7.0.linux', status: 'hi ' } }, 'apt-mark unhold sysbox-ce'],
		[
			'that apt cannot replace',
			{ simulation: { code: 100, stderr: 'E: Unable to correct problems' } },
			'sysbox.dependencies',
		],
	])('an older one %s is told what helps, not the answer', async (_, change, says) => {
		const { findings } = await seen({
			...setUpHost,
			package: { version: '0.7.0.linux', status: 'ii ' },
			programs: '0.7.0',
			...change,
		});
		const remedy = JSON.stringify(findings.find(f => f.id === 'sysbox.outdated')?.remedy);
		expect(remedy).toContain(says);
		expect(remedy).not.toContain('sysbox.upgrade');
	});

	test('a known issue names the version that it is about, and is ended only by one that lacks it', async () => {
		const older = { ...setUpHost, package: { version: '0.6.7.linux', status: 'ii ' }, programs: '0.6.7' };
		const { findings } = await seen(older, { answers: { 'sysbox.upgrade': true } });
		const issue = (id: string) => findings.find(f => f.id === `sysbox.known-issues.${id}`);
		expect(issue('inner-docker-openat2')).toMatchObject({
			evidence: expect.stringContaining('Sysbox 0.6.7 (installed), Docker 28.5.1, kernel 6.8.0-88-generic'),
			remedy: { kind: 'planned', text: 'Sysbox is replaced by 0.7.1' },
		});
		const current = await seen(
			{ ...setUpHost, package: { version: '0.7.0.linux', status: 'ii ' }, programs: '0.7.0' },
			{ answers: { 'sysbox.upgrade': true } },
		);
		expect(current.findings.find(f => f.id === 'sysbox.known-issues.docker-cp')?.remedy?.kind).toBe('advice');
	});

	test('without the right to ask Docker, the fix is the right, not Docker', async () => {
		const denied = {
			code: 1,
			stderr: 'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock',
		};
		const { findings } = await seen({ uid: 1000, commands: { 'docker info --format {{json .}}': denied } });
		expect(findings.find(f => f.id === 'sysbox.docker-answers')).toMatchObject({
			severity: 'could-not-tell',
			remedy: { kind: 'advice', text: 'Look again as root: this user may not ask Docker' },
		});
	});

	test('programs of different versions block', async () => {
		const { findings } = await seen({ ...setUpHost, programs: { runc: '0.7.1', mgr: '0.7.0', fs: '0.7.1' } });
		expect(findings.find(f => f.id === 'sysbox.versions-agree')).toMatchObject({
			severity: 'block',
			evidence: 'sysbox-runc 0.7.1, sysbox-mgr 0.7.0, sysbox-fs 0.7.1',
		});
	});

	test.each([
		['twice', 'sysbox:165536:65536\nsysbox:300000:65536\n', undefined, 'info', 'more than one line'],
		['too few', 'sysbox:165536:1000\n', undefined, 'info', 'only 1000 ids'],
		['too many', 'sysbox:200000:655360\n', undefined, 'info', '655360 ids'],
		['to nobody', '', undefined, 'info', 'no ids'],
		['differently', 'sysbox:165536:65536\n', 'sysbox:231072:65536\n', 'block', 'different ids'],
		['as garbage', 'sysbox:abc:def\n', undefined, 'block', '/etc/subuid:1'],
	])('ids given %s are judged by what sysbox-mgr makes of them', async (_, subuid, subgid, severity, text) => {
		const { findings } = await seen({ ...setUpHost, subuid, ...(subgid !== undefined && { subgid }) });
		const finding = findings.find(f => f.id === 'sysbox.subid');
		expect(finding?.summary).toContain(text);
		expect(finding).toMatchObject({ severity, ...(severity === 'block' && { breaks: true }) });
		if (severity === 'info') expect(finding?.why).toContain('rewrites both files');
	});

	test('no dpkg: nothing can be installed', async () => {
		const host = dockerHost({});
		const without: typeof host = {
			...host,
			exec: async (argv, o) =>
				argv[0] === 'dpkg-query'
					? { code: null, stdout: '', stderr: '', problem: 'missing', elapsedMs: 0 }
					: host.exec(argv, o),
		};
		const facts = await inspectSysbox(looking(without));
		expect(judgeSysbox(facts, judging()).find(f => f.id === 'sysbox.installed')?.summary).toContain('no dpkg');
	});
});

describe('after an installation the file is compared', () => {
	const write = { step: 'sysbox', id: 'daemon-json', path: '/etc/docker/daemon.json' };
	const install = { step: 'sysbox', id: 'install' };

	test('untouched', async () => {
		const state = ranBefore({ ...write, after: sha256(readyDaemonJson) }, install);
		const { findings } = await seen(setUpHost, { state });
		expect(findings.find(f => f.id === 'sysbox.daemon-json-untouched')?.severity).toBe('ok');
	});

	test('changed by its scripts', async () => {
		const state = ranBefore({ ...write, after: 'b'.repeat(64) }, install);
		const { findings } = await seen(setUpHost, { state });
		expect(findings.find(f => f.id === 'sysbox.daemon-json-untouched')?.severity).toBe('warn');
	});
});

test('a file with which Docker does not start anyway is not made ready: the rule is told instead', async () => {
	const { plan, findings } = await seen({
		daemonJson: '{\n  "hosts": ["unix:///var/run/docker.sock"]\n}\n',
		unitFiles: '# /usr/lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/bin/dockerd -H fd://\n',
	});
	expect(plan.actions).toEqual([]);
	expect(findings.find(f => f.id === 'daemon-json.flags')?.summary).toContain(
		'/etc/docker/daemon.json:2:3 and by -H in /usr/lib/systemd/system/docker.service:2',
	);
	expect(findings.find(f => f.id === 'sysbox.installed')?.remedy?.kind).toBe('advice');
});
