/** Some of the steps: what they need is inspected and judged, and never applied. */
import { describe, expect, test } from 'vitest';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { stepNames } from '../../steps/step-names.ts';
import {
	actions,
	changeable,
	type Ended,
	finding,
	hostOf,
	type Kept,
	newKept,
	runbook,
	statuses,
} from './whole-runbook.ts';

/** Steps that changed something, or may have. */
const applied = (ended: Ended): readonly string[] => [
	...new Set(actions(ended).map(action => action.split('.')[0] ?? '')),
];

describe('--only', () => {
	test('inspects what the step needs, applies nothing of it, and ends 3 naming the unfinished step', async () => {
		const host = hostOf('fresh-ubuntu');
		const before = changeable(host.state());
		const ended = await runbook(host, { selection: { only: ['sysbox'] } });
		expect(ended.exit).toBe(3);
		expect(statuses(ended)).toEqual(['host open', 'sysbox not-run']);
		expect(finding(ended, 'fuse3.missing')?.severity).toBe('block');
		expect(ended.state.end?.open).toEqual(['host: run `sysbox-setup --only host --yes` first']);
		expect(ended.screen).toContain('needs host, which is not finished');
		expect(changeable(host.state())).toBe(before);
	});

	test.each([
		['host', ['host']],
		['daemon', []],
		['docker', []],
		['ci', []],
	] as const)('%s on a fresh host changes nothing but its own', async (only, own) => {
		const ended = await runbook(hostOf('fresh-ubuntu'), { selection: { only: [only] } });
		expect(applied(ended)).toEqual(own);
		expect(ended.exit).toBe(own.length > 0 ? 0 : 3);
	});

	test('applies a step whose needs are finished, and looks at the needs before it', async () => {
		const host = hostOf('fresh-ubuntu');
		expect((await runbook(host, { selection: { only: ['host'] } })).exit).toBe(0);
		const ended = await runbook(host, { selection: { only: ['sysbox'] } });
		expect(ended.exit).toBe(0);
		expect(statuses(ended)).toEqual(['host unchanged', 'sysbox done']);
		expect(applied(ended)).toEqual(['sysbox']);
		expect(ended.state.steps[0]?.before.length).toBeGreaterThan(25);
	});

	test('goes through the whole runbook one step at a time', async () => {
		const host = hostOf('fresh-ubuntu');
		for (const step of ['host', 'sysbox', 'daemon', 'docker', 'ci', 'functional', 'security']) {
			const ended = await runbook(host, { selection: { only: [step] } });
			expect(ended.exit, `${step}: ${statuses(ended).join(', ')}`).toBe(0);
			expect(applied(ended).filter(id => id !== step)).toEqual([]);
		}
		const record = await runbook(host, { selection: { only: ['record'] }, record: '/root/record.md' });
		expect(record.exit).toBe(0);
		expect(Object.keys(host.state().files)).toContain('/root/record.md');
	});

	test('of an unfit host stops at the need that is unfit', async () => {
		const ended = await runbook(hostOf('old-kernel'), { selection: { only: ['functional'] } });
		expect(ended.exit).toBe(3);
		expect(statuses(ended)[0]).toBe('host blocked');
		expect(
			statuses(ended)
				.slice(1)
				.every(status => status.endsWith('not-run')),
		).toBe(true);
	});
});

describe('--skip', () => {
	test('of a step that others need keeps it inspected, and the others from running', async () => {
		const host = hostOf('fresh-ubuntu');
		const ended = await runbook(host, { selection: { skip: ['sysbox'] } });
		expect(ended.exit).toBe(3);
		expect(statuses(ended).slice(0, 3)).toEqual(['host done', 'sysbox open', 'daemon not-run']);
		expect(ended.state.end?.open).toEqual(['sysbox: run `sysbox-setup --only sysbox --yes` first']);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});

	test('of a step that nothing needs leaves only that step out', async () => {
		const ended = await runbook(hostOf('fresh-ubuntu'), { selection: { skip: ['security'] } });
		expect(ended.exit).toBe(0);
		expect(statuses(ended).map(status => status.split(' ')[0])).not.toContain('security');
		// What was not proved is not called lowered, in a run that ends well too.
		expect(ended.screen).not.toMatch(/Critical -> Low/);
	});

	test('is not remembered by the next run', async () => {
		const host = hostOf('fresh-ubuntu');
		await runbook(host, { selection: { skip: ['ci', 'functional', 'security', 'record'] } });
		const next = await runbook(host, { kept: newKept('run-2') });
		expect(next.exit).toBe(0);
		expect(statuses(next)).toContain('security proved');
	});
});

describe('a plan of some steps', () => {
	test('ends with what comes first, and not with the changes that it lists', async () => {
		const ended = await runbook(hostOf('fresh-ubuntu'), { mode: 'plan', selection: { only: ['host', 'ci'] } });
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain("can't continue. Next for sysbox: run `sysbox-setup --only sysbox --yes` first\n");
	});
});

describe('--from', () => {
	test('on a fresh host does not make up for the steps before it', async () => {
		const host = hostOf('fresh-ubuntu');
		const before = changeable(host.state());
		const ended = await runbook(host, { selection: { from: 'docker' } });
		expect(ended.exit).toBe(3);
		expect(applied(ended)).toEqual([]);
		expect(ended.screen).toContain('host: run `sysbox-setup --only host');
		expect(changeable(host.state())).toBe(before);
	});

	test('goes on behind the steps that are done', async () => {
		const host = hostOf('fresh-ubuntu');
		await runbook(host, { selection: { only: ['host', 'sysbox'] } });
		const ended = await runbook(host, { selection: { from: 'daemon' } });
		expect(ended.exit).toBe(0);
		expect(statuses(ended).slice(0, 4)).toEqual([
			'host unchanged',
			'sysbox unchanged',
			'daemon unchanged',
			'docker done',
		]);
	});
});

function withoutCounters(text: string): unknown {
	const state = JSON.parse(text) as SimulatedState;
	const { containers, images, networks, volumes } = state.docker.engine;
	return { ...state, docker: { containers: containers.map(c => c.name), images, networks, volumes } };
}

describe('only the proofs', () => {
	const proofsOnly = { mode: 'test', selection: { only: ['functional', 'security'] } } as const;

	test('on a host that is set up prove it, and change nothing', async () => {
		const host = hostOf('already-set-up');
		const before = changeable(host.state());
		const ended = await runbook(host, proofsOnly);
		expect(ended.exit, statuses(ended).join(', ')).toBe(0);
		expect(applied(ended)).toEqual([]);
		expect(ended.state.steps.flatMap(s => s.probes).filter(p => p.verdict === 'fail')).toEqual([]);
		// Docker's own counters go on; its containers and images are those of before.
		expect(withoutCounters(changeable(host.state()))).toEqual(withoutCounters(before));
	});

	test('on a fresh host end 3 and name the steps that are not finished', async () => {
		const host = hostOf('fresh-ubuntu');
		const before = changeable(host.state());
		const ended = await runbook(host, proofsOnly);
		expect(ended.exit).toBe(3);
		expect(ended.screen).toContain('host: run `sysbox-setup --only host');
		expect(ended.screen).toMatch(/needs .*, which is not finished/);
		expect(changeable(host.state())).toBe(before);
	});
});

test('a selection that leaves no step to run is refused, with the names of the steps', async () => {
	const kept: Kept = newKept('run-1');
	const ended = await runbook(hostOf('fresh-ubuntu'), { kept, selection: { only: ['ci'], skip: ['ci'] } });
	expect(ended.exit).toBe(2);
	expect(ended.screen).toContain(`the steps are: ${stepNames.join(', ')}`);
	expect(kept.events).toEqual([]);
});
