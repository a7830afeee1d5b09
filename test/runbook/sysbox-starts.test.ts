/** Starts of Sysbox that fail, as recorded with Sysbox 0.7.0: what is told, and how often it is tried. */

import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/simulation/faults.ts';
import { put } from '../../src/simulation/file-tree.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { type Ended, hostOf, runbook } from './whole-runbook.ts';

const only = { selection: { only: ['host', 'sysbox'] } } as const;

/** A host that is set up, and whose Sysbox is down. */
const stopped = (faults: readonly Fault[] = [], change: (state: SimulatedState) => void = () => undefined) =>
	hostOf('already-set-up', {
		faults,
		change: state => {
			for (const name of ['sysbox', 'sysbox-mgr', 'sysbox-fs']) {
				const unit = state.units[`${name}.service`];
				if (unit !== undefined) Object.assign(unit, { active: 'inactive', sub: 'dead', mainPid: 0 });
			}
			state.processes = state.processes.filter(p => p.unit?.startsWith('sysbox') !== true);
			change(state);
		},
	});

const startOf = (ended: Ended) => ended.state.actions.find(a => a.step === 'sysbox' && a.id === 'start');

describe('a start that sysbox-fs misses', () => {
	test('twice in a row is mended by the third, and each attempt is told', async () => {
		const ended = await runbook(stopped([{ name: 'sysbox-fs-start-timeout', times: 2 }]), only);
		expect(ended.exit, ended.screen).toBe(0);
		expect(startOf(ended)?.outcome).toBe('done');
		for (const n of [1, 2])
			expect(ended.screen).toContain(
				`attempt ${n} of 3 failed, trying again: sysbox-fs was not ready in time (start operation timed out)`,
			);
	});

	test('three times ends the run with what was seen', async () => {
		const ended = await runbook(stopped([{ name: 'sysbox-fs-start-timeout' }]), only);
		expect(ended.exit).toBe(1);
		expect(startOf(ended)?.failure?.said).toContain('sysbox-fs was not ready in time');
		expect(ended.screen).not.toContain('attempt 3 of 3');
	});
});

const fatal: readonly (readonly [string, (state: SimulatedState) => void, string])[] = [
	[
		'subuid and subgid differ',
		state => {
			put(state.files, '/etc/subuid', 'sysbox:100000:65536\n');
			put(state.files, '/etc/subgid', 'sysbox:200000:65536\n');
		},
		'could not find matching subuid and subgids range for user sysbox',
	],
	[
		'garbage in subuid',
		state => put(state.files, '/etc/subuid', 'sysbox:abc:def\n'),
		'could not find matching subuid and subgids range for user sysbox',
	],
];

test.each(fatal)('a start that fails tells the fatal line of its journal: %s', async (_, change, line) => {
	const host = stopped([], change);
	// What blocks a plan beforehand is waived, so that the start itself is seen.
	const ended = await runbook(host, {
		...only,
		waivers: [{ finding: 'sysbox.subid', reason: 'tried', expires: '2027-01-01' }],
	});
	expect(ended.exit, ended.screen).toBe(1);
	expect(startOf(ended)?.failure?.said).toContain(
		`sysbox-mgr: failed to create sysbox-mgr: failed to setup subid allocator: ${line}`,
	);
	expect(ended.screen).not.toContain('attempt 2');
});

test('a restart of Docker that fails tells the fatal line of its journal', async () => {
	const ended = await runbook(
		hostOf('docker-stays-down', { faults: [{ name: 'docker-does-not-come-back', times: 1 }] }),
		{
			selection: { only: ['host', 'sysbox', 'daemon', 'docker'] },
			answers: { 'docker.restart': true },
			risks: ['restart-docker', 'stop-containers'],
		},
	);
	const restart = ended.state.actions.find(a => a.step === 'docker' && a.id === 'restart');
	expect(restart?.failure?.said, ended.screen).toContain(
		'docker: failed to start daemon: error initializing graphdriver: permission denied',
	);
});
