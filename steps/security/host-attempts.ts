import type { DockerFacts } from '../../src/docker/daemon.ts';
import type { ContainerSpec } from '../../src/model/probe.ts';
import type { Argv, ExecResult } from '../../src/port/host.ts';
import {
	type Attempt,
	byExitCode,
	cannotRun,
	evidenceOf,
	lastWords,
	refusal,
	type Subject,
	saidNothing,
	type Tried,
	watchedFile,
} from '../../src/probe/attempt.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { mapsHostRoot, parseIdMap, showIdMap } from '../../src/system/uid-map.ts';

const execMs = 30_000;
const runMs = 120_000;

/**
 * What every control gets: no network, as none needs one, and the host's user namespace, which dockerd with
 * userns-remap would else take away. Each adds the one permission that makes its attempt possible, no more.
 */
const controlOptions = ['--network=none', '--userns=host'];

/** The same attempt in a plain container of the same image, with what allows it. */
async function plainly(subject: Subject, argv: Argv, options: readonly string[]) {
	const [entrypoint, ...command] = argv;
	const spec: ContainerSpec = {
		image: subject.workload.image,
		options: [...controlOptions, ...options],
		entrypoint,
		command,
	};
	const run = await subject.host.runToEnd(spec, runMs);
	return { command: run.command, result: run.result };
}

async function inWorkload({ container }: Subject, argv: Argv) {
	const result = await container.exec(argv, { timeoutMs: execMs });
	return { command: ['docker', 'exec', container.name, ...argv], result };
}

/** An attempt that is one command, the same in the container and in its control. */
const oneCommand = (
	argv: Argv,
	options: readonly string[],
	words: {
		/** The program's own line that the kernel refused it. */
		readonly refused: RegExp;
		readonly reached?: RegExp | undefined;
		readonly succeeded: string;
		readonly controlSucceeded: string;
	},
): Pick<Attempt, 'try' | 'tryControl'> => {
	const tell = (command: string | readonly string[], result: ExecResult, succeeded: string): Tried => {
		const reached = words.reached?.test(`${result.stderr}\n${result.stdout}`) === true;
		if (reached)
			return {
				outcome: 'succeeded',
				what: `${succeeded}: ${lastWords(result)}`,
				evidence: [evidenceOf(command, result)],
			};
		return byExitCode(command, result, { refused: words.refused, succeeded });
	};
	return {
		async try(subject) {
			const { command, result } = await inWorkload(subject, argv);
			return tell(command, result, words.succeeded);
		},
		async tryControl(subject) {
			const { command, result } = await plainly(subject, argv, options);
			return tell(command, result, words.controlSucceeded);
		},
	};
};

const userNamespace: Attempt = {
	id: 'security.user-namespace',
	title: "Be the host's root",
	threats: ['container-escape'],
	attempt: 'Read which user of the host the root of the container is, inside and on the host.',
	expectation: 'Root in the container is an unprivileged user of the host.',
	control: "In a plain container root is the host's root.",
	async try(subject) {
		const argv: Argv = ['cat', '/proc/self/uid_map'];
		const { command, result } = await inWorkload(subject, argv);
		const path = `/proc/${subject.container.pid}/uid_map`;
		const onHost = await subject.host.readText(path);
		const evidence = [
			evidenceOf(command, result),
			{ what: `${path} on the host`, said: onHost?.trim() ?? 'not readable' },
		];
		if (onHost === undefined)
			return { outcome: 'unclear', what: `came to nothing: the host does not show ${path}`, evidence };
		const outer = parseIdMap(onHost);
		if (outer.kind !== 'ok')
			return { outcome: 'unclear', what: `came to nothing: ${path} cannot be read: ${outer.why}`, evidence };
		if (mapsHostRoot(outer.value))
			return { outcome: 'succeeded', what: "found the host's root in the container", evidence };
		if (result.code !== 0) return { ...(cannotRun(result) ?? saidNothing(result)), evidence };
		const inner = parseIdMap(result.stdout);
		const shown = inner.kind === 'ok' ? showIdMap(inner.value) : `no map (${inner.why})`;
		if (shown !== showIdMap(outer.value)) {
			return {
				outcome: 'unclear',
				what: `found ${shown} inside and ${showIdMap(outer.value)} on the host`,
				evidence,
			};
		}
		return { outcome: 'denied', what: `found ${shown}, inside and on the host`, evidence };
	},
	async tryControl(subject) {
		const { command, result } = await plainly(subject, ['cat', '/proc/self/uid_map'], []);
		const evidence = [evidenceOf(command, result)];
		if (result.code !== 0) return { ...(cannotRun(result) ?? saidNothing(result)), evidence };
		const map = parseIdMap(result.stdout);
		if (map.kind !== 'ok') return { outcome: 'unclear', what: `came to nothing: ${map.why}`, evidence };
		return {
			outcome: mapsHostRoot(map.value) ? 'succeeded' : 'denied',
			what: `found ${showIdMap(map.value)}`,
			evidence,
		};
	},
};

/**
 * The runtime refuses to share these with the host. Its words with 0.7.0: "sysbox containers can't share namespaces
 * [pid] with the host"; the order of several names changes, so only the beginning is matched.
 */
const refusedToShare = /can't share namespaces/;

function sharedNamespace(name: 'pid' | 'network' | 'ipc', what: string): Attempt {
	const option = `--${name}=host`;
	const options = (subject: Subject) => subject.workload.options.filter(o => !o.startsWith(`--${name}=`));
	return {
		id: `security.host-${name}`,
		title: `Share the host's ${what}`,
		threats: ['container-escape'],
		attempt: `Start a container with ${option}.`,
		expectation: `The runtime refuses a container that would share the host's ${what}.`,
		control: `A plain container with ${option} starts.`,
		async try(subject) {
			const { image } = subject.workload;
			const run = await subject.host.runToEnd(
				{ image, runtime: runtimeName, options: [...options(subject), option], entrypoint: 'true', command: [] },
				runMs,
			);
			const evidence = [evidenceOf(run.command, run.result)];
			if (run.result.code === 0) return { outcome: 'succeeded', what: 'started', evidence };
			if (refusedToShare.test(run.result.stderr))
				return {
					outcome: 'denied',
					what: `was refused: sysbox containers can't share this namespace with the host`,
					evidence,
				};
			return { ...(cannotRun(run.result) ?? saidNothing(run.result)), evidence };
		},
		async tryControl(subject) {
			const others = name === 'network' ? ['--userns=host'] : controlOptions;
			const run = await subject.host.runToEnd(
				{ image: subject.workload.image, options: [...others, option], entrypoint: 'true', command: [] },
				runMs,
			);
			return byExitCode(run.command, run.result, { succeeded: 'started' });
		},
	};
}

export interface BlockDevice {
	readonly name: string;
	readonly major: number;
	readonly minor: number;
}

/** In /dev, a tmpfs of the container's own: the node is in no file system of the host, and is never opened or mounted. */
const node = '/dev/sysbox-setup-block';

const blockDevice = ({ name, major, minor }: BlockDevice): Attempt => ({
	id: 'security.block-device',
	title: 'Make a device file of a disk of the host',
	threats: ['container-escape'],
	attempt: `Make a device file with the numbers of ${name} (${major}:${minor}); it is never opened.`,
	expectation: 'The kernel lets no container make device files.',
	control: "A plain container, with Docker's usual permissions, makes it.",
	...oneCommand(['mknod', node, 'b', String(major), String(minor)], [], {
		refused: refusal('mknod', 'operation not permitted|permission denied'),
		succeeded: `made a device file of ${name}`,
		controlSucceeded: 'made it',
	}),
});

const corePattern = '/proc/sys/kernel/core_pattern';

/** What the script prints once it has tried to write, with the exit code of that. */
const triedToWrite = /^tried=(\d+)$/m;

/**
 * Writes the value that is there: the kernel is asked, and whatever it answers nothing changes. The value is read by one
 * `cat`: a shell's own `read` goes byte by byte, and emulated files end after one byte then (seen with Sysbox 0.7.0). A
 * value that was not read is not written: that would change the host.
 */
const writeSameValue = [
	`value=$(cat ${corePattern}) && [ -n "$value" ] || exit 3`,
	`{ printf "%s\\n" "$value"; } > ${corePattern}`,
	'echo "tried=$?"',
].join('; ');

/** The exit code is the marker's: without one the write was not even tried, whatever was said. */
function judgeWrite(command: string | readonly string[], result: ExecResult, succeeded: string): Tried {
	const unable = cannotRun(result);
	const tried = triedToWrite.exec(result.stdout)?.[1];
	if (unable === undefined && tried === undefined) {
		return {
			outcome: 'unclear',
			what: `was not made: ${corePattern} could not be read (${lastWords(result)})`,
			evidence: [evidenceOf(command, result)],
		};
	}
	return byExitCode(command, tried === undefined ? result : { ...result, code: Number(tried) }, {
		refused: refusal(
			'\\S+',
			'permission denied|read-only file system|operation not permitted|no such file|nonexistent',
		),
		succeeded,
	});
}

const kernelSetting: Attempt = {
	id: 'security.kernel-setting',
	title: 'Change a setting of the kernel',
	threats: ['container-escape'],
	attempt:
		'Write to kernel.core_pattern, which names a program that the host runs as root; the value is the one that is there.',
	expectation: 'The kernel lets no container write its settings.',
	control: 'A plain container whose /proc/sys is writable writes it.',
	undecidable: async host =>
		(await host.readText(corePattern)) === undefined ? `this host does not show ${corePattern}` : undefined,
	async try(subject) {
		const { command, result } = await inWorkload(subject, ['sh', '-c', writeSameValue]);
		return judgeWrite(command, result, 'was accepted');
	},
	async tryControl(subject) {
		const options = ['--security-opt=systempaths=unconfined', '--security-opt=apparmor=unconfined'];
		const { command, result } = await plainly(subject, ['sh', '-c', writeSameValue], options);
		return judgeWrite(command, result, 'wrote it');
	},
};

/** A text file that every container has: the kernel says that it is no module, or does not let it come so far. */
const noModule = '/etc/hostname';

export const kernelModule: Attempt = {
	id: 'security.kernel-module',
	title: 'Load a kernel module',
	threats: ['container-escape'],
	attempt: `Load a file that is no module (${noModule}).`,
	expectation: 'The kernel refuses before it looks at the file.',
	control: 'In a plain container with CAP_SYS_MODULE the kernel looks at it and finds that it is no module.',
	watched: [watchedFile('/proc/sys/kernel/tainted')],
	...oneCommand(['insmod', noModule], ['--cap-add=SYS_MODULE'], {
		refused: refusal('insmod', 'operation not permitted|permission denied'),
		// ENOEXEC in the words of busybox and kmod; the others where modules must be signed.
		reached: /invalid module format|exec format error|key was rejected|required key not available/i,
		succeeded: 'reached the loader of the kernel',
		controlSucceeded: 'reached the loader of the kernel',
	}),
};

const kernelLog: Attempt = {
	id: 'security.kernel-log',
	title: 'Read the kernel log',
	threats: ['container-escape'],
	attempt: 'Read the log of the kernel, which shows addresses and what other containers do.',
	expectation: 'The kernel shows its log to no container.',
	control: 'A plain container with CAP_SYSLOG reads it.',
	async try(subject) {
		const { command, result } = await inWorkload(subject, ['dmesg']);
		return readLog(command, result);
	},
	async tryControl(subject) {
		const { command, result } = await plainly(subject, ['dmesg'], ['--cap-add=SYSLOG']);
		return readLog(command, result);
	},
};

/** Never quotes the log: it ends up in a record. */
function readLog(command: string | readonly string[], result: ExecResult): Tried {
	const lines = result.stdout.split('\n').filter(line => line.trim() !== '').length;
	const evidence = [evidenceOf(command, { ...result, stdout: lines === 0 ? '' : `${lines} lines` })];
	const unable = cannotRun(result);
	if (unable !== undefined) return { ...unable, evidence };
	if (lines > 0) return { outcome: 'succeeded', what: `read ${lines} lines`, evidence };
	if (refusal('dmesg', 'operation not permitted|permission denied').test(result.stderr))
		return { outcome: 'denied', what: `was denied: ${lastWords(result)}`, evidence };
	// util-linux reads /dev/kmsg first. In a container of Sysbox that is the null device: no line, and exit code 0.
	if (result.code === 0) return { outcome: 'denied', what: 'read nothing', evidence };
	return { ...saidNothing(result), evidence };
}

/** Signal 0 is never delivered: it only asks whether the sender could. */
const ask = 'kill -0 "$1"';

/** bash and dash begin with the name they are called by, which is `kill` here; busybox with that of its program. */
const noSignal = refusal('kill|sh', 'no such process|operation not permitted|permission denied');

const hostProcess: Attempt = {
	id: 'security.host-process',
	title: 'Reach a process of the host',
	threats: ['container-escape'],
	attempt: "Ask whether a signal could be sent to this tool's own process; none is sent.",
	expectation: 'A container does not see processes of the host.',
	control: 'A plain container with --pid=host could send it.',
	async try(subject) {
		const { host, container } = subject;
		const argv: Argv = ['sh', '-c', ask, 'kill', String(host.ownPid)];
		const { command, result } = await inWorkload(subject, argv);
		const tried = byExitCode(command, result, {
			refused: noSignal,
			succeeded: "could signal this tool's process",
		});
		if (tried.outcome !== 'succeeded') return tried;
		// The number may belong to a process of the container's own.
		const path = `/proc/${host.ownPid}/cmdline`;
		const inside = await container.exec(['cat', path], { timeoutMs: execMs });
		const outside = await host.readText(path);
		const evidence = [evidenceOf(command, result), evidenceOf(`cat ${path}, in the container`, inside)];
		if (inside.code !== 0 || outside === undefined)
			return {
				outcome: 'unclear',
				what: 'found a process of that number, and whose it is could not be told',
				evidence,
			};
		return inside.stdout === outside
			? { ...tried, evidence }
			: { outcome: 'denied', what: 'found only a process of its own under that number', evidence };
	},
	async tryControl(subject) {
		const argv: Argv = ['sh', '-c', ask, 'kill', String(subject.host.ownPid)];
		// AppArmor's profile docker-default allows signals only between processes of that profile.
		const { command, result } = await plainly(subject, argv, ['--pid=host', '--security-opt=apparmor=unconfined']);
		return byExitCode(command, result, { refused: noSignal, succeeded: 'could signal it' });
	},
};

/**
 * securityfs and not debugfs: it has no options, so that a second mount of it cannot change the first. Over /dev/shm,
 * which every container has, in the container's own mount namespace: it goes with the container.
 */
const kernelFileSystem = 'securityfs';

const mountKernelFs: Attempt = {
	id: 'security.mount-kernel-fs',
	title: "Mount one of the kernel's own file systems",
	threats: ['container-escape'],
	attempt: `Mount ${kernelFileSystem}, through which the host's security modules are configured.`,
	expectation: 'The kernel lets no container mount it.',
	control: 'A plain container with CAP_SYS_ADMIN and no AppArmor profile mounts it, for itself alone.',
	watched: [
		{
			what: `the host's mounts of ${kernelFileSystem}`,
			read: async host =>
				(await host.readText('/proc/1/mountinfo'))
					?.split('\n')
					.filter(line => line.includes(` - ${kernelFileSystem} `))
					.join('\n'),
		},
	],
	...oneCommand(
		['mount', '-t', kernelFileSystem, 'none', '/dev/shm'],
		['--cap-add=SYS_ADMIN', '--security-opt=apparmor=unconfined'],
		{
			refused: refusal('mount', 'operation not permitted|permission denied|must be superuser'),
			succeeded: 'was accepted',
			controlSucceeded: 'mounted it',
		},
	),
};

const socket = '/var/run/docker.sock';

function dockerSocket(docker: DockerFacts): Attempt {
	const argv: Argv = ['docker', `--host=unix://${socket}`, 'info', '--format', '{{.ID}}'];
	const hostId = docker.info.kind === 'ok' ? docker.info.value.id : '';
	const tell = (command: string | readonly string[], result: ExecResult, succeeded: string): Tried => {
		const evidence = [evidenceOf(command, result)];
		if (result.stdout.includes(hostId)) return { outcome: 'succeeded', what: succeeded, evidence };
		const unable = cannotRun(result);
		if (unable !== undefined) return { ...unable, evidence };
		if (
			/cannot connect to the docker daemon|failed to connect to the docker api|permission denied|no such file|connection refused/i.test(
				result.stderr,
			)
		) {
			return { outcome: 'denied', what: `found no daemon: ${lastWords(result)}`, evidence };
		}
		if (result.code === 0 && result.stdout.trim() !== '')
			return { outcome: 'denied', what: "found only an engine of the container's own", evidence };
		return { ...saidNothing(result), evidence };
	};
	return {
		id: 'security.docker-socket',
		title: "Talk to the host's Docker daemon",
		threats: ['docker-compromise'],
		attempt: 'Ask the Docker daemon that a job finds at its socket for its identity.',
		expectation: "A job does not reach the host's Docker daemon.",
		control: "A plain container with the host's socket mounted reaches it, and only asks.",
		undecidable: async () => (hostId === '' ? "the host's Docker daemon does not tell its identity" : undefined),
		async try(subject) {
			const { command, result } = await inWorkload(subject, argv);
			return tell(command, result, "reached the host's Docker daemon");
		},
		async tryControl(subject) {
			// --mount and not --volume: the latter would make the path on a host that does not have it.
			const { command, result } = await plainly(subject, argv, [
				`--mount=type=bind,source=${socket},target=${socket},readonly`,
			]);
			return tell(command, result, 'reached it');
		},
	};
}

/** In the order in which they are shown; the first says whether the others mean anything. */
export function hostAttempts(
	docker: DockerFacts,
	facts: { readonly blockDevice?: BlockDevice | undefined; readonly modules: boolean; readonly securityfs: boolean },
): readonly Attempt[] {
	return [
		userNamespace,
		sharedNamespace('pid', 'processes'),
		sharedNamespace('network', 'network'),
		sharedNamespace('ipc', 'shared memory'),
		...(facts.blockDevice === undefined ? [] : [blockDevice(facts.blockDevice)]),
		kernelSetting,
		...(facts.modules ? [kernelModule] : []),
		kernelLog,
		hostProcess,
		...(facts.securityfs ? [mountKernelFs] : []),
		dockerSocket(docker),
	];
}
