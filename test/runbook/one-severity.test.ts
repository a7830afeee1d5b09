import { expect, test } from 'vitest';
import { scenarioNames } from '../../src/simulation/scenarios.ts';
import { crowded } from '../support/many-containers.ts';
import { hostOf, runbook } from './whole-runbook.ts';

/** The findings of a check, as `id severity`, without doubles. */
async function said(host: ReturnType<typeof hostOf>): Promise<readonly string[]> {
	const { screen } = await runbook(host, { mode: 'check', format: 'json' });
	const findings = screen
		.trimEnd()
		.split('\n')
		.map(line => JSON.parse(line))
		.filter(event => event.type === 'findings')
		.flatMap(event => event.findings.map((found: { id: string; severity: string }) => [event.step, found] as const));
	return [...new Set(findings.map(([step, { id, severity }]) => `${step} ${id} ${severity}`))];
}

test.each([...scenarioNames, 'crowded'] as const)('a look at %s gives each finding one severity', async name => {
	const all = await said(name === 'crowded' ? crowded(hostOf('fresh-ubuntu'), 60) : hostOf(name));
	const ids = all.map(line => line.split(' ').slice(0, 2).join(' '));
	expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
	expect(ids.length).toBeGreaterThan(10);
});
