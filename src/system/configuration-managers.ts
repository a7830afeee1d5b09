import type { ReadHost } from '../port/host.ts';
import type { UnitsAnswer } from './systemd-units.ts';
import { readTextOr } from './text-file.ts';

/** A sign that something else writes configuration on this host. */
export interface ManagerTrace {
	/** "Ansible" */
	readonly by: string;
	/** The directory, unit or line that says so. */
	readonly saw: string;
}

/**
 * What each leaves on a host that it manages. A directory that its package brings to a machine from which others are managed
 * (/etc/ansible alone) is none.
 */
const leaves: readonly {
	readonly by: string;
	readonly paths: readonly string[];
	readonly unit?: string | undefined;
}[] = [
	{
		by: 'Ansible',
		paths: ['/etc/ansible/facts.d', '/root/.ansible', '/var/lib/ansible', '/etc/systemd/system/ansible-pull.timer'],
	},
	{ by: 'Puppet', paths: ['/opt/puppetlabs', '/etc/puppetlabs', '/var/lib/puppet'], unit: 'puppet.service' },
	{ by: 'Chef', paths: ['/etc/chef', '/var/chef', '/etc/cinc'], unit: 'chef-client.service' },
	{
		by: 'Salt',
		paths: ['/etc/salt/minion', '/etc/salt/minion_id', '/var/cache/salt/minion'],
		unit: 'salt-minion.service',
	},
	{ by: 'CFEngine', paths: ['/var/cfengine'], unit: 'cfengine3.service' },
];

/** The units of their agents. */
export const managerUnits: readonly string[] = leaves.flatMap(({ unit }) => unit ?? []);

/** Hosts of this many users are no CI hosts; their homes are not gone through. */
const mostHomes = 50;

/** Looks for traces of Ansible, Puppet, Chef, Salt and CFEngine in a few files; `units` holds {@link managerUnits}. */
export async function inspectManagers(host: ReadHost, units: UnitsAnswer): Promise<readonly ManagerTrace[]> {
	const isThere = async (path: string): Promise<boolean> => (await host.stat(path)).kind === 'found';
	const [cron, homes, ...found] = await Promise.all([
		ansiblePull(host),
		homesWithAnsible(host),
		...leaves.map(async ({ by, paths }): Promise<readonly ManagerTrace[]> => {
			const there = await Promise.all(paths.map(isThere));
			return paths.flatMap((path, at) => (there[at] === true ? [{ by, saw: path }] : []));
		}),
	]);
	const active = new Set(units.kind === 'ok' ? units.units.filter(u => u.activeState === 'active').map(u => u.id) : []);
	const running = leaves.flatMap(({ by, unit }) =>
		unit !== undefined && active.has(unit) ? [{ by, saw: `${unit} is active` }] : [],
	);
	return [...found.flat(), ...cron, ...homes, ...running];
}

/** Ansible leaves a directory for its modules with the user that it logs in as. */
async function homesWithAnsible(host: ReadHost): Promise<readonly ManagerTrace[]> {
	const list = await host.list('/home');
	const names = list.kind === 'names' && list.names.length <= mostHomes ? list.names : [];
	const paths = names.map(name => `/home/${name}/.ansible/tmp`);
	const there = await Promise.all(paths.map(async path => (await host.stat(path)).kind === 'found'));
	return paths.flatMap((path, at) => (there[at] === true ? [{ by: 'Ansible', saw: path }] : []));
}

async function ansiblePull(host: ReadHost): Promise<readonly ManagerTrace[]> {
	const list = await host.list('/etc/cron.d');
	const files = [
		'/etc/crontab',
		'/var/spool/cron/crontabs/root',
		'/var/spool/cron/root',
		...(list.kind === 'names' ? list.names.map(name => `/etc/cron.d/${name}`) : []),
	];
	const texts = await Promise.all(files.map(file => readTextOr(host, file)));
	return files.flatMap((file, at) => {
		const lines = texts[at]?.split('\n') ?? [];
		const line = lines.findIndex(text => /^[^#]*\bansible-pull\b/.test(text));
		return line === -1 ? [] : [{ by: 'Ansible', saw: `ansible-pull in ${file}:${line + 1}` }];
	});
}

/** The repository that a file really lies in, when its path is a link or leads through one; undefined otherwise. */
export async function repositoryBehind(host: ReadHost, path: string): Promise<string | undefined> {
	const found = await host.stat(path);
	if (found.kind !== 'found' || found.meta.realPath === path) return undefined;
	for (let directory = parentOf(found.meta.realPath); ; directory = parentOf(directory)) {
		if ((await host.stat(directory === '/' ? '/.git' : `${directory}/.git`)).kind === 'found') return directory;
		if (directory === '/') return undefined;
	}
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
