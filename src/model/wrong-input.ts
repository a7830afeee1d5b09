/**
 * What the operator passed is wrong: usage, answers, files, platform. Ends with exit code 2 and these lines, never with
 * a stack trace.
 */
export class WrongInput extends Error {
	readonly next: readonly string[];

	constructor(message: string, next: readonly string[] = []) {
		super(message);
		this.name = 'WrongInput';
		this.next = next;
	}
}

/** The host is not as it has to be for this command at all (no lock, state directory unusable, nothing to revert). */
export class CannotGoOn extends Error {
	readonly exit: number;
	readonly next: readonly string[];

	constructor(message: string, exit: number, next: readonly string[] = []) {
		super(message);
		this.name = 'CannotGoOn';
		this.exit = exit;
		this.next = next;
	}
}
