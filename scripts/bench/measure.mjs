// How things are measured: contenders take turns, the first round only warms the caches, and the median counts.
import { spawnSync } from 'node:child_process';

/** Milliseconds that a program takes from its start to its end. */
export function started(argv, env = process.env, user = {}) {
	const began = process.hrtime.bigint();
	spawnSync(process.execPath, argv, { stdio: 'ignore', env, ...user });
	return Number(process.hrtime.bigint() - began) / 1e6;
}

/** Each contender measures itself and returns a number. */
export function interleaved(rounds, contenders) {
	const numbers = contenders.map(() => []);
	for (let round = -1; round < rounds; round++)
		for (const [index, contender] of contenders.entries()) {
			const number = contender();
			if (round >= 0) numbers[index].push(number);
		}
	return numbers.map(median);
}

/** As {@link interleaved}, for contenders that are waited for and whose time is taken here. */
export async function interleavedLater(rounds, contenders) {
	const times = contenders.map(() => []);
	for (let round = -1; round < rounds; round++)
		for (const [index, contender] of contenders.entries()) {
			const began = process.hrtime.bigint();
			await contender();
			if (round >= 0) times[index].push(Number(process.hrtime.bigint() - began) / 1e6);
		}
	return times.map(median);
}

export function median(numbers) {
	const sorted = numbers.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}

export function ratio(number) {
	return `${number.toFixed(2)} ×`;
}

export function ms(number) {
	return `${number.toFixed(number < 1 ? 3 : 1)} ms`;
}
