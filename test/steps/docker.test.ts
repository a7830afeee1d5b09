import { describe, expect, test } from 'vitest';
import { type Action, type Plan, risksOf } from '../../src/model/action.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { showUnitsCommand } from '../../src/system/systemd-units.ts';
import { messageOf } from '../../src/system/unit-failure.ts';
import { inspectLoaded } from '../../steps/docker/facts.ts';
import { judgeLoaded } from '../../steps/docker/judge.ts';
import { planLoading } from '../../steps/docker/plan.ts';
import { askRestart } from '../../steps/docker/restart-choice.ts';
import {
	type DockerHost,
	dockerHost,
	judging,
	looking,
	ranBefore,
	readyDaemonJson,
	runtimesWithSysbox,
	setUpHost,
	sha256,
} from './scripted-docker.ts';

async function seen(words: DockerHost, change: Partial<JudgeContext> = {}) {
	const context = judging(change);
	const facts = await inspectLoaded(looking(dockerHost(words), change));
	return {
		findings: judgeLoaded(facts, context),
		plan: planLoading(facts, context),
		questions: askRestart(facts, context),
	};
}

const restartOf = (plan: Plan): Action | undefined => plan.actions.find(action => action.id === 'restart');
/** What brings Docker back, without what takes the switch away afterwards. */
const wayBackOf = (plan: Plan): readonly Action[] =>
	(restartOf(plan)?.rollback ?? []).filter(action => !action.id.startsWith('switch-'));

const { signal } = new AbortController();
const since = new Date('2026-11-23T12:00:00Z');
const yes = { answers: { 'docker.restart': true } };
const journal = 'journalctl -u docker -b --since=@1795435200 -n 200 --no-pager -q -o cat';

const reloadEvent =
	'docker events --since=1795435200.000 --filter=type=daemon --filter=event=reload --format={{json .}}';
/** dockerd says nothing of a reload. */
const silent = { [reloadEvent]: { problem: 'timeout' as const } };

/** The file is written, and Docker has not read it. */
const notLoaded: DockerHost = {
	...setUpHost,
	info: { DefaultAddressPools: [{ Base: '172.25.0.0/16', Size: 24 }] },
};

/** The file says another address than docker0 has. */
const otherBridge: DockerHost = { ...setUpHost, daemonJson: readyDaemonJson.replace('172.17.0.1/16', '172.20.0.1/16') };

describe('a daemon that serves what the file says', () => {
	test('is left alone', async () => {
		const { plan, findings, questions } = await seen(setUpHost);
		expect(plan.actions).toEqual([]);
		expect(questions).toEqual([]);
		expect(findings.every(f => f.severity === 'ok')).toBe(true);
		expect(findings[0]?.summary).toBe('Docker already serves sysbox-runc');
	});

	test('with its built-in pools written down serves them too', async () => {
		const pools = ['172.17.0.0/16', '172.18.0.0/16', '172.19.0.0/16', '172.20.0.0/14', '172.24.0.0/14', '172.28.0.0/14']
			.map(base => ({ base, size: 16 }))
			.concat({ base: '192.168.0.0/16', size: 20 });
		const { plan, findings } = await seen({
			...setUpHost,
			info: { Runtimes: runtimesWithSysbox },
			daemonJson: JSON.stringify({ ...JSON.parse(readyDaemonJson), 'default-address-pools': pools }),
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'docker.pools-loaded')?.severity).toBe('ok');
	});
});

describe('a reload', () => {
	test('is enough for a runtime, and stops nothing', async () => {
		const { plan, findings } = await seen({ ...notLoaded, containers: [{ name: 'web' }] });
		expect(plan.actions).toMatchObject([
			{ id: 'reload', argv: ['systemctl', 'reload', 'docker'], waitUntil: { deadlineMs: 15_000 } },
		]);
		expect(risksOf(plan)).toEqual([]);
		expect(plan.impact?.stops).toEqual([]);
		expect(findings[0]).toMatchObject({ id: 'docker.runtime-loaded', severity: 'block', remedy: { kind: 'planned' } });
	});

	test('is what a host with Sysbox is broken without, and one without Sysbox is not', async () => {
		const { findings } = await seen(notLoaded);
		expect(findings[0]).toMatchObject({ id: 'docker.runtime-loaded', breaks: true });
		const { programs: _, ...withoutSysbox } = notLoaded;
		const { findings: bare } = await seen(withoutSysbox);
		expect(bare[0]).toMatchObject({ id: 'docker.runtime-loaded', severity: 'block' });
		expect(bare[0]?.breaks).toBeUndefined();
	});

	test('is done when Docker lists the runtime with the right path', async () => {
		const { plan } = await seen({
			...notLoaded,
			info: { ...notLoaded.info, Runtimes: { 'sysbox-runc': { path: '/usr/local/sbin/sysbox-runc' } } },
		});
		const waitUntil = plan.actions[0]?.waitUntil;
		const quiet = { ...silent, [journal]: { stdout: '' } };
		expect(await waitUntil?.check(dockerHost({ ...notLoaded, commands: quiet }), signal, since)).toMatchObject({
			kind: 'waiting',
		});
		expect(await waitUntil?.check(dockerHost({ ...setUpHost, commands: silent }), signal, since)).toMatchObject({
			kind: 'settled',
		});
	});

	/** A daemon that says so when it has reloaded, with these runtimes. */
	const saying = (words: DockerHost, runtimes: string) => {
		const host = dockerHost(words);
		const attributes = { name: 'ci-07', 'default-runtime': 'runc', runtimes };
		const event = JSON.stringify({ Type: 'daemon', Action: 'reload', Actor: { ID: 'b5', Attributes: attributes } });
		const asked: string[] = [];
		return {
			...host,
			asked,
			exec: async (...[argv, how]: Parameters<typeof host.exec>) => {
				const line = argv.join(' ');
				if (line !== reloadEvent) asked.push(line);
				if (line !== reloadEvent) return host.exec(argv, how);
				how.onLine?.({ stream: 'stdout', text: event });
				expect(how.signal?.aborted).toBe(true);
				return { code: null, stdout: `${event}\n`, stderr: '', problem: 'cancelled' as const, elapsedMs: 8 };
			},
		};
	};

	test("is proved by the daemon's own event, without another question", async () => {
		const { plan } = await seen(notLoaded);
		const host = saying(notLoaded, 'runc:{"path":"runc"} sysbox-runc:{"path":"/usr/bin/sysbox-runc"}');
		expect(await plan.actions[0]?.waitUntil?.check(host, signal, since)).toMatchObject({ kind: 'settled' });
		expect(host.asked).toEqual([]);
	});

	test('is asked about where the event does not name what is wanted', async () => {
		const { plan } = await seen(notLoaded);
		const other = 'sysbox-runc:{"path":"/opt/sysbox-runc"}';
		const quiet = { [journal]: { stdout: '' } };
		expect(
			await plan.actions[0]?.waitUntil?.check(saying({ ...notLoaded, commands: quiet }, other), signal, since),
		).toMatchObject({ kind: 'waiting' });
		expect(await plan.actions[0]?.waitUntil?.check(saying(setUpHost, ''), signal, since)).toMatchObject({
			kind: 'settled',
		});
	});

	test('that dockerd refuses ends with its own words', async () => {
		const { plan } = await seen(notLoaded);
		const said =
			'time="2026-11-23T23:21:10Z" level=info msg="Got signal to reload configuration, reloading from: /etc/docker/daemon.json"\n' +
			'time="2026-11-23T23:21:10Z" level=error msg="unable to configure the Docker daemon with file /etc/docker/daemon.json: unexpected end of JSON input"\n' +
			'Reloaded docker.service - Docker Application Container Engine.\n';
		const refusing = dockerHost({ ...notLoaded, commands: { ...silent, [journal]: { stdout: said } } });
		expect(await plan.actions[0]?.waitUntil?.check(refusing, signal, since)).toEqual({
			kind: 'refused',
			said: 'dockerd kept its old configuration: unable to configure the Docker daemon with file /etc/docker/daemon.json: unexpected end of JSON input',
		});
	});

	test('before which dockerd refused an earlier one is waited for', async () => {
		const { plan } = await seen(notLoaded);
		const said =
			'level=error msg="Error reconfiguring the daemon"\nlevel=info msg="Got signal to reload configuration"\n';
		const host = dockerHost({ ...notLoaded, commands: { ...silent, [journal]: { stdout: said } } });
		expect(await plan.actions[0]?.waitUntil?.check(host, signal, since)).toMatchObject({ kind: 'waiting' });
	});

	test('puts other settings of the file in force too, and says which', async () => {
		const { plan } = await seen({
			...notLoaded,
			daemonJson: readyDaemonJson.replace('{\n', '{\n    "live-restore": true,\n'),
		});
		expect(plan.impact?.notes).toContain('also takes effect: live-restore: true in the file, false in force');
	});

	test('of a default runtime is waited for', async () => {
		const daemonJson = readyDaemonJson.replace('{\n', '{\n    "default-runtime": "sysbox-runc",\n');
		const { plan } = await seen({ ...setUpHost, daemonJson });
		expect(plan.actions[0]?.waitUntil?.what).toBe('the default runtime is sysbox-runc');
	});

	test('of a Docker that systemd does not run is left to the operator', async () => {
		const { plan, findings } = await seen({
			...notLoaded,
			commands: {
				[showUnitsCommand(['docker.service']).join(' ')]: {
					stdout: 'Id=docker.service\nLoadState=not-found\nActiveState=inactive\n',
				},
			},
		});
		expect(plan.actions).toMatchObject([{ kind: 'manual' }]);
		expect(findings.find(f => f.id === 'docker.unit')?.severity).toBe('warn');
	});
});

describe('a restart', () => {
	const containers = [
		{ name: 'runner-x7k', labels: { 'com.gitlab.gitlab-runner.job.id': '8812' }, startedAt: '2026-11-23T11:48:00Z' },
		{ name: 'db', restart: 'always', startedAt: '2026-11-20T12:00:00Z' },
		{ name: 'old', running: false },
	];

	test('is asked for, and not done by itself: Sysbox does not need it', async () => {
		const { plan, questions, findings } = await seen({ ...otherBridge, containers });
		expect(plan.actions).toEqual([]);
		expect(questions).toMatchObject([{ id: 'docker.restart', initial: false }]);
		expect(questions[0]?.help).toContain('stops 2 containers: runner-x7k and db');
		expect(findings.find(f => f.id === 'docker.bip-loaded')).toMatchObject({
			severity: 'warn',
			summary: 'bip: 172.20.0.1/16 in the file, 172.17.0.1/16 in force',
		});
	});

	test('names everything that stops, and whether it comes back', async () => {
		const { plan } = await seen({ ...otherBridge, containers }, yes);
		expect(restartOf(plan)).toMatchObject({ argv: ['systemctl', 'restart', 'docker'], uninterruptible: true });
		expect(plan.actions.map(a => a.id)).toContain('wait-for-containers');
		expect(risksOf(plan)).toEqual(['restart-docker', 'stop-containers']);
		expect(plan.impact?.stops).toEqual([
			'runner-x7k (GitLab job 8812 (build), running 12 min): does not come back, restart policy no',
			'db (running 3 days): comes back, restart policy always',
		]);
	});

	test('stops nothing under live-restore', async () => {
		const { plan } = await seen(
			{ ...otherBridge, containers, info: { ...setUpHost.info, LiveRestoreEnabled: true } },
			yes,
		);
		expect(risksOf(plan)).toEqual(['restart-docker']);
		expect(plan.impact?.stops).toEqual([]);
		expect(plan.impact?.notes.join(' ')).toContain('name resolution');
	});

	test('has a way back: the file as it was, where this run wrote it, then another start', async () => {
		const text = otherBridge.daemonJson ?? '';
		const state = ranBefore({
			step: 'sysbox',
			id: 'daemon-json',
			path: '/etc/docker/daemon.json',
			after: sha256(text),
		});
		const ours = await seen(otherBridge, { ...yes, state });
		expect(wayBackOf(ours.plan)).toMatchObject([
			{ kind: 'restore', path: '/etc/docker/daemon.json', first: true },
			{ argv: ['systemctl', 'reset-failed', 'docker'] },
			{ argv: ['systemctl', 'restart', 'docker'] },
		]);
		const theirs = await seen(otherBridge, yes);
		expect(wayBackOf(theirs.plan).map(a => a.kind)).toEqual(['exec', 'exec']);
	});

	test('is waited for, with what Docker said on its way down', async () => {
		const { plan } = await seen(otherBridge, yes);
		const down = {
			'docker info --format {{json .}}': { code: 1, stderr: 'Cannot connect to the Docker daemon' },
			[journal]: { stdout: 'failed to start daemon: invalid bip\n' },
		};
		const waitUntil = restartOf(plan)?.waitUntil;
		expect(await waitUntil?.check(dockerHost({ ...otherBridge, commands: down }), signal, since)).toEqual({
			kind: 'waiting',
			seen: 'failed to start daemon: invalid bip',
		});
		expect(await waitUntil?.check(dockerHost(otherBridge), signal, since)).toMatchObject({ kind: 'settled' });
	});

	test('that did not help is not repeated', async () => {
		const state = ranBefore({ step: 'docker', id: 'restart', role: 'restart-docker' });
		const { plan, questions, findings } = await seen(otherBridge, { ...yes, state });
		expect(plan.actions).toEqual([]);
		expect(questions).toEqual([]);
		expect(findings.find(f => f.id === 'docker.bip-loaded')?.severity).toBe('block');
	});

	test('reads what a reload would have read', async () => {
		const { plan } = await seen({ ...notLoaded, daemonJson: otherBridge.daemonJson ?? '' }, yes);
		expect(plan.actions.map(a => a.id).filter(id => !id.startsWith('switch-'))).toEqual(['restart']);
	});

	test("is put between the arming and the disarming of a dead man's switch", async () => {
		const { plan } = await seen(otherBridge, yes);
		const ids = plan.actions.map(a => a.id);
		const at = ids.indexOf('restart');
		expect(ids.slice(at - 2, at)).toEqual(['switch-timer', 'switch-watch']);
		expect(plan.actions[at - 2]).toMatchObject({ argv: expect.arrayContaining(['--on-active=60']) });
		expect(ids[at + 1]).toBe('switch-stop');
		expect(restartOf(plan)?.rollback?.map(a => a.id)).toEqual(expect.arrayContaining(ids.slice(at + 1)));
	});
});

test('a fresh host has work for the steps before, and is not unfit', async () => {
	const { plan, findings } = await seen({});
	expect(plan.actions).toEqual([]);
	expect(findings[0]).toMatchObject({
		severity: 'block',
		remedy: { kind: 'commands', commands: ['sysbox-setup --only daemon'] },
	});
});

describe('what cannot be seen', () => {
	test.each([
		['garbage', { stdout: 'Segmentation fault' }, 'could-not-tell'],
		['nothing in time', { problem: 'timeout' as const }, 'could-not-tell'],
		['that the daemon is down', { code: 1, stderr: 'Cannot connect to the Docker daemon at unix:///x' }, 'block'],
	])('docker info says %s', async (_, reply, severity) => {
		const { plan, findings } = await seen({
			...notLoaded,
			commands: { 'docker info --format {{json .}}': reply },
		});
		expect(plan.actions).toEqual([]);
		expect(findings).toMatchObject([{ id: 'docker.runtime-loaded', severity }]);
	});

	test('a bridge without an address', async () => {
		const { findings, plan } = await seen({
			...setUpHost,
			commands: {
				'docker network inspect bridge': { code: 1, stderr: 'Error response from daemon: network bridge not found' },
			},
		});
		expect(plan.actions).toEqual([]);
		expect(findings.find(f => f.id === 'docker.bip-loaded')?.severity).toBe('could-not-tell');
	});
});

test('a journal line gives its message and its error', () => {
	expect(messageOf('level=error msg="Error reconfiguring the daemon" error="no \\"x\\" here"')).toBe(
		'Error reconfiguring the daemon: no "x" here',
	);
	expect(messageOf('plain words')).toBe('plain words');
});
