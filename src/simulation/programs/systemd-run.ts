import { startTransientService, startTransientTimer } from '../services.ts';
import type { Call, Exit, Program, Scope } from '../world.ts';
import { UnsimulatedCommand } from '../world.ts';
import { allOf, lastOf, parseOptions } from './options.ts';
import { waitAndStart } from './wait-and-start.ts';

/** systemd-run of a timer (`--on-active`, `--on-unit-inactive`), or of a service; words as seen with systemd 257. */
export const systemdRun: Program = (scope, call) => {
	if (call.argv.some(word => word.startsWith('--property=ExecStartPost='))) return waitAndStart(scope, call);
	const timed = call.argv.some(word => word.startsWith('--on-active'));
	return timed ? runTimer(scope, call) : runService(scope, call);
};

function runTimer(scope: Scope, call: Call): Exit {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['--unit', '--on-active', '--on-unit-inactive', '--timer-property', '--property', '--description'],
		flags: ['--collect', '-G', '-q', '--quiet'],
		stopAtWord: true,
	});
	const unit = lastOf(parsed, '--unit');
	const seconds = Number.parseFloat(lastOf(parsed, '--on-active') ?? '');
	const again = lastOf(parsed, '--on-unit-inactive');
	if (parsed.unknown.length > 0 || unit === undefined || Number.isNaN(seconds))
		throw new UnsimulatedCommand(call.argv, 'systemd-run of something else than a timer');
	if (scope.who.uid !== 0) {
		call.io.err('Failed to start transient timer unit: Interactive authentication required.\n');
		return 1;
	}
	const started = startTransientTimer(scope.world, unit, {
		description: lastOf(parsed, '--description') ?? parsed.words.join(' '),
		afterMs: seconds * 1000,
		everyMs: again === undefined ? undefined : Number.parseFloat(again) * 1000,
		argv: parsed.words,
	});
	if (!started) {
		call.io.err(
			`Failed to start transient timer unit: Unit ${unit}.timer was already loaded or has a fragment file.\n`,
		);
		return 1;
	}
	call.io.err(`Running timer as unit: ${unit}.timer\nWill run service as unit: ${unit}.service\n`);
	return 0;
}

/** Properties that belong into the [Unit] section. */
const orders = /^(?:After|Before|Wants)=/;

function runService(scope: Scope, call: Call): Exit {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['--unit', '--property', '-p', '--description'],
		flags: ['--collect', '-G', '-q', '--quiet', '--no-block'],
		stopAtWord: true,
	});
	const unit = lastOf(parsed, '--unit');
	if (parsed.unknown.length > 0 || unit === undefined || !parsed.flags.has('--no-block'))
		throw new UnsimulatedCommand(
			call.argv,
			'systemd-run of something else than a named service that is not waited for',
		);
	if (scope.who.uid !== 0) {
		call.io.err('Failed to start transient service unit: Interactive authentication required.\n');
		return 1;
	}
	const properties = allOf(parsed, '--property', '-p');
	const started = startTransientService(scope.world, unit, {
		description: lastOf(parsed, '--description') ?? parsed.words.join(' '),
		unit: properties.filter(line => orders.test(line)),
		service: properties.filter(line => !orders.test(line)),
		argv: parsed.words,
	});
	if (!started) {
		call.io.err(
			`Failed to start transient service unit: Unit ${unit}.service was already loaded or has a fragment file.\n`,
		);
		return 1;
	}
	call.io.err(`Running as unit: ${unit}.service\n`);
	return 0;
}
