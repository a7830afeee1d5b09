/**
 * Hosts, files and moments that are not as they should be: which exit code, what is said, what the operator can type
 * next, and that a refused run has changed nothing.
 */
import { describe, expect, test } from 'vitest';
import type { ActionState } from '../../src/model/state.ts';
import { threatTable } from '../../src/model/threat.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { removeTree } from '../../src/simulation/file-tree.ts';
import type { ScenarioName } from '../../src/simulation/scenarios.ts';
import type { FileNode, SimulatedState } from '../../src/simulation/state.ts';
import {
	type Ask,
	actions,
	changeable,
	daemonJson,
	type Ended,
	fileOf,
	finding,
	findings,
	hostIn,
	hostOf,
	labelledOn,
	runbook,
	runningOn,
	setUpAndProved,
	statuses,
	textOn,
} from './whole-runbook.ts';

type Change = (state: SimulatedState) => void;

const place = (node: FileNode): Change => {
	return state => {
		state.files[daemonJson] = node;
	};
};
const holds = (text: string): Change => place(fileOf(text));
const owned = { mode: 0o644, uid: 0, gid: 0 };
const binary = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x02, 0xff, 0xfe, 0x00]).toString('base64');

/** A run that must be refused: the host before and after are the same, byte for byte. */
async function refused(
	scenario: ScenarioName,
	options: { readonly faults?: readonly Fault[]; readonly change?: Change },
	ask: Ask = {},
): Promise<Ended> {
	const host = hostOf(scenario, options);
	const before = changeable(host.state());
	const ended = await runbook(host, ask);
	expect(changeable(host.state())).toBe(before);
	expect(actions(ended)).toEqual([]);
	expect(ended.screen).toMatch(/nothing was changed/i);
	return ended;
}

const withoutProofs = { skip: ['functional', 'security'] };

const notTold = ({ state }: Ended): readonly string[] =>
	threatTable(state)
		.filter(({ after }) => after.kind === 'lowered')
		.map(({ id }) => id);

const failures = ({ state }: Ended): readonly ActionState[] => state.actions.filter(a => a.failure !== undefined);

/** The one action that failed, and what is said of it on the screen too. */
function failure(ended: Ended, of: string): { readonly said: string; readonly why: string; readonly next: string } {
	const failed = failures(ended).filter(a => `${a.step}.${a.id}` === of);
	const last = failed.at(-1)?.failure;
	expect(last, `${of} among ${actions(ended).join(', ')}`).toBeDefined();
	const { said = '', why = '', next = [] } = last ?? {};
	expect(ended.screen.replaceAll(/\s+/g, ' ')).toContain(said.split('\n')[0]?.replaceAll(/\s+/g, ' ').trim());
	for (const line of next) expect(ended.screen).toContain(line);
	return { said, why, next: next.join('\n') };
}

describe('a daemon.json', () => {
	const mistakes: readonly (readonly [title: string, change: Change, at: string, what: RegExp])[] = [
		['with a comma too many', holds('{\n  "debug": true,\n}\n'), ':2:16', /comma/],
		['that ends too early', holds('{\n  "debug": true\n'), ':3:1', /./],
		['in single quotes', holds("{ 'debug': true }\n"), ':1:3', /./],
		['with a comment', holds('{\n\t// ours\n\t"debug": true\n}\n'), ':2:2', /comment/],
		['that is a list', holds('[]\n'), ':1:1', /object/],
		['that is no JSON at all', holds('live-restore: true\n'), ':1:1', /./],
		['of binary data', place({ kind: 'file', base64: binary, ...owned }), ':1:', /not UTF-8|control/],
		['with a key given twice', holds('{\n  "debug": true,\n  "debug": false\n}\n'), ':3:3', /"debug" is given twice/],
		['whose runtimes are a list', holds('{\n  "runtimes": []\n}\n'), ':2:15', /"runtimes" must be an object/],
		['whose runtimes are a text', holds('{ "runtimes": "runc" }\n'), ':1:15', /"runtimes" must be an object/],
	];

	test.each(mistakes)('%s is refused with its line and column, and the command that opens it', async (...row) => {
		const [, change, at, what] = row;
		const ended = await refused('fresh-ubuntu', { change });
		expect(ended.exit).toBe(3);
		const found = finding(ended, 'daemon-json.valid');
		expect(found?.summary).toContain(`${daemonJson}${at}`);
		expect(found?.summary).toMatch(what);
		expect(ended.screen).toContain(`sudoedit ${daemonJson}`);
		expect(ended.screen).toContain(found?.summary.slice(0, 60));
		expect(statuses(ended).slice(0, 2)).toEqual(['host blocked', 'sysbox not-run']);
	});

	const unusable: readonly (readonly [title: string, change: Change, what: RegExp, next: string])[] = [
		[
			'of 100 MB',
			place({ kind: 'file', declared: { size: 100 * 1024 * 1024, sha256: 'ab'.repeat(32) }, ...owned }),
			/has 104857600 bytes/,
			`ls -l ${daemonJson}`,
		],
		[
			'that is a link to nothing',
			place({ kind: 'link', to: '/opt/managed/daemon.json' }),
			/is a link to \/opt\/managed\/daemon\.json, which does not exist/,
			`ls -l ${daemonJson}`,
		],
		['that is a directory', place({ kind: 'folder', ...owned, mode: 0o755 }), /is a directory/, `ls -ld ${daemonJson}`],
		['that is a socket', place({ kind: 'socket', ...owned }), /is a socket/, `ls -ld ${daemonJson}`],
		['that is a FIFO', place({ kind: 'fifo', ...owned }), /is a fifo/, `ls -ld ${daemonJson}`],
		['that is /dev/zero', place({ kind: 'device', device: 'c 1 5', ...owned }), /is a device/, `ls -ld ${daemonJson}`],
		['that is a link to /dev/zero', place({ kind: 'link', to: '/dev/zero' }), /is a device/, `ls -ld ${daemonJson}`],
	];

	test.each(unusable)('%s is refused, named, and left alone', async (_, change, what, next) => {
		const ended = await refused('fresh-ubuntu', { change });
		expect(ended.exit).toBe(3);
		const found = finding(ended, 'daemon-json.valid');
		expect(found?.summary).toContain(daemonJson);
		expect(found?.summary).toMatch(what);
		expect(ended.screen).toContain(next);
	});

	test.each(['fresh-ubuntu', 'fresh-debian'] as const)(
		'with a key that dockerd does not know is refused in the words of dockerd, on %s',
		async name => {
			const ended = await refused(name, { change: holds('{\n  "live-restor": true\n}\n') });
			expect(ended.exit).toBe(3);
			const found = finding(ended, 'daemon-json.accepted');
			expect(found?.summary).toContain(daemonJson);
			expect(found?.evidence).toContain('live-restor');
			expect(ended.screen).toContain(`dockerd --validate --config-file ${daemonJson}`);
		},
	);

	test('that is not there is no fault, also where an earlier step would write it', async () => {
		const host = hostOf('fresh-debian');
		expect(textOn(host)).toBeUndefined();
		const ended = await runbook(host, { mode: 'plan' });
		expect(ended.screen.match(/daemon-json.*does not accept.*/g)).toBeNull();
	});

	test('that is empty is filled, as Docker takes it for {}', async () => {
		const host = hostOf('fresh-ubuntu', { change: holds('') });
		const ended = await runbook(host);
		expect(ended.exit).toBe(0);
		expect(JSON.parse(textOn(host) ?? '')).toHaveProperty('runtimes.sysbox-runc');
	});

	test('that only root may read is not called broken by a look without root', async () => {
		const host = hostOf('fresh-ubuntu', {
			faults: [{ name: 'not-root' }],
			change: place({ kind: 'file', text: '{}\n', mode: 0o600, uid: 0, gid: 0 }),
		});
		// Without an argument of its own, root's lack of rights is no verdict.
		const ended = await runbook(host, { mode: 'check' });
		expect(ended.screen).toContain(`${daemonJson} may be read by root only`);
		expect(ended.exit).toBe(4);
		expect(ended.screen).toMatch(/ready, \d+ changes?\. .* needs? root: run it with sudo for the rest\.$/m);
	});

	test('is not reached by a run without root: it is refused before its first event', async () => {
		const host = hostOf('fresh-ubuntu', { faults: [{ name: 'not-root' }] });
		const before = changeable(host.state());
		const ended = await runbook(host);
		expect(ended.exit).toBe(2);
		expect(ended.kept.events).toEqual([]);
		expect(ended.screen).toContain('--record FILE');
		expect(changeable(host.state())).toBe(before);
	});
});

describe('a host', () => {
	const without = (...paths: readonly string[]): Change => {
		return state => {
			for (const path of paths) removeTree(state.files, path);
		};
	};

	const unfit: readonly (readonly [
		title: string,
		options: { readonly faults?: readonly Fault[]; readonly change?: Change },
		id: string,
		what: RegExp,
		next: RegExp,
	])[] = [
		[
			'without a docker command',
			{ change: without('/usr/bin/docker') },
			'docker.cli',
			/no docker command/,
			/Install Docker Engine/,
		],
		[
			'whose Docker is down',
			{ faults: [{ name: 'docker-down' }] },
			'docker.daemon',
			/daemon does not answer/,
			/systemctl start docker/,
		],
		[
			'whose Docker answers garbage',
			{ faults: [{ name: 'docker-garbage' }] },
			'docker.daemon',
			/502 Bad Gateway/,
			/docker info/,
		],
		[
			'whose Docker hangs',
			{ faults: [{ name: 'docker-hangs' }] },
			'docker.daemon',
			/no answer within 1[05] s/,
			/journalctl -u docker/,
		],
		[
			'whose docker info alone hangs',
			{ faults: [{ name: 'docker-hangs', command: 'info' }] },
			'docker.daemon',
			/no answer within 1[05] s/,
			/journalctl -u docker/,
		],
		[
			'without systemd',
			{ change: without('/run/systemd', '/usr/bin/systemctl') },
			'init.systemd',
			/not started by systemd/,
			/boots with systemd/,
		],
		[
			'with a read-only /etc',
			{
				change: state => {
					state.fileSystems.push({
						point: '/etc',
						type: 'ext4',
						source: '/dev/vda3',
						options: 'ro,relatime',
						totalBytes: 1e9,
						usedBytes: 1e8,
					});
				},
			},
			'etc.writable',
			/\/etc is read-only/,
			/the mount/,
		],
		[
			'with a full disk',
			{
				change: state => {
					for (const fs of state.fileSystems) fs.usedBytes = fs.totalBytes - 1e6;
				},
			},
			'disk.data-root',
			/0\.0 GB free/,
			/du -xh/,
		],
	];

	test.each(unfit)('%s is unfit: the reason and the way on are said, and nothing is changed', async (...row) => {
		const [, options, id, what, next] = row;
		const ended = await refused('fresh-ubuntu', options);
		expect(ended.exit).toBe(3);
		expect(ended.state.end?.outcome).toBe('blocked');
		const found = finding(ended, id);
		expect(found?.severity).toBe('block');
		expect(`${found?.summary} ${found?.evidence}`).toMatch(what);
		expect(JSON.stringify(found?.remedy)).toMatch(next);
		expect(ended.screen).toMatch(next);
		expect(statuses(ended)[0]).toBe('host blocked');
		expect(notTold(ended)).toEqual([]);
	});

	test.each(['old-kernel', 'snap-docker'] as const)('%s is unfit', async name => {
		const ended = await refused(name, {});
		expect(ended.exit).toBe(3);
		const blocking = findings(ended).filter(f => f.severity === 'block' && f.remedy?.kind !== 'planned');
		expect(blocking.length).toBeGreaterThan(0);
		for (const found of blocking) expect(found.remedy, found.id).toBeDefined();
	});

	test('whose containers cannot be listed is set up and proved, but its threats are not called lowered', async () => {
		const ended = await runbook(hostOf('fresh-ubuntu', { faults: [{ name: 'docker-hangs', command: 'ps' }] }));
		expect(ended.exit).toBe(5);
		expect(notTold(ended)).toEqual([]);
		const probes = ended.state.steps.flatMap(s => s.probes);
		expect(probes.find(p => p.id === 'regression.running-containers')?.because).toContain(
			'Docker did not list its containers when this run began',
		);
	});

	test('whose Sysbox is outdated is told the upgrade as it can be typed, with its risks', async () => {
		const ended = await runbook(hostOf('outdated-sysbox'));
		expect(ended.exit).toBe(1);
		expect(ended.screen).toContain("printf 'version: 1\\nsysbox:\\n  upgrade: true\\n' > upgrade.yml");
		expect(ended.screen).toContain(
			'sysbox-setup --yes --answers upgrade.yml --accept-risk restart-sysbox --accept-risk stop-containers',
		);
		const typed = await runbook(hostOf('outdated-sysbox'), {
			answers: { 'sysbox.upgrade': true },
			risks: ['restart-sysbox', 'stop-containers'],
		});
		expect(statuses(typed)).toContain('functional proved');
	});
});

describe('a step that fails', () => {
	const failing = async (
		faults: readonly Fault[],
		scenario: ScenarioName = 'fresh-ubuntu',
		ask: Ask = {},
		change?: (state: SimulatedState) => void,
	) => {
		const host = hostOf(scenario, { faults, ...(change && { change }) });
		const containers = runningOn(host.state());
		const original = textOn(host);
		const ended = await runbook(host, ask);
		// Whatever goes wrong, what ran before still runs, Docker too, and nothing of ours is left in it.
		expect(runningOn(host.state())).toEqual(containers);
		expect(host.state().docker.engine.up).toBe(true);
		expect(labelledOn(host.state())).toEqual([]);
		expect(ended.exit).toBe(1);
		expect(ended.state.end?.outcome).toBe('failed');
		expect(notTold(ended)).toEqual([]);
		expect(ended.screen).toContain('go on with:  sysbox-setup --yes');
		return { host, ended, original };
	};

	test('on a full disk at daemon.json leaves the old bytes, names the file, and says how to see the room', async () => {
		const { host, ended, original } = await failing([{ name: 'write-fails', path: daemonJson }]);
		const { said, why, next } = failure(ended, 'sysbox.daemon-json');
		expect(said).toContain('no space left on device');
		expect(said).toContain(daemonJson);
		expect(why).toMatch(/nothing was changed/i);
		expect(next).toContain('df -h /etc/docker');
		expect(textOn(host)).toBe(original);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});

	test('on a file system that turned read-only says so', async () => {
		const { ended } = await failing([{ name: 'write-fails', path: '/etc/*', errno: 'EROFS' }]);
		const { said, next } = failure(ended, 'sysbox.daemon-json');
		expect(said).toContain('read-only file system');
		expect(next).toContain(`findmnt -T ${daemonJson}`);
	});

	test.each([
		[1, 'host.install-tools', /apt-get --fix-broken install/],
		[2, 'sysbox.install', /dpkg --audit/],
	] as const)('on a full disk at apt call %i keeps the words of dpkg', async (nth, of, next) => {
		const { ended } = await failing([{ name: 'apt-fails', nth, errno: 'ENOSPC' }]);
		const failed = failure(ended, of);
		expect(failed.said).toContain('No space left on device');
		expect(failed.next).toMatch(next);
	});

	test('behind the lock of apt waits, and then names who holds it', async () => {
		const { ended } = await failing([{ name: 'apt-locked' }]);
		expect(failure(ended, 'host.install-tools').said).toContain('process 4711 (unattended-upgr)');
	});

	test('at the script of the package is tried once more, and then told with the words of dpkg', async () => {
		const { host, ended, original } = await failing([{ name: 'apt-fails', nth: 2 }]);
		expect(failure(ended, 'sysbox.install').said).toContain('error processing package sysbox-ce');
		expect(statuses(ended).slice(0, 3)).toEqual(['host done', 'sysbox failed', 'daemon not-run']);
		// The keys that the package wants would move docker0 at the next start of Docker, for a runtime that is not there.
		expect(textOn(host)).toBe(original);
		expect(ended.screen).toContain(`Restore the earlier ${daemonJson}`);
		expect(Object.keys(host.state().docker.engine.config.runtimes)).toEqual([]);
	});

	test('as sysbox-fs never starts leaves a Docker that works', async () => {
		const { ended } = await failing([{ name: 'sysbox-fs-start-timeout' }]);
		expect(failure(ended, 'sysbox.install').next).toContain('journalctl -u sysbox');
		expect(finding(ended, 'sysbox.half-configured')?.severity).toBe('block');
	});

	test('as dockerd refuses the reload quotes its journal', async () => {
		const { ended } = await failing([{ name: 'docker-reload-refused' }]);
		const { said, next } = failure(ended, 'docker.reload');
		expect(said).toContain('unable to set up runtimes: no space left on device');
		expect(next).toContain('journalctl -u docker');
	});

	test('as Docker never lists the runtime says what was waited for and what was seen', async () => {
		const { ended } = await failing([{ name: 'docker-reload-ignored' }]);
		const { said } = failure(ended, 'docker.reload');
		expect(said).toMatch(/waited 15 s for: docker lists sysbox-runc; last seen: docker lists .*runc/);
	});

	test('that is blocked before it begins has no changes in a plan', async () => {
		const { screen } = await runbook(hostOf('no-internet'), { mode: 'plan' });
		expect(screen).toContain("can't continue. Fix first: sysbox.reachable");
		expect(screen).not.toContain('change  ');
	});

	test('as apt has no way out names what could not be fetched', async () => {
		const { ended } = await failing([{ name: 'no-internet' }], 'fresh-ubuntu', { selection: withoutProofs });
		expect(failure(ended, 'host.install-tools').said).toContain('Failed to fetch');
	});

	test('as the package cannot be fetched says how to bring it', async () => {
		// Without curl nothing tells beforehand that there is no way out.
		const withoutCurl = ({ files }: SimulatedState) => void delete files['/usr/bin/curl'];
		const { host, ended, original } = await failing([], 'no-internet', { selection: withoutProofs }, withoutCurl);
		const { said, next } = failure(ended, 'sysbox.download');
		// What has to be fetched is fetched before anything is changed for it.
		expect(textOn(host)).toBe(original);
		expect(said).toContain('downloads.nestybox.com');
		expect(next).toContain('--deb FILE');
	});

	test('as the images cannot be pulled says how to bring them, before anything is changed', async () => {
		const ask = { deb: '/root/sysbox-ce_0.7.1-0.linux_amd64.deb' };
		const { packages } = hostOf('no-internet').state();
		const { host, ended, original } = await failing([], 'no-internet', ask);
		const { said, next } = failure(ended, 'sysbox.image-docker:29-dind');
		expect(said).toContain('registry-1.docker.io');
		expect(next).toContain('nothing else in this plan has been done');
		expect(next).toContain('--image-archive FILE');
		expect(textOn(host)).toBe(original);
		expect(host.state().packages).toEqual(packages);
		expect(actions(ended)).toEqual(['sysbox.image-docker:29-dind failed', 'record.record done']);
		expect(statuses(ended).slice(1, 4)).toEqual(['sysbox failed', 'daemon not-run', 'docker not-run']);
	});

	test.each<Fault>([
		{ name: 'write-fails', path: daemonJson },
		{ name: 'apt-fails', nth: 2 },
		{ name: 'apt-fails', nth: 2, errno: 'ENOSPC' },
		{ name: 'docker-reload-refused' },
		{ name: 'sysbox-fs-start-timeout' },
	])('is gone on with by the next run, once its cause is gone: $name $errno', async fault => {
		const { host, ended } = await failing([fault]);
		const again = await runbook(hostIn(host.state()), { kept: ended.kept });
		expect(again.exit, statuses(again).join(', ')).toBe(0);
		expect(again.state.resumes).toHaveLength(1);
	});
});

describe('what was passed', () => {
	const deb = '/root/sysbox-ce_0.7.1-0.linux_amd64.deb';
	const inDeb =
		(edit: (file: NonNullable<Extract<FileNode, { kind: 'file' }>['declared']>) => void): Change =>
		state => {
			const node = state.files[deb];
			if (node?.kind === 'file' && node.declared !== undefined) edit(node.declared);
		};

	const wrong: readonly (readonly [title: string, ask: Ask, change: Change, what: string])[] = [
		[
			'a file that is no package',
			{ deb: '/root/x.deb' },
			state => {
				state.files['/root/x.deb'] = fileOf('hello');
			},
			'/root/x.deb is not a Debian package',
		],
		[
			'a package of another architecture',
			{ deb },
			inDeb(declared => {
				if (declared.holds?.kind === 'deb') declared.holds.package.architecture = 'arm64';
			}),
			`${deb} is for arm64; this machine is amd64`,
		],
		[
			'another package',
			{ deb },
			inDeb(declared => {
				if (declared.holds?.kind === 'deb') declared.holds.package.name = 'vim';
			}),
			`${deb} holds vim, not sysbox-ce`,
		],
	];

	test.each(wrong)('%s is wrong input: the path and the reason are said, and nothing is changed', async (...row) => {
		const [, ask, change, what] = row;
		const ended = await refused('no-internet', { change }, ask);
		expect(ended.exit).toBe(2);
		expect(ended.state.end).toMatchObject({ outcome: 'wrong-input', changed: false });
		expect(finding(ended, 'input.deb-file')?.summary).toContain(what);
		expect(ended.screen).toContain(`what was passed is wrong: ${what}`);
		expect(ended.screen).toContain('--deb /path/to/sysbox-ce.deb');
	});

	test.each([
		['a package that is not there', { deb: '/root/none.deb' }, '/root/none.deb, given with --deb, is not there'],
		['a folder for a package', { deb: '/root' }, '/root, given with --deb, is a directory'],
	] as const)('%s is told before anything is looked at', async (_, ask, what) => {
		const host = hostOf('no-internet');
		const before = changeable(host.state());
		const ended = await runbook(host, ask);
		expect(ended.exit).toBe(2);
		expect(ended.screen).toContain(what);
		expect(ended.kept.events).toEqual([]);
		expect(changeable(host.state())).toBe(before);
	});

	test('a package that nobody vouches for is used only when that risk is accepted by name', async () => {
		const change = inDeb(declared => {
			declared.sha256 = 'cd'.repeat(32);
		});
		const ended = await refused('no-internet', { change }, { deb });
		expect(ended.exit).toBe(4);
		expect(ended.state.end?.open).toEqual([
			'sysbox: run `sysbox-setup --yes --accept-risk unverified-deb` to accept the risk unverified-deb',
		]);
		expect(finding(ended, 'sysbox.deb-digest')?.evidence).toContain('cd'.repeat(32));
		expect(ended.screen).toContain('--accept-risk unverified-deb');

		const host = hostOf('no-internet', { change });
		const selection = { only: ['host', 'sysbox', 'daemon', 'docker'] };
		expect((await runbook(host, { deb, selection, risks: ['unverified-deb'] })).exit).toBe(0);
	});

	test('the package and the archives of a host without a way out end in a proof', async () => {
		const imageArchives = ['/root/images/docker-29-dind.tar', '/root/images/registry-2.tar'];
		const ended = await runbook(hostOf('no-internet'), { deb, imageArchives });
		expect(ended.exit, statuses(ended).join(', ')).toBe(0);
		expect(threatTable(ended.state).map(({ after }) => after.kind)).toEqual(['ready', 'still', 'ready', 'not-lowered']);
	});

	test('a package that is exchanged after it was looked at is not used, and both digests are told', async () => {
		const host = hostOf('no-internet', { faults: [{ name: 'file-changed-underneath', path: deb, content: 'evil' }] });
		const ended = await runbook(host, { deb, selection: withoutProofs });
		expect(ended.exit).toBe(1);
		const { said, why, next } = failure(ended, 'sysbox.copy');
		expect(said).toMatch(new RegExp(`^${deb} has sha256 [0-9a-f]{64} now, and had [0-9a-f]{64} when it was looked at`));
		expect(why).toContain('exchanged');
		expect(next).toContain(deb);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
		expect(Object.keys(host.state().files).filter(path => /downloads\/.*\.deb$/.test(path))).toEqual([]);
	});

	test('a download with another digest is removed and not used', async () => {
		const state = hostOf('fresh-ubuntu').state();
		const url = 'https://downloads.nestybox.com/sysbox/releases/v0.7.1/sysbox-ce_0.7.1-0.linux_amd64.deb';
		const host = hostIn(state, { releases: [{ url, sha256: 'ee'.repeat(32), size: 11_812_044 }] });
		const ended = await runbook(host);
		expect(ended.exit).toBe(1);
		const { said, next } = failure(ended, 'sysbox.download');
		expect(said).toContain('ee'.repeat(32));
		expect(said).toContain('it was removed and not used');
		expect(next).toContain('--deb FILE');
		expect(Object.keys(host.state().files).filter(path => path.endsWith('.deb'))).toEqual([]);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});
});

describe('a daemon.json that somebody else changes between plan and write', () => {
	const changedTo = (content: string, times?: number): readonly Fault[] => [
		{ name: 'file-changed-underneath', path: daemonJson, content, ...(times !== undefined && { times }) },
	];

	test('is looked at again: the new diff is shown, and their change is kept', async () => {
		const theirs = '{\n  "live-restore": true,\n  "labels": ["rack=7"]\n}\n';
		const host = hostOf('fresh-ubuntu', { faults: changedTo(theirs, 1) });
		const ended = await runbook(host);
		expect(ended.exit).toBe(0);
		expect(actions(ended).filter(a => a.startsWith('sysbox.daemon-json'))).toEqual([
			'sysbox.daemon-json refused',
			'sysbox.daemon-json done',
		]);
		expect(ended.screen).toContain('changed since the plan was shown');
		const plans = ended.kept.events.flatMap(e => (e.type === 'plan' && e.step === 'sysbox' ? [e] : []));
		expect(JSON.stringify(plans[0])).not.toContain('rack=7');
		expect(JSON.stringify(plans[1])).toContain('rack=7');
		expect(JSON.parse(textOn(host) ?? '')).toMatchObject({ labels: ['rack=7'], runtimes: { 'sysbox-runc': {} } });
	});

	test('with a mistake blocks at the second look, and stays theirs', async () => {
		const host = hostOf('fresh-ubuntu', { faults: changedTo('{ "debug": }\n', 1) });
		const ended = await runbook(host);
		expect(ended.exit).toBe(3);
		expect(finding(ended, 'daemon-json.valid')?.summary).toContain(`${daemonJson}:1:12`);
		expect(textOn(host)).toBe('{ "debug": }\n');
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});

	test('again and again ends the step, with nothing written', async () => {
		const faults = [1, 2, 3, 4].map(
			(n): Fault => ({
				name: 'file-changed-underneath',
				path: daemonJson,
				content: `{ "labels": ["n=${n}"] }\n`,
				times: 1,
			}),
		);
		const host = hostOf('fresh-ubuntu', { faults });
		const ended = await runbook(host);
		expect(ended.exit).toBe(1);
		expect(ended.state.steps.find(s => s.id === 'sysbox')?.why).toContain(`Write ${daemonJson}`);
		expect(textOn(host)).toBe('{ "labels": ["n=3"] }\n');
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});
});

describe('a runtime', () => {
	test('that says it is Sysbox and runs plain containers fails the proof, and no threat is called lowered', async () => {
		const host = hostOf('fresh-ubuntu', { faults: [{ name: 'lying-runtime' }] });
		const ended = await runbook(host);
		expect(ended.exit).toBe(1);
		expect(notTold(ended)).toEqual([]);
		const row = threatTable(ended.state).find(r => r.id === 'container-escape');
		expect(row?.after).toMatchObject({ kind: 'still', level: 'Critical' });
		expect(ended.screen).toMatch(/Privileged container escape\s+– +-> Critical/);
		expect(ended.state.record?.incomplete).toBe(true);
		expect(labelledOn(host.state())).toEqual([]);
	});

	test('that starts no container fails the proof in its own words', async () => {
		const host = hostOf('fresh-ubuntu', { faults: [{ name: 'broken-runtime' }] });
		const ended = await runbook(host);
		expect(ended.exit).toBe(1);
		expect(notTold(ended)).toEqual([]);
		const probe = ended.state.steps.flatMap(s => s.probes).find(p => p.id === 'functional.uid-map');
		expect(probe).toMatchObject({ verdict: 'fail' });
		expect(probe?.because).toContain('OCI runtime create failed');
		expect(labelledOn(host.state())).toEqual([]);
	});

	test('on a host that gives containers no control groups leaves exactly the limits undecided', async () => {
		const ended = await runbook(hostOf('fresh-ubuntu', { faults: [{ name: 'no-cgroup-controllers' }] }));
		expect(ended.exit).toBe(5);
		const probes = ended.state.steps.flatMap(s => s.probes);
		expect(probes.filter(p => p.verdict !== 'pass').map(p => `${p.id} ${p.verdict}`)).toEqual([
			'security.limit-memory could-not-tell',
			'security.limit-processes could-not-tell',
			'security.limit-cpu could-not-tell',
		]);
		expect(threatTable(ended.state).map(({ after }) => after.kind)).toEqual(['ready', 'still', 'ready', 'not-lowered']);
	});
});

describe("a container with the host's docker.sock", () => {
	/** What an operator's agent commonly gets. */
	const withSocket: Change = state => {
		const agent = state.docker.engine.containers.find(c => c.name === 'jenkins-agent-1');
		if (agent === undefined) throw new Error('the scenario has no such container');
		agent.options.mounts.push({
			type: 'bind',
			source: '/var/run/docker.sock',
			target: '/var/run/docker.sock',
			readOnly: false,
			bind: '/var/run/docker.sock:/var/run/docker.sock',
		});
	};

	test('keeps its row Critical although every probe held, and names the container', async () => {
		const ended = await runbook(hostOf('fresh-ubuntu', { change: withSocket }));
		expect(ended.exit).toBe(4);
		expect(ended.state.end).toMatchObject({ outcome: 'open', exit: 4 });
		// Everything is done and proved, and what is left names the container and what to do.
		expect(statuses(ended)).toEqual(setUpAndProved);
		expect(ended.state.end?.open).toHaveLength(1);
		expect(ended.state.end?.open[0]).toMatch(/^ci\.container\.docker-sock: .*jenkins-agent-1.*Take it out where/s);
		const probes = ended.state.steps.flatMap(s => s.probes);
		expect(probes.length).toBeGreaterThan(15);
		expect(probes.filter(p => p.verdict !== 'pass')).toEqual([]);
		const row = threatTable(ended.state).find(r => r.id === 'docker-compromise');
		expect(row?.after).toMatchObject({ kind: 'still', level: 'Critical' });
		expect(JSON.stringify(row?.after)).toContain('jenkins-agent-1');
		expect(notTold(ended)).not.toContain('docker-compromise');
	});
});

describe('when several things hold', () => {
	test('a failed proof counts before a blocking finding', async () => {
		const ended = await runbook(hostOf('containers-running', { faults: [{ name: 'lying-runtime' }] }));
		expect(statuses(ended)).toContain('security failed');
		expect(ended.exit).toBe(1);
	});

	test('what could not be told counts before work that is left for the operator', async () => {
		const ended = await runbook(hostOf('containers-running', { faults: [{ name: 'no-cgroup-controllers' }] }));
		expect(statuses(ended)).toContain('security undecided');
		expect(ended.state.end?.open).not.toEqual([]);
		expect(ended.exit).toBe(5);
	});

	test('what was passed counts before an unfit host', async () => {
		const host = hostOf('no-internet', { change: holds('{ broken') });
		expect((await runbook(host, { deb: '/root/none.deb' })).exit).toBe(2);
	});
});

describe('tools that apt refuses to install', () => {
	const unknownJq: Change = state => {
		delete state.archive['jq'];
	};

	test('block the step, in the words of apt', async () => {
		const ended = await refused('fresh-ubuntu', { change: unknownJq });
		expect(ended.exit).toBe(3);
		expect(finding(ended, 'apt.tools')).toMatchObject({
			severity: 'block',
			summary: 'apt cannot install fuse3, jq',
			evidence: 'E: Unable to locate package jq',
		});
	});

	test('are asked for again once apt has its lists', async () => {
		const host = hostOf('fresh-ubuntu', {
			change: state => {
				unknownJq(state);
				removeTree(state.files, '/var/lib/apt/lists');
			},
		});
		const ended = await runbook(host, { mode: 'plan', selection: { only: ['host'] } });
		expect(findings(ended).map(({ id }) => id)).not.toContain('apt.tools');
	});
});
