import type { Finding } from '../../src/model/finding.ts';
import type { Argv, ReadHost } from '../../src/port/host.ts';
import { excerpt } from '../../src/system/reading.ts';

/** Whether the place that a package is fetched from can be reached from this host. */
export type Reachable =
	| { readonly kind: 'reached' }
	| { readonly kind: 'unreached'; readonly said: string }
	/** Only a fetch will tell. */
	| { readonly kind: 'unknown'; readonly why: string };

/**
 * Exit codes of curl(1) for a host, or a proxy, that cannot be reached or spoken to: no name, no connection, no answer in
 * time, no TLS. An answer that is an error (22) may be one to HEAD alone.
 */
const unreachedCodes: readonly number[] = [5, 6, 7, 28, 35, 52, 56, 60];

/** The question. `-q`: a .curlrc may name another proxy, or say insecure. */
export const reachCommand = (url: string): Argv => [
	...(['curl', '-q', '--proto', '=https', '--proto-redir', '=https', '--tlsv1.2', '-fsSIL'] as const),
	...['--connect-timeout', '5', '--max-time', '8', '-o', '/dev/null', url],
];

/** Asks for the head of an https address, within 8 s. Nothing is fetched or changed. */
export async function inspectReachable(host: ReadHost, url: string, signal: AbortSignal): Promise<Reachable> {
	const result = await host.exec(reachCommand(url), { timeoutMs: 10_000, signal });
	if (result.code === 0) return { kind: 'reached' };
	if (result.problem === 'missing') return { kind: 'unknown', why: 'there is no curl on this host to ask with' };
	const said = excerpt(result.stderr.trim() || `curl: ${result.problem ?? `exit code ${result.code}`}`, 200);
	return result.problem === 'timeout' || unreachedCodes.includes(result.code ?? -1)
		? { kind: 'unreached', said }
		: { kind: 'unknown', why: said };
}

/** The finding about it. A package that cannot be fetched keeps a run from its work before anything is changed. */
export function reachableFinding(url: string, reachable: Reachable): Finding {
	const id = 'sysbox.reachable';
	const { host } = new URL(url);
	switch (reachable.kind) {
		case 'reached':
			return { id, severity: 'ok', summary: `${host}, which the package is fetched from, can be reached` };
		case 'unknown':
			return {
				id,
				severity: 'info',
				summary: `Whether the package can be fetched from ${host} shows only when it is fetched`,
				evidence: reachable.why,
			};
		case 'unreached':
			return {
				id,
				severity: 'block',
				summary: `${host} cannot be reached, and the Sysbox package has to be fetched from there`,
				evidence: reachable.said,
				why: 'A run would stop at the download',
				remedy: {
					kind: 'advice',
					text: `Name the proxy (HTTPS_PROXY=…), or fetch ${url} elsewhere and pass it with --deb FILE`,
				},
			};
		default:
			return reachable satisfies never;
	}
}
