import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialise, type SimulatedState } from '../../src/simulation/state.ts';

/** The simulated host that a demo keeps in its session directory. */
export function hostOf(directory: string, scenario = 'fresh-ubuntu'): SimulatedState {
	const state = deserialise(readFileSync(join(directory, `host-${scenario}.json`), 'utf8'));
	if (state === undefined) throw new Error(`${directory} holds no simulated host`);
	return state;
}

/** Records name the time, the run and who was asked; logs and the state of a run are of one run only. */
const ofOneRun = /\/sysbox-setup-record-|^\/var\/lib\/sysbox-setup|^\/var\/log\/|^\/run\/|^\/tmp\//;

/** What a run leaves on a host: files, packages, units, runtimes, images and what still runs. Ids and times are left out. */
export function endState(host: SimulatedState): object {
	const { engine } = host.docker;
	return {
		files: Object.fromEntries(
			Object.entries(host.files)
				.filter(([path]) => !ofOneRun.test(path))
				.sort(([a], [b]) => (a < b ? -1 : 1)),
		),
		packages: Object.values(host.packages)
			.map(({ name, version, status }) => `${name} ${version} ${status}`)
			.sort(),
		units: Object.values(host.units)
			.map(({ name, active, enabled }) => `${name} ${active} ${enabled}`)
			.sort(),
		runtimes: engine.config,
		images: engine.images.flatMap(image => image.tags).sort(),
		containers: engine.containers.map(({ name, status }) => `${name} ${status}`).sort(),
		sysctls: host.sysctls,
	};
}

/** The record that the run wrote into the simulated host. */
export function recordOf(host: SimulatedState): string {
	const records = Object.entries(host.files).filter(([path]) => path.includes('/sysbox-setup-record-'));
	const [path, file] = records.at(-1) ?? [];
	if (file?.kind !== 'file' || file.text === undefined) throw new Error(`no record: ${path ?? 'none'}`);
	return file.text;
}
