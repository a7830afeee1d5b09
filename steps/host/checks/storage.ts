import {
	advisedFreeBytes,
	advisedMemoryBytes,
	fileSystemNotes,
	fileSystemsRefusedForStore,
	neededFreeBytes,
	neededProgramBytes,
	testedFileSystems,
} from '../../../src/knowledge/host-needs.ts';
import { isReadOnly, type MountEntry, mountOf } from '../../../src/system/mountinfo.ts';
import type { HostFacts, Place } from '../host-facts.ts';
import {
	advice,
	block,
	type Check,
	commands,
	couldNotTell,
	dockerCheck,
	gigabytes,
	info,
	ok,
	type Verdict,
	warn,
} from './check.ts';

function mountBelow(facts: HostFacts, place: Place): MountEntry | undefined {
	return facts.mounts.kind === 'ok' ? mountOf(facts.mounts.value, place.real) : undefined;
}

const whatTakesRoom = (place: Place): Pick<Verdict, 'remedy'> =>
	commands('See what takes the room', `du -xh --max-depth=2 ${place.real} | sort -h | tail`);

function room(place: Place, subject: string, advised: number, needed: number, low = whatTakesRoom(place)): Verdict {
	const { space } = place;
	if (space.kind !== 'space')
		return couldNotTell(
			`The free room for ${subject} is not known`,
			`${place.real}: ${space.kind}`,
			space.kind === 'denied',
		);
	const evidence = `${place.real}: ${gigabytes(space.freeBytes)} free of ${gigabytes(space.totalBytes)}`;
	if (space.freeBytes < needed) {
		return block(`${gigabytes(space.freeBytes)} free for ${subject}; ${gigabytes(needed)} is the least that it takes`, {
			evidence,
			...whatTakesRoom(place),
		});
	}
	if (space.freeBytes < advised) {
		return warn(`${gigabytes(space.freeBytes)} free for ${subject}; ${gigabytes(advised)} advised`, {
			evidence,
			...low,
		});
	}
	return ok(`${gigabytes(space.freeBytes)} free for ${subject}`, evidence);
}

function writable(facts: HostFacts, path: string, consequence: string): Verdict {
	if (facts.mounts.kind !== 'ok') return couldNotTell(`Whether ${path} can be written is not known`, facts.mounts.why);
	const mount = mountOf(facts.mounts.value, path);
	if (mount === undefined) return couldNotTell(`Whether ${path} can be written is not known`, '/proc/self/mountinfo');
	const evidence = `${mount.point} is ${mount.fsType}, ${mount.options.join(',')}`;
	return isReadOnly(mount)
		? block(`${path} is read-only: ${consequence}`, {
				evidence,
				...advice('Change the image that this host is made from, or the mount'),
			})
		: ok(`${path} can be written`, evidence);
}

export const storageChecks: readonly Check[] = [
	dockerCheck(
		'docker.storage-driver',
		'The storage driver of Docker',
		'Sysbox maps the ids of overlayfs layers; other drivers make it copy every image',
		docker => {
			const evidence = `Storage Driver: ${docker.driver}${docker.containerdImageStore ? ' (containerd image store)' : ''}`;
			if (docker.driver === 'overlay2' || docker.driver === 'overlayfs')
				return ok(`Docker stores images with ${docker.driver}`, evidence);
			return warn(`Docker stores images with ${docker.driver}, where Sysbox is slow or fails`, {
				evidence,
				...advice('Use overlay2 on ext4 or xfs; images have to be pulled again after the change'),
			});
		},
	),
	dockerCheck(
		'docker.backing-filesystem',
		"The file system below Docker's data",
		'Ids can be mapped on some file systems only; elsewhere files of containers belong to nobody',
		(docker, facts) => {
			const mount = mountBelow(facts, facts.dataRoot);
			const type = mount?.fsType ?? docker.backingFilesystem;
			if (type === undefined)
				return couldNotTell("The file system below Docker's data is not known", '/proc/self/mountinfo and docker info');
			const evidence = `${facts.dataRoot.real} is ${type}${docker.backingFilesystem === undefined ? '' : `; Backing Filesystem: ${docker.backingFilesystem}`}`;
			return testedFileSystems.includes(type)
				? ok(`Docker's data is on ${type}`, evidence)
				: warn(`Docker's data is on ${type}, which Sysbox is not tested on`, {
						evidence,
						...advice(fileSystemNotes[type] ?? 'Use ext4 or xfs'),
					});
		},
	),
	dockerCheck(
		'docker.data-root',
		'Where Docker keeps its data',
		'Backups, quotas and monitoring have to look at the same place',
		docker =>
			docker.rootDir === '/var/lib/docker'
				? ok('Docker keeps its data in /var/lib/docker', `Docker Root Dir: ${docker.rootDir}`)
				: info(`Docker keeps its data in ${docker.rootDir}`, { evidence: `Docker Root Dir: ${docker.rootDir}` }),
	),
	{
		id: 'fs.var-lib-sysbox',
		about: 'the file system of /var/lib/sysbox',
		why: 'sysbox-mgr keeps the stores of inner engines there, and does not start where they cannot work',
		judge: facts => {
			const mount = mountBelow(facts, facts.sysboxRoot);
			if (mount === undefined)
				return couldNotTell(
					'The file system of /var/lib/sysbox is not known',
					facts.mounts.kind === 'ok' ? '/proc/self/mountinfo' : facts.mounts.why,
				);
			const evidence = `${facts.sysboxRoot.real} is on ${mount.fsType} (${mount.source})`;
			if (fileSystemsRefusedForStore.includes(mount.fsType)) {
				return block(`/var/lib/sysbox would be on ${mount.fsType}, where sysbox-mgr does not start`, {
					evidence,
					...advice('Mount a disk with ext4 or xfs there'),
				});
			}
			return testedFileSystems.includes(mount.fsType)
				? ok(`/var/lib/sysbox is on ${mount.fsType}`, evidence)
				: warn(`/var/lib/sysbox is on ${mount.fsType}, which Sysbox is not tested on`, {
						evidence,
						...advice(fileSystemNotes[mount.fsType] ?? 'Mount ext4 or xfs there'),
					});
		},
	},
	{
		id: 'disk.data-root',
		about: "free room for Docker's data",
		why: 'Images of CI jobs land there; a full disk stops Docker for everybody',
		judge: ({ dataRoot }) =>
			room(
				dataRoot,
				"Docker's data",
				advisedFreeBytes,
				neededFreeBytes,
				commands('See what Docker could give back', 'docker system df'),
			),
	},
	{
		id: 'disk.var-lib-sysbox',
		about: 'free room for /var/lib/sysbox',
		why: 'Images that jobs pull into their inner engines land there',
		judge: ({ sysboxRoot }) => room(sysboxRoot, '/var/lib/sysbox', advisedFreeBytes, neededFreeBytes),
	},
	{
		id: 'disk.programs',
		about: 'free room for programs',
		why: 'A package that does not fit is left half installed',
		judge: ({ programRoot }) => room(programRoot, '/usr', neededProgramBytes, neededProgramBytes),
	},
	{
		id: 'memory',
		about: 'the memory of this host',
		why: 'Each job with an engine of its own takes a few hundred megabytes before it does anything',
		judge: ({ memory }) => {
			if (memory.kind !== 'ok') return couldNotTell('The memory of this host is not known', memory.why);
			const { availableBytes, totalBytes } = memory.value;
			const evidence = `/proc/meminfo: ${gigabytes(totalBytes)} in all${availableBytes === undefined ? '' : `, ${gigabytes(availableBytes)} available`}`;
			return totalBytes < advisedMemoryBytes
				? warn(`${gigabytes(totalBytes)} of memory; ${gigabytes(advisedMemoryBytes)} advised`, {
						evidence,
						...advice('Run few jobs at a time, each with a limit of its memory'),
					})
				: ok(`${gigabytes(totalBytes)} of memory`, evidence);
		},
	},
	{
		id: 'etc.writable',
		about: 'whether /etc can be written',
		why: "Docker's configuration and the units of Sysbox are written there",
		judge: facts => writable(facts, facts.etc, 'Docker cannot be configured'),
	},
	{
		id: 'var.writable',
		about: 'whether /var/lib can be written',
		why: 'Packages, images and the state of this tool are written there',
		judge: facts => writable(facts, '/var/lib', 'nothing can be installed'),
	},
];
