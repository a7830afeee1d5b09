import { currentBytes, editable, type ReadableContent, viewOf } from '../../src/docker/daemon-file.ts';
import {
	type DaemonJsonPlan,
	type DesiredDaemonJson,
	planDaemonJson,
	type RuntimeEntry,
} from '../../src/docker/daemon-json.ts';
import { valuesOf } from '../../src/docker/dockerd-flags.ts';
import { flagIsGiven } from '../../src/docker/dockerd-unit.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { defaultRuntimeId } from '../../src/sysbox/question-ids.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { type DaemonFacts, type Registered, usualPlaces } from './facts.ts';

/** dockerd's own, which needs no entry. */
const stockRuntime = 'runc';

/** How the runtime stands in the file, and whether that can work. */
export type Registration =
	| { readonly kind: 'unreadable' }
	/** By --add-runtime; dockerd merges that with the file. */
	| { readonly kind: 'flag'; readonly path: string }
	| { readonly kind: 'works' | 'elsewhere'; readonly path: string; readonly entry: RuntimeEntry }
	/** It can be set right: the program is at the other path. */
	| { readonly kind: 'missing' | 'wrong-path'; readonly to: string; readonly was?: string | undefined }
	| { readonly kind: 'no-program'; readonly was?: string | undefined };

export function registrationOf(facts: Registered): Registration {
	const view = viewOf(facts.file);
	if (view === undefined) return { kind: 'unreadable' };
	const entry = view.runtimes.get(runtimeName);
	const to = usualPlaces.find(path => facts.programs.get(path) === 'runs');
	if (entry === undefined) {
		const flag = flagRuntimes(facts).find(r => r.name === runtimeName);
		if (flag !== undefined) return { kind: 'flag', path: flag.path };
		return to === undefined ? { kind: 'no-program' } : { kind: 'missing', to };
	}
	const path = entry.path ?? entry.binaryName ?? '';
	// A name without a directory is looked up by dockerd itself, and an unreadable one cannot be held against it.
	const state = path.startsWith('/') ? facts.programs.get(path) : 'denied';
	if (state === 'runs' || state === 'denied') {
		const usual = usualPlaces.some(place => place === path);
		return { kind: usual ? 'works' : 'elsewhere', path, entry };
	}
	return to === undefined || entry.runtimeType !== undefined
		? { kind: 'no-program', was: path }
		: { kind: 'wrong-path', to, was: path };
}

/** `--add-runtime NAME=PATH`. */
export const flagRuntimes = (
	facts: Pick<DaemonFacts, 'dockerd'>,
): readonly { readonly name: string; readonly path: string }[] =>
	valuesOf(facts.dockerd.flags, 'add-runtime').map(value => {
		const [name = '', path = ''] = value.split('=');
		return { name, path };
	});

/** What plain containers get: the flag before the file, as one excludes the other. */
export function configuredDefault(facts: DaemonFacts): string | undefined {
	return valuesOf(facts.dockerd.flags, 'default-runtime').at(-1) ?? viewOf(facts.file)?.defaultRuntime;
}

/** Asked, or else as it is. */
export const wantsDefault = (facts: DaemonFacts, context: JudgeContext): boolean =>
	yesNoAnswer(context.answers, defaultRuntimeId) ?? configuredDefault(facts) === runtimeName;

/** A flag decides it: the file must not say it too. */
export const defaultIsFlag = (facts: Registered): boolean => flagIsGiven('default-runtime', facts.dockerd);

/** Whether the question about it can be put: it is ours to write, and Sysbox can be registered. */
export function canHaveDefault(facts: Registered): boolean {
	const registration = registrationOf(facts).kind;
	return !defaultIsFlag(facts) && registration !== 'unreadable' && registration !== 'no-program';
}

/**
 * What the key has to say, or undefined where it can stay as it is. A key that is merely missing lets a daemon that was
 * told otherwise go on (moby daemon/reload_unix.go), so that the way back names the stock runtime.
 */
export function desiredDefault(facts: DaemonFacts, context: JudgeContext): string | undefined {
	if (defaultIsFlag(facts)) return undefined;
	const configured = configuredDefault(facts);
	const loaded = facts.docker.info.kind === 'ok' ? facts.docker.info.value.defaultRuntime : undefined;
	if (wantsDefault(facts, context)) return configured === runtimeName ? undefined : runtimeName;
	if (configured === runtimeName) return stockRuntime;
	return configured === undefined && loaded === runtimeName ? stockRuntime : undefined;
}

export type Edit =
	| { readonly kind: 'none' }
	| {
			readonly kind: 'edit';
			readonly content: ReadableContent;
			readonly plan: Exclude<DaemonJsonPlan, { kind: 'unchanged' }>;
	  };

/** The one edit that brings the file to what is missing in it and what was asked for. */
export function editOf(facts: DaemonFacts, context: JudgeContext): Edit {
	const content = editable(facts.file);
	if (content === undefined) return { kind: 'none' };
	const registration = registrationOf(facts);
	if (registration.kind === 'no-program') return { kind: 'none' };
	const path = registration.kind === 'missing' || registration.kind === 'wrong-path' ? registration.to : undefined;
	const defaultRuntime = desiredDefault(facts, context);
	const desired: DesiredDaemonJson = {
		runtime: path === undefined ? undefined : { name: runtimeName, path },
		defaultRuntime,
	};
	const plan = planDaemonJson(currentBytes(content), desired, { flagRuntimes: flagRuntimes(facts).map(r => r.name) });
	return plan.kind === 'unchanged' ? { kind: 'none' } : { kind: 'edit', content, plan };
}
