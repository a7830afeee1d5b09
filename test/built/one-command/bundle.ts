import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleSettings } from '../../../scripts/bundle-settings.mjs';
import { openTerminal, type Session, sessionFolder, terminalEnvironment } from '../support-terminal.ts';

export interface OneCommand {
	readonly argv: readonly [string, ...string[]];
	/** As for a package manager. */
	readonly uninterruptible?: true;
	readonly plain?: true;
	readonly stateFolder: string;
}

export interface OneCommandProgram {
	readonly start: (command: Omit<OneCommand, 'stateFolder'>, line?: { readonly slowMs: number }) => Session;
	readonly remove: () => void;
}

/** Bundled once a test file, as the program is. */
export async function oneCommandProgram(): Promise<OneCommandProgram> {
	const root = new URL('../../../', import.meta.url).pathname;
	const folder = mkdtempSync(join(tmpdir(), 'one-command-'));
	await build({
		...bundleSettings('0.0.0'),
		entryPoints: { main: join(root, 'test/built/one-command/main.ts') },
		outdir: folder,
		outExtension: { '.js': '.mjs' },
	});
	return {
		start: (command, line) => {
			const stateFolder = sessionFolder();
			return openTerminal([process.execPath, join(folder, 'main.mjs')], {
				env: terminalEnvironment({ ONE_COMMAND: JSON.stringify({ ...command, stateFolder } satisfies OneCommand) }),
				folder: stateFolder,
				cwd: stateFolder,
				...line,
			});
		},
		remove: () => rmSync(folder, { recursive: true, force: true }),
	};
}
