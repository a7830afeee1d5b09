import { describe, expect, it } from 'vitest';
import { type SudoResult, startAgainAsRoot } from '../../src/cli/root.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { WrongInput } from '../../src/model/wrong-input.ts';

const own = { node: '/usr/bin/node', entry: '/opt/sysbox-setup/cli.js' };

/** Starts again with a sudo that only notes what it was given. */
async function start(options: {
	interactive?: boolean;
	environment?: Record<string, string>;
	sudo?: SudoResult;
	typed?: string[];
}): Promise<{ args: readonly string[]; said: string; exit: number | Error }> {
	let said = '';
	let args: readonly string[] = [];
	const terminal: Terminal = {
		out: () => undefined,
		err: text => {
			said += text;
		},
		interactive: options.interactive ?? false,
		environment: options.environment ?? {},
		ask: async () => null,
		attach: () => () => undefined,
		handOver: () => undefined,
		close: () => undefined,
	};
	const exit = await startAgainAsRoot(own, options.typed ?? ['--yes'], terminal, async given => {
		args = given;
		return options.sudo ?? { kind: 'ended', code: 0 };
	}).catch((error: Error) => error);
	return { args, said, exit };
}

describe('started without root', () => {
	it('shows the command and starts itself again with what was typed', async () => {
		const { args, said, exit } = await start({ typed: ['--yes', '--change-id', 'CHG 17'] });
		expect(said).toContain("sudo -n sysbox-setup --yes --change-id 'CHG 17'");
		expect(args.slice(-5)).toEqual([own.node, own.entry, '--yes', '--change-id', 'CHG 17']);
		expect(exit).toBe(0);
	});

	it('lets sudo ask for a password only where somebody can type one', async () => {
		expect((await start({ interactive: false })).args).toContain('-n');
		expect((await start({ interactive: true })).args).not.toContain('-n');
	});

	it('takes options and proxies that were given in the environment along, and nothing else of it', async () => {
		const proxies = { https_proxy: 'http://proxy', ALL_PROXY: 'http://proxy' };
		const environment = { SBXSETUP_ANSWERS: '/root/answers.yml', LD_PRELOAD: '/tmp/x.so', PATH: '/tmp', ...proxies };
		const kept = (await start({ environment })).args.find(word => word.startsWith('--preserve-env='));
		expect(kept).toMatch(/SBXSETUP_ANSWERS,https_proxy,ALL_PROXY$/);
		expect(kept).not.toMatch(/LD_PRELOAD|PATH/);
	});

	it('ends as the second start ended', async () => {
		expect((await start({ sudo: { kind: 'ended', code: 3 } })).exit).toBe(3);
		expect((await start({ sudo: { kind: 'signalled' } })).exit).toBe(130);
	});

	it('says what to do where there is no sudo', async () => {
		const { exit } = await start({ sudo: { kind: 'not-started' } });
		expect(exit).toBeInstanceOf(WrongInput);
		expect((exit as WrongInput).next.join(' ')).toContain('become root');
	});
});
