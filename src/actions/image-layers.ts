/**
 * How far `docker pull` has come, from the lines that it prints where it is not on a terminal: one for each change of a
 * layer, such as `3f4a…: Pull complete` (docker/cli, pkg/jsonmessage). Whoever is asked for a line tells when it changed.
 */
export function imageLayers(): (
	line: string,
) => { readonly done: number; readonly total: number; readonly unit: string } | undefined {
	const layers = new Map<string, boolean>();
	return line => {
		const [, id, status] = /^([0-9a-f]{12}): (.+)$/.exec(line.trim()) ?? [];
		if (id === undefined || status === undefined) return undefined;
		const done = status === 'Pull complete' || status === 'Already exists';
		// With the containerd store the image's own manifest and configuration are told of too; they are no layers.
		if (!done && status !== 'Pulling fs layer') return undefined;
		const before = layers.get(id);
		if (before === true || before === done) return undefined;
		layers.set(id, done);
		return { done: [...layers.values()].filter(Boolean).length, total: layers.size, unit: 'layers' };
	};
}
