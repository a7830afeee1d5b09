/**
 * What `check` calls a host, held against what a careful person would call it: one host, brought into one state after the
 * other and out of it again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const subuid = '/etc/subuid';
const seconds = 1000;

interface Finding {
	readonly id: string;
	readonly severity: string;
	readonly summary: string;
}
interface Event {
	readonly type: string;
	readonly findings?: readonly Finding[];
	readonly verdict?: string;
	readonly changes?: number;
	readonly forYou?: number;
	readonly exit?: number;
}
interface Judged {
	readonly verdict: string | undefined;
	readonly changes: number | undefined;
	readonly forYou: number | undefined;
	readonly exit: number | undefined;
	/** Every finding that is not plainly good. */
	readonly because: readonly string[];
}

/** Nothing to do at all. */
const setUp = { verdict: 'set-up', changes: 0, forYou: 0, exit: 0 } as const;
/** A run would make it good, and no container can be started until then. */
const mendedByARun = { verdict: 'broken', forYou: 0, exit: 3 } as const;
/** Only whoever owns the container can do it. */
const oneThingForYou = { verdict: 'action-needed', changes: 0, forYou: 1, exit: 4 } as const;

describe.skipIf(!lab.available)('check, on one host in many states,', () => {
	let host: LabHost;
	let deb = '';
	let written: Buffer;

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v1', name: 'verdicts' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		await host.loadImages('busybox');
		deb = (await host.putPackage('good', { postinst: 'leaves' })).path;
	}, 16 * 60_000);
	afterAll(async () => host?.remove());

	const sh = (script: string) => host.exec(['sh', '-ec', script], { timeoutMs: 90 * seconds });

	async function judged(): Promise<Judged> {
		const check = ['sysbox-setup', 'check', '--deb', deb, '--format', 'json'];
		const { stdout, stderr, code } = await host.exec(check, { reject: false, timeoutMs: 90 * seconds });
		const events = stdout
			.split('\n')
			.filter(line => line.startsWith('{'))
			.map(line => JSON.parse(line) as Event);
		const end = events.findLast(({ type }) => type === 'run.end');
		expect(end?.exit, stdout + stderr).toBe(code);
		const because = events
			.flatMap(({ findings }) => findings ?? [])
			.filter(({ severity }) => severity !== 'ok')
			.map(({ id, severity, summary }) => `${severity} ${id}: ${summary}`);
		return {
			verdict: end?.verdict,
			changes: end?.changes,
			forYou: end?.forYou,
			exit: end?.exit,
			because: [...new Set(because)],
		};
	}

	/** Brings the host into a state, has it judged, and brings it out again whatever came of it. */
	async function inState(into: string, out: string): Promise<Judged> {
		await sh(into);
		try {
			return await judged();
		} finally {
			await sh(out);
		}
	}

	function expectVerdict(found: Judged, expected: Partial<Judged>): void {
		expect(found, found.because.join('\n')).toMatchObject(expected);
	}

	const startAgain = 'systemctl reset-failed; systemctl start sysbox';
	const started = (name: string, options: string) =>
		`docker run -d --name ${name} --stop-signal SIGKILL ${options} lab/busybox:1 sleep 3600`;
	const limited = '--memory 64m --cpus 1 --pids-limit 100';
	const privilegedJob = `--privileged ${limited} --label com.gitlab.gitlab-runner.type=build`;
	const noWalls = '--cap-add ALL --security-opt seccomp=unconfined';

	it('fresh, without a daemon.json: ready, and what is missing is no fault', async () => {
		const found = await inState(`rm -f ${daemonJson}`, 'true');
		// The package, its lines in daemon.json, and a reload or restart; kernel settings are those of the machine.
		expectVerdict(found, { verdict: 'ready', forYou: 0, exit: 4 });
		expect([3, 4]).toContain(found.changes);
		expect(found.because.join('\n')).not.toMatch(/no such file|does not accept/);
	});

	it('set up: nothing is left', async () => {
		const steps = ['host', 'sysbox', 'daemon', 'docker'].flatMap(step => ['--only', step]);
		const risks = ['--accept-risk', 'unverified-deb'];
		const run = await host.exec(['sysbox-setup', '--yes', ...steps, ...risks, '--deb', deb], {
			reject: false,
			timeoutMs: 120 * seconds,
		});
		expect(run.code, run.stdout + run.stderr).toBe(0);
		written = await host.readFile(daemonJson);
		expectVerdict(await judged(), setUp);
	});

	it('sysbox-mgr stopped: broken', async () => {
		const found = await inState('systemctl stop sysbox-mgr', startAgain);
		expectVerdict(found, { ...mendedByARun, changes: 1 });
	});

	it('sysbox-fs killed: broken', async () => {
		const dead = 'until ! systemctl is-active --quiet sysbox; do sleep 0.1; done';
		const found = await inState(`systemctl kill --signal KILL sysbox-fs; ${dead}`, startAgain);
		expectVerdict(found, { ...mendedByARun, changes: 1 });
	});

	it('the start limit of sysbox hit while both daemons are active: containers start, so it is not broken', async () => {
		const tooOften = 'n=0; while systemctl restart sysbox 2>/dev/null && [ $n -lt 20 ]; do n=$((n + 1)); done';
		const daemons = 'systemctl start sysbox-mgr sysbox-fs; systemctl is-failed sysbox';
		const starts = 'docker run --rm --runtime sysbox-runc lab/busybox:1 true';
		const found = await inState(`${tooOften}; ${daemons}; ${starts}`, startAgain);
		expectVerdict(found, { verdict: 'ready', changes: 1, forYou: 0, exit: 4 });
	});

	it('sysbox-fs active and hanging: broken', async () => {
		const held = 'timeout 20 docker run -d --name job --runtime sysbox-runc lab/busybox:1 sleep 3600';
		const stopped = `${held}; systemctl kill --signal STOP sysbox-fs; systemctl is-active sysbox sysbox-mgr sysbox-fs`;
		const found = await inState(stopped, 'systemctl kill --signal CONT sysbox-fs; docker rm -f job');
		expectVerdict(found, { verdict: 'broken', exit: 3 });
	});

	it('a privileged job runs: work for you', async () => {
		expectVerdict(await inState(started('job', privilegedJob), 'docker rm -f job'), oneThingForYou);
	});

	it('a container runs with all capabilities and no seccomp filter: work for you', async () => {
		const found = await inState(started('tool', noWalls), 'docker rm -f tool');
		// One container, or the two things that are wrong with it.
		expectVerdict(found, { verdict: 'action-needed', changes: 0, exit: 4 });
		expect([1, 2]).toContain(found.forYou);
	});

	it('a Sysbox container is up and dead since Sysbox was restarted: work for you', async () => {
		const dead = `${started('old', '--runtime sysbox-runc')}; systemctl restart sysbox; ! docker exec old true`;
		const found = await inState(dead, `docker rm -f old; ${startAgain}`);
		expectVerdict(found, oneThingForYou);
		expect(found.because.join('\n')).toContain('old');
	});

	it('two lines for sysbox in /etc/subuid: containers start, and sysbox-mgr mends it', async () => {
		const twice = `cp ${subuid} ${subuid}.kept; echo sysbox:400000:65536 >>${subuid}`;
		const found = await inState(twice, `mv ${subuid}.kept ${subuid}`);
		expectVerdict(found, setUp);
		expect(found.because.join('\n')).not.toMatch(/refuses/);
	});

	it('daemon.json gone while Docker still has the runtime loaded: ready to be written again', async () => {
		const found = await inState(`mv ${daemonJson} /root/kept`, `mv /root/kept ${daemonJson}`);
		expectVerdict(found, { verdict: 'ready', forYou: 0, exit: 4 });
		expect([1, 2]).toContain(found.changes);
	});

	it('daemon.json cannot be read as JSON: no run can go on', async () => {
		const found = await inState(`cp ${daemonJson} /root/kept; echo '{' >${daemonJson}`, `mv /root/kept ${daemonJson}`);
		expectVerdict(found, { exit: 3 });
		expect(['incompatible', 'broken']).toContain(found.verdict);
	});

	it('Docker stopped: broken', async () => {
		const found = await inState(
			'systemctl stop docker.socket docker.service',
			'systemctl reset-failed; systemctl start docker',
		);
		expectVerdict(found, { verdict: 'broken', exit: 3 });
	});

	it('dockerd is stopped by SIGSTOP: check asks it each thing once, calls it mute and no container anything', async () => {
		const counted = [
			'mv /usr/bin/docker /usr/bin/docker.real',
			'printf \'#!/bin/sh\\necho "$*" >>/root/asked\\nexec docker.real "$@"\\n\' >/usr/bin/docker',
			'chmod 755 /usr/bin/docker',
		];
		const found = await inState(
			[...counted, 'kill -STOP "$(pidof dockerd)"'].join('; '),
			'mv /usr/bin/docker.real /usr/bin/docker; kill -CONT "$(pidof dockerd)"; docker info >/dev/null',
		);
		expectVerdict(found, { verdict: 'broken', exit: 3 });
		expect(found.because.join('\n')).toContain('Docker does not answer: no answer within 10 s');
		// No step asks a mute Docker again. That all calls share 15 s is shown where time is counted, not waited for:
		// test/runbook/many-and-mute.test.ts and test/host/docker-deadline.test.ts.
		const asked = (await host.readFile('/root/asked')).toString().trim().split('\n');
		// Which of them still begin within those 15 s depends on the speed of the machine.
		expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted());
		expect(asked).toContain('info --format {{json .}}');
		expect(asked.length).toBeLessThanOrEqual(8);
	});

	it('the runtime is in the file and Docker has not loaded it: broken until it is told', async () => {
		// Docker starts without the file, and gets it back unread.
		const unread = `mv ${daemonJson} /root/kept; systemctl reset-failed; systemctl restart docker; mv /root/kept ${daemonJson}`;
		const found = await inState(unread, 'systemctl reload docker');
		expectVerdict(found, mendedByARun);
		expect([1, 2]).toContain(found.changes);
		expect(await host.readFile(daemonJson)).toEqual(written);
	});

	it('and at the end it is as it was after the set-up', async () => {
		expectVerdict(await judged(), setUp);
	});
});
