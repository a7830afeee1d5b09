import { expectedOf, fileProblem } from '../../src/docker/daemon-file.ts';
import { canValidate, validateCandidate } from '../../src/docker/validation.ts';
import { type Action, emptyPlan, type Plan } from '../../src/model/action.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { desiredDefault, editOf } from './desired.ts';
import type { DaemonFacts } from './facts.ts';
import { canBeEdited } from './judge.ts';
import { breaks } from './under-default.ts';

export function planDaemon(facts: DaemonFacts, context: JudgeContext): Plan {
	const edit = editOf(facts, context);
	if (edit.kind === 'none' || edit.plan.kind === 'refused' || fileProblem(facts.file) !== undefined) return emptyPlan;
	if (!canBeEdited(facts)) return emptyPlan;

	const { content, plan } = edit;
	const { path } = facts.file;
	const actions: Action[] = [];
	if (content.kind === 'missing' && content.directory === 'missing') {
		actions.push({
			id: 'docker-folder',
			kind: 'make-folder',
			title: `Make the folder ${path.slice(0, path.lastIndexOf('/'))}`,
			why: "Docker's configuration goes there",
			path: path.slice(0, path.lastIndexOf('/')),
			mode: 0o755,
		});
	}
	const toDefault = desiredDefault(facts, context);
	actions.push({
		id: 'daemon-json',
		role: 'configure-docker',
		kind: 'write',
		title: `Set ${nameSome(plan.keys)} in ${path}`,
		why:
			toDefault === undefined
				? `Docker learns of ${runtimeName} from this file; every other byte of it stays`
				: `asked for: containers that name no runtime get ${toDefault}; every other byte of the file stays`,
		path,
		bytes: plan.bytes,
		mode: 0o644,
		expect: expectedOf(content),
		before: content.kind === 'read' ? content.text : undefined,
		validateWith: canValidate(facts.validation) ? validateCandidate(path, facts.dockerd) : undefined,
		risks: toDefault === undefined ? undefined : (['default-runtime'] as const),
	});
	const notes =
		toDefault === runtimeName
			? [...breaks(facts), 'Containers that exist keep the runtime that they were created with']
			: ['Docker goes on with what it has loaded until the next step'];
	return { actions, impact: { stops: [], notes } };
}
