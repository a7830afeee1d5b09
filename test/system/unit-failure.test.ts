import { describe, expect, test } from 'vitest';
import { dockerUnits, fatalLine, sysboxUnits, whyUnitsFailed } from '../../src/system/unit-failure.ts';
import { type Reply, scriptedHost } from '../support/scripted-host.ts';

const { signal } = new AbortController();
const since = new Date('2026-11-30T18:09:59Z');

/** As recorded with Sysbox 0.7.0, one start that failed each. */
const recorded: readonly (readonly [string, readonly string[], string])[] = [
	[
		'rsync is missing',
		[
			'time="2026-11-30 18:09:59" level=info msg="Starting sysbox-mgr"',
			'time="2026-11-30 18:09:59" level=fatal msg="failed to create sysbox-mgr: preflight check failed: rsync is not installed on host."',
			"sysbox-mgr.service: Failed with result 'exit-code'.",
			'Failed to start sysbox-mgr.service - sysbox-mgr (part of the Sysbox container runtime).',
		],
		'failed to create sysbox-mgr: preflight check failed: rsync is not installed on host.',
	],
	[
		'subuid and subgid differ',
		[
			'time="2026-11-30 18:10:56" level=fatal msg="failed to create sysbox-mgr: failed to setup subid allocator: could not find matching subuid and subgids range for user sysbox"',
		],
		'failed to create sysbox-mgr: failed to setup subid allocator: could not find matching subuid and subgids range for user sysbox',
	],
	[
		'the program may not be executed',
		[
			'sysbox-mgr.service: Failed at step EXEC spawning /usr/bin/sysbox-mgr: Permission denied',
			"sysbox-mgr.service: Failed with result 'exit-code'.",
		],
		'Failed at step EXEC spawning /usr/bin/sysbox-mgr: Permission denied',
	],
	[
		'an earlier error before the fatal one',
		[
			'time="2026-11-30T18:10:56Z" level=error msg="something small"',
			'failed to start daemon: error initializing graphdriver: permission denied',
		],
		'failed to start daemon: error initializing graphdriver: permission denied',
	],
];

test.each(recorded)('the fatal line is found: %s', (_, lines, line) => {
	expect(fatalLine(lines)).toBe(line);
});

test('lines of a start that went well name no cause', () => {
	expect(
		fatalLine(['time="2026-11-30 18:10:02" level=info msg="Ready ..."', 'Started sysbox-fs.service.']),
	).toBeUndefined();
});

const unit = (id: string, active: string, result: string): string =>
	`MainPID=0\nResult=${result}\nId=${id}\nLoadState=loaded\nActiveState=${active}\nSubState=dead\n`;

const journalOf = (name: string): string =>
	`journalctl -u ${name} -b --since=@${since.getTime() / 1000} -n 200 --no-pager -q -o cat`;
const shown = (units: readonly string[]): string =>
	`systemctl show ${units.join(' ')} -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p Result -p MainPID -p ExecStart -p FragmentPath -p DropInPaths`;

const hostThatSays = (commands: Readonly<Record<string, Reply>>) =>
	scriptedHost({
		files: {},
		directories: [],
		programs: [],
		names: {},
		links: {},
		freeBytes: 0,
		totalBytes: 0,
		free: {},
		uid: 0,
		commands,
	});

describe('why units failed', () => {
	test('is told in the words of the unit that failed, not of those that wait for it', async () => {
		const host = hostThatSays({
			[shown(sysboxUnits)]: {
				stdout: [
					unit('sysbox-mgr.service', 'failed', 'exit-code'),
					unit('sysbox-fs.service', 'active', 'success'),
					unit('sysbox.service', 'inactive', 'success'),
				].join('\n'),
			},
			[journalOf('sysbox-mgr.service')]: { stdout: `${recorded[0]?.[1].join('\n')}\n` },
		});
		expect(await whyUnitsFailed(host, sysboxUnits, since, signal)).toBe(`sysbox-mgr: ${recorded[0]?.[2]}`);
	});

	test('names a missed start where the journal names no cause', async () => {
		const host = hostThatSays({
			[shown(sysboxUnits)]: {
				stdout: [
					unit('sysbox-mgr.service', 'active', 'success'),
					unit('sysbox-fs.service', 'failed', 'timeout'),
					unit('sysbox.service', 'inactive', 'success'),
				].join('\n'),
			},
			[journalOf('sysbox-fs.service')]: { stdout: 'sysbox-fs.service: start operation timed out. Terminating.\n' },
		});
		expect(await whyUnitsFailed(host, sysboxUnits, since, signal)).toBe(
			'sysbox-fs was not ready in time (start operation timed out)',
		);
	});

	test('is unknown where no unit failed', async () => {
		const stdout = dockerUnits.map(id => unit(id, 'active', 'success')).join('\n');
		expect(await whyUnitsFailed(hostThatSays({ [shown(dockerUnits)]: { stdout } }), dockerUnits, since, signal)).toBe(
			undefined,
		);
	});
});
