/** The JSON Schemas of the package, held against what runs really say and write. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { jsonSchemas } from '../../src/cli/json-schemas.ts';
import { answersFileText } from '../../src/prompts/answers-file-text.ts';
import { hostOf, runbook } from '../runbook/whole-runbook.ts';

// A whole run, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const directory = mkdtempSync(join(tmpdir(), 'sysbox-setup-schemas-'));
afterAll(() => rmSync(directory, { recursive: true }));

const release = join(import.meta.dirname, '../fixtures/releases/0.1.0');
const linesOf = (text: string): readonly unknown[] =>
	text
		.trimEnd()
		.split('\n')
		.map(line => JSON.parse(line));

/** As a program would that has the file and nothing else of this one. */
const shipped = (name: string): z.ZodType => z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchemas()[name])));
const holds = (name: string, value: unknown): void => {
	const read = shipped(name).safeParse(value);
	expect(read.error?.issues, JSON.stringify(value)).toBeUndefined();
};

it('of an event holds for every line of a run, and for a log of an earlier release', async () => {
	const event = shipped('event.json');
	const { screen, exit } = await runbook(hostOf('fresh-ubuntu'), { format: 'json' });
	expect(exit).toBe(0);
	const lines = linesOf(screen);
	expect(new Set(lines.map(line => (line as { type: string }).type)).size).toBeGreaterThan(12);
	for (const line of [...lines, ...linesOf(readFileSync(join(release, 'run/events.ndjson'), 'utf8'))])
		expect(event.safeParse(line).error?.issues, JSON.stringify(line)).toBeUndefined();
});

it('of an event refuses a type that there is not, and one without a field that it has to have', async () => {
	const event = shipped('event.json');
	const envelope = { v: 2, seq: 1, at: '2026-01-01T00:00:00.000Z' };
	const end = { type: 'record.written', step: 'record', path: '/r.md', sha256: 'x', incomplete: false };
	expect(event.safeParse({ ...envelope, ...end, later: 'a field of a newer version' }).success).toBe(true);
	expect(event.safeParse({ ...envelope, ...end, type: 'record.burnt' }).success).toBe(false);
	expect(event.safeParse({ ...envelope, ...end, path: undefined }).success).toBe(false);
	expect(event.safeParse(end).success).toBe(false);
});

it('of a plan and of answers hold for what a run writes', async () => {
	const out = join(directory, 'plan.json');
	const { state } = await runbook(hostOf('fresh-ubuntu'), { mode: 'plan', out });
	holds('plan.json', JSON.parse(readFileSync(out, 'utf8')));
	holds('answers.json', parse(answersFileText(state, 'sysbox-setup')));
	expect(shipped('answers.json').safeParse({ ci: { memory: '4g' } }).success).toBe(false);
});

it('of a session holds for one of an earlier release', () =>
	holds('session.json', JSON.parse(readFileSync(join(release, 'run/session.json'), 'utf8'))));
