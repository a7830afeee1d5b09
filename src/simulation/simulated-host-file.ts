import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialise, type SimulatedState, serialise, startToolProcess } from './state.ts';

/** Where a demo keeps its host: in a file of the demo's own session folder. */
export interface SimulatedHostFile {
	/** The host as it was left, seen by a new process of this tool; undefined when there is none that can be read. */
	load(): SimulatedState | undefined;
	/** Replaces the file at once: a demo that is killed leaves the old state or the new one. */
	save(state: SimulatedState): void;
}

export function simulatedHostFile(path: string): SimulatedHostFile {
	return {
		load: () => {
			let text: string;
			try {
				text = readFileSync(path, 'utf8');
			} catch {
				return undefined;
			}
			const state = deserialise(text);
			return state === undefined ? undefined : startToolProcess(state);
		},
		save: state => {
			mkdirSync(dirname(path), { recursive: true });
			const temporary = `${path}.${process.pid}.new`;
			writeFileSync(temporary, serialise(state), { mode: 0o600 });
			renameSync(temporary, path);
		},
	};
}
