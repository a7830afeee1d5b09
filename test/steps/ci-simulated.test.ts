import { describe, expect, it } from 'vitest';
import { simulatedHost } from '../../src/simulation/host.ts';
import { scenarioNames, scenarioState } from '../../src/simulation/scenarios.ts';
import { ciStep } from '../../steps/ci/step.ts';
import { engineRun } from '../support/engine-run.ts';

const answers = { 'ci.folder': '/root/sysbox-ci' };

describe('the CI step on the simulated hosts', () => {
	it.each(scenarioNames)('writes into one folder, and has nothing to do the second time: %s', async name => {
		const host = simulatedHost({ state: scenarioState(name) });
		const first = await engineRun([ciStep], host, { answers });
		// A job container that has this host is work for the operator.
		expect(first.end.exit).toBe(name === 'containers-running' ? 4 : 0);
		expect(first.state.actions.map(action => action.id)).toContain('docker-compose.sysbox.yml');
		for (const { does } of first.state.actions) expect(does).toContain('/root/sysbox-ci');
		const second = await engineRun([ciStep], host, { answers });
		expect([second.end.exit, second.state.actions]).toEqual([first.end.exit, []]);
	});

	it("finds everything by which the jobs in flight reach the host, and not the monitoring's own access", async () => {
		const host = simulatedHost({ state: scenarioState('containers-running') });
		const { state } = await engineRun([ciStep], host, { mode: 'check' });
		const found = new Map(state.steps[0]?.before.map(finding => [finding.id, finding]));
		const blocks = [...found.values()].filter(finding => finding.severity === 'block').map(finding => finding.id);
		expect(blocks).toEqual([
			'ci.container.privileged',
			'ci.container.docker-sock',
			'ci.runner.privileged',
			'ci.runner.docker-sock',
		]);
		expect(found.get('ci.runner.privileged')?.evidence).toMatch(/config\.toml:\d+ \(runner/);
		expect(found.get('ci.container.other')?.evidence).toMatch(/^node-exporter/);
	});

	it('names the image by its digest where it is on the host already', async () => {
		const host = simulatedHost({ state: scenarioState('already-set-up') });
		await engineRun([ciStep], host, { answers });
		const file = await host.readFile('/root/sysbox-ci/docker-compose.sysbox.yml');
		const text = file.kind === 'bytes' ? new TextDecoder().decode(file.bytes) : '';
		expect(text).toMatch(/image: docker:29-dind@sha256:[0-9a-f]{64}/);
	});
});
