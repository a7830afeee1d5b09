import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EngineEnd } from '../../src/engine/contract.ts';
import type { Event, EventPayload } from '../../src/model/event.ts';
import { sayWork } from '../../src/model/open-work.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { leftByRevert, type RunState, reduceAll } from '../../src/model/state.ts';
import type { UndoRecord } from '../../src/model/undo.ts';
import type { WriteHost } from '../../src/port/host.ts';
import { revertStep } from '../../src/revert/revert-step.ts';
import { engineRun } from '../support/engine-run.ts';
import { Killed, type memoryLog } from '../support/memory-log.ts';
import { tinyHost } from '../support/tiny-host.ts';

const daemonJson = '/etc/docker/daemon.json';
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Laid out as a person did it, so that a byte lost would show. */
const old = '{ "log-driver":"local",\r\n\t"debug" : false }';
const withSysbox =
	'{ "log-driver":"local",\r\n\t"debug" : false, "runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc"}} }';

interface DockerHost {
	readonly host: WriteHost;
	readonly files: Map<string, string>;
	readonly owners: Map<string, unknown>;
	readonly ran: string[];
	/** Runtimes that dockerd has loaded. */
	readonly runtimes: () => readonly string[];
	readonly defaultRuntime: () => string;
}

/** A host whose dockerd reads its file on a reload as moby does: a key that is missing leaves what it has. */
function dockerHost(
	files: Record<string, string>,
	how: {
		readonly loaded?: readonly string[];
		readonly defaultRuntime?: string;
		readonly containers?: readonly { readonly name: string; readonly runtime: string; readonly running?: boolean }[];
		/** Docker gives no answer. */
		readonly hangs?: true;
		/** What else a program answers, by its name. */
		readonly answers?: Readonly<Record<string, string>>;
		/** Directories, with what is in them. */
		readonly directories?: Readonly<Record<string, readonly string[]>>;
		readonly fullDirectories?: readonly string[];
		/** What else a command does, by its line. */
		readonly commands?: Readonly<Record<string, (files: Map<string, string>) => number>>;
	} = {},
): DockerHost {
	const map = new Map(Object.entries(files));
	const owners = new Map<string, unknown>();
	const ran: string[] = [];
	let loaded = how.loaded ?? ['runc', 'sysbox-runc'];
	let serves = how.defaultRuntime ?? 'runc';
	const containers = (how.containers ?? []).map((container, index) => ({
		Id: String(index + 1).repeat(64),
		Name: `/${container.name}`,
		State: { Status: container.running === false ? 'exited' : 'running', Running: container.running !== false },
		HostConfig: { Runtime: container.runtime },
		Mounts: [],
	}));
	const answers: Readonly<Record<string, () => unknown>> = {
		'docker context inspect': () => [
			{ Name: 'default', Endpoints: { docker: { Host: 'unix:///var/run/docker.sock' } } },
		],
		'docker version --format {{json .}}': () => ({ Client: { Version: '28.5.1' } }),
		'docker info --format {{json .}}': () => ({
			ServerVersion: '28.5.1',
			Runtimes: Object.fromEntries(loaded.map(name => [name, { path: name }])),
			DefaultRuntime: serves,
		}),
		'docker ps -aq --no-trunc': () => containers.map(c => c.Id).join('\n'),
		'docker ps --quiet --no-trunc': () =>
			containers
				.filter(c => c.State.Running)
				.map(c => c.Id)
				.join('\n'),
		'docker network inspect bridge': () => [{ Id: 'b' }],
		[`docker inspect ${containers.map(c => c.Id).join(' ')}`]: () => containers,
	};
	const tiny = tinyHost(map);
	const exec: WriteHost['exec'] = async argv => {
		const line = argv.join(' ');
		if (how.hangs === true && argv[0] === 'docker')
			return { code: null, stdout: '', stderr: '', problem: 'timeout', elapsedMs: 10_000 };
		if (line.startsWith('systemctl show docker.service'))
			return { code: 0, stdout: 'Id=docker.service\nActiveState=active\n', stderr: '', elapsedMs: 1 };
		const answer = how.answers?.[argv[0]] ?? answers[line]?.();
		if (answer === undefined) throw new Error(`the test does not know the command: ${line}`);
		return { code: 0, stdout: typeof answer === 'string' ? answer : JSON.stringify(answer), stderr: '', elapsedMs: 1 };
	};
	const host: WriteHost = {
		...tiny,
		exec,
		stat: async path =>
			how.directories?.[path] === undefined
				? tiny.stat(path)
				: {
						kind: 'found',
						type: 'directory',
						link: false,
						meta: { mode: 0o755, uid: 0, gid: 0, size: 0, realPath: path },
					},
		run: async argv => {
			const line = argv.join(' ');
			ran.push(line);
			if (line === 'systemctl reload docker') {
				const config = JSON.parse(map.get(daemonJson) ?? '{}') as { runtimes?: object; 'default-runtime'?: string };
				if (config.runtimes !== undefined) loaded = ['runc', ...Object.keys(config.runtimes)];
				serves = config['default-runtime'] ?? serves;
				return { code: 0, stdout: '', stderr: '', elapsedMs: 1 };
			}
			if (line.startsWith('docker stop ')) {
				for (const { Id, State } of containers)
					if (line.split(' ').includes(Id)) Object.assign(State, { Status: 'exited', Running: false });
				return { code: 0, stdout: '', stderr: '', elapsedMs: 1 };
			}
			const code = how.commands?.[line]?.(map);
			if (code === undefined) throw new Error(`the test does not know the command: ${line}`);
			return { code, stdout: '', stderr: code === 0 ? '' : 'E: dpkg was interrupted', elapsedMs: 1 };
		},
		replaceFile: (path, content, options) => {
			owners.set(path, { ...options.owner, mode: options.mode });
			return tiny.replaceFile(path, content, options);
		},
		list: async path => {
			const names = how.directories?.[path];
			return names === undefined ? { kind: 'missing' } : { kind: 'names', names };
		},
		removeDirectory: async path => {
			ran.push(`rmdir ${path}`);
			return how.fullDirectories?.includes(path) === true
				? { kind: 'failed', errno: 'ENOTEMPTY', message: 'not empty' }
				: { kind: 'written', sha256: '', atomic: true };
		},
	};
	return { host, files: map, owners, ran, runtimes: () => loaded, defaultRuntime: () => serves };
}

const eventsOf = (payloads: readonly EventPayload[]): Event[] =>
	payloads.map((payload, seq) => ({ v: 1, seq, at: `t${seq}`, ...payload }) as Event);

type Made = readonly [id: string, undo: UndoRecord, outcome?: 'done' | 'failed' | 'none'];

/** The run that is taken back, as its log says. */
function runThatMade(...made: readonly Made[]): RunState {
	return reduceAll(
		eventsOf(
			made.flatMap(([action, undo, outcome = 'done']): EventPayload[] => [
				{ type: 'action.intent', step: 's', action, title: `the ${action}`, kind: 'x', does: 'x', undo },
				...(outcome === 'none' ? [] : [{ type: 'action.outcome', step: 's', action, outcome, ms: 1 } as const]),
			]),
		),
	);
}
const wrote = (path: string, before: string | null, after: string | null): UndoRecord => ({
	kind: 'file',
	path,
	before: before === null ? null : { sha256: sha(before), mode: 0o640, uid: 5, gid: 6 },
	after: after === null ? null : sha(after),
});
const removal = ['apt-get', 'remove', '-y', 'sysbox-ce'] as const;
const remove = removal.join(' ');
const installed: UndoRecord = {
	kind: 'commands',
	commands: [{ argv: removal, timeoutMs: 1000, why: 'it was not there' }],
	leaves: ['/var/lib/sysbox'],
};

interface Log {
	readonly events: Event[];
	readonly backups: Map<string, Uint8Array>;
}
const newLog = (): Log => ({ events: [], backups: new Map() });

/** Takes the run back with the real engine and applier, unattended. */
async function takeBack(
	original: RunState,
	on: DockerHost,
	how: {
		readonly backups?: readonly string[];
		readonly risks?: readonly RiskName[];
		readonly log?: Log;
		readonly dieAt?: Parameters<typeof memoryLog>[1];
	} = {},
): Promise<{ readonly end: EngineEnd; readonly state: RunState }> {
	const backups = new Map((how.backups ?? [old]).map(text => [sha(text), bytesOf(text)]));
	const kept = how.log ?? newLog();
	let clock = 0;
	const step = revertStep(original, async sha256 => backups.get(sha256) ?? kept.backups.get(sha256));
	return engineRun([step], on.host, {
		kept,
		risks: how.risks ?? [],
		clock: {
			now: () => clock,
			sleep: async ms => {
				clock += ms;
			},
		},
		...(how.dieAt !== undefined && { dieAt: how.dieAt }),
	});
}

const findingsOf = (state: RunState): readonly string[] =>
	(state.steps[0]?.before ?? []).map(finding => `${finding.severity} ${finding.id}`);

describe('taking a run back', () => {
	const original = runThatMade(['write', wrote(daemonJson, old, withSysbox)]);

	it('puts daemon.json back byte for byte, with its owner and mode', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox });
		const { end } = await takeBack(original, on);
		expect(end).toMatchObject({ exit: 0, outcome: 'done', changed: true });
		expect(on.files.get(daemonJson)).toBe(old);
		expect(on.owners.get(daemonJson)).toEqual({ uid: 5, gid: 6, mode: 0o640 });
	});

	it('makes Docker forget the runtime by naming its absence first, as a missing key would be ignored', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox });
		const { state } = await takeBack(original, on);
		expect(state.actions.map(action => action.id)).toEqual(['forget-runtime', 'reload-docker', `file.${daemonJson}`]);
		expect(on.runtimes()).toEqual(['runc']);
		expect(on.ran).toEqual(['systemctl reload docker']);
	});

	it('changes nothing the second time, and says so', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox });
		await takeBack(original, on);
		on.ran.length = 0;
		const { end, state } = await takeBack(original, on);
		expect(end).toMatchObject({ exit: 0, outcome: 'nothing-to-do', changed: false });
		expect(state.actions).toEqual([]);
		expect(on.ran).toEqual([]);
	});

	it('removes a daemon.json that was not there, and Docker forgets all the same', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox });
		const { end } = await takeBack(runThatMade(['write', wrote(daemonJson, null, withSysbox)]), on);
		expect(end.exit).toBe(0);
		expect(on.files.has(daemonJson)).toBe(false);
		expect(on.runtimes()).toEqual(['runc']);
	});

	it('leaves a runtime alone that was there before the run', async () => {
		const before = '{"runtimes": {"kata": {"path": "/usr/bin/kata"}}}';
		const after = '{"runtimes": {"kata": {"path": "/usr/bin/kata"}, "sysbox-runc": {"path": "/usr/bin/sysbox-runc"}}}';
		const on = dockerHost({ [daemonJson]: after }, { loaded: ['runc', 'kata', 'sysbox-runc'] });
		await takeBack(runThatMade(['write', wrote(daemonJson, before, after)]), on, { backups: [before] });
		expect(on.runtimes()).toEqual(['runc', 'kata']);
		expect(on.files.get(daemonJson)).toBe(before);
	});

	it('sets the default runtime back to runc by name before the file without it', async () => {
		const after = '{"default-runtime": "sysbox-runc", "runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc"}}}';
		const on = dockerHost({ [daemonJson]: after }, { defaultRuntime: 'sysbox-runc' });
		const { end } = await takeBack(runThatMade(['write', wrote(daemonJson, '{}', after)]), on, { backups: ['{}'] });
		expect(end.exit).toBe(0);
		expect(on.defaultRuntime()).toBe('runc');
		expect(on.runtimes()).toEqual(['runc']);
		expect(on.files.get(daemonJson)).toBe('{}');
	});

	it('sets the default runtime back by name also where its runtime was there before the run', async () => {
		const before = '{"runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc"}}}';
		const after = '{"default-runtime": "sysbox-runc", "runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc"}}}';
		const on = dockerHost({ [daemonJson]: after }, { defaultRuntime: 'sysbox-runc' });
		const { end } = await takeBack(runThatMade(['write', wrote(daemonJson, before, after)]), on, { backups: [before] });
		expect(end.exit).toBe(0);
		expect(on.defaultRuntime()).toBe('runc');
		expect(on.runtimes()).toEqual(['runc', 'sysbox-runc']);
		expect(on.files.get(daemonJson)).toBe(before);
	});

	it('says that Docker keeps the runtime where no file can make it forget', async () => {
		const before = '{"default-runtime": "from-a-flag"}';
		const after = '{"default-runtime": "from-a-flag", "runtimes": {"sysbox-runc": {"path": "/usr/bin/sysbox-runc"}}}';
		const on = dockerHost({ [daemonJson]: after });
		const { end, state } = await takeBack(runThatMade(['write', wrote(daemonJson, before, after)]), on, {
			backups: [before, after],
		});
		expect(end.exit).toBe(0);
		expect(on.files.get(daemonJson)).toBe(before);
		expect(state.steps[0]?.after).toContainEqual(
			expect.objectContaining({
				id: 'revert.still-loaded',
				severity: 'warn',
				summary: 'Docker serves sysbox-runc until its next restart',
			}),
		);
	});

	it('says what Docker keeps until its next restart, where the run had restarted it', async () => {
		const after = '{"bip": "172.20.0.1/16"}';
		const on = dockerHost({ [daemonJson]: after }, { loaded: ['runc'] });
		const original = reduceAll(
			eventsOf(
				[
					['daemon', 'write', wrote(daemonJson, '{}', after)],
					['docker', 'restart', { kind: 'none', why: 'x' }, 'restart-docker'],
				].flatMap(([step, action, undo, role]): EventPayload[] => [
					{ type: 'action.intent', step, action, title: 'x', kind: 'exec', does: 'x', undo, role } as EventPayload,
					{ type: 'action.outcome', step, action, outcome: 'done', ms: 1 } as EventPayload,
				]),
			),
		);
		const { end, state } = await takeBack(original, on, { backups: ['{}', after] });
		expect(end.exit).toBe(0);
		expect(on.files.get(daemonJson)).toBe('{}');
		expect(on.ran).toEqual([]);
		expect(state.steps[0]?.after).toContainEqual(
			expect.objectContaining({
				id: 'revert.until-restart',
				severity: 'warn',
				summary: 'Docker keeps what it read at its restart in the run (bip) until its next restart',
				remedy: expect.objectContaining({ commands: ['systemctl restart docker'] }),
			}),
		);
	});

	it('of several writes goes back to the bytes before the first', async () => {
		const between = '{"debug": true}';
		const twice = runThatMade(['one', wrote('/etc/x', old, between)], ['two', wrote('/etc/x', between, 'last')]);
		for (const found of [between, 'last']) {
			const on = dockerHost({ '/etc/x': found });
			expect((await takeBack(twice, on)).end.exit, found).toBe(0);
			expect(on.files.get('/etc/x')).toBe(old);
		}
	});

	it('puts a file back that the run removed', async () => {
		const on = dockerHost({});
		expect((await takeBack(runThatMade(['remove', wrote('/etc/x', old, null)]), on)).end.exit).toBe(0);
		expect(on.files.get('/etc/x')).toBe(old);
	});

	it('has nothing to put back where the run was killed before its write', async () => {
		const on = dockerHost({ '/etc/x': old });
		const { end } = await takeBack(runThatMade(['write', wrote('/etc/x', old, 'new'), 'none']), on);
		expect(end.outcome).toBe('nothing-to-do');
	});
});

describe('what somebody else did since the run', () => {
	const original = runThatMade(['write', wrote(daemonJson, old, withSysbox)], ['install', installed]);

	it('is never undone with it: a file that is neither as before nor as after blocks everything', async () => {
		const on = dockerHost({ [daemonJson]: `${withSysbox}\n` });
		const { end, state } = await takeBack(original, on);
		expect(end).toMatchObject({ exit: 3, changed: false });
		expect(findingsOf(state)).toEqual(['block revert.changed-since']);
		expect(on.ran).toEqual([]);
		expect(on.files.get(daemonJson)).toBe(`${withSysbox}\n`);
	});

	it('is shown without the body of a private key beside it, of which the diff has the middle only', async () => {
		const body = ['MIIEowIBAAKCAQEA', 'qUzT4v9f0mYh', 'k8xWcLr2nB3s', 'Zt7PqgJd5oHe', 'uN1yXiVa6RbK'];
		const key = ['-----BEGIN RSA PRIVATE KEY-----', ...body, '-----END RSA PRIVATE KEY-----', ''].join('\n');
		const on = dockerHost({ '/etc/x': `${key}somebody\n` });
		const written = runThatMade(['write', wrote('/etc/x', `${key}before\n`, `${key}after\n`)]);
		const { end, state } = await takeBack(written, on, { backups: [`${key}before\n`, `${key}after\n`] });
		expect(end.exit).toBe(3);
		const evidence = state.steps[0]?.before[0]?.evidence ?? '';
		expect(evidence).toContain('somebody');
		for (const line of body) expect(evidence).not.toContain(line);
	});

	it('counts also when the file is gone', async () => {
		const { end, state } = await takeBack(original, dockerHost({}));
		expect(end.exit).toBe(3);
		expect(findingsOf(state)).toEqual(['block revert.changed-since']);
	});

	it('is not guessed when the old bytes are gone: their sha256 is named', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox });
		const { end, state } = await takeBack(original, on, { backups: [] });
		expect(end.exit).toBe(3);
		expect(findingsOf(state)).toEqual(['block revert.backup-gone']);
		expect(state.steps[0]?.before[0]?.evidence).toContain(sha(old));
		expect(on.files.get(daemonJson)).toBe(withSysbox);
	});

	it('waits for a Docker that answers, as it has to forget the runtime', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox }, { hangs: true });
		const { end, state } = await takeBack(original, on);
		expect(end.exit).toBe(3);
		expect(findingsOf(state)).toContain('block revert.docker');
		expect(on.files.get(daemonJson)).toBe(withSysbox);
	});
});

describe('the package', () => {
	const original = runThatMade(['write', wrote(daemonJson, old, withSysbox)], ['install', installed]);

	it('is removed after daemon.json is back, by the command that the log holds', async () => {
		const on = dockerHost({ [daemonJson]: withSysbox }, { commands: { [remove]: () => 0 } });
		const { end, state } = await takeBack(original, on);
		expect(end.exit).toBe(0);
		expect(on.ran).toEqual(['systemctl reload docker', remove]);
		expect(state.actions.at(-1)).toMatchObject({ id: 's.install.0', title: 'Take back: the install', outcome: 'done' });
		expect(leftByRevert(original)).toEqual(['/var/lib/sysbox']);
	});

	it('that writes daemon.json while it goes is followed by a second round, which puts the bytes back', async () => {
		const on = dockerHost(
			{ [daemonJson]: withSysbox },
			{
				commands: {
					[remove]: files => {
						files.set(daemonJson, '{}\n');
						return 0;
					},
				},
			},
		);
		const { end } = await takeBack(original, on);
		expect(end.exit).toBe(0);
		expect(on.files.get(daemonJson)).toBe(old);
		expect(on.ran.filter(line => line === remove)).toHaveLength(1);
	});

	it('that cannot be removed ends 1; the next start removes it and does nothing twice', async () => {
		let code = 100;
		const on = dockerHost({ [daemonJson]: withSysbox }, { commands: { [remove]: () => code } });
		const log = newLog();
		const first = await takeBack(original, on, { log });
		expect(first.end.exit).toBe(1);
		expect(first.state.actions.at(-1)).toMatchObject({
			outcome: 'failed',
			failure: { said: 'E: dpkg was interrupted' },
		});
		expect(on.files.get(daemonJson)).toBe(old);
		code = 0;
		on.ran.length = 0;
		expect((await takeBack(original, on, { log })).end.exit).toBe(0);
		expect(on.ran).toEqual([remove]);
	});

	it('that cannot be removed once containers were stopped says which, and how they are started', async () => {
		const containers = [{ name: 'dind', runtime: 'sysbox-runc' }];
		const on = dockerHost({ [daemonJson]: withSysbox }, { containers, commands: { [remove]: () => 100 } });
		const { end, state } = await takeBack(original, on, { risks: ['stop-containers', 'lose-inner-stores'] });
		expect(end.exit).toBe(1);
		expect(state.actions.at(-1)?.failure?.next.at(-1)).toBe(
			'stopped by this revert: dind; as long as Sysbox is installed they are started by: docker start dind',
		);
	});

	it('under which containers run is left until that is accepted by name, and they are named', async () => {
		const containers = [
			{ name: 'dind', runtime: 'sysbox-runc' },
			{ name: 'stopped', runtime: 'sysbox-runc', running: false },
			{ name: 'web', runtime: 'runc' },
		];
		const on = dockerHost({ [daemonJson]: withSysbox }, { containers, commands: { [remove]: () => 0 } });
		const { end, state } = await takeBack(original, on);
		expect(end.exit).toBe(4);
		expect(end.work.map(sayWork).join()).toContain('--accept-risk stop-containers --accept-risk lose-inner-stores');
		expect(state.steps[0]?.plan?.impact?.stops).toEqual(['dind (runs under a runtime that goes away)']);
		expect(on.ran).toEqual([]);
		const accepted = await takeBack(original, on, { risks: ['stop-containers', 'lose-inner-stores'] });
		expect(accepted.end.exit).toBe(0);
		// Before anything else, while Sysbox is there, and only those that go with it.
		expect(on.ran[0]).toBe(`docker stop ${'1'.repeat(64)}`);
		expect(on.ran.indexOf(remove)).toBeGreaterThan(0);
	});
});

describe('what containers have stored inside', () => {
	const original = runThatMade(['write', wrote(daemonJson, old, withSysbox)], ['install', installed]);
	const containers = [
		{ name: 'dind', runtime: 'sysbox-runc' },
		{ name: 'old', runtime: 'sysbox-runc', running: false },
		{ name: 'web', runtime: 'runc' },
	];
	const stores = [`docker/${'1'.repeat(64)}`, `docker/${'2'.repeat(64)}`, `containerd/${'1'.repeat(64)}`].map(
		store => `/var/lib/sysbox/${store}`,
	);
	const directories = {
		'/var/lib/sysbox': ['docker', 'containerd', 'rootfs'],
		'/var/lib/sysbox/docker': ['1'.repeat(64), '2'.repeat(64), '9'.repeat(64)],
		'/var/lib/sysbox/containerd': ['1'.repeat(64)],
		...Object.fromEntries(stores.map(store => [store, ['engine-id']])),
	};
	const files = Object.fromEntries(stores.map(store => [`${store}/engine-id`, 'x']));

	it('is named with its container and path, running or stopped, and goes only by name', async () => {
		const on = dockerHost(
			{ [daemonJson]: withSysbox, ...files },
			{ containers, directories, commands: { [remove]: () => 0 } },
		);
		const { end, state } = await takeBack(original, on);
		expect(end.exit).toBe(4);
		const found = state.steps[0]?.before.filter(f => f.id === 'revert.inner-store').map(f => f.summary);
		expect(found).toEqual([
			`what dind has stored inside cannot be reached without Sysbox: /var/lib/sysbox/docker/${'1'.repeat(64)}`,
			`what old has stored inside cannot be reached without Sysbox: /var/lib/sysbox/docker/${'2'.repeat(64)}`,
			`what dind has stored inside cannot be reached without Sysbox: /var/lib/sysbox/containerd/${'1'.repeat(64)}`,
		]);
		expect(state.steps[0]?.plan?.impact?.notes).toContain('old is stopped, and cannot be started again without Sysbox');
		expect(on.ran).toEqual([]);
	});

	it('is not told of folders that sysbox-mgr made and nothing was put into', async () => {
		const on = dockerHost(
			{ [daemonJson]: withSysbox, [`${stores[0]}/empty`]: '' },
			{
				containers,
				directories: {
					...directories,
					...Object.fromEntries(stores.map(store => [store, []])),
					[stores[0] ?? '']: ['empty'],
				},
			},
		);
		const { state } = await takeBack(original, on);
		expect(state.steps[0]?.before.filter(f => f.id === 'revert.inner-store')).toEqual([]);
	});

	it('of stopped containers alone is asked for too', async () => {
		const stopped = containers.filter(c => c.running === false);
		const on = dockerHost(
			{ [daemonJson]: withSysbox, ...files },
			{
				containers: stopped,
				directories: { ...directories, '/var/lib/sysbox/docker': ['1'.repeat(64)] },
				commands: {},
			},
		);
		const { end } = await takeBack(original, on);
		expect(end.exit).toBe(4);
		expect(end.work.map(sayWork).join()).toContain('--accept-risk lose-inner-stores');
		expect(end.work.map(sayWork).join()).not.toContain('stop-containers');
	});
});

describe('mounts of a sysbox-fs that is gone with its package', () => {
	const mount = (point: string, type = 'fuse') => `241 72 0:94 / ${point} rw - ${type} sysboxfs rw\n`;
	const dead = '/var/lib/sysboxfs/77a621a370d2';
	const others = [
		'22 1 254:0 / / rw - ext4 /dev/vda rw\n',
		mount('/var/lib/sysboxfs', 'ext4'),
		mount('/var/lib/sysboxfs/a/b'),
		mount('/var/lib/sysboxfs-of-others/a'),
		mount('/mnt/theirs'),
		mount('/var/lib/sysboxfs/tmpfs', 'tmpfs'),
	].join('');
	const original = runThatMade([
		'install',
		{ kind: 'packages', changes: { installed: ['sysbox-ce'], removed: [], replaced: [] } },
	]);
	const onHost = (dpkg: string) =>
		dockerHost(
			{ '/proc/self/mountinfo': others + mount(dead) },
			{
				answers: { 'dpkg-query': dpkg, 'apt-get': 'Purg sysbox-ce [0.7.0-0.linux]\n' },
				commands: {
					'apt-get purge -y -o DPkg::Lock::Timeout=300 sysbox-ce': () => 100,
					[`umount -l ${dead}`]: files => {
						files.set('/proc/self/mountinfo', others);
						return 0;
					},
				},
			},
		);

	it('are unmounted, and no other mount is', async () => {
		const on = onHost('');
		expect((await takeBack(original, on)).end).toMatchObject({ exit: 0, outcome: 'done' });
		expect(on.ran).toEqual([`umount -l ${dead}`]);
	});

	it('are left alone while the package is there', async () => {
		const on = onHost('sysbox-ce\t0.7.0-0.linux\tamd64\tii \n');
		await takeBack(original, on);
		expect(on.ran).toEqual(['apt-get purge -y -o DPkg::Lock::Timeout=300 sysbox-ce']);
	});

	it('and a container that is still up without its runtime is named', async () => {
		const on = dockerHost(
			{ [daemonJson]: withSysbox },
			{ answers: { 'dpkg-query': '' }, containers: [{ name: 'dind', runtime: 'sysbox-runc' }] },
		);
		const run = runThatMade(
			['write', wrote(daemonJson, old, withSysbox)],
			['install', { kind: 'packages', changes: { installed: ['sysbox-ce'], removed: [], replaced: [] } }],
		);
		const { state } = await takeBack(run, on);
		expect(state.steps[0]?.after?.map(f => f.summary)).toContain(
			'dind is still up and cannot be entered: its runtime is gone',
		);
		expect(on.ran.join()).not.toContain('docker stop');
	});
});

describe('a folder that the run made', () => {
	const original = runThatMade(['folder', { kind: 'folder', path: '/srv/ci' }]);

	it('is removed', async () => {
		const on = dockerHost({}, { directories: { '/srv/ci': [] } });
		expect((await takeBack(original, on)).end.exit).toBe(0);
		expect(on.ran).toEqual(['rmdir /srv/ci']);
	});

	it('is done when it is gone', async () => {
		const on = dockerHost({});
		expect((await takeBack(original, on)).end).toMatchObject({ exit: 0, outcome: 'nothing-to-do' });
		expect(on.ran).toEqual([]);
	});

	it('stays when others put something there, is named, and is no failure', async () => {
		const { end, state } = await takeBack(
			original,
			dockerHost({}, { directories: { '/srv/ci': ['theirs'] }, fullDirectories: ['/srv/ci'] }),
		);
		expect(end.exit).toBe(0);
		expect(state.actions[0]?.evidence).toBe('stays, as it is not empty');
	});
});

describe('a revert that is killed', () => {
	it('at any event, on either side of it, goes on and reaches the same end', async () => {
		const original = runThatMade(
			['write', wrote(daemonJson, old, withSysbox)],
			['install', installed],
			['folder', { kind: 'folder', path: '/srv/ci' }],
		);
		const fresh = () =>
			dockerHost(
				{ [daemonJson]: withSysbox },
				{
					commands: {
						[remove]: files => {
							files.set(daemonJson, '{}\n');
							return 0;
						},
					},
				},
			);
		const whole = newLog();
		await takeBack(original, fresh(), { log: whole });
		expect(whole.events.length).toBeGreaterThan(15);
		for (let n = 1; n <= whole.events.length; n++) {
			for (const side of ['before', 'after'] as const) {
				const on = fresh();
				const log = newLog();
				const where = `killed ${side} event ${n} (${whole.events[n - 1]?.type})`;
				await expect(takeBack(original, on, { log, dieAt: { n, side } }), where).rejects.toBeInstanceOf(Killed);
				expect((await takeBack(original, on, { log })).end.exit, where).toBe(0);
				expect(on.files.get(daemonJson), where).toBe(old);
				expect(on.runtimes(), where).toEqual(['runc']);
			}
		}
	});
});
