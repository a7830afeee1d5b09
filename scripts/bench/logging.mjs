import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { bundled } from './bundled.mjs';
import { interleavedLater, ms, ratio } from './measure.mjs';

/** What an event costs that has to survive a power cut, against the bare write and sync of the same bytes. */
export async function logging(bench) {
	const { createRunLog } = await bundled(bench, 'src/session/run-log-files.ts');
	const path = join(bench.folder, 'state');
	mkdirSync(path, { mode: 0o700 });
	const log = await createRunLog(
		{ path, lockFile: join(path, 'lock'), sessionFile: join(path, 's'), runsFolder: join(path, 'runs') },
		'bench',
	);
	const bare = await open(join(bench.folder, 'bare'), 'a');
	let seq = 0;
	const event = () => ({
		v: 1,
		seq: seq++,
		at: '2026-11-24T00:00:00.000Z',
		type: 'output',
		step: 'sysbox',
		action: 'install',
		stream: 'stdout',
		line: 'Setting up sysbox-ce (0.7.0-0.linux) ...',
	});
	const [durable, relaxed, plain] = await interleavedLater(200, [
		() => log.append(event(), { durable: true }),
		() => log.append(event(), { durable: false }),
		async () => {
			await bare.write(`${JSON.stringify(event())}\n`);
			await bare.datasync();
		},
	]);
	await log.close();
	await bare.close();
	bench.row('log: a durable event, median', ms(durable), '≤ 5 ms', durable <= 5);
	bench.row('log: a durable event / bare write and fdatasync', ratio(durable / plain), '≤ 1.5', durable / plain <= 1.5);
	bench.row(
		'log: a relaxed event / a durable one',
		`${ratio(relaxed / durable)} (${ms(relaxed)})`,
		'relaxed is cheaper',
		relaxed < durable,
	);
}
