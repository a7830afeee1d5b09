import type { ReadHost } from '../port/host.ts';
import { excerpt } from './reading.ts';
import { parseProperties, parseUnits, type UnitState } from './systemd-show.ts';

/** Why systemd gave no answer. */
export type SystemdTrouble =
	| { readonly kind: 'no-systemctl' | 'not-systemd' | 'hang' }
	| { readonly kind: 'failed'; readonly said: string };

export type UnitsAnswer = { readonly kind: 'ok'; readonly units: readonly UnitState[] } | SystemdTrouble;

/** What a step wants to know of a unit. `Id` names it in the answer, as links and aliases may rename it. */
const unitProperties = [
	'Id',
	'LoadState',
	'ActiveState',
	'SubState',
	'UnitFileState',
	'Result',
	'MainPID',
	'ExecStart',
	'FragmentPath',
	'DropInPaths',
];

const timeoutMs = 10_000;

/** The command line that {@link inspectUnits} runs. */
export const showUnitsCommand = (units: readonly string[], more: readonly string[] = []) =>
	['systemctl', 'show', ...units, ...[...unitProperties, ...more].flatMap(p => ['-p', p])] as readonly [
		string,
		...string[],
	];

const listServicesCommand = [
	'systemctl',
	'list-units',
	'--type=service',
	'--all',
	'--plain',
	'--full',
	'--no-legend',
	'--no-pager',
] as const;

/** The names of all services that systemd has loaded: those that run, and those that are started with the host. */
export async function listServices(
	host: ReadHost,
	signal: AbortSignal,
): Promise<{ readonly kind: 'ok'; readonly names: readonly string[] } | SystemdTrouble> {
	const result = await host.exec(listServicesCommand, { timeoutMs, signal });
	const trouble = systemdTrouble(result);
	if (trouble !== undefined) return trouble;
	return {
		kind: 'ok',
		names: result.stdout.split('\n').flatMap(line => /^\s*(\S+\.service)\s+loaded\s/.exec(line)?.[1] ?? []),
	};
}

/**
 * The state of several units, in one call and in the order in which they were asked for. A unit that is not there is
 * `loadState: 'not-found'`, no failure. `more` names properties besides the usual ones.
 */
export async function inspectUnits(
	host: ReadHost,
	units: readonly string[],
	signal: AbortSignal,
	more: readonly string[] = [],
): Promise<UnitsAnswer> {
	const result = await host.exec(showUnitsCommand(units, more), { timeoutMs, signal });
	const trouble = systemdTrouble(result);
	if (trouble !== undefined) return trouble;
	const reading = parseUnits(result.stdout);
	if (reading.kind !== 'ok') return { kind: 'failed', said: reading.why };
	return reading.value.length === units.length
		? { kind: 'ok', units: reading.value }
		: { kind: 'failed', said: `systemctl show told of ${reading.value.length} units when asked for ${units.length}` };
}

/** The unit of that name (`.service` may be left out), or undefined when systemd did not tell of it. */
export function unitNamed(answer: UnitsAnswer, name: string): UnitState | undefined {
	const full = /\.(service|socket|timer|target|mount|path)$/.test(name) ? name : `${name}.service`;
	return answer.kind === 'ok' ? answer.units.find(u => u.id === full) : undefined;
}

export interface SystemdManager {
	readonly version: string;
	/** `running`, `degraded`, `starting`, `maintenance`… */
	readonly state: string;
	/** `kvm`, `docker`, `lxc`, `wsl`…; empty on bare metal. systemd-detect-virt prints the same words. */
	readonly virtualization: string;
}

export const showManagerCommand = [
	'systemctl',
	'show',
	'-p',
	'Version',
	'-p',
	'SystemState',
	'-p',
	'Virtualization',
] as const;

/** systemd itself: its version, its state and what it thinks it runs in. One call instead of three programs. */
export async function inspectManager(
	host: ReadHost,
	signal: AbortSignal,
): Promise<{ readonly kind: 'ok'; readonly manager: SystemdManager } | SystemdTrouble> {
	const result = await host.exec(showManagerCommand, { timeoutMs, signal });
	const trouble = systemdTrouble(result);
	if (trouble !== undefined) return trouble;
	const properties = parseProperties(result.stdout);
	const state = properties['SystemState'];
	if (state === undefined)
		return { kind: 'failed', said: `systemctl show named no SystemState, but: ${excerpt(result.stdout)}` };
	return {
		kind: 'ok',
		manager: { state, version: properties['Version'] ?? '', virtualization: properties['Virtualization'] ?? '' },
	};
}

function systemdTrouble(result: Awaited<ReturnType<ReadHost['exec']>>): SystemdTrouble | undefined {
	if (result.problem === 'missing') return { kind: 'no-systemctl' };
	if (result.problem === 'timeout') return { kind: 'hang' };
	// Both texts end with exit code 1: the first without systemd as PID 1, the second where its bus is out of reach.
	if (/not been booted with systemd|failed to connect to (the )?(system )?(scope )?bus/i.test(result.stderr))
		return { kind: 'not-systemd' };
	if (result.code !== 0)
		return { kind: 'failed', said: excerpt(result.stderr || result.stdout || result.problem || 'it said nothing') };
	return undefined;
}

/** One sentence about the trouble, for a finding. */
export function describeSystemdTrouble(trouble: SystemdTrouble): string {
	switch (trouble.kind) {
		case 'no-systemctl':
			return 'there is no systemctl on this host';
		case 'not-systemd':
			return 'this host was not started by systemd';
		case 'hang':
			return 'systemctl gave no answer within 10 s';
		case 'failed':
			return `systemctl failed: ${trouble.said}`;
		default:
			return trouble satisfies never;
	}
}
