import { confinementOf } from './confinement.ts';
import type { Container, Engine, Namespaces } from './state.ts';
import type { Scope } from './world.ts';

/** A process as it looks from some place. */
export interface SeenProcess {
	readonly pid: number;
	readonly ppid: number;
	readonly comm: string;
	readonly argv: readonly string[];
	readonly exe: string;
	readonly startedAt: number;
	/** Its owner in the numbers of the place that looks. */
	readonly uidSeen: number;
	readonly userSeen: string;
	readonly namespaces: Namespaces;
	readonly cgroup: string;
	/** Where it runs, and as whom. */
	readonly scope: Scope;
	/** The container that it is in, when that is not the place that looks. */
	readonly container?: Container;
}

const commOf = (argv: readonly string[]): string => (argv[0] ?? '').split('/').at(-1)?.slice(0, 15) ?? '';

export function processesSeen(scope: Scope): readonly SeenProcess[] {
	if (scope.inside === undefined)
		return [
			...hostProcesses(scope),
			...containerProcesses(scope, scope.world.state.docker.engine, scope, p => p.hostPid),
		];
	const { container, engine, parent } = scope.inside;
	if (container.options.pidMode === 'host') return processesSeen(parent);
	const own = insideProcesses(container, engine, parent, p => p.pid, 0).map(seen => {
		const { container: _, ...rest } = seen;
		return rest;
	});
	const nested =
		container.engine === undefined ? [] : containerProcesses(scope, container.engine, scope, p => p.hostPid);
	const self = own.some(p => p.pid === scope.pid) ? [] : [selfProcess(scope)];
	return [...own, ...nested, ...self];
}

function hostProcesses(scope: Scope): readonly SeenProcess[] {
	const { processes, machine } = scope.world.state;
	const host: Scope = { ...scope, who: { uid: 0, gid: 0, groups: [0] } };
	const seen = processes.map(
		(p): SeenProcess => ({
			pid: p.pid,
			ppid: p.ppid,
			comm: p.comm,
			argv: p.argv,
			exe: p.comm === 'systemd' ? '/usr/lib/systemd/systemd' : (p.argv[0] ?? ''),
			startedAt: p.startedAt,
			uidSeen: p.uid,
			userSeen: p.uid === 0 ? 'root' : String(p.uid),
			namespaces: machine.namespaces,
			cgroup: p.unit === undefined ? '/init.scope' : `/system.slice/${p.unit}`,
			scope: { ...host, who: { uid: p.uid, gid: p.uid, groups: [] } },
		}),
	);
	return seen.some(p => p.pid === scope.pid) ? seen : [...seen, selfProcess(scope)];
}

function selfProcess(scope: Scope): SeenProcess {
	return {
		pid: scope.pid,
		ppid: 1,
		comm: 'cat',
		argv: ['cat'],
		exe: scope.inside === undefined ? '/usr/bin/cat' : '/bin/busybox',
		startedAt: scope.world.state.now,
		uidSeen: scope.who.uid,
		userSeen: scope.who.uid === 0 ? 'root' : String(scope.who.uid),
		namespaces: scope.inside?.container.namespaces ?? scope.world.state.machine.namespaces,
		cgroup: scope.inside === undefined ? '/user.slice/user-0.slice/session-3.scope' : '/',
		scope,
	};
}

function containerProcesses(
	viewer: Scope,
	engine: Engine,
	parent: Scope,
	number: (p: Container['processes'][number]) => number,
): SeenProcess[] {
	return engine.containers.flatMap(container => {
		if (container.pid === 0) return [];
		const own = insideProcesses(container, engine, parent, number, 1);
		if (container.engine === undefined) return own;
		const scope: Scope = { ...parent, inside: { container, engine, parent } };
		return [...own, ...containerProcesses(viewer, container.engine, scope, number)];
	});
}

function insideProcesses(
	container: Container,
	engine: Engine,
	parent: Scope,
	number: (p: Container['processes'][number]) => number,
	ppid: number,
): SeenProcess[] {
	const uid = /^\d+/.test(container.options.user) ? Number.parseInt(container.options.user, 10) : 0;
	const scope: Scope = {
		...parent,
		who: { uid, gid: uid, groups: [uid] },
		inside: { container, engine, parent },
	};
	const { userMap } = confinementOf(scope);
	// From inside, uids are those of the container; from the host, those that they are mapped to.
	const uidSeen = ppid === 0 || container.isolation === 'runc' ? uid : userMap.outside + uid;
	return container.processes.map(p => ({
		pid: number(p),
		ppid: p.pid === 1 ? ppid : 1,
		comm: commOf(p.argv),
		argv: p.argv,
		exe: p.argv[0]?.startsWith('/') ? p.argv[0] : '/bin/busybox',
		startedAt: p.startedAt,
		uidSeen,
		userSeen: uidSeen === 0 ? 'root' : String(uidSeen),
		namespaces: container.namespaces,
		cgroup: `/system.slice/docker-${container.id}.scope${container.isolation === 'sysbox' ? '/init.scope' : ''}`,
		scope,
		container,
	}));
}
