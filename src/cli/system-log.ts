import type { Event, EventPayload } from '../model/event.ts';
import type { EventReader } from '../model/event-stream.ts';
import type { RunState } from '../model/state.ts';
import type { WriteHost } from '../port/host.ts';
import { redact } from '../text/redact.ts';
import { safeJson } from '../text/safe.ts';

/** The host's system log, for whoever follows changes there and not in this tool's own log. */
export interface SystemLog {
	readonly reader: EventReader;
	/** Waits for what is still on its way. Says what kept lines out, as that never fails a run. */
	readonly close: () => Promise<string | undefined>;
}

/** syslog(3) cuts or refuses longer lines in some daemons: RFC 3164 allows 1,024 bytes, head included. */
const longest = 900;

/** One line at the start, for each change and at the end, by logger(1), which every Debian and Ubuntu has (bsdutils). */
export function systemLog(host: WriteHost): SystemLog {
	let sending: Promise<void> = Promise.resolve();
	let trouble: string | undefined;
	async function send(line: string): Promise<void> {
		// Where it failed once each further line would only cost time.
		if (trouble !== undefined) return;
		const argv = ['logger', '-t', 'sysbox-setup', '-p', 'auth.notice', '--', line] as const;
		const { code, problem, stderr } = await host.run(argv, { timeoutMs: 5_000 });
		if (code !== 0) trouble = `logger: ${problem ?? (stderr.trim() || `exit code ${code}`)}`;
	}
	return {
		reader: (event, state) => {
			const line = lineOf(event, state);
			if (line === undefined) return;
			sending = sending
				.then(() => send(line))
				.catch((error: unknown) => {
					trouble ??= String(error);
				});
		},
		close: async () => {
			await sending;
			return trouble;
		},
	};
}

/** `event=change run=R user=anna change="CHG 17" step=sysbox action=install outcome=done what="Install sysbox-ce"` */
function lineOf(event: Event, state: RunState): string | undefined {
	const said = wordsOf(event, state);
	if (said === undefined) return undefined;
	const { start, resumes } = state;
	const words = {
		event: said.event,
		run: start?.run,
		user: resumes.at(-1)?.user ?? start?.user,
		change: start?.changeId,
		...said.more,
	};
	return Object.entries(words)
		.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quoted(redact(value))}`]))
		.join(' ')
		.slice(0, longest);
}

interface Said {
	readonly event: 'start' | 'resume' | 'change' | 'end';
	readonly more: Readonly<Record<string, string | undefined>>;
}

function wordsOf(event: EventPayload, state: RunState): Said | undefined {
	switch (event.type) {
		case 'run.start':
			return { event: 'start', more: { mode: event.mode, tool: event.tool, plan: event.plan?.digest } };
		case 'run.resume':
			return { event: 'resume', more: { mode: state.start?.mode, tool: event.tool, plan: event.plan?.digest } };
		case 'action.outcome': {
			const { step, action, outcome } = event;
			const what = state.actions.findLast(a => a.step === step && a.id === action)?.title;
			return { event: 'change', more: { step, action, outcome, what } };
		}
		case 'run.end':
			return {
				event: 'end',
				more: { outcome: event.outcome, exit: String(event.exit), changed: event.changed ? 'yes' : 'no' },
			};
		default:
			return undefined;
	}
}

/** A word as it is; anything else in quotes, so that nothing in it can look like another field or another line. */
const quoted = (value: string): string => (/^[\w.:/@+-]+$/.test(value) ? value : safeJson(value));
