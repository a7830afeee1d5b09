import { dirname } from 'node:path';
import type { WriteHost } from './host.ts';

/** A host on which one file, with its directory, is really another host's: the record of a demo, on the operator's disk. */
export function hostWithForeignFile(host: WriteHost, other: WriteHost, path: string): WriteHost {
	const at = (asked: string): WriteHost => (asked === path || asked === dirname(path) ? other : host);
	return {
		...host,
		kind: host.kind,
		identity: host.identity,
		readFile: (asked, options) => at(asked).readFile(asked, options),
		stat: asked => at(asked).stat(asked),
		digest: (asked, options) => at(asked).digest(asked, options),
		replaceFile: (asked, bytes, options) => at(asked).replaceFile(asked, bytes, options),
		removeFile: (asked, options) => at(asked).removeFile(asked, options),
	};
}
