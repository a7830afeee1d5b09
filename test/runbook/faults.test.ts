/**
 * Something fails at each action of a whole run: what is said names the path or the command, says what is true now and
 * what to do, Docker and the operator's containers run on, and the next start comes to the end of the run. The actions
 * are those of the real run, so that one that is added is swept by itself.
 *
 * The short run takes one fault for each action, another one for each kind; KILL_SWEEP=all takes all of them,
 * KILL_SWEEP=N one of N.
 */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import type { RiskName } from '../../src/model/risk.ts';
import type { ExecResult, WriteHost, WriteResult } from '../../src/port/host.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { sweptOneOf } from '../support/sweep.ts';
import {
	type Ask,
	actions,
	daemonJson,
	type Ended,
	fileOf,
	hostIn,
	hostOf,
	labelledOn,
	revert,
	runbook,
	runningOn,
	statuses,
	textOn,
} from './whole-runbook.ts';

const errnos = {
	ENOSPC: 'no space left on device',
	EROFS: 'read-only file system',
	EACCES: 'permission denied',
	EIO: 'input/output error',
	EBUSY: 'device or resource busy',
} as const;
type Errno = keyof typeof errnos;
type FaultName = Errno | 'hangs';
const faultNames: readonly FaultName[] = ['ENOSPC', 'EROFS', 'EACCES', 'EIO', 'EBUSY', 'hangs'];

/** The host on which everything that may change it fails in this way, while the switch is on. */
function faultyHost(host: SimulatedHost, fault: FaultName, isOn: () => boolean): SimulatedHost {
	const words = fault === 'hangs' ? '' : errnos[fault];
	const failed = (path: string): WriteResult => ({
		kind: 'failed',
		errno: fault === 'hangs' ? 'EIO' : fault,
		message: `${path}: ${words}`,
	});
	const write =
		<A extends readonly unknown[]>(call: (path: string, ...rest: A) => Promise<WriteResult>) =>
		async (path: string, ...rest: A): Promise<WriteResult> =>
			isOn() && fault !== 'hangs' ? failed(path) : call(path, ...rest);
	const run: WriteHost['run'] = async (argv, options) => {
		if (!isOn()) return host.run(argv, options);
		const ended = (more: Partial<ExecResult>): ExecResult => ({
			code: 1,
			stdout: '',
			stderr: '',
			elapsedMs: 1,
			...more,
		});
		if (fault === 'hangs') {
			host.clock.advance(options.timeoutMs);
			return ended({ code: null, problem: 'timeout', elapsedMs: options.timeoutMs });
		}
		if (fault === 'EACCES') return ended({ code: null, problem: 'denied' });
		return ended({ stderr: `${argv[0]}: cannot write: ${words}` });
	};
	const cannot = (path: string) =>
		({ kind: 'failed', message: `${path}: ${words || 'not complete after 900 s'}` }) as const;
	return {
		...host,
		run,
		replaceFile: write(host.replaceFile),
		removeFile: write(host.removeFile),
		makeDirectory: write(host.makeDirectory),
		removeDirectory: write(host.removeDirectory),
		copyFile: async (from, path, how) => (isOn() ? cannot(path) : host.copyFile(from, path, how)),
	};
}

interface Scene {
	readonly name: string;
	readonly host: () => SimulatedHost;
	readonly ask: Ask;
}

/** Somebody has written another bridge address, which Docker reads only when it starts. */
const hostWithOtherBridge = (faults: readonly Fault[] = []): SimulatedHost =>
	hostOf('already-set-up', {
		faults,
		change: state => {
			const node = state.files[daemonJson];
			const config = JSON.parse(node?.kind === 'file' ? (node.text ?? '{}') : '{}') as object;
			state.files[daemonJson] = fileOf(`${JSON.stringify({ ...config, bip: '172.20.0.1/16' }, null, 4)}\n`);
		},
	});

/** Together they have every kind of action: written and installed, fetched and copied, reloaded and restarted. */
const scenes: readonly Scene[] = [
	{ name: 'a run that reloads', host: () => hostOf('fresh-ubuntu'), ask: {} },
	{
		name: 'a run that restarts Docker',
		host: () => hostWithOtherBridge(),
		ask: {
			selection: { only: ['host', 'sysbox', 'daemon', 'docker'] },
			answers: { 'docker.restart': true },
			risks: ['restart-docker', 'stop-containers'],
		},
	},
];

/** What may be switched off by the fault while it lasts: a restart of Docker is under way then. */
const restarts = (action: string): boolean => /docker\.(?:restart|start|switch|arm|disarm)/.test(action);

for (const scene of scenes) {
	const whole = await runbook(scene.host(), scene.ask);
	const swept = whole.state.actions
		// The record is tried at its own place, see test/steps/record.test.ts.
		.filter(a => a.step !== 'record')
		.map(a => ({ action: `${a.step}.${a.id}`, kind: a.kind, does: a.does }));
	const rows = swept.flatMap(({ action, kind, does }, index) => {
		const fits = faultNames.filter(f => f !== 'hangs' || kind === 'exec' || kind === 'load-image');
		const nth = sweptOneOf(fits.length);
		const some = fits.filter((_, n) => n % nth === index % nth);
		return some.map(fault => [fault, action, kind, does] as const);
	});

	describe(`${scene.name}`, () => {
		test('ends well without a fault, and has actions of several kinds', () => {
			expect(whole.exit, statuses(whole).join(', ')).toBe(0);
			expect(new Set(swept.map(s => s.kind)).size).toBeGreaterThan(2);
		});

		test.each(rows)('%s at %s: clear words, a host that works, and a next start that ends it', async (...row) => {
			const [fault, action, kind, does] = row;
			const host = scene.host();
			const original = host.state();
			let amid = false;
			let before = original.files[pathOf(does)];
			const onEvent = (event: Event): void => {
				if (!('action' in event) || `${event.step}.${event.action}` !== action) return;
				if (event.type === 'action.intent') before = host.state().files[pathOf(does)];
				amid = event.type === 'action.intent';
			};
			const faulty = faultyHost(host, fault, () => amid);
			const ended = await runbook(faulty, { ...scene.ask, onEvent });

			expectClearWords(ended, action, does);
			expect(ended.exit, `${statuses(ended).join(', ')}; ${actions(ended).join(', ')}`).toBe(1);
			// A file or a directory is as it was directly before, to the byte.
			if (kind !== 'exec') expect(host.state().files[pathOf(does)]).toEqual(before);
			expect(host.state().docker.engine.up).toBe(true);
			if (!restarts(action)) expect(runningOn(host.state())).toEqual(runningOn(original));
			expect(labelledOn(host.state())).toEqual([]);

			const risks: readonly RiskName[] = scene.ask.risks ?? [];
			const again = await runbook(hostIn(host.state()), { ...scene.ask, risks, kept: ended.kept });
			expect(again.exit, `${statuses(again).join(', ')}; ${actions(again).join(', ')}`).toBe(0);
			const back = await revert(hostIn(host.state()), ended.kept, { risks: ['stop-containers'] });
			expect(back.exit, actions(back).join(', ')).toBe(0);
		});
	});
}

/** The path of `write PATH`, `rm PATH`, `cp FROM PATH`, `mkdir -m MODE PATH` …; the last path of the line. */
const pathOf = (does: string): string =>
	does
		.replace(/\s+#.*$/, '')
		.replaceAll(/\w+:\/\/\S+/g, '')
		.match(/\/\S+/g)
		?.at(-1) ?? '';

function expectClearWords(ended: Ended, action: string, does: string): void {
	const failure = ended.state.actions.filter(a => `${a.step}.${a.id}` === action).findLast(a => a.failure)?.failure;
	expect(failure, `${action} among ${actions(ended).join(', ')}`).toBeDefined();
	const { said = '', now = '', next = [] } = failure ?? {};
	for (const part of [said, now, next.join('\n')]) expect(part.trim()).not.toBe('');
	const program = does.split(' ')[0] ?? '';
	const named = [said, now, ...next].some(text => text.includes(pathOf(does) || program) || text.includes(program));
	expect(named, `${said} | ${now} | ${next.join(' | ')}`).toBe(true);
	for (const line of [said.split('\n')[0] ?? '', now, ...next]) expect(ended.screen).toContain(line);
}

describe('a file that somebody else writes at the last moment', async () => {
	const whole = await runbook(hostOf('fresh-ubuntu'));
	const writes = whole.state.actions.filter(a => a.kind === 'write' && a.step !== 'record').map(a => pathOf(a.does));

	test.each(writes)('%s keeps their bytes, and it is said that it changed', async path => {
		const original = hostOf('fresh-ubuntu').state();
		const theirs = path === daemonJson ? '{\n  "labels": ["theirs"]\n}\n' : '# theirs\n';
		const host = hostOf('fresh-ubuntu', {
			faults: [{ name: 'file-changed-underneath', path, content: theirs, times: 1 }],
		});
		const ended = await runbook(host);
		expect(ended.screen).toContain(`${path} changed since the plan was shown; it was left as it is`);
		// Looked at again: daemon.json keeps their key, any other file is planned anew with the difference to theirs.
		expect(path === daemonJson ? textOn(host, path) : JSON.stringify(ended.kept.events)).toContain('theirs');
		expect([...ended.kept.backups.values()].map(bytes => new TextDecoder().decode(bytes))).toContain(theirs);
		const later = hostIn(host.state());
		const back = await revert(later, ended.kept);
		expect(back.exit).toBe(0);
		expect(textOn(later, path)).toBe(theirs);
		expect(runningOn(host.state())).toEqual(runningOn(original));
		expect(host.state().docker.engine.up).toBe(true);
		expect(labelledOn(host.state())).toEqual([]);
	});
});

describe('dockerd', () => {
	const restarting = scenes[1]?.ask ?? {};

	test('that exits on start is started again, and it is said', async () => {
		const host = hostWithOtherBridge([{ name: 'docker-does-not-come-back', times: 1 }]);
		const original = textOn(host, daemonJson);
		const ended = await runbook(host, restarting);
		expect(ended.exit, actions(ended).join(', ')).toBe(1);
		expect(host.state().docker.engine.up).toBe(true);
		expect(textOn(host, daemonJson)).toBe(original);
		const restart = ended.state.actions.find(a => a.role === 'restart-docker');
		const back = ended.state.actions.filter(a => a.rollbackOf === restart?.id);
		expect(back.map(({ does }) => does)).toContain('systemctl restart docker');
		const failure = restart?.failure;
		expect(failure?.now).toContain('taken back');
		expect(ended.screen).toContain(failure?.now);
	});

	test('that takes the signal and refuses the file keeps its old configuration, in its own words', async () => {
		const host = hostOf('fresh-ubuntu', { faults: [{ name: 'docker-reload-refused' }] });
		const ended = await runbook(host);
		expect(ended.exit).toBe(1);
		expectClearWords(ended, 'docker.reload', 'journalctl');
		expect(Object.keys(host.state().docker.engine.config.runtimes)).toEqual([]);
		const back = await revert(hostIn(host.state()), ended.kept);
		expect(back.exit).toBe(0);
	});
});
