/** What taking a run back brings back besides files, what it leaves alone, and what it names. */
import { describe, expect, test } from 'vitest';
import { put } from '../../src/simulation/file-tree.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { scenarioState } from '../../src/simulation/scenarios.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import {
	actions,
	daemonJson,
	type Ended,
	fileOf,
	finding,
	findings,
	hostDirectory,
	hostIn,
	hostOf,
	newKept,
	revert,
	runbook,
	runningOn,
	textOn,
} from './whole-runbook.ts';

const setUp = { selection: { only: ['host', 'sysbox', 'daemon', 'docker'] } };
const stays = (back: Ended) => findings(back).filter(f => f.id === 'revert.stays');
const said = (back: Ended) => `${actions(back).join(', ')}\n${back.screen.slice(-3000)}`;

describe.each(['fresh-ubuntu', 'fresh-debian', 'containers-running'] as const)('a run on %s', name => {
	test('leaves the packages, their marks, and the limits of the kernel as they were', async () => {
		const host = hostOf(name);
		const before = host.state();
		const first = await runbook(host, setUp);
		expect(host.state().packages).not.toEqual(before.packages);
		expect(host.state().sysctls).not.toEqual(before.sysctls);
		const back = await revert(host, first.kept);
		expect(back.exit, said(back)).toBe(0);
		expect(host.state().packages).toEqual(before.packages);
		expect(host.state().sysctls).toEqual(before.sysctls);
		expect(runningOn(host.state())).toEqual(runningOn(before));
		expect(stays(back)).toEqual([]);
	});
});

test('a run whose download was cut leaves nothing of it once it is taken back', async () => {
	const host = hostOf('fresh-ubuntu', { faults: [{ name: 'download-cut' }] });
	const packages = () => Object.keys(host.state().files).filter(path => path.endsWith('.deb'));
	const first = await runbook(host, setUp);
	expect(packages()).toHaveLength(1);
	const back = await revert(host, first.kept);
	expect(back.exit, said(back)).toBe(0);
	expect(packages()).toEqual([]);
});

/** fuse, brought in by another package, where the run puts fuse3. */
const withFuse = (state: SimulatedState): void => {
	const { fuse } = state.archive;
	const library = Object.values(state.archive).find(p => p.name.startsWith('libfuse2'));
	if (fuse === undefined || library === undefined) throw new Error('the scenario has no such packages');
	state.packages[library.name] = { ...library, status: 'installed', auto: true };
	delete state.packages['fuse3'];
	delete state.files['/usr/bin/fusermount3'];
	state.packages['fuse'] = { ...fuse, status: 'installed', auto: true };
	for (const path of fuse.files) put(state.files, path, 'ELF', 0o755);
};

describe('packages', () => {
	test('that others took the place of come back, with their marks', async () => {
		const host = hostOf('fresh-ubuntu', { change: withFuse });
		const before = host.state();
		const first = await runbook(host, { ...setUp, risks: ['other-packages'] });
		expect(first.exit, said(first)).toBe(0);
		expect(host.state().packages['fuse']?.status).not.toBe('installed');
		const back = await revert(host, first.kept);
		expect(back.exit, said(back)).toBe(0);
		expect(host.state().packages).toEqual(before.packages);
		expect(actions(back)).toContain('revert.marks done');
	});

	test('that something else needs by now stay, and are named with it', async () => {
		const host = hostOf('fresh-ubuntu');
		const first = await runbook(host, setUp);
		host.disturb(state => {
			state.packages['backup-tool'] = {
				name: 'backup-tool',
				version: '1.0',
				architecture: 'all',
				depends: ['jq'],
				files: [],
				status: 'installed',
			};
		});
		const back = await revert(host, first.kept);
		expect(back.exit, said(back)).toBe(0);
		expect(host.state().packages).toMatchObject({
			jq: { status: 'installed' },
			'backup-tool': { status: 'installed' },
		});
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
		expect(stays(back).map(f => f.summary)).toContain(
			'the package jq stays: backup-tool needs it now, and would go along',
		);
		expect(back.screen).toContain('apt-get purge --simulate jq');
	});
});

describe('an upgrade', () => {
	const upgraded = async (change: (state: SimulatedState) => void = () => undefined) => {
		const host = hostOf('outdated-sysbox', { change });
		const before = host.state();
		const first = await runbook(host, {
			selection: { only: ['host', 'sysbox'] },
			answers: { 'sysbox.upgrade': true },
			risks: ['restart-sysbox', 'stop-containers'],
		});
		expect(host.state().packages['sysbox-ce']?.version, said(first)).not.toBe(before.packages['sysbox-ce']?.version);
		return { host, before, first };
	};

	test('goes back to the version from before where its package still lies on the host, by name of its risks', async () => {
		const { host, before, first } = await upgraded(state => {
			const old = state.packages['sysbox-ce'];
			if (old === undefined) throw new Error('the scenario has no Sysbox');
			const { status: _, ...control } = old;
			put(state.files, `${hostDirectory}/downloads/0123456789ab-sysbox-ce.deb`, '');
			state.files[`${hostDirectory}/downloads/0123456789ab-sysbox-ce.deb`] = {
				kind: 'file',
				mode: 0o600,
				uid: 0,
				gid: 0,
				declared: { size: 1000, sha256: 'ab'.repeat(32), holds: { kind: 'deb', package: control } },
			};
		});
		const refused = await revert(host, first.kept);
		expect(refused.exit).toBe(4);
		expect(refused.screen).toContain('--accept-risk downgrade');
		const back = await revert(host, first.kept, { risks: ['downgrade', 'stop-containers', 'lose-inner-stores'] });
		expect(back.exit, said(back)).toBe(0);
		expect(host.state().packages['sysbox-ce']?.version).toBe(before.packages['sysbox-ce']?.version);
		// Sysbox goes down for it, as for the upgrade: what runs under it is stopped first and started again.
		const order = actions(back).map(action => action.split(' ')[0]);
		expect(order.indexOf('revert.stop-sysbox-containers')).toBeLessThan(order.indexOf('revert.earlier.sysbox-ce'));
		expect(order).toContain('revert.stop-sysbox-containers');
		expect(agentOn(host)).toMatchObject({ status: 'running', orphaned: false });
	});

	const agentOn = (host: SimulatedHost) =>
		host.state().docker.engine.containers.find(c => c.name === 'docker-build-agent');

	test('stays where the earlier package is gone, and both versions are named', async () => {
		const { host, before, first } = await upgraded();
		const now = host.state().packages['sysbox-ce']?.version ?? '';
		const back = await revert(host, first.kept);
		expect(host.state().packages['sysbox-ce']?.version).toBe(now);
		expect(stays(back)[0]?.summary).toBe(
			`sysbox-ce stays at ${now}: it was ${before.packages['sysbox-ce']?.version} before the run`,
		);
		// Not taken back: the run still stands, and the screen says what is left to do.
		expect(back.exit).toBe(4);
		expect(back.screen).toContain(
			`put the package of sysbox-ce ${before.packages['sysbox-ce']?.version} into ${hostDirectory}/downloads`,
		);
	});
});

test('a Sysbox container that starts after the plan was shown keeps Sysbox from being purged', async () => {
	const host = hostOf('fresh-ubuntu', {
		change: state => {
			const old = scenarioState('containers-running').docker.engine.containers[0];
			if (old !== undefined) state.docker.engine.containers.push({ ...old, name: 'late', status: 'exited' });
		},
	});
	const first = await runbook(host, setUp);
	/** A job begins while Docker is being told to forget the runtime. */
	const busy: SimulatedHost = {
		...host,
		run: async (argv, options) => {
			const result = await host.run(argv, options);
			if (argv.join(' ') === 'systemctl reload docker')
				host.disturb(state => {
					for (const c of state.docker.engine.containers)
						if (c.name === 'late') Object.assign(c, { status: 'running', runtime: 'sysbox-runc', isolation: 'sysbox' });
				});
			return result;
		},
	};
	const back = await revert(busy, first.kept);
	expect(back.exit, said(back)).toBe(4);
	// The plan is made anew, and it is one that was not approved.
	expect(back.screen).toContain('late (running');
	expect(back.screen).toContain('--yes --accept-risk stop-containers');
	expect(actions(back).join()).not.toContain('purge-packages');
	expect(host.state().packages['sysbox-ce']?.status).toBe('installed');
});

test('a limit of the kernel that somebody has set since stays, and is named with its values', async () => {
	const host = hostOf('fresh-ubuntu');
	const before = host.state().sysctls['fs.inotify.max_user_watches'];
	const first = await runbook(host, setUp);
	host.disturb(state => {
		state.sysctls['fs.inotify.max_user_watches'] = '524288';
	});
	const back = await revert(host, first.kept);
	expect(back.exit, said(back)).toBe(0);
	expect(host.state().sysctls['fs.inotify.max_user_watches']).toBe('524288');
	expect(stays(back).map(f => `${f.summary} ${f.evidence}`)).toEqual([
		`/proc/sys/fs/inotify/max_user_watches stays 524288: the run made it 1048576, and somebody has changed it since before the run it was ${before}`,
	]);
});

describe('daemon.json', () => {
	const secret = 'hunter2-and-more';
	const withSecret = `{\n\t"proxies": {\n\t\t"http-proxy": "http://ci:${secret}@proxy.example:3128"\n\t},\n\t"live-restore": true\n}\n`;
	const hostWithSecret = () =>
		hostOf('fresh-ubuntu', {
			change: state => {
				state.files[daemonJson] = fileOf(withSecret);
			},
		});

	test('keeps its secrets through the run and the way back, and neither log nor screen has them', async () => {
		const host = hostWithSecret();
		const first = await runbook(host, setUp);
		expect(textOn(host)).toContain(secret);
		expect(textOn(host)).not.toBe(withSecret);
		const back = await revert(host, first.kept);
		expect(back.exit, said(back)).toBe(0);
		expect(textOn(host)).toBe(withSecret);
		for (const { kept, screen } of [first, back]) {
			expect(JSON.stringify(kept.events)).not.toContain(secret);
			expect(screen).not.toContain(secret);
			expect(screen).toContain('[redacted]');
		}
	});

	test('that somebody changed since is refused with both differences, without the secrets in it', async () => {
		const host = hostWithSecret();
		const first = await runbook(host, setUp);
		const changed = (textOn(host) ?? '').replace('"live-restore": true', '"live-restore": false');
		host.disturb(state => {
			state.files[daemonJson] = fileOf(changed);
		});
		const back = await revert(host, first.kept);
		expect(back.exit).toBe(3);
		expect(textOn(host)).toBe(changed);
		const found = finding(back, 'revert.changed-since');
		const [since = '', wouldBe = ''] = found?.evidence?.split('what putting back the bytes') ?? [];
		expect(since).toMatch(/^-.*"live-restore": true/m);
		expect(since).toMatch(/^\+.*"live-restore": false/m);
		expect(since).not.toMatch(/^[-+].*sysbox-runc/m);
		expect(wouldBe).toMatch(/^-.*"live-restore": false/m);
		expect(wouldBe).toMatch(/^-.*sysbox-runc/m);
		expect(wouldBe).toMatch(/^\+.*"live-restore": true/m);
		expect(`${found?.evidence}${back.screen}`).not.toContain(secret);
		// The command that is shown leads to bytes that were kept.
		const [, cp] = found?.remedy?.kind === 'commands' ? found.remedy.commands : [];
		expect(cp).toMatch(new RegExp(`^cp ${hostDirectory}/runs/run-1/backup/[0-9a-f]{64} ${daemonJson}$`));
		expect(first.kept.backups.has(/backup\/([0-9a-f]{64})/.exec(cp ?? '')?.[1] ?? '')).toBe(true);
	});
});

describe('where dockerd reads another file', () => {
	const elsewhere = '/etc/docker/engine.json';
	const own = '{ "log-driver":"local" }\n';
	const readsElsewhere = () =>
		hostOf('fresh-ubuntu', {
			change: state => {
				const unit = state.units['docker.service'];
				const file = state.files[unit?.fragment ?? ''];
				if (unit === undefined || file?.kind !== 'file') throw new Error('no unit of Docker');
				const flags = (text: string) => text.replace(/^ExecStart=.*/m, `$& --config-file=${elsewhere}`);
				state.files[unit.fragment] = fileOf(flags(file.text ?? ''));
				unit.loadedText = flags(unit.loadedText);
				state.files[elsewhere] = fileOf(own);
				delete state.files[daemonJson];
			},
		});

	test('the runtime is taken out of that file, and neither file is other than before', async () => {
		const host = readsElsewhere();
		const first = await runbook(host, setUp);
		expect(first.exit, said(first)).toBe(0);
		expect(textOn(host, elsewhere)).toContain('sysbox-runc');
		const back = await revert(host, first.kept);
		expect(back.exit, said(back)).toBe(0);
		expect(textOn(host, elsewhere)).toBe(own);
		expect(textOn(host)).toBeUndefined();
		expect(Object.keys(host.state().docker.engine.config.runtimes)).not.toContain('sysbox-runc');
		const forget = back.state.actions.find(action => action.id === 'forget-runtime');
		expect(forget?.title).toBe(`Take sysbox-runc out of ${elsewhere}`);
		const again = await revert(host, first.kept, { kept: newKept('again') });
		expect(again.exit).toBe(0);
		expect(again.state.actions).toEqual([]);
	});
});

describe('a package that is gone is gone', () => {
	/** The apt that a killed revert had started comes to its end between the look and the purge. */
	const purgedMeanwhile = async (gone: readonly string[]) => {
		const host = hostOf('fresh-ubuntu', {
			// A local package: apt knows it as long as it is installed, and no longer.
			change: state => {
				delete state.archive['sysbox-ce'];
			},
		});
		const first = await runbook(host, setUp);
		expect(first.exit, said(first)).toBe(0);
		let done = false;
		const back = await revert(host, first.kept, {
			onEvent: event => {
				if (done || event.type !== 'action.intent' || event.action !== 'purge-packages') return;
				done = true;
				host.disturb(state => {
					for (const name of gone) delete state.packages[name];
				});
			},
		});
		return { host, back, first };
	};

	test('alone, and what else the run brought is purged after another look', async () => {
		const { host, back } = await purgedMeanwhile(['sysbox-ce']);
		expect(back.exit, said(back)).toBe(0);
		expect(actions(back).filter(a => a.includes('purge-packages'))).toEqual([
			'revert.purge-packages refused',
			'revert.purge-packages done',
		]);
		expect(host.state().packages).toEqual(hostOf('fresh-ubuntu').state().packages);
		expect(back.screen).toContain('sysbox-ce is gone already');
	});

	test('with all that came with it, so that nothing is left to do', async () => {
		const before = hostOf('fresh-ubuntu').state().packages;
		const brought = (state: SimulatedState) => Object.keys(state.packages).filter(name => before[name] === undefined);
		const probe = await purgedMeanwhile([]);
		const all = brought((await runbookOn()).state());
		expect(all).toContain('sysbox-ce');
		expect(brought(probe.host.state())).toEqual([]);
		const { host, back } = await purgedMeanwhile(all);
		expect(back.exit, said(back)).toBe(0);
		expect(actions(back)).toContain('revert.purge-packages done');
		expect(host.state().packages).toEqual(before);
	});

	const runbookOn = async () => {
		const host = hostOf('fresh-ubuntu');
		await runbook(host, setUp);
		return host;
	};
});

test('a revert that is killed at any event goes on and reaches the same end', async () => {
	const host = hostOf('fresh-ubuntu');
	const before = host.state().packages;
	const first = await runbook(host, setUp);
	const setUpState = host.state();
	class Kill extends Error {}
	const events = await revert(hostIn(setUpState), first.kept);
	const moments = events.kept.events.flatMap(({ type }, n) =>
		type === 'action.intent' || type === 'action.outcome' ? [n] : [],
	);
	const purge = events.kept.events.findIndex(e => e.type === 'action.intent' && e.action === 'purge-packages');
	expect(moments.length).toBeGreaterThan(10);
	for (const moment of moments)
		for (const aptGoesOn of moment === purge + 1 || moment === purge ? [false, true] : [false]) {
			const on = hostIn(setUpState);
			const kept = newKept('back');
			const killed = revert(on, first.kept, {
				kept,
				onEvent: event => {
					if (event.seq === moment) throw new Kill();
				},
			});
			await expect(killed).rejects.toThrow(Kill);
			let purging = aptGoesOn;
			const back = await revert(on, first.kept, {
				kept,
				onEvent: event => {
					if (!purging || event.type !== 'action.intent' || event.action !== 'purge-packages') return;
					purging = false;
					on.disturb(state => {
						delete state.packages['sysbox-ce'];
					});
				},
			});
			expect(back.exit, `killed at ${moment}, apt ${aptGoesOn ? 'goes on' : 'is gone'}\n${said(back)}`).toBe(0);
			expect(on.state().packages).toEqual(before);
		}
}, 120_000);

test('a Docker that does not come up is started again, once daemon.json is as it was', async () => {
	const host = hostOf('fresh-ubuntu');
	const before = textOn(host);
	const first = await runbook(host, setUp);
	const down = hostIn(host.state(), { faults: [{ name: 'docker-down' }] });
	down.disturb(state => {
		const unit = state.units['docker.service'];
		if (unit !== undefined) Object.assign(unit, { active: 'failed', sub: 'failed', result: 'exit-code' });
	});
	const back = await revert(down, first.kept);
	expect(back.exit, said(back)).toBe(0);
	expect(actions(back)).toEqual(expect.arrayContaining([`revert.file.${daemonJson} done`, 'revert.start-docker done']));
	expect(down.state().docker.engine.up).toBe(true);
	expect(Object.keys(down.state().docker.engine.config.runtimes)).toEqual([]);
	expect(textOn(down)).toBe(before);
	expect(down.state().packages['sysbox-ce']).toBeUndefined();
});

describe('a container that runs under Sysbox by then', () => {
	const risks = ['stop-containers', 'lose-inner-stores'] as const;
	const name = 'jenkins-agent-1';
	/** A host that was set up, with a container that uses it since. */
	async function inUse() {
		const first = hostOf('containers-running');
		const { kept } = await runbook(first, setUp);
		const state = first.state();
		const agent = state.docker.engine.containers.find(c => c.name === name);
		if (agent === undefined) throw new Error(`no container ${name}`);
		agent.runtime = 'sysbox-runc';
		return { host: hostIn(state), kept };
	}
	const agentOn = (host: SimulatedHost) => host.state().docker.engine.containers.find(c => c.name === name);

	test('is stopped before anything else, and told to stay so', async () => {
		const { host, kept } = await inUse();
		const back = await revert(host, kept, { risks: [...risks] });
		expect(back.exit, said(back)).toBe(0);
		expect(actions(back)[0]).toBe('revert.stop-sysbox-containers done');
		const told = back.state.steps[0]?.plan?.impact?.containers ?? [];
		expect(told.map(c => [c.name, c.fate])).toEqual([[name, 'stays-stopped']]);
		expect(agentOn(host)?.status).toBe('exited');
	});
});
