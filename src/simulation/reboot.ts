import { worldFor } from './base-host.ts';
import { finish } from './engine.ts';
import { removeTree, sha256 } from './file-tree.ts';
import { fuseProfileAllows } from './programs/misc.ts';
import { hostScope } from './scope.ts';
import { fileOf, loadUnitsOfBoot, passTime, startUnit, startWantedByDropIns } from './services.ts';
import { type SimulatedState, startToolProcess } from './state.ts';
import type { World } from './world.ts';

/** Files below /run that the system makes anew at each boot. */
const madeAtBoot = ['/run/docker.sock', '/run/sysbox', '/run/reboot-required'];

/**
 * The machine goes down and comes back: another boot id, an empty /run, sysctls from their files, and what is enabled
 * starts again. `cut`: the power failed, so nothing was stopped in order and nothing of memory is left.
 */
export function rebooted(state: SimulatedState, how: 'orderly' | 'cut' = 'orderly'): SimulatedState {
	const next = structuredClone(state);
	const world = worldFor(next);
	const { engine } = next.docker;
	const up = engine.up;
	if (up) {
		for (const container of [...engine.containers])
			if (container.status === 'running') finish(world, container, how === 'cut' ? 255 : 137, 'daemon');
	}
	engine.up = false;
	next.now += how === 'cut' ? 61_000 : 42_000;
	next.machine.bootedAt = next.now - 9_000;
	next.machine.bootId = sha256(`${next.machine.bootId} ${next.now}`)
		.slice(0, 32)
		.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
	next.kernelLog = [{ at: next.machine.bootedAt, text: `Linux version ${next.machine.kernel} (buildd@lcy02)` }];
	for (const path of madeAtBoot) removeTree(next.files, path);
	next.processes = next.processes.filter(p => p.pid === 1).map(p => ({ ...p, startedAt: next.machine.bootedAt + 900 }));
	next.sysctls = { ...next.bootSysctls };
	delete next.sysbox.deadMounts;
	delete next.sysbox.hangs;
	for (const container of engine.containers) container.orphaned = false;
	readSysctls(world);
	const profile = next.apparmorProfiles['fusermount3'];
	if (profile !== undefined) profile.allowsSysboxfs = fuseProfileAllows(world);
	loadUnitsOfBoot(world);
	startUnits(world);
	passTime(world);
	return startToolProcess(next);
}

function readSysctls(world: World): void {
	const { sysctls } = world.state;
	const { view } = hostScope(world, 'root');
	for (const folder of ['/usr/lib/sysctl.d', '/etc/sysctl.d']) {
		for (const name of view.names(folder)) {
			for (const [, key = '', value = ''] of (fileOf(world, `${folder}/${name}`) ?? '').matchAll(
				/^\s*-?([\w./-]+)\s*=\s*(.*?)\s*$/gm,
			)) {
				if (sysctls[key] !== undefined) sysctls[key] = value;
			}
		}
	}
}

/** What is enabled, and what was active without being so, starts; the rest is down. */
function startUnits(world: World): void {
	const { state } = world;
	// sysbox.service says Before=docker.service, so it goes first.
	const order = Object.keys(state.units).toSorted(
		(a, b) => Number(b.startsWith('sysbox')) - Number(a.startsWith('sysbox')),
	);
	const pulledIn: string[] = [];
	for (const name of order) {
		const unit = state.units[name];
		if (unit === undefined) continue;
		const wanted =
			['enabled', 'static'].includes(unit.enabled) && (unit.enabled === 'enabled' || unit.active === 'active');
		Object.assign(unit, { active: 'inactive', sub: 'dead', result: 'success', mainPid: 0, starts: [] });
		for (const timed of ['retryAt', 'readyAt', 'startedAt'] as const) delete unit[timed];
		delete unit.queued;
		if (!wanted) continue;
		unit.queued = true;
		pulledIn.push(name);
	}
	startWantedByDropIns(world);
	for (const name of pulledIn) {
		startUnit(world, name);
		delete state.units[name]?.queued;
	}
}
