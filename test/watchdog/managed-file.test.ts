/** A restart of Docker behind a file that others write: what they have written may be what it does not come up with. */
import { expect, test } from 'vitest';
import { changeStep, type Step } from '../../src/model/step.ts';
import { simulatedHost } from '../../src/simulation/host.ts';
import { readFired } from '../../src/watchdog/facts.ts';
import { dockerStep } from '../../steps/docker/step.ts';
import { engineRun, newKeptRun } from '../support/engine-run.ts';
import { bad, earlier, good, original, path, readsFile, textOf } from './restart-needed.ts';

/** Stands for the step that would write the file, with its hands off: content until there is another one than before. */
const handingOver: Step = changeStep<string>({
	id: 'daemon',
	title: 'Docker configuration',
	why: 'has it written',
	needs: [],
	inspect: readsFile,
	judge: () => [],
	plan: now =>
		now !== earlier
			? { actions: [] }
			: {
					actions: [
						{
							id: 'daemon-json',
							kind: 'manual',
							title: 'Have it written',
							why: 'asked for',
							text: 'have it written',
							file: { path, bytes: new TextEncoder().encode(good), before: now },
						},
					],
				},
});

test('what they wrote and Docker does not come up with is taken out by the switch, and Docker runs', async () => {
	const host = simulatedHost({ state: original });
	await host.makeDirectory('/var/lib/sysbox-setup', { mode: 0o700 });
	const kept = newKeptRun();
	const run = () =>
		engineRun([handingOver, dockerStep], host, {
			kept,
			clock: host.clock,
			answers: { 'docker.restart': true },
			risks: ['restart-docker'],
		});
	expect((await run()).end.exit).toBe(4);
	expect(textOf(host.state())).toBe(earlier);

	host.disturb(state => {
		const file = state.files[path];
		if (file?.kind === 'file') file.text = bad;
	});
	const second = await run();
	expect(second.end.exit).toBe(1);
	expect(second.events.findLast(event => event.type === 'plan')?.impact?.notes).toContain(
		`Should it not come back, the earlier ${path} is put back, although others write it`,
	);
	expect(second.state.actions.find(action => action.id === 'restart')?.failure?.now).toContain(
		`the dead man's switch is still armed: 60 s after it was armed it looks for Docker, and puts the earlier ${path} back and starts Docker`,
	);
	host.clock.advance(120_000);
	host.disturb(() => undefined);

	expect(await readFired(host)).toMatchObject({ did: 'put-back', docker: 'started' });
	expect(textOf(host.state())).toBe(earlier);
	expect(host.state().docker.engine.up).toBe(true);
});
