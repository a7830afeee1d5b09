/** A restart of the real Docker on a host where things run: what is said to stop stops, and nothing is left down. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImpactContainer } from '../../src/model/impact.ts';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const jobLabels = [
	'--label=com.gitlab.gitlab-runner.type=build',
	'--label=com.gitlab.gitlab-runner.job.id=8812',
] as const;

/** Stands for gitlab-runner: on SIGQUIT it ends with its last job, on SIGTERM at once. */
const runner = `#!/bin/sh
finish=
trap 'finish=1' QUIT
while :; do
	if [ -n "$finish" ] && [ -z "$(docker ps -q --filter label=com.gitlab.gitlab-runner.job.id)" ]; then exit 0; fi
	sleep 0.2 &
	wait $!
done
`;
/** As its package writes it. */
const runnerUnit = `[Unit]
Description=GitLab Runner
ConditionFileIsExecutable=/usr/bin/gitlab-runner

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=/usr/bin/gitlab-runner "run"
Restart=always
RestartSec=120

[Install]
WantedBy=multi-user.target
`;

interface Event {
	readonly type: string;
	readonly step?: string;
	readonly action?: string;
	readonly outcome?: string;
	readonly exit?: number;
	readonly open?: readonly string[];
	readonly impact?: { readonly containers?: readonly ImpactContainer[] };
	readonly failure?: { readonly said: string };
}

describe.skipIf(!lab.available)('a restart of Docker', () => {
	let host: LabHost;
	let address = 20;

	/** Another address in the file, which only a restart puts in force; and a start limit that knows of no earlier one. */
	async function restartNeeded(): Promise<void> {
		address += 1;
		await host.exec(['sed', '-i', `s|"bip": "[^"]*"|"bip": "172.${address}.0.1/16"|`, daemonJson]);
		await host.exec(['systemctl', 'reset-failed', 'docker']);
	}

	async function restart(answers: string, ...more: readonly string[]): Promise<readonly Event[]> {
		await host.writeFile('/root/answers.yml', `version: 1\ndocker:\n  restart: true\n${answers}`);
		const result = await host.exec(
			[
				...[
					'sysbox-setup',
					'--yes',
					'--fresh',
					'--only',
					'docker',
					'--answers',
					'/root/answers.yml',
					'--format',
					'json',
				],
				...['--accept-risk', 'restart-docker', '--accept-risk', 'stop-containers'],
				...more,
			],
			{ reject: false, timeoutMs: 120_000 },
		);
		return result.stdout
			.split('\n')
			.filter(line => line !== '')
			.map(line => JSON.parse(line) as Event);
	}

	const exitOf = (events: readonly Event[]) => events.at(-1)?.exit;
	const outcomes = (events: readonly Event[]) =>
		events.flatMap(e =>
			e.type === 'action.outcome' && !/switch/.test(e.action ?? '') ? [`${e.action} ${e.outcome}`] : [],
		);
	const text = async (...argv: readonly string[]) => (await host.exec(argv, { reject: false })).stdout.trim();
	const inspect = (format: string, name: string) => text('docker', 'inspect', '--format', `{{${format}}}`, name);
	const runnerPid = () => text('systemctl', 'show', 'gitlab-runner', '-p', 'MainPID', '--value');
	const dockerPid = () => text('systemctl', 'show', 'docker', '-p', 'MainPID', '--value');

	async function run(name: string, seconds: number, ...more: readonly string[]): Promise<void> {
		await host.exec([
			...['docker', 'run', '-d', '--name', name, '--stop-signal', 'SIGKILL', ...more],
			...['lab/busybox:1', 'sleep', String(seconds)],
		]);
	}

	async function clear(): Promise<void> {
		await host.exec(['sh', '-c', 'docker ps -aq | xargs -r docker rm -f']);
	}

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'impact' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		await host.loadImages('busybox');
		const { path } = await host.putPackage('good');
		const set = await host.exec(
			[
				'sysbox-setup',
				'--yes',
				'--skip',
				'ci,functional,security,record',
				'--deb',
				path,
				'--accept-risk',
				'unverified-deb',
			],
			{ reject: false, timeoutMs: 120_000 },
		);
		expect(set.code, set.stderr.slice(-2000)).toBe(0);
		await host.writeFile('/usr/bin/gitlab-runner', runner, 0o755);
		await host.writeFile('/etc/systemd/system/gitlab-runner.service', runnerUnit);
		await host.exec(['systemctl', 'daemon-reload']);
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});

	it('stops what the sheet says, and leaves running what ran and is wanted', async () => {
		await clear();
		await run('web', 3600, '--restart', 'unless-stopped');
		await run('database', 3600);
		await run('once', 3600);
		await run('passing', 3600, '--rm');
		await run('build', 3600, ...jobLabels);
		const names = ['web', 'database', 'once', 'build'] as const;
		const before = await Promise.all(names.map(name => inspect('.State.StartedAt', name)));
		await restartNeeded();

		const events = await restart('  jobs: now\n  start-again: [database]\n');
		expect(exitOf(events), JSON.stringify(events.slice(-6))).toBe(0);
		const sheet = events.find(e => e.type === 'plan')?.impact?.containers ?? [];
		const fates = Object.fromEntries(sheet.map(c => [c.name, `${c.fate}${c.startedAgain === true ? ', again' : ''}`]));
		expect(fates).toEqual({
			web: 'comes-back',
			database: 'does-not-come-back, again',
			once: 'does-not-come-back',
			passing: 'is-removed',
			build: 'does-not-come-back',
		});
		const after = await Promise.all(names.map(name => inspect('.State.Running', name)));
		expect(after).toEqual(['true', 'true', 'false', 'false']);
		const started = await Promise.all(names.map(name => inspect('.State.StartedAt', name)));
		expect(started.map((at, index) => at !== before[index])).toEqual([true, true, false, false]);
		expect((await host.exec(['docker', 'inspect', 'passing'], { reject: false })).code).toBe(1);
		expect(outcomes(events)).toEqual(['restart done', 'wait-for-containers done', 'start-again done']);
	}, 120_000);

	it('waits for the job of a runner, which takes jobs again afterwards', async () => {
		await clear();
		await host.exec(['systemctl', 'start', 'gitlab-runner']);
		const before = await runnerPid();
		await run('build', 6, ...jobLabels);
		await restartNeeded();
		const events = await restart('  jobs: drain\n', '--drain-timeout', '60s');
		expect(exitOf(events), JSON.stringify(events.slice(-6))).toBe(0);
		expect(outcomes(events)).toEqual([
			'drain-gitlab-runner done',
			'hold-gitlab-runner done',
			'restart done',
			'release-gitlab-runner done',
		]);
		expect(await inspect('.State.ExitCode', 'build')).toBe('0');
		expect(await text('systemctl', 'is-active', 'gitlab-runner')).toBe('active');
		expect(await runnerPid()).not.toBe(before);
	}, 120_000);

	it('does not come when the wait is over: the job goes on, and so does its runner', async () => {
		await clear();
		await host.exec(['systemctl', 'start', 'gitlab-runner']);
		await run('build', 3600, ...jobLabels);
		await restartNeeded();
		const [docker, own] = [await dockerPid(), await runnerPid()];
		const events = await restart('  jobs: drain\n', '--drain-timeout', '2s');
		expect(exitOf(events)).toBe(1);
		expect(outcomes(events)).toEqual(['drain-gitlab-runner failed', 'release-gitlab-runner done']);
		expect(events.find(e => e.failure !== undefined)?.failure?.said).toContain('GitLab job 8812 still runs');
		expect(await dockerPid()).toBe(docker);
		expect(await runnerPid()).toBe(own);
		expect(await inspect('.State.Running', 'build')).toBe('true');
		// Its last job ends, so does it, and systemd starts it again by itself.
		await host.exec(['docker', 'rm', '-f', 'build']);
		await host.exec([
			'sh',
			'-c',
			'for i in $(seq 50); do [ "$(systemctl show gitlab-runner -p SubState --value)" = auto-restart ] && exit 0; sleep 0.1; done; exit 1',
		]);
	}, 120_000);

	it('leaves a runner in a container one that takes jobs again once it has finished', async () => {
		await clear();
		await host.exec(['systemctl', 'stop', 'gitlab-runner']);
		await host.exec(['docker', 'tag', 'lab/busybox:1', 'gitlab-runner:1']);
		const script = 'trap "sleep 6; exit 0" QUIT; while :; do sleep 0.2 & wait $!; done';
		await host.exec([
			...['docker', 'run', '-d', '--name', 'runner', '--restart', 'always', '--stop-signal', 'SIGQUIT'],
			...['gitlab-runner:1', 'sh', '-c', script],
		]);
		const before = await inspect('.State.StartedAt', 'runner');
		await restartNeeded();
		const events = await restart('  jobs: drain\n', '--drain-timeout', '1s');
		expect(outcomes(events)).toEqual(['drain-runner failed', 'release-runner done']);
		const again =
			'for i in $(seq 150); do at=$(docker inspect --format "{{.State.Running}} {{.State.StartedAt}}" runner); [ "$at" != "true $0" ] && expr "$at" : true >/dev/null && exit 0; sleep 0.1; done; exit 1';
		await host.exec(['sh', '-c', again, before], { timeoutMs: 30_000 });
	}, 120_000);

	it('is not begun when the window is too short for it', async () => {
		await clear();
		await run('web', 3600);
		await restartNeeded();
		const docker = await dockerPid();
		const until = await text('date', '-u', '-d', '+30 seconds', '+%Y-%m-%dT%H:%M:%SZ');
		const events = await restart('', '--until', until);
		expect(exitOf(events)).toBe(4);
		expect(events.at(-1)?.open?.join(' ')).toContain('with its way back');
		expect(await dockerPid()).toBe(docker);
		expect(await inspect('.State.Running', 'web')).toBe('true');
	}, 120_000);
});
