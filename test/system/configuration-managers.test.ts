import { expect, test } from 'vitest';
import { simulatedHost } from '../../src/simulation/host.ts';
import { scenarioState } from '../../src/simulation/scenarios.ts';
import type { FileNode } from '../../src/simulation/state.ts';
import { inspectManagers, managerUnits, repositoryBehind } from '../../src/system/configuration-managers.ts';
import { inspectUnits } from '../../src/system/systemd-units.ts';

const directory: FileNode = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 };
const file = (text: string): FileNode => ({ kind: 'file', text, mode: 0o644, uid: 0, gid: 0 });

function hostWith(files: Readonly<Record<string, FileNode>>) {
	const state = scenarioState('fresh-ubuntu');
	for (const path of Object.keys(files)) {
		for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
			state.files[path.slice(0, at)] ??= directory;
	}
	Object.assign(state.files, files);
	return simulatedHost({ state, releases: [], pace: 'instant', onUnknownCommand: 'throw' });
}

async function traces(files: Readonly<Record<string, FileNode>>) {
	const host = hostWith(files);
	const units = await inspectUnits(host, managerUnits, new AbortController().signal);
	return (await inspectManagers(host, units)).map(({ by, saw }) => `${by}: ${saw}`);
}

test.each([
	['/etc/ansible/facts.d', directory, 'Ansible: /etc/ansible/facts.d'],
	['/home/anna/.ansible/tmp', directory, 'Ansible: /home/anna/.ansible/tmp'],
	[
		'/etc/cron.d/pull',
		file('# nightly\n0 3 * * * root ansible-pull -U https://git/x\n'),
		'Ansible: ansible-pull in /etc/cron.d/pull:2',
	],
	['/opt/puppetlabs', directory, 'Puppet: /opt/puppetlabs'],
	['/etc/chef', directory, 'Chef: /etc/chef'],
	['/etc/salt/minion', file('master: salt\n'), 'Salt: /etc/salt/minion'],
	['/var/cfengine', directory, 'CFEngine: /var/cfengine'],
])('%s is a trace', async (path, node, trace) => {
	expect(await traces({ [path]: node })).toEqual([trace]);
});

test('a host that others are managed from is not managed itself, nor is one with a comment about it', async () => {
	expect(
		await traces({
			'/etc/ansible/hosts': file('ci-07\n'),
			'/etc/cron.d/pull': file('# 0 3 * * * root ansible-pull\n'),
		}),
	).toEqual([]);
});

test('a link into a repository is one, whatever folder of it is linked', async () => {
	const repository = { '/srv/infra/.git': directory, '/srv/infra/docker/daemon.json': file('{}') };
	const link = (to: string): FileNode => ({ kind: 'link', to });
	const linked = hostWith({ ...repository, '/etc/docker/daemon.json': link('/srv/infra/docker/daemon.json') });
	expect(await repositoryBehind(linked, '/etc/docker/daemon.json')).toBe('/srv/infra');
	const elsewhere = hostWith({ '/srv/x.json': file('{}'), '/etc/docker/daemon.json': link('/srv/x.json') });
	expect(await repositoryBehind(elsewhere, '/etc/docker/daemon.json')).toBeUndefined();
});
