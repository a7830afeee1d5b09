import { startTransientTimer } from '../services.ts';
import type { Program } from '../world.ts';
import { UnsimulatedCommand } from '../world.ts';
import { lastOf, parseOptions } from './options.ts';
import { waitAndStart } from './wait-and-start.ts';

/** systemd-run of a timer that fires once (`--on-active`); words as seen with systemd 257. */
export const systemdRun: Program = (scope, call) => {
	if (!call.argv.some(word => word.startsWith('--on-active'))) return waitAndStart(scope, call);
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['--unit', '--on-active', '--timer-property', '--description'],
		flags: ['--collect', '-G', '-q', '--quiet'],
		stopAtWord: true,
	});
	const unit = lastOf(parsed, '--unit');
	const seconds = Number.parseFloat(lastOf(parsed, '--on-active') ?? '');
	if (parsed.unknown.length > 0 || unit === undefined || Number.isNaN(seconds))
		throw new UnsimulatedCommand(call.argv, 'systemd-run of something else than a timer');
	if (scope.who.uid !== 0) {
		call.io.err('Failed to start transient timer unit: Interactive authentication required.\n');
		return 1;
	}
	const started = startTransientTimer(scope.world, unit, {
		description: lastOf(parsed, '--description') ?? parsed.words.join(' '),
		afterMs: seconds * 1000,
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
};
