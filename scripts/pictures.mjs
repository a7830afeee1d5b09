// `npm run pictures`: walks the built program through the demo in a terminal of 80×24 and draws some of its screens as
// SVG, for a light and for a dark page. Every character is one that the program printed; two things that differ from
// run to run are made the same: the phase of the spinner, and the elapsed time at the end of a row.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

const root = new URL('..', import.meta.url);
const path = name => new URL(name, root).pathname;
const columns = 80;
const rows = 24;
const enter = '\r';
const right = '\u001b[C';
const down = '\u001b[B';

// What has to be seen all at once, then its picture and the keys that are typed.
const walks = [
	{
		options: ['--demo', '--fresh'],
		exit: 0,
		steps: [
			{ sees: ['❯ Begin', 'q quit'], picture: 'start', keys: enter },
			{ sees: ['Settings', '❯ Continue', 'q quit'], picture: 'settings', keys: enter },
			{ sees: ['Review', '❯ Apply 4 changes', 'q quit'], picture: 'review', keys: right },
			{ sees: ['❯ Step by step'], keys: enter },
			{ sees: ['1 of 8', '❯ Do all 3', 'q quit'], picture: 'host', keys: enter },
			{ sees: ['2 of 8', '❯ Do all 5', 'q quit'], picture: 'plan', keys: 'n' },
			{ sees: ['in full, page 1 of', '❯ Do all 5', 'q quit'], keys: 'n' },
			{ sees: ['in full, page 2 of', '❯ Do all 5', 'q quit'], keys: 'n' },
			{ sees: ['in full, page 3 of', '@@', '❯ Do all 5', 'q quit'], picture: 'plan-diff', keys: enter },
			{ sees: ['✔ Fetch sysbox-ce', 'waits until dpkg', 'ctrl+c stop'], picture: 'work' },
			{ sees: ['1 Reload Docker', '❯ Do it', 'q quit'], picture: 'docker', keys: enter },
			{ sees: ['5 of 8', '❯ Do all 4', 'q quit'], picture: 'ci', keys: enter },
			{ sees: ['6 of 8', '❯ Start', 'q quit'], keys: enter },
			{ sees: ['4 of 7 tried', 'pushes to and pulls', 'ctrl+c stop'], picture: 'functional' },
			{ sees: ['7 of 8', '❯ Start', 'q quit'], keys: enter },
			{ sees: ['12 of 14 tried', 'Start more processes', 'ctrl+c stop'], picture: 'security' },
			{ sees: ['Done · ci-07', '❯ Leave', 'q quit'], picture: 'done', keys: enter },
		],
	},
	{
		options: ['--demo=containers-running', '--fresh', '--skip=ci,functional,security,record'],
		exit: 4,
		steps: [
			{ sees: ['❯ Begin', 'q quit'], keys: enter },
			{ sees: ['Settings', '❯ Continue', 'q quit'], keys: enter },
			{ sees: ['Review', '❯ Apply', 'q quit'], keys: enter },
			{ sees: ['Restart Docker now for bip?', '❯ No', 'q quit'], keys: 'y' },
			{ sees: ['CI jobs run on this host', '❯ Pause the runner', 'q quit'], keys: enter },
			{ sees: ['Where is the Jenkins of this agent?', 'save, quit'], keys: enter },
			{ sees: ['Start these again', 'q quit'], keys: enter },
			{ sees: ['containers stop', '❯ Go back', 'q quit'], picture: 'restart', keys: 'q' },
			{ sees: ['Stopped before the end', '❯ Leave', 'q quit'], keys: enter },
		],
	},
	{
		options: ['--demo=no-internet', '--fresh'],
		exit: 3,
		steps: [
			{ sees: ['❯ Begin', 'q quit'], keys: enter },
			{ sees: ['2 of 8', 'Fix what blocks it', '❯ Look again', 'q quit'], picture: 'unreachable', keys: right },
			{ sees: ['❯ Go on without this step'], keys: right },
			{ sees: ['❯ Save and quit'], keys: enter },
			{ sees: ["Can't continue", '❯ Leave', 'q quit'], keys: enter },
		],
	},
	{
		options: ['--demo=docker-stays-down', '--fresh'],
		exit: 1,
		steps: [
			{ sees: ['❯ Begin', 'q quit'], keys: enter },
			{ sees: ['Settings', '❯ Continue', 'q quit'], keys: enter },
			{ sees: ['Review', '❯ Apply', 'q quit'], keys: enter },
			{ sees: ['Restart Docker now for bip?', '❯ No', 'q quit'], keys: 'y' },
			{ sees: ['take CI jobs on this host', '❯ Pause the runner', 'q quit'], keys: down },
			{ sees: ['❯ Later'], keys: down },
			{ sees: ['❯ Restart now'], keys: enter },
			{ sees: ['❯ Go back', 'q quit'], keys: right },
			{ sees: ['❯ Do it: type restart-docker'], keys: enter },
			{ sees: ['type  restart-docker  and press enter'], keys: 'restart-docker\r' },
			{ sees: ['Failed: Restart Docker', '❯ Try again', 'q quit'], picture: 'put-back', keys: 'q' },
			{ sees: ['Failed', '❯ Leave', 'q quit'], keys: enter },
		],
	},
	{
		options: ['--demo=broken-daemon-json', '--fresh'],
		exit: 3,
		steps: [
			{ sees: ['❯ Begin', 'q quit'], keys: enter },
			{ sees: ['Fix what blocks it', '❯ Look again', 'q quit'], picture: 'blocked', keys: right },
			{ sees: ['❯ Go on without this step'], keys: right },
			{ sees: ['❯ Save and quit'], keys: enter },
			{ sees: ["Can't continue", '❯ Leave', 'q quit'], keys: enter },
		],
	},
];

const looks = {
	light: {
		ground: '#ffffff',
		text: '#1f2328',
		dim: '#59636e',
		edge: '#d1d9e0',
		colours: ['#1f2328', '#b31d28', '#116329', '#8a4600', '#0550ae', '#8250df', '#0a6c74', '#59636e'],
	},
	dark: {
		ground: '#0d1117',
		text: '#e6edf3',
		dim: '#9198a1',
		edge: '#3d444d',
		colours: ['#6e7681', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#e6edf3'],
	},
};

/**
 * One picture of each name, as rows of cells. Undefined: Ink, which draws some frames a second, did not draw one that
 * was wanted of work that goes on by itself.
 */
async function take({ options, exit, steps }) {
	const home = mkdtempSync(join(tmpdir(), 'sysbox-setup-pictures-'));
	const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
	const program = spawn(process.execPath, [path('dist/cli.js'), ...options], {
		name: 'xterm-256color',
		cols: columns,
		rows,
		cwd: home,
		// Nothing of this machine: neither its folders nor its settings may be seen in a picture.
		// What is printed to be typed is the name of the program, as on a host on which it is installed.
		env: {
			PATH: `${path('test/built/bin')}:${process.env.PATH}`,
			HOME: home,
			XDG_STATE_HOME: home,
			TERM: 'xterm-256color',
			LANG: 'C.UTF-8',
		},
	});
	const frames = framesOf(program, terminal);
	try {
		const pictures = new Map();
		for (const [at, { sees, picture, keys }] of steps.entries()) {
			const frame = await frames.next(sees, keys === undefined ? steps[at + 1].sees : undefined);
			if (frame === undefined) return undefined;
			if (picture !== undefined) pictures.set(picture, frame);
			if (keys !== undefined) program.write(keys);
		}
		const code = await frames.end();
		if (code !== exit) throw new Error(`${options.join(' ')} ended with ${code} instead of ${exit}`);
		return pictures;
	} finally {
		program.kill('SIGKILL');
		terminal.dispose();
		rmSync(home, { recursive: true, force: true });
	}
}

async function takeAll(walk) {
	for (let attempt = 1; attempt <= 10; attempt++) {
		const pictures = await take(walk);
		if (pictures !== undefined) return pictures;
	}
	throw new Error(`${walk.options.join(' ')} was walked ten times, and a wanted frame was never drawn`);
}

/** Every frame that the program drew, in order: Ink ends each one with the end of a synchronized update. */
function framesOf(program, terminal) {
	const endOfFrame = '\u001b[?2026l';
	const seen = [];
	let rest = '';
	let looked = 0;
	let exit;
	let wake = () => undefined;
	// Chunk by chunk: a frame has to be read before the next one is written over it.
	let written = Promise.resolve();
	program.onData(data => {
		const parts = (rest + data).split(endOfFrame);
		rest = parts.pop();
		for (const part of parts) {
			written = written
				.then(() => new Promise(resolve => terminal.write(part + endOfFrame, resolve)))
				.then(() => {
					seen.push(cellsOf(terminal));
					wake();
				});
		}
	});
	program.onExit(({ exitCode }) => {
		written = written.then(() => {
			exit = exitCode;
			wake();
		});
	});
	const news = what =>
		new Promise((resolve, reject) => {
			const timer = setTimeout(
				() => reject(new Error(`waited 60 s for ${what}; on the screen is:\n${textOf(seen.at(-1) ?? [])}`)),
				60_000,
			);
			wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	return {
		async next(sees, tooLate) {
			const what = sees.join(' + ');
			const shows = (text, all) => all.every(words => text.includes(words));
			for (;;) {
				while (looked < seen.length) {
					const frame = seen[looked++];
					const text = textOf(frame);
					if (shows(text, sees)) return frame;
					if (tooLate !== undefined && shows(text, tooLate)) return undefined;
				}
				if (exit !== undefined) {
					const said = rest.trim();
					throw new Error(`it ended with ${exit} before ${what} was seen, and said:\n${said}`);
				}
				await news(what);
			}
		},
		async end() {
			while (exit === undefined) await news('its end');
			return exit;
		},
	};
}

function cellsOf(terminal) {
	const { active } = terminal.buffer;
	return Array.from({ length: rows }, (_, y) => {
		const line = active.getLine(active.baseY + y);
		return Array.from({ length: columns }, (_, x) => {
			const cell = line.getCell(x);
			return {
				text: cell.getChars() || ' ',
				width: cell.getWidth(),
				colour: colourOf(cell.isFgDefault(), cell.isFgPalette(), cell.getFgColor()),
				ground: colourOf(cell.isBgDefault(), cell.isBgPalette(), cell.getBgColor()),
				bold: cell.isBold() !== 0,
				dim: cell.isDim() !== 0,
				inverse: cell.isInverse() !== 0,
			};
		});
	});
}

function colourOf(isDefault, isPalette, value) {
	if (isDefault) return undefined;
	// The wizard uses the terminal's own sixteen only; the bright eight look here as the others do.
	if (!isPalette || value > 15) throw new Error(`a colour that is none of the sixteen: ${value}`);
	return value % 8;
}

const textOfRow = row => row.map(({ text, width }) => (width === 0 ? '' : text)).join('');
const textOf = frame => frame.map(row => textOfRow(row).trimEnd()).join('\n');

/** Without what differs from run to run. */
function settled(frame) {
	return frame.map(row => {
		const time = /(?<= )\d+:\d\d(?= *$)/.exec(textOfRow(row));
		return row.map((cell, x) => {
			if (/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]$/.test(cell.text)) return { ...cell, text: '⠋' };
			const inTime = time !== null && x >= time.index && x < time.index + time[0].length;
			return inTime && /\d/.test(cell.text) ? { ...cell, text: '0' } : cell;
		});
	});
}

const cellWidth = 9;
const cellHeight = 20;
const margin = 12;
const fonts =
	"ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace";
const escaped = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function svg(frame, name, look) {
	const last = frame.findLastIndex(row => textOfRow(row).trim() !== '');
	const first = frame.findIndex(row => textOfRow(row).trim() !== '');
	const shown = settled(frame.slice(first, last + 1));
	const width = columns * cellWidth + 2 * margin;
	const height = shown.length * cellHeight + 2 * margin;
	const drawn = shown.flatMap((row, y) => piecesOf(row).flatMap(piece => drawPiece(piece, y, look)));
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
		`<title>sysbox-setup: ${escaped(name)}</title>`,
		`<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${look.ground}" stroke="${look.edge}"/>`,
		`<g font-family="${fonts}" font-size="15" fill="${look.text}" style="font-variant-emoji:text">`,
		...drawn,
		'</g>',
		'</svg>',
		'',
	].join('\n');
}

/** Neighbours that look the same. Two spaces part them, so that no reader of SVG has to keep spaces. */
function piecesOf(row) {
	const pieces = [];
	for (const [x, cell] of row.entries()) {
		if (cell.width === 0) continue;
		const before = pieces.at(-1);
		const style = [cell.colour, cell.ground, cell.bold, cell.dim, cell.inverse].join();
		if (before?.style === style && before.x + before.cells === x) {
			before.text += cell.text;
			before.cells += cell.width;
		} else pieces.push({ ...cell, style, x, cells: cell.width });
	}
	return pieces;
}

function drawPiece(piece, y, look) {
	const { colour, ground, bold, dim, inverse } = piece;
	const own = colour === undefined ? undefined : look.colours[colour];
	const under = ground === undefined ? undefined : look.colours[ground];
	const fill = inverse ? (under ?? look.ground) : (own ?? (dim ? look.dim : undefined));
	const box = inverse ? (own ?? look.text) : under;
	const left = margin + piece.x * cellWidth;
	const top = margin + y * cellHeight;
	const drawn =
		box === undefined
			? []
			: [`<rect x="${left}" y="${top}" width="${piece.cells * cellWidth}" height="${cellHeight}" fill="${box}"/>`];
	for (const { 0: words, index } of piece.text.matchAll(/\S+(?: \S+)*/g)) {
		const attributes = [
			`x="${left + index * cellWidth}" y="${top + 15}"`,
			// Whatever font is there, a column stays a column.
			`textLength="${[...words].length * cellWidth}" lengthAdjust="spacingAndGlyphs"`,
			...(fill === undefined ? [] : [`fill="${fill}"`]),
			...(bold ? ['font-weight="bold"'] : []),
			...(dim && (own !== undefined || inverse) ? ['fill-opacity="0.7"'] : []),
		];
		drawn.push(`<text ${attributes.join(' ')}>${escaped(words)}</text>`);
	}
	return drawn;
}

if (!existsSync(path('dist/cli.js'))) {
	process.stderr.write('there is no built program yet: npm run build\n');
	process.exit(1);
}
const pictures = new Map();
for (const walk of walks) for (const [name, frame] of await takeAll(walk)) pictures.set(name, frame);

const folder = path('docs/pictures');
mkdirSync(folder, { recursive: true });
const files = new Map();
for (const [name, frame] of pictures) {
	for (const [ground, look] of Object.entries(looks)) files.set(`${name}-${ground}.svg`, svg(frame, name, look));
}
for (const old of readdirSync(folder)) if (old.endsWith('.svg') && !files.has(old)) rmSync(join(folder, old));
for (const [name, text] of files) writeFileSync(join(folder, name), text);
process.stdout.write(`${files.size} files in docs/pictures\n`);
process.exit(0);
