/**
 * What the script of the dead man's switch decides, in a real sh with programs of our own around it. The simulated host
 * plays it without a shell (src/simulation/programs/watchdog.ts); script.test.ts asks the same of that.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/text/sha256.ts';
import { type Afterwards, watchdogScript } from '../../src/watchdog/script.ts';

const good = '{ "debug": false }\n';
const bad = '{ "debug": ';

/** Docker at one look: ActiveState, SubState, NRestarts, ActiveEnterTimestampMonotonic, and whether it answers. */
type Look = readonly [state: string, sub: string, restarts: number, started: string, answers: boolean];
const same: Look = ['active', 'running', 0, '7000', true];
const restarted: Look = ['active', 'running', 0, '9000', true];
const silent: Look = ['active', 'running', 0, '9000', false];
const failed: Look = ['failed', 'failed', 0, '0', false];
const starting: Look = ['activating', 'start', 0, '0', false];
const again: Look = ['activating', 'auto-restart', 1, '0', false];

const directories: string[] = [];
afterEach(() => {
	for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

interface Situation {
	readonly looks: readonly Look[];
	readonly by?: 'boot' | 'deadline';
	readonly now?: string | undefined;
	readonly copy?: string;
	readonly earlier?: string | 'missing';
	readonly restart?: 'works' | 'fails';
	readonly afterwards?: readonly Afterwards[];
}

async function fire({
	looks,
	by = 'deadline',
	now = bad,
	copy = good,
	earlier = good,
	restart = 'works',
	afterwards = [],
}: Situation) {
	const root = mkdtempSync(join(tmpdir(), 'switch-'));
	directories.push(root);
	const at = (path: string) => join(root, path);
	for (const directory of ['bin', 'etc', 'run', 'units/wants.d', 'state/switch'])
		mkdirSync(at(directory), { recursive: true });
	writeFileSync(at('etc/daemon.json'), now);
	writeFileSync(at('state/switch/daemon.json'), copy);
	for (const path of ['units/boot.service', 'units/wants.d/drop-in.conf']) writeFileSync(at(path), '');
	looks.forEach((look, index) => {
		writeFileSync(at(`look-${index}`), look.map(String).join('\n'));
	});
	writeFileSync(at('turn'), '0');
	const program = (name: string, text: string) => {
		writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`);
		chmodSync(at(`bin/${name}`), 0o755);
	};
	const line = (n: number) =>
		`n=$(cat ${at('turn')}); [ -e ${at('look-$n')} ] || n=${looks.length - 1}; sed -n ${n}p ${at('look-$n')}`;
	program(
		'systemctl',
		`case "$*" in *ActiveState*) ${line(1)};; *SubState*) ${line(2)};; *NRestarts*) ${line(3)};; *ActiveEnter*) ${line(4)};;
		restart*) echo "restart" >>${at('did')}; ${restart === 'works' ? 'exit 0' : 'exit 1'};; *) echo "$*" >>${at('did')};; esac`,
	);
	program('docker', `[ "$(${line(5)})" = true ]`);
	program('timeout', 'if [ "$1" = -k ]; then shift 2; fi; shift; exec "$@"');
	program('sleep', `n=$(cat ${at('turn')}); echo $((n + 1)) >${at('turn')}`);
	program('logger', `echo "logger $*" >>${at('did')}`);
	program('systemd-run', `echo "systemd-run $*" >>${at('did')}`);
	program('sync', ':');
	const hash = async (text: string) => (text === 'missing' ? text : sha256(new TextEncoder().encode(text)));
	const script = watchdogScript({
		file: at('etc/daemon.json'),
		written: await hash(bad),
		earlier: await hash(earlier),
		running: '7000',
		dockerHost: 'unix:///var/run/docker.sock',
		looks: 5,
		afterwards,
	})
		.replaceAll('/var/lib/sysbox-setup', at('state'))
		.replaceAll('/etc/systemd/system/multi-user.target.d/sysbox-setup-switch.conf', at('units/wants.d/drop-in.conf'))
		.replaceAll('/etc/systemd/system/multi-user.target.d', at('units/wants.d'))
		.replaceAll('/etc/systemd/system/sysbox-setup-switch.service', at('units/boot.service'))
		.replaceAll(' /run/', ` ${at('run')}/`)
		.replace(/^PATH=/m, `PATH=${at('bin')}:`);
	writeFileSync(at('state/switch/put-back'), script, { mode: 0o700 });
	execFileSync('/bin/sh', [at('state/switch/put-back'), by]);
	const read = (path: string) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined);
	const note = read('state/switch/fired');
	const said = read('did')?.split('\n') ?? [];
	return {
		file: read('etc/daemon.json'),
		did: note === undefined ? undefined : /^did=(.*)$/m.exec(note)?.[1],
		docker: note === undefined ? undefined : /^docker=(.*)$/m.exec(note)?.[1],
		restarts: said.filter(text => text === 'restart').length,
		log: said.find(text => text.startsWith('logger ')) ?? '',
		delegated: said.filter(text => text.startsWith('systemd-run ')),
		giveBack: read('run/sysbox-setup-switch-give-back'),
		left: ['units/boot.service', 'units/wants.d', 'state/switch/put-back', 'state/switch/daemon.json'].filter(path =>
			existsSync(at(path)),
		),
	};
}

describe.skipIf(process.platform === 'win32')('the script of the switch, in a real shell', () => {
	test.each<[string, Situation, { file: string | undefined; did?: string; docker?: string; restarts?: number }]>([
		['stands down when Docker came back', { looks: [restarted] }, { file: bad }],
		['waits for a restart that has not come yet', { looks: [same, same, restarted] }, { file: bad }],
		[
			'puts back when Docker is down twice',
			{ looks: [failed, failed, restarted] },
			{ file: good, did: 'put-back', docker: 'started', restarts: 1 },
		],
		[
			'puts back when systemd starts Docker again and again',
			{ looks: [again, again, restarted] },
			{ file: good, did: 'put-back', docker: 'started', restarts: 1 },
		],
		['does not count one look', { looks: [failed, restarted] }, { file: bad }],
		[
			'puts back when Docker answers at none of three looks',
			{ looks: [silent, silent, silent, restarted] },
			{ file: good, did: 'put-back', docker: 'started', restarts: 1 },
		],
		['leaves a Docker that answers at the third look', { looks: [silent, silent, restarted] }, { file: bad }],
		[
			'gives up on one that is still starting',
			{ looks: [starting] },
			{ file: bad, did: 'give-up', docker: 'activating', restarts: 0 },
		],
		[
			'says when Docker does not start',
			{ looks: [failed], restart: 'fails' },
			{ file: good, did: 'put-back', docker: 'does-not-start', restarts: 1 },
		],
		[
			'removes a file that was not there',
			{ looks: [failed], earlier: 'missing' },
			{ file: undefined, did: 'put-back', docker: 'started', restarts: 1 },
		],
		[
			"leaves somebody else's file",
			{ looks: [failed], now: '{ "theirs": 1 }' },
			{ file: '{ "theirs": 1 }', did: 'left-file', docker: 'started', restarts: 1 },
		],
		[
			'sees a file that is back already',
			{ looks: [failed], now: good },
			{ file: good, did: 'was-back', docker: 'started', restarts: 1 },
		],
		[
			'does not put back a damaged copy',
			{ looks: [failed], copy: '{' },
			{ file: bad, did: 'no-copy', docker: 'started', restarts: 1 },
		],
		[
			'puts back at a boot, and leaves the start to systemd',
			{ looks: [failed], by: 'boot' },
			{ file: good, did: 'put-back', docker: 'starts-with-the-host', restarts: 0 },
		],
	])('%s', async (_, situation, { file, did, docker, restarts = 0 }) => {
		const result = await fire(situation);
		expect(result).toMatchObject({ file, did, docker, restarts, left: [] });
		expect(result.log).toContain(`dead man's switch (${situation.by ?? 'deadline'})`);
	});

	test('hands over what is given back, and leaves a script for it', async () => {
		const afterwards: readonly Afterwards[] = [['docker', 'start', 'gitlab-runner']];
		const { delegated, giveBack } = await fire({ looks: [restarted], afterwards });
		expect(delegated).toHaveLength(1);
		expect(delegated[0]).toMatch(/--property=After=docker\.service .* give-back$/);
		expect(giveBack).toContain('docker start gitlab-runner');
	});
});
