/** What the proofs need is fetched before the first change, so that a host that cannot fetch it is not changed. */
import { describe, expect, test } from 'vitest';
import type { AnswerDecision, Decider } from '../../src/model/decider.ts';
import { decideFromAnswers } from '../../src/prompts/from-answers.ts';
import type { SimulatedHost } from '../../src/simulation/host.ts';
import { steps } from '../../steps/index.ts';
import { type EngineAsk, engineRun } from '../support/engine-run.ts';
import {
	type Ask,
	actions,
	daemonJson,
	hostDirectory,
	hostIn,
	hostOf,
	runbook,
	statuses,
	textOn,
} from './whole-runbook.ts';

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
			'host.image-docker:29-dind',
			'host.image-registry:2',
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

	test('are each fetched, however alike their names are', async () => {
		const screen = await planOf({ answers: { 'ci.image': 'a/b:1', 'functional.registry-image': 'a-b:1' } });
		expect(screen).toContain('Pull a/b:1');
		expect(screen).toContain('Pull a-b:1');
	});

	test('come from the archives that were passed, and nothing is pulled', async () => {
		const ended = await runbook(hostOf('no-internet'), { deb, imageArchives: archives });
		expect(ended.exit, statuses(ended).join(', ')).toBe(0);
		expect(ended.screen).not.toContain('docker pull');
		expect(ids(actions(ended)).slice(0, 2)).toEqual(['sysbox.image-docker:29-dind', 'sysbox.image-registry:2']);
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

/** Somebody who takes what is offered, unless `says` has another word; and what happened, in order. */
async function attended(
	host: SimulatedHost,
	{
		says = () => undefined,
		approve,
		...ask
	}: Omit<EngineAsk, 'decider'> & {
		readonly says?: (question: string, nth: number) => AnswerDecision | undefined;
		readonly approve?: (step: string, nth: number) => 'back' | undefined;
	} = {},
) {
	const known = { answers: ask.answers ?? {}, saved: {}, risks: ['unverified-deb', 'default-runtime'] as const };
	const usual = decideFromAnswers(known);
	const asked: string[] = [];
	let plans = 0;
	await host.makeDirectory(hostDirectory, { mode: 0o700 });
	const decider: Decider = {
		...usual,
		beforeProbes: async () => 'skip',
		answer: async (step, question, ways, place) => {
			asked.push(question.id);
			const nth = asked.filter(id => id === question.id).length;
			return says(question.id, nth) ?? usual.answer(step, question, ways, place);
		},
		approve: async (step, plan, findings, ways) => {
			plans += 1;
			return approve?.(step, plans) === 'back' ? { kind: 'back' } : usual.approve(step, plan, findings, ways);
		},
	};
	const options = { attended: true as const, workingDirectory: '/root', ...ask.options };
	const ended = await engineRun(steps, host, { clock: host.clock, ...ask, options, decider });
	const happened = ended.events.flatMap(event =>
		event.type === 'answer'
			? [`answer ${event.id}`]
			: event.type === 'action.outcome'
				? [`${event.action} ${event.outcome}`]
				: [],
	);
	return { ...ended, asked, happened };
}

const named = (value: string): AnswerDecision => ({ kind: 'answer', value, source: 'operator' });
const images = ['ci.image', 'functional.registry-image'];

describe('the images that somebody still has to name', () => {
	test('are asked for and pulled before the first change, and not asked for again', async () => {
		const says = (id: string) => (id === 'ci.image' ? named('docker:28-dind') : undefined);
		const { asked, happened, state } = await attended(hostOf('fresh-ubuntu'), { says });
		expect(state.steps.find(({ id }) => id === 'ci')?.status).toBe('done');
		const first = happened.findIndex(what => !what.startsWith('answer '));
		expect(happened.slice(first - 2, first + 3)).toEqual([
			...images.map(id => `answer ${id}`),
			'image-docker:28-dind done',
			'image-registry:2 done',
			'install-tools done',
		]);
		for (const id of images) expect(asked.filter(other => other === id)).toHaveLength(1);
	});

	test('leave the host as it is where they cannot be pulled', async () => {
		const host = hostOf('no-internet');
		const { packages } = host.state();
		const before = textOn(host, daemonJson);
		const { asked, happened } = await attended(host, { options: { deb } });
		expect(asked).toEqual(expect.arrayContaining(images));
		expect(happened.filter(what => !what.startsWith('answer '))).toEqual([
			'image-docker:29-dind failed',
			'record done',
		]);
		expect(host.state().packages).toEqual(packages);
		expect(textOn(host, daemonJson)).toBe(before);
	});

	test('are asked for in the words of the step that asks for them', async () => {
		const titles: string[] = [];
		const usual = decideFromAnswers({ answers: {}, saved: {}, risks: [] });
		const answer: Decider['answer'] = async (step, question, ways, place) => {
			if (images.includes(question.id)) titles.push(`${step} ${question.title}`);
			return usual.answer(step, question, ways, place);
		};
		const options = { attended: true as const };
		const host = hostOf('fresh-ubuntu');
		await engineRun(steps, host, { clock: host.clock, options, decider: { ...usual, answer } });
		expect(titles).toContain('host Which image do jobs get Docker from?');
	});

	test('can be named otherwise by who goes back from the plan', async () => {
		const { happened } = await attended(hostOf('fresh-ubuntu'), {
			says: (id, nth) =>
				id === 'functional.registry-image' && nth === 2
					? { kind: 'back' }
					: id === 'ci.image' && nth > 1
						? named('docker:28-dind')
						: undefined,
			approve: (step, nth) => (step === 'host' && nth === 1 ? 'back' : undefined),
		});
		const pulled = happened.filter(what => what.startsWith('image-'));
		expect(pulled).toEqual(['image-docker:28-dind done', 'image-registry:2 done']);
		expect(happened.indexOf('image-registry:2 done')).toBeLessThan(happened.indexOf('install-tools done'));
	});

	test.each<[string, () => SimulatedHost, Parameters<typeof attended>[1]]>([
		['no proof is chosen', () => hostOf('fresh-ubuntu'), { selection: { skip: ['functional', 'security'] } }],
		['the host is set up', () => hostOf('already-set-up'), {}],
		['archives hold them', () => hostOf('no-internet'), { options: { deb, imageArchives: archives } }],
		[
			'the answers name them',
			() => hostOf('fresh-ubuntu'),
			{ answers: { 'ci.image': 'docker:29-dind', 'functional.registry-image': 'registry:2' } },
		],
	])('are not asked for ahead where %s', async (_, host, ask) => {
		const { events } = await attended(host(), ask);
		const ahead = events.flatMap(event => (event.type === 'answer' && images.includes(event.id) ? [event.step] : []));
		expect(ahead).not.toContain('host');
		expect(ahead).not.toContain('sysbox');
	});
});
