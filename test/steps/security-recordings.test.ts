/**
 * What a real Sysbox 0.7.0, plain runc, the controls and an opened-up runc answered to our attempts, put through our own
 * judges. test/fixtures/recordings/README.md says how the recordings were made.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DockerFacts } from '../../src/docker/daemon.ts';
import { inspectDocker } from '../../src/docker/daemon.ts';
import type { ContainerSpec, ProbeHost, ProbeResult } from '../../src/model/probe.ts';
import type { Argv, ExecResult } from '../../src/port/host.ts';
import { type Attempt, probeOf } from '../../src/probe/attempt.ts';
import { hostAttempts } from '../../steps/security/host-attempts.ts';
import { limitAttempts } from '../../steps/security/limit-attempts.ts';
import { simulated } from '../probe/run-proof.ts';

interface Recording {
	readonly probe: string;
	readonly id: string;
	readonly host: 'cgroup v1' | 'cgroup v2';
	readonly runtime: string;
	readonly argv: Argv;
	readonly stdout: string;
	readonly stderr: string;
	readonly rc: number;
}

const recordings: readonly Recording[] = JSON.parse(
	readFileSync(new URL('../fixtures/recordings/security.json', import.meta.url), 'utf8'),
);

const openedUp = 'runc+cap-add=ALL,seccomp,apparmor,systempaths=unconfined';
const isControl = ({ runtime }: Recording): boolean => runtime.startsWith('runc+--');

/** Probes whose attempt was not recorded in a form of which our judge understands a word. */
const constructed = ['security.docker-socket'];

/** What our judge reads, from the recording. The differences are those of the command that was recorded. */
function answer(recording: Recording): { readonly result: ExecResult; readonly oomKilled?: boolean } {
	const { probe, stdout, stderr, rc } = recording;
	const result: ExecResult = { code: rc, stdout, stderr, elapsedMs: 1 };
	switch (probe) {
		case 'security.kernel-setting':
			// `value=$(cat F) && echo "$value" > F; r=$?; echo "value [$value]"`: the value shows that the write was reached.
			return { result: { ...result, code: 0, stdout: /^value \[.+\]$/m.test(stdout) ? `tried=${rc}\n` : '' } };
		case 'security.kernel-log':
			// Recorded are the lines that dmesg printed, counted.
			return { result: { ...result, stdout: '[    0.000000] a line\n'.repeat(Number(stdout)) } };
		case 'security.limit-memory': {
			const [, code, oomKilled] = /^rc=(\d+)\n(true|false) /.exec(stdout) ?? [];
			return { result: { ...result, code: Number(code), stdout: '' }, oomKilled: oomKilled === 'true' };
		}
		case 'security.limit-processes':
			// Recorded through `2>&1 | sort | uniq -c`, so that the exit code of the shell is not known.
			return { result: { ...result, code: 2, stdout: '', stderr: stdout.replaceAll(/^ +\d+ /gm, '') } };
		default:
			return { result };
	}
}

const pid = 4711;

const uidMapOf = (runtime: string): string =>
	recordings.find(r => r.id === 'ns.uid_map' && r.runtime === runtime)?.stdout ?? '';

/** Runs one of our probes against what was recorded of the attempt and of its control. */
async function judged(
	attempt: Attempt,
	recorded: Recording,
	control: ReturnType<typeof answer>,
): Promise<{ readonly result: ProbeResult; readonly tried: Argv[]; readonly controls: ContainerSpec[] }> {
	const tried: Argv[] = [];
	const controls: ContainerSpec[] = [];
	let attempted: string | undefined;
	const recordedPid = Number(recorded.argv[2]?.split(' ').at(-1));
	const quota = recorded.stdout.split('\n')[1];
	const files: Readonly<Record<string, string>> = {
		[`/proc/${pid}/uid_map`]: uidMapOf(recorded.runtime.split(' --cpus')[0] ?? ''),
		'/proc/sys/kernel/core_pattern': 'core\n',
		// Only the two quotas are recorded: which group of the host the process is in is that of `use.v1.cgroup-tree`.
		[`/proc/${pid}/cgroup`]: '1:cpu:/docker/ID/syscont-cgroup-root/init.scope\n',
		'/sys/fs/cgroup/cpu/docker/ID/syscont-cgroup-root/init.scope/cpu.cfs_quota_us': '-1\n',
		'/sys/fs/cgroup/cpu/docker/ID/cpu.cfs_quota_us': `${quota}\n`,
		'/sys/fs/cgroup/cpu/docker/ID/cpu.cfs_period_us': '100000\n',
		'/proc/4712/cgroup': '1:cpu:/docker/OTHER\n',
		'/sys/fs/cgroup/cpu/docker/OTHER/cpu.cfs_quota_us': '-1\n',
		'/sys/fs/cgroup/cpu/docker/OTHER/cpu.cfs_period_us': '100000\n',
	};
	const host: ProbeHost = {
		exec: () => Promise.reject(new Error('nothing is asked of the host')),
		readText: async path => files[path],
		pause: async () => undefined,
		ownPid: Number.isNaN(recordedPid) ? 1176 : recordedPid,
		saveImage: () => Promise.reject(new Error('no image is saved')),
		start: async key => ({
			kind: 'started',
			container: {
				id: 'ID',
				name: key,
				pid: key === 'cpu-unlimited' ? 4712 : pid,
				exec: async argv => {
					tried.push(argv);
					return answer(recorded).result;
				},
			},
		}),
		runToEnd: async spec => {
			// The attempt comes before its control; some attempts are a container of their own. One that told nothing is
			// made twice.
			const same = JSON.stringify(spec);
			const isAttempt = spec.runtime !== undefined && (tried.length === 0 || same === attempted);
			if (isAttempt) attempted = same;
			if (isAttempt) tried.push([spec.entrypoint ?? '', ...spec.command]);
			else controls.push(spec);
			return { command: 'docker run', ...(isAttempt ? answer(recorded) : control) };
		},
	};
	const result = await probeOf(attempt, { image: 'ci', options: [], unenforceable: [] }).run(host);
	return { result, tried, controls };
}

const endedWell = { result: { code: 0, stdout: '', stderr: '', elapsedMs: 1 } };

describe('our attempts against what was recorded of them', async () => {
	const docker: DockerFacts = await inspectDocker(await simulated(), new AbortController().signal);
	const attempts = [
		...hostAttempts(docker, {
			blockDevice: { name: 'loop7', major: 7, minor: 7 },
			modules: true,
			securityfs: true,
		}),
		...limitAttempts(docker),
	];
	const attemptOf = (id: string): Attempt => attempts.find(a => a.id === id)!;
	/** On the host of the recording; where plain runc is allowed it already, its recording is the control. */
	const controlOf = (recording: Recording): Recording | undefined => {
		const same = recordings.filter(r => r.probe === recording.probe && r.host === recording.host);
		return same.find(isControl) ?? same.find(r => r.runtime === 'runc');
	};
	const verdict = async (recording: Recording): Promise<ProbeResult> => {
		// Without a limit nothing was recorded: such a control is made up.
		const limit = recording.probe.startsWith('security.limit-');
		const control = controlOf(recording);
		const said = limit || control === undefined ? endedWell : answer(control);
		return (await judged(attemptOf(recording.probe), recording, said)).result;
	};

	test('every attempt was recorded, but for these', () => {
		const without = attempts.map(a => a.id).filter(id => !recordings.some(r => r.probe === id));
		expect(without).toEqual(constructed);
	});

	const underSysbox = recordings.filter(r => r.runtime.startsWith('sysbox-runc'));
	/** These kernels load no modules: the control says ENOSYS, so that a denial says nothing. */
	const unable = 'security.kernel-module';

	test.each(underSysbox.filter(r => r.probe !== unable))(
		'$probe under $runtime is blocked ($host, $id)',
		async recording => {
			expect(await verdict(recording)).toMatchObject({ verdict: 'pass' });
		},
	);

	test.each(underSysbox.filter(r => r.probe === unable))(
		'$probe under $runtime is unknown where the kernel cannot do it ($host, $id)',
		async recording => {
			expect(await verdict(recording)).toMatchObject({ verdict: 'could-not-tell' });
		},
	);

	/** What an opened-up container without the host's process ids, or on such a kernel, is not able to do either. */
	const notEvenThere = [unable, 'security.host-process'];

	test.each(recordings.filter(r => r.runtime === openedUp))(
		'$probe under $runtime is not taken for Sysbox ($host, $id)',
		async recording => {
			const expected = notEvenThere.includes(recording.probe) ? 'could-not-tell' : 'fail';
			expect(await verdict(recording)).toMatchObject({ verdict: expected });
		},
	);

	test.each(recordings.filter(r => r.runtime === 'runc'))(
		'$probe under plain runc never passes ($host, $id)',
		async recording => {
			expect((await verdict(recording)).verdict).not.toBe('pass');
		},
	);

	const options = (text: string): readonly string[] =>
		text
			.replaceAll(/--security-opt /g, '--security-opt=')
			.split(/\s+/)
			.filter(Boolean)
			.toSorted();

	test.each(underSysbox.filter(r => r.host === 'cgroup v2' && !r.probe.startsWith('security.limit-')))(
		'the control of $probe has the one permission that was recorded with it ($id)',
		async recording => {
			const control = controlOf(recording);
			const { controls } = await judged(attemptOf(recording.probe), recording, endedWell);
			const harmless = ['--network=none', '--userns=host'];
			const sharing = controls[0]?.options?.filter(option => !harmless.includes(option)) ?? [];
			const recorded = control?.runtime === 'runc' ? '' : (control?.runtime.slice('runc+'.length) ?? '');
			const shared = recording.id.startsWith('ns.share.') ? `--${recording.id.slice('ns.share.'.length)}=host` : '';
			expect(sharing.toSorted()).toEqual(options(`${recorded} ${shared}`));
		},
	);

	const word = (argv: Argv): string => argv.join(' ');

	test.each([
		['security.user-namespace', 'cat /proc/self/uid_map'],
		['security.kernel-module', 'insmod /etc/hostname'],
		['security.mount-kernel-fs', 'mount -t securityfs none /dev/shm'],
		['security.host-pid', 'true'],
	])('%s makes what was recorded, to the word', async (id, command) => {
		const recording = recordings.find(r => r.probe === id && r.runtime === 'sysbox-runc')!;
		const { tried } = await judged(attemptOf(id), recording, endedWell);
		expect(tried.map(word)).toEqual([command]);
		expect(word(recording.argv)).toBe(command);
	});
});

describe('an attempt that was not made proves nothing', async () => {
	const docker = await inspectDocker(await simulated(), new AbortController().signal);
	const attempts = [
		...hostAttempts(docker, { blockDevice: { name: 'vda', major: 252, minor: 0 }, modules: true, securityfs: true }),
		...limitAttempts(docker),
	];
	const sysbox = recordings.find(r => r.id === 'ns.uid_map' && r.runtime === 'sysbox-runc')!;
	const made = attempts.filter(a => a.id !== 'security.user-namespace' && a.id !== 'security.limit-cpu');

	test.each([
		['docker refuses the container', 125, 'docker: Error response from daemon: permission denied: no such file.\n'],
		['the runtime cannot enter it', 126, 'OCI runtime exec failed: exec failed: permission denied: unknown\n'],
		[
			'the runtime is out of processes',
			125,
			'docker: Error response from daemon: fork: resource temporarily unavailable.\n',
		],
		['another command is refused', 1, 'cat: /proc/sys/kernel/core_pattern: Permission denied\n'],
		['nothing is said at all', 1, ''],
	])('%s', async (_, rc, stderr) => {
		for (const attempt of made) {
			const recording = { ...sysbox, probe: 'none', stdout: '', stderr, rc };
			const { result } = await judged(attempt, recording, endedWell);
			expect({ id: attempt.id, verdict: result.verdict }).toEqual({ id: attempt.id, verdict: 'could-not-tell' });
		}
	});
});
