import type { Container } from '../../src/docker/container.ts';
import { type DockerAnswer, type DockerFacts, describeDockerTrouble, inspectPlugins } from '../../src/docker/daemon.ts';
import type { DockerPlugin } from '../../src/docker/plugin.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import { parseProperties } from '../../src/system/systemd-show.ts';
import { dockerUnit } from '../../src/system/unit-failure.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { unfitContainers } from './unfit-containers.ts';

/** What of this host would run under another default besides the containers that are there. */
export interface UnderDefault {
	/** Docker runs them as it runs containers. */
	readonly plugins: DockerAnswer<readonly DockerPlugin[]>;
	readonly boot: Boot;
}

/** What becomes of Sysbox when the host starts. */
export type Boot =
	| { readonly kind: 'known'; readonly unit: 'none' | 'enabled' | (string & {}); readonly beforeDocker: boolean }
	| { readonly kind: 'unknown' };

export const showBootCommand = [
	'systemctl',
	'show',
	'sysbox.service',
	...['LoadState', 'UnitFileState', 'Before'].flatMap(name => ['-p', name]),
] as const;

/** One call of docker and one of systemctl. */
export async function inspectUnderDefault(host: ReadHost, signal: AbortSignal): Promise<UnderDefault> {
	const [plugins, shown] = await Promise.all([
		inspectPlugins(host, signal),
		host.exec(showBootCommand, { timeoutMs: 10_000, signal }),
	]);
	const properties = parseProperties(shown.stdout);
	const load = properties['LoadState'];
	if (shown.code !== 0 || load === undefined) return { plugins, boot: { kind: 'unknown' } };
	return {
		plugins,
		boot: {
			kind: 'known',
			unit: load === 'not-found' ? 'none' : (properties['UnitFileState'] ?? ''),
			beforeDocker: (properties['Before'] ?? '').split(' ').includes(dockerUnit),
		},
	};
}

/** What would not start, and what would start with less, or need Sysbox at a boot, on this very host. */
export function breaks({
	docker,
	underDefault,
}: {
	readonly docker: DockerFacts;
	readonly underDefault: UnderDefault | undefined;
}): readonly string[] {
	const unfit = unfitContainers(docker);
	const named = (refused: boolean) => unfit.filter(c => c.refused === refused).map(c => `${c.name} (${c.because})`);
	const [refused, poorer] = [named(true), named(false)];
	const unfitWords = [
		...(refused.length > 0 ? [`these would not start: ${nameSome(refused)}`] : []),
		...(poorer.length > 0 ? [`these would start without the host's devices: ${nameSome(poorer)}`] : []),
	];
	return [
		...(unfitWords.length > 0 ? [`Once they are recreated, ${unfitWords.join('; ')}.`] : []),
		...(underDefault === undefined
			? []
			: [...pluginWords(underDefault.plugins), ...bootWords(underDefault.boot, docker)]),
	];
}

export const enabledPlugins = (underDefault: UnderDefault | undefined): readonly string[] =>
	underDefault?.plugins.kind === 'ok' ? underDefault.plugins.value.filter(p => p.enabled).map(p => p.name) : [];

/**
 * dockerd gives its plugins the default runtime that it had when it started, and a reload changes nothing for them (moby
 * daemon/daemon.go, NewDaemon; seen with 26.1.5). Under Sysbox they do not come up (issues 400 and 734 of Sysbox).
 */
function pluginWords(plugins: UnderDefault['plugins']): readonly string[] {
	if (plugins.kind !== 'ok')
		return [`Docker's own plugins would get it too, and are not known: ${describeDockerTrouble(plugins)}.`];
	const names = plugins.value.filter(p => p.enabled).map(p => p.name);
	return names.length === 0
		? []
		: [`These plugins get it when Docker next starts, and are known to fail under it: ${nameSome(names)}.`];
}

/** A container that exists keeps its runtime; what is made anew under the default needs Sysbox at each boot. */
function bootWords(boot: Boot, docker: DockerFacts): readonly string[] {
	const back = restartedAtBoot(docker).map(c => c.name);
	const who =
		back.length === 0
			? ''
			: `Once they are recreated, these come back after a boot only with Sysbox: ${nameSome(back)}.`;
	const state = bootState(boot);
	return who === '' && state.fine ? [] : [[who, state.words].filter(words => words !== '').join(' ')];
}

/** Whether systemd starts Sysbox, and in time. */
export function bootState(boot: Boot): { readonly words: string; readonly fine: boolean } {
	if (boot.kind === 'unknown') return { words: 'What starts Sysbox at a boot could not be read.', fine: false };
	if (boot.unit === 'none') return { words: 'There is no sysbox.service that starts it at a boot.', fine: false };
	if (boot.unit !== 'enabled')
		return {
			words: `sysbox.service is not enabled (${boot.unit || 'no word from systemd'}): a boot does not start it by itself.`,
			fine: false,
		};
	return boot.beforeDocker
		? { words: 'sysbox.service is enabled and goes before Docker.', fine: true }
		: { words: 'sysbox.service is enabled, but nothing makes Docker wait for it.', fine: false };
}

/** Docker starts them again by itself, and they have the default runtime now. */
function restartedAtBoot(docker: DockerFacts): readonly Container[] {
	if (docker.containers.kind !== 'ok' || docker.info.kind !== 'ok') return [];
	const { defaultRuntime } = docker.info.value;
	const unfit = new Set(unfitContainers(docker).flatMap(c => (c.refused ? [c.name] : [])));
	return docker.containers.value.filter(
		c =>
			['always', 'unless-stopped'].includes(c.restartPolicy) &&
			(c.runtime || defaultRuntime) !== runtimeName &&
			!unfit.has(c.name),
	);
}
