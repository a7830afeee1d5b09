/** A Sysbox that is too old for the Docker in the CI image: told beforehand, and named where it shows. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Ended, findings, hostOf, runbook } from './whole-runbook.ts';

const issue = 'inner-docker-openat2';

describe('an outdated Sysbox that stays', () => {
	let ended: Ended;
	beforeAll(async () => {
		ended = await runbook(hostOf('outdated-sysbox'));
	});
	const probe = (id: string) => ended.state.steps.flatMap(s => s.probes).find(p => p.id === id);

	test('is said beforehand to be a known issue of the version that is installed', () => {
		expect(findings(ended).find(f => f.id === `sysbox.known-issues.${issue}`)).toMatchObject({ severity: 'warn' });
	});

	test('fails the build inside with the error, not with the first line of its output', () => {
		const because = probe('functional.inner-build')?.because;
		expect(because).toContain('unsafe procfs detected');
		expect(because).toContain('invalid cross-device link');
		expect(because).not.toContain('building with "default" instance');
	});

	test('links the known issue that explains it, with its title and its number', () => {
		expect(probe('functional.inner-build')?.because).toContain(
			`Known issue ${issue}: Current Docker versions cannot start containers inside of this Sysbox (nestybox/sysbox#972`,
		);
		expect(probe('functional.inner-build')?.next).toEqual([
			expect.stringMatching(/^Upgrade Sysbox; .*known issue inner-docker-openat2/),
		]);
	});

	test('has next steps about the failure, and none about jobs that are to use it', () => {
		const next = ended.screen.split('\n').filter(line => /^ {2}next /.test(line));
		expect(next).toEqual([
			expect.stringMatching(/functional\.inner-build: Upgrade Sysbox;/),
			expect.stringContaining('sysbox-setup test functional'),
		]);
	});
});
