import { issuesFor, latestRelease } from '../../src/knowledge/lookup.ts';
import type { JudgeContext, StepContext } from '../../src/model/step.ts';
import { autoInstalled, simulateApt } from '../../src/system/apt.ts';
import type { HostFacts, ToolInstall } from './host-facts.ts';
import { targetSysbox } from './target-sysbox.ts';

/** A program that Sysbox or its package calls, and the Debian package that has it. */
export interface NeededTool {
	readonly program: string;
	readonly package: string;
	/** `to run`: the Sysbox daemons do not start, or cannot mount, without it. */
	readonly needed: 'to run' | 'to install';
}

/** sysbox-mgr utils.go (preflight) names the first three; the package's control file the others. */
const alwaysNeeded: readonly NeededTool[] = [
	{ program: 'rsync', package: 'rsync', needed: 'to run' },
	{ program: 'iptables', package: 'iptables', needed: 'to run' },
	{ program: 'modprobe', package: 'kmod', needed: 'to run' },
	{ program: 'jq', package: 'jq', needed: 'to install' },
	{ program: 'lsb_release', package: 'lsb-release', needed: 'to install' },
];

type ToolContext = Pick<JudgeContext, 'knowledge' | 'answers'>;

/** Without what apt thinks of it, which is asked for once it is known what is missing. */
type ToolFacts = Omit<HostFacts, 'toolInstall'>;

/** The program that sysbox-fs mounts with: another one since the release that the table of known issues names. */
export function mountHelper(facts: ToolFacts, context: ToolContext): NeededTool {
	const { knowledge } = context;
	const sysbox = targetSysbox(facts, context).sysbox ?? latestRelease(knowledge)?.version;
	const third = sysbox !== undefined && issuesFor(knowledge, { sysbox }).some(issue => issue.id === 'fuse3');
	return third
		? { program: 'fusermount3', package: 'fuse3', needed: 'to run' }
		: { program: 'fusermount', package: 'fuse', needed: 'to run' };
}

/** Every program that has to be there, for the Sysbox that a run leaves here. */
export const neededTools = (facts: ToolFacts, context: ToolContext): readonly NeededTool[] => [
	mountHelper(facts, context),
	...alwaysNeeded,
];

/** The needed programs that are not on this host. */
export function missingTools(facts: ToolFacts, context: ToolContext): readonly NeededTool[] {
	return neededTools(facts, context).filter(tool => !facts.programs.has(tool.program));
}

/** Whether packages can be installed here with apt. */
export const canInstall = (facts: Pick<HostFacts, 'programs' | 'packages'>): boolean =>
	facts.programs.has('apt-get') && facts.packages !== undefined && facts.packages.kind === 'ok';

/** Asked of apt itself, so that revert knows every package that came along. */
export async function inspectToolInstall(facts: ToolFacts, context: StepContext): Promise<ToolInstall | undefined> {
	const { host, signal } = context;
	const names = missingTools(facts, context).map(tool => tool.package);
	if (names.length === 0 || !canInstall(facts)) return undefined;
	const simulation = await simulateApt(host, 'install', ['--no-install-recommends', ...names], signal);
	const others = simulation.kind === 'would' ? [...simulation.removes, ...simulation.upgrades] : [];
	return {
		simulation,
		autoInstalled: await autoInstalled(
			host,
			others.map(step => step.name),
			signal,
		),
	};
}
