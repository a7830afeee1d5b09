import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Dispatcher, Pool } from 'undici';
import type { DownloadResult, WriteHost } from '../../port/host.ts';
import { errnoOf, errnoText } from './errno-text.ts';
import { temporaryName } from './root-file-writer.ts';

const mostRedirects = 10;

/** Progress is told at most this often, and once at the end. */
const progressEveryMs = 100;

type DownloadOptions = Parameters<WriteHost['download']>[2];

/** Why a download did not come to a file, in words for the operator. */
export class NotFetched extends Error {}

/**
 * Fetches a file over https through the proxy that the environment names (`https_proxy`, `no_proxy`). It arrives under a
 * temporary name in a directory that only this user can write to, and gets its own name when it is complete and on disk.
 * Plain http is for this machine's own address only.
 */
export async function fetchFile(
	url: string,
	path: string,
	options: DownloadOptions,
	uid: number = process.geteuid?.() ?? -1,
): Promise<DownloadResult> {
	const deadline = AbortSignal.timeout(Math.min(options.timeoutMs, 2_147_483_647));
	const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
	try {
		return { kind: 'fetched', ...(await arrive(path, uid, target => receive(url, target, signal, options))) };
	} catch (error) {
		return { kind: 'failed', message: sayFailure(error, url, path, options, deadline) };
	}
}

/** Lets a file come in under a temporary name; it gets its own when it is complete and on disk. */
export async function arrive<T>(path: string, uid: number, fill: (target: FileHandle) => Promise<T>): Promise<T> {
	const directory = dirname(path);
	const temporary = join(directory, temporaryName());
	let target: FileHandle | undefined;
	try {
		const parent = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
		try {
			const facts = await parent.stat();
			if (facts.uid !== uid || (facts.mode & 0o022) !== 0)
				throw new NotFetched(`others can change what lies in ${directory}, so nothing is fetched into it`);
			target = await open(
				temporary,
				constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
				0o600,
			);
			const came = await fill(target);
			await target.sync();
			await target.close();
			target = undefined;
			await rename(temporary, path);
			await parent.sync();
			return came;
		} finally {
			await parent.close();
		}
	} catch (error) {
		await target?.close().catch(() => {});
		await unlink(temporary).catch(() => {});
		throw error;
	}
}

async function receive(
	url: string,
	target: FileHandle,
	signal: AbortSignal,
	options: DownloadOptions,
): Promise<{ sha256: string; size: number }> {
	// Loaded here, as most runs fetch nothing and it is the slowest module to load.
	const { EnvHttpProxyAgent, Pool, request } = await import('undici');
	const dispatcher = new EnvHttpProxyAgent({
		clientFactory: (proxy, poolOptions) => asksProxyOnce(new Pool(proxy, poolOptions)),
	});
	// A request that is still connecting does not listen to its signal.
	const giveUp = (): void => void dispatcher.destroy().catch(() => {});
	signal.addEventListener('abort', giveUp, { once: true });
	try {
		let address = addressOf(url);
		for (let hop = 0; ; hop++) {
			const response = await request(address, {
				dispatcher,
				signal,
				headers: { 'user-agent': 'sysbox-setup', accept: '*/*', 'accept-encoding': 'identity' },
			});
			const { statusCode, body } = response;
			const location = headerOf(response.headers.location);
			if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
				await body.dump();
				if (hop >= mostRedirects)
					throw new NotFetched(`${shown(address)} leads from one address to the next without end`);
				address = redirected(address, location);
				continue;
			}
			if (statusCode !== 200) {
				await body.dump();
				throw new NotFetched(`${shown(address)} answered ${statusCode}`);
			}
			const length = Number(headerOf(response.headers['content-length']) ?? Number.NaN);
			const total = Number.isSafeInteger(length) ? length : undefined;
			if (total !== undefined && total > options.maxBytes)
				throw new NotFetched(`${shown(address)} is ${total} bytes; at most ${options.maxBytes} are fetched`);
			return await store(body, target, total, shown(address), options);
		}
	} finally {
		signal.removeEventListener('abort', giveUp);
		// Not `close`, and not awaited: both would wait for an answer that was given up.
		giveUp();
	}
}

/**
 * undici 7 asks a proxy that hangs up again and again, thousands of times a second, and never answers the caller
 * (nodejs/undici#3897): it takes the error for one of a connection that had worked. So it gets another error.
 */
function asksProxyOnce(proxy: Pool): Pool {
	const connect = proxy.connect.bind(proxy) as (options: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData>;
	const once = async (options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> => {
		let answer: Dispatcher.ConnectData;
		try {
			answer = await connect(options);
		} catch (error) {
			throw new NotFetched(`the proxy could not be used: ${networkTexts[networkCode(error)] ?? String(error)}`);
		}
		if (answer.statusCode === 200) return answer;
		answer.socket.on('error', () => {}).destroy();
		throw new NotFetched(
			`the proxy answered ${answer.statusCode}${answer.statusCode === 407 ? ': it wants a name and password' : ''}`,
		);
	};
	return Object.assign(proxy, { connect: once });
}

/** Hashes what it writes, so that the digest is of what lies there. */
export async function store(
	body: AsyncIterable<Buffer>,
	target: FileHandle,
	total: number | undefined,
	from: string,
	options: Pick<DownloadOptions, 'maxBytes' | 'onProgress'>,
): Promise<{ sha256: string; size: number }> {
	const hash = createHash('sha256');
	let size = 0;
	let told = -Infinity;
	for await (const chunk of body) {
		if (size + chunk.length > options.maxBytes)
			throw new NotFetched(`${from} is longer than the ${options.maxBytes} bytes that are fetched at most`);
		hash.update(chunk);
		let done = 0;
		while (done < chunk.length)
			done += (await target.write(chunk, done, chunk.length - done, size + done)).bytesWritten;
		size += chunk.length;
		if (performance.now() - told >= progressEveryMs) {
			told = performance.now();
			options.onProgress?.(size, total);
		}
	}
	if (total !== undefined && size !== total) throw new NotFetched(`${from} ended after ${size} of ${total} bytes`);
	options.onProgress?.(size, total);
	return { sha256: hash.digest('hex'), size };
}

const isLoopback = (address: URL): boolean => ['127.0.0.1', '[::1]', 'localhost'].includes(address.hostname);

function addressOf(url: string): URL {
	const address = URL.canParse(url) ? new URL(url) : undefined;
	if (address === undefined) throw new NotFetched('the address cannot be read');
	if (address.protocol !== 'https:' && !(address.protocol === 'http:' && isLoopback(address)))
		throw new NotFetched(`${shown(address)} is not fetched, as only https addresses are`);
	return address;
}

function redirected(from: URL, location: string): URL {
	if (!URL.canParse(location, from.href))
		throw new NotFetched(`${shown(from)} leads to an address that cannot be read`);
	const to = new URL(location, from);
	const allowed = to.protocol === 'https:' || (to.protocol === 'http:' && isLoopback(to) && from.protocol === 'http:');
	if (!allowed) throw new NotFetched(`${shown(from)} leads to ${shown(to)}, which is not https, so it is not followed`);
	return to;
}

/** Without query and credentials: download links carry tokens in them. */
const shown = (address: URL): string => `${address.protocol}//${address.host}${address.pathname}`;

const headerOf = (value: string | string[] | undefined): string | undefined =>
	Array.isArray(value) ? value[0] : value;

const networkTexts: Readonly<Record<string, string>> = {
	ENOTFOUND: 'the name is not known here (DNS)',
	EAI_AGAIN: 'the name could not be looked up (DNS)',
	ECONNREFUSED: 'the connection was refused',
	ECONNRESET: 'the connection was cut',
	EHOSTUNREACH: 'there is no route to it',
	ENETUNREACH: 'there is no network',
	ETIMEDOUT: 'it did not answer in time',
	UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
	UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
	UND_ERR_BODY_TIMEOUT: 'it stopped sending',
	UND_ERR_SOCKET: 'the connection was cut',
	UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was cut',
	UND_ERR_RESPONSE_EXCEEDED: 'the answer is too long',
	SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted; a proxy that looks inside needs NODE_EXTRA_CA_CERTS=FILE',
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		'its certificate is not trusted; a proxy that looks inside needs NODE_EXTRA_CA_CERTS=FILE',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		'its certificate is not trusted; a proxy that looks inside needs NODE_EXTRA_CA_CERTS=FILE',
	DEPTH_ZERO_SELF_SIGNED_CERT:
		'its certificate is not trusted; a proxy that looks inside needs NODE_EXTRA_CA_CERTS=FILE',
	CERT_HAS_EXPIRED: 'its certificate has expired; look at the clock of this machine too',
	CERT_NOT_YET_VALID: 'its certificate is not valid yet; look at the clock of this machine',
};

function sayFailure(
	error: unknown,
	url: string,
	path: string,
	options: DownloadOptions,
	deadline: AbortSignal,
): string {
	const what = URL.canParse(url) ? shown(new URL(url)) : basename(path);
	if (options.signal?.aborted === true) return `${what}: cancelled`;
	if (deadline.aborted) return `${what}: not complete after ${Math.round(options.timeoutMs / 1000)} s`;
	if (error instanceof NotFetched) return error.message;
	const code = networkCode(error);
	const network = networkTexts[code];
	if (network !== undefined) return `${what}: ${network}`;
	if (code.startsWith('E') && code !== 'EUNKNOWN') return `${path}: ${errnoText(code)}`;
	return `${what}: ${error instanceof Error ? error.message : String(error)}`;
}

/** undici wraps some errors, and Node gives several at once when a name has several addresses. */
function networkCode(error: unknown): string {
	const own = errnoOf(error);
	if (own !== 'EUNKNOWN' || !(error instanceof Error)) return own;
	if (error instanceof AggregateError && error.errors.length > 0) return networkCode(error.errors[0]);
	return error.cause === undefined ? own : networkCode(error.cause);
}
