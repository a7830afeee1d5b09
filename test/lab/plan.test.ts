/** A saved plan on a real systemd and Docker host: refused once the host has changed, else done, and told to the journal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabHost, labAvailable, startLabHost } from './lab-host.ts';

const lab = await labAvailable();
if (!lab.available) console.warn(`the lab is not available: ${lab.why}`);

const daemonJson = '/etc/docker/daemon.json';
const operatorsFile = '{\n\t"log-driver": "json-file"\n}\n';

describe.skipIf(!lab.available)('a saved plan on a real host', () => {
	let host: LabHost;
	let common: readonly string[];

	beforeAll(async () => {
		host = await startLabHost({ cgroup: 'v2', name: 'saved-plan' });
		await host.installTool(new URL('../../dist', import.meta.url).pathname);
		const { path } = await host.putPackage('good');
		await host.exec(['mkdir', '-p', '/etc/docker']);
		await host.writeFile(daemonJson, operatorsFile);
		common = ['--only', 'host,sysbox,daemon,docker', '--deb', path, '--accept-risk', 'unverified-deb'];
		common = [...common, '--change-id', 'CHG 17'];
	}, 16 * 60_000);
	afterAll(async () => {
		await host?.remove();
	});
	const tool = (...args: readonly string[]) =>
		host.exec(['sysbox-setup', ...args], { reject: false, timeoutMs: 200_000 });
	const held = () => tool('--yes', '--plan', '/root/p.json', ...common);

	it('is saved with what would be done, and nothing is done', async () => {
		const planned = await tool('plan', '--out', '/root/p.json', ...common);
		expect(planned.code, planned.stderr).toBe(4);
		const plan = JSON.parse((await host.readFile('/root/p.json')).toString());
		expect(plan.steps.map((step: { id: string }) => step.id)).toEqual(['host', 'sysbox', 'daemon', 'docker']);
		expect((await host.readFile(daemonJson)).toString()).toBe(operatorsFile);
	});

	it('is refused with the difference once somebody has touched daemon.json, and nothing is done', async () => {
		const touched = operatorsFile.replace('json-file', 'local');
		await host.writeFile(daemonJson, touched);
		const refused = await held();
		expect(refused.code, refused.stderr).toBe(3);
		expect(refused.stderr).toContain(`${daemonJson} is not as it was when the plan was made`);
		expect(refused.stderr).toMatch(/^ +\+\s+"log-driver": "local"$/m);
		expect((await host.readFile(daemonJson)).toString()).toBe(touched);
		expect((await host.exec(['dpkg-query', '-W', 'sysbox-ce'], { reject: false })).code).not.toBe(0);
		await host.writeFile(daemonJson, operatorsFile);
	});

	it('is done on the host that it was made for, and the journal tells it', async () => {
		const done = await held();
		expect(done.code, done.stdout + done.stderr).toBe(0);
		expect((await host.exec(['docker', 'info', '--format', '{{json .Runtimes}}'])).stdout).toContain('sysbox-runc');
		const journal = (await host.exec(['journalctl', '-t', 'sysbox-setup', '-o', 'cat', '--no-pager'])).stdout;
		const lines = journal.trim().split('\n');
		expect(lines[0]).toMatch(/^event=start run=\S+ user=root change="CHG 17" mode=run /);
		expect(journal).toMatch(/^event=change .* step=sysbox action=daemon-json outcome=done /m);
		expect(journal).toMatch(/^event=change .* step=sysbox action=install outcome=done /m);
		expect(lines.at(-1)).toMatch(/^event=end .* outcome=done exit=0 changed=yes$/);
	});

	it('has nothing left in it the second time, and is refused', async () => {
		const again = await held();
		expect(again.code, again.stdout + again.stderr).toBe(3);
		expect(again.stderr).toContain('in the plan, and not to be done now: ');
	});
});
