import type { Container } from '../../src/docker/container.ts';
import { expectedOf } from '../../src/docker/daemon-file.ts';
import { breaksARule } from '../../src/docker/file-rules.ts';
import { canValidate, validateCandidate } from '../../src/docker/validation.ts';
import { type Action, emptyPlan, type Plan, type ReadinessState } from '../../src/model/action.ts';
import { describeImpact, type Impact } from '../../src/model/impact.ts';
import { yesNoAnswer } from '../../src/model/question.ts';
import type { RiskName } from '../../src/model/risk.ts';
import type { JudgeContext } from '../../src/model/step.ts';
import type { Undo } from '../../src/model/undo.ts';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import {
	impactOfSysboxStop,
	noSysboxContainerRuns,
	reviveByHand,
	startAfterFailure,
	startSysboxContainers,
	stopId,
	stopNotes,
	stopSysboxContainers,
} from '../../src/sysbox/containers.ts';
import { upgradeId } from '../../src/sysbox/question-ids.ts';
import { runningUnderSysbox, type StoppedContainer } from '../../src/sysbox/runtime.ts';
import { allActive, inspectServices, notServing, unitsOf } from '../../src/sysbox/services.ts';
import type { PackageStep } from '../../src/system/apt.ts';
import { installFile } from '../../src/system/apt.ts';
import { sysctlUndo } from '../../src/system/sysctl-value.ts';
import { inspectUnits, unitNamed } from '../../src/system/systemd-units.ts';
import { sysboxUnits, whyUnitsFailed } from '../../src/system/unit-failure.ts';
import { compareVersions } from '../../src/system/version.ts';
import { nameSome } from '../../src/text/name-some.ts';
import {
	type Candidate,
	candidateFile,
	candidateVersion,
	downloadsDirectory,
	isVouchedFor,
	largestPackage,
	publishedPackage,
} from './candidate.ts';
import { inspectPackage, packageName } from './deb-package.ts';
import { type Decision, decide, isSourceBuild, issuesOf } from './decision.ts';
import type { SysboxFacts } from './facts.ts';
import { describeOthers } from './judge.ts';
import { makeReady, type Readiness } from './package-keys.ts';
import { deadMountsOf } from './running.ts';

const minutes = 60_000;

/**
 * sysbox-fs misses its start about once in twenty times, and did so twice in a row (seen with Sysbox 0.7.0). Only such a
 * miss is worth another start. The journal of the unit that failed tells the cause of each attempt.
 */
const startsAgain = {
	retries: 2,
	retryWhen: async (host: ReadHost, signal: AbortSignal): Promise<boolean> => {
		const unit = unitNamed(await inspectUnits(host, ['sysbox-fs.service'], signal), 'sysbox-fs');
		return unit?.activeState === 'failed' && unit.result === 'timeout';
	},
	explain: (host: ReadHost, signal: AbortSignal, since: Date) => whyUnitsFailed(host, sysboxUnits, since, signal),
};

/** An apt that a killed run of ours had started goes on by itself, and dpkg has no way to wait for its lock. */
const waitsForDpkg = {
	retryWhile: { says: /lock was locked by|is locked by another process/, everyMs: 2_000, deadlineMs: 5 * minutes },
};

const restartId = 'restart';

type UsableCandidate = Extract<Candidate, { kind: 'file' | 'release' }>;

export function planSysbox(facts: SysboxFacts, context: JudgeContext): Plan {
	const rest = planWithContainers(facts, context);
	const dead = facts.services.units.kind === 'ok' ? deadMountsOf(facts) : [];
	const [first] = dead;
	if (first === undefined) return rest;
	const unmount: Action = {
		id: 'unmount-dead',
		kind: 'exec',
		title: `Unmount ${dead.length === 1 ? 'a dead mount' : `${dead.length} dead mounts`} of sysbox-fs`,
		why: 'the sysbox-fs that served it is gone: its container does not start until then, and df fails',
		argv: ['umount', '-l', ...dead],
		timeoutMs: minutes,
		undo: { kind: 'none', why: 'nothing is stored in it' },
	};
	return { ...rest, actions: [unmount, ...rest.actions] };
}

function planWithContainers(facts: SysboxFacts, context: JudgeContext): Plan {
	const plan = planPackage(facts, context);
	// Behind a start of Sysbox everything that this run stopped is started; without one it was tried already.
	if (plan.actions.some(a => a.id === start.id || a.id === restartId || a.id === 'configure'))
		return { ...plan, actions: [...plan.actions, ...startSysboxContainers(toStart(facts, plan))] };
	if (facts.notBack.length === 0) return plan;
	const owed = facts.startTried
		? facts.notBack.map(left => reviveByHand(left, facts.badMounts))
		: startSysboxContainers(facts.notBack.map(({ container }) => container));
	return { ...plan, actions: [...plan.actions, ...owed] };
}

/** What the plan stops, and what this run stopped earlier and has not brought back. */
function toStart(facts: SysboxFacts, plan: Plan): readonly (Container | StoppedContainer)[] {
	const stops = plan.actions.some(a => a.id === stopId) ? runningUnderSysbox(facts.docker) : [];
	return [
		...stops,
		...facts.notBack
			.filter(({ container, running }) => !running && !stops.some(c => c.id === container.id))
			.map(n => n.container),
	];
}

/** What a run that does not finish this step still starts again. */
export const owedContainers = (facts: SysboxFacts): readonly Action[] =>
	startAfterFailure(
		facts.startTried ? [] : facts.notBack.filter(({ running }) => !running).map(({ container }) => container),
	).map(action => ({
		...action,
		givesBack: true as const,
	}));

function planPackage(facts: SysboxFacts, context: JudgeContext): Plan {
	const decision = decide(facts, context);
	if (decision.kind === 'leave') return planServices(facts, context);
	const ready = makeReady(facts, context);
	if (ready.kind !== 'ready' || ready.plan.kind === 'refused' || breaksARule(facts)) return emptyPlan;

	const { candidate } = facts;
	const prepared = prepareFile(facts, ready);
	const fileBack = restoreAfterFailure(facts, prepared, context);
	const actions: Action[] = [];
	const keys = ready.plan.kind === 'edited' ? ready.plan.keys : [];
	if (decision.kind === 'configure') {
		actions.push(...prepared, ...downWithConsent(facts, configure, fileBack));
	} else if (candidate.kind === 'file' || candidate.kind === 'release') {
		// The package is here and verified before anything of the host is changed for it.
		actions.push(...fetchPackage(candidate, facts, context), ...prepared);
		const action = install(facts, candidate, decision, context);
		actions.push(
			...(facts.package.kind === 'absent'
				? [fileBack.length === 0 ? action : { ...action, rollback: fileBack }]
				: downWithConsent(facts, action, fileBack)),
		);
	} else {
		return emptyPlan;
	}
	actions.push({ ...start, serves: decision.kind === 'configure' ? configure.id : 'install' });
	return { actions, impact: impactOf(facts, decision, keys, context) };
}

/**
 * An action that takes Sysbox down, behind the stop of what runs under Sysbox. When it fails, Sysbox is started if it can
 * be, and the containers with it: a package that does not install must not leave them down.
 */
function downWithConsent(facts: SysboxFacts, action: Action, fileBack: readonly Action[]): readonly Action[] {
	const users = runningUnderSysbox(facts.docker);
	if (users.length === 0)
		return [{ ...action, guard: noSysboxContainerRuns, ...(fileBack.length > 0 && { rollback: fileBack }) }];
	const { risks: _, waitUntil: __, ...startQuietly } = start;
	return [
		...stopSysboxContainers(users),
		{
			...action,
			risks: [...new Set([...(action.risks ?? []), 'restart-sysbox' as const])],
			guard: noSysboxContainerRuns,
			rollback: [...fileBack, startQuietly, ...startAfterFailure(users)],
		},
	];
}

/**
 * Without the package its keys do harm: the next start of Docker would move docker0 and register a runtime that is not
 * there. Also for a file that an earlier process of this run wrote.
 */
function restoreAfterFailure(
	{ file, package: { kind } }: SysboxFacts,
	prepared: readonly Action[],
	{ state }: JudgeContext,
): readonly Action[] {
	const wrote =
		prepared.some(action => action.id === fileId) ||
		state.actions.some(({ step, id, outcome }) => step === 'sysbox' && id === fileId && outcome === 'done');
	if (!wrote || kind === 'installed') return [];
	return [
		{
			id: `${fileId}-back`,
			kind: 'restore',
			title: `Restore the earlier ${file.path}`,
			why: 'without the package, Docker would move its bridge at its next start and list a runtime that is not there',
			path: file.path,
		},
	];
}

const fileId = 'daemon-json';

/** Everything that the package would write, in one diff, before its scripts run. */
function prepareFile(facts: SysboxFacts, ready: Extract<Readiness, { kind: 'ready' }>): readonly Action[] {
	const { content, plan } = ready;
	if (plan.kind !== 'edited') return [];
	const actions: Action[] = [];
	if (content.kind === 'missing' && content.directory === 'missing') {
		const directory = facts.file.path.slice(0, facts.file.path.lastIndexOf('/'));
		actions.push({
			id: 'docker-folder',
			serves: fileId,
			kind: 'make-folder',
			title: `Make the folder ${directory}`,
			why: "Docker's configuration goes there",
			path: directory,
			mode: 0o755,
		});
	}
	const validates = canValidate(facts.validation);
	actions.push({
		id: fileId,
		role: 'configure-docker',
		kind: 'write',
		title: `Write ${facts.file.path} (${nameSome([...plan.keys, ...plan.relaid])})`,
		why: 'the package then finds them as it wants them, changes nothing and restarts nothing; the addresses are those in use now',
		path: facts.file.path,
		bytes: plan.bytes,
		mode: 0o644,
		expect: expectedOf(content),
		before: content.kind === 'read' ? content.text : undefined,
		validateWith: validates ? validateCandidate(facts.file.path, facts.dockerd) : undefined,
	});
	return actions;
}

function fetchPackage(
	candidate: UsableCandidate,
	{ reachable }: SysboxFacts,
	{ options }: JudgeContext,
): readonly Action[] {
	if (candidate.fetched) return [];
	const actions: Action[] = [];
	if (!candidate.directoryExists) {
		actions.push({
			id: 'downloads-folder',
			serves: 'install',
			kind: 'make-folder',
			title: 'Make a folder for the package',
			why: 'only root may read or write in it, so nobody can exchange the package before apt reads it',
			path: downloadsDirectory(options),
			mode: 0o700,
		});
	}
	const { target: to } = candidate;
	actions.push(
		candidate.kind === 'release'
			? {
					id: 'download',
					serves: 'install',
					kind: 'download',
					with: reachable?.kind === 'no-curl' ? 'apt-helper' : 'curl',
					title: `Fetch ${packageName} ${candidate.release.version}`,
					why: `its sha256 must be the one that is known from ${candidate.package.provenance}`,
					url: candidate.package.url,
					to,
					sha256: candidate.package.sha256,
					maxBytes: largestPackage,
				}
			: {
					id: 'copy',
					serves: 'install',
					kind: 'copy',
					title: `Copy ${candidate.path} to where only root can exchange it`,
					why: 'apt then reads the very bytes that were looked at: the sha256 of the copy has to be the same',
					from: candidate.path,
					to,
					sha256: candidate.sha256,
					maxBytes: largestPackage,
				},
	);
	return actions;
}

function install(
	facts: SysboxFacts,
	candidate: UsableCandidate,
	decision: Decision,
	{ answers }: JudgeContext,
): Action {
	const { simulation } = facts;
	const removes = simulation?.kind === 'would' ? simulation.removes : [];
	const upgrades = simulation?.kind === 'would' ? simulation.upgrades : [];
	const installs = simulation?.kind === 'would' ? simulation.installs : [];
	const version = candidateVersion(candidate) ?? '';
	const replaced = decision.kind === 'replace' ? decision : undefined;
	const older = replaced?.older === true || isOlderThanUnfinished(facts, version);
	// apt does not unpack the version again that dpkg is not through with: it only configures it. Any other it does, with
	// what that depends on (both seen with apt 3.0).
	const sameAgain = facts.package.kind === 'unfinished' && facts.package.record.version === version;
	const argv: Argv = sameAgain
		? ['dpkg', '--install', '--force-confold', candidateFile(candidate)]
		: installFile(candidateFile(candidate), { older, removes: removes.length > 0 });
	const raised = raisedLimits(facts);
	const risks = risksOfInstall(facts, candidate, older, removes.length + upgrades.length > 0);
	return {
		id: 'install',
		kind: 'exec',
		title:
			replaced === undefined
				? `Install ${packageName} ${version} (with the user sysbox${raised.length === 0 ? '' : `; raises ${raised.length} kernel limit${raised.length === 1 ? '' : 's'}`})`
				: `Replace ${packageName} ${replaced.from} by ${version}`,
		why: whyInstall(replaced?.from, candidate, answers),
		argv,
		timeoutMs: 15 * minutes,
		uninterruptible: true,
		// Its script starts the services, and fails with them when sysbox-fs misses its 10 s.
		...startsAgain,
		...(sameAgain && waitsForDpkg),
		whenItFails: [
			...(sameAgain ? ['if it lacks what it depends on, let apt install that (apt-get --fix-broken install)'] : []),
			'see what dpkg and the services say (dpkg --audit, journalctl -u sysbox -n 50), then start again',
		],
		...(risks.length > 0 && { risks }),
		touches: [
			'adds the user sysbox and its ids in /etc/subuid and /etc/subgid',
			'adds the services sysbox, sysbox-mgr and sysbox-fs, and starts them',
			...(raised.length === 0
				? []
				: [
						`raises limits of the kernel (/lib/sysctl.d/99-sysbox-sysctl.conf): ${raised.map(({ name, value, raisedTo }) => `${name} from ${value} to ${raisedTo}`).join(', ')}`,
					]),
			...(installs.length > 0
				? [
						`as things stand, apt installs ${nameSome(namesOf(installs), 8)} with it (fewer once earlier steps are done)`,
					]
				: []),
			...(removes.length + upgrades.length > 0 ? [describeOthers(removes, upgrades)] : []),
		],
		waitUntil: {
			what: `dpkg has finished with ${packageName}`,
			deadlineMs: 10_000,
			check: packageIsInstalled,
		},
		undo: undoOfInstall(facts, decision, version),
	};
}

function whyInstall(
	replaced: string | undefined,
	candidate: UsableCandidate,
	answers: JudgeContext['answers'],
): string {
	if (replaced === undefined) return 'it brings the runtime and its two daemons';
	if (yesNoAnswer(answers, upgradeId) === true) return `you answered ${upgradeId} with yes`;
	return candidate.kind === 'file' ? 'you passed this package' : `${replaced} cannot work on this host`;
}

const isOlderThanUnfinished = ({ package: found }: SysboxFacts, version: string): boolean =>
	found.kind === 'unfinished' && version !== '' && compareVersions(version, found.record.version) < 0;

function risksOfInstall(
	facts: SysboxFacts,
	candidate: UsableCandidate,
	older: boolean,
	changesOthers: boolean,
): readonly RiskName[] {
	const replaces = facts.package.kind === 'installed';
	return [
		...(isVouchedFor(publishedPackage(candidate)) ? [] : (['unverified-deb'] as const)),
		...(changesOthers ? (['other-packages'] as const) : []),
		...(older ? (['downgrade'] as const) : []),
		...(replaces ? (['restart-sysbox'] as const) : []),
	];
}

const raisedLimits = ({ limits }: SysboxFacts): SysboxFacts['limits'] =>
	limits.filter(({ value, raisedTo }) => Number(value) < raisedTo);

/** What apt will have done by then, as it said itself, and the limits that the package's script raises. */
function undoOfInstall(facts: SysboxFacts, decision: Decision, version: string): Undo {
	const { simulation, autoInstalled } = facts;
	const would = simulation?.kind === 'would' ? simulation : { installs: [], upgrades: [], removes: [] };
	const earlier = (name: string, from: string | undefined) => ({
		name,
		version: from ?? '',
		auto: autoInstalled.has(name),
	});
	const replaces = decision.kind === 'replace';
	return {
		kind: 'packages',
		changes: {
			installed: [...(replaces ? [] : [packageName]), ...namesOf(would.installs)],
			removed: would.removes.map(step => earlier(step.name, step.from)),
			replaced: [
				...(replaces ? [{ ...earlier(packageName, decision.from), by: version }] : []),
				...would.upgrades.map(step => ({ ...earlier(step.name, step.from), by: step.to ?? '' })),
			],
		},
		// An older release raised them just as well.
		commands: replaces ? [] : raisedLimits(facts).map(({ name, value, raisedTo }) => sysctlUndo(name, value, raisedTo)),
		leaves: replaces
			? []
			: [
					'the user sysbox and its lines in /etc/subuid and /etc/subgid',
					'the folders /var/lib/sysbox and /var/lib/sysboxfs',
					'the entries in the logs of apt and dpkg',
				],
	};
}

const namesOf = (steps: readonly PackageStep[]): readonly string[] => steps.map(step => step.name);

async function packageIsInstalled(host: ReadHost, signal: AbortSignal): Promise<ReadinessState> {
	const found = await inspectPackage(host, signal);
	if (found.kind === 'installed')
		return { kind: 'settled', evidence: `${packageName} ${found.record.version} installed` };
	return { kind: 'waiting', seen: found.kind === 'unfinished' ? `it is ${found.record.state}` : `it is ${found.kind}` };
}

const configure: Action = {
	id: 'configure',
	kind: 'exec',
	title: `Let dpkg finish with ${packageName}`,
	why: 'it was unpacked, and its script did not come to its end',
	argv: ['dpkg', '--configure', '-a'],
	timeoutMs: 15 * minutes,
	uninterruptible: true,
	...startsAgain,
	...waitsForDpkg,
	touches: ['every other package that dpkg has not finished with is configured too'],
	waitUntil: { what: `dpkg has finished with ${packageName}`, deadlineMs: 10_000, check: packageIsInstalled },
	undo: { kind: 'none', why: 'the package was already unpacked before this run' },
};

async function sysboxServes(host: ReadHost, signal: AbortSignal): Promise<ReadinessState> {
	const services = await inspectServices(host, signal);
	const missing = notServing(services);
	if (missing !== undefined) return { kind: 'waiting', seen: missing };
	return { kind: 'settled', evidence: 'sysbox, sysbox-mgr and sysbox-fs run, and their versions agree' };
}

const serving = {
	what: 'the three services run, their sockets are there and their versions agree',
	deadlineMs: 60_000,
	check: sysboxServes,
} as const;

/** Where all units run it does nothing. */
const start: Extract<Action, { kind: 'exec' }> = {
	id: 'start',
	kind: 'exec',
	title: 'Start Sysbox',
	why: 'the package starts it, but sysbox-fs sometimes misses its start and needs another one; if Sysbox runs, this does nothing',
	argv: ['systemctl', 'start', 'sysbox'],
	timeoutMs: 2 * minutes,
	...startsAgain,
	waitUntil: serving,
	whenItFails: ['see what the services say (journalctl -u sysbox-mgr -u sysbox-fs -n 50), then start again'],
	undo: { kind: 'none', why: 'the services go away with the package' },
};

/** For a Sysbox that is installed and stays as it is: what keeps it from serving, now and after a boot. */
function planServices(facts: SysboxFacts, context: JudgeContext): Plan {
	const { services } = facts;
	if (facts.package.kind !== 'installed' && !isSourceBuild(facts)) return emptyPlan;
	const units = unitsOf(services);
	if (units.some(u => u === undefined || u.loadState !== 'loaded')) return emptyPlan;

	const actions: Action[] = [];
	const disabled = units.flatMap(u => (u?.unitFileState === 'disabled' ? [u.id.replace(/\.service$/, '')] : []));
	if (disabled.length > 0) {
		actions.push({
			id: 'enable',
			kind: 'exec',
			title: 'Let Sysbox start at boot',
			why: 'after a reboot no Sysbox container would start otherwise',
			argv: ['systemctl', 'enable', ...disabled],
			timeoutMs: minutes,
			undo: {
				kind: 'commands',
				commands: [
					{
						argv: ['systemctl', 'disable', ...disabled],
						timeoutMs: minutes,
						why: 'it did not start at boot before',
					},
				],
			},
		});
	}
	if (!allActive(services)) {
		actions.push({
			...start,
			title: 'Start Sysbox',
			why: 'no Sysbox container can start without its services; containers of other runtimes are not touched',
			undo: { kind: 'none', why: 'it was meant to run: nothing of Sysbox is meant to be stopped alone' },
		});
	} else if (services.sockets.some(s => s.state === 'missing' || s.state === 'not-a-socket')) {
		const users = runningUnderSysbox(facts.docker);
		actions.push(...stopSysboxContainers(users), {
			id: restartId,
			kind: 'exec',
			title: 'Restart Sysbox',
			why: 'its sockets are gone, and only a new start makes them',
			argv: ['systemctl', 'restart', 'sysbox'],
			timeoutMs: 3 * minutes,
			...startsAgain,
			risks: ['restart-sysbox'],
			guard: noSysboxContainerRuns,
			rollback: [start, ...startAfterFailure(users)],
			waitUntil: serving,
			undo: { kind: 'none', why: 'a restart leaves nothing behind' },
		});
		return { actions, impact: { ...stopped(facts, context), notes: stopNotes(users) } };
	}
	return actions.length === 0 ? emptyPlan : { actions };
}

function impactOf(facts: SysboxFacts, decision: Decision, keys: readonly string[], context: JudgeContext): Impact {
	const { docker } = facts;
	const hit: Pick<Impact, 'stops' | 'containers'> =
		facts.package.kind === 'absent' ? { stops: [] } : stopped(facts, context);
	const { stops } = hit;
	const running = docker.containers.kind === 'ok' ? docker.containers.value.filter(c => c.running).length : 0;
	const notes: string[] = [];
	if (stops.length === 0 && running > 0) {
		notes.push(
			`${running} running container${running === 1 ? ' is' : 's are'} not touched, and Docker is not restarted`,
		);
	}
	if (stops.length > 0) {
		notes.push(...stopNotes(runningUnderSysbox(docker)));
	}
	const addresses = keys.filter(key => key === 'bip' || key === 'default-address-pools');
	if (addresses.length > 0) {
		notes.push(`${addresses.join(', ')}: what Docker uses already; no network changes`);
	}
	const { candidate } = facts;
	if (decision.kind !== 'configure' && (candidate.kind === 'file' || candidate.kind === 'release')) {
		// To be known before it is installed, not only by those who read the end.
		const known = issuesOf(facts, context, candidateVersion(candidate)).filter(issue => issue.severity === 'info');
		if (known.length > 0) notes.push(`Known of this Sysbox: ${known.map(issue => issue.title).join('; ')}`);
	}
	return { ...hit, notes };
}

/** What runs under Sysbox: stopped before Sysbox goes down, started after it is back. */
function stopped(facts: SysboxFacts, { now }: JudgeContext): Pick<Impact, 'stops' | 'containers'> {
	const users = runningUnderSysbox(facts.docker);
	if (users.length === 0) return { stops: [] };
	const containers = impactOfSysboxStop(users, now, 'started-again');
	return { stops: containers.map(describeImpact), containers };
}
