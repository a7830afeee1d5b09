import type { ExecResult, ReadHost } from './host.ts';

/** How long one look at a host waits for a Docker that does not answer, over all of its calls. Milliseconds. */
const lookMs = 15_000;

/**
 * A host whose Docker has one deadline for all calls together: time in which a call got no answer counts once, however
 * many calls wait in it. When it is used up, further calls of Docker are answered `timeout` at once and not made. Until
 * the first answer they are made one after the other. What Docker answers costs nothing of the deadline, so that a slow
 * Docker is still heard. For looks only: what changes the host waits by deadlines of its own.
 *
 * @param elapsed milliseconds by a clock that nobody can set
 */
export function dockerDeadline(host: ReadHost, elapsed: () => number): ReadHost {
	let unanswered = 0;
	let countedTo = Number.NEGATIVE_INFINITY;
	/** When each call began that has not ended yet. */
	const waiting = new Map<symbol, number>();
	let answered = false;
	let underWay: Promise<unknown> = Promise.resolve();
	const since = (began: number, now: number): number => Math.max(0, now - Math.max(began, countedTo));

	type Call = Parameters<ReadHost['exec']>;

	function ask(...call: Call): Promise<ExecResult> {
		if (answered) return askNow(...call);
		const mine = underWay.then(() => {
			const asked = askNow(...call);
			return answered ? { asked } : asked.then(() => ({ asked }));
		});
		underWay = mine.catch(() => undefined);
		return mine.then(({ asked }) => asked);
	}

	async function askNow(...[argv, options]: Call): Promise<ExecResult> {
		const began = elapsed();
		const left = lookMs - unanswered - Math.max(0, ...[...waiting.values()].map(other => since(other, began)));
		if (left <= 0) return { code: null, stdout: '', stderr: '', problem: 'timeout', elapsedMs: lookMs };
		const call = Symbol();
		waiting.set(call, began);
		try {
			const result = await host.exec(argv, { ...options, timeoutMs: Math.min(options.timeoutMs, left) });
			if (result.problem === 'timeout') {
				const now = elapsed();
				unanswered += since(began, now);
				countedTo = Math.max(countedTo, now);
			} else answered = true;
			return result;
		} finally {
			waiting.delete(call);
		}
	}
	return {
		kind: host.kind,
		identity: host.identity,
		exec: (argv, options) => (argv[0] === 'docker' ? ask(argv, options) : host.exec(argv, options)),
		readFile: (path, options) => host.readFile(path, options),
		stat: path => host.stat(path),
		list: path => host.list(path),
		digest: (path, options) => host.digest(path, options),
		space: path => host.space(path),
	};
}
