import { type DockerFacts, inspectDocker } from '../../src/docker/daemon.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { LeftOut } from '../../src/model/probe.ts';
import { proofStep, type StepContext } from '../../src/model/step.ts';
import { announced, announcement } from '../../src/probe/announcement.ts';
import { probeOf } from '../../src/probe/attempt.ts';
import { type ImageFacts, inspectImages, judgeImages, planImages } from '../../src/probe/images.ts';
import { explained, type IssueVersions, inspectVersions, issuesWithWords } from '../../src/probe/known-symptoms.ts';
import { judgeRuntime } from '../../src/probe/runtime.ts';
import { ciImage, imageQuestion, workload } from '../../src/probe/workload.ts';
import { securityFindingIds } from './finding-ids.ts';
import { type BlockDevice, hostAttempts } from './host-attempts.ts';
import { limitAttempts } from './limit-attempts.ts';
import { judgeVulnerabilities } from './vulnerabilities.ts';

interface SecurityFacts {
	readonly docker: DockerFacts;
	readonly images: ImageFacts;
	/** One of the host's disks, for its numbers. */
	readonly blockDevice?: BlockDevice | undefined;
	/** Undefined: this kernel can load modules. */
	readonly noModules?: string | undefined;
	readonly securityfs: boolean;
	readonly versions: IssueVersions;
}

export const security = proofStep<SecurityFacts>({
	id: 'security',
	title: 'Security proof',
	why: 'Attacks this host from a CI container. Each attack must be blocked, and must succeed in a control container, or it proves nothing.',
	brief: 'attacks this host; each must be blocked',
	needs: ['docker'],
	findingIds: securityFindingIds,
	answerIds: [imageQuestion.id],

	async inspect(context) {
		const [docker, images, blockDevice, noModules, securityfs, versions] = await Promise.all([
			inspectDocker(context.host, context.signal),
			inspectImages(context),
			findBlockDevice(context),
			whyNoModules(context),
			hasSecurityfs(context),
			inspectVersions(context.host, context.signal),
		]);
		return {
			docker,
			images,
			securityfs,
			versions,
			blockDevice: blockDevice || undefined,
			noModules,
		};
	},

	judge({ docker, images, versions }, context) {
		const { answers } = context;
		const load = workload(answers, docker);
		const runtime = judgeRuntime('security', docker);
		return [
			...runtime,
			// Without Sysbox there is no version to speak of, and no proof.
			...(runtime.some(({ severity }) => severity === 'block') ? [] : judgeVulnerabilities(versions, context)),
			// The default of a question that is still to come must not block a run.
			...judgeImages('security', answers[imageQuestion.id] === undefined ? [] : [load.image], images),
			...judgeLimits(load.unenforceable),
			announcement,
		];
	},

	ask: answers => (answers[imageQuestion.id] === undefined ? [imageQuestion] : []),

	plan: ({ images }, { answers }) => ({ actions: planImages([ciImage(answers)], images) }),

	probes({ docker, blockDevice, noModules, securityfs, versions }, context) {
		const load = workload(context.answers, docker);
		const issues = issuesWithWords(context, versions, docker);
		const attempts = [
			...hostAttempts(docker, {
				securityfs,
				modules: noModules === undefined,
				blockDevice: blockDevice || undefined,
			}),
			...limitAttempts(docker),
		];
		const leftOut: LeftOut[] = [];
		if (blockDevice === undefined) {
			leftOut.push({
				id: 'security.block-device',
				title: 'Make a device file of a disk of the host',
				threats: ['container-escape'],
				why: 'this host shows no disk in /proc/partitions',
			});
		}
		if (noModules !== undefined)
			leftOut.push({
				id: 'security.kernel-module',
				title: 'Load a kernel module',
				threats: ['container-escape'],
				why: noModules,
			});
		if (!securityfs) {
			leftOut.push({
				id: 'security.mount-kernel-fs',
				title: "Mount one of the kernel's own file systems",
				threats: ['container-escape'],
				why: 'this kernel has no securityfs',
			});
		}
		return { probes: attempts.map(attempt => explained(probeOf(attempt, load), issues)), leftOut, announced };
	},
});

function judgeLimits(unenforceable: readonly string[]): readonly Finding[] {
	if (unenforceable.length === 0) return [];
	return [
		{
			id: 'security.unenforceable-limits',
			severity: 'warn',
			summary: `This host's cgroups cannot enforce ${unenforceable.join(', ')}, which your CI jobs are configured with.`,
			why: 'A job can take all of the host. Docker drops such a limit with a warning, or refuses the container.',
			threat: 'resource-abuse',
			remedy: {
				kind: 'advice',
				text: 'Start the host with cgroup v2 and its memory, cpu and pids controllers (systemd does, unless the kernel command line says otherwise).',
			},
		},
	];
}

/** RAM disks, floppies, loop devices, CD drives, network block devices: not what a host boots from. */
const notDisks = /^(?:ram|zram|fd|loop|sr|nbd)\d/;

async function findBlockDevice({ host }: StepContext): Promise<BlockDevice | undefined> {
	const read = await host.readFile('/proc/partitions');
	if (read.kind !== 'bytes') return undefined;
	for (const line of new TextDecoder().decode(read.bytes).split('\n')) {
		const [major = '', minor = '', , name = ''] = line.trim().split(/\s+/);
		if (/^\d+$/.test(major) && /^\d+$/.test(minor) && name !== '' && !notDisks.test(name)) {
			return { name, major: Number(major), minor: Number(minor) };
		}
	}
	return undefined;
}

async function whyNoModules({ host }: StepContext): Promise<string | undefined> {
	const modules = await host.stat('/proc/modules');
	if (modules.kind === 'missing') return 'this kernel cannot load modules at all (there is no /proc/modules)';
	const disabled = await host.readFile('/proc/sys/kernel/modules_disabled');
	if (disabled.kind === 'bytes' && new TextDecoder().decode(disabled.bytes).trim() === '1') {
		return 'loading modules is switched off on this host until its next start (kernel.modules_disabled = 1)';
	}
	return undefined;
}

async function hasSecurityfs({ host }: StepContext): Promise<boolean> {
	const read = await host.readFile('/proc/filesystems');
	return read.kind === 'bytes' && /\bsecurityfs$/m.test(new TextDecoder().decode(read.bytes));
}
