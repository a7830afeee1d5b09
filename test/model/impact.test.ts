import { describe, expect, test } from 'vitest';
import { duration, groupImpact, type ImpactContainer, impactHeadline, impactRows } from '../../src/model/impact.ts';

const container = (name: string, change: Partial<ImpactContainer> = {}): ImpactContainer => ({
	id: name.padEnd(12, '0'),
	name,
	image: 'alpine:3',
	restartPolicy: 'always',
	startedAt: '2026-11-23T10:00:00Z',
	fate: 'comes-back',
	...change,
});
const gone = (name: string, change: Partial<ImpactContainer> = {}) =>
	container(name, { fate: 'does-not-come-back', restartPolicy: 'no', ...change });
const texts = (containers: readonly ImpactContainer[], most?: number) =>
	impactRows(containers, most).map(({ text }) => text);

describe('the impact sheet', () => {
	test('counts what stops and what comes back by itself', () => {
		expect(impactHeadline([])).toBeUndefined();
		expect(impactHeadline([gone('a')])).toBe('1 container stops and does not come back by itself');
		expect(impactHeadline([container('a'), container('b')])).toBe('2 containers stop and come back by themselves');
		expect(impactHeadline([gone('a'), container('b'), container('c')])).toBe(
			'3 containers stop: 1 does not come back by itself, 2 do',
		);
		expect(impactHeadline([container('a', { fate: 'breaks' })])).toBe('1 container is dead afterwards');
		expect(impactHeadline([container('a', { fate: 'keeps-running' })])).toBe('1 container of this host: none stops');
	});

	test('tells what does not come back first, jobs before all others', () => {
		const job = gone('runner', { job: true, startedAt: '2026-11-23T12:00:00Z' });
		const { lost } = groupImpact([container('db'), gone('by-hand'), job]);
		expect(lost.map(c => c.name)).toEqual(['runner', 'by-hand']);
	});

	test('gives each container a row with its image where there is room for all', () => {
		expect(
			texts([
				gone('m', { owner: 'compose service m of shop', runningMs: 12 * 60_000, startedAgain: true }),
				container('db'),
				container('live', { fate: 'keeps-running' }),
			]),
		).toEqual([
			'2 containers stop: 1 does not come back by itself, 1 does',
			'm (compose service m of shop, running 12 min): does not come back, restart policy no; started again afterwards  [alpine:3]',
			'db: comes back, restart policy always  [alpine:3]',
			'live: keeps running, live-restore is on  [alpine:3]',
		]);
	});

	test('of a thousand containers takes no more rows than it is given, and leaves nobody out of its counts', () => {
		const thousand = [
			...Array.from({ length: 40 }, (_, n) => gone(`job-${n}`)),
			...Array.from({ length: 960 }, (_, n) => container(`web-${n}`)),
		];
		for (const most of [4, 7, 12]) expect(texts(thousand, most).length).toBeLessThanOrEqual(most);
		expect(texts(thousand, 6)).toEqual([
			'1000 containers stop: 40 do not come back by themselves, 960 do',
			'job-0: does not come back, restart policy no',
			'job-1: does not come back, restart policy no',
			'job-2: does not come back, restart policy no',
			'and 37 more that do not come back: job-3, job-4, job-5 and 34 more',
			'come back: web-0, web-1, web-2 and 957 more',
		]);
		expect(texts(thousand)).toHaveLength(1001);
	});

	test('says how long something runs as a person would', () => {
		expect([5_000, 60_000, 119 * 60_000, 3 * 3_600_000, 80 * 3_600_000].map(duration)).toEqual([
			'5 s',
			'1 min',
			'119 min',
			'3 h',
			'3 days',
		]);
	});
});
