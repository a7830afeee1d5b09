import {
	configAfterReload,
	configAtStart,
	type DaemonFlags,
	daemonFlags,
	readDaemonConfig,
	subnetOf,
} from './daemon-config.ts';
import { finish, settle, startContainer } from './engine.ts';
import { put, removeTree, resolve, textOf } from './file-tree.ts';
import { runnersTurn } from './gitlab-runner.ts';
import { runProgram } from './run-program.ts';
import { hostScope } from './scope.ts';
import type { EngineConfig, SimulatedState, Unit } from './state.ts';
import { commitOf, versionText } from './sysbox-programs.ts';
import { capture, journal, nextPid, noInput, spend, touch, type World } from './world.ts';

/** systemd of the host, and what its units do when they start, stop and reload. */

export const sysboxUnits = ['sysbox.service', 'sysbox-mgr.service', 'sysbox-fs.service'] as const;

export type Done =
	| { readonly kind: 'done' }
	| { readonly kind: 'failed'; readonly why: 'exit-code' | 'dependency' | 'timeout' | 'start-limit-hit' };

const done: Done = { kind: 'done' };

export const fullName = (name: string): string =>
	/\.(?:service|socket|target|mount|timer|path|slice|scope)$/.test(name) ? name : `${name}.service`;

export function fileOf(world: World, path: string): string | undefined {
	const found = resolve(hostScope(world, 'root').view, path);
	return found.kind === 'found' && found.node.kind === 'file' ? textOf(found.node) : undefined;
}

/** The unit's file and its drop-ins, in the order in which systemd reads them. */
export function unitSources(world: World, unit: Unit): readonly { readonly path: string; readonly text: string }[] {
	const main = fileOf(world, unit.fragment);
	const sources = main === undefined ? [] : [{ path: unit.fragment, text: main }];
	const { view } = hostScope(world, 'root');
	for (const folder of ['/usr/lib/systemd/system', '/etc/systemd/system', '/run/systemd/system']) {
		for (const name of view.names(`${folder}/${unit.name}.d`)) {
			const path = `${folder}/${unit.name}.d/${name}`;
			const text = name.endsWith('.conf') ? fileOf(world, path) : undefined;
			if (text !== undefined) sources.push({ path, text });
		}
	}
	return sources;
}

export const unitText = (world: World, unit: Unit): string =>
	unitSources(world, unit)
		.map(s => s.text)
		.join('\n');

/** Values of a key as systemd counts them: an empty one takes the earlier ones away. */
export function unitValues(text: string, key: string): readonly string[] {
	let values: string[] = [];
	for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
		const match = new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`).exec(line);
		if (match === null) continue;
		values = match[1] === '' ? [] : [...values, match[1] ?? ''];
	}
	return values;
}

/** Splits a command of a unit into words, with quotes taken off. */
export const commandWords = (command: string): string[] =>
	[...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(m => m[1] ?? m[2] ?? m[3] ?? '');

const systemd = (world: World, unit: Unit, text: string): void => journal(world, unit.name, 'systemd', 1, text);

const titleOf = (unit: Unit): string => `${unit.name} - ${unit.description}`;

const dueAt = (unit: Unit): number =>
	Math.min(unit.retryAt ?? Infinity, unit.readyAt ?? Infinity, unit.elapsesAt ?? Infinity);

/** Whether a start of it would wait for another one's to be over: for one that it says it comes after. */
export const waitsForAnother = (state: SimulatedState, unit: Unit): boolean =>
	unitValues(unit.loadedText, 'After')
		.flatMap(value => value.split(/\s+/))
		.some(name => state.units[name]?.queued === true || state.units[name]?.readyAt !== undefined);

const mayBegin = (state: SimulatedState, unit: Unit): boolean =>
	unit.queued === true && isTransient(unit) && !waitsForAnother(state, unit);

/** Whether time alone has brought something about: a unit's turn, the end of a container or of a process in one. */
export function somethingIsDue(state: SimulatedState): boolean {
	const { engine } = state.docker;
	return (
		Object.values(state.units).some(u => dueAt(u) <= state.now || mayBegin(state, u)) ||
		(engine.up &&
			engine.containers.some(c => c.status === 'running' && c.endsAt !== undefined && c.endsAt <= state.now))
	);
}

/** Lets units do what they would have done by now, one after the other: retries, starts that end, timers. */
function passUnits(world: World): void {
	const { state } = world;
	for (;;) {
		const behind = Object.values(state.units).find(u => mayBegin(state, u));
		if (behind !== undefined) {
			runTransient(world, behind);
			continue;
		}
		const unit = Object.values(state.units).toSorted((a, b) => dueAt(a) - dueAt(b))[0];
		if (unit === undefined || dueAt(unit) > state.now) return;
		const now = state.now;
		state.now = dueAt(unit);
		if (unit.elapsesAt === state.now) elapse(world, unit);
		else if (unit.readyAt === state.now) dockerIsUp(world, unit);
		else {
			delete unit.retryAt;
			unit.restarts = (unit.restarts ?? 0) + 1;
			systemd(world, unit, `${unit.name}: Scheduled restart job, restart counter is at ${unit.restarts}.`);
			beginStart(world, unit.name);
		}
		state.now = Math.max(now, state.now);
	}
}

/** Lets everything happen that would have happened by now: what units do, containers that end. */
export function passTime(world: World): void {
	const { revision, changed } = world;
	passUnits(world);
	if (world.state.docker.engine.up) settle(world);
	runners(world);
	// The passing of time is nobody's change.
	world.changed = changed;
	world.revision = revision + 1;
}

/** Lets GitLab runners end that were told to, once no job of theirs is left. */
export function runners(world: World): void {
	const unit = world.state.units['gitlab-runner.service'];
	if (!runnersTurn(world).unitEnds || unit === undefined) return;
	delete unit.finishing;
	stopOne(world, unit);
	const again = unitValues(unit.loadedText, 'RestartSec').at(-1) ?? '0.1';
	if (unitValues(unit.loadedText, 'Restart').at(-1) !== 'always') return;
	Object.assign(unit, { active: 'activating', sub: 'auto-restart' });
	unit.retryAt = world.state.now + Number.parseFloat(again) * 1000;
}

/** Starts a unit and waits until it runs, as `systemctl start` does. */
export function startUnit(world: World, name: string): Done {
	const unit = world.state.units[name];
	if (unit?.readyAt === undefined) {
		if (unit !== undefined && unit.active !== 'active') unit.restarts = 0;
		const begun = beginStart(world, name);
		if (begun.kind !== 'done') return begun;
	}
	if (unit?.readyAt === undefined) return done;
	world.state.now = Math.max(world.state.now, unit.readyAt);
	passUnits(world);
	return world.state.units[name]?.active === 'active' ? done : { kind: 'failed', why: 'exit-code' };
}

function beginStart(world: World, name: string): Done {
	const unit = world.state.units[name];
	if (unit === undefined || unit.active === 'active') return done;
	const unmet = unmetCondition(world, unit);
	if (unmet !== undefined) {
		systemd(world, unit, `${titleOf(unit)} was skipped because of an unmet condition check (${unmet}).`);
		return done;
	}
	touch(world);
	delete unit.queued;
	if (unit.active !== 'activating') unit.leftInactiveAt = world.state.now;
	if (name === 'sysbox.service') return startSysbox(world, unit);
	const limit = Number(unitValues(unit.loadedText, 'StartLimitBurst').at(-1) ?? 5);
	const interval = Number.parseFloat(unitValues(unit.loadedText, 'StartLimitInterval(?:Sec)?').at(-1) ?? '10') * 1000;
	const recent = interval === 0 ? [] : unit.starts.filter(at => at > world.state.now - interval);
	if (recent.length >= limit) {
		systemd(world, unit, `${name}: Start request repeated too quickly.`);
		systemd(world, unit, `${name}: Failed with result 'start-limit-hit'.`);
		systemd(world, unit, `Failed to start ${titleOf(unit)}.`);
		Object.assign(unit, { active: 'failed', sub: 'failed', result: 'start-limit-hit', mainPid: 0 });
		return { kind: 'failed', why: 'start-limit-hit' };
	}
	unit.starts = [...recent, world.state.now];
	systemd(world, unit, `Starting ${titleOf(unit)}...`);
	if (name === 'docker.service' || name === 'snap.docker.dockerd.service') return startDocker(world, unit);
	if (name === 'sysbox-mgr.service') return startManager(world, unit);
	if (name === 'sysbox-fs.service') return startFileSystem(world, unit);
	if (unit.type === 'oneshot' && unit.fragment.startsWith('/etc/')) return runOneshot(world, unit);
	return running(world, unit, 120);
}

function unmetCondition(world: World, unit: Unit): string | undefined {
	const { view } = hostScope(world, 'root');
	const isThere = (path: string): boolean => resolve(view, path).kind === 'found';
	const unmet = unitValues(unit.loadedText, 'ConditionPathExists').find(path =>
		path.startsWith('!') ? isThere(path.slice(1)) : !isThere(path),
	);
	return unmet === undefined ? undefined : `ConditionPathExists=${unmet}`;
}

/** A unit of somebody's own: its command is run, and it is over. */
function runOneshot(world: World, unit: Unit): Done {
	Object.assign(unit, { active: 'activating', sub: 'start' });
	const code = runCommandOf(world, unit);
	Object.assign(unit, { active: code === 0 ? 'inactive' : 'failed', sub: code === 0 ? 'dead' : 'failed' });
	systemd(world, unit, code === 0 ? `Finished ${titleOf(unit)}.` : `Failed to start ${titleOf(unit)}.`);
	return code === 0 ? done : { kind: 'failed', why: 'exit-code' };
}

function runCommandOf(world: World, unit: Unit): number {
	const argv = commandWords(unitValues(unit.loadedText, 'ExecStart').at(-1) ?? '');
	const limit = unit.type === 'oneshot' ? Number(unitValues(unit.loadedText, 'TimeoutStartSec').at(-1)) : NaN;
	const timeoutMs = Number.isNaN(limit) ? 86_400_000 : limit * 1000;
	const said = capture(io => runProgram(hostScope(world, 'root'), { argv, stdin: noInput, io, timeoutMs }) ?? 127);
	for (const text of `${said.stdout}${said.stderr}`.split('\n').filter(line => line !== ''))
		journal(world, unit.name, argv[0]?.split('/').at(-1) ?? '', nextPid(world), text);
	return said.exit === 'endless' ? 1 : said.exit;
}

// Transient units and those of a boot

const transientFolder = '/run/systemd/transient';

const isTransient = (unit: Unit): boolean => unit.fragment.startsWith(transientFolder);

function addTransient(world: World, full: string, text: string, change: Partial<Unit>): void {
	const fragment = `${transientFolder}/${full}`;
	put(world.state.files, fragment, text);
	world.state.units[full] = { ...idleUnit(full, fragment, text), ...change };
}

/** A unit that systemd has read and not started. */
const idleUnit = (name: string, fragment: string, text: string): Unit => ({
	name,
	description: unitValues(text, 'Description').at(-1) ?? name,
	active: 'inactive',
	sub: 'dead',
	result: 'success',
	enabled: 'static',
	type: unitValues(text, 'Type').at(-1) ?? 'simple',
	fragment,
	mainPid: 0,
	mainStatus: 0,
	starts: [],
	loadedText: text,
});

const commandLine = (argv: readonly string[]): string =>
	argv.map(word => (/^[\w./:=-]+$/.test(word) ? word : `"${word}"`)).join(' ');

/** `systemd-run --no-block`: a service that begins once those that it comes after have started. False: as below. */
export function startTransientService(
	world: World,
	name: string,
	how: {
		readonly description: string;
		readonly unit: readonly string[];
		readonly service: readonly string[];
		readonly argv: readonly string[];
	},
): boolean {
	if (world.state.units[`${name}.service`] !== undefined) return false;
	touch(world);
	const lines = [
		...['[Unit]', `Description=${how.description}`, ...how.unit],
		...['', '[Service]', ...how.service, `ExecStart=${commandLine(how.argv)}`, ''],
	];
	addTransient(world, `${name}.service`, lines.join('\n'), { queued: true });
	return true;
}

/** A transient service begins, and is gone when it has ended (--collect). */
function runTransient(world: World, unit: Unit): void {
	delete unit.queued;
	Object.assign(
		unit,
		unit.type === 'oneshot' ? { active: 'activating', sub: 'start' } : { active: 'active', sub: 'running' },
	);
	systemd(world, unit, `${unit.type === 'oneshot' ? 'Starting' : 'Started'} ${titleOf(unit)}.`);
	runCommandOf(world, unit);
	dropTransient(world, unit.name);
}

/**
 * `systemd-run --on-active=…`, perhaps with `--on-unit-inactive=…`: a timer and the service that it starts. False: there
 * is one of that name already.
 */
export function startTransientTimer(
	world: World,
	name: string,
	how: {
		readonly description: string;
		readonly afterMs: number;
		/** Fires once more so long after its service has ended. */
		readonly everyMs?: number | undefined;
		readonly argv: readonly string[];
	},
): boolean {
	const { units } = world.state;
	if (units[`${name}.timer`] !== undefined || units[`${name}.service`] !== undefined) return false;
	touch(world);
	const head = `[Unit]\nDescription=${how.description}`;
	addTransient(world, `${name}.service`, `${head}\n\n[Service]\nExecStart=${commandLine(how.argv)}\n`, {});
	const again = how.everyMs === undefined ? '' : `OnUnitInactiveSec=${how.everyMs / 1000}s\n`;
	addTransient(world, `${name}.timer`, `${head}\n\n[Timer]\nOnActiveSec=${how.afterMs / 1000}s\n${again}`, {
		active: 'active',
		sub: 'waiting',
		elapsesAt: world.state.now + how.afterMs,
	});
	return true;
}

/** A timer that was made for one time is gone when it has elapsed, and its service when that has ended (--collect). */
function elapse(world: World, timer: Unit): void {
	delete timer.elapsesAt;
	const service = world.state.units[timer.name.replace(/\.timer$/, '.service')];
	const again = unitValues(timer.loadedText, 'OnUnitInactiveSec').at(-1);
	if (again !== undefined && service !== undefined) {
		runCommandOf(world, service);
		timer.elapsesAt = world.state.now + Number.parseFloat(again) * 1000;
		return;
	}
	dropTransient(world, timer.name);
	if (service !== undefined) runTransient(world, service);
}

function dropTransient(world: World, name: string): void {
	delete world.state.units[name];
	delete world.state.files[`${transientFolder}/${name}`];
}

const ownUnits = '/etc/systemd/system';

/** A unit that was put into /etc is known as soon as somebody names it, unless systemd knew one of that name before. */
export function loadUnit(world: World, name: string): Unit | undefined {
	const known = world.state.units[name];
	const text = known === undefined && name.endsWith('.service') ? fileOf(world, `${ownUnits}/${name}`) : undefined;
	if (text === undefined) return known;
	const unit = idleUnit(name, `${ownUnits}/${name}`, text);
	world.state.units[name] = unit;
	return unit;
}

/** What systemd reads when it starts, besides what it knew before: units that were put into /etc, and drop-ins. */
export function loadUnitsOfBoot(world: World): void {
	const { units } = world.state;
	for (const name of Object.keys(units)) if (units[name] !== undefined && isTransient(units[name])) delete units[name];
	removeTree(world.state.files, transientFolder);
	const { view } = hostScope(world, 'root');
	for (const name of view.names(ownUnits)) loadUnit(world, name);
	for (const unit of Object.values(units)) unit.loadedText = unitText(world, unit);
}

/** Units that a drop-in of multi-user.target wants: those that go before Docker come first. */
export function startWantedByDropIns(world: World): void {
	const { view } = hostScope(world, 'root');
	const folder = '/etc/systemd/system/multi-user.target.d';
	const wanted = view
		.names(folder)
		.flatMap(name => unitValues(fileOf(world, `${folder}/${name}`) ?? '', 'Wants'))
		.flatMap(value => value.split(/\s+/));
	for (const name of wanted) {
		const unit = world.state.units[name];
		if (unit === undefined) continue;
		beginStart(world, name);
		// systemd forgets a unit that is over and whose file is gone.
		if (fileOf(world, unit.fragment) === undefined) delete world.state.units[name];
	}
}

function running(world: World, unit: Unit, ms: number, pid = nextPid(world)): Done {
	spend(world, ms);
	const command = unitValues(unit.loadedText, 'ExecStart').at(-1) ?? `/usr/bin/${unit.name.replace(/\.service$/, '')}`;
	const argv = commandWords(command);
	Object.assign(unit, {
		active: 'active',
		sub: unit.type === 'oneshot' ? 'exited' : unit.name.endsWith('.socket') ? 'listening' : 'running',
		result: 'success',
		mainStatus: 0,
		mainPid: unit.name.endsWith('.socket') || unit.type === 'oneshot' ? 0 : pid,
		startedAt: world.state.now,
	});
	delete unit.retryAt;
	delete unit.finishing;
	if (unit.mainPid !== 0)
		world.state.processes.push({
			pid,
			ppid: 1,
			uid: 0,
			comm: (argv[0] ?? '').split('/').at(-1)?.slice(0, 15) ?? '',
			argv,
			startedAt: world.state.now,
			unit: unit.name,
		});
	systemd(world, unit, `Started ${titleOf(unit)}.`);
	return done;
}

function failedStart(world: World, unit: Unit, result: 'exit-code' | 'timeout', pid: number): Done {
	if (result === 'exit-code') systemd(world, unit, `${unit.name}: Main process exited, code=exited, status=1/FAILURE`);
	else systemd(world, unit, `${unit.name}: start operation timed out. Terminating.`);
	systemd(world, unit, `${unit.name}: Failed with result '${result}'.`);
	systemd(world, unit, `Failed to start ${titleOf(unit)}.`);
	Object.assign(unit, {
		active: 'failed',
		sub: 'failed',
		result,
		mainPid: 0,
		mainStatus: result === 'exit-code' ? 1 : 0,
	});
	world.state.processes = world.state.processes.filter(p => p.pid !== pid);
	const restart = unitValues(unit.loadedText, 'Restart').at(-1);
	if (restart === 'always' || restart === 'on-failure') {
		Object.assign(unit, { active: 'activating', sub: 'auto-restart' });
		unit.retryAt =
			world.state.now + Number.parseFloat(unitValues(unit.loadedText, 'RestartSec').at(-1) ?? '0.1') * 1000;
	}
	return { kind: 'failed', why: result };
}

function stopOne(world: World, unit: Unit, result: Unit['result'] = 'success'): void {
	if (unit.active === 'inactive' || (unit.active === 'failed' && result === 'success')) {
		delete unit.retryAt;
		if (unit.active === 'failed') return;
		Object.assign(unit, { active: 'inactive', sub: 'dead' });
		return;
	}
	touch(world);
	const failed = result !== 'success';
	if (!failed) systemd(world, unit, `Stopping ${titleOf(unit)}...`);
	if (failed) systemd(world, unit, `${unit.name}: Main process exited, code=killed, status=9/KILL`);
	systemd(
		world,
		unit,
		failed ? `${unit.name}: Failed with result '${result}'.` : `${unit.name}: Deactivated successfully.`,
	);
	if (!failed) systemd(world, unit, `Stopped ${titleOf(unit)}.`);
	world.state.processes = world.state.processes.filter(p => p.pid !== unit.mainPid);
	Object.assign(unit, { active: failed ? 'failed' : 'inactive', sub: failed ? 'failed' : 'dead', result, mainPid: 0 });
	delete unit.retryAt;
	delete unit.readyAt;
	delete unit.startedAt;
}

export function stopUnit(world: World, name: string): void {
	const unit = world.state.units[name];
	if (unit === undefined) return;
	if (isTransient(unit)) {
		touch(world);
		for (const full of [name, name.replace(/\.timer$/, '.service')]) dropTransient(world, full);
		return;
	}
	if ((sysboxUnits as readonly string[]).includes(name)) {
		stopSysbox(world);
		return;
	}
	if ((name === 'docker.service' || name === 'snap.docker.dockerd.service') && world.state.docker.engine.up)
		stopDocker(world, unit);
	stopOne(world, unit);
}

export function restartUnit(world: World, name: string): Done {
	stopUnit(world, name);
	const unit = world.state.units[name];
	if (unit?.active === 'failed' || unit?.active === 'activating')
		Object.assign(unit, { active: 'inactive', sub: 'dead' });
	return startUnit(world, name);
}

// Docker

/** The flags that the running daemon was started with, as systemd last read them. */
export function dockerFlags(world: World): DaemonFlags {
	const name = world.state.docker.kind === 'snap' ? 'snap.docker.dockerd.service' : 'docker.service';
	const unit = world.state.units[name];
	const command = unit === undefined ? '' : (unitValues(unit.loadedText, 'ExecStart').at(-1) ?? '');
	return daemonFlags(commandWords(command).slice(1));
}

export const daemonJsonPath = (world: World, flags = dockerFlags(world)): string =>
	flags.configFile ??
	(world.state.docker.kind === 'snap' ? '/var/snap/docker/current/config/daemon.json' : '/etc/docker/daemon.json');

const dockerd = (world: World, unit: Unit, level: string, message: string, rest = ''): void =>
	journal(
		world,
		unit.name,
		'dockerd',
		unit.mainPid,
		`time="${new Date(world.state.now).toISOString().replace('Z', '000000Z')}" level=${level} msg=${JSON.stringify(message)}${rest}`,
	);

function startDocker(world: World, unit: Unit): Done {
	const { engine } = world.state.docker;
	const pid = nextPid(world);
	unit.mainPid = pid;
	const flags = dockerFlags(world);
	const path = daemonJsonPath(world, flags);
	const refuse = (message: string): Done => {
		journal(world, unit.name, 'dockerd', pid, message);
		spend(world, 250);
		return failedStart(world, unit, 'exit-code', pid);
	};
	if (world.faults.fires('docker-does-not-come-back') !== undefined)
		return refuse('failed to start daemon: error initializing graphdriver: permission denied');
	if (flags.unknown.length > 0) return refuse(`unknown flag: ${flags.unknown[0]}`);
	const read = readDaemonConfig(fileOf(world, path), flags, engine.version);
	if (read.kind === 'refused') return refuse(`unable to configure the Docker daemon with file ${path}: ${read.why}`);
	const config = configAtStart(read.raw, flags, engine.version);
	if (typeof config === 'string') return refuse(`failed to start daemon: ${config}`);
	dockerd(world, unit, 'info', 'Starting up');
	const slow = world.faults.fires('docker-starts-slowly');
	if (slow === undefined) return serve(world, unit, config);
	// It has read its file; what it reads until it answers takes its time.
	Object.assign(unit, { active: 'activating', sub: 'start', readyAt: world.state.now + (slow.ms ?? 150_000) });
	engine.config = config;
	return done;
}

function dockerIsUp(world: World, unit: Unit): void {
	serve(world, unit, world.state.docker.engine.config);
	delete unit.readyAt;
}

/** dockerd answers from now on. */
function serve(world: World, unit: Unit, config: EngineConfig): Done {
	const { engine } = world.state.docker;
	const pid = unit.mainPid;
	engine.config = config;
	engine.up = true;
	const [gateway = '172.17.0.1', bits = '16'] = config.bridgeCidr.split('/');
	const bridge = engine.networks.find(n => n.name === 'bridge');
	if (bridge !== undefined) Object.assign(bridge, { gateway, subnet: subnetOf(gateway, Number(bits)) });
	putSocket(world, '/run/docker.sock', 988);
	running(world, unit, unit.readyAt === undefined ? 1400 : 0, pid);
	dockerd(world, unit, 'info', 'API listen on /run/docker.sock');
	engine.events = [];
	engine.readyAt = world.state.now;
	// Containers that a policy brings back. Those of live-restore never went.
	for (const container of engine.containers) {
		if (container.status === 'running') continue;
		const policy = container.options.restart.split(':')[0];
		if (policy === 'always' || (policy === 'unless-stopped' && !container.stoppedByHand))
			startContainer(world, container);
	}
	return done;
}

function stopDocker(world: World, unit: Unit): void {
	const { engine } = world.state.docker;
	dockerd(world, unit, 'info', "Processing signal 'terminated'");
	engine.up = false;
	if (!engine.config.liveRestore) {
		for (const container of [...engine.containers])
			if (container.status === 'running') finish(world, container, 137, 'daemon');
		spend(world, 2400);
	}
	spend(world, 300);
	dockerd(world, unit, 'info', 'Daemon shutdown complete');
}

/** SIGHUP: dockerd reads its file again, and keeps what it has when the file is not good. */
export function reloadDocker(world: World): void {
	const { docker, units } = world.state;
	const unit = units[docker.kind === 'snap' ? 'snap.docker.dockerd.service' : 'docker.service'];
	if (unit === undefined || !docker.engine.up) return;
	touch(world);
	const flags = dockerFlags(world);
	const path = daemonJsonPath(world, flags);
	spend(world, 45);
	dockerd(world, unit, 'info', `Got signal to reload configuration, reloading from: ${path}`);
	const read = readDaemonConfig(fileOf(world, path), flags, docker.engine.version);
	if (read.kind === 'refused') {
		dockerd(world, unit, 'error', `unable to configure the Docker daemon with file ${path}: ${read.why}`);
		return;
	}
	// Nothing is said, and nothing has changed.
	if (world.faults.fires('docker-reload-ignored') !== undefined) return;
	if (world.faults.fires('docker-reload-refused') !== undefined) {
		dockerd(
			world,
			unit,
			'error',
			'Error reconfiguring the daemon',
			' error="unable to set up runtimes: no space left on device"',
		);
		return;
	}
	const config = configAfterReload(docker.engine.config, read.raw);
	if (typeof config === 'string') {
		dockerd(world, unit, 'error', 'Error reconfiguring the daemon', ` error=${JSON.stringify(config)}`);
		return;
	}
	for (const { path: binary } of Object.values(config.runtimes)) {
		if (!binary.startsWith('/') || resolve(hostScope(world, 'root').view, binary).kind === 'found') continue;
		dockerd(
			world,
			unit,
			'warning',
			`Failed to run [${binary} features]: ""`,
			` error="fork/exec ${binary}: no such file or directory"`,
		);
	}
	docker.engine.config = config;
	const runtimes = Object.fromEntries(Object.entries(config.runtimes).map(([name, r]) => [name, { path: r.path }]));
	docker.engine.events = [
		...(docker.engine.events ?? []),
		{
			at: world.state.now,
			action: 'reload',
			attributes: {
				debug: String(config.debug),
				'default-runtime': config.defaultRuntime,
				'live-restore': String(config.liveRestore),
				name: world.state.machine.hostname,
				runtimes: Object.entries(runtimes)
					.map(([name, runtime]) => `${name}:${JSON.stringify(runtime)}`)
					.join(' '),
			},
		},
	];
	dockerd(
		world,
		unit,
		'info',
		`Reloaded configuration: ${JSON.stringify({ 'data-root': '/var/lib/docker', 'default-runtime': config.defaultRuntime, runtimes, 'live-restore': config.liveRestore || undefined })}`,
	);
}

function putSocket(world: World, path: string, gid: number): void {
	world.state.files[path] = { kind: 'socket', mode: 0o660, uid: 0, gid };
}

// Sysbox

const sysboxLine = (world: World, unit: Unit, level: string, message: string): void =>
	journal(
		world,
		unit.name,
		unit.name.replace(/\.service$/, ''),
		unit.mainPid,
		`time="${new Date(world.state.now).toISOString().slice(0, 19).replace('T', ' ')}" level=${level} msg=${/\s/.test(message) ? JSON.stringify(message) : message}`,
	);

function startSysbox(world: World, unit: Unit): Done {
	for (const name of ['sysbox-mgr.service', 'sysbox-fs.service']) {
		const started = startUnit(world, name);
		if (started.kind === 'done') continue;
		systemd(world, unit, `Dependency failed for ${titleOf(unit)}.`);
		systemd(world, unit, `sysbox.service: Job sysbox.service/start failed with result 'dependency'.`);
		Object.assign(unit, { active: 'inactive', sub: 'dead', result: 'success' });
		return { kind: 'failed', why: 'dependency' };
	}
	systemd(world, unit, `Starting ${titleOf(unit)}...`);
	const outcome = running(world, unit, 40);
	const { sysbox } = world.state;
	for (const [program, version] of [
		['sysbox-runc', sysbox.runc],
		['sysbox-mgr', sysbox.mgr],
		['sysbox-fs', sysbox.fs],
	] as const) {
		for (const line of versionText(program, version ?? '0.7.1')
			.trimEnd()
			.split('\n'))
			journal(world, unit.name, 'sh', unit.mainPid + 1, line.replaceAll('\t', '        '));
	}
	return outcome;
}

function preamble(world: World, unit: Unit, program: 'sysbox-mgr' | 'sysbox-fs'): void {
	const version = (program === 'sysbox-mgr' ? world.state.sysbox.mgr : world.state.sysbox.fs) ?? '0.7.1';
	for (const text of [
		`Starting ${program}`,
		'Edition: Community Edition (CE)',
		`Version: ${version}`,
		`Commit-ID: ${commitOf(program, version)}`,
	])
		sysboxLine(world, unit, 'info', text);
}

function startManager(world: World, unit: Unit): Done {
	const pid = nextPid(world);
	unit.mainPid = pid;
	preamble(world, unit, 'sysbox-mgr');
	const host = hostScope(world, 'root');
	const missing = ['rsync', 'modprobe', 'iptables'].find(
		name =>
			!['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some(
				folder => resolve(host.view, `${folder}/${name}`).kind === 'found',
			),
	);
	if (missing !== undefined) {
		sysboxLine(
			world,
			unit,
			'fatal',
			`failed to create sysbox-mgr: preflight check failed: ${missing} is not installed on host.`,
		);
		return failedStart(world, unit, 'exit-code', pid);
	}
	sysboxLine(world, unit, 'info', 'Sysbox data root: /var/lib/sysbox');
	const kernel = Number.parseFloat(world.state.machine.kernel);
	const [major = 0, minor = 0] = world.state.machine.kernel.split('.').map(Number);
	const newer = (m: number, n: number) => major > m || (major === m && minor >= n);
	if (allocateSubids(world) === 'no-match') {
		sysboxLine(
			world,
			unit,
			'fatal',
			'failed to create sysbox-mgr: failed to setup subid allocator: could not find matching subuid and subgids range for user sysbox',
		);
		return failedStart(world, unit, 'exit-code', pid);
	}
	for (const text of [
		'Shiftfs module found in kernel: no',
		'Shiftfs works properly: no',
		'Shiftfs-on-overlayfs works properly: no',
		`ID-mapped mounts supported by kernel: ${newer(5, 12) ? 'yes' : 'no'}`,
		`Overlayfs on ID-mapped mounts supported by kernel: ${newer(5, 19) ? 'yes' : 'no'}`,
		...(newer(6, 7) && kernel > 0
			? ['binfmt_misc namespacing supported by kernel; will be mounted in containers.']
			: []),
		'Operating in system container mode.',
		'Relaxed read-only mode disabled.',
		'Inner container image preloading enabled.',
		'Listening on /run/sysbox/sysmgr.sock',
		'Ready ...',
	]) {
		sysboxLine(world, unit, 'info', text);
	}
	runFolder(world, 'sysmgr.sock');
	return running(world, unit, 60, pid);
}

function startFileSystem(world: World, unit: Unit): Done {
	const pid = nextPid(world);
	unit.mainPid = pid;
	preamble(world, unit, 'sysbox-fs');
	for (const text of [
		"Initializing with 'allow-immutable-remounts' knob disabled (default)",
		"Initializing with 'allow-immutable-unmounts' knob enabled (default)",
		'FUSE dir = /var/lib/sysboxfs',
	])
		sysboxLine(world, unit, 'info', text);
	if (world.faults.fires('sysbox-fs-start-timeout') !== undefined) {
		// Seen in about one start of fifteen: nothing more is said until TimeoutStartSec=10 ends it.
		spend(world, 10_000);
		return failedStart(world, unit, 'timeout', pid);
	}
	for (const text of [
		'Host supports writes to /proc/sys/kernel/shm* from user-ns',
		'IOvec memParser elected',
		'Listening on /run/sysbox/sysfs.sock',
		'Ready ...',
	])
		sysboxLine(world, unit, 'info', text);
	runFolder(world, 'sysfs.sock');
	runFolder(world, 'sysfs-seccomp.sock');
	return running(world, unit, 60, pid);
}

function runFolder(world: World, socket: string): void {
	put(world.state.files, '/run/sysbox/.keep', '');
	delete world.state.files['/run/sysbox/.keep'];
	putSocket(world, `/run/sysbox/${socket}`, 0);
}

/** Stopping one stops all three (BindsTo and PartOf), and orphans what they were running. */
function stopSysbox(world: World, killed?: { readonly name: string }): void {
	for (const name of sysboxUnits) {
		const unit = world.state.units[name];
		if (unit === undefined) continue;
		stopOne(world, unit, name === killed?.name ? 'signal' : 'success');
		if (name === killed?.name) unit.result = 'signal';
	}
	spend(world, 120);
	delete world.state.sysbox.hangs;
	// An orderly stop takes most FUSE mounts away; a kill of sysbox-fs none (seen with Sysbox 0.7.0).
	const stays =
		killed?.name === 'sysbox-fs.service' ||
		(killed === undefined && world.faults.fires('sysboxfs-mount-stays') !== undefined);
	for (const container of world.state.docker.engine.containers) {
		if (container.status !== 'running' || container.isolation !== 'sysbox') continue;
		container.orphaned = true;
		if (stays) world.state.sysbox.deadMounts = [...(world.state.sysbox.deadMounts ?? []), container.id];
	}
}

const subidFiles = ['/etc/subuid', '/etc/subgid'] as const;

/**
 * What sysbox-mgr makes of the two files at its start (seen with Sysbox 0.7.0): one range of 65536 that both name is
 * taken; none, two, too small, too large or no file at all are written anew, in the first hole from SUB_UID_MIN on.
 * Garbage, or two files that differ, are fatal.
 */
function allocateSubids(world: World): 'allocated' | 'no-match' {
	const texts = subidFiles.map(path => fileOf(world, path) ?? '');
	const ownLines = (text: string): readonly string[] => text.split('\n').filter(line => line.startsWith('sysbox:'));
	const [uid = '', gid = ''] = texts;
	if (ownLines(uid).join() !== ownLines(gid).join()) return 'no-match';
	if (ownLines(uid).some(line => !/^sysbox:\d+:\d+$/.test(line))) return 'no-match';
	const own = /^sysbox:(\d+):65536$/.exec(ownLines(uid).join())?.[1];
	if (own !== undefined) {
		world.state.sysbox.subidStart = Number(own);
		return 'allocated';
	}
	const others = uid.split('\n').filter(line => line !== '' && !line.startsWith('sysbox:'));
	const ranges = [...others.join('\n').matchAll(/^[^:\n]+:(\d+):(\d+)$/gm)]
		.map(m => [Number(m[1]), Number(m[1]) + Number(m[2])] as const)
		.sort((a, b) => a[0] - b[0]);
	let start = 100_000;
	for (const [from, to] of ranges) if (from < start + 65_536 && to > start) start = to;
	world.state.sysbox.subidStart = start;
	for (const [index, path] of subidFiles.entries()) {
		const kept = (texts[index] ?? '').split('\n').filter(line => line !== '' && !line.startsWith('sysbox:'));
		put(world.state.files, path, [...kept, `sysbox:${start}:65536`, ''].join('\n'));
	}
	return 'allocated';
}

// Signals

export function signalHostProcess(world: World, pid: number, signal: string): 'sent' | 'no-such-process' {
	const name = signal.replace(/^SIG/, '').toUpperCase();
	const process = world.state.processes.find(p => p.pid === pid);
	if (process === undefined) {
		const container = world.state.docker.engine.containers.find(c => c.pid === pid);
		if (container === undefined) return 'no-such-process';
		touch(world);
		if (['KILL', '9', 'TERM', '15', 'QUIT'].includes(name))
			finish(world, container, name === 'KILL' || name === '9' ? 137 : 143);
		return 'sent';
	}
	touch(world);
	const unit = process.unit === undefined ? undefined : world.state.units[process.unit];
	if (unit?.name === 'gitlab-runner.service' && unit.mainPid === pid && (name === 'QUIT' || name === '3')) {
		unit.finishing = true;
		runners(world);
		return 'sent';
	}
	const fatal = ['KILL', '9', 'TERM', '15', 'QUIT', '3', 'INT', '2'].includes(name);
	if (unit?.mainPid !== pid) {
		if (fatal) world.state.processes = world.state.processes.filter(p => p.pid !== pid);
	} else if ((name === 'HUP' || name === '1') && /dockerd/.test(process.comm)) reloadDocker(world);
	else if (fatal && unit.name.startsWith('sysbox')) stopSysbox(world, { name: unit.name });
	else if (fatal) endUnit(world, unit, process.comm, name === 'KILL' || name === '9');
	return 'sent';
}

/** The main process of a unit ends by a signal. `hard`: one that it cannot take. */
function endUnit(world: World, unit: Unit, comm: string, hard: boolean): void {
	if (/dockerd/.test(comm)) stopDocker(world, unit);
	stopOne(world, unit, hard ? 'signal' : 'success');
	if (hard && unitValues(unit.loadedText, 'Restart').at(-1) === 'always') {
		Object.assign(unit, { active: 'activating', sub: 'auto-restart' });
		unit.retryAt = world.state.now + 2000;
	}
}
