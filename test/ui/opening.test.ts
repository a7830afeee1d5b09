import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openTerminal } from '../../src/ui/opening.tsx';
import { unicodeGlyphs } from '../../src/view/glyphs.ts';

/** A terminal of which only the modes and the text are kept. */
function opened(size: { readonly columns: number; readonly rows: number } = { columns: 80, rows: 24 }) {
	let written = '';
	const modes: boolean[] = [];
	const interrupt = vi.fn();
	const stdin = Object.assign(new PassThrough(), {
		isTTY: true,
		setRawMode: (raw: boolean) => void modes.push(raw),
		ref: () => undefined,
		unref: () => undefined,
	});
	const stdout = Object.assign(new PassThrough(), { isTTY: true, ...size });
	stdout.on('data', chunk => {
		written += String(chunk);
	});
	const opening = openTerminal({
		tool: '1.2.3',
		simulated: true,
		glyphs: unicodeGlyphs,
		stdin: stdin as unknown as NodeJS.ReadStream,
		stdout: stdout as unknown as NodeJS.WriteStream,
		interrupt,
	});
	onTestFinished(opening.close);
	return { opening, written: () => written, modes, interrupt, type: (keys: string) => stdin.write(keys) };
}

describe('the first frame', () => {
	it('says what this is and what it is doing, and that the host is a simulated one', () => {
		const { written } = opened();
		expect(written()).toContain('sysbox-setup 1.2.3');
		expect(written()).toContain('simulated host: nothing on this machine is looked at or changed');
		expect(written()).toContain('Reading what earlier runs left here');
	});

	it('is one sentence in a window that is too small', () => {
		const { written } = opened({ columns: 20, rows: 5 });
		expect(written().replace(/\s+/g, ' ')).toContain('This window is 20 x 5; make it at least 40 x 10.');
		expect(written()).not.toContain('Reading');
	});

	it('hears Ctrl+C, also among other keys, and keeps what is typed off the screen', async () => {
		const { modes, interrupt, type } = opened();
		await vi.waitFor(() => expect(modes).toEqual([true]));
		type('y\r');
		type('n\u0003');
		await vi.waitFor(() => expect(interrupt).toHaveBeenCalledOnce());
	});

	it('gives the terminal back as it was, with nothing left on it', async () => {
		const { opening, modes, written } = opened();
		await vi.waitFor(() => expect(modes).toEqual([true]));
		opening.close();
		await vi.waitFor(() => expect(modes).toEqual([true, false]));
		expect(written().lastIndexOf('\u001b[?25h')).toBeGreaterThan(written().lastIndexOf('\u001b[?25l'));
		// What was drawn is erased row by row, and nothing is drawn after it.
		const erased = written().lastIndexOf('\u001b[2K');
		expect(erased).toBeGreaterThan(written().lastIndexOf('Reading what earlier runs left here'));
	});

	it('is the wizard\u2019s after it was handed over, and nobody else\u2019s to take off', async () => {
		const { opening, modes } = opened();
		await vi.waitFor(() => expect(modes).toEqual([true]));
		const instance = opening.handOver();
		onTestFinished(() => instance?.unmount());
		expect(opening.handOver()).toBeUndefined();
		opening.close();
		expect(modes).toEqual([true]);
	});

	it('puts what others say above itself', async () => {
		const { opening, modes, written } = opened();
		await vi.waitFor(() => expect(modes).toEqual([true]));
		const before = written().length;
		opening.say('\nstopping at the next safe point\n');
		expect(written().slice(before)).toMatch(
			/stopping at the next safe point\n[\s\S]*Reading what earlier runs left here/,
		);
	});
});
