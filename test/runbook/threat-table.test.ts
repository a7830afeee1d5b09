import { describe, expect, test } from 'vitest';
import { knowledge } from '../../src/knowledge/index.ts';
import { threatTable } from '../../src/model/threat.ts';
import { put } from '../../src/simulation/file-tree.ts';
import type { Container, SimulatedState, Unit } from '../../src/simulation/state.ts';
import { afterReasons, sayAfter, sayBefore } from '../../src/view/threat.ts';
import { type Ask, type Ended, fileOf, finding, hostOf, newKept, runbook } from './whole-runbook.ts';

/** What is done to the host before its first command: its CI, as the operator has it. */
type Change = (state: SimulatedState) => void;

const config = '/srv/gitlab-runner/config/config.toml';

const containerOf = (state: SimulatedState, name: string): Container => {
	const found = state.docker.engine.containers.find(container => container.name === name);
	if (found === undefined) throw new Error(`the scenario has no container ${name}`);
	return found;
};

const without =
	(...names: readonly string[]): Change =>
	state => {
		const { engine } = state.docker;
		engine.containers = engine.containers.filter(container => !names.includes(container.name));
	};

const both =
	(...changes: readonly Change[]): Change =>
	state => {
		for (const change of changes) change(state);
	};

const runner = (docker: string): Change =>
	both(without('jenkins-agent-1'), state => {
		put(
			state.files,
			config,
			`concurrent = 4\n\n[[runners]]\n  name = "ci-07"\n  executor = "docker"\n  [runners.docker]\n    image = "docker:29"\n${docker}`,
			0o600,
		);
	});

const limits = '    memory = "2g"\n    service_memory = "6g"\n    cpus = "2"\n    service_cpus = "4"\n';

/** The agent of the host, made again under Sysbox; no runner besides. */
const agentUnderSysbox: Change = both(without('gitlab-runner'), state => {
	containerOf(state, 'jenkins-agent-1').runtime = 'sysbox-runc';
});

const noCi: Change = without('gitlab-runner', 'jenkins-agent-1');

const runOf = (change: Change, ask: Ask = {}): Promise<Ended> =>
	runbook(hostOf('already-set-up', { change }), { selection: { only: ['ci', 'security'] }, ...ask });

/** `container-escape: Critical -> still Critical`, with its reasons. */
const rowOf = ({ state }: Ended, id: string): readonly string[] => {
	const row = threatTable(state).find(of => of.id === id);
	if (row === undefined) throw new Error(`there is no row ${id}`);
	return [`${sayBefore(row)} -> ${sayAfter(row)}`, ...afterReasons(row)];
};

describe('the threat table of a host', () => {
	test('is lowered for an agent under Sysbox with limits, and names it', async () => {
		const ended = await runOf(agentUnderSysbox);
		const covers = "for container 'jenkins-agent-1' (jenkins/inbound-agent:latest)";
		expect(rowOf(ended, 'container-escape').slice(0, 2)).toEqual(['– -> Low', covers]);
		expect(rowOf(ended, 'resource-abuse').slice(0, 2)).toEqual(['– -> Medium', covers]);
		expect(rowOf(ended, 'docker-compromise').slice(0, 2)).toEqual(['– -> Low', covers]);
		expect(rowOf(ended, 'job-to-job')[0]).toBe('High -> High, not lowered by Sysbox CE');
		expect(ended.screen).not.toContain('No job uses Sysbox yet');
	});

	test('names the table in which no vulnerability of this Sysbox is open', async () => {
		const ended = await runOf(agentUnderSysbox);
		expect(ended.screen).toContain(`Open CVEs of Sysbox 0.7.1: none in our table of ${knowledge.date}`);
		expect(ended.screen).not.toMatch(/no open CVE/i);
	});

	test('goes no lower than Medium while a kernel waits for a reboot, and says so', async () => {
		const ended = await runOf(
			both(agentUnderSysbox, state => put(state.files, '/run/reboot-required', '*** System restart required ***\n')),
		);
		const [levels, , cap] = rowOf(ended, 'container-escape');
		expect([levels, cap]).toEqual([
			'– -> Medium',
			'no lower than Medium: A reboot is pending: another kernel or library was installed',
		]);
	});

	test('goes no lower than Medium under a Sysbox with open vulnerabilities at its end of life, and names them', async () => {
		const host = hostOf('outdated-sysbox', { change: agentUnderSysbox });
		const ended = await runbook(host, { selection: { skip: ['functional'] } });
		const [levels, ...reasons] = rowOf(ended, 'container-escape');
		expect(levels).toBe('– -> Medium');
		expect(reasons.join('\n')).toMatch(/Sysbox 0\.6\.6: CVE-2025-31133, CVE-2025-52565, CVE-2025-52881/);
		expect(reasons.join('\n')).toContain('Sysbox 0.6.6 is at its end of life');
	});

	test('stays Critical by a plain container with all capabilities and no seccomp, which made it Critical before', async () => {
		const ended = await runOf(
			both(agentUnderSysbox, state => {
				const { options } = containerOf(state, 'build-cache');
				options.capAdd = ['ALL'];
				options.securityOpt = ['seccomp=unconfined'];
			}),
		);
		const [levels, ...reasons] = rowOf(ended, 'container-escape');
		expect(levels).toBe('Critical -> still Critical');
		expect(reasons.join('\n')).toContain('build-cache');
		expect(threatTable(ended.state)[0]?.before.basis).toContain('build-cache');
		expect(ended.screen).not.toMatch(/Critical +-> Low/);
	});

	test('stays High where GitLab jobs have no limit of processes, by file and line', async () => {
		const ended = await runOf(runner(`    runtime = "sysbox-runc"\n${limits}`));
		expect(rowOf(ended, 'resource-abuse')).toEqual([
			'High -> still High',
			`No limit of processes for GitLab jobs (${config}:3, runner "ci-07")`,
		]);
		expect(rowOf(ended, 'container-escape').slice(0, 2)).toEqual([
			'– -> Low',
			`for gitlab-runner 'ci-07' (${config}:3)`,
		]);
	});

	test('is High for the GitLab jobs of the files alone, as these have no limit of processes either', async () => {
		const answers = { 'ci.systems': ['gitlab'], 'ci.gitlab-url': 'https://gitlab.example.com/' };
		const ended = await runOf(noCi, { answers, kept: { ...newKept('run-1'), answers } });
		const [levels, reason] = rowOf(ended, 'resource-abuse');
		expect(levels).toBe('– -> High');
		expect(reason).toMatch(/^No limit of processes for GitLab jobs \(.*\/gitlab-runner\.config\.toml:\d+\)$/);
		expect(rowOf(ended, 'container-escape')[0]).toBe('– -> ready, no job uses Sysbox yet');
	});

	test('is ready where no job uses Sysbox yet: no entry point, or none under Sysbox', async () => {
		const none = await runOf(noCi);
		for (const id of ['container-escape', 'resource-abuse', 'docker-compromise'])
			expect(rowOf(none, id)).toEqual(['– -> ready, no job uses Sysbox yet']);
		const plain = await runOf(without('gitlab-runner'));
		expect(rowOf(plain, 'container-escape')).toEqual([
			'– -> ready, no job uses Sysbox yet',
			"not under Sysbox: container 'jenkins-agent-1' (jenkins/inbound-agent:latest)",
		]);
		expect(plain.screen).toContain('No job uses Sysbox yet');
		const some = await runOf(
			both(runner(`    runtime = "sysbox-runc"\n${limits}`), state => {
				put(
					state.files,
					config,
					`${textOf(state, config)}\n[[runners]]\n  name = "old"\n  executor = "docker"\n`,
					0o600,
				);
			}),
		);
		expect(rowOf(some, 'container-escape')).toEqual([
			'– -> ready, not every job uses it',
			`not under Sysbox: gitlab-runner 'old' (${config}:14)`,
			`under Sysbox: gitlab-runner 'ci-07' (${config}:3)`,
		]);
	});

	test('is unknown where an entry point could not be read', async () => {
		const ended = await runOf(both(agentAndRunner, state => put(state.files, config, '[[runners]\n', 0o600)));
		const [levels, why] = rowOf(ended, 'container-escape');
		expect(levels).toBe('unknown -> unknown');
		expect(why).toContain(config);
	});

	test('is not proved where step ci did not run, and says that of before too', async () => {
		const ended = await runOf(agentUnderSysbox, { selection: { only: ['security'] } });
		const why = 'the step ci did not run, so your CI was not looked at';
		expect(rowOf(ended, 'container-escape')).toEqual(['unknown -> not proved', why]);
		expect(threatTable(ended.state)[0]?.before.basis).toBe(why);
	});

	test('stays Critical by an agent that runs as a service whose user is in the group docker', async () => {
		const unit = 'actions.runner.acme-app.ci-07.service';
		const ended = await runOf(
			both(agentUnderSysbox, state => {
				addService(state, unit, 'GitHub Actions Runner (acme-app.ci-07)', 'User=runner\n');
				append(state, '/etc/passwd', 'runner:x:1001:1001::/home/runner:/bin/bash\n');
				state.files['/etc/group'] = fileOf('root:x:0:\ndocker:x:988:anna,runner\nrunner:x:1001:\n');
			}),
		);
		const [levels, reason] = rowOf(ended, 'docker-compromise');
		expect(levels).toBe('Critical -> still Critical');
		expect(reason).toContain(unit);
		// It reaches nothing else, and its jobs do not run under Sysbox.
		expect(rowOf(ended, 'container-escape')[0]).toBe('– -> ready, not every job uses it');
		expect(finding(ended, 'ci.service')?.evidence).toBe(`${unit} (GitHub Actions runner): user runner`);
	});
});

const agentAndRunner: Change = state => {
	containerOf(state, 'jenkins-agent-1').runtime = 'sysbox-runc';
};

const textOf = (state: SimulatedState, path: string): string => {
	const node = state.files[path];
	return node?.kind === 'file' ? (node.text ?? '') : '';
};

const append = (state: SimulatedState, path: string, text: string): void =>
	put(state.files, path, textOf(state, path) + text);

function addService(state: SimulatedState, name: string, description: string, more: string): void {
	const fragment = `/etc/systemd/system/${name}`;
	const text = `[Unit]\nDescription=${description}\n\n[Service]\nExecStart=/opt/actions-runner/runsvc.sh\n${more}\n[Install]\nWantedBy=multi-user.target\n`;
	put(state.files, fragment, text);
	const unit: Unit = {
		name,
		description,
		active: 'active',
		sub: 'running',
		result: 'success',
		enabled: 'enabled',
		type: 'simple',
		fragment,
		mainPid: 4711,
		mainStatus: 0,
		starts: [],
		loadedText: text,
	};
	state.units[name] = unit;
}
