import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ownCommand } from '../../src/cli/machine.ts';
import { stopSignals } from '../../src/cli/stop-signals.ts';

describe('asking a run to stop', () => {
	it.each([
		['SIGINT', 130],
		['SIGTERM', 143],
		['SIGHUP', 129],
	] as const)('%s aborts at the next safe point and stands for exit code %i', async (name, code) => {
		const said: string[] = [];
		const stop = stopSignals(text => said.push(text));
		expect(stop.exit()).toBeUndefined();
		const aborted = once(stop.signal, 'abort');
		process.kill(process.pid, name);
		await aborted;
		expect(stop.exit()).toBe(code);
		expect(said.join('')).toBe(
			name === 'SIGINT' ? '\nstopping at the next safe point; Ctrl+C again ends at once\n' : '',
		);
		// A terminal that goes away after Ctrl+C changes nothing about why the run stops.
		process.emit('SIGHUP');
		expect(stop.exit()).toBe(code);
		stop.release();
	});

	it('leaves no handler behind', () => {
		const before = ['SIGINT', 'SIGTERM', 'SIGHUP'].map(name => process.listenerCount(name));
		stopSignals(() => undefined).release();
		expect(['SIGINT', 'SIGTERM', 'SIGHUP'].map(name => process.listenerCount(name))).toEqual(before);
	});
});

describe('the command that is printed', () => {
	it('is the one that works as it was started', () => {
		const started = (environment: Record<string, string>, installed: boolean) =>
			ownCommand({ environment, version: '1.2.3', entry: "/srv/anna's/cli.js", isInPath: () => installed });
		expect(started({}, true)).toBe('sysbox-setup');
		expect(started({ npm_command: 'exec' }, false)).toBe('npx sysbox-setup@1.2.3');
		expect(started({ npm_command: 'run-script' }, true)).toBe('sysbox-setup');
		expect(started({ npm_command: 'run-script' }, false)).toBe("node '/srv/anna'\\''s/cli.js'");
	});
});
