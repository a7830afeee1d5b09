import { fullName } from '../services.ts';
import { type Program, UnsimulatedCommand } from '../world.ts';
import { allOf, lastOf, parseOptions } from './options.ts';

/** journalctl over what the simulated units wrote. Times are UTC. */
export const journalctl: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['-u', '-n', '--since', '-o', '-t'],
		flags: ['--no-pager', '-b', '-q'],
	});
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, String(parsed.unknown[0]));
	const { state } = scope.world;
	if (scope.who.uid !== 0 && !scope.who.groups.includes(4)) {
		if (!parsed.flags.has('-q'))
			call.io.err(
				"Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n",
			);
		call.io.err('No journal files were opened due to insufficient permissions.\n');
		return 1;
	}
	const units = allOf(parsed, '-u').map(fullName);
	const who = allOf(parsed, '-t');
	// As `@SECONDS`.
	const since = Number(lastOf(parsed, '--since')?.slice(1) ?? 0) * 1000;
	const shown = state.journal
		.filter(e => units.length === 0 || units.includes(e.unit))
		.filter(e => (who.length === 0 || who.includes(e.who)) && e.at >= since)
		.slice(-Number(lastOf(parsed, '-n') ?? state.journal.length + 1));
	if (shown.length === 0 && !parsed.flags.has('-q')) call.io.out('-- No entries --\n');
	for (const { at, who: from, pid, text } of shown) {
		const stamp = new Date(at).toUTCString().replace(/^\w+, (\d+) (\w+) \d+ (\S+) GMT$/, '$2 $1 $3');
		const line = lastOf(parsed, '-o') === 'cat' ? text : `${stamp} ${state.machine.hostname} ${from}[${pid}]: ${text}`;
		call.io.out(`${line}\n`);
	}
	return 0;
};
