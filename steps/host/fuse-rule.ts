import type { HostFacts } from './host-facts.ts';

/**
 * What the profile lacks, in its own words: users of Ubuntu 25.04 to 26.04 confirmed that these two let sysbox-fs mount
 * (nestybox/sysbox#947, #1005). They open its own directory and nothing else.
 */
export const fuseRuleLines = [
	'mount fstype=@{fuse_types} options=(nosuid,nodev) options in (ro,rw,noatime,dirsync,nodiratime,noexec,sync) -> /var/lib/sysboxfs/**/,',
	'umount /var/lib/sysboxfs/**/,',
] as const;

const comment = '# sysbox-setup: lets sysbox-fs mount below its own folder (nestybox/sysbox#1005).';

const withoutComments = (text: string) => text.replace(/^\s*#(?!include).*$/gm, '');

/** Whether neither the profile nor what was added to it speaks of the directory of sysbox-fs. */
export function needsFuseRule({ apparmor }: HostFacts): boolean {
	const texts = [apparmor.profile, apparmor.local].map(file =>
		file.kind === 'text' ? withoutComments(file.text) : '',
	);
	return !texts.some(text => text.includes('/var/lib/sysboxfs'));
}

/** Whether the profile is stopping sysbox-fs, as far as one can see. */
export function isStoppedByProfile(facts: HostFacts): boolean {
	const { enabled, disabled, loaded, profile } = facts.apparmor;
	const inForce = enabled && !disabled && loaded !== 'complain' && loaded !== 'not-loaded';
	return inForce && profile.kind === 'text' && needsFuseRule(facts);
}

/** Whether the rule can be added: the profile reads local additions, ours can be read, and there is a parser to load it. */
export function canWriteFuseRule({ apparmor, programs }: HostFacts): boolean {
	const { local, profile } = apparmor;
	return (
		profile.kind === 'text' &&
		/include.*local\/fusermount3/.test(profile.text) &&
		(local.kind === 'text' || local.kind === 'missing') &&
		programs.has('apparmor_parser')
	);
}

/** The local additions with the rule below what is there already. */
export function withFuseRule({ apparmor }: HostFacts): string {
	const before = apparmor.local.kind === 'text' ? apparmor.local.text : '';
	const separator = before === '' || before.endsWith('\n') ? '' : '\n';
	return `${before}${separator}${[comment, ...fuseRuleLines].join('\n')}\n`;
}
