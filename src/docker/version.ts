import * as z from 'zod';
import { orEmptyList, orEmptyText, type Reading, read, readJson } from '../system/reading.ts';

export interface DockerVersion {
	readonly client: { readonly version: string; readonly apiVersion: string; readonly context: string };
	/** Undefined when no daemon answered. */
	readonly server?:
		| {
				readonly version: string;
				readonly apiVersion: string;
				readonly minApiVersion: string;
				readonly arch: string;
				readonly kernel: string;
				readonly components: readonly { readonly name: string; readonly version: string }[];
		  }
		| undefined;
	/** What answers is podman behind Docker's command or socket. */
	readonly podman: boolean;
}

const schema = z.object({
	Client: z.object({
		Version: z.string(),
		ApiVersion: orEmptyText,
		// Podman's own spelling.
		APIVersion: orEmptyText,
		OsArch: orEmptyText,
		Context: orEmptyText,
	}),
	Server: z
		.object({
			Version: orEmptyText,
			ApiVersion: orEmptyText,
			APIVersion: orEmptyText,
			MinAPIVersion: orEmptyText,
			Arch: orEmptyText,
			KernelVersion: orEmptyText,
			Components: orEmptyList(z.object({ Name: orEmptyText, Version: orEmptyText })),
		})
		.nullish(),
});

/** `docker version --format '{{json .}}'`. Without a daemon it still prints the client's half. */
export function parseDockerVersion(text: unknown): Reading<DockerVersion> {
	const json = readJson(text, schema, 'docker version');
	if (json.kind !== 'ok') return json;
	const { Client: client, Server: server } = json.value;
	const components = (server?.Components ?? []).map(c => ({ name: c.Name, version: c.Version }));
	return read({
		client: { version: client.Version, apiVersion: client.ApiVersion || client.APIVersion, context: client.Context },
		server: server
			? {
					version: server.Version,
					apiVersion: server.ApiVersion || server.APIVersion,
					minApiVersion: server.MinAPIVersion,
					arch: server.Arch,
					kernel: server.KernelVersion,
					components,
				}
			: undefined,
		// `podman version` has Client.OsArch and APIVersion where Docker has Os, Arch and ApiVersion; its service names
		// itself "Podman Engine" among the components.
		podman: components.some(c => /podman/i.test(c.name)) || (client.OsArch !== '' && client.APIVersion !== ''),
	});
}
