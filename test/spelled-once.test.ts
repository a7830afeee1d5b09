import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Code of the product; the simulated host spells everything anew, as it stands for the other side. */
const files = ['src', 'steps'].flatMap(room =>
	readdirSync(room, { recursive: true, encoding: 'utf8' })
		.map(name => join(room, name))
		.filter(name => /\.tsx?$/.test(name) && !name.startsWith('src/simulation/')),
);

/** A constant that was declared twice became a bug once: a revert looked for another configuration file than the run. */
it.each([
	["'docker.service'", 'src/system/unit-failure.ts'],
	["'/etc/docker/daemon.json'", 'src/docker/dockerd-flags.ts'],
	["'sysbox-runc'", 'src/sysbox/program-names.ts'],
	["'/usr/bin/sysbox-runc'", 'src/sysbox/runtime.ts'],
])('%s is spelled in %s alone', (literal, file) => {
	const spelled = files.filter(name => readFileSync(name, 'utf8').includes(literal));
	expect(spelled).toEqual([file]);
});

it('no step is told by the id of an action of another', () => {
	const told = files.filter(name => /\bid === 'daemon-json'/.test(readFileSync(name, 'utf8')));
	expect(told).toEqual([]);
});
