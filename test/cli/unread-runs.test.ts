/** Logs that cannot be read: `revert` and `status` say which, and what the backups still hold. */
import {
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchDirectory } from '../host/scratch-folder.ts';
import { hostOf } from '../runbook/whole-runbook.ts';
import { sha256 } from '../steps/scripted-docker.ts';
import { commandsOn } from './runs-of-a-host.ts';

const daemonJson = '/etc/docker/daemon.json';

/** A host on which a run has changed daemon.json. */
async function changed() {
	const host = hostOf('fresh-ubuntu');
	const before = '{}\n';
	host.disturb(state => {
		state.files[daemonJson] = { kind: 'file', text: before, mode: 0o644, uid: 0, gid: 0 };
	});
	const directory = join(scratchDirectory(), 'state');
	const on = commandsOn(host, directory);
	const first = await on.run({ only: ['host', 'sysbox', 'daemon', 'docker'] });
	expect(first.exit, first.screen).toBe(0);
	const run = first.state?.start?.run ?? '';
	const log = join(directory, 'runs', run, 'events.ndjson');
	const lines = readFileSync(log, 'utf8').split('\n');
	return { host, on, run, directory, log, lines, before };
}

type Changed = Awaited<ReturnType<typeof changed>>;
const write = ({ log }: Changed, lines: readonly string[]): void => writeFileSync(log, lines.join('\n'));

/** How a log is broken, and what is said of it. */
const ways: readonly (readonly [string, (of: Changed) => void, (of: Changed) => string])[] = [
	[
		'torn in its first line',
		of => write(of, [of.lines[0]?.slice(0, 40) ?? '', ...of.lines.slice(1)]),
		of => `${of.log}:1: this line is not JSON`,
	],
	[
		'torn in the middle',
		of => write(of, of.lines.with(5, of.lines[5]?.slice(0, 9) ?? '')),
		of => `${of.log}:6: this line is not JSON`,
	],
	[
		'without its first line',
		of => write(of, of.lines.slice(1)),
		of => `${of.log}:1: it does not say how the run began`,
	],
	['empty', of => truncateSync(of.log), of => `${of.log}:1: it does not say how the run began`],
	[
		'a link to a device',
		of => {
			rmSync(of.log);
			symlinkSync('/dev/zero', of.log);
		},
		of => `${of.log}: it is a link`,
	],
	['gone', of => rmSync(of.log), of => `the log of run ${of.run} is gone: ${of.log}`],
	[
		'of a newer version',
		of => write(of, [JSON.stringify({ v: 9, type: 'run.start', tool: '9.0.0' }), ...of.lines.slice(1)]),
		of => `was written by a newer version (9.0.0): ${of.log}`,
	],
];

describe.each(ways)('a log that is %s', (how, breakIt, said) => {
	test('is told of by revert, with or without a name, which takes nothing back', async () => {
		const of = await changed();
		breakIt(of);
		const { host } = of;
		const was = host.state().files[daemonJson];
		for (const back of [await of.on.revert(), await of.on.revert(of.run)]) {
			expect(back.exit, back.screen).toBe(3);
			expect(back.screen).toContain(said(of));
			expect(back.screen).not.toContain('nothing to revert');
		}
		expect(host.state().files[daemonJson]).toEqual(was);
	});

	test('is told of beside a name that no run has', async () => {
		const of = await changed();
		breakIt(of);
		const unknown = await of.on.status('nothing');
		expect(unknown.exit).toBe(2);
		expect(unknown.screen).not.toContain('No run was started here yet');
		expect(unknown.screen).toContain(said(of));
	});

	test('is told of by status, which ends with "unknown"', async () => {
		const of = await changed();
		breakIt(of);
		const { exit, screen } = await of.on.status();
		expect(exit).toBe(5);
		expect(screen).toContain(said(of));
		expect(screen).not.toMatch(/no run was started|still stands/i);
		expect((await of.on.status(of.run)).screen).toContain(said(of));
	});

	test.skipIf(how === 'of a newer version')('leaves the backups: which, how large, when, and of what', async () => {
		const of = await changed();
		breakIt(of);
		const { screen } = await of.on.revert();
		const name = sha256(of.before);
		const named = ['empty', 'gone', 'a link to a device'].includes(how)
			? 'of a file that no line names'
			: `${daemonJson} before the run`;
		expect(screen).toMatch(
			new RegExp(
				`${of.directory}/runs/${of.run}/backup/${name}  3 bytes, \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z, ${named}$`,
				'm',
			),
		);
		// As it says, so it works.
		const move = /^then move the run out of the way: mv (\S+) (\S+)$/m.exec(screen);
		renameSync(move?.[1] ?? '', move?.[2] ?? '');
		expect((await of.on.revert()).screen).toContain('There is nothing to revert');
	});
});

test('a backup that is damaged is told as that', async () => {
	const of = await changed();
	write(of, of.lines.slice(1));
	writeFileSync(join(of.directory, 'runs', of.run, 'backup', sha256(of.before)), 'x');
	expect((await of.on.revert()).screen).toContain('1 bytes, ');
	expect((await of.on.revert()).screen).toContain('damaged: not the bytes of its name');
});

test("a run that ended before its first event stands in nobody's way", async () => {
	const of = await changed();
	const before = readdirSync(join(of.directory, 'runs'));
	mkdirSync(join(of.directory, 'runs', '20991201t000000-aaaa', 'backup'), { recursive: true });
	expect(before).toEqual([of.run]);
	expect((await of.on.status()).exit).toBe(0);
	expect((await of.on.revert()).exit).toBe(0);
});

test('an earlier run that cannot be read does not stop the revert of a later one', async () => {
	const of = await changed();
	const earlier = join(of.directory, 'runs', '20000101t000000-aaaa');
	mkdirSync(join(earlier, 'backup'), { recursive: true });
	writeFileSync(join(earlier, 'events.ndjson'), 'x\ny\n');
	expect((await of.on.revert()).exit).toBe(0);
	// Then it is the next one.
	expect((await of.on.revert()).screen).toContain(`${earlier}/events.ndjson:1: this line is not JSON`);
});
