import type { Action, Plan } from '../../src/model/action.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Undo } from '../../src/model/undo.ts';
import type { Argv, Expected } from '../../src/port/host.ts';
import { waitForLock } from '../../src/system/apt.ts';
import { installedPackage } from '../../src/system/dpkg.ts';
import { parseSysctlConf } from '../../src/system/sysctl-conf.ts';
import { sysctlUndo } from '../../src/system/sysctl-value.ts';
import type { TextFile } from '../../src/system/text-file.ts';
import { canWriteFuseRule, isStoppedByProfile, withFuseRule } from './fuse-rule.ts';
import { fuseLocalPath, fuseProfilePath, type HostFacts, ownSysctlPath, type SysctlName } from './host-facts.ts';
import { canInstall, missingTools } from './tools.ts';

const aptTimeoutMs = 15 * 60_000;

const aptGet = (verb: string, ...words: readonly string[]): Argv => ['apt-get', verb, '-y', ...waitForLock, ...words];

/** What this host needs and the operator did not decline. Nothing when the host is fit. */
export function planHost(facts: HostFacts, context: JudgeContext): Plan {
	const wanted = (id: string) => yesNoAnswer(context.answers, id) !== false;
	return {
		actions: [
			...(wanted('host.install-tools') ? toolActions(facts, context) : []),
			...(wanted('host.sysctl') ? sysctlActions(facts) : []),
			...(wanted('host.apparmor-rule') ? fuseRuleActions(facts, context) : []),
		],
	};
}

function toolActions(facts: HostFacts, context: JudgeContext): readonly Action[] {
	const names = missingTools(facts, context).map(tool => tool.package);
	if (names.length === 0 || !canInstall(facts) || facts.packages?.kind !== 'ok') return [];
	// fuse3 takes the place of the older fuse (its control file: Breaks and Replaces), so that one would go.
	const older = names.includes('fuse3') ? installedPackage(facts.packages.value, 'fuse') : undefined;
	const replaced = older === undefined ? [] : [older.name];
	const simulation = facts.toolInstall?.simulation;
	const would = simulation?.kind === 'would' ? simulation : undefined;
	const earlier = (name: string, version: string | undefined) => ({
		name,
		version: version ?? '',
		auto: facts.toolInstall?.autoInstalled.has(name) === true,
	});
	const undo: Undo = {
		kind: 'packages',
		changes: {
			installed: would?.installs.map(step => step.name) ?? names,
			removed:
				would?.removes.map(step => earlier(step.name, step.from)) ??
				(older === undefined ? [] : [earlier(older.name, older.version)]),
			replaced: would?.upgrades.map(step => ({ ...earlier(step.name, step.from), by: step.to ?? '' })) ?? [],
		},
		leaves: [
			...(would === undefined ? ['libraries that came with them, until apt-get autoremove'] : []),
			'the entries in the logs of apt and dpkg',
		],
	};
	const install: Action = {
		id: 'install-tools',
		kind: 'exec',
		title: `Install ${names.join(', ')}`,
		why: 'Sysbox or its package calls programs that are not on this host',
		// --no-remove: apt gives up rather than take away a package that nobody spoke of.
		argv: aptGet('install', '--no-install-recommends', ...(replaced.length === 0 ? ['--no-remove'] : []), ...names),
		timeoutMs: aptTimeoutMs,
		uninterruptible: true,
		whenItFails: ['put apt right (apt-get update, apt-get --fix-broken install), then start again'],
		undo,
		touches: [
			...replaced.map(name => `removes the package ${name}: fuse3 takes its place`),
			'libraries that these packages need',
		],
		risks: replaced.length > 0 ? (['other-packages'] as const) : undefined,
	};
	const refresh: Action = {
		id: 'refresh-lists',
		serves: install.id,
		kind: 'exec',
		title: 'Fetch the lists of packages',
		why: 'apt has none, and so knows no package',
		argv: ['apt-get', 'update', ...waitForLock],
		timeoutMs: aptTimeoutMs,
		uninterruptible: true,
		undo: { kind: 'none', why: 'lists of packages change nothing that is installed' },
	};
	return facts.packageLists === 'empty' ? [refresh, install] : [install];
}

/** The kernel's own default is half of its threads (kernel/fork.c); this is for a kernel that does not tell them. */
const userNamespacesWithoutThreads = 15_000;

/** Sysctls that forbid user namespaces, with the value that lifts each. */
export function neededSysctls(facts: HostFacts): ReadonlyMap<SysctlName, number> {
	const needed = new Map<SysctlName, number>();
	const max = facts.sysctls['user.max_user_namespaces'];
	const threads = facts.sysctls['kernel.threads-max'];
	if (max.kind === 'value' && max.value < 1) {
		needed.set(
			'user.max_user_namespaces',
			threads.kind === 'value' ? Math.max(1, Math.floor(threads.value / 2)) : userNamespacesWithoutThreads,
		);
	}
	const clone = facts.sysctls['kernel.unprivileged_userns_clone'];
	if (clone.kind === 'value' && clone.value === 0) needed.set('kernel.unprivileged_userns_clone', 1);
	return needed;
}

/** Whether the file of this step can be written without losing what is in it. */
export const canWriteSysctls = ({ ownSysctlFile }: HostFacts): boolean =>
	ownSysctlFile.kind === 'text' || ownSysctlFile.kind === 'missing';

function sysctlActions(facts: HostFacts): readonly Action[] {
	const needed = neededSysctls(facts);
	const { ownSysctlFile } = facts;
	if (needed.size === 0 || !canWriteSysctls(facts)) return [];
	const before = ownSysctlFile.kind === 'text' ? ownSysctlFile.text : '';
	const there = new Map(parseSysctlConf(before).map(setting => [setting.key, setting.value]));
	const absent = [...needed].filter(([name, value]) => there.get(name) !== String(value));
	const current = (name: SysctlName) => {
		const value = facts.sysctls[name];
		return value.kind === 'value' ? value.value : 0;
	};
	const words = [...needed].map(([name, value]) => `${name}=${value}`);
	const write: Action = {
		id: 'sysctl-file',
		kind: 'write',
		title: `Write ${ownSysctlPath}`,
		why: 'user namespaces, which Sysbox is built on, stay allowed after the next boot',
		risks: ['weaken-sysctl'],
		path: ownSysctlPath,
		bytes: new TextEncoder().encode(
			appendLines(before, [
				'# sysbox-setup: Sysbox containers are user namespaces.',
				...absent.map(([name, value]) => `${name} = ${value}`),
			]),
		),
		mode: 0o644,
		...expected(ownSysctlFile),
	};
	const setNow: Action = {
		id: 'sysctl-now',
		kind: 'exec',
		title: 'Allow user namespaces',
		why: `every user of this host can make them then; Sysbox cannot run without them`,
		risks: ['weaken-sysctl'],
		argv: ['sysctl', '-w', ...words],
		timeoutMs: 10_000,
		undo: {
			kind: 'commands',
			commands: [...needed].map(([name, value]) => sysctlUndo(name, current(name), value)),
		},
	};
	return absent.length === 0 ? [setNow] : [write, { ...setNow, serves: write.id }];
}

function fuseRuleActions(facts: HostFacts, { state }: JudgeContext): readonly Action[] {
	const reload: Action = {
		id: 'apparmor-reload',
		kind: 'exec',
		title: 'Load the AppArmor profile of fusermount3 again',
		why: 'the rule is in force only when the kernel has it',
		risks: ['weaken-apparmor'],
		argv: ['apparmor_parser', '-r', fuseProfilePath],
		timeoutMs: 60_000,
		undo: {
			kind: 'commands',
			commands: [
				{
					argv: ['apparmor_parser', '-r', fuseProfilePath],
					timeoutMs: 60_000,
					why: 'loads the profile again, without the rule',
				},
			],
		},
		rollback: [
			{
				id: 'apparmor-rule-back',
				kind: 'restore',
				title: `Put ${fuseLocalPath} back`,
				why: 'a rule that AppArmor does not accept would keep the profile from loading at boot',
				path: fuseLocalPath,
			},
		],
	};
	if (!isStoppedByProfile(facts)) {
		// A run that ended between writing and loading left the rule in the file only, and the kernel does not show it.
		const last = state.actions.findLast(action => action.step === 'host' && action.id === reload.id);
		const halfDone = last !== undefined && (last.outcome === 'intended' || last.outcome === 'interrupted');
		return halfDone && facts.apparmor.enabled ? [reload] : [];
	}
	if (!canWriteFuseRule(facts)) return [];
	const directory: Action = {
		id: 'apparmor-folder',
		kind: 'make-folder',
		title: 'Make /etc/apparmor.d/local',
		why: 'profiles read additions from there',
		path: '/etc/apparmor.d/local',
		mode: 0o755,
	};
	const write: Action = {
		id: 'apparmor-rule',
		kind: 'write',
		title: `Add a rule to ${fuseLocalPath}`,
		why: 'the profile would stop sysbox-fs from mounting; the rule allows it below /var/lib/sysboxfs only',
		risks: ['weaken-apparmor'],
		path: fuseLocalPath,
		bytes: new TextEncoder().encode(withFuseRule(facts)),
		mode: 0o644,
		...expected(facts.apparmor.local),
	};
	return [
		...(facts.apparmor.localDirectory ? [] : [{ ...directory, serves: write.id }]),
		write,
		{ ...reload, serves: write.id },
	];
}

/** What the writer has to find, and the text for the diff. */
function expected(file: TextFile): { readonly expect: Expected; readonly before?: string | undefined } {
	return file.kind === 'text'
		? { expect: { kind: 'sha256', sha256: file.sha256 }, before: file.text }
		: { expect: { kind: 'missing' } };
}

function appendLines(before: string, lines: readonly string[]): string {
	const separator = before === '' || before.endsWith('\n') ? '' : '\n';
	return `${before}${separator}${lines.join('\n')}\n`;
}
