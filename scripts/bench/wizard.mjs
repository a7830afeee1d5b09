// The wizard in a terminal, against an Ink program that draws one word; both are bundled in the same way.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { build } from 'esbuild';
import { bundleSettings } from '../bundle-settings.mjs';
import { median, ms, ratio } from './measure.mjs';

const rounds = 9;
const floodLines = 20_000;
const floodRounds = 15;
const patienceMs = 60_000;
const hello = 'Hello from Ink';
/** Ink writes it before each frame. */
const frameBegins = '\u001b[?2026h';

export async function wizard({ root, entry, folder, row }) {
	const inkHello = join(folder, 'ink-hello/main.mjs');
	await bundle(
		root,
		`import { createElement } from 'react';
		import { render, Text } from 'ink';
		render(createElement(Text, null, '${hello}'), { interactive: true, exitOnCtrlC: false, patchConsole: false });
		setInterval(() => undefined, 60_000);`,
		join(folder, 'ink-hello'),
		{ plugins: [] },
	);
	const state = () => mkdtempSync(join(folder, 'state-'));

	const first = { ink: [], wizard: [], ready: [], inkPeak: [], wizardPeak: [] };
	for (let round = -1; round < rounds; round++) {
		const ink = await inTerminal([inkHello], async session => {
			await session.shows(hello);
			return { shown: session.elapsed(), peak: session.peak() };
		});
		const drawn = await inTerminal([entry, '--demo', '--session-dir', state()], async session => {
			await session.shows('sysbox-setup');
			const shown = session.elapsed();
			await session.shows('Begin');
			return { shown, ready: session.elapsed(), peak: session.peak() };
		});
		if (round < 0) continue;
		first.ink.push(ink.shown);
		first.wizard.push(drawn.shown);
		first.ready.push(drawn.ready);
		first.inkPeak.push(ink.peak);
		first.wizardPeak.push(drawn.peak);
	}
	const of = list => median(first[list]);
	const frame = of('wizard') / of('ink');
	row('first frame of the wizard / of an Ink hello', ratio(frame), '≤ 1.4', frame <= 1.4);
	const ready = of('ready') / of('ink');
	row('until the wizard can be answered / first frame of an Ink hello', ratio(ready), '≤ 2.5', ready <= 2.5);
	const peak = of('wizardPeak') / of('inkPeak');
	row('peak memory at the start screen / of an Ink hello', ratio(peak), '≤ 1.5', peak <= 1.5);

	await flooding({ root, folder, row, state });
}

/** What a command that prints without end costs: the same run with it and without it. */
async function flooding({ root, folder, row, state }) {
	const program = join(folder, 'one-command/main.mjs');
	await bundle(root, readFileSync(join(root, 'test/built/one-command/main.ts'), 'utf8'), join(folder, 'one-command'), {
		resolveDir: join(root, 'test/built/one-command'),
		loader: 'ts',
	});
	const command = argv => ({ ONE_COMMAND: JSON.stringify({ argv, stateFolder: state() }) });
	const line = 'Unpacking package number %.0f (1.2.3-4ubuntu5) ...';
	const running = lines =>
		inTerminal(
			[program],
			async session => {
				const before = session.cpu();
				await session.pressOn('❯ Leave');
				return { cpu: session.cpu() - before, peak: session.peak() };
			},
			command(['seq', '-f', line, String(lines)]),
		);
	const cpu = { quiet: [], flooded: [] };
	const memory = [];
	for (let round = -1; round < floodRounds; round++) {
		const quiet = await running(1);
		const flooded = await running(floodLines);
		if (round < 0) continue;
		cpu.quiet.push(quiet.cpu);
		cpu.flooded.push(flooded.cpu);
		memory.push(flooded.peak / quiet.peak);
	}
	// Both vary by 100 ms with when V8's threads compile, so the medians are compared and not the rounds.
	const cost = median(cpu.flooded) - median(cpu.quiet);
	row(`processor time of ${floodLines.toLocaleString('en')} lines of output`, ms(cost), '≤ 200 ms', cost <= 200);
	row('peak memory with these lines / with one', ratio(median(memory)), '≤ 1.5', median(memory) <= 1.5);

	// It is ended with the terminal; until then it prints as fast as it is read.
	const answers = await inTerminal(
		[program],
		async session => {
			await session.pressOn('0:01');
			const answered = [];
			for (let round = 0; round < rounds; round++) {
				answered.push(await session.framesUntil('?', 'stop at the next safe point and save'));
				await session.framesUntil('\u001b', '0:');
			}
			return answered;
		},
		command(['yes', line]),
	);
	const most = Math.max(...answers.map(answer => answer.frames));
	row(
		`a key while a command prints without end is answered (${ms(median(answers.map(answer => answer.ms)))})`,
		most === 1 ? '1 frame' : `${most} frames`,
		'≤ 2 frames',
		most <= 2,
	);
}

async function bundle(root, contents, outdir, { resolveDir = root, loader = 'js', ...settings } = {}) {
	await build({
		...bundleSettings('0.0.0'),
		...settings,
		stdin: { contents, resolveDir, sourcefile: 'main.ts', loader },
		entryNames: 'main',
		outdir,
		outExtension: { '.js': '.mjs' },
	});
}

/** Runs a program in a terminal for as long as it is looked at, then ends it. */
async function inTerminal(argv, look, more = {}) {
	const env = { ...process.env, LANG: 'C.UTF-8', ...more };
	for (const name of ['CI', 'CONTINUOUS_INTEGRATION', 'NO_COLOR', 'LC_ALL', 'LC_CTYPE']) delete env[name];
	const began = process.hrtime.bigint();
	const pty = spawn(process.execPath, argv, { cols: 80, rows: 24, env });
	let raw = '';
	let seenUpTo = 0;
	let gone = false;
	const waiting = new Set();
	const look_ = () => {
		for (const one of [...waiting]) one();
	};
	pty.onData(data => {
		raw += data;
		look_();
	});
	const ended = new Promise(resolve => {
		pty.onExit(() => {
			gone = true;
			look_();
			resolve();
		});
	});
	const until = (met, what) =>
		new Promise((resolve, reject) => {
			const check = () => {
				const seen = met();
				if (!seen && !gone) return;
				settle(seen ? undefined : 'it ended');
			};
			const settle = lost => {
				waiting.delete(check);
				clearTimeout(patience);
				if (lost === undefined) resolve();
				else reject(new Error(`${lost} without ${what}:\n${raw.slice(-2000)}`));
			};
			const patience = setTimeout(() => settle(`${patienceMs / 1000} s went by`), patienceMs);
			waiting.add(check);
			check();
		});
	const wait = words => until(() => raw.includes(words, seenUpTo), words);
	const status = name => readFileSync(`/proc/${pty.pid}/${name}`, 'utf8');
	try {
		return await look({
			shows: wait,
			/** Enter at each screen whose marked choice is new, until all of these were shown. */
			pressOn: async (...wanted) => {
				const there = () => wanted.every(words => raw.includes(words));
				for (;;) {
					await until(() => there() || raw.includes('❯ ', seenUpTo), wanted.join());
					if (there()) return;
					seenUpTo = raw.length;
					pty.write('\r');
				}
			},
			/** Presses a key; how many frames it took until these words were shown. */
			framesUntil: async (key, words) => {
				seenUpTo = raw.length;
				const pressed = performance.now();
				pty.write(key);
				await wait(words);
				const shown = raw.slice(seenUpTo, raw.indexOf(words, seenUpTo));
				return { frames: shown.split(frameBegins).length - 1, ms: performance.now() - pressed };
			},
			elapsed: () => Number(process.hrtime.bigint() - began) / 1e6,
			/** In KiB. */
			peak: () => Number(/VmHWM:\s+(\d+)/.exec(status('status'))?.[1]),
			/** Milliseconds of processor time that all its threads have used, as the scheduler counts them (proc_pid_schedstat). */
			cpu: () =>
				readdirSync(`/proc/${pty.pid}/task`)
					.map(thread => Number(status(`task/${thread}/schedstat`).split(' ')[0]) / 1e6)
					.reduce((sum, used) => sum + used, 0),
		});
	} finally {
		pty.kill('SIGKILL');
		await ended;
	}
}
