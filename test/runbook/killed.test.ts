/**
 * Killed at every moment of the whole run: the process is gone, the log holds what was kept until then, and the host is
 * as it was left. A new process goes on from there. The run is made once, with a picture of log and host at each event
 * at each change of the host and after each call of the file writer; a kill is a start from one of these pictures.
 *
 * The short run takes the moments around each action, where something is half done, and a part of the others;
 * KILL_SWEEP=all takes them all, KILL_SWEEP=N one of N of the others.
 */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/model/event.ts';
import { type SimulatedState, startToolProcess } from '../../src/simulation/state.ts';
import { hookedCalls } from '../host/faulty-file-calls.ts';
import { simulatedFileCalls, writtenByCalls } from '../support/simulated-file-calls.ts';
import { sweepsMore, sweptOneOf } from '../support/sweep.ts';
import {
	actions,
	daemonJson,
	hostIn,
	hostOf,
	type Kept,
	labelledOn,
	newKept,
	revert,
	runbook,
	runningOn,
	statuses,
} from './whole-runbook.ts';

interface Moment {
	readonly when: string;
	/** An action has begun, and its outcome is not known yet. */
	readonly amid: boolean;
	/** The call of the file writer that was made last. */
	readonly call?: string;
	readonly kept: Kept;
	readonly host: SimulatedState;
}

const original = hostOf('fresh-ubuntu').state();

const copyOf = ({ run, events, backups, answers }: Kept): Kept => ({
	run,
	events: [...events],
	backups: new Map(backups),
	answers: { ...answers },
});

function say(event: Event): string {
	const step = 'step' in event ? ` of ${event.step}` : '';
	const part =
		'action' in event ? ` ${event.action}` : event.type.startsWith('probe') && 'id' in event ? ` ${event.id}` : '';
	return `${event.type}${part}${step}`;
}

/** The run that nobody killed, and every moment of it. */
async function wholeRun() {
	const moments: Moment[] = [];
	const kept = newKept('run-1');
	let amid = false;
	let seen = '';
	const picture = (when: string, host: SimulatedState, version: number, call?: string): void => {
		const key = `${kept.events.length} ${version} ${call ?? ''}`;
		if (key === seen) return;
		seen = key;
		const last = kept.events.at(-1);
		moments.push({
			when: `${String(moments.length).padStart(3, '0')}, ${when}${last === undefined ? '' : ` after ${say(last)}`}`,
			amid,
			...(call !== undefined && { call }),
			kept: copyOf(kept),
			host,
		});
	};
	let changes = 0;
	const host = hostIn(original, {
		onChange: state => {
			changes += 1;
			picture('when the host had changed', state, changes);
		},
	});
	// As on a real host, a file is written call by call, and the process can be gone after each of them.
	const calls = hookedCalls(simulatedFileCalls(host), {
		after: (name, n) => picture(`after file call ${n} (${name})`, host.state(), changes, `${n} ${name}`),
	});
	const ended = await runbook(writtenByCalls(host, calls), {
		kept,
		onEvent: event => {
			picture('directly', host.state(), changes);
			if (event.type === 'action.intent') amid = true;
			if (event.type === 'action.outcome') amid = false;
		},
	});
	picture('directly', host.state(), changes);
	return { ended, moments, end: host.state() };
}

/** What a run leaves on a host. The record tells of times and of resumes, so that its text is its own. */
function leftBehind({ files, packages, units, sysctls, docker, sysbox }: SimulatedState) {
	const { containers, images, config, networks, volumes } = docker.engine;
	return {
		files: Object.fromEntries(Object.entries(files).filter(([path]) => !/^\/root\/sysbox-setup-record-/.test(path))),
		packages,
		units: Object.values(units).map(({ name, active, sub, enabled }) => ({ name, active, sub, enabled })),
		sysctls,
		sysbox,
		config,
		images: images.map(image => image.tags),
		networks: networks.map(network => network.name),
		volumes: volumes.map(volume => volume.name),
		containers: containers.map(container => `${container.name} ${container.status} ${container.pid}`),
	};
}

const reference = await wholeRun();
const referenceEnd = leftBehind(reference.end);
const taken = hostIn(reference.end);
const referenceBack = await revert(taken, reference.ended.kept).then(() => leftBehind(taken.state()));

/** Around each action both sides, and what puts a file in place; of the rest so many that the file stays quick. */
const decisive = /^\d+ (?:write|rename|link|unlink)$/;
const everyNth = sweptOneOf(24);
const chosen = reference.moments.filter(({ amid, when, call }, index) =>
	call === undefined
		? (amid && !when.includes('output') && !when.includes('host had changed')) || index % everyNth === 0
		: decisive.test(call) || index % everyNth === 0,
);

/** Files of the writer that nobody needs any more. */
const temporaryOn = ({ files }: SimulatedState): readonly string[] =>
	Object.keys(files).filter(path => path.includes('/.sysbox-setup-'));

/** A host that fails the test as soon as Docker or a container of the operator is down. */
function watchedHost(state: SimulatedState) {
	const running = runningOn(original);
	return hostIn(startToolProcess(state), {
		onChange: now => {
			expect(now.docker.engine.up, 'Docker is down').toBe(true);
			expect(runningOn(now)).toEqual(running);
		},
	});
}

test('the run that nobody killed ends well, and has a moment for each event and each change', () => {
	expect(reference.ended.exit).toBe(0);
	// Lines of output that come at once go to the log at once, so that there is no moment between them.
	const apart = reference.ended.kept.events.filter(({ type }) => type !== 'output' && type !== 'progress');
	expect(reference.moments.length).toBeGreaterThan(apart.length);
	expect(chosen.length).toBeGreaterThan(30);
});

describe('killed', () => {
	const moments = chosen.map(moment => [moment.when, moment] as const);

	test.each(moments)(
		'at moment %s: the next run ends the same, and can be taken back',
		async (_, { kept, host: left }) => {
			const over = kept.events.at(-1)?.type === 'run.end';
			// What is over is not gone on with: the next start is a run of its own, and finds nothing to do.
			const log = over ? newKept('run-2') : copyOf(kept);
			const host = watchedHost(left);
			const ended = await runbook(host, { kept: log });

			expect(ended.exit, `${statuses(ended).join(', ')}\n${ended.screen.slice(-2000)}`).toBe(0);
			expect(leftBehind(host.state())).toEqual(referenceEnd);
			expect(labelledOn(host.state())).toEqual([]);
			expect(temporaryOn(host.state())).toEqual([]);
			expect(ended.state.actions.filter(a => a.outcome === 'intended')).toEqual([]);

			const back = await revert(host, over ? kept : log);
			expect(back.exit, `${actions(back).join(', ')}\n${back.screen.slice(-2000)}`).toBe(0);
			expect(host.state().files[daemonJson]).toEqual(original.files[daemonJson]);
			expect(leftBehind(host.state())).toEqual(referenceBack);
		},
	);

	// Where an action had begun, and nothing of it may have been done: what takes it back finds nothing.
	const unresumed = moments.filter(
		([, { kept, call }], index) =>
			(sweepsMore && index % everyNth === 0) ||
			(kept.events.at(-1)?.type === 'action.intent' && call === undefined) ||
			call?.endsWith('write'),
	);

	test.each(unresumed)('at moment %s: it can be taken back without going on', async (_, { kept, host: left }) => {
		const host = watchedHost(left);
		const back = await revert(host, kept);
		expect(back.exit, `${actions(back).join(', ')}\n${back.screen.slice(-2000)}`).toBe(0);
		expect(host.state().files[daemonJson]).toEqual(original.files[daemonJson]);
		expect(host.state().packages['sysbox-ce']).toBeUndefined();
		expect(Object.keys(host.state().docker.engine.config.runtimes)).toEqual([]);
		expect(labelledOn(host.state())).toEqual([]);
		expect(temporaryOn(host.state())).toEqual([]);
		expect(host.state().docker.engine.images.map(i => i.tags)).toEqual(original.docker.engine.images.map(i => i.tags));
	});
});
