import { yesNoAnswer } from '../../../src/model/question.ts';
import { installedPackage } from '../../../src/system/dpkg.ts';
import { canWriteFuseRule, fuseRuleLines, needsFuseRule } from '../fuse-rule.ts';
import { fuseLocalPath, fuseProfilePath } from '../host-facts.ts';
import { advice, block, type Check, commands, couldNotTell, info, ok, warn } from './check.ts';

export const securityModuleChecks: readonly Check[] = [
	{
		id: 'lsm.selinux',
		about: 'whether SELinux is enforced',
		why: 'Sysbox has no SELinux policy: where SELinux is enforced its containers are refused what they need',
		judge: ({ selinux }) => {
			switch (selinux) {
				case 'absent':
					return ok('SELinux is not active', '/sys/fs/selinux/enforce is not there');
				case 'permissive':
					return info('SELinux is permissive: it logs what it would refuse', {
						evidence: '/sys/fs/selinux/enforce: 0',
					});
				case 'enforcing':
					return block('SELinux is enforced, which Sysbox does not support', {
						evidence: '/sys/fs/selinux/enforce: 1',
						...advice('Use a host without SELinux for CI; making it permissive weakens everything else on this one'),
					});
				default:
					return selinux satisfies never;
			}
		},
	},
	{
		id: 'apparmor.fusermount3',
		about: 'the AppArmor profile of fusermount3',
		why: 'With this profile sysbox-fs is not allowed to mount, and every container fails to start (nestybox/sysbox#947, #1005)',
		judge: (facts, { answers }) => {
			const { enabled, disabled, loaded, profile } = facts.apparmor;
			if (!enabled) return ok('AppArmor is not active', '/sys/module/apparmor/parameters/enabled');
			if (profile.kind === 'missing')
				return ok('There is no AppArmor profile of fusermount3', `${fuseProfilePath} is not there`);
			if (profile.kind !== 'text')
				return couldNotTell(`${fuseProfilePath} could not be read`, profile.kind, profile.kind === 'denied');
			if (disabled) return ok('The AppArmor profile of fusermount3 is disabled', '/etc/apparmor.d/disable/fusermount3');
			if (loaded === 'complain' || loaded === 'not-loaded') {
				return info(
					`The AppArmor profile of fusermount3 is ${loaded === 'complain' ? 'in complain mode' : 'not loaded'}`,
					{
						evidence: '/sys/kernel/security/apparmor/profiles',
					},
				);
			}
			if (!needsFuseRule(facts))
				return ok(
					'The AppArmor profile of fusermount3 lets sysbox-fs mount',
					`${fuseLocalPath} names /var/lib/sysboxfs`,
				);
			const summary = 'The AppArmor profile of fusermount3 will stop sysbox-fs from mounting';
			const evidence = `${fuseProfilePath} is there, and nothing in it names /var/lib/sysboxfs`;
			const installed =
				facts.packages?.kind === 'ok' && installedPackage(facts.packages.value, 'sysbox-ce') !== undefined;
			const breaks = installed ? { breaks: true as const } : {};
			if (!canWriteFuseRule(facts)) {
				return warn(summary, {
					evidence,
					...breaks,
					...advice(`Allow FUSE mounts below /var/lib/sysboxfs in the profile: ${fuseRuleLines.join(' ')}`),
				});
			}
			return warn(summary, {
				evidence,
				...breaks,
				...(yesNoAnswer(answers, 'host.apparmor-rule') === false
					? commands(
							'Allow FUSE mounts below /var/lib/sysboxfs only',
							`printf '%s\\n' ${fuseRuleLines.map(line => `'${line}'`).join(' ')} >> ${fuseLocalPath}`,
							`apparmor_parser -r ${fuseProfilePath}`,
						)
					: {
							remedy: {
								kind: 'planned' as const,
								text: `allow FUSE mounts below /var/lib/sysboxfs only, in ${fuseLocalPath}`,
							},
						}),
			});
		},
	},
];
