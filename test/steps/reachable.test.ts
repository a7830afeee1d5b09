import { describe, expect, test } from 'vitest';
import type { ExecResult, ReadHost } from '../../src/port/host.ts';
import { fetchCommand } from '../../src/system/fetch.ts';
import { inspectReachable, reachableFinding } from '../../steps/sysbox/reachable.ts';

const url = 'https://example.org/sysbox.deb';

async function ask(answer: Partial<ExecResult>) {
	const asked: string[][] = [];
	const host = {
		exec: async (argv: readonly string[]) => {
			asked.push([...argv]);
			return { code: 0, stdout: '', stderr: '', elapsedMs: 1, ...answer };
		},
	} as unknown as ReadHost;
	const reachable = await inspectReachable(host, url, new AbortController().signal);
	return { asked, finding: reachableFinding(url, reachable) };
}

describe('whether the package can be fetched', () => {
	test('is asked once, for the head of the address, within seconds and over TLS alone', async () => {
		const { asked, finding } = await ask({});
		expect(asked).toHaveLength(1);
		expect(asked[0]).toEqual(expect.arrayContaining(['-q', '--proto', '=https', '-fsSIL', '--max-time', url]));
		expect(finding.severity).toBe('ok');
	});

	test.each([6, 7, 28, 35, 56])('is no where curl ends with %i, in its own words', async code => {
		const { finding } = await ask({ code, stderr: 'curl: (6) Could not resolve host: example.org\n' });
		expect(finding).toMatchObject({ severity: 'block', evidence: 'curl: (6) Could not resolve host: example.org' });
		expect(finding.remedy?.text).toContain('--deb FILE');
	});

	test.each([60, 77])('is no where curl ends with %i: the fetch would end so too', async code => {
		const { finding } = await ask({ code, stderr: 'curl: (60) SSL certificate problem\n' });
		expect(finding).toMatchObject({ severity: 'block', summary: expect.stringContaining('does not trust') });
		expect(finding.remedy?.text).toMatch(/update-ca-certificates.*--deb FILE/);
	});

	test('is asked of the same proxies and certificates as the fetch', async () => {
		const { asked } = await ask({});
		const fetch = fetchCommand({ with: 'curl', url, to: '/x', sha256: '', maxBytes: 1 });
		expect(asked[0]?.slice(0, 7)).toEqual(fetch.slice(0, 7));
		expect(fetch.slice(0, 7)).toEqual(['curl', '-q', '--proto', '=https', '--proto-redir', '=https', '--tlsv1.2']);
	});

	test.each([
		['without curl', { code: null, problem: 'missing' as const }],
		['when a server refuses the question', { code: 22, stderr: 'curl: (22) The requested URL returned error: 403' }],
	])('is left to the fetch %s', async (_, answer) => {
		expect((await ask(answer)).finding.severity).toBe('info');
	});
});
