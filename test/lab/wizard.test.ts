/**
 * The built wizard on a real systemd and Docker host, typed in a terminal from fresh to the record, and gone on with after
 * a kill -9 in each step. It has to leave what a run without anybody leaves.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { expectSoundDrawing, leftInOrder, saysHowItLeft } from '../built/shell-around.ts';
import { openTerminal, type Session, terminalEnvironment } from '../built/support-terminal.ts';
import { enter, executeRun, type Stop } from '../built/walk.ts';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const operatorsFile = '{\n\t"log-driver": "json-file",\n\t"max-concurrent-downloads": 12345678\n}';
const risks = ['unverified-deb', 'default-runtime'] as const;

/** Other answers than the wizard offers, so that each step has something to do on this host. */
const typed: readonly Stop[] = [
	// What needs a name is not done with Enter alone.
	{ shows: /❯ (?:Go back|Skip this step with \d to 7)\s+Do it: type/, keys: '\u001b[C\r' },
	...risks.map(risk => ({ shows: new RegExp(`accept\\s+this,\\s+type\\s+${risk}\\b`), keys: `${risk}\r` })),
	{ shows: 'the default runtime of all containers?', keys: 'y' },
	// Once it was answered it is offered as it was answered, and `a` would take it all back.
	{ shows: /For which CI systems[\s\S]*\[x\] Docker Compose[\s\S]*\[x\] GitLab[\s\S]*\[x\] Jenkins/, keys: enter },
	{ shows: 'For which CI systems', keys: `a${enter}` },
	{ shows: 'Into which folder?', keys: '/srv/ci\r' },
	{ shows: 'Which image do jobs', keys: 'lab/ci:1\r' },
	{ shows: 'How much memory may', keys: '512m\r' },
	{ shows: 'How many processes may', keys: '1024\r' },
	{ shows: "What is your GitLab's address?", keys: 'https://gitlab.example.com/\r' },
	{ shows: "What is your Jenkins controller's address?", keys: 'https://jenkins.example.com/\r' },
	{ shows: 'which image has a registry', keys: 'lab/registry:1\r' },
	{ shows: 'Who looks after this host?', keys: 'platform team\r' },
];

/** The same for a run without anybody. */
const answers = [
	'version: 1',
	'daemon:',
	'  default-runtime: true',
	'ci:',
	'  systems: [compose, gitlab, jenkins]',
	'  folder: /srv/ci',
	'  image: lab/ci:1',
	'  memory: 512m',
	'  cpus: 1',
	'  pids: 1024',
	'  gitlab-url: https://gitlab.example.com/',
	'  jenkins-url: https://jenkins.example.com/',
	'functional:',
	'  registry-image: lab/registry:1',
	'record:',
	'  owner: platform team',
	'',
].join('\n');

const options = (deb: string): readonly string[] => [
	...['--deb', deb, '--image-archive', '/opt/sysbox-setup-lab/images/ci-images.tar', '--record', '/root/record.md'],
];

async function freshHost(name: string, started: (host: LabHost) => void) {
	const host = await startLabHost({ cgroup: 'v1', name });
	// Before anything can fail: it has to be removed then, too.
	started(host);
	await host.installTool(new URL('../../dist', import.meta.url).pathname);
	await host.loadImages('busybox');
	const { path: deb } = await host.putPackage('good');
	await host.exec(['mkdir', '-p', '/etc/docker', '/srv/ci']);
	await host.writeFile(daemonJson, operatorsFile);
	return { host, deb };
}

/** The wizard in a terminal that reaches into the host, as that of ssh does; the shell around it says how it left. */
function wizardOn(host: LabHost, deb: string, env: Readonly<Record<string, string>> = {}): Session {
	const program = `sysbox-setup ${options(deb).join(' ')}`;
	const given = { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env };
	const environment = Object.entries(given).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
	return openTerminal(
		['docker', 'exec', '--interactive', '--tty', ...environment, host.name, 'sh', '-c', saysHowItLeft(program)],
		{ env: terminalEnvironment(), directory: '/' },
	);
}

/** The data block of a record, without what differs from run to run. */
function dataOf(record: string): object {
	const block = record.slice(record.lastIndexOf('\nsysbox-setup-record: ') + 1).split('\n```')[0] ?? '';
	const data = block.split('\n').map(line => /^([^:]+): (.*)$/.exec(line)?.slice(1) as [string, string]);
	const ofOneRun = ['run', 'started', 'written'];
	const ofOneHost = (key: string, value: unknown): unknown => (key === 'dockerId' ? undefined : value);
	return Object.fromEntries(
		data.filter(([key]) => !ofOneRun.includes(key)).map(([key, json]) => [key, JSON.parse(json, ofOneHost)]),
	);
}

/** What a run leaves on a host. */
async function endState(host: LabHost): Promise<object> {
	const says = async (script: string): Promise<readonly string[]> =>
		(await host.exec(['sh', '-ec', script])).stdout.trimEnd().split('\n');
	const units = 'docker.service containerd.service sysbox.service sysbox-mgr.service sysbox-fs.service';
	return {
		daemonJson: (await host.readFile(daemonJson)).toString(),
		packages: await says('dpkg-query -W'),
		selections: await says('dpkg --get-selections'),
		unitFiles: await says('systemctl list-unit-files --no-legend --no-pager | sort'),
		units: await says(`systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,DropInPaths ${units}`),
		runtimes: await says(
			"docker info --format '{{range $name, $_ := .Runtimes}}{{$name}} {{.Path}}, {{end}}default {{.DefaultRuntime}}'",
		),
		images: await says("docker image ls --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort"),
		containers: await says('docker ps --all --quiet'),
		ciFiles: await says("find /srv/ci -printf '%P %M %U:%G\\n' | sort; find /srv/ci -type f | sort | xargs tail -n +1"),
		settings: await says(
			"find /etc/sysctl.d /etc/modules-load.d /etc/systemd/system /etc/subuid /etc/subgid -printf '%p %M %l\\n' | sort; cat /etc/subuid /etc/subgid",
		),
		record: dataOf((await host.readFile('/root/record.md')).toString()),
	};
}

/**
 * Put in front of the program: it sends itself SIGKILL within the step that KILL_IN names, once what it is about to do
 * there, or its first look where there is nothing to do, stands in the log.
 */
const killItself = `
	import { open } from 'node:fs/promises';
	const { KILL_IN: step, KILL_AT: at } = process.env;
	const file = await open('/dev/null');
	const kind = Object.getPrototypeOf(file);
	await file.close();
	const { write } = kind;
	kind.write = async function (bytes, ...rest) {
		const done = await write.call(this, bytes, ...rest);
		for (const row of Buffer.from(bytes).toString().split('\\n')) {
			if (!row.startsWith('{"v":')) continue;
			const event = JSON.parse(row);
			if (event.step === step && event.type === at) process.kill(process.pid, 'SIGKILL');
		}
		return done;
	};
`;

/** A step, and what its log says last before the kill. */
const kills = [
	['Host compatibility', 'host', 'findings'],
	['Sysbox', 'sysbox', 'action.intent'],
	['Docker configuration', 'daemon', 'action.intent'],
	['Docker reload or restart', 'docker', 'action.intent'],
	['CI configuration', 'ci', 'action.intent'],
	['Functional proof', 'functional', 'probe.start'],
	['Security proof', 'security', 'probe.start'],
	['Record', 'record', 'action.intent'],
] as const;

describe.skipIf(!lab.available)('the wizard, typed on a real host,', () => {
	let unattended: object;

	beforeAll(async () => {
		let started: LabHost | undefined;
		try {
			const { host, deb } = await freshHost('wizard-unattended', it => {
				started = it;
			});
			await host.writeFile('/root/answers.yml', answers);
			const accepted = risks.flatMap(risk => ['--accept-risk', risk]);
			const run = ['sysbox-setup', '--yes', '--answers', '/root/answers.yml', ...accepted, ...options(deb)];
			const { code, stdout, stderr } = await host.exec(run, { reject: false, timeoutMs: 200_000 });
			expect(code, stdout + stderr).toBe(0);
			unattended = await endState(host);
		} finally {
			await started?.remove();
		}
	}, 16 * 60_000);

	it('goes from fresh to the record, and leaves what a run without anybody leaves', async () => {
		const { host, deb } = await freshHost('wizard', it => onTestFinished(() => it.remove()));
		const session = wizardOn(host, deb);
		await executeRun(session, { stops: typed });
		expect(await leftInOrder(session)).toBe(0);
		expectSoundDrawing(session);
		expect(await endState(host)).toEqual(unattended);
	});

	describe('with kill -9 in each step, each time gone on with by Enter,', () => {
		let host: LabHost;
		let deb: string;
		beforeAll(async () => {
			({ deb } = await freshHost('wizard-killed', it => {
				host = it;
			}));
			await host.writeFile('/root/kill-itself.mjs', killItself);
		}, 16 * 60_000);
		afterAll(async () => {
			await host?.remove();
		});

		it.each(kills.map(([title, step, at], n) => ({ title, step, at, before: kills[n - 1]?.[0], n })))(
			'goes on where it was killed, and is killed in step $step',
			async ({ step, at, before, n }) => {
				const env = { NODE_OPTIONS: '--import=/root/kill-itself.mjs', KILL_IN: step, KILL_AT: at };
				const session = wizardOn(host, deb, env);
				const [first] = await executeRun(session, { stops: typed });
				if (before !== undefined) expect(first).toContain(`❯ Go on with step ${n}, ${before}`);
				expect(session.screen()).toContain('code 137');
			},
		);

		it('comes to the record, and leaves what a run without anybody leaves', async () => {
			const session = wizardOn(host, deb);
			const [first] = await executeRun(session, { stops: typed });
			expect(first).toContain('❯ Go on with step 8, Record');
			expect(await leftInOrder(session)).toBe(0);
			expectSoundDrawing(session);
			expect(await endState(host)).toEqual(unattended);
		});
	});
});
