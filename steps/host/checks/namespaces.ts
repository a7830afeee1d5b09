import { raisedByPackage } from '../../../src/knowledge/host-needs.ts';
import { yesNoAnswer } from '../../../src/model/question.ts';

import { runcName } from '../../../src/sysbox/program-names.ts';
import { isReadBefore, settingAtBoot } from '../../../src/system/sysctl-conf.ts';
import { type HostFacts, ownSysctlPath, type SysctlName, type SysctlValue } from '../host-facts.ts';
import { canWriteSysctls, neededSysctls } from '../plan.ts';
import { advice, block, type Check, commands, couldNotTell, info, listed, ok, type Verdict, warn } from './check.ts';

const unreadableSysctl = (name: string, value: SysctlValue): Verdict =>
	couldNotTell(
		`${name} could not be read`,
		`/proc/sys/${name.replaceAll('.', '/')}: ${value.kind}`,
		value.kind === 'unreadable' && value.denied,
	);

/** A switch that has to be lifted: by this step's plan, unless the operator wants to do it. */
function lifted(facts: HostFacts, name: SysctlName, wanted: number, declined: boolean): Pick<Verdict, 'remedy'> {
	if (declined || !canWriteSysctls(facts)) {
		return commands(
			'Lift it now and at every boot',
			`sysctl -w ${name}=${wanted}`,
			`echo '${name} = ${wanted}' >> ${ownSysctlPath}`,
		);
	}
	return { remedy: { kind: 'planned', text: `set ${name} to ${wanted}, now and in ${ownSysctlPath}` } };
}

export const namespaceChecks: readonly Check[] = [
	{
		id: 'userns.max',
		about: 'user.max_user_namespaces',
		why: 'Every Sysbox container is a user namespace of its own, so none may be forbidden',
		judge: (facts, { answers }) => {
			const name = 'user.max_user_namespaces';
			const value = facts.sysctls[name];
			if (value.kind !== 'value') return unreadableSysctl(name, value);
			const wanted = neededSysctls(facts).get(name);
			return wanted === undefined
				? ok(`${value.value} user namespaces are allowed`, `${name} = ${value.value}`)
				: block('User namespaces are forbidden on this host', {
						evidence: `${name} = ${value.value}`,
						...lifted(facts, name, wanted, yesNoAnswer(answers, 'host.sysctl') === false),
					});
		},
	},
	{
		id: 'userns.unprivileged-clone',
		about: 'kernel.unprivileged_userns_clone',
		why: 'sysbox-runc refuses to create containers while this switch of Debian kernels is off',
		judge: (facts, { answers }) => {
			const name = 'kernel.unprivileged_userns_clone';
			const value = facts.sysctls[name];
			if (value.kind === 'missing') return ok('This kernel has no such switch', `${name} is not there`);
			if (value.kind !== 'value') return unreadableSysctl(name, value);
			const wanted = neededSysctls(facts).get(name);
			return wanted === undefined
				? ok('Unprivileged user namespaces are allowed', `${name} = ${value.value}`)
				: block('Unprivileged user namespaces are switched off', {
						evidence: `${name} = ${value.value}`,
						...lifted(facts, name, wanted, yesNoAnswer(answers, 'host.sysctl') === false),
					});
		},
	},
	{
		id: 'userns.apparmor',
		about: 'whether AppArmor restricts user namespaces',
		why: "Ubuntu's AppArmor restricts user namespaces that programs make without root",
		judge: ({ sysctls }) => {
			const value = sysctls['kernel.apparmor_restrict_unprivileged_userns'];
			return value.kind === 'value' && value.value !== 0
				? info(
						'AppArmor restricts unprivileged user namespaces; Sysbox makes its own as root and is not touched by it',
						{
							evidence: `kernel.apparmor_restrict_unprivileged_userns = ${value.value}`,
						},
					)
				: ok(
						'AppArmor does not restrict user namespaces',
						`kernel.apparmor_restrict_unprivileged_userns: ${value.kind}`,
					);
		},
	},
	{
		id: 'userns.boot',
		about: 'what sysctl.d says about user namespaces',
		why: 'A setting that is right today and taken back at the next boot stops the CI of this host on a Sunday night',
		judge: (facts, { answers }) => {
			const { sysctlFiles } = facts;
			const names = ['user.max_user_namespaces', 'kernel.unprivileged_userns_clone'] as const;
			const forbidding = names.flatMap(name => {
				const setting = settingAtBoot(sysctlFiles, name);
				return setting?.value === '0' ? [{ name, path: setting.path, at: `${setting.path}:${setting.line}` }] : [];
			});
			const writes = canWriteSysctls(facts) && yesNoAnswer(answers, 'host.sysctl') !== false;
			const needed = neededSysctls(facts);
			const lifted = forbidding.every(
				({ name, path }) => writes && needed.has(name) && isReadBefore(path, ownSysctlPath),
			);
			const evidence = forbidding.map(({ name, at }) => `${at} sets ${name} = 0`).join('; ');
			return forbidding.length === 0
				? ok(
						'No file forbids user namespaces at the next boot',
						`files of sysctl.d that were read: ${sysctlFiles.length}`,
					)
				: warn('The next boot forbids user namespaces', {
						evidence,
						...(lifted
							? { remedy: { kind: 'planned', text: `${ownSysctlPath} is read after it and lifts it` } }
							: advice(`Take the line out: nothing that is read after it sets another value`)),
					});
		},
	},
	{
		id: 'limits.kernel',
		about: 'inotify watches, keys and process ids',
		why: 'Containers with their own engine and systemd use up watches, keys and process ids of the whole host',
		judge: ({ programs, sysctls }) => {
			const low = Object.entries(raisedByPackage).flatMap(([name, wanted]) => {
				const value = sysctls[name as SysctlName];
				return value.kind === 'value' && value.value < wanted ? [{ name, value: value.value, wanted }] : [];
			});
			if (low.length === 0)
				return ok('The kernel limits are as high as Sysbox wants them', Object.keys(raisedByPackage).join(', '));
			const evidence = low.map(({ name, value, wanted }) => `${name} = ${value}, wanted ${wanted}`).join('; ');
			const count = `${low.length} kernel limit${low.length === 1 ? ' is' : 's are'}`;
			// The package sets them once, when it is installed, and at each boot.
			return programs.has(runcName)
				? info(`${count} lower than Sysbox wants`, {
						evidence,
						...commands(
							'Raise them until the next boot',
							`sysctl -w ${low.map(l => `${l.name}=${l.wanted}`).join(' ')}`,
						),
					})
				: info(`${count} lower than Sysbox wants; its package raises them when it is installed`, { evidence });
		},
	},
	{
		id: 'cgroup.version',
		about: 'the version of control groups',
		why: 'Docker limits containers through control groups, and older inner engines fail on their first version',
		judge: ({ cgroups, mounts }) => {
			if (cgroups === undefined)
				return couldNotTell('The version of control groups is not known', mounts.kind === 'ok' ? '' : mounts.why);
			switch (cgroups.version) {
				case '2':
					return ok('Control groups are version 2', '/sys/fs/cgroup is cgroup2');
				case '1':
				case 'hybrid':
					return warn('Control groups are version 1: inner engines of some ages fail there', {
						evidence: `/proc/self/mountinfo: ${cgroups.version === 'hybrid' ? 'cgroup beside an empty cgroup2' : 'cgroup'}`,
						...advice('Boot with systemd.unified_cgroup_hierarchy=1 when the other services of this host allow it'),
					});
				case 'none':
					return block('There are no control groups on this host', {
						evidence: '/proc/self/mountinfo names no cgroup file system',
						...advice('Start the host with systemd, which mounts them'),
					});
				default:
					return cgroups.version satisfies never;
			}
		},
	},
	{
		id: 'cgroup.controllers',
		about: 'whether memory, cpu and pids can be limited',
		why: 'Without them a job can use all memory, processors and process ids of this host, whatever the runtime',
		judge: ({ cgroups, docker }) => {
			if (cgroups === undefined)
				return couldNotTell('The controllers of control groups are not known', '/proc/self/mountinfo');
			const wanted = ['memory', 'cpu', 'pids'] as const;
			const engine = docker.info.kind === 'ok' && !docker.info.value.podman ? docker.info.value.limits : undefined;
			const missing = wanted.filter(name => !cgroups.controllers.includes(name) || engine?.[name] === false);
			const byDocker =
				engine === undefined ? '' : `; docker info: ${wanted.map(name => `${name} ${engine[name]}`).join(', ')}`;
			const evidence = `controllers: ${cgroups.controllers.join(' ') || 'none'}${byDocker}`;
			return missing.length === 0
				? ok('Limits of memory, cpu and pids can be enforced', evidence)
				: warn(`Limits of ${listed(missing)} cannot be enforced on this host`, {
						evidence,
						threat: 'resource-abuse',
						...advice('Enable the controllers: on the kernel command line, or for the machine that this host runs in'),
					});
		},
	},
];
