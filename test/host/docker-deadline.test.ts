import { expect, it } from 'vitest';
import { dockerDeadline } from '../../src/port/docker-deadline.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { tinyHost } from '../support/tiny-host.ts';

/** A host whose clock is moved by hand: a call hangs until its deadline, or is answered after some time. */
function clocked(answersAfter: (line: string) => number | undefined) {
	let now = 0;
	const asked: string[] = [];
	const due: { readonly at: number; readonly end: () => void }[] = [];
	const host: ReadHost = {
		...tinyHost(new Map()),
		exec: (argv, { timeoutMs }) =>
			new Promise(resolve => {
				const line = argv.join(' ');
				asked.push(`${line} ${timeoutMs}`);
				const after = answersAfter(line);
				const late = after === undefined || after > timeoutMs;
				const elapsedMs = late ? timeoutMs : after;
				const result = { code: late ? null : 0, stdout: '', stderr: '', elapsedMs };
				due.push({ at: now + elapsedMs, end: () => resolve(late ? { ...result, problem: 'timeout' } : result) });
			}),
	};
	return {
		host: dockerDeadline(host, () => now),
		asked,
		now: () => now,
		/** Lets time pass until nothing waits any more. */
		async run<T>(work: Promise<T>): Promise<T> {
			let over = false;
			const ended = work.finally(() => {
				over = true;
			});
			while (!over) {
				for (let turn = 0; turn < 20; turn++) await Promise.resolve();
				const next = due.toSorted((a, b) => a.at - b.at)[0];
				if (next === undefined) continue;
				due.splice(due.indexOf(next), 1);
				now = next.at;
				next.end();
			}
			return ended;
		},
	};
}

const ask = (host: ReadHost, ...words: string[]) => host.exec(['docker', ...words], { timeoutMs: 10_000 });

it('a Docker that does not answer costs 15 s, however many calls there are', async () => {
	const { host, asked, now, run } = clocked(() => undefined);
	await run(
		(async () => {
			await Promise.all(['version', 'info', 'ps'].map(word => ask(host, word)));
			for (const word of ['image', 'info']) expect((await ask(host, word)).problem).toBe('timeout');
		})(),
	);
	expect(now()).toBe(15_000);
	expect(asked).toEqual(['docker version 10000', 'docker info 5000']);
});

it('calls that wait at the same time cost their time once', async () => {
	const { host, asked, now, run } = clocked(line => (line === 'docker context' ? 0 : undefined));
	await run(
		(async () => {
			await Promise.all(['context', 'version', 'info', 'ps'].map(word => ask(host, word)));
			expect(now()).toBe(10_000);
			for (const word of ['image', 'plugin']) expect((await ask(host, word)).problem).toBe('timeout');
		})(),
	);
	expect(now()).toBe(15_000);
	expect(asked.map(line => line.split(' ').at(-1))).toEqual(['10000', '10000', '10000', '10000', '5000']);
});

it('a call that begins while others wait in vain gets what is left', async () => {
	const { host, now, run } = clocked(line => ({ 'docker context': 0, 'docker ps': 9_000 })[line] ?? undefined);
	await run(
		(async () => {
			await ask(host, 'context');
			await Promise.all([ask(host, 'info'), ask(host, 'ps').then(() => ask(host, 'inspect'))]);
		})(),
	);
	expect(now()).toBe(15_000);
});

it('what is answered counts nothing, and other commands keep their own deadlines', async () => {
	const { host, asked, run } = clocked(line => (line.startsWith('docker') ? 9_000 : undefined));
	await run(
		(async () => {
			for (const word of ['info', 'ps', 'inspect']) expect((await ask(host, word)).code).toBe(0);
			await host.exec(['systemctl', 'show'], { timeoutMs: 10_000 });
			await ask(host, 'info');
		})(),
	);
	expect(asked.map(line => line.split(' ').at(-1))).toEqual(Array(5).fill('10000'));
});
