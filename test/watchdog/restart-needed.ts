/** A host that is set up, and a daemon.json that needs a restart of Docker. */
import type { StepContext } from '../../src/model/step.ts';
import { scenarioState } from '../../src/simulation/scenarios.ts';
import type { SimulatedState } from '../../src/simulation/state.ts';

export const path = '/etc/docker/daemon.json';
export const original = scenarioState('already-set-up');

export const textOf = (state: SimulatedState): string => {
	const node = state.files[path];
	return node?.kind === 'file' ? (node.text ?? '') : '';
};
export const earlier = textOf(original);
/** Docker comes up with it. */
export const good = earlier.replace('172.17.0.1/16', '172.20.0.1/16');
/** dockerd accepts it, and does not come up with it. */
export const bad = good.replace('{', '{ "default-runtime": "gone",');

/** What a step that stands for those that write the file looks at. */
export async function readsFile({ host }: StepContext): Promise<string> {
	const read = await host.readFile(path);
	return read.kind === 'bytes' ? new TextDecoder().decode(read.bytes) : '';
}
