/** What the proofs need is fetched before the first change, so that a host that cannot fetch it is not changed. */
import { describe, expect, test } from 'vitest';
import { type Ask, actions, hostIn, hostOf, runbook, statuses } from './whole-runbook.ts';

const ids = (done: readonly string[]): readonly string[] => done.map(line => line.split(' ')[0] ?? '');
const pulls = (done: readonly string[]): readonly string[] => ids(done).filter(id => id.includes('.image-'));
const planOf = async (ask: Ask) => (await runbook(hostOf('fresh-ubuntu'), { mode: 'plan', ...ask })).screen;
const archives = ['/root/images/docker-29-dind.tar', '/root/images/registry-2.tar'];
const deb = '/root/sysbox-ce_0.7.1-0.linux_amd64.deb';

describe('the images of the proofs', () => {
	test('are pulled before the first change, once, and not again by the next run', async () => {
		const host = hostOf('fresh-ubuntu');
		const first = await runbook(host);
		expect(first.exit, statuses(first).join(', ')).toBe(0);
		expect(ids(actions(first)).slice(0, 3)).toEqual([
			'host.image-docker-29-dind',
			'host.image-registry-2',
			'host.install-tools',
		]);
		expect(pulls(actions(first))).toHaveLength(2);
		const second = await runbook(hostIn(host.state()));
		expect(second.exit).toBe(0);
		expect(actions(second)).toEqual([]);
	});

	test('stand in the plan once, before the first change', async () => {
		const screen = await planOf({});
		expect(screen.match(/Pull docker:29-dind/g)).toHaveLength(1);
		expect(screen.indexOf('Pull registry:2')).toBeLessThan(screen.indexOf('Install fuse3'));
	});

	test('are fetched for the chosen proofs only', async () => {
		expect(await planOf({ selection: { skip: ['functional'] } })).not.toContain('Pull registry:2');
		expect(await planOf({ selection: { skip: ['functional', 'security'] } })).not.toContain('Pull ');
	});

	test('are those that the answers name', async () => {
		const screen = await planOf({ answers: { 'ci.image': 'docker:28-dind' } });
		expect(screen.indexOf('Pull docker:28-dind')).toBeLessThan(screen.indexOf('Install fuse3'));
		expect(screen).not.toContain('Pull docker:29-dind');
	});

	test('come from the archives that were passed, and nothing is pulled', async () => {
		const ended = await runbook(hostOf('no-internet'), { deb, imageArchives: archives });
		expect(ended.exit, statuses(ended).join(', ')).toBe(0);
		expect(ended.screen).not.toContain('docker pull');
		expect(ids(actions(ended)).slice(0, 2)).toEqual(['sysbox.image-docker-29-dind', 'sysbox.image-registry-2']);
	});

	test('that no archive holds are wrong input before the first change', async () => {
		const ended = await runbook(hostOf('no-internet'), { deb, imageArchives: archives.slice(1) });
		expect(ended.exit).toBe(2);
		expect(actions(ended)).toEqual([]);
		expect(ended.screen).toContain('No given archive holds docker:29-dind');
	});

	test('are no change of a host that is set up', async () => {
		const host = hostOf('already-set-up', {
			change: ({ docker: { engine } }) => {
				engine.images = [];
			},
		});
		const check = await runbook(host, { mode: 'check' });
		expect(check.exit).toBe(0);
		expect(pulls(actions(await runbook(host))).every(id => id.startsWith('functional.'))).toBe(true);
	});
});
