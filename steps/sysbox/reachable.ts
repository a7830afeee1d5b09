import type { Finding } from '../../src/model/finding.ts';
import type { ReadHost } from '../../src/port/host.ts';
import { curlTrouble, headCommand } from '../../src/system/fetch.ts';
import { excerpt } from '../../src/system/reading.ts';

/** Whether the place that a package is fetched from can be reached from this host. */
export type Reachable =
	| { readonly kind: 'reached' }
	| { readonly kind: 'unreached' | 'untrusted'; readonly said: string }
	/** Only a fetch will tell. */
	| { readonly kind: 'unknown'; readonly why: string }
	| { readonly kind: 'no-curl' };

/**
 * Asks for the head of an https address, as the fetch will ask for all of it. Nothing is fetched or changed. An answer that
 * is an error may be one to this question alone.
 */
export async function inspectReachable(host: ReadHost, url: string, signal: AbortSignal): Promise<Reachable> {
	const result = await host.exec(headCommand(url), { timeoutMs: 10_000, signal });
	if (result.code === 0) return { kind: 'reached' };
	if (result.problem === 'missing') return { kind: 'no-curl' };
	const said = excerpt(result.stderr.trim() || `curl: ${result.problem ?? `exit code ${result.code}`}`, 200);
	const trouble = curlTrouble(result);
	return trouble === 'unreached' || trouble === 'untrusted' ? { kind: trouble, said } : { kind: 'unknown', why: said };
}

/** The finding about it. A package that cannot be fetched keeps a run from its work before anything is changed. */
export function reachableFinding(url: string, reachable: Reachable): Finding {
	const id = 'sysbox.reachable';
	const { host } = new URL(url);
	switch (reachable.kind) {
		case 'reached':
			return { id, severity: 'ok', summary: `${host}, which the package is fetched from, can be reached` };
		case 'unknown':
		case 'no-curl':
			return {
				id,
				severity: 'info',
				summary: `Whether the package can be fetched from ${host} shows only when it is fetched`,
				evidence: reachable.kind === 'unknown' ? reachable.why : 'there is no curl on this host to ask with',
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
		case 'untrusted':
			return {
				id,
				severity: 'block',
				summary: `This host does not trust the certificate of ${host}, and the Sysbox package has to be fetched from there`,
				evidence: reachable.said,
				why: 'A run would stop at the download',
				remedy: {
					kind: 'advice',
					text: `Put the certificate of a proxy that inspects TLS into /usr/local/share/ca-certificates and run update-ca-certificates, install ca-certificates where it is missing, or fetch ${url} elsewhere and pass it with --deb FILE`,
				},
			};
		default:
			return reachable satisfies never;
	}
}
