import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/finding.ts';
import type { ShownAction } from '../../src/model/shown-action.ts';
import { initialState, type RunState, type StepState } from '../../src/model/state.ts';
import { exitOfVerdict, rebootPending, sayVerdict, type Verdict, verdictOf } from '../../src/model/verdict.ts';

const step = (id: string, about: Partial<StepState> = {}): StepState => ({
	id,
	title: id,
	kind: 'change',
	n: 1,
	of: 1,
	startedAt: '',
	status: 'unchanged',
	before: [],
	runningProbes: [],
	probes: [],
	open: [],
	...about,
});
const run = (...steps: readonly StepState[]): RunState => ({ ...initialState, steps });
const action = (id: string, more: Partial<ShownAction> = {}): ShownAction => ({
	id,
	kind: 'exec',
	title: `Do ${id}`,
	why: '',
	does: '',
	undo: '',
	...more,
});
const plans = (id: string, ...actions: readonly ShownAction[]): StepState => step(id, { plan: { actions } });
const finding = (id: string, more: Partial<Finding> = {}): Finding => ({ id, severity: 'block', summary: id, ...more });
const planned = { remedy: { kind: 'planned', text: '' } } as const;
const commands = { remedy: { kind: 'commands', text: '', commands: ['x'] } } as const;
const blocked = (id: string, ...before: readonly Finding[]): StepState => step(id, { status: 'blocked', before });
const saw = (id: string, ...before: readonly Finding[]): StepState => step(id, { before });

const judge = (looked: RunState, previewed: RunState = run(), strict = false) =>
	verdictOf(looked, previewed, { strict, command: 'sysbox-setup' });

describe('the verdict of a check', () => {
	const job = finding('ci.container.privileged', { keeps: 'threat' });
	const reboot = finding('kernel.reboot-pending', { severity: 'warn', needs: 'reboot' });
	const down = finding('sysbox.units-active', { breaks: true, ...planned });
	const start = run(plans('sysbox', action('start')));
	const cases: readonly [string, RunState, RunState, Verdict, number, number, string][] = [
		[
			'nothing is left',
			run(saw('host', finding('a', { severity: 'ok' }))),
			run(),
			'set-up',
			0,
			0,
			'Nothing to change.',
		],
		[
			'a warning alone',
			run(saw('host', finding('a', { severity: 'warn' }))),
			run(),
			'set-up',
			0,
			0,
			'test` for the proofs.',
		],
		['a run would change something', run(saw('sysbox', finding('a', planned))), start, 'ready', 1, 0, 'to review it.'],
		[
			'what is missing, where nothing can be planned without root',
			run(
				saw(
					'sysbox',
					finding('sysbox.installed', planned),
					finding('a', { severity: 'could-not-tell', needsRoot: true }),
				),
				saw('daemon', finding('daemon.runtime-path', planned)),
			),
			run(),
			'ready',
			1,
			0,
			'1 check needs root',
		],
		['CI files alone', run(), run(plans('ci', action('compose'))), 'set-up', 0, 0, 'Nothing to change.'],
		[
			'what serves another action',
			run(),
			run(plans('sysbox', action('download', { serves: 'install' }), action('install'))),
			'ready',
			1,
			0,
			'to review it.',
		],
		[
			'access of CI beside changes',
			run(saw('ci', job)),
			start,
			'ready',
			1,
			1,
			'left for you: ci.container.privileged.',
		],
		['access of CI alone', run(saw('ci', job)), run(), 'action-needed', 0, 1, 'Left for you: ci.container.privileged.'],
		[
			'access that was waived',
			run(saw('ci', { ...job, waived: { reason: 'r', expires: '' } })),
			run(),
			'set-up',
			0,
			0,
			'Not counted, as waived: ci.container.privileged.',
		],
		[
			'a container that may be of the CI',
			run(saw('ci', { ...job, severity: 'could-not-tell' })),
			run(),
			'action-needed',
			0,
			1,
			'Left for you',
		],
		['a reboot', run(saw('host', reboot)), run(), 'action-needed', 0, 1, 'Reboot this host.'],
		[
			'a file that others write',
			run(),
			run(plans('daemon', action('file', { kind: 'manual' }))),
			'action-needed',
			0,
			1,
			'Left for you: daemon: Do file.',
		],
		[
			'no run can help',
			run(blocked('host', finding('kernel.floor')), saw('sysbox', finding('sysbox.installed', planned))),
			run(plans('host', action('tools')), plans('sysbox', action('install'))),
			'incompatible',
			0,
			0,
			'Fix first: kernel.floor.',
		],
		[
			'something to be ended by hand while Sysbox is missing',
			run(blocked('host', finding('dpkg.state', commands)), saw('sysbox', finding('sysbox.installed', planned))),
			run(),
			'incompatible',
			0,
			0,
			'Fix first: dpkg.state.',
		],
		[
			'something to be ended by hand on a host that is set up',
			run(blocked('host', finding('dpkg.state', commands)), saw('sysbox')),
			run(),
			'action-needed',
			0,
			1,
			'Left for you: dpkg.state.',
		],
		[
			'a unit that is down',
			run(saw('sysbox', down)),
			start,
			'broken',
			1,
			0,
			'Run `sysbox-setup` to repair it: 1 change.',
		],
		[
			'a broken file that no run mends',
			run(blocked('host', finding('daemon-json.valid', { breaks: true, ...commands }))),
			run(plans('host', action('tools'))),
			'broken',
			0,
			0,
			'Fix first: daemon-json.valid.',
		],
		[
			'what no run repairs, beside a change that has nothing to do with it',
			run(saw('host', finding('docker.features', { severity: 'warn', breaks: true, ...commands }))),
			run(plans('host', action('tools'))),
			'broken',
			1,
			0,
			'Fix first: docker.features.',
		],
		['something unknown', run(saw('host', finding('a', { severity: 'could-not-tell' }))), start, 'unknown', 1, 0, 'a.'],
		[
			'something that only root can tell',
			run(saw('host', finding('a', { severity: 'could-not-tell', needsRoot: true }))),
			run(),
			'set-up',
			0,
			0,
			'Nothing',
		],
	];

	it.each(cases)('%s', (_what, looked, previewed, verdict, changes, forYou, why) => {
		const judged = judge(looked, previewed);
		expect([judged.verdict, judged.changes.length, judged.forYou.length]).toEqual([verdict, changes, forYou]);
		expect(judged.why).toContain(why);
	});

	it('counts what only root can tell with --strict', () => {
		const looked = run(saw('host', finding('a', { severity: 'could-not-tell', needsRoot: true })));
		expect(judge(looked, run(), true).verdict).toBe('unknown');
	});

	it('counts one finding of two steps once', () => {
		const looked = run(saw('host', reboot), saw('docker', reboot));
		expect(judge(looked).forYou).toEqual(['kernel.reboot-pending: kernel.reboot-pending']);
	});

	it('knows a pending reboot by the latest look', () => {
		expect(rebootPending(run(saw('host', reboot)))).toBe(true);
		expect(rebootPending(run(step('host', { before: [reboot], after: [] })))).toBe(false);
	});
});

it.each<[Verdict, string, number, number]>([
	['set-up', 'set up', 0, 0],
	['ready', 'ready, 2 changes', 4, 0],
	['action-needed', 'set up, 1 action needed', 4, 0],
	['incompatible', 'incompatible', 3, 3],
	['broken', 'broken', 3, 3],
	['unknown', 'unknown', 5, 5],
])('%s is said as "%s" and ends %i, or %i where a host that can be set up is enough', (verdict, words, exit, wide) => {
	expect(sayVerdict(verdict, 2, 1)).toBe(words);
	expect(exitOfVerdict(verdict, 'set-up')).toBe(exit);
	expect(exitOfVerdict(verdict, 'compatible')).toBe(wide);
});
