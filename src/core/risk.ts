/** What weakens a host or stops something is asked alone and accepted by one of these names. A stable interface. */
export const riskNames = [
	'stop-containers',
	'restart-docker',
	'restart-sysbox',
	'default-runtime',
	'weaken-sysctl',
	'weaken-apparmor',
	'other-packages',
	'unverified-deb',
	'downgrade',
	'lose-inner-stores',
	'old-kernel',
	'load-probes',
] as const;

export type RiskName = (typeof riskNames)[number];

export function isRiskName(text: string): text is RiskName {
	return (riskNames as readonly string[]).includes(text);
}
