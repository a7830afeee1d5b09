import * as z from 'zod';
import { orEmptyText, type Reading, read, readJson, unreadable } from '../system/reading.ts';

/** Which daemon the docker command talks to. */
export interface DockerEndpoint {
	readonly context: string;
	/** `unix:///var/run/docker.sock`, `tcp://…`, `ssh://…`. */
	readonly address: string;
	/** `system`: the socket of a daemon that root started here. */
	readonly where: 'system' | 'user' | 'other-socket' | 'remote';
}

const schema = z
	.array(z.object({ Name: orEmptyText, Endpoints: z.object({ docker: z.object({ Host: orEmptyText }).nullish() }) }))
	.min(1);

/**
 * `docker context inspect`. Without a name it shows the context in use, and where DOCKER_HOST is set that variable's
 * address, so one call answers for both.
 */
export function parseDockerContext(text: unknown): Reading<DockerEndpoint> {
	const json = readJson(text, schema, 'docker context inspect');
	if (json.kind !== 'ok') return json;
	const context = json.value[0];
	const address = context?.Endpoints.docker?.Host ?? '';
	if (context === undefined || address === '') return unreadable('docker context inspect named no address');
	return read({ context: context.Name, address, where: whereIs(address) });
}

/** Sorts a DOCKER_HOST or a context's address. */
export function whereIs(address: string): DockerEndpoint['where'] {
	const socket = /^unix:\/\/(.*)$/.exec(address)?.[1];
	if (socket === undefined) return 'remote';
	if (/^(\/var)?\/run\/docker\.sock$/.test(socket)) return 'system';
	// Rootless Docker and Docker Desktop keep theirs below the user's own directories.
	return /^\/run\/user\/|^\/home\/|^\/root\/|\/\.docker\//.test(socket) ? 'user' : 'other-socket';
}
