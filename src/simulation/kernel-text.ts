import type { SimulatedState } from './state.ts';

/** Long texts that the kernel shows under /proc, as a machine of that size has them. */

export function memoryInfo(state: SimulatedState): string {
	const total = state.machine.memoryKb;
	const row = (name: string, kb: number) => `${`${name}:`.padEnd(16)}${String(Math.round(kb)).padStart(8)} kB\n`;
	return (
		row('MemTotal', total) +
		row('MemFree', total * 0.31) +
		row('MemAvailable', total * 0.72) +
		row('Buffers', total * 0.02) +
		row('Cached', total * 0.41) +
		row('SwapCached', 0) +
		row('Active', total * 0.28) +
		row('Inactive', total * 0.3) +
		row('SwapTotal', 0) +
		row('SwapFree', 0) +
		row('Shmem', total * 0.001) +
		row('Slab', total * 0.04)
	);
}

export function cpuInfo(state: SimulatedState): string {
	const model = state.machine.arch === 'amd64' ? 'AMD EPYC 9354P 32-Core Processor' : 'Neoverse-N1';
	return Array.from(
		{ length: state.machine.cpus },
		(_, n) => `processor\t: ${n}\nvendor_id\t: AuthenticAMD\nmodel name\t: ${model}\nphysical id\t: 0\n\n`,
	).join('');
}

/** Symbols without their addresses, as anyone without CAP_SYSLOG sees them. */
export const kernelSymbols = (withAddresses: boolean): string =>
	['T _stext', 't bringup_idle_thread', 'T do_one_initcall', 'D init_task']
		.map((symbol, n) => `${withAddresses ? `ffffffffa${(n + 1).toString(16)}000000` : '0000000000000000'} ${symbol}\n`)
		.join('');

export const limitsText = (processes: number): string =>
	[
		'Limit                     Soft Limit           Hard Limit           Units     ',
		'Max cpu time              unlimited            unlimited            seconds   ',
		'Max file size             unlimited            unlimited            bytes     ',
		`Max processes             ${String(processes).padEnd(20)} ${String(processes).padEnd(20)} processes `,
		'Max open files            1048576              1048576              files     ',
		'Max locked memory         8388608              8388608              bytes     ',
		'',
	].join('\n');
