import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { localHost } from '../../src/host/local/local-host.ts';
import type { DownloadResult } from '../../src/port/host.ts';
import { scratchDirectory } from './scratch-folder.ts';

// Disks and machines of CI are slow now and then; nothing here waits for time to pass.
vi.setConfig({ testTimeout: 60_000 });

const body = Buffer.from('a package\n'.repeat(20_000));
const digest = createHash('sha256').update(body).digest('hex');

/** A server on this machine; its address has no slash at the end. */
async function serve(listener: RequestListener): Promise<string> {
	const server: Server = createServer(listener);
	await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const whole = (_: IncomingMessage, response: ServerResponse): void => {
	response.writeHead(200, { 'content-length': body.length }).end(body);
};

const host = localHost();
let directory: string;
const fetched = (url: string, options: Partial<Parameters<typeof host.download>[2]> = {}): Promise<DownloadResult> =>
	host.download(url, join(directory, 'a.deb'), { maxBytes: 1_000_000, timeoutMs: 20_000, ...options });

beforeEach(() => {
	directory = join(scratchDirectory(), 'private');
	mkdirSync(directory, { mode: 0o700 });
	// What the machine exports must not send these requests elsewhere.
	for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
		vi.stubEnv(name, undefined);
		vi.stubEnv(name.toUpperCase(), undefined);
	}
});
afterEach(() => vi.unstubAllEnvs());

describe('a download', () => {
	it('arrives whole, private and with its digest', async () => {
		const url = await serve(whole);
		expect(await fetched(`${url}/a.deb`)).toEqual({ kind: 'fetched', sha256: digest, size: body.length });
		expect(readFileSync(join(directory, 'a.deb'))).toEqual(body);
		expect(statSync(join(directory, 'a.deb')).mode & 0o777).toBe(0o600);
		expect(readdirSync(directory)).toEqual(['a.deb']);
	});

	it('follows redirects', async () => {
		const url = await serve((request, response) => {
			if (request.url === '/a.deb') response.writeHead(302, { location: '/there' }).end('moved');
			else whole(request, response);
		});
		expect(await fetched(`${url}/a.deb`)).toMatchObject({ kind: 'fetched', sha256: digest });
	});

	it('does not follow them for ever', async () => {
		const url = await serve((_, response) => response.writeHead(302, { location: '/again' }).end());
		expect(await fetched(url)).toMatchObject({ kind: 'failed', message: expect.stringContaining('without end') });
	});

	it.each([
		['plain http elsewhere', 'http://example.com/a.deb'],
		['a file', 'file:///etc/shadow'],
		['another protocol', 'ftp://example.com/a.deb'],
	])('does not follow one to %s', async (_, location) => {
		const url = await serve((__, response) => response.writeHead(302, { location }).end());
		expect(await fetched(url)).toMatchObject({
			kind: 'failed',
			message: expect.stringMatching(/leads to .* not https/),
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	it.each(['http://example.com/a.deb', 'file:///etc/shadow', 'nonsense', 'ftp://example.com/a'])(
		'is not started for %s',
		async url => {
			expect(await fetched(url)).toMatchObject({ kind: 'failed' });
			expect(readdirSync(directory)).toEqual([]);
		},
	);

	it('tells an answer that is no file', async () => {
		const url = await serve((_, response) => response.writeHead(404).end('no such package'));
		expect(await fetched(`${url}/a.deb?token=secret`)).toEqual({
			kind: 'failed',
			message: `${url}/a.deb answered 404`,
		});
	});

	it('names neither passwords nor tokens of the address', async () => {
		const url = (
			await serve((_, response) =>
				response.writeHead(302, { location: 'http://anna:hush@example.com/x?token=secret' }).end(),
			)
		).replace('127.0.0.1', 'anna:hush@127.0.0.1');
		const result = await fetched(`${url}/a.deb?token=secret`);
		expect(JSON.stringify(result)).not.toMatch(/hush|secret/);
	});

	it('is not begun when it is said to be too large', async () => {
		const url = await serve(whole);
		expect(await fetched(url, { maxBytes: body.length - 1 })).toMatchObject({
			kind: 'failed',
			message: expect.stringContaining(`is ${body.length} bytes`),
		});
		expect(await fetched(url, { maxBytes: body.length })).toMatchObject({ kind: 'fetched' });
	});

	it('is given up when it turns out to be too large', async () => {
		const url = await serve((_, response) => {
			response.writeHead(200);
			response.end(body);
		});
		expect(await fetched(url, { maxBytes: 1000 })).toMatchObject({
			kind: 'failed',
			message: expect.stringContaining('longer than the 1000 bytes'),
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	it('leaves nothing when the connection is cut', async () => {
		const url = await serve((_, response) => {
			response.writeHead(200, { 'content-length': body.length });
			response.write(body.subarray(0, 1000), () => response.destroy());
		});
		expect(await fetched(url)).toMatchObject({
			kind: 'failed',
			message: expect.stringContaining('the connection was cut'),
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	it('ends at its deadline, and leaves nothing', async () => {
		const url = await serve((_, response) => response.writeHead(200).write('a'));
		expect(await fetched(url, { timeoutMs: 100 })).toMatchObject({
			kind: 'failed',
			message: expect.stringContaining('not complete after'),
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	it('can be cancelled', async () => {
		const stop = new AbortController();
		const url = await serve((_, response) => response.writeHead(200).write('a'));
		expect(await fetched(url, { signal: stop.signal, onProgress: () => stop.abort() })).toEqual({
			kind: 'failed',
			message: `${url}/: cancelled`,
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	it('tells how far it is, and last how long it was', async () => {
		const told: (number | undefined)[][] = [];
		await fetched(await serve(whole), { onProgress: (bytes, total) => told.push([bytes, total]) });
		expect(told.at(-1)).toEqual([body.length, body.length]);
		expect(told.length).toBeLessThan(20);
	});

	it('says when nobody listens there', async () => {
		expect(await fetched('http://127.0.0.1:1/a.deb')).toEqual({
			kind: 'failed',
			message: 'http://127.0.0.1:1/a.deb: the connection was refused',
		});
	});

	it('goes into a folder only that others cannot change', async () => {
		const url = await serve(whole);
		chmodSync(directory, 0o770);
		expect(await fetched(url)).toMatchObject({ kind: 'failed', message: expect.stringContaining('others can change') });
		expect(await host.download(url, join(directory, 'no/a.deb'), { maxBytes: 10, timeoutMs: 1000 })).toMatchObject({
			kind: 'failed',
			message: expect.stringContaining('no such file or folder'),
		});
	});

	it('takes the place of an earlier one only when it is complete', async () => {
		writeFileSync(join(directory, 'a.deb'), 'earlier');
		expect(await fetched(await serve((_, response) => response.writeHead(500).end()))).toMatchObject({
			kind: 'failed',
		});
		expect(readFileSync(join(directory, 'a.deb'), 'utf8')).toBe('earlier');
		await fetched(await serve(whole));
		expect(readFileSync(join(directory, 'a.deb'))).toEqual(body);
	});

	describe('behind a proxy', () => {
		/** A proxy that opens tunnels (CONNECT), or says nothing at all. */
		async function proxyThat(tunnels: boolean): Promise<{ readonly address: string; readonly asked: string[] }> {
			const asked: string[] = [];
			const open = new Set<Socket>();
			const server = createServer();
			server.on('connection', socket => open.add(socket));
			server.on('connect', (request, socket, head) => {
				asked.push(request.url ?? '');
				if (!tunnels) return;
				const [name, port] = (request.url ?? '').split(':');
				const onward = connect(Number(port), name, () => {
					socket.write('HTTP/1.1 200 OK\r\n\r\n');
					onward.write(head);
					onward.pipe(socket).pipe(onward);
				});
				open.add(onward);
				for (const end of [onward, socket]) end.on('error', () => {});
			});
			await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
			onTestFinished(() => {
				for (const socket of open) socket.destroy();
				server.close();
			});
			return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
		}

		it('goes through the one that the environment names', async () => {
			const target = await serve(whole);
			const proxy = await proxyThat(true);
			vi.stubEnv('http_proxy', proxy.address);
			expect(await fetched(`${target}/a.deb`)).toMatchObject({ kind: 'fetched', sha256: digest });
			expect(proxy.asked).toEqual([target.replace('http://', '')]);
		});

		it('goes past it where the environment says so', async () => {
			const proxy = await proxyThat(false);
			vi.stubEnv('http_proxy', proxy.address);
			vi.stubEnv('no_proxy', '127.0.0.1');
			expect(await fetched(await serve(whole))).toMatchObject({ kind: 'fetched' });
			expect(proxy.asked).toEqual([]);
		});

		it('does not wait beyond the deadline for one that does not answer', async () => {
			const proxy = await proxyThat(false);
			vi.stubEnv('http_proxy', proxy.address);
			expect(await fetched(await serve(whole), { timeoutMs: 2000 })).toMatchObject({
				kind: 'failed',
				message: expect.stringContaining('not complete after'),
			});
			expect(proxy.asked).toHaveLength(1);
		});

		it('says when it hangs up, and asks it once only', async () => {
			const proxy = await serve(() => {});
			vi.stubEnv('http_proxy', proxy);
			// A server that is no proxy hangs up; undici 7 alone would ask it for ever (nodejs/undici#3897).
			expect(await fetched(await serve(whole))).toEqual({
				kind: 'failed',
				message: 'the proxy could not be used: the connection was cut',
			});
			expect(readdirSync(directory)).toEqual([]);
		});

		it('says when it wants a password, and when it is not there', async () => {
			const server = createServer();
			server.on('connect', (_, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
			await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
			onTestFinished(() => void server.close());
			vi.stubEnv('http_proxy', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
			expect(await fetched(await serve(whole))).toEqual({
				kind: 'failed',
				message: 'the proxy answered 407: it wants a name and password',
			});
			vi.stubEnv('http_proxy', 'http://127.0.0.1:1');
			expect(await fetched(await serve(whole))).toEqual({
				kind: 'failed',
				message: 'the proxy could not be used: the connection was refused',
			});
		});
	});
});
