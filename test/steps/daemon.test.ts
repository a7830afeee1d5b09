import { describe, expect, test } from 'vitest';
import { overlayHost } from '../../src/actions/overlay-host.ts';
import { builtInPools, describePools, poolsInForce, samePools } from '../../src/docker/address-pools.ts';
import { readDaemonFile } from '../../src/docker/daemon-file.ts';
import { type Action, risksOf } from '../../src/model/action.ts';
import type { Finding } from '../../src/model/finding.ts';
import { initialState } from '../../src/model/state.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { ReadHost, ReadProblem } from '../../src/port/host.ts';
import { askDaemon } from '../../steps/daemon/ask.ts';
import { inspectDaemon } from '../../steps/daemon/inspect.ts';
import { judgeDaemon } from '../../steps/daemon/judge.ts';
import { planDaemon } from '../../steps/daemon/plan.ts';
import { inspectSysbox } from '../../steps/sysbox/facts.ts';
import { type DockerHost, dockerHost, judging, looking, readyDaemonJson, setUpHost } from './scripted-docker.ts';

async function lookedAt(host: ReadHost, change: Partial<JudgeContext> = {}) {
	const context = judging(change);
	const facts = await inspectDaemon(looking(host, change));
	return { findings: judgeDaemon(facts, context), plan: planDaemon(facts, context), questions: askDaemon(facts) };
}

const seen = (words: DockerHost, change: Partial<JudgeContext> = {}) => lookedAt(dockerHost(words), change);

const written = (actions: readonly Action[]) => {
	const action = actions.find(a => a.kind === 'write');
	return action?.kind === 'write' ? new TextDecoder().decode(action.bytes) : undefined;
};

describe('a host that is set up', () => {
	test('has nothing to change; the question stands at how it is', async () => {
		const { plan, findings, questions } = await seen(setUpHost);
		expect(plan.actions).toEqual([]);
		expect(findings.every(f => f.severity === 'ok')).toBe(true);
		expect(questions).toMatchObject([{ id: 'daemon.default-runtime', kind: 'confirm', initial: false }]);
	});

	test('is asked without facts too, so that a wrong answer is named before the run', () => {
		expect(askDaemon(undefined)).toMatchObject([{ id: 'daemon.default-runtime' }]);
	});
});

describe('a missing entry', () => {
	test('is added, and every other byte stays', async () => {
		const before = '{\n\t"debug": true,\n\t"log-opts": {"max-size": "10m"}\n}\n';
		const { plan, findings } = await seen({ ...setUpHost, daemonJson: before });
		expect(findings.find(f => f.id === 'daemon.runtime-registered')).toMatchObject({
			severity: 'block',
			remedy: { kind: 'planned' },
		});
		expect(plan.actions).toMatchObject([
			{
				id: 'daemon-json',
				kind: 'write',
				path: '/etc/docker/daemon.json',
				before,
				validateWith: ['dockerd', '--validate', '--config-file', '{}', '--host=fd://'],
			},
		]);
		expect(risksOf(plan)).toEqual([]);
		expect(written(plan.actions)).toContain('{\n\t"debug": true,\n\t"log-opts": {"max-size": "10m"},\n\t"runtimes": {');
	});

	test('planned again on what was written is nothing', async () => {
		const first = await seen({ ...setUpHost, daemonJson: '{}' });
		const second = await seen({ ...setUpHost, daemonJson: written(first.plan.actions) ?? '' });
		expect(second.plan.actions).toEqual([]);
	});

	test('whose program is nowhere is not registered', async () => {
		const { plan, findings } = await seen({ daemonJson: '{}' });
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon.runtime-path')?.severity).toBe('block');
	});

	test('whose program the step before would bring, or is kept from bringing, or is not part of this run', async () => {
		const remedyIn = async (change: Partial<JudgeContext>) =>
			(await seen({ daemonJson: '{}' }, change)).findings.find(f => f.id === 'daemon.runtime-path')?.remedy;
		const sysbox = (...before: readonly Finding[]): Partial<JudgeContext> => ({
			state: {
				...initialState,
				steps: [
					{
						id: 'sysbox',
						title: 'Sysbox',
						kind: 'change',
						n: 2,
						of: 8,
						startedAt: '2026-11-23T11:59:00Z',
						status: 'open',
						before,
						runningProbes: [],
						probes: [],
						open: [],
					},
				],
			},
		});
		const planned: Finding = {
			id: 'sysbox.installed',
			severity: 'block',
			summary: 'Sysbox is not installed',
			remedy: { kind: 'planned', text: 'Version 0.7.1 is installed' },
		};
		expect(await remedyIn(sysbox(planned))).toEqual({
			kind: 'planned',
			text: 'The step sysbox comes first: it installs Sysbox',
		});
		const dependencies: Finding = { id: 'sysbox.dependencies', severity: 'block', summary: 'apt cannot' };
		expect(await remedyIn(sysbox(planned, dependencies))).toEqual({
			kind: 'advice',
			text: 'The step sysbox is blocked by sysbox.dependencies: fix that first',
		});
		expect(await remedyIn({})).toMatchObject({ kind: 'commands', commands: ['sysbox-setup --only sysbox'] });
	});

	test('is not promised where the file is not edited', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			daemonJson: '{"colour": "red"}',
			validate: { code: 1, stderr: 'no such option' },
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon.runtime-registered')?.remedy?.kind).toBe('advice');
	});

	test('with a wrong path is set right', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			daemonJson: readyDaemonJson.replace('/usr/bin/sysbox-runc', '/usr/local/sbin/sysbox-runc'),
		});
		expect(findings.find(f => f.id === 'daemon.runtime-registered')?.summary).toContain('where no program is');
		expect(JSON.parse(written(plan.actions) ?? '')).toMatchObject({
			runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
		});
	});

	test('that is a program elsewhere is left, with a word', async () => {
		const { plan, findings } = await lookedAt({
			...dockerHost({ ...setUpHost, daemonJson: readyDaemonJson.replace('/usr/bin/', '/opt/') }),
			stat: async path => ({
				kind: 'found',
				type: 'file',
				link: false,
				meta: { mode: 0o755, uid: 0, gid: 0, size: 1, realPath: path },
			}),
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon.runtime-elsewhere')?.severity).toBe('warn');
	});

	test('given by --add-runtime is there', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			daemonJson: '{}',
			dockerdFlags: '-H fd:// --add-runtime sysbox-runc=/usr/bin/sysbox-runc',
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon.runtime-registered')?.severity).toBe('ok');
	});

	test('in a file that dockerd was told to read elsewhere', async () => {
		const { plan } = await seen({
			...setUpHost,
			dockerdFlags: '-H fd:// --config-file=/srv/docker.json',
			files: { '/srv/docker.json': '{}' },
			commands: { 'dockerd --validate --config-file /srv/docker.json --host=fd://': { stderr: 'configuration OK' } },
		});
		expect(plan.actions).toMatchObject([{ kind: 'write', path: '/srv/docker.json' }]);
	});

	test('of another runtime is only told', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			daemonJson: readyDaemonJson.replace(
				'"runtimes": {',
				'"runtimes": {\n        "runsc": {"path": "/usr/local/bin/runsc"},',
			),
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon.other-runtime-path')?.summary).toContain('runsc');
	});
});

describe('the default runtime', () => {
	const containers = [
		{ name: 'node-exporter', network: 'host' },
		{ name: 'scanner', privileged: true },
		{ name: 'web' },
	];

	test('is changed only by its name, and what would not start is named', async () => {
		const answers = { 'daemon.default-runtime': true };
		const { plan, questions } = await seen({ ...setUpHost, containers }, { answers });
		expect(risksOf(plan)).toEqual(['default-runtime']);
		expect(JSON.parse(written(plan.actions) ?? '')).toMatchObject({ 'default-runtime': 'sysbox-runc' });
		expect(questions[0]?.help).toContain('would not start: node-exporter (host network)');
		expect(plan.impact?.notes.join(' ')).toContain('scanner (privileged)');
	});

	test('is asked with the plugins of this host, and what comes back at a boot', async () => {
		const words: DockerHost = {
			...setUpHost,
			containers: [...containers, { name: 'registry', restart: 'always' }, { name: 'job', restart: 'on-failure' }],
			plugins: [
				{ Name: 'vieux/sshfs:latest', Enabled: true },
				{ Name: 'old/one:1', Enabled: false },
			],
		};
		const help = (await seen(words)).questions[0]?.help ?? '';
		expect(help).toContain('known to fail under it: vieux/sshfs:latest.');
		expect(help).toContain(
			'come back after a boot only with Sysbox: registry. sysbox.service is enabled and goes before Docker.',
		);
		const disabled = await seen(
			{ ...words, sysboxAtBoot: 'disabled' },
			{ answers: { 'daemon.default-runtime': true } },
		);
		expect(disabled.plan.impact?.notes.join(' ')).toContain('sysbox.service is not enabled (disabled)');
	});

	test('is asked with what is not known of this host, or not in order', async () => {
		const helpOf = async (words: Partial<DockerHost>) =>
			(await seen({ ...setUpHost, containers: [{ name: 'registry', restart: 'always' }], ...words })).questions[0]
				?.help;
		expect(await helpOf({ plugins: 'unknown' })).toContain("Docker's own plugins would get it too, and are not known");
		expect(await helpOf({ sysboxAtBoot: 'unknown' })).toContain('What starts Sysbox at a boot could not be read.');
		expect(await helpOf({ sysboxGoesFirst: false })).toContain('nothing makes Docker wait for it');
		// What is refused under Sysbox does not come back either way.
		const refused = [{ name: 'exporter', restart: 'always', network: 'host' }];
		expect(await helpOf({ containers: refused })).not.toContain('come back after a boot only with Sysbox');
	});

	test('is asked of plugins and boot only where it can be asked at all, and once', async () => {
		const ran = async (words: DockerHost) => {
			const host = dockerHost(words);
			await lookedAt(host);
			return host.ran.filter(line => line.startsWith('docker plugin'));
		};
		expect(await ran(setUpHost)).toHaveLength(1);
		expect(await ran({ daemonJson: '{}' })).toEqual([]);
		expect(await ran({ ...setUpHost, dockerdFlags: '-H fd:// --default-runtime=runc' })).toEqual([]);
	});

	test('that is Sysbox warns of a host whose next boot does not start it', async () => {
		const daemonJson = readyDaemonJson.replace('{\n', '{\n    "default-runtime": "sysbox-runc",\n');
		const { findings } = await seen({ ...setUpHost, daemonJson, sysboxAtBoot: 'disabled' });
		expect(findings.at(-1)).toMatchObject({
			id: 'daemon.default-runtime',
			severity: 'warn',
			remedy: { commands: ['systemctl enable sysbox.service'] },
		});
	});

	test('goes back by name too, as a missing key would change nothing', async () => {
		const daemonJson = readyDaemonJson.replace('{\n', '{\n    "default-runtime": "sysbox-runc",\n');
		const { plan } = await seen({ ...setUpHost, daemonJson }, { answers: { 'daemon.default-runtime': false } });
		expect(JSON.parse(written(plan.actions) ?? '')).toMatchObject({ 'default-runtime': 'runc' });
		expect(risksOf(plan)).toEqual(['default-runtime']);
		expect((await seen({ ...setUpHost, daemonJson, containers })).findings.at(-1)).toMatchObject({ severity: 'warn' });
		expect((await seen({ ...setUpHost, daemonJson })).plan.actions).toEqual([]);
	});

	test('that the daemon kept although the file no longer names it is named', async () => {
		const { plan } = await seen({ ...setUpHost, info: { ...setUpHost.info, DefaultRuntime: 'sysbox-runc' } });
		expect(JSON.parse(written(plan.actions) ?? '')).toMatchObject({ 'default-runtime': 'runc' });
	});

	test('given by a flag is not asked, and an answer for it blocks', async () => {
		const words = { ...setUpHost, dockerdFlags: '-H fd:// --default-runtime=runc' };
		expect((await seen(words)).questions).toEqual([]);
		const { plan, findings } = await seen(words, { answers: { 'daemon.default-runtime': true } });
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon.default-runtime')?.severity).toBe('block');
	});

	test('that nothing defines blocks', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			daemonJson: readyDaemonJson.replace('{\n', '{\n    "default-runtime": "kata",\n'),
		});
		expect(plan.actions).toEqual([]);
		expect(findings).toMatchObject([{ id: 'daemon-json.valid', severity: 'block' }]);
	});
});

test('a default runtime that Docker has not loaded yet is not called the one that containers get', async () => {
	const defaultOf = async (name: string, loaded: string) => {
		const { findings } = await seen({
			...setUpHost,
			daemonJson: readyDaemonJson.replace('{\n', `{\n    "default-runtime": "${name}",\n`),
			info: { ...setUpHost.info, DefaultRuntime: loaded },
		});
		return findings.find(f => f.id === 'daemon.default-runtime')?.summary;
	};
	expect(await defaultOf('runc', 'runc')).toBe('Containers get runc unless they ask for another runtime');
	expect(await defaultOf('runc', 'kata')).toBe(
		'The default runtime is set to runc; Docker still gives containers kata',
	);
	expect(await defaultOf('sysbox-runc', 'sysbox-runc')).toBe('Every container that names no runtime gets sysbox-runc');
	expect(await defaultOf('sysbox-runc', 'runc')).toBe(
		'The default runtime is set to sysbox-runc; Docker still gives containers runc',
	);
});

describe('a file that Docker cannot use', () => {
	test('refused by dockerd itself', async () => {
		const said = 'the following directives don\'t match any configuration option: "colour"';
		const { plan, findings } = await seen({
			...setUpHost,
			daemonJson: '{"colour": "red"}',
			validate: { code: 1, stderr: said },
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'daemon-json.accepted')).toMatchObject({ severity: 'block', evidence: said });
	});

	const notRegular = [
		{ kind: 'not-a-file', what: 'fifo' },
		{ kind: 'not-a-file', what: 'device' },
		{ kind: 'too-large', size: 1e9, limit: 1024 * 1024 },
		{ kind: 'missing', danglingTo: '/srv/gone.json' },
	] as const satisfies readonly ReadProblem[];

	test.each(notRegular)('dockerd is not given what is no regular file of that size: $kind $what', async problem => {
		const host = dockerHost(setUpHost);
		const special: ReadHost = {
			...host,
			readFile: async (path, how) => (path === '/etc/docker/daemon.json' ? problem : host.readFile(path, how)),
		};
		const { plan, findings } = await lookedAt(special);
		expect(findings).toMatchObject([{ id: 'daemon-json.valid', severity: 'block' }]);
		expect(plan.actions).toEqual([]);
		await inspectSysbox(looking(special));
		expect(host.ran.filter(line => line.startsWith('dockerd '))).toEqual([]);
	});

	test('no file is no fault, and what an earlier step would write is not there to be judged', async () => {
		const { daemonJson: _, ...bare } = setUpHost;
		const real = dockerHost(bare);
		const without = await lookedAt(real);
		expect(without.findings.find(f => f.id === 'daemon-json.valid')).toMatchObject({
			severity: 'ok',
			summary: 'There is no /etc/docker/daemon.json; Docker uses its defaults',
		});
		expect(without.findings.find(f => f.id === 'daemon-json.accepted')).toBeUndefined();
		// A new file can still be held to dockerd's verdict.
		expect(without.plan.actions).toMatchObject([
			{ kind: 'write', validateWith: ['dockerd', '--validate', '--config-file', '{}', '--host=fd://'] },
		]);
		const previewed = await lookedAt(overlayHost(real, without.plan.actions));
		expect(previewed.findings.find(f => f.id === 'daemon-json.accepted')).toMatchObject({
			severity: 'info',
			summary: '/etc/docker/daemon.json is only planned yet, so dockerd was not asked about it',
		});
		expect(previewed.plan.actions).toEqual([]);
		expect(real.ran.filter(line => line.startsWith('dockerd '))).toEqual([
			'dockerd --validate --config-file /dev/null --host=fd://',
			'dockerd --validate --config-file /dev/null --host=fd://',
		]);
	});

	test('an older dockerd is not held to a verdict that it cannot give, where there is no file', async () => {
		const { daemonJson: _, ...bare } = setUpHost;
		const { plan } = await seen({ ...bare, validate: { code: 125, stderr: 'unknown flag: --validate' } });
		expect(plan.actions[0]).toMatchObject({ validateWith: undefined });
	});

	test('a file that the command line names has to be there', async () => {
		const named = await seen({
			...setUpHost,
			dockerdFlags: '-H fd:// --config-file=/srv/docker.json',
			directories: ['/srv'],
			commands: { 'dockerd --validate --config-file /dev/null --host=fd://': { stderr: 'configuration OK' } },
		});
		expect(named.findings.find(f => f.id === 'daemon-json.valid')).toMatchObject({
			severity: 'block',
			summary:
				'dockerd is told to read /srv/docker.json (/usr/lib/systemd/system/docker.service), which does not exist',
			remedy: { kind: 'planned' },
		});
		const nothingToWrite = await seen({
			...setUpHost,
			dockerdFlags: '--config-file=/srv/docker.json --add-runtime sysbox-runc=/usr/bin/sysbox-runc',
			commands: {
				'dockerd --validate --config-file /dev/null --add-runtime=sysbox-runc=/usr/bin/sysbox-runc': {
					stderr: 'configuration OK',
				},
			},
		});
		expect(nothingToWrite.plan.actions).toEqual([]);
		expect(nothingToWrite.findings.find(f => f.id === 'daemon-json.valid')).toMatchObject({
			severity: 'block',
			remedy: { kind: 'commands', commands: ["echo '{}' > /srv/docker.json"] },
		});
	});

	test('a setting in the file and as a flag', async () => {
		const { plan, findings } = await seen({
			...setUpHost,
			dockerdFlags: '-H fd:// --bip 10.1.0.1/24',
			unitFiles:
				'# /usr/lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/bin/dockerd -H fd:// --bip 10.1.0.1/24\n',
		});
		expect(plan.actions).toEqual([]);
		const finding = findings.find(f => f.id === 'daemon-json.flags');
		expect(finding?.summary).toContain('/usr/lib/systemd/system/docker.service:2');
	});

	test('is asked about with the flags of the unit that matter, as only so a clash shows', async () => {
		const { plan } = await seen({
			...setUpHost,
			daemonJson: '{}',
			dockerdFlags: '-H fd:// --containerd=/run/c.sock --debug --bip $BIP $DOCKER_OPTS',
			commands: {
				'dockerd --validate --config-file /etc/docker/daemon.json --host=fd:// --containerd=/run/c.sock --debug=true': {
					stderr: 'configuration OK',
				},
			},
		});
		expect(plan.actions).toMatchObject([
			{
				validateWith: [
					...['dockerd', '--validate', '--config-file', '{}'],
					...['--host=fd://', '--containerd=/run/c.sock', '--debug=true'],
				],
			},
		]);
	});

	test('empty is fine for a dockerd that can be asked, and not for an older one', async () => {
		const { plan } = await seen({ ...setUpHost, daemonJson: '' });
		expect(written(plan.actions)).toContain('sysbox-runc');
		const old = await seen({
			...setUpHost,
			daemonJson: '',
			validate: { code: 125, stderr: 'unknown flag: --validate' },
		});
		expect(old.findings.find(f => f.id === 'daemon-json.valid')?.severity).toBe('block');
	});

	const host = dockerHost(setUpHost);
	test.each([
		['larger than any configuration', { kind: 'too-large', size: 5e6, limit: 1048576 }, 'has 5000000 bytes'],
		['a folder', { kind: 'not-a-file', what: 'directory' }, 'is a directory'],
		['a link to nowhere', { kind: 'missing', danglingTo: '/srv/gone.json' }, 'a link to /srv/gone.json'],
		['unreadable', { kind: 'failed', errno: 'EIO' }, 'cannot be read (EIO)'],
	] as const)('%s', async (_, problem, text) => {
		const { plan, findings } = await lookedAt({ ...host, readFile: async () => problem });
		expect(plan.actions).toEqual([]);
		expect(findings).toMatchObject([{ id: 'daemon-json.valid', severity: 'block' }]);
		expect(findings[0]?.summary).toContain(text);
	});

	test('for root only', async () => {
		const { findings } = await lookedAt({ ...host, readFile: async () => ({ kind: 'denied' }) });
		expect(findings).toMatchObject([{ severity: 'could-not-tell', needsRoot: true }]);
	});

	test('not text at all', async () => {
		const bytes = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe);
		const meta = { mode: 0o644, uid: 0, gid: 0, size: 6, realPath: '/etc/docker/daemon.json' };
		const file = await readDaemonFile({ ...host, readFile: async () => ({ kind: 'bytes', bytes, meta }) }, '/x/y.json');
		expect(file.content.kind).toBe('refused');
	});
});

describe('rules between the file, the flags and the host', () => {
	const withKey = (line: string) => readyDaemonJson.replace('{\n', `{\n    ${line},\n`);
	const dropIn = (flags: string) =>
		`# /usr/lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/bin/dockerd -H fd://\n\n# /etc/systemd/system/docker.service.d/x.conf\n[Service]\nExecStart=\nExecStart=/usr/bin/dockerd ${flags}\n`;

	/** Each blocks, so that the wish for a default runtime leads to no edit. */
	const blocked = async (words: DockerHost, id: string) => {
		const { plan, findings } = await seen({ ...setUpHost, ...words }, { answers: { 'daemon.default-runtime': true } });
		expect(plan.actions).toEqual([]);
		const finding = findings.find(f => f.id === id);
		expect(finding).toMatchObject({ severity: 'block', why: expect.any(String) });
		expect(finding?.remedy?.kind).toBe('commands');
		return finding;
	};

	test('hosts in the file and -H in the unit: both places are named', async () => {
		const finding = await blocked(
			{ daemonJson: withKey('"hosts": ["unix:///var/run/docker.sock"]'), unitFiles: dropIn('-H fd://') },
			'daemon-json.flags',
		);
		expect(finding?.summary).toBe(
			'hosts is set both in /etc/docker/daemon.json:2:5 and by -H in /etc/systemd/system/docker.service.d/x.conf:3',
		);
		expect(finding?.evidence).toBe('    "hosts": ["unix:///var/run/docker.sock"],\n    ^');
		expect(finding?.remedy?.text).toContain('ExecStart=');
	});

	test('live-restore in a swarm', async () => {
		const swarm = { ...setUpHost.info, Swarm: { LocalNodeState: 'active' } };
		const finding = await blocked(
			{ daemonJson: withKey('"live-restore": true'), info: swarm },
			'daemon-json.live-restore-swarm',
		);
		expect(finding?.summary).toContain('/etc/docker/daemon.json:2:5');
		const flags = '-H fd:// --live-restore';
		const byFlag = await blocked(
			{ dockerdFlags: flags, unitFiles: dropIn(flags), info: swarm },
			'daemon-json.live-restore-swarm',
		);
		expect(byFlag?.summary).toContain('--live-restore in /etc/systemd/system/docker.service.d/x.conf:3');
		const alone = await seen({ ...setUpHost, daemonJson: withKey('"live-restore": true') });
		expect(alone.findings.map(f => f.id)).not.toContain('daemon-json.live-restore-swarm');
	});

	test('a bridge of its own and bip', async () => {
		const finding = await blocked({ daemonJson: withKey('"bridge": "br0"') }, 'daemon-json.bridge-and-bip');
		expect(finding?.summary).toContain('bridge (/etc/docker/daemon.json:2:5) and bip (/etc/docker/daemon.json:8:5)');
	});

	test.each([
		['a user without ids', 'nobody', 'has no ids in /etc/subuid'],
		['a user with few ids', 'anna', 'has 1000 ids'],
		['a group without ids', 'sysbox:nogroup', 'has no ids in /etc/subgid'],
	])('userns-remap to %s', async (_, user, text) => {
		const finding = await blocked(
			{ daemonJson: withKey(`"userns-remap": "${user}"`), subuid: 'anna:1:1000\nsysbox:165536:65536\n' },
			'daemon-json.userns-remap',
		);
		expect(finding?.summary).toContain(text);
	});

	test.each([
		['sysbox', 'info'],
		['default', 'info'],
		['1000', 'could-not-tell'],
	])('userns-remap to %s is no hindrance: %s', async (user, severity) => {
		const { findings } = await seen({ ...setUpHost, daemonJson: withKey(`"userns-remap": "${user}"`) });
		expect(findings.find(f => f.id === 'daemon-json.userns-remap')?.severity).toBe(severity);
	});

	test('a file elsewhere is told, with the flag that says so', async () => {
		const flags = '-H fd:// --config-file=/srv/docker.json';
		const { findings } = await seen({
			...setUpHost,
			dockerdFlags: flags,
			unitFiles: dropIn(flags),
			files: { '/srv/docker.json': readyDaemonJson },
			commands: { 'dockerd --validate --config-file /srv/docker.json --host=fd://': { stderr: 'configuration OK' } },
		});
		expect(findings.find(f => f.id === 'daemon-json.elsewhere')).toMatchObject({
			severity: 'info',
			summary: 'This Docker reads /srv/docker.json, as /etc/systemd/system/docker.service.d/x.conf:3 says',
		});
	});
});

test('pools: none and an empty list are the built-in ones', () => {
	expect(poolsInForce(undefined)).toBe(builtInPools);
	expect(poolsInForce([])).toBe(builtInPools);
	expect(samePools(builtInPools, builtInPools.slice(1))).toBe(false);
	expect(describePools(builtInPools)).toBe("Docker's built-in pools");
	expect(describePools([{ base: '10.0.0.0/8', size: 24 }])).toBe('10.0.0.0/8 in networks of /24');
});
