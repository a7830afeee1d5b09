import { fileProblem, positionProblem, viewOf } from '../../src/docker/daemon-file.ts';
import { flagIsGiven, missingFile, placeOf } from '../../src/docker/dockerd-unit.ts';
import { breaksARule, ruleFindings } from '../../src/docker/file-rules.ts';
import { verdictFindings } from '../../src/docker/validation.ts';
import { endedBefore } from '../../src/model/earlier-step.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { defaultRuntimeId } from '../../src/sysbox/question-ids.ts';
import { runtimeName, runtimePath } from '../../src/sysbox/runtime.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { configuredDefault, defaultIsFlag, desiredDefault, editOf, registrationOf, wantsDefault } from './desired.ts';
import type { DaemonFacts } from './facts.ts';
import { bootState, enabledPlugins } from './under-default.ts';
import { unfitContainers } from './unfit-containers.ts';

export function judgeDaemon(facts: DaemonFacts, context: JudgeContext): readonly Finding[] {
	const broken = fileProblem(facts.file);
	// Nothing can be said of a file that cannot be read, and nothing is guessed.
	if (broken !== undefined) return [broken];
	const edit = editOf(facts, context);
	if (edit.kind === 'edit' && edit.plan.kind === 'refused')
		return [positionProblem(facts.file.path, edit.plan.problem)];
	return [
		validFinding(facts, context),
		...verdictFindings(facts),
		...ruleFindings(facts),
		registrationFinding(facts, context),
		...otherRuntimes(facts),
		defaultFinding(facts, context),
	];
}

function validFinding(facts: DaemonFacts, context: JudgeContext): Finding {
	const { dockerd, file, validation } = facts;
	const view = viewOf(file);
	// moby cmd/dockerd/daemon.go, loadDaemonCliConfig: a missing file is passed over only where the flag was not given.
	if (view?.source === 'missing' && flagIsGiven('config-file', dockerd)) {
		return {
			id: 'daemon-json.valid',
			severity: 'block',
			summary: `dockerd is told to read ${file.path} (${placeOf('config-file', dockerd)}), which does not exist`,
			why: 'dockerd does not start, and does not reload, without a file that its command line names',
			remedy:
				editOf(facts, context).kind === 'edit'
					? edited(facts, 'The file is written')
					: { kind: 'commands', text: 'Create it with no settings', commands: [`echo '{}' > ${file.path}`] },
		};
	}
	const summary =
		view?.source === 'missing'
			? missingFile(file.path, dockerd)
			: view?.source === 'empty'
				? `${file.path} is empty`
				: `${file.path} is valid`;
	// dockerd learned to look at a file, to drop a byte order mark and to read an empty file as {} in one release.
	if (validation.kind === 'unsupported' && (view?.bom === true || view?.source === 'empty')) {
		return {
			id: 'daemon-json.valid',
			severity: 'block',
			breaks: true,
			summary: view.bom
				? `${file.path} begins with a byte order mark, which this dockerd cannot read`
				: `${file.path} is empty, and this dockerd does not start with an empty file`,
			remedy: view.bom
				? { kind: 'advice', text: 'Save it as UTF-8 without a mark' }
				: { kind: 'commands', text: 'Remove it: a missing file is fine', commands: [`rm ${file.path}`] },
		};
	}
	return { id: 'daemon-json.valid', severity: 'ok', summary };
}

/** No edit is made on top of what keeps Docker from starting: it would only hide whose mistake that was. */
export const canBeEdited = (facts: DaemonFacts): boolean =>
	!breaksARule(facts) && !(facts.file.content.kind === 'read' && facts.validation.kind === 'refused');

const edited = (facts: DaemonFacts, text: string): NonNullable<Finding['remedy']> =>
	canBeEdited(facts)
		? { kind: 'planned', text }
		: { kind: 'advice', text: 'Fix first what else is named here: the file is not edited before that' };

function registrationFinding(facts: DaemonFacts, context: JudgeContext): Finding {
	const registration = registrationOf(facts);
	const { path } = facts.file;
	const id = 'daemon.runtime-registered';
	switch (registration.kind) {
		case 'works':
			return {
				id,
				severity: 'ok',
				summary: `${runtimeName} is registered`,
				evidence: registration.path,
			};
		case 'flag':
			return {
				id,
				severity: 'ok',
				summary: `${runtimeName} is registered by --add-runtime in ${placeOf('add-runtime', facts.dockerd)}`,
				evidence: registration.path,
			};
		case 'elsewhere':
			return {
				id: 'daemon.runtime-elsewhere',
				severity: 'warn',
				summary: `${runtimeName} is registered as ${registration.path}, which is not where Sysbox puts it`,
				why: 'A wrapper may be meant; what it runs decides whether containers are isolated, and the proofs will tell',
				remedy: { kind: 'advice', text: `If it is not meant, put ${runtimePath} there` },
			};
		case 'missing':
			return {
				id,
				severity: 'block',
				summary: `${runtimeName} is not registered in ${path}`,
				why: 'Docker does not know a runtime that stands neither in its file nor in its flags',
				remedy: edited(facts, `It is registered as ${registration.to}`),
			};
		case 'wrong-path':
			return {
				id,
				severity: 'block',
				summary: `${runtimeName} is registered as ${registration.was ?? ''}, where no program is`,
				why: 'Docker accepts and lists such a runtime; only the first container fails, with exit code 127',
				remedy: edited(facts, `It is registered as ${registration.to}`),
			};
		case 'no-program':
			return {
				id: 'daemon.runtime-path',
				severity: 'block',
				summary:
					registration.was === undefined
						? `${runtimeName} is not on this host, so there is nothing to register`
						: `${runtimeName} is registered as ${registration.was}, and is not on this host`,
				why: 'Docker would list the runtime all the same; every container of it would fail with exit code 127',
				remedy: endedBefore(context, 'sysbox', 'it installs Sysbox'),
			};
		case 'unreadable':
			return { id, severity: 'could-not-tell', summary: `${path} cannot be read` };
		default:
			return registration satisfies never;
	}
}

/** Not ours to repair, and worth a word: they fail only when a container is started. */
function otherRuntimes(facts: DaemonFacts): readonly Finding[] {
	const broken = [...(viewOf(facts.file)?.runtimes ?? [])].flatMap(([name, entry]) => {
		const path = entry.path ?? entry.binaryName ?? '';
		const state = facts.programs.get(path);
		return name !== runtimeName && (state === 'missing' || state === 'not-executable') ? [{ name, path, state }] : [];
	});
	return broken.map(({ name, path, state }) => ({
		id: 'daemon.other-runtime-path',
		severity: 'warn' as const,
		summary: `The runtime ${name} is registered as ${path}, which ${state === 'missing' ? 'is not there' : 'cannot be executed'}`,
		why: 'Containers of that runtime do not start',
		remedy: { kind: 'advice' as const, text: 'Install it, or take its entry out' },
	}));
}

function defaultFinding(facts: DaemonFacts, context: JudgeContext): Finding {
	const id = 'daemon.default-runtime';
	const configured = configuredDefault(facts);
	const desired = desiredDefault(facts, context);
	const wants = wantsDefault(facts, context);
	// dockerd goes by what it has loaded, and the next step has it load the file.
	const loaded = facts.docker.info.kind === 'ok' ? facts.docker.info.value.defaultRuntime : undefined;
	if (wants && defaultIsFlag(facts) && configured !== runtimeName) {
		return {
			id,
			severity: 'block',
			summary: `The default runtime is set by a flag in ${placeOf('default-runtime', facts.dockerd)}`,
			why: 'dockerd does not start when the file names one too',
			remedy: {
				kind: 'commands',
				text: `Name ${runtimeName} in the flag, or answer ${defaultRuntimeId} with no`,
				commands: ['systemctl edit --full docker.service'],
			},
		};
	}
	if (desired !== undefined) {
		return {
			id,
			severity: 'warn',
			summary: `The default runtime is ${configured ?? 'not named in the file'}; ${desired} was asked for`,
			remedy: edited(facts, `"default-runtime" is set to ${desired}`),
		};
	}
	if (configured !== runtimeName) {
		return {
			id,
			severity: 'ok',
			summary:
				configured !== undefined && loaded !== undefined && loaded !== configured
					? `The default runtime is set to ${configured}; Docker still gives containers ${loaded}`
					: `Containers get ${configured ?? loaded ?? 'runc'} unless they ask for another runtime`,
		};
	}
	const { underDefault } = facts;
	const refused = unfitContainers(facts.docker).flatMap(c => (c.refused ? [`${c.name} (${c.because})`] : []));
	const failing = [...refused, ...enabledPlugins(underDefault).map(name => `${name} (plugin)`)];
	const atBoot = underDefault?.boot.kind === 'known' ? bootState(underDefault.boot) : undefined;
	const disabled = underDefault?.boot.kind === 'known' && underDefault.boot.unit === 'disabled';
	const evidence = [
		...(failing.length > 0 ? [`would not start when created anew: ${nameSome(failing)}`] : []),
		...(atBoot?.fine === false ? [atBoot.words] : []),
	].join('\n');
	return {
		id,
		severity: evidence === '' ? 'info' : 'warn',
		summary:
			loaded !== undefined && loaded !== runtimeName
				? `The default runtime is set to ${runtimeName}; Docker still gives containers ${loaded}`
				: `Every container that names no runtime gets ${runtimeName}`,
		evidence: evidence !== '' ? evidence : undefined,
		why: 'docker build with BuildKit ignores the default runtime, and Docker depends on Sysbox for every start',
		remedy: disabled
			? {
					kind: 'commands' as const,
					text: 'Let every boot start Sysbox, before Docker',
					commands: ['systemctl enable sysbox.service'],
				}
			: undefined,
	};
}
