import type { SimulatedState } from './state.ts';

/** What can be made to go wrong on a simulated host. */
export const faultNames = [
	'write-fails',
	'file-changed-underneath',
	'apt-locked',
	'apt-fails',
	'sysbox-fs-start-timeout',
	'sysboxfs-mount-stays',
	'docker-hangs',
	'docker-garbage',
	'docker-down',
	'docker-reload-refused',
	'docker-reload-ignored',
	'docker-does-not-come-back',
	'docker-starts-slowly',
	'lying-runtime',
	'broken-runtime',
	'no-internet',
	'download-cut',
	'no-cgroup-controllers',
	'not-root',
] as const;

export type FaultName = (typeof faultNames)[number];

export interface Fault {
	readonly name: FaultName;
	/** The first time it fires: 1 is the first call that it could hit. Default 1. */
	readonly nth?: number | undefined;
	/** How many calls it hits from then on. Default: all. */
	readonly times?: number | undefined;
	/** For faults of files: the path. A trailing `*` matches any ending. */
	readonly path?: string | undefined;
	/** For `write-fails`; default ENOSPC. For `apt-fails`: ENOSPC fills the disk, without it a script fails. */
	readonly errno?: 'ENOSPC' | 'EROFS' | 'EACCES' | 'EIO' | undefined;
	/** For `file-changed-underneath`: what another program has just written there. */
	readonly content?: string | undefined;
	/** For `docker-starts-slowly`: how long a start takes. Default two and a half minutes. */
	readonly ms?: number | undefined;
	/** For `docker-hangs` and `docker-garbage`: only commands whose words after `docker` start so. */
	readonly command?: string | undefined;
}

/** Asked by programs at the places where things go wrong. Counts in the draft, so that a resumed demo goes on counting. */
export interface FaultSwitch {
	/** Counts this call, and returns the fault when it hits it. */
	fires(name: FaultName, subject?: string): Fault | undefined;
	/** True while the fault is switched on at all, without counting. */
	has(name: FaultName): boolean;
}

export function faultSwitch(faults: readonly Fault[], state: SimulatedState): FaultSwitch {
	return {
		has: name => faults.some(f => f.name === name),
		fires: (name, subject) => {
			for (const [index, fault] of faults.entries()) {
				if (fault.name !== name || !concerns(fault, subject)) continue;
				const key = `${name}#${index}`;
				const count = state.faultCounts[key] ?? { asked: 0, fired: 0 };
				count.asked += 1;
				state.faultCounts[key] = count;
				if (count.asked < (fault.nth ?? 1)) continue;
				if (fault.times !== undefined && count.fired >= fault.times) continue;
				count.fired += 1;
				return fault;
			}
			return undefined;
		},
	};
}

function concerns(fault: Fault, subject: string | undefined): boolean {
	const pattern = fault.path ?? fault.command;
	if (pattern === undefined || subject === undefined) return true;
	if (fault.command !== undefined) return subject === pattern || subject.startsWith(`${pattern} `);
	return pattern.endsWith('*') ? subject.startsWith(pattern.slice(0, -1)) : subject === pattern;
}

/** Faults that are a state of the machine and not an event: they are put into the state once, before the first command. */
export function applyStanding(state: SimulatedState, faults: readonly Fault[]): void {
	for (const { name } of faults) {
		if (state.faultCounts[`standing:${name}`] !== undefined) continue;
		state.faultCounts[`standing:${name}`] = { asked: 1, fired: 1 };
		switch (name) {
			case 'not-root':
				state.identity = { ...state.identity, uid: 1000, gid: 1000, groups: [1000, 27, 988], user: 'anna' };
				for (const p of state.processes) if (p.pid === state.identity.pid) p.uid = 1000;
				break;
			case 'no-internet':
				state.internet = false;
				break;
			case 'no-cgroup-controllers':
				state.machine.cgroupControllers = [];
				break;
			case 'docker-down': {
				state.docker.engine.up = false;
				const unit = state.units['docker.service'];
				if (unit !== undefined) Object.assign(unit, { active: 'inactive', sub: 'dead', mainPid: 0 });
				for (const container of state.docker.engine.containers) {
					if (container.status !== 'running') continue;
					Object.assign(container, { status: 'exited', pid: 0, processes: [], finishedAt: state.now });
				}
				state.processes = state.processes.filter(p => p.unit !== 'docker.service');
				break;
			}
			default:
				break;
		}
	}
}
