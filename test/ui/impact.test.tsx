import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import type { ImpactContainer } from '../../src/model/impact.ts';
import { bench, enter, right, shown, stepStart } from './support.tsx';

const restart: Action = {
	id: 'restart',
	kind: 'exec',
	title: 'Restart Docker',
	why: 'it reads bip only when it starts',
	argv: ['systemctl', 'restart', 'docker'],
	timeoutMs: 1,
	risks: ['restart-docker', 'stop-containers'],
	undo: { kind: 'none', why: 'x' },
};

const service = (n: number): ImpactContainer => ({
	id: String(n).padStart(12, '0'),
	name: `service-${n}`,
	image: 'nginx:1',
	restartPolicy: 'always',
	startedAt: '2026-11-20T10:00:00Z',
	runningMs: 4 * 86_400_000,
	fate: 'comes-back',
});
const job: ImpactContainer = {
	...service(0),
	name: 'runner-x7k-project-31-concurrent-0-build',
	owner: 'GitLab job 8812 (build)',
	job: true,
	restartPolicy: 'no',
	runningMs: 12 * 60_000,
	fate: 'does-not-come-back',
};
const byHand: ImpactContainer = {
	...service(0),
	name: 'db-migration',
	restartPolicy: 'no',
	fate: 'does-not-come-back',
};
const services = (count: number): readonly ImpactContainer[] => Array.from({ length: count }, (_, n) => service(n));

async function sheet(containers: readonly ImpactContainer[]) {
	const wizard = bench();
	await wizard.emit(stepStart('docker', 'Docker reload or restart'));
	const impact = {
		stops: containers.map(c => c.name),
		notes: ['docker does not answer while it restarts; jobs that talk to it fail'],
		containers,
	};
	const { id, kind, title, why, risks } = restart;
	const actions = [shown({ id, kind, title, why, risks, does: 'systemctl restart docker', undo: 'none' })];
	await wizard.emit({ type: 'plan', step: 'docker', actions, impact });
	const decision = wizard.decider.approve('docker', { actions: [restart], impact }, [], { back: false });
	await wizard.sees('To be done');
	return { ...wizard, decision };
}

/** Without the one row above it that is finished and has left the frame. */
const rows = (frame: string): number => frame.split('\n').length - 1;

describe('the impact sheet at 80×24', () => {
	it.each([
		[14, [job, byHand, ...services(12)]],
		[1000, [...Array.from({ length: 40 }, () => byHand), job, ...services(959)]],
	])(
		'of %i containers tells first what does not come back, and leaves plan, prompt and keys in sight',
		async (count, containers) => {
			const { frame, keys, sees } = await sheet(containers);
			expect(frame()).toContain(`${count} containers stop: `);
			expect(frame().indexOf('runner-x7k-project-31')).toBeLessThan(frame().indexOf('db-migration'));
			expect(frame()).toContain('GitLab job 8812');
			expect(frame()).toMatch(/come back: service-0, service-1, service-2 and \d+ more/);
			expect(frame()).toContain('Restart Docker');
			expect(frame()).toContain('❯ Leave it as it is');
			expect(rows(frame())).toBeLessThan(24);
			await keys(right, enter);
			await sees('type  restart-docker  and press enter');
			expect(frame()).toContain(`${count} containers stop: `);
			expect(frame()).toContain('runner-x7k-project-31');
			expect(rows(frame())).toBeLessThan(24);
		},
	);

	it('has every container with its image in the full view', async () => {
		const { keys, sees, frame } = await sheet([job, byHand, ...services(3)]);
		await keys('v');
		await sees('service-2');
		expect(frame()).toContain('[nginx:1]');
	});
});
