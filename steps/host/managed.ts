import type { Finding } from '../../src/model/finding.ts';
import { type Question, yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { ManagerTrace } from '../../src/system/configuration-managers.ts';
import type { HostFacts } from './host-facts.ts';

export const managedId = 'host.managed';

/** Who else writes configuration here, each once: "Ansible", "the repository in /srv/infra". */
export function managersOf({ managers, repository }: Pick<HostFacts, 'managers' | 'repository'>): readonly string[] {
	return [
		...new Set(managers.map((trace: ManagerTrace) => trace.by)),
		...(repository === undefined ? [] : [`the repository in ${repository}`]),
	];
}

/** What the operator may decide otherwise: asked only where there is a trace, and nothing was said on the command line. */
export function managedQuestion(facts: HostFacts | undefined, { options }: JudgeContext): readonly Question[] {
	if (options.managed !== undefined) return [];
	const managers = facts === undefined ? ['a configuration manager'] : managersOf(facts);
	if (managers.length === 0) return [];
	const who = managers.join(' and ');
	return [
		{
			id: managedId,
			label: 'Configuration manager writes files',
			kind: 'confirm',
			title: `Leave configuration files to ${who}?`,
			help: `With yes this run writes none of them: it prints the exact content for your repository, waits until the file is there, and proves it. With no it writes them itself, and ${who} may take that back.`,
			initial: true,
		},
	];
}

export function managedVerdict(
	facts: Pick<HostFacts, 'managers' | 'repository'>,
	{ options, answers }: JudgeContext,
): Omit<Finding, 'id' | 'why'> {
	const managers = managersOf(facts);
	if (managers.length === 0)
		return {
			severity: 'ok',
			summary: 'No other program writes configuration here',
			evidence: 'no trace of Ansible, Puppet, Chef, Salt or CFEngine',
		};
	const who = managers.join(' and ');
	const off = options.managed === undefined && yesNoAnswer(answers, managedId) !== false;
	return {
		severity: 'warn',
		summary: `${who} ${managers.length === 1 ? 'manages' : 'manage'} files of this host`,
		evidence:
			facts.managers.map(trace => trace.saw).join(', ') || `${facts.repository} holds what daemon.json links to`,
		remedy: {
			kind: 'advice',
			text: off
				? 'This run writes none of them: it prints what they have to hold, and waits for it'
				: `Put what this run writes in there too, or ${who} takes it back`,
		},
	};
}
