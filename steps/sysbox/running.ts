import type { Finding } from '../../src/model/finding.ts';
import { type BadMount, fuseDirectory, reviveCommand } from '../../src/sysbox/mounts.ts';
import { runningUnderSysbox } from '../../src/sysbox/runtime.ts';
import { allActive, describeUnits, unitsOf } from '../../src/sysbox/services.ts';
import { nameSome } from '../../src/text/name-some.ts';
import type { SysboxFacts } from './facts.ts';

/** sysbox-mgr and sysbox-fs: what a container needs. sysbox.service only holds them together. */
const daemonsRun = ({ services }: SysboxFacts): boolean =>
	unitsOf(services)
		.slice(1)
		.every(unit => unit?.activeState === 'active');

/** Whether the units run, by what a container needs of them. */
export function activeFinding(facts: SysboxFacts): Finding {
	const id = 'sysbox.units-active';
	const { services } = facts;
	const hanging = hangs(facts);
	if (hanging.length > 0)
		return {
			id,
			severity: 'block',
			breaks: true,
			summary: `${nameSome(hanging)} ${hanging.length === 1 ? 'hangs' : 'hang'}: systemd calls all units active, and no Sysbox container can start`,
			evidence: hangEvidence(facts),
			why: 'docker exec and docker run wait until they time out, and df waits on the mounts of sysbox-fs',
			remedy: {
				kind: 'commands',
				text: 'Stop the containers that run under Sysbox if they still stop, restart Sysbox, then start them',
				commands: ['systemctl restart sysbox', ...facts.liveness.dead.map(c => reviveCommand(c, facts.badMounts))],
			},
		};
	if (allActive(services)) return { id, severity: 'ok', summary: 'All three services run' };
	const [main] = unitsOf(services);
	if (daemonsRun(facts))
		return {
			id,
			severity: 'warn',
			summary: `sysbox.service is ${main?.activeState ?? 'unknown'}; sysbox-mgr and sysbox-fs run`,
			evidence: `${describeUnits(services)}${main === undefined || main.result === 'success' ? '' : `, sysbox.service: ${main.result}`}`,
			why: 'Sysbox containers need the two daemons; systemd stops and starts them together with sysbox.service',
			remedy: { kind: 'planned', text: 'Sysbox is started' },
		};
	const late = unitsOf(services).find(u => u?.id === 'sysbox-fs.service' && u.result === 'timeout');
	return {
		id,
		severity: 'block',
		breaks: true,
		summary: 'Not all services of Sysbox run, so no Sysbox container starts',
		evidence: describeUnits(services),
		why:
			late === undefined
				? 'No unit of Sysbox restarts itself, and when one ends the others are stopped with it'
				: 'sysbox-fs sometimes misses its start; another start cures it, and nothing does that by itself',
		remedy: { kind: 'planned', text: 'Sysbox is started' },
	};
}

const isHanging = ({ state }: BadMount): boolean => state === 'hangs';

function hangs({ liveness, badMounts }: SysboxFacts): readonly string[] {
	return [...new Set([...liveness.stopped, ...(badMounts.some(isHanging) ? ['sysbox-fs'] : [])])];
}

const hangEvidence = ({ liveness, badMounts }: SysboxFacts): string =>
	[
		...liveness.stopped.map(name => `${name} is stopped (state T)`),
		...badMounts.filter(isHanging).map(({ path }) => `stat of ${path} gave no answer within 2 s`),
	].join('; ');

/** Containers that look "Up" and are dead, each with the command that brings it back. */
export function deadContainerFindings(facts: SysboxFacts): readonly Finding[] {
	const { liveness, badMounts } = facts;
	const { dead } = liveness;
	if (dead.length === 0) return [];
	const down = !daemonsRun(facts);
	return [
		{
			id: 'sysbox.dead-containers',
			severity: 'warn',
			needs: 'operator',
			summary: down
				? `${nameSome(dead.map(c => c.name))} ${dead.length === 1 ? 'is' : 'are'} "Up" and cannot be entered: Sysbox is down`
				: `${nameSome(dead.map(c => c.name))} ${dead.length === 1 ? 'is' : 'are'} "Up" and cannot be entered: Sysbox was restarted under ${dead.length === 1 ? 'it' : 'them'}`,
			why: 'docker exec fails there. docker stop and docker start bring such a container back; docker restart fails, and can lose its inner images and volumes',
			remedy: {
				kind: 'commands',
				text: down ? 'Once Sysbox runs, stop and start each of them' : 'Stop and start each of them',
				commands: dead.map(container => reviveCommand(container, badMounts)),
			},
		},
	];
}

/** Mounts whose sysbox-fs is gone, of containers that do not run: those of running ones belong to their revival. */
export function deadMountsOf(facts: SysboxFacts): readonly string[] {
	const running = new Set(runningUnderSysbox(facts.docker).map(({ id }) => `${fuseDirectory}/${id}`));
	return facts.badMounts.filter(({ path, state }) => state === 'dead' && !running.has(path)).map(({ path }) => path);
}

export function deadMountFindings(facts: SysboxFacts): readonly Finding[] {
	const dead = facts.badMounts.filter(({ state }) => state === 'dead').map(({ path }) => path);
	if (dead.length === 0) return [];
	const planned = deadMountsOf(facts);
	return [
		{
			id: 'sysbox.dead-mounts',
			severity: 'warn',
			breaks: true,
			summary: `${dead.length === 1 ? 'A mount' : `${dead.length} mounts`} of sysbox-fs ${dead.length === 1 ? 'is' : 'are'} dead: Transport endpoint is not connected`,
			evidence: nameSome(dead, 3),
			why: 'The container that such a mount belongs to does not start, and df fails on this host',
			remedy:
				planned.length === dead.length
					? {
							kind: 'planned',
							text: `${planned.length === 1 ? 'It is' : 'They are'} unmounted; no data is in ${planned.length === 1 ? 'it' : 'them'}`,
						}
					: {
							kind: 'commands',
							text: 'Stop the container that it belongs to first',
							commands: dead.filter(path => !planned.includes(path)).map(path => `umount -l ${path}`),
						},
		},
	];
}
