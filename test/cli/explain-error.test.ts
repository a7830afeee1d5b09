import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainError } from '../../src/cli/explain-error.ts';
import { CannotGoOn, WrongInput } from '../../src/model/wrong-input.ts';
import { LogWriteError } from '../../src/session/log-write-error.ts';

function explained(error: unknown): { readonly exit: number; readonly said: string } {
	let said = '';
	const exit = explainError(error, text => {
		said += text;
	});
	return { exit, said };
}

function thrownBy(work: () => unknown): unknown {
	try {
		return work();
	} catch (error) {
		return error;
	}
}

describe('an error is explained', () => {
	it('as a mistake, with what to type next', () => {
		expect(explained(new WrongInput('there is no such step.', ['name another']))).toEqual({
			exit: 2,
			said: 'sysbox-setup: there is no such step.\n  name another\n',
		});
	});

	it('as a state of the host, with the exit code of its own', () => {
		expect(explained(new CannotGoOn('another run is at work.', 75)).exit).toBe(75);
	});

	it('as a log that cannot be written, which stops everything', () => {
		const { exit, said } = explained(new LogWriteError('ENOSPC', '/var/lib/sysbox-setup/runs/a/events.ndjson'));
		expect(exit).toBe(1);
		expect(said).toContain('/var/lib/sysbox-setup/runs/a/events.ndjson could not be written: no space left');
		expect(said).toContain('start the same command again');
	});

	it('as what the system refused, without a stack', () => {
		const { exit, said } = explained(thrownBy(() => readFileSync('/nowhere/at all')));
		expect(exit).toBe(1);
		expect(said).toMatch(/^sysbox-setup: ENOENT: .*'\/nowhere\/at all'\. Everything that was done is in the log/);
		expect(said).not.toContain('defect');
	});

	it.each([
		['an error without a code', new Error('no such state')],
		['an error of how Node was called', thrownBy(() => Buffer.alloc(-1))],
		['something that is no error', 'no such state'],
	])('as a defect of ours, with all that helps to find it: %s', (_what, error) => {
		const { exit, said } = explained(error);
		expect(exit).toBe(1);
		expect(said).toContain('this is a defect of sysbox-setup, not of your host');
		const told = error instanceof Error ? `${error.stack}` : 'no such state';
		// Indented: a message may quote the host, and no line of it looks like one of ours.
		expect(said).toContain(told.replaceAll(/^/gm, '    '));
	});
});
