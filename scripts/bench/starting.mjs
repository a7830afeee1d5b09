import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleaved, ratio, started } from './measure.mjs';

/** How long starting takes, against a Node that does nothing. */
export function starting({ entry, folder, row }) {
	const empty = join(folder, 'empty.mjs');
	writeFileSync(empty, '');
	const [bare, version, help] = interleaved(25, [
		() => started([empty]),
		() => started([entry, '--version']),
		() => started([entry, '--help']),
	]);
	row('`--version` / an empty program', ratio(version / bare), '≤ 1.25', version / bare <= 1.25);
	row('`--help` / an empty program', ratio(help / bare), '≤ 4', help / bare <= 4);
}
