import { followsTrouble } from '../../src/docker/daemon.ts';
import { fileProblem, positionProblem } from '../../src/docker/daemon-file.ts';
import { breaksARule, ruleFindings } from '../../src/docker/file-rules.ts';
import { knowledgeAge, latestRelease } from '../../src/knowledge/lookup.ts';
import type { Finding, Remedy } from '../../src/model/finding.ts';
import type { KnownIssue } from '../../src/model/knowledge.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import { upgradeId } from '../../src/sysbox/question-ids.ts';
import { runningUnderSysbox } from '../../src/sysbox/runtime.ts';
import { agreedVersion, allActive, describeUnits, unitsOf } from '../../src/sysbox/services.ts';
import { timeNamespaceIssue } from '../../src/sysbox/time-namespaces.ts';
import type { PackageStep } from '../../src/system/apt.ts';
import { neededIds } from '../../src/system/subordinate-ids.ts';
import { describeSystemdTrouble } from '../../src/system/systemd-units.ts';
import { compareVersions } from '../../src/system/version.ts';
import { nameSome } from '../../src/text/name-some.ts';
import { type Candidate, candidateVersion, isVouchedFor, publishedPackage } from './candidate.ts';
import { packageName } from './deb-package.ts';
import {
	decide,
	fileMistake,
	installedVersion,
	isHeld,
	isSourceBuild,
	issuesOf,
	isUsable,
	replacement,
	waitsForRestart,
	wantsReplacement,
} from './decision.ts';
import type { SysboxFacts } from './facts.ts';
import { makeReady, type NotReady, unseenKeys } from './package-keys.ts';
import { reachableFinding } from './reachable.ts';
import { activeFinding, deadContainerFindings, deadMountFindings } from './running.ts';

export function judgeSysbox(facts: SysboxFacts, context: JudgeContext): readonly Finding[] {
	const installed = facts.package.kind === 'installed' || isSourceBuild(facts);
	return [
		...inputFindings(facts, context),
		...packageFindings(facts, context),
		...candidateFindings(facts, context),
		...daemonFileFindings(facts, context),
		...(installed ? [...serviceFindings(facts), ...versionFindings(facts, context)] : []),
	];
}

/** What the operator passed: these are about the command line, and end with its exit code. */
function inputFindings(facts: SysboxFacts, context: JudgeContext): readonly Finding[] {
	const { candidate } = facts;
	if (candidate.kind === 'unusable-file') {
		return [
			candidate.needsRoot && !facts.root
				? {
						id: 'sysbox.deb-file',
						severity: 'could-not-tell',
						summary: `${candidate.path} ${candidate.problem}`,
						needsRoot: true,
					}
				: {
						id: 'input.deb-file',
						about: 'input',
						severity: 'block',
						summary: `${candidate.path} ${candidate.problem}`,
						remedy: {
							kind: 'commands',
							text: 'Pass the path of a sysbox-ce package, or leave --deb out to have it fetched',
							commands: [`${context.options.command} --deb /path/to/sysbox-ce.deb`],
						},
					},
		];
	}
	if (candidate.kind !== 'file') return [];
	const mistake = fileMistake(candidate, facts);
	if (mistake === undefined) {
		const version = candidateVersion(candidate) ?? '';
		return [{ id: 'sysbox.deb-file', severity: 'ok', summary: `${candidate.path} holds ${packageName} ${version}` }];
	}
	return [
		{
			id: 'input.deb-file',
			about: 'input',
			severity: 'block',
			summary: `${candidate.path} ${mistake}`,
			evidence: `sha256 ${candidate.sha256}`,
			remedy: {
				kind: 'commands',
				text: 'Pass the package of this architecture, or leave --deb out to have it fetched',
				commands: [`${context.options.command} --deb /path/to/sysbox-ce.deb`],
			},
		},
	];
}

function packageFindings(facts: SysboxFacts, context: JudgeContext): readonly Finding[] {
	const { package: found, candidate } = facts;
	if (isSourceBuild(facts)) {
		const path = facts.services.programs.find(p => p.path !== undefined)?.path ?? '';
		return [
			{ id: 'sysbox.installed', severity: 'ok', summary: 'Sysbox is installed, though not as a package' },
			{
				id: 'sysbox.source-build',
				severity: 'info',
				summary: `Sysbox was built from source here (${path}); it is used as it is`,
				why: 'Nothing but the one who built it can upgrade or remove it',
			},
		];
	}
	switch (found.kind) {
		case 'installed':
			return [
				{
					id: 'sysbox.installed',
					severity: 'ok',
					summary: `${packageName} ${found.record.version} is installed`,
					evidence: found.record.wanted === 'hold' ? 'dpkg holds it at this version' : undefined,
				},
			];
		case 'unfinished':
			return [halfConfigured(facts, context)];
		case 'no-dpkg':
			return [
				{
					id: 'sysbox.installed',
					severity: 'block',
					summary: 'Sysbox is not installed, and this host has no dpkg to install its package with',
					remedy: { kind: 'advice', text: 'Build Sysbox from source, or use a host of the Debian family' },
				},
			];
		case 'unknown':
			return [
				{
					id: 'sysbox.installed',
					severity: 'could-not-tell',
					summary: 'dpkg does not say whether Sysbox is installed',
					evidence: found.why,
				},
			];
		case 'absent': {
			const version = candidateVersion(candidate);
			const installs = decide(facts, context).kind === 'install' && canBeReady(facts, context);
			return [
				{
					id: 'sysbox.installed',
					severity: 'block',
					summary: 'Sysbox is not installed',
					evidence: candidate.kind === 'none' ? candidate.why : undefined,
					remedy: installs
						? { kind: 'planned', text: `Version ${version ?? ''} is installed; no container is touched` }
						: { kind: 'advice', text: 'It can be installed once what else is named here is put right' },
				},
			];
		}
		default:
			return found satisfies never;
	}
}

/** Ready, or kept from it by nothing but this user's lack of rights: what a run as root would do is no mystery then. */
function canBeReady(facts: SysboxFacts, context: JudgeContext): boolean {
	const ready = makeReady(facts, context);
	if (breaksARule(facts)) return false;
	if (ready.kind === 'ready') return ready.plan.kind !== 'refused';
	const { content } = facts.file;
	const fileDenied = content.kind === 'unreadable' && content.problem.kind === 'denied';
	return (
		!facts.root &&
		ready.problems.every(problem => problem.kind === 'network-unknown' || (problem.kind === 'file' && fileDenied))
	);
}

function halfConfigured(facts: SysboxFacts, context: JudgeContext): Finding {
	const record = facts.package.kind === 'unfinished' ? facts.package.record : undefined;
	const { kind } = decide(facts, context);
	const ends = kind !== 'leave' && canBeReady(facts, context);
	return {
		id: 'sysbox.half-configured',
		severity: 'block',
		summary: `dpkg did not finish with ${packageName} ${record?.version ?? ''}: it is ${record?.state ?? 'unknown'}`,
		why: 'Until it is finished, every other use of apt on this host tries it again and fails',
		remedy: ends
			? {
					kind: 'planned',
					text: `daemon.json is made ready for it, then ${kind === 'install' ? 'the package is installed in its place' : 'dpkg goes on'}`,
				}
			: kind === 'leave' && isHeld(facts) && isUsable(facts)
				? releaseHold
				: { kind: 'commands', text: 'Let dpkg finish, or see why it cannot', commands: ['dpkg --configure -a'] },
	};
}

const releaseHold: Remedy = {
	kind: 'commands',
	text: 'dpkg holds it at this version; release it, then start this again',
	commands: [`apt-mark unhold ${packageName}`],
};

/** What would be installed: its digest, what comes with it, whether it is newer. */
function candidateFindings(facts: SysboxFacts, context: JudgeContext): readonly Finding[] {
	const { candidate, simulation } = facts;
	const findings: Finding[] = [];
	const used = decide(facts, context).kind;
	if (candidate.kind === 'release' && facts.reachable !== undefined)
		findings.push(reachableFinding(candidate.package.url, facts.reachable));
	if (used === 'install' || used === 'replace') {
		const digest = digestFinding(candidate);
		if (digest !== undefined) findings.push(digest);
	}
	if (simulation?.kind === 'refuses') {
		findings.push({
			id: 'sysbox.dependencies',
			severity: facts.package.kind === 'installed' ? 'warn' : 'block',
			summary: 'apt cannot install the package and what it depends on',
			evidence: simulation.said,
			remedy: {
				kind: 'commands',
				text: 'Put apt right first',
				commands: ['apt-get update', 'apt-get --fix-broken install'],
			},
		});
	} else if (simulation?.kind === 'would' && (used === 'install' || used === 'replace')) {
		const { removes, upgrades } = simulation;
		if (removes.length + upgrades.length > 0) {
			findings.push({
				id: 'sysbox.other-packages',
				severity: 'warn',
				summary: `Installing it ${describeOthers(removes, upgrades)}`,
				why: 'Other programs on this host may depend on them; it is done only if you accept other-packages by name',
			});
		}
	}
	return findings;
}

function digestFinding(candidate: Candidate): Finding | undefined {
	if (candidate.kind !== 'file' && candidate.kind !== 'release') return undefined;
	const published = publishedPackage(candidate);
	const sha256 = candidate.kind === 'file' ? candidate.sha256 : candidate.package.sha256;
	if (published === undefined || !isVouchedFor(published)) {
		return {
			id: 'sysbox.deb-digest',
			severity: 'warn',
			summary: `Nobody vouches for ${candidate.kind === 'file' ? candidate.path : candidate.package.url}`,
			evidence: `sha256 ${sha256}; no published package in the table has it`,
			why: 'Its scripts run as root; it is used only if you accept unverified-deb by name',
		};
	}
	return {
		id: 'sysbox.deb-digest',
		severity: published.provenance.startsWith('vendor:') ? 'ok' : 'info',
		summary: `The digest of the package is known from ${published.provenance.replace(/:.*/s, '')}`,
		evidence: `sha256 ${sha256}; ${published.provenance}`,
	};
}

const namesOf = (steps: readonly PackageStep[]): readonly string[] => steps.map(step => step.name);

export function describeOthers(removes: readonly PackageStep[], upgrades: readonly PackageStep[]): string {
	const parts = [
		removes.length > 0 ? `removes ${nameSome(namesOf(removes), 8)}` : '',
		upgrades.length > 0 ? `changes ${nameSome(namesOf(upgrades), 8)}` : '',
	];
	return parts.filter(part => part !== '').join(' and ');
}

/** Whether the package's scripts would leave daemon.json, and Docker, alone. */
function daemonFileFindings(facts: SysboxFacts, context: JudgeContext): readonly Finding[] {
	const findings: Finding[] = [];
	const broken = fileProblem(facts.file);
	if (broken !== undefined) findings.push(broken);
	const touched = comparison(facts, context);
	if (touched !== undefined) findings.push(touched);
	// Only a script of the package that is about to run makes the rest matter.
	if (decide(facts, context).kind === 'leave') return findings;

	findings.push(...ruleFindings(facts));
	const ready = makeReady(facts, context);
	if (ready.kind === 'not-ready') {
		findings.push(...ready.problems.flatMap(problem => notReady(problem, facts)));
	} else if (ready.plan.kind === 'refused') {
		findings.push(positionProblem(facts.file.path, ready.plan.problem));
	} else {
		findings.push(guardFinding(facts, ready.plan.kind === 'unchanged'));
	}
	return findings;
}

function guardFinding(facts: SysboxFacts, unchanged: boolean): Finding {
	const unseen = unseenKeys(facts);
	if (unseen.length > 0) {
		return {
			id: 'sysbox.package-guard',
			severity: 'warn',
			summary: `${nameSome(unseen)} in ${facts.file.path} would not be seen by the package's installer`,
			why: 'It looks for them with spaces before the key and one key a line, and refuses to install beside containers otherwise',
			remedy: { kind: 'planned', text: 'Only the layout of these keys changes, not their values' },
		};
	}
	return unchanged
		? {
				id: 'sysbox.package-guard',
				severity: 'ok',
				summary: `${facts.file.path} already holds all that the package would write`,
			}
		: {
				id: 'sysbox.package-guard',
				severity: 'info',
				summary: `The package would change ${facts.file.path} and restart Docker on its own`,
				why: 'It adds the runtime and addresses of its own choice, and refuses where containers exist',
				remedy: { kind: 'planned', text: 'The same keys are written first, with the addresses in use now' },
			};
}

function notReady(problem: NotReady, facts: SysboxFacts): readonly Finding[] {
	const { path } = facts.file;
	const guard = (summary: string, why: string, remedy: Finding['remedy']): readonly Finding[] => [
		{ id: 'sysbox.package-guard', severity: 'block', summary, why, remedy },
	];
	switch (problem.kind) {
		case 'flag':
			return guard(
				`Docker gets ${problem.key} from ${problem.flag} in ${problem.place}, where the package does not look`,
				`The package would add ${problem.key} to ${path}, and Docker does not start with the same setting in both places`,
				{
					kind: 'commands',
					text: `Move the setting from the flag to "${problem.key}" in ${path} at a quiet time, then start Docker with it`,
					commands: ['systemctl edit --full docker.service', `sudoedit ${path}`, 'systemctl restart docker'],
				},
			);
		case 'own-bridge':
			return guard(
				`Docker uses a bridge of your own (${problem.where}), which the package does not know`,
				`The package would add "bip" to ${path}, and Docker does not start with both: they exclude each other`,
				{
					kind: 'advice',
					text: 'Let Docker make its own bridge, with "bip" as its address, or build Sysbox from source',
				},
			);
		case 'layout-declined':
			return guard(
				`${nameSome(problem.keys)} in ${path} cannot be seen by the package's installer`,
				'It refuses to install beside existing containers unless each key stands on its own line behind spaces',
				{ kind: 'advice', text: 'Answer sysbox.reformat-keys with yes, or lay the lines out by hand' },
			);
		case 'network-unknown':
			return [
				{
					id: 'sysbox.docker-answers',
					severity: facts.root ? 'block' : 'could-not-tell',
					summary: `Docker's own addresses cannot be read: ${problem.why}`,
					why: 'Without them the package would give Docker other ones and restart it',
					needsRoot: !facts.root ? true : undefined,
					...(facts.docker.info.kind !== 'ok' && followsTrouble(facts.docker.info)),
					remedy:
						facts.docker.info.kind === 'denied'
							? { kind: 'advice', text: 'Look again as root: this user may not ask Docker' }
							: { kind: 'commands', text: 'Start Docker first', commands: ['systemctl status docker'] },
				},
			];
		case 'file':
			// The file's own finding says it already.
			return [];
		default:
			return problem satisfies never;
	}
}

/** After an installation: did the package's scripts leave the file as this run wrote it? */
function comparison(facts: SysboxFacts, { state }: JudgeContext): Finding | undefined {
	const installedAt = state.actions.findLast(
		a => a.step === 'sysbox' && (a.id === 'install' || a.id === 'configure') && a.outcome === 'done',
	);
	const written = state.actions.findLast(a => a.undo.kind === 'file' && a.undo.path === facts.file.path);
	if (installedAt === undefined || written?.undo.kind !== 'file' || written.outcome !== 'done') return undefined;
	const wrote = written.undo.after;
	const found = facts.file.content.kind === 'read' ? facts.file.content.sha256 : undefined;
	const id = 'sysbox.daemon-json-untouched';
	return found === wrote
		? { id, severity: 'ok', summary: `The package left ${facts.file.path} as it was written` }
		: {
				id,
				severity: 'warn',
				summary: `${facts.file.path} is no longer as this run wrote it`,
				evidence: `sha256 ${found ?? `none (${facts.file.content.kind})`}, written as ${wrote ?? 'none'}`,
				why: 'The package, or somebody else, has changed it since; a revert would not overwrite that',
				remedy: { kind: 'advice', text: 'Look at the file: the next steps go on from what it says now' },
			};
}

function serviceFindings(facts: SysboxFacts): readonly Finding[] {
	const { services } = facts;
	const findings: Finding[] = [];
	const version = agreedVersion(services.programs);
	findings.push(
		version.kind === 'agreed'
			? { id: 'sysbox.versions-agree', severity: 'ok', summary: `All three programs are of version ${version.version}` }
			: {
					id: 'sysbox.versions-agree',
					severity: 'block',
					summary:
						version.kind === 'differ'
							? 'The programs of Sysbox are of different versions'
							: 'Not every program of Sysbox says its version',
					evidence: version.said,
					why: 'They speak to each other in a protocol that changes between versions',
					remedy: isSourceBuild(facts)
						? { kind: 'advice', text: 'Install all three from one build, at a time when no Sysbox container runs' }
						: {
								kind: 'commands',
								text: 'Install the package again, at a time when no Sysbox container runs',
								commands: [`apt-get install --reinstall /path/to/${packageName}.deb`],
							},
				},
	);
	if (services.units.kind !== 'ok') {
		const why = describeSystemdTrouble(services.units);
		findings.push({ id: 'sysbox.units-active', severity: 'could-not-tell', summary: why });
		return [...findings, ...socketFindings(facts), idsFinding(facts)];
	}
	const units = unitsOf(services);
	const masked = units.filter(u => u?.loadState === 'masked');
	const gone = units.some(u => u === undefined || u.loadState === 'not-found');
	if (masked.length > 0) {
		findings.push({
			id: 'sysbox.units-active',
			severity: 'block',
			breaks: true,
			summary: `${nameSome(masked.map(u => u?.id ?? ''))} is masked: somebody keeps Sysbox from starting`,
			remedy: {
				kind: 'commands',
				text: 'Ask why, then allow it again',
				commands: [`systemctl unmask ${masked.map(u => u?.id).join(' ')}`],
			},
		});
	} else if (gone) {
		findings.push({
			id: 'sysbox.units-active',
			severity: isSourceBuild(facts) ? 'warn' : 'block',
			breaks: !isSourceBuild(facts) ? true : undefined,
			summary: 'Sysbox has no units in systemd, so nothing starts it at boot',
			evidence: describeUnits(services),
			remedy: { kind: 'advice', text: 'Install its units, or start both daemons before Docker in another way' },
		});
	} else {
		findings.push(activeFinding(facts), enabledFinding(facts));
	}
	return [
		...findings,
		...socketFindings(facts),
		...deadContainerFindings(facts),
		...deadMountFindings(facts),
		idsFinding(facts),
	];
}

function enabledFinding({ services }: SysboxFacts): Finding {
	const disabled = unitsOf(services).filter(u => u?.unitFileState === 'disabled');
	return disabled.length === 0
		? { id: 'sysbox.units-enabled', severity: 'ok', summary: 'Sysbox starts at boot' }
		: {
				id: 'sysbox.units-enabled',
				severity: 'warn',
				summary: `${nameSome(disabled.map(u => u?.id ?? ''))} would not start at the next boot`,
				why: 'After a reboot no Sysbox container would start',
				remedy: { kind: 'planned', text: 'The units are enabled' },
			};
}

function socketFindings(facts: SysboxFacts): readonly Finding[] {
	if (!allActive(facts.services)) return [];
	const denied = facts.services.sockets.filter(s => s.state === 'denied');
	const missing = facts.services.sockets.filter(s => s.state === 'missing' || s.state === 'not-a-socket');
	const id = 'sysbox.sockets';
	if (missing.length > 0) {
		return [
			{
				id,
				severity: 'block',
				breaks: true,
				summary: `The services run, but nothing listens at ${nameSome(missing.map(s => s.path))}`,
				why: 'Every Sysbox container is created through these sockets',
				remedy: { kind: 'planned', text: 'Sysbox is restarted, once you accept restart-sysbox by name' },
			},
		];
	}
	if (denied.length > 0) {
		return [
			{ id, severity: 'could-not-tell', summary: 'Only root may look at the sockets of Sysbox', needsRoot: true },
		];
	}
	return [{ id, severity: 'ok', summary: 'Sysbox listens on all its sockets' }];
}

/** What sysbox-mgr does with the two files was seen with Sysbox 0.7.0; it reads them only when it starts. */
function idsFinding(facts: SysboxFacts): Finding {
	const { ids, liveness, subuid, subgid } = facts;
	const id = 'sysbox.subid';
	const files = '/etc/subuid and /etc/subgid';
	const rewritten = 'sysbox-mgr rewrites both files to one range of 65536 ids when it starts next';
	const fatal = (summary: string, evidence: string): Finding => ({
		id,
		severity: 'block',
		breaks: true,
		summary,
		evidence,
		why: 'sysbox-mgr reads both files when it starts, and does not start with these: "could not find matching subuid and subgids range for user sysbox"',
		remedy: {
			kind: 'commands',
			text: 'Remove the lines of the user sysbox from both files: sysbox-mgr writes them when it starts next',
			commands: ["sed -i '/^sysbox:/d' /etc/subuid /etc/subgid"],
		},
	});
	const garbage = [
		...(subuid?.strangers ?? []).map(line => ({ ...line, file: '/etc/subuid' })),
		...(subgid?.strangers ?? []).map(line => ({ ...line, file: '/etc/subgid' })),
	].filter(({ text }) => text.startsWith('sysbox:'));
	if (garbage.length > 0)
		return fatal(
			`${nameSome(garbage.map(({ file, line }) => `${file}:${line}`))} ${garbage.length === 1 ? 'is' : 'are'} not START:COUNT`,
			garbage.map(({ text }) => text).join(', '),
		);
	const [used] = liveness.usedIds ?? [];
	switch (ids.kind) {
		case 'one':
			if (used !== undefined && used.outside !== ids.start)
				return {
					id,
					severity: 'info',
					summary: `Sysbox containers are mapped to the ids from ${used.outside} on; ${files} say ${ids.start}, which takes effect at the next start of Sysbox`,
				};
			if (ids.count !== neededIds)
				return { id, severity: 'info', summary: `The user sysbox has ${ids.count} ids in ${files}`, why: rewritten };
			return {
				id,
				severity: 'ok',
				summary:
					used === undefined
						? `${files} give Sysbox the ids from ${ids.start} on (${ids.count} of them)`
						: `Sysbox containers are mapped to the ids from ${ids.start} on (${ids.count} of them)`,
			};
		case 'none':
			return { id, severity: 'info', summary: `The user sysbox has no ids in ${files}`, why: rewritten };
		case 'duplicate':
			return {
				id,
				severity: 'info',
				summary: `The user sysbox has more than one line in /etc/${ids.file}`,
				evidence: ids.lines.map(line => `/etc/${ids.file}:${line}`).join(', '),
				why: rewritten,
			};
		case 'mismatch':
			return fatal(
				`${files} give the user sysbox different ids`,
				[...ids.uid.map(r => `subuid ${r.start}:${r.count}`), ...ids.gid.map(r => `subgid ${r.start}:${r.count}`)].join(
					', ',
				),
			);
		case 'too-small':
			return { id, severity: 'info', summary: `The user sysbox has only ${ids.count} ids in ${files}`, why: rewritten };
		case 'unreadable':
			return { id, severity: 'could-not-tell', summary: `${files} cannot be read` };
		default:
			return ids satisfies never;
	}
}

function versionFindings(facts: SysboxFacts, context: JudgeContext): readonly Finding[] {
	const issues = issuesOf(facts, context);
	const decision = decide(facts, context);
	// What the version that takes its place has as well, stays.
	const stays = new Set(decision.kind === 'replace' ? issuesOf(facts, context, decision.to).map(i => i.id) : []);
	const findings: Finding[] = issues.map(issue => ({
		id: `sysbox.known-issues.${issue.id}`,
		severity: issue.severity,
		summary: issue.title,
		knownIssue: issue.title,
		evidence: `${versionsSeen(facts)}; ${issue.source}`,
		why: issue.consequence,
		...(issue.id === timeNamespaceIssue
			? timeNamespaceState(facts, issue)
			: issue.severity === 'block' && { breaks: true as const }),
		remedy:
			decision.kind === 'replace' && !stays.has(issue.id)
				? { kind: 'planned', text: `Sysbox is replaced by ${decision.to}` }
				: waitsForRestart(issue, facts)
					? {
							kind: 'commands',
							text: 'Restart Docker at a quiet time, or answer docker.restart with yes: a reload is not enough',
							commands: ['systemctl restart docker'],
						}
					: { kind: 'advice', text: issue.remedy },
	}));
	if (issues.length === 0) {
		findings.push({ id: 'sysbox.known-issues', severity: 'ok', summary: 'No known issue concerns this version here' });
	}
	const outdated = outdatedFinding(facts, context);
	return outdated === undefined ? findings : [...findings, outdated];
}

/** By what the daemon has loaded. The file alone proves nothing: dockerd reads this setting only when it starts. */
function timeNamespaceState(facts: SysboxFacts, issue: KnownIssue): Partial<Finding> {
	const { file, loaded, seen } = facts.timeNamespaces;
	const evidence = `${versionsSeen(facts)}; ${seen}; ${issue.source}`;
	if (loaded === 'off') {
		return {
			severity: 'warn',
			summary: 'The next start of Docker gives containers a time namespace, which this Sysbox does not know',
			evidence,
			why: 'From then on every Sysbox container fails to start: namespace {"time" ""} does not exist',
		};
	}
	if (file === 'on') return { evidence, breaks: true };
	// The restart that ends it is the work of a later step, which this one must not keep from it.
	return loaded === 'on'
		? {
				severity: 'warn',
				summary: 'Time namespaces are switched off in the file, and Docker still gives them to containers',
				evidence,
				breaks: true,
			}
		: {
				severity: 'could-not-tell',
				summary: 'Time namespaces are switched off in the file; whether Docker has loaded that is not known',
				evidence,
			};
}

/** The versions that an issue is about, as they are here. */
function versionsSeen(facts: SysboxFacts): string {
	const docker = facts.docker.info.kind === 'ok' ? facts.docker.info.value.serverVersion : '?';
	return `Sysbox ${installedVersion(facts) ?? '?'} (installed), Docker ${docker}, kernel ${facts.kernel ?? '?'}`;
}

function outdatedFinding(facts: SysboxFacts, context: JudgeContext): Finding | undefined {
	const installed = installedVersion(facts);
	const latest = latestRelease(context.knowledge);
	if (installed === undefined || latest === undefined) return undefined;
	const id = 'sysbox.outdated';
	if (compareVersions(installed, latest.version) >= 0) {
		const age = knowledgeAge(context.knowledge, context.now);
		return age.stale
			? {
					id,
					severity: 'could-not-tell',
					summary: `Whether there is a newer Sysbox than ${installed} is not known: the table is ${age.days} days old`,
				}
			: { id, severity: 'ok', summary: `${installed} is the newest release that is known` };
	}
	const remedy = upgradeRemedy(facts, context, latest.version);
	// An older release alone is no work; one with open vulnerabilities is, until it is upgraded or waived.
	const isOpen = issuesOf(facts, context).some(({ cves }) => cves !== undefined);
	return {
		id,
		severity: 'warn',
		needs: isOpen && remedy.kind !== 'planned' ? ('operator' as const) : undefined,
		summary: `Sysbox ${installed} is older than ${latest.version} of ${latest.date}`,
		remedy,
	};
}

/** The answer `sysbox.upgrade` does something only where there is a package that could take the place of this one. */
function upgradeRemedy(facts: SysboxFacts, context: JudgeContext, latest: string): NonNullable<Finding['remedy']> {
	if (isSourceBuild(facts))
		return {
			kind: 'advice',
			text: `Build ${latest} from source where this one was built, and install it in its place`,
		};
	if (isHeld(facts)) return releaseHold;
	const offer = replacement(facts);
	if (offer === undefined) {
		const { candidate, simulation } = facts;
		return {
			kind: 'advice',
			text:
				candidate.kind === 'none'
					? `There is nothing to upgrade to: ${candidate.why}`
					: simulation?.kind === 'refuses'
						? 'Fix sysbox.dependencies first: apt cannot install the package'
						: 'Pass a newer package with --deb',
		};
	}
	const users = runningUnderSysbox(facts.docker).map(c => c.name);
	const breaks =
		users.length > 0 ? `; ${nameSome(users)} ${users.length === 1 ? 'is' : 'are'} stopped first and started again` : '';
	if (wantsReplacement(facts, context))
		return { kind: 'planned', text: `It is ${offer.older ? 'replaced by' : 'upgraded to'} ${offer.to}${breaks}` };
	return {
		kind: 'commands',
		text: `Upgrade at a quiet time: answer ${upgradeId} with yes${breaks}`,
		// As they can be typed: the answer, and every risk that the plan will ask for.
		commands: [
			"printf 'version: 1\\nsysbox:\\n  upgrade: true\\n' > upgrade.yml",
			[
				`${context.options.command} --yes --answers upgrade.yml --accept-risk restart-sysbox`,
				...(users.length > 0 ? ['--accept-risk stop-containers'] : []),
			].join(' '),
		],
	};
}
