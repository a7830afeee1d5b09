/** The question whether the package can be fetched, and the fetch, of a real server over https, by the real curl and apt. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knowledge } from '../../src/knowledge/index.ts';
import { latestRelease } from '../../src/knowledge/lookup.ts';
import { aptTrouble, curlTrouble, fetchCommand, headCommand } from '../../src/system/fetch.ts';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const url = latestRelease(knowledge)?.packages.find(({ arch }) => arch === 'amd64')?.url ?? '';
const { hostname } = new URL(url);
const body = 'not the package\n'.repeat(100_000);
const sha256 = createHash('sha256').update(body).digest('hex');
const to = '/root/fetched/x.deb';

/** Answers for the real server: whole, or from where it is asked to go on. */
const server = `
	import { readFileSync } from 'node:fs';
	import { createServer } from 'node:https';
	const body = Buffer.from('not the package\\n'.repeat(100_000));
	createServer({ key: readFileSync('/root/key.pem'), cert: readFileSync('/root/cert.pem') }, (asked, answer) => {
		const from = Number(/bytes=(\\d+)-/.exec(asked.headers.range ?? '')?.[1] ?? 0);
		const range = { 'content-range': \`bytes \${from}-\${body.length - 1}/\${body.length}\` };
		answer.writeHead(from === 0 ? 200 : 206, { 'content-length': body.length - from, ...(from > 0 && range) });
		answer.end(asked.method === 'HEAD' ? undefined : body.subarray(from));
	}).listen(443, '127.0.0.1');
`;

describe.skipIf(!lab.available)('a server whose certificate is of an authority of its own', () => {
	let host: LabHost;

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'download' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		await host.writeFile('/root/server.mjs', server);
		await host.exec(['sh', '-c', `echo 127.0.0.1 ${hostname} >>/etc/hosts; mkdir -m 700 /root/fetched`]);
		const names = ['-subj', `/CN=${hostname}`, '-addext', `subjectAltName=DNS:${hostname}`];
		const files = ['-keyout', '/root/key.pem', '-out', '/root/cert.pem'];
		await host.exec(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...names]);
		await host.exec(['systemd-run', '--unit=lab-server', 'node', '/root/server.mjs']);
		const listens = ['curl', '-ksI', '--retry', '10', '--retry-connrefused', url];
		await host.exec(listens);
	}, 16 * 60_000);
	afterAll(async () => host?.remove());

	const command = (by: 'curl' | 'apt-helper') => fetchCommand({ with: by, url, to, sha256, maxBytes: 10_000_000 });
	const run = async (argv: readonly [string, ...string[]]) => {
		const { code, stdout, stderr } = await host.exec(argv, { reject: false });
		return { code, stdout, stderr, elapsedMs: 0 };
	};
	const digest = async () => (await run(['sha256sum', to])).stdout.split(' ')[0];
	const reachable = async () => {
		const { stdout } = await run(['sysbox-setup', 'check', '--only', 'sysbox', '--format', 'json']);
		return /"id":"sysbox\.reachable","severity":"(\w+)"/.exec(stdout)?.[1];
	};

	it('is trusted neither by the question nor by the fetch', async () => {
		expect(curlTrouble(await run(headCommand(url)))).toBe('untrusted');
		expect(curlTrouble(await run(command('curl')))).toBe('untrusted');
		expect(aptTrouble(await run(command('apt-helper')))).toBe('untrusted');
		expect(await reachable()).toBe('block');
	});

	it('is trusted by all of them once the host trusts the authority; a beginning is gone on with', async () => {
		await host.exec(['cp', '/root/cert.pem', '/usr/local/share/ca-certificates/lab.crt']);
		await host.exec(['update-ca-certificates']);
		expect((await run(headCommand(url))).code).toBe(0);
		expect(await reachable()).toBe('ok');
		for (const by of ['curl', 'apt-helper'] as const) {
			await host.writeFile(to, body.slice(0, 1000));
			expect((await run(command(by))).code).toBe(0);
			expect(await digest()).toBe(sha256);
		}
	});

	it('gives another file than the known one: the run removes it, and names its digest', async () => {
		const steps = ['host', 'sysbox'].flatMap(step => ['--only', step]);
		const { code, stdout, stderr } = await run(['sysbox-setup', '--yes', ...steps]);
		expect(code, stdout.slice(-2000)).toBe(1);
		expect(stdout).toContain(`has sha256 ${sha256}`);
		expect(stderr).toContain('curl -q --proto =https');
		const left = await run(['find', '/var/lib/sysbox-setup/downloads', '-type', 'f']);
		expect(left.stdout).toBe('');
	}, 120_000);
});
