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

/** What accepting a risk means for a host with work on it. One sentence each, without the tool's own words. */
export const riskWords: Readonly<Record<RiskName, string>> = {
	'stop-containers': 'Containers that run now are stopped.',
	'restart-docker': 'Docker is restarted. Without live-restore every container stops with it.',
	'restart-sysbox':
		'The Sysbox services are restarted. Containers that run under Sysbox are stopped first and started again afterwards.',
	'default-runtime':
		'Every container that names no runtime would be started by Sysbox from then on. Some cannot, and if Sysbox does not start, nothing starts.',
	'weaken-sysctl': 'A kernel setting becomes less strict than you have it now, for every user of this host.',
	'weaken-apparmor': 'An AppArmor profile allows something that it forbids now.',
	'other-packages': 'Packages that are not part of this are removed or upgraded.',
	'unverified-deb': 'Nobody can vouch for this package: its checksum is not one that is known.',
	downgrade: 'An older version replaces a newer one.',
	'lose-inner-stores': 'Images and volumes inside of Sysbox containers are lost.',
	'old-kernel': 'This kernel is older than what Sysbox needs to keep containers apart as it should.',
	'load-probes': 'The host is put under load for a short time, to see whether limits hold. Other work may feel it.',
};

/** Which of these risks are still to be accepted, and which were already, each in words. */
export function consentWords(
	risks: readonly RiskName[],
	accepted: readonly RiskName[],
): readonly { readonly given: boolean; readonly text: string }[] {
	const given = risks.filter(risk => accepted.includes(risk));
	const missing = risks.filter(risk => !accepted.includes(risk));
	return [
		...(missing.length === 0 ? [] : [{ given: false, text: `has to be accepted by name: ${missing.join(', ')}` }]),
		...(given.length === 0 ? [] : [{ given: true, text: `accepted with --accept-risk: ${given.join(', ')}` }]),
	];
}
