export type CpuQuota = { readonly seen: readonly string[] } & (
	| { readonly kind: 'limited'; readonly cpus: number; readonly file: string }
	| { readonly kind: 'unlimited' }
	| { readonly kind: 'unreadable'; readonly why: string }
);

type Read = (path: string) => Promise<string | undefined>;

/**
 * The smallest CPU quota that the kernel applies to a process, as the host shows it. A container of Sysbox sees none:
 * its own cgroup is a child of the limited one (seen with 0.7.0 and cgroup v1: quota −1 inside, enforced outside), so
 * every group above the process is looked at.
 */
export async function cpuQuota(pid: number, read: Read): Promise<CpuQuota> {
	const membership = await read(`/proc/${pid}/cgroup`);
	if (membership === undefined)
		return { kind: 'unreadable', why: `the host does not show /proc/${pid}/cgroup`, seen: [] };
	const seen = [membership.trim()];
	const group = cpuGroup(membership);
	if (group === undefined)
		return { kind: 'unreadable', why: 'the process is in no cgroup with a cpu controller', seen };
	// Seen from within another cgroup namespace, paths begin with `/..` and lead nowhere.
	if (group.path.includes('/..'))
		return { kind: 'unreadable', why: `the cgroup ${group.path} is outside of what this host shows`, seen };

	let smallest: { readonly cpus: number; readonly file: string } | undefined;
	let readable = false;
	const parts = group.path.split('/').filter(part => part !== '');
	for (let length = parts.length; length > 0; length--) {
		for (const mount of group.mounts) {
			const directory = `${mount}/${parts.slice(0, length).join('/')}`;
			const quota = group.version === 2 ? await quotaV2(directory, read) : await quotaV1(directory, read);
			if (quota === undefined) continue;
			readable = true;
			seen.push(`${quota.file}: ${quota.text}`);
			if (quota.cpus !== undefined && (smallest === undefined || quota.cpus < smallest.cpus))
				smallest = { cpus: quota.cpus, file: quota.file };
			break;
		}
	}
	if (smallest !== undefined) return { kind: 'limited', ...smallest, seen };
	return readable
		? { kind: 'unlimited', seen }
		: { kind: 'unreadable', why: `no quota file above ${group.path} can be read`, seen };
}

interface Group {
	readonly version: 1 | 2;
	readonly path: string;
	readonly mounts: readonly string[];
}

/** `4:cpu,cpuacct:/docker/ID` of version 1 goes before the `0::/…` of version 2: on mixed hosts cpu is in the former. */
function cpuGroup(membership: string): Group | undefined {
	let unified: Group | undefined;
	for (const line of membership.split('\n')) {
		const found = /^\d+:([^:]*):(\/.*)$/.exec(line.trim());
		const [controllers, path] = [found?.[1], found?.[2]];
		if (controllers === undefined || path === undefined) continue;
		if (controllers.split(',').includes('cpu')) {
			return { version: 1, path, mounts: [`/sys/fs/cgroup/${controllers}`, '/sys/fs/cgroup/cpu'] };
		}
		if (controllers === '') unified = { version: 2, path, mounts: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'] };
	}
	return unified;
}

interface Quota {
	readonly file: string;
	readonly text: string;
	/** Undefined: no limit at this level. */
	readonly cpus?: number | undefined;
}

/** `50000 100000`, or `max 100000`. */
async function quotaV2(directory: string, read: Read): Promise<Quota | undefined> {
	const file = `${directory}/cpu.max`;
	const text = (await read(file))?.trim();
	if (text === undefined) return undefined;
	const [quota, period] = text.split(/\s+/);
	return { file, text, ...ratio(quota, period) };
}

async function quotaV1(directory: string, read: Read): Promise<Quota | undefined> {
	const file = `${directory}/cpu.cfs_quota_us`;
	const [quota, period] = [(await read(file))?.trim(), (await read(`${directory}/cpu.cfs_period_us`))?.trim()];
	return quota === undefined || period === undefined
		? undefined
		: { file, text: `${quota} of ${period}`, ...ratio(quota, period) };
}

function ratio(quota: string | undefined, period: string | undefined): { readonly cpus?: number | undefined } {
	const cpus = Number(quota) / Number(period);
	return Number.isFinite(cpus) && cpus > 0 ? { cpus } : {};
}
