/** What happens inside containers of the simulated host is answered from recordings, and from nothing else. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Recording, recordings } from '../../src/simulation/recordings/index.ts';
import { readyHost } from './support.ts';

interface Real {
	readonly id: string;
	readonly runtime: string;
	readonly stderr: string;
}

const real: readonly Real[] = JSON.parse(
	readFileSync(new URL('../fixtures/recordings/security.json', import.meta.url), 'utf8'),
);

const named = ({ argv, under }: Recording): string =>
	`${under}: ${argv.join(' ').replace('docker --host=unix:///var/run/docker.sock', 'inner docker')}`;

/** The words that the program ended with, without its own name and what it was called with. */
const lastWords = (text: string): string => text.trim().split(': ').at(-1) ?? '';

describe('the recordings of containers', () => {
	it('say each where it was seen, or what it was made from', () => {
		for (const { seen } of recordings) expect(seen).toMatch(/^(?:real-0\.7\.0|lab|constructed:) \S/);
	});

	it('that nobody has seen are these', () => {
		expect(recordings.filter(({ seen }) => seen.startsWith('constructed: ')).map(named)).toEqual([
			'runc: insmod /etc/hostname',
			'sysbox: sh -c kill -0 "$1" kill 1',
			'sysbox: cat /proc/1/cmdline',
			'sysbox: dd if=/dev/zero of=/dev/null bs=200M count=1',
			'sysbox: cat /etc/passwd',
			'any: inner docker info --format {{.ID}}',
			'sysbox: inner docker info --format {{.ID}}',
			'any: inner docker version --format {{.Server.Version}}',
			'sysbox: inner docker version --format {{.Server.Version}}',
			'any: sh -c tail -n 5 /tmp/sysbox-setup-dockerd.log 2>/dev/null',
			'sysbox: inner docker build --tag localhost:5000/sysbox-setup/built -',
		]);
	});

	it.each(recordings.filter(({ seen }) => real.some(({ id }) => seen.split(' ')[1]?.replace(/[;,]$/, '') === id)))(
		'$seen ($under $options) ends in the words of the real one',
		recording => {
			const id = recording.seen.split(' ')[1]?.replace(/[;,]$/, '');
			const options = recording.options?.map(option => option.replace('--security-opt=', '--security-opt ')).join(' ');
			const fits = ({ runtime }: Real): boolean => {
				if (options !== undefined) return runtime === `runc+${options}`;
				return recording.under === 'any'
					? /^(?:runc|sysbox-runc)$/.test(runtime)
					: runtime === recording.under.replace('sysbox', 'sysbox-runc');
			};
			// Recorded through a pipe, or with a count in place of the text: test/steps/security-recordings.test.ts has those.
			const same = real.filter(r => r.id === id && fits(r) && !id.startsWith('limits.') && !id.startsWith('ns.share'));
			for (const { stderr } of same) expect(lastWords(recording.stderr ?? '')).toBe(lastWords(stderr));
			if (!/^(?:limits|ns\.share)/.test(id ?? '')) expect(same.length).toBeGreaterThan(0);
		},
	);

	it('tell whoever has changed an attempt how to record it', async () => {
		await expect(readyHost().run(['docker', 'exec', 'ci-postgres', 'whoami', '--really'])).rejects.toThrow(
			/whoami --really \(nobody has recorded it in a container of postgres:17 under runc .*: run it there for real, and add a row to src\/simulation\/recordings\/containers\.json/,
		);
	});
});
