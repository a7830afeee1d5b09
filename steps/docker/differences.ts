import { describePools, poolsInForce, samePools } from '../../src/docker/address-pools.ts';
import { viewOf } from '../../src/docker/daemon-file.ts';
import type { DaemonJsonView } from '../../src/docker/daemon-json.ts';
import { flagIsGiven } from '../../src/docker/dockerd-unit.ts';
import type { DockerInfo } from '../../src/docker/info.ts';
import { dockerdKey } from '../../src/knowledge/lookup.ts';
import type { DockerdKeyRow } from '../../src/model/knowledge.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Difference } from '../../src/sysbox/reload.ts';
import { runtimeName } from '../../src/sysbox/runtime.ts';
import type { DockerStepFacts } from './facts.ts';

/** What is in the file and in the daemon of the keys that this tool may have written. */
export function ownDifferences(facts: DockerStepFacts, context: JudgeContext): readonly Difference[] {
	const { docker, network } = facts;
	const view = viewOf(facts.file);
	if (view === undefined || docker.info.kind !== 'ok') return [];
	const info = docker.info.value;
	const given = (flag: string) => flagIsGiven(flag, facts.dockerd);
	const differences: Difference[] = [];
	const keyed = (key: string) => dockerdKey(context.knowledge, key, info.serverVersion);
	const add = (key: string, said: string, loaded: string, needs = keyed(key).change): void => {
		if (said !== loaded) differences.push({ key, said, loaded, needs });
	};

	const registered = view.runtimes.get(runtimeName);
	if (registered !== undefined) {
		const said = registered.path ?? registered.runtimeType ?? '';
		const found = info.runtimes[runtimeName];
		// A daemon that lists the name and no path cannot be compared further.
		add('runtimes', said, found === undefined ? 'not listed' : (found.path ?? found.runtimeType ?? said));
	}
	if (view.defaultRuntime !== undefined && view.defaultRuntime !== '') {
		add('default-runtime', view.defaultRuntime, info.defaultRuntime);
	} else if (!given('default-runtime') && info.defaultRuntime === runtimeName) {
		// This step writes nothing: where only a value would make a reload forget it, a restart does.
		add('default-runtime', 'runc', info.defaultRuntime, whenAbsent(keyed('default-runtime')));
	}
	if (view.bip !== undefined && view.bip !== '' && network.kind === 'known') add('bip', view.bip, network.bip);
	if (view.pools !== undefined) {
		const [said, loaded] = [poolsInForce(view.pools), poolsInForce(info.addressPools)];
		if (!samePools(said, loaded)) {
			const key = 'default-address-pools';
			const needs = keyed(key).change;
			differences.push({ key, said: describePools(said), loaded: describePools(loaded), needs });
		}
	}
	const { timeNamespaces } = facts;
	if (timeNamespaces?.file === 'off' && timeNamespaces.loaded === 'on')
		add('features', 'time-namespaces off', `time-namespaces on (${timeNamespaces.seen})`);
	return differences;
}

/** Without it no Sysbox container starts: it does not wait for the next start of Docker. */
export const isNeededBySysbox = ({ key }: Difference): boolean => key === 'features';

const whenAbsent = ({ removal }: DockerdKeyRow): Difference['needs'] =>
	removal.kind === 'reload' ? 'reload' : 'restart';

/**
 * Settings of others that are in the file and not in force. This tool does nothing about them, but the next reload or
 * restart, whoever does it, puts them in force too.
 */
export function otherDifferences(facts: DockerStepFacts, context: JudgeContext): readonly Difference[] {
	const view = viewOf(facts.file);
	if (view === undefined || facts.docker.info.kind !== 'ok') return [];
	const info = facts.docker.info.value;
	return [...foreignRuntimes(view, info), ...foreignKeys(view, info)].map(({ key, said, loaded }) => ({
		key,
		said,
		loaded,
		needs: dockerdKey(context.knowledge, key, info.serverVersion).change,
	}));
}

type Pair = Pick<Difference, 'key' | 'said' | 'loaded'>;

function foreignRuntimes(view: DaemonJsonView, info: DockerInfo): readonly Pair[] {
	return [...view.runtimes.keys()]
		.filter(name => name !== runtimeName && info.runtimes[name] === undefined)
		.map(name => ({ key: 'runtimes', said: name, loaded: `no ${name}` }));
}

function foreignKeys(view: DaemonJsonView, info: DockerInfo): readonly Pair[] {
	const pairs: Pair[] = [];
	const compare = (key: string, said: string | undefined, loaded: string): void => {
		if (said !== undefined && said !== '' && loaded !== '' && said !== loaded) pairs.push({ key, said, loaded });
	};
	compare('data-root', view.dataRoot?.replace(/(?<=.)\/+$/, ''), info.rootDir);
	compare('storage-driver', view.storageDriver, info.driver);
	compare(
		'live-restore',
		view.liveRestore === undefined ? undefined : String(view.liveRestore),
		String(info.liveRestore),
	);
	return pairs;
}

export const describeDifference = (d: Difference): string => `${d.key}: ${d.said} in the file, ${d.loaded} in force`;
