import type { Question } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { listed } from './checks/check.ts';
import { canWriteFuseRule, isStoppedByProfile } from './fuse-rule.ts';
import { fuseLocalPath, type HostFacts, ownSysctlPath } from './host-facts.ts';
import { managedId, managedQuestion } from './managed.ts';
import { canWriteSysctls, neededSysctls } from './plan.ts';
import { canInstall, missingTools } from './tools.ts';

/** Every answer that this step reads. */
const changes = ['host.install-tools', 'host.sysctl', 'host.apparmor-rule'] as const;

export const answerIds = [managedId, ...changes] as const;

/**
 * One question for each kind of change that this host needs. Without facts all of them, so that a mistyped answer is
 * found before the run starts. Each has a default: a plan that weakens something still has to be accepted by its name.
 */
export function questions(facts: HostFacts | undefined, context: JudgeContext): readonly Question[] {
	const missing = facts === undefined ? [] : missingTools(facts, context).map(tool => tool.package);
	const sysctls = facts === undefined ? [] : [...neededSysctls(facts).keys()];
	const asked: Readonly<Record<(typeof changes)[number], boolean>> = {
		'host.install-tools': facts === undefined || (missing.length > 0 && canInstall(facts)),
		'host.sysctl': facts === undefined || (sysctls.length > 0 && canWriteSysctls(facts)),
		'host.apparmor-rule': facts === undefined || (isStoppedByProfile(facts) && canWriteFuseRule(facts)),
	};
	const all: readonly Question[] = [
		{
			id: 'host.install-tools',
			label: 'Install missing packages',
			kind: 'confirm',
			title: missing.length === 0 ? 'Install missing packages?' : `Install ${listed(missing)}?`,
			help: `Sysbox or its package calls these programs${missing.includes('fuse3') ? ': without fuse3 it does not start, and the run goes no further' : ''}. Revert purges exactly the packages that were not there before.`,
			initial: true,
		},
		{
			id: 'host.sysctl',
			label: 'Allow user namespaces',
			kind: 'confirm',
			title: 'Allow user namespaces on this host?',
			help: `Sysbox is built on them. ${sysctls.length === 0 ? 'Sysctls that forbid them are' : `${listed(sysctls)} ${sysctls.length === 1 ? 'is' : 'are'}`} set now and in ${ownSysctlPath}. Every user of this host can then make user namespaces, which is a weaker setting than yours.`,
			initial: true,
		},
		{
			id: 'host.apparmor-rule',
			label: 'AppArmor rule for FUSE',
			kind: 'confirm',
			title: 'Let the AppArmor profile of fusermount3 allow mounts of Sysbox?',
			help: `Two lines in ${fuseLocalPath} allow FUSE mounts below /var/lib/sysboxfs, and nowhere else. Without them no Sysbox container starts.`,
			initial: true,
		},
	];
	return [...managedQuestion(facts, context), ...all.filter(question => asked[question.id as keyof typeof asked])];
}
