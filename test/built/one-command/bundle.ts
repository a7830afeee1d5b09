import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleSettings } from '../../../scripts/bundle-settings.mjs';
import { openTerminal, type Session, sessionDirectory, terminalEnvironment } from '../support-terminal.ts';

export interface OneCommand {
	readonly argv: readonly [string, ...string[]];
	/** As for a package manager. */
	readonly uninterruptible?: true;
	readonly plain?: true;
	readonly stateDirectory: string;
}

export interface OneCommandProgram {
	readonly start: (command: Omit<OneCommand, 'stateDirectory'>, line?: { readonly slowMs: number }) => Session;
	readonly remove: () => void;
}

/** Bundled once a test file, as the program is. */
export async function oneCommandProgram(): Promise<OneCommandProgram> {
	const root = new URL('../../../', import.meta.url).pathname;
	const directory = mkdtempSync(join(tmpdir(), 'one-command-'));
	await build({
		...bundleSettings('0.0.0'),
		entryPoints: { main: join(root, 'test/built/one-command/main.ts') },
		outdir: directory,
		outExtension: { '.js': '.mjs' },
	});
	return {
		start: (command, line) => {
			const stateDirectory = sessionDirectory();
			return openTerminal([process.execPath, join(directory, 'main.mjs')], {
				env: terminalEnvironment({ ONE_COMMAND: JSON.stringify({ ...command, stateDirectory } satisfies OneCommand) }),
				directory: stateDirectory,
				cwd: stateDirectory,
				...line,
			});
		},
		remove: () => rmSync(directory, { recursive: true, force: true }),
	};
}
