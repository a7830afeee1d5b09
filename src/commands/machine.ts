import { setTimeout as wait } from 'node:timers/promises';
import type { CommonOptions } from '../args.ts';
import { WrongInput } from '../core/wrong-input.ts';
import { localHost } from '../host/local/local-host.ts';
import { knowledge } from '../knowledge/index.ts';
import { defaultStatePath } from '../state/state-folder.ts';
import type { Surroundings } from './surroundings.ts';

/** How the operator started this tool, so that every command that is printed works as typed. */
export function ownCommand(environment: Readonly<Record<string, string | undefined>>, version: string): string {
	// npx runs the program as an npm command of this name; a global or a local install does not set it.
	return environment['npm_command'] === 'exec' ? `sudo npx sysbox-setup@${version}` : 'sysbox-setup';
}

/** Waits, and ends early without an error when the run is stopped. */
async function realPause(ms: number, signal: AbortSignal): Promise<void> {
	try {
		await wait(ms, undefined, { signal });
	} catch {
		// The only reason is the abort, and whoever waits looks at the signal next.
	}
}

/** This machine. */
export async function realSurroundings(options: CommonOptions, version: string): Promise<Surroundings> {
	if (process.platform !== 'linux') {
		throw new WrongInput(
			`this is ${process.platform}; Sysbox runs on Linux hosts with Docker Engine. Start sysbox-setup on the host itself.`,
			['look around on a simulated host: sysbox-setup --demo --yes'],
		);
	}
	const stateFolder = options.sessionDir ?? defaultStatePath(process.getuid?.() ?? 0, process.env);
	return {
		host: localHost(),
		simulated: false,
		knowledge,
		stateFolder,
		hostFolder: stateFolder,
		workingFolder: process.cwd(),
		command: ownCommand(process.env, version),
		version,
		pause: realPause,
		now: () => new Date(),
	};
}

export async function simulatedSurroundings(_o: CommonOptions, _v: string): Promise<Surroundings> {
	throw new WrongInput('later');
}
