import { posix } from 'node:path';
import { absolute, allowed, resolve } from './file-tree.ts';
import { type Call, type Exit, type Scope, UnsimulatedCommand } from './world.ts';

/** The file that a name stands for there, or undefined. `denied`: it is there, and this user may not run it. */
export function findProgram(
	scope: Scope,
	name: string,
): { readonly path: string; readonly denied: boolean } | undefined {
	const candidates = name.includes('/')
		? [absolute(name, scope.cwd)]
		: scope.path.split(':').map(folder => posix.join(folder, name));
	for (const candidate of candidates) {
		const found = resolve(scope.view, candidate, scope.who);
		if (found.kind === 'problem' || found.node.kind !== 'file') continue;
		return {
			path: found.path,
			denied: scope.who.uid === 0 ? (found.node.mode & 0o111) === 0 : !allowed(found.node, scope.who, 1),
		};
	}
	return undefined;
}

/** Runs a program there. Undefined: there is none of that name. */
export function runProgram(scope: Scope, call: Call): Exit | undefined {
	const name = call.argv[0] ?? '';
	const base = posix.basename(name);
	const { programs, absent } = scope.world;
	const program = programs[base];
	const found = findProgram(scope, name);
	if (found === undefined) {
		if (program === undefined && !name.includes('/') && !absent.has(base))
			throw new UnsimulatedCommand(call.argv, 'no such program in the simulation');
		return undefined;
	}
	if (found.denied) return 126;
	// A link, such as /usr/bin/sh → dash, runs by the name that it was called by.
	const run = program ?? programs[posix.basename(found.path)];
	if (run === undefined)
		throw new UnsimulatedCommand(call.argv, `${found.path} is there, but what it does is not simulated`);
	return run(scope, call);
}
