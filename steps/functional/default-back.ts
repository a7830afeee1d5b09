import { currentBytes, type DaemonFile, editable, expectedOf } from '../../src/docker/daemon-file.ts';
import { planDaemonJson } from '../../src/docker/daemon-json.ts';
import type { Plan } from '../../src/model/action.ts';
import type { RunState } from '../../src/model/state.ts';
import { reloadDocker } from '../../src/sysbox/reload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';

/** dockerd's own. A key that is merely taken out would be ignored by a reload (moby daemon/reload_unix.go). */
const stockRuntime = 'runc';

/** Whether this run made Sysbox the default, and may offer to take that back. */
export const setByThisRun = (state: RunState): boolean =>
	state.actions.some(a => a.step === 'daemon' && a.role === 'configure-docker' && a.outcome === 'done') &&
	state.steps.some(step => step.id === 'daemon' && step.decision?.risks.includes('default-runtime') === true);

/** The default by its name again, then the reload that dockerd needs to see it. */
export function putDefaultBack(file: DaemonFile): Plan {
	const content = editable(file);
	const plan =
		content === undefined ? undefined : planDaemonJson(currentBytes(content), { defaultRuntime: stockRuntime });
	if (content === undefined || plan?.kind !== 'edited') return { actions: [] };
	return {
		actions: [
			{
				id: 'default-back',
				kind: 'write',
				title: `Set the default runtime to ${stockRuntime} again in ${file.path}`,
				why: 'containers that name no runtime do not run as they did before this run; nothing else of the file changes',
				path: file.path,
				bytes: plan.bytes,
				mode: 0o644,
				expect: expectedOf(content),
				before: content.kind === 'read' ? content.text : undefined,
			},
			reloadDocker([{ key: 'default-runtime', said: stockRuntime, loaded: runtimeName, needs: 'reload' }]),
		],
	};
}
