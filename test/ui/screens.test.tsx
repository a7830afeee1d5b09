import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import type { Event } from '../../src/model/event.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Probe } from '../../src/model/probe.ts';
import { initialState, reduceAll } from '../../src/model/state.ts';
import type { SeenSince } from '../../src/ui/screen.ts';
import { bench, down, enter, esc, intro, right, shown, stepStart } from './support.tsx';

const ways = { back: false };

const finding = (change: Partial<Finding>): Finding => ({
	id: 'fuse3.missing',
	severity: 'block',
	summary: 'fuse3 is missing',
	...change,
});

const action = (change: object = {}): Action =>
	({
		id: 'install',
		kind: 'exec',
		title: 'Install fuse3',
		why: 'x',
		argv: ['true'],
		timeoutMs: 1,
		undo: { kind: 'none', why: 'x' },
		...change,
	}) as Action;

const findings: readonly Finding[] = [
	finding({ remedy: { kind: 'planned', text: 'is installed' } }),
	finding({
		id: 'disk.free',
		severity: 'warn',
		summary: '8 GB are free',
		evidence: '8.1 GB on /',
		why: 'images need room',
	}),
	finding({ id: 'kernel', severity: 'ok', summary: 'the kernel is fit' }),
];

async function plan(change: Partial<ReturnType<typeof shown>> = {}, impact?: { stops: string[]; notes: string[] }) {
	const wizard = bench();
	await wizard.emit(stepStart('host'));
	await wizard.emit({ type: 'findings', step: 'host', when: 'before', findings: findings });
	await wizard.emit({ type: 'plan', step: 'host', actions: [shown(change)], ...(impact && { impact }) });
	const risks = change.risks === undefined ? {} : { risks: change.risks };
	const decision = wizard.decider.approve(
		'host',
		{ actions: [action(risks)], ...(impact && { impact }) },
		findings,
		ways,
	);
	await wizard.sees('To be done');
	return { ...wizard, decision };
}

describe('the start screen', () => {
	it('tells the steps and what is promised', async () => {
		const { store, sees, frame, keys } = bench();
		const reply = store.ask({
			screen: { kind: 'start' },
			prompt: { kind: 'menu', at: 0, options: [{ value: 'begin', label: 'Begin' }] },
			ways: { back: false, skip: false, quit: true },
		});
		await sees('❯ Begin');
		expect(frame()).toContain('1 Host compatibility');
		expect(frame()).toContain('before you say yes');
		await keys(enter);
		expect(await reply).toEqual({ kind: 'taken', value: 'begin' });
	});
});

describe('the start screen of a run that goes on', () => {
	const past = reduceAll(
		[
			{
				type: 'run.start',
				run: 'r',
				tool: '1',
				mode: 'run',
				simulated: false,
				host: 'ci-07',
				user: 'bert',
				command: [],
			},
			{ ...stepStart('host'), n: 1 },
			{ type: 'step.end', step: 'host', status: 'unchanged', changed: false, open: [] },
		].map((event, seq) => ({ v: 1, seq, at: '2026-11-23T09:00:00.000Z', ...event })) as unknown as Event[],
	);
	const start = (seen: SeenSince) => {
		const wizard = bench({ intro: { resume: past } });
		void wizard.store.ask({
			screen: { kind: 'start', seen },
			prompt: { kind: 'menu', at: 0, options: [{ value: 'go-on', label: 'Go on' }] },
			ways: { back: false, skip: false, quit: true },
		});
		return wizard;
	};

	it('tells when, where and by whom it was left, and that the host is looked at again', async () => {
		const { sees, store } = start({ kind: 'looking' });
		await sees(/left yesterday at \d\d:\d\d, at step 1 of 2, Host compatibility \(as\s+bert\)/);
		await sees('being looked at again');
		store.tell({ kind: 'start', seen: { kind: 'seen', differences: [] } });
		await sees('nothing above has changed since');
	});

	it('tells what is not as it was left, and counts what has no room', async () => {
		const differences = Array.from({ length: 30 }, (_, n) => ({ about: 'Docker', text: `thing ${n + 1} differs` }));
		const { sees, frame } = start({ kind: 'seen', differences });
		await sees('Docker: thing 1 differs');
		await sees('and 26 more');
		expect(frame()).toContain('❯ Go on');
	});

	it('says so when the host could not be looked at', async () => {
		const { sees } = start({ kind: 'failed', why: 'docker hangs' });
		await sees('could not be looked at again: docker hangs');
	});

	it('is not written over by what was found once the operator has gone on', async () => {
		const { store, sees, emit, frame, decider } = start({ kind: 'looking' });
		store.press({ kind: 'enter' });
		await emit(stepStart('host'));
		void decider.onBlocked?.('host', [finding({})], ways);
		await sees('❯ Look again');
		store.tell({ kind: 'start', seen: { kind: 'seen', differences: [] } });
		await sees('fuse3 is missing');
		expect(frame()).not.toContain('looked at again just now');
		expect(store.state().asking?.screen.kind).toBe('blocked');
	});
});

describe('the start screen of a revert', () => {
	it('names the run that is taken back and what it did', async () => {
		const past = [
			{
				type: 'run.start',
				run: 'r',
				tool: '1',
				mode: 'run',
				simulated: false,
				host: 'ci-07',
				user: 'bert',
				command: [],
			},
			stepStart('host'),
			{ type: 'action.intent', step: 'host', action: 'i', title: 'Install fuse3', kind: 'exec', does: 'x' },
			{ type: 'action.outcome', step: 'host', action: 'i', outcome: 'done', ms: 1 },
			{ type: 'step.end', step: 'host', status: 'done', changed: true, open: [] },
		].map((event, seq) => ({
			v: 1,
			seq,
			at: '2026-11-23T09:00:00.000Z',
			...event,
			...(event.type === 'action.intent' && { undo: { kind: 'folder', path: '/x' } }),
		})) as unknown as Event[];
		const { store, sees, frame } = bench({ intro: { mode: 'revert', takesBack: { run: reduceAll(past), stays: [] } } });
		void store.ask({
			screen: { kind: 'start' },
			prompt: { kind: 'menu', at: 0, options: [{ value: 'begin', label: 'Begin' }] },
			ways: { back: false, skip: false, quit: true },
		});
		await sees(/the run that bert began yesterday at \d\d:\d\d:/);
		expect(frame()).toContain('Install fuse3');
	});
});

describe('a plan of several changes', () => {
	const long = Array.from({ length: 40 }, (_, n) => ({ kind: 'add' as const, text: `line ${n + 1}`, newLine: n + 1 }));
	const actions = [
		shown({ id: 'a', kind: 'write', title: 'Write the file', does: 'write /etc/a', diff: long, undo: 'put it back' }),
		shown({ id: 'b', title: 'Install it', does: 'apt-get install -y it', undo: 'apt-get purge it' }),
	];
	async function several(size?: { columns: number; rows: number }) {
		const wizard = bench(size === undefined ? {} : { size });
		await wizard.emit(stepStart('host'));
		await wizard.emit({ type: 'plan', step: 'host', actions });
		const decision = wizard.decider.approve('host', { actions: [action(), action()] }, [], ways);
		await wizard.sees('❯ Do all 2');
		return { ...wizard, decision };
	}

	it('is gone through in full, page by page, and can be approved on each', async () => {
		const { frame, keys, sees, decision } = await several();
		expect(frame()).toContain('n in full');
		await keys('n');
		await sees('page 1 of 4');
		expect(frame()).toContain('line 1');
		expect(frame()).not.toContain('Install it');
		await keys('n', ' ', 'n', 'n', 'n');
		await sees('page 4 of 4');
		expect(frame()).toContain('apt-get purge it');
		expect(frame()).not.toContain('n next');
		await keys('p', 'p', 'p', 'p', 'p');
		await sees('2 changes; nothing is done yet');
		// Escape leads out of them, and not out of the plan.
		await keys('n', 'n', esc);
		await sees('2 changes; nothing is done yet');
		await keys('n', enter);
		expect(await decision).toEqual({ kind: 'apply', risks: [] });
	});

	it('keeps what has a risk on the screen where not even all titles fit', async () => {
		const wizard = bench();
		await wizard.emit(stepStart('host'));
		const many = Array.from({ length: 30 }, (_, n) =>
			shown({ id: `${n}`, title: `Change number ${n + 1}`, ...(n === 14 && { risks: ['restart-docker'] }) }),
		);
		await wizard.emit({ type: 'plan', step: 'host', actions: many });
		const plan = { actions: [action({ risks: ['restart-docker'] })] };
		void wizard.decider.approve('host', plan, [], ways);
		await wizard.sees('15 Change number 15   ▲ restart-docker');
		// What there is room for is told one by one, from the first on.
		await wizard.sees(/ 1 Change number 1\n/);
		await wizard.sees(/\d+ to 14 Change number \d+ … Change number 14/);
		await wizard.sees('16 to 30 Change number 16 … Change number 30');
	});

	it('shows a page that there is when the window grows', async () => {
		const { keys, sees, store } = await several();
		await keys('n', 'n', 'n', 'n');
		await sees('page 4 of 4');
		store.resize({ columns: 80, rows: 80 });
		await sees('To be done, in full (nothing is done yet)');
	});
});

describe('a plan', () => {
	it('shows findings, the command, its undo and how all of it is taken back', async () => {
		const { frame, keys, decision } = await plan();
		expect(frame()).toContain('✔ 1 ok   ▲ 1 warning   ✖ 1 problem');
		expect(frame()).toContain('apt-get install -y fuse3');
		expect(frame()).toContain('apt-get purge fuse3');
		expect(frame()).toContain('Revert with:  sysbox-setup revert');
		await keys(enter);
		expect(await decision).toEqual({ kind: 'apply', risks: [] });
	});

	it('shows added and removed lines with their numbers', async () => {
		const { frame } = await plan({
			kind: 'write',
			diff: [
				{ kind: 'remove', text: '"a": 1', oldLine: 3 },
				{ kind: 'add', text: '"a": 2', newLine: 3 },
			],
		});
		expect(frame()).toMatch(/3 - "a": 1/);
		expect(frame()).toMatch(/3 \+ "a": 2/);
	});

	it('is skipped with s and left with q', async () => {
		for (const [key, kind] of [
			['s', 'skip'],
			['q', 'quit'],
		] as const) {
			const { keys, decision } = await plan();
			await keys(key);
			expect((await decision).kind).toBe(kind);
		}
	});

	it('prints its commands to be copied', async () => {
		const { keys, printed } = await plan();
		await keys('c');
		expect(printed).toEqual(['apt-get install -y fuse3']);
	});

	it('with a risk is not done by Enter', async () => {
		const { keys, decision, frame } = await plan({ risks: ['stop-containers'] });
		expect(frame()).toContain('❯ Leave it as it is');
		await keys(enter);
		expect((await decision).kind).toBe('skip');
	});

	it('with a risk says which steps are not run without it', async () => {
		const steps = (['daemon', 'docker', 'ci', 'record'] as const).map((id, index) => ({
			...intro.steps[0]!,
			id,
			n: index + 3,
			needs: { daemon: [], docker: ['daemon'], ci: ['docker'], record: [] }[id],
		}));
		const { emit, decider, sees, frame, keys } = bench({ intro: { steps } });
		await emit(stepStart('daemon', 'daemon'));
		await emit({ type: 'plan', step: 'daemon', actions: [shown({ risks: ['default-runtime'] })] });
		const decision = decider.approve('daemon', { actions: [action({ risks: ['default-runtime'] })] }, [], ways);
		await sees(/❯ Skip this step with 4 and 5\s+Do it: type default-runtime/);
		await keys(enter);
		expect((await decision).kind).toBe('skip');
		void decider.onBlocked?.('docker', findings, ways);
		await sees('Go on without this step and 5, which needs it');
		expect(frame()).toContain('❯ Look again');
	});

	it('with a risk leads back to the question, for who only changed their mind about the answer', async () => {
		const { emit, decider, sees, keys } = bench();
		await emit(stepStart('host'));
		await emit({ type: 'plan', step: 'host', actions: [shown({ risks: ['default-runtime'] })] });
		const decision = decider.approve('host', { actions: [action({ risks: ['default-runtime'] })] }, [], { back: true });
		await sees(/❯ Go back +Do it: type default-runtime +Skip this step/);
		await sees('Every container that names no runtime');
		await keys(enter);
		expect((await decision).kind).toBe('back');
	});

	it('with a risk is done when its name is typed, after what stops was named', async () => {
		const { keys, sees, frame, decision } = await plan(
			{ risks: ['stop-containers'] },
			{ stops: ['db-migration (started by hand)'], notes: [] },
		);
		await keys(right, enter);
		await sees('Containers that run now are stopped.');
		expect(frame()).toContain('stops     db-migration (started by hand)');
		await keys('y', 'e', 's', enter);
		await sees('that is not the name');
		await keys('\u0015', 'stop-containers', enter);
		expect(await decision).toEqual({ kind: 'apply', risks: ['stop-containers'] });
	});

	it('with a risk that is not named after all is shown again', async () => {
		const { keys, sees, decision } = await plan({ risks: ['restart-docker'] });
		await keys(right, enter);
		await sees('type  restart-docker  and press enter');
		await keys(esc);
		await sees('❯ Leave it as it is');
		await keys(enter);
		expect((await decision).kind).toBe('skip');
	});
});

describe('overlays', () => {
	it('explain one finding after the other', async () => {
		const { keys, sees } = await plan();
		await keys('e');
		await sees('Explain · 1 of 2');
		await keys('n');
		await sees('images need room');
		await keys(esc);
		await sees('To be done');
	});

	it('show everything, and search it', async () => {
		const { keys, sees } = await plan();
		await keys('v');
		await sees('all of it');
		await keys('/', 'k', 'e', 'r', 'n', 'e', 'l', enter);
		await sees('the kernel is fit');
		await keys('/', 'z', 'z', enter);
		await sees('nothing here says "zz"');
		await keys('q');
		await sees('To be done');
	});

	it('help with the keys that work', async () => {
		const { keys, sees, frame } = await plan();
		await keys('?');
		await sees('Help');
		expect(frame()).toContain('leave this step out');
		await keys(esc);
		await sees('To be done');
	});
});

describe('a step that is blocked', () => {
	it('shows what helps, and looks again', async () => {
		const wizard = bench();
		await wizard.emit(stepStart('host'));
		const found = [finding({ remedy: { kind: 'commands', text: 'Install it', commands: ['apt-get install fuse3'] } })];
		await wizard.emit({ type: 'findings', step: 'host', when: 'before', findings: found });
		const decision = wizard.decider.onBlocked?.('host', found, ways);
		await wizard.sees('apt-get install fuse3');
		await wizard.sees('❯ Look again');
		await wizard.keys(enter);
		expect(await decision).toBe('look-again');
	});
});

describe('something in the way that is none of the step itself', () => {
	it('is told as far as there is room, explained first, and in full with v', async () => {
		const { emit, decider, sees, keys, frame } = bench();
		await emit(stepStart('host'));
		await emit({ type: 'findings', step: 'host', when: 'before', findings: findings });
		const evidence = Array.from({ length: 40 }, (_, at) => `difference ${at + 1}`).join('\n');
		const differs = finding({ id: 'plan.differs', severity: 'block', summary: 'Not the saved plan.', evidence });
		const decision = decider.onBlocked?.('host', [differs], { back: true });
		await sees(/Not the saved plan\.[\s\S]*difference 1\n[\s\S]*v shows all of it/);
		expect(frame()).toContain('❯ Look again');
		await keys('e');
		await sees(/Explain[\s\S]*Not the saved plan\./);
		await keys(esc);
		await sees('❯ Look again');
		await keys('v');
		await sees(/Not the saved plan\.\n +found +difference 1\n/);
		await keys('G');
		await sees('images need room');
		await keys(esc);
		await sees('❯ Look again');
		await keys(enter);
		expect(await decision).toBe('look-again');
	});
});

describe('a failure', () => {
	it('says what was said, why, and what is true now, and offers the ways out', async () => {
		const wizard = bench();
		await wizard.emit(stepStart('host'));
		const decision = wizard.decider.onFailure('host', {
			action: action(),
			said: 'E: no network',
			why: 'the proxy is down',
			now: 'nothing was changed',
			next: ['apt-get update'],
		});
		await wizard.sees('Failed: Install fuse3');
		for (const text of ['E: no network', 'the proxy is down', 'nothing was changed', 'apt-get update'])
			await wizard.sees(text);
		await wizard.keys(right, enter);
		expect(await decision).toBe('go-on');
	});

	const change = (id: string, title: string) => shown({ id, title });
	async function failing(onUndo?: () => void) {
		const wizard = bench({ decider: { ...(onUndo !== undefined && { onUndo }) } });
		await wizard.emit(stepStart('host'));
		const actions = [change('a', 'Write the file'), change('install', 'Install it'), change('c', 'Start it')];
		await wizard.emit({ type: 'plan', step: 'host', actions });
		for (const [id, outcome] of [
			['a', 'done'],
			['install', 'failed'],
		] as const) {
			const undo = { kind: 'folder' as const, path: '/x' };
			await wizard.emit({ type: 'action.intent', step: 'host', action: id, title: id, kind: 'exec', does: 'x', undo });
			await wizard.emit({ type: 'action.outcome', step: 'host', action: id, outcome, ms: 1 });
		}
		const decision = wizard.decider.onFailure('host', { action: action(), said: 'E: no', next: [] });
		await wizard.sees('❯ Try again');
		return { ...wizard, decision };
	}

	it('tells what was done before it and stays, and what was not begun', async () => {
		const { frame } = await failing();
		expect(frame()).toContain('Done: Write the file; that stays, and can be reverted.');
		expect(frame()).toContain('Not begun: Start it.');
		expect(frame()).not.toContain('Revert what was done');
	});

	it('leads to taking back what was done, once the run has ended', async () => {
		const wishes: string[] = [];
		const { sees, keys, decision } = await failing(() => wishes.push('undo'));
		await sees('Revert what was done');
		await keys(down, enter);
		expect(await decision).toBe('quit');
		expect(wishes).toEqual(['undo']);
	});
});

describe('work', () => {
	it('shows what runs, its last three lines and what comes then', async () => {
		const { emit, sees, frame } = bench();
		await emit(stepStart('host'));
		await emit({ type: 'plan', step: 'host', actions: [shown(), shown({ id: 'b', title: 'Reload Docker' })] });
		await emit({ type: 'decision', step: 'host', decision: 'apply', risks: [] });
		await emit({
			type: 'action.intent',
			step: 'host',
			action: 'install',
			title: 'x',
			kind: 'exec',
			does: 'x',
			undo: { kind: 'none', why: 'x' },
		});
		for (const n of [1, 2, 3, 4, 5])
			await emit({ type: 'output', step: 'host', action: 'install', stream: 'stdout', line: `\u001b[31mline ${n}` });
		await sees('line 5');
		expect(frame()).not.toContain('line 2');
		expect(frame()).toContain('0:00');
		expect(frame()).toContain('then  Reload Docker');
		expect(frame()).toContain('ctrl+c stop');
	});

	it('keeps what runs on the screen where the plan is longer than it', async () => {
		const { emit, sees, frame } = bench();
		await emit(stepStart('host'));
		const actions = Array.from({ length: 40 }, (_, n) => shown({ id: `a${n}`, title: `Change number ${n + 1}` }));
		await emit({ type: 'plan', step: 'host', actions });
		await emit({ type: 'decision', step: 'host', decision: 'apply', risks: [] });
		for (let n = 0; n <= 30; n++) {
			const undo = { kind: 'none' as const, why: 'x' };
			await emit({ type: 'action.intent', step: 'host', action: `a${n}`, title: 'x', kind: 'exec', does: 'x', undo });
			if (n < 30) await emit({ type: 'action.outcome', step: 'host', action: `a${n}`, outcome: 'done', ms: 1 });
		}
		await sees('30 of 40 changes are done');
		await sees(/Change number 31 +0:00/);
		expect(frame()).toContain('then  Change number 32');
		expect(frame()).toContain('then  7 more');
	});

	it('is stopped by Ctrl+C through the same door as the signal', async () => {
		const { keys, emit, done, store, sees } = bench();
		await emit(stepStart('host'));
		await keys('\u0003');
		expect(done).toEqual(['interrupt']);
		store.stop();
		await sees('Stopping at the next safe point');
	});

	it('answers whoever waits with "quit" when it is stopped', async () => {
		const { store, decision } = await plan();
		store.stop();
		expect((await decision).kind).toBe('quit');
	});

	it('fails whoever waits when the screen is gone', async () => {
		const { store, decision } = await plan();
		store.fail(new Error('defect in a screen'));
		await expect(decision).rejects.toThrow('defect in a screen');
	});
});

describe('a proof', () => {
	it('is announced, and started by a person', async () => {
		const wizard = bench();
		await wizard.emit(stepStart('security', 'Security proof', 'proof'));
		const probes = [
			{ id: 'a', title: 'Mount a disk', attempt: 'mounts', threats: ['container-escape'] },
		] as unknown as Probe[];
		const decision = wizard.decider.beforeProbes?.('security', { probes, leftOut: [], announced: [] }, ways);
		await wizard.sees('1 attempt to get from a CI container to this host');
		await wizard.keys(enter);
		expect(await decision).toBe('run');
	});

	it('lists what is going to be tried, and the control that has to succeed, before it is', async () => {
		const wizard = bench();
		await wizard.emit(stepStart('security', 'Security proof', 'proof'));
		const probe = { id: 'a', title: 'Mount a disk', attempt: 'mounts it', threats: ['container-escape'] };
		const probes = [
			{ ...probe, expectation: 'the kernel refuses', control: 'with one more right it is mounted' },
		] as unknown as Probe[];
		void wizard.decider.beforeProbes?.('security', { probes, leftOut: [], announced: [] }, ways);
		await wizard.sees('v lists each attempt with its control');
		await wizard.keys('v');
		await wizard.sees(/1 Mount a disk\n +does +mounts it\n +must +the kernel refuses\n +control +with one more right/);
	});

	it('asks nothing where all of it went as it should', async () => {
		const { emit, decider } = bench();
		await emit(stepStart('security', 'Security proof', 'proof'));
		const probe = { type: 'probe' as const, step: 'security', evidence: [], ms: 1, threats: [], because: 'x' };
		await emit({ ...probe, id: 'a', title: 'Mount a disk', verdict: 'pass' });
		await emit({ ...probe, id: 'b', title: 'Load a module', verdict: 'left-out' });
		expect(await decider.afterProbes?.('security')).toBe('go-on');
	});

	it('shows what got through before anything else is asked, and all of it by v', async () => {
		const { emit, decider, sees, keys } = bench();
		await emit(stepStart('security', 'Security proof', 'proof'));
		await emit({ type: 'plan', step: 'security', actions: [shown({ title: 'Pull busybox' })] });
		const threats = ['container-escape' as const];
		const probe = { type: 'probe' as const, step: 'security', evidence: [], ms: 1, threats };
		await emit({ ...probe, id: 'a', title: 'Mount a disk', verdict: 'pass', because: 'denied' });
		await emit({ ...probe, id: 'b', title: 'Load a module', verdict: 'fail', because: 'it was loaded' });
		const failed = decider.afterProbes?.('security');
		await sees('1 of 2 attacks blocked.');
		await sees(/✖ Load a module +got through: it was loaded/);
		await keys('v');
		await sees(/Evidence[\s\S]*✔ Mount a disk[\s\S]*Plan\n/);
		await keys(esc);
		await sees('❯ Go on');
		await keys(right, enter);
		expect(await failed).toBe('quit');
	});

	it('counts live for each threat, and shows what could not be told', async () => {
		const { emit, sees } = bench();
		await emit(stepStart('security', 'Security proof', 'proof'));
		const probe = {
			type: 'probe' as const,
			step: 'security',
			title: 'Mount a disk',
			threats: ['container-escape' as const],
			evidence: [],
			ms: 1,
		};
		await emit({ ...probe, id: 'a', verdict: 'pass', because: 'denied' });
		await emit({ ...probe, id: 'b', verdict: 'could-not-tell', because: 'no loop device' });
		await emit({
			type: 'probe.start',
			step: 'security',
			id: 'c',
			title: 'Change the crash handler',
			attempt: 'writes',
			n: 3,
			of: 38,
		});
		await sees('2 of 38 tried');
		await sees(/Privileged container escape +1 ✔ blocked +1 \? unknown/);
		await sees('no loop device');
		await sees('Change the crash handler');
	});
});

describe('the end', () => {
	it('tells what is left and how to go on and back', async () => {
		const { emit, store, sees, keys } = bench();
		await emit(stepStart('host'));
		await emit({
			type: 'action.intent',
			step: 'host',
			action: 'install',
			title: 'Install fuse3',
			kind: 'exec',
			does: 'x',
			undo: { kind: 'folder', path: '/x' },
		});
		await emit({ type: 'action.outcome', step: 'host', action: 'install', outcome: 'done', ms: 1 });
		await emit({ type: 'observed', step: 'host', key: 'next.ci', value: 'Use the files in /srv/ci.' });
		await emit({
			type: 'answer',
			step: 'host',
			id: 'functional.registry-image',
			value: 'registry:2',
			source: 'operator',
		});
		await emit({ type: 'step.end', step: 'host', status: 'done', changed: true, open: [] });
		const work = [{ step: 'host', what: 'reboot' }];
		const end = { outcome: 'open', exit: 4, changed: true, reboot: false, open: ['host: reboot'], work } as const;
		await emit({ type: 'run.end', ...end });
		void store.ask({
			screen: { kind: 'end', saved: '/root/answers.yml' },
			prompt: { kind: 'menu', at: 0, options: [{ value: 'leave', label: 'Leave' }] },
			ways: { back: false, skip: false, quit: true },
		});
		await sees('Done, 1 action needed · ci-07');
		await sees(/Changed +Install fuse3/);
		await sees(/Left +Host compatibility: reboot/);
		await sees(/Next +Use the files in \/srv\/ci\./);
		await sees(/Undo +sysbox-setup revert/);
		await sees(/Go on +sysbox-setup --answers a\.yml/);
		await sees('saved: /root/answers.yml');
		await sees('✔ 1 Host compatibility');
		await keys('v');
		// What was changed is named before all that led to it.
		await sees(/Changed\n +1 Host compatibility\n +· Install fuse3\n/);
		await sees('functional.registry-image  registry:2');
	});

	const changed = async (emit: ReturnType<typeof bench>['emit'], step: string, titles: readonly string[]) => {
		await emit(stepStart(step, step));
		for (const title of titles) {
			const undo = { kind: 'folder' as const, path: '/x' };
			await emit({ type: 'action.intent', step, action: title, title, kind: 'exec', does: 'x', undo });
			await emit({ type: 'action.outcome', step, action: title, outcome: 'done', ms: 1 });
		}
		await emit({ type: 'step.end', step, status: 'done', changed: true, open: [] });
	};
	const ends = (store: ReturnType<typeof bench>['store']) =>
		void store.ask({
			screen: { kind: 'end' },
			prompt: { kind: 'menu', at: 0, options: [{ value: 'leave', label: 'Leave' }] },
			ways: { back: false, skip: false, quit: true },
		});
	const titles = (n: number): readonly string[] => Array.from({ length: n }, (_, at) => `Change number ${at + 1}`);

	it('names each change where there is room, and counts them by step where there is not', async () => {
		const few = bench();
		await changed(few.emit, 'Sysbox', titles(5));
		await few.emit({ type: 'run.end', outcome: 'done', exit: 0, changed: true, reboot: false, open: [] });
		ends(few.store);
		await few.sees(/Changed +Change number 1[\s\S]*Change number 5/);

		const many = bench();
		await changed(many.emit, 'Sysbox', titles(20));
		await changed(many.emit, 'Docker', ['Reload Docker']);
		await many.emit({ type: 'run.end', outcome: 'done', exit: 0, changed: true, reboot: false, open: [] });
		ends(many.store);
		await many.sees(/Changed +Sysbox: 20 changes\n +Docker: Reload Docker\n +\(v names each/);
	});

	it('names the files of the system among many changes, what jobs have to mind, and what the levels are', async () => {
		const { emit, store, sees } = bench();
		await emit(stepStart('sysbox', 'Sysbox'));
		for (const [at, path] of ['/etc/docker/daemon.json', '/var/x', '/var/y', '/var/z'].entries()) {
			const undo = { kind: 'file' as const, path, before: null, after: 'a'.repeat(64) };
			const id = `write ${at}`;
			await emit({ type: 'action.intent', step: 'sysbox', action: id, title: id, kind: 'write', does: 'x', undo });
			await emit({ type: 'action.outcome', step: 'sysbox', action: id, outcome: 'done', ms: 1 });
		}
		const known = {
			id: 'sysbox.known-issues.docker-cp',
			severity: 'info' as const,
			summary: 'docker cp does not work',
			knownIssue: 'docker cp does not work',
		};
		await emit({ type: 'findings', step: 'sysbox', when: 'before', findings: [known] });
		await emit({ type: 'step.end', step: 'sysbox', status: 'done', changed: true, open: [] });
		await changed(emit, 'Docker', titles(20));
		await emit(stepStart('security', 'Security proof', 'proof'));
		await emit({
			type: 'probe',
			step: 'security',
			id: 'a',
			title: 'x',
			threats: ['container-escape'],
			verdict: 'pass',
			because: 'x',
			evidence: [],
			ms: 1,
		});
		await emit({ type: 'step.end', step: 'security', status: 'proved', changed: false, open: [] });
		await emit({ type: 'run.end', outcome: 'done', exit: 0, changed: true, reboot: false, open: [] });
		ends(store);
		await sees(/Sysbox: 4 changes, among them: \/etc\/docker\/daemon\.json/);
		await sees(/Issues +docker cp does not work/);
		await sees(/what a CI job could do +before +now +blocked/);
	});

	it('says what failed and was put back, and not where it was done when it was tried again', async () => {
		const restart = { step: 'docker', action: 'restart' };
		const undo = { kind: 'none' as const, why: 'x' };
		const intent = {
			type: 'action.intent' as const,
			...restart,
			title: 'Restart Docker',
			kind: 'exec' as const,
			does: 'x',
			undo,
		};
		const outcome = { type: 'action.outcome' as const, ...restart, ms: 1 };
		const ending = {
			type: 'run.end' as const,
			outcome: 'done' as const,
			exit: 0,
			changed: true,
			reboot: false,
			open: [],
		};
		const failed = bench();
		await failed.emit(stepStart('docker', 'Docker'));
		await failed.emit(intent);
		const failure = { said: 'no answer', now: 'taken back: systemctl restart docker', next: [] };
		await failed.emit({ ...outcome, outcome: 'rolled-back', failure });
		await failed.emit(ending);
		ends(failed.store);
		await failed.sees(/Changed +nothing\n Failed +Restart Docker: taken back: systemctl restart docker/);

		const came = bench();
		await came.emit(stepStart('docker', 'Docker'));
		await came.emit(intent);
		await came.emit({ ...outcome, outcome: 'rolled-back', failure });
		await came.emit({ type: 'step.end', step: 'docker', status: 'done', changed: true, open: [] });
		await came.emit(ending);
		ends(came.store);
		await came.sees('failed, yet in force now');
		await came.sees(/done +Restart Docker: failed, yet in force now/);

		const again = bench();
		await again.emit(stepStart('docker', 'Docker'));
		await again.emit(intent);
		await again.emit({ ...outcome, outcome: 'rolled-back' });
		await again.emit(intent);
		await again.emit({ ...outcome, outcome: 'done' });
		await again.emit(ending);
		ends(again.store);
		await again.sees(/Changed +Restart Docker/);
		expect(again.frame()).not.toContain('Failed  ');
	});

	it('is done also where an earlier process of the run had changed everything', async () => {
		const { emit, store, sees } = bench();
		await changed(emit, 'Sysbox', titles(1));
		await emit({ type: 'run.end', outcome: 'nothing-to-do', exit: 0, changed: false, reboot: false, open: [] });
		ends(store);
		await sees('Done · ci-07');
	});

	it('tells what was left out, and what could not be done without it', async () => {
		const { emit, store, sees } = bench();
		await emit(stepStart('sysbox', 'Sysbox'));
		await emit({ type: 'step.end', step: 'sysbox', status: 'skipped', changed: false, open: [] });
		await emit(stepStart('daemon', 'Docker configuration'));
		const why = 'needs sysbox, which is not finished';
		await emit({ type: 'step.end', step: 'daemon', status: 'not-run', why, changed: false, open: [] });
		await emit({ type: 'run.end', outcome: 'nothing-to-do', exit: 0, changed: false, reboot: false, open: [] });
		ends(store);
		await sees('Nothing was changed · ci-07');
		await sees(/Skipped +Sysbox\n +not run without it: Docker configuration/);
	});

	it('says of a proof that failed which attempt it was, and why', async () => {
		const { emit, store, sees } = bench();
		await emit(stepStart('functional', 'Functional proof', 'proof'));
		await emit({
			type: 'probe',
			step: 'functional',
			id: 'functional.build',
			title: 'The inner engine builds an image',
			threats: [],
			verdict: 'fail',
			because: 'the build ended with code 1',
			evidence: [],
			ms: 1,
		});
		const why = 'did not hold: functional.build';
		await emit({ type: 'step.end', step: 'functional', status: 'failed', why, changed: false, open: [] });
		await emit({ type: 'run.end', outcome: 'failed', exit: 1, changed: false, reboot: false, open: [] });
		ends(store);
		await sees('failed: the build ended with code 1');
	});

	it('always has room for what was changed, the record and the way back', async () => {
		const { emit, store, sees, frame } = bench();
		await changed(emit, 'Sysbox', titles(5));
		await changed(emit, 'Docker', ['Reload Docker']);
		await emit(stepStart('ci', 'CI configuration'));
		const blocks = Array.from({ length: 12 }, (_, n) =>
			finding({
				id: `ci.${n}`,
				summary: `container ${n} reaches it`,
				remedy: { kind: 'advice', text: 'take it out\nwhere the container\nis defined' },
			}),
		);
		await emit({ type: 'findings', step: 'ci', when: 'after', findings: blocks });
		const why = 'blocked by ci.1, ci.2';
		await emit({ type: 'step.end', step: 'ci', status: 'blocked', why, changed: false, open: [] });
		await emit({
			type: 'run.end',
			outcome: 'blocked',
			exit: 3,
			changed: true,
			reboot: false,
			open: titles(6) as string[],
		});
		ends(store);
		await sees('CI configuration: blocked, 12 problems');
		await sees('v tells what it is, and what helps');
		expect(frame()).toMatch(/Changed +Sysbox: 5 changes\n +Docker: Reload Docker/);
		expect(frame()).toMatch(/Undo +sysbox-setup revert/);
		expect(frame()).not.toContain('blocked by ci.1');
	});

	it('of a revert tells what was put back and what stays', async () => {
		const run = { ...initialState };
		const { emit, store, sees } = bench({
			intro: { mode: 'revert', takesBack: { run, stays: ['the folder /var/lib/sysbox'] } },
		});
		await changed(emit, 'Take the run back', ['Put /etc/docker/daemon.json back']);
		await emit({ type: 'run.end', outcome: 'done', exit: 0, changed: true, reboot: false, open: [] });
		ends(store);
		await sees(/Done +Put \/etc\/docker\/daemon\.json back/);
		await sees(/Stays +the folder \/var\/lib\/sysbox/);
	});
});

describe('frames', () => {
	it('are never as high as the terminal, and prompt and keys stay', { timeout: 30_000 }, async () => {
		for (const rows of [10, 12, 16, 24, 50]) {
			for (const columns of [40, 60, 80, 200]) {
				const wizard = bench({ size: { columns, rows } });
				await wizard.emit(stepStart('host'));
				const many = Array.from({ length: 30 }, (_, n) =>
					finding({ id: `f.${n}`, severity: 'warn', evidence: 'x '.repeat(90) }),
				);
				const actions = Array.from({ length: 12 }, (_, n) => shown({ id: `a${n}`, why: 'long '.repeat(60) }));
				await wizard.emit({ type: 'plan', step: 'host', actions });
				void wizard.decider.approve('host', { actions: actions.map(() => action()) }, many, ways);
				await wizard.sees('Do all 12');
				// The transcript's two rows stand above the frame in this fake terminal.
				const transcript = wizard.store.state().transcript.flat().length;
				expect(wizard.frame().split('\n').length - transcript).toBeLessThanOrEqual(rows - 1);
				expect(wizard.frame()).toContain('q quit');
			}
		}
	});

	it('give way to one sentence where the window is too small', async () => {
		const { emit, sees } = bench({ size: { columns: 20, rows: 5 } });
		await emit(stepStart('host'));
		await sees('make it');
	});

	it('follow the window', async () => {
		const { emit, sees, store } = bench({ size: { columns: 20, rows: 5 } });
		await emit(stepStart('host'));
		await sees('make it');
		store.resize({ columns: 80, rows: 24 });
		await sees('Host compatibility');
	});
});
