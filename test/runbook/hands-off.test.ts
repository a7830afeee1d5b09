/** Hosts whose files others write: nothing of theirs is written, what they have to hold is told, and then it is proved. */
import { describe, expect, test, vi } from 'vitest';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import type { FileNode } from '../../src/simulation/state.ts';
import {
	actions,
	daemonJson,
	type Ended,
	fileOf,
	finding,
	hostIn,
	hostOf,
	newKept,
	runbook,
	setUpAndProved,
	statuses,
	textOn,
} from './whole-runbook.ts';

// Whole runs: on a machine that does other things too they take their time.
vi.setConfig({ testTimeout: 60_000 });

const directory: FileNode = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
const underAnsible = () =>
	hostOf('fresh-ubuntu', {
		change: state => {
			state.files['/etc/ansible'] = directory;
			state.files['/etc/ansible/facts.d'] = directory;
		},
	});

/** The whole file as the run told it, without its indent: from its heading to the empty line behind it. */
function toldContent({ screen }: Ended): string {
	const begins = screen.indexOf('the whole file:\n\n') + 'the whole file:\n\n'.length;
	const told = screen.slice(begins, screen.indexOf('\n\n', begins)).split('\n');
	expect(told.filter(line => !line.startsWith('       '))).toEqual([]);
	return told.map(line => `${line.slice(7)}\n`).join('');
}

/** The team's tool writes what it was told. */
const written = (host: SimulatedHost, path: string, text: string): SimulatedHost => {
	const state = host.state();
	state.files[path] = fileOf(text);
	return hostIn(state);
};

describe('a host under Ansible', () => {
	test('has no file written and nothing installed: the exact content is told, and the run ends 4', async () => {
		const host = underAnsible();
		const before = textOn(host);
		const ended = await runbook(host);

		expect(ended.exit).toBe(4);
		expect(finding(ended, 'config.managed')).toMatchObject({
			severity: 'warn',
			summary: 'Ansible manages files of this host',
			evidence: '/etc/ansible/facts.d',
		});
		expect(textOn(host)).toBe(before);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
		expect(actions(ended)).toContain('sysbox.daemon-json manual');
		expect(actions(ended).filter(a => a.startsWith('sysbox.'))).toEqual([
			'sysbox.downloads-folder done',
			'sysbox.download done',
			'sysbox.daemon-json manual',
		]);
		expect(ended.screen).toContain('Have /etc/docker/daemon.json written by Ansible');
		expect(JSON.parse(toldContent(ended))).toMatchObject({
			runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' } },
		});
		// The terminal redacts and does not keep line ends; the bytes themselves lie in a file.
		const kept = /the exact content is in \/kept\/([0-9a-f]{64})/.exec(ended.screen)?.[1] ?? '';
		expect(new TextDecoder().decode(ended.kept.backups.get(kept))).toBe(toldContent(ended));
	});

	test('is written by the run where an answer says so, also where the step that would ask is not chosen', async () => {
		const answers = { 'host.managed': false };
		const before = textOn(underAnsible()) ?? '';
		const first = underAnsible();
		expect((await runbook(first, { answers, selection: { only: ['host', 'sysbox'] } })).exit).toBe(0);
		const host = written(first, daemonJson, before);
		const ended = await runbook(host, { answers, selection: { only: ['daemon', 'docker'] } });

		expect(actions(ended).filter(a => / manual$/.test(a))).toEqual([]);
		expect(ended.exit).toBe(0);
		expect(textOn(host)).toContain('sysbox-runc');
	});

	test('has the file that its dockerd reads left to Ansible, wherever that file lies', async () => {
		const elsewhere = '/srv/docker.json';
		const host = underAnsible();
		await runbook(host, { answers: { 'host.managed': false }, selection: { only: ['host', 'sysbox'] } });
		const state = host.state();
		const unit = state.units['docker.service'];
		const flags = (text: string) => text.replace(/^ExecStart=.*/m, `$& --config-file=${elsewhere}`);
		const file = state.files[unit?.fragment ?? ''];
		if (unit === undefined || file?.kind !== 'file') throw new Error('no unit of Docker');
		state.files[unit.fragment] = fileOf(flags(file.text ?? ''));
		unit.loadedText = flags(unit.loadedText);
		const there = written(hostIn(state), elsewhere, '{}\n');
		const ended = await runbook(there, { selection: { only: ['daemon'] } });

		expect(actions(ended)).toEqual(['daemon.daemon-json manual']);
		expect(ended.screen).toContain(`Have ${elsewhere} written by Ansible`);
		expect(textOn(there, elsewhere)).toBe('{}\n');
	});

	test('is set up and proved once the content is there', async () => {
		const first = await runbook(underAnsible());
		const host = written(underAnsible(), daemonJson, toldContent(first));
		const second = await runbook(host, { kept: newKept('run-2') });

		expect(second.exit).toBe(0);
		expect(actions(second).filter(a => / manual$/.test(a) || a.includes('daemon-json'))).toEqual([]);
		expect(statuses(second)).toEqual(setUpAndProved);
		expect(textOn(host)).toBe(toldContent(first));
	});

	test('is written to after all, when the operator says that it is not managed', async () => {
		const host = underAnsible();
		const ended = await runbook(host, { answers: { 'host.managed': false } });
		expect(ended.exit).toBe(0);
		expect(actions(ended)).toContain('sysbox.daemon-json done');
	});
});

describe('--managed', () => {
	test('names files and folders; others are written', async () => {
		const host = hostOf('fresh-ubuntu');
		const ended = await runbook(host, { managed: ['/etc/docker'] });
		expect(ended.exit).toBe(4);
		expect(actions(ended)).toContain('sysbox.daemon-json manual');
		const other = await runbook(hostOf('fresh-ubuntu'), { managed: ['/etc/sysctl.d', '/etc/docker/daemon.jso'] });
		expect(other.exit).toBe(0);
		expect(actions(other)).toContain('sysbox.daemon-json done');
	});

	test('holds for every file of a run: the AppArmor rule too', async () => {
		const host = hostOf('fusermount3-apparmor');
		const ended = await runbook(host, {
			managed: ['/etc/apparmor.d'],
			risks: ['weaken-apparmor'],
		});
		expect(ended.exit).toBe(4);
		expect(actions(ended).filter(a => a.includes('manual'))).toHaveLength(1);
		expect(textOn(host, '/etc/apparmor.d/local/fusermount3') ?? '').not.toContain('sysboxfs');
		expect(ended.screen).toContain('Waits for it:');
	});

	test('is known to a plan, which foresees the file that others write', async () => {
		const ended = await runbook(hostOf('fresh-ubuntu'), { mode: 'plan', managed: [daemonJson] });
		expect(ended.exit).toBe(4);
		expect(ended.screen).toContain('sysbox: Have /etc/docker/daemon.json written');
		expect(ended.screen).not.toContain('daemon: ');
	});
});

test('a daemon.json that is a link into a repository is left to the repository', async () => {
	const host = hostOf('fresh-ubuntu', {
		change: state => {
			for (const path of ['/srv', '/srv/infra', '/srv/infra/.git', '/srv/infra/docker'])
				state.files[path] ??= directory;
			state.files['/srv/infra/docker/daemon.json'] = fileOf('{}\n');
			state.files[daemonJson] = { kind: 'link', to: '/srv/infra/docker/daemon.json' };
		},
	});
	const ended = await runbook(host);
	expect(ended.exit).toBe(4);
	expect(finding(ended, 'config.managed')?.summary).toBe('the repository in /srv/infra manages files of this host');
	expect(textOn(host, '/srv/infra/docker/daemon.json')).toBe('{}\n');
	expect(ended.screen).toContain('written by the repository in /srv/infra');
});
