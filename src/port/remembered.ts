import type { ExecResult, ReadHost } from './host.ts';

/**
 * A host that is asked each thing once: for looks between which nothing is changed. What is given to a command on its
 * standard input, or read while it is printed, is asked again.
 */
export function rememberedHost(host: ReadHost): ReadHost {
	const answers = new Map<string, Promise<unknown>>();
	function once<T>(key: readonly unknown[], ask: () => Promise<T>): Promise<T> {
		const name = JSON.stringify(key);
		const known = answers.get(name) as Promise<T> | undefined;
		if (known !== undefined) return known;
		const answer = ask();
		answers.set(name, answer);
		return answer;
	}
	return {
		kind: host.kind,
		identity: host.identity,
		exec: (argv, options): Promise<ExecResult> =>
			options.stdin === undefined && options.onLine === undefined
				? once(['exec', argv, options.maxBytes, options.timeoutMs], () => host.exec(argv, options))
				: host.exec(argv, options),
		readFile: (path, options) => once(['read', path, options?.maxBytes], () => host.readFile(path, options)),
		stat: path => once(['stat', path], () => host.stat(path)),
		list: path => once(['list', path], () => host.list(path)),
		digest: (path, options) => once(['digest', path, options?.maxBytes], () => host.digest(path, options)),
		space: path => once(['space', path], () => host.space(path)),
	};
}
