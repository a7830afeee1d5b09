import { bundled } from './bundled.mjs';
import { interleavedLater, ms, ratio } from './measure.mjs';

/** An edit that keeps every other byte, against reading and writing everything anew. */
export async function editing(bench) {
	const { planDaemonJson } = await bundled(bench, 'src/edit/daemon-json.ts');
	const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key-${n}`, { n, list: ['a', 'b'] }]));
	const text = JSON.stringify(keys, undefined, 4);
	const bytes = new TextEncoder().encode(text);
	const wish = { runtime: { name: 'sysbox-runc', path: '/usr/bin/sysbox-runc' }, bip: '172.20.0.1/16' };
	const [edit, anew] = await interleavedLater(15, [
		async () => {
			if (planDaemonJson(bytes, wish).kind !== 'edited') throw new Error('the edit was refused');
		},
		async () => {
			const value = JSON.parse(new TextDecoder().decode(bytes));
			new TextEncoder().encode(JSON.stringify({ ...value, ...wish }, undefined, 4));
		},
	]);
	bench.row(
		`edit of a daemon.json of 10,000 keys (${Math.round(bytes.length / 1024)} KiB) / JSON.parse and stringify`,
		`${ratio(edit / anew)} (${ms(edit)})`,
		'≤ 30',
		edit / anew <= 30,
	);
}
