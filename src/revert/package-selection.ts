import type { Action } from '../model/action.ts';
import type { Finding } from '../model/finding.ts';
import type { EarlierPackage, PackageChanges } from '../model/package-changes.ts';
import type { RiskName } from '../model/risk.ts';
import type { UndoRecord } from '../model/undo.ts';
import type { Argv, ReadHost } from '../port/host.ts';
import { autoInstalled, installFile, simulateApt, waitForLock } from '../system/apt.ts';
import { type DebPackage, installedPackage, packagesCommand, parsePackages } from '../system/dpkg.ts';

type PackageUndo = Extract<UndoRecord, { kind: 'packages' }>;
type AptAction = Extract<Action, { kind: 'exec' }>;
type Replaced = PackageChanges['replaced'][number];

/** The packages that a run changed, as they are now. */
export interface PackageFacts {
	readonly changes: PackageChanges;
	/** Undefined: dpkg cannot be asked. */
	readonly now: readonly DebPackage[] | undefined;
	/** What the run installed, is there, and nothing else needs by now. */
	readonly toPurge: readonly string[];
	/** What the run installed and others need by now. */
	readonly needed: readonly { readonly name: string; readonly by: readonly string[] }[];
	/** Where packages are put that were fetched. */
	readonly downloads: string;
	/** Packages of earlier versions that lie on this host, by name. */
	readonly earlierFiles: ReadonlyMap<string, string>;
	readonly autoNow: ReadonlySet<string>;
}

const minutes = 60_000;

/** What all actions of a run came to: the first word on a package says what was there, the last what is. */
export function mergeChanges(undos: readonly PackageUndo[]): PackageChanges {
	const installed = new Set<string>();
	const removed = new Map<string, EarlierPackage>();
	const replaced = new Map<string, Replaced>();
	for (const { changes } of undos) {
		for (const name of changes.installed) {
			const was = removed.get(name);
			if (was === undefined) installed.add(name);
		}
		for (const was of changes.removed) if (!installed.has(was.name)) removed.set(was.name, was);
		for (const change of changes.replaced) {
			if (installed.has(change.name)) continue;
			const first = replaced.get(change.name);
			replaced.set(change.name, first === undefined ? change : { ...first, by: change.by });
		}
	}
	return { installed: [...installed], removed: [...removed.values()], replaced: [...replaced.values()] };
}

export async function inspectPackages(
	host: ReadHost,
	undos: readonly PackageUndo[],
	downloads: string,
	signal: AbortSignal,
): Promise<PackageFacts> {
	const changes = mergeChanges(undos);
	const earlier = [...changes.removed, ...changes.replaced];
	const none = {
		changes,
		downloads,
		toPurge: [],
		needed: [],
		earlierFiles: new Map<string, string>(),
		autoNow: new Set<string>(),
	};
	if (changes.installed.length + earlier.length === 0) return { ...none, now: [] };
	const names = [...changes.installed, ...earlier.map(p => p.name)];
	const now = await recordsOf(host, names, signal);
	if (now === undefined) return { ...none, now };

	const there = changes.installed.filter(name => now.some(p => p.name === name && p.state !== 'not-installed'));
	const { toPurge, needed } = await whatOthersNeed(host, there, signal);
	const stand = changes.replaced.filter(p => isAs(installedPackage(now, p.name), p.by));
	return {
		changes,
		downloads,
		now,
		toPurge,
		needed,
		earlierFiles: await findEarlier(host, stand, downloads, signal),
		autoNow: await autoInstalled(
			host,
			earlier.filter(p => p.auto).map(p => p.name),
			signal,
		),
	};
}

/** A package that was installed since can need what the run brought: it would go along. */
async function whatOthersNeed(
	host: ReadHost,
	there: readonly string[],
	signal: AbortSignal,
): Promise<Pick<PackageFacts, 'toPurge' | 'needed'>> {
	const goesWith = async (names: readonly string[]): Promise<readonly string[]> => {
		const simulation = names.length === 0 ? undefined : await simulateApt(host, 'purge', names, signal);
		return simulation?.kind === 'would' ? simulation.removes.map(step => step.name) : [];
	};
	if ((await goesWith(there)).every(name => there.includes(name))) return { toPurge: there, needed: [] };
	const removals = new Map<string, readonly string[]>();
	for (const name of there) removals.set(name, await goesWith([name]));
	// What is kept for others keeps what it needs itself.
	let toPurge = there;
	for (;;) {
		const free = toPurge.filter(name => removals.get(name)?.every(gone => toPurge.includes(gone)));
		if (free.length === toPurge.length) break;
		toPurge = free;
	}
	const needed = there
		.filter(name => !toPurge.includes(name))
		.map(name => ({ name, by: (removals.get(name) ?? []).filter(gone => gone !== name && !toPurge.includes(gone)) }));
	return { toPurge, needed };
}

/** dpkg adds its own ending to a version: `.linux`, `-0.linux`. */
const isAs = (found: DebPackage | undefined, version: string): boolean => found?.version.startsWith(version) === true;

/** Where an earlier version can lie: in apt's cache, or in the directory that packages are fetched into. */
async function findEarlier(
	host: ReadHost,
	replaced: readonly Replaced[],
	downloads: string,
	signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
	const found = new Map<string, string>();
	if (replaced.length === 0) return found;
	for (const directory of [downloads, '/var/cache/apt/archives']) {
		const listed = await host.list(directory);
		if (listed.kind !== 'names') continue;
		for (const file of listed.names) {
			const wanted = replaced.filter(p => !found.has(p.name) && file.includes(p.name) && file.endsWith('.deb'));
			if (wanted.length === 0) continue;
			const path = `${directory}/${file}`;
			const fields = await host.exec(['dpkg-deb', '--field', path, 'Package', 'Version'], {
				timeoutMs: 30_000,
				signal,
			});
			const field = (name: string) => new RegExp(`^${name}:[ \\t]*(\\S+)`, 'm').exec(fields.stdout)?.[1];
			const match = wanted.find(p => field('Package') === p.name && field('Version') === p.version);
			if (match !== undefined) found.set(match.name, path);
		}
	}
	return found;
}

export function judgePackages(facts: PackageFacts): readonly Finding[] {
	const findings: Finding[] = [];
	const { changes, now, needed, earlierFiles } = facts;
	if (now === undefined) {
		return [
			{
				id: 'revert.packages',
				severity: 'block',
				summary: 'dpkg cannot be asked which packages are installed',
				remedy: { kind: 'commands', text: 'See what it says', commands: ['dpkg --audit'] },
			},
		];
	}
	for (const { name, by } of needed) {
		findings.push({
			id: 'revert.stays',
			severity: 'warn',
			summary: `the package ${name} stays: ${by.join(', ')} needs it now, and would go along`,
			remedy: {
				kind: 'commands',
				text: 'Where neither is wanted any more, see first what would go',
				commands: [`apt-get purge --simulate ${name}`],
			},
		});
	}
	for (const change of changes.replaced) {
		const found = installedPackage(now, change.name);
		if (found === undefined || found.version === change.version || earlierFiles.has(change.name)) continue;
		findings.push({
			id: 'revert.stays',
			severity: 'warn',
			summary: `${change.name} stays at ${found.version}: it was ${change.version} before the run`,
			why: isAs(found, change.by)
				? 'the earlier package is neither in the folder of fetched packages nor in the cache of apt'
				: 'somebody has changed it since the run',
			remedy: {
				kind: 'advice',
				text: isAs(found, change.by)
					? `put the package of ${change.version} into ${facts.downloads}, and start the revert again`
					: `fetch the package of ${change.version}, and install it with --allow-downgrades when its containers may stop`,
			},
		});
	}
	return findings;
}

/**
 * What an apt that failed to purge these packages has left to do. An apt that a killed revert had started goes on by
 * itself: it can finish between the look and the next purge, and a local package that is gone is one that apt has never
 * heard of ("Unable to locate package").
 */
async function goneMeanwhile(host: ReadHost, names: readonly string[], signal: AbortSignal) {
	const there = await recordsOf(host, names, signal);
	if (there === undefined) return undefined;
	const gone = names.filter(name => !there.some(p => p.name === name && p.state !== 'not-installed'));
	if (gone.length === 0) return undefined;
	const said = `${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} gone already`;
	return gone.length === names.length
		? ({ kind: 'done', evidence: said } as const)
		: ({ kind: 'stale', said } as const);
}

/** What dpkg knows of these packages; undefined: it cannot be asked. */
async function recordsOf(
	host: ReadHost,
	names: readonly string[],
	signal: AbortSignal,
): Promise<readonly DebPackage[] | undefined> {
	const listed = await host.exec([...packagesCommand, ...names], { timeoutMs: 10_000, signal });
	// It ends with 1 when it knows none of them, and prints nothing then.
	const parsed = parsePackages(listed.stdout);
	return parsed.kind === 'ok' ? parsed.value : listed.problem === undefined ? [] : undefined;
}

const apt = (id: string, title: string, why: string, argv: Argv, more: Partial<AptAction> = {}): Action => ({
	id,
	kind: 'exec',
	title,
	why,
	argv,
	timeoutMs: 10 * minutes,
	uninterruptible: true,
	undo: { kind: 'none', why: 'start a run again to set it up again' },
	whenItFails: ['see what dpkg says (dpkg --audit), then start again'],
	...more,
});

/** Each package that the run replaced, in the version from before. */
function earlierVersions(
	{ changes, now = [], earlierFiles, downloads }: PackageFacts,
	risksOfPurge: readonly RiskName[],
	guardOf: (names: readonly string[]) => Pick<AptAction, 'guard'>,
): readonly Action[] {
	const actions: Action[] = [];
	for (const change of changes.replaced) {
		const file = earlierFiles.get(change.name);
		const found = installedPackage(now, change.name);
		if (found === undefined || found.version === change.version) continue;
		if (file === undefined) {
			// Changed by somebody else since: not this run's to take back.
			if (isAs(found, change.by))
				actions.push({
					id: `earlier.${change.name}`,
					kind: 'manual',
					title: `Bring the package of ${change.name} ${change.version}`,
					why: `${change.name} stays at ${found.version}: the earlier package is not on this host`,
					text: `put the package of ${change.name} ${change.version} into ${downloads}, and start the revert again`,
				});
			continue;
		}
		actions.push(
			apt(
				`earlier.${change.name}`,
				`Install ${change.name} ${change.version} again`,
				'it was this version before the run',
				installFile(file, { older: true, removes: false }),
				{ risks: [...new Set<RiskName>(['downgrade', ...risksOfPurge])], ...guardOf([change.name]) },
			),
		);
	}
	return actions;
}

/**
 * Purges what came, brings back what went, in that order, then the marks. Empty once it is so. `guardOf`: looks once
 * more before one of these packages goes or is replaced.
 */
export function planPackages(
	facts: PackageFacts,
	risksOfPurge: readonly RiskName[],
	guardOf: (names: readonly string[]) => Pick<AptAction, 'guard'>,
): readonly Action[] {
	const { changes, now = [], toPurge, autoNow } = facts;
	const actions: Action[] = [];
	if (toPurge.length > 0) {
		actions.push(
			apt(
				'purge-packages',
				`Remove ${toPurge.join(', ')}`,
				'the run brought exactly these, and nothing else needs them',
				['apt-get', 'purge', '-y', ...waitForLock, ...toPurge],
				{
					role: 'change-packages',
					judgeFailure: (host, signal) => goneMeanwhile(host, toPurge, signal),
					...guardOf(toPurge),
					...(risksOfPurge.length > 0 && { risks: risksOfPurge }),
				},
			),
		);
	}
	const gone = changes.removed.filter(p => installedPackage(now, p.name) === undefined);
	if (gone.length > 0) {
		actions.push(
			apt(
				'packages-back',
				`Bring ${gone.map(p => p.name).join(', ')} back`,
				`there before the run, in version ${gone.map(p => p.version).join(', ')}`,
				['apt-get', 'install', '-y', '--no-install-recommends', ...waitForLock, ...gone.map(p => p.name)],
			),
		);
	}
	actions.push(...earlierVersions(facts, risksOfPurge, guardOf));
	const toMark = [...changes.removed, ...changes.replaced]
		.filter(p => p.auto && !autoNow.has(p.name))
		.map(p => p.name)
		.filter(name => gone.some(p => p.name === name) || installedPackage(now, name) !== undefined);
	if (toMark.length > 0) {
		actions.push(
			apt('marks', `Mark ${toMark.join(', ')} as installed for other packages`, 'that is how they had come in', [
				'apt-mark',
				'auto',
				...toMark,
			]),
		);
	}
	return actions;
}
