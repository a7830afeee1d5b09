import { currentBytes, editable, type ReadableContent, viewOf } from '../../src/docker/daemon-file.ts';
import {
	type DaemonJsonPlan,
	type DaemonJsonView,
	type DesiredDaemonJson,
	planDaemonJson,
} from '../../src/docker/daemon-json.ts';
import { valuesOf } from '../../src/docker/dockerd-flags.ts';
import { conflictsWith, flagIsGiven, placeOf } from '../../src/docker/dockerd-unit.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { runtimeName, runtimePath } from '../../src/sysbox/runtime.ts';
import { passesPackageGuard } from '../../src/text/json-edit.ts';
import type { SysboxFacts } from './facts.ts';

/**
 * What the package's scripts look for in daemon.json, and do when they miss it (sysbox-ce.config and .postinst of
 * sysbox-pkgr): the runtime, `bip` and `default-address-pools`. A missing network key is filled with an address of the
 * package's own, and Docker is restarted; where any container exists the installation is refused instead. With all
 * three there, in the layout that its regular expressions expect, they touch nothing.
 */
export const guardedKeys = ['bip', 'default-address-pools'] as const;
type GuardedKey = (typeof guardedKeys)[number];

/** Where the package looked for the runtime once; its script would change such a path in place. */
const formerPath = '/usr/local/sbin/sysbox-runc';

/** Why the file cannot be made ready for the package's scripts. */
export type NotReady =
	| { readonly kind: 'flag'; readonly key: GuardedKey; readonly flag: string; readonly place: string }
	/** dockerd refuses `bip` beside a bridge of the operator's own. */
	| { readonly kind: 'own-bridge'; readonly where: string }
	| { readonly kind: 'layout-declined'; readonly keys: readonly GuardedKey[] }
	| { readonly kind: 'network-unknown'; readonly why: string }
	| { readonly kind: 'file' };

export type Readiness =
	| { readonly kind: 'ready'; readonly content: ReadableContent; readonly plan: DaemonJsonPlan }
	| { readonly kind: 'not-ready'; readonly problems: readonly NotReady[] };

/** Keys that are there with a value, but laid out so that the package's guard does not see them. */
export function unseenKeys(facts: SysboxFacts): readonly GuardedKey[] {
	const { content } = facts.file;
	if (content.kind !== 'read' || !guardMatters(facts)) return [];
	const seen = passesPackageGuard(content.text);
	const present = presentKeys(content.view);
	return guardedKeys.filter(key => present.has(key) && !(key === 'bip' ? seen.bip : seen.pools));
}

/** The guard asks for containers, running or stopped. Where they cannot be counted, there may be some. */
const guardMatters = ({ docker }: SysboxFacts): boolean =>
	docker.containers.kind !== 'ok' || docker.containers.value.length > 0;

function presentKeys(view: DaemonJsonView): ReadonlySet<GuardedKey> {
	const present = new Set<GuardedKey>();
	if (view.bip !== undefined && view.bip !== '') present.add('bip');
	if (view.pools !== undefined && view.pools.length > 0) present.add('default-address-pools');
	return present;
}

/** The one edit after which the package's scripts find everything as they want it. */
export function makeReady(facts: SysboxFacts, context: JudgeContext): Readiness {
	const content = editable(facts.file);
	const view = viewOf(facts.file);
	if (content === undefined || view === undefined) return { kind: 'not-ready', problems: [{ kind: 'file' }] };

	const problems: NotReady[] = [];
	const present = presentKeys(view);
	const missing = guardedKeys.filter(key => !present.has(key));
	// Flags matter only for the file that this dockerd reads.
	if (facts.dockerd.configFile === facts.file.path) {
		for (const { key, flag } of conflictsWith(missing, facts.dockerd)) {
			const guarded = missing.find(m => m === key);
			if (guarded !== undefined) {
				problems.push({ kind: 'flag', key: guarded, flag: flag.flag, place: placeOf(flag.name, facts.dockerd) });
			}
		}
		const bridge = ownBridge(facts, view);
		if (bridge !== undefined && missing.includes('bip')) problems.push({ kind: 'own-bridge', where: bridge });
	}

	const unseen = unseenKeys(facts);
	const declined = unseen.length > 0 && yesNoAnswer(context.answers, reformatId) === false;
	if (declined) problems.push({ kind: 'layout-declined', keys: unseen });

	const { network } = facts;
	if (missing.length > 0 && network.kind === 'unknown' && problems.length === 0) {
		problems.push({ kind: 'network-unknown', why: network.why });
	}
	if (problems.length > 0) return { kind: 'not-ready', problems };

	const used = network.kind === 'known' ? network : undefined;
	const bip = missing.includes('bip') ? used?.bip : unseen.includes('bip') ? view.bip : undefined;
	const pools = missing.includes('default-address-pools')
		? used?.pools
		: unseen.includes('default-address-pools')
			? view.pools
			: undefined;
	const registered = view.runtimes.get(runtimeName);
	const desired: DesiredDaemonJson = {
		runtime:
			registered === undefined || registered.path === formerPath ? { name: runtimeName, path: runtimePath } : undefined,
		bip,
		pools,
	};
	const flagRuntimes = valuesOf(facts.dockerd.flags, 'add-runtime').map(value => value.split('=')[0] ?? value);
	return { kind: 'ready', content, plan: planDaemonJson(currentBytes(content), desired, { flagRuntimes }) };
}

export const reformatId = 'sysbox.reformat-keys';

/** moby daemon/daemon_unix.go, verifyDaemonSettings: `bridge` and `bip` exclude each other. */
function ownBridge(facts: SysboxFacts, view: DaemonJsonView): string | undefined {
	if (flagIsGiven('bridge', facts.dockerd)) return `--bridge in ${placeOf('bridge', facts.dockerd)}`;
	return view.keys.includes('bridge') ? `"bridge" in ${facts.file.path}` : undefined;
}
