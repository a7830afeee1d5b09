import * as z from 'zod';
import { type Reading, read, readJson } from '../system/reading.ts';

/** A plugin that Docker itself runs; one that is a program of the host is not listed. */
export interface DockerPlugin {
	readonly name: string;
	readonly enabled: boolean;
}

const schema = z.object({ Name: z.string(), Enabled: z.boolean() });

/** `docker plugin ls --format '{{json .}}'`: a line for each, and nothing at all where there is none. */
export function parsePlugins(text: unknown): Reading<readonly DockerPlugin[]> {
	const lines = typeof text === 'string' ? text.split('\n').filter(line => line.trim() !== '') : [text];
	const plugins: DockerPlugin[] = [];
	for (const line of lines) {
		const json = readJson(line, schema, 'docker plugin ls');
		if (json.kind !== 'ok') return json;
		plugins.push({ name: json.value.Name, enabled: json.value.Enabled });
	}
	return read(plugins);
}
