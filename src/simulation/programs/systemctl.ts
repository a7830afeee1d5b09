import {
	commandWords,
	type Done,
	fullName,
	loadUnit,
	reloadDocker,
	restartUnit,
	signalHostProcess,
	startUnit,
	stopUnit,
	unitSources,
	unitText,
	unitValues,
	waitsForAnother,
} from '../services.ts';
import type { SimulatedState, Unit } from '../state.ts';
import { type Call, type Exit, journal, type Program, touch, UnsimulatedCommand, type World } from '../world.ts';
import { allOf, lastOf, type ParsedOptions, parseOptions } from './options.ts';

/** The order in which systemd 257 prints properties, whatever the order of -p. */
const propertyOrder = [
	'Type',
	'Restart',
	'RestartUSec',
	'MainPID',
	'Result',
	'NRestarts',
	'ExecMainStartTimestampMonotonic',
	'ExecMainStatus',
	'ExecStart',
	'CPUQuotaPerSecUSec',
	'MemoryMax',
	'TasksMax',
	'User',
	'Group',
	'DynamicUser',
	'SupplementaryGroups',
	'Id',
	'Names',
	'Wants',
	'BindsTo',
	'Before',
	'After',
	'Description',
	'LoadState',
	'ActiveState',
	'SubState',
	'FragmentPath',
	'DropInPaths',
	'UnitFileState',
	'InactiveExitTimestampMonotonic',
	'ActiveEnterTimestampMonotonic',
];

const timestamp = (ms: number): string =>
	`${['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][new Date(ms).getUTCDay()]} ${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function properties(world: World, name: string): Readonly<Record<string, string>> {
	const unit = world.state.units[name];
	if (unit === undefined) {
		return {
			Id: name,
			Names: name,
			LoadState: 'not-found',
			ActiveState: 'inactive',
			SubState: 'dead',
			Result: 'success',
			UnitFileState: '',
			FragmentPath: '',
			DropInPaths: '',
			MainPID: '0',
			ExecMainStatus: '0',
			NRestarts: '0',
			Description: name,
			ExecMainStartTimestampMonotonic: '0',
			InactiveExitTimestampMonotonic: '0',
			ActiveEnterTimestampMonotonic: '0',
		};
	}
	const text = unit.loadedText;
	const execs = unitValues(text, 'ExecStart').map(command => {
		const argv = commandWords(command);
		const started = unit.startedAt === undefined || unit.type === 'notify' ? '[n/a]' : `[${timestamp(unit.startedAt)}]`;
		return `{ path=${argv[0]?.replace(/^[-@:+!]+/, '')} ; argv[]=${argv.join(' ')} ; ignore_errors=no ; start_time=${started} ; stop_time=[n/a] ; pid=${unit.mainPid} ; code=(null) ; status=0/0 }`;
	});
	const sources = unitSources(world, unit);
	const joined = (key: string) => unitValues(text, key).join(' ');
	/** Microseconds since the boot. */
	const monotonic = (at: number | undefined): string =>
		at === undefined ? '0' : String(Math.max(1, at - world.state.machine.bootedAt) * 1000);
	return {
		Type: unit.type,
		Restart: joined('Restart') || 'no',
		RestartUSec: joined('RestartSec') === '' ? '100ms' : `${joined('RestartSec')}s`,
		MainPID: String(unit.mainPid),
		Result: unit.result,
		NRestarts: String(unit.restarts ?? 0),
		ExecMainStartTimestampMonotonic: monotonic(unit.leftInactiveAt ?? unit.startedAt),
		InactiveExitTimestampMonotonic: monotonic(unit.leftInactiveAt ?? unit.startedAt),
		ExecMainStatus: String(unit.mainStatus),
		...(execs.length > 0 && { ExecStart: execs.join('\nExecStart=') }),
		CPUQuotaPerSecUSec: quotaOf(joined('CPUQuota')),
		MemoryMax: joined('MemoryMax') || 'infinity',
		TasksMax: joined('TasksMax') || '28909',
		User: joined('User'),
		Group: joined('Group'),
		DynamicUser: joined('DynamicUser') || 'no',
		SupplementaryGroups: joined('SupplementaryGroups'),
		Id: name,
		Names: name,
		Wants: joined('Wants'),
		BindsTo: joined('BindsTo'),
		Before: joined('Before'),
		After: joined('After'),
		Description: unit.description,
		LoadState:
			sources.length === 0 && !name.endsWith('.socket') ? 'not-found' : unit.enabled === 'masked' ? 'masked' : 'loaded',
		ActiveState: unit.active,
		SubState: unit.sub,
		FragmentPath: unit.fragment,
		DropInPaths: sources
			.slice(1)
			.map(s => s.path)
			.join(' '),
		UnitFileState: unit.enabled,
		ActiveEnterTimestampMonotonic: monotonic(unit.startedAt),
	};
}

/** `150%` as `systemctl show` prints it: `1.500000s`, the time of processors in a second. */
const quotaOf = (percent: string): string =>
	percent === '' ? 'infinity' : `${(Number.parseFloat(percent) / 100).toFixed(6)}s`;

function show(world: World, call: Call, parsed: ParsedOptions, names: readonly string[]): Exit {
	const wanted = allOf(parsed, '-p', '--property').flatMap(p => p.split(','));
	const bare = parsed.flags.has('--value');
	if (names.length === 0) {
		const all: Readonly<Record<string, string>> = {
			Version: world.state.machine.systemd,
			SystemState: systemState(world),
			Virtualization: world.state.machine.virt,
			Architecture: world.state.machine.arch === 'amd64' ? 'x86-64' : 'arm64',
		};
		for (const [key, value] of Object.entries(all))
			if (wanted.length === 0 || wanted.includes(key)) call.io.out(bare ? `${value}\n` : `${key}=${value}\n`);
		return 0;
	}
	const strange = wanted.find(key => !propertyOrder.includes(key));
	if (strange !== undefined) throw new UnsimulatedCommand(call.argv, `the property ${strange}`);
	const blocks = names.map(name => {
		const all = properties(world, name);
		const shown = propertyOrder.filter(key => all[key] !== undefined && (wanted.length === 0 || wanted.includes(key)));
		return shown.map(key => (bare ? `${all[key]}\n` : `${key}=${all[key]}\n`)).join('');
	});
	call.io.out(blocks.join('\n'));
	return 0;
}

function systemState(world: World): string {
	return Object.values(world.state.units).some(u => u.active === 'failed') ? 'degraded' : 'running';
}

const failureText = (unit: string, outcome: Extract<Done, { kind: 'failed' }>): string =>
	outcome.why === 'dependency'
		? `A dependency job for ${unit} failed. See 'journalctl -xe' for details.\n`
		: outcome.why === 'timeout'
			? `Job for ${unit} failed because a timeout was exceeded.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.\n`
			: outcome.why === 'start-limit-hit'
				? `Job for ${unit} failed.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.\n`
				: `Job for ${unit} failed because the control process exited with error code.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.\n`;

export const systemctl: Program = (scope, call) => {
	const parsed = parseOptions(call.argv.slice(1), {
		withValue: ['-p', '--property', '--type', '-s', '--signal', '--kill-whom', '--kill-who'],
		flags: ['--value', '--no-pager', '--full', '--no-block', '--no-legend', '--plain', '--all'],
	});
	const { world } = scope;
	const { state } = world;
	if (parsed.unknown.length > 0) throw new UnsimulatedCommand(call.argv, String(parsed.unknown[0]));
	const [verb = '', ...given] = parsed.words;
	const names = given.map(fullName);
	if (verb === 'show') return show(world, call, parsed, names);
	if (verb === 'cat') return cat(world, call, names);
	if (verb === 'list-units') {
		const type = lastOf(parsed, '--type');
		for (const { name, active, sub, description } of Object.values(state.units))
			if (type === undefined || name.endsWith(`.${type}`))
				call.io.out(`${name} loaded ${active} ${sub} ${description}\n`);
		return 0;
	}
	if (scope.who.uid !== 0) {
		call.io.err(
			`Failed to ${verb} ${names[0] ?? ''}: Interactive authentication required.\nSee system logs and 'systemctl status ${names[0] ?? ''}' for details.\n`,
		);
		return 1;
	}
	touch(world);
	if (verb === 'daemon-reload') {
		for (const unit of Object.values(state.units)) unit.loadedText = unitText(world, unit);
		return 0;
	}
	if (verb === 'reset-failed') return resetFailed(state, names);
	// During a boot: the start waits, and whoever asked for it with it.
	const waits = names.some(name => state.units[name] !== undefined && waitsForAnother(state, state.units[name]));
	if (verb === 'start' && waits && !parsed.flags.has('--no-block')) return 'endless';
	let code = 0;
	for (const name of names) code = actOn(world, call, verb, name, parsed) || code;
	return code;
};

function resetFailed({ units }: SimulatedState, names: readonly string[]): Exit {
	for (const unit of Object.values(units)) {
		if (names.length > 0 && !names.includes(unit.name)) continue;
		unit.starts = [];
		if (unit.active === 'failed') Object.assign(unit, { active: 'inactive', sub: 'dead', result: 'success' });
	}
	return 0;
}

function actOn(world: World, call: Call, verb: string, name: string, parsed: ParsedOptions): number {
	const unit = verb === 'start' ? loadUnit(world, name) : world.state.units[name];
	if (unit !== undefined) return act(world, call, verb, unit, parsed);
	call.io.err(`Failed to ${verb} ${name}: Unit ${name} not ${verb === 'stop' ? 'loaded' : 'found'}.\n`);
	return 5;
}

function cat(world: World, call: Call, names: readonly string[]): Exit {
	let code = 0;
	for (const name of names) {
		const unit = world.state.units[name];
		if (unit === undefined) {
			call.io.err(`No files found for ${name}.\n`);
			code = 1;
			continue;
		}
		const sources = unitSources(world, unit).map(s => `# ${s.path}\n${s.text}`);
		call.io.out(sources.join('\n'));
	}
	return code;
}

function act(world: World, call: Call, verb: string, unit: Unit, parsed: ParsedOptions): number {
	const started = (outcome: Done): number => {
		if (outcome.kind === 'done') return 0;
		call.io.err(failureText(unit.name, outcome));
		return 1;
	};
	const is = (name: string) => world.state.units[name]?.active === 'active';
	switch (verb) {
		case 'start':
			return started(startUnit(world, unit.name));
		case 'restart':
			return started(restartUnit(world, unit.name));
		case 'stop':
			if (unit.name === 'docker.service' && is('docker.service') && is('docker.socket'))
				call.io.err("Stopping 'docker.service', but its triggering units are still active:\ndocker.socket\n");
			stopUnit(world, unit.name);
			return 0;
		case 'reload':
			if (unit.active !== 'active') {
				call.io.err(`${unit.name} is not active, cannot reload.\n`);
				return 1;
			}
			if (unitValues(unit.loadedText, 'ExecReload').length === 0) {
				call.io.err(
					`Failed to reload ${unit.name}: Job type reload is not applicable for unit ${unit.name}.\nSee system logs and 'systemctl status ${unit.name}' for details.\n`,
				);
				return 1;
			}
			journal(world, unit.name, 'systemd', 1, `Reloading ${unit.name} - ${unit.description}...`);
			if (/docker/.test(unit.name)) reloadDocker(world);
			journal(world, unit.name, 'systemd', 1, `Reloaded ${unit.name} - ${unit.description}.`);
			return 0;
		case 'kill':
			if (unit.mainPid !== 0) signalHostProcess(world, unit.mainPid, lastOf(parsed, '-s', '--signal') ?? 'TERM');
			return 0;
		default:
			throw new UnsimulatedCommand(call.argv, `systemctl ${verb}`);
	}
}
