import { createHmac } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { localHost } from '../host/local/local-host.ts';
import { machineId } from '../host/local/machine-identity.ts';
import { sweepTemporaryFiles } from '../host/local/root-file-writer.ts';
import { knowledge } from '../knowledge/index.ts';
import { WrongInput } from '../model/wrong-input.ts';
import { hostWithForeignFile } from '../port/foreign-file.ts';
import type { Environment } from '../session/environment.ts';
import { openDirectory } from '../session/open-run.ts';
import { defaultStatePath } from '../session/state-directory.ts';
import type { ScenarioName } from '../simulation/scenarios.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { shellLine } from '../text/shell-line.ts';
import { type CommonOptions, usualScenario } from './args.ts';

/** What started this process. */
export interface Started {
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly version: string;
	/** The file that node was given. */
	readonly entry: string;
	/** Whether a shell would find a program of this name. */
	readonly isInPath: (program: string) => boolean;
}

/** How the operator started this tool, so that every command that is printed works as typed. */
export function ownCommand({ environment, version, entry, isInPath }: Started): string {
	// npx runs the program as an npm command of this name; a global or a local install does not set it. Without sudo in
	// front: npx would run from the user's cache as root, and a run asks for sudo itself.
	if (environment['npm_command'] === 'exec') return `npx sysbox-setup@${version}`;
	return isInPath('sysbox-setup') ? 'sysbox-setup' : shellLine(['node', entry]);
}

const startedHere = (version: string): Started => ({
	environment: process.env,
	version,
	entry: process.argv[1] ?? 'sysbox-setup',
	isInPath: program =>
		(process.env['PATH'] ?? '')
			.split(delimiter)
			.some(directory => directory !== '' && isProgram(join(directory, program))),
});

function isProgram(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** As {@link ownCommand}, for this process. */
export const commandHere = (version: string): string => ownCommand(startedHere(version));

/** How the operator starts this tool on the same host again, real or simulated, with its files where they are kept. */
export function commandFor({ demo, sessionDir }: CommonOptions, version: string): string {
	const simulated = demo === undefined ? '' : ` --demo${demo === usualScenario ? '' : `=${demo}`}`;
	const directory = sessionDir === undefined ? '' : ` ${shellLine(['--session-dir', sessionDir])}`;
	return `${commandHere(version)}${simulated}${directory}`;
}

/** Waits, and ends early without an error when the run is stopped. */
async function realPause(ms: number, signal: AbortSignal): Promise<void> {
	try {
		await wait(ms, undefined, { signal });
	} catch {
		// The only reason is the abort, and whoever waits looks at the signal next.
	}
}

/** An id for this program alone, as machine-id(5) asks for: the machine's own is to stay on it. */
const machineName = (id: string | undefined): string =>
	id === undefined ? '' : createHmac('sha256', id).update('sysbox-setup').digest('hex');

/** This machine. */
export async function realSurroundings(options: CommonOptions, version: string): Promise<Environment> {
	if (process.platform !== 'linux') {
		throw new WrongInput(
			`this is ${process.platform}; Sysbox runs on Linux hosts with Docker Engine. Start sysbox-setup on the host itself.`,
			['look around on a simulated host: sysbox-setup --demo --yes'],
		);
	}
	const stateDirectory = options.sessionDir ?? defaultStatePath(process.getuid?.() ?? 0, process.env);
	return {
		host: localHost(),
		simulated: false,
		machine: machineName(machineId()),
		knowledge,
		stateDirectory,
		hostDirectory: stateDirectory,
		workingDirectory: process.cwd(),
		record: options.record === undefined ? undefined : resolve(options.record),
		command: commandFor(options, version),
		version,
		sweep: async directories =>
			(await Promise.all(directories.map(directory => sweepTemporaryFiles(directory)))).flat(),
		pause: realPause,
		now: () => new Date(),
		elapsed: () => performance.now(),
	};
}

/** The scenario of `--demo`; a misspelt one is refused with the names that there are. */
export async function scenarioNamed(demo: string): Promise<ScenarioName> {
	const { isScenarioName, scenarioNames, scenarioTitles } = await import('../simulation/scenarios.ts');
	if (isScenarioName(demo)) return demo;
	throw new WrongInput(
		`there is no simulated host called ${demo}.${didYouMean(demo, scenarioNames)}`,
		scenarioNames.map(name => `--demo=${name}: ${scenarioTitles[name]}`),
	);
}

/**
 * A simulated machine, kept in a file of the demo's own session directory so that a run on it can be resumed. It never
 * touches a real session. The record alone can go to a real path, when one is named.
 */
export async function simulatedSurroundings(options: CommonOptions, version: string): Promise<Environment> {
	const [{ scenarioFaults, scenarioState }, { simulatedHost }, { simulatedHostFile }, { releasesFrom }] =
		await Promise.all([
			import('../simulation/scenarios.ts'),
			import('../simulation/host.ts'),
			import('../simulation/simulated-host-file.ts'),
			import('../simulation/releases.ts'),
		]);
	const name = await scenarioNamed(options.demo ?? usualScenario);
	// Never root's own directory, whoever starts a demo.
	const stateDirectory = resolve(options.sessionDir ?? join(defaultStatePath(1, process.env), `demo-${name}`));
	await openDirectory(stateDirectory, true, true);
	const file = simulatedHostFile(join(stateDirectory, `host-${name}.json`));
	const simulated = simulatedHost({
		state: (options.fresh ? undefined : file.load()) ?? scenarioState(name),
		faults: scenarioFaults(name),
		pace: 'demo',
		onUnknownCommand: 'not-found',
		releases: releasesFrom(knowledge.releases),
		onChange: state => file.save(state),
	});
	const hostDirectory = '/var/lib/sysbox-setup';
	await simulated.makeDirectory(hostDirectory, { mode: 0o700 });
	const record = options.record === undefined ? undefined : resolve(options.record);
	return {
		host: record === undefined ? simulated : hostWithForeignFile(simulated, localHost(), record),
		simulated: true,
		machine: machineName(`demo ${name}`),
		knowledge,
		stateDirectory,
		hostDirectory,
		workingDirectory: '/root',
		record,
		command: commandFor(options, version),
		version,
		// Its files are replaced in one piece by the simulation itself.
		sweep: async () => [],
		pause: (ms, signal) => simulated.clock.sleep(ms, signal),
		now: () => new Date(simulated.clock.now()),
		elapsed: () => simulated.clock.now(),
	};
}
