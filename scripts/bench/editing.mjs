import { bundled } from './bundled.mjs';
import { interleavedLater, ms, ratio } from './measure.mjs';

/** An edit that keeps every other byte, against reading and writing everything anew. */
export async function editing(bench) {
	const { planDaemonJson } = await bundled(bench, 'src/docker/daemon-json.ts');
	const wish = { runtime: { name: 'sysbox-runc', path: '/usr/bin/sysbox-runc' }, bip: '172.20.0.1/16' };
	const [few, many] = [fileOf(1000), fileOf(10_000)];
	const edited = bytes => async () => {
		if (planDaemonJson(bytes, wish).kind !== 'edited') throw new Error('the edit was refused');
	};
	const [fewEdit, edit, plain] = await interleavedLater(25, [
		edited(few),
		edited(many),
		async () => {
			const value = JSON.parse(new TextDecoder().decode(few));
			new TextEncoder().encode(JSON.stringify({ ...value, ...wish }, undefined, 4));
		},
	]);
	bench.row(
		`edit of a daemon.json of 1,000 keys (${Math.round(few.length / 1024)} KiB) / JSON.parse and stringify`,
		`${ratio(fewEdit / plain)} (${ms(fewEdit)})`,
		'≤ 10',
		fewEdit / plain <= 10,
	);
	// A quadratic one would give 10.
	const growth = edit / fewEdit / 10;
	bench.row(
		'edit: time for a key of 10,000 / for a key of 1,000',
		`${ratio(growth)} (${ms(fewEdit)} for 1,000 keys)`,
		'≤ 2',
		growth <= 2,
	);
}

function fileOf(count) {
	const keys = Object.fromEntries(Array.from({ length: count }, (_, n) => [`key-${n}`, { n, list: ['a', 'b'] }]));
	return new TextEncoder().encode(JSON.stringify(keys, undefined, 4));
}
