import type { ReadHost } from '../port/host.ts';
import { excerpt } from '../system/reading.ts';
import type { UnitState } from '../system/systemd-show.ts';
import { describeSystemdTrouble, inspectUnits, type UnitsAnswer, unitNamed } from '../system/systemd-units.ts';
import { type ProgramName, programNames } from './program-names.ts';
import { parseSysboxVersion } from './version.ts';

/** The package's directory first; source builds of old went to the others (sysbox-ce.postinst still looks there). */
const programDirectories = ['/usr/bin', '/usr/local/sbin', '/usr/local/bin'];

export interface Program {
	readonly name: ProgramName;
	/** Undefined: there is none. */
	readonly path: string | undefined;
	readonly version:
		| { readonly kind: 'says'; readonly version: string }
		| { readonly kind: 'unknown'; readonly why: string };
}

export const unitNames = ['sysbox.service', 'sysbox-mgr.service', 'sysbox-fs.service'] as const;

/** What the two daemons listen on; sysbox-runc refuses to create a container when one is missing. */
export const socketPaths = [
	'/run/sysbox/sysmgr.sock',
	'/run/sysbox/sysfs.sock',
	'/run/sysbox/sysfs-seccomp.sock',
] as const;

export interface Socket {
	readonly path: string;
	readonly state: 'there' | 'missing' | 'not-a-socket' | 'denied';
}

/** Sysbox as it runs, or does not. */
export interface Services {
	readonly programs: readonly Program[];
	readonly units: UnitsAnswer;
	readonly sockets: readonly Socket[];
}

export async function inspectServices(host: ReadHost, signal: AbortSignal): Promise<Services> {
	const [programs, units, sockets] = await Promise.all([
		Promise.all(programNames.map(name => inspectProgram(host, name, signal))),
		inspectUnits(host, unitNames, signal),
		Promise.all(socketPaths.map(path => inspectSocket(host, path))),
	]);
	return { programs, units, sockets };
}

export async function inspectProgram(host: ReadHost, name: ProgramName, signal: AbortSignal): Promise<Program> {
	for (const directory of programDirectories) {
		const path = `${directory}/${name}`;
		const found = await host.stat(path);
		if (found.kind !== 'found' || found.type !== 'file') continue;
		const result = await host.exec([path, '--version'], { timeoutMs: 10_000, signal });
		const reading = parseSysboxVersion(result.stdout);
		if (result.code === 0 && reading.kind === 'ok') {
			return { name, path, version: { kind: 'says', version: reading.value.version } };
		}
		const why = result.problem ?? (excerpt(result.stderr) || (reading.kind === 'ok' ? 'it failed' : reading.why));
		return { name, path, version: { kind: 'unknown', why } };
	}
	return { name, path: undefined, version: { kind: 'unknown', why: 'it is not there' } };
}

async function inspectSocket(host: ReadHost, path: string): Promise<Socket> {
	const found = await host.stat(path);
	switch (found.kind) {
		case 'found':
			return { path, state: found.type === 'socket' ? 'there' : 'not-a-socket' };
		case 'denied':
			return { path, state: 'denied' };
		default:
			return { path, state: 'missing' };
	}
}

/** The one version that all three programs say, or why there is none. */
export type AgreedVersion =
	| { readonly kind: 'agreed'; readonly version: string }
	| { readonly kind: 'differ' | 'unknown'; readonly said: string };

export function agreedVersion(programs: readonly Program[]): AgreedVersion {
	const said = programs
		.map(p => `${p.name} ${p.version.kind === 'says' ? p.version.version : `(${p.version.why})`}`)
		.join(', ');
	const versions = programs.flatMap(p => (p.version.kind === 'says' ? [p.version.version] : []));
	if (versions.length < programs.length) return { kind: 'unknown', said };
	const [first = ''] = versions;
	return versions.every(v => v === first) ? { kind: 'agreed', version: first } : { kind: 'differ', said };
}

export const unitsOf = (services: Services): readonly (UnitState | undefined)[] =>
	unitNames.map(name => unitNamed(services.units, name));

/** `sysbox inactive, sysbox-mgr active, sysbox-fs failed (timeout)`. */
export function describeUnits(services: Services): string {
	if (services.units.kind !== 'ok') return describeSystemdTrouble(services.units);
	return unitNames
		.map(name => {
			const unit = unitNamed(services.units, name);
			const state = unit === undefined || unit.loadState === 'not-found' ? 'not installed' : unit.activeState;
			const result = unit?.activeState === 'failed' ? ` (${unit.result})` : '';
			return `${name.replace('.service', '')} ${state}${result}`;
		})
		.join(', ');
}

export const allActive = (services: Services): boolean => unitsOf(services).every(u => u?.activeState === 'active');

/** What is still missing for containers to start, or undefined when all is there. */
export function notServing(services: Services): string | undefined {
	if (!allActive(services)) return describeUnits(services);
	const gone = services.sockets.filter(s => s.state !== 'there');
	if (gone.length > 0) return `no socket at ${gone.map(s => s.path).join(', ')}`;
	const version = agreedVersion(services.programs);
	return version.kind === 'agreed' ? undefined : version.said;
}
