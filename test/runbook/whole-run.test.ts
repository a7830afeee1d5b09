/** The whole runbook on hosts that are as they should be: set up, found set up, and taken back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { revert as revertCommand } from '../../src/cli/revert.ts';
import { executeRun } from '../../src/cli/run.ts';
import { eventSchema } from '../../src/model/event.ts';
import { threatTable } from '../../src/model/threat.ts';
import { openRun } from '../../src/session/open-run.ts';
import type { ScenarioName } from '../../src/simulation/scenarios.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';
import { sayAfter } from '../../src/view/threat.ts';
import { steps } from '../../steps/index.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';
import {
	actions,
	aroundRun,
	changeable,
	daemonJson,
	type Ended,
	fileOf,
	finding,
	hostDirectory,
	hostOf,
	labelledOn,
	newKept,
	revert,
	runbook,
	runningOn,
	setUpAndProved,
	statuses,
	textOn,
} from './whole-runbook.ts';

const rows = ({ state }: Ended): readonly string[] => threatTable(state).map(row => `${row.id}: ${sayAfter(row)}`);

/** The agents and the runner of these hosts reach nothing, use no Sysbox yet, and have no limits. */
const proved = [
	'container-escape: ready, no job uses Sysbox yet',
	'resource-abuse: still High',
	'docker-compromise: ready, no job uses Sysbox yet',
	'job-to-job: High, not lowered by Sysbox CE',
];

const probesOf = ({ state }: Ended) => state.steps.flatMap(step => step.probes);

describe.each(['fresh-ubuntu', 'fresh-debian'] as const)('%s', name => {
	test('is set up unattended and proved, and no row is called lowered while no job uses Sysbox', async () => {
		const host = hostOf(name);
		const before = runningOn(host.state());
		const first = await runbook(host);

		expect(first.exit).toBe(0);
		expect(statuses(first)).toEqual(setUpAndProved);
		expect(rows(first)).toEqual(proved);
		expect(probesOf(first).filter(probe => probe.verdict !== 'pass')).toEqual([]);
		expect(first.state.end).toMatchObject({ outcome: 'done', exit: 0, changed: true, open: [] });
		expect(runningOn(host.state())).toEqual(before);
		expect(labelledOn(host.state())).toEqual([]);
		// What is logged is what the schema of the stable interface says, event by event.
		expect(first.kept.events.map(event => eventSchema.safeParse(event).success)).not.toContain(false);
	});

	test('has nothing left to do the second time, and says so', async () => {
		const host = hostOf(name);
		await runbook(host);
		const { files, packages, units } = host.state();
		const second = await runbook(host);

		expect(second.exit).toBe(0);
		expect(actions(second)).toEqual([]);
		expect(second.state.end).toMatchObject({ outcome: 'nothing-to-do', changed: false });
		expect(second.screen).toContain('nothing to change');
		expect({ ...host.state().files }).toEqual(files);
		expect(host.state().packages).toEqual(packages);
		expect(host.state().units).toEqual(units);
		expect(rows(second)).toEqual(proved);
	});

	test('is as before, once the run is taken back', async () => {
		const host = hostOf(name);
		const before = host.state();
		const first = await runbook(host);
		const back = await revert(host, first.kept);

		expect(back.exit).toBe(0);
		expect(back.state.end).toMatchObject({ outcome: 'done', changed: true });
		expect(textOn(host)).toBe(textOn({ ...host, state: () => before }));
		expect(leftFiles(before, host.state())).toEqual([
			'/etc/passwd',
			'/etc/subgid',
			'/etc/subuid',
			`/root/sysbox-setup-record-${before.machine.hostname}-2026-11-24.md`,
			'/usr/lib/sysctl.d',
			'/var/lib/sysbox',
			'/var/lib/sysbox-setup',
			'/var/lib/sysboxfs',
		]);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
		expect(Object.keys(host.state().docker.engine.config.runtimes)).not.toContain('sysbox-runc');
		expect(host.state().docker.engine.images.map(i => i.tags)).toEqual(before.docker.engine.images.map(i => i.tags));
		expect(runningOn(host.state())).toEqual(runningOn(before));
	});
});

/** Paths that are not as they were. */
function leftFiles(before: SimulatedState, after: SimulatedState): readonly string[] {
	const paths = new Set([...Object.keys(before.files), ...Object.keys(after.files)]);
	return [...paths].filter(path => JSON.stringify(before.files[path]) !== JSON.stringify(after.files[path])).toSorted();
}

describe('a daemon.json of the operator', () => {
	const originals: readonly (readonly [title: string, text: string | undefined])[] = [
		['that is missing', undefined],
		['that is {}', '{}'],
		['with tabs and no newline at its end', '{\n\t"live-restore": true,\n\t"log-level": "warn"\n}'],
		['with CRLF', '{\r\n    "live-restore": true,\r\n    "dns": ["10.0.0.53"]\r\n}\r\n'],
		['on one line', '{"live-restore":true,"labels":["a=b"]}'],
		[
			'with runtimes of its own',
			'{\n  "runtimes": {\n    "kata": { "path": "/usr/bin/kata-runtime" }\n  },\n  "live-restore": true\n}\n',
		],
		[
			'with addresses of its own',
			'{\n  "bip": "172.17.0.1/16",\n  "default-address-pools": [{ "base": "10.200.0.0/16", "size": 24 }]\n}\n',
		],
		['with letters of other languages', '{\n  "labels": ["ort=Zürich", "名=东"]\n}\n'],
	];

	/** Whatever the file says has been loaded, as on a host that was not touched since its Docker started. */
	const loaded = (text: string | undefined) => (state: SimulatedState) => {
		if (text === undefined) {
			delete state.files[daemonJson];
			return;
		}
		state.files[daemonJson] = fileOf(text);
		const { runtimes } = JSON.parse(text) as { runtimes?: Record<string, { path: string }> };
		state.docker.engine.config.runtimes = { ...runtimes };
	};

	test.each(originals)('%s keeps its own keys through the run, and comes back byte for byte', async (_, text) => {
		const host = hostOf('fresh-ubuntu', { change: loaded(text) });
		const first = await runbook(host, { selection: { skip: ['ci', 'functional', 'security', 'record'] } });
		expect(first.exit).toBe(0);
		const written = JSON.parse(textOn(host) ?? '') as Record<string, unknown>;
		const own = JSON.parse(text ?? '{}') as Record<string, unknown>;
		expect(written).toMatchObject(own);
		expect(written['runtimes']).toMatchObject({ 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } });
		expect((textOn(host) ?? '').includes('\r\n')).toBe(text?.includes('\r\n') ?? false);

		const back = await revert(host, first.kept);
		expect(back.exit).toBe(0);
		expect(textOn(host)).toBe(text);
		expect(Object.keys(host.state().docker.engine.config.runtimes)).toEqual(Object.keys(own['runtimes'] ?? {}));
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});

	test('with a comment is refused with its place, as Docker refuses it too, and nothing is changed', async () => {
		const text = '{\n  // who: platform team\n  "live-restore": true\n}\n';
		const host = hostOf('fresh-ubuntu', {
			change: state => {
				state.files[daemonJson] = fileOf(text);
			},
		});
		const ended = await runbook(host);
		expect(ended.exit).toBe(3);
		expect(finding(ended, 'daemon-json.valid')?.summary).toContain(`${daemonJson}:2:3`);
		expect(textOn(host)).toBe(text);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
	});

	test('keeps its mode and owner through the run and the way back', async () => {
		const host = hostOf('fresh-ubuntu', {
			change: state => {
				state.files[daemonJson] = { kind: 'file', text: '{}\n', mode: 0o640, uid: 0, gid: 988 };
			},
		});
		const first = await runbook(host, { selection: { only: ['host', 'sysbox', 'daemon', 'docker'] } });
		expect(host.state().files[daemonJson]).toMatchObject({ mode: 0o640, gid: 988 });
		await revert(host, first.kept);
		expect(host.state().files[daemonJson]).toEqual({ kind: 'file', text: '{}\n', mode: 0o640, uid: 0, gid: 988 });
	});
});

test('what somebody changed in daemon.json after the run is not overwritten by its revert', async () => {
	const host = hostOf('fresh-ubuntu');
	const first = await runbook(host, { selection: { only: ['host', 'sysbox', 'daemon', 'docker'] } });
	const changed = (textOn(host) ?? '').replace('"live-restore": true', '"live-restore": false');
	host.disturb(state => {
		state.files[daemonJson] = fileOf(changed);
	});
	const back = await revert(host, first.kept);
	expect(back.exit).toBe(3);
	expect(finding(back, 'revert.changed-since')?.summary).toContain(daemonJson);
	expect(textOn(host)).toBe(changed);
	expect(host.state().packages['sysbox-ce']?.status).toBe('installed');
});

test.each<ScenarioName>(['already-set-up'])('%s is left alone', async name => {
	const host = hostOf(name);
	const before = host.state();
	const ended = await runbook(host, { answers: { 'ci.systems': [] } });
	expect(ended.exit).toBe(0);
	expect(actions(ended).filter(action => !action.startsWith('ci.'))).toEqual([]);
	expect(textOn(host)).toBe(textOn({ ...host, state: () => before }));
});

test('a run that goes on after its end begins a new one, and changes nothing', async () => {
	const host = hostOf('fresh-ubuntu');
	await runbook(host);
	const again = await runbook(host, { kept: newKept('run-2') });
	expect(again.state.start?.run).toBe('run-2');
	expect(again.state.end?.outcome).toBe('nothing-to-do');
});

test('a run that was taken back is not taken back again, by itself or by its record', async () => {
	const directory = scratchDirectory();
	const host = hostOf('fresh-ubuntu');
	await host.makeDirectory(hostDirectory, { mode: 0o700 });
	const around = () => aroundRun(host, {}, directory);
	const { environment } = around();
	const opened = await openRun(environment, { mode: 'run', fresh: false });
	const passed = { answers: {}, waivers: [], risks: [] };
	expect(await executeRun({ ...around(), mode: 'run', steps, selection: {}, passed, strict: false, opened })).toBe(0);
	await opened.close();
	const record = join(directory, 'record.md');
	const [written] = Object.keys(host.state().files).filter(path => path.startsWith('/root/sysbox-setup-record-'));
	writeFileSync(record, textOn(host, written) ?? '');

	expect(await revertCommand(around())).toBe(0);
	expect(host.state().packages['sysbox-ce']).toBeUndefined();
	const after = changeable(host.state());

	const again = around();
	expect(await revertCommand(again)).toBe(0);
	expect(again.screen()).toContain('There is nothing to revert');
	const byRecord = around();
	expect(await revertCommand({ ...byRecord, named: record })).toBe(0);
	expect(byRecord.screen()).toContain(`run ${opened.run} was reverted before`);
	expect(changeable(host.state())).toBe(after);
});
