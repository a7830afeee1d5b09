import { describe, expect, test } from 'vitest';
import { performAction } from '../../src/actions/perform-action.ts';
import type { Action } from '../../src/model/action.ts';
import type { Event } from '../../src/model/event.ts';
import { reduceAll } from '../../src/model/state.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { type SimulatedHost, simulatedHost } from '../../src/simulation/host.ts';
import { rebooted } from '../../src/simulation/reboot.ts';
import { scenarioState } from '../../src/simulation/scenarios.ts';
import { type SimulatedState, startToolProcess } from '../../src/simulation/state.ts';
import { sha256 } from '../../src/text/sha256.ts';
import { armWatchdog, clearAway, disarmWatchdog } from '../../src/watchdog/actions.ts';
import { inspectWatchdog } from '../../src/watchdog/facts.ts';
import { watchdogFindings } from '../../src/watchdog/findings.ts';
import type { Afterwards } from '../../src/watchdog/script.ts';

const daemonJson = '/etc/docker/daemon.json';
const good = '{\n  "log-driver": "json-file"\n}\n';
/** dockerd does not come up with it: the default runtime is not defined. */
const bad = '{\n  "default-runtime": "gone"\n}\n';
const { signal } = new AbortController();

const encode = (text: string) => new TextEncoder().encode(text);
const sha = (text: string) => sha256(encode(text));

const textAt = (host: SimulatedHost, path: string): string | undefined => {
	const node = host.state().files[path];
	return node?.kind === 'file' ? (node.text ?? '') : undefined;
};

/** A host on which a run has written `now` over `earlier`, and whose Docker still goes by `earlier`. */
async function hostWith(now: string, faults: readonly Fault[] = []): Promise<SimulatedHost> {
	const host = simulatedHost({ state: scenarioState('fresh-debian'), faults });
	await host.makeDirectory('/etc/docker', { mode: 0o755 });
	await host.makeDirectory('/var/lib/sysbox-setup', { mode: 0o700 });
	host.disturb(state => {
		state.files[daemonJson] = { kind: 'file', text: now, mode: 0o644, uid: 0, gid: 0 };
	});
	return host;
}

/** As the tool does it. */
async function dispatch(host: SimulatedHost, action: Action): Promise<void> {
	const events: Event[] = [];
	const result = await performAction('docker', action, {
		host,
		emit: async payload => {
			events.push({ v: 1, seq: events.length, at: '', ...payload });
		},
		keep: async bytes => sha256(bytes),
		kept: async () => undefined,
		keptAt: sha256 => sha256,
		state: () => reduceAll(events),
		elapsed: host.clock.now,
		pause: host.clock.sleep,
		signal,
	});
	expect(result, action.id).toEqual({ kind: 'done' });
}

async function armed(
	host: SimulatedHost,
	earlier: Uint8Array | 'missing' | 'unchanged',
	now: string,
	afterwards: readonly Afterwards[] = [],
) {
	const facts = await inspectWatchdog(host, signal);
	const actions = armWatchdog(
		{ file: daemonJson, sha256: await sha(now), earlier, dockerHost: 'unix:///var/run/docker.sock', afterwards },
		facts,
	);
	for (const action of actions) await dispatch(host, action);
	return actions;
}

const restart = (host: SimulatedHost) => host.run(['systemctl', 'restart', 'docker'], { timeoutMs: 600_000 });
/** Time passes, and whatever is due happens. */
const pass = (host: SimulatedHost, ms: number): void => {
	host.clock.advance(ms);
	host.disturb(() => undefined);
};

/** What it told syslog. */
const saidBy = (host: SimulatedHost): string =>
	host
		.state()
		.journal.filter(({ who }) => who === 'sysbox-setup')
		.map(({ text }) => text)
		.join('\n');

/** Says that the file is still there. Each has a word of its own path in it. */
const seen = (path: string): Afterwards => ({
	where: ['cat', path],
	says: 'sysbox-setup',
	run: ['logger', '-t', 'sysbox-setup', `seen ${path}`],
});

/** Nothing of the switch is on the host but, perhaps, its note. */
function expectGone(state: SimulatedState, note: 'note' | 'no note' = 'no note'): void {
	const left = Object.keys(state.files).filter(path => /switch|multi-user\.target\.d/.test(path));
	expect(left).toEqual(note === 'note' ? ['/var/lib/sysbox-setup/switch', '/var/lib/sysbox-setup/switch/fired'] : []);
	expect(Object.keys(state.units).filter(name => name.includes('switch'))).toEqual([]);
}

describe('an armed switch', () => {
	test('puts the earlier file back and starts Docker when Docker does not come back and the tool is gone', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		expect((await restart(host)).code).toBe(1);
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBe(good);
		expect(host.state().docker.engine.up).toBe(true);
		const facts = await inspectWatchdog(host, signal);
		expect(facts.fired).toMatchObject({ by: 'deadline', did: 'put-back', docker: 'started', written: await sha(bad) });
		expect(saidBy(host)).toContain("dead man's switch (deadline)");
		expectGone(host.state(), 'note');
	});

	test('removes a file that was not there before', async () => {
		const host = await hostWith(bad);
		await armed(host, 'missing', bad);
		await restart(host);
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBeUndefined();
		expect(host.state().docker.engine.up).toBe(true);
		expectGone(host.state(), 'note');
	});

	test('leaves bytes that somebody else wrote meanwhile, and starts Docker with them', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		await restart(host);
		// Until systemd has given up on it.
		pass(host, 10_000);
		const theirs = '{\n  "debug": true\n}\n';
		host.disturb(state => {
			state.files[daemonJson] = { kind: 'file', text: theirs, mode: 0o644, uid: 0, gid: 0 };
		});
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBe(theirs);
		expect(host.state().docker.engine.up).toBe(true);
		expect((await inspectWatchdog(host, signal)).fired).toMatchObject({ did: 'left-file', docker: 'started' });
	});

	test('does not put back a copy that was damaged', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		host.disturb(state => {
			state.files['/var/lib/sysbox-setup/switch/daemon.json'] = {
				kind: 'file',
				text: '{',
				mode: 0o600,
				uid: 0,
				gid: 0,
			};
		});
		await restart(host);
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBe(bad);
		expect((await inspectWatchdog(host, signal)).fired).toMatchObject({ did: 'no-copy', docker: 'does-not-start' });
	});

	test('lets those take jobs again who were told to take none, and looks first where it has to', async () => {
		const host = await hostWith('{}\n');
		const said = (text: string) => ['logger', '-t', 'sysbox-setup', text] as const;
		const actions = armWatchdog(
			{
				file: daemonJson,
				sha256: await sha('{}\n'),
				earlier: 'unchanged',
				dockerHost: 'unix:///var/run/docker.sock',
				afterwards: [
					said('always'),
					{ where: ['cat', daemonJson], says: '{}', run: said('it was so') },
					{ where: ['cat', daemonJson], says: '"other"', run: said('it was not so') },
				],
			},
			await inspectWatchdog(host, signal),
		);
		for (const action of actions) await dispatch(host, action);
		await restart(host);
		pass(host, 90_000);
		expect(saidBy(host).split('\n').slice(-2)).toEqual(['always', 'it was so']);
	});

	test('stands down and goes when Docker came back and the tool is gone', async () => {
		const host = await hostWith('{}\n');
		await armed(host, encode(good), '{}\n');
		expect((await restart(host)).code).toBe(0);
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBe('{}\n');
		expect(saidBy(host)).toContain('daemon.json: stand-down; docker: active');
		expectGone(host.state());
	});

	test('starts Docker also where systemd starts it no more, after three bad starts within a minute', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		pass(host, 46_000);
		await restart(host);
		pass(host, 9_000);
		expect(host.state().units['docker.service']?.result).toBe('start-limit-hit');
		pass(host, 20_000);
		expect(host.state().docker.engine.up).toBe(true);
		expect(textAt(host, daemonJson)).toBe(good);
	});

	test('looks twice at a Docker that is down, so that whoever is putting it right goes first', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		pass(host, 56_800);
		await restart(host);
		// Down, and systemd is about to start it once more: with the file that the run has put back just now.
		host.disturb(state => {
			state.files[daemonJson] = { kind: 'file', text: good, mode: 0o644, uid: 0, gid: 0 };
		});
		pass(host, 20_000);
		expect(host.state().docker.engine.up).toBe(true);
		expect(saidBy(host)).toContain('daemon.json: stand-down; docker: active');
		expectGone(host.state());
	});

	test('puts the earlier file back where Docker runs and answers at none of its looks', async () => {
		const host = await hostWith('{}\n', [{ name: 'docker-hangs', command: 'version' }]);
		await armed(host, encode(good), '{}\n');
		expect((await restart(host)).code).toBe(0);
		pass(host, 120_000);
		expect(textAt(host, daemonJson)).toBe(good);
		expect((await inspectWatchdog(host, signal)).fired).toMatchObject({ did: 'put-back', docker: 'started' });
	});

	test('leaves a Docker alone that answers late, and goes', async () => {
		const host = await hostWith('{}\n', [{ name: 'docker-hangs', command: 'version', times: 4 }]);
		await armed(host, encode(good), '{}\n');
		expect((await restart(host)).code).toBe(0);
		pass(host, 180_000);
		expect(textAt(host, daemonJson)).toBe('{}\n');
		expect(saidBy(host)).toContain('daemon.json: stand-down; docker: active');
		expectGone(host.state());
	});

	describe('once Docker has answered with what it was restarted for', () => {
		/** It answers the first look, and nobody afterwards. */
		const muteLater: Fault = { name: 'docker-hangs', command: 'version', nth: 2 };
		const answered = async (): Promise<SimulatedHost> => {
			const host = await hostWith('{}\n', [muteLater]);
			await armed(host, encode(good), '{}\n');
			expect((await restart(host)).code).toBe(0);
			pass(host, 10_000);
			return host;
		};

		test('is disarmed for good: one that is mute at the deadline keeps its file', async () => {
			const host = await answered();
			pass(host, 300_000);
			expect(textAt(host, daemonJson)).toBe('{}\n');
			expect(saidBy(host)).toContain('daemon.json: stand-down');
			expectGone(host.state());
		});

		test('and so does one that has stopped by then', async () => {
			const host = await answered();
			await host.run(['systemctl', 'stop', 'docker.socket', 'docker.service'], { timeoutMs: 60_000 });
			pass(host, 300_000);
			expect(textAt(host, daemonJson)).toBe('{}\n');
			expectGone(host.state());
		});

		test('the power fails: the boot leaves the file, clears the switch away and says nothing', async () => {
			const after = simulatedHost({ state: rebooted((await answered()).state(), 'cut') });
			expect(textAt(after, daemonJson)).toBe('{}\n');
			expectGone(after.state());
		});

		test('what it still has on the host is taken away as ever', async () => {
			const host = await hostWith('{}\n');
			const actions = await armed(host, encode(good), '{}\n');
			await restart(host);
			pass(host, 10_000);
			for (const action of disarmWatchdog(actions)) await dispatch(host, action);
			expectGone(host.state());
		});
	});

	test('does not take the answer of the Docker from before for the new one', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		pass(host, 40_000);
		await restart(host);
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBe(good);
	});

	test('that nobody waits for any more stops watching', async () => {
		const host = await hostWith('{}\n');
		await armed(host, encode(good), '{}\n');
		const stop = ['systemctl', 'stop', 'sysbox-setup-switch-deadline.timer'] as const;
		expect((await host.run(stop, { timeoutMs: 30_000 })).code).toBe(0);
		pass(host, 10_000);
		expect((await inspectWatchdog(host, signal)).waiting).toBe(false);
	});

	test.each(['timer', 'service'])(
		'does nothing in the boot in which its deadline is waited for, whoever starts its unit (%s)',
		async waits => {
			const host = await hostWith(bad);
			await armed(host, encode(good), bad);
			const other = waits === 'timer' ? 'service' : 'timer';
			host.disturb(state => {
				// One of the two is enough.
				delete state.files[`/run/systemd/transient/sysbox-setup-switch-deadline.${other}`];
			});
			const start = ['systemctl', 'start', 'sysbox-setup-switch.service'] as const;
			expect((await host.run(start, { timeoutMs: 60_000 })).code).toBe(0);
			expect(textAt(host, daemonJson)).toBe(bad);
			expect((await inspectWatchdog(host, signal)).fired).toBeUndefined();
		},
	);

	test('without its script is passed over by the next boot, and nothing fails there', async () => {
		const host = await hostWith(good);
		await armed(host, encode(good), bad);
		await host.run(['rm', '/var/lib/sysbox-setup/switch/put-back'], { timeoutMs: 1000 });
		const after = simulatedHost({ state: rebooted(host.state(), 'cut') });
		expect(after.state().docker.engine.up).toBe(true);
		expect(after.state().units['sysbox-setup-switch.service']?.active).not.toBe('failed');
		expect(after.state().journal.filter(({ unit, text }) => unit?.includes('switch') && /Fail/.test(text))).toEqual([]);
	});

	test('leaves a slow Docker alone that is still starting at the deadline', async () => {
		const host = await hostWith('{}\n', [{ name: 'docker-starts-slowly', ms: 200_000, times: 1 }]);
		await armed(host, encode(good), '{}\n');
		const { startedAt } = host.state().units['docker.service'] ?? {};
		expect((await restart(host)).code).toBe(0);
		pass(host, 90_000);
		expect(textAt(host, daemonJson)).toBe('{}\n');
		expect(host.state().docker.engine.up).toBe(true);
		expect(host.state().units['docker.service']?.startedAt).not.toBe(startedAt);
		expectGone(host.state());
	});

	test('gives up on a Docker that is still starting after ten minutes, and says so', async () => {
		const host = await hostWith('{}\n', [{ name: 'docker-starts-slowly', ms: 3_600_000, times: 1 }]);
		await armed(host, encode(good), '{}\n');
		host.disturb(state => {
			const unit = state.units['docker.service'];
			if (unit !== undefined)
				Object.assign(unit, { active: 'activating', sub: 'start', readyAt: state.now + 3_600_000 });
			state.docker.engine.up = false;
		});
		pass(host, 90_000);
		expect((await inspectWatchdog(host, signal)).fired).toMatchObject({ did: 'give-up', docker: 'activating' });
		expect(textAt(host, daemonJson)).toBe('{}\n');
		expectGone(host.state(), 'note');
	});

	test('goes when the restart that it was armed for never came', async () => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		pass(host, 61_000);
		expect(textAt(host, daemonJson)).toBe(bad);
		expect(host.state().docker.engine.up).toBe(true);
		expectGone(host.state());
	}, 60_000);

	test.each(['cut', 'orderly'] as const)('puts the earlier file back before Docker starts (%s)', async how => {
		const host = await hostWith(bad);
		await armed(host, encode(good), bad);
		const after = simulatedHost({ state: rebooted(host.state(), how) });
		expect(textAt(after, daemonJson)).toBe(good);
		expect(after.state().docker.engine.up).toBe(true);
		expect((await inspectWatchdog(after, signal)).fired).toMatchObject({ by: 'boot', did: 'put-back' });
		expectGone(after.state(), 'note');
	});

	test('gives back after a power cut what needs Docker, once Docker has started, and does not hold it up', async () => {
		const host = await hostWith(bad);
		const asks: Afterwards = ['docker', 'version', '--format', '{{.Server.Version}}'];
		await armed(host, encode(good), bad, [
			asks,
			['systemctl', 'start', 'gitlab-runner.service'],
			['logger', '-t', 'sysbox-setup', 'given back'],
		]);
		host.disturb(state => {
			const text = '[Unit]\nAfter=docker.service\n[Service]\nExecStart=/usr/bin/gitlab-runner "run"\n';
			const fragment = '/etc/systemd/system/gitlab-runner.service';
			state.files[fragment] = { kind: 'file', text, mode: 0o644, uid: 0, gid: 0 };
		});
		const after = simulatedHost({ state: rebooted(host.state(), 'cut') });
		expect(textAt(after, daemonJson)).toBe(good);
		const told = after
			.state()
			.journal.map(({ who, unit, text }) => (who === 'sysbox-setup' ? text : `${unit} ${text}`));
		const bootRun = told.findIndex(text => text.includes("dead man's switch (boot)"));
		const docker = told.findIndex((text, n) => n > bootRun && /^docker\.service Started/.test(text));
		const runner = told.findIndex((text, n) => n > docker && /^gitlab-runner\.service Started/.test(text));
		expect(bootRun).toBeGreaterThan(-1);
		expect(docker).toBeGreaterThan(bootRun);
		expect(runner).toBeGreaterThan(docker);
		expect(told.indexOf('given back')).toBeGreaterThan(runner);
		// Nobody had to be killed, and Docker answered when it was asked.
		expect(after.state().units['gitlab-runner.service']?.active).toBe('active');
		expect(told.filter(text => /switch\S* (?:Failed|.*Cannot connect)/.test(text))).toEqual([]);
		expectGone(after.state(), 'note');
	});

	test.each(['boot', 'deadline'] as const)(
		'has nothing left to act on, whatever what it gives back may hang on (%s)',
		async by => {
			const host = await hostWith(bad);
			await armed(host, encode(good), bad, [
				['sleep', 'infinity'],
				['sleep', 'infinity'],
				seen('/etc/systemd/system/multi-user.target.d/sysbox-setup-switch.conf'),
				seen('/etc/systemd/system/sysbox-setup-switch.service'),
				seen('/var/lib/sysbox-setup/switch/put-back'),
			]);
			let after = host;
			if (by === 'boot') after = simulatedHost({ state: rebooted(host.state(), 'cut') });
			else {
				await restart(host);
				pass(host, 600_000);
			}
			expect(textAt(after, daemonJson)).toBe(good);
			expect(after.state().docker.engine.up).toBe(true);
			expect((await inspectWatchdog(after, signal)).fired).toMatchObject({ by, did: 'put-back' });
			expect(saidBy(after)).not.toContain('seen');
			expectGone(after.state(), 'note');
			// Another boot is like any other: somebody's later file stays.
			after.disturb(state => {
				state.files[daemonJson] = { kind: 'file', text: bad, mode: 0o644, uid: 0, gid: 0 };
			});
			expect(textAt(simulatedHost({ state: rebooted(after.state(), 'cut') }), daemonJson)).toBe(bad);
		},
	);

	test('that a power cut has stopped in the middle of removing itself is cleared away by the next run', async () => {
		const host = await hostWith(good);
		await armed(host, encode(good), bad, [['docker', 'version']]);
		for (const argv of [
			['rm', '/etc/systemd/system/multi-user.target.d/sysbox-setup-switch.conf'],
			['rm', '/etc/systemd/system/sysbox-setup-switch.service'],
			['rm', '/var/lib/sysbox-setup/switch/daemon.json'],
		] as const)
			expect((await host.run(argv, { timeoutMs: 1000 })).code).toBe(0);
		const after = simulatedHost({ state: startToolProcess(rebooted(host.state(), 'cut')) });
		const facts = await inspectWatchdog(after, signal);
		expect(watchdogFindings(facts)[0]?.summary).toBe("Something of a dead man's switch is left; nothing of it acts");
		for (const action of clearAway(facts)) await dispatch(after, action);
		expectGone(after.state());
	});

	test('is gone once it is taken away, and the next boot is like any other', async () => {
		const host = await hostWith('{}\n');
		const actions = await armed(host, encode(good), '{}\n');
		for (const action of disarmWatchdog(actions)) await dispatch(host, action);
		expectGone(host.state());
		const after = simulatedHost({ state: rebooted(host.state()) });
		expect(textAt(after, daemonJson)).toBe('{}\n');
		expect(after.state().docker.engine.up).toBe(true);
	});
});

test('each action says which earlier one it takes back, and none is left out', async () => {
	const host = await hostWith(bad);
	const actions = armWatchdog(
		{ file: daemonJson, sha256: await sha(bad), earlier: encode(good), dockerHost: 'unix:///var/run/docker.sock' },
		await inspectWatchdog(host, signal),
	);
	expect(
		disarmWatchdog(actions)
			.flatMap(action => action.takesBack ?? [])
			.toSorted(),
	).toEqual(actions.map(action => action.id).toSorted());
});
