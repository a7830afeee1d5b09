import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scenarioNames } from '../../src/simulation/scenarios.ts';
import { findingIds, inputFindingIds } from '../../steps/finding-ids.ts';
import { hostOf, runbook } from '../runbook/whole-runbook.ts';

const known = [...findingIds.map(({ id }) => id), ...inputFindingIds];
const directory = join(import.meta.dirname, '../../steps');

/** The ids of the finding-like literals in a step's sources; `${…}` stands for any word. */
function idsIn(file: string): readonly RegExp[] {
	const text = readFileSync(join(directory, file), 'utf8');
	const literals = text.matchAll(/(?:\bid: |const id = )(['`])([a-z][^'`]*\.[^'`]*)\1/g);
	// Questions and probes have a title, findings a severity.
	return [...literals]
		.filter(({ index }) => text.slice(index, index + 2000).search(/severity/) !== -1)
		.filter(({ index }) => {
			const after = text.slice(index);
			const title = after.search(/\btitle(?:,|:)/);
			return title === -1 || after.search(/severity/) < title;
		})
		.map(({ 2: id = '' }) => new RegExp(`^${id.replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '[a-z0-9-]+')}$`));
}

describe('the list of findings', () => {
	it('has each once', () => {
		expect(known.length).toBe(new Set(known).size);
	});

	it('has every finding that the source of a step names', () => {
		const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'));
		const ids = files.filter(name => !name.endsWith('finding-ids.ts')).flatMap(idsIn);
		expect(ids.length).toBeGreaterThan(60);
		expect(ids.filter(id => !known.some(name => id.test(name))).map(String)).toEqual([]);
	});

	it.each(scenarioNames)('has every finding of a run on %s', async name => {
		const { kept } = await runbook(hostOf(name), { risks: ['restart-sysbox', 'weaken-apparmor'] });
		const seen = kept.events.flatMap(event => (event.type === 'findings' ? event.findings.map(({ id }) => id) : []));
		expect(seen.length).toBeGreaterThan(0);
		expect([...new Set(seen)].filter(id => !known.includes(id))).toEqual([]);
	});
});
