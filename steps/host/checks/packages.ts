import type { Finding } from '../../../src/model/finding.ts';
import { yesNoAnswer } from '../../../src/model/question.ts';
import type { JudgeContext } from '../../../src/model/step.ts';

import { runcName } from '../../../src/sysbox/program-names.ts';
import { unfinishedPackages } from '../../../src/system/dpkg.ts';
import type { HostFacts } from '../host-facts.ts';
import { canInstall, missingTools, mountHelper, type NeededTool, neededTools } from '../tools.ts';
import { advice, block, type Check, commands, couldNotTell, info, ok, type Verdict, warn } from './check.ts';

/** A missing program: brought by this step's plan, unless the operator wants to do it. */
function brought(tool: NeededTool, facts: HostFacts, { answers }: JudgeContext): Pick<Verdict, 'remedy'> {
	if (!canInstall(facts)) return advice(`Install the package ${tool.package} by the means of this distribution`);
	return yesNoAnswer(answers, 'host.install-tools') === false
		? commands(`Install ${tool.package}`, `apt-get install ${tool.package}`)
		: { remedy: { kind: 'planned', text: `apt-get install ${tool.package}` } };
}

const toolCheck = (id: string, program: string, why: string): Check => ({
	id,
	about: `the program ${program}`,
	why,
	judge: (facts, context) => {
		const tool = neededTools(facts, context).find(t => t.program === program);
		const found = facts.programs.get(program);
		if (tool === undefined || found !== undefined) return ok(`${program} is there`, found ?? 'not needed');
		const verdict = tool.needed === 'to run' ? block : warn;
		return verdict(
			tool.needed === 'to run'
				? `Sysbox needs ${program}; it is not installed`
				: `The package of Sysbox needs ${program}; it is not installed`,
			{
				evidence: `${program} is in none of the folders that services look in, /usr/sbin and /usr/bin among them`,
				...brought(tool, facts, context),
			},
		);
	},
});

export const toolInstallId = { id: 'apt.tools', about: 'whether apt can install the missing tools' };

/** apt's refusal to install the missing tools, where a run would ask for it. Without lists, apt is asked too early. */
export function toolInstallFindings(facts: HostFacts, context: JudgeContext): readonly Finding[] {
	const simulation = facts.toolInstall?.simulation;
	if (simulation?.kind !== 'refuses' || facts.packageLists === 'empty') return [];
	const names = missingTools(facts, context).map(tool => tool.package);
	return [
		{
			id: toolInstallId.id,
			why: 'A run would stop at this installation',
			...block(`apt cannot install ${names.join(', ')}`, {
				evidence: simulation.said,
				...commands('Put apt right first', 'apt-get update', 'apt-get --fix-broken install'),
			}),
		},
	];
}

export const packageChecks: readonly Check[] = [
	{
		id: 'package-manager.apt',
		about: 'apt and dpkg',
		why: 'Sysbox is published as a .deb only',
		judge: facts => {
			if (canInstall(facts)) return ok('apt and dpkg are there', facts.programs.get('apt-get'));
			const verdict = facts.programs.has(runcName) ? warn : block;
			return verdict('There is no apt here, and Sysbox is published as a .deb only', {
				evidence: 'no apt-get or no dpkg-query in /usr/bin',
				...advice('Use a host with Ubuntu or Debian, or build Sysbox from source'),
			});
		},
	},
	{
		id: 'dpkg.state',
		about: 'packages that dpkg left half done',
		why: 'apt tries to finish what dpkg left half done before it does anything else, and fails where that fails',
		judge: ({ packages }) => {
			if (packages === undefined) return ok('There is no dpkg here', 'package-manager.apt tells more');
			if (packages.kind !== 'ok') return couldNotTell('The state of the packages is not known', packages.why);
			const unfinished = unfinishedPackages(packages.value);
			const evidence = unfinished.map(p => `${p.name} ${p.version}: ${p.state}`).join('; ');
			// A half-installed Sysbox is what the next step repairs.
			const others = unfinished.filter(p => p.name !== 'sysbox-ce');
			if (others.length > 0) {
				return block(`dpkg left ${others.length === 1 ? others[0]?.name : `${others.length} packages`} half done`, {
					evidence,
					...commands('Let dpkg finish', 'dpkg --configure -a', 'apt-get -f install'),
				});
			}
			return unfinished.length > 0
				? info('An installation of Sysbox was left half done', {
						evidence,
						...advice('The step sysbox finishes it, or says what keeps it from that'),
					})
				: ok(`All ${packages.value.length} packages are in order`, 'dpkg-query -W');
		},
	},
	{
		id: 'apt.lists',
		about: "apt's lists of packages",
		why: 'Without lists apt knows no package, and cannot bring what Sysbox depends on',
		judge: (facts, context) => {
			if (!canInstall(facts)) return ok('There is no apt here', 'package-manager.apt tells more');
			if (facts.packageLists === 'there') return ok('apt has lists of packages', '/var/lib/apt/lists');
			if (facts.packageLists === 'unknown')
				return couldNotTell('Whether apt has lists of packages is not known', '/var/lib/apt/lists could not be listed');
			const evidence = 'no list in /var/lib/apt/lists';
			const planned =
				missingTools(facts, context).length > 0 && yesNoAnswer(context.answers, 'host.install-tools') !== false;
			return planned
				? warn('apt has no lists of packages', { evidence, remedy: { kind: 'planned', text: 'apt-get update' } })
				: info('apt has no lists of packages', {
						evidence,
						...commands('Fetch them before something has to be installed', 'apt-get update'),
					});
		},
	},
	{
		id: 'fuse3.missing',
		about: 'the program that Sysbox mounts with',
		why: 'sysbox-fs mounts with this program, and the package of Sysbox does not bring the one that it calls',
		judge: (facts, context) => {
			const tool = mountHelper(facts, context);
			const found = facts.programs.get(tool.program);
			return found === undefined
				? block(`Sysbox needs ${tool.program}; it is not installed`, {
						evidence: `${tool.program} is in none of the folders that services look in, /usr/sbin and /usr/bin among them`,
						...brought(tool, facts, context),
					})
				: ok(`${tool.program} is there`, found);
		},
	},
	toolCheck(
		'tool.rsync',
		'rsync',
		'sysbox-mgr moves the images of inner engines with rsync, and does not start without it',
	),
	toolCheck(
		'tool.iptables',
		'iptables',
		'sysbox-mgr lets inner engines find name servers with iptables, and does not start without it',
	),
	toolCheck(
		'tool.modprobe',
		'modprobe',
		'sysbox-mgr asks for kernel modules with modprobe, and does not start without it',
	),
	toolCheck('tool.jq', 'jq', 'The package edits daemon.json with jq, and is not unpacked before jq is there'),
	toolCheck('tool.lsb-release', 'lsb_release', 'The package asks lsb_release which distribution this is'),
];
