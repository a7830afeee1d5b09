import { describe, expect, it } from 'vitest';
import { sayWork } from '../../src/model/open-work.ts';
import type { StepState } from '../../src/model/state.ts';
import { decideFromAnswers } from '../../src/prompts/from-answers.ts';
import { ciStep } from '../../steps/ci/step.ts';
import { ciHost } from '../support/ci-host.ts';
import { engineRun } from '../support/engine-run.ts';

const directory = '/home/anna/sysbox-ci';
const compose = `${directory}/docker-compose.sysbox.yml`;
const socket = {
	name: 'runner',
	image: 'gitlab/gitlab-runner:v18',
	binds: ['/var/run/docker.sock:/var/run/docker.sock'],
};

const outcome = (step: StepState | undefined) => [step?.status, step?.why];

describe('a run of the CI step', () => {
	it('writes the file, and does nothing the second time', async () => {
		const host = ciHost();
		const first = await engineRun([ciStep], host);
		expect([first.end.exit, outcome(first.state.steps[0])]).toEqual([0, ['done', undefined]]);
		expect(host.files.get(compose)).toContain('runtime: sysbox-runc');
		const second = await engineRun([ciStep], host);
		expect([second.end.exit, outcome(second.state.steps[0])]).toEqual([0, ['unchanged', undefined]]);
		expect(second.state.actions).toEqual([]);
	});

	it('looks into the folder that the answer names before it writes, and shows what it would write over', async () => {
		const host = ciHost({ files: { '/srv/ci/docker-compose.sysbox.yml': 'mine: true\n' } });
		const { state, end } = await engineRun([ciStep], host, { answers: { 'ci.folder': '/srv/ci' } });
		expect(end.exit).toBe(0);
		expect(state.actions.map(a => a.id)).toEqual(['docker-compose.sysbox.yml']);
		expect(state.actions[0]?.diff?.some(line => line.kind === 'remove' && line.text === 'mine: true')).toBe(true);
		expect(state.actions[0]?.undo).toMatchObject({ kind: 'file', before: { uid: 1000 } });
	});

	it('does not go through a link that the answer names', async () => {
		const host = ciHost({ files: { '/srv/real/': '' }, links: { '/srv/ci': '/srv/real' } });
		const { state, end } = await engineRun([ciStep], host, { answers: { 'ci.folder': '/srv/ci' } });
		expect([end.exit, outcome(state.steps[0])]).toEqual([3, ['blocked', 'blocked by ci.folder']]);
		expect(state.actions).toEqual([]);
	});

	it('finds another folder when the default one cannot be used', async () => {
		const links = { [directory]: '/srv/real' };
		const host = ciHost({ files: { '/srv/real/': '', '/srv/ci/': '' }, links });
		expect((await engineRun([ciStep], host, { answers: { 'ci.folder': '/srv/ci' } })).end.exit).toBe(0);
		const byDefault = await engineRun([ciStep], ciHost({ files: { '/srv/real/': '' }, links }));
		expect([byDefault.end.exit, byDefault.state.actions]).toEqual([3, []]);
	});

	it("writes the files although a CI container has this host's socket, and leaves that to the operator", async () => {
		const host = ciHost({ containers: [socket] });
		const { state, end } = await engineRun([ciStep], host);
		expect(host.files.has(compose)).toBe(true);
		expect([end.exit, outcome(state.steps[0])]).toEqual([4, ['done', '1 action needed']]);
		expect(end.work.map(sayWork)).toEqual([
			expect.stringContaining('ci.container.docker-sock: One container is given'),
		]);
		const again = await engineRun([ciStep], ciHost({ files: Object.fromEntries(host.files), containers: [socket] }));
		expect([again.end.exit, again.state.actions]).toEqual([4, []]);
	});

	it('stops nobody who sits before it: there is nothing to look at again', async () => {
		const decider = {
			...decideFromAnswers({ answers: {}, saved: {}, risks: [] }),
			onBlocked: () => Promise.reject(new Error('the operator was stopped at it')),
			onLeft: () => Promise.reject(new Error('the operator was stopped at it')),
		};
		const { end } = await engineRun([ciStep], ciHost({ containers: [socket] }), { decider });
		expect([end.exit, end.outcome]).toEqual([4, 'open']);
	});

	it('goes on when that was accepted by name', async () => {
		const waivers = [{ finding: 'ci.container.docker-sock', reason: 'moves in December', expires: '2026-12-31' }];
		const { end, state } = await engineRun([ciStep], ciHost({ containers: [socket] }), { waivers });
		expect([end.exit, outcome(state.steps[0])]).toEqual([0, ['done', undefined]]);
	});

	it('takes an unknown container that reaches the host for CI when nobody says otherwise', async () => {
		const containers = [{ name: 'vpn', image: 'corp/vpn:3', host: { Privileged: true } }];
		expect((await engineRun([ciStep], ciHost({ containers }))).end.exit).toBe(4);
		const told = await engineRun([ciStep], ciHost({ containers }), { answers: { 'ci.containers': [] } });
		expect(told.end.exit).toBe(0);
	});

	it('shows the whole plan of an answered folder without doing it', async () => {
		const host = ciHost();
		const { state, end } = await engineRun([ciStep], host, {
			mode: 'plan',
			answers: { 'ci.folder': '/home/anna/other' },
		});
		expect(end.exit).toBe(4);
		expect(state.steps[0]?.plan?.actions.map(a => a.does)).toEqual([
			'mkdir -m 755 /home/anna/other',
			'write /home/anna/other/docker-compose.sysbox.yml',
		]);
		expect(host.files.has('/home/anna/other/docker-compose.sysbox.yml')).toBe(false);
	});

	it('needs the address of a server that it cannot know', async () => {
		const { end, state } = await engineRun([ciStep], ciHost(), { answers: { 'ci.systems': ['gitlab'] } });
		expect([end.exit, outcome(state.steps[0])]).toEqual([2, ['open', 'no answer for ci.gitlab-url']]);
	});
});
