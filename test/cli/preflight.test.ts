import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expiredWaivers, preflightAnswers, preflightReports, readPassed } from '../../src/cli/preflight.ts';
import { orderSteps } from '../../src/model/order.ts';
import type { Question } from '../../src/model/question.ts';
import { initialState } from '../../src/model/state.ts';
import { changeStep, type JudgeContext, type ReportStep, type ReportTarget, type Step } from '../../src/model/step.ts';
import { WrongInput } from '../../src/model/wrong-input.ts';
import { scratchDirectory } from '../host/scratch-folder.ts';
import { tinyHost } from '../support/tiny-host.ts';

const fileWith = (content: string | Uint8Array): string => {
	const path = join(scratchDirectory(), 'answers.yml');
	writeFileSync(path, content);
	return path;
};
const refusal = (path: string) =>
	readPassed({ answers: path, acceptRisk: [] }).then(
		() => 'was read',
		error => (error instanceof WrongInput ? error.message : error),
	);

describe('what was passed', () => {
	it('is nothing when nothing was', async () => {
		expect(await readPassed({ acceptRisk: [] })).toEqual({ answers: {}, waivers: [], risks: [] });
	});

	it('is the file, its waivers, the risks, and what check is to overlook', async () => {
		const path = fileWith('version: 1\nci.memory: 4g\nwaivers:\n  - {finding: a, reason: b, expires: 2027-01-01}\n');
		expect(await readPassed({ answers: path, acceptRisk: ['restart-docker'], ignore: ['disk.x'] })).toMatchObject({
			path,
			answers: { 'ci.memory': '4g' },
			risks: ['restart-docker'],
			waivers: [{ finding: 'a' }, { finding: 'disk.x', reason: 'given with --ignore' }],
		});
	});

	it('may begin with a byte order mark', async () => {
		expect(
			(await readPassed({ answers: fileWith('\ufeffversion: 1\nci.memory: 4g\n'), acceptRisk: [] })).answers,
		).toEqual({ 'ci.memory': '4g' });
	});

	it('is refused in a sentence with the path when the file cannot be used', async () => {
		const directory = scratchDirectory();
		expect(await refusal(join(directory, 'none.yml'))).toBe(
			`the answers file ${directory}/none.yml cannot be read: there is no such file`,
		);
		mkdirSync(join(directory, 'dir'));
		expect(await refusal(join(directory, 'dir'))).toContain('it is a directory');
		expect(await refusal(join(fileWith(''), 'x'))).toContain('a part of the path is no directory');
		const binary = fileWith(new Uint8Array([0x7f, 0x45, 0xff, 0xfe, 0]));
		expect(await refusal(binary)).toBe(`the answers file ${binary} is not UTF-8 text`);
		const large = fileWith('#'.repeat(2 * 1024 * 1024));
		expect(await refusal(large)).toBe(`the answers file ${large} has more than 1048576 bytes; that is no answers file`);
		// /dev/zero tells no size and has no end.
		expect(await refusal('/dev/zero')).toBe(
			'the answers file /dev/zero has more than 1048576 bytes; that is no answers file',
		);
		expect(await refusal(fileWith(''))).toContain('holds no answers');
		expect(await refusal(fileWith('version: 1\nrisks: [restart-docker]\n'))).toContain(
			'risks cannot be accepted in a file',
		);
	});

	it('names every unknown risk at once', async () => {
		await expect(readPassed({ acceptRisk: ['a', 'restart-dokcer'] })).rejects.toThrow(
			/called a\.[\s\S]*called restart-dokcer/,
		);
	});
});

const context: JudgeContext = {
	knowledge: {
		date: '2026-11-24',
		distros: [],
		kernelBands: [],
		releases: [],
		knownIssues: [],
		dockerdKeys: [],
		endOfLife: [],
	},
	options: { imageArchives: [], workingDirectory: '/root', command: 'sysbox-setup', stateDirectory: '/s' },
	answers: {},
	state: initialState,
	now: new Date('2026-11-24T00:00:00Z'),
};
const asks = (id: string, questions: readonly Question[], more: Partial<Step> = {}): Step =>
	changeStep<null>({
		id,
		title: id,
		why: id,
		needs: [],
		inspect: async () => null,
		judge: () => [],
		plan: () => ({ actions: [] }),
		ask: () => questions,
		...(more as object),
	});
const owner: Question = { id: 'record.owner', title: 'Who?', label: 'Setting', help: 'x', kind: 'text' };
const memory: Question = { id: 'ci.memory', title: 'Memory?', label: 'Setting', help: 'x', kind: 'text' };
const steps = [asks('ci', [memory], { answerIds: ['ci.memory', 'ci.cpus'] } as Partial<Step>), asks('record', [owner])];

function preflight(text: string | undefined, unattended: boolean, only?: readonly string[]) {
	const ordered = orderSteps(steps, only === undefined ? {} : { only });
	if (ordered.kind !== 'order') throw new Error('cycle');
	return (
		text === undefined ? readPassed({ acceptRisk: [] }) : readPassed({ answers: fileWith(text), acceptRisk: [] })
	).then(passed => preflightAnswers(ordered.order, steps, passed, context, unattended));
}

describe('before the first step starts', () => {
	it('every missing answer is named at once where nobody can be asked', async () => {
		const refused = preflight(undefined, true);
		await expect(refused).rejects.toBeInstanceOf(WrongInput);
		await expect(refused).rejects.toThrow('no answer for ci.memory: Memory?\nno answer for record.owner: Who?');
		await expect(refused).rejects.toMatchObject({ next: [expect.stringContaining('--answers FILE')] });
	});

	it('a person is asked instead, but the mistakes in their file are told', async () => {
		await preflight(undefined, false);
		await expect(preflight('version: 1\nci.memroy: 4g\n', false)).rejects.toThrow('Did you mean ci.memory?');
	});

	it('steps that were not chosen ask nothing, and answers for them are no mistake', async () => {
		await preflight('version: 1\nci.memory: 4g\nci.cpus: 2\n', true, ['ci']);
		await preflight('version: 1\nci.memory: 4g\nrecord.owner: me\n', true, ['record']);
	});

	it('a record that cannot be written is refused', async () => {
		const report = (target: ReportTarget): ReportStep => ({
			id: 'record',
			kind: 'report',
			title: 'r',
			why: 'r',
			needs: [],
			inspect: async () => target,
			compose: () => {
				throw new Error('nothing is composed before the run');
			},
		});
		const look = { ...context, host: tinyHost(new Map()), signal: new AbortController().signal };
		const order = (target: ReportTarget, role: 'chosen' | 'inspected' = 'chosen') => ({
			steps: [{ step: report(target), role }],
		});
		const refused: ReportTarget = { kind: 'refused', why: 'there is no folder /nowhere' };
		await expect(preflightReports(order(refused), look)).rejects.toMatchObject({
			message: 'there is no folder /nowhere',
			next: [expect.stringContaining('--record FILE')],
		});
		await preflightReports(order(refused, 'inspected'), look);
		await preflightReports(order({ kind: 'target', path: '/r.md', exists: { kind: 'missing' } }), look);
	});
});

describe('a waiver', () => {
	const list = 'version: 1\nci.memroy: 4g\nwaivers:\n';
	const line = (finding: string, expires = '2027-01-31'): string =>
		`  - {finding: ${finding}, reason: x, expires: ${expires}}\n`;

	it('of a finding that there is not is named with its place and the near word, with everything else that is wrong', async () => {
		const refused = preflight(
			`${list}${line('disk.data-rot')}${line('memory')}${line('input.deb-file')}${line('x')}`,
			true,
		);
		await expect(refused).rejects.toBeInstanceOf(WrongInput);
		await expect(refused).rejects.toThrow(/answers\.yml:2:1: .*Did you mean ci\.memory/);
		await expect(refused).rejects.toThrow(
			/answers\.yml:4:5: there is no finding called disk\.data-rot\. Did you mean disk\.data-root\? `sysbox-setup check --list`/,
		);
		await expect(refused).rejects.toThrow(/answers\.yml:6:5: input\.deb-file is about what was passed/);
		await expect(refused).rejects.toThrow(/answers\.yml:7:5: there is no finding called x\. `sysbox-setup check/);
		await expect(refused).rejects.not.toThrow(/called memory/);
	});

	it('of --ignore too', async () => {
		const ordered = orderSteps([], {});
		if (ordered.kind !== 'order') throw new Error('cycle');
		const passed = await readPassed({ acceptRisk: [], ignore: ['NONSENSE', 'memory'] });
		expect(() => preflightAnswers(ordered.order, steps, passed, context, true)).toThrow(
			'--ignore: there is no finding called NONSENSE. `sysbox-setup check --list` names them.',
		);
		// No answer is missing, so none has to be put into a file.
		expect(() => preflightAnswers(ordered.order, steps, passed, context, true)).toThrow(
			expect.objectContaining({ next: [] }),
		);
	});

	it('that has ended is told with its place', async () => {
		const path = fileWith(`version: 1\nwaivers:\n${line('memory', '2026-11-23')}${line('wsl', '2026-11-24')}`);
		const told = expiredWaivers(await readPassed({ answers: path, acceptRisk: [] }), context.now);
		expect(told).toEqual([`${path}:3:5: the waiver of memory ended on 2026-11-23; the finding counts again.`]);
	});
});
