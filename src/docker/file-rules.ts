import type { Finding } from '../model/finding.ts';
import type { SubordinateIds } from '../system/subordinate-ids.ts';
import type { DockerFacts } from './daemon.ts';
import { type DaemonFile, keyPlace, viewOf } from './daemon-file.ts';
import { valuesOf } from './dockerd-flags.ts';
import { conflictsWith, type DockerdUnit, flagIsGiven, placeOf } from './dockerd-unit.ts';

/** What a file is held against before anything is written into it. */
export interface RuleFacts {
	readonly file: DaemonFile;
	readonly dockerd: DockerdUnit;
	readonly docker: DockerFacts;
	/** Undefined where the file could not be read. */
	readonly subuid: SubordinateIds | undefined;
	readonly subgid: SubordinateIds | undefined;
}

/**
 * Rules that no look at the file alone can tell: they are between its keys, the flags of the unit and the state of the
 * host. Whatever blocks here is a Docker that would not start again, and no edit is made on top of it.
 */
export function ruleFindings(facts: RuleFacts): readonly Finding[] {
	if (viewOf(facts.file) === undefined) return [];
	return [
		...elsewhere(facts),
		// Flags matter only for the file that this dockerd reads.
		...(facts.dockerd.configFile === facts.file.path
			? [...flagConflicts(facts), ...bridgeAndBip(facts), ...liveRestoreInSwarm(facts), ...usernsRemap(facts)]
			: []),
	];
}

/** Whether an edit of this file would be made on top of what keeps Docker from starting. */
export const breaksARule = (facts: RuleFacts): boolean => ruleFindings(facts).some(f => f.severity === 'block');

function elsewhere({ file, dockerd }: RuleFacts): readonly Finding[] {
	if (!flagIsGiven('config-file', dockerd)) return [];
	const place = placeOf('config-file', dockerd);
	return [
		dockerd.configFile === file.path
			? {
					id: 'daemon-json.elsewhere',
					severity: 'info',
					summary: `This Docker reads ${dockerd.configFile}, as ${place} says`,
					why: 'That file is looked at and edited, and no other',
				}
			: {
					id: 'daemon-json.elsewhere',
					severity: 'warn',
					summary: `This Docker reads ${dockerd.configFile} (${place}), not ${file.path}`,
					why: `The scripts of the package of Sysbox look into ${file.path} only; what Docker reads is edited by a later step`,
				},
	];
}

/** Settings that stand both in the file and in a flag; none where this dockerd reads another file. */
export function flagConflicts({ file, dockerd }: Pick<RuleFacts, 'file' | 'dockerd'>): readonly Finding[] {
	if (dockerd.configFile !== file.path) return [];
	return conflictsWith(viewOf(file)?.directives ?? [], dockerd).map(({ key, flag }): Finding => {
		const inFile = keyPlace(file, key);
		const inUnit = placeOf(flag.name, dockerd);
		return {
			id: 'daemon-json.flags',
			severity: 'block',
			breaks: true,
			summary: `${key} is set both in ${inFile?.at ?? file.path} and by ${flag.flag} in ${inUnit}`,
			evidence: inFile?.caret,
			why: 'dockerd does not start, and does not reload, while a setting stands in both places',
			remedy: {
				kind: 'commands',
				text:
					key === 'hosts'
						? `Take "hosts" out of the file, or put into a drop-in an empty ExecStart= and one without ${flag.flag}`
						: 'Take it out of one of the two',
				commands: [edit(file), 'systemctl edit docker.service'],
			},
		};
	});
}

/** moby daemon/daemon_unix.go, verifyDaemonSettings: "You specified -b & --bip, mutually exclusive options". */
function bridgeAndBip({ file, dockerd }: RuleFacts): readonly Finding[] {
	const view = viewOf(file);
	const bridge = keyPlace(file, 'bridge') ?? flagPlace('bridge', dockerd);
	const bip = (view?.bip ?? '') === '' ? flagPlace('bip', dockerd) : keyPlace(file, 'bip');
	if (bridge === undefined || bip === undefined) return [];
	return [
		{
			id: 'daemon-json.bridge-and-bip',
			severity: 'block',
			breaks: true,
			summary: `bridge (${bridge.at}) and bip (${bip.at}) exclude each other`,
			why: 'dockerd does not start with both: bip is the address of the bridge that it makes itself',
			remedy: { kind: 'commands', text: 'Take one of the two out', commands: [edit(file)] },
		},
	];
}

/** moby daemon/cluster: "--live-restore daemon configuration is incompatible with swarm mode". */
function liveRestoreInSwarm({ file, dockerd, docker }: RuleFacts): readonly Finding[] {
	const place =
		viewOf(file)?.liveRestore === true
			? keyPlace(file, 'live-restore')
			: valuesOf(dockerd.flags, 'live-restore').at(-1) === 'true'
				? flagPlace('live-restore', dockerd)
				: undefined;
	if (place === undefined || docker.info.kind !== 'ok' || docker.info.value.swarm !== 'active') return [];
	return [
		{
			id: 'daemon-json.live-restore-swarm',
			severity: 'block',
			breaks: true,
			summary: `live-restore is on in ${place.at}, and this host is in a swarm`,
			evidence: place.caret,
			why: 'Docker would not start again: it refuses live-restore in swarm mode',
			remedy: {
				kind: 'commands',
				text: 'Turn live-restore off, or take this host out of its swarm',
				commands: [edit(file), 'docker node ls'],
			},
		},
	];
}

/** Ids that one Sysbox container needs, and so that a remapped Docker has to give it. */
const neededIds = 65536;

/** What --userns-remap=default stands for (moby daemon/daemon_unix.go, defaultRemappedID). */
const defaultUser = 'dockremap';

function usernsRemap({ file, dockerd, subuid, subgid }: RuleFacts): readonly Finding[] {
	const inFile = viewOf(file)?.usernsRemap ?? '';
	const setting = inFile === '' ? (valuesOf(dockerd.flags, 'userns-remap').at(-1) ?? '') : inFile;
	const place = inFile === '' ? flagPlace('userns-remap', dockerd) : keyPlace(file, 'userns-remap');
	if (setting === '' || place === undefined) return [];
	const [userPart = '', groupPart = userPart] = setting.split(':');
	const [user, group] = [userPart, groupPart].map(name => (name === 'default' ? defaultUser : name));
	const id = 'daemon-json.userns-remap';
	// A number stands for a user of /etc/passwd, whose name the ranges are kept under.
	if (subuid === undefined || subgid === undefined || /^\d+$/.test(userPart) || /^\d+$/.test(groupPart))
		return [
			{
				id,
				severity: 'could-not-tell',
				summary: `Whether the ids that Docker remaps to ("${setting}" in ${place.at}) are enough for Sysbox cannot be told`,
				evidence: 'the ranges are looked up by name in /etc/subuid and /etc/subgid',
			},
		];
	const longest = (ids: SubordinateIds, name: string | undefined): number =>
		Math.max(0, ...ids.ranges.filter(range => range.user === name).map(range => range.count));
	const [uids, gids] = [longest(subuid, user), longest(subgid, group)];
	// dockerd makes the user of `default` with ranges of its own when it starts.
	const missing = userPart !== 'default' && (uids === 0 || gids === 0);
	const short = uids > 0 && gids > 0 && Math.min(uids, gids) < neededIds;
	if (missing || short)
		return [
			{
				id,
				severity: 'block',
				breaks: missing ? true : undefined,
				summary: missing
					? `Docker is to remap users to "${setting}" (${place.at}), which has no ids in ${uids === 0 ? '/etc/subuid' : '/etc/subgid'}`
					: `Docker is set to remap users to "${setting}" (${place.at}), which has ${Math.min(uids, gids)} ids; a Sysbox container needs ${neededIds}`,
				evidence: place.caret,
				why: missing ? 'Docker does not start without them' : 'No Sysbox container would start under this Docker',
				remedy: {
					kind: 'commands',
					text: `Give ${user} a range of ${neededIds} ids, or take userns-remap out: Sysbox maps users by itself`,
					commands: ['sudoedit /etc/subuid /etc/subgid', edit(file)],
				},
			},
		];
	return [
		{
			id,
			severity: 'info',
			summary: `Docker is set to remap users to "${setting}" (${place.at}), with ids enough for Sysbox`,
			why: 'Sysbox does not need it: Docker then refuses --privileged and host namespaces to all other containers',
		},
	];
}

interface RulePlace {
	readonly at: string;
	readonly caret?: string | undefined;
}

const flagPlace = (name: string, dockerd: DockerdUnit): RulePlace | undefined =>
	flagIsGiven(name, dockerd) ? { at: `--${name} in ${placeOf(name, dockerd)}` } : undefined;

const edit = (file: DaemonFile): string => `sudoedit ${file.path}`;
