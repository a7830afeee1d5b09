/** A plan that was saved and approved is what is done, or nothing is. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type HeldTo, readHeldTo } from '../../src/cli/plan-file.ts';
import type { Answers } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import { planDigest, type SavedPlan } from '../../src/saved-plan/saved-plan.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import type { ScenarioName } from '../../src/simulation/scenarios.ts';
import { startToolProcess } from '../../src/simulation/state.ts';
import {
	type Ask,
	actions,
	changeable,
	daemonJson,
	fileOf,
	hostIn,
	hostOf,
	newKept,
	runbook,
	statuses,
	textOn,
} from './whole-runbook.ts';

// A whole run in each, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const directory = mkdtempSync(join(tmpdir(), 'sysbox-setup-plans-'));
afterAll(() => rmSync(directory, { recursive: true }));
let plans = 0;

/** Has the whole run planned and saved. */
async function planned(host: SimulatedHost, ask: Ask = {}): Promise<HeldTo> {
	plans += 1;
	const out = join(directory, `plan-${plans}.json`);
	const ended = await runbook(host, { ...ask, mode: 'plan', out });
	expect(ended.screen).toContain(`saved  ${out}`);
	return readHeldTo(out, 'sysbox-setup');
}

/** The same plan with something in it changed by somebody who knows how its digest is made. */
const forged = ({ file, plan }: HeldTo, change: (plan: SavedPlan) => void): HeldTo => {
	const copy = structuredClone(plan);
	change(copy);
	return { file, plan: { ...copy, digest: planDigest(copy) } };
};

const planActions = ({ plan }: HeldTo): readonly string[] =>
	plan.steps.flatMap(step => step.actions.map(action => `${step.id}.${action.id}`));

test('a plan is not written over what somebody has put there while it was made', async () => {
	const out = join(directory, 'taken.json');
	// Asked for the time after the first look at the file.
	const wallClockIsOff = () => {
		if (!existsSync(out)) writeFileSync(out, 'theirs');
		return 0;
	};
	const ended = await runbook(hostOf('fresh-ubuntu'), { mode: 'plan', out, wallClockIsOff });
	expect(ended.exit).toBe(2);
	expect(ended.screen).toContain('is there already, and is not replaced');
	expect(readFileSync(out, 'utf8')).toBe('theirs');
});

describe('a saved plan', () => {
	const choices: readonly [ScenarioName, Answers, readonly RiskName[]][] = [
		['fresh-ubuntu', {}, []],
		['fresh-debian', {}, []],
		['already-set-up', {}, []],
		['containers-running', { 'daemon.default-runtime': true }, ['default-runtime']],
		['docker-29-time-namespace', {}, ['restart-sysbox', 'stop-containers']],
		['outdated-sysbox', { 'sysbox.upgrade': true }, ['restart-sysbox', 'stop-containers']],
		['fusermount3-apparmor', {}, ['weaken-apparmor']],
	];

	test.each(choices)('is what a run does, to the byte and in its order: %s', async (name, answers, risks) => {
		const held = await planned(hostOf(name), { answers });
		const ended = await runbook(hostOf(name), { held, risks });
		expect(ended.screen).not.toContain('not done');
		const done = actions(ended).map(line => line.replace(/ done$/, ''));
		// What an earlier step has done to the word is not done again, and the record is written besides.
		const wanted = planActions(held).filter(id => done.includes(id) || !id.startsWith('security.'));
		expect(done.filter(id => !id.startsWith('record.'))).toEqual(wanted);
		expect([0, 4], ended.screen.slice(-1500)).toContain(ended.exit);
		expect(ended.state.start?.plan?.digest).toBe(held.plan.digest);
	});
});

describe('a restart in a saved plan', () => {
	test('may start again what it stopped, as no plan can foresee what that will be', async () => {
		const busy = () =>
			hostOf('containers-running', {
				change: state => {
					state.files[daemonJson] = fileOf('{ "bip": "172.26.0.1/24" }\n');
				},
			});
		const answers = { 'docker.restart': true, 'docker.start-again': ['db-migration'] };
		const held = await planned(busy(), { answers });
		expect(planActions(held)).not.toContain('docker.start-again');
		const ended = await runbook(busy(), { held, risks: ['restart-docker', 'stop-containers'] });
		expect(actions(ended)).toContain('docker.restart done');
		expect(actions(ended)).toContain('docker.start-again done');
		expect(statuses(ended)).toContain('docker done');
	});
});

describe('a plan that is stale', () => {
	test('is refused before anything is changed, with the file and what is another in it', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const host = hostOf('fresh-ubuntu', {
			change: state => {
				state.files[daemonJson] = fileOf(
					'{ "debug": true, "registry-mirrors": ["https://u:pa55word@m.example.org"] }\n',
				);
			},
		});
		const before = changeable(host.state());
		const ended = await runbook(host, { held });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('Nothing was changed.');
		expect(ended.screen).toContain('sysbox: is another one now: Write /etc/docker/daemon.json');
		expect(ended.screen).toContain(`${daemonJson} is not as it was when the plan was made (sha256 `);
		expect(ended.screen).toMatch(/^ +\+ \{ "debug": true, /m);
		expect(ended.screen).not.toContain('pa55word');
		expect(ended.screen).toContain('have a new plan approved: sysbox-setup plan --out FILE');
		expect(changeable(host.state())).toBe(before);
		expect(ended.kept.events).toEqual([]);
	});

	test('is refused when the answers are others, and names the files that would be', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const ended = await runbook(hostOf('fresh-ubuntu'), { held, answers: { 'ci.memory': '3g' } });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('docker-compose.sysbox.yml would become another one');
		expect(ended.screen).toMatch(/^ +\+ +mem_limit: 3g/m);
		expect(ended.kept.events).toEqual([]);
	});

	test('is refused when a step is blocked that was not', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const host = hostOf('fresh-ubuntu', {
			change: state => {
				state.files[daemonJson] = fileOf('{ "debug": true, }');
			},
		});
		const ended = await runbook(host, { held });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain(': is blocked now: ');
	});

	test('is refused when a container would stop of which nobody was told', async () => {
		const ask: Ask = { answers: { 'daemon.default-runtime': true } };
		const risks = ['default-runtime', 'restart-docker', 'stop-containers'] as const;
		const held = await planned(hostOf('outdated-sysbox'), { answers: { 'sysbox.upgrade': true } });
		const fewer = forged(held, plan => {
			for (const step of plan.steps)
				if (step.impact !== undefined) Object.assign(step.impact, { stops: [], containers: [] });
		});
		const ended = await runbook(hostOf('outdated-sysbox'), { ...ask, held: fewer, risks });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('would stop now, and was not in the plan: ');
	});

	test('is refused in the middle of a run, before the first action that is not in it', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const host = hostOf('fresh-ubuntu');
		const ended = await runbook(host, {
			held,
			onEvent: event =>
				event.type === 'step.start' && event.step === 'ci'
					? host.makeDirectory('/root/sysbox-ci', { mode: 0o755 })
					: undefined,
		});
		expect(ended.exit).toBe(3);
		expect(statuses(ended)).toContain('docker done');
		expect(statuses(ended)).toContain('ci blocked');
		expect(actions(ended).filter(line => /^(ci|functional|security)\./.test(line))).toEqual([]);
		expect(ended.screen).toContain('ci: in the plan, and not to be done now: Make the folder /root/sysbox-ci');
		// What was done is told, as of every run that changed something.
		expect(ended.state.record?.incomplete).toBe(true);
	});

	test('with less in it than a run would do is no leave to do the rest', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const fewer = forged(held, plan => {
			for (const step of plan.steps)
				if (step.id === 'sysbox') Object.assign(step, { actions: step.actions.toSpliced(3, 1) });
		});
		const host = hostOf('fresh-ubuntu');
		const ended = await runbook(host, { held: fewer });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('sysbox: not in the plan: Install sysbox-ce 0.7.1');
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});

	test('accepts no risk', async () => {
		const answers = { 'daemon.default-runtime': true };
		const held = await planned(hostOf('already-set-up'), { answers });
		const host = hostOf('already-set-up');
		const ended = await runbook(host, { held });
		expect(ended.exit).toBe(4);
		expect(ended.screen).toContain('--accept-risk default-runtime');
		expect(textOn(host)).toBe(textOn(hostOf('already-set-up')));
	});
});

describe('a plan for something else', () => {
	test.each([
		['a real host', (plan: SavedPlan) => Object.assign(plan.host, { simulated: false }), 'is a plan for a real host'],
		[
			'another host',
			(plan: SavedPlan) => Object.assign(plan.host, { name: 'ci-08' }),
			'is a plan for ci-08, and this is',
		],
		[
			'a namesake',
			(plan: SavedPlan) => Object.assign(plan.host, { machine: 'a'.repeat(64) }),
			'another machine of the same name',
		],
		['another version', (plan: SavedPlan) => Object.assign(plan.made, { tool: '0.9.0' }), 'by sysbox-setup 0.9.0'],
	])('is wrong input: %s', async (_, change, words) => {
		const held = forged(await planned(hostOf('already-set-up')), change);
		const ended = await runbook(hostOf('already-set-up'), { held });
		expect(ended.exit).toBe(2);
		expect(ended.screen).toContain(words);
	});
});

describe('a run that goes on', () => {
	/** Killed directly after an action began, so that nobody knows what became of it. */
	async function killedIn(action: string, held: HeldTo) {
		const host = hostOf('fresh-ubuntu');
		const kept = newKept('run-1');
		class Gone extends Error {}
		const killed = runbook(host, {
			held,
			kept,
			onEvent: () => {
				const last = kept.events.at(-1);
				if (last?.type === 'action.intent' && `${last.step}.${last.action}` === action) throw new Gone();
			},
		});
		await expect(killed).rejects.toBeInstanceOf(Gone);
		return { host: hostIn(startToolProcess(host.state())), kept };
	}

	test.each([
		'host.install-tools',
		'sysbox.daemon-json',
		'sysbox.download',
		'docker.reload',
		'host.image-docker:29-dind',
	])('does what is left of its plan: cut off in %s', async action => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const { host, kept } = await killedIn(action, held);
		const ended = await runbook(host, { held, kept });
		expect(ended.exit, ended.screen.slice(-2000)).toBe(0);
	});

	test('is held to the plan that it was begun with, and to no other', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const { host, kept } = await killedIn('docker.reload', held);
		const without = await runbook(host, { kept });
		expect(without.exit).toBe(2);
		expect(without.screen).toContain(`the run that was left is held to the saved plan ${held.file}.`);
		expect(without.screen).toContain(`go on with it: sysbox-setup --yes --plan ${held.file}`);
		const other = await runbook(host, {
			kept,
			held: await planned(hostOf('fresh-ubuntu'), { answers: { 'ci.pids': 1000 } }),
		});
		expect(other.exit).toBe(2);
		expect(other.screen).toContain('is held to another plan');
	});

	test('is refused when what it had done was undone meanwhile', async () => {
		const held = await planned(hostOf('fresh-ubuntu'));
		const { host, kept } = await killedIn('sysbox.install', held);
		const original = textOn(hostOf('fresh-ubuntu')) ?? '';
		const state = host.state();
		state.files[daemonJson] = fileOf(original);
		const ended = await runbook(hostIn(state), { held, kept });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('daemon: not in the plan: Set runtimes in /etc/docker/daemon.json');
	});
});
