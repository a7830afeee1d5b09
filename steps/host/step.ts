/**
 * Is this host fit for Sysbox? Changes: missing packages, sysctls that forbid user namespaces, and one AppArmor rule,
 * each only where it is needed and not declined. Skipped: the next steps find out the hard way, in the middle.
 */

import { flagConflicts } from '../../src/docker/file-rules.ts';
import type { Finding } from '../../src/model/finding.ts';
import { changeStep, type JudgeContext, type Observation } from '../../src/model/step.ts';
import { hostChecks } from './checks/catalogue.ts';
import { knownIssueFindings } from './checks/known-issues.ts';
import { toolInstallFindings, toolInstallId } from './checks/packages.ts';
import { inspectHost } from './facts.ts';
import type { HostFacts } from './host-facts.ts';
import { planHost } from './plan.ts';
import { answerIds, questions } from './questions.ts';

function judge(facts: HostFacts, context: JudgeContext): readonly Finding[] {
	const findings = hostChecks.map(check => ({ id: check.id, why: check.why, ...check.judge(facts, context) }));
	const { daemonFile: file, dockerd } = facts;
	return [
		...findings,
		...toolInstallFindings(facts, context),
		...flagConflicts({ file, dockerd }),
		...knownIssueFindings(facts, context),
	];
}

/** What the record and the regression proof compare with later. */
function observe(facts: HostFacts): readonly Observation[] {
	const { cgroups, docker, kernel, os } = facts;
	const engine = docker.info.kind === 'ok' ? docker.info.value : undefined;
	const host: Observation = {
		key: 'host',
		value: {
			distro: os.kind === 'ok' ? os.value.prettyName : null,
			distroId: os.kind === 'ok' ? os.value.id : null,
			distroVersion: os.kind === 'ok' ? (os.value.versionId ?? null) : null,
			kernel: kernel.kind === 'ok' ? kernel.value.release : null,
			arch: facts.arch ?? null,
			docker: engine?.serverVersion ?? null,
			dockerId: engine?.id ?? null,
			dataRoot: engine?.rootDir ?? null,
			storageDriver: engine?.driver ?? null,
			defaultRuntime: engine?.defaultRuntime ?? null,
			cgroupVersion: cgroups?.version ?? null,
			virtualization: facts.container ?? (facts.manager.kind === 'ok' ? facts.manager.manager.virtualization : null),
		},
	};
	if (docker.containers.kind !== 'ok') return [host];
	const containers = docker.containers.value.map(({ id, name, image, pid, startedAt, running }) => ({
		id,
		name,
		image,
		pid,
		startedAt,
		running,
	}));
	return [host, { key: 'containers', value: containers }];
}

export const hostStep = changeStep<HostFacts>({
	id: 'host',
	title: 'Host compatibility',
	why: 'Checks that this host can run Sysbox. Installs missing tools.',
	brief: 'checks this host, installs missing tools',
	needs: [],
	findingIds: [...hostChecks.map(({ id, about }) => ({ id, about })), toolInstallId],
	inspect: inspectHost,
	judge,
	observe,
	answerIds,
	ask: (_answers, facts, context) => questions(facts, context),
	plan: planHost,
});
