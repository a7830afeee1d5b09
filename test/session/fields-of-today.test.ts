/** What earlier versions said by the way they spelled an id, a title or a command is a field of its own today. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Event, EventPayload } from '../../src/model/event.ts';
import { fieldsOfToday } from '../../src/session/fields-of-today.ts';
import { readLogLines } from '../../src/session/log-lines.ts';

const readAll = (payloads: readonly EventPayload[]): readonly Event[] => {
	const lines = payloads.map((payload, seq) => `${JSON.stringify({ v: 1, seq, at: 't', ...payload })}\n`);
	const read = readLogLines(Buffer.from(lines.join('')));
	if (read.kind !== 'events') throw new Error(JSON.stringify(read));
	return read.events;
};
const intent = (step: string, action: string, does = 'x'): EventPayload => ({
	type: 'action.intent',
	step,
	action,
	title: action,
	kind: 'exec',
	does,
	undo: { kind: 'none', why: 'x' },
});
const intentsOf = (payloads: readonly EventPayload[]) =>
	readAll(payloads).flatMap(event => (event.type === 'action.intent' ? [event] : []));

describe('a log of an earlier version', () => {
	it('says of a finding whether it is about what was passed, and which known issue it tells of', () => {
		const severity = 'block';
		const [event] = readAll([
			{
				type: 'findings',
				step: 'sysbox',
				when: 'before',
				findings: [
					{ id: 'input.deb-file', severity, summary: 'not there' },
					{ id: 'sysbox.known-issues.docker-cp', severity, summary: 'docker cp fails: with a reason' },
					{ id: 'sysbox.known-issues', severity, summary: 'none' },
				],
			},
		]);
		expect(event).toMatchObject({
			findings: [{ about: 'input' }, { knownIssue: 'docker cp fails' }, { id: 'sysbox.known-issues' }],
		});
		expect(event?.type === 'findings' && event.findings[2]?.knownIssue).toBeUndefined();
	});

	it('says which action belongs to the way back of which', () => {
		const intents = [
			intent('docker', 'restart'),
			intent('docker', 'restart.file'),
			intent('docker', 'restart.file.again'),
			intent('docker', 'restarted.file'),
			intent('sysbox', 'restart.file'),
		];
		expect(intentsOf(intents).map(({ rollbackOf }) => rollbackOf)).toEqual([
			undefined,
			'restart',
			'restart.file',
			undefined,
			undefined,
		]);
	});

	it('says which action restarts Docker, and which changes packages', () => {
		const intents = [
			intent('docker', 'restart'),
			intent('sysbox', 'restart'),
			intent('docker', 'restart.file'),
			intent('revert', 'purge-packages', 'apt-get purge -y sysbox-ce'),
		];
		expect(intentsOf(intents).map(({ role }) => role)).toEqual([
			'restart-docker',
			undefined,
			undefined,
			'change-packages',
		]);
	});

	it('keeps what it says itself', () => {
		const complete = fieldsOfToday();
		const said = { v: 2, seq: 1, at: 't', ...intent('s', 'a'), role: 'change-packages', rollbackOf: 'b' } as Event;
		expect(complete(said)).toEqual(said);
	});
});

it('is read nowhere else from how a thing is spelled', () => {
	const root = join(import.meta.dirname, '../..');
	const spelled =
		/startsWith\(['"`](?:input\.|apt-get |sysbox\.known-issues)|[iI]d\.startsWith\(`\$\{|split\(': '\)|step === '\w+' && \w+\.id === 'restart'/;
	const files = ['src', 'steps'].flatMap(top =>
		readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
			.filter(name => /\.tsx?$/.test(name))
			.map(name => join(top, name)),
	);
	const found = files.filter(name => spelled.test(readFileSync(join(root, name), 'utf8')));
	expect(found.filter(name => !name.startsWith('src/simulation'))).toEqual(['src/session/fields-of-today.ts']);
});
