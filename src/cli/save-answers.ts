import { join } from 'node:path';
import type { RunState } from '../model/state.ts';
import { answersFileText } from '../prompts/answers-file-text.ts';
import type { Environment } from '../session/environment.ts';

/** Beside where the operator stands, belonging to the owner of that directory; nothing that lies there is replaced. */
export async function saveAnswers(state: RunState, { host, workingDirectory, command }: Environment) {
	const directory = await host.stat(workingDirectory);
	const owner = directory.kind === 'found' ? { uid: directory.meta.uid, gid: directory.meta.gid } : undefined;
	const bytes = new TextEncoder().encode(answersFileText(state, command));
	for (let n = 1; n <= 9; n++) {
		const path = join(workingDirectory, `sysbox-setup-answers${n === 1 ? '' : `-${n}`}.yml`);
		const written = await host.replaceFile(path, bytes, {
			expect: { kind: 'missing' },
			mode: 0o644,
			owner,
		});
		if (written.kind === 'written') return { kind: 'saved' as const, path };
		if (written.kind === 'failed') return { kind: 'failed' as const, why: `${path}: ${written.message}` };
		if (written.kind === 'rejected') return { kind: 'failed' as const, why: `${path}: ${written.said}` };
	}
	return { kind: 'failed' as const, why: `${workingDirectory} holds nine of them already` };
}
