import { expect, it } from 'vitest';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import { rememberedHost } from '../../src/port/remembered.ts';
import { tinyHost } from '../support/tiny-host.ts';

function counting(): { readonly host: ReadHost; readonly asked: string[] } {
	const asked: string[] = [];
	const tiny = tinyHost(new Map([['/a', 'x']]));
	const host: ReadHost = {
		...tiny,
		exec: async (argv: Argv) => {
			asked.push(argv.join(' '));
			return { code: 0, stdout: `${asked.length}`, stderr: '', elapsedMs: 0 };
		},
		readFile: (path, options) => {
			asked.push(`read ${path}`);
			return tiny.readFile(path, options);
		},
	};
	return { host, asked };
}

it('asks a host each thing once, also while the first answer is awaited', async () => {
	const { host, asked } = counting();
	const once = rememberedHost(host);
	const all = await Promise.all([1, 2].map(() => once.exec(['docker', 'info'], { timeoutMs: 1 })));
	expect(all.map(({ stdout }) => stdout)).toEqual(['1', '1']);
	await once.exec(['docker', 'ps'], { timeoutMs: 1 });
	await once.readFile('/a');
	await once.readFile('/a');
	await once.readFile('/a', { maxBytes: 1 });
	expect(asked).toEqual(['docker info', 'docker ps', 'read /a', 'read /a']);
});

it('asks again what is given to a command or read from it as it runs', async () => {
	const { host, asked } = counting();
	const once = rememberedHost(host);
	for (const stdin of [new Uint8Array([1]), new Uint8Array([2])]) await once.exec(['cat'], { timeoutMs: 1, stdin });
	for (const _ of [1, 2]) await once.exec(['tail'], { timeoutMs: 1, onLine: () => undefined });
	expect(asked).toEqual(['cat', 'cat', 'tail', 'tail']);
});
