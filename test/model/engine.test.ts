import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import type { Decider, ReviewDecision } from '../../src/model/decider.ts';
import type { Finding } from '../../src/model/finding.ts';
import { sayWork } from '../../src/model/open-work.ts';
import { orderSteps } from '../../src/model/order.ts';
import type { Probe } from '../../src/model/probe.ts';
import { changeStep, type ProofStep, proofStep, type Step } from '../../src/model/step.ts';
import type { WriteHost } from '../../src/port/host.ts';
import { decideFromAnswers } from '../../src/prompts/from-answers.ts';
import { type EngineAsk, engineRun, type KeptRun, newKeptRun } from '../support/engine-run.ts';
import { Killed } from '../support/memory-log.ts';
import { tinyHost } from '../support/tiny-host.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A change step that wants a file to hold a text. */
function wantsFile(
	id: string,
	path: string,
	text: string,
	extra: { needs?: string[]; findings?: (has: boolean) => Finding[]; action?: Partial<Action> } = {},
): Step {
	return changeStep<{ now: string | undefined }>({
		id,
		title: `Step ${id}`,
		why: 'test',
		needs: extra.needs ?? [],
		async inspect({ host }) {
			const file = await host.readFile(path);
			return { now: file.kind === 'bytes' ? new TextDecoder().decode(file.bytes) : undefined };
		},
		judge: facts =>
			extra.findings?.(facts.now === text) ?? [
				{
					id: `${id}.file`,
					severity: facts.now === text ? 'ok' : 'block',
					summary: path,
					remedy: { kind: 'planned', text: 'written' },
				},
			],
		plan: ({ now }) =>
			now === text
				? { actions: [] }
				: {
						actions: [
							{
								id: 'write',
								kind: 'write',
								title: `Write ${path}`,
								why: 'test',
								path,
								bytes: bytes(text),
								mode: 0o644,
								expect: now === undefined ? { kind: 'missing' } : { kind: 'sha256', sha256: sha(now) },
								...(now !== undefined && { before: now }),
								...extra.action,
							} as Action,
						],
					},
	});
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

interface World {
	readonly files: Map<string, string>;
	readonly kept: KeptRun;
}

const newWorld = (files: Record<string, string> = {}): World => ({
	files: new Map(Object.entries(files)),
	kept: newKeptRun(),
});

const run = (steps: readonly Step[], world: World, { host, ...ask }: EngineAsk & { host?: WriteHost } = {}) =>
	engineRun(steps, host ?? tinyHost(world.files), { kept: world.kept, ...ask });

const probe = (id: string, verdict: 'pass' | 'fail' | 'could-not-tell'): Probe => ({
	id,
	title: id,
	threats: [],
	attempt: 'x',
	expectation: 'y',
	run: async () => ({ verdict, because: 'test', evidence: [] }),
});

const proof = (id: string, probes: Probe[], needs: string[] = []): Step =>
	proofStep<null>({
		id,
		title: id,
		why: 'test',
		needs,
		inspect: async () => null,
		judge: () => [],
		plan: () => ({ actions: [] }),
		probes: () => ({ probes, leftOut: [], announced: [] }),
	});

describe('a change step', () => {
	it('is applied, looked at again, and done when its plan has become empty', async () => {
		const world = newWorld();
		const { end, state } = await run([wantsFile('a', '/a', 'x')], world);
		expect(end).toMatchObject({ exit: 0, outcome: 'done', changed: true });
		expect(world.files.get('/a')).toBe('x');
		expect(state.steps[0]?.status).toBe('done');
	});

	it('does nothing the second time and says so', async () => {
		const world = newWorld({ '/a': 'x' });
		const { end, state } = await run([wantsFile('a', '/a', 'x')], world);
		expect(end).toMatchObject({ exit: 0, outcome: 'nothing-to-do', changed: false });
		expect(state.actions).toEqual([]);
	});

	it('is not applied when a finding blocks that its plan cannot end', async () => {
		const world = newWorld();
		const { end } = await run(
			[wantsFile('a', '/a', 'x', { findings: () => [{ id: 'x.y', severity: 'block', summary: 'unfit' }] })],
			world,
		);
		expect(end.exit).toBe(3);
		expect(world.files.size).toBe(0);
	});

	it('goes on when the blocking finding is waived by name, and keeps it visible', async () => {
		const world = newWorld();
		const { end, state } = await run(
			[wantsFile('a', '/a', 'x', { findings: () => [{ id: 'x.y', severity: 'block', summary: 'unfit' }] })],
			world,
			{
				waivers: [{ finding: 'x.y', reason: 'known', expires: '2026-12-31' }],
			},
		);
		expect(end.exit).toBe(0);
		expect(state.steps[0]?.before[0]?.waived?.reason).toBe('known');
	});

	it('is blocked again on the day after a waiver ended', async () => {
		const { end } = await run(
			[wantsFile('a', '/a', 'x', { findings: () => [{ id: 'x.y', severity: 'block', summary: 'unfit' }] })],
			newWorld(),
			{
				waivers: [{ finding: 'x.y', reason: 'known', expires: '2026-11-23' }],
			},
		);
		expect(end.exit).toBe(3);
	});

	it('leaves a risk that was not accepted by name undone, and exits 4 naming it', async () => {
		const world = newWorld();
		const step = wantsFile('a', '/a', 'x', { action: { risks: ['restart-docker'] } });
		const { end } = await run([step], world);
		expect(end).toMatchObject({ exit: 4, changed: false });
		expect(end.work.map(sayWork).join()).toContain('--accept-risk restart-docker');
		expect(world.files.size).toBe(0);
		const accepted = await run([step], newWorld(), {
			decider: decideFromAnswers({ answers: {}, saved: {}, risks: ['restart-docker'] }),
		});
		expect(accepted.end.exit).toBe(0);
	});

	it('leaves it undone also where whoever decides says yes and does not name it', async () => {
		const world = newWorld();
		const { end, state } = await run([wantsFile('a', '/a', 'x', { action: { risks: ['restart-docker'] } })], world, {
			decider: {
				...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
				approve: async () => ({ kind: 'apply', risks: [] }),
			},
		});
		expect(end).toMatchObject({ exit: 4, changed: false });
		expect(state.steps[0]?.why).toMatch(/^run `.*--accept-risk restart-docker` to accept the risk restart-docker$/);
		expect(world.files.size).toBe(0);
	});

	it('looks again and plans anew when the file changed under the plan', async () => {
		const world = newWorld();
		const real = tinyHost(world.files);
		let once = true;
		const host: WriteHost = {
			...real,
			async replaceFile(path, content, options) {
				if (once) {
					once = false;
					world.files.set('/a', 'somebody else');
				}
				return real.replaceFile(path, content, options);
			},
		};
		const { end, state } = await run([wantsFile('a', '/a', 'x')], world, { host });
		expect(state.actions.map(a => a.outcome)).toEqual(['refused', 'done']);
		expect(end.exit).toBe(0);
		expect(world.kept.backups.get(sha('somebody else'))).toBeDefined();
	});

	it('fails when its plan does not come to an end', async () => {
		const step = changeStep<null>({
			id: 'a',
			title: 'a',
			why: 'a',
			needs: [],
			inspect: async () => null,
			judge: () => [],
			plan: () => ({
				actions: [
					{
						id: 'again',
						kind: 'exec',
						title: 'again',
						why: 'x',
						argv: ['true'],
						timeoutMs: 1,
						undo: { kind: 'none', why: 'x' },
					},
				],
			}),
		});
		const world = newWorld();
		const { end } = await run([step], world, { host: tinyHost(world.files, { true: () => ({ code: 0 }) }) });
		expect(end.exit).toBe(1);
	});

	it('ends with 2 when a finding is about what was passed, and does not start later steps', async () => {
		const world = newWorld();
		const { end } = await run(
			[
				wantsFile('a', '/a', 'x', {
					findings: () => [{ id: 'input.deb', about: 'input', severity: 'block', summary: 'no such file' }],
				}),
				wantsFile('b', '/b', 'y'),
			],
			world,
		);
		expect(end.exit).toBe(2);
		expect(world.files.size).toBe(0);
	});
});

describe('the order of steps', () => {
	it('puts a step behind what it needs, and names a cycle', () => {
		const a = wantsFile('a', '/a', 'x', { needs: ['b'] });
		const b = wantsFile('b', '/b', 'x');
		const sorted = orderSteps([a, b], {});
		expect(sorted.kind === 'order' && sorted.order.steps.map(s => s.step.id)).toEqual(['b', 'a']);
		expect(orderSteps([a, wantsFile('b', '/b', 'x', { needs: ['a'] })], {})).toEqual({
			kind: 'cycle',
			through: ['a', 'b', 'a'],
		});
	});

	it('inspects the needs of a chosen step but never applies them: an unfinished one ends 3', async () => {
		const world = newWorld();
		const steps = [wantsFile('a', '/a', 'x'), wantsFile('b', '/b', 'y', { needs: ['a'] })];
		const { end, state } = await run(steps, world, { selection: { only: ['b'] } });
		expect(end.exit).toBe(3);
		expect(world.files.size).toBe(0);
		expect(state.steps.map(s => [s.id, s.status])).toEqual([
			['a', 'open'],
			['b', 'not-run'],
		]);
	});

	it('runs a chosen step whose needs are met', async () => {
		const world = newWorld({ '/a': 'x' });
		const { end } = await run([wantsFile('a', '/a', 'x'), wantsFile('b', '/b', 'y', { needs: ['a'] })], world, {
			selection: { only: ['b'] },
		});
		expect(end.exit).toBe(0);
		expect(world.files.get('/b')).toBe('y');
	});

	it('does not start a step whose need failed, but starts others', async () => {
		const world = newWorld();
		const host = tinyHost(world.files);
		const failing: WriteHost = {
			...host,
			replaceFile: async (path, b, o) =>
				path === '/a' ? { kind: 'failed', errno: 'ENOSPC', message: 'no space left' } : host.replaceFile(path, b, o),
		};
		const { end, state } = await run(
			[wantsFile('a', '/a', 'x'), wantsFile('b', '/b', 'y', { needs: ['a'] }), wantsFile('c', '/c', 'z')],
			world,
			{ host: failing },
		);
		expect(end.exit).toBe(1);
		expect(state.steps.map(s => [s.id, s.status])).toEqual([
			['a', 'failed'],
			['b', 'not-run'],
			['c', 'done'],
		]);
	});
});

describe('proofs and exit codes', () => {
	it('a failed probe ends 1 even when another could not tell', async () => {
		const { end } = await run([proof('p', [probe('a', 'could-not-tell'), probe('b', 'fail')])], newWorld());
		expect(end.exit).toBe(1);
	});

	it('a probe that could not tell ends 5, never 0', async () => {
		expect((await run([proof('p', [probe('a', 'pass'), probe('b', 'could-not-tell')])], newWorld())).end.exit).toBe(5);
		expect((await run([proof('p', [probe('a', 'pass')])], newWorld())).end.exit).toBe(0);
	});

	it('a blocked step counts before undecided probes: 3 before 5', async () => {
		const blocked = wantsFile('a', '/a', 'x', { findings: () => [{ id: 'x', severity: 'block', summary: 'no' }] });
		expect((await run([blocked, proof('p', [probe('a', 'could-not-tell')])], newWorld())).end.exit).toBe(3);
	});

	it('what only root can tell is no "could not tell", unless --strict', async () => {
		const step = wantsFile('a', '/a', 'x', {
			findings: () => [{ id: 'x', severity: 'could-not-tell', summary: '?', needsRoot: true }],
		});
		expect((await run([step], newWorld({ '/a': 'x' }), { mode: 'check' })).end.exit).toBe(0);
		expect((await run([step], newWorld({ '/a': 'x' }), { mode: 'check', strict: true })).end.exit).toBe(5);
	});

	it('cleans up after the probes also when one throws', async () => {
		let cleaned = 0;
		const bad: Probe = { ...probe('a', 'pass'), run: () => Promise.reject(new Error('defect')) };
		const cleanUpProbes = async () => {
			cleaned += 1;
			return [];
		};
		await expect(run([proof('p', [bad])], newWorld(), { cleanUpProbes })).rejects.toThrow('defect');
		expect(cleaned).toBe(1);
	});
});

describe('what a failed proof offers to take back', () => {
	const takesBack = (action: Partial<Action> = {}): Step => ({
		...(proof('p', [probe('a', 'fail'), probe('b', 'pass')]) as ProofStep<null>),
		remedy: (_facts, failed) => ({
			actions: [
				{
					id: 'back',
					kind: 'write',
					title: `Take back what made ${failed.join()} fail`,
					why: 'test',
					path: '/a',
					bytes: bytes('earlier'),
					mode: 0o644,
					expect: { kind: 'sha256', sha256: sha('later') },
					...action,
				} as Action,
			],
		}),
	});
	/** A person who is shown it, and what they were shown. */
	async function offered(
		decision: Awaited<ReturnType<Decider['approve']>>,
		{ action, now = 'later' }: { readonly action?: Partial<Action>; readonly now?: string } = {},
	) {
		const world = newWorld({ '/a': now });
		const shown: string[] = [];
		const decider: Decider = {
			...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
			approve: async (_step, plan) => {
				shown.push(...plan.actions.map(a => a.title));
				return decision;
			},
		};
		const { end, state } = await run([takesBack(action), proof('q', [])], world, { decider });
		expect(shown).toEqual(['Take back what made a fail']);
		// It has failed, whatever becomes of it.
		expect(end.exit).toBe(1);
		const [step, next] = state.steps;
		return { now: world.files.get('/a'), why: step?.why, changed: end.changed, goesOn: next !== undefined };
	}

	it('is done when it is approved', async () => {
		const why = 'a; it was taken back';
		expect(await offered({ kind: 'apply', risks: [] })).toEqual({ now: 'earlier', why, changed: true, goesOn: true });
	});

	it.each([
		['it is skipped', { kind: 'skip' }, {}, true],
		['the operator leaves, and so does the run', { kind: 'quit' }, {}, false],
		['its risk is not accepted by name', { kind: 'apply', risks: [] }, { action: { risks: ['restart-docker'] } }, true],
	] as const)('stays as it is when %s', async (_, decision, of, goesOn) => {
		const why = 'a; it was left as it is';
		expect(await offered(decision, of)).toEqual({ now: 'later', why, changed: false, goesOn });
	});

	it('is told when it cannot be done', async () => {
		const why = 'a; it could not be taken back';
		expect(await offered({ kind: 'apply', risks: [] }, { now: 'theirs' })).toMatchObject({ now: 'theirs', why });
	});
});

describe('a plan', () => {
	it('changes nothing, foresees its own file changes, and ends 4', async () => {
		const world = newWorld();
		const { end, state } = await run([wantsFile('a', '/a', 'x'), wantsFile('b', '/a', 'x', { needs: ['a'] })], world, {
			mode: 'plan',
		});
		expect(end.exit).toBe(4);
		expect(world.files.size).toBe(0);
		expect(state.steps.map(s => s.plan?.actions.length ?? 0)).toEqual([1, 0]);
	});

	it('tells what is wrong with what was passed to a proof, also behind changes that are only foreseen', async () => {
		const passed = { ...proof('p', [], ['a']), judge: (): Finding[] => [] };
		const wrong = {
			...passed,
			judge: () => [{ id: 'input.archive', about: 'input', severity: 'block', summary: 'no archive' }],
		};
		const steps = (p: unknown) => [wantsFile('a', '/a', 'x'), p as Step];
		expect((await run(steps(passed), newWorld(), { mode: 'plan' })).end.exit).toBe(4);
		expect((await run(steps(wrong), newWorld(), { mode: 'plan' })).end).toMatchObject({ exit: 2, why: 'no archive' });
	});
});

describe('what a proof has shown', () => {
	const leaving = (told: string[]): Decider => ({
		...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
		afterProbes: async step => {
			told.push(step);
			return 'quit';
		},
	});

	it('is told before the next step, and a run can be left there', async () => {
		const told: string[] = [];
		const steps = [proof('p', [probe('a', 'pass')]), wantsFile('b', '/b', 'y')];
		const { end, state } = await run(steps, newWorld(), { decider: leaving(told) });
		expect(told).toEqual(['p']);
		expect(state.steps.map(step => `${step.id} ${step.status}`)).toEqual(['p proved']);
		expect(end).toMatchObject({ exit: 4, changed: false });
	});

	it('counts also where the run is left at it', async () => {
		const told: string[] = [];
		const { end, state } = await run([proof('p', [probe('a', 'fail')])], newWorld(), { decider: leaving(told) });
		expect(told).toEqual(['p']);
		expect(state.steps[0]?.status).toBe('failed');
		expect(end.exit).toBe(1);
	});

	it('leaves nothing open where nothing comes behind it', async () => {
		const { end } = await run([proof('p', [probe('a', 'pass')])], newWorld(), { decider: leaving([]) });
		expect(end).toMatchObject({ exit: 0, work: [] });
	});
});

describe('a review of the whole run', () => {
	const steps = () => [
		wantsFile('a', '/a', 'x'),
		wantsFile('b', '/a', 'x', { needs: ['a'] }),
		wantsFile('c', '/c', 'y'),
		wantsFile('d', '/d', 'z'),
		proof('p', [], ['a']),
	];
	/** A person who looks at everything first. */
	function person(decisions: readonly ReviewDecision[]) {
		const told: string[] = [];
		const left = [...decisions];
		const decider: Decider = {
			...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
			review: async run => {
				told.push(`review: ${run.map(s => `${s.id} ${s.actions.map(a => a.title).join()}`).join('; ')}`);
				return left.shift() ?? { kind: 'go-on' };
			},
			approve: async step => {
				told.push(`approve ${step}`);
				return { kind: 'apply', risks: [] };
			},
		};
		return { decider, told };
	}

	it('comes once, before the first plan is shown, and foresees what later steps find', async () => {
		const world = newWorld();
		const { decider, told } = person([]);
		const { end, events } = await run(steps(), world, { decider, ahead: true });
		expect(end.exit).toBe(0);
		expect(told).toEqual(['review: a Write /a; b ; c Write /c; d Write /d; p ', 'approve a', 'approve c', 'approve d']);
		// Nothing of the look ahead is in the log.
		expect(events.filter(e => e.type === 'plan').map(e => e.step)).toEqual(['a', 'c', 'd']);
		expect(events.filter(e => e.type === 'step.start')).toHaveLength(5);
	});

	it('is where "back" leads from the first plan', async () => {
		const { decider, told } = person([]);
		let asked = 0;
		const offered: boolean[] = [];
		const turning: Decider = {
			...decider,
			approve: async (step, plan, findings, ways) => {
				offered.push(ways.back);
				asked += 1;
				return asked === 1 ? { kind: 'back' } : decider.approve(step, plan, findings, ways);
			},
		};
		const { end } = await run(steps(), newWorld(), { decider: turning, ahead: true });
		expect(end.exit).toBe(0);
		expect(told.filter(line => line.startsWith('review'))).toHaveLength(2);
		expect(told.filter(line => line.startsWith('approve'))).toEqual(['approve a', 'approve c', 'approve d']);
		expect(offered).toEqual([true, true, false, false]);
	});

	it('is left out where one step is all that would change something', async () => {
		const { decider, told } = person([]);
		await run(steps(), newWorld({ '/c': 'y', '/d': 'z' }), { decider, ahead: true });
		expect(told).toEqual(['approve a']);
	});

	it('ends the run before anything is changed when that is chosen', async () => {
		const world = newWorld();
		const { decider } = person([{ kind: 'quit' }]);
		const { end } = await run(steps(), world, { decider, ahead: true });
		expect(end).toMatchObject({ exit: 4, changed: false });
		expect(world.files.size).toBe(0);
	});
});

describe('a run that is killed', () => {
	const steps = (): Step[] => [
		wantsFile('a', '/a', 'x'),
		wantsFile('b', '/b', 'y', { needs: ['a'] }),
		proof('p', [probe('q', 'pass')], ['b']),
	];

	it('at any event, on either side of it, resumes and reaches the same end', async () => {
		const whole = newWorld({ '/b': 'old' });
		await run(steps(), whole);
		const total = whole.kept.events.length;
		expect(total).toBeGreaterThan(15);
		for (let n = 1; n <= total; n++) {
			for (const side of ['before', 'after'] as const) {
				const world = newWorld({ '/b': 'old' });
				await expect(run(steps(), world, { dieAt: { n, side } }), `killed ${side} event ${n}`).rejects.toBeInstanceOf(
					Killed,
				);
				const { end } = await run(steps(), world);
				expect(end.exit, `killed ${side} event ${n}`).toBe(0);
				expect(Object.fromEntries(world.files)).toEqual(Object.fromEntries(whole.files));
				// The bytes from before must be there whenever the file is no longer as it was.
				expect(world.kept.backups.has(sha('old')), `killed ${side} event ${n}`).toBe(true);
			}
		}
	});

	it('stops for an abort at the next safe point and exits 130', async () => {
		const stop = new AbortController();
		const world = newWorld();
		const first = wantsFile('a', '/a', 'x');
		const decider: Decider = {
			...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
			approve: async () => {
				stop.abort();
				return { kind: 'apply', risks: [] };
			},
		};
		const { end } = await run([first, wantsFile('b', '/b', 'y')], world, { decider, signal: stop.signal });
		expect(end.exit).toBe(130);
		expect(world.files.size).toBe(0);
	});
});

describe('an action that fails', () => {
	it('runs its rollback before the failure is told, and says what is true now', async () => {
		const world = newWorld({ '/a': 'old' });
		const step = wantsFile('a', '/a', 'new', {
			action: {
				waitUntil: {
					what: 'the service likes it',
					deadlineMs: 0,
					check: async () => ({ kind: 'refused', said: 'the service refused the file' }),
				},
				rollback: [{ id: 'back', kind: 'restore', title: 'Put it back', why: 'x', path: '/a' }],
			},
		});
		const { end, state } = await run([step], world);
		expect(end.exit).toBe(1);
		expect(world.files.get('/a')).toBe('old');
		const failed = state.actions.find(a => a.id === 'write');
		expect(failed).toMatchObject({
			outcome: 'rolled-back',
			failure: { said: 'the service refused the file', now: 'taken back: put /a back' },
		});
	});

	it('is tried again only when somebody says so', async () => {
		const world = newWorld();
		let calls = 0;
		const host = tinyHost(world.files, {
			flaky: () => {
				calls += 1;
				return { code: calls < 2 ? 1 : 0, stderr: 'no luck' };
			},
		});
		const step = changeStep<boolean>({
			id: 'a',
			title: 'a',
			why: 'a',
			needs: [],
			inspect: async () => calls >= 2,
			judge: () => [],
			plan: done => ({
				actions: done
					? []
					: [
							{
								id: 'x',
								kind: 'exec',
								title: 'x',
								why: 'x',
								argv: ['flaky'],
								timeoutMs: 1,
								undo: { kind: 'none', why: 'x' },
							},
						],
			}),
		});
		expect((await run([step], world, { host })).end.exit).toBe(1);
		calls = 0;
		const retry: Decider = {
			...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
			onFailure: async () => 'retry',
		};
		expect((await run([step], newWorld(), { host, decider: retry })).end.exit).toBe(0);
	});
});

describe('an action that failed and is tried again', () => {
	/** Two files, the second one written only while the first is there; its way back takes the first one away. */
	function guarded(wayBack: boolean) {
		const files = new Map<string, string>();
		let tries = 0;
		const host = tinyHost(files, {
			restart: () => {
				tries += 1;
				return { code: tries < 2 ? 1 : 0, stderr: 'no luck' };
			},
		});
		const write = (id: string, path: string): Action => ({
			id,
			kind: 'write',
			title: `Write ${path}`,
			why: 'x',
			path,
			bytes: bytes(id),
			mode: 0o644,
			expect: { kind: 'missing' },
		});
		const disarm: Action = {
			id: 'disarm',
			kind: 'remove',
			title: 'Disarm',
			why: 'x',
			path: '/armed',
			expect: { kind: 'sha256', sha256: sha('arm') },
			takesBack: ['arm'],
		};
		const step = changeStep<readonly boolean[]>({
			id: 'a',
			title: 'a',
			why: 'a',
			needs: [],
			inspect: async ({ host: seen }) => [(await seen.readFile('/armed')).kind === 'bytes', tries >= 2],
			judge: () => [],
			plan: ([armed, restarted]) => ({
				actions: restarted
					? []
					: [
							...(armed ? [] : [write('arm', '/armed')]),
							{
								id: 'restart',
								kind: 'exec',
								title: 'Restart',
								why: 'x',
								argv: ['restart'],
								timeoutMs: 1,
								undo: { kind: 'none', why: 'x' },
								...(wayBack && { rollback: [disarm] }),
							},
						],
			}),
		});
		const approved: string[] = [];
		const decider: Decider = {
			...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
			approve: async (_step, plan) => {
				approved.push(plan.actions.map(({ id }) => id).join(' '));
				return { kind: 'apply', risks: [] };
			},
			onFailure: async () => 'retry',
		};
		const done = async () => {
			const { end, state } = await run([step], { files, kept: newKeptRun() }, { host, decider });
			return { exit: end.exit, actions: state.actions.map(({ id, outcome }) => `${id} ${outcome}`), approved };
		};
		return done();
	}

	it('is begun behind all that its way back took away, which is shown and approved anew', async () => {
		expect(await guarded(true)).toEqual({
			exit: 0,
			approved: ['arm restart', 'arm restart'],
			actions: ['arm done', 'restart rolled-back', 'restart.disarm done', 'arm done', 'restart done'],
		});
	});

	it('is begun again as it was approved where its way back has taken nothing else away', async () => {
		expect(await guarded(false)).toEqual({
			exit: 0,
			approved: ['arm restart'],
			actions: ['arm done', 'restart failed', 'restart done'],
		});
	});
});

describe('a file that changes between the plan and its approval', () => {
	/** Somebody edits the file while the operator reads the plan. */
	const editedMeanwhile = () => {
		const host = tinyHost(new Map([['/etc/x', 'old']]));
		let edited = false;
		const approved: string[] = [];
		const approve: Decider['approve'] = async (_step, plan) => {
			if (!edited)
				await host.replaceFile('/etc/x', bytes('theirs'), {
					expect: { kind: 'sha256', sha256: sha('old') },
					mode: 0o644,
				});
			edited = true;
			approved.push(plan.actions.map(a => (a.kind === 'write' ? (a.before ?? '') : '')).join());
			return { kind: 'apply', risks: [] };
		};
		return { host, approve, approved };
	};

	it('is not written by the old plan: the new diff is shown, and approved again', async () => {
		const { host, approve, approved } = editedMeanwhile();
		const unattended = decideFromAnswers({ answers: {}, saved: {}, risks: [] });
		const { end, events } = await engineRun([wantsFile('a', '/etc/x', 'new')], host, {
			decider: { ...unattended, approve },
		});
		expect(end.exit).toBe(0);
		expect(approved).toEqual(['old', 'theirs']);
		const told = events.flatMap(e =>
			e.type === 'plan'
				? [`plan -${e.actions[0]?.diff?.find(line => line.kind === 'remove')?.text}`]
				: e.type === 'action.outcome'
					? [`${e.outcome} ${e.failure?.said ?? ''}`.trim()]
					: e.type === 'decision'
						? [e.decision]
						: [],
		);
		expect(told).toEqual(['plan -old', 'apply', 'plan -theirs', 'apply', 'done']);
	});
});

describe('what is left for the operator', () => {
	const waits = (): Step =>
		changeStep<{ there: boolean }>({
			id: 'a',
			title: 'A',
			why: 'test',
			needs: [],
			async inspect({ host }) {
				return { there: (await host.readFile('/etc/x')).kind === 'bytes' };
			},
			judge: () => [],
			plan: ({ there }) =>
				there
					? { actions: [] }
					: {
							actions: [
								{
									id: 'x',
									kind: 'manual',
									title: 'Have /etc/x written',
									why: 'test',
									text: 'Write it',
									file: { path: '/etc/x', bytes: bytes('new') },
								},
							],
						},
		});
	const unattended = decideFromAnswers({ answers: {}, saved: {}, risks: [] });

	it('is looked at again as often as they say, and the step goes on once it is there', async () => {
		const host = tinyHost(new Map());
		const asked: string[] = [];
		const { end, events } = await engineRun([waits()], host, {
			decider: {
				...unattended,
				onLeft: async (_step, left) => {
					asked.push(`${left[0]?.summary}: ${left[0]?.evidence}`);
					if (asked.length === 5)
						await host.replaceFile('/etc/x', bytes('new'), { expect: { kind: 'missing' }, mode: 0o644 });
					return 'look-again';
				},
			},
		});
		expect(end.exit).toBe(0);
		expect(asked).toEqual(Array(5).fill(`Have /etc/x written: the exact content is in /kept/${sha('new')}`));
		expect(events.find(e => e.type === 'plan')?.actions[0]).toMatchObject({ kind: 'manual', content: 'new' });
	});

	it('is left at once where nobody is there to wait', async () => {
		const { end } = await engineRun([waits()], tinyHost(new Map()), { decider: unattended });
		expect(end).toMatchObject({ exit: 4, outcome: 'open', work: [{ step: 'a', what: 'Have /etc/x written' }] });
	});
});
