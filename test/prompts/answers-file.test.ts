import { describe, expect, it } from 'vitest';
import type { Question } from '../../src/model/question.ts';
import { checkAnswers, readAnswersFile, readRisks } from '../../src/prompts/answers-file.ts';

const read = (text: string) => readAnswersFile('a.yml', text);
const problemsOf = (text: string): readonly string[] => {
	const result = read(text);
	return result.kind === 'wrong' ? result.problems : [];
};
const fileOf = (text: string) => {
	const result = read(text);
	if (result.kind !== 'read') throw new Error(result.problems.join('\n'));
	return result.file;
};

describe('an answers file', () => {
	it('is read nested by step, or flat, with every kind of value', () => {
		const text = [
			'# for the runners in the basement',
			'version: 1',
			'ci:',
			'  systems: [compose, gitlab]',
			'  memory: 4g',
			'record.review-days: 30',
			'host:',
			'  swap: true',
			'  note: ""',
		].join('\n');
		expect(fileOf(text)).toEqual({
			answers: {
				'ci.systems': ['compose', 'gitlab'],
				'ci.memory': '4g',
				'record.review-days': 30,
				'host.swap': true,
				'host.note': '',
			},
			places: {
				'ci.systems': '4:3',
				'ci.memory': '5:3',
				'record.review-days': '6:1',
				'host.swap': '8:3',
				'host.note': '9:3',
			},
			waivers: [],
		});
	});

	it('may be JSON, may begin with a comment, and may hold nothing but its version', () => {
		expect(fileOf('{"version": 1, "ci": {"memory": "4g"}}').answers).toEqual({ 'ci.memory': '4g' });
		expect(fileOf('# nothing\nversion: 1\n').answers).toEqual({});
	});

	it('has waivers with a reason and a last day, quoted or not', () => {
		const text =
			'version: 1\nwaivers:\n  - {finding: disk.x, reason: soon, expires: 2027-01-31}\n  - finding: b\n    reason: why\n    expires: "2027-02-28"\n';
		expect(fileOf(text).waivers).toEqual([
			{ finding: 'disk.x', reason: 'soon', expires: '2027-01-31' },
			{ finding: 'b', reason: 'why', expires: '2027-02-28' },
		]);
	});

	it.each<[string, string, string]>([
		['no version', 'ci: {memory: 4g}\n', 'a.yml:1:1: has no version; it begins with "version: 1"'],
		['a later version', 'version: 2\n', 'a.yml:1:1: has version 2; this program reads version 1'],
		['a version in quotes', 'version: "1"\n', 'a.yml:1:1: has version 1; this program reads version 1'],
		['a list', '- version: 1\n', 'a.yml:1:1: holds no answers; it begins with "version: 1"'],
		['nothing', '', 'a.yml:1:1: holds no answers; it begins with "version: 1"'],
		['a word', 'hello\n', 'a.yml:1:1: holds no answers; it begins with "version: 1"'],
		[
			'an answer without a step',
			'version: 1\nmemory: 4g\n',
			'a.yml:2:1: memory stands alone; answers are written as STEP: {NAME: VALUE}',
		],
		[
			'a value that is no answer',
			'version: 1\nci:\n  memory: {a: 1}\n',
			'a.yml:3:3: ci.memory must be text, a number, true, false or a list of words',
		],
		[
			'an empty value',
			'version: 1\nci: {cpus: }\n',
			'a.yml:2:6: ci.cpus must be text, a number, true, false or a list of words',
		],
		[
			'a list of numbers',
			'version: 1\nci.systems: [1, 2]\n',
			'a.yml:2:1: ci.systems must be text, a number, true, false or a list of words',
		],
		[
			'infinity',
			'version: 1\nci.cpus: .inf\n',
			'a.yml:2:1: ci.cpus must be text, a number, true, false or a list of words',
		],
		[
			'waivers that are no list',
			'version: 1\nwaivers: {a: b}\n',
			'a.yml:2:10: waivers must be a list of {finding, reason, expires}',
		],
		[
			'a waiver without a reason',
			'version: 1\nwaivers:\n  - {finding: x, expires: 2027-01-01}\n',
			'a.yml:3:5: a waiver needs finding, reason and expires (YYYY-MM-DD)',
		],
		[
			'a waiver with a blank reason',
			'version: 1\nwaivers:\n  - {finding: x, reason: " ", expires: 2027-01-01}\n',
			'a.yml:3:5: a waiver needs finding, reason and expires (YYYY-MM-DD)',
		],
		[
			'a waiver for ever',
			'version: 1\nwaivers:\n  - {finding: x, reason: y, expires: never}\n',
			'a.yml:3:5: a waiver needs finding, reason and expires (YYYY-MM-DD)',
		],
		[
			'a waiver until a day that never comes',
			'version: 1\nwaivers:\n  - {finding: x, reason: y, expires: 2027-02-31}\n',
			'a.yml:3:5: a waiver needs finding, reason and expires (YYYY-MM-DD)',
		],
		[
			'a waiver that is a word',
			'version: 1\nwaivers: [x]\n',
			'a.yml:2:11: a waiver needs finding, reason and expires (YYYY-MM-DD)',
		],
	])('is refused with %s, and the place is named', (_what, text, problem) => {
		expect(problemsOf(text)).toEqual([problem]);
	});

	it.each(['risks', 'accept-risk', 'accepted-risks'])('cannot accept risks, under the name %s either', key => {
		const [problem = ''] = problemsOf(`version: 1\n${key}: [restart-docker]\n`);
		expect(problem).toMatch(
			/^a\.yml:2:1: risks cannot be accepted in a file; pass --accept-risk NAME \(stop-containers, /,
		);
	});

	it('is refused where YAML itself is broken, with line and column', () => {
		expect(problemsOf('version: 1\nci:\n\tmemory: 4g\n')[0]).toMatch(/^a\.yml:3:1: /);
		expect(problemsOf('version: 1\nci: {memory: 4g\n')[0]).toMatch(/^a\.yml:\d+:\d+: /);
		expect(problemsOf('version: 1\nci.memory: 1g\nci.memory: 2g\n')[0]).toMatch(/^a\.yml:3:1: .*unique/);
		expect(problemsOf('version: 1\n---\nversion: 1\n')[0]).toMatch(/^a\.yml:\d+:\d+: /);
	});

	it('names every problem at once', () => {
		expect(problemsOf('memory: 4g\nci: {a: {}}\nrisks: []\nwaivers: [x, y]\n')).toHaveLength(6);
	});

	it('is not blown up by names for nodes', () => {
		const bomb = `version: 1\na: &a [x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[n]}`)}]`).join('\n')}\n`;
		expect(read(bomb).kind).toBe('wrong');
	});
});

describe('the answers held against the questions', () => {
	const base = { title: 'Memory of a job', label: 'Setting', help: 'x' };
	const memory: Question = {
		...base,
		id: 'ci.memory',
		kind: 'text',
		initial: '2g',
		validate: value => (/^\d+g$/.test(value) ? undefined : 'must be a size such as 4g'),
	};
	const owner: Question = { ...base, id: 'record.owner', title: 'Who owns this?', kind: 'text' };
	const directory: Question = { ...base, id: 'ci.folder', title: 'Where?', kind: 'path', wants: 'folder' };
	const risk: Question = { ...base, id: 'docker.restart', kind: 'risk', risk: 'restart-docker' };
	const questions = [memory, owner, directory, risk];
	const known = [...questions.map(q => q.id), 'ci.cpus'];
	const check = (text: string) => checkAnswers({ path: 'a.yml', file: fileOf(text) }, questions, known);

	it('are fine when each is right and each that has no default is given', () => {
		expect(check('version: 1\nrecord.owner: me\nci: {folder: /srv, memory: 8g}\n')).toEqual([]);
	});

	it('names all that are missing at once, and no risk among them: that is not a file’s to give', () => {
		expect(checkAnswers(undefined, questions, known)).toEqual([
			'no answer for record.owner: Who owns this?',
			'no answer for ci.folder: Where?',
		]);
	});

	it('names what nobody asks, with the near word, and what is wrong with a value, each with its place', () => {
		expect(check('version: 1\nrecord.owner: me\nci:\n  folder: /srv\n  memry: 1g\n  memory: lots\n  zzz: 1\n')).toEqual(
			[
				'a.yml:5:3: nothing is asked that is called ci.memry. Did you mean ci.memory?',
				'a.yml:6:3: ci.memory must be a size such as 4g',
				'a.yml:7:3: nothing is asked that is called ci.zzz.',
			],
		);
	});

	it('takes no risk from a file, whatever it is called', () => {
		expect(check('version: 1\nrecord.owner: me\nci.folder: /srv\ndocker.restart: restart-docker\n')).toEqual([
			'a.yml:4:1: docker.restart is a risk, which cannot be accepted in a file; pass --accept-risk restart-docker',
		]);
	});

	it('lets an answer stand whose question does not come up in this run', () => {
		expect(check('version: 1\nrecord.owner: me\nci: {folder: /srv, cpus: 2}\n')).toEqual([]);
	});
});

describe('accepted risks', () => {
	it('are the known names; each other word is told, with the near one', () => {
		expect(readRisks(['restart-docker', 'restart-doker', 'everything'])).toEqual({
			risks: ['restart-docker'],
			problems: [
				expect.stringMatching(
					/^there is no risk called restart-doker\. Did you mean restart-docker\? The names are: stop-/,
				),
				expect.stringMatching(/^there is no risk called everything\. The names are: /),
			],
		});
		expect(readRisks([])).toEqual({ risks: [], problems: [] });
	});
});
