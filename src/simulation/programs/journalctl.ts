import { fullName } from '../services.ts';
import type { JournalEntry } from '../state.ts';
import type { Program } from '../world.ts';
import { allOf, lastOf, parseOptions } from './options.ts';

/** journalctl over what the simulated units wrote. Times are UTC. */
export const journalctl: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: [
			'-u',
			'--unit',
			'-n',
			'--lines',
			'--since',
			'-S',
			'--until',
			'-U',
			'-o',
			'--output',
			'-p',
			'--priority',
			'-t',
			'--identifier',
			'-g',
			'--grep',
			'--cursor',
			'--after-cursor',
		],
		flags: [
			'--no-pager',
			'-b',
			'--boot',
			'-q',
			'--quiet',
			'-k',
			'--dmesg',
			'-r',
			'--reverse',
			'--no-hostname',
			'--utc',
			'-x',
			'-e',
			'-f',
			'--no-full',
			'-a',
			'--all',
			'-xe',
			'--show-cursor',
		],
	});
	const { state } = scope.world;
	const quiet = parsed.flags.has('-q') || parsed.flags.has('--quiet');
	if (scope.who.uid !== 0 && !scope.who.groups.includes(4)) {
		if (!quiet)
			call.io.err(
				"Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n",
			);
		call.io.err('No journal files were opened due to insufficient permissions.\n');
		return 1;
	}
	const units = allOf(parsed, '-u', '--unit').map(fullName);
	const who = allOf(parsed, '-t', '--identifier');
	const since = timeOf(lastOf(parsed, '--since', '-S'), state.now) ?? 0;
	const until = timeOf(lastOf(parsed, '--until', '-U'), state.now) ?? Number.POSITIVE_INFINITY;
	const pattern = lastOf(parsed, '-g', '--grep');
	const kernel = parsed.flags.has('-k') || parsed.flags.has('--dmesg');
	const all: readonly JournalEntry[] = kernel
		? state.kernelLog.map(e => ({ ...e, unit: '', who: 'kernel', pid: 0 }))
		: state.journal;
	let shown = all.filter(
		e =>
			(units.length === 0 || units.includes(e.unit)) &&
			(who.length === 0 || who.includes(e.who)) &&
			e.at >= since &&
			e.at <= until &&
			(pattern === undefined || new RegExp(pattern, 'i').test(e.text)),
	);
	const count = lastOf(parsed, '-n', '--lines');
	if (count !== undefined && count !== 'all') shown = shown.slice(-Number(count));
	if (parsed.flags.has('-r') || parsed.flags.has('--reverse')) shown = shown.toReversed();
	const output = lastOf(parsed, '-o', '--output') ?? 'short';
	if (shown.length === 0 && !quiet && output !== 'json') {
		call.io.out('-- No entries --\n');
		return 0;
	}
	const host = parsed.flags.has('--no-hostname') ? '' : `${state.machine.hostname} `;
	for (const e of shown) {
		const from = `${e.who}${e.pid > 0 ? `[${e.pid}]` : ''}`;
		if (output === 'cat') call.io.out(`${e.text}\n`);
		else if (output === 'json')
			call.io.out(
				`${JSON.stringify({ __REALTIME_TIMESTAMP: String(e.at * 1000), _SYSTEMD_UNIT: e.unit, SYSLOG_IDENTIFIER: e.who, _PID: String(e.pid), _HOSTNAME: state.machine.hostname, MESSAGE: e.text, PRIORITY: /level=(?:fatal|error)|[Ff]ailed/.test(e.text) ? '3' : '6' })}\n`,
			);
		else
			call.io.out(
				`${output.startsWith('short-iso') ? `${new Date(e.at).toISOString().slice(0, 19)}+0000` : shortTime(e.at)} ${host}${from}: ${e.text}\n`,
			);
	}
	return 0;
};

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function shortTime(ms: number): string {
	const at = new Date(ms);
	return `${months[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2, '0')} ${at.toISOString().slice(11, 19)}`;
}

/** `2026-11-23 23:05:06`, `@1795475106`, `-15min`, `10 minutes ago`, `today`. */
function timeOf(text: string | undefined, now: number): number | undefined {
	if (text === undefined) return undefined;
	if (text === 'now') return now;
	if (text === 'today') return now - (now % 86_400_000);
	if (text.startsWith('@')) return Number(text.slice(1)) * 1000;
	const relative = /^-?\s*(\d+)\s*(s|sec|second|seconds|m|min|minute|minutes|h|hour|hours|d|day|days)(?:\s+ago)?$/.exec(
		text,
	);
	if (relative !== null) {
		const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[relative[2]?.charAt(0) ?? 's'] ?? 1;
		return now - Number(relative[1]) * unit * 1000;
	}
	const at = Date.parse(`${text.replace(' UTC', '').replace(' ', 'T')}${/[Zz]|[+-]\d\d:?\d\d$/.test(text) ? '' : 'Z'}`);
	return Number.isNaN(at) ? undefined : at;
}
